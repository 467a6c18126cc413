//! How often writing has failed in a row, so that nobody knows what is in the file: after the third time nothing is
//! tried any more.

use std::time::{Duration, Instant};

/// Failures sooner after another are the same one.
pub(super) const APART: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });

const MOST: u32 = 3;

/// The failures since something was last written.
#[derive(Debug, Default)]
pub(super) struct Strikes {
    count: u32,
    last: Option<Instant>,
}

impl Strikes {
    /// Counts a failure; whether it is another one.
    pub(super) fn strike(&mut self) -> bool {
        let is_another = self.last.is_none_or(|last| last.elapsed() >= APART);
        if is_another {
            self.count += 1;
            self.last = Some(Instant::now());
        }
        is_another
    }

    /// Whether it has failed often enough.
    pub(super) fn are_out(&self) -> bool {
        self.count >= MOST
    }
}
