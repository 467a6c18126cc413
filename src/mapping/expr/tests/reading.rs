//! What is said of a value that cannot be read or used, and what is known of it when the file is read.

use super::*;

#[test]
fn a_message_names_the_path_and_the_kind_and_never_a_value() {
    let document = document(r#"{"name":"Asha","list":["Asha","Rao"],"o":{"Asha":1}}"#);
    let scope = Scope::new(&document);
    for (written, expected) in [
        (
            "$.list",
            "`$.list`: 2 values where one is expected: choose with `pick`, or make one text with `join`",
        ),
        ("$.o", "`$.o`: a text is expected, an object was found"),
        (
            "$.name | trim | number",
            "`$.name`, step `number`: a number is expected, a text that is none was found",
        ),
        (
            "$.x | required",
            "`$.x`, step `required`: a value is required, nothing or a blank was found",
        ),
        (
            "{ from: $.x, required: true }",
            "`$.x`: a value is required, nothing or a blank was found",
        ),
        (
            "\"{{ body.o }}\"",
            "`$.o`: a template prints texts, an object was found: choose with `pick`, or make one text with `join`",
        ),
    ] {
        let held = value(written, &Names::default()).text(&scope).unwrap_err();
        assert_eq!(held.to_string(), expected, "{written}");
        assert!(!held.detail.contains("Asha"));
    }
}

#[test]
fn what_is_wrong_with_a_value_is_said_at_its_place() {
    for (written, place, message, help) in [
        ("$nam.x", "nam.x", "no `let` is named `nam`", "`$.nam` is a member"),
        ("$.a b", " b", "a path has no blank outside of brackets", ""),
        (
            "$.a[?(@.b == ' #1')]",
            "'",
            "this quote is not closed",
            "an unquoted ` #` starts a comment",
        ),
        (
            "{{ body.x }}",
            "{{ body.x }}",
            "YAML reads `{{ … }}` as a block of keys",
            "`\"{{ body.x }}\"`",
        ),
        (
            "{ from: $.a | replace(-, +) }",
            "+)",
            "the key `+)` ends in `)`: it is the rest of a value that YAML has cut at a `,`",
            "`'$.a | replace(-, +)'`",
        ),
        ("\"{{ nam.x }}\"", "nam", "no `let` is named `nam`", "`body.nam`"),
        (
            "\"{{ body.x | trimm }}\"",
            "trimm",
            "the step `trimm` is not known",
            "did you mean `trim`?",
        ),
        (
            "\"{% if body.x %}a{% endif %}\"",
            "if body.x %}a{% endif",
            "only `{{ … }}` is allowed in a template",
            "`when`",
        ),
        ("\"{{ body.x + 1 }}\"", "body.x + 1", "a template does not calculate or compare", ""),
        ("\"{{ range(3) }}\"", "range(3)", "a call is not allowed in a template", ""),
        ("\"{{ body.x\"", "x", "a `{{` before this is not closed", "close it with `}}`"),
        ("{ first_of: [] }", "[]", "a list of values is expected, this one is empty", ""),
        ("{ first_of: $.a }", "$.a", "a list of values is expected, a single value was found", ""),
        ("{ vale: x }", "vale", "`vale` is not known here", "did you mean `value`?"),
        (
            "{ value: x, from: $.a }",
            "from",
            "`from` cannot stand beside the form that is already here",
            "",
        ),
        (
            "{ value: x, requird: true }",
            "requird",
            "`requird` is not known here",
            "did you mean `required`?",
        ),
        ("{ from: $.a, required: yes }", "yes", "`required` is `true` or `false`", ""),
        ("{ from: $.a, on_error: next }", "next", "`on_error: next` stands inside `first_of`", ""),
        ("{ from: $.a, empty: remove, default: x }", "remove", "`empty: remove` and `default`", ""),
        (
            "{ from: $.a, steps: [{ trim: , upper: }] }",
            "{ trim: , upper: }",
            "one step is expected here, 2 were found",
            "`- `",
        ),
        (
            "{ from: $.a, steps: [{ mapp: plans }] }",
            "mapp",
            "the step `mapp` is not known",
            "did you mean `map`?",
        ),
        (
            "{ index: $.a, key: $item.k }",
            "{ index: $.a, key: $item.k }",
            "`value` is missing here",
            "",
        ),
        (
            "{ index: $.a, key: $item.k, value: $itm.v }",
            "itm.v",
            "no `let` is named `itm`",
            "did you mean `item`?",
        ),
        (
            "{ value: x, when: { $.a: { equal: 1 } } }",
            "equal",
            "the test `equal` is not known",
            "did you mean `equals`?",
        ),
        ("{ remove: yes }", "yes", "`remove` is `true` or is left out", ""),
        ("''", "''", "", ""),
    ] {
        let (_, problems) = read(written, &Names::default());
        if message.is_empty() {
            assert_eq!(problems, [], "{written}");
            continue;
        }
        let problem = problems.first().unwrap_or_else(|| panic!("no problem in {written}"));
        assert!(problem.message.starts_with(message), "{written}: {}", problem.message);
        let found = written.get(problem.span.clone()).unwrap();
        assert_eq!(found, place, "{written}");
        let given = problem.help.as_deref().unwrap_or_default();
        assert!(given.contains(help), "{written}: {given}");
    }
}

#[test]
fn every_problem_of_a_value_is_found_in_one_go() {
    let written = "{ first_of: ['$.a | trimm', '$.b | uper | lowr', '$x'], default: '$.d | z', when: { $.e: { gtt: 1 } } }";
    let (value, problems) = read(written, &Names::default());

    assert!(value.is_none());
    let places: Vec<_> = problems.iter().map(|p| written.get(p.span.clone()).unwrap()).collect();
    assert_eq!(places, ["trimm", "uper", "lowr", "x", "z", "gtt"]);
}

#[test]
fn a_value_missing_where_one_is_expected_is_an_error() {
    for written in ["~", "null", "{ value: }", "{ first_of: [x, ] , default: }"] {
        let (value, problems) = read(written, &Names::default());
        assert!(value.is_none() && !problems.is_empty(), "{written}");
    }
}

#[test]
fn what_may_remove_is_known_when_the_file_is_read() {
    for (written, expected) in [
        ("{ remove: true }", true),
        ("{ from: $.a, empty: remove }", true),
        ("{ first_of: [$.a, { remove: true }] }", true),
        ("{ remove: true, when: { $.a: 1 } }", true),
        ("$.a", false),
    ] {
        assert_eq!(value(written, &Names::default()).may_remove(), expected, "{written}");
    }
    let removed = value("{ remove: true }", &Names::default());
    let document = document("{}");
    assert_eq!(removed.evaluate(&Scope::new(&document)), Ok(Evaluated::Remove));
}

#[test]
fn every_path_that_a_value_may_read_is_known_when_the_file_is_read() {
    let written = "{ first_of: ['$.a | default($.b) | phone($.c) | date(\"%Y\", tz=$.d) | money($.e)', \
        { from: $.f, steps: [{ map: { index: $.g, key: $item.h, value: $item.i } }] }, '{{ headers.j }}', \
        { index: $.k, key: $item.l, value: { value: x, when: { $item.m: { in: [$.n, o] } } } }], default: $.p, \
        when: { any: [{ not: { $.q: { any_is: { gt: $.r } } } }] } }";
    let mut paths = Vec::new();

    value(written, &Names::default()).each_path(&mut |path| paths.push(path.text().to_owned()));

    let expected = "$.a $.b $.c $.d $.e $.f $.g $item.h $item.i $headers.j $.k $item.l $item.m $.n $.q $.r $.p";
    paths.sort_unstable();
    let mut expected: Vec<_> = expected.split(' ').collect();
    expected.sort_unstable();
    assert_eq!(paths, expected);
}

#[test]
fn values_and_conditions_are_written_in_block_style_almost_without_quotes() {
    let file = r#"
- $.form.hidden.utm_source | lower
- { value: big-team, when: { $answer.size: { gt: 50 } } }
- $answer.city | trim | title
- $.form.hidden.plan | map(plans) | default(free)
- $.form.submitted_at | date("%d %b %Y", tz=Asia/Kolkata)
- join: [$answer.first, $answer.last]
  with: " "
- $.form.hidden.id | regex("^[0-9a-f]{24}$")
- first_of:
    - $.form.mobile
    - $answer.phone
- from: $.form.answers[*].field.ref
  steps:
    - only: [first, last]
    - join("+")
  when:
    $answer.country | upper: { in: [INDIA, NEPAL] }
    any:
      - $.form.hidden.plan: pro_2024
      - not: { $answer.consent: true }
"#;
    let document = document(
        r#"{"form":{"submitted_at":"2026-11-23T10:00:00Z","hidden":{"utm_source":"Google","plan":"pro_2024",
            "id":"65f0c0ffee0123456789abcd"},"answers":[
            {"field":{"ref":"first"},"text":"Asha"},{"field":{"ref":"last"},"text":"Rao"},
            {"field":{"ref":"city"},"choice":{"label":" pune "}},{"field":{"ref":"size"},"text":"60"},
            {"field":{"ref":"phone"},"phone_number":"+919812345678"},
            {"field":{"ref":"country"},"text":"India"},{"field":{"ref":"consent"},"boolean":false}]}}"#,
    );
    let answer = value(
        "{ index: '$.form.answers[*]', key: $item.field.ref, \
           value: { first_of: [$item.text, $item.phone_number, $item.choice.label, $item.boolean] } }",
        &Names::default(),
    );
    let names = Names::default().with_let("answer");
    let node = Node::read(file).unwrap();
    let (read, problems) = with_reading(&names, |reading, problems| {
        let items = node.as_list().unwrap();
        items.iter().map(|item| Expr::read(item, reading, problems).unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(problems, []);
    let lets = [answer];
    let lets = Lets::new(&lets);
    let scope = Scope::new(&document).with_lets(&lets);

    let given: Vec<_> = read.iter().map(|value| value.text(&scope).unwrap()).collect();

    let expected = [
        "google",
        "big-team",
        "Pune",
        "pro",
        "23 Nov 2026",
        "Asha Rao",
        "65f0c0ffee0123456789abcd",
        "+919812345678",
        "first+last",
    ];
    assert_eq!(given, expected.map(|text| Some(text.to_owned())));
}

#[test]
fn a_table_has_words_and_what_they_become() {
    let node = Node::read("{ a: b, c: 1.10, d: true, e: , f: [x] }").unwrap();
    let mut problems = Problems::default();

    assert!(Table::read(&node, &mut problems).is_none());
    let problems = problems.into_sorted();
    let found: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(found, ["a word of a table becomes a single value, a list was found"]);
}

#[test]
fn compiled_values_are_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Expr>();
    is_shared::<When>();
}
