//! A CRM whose webhooks are easy to read.

use serde_json::{Value, json};

/// Its mapping: one rule for leads, one for withdrawals.
pub(crate) const CRM: &str = r"
source: crm
verify: none
event: { id: $.id, type: $.kind }
rules:
  - name: lead
    when: { $.kind: lead }
    contact:
      first_of:
        - id: $.contact_id
        - mobile: $.mobile | phone(e164)
      on_missing: create
    update:
      name: $.name
      tags_to_add: $.tags
      attributes:
        step: $.step
        city: $.city
  - name: withdrawn
    when: { $.kind: withdrawn }
    contact:
      mobile: $.mobile | phone(e164)
    update:
      optin: false
tests:
  - { name: nothing, body: { kind: other }, expect: ignored }
";

/// A lead: event id, mobile number, and a step that tells the order.
pub(crate) fn lead(id: &str, mobile: &str, step: usize) -> Value {
    json!({ "id": id, "kind": "lead", "mobile": mobile, "step": step.to_string() })
}
