//! Lanes that turn out to be one contact's, many in one transaction.
//!
//! Once delivery has found whom a key means, the key is an alias of that contact's lane: what waits for it there and
//! what comes later wait in one line, by received order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use super::core::Core;
use super::inbox::{Ended, Pace};
use super::lanes::{Lane, sorted};
use super::queue::{JoinOp, answer};
use super::record::{LentRow, in_force, lent};
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::store::Joined;
use crate::store::form::state::number;

/// A run that moves into another lane.
struct Move {
    /// What is lent of it.
    run: Vec<i64>,
    /// By which its updates name their contact.
    key: i64,
    from: i64,
    to: i64,
    /// Whether it stays lent.
    goes: bool,
    /// Whether the lane it joins has nothing due or lent.
    is_free: bool,
    /// The lane it comes from, as it stood.
    lane: Lane,
}

/// Numbers of lanes, how many are lent of each, and until when each is put off.
type Lanes = (Vec<i64>, Vec<i32>, Vec<i64>);

/// What one transaction did of the joins that it was given.
struct Done {
    /// Nothing for one that has to wait for the next transaction.
    joined: Vec<Option<Joined>>,
}

impl Core {
    /// Has runs join other lanes, until the store is closed.
    pub(super) async fn join(self: Arc<Self>) {
        let _ended = Ended(&self.joins);
        let mut pace = Pace::default();
        while let Some(ops) = self.joins.take(pace).await {
            let began = Instant::now();
            pace.taken = ops.len();
            self.join_all(ops).await;
            pace.time = began.elapsed();
        }
    }

    async fn join_all(&self, ops: Vec<JoinOp>) {
        let done = transacted!(self.pool, |transaction| self.join_in(transaction, &ops).await);
        match done {
            Ok(Done { joined }) => {
                let mut again = Vec::new();
                for (op, joined) in ops.into_iter().zip(joined) {
                    match joined {
                        Some(joined) => answer(op.reply, Ok(joined)),
                        None => again.push(op),
                    }
                }
                self.joins.put_back(again);
                self.wake.now();
            }
            Err(error) => {
                self.failed("record", &error);
                for op in ops {
                    answer(op.reply, Err(error.clone()));
                }
            }
        }
    }

    async fn join_in(&self, transaction: &Transaction<'_>, ops: &[JoinOp]) -> Result<Done, Fault> {
        let ids = sorted(ops.iter().flat_map(|op| &op.run).map(|lent| number(lent.update)));
        let (before, now) =
            futures_util::try_join!(lent(transaction, &ids), transaction.now(self.manual()))?;
        let keys = sorted(before.values().filter_map(|row| row.key));
        let known = transaction.lanes_of(&keys).await?;
        let lanes = ops.iter().map(|op| op.to).chain(before.values().map(|row| row.lane));
        // Whoever stores something under one of these keys locks the lane that the key leads to.
        let lanes = sorted(lanes.chain(keys.iter().copied()).chain(known.values().copied()));
        let (_, lanes_now, rows, blocked) = futures_util::try_join!(
            transaction.lock_lanes(&lanes, None),
            transaction.read_lanes(&lanes),
            lent(transaction, &ids),
            transaction.blocked(&lanes),
        )?;
        let is_elsewhere =
            |row: &LentRow| before.get(&row.id).is_none_or(|was| was.lane != row.lane);
        if rows.values().any(is_elsewhere) {
            return Err(Fault::changed());
        }
        let (joined, moves) = decide(ops, &rows, &lanes_now, &blocked);
        write_moves(transaction, &moves, &blocked, now).await?;
        let touched = moves.iter().flat_map(|one| [one.from, one.to]).collect::<BTreeSet<_>>();
        let untouched = sorted(lanes.iter().copied().filter(|lane| !touched.contains(lane)));
        transaction.set_right(&untouched, now).await?;
        Ok(Done { joined })
    }
}

async fn write_moves(
    transaction: &Transaction<'_>,
    moves: &[Move],
    blocked: &BTreeSet<i64>,
    now: i64,
) -> Result<(), Fault> {
    if moves.is_empty() {
        return Ok(());
    }
    let (own, others): (Vec<&Move>, Vec<&Move>) = moves.iter().partition(|one| one.key == one.to);
    let dropped: Vec<i64> = own.iter().map(|one| one.key).collect();
    if !dropped.is_empty() {
        transaction.execute(statements::DROP_ALIASES, params![dropped]).await?;
    }
    let aliases: BTreeMap<i64, i64> = others.iter().map(|one| (one.key, one.to)).collect();
    let aliases: Vec<_> = aliases.into_iter().collect();
    transaction.set_aliases(&aliases, now).await?;
    for one in moves.iter().filter(|one| one.from == one.key && blocked.contains(&one.from)) {
        let both = params![one.from, one.to];
        transaction.execute(statements::BLOCKING_MOVE, both).await?;
        transaction.execute(statements::BLOCKS_MOVE, both).await?;
        transaction.execute(statements::UNBLOCK_LANE, params![one.from]).await?;
    }
    let lent = |goes: bool| -> (Vec<i64>, Vec<i64>) {
        let moves = moves.iter().filter(|one| one.goes == goes);
        moves.flat_map(|one| one.run.iter().map(|id| (*id, one.to))).unzip()
    };
    let ((going, into), (queued, behind)) = (lent(true), lent(false));
    let from: Vec<i64> = moves.iter().map(|one| one.from).collect();
    let to: Vec<i64> = moves.iter().map(|one| one.to).collect();
    // All that wait in a key's own lane are for that key, or for one that it is about to become.
    let only: Vec<Option<i64>> =
        moves.iter().map(|one| (one.from != one.key).then_some(one.key)).collect();
    let (going, queued) = (params![going, into], params![queued, behind]);
    let followers = params![from, to, only];
    futures_util::try_join!(
        transaction.execute(statements::MOVE_LENT, going),
        transaction.execute(statements::QUEUE_LENT, queued),
        transaction.execute(statements::MOVE_FOLLOWERS, followers),
        lend_joined(transaction, moves),
    )?;
    let waits = moves.iter().filter(|one| !one.goes && one.is_free).map(|one| (one.to, now));
    let behind_them = moves.iter().map(|one| (one.from, now));
    let on: BTreeMap<i64, i64> = waits.chain(behind_them).collect();
    let on: Vec<_> = on.into_iter().collect();
    transaction.go_on(&on).await
}

/// Lanes that are lent in place of those that their runs come from.
async fn lend_joined(transaction: &Transaction<'_>, moves: &[Move]) -> Result<(), Fault> {
    let mut by_claim: BTreeMap<(i64, i64), Lanes> = BTreeMap::new();
    for one in moves.iter().filter(|one| one.goes) {
        let (Some(holder), Some(fence)) = (one.lane.holder, one.lane.fence) else { continue };
        let (lanes, lent, put_off) = by_claim.entry((holder, fence)).or_default();
        lanes.push(one.to);
        lent.push(i32::try_from(one.run.len()).unwrap_or(i32::MAX));
        put_off.push(one.lane.put_off);
    }
    for ((holder, fence), (lanes, lent, put_off)) in by_claim {
        let all = params![lanes, lent, holder, fence, put_off];
        transaction.execute(statements::LEND_LANES, all).await?;
    }
    Ok(())
}

/// What becomes of each join, and the moves that it takes. Where two are about the same lanes, the second waits for
/// the next transaction.
fn decide(
    ops: &[JoinOp],
    rows: &HashMap<i64, LentRow>,
    lanes: &BTreeMap<i64, Lane>,
    blocked: &BTreeSet<i64>,
) -> (Vec<Option<Joined>>, Vec<Move>) {
    let mut busy: BTreeSet<i64> = BTreeSet::new();
    let mut moves: Vec<Move> = Vec::new();
    let joined = ops.iter().map(|op| {
        let all: Option<Vec<&LentRow>> = op.run.iter().map(|lent| in_force(rows, *lent)).collect();
        let Some((all, first)) = all.and_then(|all| Some((all.clone(), *all.first()?))) else {
            return Some(Joined::Lapsed);
        };
        let (from, to) = (first.lane, op.to);
        let Some(key) = first.key.filter(|_| from != to) else { return Some(Joined::First) };
        if [from, to, key].iter().any(|lane| busy.contains(lane)) {
            return None;
        }
        busy.extend([from, to, key]);
        let lane = *lanes.get(&from)?;
        let withdraws = all.iter().all(|row| row.withdrawal);
        let is_free = lanes.get(&to).is_none_or(Lane::is_free);
        let brings_blocks = from == key && blocked.contains(&from);
        let is_blocked = brings_blocks || blocked.contains(&to);
        let goes = is_free && (withdraws || !is_blocked);
        let run = all.iter().map(|row| row.id).collect();
        moves.push(Move { run, key, from, to, goes, is_free, lane });
        Some(if goes { Joined::First } else { Joined::Behind })
    });
    let joined = joined.collect();
    (joined, moves)
}
