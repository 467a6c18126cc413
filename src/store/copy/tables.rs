//! The tables that are copied, in an order in which each finds what it needs.

/// What is in a column, and how the two stores keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    /// 64 bits.
    Number,
    /// 32 bits in PostgreSQL.
    Integer,
    /// 16 bits in PostgreSQL; always there.
    Small,
    /// `true` or `false`; 1 or 0 in SQLite.
    Flag,
    /// A text that the bridge has checked.
    Text,
    /// A text from outside; bytes in PostgreSQL.
    Foreign,
    /// Bytes.
    Bytes,
    /// Bytes that are sealed under this name where there is a key.
    Sealed(&'static str),
    /// A text that is sealed under this name where there is a key; bytes in PostgreSQL.
    SealedText(&'static str),
    /// How a body is kept; one bit says whether it is sealed.
    Encoding,
    /// The body of a request, after its encoding.
    Body,
}

/// A table. The first columns are what its rows are known and sealed by.
#[derive(Debug)]
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    pub(in crate::store) key: usize,
    pub(in crate::store) columns: &'static [(&'static str, Kind)],
}

const fn table(name: &'static str, key: usize, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, key, columns }
}

use Kind::{
    Body, Bytes, Encoding, Flag, Foreign, Integer, Number, Sealed, SealedText, Small, Text,
};

/// All of them. What is counted in bytes is counted anew.
pub(in crate::store) const TABLES: &[Table] = &[
    table("name", 1, &[("id", Number), ("text", Text)]),
    table("mapping", 1, &[("name", Text), ("text", SealedText("mapping"))]),
    table(
        "request",
        1,
        &[
            ("id", Number),
            ("head", Sealed("head")),
            ("encoding", Encoding),
            ("size", Number),
            ("body", Body),
        ],
    ),
    table(
        "upd",
        1,
        &[
            ("id", Number),
            ("lane", Number),
            ("source", Number),
            ("rule", Number),
            ("item", Number),
            ("state", Small),
            ("attempts", Integer),
            ("first_failed", Number),
            ("finished_at", Number),
            ("reason", Text),
            ("key", Number),
            ("withdrawal", Flag),
            ("together", Number),
        ],
    ),
    table(
        "plan",
        1,
        &[
            ("update_id", Number),
            ("form", Small),
            ("body", Sealed("plan")),
            ("original", Sealed("plan")),
        ],
    ),
    table("detail", 1, &[("update_id", Number), ("text", SealedText("text"))]),
    table(
        "attempt",
        2,
        &[
            ("update_id", Number),
            ("n", Integer),
            ("at", Number),
            ("status", Integer),
            ("words", SealedText("text")),
        ],
    ),
    table(
        "event",
        1,
        &[
            ("id", Number),
            ("source", Number),
            ("received_at", Number),
            ("outcome", Small),
            ("updates", Integer),
            ("request", Number),
            ("item", Number),
            ("digest", Number),
            ("type", Foreign),
            ("occurred_at", Number),
            ("trace", Bytes),
        ],
    ),
    table("seen", 1, &[("key", Bytes), ("event_id", Number), ("expires_at", Number)]),
    table("ledger", 2, &[("source", Number), ("what", Small), ("n", Number)]),
    table("alias", 1, &[("key", Number), ("lane", Number), ("at", Number)]),
    table("blocked", 2, &[("lane", Number), ("update_id", Number)]),
    table(
        "mark",
        3,
        &[
            ("lane", Number),
            ("source", Number),
            ("field", Foreign),
            ("is_there", Flag),
            ("at", Number),
            ("kept_at", Number),
        ],
    ),
    // In SQLite the first that waits in a lane has its moment.
    table("lane", 1, &[("id", Number), ("due_at", Number)]),
];

impl Table {
    /// So many rows are copied at once: bodies may be large.
    pub(in crate::store) fn at_once(&self) -> usize {
        if self.name == "request" { 64 } else { 1000 }
    }

    /// The names of its columns.
    pub(in crate::store) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// The names of those that its rows are known by.
    pub(in crate::store) fn key_names(&self) -> String {
        let names: Vec<_> = self.columns.iter().take(self.key).map(|(name, _)| *name).collect();
        names.join(", ")
    }
}
