use super::*;
use crate::mapping::{Set, Source};
use std::sync::Arc;

const RULES: &str = "verify: none
country: IN
event: { id: $.id, type: $.type, occurred_at: $.at }
control: { $.type: ping }
rules:
- name: lead
  when: { $.type: lead }
  contact: { mobile: $.phone, on_missing: create }
  update: { name: $.name, optin: $.ok, tags_to_add: [lead, new], attributes: { city: $.city, old: { remove: true } } }
- name: mail
  when: { $.email: { exists: true } }
  contact: { attribute: { name: email, value: $.email }, on_missing: skip }
  update: { name: $.name }
- name: known
  when: { $.kind: known }
  contact: { mobile: $.phone }
  update: { name: $.name }
- name: lines
  for_each: $.lines[*]
  contact: { id: $item.id }
  update: { name: $item.name }
";

struct Decoded;

impl Outside for Decoded {
    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        if name == "lead.json" { Ok(b"{}".to_vec()) } else { Err("no such file".to_owned()) }
    }

    /// The content type and length of what came, so that a test sees what was handed over.
    fn decode(
        &mut self,
        source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String> {
        assert_eq!(source.name.as_str(), "crm");
        let said = format!("{} {}", content_type.unwrap_or("none"), body.len());
        let members = [("email".into(), Value::text("a@b.c")), ("name".into(), Value::text(said))];
        Ok(Value::Object(members.into_iter().collect()))
    }
}

fn source(test: &str) -> Arc<Source> {
    let file = format!("{RULES}tests:\n- {{ name: t, {test} }}\n");
    let read = Set::read(vec![("crm.yaml".to_owned(), file)]);
    let errors: Vec<_> = read.reports.iter().flat_map(|r| &r.problems).collect();
    let set = read.set.unwrap_or_else(|| panic!("{test}: {errors:?}"));
    Arc::clone(set.get("crm").unwrap())
}

/// What was not as expected.
fn failures(test: &str) -> Vec<String> {
    let source = source(test);
    let outcome = run(&source, &source.tests()[0], &mut Decoded);
    assert_eq!(outcome.passed, outcome.failures.is_empty());
    outcome.failures
}

const LEAD: &str =
    "body: { type: lead, id: 7, phone: '07989000001', name: Ann, ok: true, city: Pune }";
const MAIL: &str = "body: { email: a@example.com, name: Ann }";

#[test]
fn a_test_passes_when_all_is_as_it_expects() {
    for test in [
        "body: {}, expect: ignored".to_owned(),
        "body: { type: ping }, expect: control".to_owned(),
        format!(
            "{LEAD}, expect: [{{ rule: lead, item: 0, contact: {{ mobile: '917989000001' }}, update: {{ name: Ann, optin: true, tags_to_add: [lead, new], attributes: {{ city: Pune, old: {{ remove: true }} }} }} }}]"
        ),
        format!("{LEAD}, expect: [{{ rule: lead, update_contains: {{ tags_to_add: [new], attributes: {{ city: Pune }} }} }}]"),
        format!("{LEAD}, expect: [{{ rule: lead, contact: {{ mobile: '917989000001' }} }}]"),
        format!("{LEAD}, event: {{ id: 7, type: lead, occurred_at: none }}, expect: [{{ rule: lead, update_contains: {{}} }}]"),
        "body: { type: lead, phone: '12' }, expect: [{ rule: lead, held: phone }]".to_owned(),
        "body: { type: lead }, expect: [{ rule: lead, skipped: no_contact }]".to_owned(),
        "body: { email: a@example.com }, expect: [{ rule: mail, no_effect: true }]".to_owned(),
        format!("{LEAD}, lookup: {{ 'mobile:917989000001': missing }}, expect: [{{ rule: lead, update_contains: {{ name: Ann }} }}]"),
        format!("{LEAD}, lookup: {{ 'mobile:917989000001': ambiguous }}, expect: [{{ rule: lead, dead: ambiguous }}]"),
        format!("{MAIL}, lookup: {{ 'attribute:email=a@example.com': missing }}, expect: [{{ rule: mail, skipped: contact_missing }}]"),
        format!("{MAIL}, lookup: {{ 'attribute:email=a@example.com': 65f0c0ffee0123456789abcd }}, expect: [{{ rule: mail, update: {{ name: Ann }} }}]"),
        "body: { lines: [{ id: 65f0c0ffee0123456789abcd, name: A }, { id: 65f0c0ffee0123456789abce, name: B }] }, lookup: { 'id:65f0c0ffee0123456789abcd': missing }, expect: [{ rule: lines, dead: not_found }, { rule: lines, item: 1, update: { name: B } }]".to_owned(),
        "body: { kind: known, phone: '07989000001', name: A }, lookup: { 'mobile:917989000001': missing }, expect: [{ rule: known, dead: contact_missing }]".to_owned(),
        "body_file: lead.json, expect: [{ rule: mail, update: { name: application/json 2 } }]".to_owned(),
        "raw: abc, content_type: text/plain, expect: [{ rule: mail, update: { name: text/plain 3 } }]".to_owned(),
        "raw: abc, headers: { Content-Type: text/html }, expect: [{ rule: mail, update: { name: text/html 3 } }]".to_owned(),
        "form: a=b, expect: [{ rule: mail, update: { name: application/x-www-form-urlencoded 3 } }]".to_owned(),
        "xml: <a/>, expect: [{ rule: mail, update: { name: application/xml 4 } }]".to_owned(),
        "body: {}, expect: { events: [ignored] }".to_owned(),
    ] {
        assert_eq!(failures(&test), Vec::<String>::new(), "{test}");
    }
}

#[test]
fn a_failure_names_the_field_the_expected_and_the_actual() {
    for (test, expected) in [
        (
            "body: { type: ping }, expect: ignored".to_owned(),
            vec!["expected `ignored`, got `control`"],
        ),
        (
            "body: { email: a@example.com, name: Ann }, expect: ignored".to_owned(),
            vec![
                "expected `ignored`, got `accepted`",
                r#"`mail`: not expected: `{ contact: {"attribute":{"name":"email","value":"a@example.com"}}, update: {"name":"Ann"} }`"#,
            ],
        ),
        (
            format!(
                "{LEAD}, expect: [{{ rule: lead, contact: {{ mobile: '91' }}, update: {{ name: Bob, tags_to_add: [lead], attributes: {{ plan: x, city: Pune, old: {{ remove: true }} }} }} }}]"
            ),
            vec![
                r#"`lead`: `contact.mobile`: expected "91", got "917989000001""#,
                r#"`lead`: `update.name`: expected "Bob", got "Ann""#,
                r#"`lead`: `update.tags_to_add`: expected ["lead"], got ["lead","new"]"#,
                r#"`lead`: `update.attributes.plan`: expected "x", got nothing"#,
                r"`lead`: `update.optin`: expected nothing, got true",
            ],
        ),
        (
            format!(
                "{LEAD}, expect: [{{ rule: lead, update_contains: {{ tags_to_add: [vip] }} }}, {{ rule: mail, no_effect: true }}]"
            ),
            vec![
                r#"`lead`: `update.tags_to_add`: expected "vip" in it, got ["lead","new"]"#,
                "`mail`: expected, but the rule did not match",
            ],
        ),
        (
            "body: { type: lead }, expect: [{ rule: lead, held: phone }]".to_owned(),
            vec!["`lead`: expected `held: phone`, got `skipped: no_contact`"],
        ),
        (
            format!(
                "{MAIL}, lookup: {{ 'attribute:email=a@example.com': missing }}, expect: [{{ rule: mail, update: {{ name: Ann }} }}]"
            ),
            vec![r#"`mail`: expected `update: {"name":"Ann"}`, got `skipped: contact_missing`"#],
        ),
        (
            format!(
                "{LEAD}, event: {{ id: 8 }}, expect: [{{ rule: lead, update_contains: {{}} }}]"
            ),
            vec![r#"`event.id`: expected "8", got "7""#],
        ),
        (
            "body_file: other.json, expect: ignored".to_owned(),
            vec!["`body_file: other.json`: no such file"],
        ),
        (
            "body: {}, expect: { events: [ignored, ignored] }".to_owned(),
            vec!["expected 2 events, got 1"],
        ),
    ] {
        assert_eq!(failures(&test), expected, "{test}");
    }
}
