//! The bundled policy pack: facts of law at a date, kept apart from the rules.

use jiff::civil::{Date, date};

use crate::domain::policy::Pack;

/// General holidays of 2026 and 2027 (General Holidays Ordinance, Cap. 149, as gazetted), month and day.
const HOLIDAYS_2026: [(i8, i8); 17] = [
    (1, 1),
    (2, 17),
    (2, 18),
    (2, 19),
    (4, 3),
    (4, 4),
    (4, 6),
    (4, 7),
    (5, 1),
    (5, 25),
    (6, 19),
    (7, 1),
    (9, 26),
    (10, 1),
    (10, 19),
    (12, 25),
    (12, 26),
];
const HOLIDAYS_2027: [(i8, i8); 17] = [
    (1, 1),
    (2, 6),
    (2, 8),
    (2, 9),
    (3, 26),
    (3, 27),
    (3, 29),
    (4, 5),
    (5, 1),
    (5, 13),
    (6, 9),
    (7, 1),
    (9, 16),
    (10, 1),
    (10, 8),
    (12, 25),
    (12, 27),
];

/// The pack that ships with the program. PDPO s.33 is not in operation in it.
pub fn bundled_pack() -> Pack {
    let of_year = |year: i16, days: [(i8, i8); 17]| days.map(|(month, day)| epoch_day(date(year, month, day)));
    Pack {
        id: "hk-2026-11-23".to_owned(),
        s33_in_force: false,
        // Guidelines on the GBA Standard Contract: filing within ten working days of taking effect.
        gba_filing_days: 10,
        expiring_days: 30,
        bulk_subjects: 1_000,
        bulk_objects: 100,
        holidays: [of_year(2026, HOLIDAYS_2026), of_year(2027, HOLIDAYS_2027)].concat(),
        holidays_until: epoch_day(date(2027, 12, 31)),
    }
}

fn epoch_day(day: Date) -> i32 {
    day.since(date(1970, 1, 1)).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_ascend_and_are_no_sundays() {
        let pack = bundled_pack();
        assert_eq!(pack.holidays.len(), 34);
        assert!(pack.holidays.is_sorted_by(|a, b| a < b));
        // 1 January 1970 was a Thursday, so Sundays are the days that leave 3.
        assert!(pack.holidays.iter().all(|day| day.rem_euclid(7) != 3));
        assert!(pack.holidays.iter().all(|day| *day <= pack.holidays_until));
        assert!(!pack.s33_in_force);
    }
}
