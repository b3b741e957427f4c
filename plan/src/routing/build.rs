//! Tables that passed every rule, turned into the [`Plan`].
//!
//! Every `?` here is on a field whose absence the reading or a rule has already noted.

mod afterwards;
mod calendar;
mod callers;
mod feed;
mod kb;
mod people;
mod queueing;
pub mod script;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::admin::AdminTable;
use super::by_number::ByNumber;
use super::emergency::Center;
use super::in_use::{self, InUse};
use super::meeting::{Meeting, SEATS};
use super::people::Hours;
use super::plan::*;
use super::proof::HumanFirst;
use super::queueing::Known;
use super::retention::Retention;
use super::rewrite::{Act, Rewriting, Rule, Rules};
use super::security::SecurityTable;
use super::source::Said;
use super::tables::alias::AliasSaid;
use super::tables::kpi::KpiTable;
use super::tables::meeting::MeetingTable;
use super::tables::proof::{HumanFirstTable, RestoredTable};
use super::tables::trunk::{MemberTable, ProbeSaid, RewriteTable, RuleTable};
use super::tables::{
    AfterwardsWord, BenchWord, GroupTable, ModeWord, NumberTable, QueueTable, RoutingTable, SinkTable,
    SinkWord, SurveyTable, TlsTable, TransitionTable, TrunkTable,
};
use super::trace::TraceTable;
use crate::id::{LanguageId, LineId, PromptId, QueueId, ScriptId, TrunkId};

/// Makes the plan; `None` only where an error was noted before.
pub fn plan(table: &RoutingTable, prompts: BTreeMap<PromptId, Prompt>, digest: String) -> Option<Plan> {
    let trunks = keyed(&table.trunks, |own| trunk(own, table.is_live()), |trunk| trunk.id.clone())?;
    let bring_calls = bring_calls(table, &trunks);
    let groups = keyed(&table.groups, |own| group(own, &trunks), |group| group.id.clone())?;
    let transition = match &table.transition {
        Some(own) => transition(own, None)?,
        None => Transition::none(),
    };
    let line = |number: &NumberTable| line(number, table);
    let emergency = table.emergencies.iter().map(|said| {
        let number = text(&said.number)?;
        let far = said.dial.as_ref().unwrap_or(said.number.as_ref()?);
        let peer = Peer {
            trunk: TrunkId::from(text(&said.trunk)?),
            number: far.value.clone(),
            ring: value(&said.ring)?,
            drill: is_drill(text(&said.trunk)?, table),
            hours: Hours::default(),
        };
        Some((LineId::from(number), peer))
    });
    let centers = table.emergencies.iter().map(|said| {
        let center = Center { scope: value(&said.scope), area: value(&said.area), stay: value(&said.stay)? };
        Some((LineId::from(text(&said.number)?), center))
    });
    let departments = table.departments.iter().map(|own| people::department(own, table));
    let names = table.departments.iter();
    let names = names.map(|own| Some((LineId::from(text(&own.number)?), value(&own.name)?)));
    let city = city(table)?;
    let lines: ByNumber<Line> =
        keyed(&table.numbers, line, |line| line.number.clone())?.into_iter().collect();
    let callers = callers::callers(table, &city)?;
    Some(Plan {
        digest,
        purpose: value(&table.purpose)?,
        aliases: in_use::aliases(&lines, &city.time_zone),
        city,
        network: network(table)?,
        lines,
        meetings: table.meetings.iter().map(meeting).collect::<Option<_>>()?,
        transition,
        trunks,
        bring_calls,
        groups,
        seats: keyed(&table.seats, |own| people::seat(own, table), |seat| seat.id.clone())?,
        queues: keyed(&table.queues, |own| queue(own, table), |queue| queue.id.clone())?,
        emergency: emergency.collect::<Option<_>>()?,
        centers: centers.collect::<Option<_>>()?,
        departments: departments.collect::<Option<_>>()?,
        department_names: names.collect::<Option<_>>()?,
        peers: people::peers(table)?,
        experts: keyed(&table.experts, |own| people::group(own, table), |group| group.number.clone())?,
        three_way: people::three_way(table.three_way.as_ref())?,
        work: people::work(table.work.as_ref())?,
        tokens: table.tokens.iter().map(people::token).collect::<Option<_>>()?,
        callers,
        disposition: afterwards::disposition(table.disposition.as_ref())?,
        kpi: KpiTable::plan(table)?,
        missed: afterwards::missed(table.missed.as_ref())?,
        follow_up: afterwards::follow_up(table)?,
        calling: match &table.calling {
            Some(own) => Some(afterwards::calling(own)?),
            None => None,
        },
        scripts: keyed(
            &table.flows,
            |own| script::script(own, table).map(Arc::new),
            |script| script.id.clone(),
        )?,
        look_ups: keyed(&table.look_ups, script::look_up, |source| source.id.clone())?,
        bots: keyed(&table.bots, script::bot, |bot| bot.id.clone())?,
        kb: match &table.kb {
            Some(own) => Some(kb::kb(own)?),
            None => None,
        },
        prompts,
        recording: recording(table)?,
        survey: survey(table.survey.as_ref())?,
        seat_greeting: table.seat_greeting.as_ref().map_or(SeatGreeting::Silent, |said| said.value),
        sinks: table.sinks.iter().map(sink).collect::<Option<_>>()?,
        feeds: table.feeds.iter().map(|own| feed::feed(own, table)).collect::<Option<_>>()?,
        limits: limits(table)?,
        trace: TraceTable::plan(table.trace.as_ref())?,
        security: SecurityTable::plan(table.security.as_ref())?,
        admin: AdminTable::plan(table.admin.as_ref())?,
        human_first: human_first(table.human_first.as_ref())?,
        merge_list: table.city.as_ref().and_then(|city| value(&city.merge_list)),
        retired: match table.retired.as_ref().and_then(|retired| retired.numbers.as_ref()) {
            Some(numbers) => numbers.value.iter().map(|said| LineId::from(said.value.as_str())).collect(),
            None => Vec::new(),
        },
        watch: table.watch.as_ref().is_none_or(|said| said.value),
        calendars: table.calendars().clone(),
    })
}

fn recording(table: &RoutingTable) -> Option<Recording> {
    Some(Recording {
        enabled: table.recording.as_ref().is_some_and(|said| said.value),
        tracks: table.recording_tracks.as_ref().is_some_and(|said| said.value),
        format: table.recording_format.as_ref().map_or(RecordingFormat::Wav, |said| said.value),
        key: table.recording_key.as_ref().map(|said| said.value.clone()),
        old_keys: table
            .recording_old_keys
            .iter()
            .flat_map(|said| said.value.iter().map(|key| key.value.clone()))
            .collect(),
        retention: Retention::plan(value(&table.recording_keep), &table.recording_classes)?,
        // Unsaid in a file that says nothing of recordings at all.
        secret: list(&table.recording_secret, String::clone).unwrap_or_default(),
        notice: text(&table.recording_notice).map(PromptId::from),
    })
}

fn keyed<T, V, K: Ord>(
    tables: &[T],
    build: impl Fn(&T) -> Option<V>,
    key: impl Fn(&V) -> K,
) -> Option<BTreeMap<K, V>> {
    tables.iter().map(|table| build(table).map(|built| (key(&built), built))).collect()
}

fn value<T: Clone>(said: &Option<Said<T>>) -> Option<T> {
    said.as_ref().map(|said| said.value.clone())
}

fn text(said: &Option<Said<String>>) -> Option<&str> {
    said.as_ref().map(|said| said.value.as_str())
}

fn list<T, V>(said: &Option<Said<Vec<Said<T>>>>, build: impl Fn(&T) -> V) -> Option<Vec<V>> {
    let said = said.as_ref()?;
    Some(said.value.iter().map(|item| build(&item.value)).collect())
}

fn city(table: &RoutingTable) -> Option<City> {
    let city = table.city.as_ref()?;
    Some(City {
        name: value(&city.name)?,
        area_code: value(&city.area_code)?,
        country_code: value(&city.country_code)?,
        time_zone: value(&city.time_zone)?,
        org: value(&city.org),
    })
}

fn network(table: &RoutingTable) -> Option<Network> {
    let network = table.network.as_ref()?;
    let ports = value(&network.rtp_ports)?;
    Some(Network {
        listen: list(&network.listen, Listener::clone)?,
        tls: table.tls.as_ref().map_or_else(Tls::default, tls),
        rtp_ports: (ports.0, ports.1),
        domain: value(&network.domain)?,
        silence_max: value(&network.silence_max)?,
        mute_max: value(&network.mute_max)?,
        one_way_max: value(&network.one_way_max)?,
        session_expires: value(&network.session_expires)?,
        dns: list(&network.dns, |at| *at)?,
    })
}

/// Each of its files may be left out; a rule has seen which are needed.
fn tls(table: &TlsTable) -> Tls {
    Tls {
        certificate: value(&table.certificate),
        key: value(&table.key),
        client_ca: value(&table.client_ca),
        roots: value(&table.roots),
    }
}

fn limits(table: &RoutingTable) -> Option<Limits> {
    use std::time::Duration;
    let Some(limits) = &table.limits else {
        return Some(Limits {
            calls_max: 1_200,
            durable_wait: Duration::from_millis(250),
            drain_grace: Duration::from_secs(60),
            call_max: Duration::from_secs(4 * 3_600),
        });
    };
    Some(Limits {
        calls_max: value(&limits.calls_max)?,
        durable_wait: value(&limits.durable_wait)?,
        drain_grace: value(&limits.drain_grace)?,
        call_max: value(&limits.call_max)?,
    })
}

/// A file without the table asks nothing after the call.
fn survey(table: Option<&SurveyTable>) -> Option<Survey> {
    let Some(survey) = table else {
        return Some(Survey {
            enabled: false,
            wait: std::time::Duration::from_secs(8),
            tries: 1,
            reason: false,
        });
    };
    Some(Survey {
        enabled: value(&survey.enabled)?,
        wait: value(&survey.wait)?,
        tries: value(&survey.tries)?,
        reason: value(&survey.reason)?,
    })
}

/// A transition whose gaps are filled from `whole`.
fn transition(own: &TransitionTable, whole: Option<&TransitionTable>) -> Option<Transition> {
    fn either<T: Clone>(own: &Option<Said<T>>, whole: Option<&Option<Said<T>>>) -> Option<T> {
        value(own).or_else(|| whole.and_then(value))
    }
    Some(Transition {
        start: either(&own.start, whole.map(|whole| &whole.start))?,
        months: either(&own.months, whole.map(|whole| &whole.months))?,
        prompt: PromptId::from(either(&own.prompt, whole.map(|whole| &whole.prompt))?.as_str()),
        early_media: either(&own.early_media, whole.map(|whole| &whole.early_media)).unwrap_or(false),
        afterwards: match either(&own.afterwards, whole.map(|whole| &whole.afterwards)) {
            Some(AfterwardsWord::Release) => {
                let cause = either(&own.cause, whole.map(|whole| &whole.cause));
                Afterwards::Release(cause.unwrap_or_default())
            }
            Some(AfterwardsWord::Connect) | None => Afterwards::Connect,
        },
    })
}

fn trunk(table: &TrunkTable, live: bool) -> Option<Trunk> {
    let targets = table.target.as_ref().map_or(&[][..], |said| &said.value.0);
    Some(Trunk {
        id: TrunkId::from(text(&table.name)?),
        sources: list(&table.sources, |net| *net)?,
        certificate: value(&table.certificate),
        targets: targets.iter().map(|said| said.value.clone()).collect(),
        domain: table.domain.as_ref().map(|said| said.value.0.clone()),
        account: match &table.account {
            Some(account) => Some(Account {
                user: value(&account.user)?,
                password: value(&account.password)?,
                realm: value(&account.realm),
            }),
            None => None,
        },
        register: value(&table.register),
        probe: probe(table, live),
        dialled_from: list(&table.dialled_from, |place| *place)?,
        trust_identity: value(&table.trust_identity)?,
        forwarded_in: list(&table.forwarded_in, |header| *header)?,
        connect_timeout: value(&table.connect_timeout)?,
        calls_max: value(&table.calls_max)?,
        calls_per_second: value(&table.calls_per_second).unwrap_or(0),
        priority: value(&table.priority)?,
        weight: value(&table.weight)?,
        emergency_center: value(&table.emergency_center)?,
        drill: table.drill.as_ref().is_some_and(|said| said.value),
        sound: table.sound.plan(None),
        terms: table.terms.plan(),
        rewrite: match &table.rewrite {
            Some(rewrite) => rewriting(rewrite)?,
            None => Rewriting::default(),
        },
    })
}

/// Calls of citizens come by the first of them, wherever emergency centers stand in the file.
fn bring_calls(table: &RoutingTable, trunks: &BTreeMap<TrunkId, Trunk>) -> Vec<TrunkId> {
    let written = table.trunks.iter().filter_map(|own| trunks.get(text(&own.name)?));
    let mut bring: Vec<&Trunk> = written.filter(|trunk| trunk.takes_calls()).collect();
    bring.sort_by_key(|trunk| trunk.emergency_center);
    bring.into_iter().map(|trunk| trunk.id.clone()).collect()
}

/// Unsaid, a live trunk with a real target is probed: a call is then never the first to find it dead.
/// A drill's target is nobody, and a load tool's would count OPTIONS as calls gone wrong.
fn probe(table: &TrunkTable, live: bool) -> Option<Probing> {
    let drill = table.drill.as_ref().is_some_and(|said| said.value);
    match table.probe.as_ref().map(|said| &said.value) {
        None => (live && !drill && table.target.is_some()).then(Probing::default),
        Some(ProbeSaid::Switch(on)) => on.then(Probing::default),
        Some(ProbeSaid::Table(said)) => Some(Probing {
            every: value(&said.every)?,
            down_after: value(&said.down_after)?,
            up_after: value(&said.up_after)?,
        }),
    }
}

fn rewriting(table: &RewriteTable) -> Option<Rewriting> {
    Some(Rewriting {
        called: rules(&table.called)?,
        caller: rules(&table.caller)?,
        called_inward: rules(&table.called_inward)?,
        caller_inward: rules(&table.caller_inward)?,
    })
}

/// Rules as they are applied; `None` where one is not whole.
pub(super) fn rules(tables: &[RuleTable]) -> Option<Rules> {
    let rule = |table: &RuleTable| {
        let act = match (&table.to, &table.strip, &table.add) {
            (Some(to), ..) => Act::Become(to.value.0.clone()),
            (None, None, None) => Act::Keep,
            (None, strip, add) => Act::Shape {
                strip: strip.as_ref().map_or(0, |said| usize::from(said.value)),
                add: add.as_ref().map_or_else(String::new, |said| said.value.0.clone()),
            },
        };
        Some(Rule { when: value(&table.when)?, length: value(&table.length), act })
    };
    tables.iter().map(rule).collect::<Option<_>>().map(Rules::new)
}

/// Members keep the trunk's own priority and weight where the group says none.
fn group(table: &GroupTable, trunks: &BTreeMap<TrunkId, Trunk>) -> Option<TrunkGroup> {
    let member = |said: &Said<MemberTable>| {
        let trunk = trunks.get(text(&said.trunk)?)?;
        Some(Member {
            trunk: trunk.id.clone(),
            priority: value(&said.priority).unwrap_or(trunk.priority),
            weight: value(&said.weight).unwrap_or(trunk.weight),
        })
    };
    Some(TrunkGroup {
        id: TrunkId::from(text(&table.name)?),
        members: table.trunks.as_ref()?.value.iter().map(member).collect::<Option<_>>()?,
    })
}

fn queue(table: &QueueTable, whole: &RoutingTable) -> Option<Queue> {
    Some(Queue {
        id: QueueId::from(text(&table.name)?),
        greeting: PromptId::from(text(&table.greeting)?),
        music: PromptId::from(text(&table.music)?),
        ring: value(&table.ring)?,
        wrap_up: value(&table.wrap_up)?,
        away: table.away.as_ref().map(|said| said.value),
        wait_max: value(&table.wait_max)?,
        no_seat_wait: value(&table.no_seat_wait)?,
        length_max: value(&table.length_max)?,
        announce_every: value(&table.announce_every)?,
        overflow_prompt: PromptId::from(text(&table.overflow_prompt)?),
        rules: queueing::rules(&table.rules, whole)?,
    })
}

fn line(number: &NumberTable, table: &RoutingTable) -> Option<Line> {
    let queue = || text(&number.queue).map(QueueId::from);
    let mode = match number.mode.as_ref()?.value {
        ModeWord::Primary => LineMode::Primary { queue: queue()? },
        ModeWord::Merged => LineMode::Merged { queue: queue()? },
        ModeWord::Dual if number.is_elsewhere() => {
            LineMode::Retained { peer: peer(number, table)?, queue: queue()? }
        }
        ModeWord::Dual => LineMode::Dual { queue: queue()? },
        ModeWord::SubCenter => LineMode::SubCenter { peer: peer(number, table)?, queue: queue()? },
        ModeWord::Bench => LineMode::Bench(bench(number, table)?),
    };
    let own = match &number.transition {
        Some(own) => Some(transition(own, table.transition.as_ref())?),
        None => None,
    };
    Some(Line {
        number: LineId::from(text(&number.number)?),
        aliases: list(&number.aliases, AliasSaid::plan)?,
        in_use: InUse::new(value(&number.from), value(&number.until), zone(table)?),
        name: value(&number.name)?,
        owner: value(&number.owner)?,
        mode,
        row: value(&number.row)?,
        expert_seats: value(&number.expert_seats)?,
        is_confidential: value(&number.confidential)?,
        skills: list(&number.skills, Known::clone)?,
        transition: own,
        language: text(&number.language).map(LanguageId::from),
        greeting: text(&number.greeting).map(PromptId::from),
        script: text(&number.flow).map(ScriptId::from),
        restored: match &number.restored {
            Some(own) => Some(restored(own)?),
            None => None,
        },
    })
}

fn zone(table: &RoutingTable) -> Option<&TimeZone> {
    Some(&table.city.as_ref()?.time_zone.as_ref()?.value)
}

fn restored(table: &RestoredTable) -> Option<Restored> {
    Some(Restored {
        reason: value(&table.reason)?,
        approver: value(&table.approver)?,
        date: value(&table.date)?,
    })
}

fn human_first(table: Option<&HumanFirstTable>) -> Option<HumanFirst> {
    let Some(table) = table else { return Some(HumanFirst::default()) };
    Some(HumanFirst { time_max: value(&table.time_max)?, presses_max: value(&table.presses_max)? })
}

fn meeting(table: &MeetingTable) -> Option<Arc<Meeting>> {
    let from = &table.from.as_ref()?.value;
    Some(Arc::new(Meeting {
        name: value(&table.name)?,
        prefix: value(&table.prefix)?,
        digits: value(&table.digits)?,
        members_max: value(&table.members_max)?,
        prompt: text(&table.prompt).map(PromptId::from),
        record: value(&table.record)?,
        seats: from.iter().any(|said| said.value == SEATS),
        trunks: from
            .iter()
            .filter(|said| said.value != SEATS)
            .map(|said| TrunkId::from(said.value.as_str()))
            .collect(),
    }))
}

fn bench(number: &NumberTable, table: &RoutingTable) -> Option<BenchLine> {
    let prompt = || text(&number.prompt).map(PromptId::from);
    Some(match number.does.as_ref()?.value {
        BenchWord::Silent => BenchLine::Silent,
        BenchWord::PlayOnce => BenchLine::PlayOnce(prompt()?),
        BenchWord::PlayForever => BenchLine::PlayForever(prompt()?),
        BenchWord::Dial => BenchLine::Dial {
            peer: peer(number, table)?,
            record: number.record.as_ref().is_some_and(|said| said.value),
        },
    })
}

/// The far side of a number: its own number there, unless `dial` says another.
fn peer(number: &NumberTable, table: &RoutingTable) -> Option<Peer> {
    let trunk = text(&number.trunk)?;
    let far = number.dial.as_ref().or(number.number.as_ref())?;
    Some(Peer {
        trunk: TrunkId::from(trunk),
        number: far.value.clone(),
        ring: number.ring_or_default(),
        drill: is_drill(trunk, table),
        hours: calendar::hours(&number.hours, table)?,
    })
}

/// Whether a trunk, or every trunk of a group, leads to nobody real.
fn is_drill(name: &str, table: &RoutingTable) -> bool {
    let drills = |name: &str| {
        let mut trunks = table.trunks.iter().filter(|trunk| text(&trunk.name) == Some(name));
        trunks.any(|trunk| trunk.drill.as_ref().is_some_and(|said| said.value))
    };
    match table.groups.iter().find(|group| text(&group.name) == Some(name)) {
        Some(group) => {
            let members = group.trunks.iter().flat_map(|said| &said.value);
            members.filter_map(|member| text(&member.trunk)).all(drills)
        }
        None => drills(name),
    }
}

fn sink(table: &SinkTable) -> Option<Sink> {
    let kind = match table.kind.as_ref()?.value {
        SinkWord::Sqlite => SinkKind::Sqlite,
        SinkWord::Jsonl => SinkKind::Jsonl { path: value(&table.path)? },
        SinkWord::Http => SinkKind::Http { url: value(&table.url)?, secret: value(&table.secret)? },
    };
    let pace = feed::pace(&table.pace);
    Some(Sink { name: value(&table.name)?, kind, timeout: value(&table.timeout)?, pace })
}
