//! Tests of observe.
