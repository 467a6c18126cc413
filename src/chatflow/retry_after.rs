//! `Retry-After`: seconds, or a date.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// How long the API asks to wait; nothing where it does not say, or says it in no form of RFC 9110, section 10.2.3.
/// A date counts from the answer's own `Date`, so that the two clocks need not agree; without one from `now`.
pub(super) fn read(
    retry_after: Option<&str>,
    date: Option<&str>,
    now: impl FnOnce() -> Timestamp,
) -> Option<Duration> {
    let text = retry_after?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are a very long time.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let until = http_date(text)?;
    let from = date.and_then(|date| http_date(date.trim())).unwrap_or_else(now);
    Some(Duration::try_from(until.duration_since(from)).unwrap_or(Duration::ZERO))
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let date = Some("Tue, 24 Nov 2026 10:00:00 GMT");
        let now = || "2026-11-24T09:59:00Z".parse().unwrap();
        for (retry_after, date, seconds) in [
            (Some("120"), date, Some(120)),
            (Some(" 0 "), date, Some(0)),
            (Some("99999999999999999999999"), date, Some(u64::from(u32::MAX))),
            (Some("Tue, 24 Nov 2026 10:00:30 GMT"), date, Some(30)),
            (Some("Tue, 24 Nov 2026 09:00:00 GMT"), date, Some(0)),
            (Some("Tue, 24 Nov 2026 10:00:30 GMT"), None, Some(90)),
            (Some("Tue, 24 Nov 2026 10:00:30 GMT"), Some("today"), Some(90)),
            (Some("soon"), date, None),
            (Some("-1"), date, None),
            (Some(""), date, None),
            (None, date, None),
        ] {
            let read = read(retry_after, date, now);
            assert_eq!(read, seconds.map(Duration::from_secs), "{retry_after:?} {date:?}");
        }
    }
}
