//! `date`: a moment, in whatever way the sender writes it, as a text in a time zone.

use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::call::{ArgKind, Args};
use super::list::failed;
use super::{each, text};
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, Path, Reading, Scope, text_of};
use crate::mapping::syntax::{Code, Problem, Problems};

/// From this number on a unix time counts milliseconds.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// `date(format, from=…, tz=…)`.
#[derive(Debug)]
pub(in crate::mapping) struct DateStep {
    format: Box<str>,
    from: From,
    zone: Zone,
    /// The zone of times that carry none.
    timezone: TimeZone,
}

#[derive(Debug)]
enum Zone {
    Fixed(TimeZone),
    Path(Path),
}

/// How the sender writes the moment.
#[derive(Debug)]
enum From {
    /// RFC 3339, an HTTP date, unix seconds or milliseconds, a date and time, or a date alone.
    Any,
    Rfc3339,
    Unix,
    UnixMs,
    HttpDate,
    Format(Box<str>),
}

/// Reads a moment: RFC 3339, an HTTP date, unix seconds or milliseconds, a date and time or a date alone (at
/// midnight) in `timezone`.
pub fn moment(value: &Value, timezone: &TimeZone) -> Option<Timestamp> {
    From::Any.read(text_of(value)?.trim(), timezone)
}

impl From {
    fn read(&self, text: &str, timezone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Any => unix(text, None)
                .or_else(|| text.parse().ok())
                .or_else(|| http_date(text))
                .or_else(|| civil(text, timezone)),
            Self::Rfc3339 => text.parse().ok(),
            Self::Unix => unix(text, Some(Unit::Seconds)),
            Self::UnixMs => unix(text, Some(Unit::Milliseconds)),
            Self::HttpDate => http_date(text),
            Self::Format(format) => {
                let parts = strtime::parse(&**format, text).ok()?;
                if let Ok(moment) = parts.to_timestamp() {
                    return Some(moment);
                }
                let local = parts
                    .to_datetime()
                    .ok()
                    .or_else(|| parts.to_date().ok().map(|date| date.at(0, 0, 0, 0)))?;
                Some(local.to_zoned(timezone.clone()).ok()?.timestamp())
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    Milliseconds,
}

fn unix(text: &str, unit: Option<Unit>) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(digits) || !is_digits(fraction) {
        return None;
    }
    let count: i64 = whole.parse().ok()?;
    let is_large = count.checked_abs().is_none_or(|size| size >= MILLISECONDS_FROM);
    match unit.unwrap_or(if is_large { Unit::Milliseconds } else { Unit::Seconds }) {
        Unit::Milliseconds => Timestamp::from_millisecond(count).ok(),
        Unit::Seconds => {
            let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            let nanoseconds: i32 = nine.parse().ok()?;
            let sign = if whole.starts_with('-') { -1 } else { 1 };
            Timestamp::new(count, sign * nanoseconds).ok()
        }
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

fn civil(text: &str, timezone: &TimeZone) -> Option<Timestamp> {
    let local: DateTime = text.parse().ok()?;
    Some(local.to_zoned(timezone.clone()).ok()?.timestamp())
}

impl DateStep {
    pub(super) fn read(
        args: &mut Args<'_>,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let from = from(args, problems);
        let zone = zone(args, reading, problems);
        let (format, arg) = args.text("format", problems)?;
        if !format.contains('%') || strtime::format(format, &sample()).is_err() {
            let problem = Problem::error(
                Code::Step,
                arg.span.clone(),
                "a date format has parts such as `%d %b %Y %H:%M`, this one cannot be read",
            );
            args.wrong(problem, problems);
        }
        Some(Self {
            format: format.into(),
            from: from?,
            zone: zone?,
            timezone: reading.timezone.clone(),
        })
    }

    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        if let Zone::Path(path) = &self.zone {
            then(path);
        }
    }

    pub(super) fn apply<'s>(
        &self,
        value: Evaluated<'s>,
        scope: &Scope<'s>,
    ) -> Result<Evaluated<'s>, Held> {
        let named;
        let zone = match &self.zone {
            Zone::Fixed(zone) => zone,
            Zone::Path(path) => {
                named = zone_at(path, scope)?;
                &named
            }
        };
        each(value, &mut |value| {
            let wrong = || failed("a date or time", value);
            let moment = self.from.read(text(value)?.trim(), &self.timezone).ok_or_else(wrong)?;
            let written = strtime::format(&*self.format, &moment.to_zoned(zone.clone()));
            written.map(|text| Some(Value::text(text))).map_err(|_| wrong())
        })
    }
}

/// A moment with a time zone, to try formats on.
fn sample() -> Zoned {
    Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)
}

fn from(args: &mut Args<'_>, problems: &mut Problems) -> Option<From> {
    let Some(arg) = args.by_name("from") else { return Some(From::Any) };
    let text = args.as_text(arg, problems)?;
    Some(match text {
        "rfc3339" => From::Rfc3339,
        "unix" => From::Unix,
        "unix_ms" => From::UnixMs,
        "http_date" => From::HttpDate,
        _ => {
            let written = strtime::format(text, &sample()).ok().filter(|_| text.contains('%'));
            if written.is_none_or(|written| strtime::parse(text, &written).is_err()) {
                let problem = Problem::error(
                    Code::Step,
                    arg.span.clone(),
                    "`from` is `rfc3339`, `unix`, `unix_ms`, `http_date` or a format such as `%d/%m/%Y`",
                );
                args.wrong(problem, problems);
            }
            From::Format(text.into())
        }
    })
}

fn zone(args: &mut Args<'_>, reading: &Reading<'_>, problems: &mut Problems) -> Option<Zone> {
    let Some(arg) = args.by_name("tz") else { return Some(Zone::Fixed(reading.timezone.clone())) };
    if let ArgKind::Path(path) = &arg.kind {
        return Some(Zone::Path(path.clone()));
    }
    let name = args.as_text(arg, problems)?;
    let zone = TimeZone::get(name);
    if zone.is_err() {
        let message = format!("`{name}` is no time zone");
        let problem = Problem::error(Code::Place, arg.span.clone(), message);
        args.wrong(problem.help("a name such as `Asia/Kolkata` or `UTC`"), problems);
    }
    zone.ok().map(Zone::Fixed)
}

fn zone_at(path: &Path, scope: &Scope<'_>) -> Result<TimeZone, Held> {
    let at = |held: Held| held.at(&format!("the time zone at `{}`", path.text()));
    let found = Evaluated::selected(path, scope)?.single("a time zone").map_err(at)?;
    let found = found.as_deref().unwrap_or(&Value::Null);
    let zone = text_of(found).and_then(|name| TimeZone::get(name.trim()).ok());
    zone.ok_or_else(|| at(failed("the name of a time zone", found)))
}
