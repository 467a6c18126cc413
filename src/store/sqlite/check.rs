//! Whether a store is whole: its pages, what the tables promise each other, and the ledger.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::connection::{StoreFile, failed, reading};
use super::lock::LockFile;
use super::place::place_for;
use super::{letters, schema};
use crate::store::Error;
use crate::store::form::cipher::Cipher;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every page, every rule, the ledger.
    Quick,
    /// Also every index against its table, and everything that is sealed or compressed is opened.
    Whole,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What should hold.
    pub rule: &'static str,
    /// What does not, if anything; no values.
    pub problems: Vec<String>,
}

/// What the tables promise each other: the rule, and how many rows break it.
const RULES: &[(&str, &str)] = &[
    (
        "every update that waits has a plan",
        "SELECT count(*) FROM upd WHERE state = 0 AND id NOT IN (SELECT update_id FROM plan)",
    ),
    (
        "every update has its event",
        "SELECT count(*) FROM upd WHERE id >> 16 NOT IN (SELECT id FROM event)",
    ),
    (
        "every event has its request",
        "SELECT count(*) FROM event WHERE request NOT IN (SELECT id FROM request)",
    ),
    (
        "every request has an event",
        "SELECT count(*) FROM request WHERE id NOT IN (SELECT request FROM event)",
    ),
    (
        "every event has as many updates as were planned",
        "SELECT count(*) FROM event e WHERE updates <> \
         (SELECT count(*) FROM upd WHERE id BETWEEN e.id << 16 AND e.id << 16 | 65535)",
    ),
    (
        "every plan, detail and attempt has its update",
        "SELECT (SELECT count(*) FROM plan WHERE update_id NOT IN (SELECT id FROM upd)) \
         + (SELECT count(*) FROM detail WHERE update_id NOT IN (SELECT id FROM upd)) \
         + (SELECT count(*) FROM attempt WHERE update_id NOT IN (SELECT id FROM upd))",
    ),
    (
        "only an update that waits is due or lent",
        "SELECT count(*) FROM upd WHERE state <> 0 AND (due_at IS NOT NULL OR lease > 0)",
    ),
    (
        "every lane in which something waits goes on, unless a dead update blocks it",
        "SELECT count(*) FROM (SELECT lane FROM upd WHERE state = 0 \
         AND lane NOT IN (SELECT lane FROM blocked) \
         GROUP BY lane HAVING max(due_at) IS NULL AND max(lease) IS NULL)",
    ),
    (
        "only a dead update blocks a lane",
        "SELECT count(*) FROM blocked WHERE update_id NOT IN (SELECT id FROM upd WHERE state = 4)",
    ),
    (
        "whatever has come to an end has its moment",
        "SELECT count(*) FROM upd WHERE state <> 0 AND finished_at IS NULL",
    ),
    (
        "every source and every rule has its name",
        "SELECT (SELECT count(*) FROM upd WHERE source NOT IN (SELECT id FROM name) \
         OR rule NOT IN (SELECT id FROM name)) \
         + (SELECT count(*) FROM event WHERE source NOT IN (SELECT id FROM name))",
    ),
];

/// The most pages or rows that are named one by one.
const MOST_NAMED: usize = 20;

/// Looks at the store at `path`, on which no bridge runs, without changing it.
///
/// # Errors
///
/// [`Error::Held`] names the bridge that holds the store; anything else says why it cannot even be opened.
pub fn check(path: &Path, key_file: Option<&Path>, depth: Depth) -> Result<Vec<Finding>, Error> {
    place_for(path)?;
    super::offline::is_there(path)?;
    let _lock = LockFile::take(path)?;
    let file = StoreFile::new(path, &Cipher::read(key_file)?);
    let connection = reading(&file)?;
    let mut findings = Vec::new();
    let mut look = |rule, problems: &mut dyn FnMut() -> Result<Vec<String>, Error>| {
        let problems = problems().unwrap_or_else(|error| vec![in_the_way(&error)]);
        findings.push(Finding { rule, problems });
    };
    look("its schema is one that this release reads", &mut || {
        schema::check_readable(&connection).map(|()| Vec::new())
    });
    look("its keys are there", &mut || {
        schema::check_keys(&connection, &file.cipher).map(|()| Vec::new())
    });
    look("its pages are whole", &mut || pages(&connection, depth).map_err(|error| failed(&error)));
    for (rule, sql) in RULES {
        look(rule, &mut || broken(&connection, sql).map_err(|error| failed(&error)));
    }
    look("the ledger holds", &mut || {
        let balances = letters::audit(&connection)?;
        let off = balances.iter().filter(|balance| balance.off() != 0);
        let off = off.map(|balance| {
            format!(
                "source `{}`, {}: {} counted, {} there, {} deleted",
                balance.source,
                balance.what,
                balance.counted,
                balance.rows.unwrap_or(0),
                balance.deleted
            )
        });
        Ok(off.collect())
    });
    if depth == Depth::Whole {
        look("what is sealed can be opened", &mut || {
            unopened(&connection).map_err(|error| failed(&error))
        });
    }
    Ok(findings)
}

/// What is said where a look was broken off. A damaged page shows wherever it is met.
fn in_the_way(error: &Error) -> String {
    match error {
        Error::Damaged(_) => "a damaged page is in the way".to_owned(),
        error => error.to_string(),
    }
}

fn pages(connection: &Connection, depth: Depth) -> rusqlite::Result<Vec<String>> {
    let pragma = match depth {
        Depth::Quick => "quick_check",
        Depth::Whole => "integrity_check",
    };
    let mut problems = Vec::new();
    match lines(connection, &format!("PRAGMA {pragma}")) {
        Ok(lines) => problems = named(connection, &lines)?,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            // The beginning of a table is gone: which one?
            let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name";
            for table in lines(connection, tables)? {
                match lines(connection, &format!("PRAGMA {pragma}('{table}')")) {
                    Ok(lines) => problems.extend(named(connection, &lines)?),
                    Err(_) => problems.push(format!("`{table}`: its first page is damaged")),
                }
            }
        }
        Err(error) => return Err(error),
    }
    problems.truncate(MOST_NAMED);
    Ok(problems)
}

/// What a check of SQLite has found, with the name of the table or index that it knows by number.
fn named(connection: &Connection, lines: &[String]) -> rusqlite::Result<Vec<String>> {
    let mut roots = connection.prepare("SELECT name FROM sqlite_schema WHERE rootpage = ?1")?;
    let mut problems = Vec::new();
    let found = lines.iter().flat_map(|line| line.lines());
    for line in found.filter(|line| *line != "ok" && !line.starts_with("***")) {
        let number = line.strip_prefix("Tree ").and_then(|rest| rest.split(' ').next());
        let number = number.and_then(|number| number.parse::<u32>().ok());
        let name: Option<String> = match number {
            Some(number) => roots.query_row([number], |row| row.get(0)).optional()?,
            None => None,
        };
        problems.push(match name {
            Some(name) => format!("`{name}`: {line}"),
            None => line.to_owned(),
        });
    }
    Ok(problems)
}

/// The texts that a statement gives.
fn lines(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn broken(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let rows: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(if rows == 0 { Vec::new() } else { vec![format!("{rows} rows break it")] })
}

fn unopened(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut problems = Vec::new();
    for (what, sql) in [
        (
            "requests",
            "SELECT count(*) FROM request WHERE opened('head', id, head) IS NULL \
             OR (encoding & 16 AND opened('body', id, body) IS NULL)",
        ),
        ("plans", "SELECT count(*) FROM plan WHERE opened('plan', update_id, body) IS NULL"),
        ("details", "SELECT count(*) FROM detail WHERE opened('text', update_id, text) IS NULL"),
        ("attempts", "SELECT count(*) FROM attempt WHERE opened('text', update_id, words) IS NULL"),
    ] {
        let rows: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if rows > 0 {
            problems.push(format!("{rows} {what}"));
        }
    }
    Ok(problems)
}
