use super::*;
use crate::document::Value;
use crate::mapping::expr::Names;
use crate::mapping::expr::samples::{document, with_reading};
use crate::mapping::syntax::{Code, Node, Problem};

fn read(written: &str) -> (Option<When>, Vec<Problem>) {
    let node = Node::read(written).unwrap();
    let names = Names::default();
    with_reading(&names, |reading, problems| When::read(&node, reading, problems))
}

/// `yes`, `no` or `held`.
fn answer(written: &str, document: &Value) -> &'static str {
    let (when, mut problems) = read(written);
    // A text that looks like a path is a text all the same.
    problems.retain(|problem| problem.code != Code::TextLikeAPath);
    assert_eq!(problems, [], "{written}");
    match when.unwrap().holds(&Scope::new(document)) {
        Ok(true) => "yes",
        Ok(false) => "no",
        Err(held) => {
            assert_eq!(held.reason, HeldReason::Condition, "{written}");
            "held"
        }
    }
}

fn table(cases: &[(&str, &str, &str)]) {
    for (written, json, expected) in cases {
        assert_eq!(answer(written, &document(json)), *expected, "{written} on {json}");
    }
}

/// Missing, null, false, 0 and "" are five things: every test against each of them, and against an empty
/// list, an empty object, a text and a number.
#[test]
fn every_test_tells_missing_null_false_zero_and_the_empty_text_apart() {
    const DOCUMENTS: [&str; 9] = [
        "{}",
        r#"{"a":null}"#,
        r#"{"a":false}"#,
        r#"{"a":0}"#,
        r#"{"a":""}"#,
        r#"{"a":[]}"#,
        r#"{"a":{}}"#,
        r#"{"a":"x"}"#,
        r#"{"a":5}"#,
    ];
    let y = "yes";
    let n = "no";
    let h = "held";
    for (test, expected) in [
        //                             missing null false 0  ""  []  {} "x"  5
        ("null", [n, y, n, n, n, n, n, n, n]),
        ("false", [n, n, y, n, n, n, n, n, n]),
        ("0", [n, n, n, y, n, n, n, n, n]),
        ("''", [n, n, n, n, y, n, n, n, n]),
        ("x", [n, n, n, n, n, n, n, y, n]),
        ("5", [n, n, n, n, n, n, n, n, y]),
        ("'5'", [n, n, n, n, n, n, n, n, n]),
        ("{ equals: x }", [n, n, n, n, n, n, n, y, n]),
        ("{ not_equals: x }", [y, y, y, y, y, y, y, n, y]),
        ("{ not_equals: null }", [y, n, y, y, y, y, y, y, y]),
        ("[null, false]", [n, y, y, n, n, n, n, n, n]),
        ("{ in: [0, '', x] }", [n, n, n, y, y, n, n, y, n]),
        ("{ not_in: [0, '', x] }", [y, y, y, n, n, y, y, n, y]),
        ("{ contains: x }", [n, n, n, n, n, n, h, y, n]),
        ("{ contains: '' }", [n, n, y, y, y, n, h, y, y]),
        ("{ starts_with: x }", [n, n, n, n, n, n, h, y, n]),
        ("{ starts_with: 5 }", [n, n, n, n, n, n, h, n, y]),
        ("{ ends_with: e }", [n, n, y, n, n, n, h, n, n]),
        ("{ matches: '^.$' }", [n, n, n, y, n, n, h, y, y]),
        ("{ exists: true }", [n, y, y, y, y, y, y, y, y]),
        ("{ exists: false }", [y, n, n, n, n, n, n, n, n]),
        ("{ empty: true }", [y, y, n, n, y, y, y, n, n]),
        ("{ empty: false }", [n, n, y, y, n, n, n, y, y]),
        ("{ gt: 0 }", [n, n, h, n, n, n, h, h, y]),
        ("{ gte: 0 }", [n, n, h, y, n, n, h, h, y]),
        ("{ lt: 5 }", [n, n, h, y, n, n, h, h, n]),
        ("{ lte: 5 }", [n, n, h, y, n, n, h, h, y]),
        ("{ any_is: x }", [n, n, n, n, n, n, n, y, n]),
        ("{ all_are: null }", [n, y, n, n, n, n, n, n, n]),
        ("{ none_is: x }", [y, y, y, y, y, y, y, n, y]),
        ("{ count: 0 }", [y, n, n, n, n, y, n, n, n]),
        ("{ count: { gte: 1 } }", [n, y, y, y, y, n, y, y, y]),
    ] {
        for (json, expected) in DOCUMENTS.into_iter().zip(expected) {
            let found = answer(&format!("{{ $.a: {test} }}"), &document(json));
            assert_eq!(found, expected, "`$.a: {test}` on {json}");
        }
    }
}

#[test]
fn equality_is_exact_and_numbers_are_compared_by_their_digits() {
    table(&[
        ("$.a: 1", r#"{"a":1.0}"#, "yes"),
        ("$.a: 1", r#"{"a":"1.0"}"#, "yes"),
        ("$.a: '1'", r#"{"a":"1"}"#, "yes"),
        ("$.a: '1'", r#"{"a":1}"#, "no"),
        ("$.a: 9007199254740993", r#"{"a":9007199254740992}"#, "no"),
        ("$.a: 123456789012345678901234", r#"{"a":"123456789012345678901234"}"#, "yes"),
        ("$.a: 0917", r#"{"a":"0917"}"#, "yes"),
        ("$.a: 0917", r#"{"a":917}"#, "no"),
        ("$.a: true", r#"{"a":"true"}"#, "yes"),
        ("$.a: true", r#"{"a":"yes"}"#, "no"),
        ("$.a: true", r#"{"a":1}"#, "no"),
        ("$.a: 'true'", r#"{"a":true}"#, "no"),
        ("$.a: 'true'", r#"{"a":"true"}"#, "yes"),
        ("$.a: X", r#"{"a":"x"}"#, "no"),
        ("$.a | upper: X", r#"{"a":"x"}"#, "yes"),
        ("$.a: .", r#"{"a":"x"}"#, "no"),
        ("$.a: x ", r#"{"a":"x "}"#, "no"),
        ("$.a: $.b", r#"{"a":"x","b":"x"}"#, "yes"),
        ("$.a: $.b", r#"{"a":"x"}"#, "no"),
        ("$.a | phone(US): { any_is: ['12025550143'] }", r#"{"a":"2025550143"}"#, "yes"),
        ("$.b: { in: '$.a | phone(US)' }", r#"{"a":"2025550143","b":"12025550143"}"#, "yes"),
        ("$.a: { not_equals: $.b }", r#"{"a":"x"}"#, "yes"),
        ("$.a: { in: $.b }", r#"{"a":"x","b":["y","x"]}"#, "yes"),
        ("$.a: { in: $.b }", r#"{"a":"x"}"#, "no"),
        ("$.a: { equals: { value: $5 } }", r#"{"a":"$5"}"#, "yes"),
        ("$.a: { gt: 1e2 }", r#"{"a":"100.5"}"#, "yes"),
        ("$.a: { gte: $.b, lt: 10 }", r#"{"a":5,"b":5}"#, "yes"),
    ]);
}

#[test]
fn several_values_need_a_test_for_several() {
    table(&[
        ("$.a[*]: x", r#"{"a":["x"]}"#, "yes"),
        ("$.a[*]: x", r#"{"a":["x","y"]}"#, "held"),
        ("$.a[*]: x", r#"{"a":[]}"#, "no"),
        ("$.a: x", r#"{"a":["x"]}"#, "yes"),
        ("$.a: x", r#"{"a":["x",""]}"#, "yes"),
        ("$.a: x", r#"{"a":["x","y"]}"#, "held"),
        ("$.a[*]: { exists: true }", r#"{"a":["x","y"]}"#, "held"),
        ("$.a: { exists: true }", r#"{"a":["x","y"]}"#, "yes"),
        ("$.a: { empty: false }", r#"{"a":["x","y"]}"#, "yes"),
        ("$.a: { contains: y }", r#"{"a":["x","y"]}"#, "yes"),
        ("$.a: { contains: 1 }", r#"{"a":[1.0]}"#, "yes"),
        ("$.a: { contains: y }", r#"{"a":["xyz"]}"#, "no"),
        ("$.a[*]: { any_is: x }", r#"{"a":["x","y"]}"#, "yes"),
        ("$.a[*]: { any_is: [y, z] }", r#"{"a":["x","y"]}"#, "yes"),
        ("$.a[*]: { any_is: { starts_with: y } }", r#"{"a":["x","yy"]}"#, "yes"),
        ("$.a[*].t: { any_is: x }", r#"{"a":[{"t":["y","x"]},{"t":"z"}]}"#, "yes"),
        ("$.a: { all_are: x }", r#"{"a":["x","x"]}"#, "yes"),
        ("$.a: { all_are: x }", r#"{"a":["x","y"]}"#, "no"),
        ("$.a[*]: { none_is: x }", r#"{"a":["y","z"]}"#, "yes"),
        ("$.a[*]: { count: 2 }", r#"{"a":["y","z"]}"#, "yes"),
        ("$.a: { count: [2, 3] }", r#"{"a":["y","z"]}"#, "yes"),
        ("$.a[*]: { any_is: { gt: 1 } }", r#"{"a":["x",2]}"#, "yes"),
        ("$.a[*]: { any_is: { gt: 1 } }", r#"{"a":["x",1]}"#, "held"),
        ("$.a[*]: { all_are: { gt: 1 } }", r#"{"a":["x",1]}"#, "no"),
    ]);
}

#[test]
fn what_cannot_be_evaluated_is_no_answer_unless_the_answer_does_not_hang_on_it() {
    let json = r#"{"a":"x","b":1}"#;
    table(&[
        ("{ $.a: { gt: 1 }, $.b: 1 }", json, "held"),
        ("{ $.a: { gt: 1 }, $.b: 2 }", json, "no"),
        ("{ $.b: 2, $.a: { gt: 1 } }", json, "no"),
        ("{ any: [{ $.a: { gt: 1 } }, { $.b: 1 }] }", json, "yes"),
        ("{ any: [{ $.a: { gt: 1 } }, { $.b: 2 }] }", json, "held"),
        ("{ all: [{ $.a: { gt: 1 } }, { $.b: 2 }] }", json, "no"),
        ("{ not: { $.a: { gt: 1 } } }", json, "held"),
        ("{ $.a: { gt: 1, equals: y } }", json, "no"),
        ("'$.a | number': { exists: true }", json, "held"),
    ]);
}

#[test]
fn blocks_nest() {
    let json = r#"{"a":"x","b":1}"#;
    table(&[
        ("{ all: [{ $.a: x }, { any: [{ $.b: 2 }, { not: { $.b: 3 } }] }] }", json, "yes"),
        ("{ any: [{ $.a: y }, { $.b: 1, $.a: z }] }", json, "no"),
        ("{ not: { $.missing: x } }", json, "yes"),
        ("{ not: { $.a: x, $.b: 2 } }", json, "yes"),
        ("{ $.a: x, $.b: [1, 2] }", json, "yes"),
    ]);
}

#[test]
fn a_message_names_the_condition_and_not_the_value() {
    let document = document(r#"{"size":"Asha"}"#);
    let (when, _) = read("{ $.size: { gt: 50 } }");

    let held = when.unwrap().holds(&Scope::new(&document)).unwrap_err();

    assert_eq!(
        held.to_string(),
        "`when`, `$.size`: a number is expected, a text that is none was found"
    );
}

#[test]
fn what_is_wrong_with_a_condition_is_said_at_its_place() {
    for (written, place, message) in [
        ("x", "x", "a block of conditions is expected, a single value was found"),
        ("{}", "{}", "a block without conditions always holds: leave `when` out instead"),
        ("{ type: x }", "type", "`type` is no path, and none of `all`, `any`, `not`"),
        ("{ $nam.x: y }", "nam.x", "no `let` is named `nam`"),
        ("{ $.a: { eqals: 1 } }", "eqals", "the test `eqals` is not known"),
        ("{ $.a: {} }", "{}", "a block without tests tests nothing"),
        ("{ $.a: { in: x } }", "x", "a list of values, or a path to one, is expected"),
        ("{ $.a: [] }", "[]", "nothing is in an empty list"),
        ("{ $.a: { gt: ten } }", "ten", "a number, or a path to one, is expected here"),
        ("{ $.a: { exists: yes } }", "yes", "`exists` is `true` or `false`"),
        ("{ $.a: { matches: '(' } }", "'('", "this is no regular expression: unclosed group"),
        ("{ $.a: { equals: [x] } }", "[x]", "one value is expected here, a list was found"),
        ("{ $.a: 1, $.a: 2 }", "$.a", "`$.a` stands twice"),
        (
            "{ any: { $.a: 1 } }",
            "{ $.a: 1 }",
            "`any` is a list of blocks: `any: [{ $.a: x }, { $.b: y }]`",
        ),
        ("{ not: [] }", "[]", "a block of conditions is expected, a list was found"),
        (
            "{ $.a | replace(x, y): z }",
            "y)",
            "the key `y)` ends in `)`: it is the rest of a value that YAML has cut at a `,`",
        ),
        ("{ $.a | uper: X }", "uper", "the step `uper` is not known"),
    ] {
        let (_, problems) = read(written);
        let found: Vec<_> = problems
            .iter()
            .map(|problem| (written.get(problem.span.clone()).unwrap(), problem.message.as_str()))
            .collect();
        assert_eq!(found, [(place, message)], "{written}");
    }
}
