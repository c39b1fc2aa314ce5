//! Sections about addresses and hosts.

use serde::{Deserialize, Serialize};

/// `[[sites]]`: ranges of addresses whose place the operator knows better than any database. The longest prefix wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// Key, shown with every location that rests on it: `"hk-central"`.
    pub id: String,
    /// Ranges or single addresses, IPv4 and IPv6: `["203.0.113.0/24"]`.
    pub cidrs: Vec<String>,
    /// Where they are; not together with `opaque`.
    pub place: Option<String>,
    /// `true`: people from many places leave the network here (VPN, SD-WAN), so the address says nothing. Default `false`.
    pub opaque: bool,
}

/// `[[hosts]]`: storage hosts whose place the operator knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// Host and all hosts below it; whole labels, from the right: `"files.vhb.example"`.
    pub suffix: String,
    /// Where it is; left out: unknown, whatever the name suggests.
    pub place: Option<String>,
}
