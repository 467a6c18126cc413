//! Finding the update for which a merged request is refused: the run is halved until it is alone.
//!
//! # Promises
//!
//! - The order stays: what is sent is always the next of the run.
//! - One bad update of `n` costs some `2 log2 n` requests; however many are bad, no more than `2 n`.

use std::ops::Range;

/// What of a run is still to be sent, in parts.
#[derive(Debug)]
pub(super) struct Parts {
    /// The next one last.
    left: Vec<Part>,
    /// How many updates were refused alone.
    bad: usize,
}

#[derive(Debug)]
struct Part {
    range: Range<usize>,
    /// One of it is bad, unless more have been found bad than there were then: the other half is to blame.
    is_bad_with: Option<usize>,
}

impl Parts {
    /// A run of so many updates, in one part.
    pub(super) fn of(count: usize) -> Self {
        Self { left: vec![Part { range: 0..count, is_bad_with: None }], bad: 0 }
    }

    /// The part to be sent next.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let Part { range, is_bad_with } = self.left.pop()?;
            if range.len() < 2 || is_bad_with != Some(self.bad) {
                return Some(range);
            }
            self.halve(range);
        }
    }

    /// Whether there is nothing left.
    pub(super) fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// A part was refused for good: its halves are sent, or it is the bad one, where it is but one.
    pub(super) fn refused(&mut self, range: Range<usize>) {
        if range.len() < 2 {
            self.bad += 1;
        } else {
            self.halve(range);
        }
    }

    fn halve(&mut self, range: Range<usize>) {
        let middle = range.start + range.len() / 2;
        self.left.push(Part { range: middle..range.end, is_bad_with: Some(self.bad) });
        self.left.push(Part { range: range.start..middle, is_bad_with: None });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// How many requests it takes, and which updates were taken; a request is refused if one in it is bad.
    fn sent(count: usize, bad: &BTreeSet<usize>) -> (usize, Vec<usize>) {
        let mut parts = Parts::of(count);
        let (mut requests, mut taken, mut seen) = (0, Vec::new(), 0);
        while let Some(part) = parts.next() {
            requests += 1;
            assert_eq!(part.start, seen, "the next of the run");
            if part.clone().any(|update| bad.contains(&update)) {
                if part.len() == 1 {
                    seen = part.end;
                }
                parts.refused(part);
            } else {
                seen = part.end;
                taken.extend(part);
            }
        }
        assert!(parts.is_done());
        assert_eq!(seen, count);
        (requests, taken)
    }

    #[test]
    fn a_run_that_is_taken_is_one_request() {
        assert_eq!(sent(100, &BTreeSet::new()).0, 1);
    }

    #[test]
    fn one_bad_of_a_hundred_is_found_with_few_requests() {
        for bad in 0..100 {
            let (requests, taken) = sent(100, &BTreeSet::from([bad]));
            assert!(requests <= 15, "{requests} requests for number {bad}");
            assert_eq!(taken.len(), 99);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_bad_the_rest_is_taken_with_bounded_requests(
            count in 1_usize..100, bad in proptest::collection::btree_set(0_usize..100, 0..100),
        ) {
            let (requests, taken) = sent(count, &bad);

            prop_assert!(requests < 2 * count);
            prop_assert!(taken.iter().all(|update| !bad.contains(update)));
            let good = (0..count).filter(|update| !bad.contains(update)).count();
            prop_assert_eq!(taken.len(), good);
        }
    }
}
