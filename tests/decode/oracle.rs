//! A second reader of rows, pages and envelopes, written for plainness: a tree that keeps duplicate keys, and look-ups.
//! Shares no code with the decoder. Says nothing about push events ([`Answer::Silent`]).

// A wildcard here means "any other JSON", which is what a plain reader wants to say.
// A row read from top to bottom is plainer than one cut in pieces.
#![allow(clippy::wildcard_enum_match_arm, clippy::too_many_lines)]

use std::fmt;

use harbourwatch::dingtalk::{Reason, Reject};
use harbourwatch::domain::event::{Act, Counterpart, Event, Id, Personal, Shape, Storage};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Float,
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

struct TreeVisitor;

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(flag))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Unsigned(number))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Negative(number))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Float)
    }
    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Object(entries))
    }
}

/// What the oracle says about a message.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// These events and rejections, in order; rejections by the name of their reason.
    Results(Vec<Result<Event<'static>, &'static str>>),
    /// Not this oracle's matter.
    Silent,
}

type Object = [(String, Tree)];

fn plain(key: &str) -> String {
    key.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

/// All readings of a field: every occurrence under any of its names.
struct Readings<V> {
    values: Vec<V>,
    wrong: bool,
}

impl<V: PartialEq + Clone> Readings<V> {
    fn of(object: &Object, names: &[&str], read: impl Fn(&Tree) -> Result<Option<V>, ()>) -> Self {
        let mut readings = Self { values: Vec::new(), wrong: false };
        for (key, value) in object {
            if names.contains(&plain(key).as_str()) {
                match read(value) {
                    Ok(value) => readings.values.extend(value),
                    Err(()) => readings.wrong = true,
                }
            }
        }
        readings
    }

    fn clash(&self) -> bool {
        self.values.windows(2).any(|pair| pair[0] != pair[1])
    }

    fn sound(&self) -> Option<V> {
        if self.clash() || self.wrong { None } else { self.values.first().cloned() }
    }
}

fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn code(tree: &Tree) -> Result<Option<i64>, ()> {
    match tree {
        Tree::Null => Ok(None),
        Tree::Text(text) if text.is_empty() => Ok(None),
        Tree::Text(text) => whole(text).map(Some).ok_or(()),
        Tree::Unsigned(number) => i64::try_from(*number).map(Some).map_err(|_| ()),
        Tree::Negative(number) => Ok(Some(*number)),
        _ => Err(()),
    }
}

fn time(tree: &Tree) -> Result<Option<i64>, ()> {
    if let Tree::Text(text) = tree
        && !text.is_empty()
        && whole(text).is_none()
    {
        return written(text).map(Some).ok_or(());
    }
    Ok(code(tree)?.and_then(|number| {
        let magnitude = number.max(0).to_string().len();
        match magnitude {
            10 | 11 => Some(number * 1000),
            12..=14 => Some(number),
            15..=17 => Some(number / 1000),
            _ => None,
        }
    }))
}

/// The one written time that the generator makes, by counting days.
fn written(text: &str) -> Option<i64> {
    let numbers: Vec<i64> = text.split(['-', ' ', ':']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let &[year, month, day, hour, minute, second] = numbers.as_slice() else { return None };
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: i64 = lengths.iter().take(usize::try_from(month).ok()?.checked_sub(1)?).sum();
    Some(((((years + months + day - 1) * 24 + hour - 8) * 60 + minute) * 60 + second) * 1000)
}

fn id(tree: &Tree) -> Result<Option<Id<'static>>, ()> {
    match tree {
        Tree::Null => Ok(None),
        Tree::Text(text) if text.is_empty() => Ok(None),
        Tree::Text(text) => Ok(Some(Id::from_text(text.clone().into()))),
        Tree::Unsigned(number) => Ok(Some(Id::Number(*number))),
        Tree::Negative(number) => Ok(Some(Id::Text(number.to_string().into()))),
        _ => Err(()),
    }
}

fn text(tree: &Tree) -> Result<Option<String>, ()> {
    match tree {
        Tree::Null => Ok(None),
        Tree::Text(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Tree::Unsigned(number) => Ok(Some(number.to_string())),
        Tree::Negative(number) => Ok(Some(number.to_string())),
        _ => Err(()),
    }
}

fn address(tree: &Tree) -> Result<Option<String>, ()> {
    let Tree::List(items) = tree else { return text(tree) };
    let texts: Vec<String> = items.iter().map(text).collect::<Result<Vec<_>, ()>>()?.into_iter().flatten().collect();
    Ok(if texts.is_empty() { None } else { Some(texts.join(",")) })
}

fn ids(tree: &Tree) -> Result<Option<(bool, Vec<Id<'static>>)>, ()> {
    let (array, items) = match tree {
        Tree::List(items) => (true, items.as_slice()),
        other => (false, std::slice::from_ref(other)),
    };
    let ids: Vec<_> = items.iter().map(id).collect::<Result<Vec<_>, ()>>()?.into_iter().flatten().collect();
    Ok(if ids.is_empty() { None } else { Some((array, ids)) })
}

const ACTION: &[&str] = &["action"];
const CARRIERS: &[&str] = &[
    "data", "bizdata", "list", "items", "rows", "records", "events", "logs", "messages", "payload", "event", "message",
    "body", "record", "value", "row", "after", "detail", "details", "result", "log", "content", "source", "raw",
    "original", "document",
];
const PAGES: &[&str] = &["list", "items", "rows", "records", "events", "logs", "messages"];
const PUSH: &[&str] = &["eventtype", "syncaction", "bizdata", "headers"];

/// A string of a string is taken out of both.
fn unwrapped(text: &str) -> String {
    match serde_json::from_str::<String>(text) {
        Ok(inner) => unwrapped(&inner),
        Err(_) => text.to_owned(),
    }
}

/// The answer of an API that failed.
fn is_error(object: &Object) -> bool {
    let error = Readings::of(object, &["errcode"], code).sound().is_some_and(|code| code != 0);
    error || Readings::of(object, &["success"], flag).sound() == Some(false)
}

fn flag(tree: &Tree) -> Result<Option<bool>, ()> {
    match tree {
        Tree::Bool(flag) => Ok(Some(*flag)),
        Tree::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Tree::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        other => match code(other)? {
            None => Ok(None),
            Some(number @ (0 | 1)) => Ok(Some(number == 1)),
            Some(_) => Err(()),
        },
    }
}

fn carriers(object: &Object) -> Vec<(bool, &Tree)> {
    let mut found = Vec::new();
    for (key, value) in object {
        let name = plain(key);
        let holds = match value {
            Tree::Object(_) | Tree::List(_) => true,
            Tree::Text(text) => unwrapped(text).trim_ascii_start().starts_with(['{', '[']),
            _ => false,
        };
        if CARRIERS.contains(&name.as_str()) && holds {
            found.push((PAGES.contains(&name.as_str()), value));
        }
    }
    found
}

fn has_marks(object: &Object) -> bool {
    let any = |names: &[&str]| !Readings::of(object, names, id).values.is_empty();
    let said = |names: &[&str]| !Readings::of(object, names, text).values.is_empty();
    any(&["bizid"])
        || any(&["targetspaceid", "spaceid"])
        || !Readings::of(object, &["userid"], ids).values.is_empty()
        || !Readings::of(object, &["ipaddress"], address).values.is_empty()
        || !Readings::of(object, &["gmtcreate"], time).values.is_empty()
        || !Readings::of(object, &["operatemodule"], code).values.is_empty()
        || said(&["operatorname"])
        || said(&["realname"])
        || said(&["resource"])
}

fn is_row(object: &Object) -> bool {
    !Readings::of(object, ACTION, code).values.is_empty() && has_marks(object)
}

/// The oracle's answer for a tree.
pub(super) fn answer(tree: &Tree) -> Answer {
    if is_not_ours(tree) {
        return Answer::Silent;
    }
    let mut results = Vec::new();
    if let Err(reason) = value(tree, None, &Storage::default(), 0, &mut results) {
        results.push(Err(reason));
    }
    Answer::Results(results)
}

/// A written time of another form: calendars are left to the library.
fn is_odd_time(tree: &Tree) -> bool {
    matches!(tree, Tree::Text(text) if !text.is_empty() && whole(text).is_none()
        && text != "abc" && text != "2025-11-18 17:05:12")
}

fn is_not_ours(tree: &Tree) -> bool {
    match tree {
        Tree::Object(entries) => entries.iter().any(|(key, value)| {
            PUSH.contains(&plain(key).as_str())
                || (plain(key) == "gmtcreate" && is_odd_time(value))
                || is_not_ours(value)
        }),
        Tree::List(items) => items.iter().any(is_not_ours),
        Tree::Text(text) => match serde_json::from_str::<Tree>(text) {
            Ok(inner) => is_not_ours(&inner),
            // Good grammar, but no tree; see `agree`.
            Err(_) => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
        },
        _ => false,
    }
}

type Out = Vec<Result<Event<'static>, &'static str>>;

fn value(
    tree: &Tree,
    tenant: Option<&str>,
    storage: &Storage<'static>,
    depth: u8,
    out: &mut Out,
) -> Result<(), &'static str> {
    match tree {
        Tree::Object(object) => self::object(object, tenant, storage, depth, out),
        Tree::List(rows) => {
            for row in rows {
                let result = match row {
                    Tree::List(_) => Err("no_event"),
                    row => value(row, tenant, storage, depth, out),
                };
                if let Err(reason) = result {
                    out.push(Err(reason));
                }
            }
            Ok(())
        }
        Tree::Text(text) if unwrapped(text).trim_ascii_start().starts_with(['{', '[']) => {
            let inner: Tree = serde_json::from_str(&unwrapped(text)).map_err(|_| "not_json")?;
            value(&inner, tenant, storage, depth, out)
        }
        _ => Err("no_event"),
    }
}

fn tenant_of(object: &Object) -> (Readings<String>, Readings<String>) {
    (Readings::of(object, &["corpid", "eventcorpid"], text), Readings::of(object, &["tenant", "tenantid"], text))
}

fn object(
    object: &Object,
    tenant: Option<&str>,
    storage: &Storage<'static>,
    depth: u8,
    out: &mut Out,
) -> Result<(), &'static str> {
    let inside = carriers(object);
    let holding: Vec<bool> = inside.iter().map(|(page, tree)| probe(tree, *page, depth) == Some(true)).collect();
    let (corp, named) = tenant_of(object);
    let here = corp.sound().or(named.sound()).or(tenant.map(str::to_owned));
    let claims = Claims::of(object);
    if is_row(object) {
        if holding.contains(&true) {
            return Err("conflict");
        }
        out.push(Ok(row(object, here, &claims, storage)?));
        return Ok(());
    }
    if corp.clash() || named.clash() || claims.clash {
        return Err("conflict");
    }
    if corp.wrong || named.wrong || claims.wrong {
        return Err("bad_field");
    }
    let excuse = if has_marks(object) && Readings::of(object, ACTION, code).wrong { "bad_field" } else { "no_event" };
    let chosen = match inside.as_slice() {
        [(page, tree)] => Some(*tree).filter(|tree| *page || **tree != Tree::List(vec![])),
        _ => {
            let mut chosen = inside.iter().zip(&holding).filter(|(_, holds)| **holds).map(|((_, tree), _)| *tree);
            let first = chosen.next();
            if chosen.next().is_some() {
                return Err("conflict");
            }
            first.or_else(|| {
                inside.iter().filter(|(page, tree)| probe(tree, *page, depth) == Some(false)).map(|c| c.1).next_back()
            })
        }
    };
    let Some(chosen) = chosen.filter(|_| depth < 4) else { return Err(excuse) };
    let page = inside.iter().any(|(page, tree)| *page && std::ptr::eq(*tree, chosen));
    if is_error(object) && probe(chosen, page, depth) != Some(true) {
        return Err(excuse);
    }
    let inner = claims.within(storage);
    value(chosen, here.as_deref(), &inner, depth + 1, out)
        .map_err(|reason| if reason == "no_event" { excuse } else { reason })
}

/// `Some(true)`: holds events; `Some(false)`: a page without rows; `None`: nothing.
fn probe(tree: &Tree, page: bool, depth: u8) -> Option<bool> {
    if depth >= 4 {
        return None;
    }
    if *tree == Tree::List(vec![]) && !page {
        return None;
    }
    look(tree, depth + 1)
}

fn look(tree: &Tree, depth: u8) -> Option<bool> {
    match tree {
        Tree::Object(object) if is_row(object) => Some(true),
        Tree::Object(object) => {
            let found: Vec<_> = carriers(object).iter().filter_map(|(page, tree)| probe(tree, *page, depth)).collect();
            found.iter().copied().reduce(|a, b| a || b)
        }
        Tree::List(rows) if rows.is_empty() => Some(false),
        Tree::List(rows) => rows.iter().any(|row| look(row, depth) == Some(true)).then_some(true),
        Tree::Text(text) if unwrapped(text).trim_ascii_start().starts_with(['{', '[']) => {
            look(&serde_json::from_str(&unwrapped(text)).ok()?, depth)
        }
        _ => None,
    }
}

#[derive(Default)]
struct Claims {
    slots: Vec<(usize, String)>,
    wrong: bool,
    clash: bool,
}

const HOST_KEYS: [&[&str]; 8] = [
    &["host"],
    &["resourceurls", "resourceurl"],
    &["endpoint"],
    &["oss"],
    &["internalresourceurls"],
    &["internalendpoint"],
    &["region"],
    &["bucket", "bucketname"],
];

const INSIDE: [&str; 4] = ["storage", "headersignatureinfo", "stsuploadinfo", "filestorage"];

impl Claims {
    fn of(object: &Object) -> Self {
        let mut claims = Self::default();
        for (_, value) in object.iter().filter(|(key, _)| plain(key) == "enrichment") {
            claims.read(value);
        }
        for (slot, first) in claims.slots.iter().filter(|(slot, _)| *slot >= 6) {
            let others = claims.slots.iter().filter(|(other, _)| other == slot);
            claims.clash |= others
                .filter(|(_, text)| *slot != 6 || text != "UNKNOWN")
                .any(|(_, text)| text != first && (*slot != 6 || first != "UNKNOWN"));
        }
        claims
    }

    fn read(&mut self, tree: &Tree) {
        let entries = match tree {
            Tree::Object(entries) => entries,
            Tree::Null => return,
            Tree::Text(text) if text.is_empty() => return,
            _ => return self.wrong = true,
        };
        let mut hosts: Vec<(usize, Vec<String>)> = Vec::new();
        for (key, value) in entries {
            let name = plain(key);
            let values = if let Tree::List(items) = value { items.iter().collect() } else { vec![value] };
            match HOST_KEYS.iter().position(|names| names.contains(&name.as_str())) {
                _ if INSIDE.contains(&name.as_str()) => self.read(value),
                Some(slot @ (6 | 7)) => {
                    let first = values.into_iter().find(|item| !empty(item)).unwrap_or(&Tree::Null);
                    match text(first) {
                        Ok(said) => self.slots.extend(said.map(|said| (slot, said))),
                        Err(()) => self.wrong = true,
                    }
                }
                Some(slot) => {
                    self.wrong |= values.iter().any(|value| text(value).is_err());
                    hosts.push((slot, values.into_iter().filter_map(|value| text(value).ok().flatten()).collect()));
                }
                None => self.seek(value),
            }
        }
        hosts.retain(|(_, said)| !said.is_empty());
        self.clash |= hosts.iter().any(|(slot, said)| hosts.iter().any(|(at, other)| at == slot && other != said));
        self.slots.extend(hosts.into_iter().flat_map(|(slot, said)| said.into_iter().map(move |one| (slot, one))));
    }

    /// Objects about a storage count wherever they stand; a region beside them does not.
    fn seek(&mut self, tree: &Tree) {
        match tree {
            Tree::Object(entries) => entries.iter().for_each(|(key, value)| {
                if INSIDE.contains(&plain(key).as_str()) { self.read(value) } else { self.seek(value) }
            }),
            Tree::List(items) => items.iter().for_each(|item| self.seek(item)),
            _ => {}
        }
    }

    /// The nearest counts, if it knows more than that it does not know.
    fn within(&self, around: &Storage<'static>) -> Storage<'static> {
        let speaks = self.slots.iter().any(|(slot, text)| *slot != 6 || text != "UNKNOWN");
        if speaks || *around == Storage::default() { self.storage() } else { around.clone() }
    }

    fn storage(&self) -> Storage<'static> {
        let get = |slot: usize| {
            let said = |unknown: bool| {
                self.slots.iter().find(|(at, text)| *at == slot && (slot != 6 || (text == "UNKNOWN") == unknown))
            };
            said(false).or_else(|| said(true)).map(|(_, text)| text.clone().into())
        };
        let mut hosts: Vec<&String> = Vec::new();
        for slot in 0..6 {
            let said = self.slots.iter().filter(|(at, _)| *at == slot).map(|(_, text)| text);
            said.for_each(|text| {
                if !hosts.contains(&text) {
                    hosts.push(text);
                }
            });
        }
        let hosts = hosts.into_iter().map(|text| text.clone().into()).collect();
        Storage { region: get(6), hosts, bucket: get(7) }
    }
}

type Entries = (Vec<Counterpart<'static>>, bool, bool);

fn parties(object: &Object, names: &[&str], member_list: bool) -> Entries {
    let (mut lists, mut wrong, mut clash): (Vec<Vec<Counterpart<'static>>>, bool, bool) = (Vec::new(), false, false);
    for (_, value) in object.iter().filter(|(key, _)| names.contains(&plain(key).as_str())) {
        let mut list = Vec::new();
        entries(value, member_list, &mut list, &mut wrong, &mut clash);
        if !list.is_empty() {
            lists.push(list);
        }
    }
    clash |= lists.windows(2).any(|pair| pair[0] != pair[1]);
    (lists.into_iter().next().unwrap_or_default(), wrong, clash)
}

fn entries(tree: &Tree, member_list: bool, list: &mut Vec<Counterpart<'static>>, wrong: &mut bool, clash: &mut bool) {
    match tree {
        Tree::List(items) => items.iter().for_each(|item| entries(item, member_list, list, wrong, clash)),
        Tree::Null => {}
        Tree::Text(text) if text.is_empty() => {}
        Tree::Object(object) => {
            let raw =
                |names: &[&str]| Readings::of(object, names, |tree| Ok(Some(tree.clone()).filter(|tree| !empty(tree))));
            let name = raw(&["membername", "receivername"]);
            let key = raw(&["memberid", "receiverid", "userid", "unionid"]);
            let kind = raw(&["membertype", "receivertype"]);
            let role = raw(&["permissionrole", "rolecode"]);
            let mut first = |readings: &Readings<Tree>| {
                let first = readings.values.first().cloned().unwrap_or(Tree::Null);
                *clash |= !readings.values.iter().all(|other| alike(other, &first));
                first
            };
            let (name, key, kind, role) = (first(&name), first(&key), first(&kind), first(&role));
            let worded = |tree: &Tree| match tree {
                Tree::Text(text) if text.eq_ignore_ascii_case("user") => Ok(Some(2)),
                Tree::Text(text) if text.eq_ignore_ascii_case("group") => Ok(Some(1)),
                Tree::Text(text) if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_') => {
                    Ok(None)
                }
                tree => code(tree),
            };
            let starts = |prefix: &str| {
                // Only the first spelling of a field that says something counts.
                [
                    &["membername", "receivername"][..],
                    &["memberid", "receiverid", "userid", "unionid"],
                    &["membertype", "receivertype"],
                ]
                .iter()
                .filter_map(|names| {
                    let said = object.iter().filter(|(_, value)| !empty(value)).map(|(key, _)| plain(key));
                    said.into_iter().find(|key| names.contains(&key.as_str()))
                })
                .any(|key| key.starts_with(prefix))
            };
            let role = if matches!(&role, Tree::Text(text) if !text.is_empty() && whole(text).is_none() && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_'))
            {
                Tree::Null
            } else {
                role
            };
            *wrong |= text(&name).is_err() || id(&key).is_err() || worded(&kind).is_err() || worded(&role).is_err();
            list.push(Counterpart {
                id: id(&key).ok().flatten().map(Personal::new),
                name: text(&name).ok().flatten().map(|name| Personal::new(name.into())),
                kind: worded(&kind).ok().flatten(),
                member: starts("member") || (member_list && !starts("receiver")),
                role: worded(&role).ok().flatten(),
            });
        }
        _ => *wrong = true,
    }
}

fn empty(tree: &Tree) -> bool {
    *tree == Tree::Null || *tree == Tree::Text(String::new())
}

/// Equal as values: `7` and `"7"` are. What is no scalar is only of one kind.
fn alike(a: &Tree, b: &Tree) -> bool {
    match (id(a), id(b)) {
        (Ok(a), Ok(b)) => a == b,
        (Err(()), Err(())) => true,
        _ => false,
    }
}

fn row(
    object: &Object,
    tenant: Option<String>,
    claims: &Claims,
    around: &Storage<'static>,
) -> Result<Event<'static>, &'static str> {
    let mut clash = claims.clash;
    let mut wrong = claims.wrong;
    macro_rules! decisive {
        ($read:ident, $($name:literal),+) => {{
            let readings = Readings::of(object, &[$($name),+], $read);
            clash |= readings.clash();
            wrong |= readings.wrong;
            readings.sound()
        }};
    }
    let action = decisive!(code, "action");
    let module = decisive!(code, "operatemodule");
    let receiver_type = decisive!(code, "receivertype");
    let created = decisive!(time, "gmtcreate");
    let biz = decisive!(id, "bizid");
    let space = decisive!(id, "targetspaceid", "spaceid");
    let workspace = decisive!(id, "workspaceid", "teamid");
    let previous = decisive!(id, "prevworkspaceid");
    let receiver_id = decisive!(id, "receiverid");
    let org = decisive!(text, "orgname");
    let resource = decisive!(text, "resource");
    let url = decisive!(text, "docpcurl");
    let receiver_name = decisive!(text, "receivername");
    decisive!(text, "corpid", "eventcorpid");
    decisive!(text, "tenant", "tenantid");
    let users = decisive!(ids, "userid");
    let unions = decisive!(ids, "unionid");
    let ip = decisive!(address, "ipaddress");
    let (receivers, wrong_receivers, clash_receivers) =
        parties(object, &["docreceiverlist", "docreceiverinfolist"], false);
    let (members, wrong_members, clash_members) =
        parties(object, &["docmemberlist", "docmemberinfolist", "member"], true);
    if clash || clash_receivers || clash_members {
        return Err("conflict");
    }
    let users = users.map(|(_, ids)| ids).unwrap_or_default();
    if wrong || wrong_receivers || wrong_members || users.len() > 1 {
        return Err("bad_field");
    }
    let lenient = |names: &[&str]| Readings::of(object, names, text).sound();
    let size = |tree: &Tree| code(tree).map(|size| size.filter(|size| *size >= 0));
    let snake = object.iter().any(|(key, _)| {
        let inner = key.trim_start_matches('_').contains('_');
        let names = [
            "bizid",
            "gmtcreate",
            "ipaddress",
            "operatemodule",
            "resourcesize",
            "targetspaceid",
            "spaceid",
            "operatorname",
            "realname",
            "orgname",
            "receivername",
        ];
        inner && names.contains(&plain(key).as_str())
    });
    let mut event = Event::new(if snake { Shape::LegacyRow } else { Shape::AuditRow }, Act::Audit(action.unwrap_or(0)));
    event.tenant = tenant.map(Into::into);
    event.biz_id = biz;
    event.time = created;
    event.actor.user_id = users.into_iter().next().map(Personal::new);
    event.actor.union_id =
        unions.and_then(|(_, ids)| ids.into_iter().next()).map(|id| Personal::new(id.to_string().into()));
    event.actor.name = lenient(&["realname"]).or(lenient(&["operatorname"])).map(|name| Personal::new(name.into()));
    event.address = ip.map(|ip| Personal::new(ip.into()));
    event.org = org.map(Into::into);
    event.module = module;
    event.platform = Readings::of(object, &["platform"], code).sound();
    event.status = Readings::of(object, &["status"], code).sound();
    event.resource = resource.map(|name| Personal::new(name.into()));
    event.extension = lenient(&["resourceextension", "extension"]).map(Into::into);
    event.size = Readings::of(object, &["resourcesize"], size).sound().and_then(|size| u64::try_from(size).ok());
    event.space = space;
    event.workspace = workspace;
    event.previous_workspace = previous;
    event.url = url.map(Into::into);
    event.storage = claims.within(around);
    let mut all: Vec<Counterpart<'static>> = receivers.into_iter().chain(members).collect();
    let nameless = receiver_type.is_some_and(|kind| kind != 0) && all.iter().all(|other| other.member);
    if receiver_id.is_some() || receiver_name.is_some() || nameless {
        let name = receiver_name.map(|name| Personal::new(name.into()));
        let key = receiver_id.map(Personal::new);
        let twin = all.iter_mut().find(|other| {
            !other.member
                && other.name == name
                && other.kind == receiver_type
                && (key.is_none() || other.id.is_none() || other.id == key)
        });
        match twin {
            Some(twin) if key.is_some() => twin.id = key,
            Some(_) => {}
            None => all.push(Counterpart { id: key, name, kind: receiver_type, member: false, role: None }),
        }
    }
    let (members, receivers): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.member);
    event.counterparts = receivers.into_iter().chain(members).collect();
    Ok(event)
}

/// Compares what the decoder said with the oracle; returns whether the oracle had a say.
///
/// # Panics
/// If they disagree.
pub(super) fn agree(bytes: &[u8], results: &[Result<Event<'_>, Reject>]) -> bool {
    let whole = |reason| matches!(results, [Err(reject)] if reject.reason == reason);
    let Ok(text) = std::str::from_utf8(bytes) else {
        assert!(whole(Reason::InvalidUtf8), "{results:?}");
        return true;
    };
    if whole(Reason::TooDeep) {
        return false;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        assert!(whole(Reason::NotJson), "{text}\n{results:?}");
        return true;
    }
    // A lone surrogate or a number beyond all floats: good grammar, but no tree.
    let Ok(tree) = serde_json::from_str::<Tree>(text) else { return false };
    let Answer::Results(expected) = answer(&tree) else { return false };
    let actual: Out = results
        .iter()
        .map(|result| result.clone().map(Event::into_owned).map_err(|reject| reject.reason.name()))
        .collect();
    assert!(expected == actual, "{text}\nexpected {expected:#?}\nactual {actual:#?}");
    true
}
