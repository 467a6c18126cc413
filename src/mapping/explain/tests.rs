use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::mapping::Set;
use crate::mapping::expr::samples::document;

const CRM: &str = r"
source: crm
verify: none
event: { id: $.id }
let:
  answer: { index: '$.answers[*]', key: $item.ref, value: $item.text }
  unread: $.unread
rules:
  - name: lead
    when:
      $.kind: lead
      any:
        - $answer.size | number: { gt: 50 }
        - not: { $.country: IN }
    contact: { mobile: '$answer.phone | phone(IN)' }
    update:
      tags_to_add: [lead, { value: big, when: { $.size: { gt: 50 } } }]
      attributes:
        city: $.adress.city | trim | title
        list: $.tags
  - name: other
    when: { $.kind: other }
    contact: { id: $.contact }
    update: { optin: false }
";

fn source() -> Arc<Source> {
    let set = Set::read(vec![("crm.yaml".to_owned(), CRM.to_owned())]).set.unwrap();
    let source = set.iter().next().unwrap();
    Arc::clone(source)
}

fn explained(event: &Json) -> Explained {
    let nothing = crate::document::Value::default();
    let input = Input {
        document: &document(&event.to_string()),
        headers: &nothing,
        query: &nothing,
        received_at: jiff::Timestamp::UNIX_EPOCH,
    };
    source().explain(&input).pop().unwrap()
}

fn lead() -> Json {
    json!({
        "id": "e1", "kind": "lead", "country": "FR", "size": 10, "address": {"city": " pune "}, "tags": ["a"],
        "answers": [{"ref": "phone", "text": "7989000001"}, {"ref": "size", "text": "60"}]
    })
}

/// Every note of a kind, wherever it stands.
fn all<'n>(notes: &'n [Noted], wanted: &dyn Fn(&What) -> bool) -> Vec<&'n Noted> {
    notes
        .iter()
        .flat_map(|noted| {
            let own = wanted(&noted.what).then_some(noted);
            own.into_iter().chain(all(&noted.inside, wanted))
        })
        .collect()
}

#[test]
fn an_update_has_its_trace_and_what_did_not_match_has_its_own() {
    let shown = explained(&lead()).to_json();

    assert_eq!(shown["id"], "e1");
    assert_eq!(shown["status"], "accepted");
    assert_eq!(shown["updates"][0]["rule"], "lead");
    assert_eq!(shown["updates"][0]["state"], "planned");
    assert_eq!(shown["updates"][0]["contact"], json!({ "mobile": "917989000001" }));
    let trace = &shown["updates"][0]["trace"];
    assert_eq!(trace[0]["what"], "block");
    assert_eq!(
        trace[0]["inside"][0],
        json!({ "what": "clause", "subject": "$.kind", "holds": true, "inside": [
            { "what": "path", "path": "$.kind", "gave": { "value": "lead" } },
            { "what": "test", "expected": "equals \"lead\"", "holds": true },
        ] })
    );
    assert_eq!(shown["trace"]["not_matched"][0]["rule"], "other");
    assert_eq!(shown["trace"]["not_matched"][0]["trace"][0]["holds"], false);
    assert_eq!(shown["trace"]["lets"][0]["name"], "$answer");
    assert_eq!(
        shown["trace"]["lets"].as_array().unwrap().len(),
        1,
        "what is not read is not noted"
    );
    assert_eq!(shown["trace"]["event"][0]["field"], "event.id");
}

#[test]
fn every_clause_is_seen_also_after_the_one_that_decides() {
    let mut event = lead();
    event["kind"] = json!("visit");
    let explained = explained(&event);

    let (_, inside) = explained.rules().next().unwrap();
    let clauses = all(inside, &|what| matches!(what, What::Clause { .. }));
    let answers: Vec<_> = clauses
        .iter()
        .map(|noted| match &noted.what {
            What::Clause { subject, holds } => (&**subject, holds),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        answers,
        [
            ("$.kind", &Answer::No),
            ("$answer.size | number", &Answer::Yes),
            ("$.country", &Answer::No)
        ]
    );
}

#[test]
fn a_field_that_is_left_out_leads_to_the_path_that_may_have_been_meant() {
    let explained = explained(&lead());
    let trace = explained.trace_of(&explained.event.planned[0]);
    let city = all(
        trace,
        &|what| matches!(what, What::Field { field, .. } if field == "update.attributes.city"),
    );

    assert_eq!(city[0].gave(), Some(&Gave::Absent));
    let paths = all(&city[0].inside, &|what| matches!(what, What::Path { .. }));
    let What::Path { missing: Some(missing), .. } = &paths[0].what else { panic!("{paths:?}") };
    assert_eq!(missing.resolved.as_deref(), Some("$"));
    assert_eq!(missing.nearest.as_deref(), Some("$.address.city"));
}

#[test]
fn coverage_names_the_rules_and_the_branches_that_no_event_touches() {
    let mut coverage = Coverage::of(&source());
    coverage.add(&explained(&lead()));
    let said = |coverage: &Coverage| -> Vec<String> {
        let line =
            |u: Untouched| format!("{} {} never {}", u.rule, u.clause.unwrap_or_default(), u.never);
        coverage.untouched().into_iter().map(line).collect()
    };

    assert_eq!(
        said(&coverage),
        [
            "lead $.kind equals \"lead\" never false",
            "lead $answer.size | number gt 50 never false",
            "lead $.country equals \"IN\" never true",
            "lead update.tags_to_add: $.size gt 50 never true",
            "other  never matched",
            "other $.kind equals \"other\" never true",
        ]
    );
    assert_eq!(coverage.touched(), (6, 12));

    let mut other = lead();
    other["kind"] = json!("other");
    coverage.add(&explained(&other));
    assert!(!said(&coverage).iter().any(|line| line.starts_with("other  never matched")));
}
