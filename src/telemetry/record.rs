//! One call in one row: a fold over its facts.

use serde::{Deserialize, Serialize};

use crate::acd::event::Overflow;
use crate::id::{CallId, LineId, QueueId, SeatId, TrunkId};
use crate::switchboard::fact::{Cause, Fact, Missing, Party, Sound, Subject, What, millis};
use crate::telemetry::marks::Marks;
use crate::telemetry::parties::Times;
use crate::telemetry::served::Served;
use crate::telemetry::transfers::Reached;
use crate::time::{Instant, Timestamp};

/// What is kept of one call. Applying its facts in order, each once or more often, gives the same
/// record: a fact whose sequence was applied already changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Whose.
    pub call: CallId,
    /// Sequence of the last fact applied; 0: none.
    pub sequence: u32,
    /// The ticket's number.
    pub ticket: String,
    /// The dialled line.
    pub line: LineId,
    /// The number as dialled.
    pub dialled: String,
    /// The caller's number; empty: withheld.
    pub caller: String,
    /// The trunk it came by.
    pub trunk: TrunkId,
    /// Digest of the plan in force.
    pub plan: String,
    /// Opaque wire reference.
    pub wire_ref: String,
    /// Whether the wall clock was shifted (`--clock`).
    pub shifted_clock: bool,
    /// Wall clock at the INVITE.
    pub opened_at: Timestamp,
    /// Wall clock at the 200.
    pub answered_at: Option<Timestamp>,
    /// Whether it was answered before its opening was on disk.
    pub undurable: bool,
    /// The queue it last waited in.
    pub queue: Option<QueueId>,
    /// Seats that were rung.
    pub offers: u32,
    /// The seat that last talked with the caller.
    pub seat: Option<SeatId>,
    /// Wait until the first seat or the overflow, milliseconds.
    pub waited_ms: u64,
    /// Talk with all seats together, milliseconds.
    pub talked_ms: u64,
    /// How the caller left the queue without a seat.
    pub overflow: Option<Overflow>,
    /// The peer that answered, `trunk/number`.
    pub peer: Option<String>,
    /// Why a ticket was left without a clerk.
    pub ticket_left: Option<String>,
    /// Keys that the caller pressed, in order; at most [`DIGITS_MAX`].
    pub digits: String,
    /// 好差评, of the talk: what a flow asked for is in `served`.
    pub grade: Option<u8>,
    /// The recording's file, relative to the data directory.
    pub recording: Option<String>,
    /// Its length, milliseconds.
    pub recording_ms: Option<u64>,
    /// Frames that the recorder lost.
    pub recording_lost: u64,
    /// The meeting room: its kind of line and its own digits, `94xxxxxx/000001`.
    #[serde(default)]
    pub room: Option<String>,
    /// In that room, milliseconds.
    #[serde(default)]
    pub stayed_ms: u64,
    /// How often somebody paused it.
    #[serde(default)]
    pub recording_pauses: u32,
    /// How the call ended; `None`: it goes on.
    pub cause: Option<Cause>,
    /// From `Opened` to the end, milliseconds.
    pub lasted_ms: Option<u64>,
    /// From the answer to the end, milliseconds.
    pub answered_ms: Option<u64>,
    /// Sound of the caller's leg.
    pub sound: Option<Sound>,
    /// Sound of the other legs, in the order that they ended; at most [`LEGS_MAX`].
    pub legs: Vec<LegSound>,
    /// Who was not heard for a while though the other was: one-way audio.
    pub one_way: Vec<Party>,
    /// Whose packets held no sound for a while.
    pub mute: Vec<Party>,
    /// When the caller first had to wait for a person: in a queue, or while a sub-center rang;
    /// milliseconds since the opening.
    #[serde(default)]
    pub asked_ms: Option<u64>,
    /// When a person first picked up, milliseconds since the opening.
    #[serde(default)]
    pub person_ms: Option<u64>,
    /// The queue it waited in first.
    #[serde(default)]
    pub first_queue: Option<QueueId>,
    /// Who was on it, and the caller's time.
    #[serde(flatten, default)]
    pub times: Times,
    /// Transfers, and who was rung.
    #[serde(flatten, default)]
    pub reached: Reached,
    /// What its caller did by themselves.
    #[serde(flatten, default)]
    pub served: Served,
    /// Priority, disposition, flags, watchers, what it follows from.
    #[serde(flatten, default)]
    pub marks: Marks,
    /// Monotonic clock at the opening, of the process that saw it.
    #[serde(skip)]
    pub opened_mono: Instant,
    /// Monotonic clock at the last fact.
    #[serde(skip)]
    pub last_mono: Instant,
    /// Monotonic clock at the answer.
    #[serde(skip)]
    pub answered_mono: Option<Instant>,
}

/// Longest run of keys kept in a record; later ones stay in the facts only.
pub const DIGITS_MAX: usize = 32;
/// Legs whose sound is kept in a record; later ones stay in the facts only.
pub const LEGS_MAX: usize = 16;

/// One leg's sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegSound {
    /// Its index.
    pub leg: u16,
    /// Who it was.
    #[serde(flatten)]
    pub party: Party,
    /// In figures.
    pub sound: Sound,
}

impl CallRecord {
    /// An empty record of a call whose facts are about to be applied.
    pub fn new(call: CallId) -> Self {
        CallRecord {
            call,
            sequence: 0,
            ticket: String::new(),
            line: LineId::from(""),
            dialled: String::new(),
            caller: String::new(),
            trunk: TrunkId::from(""),
            plan: String::new(),
            wire_ref: String::new(),
            shifted_clock: false,
            opened_at: Timestamp::UNIX_EPOCH,
            answered_at: None,
            undurable: false,
            queue: None,
            offers: 0,
            seat: None,
            waited_ms: 0,
            talked_ms: 0,
            overflow: None,
            peer: None,
            ticket_left: None,
            digits: String::new(),
            grade: None,
            recording: None,
            recording_ms: None,
            recording_lost: 0,
            room: None,
            stayed_ms: 0,
            recording_pauses: 0,
            cause: None,
            lasted_ms: None,
            answered_ms: None,
            sound: None,
            legs: Vec::new(),
            one_way: Vec::new(),
            mute: Vec::new(),
            asked_ms: None,
            person_ms: None,
            first_queue: None,
            times: Times::default(),
            reached: Reached::default(),
            served: Served::default(),
            marks: Marks::default(),
            opened_mono: Instant::ZERO,
            last_mono: Instant::ZERO,
            answered_mono: None,
        }
    }

    /// The record of a call by its facts in order; `None` where there are none.
    pub fn fold<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Option<Self> {
        let mut record: Option<CallRecord> = None;
        for fact in facts {
            record.get_or_insert_with(|| CallRecord::new(fact.call)).apply(fact);
        }
        record
    }

    /// Whether the last leg is gone.
    pub fn is_closed(&self) -> bool {
        self.cause.is_some()
    }

    /// Takes one fact in. One of another call, or one already applied, changes nothing.
    pub fn apply(&mut self, fact: &Fact) {
        if fact.call != self.call || fact.sequence <= self.sequence {
            return;
        }
        self.sequence = fact.sequence;
        if !self.is_closed() {
            self.last_mono = fact.mono; // What comes after the end may be another process's.
        }
        if let What::Opened { .. } = fact.what {
            self.opened_mono = fact.mono;
        }
        let at_ms = millis(self.last_mono.since(self.opened_mono));
        self.times.apply(at_ms, &fact.what);
        self.reached.apply(at_ms, &fact.what);
        self.served.apply(&fact.what);
        self.marks.apply(at_ms, &fact.what);
        match &fact.what {
            What::Opened { .. } => self.open(fact),
            What::Answered { durable } => {
                self.answered_at = Some(fact.at);
                self.answered_mono = Some(fact.mono);
                self.undurable = !durable;
            }
            What::DigitPressed { digit } if self.digits.len() < DIGITS_MAX => {
                self.digits.push(*digit);
            }
            What::Announced { .. } | What::DigitPressed { .. } => {}
            What::Queued { queue } => {
                self.queue = Some(queue.clone());
                self.asked_ms.get_or_insert(at_ms);
                self.first_queue.get_or_insert_with(|| queue.clone());
            }
            What::SeatOffered { .. } => self.offers += 1,
            What::OfferEnded { .. } => {}
            What::SeatAnswered { seat, waited_ms, .. } => {
                self.person_ms.get_or_insert(at_ms);
                if self.seat.is_none() {
                    self.waited_ms = *waited_ms;
                }
                self.seat = Some(seat.clone());
            }
            What::SeatLeft { talked_ms, .. } => self.talked_ms += talked_ms,
            What::Overflowed { queue, why, waited_ms } => {
                self.queue = Some(queue.clone());
                self.overflow = Some(*why);
                self.waited_ms = *waited_ms;
            }
            // A number that the house calls is a citizen's, not a person whom a citizen waits for.
            What::PeerDialled { .. } if self.marks.outward.is_none() => {
                self.asked_ms.get_or_insert(at_ms);
            }
            // It may have picked up and left before the caller was answered: nobody has talked then.
            What::PeerFailed { .. } if self.answered_at.is_none() => self.person_ms = None,
            What::PeerDialled { .. }
            | What::PeerFailed { .. }
            | What::Transfer { .. }
            | What::Held { .. }
            | What::PeerLeft { .. }
            | What::Prioritised { .. }
            | What::FromCenter { .. }
            | What::FromPeer { .. }
            | What::Recognised { .. }
            | What::Watched { .. }
            | What::Unwatched { .. }
            | What::SeatRole { .. }
            | What::Outward { .. }
            | What::CallbackKept { .. }
            | What::CallbackSettled { .. }
            | What::Disposed(_)
            | What::HandOn(_)
            | What::ArticleUsed(_)
            | What::ArticleFaulty(_)
            | What::Flagged { .. }
            | What::SurveyReason { .. }
            | What::RoomJoined { .. }
            | What::CallerLeft { .. }
            | What::LegReplaced { .. } => {}
            What::RoomLeft { stayed_ms, .. } => self.stayed_ms += stayed_ms,
            What::SoundMissing { party, missing, .. } => {
                let list = match missing {
                    Missing::Sound => &mut self.mute,
                    Missing::Packets => &mut self.one_way,
                    Missing::Nothing => return,
                };
                if list.len() < LEGS_MAX && !list.contains(party) {
                    list.push(party.clone());
                }
            }
            What::LegClosed { leg, party, sound } if self.legs.len() < LEGS_MAX => {
                self.legs.push(LegSound { leg: *leg, party: party.clone(), sound: sound.clone() });
            }
            What::LegClosed { .. }
            | What::ScriptBegun { .. }
            | What::ValueUnread { .. }
            | What::LookedUp { .. }
            | What::NotRelayed { .. }
            | What::RelayDeclined { .. }
            | What::BotTalked { .. }
            | What::MessageLeft { .. }
            | What::Ordered { .. } => {}
            What::PeerAnswered { trunk, number, .. } => {
                self.person_ms.get_or_insert(at_ms);
                // Whom a clerk has called stays who was called, whoever is asked in later.
                if self.marks.outward.is_none() || self.peer.is_none() {
                    self.peer = Some(format!("{trunk}/{number}"));
                }
            }
            What::TicketLeft { reason } => self.ticket_left = Some(reason.clone()),
            What::Surveyed { grade, subject: Subject::Talk } => self.grade = Some(*grade),
            What::Surveyed { subject: Subject::Flow, .. } => {} // In what flows did, above.
            What::RecordingPaused { .. } => self.recording_pauses += 1,
            What::RecordingResumed { .. } => {}
            What::Recorded { file, duration_ms, lost_frames } => {
                self.recording = Some(file.clone());
                self.recording_ms = Some(*duration_ms);
                self.recording_lost = *lost_frames;
            }
            What::Closed { cause, lasted_ms, answered_ms, sound, .. } => {
                self.cause = Some(*cause);
                self.lasted_ms = Some(*lasted_ms);
                self.answered_ms = *answered_ms;
                self.sound.clone_from(sound);
            }
        }
    }

    fn open(&mut self, fact: &Fact) {
        let What::Opened { line, dialled, caller, trunk, ticket, plan, shifted_clock, wire_ref, room } =
            &fact.what
        else {
            return;
        };
        self.room = room.as_ref().map(|room| format!("{}/{}", room.meeting, room.number));
        self.line = line.clone();
        self.dialled.clone_from(dialled);
        self.caller.clone_from(caller);
        self.trunk = trunk.clone();
        self.ticket.clone_from(ticket);
        self.plan.clone_from(plan);
        self.shifted_clock = *shifted_clock;
        self.wire_ref.clone_from(wire_ref);
        self.opened_at = fact.at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;

    fn facts(whats: Vec<What>) -> Vec<Fact> {
        let call = CallId::draw(1_000, &mut Dice::seeded(1));
        whats
            .into_iter()
            .zip(1..)
            .map(|(what, sequence)| Fact {
                call,
                sequence,
                at: Timestamp::from_second(1_627_780_000 + i64::from(sequence)).unwrap(),
                mono: Instant::from_millis(u64::from(sequence) * 1_000),
                what,
            })
            .collect()
    }

    fn opened() -> What {
        What::Opened {
            line: LineId::from("12336"),
            dialled: "039312336".into(),
            caller: "13800000001".into(),
            trunk: TrunkId::from("carrier"),
            ticket: "2021080100001".into(),
            plan: "abc".into(),
            shifted_clock: true,
            wire_ref: "w".into(),
            room: None,
        }
    }

    fn offered(seat: &SeatId, waited_ms: u64) -> What {
        let purpose = crate::acd::event::Purpose::Caller;
        What::SeatOffered { seat: seat.clone(), waited_ms, history: vec![], purpose }
    }

    fn whole_call() -> Vec<Fact> {
        let seat = SeatId::from("1001");
        facts(vec![
            opened(),
            What::Answered { durable: true },
            What::Queued { queue: QueueId::from("main") },
            offered(&seat, 10),
            What::OfferEnded { seat: seat.clone(), why: crate::acd::event::OfferEnd::NoAnswer },
            offered(&seat, 20),
            What::SeatAnswered { seat: seat.clone(), waited_ms: 30, leg: Some(2) },
            What::DigitPressed { digit: '1' },
            What::SeatLeft { seat, talked_ms: 5_000, vanished: false },
            What::Surveyed { grade: 2, subject: Subject::Talk },
            What::Recorded { file: "a.wav".into(), duration_ms: 9_000, lost_frames: 3 },
            What::Closed {
                cause: Cause::Completed,
                lasted_ms: 11_000,
                answered_ms: Some(10_000),
                sound: None,
                reason: None,
            },
        ])
    }

    #[test]
    fn a_record_holds_what_the_facts_of_the_call_say() {
        let facts = whole_call();
        let record = CallRecord::fold(&facts).unwrap();
        assert_eq!(record.line.as_str(), "12336");
        assert_eq!(record.ticket, "2021080100001");
        assert!(record.shifted_clock && !record.undurable);
        assert_eq!(record.answered_at, Some(facts[1].at));
        assert_eq!(record.offers, 2);
        assert_eq!((record.waited_ms, record.talked_ms), (30, 5_000));
        assert_eq!(record.seat, Some(SeatId::from("1001")));
        assert_eq!(record.digits, "1");
        assert_eq!(record.grade, Some(2));
        assert_eq!(record.recording.as_deref(), Some("a.wav"));
        assert_eq!(record.recording_lost, 3);
        assert_eq!(record.cause, Some(Cause::Completed));
        assert_eq!(record.answered_ms, Some(10_000));
        assert_eq!(record.sequence, 12);
    }

    #[test]
    fn a_grade_given_in_a_flow_is_not_that_of_who_talks_later() {
        let seat = SeatId::from("1001");
        let graded = |grade, subject| What::Surveyed { grade, subject };
        let why = What::SurveyReason { digit: 3, grade: 5, subject: Subject::Flow };
        let mut whats = vec![
            opened(),
            graded(5, Subject::Flow),
            why,
            What::SeatAnswered { seat: seat.clone(), waited_ms: 30, leg: Some(2) },
            What::SeatLeft { seat, talked_ms: 5_000, vanished: false },
        ];
        let grades = |whats: &[What]| {
            let record = CallRecord::fold(&facts(whats.to_vec())).unwrap();
            let kpi = crate::telemetry::kpi::Kpi::fold(std::slice::from_ref(&record), &Default::default());
            let clerks = kpi.seats["1001"].satisfaction.grades;
            (
                (record.grade, record.marks.survey_reason),
                (record.served.flow_grade, record.served.flow_reason),
                (clerks, kpi.total.satisfaction.grades),
            )
        };
        assert_eq!(grades(&whats), ((None, None), (Some(5), Some(3)), ([0; 5], [0; 5])));
        whats.push(graded(2, Subject::Talk));
        let of_talk = [0, 1, 0, 0, 0];
        assert_eq!(grades(&whats), ((Some(2), None), (Some(5), Some(3)), (of_talk, of_talk)));
        let told = serde_json::to_value(graded(2, Subject::Talk)).unwrap();
        assert_eq!(told.get("subject"), None, "as facts of earlier versions are");
    }

    #[test]
    fn a_record_has_each_legs_sound_and_names_who_was_not_heard_once() {
        let seat = Party::Seat { seat: SeatId::from("1001") };
        let missing = |missing| What::SoundMissing { leg: 1, party: seat.clone(), missing };
        let sound = Sound { received: 5, codec: "PCMA".into(), ..Sound::default() };
        let facts = facts(vec![
            opened(),
            missing(Missing::Packets),
            missing(Missing::Nothing),
            missing(Missing::Packets),
            What::SoundMissing { leg: 0, party: Party::Caller, missing: Missing::Sound },
            What::LegClosed { leg: 1, party: seat.clone(), sound: sound.clone() },
        ]);
        let record = CallRecord::fold(&facts).unwrap();
        assert_eq!((&record.one_way[..], &record.mute[..]), (&[seat.clone()][..], &[Party::Caller][..]));
        assert_eq!(record.legs, [LegSound { leg: 1, party: seat, sound }]);
        let json = serde_json::to_string(&record.legs).unwrap();
        assert_eq!(serde_json::from_str::<Vec<LegSound>>(&json).unwrap(), record.legs);
        // What an earlier version wrote of a sound is still read.
        let old = r#"{"received":1,"sent":2,"lost":3,"jitter_us":4,"mos_x100":440}"#;
        let old: Sound = serde_json::from_str(old).unwrap();
        assert_eq!((old.received, old.mos_x100, old.outbound), (1, 440, None));
    }

    #[test]
    fn facts_told_twice_or_of_another_call_change_nothing() {
        let facts = whole_call();
        let once = CallRecord::fold(&facts).unwrap();
        let mut twice = CallRecord::new(facts[0].call);
        for fact in &facts {
            twice.apply(fact);
            twice.apply(fact);
        }
        let stranger =
            Fact { call: CallId::draw(2_000, &mut Dice::seeded(2)), sequence: 99, ..facts[9].clone() };
        twice.apply(&stranger);
        assert_eq!(once, twice);
    }

    #[test]
    fn an_answer_before_the_disk_marks_the_record() {
        let record = CallRecord::fold(&facts(vec![opened(), What::Answered { durable: false }])).unwrap();
        assert!(record.undurable && !record.is_closed());
    }
}
