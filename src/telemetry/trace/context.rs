//! By what the parts of one trace know that they belong together; as the W3C `traceparent` header writes it.

use std::fmt;

/// The length of [`TraceContext::to_bytes`].
const BYTES: usize = 16 + 8 + 1;
/// The flag that says that the trace is kept.
const SAMPLED: u8 = 1;

/// A trace, by 16 bytes that are not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// A span, by 8 bytes that are not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

/// The place in a trace from which something goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span that what comes belongs to.
    pub span: SpanId,
    /// Whether the trace is kept: what goes on from here is kept or not as it says.
    pub sampled: bool,
}

impl TraceId {
    /// From bytes of chance; all zero names no trace.
    pub(super) fn of(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// Where the trace falls between 0 and 1, the same for whoever sees it: what a share of all traces is taken by.
    pub(super) fn lot(self) -> f64 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = self.0;
        f64::from(u32::from_be_bytes([a, b, c, d])) / 4_294_967_296.0
    }
}

impl SpanId {
    /// The span with this number; 0 names none.
    pub(super) fn of(number: u64) -> Option<Self> {
        (number != 0).then_some(Self(number.to_be_bytes()))
    }

    /// The number that [`of`](Self::of) makes it from.
    pub(super) const fn number(self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl TraceContext {
    /// Reads a `traceparent` header; nothing where it is none.
    ///
    /// <https://www.w3.org/TR/trace-context/#traceparent-header>: a version that is not known yet is read as far as
    /// this one goes.
    pub fn from_header(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let mut next = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length)?;
            let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if is_hex { hex::decode(part).ok() } else { None }
        };
        let [version] = *next(2)? else { return None };
        let trace = TraceId::of(next(32)?.try_into().ok()?)?;
        let span = SpanId::of(u64::from_be_bytes(next(16)?.try_into().ok()?))?;
        let [flags] = *next(2)? else { return None };
        let ends = parts.next().is_none();
        let is_known = version == 0 && ends || (1..0xff).contains(&version);
        is_known.then_some(Self { trace, span, sampled: flags & SAMPLED != 0 })
    }

    /// As it is stored.
    pub fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let (trace, rest) = bytes.split_at_mut(16);
        trace.copy_from_slice(&self.trace.0);
        let (span, flags) = rest.split_at_mut(8);
        span.copy_from_slice(&self.span.0);
        flags.fill(if self.sampled { SAMPLED } else { 0 });
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; nothing where it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; BYTES] = bytes.try_into().ok()?;
        let (trace, rest) = bytes.split_first_chunk::<16>()?;
        let (span, flags) = rest.split_first_chunk::<8>()?;
        Some(Self {
            trace: TraceId::of(*trace)?,
            span: SpanId::of(u64::from_be_bytes(*span))?,
            sampled: flags.first().is_some_and(|flags| flags & SAMPLED != 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_traceparent_is_read_as_the_standard_has_it() {
        for (header, sampled) in [
            (format!("00-{TRACE}-{SPAN}-01"), Some(true)),
            (format!(" 00-{TRACE}-{SPAN}-00 "), Some(false)),
            (format!("00-{TRACE}-{SPAN}-03"), Some(true)),
            (format!("cc-{TRACE}-{SPAN}-01-what-comes-later"), Some(true)),
            (format!("00-{TRACE}-{SPAN}-01-more"), None),
            (format!("ff-{TRACE}-{SPAN}-01"), None),
            (format!("00-{TRACE}-{SPAN}"), None),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), None),
            (format!("00-{}-{SPAN}-01", "0".repeat(32)), None),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), None),
            (format!("00-{TRACE}0-{SPAN}-01"), None),
            (format!("00-{}é-{SPAN}-01", "a".repeat(30)), None),
            (String::new(), None),
        ] {
            let read = TraceContext::from_header(&header);
            assert_eq!(read.map(|context| context.sampled), sampled, "{header}");
            if let Some(context) = read {
                assert_eq!(context.trace.to_string(), TRACE, "{header}");
                assert_eq!(context.span.to_string(), SPAN, "{header}");
            }
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        for flags in ["00", "01"] {
            let context = TraceContext::from_header(&format!("00-{TRACE}-{SPAN}-{flags}")).unwrap();
            assert_eq!(TraceContext::from_bytes(&context.to_bytes()), Some(context));
        }
        for bytes in [&[][..], &[0; BYTES], &[1; BYTES - 1], &[1; BYTES + 1]] {
            assert_eq!(TraceContext::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
