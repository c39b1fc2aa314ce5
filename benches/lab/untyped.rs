//! A tree of values, asked by name.

use std::borrow::Cow;

use harbourwatch::dingtalk::codes;
use harbourwatch::domain::event::{App, Counterpart, Event, Id, Personal, Storage};
use serde_json::Value;

use super::fields::{Fields, File, Ids, time_of_number, time_of_text};

fn pick<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| value.get(name)).filter(|found| !found.is_null())
}

fn text<'a>(value: &'a Value, names: &[&str]) -> Option<Cow<'a, str>> {
    pick(value, names)?.as_str().filter(|text| !text.is_empty()).map(Cow::Borrowed)
}

fn number(value: &Value, names: &[&str]) -> Option<i64> {
    let found = pick(value, names)?;
    found.as_i64().or_else(|| found.as_str()?.parse().ok())
}

fn time(value: &Value, names: &[&str]) -> Option<i64> {
    let found = pick(value, names)?;
    match found.as_i64() {
        Some(number) => time_of_number(number),
        None => time_of_text(found.as_str()?),
    }
}

fn one_id(value: &Value) -> Option<Id<'_>> {
    match value {
        Value::Number(number) => number.as_u64().map(Id::Number),
        Value::String(text) if !text.is_empty() => Some(Id::from_text(Cow::Borrowed(text))),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn id<'a>(value: &'a Value, names: &[&str]) -> Option<Id<'a>> {
    pick(value, names).and_then(one_id)
}

fn ids<'a>(value: &'a Value, names: &[&str]) -> Ids<'a> {
    match pick(value, names) {
        Some(Value::Array(items)) => Ids { items: items.iter().filter_map(one_id).collect(), array: true },
        Some(one) => Ids { items: one_id(one).into_iter().collect(), array: false },
        None => Ids::default(),
    }
}

fn list<'a>(value: &'a Value, names: &[&str]) -> &'a [Value] {
    pick(value, names).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn person(value: &Value, member: bool) -> Counterpart<'_> {
    let word = || pick(value, &["memberType"])?.as_str().and_then(codes::member_type);
    let kind = number(value, &["receiverType", "receiver_type", "memberType", "member_type"]).or_else(word);
    Counterpart {
        id: id(value, &["memberId", "receiverId"]).map(Personal::new),
        name: text(value, &["memberName", "member_name", "receiverName", "receiver_name"]).map(Personal::new),
        kind,
        member: member || pick(value, &["receiverType", "receiver_type"]).is_none(),
        role: number(value, &["permissionRole", "permission_role"]),
    }
}

fn fields(value: &Value) -> Fields<'_> {
    let head = value.get("headers").unwrap_or(&Value::Null);
    let signed = value.get("_enrichment").and_then(|it| it.get("storage")?.get("headerSignatureInfo"));
    let signed = signed.unwrap_or(&Value::Null);
    let hosts = list(signed, &["resourceUrls"]).iter().filter_map(Value::as_str).map(Cow::Borrowed).collect();
    let files = list(value, &["fileRecords"]).iter().map(|file| File {
        conversation: id(file, &["openCid"]),
        name: text(file, &["fileName"]),
        user: id(file, &["userId"]),
        request: id(file, &["requestId"]),
    });
    let apps = value.get("authInfo").map_or(&[][..], |info| list(info, &["agent"]));
    let apps = apps.iter().map(|app| App { code: id(app, &["appid"]), name: text(app, &["agentName"]) });
    let members = list(value, &["docMemberList", "doc_member_info_list"]).iter().chain(value.get("member"));
    let auth_corp = value.get("authCorpInfo").unwrap_or(&Value::Null);
    let auth_user = value.get("authUserInfo").unwrap_or(&Value::Null);
    Fields {
        snake: value.get("gmt_create").is_some(),
        capital: value.get("EventType").is_some(),
        framed: head.get("eventType").is_some(),
        action: number(value, &["action"]),
        module: number(value, &["operateModule", "operate_module"]),
        platform: number(value, &["platform"]),
        status: number(value, &["status"]),
        created: time(value, &["gmtCreate", "gmt_create"]),
        size: number(value, &["resourceSize", "resource_size"]),
        biz: id(value, &["bizId", "biz_id", "BizId"]),
        space: id(value, &["targetSpaceId", "target_space_id", "spaceId"]),
        workspace: id(value, &["workSpaceId", "work_space_id", "teamId"]),
        previous: id(value, &["prevWorkSpaceId", "prev_work_space_id"]),
        receiver_id: id(value, &["receiverId"]),
        receiver_type: number(value, &["receiverType", "receiver_type"]),
        receiver_name: text(value, &["receiverName", "receiver_name"]),
        operator_name: text(value, &["operatorName", "operator_name"]),
        real_name: text(value, &["realName", "real_name"]),
        org: text(value, &["orgName", "org_name"]),
        resource: text(value, &["resource"]),
        extension: text(value, &["resourceExtension", "resource_extension", "extension"]),
        url: text(value, &["docPcUrl", "doc_pc_url"]),
        address: text(value, &["ipAddress", "ip_address"]),
        user: ids(value, &["userId", "userid"]),
        union: ids(value, &["unionId"]),
        receivers: list(value, &["docReceiverList", "doc_receiver_list"]).iter().map(|it| person(it, false)).collect(),
        members: members.map(|it| person(it, true)).collect(),
        storage: Storage { region: text(signed, &["region"]), hosts, bucket: None },
        tenant: text(value, &["corpId", "eventCorpId", "CorpId", "corp_id"])
            .or_else(|| text(head, &["eventCorpId"]))
            .or_else(|| text(auth_corp, &["corpid"])),
        event_type: text(value, &["eventType", "EventType"]).or_else(|| text(head, &["eventType"])),
        sync_action: text(value, &["syncAction"]),
        event_id: text(value, &["eventId"]).or_else(|| text(head, &["eventId"])),
        born: time(value, &["eventBornTime", "EventTime"]).or_else(|| time(head, &["eventBornTime"])),
        stamp: time(value, &["timeStamp"]),
        operated: time(value, &["operateTime"]),
        biz_type: number(value, &["biz_type"]),
        dentry: id(value, &["dentryId"]),
        conversation: id(value, &["openConversationId"]),
        operator: id(value, &["operator"]).or_else(|| id(auth_user, &["userId"])),
        app_code: id(value, &["coolAppCode"]),
        detail: text(value, &["type"]),
        success: value.get("success").and_then(Value::as_bool),
        files: files.collect(),
        apps: apps.collect(),
    }
}

/// Gives the events of a tree. What is no event counts as rejected.
pub fn events<'a>(value: &'a Value, tenant: Option<&Cow<'a, str>>, each: &mut impl FnMut(Option<Event<'_>>)) {
    let outer = text(value, &["corpId"]);
    let outer = outer.as_ref().or(tenant);
    if let Some(rows) = value.get("list").and_then(Value::as_array) {
        return rows.iter().for_each(|row| events(row, outer, each));
    }
    if let Some(inner) = pick(value, &["payload", "result"]).filter(|inner| inner.is_object()) {
        return events(inner, outer, each);
    }
    let own = fields(value);
    if own.is_row() {
        return each(Some(own.into_row(tenant)));
    }
    if !own.is_push() {
        return each(None);
    }
    match pick(value, &["data", "biz_data"]) {
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(body) => own.into_push(Some(fields(&body)), tenant, &mut |event| each(Some(event))),
            Err(_) => each(None),
        },
        Some(body) => own.into_push(Some(fields(body)), tenant, &mut |event| each(Some(event))),
        None => own.into_push(None, tenant, &mut |event| each(Some(event))),
    }
}
