//! What statements cost: how SQLite goes about each, and what a claim takes beside a large backlog.

use rusqlite::StatementStatus;

use super::*;

/// Tables that hold a row for each configured name, and what has a limit within: a scan of them is short.
const SMALL: &[&str] = &[
    "SCAN name",
    "SCAN ledger",
    "SCAN mapping",
    "SCAN blocked",
    "SCAN (subquery-1)",
    "SCAN CONSTANT",
];

/// Partial indexes that hold what waits or is lent and nothing else, read whole at start.
/// What an audit counts is read whole too, away from the writer.
const WANTED_WHOLE: &[&str] = &[
    "SCAN upd USING COVERING INDEX upd_due",
    "SCAN event USING INDEX event_by_source",
    "SCAN upd USING COVERING INDEX upd_open",
    "SCAN upd USING COVERING INDEX upd_finished",
];

#[test]
fn no_statement_scans() {
    let folder = tempfile::tempdir().unwrap();
    let cipher = Cipher::read(None).unwrap();
    let file = StoreFile::new(&folder.path().join("bridge.db"), &cipher);
    let mut connection = writing(&file, 1 << 20).unwrap();
    opening::prepare(&mut connection, &cipher).unwrap();
    opening::start(&mut connection, 0).unwrap();
    let mut scans = Vec::new();

    for (name, sql) in statements::ALL {
        if sql.starts_with("PRAGMA") {
            continue;
        }
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = plan.parameter_count();
        let nothing = vec![rusqlite::types::Null; count];
        let steps = plan.query_map(rusqlite::params_from_iter(nothing), |row| row.get(3)).unwrap();
        for step in steps {
            let step: String = step.unwrap();
            let is_short = SMALL.iter().any(|small| step.starts_with(small))
                || WANTED_WHOLE.contains(&step.as_str());
            if step.starts_with("SCAN") && !is_short {
                scans.push(format!("{name}: {step}"));
            }
        }
    }

    assert!(statements::ALL.len() > 40);
    assert_eq!(scans, Vec::<String>::new());
}

#[test]
fn what_is_sealed_is_opened_wherever_it_is_read() {
    let reads = |sql: &str, column: &str| {
        sql.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == column)
    };
    let mut bare = Vec::new();
    for (name, sql) in statements::ALL {
        let columns: &[&str] = match *sql {
            // These only move or count what is sealed.
            _ if ["SEND_WHOLE"].contains(name) || name.starts_with("REKEY") => &[],
            sql if sql.contains("plan") => &["body", "original"],
            sql if sql.contains("request") => &["body", "head"],
            sql if sql.contains("detail") || sql.contains("attempt ") => &["text", "words"],
            sql if sql.contains("mapping") => &["text"],
            _ => &[],
        };
        let is_bare = columns.iter().any(|column| reads(sql, column));
        if is_bare && !["seal(", "opened("].iter().any(|function| sql.contains(function)) {
            bare.push(*name);
        }
    }

    assert_eq!(bare, Vec::<&str>::new());
}

/// What a claim of 64 costs in steps of SQLite's machine, beside this many waiting lanes.
async fn cost_of_a_claim(waiting: u32) -> i32 {
    let backend = InATempDir::fresh().await;
    backend.store.append(request(b"{}"), vec![new_event(&["12025550143"])]).await.unwrap();
    backend
        .on_the_writer(move |connection| {
            connection
                .execute_batch(&format!(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {waiting}) \
                     INSERT INTO upd(id, lane, source, rule, item, state, attempts, due_at) \
                     SELECT i << 16, i * 7919 % 1000003, 1, 2, 0, 0, 0, i / 50 FROM n WHERE i > 1;
                     INSERT INTO plan(update_id, form, body) SELECT id, 1, (SELECT body FROM plan) FROM upd WHERE id > 131000;"
                ))
                .unwrap();
        })
        .await;

    let claims = claim(&*backend.store, 64).await;

    assert_eq!(claims.len(), 64);
    backend
        .on_the_writer(|connection| {
            let claim = connection.prepare_cached(statements::CLAIM).unwrap();
            claim.get_status(StatementStatus::VmStep)
        })
        .await
}

#[tokio::test]
async fn a_claim_costs_the_same_beside_a_hundred_thousand_as_beside_a_thousand() {
    let few = cost_of_a_claim(1_000).await;
    let many = cost_of_a_claim(100_000).await;

    assert!(few > 64, "the steps were counted");
    assert!(many <= few + few / 10, "{few} steps beside a thousand, {many} beside many");
}
