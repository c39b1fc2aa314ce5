//! Closed sets of label values, and the bounded list of destinations.

use std::collections::BTreeSet;

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The label's value.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

label! {
    /// What became of an event.
    EventOutcome {
        /// It has a verdict, or was found to move nothing.
        Judged = "judged",
        /// It is no audit event.
        Rejected = "rejected",
        /// It was seen before.
        Duplicate = "duplicate",
    }
}

label! {
    /// How a try to deliver a notice went.
    NotificationOutcome {
        /// The receiver has it.
        Delivered = "delivered",
        /// Not this time.
        Failed = "failed",
        /// Refused for good.
        Refused = "refused",
    }
}

label! {
    /// What must happen again and again.
    Stage {
        /// A batch came from the source.
        Consume = "consume",
        /// The evidence was published.
        Archive = "archive",
        /// The source took the receipt.
        Commit = "commit",
        /// A notice was delivered.
        Notify = "notify",
    }
}

label! {
    /// Parts of the work on a batch.
    Step {
        /// Decoding, locating and judging.
        Judge = "judge",
        /// Evidence and state made durable.
        Record = "record",
    }
}

/// Places that always have a label of their own.
const PLACES: [&str; 10] = ["HK", "CN", "MO", "TW", "SG", "JP", "US", "GB", "ZZ", "WW"];

/// Most places that a configuration may add.
pub(super) const MOST_ADDED: usize = 40;

/// Places that may be label values; any other is `other`.
#[derive(Debug)]
pub(super) struct Places(BTreeSet<[u8; 2]>);

impl Places {
    /// The fixed ones and up to [`MOST_ADDED`] of the configured.
    pub(super) fn new(added: &[String]) -> Self {
        let fixed = PLACES.iter().map(|code| code.as_bytes());
        let added = added.iter().map(|code| code.as_bytes()).take(MOST_ADDED);
        Self(fixed.chain(added).filter_map(|code| code.try_into().ok()).collect())
    }

    /// The label's value; `None` if the place has none of its own.
    pub(super) fn label<'a>(&self, code: &'a [u8; 2]) -> Option<&'a str> {
        self.0.contains(code).then(|| std::str::from_utf8(code).ok()).flatten()
    }
}
