//! The people of an invented bank in Hong Kong: head office, a subsidiary in Shenzhen, an office in Singapore, a secondee in
//! Tokyo, a vendor in Hangzhou, travellers and guests. Those whom the directory of `config/bank.toml` knows have its ids and
//! names; the rest of the head office is made up here and known to nobody.

use std::ops::Range;
use std::sync::OnceLock;

use super::acts::{Act, GUESTS, STAFF};
use super::addresses::{self, Net};
use super::holdings::{self, Space};
use super::rng::{Rng, Weighted};
use super::timeline::busy;

/// Staff of the head office beside those in the directory.
const CROWD: usize = 1400;

/// Somebody who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// Staff id.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) nick: String,
}

/// People who work alike.
pub(super) struct Group {
    /// Share of the traffic when every office is at its busiest.
    pub(super) weight: u32,
    /// Hours ahead of UTC.
    pub(super) hours_ahead: i8,
    /// Indices of its people.
    pub(super) people: Range<usize>,
    pub(super) desks: &'static Weighted<Net>,
    pub(super) spaces: &'static Weighted<&'static Space>,
    pub(super) acts: &'static Weighted<Act>,
}

/// An organisation whose traffic can be made up.
pub struct Organisation {
    pub(super) people: Vec<Person>,
    pub(super) groups: Vec<Group>,
}

/// Ids and names of the directory, in the order of the groups below.
const LISTED: [(&str, &str, &str); 15] = [
    ("manager4521", "Chan Ka Yan", "Ka Yan"),
    ("0248117730", "陳嘉欣", "嘉欣"),
    ("16338841", "Lee Chi Keung", "CK"),
    ("16338842", "黃詠琳", "詠琳"),
    ("16338857", "Priya Raman", "Priya"),
    ("16338860", "Fong Tsz Hin", "Tsz Hin"),
    ("sz-2207191", "林晓彤", "晓彤"),
    ("sz-2207214", "周子轩", "子轩"),
    ("sz-2207266", "Gao Yifan", "一帆"),
    ("sg-90017", "Goh Jun Wei", "Jun Wei"),
    ("sg-90023", "Nur Aisyah", "Aisyah"),
    ("ext-qj-001", "沈立群", "老沈"),
    ("ext-qj-002", "Mao Wenbo", "Wenbo"),
    ("ext-mp-001", "Rajesh Pillai", "Rajesh"),
    ("ext-sf-001", "Tan Wei Ling", "Wei Ling"),
];

/// Of the directory, those at the head office.
pub(super) const AT_HEAD_OFFICE: Range<usize> = 0..5;

const SURNAMES: [(&str, &str); 16] = [
    ("陳", "Chan"),
    ("李", "Lee"),
    ("黃", "Wong"),
    ("張", "Cheung"),
    ("梁", "Leung"),
    ("林", "Lam"),
    ("吳", "Ng"),
    ("何", "Ho"),
    ("鄭", "Cheng"),
    ("劉", "Lau"),
    ("馮", "Fung"),
    ("葉", "Yip"),
    ("鄧", "Tang"),
    ("曾", "Tsang"),
    ("許", "Hui"),
    ("蘇", "So"),
];

const GIVEN: [(&str, &str); 16] = [
    ("家樂", "Ka Lok"),
    ("詠詩", "Wing Sze"),
    ("志明", "Chi Ming"),
    ("美玲", "Mei Ling"),
    ("俊傑", "Chun Kit"),
    ("淑儀", "Suk Yee"),
    ("浩然", "Ho Yin"),
    ("曉彤", "Hiu Tung"),
    ("偉文", "Wai Man"),
    ("佩珊", "Pui Shan"),
    ("子軒", "Tsz Hin"),
    ("穎欣", "Wing Yan"),
    ("國強", "Kwok Keung"),
    ("雅文", "Nga Man"),
    ("梓晴", "Tsz Ching"),
    ("文浩", "Man Ho"),
];

impl Organisation {
    /// The bank of `config/bank.toml`.
    pub fn bank() -> &'static Self {
        static BANK: OnceLock<Organisation> = OnceLock::new();
        BANK.get_or_init(|| Self { people: people(), groups: groups() })
    }

    /// How much traffic there is at a time.
    pub(super) fn traffic(&self, at: i64) -> u64 {
        self.groups.iter().map(|group| group.traffic(at)).sum()
    }

    /// A group that works at that time.
    pub(super) fn group(&self, at: i64, rng: &mut Rng) -> &Group {
        let all = u32::try_from(self.traffic(at)).unwrap_or(u32::MAX);
        let mut left = u64::from(rng.below(all));
        let found = self.groups.iter().find(|group| {
            let share = group.traffic(at);
            let here = left < share;
            left = left.saturating_sub(share);
            here
        });
        found.unwrap_or(&self.groups[0])
    }

    /// Somebody of a group.
    pub(super) fn person(&self, group: &Group, rng: &mut Rng) -> &Person {
        rng.pick(&self.people[group.people.clone()])
    }
}

impl Group {
    fn traffic(&self, at: i64) -> u64 {
        u64::from(self.weight) * u64::from(busy(at, self.hours_ahead))
    }
}

fn people() -> Vec<Person> {
    let listed = LISTED.iter().map(|(id, name, nick)| person(id, name, nick));
    listed.chain((0..CROWD).map(made_up)).collect()
}

/// Every third has an English name in the system, as offices in Hong Kong have it.
fn made_up(index: usize) -> Person {
    let (surname, given) = (SURNAMES[index % 16], GIVEN[index / 16 % 16]);
    let id = (16_340_000 + index * 7).to_string();
    match index % 3 {
        0 => person(&id, &format!("{} {}", surname.1, given.1), given.1),
        _ => person(&id, &format!("{}{}", surname.0, given.0), given.0),
    }
}

fn person(id: &str, name: &str, nick: &str) -> Person {
    Person { id: id.to_owned(), name: name.to_owned(), nick: nick.to_owned() }
}

fn groups() -> Vec<Group> {
    let guest = |weight, hours_ahead, people, desks, spaces| Group {
        weight,
        hours_ahead,
        people,
        desks,
        spaces,
        acts: &GUESTS,
    };
    let staff = |weight, people, desks, spaces| Group { acts: &STAFF, ..guest(weight, 8, people, desks, spaces) };
    let crowd = LISTED.len()..LISTED.len() + CROWD;
    vec![
        staff(8600, crowd, &addresses::HK_OFFICE, &holdings::OF_BANK),
        staff(400, AT_HEAD_OFFICE, &addresses::HK_OFFICE, &holdings::OF_BANK),
        staff(400, 6..9, &addresses::SHENZHEN, &holdings::OF_SHENZHEN),
        staff(250, 9..11, &addresses::SINGAPORE, &holdings::OF_SINGAPORE),
        guest(130, 8, 11..13, &addresses::HANGZHOU, &holdings::OF_VENDOR),
        guest(60, 9, 5..6, &addresses::TOKYO, &holdings::ON_THE_ROAD),
        guest(30, 0, AT_HEAD_OFFICE, &addresses::LONDON, &holdings::ON_THE_ROAD),
        guest(8, 8, AT_HEAD_OFFICE, &addresses::ELSEWHERE, &holdings::ON_THE_ROAD),
        guest(5, 8, 13..14, &addresses::MERLION, &holdings::OF_BUREAU),
    ]
}
