//! The law of lanes, over any interleaving.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::contact::DeadReason;

/// What happens to a store.
#[derive(Debug, Clone)]
enum Step {
    /// An event with an update for each of these contacts.
    Append(Vec<u16>),
    Claim(usize),
    /// What was lent, by its place among them, comes to this end.
    Record(prop::sample::Index, Kind),
    Wait(u64),
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Delivered,
    Dead,
    Again(u64),
    GivenBack(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        Just(Kind::Delivered),
        Just(Kind::Dead),
        (0_u64..3).prop_map(Kind::Again),
        (0_u64..3).prop_map(Kind::GivenBack),
    ];
    prop_oneof![
        4 => prop::collection::vec(0_u16..4, 0..4).prop_map(Step::Append),
        4 => (1_usize..4).prop_map(Step::Claim),
        5 => (any::<prop::sample::Index>(), kind).prop_map(|(at, kind)| Step::Record(at, kind)),
        2 => (1_u64..3).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// What a store should hold: the lines in which each contact's updates wait.
#[derive(Default)]
struct Model {
    lanes: BTreeMap<u16, Lane>,
    lent: Vec<(u16, Lent)>,
    now: u64,
    stored: u32,
}

#[derive(Default)]
struct Lane {
    /// By name, oldest first.
    waiting: Vec<String>,
    attempts: u32,
    due_at: u64,
    is_lent: bool,
}

impl Lane {
    fn next(&mut self, now: u64) {
        self.waiting.remove(0);
        self.attempts = 0;
        self.due_at = now;
    }
}

impl Model {
    fn due(&self) -> usize {
        let is_due =
            |lane: &&Lane| !lane.is_lent && !lane.waiting.is_empty() && lane.due_at <= self.now;
        self.lanes.values().filter(is_due).count()
    }

    async fn append(&mut self, to: &impl Store, contacts: Vec<u16>) {
        let mut updates = Vec::new();
        for contact in contacts {
            self.stored += 1;
            let name = format!("{contact}-{}", self.stored);
            updates.push(update(contact, &name));
            let lane = self.lanes.entry(contact).or_default();
            if lane.waiting.is_empty() {
                lane.due_at = self.now;
            }
            lane.waiting.push(name);
        }
        store(to, vec![event(updates)]).await;
    }

    async fn claim(&mut self, from: &impl Store, most: usize) {
        let due = self.due();
        if due == 0 {
            return lends_nothing(from).await;
        }
        let claims = claim(from, most).await;
        assert_eq!(claims.len(), due.min(most), "all that is due is lent");
        for claim in claims {
            let contact = name(&claim).split_once('-').unwrap().0.parse().unwrap();
            let lane = self.lanes.get_mut(&contact).unwrap();
            assert!(!lane.is_lent, "one at a time");
            assert!(lane.due_at <= self.now, "not before it is due");
            assert_eq!(Some(name(&claim)), lane.waiting.first().map(String::as_str), "in order");
            lane.attempts += 1;
            assert_eq!(claim.attempt, lane.attempts);
            lane.is_lent = true;
            self.lent.push((contact, claim.lent));
        }
    }

    async fn record(&mut self, to: &impl Store, at: prop::sample::Index, kind: Kind) {
        if self.lent.is_empty() {
            return;
        }
        let (contact, lent) = self.lent.swap_remove(at.index(self.lent.len()));
        let lane = self.lanes.get_mut(&contact).unwrap();
        lane.is_lent = false;
        let end = match kind {
            Kind::Delivered | Kind::Dead => {
                lane.next(self.now);
                match kind {
                    Kind::Dead => End::Dead(DeadReason::Refused, trouble()),
                    _ => End::Delivered,
                }
            }
            Kind::Again(after) => {
                lane.due_at = self.now + after;
                again(Duration::from_secs(after))
            }
            Kind::GivenBack(after) => {
                lane.attempts -= 1;
                lane.due_at = self.now + after;
                End::GivenBack { after: Duration::from_secs(after) }
            }
        };
        record(to, lent, end).await;
    }

    fn restart(&mut self) {
        self.lent.clear();
        for lane in self.lanes.values_mut().filter(|lane| lane.is_lent) {
            lane.is_lent = false;
            lane.due_at = self.now;
        }
    }
}

async fn follow<B: Backend>(steps: Vec<Step>) {
    let mut backend = B::fresh().await;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append(contacts) => model.append(&**backend.store(), contacts).await,
            Step::Claim(most) => model.claim(&**backend.store(), most).await,
            Step::Record(at, kind) => model.record(&**backend.store(), at, kind).await,
            Step::Wait(seconds) => {
                model.now += seconds;
                backend.clock().advance(Duration::from_secs(seconds));
            }
            Step::Restart => {
                backend = backend.reopened().await;
                model.restart();
            }
        }
    }
    // Whatever has happened, everything comes to its end, and the books agree.
    backend.clock().advance(Duration::from_secs(10));
    model.now += 10;
    backend = backend.reopened().await;
    model.restart();
    while model.due() > 0 {
        model.claim(&**backend.store(), 2).await;
        while let Some((contact, lent)) = model.lent.pop() {
            let lane = model.lanes.get_mut(&contact).unwrap();
            lane.is_lent = false;
            lane.next(model.now);
            record(&**backend.store(), lent, End::Delivered).await;
        }
    }
    let numbers = backend.store().numbers().await.unwrap();
    assert_eq!(numbers.delivered + numbers.dead, u64::from(model.stored));
    assert_balance(&numbers);
}

pub(in crate::store) fn no_interleaving_breaks_the_order_of_a_lane<B: Backend>() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..60), |steps| {
            runtime.block_on(follow::<B>(steps));
            Ok(())
        })
        .unwrap();
}
