//! Elasticsearch `_bulk` for a data stream: an action line and an ECS document. The document's id is the notice's, so a
//! repetition is refused as a conflict by the receiver and known as told.

use super::{Context, ecs, json};
use crate::deliver::Notice;

/// Two lines with their line ends.
pub fn lines(notice: &Notice, context: &Context) -> String {
    let action = json::line(&serde_json::json!({ "create": { "_id": notice.id } }));
    format!("{action}\n{}\n", ecs::document(notice, context))
}
