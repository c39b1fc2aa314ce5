//! The JSON shapes of evidence records and verdict lines, each written by hand: serde takes three times as long.

use super::json;
use super::shown::{Done, Shown, Utc, Who};
use super::view::LegView;
use crate::domain::event::{Act, Id};
use crate::domain::party::{Categories, Category};

#[derive(Clone, Copy)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct PositionView<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: u64,
    pub(super) index: u32,
}

#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct RecordView<'a> {
    pub(super) id: &'a str,
    pub(super) schema: u8,
    pub(super) position: PositionView<'a>,
    pub(super) message_sha256: &'a str,
    pub(super) shape: &'static str,
    pub(super) act: Shown<Done<'a>>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub(super) event_id: Option<&'a str>,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub(super) file_id: Option<Shown<&'a Id<'a>>>,
    pub(super) time: Option<i64>,
    pub(super) time_utc: Option<Shown<Utc>>,
    pub(super) tenant: &'a str,
    pub(super) actor: ActorView<'a>,
    pub(super) data: DataView<'a>,
    pub(super) legs: &'a [LegView<'a>],
    pub(super) verdict: Option<&'static str>,
    pub(super) rule: Option<&'static str>,
    pub(super) severity: Option<&'static str>,
    pub(super) policy: PolicyView<'a>,
    pub(super) geo_sha256: &'a str,
}

#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct ActorView<'a> {
    pub(super) id: Shown<Who<'a>>,
    pub(super) name: &'a str,
    pub(super) address: &'a str,
    pub(super) party: &'a str,
    pub(super) platform: Option<i64>,
    pub(super) module: Option<i64>,
}

#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct DataView<'a> {
    pub(super) resource: &'a str,
    pub(super) extension: &'a str,
    pub(super) size: Option<u64>,
    pub(super) space: Option<Shown<&'a Id<'a>>>,
    pub(super) item: &'a str,
    pub(super) personal: &'static str,
    #[cfg_attr(test, serde(serialize_with = "tests::names"))]
    pub(super) categories: Categories,
    #[cfg_attr(test, serde(serialize_with = "tests::names"))]
    pub(super) suggested: Categories,
    pub(super) subjects: Option<u64>,
    pub(super) purpose: Option<&'a str>,
}

#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct PolicyView<'a> {
    pub(super) pack: &'a str,
    pub(super) sha256: &'a str,
    pub(super) s33_in_force: bool,
}

#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct LineView<'a> {
    pub(super) position: PositionView<'a>,
    pub(super) outcome: &'static str,
    pub(super) time: Option<i64>,
    pub(super) verdict: Option<&'static str>,
    pub(super) severity: Option<&'static str>,
    pub(super) rule: Option<&'static str>,
    pub(super) legs: &'a [LegView<'a>],
    pub(super) finding: Option<&'a str>,
}

/// An event that was not judged.
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct OtherView<'a> {
    pub(super) position: PositionView<'a>,
    pub(super) outcome: &'a str,
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    pub(super) reason: Option<&'a str>,
}

impl PositionView<'_> {
    fn write<const KEY: usize>(self, out: &mut Vec<u8>, key: &[u8; KEY]) {
        out.extend_from_slice(key);
        json::text(out, b"{\"topic\":", self.topic);
        json::number(out, b",\"partition\":", self.partition);
        json::number(out, b",\"offset\":", self.offset);
        json::number(out, b",\"index\":", self.index);
        out.push(b'}');
    }
}

impl RecordView<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        json::word(out, b"{\"id\":", self.id);
        json::number(out, b",\"schema\":", self.schema);
        self.position.write(out, b",\"position\":");
        json::word(out, b",\"message_sha256\":", self.message_sha256);
        json::word(out, b",\"shape\":", self.shape);
        act(out, &self.act.0);
        if let Some(id) = self.event_id {
            json::text(out, b",\"event_id\":", id);
        }
        if let Some(Shown(id)) = self.file_id {
            json::id(out, b",\"file_id\":", id);
        }
        json::number_or_null(out, b",\"time\":", self.time);
        match self.time_utc.as_ref().map(|Shown(time)| (time, time.digits())) {
            Some((_, Some(digits))) => json::word(out, b",\"time_utc\":", &digits),
            Some((time, None)) => json::word(out, b",\"time_utc\":", &time.to_string()),
            None => json::null(out, b",\"time_utc\":"),
        }
        json::text(out, b",\"tenant\":", self.tenant);
        self.actor.write(out);
        self.data.write(out);
        legs(out, self.legs);
        json::word_or_null(out, b",\"verdict\":", self.verdict);
        json::word_or_null(out, b",\"rule\":", self.rule);
        json::word_or_null(out, b",\"severity\":", self.severity);
        json::text(out, b",\"policy\":{\"pack\":", self.policy.pack);
        json::text(out, b",\"sha256\":", self.policy.sha256);
        json::flag(out, b",\"s33_in_force\":", self.policy.s33_in_force);
        json::text(out, b"},\"geo_sha256\":", self.geo_sha256);
        out.push(b'}');
    }
}

fn act(out: &mut Vec<u8>, Done(act): &Done<'_>) {
    match act {
        Act::Audit(code) => {
            json::number(out, b",\"act\":\"action ", *code);
            out.push(b'"');
        }
        Act::Push(kind) => json::text(out, b",\"act\":", kind),
    }
}

fn legs(out: &mut Vec<u8>, legs: &[LegView<'_>]) {
    out.extend_from_slice(b",\"legs\":");
    json::list(out, legs, |out, leg| leg.write(out));
}

impl ActorView<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self.id.0 {
            Who::User(id) => json::id(out, b",\"actor\":{\"id\":", id),
            Who::Union(id) => json::text(out, b",\"actor\":{\"id\":", id),
            Who::Nobody => json::word(out, b",\"actor\":{\"id\":", ""),
        }
        json::text(out, b",\"name\":", self.name);
        json::text(out, b",\"address\":", self.address);
        json::text(out, b",\"party\":", self.party);
        json::number_or_null(out, b",\"platform\":", self.platform);
        json::number_or_null(out, b",\"module\":", self.module);
        out.push(b'}');
    }
}

impl DataView<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        json::text(out, b",\"data\":{\"resource\":", self.resource);
        json::text(out, b",\"extension\":", self.extension);
        json::number_or_null(out, b",\"size\":", self.size);
        match self.space {
            Some(Shown(id)) => json::id(out, b",\"space\":", id),
            None => json::null(out, b",\"space\":"),
        }
        json::text(out, b",\"item\":", self.item);
        json::word(out, b",\"personal\":", self.personal);
        json::words(out, b",\"categories\":", self.categories.iter().map(Category::name));
        json::words(out, b",\"suggested\":", self.suggested.iter().map(Category::name));
        json::number_or_null(out, b",\"subjects\":", self.subjects);
        json::text_or_null(out, b",\"purpose\":", self.purpose);
        out.push(b'}');
    }
}

impl LineView<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.position.write(out, b"{\"position\":");
        json::word(out, b",\"outcome\":", self.outcome);
        json::number_or_null(out, b",\"time\":", self.time);
        json::word_or_null(out, b",\"verdict\":", self.verdict);
        json::word_or_null(out, b",\"severity\":", self.severity);
        json::word_or_null(out, b",\"rule\":", self.rule);
        legs(out, self.legs);
        json::word_or_null(out, b",\"finding\":", self.finding);
        out.push(b'}');
    }
}

impl OtherView<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.position.write(out, b"{\"position\":");
        json::word(out, b",\"outcome\":", self.outcome);
        if let Some(reason) = self.reason {
            json::word(out, b",\"reason\":", reason);
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde::{Serialize, Serializer};

    use super::*;
    use crate::domain::party::Category;
    use crate::domain::place::{Candidates, Country, District, GbaCity, Place};
    use crate::domain::verdict::{Tag, Tags, Verdict, Verdicts};
    use crate::pipeline::view::{DecisionView, PlaceView, RecipientView};

    pub(super) fn names<S: Serializer>(all: &Categories, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(all.iter().map(Category::name))
    }

    const ODD: [&str; 6] = [
        "",
        "plain",
        "a \"quoted\" \\ back/slash",
        "香港 客户名单（最终）.xlsx",
        "\u{0}\u{1f}\n\r\t\u{8}\u{c}\u{7f}",
        "\u{2028}🛳 long enough for more than one step",
    ];
    const NUMBERS: [i64; 6] = [i64::MIN, -1, 0, 1_763_456_712_345, 253_402_207_200_999, i64::MAX];

    /// Gives one thing after the other, each bit and each choice at its own pace, so that what is there and what is not
    /// comes in every mixture.
    struct Picks(u64);

    impl Picks {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % bound
        }

        fn of<T: Copy>(&mut self, all: &[T]) -> T {
            all[self.below(all.len())]
        }

        fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
            (self.below(2) == 1).then(|| value(self))
        }

        fn text(&mut self) -> &'static str {
            self.of(&ODD)
        }

        fn number(&mut self) -> i64 {
            self.of(&NUMBERS)
        }

        fn verdicts(&mut self) -> Verdicts {
            (0..self.below(4)).fold(Verdicts::default(), |all, _| all.with(self.of(&Verdict::ALL)))
        }

        fn tags(&mut self) -> Tags {
            (0..self.below(4)).fold(Tags::default(), |all, _| all.with(self.of(&Tag::ALL)))
        }

        fn categories(&mut self) -> Categories {
            (0..self.below(4)).fold(Categories::NONE, |all, _| all.with(self.of(&Category::ALL)))
        }

        fn place(&mut self) -> Place {
            let city = GbaCity::ALL[self.below(GbaCity::ALL.len())].0;
            let districts = [
                District::Unstated,
                District::Guangdong,
                District::Gba(city),
                District::GuangdongOutsideGba,
                District::OtherProvince,
            ];
            let china = Place::In(Country::parse("CN").unwrap(), self.of(&districts));
            self.of(&[Place::HK, Place::World, china, Place::country(Country::parse("SG").unwrap())])
        }

        fn place_view(&mut self) -> PlaceView<'static> {
            let places = match self.below(4) {
                0 => Candidates::Anywhere,
                more => (1..more).fold(Candidates::one(self.place()), |all, _| all.with(self.place())),
            };
            PlaceView {
                places,
                code: places.sole(),
                method: "region_enum",
                confidence: "low",
                doubt: self.maybe(|_| "opaque"),
                source: Cow::Borrowed(self.text()),
            }
        }

        fn leg(&mut self) -> LegView<'static> {
            let (party, name) = (self.text(), self.text());
            let decision = DecisionView {
                verdict: "UNCOVERED",
                rule: "R6",
                severity: "HIGH",
                safeguard: self.maybe(Self::text),
                failed: self.maybe(|_| "expired"),
                policy_rule: self.maybe(Self::text),
                possible: self.verdicts(),
                tags: self.tags(),
                binding: self.below(2) == 1,
            };
            LegView {
                kind: "send",
                preview: self.below(2) == 1,
                origin: self.place_view(),
                destination: self.place_view(),
                recipient: RecipientView { party, name, role: "data user", tie: "same entity" },
                decision,
                finding: self.maybe(|_| "0f6c".into()),
            }
        }

        fn legs(&mut self) -> Vec<LegView<'static>> {
            (0..self.below(4)).map(|_| self.leg()).collect()
        }

        fn position(&mut self) -> PositionView<'static> {
            let (partition, offset) = (self.of(&[i32::MIN, 0, i32::MAX]), self.of(&[0, 17, u64::MAX]));
            PositionView { topic: self.text(), partition, offset, index: self.of(&[0, u32::MAX]) }
        }
    }

    fn act<'e>(picks: &mut Picks) -> Act<'e> {
        if picks.below(2) == 1 { Act::Audit(picks.number()) } else { Act::Push(picks.text().into()) }
    }

    fn data<'a>(picks: &mut Picks, id: &'a Id<'a>) -> DataView<'a> {
        DataView {
            resource: picks.text(),
            extension: picks.text(),
            size: picks.maybe(|picks| picks.of(&[0, 10, u64::MAX])),
            space: picks.maybe(|_| Shown(id)),
            item: picks.text(),
            personal: picks.of(&["yes", "no", "unknown"]),
            categories: picks.categories(),
            suggested: picks.categories(),
            subjects: picks.maybe(|picks| picks.of(&[0, u64::MAX])),
            purpose: picks.maybe(Picks::text),
        }
    }

    fn actor<'a>(picks: &mut Picks, id: &'a Id<'a>) -> ActorView<'a> {
        let who = match picks.below(3) {
            0 => Who::User(id),
            1 => Who::Union(picks.text()),
            _ => Who::Nobody,
        };
        ActorView {
            id: Shown(who),
            name: picks.text(),
            address: picks.text(),
            party: picks.text(),
            platform: picks.maybe(Picks::number),
            module: picks.maybe(Picks::number),
        }
    }

    fn record<'a>(picks: &mut Picks, act: &'a Act<'a>, id: &'a Id<'a>, legs: &'a [LegView<'a>]) -> RecordView<'a> {
        let time = picks.maybe(Picks::number);
        RecordView {
            id: "0f6c",
            schema: u8::MAX,
            position: picks.position(),
            message_sha256: "9f86d081",
            shape: "audit_row",
            act: Shown(Done(act)),
            event_id: picks.maybe(Picks::text),
            file_id: picks.maybe(|_| Shown(id)),
            time,
            time_utc: time.map(|time| Shown(Utc(time))),
            tenant: picks.text(),
            actor: actor(picks, id),
            data: data(picks, id),
            legs,
            verdict: picks.maybe(|_| "COVERED"),
            rule: picks.maybe(|_| "R1"),
            severity: picks.maybe(|_| "LOW"),
            policy: PolicyView { pack: picks.text(), sha256: "ab", s33_in_force: picks.below(2) == 1 },
            geo_sha256: picks.text(),
        }
    }

    fn agree(view: &impl Serialize, write: impl FnOnce(&mut Vec<u8>)) {
        let mut written = Vec::new();
        write(&mut written);
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(view).unwrap());
    }

    #[test]
    fn a_record_is_what_serde_would_write() {
        for seed in 0..2000 {
            let mut picks = Picks(seed);
            let (act, id) = (act(&mut picks), picks.of(&[0, 24_870_551_923, u64::MAX]));
            let id = if picks.below(2) == 1 { Id::Number(id) } else { Id::Text(picks.text().into()) };
            let legs = picks.legs();
            let record = record(&mut picks, &act, &id, &legs);
            agree(&record, |out| record.write(out));
        }
    }

    #[test]
    fn lines_are_what_serde_would_write() {
        for seed in 0..1000 {
            let mut picks = Picks(seed);
            let legs = picks.legs();
            let line = LineView {
                position: picks.position(),
                outcome: "judged",
                time: picks.maybe(Picks::number),
                verdict: picks.maybe(|_| "COVERED"),
                severity: picks.maybe(|_| "LOW"),
                rule: picks.maybe(|_| "R1"),
                legs: &legs,
                finding: picks.maybe(|_| "0f6c"),
            };
            agree(&line, |out| line.write(out));
            let other = OtherView { position: line.position, outcome: "rejected", reason: picks.maybe(|_| "not_json") };
            agree(&other, |out| other.write(out));
        }
    }
}
