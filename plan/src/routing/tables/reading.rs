//! How each table is read: its keys, what stands in for those that are not said, and what a caller
//! would notice where one that is needed is missing.

use std::time::Duration;

use super::super::admin::AdminTable;
use super::super::diagnostic::{Spot, Text};
use super::super::plan::Purpose;
use super::super::read::{Reader, Value};
use super::super::retention::ClassTable;
use super::super::security::SecurityTable;
use super::super::values::Ports;
use super::*;

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Longest ringing at a peer where the file does not say it.
pub(super) const PEER_RING: Duration = secs(25);

impl RoutingTable {
    /// Reads the top of the file.
    pub fn read(reader: &mut Reader<'_, '_>) -> Self {
        read_schema(reader);
        let _: Vec<Said<Vec<Said<String>>>> = reader.in_each("include", None); // Followed before anything is read.
        let purpose = reader.or("purpose", Purpose::Live);
        let live = purpose.as_ref().is_none_or(|said| said.value == Purpose::Live);
        let mut exception = None;
        let (mut tracks, mut format) = (None, None);
        let (mut key, mut old_keys) = (None, None);
        let (mut keep, mut keep_is_said, mut secret) = (None, false, None);
        let mut notice = None;
        let mut also = |reader: &mut Reader<'_, '_>| {
            exception = reader.optional("exception");
            tracks = reader.optional("tracks");
            format = reader.optional("format");
            key = reader.optional("key");
            old_keys = reader.optional("old_keys");
            keep = reader.optional("keep");
            keep_is_said = reader.has("keep");
            secret = reader.or("secret", Vec::new());
            notice = reader.optional("notice");
        };
        let recording = decision(reader, live, ("recording", "enabled", "true"), &mut also);
        let greeting = ("seat_greeting", "spoken", "\"both\"");
        let seat_greeting = decision(reader, live, greeting, &mut |_| {});
        RoutingTable {
            spot: reader.spot.clone(),
            purpose,
            prompts: reader.or("prompts", "prompts/prompts.toml".to_owned()),
            city: reader.required_section("city", nowhere(), CityTable::read),
            network: reader.required_section("network", deaf(), NetworkTable::read),
            tls: reader.section("tls", TlsTable::read),
            limits: reader.usual_section("limits", LimitsTable::read),
            recording,
            recording_exception: exception,
            recording_tracks: tracks,
            recording_format: format,
            recording_key: key,
            recording_old_keys: old_keys,
            recording_keep: keep,
            recording_keep_is_said: keep_is_said,
            recording_secret: secret,
            recording_notice: notice,
            recording_classes: reader.sections("recording_class", ClassTable::read),
            seat_greeting,
            seat_sound: reader.section("seat_sound", SoundTable::read),
            survey: reader.section("survey", SurveyTable::read),
            transition: reader.section("transition", |reader| TransitionTable::read(reader, true)),
            trace: reader.usual_section("trace", TraceTable::read),
            security: reader.usual_section("security", SecurityTable::read),
            admin: reader.usual_section("admin", AdminTable::read),
            trunks: reader.sections("trunk", TrunkTable::read),
            groups: reader.sections("trunk_group", GroupTable::read),
            queues: reader.sections("queue", QueueTable::read),
            seats: reader.sections("seat", SeatTable::read),
            numbers: reader.sections("number", NumberTable::read),
            meetings: reader.sections("meeting", MeetingTable::read),
            emergencies: reader.sections("emergency", EmergencyTable::read),
            sinks: reader.sections("ticket_sink", SinkTable::read),
            feeds: reader.sections("feed", FeedTable::read),
            experts: reader.sections("expert_group", ExpertGroupTable::read),
            departments: reader.sections("department", DepartmentTable::read),
            peers: reader.sections("peer", PeerTable::read),
            three_way: reader.usual_section("three_way", ThreeWayTable::read),
            work: reader.usual_section("work", WorkTable::read),
            callers: reader.usual_section("callers", CallersTable::read),
            lanes: reader.sections("lane", LaneTable::read),
            policies: reader.sections("caller_policy", PolicyTable::read),
            disposition: reader.section("disposition", DispositionTable::read),
            kpi: reader.usual_section("kpi", KpiTable::read),
            missed: reader.section("missed", MissedTable::read),
            follow_up: reader.section("follow_up", FollowUpTable::read),
            calling: reader.section("calling", CallingTable::read),
            tokens: reader.sections("api_token", TokenTable::read),
            flows: reader.sections("flow", FlowTable::read),
            look_ups: reader.sections("look_up", LookUpTable::read),
            bots: reader.sections("bot", BotTable::read),
            kb: reader.section("kb", KbTable::read),
            human_first: reader.section("human_first", HumanFirstTable::read),
            retired: reader.section("retired", RetiredTable::read),
            cases: reader.sections("test", CaseTable::read),
            watch: reader.section("reload", |reader| reader.or("watch", true)).flatten(),
            calendars: reader.sections("calendar", CalendarTable::read),
            holidays: reader.sections("holiday", HolidayTable::read),
            built: OnceLock::new(),
        }
    }
}

fn read_schema(reader: &mut Reader<'_, '_>) {
    let effect = Text::new(
        "将来格式变化时，引擎无法判断该怎样读这个文件",
        "once the shape of the file changes, no engine could tell how to read it",
    );
    let file = reader.spot.file;
    for schema in reader.in_each::<u32>("schema", Some(effect)) {
        if schema.value == SCHEMA {
            continue;
        }
        // An included file may leave it out: it is of the version of the file that includes it.
        let code = if schema.spot.file == file { "E0115" } else { "E0009" };
        reader
            .problems
            .error(
                code,
                &schema.spot,
                format!("本版引擎只认识 schema = {SCHEMA}"),
                format!("this engine knows schema = {SCHEMA} only"),
            )
            .remedy(
                format!("改为 schema = {SCHEMA}，或换用与文件相配的引擎"),
                format!("write schema = {SCHEMA}, or run the engine that the file was made for"),
            );
    }
}

/// A choice that the city has to make: it has no silent default in a live file. `also` reads what
/// else the table may say.
fn decision<T: Value>(
    reader: &mut Reader<'_, '_>,
    live: bool,
    (table, key, example): (&'static str, &'static str, &str),
    also: &mut dyn FnMut(&mut Reader<'_, '_>),
) -> Field<T> {
    let whole = reader.spot_of(table);
    let said = reader.section(table, |reader| {
        also(reader);
        (reader.optional::<T>(key), reader.spot_of(key).span != reader.spot.span)
    });
    let (value, present) = said.unwrap_or((None, false));
    if live && !present {
        let spot = Spot { key: format!("{table}.{key}"), ..whole };
        reader
            .problems
            .error(
                "E0404",
                &spot,
                format!("{table}.{key} 须由贵市决定，没有默认值"),
                format!("{table}.{key} is for the city to decide and has no default"),
            )
            .effect(
                "录音与工号播报关系到市民的知情权，引擎不替您悄悄选定",
                "recording and saying the clerk's number concern citizens' rights: the engine does not choose them silently",
            )
            .remedy(
                format!("在 [{table}] 下写明，如 {key} = {example}"),
                format!("say it under [{table}], like {key} = {example}"),
            );
    }
    value
}

impl CityTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unknown = || {
            Text::new(
                "号码的各种写法无法辨认，来电会被拒绝",
                "dialled numbers could not be told from another city's and would be refused",
            )
        };
        let clockless = Text::new(
            "过渡期的起止时刻无法确定",
            "nobody could say at which instant the transition begins and ends",
        );
        CityTable {
            name: reader.required("name", nowhere()),
            area_code: reader.required("area_code", unknown()),
            country_code: reader.or("country_code", "86".to_owned()),
            time_zone: reader.required("time_zone", clockless),
            org: reader.optional("org"),
            merge_list: reader.optional("merge_list"),
        }
    }
}

impl NetworkTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        NetworkTable {
            listen: reader.required("listen", deaf()),
            rtp_ports: reader.or("rtp_ports", Ports(20_000, 29_999)),
            domain: reader.or("domain", "hotline".to_owned()),
            silence_max: reader.or("silence_max", secs(12)),
            mute_max: reader.or("mute_max", secs(20)),
            one_way_max: reader.or("one_way_max", secs(10)),
            session_expires: reader.or("session_expires", secs(1_800)),
            dns: reader.or("dns", Vec::new()),
        }
    }
}

impl TlsTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        TlsTable {
            certificate: reader.optional("certificate"),
            key: reader.optional("key"),
            client_ca: reader.optional("client_ca"),
            roots: reader.optional("roots"),
        }
    }
}

impl LimitsTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        LimitsTable {
            calls_max: reader.or("calls_max", 1_200),
            durable_wait: reader.or("durable_wait", Duration::from_millis(250)),
            drain_grace: reader.or("drain_grace", secs(60)),
            call_max: reader.or("call_max", secs(4 * 3_600)),
        }
    }
}

impl SurveyTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        SurveyTable {
            spot: reader.spot.clone(),
            enabled: reader.or("enabled", true),
            wait: reader.or("wait", secs(8)),
            tries: reader.or("tries", 2),
            reason: reader.or("reason", false),
        }
    }
}

impl TransitionTable {
    /// A number's own table may leave out what the file's says.
    fn read(reader: &mut Reader<'_, '_>, whole: bool) -> Self {
        let silence = || {
            Text::new(
                "拨打被并入号码的市民听不到过渡期提示",
                "callers of merged numbers would not hear the transition prompt",
            )
        };
        let mut table = TransitionTable {
            spot: reader.spot.clone(),
            start: None,
            months: None,
            prompt: None,
            early_media: None,
            afterwards: None,
            cause: None,
        };
        if whole {
            table.start = reader.required("start", silence());
            table.months = reader.required("months", silence());
            table.prompt = reader.required("prompt", silence());
            table.early_media = reader.or("early_media", false);
            table.afterwards = reader.or("afterwards", AfterwardsWord::Connect);
        } else {
            table.start = reader.optional("start");
            table.months = reader.optional("months");
            table.prompt = reader.optional("prompt");
            table.early_media = reader.optional("early_media");
            table.afterwards = reader.optional("afterwards");
        }
        table.cause = reader.optional("cause"); // Without "release" there is none to say.
        table
    }
}

impl QueueTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let mute = || Text::new("来电人只能听到静音", "callers would hear silence");
        QueueTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            greeting: reader.required("greeting", mute()),
            music: reader.required("music", mute()),
            ring: reader.or("ring", secs(20)),
            wrap_up: reader.or("wrap_up", secs(30)),
            away: reader.optional("away"),
            wait_max: reader.or("wait_max", secs(300)),
            no_seat_wait: reader.or("no_seat_wait", secs(20)),
            length_max: reader.or("length_max", 100),
            announce_every: reader.or("announce_every", secs(30)),
            overflow_prompt: reader.required("overflow_prompt", mute()),
            rules: RulesTable::read(reader),
        }
    }
}

impl SeatTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let open = Text::new("话机无法登录", "the telephone could not sign in");
        SeatTable {
            spot: reader.spot.clone(),
            id: reader.required("id", unnamed()),
            name: reader.required("name", unnamed()),
            role: reader.or("role", Role::default()),
            skills: reader.or("skills", Vec::new()),
            languages: reader.or("languages", Vec::new()),
            queues: reader.or("queues", Vec::new()),
            order: reader.or("order", 0),
            wrap_up: reader.optional("wrap_up"),
            secret: reader.required("secret", open),
            hours: HoursTable::read(reader),
            sound: SoundTable::read(reader),
        }
    }
}

impl NumberTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let aimless = Text::new(
            "引擎不知道怎样处理拨打该号码的来电",
            "the engine would not know what to do with its calls",
        );
        let unowned =
            Text::new("工单和报表里看不出责任单位", "tickets and reports would not show who is responsible");
        let number = reader.required("number", unnamed());
        let mode = reader.required("mode", aimless);
        let bench = mode.as_ref().is_some_and(|said: &Said<ModeWord>| said.value == ModeWord::Bench);
        NumberTable {
            spot: reader.spot.clone(),
            number,
            aliases: reader.or("aliases", Vec::new()),
            from: reader.optional("from"),
            until: reader.optional("until"),
            name: reader.required("name", unnamed()),
            owner: if bench { reader.or("owner", String::new()) } else { reader.required("owner", unowned) },
            row: reader.or("row", String::new()),
            mode,
            seats: reader.optional("seats"),
            restored: reader.section("restored", RestoredTable::read),
            queue: reader.optional("queue"),
            greeting: reader.optional("greeting"),
            flow: reader.optional("flow"),
            language: reader.optional("language"),
            expert_seats: reader.or("expert_seats", false),
            confidential: reader.or("confidential", false),
            skills: reader.or("skills", Vec::new()),
            transition: reader.section("transition", |reader| TransitionTable::read(reader, false)),
            trunk: reader.optional("trunk"),
            dial: reader.optional("dial"),
            ring: reader.optional("ring"),
            hours: HoursTable::read(reader),
            does: reader.optional("does"),
            prompt: reader.optional("prompt"),
            record: reader.optional("record"),
        }
    }

    /// Longest ringing at the far side.
    pub fn ring_or_default(&self) -> Duration {
        self.ring.as_ref().map_or(PEER_RING, |said| said.value)
    }
}

impl EmergencyTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let unreachable =
            Text::new("座席无法把来电转到该紧急热线", "clerks could not put a caller through to it");
        EmergencyTable {
            number: reader.required("number", unnamed()),
            trunk: reader.required("trunk", unreachable),
            dial: reader.optional("dial"),
            ring: reader.or("ring", PEER_RING),
            scope: reader.optional("scope"),
            area: reader.optional("area"),
            stay: reader.or("stay", true),
        }
    }
}

impl SinkTable {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let lost = Text::new("工单无处可送", "tickets would have nowhere to go");
        let name = reader.required("name", unnamed());
        let kind: Field<SinkWord> = reader.required("kind", lost);
        let owes = kind.as_ref().is_none_or(|said| said.value != SinkWord::Sqlite);
        SinkTable {
            spot: reader.spot.clone(),
            name,
            kind,
            path: reader.optional("path"),
            url: reader.optional("url"),
            secret: reader.optional("secret"),
            timeout: reader.or("timeout", secs(5)),
            pace: PaceTable::read(reader, owes),
        }
    }
}

pub(super) fn unnamed() -> Text {
    Text::new("别处无法引用它，记录里也认不出它", "nothing could refer to it, and records could not name it")
}

fn nowhere() -> Text {
    Text::new("引擎不知道为哪座城市服务", "the engine would not know which city it serves")
}

fn deaf() -> Text {
    Text::new("引擎不知道在哪里收呼叫", "the engine would not know where to receive calls")
}
