use serde_json::{Value as Json, json};

use super::*;
use crate::chatflow::ChatflowSettings;

const HEAD: &str = "source: crm\nverify: none\ncountry: IN\nevent: { id: $.id }\nrules:\n";

/// What a person sees of one event, with these rules.
fn text_of(rules: &str, event: &Json) -> String {
    let set = Set::read(vec![("crm.yaml".to_owned(), format!("{HEAD}{rules}"))]).set.unwrap();
    let source = source(&set, None).unwrap();
    let given = Given {
        source: None,
        item: None,
        content_type: Some("application/json".to_owned()),
        headers: Vec::new(),
        query: String::new(),
        body: event.to_string().into_bytes(),
        received_at: jiff::Timestamp::UNIX_EPOCH,
    };
    let explained = explain(&source, &given).unwrap();
    let settings = ChatflowSettings::default();
    let shown = text::event(&explained[0], "crm", &settings, Style::PLAIN);
    shown.join("\n").replace(settings.base_url.as_str(), "")
}

#[test]
fn a_rule_that_did_not_match_shows_every_clause_with_what_was_found() {
    let rules = r"
  - name: lead
    when:
      $.kind: lead
      $.score | number: { gt: 50, lt: 90 }
      any:
        - $.country | upper: { in: [IN, NP] }
        - { $.vip: true, $.adress.city: Pune }
      not: { $.blocked: true }
    contact: { mobile: $.phone }
    update: { optin: true }
";
    let event = json!({"id": "e1", "kind": "visit", "score": "60", "country": "fr", "vip": true,
        "blocked": true, "address": {"city": "Pune"}});

    insta::assert_snapshot!(text_of(rules, &event), @r#"
    event (source crm, id e1): ignored

    ✗ lead: did not match
      when ✗
        ✗ $.kind equals "lead"    found "visit"
        ✓ $.score | number gt 50  found 60: $.score "60" → number 60
        ✓ $.score | number lt 90
        ✗ any
          ✗ $.country | upper in ["IN", "NP"]  found "FR": $.country "fr" → upper "FR"
          ✗ together
            ✓ $.vip equals true            found true
            ✗ $.adress.city equals "Pune"  found nothing; did you mean `$.address.city`?
        ✗ not
          ✓ $.blocked equals true  found true
    "#);
}

#[test]
fn a_field_that_is_dropped_names_the_path_that_may_have_been_meant() {
    let rules = r#"
  - name: lead
    contact: { id: $.contact }
    update:
      name: $.name | trim
      attributes:
        city: $.form_respons.answers[0].city | title
        topic: $.form_response.hidden.topic
        greeting: "Hi {{ body.first }}"
        plan: { first_of: [$.plan, $.product.plan] }
        size: { from: $.size, when: { $.kind: company } }
"#;
    let event = json!({"id": "e1", "contact": "65f0c0ffee0123456789abcd", "name": " Ann ", "size": 3,
        "product": {"plan": "pro"}, "form_response": {"answers": [{"city": "pune"}], "hidden": {}}});

    insta::assert_snapshot!(text_of(rules, &event), @r#"
    event (source crm, id e1): accepted

    ✓ lead: matched, an update is planned
      contact
        + id = "65f0c0ffee0123456789abcd"
              $.contact "65f0c0ffee0123456789abcd"
      update
        + name = "Ann"
              $.name " Ann " → trim "Ann"
        – attributes.city is left out
              `$.form_respons.answers[0].city` selects nothing; did you mean `$.form_response.answers[0].city`?
        – attributes.topic is left out
              `$.form_response.hidden.topic` selects nothing: `$.form_response.hidden` is an object with nothing in it
        – attributes.greeting is left out
              Hi {{ body.first }} → nothing
                `$.first` selects nothing: `$` is an object with `id`, `contact`, `name`, `size`, `product`, `form_response`
        + attributes.plan = "pro"
              first_of → "pro"
                `$.plan` selects nothing; did you mean `$.product.plan`?
                $.product.plan "pro"
        – attributes.size is left out
              when ✗
                ✗ $.kind equals "company"  found nothing: `$` is an object with `id`, `contact`, `name`, `size`, `product`, `form_response`
      requests
        curl -X PUT '/contacts/65f0c0ffee0123456789abcd' -H 'Authorization: Bearer ********' -H 'Content-Type: application/json' -d '{"name":"Ann","attributes":[{"name":"plan","value":"pro"}]}'
    "#);
}

#[test]
fn a_held_value_says_at_which_step_it_failed() {
    let rules = r#"
  - name: lead
    contact: { mobile: $.phone, on_missing: create }
    update:
      name: $.name
      attributes:
        when: $.at | trim | date("%d %b %Y")
        city: $.city
"#;
    let event =
        json!({"id": "e1", "phone": "7989000001", "name": "Ann", "at": " soon ", "city": "Pune"});

    insta::assert_snapshot!(text_of(rules, &event), @r#"
    event (source crm, id e1): held

    ! lead: held (step): `update.attributes.when`: `$.at`, step `date`: a date or time is expected, a text that is none was found
      contact
        + mobile = "917989000001"
              $.phone "7989000001"
      update
        + name = "Ann"
              $.name "Ann"
        ! attributes.when is held (step)
              $.at " soon " → trim "soon" → date("%d %b %Y") held (step): a date or time is expected, a text that is none was found
        what stands after it was not made
    "#);
}

#[test]
fn several_values_are_shown_where_one_is_expected() {
    let rules = r"
  - name: each
    for_each: $.people[*]
    when: { $item.kind: { exists: true } }
    contact: { mobile: '$item.phones[*]' }
    update: { tags_to_add: $item.tags }
";
    let event = json!({"id": "e1", "people": [
        {"kind": "a", "phones": ["7989000001", "7989000002"]},
        {"kind": "b", "phones": ["7989000001"], "tags": ["x", "y"]},
        {"phones": []},
    ]});

    insta::assert_snapshot!(text_of(rules, &event), @r#"
    event (source crm, id e1): accepted

    each: for each of $.people[*] 3 values: {"kind":"a","phones":["7989000001","7989000002"]}, {"kind":"b","phones":["7989000001"],"tags":["x","y"]}, {"phones":[]}

    ! each, item 0: held (several): `contact.mobile`: `$item.phones[*]`: 2 values where one is expected: choose with `pick`, or make one text with `join`
      when ✓
        ✓ $item.kind exists true  found "a"
      contact
        ! mobile is held (several)
              $item.phones[*] 2 values: "7989000001", "7989000002"

    ✓ each, item 1: matched, an update is planned
      when ✓
        ✓ $item.kind exists true  found "b"
      contact
        + mobile = "917989000001"
              $item.phones[*] 1 value: "7989000001"
      update
        + tags_to_add = ["x","y"]
              $item.tags ["x","y"]
      requests
        # to find the contact, unless its id is known
        curl '/contacts/?mobile=917989000001&order=1&limit=25&page=1' -H 'Authorization: Bearer ********'
        curl -X PUT '/contacts/CONTACT_ID' -H 'Authorization: Bearer ********' -H 'Content-Type: application/json' -d '{"tagsToAdd":"x,y"}'

    ✗ each, item 2: did not match
      when ✗
        ✗ $item.kind exists true  found nothing: `$item` is an object with `phones`
    "#);
}

#[test]
fn a_template_is_absent_because_of_a_part_and_a_contact_because_nobody_is_named() {
    let rules = r#"
  - name: greet
    contact: { id: $.contact }
    update: { name: "{{ body.first }} {{ body.last }}" }
  - name: nobody
    contact: { first_of: [{ id: $.contact_id }, { mobile: $.tel }] }
    update: { optin: true }
"#;
    let event =
        json!({"id": "e1", "contact": "65f0c0ffee0123456789abcd", "first": "Ann", "last": null});

    insta::assert_snapshot!(text_of(rules, &event), @r#"
    event (source crm, id e1): skipped

    ✓ greet: matched, with nothing to change: no effect
      contact
        + id = "65f0c0ffee0123456789abcd"
              $.contact "65f0c0ffee0123456789abcd"
      update
        – name is left out
              {{ body.first }} {{ body.last }} → nothing
                $.first "Ann"
                $.last null

    ✓ nobody: matched, and is skipped: no_contact
      contact
        – id is blank
              `$.contact_id` selects nothing; did you mean `$.contact`?
        – mobile is blank
              `$.tel` selects nothing: `$` is an object with `id`, `contact`, `first`, `last`
    "#);
}

#[test]
fn what_a_terminal_would_obey_is_made_visible() {
    let rules = "  - { name: a, contact: { id: $.contact }, update: { name: $.nam } }\n";
    let event = json!({"id": "e\u{1b}[2J", "contact": "65f0c0ffee0123456789abcd", "x\u{1b}y": 1, "nam": "\u{202e}a\u{7}"});

    let text = text_of(rules, &event);

    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n') && !text.contains('\u{202e}'),
        "{text:?}"
    );
}
