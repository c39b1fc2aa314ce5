//! Who is named as a receiver: colleagues nearly always, now and then somebody outside.

use super::holdings::Space;
use super::organisation::{AT_HEAD_OFFICE, Organisation};
use super::rng::{Rng, Weighted};

/// A receiver as a row names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Receiver<'o> {
    pub(super) id: Option<&'o str>,
    pub(super) name: &'o str,
    /// 0 one-to-one chat, 1 group chat, 2 drive, 3 document.
    pub(super) kind: u8,
}

static OUTSIDE: Weighted<Receiver<'static>> = Weighted::new(&[
    (30, someone("林晓彤", Some("sz-2207191"))),
    (15, someone("Goh Jun Wei", Some("sg-90017"))),
    (12, someone("沈立群", Some("ext-qj-001"))),
    (12, someone("Claims desk (Lion Rock Clinics)", None)),
    (8, group("港深客戶服務協作群")),
    (6, someone("Mao Wenbo", None)),
    (5, group("Branch opening 2027")),
    (4, someone("Tan Wei Ling (Straits Freight Pte Ltd)", Some("ext-sf-001"))),
    (3, someone("Rajesh Pillai", Some("ext-mp-001"))),
    (3, someone("Eleanor Whitcombe (Thames & Holborn LLP)", None)),
    (2, someone("Ana Lobo (蓮花保險)", None)),
    (1, someone("Backup (Coastal Share Inc.)", None)),
    (1, someone("市調窗口（寶島市調）", None)),
    (1, someone("未登記聯絡人", Some("2088431907"))),
]);

const fn someone(name: &'static str, id: Option<&'static str>) -> Receiver<'static> {
    Receiver { id, name, kind: 0 }
}

const fn group(name: &'static str) -> Receiver<'static> {
    Receiver { id: None, name, kind: 1 }
}

/// A receiver for a file of the space.
pub(super) fn draw<'o>(organisation: &'o Organisation, space: &Space, rng: &mut Rng) -> Receiver<'o> {
    if rng.below(1000) < space.outward {
        return *OUTSIDE.pick(rng);
    }
    let person = rng.pick(&organisation.people[AT_HEAD_OFFICE]);
    let id = rng.chance(600_000).then_some(person.id.as_str());
    Receiver { id, name: &person.name, kind: 0 }
}

/// `receiverTypeView`.
pub(super) fn view(kind: u8) -> &'static str {
    match kind {
        0 => "单聊",
        1 => "群聊",
        2 => "钉盘",
        _ => "文档",
    }
}
