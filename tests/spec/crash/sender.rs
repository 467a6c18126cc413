//! Senders: each gives the events of its line one after the other, each until it is answered 2xx.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::event::Event;
use super::load::{Line, Load};

/// What the senders of one life share.
pub(super) struct Life {
    pub(super) http: reqwest::Client,
    pub(super) url: String,
    /// The process is dead or about to die: nobody tries again.
    pub(super) is_over: AtomicBool,
    pub(super) accepted: AtomicUsize,
    pub(super) first: OnceLock<Instant>,
}

/// How far a sender is.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// So many events have been answered 2xx.
    pub(super) done: usize,
    /// Whether the next one was given before: then nobody knows whether it is stored.
    pub(super) is_tried: bool,
    /// How many answers said `duplicate`.
    pub(super) duplicates: usize,
    /// What should not have been.
    pub(super) wrong: Vec<String>,
}

/// The word of an answer: nothing where there was none, or none that is 2xx.
async fn word(life: &Life, body: String) -> Option<String> {
    let request = life.http.post(&life.url).header("content-type", "application/json").body(body);
    let answer = request.send().await.ok().filter(|answer| answer.status() == 200)?;
    let answer: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
    Some(answer["status"].as_str().unwrap_or_default().to_owned())
}

/// Gives the events of line `number` up to `until`; gives how far it came.
pub(super) async fn send(
    load: Arc<Load>,
    number: usize,
    mut place: Place,
    until: usize,
    life: Arc<Life>,
) -> Place {
    let Line { contact, events, .. } = &load.lines[number];
    let contact = &load.contacts[*contact];
    while place.done < until.min(events.len()) && !life.is_over.load(Ordering::SeqCst) {
        let event = &events[place.done];
        if let Some(again) = event.again.filter(|_| !place.is_tried) {
            let word = word(&life, events[again].body(contact)).await;
            place.heard_again(&events[again], word.as_deref());
        }
        let body = event.body(contact);
        let was_tried = std::mem::replace(&mut place.is_tried, true);
        let words = if event.twice {
            let (one, other) = tokio::join!(word(&life, body.clone()), word(&life, body));
            [one, other]
        } else {
            [word(&life, body).await, None]
        };
        let words: Vec<_> = words.into_iter().flatten().collect();
        if words.is_empty() {
            // The sender gives the same event again, later.
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        place.heard(event, &words, was_tried);
        place.done += 1;
        place.is_tried = false;
        life.first.get_or_init(Instant::now);
        life.accepted.fetch_add(1, Ordering::SeqCst);
    }
    place
}

impl Place {
    fn heard(&mut self, event: &Event, words: &[String], was_tried: bool) {
        let said = |wanted: &str| words.iter().filter(|word| *word == wanted).count();
        let (accepted, duplicate) = (said("accepted"), said("duplicate"));
        self.duplicates += duplicate;
        let stored_once = accepted <= 1 && (accepted == 1 || was_tried || event.twice);
        if accepted + duplicate != words.len() || !stored_once {
            self.wrong.push(format!("event {} was answered {words:?}", event.id));
        }
    }

    fn heard_again(&mut self, event: &Event, word: Option<&str>) {
        match word {
            None => {}
            Some("duplicate") => self.duplicates += 1,
            Some(word) => {
                self.wrong.push(format!("event {}, given again, was answered {word}", event.id));
            }
        }
    }
}
