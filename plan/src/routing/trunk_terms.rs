//! How a trunk is dealt with beyond its codecs: packets, keys, reliable provisional answers, session timers.
//!
//! What is not said is as with everybody else.

use std::time::Duration;

use super::plan::Plan;
use super::read::Reader;
use super::source::Said;
use crate::id::TrunkId;

/// The shortest packet that can be asked for, and the step to the next.
pub const PACKET_STEP: Duration = Duration::from_millis(10);
/// The longest packet that can be asked for.
pub const PACKET_MAX: Duration = Duration::from_millis(60);

/// `dtmf`: by which ways keys count, and are pressed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dtmf {
    /// Events (RFC 4733) where both sides have them, else tones; and INFO, a press that comes both ways once.
    #[default]
    Auto,
    /// Events alone count. Where the other side has none, keys are still pressed as tones.
    Rfc4733,
    /// Tones alone: no events are offered or taken, and INFO does not count.
    Inband,
    /// INFO alone, both ways (application/dtmf-relay): no events are offered or taken. Where it is refused, keys are
    /// pressed as tones.
    Info,
}

/// `reliable`: provisional answers that are acknowledged (RFC 3262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reliability {
    /// Where the other side wants them.
    #[default]
    Supported,
    /// Required of the other side: a call without 100rel is refused, by it or by us.
    Required,
    /// Neither offered nor done; who requires them is refused.
    Off,
}

/// `session_timer` (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionTimer {
    /// Asked for, and given where it is asked for.
    #[default]
    Supported,
    /// Neither; who requires it is refused.
    Off,
}

/// The keys of a `[[trunk]]` for them, as they are written.
#[derive(Debug, Default)]
pub struct TrunkTermsTable {
    /// `packet_time`.
    pub packet_time: Option<Said<Duration>>,
    /// `dtmf`.
    pub dtmf: Option<Said<Dtmf>>,
    /// `reliable`.
    pub reliable: Option<Said<Reliability>>,
    /// `session_timer`.
    pub session_timer: Option<Said<SessionTimer>>,
    /// `session_expires`.
    pub session_expires: Option<Said<Duration>>,
}

impl TrunkTermsTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        TrunkTermsTable {
            packet_time: reader.optional("packet_time"),
            dtmf: reader.or("dtmf", Dtmf::default()),
            reliable: reader.or("reliable", Reliability::default()),
            session_timer: reader.or("session_timer", SessionTimer::default()),
            session_expires: reader.optional("session_expires"),
        }
    }

    pub(super) fn plan(&self) -> TrunkTerms {
        TrunkTerms {
            packet_time: self.packet_time.as_ref().map(|said| said.value),
            dtmf: self.dtmf.as_ref().map(|said| said.value).unwrap_or_default(),
            reliable: self.reliable.as_ref().map(|said| said.value).unwrap_or_default(),
            session_timer: self.session_timer.as_ref().map(|said| said.value).unwrap_or_default(),
            session_expires: self.session_expires.as_ref().map(|said| said.value),
        }
    }
}

/// The same, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrunkTerms {
    /// Sound in each packet that we ask for, and send where the other side does not say, 10 to 60 ms in steps of
    /// 10; `None`: what the other leg of the call has, else 20 ms.
    pub packet_time: Option<Duration>,
    /// Keys.
    pub dtmf: Dtmf,
    /// Provisional answers.
    pub reliable: Reliability,
    /// Whether sessions have a timer.
    pub session_timer: SessionTimer,
    /// Its interval, whole seconds; `None`: the `[network]`'s.
    pub session_expires: Option<Duration>,
}

impl TrunkTerms {
    /// The packet time in milliseconds.
    pub fn packet_ms(&self) -> Option<u16> {
        self.packet_time.and_then(|time| u16::try_from(time.as_millis()).ok())
    }
}

impl Plan {
    /// What holds for the sound of a call out by a trunk or a group: one offer goes to each member that is tried,
    /// so of a group the shortest packets, and what each of them can hear of keys.
    pub fn terms_by(&self, by: &TrunkId) -> TrunkTerms {
        let mut ways = self.ways(by, "", "").into_iter().map(|way| way.trunk.terms);
        let mut terms = ways.next().unwrap_or_default();
        for other in ways {
            terms.packet_time = terms.packet_time.into_iter().chain(other.packet_time).min();
            terms.dtmf = match (terms.dtmf, other.dtmf) {
                (Dtmf::Inband, _) | (_, Dtmf::Inband) => Dtmf::Inband, // Heard by whoever hears.
                (Dtmf::Rfc4733, Dtmf::Rfc4733) => Dtmf::Rfc4733,
                (Dtmf::Info, Dtmf::Info) => Dtmf::Info,
                _ => Dtmf::Auto,
            };
        }
        terms
    }
}
