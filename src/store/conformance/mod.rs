//! The promises of [`Store`] as tests. A store is held to all of them by one line, [`keeps_every_promise`].

pub(super) mod append;
pub(super) mod join;
pub(super) mod keep;
pub(super) mod lend;
pub(super) mod letters;
pub(super) mod marks;
mod order;
pub(super) mod retain;
pub(super) mod revive;
pub(super) mod runs;

use std::sync::Arc;
use std::time::Duration;

use futures_util::poll;
use jiff::Timestamp;

use super::{
    AfterDead, Claim, Dedupe, End, Joined, Lent, Letters, NewEvent, NewState, NewUpdate, Numbers,
    Receipt, Request, Run, Store, StoreSettings, Trouble, Wanted,
};
use crate::clock::ManualClock;
use crate::contact::{ContactUpdate, Mobile, OnMissing, PlannedUpdate, Target, Who};
use crate::event::{EventId, SourceName};
use crate::units::ByteSize;

/// A store under test, with a clock that the test moves.
pub(super) trait Backend: Sized {
    /// The store.
    type Store: Letters;

    /// Whether the store cannot be tested here; the test has said so.
    fn is_left_out() -> bool {
        false
    }

    /// An empty store.
    async fn with(settings: StoreSettings) -> Self;

    /// The same store, closed and opened again; the clock goes on.
    async fn reopened(self) -> Self;

    fn store(&self) -> &Arc<Self::Store>;

    fn clock(&self) -> &ManualClock;

    /// Settings under which nothing new is taken.
    fn without_room() -> Vec<StoreSettings> {
        vec![
            StoreSettings { max_size: ByteSize(1), ..roomy() },
            StoreSettings { min_free: ByteSize(u64::MAX), ..roomy() },
        ]
    }

    /// From now on nothing larger than a page can be committed.
    async fn fill_the_disk(&self);

    /// There is room on the disk again.
    async fn mend_the_disk(&self);

    /// An empty store without limits that matter.
    async fn fresh() -> Self {
        Self::with(roomy()).await
    }
}

/// Settings that no test comes near.
pub(super) fn roomy() -> StoreSettings {
    StoreSettings { min_free: ByteSize(0), ..StoreSettings::default() }
}

/// One test of each promise for a backend.
macro_rules! keeps_every_promise {
    ($backend:ty) => {
        keeps_every_promise! { @async $backend,
            append: [
                what_was_answered_is_there_after_a_restart,
                of_fifty_at_once_with_one_key_one_is_stored_and_the_others_get_its_id,
                a_key_is_known_over_a_restart_and_free_again_after_its_window,
                a_key_counts_for_its_own_source,
                a_key_twice_in_one_request_is_a_repeat_of_the_first,
                a_repeat_that_plans_something_else_is_told_apart,
                many_keys_later_each_is_still_known,
                an_event_of_which_nothing_has_come_is_mapped_again_under_its_own_id,
                an_event_of_which_something_has_come_is_not_mapped_again,
                an_event_that_is_mapped_again_keeps_its_place_in_its_lane,
                of_many_who_map_an_event_again_at_once_one_does,
                a_failed_commit_leaves_nothing_behind,
                past_the_most_that_may_wait_only_repeats_are_answered_and_delivery_goes_on,
                past_its_size_or_on_a_full_disk_a_store_takes_nothing_new,
            ],
            lend: [
                a_claim_has_all_that_delivery_needs,
                the_trace_of_an_event_comes_with_its_claims_also_after_a_restart,
                a_lane_lends_one_at_a_time_the_oldest_first,
                lanes_are_lent_side_by_side_and_nothing_twice,
                a_follower_is_due_when_its_head_is_done_and_not_before,
                a_retry_keeps_its_place_and_counts_its_attempts,
                what_may_have_landed_in_one_request_goes_again_in_one_though_merging_is_off_since,
                what_is_given_back_counts_no_attempt,
                a_fence_that_is_no_longer_in_force_changes_nothing,
                a_claim_waits_until_something_is_due,
                a_claim_that_is_dropped_gives_back_what_it_would_have_lent,
                what_was_lent_is_due_again_after_a_restart_and_its_attempt_counts,
            ],
            join: [
                what_comes_under_a_known_key_waits_in_its_contacts_lane,
                an_alias_is_known_after_a_restart,
                who_joins_waits_for_what_is_in_flight,
                who_joins_waits_for_an_older_one_that_is_put_off,
                the_oldest_of_both_lanes_goes_first,
                a_run_joins_as_a_whole,
                what_waits_under_two_keys_is_not_lent_together,
                what_may_have_landed_goes_again_as_it_was_though_others_have_come_between,
                a_key_that_means_another_contact_takes_its_own_along,
                a_key_that_means_nobody_waits_by_itself_again,
                who_is_no_longer_lent_joins_nothing,
                a_lane_that_is_blocked_blocks_the_one_it_joins,
                what_comes_under_a_new_key_waits_for_the_update_that_gives_it,
            ],
            runs: [
                what_one_request_can_carry_is_lent_together,
                without_merging_each_update_is_a_run,
                what_must_not_be_merged_ends_a_run,
                no_run_is_longer_than_a_hundred,
                a_lane_waits_until_all_of_a_run_is_recorded,
                what_is_put_off_of_a_run_keeps_its_place,
                a_fence_that_has_lapsed_changes_nothing_of_a_run,
                what_may_have_landed_goes_again_as_it_was,
                nothing_joins_one_update_that_may_have_landed,
                what_was_lent_together_goes_together_after_a_crash,
                a_run_that_nobody_takes_comes_back_whole,
                a_dead_update_blocks_its_lane_and_a_withdrawal_passes,
                a_blocked_lane_goes_on_when_what_blocks_it_is_replayed_or_goes,
                a_withdrawal_that_waits_already_passes_when_its_lane_is_blocked,
                the_oldest_withdrawal_that_is_not_delivered_is_told,
            ],
            marks: [
                of_each_field_the_newest_mark_is_kept_over_a_restart,
                marks_are_those_of_one_contact_and_one_source,
                who_is_no_longer_lent_leaves_no_marks,
                a_mark_is_kept_for_a_month,
                what_is_known_of_a_contact_is_forgotten_where_nothing_waits_for_it,
            ],
            revive: [
                what_is_revived_waits_at_its_old_place_as_if_it_had_not_been_tried,
                what_is_revived_waits_behind_what_is_lent_and_before_the_rest,
                only_what_is_dead_is_revived,
                what_was_refused_since_the_last_delivery_is_told_over_a_restart,
            ],
            keep: [
                the_ledger_balances_over_a_restart,
                numbers_tell_ready_from_scheduled,
                events_are_listed_youngest_first_a_page_at_a_time,
                updates_are_listed_by_state_and_source_a_page_at_a_time,
                an_event_is_shown_with_its_request_and_its_updates,
                what_went_wrong_is_shown_with_the_update,
                the_mapping_files_kept_last_are_there_after_a_restart,
                mapping_files_are_replaced_as_a_whole_or_not_at_all,
                the_first_secret_of_a_sender_is_kept_and_no_other,
                a_secret_that_is_forgotten_leaves_its_place_to_the_next,
                a_store_that_is_closed_says_so,
            ],
            retain: [
                what_has_come_to_an_end_goes_when_its_time_has_come,
                an_event_goes_as_a_whole_or_not_at_all,
                a_request_stays_as_long_as_one_of_its_events,
                dead_letters_go_only_where_that_is_set_and_count_as_expired,
                a_repeat_is_known_when_the_first_has_been_deleted,
                past_four_fifths_of_its_size_history_goes_before_its_time,
                what_is_purged_is_forgotten_with_all_that_came_with_it,
            ],
            letters: [
                a_replayed_update_waits_before_all_that_came_later,
                a_replayed_update_of_a_lane_that_is_free_is_due_at_once,
                what_is_left_out_is_not_sent_and_the_plan_stays,
                of_which_nothing_is_left_it_is_skipped_and_can_come_back,
                only_what_is_dead_is_replayed_and_only_what_waits_for_somebody_discarded,
                what_came_for_the_contact_meanwhile_stops_a_replay,
                later_is_what_was_delivered_or_waits_and_for_consent_whatever_was_planned,
                an_event_is_mapped_again_in_part_and_what_was_delivered_stays,
                updates_are_found_by_all_that_is_said_of_them,
                a_pause_of_an_operator_is_there_after_a_restart,
                an_audit_counts_the_rows_and_finds_them_as_they_were_counted,
            ],
        }
        #[test]
        fn no_interleaving_breaks_the_order_of_a_lane() {
            if !<$backend as $crate::store::conformance::Backend>::is_left_out() {
                $crate::store::conformance::no_interleaving_breaks_the_order_of_a_lane::<$backend>();
            }
        }
    };
    (@async $backend:ty, $($part:ident: [$($promise:ident,)+],)+) => {$($(
        #[tokio::test]
        async fn $promise() {
            use $crate::store::conformance::{Backend, $part};
            if <$backend>::is_left_out() {
                return;
            }
            $part::$promise(<$backend>::fresh().await).await;
        }
    )+)+};
}

pub(super) use keeps_every_promise;
pub(super) use order::no_interleaving_breaks_the_order_of_a_lane;

const SECOND: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_hours(1);

fn source(name: &str) -> SourceName {
    SourceName::try_from(name).unwrap()
}

fn request() -> Request {
    Request {
        method: "POST".to_owned(),
        content_type: Some("application/json".to_owned()),
        query: "a=b".to_owned(),
        headers: vec![("x-topic".to_owned(), "order".to_owned())],
        body: br#"{"id": 1}"#.as_slice().into(),
    }
}

/// An event of source `crm` with these updates and no key.
fn event(updates: Vec<NewUpdate>) -> NewEvent {
    NewEvent {
        source: source("crm"),
        item: 0,
        dedupe: None,
        event_type: Some("order".to_owned()),
        occurred_at: Some(Timestamp::UNIX_EPOCH),
        trace: None,
        control: false,
        updates,
    }
}

/// An event with a key, for one contact.
fn keyed(id: &str) -> NewEvent {
    let dedupe = Some(Dedupe { id: id.to_owned(), window: WINDOW });
    NewEvent { dedupe, ..event(vec![update(1, "keyed")]) }
}

/// An update of contact number `contact` that sets the name, by which tests tell updates apart.
fn update(contact: u16, name: &str) -> NewUpdate {
    let mobile = Mobile::try_from(format!("1202555{contact:05}")).unwrap();
    let target = Target { who: Who::Mobile(mobile), on_missing: OnMissing::Dead };
    let update = ContactUpdate { name: Some(name.to_owned()), ..ContactUpdate::default() };
    NewUpdate {
        rule: "lead".into(),
        item: 0,
        state: NewState::Waiting(Box::new(PlannedUpdate::new(target, update))),
    }
}

fn trouble() -> Trouble {
    Trouble { status: Some(503), words: "come again".to_owned() }
}

fn again(after: Duration) -> End {
    End::Again { after, trouble: trouble(), may_have_landed: false }
}

/// Stores events that are new.
async fn store(store: &impl Store, events: Vec<NewEvent>) -> Vec<EventId> {
    let stored = |receipt| match receipt {
        Receipt::Stored(id) => id,
        Receipt::Duplicate { .. } => panic!("{receipt:?}"),
    };
    let receipts = store.append(request(), events).await.unwrap();
    receipts.into_iter().map(stored).collect()
}

/// One update.
pub(super) const ONE: Wanted = Wanted { runs: 1, merging: false };

/// Claims what must be there.
async fn claim_runs(store: &impl Store, wanted: Wanted) -> Vec<Run> {
    let claimed = tokio::time::timeout(Duration::from_secs(20), store.claim(wanted)).await;
    claimed.expect("something is due").unwrap()
}

/// The same, each update by itself.
pub(super) async fn claim(store: &impl Store, most: usize) -> Vec<Claim> {
    let runs = claim_runs(store, Wanted { runs: most, merging: false }).await;
    runs.into_iter().map(alone).collect()
}

/// The one update of a run.
fn alone(mut run: Run) -> Claim {
    assert_eq!(run.updates.len(), 1);
    run.updates.remove(0)
}

/// The one update that is due.
async fn claim_one(store: &impl Store) -> Claim {
    let mut claims = claim(store, 1).await;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

async fn record(store: &impl Store, lent: Lent, end: End) {
    let recorded = store.record(vec![(lent, end)], AfterDead::Continue).await.unwrap();
    assert!(recorded, "the fence is in force");
}

/// Nothing is due: a claim is still waiting when the store has answered somebody who came later.
async fn lends_nothing(store: &impl Store) {
    let claim = store.claim(ONE);
    tokio::pin!(claim);
    assert!(poll!(claim.as_mut()).is_pending());
    store.check_writable().await.unwrap();
    assert!(poll!(claim.as_mut()).is_pending(), "nothing should be due");
}

fn name(claim: &Claim) -> &str {
    claim.planned.update.name.as_deref().unwrap()
}

fn names(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(name).collect()
}

/// Both balances of the ledger.
fn assert_balance(numbers: &Numbers) {
    let Numbers { ready, scheduled, in_flight, held, delivered, skipped, dead, discarded, .. } =
        numbers;
    let updates = ready + scheduled + in_flight + held + delivered + skipped + dead + discarded;
    let updates = updates + numbers.expired;
    assert_eq!(numbers.updates_planned, updates, "{numbers:?}");
    let events = numbers.events_duplicate
        + numbers.events_control
        + numbers.events_ignored
        + numbers.events_taken;
    assert_eq!(numbers.events_received, events, "{numbers:?}");
}
