//! What is known at a place of the file where a value or a condition is read.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Names;
use super::read::literal;
use crate::document::Value;
use crate::mapping::syntax::{Code, Fields, Kind, Node, Problem, Problems};

/// A table of the file, `tables:`: words and what they become.
#[derive(Debug, Default)]
pub struct Table(pub IndexMap<Box<str>, Value>);

impl Table {
    /// Reads a block of words and what they become: texts, numbers, booleans, or null for nothing.
    pub fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut table = IndexMap::new();
        let mut fine = true;
        for (key, value) in Fields::of(node, problems)?.rest() {
            let Some(word) = key.as_text() else { continue };
            if let Kind::Scalar { text, quoted } = &value.kind {
                table.insert(word.into(), literal(text, *quoted));
            } else {
                let message =
                    format!("a word of a table becomes a single value, {} was found", value.what());
                problems.add(Problem::error(Code::Shape, value.span.clone(), message));
                fine = false;
            }
        }
        fine.then_some(Self(table))
    }

    /// What a word becomes.
    pub fn get(&self, word: &str) -> Option<&Value> {
        self.0.get(word)
    }
}

/// What is known at a place of the file where a value or a condition is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'r> {
    /// The roots that paths may start from.
    pub names: &'r Names,
    /// The file's tables.
    pub tables: &'r IndexMap<Box<str>, Arc<Table>>,
    /// The country whose national phone numbers are understood.
    pub country: Option<phonenumber::country::Id>,
    /// The time zone of times that carry none.
    pub timezone: &'r jiff::tz::TimeZone,
}
