//! Lending what is due: lanes first, then what waits in them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_postgres::Row;

use super::core::Core;
use super::lend::{Claimed, Doubtful};
use super::sealing::unsealed;
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::contact::fold::{Fold, MOST_FOLDED};
use crate::store::form::kept;
use crate::store::form::lending::{RawClaim, RawRun};
use crate::store::form::state::{number, update_id};
use crate::store::{Error, Fence, Lane, Lent};
use crate::telemetry::trace::TraceContext;

/// Of so many lanes at once what waits is read.
const LANES_AT_ONCE: usize = 64;

/// About so many updates are lent in one transaction at most.
const MOST_UPDATES: usize = 4096;

/// An update that waits, and what the store alone needs of it.
struct Waiting {
    claim: RawClaim,
    lane: i64,
    /// What has gone out together may have arrived: nothing else may go with it.
    together: Option<i64>,
    source: i64,
    rule: i64,
}

/// What one transaction has lent.
struct LentNow {
    runs: Vec<Vec<Waiting>>,
    next_due: Option<Duration>,
}

impl Core {
    /// Lends what has been due longest, at most `most` runs, oldest events first.
    pub(super) async fn claim(
        &self,
        most: usize,
        merging: bool,
        doubtful: &mut Doubtful,
    ) -> Result<Claimed, Error> {
        let drawn = Mutex::new(None);
        let unclear = doubtful.clone();
        let claimed = transacted!(self.pool, |transaction| {
            self.claim_in(transaction, (most, merging), &unclear, &drawn).await
        });
        let drawn = *drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let LentNow { runs, next_due } = match claimed {
            Ok(Some(lent)) => {
                doubtful.clear();
                lent
            }
            Ok(None) => {
                // Others hold by now what this process had: it begins anew.
                doubtful.clear();
                self.hold().await?;
                return Ok(Claimed { runs: Vec::new(), next_due: Some(Duration::ZERO) });
            }
            Err(error) => {
                doubtful.extend(drawn);
                return Err(error);
            }
        };
        let all = runs.iter().flatten();
        let ids = all.flat_map(|one| [one.source, one.rule]).collect();
        if let Err(error) = self.names.recall(&self.pool, ids).await {
            // They are lent, and nobody will get them.
            doubtful.extend(drawn);
            return Err(error);
        }
        let name = |id| self.names.text(id).unwrap_or_else(|| "".into());
        let mut runs: Vec<_> = runs
            .into_iter()
            .filter_map(|run| {
                let lane = Lane(run.first()?.lane);
                let read = |one: Waiting| RawClaim {
                    source: name(one.source),
                    rule: name(one.rule),
                    ..one.claim
                };
                Some(RawRun { lane, updates: run.into_iter().map(read).collect() })
            })
            .collect();
        runs.sort_unstable_by_key(|run| run.updates.first().map(|claim| claim.lent.update));
        Ok(Claimed { runs, next_due })
    }

    /// Nothing where this process was given up.
    async fn claim_in(
        &self,
        transaction: &Transaction<'_>,
        (most, merging): (usize, bool),
        doubtful: &[i64],
        drawn: &Mutex<Option<i64>>,
    ) -> Result<Option<LentNow>, Fault> {
        let (manual, holder) = (self.manual(), self.holder.id());
        if !doubtful.is_empty() {
            take_back(transaction, holder, doubtful, manual).await?;
        }
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let due = params![manual, limit];
        let held = params![holder];
        let (is_holder, lanes, fence) = futures_util::try_join!(
            transaction.query(statements::IS_HOLDER, held),
            transaction.query(statements::DUE_LANES, due),
            transaction.query_opt(statements::NEXT_FENCE, &[]),
        )?;
        if is_holder.is_empty() {
            return Ok(None);
        }
        let fence = Fence(fence.map_or(0, |row| row.get(0)));
        *drawn.lock().unwrap_or_else(PoisonError::into_inner) = Some(fence.0);
        self.holder.draws(fence);
        let Some(now) = lanes.first().map(|row| row.get::<_, i64>(1)) else {
            let next_due = next_due(transaction, manual).await?;
            return Ok(Some(LentNow { runs: Vec::new(), next_due }));
        };
        let lanes: Vec<i64> = lanes.into_iter().map(|row| row.get(0)).collect();

        let mut runs = Vec::new();
        let mut asleep = Vec::new();
        let mut lent = 0;
        for part in lanes.chunks(LANES_AT_ONCE) {
            if lent >= MOST_UPDATES {
                break;
            }
            let mut found = self.oldest(transaction, part, merging, (now, fence)).await?;
            self.complete(transaction, &mut found, (now, fence)).await?;
            for lane in part {
                match found.remove(lane) {
                    Some(run) => {
                        lent += run.len();
                        runs.push(run);
                    }
                    None => asleep.push(*lane),
                }
            }
        }
        lend(transaction, &runs, (holder, fence)).await?;
        // What waits in them is blocked, or nothing does.
        transaction.set_right(&asleep, now).await?;
        let next_due = if runs.len() < most { next_due(transaction, manual).await? } else { None };
        Ok(Some(LentNow { runs, next_due }))
    }

    /// What waits in lanes and can go together, oldest first.
    async fn oldest(
        &self,
        transaction: &Transaction<'_>,
        lanes: &[i64],
        merging: bool,
        (now, fence): (i64, Fence),
    ) -> Result<BTreeMap<i64, Vec<Waiting>>, Fault> {
        let each = if merging { i64::from(MOST_FOLDED) } else { 1 };
        let blocked = transaction.blocked(lanes);
        let oldest = params![lanes, each];
        let (rows, blocked) =
            futures_util::try_join!(transaction.query(statements::OLDEST, oldest), blocked)?;
        let mut runs: BTreeMap<i64, Vec<Waiting>> = BTreeMap::new();
        for row in rows {
            let waiting = self.waiting(&row, now, fence);
            runs.entry(waiting.lane).or_default().push(waiting);
        }
        for (lane, run) in &mut runs {
            let passes = blocked.contains(lane);
            // A withdrawal that passes goes alone.
            let count = if passes { 1 } else { fitting(run) };
            run.truncate(count);
            if let Some(head) = run.first_mut().filter(|_| passes) {
                head.together = None;
            }
        }
        Ok(runs)
    }

    /// What may have arrived in one request goes again in one, even where merging has been switched off since, and
    /// where others have come between by joining the lane: the contact would step back.
    async fn complete(
        &self,
        transaction: &Transaction<'_>,
        runs: &mut BTreeMap<i64, Vec<Waiting>>,
        (now, fence): (i64, Fence),
    ) -> Result<(), Fault> {
        let heads = runs.iter().filter_map(|(lane, run)| Some((*lane, run.first()?.together?)));
        let (lanes, together): (Vec<i64>, Vec<i64>) = heads.unzip();
        if lanes.is_empty() {
            return Ok(());
        }
        let each = i64::from(MOST_FOLDED);
        let rows = params![lanes, together, each];
        let rows = transaction.query(statements::WENT_TOGETHER, rows).await?;
        let mut whole: BTreeMap<i64, Vec<Waiting>> = BTreeMap::new();
        for row in rows {
            let waiting = self.waiting(&row, now, fence);
            whole.entry(waiting.lane).or_default().push(waiting);
        }
        for (lane, mut run) in whole {
            let count = fitting(&run);
            run.truncate(count);
            runs.insert(lane, run);
        }
        Ok(())
    }

    fn waiting(&self, row: &Row, now: i64, fence: Fence) -> Waiting {
        let since = |then: i64| Duration::from_millis(u64::try_from(now - then).unwrap_or(0));
        let id: i64 = row.get(0);
        let attempts: i32 = row.get(5);
        // A plan that is missing is one that cannot be read.
        let form: Option<i16> = row.get(9);
        let plan: Option<Vec<u8>> = row.get(10);
        let together: Option<i64> = row.get(7);
        // One that cannot be read is none.
        let trace: Option<&[u8]> = row.get(11);
        let claim = RawClaim {
            trace: trace.and_then(TraceContext::from_bytes),
            may_have_landed: together.is_some(),
            lent: Lent { update: update_id(id), fence },
            source: "".into(),
            rule: "".into(),
            item: u32::try_from(row.get::<_, i64>(4)).unwrap_or(u32::MAX),
            attempt: u32::try_from(attempts).unwrap_or(0).saturating_add(1),
            failing_for: row.get::<_, Option<i64>>(6).map(since),
            age: row.get::<_, Option<i64>>(8).map_or(Duration::ZERO, since),
            form: form.map_or(0, i64::from),
            plan: plan.map(|plan| unsealed(&self.cipher, "plan", id, plan)).unwrap_or_default(),
        };
        Waiting { claim, lane: row.get(1), together, source: row.get(2), rule: row.get(3) }
    }
}

/// How many of these, oldest first, one request can carry.
fn fitting(waiting: &[Waiting]) -> usize {
    let Some((head, followers)) = waiting.split_first() else { return 0 };
    let Ok(first) = kept::plan(head.claim.form, &head.claim.plan) else { return 1 };
    let mut fold = Fold::of(&first);
    let fits = |next: &&Waiting| {
        let plan = kept::plan(next.claim.form, &next.claim.plan);
        next.together == head.together && plan.is_ok_and(|plan| fold.take(&plan))
    };
    1 + followers.iter().take_while(fits).count()
}

async fn lend(
    transaction: &Transaction<'_>,
    runs: &[Vec<Waiting>],
    (holder, Fence(fence)): (i64, Fence),
) -> Result<(), Fault> {
    if runs.is_empty() {
        return Ok(());
    }
    let updates =
        runs.iter().flatten().map(|one| number(one.claim.lent.update)).collect::<Vec<_>>();
    let lanes: Vec<i64> = runs.iter().filter_map(|run| Some(run.first()?.lane)).collect();
    let lent: Vec<i32> =
        runs.iter().map(|run| i32::try_from(run.len()).unwrap_or(i32::MAX)).collect();
    let put_off = vec![0_i64; lanes.len()];
    let updates = params![updates, fence];
    let lanes = params![lanes, lent, holder, fence, put_off];
    futures_util::try_join!(
        transaction.execute(statements::LEND, updates),
        transaction.execute(statements::LEND_LANES, lanes),
    )?;
    Ok(())
}

async fn next_due(
    transaction: &Transaction<'_>,
    manual: Option<i64>,
) -> Result<Option<Duration>, Fault> {
    let (due, now) = futures_util::try_join!(
        transaction.query_opt(statements::NEXT_DUE, &[]),
        transaction.now(manual),
    )?;
    let due: Option<i64> = due.and_then(|row| row.get(0));
    Ok(due.map(|due| Duration::from_millis(u64::try_from(due - now).unwrap_or(0))))
}

/// Takes back what claims have lent of which nobody knows whether they were committed: it never left.
async fn take_back(
    transaction: &Transaction<'_>,
    holder: i64,
    fences: &[i64],
    manual: Option<i64>,
) -> Result<(), Fault> {
    let held = params![holder, fences];
    let (lanes, now) = futures_util::try_join!(
        transaction.query(statements::LANES_OF_FENCE, held),
        transaction.now(manual),
    )?;
    let lanes: Vec<i64> = lanes.into_iter().map(|row| row.get(0)).collect();
    if lanes.is_empty() {
        return Ok(());
    }
    transaction.execute(statements::UNLEND, params![lanes, fences]).await?;
    let due: Vec<_> = lanes.into_iter().map(|lane| (lane, now)).collect();
    transaction.go_on(&due).await
}
