//! Laws of plans, whatever an event holds and whatever a mapping says that is right.

use std::sync::Arc;

use proptest::prelude::*;

use crate::contact::AttributeChange;
use crate::document::{Members, Value};
use crate::mapping::{Decision, Input, PlannedEvent, Set, Source};

/// Paths that the documents below often have.
fn any_path() -> impl Strategy<Value = String> {
    let root = prop::sample::select(vec!["$", "$t", "$one", "$item", "$event", "$query"]);
    let step = prop::sample::select(vec![
        ".a",
        ".b",
        ".c",
        "[0]",
        "[-1]",
        "[*]",
        "[1:]",
        "['a','b']",
        "[?@.a]",
        "[?@.b == 'x']",
        "[?length(@.a) > 1]",
        "[?@.c > $.c]",
        ".id",
    ]);
    (root, prop::collection::vec(step, 0..3))
        .prop_map(|(root, steps)| root.to_owned() + &steps.concat())
}

/// A step of every kind, with arguments of every kind.
fn any_step() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "trim",
        "lower",
        "upper",
        "title",
        "collapse_spaces",
        "strip_html",
        "slug",
        "sha256",
        "truncate(3)",
        "replace(a, \"\")",
        "replace(\"x\", \"yy\")",
        "regex(\"(.)b\")",
        "regex(\"a|b\", group=0)",
        "prefix(\"p \")",
        "suffix(s)",
        "split(\",\")",
        "join(\", \")",
        "pick(first)",
        "pick(last)",
        "pick(only)",
        "unique",
        "only(a, b, x)",
        "drop(x, \"\")",
        "map(words)",
        "map(a=b, x=null, otherwise=absent)",
        "map(a=b, otherwise=hold)",
        "map(a=1, otherwise=\"other\")",
        "bool",
        "bool(yes=[x, a], no=[b])",
        "number",
        "email",
        "phone",
        "phone(IN, e164, invalid=absent)",
        "money(INR)",
        "date(\"%d %b %Y\")",
        "date(\"%s\", from=unix, tz=Asia/Kolkata)",
        "json",
        "path(\"$.a\")",
        "path(\"$[*]\")",
        "default(x)",
        "required",
    ]);
    let with_path = any_path().prop_flat_map(|path| {
        prop::sample::select(vec![
            format!("default({path})"),
            format!("phone({path}, US)"),
            format!("money({path})"),
            format!("date(\"%Y\", tz={path})"),
        ])
    });
    prop_oneof![4 => fixed.prop_map(str::to_owned), 1 => with_path]
}

/// A path with steps, in the single quotes that it needs inside braces.
fn any_pipe() -> impl Strategy<Value = String> {
    (any_path(), prop::collection::vec(any_step(), 0..4)).prop_map(|(path, steps)| {
        let parts: Vec<_> = std::iter::once(path).chain(steps).collect();
        format!("'{}'", parts.join(" | ").replace('\'', "''"))
    })
}

/// A value of any form. No form removes but `remove` and `empty`, which attributes alone are given.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => any_pipe(),
        1 => prop::sample::select(vec![
            "lead", "0917", "true", "''", "' '", "1.10", "{ value: \"$.a\" }",
            "\"{{ body.a }}{{ t.x | default('-') }}\"", "\"{{ item.a }}, {{ body.b | upper }}\"",
        ]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join(", "));
        let option = prop_oneof![
            Just(String::new()),
            any_condition_leaf().prop_map(|when| format!(", when: {when}")),
            inner.clone().prop_map(|default| format!(", default: {default}")),
            Just(", required: true".to_owned()),
            Just(", on_error: absent".to_owned()),
        ];
        let form = prop_oneof![
            some.clone().prop_map(|values| format!("first_of: [{values}]")),
            some.clone().prop_map(|values| format!("join: [{values}], with: ' '")),
            some.prop_map(|values| format!("all_of: [{values}]")),
            inner.clone().prop_map(|value| format!("from: {value}")),
            (inner, any_step()).prop_map(|(value, step)| format!(
                "from: {value}, steps: ['{}']",
                step.replace('\'', "''")
            )),
        ];
        (form, option).prop_map(|(form, option)| format!("{{ {form}{option} }}"))
    })
}

fn any_condition_leaf() -> impl Strategy<Value = String> {
    let test = prop::sample::select(vec![
        "x",
        "1",
        "null",
        "true",
        "''",
        "[x, 1, null]",
        "{ not_equals: x }",
        "{ contains: a }",
        "{ starts_with: a, ends_with: b }",
        "{ matches: '^.?$' }",
        "{ exists: false }",
        "{ empty: true }",
        "{ gt: 1, lte: 1e3 }",
        "{ any_is: x }",
        "{ all_are: { gt: 0 } }",
        "{ none_is: [x, 1] }",
        "{ count: { lt: 2 } }",
        "{ in: $.a }",
        "{ equals: $.b }",
    ]);
    (any_pipe(), test).prop_map(|(subject, test)| format!("{{ {subject}: {test} }}"))
}

fn any_condition() -> impl Strategy<Value = String> {
    any_condition_leaf().prop_recursive(2, 6, 2, |inner| {
        let some = prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| parts.join(", "));
        prop_oneof![
            some.clone().prop_map(|blocks| format!("{{ all: [{blocks}] }}")),
            some.prop_map(|blocks| format!("{{ any: [{blocks}] }}")),
            inner.prop_map(|block| format!("{{ not: {block} }}")),
        ]
    })
}

/// A rule that removes nothing but under the attribute `gone`.
fn any_rule() -> impl Strategy<Value = String> {
    let contact = prop_oneof![
        any_value().prop_map(|value| format!("{{ mobile: {value}, on_missing: create }}")),
        any_value().prop_map(|value| format!("{{ id: {value}, on_blank: hold }}")),
        (any_value(), any_value()).prop_map(|(one, two)| format!(
            "{{ first_of: [{{ attribute: {{ name: e, value: {one} }} }}, {{ mobile: {two} }}] }}"
        )),
        Just("{ id: 65a1b2c3d4e5f60718293a4b }".to_owned()),
        Just("{ mobile: '+12025550143' }".to_owned()),
    ];
    let field = prop_oneof![
        any_value().prop_map(|value| format!("name: {value}")),
        any_value().prop_map(|value| format!("optin: {value}")),
        any_value().prop_map(|value| format!("tags_to_add: [lead, {value}]")),
        any_value().prop_map(|value| format!("tags_to_remove: {value}")),
        any_value().prop_map(|value| format!("tags_sync: {{ from: {value}, among: [x, a] }}")),
        (any_value(), any_value()).prop_map(|(one, two)| format!(
            "attributes: {{ one: {one}, two: {two}, gone: {{ from: $.c, empty: remove }} }}"
        )),
        (any_value(), any_value()).prop_map(|(one, two)| format!(
            "attributes_from: [{{ from: {one}, only: [a, b], prefix: p_ }}, {{ name: q, value: {two} }}]"
        )),
    ];
    let fields = prop::collection::vec(field, 1..4).prop_map(|mut fields| {
        let key = |field: &String| field.split(':').next().map(str::to_owned);
        fields.sort();
        fields.dedup_by_key(|field| key(field));
        fields.join(", ")
    });
    let when = proptest::option::of(any_condition());
    let each = prop::sample::select(vec!["'$.a[*]'", "'$[*]'", "'$..b'"]);
    (contact, fields, when, each).prop_map(|(contact, fields, when, each)| {
        let when = when.map(|when| format!("\n    when: {when}")).unwrap_or_default();
        format!("\n    for_each: {each}\n    limit: 3{when}\n    contact: {contact}\n    update: {{ {fields} }}\n")
    })
}

fn any_mapping() -> impl Strategy<Value = String> {
    let rules = prop::collection::vec(any_rule(), 1..4);
    let head =
        prop::sample::select(vec!["", "match: first\n", "country: IN\ntimezone: Asia/Kolkata\n"]);
    (rules, head, any::<bool>()).prop_map(|(rules, head, batch)| {
        let body = if batch { "body: { each: '$.a[*]' }\n" } else { "" };
        let numbered = rules.iter().enumerate();
        let rules: Vec<_> =
            numbered.map(|(n, rule)| format!("  - name: r{n}{rule}")).collect();
        let rules = rules.concat();
        format!(
            "verify: none\nevent: {{ id: ['$.id', $.a], occurred_at: $.c }}\n{head}{body}tables: {{ words: {{ a: b, x: null }} }}\n\
             let:\n  t: {{ index: '$..a', key: $item.a, value: $item.b }}\n  one: $.a\nrules:\n{rules}"
        )
    })
}

fn any_document() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[abx, ]{0,5}",
        "[+0-9 -]{0,14}",
        Just("9812345678".to_owned()),
        Just("2026-11-23T20:00:00+05:30".to_owned()),
        Just("65a1b2c3d4e5f60718293a4b".to_owned()),
        Just("a@example.com".to_owned()),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?(e-?[0-9]{1,4})?"
            .prop_map(|digits| Value::Number(digits.into())),
        text.prop_map(Value::text),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::vec((prop::sample::select(vec!["a", "b", "c", "id"]), inner), 0..5)
                .prop_map(|members| Value::Object(
                    members
                        .into_iter()
                        .map(|(name, value)| (name.into(), value))
                        .collect::<Members>()
                )),
        ]
    })
}

fn plan(source: &Source, document: &Value) -> Vec<PlannedEvent> {
    let nothing = Value::Object(Members::default());
    source.plan(&Input {
        document,
        headers: &nothing,
        query: &nothing,
        received_at: jiff::Timestamp::UNIX_EPOCH,
    })
}

fn source(text: &str) -> Arc<Source> {
    let read = Set::read(vec![("any.yaml".to_owned(), text.to_owned())]);
    let set = read.set.unwrap_or_else(|| {
        panic!(
            "{text}\n{}",
            super::super::diagnostics::render(
                &read.reports[0],
                super::super::diagnostics::Colour::Never
            )
        )
    });
    Arc::clone(set.iter().next().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    /// No event and no mapping that is right bring a plan down; the same event gives the same plan; no attribute,
    /// name or tag is empty, and nothing is removed that the file did not ask to remove.
    #[test]
    fn a_plan_is_the_same_every_time_and_holds_nothing_empty(
        text in any_mapping(),
        documents in prop::collection::vec(any_document(), 6),
    ) {
        let source = source(&text);
        for document in &documents {
            let planned = plan(&source, document);
            prop_assert_eq!(&planned, &plan(&source, document), "{}", &text);
            for one in planned.iter().flat_map(|event| &event.planned) {
                let Decision::Update(update) = &one.decision else { continue };
                let update = &update.update;
                prop_assert!(!update.is_empty());
                prop_assert!(update.name.as_ref().is_none_or(|name| !name.trim().is_empty()));
                prop_assert!(update.tags.add.iter().chain(&update.tags.remove).all(|tag| !tag.trim().is_empty()));
                for (name, change) in &update.attributes {
                    match change {
                        AttributeChange::Set(value) => {
                            prop_assert!(!value.trim().is_empty(), "{}: {}", name, &text);
                        }
                        AttributeChange::Remove => prop_assert_eq!(name, "gone", "{}", &text),
                    }
                }
            }
        }
    }
}
