//! What people do: the action, module and platform codes of DingTalk's file operation records (`ListAuditLog`), with shares
//! as in an office: looking and fetching by far the most.

use super::rng::Weighted;

/// An action code and its display text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) code: u8,
    pub(super) view: &'static str,
    pub(super) on: On,
    pub(super) to: To,
}

/// What an act is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// A file of a space.
    File,
    /// An online document.
    Document,
    /// Something in a knowledge base.
    Wiki,
}

/// Whom an act names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// Nobody.
    Nobody,
    /// Sometimes a chat or a drive that the file is put into.
    Container,
    /// A receiver.
    Receiver,
    /// A list of receivers.
    Receivers,
    /// A list of members with rights.
    Members,
    /// Whoever has the link.
    World,
}

const fn act(code: u8, view: &'static str, on: On, to: To) -> Act {
    Act { code, view, on, to }
}

/// Shares in 100,000.
pub(super) static STAFF: Weighted<Act> = Weighted::new(&[
    (30_000, act(3, "预览文件", On::File, To::Nobody)),
    (22_000, act(13, "预览文档", On::Document, To::Nobody)),
    (14_500, act(2, "下载文件", On::File, To::Nobody)),
    (7_000, act(0, "上传文件", On::File, To::Container)),
    (6_000, act(31, "知识库预览文件", On::Wiki, To::Nobody)),
    (3_500, act(4, "覆盖文件", On::File, To::Nobody)),
    (2_500, act(10, "创建文档", On::Document, To::Nobody)),
    (2_000, act(32, "知识库下载文件", On::Wiki, To::Nobody)),
    (1_800, act(18, "文档评论", On::Document, To::Nobody)),
    (1_500, act(1, "删除文件", On::File, To::Nobody)),
    (1_500, act(8, "复制或转发文件", On::File, To::Receiver)),
    (1_200, act(12, "导出文档", On::Document, To::Nobody)),
    (900, act(15, "应用内分享文档", On::Document, To::Receivers)),
    (900, act(6, "重命名文件", On::File, To::Nobody)),
    (800, act(7, "移动文件", On::File, To::Nobody)),
    (700, act(21, "重命名", On::Document, To::Nobody)),
    (600, act(23, "知识库上传文件", On::Wiki, To::Nobody)),
    (500, act(11, "删除文档", On::Document, To::Nobody)),
    (500, act(17, "创建副本", On::Document, To::Nobody)),
    (500, act(20, "更改协作者", On::Document, To::Members)),
    (300, act(16, "文档移动", On::Document, To::Nobody)),
    (300, act(19, "文档导入", On::Document, To::Nobody)),
    (120, act(5, "创建外链分享", On::File, To::World)),
    (120, act(22, "撤回文件", On::File, To::Nobody)),
    (100, act(33, "知识库移动文件", On::Wiki, To::Nobody)),
    (80, act(28, "知识库添加成员", On::Wiki, To::Members)),
    (60, act(14, "回滚文档", On::Document, To::Nobody)),
    (60, act(24, "文档组织内公开", On::Document, To::Nobody)),
    (60, act(29, "知识库移除成员", On::Wiki, To::Members)),
    (50, act(25, "文档仅成员可见", On::Document, To::Nobody)),
    (50, act(30, "知识库修改成员", On::Wiki, To::Members)),
    (30, act(9, "离职转交", On::File, To::Receiver)),
    (30, act(26, "知识库组织内公开", On::Wiki, To::Nobody)),
    (30, act(27, "知识库仅成员可见", On::Wiki, To::Nobody)),
]);

/// Guests look and fetch.
pub(super) static GUESTS: Weighted<Act> = Weighted::new(&[
    (60, act(3, "预览文件", On::File, To::Nobody)),
    (25, act(13, "预览文档", On::Document, To::Nobody)),
    (14, act(2, "下载文件", On::File, To::Nobody)),
    (1, act(18, "文档评论", On::Document, To::Nobody)),
]);

/// Codes that no table knows yet.
pub(super) const UNKNOWN: [(i64, &str); 3] = [(34, "知识库批量导出"), (41, "AI 摘要"), (1007, "")];

/// `operateModule` codes and texts.
pub(super) static MODULES_OF_FILES: Weighted<(i64, &str)> = Weighted::new(&[
    (60, (23, "团队空间")),
    (10, (14, "自定义业务空间")),
    (8, (5, "共享文件夹")),
    (6, (2, "企业群")),
    (5, (0, "我的文件")),
    (4, (6, "单聊")),
    (3, (8, "员工个人工作文件夹")),
    (2, (16, "项目钉盘")),
    (1, (12, "收集文件")),
    (1, (18, "收藏空间")),
]);

/// Of a chat with one person, and of a group.
pub(super) const CHAT: (i64, &str) = (6, "单聊");
/// Of a group chat.
pub(super) const GROUP: (i64, &str) = (2, "企业群");

/// `platform` codes and texts.
pub(super) static PLATFORMS_OF_STAFF: Weighted<(i64, &str)> =
    Weighted::new(&[(55, (11, "WIN")), (12, (12, "MAC")), (15, (0, "IOS")), (10, (1, "ANDROID")), (8, (2, "WEB"))]);
