//! What statements cost: how PostgreSQL goes about each.

use std::fmt::Write as _;

use super::{Store, clock, execute, is_left_out, open, place, roomy};
use crate::store::postgres::{queries, statements};

/// Tables that hold a row for each configured name, and what has a limit within: a scan of them is short.
const SMALL: &[&str] = &["name", "ledger", "holder", "mapping", "meta", "blocked", "event_id"];

/// What an audit counts is read whole, and what a copy looks for once.
const WANTED_WHOLE: &[&str] = &["COUNT_EVENTS", "COUNT_UPDATES", "LAST_TOGETHER"];

/// One more than the greatest number of a parameter.
fn parameters(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    numbers.max().unwrap_or(0)
}

#[tokio::test]
async fn no_statement_scans_a_table_that_grows() {
    if is_left_out() {
        return;
    }
    let place = place();
    let store = open(&place, &roomy(), &clock()).await.unwrap();
    let is_planned = |(_, sql): &&(&str, &str)| !sql.starts_with("LOCK TABLE");
    let all = || statements::ALL.iter().chain(queries::ALL).filter(is_planned);
    let mut script =
        "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;".to_owned();
    for (name, sql) in all() {
        let nulls = vec!["NULL"; parameters(sql)].join(", ");
        let values = if nulls.is_empty() { nulls } else { format!("({nulls})") };
        write!(
            script,
            "SELECT '== {name}'; PREPARE of_{name} AS {sql}; EXPLAIN (COSTS off) EXECUTE of_{name}{values};"
        )
        .unwrap();
    }

    let plans = execute(&place, &script);

    let mut statement = "";
    let mut seen = 0;
    let mut scans = Vec::new();
    for line in plans.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            statement = name;
            seen += 1;
        }
        let Some((_, table)) = line.split_once("Seq Scan on ") else { continue };
        let table = table.split_whitespace().next().unwrap();
        if !SMALL.contains(&table) && !WANTED_WHOLE.contains(&statement) {
            scans.push(format!("{statement}: {table}"));
        }
    }
    assert_eq!(seen, all().count());
    assert!(seen > 80, "{seen}");
    assert_eq!(scans, Vec::<String>::new());
    store.close().await;
}

/// How many pages a claim of 64 lanes looks at, beside this many that wait.
async fn cost_of_a_claim(waiting: u32) -> u64 {
    let place = place();
    let store = open(&place, &roomy(), &clock()).await.unwrap();
    execute(
        &place,
        &format!(
            "INSERT INTO upd(id, lane, source, rule, item, state) \
             SELECT i << 16, i * 7919 % 1000003, 1, 2, 0, 0 FROM generate_series(1, {waiting}) i; \
             INSERT INTO lane(id, due_at) SELECT lane, id / 65536 / 50 FROM upd; \
             INSERT INTO plan(update_id, form, body) SELECT id, 1, '{{}}' FROM upd; \
             ANALYZE upd, lane, plan;"
        ),
    );
    let explain = |name: &str, sql: &str, values: &str| {
        let plan = execute(
            &place,
            &format!(
                "SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan; \
                 PREPARE of_{name} AS {sql}; \
                 EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off) EXECUTE of_{name}({values})"
            ),
        );
        let buffers =
            plan.lines().find_map(|line| line.trim().strip_prefix("Buffers: shared hit="));
        let pages: String = buffers.unwrap().chars().take_while(char::is_ascii_digit).collect();
        pages.parse::<u64>().unwrap()
    };
    let due = explain("due", statements::DUE_LANES, "1000000, 64");
    let lanes = "SELECT array_agg(id) FROM (SELECT id FROM lane ORDER BY due_at, id LIMIT 64) l";
    let lanes = execute(&place, lanes);
    let oldest = explain("oldest", statements::OLDEST, &format!("'{lanes}', 100"));
    store.close().await;
    due + oldest
}

#[tokio::test]
async fn a_claim_costs_the_same_beside_fifty_thousand_as_beside_a_thousand() {
    let few = cost_of_a_claim(1_000).await;
    let many = cost_of_a_claim(50_000).await;

    assert!(few > 64, "the pages were counted");
    // A tree is a level higher.
    assert!(many <= few * 2, "{few} pages beside a thousand, {many} beside many");
}
