//! What is measured at each stage.

pub mod classify;
pub mod decode;
pub mod growth;
pub mod judge;
pub mod locate;

use crate::lab::ruler::Table;

/// A stage by its name.
pub type Stage = (&'static str, fn() -> Vec<Table>);

/// In the order of the data.
pub const ALL: [Stage; 5] = [
    ("decode", decode::tables),
    ("locate", locate::tables),
    ("judge", judge::tables),
    ("classify", classify::tables),
    ("growth", growth::tables),
];
