//! Consent in the library: given only where the event says that the person agreed, and a withdrawal wins.

use chatflow_bridge::library;
use chatflow_bridge::mapping::effective;
use chatflow_bridge::mapping::syntax::{Kind, Node};

/// What `optin` of a rule can come to.
#[derive(Debug, PartialEq, Eq)]
enum Consent {
    /// Nothing, or a withdrawal.
    NotGiven,
    /// It is given for a reason.
    Given,
    /// It is given, and this is missing.
    Guessed(&'static str),
}

/// Words of which one stands where an event's type alone says that somebody agreed.
const AGREED: &[&str] = &["subscribed", "opt_in", "optin", "opted_in", "consent", "agreed"];

fn consent_of(rule: &Node, event_type: &str) -> Consent {
    let Some(optin) = rule.get("update").and_then(|update| update.get("optin")) else {
        return Consent::NotGiven;
    };
    match optin.as_text() {
        Some("false") => Consent::NotGiven,
        Some("true") => {
            let Some(when) = rule.get("when") else { return Consent::Guessed("a condition") };
            let paths = texts(when).into_iter().filter(|text| reads_event(text));
            let others = paths.clone().filter(|path| *path != event_type).count();
            let is_said =
                texts(when).iter().any(|text| AGREED.iter().any(|word| text.contains(word)));
            match (paths.count(), others) {
                (0, _) => Consent::Guessed("a field of the event in the condition"),
                (_, 0) if !is_said => Consent::Guessed("more than the kind of event"),
                _ => Consent::Given,
            }
        }
        _ => {
            let texts = texts(optin);
            if !texts.iter().any(|text| reads_event(text)) {
                Consent::Guessed("a field of the event in the value")
            } else if !texts.iter().any(|text| text.contains("bool")) {
                Consent::Guessed("`bool`, which says what a yes is")
            } else {
                Consent::Given
            }
        }
    }
}

fn reads_event(text: &str) -> bool {
    text.starts_with('$') && !text.starts_with("$event") && !text.starts_with("$headers")
}

fn texts(node: &Node) -> Vec<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } => vec![text],
        Kind::List(items) => items.iter().flat_map(texts).collect(),
        Kind::Map(entries) => entries
            .iter()
            .flat_map(|(key, value)| texts(key).into_iter().chain(texts(value)))
            .collect(),
    }
}

/// The rules of a mapping as they are in force, and what they come to.
fn rules(text: &str) -> Vec<(String, Consent, bool)> {
    let root = Node::read(&effective(text, &[]).unwrap()).unwrap();
    let event_type = root.get("event").and_then(|event| event.get("type")).and_then(Node::as_text);
    let rules = root.get("rules").and_then(Node::as_list).unwrap_or_default();
    rules
        .iter()
        .map(|rule| {
            let name = rule.get("name").and_then(Node::as_text).unwrap().to_owned();
            let optin = rule.get("update").and_then(|update| update.get("optin"));
            let withdraws = optin.and_then(Node::as_text) == Some("false");
            (name, consent_of(rule, event_type.unwrap_or_default()), withdraws)
        })
        .collect()
}

#[test]
fn no_shipped_mapping_gives_consent_unless_the_event_says_so() {
    let mut given = 0;
    for shipped in library::all() {
        for (rule, consent, _) in rules(shipped.text) {
            if let Consent::Guessed(missing) = consent {
                panic!("{}: the rule `{rule}` gives consent without {missing}", shipped.name);
            }
            given += usize::from(consent == Consent::Given);
        }
    }
    assert!(given > 20, "{given} rules of the library give consent");
}

#[test]
fn a_withdrawal_comes_after_all_that_give() {
    for shipped in library::all() {
        if Node::read(shipped.text).unwrap().get("match").is_some() {
            // Under `match: first` there is one rule, and no order.
            continue;
        }
        let rules = rules(shipped.text);
        let gives = rules.iter().rposition(|(_, consent, _)| *consent == Consent::Given);
        let withdraws = rules.iter().position(|(_, _, withdraws)| *withdraws);
        if let (Some(gives), Some(withdraws)) = (gives, withdraws) {
            assert!(gives < withdraws, "{}: `{}` comes last", shipped.name, rules[gives].0);
        }
    }
}

#[test]
fn what_counts_as_a_guess() {
    let file =
        |rule: &str| format!("event: {{ type: $.kind }}\nrules:\n  - {{ name: a, {rule} }}\n");
    for (rule, given) in [
        ("update: { name: $.n }", Consent::NotGiven),
        ("update: { optin: false }", Consent::NotGiven),
        ("update: { optin: true }", Consent::Guessed("a condition")),
        (
            "when: { \"$headers['x-a']\": b }, update: { optin: true }",
            Consent::Guessed("a field of the event in the condition"),
        ),
        (
            "when: { $.kind: lead }, update: { optin: true }",
            Consent::Guessed("more than the kind of event"),
        ),
        ("when: { $.kind: subscribed }, update: { optin: true }", Consent::Given),
        ("when: { $.kind: lead, $.agreed: true }, update: { optin: true }", Consent::Given),
        ("update: { optin: $.agreed }", Consent::Guessed("`bool`, which says what a yes is")),
        (
            "update: { optin: { first_of: [true] } }",
            Consent::Guessed("a field of the event in the value"),
        ),
        ("update: { optin: '$.agreed | bool(yes=[true])' }", Consent::Given),
    ] {
        assert_eq!(rules(&file(rule))[0].1, given, "{rule}");
    }
}
