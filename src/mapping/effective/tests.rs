use super::*;
use crate::document::Value;
use crate::mapping::testing::{self, Outside};
use crate::mapping::{Read, Set, Source};

/// Everything that `effective` moves about, with tests that reach it.
const RULES: &str = "verify: { token: { in: path, secret: env:T } }
event: { id: $id }
tables:
  plans: { pro_2024: pro, team_2024: \"yes\" }
  unused: { a: b }
let:
  id: $.event.id
  lead: $.lead
  city: $lead.city | trim
  answer: { index: '$.answers[*]', key: $item.ref, value: $item.text }
  none_reads_it: $.x
defaults:
  when: { $.kind: { not_in: [ping] }, $lead.spam: { exists: false } }
  contact: { mobile: $lead.phone | phone(e164), on_missing: create }
  update: { tags_to_add: [all], attributes: { city: $city } }
rules:
  - name: inherits
    update: { name: '{{ lead.name }}', attributes: { plan: '$lead.plan | map(plans, otherwise=absent)' } }
  - name: own-ways
    when: { $.kind: lead }
    contact: { id: $answer.contact }
    update: { tags_to_add: [own], attributes: { city: '{{ city | upper }}' } }
  - name: same-subject
    when: { $lead.spam: { exists: false }, $.kind: { equals: lead } }
    update: { optin: true }
  - name: hides
    let: { city: $city | lower, again: $city | title }
    update: { attributes: { place: $again } }
  - name: items
    inherit: false
    for_each: $.items[*]
    let: { total: $item.total | number }
    contact: { mobile: $item.phone | phone(e164) }
    update: { attributes: { total: $total, city: $city } }
tests:
  - name: a lead
    body:
      event: { id: 7 }
      kind: lead
      lead: { phone: '12025550143', name: Ann, city: ' Pune City ', plan: team_2024 }
      answers: [{ ref: contact, text: 65a1b2c3d4e5f60718293a4b }]
      items: [{ phone: '12025550144', total: 5 }, { phone: call me }]
    expect: ignored
  - name: spam
    body: { kind: lead, lead: { spam: true }, items: [] }
    expect: ignored
  - name: a ping
    body: { kind: ping, lead: { phone: '12025550143' } }
    expect: ignored
";

/// Bodies of files that stand in the repository.
struct Files(&'static str);

impl Outside for Files {
    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(self.0).join(name))
            .map_err(|error| error.to_string())
    }

    fn decode(&mut self, _: &Source, _: Option<&str>, body: &[u8]) -> Result<Value, String> {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let node = Node::read(text).map_err(|problem| problem.message)?;
        let mut problems = crate::mapping::syntax::Problems::default();
        testing::document(&node, &mut problems).ok_or_else(|| "no document".to_owned())
    }
}

fn source(text: &str) -> std::sync::Arc<Source> {
    let Read { set, reports } = Set::read(vec![("crm.yaml".to_owned(), text.to_owned())]);
    let set = set.unwrap_or_else(|| panic!("{:?}\n{text}", reports[0].problems));
    std::sync::Arc::clone(set.iter().next().unwrap())
}

#[test]
fn what_is_shown_reads_back_to_the_same_plans() {
    for (text, folder) in [
        (RULES, ""),
        (include_str!("../../../mappings/typeform.yaml"), "mappings"),
        (include_str!("../../../mappings/woocommerce.yaml"), "mappings"),
        (include_str!("../../../mappings/make.yaml"), "mappings"),
        (include_str!("../../../tests/fixtures/mappings/typeform.yaml"), "tests/fixtures/mappings"),
        (include_str!("../../../tests/fixtures/mappings/hubspot.yaml"), "tests/fixtures/mappings"),
    ] {
        let shown = effective(text, &[]).unwrap();
        let (before, after) = (source(text), source(&shown));

        assert!(!before.tests().is_empty());
        for test in before.tests() {
            let was = testing::run(&before, test, &mut Files(folder));
            let is = testing::run(&after, test, &mut Files(folder));
            assert!(was.actual.is_some(), "{}: {:?}", test.name, was.failures);
            assert_eq!(was.events, is.events, "{}\n{shown}", test.name);
        }
        assert_eq!(before.headers, after.headers);
        assert_eq!(effective(&shown, &[]).unwrap(), shown, "shown twice is shown once");
    }
}

#[test]
fn each_rule_has_all_that_it_starts_from_and_only_what_it_reads() {
    let shown = effective(RULES, &[]).unwrap();

    let rule = shown.split("- name: inherits\n").nth(1).unwrap().split("  - name:").next().unwrap();
    assert_eq!(
        rule,
        "    let:
      lead: $.lead
      city: $lead.city | trim
    when:
      $.kind:
        not_in:
          - ping
      $lead.spam:
        exists: false
    contact:
      mobile: $lead.phone | phone(e164)
      on_missing: create
    update:
      tags_to_add:
        - all
      name: \"{{ lead.name }}\"
      attributes:
        city: $city
        plan: \"$lead.plan | map(plans, otherwise=absent)\"
"
    );
    for gone in ["defaults:", "unused:", "none_reads_it", "tests:", "inherit:"] {
        assert!(!shown.contains(gone), "{gone}\n{shown}");
    }
}

#[test]
fn a_secret_that_stands_in_the_file_is_not_shown() {
    let text = RULES.replace("env:T", "'swordfish'");
    let shown = effective(&text, &[]).unwrap();

    assert!(!shown.contains("swordfish") && shown.contains("secret: (not shown)"), "{shown}");
}
