//! Where log lines go: through a bounded queue to a thread of its own, which writes many of them at once.
//!
//! # Promises
//!
//! - Nobody waits for the log: a line that finds the queue full is dropped and counted.
//! - What was queued when the process ends is written.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use super::limit::Limits;

/// Lines that may wait to be written.
const WAITING: usize = 8192;
/// Bytes that are written at once.
const AT_ONCE: usize = 64 * 1024;
/// How long lines are gathered before they are written, while there are some: whoever logs then has nobody to wake.
const GATHER: Duration = Duration::from_millis(5);
/// How often is told what was not written.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How long the end of the process may wait for the log.
const FAREWELL: Duration = Duration::from_secs(1);

/// Lines dropped since the process began. The log is one for the whole process, and so is this.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Lines lost to a slow reader of the log since the process began.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

enum Message {
    Line(Vec<u8>),
    /// Write what there is, then say so.
    Flush(Sender<()>),
}

/// The queue's near end.
#[derive(Clone)]
pub(super) struct Sink(SyncSender<Message>);

/// Writes what is still queued when it is dropped.
#[must_use = "the last lines are written when this is dropped"]
pub struct Guard {
    sink: Sink,
    limits: Arc<Limits>,
}

impl Sink {
    /// A sink whose thread writes to `out`, and what keeps its last lines.
    pub(super) fn to(
        out: impl Write + Send + 'static,
        limits: Arc<Limits>,
    ) -> io::Result<(Self, Guard)> {
        let (lines, waiting) = sync_channel(WAITING);
        let told = Arc::clone(&limits);
        let write = move || write(&waiting, out, &told);
        std::thread::Builder::new().name("log".to_owned()).spawn(write)?;
        let sink = Self(lines);
        Ok((sink.clone(), Guard { sink, limits }))
    }
}

fn write(waiting: &Receiver<Message>, mut out: impl Write, limits: &Limits) {
    let mut text = Vec::with_capacity(AT_ONCE);
    let mut last_told = Instant::now();
    loop {
        // What it logs waits in the queue like any other line.
        if last_told.elapsed() >= TELL_EVERY {
            last_told = Instant::now();
            limits.tell(Some(last_told));
        }
        let first = match waiting.recv_timeout(TELL_EVERY) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut told = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) => text.extend_from_slice(&line),
                Message::Flush(tell) => told.push(tell),
            }
            next = if text.len() < AT_ONCE { waiting.try_recv().ok() } else { None };
        }
        if out.write_all(&text).and_then(|()| out.flush()).is_err() {
            // Nobody reads the log any more; there is nobody to tell.
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        text.clear();
        if told.is_empty() {
            std::thread::park_timeout(GATHER);
        }
        for tell in told {
            if tell.send(()).is_err() {
                // Who asked has gone: the process is ending.
                return;
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.limits.tell(None);
        let (tell, told) = channel();
        if self.sink.0.send(Message::Flush(tell)).is_ok() {
            // Whether all was written in time or not, the process ends now.
            let _in_time = told.recv_timeout(FAREWELL).is_ok();
        }
    }
}

/// One line on its way.
pub(super) struct Line(SyncSender<Message>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.0.try_send(Message::Line(line.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                DROPPED.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Sink {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        Line(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A reader that does not read until it is let go.
    #[derive(Clone, Default)]
    struct Shelf(Arc<Mutex<Vec<u8>>>);

    impl Write for Shelf {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_queued_is_written_by_the_end_and_what_does_not_fit_is_counted() {
        let shelf = Shelf::default();
        let (sink, guard) = Sink::to(shelf.clone(), Arc::default()).unwrap();
        let before = dropped();
        let held = shelf.0.lock().unwrap();

        for _ in 0..3 * WAITING {
            sink.make_writer().write_all(b"line\n").unwrap();
        }
        let lost = dropped() - before;
        drop(held);
        drop(guard);

        let written = shelf.0.lock().unwrap().len() / b"line\n".len();
        assert!(lost > 0);
        assert_eq!(written + usize::try_from(lost).unwrap(), 3 * WAITING);
    }
}
