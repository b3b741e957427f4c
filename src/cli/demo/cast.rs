//! Who takes part: a caller for each number, the seats, a telephone behind each sub-center's trunk.
//!
//! Everybody has a voice of their own, a tone of so many hertz, so that crossed lines are found.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::id::{CallId, LineId, SeatId, TrunkId};
use crate::io::packets::{Mover, PartyKey};
use crate::phone::{Answers, Phone};
use crate::routing::Plan;
use crate::routing::plan::{Line, LineMode, SecretRef};
use crate::time::Instant;

/// A clerk's hand needs so long to reach the telephone.
const REACH: Duration = Duration::from_millis(500);
/// The first caller's voice, hertz, and the first clerk's; the next ones' lie above.
pub const CALLERS_FROM: u32 = 500;
const CLERKS_FROM: u32 = 1_900;
/// Between two voices: multiples of this are told apart exactly in a stretch of 200 ms.
const APART: u32 = 40;
/// Voices of each kind; with more people, the lowest come again.
const VOICES: u32 = 34;

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// Not dialled yet.
    Waiting,
    /// Dialled; prompts, the queue, the ringing.
    Dialled,
    /// Someone answered.
    Talking {
        /// When.
        since: Instant,
        /// Looks at the sound in which both heard the other.
        heard: u32,
    },
    /// The clerk has left, or the caller has hung up.
    Parting,
    /// The caller's telephone is on the hook.
    Over,
}

/// One number, and the call to it.
pub struct Caller {
    /// Which number.
    pub line: LineId,
    /// The caller's own number.
    pub number: String,
    /// The caller's voice, hertz.
    pub voice: u32,
    /// The digit of the survey.
    pub grade: u8,
    /// On the mover, once dialled.
    pub phone: Option<PartyKey>,
    /// How far it has come.
    pub phase: Phase,
    /// Place of who answered, among the clerks.
    pub clerk: Option<usize>,
    /// The engine's name for the call, as the clerk's telephone was told.
    pub call: Option<CallId>,
    /// What the caller heard, once it is over.
    pub heard: Vec<i16>,
    /// What the clerk heard.
    pub clerk_heard: Vec<i16>,
    /// What went wrong on the way.
    pub faults: Vec<String>,
    /// When it was dialled.
    pub dialled_at: Option<Instant>,
}

/// Where a clerk sits.
#[derive(Clone, Debug, PartialEq)]
pub enum Desk {
    /// At a seat of the plan.
    Seat(SeatId),
    /// In a sub-center.
    SubCenter(TrunkId),
}

/// Whoever answers.
pub struct Clerk {
    /// Where.
    pub desk: Desk,
    /// The clerk's voice, hertz.
    pub voice: u32,
    /// On the mover.
    pub phone: PartyKey,
    /// The caller who is served now, by place.
    pub serves: Option<usize>,
    /// The registrar has the telephone.
    pub registered: bool,
}

/// The voice of one of many, hertz.
pub fn voice(from: u32, place: u32) -> u32 {
    from + APART * (place % VOICES)
}

/// One caller for each number of the plan: retired numbers first, whose prompts take longest.
pub fn callers(plan: &Plan) -> Vec<Caller> {
    let mut lines: Vec<&Line> =
        plan.lines.values().filter(|line| !matches!(line.mode, LineMode::Bench(_))).collect();
    lines.sort_by_key(|line| (!matches!(line.mode, LineMode::Merged { .. }), line.number.clone()));
    let caller = |(place, line): (u32, &Line)| Caller {
        line: line.number.clone(),
        number: format!("138{:08}", 1_000 + place),
        voice: voice(CALLERS_FROM, place),
        grade: 1 + (place % 5) as u8,
        phone: None,
        phase: Phase::Waiting,
        clerk: None,
        call: None,
        heard: Vec::new(),
        clerk_heard: Vec::new(),
        faults: Vec::new(),
        dialled_at: None,
    };
    (0..).zip(lines).map(caller).collect()
}

/// A telephone behind each sub-center's trunk. They are there before the engine, which is told of them.
pub fn sub_centers(plan: &Plan, mover: &mut Mover<Phone>) -> io::Result<Vec<Clerk>> {
    let mut trunks: BTreeMap<&TrunkId, &str> = BTreeMap::new();
    for line in plan.lines.values() {
        if let Some(peer) = line.mode.peer() {
            trunks.insert(&peer.trunk, &peer.number);
        }
    }
    // They never call anybody: the server only says that they are on this machine.
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let mut clerks = Vec::new();
    for (place, (trunk, number)) in (0..).zip(trunks) {
        let answers = Answers::After(2 * REACH);
        let phone = mover.plug_in(number, nobody, |config| config.answers = answers)?;
        let voice = voice(CLERKS_FROM, place);
        let desk = Desk::SubCenter(trunk.clone());
        clerks.push(Clerk { desk, voice, phone, serves: None, registered: true });
    }
    Ok(clerks)
}

/// The plan's seats, with the passwords that the engine made. They are not registered yet.
pub fn seats(
    plan: &Plan,
    mover: &mut Mover<Phone>,
    engine: SocketAddr,
    data: &Path,
    already: usize,
) -> io::Result<Vec<Clerk>> {
    let mut clerks = Vec::new();
    for (place, seat) in (already as u32..).zip(plan.seats.values()) {
        let password = match &seat.secret {
            SecretRef::File(file) => std::fs::read_to_string(data.join(file))?,
            SecretRef::Env(name) => std::env::var(name).map_err(io::Error::other)?,
        };
        let phone = mover.plug_in(seat.id.as_str(), engine, |config| {
            config.domain.clone_from(&plan.network.domain);
            config.password = Some(password.trim().to_owned());
            config.answers = Answers::After(REACH);
        })?;
        let voice = voice(CLERKS_FROM, place);
        let desk = Desk::Seat(seat.id.clone());
        clerks.push(Clerk { desk, voice, phone, serves: None, registered: false });
    }
    Ok(clerks)
}
