//! The address field of an event, with every quirk that collectors and proxies give it. What cannot be read with certainty
//! is unreadable; no guess is made, and nothing unreadable ever becomes a place.
//!
//! Several addresses in one field: all of them count. If they give the same places, that is the answer, with the weight of
//! the weakest. If not, all places are possible. An address without a place (private, opaque, unlisted) beside one with a
//! place makes the whole field undecided: behind a proxy the private hop is the person and the public one only the egress,
//! and which is which cannot be told from the field.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::place::{Candidates, Confidence, Doubt, Location};

/// Addresses in one field; more is no address field.
const MOST: usize = 16;

/// Reads the field and asks `locate` for each address in it.
pub(super) fn read(field: Option<&str>, locate: impl Fn(IpAddr) -> Location) -> Location {
    let Some(text) = field else { return Location::unknown(Doubt::Missing) };
    if let Some(address) = plain_v4(text) {
        return locate(IpAddr::V4(address));
    }
    if let Some(address) = plain_v6(text) {
        return locate(IpAddr::V6(address));
    }
    let mut answer: Option<Location> = None;
    for (count, item) in items(text).enumerate() {
        let Some(address) = parse(item).filter(|_| count < MOST) else { return Location::unknown(Doubt::Unreadable) };
        let location = locate(address);
        answer = Some(answer.map_or(location, |earlier| both(earlier, location)));
    }
    answer.unwrap_or(Location::unknown(Doubt::Missing))
}

/// A dotted IPv4 address and nothing else, as most fields are: what the standard parser takes of it. `None`: something else.
#[inline]
fn plain_v4(text: &str) -> Option<Ipv4Addr> {
    let (mut octets, mut octet, mut value, mut digits) = ([0; 4], 0, 0_u32, 0_u32);
    if text.len() > "255.255.255.255".len() {
        return None;
    }
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            // no zero before other digits; never more than three, so that no number of them wraps around
            if digits == 3 || (digits > 0 && value == 0) {
                return None;
            }
            (value, digits) = (value * 10 + u32::from(digit), digits + 1);
        } else if byte == b'.' && digits > 0 && octet < 3 {
            octets[octet] = u8::try_from(value).ok()?;
            (octet, value, digits) = (octet + 1, 0, 0);
        } else {
            return None;
        }
    }
    octets[3] = u8::try_from(value).ok().filter(|_| octet == 3 && digits > 0)?;
    Some(octets.into())
}

/// Groups of an IPv6 address.
const GROUPS: usize = 8;

/// An IPv6 address of groups of hex digits and nothing else, at most one run of zeros left out: what the standard parser
/// takes of it. `None`: something else.
#[inline]
fn plain_v6(text: &str) -> Option<Ipv6Addr> {
    let bytes = text.as_bytes();
    // "::1" begins with two; one alone is no address
    let mut at = if bytes.starts_with(b"::") { 1 } else { 0 };
    let (mut groups, mut count, mut gap) = ([0u16; GROUPS], 0, None);
    loop {
        if at > 0 && bytes.get(at) == Some(&b':') {
            // the second of two colons: zeros were left out
            if gap.replace(count).is_some() {
                return None;
            }
            at += 1;
            if at == bytes.len() {
                break;
            }
        }
        let (group, digits) = hex_group(bytes.get(at..).unwrap_or_default());
        if digits == 0 {
            return None;
        }
        *groups.get_mut(count)? = group;
        (count, at) = (count + 1, at + digits);
        match bytes.get(at) {
            None => break,
            Some(b':') => at += 1,
            Some(_) => return None,
        }
    }
    spread(groups, count, gap)
}

/// Up to four hex digits that a text begins with, and how many they are.
#[inline]
fn hex_group(text: &[u8]) -> (u16, usize) {
    let (mut group, mut digits) = (0, 0);
    for &byte in text.iter().take(4) {
        let Some(digit) = char::from(byte).to_digit(16) else { break };
        (group, digits) = (group << 4 | digit as u16, digits + 1);
    }
    (group, digits)
}

/// The address of so many groups, with zeros at the gap. A gap stands for one group or more.
#[inline]
fn spread(mut groups: [u16; GROUPS], count: usize, gap: Option<usize>) -> Option<Ipv6Addr> {
    match gap {
        None if count == GROUPS => {}
        Some(gap) if count < GROUPS => {
            groups.get_mut(gap..)?.rotate_right(GROUPS - count);
        }
        None | Some(_) => return None,
    }
    Some(groups.into())
}

/// The non-empty items of a list, or the one item. A JSON array may come as text.
fn items(text: &str) -> impl Iterator<Item = &str> {
    unwrapped_list(text.trim())
        .split(|c: char| matches!(c, ',' | ';') || c.is_whitespace())
        .map(unquoted)
        .filter(|item| !item.is_empty())
}

/// `["a","b"]`, `[a, b]` and `[a]` without the brackets; `[2001:db8::1]:443` as it is.
fn unwrapped_list(text: &str) -> &str {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match inside {
        Some(inside) if inside.trim_start().starts_with('"') || !inside.contains(['[', ']']) => inside,
        Some(_) | None => text,
    }
}

fn unquoted(item: &str) -> &str {
    item.strip_prefix('"').and_then(|item| item.strip_suffix('"')).unwrap_or(item)
}

/// One address, with port, brackets or zone id if need be. The standard parser refuses leading zeros (`010.1.1.1` is 8 or
/// 10 by taste), short forms and figures in other bases.
fn parse(item: &str) -> Option<IpAddr> {
    if let Some(rest) = item.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let port_is_good = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return parse_v6(address).filter(|_| port_is_good).map(IpAddr::V6);
    }
    match item.split_once(':') {
        None => item.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        Some((address, port)) if is_port(port) && address.contains('.') => {
            address.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
        Some(_) => parse_v6(item).map(IpAddr::V6),
    }
}

fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let zone_is_good = zone.is_none_or(|zone| !zone.is_empty() && !zone.contains('%'));
    address.parse().ok().filter(|_| zone_is_good)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// What two addresses of one field come to.
fn both(one: Location, other: Location) -> Location {
    if one.candidates == other.candidates && one.candidates != Candidates::Anywhere {
        let weaker = if other.confidence < one.confidence { other } else { one };
        return Location { doubt: one.doubt.or(other.doubt), ..weaker };
    }
    match (one.candidates, other.candidates) {
        (Candidates::Anywhere, _) => one,
        (Candidates::Among(_), Candidates::Anywhere) => other,
        (Candidates::Among(_), Candidates::Among(_)) => conflict(one, other),
    }
}

fn conflict(one: Location, other: Location) -> Location {
    let candidates = other.candidates.iter().fold(one.candidates, Candidates::with);
    let confidence = match candidates {
        Candidates::Anywhere => Confidence::None,
        Candidates::Among(_) => Confidence::Low.min(one.confidence).min(other.confidence),
    };
    Location { candidates, confidence, doubt: Some(Doubt::Conflict), ..one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_all_their_dresses() {
        let cases = [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:5678", "203.0.113.7"),
            ("[203.0.113.7]", "-"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
            ("[fe80::1%en0]:80", "fe80::1"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("010.1.1.1", "-"),
            ("1.2.3", "-"),
            ("1.2.3.4.5", "-"),
            ("1.2.3.256", "-"),
            ("0x7f.0.0.1", "-"),
            ("2130706433", "-"),
            ("1.2.3.4/24", "-"),
            ("1.2.3.4:", "-"),
            ("1.2.3.4:65536", "-"),
            ("1.2.3.4:+80", "-"),
            ("[2001:db8::1", "-"),
            ("[2001:db8::1]443", "-"),
            ("2001:db8::1%", "-"),
            ("Internal", "-"),
            ("-", "-"),
            ("unknown", "-"),
            ("gw.example.hk", "-"),
            ("１.２.３.４", "-"),
        ];
        for (text, expected) in cases {
            let read = parse(text).map_or_else(|| "-".to_owned(), |address| address.to_string());
            assert_eq!(read, expected, "{text}");
        }
    }

    /// Every text of up to five signs before a good rest, and every octet: the short way is the standard parser's.
    #[test]
    fn a_plain_address_is_what_the_standard_parser_says() {
        const SIGNS: [&str; 7] = ["0", "1", "25", "256", ".", "9", "x"];
        let agree = |text: &str| assert_eq!(plain_v4(text), text.parse().ok(), "{text}");
        for number in 0..7_usize.pow(5) {
            let text: String = (0..5).map(|place| SIGNS[number / 7_usize.pow(place) % 7]).collect();
            for rest in ["", ".1", ".1.2", ".1.2.3", " "] {
                agree(&format!("{text}{rest}"));
            }
        }
        for octet in 0..1100 {
            for text in [format!("{octet}.0.0.0"), format!("1.2.{octet}.255"), format!("10.10.10.{octet}")] {
                agree(&text);
            }
        }
        for text in
            ["", "4294967297.1.1.1", "1.1.1.4294967297", "１.1.1.1", "1.1.1.1\n", "+1.1.1.1", "255.255.255.2550"]
        {
            agree(text);
        }
    }

    /// Every text of up to six signs before some rests: the short way is the standard parser's or none.
    #[test]
    fn a_plain_address_of_groups_is_what_the_standard_parser_says() {
        const SIGNS: [&str; 7] = [":", "0", "a:", "12aF", "1:2:3", ".", "g"];
        let (mut same, mut others) = (0, 0);
        for number in 0..7_usize.pow(6) {
            let text: String = (0..6).map(|place| SIGNS[number / 7_usize.pow(place) % 7]).collect();
            for rest in ["", ":1:2:3", ":", "::ffff"] {
                let text = format!("{text}{rest}");
                let standard: Option<Ipv6Addr> = text.parse().ok();
                assert_eq!(plain_v6(&text), standard.filter(|_| !text.contains('.')), "{text}");
                *(if standard.is_some() { &mut same } else { &mut others }) += 1;
            }
        }
        assert!(same > 1000 && others > 10_000, "{same} {others}");
        for text in [
            "",
            ":",
            "::",
            ":::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::2::3",
            "1:2:3:4:5:6:7:8:9",
        ] {
            assert_eq!(plain_v6(text), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn lists_are_split_in_all_their_dresses() {
        let split = |text| items(text).collect::<Vec<_>>();
        assert_eq!(split(" 1.1.1.1 , 2.2.2.2;3.3.3.3 "), ["1.1.1.1", "2.2.2.2", "3.3.3.3"]);
        assert_eq!(split(r#"["1.1.1.1","2.2.2.2"]"#), ["1.1.1.1", "2.2.2.2"]);
        assert_eq!(split(r#"[ "[2001:db8::1]:443", "1.1.1.1" ]"#), ["[2001:db8::1]:443", "1.1.1.1"]);
        assert_eq!(split("[1.1.1.1, 2.2.2.2]"), ["1.1.1.1", "2.2.2.2"]);
        assert_eq!(split("[2001:db8::1]:443"), ["[2001:db8::1]:443"]);
        assert_eq!(split("[2001:db8::1]:1,[2001:db8::2]"), ["[2001:db8::1]:1", "[2001:db8::2]"]);
        assert!(split(" \t\n").is_empty());
        assert!(split("[]").is_empty());
        assert!(split(r#"["",""]"#).is_empty());
    }
}
