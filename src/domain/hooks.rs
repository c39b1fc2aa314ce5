//! The legal hooks of a decision: which provisions a reader may look up, each with its weight. Texts are data.
//!
//! A hook says what a decision was assessed against. It never says that a provision was not complied with.

use super::flow::Recipient;
use super::party::Role;
use super::policy::Policy;
use super::safeguard::SafeguardKind;
use super::verdict::{Condition, Decision, PolicyRule, Verdict};

/// How much a hook weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// Law in operation.
    Binding,
    /// A contract that the organisation has made.
    Contract,
    /// Recommended practice.
    Guidance,
    /// The organisation's own policy.
    Policy,
}

impl Weight {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Contract => "contract",
            Self::Guidance => "guidance",
            Self::Policy => "policy",
        }
    }
}

/// One provision, with its weight and a line for people in English and in Traditional Chinese.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Short citation.
    pub provision: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// What it asks, in English.
    pub en: &'static str,
    /// The same in Traditional Chinese.
    pub zh: &'static str,
    /// The condition whose failing shows that this hook is not met on record, if the rules check one.
    pub condition: Option<Condition>,
}

const fn hook(provision: &'static str, weight: Weight, en: &'static str, zh: &'static str) -> Hook {
    Hook { provision, weight, en, zh, condition: None }
}

const fn checked(base: Hook, condition: Condition) -> Hook {
    Hook { condition: Some(condition), ..base }
}

const DPP1_3: Hook = checked(
    hook(
        "DPP1(3)",
        Weight::Binding,
        "Data subjects are told, on or before collection, the classes of persons to whom the data may be transferred.",
        "收集資料之時或之前，須告知資料當事人資料可能轉移予何種類別的人士。",
    ),
    Condition::Dpp1Class,
);
const DPP2_3: Hook = checked(
    hook(
        "DPP2(3)",
        Weight::Binding,
        "Contractual or other means prevent a processor, in or outside Hong Kong, from keeping data longer than necessary.",
        "須以合約規範方法或其他方法，防止香港境內或境外的資料處理者保存資料超過所需時間。",
    ),
    Condition::Dpp2Processor,
);
const DPP3: Hook = checked(
    hook(
        "DPP3",
        Weight::Binding,
        "A new purpose, disclosure and transfer included, needs the data subject's prescribed consent.",
        "將資料用於新目的（包括披露或轉移），須取得資料當事人的訂明同意。",
    ),
    Condition::Dpp3Purpose,
);
const DPP4_1: Hook = hook(
    "DPP4(1)",
    Weight::Binding,
    "All practicable steps protect the data; the place where they are stored is one of the factors.",
    "須採取所有切實可行的步驟保障資料；資料儲存的地點是考慮因素之一。",
);
const DPP4_2: Hook = checked(
    hook(
        "DPP4(2)",
        Weight::Binding,
        "Contractual or other means protect data that are transferred to a processor, in or outside Hong Kong.",
        "須以合約規範方法或其他方法，保障轉移予香港境內或境外資料處理者的資料。",
    ),
    Condition::Dpp2Processor,
);
const S65: Hook = hook(
    "s.65(2) PDPO",
    Weight::Binding,
    "The data user answers for what an agent does with its authority.",
    "代理人在獲授權下所作的作為，視為資料使用者亦有作出。",
);
const S66: Hook = hook(
    "s.66 PDPO",
    Weight::Binding,
    "A record of reasonable care can matter if compensation is claimed.",
    "如有人申索補償，已採取合理謹慎措施的紀錄可能有用。",
);
const S33_2: Hook = hook(
    "s.33(2) PDPO",
    Weight::Guidance,
    "Not in operation; followed as recommended practice: one of six grounds for a transfer outside Hong Kong.",
    "尚未實施；作為建議做法參考：向香港以外地方轉移資料的六項理據之一。",
);
const S33_2_IN_FORCE: Hook = hook(
    "s.33(2) PDPO",
    Weight::Binding,
    "One of six grounds is needed for a transfer outside Hong Kong.",
    "向香港以外地方轉移資料，須符合六項理據之一。",
);
const S33_2_F: Hook = hook(
    "s.33(2)(f) PDPO",
    Weight::Guidance,
    "Not in operation; followed as recommended practice: reasonable precautions and due diligence.",
    "尚未實施；作為建議做法參考：採取所有合理的預防措施及作出應有的努力。",
);
const RMC_1: Hook = hook(
    "PCPD Recommended Model Contractual Clauses (2022), data user to data user",
    Weight::Guidance,
    "Voluntary clauses for a transfer to another data user.",
    "私隱專員公署《建議合約條文範本》：資料使用者轉移予資料使用者，自願採用。",
);
const RMC_2: Hook = hook(
    "PCPD Recommended Model Contractual Clauses (2022), data user to processor",
    Weight::Guidance,
    "Voluntary clauses for a transfer to a processor.",
    "私隱專員公署《建議合約條文範本》：資料使用者轉移予資料處理者，自願採用。",
);
const GBA_TERMS: Hook = hook(
    "GBA Standard Contract (Mainland, Hong Kong)",
    Weight::Contract,
    "The terms of the contract as filed, such as scope, impact assessment, filing and handing on.",
    "《粵港澳大灣區（內地、香港）個人信息跨境流動標準合同》條款，如範圍、影響評估、備案及轉提供。",
);
const GBA_GUIDE: Hook = hook(
    "Implementation Guidelines on the GBA Standard Contract",
    Weight::Guidance,
    "How parties use and file the contract.",
    "《粵港澳大灣區（內地、香港）個人信息跨境流動標準合同實施指引》。",
);
const CONTRACT: Hook = hook(
    "Recorded safeguard",
    Weight::Contract,
    "The terms of the entry in the safeguard register.",
    "保障措施登記冊內該項目的條款。",
);
const OWN_POLICY: Hook = hook(
    "Organisation's policy",
    Weight::Policy,
    "The organisation's own rule on recipients and places.",
    "機構自訂的接收者及地點規則。",
);
const CLOUD: Hook = hook(
    "PCPD cloud computing leaflet (2015)",
    Weight::Guidance,
    "Know, and be able to tell, where data are stored.",
    "私隱專員公署雲端運算資料單張：須知悉並能說明資料儲存的地點。",
);
const ISO: Hook = hook(
    "ISO/IEC 27701, records of transfers",
    Weight::Guidance,
    "Record transfers and the basis for them.",
    "記錄資料轉移及其依據。",
);
const ACCOUNTABILITY: Hook = hook(
    "DPP5",
    Weight::Binding,
    "Policies and practices on personal data are open to be known.",
    "須公開個人資料的政策及實務。",
);

impl Policy {
    /// The hooks of a decision, law in operation first. Not for the hot path.
    pub fn hooks(&self, decision: &Decision, recipient: Recipient) -> Vec<Hook> {
        let mut hooks = match decision.verdict {
            Verdict::Uncovered => self.transfer(recipient),
            Verdict::Defect => self.defect(decision, recipient),
            Verdict::Prohibited => vec![bar(decision)],
            Verdict::Undetermined => vec![DPP4_1, CLOUD],
            Verdict::Covered => vec![ACCOUNTABILITY, S66, ISO],
            Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => Vec::new(),
        };
        hooks.sort_by_key(|hook| hook.weight);
        hooks
    }

    fn transfer(&self, recipient: Recipient) -> Vec<Hook> {
        let in_force = self.pack.s33_in_force;
        match recipient {
            Recipient::Party(id) if self.party(id).role == Role::Processor => {
                vec![DPP2_3, DPP4_2, S65, if in_force { S33_2_IN_FORCE } else { S33_2_F }, RMC_2]
            }
            Recipient::Party(_) | Recipient::Stranger | Recipient::Public => {
                vec![DPP1_3, DPP3, DPP4_1, if in_force { S33_2_IN_FORCE } else { S33_2 }, RMC_1]
            }
        }
    }

    fn defect(&self, decision: &Decision, recipient: Recipient) -> Vec<Hook> {
        let mut hooks = self.transfer(recipient);
        match decision.safeguard.map(|id| self.safeguard(id).kind) {
            Some(SafeguardKind::GbaSc) => {
                hooks.retain(|hook| *hook != RMC_1 && *hook != RMC_2);
                hooks.extend([GBA_TERMS, GBA_GUIDE]);
            }
            Some(_) => hooks.push(CONTRACT),
            None => {}
        }
        hooks
    }
}

fn bar(decision: &Decision) -> Hook {
    match decision.policy_rule {
        Some(PolicyRule::GbaOnward) => GBA_TERMS,
        Some(PolicyRule::Deny(_) | PolicyRule::Residency(_)) | None => OWN_POLICY,
    }
}
