//! `codes`: the tables, complete, with the legs beside each act.

#![allow(clippy::unwrap_used)]

use super::harness::Room;

#[test]
fn every_code_stands_in_the_tables_with_its_legs() {
    let ran = Room::new().run(&["codes"]).exits(0);
    let row = |code: &str, zh: &str| {
        let found =
            ran.out.lines().find(|line| line.trim_start_matches(['│', ' ']).starts_with(code) && line.contains(zh));
        found.unwrap_or_else(|| panic!("{code} {zh}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (code, zh, legs) in [
        ("0", "上传文件", "in a chat also send storage → receiver"),
        ("2", "下载文件", "access storage → actor"),
        ("3", "预览文件", "preview only"),
        ("5", "创建外链分享", "share_grant storage → WORLD"),
        ("6", "重命名文件", "no leg"),
        ("8", "复制或转发文件", "send storage → each receiver"),
        ("18", "文档评论", "no leg"),
        ("20", "更改协作者", "share_grant storage → each member with a role"),
        ("24", "文档组织内公开", "each entity with staff in the tenant"),
        ("25", "文档仅成员可见", "no leg"),
        ("33", "知识库移动文件", "sync previous storage → storage"),
        ("org_suite_auth", "third-party app authorised", "app_export storage → app operator"),
        ("storage_dentry_create", "233", "upload actor → storage"),
        ("23", "团队空间", ""),
        ("12", "Mac", ""),
    ] {
        assert!(row(code, zh).contains(legs), "{code} {zh}: {}", row(code, zh));
    }
    let actions = ran.out.split("Push events").next().unwrap();
    let codes: Vec<u32> = actions.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert_eq!(codes, (0..=33).collect::<Vec<_>>());
    ran.says(&["operateModule", "platform", "receiverType", "memberType", "permissionRole", "never dropped"]);
}
