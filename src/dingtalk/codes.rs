//! DingTalk's code tables (open platform, `ListAuditLog` and the pages of the event subscription), and beside each act
//! what it moves. [`super::legs`] goes by these tables and by nothing else.

/// What an act does to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Data go from the actor to the storage, and on to the chat partner that is named, if any.
    Store,
    /// As [`Class::Store`]; in a chat this is the way a file is sent, even where nobody is named.
    StoreOrSend,
    /// Data go from the storage to the actor.
    Receive,
    /// As [`Class::Receive`], on a screen only.
    Preview,
    /// Data go from the storage to receivers.
    Send,
    /// Receivers may read from now on.
    Share,
    /// Whoever has the link may read from now on.
    Publish,
    /// Data go from one storage to another.
    Relocate,
    /// Members get or lose a permission.
    Members,
    /// The whole organisation may read from now on.
    OpenToOrganisation,
    /// A third-party app may read from now on.
    ConnectApp,
    /// Data are handed to somebody whom the event does not name, unless it says that this failed.
    HandOver,
    /// A member of a knowledge base changes; [`TEAM_CHANGES`] says how.
    TeamChange,
    /// No data move: removal, renaming, withdrawal of a permission, people and settings.
    Nothing,
}

impl Class {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::StoreOrSend => "store_or_send",
            Self::Receive => "receive",
            Self::Preview => "preview",
            Self::Send => "send",
            Self::Share => "share",
            Self::Publish => "publish",
            Self::Relocate => "relocate",
            Self::Members => "members",
            Self::OpenToOrganisation => "open_to_organisation",
            Self::ConnectApp => "connect_app",
            Self::HandOver => "hand_over",
            Self::TeamChange => "team_change",
            Self::Nothing => "nothing",
        }
    }
}

/// One `action` code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// The code; also the index in [`ACTIONS`].
    pub code: i64,
    /// DingTalk's text.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// What it moves.
    pub class: Class,
}

const fn action(code: i64, zh: &'static str, en: &'static str, class: Class) -> ActionRow {
    ActionRow { code, zh, en, class }
}

/// `action` of a file operation record.
pub const ACTIONS: [ActionRow; 34] = [
    action(0, "上传文件", "upload file", Class::StoreOrSend),
    action(1, "删除文件", "delete file", Class::Nothing),
    action(2, "下载文件", "download file", Class::Receive),
    action(3, "预览文件", "preview file", Class::Preview),
    action(4, "覆盖文件", "overwrite file", Class::Store),
    action(5, "创建外链分享", "create external share link", Class::Publish),
    action(6, "重命名文件", "rename file", Class::Nothing),
    action(7, "移动文件", "move file", Class::Relocate),
    action(8, "复制或转发文件", "copy or forward file", Class::Send),
    action(9, "离职转交", "hand over when leaving", Class::Send),
    action(10, "创建文档", "create document", Class::Store),
    action(11, "删除文档", "delete document", Class::Nothing),
    action(12, "导出文档", "export document", Class::Receive),
    action(13, "预览文档", "preview document", Class::Preview),
    action(14, "回滚文档", "roll back document", Class::Nothing),
    action(15, "应用内分享文档", "share document in the app", Class::Share),
    action(16, "文档移动", "move document", Class::Relocate),
    action(17, "创建副本", "make a copy", Class::Store),
    action(18, "文档评论", "comment on document", Class::Nothing),
    action(19, "文档导入", "import document", Class::Store),
    action(20, "更改协作者", "change collaborators", Class::Members),
    action(21, "重命名", "rename", Class::Nothing),
    action(22, "撤回文件", "recall file", Class::Nothing),
    action(23, "知识库上传文件", "knowledge base: upload file", Class::Store),
    action(24, "文档组织内公开", "open document to the organisation", Class::OpenToOrganisation),
    action(25, "文档仅成员可见", "restrict document to members", Class::Nothing),
    action(26, "知识库组织内公开", "open knowledge base to the organisation", Class::OpenToOrganisation),
    action(27, "知识库仅成员可见", "restrict knowledge base to members", Class::Nothing),
    action(28, "知识库添加成员", "knowledge base: add member", Class::Members),
    action(29, "知识库移除成员", "knowledge base: remove member", Class::Nothing),
    action(30, "知识库修改成员", "knowledge base: change member", Class::Members),
    action(31, "知识库预览文件", "knowledge base: preview file", Class::Preview),
    action(32, "知识库下载文件", "knowledge base: download file", Class::Receive),
    action(33, "知识库移动文件", "knowledge base: move file", Class::Relocate),
];

/// A code and its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// The code.
    pub code: i64,
    /// DingTalk's text.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

const fn code(code: i64, zh: &'static str, en: &'static str) -> CodeRow {
    CodeRow { code, zh, en }
}

/// `operateModule` of a file operation record: where the act happened.
pub const MODULES: [CodeRow; 24] = [
    code(0, "我的文件", "my files"),
    code(1, "单聊或者普通群", "one-to-one chat or ordinary group"),
    code(2, "企业群", "enterprise group"),
    code(3, "公共区", "public area"),
    code(4, "微应用钉盘存储空间", "drive space of a micro app"),
    code(5, "共享文件夹", "shared folder"),
    code(6, "单聊", "one-to-one chat"),
    code(7, "普通群", "ordinary group"),
    code(8, "员工个人工作文件夹", "employee's personal work folder"),
    code(9, "临时空间", "temporary space"),
    code(10, "隐藏会话", "hidden conversation"),
    code(11, "会话", "conversation"),
    code(12, "收集文件", "collected files"),
    code(13, "自定义个人空间", "custom personal space"),
    code(14, "自定义业务空间", "custom business space"),
    code(15, "内部自定义企业空间", "internal custom enterprise space"),
    code(16, "项目钉盘", "project drive"),
    code(17, "群任务", "group task"),
    code(18, "收藏空间", "favourites"),
    code(19, "行业运营", "industry operations"),
    code(20, "ding空间", "DING space"),
    code(21, "日程ding空间", "calendar DING space"),
    code(22, "数据导出空间", "data export space"),
    code(23, "团队空间", "team space"),
];

/// Modules that are chats: what is uploaded there is sent to whoever is in the chat. No code says "send to chat".
pub const CHAT_MODULES: [i64; 6] = [1, 2, 6, 7, 10, 11];

/// Receiver codes that are a place for files rather than somebody: drive and document.
pub const PLACES: [i64; 2] = [2, 3];

/// Receiver code of one person: a one-to-one chat.
pub const ONE_TO_ONE: i64 = 0;

/// Member codes of a person and of an organisation.
pub const NAMED_MEMBERS: [i64; 2] = [2, 3];

/// `platform` of a file operation record. Other DingTalk interfaces number platforms differently.
pub const PLATFORMS: [CodeRow; 5] = [
    code(0, "iOS", "iOS"),
    code(1, "安卓", "Android"),
    code(2, "网页", "Web"),
    code(11, "Windows", "Windows"),
    code(12, "Mac", "Mac"),
];

/// `receiverType`.
pub const RECEIVERS: [CodeRow; 4] = [
    code(0, "单聊", "one-to-one chat"),
    code(1, "群聊", "group chat"),
    code(2, "钉盘", "drive"),
    code(3, "文档", "document"),
];

/// `memberType`.
pub const MEMBERS: [CodeRow; 4] =
    [code(0, "部门", "department"), code(1, "群", "group"), code(2, "用户", "user"), code(3, "组织", "organisation")];

/// `permissionRole`. A role of 0 grants nothing.
pub const ROLES: [CodeRow; 5] = [
    code(0, "无", "none"),
    code(1, "查看和下载", "view and download"),
    code(2, "编辑", "edit"),
    code(3, "管理", "manager"),
    code(4, "仅查看", "view only"),
];

/// `memberType` as push events write it, in words, with its code in [`MEMBERS`].
pub const MEMBER_WORDS: [(&str, i64); 7] =
    [("DEPT", 0), ("DEPARTMENT", 0), ("GROUP", 1), ("CONVERSATION", 1), ("USER", 2), ("ORG", 3), ("ORGANIZATION", 3)];

/// One push event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushRow {
    /// Event type.
    pub name: &'static str,
    /// `biz_type` of the SyncHTTP/RDS row; several types may share one.
    pub biz_type: Option<i64>,
    /// In English.
    pub en: &'static str,
    /// What it moves.
    pub class: Class,
}

const fn push_row(name: &'static str, biz_type: Option<i64>, en: &'static str, class: Class) -> PushRow {
    PushRow { name, biz_type, en, class }
}

/// Push events that have to do with where data go or who may see them.
pub const PUSHES: [PushRow; 44] = [
    push_row("storage_dentry_create", Some(233), "file or folder created", Class::Store),
    push_row("storage_dentry_update", Some(234), "file or folder changed", Class::Store),
    push_row("storage_dentry_delete", Some(235), "file or folder deleted", Class::Nothing),
    push_row("org_file_send_check", None, "file checked before it is sent", Class::Send),
    push_row("doc_export_completed", Some(493), "document exported", Class::Receive),
    push_row("doc_spaces_create_team", None, "knowledge base created", Class::Nothing),
    push_row("doc_spaces_team_change", None, "knowledge base changed", Class::Nothing),
    push_row("doc_spaces_team_member_change", None, "knowledge base member changed", Class::TeamChange),
    push_row("chat_add_member", Some(177), "group: member added", Class::Members),
    push_row("chat_remove_member", Some(178), "group: member removed", Class::Nothing),
    push_row("chat_quit", Some(179), "group: member left", Class::Nothing),
    push_row("chat_update_owner", Some(180), "group: owner changed", Class::Nothing),
    push_row("chat_update_title", Some(181), "group: renamed", Class::Nothing),
    push_row("chat_disband", Some(182), "group: disbanded", Class::Nothing),
    push_row("im_cool_app_install", Some(158), "group: app installed", Class::ConnectApp),
    push_row("im_cool_app_uninstall", Some(159), "group: app removed", Class::Nothing),
    push_row("single_conversation_cool_app_install", Some(201), "chat: app installed", Class::ConnectApp),
    push_row("single_conversation_cool_app_uninstall", Some(202), "chat: app removed", Class::Nothing),
    push_row("inner_app_release", None, "own app released", Class::Nothing),
    push_row("inner_app_status_change", None, "own app switched", Class::Nothing),
    push_row("inner_app_scopes_change", None, "own app: scopes changed", Class::Nothing),
    push_row("inner_app_version_publish", None, "own app: version published", Class::Nothing),
    push_row("org_suite_auth", Some(4), "third-party app authorised", Class::ConnectApp),
    push_row("org_suite_change", Some(4), "third-party app: authorisation changed", Class::ConnectApp),
    push_row("org_suite_relieve", Some(4), "third-party app: authorisation withdrawn", Class::Nothing),
    push_row("org_micro_app_restore", Some(7), "third-party app enabled again", Class::ConnectApp),
    push_row("org_micro_app_stop", Some(7), "third-party app stopped", Class::Nothing),
    push_row("org_micro_app_remove", Some(7), "third-party app removed", Class::Nothing),
    // Wider or narrower is not told; taken for wider.
    push_row("org_micro_app_scope_update", Some(7), "third-party app: visibility changed", Class::ConnectApp),
    push_row("integration_app_install_event", Some(206), "integration installed", Class::ConnectApp),
    push_row("user_add_org", Some(13), "person joined", Class::Nothing),
    push_row("user_modify_org", Some(13), "person changed", Class::Nothing),
    push_row("user_leave_org", Some(13), "person left", Class::Nothing),
    push_row("org_admin_add", Some(13), "administrator added", Class::Nothing),
    push_row("org_admin_remove", Some(13), "administrator removed", Class::Nothing),
    push_row("org_dept_create", Some(13), "department created", Class::Nothing),
    push_row("org_dept_modify", Some(13), "department changed", Class::Nothing),
    push_row("org_dept_remove", Some(13), "department removed", Class::Nothing),
    push_row("label_user_change", Some(13), "role of people changed", Class::Nothing),
    push_row("contact_add_org", Some(20), "external contact added", Class::Nothing),
    push_row("contact_modify_org", Some(20), "external contact changed", Class::Nothing),
    push_row("contact_leave_org", Some(20), "external contact removed", Class::Nothing),
    push_row("exclusive_data_transfer", Some(219), "data of a person handed over", Class::HandOver),
    push_row("exclusive_delete_trusted_device", Some(492), "trusted device removed", Class::Nothing),
];

/// `type` of `doc_spaces_team_member_change`.
pub const TEAM_CHANGES: [(&str, Class); 3] = [
    ("TEAM_ADD_MEMBER", Class::Members),
    ("TEAM_REMOVE_MEMBER", Class::Nothing),
    ("TEAM_DELETE_MEMBER", Class::Nothing),
];

/// The row of an `action` code.
pub fn by_action(code: i64) -> Option<&'static ActionRow> {
    ACTIONS.get(usize::try_from(code).ok()?)
}

/// The row of a push event type.
pub fn push(name: &str) -> Option<&'static PushRow> {
    PUSHES.iter().find(|row| row.name == name)
}

/// The type that a `biz_type` stands for, where only one has it.
pub fn by_biz_type(code: i64) -> Option<&'static PushRow> {
    let mut rows = PUSHES.iter().filter(|row| row.biz_type == Some(code));
    let row = rows.next()?;
    rows.next().is_none().then_some(row)
}

/// What a `type` of `doc_spaces_team_member_change` does; `None` if it is not known.
pub fn team_change(detail: &str) -> Option<Class> {
    TEAM_CHANGES.iter().find(|(name, _)| *name == detail).map(|(_, class)| *class)
}

/// The code of a `memberType` in words.
pub fn member_type(word: &str) -> Option<i64> {
    MEMBER_WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_index_of_its_row() {
        for (index, row) in ACTIONS.iter().enumerate() {
            assert_eq!(usize::try_from(row.code), Ok(index));
        }
        for (index, row) in MODULES.iter().enumerate() {
            assert_eq!(usize::try_from(row.code), Ok(index));
        }
        assert_eq!(by_action(34), None);
        assert_eq!(by_action(-1), None);
    }

    #[test]
    fn names_are_unique_and_shared_biz_types_name_nothing() {
        for row in &PUSHES {
            assert_eq!(push(row.name), Some(row));
        }
        assert_eq!(by_biz_type(233).map(|row| row.name), Some("storage_dentry_create"));
        assert_eq!(by_biz_type(4), None);
        assert_eq!(by_biz_type(99_999), None);
    }
}
