//! Elasticsearch `_bulk` for a data stream: an action line and an ECS document. The document's id is the notice's, so a
//! repetition is refused as a conflict by the receiver and known as told.

use super::{Context, checkpoint, ecs, json};
use crate::deliver::{Notice, Statement};

/// Two lines with their line ends.
pub fn lines(notice: &Notice, context: &Context) -> String {
    create(&notice.id, &ecs::document(notice, context))
}

/// The two lines of a signed checkpoint.
pub fn statement(statement: &Statement, context: &Context) -> String {
    create(&statement.id, &checkpoint::document(statement, context))
}

fn create(id: &str, document: &str) -> String {
    let action = json::line(&serde_json::json!({ "create": { "_id": id } }));
    format!("{action}\n{document}\n")
}
