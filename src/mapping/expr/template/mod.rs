//! Templates: `"{{ answer.first }}, {{ body.city | upper }}"`.
//!
//! A template is made texts and values when the file is read ([`compile`]): paths and steps mean in it what
//! they mean everywhere, numbers keep their digits, and nothing but what is printed is looked at.

mod compile;

use super::Reading;
use super::evaluated::{Evaluated, text_of};
use super::scope::Scope;
use super::spot::Spot;
use super::value::{Expr, Unmapped};
use crate::contact::HeldReason;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::syntax::Problems;

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    text: Box<str>,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Box<str>),
    Value(Expr),
}

/// Whether a text is a template.
pub(super) fn looks_like_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

impl Template {
    /// The template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values that are printed.
    pub fn values(&self) -> impl Iterator<Item = &Expr> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(value) => Some(value),
            Part::Text(_) => None,
        })
    }

    pub(super) fn read(
        text: &str,
        spot: &Spot,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let parts = compile::parts(text, spot, reading, problems)?;
        Some(Self { text: text.into(), parts })
    }

    /// One text; absent where a part of it is absent or null.
    pub(super) fn render<'s>(
        &'s self,
        scope: &Scope<'s>,
        unmapped: Unmapped,
    ) -> Result<Evaluated<'s>, Held> {
        let mut text = String::new();
        for part in &self.parts {
            let value = match part {
                Part::Text(raw) => {
                    text.push_str(raw);
                    continue;
                }
                Part::Value(value) => value,
            };
            let at = |held: Held| held.at(&value.label());
            match value.give(scope, unmapped)? {
                Evaluated::Absent => return Ok(Evaluated::Absent),
                Evaluated::Mobile(mobile) => text.push_str(mobile.as_str()),
                Evaluated::Many(values) => match values.as_slice() {
                    [one] if **one == Value::Null => return Ok(Evaluated::Absent),
                    [one] => print(one, &mut text).map_err(at)?,
                    several => return Err(at(Held::several(several.len()))),
                },
                Evaluated::One(one) if *one == Value::Null => return Ok(Evaluated::Absent),
                Evaluated::One(one) => print(&one, &mut text).map_err(at)?,
                Evaluated::Remove => return Err(at(Held::kind("a text", "`remove`"))),
            }
        }
        Ok(Evaluated::one(Value::text(text)))
    }
}

fn print(value: &Value, text: &mut String) -> Result<(), Held> {
    let Some(printed) = text_of(value) else {
        let detail = format!(
            "a template prints texts, {} was found: choose with `pick`, or make one text with `join`",
            value.kind()
        );
        return Err(Held::new(HeldReason::Template, detail));
    };
    text.push_str(printed);
    Ok(())
}
