//! Tests of geo.
