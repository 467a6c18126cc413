//! Conditions.

use serde_json::json;

use super::{Block, Schema};
use crate::mapping::when::TESTS;

/// What a key that is a path looks like.
const PATH: &str = r"^\$(\.|\[|[A-Za-z]|\s*\||$)";

pub(super) fn condition() -> Schema {
    let blocks = || Schema::named("condition").list().about("Blocks.").into_value();
    Schema::keys_like([(PATH.to_owned(), Schema::named("tests_of_a_value"))])
        .with(
            "properties",
            json!({
                "all": blocks(),
                "any": blocks(),
                "not": Schema::named("condition").about("A block that must not hold.").into_value(),
            }),
        )
        .about("Paths and what must be there, all of it; `all`, `any` and `not` nest.")
}

pub(super) fn tests() -> Schema {
    let operand = || Schema::either([Schema::named("value"), Schema::nothing()]);
    let plain =
        || Schema::either([Schema::scalar(), Schema::nothing()]).about("What it must equal.");
    let mut block = Block::new();
    for name in TESTS {
        let (value, about) = test(name, &operand);
        block = block.key(name, value, about);
    }
    Schema::either([
        plain(),
        operand().list().about("What it must be equal to one of."),
        block.schema().with("minProperties", json!(1)),
    ])
}

fn test(name: &str, operand: &impl Fn() -> Schema) -> (Schema, &'static str) {
    let values = || Schema::either([operand().list(), super::value::path_with_steps()]);
    let number = || {
        Schema::either([
            Schema::scalar().with("type", json!("number")),
            super::value::path_with_steps(),
        ])
    };
    let several = || Schema::named("tests_of_a_value");
    match name {
        "equals" => (operand(), "It is this, exactly."),
        "not_equals" => (operand(), "It is not this; also where it is absent."),
        "in" => (values(), "It is one of these."),
        "not_in" => (values(), "It is none of these; also where it is absent."),
        "contains" => (operand(), "A list with this item, or a text with this part."),
        "starts_with" => (operand(), "Its text begins with this."),
        "ends_with" => (operand(), "Its text ends with this."),
        "matches" => (Schema::scalar(), "A regular expression that matches somewhere in its text."),
        "exists" => (Schema::boolean(), "Whether it is there, null included."),
        "empty" => (Schema::boolean(), "Whether it is blank, `[]` or `{}`."),
        "gt" => (number(), "A number above this."),
        "gte" => (number(), "A number from this on."),
        "lt" => (number(), "A number below this."),
        "lte" => (number(), "A number up to this."),
        "any_is" => (several(), "Of several, one passes."),
        "all_are" => (several(), "Of several, all pass, and there is one."),
        "none_is" => (several(), "Of several, none passes."),
        "count" => (several(), "How many there are passes."),
        _ => (operand(), ""),
    }
}
