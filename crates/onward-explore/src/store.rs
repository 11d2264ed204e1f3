//! Results on disk: a SQLite file that takes each one as it comes, so that whatever ends a study takes at most what was running.

use crate::evaluator::{Identity, Outcome};
use crate::{Settings, Value};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of the tables; a file of another one is refused.
pub const STORE_VERSION: i32 = 1;
/// What SQLite notes in the file's head: whose it is.
const APPLICATION: i32 = 0x4f4e_5744;

const TABLES: &str = "
    CREATE TABLE design (
        key TEXT PRIMARY KEY,       -- hash of all that determines the result
        answers TEXT NOT NULL,      -- hash of all that determines the answers
        settings TEXT NOT NULL,     -- parameters, as JSON
        reason TEXT                 -- why there is no result; NULL where there is one
    ) WITHOUT ROWID;
    CREATE TABLE measure (key TEXT, name TEXT, value REAL NOT NULL, PRIMARY KEY (key, name)) WITHOUT ROWID;
    CREATE TABLE label (key TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (key, name)) WITHOUT ROWID;
";

/// A file of results.
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// A result of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// What it is known by.
    pub identity: Identity,
    /// Its parameters.
    pub settings: Settings,
    /// What came of it.
    pub outcome: Outcome,
}

/// What is wrong with a file of results.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is another file.
    #[error("{}: is no file of results of an exploration", .0.display())]
    Foreign(PathBuf),
    /// It is of another version.
    #[error("{}: has version {found} of the tables, not {STORE_VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// Another exploration has it.
    #[error("{}: another exploration writes to it", .0.display())]
    Busy(PathBuf),
    /// The disk is full, the file cannot be written, and the like.
    #[error("{}: {cause}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// No result, or several, begin with that.
    #[error("{}: {count} designs have an ID that begins with `{id}`", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        id: String,
        /// How many there are.
        count: usize,
    },
}

impl onward_diagnostic::Remedy for StoreError {
    fn remedy(&self) -> Option<std::borrow::Cow<'_, str>> {
        let remedy = match self {
            StoreError::Foreign(_) => "name another file with --database; this one is left as it is",
            StoreError::Version { .. } => "explore into another file: --database FILE.db",
            StoreError::Busy(_) => "wait for it, or explore into another file: --database FILE.db",
            StoreError::Failed { .. } => "look whether there is room, and whether you may write there",
            StoreError::NotOne { .. } => "the tables of the report have the IDs",
        };
        Some(remedy.into())
    }
}

impl Store {
    /// Opens a file of results, or begins one.
    ///
    /// # Errors
    /// It is another file, somebody else writes to it, or it cannot be written.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let failed = |error: rusqlite::Error| failure(path, &error);
        let is_new = std::fs::metadata(path).map_or(true, |found| found.len() == 0);
        let connection = Connection::open(path).map_err(failed)?;
        let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
        // Nobody else may write; WAL: a commit is one write behind the others, and a half one is not seen.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed)?;
        if is_new {
            connection.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
            connection.pragma_update(None, "user_version", STORE_VERSION).map_err(failed)?;
        }
        match (number("application_id").map_err(failed)?, number("user_version").map_err(failed)?) {
            (APPLICATION, STORE_VERSION) => {}
            (APPLICATION, found) => return Err(StoreError::Version { path: path.to_owned(), found }),
            _ => return Err(StoreError::Foreign(path.to_owned())),
        }
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let has_tables: bool = connection
            .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'label'", [], |row| row.get::<_, i64>(0))
            .map_err(failed)?
            > 0;
        if !has_tables {
            connection.execute_batch(&format!("BEGIN; {TABLES} COMMIT;")).map_err(failed)?;
        }
        Ok(Store { connection, path: path.to_owned() })
    }

    /// Keeps a result at once. One that is there stays as it is. Numbers come back to the bit; of a zero the sign is lost.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&mut self, result: &Stored) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.try_keep(result).map_err(|error| failure(&path, &error))
    }

    fn try_keep(&mut self, result: &Stored) -> rusqlite::Result<()> {
        let key = &result.identity.design;
        let reason = if let Outcome::Refused(reason) = &result.outcome { Some(reason) } else { None };
        let settings = serde_json::to_string(&result.settings).unwrap_or_default();
        let transaction = self.connection.transaction()?;
        let added = transaction.execute(
            "INSERT OR IGNORE INTO design (key, answers, settings, reason) VALUES (?, ?, ?, ?)",
            params![key, result.identity.answers, settings, reason],
        )?;
        if let (1, Outcome::Measured { measures, labels }) = (added, &result.outcome) {
            let mut insert = transaction.prepare_cached("INSERT INTO measure VALUES (?, ?, ?)")?;
            for (name, value) in measures {
                insert.execute(params![key, name, value])?;
            }
            let mut insert = transaction.prepare_cached("INSERT INTO label VALUES (?, ?, ?)")?;
            for (name, value) in labels {
                insert.execute(params![key, name, value])?;
            }
        }
        transaction.commit()
    }

    /// The result of a design, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn find(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        self.try_find(key).map_err(|error| failure(&self.path, &error))
    }

    fn try_find(&self, key: &str) -> rusqlite::Result<Option<Stored>> {
        let mut select =
            self.connection.prepare_cached("SELECT answers, settings, reason FROM design WHERE key = ?")?;
        let found = select
            .query_row([key], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
            })
            .optional()?;
        let Some((answers, settings, reason)) = found else { return Ok(None) };
        let outcome = match reason {
            Some(reason) => Outcome::Refused(reason),
            None => {
                let mut select = self.connection.prepare_cached("SELECT name, value FROM measure WHERE key = ?")?;
                let measures = select.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let measures = measures.collect::<rusqlite::Result<BTreeMap<String, f64>>>()?;
                let mut select = self.connection.prepare_cached("SELECT name, value FROM label WHERE key = ?")?;
                let labels = select.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Outcome::Measured { measures, labels: labels.collect::<rusqlite::Result<_>>()? }
            }
        };
        let identity = Identity { answers, design: key.to_owned() };
        Ok(Some(Stored { identity, settings: parse_settings(&settings), outcome }))
    }

    /// The design whose key begins with that.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn find_one(&self, id: &str) -> Result<Stored, StoreError> {
        let keys = self.keys().map_err(|error| failure(&self.path, &error))?;
        let matching: Vec<&String> = keys.iter().filter(|key| key.starts_with(id)).collect();
        match matching[..] {
            [key] => match self.find(key)? {
                Some(found) => Ok(found),
                None => Err(self.not_one(id, 0)),
            },
            _ => Err(self.not_one(id, matching.len())),
        }
    }

    fn not_one(&self, id: &str, count: usize) -> StoreError {
        StoreError::NotOne { path: self.path.clone(), id: id.to_owned(), count }
    }

    fn keys(&self) -> rusqlite::Result<Vec<String>> {
        let mut select = self.connection.prepare_cached("SELECT key FROM design ORDER BY key")?;
        select.query_map([], |row| row.get(0))?.collect()
    }

    /// How many results there are.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn count(&self) -> Result<usize, StoreError> {
        self.keys().map(|keys| keys.len()).map_err(|error| failure(&self.path, &error))
    }

    /// All results, by their keys.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn all(&self) -> Result<Vec<Stored>, StoreError> {
        let keys = self.keys().map_err(|error| failure(&self.path, &error))?;
        keys.iter().filter_map(|key| self.find(key).transpose()).collect()
    }
}

fn failure(path: &Path, error: &rusqlite::Error) -> StoreError {
    let code = error.sqlite_error_code();
    match code {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign(path.to_owned()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(path.to_owned()),
        _ => StoreError::Failed { path: path.to_owned(), cause: error.to_string() },
    }
}

/// Parameters as they were written.
fn parse_settings(text: &str) -> Settings {
    let read: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let value = |value: serde_json::Value| match value {
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Real(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(word) => Value::Word(word),
        other => Value::Word(other.to_string()),
    };
    read.into_iter().map(|(name, found)| (name, value(found))).collect()
}
