//! The file as a whole.

use serde_json::json;

use super::value::forms_with_name;
use super::{Block, Schema};
use crate::library;
use crate::mapping::source::ASKS;

pub(super) fn file() -> Schema {
    let condition = || Schema::named("condition");
    let control = Schema::either([condition(), condition().any_list()]);
    let word = Schema::either([Schema::scalar(), Schema::nothing()]);
    let names = || Schema::text().one_or_list();
    let requires = Block::new()
        .key("tags", names(), "Tags that must exist in Chatflow's settings.")
        .key("attributes", names(), "Attributes that must exist in Chatflow's settings.");
    let defaults = Block::new()
        .key("when", condition(), "A condition that every rule has besides its own.")
        .key("contact", super::contact::part(), "Pieces of `contact`; a rule's own keys win.")
        .key(
            "update",
            Schema::named("update"),
            "Pieces of `update`; a rule's own keys win, lists and attributes merge.",
        );
    Block::new()
        .about("The events of one sender, and what they change in Chatflow.")
        .key(
            "source",
            Schema::pattern("^[a-z0-9-]{1,63}$", "1 to 63 of `a-z`, `0-9` and `-`")
                .with("not", json!({ "const": "unknown" })),
            "The source's name, as in `/hooks/NAME`. Default: the name of the file.",
        )
        .key(
            "extends",
            Schema::words(library::all().iter().map(|shipped| shipped.name)),
            "A shipped mapping to start from: keys here win, rules merge by name, `off` takes away. `init --list` shows them.",
        )
        .key("description", Schema::text(), "What it is for, in a sentence.")
        .key(
            "country",
            Schema::pattern("^([A-Z]{2}|off)$", "two capital letters of ISO 3166, such as `IN`"),
            "The country whose national phone numbers are understood. Without it a number must be international.",
        )
        .key("timezone", Schema::text(), "The time zone of times that carry none, such as `Asia/Kolkata`. Default UTC.")
        .key("verify", Schema::named("verify"), "How a request is known to be the sender's.")
        .key("respond", Schema::named("respond").or_off(), "The answer to every event that was taken.")
        .key("body", Schema::named("body").or_off(), "How a request's body is read.")
        .key("event", Schema::named("event"), "The event's id, type and time.")
        .key("let", forms_with_name(), "Named values, read as `$name`; each may read those before it.")
        .key(
            "tables",
            Schema::own_keys(Schema::own_keys(word)),
            "Words and what they become, for the step `map`.",
        )
        .key("match", Schema::words_of(ASKS), "Whether all rules that match are applied, or the first. Default `all`.")
        .key("control", control.or_off(), "Events that are answered and counted and nothing else: pings, tests.")
        .key("defaults", defaults.schema().or_off(), "What every rule starts from that does not say `inherit: false`.")
        .key(
            "rules",
            Schema::either([Schema::named("rule").any_list(), Schema::nothing()]),
            "What is done about which events.",
        )
        .key("per_minute", Schema::whole(1, u32::MAX).or_off(), "How many verified requests the sender may make in a minute.")
        .key("trust_traceparent", Schema::boolean(), "Whether the sender's `traceparent` header says to which trace a request belongs, and whether that is kept.")
        .key("stale_guard", Schema::boolean(), "Whether an older event may not undo what a newer one has set. Needs `event.occurred_at`.")
        .key("requires", requires.schema(), "What must exist in Chatflow's settings.")
        .key(
            "tests",
            Schema::either([Schema::named("test").any_list(), Schema::nothing()]),
            "Requests, and what must come of them.",
        )
        .schema()
        .with("if", json!({ "not": { "required": ["extends"] } }))
        .with("then", json!({ "required": ["verify", "rules"] }))
}
