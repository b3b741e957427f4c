//! `[trace]`: what is kept of the SIP messages of calls, and where copies of them go.

use std::net::SocketAddr;
use std::time::Duration;

use super::read::Reader;
use super::source::Said;

/// Kept where the file does not say it: long enough for a complaint of yesterday.
const KEEP: Duration = Duration::from_secs(24 * 3_600);
/// Kept on disk where the file does not say it, MiB: about ten thousand calls of ten messages, and
/// less than a minute of their recordings.
const KEEP_MIB: u32 = 64;

/// `[trace]` as it is written.
#[derive(Debug)]
pub(super) struct TraceTable {
    /// `enabled`.
    pub(super) enabled: Option<Said<bool>>,
    /// `keep`.
    pub(super) keep: Option<Said<Duration>>,
    /// `keep_mib`.
    pub(super) keep_mib: Option<Said<u32>>,
    /// `hep`.
    pub(super) hep: Option<Said<SocketAddr>>,
    /// `capture_id`.
    pub(super) capture_id: Option<Said<u32>>,
}

/// `[trace]`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Whether messages are kept, and sent on.
    pub enabled: bool,
    /// No message is kept for longer.
    pub keep: Duration,
    /// Nor more of them than so many MiB.
    pub keep_mib: u32,
    /// Collector of copies (HEP version 3 over UDP).
    pub hep: Option<SocketAddr>,
    /// How the collector knows us.
    pub capture_id: u32,
}

impl Default for Trace {
    /// What holds where the file says nothing.
    fn default() -> Self {
        Trace { enabled: true, keep: KEEP, keep_mib: KEEP_MIB, hep: None, capture_id: 0 }
    }
}

impl TraceTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        TraceTable {
            enabled: reader.or("enabled", true),
            keep: reader.or("keep", KEEP),
            keep_mib: reader.or("keep_mib", KEEP_MIB),
            hep: reader.optional("hep"),
            capture_id: reader.optional("capture_id"),
        }
    }

    /// What the file wants; without the table, the defaults.
    pub(super) fn plan(table: Option<&TraceTable>) -> Option<Trace> {
        let Some(table) = table else { return Some(Trace::default()) };
        Some(Trace {
            enabled: table.enabled.as_ref()?.value,
            keep: table.keep.as_ref()?.value,
            keep_mib: table.keep_mib.as_ref()?.value,
            hep: table.hep.as_ref().map(|said| said.value),
            capture_id: table.capture_id.as_ref().map_or(0, |said| said.value),
        })
    }
}
