//! The statements of what is asked and done rarely: lists, changes of operators, retention, new keys. All others are in
//! `statements`.
//!
//! A list is cut to its page before anything is joined to it.

macro_rules! event_rows {
    ($from:literal) => {
        concat!(
            "SELECT e.id, s.text, e.received_at, e.type, e.outcome, e.updates FROM (SELECT * FROM event ",
            $from,
            ") e JOIN name s ON s.id = e.source ORDER BY e.id DESC"
        )
    };
}

macro_rules! update_rows {
    ($from:literal, $order:literal) => {
        concat!(
            "SELECT u.id, s.text, r.text, u.item, u.state, u.fence IS NOT NULL, u.reason, u.attempts, \
             e.received_at, u.finished_at, a.status, coalesce(d.text, a.words), u.lane FROM (",
            $from,
            ") u JOIN event e ON e.id = u.id >> 16 JOIN name s ON s.id = u.source \
             JOIN name r ON r.id = u.rule LEFT JOIN LATERAL (SELECT status, words FROM attempt \
             WHERE attempt.update_id = u.id ORDER BY n DESC LIMIT 1) a ON true \
             LEFT JOIN detail d ON d.update_id = u.id ORDER BY ",
            $order
        )
    };
}

macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)+

        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name),)+];
    };
}

queries! {
    EVENTS = event_rows!("WHERE id < $1::bigint ORDER BY id DESC LIMIT $2::bigint");
    EVENTS_OF_SOURCE = event_rows!("WHERE source = $3::bigint AND id < $1::bigint \
        ORDER BY id DESC LIMIT $2::bigint");
    EVENT = event_rows!("WHERE id = $1::bigint");
    REQUEST_OF = "SELECT r.id, r.head, r.encoding, r.size, r.body, e.item \
        FROM event e JOIN request r ON r.id = e.request WHERE e.id = $1::bigint";
    NAME_ID = "SELECT id FROM name WHERE text = $1::text";
    SOURCES = "SELECT DISTINCT source FROM ledger";
    LAST_EVENT = "SELECT max(id) FROM event";

    UPDATES = update_rows!("SELECT * FROM upd WHERE id < $1::bigint ORDER BY id DESC LIMIT $2::bigint",
        "u.id DESC");
    UPDATES_OF_EVENT = update_rows!("SELECT * FROM upd \
        WHERE id BETWEEN $1::bigint << 16 AND ($1::bigint << 16 | 65535)", "u.id");
    UPDATES_OF_SOURCE = update_rows!("SELECT v.* FROM (SELECT id FROM event \
        WHERE source = $3::bigint AND id <= $1::bigint >> 16 ORDER BY id DESC) o CROSS JOIN LATERAL \
        (SELECT * FROM upd WHERE upd.id BETWEEN o.id << 16 AND (o.id << 16 | 65535) \
        AND upd.id < $1::bigint ORDER BY upd.id DESC) v LIMIT $2::bigint", "u.id DESC");
    UPDATES_WAITING = update_rows!("SELECT * FROM upd WHERE state = 0 AND fence IS NULL \
        AND source = $3::bigint AND id < $1::bigint ORDER BY source DESC, id DESC LIMIT $2::bigint", "u.id DESC");
    /// Few lanes are lent at a time, and in each what is lent is among the oldest.
    UPDATES_IN_FLIGHT = update_rows!("SELECT upd.* FROM lane JOIN upd ON upd.lane = lane.id AND upd.state = 0 \
        WHERE lane.holder IS NOT NULL AND upd.fence IS NOT NULL AND upd.source = $3::bigint \
        AND upd.id < $1::bigint ORDER BY upd.id DESC LIMIT $2::bigint", "u.id DESC");
    UPDATES_FINISHED = update_rows!("SELECT * FROM upd WHERE state = $5::smallint AND state <> 0 \
        AND source = $3::bigint AND (finished_at, id) < ($4::bigint, $1::bigint) \
        ORDER BY finished_at DESC, id DESC LIMIT $2::bigint", "u.finished_at DESC, u.id DESC");
    LETTERS = update_rows!("SELECT * FROM upd WHERE id = ANY($1::bigint[])", "u.id");
    PLANS = "SELECT update_id, form, body, original FROM plan WHERE update_id = ANY($1::bigint[])";
    UPDATES_AFTER = "SELECT id, lane, state FROM upd WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint";
    /// Where lanes lead to, step by step.
    WAYS = "SELECT k, a.lane, b.lane, c.lane FROM unnest($1::bigint[]) k LEFT JOIN alias a ON a.key = k \
        LEFT JOIN alias b ON b.key = a.lane LEFT JOIN alias c ON c.key = b.lane";
    KEYS_OF = "SELECT lane, key FROM alias WHERE lane = ANY($1::bigint[])";

    FORGET_META = "DELETE FROM meta WHERE name = $1::text";
    SET_BYTES = "INSERT INTO meta(name, bytes) VALUES ($1::text, $2::bytea) \
        ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes";
    ADD_NUMBER = "INSERT INTO meta(name, number) VALUES ($1::text, $2::bigint) ON CONFLICT (name) DO NOTHING";

    LOCK_MAPPINGS = "LOCK TABLE mapping IN SHARE ROW EXCLUSIVE MODE";
    FORGET_MAPPINGS = "DELETE FROM mapping";
    KEEP_MAPPINGS = "INSERT INTO mapping(name, text) SELECT * FROM unnest($1::text[], $2::bytea[])";
    KEPT_MAPPINGS = "SELECT name, text FROM mapping ORDER BY name COLLATE \"C\"";

    STANDING = "SELECT id, state, source, lane, key, reason FROM upd WHERE id = ANY($1::bigint[])";
    STANDING_OF_EVENTS = "SELECT u.id, u.state, u.source, u.lane, u.key, u.reason, u.rule, u.item, u.finished_at \
        FROM unnest($1::bigint[]) e CROSS JOIN LATERAL (SELECT * FROM upd \
        WHERE upd.id BETWEEN e << 16 AND (e << 16 | 65535)) u ORDER BY u.id";
    LOCK_EVENTS = "SELECT id, source, outcome, request, size FROM event WHERE id = ANY($1::bigint[]) \
        ORDER BY id FOR UPDATE";
    LOCK_REQUESTS = "SELECT 1 FROM request WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE";
    /// It begins anew: what failed before counts no more.
    REVIVE = "UPDATE upd SET state = 0, reason = NULL, finished_at = NULL, first_failed = NULL, \
        attempts = 0, lane = $2::bigint WHERE id = $1::bigint";
    SET_STATE = "UPDATE upd SET state = $2::smallint, reason = $3::text, finished_at = $4::bigint \
        WHERE id = $1::bigint";
    SEND_PART = "UPDATE plan SET original = coalesce(original, body), body = $2::bytea, form = $3::smallint \
        WHERE update_id = $1::bigint";
    SEND_WHOLE = "UPDATE plan SET body = original, original = NULL \
        WHERE update_id = $1::bigint AND original IS NOT NULL";
    PLAN_SIZE = "SELECT octet_length(body) + coalesce(octet_length(original), 0) FROM plan \
        WHERE update_id = $1::bigint";
    ADD_SIZE = "UPDATE event SET size = size + $2::bigint WHERE id = $1::bigint";
    SET_OUTCOME = "UPDATE event SET outcome = $2::smallint, updates = $3::integer, size = size + $4::bigint \
        WHERE id = $1::bigint";
    FORGET_ATTEMPTS = "DELETE FROM attempt WHERE update_id = ANY($1::bigint[])";
    FORGET_DETAILS = "DELETE FROM detail WHERE update_id = ANY($1::bigint[])";
    FORGET_PLANS = "DELETE FROM plan WHERE update_id = ANY($1::bigint[])";
    FORGET_STATES = "DELETE FROM upd WHERE id = ANY($1::bigint[])";

    KEEPS_HOUSE = "SELECT pg_try_advisory_xact_lock(hashtextextended('chatflow-bridge house ' || $1::text, 0))";
    OLDEST_ENDED = "SELECT finished_at FROM upd WHERE state = $1::smallint AND state <> 0 \
        AND source = $2::bigint AND (finished_at, id) > ($3::bigint, $4::bigint) \
        ORDER BY finished_at, id LIMIT 1";
    ENDED_BEFORE = "SELECT finished_at, id FROM upd WHERE state = $1::smallint AND state <> 0 \
        AND source = $2::bigint AND (finished_at, id) > ($3::bigint, $4::bigint) \
        AND finished_at < $5::bigint ORDER BY finished_at, id LIMIT $6::bigint";
    OLDEST_WITHOUT = "SELECT received_at FROM event WHERE outcome = $1::smallint AND outcome <> 0 \
        AND (received_at, id) > ($2::bigint, $3::bigint) ORDER BY received_at, id LIMIT 1";
    WITHOUT_BEFORE = "SELECT received_at, id FROM event WHERE outcome = $1::smallint AND outcome <> 0 \
        AND (received_at, id) > ($2::bigint, $3::bigint) AND received_at < $4::bigint \
        ORDER BY received_at, id LIMIT $5::bigint";
    DROP_EVENTS = "DELETE FROM event WHERE id = ANY($1::bigint[])";
    /// A request goes with the last of its events, the first of which has its number.
    DROP_REQUESTS = "DELETE FROM request WHERE id = ANY($1::bigint[]) \
        AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = request.id) \
        AND NOT EXISTS (SELECT 1 FROM event WHERE event.request = request.id AND event.request <> event.id)";
    DROP_KEYS = "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE expires_at <= $1::bigint \
        ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)";

    COUNT_REQUESTS = "SELECT count(*) FROM request";
    COUNT_PLANS = "SELECT count(*) FROM plan";
    COUNT_DETAILS = "SELECT count(*) FROM detail";
    COUNT_ATTEMPTS = "SELECT count(*) FROM attempt";
    REQUESTS_TO_SEAL = "SELECT id, head, encoding, body FROM request WHERE id > $1::bigint \
        ORDER BY id LIMIT $2::bigint";
    SEAL_REQUESTS = "UPDATE request SET head = w.head, encoding = w.encoding, body = w.body \
        FROM unnest($1::bigint[], $2::bytea[], $3::smallint[], $4::bytea[]) AS w(id, head, encoding, body) \
        WHERE request.id = w.id";
    /// Pieces of a table after a row and, where there are several of an update, a number.
    PLANS_TO_SEAL = "SELECT update_id, 0, body, original FROM plan \
        WHERE update_id > $1::bigint AND $2::integer IS NOT NULL ORDER BY update_id LIMIT $3::bigint";
    SEAL_PLANS = "UPDATE plan SET body = w.value, original = w.original \
        FROM unnest($1::bigint[], $2::integer[], $3::bytea[], $4::bytea[]) AS w(id, n, value, original) \
        WHERE plan.update_id = w.id";
    DETAILS_TO_SEAL = "SELECT update_id, 0, text, NULL::bytea FROM detail \
        WHERE update_id > $1::bigint AND $2::integer IS NOT NULL ORDER BY update_id LIMIT $3::bigint";
    SEAL_DETAILS = "UPDATE detail SET text = w.value \
        FROM unnest($1::bigint[], $2::integer[], $3::bytea[], $4::bytea[]) AS w(id, n, value, original) \
        WHERE detail.update_id = w.id";
    ATTEMPTS_TO_SEAL = "SELECT update_id, n, words, NULL::bytea FROM attempt \
        WHERE (update_id, n) > ($1::bigint, $2::integer) ORDER BY update_id, n LIMIT $3::bigint";
    SEAL_ATTEMPTS = "UPDATE attempt SET words = w.value \
        FROM unnest($1::bigint[], $2::integer[], $3::bytea[], $4::bytea[]) AS w(id, n, value, original) \
        WHERE attempt.update_id = w.id AND attempt.n = w.n";
    SEAL_MAPPING = "UPDATE mapping SET text = $2::bytea WHERE name = $1::text";

    HOLDERS = "SELECT name FROM holder WHERE until >= floor(extract(epoch FROM now()) * 1000)::bigint ORDER BY id";
    FORGET_HOLDERS = "DELETE FROM holder";
    LENT_LANES = "SELECT id FROM lane WHERE holder IS NOT NULL ORDER BY id FOR UPDATE";
    SECRETS = "SELECT name, bytes FROM meta WHERE name LIKE 'adopted:%' ORDER BY name";
    LAST_NUMBER = "SELECT last_value FROM event_id";
    LAST_TOGETHER = "SELECT max(together) FROM upd";
    IS_USED = "SELECT EXISTS (SELECT 1 FROM event) OR EXISTS (SELECT 1 FROM ledger) OR EXISTS (SELECT 1 FROM name) \
        OR EXISTS (SELECT 1 FROM mapping)";
    /// Numbers go on above all that were given.
    GO_ON_FROM = "SELECT setval('event_id', greatest($1::bigint, 1)), setval('fence_id', greatest($2::bigint, 1)), \
        setval(pg_get_serial_sequence('name', 'id'), greatest((SELECT max(id) FROM name), 1))";
    COUNT_BYTES = "INSERT INTO ledger(source, what, shard, n) \
        SELECT source, $1::smallint, 0, sum(size) FROM event GROUP BY source";

    ALL_NAMES = "SELECT id, text FROM name";
    LEDGER_OF_SOURCES = "SELECT source, what, sum(n)::bigint FROM ledger GROUP BY source, what";
    COUNT_EVENTS = "SELECT source, outcome, count(*) FROM event GROUP BY source, outcome";
    COUNT_UPDATES = "SELECT source, state, count(*) FROM upd GROUP BY source, state";
}
