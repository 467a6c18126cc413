//! The model of a path after its root: what `jsonpath-rust` parsed, held to the RFC's types.

use super::{PathError, syntax};
use crate::document::Value;
use jsonpath_rust::parser::model;
use regex::Regex;

/// One step down a document.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// `.name`, `[0]`, `[*]`, `[?…]`
    Child(Selector),
    /// `['a', 'b']`
    Children(Vec<Selector>),
    /// `..` and then one of the others.
    Descendant(Box<Segment>),
}

/// What a segment selects among the children of a value.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    /// The member of this name.
    Name(Box<str>),
    /// The element at this place, from the end where it is negative.
    Index(i64),
    /// Every child.
    Wildcard,
    /// Elements from, to, by.
    Slice(Option<i64>, Option<i64>, i64),
    /// The children for which the filter holds.
    Filter(Filter),
}

/// The condition of a filter selector.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Query),
    Compare(Operand, Comparison, Operand),
    Matches(Operand, Regex),
}

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// One side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(Value),
    /// The value of a query, where it selects exactly one.
    Value(Query),
    Count(Query),
    Length(Box<Operand>),
}

/// A query inside a filter, from `$` or from `@`.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) from_root: bool,
    pub(super) segments: Vec<Segment>,
}

impl Segment {
    /// Whether the segment can select one value at most.
    pub(super) fn is_singular(&self) -> bool {
        matches!(self, Self::Child(Selector::Name(_) | Selector::Index(_)))
    }

    /// Whether the segment may look at the member of this name.
    pub(super) fn may_read(&self, name: &str) -> bool {
        let selects = |selector: &Selector| match selector {
            Selector::Name(own) => **own == *name,
            Selector::Index(_) | Selector::Slice(..) => false,
            Selector::Wildcard | Selector::Filter(_) => true,
        };
        match self {
            Self::Child(selector) => selects(selector),
            Self::Children(selectors) => selectors.iter().any(selects),
            Self::Descendant(_) => true,
        }
    }
}

/// The segments of a path, given what follows its root. Offsets count from there.
pub(super) fn parse(rest: &str) -> Result<Vec<Segment>, PathError> {
    let parsed = syntax::parse(rest)?;
    let mut reading = Reading { descendants: 0 };
    reading.segments(&parsed.segments, false).map_err(|fault| {
        let offset = fault.near.and_then(|near| rest.find(near)).unwrap_or(0);
        PathError { message: fault.message, offset, help: fault.help }
    })
}

/// What is wrong with a path that parses.
struct Fault {
    message: String,
    near: Option<&'static str>,
    help: Option<String>,
}

impl Fault {
    fn new(near: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), near: Some(near), help: None }
    }
}

/// The way from the library's model to our own.
struct Reading {
    descendants: usize,
}

impl Reading {
    fn segments(
        &mut self,
        segments: &[model::Segment],
        in_filter: bool,
    ) -> Result<Vec<Segment>, Fault> {
        segments.iter().map(|segment| self.segment(segment, in_filter)).collect()
    }

    fn segment(&mut self, segment: &model::Segment, in_filter: bool) -> Result<Segment, Fault> {
        Ok(match segment {
            model::Segment::Selector(one) => Segment::Child(self.selector(one)?),
            model::Segment::Selectors(many) => Segment::Children(
                many.iter().map(|one| self.selector(one)).collect::<Result<_, _>>()?,
            ),
            model::Segment::Descendant(inner) => {
                self.descendants += 1;
                if in_filter {
                    return Err(Fault::new("..", "a filter cannot search with `..`"));
                }
                if self.descendants > 1 {
                    return Err(Fault::new("..", "a path has `..` once at most"));
                }
                Segment::Descendant(Box::new(self.segment(inner, in_filter)?))
            }
        })
    }

    fn selector(&mut self, selector: &model::Selector) -> Result<Selector, Fault> {
        Ok(match selector {
            model::Selector::Name(name) => Selector::Name(name.as_str().into()),
            model::Selector::Wildcard => Selector::Wildcard,
            model::Selector::Index(index) => Selector::Index(*index),
            model::Selector::Slice(from, to, by) => Selector::Slice(*from, *to, by.unwrap_or(1)),
            model::Selector::Filter(filter) => Selector::Filter(self.filter(filter)?),
        })
    }

    fn filter(&mut self, filter: &model::Filter) -> Result<Filter, Fault> {
        let mut each = |filters: &[model::Filter]| {
            filters.iter().map(|filter| self.filter(filter)).collect::<Result<Vec<_>, _>>()
        };
        let negated = |filter, not: bool| if not { Filter::Not(Box::new(filter)) } else { filter };
        Ok(match filter {
            model::Filter::Or(filters) => Filter::Any(each(filters)?),
            model::Filter::And(filters) => Filter::All(each(filters)?),
            model::Filter::Atom(model::FilterAtom::Filter { expr, not }) => {
                negated(self.filter(expr)?, *not)
            }
            model::Filter::Atom(model::FilterAtom::Test { expr, not }) => {
                negated(self.test(expr)?, *not)
            }
            model::Filter::Atom(model::FilterAtom::Comparison(comparison)) => {
                self.comparison(comparison)?
            }
        })
    }

    fn test(&mut self, test: &model::Test) -> Result<Filter, Fault> {
        let function = match test {
            model::Test::Function(function) => function,
            model::Test::RelQuery(_) | model::Test::AbsQuery(_) => {
                return Ok(Filter::Exists(self.query(test)?));
            }
        };
        match &**function {
            model::TestFunction::Match(value, pattern) => {
                Ok(Filter::Matches(self.argument(value, "match(")?, pattern_of(pattern, "match(")?))
            }
            model::TestFunction::Search(value, pattern) => Ok(Filter::Matches(
                self.argument(value, "search(")?,
                pattern_of(pattern, "search(")?,
            )),
            model::TestFunction::Length(_) => {
                Err(Fault::new("length(", "`length` gives a number, which is to be compared"))
            }
            model::TestFunction::Count(_) => {
                Err(Fault::new("count(", "`count` gives a number, which is to be compared"))
            }
            model::TestFunction::Value(_) => {
                Err(Fault::new("value(", "`value` gives a value, which is to be compared"))
            }
            model::TestFunction::Custom(name, _) => Err(Fault {
                message: format!("no function of paths is called `{name}`"),
                near: None,
                help: Some("there are `length`, `count`, `value`, `match` and `search`".to_owned()),
            }),
        }
    }

    fn comparison(&mut self, comparison: &model::Comparison) -> Result<Filter, Fault> {
        let operator = match comparison {
            model::Comparison::Eq(..) => Comparison::Eq,
            model::Comparison::Ne(..) => Comparison::Ne,
            model::Comparison::Gt(..) => Comparison::Gt,
            model::Comparison::Gte(..) => Comparison::Ge,
            model::Comparison::Lt(..) => Comparison::Lt,
            model::Comparison::Lte(..) => Comparison::Le,
        };
        let (left, right) = comparison.vals();
        Ok(Filter::Compare(self.comparable(left)?, operator, self.comparable(right)?))
    }

    fn comparable(&mut self, comparable: &model::Comparable) -> Result<Operand, Fault> {
        match comparable {
            model::Comparable::Literal(literal) => literal_of(literal).map(Operand::Literal),
            model::Comparable::Function(function) => self.function(function),
            model::Comparable::SingularQuery(query) => {
                let (from_root, segments) = match query {
                    model::SingularQuery::Current(segments) => (false, segments),
                    model::SingularQuery::Root(segments) => (true, segments),
                };
                let segments = segments.iter().map(|segment| {
                    Segment::Child(match segment {
                        model::SingularQuerySegment::Index(index) => Selector::Index(*index),
                        model::SingularQuerySegment::Name(name) => {
                            Selector::Name(name.as_str().into())
                        }
                    })
                });
                Ok(Operand::Value(Query { from_root, segments: segments.collect() }))
            }
        }
    }

    fn function(&mut self, function: &model::TestFunction) -> Result<Operand, Fault> {
        match function {
            model::TestFunction::Length(value) => {
                Ok(Operand::Length(Box::new(self.argument(value, "length(")?)))
            }
            model::TestFunction::Count(nodes) => Ok(Operand::Count(self.nodes(nodes, "count(")?)),
            model::TestFunction::Value(nodes) => Ok(Operand::Value(self.nodes(nodes, "value(")?)),
            model::TestFunction::Match(..)
            | model::TestFunction::Search(..)
            | model::TestFunction::Custom(..) => {
                Err(Fault::new("(", "this function gives true or false, which is not compared"))
            }
        }
    }

    /// An argument that is one value: a literal, a query for one value, or a function that gives one.
    fn argument(&mut self, argument: &model::FnArg, near: &'static str) -> Result<Operand, Fault> {
        match argument {
            model::FnArg::Literal(literal) => literal_of(literal).map(Operand::Literal),
            model::FnArg::Test(test) => match &**test {
                model::Test::Function(function) => self.function(function),
                model::Test::RelQuery(_) | model::Test::AbsQuery(_) => {
                    let query = self.query(test)?;
                    if query.segments.iter().all(Segment::is_singular) {
                        Ok(Operand::Value(query))
                    } else {
                        Err(Fault::new(
                            near,
                            "this function takes one value, the query may give several",
                        ))
                    }
                }
            },
            model::FnArg::Filter(_) => Err(Fault::new(near, "this function takes a value")),
        }
    }

    fn nodes(&mut self, argument: &model::FnArg, near: &'static str) -> Result<Query, Fault> {
        match argument {
            model::FnArg::Test(test) if !matches!(**test, model::Test::Function(_)) => {
                self.query(test)
            }
            _ => Err(Fault::new(near, "this function takes a query such as `@.list[*]`")),
        }
    }

    fn query(&mut self, test: &model::Test) -> Result<Query, Fault> {
        let (from_root, segments) = match test {
            model::Test::RelQuery(segments) => (false, segments),
            model::Test::AbsQuery(query) => (true, &query.segments),
            model::Test::Function(_) => {
                return Err(Fault::new("(", "a query is expected, not a function"));
            }
        };
        Ok(Query { from_root, segments: self.segments(segments, true)? })
    }
}

fn literal_of(literal: &model::Literal) -> Result<Value, Fault> {
    Ok(match literal {
        model::Literal::Int(number) => Value::Number(number.to_string().into()),
        model::Literal::Float(number) if number.is_finite() => {
            Value::Number(number.to_string().into())
        }
        model::Literal::Float(_) => {
            return Err(Fault {
                message: "a number in this path is too large".to_owned(),
                near: None,
                help: None,
            });
        }
        model::Literal::String(text) => Value::text(text.as_str()),
        model::Literal::Bool(value) => Value::Bool(*value),
        model::Literal::Null => Value::Null,
    })
}

/// The pattern of `match` (the whole text) or `search` (a part of it), compiled.
fn pattern_of(argument: &model::FnArg, near: &'static str) -> Result<Regex, Fault> {
    let model::FnArg::Literal(model::Literal::String(pattern)) = argument else {
        return Err(Fault::new(near, "the pattern is to be a quoted text"));
    };
    let dots = dots_within_a_line(pattern);
    let whole = if near == "match(" { format!(r"\A(?:{dots})\z") } else { dots };
    Regex::new(&whole).map_err(|_| Fault::new(near, "the pattern is no regular expression"))
}

/// RFC 9485: a dot outside of a class is any character but the ends of a line.
fn dots_within_a_line(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut escaped = false;
    let mut in_class = false;
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                written.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        written.push(c);
    }
    written
}
