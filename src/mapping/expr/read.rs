//! From a node of the file to a compiled value.

use super::forms::{self, Place};
use super::number::is_number;
use super::path::{Path, PathError, looks_like_path};
use super::pipe::{Piped, Placed};
use super::spot::Spot;
use super::template::{Template, looks_like_template};
use super::{Expr, Reading};
use crate::document::Value;
use crate::mapping::steps::{self, Step};
use crate::mapping::syntax::{Code, Kind, Node, Problem, Problems};

impl Expr {
    /// Reads a value of any form; the problems are added, and nothing is given where there is an error.
    ///
    /// A list is what `all_of` makes of it.
    pub fn read(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { .. } if node.is_null() => {
                let problem =
                    Problem::error(Code::Value, node.span.clone(), "a value is missing here");
                problems.add(problem.help(
                    "leave the key out, or give it a value; `{ remove: true }` takes an attribute away",
                ));
                None
            }
            Kind::Scalar { text, quoted } => Self::scalar(node, text, *quoted, reading, problems),
            Kind::List(items) => Self::read_all(items, reading, problems).map(Self::AllOf),
            Kind::Map(_) => forms::read(node, Place::Elsewhere, reading, problems),
        }
    }

    /// Reads values, all of them for their problems.
    pub(super) fn read_all(
        items: &[Node],
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Vec<Self>> {
        let values: Vec<_> = items.iter().map(|item| Self::read(item, reading, problems)).collect();
        values.into_iter().collect()
    }

    fn scalar(
        node: &Node,
        text: &str,
        quoted: bool,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let spot = Spot::of(node);
        if looks_like_path(text) {
            return Self::piped(text, &spot, reading, problems);
        }
        if looks_like_template(text) {
            return Template::read(text, &spot, reading, problems).map(Self::Template);
        }
        Some(Self::Literal(literal(text, quoted)))
    }

    /// Reads a path and the steps after it.
    pub(in crate::mapping) fn piped(
        text: &str,
        spot: &Spot,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let pipe = steps::first_pipe(text);
        let (path, _) = text.split_at_checked(pipe.unwrap_or(text.len()))?;
        let path = read_path(path.trim_end(), spot, reading, problems).map(Self::Path);
        let Some(pipe) = pipe else { return path };
        let calls = steps::calls(text, pipe + 1, spot, reading, problems)?;
        let placed: Vec<Option<Placed>> = calls
            .iter()
            .map(|call| {
                let step = Step::read(call, reading, problems)?;
                Some(Placed::new(call, step))
            })
            .collect();
        let steps = placed.into_iter().collect::<Option<Vec<_>>>()?;
        steps::warn(&steps, &calls, problems);
        Some(Self::Piped(Box::new(Piped::new(path?, steps))))
    }
}

/// Compiles the path at the beginning of a scalar.
pub(super) fn read_path(
    text: &str,
    spot: &Spot,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Path> {
    Path::parse(text, reading.names)
        .map_err(|error| problems.add(path_problem(error, text, spot)))
        .ok()
}

fn path_problem(error: PathError, text: &str, spot: &Spot) -> Problem {
    let start = error.offset.min(text.len());
    let may_be_cut = spot.is_plain() && error.message.contains("is not closed");
    let problem = Problem::error(Code::Path, spot.at(start..text.len()), error.message);
    let cut = "if it is closed in the file, YAML has cut the value: an unquoted ` #` starts a comment, and \
               `,` and brackets end a value inside `{ }` and `[ ]`: put the whole value in single quotes";
    match error.help {
        Some(help) if may_be_cut => problem.help(format!("{help}; {cut}")),
        None if may_be_cut => problem.help(cut),
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// The value of a scalar that is itself: `true`, `false`, null and numbers in JSON's grammar where they are
/// plain, text otherwise.
pub(in crate::mapping) fn literal(text: &str, quoted: bool) -> Value {
    match text {
        _ if quoted => Value::text(text),
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.into()),
        _ => Value::text(text),
    }
}
