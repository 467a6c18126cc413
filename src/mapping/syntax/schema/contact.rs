//! `contact:`

use serde_json::json;

use super::{Block, Schema};
use crate::mapping::contact::{ON_BLANK, ON_MISSING, WAYS};

pub(super) fn contact() -> Schema {
    let ways: Vec<_> = WAYS.iter().map(|way| json!({ "required": [way] })).collect();
    block().schema().with("oneOf", json!(ways))
}

/// The block under `defaults`, where the way to find a contact may be missing.
pub(super) fn part() -> Schema {
    block().schema()
}

fn block() -> Block {
    let one = key(Block::new());
    let one = one.schema().with("minProperties", json!(1)).with("maxProperties", json!(1));
    key(Block::new()
        .about("Who the update is for: one of `id`, `mobile`, `attribute`, `first_of`."))
    .key("first_of", one.list(), "The first whose value is not blank.")
    .key(
        "on_missing",
        Schema::words_of(ON_MISSING),
        "What to do when the API knows no such contact. Default `dead`; `create` takes the mobile.",
    )
    .key(
        "on_blank",
        Schema::words_of(ON_BLANK),
        "What to do when the event names no contact. Default `skip`.",
    )
}

fn key(block: Block) -> Block {
    let attribute = Block::new().need("name", Schema::text(), "The attribute's name.").need(
        "value",
        Schema::named("value"),
        "Its value.",
    );
    block
        .key("id", Schema::named("value"), "Chatflow's own id: 24 hexadecimal digits.")
        .key("mobile", Schema::named("value"), "A phone number; read by libphonenumber's rules.")
        .key("attribute", attribute.schema(), "An attribute and the value that the contact has.")
}
