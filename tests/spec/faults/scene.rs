//! A program to be put into trouble, the API it delivers to, and what it has acknowledged.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions};
use serde_json::{Value, json};

use crate::harness::{Answer, Child, Disk, KEY, PATIENCE, client, to_serve};

const MAPPING: &str = r"
source: crm
verify: none
event: { id: $.id }
rules:
  - name: lead
    contact: { id: $.contact }
    update: { name: $.name, attributes: { note: $.note } }
tests:
  - { name: nothing, body: {}, expect: ignored }
";

const TOKEN: &str = "the-token-of-the-faults";

/// The settings of its programs.
pub(super) const SETTINGS: [(&str, &str); 1] = [("BRIDGE_ADMIN__TOKEN", TOKEN)];

/// The API, and what was acknowledged by whichever program runs.
pub(super) struct Scene {
    pub(super) chatflow: MockChatflow,
    http: reqwest::Client,
    next: AtomicUsize,
    acknowledged: Mutex<BTreeSet<usize>>,
}

impl Scene {
    /// The scene, its mappings in this folder.
    pub(super) fn in_folder(folder: &Path) -> Self {
        std::fs::create_dir(folder.join("mappings")).unwrap();
        std::fs::write(folder.join("mappings/crm.yaml"), MAPPING).unwrap();
        let options = MockOptions {
            api_key: Some(KEY.to_owned()),
            create_unknown: true,
            ..MockOptions::default()
        };
        Self {
            chatflow: MockChatflow::start(options).unwrap(),
            http: client(),
            next: AtomicUsize::new(1),
            acknowledged: Mutex::default(),
        }
    }

    /// Posts the next event, for a contact of its own; what is answered.
    pub(super) async fn post(&self, bridge: &Child) -> Answer {
        self.try_post(bridge).await.expect("somebody listens")
    }

    /// The same; nothing where nobody answers any more.
    pub(super) async fn try_post(&self, bridge: &Child) -> Option<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = contact(number);
        let event = json!({ "id": number, "contact": id, "name": "Asha", "note": id.repeat(8) });
        let url = format!("http://{}/hooks/crm", bridge.hooks);
        let answer = Answer::of(self.http.post(url).json(&event).send().await.ok()?).await;
        if answer.status == 200 {
            answer.expect("accepted");
            self.acknowledged.lock().unwrap().insert(number);
        }
        Some(answer)
    }

    /// The same, which has to be acknowledged.
    pub(super) async fn accepted(&self, bridge: &Child, events: usize) {
        for _ in 0..events {
            let answer = self.post(bridge).await;
            assert_eq!(answer.status, 200, "{answer:?}\n{}", bridge.log());
        }
    }

    /// What `/readyz` says.
    pub(super) async fn readiness(&self, bridge: &Child) -> Answer {
        let url = format!("http://{}/readyz", bridge.metrics);
        Answer::of(self.http.get(url).send().await.unwrap()).await
    }

    /// Waits until `/readyz` gives this status; what it says then.
    pub(super) async fn until_readiness(&self, bridge: &Child, status: u16) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.readiness(bridge).await;
            if answer.status == status {
                return answer.json();
            }
            assert!(begun.elapsed() < PATIENCE, "{answer:?}\n{}", bridge.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Has the admin API do something.
    pub(super) async fn ask(&self, bridge: &Child, path: &str) {
        let url = format!("http://{}{path}", bridge.admin);
        let asked = self.http.post(url).bearer_auth(TOKEN).json(&json!({}));
        let answer = Answer::of(asked.send().await.unwrap()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// How many were acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until the API has had everything that was acknowledged, and the ledger says so.
    pub(super) async fn until_all_is_delivered(&self, bridge: &Child) {
        let begun = Instant::now();
        loop {
            let missing = self.missing();
            let audit = self.audit(bridge).await;
            if missing.is_empty() && counted(&audit, "open") == 0 {
                assert_eq!(audit["holds"], true, "{audit}");
                return;
            }
            let log = bridge.log();
            assert!(begun.elapsed() < PATIENCE, "{missing:?} {audit}\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What was acknowledged and has not reached the API.
    pub(super) fn missing(&self) -> Vec<usize> {
        let seen: BTreeSet<String> = self
            .chatflow
            .contacts()
            .into_iter()
            .map(|contact| contact.id.as_str().to_owned())
            .collect();
        let acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.iter().copied().filter(|number| !seen.contains(&contact(*number))).collect()
    }

    /// A start on this disk that has to fail: the exit code, and what is said.
    pub(super) fn refused(&self, disk: &Disk) -> (Option<i32>, String) {
        ended(serving_on(disk, self))
    }

    /// The ledger.
    pub(super) async fn audit(&self, bridge: &Child) -> Value {
        let url = format!("http://{}/api/audit", bridge.admin);
        let answer = self.http.get(url).bearer_auth(TOKEN).send().await.unwrap();
        Answer::of(answer).await.json()
    }
}

/// The sum of what is counted under this word.
pub(super) fn counted(audit: &Value, what: &str) -> i64 {
    let balances = audit["balances"].as_array().into_iter().flatten();
    balances.filter(|of| of["what"] == what).filter_map(|of| of["counted"].as_i64()).sum()
}

/// The id of the contact of an event.
fn contact(number: usize) -> String {
    format!("{number:024x}")
}

/// The program under test.
pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_chatflow-bridge");

/// `serve` on a disk, to be started.
pub(super) fn serving_on(disk: &Disk, scene: &Scene) -> Command {
    to_serve(disk.command(PROGRAM), &scene.chatflow.base_url(), &SETTINGS)
}

/// Runs a command to its end: the exit code, and all it said.
pub(super) fn ended(mut command: Command) -> (Option<i32>, String) {
    let ran = command.stdout(std::process::Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    (ran.status.code(), said.into_owned())
}

/// Finds the store on a disk whole, with the program's own command.
pub(super) fn is_whole(disk: &Disk) {
    let mut check = disk.command(PROGRAM);
    check.args(["store", "check", "--whole"]);
    let (code, said) = ended(check);
    assert_eq!(code, Some(0), "{said}");
}
