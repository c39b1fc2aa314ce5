//! What else turns up in a topic: not one of these is an audit event, and none holds a line feed.

use super::rng::Rng;

/// Sorts of garbage.
pub(super) const SORTS: u32 = 22;

/// Writes one. `row` is a sound row, for the sorts that are a row gone wrong.
pub(super) fn garbage(out: &mut Vec<u8>, row: &[u8], rng: &mut Rng) {
    let half = row.len() / 2;
    match rng.below(SORTS) {
        0 => out.extend_from_slice(b"null"),
        1 => out.extend_from_slice(b"{}"),
        2 => out.extend_from_slice(b"[]"),
        3 => out.extend_from_slice(b"17"),
        4 => out.extend_from_slice(b"\"ok\""),
        5 => out.extend_from_slice(&row[..half]),
        6 => [row, b"}"].iter().for_each(|part| out.extend_from_slice(part)),
        7 => {
            out.extend_from_slice(row);
            // a byte that UTF-8 never has
            out[half] = 0xff;
        }
        8 => out.extend_from_slice(b"<html><head><title>403 Forbidden</title></head><body>denied</body></html>"),
        9 => out.extend_from_slice(br#"{"status":1111,"wait":5,"source":"x5","punish":"deny"}"#),
        10 => out.extend((0..64).map(|_| rng.below(256) as u8).filter(|byte| *byte != b'\n')),
        11 => out.extend(std::iter::repeat_n(b'[', 5000)),
        12 => out.extend_from_slice(br#"{"action":2,"gmtCreate":1795392000000,"resource":"\ud83d"}"#),
        13 => out.extend_from_slice(br#"{"action":"download","ipAddress":[],"gmtCreate":{}}"#),
        14 => out.extend_from_slice(b"2026-11-23 09:15:00,download,16338841,203.0.113.9"),
        15 => out.extend_from_slice(br#"{"code":"Forbidden.AccessDenied.QpsLimitForApi","message":"slow down"}"#),
        16 => out.extend_from_slice(b"2026-11-23T01:15:00Z WARN collector: token expired, retrying"),
        17 => out.extend_from_slice(b"{'action': 2, 'userId': '16338841'}"),
        18 => {
            out.extend_from_slice(br#"{"encrypt":"YvkvaGe4hQxd3VxRmEty0dVlnCOAqwf56xwTRHDHoOURqhalbmBJQk5FNcRk42Gl"}"#);
        }
        19 => out.extend_from_slice(br#"{"specVersion":"1.0","type":"SYSTEM","headers":{"topic":"ping"},"data":"{}"}"#),
        20 => out.extend(std::iter::repeat_n(0, 32)),
        _ => out.extend_from_slice(br#"{"action":99999999999999999999999999,"gmtCreate":1e400}"#),
    }
}
