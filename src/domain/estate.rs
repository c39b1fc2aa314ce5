//! The operator's maps: people and organisations (directory), spaces. Built by the settings, asked by the pipeline.
//!
//! A look-up answers only what the operator wrote down; it never guesses from similar names.

use super::event::Id;
use super::map::Map;
use super::party::{Contact, ItemId, PartyId, TenantId};
use super::place::Place;

/// What the operator says about one space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// The tenant whose space it is.
    pub tenant: TenantId,
    /// Inventory item of its files.
    pub item: Option<ItemId>,
    /// Data user that controls its files.
    pub entity: Option<PartyId>,
    /// Who operates its storage.
    pub operator: Option<PartyId>,
    /// Where it is stored, with the evidence reference.
    pub storage: Option<(Place, String)>,
}

/// The operator's maps. Look-ups allocate nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    /// Spaces (and knowledge bases) by id.
    pub spaces: Map<Id<'static>, Space>,
    /// Ids of the spaces in the order of the configuration.
    pub listed: Vec<Id<'static>>,
    /// People by staff id, receiver id or union id.
    pub people: Map<Id<'static>, Contact>,
    /// People, groups and organisations by exact name.
    pub names: Map<String, Contact>,
    /// Organisations by mail domain, lower case.
    pub domains: Map<String, Contact>,
}

/// Longest domain name in bytes (RFC 1035 §2.3.4).
const LONGEST_DOMAIN: usize = 253;

impl Estate {
    /// A space or knowledge base by id.
    #[inline]
    pub fn space<'a>(&'a self, id: &Id<'a>) -> Option<&'a Space> {
        // A map of longer-lived keys serves as one of shorter-lived ones, so that borrowed ids need no copy.
        let spaces: &'a Map<Id<'a>, Space> = &self.spaces;
        spaces.get(id)
    }

    /// Somebody whom an event names: by id, else by exact name, else by the organisation that the name has between its
    /// last parentheses, ASCII or full-width: `Tan Wei Ling (Straits Freight Pte Ltd)`. A mail address inside a name is not
    /// followed: people choose their own display names.
    #[inline]
    pub fn contact<'a>(&'a self, id: Option<&Id<'a>>, name: Option<&str>) -> Option<&'a Contact> {
        let people: &'a Map<Id<'a>, Contact> = &self.people;
        id.and_then(|id| people.get(id)).or_else(|| self.named(name?))
    }

    /// An organisation or group by exact name.
    pub fn organisation(&self, name: &str) -> Option<&Contact> {
        self.names.get(name)
    }

    /// An organisation by a text that is a mail address and nothing else: the longest configured domain that is the
    /// address's own or one above it, in whole labels and either case.
    pub fn mailbox(&self, mail: &str) -> Option<&Contact> {
        let (user, domain) = mail.split_once('@')?;
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '@' | '(' | ')');
        if user.is_empty() || mail.chars().filter(|letter| odd(*letter)).count() > 1 {
            return None;
        }
        let mut buffer = [0; LONGEST_DOMAIN];
        let lower = buffer.get_mut(..domain.len())?;
        lower.copy_from_slice(domain.as_bytes());
        lower.make_ascii_lowercase();
        let mut rest = std::str::from_utf8(lower).ok()?;
        loop {
            match self.domains.get(rest) {
                Some(contact) => return Some(contact),
                None => rest = rest.split_once('.')?.1,
            }
        }
    }

    fn named(&self, name: &str) -> Option<&Contact> {
        self.organisation(name).or_else(|| self.organisation(in_last_parentheses(name)?))
    }
}

/// What stands between the parentheses that end a text; inner ones belong to it.
fn in_last_parentheses(text: &str) -> Option<&str> {
    let inner = text.trim_end().strip_suffix([')', '）'])?;
    let mut depth = 1;
    for (at, letter) in inner.char_indices().rev() {
        match letter {
            ')' | '）' => depth += 1,
            '(' | '（' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inner.get(at + letter.len_utf8()..).map(str::trim);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(party: u16) -> Contact {
        Contact { party: PartyId(party), place: None }
    }

    fn estate() -> Estate {
        let names = [("Tan Wei Ling", 1), ("Straits Freight Pte Ltd", 2), ("维港科技（深圳）有限公司", 3)];
        let domains = [("vhb.example", 4), ("mail.vhb.example", 5)];
        Estate {
            people: [(Id::Number(7), of(6))].into_iter().collect(),
            names: names.map(|(name, party)| (name.into(), of(party))).into_iter().collect(),
            domains: domains.map(|(name, party)| (name.into(), of(party))).into_iter().collect(),
            ..Estate::default()
        }
    }

    #[test]
    fn id_comes_before_name_and_name_before_organisation() {
        let estate = estate();
        let party =
            |id: Option<u64>, name| estate.contact(id.map(Id::Number).as_ref(), name).map(|found| found.party.0);
        assert_eq!(party(Some(7), Some("Tan Wei Ling")), Some(6));
        assert_eq!(party(Some(8), Some("Tan Wei Ling")), Some(1));
        assert_eq!(party(None, Some("Tan Wei Ling (Straits Freight Pte Ltd)")), Some(2));
        assert_eq!(party(None, Some("tan wei ling")), None);
        assert_eq!(party(None, None), None);
    }

    #[test]
    fn organisation_is_found_in_full_width_and_nested_parentheses() {
        let estate = estate();
        for name in [
            "林晓彤（维港科技（深圳）有限公司）",
            "林晓彤(维港科技（深圳）有限公司)",
            "林（A）（维港科技（深圳）有限公司） ",
        ] {
            assert_eq!(estate.contact(None, Some(name)).map(|found| found.party.0), Some(3), "{name}");
        }
        for name in [")", "（", "a)", "(Straits Freight Pte Ltd) x", "x (Straits Freight Pte Ltd", "()", ""] {
            assert_eq!(estate.contact(None, Some(name)), None, "{name}");
        }
    }

    #[test]
    fn mail_domain_matches_whole_labels_in_either_case() {
        let estate = estate();
        let party = |mail: &str| estate.mailbox(mail).map(|found| found.party.0);
        assert_eq!(party("a@VHB.example"), Some(4));
        assert_eq!(party("a@x.mail.vhb.example"), Some(5));
        assert_eq!(party("a@hk.vhb.example"), Some(4));
        for other in [
            "a@notvhb.example",
            "a@vhb.example.org",
            "vhb.example",
            "@vhb.example",
            "a b@vhb.example",
            "a@b@vhb.example",
        ] {
            assert_eq!(party(other), None, "{other}");
        }
        assert_eq!(party(&format!("a@{}", "a.".repeat(300))), None);
    }
}
