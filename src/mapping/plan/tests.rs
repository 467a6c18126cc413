mod laws;
mod whole;

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
