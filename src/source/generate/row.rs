//! Writes an act as a file operation record: `ListAuditLog` in camelCase or the legacy API in snake_case, bare or in a
//! collector's envelope.

use super::Quirks;
use super::acts::On;
use super::addresses::Address;
use super::holdings::{Evidence, Spot};
use super::json::{Object, Style, integer, list};
use super::receivers::{Receiver, view};
use super::rng::Rng;
use super::scene::{Receivers, Scene};

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Milliseconds since the epoch, as DingTalk does.
    Milliseconds,
    /// Seconds since the epoch.
    Seconds,
    /// RFC 3339 in UTC.
    Text,
}

/// How a row is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) style: Style,
    pub(super) clock: Clock,
    /// Absent lists as `[]`, as the SDK writes them.
    pub(super) empty_lists: bool,
    /// Any number, for what looks random in a row.
    pub(super) salt: u64,
}

impl Manner {
    pub(super) fn draw(quirks: &Quirks, legacy: bool, rng: &mut Rng) -> Self {
        let (quoted, escaped) = (rng.chance(quirks.quoted), rng.chance(quirks.escaped));
        let clock =
            if rng.chance(quirks.clocks) { *rng.pick(&[Clock::Seconds, Clock::Text]) } else { Clock::Milliseconds };
        let style = Style { snake: legacy, quoted, escaped };
        Self { style, clock, empty_lists: rng.chance(300_000), salt: rng.next() }
    }
}

/// Writes the row; `enriched`: with what a collector found out about the storage.
pub(super) fn row(out: &mut Vec<u8>, scene: &Scene<'_>, manner: Manner, enriched: bool) {
    let mut row = Object::open(out, manner.style);
    actor(&mut row, scene);
    row.number(("action", "action"), scene.act.0);
    row.text(("actionView", "action_view"), scene.act.1);
    row.number(("operateModule", "operate_module"), scene.module.0);
    row.text(("operateModuleView", "operate_module_view"), scene.module.1);
    resource(&mut row, scene, manner.salt);
    if scene.address != Address::Absent {
        scene.address.write(row.key(("ipAddress", "ip_address")));
    }
    time(&mut row, ("gmtCreate", "gmt_create"), scene.created, manner.clock);
    time(&mut row, ("gmtModified", "gmt_modified"), scene.modified, manner.clock);
    receivers(&mut row, scene, manner.empty_lists);
    if let Some(evidence) = scene.evidence.filter(|_| enriched) {
        row.object(("_enrichment", "_enrichment"), |inner| storage(inner, &evidence, manner.salt));
    }
    row.close();
}

/// Writes the row into an envelope that names its tenant.
pub(super) fn envelope(out: &mut Vec<u8>, scene: &Scene<'_>, manner: Manner) {
    let mut envelope = Object::open(out, Style::default());
    envelope.text(("corpId", "corpId"), scene.space.tenant);
    envelope.number(("collectedAt", "collectedAt"), scene.created + 80_000 + i64::from(manner.salt as u16));
    row(envelope.key(("payload", "payload")), scene, manner, false);
    if let Some(evidence) = scene.evidence {
        storage(&mut envelope, &evidence, manner.salt);
    }
    envelope.close();
}

fn actor(row: &mut Object<'_>, scene: &Scene<'_>) {
    row.text(("operatorName", "operator_name"), &scene.person.nick);
    row.text(("realName", "real_name"), &scene.person.name);
    row.text(("userId", "userid"), &scene.person.id);
    row.text(("orgName", "org_name"), scene.space.org);
    row.number(("platform", "platform"), scene.platform.0);
    row.text(("platformView", "platform_view"), scene.platform.1);
    row.number(("status", "status"), i64::from(matches!(scene.act.0, 1 | 11 | 22)));
}

fn resource(row: &mut Object<'_>, scene: &Scene<'_>, salt: u64) {
    row.text(("resource", "resource"), &scene.file);
    row.text(("resourceExtension", "resource_extension"), scene.file.rsplit_once('.').map_or("adoc", |(_, end)| end));
    row.number(("resourceSize", "resource_size"), scene.size);
    match scene.space.id {
        Spot::Wiki(id) => {
            row.text(("workSpaceId", "work_space_id"), id);
            row.text(("workSpaceName", "work_space_name"), scene.space.name);
        }
        Spot::Space(_) | Spot::Unlisted(_) => {
            row.number(("targetSpaceId", "target_space_id"), i64::try_from(scene.space_id()).unwrap_or(0));
        }
    }
    biz_id(row, scene);
    if scene.on != On::File && salt.is_multiple_of(4) {
        let url = row.key(("docPcUrl", "doc_pc_url"));
        url.extend_from_slice(b"\"https://alidocs.dingtalk.com/i/nodes/");
        token(url, salt, 16);
        url.push(b'"');
    }
}

/// Space and file number in one, as in the official example; a bare 0 where membership of a knowledge base changes.
fn biz_id(row: &mut Object<'_>, scene: &Scene<'_>) {
    if matches!(scene.act.0, 28..=30) {
        return row.raw(("bizId", "biz_id"), "0");
    }
    let out = row.key(("bizId", "biz_id"));
    out.push(b'"');
    integer(out, i64::try_from(scene.space_id().max(7)).unwrap_or(7));
    integer(out, i64::from(scene.number));
    out.push(b'"');
}

fn time(row: &mut Object<'_>, key: super::json::Key, at: i64, clock: Clock) {
    match clock {
        Clock::Milliseconds => row.number(key, at),
        Clock::Seconds => row.number(key, at.div_euclid(1000)),
        Clock::Text => {
            let text = jiff::Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| at.to_string());
            row.text(key, &text);
        }
    }
}

fn receivers(row: &mut Object<'_>, scene: &Scene<'_>, empty_lists: bool) {
    let style = row.style;
    match &scene.receivers {
        Receivers::One(receiver) => one(row, receiver),
        Receivers::List(people, count) => {
            list(row.key(("docReceiverList", "doc_receiver_list")), *count, |out, at| {
                let mut entry = Object::open(out, style);
                one(&mut entry, &Receiver { id: None, ..people[at] });
                entry.close();
            });
        }
        Receivers::Members(people, count, role) => {
            list(row.key(("docMemberList", "doc_member_info_list")), *count, |out, at| {
                member(out, style, &people[at], *role);
            });
        }
        Receivers::None if empty_lists => {
            row.raw(("docMemberList", "doc_member_info_list"), "[]");
            row.raw(("docReceiverList", "doc_receiver_list"), "[]");
        }
        Receivers::None => {}
    }
}

fn one(row: &mut Object<'_>, receiver: &Receiver<'_>) {
    row.text(("receiverName", "receiver_name"), receiver.name);
    row.number(("receiverType", "receiver_type"), i64::from(receiver.kind));
    row.text(("receiverTypeView", "receiver_type_view"), view(receiver.kind));
    // the legacy API does not know the id
    if let Some(id) = receiver.id.filter(|_| !row.style.snake) {
        row.text(("receiverId", "receiver_id"), id);
    }
}

fn member(out: &mut Vec<u8>, style: Style, person: &Receiver<'_>, role: u8) {
    let mut entry = Object::open(out, style);
    let (kind, view) = if person.kind == 1 { (1, "群") } else { (2, "用户") };
    entry.text(("memberName", "member_name"), person.name);
    entry.number(("memberType", "member_type"), kind);
    entry.text(("memberTypeView", "member_type_view"), view);
    entry.number(("permissionRole", "permission_role"), i64::from(role));
    let view = ["无权限", "可查看/下载", "可编辑", "管理者", "仅可查看"].get(usize::from(role)).copied().unwrap_or("");
    entry.text(("permissionRoleView", "permission_role_view"), view);
    entry.close();
}

/// The answer of `GetFileDownloadInfo`, as a collector keeps it.
fn storage(outer: &mut Object<'_>, evidence: &Evidence, salt: u64) {
    outer.object(("storage", "storage"), |storage| {
        storage.text(("partitionType", "partitionType"), evidence.partition);
        storage.text(("storageDriver", "storageDriver"), "DINGTALK");
        storage.text(("protocol", "protocol"), "HEADER_SIGNATURE");
        storage.object(("headerSignatureInfo", "headerSignatureInfo"), |signed| {
            let urls = signed.key(("resourceUrls", "resourceUrls"));
            urls.extend_from_slice(b"[\"");
            urls.extend_from_slice(evidence.url.as_bytes());
            token(urls, salt, 24);
            urls.extend_from_slice(b".file\"]");
            signed.number(("expirationSeconds", "expirationSeconds"), 900);
            signed.text(("region", "region"), evidence.region);
        });
    });
}

/// Letters and digits that look like a token.
pub(super) fn token(out: &mut Vec<u8>, salt: u64, length: u32) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789Aa";
    let mut left = salt;
    for _ in 0..length {
        out.push(LETTERS[(left >> 58) as usize]);
        left = left.rotate_left(6).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
