//! What goes wrong, and for which requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::contact::ContactId;

/// Something that goes wrong: for which requests (each part that is said has to fit), how often, and how.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// The method.
    pub method: Option<String>,
    /// What the path begins with, below the base URL.
    pub path: Option<String>,
    /// The contact whose id is in the path.
    pub contact: Option<ContactId>,
    /// The number that is in the query or the body, or that the contact in the path has.
    pub mobile: Option<String>,
    /// A text that is in the body.
    pub containing: Option<String>,
    /// Only every nth of the requests that fit.
    pub every: Option<u64>,
    /// Only so many times; then it is over.
    pub times: Option<u64>,
    /// Whether the request takes effect before it goes wrong: the answer alone is lost.
    pub applied: bool,
    /// Whether the request takes effect only once the delay is over, whoever waits for its answer by then.
    pub lands_late: bool,
    /// How long to wait before the answer, or before what comes instead.
    pub delay_ms: u64,
    /// What comes instead of the answer.
    pub answer: FaultAnswer,
}

/// What comes instead of the answer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultAnswer {
    /// The answer itself; the fault is its delay.
    #[default]
    Usual,
    /// A status.
    Status {
        /// The status.
        status: u16,
        /// The body; without it an error envelope.
        #[serde(default)]
        body: Option<Value>,
        /// `Retry-After`, as it is sent.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The connection ends before any byte of the answer.
    Reset,
    /// The connection ends in the middle of the body of a 200.
    CutOff,
    /// 200 with `success: false`.
    SaysFailure,
    /// 200 with a page in HTML.
    NotJson,
}

impl Fault {
    fn with(answer: FaultAnswer) -> Self {
        Self { answer, ..Self::default() }
    }

    /// A status with an error envelope.
    pub fn status(status: u16) -> Self {
        Self::with(FaultAnswer::Status { status, body: None, retry_after: None })
    }

    /// A status with a body.
    pub fn status_with(status: u16, body: Value) -> Self {
        Self::with(FaultAnswer::Status { status, body: Some(body), retry_after: None })
    }

    /// A status with `Retry-After`: seconds or a date.
    pub fn status_retry_after(status: u16, retry_after: &str) -> Self {
        let retry_after = Some(retry_after.to_owned());
        Self::with(FaultAnswer::Status { status, body: None, retry_after })
    }

    /// The usual answer, late.
    pub fn delay(delay: Duration) -> Self {
        Self::default().late(delay)
    }

    /// The connection ends before any byte of the answer.
    pub fn reset() -> Self {
        Self::with(FaultAnswer::Reset)
    }

    /// The connection ends in the middle of the body of a 200.
    pub fn cut_off() -> Self {
        Self::with(FaultAnswer::CutOff)
    }

    /// 200 with `success: false`.
    pub fn says_failure() -> Self {
        Self::with(FaultAnswer::SaysFailure)
    }

    /// 200 with a page in HTML.
    pub fn not_json() -> Self {
        Self::with(FaultAnswer::NotJson)
    }

    /// Only for this method.
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only for paths that begin so.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Only for this contact.
    #[must_use]
    pub fn for_contact(mut self, contact: &ContactId) -> Self {
        self.contact = Some(contact.clone());
        self
    }

    /// Only for this number.
    #[must_use]
    pub fn for_mobile(mut self, mobile: &str) -> Self {
        self.mobile = Some(mobile.to_owned());
        self
    }

    /// Only for bodies with this text.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }

    /// Only every nth of the requests that fit.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        self.every = Some(nth);
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// After so long.
    #[must_use]
    pub fn late(mut self, delay: Duration) -> Self {
        self.delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// The request takes effect before it goes wrong.
    #[must_use]
    pub fn applied(mut self) -> Self {
        self.applied = true;
        self
    }

    /// The request takes effect after so long, even where nobody waits for its answer any more.
    #[must_use]
    pub fn landing_after(mut self, delay: Duration) -> Self {
        self.lands_late = true;
        self.late(delay)
    }
}

/// A request as far as a fault looks at it.
pub(super) struct Faced<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// The id in the path.
    pub(super) contact: Option<&'a str>,
    /// Every number it is about.
    pub(super) mobiles: Vec<String>,
    pub(super) body: &'a [u8],
}

struct Armed {
    fault: Fault,
    met: u64,
    done: u64,
}

impl Armed {
    fn fits(&self, request: &Faced<'_>) -> bool {
        let fault = &self.fault;
        let same_contact = |wanted: &ContactId| {
            request.contact.is_some_and(|id| id.eq_ignore_ascii_case(wanted.as_str()))
        };
        fault.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(request.method))
            && fault.path.as_ref().is_none_or(|wanted| request.path.starts_with(wanted))
            && fault.contact.as_ref().is_none_or(same_contact)
            && fault.mobile.as_ref().is_none_or(|wanted| request.mobiles.contains(wanted))
            && fault.containing.as_ref().is_none_or(|text| {
                request.body.windows(text.len().max(1)).any(|part| part == text.as_bytes())
            })
    }

    /// Counts a request that fits, and says whether it goes wrong.
    fn strikes(&mut self) -> bool {
        if self.fault.times.is_some_and(|times| self.done >= times) {
            return false;
        }
        self.met += 1;
        let strikes = self.fault.every.is_none_or(|nth| nth > 0 && self.met.is_multiple_of(nth));
        self.done += u64::from(strikes);
        strikes
    }
}

/// All that goes wrong; the first fault that fits a request decides.
#[derive(Default)]
pub struct Faults {
    /// Looked at for every request, so that a mock without faults stays fast.
    any: AtomicBool,
    armed: Mutex<Vec<Armed>>,
}

impl Faults {
    fn armed(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fault behind those that are there.
    pub fn add(&self, fault: Fault) {
        let mut armed = self.armed();
        armed.push(Armed { fault, met: 0, done: 0 });
        self.any.store(true, Ordering::Release);
    }

    /// Everything works again.
    pub fn clear(&self) {
        self.set(Vec::new());
    }

    /// These faults and no others.
    pub fn set(&self, faults: Vec<Fault>) {
        let mut armed = self.armed();
        *armed = faults.into_iter().map(|fault| Armed { fault, met: 0, done: 0 }).collect();
        self.any.store(!armed.is_empty(), Ordering::Release);
    }

    /// The fault that a request meets.
    pub(super) fn met<'a>(&self, request: impl FnOnce() -> Faced<'a>) -> Option<Fault> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let request = request();
        let mut armed = self.armed();
        armed.iter_mut().find_map(|armed| {
            (armed.fits(&request) && armed.strikes()).then(|| armed.fault.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_requests_that_fit_as_often_as_told() {
        let faults = Faults::default();
        let met = |method: &'static str, path: &'static str| {
            let (mobiles, body) = (vec!["1".to_owned()], br#"{"name": "Ann"}"#);
            let request = Faced { method, path, contact: None, mobiles, body };
            faults.met(|| request).map(|fault| fault.answer)
        };
        let strikes = |method, path, times: usize| -> Vec<bool> {
            (0..times).map(|_| met(method, path).is_some()).collect()
        };

        assert_eq!(strikes("GET", "/contacts", 1), [false]);
        faults.add(Fault::reset().on("put").times(2));
        assert_eq!(strikes("PUT", "/contacts/1", 3), [true, true, false]);
        faults.set(vec![Fault::reset().every(3), Fault::not_json().at("/settings")]);
        assert_eq!(strikes("GET", "/contacts", 6), [false, false, true, false, false, true]);
        assert_eq!(met("GET", "/settings/tags"), Some(FaultAnswer::NotJson));
        faults.set(vec![Fault::reset().for_mobile("2")]);
        assert_eq!(strikes("GET", "/contacts", 1), [false]);
        faults.set(vec![Fault::reset().containing("Bob"), Fault::not_json().containing("Ann")]);
        assert_eq!(met("PUT", "/contacts/1"), Some(FaultAnswer::NotJson));
    }

    #[test]
    fn faults_are_read_as_the_second_door_takes_them() {
        let faults: Vec<Fault> = serde_json::from_str(
            r#"[{"method": "PUT", "contact": "65f0c0ffee0123456789abcd", "times": 1, "delay_ms": 5,
                 "answer": {"status": {"status": 429, "retry_after": "3"}}}, {"answer": "cut_off"}]"#,
        )
        .unwrap();

        let FaultAnswer::Status { status: 429, retry_after, .. } = &faults[0].answer else {
            panic!("{faults:?}")
        };
        assert_eq!(retry_after.as_deref(), Some("3"));
        assert_eq!(faults[1].answer, FaultAnswer::CutOff);
    }
}
