//! What a file's name suggests about its content. A suggestion only ever adds caution: it widens the categories of a case
//! and never narrows them.
//!
//! Reads names only, never content, and keeps nothing of them. One automaton holds all patterns; a look-up allocates
//! nothing. Letters A–Z are compared without regard to case. An ASCII pattern of up to four letters counts only as a word
//! of its own, so that `cv` is not found in `recvfrom`.

use aho_corasick::{AhoCorasick, BuildError};

use super::party::{Categories, Category};

/// Name patterns that come with the program: English, Traditional and Simplified Chinese.
const BUILT_IN: &[(Category, &[&str])] = &[
    (
        Category::Identity,
        &[
            "hkid",
            "id card",
            "idcard",
            "id_card",
            "id-card",
            "identity card",
            "identity document",
            "passport",
            "身份證",
            "身份证",
            "身分證",
            "护照",
            "護照",
            "回鄉證",
            "回乡证",
            "通行證",
            "通行证",
            "出生證明",
            "出生证明",
            "birth certificate",
            "birth cert",
            "work permit",
            "visa",
        ],
    ),
    (
        Category::Biometric,
        &[
            "biometric",
            "fingerprint",
            "face scan",
            "facial recognition",
            "voiceprint",
            "指紋",
            "指纹",
            "人臉",
            "人脸",
            "面容識別",
            "面部识别",
            "聲紋",
            "声纹",
            "生物特徵",
            "生物特征",
            "生物識別",
            "生物识别",
        ],
    ),
    (
        Category::Health,
        &[
            "medical",
            "patient",
            "diagnosis",
            "sick leave",
            "health check",
            "health record",
            "prescription",
            "vaccin",
            "醫療",
            "医疗",
            "病歷",
            "病历",
            "病人",
            "患者",
            "診斷",
            "诊断",
            "體檢",
            "体检",
            "病假",
            "處方",
            "处方",
            "藥單",
            "疫苗",
            "健康檢查",
            "健康检查",
        ],
    ),
    (
        Category::Financial,
        &[
            "payroll",
            "salary",
            "salaries",
            "payslip",
            "bank account",
            "bank statement",
            "credit card",
            "credit report",
            "tax return",
            "mpf",
            "ir56",
            "ir 56",
            "薪",
            "工資",
            "工资",
            "糧單",
            "出糧",
            "強積金",
            "强积金",
            "銀行戶口",
            "银行户口",
            "銀行帳",
            "银行账",
            "銀行卡",
            "银行卡",
            "信用卡",
            "信貸",
            "信贷",
            "征信",
            "徵信",
            "報稅",
            "报税",
            "稅單",
            "税单",
            "月結單",
        ],
    ),
    (
        Category::Minors,
        &[
            "minors",
            "student",
            "pupil",
            "kindergarten",
            "children",
            "childcare",
            "兒童",
            "儿童",
            "學生",
            "学生",
            "學童",
            "未成年",
            "幼稚園",
            "幼儿园",
            "幼兒",
            "幼儿",
            "小學",
            "小学",
            "家長",
            "家长",
            "出生證明",
            "出生证明",
        ],
    ),
    (
        Category::Employment,
        &[
            "personnel",
            "appraisal",
            "resume",
            "résumé",
            "cv",
            "employee",
            "disciplinary",
            "staff list",
            "人事",
            "僱員",
            "雇員",
            "雇员",
            "員工",
            "员工",
            "履歷",
            "履历",
            "簡歷",
            "简历",
            "考勤",
            "績效",
            "绩效",
            "花名冊",
            "花名册",
        ],
    ),
    (
        Category::Customer,
        &["customer", "client list", "kyc", "policyholder", "客戶", "客户", "會員名單", "会员名单", "保單", "保单"],
    ),
    (
        Category::Contact,
        &[
            "address book",
            "contact list",
            "mailing list",
            "phone list",
            "通訊錄",
            "通讯录",
            "聯絡人",
            "联系人",
            "電話簿",
            "电话簿",
            "手機號",
            "手机号",
        ],
    ),
];

/// Longest ASCII pattern that must stand as a word of its own.
const SHORT: usize = 4;

/// Finds categories that a file's name suggests.
#[derive(Clone, Debug)]
pub struct NamePatterns {
    automaton: AhoCorasick,
    meanings: Vec<Meaning>,
}

#[derive(Clone, Copy, Debug)]
struct Meaning {
    category: Category,
    whole_word: bool,
}

impl NamePatterns {
    /// Built-in patterns and the operator's own. Blank patterns are left out: they would match every name.
    ///
    /// # Errors
    /// The patterns together are too large for one automaton (gigabytes).
    pub fn new(extra: &[(String, Category)]) -> Result<Self, BuildError> {
        let built_in = BUILT_IN.iter().flat_map(|(category, words)| words.iter().map(|word| (*word, *category)));
        let own = extra.iter().map(|(word, category)| (word.trim(), *category));
        let all: Vec<(&str, Category)> = built_in.chain(own).filter(|(word, _)| !word.is_empty()).collect();
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).build(all.iter().map(|(word, _)| word.as_bytes()))?;
        Ok(Self { automaton, meanings: all.iter().map(|(word, category)| meaning(word, *category)).collect() })
    }

    /// Categories that `name` suggests; none if nothing is known by it.
    pub fn suggest(&self, name: &str) -> Categories {
        let mut found = Categories::NONE;
        for hit in self.automaton.find_overlapping_iter(name) {
            let meaning = self.meanings[hit.pattern().as_usize()];
            if !meaning.whole_word || stands_alone(name.as_bytes(), hit.start(), hit.end()) {
                found = found.with(meaning.category);
            }
        }
        found
    }
}

fn meaning(word: &str, category: Category) -> Meaning {
    // `hkid` is no part of any other word.
    let whole_word = word.is_ascii() && word.len() <= SHORT && !word.eq_ignore_ascii_case("hkid");
    Meaning { category, whole_word }
}

/// Digits, `_`, `-` and every character beyond ASCII end a word; so does the step from small to capital letter, as in
/// `staffCV`.
fn stands_alone(name: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| name.get(at));
    let open = before.is_none_or(|byte| !byte.is_ascii_alphabetic() || camel(*byte, name.get(start)));
    let last = end.checked_sub(1).and_then(|at| name.get(at));
    let closed = name
        .get(end)
        .is_none_or(|byte| !byte.is_ascii_alphabetic() || last.is_some_and(|last| camel(*last, Some(byte))));
    open && closed
}

fn camel(before: u8, after: Option<&u8>) -> bool {
    before.is_ascii_lowercase() && after.is_some_and(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(name: &str) -> Vec<&'static str> {
        NamePatterns::new(&[]).unwrap().suggest(name).iter().map(Category::name).collect()
    }

    #[test]
    fn both_scripts_and_any_case() {
        for name in ["HKID copies.zip", "staffHKIDcopy.pdf", "陳大文身份證.jpg", "陈大文身份证.jpg", "PASSPORT_2.png"]
        {
            assert_eq!(suggest(name), ["identity"], "{name}");
        }
        assert_eq!(suggest("二月薪酬表.xlsx"), ["financial"]);
        assert_eq!(suggest("病歷 2026.docx"), ["health"]);
        assert_eq!(suggest("病历.docx"), ["health"]);
        assert_eq!(suggest("指纹打卡.csv"), ["biometric"]);
    }

    #[test]
    fn one_name_may_suggest_several() {
        assert_eq!(suggest("學生護照及銀行戶口.pdf"), ["identity", "financial", "minors"]);
        assert_eq!(suggest("客户薪资明细 employee.xlsx"), ["financial", "employment", "customer"]);
    }

    #[test]
    fn short_words_stand_alone() {
        assert_eq!(suggest("recvfrom.c"), Vec::<&str>::new());
        assert_eq!(suggest("visage.png"), Vec::<&str>::new());
        for name in ["CV.pdf", "wong_cv_2026.pdf", "我的CV.pdf", "staffCV.pdf", "cv2.pdf"] {
            assert_eq!(suggest(name), ["employment"], "{name}");
        }
    }

    #[test]
    fn plain_names_suggest_nothing() {
        for name in ["", "agenda.docx", "Q3 roadmap.pptx", "會議紀錄.docx", "identical.txt", "guidance.pdf"] {
            assert_eq!(suggest(name), Vec::<&str>::new(), "{name}");
        }
    }

    #[test]
    fn own_patterns_are_added_and_blank_ones_are_not() {
        let own = [("Project Lotus".to_owned(), Category::Health), ("  ".to_owned(), Category::Minors)];
        let patterns = NamePatterns::new(&own).unwrap();
        assert_eq!(patterns.suggest("project lotus v2.docx"), Categories::NONE.with(Category::Health));
        assert_eq!(patterns.suggest("agenda.docx"), Categories::NONE);
    }

    #[test]
    fn every_built_in_pattern_finds_itself() {
        let patterns = NamePatterns::new(&[]).unwrap();
        for (category, words) in BUILT_IN {
            for word in *words {
                let found = patterns.suggest(&format!("a {word} b"));
                assert!(Categories::NONE.with(*category).within(found), "{word}");
            }
        }
    }
}
