//! What the API's answers show against what was sent: counted by field, and told once an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::chatflow::{Contact, Field, unconfirmed};
use crate::clock::SharedClock;
use crate::contact::ContactUpdate;
use crate::telemetry::metrics::Metrics;

/// How long nothing more is said of a field.
const QUIET_FOR: Duration = Duration::from_hours(1);

/// Compares answers with what was sent.
pub(super) struct Confirmation {
    metrics: Arc<Metrics>,
    clock: SharedClock,
    said: Mutex<HashMap<Field, Duration>>,
}

impl Confirmation {
    pub(super) fn new(metrics: Arc<Metrics>, clock: SharedClock) -> Self {
        for field in Field::ALL {
            metrics.delivery_unconfirmed_total.with_label_values(&[field.as_str()]);
        }
        Self { metrics, clock, said: Mutex::default() }
    }

    /// The API took `sent` and answered with the contact as it is now.
    pub(super) fn compare(&self, sent: &ContactUpdate, shown: &Contact) {
        for field in unconfirmed(sent, shown) {
            self.metrics.delivery_unconfirmed_total.with_label_values(&[field.as_str()]).inc();
            if self.is_news(field) {
                tracing::warn!(
                    field = field.as_str(),
                    "the API took an update, and its answer shows the field otherwise: see `chatflow-bridge probe`"
                );
            }
        }
    }

    fn is_news(&self, field: Field) -> bool {
        let now = self.clock.monotonic();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = said.get(&field).is_none_or(|at| now.saturating_sub(*at) >= QUIET_FOR);
        if is_news {
            said.insert(field, now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::contact::ContactId;
    use jiff::Timestamp;

    #[test]
    fn a_field_is_told_once_an_hour_and_counted_every_time() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let confirmation = Confirmation::new(Arc::clone(&metrics), shared);
        let id = ContactId::try_from("65f0c0ffee0123456789abcd".to_owned()).unwrap();
        let shown = Contact { optin: Some(true), ..Contact::of_id(id) };
        let sent = ContactUpdate { optin: Some(false), ..ContactUpdate::default() };

        for _ in 0..3 {
            confirmation.compare(&sent, &shown);
        }

        let page = metrics.page().unwrap();
        assert!(page.contains("delivery_unconfirmed_total{field=\"optin\"} 3\n"), "{page}");
        assert!(page.contains("delivery_unconfirmed_total{field=\"tags\"} 0\n"), "{page}");
        assert!(!confirmation.is_news(Field::Optin));
        assert!(confirmation.is_news(Field::Tags));
        clock.advance(QUIET_FOR);
        assert!(confirmation.is_news(Field::Optin));
    }
}
