//! Silences: findings that people need not be told of for a while, because somebody knows of them. They are counted, recorded
//! and fed to machines as ever.

use rusqlite::{Connection, params};

use super::finding::Finding;
use super::{OutboxError, Queue};

/// Longest silence, in ms: 90 days. What should never be told belongs in the register of safeguards.
pub const LONGEST_MS: i64 = 90 * 86_400_000;

/// What a matcher looks at. No field names a person: `series` is the same actor, destination, kind, recipient and rule.
const FIELDS: [&str; 13] = [
    "finding",
    "series",
    "tenant",
    "severity",
    "verdict",
    "rule",
    "kind",
    "origin",
    "destination",
    "role",
    "item",
    "safeguard",
    "tag",
];

/// A condition on a finding: `field=value` or `field!=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    field: &'static str,
    negated: bool,
    value: String,
}

impl Matcher {
    /// Reads a condition; the error says what is possible.
    ///
    /// # Errors
    /// It is no condition, or its field is unknown.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (field, value) = text.split_once('=').ok_or_else(|| "write field=value or field!=value".to_owned())?;
        let (field, negated) = field.strip_suffix('!').map_or((field, false), |field| (field, true));
        let known = FIELDS.into_iter().find(|known| *known == field.trim());
        let field = known.ok_or_else(|| format!("unknown field; one of {}", FIELDS.join(", ")))?;
        Ok(Self { field, negated, value: value.trim().to_owned() })
    }

    /// Whether the finding meets it.
    pub fn matches(&self, finding: &Finding) -> bool {
        values(self.field, finding).iter().any(|value| *value == self.value) != self.negated
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}={}", self.field, if self.negated { "!" } else { "" }, self.value)
    }
}

/// What a field of a finding holds, for matchers and for grouping; empty for an unknown one.
pub fn values<'a>(field: &str, finding: &'a Finding) -> Vec<&'a str> {
    let facts = &finding.facts;
    match field {
        "finding" => vec![&finding.id],
        "series" => vec![&finding.series],
        "tenant" => vec![&facts.tenant],
        "severity" => vec![finding.severity.name()],
        "verdict" => vec![&facts.verdict],
        "rule" => vec![&facts.rule],
        "kind" => vec![&facts.kind],
        "origin" => vec![&facts.origin],
        "destination" => vec![&finding.destination],
        "role" => vec![&facts.recipient_role],
        "item" => vec![&facts.item],
        "safeguard" => facts.safeguard.iter().map(AsRef::as_ref).collect(),
        "tag" => facts.tags.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

/// Whether a name is that of a field.
pub fn is_field(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its number.
    pub id: i64,
    /// All must be met.
    pub matchers: Vec<Matcher>,
    /// From, ms since the epoch.
    pub starts: i64,
    /// Before, ms since the epoch.
    pub ends: i64,
    /// Who made it.
    pub author: String,
    /// Why.
    pub comment: String,
}

impl Silence {
    /// Whether it holds for a finding at a moment.
    pub fn covers(&self, finding: &Finding, now: i64) -> bool {
        (self.starts..self.ends).contains(&now) && self.matchers.iter().all(|matcher| matcher.matches(finding))
    }
}

impl Queue {
    /// Makes a silence; its `id` is not looked at. Returns its number.
    ///
    /// # Errors
    /// The database refuses.
    pub fn add_silence(&self, silence: &Silence, now: i64) -> Result<i64, OutboxError> {
        let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
        let sql = "INSERT INTO silences (matchers, starts, ends, author, comment, created)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let Silence { starts, ends, author, comment, .. } = silence;
        self.connection.execute(sql, params![matchers.join("\n"), starts, ends, author, comment, now])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Ends a silence now; `false` if there is none that still holds.
    ///
    /// # Errors
    /// The database refuses.
    pub fn expire_silence(&self, id: i64, now: i64) -> Result<bool, OutboxError> {
        let sql = "UPDATE silences SET ends = ?2 WHERE id = ?1 AND ends > ?2";
        Ok(self.connection.execute(sql, params![id, now])? > 0)
    }

    /// Silences that end after a moment, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn silences(&self, after: i64) -> Result<Vec<Silence>, OutboxError> {
        select(&self.connection, after)
    }
}

fn select(connection: &Connection, after: i64) -> Result<Vec<Silence>, OutboxError> {
    let sql = "SELECT id, matchers, starts, ends, author, comment FROM silences WHERE ends > ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([after], |row| {
        Ok((
            row.get::<_, String>(1)?,
            Silence {
                id: row.get(0)?,
                matchers: Vec::new(),
                starts: row.get(2)?,
                ends: row.get(3)?,
                author: row.get(4)?,
                comment: row.get(5)?,
            },
        ))
    })?;
    let mut silences = Vec::new();
    for row in rows {
        let (matchers, mut silence) = row?;
        let parsed: Result<_, _> = matchers.lines().map(Matcher::parse).collect();
        silence.matchers = parsed.map_err(|_| OutboxError::Corrupt("a silence"))?;
        silences.push(silence);
    }
    Ok(silences)
}
