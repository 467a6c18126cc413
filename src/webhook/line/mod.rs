//! The connections of senders: how many there may be, what may come over them, and how long it may take.
//!
//! [`Guests`] bounds them, [`Gate`] stands between a connection and the HTTP library, [`framing`] says where a
//! request ends, [`Line`] is what a connection and those who handle its requests tell each other.
//!
//! # Promises
//!
//! - There are never more than so many connections; one more takes the place of one that we have been waiting for
//!   the longest, never of one whose request is being handled.
//! - What could be read in two ways is answered 400 and its connection closed; nothing of it reaches a handler.
//! - A request is handed on once the one before it is answered, whatever has been sent already.
//! - Whoever does not send on, or does not read its answer, is hung up on.

mod chunks;
mod framing;
mod gate;
mod guests;

pub use gate::Gate;
pub use guests::{End, Guests};

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// What the handler of a request has said so far.
const NOTHING: u8 = 0;
const ANSWERED: u8 = 1;
const ANSWERED_UNREAD: u8 = 2;

/// What a connection and those who handle its requests tell each other.
#[derive(Debug, Default)]
pub struct Line {
    /// A request has arrived whole and is not answered: whoever sent it has done its part.
    working: AtomicBool,
    /// A request has arrived whole since it was last asked.
    active: AtomicBool,
    dismissed: AtomicBool,
    answer: AtomicU8,
    waker: AtomicWaker,
}

/// How much of a request its handler has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// To its end.
    Whole,
    /// Not to its end: the connection is of no use any more.
    Partly,
}

impl Line {
    /// The handler has its answer; said once a request.
    pub fn answered(&self, read: Read) {
        let answer = match read {
            Read::Whole => ANSWERED,
            Read::Partly => ANSWERED_UNREAD,
        };
        self.answer.store(answer, Ordering::Release);
        self.waker.wake();
    }

    /// Has the connection closed.
    fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Release);
        self.waker.wake();
    }

    fn is_dismissed(&self) -> bool {
        self.dismissed.load(Ordering::Acquire)
    }

    /// A request has arrived whole.
    fn begins_work(&self) {
        self.working.store(true, Ordering::Relaxed);
        self.active.store(true, Ordering::Relaxed);
    }

    fn is_working(&self) -> bool {
        self.working.load(Ordering::Relaxed)
    }

    /// Whether a request has arrived since this was last asked.
    fn was_active(&self) -> bool {
        self.active.swap(false, Ordering::Relaxed)
    }

    /// What the handler has said, forgotten with it.
    fn take_answer(&self) -> Option<Read> {
        let read = match self.answer.swap(NOTHING, Ordering::Acquire) {
            NOTHING => return None,
            ANSWERED_UNREAD => Read::Partly,
            _ => Read::Whole,
        };
        self.working.store(false, Ordering::Relaxed);
        Some(read)
    }

    /// Has this woken by what is told.
    fn wakes(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Waits until the connection is to be closed.
    pub async fn is_to_close(&self) {
        std::future::poll_fn(|cx| {
            self.wakes(cx.waker());
            if self.is_dismissed() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}
