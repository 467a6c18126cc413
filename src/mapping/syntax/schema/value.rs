//! Values, in all their forms.

use serde_json::json;

use super::{Block, Schema, steps};
use crate::mapping::expr::ON_REPEAT;

/// A path without steps.
pub(super) fn path() -> Schema {
    Schema::pattern(
        r"^\$([A-Za-z_][A-Za-z0-9_]*)?([.\[][\s\S]*)?$",
        "a path such as `$.name`, `$answer.phone` or `$.list[*]`",
    )
}

/// A path that may have steps.
pub(super) fn path_with_steps() -> Schema {
    Schema::pattern(r"^\$(\.|\[|[A-Za-z]|\s*\||$)", "a path, with or without steps")
}

/// Whatever stands where a value is expected.
pub(super) fn value() -> Schema {
    any_of(&["hold", "absent"]).about("A path with steps, a template, a text, or a form in braces.")
}

/// The same in `first_of`, where a failure may let the next one have its turn.
pub(super) fn choice() -> Schema {
    any_of(&["hold", "absent", "next"])
}

/// The same where `{ remove: true }` and `empty: remove` mean something.
pub(super) fn value_that_may_remove() -> Schema {
    let mut forms = vec![scalar(), Schema::named("value").any_list()];
    forms.extend(forms_in_braces(&["hold", "absent"], true));
    Schema::either(forms)
}

/// A table made of an array of pairs.
pub(super) fn table() -> Schema {
    index(&["hold", "absent"])
}

/// `let`: names and values.
pub(super) fn forms_with_name() -> Schema {
    Schema::keys_like([("^[A-Za-z_][A-Za-z0-9_]*$".to_owned(), Schema::named("value"))])
        .with("propertyNames", json!({ "not": { "enum": crate::mapping::expr::Names::RESERVED } }))
        .with("minProperties", json!(0))
}

/// One value, a list of them, or nothing.
pub(super) fn list(value: Schema) -> Schema {
    Schema::either([value.clone(), value.any_list(), Schema::nothing()])
}

fn any_of(on_error: &[&'static str]) -> Schema {
    let mut forms = vec![scalar(), Schema::named("value").any_list()];
    forms.extend(forms_in_braces(on_error, false));
    Schema::either(forms)
}

/// A scalar: one that begins like a path is one, and its first step is known.
fn scalar() -> Schema {
    let names = steps::names().collect::<Vec<_>>().join("|");
    // Brackets may hold a `|` of their own: behind one nothing is looked at.
    let path = format!(
        r"^(?:[^$]|\$[^.\[A-Za-z|\s]|\$\s+[^\s|]|\$[^|\[]*$|\$[^|\[]*\[|\$[^|\[]*\|\s*(?:{names})\b)|^$"
    );
    Schema::scalar()
        .with("pattern", json!(path))
        .with("patternErrorMessage", json!("the step after the `|` is not known"))
}

fn forms_in_braces(on_error: &[&'static str], may_remove: bool) -> Vec<Schema> {
    let value = || Schema::named("value");
    let inner = || if may_remove { value_or_remove() } else { value() };
    let choices = if may_remove { inner() } else { Schema::named("choice") };
    let with = |block: Block| options(block, on_error).schema();
    let mut forms = vec![
        with(Block::new().need(
            "value",
            Schema::either([value(), Schema::scalar()]),
            "A text, whatever it looks like.",
        )),
        with(Block::new().need("from", value(), "Where the value comes from.").key(
            "steps",
            Schema::named("step").any_list(),
            "The steps it goes through, from first to last.",
        )),
        with(Block::new().need("first_of", choices.list(), "The first that is not blank.")),
        with(
            Block::new()
                .need("join", value().list(), "Those that are not blank, as one text.")
                .key("with", Schema::scalar(), "What stands between them. Default: nothing."),
        ),
        with(Block::new().need("all_of", value().list(), "Those that are not blank, as one list.")),
        index(on_error),
    ];
    if may_remove {
        forms.push(with(Block::new().need("remove", Schema::yes(), "Remove what is there.")));
    }
    forms
}

/// What may stand in a `first_of` of an attribute.
fn value_or_remove() -> Schema {
    let remove = Block::new().need("remove", Schema::yes(), "Remove what is there.");
    Schema::either([Schema::named("choice"), options(remove, &["hold"]).schema()])
}

fn index(on_error: &[&'static str]) -> Schema {
    let block = Block::new()
        .need("index", path(), "The array.")
        .need("key", Schema::named("value"), "The key of an item, which is `$item`.")
        .need("value", Schema::named("value"), "The value of an item, which is `$item`.")
        .key(
            "on_repeat",
            Schema::words_of(ON_REPEAT),
            "What a key that repeats has. Without it, reading it is held.",
        );
    options(block, on_error).schema()
}

/// What every form in braces takes.
fn options(block: Block, on_error: &[&'static str]) -> Block {
    let block = block
        .key("when", Schema::named("condition"), "Without it the value is absent.")
        .key("default", Schema::named("value"), "What stands in for a blank.")
        .key("required", Schema::boolean(), "`true`: a blank holds the update.")
        .key(
            "on_error",
            Schema::words(on_error.iter().copied()),
            "What a step that fails does. Default `hold`; `absent`: it is as good as nothing.",
        );
    block.key("empty", Schema::words(["remove"]), "What is there and blank removes the attribute.")
}
