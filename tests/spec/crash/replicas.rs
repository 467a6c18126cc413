//! Three processes on one PostgreSQL, killed one after the other, and now and then the database under them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::audit::{Audit, Expected};
use super::chance::Chance;
use super::check;
use super::load::AfterDead;
use super::report::Counted;
use super::run::{PATIENCE, Ran, Run};
use super::sender::Life;
use crate::harness::{Child, client};
use crate::replicas::postgres::Server;
use crate::replicas::service::Service;

/// How many processes there are at a time.
const REPLICAS: usize = 3;
/// How long at most until the next of them is killed.
const LONGEST: Duration = Duration::from_secs(2);

/// The lanes in which something waits, how each stands, and until when its holder is sure of it.
const WAITING: &str = "SELECT row_to_json(lanes) FROM (SELECT u.lane, count(*) AS waiting, \
    array_agg(DISTINCT u.fence) AS fences, l.due_at, l.holder, l.fence, l.lent, l.put_off, h.until, now() \
    FROM chatflow_bridge.upd u LEFT JOIN chatflow_bridge.lane l ON l.id = u.lane \
    LEFT JOIN chatflow_bridge.holder h ON h.id = l.holder \
    WHERE u.state = 0 GROUP BY u.lane, l.id, h.id) lanes";

/// What strikes next.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// One of the processes is killed, and another begins.
    Kill(usize),
    /// One of the processes is told to stop, and another begins.
    Stop(usize),
    /// The database is killed, and starts again.
    Crash,
    /// The database is stopped as an administrator would, and starts again.
    Restart,
}

/// The blows of a seed.
fn blows(seed: u64, count: usize) -> Vec<Blow> {
    let mut chance = Chance::new(seed ^ 0x0b10_0b10);
    let mut one = || usize::try_from(chance.below(REPLICAS as u64)).unwrap();
    (0..count)
        .map(|number| match number % 8 {
            3 => Blow::Crash,
            5 => Blow::Stop(one()),
            7 => Blow::Restart,
            _ => Blow::Kill(one()),
        })
        .collect()
}

/// Processes on one database, and the Service before them.
struct Replicas<'a> {
    run: &'a Run,
    url: String,
    service: Service,
    all: Vec<Child>,
    begun: usize,
}

impl Replicas<'_> {
    fn begin(&mut self) {
        let (run, url, number) = (self.run, self.url.clone(), self.begun);
        self.begun += 1;
        let child = tokio::task::block_in_place(|| run.start_on(number, &url));
        self.service.add(&child);
        self.all.push(child);
    }

    fn take(&mut self, place: usize) -> Child {
        let child = self.all.remove(place % self.all.len());
        self.service.remove(&child.hooks);
        child
    }
}

/// Runs the load of `seed` with so many blows; nothing where PostgreSQL is not installed.
pub(super) async fn run(seed: u64, count: usize) -> Option<Ran> {
    let begun = Instant::now();
    let server = Server::start()?;
    let database = server.database();
    let mut run = Run::new(seed, count / 2, AfterDead::Continue);
    let events = run.load.events().count();
    let service = Service::start().await;
    let life = Arc::new(Life {
        http: client(),
        url: format!("http://{}/hooks/crm", service.address),
        is_over: AtomicBool::new(false),
        accepted: AtomicUsize::new(0),
        first: OnceLock::new(),
    });
    let mut replicas =
        Replicas { run: &run, url: database.url(), service, all: Vec::new(), begun: 0 };
    for _ in 0..REPLICAS {
        replicas.begin();
    }
    let senders = run.send(&life, usize::MAX, usize::MAX);
    let mut kills = 0;
    for (number, blow) in blows(seed, count).into_iter().enumerate() {
        if number == count / 2 {
            run.the_late_come();
        }
        // Spread over the load, so that there is some at each.
        let enough = events * (number + 1) / (count + 1);
        let waits = Instant::now();
        while life.accepted.load(Ordering::SeqCst) < enough && waits.elapsed() < LONGEST {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        match blow {
            Blow::Kill(place) => {
                kills += 1;
                replicas.take(place).kill();
                replicas.begin();
            }
            Blow::Stop(place) => {
                let child = replicas.take(place);
                let code = tokio::task::block_in_place(|| child.terminate());
                assert_eq!(code, Some(0), "it stops when told to");
                replicas.begin();
            }
            Blow::Crash => tokio::task::block_in_place(|| {
                server.crash();
                server.start_again();
            }),
            Blow::Restart => tokio::task::block_in_place(|| {
                server.stop();
                server.start_again();
            }),
        }
    }
    let last = Instant::now();
    let mut places = run.places.clone();
    for (line, sender) in senders {
        places[line] = sender.await.unwrap();
    }
    let audit = Audit::when_done(&replicas.all[0], &life.http, PATIENCE).await;
    let mut wrong: Vec<_> = places.iter().flat_map(|place| place.wrong.iter().cloned()).collect();
    let refused = run.load.refused();
    audit.check(&Expected { events, updates: events, refused, are_put_away: false }, &mut wrong);
    if !audit.is_done() {
        wrong.push(format!("what still waits:\n{}", database.execute(WAITING)));
    }
    for child in std::mem::take(&mut replicas.all) {
        if tokio::task::block_in_place(|| child.terminate()) != Some(0) {
            wrong.push("it did not stop when told to".to_owned());
        }
    }
    drop(replicas);
    let drained = last.elapsed();
    run.places = places;
    let lives = vec![run.seen()];
    let effects = check::effects(&lives);
    check::order(&effects, &mut wrong);
    check::order_among_ways(&run.load, &effects, &mut wrong);
    check::one_at_a_time(&lives, &mut wrong);
    run.compare(&mut wrong);
    let counted = Counted {
        seed,
        kills,
        starting: 0,
        duplicates: run.places.iter().map(|place| place.duplicates).sum(),
        recovered: Vec::new(),
        drained,
        took: begun.elapsed(),
        wrong,
    };
    Some(Ran { load: run.load, lives, counted })
}
