//! From the text of a template to its parts.
//!
//! `minijinja` parses. Its parser is marked unstable: this is the one file that uses it.

use std::ops::Range;

use minijinja::machinery::ast::{self, CallArg};
use minijinja::machinery::{self, Span};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;

use super::Part;
use crate::document::Value;
use crate::mapping::expr::pipe::{Piped, Placed};
use crate::mapping::expr::{Expr, Names, Path, Reading, Spot, root_of, text_of};
use crate::mapping::steps::{Arg, ArgKind, Call, Step};
use crate::mapping::syntax::{Code, Problem, Problems};

/// The texts and values of a template; nothing where there is an error.
pub(super) fn parts(
    text: &str,
    spot: &Spot,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Vec<Part>> {
    let parsed = match machinery::parse(text, "template", SyntaxConfig::default()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let part = error.range().unwrap_or(0..text.len());
            let detail = error.detail().unwrap_or("this is no template");
            let place = spot.at(whole_characters(text, part.clone()));
            let at = text.get(part.start..).unwrap_or_default();
            let (message, help) = in_our_words(detail, at);
            let problem = Problem::error(Code::Template, place, message);
            problems.add(if let Some(help) = help {
                problem.help(help)
            } else if spot.is_plain() {
                problem.help(
                    "if the template is whole in the file, YAML has cut it at a ` #`, or at a `,` or bracket \
                     inside `{ }` or `[ ]`: put it in quotes",
                )
            } else {
                problem
            });
            return None;
        }
    };
    let mut compiler = Compiler { text, spot, reading, problems, parts: Vec::new(), failed: false };
    compiler.statement(&parsed);
    (!compiler.failed).then_some(compiler.parts)
}

/// What the library says of a text that is no template, in words for those who write mappings.
fn in_our_words<'d>(detail: &'d str, at: &str) -> (&'d str, Option<&'static str>) {
    if detail.contains("end of input") {
        ("a `{{` before this is not closed", Some("close it with `}}`"))
    } else if detail == "unexpected end of variable block" {
        ("a name is missing before this `}}`", Some("`{{ body.name }}`"))
    } else if at.starts_with('$') {
        (
            "names in a template have no `$`",
            Some("`body.name` for `$.name`, `answer.first` for `$answer.first`"),
        )
    } else {
        (detail, None)
    }
}

/// A part of the text in whole characters: the library's parts may end inside one.
fn whole_characters(text: &str, part: Range<usize>) -> Range<usize> {
    let end = text.ceil_char_boundary(part.end);
    text.floor_char_boundary(part.start).min(end)..end
}

struct Compiler<'c> {
    text: &'c str,
    spot: &'c Spot,
    reading: &'c Reading<'c>,
    problems: &'c mut Problems,
    parts: Vec<Part>,
    failed: bool,
}

impl Compiler<'_> {
    /// The place of a node in the file.
    fn place(&self, span: Span) -> Range<usize> {
        let at = |offset: u32| usize::try_from(offset).unwrap_or_default();
        self.spot.at(whole_characters(self.text, at(span.start_offset)..at(span.end_offset)))
    }

    fn fault(&mut self, span: Span, message: impl Into<String>, help: Option<&str>) {
        self.failed = true;
        let problem = Problem::error(Code::Template, self.place(span), message);
        self.problems.add(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    fn statement(&mut self, statement: &ast::Stmt<'_>) {
        const ONLY: &str = "only `{{ … }}` is allowed in a template";
        const HELP: &str =
            "conditions are written as `when`, lists with `for_each`, `join` or `all_of`";
        let span = match statement {
            ast::Stmt::Template(template) => {
                return template.children.iter().for_each(|child| self.statement(child));
            }
            ast::Stmt::EmitRaw(raw) => return self.parts.push(Part::Text(raw.raw.into())),
            ast::Stmt::EmitExpr(emit) => return self.emit(&emit.expr),
            ast::Stmt::ForLoop(node) => node.span(),
            ast::Stmt::IfCond(node) => node.span(),
            ast::Stmt::WithBlock(node) => node.span(),
            ast::Stmt::Set(node) => node.span(),
            ast::Stmt::SetBlock(node) => node.span(),
            ast::Stmt::AutoEscape(node) => node.span(),
            ast::Stmt::FilterBlock(node) => node.span(),
            ast::Stmt::Do(node) => node.span(),
        };
        self.fault(span, ONLY, Some(HELP));
    }

    /// A printed expression; `a ~ b` prints one after the other.
    fn emit(&mut self, expression: &ast::Expr<'_>) {
        if let ast::Expr::BinOp(operation) = expression
            && matches!(operation.op, ast::BinOpKind::Concat)
        {
            self.emit(&operation.left);
            self.emit(&operation.right);
            return;
        }
        if let Some(value) = self.value(expression) {
            self.parts.push(Part::Value(value));
        }
    }

    fn value(&mut self, expression: &ast::Expr<'_>) -> Option<Expr> {
        match expression {
            ast::Expr::Const(_) | ast::Expr::UnaryOp(_) => {
                let Some(constant) = constant(expression) else {
                    self.not_allowed(expression);
                    return None;
                };
                Some(Expr::Literal(constant))
            }
            ast::Expr::Var(_) | ast::Expr::GetAttr(_) | ast::Expr::GetItem(_) => {
                self.path(expression).map(Expr::Path)
            }
            ast::Expr::Filter(_) => self.filters(expression),
            other => {
                self.not_allowed(other);
                None
            }
        }
    }

    fn not_allowed(&mut self, expression: &ast::Expr<'_>) {
        let message = match expression {
            ast::Expr::BinOp(_) | ast::Expr::Compare(_) | ast::Expr::UnaryOp(_) => {
                "a template does not calculate or compare".to_owned()
            }
            other => format!("a {} is not allowed in a template", other.description()),
        };
        let help = "a template prints names as `answer.first` and `body.items[0].title`, with steps after `|`";
        self.fault(expression.span(), message, Some(help));
    }

    /// A value and the steps after it.
    fn filters(&mut self, expression: &ast::Expr<'_>) -> Option<Expr> {
        let mut filters = Vec::new();
        let mut inner = expression;
        while let ast::Expr::Filter(filter) = inner {
            filters.push(filter);
            inner = filter.expr.as_ref()?;
        }
        let from = self.value(inner);
        let mut steps = Some(Vec::new());
        for filter in filters.into_iter().rev() {
            let step = self.call(filter.name, filter.span(), &filter.args).and_then(|call| {
                let step = Step::read(&call, self.reading, self.problems);
                self.failed |= step.is_none();
                step.map(|step| Placed::new(&call, step))
            });
            match (step, &mut steps) {
                (Some(step), Some(steps)) => {
                    steps.push(step);
                }
                (None, _) => steps = None,
                (Some(_), None) => {}
            }
        }
        Some(Expr::Piped(Box::new(Piped::new(from?, steps?))))
    }

    fn call(&mut self, name: &str, span: Span, args: &[CallArg<'_>]) -> Option<Call<'static>> {
        let mut call = Call {
            name: name.to_owned(),
            span: self.place(span),
            args: Vec::new(),
            named: Vec::new(),
            form: None,
        };
        for arg in args {
            match arg {
                CallArg::Pos(value) => call.args.push(self.arg(value)?),
                CallArg::Kwarg(key, value) => {
                    let arg = self.arg(value)?;
                    call.named.push(((*key).to_owned(), arg.span.clone(), arg));
                }
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    self.not_allowed(value);
                    return None;
                }
            }
        }
        Some(call)
    }

    /// An argument of a step: a bare name is a word (a table, a country), a name with parts a path.
    fn arg(&mut self, expression: &ast::Expr<'_>) -> Option<Arg> {
        let kind = match expression {
            ast::Expr::Var(name) => ArgKind::Word(name.id.to_owned()),
            ast::Expr::GetAttr(_) | ast::Expr::GetItem(_) => ArgKind::Path(self.path(expression)?),
            ast::Expr::List(list) => {
                let items: Vec<_> = list.items.iter().map(|item| self.arg(item)).collect();
                ArgKind::List(items.into_iter().collect::<Option<_>>()?)
            }
            _ => match constant(expression) {
                Some(Value::Text(text)) => ArgKind::Text(text.into()),
                Some(value) => ArgKind::Word(text_of(&value).unwrap_or("null").to_owned()),
                None => {
                    let help = "a name with other marks, such as a time zone, goes in quotes";
                    self.fault(expression.span(), "this is no argument of a step", Some(help));
                    return None;
                }
            },
        };
        Some(Arg { span: self.place(expression.span()), kind })
    }

    fn path(&mut self, expression: &ast::Expr<'_>) -> Option<Path> {
        let mut steps = Vec::new();
        let mut inner = expression;
        let (root, span) = loop {
            match inner {
                ast::Expr::Var(name) => break (name.id, name.span()),
                ast::Expr::GetAttr(part) => {
                    steps.push(member(part.name));
                    inner = &part.expr;
                }
                ast::Expr::GetItem(part) => {
                    match constant(&part.subscript_expr) {
                        Some(Value::Text(name)) => steps.push(member(&name)),
                        Some(Value::Number(index)) => steps.push(format!("[{index}]")),
                        _ => {
                            let message =
                                "a name in quotes or a number is expected between the brackets";
                            self.fault(part.subscript_expr.span(), message, None);
                            return None;
                        }
                    }
                    inner = &part.expr;
                }
                other => {
                    self.not_allowed(other);
                    return None;
                }
            }
        };
        let root = match root_of_template(root, self.reading.names) {
            Ok(root) => root,
            Err((message, help)) => {
                self.fault(span, message, help.as_deref());
                return None;
            }
        };
        steps.push(root);
        let text: String = steps.into_iter().rev().collect();
        match Path::parse(&text, self.reading.names) {
            Ok(path) => Some(path),
            Err(error) => {
                self.fault(expression.span(), error.message, error.help.as_deref());
                None
            }
        }
    }
}

/// The root of a path for a name of a template: `body` is the event's document.
fn root_of_template(name: &str, names: &Names) -> Result<String, (String, Option<String>)> {
    if name == "body" {
        return Ok("$".to_owned());
    }
    root_of(name, names).map(|_| format!("${name}")).map_err(|(message, help)| {
        let help = help.map(|help| help.replace(&format!("`$.{name}`"), &format!("`body.{name}`")));
        (message, help)
    })
}

/// A member's name as a path has it.
fn member(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    if is_word {
        return format!(".{name}");
    }
    format!("['{}']", name.replace('\\', r"\\").replace('\'', r"\'"))
}

/// The value of a constant: text, a number, true, false or none.
fn constant(expression: &ast::Expr<'_>) -> Option<Value> {
    let value = match expression {
        ast::Expr::Const(constant) => constant.value.clone(),
        ast::Expr::UnaryOp(_) => expression.as_const()?,
        _ => return None,
    };
    match value.kind() {
        ValueKind::String => value.as_str().map(Value::text),
        ValueKind::Number => Some(Value::Number(value.to_string().into())),
        ValueKind::Bool => Some(Value::Bool(value.is_true())),
        ValueKind::None => Some(Value::Null),
        _ => None,
    }
}
