//! Receiving a body and inflating it: under a limit, within a time, out of a memory budget that all requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use super::refusal::Refusal;
use super::settings::BodyLimit;
use crate::decode::{Coding, inflate};
use crate::units::ByteSize;

/// The memory that bodies may take up together, from their first byte until their request is answered.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU64,
}

impl Budget {
    pub(super) fn new(size: ByteSize) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(size.0) })
    }
}

/// Memory taken out of the budget; it goes back when this is dropped.
#[derive(Debug)]
struct Share {
    of: Arc<Budget>,
    bytes: u64,
}

impl Share {
    fn grow(&mut self, by: u64) -> Result<(), Refusal> {
        let take = |left: u64| left.checked_sub(by);
        self.of
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .map_err(|_| Refusal::Crowded)?;
        self.bytes += by;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// A body, and its share of the budget.
#[derive(Debug)]
pub(super) struct Body {
    /// As it was sent.
    pub(super) sent: Bytes,
    /// As it is once it is inflated; the same as `sent` where there is nothing to inflate.
    pub(super) bytes: Bytes,
    share: Share,
}

impl Body {
    /// Takes the `Content-Encoding` off, under the limit that was in force for receiving.
    pub(super) fn inflate(&mut self, coding: Coding, limit: BodyLimit) -> Result<(), Refusal> {
        let (share, mut size) = (&mut self.share, 0);
        let inflated = inflate(coding, &self.sent, |more| {
            size += more as u64;
            if size > limit.size.0 {
                return Err(Refusal::TooLarge { limit, inflated: true });
            }
            share.grow(more as u64)
        })?;
        self.bytes = inflated.into();
        Ok(())
    }
}

/// Receives a body. A body that says that it is too large is refused before it is read.
pub(super) async fn receive<S, E>(
    stream: &mut S,
    declared: Option<u64>,
    limit: BodyLimit,
    budget: &Arc<Budget>,
    timeout: Duration,
) -> Result<Body, Refusal>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    if declared.is_some_and(|declared| declared > limit.size.0) {
        return Err(Refusal::TooLarge { limit, inflated: false });
    }
    tokio::time::timeout(timeout, collect(stream, limit, budget))
        .await
        .unwrap_or(Err(Refusal::Late))
}

async fn collect<S, E>(
    stream: &mut S,
    limit: BodyLimit,
    budget: &Arc<Budget>,
) -> Result<Body, Refusal>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let mut share = Share { of: Arc::clone(budget), bytes: 0 };
    // Most bodies come in one piece, which need not be copied.
    let mut only_piece = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| Refusal::Incomplete)?;
        let size = piece.len() as u64;
        if share.bytes + size > limit.size.0 {
            return Err(Refusal::TooLarge { limit, inflated: false });
        }
        share.grow(size)?;
        if share.bytes == size {
            only_piece = piece;
        } else {
            if pieces.is_empty() {
                pieces.extend_from_slice(&std::mem::take(&mut only_piece));
            }
            pieces.extend_from_slice(&piece);
        }
    }
    let bytes = if pieces.is_empty() { only_piece } else { pieces.freeze() };
    Ok(Body { sent: bytes.clone(), bytes, share })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    const LONG: Duration = Duration::from_mins(1);

    fn limit(size: u64) -> BodyLimit {
        BodyLimit { size: ByteSize(size), name: "server.max_body" }
    }

    fn pieces(pieces: &[&'static str]) -> impl Stream<Item = Result<Bytes, ()>> + Unpin + use<> {
        stream::iter(
            pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect::<Vec<_>>(),
        )
    }

    #[tokio::test]
    async fn a_body_is_what_its_pieces_are_together_up_to_the_limit() {
        let budget = Budget::new(ByteSize(100));
        for (sent, read) in [
            (vec![], Some("")),
            (vec!["abcdef"], Some("abcdef")),
            (vec!["a", "", "bc", "def"], Some("abcdef")),
            (vec!["", "abc"], Some("abc")),
            (vec!["abcdefg"], None),
            (vec!["abc", "defg"], None),
        ] {
            let body = receive(&mut pieces(&sent), None, limit(6), &budget, LONG).await;
            match read {
                Some(text) => assert_eq!(body.unwrap().bytes, text),
                None => assert!(matches!(body, Err(Refusal::TooLarge { .. }))),
            }
        }
        assert_eq!(budget.left.load(Ordering::Relaxed), 100);
    }

    #[tokio::test]
    async fn a_body_that_says_it_is_too_large_is_not_read() {
        let mut unread = stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, ()>>> {
            panic!("it was read")
        });
        let budget = Budget::new(ByteSize(100));

        let body = receive(&mut unread, Some(7), limit(6), &budget, LONG).await;

        assert!(matches!(body, Err(Refusal::TooLarge { .. })));
    }

    #[tokio::test]
    async fn a_body_is_inflated_under_the_same_limit_and_out_of_the_same_budget() {
        // Twenty times `a`, as gzip packs them.
        let packed = hex::decode("1f8b08000000000002034b4cc40400ce8b6f2614000000").unwrap();
        let budget = Budget::new(ByteSize(50));
        let receive = async || {
            let mut stream = stream::iter([Ok::<_, ()>(Bytes::from(packed.clone()))]);
            receive(&mut stream, None, limit(100), &budget, LONG).await.unwrap()
        };

        let mut body = receive().await;
        body.inflate(Coding::Gzip, limit(20)).unwrap();
        assert_eq!((&*body.bytes, body.sent.len()), (&[b'a'; 20][..], packed.len()));
        assert_eq!(budget.left.load(Ordering::Relaxed), 50 - 20 - packed.len() as u64);
        drop(body);

        let larger = receive().await.inflate(Coding::Gzip, limit(19)).unwrap_err();
        assert!(
            larger.to_string().contains("19 (`server.max_body`) once it is inflated"),
            "{larger}"
        );
        let held = receive().await;
        assert!(matches!(receive().await.inflate(Coding::Gzip, limit(20)), Err(Refusal::Crowded)));
        drop(held);
        assert!(matches!(
            receive().await.inflate(Coding::Brotli, limit(20)),
            Err(Refusal::Undecodable(_))
        ));
        assert_eq!(budget.left.load(Ordering::Relaxed), 50);
    }

    #[tokio::test]
    async fn bodies_share_a_budget_and_give_it_back() {
        let budget = Budget::new(ByteSize(10));
        let receive = async |text: &'static str| {
            receive(&mut pieces(&[text]), None, limit(100), &budget, LONG).await
        };

        let first = receive("123456").await.unwrap();
        assert!(matches!(receive("12345").await, Err(Refusal::Crowded)));
        drop(first);

        assert!(receive("1234567890").await.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_or_breaks_off_is_refused() {
        let budget = Budget::new(ByteSize(10));
        let mut stuck = pieces(&["1"]).chain(stream::pending());
        let late = receive(&mut stuck, None, limit(9), &budget, Duration::from_millis(10)).await;
        assert!(matches!(late, Err(Refusal::Late)));

        let mut broken = stream::iter([Ok(Bytes::from_static(b"1")), Err(())]);
        let broken = receive(&mut broken, None, limit(9), &budget, LONG).await;
        assert!(matches!(broken, Err(Refusal::Incomplete)));
        assert_eq!(budget.left.load(Ordering::Relaxed), 10);
    }
}
