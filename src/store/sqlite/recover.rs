//! Making a whole store of a damaged one: what can be read is copied into a new file, what is missing between the
//! rows is made good so that nothing is forgotten silently, and the damaged file is kept.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use super::connection::{StoreFile, failed, reading, writing};
use super::lock::LockFile;
use super::place::place_for;
use super::salvage::{Salvaged, Table};
use super::schema;
use crate::store::Error;
use crate::store::form::cipher::Cipher;
use crate::store::form::ledger::What;

/// What became of a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// Where the damaged file is now.
    pub damaged: PathBuf,
    /// What was read, by table.
    pub tables: Vec<Salvaged>,
    /// What was made good: what, and how often.
    pub mended: Vec<(&'static str, u64)>,
}

/// What is made good, in this order: what it means, and the statement; `?1` is now.
const MENDED: &[(&str, &str)] = &[
    (
        "sources and rules have lost their names",
        "INSERT INTO name(id, text) SELECT id, 'lost-' || id FROM (SELECT source AS id FROM event \
         UNION SELECT source FROM upd UNION SELECT rule FROM upd) \
         WHERE id NOT IN (SELECT id FROM name)",
    ),
    (
        "updates have lost their event: they are kept, with an event of now and without a body",
        "INSERT INTO event(id, source, received_at, outcome, updates, request, item, digest) \
         SELECT id >> 16, min(source), ?1, 0, count(*), id >> 16, 0, 0 FROM upd \
         WHERE id >> 16 NOT IN (SELECT id FROM event) GROUP BY id >> 16",
    ),
    (
        "events have lost their request: they cannot be mapped again",
        "INSERT INTO request(id, head, encoding, size, body) SELECT DISTINCT request, \
         CAST('{\"method\":\"POST\"}' AS BLOB), 0, 0, x'' FROM event \
         WHERE request NOT IN (SELECT id FROM request)",
    ),
    (
        "requests have lost all their events",
        "DELETE FROM request WHERE id NOT IN (SELECT request FROM event)",
    ),
    (
        "plans have lost their update, so that nobody knows whether it was sent: they are dead, reason `unclear`",
        "INSERT INTO upd(id, lane, source, rule, item, state, attempts, finished_at, reason) \
         SELECT p.update_id, 0, e.source, e.source, p.update_id & 65535, 4, 0, ?1, 'unclear' \
         FROM plan p JOIN event e ON e.id = p.update_id >> 16 \
         WHERE p.update_id NOT IN (SELECT id FROM upd)",
    ),
    (
        "updates that wait have lost their plan: they are held, reason `version`",
        "UPDATE upd SET state = 2, reason = 'version', due_at = NULL, lease = NULL, \
         finished_at = ?1 WHERE state = 0 AND id NOT IN (SELECT update_id FROM plan)",
    ),
    (
        "plans, details and attempts belong to nothing any more",
        "DELETE FROM plan WHERE update_id NOT IN (SELECT id FROM upd)",
    ),
    (
        "details belong to nothing any more",
        "DELETE FROM detail WHERE update_id NOT IN (SELECT id FROM upd)",
    ),
    (
        "attempts belong to nothing any more",
        "DELETE FROM attempt WHERE update_id NOT IN (SELECT id FROM upd)",
    ),
    (
        "events have lost updates: `events show` and `events remap` them",
        "UPDATE event SET updates = (SELECT count(*) FROM upd \
         WHERE upd.id BETWEEN event.id << 16 AND event.id << 16 | 65535) WHERE updates <> \
         (SELECT count(*) FROM upd WHERE upd.id BETWEEN event.id << 16 AND event.id << 16 | 65535) \
        ",
    ),
    (
        "lanes were blocked by an update that is lost",
        "DELETE FROM blocked WHERE update_id NOT IN (SELECT id FROM upd WHERE state = 4)",
    ),
    (
        "lanes have lost the update that was next: the oldest that waits is next",
        "UPDATE upd SET due_at = ?1 WHERE id IN (SELECT min(id) FROM upd WHERE state = 0 \
         AND lane NOT IN (SELECT lane FROM blocked) \
         GROUP BY lane HAVING max(due_at) IS NULL AND max(lease) IS NULL)",
    ),
    (
        "keys of repeats are known again from their events",
        "INSERT OR IGNORE INTO seen(key, event_id, expires_at) SELECT seen_key, id, seen_until \
         FROM event WHERE seen_key IS NOT NULL AND seen_until > ?1 \
         AND id <= coalesce((SELECT value FROM meta WHERE name = 'moved'), 0)",
    ),
];

/// Makes a whole store of what can be read of the one at `path`, on which no bridge runs; the damaged file is kept
/// beside it under another name. `told` is called before each table.
///
/// # Errors
///
/// [`Error::Held`] names the bridge that holds the store; anything else says why nothing can be read of it: then
/// nothing was changed.
pub fn recover(
    path: &Path,
    key_file: Option<&Path>,
    now: i64,
    mut told: impl FnMut(&str),
) -> Result<Recovered, Error> {
    place_for(path)?;
    super::offline::is_there(path)?;
    let _lock = LockFile::take(path)?;
    let file = StoreFile::new(path, &Cipher::read(key_file)?);
    let beside = beside(path, ".recovered");
    remove(&beside);
    let made = make(&file, &beside, now, &mut told);
    let (tables, mended) = made.inspect_err(|_| remove(&beside))?;
    let damaged = self::beside(path, &format!(".damaged-{}", now / 1000));
    // The log belongs to the damaged file: it goes with it.
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (self::beside(path, suffix), self::beside(&damaged, suffix));
        if from.exists() {
            std::fs::rename(&from, &to).map_err(|error| cannot_move(&from, &error))?;
        }
    }
    std::fs::rename(&beside, path).map_err(|error| cannot_move(&beside, &error))?;
    Ok(Recovered { damaged, tables, mended })
}

type Made = (Vec<Salvaged>, Vec<(&'static str, u64)>);

fn make(file: &StoreFile, to: &Path, now: i64, told: &mut dyn FnMut(&str)) -> Result<Made, Error> {
    let old = reading(file)?;
    old.pragma_update(None, "cell_size_check", true).map_err(|error| failed(&error))?;
    // What the list of tables says must be readable; without it nothing is.
    old.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|error| {
        Error::Failed(format!("nothing can be read of it ({error}): restore a backup"))
    })?;
    let mut new = writing(&StoreFile::new(to, &file.cipher), u64::MAX)?;
    schema::migrate(&mut new, schema::STEPS)?;
    let mut copy = |new: &mut Connection| -> rusqlite::Result<Made> {
        let mut salvaged = Vec::new();
        // Those of the new file are of another key.
        new.execute("DELETE FROM meta WHERE name NOT IN ('schema', 'readable_from')", [])?;
        for table in Table::all(&old, new)? {
            told(&table.name);
            salvaged.push(table.copy(&old, new)?);
        }
        let transaction = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut mended = Vec::new();
        for (what, sql) in MENDED {
            let mut statement = transaction.prepare(sql)?;
            let moments = vec![now; statement.parameter_count()];
            let rows = statement.execute(params_from_iter(moments))? as u64;
            if rows > 0 {
                mended.push((*what, rows));
            }
        }
        recount(&transaction)?;
        transaction.commit()?;
        Ok((salvaged, mended))
    };
    let made = copy(&mut new).map_err(|error| failed(&error))?;
    new.close().map_err(|(_, error)| failed(&error))?;
    Ok(made)
}

/// Sets the counters by the rows that are there, so that the ledger holds again. What leaves no row (repeats, what was
/// deleted) counts as it was counted.
fn recount(connection: &Connection) -> rusqlite::Result<()> {
    let set = |what: What, rows: &str, gone: Option<What>| -> rusqlite::Result<()> {
        let gone = gone.map_or(-1, |gone| gone as i64);
        connection.execute(
            &format!(
                "INSERT INTO ledger(source, what, n) SELECT of.source, ?1, \
                 (SELECT count(*) FROM {rows} AND r.source = of.source) \
                 + coalesce((SELECT n FROM ledger l WHERE l.source = of.source AND l.what = ?2), 0) \
                 FROM (SELECT source FROM event UNION SELECT source FROM upd UNION \
                 SELECT source FROM ledger) of WHERE true \
                 ON CONFLICT(source, what) DO UPDATE SET n = excluded.n"
            ),
            (what as i64, gone),
        )?;
        Ok(())
    };
    for (outcome, what) in [(0, What::Taken), (1, What::Ignored), (2, What::Control)] {
        set(what, &format!("event r WHERE r.outcome = {outcome}"), what.gone())?;
    }
    for (state, what) in [
        (0, What::Open),
        (1, What::Delivered),
        (2, What::Held),
        (3, What::Skipped),
        (4, What::Dead),
        (5, What::Discarded),
    ] {
        set(what, &format!("upd r WHERE r.state = {state}"), what.gone())?;
    }
    let parts = |parts: &[What]| {
        parts.iter().map(|part| (*part as u8).to_string()).collect::<Vec<_>>().join(", ")
    };
    let events = parts(&[What::Duplicate, What::Control, What::Ignored, What::Taken]);
    let updates = parts(&[
        What::Open,
        What::Held,
        What::Delivered,
        What::Skipped,
        What::Dead,
        What::Discarded,
        What::Expired,
    ]);
    for (sum, parts) in [(What::Received, events), (What::Planned, updates)] {
        connection.execute(
            &format!(
                "INSERT INTO ledger(source, what, n) SELECT source, ?1, sum(n) FROM ledger \
                 WHERE what IN ({parts}) GROUP BY source \
                 ON CONFLICT(source, what) DO UPDATE SET n = excluded.n"
            ),
            [sum as i64],
        )?;
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// A file of an attempt that was broken off is of no use to anybody.
fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(beside(path, suffix)));
    }
}

fn cannot_move(path: &Path, error: &std::io::Error) -> Error {
    Error::Failed(format!("`{}` cannot be renamed: {error}", path.display()))
}
