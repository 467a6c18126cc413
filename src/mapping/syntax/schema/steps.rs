//! Steps in the long form, and the names of those in one line.

use serde_json::json;

use super::{Block, Schema};

pub(super) use crate::mapping::steps::names;

/// An item of `steps`.
pub(super) fn step() -> Schema {
    let names = names().collect::<Vec<_>>();
    let line = Schema::pattern(
        &format!(r"^\s*(?:{})\s*(?:\(|\||$)", names.join("|")),
        "the name of a step is expected, and its arguments in brackets",
    );
    let mut block = Block::new();
    for name in names {
        let (argument, about) = argument(name);
        block = block.key(name, argument, about);
    }
    let long = block.schema().with("minProperties", json!(1)).with("maxProperties", json!(1));
    Schema::either([line, long])
}

/// What a step takes in the long form, and what it does.
fn argument(name: &str) -> (Schema, &'static str) {
    let none = Schema::nothing;
    let one =
        || Schema::either([Schema::scalar(), Schema::scalar().list().with("maxItems", json!(1))]);
    let two = |first: &'static str, second: &'static str, about: [&str; 2]| {
        let block = Block::new().need(first, Schema::scalar(), about[0]).need(
            second,
            Schema::scalar(),
            about[1],
        );
        Schema::either([
            Schema::scalar().list().with("minItems", json!(2)).with("maxItems", json!(2)),
            block.schema(),
        ])
    };
    let words = || Schema::either([Schema::scalar(), Schema::scalar().list()]);
    match name {
        "trim" => (none(), "Without white space at both ends."),
        "lower" => (none(), "In lower case."),
        "upper" => (none(), "In upper case."),
        "title" => (none(), "Each word with its first letter up and the rest down."),
        "collapse_spaces" => (none(), "Every run of white space one space, none at the ends."),
        "strip_html" => (none(), "Without tags, entities decoded."),
        "slug" => (none(), "`a-z`, `0-9` and `-` alone."),
        "sha256" => (none(), "The SHA-256 of it, in hexadecimal digits."),
        "replace" => (
            two("from", "to", ["What is replaced.", "What takes its place."]),
            "One text replaced by another.",
        ),
        "regex" => (regex(), "What a group of the pattern matches; no match is blank."),
        "prefix" => (one(), "With this before it."),
        "suffix" => (one(), "With this after it."),
        "truncate" => (one(), "No longer than so many characters."),
        "split" => (one(), "A text cut at a separator."),
        "join" => (one(), "One text of all, with this between."),
        "pick" => (Schema::words(["first", "last", "only"]), "One of several."),
        "unique" => (none(), "Without repeats."),
        "only" => (words(), "Those of an allow-list."),
        "drop" => (words(), "Those that are no placeholder such as `n/a`."),
        "map" => (map(), "A word for a word: a table, or words and what they become."),
        "bool" => (bool_words(), "True or false, by the usual words or by these."),
        "number" => (none(), "A number, with every digit that is written."),
        "phone" => (phone(), "A phone number, read for these countries in turn."),
        "email" => (none(), "An e-mail address."),
        "money" => (currency(), "Minor units as a decimal text, by the currency."),
        "date" => (date(), "A moment, in this format."),
        "json" => (none(), "The value that a text holds as JSON."),
        "path" => (one(), "What a path selects inside what came before."),
        "default" => (Schema::named("value"), "What stands in for a blank."),
        "required" => (none(), "A blank holds the update."),
        _ => (Schema::scalar(), ""),
    }
}

fn regex() -> Schema {
    let block = Block::new().need("pattern", Schema::scalar(), "A regular expression.").key(
        "group",
        Schema::scalar(),
        "The number of a group. Default: the first, or all where there is none.",
    );
    Schema::either([
        Schema::scalar(),
        Schema::scalar().list().with("maxItems", json!(1)),
        block.schema(),
    ])
}

fn map() -> Schema {
    let index = Block::new()
        .need("index", super::value::path(), "An array of the event, read with the outer item.")
        .need("key", Schema::named("value"), "The word of an item, which is `$item`.")
        .need("value", Schema::named("value"), "What it becomes.")
        .key(
            "on_repeat",
            Schema::words_of(crate::mapping::expr::ON_REPEAT),
            "What a word that repeats becomes.",
        )
        .key("otherwise", Schema::scalar(), "`keep`, `absent`, `hold` or a text in quotes.");
    let words = Schema::own_keys(Schema::scalar())
        .with("not", json!({ "required": ["index"] }))
        .with("minProperties", json!(1));
    Schema::either([
        Schema::scalar(),
        Schema::scalar().list().with("maxItems", json!(1)),
        index.schema(),
        words,
    ])
}

fn bool_words() -> Schema {
    let words = || Schema::either([Schema::scalar(), Schema::scalar().list()]);
    let block =
        Block::new().key("yes", words(), "Words for true.").key("no", words(), "Words for false.");
    Schema::either([Schema::nothing(), block.schema()])
}

fn phone() -> Schema {
    let block = Block::new().key(
        "invalid",
        Schema::words(["hold", "absent"]),
        "What a text that is no number does. Default `hold`.",
    );
    Schema::either([Schema::nothing(), Schema::scalar(), Schema::scalar().list(), block.schema()])
}

fn currency() -> Schema {
    let block = Block::new().need(
        "currency",
        Schema::scalar(),
        "A currency of ISO 4217, or a path to one.",
    );
    Schema::either([
        Schema::scalar(),
        Schema::scalar().list().with("maxItems", json!(1)),
        block.schema(),
    ])
}

fn date() -> Schema {
    let block = Block::new()
        .need("format", Schema::scalar(), "The parts of the output, such as `%d %b %Y`.")
        .key(
            "from",
            Schema::scalar(),
            "How the sender writes it: `rfc3339`, `unix`, `unix_ms`, `http_date` or a format.",
        )
        .key("tz", Schema::scalar(), "The time zone of the output: a name, or a path to one.");
    Schema::either([
        Schema::scalar(),
        Schema::scalar().list().with("maxItems", json!(1)),
        block.schema(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_described() {
        for name in names() {
            assert!(!argument(name).1.is_empty(), "{name}");
        }
    }
}
