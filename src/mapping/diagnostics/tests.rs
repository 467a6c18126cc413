use proptest::prelude::*;

use super::*;
use crate::mapping::Set;
use crate::mapping::syntax::Code;

const TYPEFORM: &str = include_str!("../../../tests/fixtures/mappings/typeform.yaml");

fn report(text: &str) -> Report {
    let mut read = Set::read(vec![("mappings/crm.yaml".to_owned(), text.to_owned())]);
    assert!(read.set.is_none());
    read.reports.remove(0)
}

const WRONG_HEAD: &str = "\
source: Crm
country: in
timezone: Asia/Kolkatta
event: { id: $.id, dedupe_window: soon }
let:
  item: $.x
tables: { plans: { a: [1] } }
rules: []
tests:
  - name: é, then a place
    body: {}
    expect: [{ rule: new-leed, held: phone }]
";

const WRONG_RULES: &str = "\
verify: { preset: github, secret: env:S }
event: { id: none }
rules:
  - name: new-lead
    wen: { $.a: 1 }
    for_each: $.leads
    contact:
      mobile: $.phone
      id: $.id
      on_missing: creat
    update:
      name: $.na me | trimm
      attributs: { city: $.city }
  - name: new-lead
    contact: { attribute: { name: email } }
    update:
      tags: [VIP]
      optin: $.consent
tests:
  - name: é, then a place
    body: {}
    expect: [{ rule: new-leed, held: phone }]
";

#[test]
fn every_problem_at_the_head_of_a_file_is_shown_where_it_is() {
    insta::assert_snapshot!(render(&report(WRONG_HEAD), Colour::Never), @r#"
    error[E004]: `verify` is missing here
     --> mappings/crm.yaml:1:1
      |
    1 | source: Crm
      | ^^^^^^^^^^^
      |
      = help: `verify: none` says that events are taken from anybody

    error[E007]: `Crm`: a source's name has 1 to 63 of `a-z`, `0-9` and `-`
     --> mappings/crm.yaml:1:9
      |
    1 | source: Crm
      |         ^^^

    error[E016]: `in` is no country: two letters of ISO 3166 are expected, such as `IN`
     --> mappings/crm.yaml:2:10
      |
    2 | country: in
      |          ^^
      |
      = help: did you mean `IN`?

    error[E016]: `Asia/Kolkatta` is no time zone: a name such as `Asia/Kolkata` is expected
     --> mappings/crm.yaml:3:11
      |
    3 | timezone: Asia/Kolkatta
      |           ^^^^^^^^^^^^^
      |
      = help: did you mean `Asia/Kolkata`?

    error[E008]: a duration is a number with a unit, such as `500ms`, `30s`, `15m`, `12h` or `7d`
     --> mappings/crm.yaml:4:35
      |
    4 | event: { id: $.id, dedupe_window: soon }
      |                                   ^^^^

    error[E007]: `item` is no name for a `let`: it already means something
     --> mappings/crm.yaml:6:3
      |
    6 |   item: $.x
      |   ^^^^

    error[E005]: a word of a table becomes a single value, a list was found
     --> mappings/crm.yaml:7:23
      |
    7 | tables: { plans: { a: [1] } }
      |                       ^^^

    error[E007]: no rule is named `new-leed`
      --> mappings/crm.yaml:12:22
       |
    12 |     expect: [{ rule: new-leed, held: phone }]
       |                      ^^^^^^^^
    "#);
}

#[test]
fn every_problem_of_the_rules_is_shown_where_it_is() {
    insta::assert_snapshot!(render(&report(WRONG_RULES), Colour::Never), @r#"
    error[E002]: `wen` is not known here
     --> mappings/crm.yaml:5:5
      |
    5 |     wen: { $.a: 1 }
      |     ^^^
      |
      = help: did you mean `when`?

    error[E010]: `for_each` goes through what a path selects, and this one selects one value at most
     --> mappings/crm.yaml:6:15
      |
    6 |     for_each: $.leads
      |               ^^^^^^^
      |
      = help: `$.leads[*]` selects the items of a list

    error[E013]: one of `id`, `mobile`, `attribute` and `first_of` says who the contact is
     --> mappings/crm.yaml:9:7
      |
    9 |       id: $.id
      |       ^^
      |
      = help: `first_of` takes a list of them, to be tried in turn

    error[E006]: one of `dead`, `skip`, `create` is expected
      --> mappings/crm.yaml:10:19
       |
    10 |       on_missing: creat
       |                   ^^^^^
       |
       = help: did you mean `create`?

    error[E010]: a path has no blank outside of brackets
      --> mappings/crm.yaml:12:17
       |
    12 |       name: $.na me | trimm
       |                 ^^^
       |
       = help: a name with a blank is written `['…']`, a text that looks like a path `{ value: "…" }`

    error[E011]: the step `trimm` is not known
      --> mappings/crm.yaml:12:23
       |
    12 |       name: $.na me | trimm
       |                       ^^^^^
       |
       = help: did you mean `trim`?

    error[E002]: `attributs` is not known here
      --> mappings/crm.yaml:13:7
       |
    13 |       attributs: { city: $.city }
       |       ^^^^^^^^^
       |
       = help: did you mean `attributes`?

    error[E007]: a rule before this one is named `new-lead` too
      --> mappings/crm.yaml:14:11
       |
    14 |   - name: new-lead
       |           ^^^^^^^^

    error[E004]: `value` is missing here
      --> mappings/crm.yaml:15:27
       |
    15 |     contact: { attribute: { name: email } }
       |                           ^^^^^^^^^^^^^^^

    warning[W006]: `tags` replaces all tags of the contact, also those that others have set
      --> mappings/crm.yaml:17:7
       |
    17 |       tags: [VIP]
       |       ^^^^
       |
       = help: `tags_to_add` and `tags_to_remove` change only these

    warning[W005]: `optin` from a bare path: a box that is not ticked would withdraw consent given elsewhere
      --> mappings/crm.yaml:18:14
       |
    18 |       optin: $.consent
       |              ^^^^^^^^^
       |
       = help: `| bool(yes=[true])` says which values are consent; anything else is left as it is

    error[E007]: no rule is named `new-leed`
      --> mappings/crm.yaml:22:22
       |
    22 |     expect: [{ rule: new-leed, held: phone }]
       |                      ^^^^^^^^
       |
       = help: did you mean `new-lead`?
    "#);
}

#[test]
fn a_program_gets_the_same_with_places_in_characters() {
    let text = "verify: none\nevent: { id: none }\nrules: []\ntests: [{ name: é日, bdy: {} }]\n";
    let report = report(text);

    let found = report.diagnostics();
    let places: Vec<_> =
        found.iter().map(|d| (d.code, d.severity, d.line, d.column, d.end.column)).collect();

    assert_eq!(
        places,
        [("W001", "warning", 1, 9, 13), ("E004", "error", 4, 9, 30), ("E002", "error", 4, 21, 24),]
    );
    assert_eq!(
        serde_json::to_value(&found[2]).unwrap(),
        serde_json::json!({
            "file": "mappings/crm.yaml",
            "line": 4,
            "column": 21,
            "end": { "line": 4, "column": 24 },
            "code": "E002",
            "severity": "error",
            "message": "`bdy` is not known here",
            "help": "did you mean `body`?",
        })
    );
}

#[test]
fn a_file_that_is_no_yaml_is_one_problem_and_colour_is_for_a_terminal() {
    for text in ["", "# nothing\n", "rules:\n  - a: [1\n"] {
        let report = report(text);

        assert_eq!(report.problems.len(), 1);
        assert!(render(&report, Colour::Always).contains("\u{1b}["));
        assert!(!render(&report, Colour::Never).contains('\u{1b}'));
    }
}

#[test]
fn what_another_part_finds_is_added_where_it_stands_unless_the_file_allows_it() {
    let text = "source: a\nverify: none # check: allow W001 because it is a test\nevent: { id: none }\nrules: []\n";
    let mut report = Set::read(vec![("a.yaml".to_owned(), text.to_owned())]).reports.remove(0);
    let codes = |report: &Report| -> Vec<_> {
        report.problems.iter().map(|problem| problem.code.as_str()).collect()
    };
    assert_eq!(codes(&report), ["W004"]);

    report.add(vec![
        Problem::warning(Code::OpenDoor, &(18..22), "open", "close it"),
        Problem::error(Code::Verify, 18..22, "wrong"),
    ]);

    assert_eq!(codes(&report), ["W004", "E040"]);
    assert!(report.has_errors());
}

/// Pieces that change what a file means.
fn any_piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        "\n",
        "  ",
        "\t",
        ": ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "'",
        "\"",
        "$",
        "$.a[*]",
        "{{ x }}",
        "| trim",
        "é",
        "日本\r\n",
        "\u{feff}",
        "# check: allow W001",
        "&a",
        "*a",
        "!t ",
        "secret: x",
        "true",
        "~",
        "first_of: ",
    ]);
    prop_oneof![known.prop_map(str::to_owned), any::<String>()]
}

proptest! {
    #[test]
    fn any_text_is_read_and_shown_without_a_panic(
        changes in prop::collection::vec((0..TYPEFORM.len(), 0_usize..12, any_piece()), 1..5),
    ) {
        let mut text: Vec<char> = TYPEFORM.chars().collect();
        for (at, less, piece) in changes {
            let at = at.min(text.len());
            let end = (at + less).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();

        for report in Set::read(vec![("a.yaml".to_owned(), text.clone())]).reports {
            prop_assert_eq!(report.text.len(), text.len());
            prop_assert_eq!(report.diagnostics().len(), report.problems.len());
            let shown = render(&report, Colour::Never);
            prop_assert_eq!(shown.contains("a.yaml"), !report.problems.is_empty());
        }
    }
}
