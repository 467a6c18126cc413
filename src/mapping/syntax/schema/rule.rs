//! A rule.

use super::value::{forms_with_name, path};
use super::{Block, Schema};
use crate::mapping::rule::MOST;

pub(super) fn rule() -> Schema {
    Block::new()
        .about("When it applies, to whom, and what changes.")
        .need(
            "name",
            Schema::text().with("pattern", serde_json::json!(r"^[^\s/]{1,100}$")).with(
                "patternErrorMessage",
                serde_json::json!("at most 100 letters, digits, `-` and `_`"),
            ),
            "The rule's name; no two rules have the same.",
        )
        .key(
            "off",
            Schema::boolean(),
            "`true`: a rule of the mapping that the file extends is left out.",
        )
        .key("inherit", Schema::boolean(), "`false`: do not start from `defaults`.")
        .key(
            "for_each",
            path(),
            "One update for each item that this path selects; the item is `$item`.",
        )
        .key(
            "limit",
            Schema::whole(1, MOST),
            "With more items than this nothing is planned and one update is held. Default 1000.",
        )
        .key("let", forms_with_name(), "Named values, once for each item.")
        .key(
            "when",
            Schema::named("condition").or_off(),
            "When the rule applies; without it, always.",
        )
        .key("contact", super::contact::part(), "Who the update is for.")
        .key("update", Schema::named("update"), "What changes.")
        .schema()
}
