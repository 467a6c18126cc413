//! Every step by examples: a value as it is written in a file, a document, and what comes of it.

use crate::mapping::expr::Names;
use crate::mapping::expr::samples::{document, evaluated, read};

/// What a value written so gives on a document: JSON, `absent`, or `held: reason`.
fn gives(written: &str, json: &str) -> String {
    evaluated(written, &document(json))
}

fn table(cases: &[(&str, &str, &str)]) {
    for (written, json, expected) in cases {
        assert_eq!(gives(written, json), *expected, "{written} on {json}");
    }
}

#[test]
fn text_steps_change_one_text_and_each_text_of_a_list() {
    table(&[
        ("$.a | trim", r#"{"a":"  x y "}"#, r#""x y""#),
        ("$.a | trim", r#"{"a":[" x ","y "]}"#, r#"["x","y"]"#),
        ("$.a[*] | upper", r#"{"a":["x","y"]}"#, r#"many ["X","Y"]"#),
        ("$.a | lower", r#"{"a":"ÀÉ"}"#, r#""àé""#),
        ("$.a | upper", r#"{"a":"straße"}"#, r#""STRASSE""#),
        ("$.a | title", r#"{"a":"asha  RAO-singh"}"#, r#""Asha  Rao-singh""#),
        ("$.a | collapse_spaces", r#"{"a":" a \n b\t c "}"#, r#""a b c""#),
        ("$.a | strip_html", r#"{"a":"<b>Tom &amp; Co</b>"}"#, r#""Tom & Co""#),
        ("$.a | slug", r#"{"a":"  Crème Brûlée, 2 go! "}"#, r#""creme-brulee-2-go""#),
        (r#"$.a | replace("-", "")"#, r#"{"a":"1-2-3"}"#, r#""123""#),
        (r#"$.a | regex("id=(\d+)")"#, r#"{"a":"x id=42"}"#, r#""42""#),
        (r#"$.a | regex("^[0-9a-f]{4}$")"#, r#"{"a":"beef"}"#, r#""beef""#),
        (r#"$.a | regex("(a)(b)", group=2)"#, r#"{"a":"ab"}"#, r#""b""#),
        (r#"$.a | regex("(a)(b)", group=0)"#, r#"{"a":"ab"}"#, r#""ab""#),
        (r#"$.a | regex("nothing")"#, r#"{"a":"ab"}"#, "absent"),
        (r#"$.a | prefix("+")"#, r#"{"a":91}"#, r#""+91""#),
        (r#"$.a | suffix(" km")"#, r#"{"a":1.50}"#, r#""1.50 km""#),
        ("$.a | truncate(3)", r#"{"a":"नमस्ते"}"#, r#""नमस""#),
        (
            "$.a | sha256",
            r#"{"a":"abc"}"#,
            r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#,
        ),
        ("$.a | upper", r#"{"a":true}"#, r#""TRUE""#),
        ("$.a | upper", r#"{"a":{"b":1}}"#, "held: type"),
    ]);
}

#[test]
fn a_step_leaves_a_blank_as_it_is() {
    for step in [
        "trim",
        "lower",
        "slug",
        "sha256",
        "number",
        "email",
        "bool",
        "json",
        "unique",
        "pick(first)",
        r#"prefix("x")"#,
        r#"split(",")"#,
        "map(a=b)",
        r#"date("%Y")"#,
        "phone(IN)",
        "money(INR)",
        r#"path("$.x")"#,
    ] {
        table(&[
            (&format!("$.a | {step}"), "{}", "absent"),
            (&format!("$.a | {step}"), r#"{"a":null}"#, "null"),
            (&format!("$.a | {step}"), r#"{"a":" "}"#, r#"" ""#),
            (&format!("$.a | {step}"), r#"{"a":[]}"#, "[]"),
        ]);
    }
}

#[test]
fn only_default_and_required_act_on_a_blank() {
    table(&[
        ("$.a | default(x)", "{}", r#""x""#),
        ("$.a | default(x)", r#"{"a":null}"#, r#""x""#),
        ("$.a | default(x)", r#"{"a":"  "}"#, r#""x""#),
        ("$.a | default(x)", r#"{"a":[]}"#, r#""x""#),
        ("$.a | default(x)", r#"{"a":[null,""]}"#, r#""x""#),
        ("$.a | default(x)", r#"{"a":0}"#, "0"),
        ("$.a | default(x)", r#"{"a":false}"#, "false"),
        ("$.a | default(5)", "{}", "5"),
        ("$.a | default(true)", "{}", "true"),
        (r#"$.a | default("5")"#, "{}", r#""5""#),
        ("$.a | default($.b)", r#"{"b":[1]}"#, "[1]"),
        ("$.a | default($.b) | upper", r#"{"b":"x"}"#, r#""X""#),
        ("$.a | required", r#"{"a":"x"}"#, r#""x""#),
        ("$.a | required", r#"{"a":0}"#, "0"),
        ("$.a | required", r#"{"a":""}"#, "held: required"),
        ("$.a | required", "{}", "held: required"),
    ]);
}

#[test]
fn list_steps_make_lists_and_choose_from_them_without_counting_blanks() {
    table(&[
        (r#"$.a | split(",")"#, r#"{"a":" x, ,y ,"}"#, r#"["x","y"]"#),
        (r#"$.a | split(",")"#, r#"{"a":["x,y","z"]}"#, r#"["x","y","z"]"#),
        (r#"$.a | split(",")"#, r#"{"a":","}"#, "[]"),
        (r#"$.a | join(", ")"#, r#"{"a":["x","",null,2]}"#, r#""x, 2""#),
        (r#"$.a[*].n | join("+")"#, r#"{"a":[{"n":1},{"n":[2,3]}]}"#, r#""1+2+3""#),
        (r#"$.a | join("+")"#, r#"{"a":[{}]}"#, "held: type"),
        ("$.a | pick(first)", r#"{"a":["","x","y"]}"#, r#""x""#),
        ("$.a[*] | pick(last)", r#"{"a":["x","y",null]}"#, r#""y""#),
        ("$.a | pick(only)", r#"{"a":["","x"]}"#, r#""x""#),
        ("$.a | pick(only)", r#"{"a":["x","y"]}"#, "held: several"),
        ("$.a | pick(only)", r#"{"a":"x"}"#, r#""x""#),
        ("$.a | unique", r#"{"a":["x","y","x",null]}"#, r#"["x","y"]"#),
        ("$.a | only(x, 'y z')", r#"{"a":["x","X","y z"]}"#, r#"["x","y z"]"#),
        ("$.a | only(x)", r#"{"a":"y"}"#, "absent"),
        ("$.a | only(x)", r#"{"a":["y"]}"#, "[]"),
        ("$.a | drop(n/a, none)", r#"{"a":"n/a"}"#, "absent"),
        ("$.a | drop([n/a, none])", r#"{"a":["ok","none"]}"#, r#"["ok"]"#),
    ]);
}

#[test]
fn map_gives_a_word_for_a_word() {
    table(&[
        ("$.a | map(plans)", r#"{"a":"pro_2024"}"#, r#""pro""#),
        ("$.a | map(plans)", r#"{"a":"other"}"#, r#""other""#),
        ("$.a | map(plans)", r#"{"a":["pro_2024","other"]}"#, r#"["pro","other"]"#),
        ("$.a | map(plans, otherwise=absent)", r#"{"a":"other"}"#, "absent"),
        ("$.a | map(plans, otherwise=hold)", r#"{"a":"other"}"#, "held: step"),
        (r#"$.a | map(plans, otherwise="free")"#, r#"{"a":"other"}"#, r#""free""#),
        ("$.a | map(plans)", r#"{"a":"gone"}"#, "absent"),
        ("$.a | map(1=one, 2=true)", r#"{"a":1}"#, r#""one""#),
        ("$.a | map(1=one, 2=true)", r#"{"a":"2"}"#, "true"),
        (r#"$.a | map("Big Co"=big)"#, r#"{"a":"Big Co"}"#, r#""big""#),
        ("$.a | map(x=y)", r#"{"a":{}}"#, "held: type"),
        ("{ from: $.a, steps: [{ map: { x: y, otherwise: absent } }] }", r#"{"a":"z"}"#, "absent"),
        (
            "{ from: $.a, steps: [{ map: { index: '$.t[*]', key: $item.k, value: $item.v } }] }",
            r#"{"a":"z","t":[{"k":"z","v":"zed"},{"k":"y"}]}"#,
            r#""zed""#,
        ),
        (
            "{ from: $.a, steps: [{ map: { index: $.t, key: $item.k, value: $item.v, otherwise: hold } }] }",
            r#"{"a":"y","t":[{"k":"z","v":"zed"},{"k":"y"}]}"#,
            "held: step",
        ),
        (
            "{ from: $.a, steps: [{ map: { index: $.t, key: $item.k, value: $item.v } }] }",
            r#"{"a":"z","t":[{"k":"z","v":1},{"k":"z","v":2}]}"#,
            "held: several",
        ),
    ]);
}

#[test]
fn bool_never_guesses() {
    let own = "$.a | bool(yes=[subscribed], no=[unsubscribed, Redacted])";
    table(&[
        ("$.a | bool", r#"{"a":" YES "}"#, "true"),
        ("$.a | bool", r#"{"a":"off"}"#, "false"),
        ("$.a | bool", r#"{"a":1}"#, "true"),
        ("$.a | bool", r#"{"a":0}"#, "false"),
        ("$.a | bool", r#"{"a":false}"#, "false"),
        ("$.a | bool", r#"{"a":"maybe"}"#, "held: step"),
        ("$.a | bool", r#"{"a":["yes","no"]}"#, "false"),
        ("$.a | bool", r#"{"a":{}}"#, "held: type"),
        (own, r#"{"a":" Subscribed"}"#, "true"),
        (own, r#"{"a":"redacted"}"#, "false"),
        (own, r#"{"a":"pending"}"#, "absent"),
        (own, r#"{"a":true}"#, "absent"),
        (own, r#"{"a":["subscribed","pending"]}"#, "true"),
        (own, r#"{"a":["subscribed","unsubscribed"]}"#, "false"),
    ]);
}

#[test]
fn numbers_addresses_and_amounts_keep_every_digit_and_refuse_what_is_none() {
    table(&[
        ("$.a | number", r#"{"a":" 12345678901234567890123.10 "}"#, "12345678901234567890123.10"),
        ("$.a | number", r#"{"a":"1,5"}"#, "held: step"),
        ("$.a | number", r#"{"a":"007"}"#, "held: step"),
        ("$.a | number", r#"{"a":true}"#, "held: step"),
        (
            "$.a | email",
            r#"{"a":" Asha.Rao+x@mail.example.com "}"#,
            r#""Asha.Rao+x@mail.example.com""#,
        ),
        ("$.a | email", r#"{"a":"asha@example"}"#, "held: step"),
        ("$.a | email", r#"{"a":"a b@example.com"}"#, "held: step"),
        ("$.a | email", r#"{"a":"@example.com"}"#, "held: step"),
        ("$.a | money(INR)", r#"{"a":123456}"#, r#""1234.56""#),
        ("$.a | money(JPY)", r#"{"a":"500"}"#, r#""500""#),
        ("$.a | money(KWD)", r#"{"a":-5}"#, r#""-0.005""#),
        ("$.a | money(INR)", r#"{"a":"10.00"}"#, r#""0.10""#),
        ("$.a | money(INR)", r#"{"a":"10.50"}"#, "held: step"),
        ("$.a | money($.c)", r#"{"a":100,"c":"usd"}"#, r#""1.00""#),
        ("$.a | money($.c)", r#"{"a":100,"c":"BTC"}"#, "held: step"),
        ("$.a | money($.c)", r#"{"a":100}"#, "held: step"),
    ]);
}

#[test]
fn a_date_is_read_however_it_is_written_and_printed_in_a_time_zone() {
    let day = r#"$.a | date("%d %b %Y %H:%M", tz=Asia/Kolkata)"#;
    table(&[
        (day, r#"{"a":"2026-11-23T20:00:00Z"}"#, r#""24 Nov 2026 01:30""#),
        (day, r#"{"a":"2026-11-23T20:00:00+05:30"}"#, r#""23 Nov 2026 20:00""#),
        (day, r#"{"a":1795464000}"#, r#""24 Nov 2026 01:30""#),
        (day, r#"{"a":"1795464000000"}"#, r#""24 Nov 2026 01:30""#),
        (day, r#"{"a":"Mon, 23 Nov 2026 20:00:00 GMT"}"#, r#""24 Nov 2026 01:30""#),
        (day, r#"{"a":"2026-11-23 10:00"}"#, r#""23 Nov 2026 15:30""#),
        (day, r#"{"a":"2026-11-23"}"#, r#""23 Nov 2026 05:30""#),
        (day, r#"{"a":"next week"}"#, "held: step"),
        (day, r#"{"a":{}}"#, "held: type"),
        (r#"$.a | date("%Y-%m-%d")"#, r#"{"a":"2026-11-23"}"#, r#""2026-11-23""#),
        (r#"$.a | date("%Y-%m-%d", from="%d/%m/%Y")"#, r#"{"a":"23/11/2026"}"#, r#""2026-11-23""#),
        (r#"$.a | date("%Y-%m-%d", from=unix_ms)"#, r#"{"a":1000}"#, r#""1970-01-01""#),
        (r#"$.a | date("%Y", from=rfc3339)"#, r#"{"a":"1795464000"}"#, "held: step"),
        (r#"$.a | date("%H", tz=$.z)"#, r#"{"a":0,"z":"Asia/Kolkata"}"#, r#""05""#),
        (r#"$.a | date("%H", tz=$.z)"#, r#"{"a":0,"z":"Nowhere"}"#, "held: step"),
    ]);
}

#[test]
fn json_and_path_look_into_a_value() {
    table(&[
        ("$.a | json", r#"{"a":"{\"b\":[1.10]}"}"#, r#"{"b":[1.10]}"#),
        ("$.a | json", r#"{"a":"{"}"#, "held: step"),
        ("$.a | json", r#"{"a":{"b":1}}"#, r#"{"b":1}"#),
        (r#"$.a | json | path("$.b[0]")"#, r#"{"a":"{\"b\":[7]}"}"#, "7"),
        (r#"$.a | path("$.b[*]")"#, r#"{"a":{"b":[1,2]}}"#, "many [1,2]"),
        ("$.a | path($.b)", r#"{"a":{"b":1}}"#, "1"),
        ("$.a | path($)", r#"{"a":7}"#, "7"),
        ("$.a | default($) | path($.b)", r#"{"b":3}"#, "3"),
        (r#"$.a | path("$.c")"#, r#"{"a":{"b":1}}"#, "absent"),
    ]);
}

#[test]
fn what_is_wrong_with_a_step_is_said_at_its_place() {
    for (written, place, message) in [
        ("$.a | trimm", "trimm", "the step `trimm` is not known"),
        ("$.a | trim(x)", "x", "`trim` takes no arguments"),
        ("$.a | truncate(x)", "x", "`truncate` takes a whole number here"),
        ("$.a | truncate", "truncate", "`truncate` needs a number of characters"),
        (r#"$.a | replace("a")"#, r#"replace("a")"#, "`replace` needs `to`"),
        (r#"$.a | replace("", b)"#, r#""""#, "there is nothing to replace"),
        (r#"$.a | regex("(")"#, r#""(""#, "this is no regular expression: unclosed group"),
        (
            r#"$.a | regex("a", group=1)"#,
            "1",
            "`group` is a number from 0 to 0, as the pattern has groups",
        ),
        ("$.a | phone(India)", "India", "`India` is no country"),
        ("$.a | phone(IN, invald=absent)", "invald", "`phone` takes no argument `invald`"),
        (
            "$.a | phone(IN, invalid=maybe)",
            "maybe",
            "`phone` takes `hold`, `absent` here, not `maybe`",
        ),
        (r#"$.a | date("%d", tz=Asia/Calcuta)"#, "Asia/Calcuta", "`Asia/Calcuta` is no time zone"),
        (
            "$.a | date(today)",
            "today",
            "a date format has parts such as `%d %b %Y %H:%M`, this one cannot be read",
        ),
        ("$.a | map(plan)", "plan", "there is no table `plan` in `tables`"),
        ("$.a | money(XXX)", "XXX", "`XXX` is no currency of ISO 4217"),
        ("$.a | pick(any)", "any", "`pick` takes `first`, `last`, `only` here, not `any`"),
        ("$.a || $.b", "|", "`||` is not part of the language"),
        ("$.a | ", "", "a step is missing after the `|`"),
        ("$.a | split(\",\"", "(", "this `(` is not closed"),
        ("$.a | split(\",)", "\"", "this `\"` is not closed"),
        ("$.a | default(a b)", "b", "`,` or `)` is expected here"),
        ("$.a | trim upper", "u", "a `|` is expected before the next step"),
        ("$.a | trim)", ")", "this `)` closes nothing"),
        ("$.a | default($nam.x)", "nam.x", "no `let` is named `nam`"),
        ("$.a | path($nam.x)", "nam.x", "no `let` is named `nam`"),
    ] {
        let quoted = format!("'{written}'");
        let (_, problems) = read(&quoted, &Names::default());
        let found: Vec<_> = problems
            .iter()
            .map(|problem| (quoted.get(problem.span.clone()).unwrap(), problem.message.as_str()))
            .collect();
        assert_eq!(found, [(place, message)], "{written}");
    }
}
