//! What real senders send, and what becomes of it.

use super::*;

/// A body kept beside the tests.
fn kept(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/bodies/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The value at a path of names and places.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('/').try_fold(value, |value, step| match value {
        Value::List(items) => items.get(step.parse::<usize>().ok()?),
        other => other.member(step),
    })
}

const FORM: &str = "application/x-www-form-urlencoded";
const UTF8_FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";
const JOTFORM: &str = "multipart/form-data; boundary=------------------------b6726c32637fdf4e";

/// A kept body, its content type, and texts of its document by names and places with `/` between.
type Case = (&'static str, &'static str, &'static [(&'static str, Option<&'static str>)]);

const CASES: &[Case] = &[
    (
        "activecampaign-contact-tag-added.form",
        FORM,
        &[
            ("type", Some("contact_tag_added")),
            ("contact/id", Some("123456")),
            ("contact/email", Some("robert.diaz@example.com")),
            ("contact/last_name", Some("")),
            ("contact/phone", Some("+1 202-555-0134")),
            ("contact/tags", Some("[KRC] Registered, VIP, Müller & Co")),
            ("contact/fields/39", Some("11111111-2222-4333-8444-555555555555")),
            ("contact/fields/interests", Some("||Tea||Coffee||")),
            ("tag", Some("VIP")),
        ],
    ),
    (
        "elementor-form-advanced.form",
        FORM,
        &[
            ("form/id", Some("1606c7c4")),
            ("fields/name/value", Some("Lucía Gómez")),
            ("fields/email/value", Some("lucia.gomez@example.com")),
            ("fields/field_6f8642e/value", Some("+34 655 50 01 33")),
            ("fields/field_6f8642e/title", Some("Teléfono")),
            ("fields/consent/value", Some("on")),
            ("meta/page_url/value", Some("https://shop.example/contact/")),
        ],
    ),
    (
        "elementor-form-simple.form",
        FORM,
        &[
            ("Name", Some("Lucía Gómez")),
            ("Teléfono", Some("+34 655 50 01 33")),
            ("No Label field_consent", Some("on")),
            ("form_id", Some("1606c7c4")),
        ],
    ),
    (
        "github-issues-opened-form.form",
        FORM,
        &[("payload/action", Some("opened")), ("payload/issue/user/login", Some("octo-lead"))],
    ),
    (
        "jotform-submission.multipart",
        JOTFORM,
        &[
            ("formID", Some("221144600480140")),
            ("submissionID", Some("5267074469613966508")),
            ("rawRequest/q3_fullName/first", Some("Ravi")),
            ("rawRequest/q3_fullName/last", Some("Shah")),
            ("rawRequest/q4_email", Some("ravi.shah@example.com")),
            ("rawRequest/q5_phoneNumber/full", Some("(202) 555-0177")),
            ("rawRequest/q7_topics/1", Some("Coffee")),
            ("rawRequest/slug", Some("submit/221144600480140")),
        ],
    ),
    (
        "mailchimp-subscribe.form",
        UTF8_FORM,
        &[
            ("type", Some("subscribe")),
            ("data/id", Some("8a25ff1d98")),
            ("data/email", Some("sofia.rossi@example.com")),
            ("data/merges/FNAME", Some("Sofia")),
            ("data/merges/LNAME", Some("Rossi")),
            ("data/merges/PHONE", Some("(202) 555-0199")),
            ("data/merges/GROUPINGS/0/groups", Some("Tea, Coffee")),
        ],
    ),
    (
        "mailchimp-unsubscribe.form",
        UTF8_FORM,
        &[
            ("type", Some("unsubscribe")),
            ("data/action", Some("unsub")),
            ("data/email", Some("sofia.rossi@example.com")),
        ],
    ),
    (
        "mailchimp-upemail.form",
        UTF8_FORM,
        &[
            ("data/old_email", Some("sofia.rossi@example.com")),
            ("data/new_email", Some("sofia.b@example.com")),
            ("data/merges", None),
        ],
    ),
    (
        "salesforce-outbound-contact-batch.xml",
        "text/xml; charset=utf-8",
        &[
            ("Envelope/Body/notifications/OrganizationId", Some("00D5g000004abcDEAQ")),
            ("Envelope/Body/notifications/SessionId/@nil", Some("true")),
            ("Envelope/Body/notifications/Notification/0/Id", Some("04l5g00000AbCdEAAV")),
            ("Envelope/Body/notifications/Notification/0/sObject/@type", Some("sf:Contact")),
            ("Envelope/Body/notifications/Notification/0/sObject/FirstName", Some("Liam")),
            (
                "Envelope/Body/notifications/Notification/0/sObject/MobilePhone",
                Some("(202) 555-0171"),
            ),
            (
                "Envelope/Body/notifications/Notification/0/sObject/Segment__c",
                Some("VIP;Newsletter"),
            ),
            ("Envelope/Body/notifications/Notification/1/Id", Some("04l5g00000AbCdFAAV")),
            ("Envelope/Body/notifications/Notification/1/sObject/LastName", Some("Haddad & Sons")),
            (
                "Envelope/Body/notifications/Notification/1/sObject/Email",
                Some("noor.haddad@example.com"),
            ),
            ("Envelope/Body/notifications/Notification/1/sObject/MobilePhone", None),
            ("Envelope/Body/notifications/Notification/2", None),
        ],
    ),
    (
        "slack-slash-command.form",
        FORM,
        &[
            ("command", Some("/lead")),
            ("text", Some("Rosa Vega +12025550164 rosa.vega@example.com")),
            ("trigger_id", Some("398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")),
        ],
    ),
    ("woocommerce-ping.form", FORM, &[("webhook_id", Some("9"))]),
    (
        "zapier-webhooks-post-form.form",
        "application/x-www-form-urlencoded; charset=utf-8",
        &[
            ("name", Some("Tom Hale")),
            ("phone", Some("(202) 555-0190")),
            ("tags/0", Some("lead")),
            ("tags/1", Some("zapier")),
            ("address__city", Some("Boston")),
        ],
    ),
    (
        "zoho-workflow-webhook-form.form",
        "application/x-www-form-urlencoded;charset=UTF-8",
        &[
            ("contact_id", Some("3477061000005389001")),
            ("First Name", Some("Amélie")),
            ("Mobile", Some("+33 6 55 50 01 44")),
            ("Tag", Some("VIP;Expo 2026")),
        ],
    ),
];

#[test]
fn what_senders_send_becomes_the_document_that_mappings_read() {
    let (parse_json, always_arrays) = (names(&["rawRequest", "payload"]), names(&["Notification"]));
    let options =
        Options { parse_json: &parse_json, always_arrays: &always_arrays, ..Options::default() };
    let mut seen: Vec<_> = CASES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    for (name, content_type, expected) in CASES {
        let document = document(Some(content_type), &kept(name), &options).unwrap();
        for (path, value) in *expected {
            let found = at(&document, path).map(|found| found.as_text().unwrap_or("no text"));
            assert_eq!(found, *value, "{name} {path}");
        }
    }

    let mislabelled = "cal-com-custom-template-mislabelled.form";
    let error = document(Some(FORM), &kept(mislabelled), &options).unwrap_err();
    assert!(matches!(error, Error::Syntax { .. }), "{error}");
    seen.push(mislabelled.to_owned());

    let folder = format!("{}/tests/fixtures/bodies", env!("CARGO_MANIFEST_DIR"));
    let mut there: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    seen.sort();
    there.sort();
    assert_eq!(seen, there, "each kept body is in this table");
}

#[test]
fn the_format_follows_the_content_type_and_a_lie_is_seen_through() {
    for (content_type, body, read) in [
        (Some("application/json"), "1", Some("1")),
        (Some("Application/JSON; charset=utf-8"), "{}", Some("{}")),
        (Some("application/cloudevents+json"), "{\"id\":\"1\"}", Some("{\"id\":\"1\"}")),
        (Some("application/cloudevents-batch+json"), "[{}]", Some("[{}]")),
        (Some("application/x-ndjson"), "1\n2", Some("[1,2]")),
        (Some("application/jsonl"), "", Some("[]")),
        (Some("text/xml"), "<a/>", Some("{\"a\":\"\"}")),
        (Some("application/soap+xml; charset=utf-8"), "<a/>", Some("{\"a\":\"\"}")),
        (None, " {}", Some("{}")),
        (None, "\u{feff}\n<a/>", Some("{\"a\":\"\"}")),
        (Some(FORM), "[]", Some("[]")),
        (Some(FORM), " <a/>", Some("{\"a\":\"\"}")),
        (Some(FORM), "a=1", Some("{\"a\":\"1\"}")),
        (Some("text/plain"), "{}", Some("{}")),
        (Some("text/plain"), "a=1", None),
        (None, "a=1", None),
        (Some("image/png"), "{}", None),
    ] {
        let document = document(content_type, body.as_bytes(), &Options::default());
        match read {
            Some(text) => {
                let document = document.map(|document| serde_json::to_string(&document).unwrap());
                assert_eq!(document.as_deref(), Ok(text), "{content_type:?} {body:?}");
            }
            None => assert_eq!(document, Err(Error::UnsupportedContentType), "{content_type:?}"),
        }
    }
}

#[test]
fn a_source_can_say_the_format_whatever_the_content_type_says() {
    for (format, body) in [
        (Format::Json, "{}"),
        (Format::Form, "[]=1"),
        (Format::Xml, "<a/>"),
        (Format::Ndjson, "{}\n{}"),
    ] {
        let options = Options { format, ..Options::default() };
        assert!(document(Some("image/png"), body.as_bytes(), &options).is_ok(), "{format:?}");
    }
    let options = Options { format: Format::Multipart, ..Options::default() };
    let body = b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--";
    assert!(document(Some("text/plain; boundary=B"), body, &options).is_ok());
    assert_eq!(document(Some("text/plain"), body, &options), Err(Error::NoBoundary));
}

#[test]
fn text_is_read_in_the_charset_that_is_named() {
    let cafe = |document: Result<Value, Error>| {
        let document = document.unwrap();
        let found = document.member("a").and_then(Value::as_text).map(str::to_owned);
        found.unwrap_or_else(|| panic!("{document:?}"))
    };
    for (content_type, body) in [
        ("application/json; charset=iso-8859-1", &b"{\"a\":\"caf\xE9\"}"[..]),
        ("application/json; charset=utf-16le", b"{\0\"\0a\0\"\0:\0\"\0c\0a\0f\0\xE9\0\"\0}\0"),
        ("application/json", b"\xFF\xFE{\0\"\0a\0\"\0:\0\"\0c\0a\0f\0\xE9\0\"\0}\0"),
        ("text/xml; charset=windows-1252", b"<a>caf\xE9</a>"),
        ("text/xml", b"<?xml version='1.0' encoding='ISO-8859-1'?><a>caf\xE9</a>"),
        (
            "text/xml; charset=utf-8",
            b"<?xml version='1.0' encoding='ISO-8859-1'?><a>caf\xC3\xA9</a>",
        ),
        ("application/x-www-form-urlencoded; charset=latin1", b"a=caf%E9"),
        (
            "multipart/form-data; boundary=B; charset=latin1",
            b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\ncaf\xE9\r\n--B--",
        ),
    ] {
        let document = document(Some(content_type), body, &Options::default());
        assert_eq!(cafe(document), "café", "{content_type}");
    }
    let unknown = document(Some("application/json; charset=x-klingon"), b"{}", &Options::default());
    assert_eq!(unknown, Err(Error::UnknownCharset));
}
