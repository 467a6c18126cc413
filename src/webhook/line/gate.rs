//! What stands between a connection and the HTTP library: hands on one request at a time, and hangs up in time.
//!
//! The library reads and queues whatever a sender pipelines, takes what RFC 9112 lets servers be lenient about, and
//! waits for ever for whoever does not read, or sends its second head byte by byte. All of that is bounded here. A
//! head that is not whole is not handed on, so that the library's clock for the first one goes on until it is.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_util::io::poll_read_buf;

use super::framing::{Body, Coming};
use super::guests::{End, Guest};
use super::{Line, Read};

/// How long an answer has to go out before a connection is cut whose request was not read to its end.
const FAREWELL: Duration = Duration::from_millis(500);

/// Bytes that are read at once.
const AT_ONCE: usize = 8 << 10;

/// What no library takes for a request: it answers 400 in its turn, and hangs up.
const NO_REQUEST: &[u8] = b"\0\r\n\r\n";

/// A connection that hands on well-framed requests, one at a time.
pub struct Gate<S> {
    stream: S,
    guest: Arc<Guest>,
    /// How long we wait for the other end to read.
    patience: Duration,
    /// What was read and not handed on.
    input: BytesMut,
    /// How much of it may be handed on.
    cleared: usize,
    state: State,
    /// Set while a head is incomplete that is not the connection's first.
    slow: Option<Pin<Box<Sleep>>>,
    /// Whether a request was answered.
    served: bool,
    /// Set once a request was answered that was not read to its end.
    leaving: Option<Pin<Box<Sleep>>>,
    /// Set while the other end does not read.
    writing: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A head is awaited.
    Head(Coming),
    Body(Body),
    /// A request was handed on whole; the next one waits for its answer.
    Working,
    /// Nothing is handed on any more.
    Over,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Gate<S> {
    /// A gate before a connection that may let us wait for so long while it does not read.
    pub fn new(stream: S, guest: Arc<Guest>, patience: Duration) -> Self {
        Self {
            stream,
            guest,
            patience,
            input: BytesMut::new(),
            cleared: 0,
            state: State::Head(Coming::default()),
            slow: None,
            served: false,
            leaving: None,
            writing: None,
        }
    }

    /// What its handlers tell the connection.
    pub fn line(&self) -> &Arc<Line> {
        self.guest.line()
    }

    fn refuse(&mut self) {
        self.guest.ends(End::Malformed);
        self.input = BytesMut::from(NO_REQUEST);
        self.cleared = NO_REQUEST.len();
        self.state = State::Over;
    }

    /// Looks at what was read; whether there is something to hand on, or nothing will be.
    fn look(&mut self) -> bool {
        match self.state {
            State::Over => return true,
            State::Working => return false,
            State::Head(mut coming) => {
                self.input.advance(coming.blank(&self.input));
                match coming.head(&self.input) {
                    Ok(None) => self.state = State::Head(coming),
                    Ok(Some(head)) => {
                        self.slow = None;
                        self.cleared = head.length;
                        self.state = State::Body(head.body);
                        self.clear_body();
                    }
                    Err(_) => self.refuse(),
                }
            }
            State::Body(_) => self.clear_body(),
        }
        self.cleared > 0 || self.state == State::Over
    }

    fn clear_body(&mut self) {
        let State::Body(mut body) = self.state else { return };
        let rest = self.input.get(self.cleared..).unwrap_or_default();
        let Ok(taken) = body.take(rest) else {
            // The handler has its head: it sees a body that breaks off.
            self.guest.ends(End::Malformed);
            self.state = State::Over;
            return;
        };
        self.cleared += taken;
        self.state = State::Body(body);
        if body.is_over() && self.leaving.is_some() {
            self.state = State::Over;
        } else if body.is_over() {
            self.line().begins_work();
            self.state = State::Working;
        }
    }

    /// What was said since: by the handler, by whoever needs the room, by the clock.
    fn listen(&mut self, cx: &mut Context<'_>) {
        self.line().wakes(cx.waker());
        match (self.state, self.line().take_answer()) {
            (State::Working, Some(Read::Whole)) => {
                (self.state, self.served) = (State::Head(Coming::default()), true);
            }
            (State::Working, Some(Read::Partly)) => self.state = State::Over,
            // What is left of the body is thrown away by the library, for a moment.
            (State::Body(_), Some(_)) => self.leaving = Some(Box::pin(sleep(FAREWELL))),
            _ => {}
        }
        let has_left = |leaving: &mut Pin<Box<Sleep>>| leaving.as_mut().poll(cx).is_ready();
        if self.line().is_dismissed() || self.leaving.as_mut().is_some_and(has_left) {
            (self.state, self.cleared) = (State::Over, 0);
        }
    }

    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(AT_ONCE);
        let filled = poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input);
        self.let_go();
        filled
    }

    /// Whether a head has been incomplete for too long, and it is ours to say so.
    fn is_too_slow(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.served || self.input.is_empty() || !matches!(self.state, State::Head(_)) {
            return false;
        }
        let patience = self.patience;
        self.slow.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(cx).is_ready()
    }

    fn hand_on(&mut self, to: &mut ReadBuf<'_>) {
        let now = self.cleared.min(to.remaining());
        to.put_slice(self.input.get(..now).unwrap_or_default());
        self.input.advance(now);
        self.cleared -= now;
        self.let_go();
    }

    /// A connection that waits holds no buffer.
    fn let_go(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
    }

    /// An error once the other end has not read for too long.
    fn watched<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        all: impl Fn(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Ok(done)) => {
                if all(&done) {
                    self.writing = None;
                }
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.line().wakes(cx.waker());
                if self.line().is_dismissed() {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
                let patience = self.patience;
                let writing = self.writing.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(writing.as_mut().poll(cx));
                self.guest.ends(End::NotReading);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gate<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let gate = &mut *self;
        gate.listen(cx);
        loop {
            if gate.cleared > 0 || gate.look() {
                gate.hand_on(buf);
                return Poll::Ready(Ok(()));
            }
            if gate.state == State::Working {
                return Poll::Pending;
            }
            let filled = gate.fill(cx);
            if filled.is_pending() && gate.is_too_slow(cx) {
                gate.guest.ends(End::Silent);
                gate.state = State::Over;
                continue;
            }
            if ready!(filled)? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watched(cx, written, |written| *written == buf.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watched(cx, flushed, |()| false)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watched(cx, shut, |()| true)
    }
}
