//! Every statement, in one place, so that a test sees the plan of each.
//!
//! A partial index is used only by a statement that says its condition.

macro_rules! event_row {
    () => {
        "SELECT e.id, s.text, e.received_at, e.type, e.outcome, e.updates \
         FROM event e JOIN name s ON s.id = e.source "
    };
}

macro_rules! update_row {
    ($from:literal) => {
        concat!(
            "SELECT u.id, s.text, r.text, u.item, u.state, u.lease IS NOT NULL, u.reason, \
             u.attempts, e.received_at, u.finished_at, a.status, \
             unseal('text', u.id, coalesce(d.text, a.words)), u.lane, u.key FROM ",
            $from,
            " JOIN event e ON e.id = u.id >> 16 \
             JOIN name s ON s.id = u.source JOIN name r ON r.id = u.rule \
             LEFT JOIN attempt a ON a.update_id = u.id \
             AND a.n = (SELECT max(n) FROM attempt WHERE update_id = u.id) \
             LEFT JOIN detail d ON d.update_id = u.id "
        )
    };
}

/// A lent update with all that delivery needs.
macro_rules! lent_row {
    () => {
        "id, source, rule, item, attempts, first_failed, \
         (SELECT received_at FROM event WHERE event.id = upd.id >> 16), \
         (SELECT form FROM plan WHERE update_id = upd.id), \
         (SELECT unseal('plan', update_id, body) FROM plan WHERE update_id = upd.id), lane, together, \
         (SELECT trace FROM event WHERE event.id = upd.id >> 16)"
    };
}

/// What waits behind the head of its lane.
macro_rules! waits {
    () => {
        "state = 0 AND due_at IS NULL AND lease IS NULL"
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
    GET_META = "SELECT value FROM meta WHERE name = ?1";
    SET_META = "INSERT INTO meta(name, value) VALUES (?1, ?2) \
        ON CONFLICT(name) DO UPDATE SET value = excluded.value";

    FORGET_MAPPINGS = "DELETE FROM mapping";
    KEEP_MAPPING = "INSERT INTO mapping(name, text) VALUES (?1, seal('mapping', ?1, ?2))";
    KEPT_MAPPINGS = "SELECT name, unseal('mapping', name, text) FROM mapping ORDER BY name";
    ADD_META = "INSERT INTO meta(name, value) VALUES (?1, ?2) ON CONFLICT(name) DO NOTHING";

    /// What is lent goes back: at start nobody holds anything. It may have been sent: what was lent together goes
    /// together.
    RECLAIM = "UPDATE upd SET lease = NULL, together = coalesce(together, lease) WHERE lease > 0";
    LANES_LENT = "SELECT DISTINCT lane FROM upd WHERE lease > 0 AND (?1 IS NULL OR lease = ?1)";
    ADOPT = "INSERT INTO meta(name, value) VALUES (?1, seal('secret', ?1, ?2)) \
        ON CONFLICT(name) DO NOTHING";
    ADOPTED = "SELECT unseal('secret', name, value) FROM meta WHERE name = ?1";

    LOAD_LANES = "SELECT lane FROM upd WHERE due_at IS NOT NULL";
    LOAD_LENT_LANES = "SELECT lane, count(*) FROM upd WHERE lease > 0 GROUP BY lane";
    LOAD_BLOCKED = "SELECT DISTINCT lane FROM blocked";
    LOAD_NAMES = "SELECT text FROM name ORDER BY id";
    LOAD_KEYS = "SELECT seen_key, id, seen_until FROM event \
        WHERE id > ?1 AND seen_key IS NOT NULL ORDER BY id";
    LAST_RECEIVED = "SELECT received_at FROM event WHERE id = (SELECT max(id) FROM event)";
    LAST_EVENT = "SELECT max(id) FROM event";
    OPEN_UPDATES = "SELECT coalesce(sum(n), 0) FROM ledger WHERE what = ?1";

    FIND_KEY = "SELECT event_id FROM seen WHERE key = ?1 AND expires_at > ?2";
    MOVE_KEY = "INSERT INTO seen(key, event_id, expires_at) VALUES (?1, ?2, ?3) \
        ON CONFLICT(key) DO UPDATE \
        SET event_id = excluded.event_id, expires_at = excluded.expires_at";
    /// Of the first event of a key: what it planned, and whether it stands wholly ignored (1) or held (state 2).
    FIRST_OF = "SELECT digest, outcome <> 2 AND NOT EXISTS (SELECT 1 FROM upd \
        WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535 AND state <> 2) FROM event WHERE id = ?1";
    IDLE = "SELECT 1 FROM event WHERE id = ?1 AND outcome <> 2 AND NOT EXISTS (SELECT 1 FROM upd \
        WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535 AND state <> 2)";
    DROP_ATTEMPTS = "DELETE FROM attempt WHERE update_id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    DROP_DETAILS = "DELETE FROM detail WHERE update_id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    DROP_PLANS = "DELETE FROM plan WHERE update_id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    DROP_STATES = "DELETE FROM upd WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    SET_EVENT = "UPDATE event SET outcome = ?2, updates = ?3, digest = coalesce(?4, digest) \
        WHERE id = ?1";

    ADD_NAME = "INSERT INTO name(id, text) VALUES (?1, ?2)";
    ADD_REQUEST = "INSERT INTO request(id, head, encoding, size, body) \
        VALUES (?1, seal('head', ?1, ?2), ?3 | sealed(), ?4, seal('body', ?1, ?5))";
    ADD_EVENT = "INSERT INTO event(id, source, received_at, outcome, updates, request, item, \
        digest, type, occurred_at, seen_key, seen_until, trace) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    ADD_UPDATE = "INSERT INTO upd(id, lane, source, rule, item, state, attempts, due_at, \
        finished_at, reason, key, withdrawal) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11)";
    ADD_PLAN = "INSERT INTO plan(update_id, form, body) VALUES (?1, ?2, seal('plan', ?1, ?3))";
    ADD_DETAIL = "INSERT INTO detail(update_id, text) VALUES (?1, seal('text', ?1, ?2)) \
        ON CONFLICT(update_id) DO UPDATE SET text = excluded.text";
    ADD_ATTEMPT = "INSERT INTO attempt(update_id, n, at, status, words) \
        VALUES (?1, ?2, ?3, ?4, seal('text', ?1, ?5)) \
        ON CONFLICT(update_id, n) DO UPDATE \
        SET at = excluded.at, status = excluded.status, words = excluded.words";
    COUNT = "INSERT INTO ledger(source, what, n) VALUES (?1, ?2, ?3) \
        ON CONFLICT(source, what) DO UPDATE SET n = n + excluded.n";

    /// The attempt is counted before it is made.
    CLAIM = concat!("UPDATE upd SET due_at = NULL, lease = ?1, attempts = attempts + 1 \
        WHERE id IN (SELECT id FROM upd WHERE due_at <= ?2 ORDER BY due_at LIMIT ?3) RETURNING ",
        lent_row!());
    NEXT_DUE = "SELECT min(due_at) FROM upd WHERE due_at IS NOT NULL";
    FIRST_FOLLOWER = concat!("SELECT id FROM upd WHERE lane = ?1 AND ", waits!(), " ORDER BY id LIMIT 1");
    FOLLOWERS = concat!("SELECT ", lent_row!(), " FROM upd WHERE lane = ?1 AND ", waits!(),
        " ORDER BY id LIMIT ?2");
    WENT_TOGETHER = concat!("SELECT ", lent_row!(), " FROM upd WHERE lane = ?1 AND ", waits!(),
        " AND together = ?3 ORDER BY id LIMIT ?2");
    LEND = concat!("UPDATE upd SET lease = ?2, attempts = attempts + 1 WHERE id = ?1 RETURNING ",
        lent_row!());
    JOIN_RUN = "UPDATE upd SET lease = ?2, attempts = attempts + 1 WHERE id = ?1";
    UNLEND = "UPDATE upd SET lease = NULL, attempts = attempts - 1 WHERE id = ?1 AND lease = ?2";

    FINISH = "UPDATE upd SET state = ?3, reason = ?4, finished_at = ?5, lease = NULL, \
        attempts = attempts - ?6 WHERE id = ?1 AND lease = ?2 RETURNING lane, source, attempts";
    PUT_OFF = "UPDATE upd SET due_at = ?3, lease = NULL, first_failed = coalesce(first_failed, ?4), \
        together = coalesce(together, iif(?5, lease, NULL)) \
        WHERE id = ?1 AND lease = ?2 RETURNING lane, attempts";
    GIVE_BACK = "UPDATE upd SET due_at = ?3, lease = NULL, attempts = attempts - 1 \
        WHERE id = ?1 AND lease = ?2 RETURNING lane";
    TAKE_BACK = "UPDATE upd SET lease = NULL, attempts = attempts - 1 WHERE lease = ?1";
    /// The oldest that waits; in a lane that is blocked, the oldest withdrawal.
    PROMOTE = concat!("UPDATE upd SET due_at = ?2 WHERE id = (SELECT id FROM upd WHERE lane = ?1 AND ",
        waits!(), " AND (withdrawal = 1 OR NOT EXISTS (SELECT 1 FROM blocked WHERE lane = ?1)) \
        ORDER BY id LIMIT 1)");
    BLOCK = "INSERT INTO blocked(lane, update_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    BLOCKING_MOVE = "UPDATE upd SET lane = ?2 \
        WHERE id IN (SELECT update_id FROM blocked WHERE lane = ?1)";
    BLOCKS_MOVE = "INSERT INTO blocked(lane, update_id) SELECT ?2, update_id FROM blocked \
        WHERE lane = ?1 ON CONFLICT DO NOTHING";
    UNBLOCK_LANE = "DELETE FROM blocked WHERE lane = ?1";

    LENT_IN = "SELECT lane, key, withdrawal FROM upd WHERE id = ?1 AND lease = ?2";
    MOVE_LENT = "UPDATE upd SET lane = ?3 WHERE id = ?1 AND lease = ?2";
    QUEUE_LENT = "UPDATE upd SET lane = ?3, lease = NULL, attempts = attempts - 1 \
        WHERE id = ?1 AND lease = ?2";
    MOVE_FOLLOWERS = concat!("UPDATE upd SET lane = ?2 WHERE lane = ?1 AND ", waits!(),
        " AND (?3 IS NULL OR key = ?3)");
    FIND_ALIAS = "SELECT lane FROM alias WHERE key = ?1";
    DROP_ALIASES_OF = "DELETE FROM alias WHERE lane = ?1";
    DROP_MARKS_OF = "DELETE FROM mark WHERE lane = ?1";
    KEYS_OF = "SELECT key FROM alias WHERE lane = ?1";
    SET_ALIAS = "INSERT INTO alias(key, lane, at) VALUES (?1, ?2, ?3) \
        ON CONFLICT(key) DO UPDATE SET lane = excluded.lane, at = excluded.at";
    DROP_ALIAS = "DELETE FROM alias WHERE key = ?1";
    OLD_ALIASES = "SELECT key, lane FROM alias WHERE at < ?1 ORDER BY at LIMIT ?2";
    OLDEST_WITHDRAWAL = "SELECT received_at FROM event WHERE id = (SELECT min(id) FROM upd \
        WHERE withdrawal = 1 AND (state = 0 OR state = 4)) >> 16";

    IS_DEAD = "SELECT 1 FROM upd WHERE id = ?1 AND state = 4";
    HOME = "SELECT lane, key, coalesce(withdrawal, 0) FROM upd WHERE id = ?1";
    UNBLOCK = "DELETE FROM blocked WHERE lane = ?1 AND update_id = ?2";
    BLOCKS = "SELECT 1 FROM blocked WHERE lane = ?1";
    BACK_IN_LINE = "UPDATE upd SET state = 0, reason = NULL, finished_at = NULL, \
        first_failed = NULL, attempts = max(attempts - 1, 0), due_at = ?2, lane = ?3 \
        WHERE id = ?1 RETURNING source";

    LAST_DELIVERED = "SELECT max(finished_at) FROM upd INDEXED BY upd_finished \
        WHERE state = 1 AND state <> 0 AND source = ?1";
    REFUSED_SINCE = "SELECT u.finished_at, u.id, coalesce(u.key, u.lane), a.status \
        FROM upd u INDEXED BY upd_finished \
        JOIN attempt a ON a.update_id = u.id AND a.n = u.attempts \
        WHERE u.state = 4 AND u.state <> 0 AND u.source = ?1 AND u.finished_at > ?2 \
        AND u.reason IN ('refused', 'forbidden', 'not_found') AND a.status IS NOT NULL \
        ORDER BY u.finished_at DESC, u.id DESC LIMIT ?3";

    /// The oldest of those that ended so, after a place in that order.
    OLDEST_ENDED = "SELECT finished_at FROM upd INDEXED BY upd_finished \
        WHERE state = ?1 AND state <> 0 AND source = ?2 AND (finished_at, id) > (?3, ?4) \
        ORDER BY finished_at, id LIMIT 1";
    ENDED_BEFORE = "SELECT finished_at, id FROM upd INDEXED BY upd_finished \
        WHERE state = ?1 AND state <> 0 AND source = ?2 AND (finished_at, id) > (?3, ?4) \
        AND finished_at < ?5 ORDER BY finished_at, id LIMIT ?6";
    OLDEST_WITHOUT = "SELECT received_at FROM event INDEXED BY event_without_updates \
        WHERE outcome = ?1 AND outcome <> 0 AND (received_at, id) > (?2, ?3) \
        ORDER BY received_at, id LIMIT 1";
    WITHOUT_BEFORE = "SELECT received_at, id FROM event INDEXED BY event_without_updates \
        WHERE outcome = ?1 AND outcome <> 0 AND (received_at, id) > (?2, ?3) \
        AND received_at < ?4 ORDER BY received_at, id LIMIT ?5";
    EVENT_TO_GO = "SELECT source, outcome, request, seen_key, seen_until FROM event WHERE id = ?1";
    STATES_OF_EVENT = "SELECT state, finished_at, lane, id FROM upd \
        WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    DROP_EVENT = "DELETE FROM event WHERE id = ?1";
    /// The events of a request have ids in a row: where its neighbours have gone or belong to others, it was the last.
    DROP_REQUEST = "DELETE FROM request WHERE id = ?2 \
        AND ?2 IS NOT (SELECT request FROM event WHERE id > ?1 ORDER BY id LIMIT 1) \
        AND ?2 IS NOT (SELECT request FROM event WHERE id < ?1 ORDER BY id DESC LIMIT 1)";
    DROP_KEYS = "DELETE FROM seen WHERE key IN (SELECT key FROM seen \
        WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
    START_LOG_OVER = "PRAGMA wal_checkpoint(TRUNCATE)";
    /// A body's first byte is its sender's: only the bit says whether it is sealed.
    REKEY_REQUESTS = "UPDATE request SET head = reseal('head', id, head), encoding = encoding | sealed(), \
        body = CASE WHEN encoding & 16 THEN reseal('body', id, body) ELSE seal('body', id, body) END \
        WHERE id > ?1 AND id <= ?2 AND (is_stale(head) OR NOT encoding & 16)";
    END_OF_REQUESTS = "SELECT max(id), count(*) FROM \
        (SELECT id FROM request WHERE id > ?1 ORDER BY id LIMIT ?2)";
    REKEY_PLANS = "UPDATE plan SET body = reseal('plan', update_id, body), \
        original = reseal('plan', update_id, original) \
        WHERE update_id > ?1 AND update_id <= ?2 AND (is_stale(body) OR is_stale(original))";
    END_OF_PLANS = "SELECT max(update_id), count(*) FROM \
        (SELECT update_id FROM plan WHERE update_id > ?1 ORDER BY update_id LIMIT ?2)";
    REKEY_DETAILS = "UPDATE detail SET text = reseal('text', update_id, text) \
        WHERE update_id > ?1 AND update_id <= ?2 AND is_stale(text)";
    END_OF_DETAILS = "SELECT max(update_id), count(*) FROM \
        (SELECT update_id FROM detail WHERE update_id > ?1 ORDER BY update_id LIMIT ?2)";
    REKEY_ATTEMPTS = "UPDATE attempt SET words = reseal('text', update_id, words) \
        WHERE update_id > ?1 AND update_id <= ?2 AND is_stale(words)";
    REKEY_MAPPINGS = "UPDATE mapping SET text = reseal('mapping', name, text)";
    REKEY_SECRETS = "UPDATE meta SET value = reseal('secret', name, value) \
        WHERE name >= 'adopted:' AND name < 'adopted;'";
    END_OF_ATTEMPTS = "SELECT max(update_id), count(*) FROM \
        (SELECT update_id FROM attempt WHERE update_id > ?1 ORDER BY update_id LIMIT ?2)";
    GIVE_BACK_PAGES = "PRAGMA incremental_vacuum(256)";

    MARKED = "SELECT lane, source, (SELECT occurred_at FROM event WHERE event.id = upd.id >> 16) \
        FROM upd WHERE id = ?1";
    MARKS = "SELECT field, is_there, at FROM mark WHERE lane = ?1 AND source = ?2";
    MARK = "INSERT INTO mark(lane, source, field, is_there, at, kept_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(lane, source, field) DO UPDATE \
        SET is_there = excluded.is_there, at = excluded.at, kept_at = excluded.kept_at \
        WHERE excluded.at >= mark.at";
    SWEEP_MARKS = "DELETE FROM mark WHERE (lane, source, field) IN (SELECT lane, source, field \
        FROM mark WHERE kept_at < ?1 ORDER BY kept_at LIMIT ?2)";

    PAGE_COUNT = "PRAGMA page_count";
    FREE_PAGES = "PRAGMA freelist_count";

    LEDGER = "SELECT what, sum(n) FROM ledger GROUP BY what";
    READY = "SELECT count(*), min(due_at) FROM upd WHERE due_at <= ?1";
    LENT = "SELECT count(*) FROM upd WHERE lease > 0";
    NAME_ID = "SELECT id FROM name WHERE text = ?1";
    SOURCES = "SELECT DISTINCT source FROM ledger";

    EVENTS = concat!(event_row!(), "WHERE e.id < ?1 ORDER BY e.id DESC LIMIT ?2");
    EVENTS_OF_SOURCE = concat!(event_row!(),
        "WHERE e.source = ?3 AND e.id < ?1 ORDER BY e.id DESC LIMIT ?2");
    EVENT = concat!(event_row!(), "WHERE e.id = ?1");
    REQUEST_OF = "SELECT opened('head', r.id, r.head), r.encoding & 15, r.size, \
        CASE WHEN r.encoding & 16 THEN opened('body', r.id, r.body) ELSE r.body END, e.item \
        FROM event e JOIN request r ON r.id = e.request WHERE e.id = ?1";

    UPDATES = concat!(update_row!("upd u"), "WHERE u.id < ?1 ORDER BY u.id DESC LIMIT ?2");
    UPDATES_OF_EVENT = concat!(update_row!("upd u"),
        "WHERE u.id BETWEEN ?1 << 16 AND ?1 << 16 | 65535 ORDER BY u.id");
    UPDATES_OF_SOURCE = concat!(update_row!("event o CROSS JOIN upd u"),
        "WHERE o.source = ?3 AND o.id <= ?1 >> 16 \
         AND u.id BETWEEN o.id << 16 AND o.id << 16 | 65535 AND u.id < ?1 \
         ORDER BY o.id DESC, u.id DESC LIMIT ?2");
    UPDATES_WAITING = concat!(update_row!("upd u INDEXED BY upd_open"),
        "WHERE u.state = 0 AND u.source = ?3 AND u.id < ?1 AND u.lease IS NULL \
         ORDER BY u.id DESC LIMIT ?2");
    UPDATES_IN_FLIGHT = concat!(update_row!("upd u INDEXED BY upd_leased"),
        "WHERE u.lease > 0 AND u.source = ?3 AND u.id < ?1 ORDER BY u.id DESC LIMIT ?2");
    UPDATES_FINISHED = concat!(update_row!("upd u INDEXED BY upd_finished"),
        "WHERE u.state = ?5 AND u.state <> 0 AND u.source = ?3 \
         AND (u.finished_at, u.id) < (?4, ?1) \
         ORDER BY u.finished_at DESC, u.id DESC LIMIT ?2");

    LETTER = concat!(update_row!("upd u"), "WHERE u.id = ?1");
    PLAN_OF = "SELECT form, unseal('plan', ?1, body), unseal('plan', ?1, original) \
        FROM plan WHERE update_id = ?1";
    UPDATES_AFTER = "SELECT id, lane, state FROM upd WHERE id > ?1 ORDER BY id LIMIT ?2";
    STANDING = "SELECT state, source, lane, reason FROM upd WHERE id = ?1";
    STANDING_OF_EVENT = "SELECT id, state, rule, item FROM upd \
        WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535 ORDER BY id";
    /// It begins anew: what failed before counts no more.
    REVIVE = "UPDATE upd SET state = 0, reason = NULL, finished_at = NULL, first_failed = NULL, \
        attempts = 0, due_at = ?2, lane = ?3 WHERE id = ?1";
    SET_STATE = "UPDATE upd SET state = ?2, reason = ?3, finished_at = ?4 WHERE id = ?1";
    SEND_PART = "UPDATE plan \
        SET original = coalesce(original, body), body = seal('plan', ?1, ?2), form = ?3 \
        WHERE update_id = ?1";
    SEND_WHOLE = "UPDATE plan SET body = original, original = NULL \
        WHERE update_id = ?1 AND original IS NOT NULL";
    SET_ORIGINAL = "UPDATE plan SET original = seal('plan', ?1, ?2) WHERE update_id = ?1";
    FORGET_ATTEMPTS = "DELETE FROM attempt WHERE update_id = ?1";
    FORGET_DETAIL = "DELETE FROM detail WHERE update_id = ?1";
    FORGET_PLAN = "DELETE FROM plan WHERE update_id = ?1";
    FORGET_STATE = "DELETE FROM upd WHERE id = ?1";
    EVENT_STANDS = "SELECT source, outcome FROM event WHERE id = ?1";
    NAMES = "SELECT id, text FROM name";
    LEDGER_OF_SOURCES = "SELECT source, what, n FROM ledger";
    COUNT_EVENTS = "SELECT source, outcome, count(*) FROM event GROUP BY source, outcome";
    COUNT_OPEN = "SELECT source, 0, count(*) FROM upd INDEXED BY upd_open \
        WHERE state = 0 GROUP BY source";
    COUNT_FINISHED = "SELECT source, state, count(*) FROM upd INDEXED BY upd_finished \
        WHERE state <> 0 GROUP BY state, source";
    FORGET_META = "DELETE FROM meta WHERE name = ?1";
}

/// All that is kept of an update.
pub(super) const FORGET_UPDATE: [&str; 4] =
    [FORGET_ATTEMPTS, FORGET_DETAIL, FORGET_PLAN, FORGET_STATE];

/// All that is known of who waits in a lane.
pub(super) const FORGET_CONTACT: [&str; 3] = [DROP_MARKS_OF, DROP_ALIASES_OF, DROP_ALIAS];

/// All that is kept of the updates of an event.
pub(super) const DROP_UPDATES: [&str; 4] = [DROP_ATTEMPTS, DROP_DETAILS, DROP_PLANS, DROP_STATES];
