//! The numbers of sources' and rules' names, as far as this process has met them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use super::pool::Pool;
use super::statements;
use super::transaction::{params, transacted};
use crate::store::Error;

#[derive(Default)]
struct Known {
    by_text: HashMap<Arc<str>, i64>,
    by_id: HashMap<i64, Arc<str>>,
}

/// Names never change and are never deleted: what is known stays right.
#[derive(Default)]
pub(super) struct Names(RwLock<Known>);

impl Names {
    /// The number of a name, where it is known.
    pub(super) fn id(&self, text: &str) -> Option<i64> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_text.get(text).copied()
    }

    /// The name with this number, where it is known.
    pub(super) fn text(&self, id: i64) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    /// Sees that these names have numbers and are known, in a transaction of its own: one that holds locks would have
    /// others wait for it who know the same name, and it may wait for them.
    pub(super) async fn meet(&self, pool: &Pool, texts: Vec<&str>) -> Result<(), Error> {
        let new: BTreeSet<&str> =
            texts.into_iter().filter(|text| self.id(text).is_none()).collect();
        if new.is_empty() {
            return Ok(());
        }
        let new: Vec<&str> = new.into_iter().collect();
        self.learn(pool, &new).await
    }

    /// Sees that the names with these numbers are known.
    pub(super) async fn recall(&self, pool: &Pool, ids: Vec<i64>) -> Result<(), Error> {
        if ids.into_iter().all(|id| self.text(id).is_some()) {
            return Ok(());
        }
        self.learn(pool, &[]).await
    }

    async fn learn(&self, pool: &Pool, new: &[&str]) -> Result<(), Error> {
        let rows = transacted!(pool, |transaction| {
            if !new.is_empty() {
                transaction.execute(statements::ADD_NAMES, params![new.to_vec()]).await?;
            }
            transaction.query(statements::NAMES, &[]).await
        })?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let (id, text): (i64, Arc<str>) = (row.get(0), row.get::<_, String>(1).into());
            known.by_text.insert(Arc::clone(&text), id);
            known.by_id.insert(id, text);
        }
        Ok(())
    }
}
