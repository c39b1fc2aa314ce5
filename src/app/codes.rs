//! `codes`: the tables by which acts become legs, to be held against DingTalk's documentation.

use std::io::Write;

use comfy_table::{Table, presets};

use super::Outcome;
use crate::dingtalk::codes::{ACTIONS, Class, CodeRow, MEMBERS, MODULES, PLATFORMS, PUSHES, RECEIVERS, ROLES};

/// Runs the command.
///
/// # Errors
/// Standard output is closed.
pub fn run() -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    let actions = ACTIONS.iter().map(|row| {
        [
            row.code.to_string(),
            row.zh.to_owned(),
            row.en.to_owned(),
            row.class.name().to_owned(),
            legs(row.class).to_owned(),
        ]
    });
    writeln!(
        out,
        "File operation records: action\n{}\n",
        table(["code", "中文", "English", "class", "legs"], actions)
    )?;
    let pushes = PUSHES.iter().map(|row| {
        let biz_type = row.biz_type.map_or_else(String::new, |code| code.to_string());
        [row.name.to_owned(), biz_type, row.en.to_owned(), row.class.name().to_owned(), legs(row.class).to_owned()]
    });
    writeln!(out, "Push events\n{}\n", table(["event type", "biz_type", "English", "class", "legs"], pushes))?;
    let lists: [(&str, &[CodeRow]); 5] = [
        ("operateModule", &MODULES),
        ("platform", &PLATFORMS),
        ("receiverType", &RECEIVERS),
        ("memberType", &MEMBERS),
        ("permissionRole", &ROLES),
    ];
    for (name, rows) in lists {
        let rows = rows.iter().map(|row| [row.code.to_string(), row.zh.to_owned(), row.en.to_owned()]);
        writeln!(out, "{name}\n{}\n", table(["code", "中文", "English"], rows))?;
    }
    writeln!(out, "Any other code or type is unclassified: UNDETERMINED, counted and shown, never dropped.")?;
    Ok(Outcome::Done)
}

/// The legs that a class stands for, as `kind from → to`.
fn legs(class: Class) -> &'static str {
    match class {
        Class::Store => "upload actor → storage",
        Class::StoreOrSend => "upload actor → storage; in a chat also send storage → receiver",
        Class::Receive => "access storage → actor",
        Class::Preview => "access storage → actor (preview only)",
        Class::Send => "send storage → each receiver",
        Class::Share => "share_grant storage → each receiver",
        Class::Publish => "share_grant storage → WORLD",
        Class::Relocate => "sync previous storage → storage",
        Class::Members => "share_grant storage → each member with a role",
        Class::OpenToOrganisation => "share_grant storage → each entity with staff in the tenant",
        Class::ConnectApp => "app_export storage → app operator",
        Class::HandOver => "share_grant storage → unknown",
        Class::TeamChange => "share_grant storage → the member, if one is added",
        Class::Nothing => "no leg",
    }
}

fn table<const N: usize>(heads: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(heads);
    rows.for_each(|row| {
        table.add_row(row);
    });
    table
}
