//! A map with bounds: so many entries, for so long.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// A map whose entries are forgotten a fixed time after they were put in. When it is full, the entry that was put
/// in first makes room. Time is handed in, as the clock's monotonic time.
pub(super) struct Expiring<K, V> {
    lasts: Duration,
    most: usize,
    entries: HashMap<K, Entry<V>>,
    /// Keys in the order they were put in, with the number of the entry meant; since all entries last equally
    /// long, the first are the first to expire.
    order: VecDeque<(K, u64)>,
    next: u64,
}

struct Entry<V> {
    value: V,
    until: Duration,
    number: u64,
}

impl<K: Eq + Hash + Clone, V> Expiring<K, V> {
    pub(super) fn new(lasts: Duration, most: usize) -> Self {
        Self { lasts, most, entries: HashMap::new(), order: VecDeque::new(), next: 0 }
    }

    pub(super) fn get(&self, key: &K, now: Duration) -> Option<&V> {
        self.entries.get(key).filter(|entry| now < entry.until).map(|entry| &entry.value)
    }

    /// Puts it in, in place of what the key had, and gives what is gone because of it.
    pub(super) fn put(&mut self, key: K, value: V, now: Duration) -> Vec<(K, V)> {
        if self.most == 0 {
            return Vec::new();
        }
        let number = self.next;
        self.next += 1;
        let entry = Entry { value, until: now.saturating_add(self.lasts), number };
        let replaced = self.entries.insert(key.clone(), entry);
        let mut gone: Vec<_> = replaced.into_iter().map(|old| (key.clone(), old.value)).collect();
        self.order.push_back((key, number));
        self.make_room(now, &mut gone);
        gone
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|entry| entry.value)
    }

    /// Removes what these keys had.
    pub(super) fn forget_where(&mut self, goes: impl Fn(&K) -> bool) {
        self.entries.retain(|key, _| !goes(key));
    }

    fn make_room(&mut self, now: Duration, gone: &mut Vec<(K, V)>) {
        while let Some((first, number)) = self.order.front() {
            match self.entries.get(first).filter(|entry| entry.number == *number) {
                Some(entry) if now < entry.until && self.entries.len() <= self.most => break,
                Some(_) => {
                    let removed = self.entries.remove_entry(first);
                    gone.extend(removed.map(|(key, entry)| (key, entry.value)));
                }
                // It was removed or put in again since.
                None => {}
            }
            self.order.pop_front();
        }
        if self.order.len() > 2 * self.most + 16 {
            let entries = &self.entries;
            self.order.retain(|(key, number)| {
                entries.get(key).is_some_and(|entry| entry.number == *number)
            });
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert!(self.order.len() <= 2 * self.most + 16);
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_entry_is_forgotten_after_its_time() {
        let mut map = Expiring::new(at(10), 5);
        map.put("a", 1, at(100));

        assert_eq!(map.get(&"a", at(109)), Some(&1));
        assert_eq!(map.get(&"a", at(110)), None);
        assert_eq!(map.put("b", 2, at(110)), [("a", 1)]);
    }

    #[test]
    fn when_it_is_full_the_oldest_makes_room() {
        let mut map = Expiring::new(at(10), 2);
        map.put("a", 1, at(0));
        map.put("b", 2, at(1));
        assert_eq!(map.put("a", 3, at(2)), [("a", 1)]);

        assert_eq!(map.put("c", 4, at(3)), [("b", 2)]);

        assert_eq!(map.get(&"a", at(3)), Some(&3));
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn one_of_no_entries_keeps_nothing() {
        let mut map = Expiring::new(at(10), 0);

        assert_eq!(map.put("a", 1, at(0)), []);

        assert_eq!(map.get(&"a", at(0)), None);
    }

    proptest! {
        #[test]
        fn it_never_outgrows_its_bounds(
            steps in proptest::collection::vec((0_u8..20, 0_u8..3), 0..200),
        ) {
            let mut map = Expiring::new(at(7), 4);
            for (second, (key, what)) in (0..).zip(steps) {
                if what == 0 {
                    map.remove(&key);
                } else {
                    map.put(key, (), at(second));
                }
                prop_assert!(map.len() <= 4);
            }
        }
    }
}
