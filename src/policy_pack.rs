//! Reads a policy pack: the dated file of legal facts that the rules stand on, and its digest.
//!
//! Stands beside the settings, above the domain. It never decides anything and never touches a file: it gets text.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;
use toml::value::{Date, Datetime};

use crate::domain::calendar::day_from_date;
use crate::domain::hex::hex;
use crate::domain::place::GbaCity;
use crate::domain::policy::Pack;

/// Text of the pack that this build carries.
pub const BUNDLED: &str = include_str!("../policy/hk-2026-11-23.toml");

/// A pack and the digest of the text that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPack {
    /// The facts.
    pub pack: Pack,
    /// SHA-256 of the text, lower-case hex; part of the evidence.
    pub digest: String,
    /// First year whose holidays are computed rather than gazetted, if any.
    pub computed_from: Option<i32>,
}

/// Why a text is no policy pack.
#[derive(Debug, Error)]
pub enum PackError {
    /// Not TOML, an unknown key, or a missing one.
    #[error("policy pack: {0}")]
    Shape(#[from] toml::de::Error),
    /// A value that cannot be right.
    #[error("policy pack, {key}: {fault}")]
    Value {
        /// Key path.
        key: String,
        /// What is wrong and what is wanted.
        fault: &'static str,
    },
}

impl PolicyPack {
    /// The pack that this build carries.
    ///
    /// # Errors
    /// None for a released build: a test reads the bundled text.
    pub fn bundled() -> Result<Self, PackError> {
        Self::parse(BUNDLED)
    }

    /// Reads a pack.
    ///
    /// # Errors
    /// [`PackError`] names the key and what it wants.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        let file: File = toml::from_str(text)?;
        file.check()?;
        let mut holidays = Vec::new();
        for year in &file.holidays {
            year.collect(&mut holidays)?;
        }
        holidays.sort_unstable();
        let digest = hex(&Sha256::digest(text.as_bytes()));
        let computed = file.holidays.iter().filter(|year| year.status == Status::Computed).map(|year| year.year);
        Ok(Self { computed_from: computed.min(), digest, pack: file.pack(holidays)? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    pdpo: Pdpo,
    gba_contract: GbaContract,
    thresholds: Thresholds,
    holidays: Vec<Year>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pdpo {
    s33_in_force: bool,
    s33_specified_places: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GbaContract {
    filing_working_days: u16,
    cities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    expiring_days: u16,
    bulk_subjects: u64,
    bulk_objects_per_hour: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    year: i32,
    status: Status,
    days: Vec<Datetime>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Gazetted,
    Computed,
}

fn fault(key: impl Into<String>, fault: &'static str) -> PackError {
    PackError::Value { key: key.into(), fault }
}

impl File {
    fn check(&self) -> Result<(), PackError> {
        if self.id.trim().is_empty() {
            return Err(fault("id", "a pack needs a name, such as hk-2026-11-23"));
        }
        // The rules know no such place; a list that they would ignore must not look as if it counted.
        if !self.pdpo.s33_specified_places.is_empty() {
            return Err(fault(
                "pdpo.s33_specified_places",
                "no place has been specified in the Gazette; leave it empty",
            ));
        }
        let cities: Vec<_> = self.gba_contract.cities.iter().map(String::as_str).collect();
        if cities != GbaCity::ALL.map(|(_, name, ..)| name) {
            return Err(fault("gba_contract.cities", "must be the nine cities that the rules know, in their order"));
        }
        let years: Vec<_> = self.holidays.iter().map(|year| year.year).collect();
        let gapless = years.windows(2).all(|pair| i64::from(pair[0]) + 1 == i64::from(pair[1]));
        if years.is_empty() || !gapless {
            return Err(fault("holidays", "years must follow one another without a gap"));
        }
        Ok(())
    }

    fn pack(self, holidays: Vec<i32>) -> Result<Pack, PackError> {
        let last = self.holidays.last().and_then(|year| day_from_date(year.year, 12, 31));
        Ok(Pack {
            id: self.id,
            s33_in_force: self.pdpo.s33_in_force,
            gba_filing_days: self.gba_contract.filing_working_days,
            expiring_days: self.thresholds.expiring_days,
            bulk_subjects: self.thresholds.bulk_subjects,
            bulk_objects: self.thresholds.bulk_objects_per_hour,
            holidays,
            holidays_until: last.ok_or_else(|| fault("holidays.year", "must be between 1600 and 9999"))?,
        })
    }
}

impl Year {
    fn collect(&self, into: &mut Vec<i32>) -> Result<(), PackError> {
        for date in &self.days {
            let day = match (date.date, date.time) {
                (Some(Date { year, month, day }), None) if i32::from(year) == self.year => {
                    day_from_date(i32::from(year), month, day)
                }
                _ => None,
            };
            into.push(day.ok_or_else(|| fault(format!("holidays.{}", self.year), "wants dates of that year"))?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::{parse_day, weekday};

    #[test]
    fn the_bundled_pack_reads() {
        let bundled = PolicyPack::bundled().unwrap();
        assert_eq!(bundled.pack.id, "hk-2026-11-23");
        assert!(!bundled.pack.s33_in_force);
        assert_eq!(bundled.pack.gba_filing_days, 10);
        assert_eq!(bundled.pack.holidays_until, parse_day("2027-12-31").unwrap());
        assert_eq!(bundled.computed_from, Some(2027));
        assert_eq!(bundled.digest.len(), 64);
    }

    #[test]
    fn each_year_has_its_seventeen_general_holidays_and_none_is_a_sunday() {
        let pack = PolicyPack::bundled().unwrap().pack;
        for year in 2024..=2027 {
            let within = day_from_date(year, 1, 1).unwrap()..=day_from_date(year, 12, 31).unwrap();
            assert_eq!(pack.holidays.iter().filter(|day| within.contains(day)).count(), 17, "{year}");
        }
        assert!(pack.holidays.iter().all(|day| weekday(*day) != 6));
        assert!(pack.holidays.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn easter_of_2026_makes_two_substitutes() {
        let pack = PolicyPack::bundled().unwrap().pack;
        // 3 April is Good Friday, 6 and 7 April stand in for Ching Ming and Easter Monday: 8 April is the next working day.
        assert_eq!(pack.working_days_after(parse_day("2026-04-02").unwrap(), 1), parse_day("2026-04-08").unwrap());
    }

    #[test]
    fn ten_working_days_over_the_holidays_of_2026_and_2027() {
        let pack = PolicyPack::bundled().unwrap().pack;
        for (from, last) in [
            ("2026-02-06", "2026-02-25"), // Lunar New Year, 17 to 19 February
            ("2026-05-15", "2026-06-01"), // 25 May for the Birthday of the Buddha
            ("2026-09-18", "2026-10-05"), // National Day; the day after Mid-Autumn is a Saturday
            ("2026-12-18", "2027-01-05"), // Christmas Day and New Year's Day; 26 December is a Saturday
            ("2027-01-29", "2027-02-16"), // Lunar New Year, 8 and 9 February
            ("2027-03-19", "2027-04-07"), // Good Friday, Easter Monday, Ching Ming
            ("2027-12-17", "2028-01-03"), // 27 December; beyond the table weekends only
        ] {
            assert_eq!(pack.filing_deadline(parse_day(from).unwrap()), parse_day(last).unwrap(), "{from}");
        }
    }

    #[test]
    fn faults_name_their_key() {
        let specified = BUNDLED.replace("s33_specified_places = []", "s33_specified_places = [\"SG\"]");
        assert!(PolicyPack::parse(&specified).unwrap_err().to_string().contains("s33_specified_places"));
        let cities = BUNDLED.replace("\"Zhaoqing\"", "\"Macao\"");
        assert!(PolicyPack::parse(&cities).unwrap_err().to_string().contains("cities"));
        let stray = BUNDLED.replace("2025-05-31", "2026-05-31");
        assert!(PolicyPack::parse(&stray).unwrap_err().to_string().contains("holidays.2025"));
        let gap = BUNDLED.replace("year = 2025", "year = 2023");
        assert!(PolicyPack::parse(&gap).unwrap_err().to_string().contains("without a gap"));
        assert!(PolicyPack::parse("id = 1").is_err());
    }

    #[test]
    fn the_digest_is_that_of_the_text() {
        let one = PolicyPack::parse(BUNDLED).unwrap();
        let other = PolicyPack::parse(&format!("{BUNDLED}\n")).unwrap();
        assert_eq!(one.pack, other.pack);
        assert_ne!(one.digest, other.digest);
    }
}
