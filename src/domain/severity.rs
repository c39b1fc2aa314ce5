//! How grave a decision is (compliance reference §5.4).
