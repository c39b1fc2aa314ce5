//! What must not get lost without a word: a receiver, a claim about a storage, one of several events, a body, an error.

use harbourwatch::dingtalk::{Decoder, Envelope, Limits, Path, Reason};
use harbourwatch::domain::event::{Act, Counterpart, Event, Id, Personal, Shape};
use harbourwatch::pipeline::fingerprint::{FingerprintKey, fingerprint};

use super::quirks::{ROW, one, rejected, with};
use super::render::leg_lines;
use super::{decode, decode_with};

fn legs(json: &str) -> String {
    leg_lines(&one(json))
}

#[test]
fn one_push_event_about_several_things_is_several_events() {
    for (message, count) in [
        (r#""org_suite_auth","data":{"authInfo":{"agent":[{"appid":1000},{"appid":1001},{"agentName":"B"}]}}"#, 3),
        (r#""org_suite_auth","data":{"authInfo":{"agent":[{"agentid":5},{"appid":1001}]}}"#, 2),
        (
            r#""org_file_send_check","data":{"fileRecords":[{"openCid":"c","fileName":"a","requestId":"1"},
                {"openCid":"c","fileName":"a","requestId":"2"},{"openCid":"c","fileName":"b","requestId":"2"},
                {"openCid":"d","fileName":"b","requestId":"2"},{"openCid":"d","fileName":"b","requestId":"2","userId":"u"}]}"#,
            5,
        ),
    ] {
        let message = format!(r#"{{"eventId":"e","eventType":{message}}}"#);
        let key = FingerprintKey([7; 16]);
        let print = |event: &Event<'_>| fingerprint(event, &key).expect("has an event id");
        let prints: std::collections::HashSet<u128> =
            decode(message.as_bytes()).iter().map(|event| print(event.as_ref().unwrap())).collect();
        assert_eq!(prints.len(), count, "{message}");
    }
}

#[test]
fn receivers_of_different_kinds_are_different_receivers() {
    let key = FingerprintKey([7; 16]);
    let print = |kind, member| {
        let mut event = Event::new(Shape::AuditRow, Act::Audit(8));
        (event.biz_id, event.time) = (Some(Id::Number(1)), Some(1_763_456_712_345));
        let name = Some(Personal::new("Harbour".into()));
        event.counterparts.push(Counterpart { name, kind, member, ..Counterpart::default() });
        fingerprint(&event, &key)
    };
    assert_ne!(print(Some(0), false), print(Some(1), false));
    assert_ne!(print(Some(1), false), print(Some(1), true));
    assert_eq!(print(Some(1), false), print(Some(1), false));
}

#[test]
fn what_is_put_into_a_chat_reaches_its_receiver() {
    let upload = |fields: &str| legs(&format!(r#"{{"action":0,"bizId":1,{fields}}}"#));
    for module in [1, 2, 6, 7, 10, 11] {
        let stored = format!(r#""operateModule":{module}"#);
        assert_eq!(upload(&stored), "upload: actor -> storage\nsend: storage -> unknown\n", "{module}");
        let sent = format!(r#"{stored},"receiverName":"r","receiverType":2"#);
        assert_eq!(upload(&sent), "upload: actor -> storage\nsend: storage -> r\n", "{module}");
    }
    let sent = "upload: actor -> storage\nsend: storage -> r\n";
    for fields in [
        r#""receiverName":"r","receiverType":1"#,
        r#""operateModule":99,"receiverName":"r","receiverType":0"#,
        r#""operateModule":99,"receiverName":"r""#,
        r#""operateModule":23,"receiverId":"r","receiverType":"0""#,
    ] {
        assert_eq!(upload(fields), sent, "{fields}");
    }
    for fields in [r#""operateModule":23"#, r#""operateModule":23,"receiverName":"r","receiverType":2"#] {
        assert_eq!(upload(fields), "upload: actor -> storage\n", "{fields}");
    }
    assert_eq!(
        upload(r#""operateModule":23,"receiverType":1,"receiverName":"""#),
        "upload: actor -> storage\nsend: storage -> -\n",
        "a group without a name"
    );
    let overwritten = r#"{"action":4,"bizId":1,"receiverName":"r","receiverType":1}"#;
    assert_eq!(legs(overwritten), sent);
}

#[test]
fn a_share_with_receivers_and_members_reaches_both() {
    let lists = r#""bizId":1,"docReceiverList":[{"receiverName":"r","receiverType":0},{"receiverName":"d","receiverType":3}],
        "docMemberList":[{"memberName":"m","memberType":2,"permissionRole":1},{"memberName":"x","permissionRole":0}]"#;
    let share = "share_grant: storage -> ";
    assert_eq!(legs(&format!(r#"{{"action":15,{lists}}}"#)), format!("{share}r\n{share}d\n{share}m\n"));
    assert_eq!(
        legs(&format!(r#"{{"action":20,{lists}}}"#)),
        format!("{share}r\n{share}m\n"),
        "not the document itself"
    );
}

#[test]
fn outsiders_among_those_added_are_kept() {
    let added = |users: &str, unions: &str| {
        one(&format!(
            r#"{{"eventType":"chat_add_member","eventId":"e","data":{{"operator":"o","userId":{users},"unionId":{unions}}}}}"#
        ))
        .counterparts
        .len()
    };
    assert_eq!(added(r#"["a","b"]"#, r#"["n","m"]"#), 2);
    assert_eq!(added(r#"["a","b"]"#, r#"["n"]"#), 3);
    assert_eq!(added(r#"["a"]"#, r#"["n","m"]"#), 3);
}

#[test]
fn a_handover_that_failed_moves_nothing() {
    let stream = |success: &str| {
        legs(&format!(
            r#"{{"eventType":"exclusive_data_transfer","eventId":"e","data":{{"success":{success},"userId":"u"}}}}"#
        ))
    };
    let http = |success: &str| {
        legs(&format!(r#"{{"EventType":"exclusive_data_transfer","eventId":"e","Success":{success},"UserId":"u"}}"#))
    };
    for success in ["false", "\"false\"", "\"False\"", "0"] {
        assert_eq!((stream(success), http(success)), ("nothing\n".into(), "nothing\n".into()), "{success}");
    }
    let moved = "share_grant: storage -> unknown\n";
    for success in ["true", "\"true\"", "1", "null", "\"\"", "{}", "\"who knows\"", "false,\"success\":true"] {
        assert_eq!((stream(success), http(success)), (moved.into(), moved.into()), "{success}");
    }
}

#[test]
fn an_error_of_the_api_is_no_empty_page() {
    for body in [
        r#"{"errcode":90018,"errmsg":"too many calls"}"#,
        r#"{"errcode":90018,"errmsg":"too many calls","result":{"list":[]}}"#,
        r#"{"errcode":"88","list":[]}"#,
        r#"{"errcode":-1,"errmsg":"busy","success":false,"result":{"list":[]}}"#,
        r#"{"success":false,"result":{"list":[]}}"#,
        r#"{"body":{"errcode":90002,"result":{"list":[]}}}"#,
        r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","url":"https://a.example"}"#,
        r#"{"code":"Forbidden.AccessDenied.QpsLimitForApi","message":"limited","requestid":"1"}"#,
        r#"{"payload":"<html><body>{}</body></html>"}"#,
    ] {
        assert_eq!(rejected(body).0, Reason::NoEvent, "{body}");
    }
    assert_eq!(rejected("<html><body>refused</body></html>").0, Reason::NotJson);
    for body in [r#"{"errcode":0,"result":{"list":[]}}"#, r#"{"errcode":"0","success":true,"list":[]}"#] {
        assert_eq!(decode(body.as_bytes()), [], "{body}");
    }
    one(&format!(r#"{{"errcode":90018,"result":{{"list":[{ROW}]}}}}"#));
}

#[test]
fn a_byte_order_mark_is_read_over() {
    assert_eq!(one(&format!("\u{feff}{ROW}")), one(ROW));
    assert_eq!(rejected("\u{feff}").0, Reason::NotJson);
    assert_eq!(rejected(&format!("{ROW}\u{feff}")).0, Reason::NotJson);
    assert_eq!(rejected(&format!("{ROW}{ROW}")).0, Reason::NotJson);
    assert_eq!(rejected("\u{feff}{\"a\":x}"), (Reason::NotJson, "byte 5".into()));
}

#[test]
fn a_body_that_cannot_be_read_is_not_no_body() {
    for data in [r#""garbage""#, "7", "true", r#""7""#] {
        let text = format!(r#"{{"eventType":"storage_dentry_create","eventId":"e","data":{data}}}"#);
        assert_eq!(rejected(&text), (Reason::BadField, "field data".into()), "{data}");
    }
    for data in ["null", r#""""#, "{}", r#""{}""#, r#"" ""#] {
        one(&format!(r#"{{"eventType":"storage_dentry_create","eventId":"e","data":{data}}}"#));
    }
    let body = r#"{"spaceId":"24870551923","unionId":"n\u738b\"\\"}"#;
    let written = |text: &str| serde_json::to_string(text).unwrap();
    let frame =
        |data: &str| format!(r#"{{"headers":{{"eventType":"storage_dentry_create","eventId":"e"}},"data":{data}}}"#);
    let expected = one(&frame(body));
    assert_eq!(expected.actor.union_id.as_ref().unwrap().reveal(), "n王\"\\");
    for message in [
        frame(&written(body)),
        frame(&written(&written(body))),
        format!(r#"{{"message":{}}}"#, written(&frame(&written(body)))),
        written(&frame(&written(body))),
        written(&written(&frame(&written(body)))),
    ] {
        assert_eq!(one(&message), expected, "{message}");
    }
}

#[test]
fn a_claim_about_the_storage_is_not_lost() {
    let region = |text: &str| one(text).storage.region.map(std::borrow::Cow::into_owned);
    let unknown = with(r#""_enrichment":{"region":"UNKNOWN"}"#);
    assert_eq!(region(&format!(r#"{{"_enrichment":{{"region":"SHANGHAI"}},"data":{unknown}}}"#)).unwrap(), "SHANGHAI");
    assert_eq!(region(&format!(r#"{{"data":{unknown}}}"#)).unwrap(), "UNKNOWN");
    for urls in [r#"[null,"https://b"]"#, r#"["","https://b"]"#, r#"["https://b",null]"#] {
        let text = with(&format!(r#""_enrichment":{{"headerSignatureInfo":{{"resourceUrls":{urls}}}}}"#));
        assert_eq!(one(&text).storage.hosts.iter().collect::<Vec<_>>(), ["https://b"], "{urls}");
    }
}

#[test]
fn a_configured_place_hides_nothing_that_is_said_elsewhere() {
    let path = |dotted| Some(Path::parse(dotted).unwrap());
    let decode = |envelope, message: &str| {
        let decoder = Decoder::new(envelope, Limits::default());
        let event = decode_with(&decoder, message.as_bytes()).remove(0).unwrap().into_owned();
        (event.tenant.map(|text| text.into_owned()), event.storage.region.map(|text| text.into_owned()))
    };
    let said = (Some("t".to_owned()), Some("SHANGHAI".to_owned()));
    let around = format!(r#"{{"corpId":"t","a":{{"_enrichment":{{"region":"SHANGHAI"}},"b":{ROW}}}}}"#);
    let payload = || Envelope { payload: path("a.b"), ..Envelope::default() };
    assert_eq!(decode(payload(), &around), said);
    for nothing in ["{}", "null", r#"{"api":"x"}"#] {
        let row = with(&format!(r#""corpId":"t","where":{nothing},"_enrichment":{{"region":"SHANGHAI"}}"#));
        assert_eq!(decode(Envelope { enrichment: path("where"), ..Envelope::default() }, &row), said, "{nothing}");
    }
}
