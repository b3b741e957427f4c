//! A checked `routing.toml`: what the rest of the house asks about the operator's wishes.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::admin::Admin;
use super::afterwards::{Calling, Disposition, FollowUp, Missed};
use super::by_number::ByNumber;
use super::calendar::Calendars;
use super::callers::Callers;
use super::emergency::Center;
use super::feed::{Feed, Pace};
use super::in_use::{Alias, Behind, InUse};
use super::kb::Kb;
use super::kpi::Kpi;
use super::meeting::Meeting;
use super::merge_lists::MergeList;
use super::peers::Peers;
use super::people::{ApiToken, ExpertGroup, Hours, Role, ThreeWay, Work};
use super::prompts;
use super::proof::HumanFirst;
use super::queueing::{Known, Queueing};
use super::retention::Retention;
use super::script::{Bot, LookUpSource, Script};
use super::security::Security;
use super::sound::Sound;
use super::trace::Trace;
use crate::id::{BotId, LanguageId, LineId, LookUpId, PromptId, QueueId, ScriptId, SeatId, TrunkId};

pub use super::flow::{Flow, Step, TicketReason};
pub use super::trunk::{Account, Member, Probing, Trunk, TrunkGroup, TrunkTarget, Way};

/// Everything that survived the check. Calls under way keep the plan they began with.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Hex SHA-256 of the files that the plan was read from: names it in the ledger.
    pub digest: String,
    /// Whether the human-first rules apply.
    pub purpose: Purpose,
    /// Who and where.
    pub city: City,
    /// Where SIP and RTP are spoken.
    pub network: Network,
    /// The published numbers by their shortest form, in the order of numbers. Which one was dialled is found in the
    /// same time however many there are.
    pub lines: ByNumber<Line>,
    /// Other numbers that lead to them; none of these is a number of the plan's own.
    pub aliases: ByNumber<Behind>,
    /// Meeting rooms: no room is among the lines, and no two meetings have one in common.
    pub meetings: Vec<Arc<Meeting>>,
    /// The months after cut-over.
    pub transition: Transition,
    /// Carriers and neighbouring centers.
    pub trunks: BTreeMap<TrunkId, Trunk>,
    /// Those of them by which calls come, in the order of the file, emergency centers behind all others.
    pub bring_calls: Vec<TrunkId>,
    /// Groups of them; no group and no trunk share a name.
    pub groups: BTreeMap<TrunkId, TrunkGroup>,
    /// Clerks' telephones.
    pub seats: BTreeMap<SeatId, Seat>,
    /// Where callers wait.
    pub queues: BTreeMap<QueueId, Queue>,
    /// 110/119/120/122: reached outward only, never a line of our own.
    pub emergency: BTreeMap<LineId, Peer>,
    /// What clerks must know of each of them.
    pub centers: BTreeMap<LineId, Center>,
    /// Departments that clerks ask into a call: reached by them only, never a line of our own.
    pub departments: BTreeMap<LineId, Peer>,
    /// Their names: 责任单位.
    pub department_names: BTreeMap<LineId, String>,
    /// Other platforms of the hotline, to which calls are handed over and from which they come.
    pub peers: Peers,
    /// Expert seats by the line that they are for.
    pub experts: BTreeMap<LineId, Arc<ExpertGroup>>,
    /// How a third party is asked into a call.
    pub three_way: ThreeWay,
    /// What clerks may do with their time.
    pub work: Work,
    /// Who asks by HTTP.
    pub tokens: Vec<ApiToken>,
    /// Callers who are known.
    pub callers: Callers,
    /// What calls are about.
    pub disposition: Disposition,
    /// How callers' waits are judged.
    pub kpi: Kpi,
    /// Callers who gave up.
    pub missed: Missed,
    /// Whether callers were helped.
    pub follow_up: FollowUp,
    /// How somebody outside is called; `None`: nobody is.
    pub calling: Option<Calling>,
    /// What callers may do by themselves.
    pub scripts: BTreeMap<ScriptId, Arc<Script>>,
    /// Whom scripts ask.
    pub look_ups: BTreeMap<LookUpId, LookUpSource>,
    /// Programs that talk with callers.
    pub bots: BTreeMap<BotId, Bot>,
    /// What clerks ask for the wording of answers; `None`: there is none.
    pub kb: Option<Kb>,
    /// Spoken and played sounds by id.
    pub prompts: BTreeMap<PromptId, Prompt>,
    /// What is kept of the sound.
    pub recording: Recording,
    /// 好差评 after the call.
    pub survey: Survey,
    /// Who hears which seat answered.
    pub seat_greeting: SeatGreeting,
    /// Where ticket events go.
    pub sinks: Vec<Sink>,
    /// What departments are told of their calls.
    pub feeds: Vec<Feed>,
    /// Bounds on what the house takes on.
    pub limits: Limits,
    /// What is kept of SIP messages.
    pub trace: Trace,
    /// How often somebody may be wrong, and how much a stranger may send.
    pub security: Security,
    /// `[admin]`.
    pub admin: Admin,
    /// How soon a person is due.
    pub human_first: HumanFirst,
    /// The notice's list that the numbers are held against; `None`: the city's is not among those that are shipped.
    pub merge_list: Option<&'static MergeList>,
    /// Numbers of `[retired]`: of the list, perhaps, and nobody's any more.
    pub retired: Vec<LineId>,
    /// Whether a file that was changed is read again by itself.
    pub watch: bool,
    /// Hours and holidays by name; whoever goes by one has it with their [`Hours`].
    pub calendars: Calendars,
}

/// `purpose` at the top of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Serves callers: a path without a person is an error.
    Live,
    /// Serves load tools: exempt from the human-first rules, refused off loopback.
    Bench,
}

/// `[city]`.
#[derive(Debug, Clone)]
pub struct City {
    /// 濮阳市.
    pub name: String,
    /// Without the country code, with the leading zero: `0393`.
    pub area_code: String,
    /// `86`.
    pub country_code: String,
    /// Asia/Shanghai.
    pub time_zone: TimeZone,
    /// The organisation code of our own platform, told to [peers](Plan::peers): `410900`.
    pub org: Option<String>,
}

/// `[network]`.
#[derive(Debug, Clone)]
pub struct Network {
    /// Where SIP is received.
    pub listen: Vec<Listener>,
    /// Certificates of SIP over TLS.
    pub tls: Tls,
    /// RTP ports, first even and last odd, inclusive.
    pub rtp_ports: (u16, u16),
    /// The realm of digest challenges and the domain of seats' addresses.
    pub domain: String,
    /// A leg silent in RTP and RTCP for so long is asked by OPTIONS, and ended if it does not answer.
    pub silence_max: Duration,
    /// Of two who talk, one whose packets hold no sound for so long is told of; zero: never.
    pub mute_max: Duration,
    /// Of two who talk, one who sends no sound for so long while the other's comes is told of; zero: never.
    pub one_way_max: Duration,
    /// Session timer that we ask for, and give where it is left to us (RFC 4028).
    pub session_expires: Duration,
    /// Name servers for trunks' names; empty: those of the system.
    pub dns: Vec<SocketAddr>,
}

/// One SIP listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// What it speaks.
    pub transport: Transport,
    /// The socket's own address.
    pub bind: SocketAddr,
    /// What Contact and SDP say instead, behind NAT.
    pub advertise: Option<IpAddr>,
    /// TLS: whether who comes must show a certificate. `None`: if there is a `client_ca`.
    pub client_certificate: Option<bool>,
}

/// How SIP is carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Datagrams.
    #[default]
    Udp,
    /// Connections.
    Tcp,
    /// Connections within TLS.
    Tls,
}

/// `[tls]`: PEM files, relative to the data directory unless absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Our certificate with its chain, shown to whoever comes and wherever we are asked for one.
    pub certificate: Option<String>,
    /// Its private key.
    pub key: Option<String>,
    /// Who signs the certificates of those who come.
    pub client_ca: Option<String>,
    /// Who signs the certificates of those we go to.
    pub roots: Option<String>,
}

/// `[[number]]`.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its shortest dialled form.
    pub number: LineId,
    /// Other numbers by which it is dialled.
    pub aliases: Vec<Alias>,
    /// From which day it is ours, and through which.
    pub in_use: InUse,
    /// As the notice prints it.
    pub name: String,
    /// 责任单位.
    pub owner: String,
    /// What becomes of a call.
    pub mode: LineMode,
    /// Row of the notice's list, `1-3`; empty for 12345.
    pub row: String,
    /// 设专家座席.
    pub expert_seats: bool,
    /// Nobody sees who calls it, as for a caller whom a policy says to be confidential.
    pub is_confidential: bool,
    /// What a seat must know for this line.
    pub skills: Vec<Known>,
    /// Per-number override of the transition's first day and length.
    pub transition: Option<Transition>,
    /// Its callers hear prompts in this language or dialect where there are such.
    pub language: Option<LanguageId>,
    /// Its own greeting, said in place of its queue's.
    pub greeting: Option<PromptId>,
    /// What its callers hear in place of their queue's greeting, before they wait there.
    pub script: Option<ScriptId>,
    /// The number had been cancelled, and somebody decided that it comes back; kept in the ledger.
    pub restored: Option<Restored>,
}

/// `restored` of a number: "a cancelled number is in principle not restored" (the notice, 三(一)2), so who has
/// it come back says why, and answers for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Why.
    pub reason: String,
    /// Who decided so.
    pub approver: String,
    /// When.
    pub date: jiff::civil::Date,
}

/// The three ways of the notice's §三(一), 12345 itself, and lines for load tools.
#[derive(Debug, Clone, PartialEq)]
pub enum LineMode {
    /// 12345.
    Primary {
        /// Where callers wait.
        queue: QueueId,
    },
    /// 整体并入: number retired, prompt for the transition months.
    Merged {
        /// Where callers wait.
        queue: QueueId,
    },
    /// 双号并行: number kept, seats merged.
    Dual {
        /// Where callers wait.
        queue: QueueId,
    },
    /// 双号并行 with the seats retained at the department (the notice, 三(一)2: where a line cannot be merged):
    /// calls are put through to them, and come to 12345 where nobody answers.
    Retained {
        /// The way to the department's seats.
        peer: Peer,
        /// Where callers wait when they do not answer.
        queue: QueueId,
    },
    /// 设分中心: number and seats kept elsewhere.
    SubCenter {
        /// The way there.
        peer: Peer,
        /// Where callers wait when it does not answer.
        queue: QueueId,
    },
    /// A line of `purpose = "bench"`.
    Bench(BenchLine),
    /// A room of `[[meeting]]`.
    Meeting(Arc<Meeting>),
    /// To another seat's calls, dialled by a seat of this role.
    Watch {
        /// What it may.
        role: Role,
    },
}

impl LineMode {
    /// Where its callers wait.
    pub fn queue(&self) -> Option<&QueueId> {
        match self {
            LineMode::Primary { queue }
            | LineMode::Merged { queue }
            | LineMode::Dual { queue }
            | LineMode::Retained { queue, .. }
            | LineMode::SubCenter { queue, .. } => Some(queue),
            LineMode::Bench(_) | LineMode::Meeting(_) | LineMode::Watch { .. } => None,
        }
    }

    /// Whose own seats are called first: a sub-center's, or those that a department kept.
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            LineMode::SubCenter { peer, .. } | LineMode::Retained { peer, .. } => Some(peer),
            LineMode::Primary { .. }
            | LineMode::Merged { .. }
            | LineMode::Dual { .. }
            | LineMode::Bench(_)
            | LineMode::Meeting(_)
            | LineMode::Watch { .. } => None,
        }
    }
}

/// What a bench line does.
#[derive(Debug, Clone, PartialEq)]
pub enum BenchLine {
    /// Answers and stays silent until the caller leaves (S1).
    Silent,
    /// Plays once and hangs up (S2).
    PlayOnce(PromptId),
    /// Plays until the caller leaves (S2).
    PlayForever(PromptId),
    /// Goes straight to a trunk (S3, S3R).
    Dial {
        /// The way there.
        peer: Peer,
        /// Whether it is recorded.
        record: bool,
    },
}

/// Somebody on the far side of a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The way there: a trunk or a group.
    pub trunk: TrunkId,
    /// The number there in our own form; each trunk's rules rewrite it.
    pub number: String,
    /// Longest ringing.
    pub ring: Duration,
    /// Drill mode: the trunk points at nothing real.
    pub drill: bool,
    /// When somebody answers there.
    pub hours: Hours,
}

/// `[transition]`: prompt for a number of calendar months, by the city's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// First day.
    pub start: jiff::civil::Date,
    /// Calendar months. A start on a day that the last month lacks ends with that month's last day.
    pub months: u8,
    /// Spoken first.
    pub prompt: PromptId,
    /// Played before the answer (183) instead of after it.
    pub early_media: bool,
    /// What happens when the months are over.
    pub afterwards: Afterwards,
}

/// `[transition] afterwards`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// Straight to 12345 without the prompt.
    Connect,
    /// Refused, and why.
    Release(Released),
}

/// `[transition] cause`: what the network is told of a number whose months are over. It has words of its own for callers by
/// it (RFC 3398 §8.2.6.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Released {
    /// It is another's now, 12345: 410 Gone (RFC 3261 §21.4.11), Q.850 cause 22.
    #[default]
    NumberChanged,
    /// It is nobody's any more: 404 Not Found (RFC 3261 §21.4.5), Q.850 cause 1.
    Unallocated,
}

impl Released {
    /// Of the refusal.
    pub fn status(self) -> u16 {
        match self {
            Released::NumberChanged => 410,
            Released::Unallocated => 404,
        }
    }
}

/// An address and the length of its prefix in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNet {
    /// Any address of the net.
    pub addr: IpAddr,
    /// Bits of the prefix.
    pub prefix: u8,
}

impl IpNet {
    /// Whether `other` lies in the net. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.addr.to_canonical(), other.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
                net.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix.min(128))).unwrap_or(0);
                net.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// A header that says of a forwarded call which number was dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForwardedIn {
    /// RFC 7044.
    HistoryInfo,
    /// RFC 5806.
    Diversion,
}

/// A place in an INVITE that can hold the dialled number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DialledFrom {
    /// RFC 3261 §8.1.1.1.
    RequestUri,
    /// RFC 7044, the oldest entry.
    HistoryInfo,
    /// RFC 5806, the last (oldest) value.
    Diversion,
    /// RFC 7315 §4.2.
    PCalledPartyId,
    /// RFC 3261 §8.1.1.2.
    To,
}

/// `[[seat]]`.
#[derive(Debug, Clone)]
pub struct Seat {
    /// 工号 and SIP user.
    pub id: SeatId,
    /// Whose desk.
    pub name: String,
    /// What its clerk is.
    pub role: Role,
    /// What its clerk can do.
    pub skills: Vec<Known>,
    /// Queues it serves.
    pub queues: Vec<QueueId>,
    /// Where the strategy goes from top to bottom: smaller is first.
    pub order: u16,
    /// Wrap-up of its own instead of the queue's.
    pub wrap_up: Option<Duration>,
    /// Where its password is kept: never in the file.
    pub secret: SecretRef,
    /// Its shifts, for the proof of staffing; whoever signs in outside of them is rung all the same.
    pub hours: Hours,
    /// Its codecs, and whether they are encrypted.
    pub sound: Sound,
}

/// `{ env = "…" }` or `{ file = "…" }`; a file in the data directory is created on first run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file, relative to the data directory unless absolute.
    File(String),
}

/// `[[queue]]`.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Its name.
    pub id: QueueId,
    /// Played before waiting.
    pub greeting: PromptId,
    /// Played while waiting.
    pub music: PromptId,
    /// How long one seat rings.
    pub ring: Duration,
    /// Time for the case after the call.
    pub wrap_up: Duration,
    /// A seat that let a call ring out rests until its next REGISTER, or for so long.
    pub away: Option<Duration>,
    /// Longest wait while seats are signed in.
    pub wait_max: Duration,
    /// Longest wait while no seat is signed in.
    pub no_seat_wait: Duration,
    /// Callers at once; the next one overflows.
    pub length_max: u32,
    /// Between announcements of position and expected wait.
    pub announce_every: Duration,
    /// Said to who overflows, before the ticket's number.
    pub overflow_prompt: PromptId,
    /// Which seat is found, and how.
    pub rules: Queueing,
}

/// One entry of `prompts.toml`, its sound loaded and checked.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// Its id.
    pub id: PromptId,
    /// What is said.
    pub text: String,
    /// Mono samples, 8 kHz.
    pub samples: Arc<[i16]>,
}

impl Prompt {
    /// Whether whoever hears it is told that the call is recorded: 通话 and 录音 in its words, or "recorded". A message is
    /// asked for with 录音 alone.
    pub fn tells_of_recording(&self) -> bool {
        tells_of_recording(&self.text)
    }

    /// How long it is heard.
    pub fn length(&self) -> Duration {
        Duration::from_millis(self.samples.len() as u64 * 1_000 / u64::from(prompts::SAMPLE_RATE))
    }
}

/// The same of a prompt's words alone.
pub(super) fn tells_of_recording(text: &str) -> bool {
    text.contains("通话") && text.contains("录音") || text.to_lowercase().contains("recorded")
}

/// `[recording]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Whether calls are recorded.
    pub enabled: bool,
    /// Whether each leg's own sound is kept in a file beside that of both sides.
    pub tracks: bool,
    /// What becomes of the files after the call.
    pub format: RecordingFormat,
    /// What they are encrypted with after the call; `None`: they lie in the clear.
    pub key: Option<SecretRef>,
    /// Keys of before, by which earlier files are read.
    pub old_keys: Vec<SecretRef>,
    /// How long they are kept.
    pub retention: Retention,
    /// Codes of `[disposition]` by which a recording is secret, whoever said so or not.
    pub secret: Vec<String>,
    /// Said to callers who would hear no other word that they are recorded.
    pub notice: Option<PromptId>,
}

/// How recordings are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingFormat {
    /// As they were written.
    Wav,
    /// Compressed after the call, without loss.
    Flac,
}

/// `[survey]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Whether the caller is asked after the clerk leaves.
    pub enabled: bool,
    /// Longest wait for the digit, from the prompt's end.
    pub wait: Duration,
    /// How often the question is put.
    pub tries: u8,
    /// Whether a bad grade is asked a reason for.
    pub reason: bool,
}

/// `[seat_greeting] spoken`: 工号 … 为您服务. Has no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatGreeting {
    /// Both hear it.
    Both,
    /// Nobody does.
    Silent,
}

/// `[[ticket_sink]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// The adapter.
    pub kind: SinkKind,
    /// One try.
    pub timeout: Duration,
    /// How often it is tried, and when somebody is told.
    pub pace: Pace,
}

impl Sink {
    /// Whether its tickets are in the house's own database: they are written with the facts, and nothing is
    /// ever owed to it.
    pub fn is_embedded(&self) -> bool {
        self.kind == SinkKind::Sqlite
    }
}

/// Adapters of ticket offices.
#[derive(Debug, Clone, PartialEq)]
pub enum SinkKind {
    /// The embedded store.
    Sqlite,
    /// A file of one event a line.
    Jsonl {
        /// Relative to the data directory unless absolute.
        path: String,
    },
    /// A signed webhook.
    Http {
        /// Where events are posted.
        url: String,
        /// The signing secret.
        secret: SecretRef,
    },
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Calls at once; the next INVITE gets 503.
    pub calls_max: u32,
    /// How long a call waits for its opening record to be on disk.
    pub durable_wait: Duration,
    /// After SIGTERM.
    pub drain_grace: Duration,
    /// A recording or a call's bound: longest call.
    pub call_max: Duration,
}
