//! What a field wants of a value: one text, a list, true or false, a mobile number.

use super::{Expr, Reading, Scope};
use crate::contact::{AttributeChange, Mobile};
use crate::mapping::Held;
use crate::mapping::syntax::{Node, Problems};

impl Expr {
    /// Reads a value of any form; the problems are added, and nothing is given where there is an error.
    pub fn read(_node: &Node, _reading: &Reading<'_>, _problems: &mut Problems) -> Option<Self> {
        None
    }

    /// One text: nothing where it is blank, held where it is several or an object.
    pub fn text(&self, _scope: &Scope<'_>) -> Result<Option<String>, Held> {
        Ok(None)
    }

    /// A list of texts, flattened, without blanks and repeats: nothing where it is absent or null, an empty list
    /// where it is there and empty.
    pub fn texts(&self, _scope: &Scope<'_>) -> Result<Option<Vec<String>>, Held> {
        Ok(None)
    }

    /// True or false, as booleans or the texts `true` and `false`; nothing where it is blank.
    pub fn truth(&self, _scope: &Scope<'_>) -> Result<Option<bool>, Held> {
        Ok(None)
    }

    /// A mobile number, read by the rules of `country`; nothing where it is blank.
    pub fn mobile(
        &self,
        _scope: &Scope<'_>,
        _country: Option<phonenumber::country::Id>,
    ) -> Result<Option<Mobile>, Held> {
        Ok(None)
    }

    /// What becomes of an attribute; nothing where it is blank and not to be removed.
    pub fn attribute(&self, _scope: &Scope<'_>) -> Result<Option<AttributeChange>, Held> {
        Ok(None)
    }
}
