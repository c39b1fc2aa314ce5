//! Writes small MaxMind DB files (format 2.0), so that tests can have every layout and every fault.

use std::net::IpAddr;

use ipnet::IpNet;

/// A value of the data section.
#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    U16(u16),
    U32(u32),
    U64(u64),
    List(Vec<Value>),
    Map(Vec<(&'static str, Value)>),
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) fn map<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::Map(pairs.into())
}

/// A file in the making. Insert short prefixes before the longer ones that they contain.
pub(super) struct File {
    v6: bool,
    record_bits: u16,
    nodes: Vec<[Record; 2]>,
    data: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Record {
    Empty,
    Node(usize),
    Data(usize),
}

impl File {
    pub(super) fn new(v6: bool, record_bits: u16) -> Self {
        Self { v6, record_bits, nodes: vec![[Record::Empty; 2]], data: Vec::new() }
    }

    pub(super) fn insert(mut self, net: &str, value: &Value) -> Self {
        let at = self.data.len();
        encode(value, &mut self.data);
        let (bits, len) = self.path(net.parse().unwrap());
        self.set(bits, len, Record::Data(at));
        self
    }

    /// Lets a prefix lead to the IPv4 subtree, as MaxMind's files do for mapped, 6to4 and Teredo addresses.
    pub(super) fn alias(mut self, net: &str) -> Self {
        let ipv4 = (0..96).fold(0, |node, _| match self.nodes[node][0] {
            Record::Node(next) => next,
            Record::Empty | Record::Data(_) => panic!("no IPv4 subtree yet"),
        });
        let (bits, len) = self.path(net.parse().unwrap());
        self.set(bits, len, Record::Node(ipv4));
        self
    }

    fn path(&self, net: IpNet) -> (u128, u8) {
        match (net.network(), self.v6) {
            (IpAddr::V4(address), true) => (u128::from(u32::from(address)), net.prefix_len() + 96),
            (IpAddr::V4(address), false) => (u128::from(u32::from(address)) << 96, net.prefix_len()),
            (IpAddr::V6(address), _) => (u128::from(address), net.prefix_len()),
        }
    }

    fn set(&mut self, bits: u128, len: u8, record: Record) {
        let side = |depth: u8| (bits >> (127 - depth) & 1) as usize;
        let mut node = 0;
        for depth in 0..len - 1 {
            let old = self.nodes[node][side(depth)];
            node = match old {
                Record::Node(next) => next,
                Record::Empty | Record::Data(_) => {
                    self.nodes.push([old; 2]);
                    let next = self.nodes.len() - 1;
                    self.nodes[node][side(depth)] = Record::Node(next);
                    next
                }
            };
        }
        self.nodes[node][side(len - 1)] = record;
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut file = Vec::new();
        for pair in &self.nodes {
            self.write_node(pair.map(|record| self.number(record)), &mut file);
        }
        file.extend([0; 16]);
        file.extend(&self.data);
        file.extend(b"\xab\xcd\xefMaxMind.com");
        encode(&self.metadata(), &mut file);
        file
    }

    fn number(&self, record: Record) -> u32 {
        let count = self.nodes.len();
        let number = match record {
            Record::Empty => count,
            Record::Node(node) => node,
            Record::Data(offset) => count + 16 + offset,
        };
        u32::try_from(number).unwrap()
    }

    fn write_node(&self, [left, right]: [u32; 2], file: &mut Vec<u8>) {
        let (l, r) = (left.to_be_bytes(), right.to_be_bytes());
        match self.record_bits {
            24 => file.extend([l[1], l[2], l[3], r[1], r[2], r[3]]),
            28 => file.extend([l[1], l[2], l[3], l[0] << 4 | r[0], r[1], r[2], r[3]]),
            32 => file.extend([l, r].concat()),
            other => panic!("no such record size: {other}"),
        }
    }

    fn metadata(&self) -> Value {
        map([
            ("binary_format_major_version", Value::U16(2)),
            ("binary_format_minor_version", Value::U16(0)),
            ("build_epoch", Value::U64(1_780_000_000)),
            ("database_type", text("Test")),
            ("description", map([("en", text("test"))])),
            ("ip_version", Value::U16(if self.v6 { 6 } else { 4 })),
            ("languages", Value::List(vec![text("en")])),
            ("node_count", Value::U32(u32::try_from(self.nodes.len()).unwrap())),
            ("record_size", Value::U16(self.record_bits)),
        ])
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            control(2, text.len(), out);
            out.extend(text.as_bytes());
        }
        Value::U16(number) => sized(5, &number.to_be_bytes(), out),
        Value::U32(number) => sized(6, &number.to_be_bytes(), out),
        Value::U64(number) => sized(9, &number.to_be_bytes(), out),
        Value::List(items) => {
            control(11, items.len(), out);
            items.iter().for_each(|item| encode(item, out));
        }
        Value::Map(pairs) => {
            control(7, pairs.len(), out);
            for (key, item) in pairs {
                encode(&text(key), out);
                encode(item, out);
            }
        }
    }
}

fn sized(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    control(kind, bytes.len(), out);
    out.extend(bytes);
}

/// Type and size. Types above 7 stand in a second byte; sizes from 29 on in one more.
fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let short = size.min(29) as u8;
    match kind {
        1..=7 => out.push(kind << 5 | short),
        8.. => out.extend([short, kind - 7]),
        0 => panic!("type 0 is an extension"),
    }
    if size >= 29 {
        out.push(u8::try_from(size - 29).unwrap());
    }
}
