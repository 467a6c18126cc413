//! The names of the steps, and from a call to a compiled step.

use super::call::{ArgKind, Args, Call};
use super::currency::MoneyStep;
use super::date::DateStep;
use super::list::ListStep;
use super::number::Words;
use super::phone::PhoneStep;
use super::table::MapStep;
use super::text::TextStep;
use super::{Arg, Step};
use crate::document::Value;
use crate::mapping::expr::{Expr, Names, Path, Reading, literal, nearest};
use crate::mapping::syntax::{Code, Problem, Problems};

/// The names of the steps that are neither text steps nor list steps.
const OTHERS: [&str; 11] = [
    "map", "bool", "number", "phone", "email", "money", "date", "json", "path", "default",
    "required",
];

/// The names of all steps.
pub(in crate::mapping) fn names() -> impl Iterator<Item = &'static str> {
    TextStep::NAMES.into_iter().chain(ListStep::NAMES).chain(OTHERS)
}

impl Step {
    /// Compiles a step; the problems are added, and nothing is given where there is an error.
    pub(in crate::mapping) fn read(
        call: &Call<'_>,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut args = Args::of(call);
        let step = match call.name.as_str() {
            "map" => MapStep::read(call, &mut args, reading, problems)
                .map(|step| Self::Map(Box::new(step))),
            "bool" => Some(Self::Bool(Words::read(&mut args, problems))),
            "number" => Some(Self::Number),
            "email" => Some(Self::Email),
            "money" => MoneyStep::read(&mut args, problems).map(Self::Money),
            "date" => {
                DateStep::read(&mut args, reading, problems).map(|step| Self::Date(Box::new(step)))
            }
            "phone" => Some(Self::Phone(PhoneStep::read(&mut args, reading, problems))),
            "json" => Some(Self::Json),
            "path" => path(&mut args, problems).map(Self::Path),
            "default" => default(call, &mut args, reading, problems)
                .map(|default| Self::Default(Box::new(default))),
            "required" => Some(Self::Required),
            name if TextStep::NAMES.contains(&name) => {
                TextStep::read(name, &mut args, problems).map(Self::Text)
            }
            name if ListStep::NAMES.contains(&name) => {
                ListStep::read(name, &mut args, problems).map(Self::List)
            }
            _ => {
                unknown(call, problems);
                return None;
            }
        };
        let fine = args.finish(problems);
        step.filter(|_| fine)
    }
}

fn unknown(call: &Call<'_>, problems: &mut Problems) {
    let name = &call.name;
    let end = (call.span.start + name.len()).min(call.span.end);
    let problem =
        Problem::error(Code::Step, call.span.start..end, format!("the step `{name}` is not known"));
    problems.add(match nearest(name, names()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("the steps are {}", names().collect::<Vec<_>>().join(", "))),
    });
}

/// `path("$.x")`: the path starts from what came before.
fn path(args: &mut Args<'_>, problems: &mut Problems) -> Option<Path> {
    let arg = args.next("a path");
    let Some(Arg { span, kind }) = arg else {
        args.text("a path", problems)?;
        return None;
    };
    let parsed = match kind {
        ArgKind::Path(path) if path.reads_document() => return Some(path.clone()),
        ArgKind::Path(path) => Path::parse(path.text(), &Names::default()),
        ArgKind::Text(text) | ArgKind::Word(text) => Path::parse(text, &Names::default()),
        ArgKind::List(_) => {
            let message = "`path` takes a path, a list was found";
            args.wrong(Problem::error(Code::Step, span.clone(), message), problems);
            return None;
        }
    };
    match parsed {
        Ok(path) if path.reads_document() => Some(path),
        Ok(_) => {
            let message = "the path of this step starts from `$`, which is what came before";
            args.wrong(Problem::error(Code::Path, span.clone(), message), problems);
            None
        }
        Err(error) => {
            let problem = Problem::error(Code::Path, span.clone(), error.message);
            args.wrong(
                match error.help {
                    Some(help) => problem.help(help),
                    None => problem,
                },
                problems,
            );
            None
        }
    }
}

fn default(
    call: &Call<'_>,
    args: &mut Args<'_>,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Expr> {
    if let Some(node) = call.form {
        return Expr::read(node, reading, problems);
    }
    let Some(arg) = args.next("what stands in for a blank") else {
        args.text("what stands in for a blank", problems)?;
        return None;
    };
    Some(value(arg))
}

/// The value of an argument: a word is what a plain scalar is.
fn value(arg: &Arg) -> Expr {
    match &arg.kind {
        ArgKind::Word(word) => Expr::Literal(literal(word, false)),
        ArgKind::Text(text) => Expr::Literal(Value::text(text.as_str())),
        ArgKind::Path(path) => Expr::Path(path.clone()),
        ArgKind::List(items) => Expr::AllOf(items.iter().map(value).collect()),
    }
}
