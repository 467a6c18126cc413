use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::mapping::diagnostics::{Colour, render};
use crate::mapping::syntax::{Node, Problems};
use crate::mapping::{Set, shown, testing};

const TYPEFORM: &str = include_str!("../../../tests/fixtures/mappings/typeform.yaml");

/// The source of a file that has no error.
fn source(text: &str) -> Arc<Source> {
    let read = Set::read(vec![("crm.yaml".to_owned(), text.to_owned())]);
    let problems: Vec<_> = read.reports.iter().map(|r| render(r, Colour::Never)).collect();
    let set = read.set.unwrap_or_else(|| panic!("{}", problems.join("\n")));
    let source = set.iter().next().unwrap();
    Arc::clone(source)
}

/// A file with these rules (the rest of the file may stand before them).
fn with_rules(rules: &str) -> Arc<Source> {
    source(&format!("verify: none\ncountry: IN\n{rules}"))
}

fn document(yaml: &str) -> Value {
    testing::document(&Node::read(yaml).unwrap(), &mut Problems::default()).unwrap()
}

fn events(source: &Source, document: &Value) -> Vec<PlannedEvent> {
    let headers = self::document("{ x-event-id: h1 }");
    let query = self::document("{ list: vip }");
    let received_at = "2026-11-24T00:00:00Z".parse().unwrap();
    source.plan(&Input { document, headers: &headers, query: &query, received_at })
}

fn explained(source: &Source, document: &Value) -> Vec<crate::mapping::Explained> {
    let headers = self::document("{ x-event-id: h1 }");
    let query = self::document("{ list: vip }");
    let received_at = "2026-11-24T00:00:00Z".parse().unwrap();
    source.explain(&Input { document, headers: &headers, query: &query, received_at })
}

/// What the rules make of the only event of a document, less `rule` and `item` 0.
fn planned(source: &Source, yaml: &str) -> Vec<Json> {
    let events = events(source, &document(yaml));
    let [event] = events.as_slice() else { panic!("one event is expected: {events:?}") };
    event.planned.iter().map(shown::of).collect()
}

/// One word for each entry: `rule:planned`, `rule:held phone`, ….
fn states(planned: &[Json]) -> Vec<String> {
    let word = |entry: &Json, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let state = |entry: &Json| {
        let reason = word(entry, "reason");
        format!("{}{} {} {reason}", word(entry, "rule"), entry["item"], word(entry, "state"))
            .trim()
            .to_owned()
    };
    planned.iter().map(state).collect()
}

/// The files beside the mappings. A decoder that is good enough for these: forms of one field, and JSON, which
/// is YAML but for rare escapes.
struct Files;

impl testing::Outside for Files {
    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mappings/");
        std::fs::read(format!("{folder}{name}")).map_err(|error| error.to_string())
    }

    fn decode(
        &mut self,
        _source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String> {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        if content_type == Some("application/x-www-form-urlencoded") {
            let (name, value) = text.split_once('=').ok_or("no field")?;
            return Ok(Value::Object([(name.into(), Value::text(value))].into_iter().collect()));
        }
        let node = Node::read(text).map_err(|problem| problem.message)?;
        testing::document(&node, &mut Problems::default()).ok_or_else(|| "no document".to_owned())
    }
}

fn run_all(source: &Source) -> Vec<testing::Outcome> {
    source.tests().iter().map(|test| testing::run(source, test, &mut Files)).collect()
}

#[test]
fn the_typeform_example_makes_one_update_of_a_lead() {
    let outcomes = run_all(&source(TYPEFORM));

    assert_eq!(
        outcomes[0].events,
        [json!({
            "id": "01J9ZK3V7Q8R2S4T6U8V0W1X2Y",
            "type": "form_response",
            "occurred_at": "2026-11-23T11:59:58Z",
            "status": "accepted",
            "updates": [{
                "rule": "new-lead",
                "item": 0,
                "state": "planned",
                "contact": { "mobile": "917989000001" },
                "on_missing": "create",
                "update": {
                    "name": "Asha Rao",
                    "optin": true,
                    "tags_to_add": ["lead", "google"],
                    "attributes": { "city": "Pune", "plan": "free", "signed_up": "23 Nov 2026" },
                },
            }],
        })]
    );
}

#[test]
fn mappings_of_real_senders_have_no_warnings_and_their_tests_pass() {
    for (file, text, tests) in [
        ("typeform.yaml", TYPEFORM, 2),
        ("woocommerce.yaml", include_str!("../../../tests/fixtures/mappings/woocommerce.yaml"), 3),
        ("hubspot.yaml", include_str!("../../../tests/fixtures/mappings/hubspot.yaml"), 1),
    ] {
        let read = Set::read(vec![(file.to_owned(), text.to_owned())]);
        assert_eq!(render(&read.reports[0], Colour::Never), "");
        let source = source(text);

        let outcomes = run_all(&source);

        let failures: Vec<_> = outcomes.iter().flat_map(|outcome| &outcome.failures).collect();
        assert_eq!(failures, Vec::<&String>::new(), "{file}");
        assert_eq!(outcomes.len(), tests, "{file}");
    }
}

#[test]
fn the_contact_comes_first_and_a_held_update_stops_no_other() {
    let source = with_rules(
        "rules:
- name: a
  contact: { mobile: $.phone }
  update: { name: $.name }
- name: b
  contact: { id: $.id, on_blank: hold }
  update: { attributes: { city: $.city } }
- name: c
  when: { $.plan: { gt: 1 } }
  contact: { first_of: [{ id: $.id }, { attribute: { name: email, value: $.email } }] }
  update: { tags_to_add: [lead] }
",
    );
    let id = "65f0c0ffee0123456789abcd";
    for (document, expected) in [
        ("{}", vec!["a0 skipped no_contact", "b0 held required"]),
        ("{phone: '07989000001', name: Ann}", vec!["a0 planned", "b0 held required"]),
        ("{phone: '07989000001'}", vec!["a0 no_effect", "b0 held required"]),
        ("{phone: '0000000000', name: [a, b]}", vec!["a0 held phone", "b0 held required"]),
        ("{phone: '07989000001', name: [a, b]}", vec!["a0 held several", "b0 held required"]),
        (&format!("{{id: {id}, city: {{x: 1}}}}"), vec!["a0 skipped no_contact", "b0 held type"]),
        ("{id: 12x, city: Pune}", vec!["a0 skipped no_contact", "b0 held type"]),
        (
            "{plan: 2, email: a@example.com}",
            vec!["a0 skipped no_contact", "b0 held required", "c0 planned"],
        ),
        (
            "{plan: gold, email: a@example.com}",
            vec!["a0 skipped no_contact", "b0 held required", "c0 held condition"],
        ),
    ] {
        assert_eq!(states(&planned(&source, document)), expected, "{document}");
    }
}

#[test]
fn for_each_gives_one_update_for_each_item_and_a_bad_item_holds_only_itself() {
    let source = with_rules(
        "rules:
- name: leads
  for_each: $.leads[*]
  limit: 3
  let: { phone: $item.phone }
  when: { $.kind: { in: [leads] }, $item.off: { exists: false } }
  contact: { mobile: $phone }
  update: { name: $item.name }
",
    );
    for (document, expected) in [
        ("{kind: leads}", vec![]),
        ("{kind: leads, leads: []}", vec![]),
        (
            "{kind: leads, leads: [{phone: '07989000001', name: A}, {phone: '12', name: B}, {off: 1}]}",
            vec!["leads0 planned", "leads1 held phone"],
        ),
        ("{kind: leads, leads: [{}, {}, {}, {}]}", vec!["leads0 held limit"]),
        ("{kind: other, leads: [{}, {}, {}, {}]}", vec![]),
        ("{kind: leads, leads: [{off: 1}, {off: 1}, {off: 1}, {off: 1}]}", vec![]),
    ] {
        assert_eq!(states(&planned(&source, document)), expected, "{document}");
    }
}

#[test]
fn match_first_stops_at_the_first_rule_that_matches_or_cannot_be_told() {
    let source = with_rules(
        "match: first
rules:
- name: a
  when: { $.a: { gt: 1 } }
  contact: { mobile: $.phone }
  update: { name: $.name }
- name: b
  when: { $.b: 1 }
  contact: { mobile: $.phone }
  update: { name: $.name }
- name: c
  contact: { mobile: $.phone }
  update: { name: $.name }
",
    );
    for (document, expected) in [
        ("{a: 2, b: 1}", vec!["a0 skipped no_contact"]),
        ("{a: x, b: 1}", vec!["a0 held condition"]),
        ("{b: 1}", vec!["b0 skipped no_contact"]),
        ("{}", vec!["c0 skipped no_contact"]),
    ] {
        assert_eq!(states(&planned(&source, document)), expected, "{document}");
    }
}

#[test]
fn a_control_message_asks_no_rule() {
    let source = with_rules(
        "control:
- { $.type: ping }
- { $.n: { gt: 1 } }
rules:
- name: a
  contact: { mobile: $.phone }
  update: { name: $.name }
",
    );
    for (text, control) in
        [("{type: ping}", true), ("{n: 2}", true), ("{n: x}", false), ("{type: lead}", false)]
    {
        let events = events(&source, &document(text));
        let found = (events[0].control, events[0].planned.len());
        assert_eq!(found, (control, usize::from(!control)), "{text}");
    }
}

#[test]
fn each_item_of_a_batch_is_an_event_of_its_own() {
    let source = with_rules(
        "body: { root: [$.payload, $], each: '$.data[*]' }
event: { id: [$batch.id, $.n], type: $.type }
rules:
- name: a
  contact: { mobile: $.phone }
  update: { name: $.name, attributes: { shop: $batch.shop, event: $event.id } }
",
    );
    let batch = document(
        "{payload: {id: b, shop: S, data: [{n: 1, type: x, phone: '07989000001', name: A}, {phone: '12'}]}}",
    );
    let alone = document("{id: b, n: 1, phone: '07989000001', name: A, shop: S}");
    let empty = document("{payload: {data: []}}");

    let found = events(&source, &batch);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].id.as_deref(), found[0].event_type.as_deref()), (Some("b|1"), Some("x")));
    assert_eq!(
        shown::of(&found[0].planned[0])["update"],
        json!({ "name": "A", "attributes": { "shop": "S", "event": "b|1" } })
    );
    assert_eq!(found[1].id, None);
    assert_eq!(states(&[shown::of(&found[1].planned[0])]), ["a0 held phone"]);
    assert_eq!(events(&source, &alone)[0].id.as_deref(), Some("b|1"));
    assert_eq!(events(&source, &empty), []);
}

#[test]
fn what_is_known_about_an_event_comes_from_it_and_holds_nothing() {
    let source = with_rules(
        "timezone: Asia/Kolkata
event: { id: $.id, type: $.type, occurred_at: $.at }
rules: []
",
    );
    for (text, id, event_type, occurred_at) in [
        (
            "{id: 12345678901234567890123, type: x, at: 1795435200}",
            Some("12345678901234567890123"),
            Some("x"),
            Some("2026-11-23T12:00:00Z"),
        ),
        ("{id: '', at: 2026-11-23T10:00:00}", None, None, Some("2026-11-23T04:30:00Z")),
        ("{id: {a: 1}, type: [1, 2], at: soon}", None, None, None),
    ] {
        let event = events(&source, &document(text)).remove(0);
        let at = event.occurred_at.map(|at| at.to_string());
        assert_eq!(
            (event.id.as_deref(), event.event_type.as_deref(), at.as_deref()),
            (id, event_type, occurred_at),
            "{text}"
        );
    }
    assert!(source.has_event_id());
}

#[test]
fn rules_read_the_request_and_only_the_headers_they_name_are_kept() {
    let source = with_rules(
        "rules:
- name: a
  contact: { mobile: $.phone }
  update:
    attributes:
      one: $headers['x-event-id']
      two: \"{{ headers['x-event-id'] }} of {{ event.source }}\"
      list: $query.list
      at: $event.received_at
",
    );
    let found = planned(&source, "{phone: '07989000001'}");

    assert!(source.reads_phones());
    assert_eq!(source.headers, ["x-event-id"]);
    assert_eq!(
        found[0]["update"]["attributes"],
        json!({ "one": "h1", "two": "h1 of crm", "list": "vip", "at": "2026-11-24T00:00:00Z" })
    );
}

#[test]
fn every_rule_starts_from_the_defaults_unless_it_opts_out() {
    let source = with_rules(
        "defaults:
  when: { $.ok: true }
  contact: { mobile: $.phone, on_missing: create }
  update: { name: $.name, tags_to_add: [all], attributes: { city: $.city, plan: free } }
rules:
- name: a
  when: { $.a: 1 }
  contact: { id: $.id }
  update: { tags_to_add: [a], attributes: { plan: pro } }
- name: b
  update: {}
- name: c
  inherit: false
  contact: { mobile: $.phone }
  update: { tags_to_remove: [all] }
",
    );
    let id = "65f0c0ffee0123456789abcd";
    let text = format!("{{ok: true, a: 1, phone: '07989000001', name: N, city: C, id: {id}}}");

    assert_eq!(
        planned(&source, &text),
        [
            json!({ "rule": "a", "item": 0, "state": "planned", "contact": { "id": id }, "on_missing": "create",
                "update": { "name": "N", "tags_to_add": ["all", "a"], "attributes": { "city": "C", "plan": "pro" } } }),
            json!({ "rule": "b", "item": 0, "state": "planned", "contact": { "mobile": "917989000001" }, "on_missing": "create",
                "update": { "name": "N", "tags_to_add": ["all"], "attributes": { "city": "C", "plan": "free" } } }),
            json!({ "rule": "c", "item": 0, "state": "planned", "contact": { "mobile": "917989000001" },
                "update": { "tags_to_remove": ["all"] } }),
        ]
    );
    assert_eq!(states(&planned(&source, "{a: 1}")), ["c0 skipped no_contact"]);
}

#[test]
fn every_field_of_an_update_is_written_as_the_rule_says() {
    for (update, document, expected) in [
        ("{ name: $.a }", "{a: 12}", json!({ "name": "12" })),
        ("{ mobile: $.a }", "{a: '07989000001'}", json!({ "mobile": "917989000001" })),
        ("{ optin: $.a }", "{a: false}", json!({ "optin": false })),
        ("{ optin: $.a }", "{}", json!({})),
        ("{ incoming_blocked: true }", "{}", json!({ "incoming_blocked": true })),
        ("{ tags: [a, $.t] }", "{t: [b, '', a]}", json!({ "tags": ["a", "b"] })),
        ("{ tags: $.t }", "{t: []}", json!({})),
        ("{ tags: { remove: true } }", "{}", json!({ "tags": { "remove": true } })),
        (
            "{ tags: [a, b], tags_to_add: c, tags_to_remove: a }",
            "{}",
            json!({ "tags": ["b", "c"] }),
        ),
        ("{ tags: a, tags_to_remove: a }", "{}", json!({ "tags": { "remove": true } })),
        (
            "{ tags_to_add: [a, b, a], tags_to_remove: [b] }",
            "{}",
            json!({ "tags_to_add": ["a"], "tags_to_remove": ["b"] }),
        ),
        (
            "{ tags_sync: { from: $.t, among: [x, y] } }",
            "{t: [x, z]}",
            json!({ "tags_to_add": ["x"], "tags_to_remove": ["y"] }),
        ),
        (
            "{ tags_sync: { from: $.t, among: [x, y] } }",
            "{t: []}",
            json!({ "tags_to_remove": ["x", "y"] }),
        ),
        (
            "{ tags_sync: { from: $.t, among: [x, y] } }",
            "{t: ''}",
            json!({ "tags_to_remove": ["x", "y"] }),
        ),
        ("{ tags_sync: { from: $.t, among: [x, y] } }", "{t: null}", json!({})),
        ("{ tags_sync: { from: $.t, among: [x, y] } }", "{}", json!({})),
        (
            "{ attributes: { a: $.a, b: { remove: true }, c: $.c } }",
            "{a: 1.10}",
            json!({ "attributes": { "a": "1.10", "b": { "remove": true } } }),
        ),
        (
            "{ attributes_from: { from: $.o, only: [x, y], rename: { y: why }, prefix: p_ } }",
            "{o: {x: 1, y: 2, z: 3}}",
            json!({ "attributes": { "p_x": "1", "p_why": "2" } }),
        ),
        ("{ attributes_from: { from: $.o, only: [x] } }", "{o: []}", json!({})),
        (
            "{ attributes_from: [{ from: '$.o | default($.p)', only: [x, y] }], attributes: { x: $.x, y: $.y } }",
            "{p: {x: 1, y: 2}, y: 3}",
            json!({ "attributes": { "x": "1", "y": "3" } }),
        ),
        (
            "{ attributes_from: [{ name: $.n, value: $.v }] }",
            "{n: city, v: Pune}",
            json!({ "attributes": { "city": "Pune" } }),
        ),
        ("{ attributes_from: [{ name: $.n, value: $.v }] }", "{v: Pune}", json!({})),
    ] {
        let source = with_rules(&format!(
            "rules:\n- name: a\n  when: {{ $.off: {{ exists: false }} }}\n  contact: {{ id: 65f0c0ffee0123456789abcd }}\n  update: {update}\n"
        ));
        let found = planned(&source, document).remove(0);
        if expected == json!({}) {
            assert_eq!(found["state"], "no_effect", "{update} of {document}");
        } else {
            assert_eq!(found["update"], expected, "{update} of {document}");
        }
    }
}

#[test]
fn a_key_that_a_table_has_twice_holds_what_reads_it_also_from_attributes_from() {
    let source = with_rules(
        "let: { t: { index: '$.l[*]', key: $item.k, value: $item.v } }
rules:
- name: a
  contact: { id: 65f0c0ffee0123456789abcd }
  update: { attributes_from: { from: $t, only: [x] } }
",
    );
    let once = planned(&source, "{l: [{k: x, v: 1}, {k: y, v: 2}, {k: y, v: 3}]}");
    let twice = planned(&source, "{l: [{k: x, v: 1}, {k: x, v: 2}]}");

    assert_eq!(once[0]["update"], json!({ "attributes": { "x": "1" } }));
    assert_eq!(states(&twice), ["a0 held several"]);
}

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
