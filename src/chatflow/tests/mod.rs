//! The client against the mock.

mod calls;
mod failures;
mod model;
mod peer;
mod search;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::mock::{MockChatflow, MockOptions};
use super::{ChatflowSettings, Client, WireSettings};
use crate::contact::{ContactId, ContactUpdate, Mobile};
use crate::secret::Secret;
use crate::telemetry::metrics::Metrics;
use crate::units::Span;

const KEY: &str = "key-of-the-test";

fn mock() -> MockChatflow {
    MockChatflow::start(MockOptions { api_key: Some(KEY.to_owned()), ..MockOptions::default() })
        .unwrap()
}

fn settings(base_url: &str) -> ChatflowSettings {
    ChatflowSettings { base_url: base_url.parse().unwrap(), ..ChatflowSettings::default() }
}

fn client(mock: &MockChatflow) -> Client {
    client_with(&settings(&mock.base_url()), &Arc::new(Metrics::new().unwrap()))
}

fn client_saying(mock: &MockChatflow, wire: WireSettings) -> Client {
    let settings = ChatflowSettings { wire, ..settings(&mock.base_url()) };
    client_with(&settings, &Arc::new(Metrics::new().unwrap()))
}

fn client_with(settings: &ChatflowSettings, metrics: &Arc<Metrics>) -> Client {
    let settings = ChatflowSettings { timeout: Span(Duration::from_secs(30)), ..settings.clone() };
    Client::new(&settings, &Secret::new(KEY), 4, Arc::clone(metrics)).unwrap()
}

fn mobile(digits: &str) -> Mobile {
    Mobile::try_from(digits.to_owned()).unwrap()
}

fn id(digits: &str) -> ContactId {
    ContactId::try_from(digits.to_owned()).unwrap()
}

fn update(update: Value) -> ContactUpdate {
    serde_json::from_value(update).unwrap()
}

fn wire(form: Value) -> WireSettings {
    serde_json::from_value(form).unwrap()
}
