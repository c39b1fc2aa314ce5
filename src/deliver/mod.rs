//! From outbox to people and machines.
