//! Walking a document along a path. No allocation but for what is found.

use super::query::{Comparison, Filter, Operand, Query, Segment, Selector};
use crate::document::Value;
use crate::mapping::expr::number::compare_numbers;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Where the walk is: `root` is the `$` of filters, `here` the `@`.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) root: &'a Value,
    pub(super) here: &'a Value,
}

/// Adds what the segments select from `at.here` to `found`.
pub(super) fn select<'a>(segments: &[Segment], at: At<'a>, found: &mut Vec<&'a Value>) {
    let Some((first, rest)) = segments.split_first() else {
        found.push(at.here);
        return;
    };
    each(first, at, &mut |here| select(rest, At { here, ..at }, found));
}

/// The one value at the end of names and indexes; nothing where another selector stands on the way.
pub(super) fn walk<'a>(segments: &[Segment], from: &'a Value) -> Option<&'a Value> {
    segments.iter().try_fold(from, |here, segment| match segment {
        Segment::Child(Selector::Name(name)) => here.member(name),
        Segment::Child(Selector::Index(index)) => element(here, *index),
        _ => None,
    })
}

fn each<'a>(segment: &Segment, at: At<'a>, then: &mut dyn FnMut(&'a Value)) {
    match segment {
        Segment::Child(selector) => pick(selector, at, then),
        Segment::Children(selectors) => selectors.iter().for_each(|one| pick(one, at, then)),
        Segment::Descendant(inner) => {
            each(inner, at, then);
            children(at.here, &mut |here| each(segment, At { here, ..at }, then));
        }
    }
}

fn pick<'a>(selector: &Selector, at: At<'a>, then: &mut dyn FnMut(&'a Value)) {
    match selector {
        Selector::Name(name) => at.here.member(name).into_iter().for_each(then),
        Selector::Index(index) => element(at.here, *index).into_iter().for_each(then),
        Selector::Wildcard => children(at.here, then),
        Selector::Slice(from, to, by) => slice(at.here, *from, *to, *by, then),
        Selector::Filter(filter) => children(at.here, &mut |here| {
            if holds(filter, At { here, ..at }) {
                then(here);
            }
        }),
    }
}

fn children<'a>(value: &'a Value, then: &mut dyn FnMut(&'a Value)) {
    match value {
        Value::List(items) => items.iter().for_each(then),
        Value::Object(members) => members.values().for_each(then),
        _ => {}
    }
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let Value::List(items) = value else { return None };
    let place = if index < 0 { index + length(items) } else { index };
    items.get(usize::try_from(place).ok()?)
}

fn length(items: &[Value]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// RFC 9535, 2.3.4.2.2.
fn slice<'a>(
    value: &'a Value,
    from: Option<i64>,
    to: Option<i64>,
    by: i64,
    then: &mut dyn FnMut(&'a Value),
) {
    let Value::List(items) = value else { return };
    let length = length(items);
    let normal = |place: i64| if place < 0 { place + length } else { place };
    let (mut place, end) = match by {
        0 => return,
        1.. => (
            normal(from.unwrap_or(0)).clamp(0, length),
            normal(to.unwrap_or(length)).clamp(0, length),
        ),
        _ => (
            from.map_or(length - 1, normal).clamp(-1, length - 1),
            to.map_or(-1, |to| normal(to).clamp(-1, length - 1)),
        ),
    };
    while (by > 0 && place < end) || (by < 0 && place > end) {
        usize::try_from(place)
            .ok()
            .and_then(|place| items.get(place))
            .into_iter()
            .for_each(&mut *then);
        place = place.saturating_add(by);
    }
}

fn holds(filter: &Filter, at: At<'_>) -> bool {
    match filter {
        Filter::Any(filters) => filters.iter().any(|filter| holds(filter, at)),
        Filter::All(filters) => filters.iter().all(|filter| holds(filter, at)),
        Filter::Not(filter) => !holds(filter, at),
        Filter::Exists(query) => !nodes(query, at).is_empty(),
        Filter::Compare(left, operator, right) => {
            compare(operand(left, at).as_deref(), *operator, operand(right, at).as_deref())
        }
        Filter::Matches(value, pattern) => operand(value, at)
            .as_deref()
            .and_then(Value::as_text)
            .is_some_and(|text| pattern.is_match(text)),
    }
}

fn nodes<'a>(query: &Query, at: At<'a>) -> Vec<&'a Value> {
    let here = if query.from_root { at.root } else { at.here };
    let mut found = Vec::new();
    select(&query.segments, At { here, ..at }, &mut found);
    found
}

/// The value of one side of a comparison; none is the RFC's `Nothing`.
fn operand<'a>(operand: &'a Operand, at: At<'a>) -> Option<Cow<'a, Value>> {
    let number = |count: usize| Some(Cow::Owned(Value::Number(count.to_string().into())));
    match operand {
        Operand::Literal(value) => Some(Cow::Borrowed(value)),
        Operand::Value(query) if query.segments.iter().all(Segment::is_singular) => {
            let from = if query.from_root { at.root } else { at.here };
            walk(&query.segments, from).map(Cow::Borrowed)
        }
        Operand::Value(query) => match nodes(query, at).as_slice() {
            [one] => Some(Cow::Borrowed(*one)),
            _ => None,
        },
        Operand::Count(query) => number(nodes(query, at).len()),
        Operand::Length(value) => match &*self::operand(value, at)? {
            Value::Text(text) => number(text.chars().count()),
            Value::List(items) => number(items.len()),
            Value::Object(members) => number(members.len()),
            _ => None,
        },
    }
}

fn compare(left: Option<&Value>, operator: Comparison, right: Option<&Value>) -> bool {
    let is_equal = || match (left, right) {
        (Some(left), Some(right)) => equal(left, right),
        (left, right) => left.is_none() && right.is_none(),
    };
    let order = || match (left?, right?) {
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => None,
    };
    match operator {
        Comparison::Eq => is_equal(),
        Comparison::Ne => !is_equal(),
        Comparison::Lt => order() == Some(Ordering::Less),
        Comparison::Gt => order() == Some(Ordering::Greater),
        Comparison::Le => order() == Some(Ordering::Less) || is_equal(),
        Comparison::Ge => order() == Some(Ordering::Greater) || is_equal(),
    }
}

/// Equal as JSON values: `1` and `1.0` are the same number, members have no order.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            compare_numbers(left, right) == Some(Ordering::Equal)
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, left)| right.get(name).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}
