//! The answer rate of the last 24 hours, after a restart: what the calls of the last day were is read beside the calls of
//! today, by a thread that gives way to all others, and put in when it is there.
//!
//! There is no table of it: which calls count, and how, is by the rules of the plan in force, so it is the calls' facts
//! that are read, one call after another. A busy day of 20,000 calls is half a million facts; nobody waits for them.

use std::path::PathBuf;
use std::time::Duration;

use super::{Ask, Door};
use crate::io::recorder::nice;
use crate::io::store::{FILE, Reader, StoreError};
use crate::routing::kpi::Kpi;
use crate::telemetry::kpi::rolling::Ended;
use crate::time::Timestamp;

/// The window.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What is to be read.
pub(super) struct Day {
    /// The data directory.
    pub(super) data: PathBuf,
    /// By which calls are judged.
    pub(super) rules: Kpi,
    /// Calls of this life opened then or later.
    pub(super) until: Timestamp,
    /// How long a call may last.
    pub(super) call_max: Duration,
}

impl Day {
    /// Reads it, and tells the house; not to read it costs nothing but the window.
    pub(super) fn begin(self, door: Door) {
        let begun = std::thread::Builder::new().name("day".into()).spawn(move || {
            nice::give_way();
            match self.read() {
                Ok(ended) => drop(door.send(Ask::Day(ended))),
                Err(error) => tell(&error),
            }
        });
        if let Err(error) = begun {
            tell(&error);
        }
    }

    fn read(&self) -> Result<Vec<Ended>, StoreError> {
        let reader = Reader::open(&self.data.join(FILE))?;
        let from = self.until.checked_sub(DAY + self.call_max).unwrap_or(Timestamp::MIN);
        let mut ended = Vec::new();
        reader.each_opened(from, self.until, |record| ended.extend(Ended::of(&record, &self.rules)))?;
        Ok(ended)
    }
}

fn tell(error: &dyn std::fmt::Display) {
    tracing::warn!(
        %error,
        "最近 24 小时的通话读不出来，接通率从现在起重新计 / the calls of the last 24 hours cannot be read: their answer rate \
         begins anew from now"
    );
}
