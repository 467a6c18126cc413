//! A file of ten rules on an event of 2 kB, against hand-written code of the same effect: bytes in, updates out.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use chatflow_bridge::decode::{Limits, json};
use chatflow_bridge::document::{Members, Value as Document};
use chatflow_bridge::mapping::{Decision, Input, Set, Source};
use serde_json::Value;

use crate::table::{Table, median};

const TIMES: u32 = 4_000;
const RULES: usize = 10;

pub(crate) fn measure(table: &mut Table) {
    let file = file(RULES);
    let set = Set::read(vec![("crm.yaml".to_owned(), file)]).set.expect("the mapping is right");
    let source = set.get("crm").expect("the source is there");
    let event = event();
    assert_eq!(by_rules(source, event.as_bytes()), by_hand(event.as_bytes()), "the same effect");

    let (mut rules, mut hand) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        rules.push(time(|| by_rules(source, event.as_bytes())));
        hand.push(time(|| by_hand(event.as_bytes())));
    }
    let (rules, hand) = (median(rules), median(hand));
    table.row(
        "mapping, 10 rules, 2 kB ÷ by hand",
        &format!("{:.1}", rules / hand),
        "≤ 5",
        &format!("{:.1} µs; by hand {:.1} µs; {} bytes", rules * 1e6, hand * 1e6, event.len()),
    );
    measure_many(table);
}

/// Rules in one source of which one in a hundred could match: what planning costs, without the decoding.
fn measure_many(table: &mut Table) {
    let event = event();
    let document = json(event.as_bytes(), &Limits::default()).expect("the event is JSON");
    let sources = [10, 500].map(|count| {
        let file = file_of_kinds(count);
        let set = Set::read(vec![("crm.yaml".to_owned(), file)]).set.expect("the mapping is right");
        std::sync::Arc::clone(set.get("crm").expect("the source is there"))
    });
    for (source, matched) in sources.iter().zip([1, 5]) {
        assert_eq!(planned(source, &document), matched, "rules that match");
    }
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        few.push(time(|| planned(&sources[0], &document)));
        many.push(time(|| planned(&sources[1], &document)));
    }
    let (few, many) = (median(few), median(many));
    table.row(
        "mapping, 500 rules (5 match) ÷ 10 rules (1 matches)",
        &format!("{:.1}", many / few),
        "≤ 50",
        &format!(
            "{:.1} µs; 10 rules {:.1} µs; {:.0} ns for each rule more",
            many * 1e6,
            few * 1e6,
            (many - few) / 490.0 * 1e9
        ),
    );
}

/// Rules for different events, one in a hundred of them for the event of the benchmark (the first of ten at least).
fn file_of_kinds(rules: usize) -> String {
    let mut file =
        String::from("verify: none\nevent: { id: $.event_id, type: $.event_type }\nrules:\n");
    for rule in 0..rules {
        let kind =
            if rule % 100 == 0 { "form_response".to_owned() } else { format!("kind_{rule}") };
        write!(
            file,
            "  - name: rule-{rule}\n    when:\n      $.event_type: {kind}\n      $.form.hidden.plan: [gold, silver]\n    contact: {{ id: $.form.hidden.contact_id }}\n    update:\n      tags_to_add: [lead, $.form.hidden.utm | lower]\n      attributes: {{ plan: $.form.hidden.plan }}\n",
        )
        .expect("a text grows");
    }
    file
}

/// How many updates a document gives.
fn planned(source: &Source, document: &Document) -> usize {
    let nothing = Document::Object(Members::default());
    let input = Input {
        document,
        headers: &nothing,
        query: &nothing,
        received_at: jiff::Timestamp::UNIX_EPOCH,
    };
    source.plan(&input).iter().map(|event| event.planned.len()).sum()
}

fn time<T>(work: impl Fn() -> T) -> f64 {
    let begun = Instant::now();
    for _ in 0..TIMES {
        black_box(work());
    }
    begun.elapsed().as_secs_f64() / f64::from(TIMES)
}

/// Rules of which half match: each compares, looks into the answers, and gives a few fields.
fn file(rules: usize) -> String {
    let mut file = String::from(
        "verify: none\nevent: { id: $.event_id, type: $.event_type }\nlet:\n  answer:\n    index: $.form.answers[*]\n    key: $item.ref\n    value: $item.text\nrules:\n",
    );
    for rule in 0..rules {
        let kind = if rule % 2 == 0 { "form_response" } else { "form_partial" };
        write!(
            file,
            "  - name: rule-{rule}\n    when:\n      $.event_type: {kind}\n      $.form.hidden.plan: [gold, silver]\n    contact: {{ id: $.form.hidden.contact_id }}\n    update:\n      name: $answer.ref-1 | trim\n      tags_to_add: [lead, $.form.hidden.utm | lower]\n      attributes: {{ city: $answer.ref-{} | trim, plan: $.form.hidden.plan }}\n",
            rule + 2
        )
        .expect("a text grows");
    }
    file.replace("$answer.ref-", "$answer.ref_")
}

fn event() -> String {
    let answers: Vec<String> = (0..14)
        .map(|n| {
            format!(
                r#"{{"type":"text","ref":"ref_{n}","text":" Answer number {n} ","field":{{"id":"DlXFaesG{n}","title":"What is the answer to question {n}?"}}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"event_id":"01J9ZK3V7Q8R2S4T6U8V0W1X2Y","event_type":"form_response","form":{{"id":"lT4Z3j","hidden":{{"contact_id":"65a1b2c3d4e5f60718293a4b","utm":"IG","plan":"gold"}},"answers":[{}]}}}}"#,
        answers.join(",")
    )
}

/// What comes of it: name, tags, city and plan of every update.
type Effect = Vec<(String, Vec<String>, Vec<(String, String)>)>;

fn by_rules(source: &Source, body: &[u8]) -> Effect {
    let document = json(body, &Limits::default()).expect("the event is JSON");
    let nothing = Document::Object(Members::default());
    let input = Input {
        document: &document,
        headers: &nothing,
        query: &nothing,
        received_at: jiff::Timestamp::UNIX_EPOCH,
    };
    let mut effect = Vec::new();
    for event in source.plan(&input) {
        for planned in event.planned {
            let Decision::Update(planned) = planned.decision else { continue };
            let attribute = |(name, change): (
                String,
                chatflow_bridge::contact::AttributeChange,
            )| match change {
                chatflow_bridge::contact::AttributeChange::Set(value) => (name, value),
                chatflow_bridge::contact::AttributeChange::Remove => (name, String::new()),
            };
            effect.push((
                planned.update.name.unwrap_or_default(),
                planned.update.tags.add,
                planned.update.attributes.into_iter().map(attribute).collect(),
            ));
        }
    }
    effect
}

fn by_hand(body: &[u8]) -> Effect {
    let event: Value = serde_json::from_slice(body).expect("the event is JSON");
    let mut effect = Vec::new();
    let hidden = &event["form"]["hidden"];
    let plan = hidden["plan"].as_str().unwrap_or_default();
    let answer = |name: &str| {
        event["form"]["answers"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|answer| answer["ref"] == name)
            .and_then(|answer| answer["text"].as_str())
            .map(|text| text.trim().to_owned())
    };
    for rule in 0..RULES {
        let kind = if rule % 2 == 0 { "form_response" } else { "form_partial" };
        if event["event_type"] != kind || !matches!(plan, "gold" | "silver") {
            continue;
        }
        let mut tags = vec!["lead".to_owned()];
        tags.extend(hidden["utm"].as_str().map(str::to_lowercase));
        let mut attributes = Vec::new();
        attributes
            .extend(answer(&format!("ref_{}", rule + 2)).map(|city| ("city".to_owned(), city)));
        attributes.push(("plan".to_owned(), plan.to_owned()));
        effect.push((answer("ref_1").unwrap_or_default(), tags, attributes));
    }
    effect
}
