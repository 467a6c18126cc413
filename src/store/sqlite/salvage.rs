//! Reading a damaged table: whatever its pages still give.
//!
//! Rows are read in the order of their keys. Where reading fails, the pieces get smaller until a single row fails;
//! then the next key from which on reading works is looked for, by doubling steps and then by halving back.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Rows at once.
const PIECE: i64 = 500;

/// A table of both stores.
pub(super) struct Table {
    pub(super) name: String,
    /// The columns that both have.
    pub(super) columns: Vec<String>,
    /// By what its rows are ordered where they have no number.
    keys: Option<Vec<String>>,
}

/// What was read of a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Salvaged {
    /// The table.
    pub table: String,
    /// Rows that could be read and kept.
    pub rows: u64,
    /// Places at which rows could not be read: one or many each.
    pub gaps: u64,
}

impl Table {
    /// The tables of the new store, with what the old one has of them.
    pub(super) fn all(old: &Connection, new: &Connection) -> rusqlite::Result<Vec<Self>> {
        let mut names = new.prepare(
            "SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_schema \
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )?;
        let names = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut tables = Vec::new();
        for named in names {
            let (name, is_keyed): (String, bool) = named?;
            // Damage to the list of tables leaves nothing of them.
            let known: Vec<String> = columns(old, &name, false).unwrap_or_default();
            let mut shared = columns(new, &name, false)?;
            shared.retain(|column| known.contains(column));
            let keys = if is_keyed { Some(columns(new, &name, true)?) } else { None };
            tables.push(Self { name, columns: shared, keys });
        }
        Ok(tables)
    }

    /// Copies what can be read.
    pub(super) fn copy(
        &self,
        old: &Connection,
        new: &mut Connection,
    ) -> rusqlite::Result<Salvaged> {
        let mut salvaged = Salvaged { table: self.name.clone(), rows: 0, gaps: 0 };
        if self.columns.is_empty() {
            salvaged.gaps = 1;
            return Ok(salvaged);
        }
        match &self.keys {
            Some(keys) => self.copy_keyed(old, new, keys, &mut salvaged)?,
            None => self.copy_numbered(old, new, &mut salvaged)?,
        }
        Ok(salvaged)
    }

    fn copy_numbered(
        &self,
        old: &Connection,
        new: &mut Connection,
        salvaged: &mut Salvaged,
    ) -> rusqlite::Result<()> {
        let columns = self.columns.join(", ");
        let sql = format!(
            "SELECT rowid, {columns} FROM {} NOT INDEXED WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
            self.name
        );
        let read = |after: i64, most: i64| -> rusqlite::Result<Vec<(i64, Vec<Value>)>> {
            let mut statement = old.prepare_cached(&sql)?;
            let rows = statement
                .query_map([after, most], |row| Ok((row.get(0)?, self.values(row, 1)?)))?;
            rows.collect()
        };
        let (mut after, mut piece) = (i64::MIN, PIECE);
        loop {
            match read(after, piece) {
                Ok(rows) => {
                    let Some((last, _)) = rows.last() else { return Ok(()) };
                    after = *last;
                    let rows = rows.into_iter().map(|(_, values)| values);
                    salvaged.rows += self.keep(new, rows)?;
                    piece = (piece * 2).min(PIECE);
                }
                Err(_) if piece > 1 => piece /= 8,
                Err(_) => {
                    salvaged.gaps += 1;
                    match beyond(after, |after| read(after, 1).is_ok()) {
                        Some(next) => after = next,
                        None => return Ok(()),
                    }
                }
            }
            piece = piece.max(1);
        }
    }

    /// Rows without a number: from the beginning until reading fails, then from the end.
    fn copy_keyed(
        &self,
        old: &Connection,
        new: &mut Connection,
        keys: &[String],
        salvaged: &mut Salvaged,
    ) -> rusqlite::Result<()> {
        for order in ["ASC", "DESC"] {
            let by: Vec<_> = keys.iter().map(|key| format!("{key} {order}")).collect();
            let sql = format!(
                "SELECT {} FROM {} ORDER BY {}",
                self.columns.join(", "),
                self.name,
                by.join(", ")
            );
            let (mut rows, mut whole) = (Vec::new(), true);
            if let Ok(mut statement) = old.prepare(&sql) {
                let mut found = statement.query([])?;
                loop {
                    match found.next() {
                        Ok(Some(row)) => rows.extend(self.values(row, 0)),
                        Ok(None) => break,
                        Err(_) => {
                            whole = false;
                            break;
                        }
                    }
                    if rows.len() >= PIECE.unsigned_abs() as usize {
                        salvaged.rows += self.keep(new, rows.drain(..))?;
                    }
                }
            } else {
                whole = false;
            }
            salvaged.rows += self.keep(new, rows.into_iter())?;
            if whole {
                break;
            }
            salvaged.gaps = 1;
        }
        Ok(())
    }

    fn values(&self, row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Vec<Value>> {
        (from..from + self.columns.len()).map(|column| row.get(column)).collect()
    }

    /// Puts rows into the new store; one that is no row of its table is lost. How many were kept.
    fn keep(
        &self,
        new: &mut Connection,
        rows: impl Iterator<Item = Vec<Value>>,
    ) -> rusqlite::Result<u64> {
        let places = vec!["?"; self.columns.len()].join(", ");
        let sql = format!(
            "INSERT OR IGNORE INTO {} ({}) VALUES ({places})",
            self.name,
            self.columns.join(", ")
        );
        let transaction = new.transaction()?;
        let mut kept = 0;
        {
            let mut insert = transaction.prepare_cached(&sql)?;
            for row in rows {
                kept += insert.execute(params_from_iter(row)).unwrap_or(0) as u64;
            }
        }
        transaction.commit()?;
        Ok(kept)
    }
}

/// The columns of a table, or those of its key.
fn columns(connection: &Connection, table: &str, key: bool) -> rusqlite::Result<Vec<String>> {
    let mut columns = connection.prepare(
        "SELECT name FROM pragma_table_info(?1) WHERE NOT ?2 OR pk > 0 ORDER BY pk, cid",
    )?;
    columns.query_map((table, key), |row| row.get(0))?.collect()
}

/// The first number behind `after` from which on reading works, if there is any.
fn beyond(after: i64, works: impl Fn(i64) -> bool) -> Option<i64> {
    let (mut fails, mut step) = (after, 1_i64);
    let mut found = loop {
        // Numbers are never negative, but the first look begins before all of them.
        let next = fails.max(-1).checked_add(step)?;
        if works(next) {
            break next;
        }
        fails = next;
        step = step.checked_mul(2)?;
    };
    while found - fails.max(-1) > 1 {
        let middle = fails.max(-1) + (found - fails.max(-1)) / 2;
        if works(middle) {
            found = middle;
        } else {
            fails = middle;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_left_where_it_ends() {
        for (gap, after, expected) in [
            (10..20, 9, Some(20)),
            (10..1_000_000_007, 9, Some(1_000_000_007)),
            (0..1, i64::MIN, Some(1)),
            (5..i64::MAX, 4, None),
        ] {
            assert_eq!(beyond(after, |at| !gap.contains(&at)), expected, "{gap:?}");
        }
    }
}
