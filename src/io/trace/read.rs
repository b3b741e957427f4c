//! A call's messages found again: an access, which is in the ledger before anything is shown.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;

use super::files::{self, Record};
use super::{FOLDER, Seen, alike, blank};
use crate::id::{CallId, SeatId};
use crate::io::store::{FILE, LedgerRow, Reader, StoreError, append_beside};
use crate::ledger::Action;
use crate::routing::meeting::SEATS;
use crate::sip::event::Origin;
use crate::sip::{Transport, WireRef};
use crate::telemetry::CallRecord;
use crate::time::Timestamp;

/// Messages of one call that are shown; later ones are counted only.
const SHOWN_MAX: usize = 10_000;

/// Why there is no trace to show.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// No record of such a call.
    #[error("没有这次通话 / no such call: {0}")]
    NoSuchCall(CallId),
    /// The access could not be written down, or the call not be looked up.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The files cannot be read.
    #[error("{0}")]
    Files(#[from] std::io::Error),
}

/// Who looks, and why.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// As the ledger names people: `operator:<user>`.
    pub by: &'a str,
    /// In their words.
    pub reason: &'a str,
}

/// What went over the wire for one call, oldest first.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Whose.
    pub call: CallId,
    /// Who talked with us, in the order of their first messages.
    pub parties: Vec<Party>,
    /// Secrets covered; numbers too, unless they were asked for.
    pub messages: Vec<Message>,
    /// Messages beyond what is shown.
    pub left_out: usize,
}

/// One far end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The trunk or seat; `None`: only the address is known.
    pub name: Option<Origin>,
    /// Where it is.
    pub at: SocketAddr,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Microseconds since 1970, by the engine's clock.
    pub at_us: i64,
    /// By us.
    pub sent: bool,
    /// How.
    pub transport: Transport,
    /// Our end; of one family with the other.
    pub local: SocketAddr,
    /// Whose end the other is: index into [`Trace::parties`].
    pub party: usize,
    /// The very same bytes went the same way before.
    pub again: bool,
    /// The message.
    pub bytes: Bytes,
}

/// A call's trace for somebody at this machine: the access is written in the ledger of the data
/// directory first, beside a running engine or without one.
pub fn open(data: &Path, call: CallId, access: Access<'_>, numbers: bool) -> Result<Trace, TraceError> {
    let path = data.join(FILE);
    let record = Reader::open(&path)?.call(call)?.ok_or(TraceError::NoSuchCall(call))?;
    append_beside(&path, |last| row(last, call, access))?;
    Trace::read(data, &record, numbers)
}

/// The ledger's row of such an access.
pub fn row(last: Option<&LedgerRow>, call: CallId, access: Access<'_>) -> LedgerRow {
    let action = Action::TraceRead { call };
    LedgerRow::after(last, Timestamp::now(), access.by, action, &call.to_string(), access.reason)
}

impl Trace {
    /// Reads the files. Whoever asks has written the access down.
    pub fn read(data: &Path, record: &CallRecord, numbers: bool) -> Result<Trace, TraceError> {
        // The caller's leg is known by the record as well, should its own note be gone by now.
        let caller = match record.trunk.as_str() {
            SEATS => Origin::Seat(SeatId::from(record.caller.as_str())),
            _ => Origin::Trunk(record.trunk.clone()),
        };
        let mut legs: HashMap<WireRef, Origin> =
            WireRef::parse(&record.wire_ref).map(|wire_ref| (wire_ref, caller)).into_iter().collect();
        let mut found: BTreeMap<(i64, usize), (WireRef, Seen)> = BTreeMap::new();
        let mut left_out = 0;
        files::read(&data.join(FOLDER), |entry| match entry {
            Record::Tie(tie) if tie.call == record.call => {
                legs.insert(tie.wire_ref, tie.party);
            }
            Record::Tie(_) => {}
            Record::Message(seen) => {
                let Some(wire_ref) =
                    WireRef::of_message(&seen.bytes).filter(|known| legs.contains_key(known))
                else {
                    return;
                };
                if found.len() < SHOWN_MAX {
                    found.insert((seen.at_us, found.len()), (wire_ref, seen));
                } else {
                    left_out += 1;
                }
            }
        })?;
        let mut trace = Trace { call: record.call, parties: Vec::new(), messages: Vec::new(), left_out };
        let mut before = HashSet::new();
        for (wire_ref, seen) in found.into_values() {
            let again = !before.insert((seen.sent, seen.peer, seen.bytes.clone()));
            trace.push(seen, legs.get(&wire_ref).cloned(), again, numbers);
        }
        Ok(trace)
    }

    fn push(&mut self, seen: Seen, name: Option<Origin>, again: bool, numbers: bool) {
        let (local, at) = alike(seen.local, seen.peer);
        let party = Party { name, at };
        let index = self.parties.iter().position(|known| *known == party).unwrap_or_else(|| {
            self.parties.push(party);
            self.parties.len() - 1
        });
        let mut bytes = seen.bytes.to_vec();
        if !numbers {
            blank::numbers(&mut bytes);
        }
        self.messages.push(Message {
            at_us: seen.at_us,
            sent: seen.sent,
            transport: seen.transport,
            local,
            party: index,
            again,
            bytes: bytes.into(),
        });
    }
}

impl Message {
    /// Where it came from, and where it went.
    pub fn ends(&self, parties: &[Party]) -> (SocketAddr, SocketAddr) {
        let peer = parties.get(self.party).map_or(self.local, |party| party.at);
        if self.sent { (self.local, peer) } else { (peer, self.local) }
    }
}
