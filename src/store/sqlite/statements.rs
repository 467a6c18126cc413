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
             u.attempts, e.received_at, u.finished_at, a.status, coalesce(d.text, a.words) FROM ",
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
         (SELECT body FROM plan WHERE update_id = upd.id), lane, together"
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
    KEEP_MAPPING = "INSERT INTO mapping(name, text) VALUES (?1, ?2)";
    KEPT_MAPPINGS = "SELECT name, text FROM mapping ORDER BY name";
    ADD_META = "INSERT INTO meta(name, value) VALUES (?1, ?2) ON CONFLICT(name) DO NOTHING";

    /// What is lent goes back: at start nobody holds anything. It may have been sent: what was lent together goes
    /// together.
    RECLAIM = "UPDATE upd SET lease = NULL, together = coalesce(together, lease) WHERE lease > 0";
    LANES_LENT = "SELECT DISTINCT lane FROM upd WHERE lease > 0 AND (?1 IS NULL OR lease = ?1)";
    LOAD_LANES = "SELECT lane FROM upd WHERE due_at IS NOT NULL";
    LOAD_LENT_LANES = "SELECT lane, count(*) FROM upd WHERE lease > 0 GROUP BY lane";
    LOAD_BLOCKED = "SELECT DISTINCT lane FROM blocked";
    LOAD_NAMES = "SELECT text FROM name ORDER BY id";
    LOAD_KEYS = "SELECT seen_key, id, seen_until FROM event \
        WHERE id > ?1 AND seen_key IS NOT NULL ORDER BY id";
    LAST_EVENT = "SELECT max(id) FROM event";
    OPEN_UPDATES = "SELECT coalesce(sum(n), 0) FROM ledger WHERE what = ?1";

    FIND_KEY = "SELECT event_id FROM seen WHERE key = ?1 AND expires_at > ?2";
    MOVE_KEY = "INSERT INTO seen(key, event_id, expires_at) VALUES (?1, ?2, ?3) \
        ON CONFLICT(key) DO UPDATE \
        SET event_id = excluded.event_id, expires_at = excluded.expires_at";
    /// Of the first event of a key: what it planned, and whether it stands wholly ignored (1) or held (state 2).
    FIRST_OF = "SELECT digest, outcome <> 2 AND NOT EXISTS (SELECT 1 FROM upd \
        WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535 AND state <> 2) FROM event WHERE id = ?1";
    IDLE = "SELECT source, outcome, (SELECT count(*) FROM upd \
        WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535) FROM event \
        WHERE id = ?1 AND outcome <> 2 AND NOT EXISTS (SELECT 1 FROM upd \
        WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535 AND state <> 2)";
    DROP_ATTEMPTS = "DELETE FROM attempt WHERE update_id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    DROP_DETAILS = "DELETE FROM detail WHERE update_id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    DROP_PLANS = "DELETE FROM plan WHERE update_id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    DROP_STATES = "DELETE FROM upd WHERE id BETWEEN ?1 << 16 AND ?1 << 16 | 65535";
    SET_EVENT = "UPDATE event SET outcome = ?2, updates = ?3, digest = ?4 WHERE id = ?1";

    ADD_NAME = "INSERT INTO name(id, text) VALUES (?1, ?2)";
    ADD_REQUEST = "INSERT INTO request(id, head, encoding, size, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    ADD_EVENT = "INSERT INTO event(id, source, received_at, outcome, updates, request, item, \
        digest, type, occurred_at, seen_key, seen_until) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    ADD_UPDATE = "INSERT INTO upd(id, lane, source, rule, item, state, attempts, due_at, \
        finished_at, reason, key, withdrawal) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11)";
    ADD_PLAN = "INSERT INTO plan(update_id, form, body) VALUES (?1, ?2, ?3)";
    ADD_DETAIL = "INSERT INTO detail(update_id, text) VALUES (?1, ?2) \
        ON CONFLICT(update_id) DO UPDATE SET text = excluded.text";
    ADD_ATTEMPT = "INSERT INTO attempt(update_id, n, at, status, words) VALUES (?1, ?2, ?3, ?4, ?5) \
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
    BLOCKS_MOVE = "INSERT INTO blocked(lane, update_id) SELECT ?2, update_id FROM blocked \
        WHERE lane = ?1 ON CONFLICT DO NOTHING";
    UNBLOCK = "DELETE FROM blocked WHERE lane = ?1 AND update_id = ?2";
    IS_BLOCKED = "SELECT 1 FROM blocked WHERE lane = ?1";
    UNBLOCK_LANE = "DELETE FROM blocked WHERE lane = ?1";

    LENT_IN = "SELECT lane, key, withdrawal FROM upd WHERE id = ?1 AND lease = ?2";
    MOVE_LENT = "UPDATE upd SET lane = ?3 WHERE id = ?1 AND lease = ?2";
    QUEUE_LENT = "UPDATE upd SET lane = ?3, lease = NULL, attempts = attempts - 1 \
        WHERE id = ?1 AND lease = ?2";
    MOVE_FOLLOWERS = concat!("UPDATE upd SET lane = ?2 WHERE lane = ?1 AND ", waits!(),
        " AND (?3 IS NULL OR key = ?3)");
    FIND_ALIAS = "SELECT lane FROM alias WHERE key = ?1";
    SET_ALIAS = "INSERT INTO alias(key, lane, at) VALUES (?1, ?2, ?3) \
        ON CONFLICT(key) DO UPDATE SET lane = excluded.lane, at = excluded.at";
    DROP_ALIAS = "DELETE FROM alias WHERE key = ?1";
    OLD_ALIASES = "SELECT key, lane FROM alias WHERE at < ?1 ORDER BY at LIMIT ?2";
    OLDEST_WITHDRAWAL = "SELECT received_at FROM event WHERE id = (SELECT min(id) FROM upd \
        WHERE withdrawal = 1 AND (state = 0 OR state = 4)) >> 16";

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
    REQUEST_OF = "SELECT r.head, r.encoding, r.size, r.body, e.item \
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
}

/// All that is kept of the updates of an event.
pub(super) const DROP_UPDATES: [&str; 4] = [DROP_ATTEMPTS, DROP_DETAILS, DROP_PLANS, DROP_STATES];
