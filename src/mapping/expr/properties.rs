//! Laws of values and conditions, whatever an event or a file holds.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::samples::{read, value, with_reading};
use super::{Expr, Lets, Names, Scope};
use crate::document::{Members, Value};
use crate::mapping::When;
use crate::mapping::explain::Tracer;
use crate::mapping::syntax::Node;

/// Values that between them take every step and form.
const VALUES: &[&str] = &[
    "$.a",
    "$.a[*]",
    "$..b",
    "$table",
    "$table.a",
    "$table[*]",
    "$item.a",
    "$.a | trim | title | collapse_spaces | strip_html | slug | truncate(3) | sha256",
    r#"$.a | lower | upper | replace("a", "bb") | regex("(\w)\w*") | prefix("<") | suffix(">")"#,
    r#"$.a[*] | split(",") | unique | only(a, b) | drop(b) | join("-")"#,
    "$.a | pick(first)",
    "$.a[*] | pick(last)",
    "$..a | pick(only)",
    "$.a | map(plans) | map(a=b, otherwise=hold)",
    "$.a | bool",
    "$.a | bool(yes=[a], no=[b])",
    "$.a | number",
    "$.a | email",
    "$.a | money($.b)",
    "$.a | money(KWD)",
    "$.a | phone($.b, IN, e164)",
    "$.a | phone(invalid=absent) | pick(first)",
    r#"$.a | date("%c %Z", tz=$.b)"#,
    r#"$.a | date("%d", from="%d/%m/%Y %H:%M")"#,
    r#"$.a | json | path("$..b")"#,
    "$.a | default($.b) | required",
    "{ first_of: [$.a, { from: '$.b | number', on_error: next }, $.c] }",
    "{ join: [$.a, '$.b[*]', '{{ body.c }}'], with: ' ' }",
    "{ all_of: [$.a, $..b] }",
    "{ from: $.a, empty: remove, when: { $.b: { gt: 1 } } }",
    "{ from: $.a, steps: [{ map: { index: $.b, key: $item.a, value: $item.b } }] }",
    "{ index: $.a, key: $item.a, value: $item.b, on_repeat: list }",
    "\"{{ body.a }}{{ table.b | default('x') }}{{ body['c'] | upper }}\"",
];

/// Conditions that between them take every test.
const CONDITIONS: &[&str] = &[
    "{ $.a: 1, $.b: x }",
    "{ $.a: { not_equals: $.b, not_in: [1, $..c] } }",
    "{ $.a: { in: $.b } }",
    "{ $.a: { contains: $.b, starts_with: a, ends_with: $.c, matches: '^a' } }",
    "{ $.a: { exists: true }, $.b: { empty: false } }",
    "{ $.a: { gt: $.b, gte: 0, lt: 1e3, lte: $.c } }",
    "{ $..a: { any_is: { gt: 1 }, all_are: [a, b], none_is: x, count: { lt: 3 } } }",
    "{ any: [{ not: { '$.a | number': 1 } }, { all: [{ $.b: null }, { $table.a: x }] }] }",
];

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab,<>&;/ ]{0,6}",
        "[+0-9 ()-]{0,16}",
        "-?[0-9]{1,30}(\\.[0-9]{1,3})?(e[0-9]{1,3})?",
        Just("2026-11-23T20:00:00+05:30".to_owned()),
        Just("{\"b\":[1,{\"b\":2}]}".to_owned()),
        Just("Asia/Kolkata".to_owned()),
        Just("IN".to_owned()),
        ".{0,8}",
    ]
}

fn any_document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,3})?(e-?[0-9]{1,4})?"
            .prop_map(|digits| Value::Number(digits.into())),
        any_text().prop_map(Value::text),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(("[abc]", inner), 0..4).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.into(), value)).collect::<Members>()
            )),
        ]
    })
}

/// Everything that is made of an event by the values and conditions above, in words.
fn everything(
    lets: &[Expr],
    values: &[Expr],
    conditions: &[When],
    document: &Value,
    tracer: Option<&Tracer>,
) -> Vec<String> {
    let lets = Lets::new(lets);
    let scope = Scope::new(document).with_item(document).with_lets(&lets).noted_by(tracer);
    let of_values = values.iter().map(|value| {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            value.evaluate(&scope),
            value.text(&scope),
            value.texts(&scope),
            value.truth(&scope),
            value.mobile(&scope, Some(phonenumber::country::Id::IN)),
            value.attribute(&scope),
        )
    });
    of_values.chain(conditions.iter().map(|when| format!("{:?}", when.holds(&scope)))).collect()
}

/// The values and conditions, compiled, with the `let` they read.
static COMPILED: LazyLock<(Vec<Expr>, Vec<Expr>, Vec<When>)> = LazyLock::new(|| {
    let lets = vec![value("{ index: '$..a', key: $item.a, value: $item.b }", &Names::default())];
    let names = Names::default().with_let("table").with_item();
    let values = VALUES.iter().map(|written| value(written, &names)).collect();
    let conditions = CONDITIONS.iter().map(|written| {
        let node = Node::read(written).unwrap();
        let (when, problems) =
            with_reading(&names, |reading, problems| When::read(&node, reading, problems));
        assert_eq!(problems, [], "{written}");
        when.unwrap()
    });
    let conditions = conditions.collect();
    (lets, values, conditions)
});

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// No document brings a mapping down, and the same event gives the same result.
    #[test]
    fn any_document_gives_the_same_answers_twice_noted_or_not(documents in prop::collection::vec(any_document(), 4)) {
        let (lets, values, conditions) = &*COMPILED;
        for document in &documents {
            let once = everything(lets, values, conditions, document, None);
            prop_assert_eq!(&once, &everything(lets, values, conditions, document, None));
            let noted = Tracer::default();
            prop_assert_eq!(&once, &everything(lets, values, conditions, document, Some(&noted)));
        }
    }

    /// Whatever a scalar says, its problems have places inside it.
    #[test]
    fn the_problems_of_any_scalar_stand_in_it(
        text in prop_oneof![
            "[$.a|() \"',=\\[\\]{}%é-]{0,16}",
            "\\$\\.a \\| [a-z]{1,6}[(][ -~é]{0,10}",
            "\\{\\{ body[.\\[| (a-z0-9é'\"~+)\\]]{0,12} ?(\\}\\})?",
            "\\$[a-zé.\\[\\]'?@*: |]{0,12}",
        ],
        quote in prop_oneof![Just("'"), Just("\"")],
    ) {
        let written = format!("{quote}{}{quote}", text.replace('\\', "").replace(quote, ""));
        let (_, problems) = read(&written, &Names::default());
        for problem in problems {
            prop_assert!(written.get(problem.span.clone()).is_some(), "{}: {:?}", written, problem);
        }
    }
}
