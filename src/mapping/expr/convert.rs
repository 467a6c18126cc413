//! What a field wants of a value: one text, a list, true or false, a mobile number.

use indexmap::IndexSet;

use super::evaluated::text_of;
use super::value::Unmapped;
use super::{Evaluated, Expr, Scope};
use crate::contact::{AttributeChange, Mobile};
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::steps::phone;

impl Expr {
    /// One text: nothing where it is blank, held where it is several or an object.
    pub fn text(&self, scope: &Scope<'_>) -> Result<Option<String>, Held> {
        let found = self.evaluate(scope)?;
        self.one_text(found, "a text")
    }

    fn one_text(&self, found: Evaluated<'_>, expected: &str) -> Result<Option<String>, Held> {
        let at = |held: Held| held.at(&self.label());
        let Some(one) = found.single(expected).map_err(at)? else { return Ok(None) };
        match text_of(&one) {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(at(Held::kind(expected, one.kind()))),
        }
    }

    /// A list of texts, flattened, without blanks and repeats: nothing where it is absent or null, an empty list
    /// where it is there and empty (also where steps have left nothing of it).
    pub fn texts(&self, scope: &Scope<'_>) -> Result<Option<Vec<String>>, Held> {
        let found = self.give(scope, Unmapped::Drop)?;
        let mut texts = IndexSet::new();
        for element in found.elements("a list of texts").map_err(|held| held.at(&self.label()))? {
            add_texts(&element, &mut texts).map_err(|held| held.at(&self.label()))?;
        }
        if texts.is_empty() && !self.is_spoken_of(scope)? {
            return Ok(None);
        }
        Ok(Some(texts.into_iter().collect()))
    }

    /// True or false, as booleans or the texts `true` and `false`; nothing where it is blank.
    pub fn truth(&self, scope: &Scope<'_>) -> Result<Option<bool>, Held> {
        let at = |held: Held| held.at(&self.label());
        let found = self.give(scope, Unmapped::Drop)?;
        let Some(one) = found.single("true or false").map_err(at)? else { return Ok(None) };
        match &*one {
            Value::Bool(value) => Ok(Some(*value)),
            Value::Text(text) if **text == *"true" => Ok(Some(true)),
            Value::Text(text) if **text == *"false" => Ok(Some(false)),
            other => Err(at(Held::kind(
                "`true` or `false` (say `bool` or `bool(yes=[…], no=[…])`)",
                other.kind(),
            ))),
        }
    }

    /// A mobile number, read by the rules of `country`; nothing where it is blank.
    pub fn mobile(
        &self,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
    ) -> Result<Option<Mobile>, Held> {
        match self.evaluate(scope)? {
            Evaluated::Mobile(mobile) => Ok(Some(mobile)),
            found => {
                let Some(written) = self.one_text(found, "a phone number")? else {
                    return Ok(None);
                };
                phone::read(&written, country).map(Some).map_err(|held| held.at(&self.label()))
            }
        }
    }

    /// What becomes of an attribute; nothing where it is blank and not to be removed.
    pub fn attribute(&self, scope: &Scope<'_>) -> Result<Option<AttributeChange>, Held> {
        match self.evaluate(scope)? {
            Evaluated::Remove => Ok(Some(AttributeChange::Remove)),
            found => Ok(self.one_text(found, "a text")?.map(AttributeChange::Set)),
        }
    }
}

fn add_texts(value: &Value, texts: &mut IndexSet<String>) -> Result<(), Held> {
    match value {
        Value::List(items) => items.iter().try_for_each(|item| add_texts(item, texts)),
        Value::Object(_) => Err(Held::kind("a list of texts", value.kind())),
        _ if value.is_blank() => Ok(()),
        _ => {
            if let Some(text) = text_of(value)
                && !texts.contains(text)
            {
                texts.insert(text.to_owned());
            }
            Ok(())
        }
    }
}
