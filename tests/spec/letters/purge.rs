//! People who are forgotten.

use super::*;

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
