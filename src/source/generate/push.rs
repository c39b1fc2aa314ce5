//! Push events in the four shapes that they come in: Stream frame, flattened by a collector, HTTP callback, RDS row.

use super::holdings::{Space, Spot, TENANT};
use super::json::{Object, Style, string};
use super::organisation::{AT_HEAD_OFFICE, Organisation};
use super::rng::{Rng, Weighted};
use super::row::token;

const UNIFIED_APP: &str = "7f1c9d52-6a0e-4d6f-9b1e-0c2a5c3f47bc";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Stream,
    Flattened,
    Http,
    Rds,
}

static SHAPES: Weighted<Shape> =
    Weighted::new(&[(50, Shape::Stream), (30, Shape::Flattened), (12, Shape::Http), (8, Shape::Rds)]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Dentry,
    Chat,
    People,
    App,
    SendCheck,
    TeamMember,
    Contact,
    Suite,
    Export,
    HandOver,
}

/// Event type, `biz_type` of the RDS row, and what the body looks like.
static TYPES: Weighted<(&str, i64, Body)> = Weighted::new(&[
    (110, ("storage_dentry_create", 233, Body::Dentry)),
    (110, ("storage_dentry_update", 234, Body::Dentry)),
    (120, ("storage_dentry_delete", 235, Body::Dentry)),
    (25, ("chat_add_member", 177, Body::Chat)),
    (130, ("chat_remove_member", 178, Body::Chat)),
    (120, ("chat_update_title", 181, Body::Chat)),
    (60, ("chat_disband", 182, Body::Chat)),
    (150, ("user_modify_org", 13, Body::People)),
    (60, ("user_add_org", 13, Body::People)),
    (60, ("user_leave_org", 13, Body::People)),
    (10, ("org_admin_add", 13, Body::People)),
    (12, ("im_cool_app_install", 158, Body::App)),
    (8, ("im_cool_app_uninstall", 159, Body::App)),
    (10, ("org_file_send_check", 0, Body::SendCheck)),
    (10, ("doc_spaces_team_member_change", 0, Body::TeamMember)),
    (6, ("contact_add_org", 20, Body::Contact)),
    (4, ("org_suite_auth", 4, Body::Suite)),
    (10, ("doc_export_completed", 493, Body::Export)),
    (5, ("exclusive_data_transfer", 219, Body::HandOver)),
]);

/// Apps of the catalogue, and one that nobody reviewed.
static APPS: Weighted<(i64, &str)> = Weighted::new(&[
    (78, (60904, "Lantau Sign")),
    (15, (52317, "Qianjiang Ticket Bridge")),
    (5, (71188, "Coastal Drop")),
    (2, (90001, "PDF Convert Cloud")),
]);

/// One event, before it takes a shape.
struct Push<'o> {
    kind: &'static str,
    biz_type: i64,
    body: Body,
    at: i64,
    user: &'o str,
    space: u64,
    app: (i64, &'static str),
    salt: u64,
}

/// Writes a push event. `scratch` is for the inner text of a Stream frame.
pub(super) fn push(out: &mut Vec<u8>, scratch: &mut Vec<u8>, from: (&Organisation, &Space), at: i64, rng: &mut Rng) {
    let (organisation, space) = from;
    let &(kind, biz_type, body) = TYPES.pick(rng);
    let user = &rng.pick(&organisation.people[AT_HEAD_OFFICE]).id;
    let space = match space.id {
        Spot::Space(id) | Spot::Unlisted(id) => id,
        Spot::Wiki(_) => 25_011_804_000,
    };
    let push = Push { kind, biz_type, body, at, user, space, app: *APPS.pick(rng), salt: rng.next() };
    match SHAPES.pick(rng) {
        Shape::Stream => push.stream(out, scratch),
        Shape::Flattened => push.flattened(out),
        Shape::Http => push.http(out),
        Shape::Rds => push.rds(out),
    }
}

const fn same(key: &'static str) -> super::json::Key {
    (key, key)
}

impl Push<'_> {
    /// The SDK hands over the data as text; times are strings.
    fn stream(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        let mut frame = Object::open(out, Style { quoted: true, ..Style::default() });
        frame.text(same("specVersion"), "1.0");
        frame.text(same("type"), "EVENT");
        frame.object(same("headers"), |headers| {
            headers.text(same("topic"), "dingTalk");
            self.token(headers, same("messageId"), 20);
            headers.text(same("contentType"), "application/json");
            headers.number(same("time"), self.at + 310);
            headers.text(same("eventType"), self.kind);
            self.id(headers, same("eventId"));
            headers.text(same("eventCorpId"), TENANT);
            headers.number(same("eventBornTime"), self.at);
            headers.text(same("eventUnifiedAppId"), UNIFIED_APP);
        });
        scratch.clear();
        let mut data = Object::open(scratch, Style::default());
        self.body(&mut data);
        data.close();
        string(frame.key(same("data")), &String::from_utf8_lossy(scratch), false);
        frame.close();
    }

    fn flattened(&self, out: &mut Vec<u8>) {
        let mut event = Object::open(out, Style::default());
        event.text(same("eventUnifiedAppId"), UNIFIED_APP);
        event.text(same("eventCorpId"), TENANT);
        event.text(same("eventType"), self.kind);
        self.id(&mut event, same("eventId"));
        event.number(same("eventBornTime"), self.at);
        event.object(same("data"), |data| self.body(data));
        event.close();
    }

    fn http(&self, out: &mut Vec<u8>) {
        let mut event = Object::open(out, Style::default());
        event.text(same("EventType"), self.kind);
        event.number(same("EventTime"), self.at);
        event.text(same("CorpId"), TENANT);
        event.text(same("BizId"), &self.at.to_string());
        self.id(&mut event, same("eventId"));
        self.body(&mut event);
        event.close();
    }

    fn rds(&self, out: &mut Vec<u8>) {
        let mut event = Object::open(out, Style::default());
        event.text(same("corp_id"), TENANT);
        event.text(same("biz_id"), &self.at.to_string());
        event.number(same("biz_type"), self.biz_type);
        event.object(same("biz_data"), |data| {
            data.text(same("syncAction"), self.kind);
            self.id(data, same("eventId"));
            self.body(data);
        });
        event.close();
    }

    fn body(&self, data: &mut Object<'_>) {
        match self.body {
            Body::Dentry => self.dentry(data),
            Body::Chat => self.chat(data),
            Body::People => {
                data.text(same("timeStamp"), &self.at.to_string());
                self.users(data);
            }
            Body::App => self.install(data),
            Body::SendCheck => self.send_check(data),
            Body::TeamMember => self.team_member(data),
            Body::Contact => self.contact(data),
            Body::Suite => self.suite(data),
            Body::Export => data.raw(same("body"), "{}"),
            Body::HandOver => {
                data.raw(same("success"), "true");
                data.text(same("userId"), self.user);
            }
        }
    }

    fn dentry(&self, data: &mut Object<'_>) {
        data.text(same("spaceId"), &self.space.to_string());
        data.text(same("dentryId"), &(self.salt % 1_000_000_000).to_string());
        data.text(same("eventScope"), "ORG");
        data.text(same("eventScopeId"), TENANT);
        data.text(same("extension"), "xlsx");
        self.union(data, same("unionId"));
        data.text(same("type"), "FILE");
    }

    fn chat(&self, data: &mut Object<'_>) {
        data.number(same("timeStamp"), self.at);
        self.users(data);
        data.raw(same("unionId"), "[]");
        self.token(data, same("openConversationId"), 28);
        data.text(same("operator"), self.user);
    }

    fn install(&self, data: &mut Object<'_>) {
        data.text(same("coolAppCode"), &self.app.0.to_string());
        data.text(same("operateTime"), &self.at.to_string());
        data.text(same("openConversationCorpId"), TENANT);
        self.token(data, same("openConversationId"), 28);
        data.text(same("operator"), self.user);
    }

    fn send_check(&self, data: &mut Object<'_>) {
        let out = data.key(same("fileRecords"));
        out.push(b'[');
        let mut file = Object::open(out, Style::default());
        self.token(&mut file, same("openCid"), 28);
        file.text(same("fileName"), "護照副本_何大文.pdf");
        self.token(&mut file, same("ossKey"), 48);
        self.token(&mut file, same("requestId"), 16);
        file.text(same("userId"), self.user);
        file.close();
        out.push(b']');
    }

    fn team_member(&self, data: &mut Object<'_>) {
        self.union(data, same("unionId"));
        data.text(same("teamId"), "Yq8KvZ1rNm4XpLdT");
        data.text(same("roleCode"), "3");
        data.object(same("member"), |member| {
            member.text(same("memberName"), "林晓彤");
            member.text(same("memberType"), "USER");
            self.union(member, same("memberId"));
        });
        data.text(same("type"), "TEAM_ADD_MEMBER");
    }

    fn contact(&self, data: &mut Object<'_>) {
        data.text(same("userId"), "12345");
        data.text(same("name"), "Tan Wei Ling");
        data.text(same("mobile"), "81230000");
        data.text(same("stateCode"), "65");
        data.text(same("companyName"), "Straits Freight Pte Ltd");
        data.text(same("followerUserId"), self.user);
    }

    fn suite(&self, data: &mut Object<'_>) {
        data.object(same("authCorpInfo"), |corp| corp.text(same("corpid"), TENANT));
        data.object(same("authUserInfo"), |user| user.text(same("userId"), self.user));
        data.object(same("authInfo"), |info| {
            let out = info.key(same("agent"));
            out.push(b'[');
            let mut agent = Object::open(out, Style::default());
            agent.number(same("agentid"), 2_574_805_120);
            agent.number(same("appid"), self.app.0);
            agent.text(same("agentName"), self.app.1);
            agent.close();
            out.push(b']');
        });
    }

    fn users(&self, data: &mut Object<'_>) {
        let out = data.key(same("userId"));
        out.push(b'[');
        string(out, self.user, false);
        out.push(b']');
    }

    fn union(&self, data: &mut Object<'_>, key: super::json::Key) {
        let out = data.key(key);
        out.push(b'"');
        token(out, self.salt, 13);
        out.extend_from_slice(b"iEiE\"");
    }

    fn token(&self, data: &mut Object<'_>, key: super::json::Key, length: u32) {
        let out = data.key(key);
        out.push(b'"');
        token(out, self.salt ^ u64::from(length), length);
        out.push(b'"');
    }

    fn id(&self, data: &mut Object<'_>, key: super::json::Key) {
        data.text(key, &format!("{:016x}{:016x}", self.salt, self.salt.rotate_left(29) ^ self.at.unsigned_abs()));
    }
}
