use super::*;
use crate::mapping::expr::samples::{document, evaluated};

/// The digits of a number, or nothing where it is held.
fn digits(country: Option<Id>, written: &str) -> Option<String> {
    read(written, country).ok().map(String::from)
}

#[test]
fn a_number_is_read_as_it_is_dialed_in_its_country() {
    for (country, written, expected) in [
        (Id::IN, "9812345678", "919812345678"),
        (Id::IN, "09812345678", "919812345678"),
        (Id::IN, "98123 45678", "919812345678"),
        (Id::IN, "919812345678", "919812345678"),
        (Id::BR, "0 15 11 96123-4567", "5511961234567"),
        (Id::NG, "0802 123 4567", "2348021234567"),
        (Id::US, "(202) 555-0143", "12025550143"),
        (Id::US, "1-202-555-0143", "12025550143"),
        (Id::US, "011 44 7911 123456", "447911123456"),
        (Id::US, "416-555-0123", "14165550123"),
        (Id::GB, "07911 123456", "447911123456"),
        (Id::DE, "0151 23456789", "4915123456789"),
        (Id::ID, "0812-3456-7890", "6281234567890"),
        (Id::IT, "06 698 12345", "390669812345"),
        (Id::AR, "011 15-2345-6789", "5491123456789"),
        (Id::MX, "55 1234 5678", "525512345678"),
    ] {
        assert_eq!(
            digits(Some(country), written).as_deref(),
            Some(expected),
            "{written:?} in {}",
            country.as_ref()
        );
    }
}

#[test]
fn with_a_plus_or_00_a_number_says_its_country_itself_and_needs_only_to_be_possible() {
    for country in [None, Some(Id::IN), Some(Id::US)] {
        for (written, expected) in [
            ("+919812345678", Some("919812345678")),
            ("+91 98123 45678", Some("919812345678")),
            ("00919812345678", Some("919812345678")),
            ("00 44 7911 123456", Some("447911123456")),
            ("+44 (0)7911 123456", Some("447911123456")),
            ("\u{202a}+919812345678\u{202c}", Some("919812345678")),
            ("\u{ff0b}919812345678", Some("919812345678")),
            ("tel:+91-98123-45678", Some("919812345678")),
            ("+911111111111", Some("911111111111")),
            ("+39 06 698 12345", Some("390669812345")),
            ("+9198123", None),
            ("+9998123456789", None),
            ("+91981234567890123", None),
            ("0000000000", None),
            ("+", None),
            ("+91 98123 45678 x12", None),
        ] {
            assert_eq!(digits(country, written).as_deref(), expected, "{written:?} {country:?}");
        }
    }
}

#[test]
fn without_a_plus_a_number_must_be_valid_for_the_country() {
    for (country, written) in [
        (Some(Id::IN), "12345"),
        (Some(Id::IN), "1111111111"),
        (Some(Id::IN), "12025550143"),
        (Some(Id::US), "0000000000"),
        (Some(Id::US), "9812345678901"),
        (Some(Id::IN), "call me"),
        (Some(Id::IN), "98123 45678 ext. 12"),
        (Some(Id::IN), "9.812345678E+9"),
        (Some(Id::IN), "9812345678, 9812345679"),
        (Some(Id::IN), "-"),
        (None, "919812345678"),
        (None, "9812345678"),
    ] {
        let held = read(written, country).unwrap_err();
        assert_eq!(held.reason, HeldReason::Phone, "{written:?}");
        assert!(!held.detail.contains(written), "{}", held.detail);
    }
}

#[test]
fn a_message_names_the_countries_of_the_file_and_the_paths_to_others() {
    use crate::mapping::expr::Names;
    let event = document(r#"{"p":"12345","c":"US"}"#);
    let value = crate::mapping::expr::samples::value("$.p | phone(IN, $.c)", &Names::default());

    let held = value.evaluate(&Scope::new(&event)).unwrap_err();

    assert_eq!(
        held.to_string(),
        "`$.p`, step `phone`: a phone number is expected, a text that is no valid number for IN, $.c was found"
    );
}

#[test]
fn digits_of_other_scripts_are_digits() {
    for written in ["٩٨١٢٣٤٥٦٧٨", "۹۸۱۲۳۴۵۶۷۸", "९८१२३४५६७८", "９８１２３４５６７８"]
    {
        assert_eq!(digits(Some(Id::IN), written).as_deref(), Some("919812345678"), "{written}");
    }
}

#[test]
fn the_step_tries_countries_in_turn_and_what_it_gives_is_final() {
    for (written, json, expected) in [
        ("$.p | phone", r#"{"p":9812345678}"#, "mobile 919812345678"),
        ("$.p | phone(US)", r#"{"p":"202-555-0143"}"#, "mobile 12025550143"),
        ("$.p | phone(FR, IN)", r#"{"p":"9812345678"}"#, "mobile 919812345678"),
        ("$.p | phone($.c)", r#"{"p":"2025550143","c":" us "}"#, "mobile 12025550143"),
        ("$.p | phone($.c, IN)", r#"{"p":"9812345678","c":"India"}"#, "mobile 919812345678"),
        ("$.p | phone($.c)", r#"{"p":"9812345678"}"#, "held: phone"),
        ("$.p | phone($.c)", r#"{"p":"+919812345678"}"#, "mobile 919812345678"),
        ("$.p | phone(e164)", r#"{"p":"4915123456789"}"#, "mobile 4915123456789"),
        ("$.p | phone(e164)", r#"{"p":"+49 151 23456789"}"#, "mobile 4915123456789"),
        ("$.p | phone(e164)", r#"{"p":"12"}"#, "held: phone"),
        ("$.p | phone(IN)", r#"{"p":"12345"}"#, "held: phone"),
        ("$.p | phone(IN, invalid=absent)", r#"{"p":"12345"}"#, "absent"),
        ("$.p | phone(invalid=absent)", r#"{"p":"9812345678"}"#, "mobile 919812345678"),
        ("$.p | phone(IN)", r#"{"p":{}}"#, "held: type"),
        ("$.p | phone(US) | prefix('+')", r#"{"p":"2025550143"}"#, r#""+12025550143""#),
        ("$.p | phone(US) | required", r#"{"p":"2025550143"}"#, "mobile 12025550143"),
        ("$.p | phone(US) | default('555')", r#"{"p":""}"#, r#""555""#),
        (
            "$.p[*] | phone(US, invalid=absent) | pick(first)",
            r#"{"p":["1","2025550143","2025550144"]}"#,
            "mobile 12025550143",
        ),
        (
            "{ first_of: ['$.p | phone(IN, invalid=absent)', '$.q | phone(US)'] }",
            r#"{"p":"12","q":"2025550143"}"#,
            "mobile 12025550143",
        ),
    ] {
        assert_eq!(evaluated(written, &document(json)), expected, "{written} on {json}");
    }
}
