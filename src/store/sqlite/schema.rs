//! The tables, and how a store of an older release becomes one of this release.
//!
//! A store carries two numbers: `schema`, the form its tables have, and `readable_from`, the oldest schema whose
//! release can still work on it. Steps only add (so that the release before can be put back); each step is one
//! transaction that moves both numbers. A step that takes something away comes a release later: it raises
//! `readable_from`, and the store is copied before it ([`backup`]).
//!
//! What the tables are for:
//!
//! - `event` is what came in, small, so that browsing and retention read little, with the trace that its updates go
//!   on in; `request` is the request it came
//!   with, once for all events of it, under the id of the first of them. The events of a request have ids in a row.
//! - `upd` is the updates; its id is the event's id, shifted, and the place within the event, so that the updates of
//!   an event are a range of ids. Only the first that waits in a lane has a `due_at`; one that is lent has a
//!   `lease` instead; its followers have neither.
//!   What may have reached the API in one request has the same number in `together` until it is known: it goes again
//!   as it was. An update that names its contact by anything but the id keeps that key's lane in `key`.
//! - `alias` is the keys that are known to mean a contact, and the lane they wait in since.
//! - `blocked` is the lanes that wait until a dead update of theirs is replayed or discarded.
//! - `seen` is the keys by which repeats are known. They are moved there late, from `event.seen_key`: an event may
//!   be deleted only once its key has been moved (its id is not above `moved` in `meta`), and never the youngest
//!   one, since ids go on from it.
//! - `attempt` is failed attempts only.
//! - `plan` is what is sent; where something was left out of an update, `original` is what its rule planned.
//! - `mark` is what events of sources with a stale guard have set of contacts, and when those events happened.
//! - `mapping` is the mapping files that were last in force.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::connection::failed;
use super::{backup, statements};
use crate::store::Error;
use crate::store::form::cipher::Cipher;

/// Marks the file as a store of this program: `PRAGMA application_id`, the letters `CFBr`.
const APPLICATION: i64 = 0x4346_4272;

/// From one schema to the next.
pub(super) struct Step {
    /// The schema after it.
    pub(super) schema: i64,
    /// The oldest schema whose release can work on the store after it.
    pub(super) readable_from: i64,
    /// What it does.
    pub(super) sql: &'static str,
}

/// Every step from an empty file to the schema of this release.
pub(super) const STEPS: &[Step] = &[
    Step { schema: 1, readable_from: 1, sql: FIRST },
    Step { schema: 2, readable_from: 1, sql: MAPPINGS },
    Step { schema: 3, readable_from: 1, sql: ORIGINALS },
    Step { schema: 4, readable_from: 1, sql: LANES },
    Step { schema: 5, readable_from: 1, sql: MARKS },
    Step { schema: 6, readable_from: 1, sql: TRACES },
];

const FIRST: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE event(
  id INTEGER PRIMARY KEY, source INTEGER NOT NULL, received_at INTEGER NOT NULL,
  outcome INTEGER NOT NULL, updates INTEGER NOT NULL, request INTEGER NOT NULL,
  item INTEGER NOT NULL, digest INTEGER NOT NULL, type TEXT, occurred_at INTEGER,
  seen_key BLOB, seen_until INTEGER) STRICT;
CREATE INDEX event_by_source ON event(source, id);
CREATE INDEX event_without_updates ON event(outcome, received_at) WHERE outcome <> 0;
CREATE TABLE request(
  id INTEGER PRIMARY KEY, head BLOB NOT NULL, encoding INTEGER NOT NULL,
  size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE upd(
  id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, source INTEGER NOT NULL,
  rule INTEGER NOT NULL, item INTEGER NOT NULL, state INTEGER NOT NULL,
  attempts INTEGER NOT NULL, due_at INTEGER, lease INTEGER, first_failed INTEGER,
  finished_at INTEGER, reason TEXT) STRICT;
CREATE INDEX upd_due ON upd(due_at, lane) WHERE due_at IS NOT NULL;
CREATE INDEX upd_waiting ON upd(lane, id)
  WHERE state = 0 AND due_at IS NULL AND lease IS NULL;
CREATE INDEX upd_leased ON upd(lease) WHERE lease IS NOT NULL;
CREATE INDEX upd_open ON upd(source, id) WHERE state = 0;
CREATE INDEX upd_finished ON upd(state, source, finished_at) WHERE state <> 0;
CREATE TABLE plan(update_id INTEGER PRIMARY KEY, form INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE detail(update_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE attempt(
  update_id INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, status INTEGER,
  words TEXT NOT NULL, PRIMARY KEY(update_id, n)) WITHOUT ROWID, STRICT;
CREATE TABLE seen(
  key BLOB PRIMARY KEY, event_id INTEGER NOT NULL, expires_at INTEGER NOT NULL)
  WITHOUT ROWID, STRICT;
CREATE INDEX seen_expiry ON seen(expires_at);
CREATE TABLE ledger(
  source INTEGER NOT NULL, what INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY(source, what)) WITHOUT ROWID, STRICT;
";

const MAPPINGS: &str =
    "CREATE TABLE mapping(name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID, STRICT;";

const ORIGINALS: &str = "ALTER TABLE plan ADD COLUMN original BLOB;";
const LANES: &str = "
ALTER TABLE upd ADD COLUMN key INTEGER;
ALTER TABLE upd ADD COLUMN withdrawal INTEGER;
ALTER TABLE upd ADD COLUMN together INTEGER;
CREATE INDEX upd_withdrawal ON upd(id) WHERE withdrawal = 1 AND (state = 0 OR state = 4);
CREATE TABLE alias(key INTEGER PRIMARY KEY, lane INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX alias_age ON alias(at);
CREATE INDEX alias_lane ON alias(lane);
CREATE TABLE blocked(lane INTEGER NOT NULL, update_id INTEGER NOT NULL,
  PRIMARY KEY(lane, update_id)) WITHOUT ROWID, STRICT;
";

const MARKS: &str = "
CREATE TABLE mark(lane INTEGER NOT NULL, source INTEGER NOT NULL, field TEXT NOT NULL,
  is_there INTEGER NOT NULL, at INTEGER NOT NULL, kept_at INTEGER NOT NULL,
  PRIMARY KEY(lane, source, field)) WITHOUT ROWID, STRICT;
CREATE INDEX mark_age ON mark(kept_at);
";

const TRACES: &str = "ALTER TABLE event ADD COLUMN trace BLOB;";

/// Brings the tables to the last of `steps`, or finds that they are of a newer release.
pub(super) fn migrate(connection: &mut Connection, steps: &[Step]) -> Result<(), Error> {
    let known = steps.last().map_or(0, |step| step.schema);
    let found = found(connection)?;
    if found > known {
        let readable_from = number(connection, "readable_from")?.unwrap_or(found);
        return if readable_from <= known { Ok(()) } else { Err(Error::Newer { found, known }) };
    }
    let ahead = || steps.iter().filter(|step| step.schema > found);
    if found > 0 {
        let readable_from = number(connection, "readable_from")?.unwrap_or(found);
        if let Some(takes_away) = ahead().find(|step| step.readable_from > readable_from) {
            backup::before(connection, takes_away.schema)?;
        }
    }
    for step in ahead() {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failed(&error))?;
        transaction.execute_batch(step.sql).map_err(|error| failed(&error))?;
        set(&transaction, "schema", step.schema)?;
        set(&transaction, "readable_from", step.readable_from)?;
        if found == 0 {
            transaction
                .pragma_update(None, "application_id", APPLICATION)
                .map_err(|error| failed(&error))?;
        }
        transaction.commit().map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Finds whether this release can read the store as it is.
pub(super) fn check_readable(connection: &Connection) -> Result<(), Error> {
    let known = STEPS.last().map_or(0, |step| step.schema);
    let found = found(connection)?;
    let readable_from = number(connection, "readable_from")?.unwrap_or(found);
    if readable_from > known {
        return Err(Error::Newer { found, known });
    }
    if found < known {
        return Err(Error::Failed(format!(
            "it has schema {found}, this release reads {known}: start the bridge once, which brings it up"
        )));
    }
    Ok(())
}

/// The keys, by their ids in hex, with which something in the store may be sealed.
const SEALED_WITH: &str = "sealed_with";

/// Finds whether all keys are there that the store needs.
pub(super) fn check_keys(connection: &Connection, cipher: &Cipher) -> Result<(), Error> {
    cipher.check(sealed_with(connection)?.split_whitespace())
}

/// Notes the key that seals, before it does.
pub(super) fn note_key(connection: &Connection, cipher: &Cipher) -> Result<(), Error> {
    let Some(current) = cipher.current() else { return Ok(()) };
    let mut ids = sealed_with(connection)?;
    if ids.split_whitespace().any(|id| id == current) {
        return Ok(());
    }
    ids.push(' ');
    ids.push_str(&current);
    set_keys(connection, ids.trim())
}

/// Notes with which keys something may be sealed.
pub(super) fn set_keys(connection: &Connection, ids: &str) -> Result<(), Error> {
    connection.execute(statements::SET_META, (SEALED_WITH, ids)).map_err(|error| failed(&error))?;
    Ok(())
}

fn sealed_with(connection: &Connection) -> Result<String, Error> {
    connection
        .query_row(statements::GET_META, [SEALED_WITH], |row| row.get(0))
        .optional()
        .map(Option::unwrap_or_default)
        .map_err(|error| failed(&error))
}

/// The schema of the file; 0 for an empty one.
fn found(connection: &Connection) -> Result<i64, Error> {
    let application: i64 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|error| failed(&error))?;
    if application == APPLICATION {
        return number(connection, "schema")?.ok_or_else(|| {
            Error::Failed("it has no `schema`: it is damaged, restore a backup".to_owned())
        });
    }
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| failed(&error))?;
    if tables == 0 {
        return Ok(0);
    }
    Err(Error::Failed("it is the database of another program: name another file".to_owned()))
}

/// A number of `meta`.
pub(super) fn number(connection: &Connection, name: &str) -> Result<Option<i64>, Error> {
    connection
        .prepare_cached(statements::GET_META)
        .and_then(|mut get| get.query_row([name], |row| row.get(0)).optional())
        .map_err(|error| failed(&error))
}

/// Sets a number of `meta`.
pub(super) fn set(connection: &Connection, name: &str, value: i64) -> Result<(), Error> {
    connection
        .prepare_cached(statements::SET_META)
        .and_then(|mut set| set.execute((name, value)))
        .map_err(|error| failed(&error))?;
    Ok(())
}

/// The key of the store's hashes: 32 random bytes, made with the store and kept in it, so that copies share it.
pub(super) fn hash_key(connection: &Connection) -> Result<[u8; 32], Error> {
    let kept: Option<Vec<u8>> = connection
        .query_row(statements::GET_META, ["hash_key"], |row| row.get(0))
        .optional()
        .map_err(|error| failed(&error))?;
    if let Some(kept) = kept {
        return kept
            .try_into()
            .map_err(|_| Error::Failed("its `hash_key` is damaged, restore a backup".to_owned()));
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| Error::Failed(format!("no random bytes for its key: {error}")))?;
    connection
        .execute(statements::SET_META, ("hash_key", key.as_slice()))
        .map_err(|error| failed(&error))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[Step] = &[Step {
        schema: 1,
        readable_from: 1,
        sql: "CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;
              CREATE TABLE thing(id INTEGER PRIMARY KEY);
              INSERT INTO thing VALUES (7);",
    }];
    const ADDS: Step = Step {
        schema: 2,
        readable_from: 1,
        sql: "ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';",
    };
    const TAKES_AWAY: Step = Step {
        schema: 3,
        readable_from: 2,
        sql: "CREATE TABLE other(id INTEGER PRIMARY KEY, colour TEXT NOT NULL);
              INSERT INTO other SELECT id, colour FROM thing; DROP TABLE thing;",
    };

    fn steps(last: i64) -> Vec<Step> {
        let all = [&OLD[0], &ADDS, &TAKES_AWAY];
        let copy = |step: &Step| Step { ..*step };
        all.into_iter().filter(|step| step.schema <= last).map(copy).collect()
    }

    fn at_schema(schema: i64) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &steps(schema)).unwrap();
        connection
    }

    #[test]
    fn an_older_store_is_brought_up_step_by_step_and_keeps_what_it_holds() {
        let mut connection = at_schema(1);

        migrate(&mut connection, &steps(3)).unwrap();

        assert_eq!(number(&connection, "schema").unwrap(), Some(3));
        assert_eq!(number(&connection, "readable_from").unwrap(), Some(2));
        let kept: (i64, String) = connection
            .query_row("SELECT id, colour FROM other", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(kept, (7, "red".to_owned()));
    }

    #[test]
    fn a_newer_store_is_opened_as_far_back_as_it_says() {
        for (in_the_file, release, opens) in
            [(2, 1, true), (2, 2, true), (3, 2, true), (3, 1, false), (1, 3, true)]
        {
            let mut connection = at_schema(in_the_file);

            let opened = migrate(&mut connection, &steps(release));

            match opened {
                Ok(()) => {
                    assert!(opens, "schema {in_the_file}, release {release}");
                    let schema = number(&connection, "schema").unwrap();
                    assert_eq!(schema, Some(in_the_file.max(release)));
                }
                Err(Error::Newer { found, known }) => {
                    assert!(!opens, "schema {in_the_file}, release {release}");
                    assert_eq!((found, known), (in_the_file, release));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let mut connection = at_schema(1);
        let broken = Step {
            schema: 2,
            readable_from: 1,
            sql: "ALTER TABLE thing ADD COLUMN a TEXT; SELECT * FROM nothing;",
        };

        let migrated = migrate(&mut connection, &[Step { ..OLD[0] }, broken]);

        assert!(migrated.is_err());
        assert_eq!(number(&connection, "schema").unwrap(), Some(1));
        assert!(connection.prepare("SELECT a FROM thing").is_err());
    }

    #[test]
    fn the_database_of_another_program_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE bookmarks(url TEXT)").unwrap();

        let error = migrate(&mut connection, STEPS).unwrap_err();

        assert!(error.to_string().contains("another program"), "{error}");
    }

    #[test]
    fn the_key_is_made_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();

        let first = hash_key(&connection).unwrap();

        assert_eq!(hash_key(&connection).unwrap(), first);
        assert_ne!(first, [0; 32]);
    }
}
