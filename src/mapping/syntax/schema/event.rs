//! `event:`

use super::{Block, Schema};

pub(super) fn event() -> Schema {
    let value = || Schema::named("value");
    let id = Schema::either([Schema::words(["none"]), value(), value().list()]);
    Block::new()
        .about("What the sender says about an event.")
        .key(
            "id",
            id,
            "What makes a repeat known: a value, or a list of parts that must all be there. `none` where the sender has no id.",
        )
        .key("type", value(), "What the sender calls this kind of event.")
        .key(
            "occurred_at",
            value(),
            "When it happened: RFC 3339, an HTTP date, unix seconds or milliseconds; without a zone in `timezone`.",
        )
        .key("dedupe_window", Schema::text(), "For how long a repeat is known. Default `7d`.")
        .schema()
}
