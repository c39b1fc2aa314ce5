//! Maps that the hot path asks. What they hold comes from the configuration and from tables, never from events, so that a
//! fast hash will do where the standard one guards against chosen keys.

use std::collections::HashMap;

/// A map that is filled before events come.
pub type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
