//! Values and documents for tests.

use indexmap::IndexMap;
use std::sync::Arc;

use super::{Evaluated, Expr, Names, Reading, Scope, Table};
use crate::document::{Members, Value};
use crate::mapping::syntax::{Code, Node, Problem, Problems};

/// A document from JSON.
pub(in crate::mapping) fn document(text: &str) -> Value {
    fn of(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => Value::Number(number.to_string().into()),
            serde_json::Value::String(text) => Value::text(text),
            serde_json::Value::Array(items) => Value::List(items.into_iter().map(of).collect()),
            serde_json::Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name.into(), of(value)))
                    .collect::<Members>(),
            ),
        }
    }
    of(serde_json::from_str(text).unwrap())
}

/// Does something with the surroundings in which samples are read: a table `plans`, UTC, the country India.
pub(in crate::mapping) fn with_reading<T>(
    names: &Names,
    then: impl FnOnce(&Reading<'_>, &mut Problems) -> T,
) -> (T, Vec<Problem>) {
    let mut problems = Problems::default();
    let plans = Node::read("pro_2024: pro\nteam_2024: team\ngone:\n").unwrap();
    let plans = Table::read(&plans, &mut problems).unwrap();
    let tables = IndexMap::from([("plans".into(), Arc::new(plans))]);
    let reading = Reading {
        names,
        tables: &tables,
        country: Some(phonenumber::country::Id::IN),
        timezone: &jiff::tz::TimeZone::UTC,
    };
    let done = then(&reading, &mut problems);
    (done, problems.into_sorted())
}

/// A value as it is written in a file, and what is wrong with it. What begins with `$` is quoted.
pub(in crate::mapping) fn read(written: &str, names: &Names) -> (Option<Expr>, Vec<Problem>) {
    let node = Node::read(written).unwrap();
    with_reading(names, |reading, problems| Expr::read(&node, reading, problems))
}

/// A value without problems; a path with steps needs no quotes here.
pub(in crate::mapping) fn value(written: &str, names: &Names) -> Expr {
    let quoted = if written.starts_with('$') {
        format!("'{}'", written.replace('\'', "''"))
    } else {
        written.to_owned()
    };
    let (expr, mut problems) = read(&quoted, names);
    // A text that looks like a path is a text all the same.
    problems.retain(|problem| problem.code != Code::TextLikeAPath);
    assert_eq!(problems, [], "{written}");
    expr.unwrap()
}

/// What a value written so gives on a document: JSON, `absent`, `remove` or `held: reason`.
pub(in crate::mapping) fn evaluated(written: &str, document: &Value) -> String {
    let value = value(written, &Names::default());
    shown(&value, &Scope::new(document))
}

/// What a value gives in a scope, in words.
pub(in crate::mapping) fn shown(value: &Expr, scope: &Scope<'_>) -> String {
    match value.evaluate(scope) {
        Err(held) => format!("held: {}", held.reason),
        Ok(Evaluated::Absent) => "absent".to_owned(),
        Ok(Evaluated::Remove) => "remove".to_owned(),
        Ok(Evaluated::Mobile(mobile)) => format!("mobile {}", mobile.as_str()),
        Ok(Evaluated::One(one)) => serde_json::to_string(&*one).unwrap(),
        Ok(Evaluated::Many(many)) => {
            format!("many {}", serde_json::to_string(&many).unwrap())
        }
    }
}
