//! Tests of evidence.
