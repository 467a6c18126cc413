//! Whether a store is whole: its pages, what the tables promise each other, and the ledger.

use std::path::Path;

use rusqlite::Connection;

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
        // A damaged page shows wherever it is met first.
        let problems = problems().unwrap_or_else(|error| vec![error.to_string()]);
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

fn pages(connection: &Connection, depth: Depth) -> rusqlite::Result<Vec<String>> {
    let pragma = match depth {
        Depth::Quick => "PRAGMA quick_check",
        Depth::Whole => "PRAGMA integrity_check",
    };
    let mut check = connection.prepare(pragma)?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut problems = Vec::new();
    for line in lines {
        let line = line?;
        if line != "ok" && problems.len() < MOST_NAMED {
            problems.extend(line.lines().map(str::to_owned));
        }
    }
    problems.truncate(MOST_NAMED);
    Ok(problems)
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
