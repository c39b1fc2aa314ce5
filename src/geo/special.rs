//! Ranges whose meaning is fixed by standards, ahead of any database: addresses that are nowhere, addresses that carry an
//! IPv4 address inside, and well-known anycast addresses, which are everywhere.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Ranges without a place, and the standard that says so (IANA special-purpose address registries). 100.64.0.0/10 also
/// holds internal addresses of Alibaba Cloud OSS, so it must not be taken for an access network.
pub(super) const NOWHERE: [(&str, &str); 32] = [
    ("0.0.0.0/8", "this network (RFC 791)"),
    ("10.0.0.0/8", "private use (RFC 1918)"),
    ("100.64.0.0/10", "carrier-grade NAT (RFC 6598)"),
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("169.254.0.0/16", "link-local (RFC 3927)"),
    ("172.16.0.0/12", "private use (RFC 1918)"),
    ("192.0.0.0/24", "IETF protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", "documentation (RFC 5737)"),
    ("192.88.99.0/24", "6to4 relay anycast (RFC 7526)"),
    ("192.168.0.0/16", "private use (RFC 1918)"),
    ("198.18.0.0/15", "benchmarking (RFC 2544)"),
    ("198.51.100.0/24", "documentation (RFC 5737)"),
    ("203.0.113.0/24", "documentation (RFC 5737)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved (RFC 1112)"),
    ("255.255.255.255/32", "limited broadcast (RFC 919)"),
    ("::/8", "reserved (RFC 4291)"),
    ("::/128", "unspecified (RFC 4291)"),
    ("::1/128", "loopback (RFC 4291)"),
    ("64:ff9b:1::/48", "local NAT64 (RFC 8215)"),
    ("100::/64", "discard (RFC 6666)"),
    ("2001:2::/48", "benchmarking (RFC 5180)"),
    ("2001:10::/28", "ORCHID (RFC 4843)"),
    ("2001:20::/28", "ORCHIDv2 (RFC 7343)"),
    ("2001:db8::/32", "documentation (RFC 3849)"),
    ("3fff::/20", "documentation (RFC 9637)"),
    ("5f00::/16", "segment routing (RFC 9602)"),
    ("fc00::/7", "unique local (RFC 4193)"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("fec0::/10", "site-local (RFC 3879)"),
    ("ff00::/8", "multicast (RFC 4291)"),
    ("0:0:0:0:ffff:0::/96", "IPv4-translated (RFC 2765)"),
];

/// Resolvers that answer from many cities at once. A database can only name the holder, or one of the cities.
pub(super) const ANYCAST: [&str; 22] = [
    "1.0.0.0/24",
    "1.1.1.0/24",
    "1.2.4.8/32",
    "8.8.4.0/24",
    "8.8.8.0/24",
    "9.9.9.0/24",
    "114.114.114.0/24",
    "114.114.115.0/24",
    "119.28.28.28/32",
    "119.29.29.29/32",
    "149.112.112.0/24",
    "180.76.76.76/32",
    "208.67.220.0/24",
    "208.67.222.0/24",
    "223.5.5.0/24",
    "223.6.6.0/24",
    "2400:3200::/48",
    "2400:3200:baba::/48",
    "2001:4860:4860::/48",
    "2606:4700:4700::/48",
    "2620:fe::/48",
    "2620:119:35::/48",
];

/// An IPv6 range that carries the client's IPv4 address: the IPv4 address decides the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Embedding {
    /// 2002::/16 (RFC 3056): the 32 bits after the prefix.
    SixToFour,
    /// 2001::/32 (RFC 4380): the last 32 bits inverted are the client's address outside its NAT. (The bits after the
    /// prefix are the relay server's and say nothing of the client.)
    Teredo,
    /// 64:ff9b::/96 (RFC 6052): the last 32 bits.
    Nat64,
}

impl Embedding {
    /// All of them; the position plus one is the number of the answer that marks the range in the IPv6 table.
    pub(super) const ALL: [(Self, &'static str); 3] =
        [(Self::SixToFour, "2002::/16"), (Self::Teredo, "2001::/32"), (Self::Nat64, "64:ff9b::/96")];

    /// The embedding that an address belongs to, by its prefix.
    pub(super) fn of(address: Ipv6Addr) -> Option<Self> {
        match address.segments() {
            [0x2002, ..] => Some(Self::SixToFour),
            [0x2001, 0, ..] => Some(Self::Teredo),
            [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(Self::Nat64),
            _ => None,
        }
    }

    /// The embedding that an answer's number marks, if it marks one.
    #[inline]
    pub(super) fn marked_by(answer: u16) -> Option<Self> {
        Self::ALL.get(usize::from(answer.wrapping_sub(1))).map(|(embedding, _)| *embedding)
    }

    /// The IPv4 address inside.
    #[inline]
    pub(super) fn client(self, address: u128) -> Ipv4Addr {
        let bits = match self {
            Self::SixToFour => (address >> 80) as u32,
            Self::Teredo => !(address as u32),
            Self::Nat64 => address as u32,
        };
        Ipv4Addr::from(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(embedding: Embedding, text: &str) -> String {
        embedding.client(u128::from(text.parse::<Ipv6Addr>().unwrap())).to_string()
    }

    #[test]
    fn the_client_is_taken_from_where_the_rfc_puts_it() {
        // The Teredo address is the example of RFC 4380 as commonly worked out: server 65.54.227.120, client 192.0.2.45.
        assert_eq!(client(Embedding::Teredo, "2001:0:4136:e378:8000:63bf:3fff:fdd2"), "192.0.2.45");
        assert_eq!(client(Embedding::SixToFour, "2002:c000:0204::1"), "192.0.2.4");
        assert_eq!(client(Embedding::Nat64, "64:ff9b::192.0.2.33"), "192.0.2.33");
    }

    #[test]
    fn prefixes_and_ranges_are_the_same() {
        for (embedding, net) in Embedding::ALL {
            let net: ipnet::Ipv6Net = net.parse().unwrap();
            let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
            assert_eq!([first, last].map(|bits| Embedding::of(bits.into())), [Some(embedding); 2]);
            assert_eq!([first - 1, last + 1].map(|bits| Embedding::of(bits.into())), [None; 2]);
        }
    }

    #[test]
    fn answers_mark_embeddings_by_position() {
        assert_eq!(Embedding::marked_by(0), None);
        assert_eq!(Embedding::marked_by(2), Some(Embedding::Teredo));
        assert_eq!(Embedding::marked_by(4), None);
        assert_eq!(Embedding::marked_by(u16::MAX), None);
    }
}
