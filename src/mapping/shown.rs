//! What was planned, as JSON in the field names of mapping files: for `explain`, tests and people.

use serde_json::{Map, Value, json};

use super::{Decision, Planned, PlannedEvent};
use crate::contact::{AttributeChange, ContactUpdate, OnMissing, Who};

/// One rule's outcome: `rule`, `item`, `state` (`planned`, `held`, `skipped`, `no_effect`), and with it `contact`,
/// `on_missing` (where it is not `dead`) and `update`, or `reason` and `detail`.
pub fn of(planned: &Planned) -> Value {
    let mut shown = Map::new();
    shown.insert("rule".to_owned(), json!(*planned.rule));
    shown.insert("item".to_owned(), json!(planned.item));
    let mut put = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    match &planned.decision {
        Decision::Update(update) => {
            put("state", json!("planned"));
            put("contact", contact(&update.target.who));
            if update.target.on_missing != OnMissing::Dead {
                put("on_missing", json!(update.target.on_missing));
            }
            put("update", self::update(&update.update));
        }
        Decision::Held(held) => {
            put("state", json!("held"));
            put("reason", json!(held.reason));
            put("detail", json!(held.detail));
        }
        Decision::Skipped(reason) => {
            put("state", json!("skipped"));
            put("reason", json!(reason));
        }
        Decision::NoEffect => put("state", json!("no_effect")),
    }
    Value::Object(shown)
}

/// An event: `id`, `type`, `occurred_at`, `status` and `updates`.
pub fn event(event: &PlannedEvent) -> Value {
    json!({
        "id": event.id,
        "type": event.event_type,
        "occurred_at": event.occurred_at.map(|at| at.to_string()),
        "status": status(event),
        "updates": event.planned.iter().map(of).collect::<Vec<_>>(),
    })
}

/// How an event that was not seen before is answered.
pub fn status(event: &PlannedEvent) -> &'static str {
    let any = |wanted: fn(&Decision) -> bool| event.planned.iter().any(|p| wanted(&p.decision));
    if event.control {
        "control"
    } else if any(|decision| matches!(decision, Decision::Update(_))) {
        "accepted"
    } else if any(|decision| matches!(decision, Decision::Held(_))) {
        "held"
    } else if any(|decision| matches!(decision, Decision::Skipped(_))) {
        "skipped"
    } else {
        "ignored"
    }
}

/// A contact as `contact:` names it.
pub fn contact(who: &Who) -> Value {
    match who {
        Who::Id(id) => json!({ "id": id.as_str() }),
        Who::Mobile(mobile) => json!({ "mobile": mobile.as_str() }),
        Who::Attribute { name, value } => json!({ "attribute": { "name": name, "value": value } }),
    }
}

/// A change as `update:` names it.
pub fn update(update: &ContactUpdate) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        shown.extend(value.map(|value| (name.to_owned(), value)));
    };
    let list = |tags: &[String]| (!tags.is_empty()).then(|| json!(tags));
    put("name", update.name.as_ref().map(|name| json!(name)));
    put("mobile", update.mobile.as_ref().map(|mobile| json!(mobile)));
    put("optin", update.optin.map(Value::Bool));
    put("incoming_blocked", update.incoming_blocked.map(Value::Bool));
    put("tags", update.tags.replace.as_ref().map(|tags| list(tags).unwrap_or_else(removed)));
    put("tags_to_add", list(&update.tags.add));
    put("tags_to_remove", list(&update.tags.remove));
    let attributes = update.attributes.iter().map(|(name, change)| {
        let change = match change {
            AttributeChange::Set(value) => json!(value),
            AttributeChange::Remove => removed(),
        };
        (name.clone(), change)
    });
    let attributes: Map<_, _> = attributes.collect();
    put("attributes", (!attributes.is_empty()).then_some(Value::Object(attributes)));
    Value::Object(shown)
}

fn removed() -> Value {
    json!({ "remove": true })
}
