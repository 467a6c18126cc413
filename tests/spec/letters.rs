//! Dead letters: found with the API's words, mended, sent again, put away; a pause that lasts.

use std::process::Output;
use std::time::Duration;

use boon::{Compiler, Schemas};
use chatflow_bridge::chatflow::mock::{Fault, Seed};
use serde_json::{Value, json};

use crate::harness::{Bridge, CRM, lead, program, store};

/// What a command ended with and said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// Runs a command as on the bridge's machine: beside its store, with its settings.
async fn command(bridge: &Bridge, arguments: &[&str]) -> Said {
    let mut command = program();
    command
        .args(arguments)
        .current_dir(bridge.folder())
        .env("BRIDGE_SERVER__ADMIN", bridge.addresses().admin.to_string())
        .env("BRIDGE_STORE__URL", format!("sqlite:{}", store(bridge.folder()).display()))
        .env("BRIDGE_STORE__MIN_FREE", "0");
    tokio::task::spawn_blocking(move || {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: status.code(), out: text(stdout), err: text(stderr) }
    })
    .await
    .unwrap()
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
async fn what_was_refused_is_listed_with_the_words_of_the_api() {
    let (bridge, update) = with_a_refused_lead().await;

    let listed = command(&bridge, &["events", "list", "--state", "dead"]).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    for part in [&*update, "dead (refused)", "400", "unheard-of", "crm"] {
        assert!(listed.out.contains(part), "{part}: {}", listed.out);
    }
    assert!(!listed.out.contains("12025550143"), "no contact is named");

    let shown = command(&bridge, &["events", "show", &update]).await;
    assert!(shown.out.contains("tagsToAdd") && shown.out.contains("12025550143"), "{shown:?}");
    let shown = command(&bridge, &["events", "show", event_of(&update)]).await;
    assert!(shown.out.contains(r#""kind":"lead""#) && shown.out.contains(&update), "{shown:?}");

    bridge.post("crm", &tagged("2", "12025550144", 1)).await.expect("accepted");
    bridge.post("crm", &json!({ "id": "3", "kind": "other" })).await.expect("ignored");
    bridge.until(|numbers| numbers.dead == 2).await;
    let causes = command(&bridge, &["events", "list", "--causes", "--json"]).await.json();
    assert_eq!((&causes["updates"], &causes["complete"]), (&json!(2), &json!(true)));
    assert_eq!(causes["causes"].as_array().unwrap().len(), 1, "{causes}");
    assert_eq!(
        (&causes["causes"][0]["count"], &causes["causes"][0]["status"]),
        (&json!(2), &json!(400))
    );

    let all = command(&bridge, &["events", "list", "--json"]).await.json();
    let outcomes: Vec<_> = all["rows"].as_array().unwrap().iter().collect();
    assert_eq!(outcomes.len(), 3, "{all}");
    assert_eq!(outcomes[0]["outcome"], "ignored");
    for (filter, found) in [
        (&["--reason", "refused"][..], 2),
        (&["--status", "400", "--rule", "lead"], 2),
        (&["--status", "500"], 0),
        (&["--since", "1h", "--state", "dead,held"], 2),
        (&["--contact", "mobile:+1 202 555 0144"], 1),
        (&["--source", "crm", "--state", "delivered"], 0),
    ] {
        let said = command(&bridge, &[&["events", "list", "--json"], filter].concat()).await;
        assert_eq!(said.json()["rows"].as_array().unwrap().len(), found, "{filter:?}");
    }
    bridge.end().await;
}

#[tokio::test]
async fn a_mended_rule_and_remap_deliver_what_was_refused() {
    let (bridge, update) = with_a_refused_lead().await;
    let bridge = bridge.restart_with("crm", &mended()).await;

    let dry = command(&bridge, &["events", "remap", "--state", "dead", "--dry-run"]).await;
    assert_eq!(dry.code, Some(0), "{dry:?}");
    for part in [&*update, "dead → waiting", r#"tags.add: ["unheard-of"] → ["gold"]"#, "PUT "] {
        assert!(dry.out.contains(part), "{part}: {}", dry.out);
    }
    assert_eq!(bridge.numbers().await.dead, 1, "a dry run changes nothing");

    let nobody = command(&bridge, &["events", "remap", "--state", "dead"]).await;
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert!(nobody.err.contains("--yes"), "{}", nobody.err);

    let done = command(&bridge, &["events", "remap", "--state", "dead", "--yes"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    bridge.until(|numbers| numbers.delivered == 1).await;
    let contact = bridge.chatflow.contact_by_mobile("12025550143").unwrap();
    assert!(contact.tags.contains(&"gold".to_owned()), "{contact:?}");

    let again = command(&bridge, &["events", "remap", event_of(&update), "--yes", "--json"]).await;
    assert_eq!((again.code, &again.json()["changed"]), (Some(1), &json!(0)), "{again:?}");
    let again = command(&bridge, &["events", "remap", &update, "--again", "--yes"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    bridge.drain().await;
    assert_eq!(bridge.numbers().await.delivered, 1);
    assert_eq!(command(&bridge, &["audit"]).await.code, Some(0));
    bridge.end().await;
}

#[tokio::test]
async fn a_replay_leaves_out_what_a_later_event_has_set() {
    let (bridge, update) = with_a_refused_lead().await;
    let mut later = lead("2", "12025550143", 2);
    later["name"] = json!("Ann");
    bridge.post("crm", &later).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 1).await;
    let bridge = bridge.restart_with("crm", &mended()).await;
    let before = bridge.puts().len();

    let done = command(&bridge, &["events", "remap", &update, "--yes", "--json"]).await.json();
    assert_eq!(done["updates"][0]["left_out"], json!(["attributes.step"]), "{done}");
    bridge.until(|numbers| numbers.delivered == 2).await;

    assert_eq!(bridge.puts()[before].body, json!({ "tagsToAdd": "gold" }));
    let contact = bridge.chatflow.contact_by_mobile("12025550143").unwrap();
    assert_eq!(contact.attributes["step"], "2");
    bridge.end().await;
}

/// A CRM that also takes consent.
fn consenting() -> String {
    CRM.replace(
        "  - name: withdrawn",
        r"  - name: agreed
    when: { $.kind: agreed }
    contact: { mobile: $.mobile | phone(e164) }
    update: { optin: true, tags_to_add: $.tags }
  - name: withdrawn",
    )
}

#[tokio::test]
async fn consent_is_not_given_back_over_a_later_withdrawal() {
    let bridge = Bridge::with_mapping("crm", &consenting()).knowing_tags(&["gold"]).start().await;
    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 1).await;
    let agreed = json!({ "id": "2", "kind": "agreed", "mobile": "12025550143", "tags": ["no"] });
    bridge.post("crm", &agreed).await.expect("accepted");
    bridge.until(|numbers| numbers.dead == 1).await;
    let withdrawn = json!({ "id": "3", "kind": "withdrawn", "mobile": "12025550143" });
    bridge.post("crm", &withdrawn).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 2).await;

    let dry =
        command(&bridge, &["events", "replay", "--state", "dead", "--dry-run", "--json"]).await;
    let put = dry.json()["updates"][0].clone();
    assert_eq!(put["left_out"], json!(["optin"]), "{put}");
    assert_eq!(put["requests"][1]["body"], json!({ "tagsToAdd": "no" }), "{put}");

    let mended = consenting().replace("optin: true, tags_to_add: $.tags", "optin: true");
    let bridge = bridge.restart_with("crm", &mended).await;
    let remap = ["events", "remap", "--state", "dead", "--yes", "--json"];
    let done = command(&bridge, &remap).await.json();
    assert_eq!(
        (&done["updates"][0]["becomes"], &done["updates"][0]["reason"]),
        (&json!("skipped"), &json!("superseded"))
    );
    bridge.drain().await;
    assert!(!bridge.chatflow.contact_by_mobile("12025550143").unwrap().optin);

    let name = done["updates"][0]["update"].as_str().unwrap();
    let said = command(&bridge, &["events", "replay", name, "--overwrite", "--yes"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    bridge.until(|numbers| numbers.delivered == 3).await;
    assert!(
        bridge.chatflow.contact_by_mobile("12025550143").unwrap().optin,
        "who says so, does so"
    );
    bridge.end().await;
}

#[tokio::test]
async fn a_replay_is_refused_again_or_delivered_and_is_counted_once() {
    let (bridge, update) = with_a_refused_lead().await;

    let answer = bridge.change("/api/replay", &json!({ "names": [update] })).await;
    assert_eq!(answer.json()["changed"], 1, "{answer:?}");
    bridge.until(|numbers| numbers.dead == 1 && numbers.ready == 0).await;
    assert_eq!(bridge.puts().len(), 2);

    let done = command(&bridge, &["events", "discard", &update, "--yes"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(bridge.numbers().await.discarded, 1);
    let none = command(&bridge, &["events", "replay", &update, "--yes"]).await;
    assert_eq!(none.code, Some(1), "{none:?}");
    let none = command(&bridge, &["events", "discard", "0000000000999/lead/0", "--yes"]).await;
    assert_eq!(none.code, Some(1), "{none:?}");
    for wrong in [
        &["events", "replay"][..],
        &["events", "replay", "nonsense"],
        &["events", "replay", &update, "--state", "dead"],
        &["events", "list", "--state", "nonsense"],
        &["events", "list", "--contact", "12025550143"],
    ] {
        assert_eq!(command(&bridge, wrong).await.code, Some(2), "{wrong:?}");
    }
    bridge.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_the_commands_say_and_do_the_same_and_refuse_while_a_bridge_runs() {
    let (bridge, update) = with_a_refused_lead().await;
    let refused = command(&bridge, &["events", "list", "--offline"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("held by another process"), "{}", refused.err);
    let list = ["events", "list", "--state", "dead", "--json"];
    let show = ["events", "show", &update, "--json"];
    let (listed, shown) = (command(&bridge, &list).await, command(&bridge, &show).await);

    let bridge = bridge
        .restart_after(|folder| {
            let offline = |arguments: &[&str]| {
                let mut command = program();
                command.args(arguments).arg("--offline").current_dir(folder);
                command.env("BRIDGE_STORE__URL", format!("sqlite:{}", store(folder).display()));
                command.env("BRIDGE_STORE__MIN_FREE", "0");
                let said = command.output().unwrap();
                (said.status.code(), String::from_utf8(said.stdout).unwrap())
            };
            assert_eq!(offline(&list), (Some(0), listed.out.clone()));
            let (code, said) = offline(&show);
            assert_eq!(code, Some(0));
            let (said, shown): (Value, Value) =
                (serde_json::from_str(&said).unwrap(), shown.json());
            assert_eq!(said["planned"], shown["planned"]);
            assert_eq!(offline(&["audit"]).0, Some(0));
            std::fs::create_dir(folder.join("mappings")).unwrap();
            std::fs::write(folder.join("mappings/crm.yaml"), mended()).unwrap();
            assert_eq!(offline(&["events", "remap", "--state", "dead", "--yes"]).0, Some(0));
            assert_eq!(offline(&["pause"]).0, Some(0));
        })
        .await;

    assert_eq!(bridge.updates("waiting").await.len(), 1, "delivery is paused");
    let resumed = command(&bridge, &["resume"]).await;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    // The command went by the clock of the machine.
    bridge.clock.advance(Duration::from_hours(24 * 3650));
    bridge.until(|numbers| numbers.delivered == 1).await;
    bridge.end().await;
}

#[tokio::test]
async fn a_pause_of_an_operator_survives_a_restart() {
    let bridge = Bridge::start().await;
    let said = command(&bridge, &["pause"]).await;
    assert!(said.out.contains("operator"), "{said:?}");

    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    let bridge = bridge.restart().await;

    let status = bridge.admin("/api/status").await.json();
    assert_eq!(status["delivery"]["paused"], json!(["operator"]));
    assert!(status["delivery"]["paused_by_operator_since"].is_string(), "{status}");
    let ready = bridge.observe("/readyz").await;
    assert_eq!((ready.status, &ready.json()["delivery_paused"]), (200, &json!(["operator"])));
    assert_eq!((bridge.numbers().await.ready, bridge.puts().len()), (1, 0));

    assert_eq!(bridge.change("/api/resume", &json!(null)).await.json()["paused"], json!([]));
    bridge.until(|numbers| numbers.delivered == 1).await;
    let bridge = bridge.restart().await;
    assert_eq!(bridge.admin("/api/status").await.json()["delivery"]["paused"], json!([]));
    bridge.end().await;
}

#[tokio::test]
async fn changes_come_from_no_other_site_and_only_as_post() {
    let (bridge, update) = with_a_refused_lead().await;
    let token = std::fs::read_to_string(bridge.folder().join("bridge.db.admin-token")).unwrap();
    let url = format!("http://{}/api/discard", bridge.addresses().admin);
    let post =
        || bridge.http().post(&url).bearer_auth(token.trim()).json(&json!({"names": [update]}));

    let answers = [
        (post().header("origin", "https://evil.example"), 403),
        (post().header("host", "evil.example"), 403),
        (bridge.http().post(&url).json(&json!({"names": [update]})), 401),
        (bridge.http().get(&url).bearer_auth(token.trim()), 405),
        (bridge.http().post(&url).bearer_auth(token.trim()).json(&json!({})), 400),
        (bridge.http().post(&url).bearer_auth(token.trim()).body("names"), 400),
        (post().header("origin", format!("http://{}", bridge.addresses().admin)), 200),
    ];
    for (number, (request, status)) in answers.into_iter().enumerate() {
        assert_eq!(request.send().await.unwrap().status(), status, "request {number}");
    }
    assert_eq!(bridge.numbers().await.discarded, 1);
    bridge.end().await;
}

#[tokio::test]
async fn rows_that_are_not_there_are_found_by_the_audit_and_shown_by_the_metric() {
    let (bridge, _) = with_a_refused_lead().await;
    let bridge = bridge
        .restart_after(|folder| {
            let store = rusqlite::Connection::open(store(folder)).unwrap();
            store.execute("DELETE FROM upd", []).unwrap();
        })
        .await;

    let audit = command(&bridge, &["audit"]).await;
    assert_eq!(audit.code, Some(1), "{audit:?}");
    assert!(audit.out.contains("off by 1"), "{}", audit.out);
    bridge.clock.advance(Duration::from_hours(1));
    bridge.until_metric("ledger_imbalance", 1.0).await;
    bridge.end().await;
}

#[tokio::test]
async fn the_answers_are_as_the_api_describes_them() {
    let (bridge, update) = with_a_refused_lead().await;
    bridge.post("crm", &json!({ "id": "3", "kind": "other" })).await.expect("ignored");
    let forget = "/api/sources/crm/forget-secret";
    let api = bridge.admin("/api/openapi.json").await.json();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("http://bridge/openapi.json", api.clone()).unwrap();
    let event = event_of(&update);
    let dry = json!({ "names": [update], "dry_run": true });
    for (path, body, name) in [
        ("/api/status".to_owned(), None, "Status"),
        ("/api/events".to_owned(), None, "Events"),
        (format!("/api/events/{event}"), None, "Event"),
        ("/api/updates?state=dead&limit=1".to_owned(), None, "Updates"),
        (format!("/api/updates/{update}"), None, "Update"),
        (format!("/api/updates/{event}/other/0"), None, "Problem"),
        ("/api/updates/nonsense".to_owned(), None, "Problem"),
        ("/api/updates?state=nonsense".to_owned(), None, "Problem"),
        ("/api/updates?reason=nonsense".to_owned(), None, "Problem"),
        ("/api/causes".to_owned(), None, "Causes"),
        ("/api/audit".to_owned(), None, "Audit"),
        ("/api/replay".to_owned(), Some(dry.clone()), "Done"),
        ("/api/remap".to_owned(), Some(dry.clone()), "Done"),
        ("/api/discard".to_owned(), Some(dry.clone()), "Done"),
        ("/api/purge".to_owned(), Some(dry.clone()), "Done"),
        ("/api/discard".to_owned(), Some(json!({ "filter": {} })), "Problem"),
        ("/api/pause".to_owned(), Some(Value::Null), "Paused"),
        ("/api/resume".to_owned(), Some(Value::Null), "Paused"),
        ("/api/rejected".to_owned(), None, "Problem"),
        (forget.to_owned(), Some(Value::Null), "Forgotten"),
    ] {
        let answer = match &body {
            None => bridge.admin(&path).await,
            Some(body) => bridge.change(&path, body).await,
        };
        let place = format!("http://bridge/openapi.json#/components/schemas/{name}");
        let schema = compiler.compile(&place, &mut schemas).unwrap();
        let told = answer.json();
        let flaw = schemas.validate(&told, schema).err().map(|error| error.to_string());
        assert_eq!(flaw, None, "{path}: {told}");
        assert_eq!(name == "Problem", answer.status >= 400, "{path} {answer:?}");
    }
    assert_eq!(bridge.numbers().await.dead, 1);
    bridge.end().await;
}

#[tokio::test]
async fn refused_requests_are_told_as_the_api_describes_them() {
    let bridge =
        Bridge::with_mapping("crm", CRM).with_setting("server.keep_rejected", "1h").start().await;
    bridge.send("crm", &[("content-type", "application/json")], "{").await;
    let api = bridge.admin("/api/openapi.json").await.json();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("http://bridge/openapi.json", api).unwrap();
    for (path, name) in [("/api/rejected", "RejectedList"), ("/api/rejected/1", "Rejected")] {
        let place = format!("http://bridge/openapi.json#/components/schemas/{name}");
        let schema = compiler.compile(&place, &mut schemas).unwrap();
        let told = bridge.admin(path).await.json();
        let flaw = schemas.validate(&told, schema).err().map(|error| error.to_string());
        assert_eq!(flaw, None, "{path}: {told}");
    }
    bridge.end().await;
}

#[tokio::test]
async fn a_person_is_forgotten_but_for_what_still_waits() {
    let (bridge, update) = with_a_refused_lead().await;
    let other = bridge.post("crm", &lead("2", "12025550144", 1)).await;
    bridge.post("crm", &lead("3", "12025550143", 1)).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 2).await;
    bridge.change("/api/pause", &Value::Null).await;
    let waits = bridge.post("crm", &lead("4", "12025550143", 2)).await.json()["event_id"].clone();
    let purge = ["events", "purge", "--contact", "mobile:12025550143"];

    let dry = command(&bridge, &[&purge[..], &["--dry-run", "--json"]].concat()).await;
    assert_eq!((dry.code, &dry.json()["changed"]), (Some(1), &json!(2)), "{dry:?}");
    assert_eq!(bridge.numbers().await.dead, 1);
    let done = command(&bridge, &[&purge[..], &["--yes"]].concat()).await;
    assert_eq!(done.code, Some(1), "{done:?}");
    let told = format!("{}  not changed: not all of it", waits.as_str().unwrap());
    assert!(done.out.contains(&told), "{}", done.out);

    assert_eq!(bridge.admin(&format!("/api/events/{}", event_of(&update))).await.status, 404);
    let kept = other.json()["event_id"].as_str().unwrap().to_owned();
    assert_eq!(bridge.admin(&format!("/api/events/{kept}")).await.status, 200);
    bridge.post("crm", &lead("3", "12025550143", 1)).await.expect("duplicate");
    assert_eq!(command(&bridge, &["audit"]).await.code, Some(0));
    bridge.end().await;
}

#[tokio::test]
async fn who_is_forgotten_takes_nothing_of_others_along() {
    let text = r"
verify: none
event: { id: $.id }
rules:
  - name: people
    for_each: $.people[*]
    contact: { mobile: $item }
    update: { name: $.name }
";
    let (ann, bob) = ("12025550143", "12025550144");
    let bridge = Bridge::with_mapping("crm", text).start().await;
    for mobile in [ann, bob] {
        bridge.chatflow.add_contact(Seed::with_mobile(mobile));
    }
    bridge.chatflow.faults().add(Fault::status(400).on("PUT").for_mobile(bob));
    let post = async |id: &str, people: &[&str]| {
        let people: Vec<_> = people.iter().map(|mobile| format!("+{mobile}")).collect();
        let event = json!({"id": id, "people": people, "name": "Ann"});
        bridge.post("crm", &event).await.json()["event_id"].as_str().unwrap().to_owned()
    };
    let (both, alone) = (post("1", &[ann, bob]).await, post("2", &[ann]).await);
    bridge.until(|numbers| (numbers.delivered, numbers.dead) == (2, 1)).await;
    let statuses = async || {
        let status = async |id: &str| bridge.admin(&format!("/api/events/{id}")).await.status;
        (status(&both).await, status(&alone).await)
    };
    let forget = json!({"filter": {"contact": format!("mobile:{ann}")}});

    let told = bridge.change("/api/purge", &forget).await.json();

    assert_eq!(told["changed"], 1, "{told}");
    assert!(told["updates"].to_string().contains("another contact's update"), "{told}");
    assert_eq!(statuses().await, (200, 404));
    bridge.change("/api/discard", &json!({"filter": {"state": "dead"}})).await;
    let told = bridge.change("/api/purge", &forget).await.json();
    assert_eq!(told["changed"], 1, "{told}");
    assert_eq!(statuses().await, (404, 404));
    assert_eq!(command(&bridge, &["audit"]).await.code, Some(0));
    bridge.end().await;
}

#[tokio::test]
async fn every_command_of_the_page_on_dead_letters_is_one_that_runs() {
    let page = include_str!("../../docs/dead-letters.md");
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
