//! `routing.toml` as it is written: one struct a table, every value with its place.
//!
//! A field is `None` where the file does not say it, or says it wrongly (then a problem is noted).
//! How each is read and what stands in for what is not said is in [`reading`]; whether the values
//! make sense together is for [`check`](super::check) to judge.

pub mod afterwards;
pub mod alias;
pub mod calendar;
pub mod callers;
pub mod case;
pub mod feed;
pub mod kb;
pub mod kpi;
pub mod look_up;
pub mod meeting;
pub mod peers;
pub mod people;
pub mod proof;
pub mod queueing;
mod reading;
pub mod script;
pub mod token;
pub mod trunk;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::admin::AdminTable;
use super::calendar::Calendars;
use super::diagnostic::Spot;
use super::merge_lists::MergeList;
use super::people::Role;
use super::plan::{Listener, Purpose, RecordingFormat, Released, SeatGreeting, SecretRef};
use super::queueing::Known;
use super::retention::{ClassTable, Days};
use super::security::SecurityTable;
use super::sound::SoundTable;
use super::source::Said;
use super::trace::TraceTable;
use super::values::Ports;
use afterwards::{CallingTable, DispositionTable, FollowUpTable, MissedTable};
use alias::AliasSaid;
use calendar::{CalendarTable, HolidayTable, HoursTable};
use callers::{CallersTable, LaneTable, PolicyTable};
use case::CaseTable;
use feed::{FeedTable, PaceTable};
use kb::KbTable;
use kpi::KpiTable;
use look_up::{BotTable, LookUpTable};
use meeting::MeetingTable;
use peers::PeerTable;
use people::{DepartmentTable, ExpertGroupTable, ThreeWayTable, WorkTable};
use proof::{HumanFirstTable, RestoredTable, RetiredTable, SeatsWord};
use queueing::RulesTable;
use script::FlowTable;
use token::TokenTable;
pub use trunk::{GroupTable, TrunkTable};

/// The only version of the file's shape.
pub const SCHEMA: u32 = 1;

/// A value that may not be there.
pub type Field<T> = Option<Said<T>>;

/// The whole file.
#[derive(Debug)]
pub struct RoutingTable {
    /// The file.
    pub spot: Spot,
    /// `purpose`.
    pub purpose: Field<Purpose>,
    /// `prompts`: the manifest, relative to this file.
    pub prompts: Field<String>,
    /// `[city]`.
    pub city: Option<CityTable>,
    /// `[network]`.
    pub network: Option<NetworkTable>,
    /// `[tls]`.
    pub tls: Option<TlsTable>,
    /// `[limits]`.
    pub limits: Option<LimitsTable>,
    /// `[recording] enabled`.
    pub recording: Field<bool>,
    /// `[recording] exception`: why calls are not recorded, and who decided so.
    pub recording_exception: Field<String>,
    /// `[recording] tracks`.
    pub recording_tracks: Field<bool>,
    /// `[recording] format`.
    pub recording_format: Field<RecordingFormat>,
    /// `[recording] key`.
    pub recording_key: Field<SecretRef>,
    /// `[recording] old_keys`.
    pub recording_old_keys: Field<Vec<Said<SecretRef>>>,
    /// `[recording] keep`.
    pub recording_keep: Field<Days>,
    /// Whether the file says it, rightly or wrongly.
    pub recording_keep_is_said: bool,
    /// `[recording] secret`: codes.
    pub recording_secret: Field<Vec<Said<String>>>,
    /// `[recording] notice`: a prompt.
    pub recording_notice: Field<String>,
    /// `[[recording_class]]`.
    pub(super) recording_classes: Vec<ClassTable>,
    /// `[seat_greeting] spoken`.
    pub seat_greeting: Field<SeatGreeting>,
    /// `[seat_sound]`: what seats that do not say it have.
    pub seat_sound: Option<SoundTable>,
    /// `[survey]`.
    pub survey: Option<SurveyTable>,
    /// `[transition]`.
    pub transition: Option<TransitionTable>,
    /// `[trace]`.
    pub(super) trace: Option<TraceTable>,
    /// `[security]`.
    pub(super) security: Option<SecurityTable>,
    /// `[admin]`.
    pub(super) admin: Option<AdminTable>,
    /// `[[trunk]]`.
    pub trunks: Vec<TrunkTable>,
    /// `[[trunk_group]]`.
    pub groups: Vec<GroupTable>,
    /// `[[queue]]`.
    pub queues: Vec<QueueTable>,
    /// `[[seat]]`.
    pub seats: Vec<SeatTable>,
    /// `[[number]]`.
    pub numbers: Vec<NumberTable>,
    /// `[[meeting]]`.
    pub meetings: Vec<MeetingTable>,
    /// `[[emergency]]`.
    pub emergencies: Vec<EmergencyTable>,
    /// `[[ticket_sink]]`.
    pub sinks: Vec<SinkTable>,
    /// `[[feed]]`.
    pub feeds: Vec<FeedTable>,
    /// `[[expert_group]]`.
    pub experts: Vec<ExpertGroupTable>,
    /// `[[department]]`.
    pub departments: Vec<DepartmentTable>,
    /// `[[peer]]`.
    pub peers: Vec<PeerTable>,
    /// `[three_way]`.
    pub three_way: Option<ThreeWayTable>,
    /// `[work]`.
    pub work: Option<WorkTable>,
    /// `[callers]`.
    pub callers: Option<CallersTable>,
    /// `[[lane]]`.
    pub lanes: Vec<LaneTable>,
    /// `[[caller_policy]]`.
    pub policies: Vec<PolicyTable>,
    /// `[disposition]`.
    pub disposition: Option<DispositionTable>,
    /// `[kpi]`.
    pub kpi: Option<KpiTable>,
    /// `[missed]`.
    pub missed: Option<MissedTable>,
    /// `[follow_up]`.
    pub follow_up: Option<FollowUpTable>,
    /// `[calling]`.
    pub calling: Option<CallingTable>,
    /// `[[api_token]]`.
    pub tokens: Vec<TokenTable>,
    /// `[[flow]]`.
    pub flows: Vec<FlowTable>,
    /// `[[look_up]]`.
    pub look_ups: Vec<LookUpTable>,
    /// `[[bot]]`.
    pub bots: Vec<BotTable>,
    /// `[kb]`.
    pub kb: Option<KbTable>,
    /// `[human_first]`.
    pub human_first: Option<HumanFirstTable>,
    /// `[retired]`.
    pub retired: Option<RetiredTable>,
    /// `[[test]]`.
    pub cases: Vec<CaseTable>,
    /// `[reload] watch`.
    pub watch: Field<bool>,
    /// `[[calendar]]`.
    pub calendars: Vec<CalendarTable>,
    /// `[[holiday]]`.
    pub holidays: Vec<HolidayTable>,
    /// Calendars as they are built: once, for the rules and the plan alike.
    pub(super) built: OnceLock<Calendars>,
}

/// `[city]`.
#[derive(Debug)]
pub struct CityTable {
    /// `name`.
    pub name: Field<String>,
    /// `area_code`.
    pub area_code: Field<String>,
    /// `country_code`.
    pub country_code: Field<String>,
    /// `time_zone`.
    pub time_zone: Field<TimeZone>,
    /// `org`: the organisation code of our own platform.
    pub org: Field<String>,
    /// `merge_list`: the notice's, against which the numbers are held.
    pub merge_list: Field<&'static MergeList>,
}

/// `[network]`.
#[derive(Debug)]
pub struct NetworkTable {
    /// `listen`.
    pub listen: Field<Vec<Said<Listener>>>,
    /// `rtp_ports`.
    pub rtp_ports: Field<Ports>,
    /// `domain`.
    pub domain: Field<String>,
    /// `silence_max`.
    pub silence_max: Field<Duration>,
    /// `mute_max`.
    pub mute_max: Field<Duration>,
    /// `one_way_max`.
    pub one_way_max: Field<Duration>,
    /// `session_expires`.
    pub session_expires: Field<Duration>,
    /// `dns`.
    pub dns: Field<Vec<Said<SocketAddr>>>,
}

/// `[tls]`.
#[derive(Debug)]
pub struct TlsTable {
    /// `certificate`.
    pub certificate: Field<String>,
    /// `key`.
    pub key: Field<String>,
    /// `client_ca`.
    pub client_ca: Field<String>,
    /// `roots`.
    pub roots: Field<String>,
}

/// `[limits]`.
#[derive(Debug)]
pub struct LimitsTable {
    /// `calls_max`.
    pub calls_max: Field<u32>,
    /// `durable_wait`.
    pub durable_wait: Field<Duration>,
    /// `drain_grace`.
    pub drain_grace: Field<Duration>,
    /// `call_max`.
    pub call_max: Field<Duration>,
}

/// `[survey]`.
#[derive(Debug)]
pub struct SurveyTable {
    /// The table.
    pub spot: Spot,
    /// `enabled`.
    pub enabled: Field<bool>,
    /// `wait`.
    pub wait: Field<Duration>,
    /// `tries`.
    pub tries: Field<u8>,
    /// `reason`.
    pub reason: Field<bool>,
}

/// `[transition]`, and `transition = { … }` of a number.
#[derive(Debug)]
pub struct TransitionTable {
    /// The table.
    pub spot: Spot,
    /// `start`.
    pub start: Field<Date>,
    /// `months`.
    pub months: Field<u8>,
    /// `prompt`.
    pub prompt: Field<String>,
    /// `early_media`.
    pub early_media: Field<bool>,
    /// `afterwards`.
    pub afterwards: Field<AfterwardsWord>,
    /// `cause`.
    pub cause: Field<Released>,
}

/// `afterwards`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterwardsWord {
    /// Straight to 12345.
    Connect,
    /// Refused.
    Release,
}

/// `[[queue]]`.
#[derive(Debug)]
pub struct QueueTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `greeting`.
    pub greeting: Field<String>,
    /// `music`.
    pub music: Field<String>,
    /// `ring`.
    pub ring: Field<Duration>,
    /// `wrap_up`.
    pub wrap_up: Field<Duration>,
    /// `away`.
    pub away: Field<Duration>,
    /// `wait_max`.
    pub wait_max: Field<Duration>,
    /// `no_seat_wait`.
    pub no_seat_wait: Field<Duration>,
    /// `length_max`.
    pub length_max: Field<u32>,
    /// `announce_every`.
    pub announce_every: Field<Duration>,
    /// `overflow_prompt`.
    pub overflow_prompt: Field<String>,
    /// Which seat is found, and how.
    pub rules: RulesTable,
}

/// `[[seat]]`.
#[derive(Debug)]
pub struct SeatTable {
    /// The table.
    pub spot: Spot,
    /// `id`.
    pub id: Field<String>,
    /// `name`.
    pub name: Field<String>,
    /// `role`.
    pub role: Field<Role>,
    /// `skills`.
    pub skills: Field<Vec<Said<Known>>>,
    /// `languages`.
    pub languages: Field<Vec<Said<String>>>,
    /// `queues`.
    pub queues: Field<Vec<Said<String>>>,
    /// `order`.
    pub order: Field<u16>,
    /// `wrap_up`.
    pub wrap_up: Field<Duration>,
    /// `secret`.
    pub secret: Field<SecretRef>,
    /// `hours`: its shifts.
    pub hours: HoursTable,
    /// `codecs` and `srtp`.
    pub sound: SoundTable,
}

/// `mode` of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeWord {
    /// 12345.
    Primary,
    /// 整体并入.
    Merged,
    /// 双号并行.
    Dual,
    /// 设分中心.
    SubCenter,
    /// For load tools.
    Bench,
}

/// `does` of a bench number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchWord {
    /// Answers and stays silent.
    Silent,
    /// Plays and hangs up.
    PlayOnce,
    /// Plays on and on.
    PlayForever,
    /// Calls a trunk.
    Dial,
}

/// `[[number]]`.
#[derive(Debug)]
pub struct NumberTable {
    /// The table.
    pub spot: Spot,
    /// `number`.
    pub number: Field<String>,
    /// `aliases`: other numbers by which it is dialled.
    pub aliases: Field<Vec<Said<AliasSaid>>>,
    /// `from`: its first day.
    pub from: Field<Date>,
    /// `until`: its last.
    pub until: Field<Date>,
    /// `name`.
    pub name: Field<String>,
    /// `owner`.
    pub owner: Field<String>,
    /// `row`.
    pub row: Field<String>,
    /// `mode`.
    pub mode: Field<ModeWord>,
    /// `seats` of a dual number.
    pub seats: Field<SeatsWord>,
    /// `restored`.
    pub restored: Option<RestoredTable>,
    /// `queue`.
    pub queue: Field<String>,
    /// `greeting`: said in place of its queue's.
    pub greeting: Field<String>,
    /// `flow`: what its callers may do by themselves before they wait.
    pub flow: Field<String>,
    /// `language`: that of the prompts, where there are such.
    pub language: Field<String>,
    /// `expert_seats`.
    pub expert_seats: Field<bool>,
    /// `confidential`: nobody sees who calls it.
    pub confidential: Field<bool>,
    /// `skills`.
    pub skills: Field<Vec<Said<Known>>>,
    /// `transition`.
    pub transition: Option<TransitionTable>,
    /// `trunk`.
    pub trunk: Field<String>,
    /// `dial`: the number at the far side, where it is another.
    pub dial: Field<String>,
    /// `ring`: longest ringing at the far side.
    pub ring: Field<Duration>,
    /// `hours`: when somebody answers at the far side.
    pub hours: HoursTable,
    /// `does`.
    pub does: Field<BenchWord>,
    /// `prompt`.
    pub prompt: Field<String>,
    /// `record`.
    pub record: Field<bool>,
}

/// `[[emergency]]`.
#[derive(Debug)]
pub struct EmergencyTable {
    /// `number`.
    pub number: Field<String>,
    /// `trunk`.
    pub trunk: Field<String>,
    /// `dial`: the number at the far side, where it is another.
    pub dial: Field<String>,
    /// `ring`.
    pub ring: Field<Duration>,
    /// `scope`: what it takes.
    pub scope: Field<String>,
    /// `area`: where it is for.
    pub area: Field<String>,
    /// `stay`: whether a clerk who asks it stays until it has answered.
    pub stay: Field<bool>,
}

/// `kind` of a ticket sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkWord {
    /// The embedded store.
    Sqlite,
    /// A file.
    Jsonl,
    /// A webhook.
    Http,
}

/// `[[ticket_sink]]`.
#[derive(Debug)]
pub struct SinkTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `kind`.
    pub kind: Field<SinkWord>,
    /// `path` of a jsonl sink.
    pub path: Field<String>,
    /// `url` of an http sink.
    pub url: Field<String>,
    /// `secret` of an http sink.
    pub secret: Field<SecretRef>,
    /// `timeout`.
    pub timeout: Field<Duration>,
    /// How it is tried.
    pub pace: PaceTable,
}

impl NumberTable {
    /// Whose own seats are called before callers wait at 12345: a sub-center's, or those that a department kept.
    pub fn is_elsewhere(&self) -> bool {
        match self.mode.as_ref().map(|said| said.value) {
            Some(ModeWord::SubCenter) => true,
            Some(ModeWord::Dual) => self.seats.as_ref().is_some_and(|said| said.value == SeatsWord::Retained),
            Some(ModeWord::Primary | ModeWord::Merged | ModeWord::Bench) | None => false,
        }
    }
}

impl RoutingTable {
    /// The key of `[callers]` by which callers say that it is urgent.
    pub fn urgent_key(&self) -> Option<char> {
        Some(self.callers.as_ref()?.urgent_key.as_ref()?.value.0)
    }

    /// Whether the human-first rules apply.
    pub fn is_live(&self) -> bool {
        self.purpose.as_ref().is_none_or(|said| said.value == Purpose::Live)
    }
}
