//! Dead letters: found with the API's words, mended, sent again, put away; a pause that lasts.

mod api;
mod change;
mod purge;

use std::time::Duration;

use boon::{Compiler, Schemas};
use chatflow_bridge::chatflow::mock::{Fault, Seed};
use serde_json::{Value, json};

use crate::harness::{Bridge, CRM, Said, lead, program, store};

/// Runs a command as on the bridge's machine: beside its store, with its settings.
async fn command(bridge: &Bridge, arguments: &[&str]) -> Said {
    let mut command = program();
    command
        .args(arguments)
        .current_dir(bridge.folder())
        .env("BRIDGE_SERVER__ADMIN", bridge.addresses().admin.to_string())
        .env("BRIDGE_STORE__URL", format!("sqlite:{}", store(bridge.folder()).display()))
        .env("BRIDGE_STORE__MIN_FREE", "0");
    tokio::task::spawn_blocking(move || Said::by(command)).await.unwrap()
}

/// A lead with a tag that Chatflow does not know.
fn tagged(id: &str, mobile: &str, step: usize) -> Value {
    let mut lead = lead(id, mobile, step);
    lead["tags"] = json!(["unheard-of"]);
    lead
}

fn mended() -> String {
    CRM.replace("tags_to_add: $.tags", "tags_to_add: [gold]")
}

/// A bridge whose API knows one tag, with one refused lead; the name of its update.
async fn with_a_refused_lead() -> (Bridge, String) {
    let bridge = Bridge::with_mapping("crm", CRM).knowing_tags(&["gold"]).start().await;
    let answer = bridge.post("crm", &tagged("1", "12025550143", 1)).await;
    let event = answer.json()["event_id"].as_str().unwrap().to_owned();
    bridge.until(|numbers| numbers.dead == 1).await;
    (bridge, format!("{event}/lead/0"))
}

fn event_of(update: &str) -> &str {
    update.split_once('/').unwrap().0
}

#[tokio::test]
async fn every_command_of_the_page_on_dead_letters_is_one_that_runs() {
    let page = include_str!("../../../docs/dead-letters.md");
    let commands = page.lines().filter_map(|line| line.strip_prefix("chatflow-bridge "));
    let commands: Vec<_> =
        commands.map(|line| line.split('#').next().unwrap().trim().to_owned()).collect();
    assert!(commands.len() >= 15, "{commands:?}");
    let (bridge, update) = with_a_refused_lead().await;
    std::fs::create_dir(bridge.mappings()).unwrap();
    std::fs::write(bridge.mappings().join("crm.yaml"), CRM).unwrap();

    for line in commands {
        let line = line.replace("0000000000042", event_of(&update));
        let arguments: Vec<_> = line.split_whitespace().collect();
        let said = command(&bridge, &arguments).await;
        // Of a filter that finds nothing there is nothing to be said.
        assert_eq!(said.code, Some(0), "{line}: {said:?}");
        bridge.until(|numbers| numbers.ready == 0 || line.starts_with("pause")).await;
    }
    bridge.end().await;
}
