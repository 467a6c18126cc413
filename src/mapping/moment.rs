//! Moments as senders write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// From here on a number counts milliseconds; below, seconds (10^11 seconds are in the year 5138).
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// A moment: RFC 3339, an HTTP date, unix seconds or milliseconds; one without a zone is in `timezone`, a date
/// alone is its midnight. Nothing where it is none of these.
pub(super) fn read(text: &str, timezone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(moment) = unix(text) {
        return Some(moment);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Ok(moment) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
        return Some(moment);
    }
    let local = text.parse::<DateTime>().ok()?;
    local.to_zoned(timezone.clone()).ok().map(|zoned| zoned.timestamp())
}

fn unix(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    let number: i64 = whole.parse().ok()?;
    let mut nanos: i64 = 0;
    for place in 0..9 {
        let digit = fraction.as_bytes().get(place).copied().unwrap_or(b'0');
        nanos = nanos * 10 + i64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
    }
    if number.abs() >= MILLISECONDS_FROM {
        return Timestamp::from_millisecond(number).ok();
    }
    let nanos = i32::try_from(if negative { -nanos } else { nanos }).ok()?;
    Timestamp::new(number, nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZoneDatabase;

    #[test]
    fn moments_are_read_as_senders_write_them() {
        let kolkata = TimeZoneDatabase::bundled().get("Asia/Kolkata").unwrap();
        for (text, read) in [
            ("2026-11-23T10:00:00Z", Some("2026-11-23T10:00:00Z")),
            ("2026-11-23T10:00:00+05:30", Some("2026-11-23T04:30:00Z")),
            ("2026-11-23T10:00:00", Some("2026-11-23T04:30:00Z")),
            ("2026-11-23 10:00:00", Some("2026-11-23T04:30:00Z")),
            ("2026-11-23", Some("2026-11-22T18:30:00Z")),
            ("Mon, 23 Nov 2026 10:00:00 GMT", Some("2026-11-23T10:00:00Z")),
            ("1795435200", Some("2026-11-23T12:00:00Z")),
            ("1795435200.25", Some("2026-11-23T12:00:00.25Z")),
            ("1795435200000", Some("2026-11-23T12:00:00Z")),
            ("-1", Some("1969-12-31T23:59:59Z")),
            ("1.2.3", None),
            ("yesterday", None),
            ("", None),
        ] {
            let expected = read.map(|text| text.parse::<Timestamp>().unwrap());
            assert_eq!(super::read(text, &kolkata), expected, "{text:?}");
        }
    }
}
