//! Evidence that a stranger can verify.
