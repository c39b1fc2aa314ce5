//! Layout of the state database and how it is opened. Never holds a query of the daily work.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::OutboxError;

/// Layout number, in `user_version`.
const LAYOUT: i64 = 2;

/// How long a writer waits for the other: a courier's transaction takes well under a millisecond.
const BUSY: Duration = Duration::from_secs(10);

/// Pages that the recorder keeps in memory; negative: in KiB.
const CACHE_KIB: i64 = -16_384;

/// Pages of 4 KiB in the write-ahead log from which it is copied back.
const WAL_PAGES: i64 = 4_096;

const TABLES: &str = "
CREATE TABLE meta (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    applied_size INTEGER NOT NULL,
    dedupe_key BLOB NOT NULL
) STRICT;
CREATE TABLE pending (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    tree_size INTEGER NOT NULL,
    delta TEXT NOT NULL,
    batch INTEGER NOT NULL
) STRICT;
CREATE TABLE lanes (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    last_digest TEXT NOT NULL,
    received INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;
CREATE TABLE fingerprints (
    batch INTEGER PRIMARY KEY AUTOINCREMENT,
    n INTEGER NOT NULL,
    prints BLOB NOT NULL
) STRICT;
CREATE TABLE findings (
    id TEXT PRIMARY KEY,
    series TEXT NOT NULL,
    win INTEGER NOT NULL,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    verdict TEXT NOT NULL,
    base INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    bulk INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    made INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
CREATE INDEX findings_by_series ON findings (series, win);
CREATE INDEX findings_by_severity ON findings (severity DESC, count DESC, last DESC);
CREATE INDEX findings_by_last ON findings (last);
CREATE TABLE outbox (
    finding TEXT NOT NULL,
    channel TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state INTEGER NOT NULL,
    why INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    delivered_at INTEGER NOT NULL,
    told INTEGER NOT NULL,
    told_severity INTEGER NOT NULL,
    created INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    repeat_at INTEGER NOT NULL,
    escalate_at INTEGER NOT NULL,
    held TEXT,
    letter TEXT,
    last_error TEXT,
    PRIMARY KEY (finding, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (channel, next_at) WHERE state = 0;
CREATE INDEX outbox_dead ON outbox (channel) WHERE state = 2;
CREATE INDEX outbox_held ON outbox (channel) WHERE state = 3;
CREATE INDEX outbox_letter ON outbox (letter) WHERE letter IS NOT NULL;
CREATE INDEX outbox_repeat ON outbox (channel, repeat_at) WHERE repeat_at > 0;
CREATE INDEX outbox_escalate ON outbox (channel, escalate_at) WHERE escalate_at > 0;
CREATE TABLE letters (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    state INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failing_since INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    last_error TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX letters_due ON letters (channel, next_at) WHERE state = 0;
CREATE INDEX letters_by_owner ON letters (owner, created);
CREATE TABLE letter_items (
    letter TEXT NOT NULL,
    finding TEXT NOT NULL,
    revision INTEGER NOT NULL,
    count INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    PRIMARY KEY (letter, finding)
) STRICT, WITHOUT ROWID;
CREATE TABLE channels (
    name TEXT PRIMARY KEY,
    closed_at INTEGER NOT NULL,
    closed_why TEXT NOT NULL,
    digested_to INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE troubles (
    recipient TEXT NOT NULL,
    about TEXT NOT NULL,
    mishap TEXT NOT NULL,
    messages INTEGER NOT NULL,
    since INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (recipient, about, mishap)
) STRICT, WITHOUT ROWID;
CREATE TABLE acknowledgements (
    finding TEXT PRIMARY KEY,
    severity INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE silences (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    matchers TEXT NOT NULL,
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    author TEXT NOT NULL,
    comment TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE tallies (
    slot INTEGER NOT NULL,
    kind TEXT NOT NULL,
    verdict TEXT NOT NULL,
    findings INTEGER NOT NULL,
    records INTEGER NOT NULL,
    PRIMARY KEY (slot, kind, verdict)
) STRICT, WITHOUT ROWID;
CREATE TABLE intake (
    slot INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    missing INTEGER NOT NULL
) STRICT;
CREATE TABLE arrangements (
    key TEXT PRIMARY KEY,
    first INTEGER NOT NULL,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    recipient TEXT NOT NULL,
    verdict TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX arrangements_by_first ON arrangements (first);
CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    about TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
";

/// Opens for the recorder, whose commits must survive a power cut.
pub(super) fn open_for_recorder(path: &Path) -> Result<Connection, OutboxError> {
    protect(path)?;
    let connection = connect(path, "FULL")?;
    // fingerprints and findings are written by the megabyte: neither is to spill nor to be copied back at every batch
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    lay_out(&connection)?;
    connection.execute_batch(super::verdicts::TABLE)?;
    Ok(connection)
}

/// Whether commits wait for the medium from here on; not to be called within a transaction.
pub(super) fn wait_for_medium(connection: &Connection, wait: bool) -> rusqlite::Result<()> {
    connection.execute_batch(if wait { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" })
}

/// Opens for a courier. What a power cut undoes there is only the mark of a delivery, which is then repeated under the
/// same id; so couriers do not wait for the disk while they hold the write lock.
pub(super) fn open_for_courier(path: &Path) -> Result<Connection, OutboxError> {
    let connection = connect(path, "NORMAL")?;
    match layout(&connection)? {
        LAYOUT => Ok(connection),
        0 => Err(OutboxError::Order("a courier opened it before the recorder did")),
        found => Err(OutboxError::Newer { found, known: LAYOUT }),
    }
}

/// Evidence size that the state includes, and the random key for fingerprints.
pub(super) fn meta(connection: &Connection) -> Result<(u64, [u8; 16]), OutboxError> {
    let sql = "SELECT applied_size, dedupe_key FROM meta";
    Ok(connection.query_one(sql, [], |row| Ok((super::count(row.get(0)?), row.get(1)?)))?)
}

fn connect(path: &Path, synchronous: &str) -> Result<Connection, OutboxError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "secure_delete", "FAST")?;
    Ok(connection)
}

/// Only the owner may read: findings hold personal data. SQLite gives its side files the mode of the main file.
fn protect(path: &Path) -> Result<(), OutboxError> {
    let fault = |source| OutboxError::File { path: path.display().to_string(), source };
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(fault)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(fault)?;
    // A new file's name must survive a power cut as well, or evidence would be left without its state.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)
}

fn lay_out(connection: &Connection) -> Result<(), OutboxError> {
    match layout(connection)? {
        LAYOUT => Ok(()),
        0 => create(connection),
        found => Err(OutboxError::Newer { found, known: LAYOUT }),
    }
}

fn layout(connection: &Connection) -> Result<i64, OutboxError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn create(connection: &Connection) -> Result<(), OutboxError> {
    let mut key = [0u8; 16];
    getrandom::fill(&mut key).map_err(|_| OutboxError::Random)?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute("INSERT INTO meta (only, applied_size, dedupe_key) VALUES (1, 0, ?1)", params![key])?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    Ok(transaction.commit()?)
}
