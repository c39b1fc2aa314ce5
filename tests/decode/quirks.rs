//! Known quirks.
