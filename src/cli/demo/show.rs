//! What the demo prints.

use super::samples::{Expected, Sample};
use crate::chatflow::mock::{MockChatflow, MockContact, SeenRequest};
use crate::cli::style::Style;
use crate::server::Bridge;
use crate::store::UpdateRow;

/// Characters of a body that are shown.
const SHOWN: usize = 160;

pub(super) fn incoming(number: usize, sample: &Sample, style: Style) {
    println!("{}", style.heading(&format!("{number}. {}", sample.title)));
    println!(
        "   {}  POST /hooks/{}, {} bytes",
        style.faint("in     "),
        sample.source,
        sample.body.len()
    );
    println!("   {}  {}", style.faint("       "), style.faint(&shortened(sample.body)));
}

pub(super) fn answer(status: u16, text: &str, style: Style) {
    println!("   {}  {status} {text}", style.faint("answer "));
}

pub(super) fn rules(updates: &[UpdateRow], style: Style) {
    for update in updates {
        let state = match (update.state, &update.reason) {
            ("delivered", _) => style.good("delivered"),
            (state, Some(reason)) => style.bad(&format!("{state} ({reason})")),
            (state, None) => style.bad(state),
        };
        println!("   {}  {}, item {}: {state}", style.faint("rule   "), update.rule, update.item);
    }
}

pub(super) fn calls(requests: &[SeenRequest], style: Style) {
    for request in requests {
        let query =
            if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let status = request.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        println!(
            "   {}  {} {}{query} → {status}",
            style.faint("call   "),
            request.method,
            request.path
        );
        if !request.body.is_null() {
            println!("   {}  {}", style.faint("       "), request.body);
        }
    }
}

/// Shows the contacts of a sample as they are now; whether all are as expected.
pub(super) fn contacts(sample: &Sample, chatflow: &MockChatflow, style: Style) -> bool {
    let mut fine = true;
    for expected in sample.contacts {
        let contact = chatflow.contact_by_mobile(expected.mobile);
        let is_right = contact.as_ref().is_some_and(|contact| expected.is(contact));
        fine &= is_right;
        let mark = if is_right { style.good("as expected") } else { style.bad("not as expected") };
        match contact {
            None => {
                println!("   {}  +{} is missing: {mark}", style.faint("contact"), expected.mobile);
            }
            Some(contact) => {
                let attributes: Vec<_> = contact
                    .attributes
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                println!(
                    "   {}  {} (+{}): {mark}",
                    style.faint("contact"),
                    contact.name,
                    expected.mobile
                );
                println!(
                    "   {}  optin {}, tags [{}], {}",
                    style.faint("       "),
                    contact.optin,
                    contact.tags.join(", "),
                    attributes.join(", ")
                );
            }
        }
    }
    println!();
    fine
}

pub(super) fn addresses(bridge: &Bridge, chatflow: &MockChatflow, style: Style) {
    let addresses = bridge.addresses();
    println!("{}", style.heading("It goes on running. Post something yourself:"));
    println!("\n{}\n", Sample::curl(addresses.hooks));
    println!("then look at");
    println!("  the contact   curl http://{}/_mock/contacts", chatflow.address());
    println!("  the metrics   curl http://{}/metrics", addresses.metrics);
    println!("  readiness     curl http://{}/readyz", addresses.metrics);
    if let (Some(token), Some(admin)) = (bridge.admin_token(), addresses.admin) {
        println!(
            "  the updates   curl -H 'authorization: Bearer {}' http://{admin}/api/updates",
            token.expose()
        );
    }
    println!("\nCtrl-C ends it.");
}

impl Expected {
    fn is(&self, contact: &MockContact) -> bool {
        let attributes: Vec<_> = contact
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        contact.name == self.name
            && contact.optin == self.optin
            && contact.tags == self.tags
            && attributes == self.attributes
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}
