//! One at a time for each key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// A lock for each key that is in use, first come, first served; keys nobody holds take no room.
pub(super) struct Locks<K: Eq + Hash + Clone> {
    turns: Arc<Mutex<HashMap<K, Arc<Turn<()>>>>>,
}

/// The right to a key until it is dropped.
pub(super) struct Held<K: Eq + Hash + Clone> {
    key: K,
    turns: Arc<Mutex<HashMap<K, Arc<Turn<()>>>>>,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> Locks<K> {
    pub(super) fn new() -> Self {
        Self { turns: Arc::default() }
    }

    /// Waits until nobody else holds the key.
    pub(super) async fn lock(&self, key: K) -> Held<K> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(key.clone()).or_default())
        };
        // Made before waiting: who stops waiting tidies up as well.
        let mut held = Held { key, turns: Arc::clone(&self.turns), guard: None };
        held.guard = Some(turn.lock_owned().await);
        held
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.turns.lock().unwrap().len()
    }
}

impl<K: Eq + Hash + Clone> Drop for Held<K> {
    fn drop(&mut self) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        if turns.get(&self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;

    #[tokio::test]
    async fn one_key_is_held_by_one_and_others_do_not_wait() {
        let locks = Locks::new();

        let ann = locks.lock("ann").await;
        let bob = locks.lock("bob").await;
        let second = locks.lock("ann");
        tokio::pin!(second);
        assert!(poll!(second.as_mut()).is_pending());
        drop(ann);

        drop(second.await);
        drop(bob);
        assert_eq!(locks.len(), 0);
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_nothing_behind() {
        let locks = Locks::new();
        let ann = locks.lock("ann").await;

        {
            let second = locks.lock("ann");
            tokio::pin!(second);
            assert!(poll!(second.as_mut()).is_pending());
            drop(ann);
        }

        assert_eq!(locks.len(), 0);
    }
}
