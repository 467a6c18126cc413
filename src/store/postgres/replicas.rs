//! What replicas tell each other about delivery.
//!
//! Each writes what holds of it beside its name, where that is not what it said before; what it has changed goes into a list that
//! the others read on. Nothing depends on being heard at once: all of it is read again and again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::PostgresStore;
use super::core::Core;
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::store::{Error, Heard, Lane, Replica, Replicas, Said};

/// Transactions last less than this: what was written earlier can be seen by now.
const SEEN_BY_THEN: i64 = 30_000;

/// Words in one text.
const BETWEEN: char = ' ';

/// How far a late timer may be caught up when moments are reserved.
const SLACK_MICROS: i64 = 20_000;

/// How far this process has heard.
#[derive(Default)]
pub(super) struct Ear {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What it said last of what holds, and under which number.
    said: Option<(i64, String, String)>,
    /// The changes that it has heard, those that may still be read again.
    heard: Vec<i64>,
    /// Whether it has listened before: what was changed before it began does not concern it.
    has_begun: bool,
}

/// What is read in one exchange.
struct Read {
    now: i64,
    others: Vec<Replica>,
    closed_until: i64,
    halted: bool,
    resumed: i64,
    changes: Vec<(i64, i64)>,
}

impl Core {
    async fn exchange(&self, said: &Said) -> Result<Heard, Error> {
        let words = said.paused.join(" ");
        let holds = (self.holder.id(), words.clone(), said.mappings.clone());
        let is_news = {
            let state = self.ear.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.said.as_ref() != Some(&holds)
                || !said.changed.is_empty()
                || said.closed_for.is_some()
                || said.resumes
        };
        let words: &str = &words;
        let read = transacted!(self.pool, |transaction| {
            self.exchange_in(transaction, said, words, is_news).await
        });
        let read = self.noted("exchange", read)?;
        let Some(read) = read else {
            // It was silent for too long: it is there again under another number, and says all of it anew.
            self.hold().await?;
            return Err(Error::Away("this process was given up".to_owned()));
        };
        Ok(self.ear.hear(read, holds))
    }

    /// Nothing where this process was given up.
    async fn exchange_in(
        &self,
        transaction: &Transaction<'_>,
        said: &Said,
        words: &str,
        is_news: bool,
    ) -> Result<Option<Read>, Fault> {
        let (manual, holder) = (self.manual(), self.holder.id());
        if transaction.query(statements::IS_HOLDER, params![holder]).await?.is_empty() {
            return Ok(None);
        }
        let mappings: &str = &said.mappings;
        if is_news {
            transaction.execute(statements::SAY, params![holder, words, mappings]).await?;
        }
        let now = transaction.now(manual).await?;
        if let Some(time) = said.closed_for {
            let until = now.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
            transaction.execute(statements::CLOSE_UNTIL, params![until]).await?;
        }
        if said.resumes {
            transaction.execute(statements::COUNT_RESUMED, &[]).await?;
        }
        if !said.changed.is_empty() {
            let lanes: Vec<i64> = said.changed.iter().map(|lane| lane.0).collect();
            let old = now - 2 * SEEN_BY_THEN;
            transaction.execute(statements::FORGET_CHANGES, params![old]).await?;
            transaction.execute(statements::SAY_CHANGED, params![lanes, holder, now]).await?;
        }
        let since = now - SEEN_BY_THEN;
        let (there, new) = (params![now, holder], params![since, holder]);
        let (others, numbers, changes) = futures_util::try_join!(
            transaction.query(statements::OTHERS, there),
            transaction.query(statements::SHARED_NUMBERS, &[]),
            transaction.query(statements::CHANGES, new),
        )?;
        if is_news {
            let channel: &str = &self.schema;
            transaction.query(statements::TELL, params![channel]).await?;
        }
        let number = |name: &str| {
            let row = numbers.iter().find(|row| row.get::<_, &str>(0) == name);
            row.and_then(|row| row.get::<_, Option<i64>>(1))
        };
        Ok(Some(Read {
            now,
            others: others
                .iter()
                .map(|row| Replica {
                    replica: row.get(0),
                    mappings: row.get(1),
                    paused: words_of(row.get(2)),
                })
                .collect(),
            closed_until: number("closed_until").unwrap_or(0),
            halted: number("halted").is_some(),
            resumed: number("resumed").unwrap_or(0),
            changes: changes.iter().map(|row| (row.get(0), row.get(1))).collect(),
        }))
    }

    async fn reserve(&self, moments: u32, gap: Duration) -> Result<Duration, Error> {
        let manual = self.manual().map(|millis| millis.saturating_mul(1000));
        let whole = gap.saturating_mul(moments);
        let whole = i64::try_from(whole.as_micros()).unwrap_or(i64::MAX / 2);
        let row = transacted!(self.pool, |transaction| {
            transaction.query_opt(statements::RESERVE, params![manual, whole, SLACK_MICROS]).await
        });
        let row = self.noted("reserve", row)?;
        let micros: i64 = row.map_or(0, |row| row.get(0));
        Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
    }
}

impl Ear {
    fn hear(&self, read: Read, said: (i64, String, String)) -> Heard {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !std::mem::replace(&mut state.has_begun, true);
        let new = read.changes.iter().filter(|(id, _)| !is_first && !state.heard.contains(id));
        let changed = new.map(|(_, lane)| Lane(*lane)).collect();
        state.heard = read.changes.iter().map(|(id, _)| *id).collect();
        state.said = Some(said);
        let paused = read.others.iter().flat_map(|other| other.paused.iter().cloned()).collect();
        let closed_for = u64::try_from(read.closed_until.saturating_sub(read.now)).ok();
        Heard {
            paused,
            closed_for: closed_for.filter(|left| *left > 0).map(Duration::from_millis),
            halted: read.halted,
            resumed: read.resumed,
            changed,
            others: read.others,
        }
    }
}

fn words_of(text: &str) -> Vec<String> {
    text.split(BETWEEN).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[async_trait]
impl Replicas for PostgresStore {
    async fn exchange(&self, said: &Said) -> Result<Heard, Error> {
        self.core.exchange(said).await
    }

    async fn news(&self) {
        self.core.news.notified().await;
    }

    async fn reserve(&self, moments: u32, gap: Duration) -> Result<Duration, Error> {
        self.core.reserve(moments, gap).await
    }
}
