//! Values by examples: as they are written in a file, on a document.

mod reading;

use super::samples::{document, evaluated, read, shown, value, with_reading};
use super::{Evaluated, Expr, Lets, Names, Scope, Table};
use crate::contact::{AttributeChange, HeldReason};
use crate::mapping::syntax::{Node, Problems};
use crate::mapping::{Held, When};

fn table(cases: &[(&str, &str, &str)]) {
    for (written, json, expected) in cases {
        assert_eq!(evaluated(written, &document(json)), *expected, "{written} on {json}");
    }
}

#[test]
fn a_scalar_is_a_path_a_template_or_itself() {
    table(&[
        ("$.a", r#"{"a":1.10}"#, "1.10"),
        ("$.a", r#"{"a":null}"#, "null"),
        ("$.a", "{}", "absent"),
        ("$.a[*]", r#"{"a":[1,2]}"#, "many [1,2]"),
        ("$.a[*]", r#"{"a":[]}"#, "absent"),
        ("$ | path('$.a')", r#"{"a":1}"#, "1"),
        ("'$5 off'", "{}", r#""$5 off""#),
        ("lead", "{}", r#""lead""#),
        ("true", "{}", "true"),
        ("'true'", "{}", r#""true""#),
        ("yes", "{}", r#""yes""#),
        ("0917", "{}", r#""0917""#),
        ("1.10", "{}", "1.10"),
        ("'1.10'", "{}", r#""1.10""#),
        ("123456789012345678901234", "{}", "123456789012345678901234"),
        ("\"{{ body.a }}\"", r#"{"a":"x"}"#, r#""x""#),
        ("{ value: $5 off }", "{}", r#""$5 off""#),
        ("{ value: 5 }", "{}", r#""5""#),
        ("[$.a, x]", r#"{"a":["y",null]}"#, r#"["y","x"]"#),
    ]);
}

#[test]
fn forms_make_one_value_of_several() {
    table(&[
        ("{ first_of: [$.a, $.b, c] }", r#"{"a":" ","b":0}"#, "0"),
        ("{ first_of: [$.a, $.b] }", r#"{"a":null}"#, "absent"),
        ("{ first_of: [$.a, $.b] }", r#"{"a":["",null],"b":false}"#, "false"),
        ("{ first_of: ['$.a | number', b] }", r#"{"a":"x"}"#, "held: step"),
        (
            "{ first_of: [{ from: $.a, steps: [number], on_error: next }, b] }",
            r#"{"a":"x"}"#,
            r#""b""#,
        ),
        (
            "{ join: [$.a, $.b, $.c], with: ' ' }",
            r#"{"a":"Asha","b":"","c":"Rao"}"#,
            r#""Asha Rao""#,
        ),
        ("{ join: [$.a, $.b] }", r#"{"a":"x","b":1}"#, r#""x1""#),
        ("{ join: [$.a], with: ', ' }", r#"{"a":["x","y"]}"#, r#""x, y""#),
        ("{ join: [$.a, $.b] }", r#"{"a":""}"#, "absent"),
        ("{ join: [$.a] }", r#"{"a":{}}"#, "held: type"),
        ("{ all_of: [$.a, $.b, c] }", r#"{"a":["x",""],"b":null}"#, r#"["x","c"]"#),
        ("{ all_of: [$.a] }", "{}", "absent"),
        ("{ remove: true }", "{}", "remove"),
        (
            "{ from: $.a, steps: [trim, { replace: ['-', ''] }, 'prefix(\"+\")'] }",
            r#"{"a":" 1-2 "}"#,
            r#""+12""#,
        ),
        ("{ from: { first_of: [$.a, $.b] }, steps: [upper] }", r#"{"b":"x"}"#, r#""X""#),
        ("{ from: $.a, steps: [{ default: { first_of: [$.b, none] } }] }", "{}", r#""none""#),
        ("{ from: $.a, steps: [{ date: { format: '%Y', tz: UTC } }] }", r#"{"a":0}"#, r#""1970""#),
        ("{ from: $.a, steps: [{ bool: { yes: [a], no: b } }] }", r#"{"a":"b"}"#, "false"),
        ("{ from: $.a, steps: [{ only: [x, y] }] }", r#"{"a":["x","z"]}"#, r#"["x"]"#),
    ]);
}

#[test]
fn options_stand_beside_every_form() {
    table(&[
        ("{ value: x, when: { $.a: 1 } }", r#"{"a":1}"#, r#""x""#),
        ("{ value: x, when: { $.a: 1 } }", r#"{"a":2}"#, "absent"),
        ("{ value: x, when: { $.a: 1 }, default: y }", "{}", r#""y""#),
        ("{ value: x, when: { $.a: 1 }, required: true }", "{}", "absent"),
        ("{ value: x, when: { $.a: { gt: 1 } } }", r#"{"a":"x"}"#, "held: condition"),
        ("{ from: $.a, default: $.b }", r#"{"a":"","b":"z"}"#, r#""z""#),
        ("{ from: $.a, default: z }", r#"{"a":0}"#, "0"),
        ("{ from: $.a, required: true }", r#"{"a":" "}"#, "held: required"),
        ("{ from: $.a, required: true }", r#"{"a":false}"#, "false"),
        ("{ from: $.a, empty: remove }", "{}", "absent"),
        ("{ from: $.a, empty: remove }", r#"{"a":null}"#, "remove"),
        ("{ from: $.a, empty: remove }", r#"{"a":" "}"#, "remove"),
        ("{ from: $.a, empty: remove }", r#"{"a":0}"#, "0"),
        ("{ from: $.a, empty: remove, when: { $.b: 1 } }", r#"{"a":""}"#, "absent"),
        ("{ from: '$.a | number', on_error: absent }", r#"{"a":"x"}"#, "absent"),
        ("{ from: '$.a | number', on_error: hold }", r#"{"a":"x"}"#, "held: step"),
        ("{ from: '$.a | number', on_error: absent, default: 7 }", r#"{"a":"x"}"#, "7"),
    ]);
}

#[test]
fn a_template_prints_texts_numbers_and_booleans_as_they_are_written() {
    table(&[
        (
            "\"{{ body.a }}, {{ body['b c'][0] }}!\"",
            r#"{"a":1.10,"b c":[true]}"#,
            r#""1.10, true!""#,
        ),
        ("Hi {{ body.a | trim | title }}", r#"{"a":" asha "}"#, r#""Hi Asha""#),
        ("\"{{ body.a ~ '-' ~ body.b }}\"", r#"{"a":1,"b":2}"#, r#""1-2""#),
        ("\"{{ 'x' }}{{ 5 }}{{ -1 }}\"", "{}", r#""x5-1""#),
        ("\"{{ body.a }} {{ body.b }}\"", r#"{"a":"x"}"#, "absent"),
        ("\"{{ body.a }} {{ body.b }}\"", r#"{"a":"x","b":null}"#, "absent"),
        ("\"{{ body.a }} {{ body.b }}\"", r#"{"a":"x","b":""}"#, r#""x ""#),
        ("\"{{ body.a }} {{ body.b | default('?') }}\"", r#"{"a":"x"}"#, r#""x ?""#),
        ("\"{{ body.b | default(0) }}\"", "{}", r#""0""#),
        ("\"{{ body.a }}\"", r#"{"a":["x"]}"#, "held: template"),
        ("\"{{ body.a }}\"", r#"{"a":{"b":1}}"#, "held: template"),
        ("\"{{ body.a | join('+') }}\"", r#"{"a":["x","y"]}"#, r#""x+y""#),
        ("\"{{ body.a | map(plans) }}\"", r#"{"a":"pro_2024"}"#, r#""pro""#),
        ("\"{{ body.a | map(x='y') }}\"", r#"{"a":"x"}"#, r#""y""#),
        ("\"{{ body.a | phone(body.c) }}\"", r#"{"a":"2025550143","c":"US"}"#, r#""12025550143""#),
        ("\"{{ body.a | date('%H', tz='Asia/Kolkata') }}\"", r#"{"a":0}"#, r#""05""#),
        ("\"{{ body.a | only(['x', 'y']) }}\"", r#"{"a":"z"}"#, "absent"),
        ("\"{{ body.a | number }}\"", r#"{"a":"x"}"#, "held: step"),
        ("\"{{ body.a }}\"", r#"{"a":12345678901234567890123}"#, r#""12345678901234567890123""#),
    ]);
}

#[test]
fn a_let_is_read_by_its_name_and_its_table_by_its_keys() {
    let document = document(
        r#"{"form":[{"k":"first","v":"Asha"},{"k":"empty","v":""},{"v":"no key"},{"k":"size","v":0},
                    {"k":"twice","v":1},{"k":"twice","v":2}],
            "phone":"2025550143","tels":[{"k":"home","v":"2025550144"}]}"#,
    );
    let mut names = Names::default();
    let mut lets = Vec::new();
    for (name, written) in [
        ("answer", "{ index: '$.form[*]', key: $item.k, value: $item.v }"),
        ("first", "{ index: $.form, key: $item.k, value: $item.v, on_repeat: first }"),
        ("last", "{ index: $.form, key: $item.k, value: $item.v, on_repeat: last }"),
        ("all", "{ index: $.form, key: $item.k, value: $item.v, on_repeat: list }"),
        ("tel", "'$.phone | phone(US)'"),
        ("mobile", "$tel"),
        ("tels", "{ index: '$.tels[*]', key: $item.k, value: '$item.v | phone(US)' }"),
    ] {
        lets.push(value(written, &names));
        names = names.with_let(name);
    }
    let lets = Lets::new(&lets);
    let scope = Scope::new(&document).with_lets(&lets);

    for (written, expected) in [
        ("$answer.first", r#""Asha""#),
        ("$answer.size", "0"),
        ("$answer.empty", "absent"),
        ("$answer.twice", "held: several"),
        ("$first.twice", "1"),
        ("$last.twice", "2"),
        ("$all.twice", "[1,2]"),
        ("$all.first", r#"["Asha"]"#),
        ("\"{{ answer.first }}\"", r#""Asha""#),
        ("\"{{ answer['first'] }}\"", r#""Asha""#),
        ("$tel", "mobile 12025550143"),
        ("$mobile", "mobile 12025550143"),
        ("{ first_of: [$.none, $mobile] }", "mobile 12025550143"),
        ("$tels.home", "mobile 12025550144"),
        ("$mobile | suffix('!')", r#""12025550143!""#),
    ] {
        assert_eq!(shown(&value(written, &names), &scope), expected, "{written}");
    }
}

#[test]
fn a_rules_let_keeps_its_item_inside_an_index() {
    let document = document(r#"{"leads":[{"id":"L1"}],"pairs":[{"id":"P1"}]}"#);
    let names = Names::default().with_item();
    let own = [value("$item.id", &names)];
    let with_own = names.with_let("own");
    let table = value("{ index: '$.pairs[*]', key: $item.id, value: $own }", &with_own);
    let item = super::samples::document(r#"{"id":"L1"}"#);
    let lets = Lets::new(&own);
    let scope = Scope::new(&document).with_item(&item).with_rule_lets(&lets);

    assert_eq!(shown(&table, &scope), r#"{"P1":"L1"}"#);
}

fn field<T>(
    written: &str,
    json: &str,
    read: impl FnOnce(&Expr, &Scope<'_>) -> Result<T, Held>,
) -> Result<T, HeldReason> {
    let document = document(json);
    let value = value(written, &Names::default());
    read(&value, &Scope::new(&document)).map_err(|held| held.reason)
}

#[test]
fn a_field_of_one_text_leaves_blanks_out_and_holds_what_is_no_text() {
    for (json, expected) in [
        ("{}", Ok(None)),
        (r#"{"a":null}"#, Ok(None)),
        (r#"{"a":" "}"#, Ok(None)),
        (r#"{"a":[]}"#, Ok(None)),
        (r#"{"a":["",null]}"#, Ok(None)),
        (r#"{"a":0}"#, Ok(Some("0"))),
        (r#"{"a":false}"#, Ok(Some("false"))),
        (r#"{"a":" x "}"#, Ok(Some(" x "))),
        (r#"{"a":1.10}"#, Ok(Some("1.10"))),
        (r#"{"a":["x"]}"#, Ok(Some("x"))),
        (r#"{"a":["","x",[]]}"#, Ok(Some("x"))),
        (r#"{"a":["x","y"]}"#, Err(HeldReason::Several)),
        (r#"{"a":{}}"#, Err(HeldReason::Type)),
    ] {
        let expected = expected.map(|text: Option<&str>| text.map(str::to_owned));
        assert_eq!(field("$.a", json, Expr::text), expected, "{json}");
        let attribute = expected.map(|text| text.map(AttributeChange::Set));
        assert_eq!(field("$.a", json, Expr::attribute), attribute, "{json}");
    }
    let removed = field("{ from: $.a, empty: remove }", r#"{"a":""}"#, Expr::attribute);
    assert_eq!(removed, Ok(Some(AttributeChange::Remove)));
    let removed = field("{ from: $.a, empty: remove }", r#"{"a":""}"#, Expr::text);
    assert_eq!(removed, Err(HeldReason::Type));
}

#[test]
fn a_list_field_takes_all_and_tells_nothing_from_an_empty_list() {
    for (written, json, expected) in [
        ("$.a", "{}", Ok(None)),
        ("$.a", r#"{"a":null}"#, Ok(None)),
        ("$.a", r#"{"a":""}"#, Ok(Some(vec![]))),
        ("$.a", r#"{"a":[]}"#, Ok(Some(vec![]))),
        ("$.a", r#"{"a":"x"}"#, Ok(Some(vec!["x"]))),
        ("$.a", r#"{"a":["x",["y",["x"]],null,"",1]}"#, Ok(Some(vec!["x", "y", "1"]))),
        ("$.a[*].t", r#"{"a":[{"t":"x"},{"t":["y"]}]}"#, Ok(Some(vec!["x", "y"]))),
        ("$.a", r#"{"a":[{}]}"#, Err(HeldReason::Type)),
        ("$.a | split(',') | only(x)", r#"{"a":"y,z"}"#, Ok(Some(vec![]))),
        ("$.a | only(x)", r#"{"a":"y"}"#, Ok(Some(vec![]))),
        ("$.a | only(x)", "{}", Ok(None)),
        ("$.a | map(y=z)", r#"{"a":["y","other"]}"#, Ok(Some(vec!["z"]))),
        ("$.a | map(y=z, otherwise=keep)", r#"{"a":["y","other"]}"#, Ok(Some(vec!["z", "other"]))),
        (
            "[lead, $.a, { value: big, when: { $.b: 1 } }]",
            r#"{"a":"x"}"#,
            Ok(Some(vec!["lead", "x"])),
        ),
    ] {
        let found = field(written, json, Expr::texts);
        let expected = expected.map(|list: Option<Vec<&str>>| {
            list.map(|l| l.into_iter().map(str::to_owned).collect())
        });
        assert_eq!(found, expected, "{written} on {json}");
    }
}

#[test]
fn consent_is_true_or_false_and_nothing_else() {
    for (written, json, expected) in [
        ("true", "{}", Ok(Some(true))),
        ("$.a", r#"{"a":true}"#, Ok(Some(true))),
        ("$.a", r#"{"a":"false"}"#, Ok(Some(false))),
        ("$.a", r#"{"a":["true"]}"#, Ok(Some(true))),
        ("$.a", "{}", Ok(None)),
        ("$.a", r#"{"a":""}"#, Ok(None)),
        ("$.a", r#"{"a":1}"#, Err(HeldReason::Type)),
        ("$.a", r#"{"a":"yes"}"#, Err(HeldReason::Type)),
        ("$.a | bool", r#"{"a":"yes"}"#, Ok(Some(true))),
        ("$.a | map(agreed=true)", r#"{"a":"agreed"}"#, Ok(Some(true))),
        ("$.a | map(agreed=true)", r#"{"a":"other"}"#, Ok(None)),
    ] {
        assert_eq!(field(written, json, Expr::truth), expected, "{written} on {json}");
    }
}

#[test]
fn a_mobile_is_read_for_the_country_of_the_file_unless_a_step_has_read_it() {
    let country = Some(phonenumber::country::Id::IN);
    for (written, json, expected) in [
        ("$.p", r#"{"p":"098123 45678"}"#, Ok(Some("919812345678"))),
        ("$.p", r#"{"p":9812345678}"#, Ok(Some("919812345678"))),
        ("$.p", r#"{"p":["","9812345678"]}"#, Ok(Some("919812345678"))),
        ("$.p", r#"{"p":["9812345678","9812345679"]}"#, Err(HeldReason::Several)),
        ("$.p", r#"{"p":""}"#, Ok(None)),
        ("$.p", r#"{"p":"12"}"#, Err(HeldReason::Phone)),
        ("$.p | phone(US)", r#"{"p":"2025550143"}"#, Ok(Some("12025550143"))),
        ("$.p", r#"{"p":{}}"#, Err(HeldReason::Type)),
    ] {
        let found = field(written, json, |value, scope| value.mobile(scope, country))
            .map(|mobile| mobile.map(String::from));
        assert_eq!(found, expected.map(|m: Option<&str>| m.map(str::to_owned)), "{written} {json}");
    }
}
