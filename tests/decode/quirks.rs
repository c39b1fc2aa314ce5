//! Shapes, envelopes and the known quirks of rows and push events, one by one.

use harbourwatch::dingtalk::{Decoder, Envelope, Limits, Path, Reason};
use harbourwatch::domain::event::{Act, Event, Id, Shape};

use super::{decode, decode_with};

pub(super) const ROW: &str =
    r#"{"action":2,"bizId":"24870551923184","gmtCreate":1763456712345,"ipAddress":"202.45.84.58"}"#;

pub(super) fn one(json: &str) -> Event<'static> {
    let mut results = decode(json.as_bytes());
    assert_eq!(results.len(), 1, "{json}");
    results.pop().expect("one").unwrap_or_else(|reject| panic!("{reject}: {json}")).into_owned()
}

pub(super) fn rejected(json: &str) -> (Reason, String) {
    let results = decode(json.as_bytes());
    assert_eq!(results.len(), 1, "{json}");
    let reject = results[0].as_ref().expect_err(json);
    (reject.reason, reject.detail.to_string())
}

/// A row with further fields.
pub(super) fn with(fields: &str) -> String {
    format!(r#"{{"action":2,"gmtCreate":1763456712345,{fields}}}"#)
}

#[test]
fn a_row_is_found_in_every_envelope() {
    let expected = one(ROW);
    let text = serde_json::to_string(ROW).unwrap();
    for message in [
        format!("[{ROW}]"),
        format!(r#"{{"list":[{ROW}]}}"#),
        format!(r#"{{"result":{{"list":[{ROW}]}}}}"#),
        format!(r#"{{"errcode":0,"errmsg":"ok","success":true,"result":{{"list":[{ROW}]}}}}"#),
        format!(r#"{{"payload":{ROW}}}"#),
        format!(r#"{{"data":{ROW},"offset":7}}"#),
        format!(r#"{{"before":null,"after":{ROW},"op":"c"}}"#),
        format!(r#"{{"message":{text}}}"#),
        format!(r#"{{"schema":{{"type":"struct"}},"payload":{{"after":{text}}}}}"#),
        format!(r#"{{"eventType":"audit","payload":{ROW}}}"#),
        format!(r#"{{"eventType":"audit","eventId":"a1","data":{ROW}}}"#),
        format!(r#"{{"action":"insert","resource":"audit","data":{ROW}}}"#),
        format!(r#"{{"data":{{"data":{{"data":{{"data":{ROW}}}}}}}}}"#),
        text.clone(),
        format!("[{text}]"),
        format!(" \n\t{ROW}\r\n"),
    ] {
        assert_eq!(one(&message), expected, "{message}");
    }
    assert_eq!(
        rejected(&format!(r#"{{"data":{{"data":{{"data":{{"data":{{"data":{ROW}}}}}}}}}}}"#)).0,
        Reason::NoEvent
    );
}

#[test]
fn the_nearest_envelope_names_tenant_and_storage() {
    for key in ["corpId", "corp_id", "tenant", "tenantId", "tenant_id", "CorpId", "eventCorpId"] {
        assert_eq!(one(&format!(r#"{{"{key}":"t1","payload":{ROW}}}"#)).tenant.as_deref(), Some("t1"), "{key}");
    }
    let nested = format!(
        r#"{{"tenant":"outer","_enrichment":{{"region":"SHANGHAI"}},"data":{{"tenant":"inner","data":{ROW}}}}}"#
    );
    let event = one(&nested);
    assert_eq!(event.tenant.as_deref(), Some("inner"));
    assert_eq!(event.storage.region.as_deref(), Some("SHANGHAI"));
    let page = format!(r#"{{"corpId":"t1","list":[{ROW},{}]}}"#, with(r#""corpId":"t2""#));
    let tenants: Vec<_> =
        decode(page.as_bytes()).into_iter().map(|event| event.unwrap().tenant.unwrap().into_owned()).collect();
    assert_eq!(tenants, ["t1", "t2"]);
}

#[test]
fn configured_places_are_exact() {
    let path = |dotted| Some(Path::parse(dotted).unwrap());
    let envelope = Envelope { payload: path("a.b"), tenant: path("meta.org"), enrichment: path("meta.where") };
    let decoder = Decoder::new(envelope, Limits::default());
    let message =
        format!(r#"{{"meta":{{"org":"acme","where":{{"region":"SHENZHEN"}}}},"a":{{"b":{ROW}}},"data":{ROW}}}"#);
    let results = decode_with(&decoder, message.as_bytes());
    let event = results[0].as_ref().unwrap();
    assert_eq!((event.tenant.as_deref(), event.storage.region.as_deref()), (Some("acme"), Some("SHENZHEN")));
    let reason = |message: &str| decode_with(&decoder, message.as_bytes())[0].as_ref().unwrap_err().reason;
    assert_eq!(reason(ROW), Reason::NoEvent);
    assert_eq!(reason(&format!(r#"{{"a":{{"b":{ROW},"b":{{}}}}}}"#)), Reason::Conflict);
    assert_eq!(reason(r#"{"a":{"b":{}}"#), Reason::NotJson);
    assert_eq!(Path::parse("a..b"), None);
}

#[test]
fn two_events_in_one_envelope_are_a_conflict() {
    assert_eq!(rejected(&format!(r#"{{"data":{ROW},"payload":{ROW}}}"#)).0, Reason::Conflict);
    assert_eq!(rejected(&with(&format!(r#""data":{ROW}"#))).0, Reason::Conflict);
    one(&format!(r#"{{"data":{{"x":1}},"payload":{ROW}}}"#));
}

#[test]
fn an_empty_page_loses_nothing_and_gives_nothing() {
    for page in ["[]", r#"{"list":[]}"#, r#"{"errcode":0,"result":{"list":[]}}"#] {
        assert_eq!(decode(page.as_bytes()), [], "{page}");
    }
    assert_eq!(rejected(r#"{"data":[]}"#).0, Reason::NoEvent);
}

#[test]
fn a_bad_row_costs_only_itself_and_a_broken_page_everything() {
    let page = format!(r#"{{"list":[{ROW},{},7,"x",[{ROW}],{{}},{ROW}]}}"#, with(r#""ipAddress":{}"#));
    let reasons: Vec<_> =
        decode(page.as_bytes()).into_iter().map(|event| event.map_err(|reject| reject.reason).err()).collect();
    let none = Some(Reason::NoEvent);
    assert_eq!(reasons, [None, Some(Reason::BadField), none, none, none, none, None]);
    assert_eq!(rejected(&format!(r#"{{"list":[{ROW},{ROW}"#)).0, Reason::NotJson);
    assert_eq!(rejected(&format!("[{ROW},{ROW}] x")).0, Reason::NotJson);
}

#[test]
fn what_is_no_json_tells_the_byte() {
    assert_eq!(rejected(""), (Reason::NotJson, "byte 0".into()));
    assert_eq!(rejected("{\"a\":\n01}"), (Reason::NotJson, "byte 7".into()));
    for text in [
        "nul",
        "{",
        r#"{"action":2"#,
        r#"{"x":01}"#,
        "{\"x\":\"\u{1}\"}",
        r#"{"x":"\q"}"#,
        r#"{"resource":"\ud800","action":2}"#,
    ] {
        assert_eq!(rejected(text).0, Reason::NotJson, "{text}");
    }
    for text in ["null", "7", r#""x""#, "{}", r#"{"list":{}}"#, r#"{"status":1111,"wait":5,"punish":"deny"}"#] {
        assert_eq!(rejected(text).0, Reason::NoEvent, "{text}");
    }
    assert_eq!(decode(b"{\"x\":\"\xff\"}")[0].as_ref().unwrap_err().reason, Reason::InvalidUtf8);
}

#[test]
fn bounds_hold() {
    let deep = |levels: usize| with(&format!(r#""x":{}{}"#, "[".repeat(levels), "]".repeat(levels)));
    one(&deep(63));
    assert_eq!(rejected(&deep(64)), (Reason::TooDeep, "limit 64".into()));
    let inner = serde_json::to_string(&deep(64)).unwrap();
    assert_eq!(rejected(&format!(r#"{{"data":{inner}}}"#)).0, Reason::TooDeep);
    let small = Decoder::new(Envelope::default(), Limits { bytes: 100, events: 2, ..Limits::default() });
    let reason = |text: &str| decode_with(&small, text.as_bytes())[0].as_ref().unwrap_err().reason;
    assert_eq!(reason(&" ".repeat(101)), Reason::TooLarge);
    assert_eq!(reason("[1,2,3]"), Reason::TooMany);
    assert_eq!(reason(r#"{"eventType":"org_file_send_check","data":{"fileRecords":[{},{},{}]}}"#), Reason::TooMany);
}

#[test]
fn a_decisive_field_given_twice_must_be_the_same_twice() {
    for (fields, field) in [
        (r#""ipAddress":"1.1.1.1","ipAddress":"8.8.8.8""#, "ipAddress"),
        (r#""ip\u0041ddress":"1.1.1.1","ipAddress":"8.8.8.8""#, "ipAddress"),
        (r#""ipAddress":"1.1.1.1","ip_address":"8.8.8.8""#, "ipAddress"),
        (r#""userId":"a","userid":"b""#, "userId"),
        (r#""userId":"a","user_id":"b""#, "userId"),
        (r#""action":3"#, "action"),
        (r#""gmt_create":1763456712346"#, "gmtCreate"),
        (r#""docMemberList":[{"memberName":"a","memberName":"b"}]"#, "docMemberList"),
        (r#""docMemberList":[{"memberName":"a"}],"doc_member_info_list":[{"memberName":"b"}]"#, "docMemberList"),
        (r#""_enrichment":{"region":"SHANGHAI"},"_enrichment":{"region":"SHENZHEN"}"#, "_enrichment"),
    ] {
        assert_eq!(rejected(&with(fields)), (Reason::Conflict, format!("field {field}")), "{fields}");
    }
    for fields in [
        r#""ipAddress":"1.1.1.1","ipAddress":"1.1.1.1""#,
        r#""userId":"7","userid":7"#,
        r#""userId":"a","userid":null,"user_id":"""#,
        r#""action":"2""#,
        r#""docMemberList":[],"doc_member_info_list":[{"memberName":"b"}]"#,
        r#""_enrichment":{"region":"UNKNOWN","storage":{"region":"SHENZHEN"}}"#,
    ] {
        one(&with(fields));
    }
}

#[test]
fn wrong_types_of_decisive_fields_are_refused_and_others_dropped() {
    for fields in [
        r#""ipAddress":{}"#,
        r#""ipAddress":true"#,
        r#""bizId":1e3"#,
        r#""targetSpaceId":18446744073709551616"#,
        r#""operateModule":"abc""#,
        r#""resource":["a"]"#,
        r#""docReceiverList":"x""#,
        r#""docMemberList":[{"permissionRole":{}}]"#,
        r#""_enrichment":"SHANGHAI""#,
        r#""_enrichment":{"region":{}}"#,
        r#""userId":["a","b"]"#,
    ] {
        assert_eq!(rejected(&with(fields)).0, Reason::BadField, "{fields}");
    }
    assert_eq!(rejected(r#"{"action":"abc","gmtCreate":1763456712345}"#), (Reason::BadField, "field action".into()));
    assert_eq!(rejected(r#"{"action":2,"gmtCreate":"soon","bizId":1}"#), (Reason::BadField, "field gmtCreate".into()));
    let event_text = with(r#""platform":"WIN","status":{},"resourceSize":-5,"realName":[],"operatorName":"x""#);
    let event = one(&event_text);
    assert_eq!((event.platform, event.status, event.size), (None, None, None));
    assert_eq!(event.actor.name.unwrap().reveal(), "x");
}

#[test]
fn numbers_and_strings_stand_for_each_other() {
    let text = r#"{"action":"8","bizId":0,"gmtCreate":"1763456712","targetSpaceId":"24870551923","resourceSize":"10","resource":2025}"#;
    let event = one(text);
    assert_eq!((event.act, event.biz_id), (Act::Audit(8), Some(Id::Number(0))));
    assert_eq!((event.time, event.size), (Some(1_763_456_712_000), Some(10)));
    assert_eq!(event.space, Some(Id::Number(24_870_551_923)));
    assert_eq!(event.resource.unwrap().reveal(), "2025");
    for (value, time) in
        [("0", None), ("-1", None), ("null", None), (r#""2025-11-18 17:05:12""#, Some(1_763_456_712_000))]
    {
        assert_eq!(one(&format!(r#"{{"action":2,"bizId":1,"gmtCreate":{value}}}"#)).time, time, "{value}");
    }
}

#[test]
fn an_address_field_is_kept_as_given() {
    for (value, expected) in [
        (r#""202.45.84.58""#, Some("202.45.84.58")),
        (r#"" Internal ""#, Some(" Internal ")),
        (r#""::ffff:10.0.0.1""#, Some("::ffff:10.0.0.1")),
        (r#"["202.45.84.58","8.8.8.8"]"#, Some("202.45.84.58,8.8.8.8")),
        (r#"["202.45.84.58",null]"#, Some("202.45.84.58")),
        ("3391968314", Some("3391968314")),
        ("[]", None),
        (r#""""#, None),
        ("null", None),
    ] {
        let text = with(&format!(r#""bizId":1,"ipAddress":{value}"#));
        assert_eq!(one(&text).address.as_ref().map(|address| address.reveal().as_ref()), expected, "{value}");
    }
}

#[test]
fn codes_win_over_texts_and_unknown_codes_pass() {
    let text =
        r#"{"action":0,"actionView":"企业群","receiverType":1,"receiverTypeView":"单聊","receiverName":"x","bizId":1}"#;
    assert_eq!(one(text).counterparts[0].kind, Some(1));
    let event = one(r#"{"action":77,"operateModule":99,"bizId":1}"#);
    assert_eq!((event.act, event.module), (Act::Audit(77), Some(99)));
}

#[test]
fn the_legacy_row() {
    let text = r#"{"action":20,"biz_id":"1","gmt_create":1763456712345,"ip_address":"1.2.3.4","operate_module":23,"userid":"u1",
        "real_name":"王芳","target_space_id":5,"receiver_name":"r","receiver_type":3,
        "doc_receiver_list":[{"receiver_name":"r","receiver_type":3},{"receiver_name":"s","receiver_type":0}],
        "doc_member_info_list":[{"member_name":"m","member_type":2,"permission_role":1}]}"#;
    let event = one(text);
    assert_eq!((event.shape, event.module, event.space.clone()), (Shape::LegacyRow, Some(23), Some(Id::Number(5))));
    let names: Vec<_> =
        event.counterparts.iter().map(|one| (one.name.as_ref().unwrap().reveal().as_ref(), one.member)).collect();
    assert_eq!(names, [("r", false), ("s", false), ("m", true)]);
    assert_eq!(event.counterparts[2].role, Some(1));
}

#[test]
fn swapped_lists_are_told_by_their_fields() {
    let text =
        with(r#""docReceiverList":[{"memberName":"m","permissionRole":2}],"docMemberList":[{"receiverName":"r"}]"#);
    let event = one(&text);
    assert_eq!(event.counterparts.iter().map(|one| one.member).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn storage_is_read_from_every_shape() {
    /// What was claimed: region, hosts, bucket.
    type Claimed<'a> = (Option<&'a str>, &'a [&'a str], Option<&'a str>);
    let cases: [(&str, Claimed<'_>); 11] = [
        (r#"{"region":"cn-hongkong","host":"h","bucket":"b"}"#, (Some("cn-hongkong"), &["h"], Some("b"))),
        (
            r#"{"storage":{"stsUploadInfo":{"bucket":"lippi-space-zjk","endPoint":"oss-cn-zhangjiakou.aliyuncs.com"}}}"#,
            (None, &["oss-cn-zhangjiakou.aliyuncs.com"], Some("lippi-space-zjk")),
        ),
        (r#"{"bucketName":"b","endpoint":"e","cloudType":"x"}"#, (None, &["e"], Some("b"))),
        // every address counts, the preferred one first, each once
        (
            r#"{"headerSignatureInfo":{"internalResourceUrls":["i","a"],"resourceUrls":["a","","b"],"region":"UNKNOWN"}}"#,
            (Some("UNKNOWN"), &["a", "b", "i"], None),
        ),
        (r#"{"headerSignatureInfo":{"resourceUrls":[],"internalResourceUrls":["i"]}}"#, (None, &["i"], None)),
        (r#"{"host":"h","storage":{"host":"k"}}"#, (None, &["h", "k"], None)),
        // an object about a storage counts wherever it stands
        (r#"{"answer":{"headerSignatureInfo":{"region":"SINGAPORE"}}}"#, (Some("SINGAPORE"), &[], None)),
        (r#"{"answers":[1,{"x":{"storage":{"host":"h"}}},null]}"#, (None, &["h"], None)),
        // and a region of anything else does not
        (r#"{"person":{"region":"cn-hongkong","host":"h"},"bucket":"b"}"#, (None, &[], Some("b"))),
        ("{}", (None, &[], None)),
        ("null", (None, &[], None)),
    ];
    for (enrichment, (region, hosts, bucket)) in cases {
        let storage = one(&with(&format!(r#""bizId":1,"_enrichment":{enrichment}"#))).storage;
        assert_eq!(storage.hosts.iter().map(AsRef::<str>::as_ref).collect::<Vec<_>>(), hosts, "{enrichment}");
        assert_eq!((storage.region.as_deref(), storage.bucket.as_deref()), (region, bucket), "{enrichment}");
    }
    let text = with(r#""bizId":1,"_enrichment":{"host":"h","host":"k"}"#);
    assert_eq!(rejected(&text).0, Reason::Conflict, "one field of one object, twice");
}

#[test]
fn frames_that_are_no_event() {
    for frame in [
        r#"{"specVersion":"1.0","type":"SYSTEM","headers":{"topic":"ping","messageId":"1"},"data":"{\"opaque\":\"x\"}"}"#,
        r#"{"specVersion":"1.0","type":"CALLBACK","headers":{"topic":"/v1.0/im/bot/messages/get"},"data":"{\"text\":{}}"}"#,
        r#"{"EventType":"check_url"}"#,
        r#"{"encrypt":"YvkvaGe4hQxd3VxRmEty0dVlnCOAqwf5"}"#,
    ] {
        assert_eq!(rejected(frame).0, Reason::NoEvent, "{frame}");
    }
}

#[test]
fn push_irregularities() {
    let agents = r#"{"eventType":"org_suite_auth","eventId":"e","data":{"authInfo":{"agent":[{"appid":1000,"agentName":"A"},{"appid":"1001"}]}}}"#;
    let codes: Vec<_> =
        decode(agents.as_bytes()).into_iter().map(|event| event.unwrap().app.unwrap().code.unwrap()).collect();
    assert_eq!(codes, [Id::Number(1000), Id::Number(1001)]);
    let files = r#"{"eventType":"org_file_send_check","eventId":"e","data":{"fileRecords":[{"openCid":"c1","fileName":"a","userId":"u1","requestId":"r1"},{"openCid":"c2","userId":"u2"}]}}"#;
    let sent = decode(files.as_bytes());
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].as_ref().unwrap().counterparts[0].id.as_ref().unwrap().reveal(), &Id::Text("c2".into()));
    let same =
        r#"{"eventType":"chat_add_member","eventId":"e","data":{"operator":"o","userId":["u"],"unionId":["n"]}}"#;
    assert_eq!(one(same).counterparts.len(), 1, "one person under two ids");
    let more = r#"{"eventType":"chat_add_member","eventId":"e","data":{"operator":"o","userId":["u"],"unionId":["n","outsider"]}}"#;
    assert_eq!(one(more).counterparts.len(), 3);
    let rds = r#"{"corp_id":"c","biz_id":"1763456799000","biz_type":233,"biz_data":"{\"spaceId\":\"1\"}"}"#;
    let event = one(rds);
    assert_eq!(
        (event.shape, event.act, event.time),
        (Shape::Rds, Act::Push("storage_dentry_create".into()), Some(1_763_456_799_000))
    );
    let numeric = r#"{"specVersion":"1.0","type":"EVENT","headers":{"eventType":"x_new","eventId":"e","eventBornTime":1763456713000},"data":{"spaceId":1}}"#;
    assert_eq!((one(numeric).time, one(numeric).shape), (Some(1_763_456_713_000), Shape::Stream));
}

#[test]
fn push_ambiguities_are_refused() {
    for (text, reason) in [
        (r#"{"eventType":"chat_quit","eventId":"a","event_id":"b"}"#, Reason::Conflict),
        (r#"{"eventType":"chat_quit","eventId":"a","data":{"eventType":"chat_disband"}}"#, Reason::Conflict),
        (r#"{"eventType":"chat_quit","eventId":"a","data":{},"data":{"x":1}}"#, Reason::Conflict),
        (r#"{"headers":{"eventType":"chat_quit"},"eventType":"chat_disband","data":"{}"}"#, Reason::Conflict),
        (r#"{"eventType":"chat_quit","eventId":"a","data":[{"x":1}]}"#, Reason::BadField),
        (r#"{"eventType":"chat_quit","eventId":{},"eventBornTime":1763456713000}"#, Reason::BadField),
        (r#"{"headers":{"eventType":"chat_quit"},"data":"{broken"}"#, Reason::NotJson),
    ] {
        assert_eq!(rejected(text).0, reason, "{text}");
    }
}
