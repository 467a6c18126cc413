//! What is known at a place of the file where a value or a condition is read.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Names;

/// A table of the file, `tables:`: words and what they become.
#[derive(Debug, Default)]
pub struct Table(pub IndexMap<Box<str>, crate::document::Value>);

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

impl Table {
    /// Reads a table.
    pub fn read(
        _node: &crate::mapping::syntax::Node,
        _problems: &mut crate::mapping::syntax::Problems,
    ) -> Option<Self> {
        Some(Self::default())
    }
}
