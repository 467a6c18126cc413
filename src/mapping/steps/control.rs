//! Steps that look into a value or stop at one: `json`, `path`, `required`.

use std::borrow::Cow;

use super::{Changed, text};
use crate::contact::HeldReason;
use crate::document::{Members, Value};
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, Path, Scope};

/// That a value is required and blank.
pub(super) fn missing() -> Held {
    Held::new(HeldReason::Required, "a value is required, nothing or a blank was found")
}

/// The value that a text holds as JSON; what is no text is taken as it is.
pub(super) fn json(value: &Value) -> Changed {
    let Value::Text(written) = value else { return Ok(Some(value.clone())) };
    // The name by which `serde_json` hands over numbers: a document that uses it means harm.
    let parsed = if written.contains("$serde_json::private::") {
        None
    } else {
        serde_json::from_str::<serde_json::Value>(text(value)?).ok()
    };
    match parsed {
        Some(json) => Ok(Some(from_json(json))),
        None => Err(Held::new(
            HeldReason::Step,
            "a text that holds JSON is expected, a text that does not was found",
        )),
    }
}

fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => Value::Number(number.to_string().into()),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), from_json(value)))
                .collect::<Members>(),
        ),
    }
}

/// What a path selects inside what came before.
pub(super) fn select<'s>(
    path: &Path,
    value: Evaluated<'s>,
    scope: &Scope<'s>,
) -> Result<Evaluated<'s>, Held> {
    let mut found = Vec::new();
    let several = matches!(value, Evaluated::Many(_)) || !path.is_singular();
    match value {
        Evaluated::Absent => {}
        Evaluated::One(value) => inside(path, value, scope, &mut found),
        Evaluated::Many(values) => {
            for value in values {
                inside(path, value, scope, &mut found);
            }
        }
        Evaluated::Mobile(_) => return Err(Held::kind("an object or a list", "a text")),
        Evaluated::Remove => return Err(Held::kind("an object or a list", "`remove`")),
    }
    if several {
        return Ok(Evaluated::many(found));
    }
    Ok(found.pop().map_or(Evaluated::Absent, Evaluated::One))
}

fn inside<'s>(
    path: &Path,
    value: Cow<'s, Value>,
    scope: &Scope<'s>,
    found: &mut Vec<Cow<'s, Value>>,
) {
    match value {
        Cow::Borrowed(value) => {
            found.extend(path.select_in(value, scope.document()).into_iter().map(Cow::Borrowed));
        }
        Cow::Owned(value) => {
            let selected = path.select_in(&value, scope.document());
            found.extend(selected.into_iter().map(|value| Cow::Owned(value.clone())));
        }
    }
}
