//! Tests of synthetic traffic.
