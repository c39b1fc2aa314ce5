//! Data inventory, and what file names suggest.

use crate::config::{self, Path};
use crate::domain::party::{Categories, Category, Item};

use super::check::Check;

pub(super) fn items(check: &mut Check<'_>) -> Vec<Item> {
    let items = check.config.inventory.iter().enumerate();
    items.map(|(index, item)| item_of(check, &Path::element("inventory", index), item)).collect()
}

fn item_of(check: &mut Check<'_>, path: &Path, item: &config::Item) -> Item {
    Item {
        id: item.id.clone(),
        name: if item.name.is_empty() { item.id.clone() } else { item.name.clone() },
        personal: check.tri(path.key("personal"), &item.personal),
        categories: categories(check, &path.key("categories"), &item.categories),
        subjects: item.subjects,
        purpose: item.purpose.as_deref().and_then(|name| check.purpose(path.key("purpose"), name)),
        notified: item.notified.clone(),
        under_gba_contract: item.under_gba_contract,
        handled_in_hk: check.tri(path.key("handled_in_hk"), &item.handled_in_hk),
    }
}

pub(super) fn categories(check: &mut Check<'_>, path: &Path, names: &[String]) -> Categories {
    let each = names.iter().enumerate();
    each.filter_map(|(index, name)| category(check, path.index(index), name)).fold(Categories::NONE, Categories::with)
}

fn category(check: &mut Check<'_>, path: Path, name: &str) -> Option<Category> {
    check.one_of(path, name, Category::parse, &Category::ALL.map(Category::name))
}

/// Patterns of file names, in alphabetical order.
pub(super) fn sensitive(check: &mut Check<'_>) -> Vec<(String, Category)> {
    let section = Path::section("sensitive");
    let mut found = Vec::new();
    for (pattern, name) in &check.config.sensitive {
        if pattern.trim().is_empty() {
            check.fault(section.key(pattern), name, "an empty pattern matches every file; write a part of a file name");
        }
        if let Some(category) = category(check, section.key(pattern), name) {
            found.push((pattern.clone(), category));
        }
    }
    found
}
