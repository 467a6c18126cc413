//! Conditions.

use super::Held;
use super::expr::{Reading, Scope};
use super::syntax::{Node, Problems};

/// A compiled condition.
#[derive(Debug)]
pub struct When;

impl When {
    /// Reads a block of conditions, all of which must hold.
    pub fn read(_node: &Node, _reading: &Reading<'_>, _problems: &mut Problems) -> Option<Self> {
        Some(Self)
    }

    /// Whether it holds; held where that cannot be told.
    pub fn holds(&self, _scope: &Scope<'_>) -> Result<bool, Held> {
        Ok(true)
    }
}
