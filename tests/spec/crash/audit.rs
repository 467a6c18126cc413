//! The ledger of a running bridge, asked over its admin API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::Child;

/// The admin token of the bridges that are killed.
pub(super) const TOKEN: &str = "the-token-of-the-crash-suite";

/// What was accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) events: usize,
    pub(super) updates: usize,
    /// By the API, for good.
    pub(super) refused: usize,
    /// Whether those were discarded.
    pub(super) are_put_away: bool,
}

/// Discards every dead update that there is; nobody minds where the bridge is killed meanwhile.
pub(super) async fn discard_the_dead(child: &Child, http: &reqwest::Client) {
    let url = format!("http://{}/api/discard", child.admin);
    let mut before = Value::Null;
    loop {
        let filter = json!({"state": "dead", "limit": 500, "before": before});
        let asked = http.post(&url).bearer_auth(TOKEN).json(&json!({ "filter": filter }));
        let Ok(answer) = asked.send().await else { return };
        let Ok(text) = answer.text().await else { return };
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        before = answer["next"].clone();
        if before.is_null() {
            return;
        }
    }
}

/// What the ledger says.
pub(super) struct Audit(Value);

impl Audit {
    pub(super) async fn of(child: &Child, http: &reqwest::Client) -> Self {
        let url = format!("http://{}/api/audit", child.admin);
        let answer = http.get(url).bearer_auth(TOKEN).send().await.unwrap();
        Self(serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    /// The ledger when nothing is open any more; what it says once nothing has come to an end for `patience`.
    pub(super) async fn when_done(
        child: &Child,
        http: &reqwest::Client,
        patience: Duration,
    ) -> Self {
        let (mut open, mut since) = (i64::MAX, Instant::now());
        loop {
            let audit = Self::of(child, http).await;
            let now_open =
                if audit.0["balances"].is_array() { audit.counted("open") } else { i64::MAX };
            if now_open < open {
                (open, since) = (now_open, Instant::now());
            }
            if audit.is_done() || since.elapsed() > patience {
                return audit;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is counted under this word, over all sources.
    fn counted(&self, what: &str) -> i64 {
        let balances = self.0["balances"].as_array().into_iter().flatten();
        let of_it = balances.filter(|balance| balance["what"] == what);
        of_it.filter_map(|balance| balance["counted"].as_i64()).sum()
    }

    /// Whether nothing waits any more, as far as the ledger could be asked.
    pub(super) fn is_done(&self) -> bool {
        self.0["balances"].is_array() && self.counted("open") == 0
    }

    /// Holds the ledger against what was accepted.
    pub(super) fn check(&self, expected: &Expected, wrong: &mut Vec<String>) {
        let Expected { events, updates, refused, are_put_away } = *expected;
        let (dead, discarded) = if are_put_away { (0, refused) } else { (refused, 0) };
        if self.0["holds"] != true {
            wrong.push(format!("the ledger does not hold: {}", self.0));
        }
        for (what, expected) in [
            ("taken", events),
            ("planned", updates),
            ("delivered", updates - refused),
            ("dead", dead),
            ("discarded", discarded),
            ("open", 0),
            ("held", 0),
            ("skipped", 0),
            ("ignored", 0),
        ] {
            let counted = self.counted(what);
            if counted != i64::try_from(expected).unwrap() {
                wrong.push(format!("{what}: {counted} in the ledger, expected {expected}"));
            }
        }
    }
}
