//! What an editor is told about `verify:` and `respond:`, beside the readers of both.

use serde_json::json;

use super::verify::schema as verify_schema;
use crate::mapping::syntax::schema::{Block, Schema};

/// The JSON Schema of a mapping file as this program reads it.
pub fn mapping_schema() -> serde_json::Value {
    crate::mapping::syntax::schema::of(verify_schema(), respond())
}

fn respond() -> Schema {
    let block = Block::new()
        .about("The answer to every event that was taken, ignored, held or seen before.")
        .key("status", Schema::whole(200, 299), "A status of success. Default 200.")
        .key("content_type", Schema::text(), "The content type of `body`.")
        .key("body", Schema::scalar(), "The body.");
    Schema::either([block.schema().with("minProperties", json!(1)), Schema::nothing()])
}
