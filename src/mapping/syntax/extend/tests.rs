use super::*;
use crate::mapping::{Report, Set, effective};

const SHIPPED: &str = r"
source: acme
country: IN
verify: { preset: github, secret: env:ACME_SECRET }
event: { id: $.id, type: $.kind }
requires: { tags: [lead, old], attributes: [city, plan] }
let: { phone: $.phone }
rules:
  - name: lead
    when: { $.kind: lead }
    contact: { mobile: $phone, on_missing: create }
    update:
      tags_to_add: [lead]
      tags_to_remove: [old]
      attributes: { city: $.city, plan: $.plan }
  - name: gone
    when: { $.kind: gone }
    contact: { mobile: $phone }
    update: { optin: false }
tests:
  - { name: another, body: { kind: x }, expect: ignored }
";

/// The file as it is in force, and what is wrong.
fn read(own: &str) -> (Option<String>, Vec<Report>) {
    let bases = vec![(format!("{LIBRARY}acme"), SHIPPED.to_owned())];
    let mut files = bases.clone();
    files.push(("crm.yaml".to_owned(), own.to_owned()));
    let read = Set::read(files);
    let shown = read.set.is_some().then(|| effective(own, &bases).unwrap());
    (shown, read.reports)
}

fn in_force(own: &str) -> String {
    let (shown, reports) =
        read(&format!("{own}\ntests: [{{ name: a, body: {{}}, expect: ignored }}]\n"));
    assert!(reports.iter().all(|report| report.problems.is_empty()), "{own}\n{reports:#?}");
    shown.unwrap()
}

#[test]
fn a_file_that_only_extends_is_the_shipped_mapping_under_its_own_name() {
    let bases = [(format!("{LIBRARY}acme"), SHIPPED.to_owned())];
    let mut files = bases.to_vec();
    files.push(("crm.yaml".to_owned(), "extends: acme\n".to_owned()));
    let read = Set::read(files);

    assert_eq!(read.reports.len(), 1, "the shipped file is none of the folder's");
    assert_eq!(read.reports[0].problems, [], "its tests are where it is made");
    let set = read.set.unwrap();
    let source = set.get("crm").unwrap();
    assert_eq!((set.len(), source.rules.len(), source.tests().len()), (1, 2, 0));
    assert_eq!(source.requires.tags, ["lead", "old"]);
    assert_eq!(
        effective("extends: acme\n", &bases).unwrap(),
        effective(&SHIPPED.replace("source: acme\n", ""), &[]).unwrap()
    );
}

#[test]
fn the_files_own_keys_win_and_rules_merge_by_name() {
    let base = in_force("extends: acme");
    for (own, from, to) in [
        ("source: shop", "country: IN", "country: IN\nsource: shop"),
        ("country: FR", "country: IN", "country: FR"),
        ("country: off", "country: IN\n", ""),
        (
            "verify: { preset: stripe, secret: env:S }",
            "preset: github\n  secret: env:ACME_SECRET",
            "preset: stripe\n  secret: env:S",
        ),
        ("event: { id: $.other }", "id: $.id", "id: $.other"),
        ("event: { type: off }", "\n  type: $.kind", ""),
        ("let: { phone: $.mobile }", "phone: $.phone", "phone: $.mobile"),
        ("rules: [{ name: lead, when: { $.kind: new } }]", "$.kind: lead", "$.kind: new"),
        (
            "rules: [{ name: lead, contact: { on_missing: skip } }]",
            "on_missing: create",
            "on_missing: skip",
        ),
        (
            "rules: [{ name: lead, contact: { id: $phone } }]",
            "mobile: $phone\n      on_missing: create",
            "on_missing: create\n      id: $phone",
        ),
        (
            "rules: [{ name: lead, update: { tags_to_add: [old] , tags_to_remove: off } }]",
            "tags_to_add:\n        - lead\n      tags_to_remove:\n        - old",
            "tags_to_add:\n        - old",
        ),
        (
            "rules: [{ name: lead, update: { attributes: { plan: $.p, city: off } } }]",
            "city: $.city\n        plan: $.plan",
            "plan: $.p",
        ),
        ("rules: [{ name: lead, off: false }]", "", ""),
    ] {
        let shown = in_force(&format!("extends: acme\n{own}"));
        let lines = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert!(base.contains(from), "{from}\n{base}");
        assert_eq!(
            lines(&shown),
            lines(&base.replacen(from, to, if from == "phone: $.phone" { 9 } else { 1 })),
            "{own}\n{shown}"
        );
    }
}

#[test]
fn a_rule_that_is_off_is_gone_and_a_new_one_comes_last() {
    let shown = in_force(
        "extends: acme\nrequires: { tags: [new] }\nrules:\n  - { name: lead, off: true }\n  \
         - { name: more, contact: { mobile: $phone }, update: { tags_to_add: [new] } }",
    );
    let names: Vec<_> =
        shown.lines().filter_map(|line| line.split_once("name: ")).map(|(_, name)| name).collect();
    assert_eq!(names, ["gone", "more"]);
}

#[test]
fn what_is_wrong_has_its_place_in_the_file_where_it_stands() {
    let tests = "tests: [{ name: a, body: {}, expect: ignored }]\n";
    for (own, file, code, at) in [
        ("extends: acmee\n", "crm.yaml", "E007", "acmee"),
        ("extends: [acme]\n", "crm.yaml", "E005", "[acme]"),
        ("extends: acme\nrulez: []\n", "crm.yaml", "E002", "rulez"),
        ("extends: acme\nrules: [{ name: leed, off: true }]\n", "crm.yaml", "E007", "leed"),
        ("extends: acme\nrules: [{ name: lead, off: maybe }]\n", "crm.yaml", "E006", "maybe"),
        (
            "extends: acme\nrules: [{ name: lead, off: true, when: {} }]\n",
            "crm.yaml",
            "E005",
            "when",
        ),
        ("extends: acme\nrules: [{ name: lead, wen: {} }]\n", "crm.yaml", "E002", "wen"),
        (
            "extends: acme\nrules: [{ name: new, contact: { mobile: $phone } }]\n",
            "crm.yaml",
            "E004",
            "{ name: new, contact: { mobile: $phone } }",
        ),
        ("extends: acme\nlet: { phone: off }\n", "library:acme", "E010", "phone"),
        ("extends: acme\nverify: off\n", "crm.yaml", "E004", "extends: acme"),
        ("extends: acme\nrequires: { tags: [never] }\n", "crm.yaml", "W018", "never"),
        (
            "extends: acme\nrules: [{ name: lead, update: { tags_to_add: [new] } }]\n",
            "crm.yaml",
            "W016",
            "extends: acme",
        ),
        (
            "extends: acme\nrules: [{ name: lead, update: { tags: [old] } }]\n",
            "crm.yaml",
            "W006",
            "tags",
        ),
    ] {
        let (_, reports) = read(&format!("{own}{tests}"));
        let found: Vec<_> = reports
            .iter()
            .flat_map(|report| report.problems.iter().map(move |problem| (report, problem)))
            .map(|(report, problem)| {
                let first = report.text.get(problem.span.clone()).unwrap().lines().next().unwrap();
                (report.file.as_str(), problem.code.as_str(), first)
            })
            .collect();
        assert!(found.contains(&(file, code, at)), "{own}\n{found:?}");
        let theirs = reports.iter().find(|report| report.file == "library:acme");
        for problem in theirs.iter().flat_map(|report| &report.problems) {
            assert!(problem.message.ends_with("(extended by `crm.yaml`)"), "{problem:?}");
        }
    }
}

#[test]
fn what_the_set_carries_comes_before_what_is_in_the_program() {
    let own = vec![("crm.yaml".to_owned(), "extends: typeform\n".to_owned())];
    let mut carried = own.clone();
    carried.push((format!("{LIBRARY}typeform"), SHIPPED.to_owned()));

    let (own, carried) = (Set::read(own).set.unwrap(), Set::read(carried).set.unwrap());

    assert!(own.get("crm").unwrap().rules.iter().any(|rule| &**rule == "new-lead"));
    assert!(carried.get("crm").unwrap().rules.iter().any(|rule| &**rule == "gone"));
    assert_ne!(own.hash(), carried.hash());
}
