//! Steps in one line: `trim | split(",") | date("%d %b", tz=Asia/Kolkata)`.

use std::ops::Range;

use super::call::{Arg, ArgKind, Call};
use crate::mapping::expr::{Path, Reading, Spot, looks_like_path};
use crate::mapping::syntax::{Code, Problem, Problems};

/// The place of the `|` after a path: the first that is outside of brackets.
pub(in crate::mapping) fn first_pipe(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), _) if mark == c => quote = None,
            (None, '\'' | '"') if depth > 0 => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, '|') if depth == 0 => return Some(at),
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// Reads the steps that stand in `text` from `start` on, the first one without a `|` before it.
pub(in crate::mapping) fn calls(
    text: &str,
    start: usize,
    spot: &Spot,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Vec<Call<'static>>> {
    let mut lexer = Lexer { text, at: start, spot, reading };
    match lexer.calls() {
        Ok(calls) => Some(calls),
        Err(problem) => {
            problems.add(*problem);
            None
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    spot: &'t Spot,
    reading: &'t Reading<'t>,
}

type Read<T> = Result<T, Box<Problem>>;

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, expected: char) -> bool {
        let eaten = self.rest().starts_with(expected);
        if eaten {
            self.at += expected.len_utf8();
        }
        eaten
    }

    fn fault(&self, part: Range<usize>, message: impl Into<String>) -> Problem {
        Problem::error(Code::Step, self.spot.at(part), message)
    }

    /// A fault at the next character, or at the end.
    fn here(&self, message: impl Into<String>) -> Problem {
        let width = self.peek().map_or(0, char::len_utf8);
        self.fault(self.at..self.at + width, message)
    }

    /// Something that is opened and not closed, often because YAML ended the scalar early.
    fn unclosed(&self, start: usize, mark: char, close: char) -> Problem {
        let problem =
            self.fault(start..start + mark.len_utf8(), format!("this `{mark}` is not closed"));
        let help = if self.spot.is_plain() {
            format!(
                "close it with `{close}`; if it is closed in the file, YAML has cut the value at a ` #`, \
                 or at a `,` or bracket inside `{{ }}` or `[ ]`: put the whole value in single quotes: `'{} …'`",
                self.text
            )
        } else {
            format!("close it with `{close}`")
        };
        problem.help(help)
    }

    fn calls(&mut self) -> Read<Vec<Call<'static>>> {
        let mut calls = Vec::new();
        loop {
            calls.push(self.call()?);
            self.skip_blanks();
            if self.rest().is_empty() {
                return Ok(calls);
            }
            if !self.eat('|') {
                let problem = if self.peek() == Some(')') {
                    self.here("this `)` closes nothing")
                } else {
                    self.here("a `|` is expected before the next step")
                };
                return Err(Box::new(problem));
            }
        }
    }

    fn call(&mut self) -> Read<Call<'static>> {
        self.skip_blanks();
        let start = self.at;
        let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let rest = self.rest();
        let (name, _) = rest.split_at(rest.find(|c| !of_a_name(c)).unwrap_or(rest.len()));
        if name.is_empty() {
            let problem = match self.peek() {
                None => self.here("a step is missing after the `|`"),
                Some('|') => self.here("`||` is not part of the language").help(
                    "`{ first_of: [$.a, $.b] }` takes the first that is not blank, `| default(x)` a fixed value",
                ),
                Some(_) => self.here("the name of a step is expected here"),
            };
            return Err(Box::new(problem));
        }
        self.at += name.len();
        let mut call = Call {
            name: name.to_owned(),
            span: 0..0,
            args: Vec::new(),
            named: Vec::new(),
            form: None,
        };
        let after_name = self.at;
        self.skip_blanks();
        let open = self.at;
        if self.eat('(') {
            self.arguments(open, &mut call)?;
        } else {
            self.at = after_name;
        }
        call.span = self.spot.at(start..self.at);
        Ok(call)
    }

    fn arguments(&mut self, open: usize, call: &mut Call<'static>) -> Read<()> {
        loop {
            self.skip_blanks();
            if self.eat(')') {
                return Ok(());
            }
            if self.rest().is_empty() {
                return Err(Box::new(self.unclosed(open, '(', ')')));
            }
            let start = self.at;
            let value = self.value()?;
            let end = self.at;
            self.skip_blanks();
            if self.eat('=') {
                let Some(key) = value.as_text() else {
                    let problem = self.fault(start..end, "a name is expected before the `=`");
                    return Err(Box::new(problem));
                };
                let key = key.to_owned();
                if call.named.iter().any(|(name, ..)| *name == key) {
                    let problem = self.fault(start..end, format!("`{key}` stands twice"));
                    return Err(Box::new(problem));
                }
                self.skip_blanks();
                let named = self.value()?;
                call.named.push((key, self.spot.at(start..end), named));
            } else {
                call.args.push(value);
            }
            self.skip_blanks();
            if self.eat(',') {
                continue;
            }
            if self.rest().is_empty() {
                return Err(Box::new(self.unclosed(open, '(', ')')));
            }
            if !self.eat(')') {
                let problem = self.here("`,` or `)` is expected here");
                return Err(Box::new(problem.help("a text with blanks or marks goes in quotes")));
            }
            return Ok(());
        }
    }

    fn value(&mut self) -> Read<Arg> {
        let start = self.at;
        let kind = match self.peek() {
            Some(mark @ ('"' | '\'')) => ArgKind::Text(self.quoted(mark)?),
            Some('[') => ArgKind::List(self.list()?),
            Some(mark @ ('“' | '”' | '„' | '‘' | '’' | '«')) => {
                let problem = self.here(format!("`{mark}` is no quote here"));
                return Err(Box::new(problem.help("write `\"` or `'`")));
            }
            Some('$') if self.is_at_path() => ArgKind::Path(self.path()?),
            _ => ArgKind::Word(self.word()?),
        };
        Ok(Arg { span: self.spot.at(start..self.at), kind })
    }

    /// Whether what stands here up to the next mark is a path, a lone `$` included.
    fn is_at_path(&self) -> bool {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || ",)]=".contains(c));
        looks_like_path(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default())
    }

    /// `\n`, `\t`, `\\` and the quote itself are escapes, any other backslash stands for itself.
    fn quoted(&mut self, mark: char) -> Read<String> {
        let start = self.at;
        self.at += mark.len_utf8();
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            if c == mark {
                self.at += at + c.len_utf8();
                return Ok(text);
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c)) if c == '\\' || c == mark => text.push(c),
                Some((_, c)) => {
                    text.push('\\');
                    text.push(c);
                }
                None => text.push('\\'),
            }
        }
        Err(Box::new(self.unclosed(start, mark, mark)))
    }

    fn list(&mut self) -> Read<Vec<Arg>> {
        let open = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if self.eat(']') {
                return Ok(items);
            }
            if self.rest().is_empty() {
                return Err(Box::new(self.unclosed(open, '[', ']')));
            }
            if self.peek() == Some('[') {
                return Err(Box::new(self.here("a list in a list is no argument")));
            }
            items.push(self.value()?);
            self.skip_blanks();
            if self.eat(',') || self.peek() == Some(']') {
                continue;
            }
            if self.rest().is_empty() {
                return Err(Box::new(self.unclosed(open, '[', ']')));
            }
            let problem = self.here("`,` or `]` is expected here");
            return Err(Box::new(problem.help("a text with blanks or marks goes in quotes")));
        }
    }

    /// A path ends at a blank or at what ends an argument, outside of its own brackets.
    fn path(&mut self) -> Read<Path> {
        let (mut depth, mut quote) = (0_usize, None);
        let rest = self.rest();
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (Some(mark), _) if mark == c => quote = None,
                (None, '\'' | '"') if depth > 0 => quote = Some(c),
                (None, '[') => depth += 1,
                (None, ']') if depth > 0 => depth -= 1,
                (None, ',' | ')' | ']' | '=') if depth == 0 => {
                    end = at;
                    break;
                }
                (None, _) if depth == 0 && c.is_whitespace() => {
                    end = at;
                    break;
                }
                (Some(_) | None, _) => {}
            }
        }
        let (text, _) = rest.split_at(end);
        let start = self.at;
        self.at += end;
        Path::parse(text, self.reading.names).map_err(|error| {
            let at = (start + error.offset).min(start + text.len());
            let problem =
                Problem::error(Code::Path, self.spot.at(at..start + text.len()), error.message);
            Box::new(match error.help {
                Some(help) => problem.help(help),
                None => problem,
            })
        })
    }

    fn word(&mut self) -> Read<String> {
        let ends = |c: char| c.is_whitespace() || ",()[]=|\"".contains(c);
        let rest = self.rest();
        let (word, _) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        if word.is_empty() {
            return Err(Box::new(self.here("an argument is expected here")));
        }
        self.at += word.len();
        Ok(word.to_owned())
    }
}
