//! The operator's maps: people and organisations (directory), spaces. Built by the settings, asked by the pipeline.

use std::collections::HashMap;

use super::event::Id;
use super::party::{Contact, ItemId, PartyId};
use super::place::Place;

/// What the operator says about one space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Inventory item of its files.
    pub item: Option<ItemId>,
    /// Data user that controls its files.
    pub entity: Option<PartyId>,
    /// Who operates its storage.
    pub operator: Option<PartyId>,
    /// Where it is stored, with the evidence reference.
    pub storage: Option<(Place, String)>,
}

/// The operator's maps. Look-ups allocate nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    /// Spaces (and knowledge bases) by id.
    pub spaces: HashMap<Id<'static>, Space>,
    /// People by staff id, receiver id or union id.
    pub people: HashMap<Id<'static>, Contact>,
    /// People, groups and organisations by exact name.
    pub names: HashMap<String, Contact>,
    /// Organisations by mail domain, lower case.
    pub domains: HashMap<String, Contact>,
}
