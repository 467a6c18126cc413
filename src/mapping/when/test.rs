//! The tests of a condition.

use std::borrow::Cow;
use std::cmp::Ordering;

use regex::Regex;

use super::{Answer, all, any};
use crate::contact::HeldReason;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::explain::{Answer as Noted, What};
use crate::mapping::expr::{Evaluated, Expr, Path, Scope, compare_numbers, is_number, text_of};

/// One test of a value.
#[derive(Debug)]
pub(super) enum Test {
    /// It is equal; the flag turns it around.
    Equals(Expr, Turned),
    /// It is equal to one of these.
    In(Vec<Expr>, Turned),
    /// It is a list with this item, or a text with this part.
    Contains(Expr),
    /// Its text begins with this.
    StartsWith(Expr),
    /// Its text ends with this.
    EndsWith(Expr),
    /// The pattern matches somewhere in its text.
    Matches(Regex),
    /// It is there, null included.
    Exists(bool),
    /// It is blank, `[]` or `{}`.
    Empty(bool),
    /// It is a number that stands so to another.
    Compare(Order, Expr),
    /// One of several passes these tests.
    AnyIs(Vec<Test>),
    /// There are some, and all of them pass these tests.
    AllAre(Vec<Test>),
    /// None of several passes these tests.
    NoneIs(Vec<Test>),
    /// How many there are passes these tests.
    Count(Vec<Test>),
}

/// Whether a test is asked as it is or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    /// As it is.
    No,
    /// The other way round.
    Yes,
}

/// The order of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Gt,
    Gte,
    Lt,
    Lte,
}

impl Order {
    fn is_met_by(self, found: Ordering) -> bool {
        match self {
            Self::Gt => found == Ordering::Greater,
            Self::Gte => found != Ordering::Less,
            Self::Lt => found == Ordering::Less,
            Self::Lte => found != Ordering::Greater,
        }
    }
}

impl Test {
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        match self {
            Self::Equals(value, _)
            | Self::Contains(value)
            | Self::StartsWith(value)
            | Self::EndsWith(value)
            | Self::Compare(_, value) => value.each_path(then),
            Self::In(values, _) => values.iter().for_each(|value| value.each_path(then)),
            Self::AnyIs(tests) | Self::AllAre(tests) | Self::NoneIs(tests) | Self::Count(tests) => {
                for test in tests {
                    test.each_path(then);
                }
            }
            Self::Matches(_) | Self::Exists(_) | Self::Empty(_) => {}
        }
    }

    /// The answer, noted.
    pub(super) fn noted(&self, found: &Evaluated<'_>, scope: &Scope<'_>) -> Answer {
        scope.note(
            || self.answer(found, scope),
            |answer| What::Test { expected: self.to_string(), holds: Noted::of(answer) },
        )
    }

    fn answer(&self, found: &Evaluated<'_>, scope: &Scope<'_>) -> Answer {
        match self {
            Self::AnyIs(tests) => any(
                scope,
                each_value(found)?.into_iter().map(|value| pass(tests, Some(value), scope)),
            ),
            Self::NoneIs(tests) => any(
                scope,
                each_value(found)?.into_iter().map(|value| pass(tests, Some(value), scope)),
            )
            .map(|one| !one),
            Self::AllAre(tests) => {
                let values = each_value(found)?;
                if values.is_empty() {
                    return Ok(false);
                }
                all(scope, values.into_iter().map(|value| pass(tests, Some(value), scope)))
            }
            Self::Count(tests) => {
                let count = Value::Number(each_value(found)?.len().to_string().into());
                pass(tests, Some(&count), scope)
            }
            _ => {
                let value = match found {
                    Evaluated::Absent => None,
                    Evaluated::One(value) => Some(&**value),
                    Evaluated::Many(values) => match values.as_slice() {
                        [one] => Some(&**one),
                        several => return Err(several_found(several.len())),
                    },
                    Evaluated::Mobile(_) | Evaluated::Remove => return Err(no_value()),
                };
                self.one(value, scope)
            }
        }
    }

    /// The answer for one value, which may be absent.
    fn one(&self, value: Option<&Value>, scope: &Scope<'_>) -> Answer {
        match self {
            Self::Exists(wanted) => return Ok(value.is_some() == *wanted),
            Self::Empty(wanted) => {
                // Absent makes `empty: true` true and every other test false.
                return Ok(value.map_or(*wanted, |value| is_empty(value) == *wanted));
            }
            Self::Contains(part) => return contains(value, part, scope),
            Self::AnyIs(_) | Self::AllAre(_) | Self::NoneIs(_) | Self::Count(_) => {
                let found =
                    value.map_or(Evaluated::Absent, |value| Evaluated::One(Cow::Borrowed(value)));
                return self.answer(&found, scope);
            }
            _ => {}
        }
        let Some(value) = the_one(value)? else {
            return Ok(matches!(self, Self::Equals(_, Turned::Yes) | Self::In(_, Turned::Yes)));
        };
        match self {
            Self::Equals(expected, turned) => {
                Ok(is_equal_to(value, expected, scope)? == (*turned == Turned::No))
            }
            Self::In(expected, turned) => {
                let one = any(scope, expected.iter().map(|one| is_one_of(value, one, scope)))?;
                Ok(one == (*turned == Turned::No))
            }
            Self::StartsWith(part) => {
                of_texts(value, part, scope, |text, part| text.starts_with(part))
            }
            Self::EndsWith(part) => of_texts(value, part, scope, |text, part| text.ends_with(part)),
            Self::Matches(pattern) => {
                Ok(tested_text(value)?.is_some_and(|text| pattern.is_match(text)))
            }
            Self::Compare(order, than) => compare(value, *order, than, scope),
            _ => Ok(false),
        }
    }
}

/// Whether a value passes all of some tests.
fn pass(tests: &[Test], value: Option<&Value>, scope: &Scope<'_>) -> Answer {
    all(scope, tests.iter().map(|test| test.one(value, scope)))
}

/// The values that a path selected and, of an array among them, its items.
fn each_value<'v>(found: &'v Evaluated<'_>) -> Result<Vec<&'v Value>, Held> {
    fn add<'v>(value: &'v Value, values: &mut Vec<&'v Value>) {
        match value {
            Value::List(items) => values.extend(items),
            value => values.push(value),
        }
    }
    let mut values = Vec::new();
    match found {
        Evaluated::Absent => {}
        Evaluated::One(value) => add(value, &mut values),
        Evaluated::Many(found) => found.iter().for_each(|value| add(value, &mut values)),
        Evaluated::Mobile(_) | Evaluated::Remove => return Err(no_value()),
    }
    Ok(values)
}

/// That a wish to remove stands where a value is compared (a mobile number is plain by then).
fn no_value() -> Held {
    Held::kind("a value", "`remove`")
}

fn several_found(count: usize) -> Held {
    let detail = format!(
        "{count} values where one is expected: say `any_is`, `all_are`, `none_is` or `count`"
    );
    Held::new(HeldReason::Several, detail)
}

/// An array of one item is that item, an empty one is absent, of a longer one blanks do not count.
fn the_one(value: Option<&Value>) -> Result<Option<&Value>, Held> {
    let Some(Value::List(items)) = value else { return Ok(value) };
    if let [one] = items.as_slice() {
        return the_one(Some(one));
    }
    let filled: Vec<_> = items.iter().filter(|item| !item.is_blank()).collect();
    match filled.as_slice() {
        [] => Ok(None),
        [one] => the_one(Some(one)),
        several => Err(several_found(several.len())),
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_blank() || matches!(value, Value::Object(members) if members.is_empty())
}

/// What stands on the other side of a test; nothing where it is a path that selects nothing.
fn expected<'s>(expr: &'s Expr, scope: &Scope<'s>) -> Result<Option<Cow<'s, Value>>, Held> {
    match expr.evaluate(scope)?.plain() {
        Evaluated::Absent => Ok(None),
        Evaluated::One(value) => Ok(Some(value)),
        Evaluated::Many(mut values) => match values.len() {
            1 => Ok(values.pop()),
            several => Err(several_found(several).at(&expr.label())),
        },
        Evaluated::Mobile(_) | Evaluated::Remove => Err(no_value()),
    }
}

fn is_equal_to(value: &Value, expr: &Expr, scope: &Scope<'_>) -> Answer {
    let Some(expected) = expected(expr, scope)? else { return Ok(false) };
    Ok(the_one(Some(&expected))?.is_some_and(|expected| is_equal(value, expected)))
}

/// Whether a value is what an entry of `in` says; a path there may give several, or a list.
fn is_one_of(value: &Value, expr: &Expr, scope: &Scope<'_>) -> Answer {
    let found = expr.evaluate(scope)?.plain();
    Ok(each_value(&found)?.into_iter().any(|expected| is_equal(value, expected)))
}

/// A number is equal to a number, or a text that is one, with the same digits; `true` and `false` to themselves
/// and to their words; a text to the same text; null to null.
fn is_equal(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Number(text) | Value::Text(text), Value::Number(number)) => {
            compare_numbers(text, number) == Some(Ordering::Equal)
        }
        (Value::Bool(value), Value::Bool(expected)) => value == expected,
        (Value::Text(text), Value::Bool(expected)) => {
            **text == *(if *expected { "true" } else { "false" })
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, l)| right.get(name).is_some_and(|r| is_equal(l, r)))
        }
        _ => value == expected,
    }
}

/// The text that text tests look at: none for null, and no answer for what has none.
fn tested_text(value: &Value) -> Result<Option<&str>, Held> {
    match value {
        Value::Null => Ok(None),
        Value::List(_) | Value::Object(_) => Err(Held::kind("a text", value.kind())),
        _ => Ok(text_of(value)),
    }
}

fn of_texts(
    value: &Value,
    part: &Expr,
    scope: &Scope<'_>,
    holds: impl FnOnce(&str, &str) -> bool,
) -> Answer {
    let Some(expected) = expected(part, scope)? else { return Ok(false) };
    let (Some(text), Some(part)) = (tested_text(value)?, tested_text(&expected)?) else {
        return Ok(false);
    };
    Ok(holds(text, part))
}

fn contains(value: Option<&Value>, part: &Expr, scope: &Scope<'_>) -> Answer {
    let Some(value) = value else { return Ok(false) };
    if let Value::List(items) = value {
        let Some(expected) = expected(part, scope)? else { return Ok(false) };
        return Ok(items.iter().any(|item| is_equal(item, &expected)));
    }
    of_texts(value, part, scope, |text, part| text.contains(part))
}

/// On a blank it is no; on anything else that is no number there is no answer.
fn compare(value: &Value, order: Order, than: &Expr, scope: &Scope<'_>) -> Answer {
    let Some(than) = expected(than, scope)? else { return Ok(false) };
    let mut numbers = [""; 2];
    for (number, side) in numbers.iter_mut().zip([value, &than]) {
        match side {
            _ if side.is_blank() => return Ok(false),
            Value::Number(text) => *number = text,
            Value::Text(text) if is_number(text) => *number = text,
            Value::Text(_) => return Err(Held::kind("a number", "a text that is none")),
            other => return Err(Held::kind("a number", other.kind())),
        }
    }
    let [left, right] = numbers;
    Ok(compare_numbers(left, right).is_some_and(|found| order.is_met_by(found)))
}
