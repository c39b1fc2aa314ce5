//! From what an audience sees to text. Renderers get a [`crate::deliver::View`] and nothing else.

pub mod finding;
pub mod officer;
mod phrases;
pub mod plain;
