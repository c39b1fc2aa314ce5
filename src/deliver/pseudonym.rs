//! Pseudonyms for readers who must tell people, files and recipients apart without knowing them, and the coarse form of
//! addresses. A pseudonym is `p1:<key id>:<tag>`; the tag is an HMAC-SHA256 cut to 128 bits, so it can be checked by whoever
//! has the key and guessed by nobody else. A plain digest of a staff id could be turned back by trying all ids.
//!
//! Pure: where keys are kept is the keyring's affair.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Scheme of the pseudonyms.
const SCHEME: &str = "p1";

/// Bytes of a tag.
const TAG: usize = 16;

/// What a pseudonym stands for; the same value in two domains has two tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Somebody who acts.
    Person,
    /// Somebody or an organisation that receives.
    Recipient,
    /// A file, by its name.
    File,
}

impl Domain {
    /// All.
    pub const ALL: [Self; 3] = [Self::Person, Self::Recipient, Self::File];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Recipient => "recipient",
            Self::File => "file",
        }
    }
}

/// A key with its public id. Never prints its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    id: String,
    secret: [u8; 32],
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Key {
    /// A key. The id is public: letters, digits, `-`, `.`.
    pub fn new(id: &str, secret: [u8; 32]) -> Self {
        Self { id: id.to_owned(), secret }
    }

    /// A key of a longer-lived secret, for instances that must give the same pseudonyms.
    pub fn derived(id: &str, secret: &[u8]) -> Self {
        Self { id: id.to_owned(), secret: digest(secret, &[b"harbourwatch pseudonym key", id.as_bytes()]) }
    }

    /// Its public id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The pseudonym of a value. Space around it does not count.
    pub fn pseudonym(&self, domain: Domain, tenant: &str, value: &str) -> String {
        let parts = [domain.name().as_bytes(), tenant.as_bytes(), value.trim().as_bytes()];
        let tag = digest(&self.secret, &parts);
        format!("{SCHEME}:{}:{}", self.id, URL_SAFE_NO_PAD.encode(tag.get(..TAG).unwrap_or_default()))
    }
}

fn digest(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so there is always one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The key id of a pseudonym, as of `p1:<key id>:<tag>` with or without an extension.
pub fn key_id(pseudonym: &str) -> Option<&str> {
    let (id, tag) = pseudonym.strip_prefix(SCHEME)?.strip_prefix(':')?.split_once(':')?;
    (!id.is_empty() && !tag.is_empty()).then_some(id)
}

/// Extensions that are shown. Any other may be part of a name.
const EXTENSIONS: [&str; 48] = [
    "7z", "apk", "avi", "bak", "bin", "bmp", "csv", "dat", "db", "doc", "docm", "docx", "dwg", "eml", "exe", "gif",
    "gz", "html", "iso", "jpeg", "jpg", "json", "key", "log", "md", "mov", "mp3", "mp4", "msg", "numbers", "ods",
    "odt", "pages", "pdf", "png", "ppt", "pptx", "pst", "rar", "rtf", "sql", "tar", "txt", "xls", "xlsm", "xlsx",
    "xml", "zip",
];

/// The extension of a file name if it is a common one.
pub fn extension(name: &str) -> Option<&'static str> {
    let (_, extension) = name.trim().rsplit_once('.')?;
    EXTENSIONS.into_iter().find(|known| known.eq_ignore_ascii_case(extension))
}

/// A file's pseudonym with its extension.
pub fn file_name(key: &Key, tenant: &str, name: &str) -> String {
    let pseudonym = key.pseudonym(Domain::File, tenant, name);
    extension(name).map_or_else(|| pseudonym.clone(), |extension| format!("{pseudonym}.{extension}"))
}

/// First address of the network that an address is in: /24 of IPv4, /48 of IPv6. `None` for what is no address.
pub fn network(address: &str) -> Option<String> {
    match address.trim().parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0"))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Some(std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn the_same_person_has_one_pseudonym_and_no_other_has_it() {
        let key = Key::new("2026q4", KEY);
        let of = |domain, tenant, value| key.pseudonym(domain, tenant, value);
        let person = of(Domain::Person, "t", "0123");
        assert_eq!(person, of(Domain::Person, "t", " 0123 "));
        assert!(person.starts_with("p1:2026q4:") && person.len() == "p1:2026q4:".len() + 22, "{person}");
        let others = [
            of(Domain::Person, "t", "0124"),
            of(Domain::Person, "u", "0123"),
            of(Domain::Recipient, "t", "0123"),
            Key::new("2026q4", [8; 32]).pseudonym(Domain::Person, "t", "0123"),
        ];
        assert!(others.iter().all(|other| *other != person));
        assert_ne!(of(Domain::Person, "ab", "c"), of(Domain::Person, "a", "bc"), "parts do not run together");
        assert_eq!(key_id(&person), Some("2026q4"));
    }

    /// HMAC-SHA256 over length-prefixed parts, worked out with Python's hmac.
    #[test]
    fn the_tag_is_what_others_compute() {
        let key = Key::new("k", KEY);
        assert_eq!(key.pseudonym(Domain::Person, "t", "0123"), "p1:k:e_mF31hCskur0qcygMlEjQ");
    }

    #[test]
    fn a_key_prints_no_secret() {
        assert_eq!(format!("{:?}", Key::new("k", KEY)), "Key { id: \"k\", .. }");
    }

    #[test]
    fn only_common_extensions_are_shown() {
        let key = Key::new("k", KEY);
        assert!(file_name(&key, "t", "payroll 2026.XLSX").ends_with(".xlsx"));
        for name in ["report.chan-siu-ming", "no extension", ".", "a.", "x.pdf\u{202e}"] {
            assert!(!file_name(&key, "t", name).contains('.'), "{name}");
        }
        assert_eq!(key_id(&file_name(&key, "t", "a.pdf")), Some("k"));
    }

    #[test]
    fn addresses_become_networks() {
        assert_eq!(network("203.0.113.77").as_deref(), Some("203.0.113.0"));
        assert_eq!(network("::ffff:203.0.113.77").as_deref(), Some("203.0.113.0"));
        assert_eq!(network("2001:db8:1:2::9").as_deref(), Some("2001:db8:1::"));
        assert_eq!(network("203.0.113.77:443"), None);
        assert_eq!(network("Chan"), None);
    }
}
