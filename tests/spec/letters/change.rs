//! Dead letters listed, mapped again and sent again, by command.

use super::*;

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
