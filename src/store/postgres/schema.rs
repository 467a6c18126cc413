//! The tables, and how a store of an older release becomes one of this release.
//!
//! As in `sqlite`, a store carries two numbers, `schema` and `readable_from`, and steps only add. All steps that are
//! missing are one transaction, under a lock that one process has at a time: others wait and find the work done.
//!
//! What is different from SQLite's tables:
//!
//! - `lane` is the lanes in which something is open: replicas cannot share what one process keeps in memory. A lane
//!   that may be lent has a `due_at`; one that is lent has a `holder`, a `fence`, and counts what is `lent`; one in
//!   which all waits for a dead update has neither.
//! - `holder` is the processes that hold what is lent, each for as long as it says so again in time.
//! - `seen` is written with the event.
//! - `ledger` is counted in shards, one for each process and kind of work: no two wait for each other's counters.
//! - Whatever comes from outside is bytes: PostgreSQL's texts cannot hold all that JSON can.
//! - `event.size` is what the event adds to the size of the store, with all that belongs to it.

use super::pool::Pool;
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::store::Error;

/// From one schema to the next.
pub(super) struct Step {
    /// The schema after it.
    pub(super) schema: i64,
    /// The oldest schema whose release can work on the store after it.
    pub(super) readable_from: i64,
    /// What it does.
    pub(super) sql: &'static str,
}

/// Every step from an empty schema to that of this release.
pub(super) const STEPS: &[Step] = &[Step { schema: 1, readable_from: 1, sql: FIRST }];

/// Who waits for another that brings the tables up waits as long as that takes.
const TAKES_ITS_TIME: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";

const FIRST: &str = "
CREATE TABLE meta(name text PRIMARY KEY, number bigint, bytes bytea);
CREATE TABLE name(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL UNIQUE);
CREATE SEQUENCE event_id CACHE 1;
CREATE SEQUENCE fence_id;
CREATE SEQUENCE holder_id;
CREATE TABLE event(
  id bigint PRIMARY KEY, source bigint NOT NULL, received_at bigint NOT NULL,
  outcome smallint NOT NULL, updates integer NOT NULL, request bigint NOT NULL,
  item bigint NOT NULL, digest bigint NOT NULL, size bigint NOT NULL,
  type bytea, occurred_at bigint);
CREATE INDEX event_by_source ON event(source, id);
CREATE INDEX event_without_updates ON event(outcome, received_at, id) WHERE outcome <> 0;
CREATE INDEX event_of_request ON event(request) WHERE request <> id;
CREATE TABLE request(
  id bigint PRIMARY KEY, head bytea NOT NULL, encoding smallint NOT NULL,
  size bigint NOT NULL, body bytea NOT NULL);
ALTER TABLE request ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE upd(
  id bigint PRIMARY KEY, lane bigint NOT NULL, source bigint NOT NULL,
  rule bigint NOT NULL, item bigint NOT NULL, state smallint NOT NULL,
  attempts integer NOT NULL DEFAULT 0, fence bigint, first_failed bigint,
  finished_at bigint, reason text, key bigint, withdrawal boolean NOT NULL DEFAULT false,
  together bigint) WITH (fillfactor = 80);
CREATE INDEX upd_waiting ON upd(lane, id) WHERE state = 0;
CREATE INDEX upd_together ON upd(lane, together, id) WHERE state = 0 AND together IS NOT NULL;
CREATE INDEX upd_open ON upd(source, id) WHERE state = 0;
CREATE INDEX upd_finished ON upd(state, source, finished_at, id) WHERE state <> 0;
CREATE INDEX upd_withdrawal ON upd(id) WHERE withdrawal AND (state = 0 OR state = 4);
CREATE TABLE plan(
  update_id bigint PRIMARY KEY, form smallint NOT NULL, body bytea NOT NULL, original bytea);
CREATE TABLE detail(update_id bigint PRIMARY KEY, text bytea NOT NULL);
CREATE TABLE attempt(
  update_id bigint NOT NULL, n integer NOT NULL, at bigint NOT NULL, status integer,
  words bytea NOT NULL, PRIMARY KEY(update_id, n));
CREATE TABLE seen(key bytea PRIMARY KEY, event_id bigint NOT NULL, expires_at bigint NOT NULL);
CREATE INDEX seen_expiry ON seen(expires_at);
CREATE TABLE ledger(
  source bigint NOT NULL, what smallint NOT NULL, shard smallint NOT NULL, n bigint NOT NULL,
  PRIMARY KEY(source, what, shard)) WITH (fillfactor = 50);
CREATE TABLE lane(
  id bigint PRIMARY KEY, due_at bigint, holder bigint, fence bigint,
  lent integer NOT NULL DEFAULT 0, put_off bigint NOT NULL DEFAULT 0)
  WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000);
CREATE INDEX lane_due ON lane(due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX lane_held ON lane(holder, id) WHERE holder IS NOT NULL;
CREATE TABLE holder(id bigint PRIMARY KEY, until bigint NOT NULL, name text NOT NULL);
CREATE TABLE alias(key bigint PRIMARY KEY, lane bigint NOT NULL, at bigint NOT NULL);
CREATE INDEX alias_age ON alias(at);
CREATE INDEX alias_lane ON alias(lane);
CREATE TABLE blocked(lane bigint NOT NULL, update_id bigint NOT NULL, PRIMARY KEY(lane, update_id));
CREATE TABLE mark(
  lane bigint NOT NULL, source bigint NOT NULL, field bytea NOT NULL, is_there boolean NOT NULL,
  at bigint NOT NULL, kept_at bigint NOT NULL, PRIMARY KEY(lane, source, field));
CREATE INDEX mark_age ON mark(kept_at);
CREATE TABLE mapping(name text PRIMARY KEY, text bytea NOT NULL);
";

/// Brings the tables to the last of `steps`, or finds that they are of a newer release or of another program.
pub(super) async fn migrate(pool: &Pool, schema: &str, steps: &[Step]) -> Result<(), Error> {
    transacted!(@run_long pool, |transaction| {
        transaction.batch(TAKES_ITS_TIME).await?;
        // The name is letters, digits and underscores.
        transaction.query(statements::LOCK, params![schema]).await?;
        let there = transaction.query_opt(statements::SCHEMA_STANDS, params![schema]).await?;
        let (is_there, tables, is_ours) = match &there {
            Some(row) => (row.get(0), row.get::<_, i64>(1), row.get(2)),
            None => (false, 0, false),
        };
        let known = steps.last().map_or(0, |step| step.schema);
        let mut found = 0;
        if is_ours {
            found = number(transaction, "schema").await?.unwrap_or(0);
            let readable_from = number(transaction, "readable_from").await?.unwrap_or(found);
            if found == 0 {
                return Err(Error::Failed(format!(
                    "the schema `{schema}` has tables of another program: name another one (`?schema=…` in `store.url`)"
                ))
                .into());
            }
            if readable_from > known {
                return Err(Error::Newer { found, known }.into());
            }
        } else if tables > 0 {
            return Err(Error::Failed(format!(
                "the schema `{schema}` has tables of another program: name another one (`?schema=…` in `store.url`)"
            ))
            .into());
        } else if !is_there {
            transaction.batch(&format!("CREATE SCHEMA {schema}")).await?;
        }
        for step in steps.iter().filter(|step| step.schema > found) {
            transaction.batch(step.sql).await?;
            set(transaction, "schema", step.schema).await?;
            set(transaction, "readable_from", step.readable_from).await?;
        }
        Ok(())
    })
}

/// A number of `meta`.
pub(super) async fn number(
    transaction: &Transaction<'_>,
    name: &str,
) -> Result<Option<i64>, Fault> {
    let row = transaction.query_opt(statements::GET_NUMBER, params![name]).await?;
    Ok(row.and_then(|row| row.get(0)))
}

/// Sets a number of `meta`.
pub(super) async fn set(
    transaction: &Transaction<'_>,
    name: &str,
    value: i64,
) -> Result<(), Fault> {
    transaction.execute(statements::SET_NUMBER, params![name, value]).await?;
    Ok(())
}

/// The key of the store's hashes: 32 random bytes, made with the store and kept in it, so that replicas share it.
pub(super) async fn hash_key(pool: &Pool) -> Result<[u8; 32], Error> {
    let mut made = [0; 32];
    getrandom::fill(&mut made)
        .map_err(|error| Error::Failed(format!("no random bytes for its key: {error}")))?;
    let kept: Vec<u8> = transacted!(pool, |transaction| {
        transaction.execute(statements::ADD_BYTES, params!["hash_key", &made[..]]).await?;
        let kept = transaction.query_opt(statements::GET_BYTES, params!["hash_key"]).await?;
        Ok(kept.map(|row| row.get(0)).unwrap_or_default())
    })?;
    kept.try_into()
        .map_err(|_| Error::Failed("its `hash_key` is damaged, restore a backup".to_owned()))
}

/// Whether there are tables of this program.
pub(super) async fn is_there(pool: &Pool, schema: &str) -> Result<bool, Error> {
    let there = transacted!(pool, |transaction| {
        transaction.query_opt(statements::SCHEMA_STANDS, params![schema]).await
    })?;
    Ok(there.is_some_and(|row| row.get(2)))
}
