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
