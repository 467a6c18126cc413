//! Every statement, in one place, so that a test sees the plan of each.
//!
//! Statements that change many rows take arrays. A partial index is used only by a statement that says its condition.
//! A lock and what is read under it are two statements: one that waited for a lock still sees what was there before.

/// The database's time in milliseconds; that of a test where it is given.
macro_rules! now {
    ($n:literal) => {
        concat!("coalesce(", $n, "::bigint, floor(extract(epoch FROM now()) * 1000)::bigint)")
    };
}

/// The same in microseconds and as it is when it is asked for, also after waiting for a lock.
macro_rules! micros {
    ($n:literal) => {
        concat!(
            "coalesce(",
            $n,
            "::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
        )
    };
}

/// Whether something that waits in a lane may be lent: all, or withdrawals where a dead update blocks the lane.
macro_rules! may_go {
    () => {
        "(NOT EXISTS (SELECT 1 FROM blocked WHERE blocked.lane = lane.id) \
         OR EXISTS (SELECT 1 FROM upd WHERE upd.lane = lane.id AND upd.state = 0 AND upd.withdrawal))"
    };
}

/// An update that waits, with all that delivery needs.
macro_rules! waiting_row {
    () => {
        "u.id, u.lane, u.source, u.rule, u.item, u.attempts, u.first_failed, u.together, \
         e.received_at, p.form, p.body, e.trace"
    };
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)+

        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name),)+];
    };
}

statements! {
    NOW = concat!("SELECT ", now!("$1"));

    LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('chatflow-bridge ' || $1::text, 0))";
    SCHEMA_STANDS = "SELECT true, (SELECT count(*) FROM pg_catalog.pg_class c \
        WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S')), \
        EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'meta') \
        FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text";
    GET_NUMBER = "SELECT number FROM meta WHERE name = $1::text";
    SET_NUMBER = "INSERT INTO meta(name, number) VALUES ($1::text, $2::bigint) \
        ON CONFLICT (name) DO UPDATE SET number = excluded.number";
    GET_BYTES = "SELECT bytes FROM meta WHERE name = $1::text";
    ADD_BYTES = "INSERT INTO meta(name, bytes) VALUES ($1::text, $2::bytea) ON CONFLICT (name) DO NOTHING";

    NAMES = "SELECT id, text FROM name";
    ADD_NAMES = "INSERT INTO name(text) SELECT t FROM unnest($1::text[]) t ORDER BY t \
        ON CONFLICT (text) DO NOTHING";

    NEW_HOLDER = concat!("INSERT INTO holder(id, until, name) \
        VALUES (nextval('holder_id'), ", now!("$1"), " + $2::bigint, $3::text) RETURNING id");
    HOLD = concat!("UPDATE holder SET until = ", now!("$1"), " + $2::bigint WHERE id = $3::bigint");
    /// Keeps a holder from being given up as long as the transaction lasts.
    IS_HOLDER = "SELECT 1 FROM holder WHERE id = $1::bigint FOR KEY SHARE";
    LAPSED_HOLDERS = concat!("SELECT id FROM holder WHERE until < ", now!("$1"),
        " AND id <> $2::bigint ORDER BY id LIMIT 16");
    GIVE_UP_HOLDER = concat!("SELECT id FROM holder WHERE id = $2::bigint \
        AND ($3::boolean OR until < ", now!("$1"), ") FOR UPDATE SKIP LOCKED");
    LANES_OF_HOLDER = "SELECT id FROM lane WHERE holder = $1::bigint ORDER BY id LIMIT $2::bigint FOR UPDATE";
    LANES_OF_FENCE = "SELECT id FROM lane WHERE holder = $1::bigint AND fence = ANY($2::bigint[]) ORDER BY id FOR UPDATE";

    SAY = "UPDATE holder SET paused = $2::text, mappings = $3::text WHERE id = $1::bigint";
    OTHERS = "SELECT name || ' #' || id::text, mappings, paused FROM holder \
        WHERE until >= $1::bigint AND id <> $2::bigint ORDER BY id";
    SHARED_NUMBERS = "SELECT name, number FROM meta WHERE name = ANY(ARRAY['closed_until', 'halted', 'resumed'])";
    CLOSE_UNTIL = "INSERT INTO meta(name, number) VALUES ('closed_until', $1::bigint) \
        ON CONFLICT (name) DO UPDATE SET number = excluded.number WHERE meta.number < excluded.number";
    COUNT_RESUMED = "INSERT INTO meta(name, number) VALUES ('resumed', 1) \
        ON CONFLICT (name) DO UPDATE SET number = meta.number + 1";
    SAY_CHANGED = "INSERT INTO changed(lane, holder, at) \
        SELECT l, $2::bigint, $3::bigint FROM unnest($1::bigint[]) l";
    CHANGES = "SELECT id, lane FROM changed WHERE at >= $1::bigint AND holder <> $2::bigint ORDER BY at, id";
    FORGET_CHANGES = "DELETE FROM changed WHERE at < $1::bigint";
    TELL = "SELECT pg_notify($1::text, 'said')";
    /// Moments to send at, in microseconds: the first of those that are reserved, from now on.
    RESERVE = concat!("UPDATE pace SET next = greatest(next, ", micros!("$1"), " - $3::bigint) + $2::bigint \
        WHERE id = 1 RETURNING next - $2::bigint - ", micros!("$1"));
    UNLEND = "UPDATE upd SET fence = NULL, attempts = attempts - 1 \
        WHERE lane = ANY($1::bigint[]) AND state = 0 AND fence = ANY($2::bigint[])";
    /// It may have been sent: what was lent together goes together.
    TAKE_BACK = "UPDATE upd SET together = coalesce(together, fence), fence = NULL \
        WHERE lane = ANY($1::bigint[]) AND state = 0 AND fence IS NOT NULL";
    DROP_HOLDER = "DELETE FROM holder WHERE id = $1::bigint \
        AND NOT EXISTS (SELECT 1 FROM lane WHERE holder = $1::bigint)";

    /// Locks lanes; those that are not there are made and come back.
    LOCK_LANES = "INSERT INTO lane(id, due_at) SELECT l, $2::bigint FROM unnest($1::bigint[]) l ORDER BY l \
        ON CONFLICT (id) DO UPDATE SET lent = lane.lent WHERE false RETURNING id";
    READ_LANES = "SELECT id, due_at, holder, fence, lent, put_off FROM lane WHERE id = ANY($1::bigint[])";
    LOCK_LANES_OF = "SELECT id, due_at, holder, fence, lent, put_off FROM lane \
        WHERE id IN (SELECT lane FROM upd WHERE id = ANY($1::bigint[])) ORDER BY id FOR UPDATE";
    BLOCKED_LANES = "SELECT DISTINCT lane FROM blocked WHERE lane = ANY($1::bigint[])";
    DROP_FREE = "DELETE FROM lane WHERE id = ANY($1::bigint[]) \
        AND NOT EXISTS (SELECT 1 FROM upd WHERE upd.lane = lane.id AND upd.state = 0)";
    /// Nothing of them is lent any more.
    GO_ON = concat!("UPDATE lane SET holder = NULL, fence = NULL, lent = 0, put_off = 0, \
        due_at = CASE WHEN ", may_go!(), " THEN w.due_at END \
        FROM unnest($1::bigint[], $2::bigint[]) AS w(id, due_at) WHERE lane.id = w.id");
    /// What waits in them, or what blocks them, has changed.
    SET_RIGHT = concat!("UPDATE lane SET due_at = CASE WHEN ", may_go!(), " THEN coalesce(due_at, $2::bigint) END \
        WHERE id = ANY($1::bigint[]) AND holder IS NULL");
    STILL_LENT = "UPDATE lane SET lent = w.lent, put_off = w.put_off \
        FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS w(id, lent, put_off) WHERE lane.id = w.id";
    LEND_LANES = "UPDATE lane SET due_at = NULL, holder = $3::bigint, fence = $4::bigint, lent = w.lent, \
        put_off = w.put_off FROM unnest($1::bigint[], $2::integer[], $5::bigint[]) AS w(id, lent, put_off) \
        WHERE lane.id = w.id";

    SEEN = concat!("SELECT key, event_id FROM seen WHERE key = ANY($1::bytea[]) AND expires_at > ", now!("$2"));
    SEE = "INSERT INTO seen(key, event_id, expires_at) \
        SELECT k, e, x FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS w(k, e, x) ORDER BY k \
        ON CONFLICT (key) DO UPDATE SET event_id = excluded.event_id, expires_at = excluded.expires_at \
        WHERE seen.expires_at <= $4::bigint RETURNING key";
    /// Of the first events of keys: what they planned, and whether they stand wholly ignored (1) or held (state 2).
    FIRST_OF = "SELECT e.id, e.digest, e.outcome <> 2 AND NOT EXISTS (SELECT 1 FROM upd u \
        WHERE u.id BETWEEN e.id << 16 AND (e.id << 16 | 65535) AND u.state <> 2) \
        FROM event e WHERE e.id = ANY($1::bigint[])";
    EVENT_IDS = "SELECT nextval('event_id') FROM generate_series(1, $1::bigint)";
    ADD_REQUESTS = "INSERT INTO request(id, head, encoding, size, body) \
        SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::smallint[], $4::bigint[], $5::bytea[])";
    ADD_EVENTS = "INSERT INTO event(id, source, received_at, outcome, updates, request, item, digest, size, \
        type, occurred_at, trace) SELECT i, s, $3::bigint, o, u, r, t, d, z, y, c, k \
        FROM unnest($1::bigint[], $2::bigint[], $4::smallint[], $5::integer[], $6::bigint[], $7::bigint[], \
        $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[]) \
        AS w(i, s, o, u, r, t, d, z, y, c, k)";
    ADD_UPDATES = "INSERT INTO upd(id, lane, source, rule, item, state, finished_at, reason, key, withdrawal) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
        $6::smallint[], $7::bigint[], $8::text[], $9::bigint[], $10::boolean[])";
    ADD_PLANS = "INSERT INTO plan(update_id, form, body, original) \
        SELECT i, $2::smallint, b, o FROM unnest($1::bigint[], $3::bytea[], $4::bytea[]) AS w(i, b, o)";
    ADD_DETAILS = "INSERT INTO detail(update_id, text) SELECT * FROM unnest($1::bigint[], $2::bytea[]) \
        ON CONFLICT (update_id) DO UPDATE SET text = excluded.text";
    COUNT = "INSERT INTO ledger(source, what, shard, n) \
        SELECT s, w, $4::smallint, n FROM unnest($1::bigint[], $2::smallint[], $3::bigint[]) AS c(s, w, n) \
        ORDER BY s, w ON CONFLICT (source, what, shard) DO UPDATE SET n = ledger.n + excluded.n";
    NOTIFY = "SELECT pg_notify($1::text, '')";

    ALIASES = "SELECT k, coalesce(c.lane, b.lane, a.lane, k) FROM unnest($1::bigint[]) k \
        LEFT JOIN alias a ON a.key = k LEFT JOIN alias b ON b.key = a.lane LEFT JOIN alias c ON c.key = b.lane";
    SET_ALIASES = "INSERT INTO alias(key, lane, at) \
        SELECT k, l, $3::bigint FROM unnest($1::bigint[], $2::bigint[]) AS w(k, l) ORDER BY k \
        ON CONFLICT (key) DO UPDATE SET lane = excluded.lane, at = excluded.at";
    DROP_ALIASES = "DELETE FROM alias WHERE key = ANY($1::bigint[])";
    /// Old ones of lanes in which nothing waits go; others count as new.
    FORGET_ALIASES = "DELETE FROM alias WHERE key IN (SELECT key FROM alias WHERE at < $1::bigint \
        ORDER BY at LIMIT $2::bigint FOR UPDATE SKIP LOCKED) \
        AND NOT EXISTS (SELECT 1 FROM lane WHERE lane.id = alias.lane) \
        AND NOT EXISTS (SELECT 1 FROM blocked WHERE blocked.lane = alias.lane)";
    KEEP_ALIASES = "UPDATE alias SET at = $3::bigint WHERE key IN (SELECT key FROM alias WHERE at < $1::bigint \
        ORDER BY at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)";

    /// Skips the lanes that somebody changes just now: they come with the next claim.
    DUE_LANES = concat!("SELECT id, ", now!("$1"), " FROM lane WHERE due_at <= ", now!("$1"),
        " ORDER BY due_at, id LIMIT $2::bigint FOR UPDATE SKIP LOCKED");
    NEXT_FENCE = "SELECT nextval('fence_id')";
    /// The oldest that wait in lanes, those that may go.
    OLDEST = concat!("SELECT ", waiting_row!(), " FROM unnest($1::bigint[]) l(id) CROSS JOIN LATERAL \
        (SELECT * FROM upd WHERE upd.lane = l.id AND upd.state = 0 \
        AND (upd.withdrawal OR NOT EXISTS (SELECT 1 FROM blocked WHERE blocked.lane = l.id)) \
        ORDER BY upd.id LIMIT $2::bigint) u \
        LEFT JOIN event e ON e.id = u.id >> 16 LEFT JOIN plan p ON p.update_id = u.id ORDER BY u.lane, u.id");
    WENT_TOGETHER = concat!("SELECT ", waiting_row!(), " FROM unnest($1::bigint[], $2::bigint[]) AS l(id, together) \
        CROSS JOIN LATERAL (SELECT * FROM upd WHERE upd.lane = l.id AND upd.state = 0 \
        AND upd.together = l.together ORDER BY upd.id LIMIT $3::bigint) u \
        LEFT JOIN event e ON e.id = u.id >> 16 LEFT JOIN plan p ON p.update_id = u.id ORDER BY u.lane, u.id");
    /// The attempt is counted before it is made.
    LEND = "UPDATE upd SET fence = $2::bigint, attempts = attempts + 1 WHERE id = ANY($1::bigint[])";
    NEXT_DUE = "SELECT min(due_at) FROM lane WHERE due_at IS NOT NULL";

    LENT = "SELECT id, fence, lane, source, attempts, first_failed, together, key, withdrawal FROM upd \
        WHERE id = ANY($1::bigint[]) AND fence IS NOT NULL";
    RECORD = "UPDATE upd SET fence = NULL, state = w.state, reason = w.reason, finished_at = w.finished_at, \
        attempts = w.attempts, first_failed = w.first_failed, together = w.together \
        FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::bigint[], $5::integer[], $6::bigint[], \
        $7::bigint[]) AS w(id, state, reason, finished_at, attempts, first_failed, together) \
        WHERE upd.id = w.id";
    ADD_ATTEMPTS = "INSERT INTO attempt(update_id, n, at, status, words) \
        SELECT i, n, $3::bigint, s, w FROM unnest($1::bigint[], $2::integer[], $4::integer[], $5::bytea[]) \
        AS a(i, n, s, w) ON CONFLICT (update_id, n) DO UPDATE \
        SET at = excluded.at, status = excluded.status, words = excluded.words";
    BLOCK = "INSERT INTO blocked(lane, update_id) SELECT * FROM unnest($1::bigint[], $2::bigint[]) \
        ON CONFLICT DO NOTHING";
    MARK = "INSERT INTO mark(lane, source, field, is_there, at, kept_at) \
        SELECT l, s, f, i, a, $6::bigint FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::boolean[], \
        $5::bigint[]) AS w(l, s, f, i, a) ORDER BY l, s, f ON CONFLICT (lane, source, field) DO UPDATE \
        SET is_there = excluded.is_there, at = excluded.at, kept_at = excluded.kept_at \
        WHERE excluded.at >= mark.at";
    SWEEP_MARKS = "DELETE FROM mark WHERE (lane, source, field) IN (SELECT lane, source, field \
        FROM mark WHERE kept_at < $1::bigint ORDER BY kept_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)";
    MARKED = "SELECT lane, source, (SELECT occurred_at FROM event WHERE event.id = upd.id >> 16) \
        FROM upd WHERE id = $1::bigint";
    MARKS = "SELECT field, is_there, at FROM mark WHERE lane = $1::bigint AND source = $2::bigint";

    MOVE_LENT = "UPDATE upd SET lane = w.lane FROM unnest($1::bigint[], $2::bigint[]) AS w(id, lane) \
        WHERE upd.id = w.id";
    QUEUE_LENT = "UPDATE upd SET lane = w.lane, fence = NULL, attempts = attempts - 1 \
        FROM unnest($1::bigint[], $2::bigint[]) AS w(id, lane) WHERE upd.id = w.id";
    MOVE_FOLLOWERS = "UPDATE upd SET lane = w.lane \
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(of, lane, key) \
        WHERE upd.lane = w.of AND upd.state = 0 AND upd.fence IS NULL AND (w.key IS NULL OR upd.key = w.key)";
    /// A dead update stands in the lane that it blocks.
    BLOCKING_MOVE = "UPDATE upd SET lane = $2::bigint \
        WHERE id IN (SELECT update_id FROM blocked WHERE lane = $1::bigint)";
    BLOCKS_MOVE = "INSERT INTO blocked(lane, update_id) SELECT $2::bigint, update_id FROM blocked \
        WHERE lane = $1::bigint ON CONFLICT DO NOTHING";
    UNBLOCK_LANE = "DELETE FROM blocked WHERE lane = $1::bigint";
    UNBLOCK = "DELETE FROM blocked WHERE update_id = ANY($2::bigint[]) AND lane = ANY($1::bigint[])";

    /// Where dead updates stood, and by which key they name their contact.
    HOMES = "SELECT id, lane, key FROM upd WHERE id = ANY($1::bigint[]) AND state = 4";
    BACK_IN_LINE = "UPDATE upd SET state = 0, reason = NULL, finished_at = NULL, first_failed = NULL, \
        attempts = greatest(attempts - 1, 0), lane = w.lane \
        FROM unnest($1::bigint[], $2::bigint[]) AS w(id, lane) WHERE upd.id = w.id AND upd.state = 4 \
        RETURNING upd.id, upd.source";

    LOCK_EVENT = "SELECT source, request, size, outcome FROM event WHERE id = $1::bigint FOR UPDATE";
    IDLE = "SELECT 1 FROM event WHERE id = $1::bigint AND outcome <> 2 AND NOT EXISTS (SELECT 1 FROM upd \
        WHERE id BETWEEN $1::bigint << 16 AND ($1::bigint << 16 | 65535) AND state <> 2)";

    DROP_HELD = "DELETE FROM upd WHERE id BETWEEN $1::bigint << 16 AND ($1::bigint << 16 | 65535) RETURNING id";
    DROP_DETAILS = "DELETE FROM detail WHERE update_id BETWEEN $1::bigint << 16 AND ($1::bigint << 16 | 65535)";
    SET_EVENT = "UPDATE event SET outcome = $2::smallint, updates = $3::integer, digest = $4::bigint, \
        size = $5::bigint WHERE id = $1::bigint";

    ROOM = "SELECT what, sum(n)::bigint FROM ledger WHERE what = ANY($1::smallint[]) GROUP BY what";
    LEDGER = "SELECT what, sum(n)::bigint FROM ledger GROUP BY what";
    READY = concat!("SELECT count(*), min(due_at), ", now!("$1"), " FROM lane WHERE due_at <= ", now!("$1"));
    IN_FLIGHT = "SELECT coalesce(sum(lent), 0)::bigint FROM lane WHERE holder IS NOT NULL";
    OLDEST_WITHDRAWAL = "SELECT received_at FROM event WHERE id = (SELECT min(id) FROM upd \
        WHERE withdrawal AND (state = 0 OR state = 4)) >> 16";
}
