//! How many connections there are, and which of them goes when another comes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Line;
use crate::telemetry::metrics::Metrics;

/// Why a connection was ended by us, before it was used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Another came, and we had waited for this one the longest.
    MadeRoom,
    /// It came when all others were at work.
    Crowded,
    /// No request came, or only part of its head.
    Silent,
    /// It did not read its answer.
    NotReading,
    /// What came could be read in two ways, or in none.
    Malformed,
    /// TLS was not agreed on.
    Handshake,
}

impl End {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::MadeRoom,
        Self::Crowded,
        Self::Silent,
        Self::NotReading,
        Self::Malformed,
        Self::Handshake,
    ];

    /// The `reason` label of `intake_connections_ended_total`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MadeRoom => "made_room",
            Self::Crowded => "crowded",
            Self::Silent => "silent",
            Self::NotReading => "not_reading",
            Self::Malformed => "malformed",
            Self::Handshake => "tls_handshake",
        }
    }
}

/// The connections there are.
///
/// They stand in a row as they came. When there are as many as there may be, the row is walked from its head:
/// who is at work or has been since the last walk goes to the end of the row, who has not is sent away. So a walk is
/// short on average, and a flood of connections that send nothing drives out itself.
pub struct Guests {
    most: usize,
    open: AtomicUsize,
    row: Mutex<VecDeque<Weak<Guest>>>,
    metrics: Arc<Metrics>,
}

/// A connection that was let in; it has left when this is dropped.
pub struct Guest {
    line: Arc<Line>,
    of: Arc<Guests>,
}

impl Guests {
    /// Room for so many, one at least.
    pub fn new(most: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        for end in End::ALL {
            metrics.intake_connections_ended_total.with_label_values(&[end.as_str()]);
        }
        metrics.intake_connections.with_label_values::<&str>(&[]).set(0);
        let (open, row) = (AtomicUsize::new(0), Mutex::default());
        Arc::new(Self { most: most.max(1), open, row, metrics })
    }

    /// Lets a connection in, and sends another away where there are too many; nothing where all are at work.
    pub fn admit(self: &Arc<Self>) -> Option<Arc<Guest>> {
        let mut row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.load(Ordering::Relaxed) >= self.most && !self.make_room(&mut row) {
            drop(row);
            self.ended(End::Crowded);
            return None;
        }
        if row.len() > 2 * self.most {
            row.retain(|guest| guest.strong_count() > 0);
        }
        let guest = Arc::new(Guest { line: Arc::default(), of: Arc::clone(self) });
        row.push_back(Arc::downgrade(&guest));
        self.open.fetch_add(1, Ordering::Relaxed);
        self.metrics.intake_connections.with_label_values::<&str>(&[]).inc();
        Some(guest)
    }

    fn make_room(&self, row: &mut VecDeque<Weak<Guest>>) -> bool {
        // After one walk nobody has been active any more.
        for _ in 0..=2 * row.len() {
            let Some(first) = row.pop_front() else { return false };
            let Some(guest) = first.upgrade() else { continue };
            if guest.line.is_working() || guest.line.was_active() {
                row.push_back(first);
                continue;
            }
            guest.line.dismiss();
            self.ended(End::MadeRoom);
            return true;
        }
        false
    }

    /// Counts a connection that we have ended.
    pub fn ended(&self, end: End) {
        self.metrics.intake_connections_ended_total.with_label_values(&[end.as_str()]).inc();
    }
}

impl Guest {
    /// What its handlers tell the connection.
    pub const fn line(&self) -> &Arc<Line> {
        &self.line
    }

    /// Counts that we end it.
    pub fn ends(&self, end: End) {
        self.of.ended(end);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.of.open.fetch_sub(1, Ordering::Relaxed);
        self.of.metrics.intake_connections.with_label_values::<&str>(&[]).dec();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Read;
    use super::*;

    fn room_for(most: usize) -> Arc<Guests> {
        Guests::new(most, Arc::new(Metrics::new().unwrap()))
    }

    fn dismissed(guests: &[Arc<Guest>]) -> Vec<bool> {
        guests.iter().map(|guest| guest.line.is_dismissed()).collect()
    }

    #[test]
    fn who_came_first_and_sent_nothing_goes_first() {
        let guests = room_for(3);
        let mut all: Vec<_> = (0..3).map(|_| guests.admit().unwrap()).collect();
        assert_eq!(dismissed(&all), [false; 3]);

        all.push(guests.admit().unwrap());

        assert_eq!(dismissed(&all), [true, false, false, false]);
    }

    #[test]
    fn who_has_sent_a_request_stays_before_those_who_have_not() {
        let guests = room_for(3);
        let mut all: Vec<_> = (0..3).map(|_| guests.admit().unwrap()).collect();
        all[0].line.begins_work();
        all[0].line.answered(Read::Whole);
        all[0].line.take_answer();

        for _ in 0..2 {
            all.push(guests.admit().unwrap());
        }
        assert_eq!(dismissed(&all), [false, true, true, false, false]);
    }

    #[test]
    fn who_is_at_work_never_goes_and_the_newcomer_does_where_all_are() {
        let guests = room_for(2);
        let all: Vec<_> = (0..2).map(|_| guests.admit().unwrap()).collect();
        for guest in &all {
            guest.line.begins_work();
        }

        assert!(guests.admit().is_none());
        all[1].line.answered(Read::Whole);
        all[1].line.take_answer();
        let newcomer = guests.admit();

        assert!(newcomer.is_some());
        assert_eq!(dismissed(&all), [false, true]);
    }

    #[test]
    fn who_has_left_makes_room_and_the_row_does_not_grow() {
        let guests = room_for(4);
        let first = guests.admit().unwrap();
        for _ in 0..1000 {
            drop(guests.admit().unwrap());
        }

        assert!(!first.line.is_dismissed());
        assert!(guests.row.lock().unwrap().len() <= 9);
        assert_eq!(guests.open.load(Ordering::Relaxed), 1);
    }
}
