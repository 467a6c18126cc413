//! What holds of any document.

use indexmap::IndexMap;
use proptest::prelude::*;

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "event_id",
        "event_type",
        "form_response",
        "answers",
        "submitted_at",
        "hidden",
        "plan",
        "utm_source",
        "field",
        "ref",
        "text",
        "boolean",
        "phone_number",
        "choice",
        "label",
        "x",
    ]);
    let text = prop::sample::select(vec![
        "form_response",
        "phone",
        "first",
        "last",
        "consent",
        "country",
        "city",
        "size",
        "India",
        "+917989000001",
        "2026-11-23T11:59:58Z",
        "",
        " ",
        "é\u{0}",
        "99999999999999999999",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(n.to_string().into())),
        text.prop_map(Value::text),
        any::<String>().prop_map(Value::text),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
            }),
        ]
    })
}

/// A Typeform event whose answers are anything, so that the rule is reached.
fn any_typeform() -> impl Strategy<Value = Value> {
    (any_json(), any_json(), any_json(), any_json()).prop_map(|(answers, extra, at, hidden)| {
        let mut event = document(
            "{event_type: form_response, form_response: {answers: [
              {field: {ref: consent}, boolean: true}, {field: {ref: country}, text: India}]}}",
        );
        if let Value::Object(members) = &mut event
            && let Some(Value::Object(response)) = members.get_mut("form_response")
        {
            response.insert("submitted_at".into(), at);
            response.insert("hidden".into(), hidden);
            if let Some(Value::List(list)) = response.get_mut("answers") {
                list.push(extra);
                match answers {
                    Value::List(more) => list.extend(more),
                    one => list.push(one),
                }
            }
        }
        event
    })
}

/// Every part that a rule can have.
const EVERYTHING: &str = r#"
source: crm
verify: none
country: IN
match: all
control: [{ $.k: ping }, { $.size: { gt: 3 } }]
event: { id: [$.id, $.k], type: $.k, occurred_at: $.submitted_at }
let:
  table: { index: '$.answers[*]', key: $item.ref, value: $item.text }
  city: $.city
  nested: { first_of: [$table.city, $city] }
defaults:
  when: { $.k: { not_equals: pong } }
  contact: { on_missing: create }
rules:
  - name: items
    for_each: $.leads[*]
    limit: 2
    let: { own: $item.phone, again: $own }
    when: { $item.phone: { exists: true } }
    contact: { first_of: [{ id: $item.id }, { mobile: '$again | phone(IN, invalid=absent)' }] }
    update:
      tags_to_add: $item.tags
      attributes: { city: $nested, event: "{{ event.type }} {{ body.size | default('x') }}" }
  - name: one
    when:
      any: [{ $.size: { gte: 1 } }, { $table.city: { starts_with: P } }, { not: { $.tags: a } }]
      $..ref: { count: { lt: 5 } }
    contact: { attribute: { name: email, value: $.email | email } }
    update:
      name: { join: [$.first, $.last], with: ' ' }
      mobile: $.phone | phone(e164)
      optin: $.consent | bool(yes=[y], no=[n])
      tags: [{ remove: true }, $.tags]
      tags_sync: { from: $.tags, among: [a, b] }
      attributes: { a: { from: $.size, when: { $.k: a }, default: none, on_error: absent }, b: { value: $.b, empty: remove } }
      attributes_from:
        - { from: $table, only: [city, size], prefix: t_ }
        - { name: $.first, value: $.last }
"#;

/// A batch of events under a root.
const BATCH: &str = r"
source: batch
verify: none
body: { root: [$.payload, $], each: '$.leads[*]' }
event: { id: $.id }
rules:
  - name: each
    when: { $batch.k: { in: [a, $.k] } }
    contact: { mobile: $.phone | phone(e164) }
    update: { tags_to_add: '$.tags[*]' }
";

/// An event of the CRM that has most of what its rules read, some of it anything.
fn any_crm() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("ping"),
        Just("pong"),
        Just("a"),
        Just("y"),
        Just("Pune"),
        Just("7989000001")
    ];
    let some = prop_oneof![any_json(), word.prop_map(Value::text)];
    (prop::collection::vec(some, 12), any_json()).prop_map(|(mut values, leads)| {
        let names = [
            "k", "size", "city", "answers", "tags", "email", "first", "last", "phone", "consent",
            "b", "id",
        ];
        let mut members: IndexMap<Box<str>, Value> =
            names.iter().map(|name| ((*name).into(), values.pop().unwrap_or_default())).collect();
        let lead = document("{ id: 65f0c0ffee0123456789abcd, phone: '7989000001', tags: [a, ''] }");
        members.insert("leads".into(), Value::List(vec![lead, leads]));
        Value::Object(members)
    })
}

proptest! {
    #[test]
    fn any_document_is_planned_without_a_panic_and_the_same_every_time(
        document in prop_oneof![any_json(), any_typeform()],
    ) {
        thread_local! {
            static SOURCE: Arc<Source> = source(TYPEFORM);
        }
        SOURCE.with(|source| {
            let first = events(source, &document);
            prop_assert_eq!(first.len(), 1);
            prop_assert_eq!(first, events(source, &document));
            Ok(())
        })?;
    }

    #[test]
    fn what_is_explained_is_what_is_planned(
        document in prop_oneof![any_json(), any_typeform(), any_crm()],
    ) {
        thread_local! {
            static SOURCES: Vec<Arc<Source>> =
                [TYPEFORM, EVERYTHING, &EVERYTHING.replace("match: all", "match: first"), BATCH]
                    .map(source)
                    .to_vec();
        }
        SOURCES.with(|sources| {
            for source in sources {
                let planned = events(source, &document);
                let explained = explained(source, &document);
                let events: Vec<_> = explained.iter().map(|e| e.event.clone()).collect();
                prop_assert_eq!(&planned, &events);
                for explained in &explained {
                    let shown = explained.to_json();
                    let asked = explained.rules().count();
                    let not_asked = shown["trace"]["not_asked"].as_array().map_or(0, Vec::len);
                    let rules = if explained.event.control { 0 } else { source.rules.len() };
                    prop_assert_eq!(asked + not_asked, rules, "every rule is accounted for");
                }
            }
            Ok(())
        })?;
    }
}
