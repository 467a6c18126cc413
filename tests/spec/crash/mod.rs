//! The program itself, killed with SIGKILL again and again and started on the same store: what was answered 2xx
//! reaches its contact, in order, none missing, and the contacts end as if nothing had happened.
//!
//! [`load`] makes people and events of a seed, [`plan`] kills and faults; [`run`] lives through them; [`check`] looks
//! at what the API saw, [`model`] says what the contacts must be. The same seed gives the same load, kills and faults
//! (`CRASH_SEED`, printed); when exactly a kill strikes is up to the machine.

mod audit;
mod backlog;
mod chance;
mod check;
mod event;
mod load;
mod model;
mod plan;
mod replicas;
mod report;
mod run;
mod sender;

use load::AfterDead;
use report::Report;

/// A number from the environment, for who runs the suite by hand.
fn given(name: &str, otherwise: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test that is run by hand has no settings")]
    let given = std::env::var(name);
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[expect(clippy::print_stdout, reason = "the table is what the suite is run for")]
fn say(table: &impl std::fmt::Display) {
    println!("{table}");
}

async fn kills_lose_nothing(seed: u64, kills: usize, after_dead: AfterDead) {
    say(&format!("CRASH_SEED={seed}, after a dead update: {after_dead:?}"));
    let ran = run::run(seed, kills, after_dead).await;
    say(&Report { load: &ran.load, lives: &ran.lives, counted: &ran.counted });
    assert!(ran.counted.wrong.is_empty(), "seed {seed}: {} violations", ran.counted.wrong.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dozen_kills_under_mixed_load_lose_nothing_and_keep_the_order() {
    kills_lose_nothing(given("CRASH_SEED", 1), 12, AfterDead::Continue).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_while_dead_updates_block_their_contacts_lose_nothing_and_keep_the_order() {
    kills_lose_nothing(given("CRASH_SEED", 1), 6, AfterDead::Block).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_outlives_kills_of_delivery() {
    backlog::kills_lose_nothing(given("CRASH_SEED", 1), 2_000, 4).await;
}

async fn blows_to_replicas_lose_nothing(seed: u64, blows: usize) {
    say(&format!("CRASH_SEED={seed}"));
    let Some(ran) = replicas::run(seed, blows).await else { return };
    say(&Report { load: &ran.load, lives: &ran.lives, counted: &ran.counted });
    assert!(ran.counted.wrong.is_empty(), "seed {seed}: {} violations", ran.counted.wrong.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_and_their_database_are_struck_and_lose_nothing() {
    blows_to_replicas_lose_nothing(given("CRASH_SEED", 1), 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes: `make soak`"]
async fn soak_three_replicas_and_their_database_are_struck() {
    let blows = usize::try_from(given("CRASH_KILLS", 120)).unwrap();
    blows_to_replicas_lose_nothing(given("CRASH_SEED", 1), blows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes: `make soak`"]
async fn soak_many_kills_under_mixed_load() {
    let kills = usize::try_from(given("CRASH_KILLS", 120)).unwrap();
    kills_lose_nothing(given("CRASH_SEED", 1), kills, AfterDead::Continue).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes: `make soak`"]
async fn soak_kills_while_dead_updates_block_their_contacts() {
    let kills = usize::try_from(given("CRASH_KILLS", 120)).unwrap();
    kills_lose_nothing(given("CRASH_SEED", 1), kills / 3, AfterDead::Block).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes: `make soak`"]
async fn soak_a_large_backlog_under_kills_of_delivery() {
    backlog::kills_lose_nothing(given("CRASH_SEED", 1), 20_000, 15).await;
}
