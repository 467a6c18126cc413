//! The JSON Schema of a mapping file, for editors: completion, descriptions, and what is wrong while it is typed.
//!
//! Each subject has its part in a file of its own, with the words of the readers' own constants; [`Schema`] builds
//! them. What has its meaning at the door (`verify`, `respond`) is handed in. `tests/spec/schema.rs` holds it
//! against every mapping there is, and the keys of its blocks against those that the readers know.

mod body;
mod build;
mod contact;
mod event;
mod file;
mod rule;
mod steps;
mod testing;
mod update;
mod value;
mod when;

pub use build::{Block, Schema};

use serde_json::{Map, Value, json};

/// The schema of a mapping file (draft 2020-12). `verify` and `respond` describe the values of these keys.
pub fn of(verify: Schema, respond: Schema) -> Value {
    let parts: [(&str, Schema); 15] = [
        ("verify", verify),
        ("respond", respond),
        ("body", body::body()),
        ("event", event::event()),
        ("rule", rule::rule()),
        ("contact", contact::contact()),
        ("update", update::update()),
        ("value", value::value()),
        ("choice", value::choice()),
        ("attribute_value", value::value_that_may_remove()),
        ("table", value::table()),
        ("condition", when::condition()),
        ("tests_of_a_value", when::tests()),
        ("step", steps::step()),
        ("test", testing::test()),
    ];
    let parts: Map<String, Value> =
        parts.into_iter().map(|(name, part)| (name.to_owned(), part.into_value())).collect();
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("A mapping file of chatflow-bridge"));
    schema.extend(file::file().into_members());
    schema.insert("$defs".to_owned(), Value::Object(parts));
    Value::Object(schema)
}
