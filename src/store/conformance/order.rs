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
    Claim(Wanted),
    /// The first so many that are left of a run, by its place among those lent, come to this end.
    Record(prop::sample::Index, usize, Kind),
    Wait(u64),
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Delivered,
    Dead,
    Again(u64),
    MayHaveLanded(u64),
    GivenBack(u64),
}

impl Kind {
    fn end(self) -> End {
        let after = Duration::from_secs(self.after().unwrap_or(0));
        match self {
            Self::Delivered => End::Delivered,
            Self::Dead => End::Dead(DeadReason::Refused, trouble()),
            Self::Again(_) => again(after),
            Self::MayHaveLanded(_) => {
                End::Again { after, trouble: trouble(), may_have_landed: true }
            }
            Self::GivenBack(_) => End::GivenBack { after },
        }
    }

    /// After how many seconds it may be lent again, where it is not at its end.
    fn after(self) -> Option<u64> {
        match self {
            Self::Delivered | Self::Dead => None,
            Self::Again(after) | Self::MayHaveLanded(after) | Self::GivenBack(after) => Some(after),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        2 => Just(Kind::Delivered),
        1 => Just(Kind::Dead),
        1 => (0_u64..3).prop_map(Kind::Again),
        1 => (0_u64..3).prop_map(Kind::MayHaveLanded),
        1 => (0_u64..3).prop_map(Kind::GivenBack),
    ];
    let wanted = (1_usize..4, any::<bool>()).prop_map(|(runs, merging)| Wanted { runs, merging });
    let record = (any::<prop::sample::Index>(), 1_usize..4, kind);
    prop_oneof![
        4 => prop::collection::vec(0_u16..4, 0..4).prop_map(Step::Append),
        4 => wanted.prop_map(Step::Claim),
        5 => record.prop_map(|(at, count, kind)| Step::Record(at, count, kind)),
        2 => (1_u64..3).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// What a store should hold: the lines in which each contact's updates wait.
#[derive(Default)]
struct Model {
    lanes: BTreeMap<u16, Lane>,
    /// Of each run that is lent: what is left of it, oldest first.
    lent: Vec<(u16, Vec<Lent>)>,
    now: u64,
    stored: u32,
    /// Tells what was lent together from what was not.
    runs: u64,
}

#[derive(Default)]
struct Lane {
    /// Oldest first.
    waiting: Vec<Waiting>,
    due_at: u64,
}

struct Waiting {
    name: String,
    attempts: u32,
    lent: Option<(Lent, u64)>,
    /// It may have landed with all that have the same number.
    together: Option<u64>,
}

impl Lane {
    fn is_due(&self, now: u64) -> bool {
        let is_lent = self.waiting.iter().any(|waiting| waiting.lent.is_some());
        !is_lent && !self.waiting.is_empty() && self.due_at <= now
    }

    /// Which are lent next. What may have landed together goes together, whether or not anything is merged and whatever
    /// has stayed between: what is older would else follow what is newer.
    fn next_run(&self, merging: bool) -> Vec<usize> {
        let together = self.waiting[0].together;
        let goes_with = |place: &usize| self.waiting[*place].together == together;
        let all = 0..self.waiting.len();
        match together {
            Some(_) => all.filter(goes_with).collect(),
            None if merging => all.take_while(goes_with).collect(),
            None => vec![0],
        }
    }

    fn record(&mut self, lent: Lent, kind: Kind, now: u64) {
        let is_it = |waiting: &Waiting| waiting.lent.is_some_and(|(of, _)| of == lent);
        let place = self.waiting.iter().position(is_it).unwrap();
        let Some(after) = kind.after() else {
            self.waiting.remove(place);
            return;
        };
        let waiting = &mut self.waiting[place];
        let (_, run) = waiting.lent.take().unwrap();
        match kind {
            Kind::MayHaveLanded(_) => waiting.together = waiting.together.or(Some(run)),
            Kind::GivenBack(_) => waiting.attempts -= 1,
            Kind::Delivered | Kind::Dead | Kind::Again(_) => {}
        }
        self.due_at = self.due_at.max(now + after);
    }
}

impl Model {
    fn due(&self) -> usize {
        self.lanes.values().filter(|lane| lane.is_due(self.now)).count()
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
            lane.waiting.push(Waiting { name, attempts: 0, lent: None, together: None });
        }
        store(to, vec![event(updates)]).await;
    }

    async fn claim(&mut self, from: &impl Store, wanted: Wanted) {
        let due = self.due();
        if due == 0 {
            return lends_nothing(from).await;
        }
        let runs = claim_runs(from, wanted).await;
        assert_eq!(runs.len(), due.min(wanted.runs), "all that is due is lent");
        for run in runs {
            self.runs += 1;
            let contact = name(&run.updates[0]).split_once('-').unwrap().0.parse().unwrap();
            let lane = self.lanes.get_mut(&contact).unwrap();
            assert!(lane.is_due(self.now), "one run at a time, and not before it is due");
            let next = lane.next_run(wanted.merging);
            assert_eq!(run.updates.len(), next.len(), "what can go in one");
            for (claim, place) in run.updates.iter().zip(next) {
                let waiting = &mut lane.waiting[place];
                assert_eq!(name(claim), waiting.name, "in order");
                waiting.attempts += 1;
                assert_eq!(claim.attempt, waiting.attempts);
                waiting.lent = Some((claim.lent, self.runs));
            }
            lane.due_at = 0;
            let left = run.updates.iter().map(|claim| claim.lent).collect();
            self.lent.push((contact, left));
        }
    }

    async fn record(&mut self, to: &impl Store, place: usize, most: usize, kind: Kind) {
        let (contact, left) = &mut self.lent[place];
        let lane = self.lanes.get_mut(contact).unwrap();
        let recorded: Vec<_> = left.drain(..most.min(left.len())).collect();
        for lent in &recorded {
            lane.record(*lent, kind, self.now);
        }
        if left.is_empty() {
            lane.due_at = lane.due_at.max(self.now);
            self.lent.swap_remove(place);
        }
        let ends = recorded.into_iter().map(|lent| (lent, kind.end())).collect();
        assert!(to.record(ends, AfterDead::Continue).await.unwrap());
    }

    fn restart(&mut self) {
        self.lent.clear();
        for lane in self.lanes.values_mut() {
            let lent = lane.waiting.iter_mut().filter_map(|waiting| {
                let (_, run) = waiting.lent.take()?;
                waiting.together = waiting.together.or(Some(run));
                Some(())
            });
            if lent.count() > 0 {
                lane.due_at = self.now;
            }
        }
    }
}

async fn follow<B: Backend>(steps: Vec<Step>) {
    let mut backend = B::fresh().await;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append(contacts) => model.append(&**backend.store(), contacts).await,
            Step::Claim(wanted) => model.claim(&**backend.store(), wanted).await,
            Step::Record(..) if model.lent.is_empty() => {}
            Step::Record(at, most, kind) => {
                let place = at.index(model.lent.len());
                model.record(&**backend.store(), place, most, kind).await;
            }
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
        model.claim(&**backend.store(), Wanted { runs: 2, merging: true }).await;
        while !model.lent.is_empty() {
            model.record(&**backend.store(), 0, 99, Kind::Delivered).await;
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
