use super::*;

/// Codes and the text they stand at, of a file that is whole but for what is given.
fn problems(head: &str, rules: &str) -> Vec<(&'static str, String)> {
    let text = format!("{head}\n{rules}\n");
    let read = read("crm.yaml", &text, &[], &|_, _, _| {});
    let at = |p: &Problem| text.get(p.span.clone()).unwrap_or_default().to_owned();
    read.problems.iter().map(|problem| (problem.code.as_str(), at(problem))).collect()
}

const HEAD: &str = "verify: { preset: github, secret: env:S }\nevent: { id: $.id }\ntests: [{ name: a, body: {}, expect: ignored }]";
const NO_RULES: &str = "rules: []";

#[test]
fn a_warning_says_what_works_and_may_not_be_meant() {
    let rule = |body: &str| format!("rules:\n- name: a\n  contact: {{ mobile: $.p }}\n  {body}");
    let with = |line: &str| format!("{HEAD}\n{line}");
    let first = "rules:
- name: a
  contact: { mobile: $.p }
  update: { name: $.n }
- name: b
  contact: { mobile: $.p }
  update: { name: $.n }";
    for (head, rules, found) in [
        (HEAD.to_owned(), NO_RULES.to_owned(), vec![]),
        (
            HEAD.replace("{ preset: github, secret: env:S }", "none"),
            NO_RULES.to_owned(),
            vec![("W001", "none")],
        ),
        (HEAD.replace("env:S", "abc"), NO_RULES.to_owned(), vec![("W002", "abc")]),
        (HEAD.replace("env:S", "[env:S, abc]"), NO_RULES.to_owned(), vec![("W002", "abc")]),
        (HEAD.replace("env:S", "file:/run/s"), NO_RULES.to_owned(), vec![]),
        (
            HEAD.replace("{ id: $.id }", "{ type: $.t }"),
            NO_RULES.to_owned(),
            vec![("W003", "{ type: $.t }")],
        ),
        (HEAD.replace("$.id", "none"), NO_RULES.to_owned(), vec![]),
        (
            HEAD.replace("[{ name: a, body: {}, expect: ignored }]", "[]"),
            NO_RULES.to_owned(),
            vec![("W004", "[]")],
        ),
        (HEAD.to_owned(), rule("update: { optin: true }"), vec![("W005", "true")]),
        (HEAD.to_owned(), rule("update: { optin: true }\n  when: { $.a: 1 }"), vec![]),
        (HEAD.to_owned(), rule("update: { optin: $.a }"), vec![("W005", "$.a")]),
        (HEAD.to_owned(), rule("update: { optin: $.a | bool(yes=b) }"), vec![]),
        (HEAD.to_owned(), rule("update: { optin: false }"), vec![]),
        (HEAD.to_owned(), rule("update: { tags: [a] }"), vec![("W006", "tags")]),
        (with("match: first"), first.to_owned(), vec![("W010", "b")]),
        (with("match: all"), first.to_owned(), vec![]),
        (with("match: first"), first.replace("- name: a", "- when: { $.a: 1 }\n  name: a"), vec![]),
        (
            HEAD.to_owned(),
            rule("update: { tags_to_add: [a, b], tags_to_remove: b }"),
            vec![("W011", "b")],
        ),
        (HEAD.to_owned(), rule("update: { tags_to_add: ['a, b'] }"), vec![("W012", "'a, b'")]),
        (
            HEAD.replace("{ id: $.id }", "{ id: { join: [$.a, $.b] } }"),
            NO_RULES.to_owned(),
            vec![("W013", "{ join: [$.a, $.b] }")],
        ),
        (HEAD.replace("{ id: $.id }", "{ id: [$.a, $.b] }"), NO_RULES.to_owned(), vec![]),
        (
            with("body: { format: form }\nlet: { a: '$.tag[0]', b: '$.x | split(\",\")' }"),
            NO_RULES.to_owned(),
            vec![("W015", "'$.tag[0]'")],
        ),
        (
            with("body: { format: form, always_arrays: [tag] }\nlet: { a: '$.tag[*].x' }"),
            NO_RULES.to_owned(),
            vec![],
        ),
        (with("body: { format: json }\nlet: { a: '$.tag[*]' }"), NO_RULES.to_owned(), vec![]),
        (
            with("requires: { tags: [a], attributes: [c] }"),
            rule("update: { tags_to_add: [a, b, $.t], attributes: { c: $.c } }"),
            vec![("W016", "{ tags: [a], attributes: [c] }")],
        ),
        (
            with("requires: { tags: [a, x], attributes: [c, y] }"),
            rule(
                "update: { tags_to_add: [a, { value: a, when: { $.a: 1 } }], attributes: { c: $.c } }",
            ),
            vec![("W018", "x"), ("W018", "y")],
        ),
        (
            with("requires: { tags: [a, x], attributes: y }"),
            rule(
                "update: { tags_to_add: '$.t | only(x)', attributes_from: [{ name: $.n, value: $.v }], tags_to_remove: a }",
            ),
            vec![],
        ),
        (with("tables: { t: { a: no } }"), NO_RULES.to_owned(), vec![("W014", "no")]),
        (with("tables: { t: { a: 'no' } }"), NO_RULES.to_owned(), vec![]),
    ] {
        let found: Vec<_> = found.into_iter().map(|(code, at)| (code, at.to_owned())).collect();
        assert_eq!(problems(&head, &rules), found, "{head}\n{rules}");
    }
}

#[test]
fn what_cannot_be_meant_is_an_error() {
    let with = |line: &str| format!("{HEAD}\n{line}");
    let rule = |body: &str| format!("rules:\n- {{ name: a, contact: {{ mobile: $.p }}, {body} }}");
    for (head, rules, found) in [
        (with("rulez: 1"), NO_RULES.to_owned(), vec![("E002", "rulez")]),
        (with("extends: typform"), NO_RULES.to_owned(), vec![("E007", "typform")]),
        (with("source: unknown"), NO_RULES.to_owned(), vec![("E007", "unknown")]),
        (with("stale_guard: true"), NO_RULES.to_owned(), vec![("E013", "true")]),
        (with("per_minute: 0"), NO_RULES.to_owned(), vec![("E008", "0")]),
        (with("match: some"), NO_RULES.to_owned(), vec![("E006", "some")]),
        (with("body: { each: $.data }"), NO_RULES.to_owned(), vec![("E010", "$.data")]),
        (
            with("body: { root: '$.a[*]', max: 1 mile }"),
            NO_RULES.to_owned(),
            vec![("E010", "'$.a[*]'"), ("E008", "1 mile")],
        ),
        (
            with("let: { 1a: $.a, b c: $.a, body: $.a }"),
            NO_RULES.to_owned(),
            vec![("E007", "1a"), ("E007", "b c"), ("E007", "body")],
        ),
        (HEAD.to_owned(), "rules: { name: a }".to_owned(), vec![("E005", "{ name: a }")]),
        (HEAD.to_owned(), rule("update: { name: { remove: true } }"), vec![("E013", "remove")]),
        (
            HEAD.to_owned(),
            rule("update: { attributes_from: [{ from: $.a }] }"),
            vec![("E004", "{ from: $.a }")],
        ),
        (HEAD.to_owned(), rule("update: {}, limit: 99999"), vec![("E008", "99999")]),
        (
            HEAD.to_owned(),
            rule("update: {}").replace("mobile: $.p", "first_of: []"),
            vec![("E005", "[]")],
        ),
        (
            HEAD.to_owned(),
            rule("update: {}").replace("name: a", "name: a/b"),
            vec![("E007", "a/b")],
        ),
    ] {
        let found: Vec<_> = found.into_iter().map(|(code, at)| (code, at.to_owned())).collect();
        assert_eq!(problems(&head, &rules), found, "{head}\n{rules}");
    }
}

#[test]
fn a_file_says_what_others_need_to_know() {
    let head = "description: Leads
country: IN
verify: { preset: github, secret: env:S }
respond: { status: 204 }
event: { id: $.id, occurred_at: $.at, dedupe_window: 2h }
body: { format: form, parse_json: [raw], always_arrays: tag, max: 2MiB }
requires: { tags: [lead], attributes: [city] }
per_minute: 600
stale_guard: true
tests: [{ name: a, body: {}, expect: ignored }]";
    let rules = "rules: [{ name: a, contact: { attribute: { name: city, value: $.c } }, update: { tags_to_add: lead } }]";
    let read = read("folder/crm.yaml", &format!("{head}\n{rules}\n"), &[], &|_, _, _| {});
    assert_eq!(read.problems, []);
    let source = read.source.unwrap();

    assert_eq!(source.name.as_str(), "crm");
    assert_eq!(source.file, "folder/crm.yaml");
    assert_eq!(source.description.as_deref(), Some("Leads"));
    assert!(source.verify.is_some() && source.respond.is_some() && source.stale_guard);
    assert_eq!(source.dedupe_window, std::time::Duration::from_hours(2));
    assert_eq!(source.per_minute.map(NonZeroU32::get), Some(600));
    assert_eq!(source.body.format, crate::mapping::Format::Form);
    assert_eq!(source.body.parse_json, ["raw"]);
    assert_eq!(source.body.always_arrays, ["tag"]);
    assert_eq!(source.body.max, Some(crate::units::ByteSize(2 << 20)));
    assert!(!source.reads_phones() && source.has_event_id() && source.has_occurred_at());
    assert_eq!(source.requires.tags, ["lead"]);
    assert_eq!(source.requires.attributes, ["city"]);
}

#[test]
fn one_slip_is_one_problem() {
    let rules = "rules:
- name: a
  when: { $.a: 1 }
  contact: { mobile: $.p }
  update: { name: $full, tags_to_add: [$.t | map(words)] }";
    let head = "verify: { preset: github, secret: env:S }
event: { id: $.id }
let: { full: $.name }
tables: { words: { a: b } }
tests: [{ name: a, body: {}, expect: [{ rule: a, held: phone }] }]";
    assert_eq!(problems(head, rules), []);
    for (meant, slip) in [
        ("verify:", "verfy:"),
        ("event:", "evnt:"),
        ("let:", "lett:"),
        ("tables:", "table:"),
        ("tests:", "test:"),
        ("rules:", "ruls:"),
        ("contact:", "contacts:"),
        ("update:", "updat:"),
        ("mobile:", "mobil:"),
        ("body:", "bdy:"),
        ("expect:", "expct:"),
        ("held:", "heId:"),
        ("rule:", "rle:"),
    ] {
        let (head, rules) = (head.replace(meant, slip), rules.replace(meant, slip));
        let found = problems(&head, &rules);
        assert_eq!(found, [("E002", slip.trim_end_matches(':').to_owned())], "{slip}");
    }
}

#[test]
fn the_keys_of_a_file_are_those_that_can_stand_in_one() {
    let text = format!("{HEAD}\n{NO_RULES}\nneither_here_nor_there: 1\n");
    let read = read("crm.yaml", &text, &[], &|_, _, _| {});
    let help = read.problems[0].help.clone().unwrap();
    let mut known: Vec<_> =
        help.strip_prefix("here can stand: ").unwrap().split(", ").map(str::to_owned).collect();
    known.sort();
    let mut keys = KEYS.to_vec();
    keys.sort_unstable();
    assert_eq!(known, keys);
}
