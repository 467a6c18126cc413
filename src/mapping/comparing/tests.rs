use super::*;
use crate::mapping::syntax::{Node, Problems};
use crate::mapping::{Input, Set, testing};

const OLD: &str = "verify: { preset: github, secret: env:S }
event: { id: $.id }
rules:
  - name: lead
    when: { $.kind: lead }
    contact: { mobile: $.phone | phone(e164) }
    update: { name: $.name, tags_to_add: [lead], attributes: { city: $.city, plan: $.plan } }
  - name: gone
    when: { $.kind: withdrawn }
    contact: { mobile: $.phone | phone(e164) }
    update: { optin: false }
tests: []
";

fn planned(text: &str, event: &str) -> Vec<PlannedEvent> {
    let read = Set::read(vec![("crm.yaml".to_owned(), text.to_owned())]);
    let set = read.set.unwrap_or_else(|| panic!("{:?}", read.reports));
    let document =
        testing::document(&Node::read(event).unwrap(), &mut Problems::default()).unwrap();
    let nothing = crate::document::Value::default();
    set.get("crm").unwrap().plan(&Input {
        document: &document,
        headers: &nothing,
        query: &nothing,
        received_at: jiff::Timestamp::UNIX_EPOCH,
    })
}

fn compared(new: &str, events: &[&str]) -> Comparison {
    let mut comparison = Comparison::default();
    for (place, event) in events.iter().enumerate() {
        comparison.add("crm", &place.to_string(), &planned(OLD, event), &planned(new, event));
    }
    comparison
}

const LEAD: &str = "{ id: 1, kind: lead, phone: '12025550143', name: Ann, city: Pune, plan: gold }";
const HELD: &str = "{ id: 2, kind: lead, phone: call me, name: Ann }";
const GONE: &str = "{ id: 3, kind: withdrawn, phone: '12025550143' }";

#[test]
fn the_same_rules_make_no_difference() {
    let comparison = compared(OLD, &[LEAD, HELD, GONE]);

    assert!(!comparison.differs());
    let source = &comparison.sources["crm"];
    assert_eq!((source.events, source.differ, source.events_changed), (3, 0, 0));
    assert_eq!(source.rules["lead"].matched, Sides { before: 2, after: 2 });
    assert_eq!(source.rules["lead"].held, Sides { before: 1, after: 1 });
    assert!(source.rules.values().all(|rule| !rule.differs() && rule.examples.is_empty()));
}

#[test]
fn fields_are_gained_lost_and_changed_by_name() {
    let new = OLD
        .replace("tags_to_add: [lead]", "tags_to_add: [new]")
        .replace("city: $.city, plan: $.plan", "town: $.city, plan: $.plan | upper");
    let comparison = compared(&new, &[LEAD, HELD]);

    let rule = &comparison.sources["crm"].rules["lead"];
    assert_eq!((rule.gained, rule.lost, rule.changed), (0, 0, 1));
    let names = |fields: &BTreeMap<String, u64>| fields.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&rule.fields_gained), ["attributes.town", "tags_to_add: new"]);
    assert_eq!(names(&rule.fields_lost), ["attributes.city", "tags_to_add: lead"]);
    assert_eq!(names(&rule.fields_changed), ["attributes.plan"]);
    let example = &rule.examples[0];
    assert_eq!(example.event, "0");
    assert_eq!(example.before.as_ref().unwrap()["update"]["attributes"]["plan"], "gold");
    assert_eq!(example.after.as_ref().unwrap()["update"]["attributes"]["plan"], "GOLD");
}

#[test]
fn updates_and_matches_are_gained_and_lost() {
    let new = OLD
        .replacen("$.phone | phone(e164)", "'$.phone | phone(e164, invalid=absent)'", 1)
        .replace("withdrawn", "left");
    let comparison = compared(&new, &[LEAD, HELD, GONE, GONE, GONE, GONE]);

    let source = &comparison.sources["crm"];
    assert_eq!((source.events, source.differ), (6, 5));
    let (lead, gone) = (&source.rules["lead"], &source.rules["gone"]);
    assert_eq!((lead.gained, lead.lost, lead.changed), (0, 0, 1));
    assert_eq!(lead.held, Sides { before: 1, after: 0 });
    assert_eq!((gone.gained, gone.lost, gone.changed), (0, 4, 0));
    assert_eq!(gone.matched, Sides { before: 4, after: 0 });
    assert_eq!(gone.examples.len(), 3);
    assert_eq!(gone.fields_lost["optin"], 4);
}

#[test]
fn what_is_known_about_an_event_is_compared_too() {
    let comparison = compared(&OLD.replace("id: $.id", "id: $.uuid"), &[LEAD]);

    let source = &comparison.sources["crm"];
    assert_eq!((source.differ, source.events_changed), (1, 1));
    assert_eq!(source.examples[0].before.as_ref().unwrap()["id"], "1");
    assert!(source.rules.values().all(|rule| !rule.differs()));
}
