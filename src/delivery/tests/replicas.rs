//! Two processes that deliver from one store.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::api::contact;
use super::*;
use crate::clock::Clock as _;
use crate::contact::AttributeChange;
use crate::store::{Error, Heard, Lane, Replica, Replicas, Said};

const LAPSES_AFTER: Duration = Duration::from_secs(30);

/// Where the processes write what they have to say.
struct Board {
    clock: Arc<ManualClock>,
    state: Mutex<Written>,
    news: Notify,
}

#[derive(Default)]
struct Written {
    said: BTreeMap<&'static str, (Said, Duration)>,
    closed_until: Duration,
    halted: bool,
    resumed: i64,
    changed: Vec<(&'static str, Lane)>,
    heard: BTreeMap<&'static str, usize>,
    next: Duration,
}

/// One of the processes.
struct Process(&'static str, Arc<Board>);

#[async_trait]
impl Replicas for Process {
    async fn exchange(&self, said: &Said) -> Result<Heard, Error> {
        let Self(name, board) = self;
        let now = board.clock.monotonic();
        let mut written = board.state.lock().unwrap();
        let before = written.said.insert(*name, (said.clone(), now));
        written.changed.extend(said.changed.iter().map(|lane| (*name, *lane)));
        written.resumed += i64::from(said.resumes);
        let until = now + said.closed_for.unwrap_or_default();
        written.closed_until = written.closed_until.max(until);
        if before.is_none_or(|(before, _)| before != *said) {
            board.news.notify_waiters();
        }
        let upto = written.changed.len();
        let from = written.heard.insert(*name, upto).unwrap_or_default();
        let there = written
            .said
            .iter()
            .filter(|(other, (_, at))| **other != *name && now.saturating_sub(*at) < LAPSES_AFTER);
        let others: Vec<_> = there
            .map(|(other, (said, _))| Replica {
                replica: (*other).to_owned(),
                mappings: said.mappings.clone(),
                paused: said.paused.iter().map(|word| (*word).to_owned()).collect(),
            })
            .collect();
        Ok(Heard {
            paused: others.iter().flat_map(|other| other.paused.clone()).collect(),
            closed_for: written.closed_until.checked_sub(now).filter(|left| !left.is_zero()),
            halted: written.halted,
            resumed: written.resumed,
            changed: written.changed[from..]
                .iter()
                .filter(|(by, _)| by != name)
                .map(|(_, lane)| *lane)
                .collect(),
            others,
        })
    }

    async fn news(&self) {
        self.1.news.notified().await;
    }

    async fn reserve(&self, moments: u32, gap: Duration) -> Result<Duration, Error> {
        let now = self.1.clock.monotonic();
        let mut written = self.1.state.lock().unwrap();
        let first = written.next.max(now);
        written.next = first + gap * moments;
        Ok(first.saturating_sub(now))
    }
}

fn mobile(digits: &str) -> Who {
    Who::Mobile(Mobile::try_from(digits.to_owned()).unwrap())
}

/// Two processes, their store and the API between them.
struct Pair {
    board: Arc<Board>,
    rigs: [Rig; 2],
}

impl Pair {
    fn start() -> Self {
        Self::with(&DeliverySettings { coalesce: false, ..DeliverySettings::default() })
    }

    fn with(settings: &DeliverySettings) -> Self {
        let clock = ManualClock::at(Timestamp::from_second(1_000_000).unwrap());
        let api = Arc::new(FakeApi::new());
        let store = Arc::new(FakeStore::new(Arc::clone(&clock)));
        let (state, news) = (Mutex::default(), Notify::new());
        let board = Arc::new(Board { clock: Arc::clone(&clock), state, news });
        let rigs = ["one", "other"].map(|name| {
            let process = Arc::new(Process(name, Arc::clone(&board)));
            Rig::on(&clock, &api, &store, settings, &ContactSettings::default(), |delivery| {
                delivery.with_chance(Arc::new(|| 1.0)).with_replicas(process, move || name.into())
            })
        });
        Self { board, rigs }
    }

    fn written<T>(&self, change: impl FnOnce(&mut Written) -> T) -> T {
        change(&mut self.board.state.lock().unwrap())
    }

    fn paused(&self) -> [Vec<PauseReason>; 2] {
        [self.rigs[0].pauses.reasons(), self.rigs[1].pauses.reasons()]
    }

    /// The one of the two that has found this by itself, and the other one.
    fn finder_of(&self, reason: PauseReason) -> (&Rig, &Rig) {
        let [one, other] = &self.rigs;
        if one.pauses.is_paused_for(reason) { (one, other) } else { (other, one) }
    }
}

#[tokio::test]
async fn what_one_has_found_pauses_both_and_one_alone_finds_out_when_it_is_over() {
    let pair = Pair::start();
    let rig = &pair.rigs[0];
    rig.settle().await;
    rig.api.has(contact(&id(1), ""));
    rig.api.has(contact(&id(2), ""));
    rig.api.fails("PUT", [answered(401)]);
    rig.api.always_fails("PROBE", Some(answered(401)));
    rig.update(&by_id(1), "a").await;
    rig.settle().await;

    let reasons = vec![PauseReason::Unauthorized];
    assert_eq!(pair.paused(), [reasons.clone(), reasons]);
    let (_, told) = pair.finder_of(PauseReason::Unauthorized);
    assert!(told.counted("paused{reason=\"unauthorized\"} 1"));
    rig.update(&by_id(2), "b").await;
    rig.pass(seconds(5)).await;
    assert_eq!(rig.api.asked_of("PROBE").len(), 2, "at once and after five seconds, by one");
    assert_eq!(rig.names_put().len(), 1);

    rig.api.always_fails("PROBE", None);
    rig.pass(seconds(10)).await;

    assert_eq!(pair.paused(), [vec![], vec![]]);
    assert_eq!(rig.ends().iter().filter(|end| **end == End::Delivered).count(), 2);
}

#[tokio::test]
async fn what_a_process_has_found_that_is_gone_no_longer_holds() {
    let pair = Pair::start();
    pair.rigs[0].settle().await;
    pair.rigs[0].api.always_fails("PROBE", Some(answered(401)));
    pair.rigs[1].pauses.pause(PauseReason::Unauthorized);
    pair.rigs[0].settle().await;
    assert_eq!(pair.rigs[0].pauses.reasons(), [PauseReason::Unauthorized]);

    pair.rigs[1].stop.cancel();
    pair.rigs[0].pass(LAPSES_AFTER.saturating_sub(seconds(1))).await;
    assert_eq!(pair.rigs[0].pauses.reasons(), [PauseReason::Unauthorized]);
    pair.rigs[0].pass(seconds(2)).await;

    assert_eq!(pair.rigs[0].pauses.reasons(), []);
    assert!(pair.rigs[0].counted("replicas 1"));
}

#[tokio::test]
async fn where_the_api_asks_one_to_wait_nobody_sends() {
    let pair = Pair::start();
    let rig = &pair.rigs[0];
    rig.settle().await;
    let asks =
        Failure::Answered { status: 429, words: String::new(), retry_after: Some(seconds(60)) };
    rig.api.fails("PUT", [asks]);
    for last in 1..10 {
        rig.api.has(contact(&id(last), ""));
    }
    rig.update(&by_id(1), "a").await;
    rig.settle().await;
    for last in 2..10 {
        rig.update(&by_id(last), "a").await;
    }
    rig.pass(seconds(59)).await;
    assert_eq!(rig.names_put().len(), 1);

    for _ in 0..60 {
        rig.pass(seconds(1)).await;
    }

    assert_eq!(rig.names_put().len(), 10);
}

#[tokio::test]
async fn the_pace_is_that_of_both_together() {
    let settings = DeliverySettings { rate_per_second: Some(1.0), ..DeliverySettings::default() };
    let pair = Pair::with(&settings);
    let rig = &pair.rigs[0];
    rig.settle().await;
    for last in 0..10 {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }

    for passed in 0..10 {
        rig.settle().await;
        assert_eq!(rig.names_put().len(), passed + 1, "after {passed} s");
        rig.clock.advance(seconds(1));
    }
}

#[tokio::test]
async fn a_key_that_was_changed_elsewhere_is_looked_up_again() {
    let (old, new) = (mobile("12025550143"), mobile("12025550199"));
    let pair = Pair::start();
    pair.rigs[0].settle().await;
    pair.rigs[1].stop.cancel();
    let rig = &pair.rigs[0];
    rig.api.has(contact(&id(1), "12025550143"));
    let finds = || rig.api.asked_of("FIND").len();
    let lanes = [&Who::Id(id(1)), &old, &new].map(|who| rig.store.lane_of(who));
    for (changed, looked_up) in [(None, 1), (Some(2), 1), (Some(1), 2), (None, 2), (Some(0), 3)] {
        let changed = changed.map(|place: usize| ("another", lanes[place]));
        pair.written(|written| written.changed.extend(changed));
        rig.pass(seconds(1)).await;

        rig.update(&by_mobile("12025550143", OnMissing::Dead), "a").await;
        rig.settle().await;

        assert_eq!(finds(), looked_up, "{changed:?}");
    }

    let mut moves = naming(&by_id(1), "b");
    moves.update.mobile = Some(Mobile::try_from("12025550199".to_owned()).unwrap());
    rig.plan(moves).await;
    rig.settle().await;

    let said = || pair.written(|written| written.changed.split_off(3));
    assert_eq!(said(), [("one", lanes[2]), ("one", lanes[0])]);

    // Nobody here has looked a contact up by it: rules of other sources do.
    let reference = Who::Attribute { name: "ref".to_owned(), value: "7".to_owned() };
    let mut given = naming(&by_id(1), "c");
    for name in ["plan", "ref"] {
        let seven = AttributeChange::Set("7".to_owned());
        given.update.attributes.insert(name.to_owned(), seven);
    }
    given.keys = vec!["ref".to_owned()];
    rig.plan(given).await;
    rig.settle().await;

    assert_eq!(said(), [("one", rig.store.lane_of(&reference)), ("one", lanes[0])]);
}

#[tokio::test]
async fn an_operator_pauses_and_resumes_both() {
    let pair = Pair::start();
    let rig = &pair.rigs[0];
    rig.settle().await;

    pair.written(|written| written.halted = true);
    rig.pass(seconds(1)).await;
    let reasons = vec![PauseReason::Operator];
    assert_eq!(pair.paused(), [reasons.clone(), reasons]);

    pair.rigs[1].pauses.pause(PauseReason::Refusals);
    pair.written(|written| written.halted = false);
    rig.peers.as_ref().unwrap().resume_by_hand();
    rig.settle().await;

    assert_eq!(pair.paused(), [vec![], vec![]], "a storm of the other one is over too");
}

#[tokio::test]
async fn who_has_other_mappings_shows() {
    let pair = Pair::start();
    pair.rigs[0].pass(seconds(1)).await;

    for rig in &pair.rigs {
        assert!(rig.counted("replicas 2"));
        assert!(rig.counted("replicas_with_other_mappings 1"));
    }
    let others = pair.rigs[0].peers.as_ref().unwrap().others();
    assert_eq!(others.len(), 1);
    assert_eq!((&*others[0].replica, &*others[0].mappings), ("other", "other"));
}
