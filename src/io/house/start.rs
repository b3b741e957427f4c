//! Everything up to listening, in the order that loses nothing: the store first, what a crash left
//! is closed and repaired, then plan, secrets, sound, sockets.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use super::day::Day;
use super::looking::LookUps;
use super::premises::{self, Premises};
use super::sounds::Sounds;
use super::{Ask, House, Ready, Setup, StartError, feeds, key_list, keys, reload};
use crate::id::Dice;
use crate::io::bot::{self, Bots};
use crate::io::http::feed::Feed;
use crate::io::kb::Kb;
use crate::io::look_up::Sources;
use crate::io::media::{MediaConfig, MediaHandle, PortRange, needed_files, needed_pairs, raise_file_limit};
use crate::io::recorder::keeper::due::Terms;
use crate::io::recorder::{self, Archive, ArchiveConfig, Format, Keeper, KeeperConfig, RecorderConfig};
use crate::io::resolver::{Pace, Resolver};
use crate::io::secrets::Keyring;
use crate::io::sip_socket::{Limits, SipSockets, tls};
use crate::io::store::{self, Desk, Errands, KeptNotice, Opening, Repaired, StoreError};
use crate::io::trace::Tracer;
use crate::io::{http, plan_files, ticket_sink};
use crate::media::SoundBank;
use crate::routing::Plan;
use crate::routing::diagnostic::Report;
use crate::routing::plan::RecordingFormat;
use crate::sip::event::ListenerConfig;
use crate::sip::locate::Reach;
use crate::switchboard::hand_on_again::Unhanded;
use crate::switchboard::{self, Input, Switchboard, ticketing};
use crate::telemetry::{CallRecord, Metrics};
use crate::time::{Now, Timestamp};

pub(super) type StartResult<T> = Result<T, StartError>;

pub(super) fn outside<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> StartError {
    move |error| StartError::Outside { what, why: error.to_string() }
}

/// The same with what to do about it, in both languages.
fn mendable<E: std::fmt::Display>(what: &'static str, [zh, en]: [String; 2]) -> impl Fn(E) -> StartError {
    move |error| StartError::Outside { what, why: format!("{error}\n{zh}\n{en}") }
}

/// What is wrong with a plan that is taken all the same.
pub(super) fn log(report: &Report) {
    for found in report.for_the_log() {
        tracing::warn!(code = found.code, "{} / {}", found.problem.zh, found.problem.en);
    }
}

/// Names this engine in tickets.
const NODE: &str = "node-1";
/// The longest that `within` of `[[disposition.immediate]]` may be.
const WITHIN_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Calls that kept a place are looked for among those of so long ago at least.
const KEPT_AT_LEAST: Duration = Duration::from_secs(24 * 3_600);

impl House {
    /// Opens the house. Must be called inside a tokio runtime; `worker` runs sinks and HTTP.
    pub fn open(setup: Setup, worker: tokio::runtime::Handle) -> Result<House, StartError> {
        let now = setup.clock.now().wall;
        let mut reading = plan_files::read_opening(&setup.config, &setup.overrides, now);
        let Some(plan) = reading.outcome.plan.take().map(Arc::new) else {
            return Err(StartError::Plan(reading.outcome.report.render(false)));
        };
        log(&reading.outcome.report);
        let premises = Premises::enter(&setup.data)?;
        key_list::look_over(&plan, &setup.data)?;
        // Before anything of the last run is touched: whatever can fail by the operator's hand.
        let (certificates, sockets, faces) = sip(&plan, &setup, &worker)?;
        let listener = plan.admin.http.map(listen_for_http).transpose()?;
        let now = setup.clock.now();
        let names: Vec<String> = plan.outlets().map(|sink| sink.name.clone()).collect();
        let mut opening = Opening::open(&setup.data, &names).map_err(unusable(&setup.data))?;
        warn_of_past_clock(&opening, now)?;
        for (place, _) in plan.sinks.iter().enumerate().filter(|(_, sink)| sink.is_embedded()) {
            opening.embed(place).map_err(outside("store"))?;
        }
        for (place, feed) in (plan.sinks.len()..).zip(&plan.feeds) {
            opening.feed(place, feeds::scope(feed));
        }
        let last_ticket = opening.last_ticket().map_err(outside("store"))?;
        // Before anything is added by today's clock.
        let newest = opening.newest().map_err(outside("store"))?;
        let closed = close_crashed(&mut opening, &setup, &plan)?;
        let last_house = opening.last_house().map_err(outside("store"))?;
        let bindings = opening.bindings().map_err(outside("store"))?;
        let kept = kept(&opening, &plan, now)?;
        let missed = missed(&opening, &plan, now)?;
        let notices = opening.notices(now.wall).map_err(outside("store"))?;
        let ungraded = ungraded(&opening, &plan, now)?;
        let in_vain = in_vain(&opening, &plan, now)?;
        let hand_ons = hand_ons(&opening, &plan, newest)?;
        let mut ring = Keyring::new(&setup.data);
        let accounts = keys::accounts(&plan, &mut ring)?;
        let trunk_passwords = keys::trunk_passwords(&plan, &mut ring)?;
        premises::warn_if_open(&setup.data);
        key_list::warn_of_open(&plan, &setup.data);
        let (tokens, known_tokens) = watch::channel(keys::tokens(&plan, &mut ring)?);
        let before = ring.created().len();
        let keys = keys::seal_keys(&plan, &mut ring)?;
        if ring.created().len() > before {
            warn_of_lost_key(&setup.data);
        }
        let (seal_keys, known_seal_keys) = watch::channel(Arc::clone(&keys));
        let feed = Feed::default();

        let (door, asks) = mpsc::unbounded_channel();
        let tell = door.clone();
        let store =
            opening.start(move |report| drop(tell.send(Ask::Store(report)))).map_err(outside("store"))?;
        let desk = Desk::start(setup.data.join(store::FILE)).map_err(outside("store"))?;
        // Of its own: what departments are told keeps no screen waiting.
        let feed_desk = Desk::start(setup.data.join(store::FILE)).map_err(outside("store"))?;
        let opened = plan.sinks.iter().map(|sink| ticket_sink::open(sink, &mut ring));
        let mut sinks = opened.collect::<Result<Vec<_>, _>>().map_err(outside("ticket_sink"))?;
        for feed in &plan.feeds {
            sinks.push(ticket_sink::open_feed(feed, &mut ring, &feed_desk).map_err(outside("feed"))?);
        }
        feeds::tell_totals(&plan, &store.errands(), &door, setup.clock, &worker);

        let look_ups =
            Sources::open(&plan, &mut ring, &desk, &Sources::default()).map_err(outside("look_up"))?;
        let look_ups = LookUps::of(&plan.digest, look_ups);
        let (kb, known_kb) = watch::channel(Kb::open(&plan, &mut ring).map_err(outside("kb"))?.map(Arc::new));

        bot::check(&plan, &mut ring).map_err(outside("bot"))?;
        let bots = Bots::new(worker.clone(), setup.data.clone());

        worker.spawn(certificates.watch(tls::LOOK));
        let mut key = [0; 32];
        rand::RngCore::fill_bytes(&mut rand::rng(), &mut key);
        let mut dice = Dice::keyed(key);
        let mut in_bank = Sounds::default();
        let sounds = in_bank.take(&plan);
        let media_woke = Arc::new(Notify::new());
        let media = open_media(&setup, &plan, &in_bank.bank, dice.split(), &media_woke)?;

        let archive = Archive::start(ArchiveConfig {
            data: setup.data.clone(),
            format: format(&plan),
            keys,
            errands: store.errands(),
        })
        .map_err(outside("archive"))?;
        let keeper = keeper(&setup, &plan, store.errands(), newest)?;

        let tell = door.clone();
        let mut resolver = Resolver::new(
            worker.clone(),
            Reach::of(&faces),
            Pace::default(),
            dice.split(),
            Arc::new(move |news| drop(tell.send(Ask::Located(news)))),
        );
        resolver.follow(&plan);
        let tracer =
            Tracer::start(setup.data.clone(), plan.trace, &faces, setup.clock).map_err(outside("trace"))?;
        let board = Switchboard::new(
            switchboard::Setup {
                plan: plan.clone(),
                accounts,
                trunk_passwords,
                sounds,
                listeners: faces.clone(),
                dice,
                node: NODE.into(),
                shifted_clock: setup.clock.is_shifted(),
                last_ticket,
                last_house,
            },
            now,
        );
        let mut metrics = Metrics::new();
        metrics.judge_by(&plan.kpi);
        closed.iter().for_each(|fact| metrics.apply(fact));
        let serving = Arc::new(AtomicBool::new(false));
        let listening = match listener {
            Some(listener) => {
                let state = http::State {
                    door: door.clone(),
                    figures: metrics.figures().clone(),
                    serving: serving.clone(),
                    tokens: known_tokens,
                    kb: known_kb,
                    ring: feed.ring(),
                    bounds: http::Bounds::default(),
                    data: setup.data.clone(),
                    seal_keys: known_seal_keys,
                    desk: desk.clone(),
                    errands: store.errands(),
                    flush: tracer.flush(),
                };
                Some(http::serve(listener, state, &worker).map_err(outside("http"))?)
            }
            None => None,
        };
        // Datagrams first: what a softphone is told to dial.
        let mut sip: Vec<_> = faces
            .iter()
            .map(|face| (face.transport, std::net::SocketAddr::new(face.advertise, face.bind.port())))
            .collect();
        sip.sort_by_key(|(transport, _)| transport.is_reliable());
        // Everything is open: the plan is in force, and kept as one that was.
        let (in_force, before, difference) = reload::at_start(&plan, &reading.files, &setup);
        metrics.figures().plan_number(in_force.number);
        let (watched, look_at) =
            watch::channel(reload::watch::Watched::of(plan.watch, reading.marks(), ring.marks().to_vec()));
        worker.spawn(reload::watch::watch(door.clone(), look_at));
        worker.spawn(reload::daily::daily(door.clone(), setup.clock, plan.city.time_zone.clone()));
        let ready = Ready { sip, http: listening, created: ring.created().to_vec(), shell: media.shell() };
        let mut house = House {
            setup,
            board,
            sockets,
            media,
            archive,
            seal_keys,
            keeper,
            desk,
            feed_desk,
            sinks,
            look_ups,
            kb,
            bots,
            resolver,
            worker,
            metrics,
            tracer,
            feed,
            tokens,
            ring,
            gauges: super::gauges::Gauges::default(),
            complained: BTreeMap::new(),
            sounds: in_bank,
            door,
            asks,
            media_woke,
            serving,
            stopping: false,
            drained: false,
            abandoned_at: None,
            store_fails: false,
            ready,
            _premises: premises,
            store: Some(store),
            started: plan.clone(),
            in_force,
            reloads: reload::Reloads::new(),
            watched,
            plan,
        };
        house.note_start(before.as_ref(), &difference);
        let (rules, call_max) = (house.plan.kpi.clone(), house.plan.limits.call_max);
        let day = Day { data: house.setup.data.clone(), rules, until: now.wall, call_max };
        day.begin(house.door.clone());
        for KeptNotice { notice, samples } in notices {
            house.notice_added(notice, &SoundBank::new([samples]));
        }
        for (seat, binding) in bindings {
            house.tell(Input::RestoreBinding { seat, binding });
        }
        // Whose place is kept is not on the list of missed calls.
        house.tell(Input::RestoreKept { facts: kept });
        house.tell(Input::RestoreMissed { facts: missed });
        house.tell(Input::RestoreFollowUps { facts: ungraded });
        house.tell(Input::RestoreMisses { facts: in_vain });
        house.tell(Input::RestoreHandOns { owed: hand_ons });
        Ok(house)
    }

    fn tell(&self, input: Input) {
        // The receiver lives as long as the house.
        let _ = self.door.send(Ask::Input(input));
    }
}

/// Where SIP is spoken, and with which certificates.
fn sip(
    plan: &Plan,
    setup: &Setup,
    worker: &tokio::runtime::Handle,
) -> Result<(Arc<tls::Certificates>, SipSockets, Vec<ListenerConfig>), StartError> {
    let files = tls::Files::of(&plan.network.tls, &setup.data);
    let certificates = tls::Certificates::open(files).map_err(outside("tls"))?;
    let bound =
        SipSockets::bind(&plan.network.listen, certificates.clone(), worker.clone(), Limits::default());
    let (sockets, faces) = bound.map_err(mendable(
        "listen",
        [
            "端口可能被别的程序占用（ss -lunpt 可查），地址须是本机的，1024 以下的端口要有权限；\
             改 network.listen，或用 --listen 代替"
                .to_owned(),
            "another program may have the port (see ss -lunpt), the address must be this machine's, and ports below \
             1024 need a privilege; change network.listen, or use --listen in its place"
                .to_owned(),
        ],
    ))?;
    Ok((certificates, sockets, faces))
}

fn listen_for_http(at: SocketAddr) -> Result<TcpListener, StartError> {
    http::bind(at).map_err(|error| {
        mendable(
            "http",
            [
                "端口可能被别的程序占用（ss -lntp 可查）；用 --http 或 [admin] http 另指地址和端口，或 --http off 不监听".to_owned(),
                "another program may have the port (see ss -lntp); name another address and port with --http or http of [admin], \
                 or use --http off"
                    .to_owned(),
            ],
        )(format!("{at}: {error}"))
    })
}

fn unusable(data: &Path) -> impl Fn(StoreError) -> StartError {
    let (file, data) = (data.join(store::FILE), data.display());
    let file = file.display();
    mendable(
        "store",
        [
            format!(
                "数据库 {file} 打不开或写不进去：检查 {data} 的属主、磁盘空间和挂载，或用 --data 另指一个目录"
            ),
            format!(
                "the database {file} cannot be opened or written to: look at the owner of {data}, the space on its \
                 disk and its mount, or name another directory with --data"
            ),
        ],
    )
}

/// Schedules, transition months and the days that things are kept for go by the wall clock.
fn warn_of_past_clock(opening: &Opening, now: Now) -> Result<(), StartError> {
    let newest = opening.newest().map_err(outside("store"))?;
    if let Some(newest) = newest.filter(|newest| *newest > now.wall) {
        tracing::warn!(
            clock = %now.wall,
            newest = %newest,
            "时钟 {0} 早于数据里最新的记录 {newest}：校准时钟（或去掉 --clock），否则班次、过渡期和保留期都会算错 / \
             the clock says {0}, which is before the newest fact of the data, {newest}: set the clock (or leave out \
             --clock); hours, transition months and terms go by it",
            now.wall
        );
    }
    Ok(())
}

/// What a crash left open is closed, with its repaired recording, before anything new begins.
/// The facts that were added.
fn close_crashed(
    opening: &mut Opening,
    setup: &Setup,
    plan: &Plan,
) -> Result<Vec<switchboard::Fact>, StartError> {
    let repaired: HashMap<_, _> = recorder::repair(&setup.data)
        .into_iter()
        .filter(|whole| whole.track.is_none())
        .map(|whole| (whole.call, Repaired { file: whole.file, duration_ms: whole.samples / 8 }))
        .collect();
    let source = crate::tickets::event::source(NODE);
    let events = |record: &CallRecord, fact: &switchboard::Fact| {
        let called = record.marks.outward.as_ref().filter(|_| record.marks.is_confidential());
        let hidden = called.map(|outward| outward.number.as_str());
        let caller = if record.marks.is_confidential() { "" } else { &record.caller };
        let about = ticketing::About { line: &record.line, caller, hidden, ticket: &record.ticket };
        ticketing::event(fact, Some(about), plan, &source).into_iter().collect()
    };
    let added =
        store::close_crashed(opening, setup.clock.now().wall, &repaired, events).map_err(outside("store"))?;
    if !added.is_empty() {
        tracing::warn!(
            facts = added.len(),
            recordings = repaired.len(),
            "calls of the last run were closed: crash"
        );
    }
    Ok(added)
}

/// What the list of missed calls is made of; nothing where there is none.
fn missed(opening: &Opening, plan: &Plan, now: Now) -> Result<Vec<switchboard::Fact>, StartError> {
    let rules = &plan.missed;
    if !rules.enabled {
        return Ok(Vec::new());
    }
    let since = now.wall.checked_sub(rules.keep).unwrap_or(Timestamp::MIN);
    opening.unanswered(since).map_err(outside("store"))
}

/// What kept places are made of. A place may have been kept by a plan that is no longer in force.
fn kept(opening: &Opening, plan: &Plan, now: Now) -> Result<Vec<switchboard::Fact>, StartError> {
    let rules = plan.queues.values().filter_map(|queue| queue.rules.callback.as_ref());
    let longest = rules.map(|rules| rules.keep).chain([KEPT_AT_LEAST]).max().unwrap_or(KEPT_AT_LEAST);
    let since = now.wall.checked_sub(longest + plan.limits.call_max).unwrap_or(Timestamp::MIN);
    opening.kept(since).map_err(outside("store"))
}

/// The same of those who are yet to be asked whether they were helped.
fn ungraded(opening: &Opening, plan: &Plan, now: Now) -> Result<Vec<switchboard::Fact>, StartError> {
    let rules = &plan.follow_up;
    if !rules.enabled {
        return Ok(Vec::new());
    }
    let since = now.wall.checked_sub(switchboard::follow_up::KEEP).unwrap_or(Timestamp::MIN);
    opening.ungraded(since, rules.percent).map_err(outside("store"))
}

/// What is known of callers who asked in vain, as long as it counts.
fn in_vain(opening: &Opening, plan: &Plan, now: Now) -> Result<Vec<switchboard::Fact>, StartError> {
    let Some(longest) = plan.look_ups.values().map(|source| source.lock).max() else {
        return Ok(Vec::new());
    };
    let since = now.wall.checked_sub(longest + plan.limits.call_max).unwrap_or(Timestamp::MIN);
    opening.in_vain(since).map_err(outside("store"))
}

/// Matters that were to be handed on at once and were not. What may not have been told yet was said no longer before the
/// last run's last fact than it had time; a plan that is no longer in force may have said how long.
fn hand_ons(opening: &Opening, plan: &Plan, newest: Option<Timestamp>) -> Result<Vec<Unhanded>, StartError> {
    let Some(newest) = newest else { return Ok(Vec::new()) };
    let longest = WITHIN_MAX + switchboard::LATE_MAX + plan.limits.call_max;
    let since = newest.checked_sub(longest).unwrap_or(Timestamp::MIN);
    opening.hand_ons(since).map_err(outside("store"))
}

/// A key was made just now: what was sealed before was so with another, which is not there any more.
fn warn_of_lost_key(data: &Path) {
    if recorder::has_sealed(data) {
        tracing::error!(
            "新建了录音密钥，而数据目录里已有加密的录音：把原密钥放回，写进 [recording] old_keys，否则它们打不开 / a key of \
             recordings was made, and there are sealed recordings already: put their key back and name it in [recording] \
             old_keys, or they cannot be opened"
        );
    }
}

/// Removes recordings whose term is over. By a clock that was set by hand none is: a trial must not cost a case its
/// evidence.
fn keeper(
    setup: &Setup,
    plan: &Plan,
    errands: Errands,
    newest: Option<Timestamp>,
) -> Result<Option<Keeper>, StartError> {
    if setup.clock.is_shifted() {
        return Ok(None);
    }
    let clock = setup.clock;
    let config = KeeperConfig {
        data: setup.data.clone(),
        errands,
        source: crate::tickets::event::source(NODE),
        terms: Terms::of(plan),
        newest,
        clock: Arc::new(move || clock.now()),
        pace: recorder::keeper::Pace::default(),
    };
    Keeper::start(config).map(Some).map_err(outside("keeper"))
}

/// What recordings become after the call.
pub(super) fn format(plan: &Plan) -> Format {
    match plan.recording.format {
        RecordingFormat::Wav => Format::Wav,
        RecordingFormat::Flac => Format::Flac,
    }
}

/// Ports that others hold are found before the first call is refused for them.
fn look_for_ports(plan: &Plan, bind: IpAddr) -> Result<(), StartError> {
    let (first, last) = plan.network.rtp_ports;
    let needed = needed_pairs(plan.limits.calls_max);
    let range = PortRange::new(bind, first, last);
    let (pairs, free) = (range.slots(), range.free(needed));
    if free == 0 {
        return Err(StartError::Outside {
            what: "rtp_ports",
            why: format!(
                "RTP 端口 {first}-{last} 在 {bind} 上一对也打不开（共 {pairs} 对）\n\
                 别的程序（或另一个引擎）占用着（ss -lunp 可查）；改 network.rtp_ports，或用 --rtp-ports 代替\n\
                 of the {pairs} pairs of RTP ports {first}-{last} none can be opened at {bind}\n\
                 another program, or another engine, holds them (see ss -lunp); change network.rtp_ports, or use \
                 --rtp-ports in its place"
            ),
        });
    }
    if free < needed {
        let calls = plan.limits.calls_max;
        tracing::warn!(
            free,
            needed,
            "RTP 端口 {first}-{last} 只有 {free} 对可用，limits.calls_max = {calls} 要 {needed} 对，多出的来电会被拒绝 / \
             of RTP ports {first}-{last} {free} pairs are free, and limits.calls_max = {calls} needs {needed}: calls \
             beyond them will be refused"
        );
    }
    Ok(())
}

fn open_media(
    setup: &Setup,
    plan: &Plan,
    bank: &SoundBank,
    dice: Dice,
    woke: &Arc<Notify>,
) -> Result<MediaHandle, StartError> {
    let needed = needed_files(plan.limits.calls_max);
    if let Some(limit) = raise_file_limit().ok().filter(|limit| *limit < needed) {
        tracing::warn!(limit, needed, "too few open files for calls_max: calls beyond them will be refused");
    }
    let bind = plan.network.listen.first().map_or([127, 0, 0, 1].into(), |listener| listener.bind.ip());
    look_for_ports(plan, bind)?;
    let woke = woke.clone();
    let calls = usize::try_from(plan.limits.calls_max).unwrap_or(usize::MAX);
    MediaHandle::spawn(MediaConfig {
        bind,
        ports: plan.network.rtp_ports,
        shell: setup.shell,
        shards: 0,
        orders_ring: crate::io::media::handle::ORDERS_RING,
        bank: bank.clone(),
        dice,
        clock: setup.clock,
        recorder: RecorderConfig {
            data: setup.data.clone(),
            zone: plan.city.time_zone.clone(),
            recordings_max: calls.min(2_048),
        },
        wake: Arc::new(move || woke.notify_one()),
    })
    .map_err(outside("media"))
}
