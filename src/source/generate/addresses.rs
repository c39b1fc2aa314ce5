//! Addresses that people work from. Offices have the documentation ranges of `config/bank.toml` (RFC 5737, RFC 3849); homes
//! and travellers have ranges of access providers that country databases place alike.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::rng::{Rng, Weighted};

/// A range of addresses.
#[derive(Clone, Copy, Debug)]
pub(super) enum Net {
    /// First address and prefix length.
    V4([u8; 4], u8),
    /// First four groups of a /64 or shorter.
    V6([u16; 4]),
}

/// An address, or what a row has in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// No field at all.
    Absent,
    Null,
    Empty,
    WithPort(Ipv4Addr),
    /// As a chain of proxies leaves it.
    Chain(Ipv4Addr),
    Mapped(Ipv4Addr),
    /// As the cloud's own audit writes for its own services.
    Internal,
    Private,
    /// Shared by the customers of a provider (RFC 6598).
    Shared,
}

pub(super) static HK_OFFICE: Weighted<Net> = Weighted::new(&[
    (420, Net::V4([203, 0, 113, 0], 25)),
    (230, Net::V4([203, 0, 113, 128], 26)),
    (70, Net::V4([10, 20, 0, 0], 16)),
    (50, Net::V6([0x2001, 0xdb8, 0x852, 0x10])),
    // PCCW, HKBN and HGC homes and phones
    (50, Net::V4([1, 64, 0, 0], 16)),
    (40, Net::V4([112, 118, 0, 0], 16)),
    (40, Net::V4([219, 78, 0, 0], 16)),
    (35, Net::V4([123, 202, 0, 0], 16)),
    (30, Net::V4([61, 238, 0, 0], 16)),
    (25, Net::V4([14, 136, 0, 0], 16)),
    (5, Net::V6([0x2404, 0xc800, 0, 1])),
    (3, VPN),
    (1, Net::V6([0x2001, 0xdb8, 0xffff, 1])),
]);

pub(super) static SHENZHEN: Weighted<Net> = Weighted::new(&[
    (930, Net::V4([198, 51, 100, 0], 25)),
    (40, Net::V6([0x2001, 0xdb8, 0x755, 1])),
    // Chinanet Guangdong
    (6, Net::V4([113, 87, 0, 0], 16)),
    (6, Net::V4([119, 123, 0, 0], 16)),
    (3, Net::V4([116, 24, 0, 0], 16)),
    (15, VPN),
]);

pub(super) static SINGAPORE: Weighted<Net> = Weighted::new(&[
    (800, Net::V4([198, 51, 100, 128], 26)),
    (40, Net::V6([0x2001, 0xdb8, 0x65, 1])),
    // Singtel and StarHub
    (80, Net::V4([121, 6, 0, 0], 16)),
    (40, Net::V4([42, 60, 0, 0], 16)),
    (30, Net::V4([116, 86, 0, 0], 16)),
    (10, VPN),
]);

pub(super) static HANGZHOU: Weighted<Net> = Weighted::new(&[
    (960, Net::V4([192, 0, 2, 0], 26)),
    // Chinanet Zhejiang
    (25, Net::V4([115, 192, 0, 0], 16)),
    (15, Net::V4([60, 177, 0, 0], 16)),
]);

pub(super) static TOKYO: Weighted<Net> = Weighted::new(&[
    (850, Net::V4([198, 51, 100, 192], 27)),
    // NTT and KDDI
    (80, Net::V4([153, 128, 0, 0], 16)),
    (70, Net::V4([106, 72, 0, 0], 16)),
]);

pub(super) static LONDON: Weighted<Net> =
    Weighted::new(&[(2, Net::V4([86, 128, 0, 0], 16)), (1, Net::V4([81, 128, 0, 0], 16))]);

pub(super) static ELSEWHERE: Weighted<Net> = Weighted::new(&[
    (4, Net::V4([60, 246, 0, 0], 16)),
    (3, Net::V4([114, 32, 0, 0], 16)),
    (3, Net::V4([124, 120, 0, 0], 16)),
    (2, Net::V4([101, 160, 0, 0], 16)),
    (2, Net::V4([73, 0, 0, 0], 16)),
]);

pub(super) static MERLION: Weighted<Net> =
    Weighted::new(&[(3, Net::V4([119, 74, 0, 0], 16)), (1, Net::V4([116, 87, 0, 0], 16))]);

const VPN: Net = Net::V4([192, 0, 2, 128], 26);

impl Net {
    /// One of the addresses.
    pub(super) fn draw(self, rng: &mut Rng) -> Address {
        match self {
            Self::V4(first, length) => {
                let hosts = 1_u32.checked_shl(32 - u32::from(length)).unwrap_or(u32::MAX);
                // neither the network's own address nor the broadcast address
                let host = 1 + rng.below(hosts.saturating_sub(2));
                Address::V4(Ipv4Addr::from_bits(u32::from_be_bytes(first) | host))
            }
            Self::V6([a, b, c, d]) => {
                let [e, f, g, h] = std::array::from_fn(|_| rng.below(1 << 16) as u16);
                Address::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h))
            }
        }
    }
}

impl Address {
    /// What a proxy, a collector or the cloud makes of an address.
    pub(super) fn spoilt(self, rng: &mut Rng) -> Self {
        let Self::V4(plain) = self else { return Self::Empty };
        let kinds = [
            Self::Absent,
            Self::Null,
            Self::Empty,
            Self::WithPort(plain),
            Self::Chain(plain),
            Self::Mapped(plain),
            Self::Internal,
            Self::Private,
            Self::Shared,
        ];
        *rng.pick(&kinds)
    }

    /// Writes the value, quotes included; nothing may be written for [`Address::Absent`].
    pub(super) fn write(self, out: &mut Vec<u8>) {
        // writing to memory cannot fail
        let written = match self {
            Self::V4(plain) => write!(out, "\"{plain}\""),
            Self::V6(plain) => write!(out, "\"{plain}\""),
            Self::Absent | Self::Null => write!(out, "null"),
            Self::Empty => write!(out, "\"\""),
            Self::WithPort(plain) => write!(out, "\"{plain}:51022\""),
            Self::Chain(plain) => write!(out, "\"{plain}, 10.20.0.7\""),
            Self::Mapped(plain) => write!(out, "\"::ffff:{plain}\""),
            Self::Internal => write!(out, "\"Internal\""),
            Self::Private => write!(out, "\"192.168.1.20\""),
            Self::Shared => write!(out, "\"100.64.3.9\""),
        };
        debug_assert!(written.is_ok());
    }
}
