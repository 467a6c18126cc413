//! Whatever is captured, what is suggested is a mapping without a problem that passes its own tests.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::document::{Members, Value};
use crate::mapping::testing::{Outside, run as run_test};
use crate::mapping::{Report, Set, Source};
use crate::webhook::check_door;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/suggest")
}

/// A body file that is the captured event, and bodies decoded as for a request.
struct Event<'e>(&'e [u8]);

impl Outside for Event<'_> {
    fn read_file(&mut self, _name: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.to_vec())
    }

    fn decode(
        &mut self,
        _source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String> {
        decode::document(content_type, body, &decode::Options::default())
            .map_err(|error| error.to_string())
    }
}

/// What is wrong with the mapping that is suggested for an event; with the mapping itself.
fn wrong(
    body: &[u8],
    document: &Value,
    headers: &[(String, String)],
    in_a_file: bool,
) -> (Vec<String>, String) {
    let presets: Vec<_> = verify::recognise(headers).into_iter().map(str::to_owned).collect();
    let source = SourceName::try_from("sender").unwrap();
    let text = suggest(&Captured {
        source: &source,
        document,
        headers,
        presets: &presets,
        country: None,
        body_file: in_a_file.then_some(("fixtures/sender-1.json", None)),
    })
    .text;
    let read = Set::read_with(vec![("sender.yaml".to_owned(), text.clone())], &check_door);
    let mut wrong: Vec<_> = read
        .reports
        .iter()
        .flat_map(Report::diagnostics)
        .map(|found| format!("{} line {}: {}", found.code, found.line, found.message))
        .collect();
    if let Some(set) = read.set {
        let source = set.get("sender").unwrap();
        if source.tests().is_empty() {
            wrong.push("it has no tests".to_owned());
        }
        for test in source.tests() {
            let outcome = run_test(source, test, &mut Event(body));
            wrong
                .extend(outcome.failures.iter().map(|failure| format!("{}: {failure}", test.name)));
        }
    }
    (wrong, text)
}

/// A captured event: its name, its body, and its headers in lower case.
struct Fixture {
    name: String,
    body: Vec<u8>,
    document: Value,
    headers: Vec<(String, String)>,
}

fn fixtures() -> Vec<Fixture> {
    let text = std::fs::read_to_string(folder().join("headers.json")).unwrap();
    let headers: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    for (name, headers) in headers.as_object().unwrap() {
        let body = std::fs::read(folder().join(name)).unwrap();
        let document = decode::json(&body, &decode::Limits::default()).unwrap();
        let headers = headers.as_object().unwrap().iter();
        let headers =
            headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()));
        found.push(Fixture { name: name.clone(), body, document, headers: headers.collect() });
    }
    assert!(found.len() > 30);
    found
}

#[test]
fn every_suggestion_is_a_mapping_without_a_problem_that_passes_its_own_tests() {
    for Fixture { name, body, document, headers } in fixtures() {
        for (headers, in_a_file) in [(headers.as_slice(), true), (&[], false)] {
            let (wrong, text) = wrong(&body, &document, headers, in_a_file);
            assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{text}");
        }
    }
}

#[test]
fn an_event_that_no_block_of_yaml_can_hold_is_kept_as_it_was_sent() {
    let deep =
        format!("{}{{\"phone\": \"+12025550143\"}}{}", "{\"a\": ".repeat(60), "}".repeat(60));
    let long = format!("{{\"phone\": \"+12025550143\", \"{}\": 1}}", "k".repeat(2000));
    for (event, is_raw) in [
        (deep.as_str(), true),
        (&long, true),
        ("1", true),
        ("null", true),
        ("\"x\"", true),
        ("[]", false),
        ("{}", false),
    ] {
        let document = decode::json(event.as_bytes(), &decode::Limits::default()).unwrap();
        let (wrong, text) = wrong(event.as_bytes(), &document, &[], false);
        assert_eq!(wrong, Vec::<String>::new(), "{event}");
        assert_eq!(text.contains("    raw: "), is_raw, "{event}\n{text}");
    }
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "phone", "mobile", "email", "name", "first_name", "last_name", "consent", "optin", "tags", "id",
            "event_id", "type", "event", "timestamp", "created_at", "label", "key", "value", "data", "contacts",
            "country", "primary", "items", "whatsapp", "contact_id", "field", "text", "unsubscribed",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-zA-Z0-9_ '\"#:$|.\\\\-]{0,12}",
    ]
}

fn any_single() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.to_string().into())),
        Just(Value::Number("1E5".into())),
        any::<String>().prop_map(Value::text),
        prop::sample::select(vec![
            "+12025550143",
            "12025550143",
            "(202) 555-0119",
            "9812345678",
            "ann@example.com",
            "yes",
            "no",
            "true",
            "2026-11-23T12:00:00Z",
            "1795435200",
            "IN",
            "lead, vip",
            "Ann Lee",
            "lead.created",
            "none",
            "null",
            "65a1b2c3d4e5f60718293a4b",
            "# check: allow W001",
            "$.x",
            "",
            " ",
            "something-else",
        ])
        .prop_map(Value::text),
    ]
}

fn any_document() -> impl Strategy<Value = Value> {
    let inner = any_single().prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            any_object(inner),
        ]
    });
    prop_oneof![4 => any_object(inner.clone()), 1 => prop::collection::vec(inner, 0..4).prop_map(Value::List)]
}

fn any_object(inner: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop::collection::vec((any_key(), inner), 0..6).prop_map(|members| {
        Value::Object(
            members.into_iter().map(|(name, value)| (name.into(), value)).collect::<Members>(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_the_event_the_suggestion_is_read_and_passes(document in any_document()) {
        let body = serde_json::to_vec(&document).unwrap();
        let headers = [("x-event-type".to_owned(), "lead".to_owned())];
        for headers in [&headers[..], &[]] {
            let (wrong, text) = wrong(&body, &document, headers, false);
            prop_assert!(wrong.is_empty(), "{:#?}\n{}", wrong, text);
        }
    }
}

/// The mapping that is suggested for a fixture with its headers, up to its tests.
fn rules_for(name: &str) -> String {
    let Fixture { body, document, headers, .. } =
        fixtures().into_iter().find(|own| own.name == name).unwrap();
    let (_, text) = wrong(&body, &document, &headers, true);
    text.split("\ntests:").next().unwrap().to_owned()
}

#[test]
fn what_is_found_is_what_a_person_would_have_chosen() {
    for (name, lines) in [
        (
            "tally-form-response.json",
            vec![
                "  preset: tally",
                "  id: $.eventId",
                "      $.eventType: FORM_RESPONSE",
                "    index: $.data.fields[*]",
                "      mobile: $fields.Phone",
                "      name: $fields['Full name']",
                "      optin: $fields['Consent (WhatsApp)'] | bool(yes=[true])",
                "        email: $fields.Email | trim | lower",
            ],
        ),
        (
            "shopify-orders-create.json",
            vec![
                "  preset: shopify",
                "  id: $headers['x-shopify-webhook-id']",
                "      $headers['x-shopify-topic']: orders/create",
                "  occurred_at: $headers['x-shopify-triggered-at']",
                "      mobile: $.billing_address.phone | phone($.billing_address.country_code)",
                "      optin: $note_attributes.whatsapp_optin | bool(yes=[yes])",
            ],
        ),
        (
            "pipedrive-person-change.json",
            vec![
                "  id: $.meta.id",
                "      mobile: $.data.phones[?@.primary==true].value",
                "      name: $.data.name",
                "        email: $.data.emails[?@.primary==true].value | trim | lower",
            ],
        ),
        (
            "google-forms-onformsubmit.json",
            vec![
                "      mobile: $.namedValues['Phone (with country code)']",
                "      name: $.namedValues['Full name']",
                "      optin: $.namedValues['May we message you on WhatsApp?'] | bool(yes=[yes])",
            ],
        ),
        (
            "meta-leadgen-enriched.json",
            vec![
                "      mobile: $field_data.phone_number",
                "      name: $field_data.full_name",
                "      optin: $field_data['may_we_whatsapp_you?'] | bool(yes=[yes])",
            ],
        ),
        (
            "make-http-json-array.json",
            vec!["    for_each: $[*]", "      mobile: $item.phone", "      name: $item.name"],
        ),
        (
            "hubspot-app-contact-propertychange-batch.json",
            vec!["  each: $[*]", "  id: $.eventId", "rules: []"],
        ),
        (
            "freshsales-workflow-contact-updated.json",
            vec![
                "      mobile: $.contact_mobile_number",
                "          - $.contact_first_name",
                "          - $.contact_last_name",
                "      optin: $.contact_cf_whatsapp_consent | bool(yes=[true])",
                "        - $.contact_tags | split(\",\") | only(\"lead\", \"whatsapp\")",
            ],
        ),
        (
            "webflow-form-submission.json",
            vec![
                "      mobile: $.payload.data['Phone Number'] | phone(e164)",
                "          - $.payload.data['First Name']",
                "      optin: $.payload.data['WhatsApp ok?'] | bool(yes=[true])",
            ],
        ),
        (
            "calendly-invitee-created.json",
            vec![
                "  preset: calendly",
                "      mobile: $questions_and_answers['WhatsApp number']",
                "      name: $.payload.name",
                "      optin: $questions_and_answers['May we message you?'] | bool(yes=[yes])",
            ],
        ),
        (
            "zoom-webinar-registration-created.json",
            vec!["    - $.payload.object.registrant.id", "    - $.event_ts"],
        ),
        ("intercom-contact-user-created.json", vec!["  id: $.id", "  type: $.topic"]),
        ("paypal-payment-capture-completed.json", vec!["rules: []"]),
    ] {
        let text = rules_for(name);
        for line in lines {
            assert!(text.lines().any(|own| own == line), "{name}: `{line}` is missing in\n{text}");
        }
    }
}

#[test]
fn consent_is_never_guessed() {
    for (event, optin) in [
        (r#"{"consent": true}"#, Some("$.consent | bool(yes=[true])")),
        (r#"{"consent": false}"#, Some("$.consent | bool(yes=[true])")),
        (r#"{"consent": "Yes"}"#, Some("$.consent | bool(yes=[yes])")),
        (r#"{"consent": "No"}"#, Some("$.consent | bool(yes=[yes])")),
        (r#"{"consent": "1"}"#, Some("$.consent | bool(yes=[\"1\"])")),
        (r#"{"gdpr": {"whatsapp": "I agree"}}"#, Some("$.gdpr.whatsapp | bool(yes=[\"i agree\"])")),
        (r#"{"consent": "maybe"}"#, None),
        (r#"{"consent": null}"#, None),
        (r#"{"consent": {"date": "2026-11-23"}}"#, None),
        (r#"{"opt_out": true}"#, None),
        (r#"{"unsubscribed": false}"#, None),
        (r#"{"email_marketing_consent": true}"#, None),
        (r#"{"accepts_terms": true}"#, None),
        (r#"{"active": true}"#, None),
    ] {
        let body = event.replacen('{', r#"{"phone": "+12025550143", "#, 1);
        let document = decode::json(body.as_bytes(), &decode::Limits::default()).unwrap();
        let (wrong, text) = wrong(body.as_bytes(), &document, &[], false);
        assert_eq!(wrong, Vec::<String>::new(), "{event}");
        let rules = text.split("\ntests:").next().unwrap();
        let written = rules.lines().find_map(|line| line.trim().strip_prefix("optin: "));
        assert_eq!(written, optin, "{event}\n{text}");
    }
}

#[test]
fn a_national_number_is_read_for_the_country_that_the_event_proves_and_no_other() {
    for (event, lines) in [
        (
            r#"{"phone": "98555 50177", "country": "in"}"#,
            vec!["mobile: $.phone | phone($.country)"],
        ),
        (
            r#"{"phone": "98555 50177", "address": {"country_code": "IN"}}"#,
            vec!["mobile: $.phone | phone($.address.country_code)"],
        ),
        (
            r#"{"mobile": "98555 50177", "shop": {"country": "IN"}}"#,
            vec!["mobile: $.mobile", "# country: US", "held: phone"],
        ),
        (
            r#"{"phone": "98555 50177", "x": "+91 98555 50177", "whatsapp": "no"}"#,
            vec!["country: IN", "mobile: $.phone"],
        ),
        (r#"{"phone": "971555501122"}"#, vec!["mobile: $.phone | phone(e164)"]),
        (r#"{"phone": "9855550177"}"#, vec!["mobile: $.phone", "held: phone"]),
    ] {
        let document = decode::json(event.as_bytes(), &decode::Limits::default()).unwrap();
        let (wrong, text) = wrong(event.as_bytes(), &document, &[], false);
        assert_eq!(wrong, Vec::<String>::new(), "{event}");
        for line in lines {
            assert!(text.lines().any(|own| own.trim() == line), "{event}: `{line}`\n{text}");
        }
    }
}
