//! Territories: countries by their ISO codes, and the nine Mainland cities of the Greater Bay Area.

use std::fmt;

/// ISO 3166-1 alpha-2, officially assigned codes.
const ASSIGNED: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV \
    BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG \
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX \
    MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG \
    VI VN VU WF WS YE YT ZA ZM ZW";

/// ISO 3166-1 alpha-2 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// Hong Kong SAR.
    pub const HK: Self = Self(*b"HK");
    /// Macao SAR.
    pub const MO: Self = Self(*b"MO");
    /// Taiwan.
    pub const TW: Self = Self(*b"TW");
    /// Mainland China.
    pub const CN: Self = Self(*b"CN");
    /// Singapore.
    pub const SG: Self = Self(*b"SG");
    /// Japan.
    pub const JP: Self = Self(*b"JP");

    /// Reads two ASCII letters of either case. `ZZ` (unknown), `XX` and `EU`/`AP` (not territories) are refused.
    pub fn parse(code: &str) -> Option<Self> {
        let &[a, b] = code.as_bytes() else { return None };
        let code = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
        let letters = code.iter().all(u8::is_ascii_uppercase);
        let territory = !matches!(&code, b"ZZ" | b"XX" | b"EU" | b"AP");
        (letters && territory).then_some(Self(code))
    }

    /// Reads an officially assigned code, in capitals.
    pub fn assigned(code: &str) -> Option<Self> {
        let listed = ASSIGNED.split_ascii_whitespace().any(|listed| listed == code);
        if listed { Self::parse(code) } else { None }
    }

    /// The two letters as bytes.
    pub fn letters(self) -> [u8; 2] {
        self.0
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The nine Mainland cities of the Greater Bay Area, in the order of the GBA Standard Contract's guidelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum GbaCity {
    Guangzhou,
    Shenzhen,
    Zhuhai,
    Foshan,
    Huizhou,
    Dongguan,
    Zhongshan,
    Jiangmen,
    Zhaoqing,
}

impl GbaCity {
    /// All nine with English name, Chinese name and GB/T 2260 prefix.
    pub const ALL: [(Self, &'static str, &'static str, u16); 9] = [
        (Self::Guangzhou, "Guangzhou", "广州", 4401),
        (Self::Shenzhen, "Shenzhen", "深圳", 4403),
        (Self::Zhuhai, "Zhuhai", "珠海", 4404),
        (Self::Foshan, "Foshan", "佛山", 4406),
        (Self::Huizhou, "Huizhou", "惠州", 4413),
        (Self::Dongguan, "Dongguan", "东莞", 4419),
        (Self::Zhongshan, "Zhongshan", "中山", 4420),
        (Self::Jiangmen, "Jiangmen", "江门", 4407),
        (Self::Zhaoqing, "Zhaoqing", "肇庆", 4412),
    ];

    /// Finds a city by its English name, case-insensitively; `Shenzhen Shi` and `Shenzhen (Nanshan Qu)` are Shenzhen.
    pub fn parse(name: &str) -> Option<Self> {
        let first = name.split([' ', '(', ',']).next().unwrap_or_default();
        let found = Self::ALL.iter().find(|(_, en, zh, _)| en.eq_ignore_ascii_case(first) || name.starts_with(zh));
        found.map(|(city, ..)| *city)
    }

    /// English name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(city, ..)| *city == self).map_or("", |(_, en, ..)| en)
    }
}
