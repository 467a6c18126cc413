//! `number` and `bool`: texts read as what they stand for.

use super::call::{ArgKind, Args};
use super::list::failed;
use super::{Changed, text};
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, is_number, text_of};
use crate::mapping::syntax::Problems;

/// A number in JSON's grammar, with every digit that is written.
pub(super) fn number(value: &Value) -> Changed {
    let written = match value {
        Value::Bool(_) => return Err(failed("a number", value)),
        _ => text(value)?.trim(),
    };
    if !is_number(written) {
        return Err(failed("a number", value));
    }
    Ok(Some(Value::Number(written.into())))
}

/// The words of `bool`: without any, those everybody means.
#[derive(Debug)]
pub(in crate::mapping) enum Words {
    /// true/false, yes/no, on/off, 1/0; any other text fails.
    Common,
    /// These; anything else is blank, since consent is never guessed.
    Own {
        /// The words for true, in lower case.
        yes: Vec<Box<str>>,
        /// The words for false, in lower case.
        no: Vec<Box<str>>,
    },
}

impl Words {
    pub(super) fn read(args: &mut Args<'_>, problems: &mut Problems) -> Self {
        let [yes, no] = ["yes", "no"].map(|name| {
            let arg = args.by_name(name)?;
            let words: Vec<Box<str>> = args
                .texts(arg, problems)
                .into_iter()
                .map(|word| word.trim().to_lowercase().into())
                .collect();
            if words.is_empty() && matches!(arg.kind, ArgKind::List(_)) {
                let problem = crate::mapping::syntax::Problem::error(
                    crate::mapping::syntax::Code::Step,
                    arg.span.clone(),
                    format!("`{name}` has no words"),
                );
                args.wrong(problem, problems);
            }
            Some(words)
        });
        if yes.is_none() && no.is_none() {
            return Self::Common;
        }
        Self::Own { yes: yes.unwrap_or_default(), no: no.unwrap_or_default() }
    }

    /// Of a list: one word for false makes it false, else one for true makes it true.
    pub(super) fn apply<'s>(&self, value: Evaluated<'s>) -> Result<Evaluated<'s>, Held> {
        let mut answer = None;
        for element in value.elements("true or false")? {
            answer = match (answer, self.one(&element)?) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (before, found) => before.or(found),
            };
        }
        Ok(answer.map_or(Evaluated::Absent, |answer| Evaluated::one(Value::Bool(answer))))
    }

    fn one(&self, value: &Value) -> Result<Option<bool>, Held> {
        let Some(word) = text_of(value).map(|text| text.trim().to_lowercase()) else {
            return Err(Held::kind("true or false", value.kind()));
        };
        match self {
            Self::Own { yes, no } => {
                let is_one_of = |words: &[Box<str>]| words.iter().any(|own| **own == *word);
                Ok(if is_one_of(no) { Some(false) } else { is_one_of(yes).then_some(true) })
            }
            Self::Common => match word.as_str() {
                "true" | "yes" | "on" | "1" => Ok(Some(true)),
                "false" | "no" | "off" | "0" => Ok(Some(false)),
                _ => Err(failed("a word for true or false", value)),
            },
        }
    }
}
