//! A run: lives of the process, each under load and killed, and a last one that finishes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::{MockChatflow, MockContact, MockOptions, Seed, SeenRequest};

use super::audit::{Audit, Expected, discard_the_dead};
use super::check::{self, Seen};
use super::event::{ATTRIBUTES, MAPPING};
use super::load::{A_LIFE, AfterDead, Begins, Contact, Load};
use super::model::Model;
use super::plan::{self, Kill, settings};
use super::report::Counted;
use super::sender::{Life, Place, send};
use crate::harness::{Child, KEY, client, serving};

/// How long a life lasts if what it waits for does not come.
const LONGEST_LIFE: Duration = Duration::from_secs(5);
/// How long the last life may go on without an update coming to its end: longer than a pause may last.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// What the run leaves behind.
pub(super) struct Ran {
    pub(super) load: Arc<Load>,
    pub(super) lives: Vec<Seen>,
    pub(super) counted: Counted,
}

pub(super) struct Run {
    pub(super) load: Arc<Load>,
    after_dead: AfterDead,
    pub(super) places: Vec<Place>,
    chatflow: MockChatflow,
    folder: tempfile::TempDir,
    recovered: Vec<Duration>,
}

/// Runs the load of `seed` with so many kills.
pub(super) async fn run(seed: u64, kills: usize, after_dead: AfterDead) -> Ran {
    let begun = Instant::now();
    let mut run = Run::new(seed, kills, after_dead);
    let plan = plan::kills(seed, kills);
    let mut lives = Vec::new();
    for (life, kill) in plan.iter().enumerate() {
        if life == kills / 2 {
            run.the_late_come();
        }
        run.live_and_die(life, *kill).await;
        lives.push(run.seen());
    }
    let last = Instant::now();
    let mut wrong = run.finish(kills).await;
    lives.push(run.seen());
    let drained = last.elapsed();
    let effects = check::effects(&lives);
    check::order(&effects, &mut wrong);
    check::order_among_ways(&run.load, &effects, &mut wrong);
    check::one_at_a_time(&lives, &mut wrong);
    run.compare(&mut wrong);
    let counted = Counted {
        seed,
        kills,
        starting: plan.iter().filter(|kill| matches!(kill, Kill::Starting(_))).count(),
        duplicates: run.places.iter().map(|place| place.duplicates).sum(),
        recovered: run.recovered,
        drained,
        took: begun.elapsed(),
        wrong,
    };
    Ran { load: run.load, lives, counted }
}

impl Run {
    pub(super) fn new(seed: u64, kills: usize, after_dead: AfterDead) -> Self {
        let load = Load::new(seed, kills, after_dead);
        let chatflow = MockChatflow::start(MockOptions {
            api_key: Some(KEY.to_owned()),
            known_attributes: Some(ATTRIBUTES.iter().map(|&name| name.to_owned()).collect()),
            // So that a kill finds requests in flight.
            delay: Duration::from_millis(2),
            ..MockOptions::default()
        })
        .unwrap();
        for contact in load.contacts.iter().filter(|contact| contact.begins == Begins::There) {
            chatflow.add_contact(seed_of(contact));
        }
        chatflow.faults().set(plan::faults(seed));
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("mappings")).unwrap();
        std::fs::write(folder.path().join("mappings/crm.yaml"), MAPPING).unwrap();
        let places = vec![Place::default(); load.lines.len()];
        let recovered = Vec::new();
        Self { load: Arc::new(load), after_dead, places, chatflow, folder, recovered }
    }

    pub(super) fn the_late_come(&self) {
        for contact in self.load.contacts.iter().filter(|contact| contact.begins == Begins::Late) {
            self.chatflow.add_contact(seed_of(contact));
        }
    }

    /// The requests since it was asked last.
    pub(super) fn seen(&self) -> Seen {
        let seen = self.chatflow.requests();
        self.chatflow.forget_requests();
        seen
    }

    async fn live_and_die(&mut self, number: usize, kill: Kill) {
        let asked = self.chatflow.served();
        let spawned = Instant::now();
        if let Kill::Starting(after) = kill {
            let mut process =
                serving(self.folder.path(), &self.chatflow.base_url(), &self.settings(number))
                    .stderr(std::process::Stdio::null())
                    .spawn()
                    .unwrap();
            tokio::time::sleep(after).await;
            process.kill().unwrap();
            process.wait().unwrap();
            return self.settle().await;
        }
        if let Some(fault) = plan::refuses_the_key(number) {
            self.chatflow.faults().add(fault);
        }
        let child = self.start(number);
        let listened = Instant::now();
        let life = new_life(&child);
        let senders = self.send(&life, number, (number + 1) * A_LIFE);
        if self.after_dead == AfterDead::Block && number % 2 == 1 {
            discard_the_dead(&child, &life.http).await;
        }
        let is_due = || match kill {
            Kill::Starting(_) => true,
            Kill::Accepted(enough) => life.accepted.load(Ordering::SeqCst) >= enough,
            Kill::Asked(enough) => self.chatflow.served() - asked >= enough,
            Kill::After(time) => listened.elapsed() >= time,
        };
        while !is_due() && listened.elapsed() < LONGEST_LIFE {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill();
        life.is_over.store(true, Ordering::SeqCst);
        for (line, sender) in senders {
            self.places[line] = sender.await.unwrap();
        }
        if let Some(first) = life.first.get() {
            self.recovered.push(first.duration_since(spawned));
        }
        self.settle().await;
    }

    /// The senders that have something to say, each on a task of its own.
    pub(super) fn send(
        &self,
        life: &Arc<Life>,
        number: usize,
        until: usize,
    ) -> Vec<(usize, tokio::task::JoinHandle<Place>)> {
        let lines = self.load.lines.iter().enumerate();
        let lines = lines.filter(|(line, says)| {
            says.from <= number && self.places[*line].done < says.events.len()
        });
        lines
            .map(|(line, _)| {
                let (load, life) = (Arc::clone(&self.load), Arc::clone(life));
                let sending = send(load, line, self.places[line].clone(), until, life);
                #[expect(clippy::disallowed_methods, reason = "a test has no tracker")]
                let sending = tokio::spawn(sending);
                (line, sending)
            })
            .collect()
    }

    /// Waits until the API has done all that a killed process had asked of it: its next life comes after.
    async fn settle(&self) {
        let begun = Instant::now();
        let is_open = || {
            let seen = self.chatflow.requests();
            let none = |seen: &SeenRequest| seen.answered_at.or(seen.took_effect_at).is_none();
            // What was cut off before it took effect never will.
            begun.elapsed() < Duration::from_millis(200) && seen.iter().any(none)
        };
        while self.chatflow.landing() > 0 || is_open() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The last life: every line to its end, until nothing waits; gives what is wrong.
    async fn finish(&mut self, number: usize) -> Vec<String> {
        let spawned = Instant::now();
        let child = self.start(number);
        let life = new_life(&child);
        for (line, sender) in self.send(&life, number, usize::MAX) {
            self.places[line] = sender.await.unwrap();
        }
        self.recovered.extend(life.first.get().map(|first| first.duration_since(spawned)));
        let mut wrong: Vec<_> =
            self.places.iter().flat_map(|place| place.wrong.iter().cloned()).collect();
        let audit = self.audit(&child, &life.http).await;
        let (events, refused) = (self.load.events().count(), self.load.refused());
        let are_put_away = self.after_dead == AfterDead::Block;
        audit.check(&Expected { events, updates: events, refused, are_put_away }, &mut wrong);
        drop(life);
        if child.terminate() != Some(0) {
            wrong.push("it did not stop when told to".to_owned());
        }
        wrong
    }

    /// The ledger when nothing waits any more; what is dead and blocks others is discarded.
    async fn audit(&self, child: &Child, http: &reqwest::Client) -> Audit {
        if self.after_dead == AfterDead::Continue {
            return Audit::when_done(child, http, PATIENCE).await;
        }
        let begun = Instant::now();
        while !Audit::of(child, http).await.is_done() && begun.elapsed() < PATIENCE {
            discard_the_dead(child, http).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        discard_the_dead(child, http).await;
        Audit::of(child, http).await
    }

    fn settings(&self, life: usize) -> [(&'static str, &'static str); 8] {
        settings(life, self.after_dead)
    }

    /// One that shares the database of this URL with others.
    pub(super) fn start_on(&self, life: usize, url: &str) -> Child {
        let mut settings = self.settings(life).to_vec();
        settings.push(("BRIDGE_STORE__URL", url));
        Child::serve_with(self.folder.path(), &self.chatflow.base_url(), &settings)
    }

    fn start(&self, life: usize) -> Child {
        Child::serve_with(self.folder.path(), &self.chatflow.base_url(), &self.settings(life))
    }

    /// Holds the contacts against the model.
    pub(super) fn compare(&self, wrong: &mut Vec<String>) {
        let contacts = self.chatflow.contacts();
        if contacts.len() != self.load.contacts.len() {
            wrong.push(format!(
                "{} contacts for {} people",
                contacts.len(),
                self.load.contacts.len()
            ));
        }
        for (index, to) in self.load.contacts.iter().enumerate() {
            let mut expected = Model::of(&self.load, index);
            let is_it = |contact: &&MockContact| contact.mobile == to.last_mobile;
            let Some(contact) = contacts.iter().find(is_it) else {
                wrong.push(format!("contact {index} is missing"));
                continue;
            };
            let mut seen = Model::seen(contact);
            if to.is_mixed {
                // No order is promised among its names until they are known to be one's; from then on
                // `check::order_among_ways` looks at it.
                seen.forget_last();
                expected.forget_last();
            }
            if seen != expected {
                wrong.push(format!("contact {index} is {seen:?}, expected {expected:?}"));
            }
        }
    }
}

fn new_life(child: &Child) -> Arc<Life> {
    Arc::new(Life {
        http: client(),
        url: format!("http://{}/hooks/crm", child.hooks),
        is_over: AtomicBool::new(false),
        accepted: AtomicUsize::new(0),
        first: OnceLock::new(),
    })
}

/// The contact as somebody else made it.
fn seed_of(contact: &Contact) -> Seed {
    let seed = Seed::with_mobile(&contact.mobile).with("ref", &contact.reference);
    Seed { id: contact.id.clone(), ..seed }
}
