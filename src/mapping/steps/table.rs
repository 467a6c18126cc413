//! `map`: a word for a word, by a table of the file, of the step itself or of the event.

use std::sync::Arc;

use super::call::{ArgKind, Args, Call};
use super::text::TextStep;
use super::{Changed, each, text};
use crate::contact::HeldReason;
use crate::document::{Members, Value};
use crate::mapping::Held;
use crate::mapping::expr::{
    Evaluated, Index, Path, Reading, Scope, Table, Unmapped, index, literal, nearest,
};
use crate::mapping::syntax::{Code, Fields, Problem, Problems};

/// A table, and what becomes of a word that it does not have.
#[derive(Debug)]
pub(in crate::mapping) struct MapStep {
    words: Words,
    otherwise: Option<Otherwise>,
}

#[derive(Debug)]
enum Words {
    Table(Arc<Table>),
    OfEvent(Box<Index>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Otherwise {
    Keep,
    Absent,
    Hold,
    Text(Box<str>),
}

impl MapStep {
    pub(super) fn read(
        call: &Call<'_>,
        args: &mut Args<'_>,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        if let Some(node) = call.form {
            let mut fields = Fields::of(node, problems)?;
            let otherwise = fields.take("otherwise").map(|node| {
                let quoted =
                    matches!(node.kind, crate::mapping::syntax::Kind::Scalar { quoted: true, .. });
                let read = Otherwise::read(node.as_text().unwrap_or_default(), quoted);
                if read.is_none() {
                    problems.add(Otherwise::unknown(node.span.clone()));
                }
                read
            });
            let path = fields.need("index", problems)?;
            let words = index(path, &mut fields, reading, problems);
            fields.finish(problems);
            return Some(Self {
                words: Words::OfEvent(Box::new(words?)),
                otherwise: otherwise.map_or(Some(None), |read| read.map(Some))?,
            });
        }
        let otherwise = match args.by_name("otherwise") {
            None => None,
            Some(arg) => {
                let quoted = matches!(arg.kind, ArgKind::Text(_));
                let read = Otherwise::read(arg.as_text().unwrap_or_default(), quoted);
                if read.is_none() {
                    args.wrong(Otherwise::unknown(arg.span.clone()), problems);
                }
                read
            }
        };
        let words = own_words(args, problems);
        let named = args.next("a table");
        let table = match (named, words.0.is_empty()) {
            (None, false) => Some(Arc::new(words)),
            (None, true) => {
                args.text("a table, or words as `a=b`", problems)?;
                None
            }
            (Some(arg), true) => {
                let name = args.as_text(arg, problems)?;
                let table = reading.tables.get(name).map(Arc::clone);
                if table.is_none() {
                    let problem = Problem::error(
                        Code::Step,
                        arg.span.clone(),
                        format!("there is no table `{name}` in `tables`"),
                    );
                    let near = nearest(name, reading.tables.keys().map(|key| &**key));
                    args.wrong(
                        match near {
                            Some(near) => problem.help(format!("did you mean `{near}`?")),
                            None => problem,
                        },
                        problems,
                    );
                }
                table
            }
            (Some(arg), false) => {
                let message = "`map` takes a table or words as `a=b`, not both";
                args.wrong(Problem::error(Code::Step, arg.span.clone(), message), problems);
                None
            }
        };
        Some(Self { words: Words::Table(table?), otherwise })
    }

    /// The first word of a table of the file that does not come out of this step, whatever goes in.
    pub(super) fn never_reached_after(&self, before: &TextStep) -> Option<&str> {
        let Words::Table(table) = &self.words else { return None };
        let comes_out = |word: &str| {
            before.change(&Value::text(word)).is_ok_and(|out| out == Some(Value::text(word)))
        };
        table.0.keys().map(|word| &**word).find(|word| before.is_settling() && !comes_out(word))
    }

    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        if let Words::OfEvent(index) = &self.words {
            index.each_path(then);
        }
    }

    pub(super) fn apply<'s>(
        &'s self,
        value: Evaluated<'s>,
        scope: &Scope<'s>,
        unmapped: Unmapped,
    ) -> Result<Evaluated<'s>, Held> {
        let otherwise = match (&self.otherwise, unmapped) {
            (Some(otherwise), _) => otherwise,
            (None, Unmapped::Keep) => &Otherwise::Keep,
            (None, Unmapped::Drop) => &Otherwise::Absent,
        };
        match &self.words {
            Words::Table(table) => {
                each(value, &mut |value| change(value, table.get(text(value)?), otherwise))
            }
            Words::OfEvent(index) => {
                let table = index.table(scope)?;
                let empty = Members::new();
                let members = match &table.value {
                    Value::Object(members) => members,
                    _ => &empty,
                };
                each(value, &mut |value| {
                    let word = text(value)?;
                    if table.repeated.contains(word) {
                        return Err(index.repeats());
                    }
                    change(value, members.get(word), otherwise)
                })
            }
        }
    }
}

fn change(value: &Value, mapped: Option<&Value>, otherwise: &Otherwise) -> Changed {
    match (mapped, otherwise) {
        (Some(Value::Null), _) | (None, Otherwise::Absent) => Ok(None),
        (Some(mapped), _) => Ok(Some(mapped.clone())),
        (None, Otherwise::Keep) => Ok(Some(value.clone())),
        (None, Otherwise::Text(text)) => Ok(Some(Value::Text(text.clone()))),
        (None, Otherwise::Hold) => Err(Held::new(
            HeldReason::Step,
            format!("a word of the table is expected, {} that is none was found", value.kind()),
        )),
    }
}

/// The words that stand in the step itself.
fn own_words(args: &mut Args<'_>, problems: &mut Problems) -> Table {
    let mut table = Table::default();
    for (word, _, arg) in args.rest_by_name() {
        let quoted = matches!(arg.kind, ArgKind::Text(_));
        if let Some(text) = args.as_text(arg, problems) {
            table.0.insert(word.as_str().into(), literal(text, quoted));
        }
    }
    table
}

impl Otherwise {
    fn read(text: &str, quoted: bool) -> Option<Self> {
        match text {
            _ if quoted => Some(Self::Text(text.into())),
            "keep" => Some(Self::Keep),
            "absent" => Some(Self::Absent),
            "hold" => Some(Self::Hold),
            _ => None,
        }
    }

    fn unknown(span: std::ops::Range<usize>) -> Problem {
        let message = "`otherwise` is `keep`, `absent`, `hold` or a text in quotes";
        Problem::error(Code::Step, span, message)
    }
}
