//! `update:`

use super::value::list;
use super::{Block, Schema};

pub(super) fn update() -> Schema {
    let value = || Schema::named("value");
    let attribute = || Schema::named("attribute_value");
    let words = || Schema::text().one_or_list();
    let sync = Block::new().need("from", value(), "The sender's full list of tags.").need(
        "among",
        words(),
        "The tags that are kept as the sender has them; no others are touched.",
    );
    let members = Block::new()
        .need("from", value(), "An object or a table of the event.")
        .need("only", words(), "The event's names of those to take.")
        .key("rename", Schema::own_keys(Schema::text()), "The event's name and the attribute's.")
        .key("prefix", Schema::text(), "A text that goes before all of the names.");
    let named = Block::new().need("name", value(), "The attribute's name, from the event.").need(
        "value",
        attribute(),
        "Its value.",
    );
    let from = Schema::either([members.schema(), named.schema()]);
    Block::new()
        .about("What changes. What is blank is left as it is.")
        .key("name", value(), "The contact's name.")
        .key("mobile", value(), "The contact's mobile number.")
        .key("optin", value(), "Whether the contact agreed to messages: say which words mean yes with `bool(yes=[…])`.")
        .key("incoming_blocked", value(), "Whether the contact's messages are blocked.")
        .key("tags", list(attribute()), "All tags: those that are not here are removed. `{ remove: true }` clears all.")
        .key("tags_to_add", list(value()), "Tags to add.")
        .key("tags_to_remove", list(value()), "Tags to remove.")
        .key("tags_sync", sync.schema(), "Some tags kept as the sender has them.")
        .key(
            "attributes",
            Schema::own_keys(attribute()),
            "Attributes by name. `{ remove: true }` removes one.",
        )
        .key(
            "attributes_from",
            Schema::either([from.clone(), from.any_list()]),
            "Attributes made of an object's or a table's members, or named by the event.",
        )
        .schema()
}
