//! From addresses, hosts and regions to places, with method, confidence and the statement that each answer rests on.

use ipnet::IpNet;

use crate::domain::place::Place;

/// What the operator says about a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Key in the configuration, such as `hk-head-office`.
    pub id: String,
    /// The range.
    pub net: IpNet,
    /// Where it is; `None`: opaque, such as a VPN egress whose users may be anywhere.
    pub place: Option<Place>,
}

/// What the operator says about hosts. Matches whole labels from the right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    /// `files.example.hk` matches itself and every host below it.
    pub suffix: String,
    /// Where it is; `None`: unknown.
    pub place: Option<Place>,
}
