//! `tests:`

use serde_json::json;

use super::{Block, Schema};
use crate::contact::{DeadReason, SkippedReason};

pub(super) fn test() -> Schema {
    let texts = || {
        let one = Schema::either([Schema::scalar(), Schema::nothing()]);
        Schema::own_keys(Schema::either([one, Schema::scalar().any_list()]))
    };
    let pinned = || {
        let text = || Schema::either([Schema::text(), Schema::nothing()]);
        Block::new()
            .key("id", text(), "The id that de-duplication sees; `none` for none.")
            .key("type", text(), "The type; `none` for none.")
            .key("occurred_at", text(), "The time that order sees; `none` for none.")
            .schema()
    };
    let lookup = Schema::keys_like([("^(mobile|attribute|id):".to_owned(), Schema::text())]);
    let bodies: Vec<_> = ["body", "body_file", "form", "xml", "raw"]
        .iter()
        .map(|name| json!({ "required": [name] }))
        .collect();
    Block::new()
        .about("A request, and what must come of it.")
        .need("name", Schema::text(), "The test's name.")
        .key("body", Schema::anything(), "The document itself.")
        .key(
            "body_file",
            Schema::text(),
            "A file that holds the body as it was sent, beside the mapping.",
        )
        .key("form", Schema::text(), "A form's body as it was sent.")
        .key("xml", Schema::text(), "An XML body as it was sent.")
        .key("raw", Schema::text(), "Any body as it was sent, with a `content_type`.")
        .key("content_type", Schema::text(), "The content type of the body; that of a file goes by its name, where this does not say.")
        .key("headers", texts(), "The request's headers.")
        .key("query", texts(), "The request's query.")
        .key("received_at", Schema::text(), "When it is received. Default 2026-01-01T00:00:00Z.")
        .key(
            "event",
            Schema::either([pinned(), pinned().any_list()]),
            "What must be known of each event.",
        )
        .key(
            "lookup",
            lookup.with("minProperties", json!(0)),
            "What looking up a contact answers: `missing`, `ambiguous` or an id.",
        )
        .need("expect", expect(), "What must come of it.")
        .schema()
        .with("oneOf", json!(bodies))
}

fn expect() -> Schema {
    let of_event = || Schema::either([Schema::words(["ignored", "control"]), entry().any_list()]);
    let events = Block::new().need(
        "events",
        of_event().any_list(),
        "What must come of each event of a batch.",
    );
    Schema::either([of_event(), events.schema()])
}

fn entry() -> Schema {
    let wanted: Vec<_> =
        ["update", "update_contains", "held", "skipped", "dead", "no_effect", "contact"]
            .iter()
            .map(|name| json!({ "required": [name] }))
            .collect();
    let attribute = Block::new().need("name", Schema::text(), "The attribute's name.").need(
        "value",
        Schema::text(),
        "Its value.",
    );
    let contact = Block::new()
        .key("id", Schema::text(), "Chatflow's id.")
        .key("mobile", Schema::text(), "The mobile number: digits with the dialing code.")
        .key("attribute", attribute.schema(), "The attribute and its value.")
        .schema()
        .with("minProperties", json!(1))
        .with("maxProperties", json!(1));
    Block::new()
        .need("rule", Schema::text(), "The rule's name.")
        .key("item", Schema::whole(0, u32::MAX), "The place of the item, from 0.")
        .key("contact", contact, "Who the update is for.")
        .key("update", update(), "All that changes.")
        .key("update_contains", update(), "A part of what changes.")
        .key("held", Schema::text(), "A text in the reason for which it is held.")
        .key(
            "skipped",
            Schema::words(SkippedReason::ALL.iter().map(|r| r.as_str())),
            "Why it is skipped.",
        )
        .key(
            "dead",
            Schema::words(DeadReason::ALL.iter().map(|r| r.as_str())),
            "Why it is a dead letter.",
        )
        .key("no_effect", Schema::yes(), "There is nothing to change.")
        .schema()
        .with("anyOf", json!(wanted))
}

fn update() -> Schema {
    let removed = || Block::new().need("remove", Schema::yes(), "It is removed.").schema();
    let tags = || Schema::text().one_or_list();
    Block::new()
        .key("name", Schema::text(), "The name.")
        .key("mobile", Schema::text(), "The mobile number.")
        .key("optin", Schema::boolean(), "Consent.")
        .key("incoming_blocked", Schema::boolean(), "Whether messages are blocked.")
        .key("tags", Schema::either([tags(), removed()]), "All tags.")
        .key("tags_to_add", tags(), "Tags to add.")
        .key("tags_to_remove", tags(), "Tags to remove.")
        .key(
            "attributes",
            Schema::own_keys(Schema::either([Schema::text(), removed()])),
            "Attributes by name.",
        )
        .schema()
}
