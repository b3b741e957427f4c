//! Pick-up codes (提取码) as they are kept: by a digest that nobody computes without the key, which stands beside
//! the database and not in it. Whoever gets hold of the database alone, or of a copy of it, learns no code: there
//! are so few that without a key all of them could be tried.

use std::path::Path;

use hmac::{Hmac, Mac};
use rusqlite::{Connection, OptionalExtension, params};
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::schema::StoreError;
use crate::io::secrets::{self, Keyring};
use crate::routing::plan::SecretRef;

/// Where the key is, in the data directory.
const FILE: &str = "secrets/pick-up-codes";
/// How a digest begins: in another form codes were kept by earlier programs.
const FORM: &str = "hmac-sha256:";

/// The key.
#[derive(Clone)]
pub(super) struct CodeKey(Hmac<Sha256>);

impl CodeKey {
    /// The key of this data directory, made where there is none yet.
    pub(super) fn made(data: &Path) -> Result<Self, StoreError> {
        Self::of(&Keyring::new(data).resolve("pick-up codes", &SecretRef::File(FILE.into()))?)
    }

    /// The key of this data directory, by which its codes are kept.
    pub(super) fn kept(data: &Path) -> Result<Self, StoreError> {
        Self::of(secrets::given(&SecretRef::File(FILE.into()), data)?.expose_secret())
    }

    fn of(secret: &str) -> Result<Self, StoreError> {
        // HMAC takes a key of any length (RFC 2104 §2).
        let key = Hmac::new_from_slice(secret.as_bytes())
            .map_err(|error| StoreError::Row { table: "cases", what: error.to_string() })?;
        Ok(CodeKey(key))
    }

    /// As a ticket's code is kept: the same code of another ticket is kept otherwise.
    pub(super) fn digest(&self, ticket: &str, code: &str) -> String {
        let mut mac = self.0.clone();
        for text in [ticket, code] {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{FORM}{hex}")
    }
}

/// Codes that an earlier program kept as they are become digests.
pub(super) fn cover(db: &mut Connection, key: &CodeKey) -> Result<(), StoreError> {
    let change = db.transaction()?;
    let plain: Vec<(String, String)> = change
        .prepare("SELECT number, code FROM cases WHERE code IS NOT NULL AND code NOT LIKE ?1 || '%'")?
        .query_map([FORM], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, code) in plain {
        change
            .prepare_cached("UPDATE cases SET code = ?2 WHERE number = ?1")?
            .execute(params![number, key.digest(&number, &code)])?;
    }
    change.commit()?;
    Ok(())
}

/// Takes the code out of an event that nobody is owed any more; offices elsewhere get it once, by contract.
pub(super) fn forget<'a>(
    db: &Connection,
    arrival: i64,
    mut sinks: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let mut owed = db.prepare_cached(
        "SELECT 1 FROM events e WHERE arrival = ?2
             AND (EXISTS (SELECT 1 FROM owed o WHERE o.sink = ?1 AND o.call = e.call AND o.sequence = e.sequence)
                 OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.sink = ?1 AND d.event = e.arrival))",
    )?;
    let is_owed = sinks.try_fold(false, |any, sink| {
        let found = owed.query_row(params![sink, arrival], |_| Ok(())).optional()?;
        Ok::<_, StoreError>(any || found.is_some())
    })?;
    if !is_owed {
        db.prepare_cached("UPDATE events SET json = json_remove(json, '$.data.code') WHERE arrival = ?1")?
            .execute([arrival])?;
    }
    Ok(())
}
