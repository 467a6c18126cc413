//! What the roots of paths stand for: by name when a file is read, by value while an event is mapped.

use super::value::Expr;
use crate::contact::Mobile;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::explain::{Tracer, What, Whose};
use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::LazyLock;

/// The roots that can be read at a place in a mapping file, besides `$`, `$headers`, `$query` and
/// `$event`, which are everywhere.
///
/// A `let` has a number, its place among the names; [`Lets`] keeps the values in the same order:
/// those of the file first, then those of the rule.
#[derive(Debug, Clone, Default)]
pub struct Names {
    lets: Vec<Box<str>>,
    item: bool,
    batch: bool,
}

impl Names {
    /// Words that are no names for a `let`.
    pub const RESERVED: [&str; 6] = ["item", "batch", "headers", "query", "event", "body"];

    /// The same names and one `let` more, which can be read from here on.
    #[must_use]
    pub fn with_let(mut self, name: &str) -> Self {
        self.lets.push(name.into());
        self
    }

    /// The same names, and `$item`.
    #[must_use]
    pub fn with_item(mut self) -> Self {
        self.item = true;
        self
    }

    /// The same names, and `$batch`.
    #[must_use]
    pub fn with_batch(mut self) -> Self {
        self.batch = true;
        self
    }

    /// How many `let`s there are.
    pub fn lets(&self) -> usize {
        self.lets.len()
    }

    pub(super) fn has_item(&self) -> bool {
        self.item
    }

    pub(super) fn has_batch(&self) -> bool {
        self.batch
    }

    /// The place of a `let`; of two with one name, the later.
    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        self.lets.iter().rposition(|own| **own == *name)
    }

    /// The known root that is written most like `name`.
    pub(super) fn nearest(&self, name: &str) -> Option<String> {
        let fixed = ["headers", "query", "event"].into_iter();
        let roots = fixed
            .chain(self.item.then_some("item"))
            .chain(self.batch.then_some("batch"))
            .chain(self.lets.iter().map(|name| &**name));
        nearest(name, roots)
    }
}

/// The candidate that is written most like `name`, where one is near enough to be meant.
pub fn nearest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Option<String> {
    let close = |candidate: &'n str| {
        let distance = strsim::damerau_levenshtein(name, candidate);
        (distance <= 1 + name.chars().count() / 4).then_some((distance, candidate))
    };
    candidates.filter_map(close).min().map(|(_, candidate)| candidate.to_owned())
}

/// The value of a `let`, and the keys its table has more than once.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) value: Option<Value>,
    pub(super) repeated: HashSet<Box<str>>,
    /// The value, or those of its table, that a `phone` step has read.
    pub(super) mobiles: Vec<Mobile>,
}

/// The values of one level of `let`s, each evaluated once, when it is first read.
#[derive(Debug)]
pub struct Lets<'l> {
    values: &'l [Expr],
    cells: Vec<OnceCell<Result<Named, Held>>>,
}

impl<'l> Lets<'l> {
    /// Makes room for the values of these `let`s.
    pub fn new(values: &'l [Expr]) -> Self {
        Self { values, cells: values.iter().map(|_| OnceCell::new()).collect() }
    }
}

/// What the roots stand for while one event, or one item of it, is mapped.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    document: &'s Value,
    item: Option<&'s Value>,
    /// What `$item` is for the `let`s, which do not see the items of an `index`.
    item_of_lets: Option<&'s Value>,
    batch: Option<&'s Value>,
    headers: &'s Value,
    query: &'s Value,
    event: &'s Value,
    of_file: Option<&'s Lets<'s>>,
    of_rule: Option<&'s Lets<'s>>,
    /// Where notes are taken, if they are.
    tracer: Option<&'s Tracer>,
}

static NOTHING: LazyLock<Value> = LazyLock::new(|| Value::Object(crate::document::Members::new()));

impl<'s> Scope<'s> {
    /// The scope of an event of which only the document is known.
    pub fn new(document: &'s Value) -> Self {
        Self {
            document,
            item: None,
            item_of_lets: None,
            batch: None,
            headers: &NOTHING,
            query: &NOTHING,
            event: &NOTHING,
            of_file: None,
            of_rule: None,
            tracer: None,
        }
    }

    /// The same scope with the request's headers (an object, names in lower case) and query.
    #[must_use]
    pub fn with_request(self, headers: &'s Value, query: &'s Value) -> Self {
        Self { headers, query, ..self }
    }

    /// The same scope with what is known about the event (`id`, `type`, `occurred_at`, …).
    #[must_use]
    pub fn with_event(self, event: &'s Value) -> Self {
        Self { event, ..self }
    }

    /// The same scope with the whole document of which the event is one item.
    #[must_use]
    pub fn with_batch(self, batch: &'s Value) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// The same scope with another current item.
    #[must_use]
    pub fn with_item(self, item: &'s Value) -> Self {
        Self { item: Some(item), item_of_lets: Some(item), ..self }
    }

    /// The same scope inside an `index`: the current item is another one, but not for the `let`s.
    #[must_use]
    pub(in crate::mapping) fn with_inner_item(self, item: &'s Value) -> Self {
        // Notes are of the table, not of each of what may be hundreds of entries.
        Self { item: Some(item), tracer: None, ..self }
    }

    /// The same scope, with notes taken of what is evaluated in it.
    #[must_use]
    pub(in crate::mapping) fn noted_by(self, tracer: Option<&'s Tracer>) -> Self {
        Self { tracer, ..self }
    }

    /// The same scope for what is evaluated a second time, or for a question beside the matter.
    #[must_use]
    pub(in crate::mapping) fn unnoted(self) -> Self {
        Self { tracer: None, ..self }
    }

    /// Whether notes are taken: then conditions are evaluated to their end, though the answer is known.
    pub(in crate::mapping) fn is_noted(&self) -> bool {
        self.tracer.is_some()
    }

    /// Evaluates something, and notes what it was if notes are taken.
    #[inline]
    pub(in crate::mapping) fn note<T>(
        &self,
        evaluate: impl FnOnce() -> T,
        what: impl FnOnce(&T) -> What,
    ) -> T {
        let Some(tracer) = self.tracer else { return evaluate() };
        tracer.begin();
        let found = evaluate();
        tracer.end(what(&found));
        found
    }

    /// The same for a rule and one item, where the rule's `let`s are noted.
    #[inline]
    pub(in crate::mapping) fn note_item<T>(
        &self,
        evaluate: impl FnOnce() -> T,
        what: impl FnOnce(&T) -> What,
    ) -> T {
        let begun = || {
            if let Some(tracer) = self.tracer {
                tracer.is_item();
            }
            evaluate()
        };
        self.note(begun, what)
    }

    /// The same for reading a `let`.
    #[inline]
    pub(super) fn note_let<T>(
        &self,
        index: usize,
        read: impl FnOnce() -> T,
        what: impl FnOnce(&T) -> What,
    ) -> T {
        let Some(tracer) = self.tracer else { return read() };
        let is_of_file = self.of_file.is_some_and(|lets| index < lets.values.len());
        tracer.begin();
        let found = read();
        tracer.end_let(if is_of_file { Whose::File } else { Whose::Rule }, what(&found));
        found
    }

    /// The same scope with the file's `let`s.
    #[must_use]
    pub fn with_lets(self, lets: &'s Lets<'s>) -> Self {
        Self { of_file: Some(lets), ..self }
    }

    /// The same scope with a rule's own `let`s, which are numbered after the file's.
    #[must_use]
    pub fn with_rule_lets(self, lets: &'s Lets<'s>) -> Self {
        Self { of_rule: Some(lets), ..self }
    }

    /// `$`
    pub fn document(&self) -> &'s Value {
        self.document
    }

    /// `$item`
    pub fn item(&self) -> Option<&'s Value> {
        self.item
    }

    pub(super) fn batch(&self) -> Option<&'s Value> {
        self.batch
    }

    pub(super) fn headers(&self) -> &'s Value {
        self.headers
    }

    pub(super) fn query(&self) -> &'s Value {
        self.query
    }

    pub(super) fn event(&self) -> &'s Value {
        self.event
    }

    /// The value of a `let`. A path that gives one value is read anew and not copied.
    pub(super) fn named(&self, index: usize) -> Result<Option<&'s Value>, Held> {
        let Some((lets, place)) = self.lets_of(index) else { return Ok(None) };
        if let Some(path) = lets.values.get(place).and_then(Expr::as_singular_path) {
            return path.select_one(&self.of_lets());
        }
        Ok(self.evaluated(lets, place)?.and_then(|named| named.value.as_ref()))
    }

    /// The keys that the table of a `let` has more than once.
    pub(super) fn repeated(&self, index: usize) -> Result<Option<&'s HashSet<Box<str>>>, Held> {
        let Some((lets, place)) = self.lets_of(index) else { return Ok(None) };
        Ok(self.evaluated(lets, place)?.map(|named| &named.repeated))
    }

    /// The mobile number with these digits, where the `let` has them from a `phone` step.
    pub(super) fn mobile(&self, index: usize, digits: &str) -> Result<Option<&'s Mobile>, Held> {
        let Some((lets, place)) = self.lets_of(index) else { return Ok(None) };
        if let Some(path) = lets.values.get(place).and_then(Expr::as_singular_path) {
            let index = path.root_let();
            return index.map_or(Ok(None), |index| self.of_lets().mobile(index, digits));
        }
        Ok(self
            .evaluated(lets, place)?
            .and_then(|named| named.mobiles.iter().find(|mobile| mobile.as_str() == digits)))
    }

    fn of_lets(&self) -> Self {
        Self { item: self.item_of_lets, ..*self }
    }

    fn lets_of(&self, index: usize) -> Option<(&'s Lets<'s>, usize)> {
        let of_file = self.of_file.map_or(0, |lets| lets.values.len());
        match index.checked_sub(of_file) {
            Some(place) => self.of_rule.map(|lets| (lets, place)),
            None => self.of_file.map(|lets| (lets, index)),
        }
    }

    fn evaluated(&self, lets: &'s Lets<'s>, place: usize) -> Result<Option<&'s Named>, Held> {
        let (Some(cell), Some(value)) = (lets.cells.get(place), lets.values.get(place)) else {
            return Ok(None);
        };
        cell.get_or_init(|| value.named(&self.of_lets())).as_ref().map(Some).map_err(Held::clone)
    }
}
