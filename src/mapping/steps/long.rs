//! Steps in the long form: `steps: [trim, { map: plans }, { replace: ["-", ""] }]`.

use super::call::{Arg, ArgKind, Call};
use super::parse::calls;
use crate::mapping::expr::{Path, Reading, Spot, is_stumble, looks_like_path};
use crate::mapping::syntax::{Code, Kind, Node, Problem, Problems};

/// Reads an item of `steps`: one step, or several in one line.
pub(in crate::mapping) fn of_item<'n>(
    node: &'n Node,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Vec<Call<'n>>> {
    match &node.kind {
        Kind::Scalar { text, .. } => calls(text, 0, &Spot::of(node), reading, problems),
        Kind::Map(_) if is_stumble(node, problems) => None,
        Kind::Map(entries) => {
            let [(key, argument)] = entries.as_slice() else {
                let message = format!("one step is expected here, {} were found", entries.len());
                let problem = Problem::error(Code::Step, node.span.clone(), message);
                problems.add(problem.help("begin each step with a `- `"));
                return None;
            };
            let Some(name) = key.as_text() else {
                problems.error(Code::Step, &key.span, "the name of a step is expected here");
                return None;
            };
            call(name, key, argument, reading, problems).map(|call| vec![call])
        }
        Kind::List(_) => {
            problems.error(Code::Step, &node.span, "a step is expected here, a list was found");
            None
        }
    }
}

fn call<'n>(
    name: &str,
    key: &Node,
    argument: &'n Node,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Call<'n>> {
    let mut call = Call {
        name: name.to_owned(),
        span: key.span.clone(),
        args: Vec::new(),
        named: Vec::new(),
        form: None,
    };
    // These two take more than words: a value of any form, and a table from the event.
    let reads_itself = name == "default" || (name == "map" && has_key(argument, "index"));
    match &argument.kind {
        _ if reads_itself => call.form = Some(argument),
        Kind::Scalar { .. } if argument.is_null() => {}
        Kind::Scalar { .. } => call.args.push(arg(argument, reading, problems)?),
        Kind::List(items) => {
            let args: Vec<_> = items.iter().map(|item| arg(item, reading, problems)).collect();
            call.args = args.into_iter().collect::<Option<_>>()?;
        }
        Kind::Map(_) if is_stumble(argument, problems) => return None,
        Kind::Map(entries) => {
            for (key, value) in entries {
                let Some(name) = key.as_text() else {
                    problems.error(Code::Step, &key.span, "a word is expected here");
                    return None;
                };
                if call.named.iter().any(|(own, ..)| own == name) {
                    problems.error(Code::RepeatedKey, &key.span, format!("`{name}` stands twice"));
                    return None;
                }
                let value = arg(value, reading, problems)?;
                call.named.push((name.to_owned(), key.span.clone(), value));
            }
        }
    }
    Some(call)
}

fn has_key(node: &Node, name: &str) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.iter().any(|(key, _)| key.as_text() == Some(name)))
}

/// An argument: a plain scalar that looks like a path is one, a quoted one is text.
fn arg(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Arg> {
    let kind = match &node.kind {
        Kind::Scalar { text, quoted: true } => ArgKind::Text(text.clone()),
        Kind::Scalar { text, .. } if looks_like_path(text) => {
            match Path::parse(text, reading.names) {
                Ok(path) => ArgKind::Path(path),
                Err(error) => {
                    let start = error.offset.min(text.len());
                    let span = Spot::of(node).at(start..text.len());
                    let problem = Problem::error(Code::Path, span, error.message);
                    problems.add(match error.help {
                        Some(help) => problem.help(help),
                        None => problem,
                    });
                    return None;
                }
            }
        }
        Kind::Scalar { text, .. } => ArgKind::Word(text.clone()),
        Kind::List(items) => {
            let args: Vec<_> = items.iter().map(|item| arg(item, reading, problems)).collect();
            ArgKind::List(args.into_iter().collect::<Option<_>>()?)
        }
        Kind::Map(_) => {
            let message = "a word, a text, a list or a path is expected, a block of keys was found";
            problems.error(Code::Step, &node.span, message);
            return None;
        }
    };
    Some(Arg { span: node.span.clone(), kind })
}
