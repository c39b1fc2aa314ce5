//! Who sees which field, and in what form. An allow-list: a field that is not listed for an audience does not exist for it,
//! and a new fact is invisible to everybody until it is made a [`Field`] and listed.

/// Who reads a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// The privacy officer: everything.
    Officer,
    /// Security operations: places, rules and counts; people, files and recipients as pseudonyms, addresses as networks.
    Soc,
    /// A chat group, which may itself be outside Hong Kong: counts and the id to look it up by.
    Chat,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What can be said about a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum Field { $($(#[$doc])* $variant),+ }

        impl Field {
            /// All fields in the order of output.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Stable lower-case name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

fields! {
    Id = "id",
    Revision = "revision",
    Series = "series",
    Severity = "severity",
    Bulk = "bulk",
    Verdict = "verdict",
    Rule = "rule",
    Binding = "binding",
    /// Name of the gap in a principle.
    Gap = "gap",
    Window = "window",
    First = "first",
    Last = "last",
    /// When it was first recorded, by this machine's clock.
    Made = "made",
    /// When it last changed, by this machine's clock.
    Changed = "changed",
    Count = "count",
    Bytes = "bytes",
    Kind = "kind",
    Preview = "preview",
    Tenant = "tenant",
    /// Personal.
    ActorId = "actor_id",
    /// Personal.
    ActorName = "actor_name",
    /// Personal.
    Address = "address",
    /// Personal: file name.
    Resource = "resource",
    Origin = "origin",
    OriginMethod = "origin_method",
    OriginConfidence = "origin_confidence",
    OriginSource = "origin_source",
    Destination = "destination",
    DestinationMethod = "destination_method",
    DestinationConfidence = "destination_confidence",
    DestinationSource = "destination_source",
    /// May name a person.
    Recipient = "recipient",
    RecipientRole = "recipient_role",
    Possible = "possible",
    Safeguard = "safeguard",
    FailedCondition = "failed_condition",
    PolicyRule = "policy_rule",
    Tags = "tags",
    Categories = "categories",
    Item = "item",
    Subjects = "subjects",
    Record = "record",
}

use Field as F;

/// In what form a field is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// `p1:<key id>:<tag>`, the same for the same person as long as the key is.
    Person,
    /// The same for a recipient.
    Recipient,
    /// The same for a file, with the extension if it is a common one.
    File,
    /// The network it is in: /24 of IPv4, /48 of IPv6.
    Network,
}

const SOC: &[(Field, Form)] = &[
    (F::Id, Form::Plain),
    (F::Revision, Form::Plain),
    (F::Series, Form::Plain),
    (F::Severity, Form::Plain),
    (F::Bulk, Form::Plain),
    (F::Verdict, Form::Plain),
    (F::Rule, Form::Plain),
    (F::Binding, Form::Plain),
    (F::Gap, Form::Plain),
    (F::Window, Form::Plain),
    (F::First, Form::Plain),
    (F::Last, Form::Plain),
    (F::Made, Form::Plain),
    (F::Changed, Form::Plain),
    (F::Count, Form::Plain),
    (F::Bytes, Form::Plain),
    (F::Kind, Form::Plain),
    (F::Preview, Form::Plain),
    (F::Tenant, Form::Plain),
    (F::ActorId, Form::Person),
    (F::Address, Form::Network),
    (F::Resource, Form::File),
    (F::Origin, Form::Plain),
    (F::OriginMethod, Form::Plain),
    (F::OriginConfidence, Form::Plain),
    (F::OriginSource, Form::Plain),
    (F::Destination, Form::Plain),
    (F::DestinationMethod, Form::Plain),
    (F::DestinationConfidence, Form::Plain),
    (F::DestinationSource, Form::Plain),
    (F::Recipient, Form::Recipient),
    (F::RecipientRole, Form::Plain),
    (F::Possible, Form::Plain),
    (F::Safeguard, Form::Plain),
    (F::FailedCondition, Form::Plain),
    (F::PolicyRule, Form::Plain),
    (F::Tags, Form::Plain),
    (F::Categories, Form::Plain),
    (F::Item, Form::Plain),
    (F::Subjects, Form::Plain),
    (F::Record, Form::Plain),
];

const CHAT: &[Field] = &[F::Id, F::Revision, F::Severity, F::Bulk, F::Verdict, F::First, F::Last, F::Made, F::Count];

impl Audience {
    /// All.
    pub const ALL: [Self; 3] = [Self::Officer, Self::Soc, Self::Chat];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Soc => "soc",
            Self::Chat => "chat",
        }
    }

    /// Reads an [`Audience::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.name() == name)
    }

    /// The fields that this audience may see, with their form, in the order of output.
    pub fn fields(self) -> Vec<(Field, Form)> {
        match self {
            Self::Officer => Field::ALL.iter().map(|field| (*field, Form::Plain)).collect(),
            Self::Soc => SOC.to_vec(),
            Self::Chat => CHAT.iter().map(|field| (*field, Form::Plain)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields that name a person, a file or an address.
    const PERSONAL: [Field; 5] = [F::ActorId, F::ActorName, F::Address, F::Resource, F::Recipient];

    #[test]
    fn only_the_officer_sees_personal_fields_as_they_are() {
        for audience in [Audience::Soc, Audience::Chat] {
            for (field, form) in audience.fields() {
                assert!(!(PERSONAL.contains(&field) && form == Form::Plain), "{audience:?} sees {field:?}");
            }
        }
        let chat: Vec<_> = Audience::Chat.fields().into_iter().map(|(field, _)| field).collect();
        assert!(PERSONAL.iter().all(|field| !chat.contains(field)));
        assert_eq!(Audience::Officer.fields().len(), Field::ALL.len());
    }

    #[test]
    fn fields_come_in_the_order_of_output() {
        for audience in Audience::ALL {
            assert!(audience.fields().is_sorted_by_key(|(field, _)| *field), "{audience:?}");
        }
    }
}
