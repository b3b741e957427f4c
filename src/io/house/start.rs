//! Everything up to listening, in the order that loses nothing: the store first, what a crash left
//! is closed and repaired, then plan, secrets, sound, sockets.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use super::sounds::Sounds;
use super::{Ask, House, Ready, Setup, StartError, keys, reload};
use crate::id::Dice;
use crate::io::bot::{self, Bots};
use crate::io::http::feed::Feed;
use crate::io::look_up::Sources;
use crate::io::media::{MediaConfig, MediaHandle, needed_files, raise_file_limit};
use crate::io::recorder::{self, Archive, ArchiveConfig, Format, RecorderConfig};
use crate::io::resolver::{Pace, Resolver};
use crate::io::secrets::Keyring;
use crate::io::sip_socket::{Limits, SipSockets, tls};
use crate::io::store::{self, Desk, KeptNotice, Opening, Repaired};
use crate::io::trace::Tracer;
use crate::io::{http, plan_files, ticket_sink};
use crate::media::SoundBank;
use crate::routing::Plan;
use crate::routing::diagnostic::Report;
use crate::routing::plan::RecordingFormat;
use crate::sip::locate::Reach;
use crate::switchboard::{self, Input, Switchboard, ticketing};
use crate::telemetry::{CallRecord, Metrics};
use crate::time::{Now, Timestamp};

pub(super) type StartResult<T> = Result<T, StartError>;

pub(super) fn outside<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> StartError {
    move |error| StartError::Outside { what, why: error.to_string() }
}

/// What is wrong with a plan that is taken all the same.
pub(super) fn log(report: &Report) {
    for found in report.for_the_log() {
        tracing::warn!(code = found.code, "{} / {}", found.problem.zh, found.problem.en);
    }
}

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
        fs::create_dir_all(&setup.data).map_err(outside("data"))?;
        let now = setup.clock.now();
        let names: Vec<String> = plan.sinks.iter().map(|sink| sink.name.clone()).collect();
        let mut opening = Opening::open(&setup.data, &names).map_err(outside("store"))?;
        for (place, _) in plan.sinks.iter().enumerate().filter(|(_, sink)| sink.is_embedded()) {
            opening.embed(place).map_err(outside("store"))?;
        }
        let last_ticket = opening.last_ticket().map_err(outside("store"))?;
        let closed = close_crashed(&mut opening, &setup, &plan)?;
        let last_house = opening.last_house().map_err(outside("store"))?;
        let bindings = opening.bindings().map_err(outside("store"))?;
        let kept = kept(&opening, &plan, now)?;
        let missed = missed(&opening, &plan, now)?;
        let notices = opening.notices(now.wall).map_err(outside("store"))?;
        let ungraded = ungraded(&opening, &plan, now)?;
        let mut ring = Keyring::new(&setup.data);
        let accounts = keys::accounts(&plan, &mut ring)?;
        let trunk_passwords = keys::trunk_passwords(&plan, &mut ring)?;
        let (tokens, known_tokens) = watch::channel(keys::tokens(&plan, &mut ring)?);
        let feed = Feed::default();

        let (door, asks) = mpsc::unbounded_channel();
        let tell = door.clone();
        let store =
            opening.start(move |report| drop(tell.send(Ask::Store(report)))).map_err(outside("store"))?;
        let desk = Desk::start(setup.data.join(store::FILE)).map_err(outside("store"))?;
        let sinks = plan
            .sinks
            .iter()
            .map(|sink| ticket_sink::open(sink, &mut ring))
            .collect::<Result<Vec<_>, _>>()
            .map_err(outside("ticket_sink"))?;

        let look_ups =
            Sources::open(&plan, &mut ring, &desk, &Sources::default()).map_err(outside("look_up"))?;

        bot::check(&plan, &mut ring).map_err(outside("bot"))?;
        let bots = Bots::new(worker.clone(), setup.data.clone());

        let files = tls::Files::of(&plan.network.tls, &setup.data);
        let certificates = tls::Certificates::open(files).map_err(outside("tls"))?;
        worker.spawn(certificates.clone().watch(tls::LOOK));
        let (sockets, faces) =
            SipSockets::bind(&plan.network.listen, certificates, worker.clone(), Limits::default())
                .map_err(outside("listen"))?;
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
            errands: store.errands(),
        })
        .map_err(outside("archive"))?;

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
                node: "node-1".into(),
                shifted_clock: setup.clock.is_shifted(),
                last_ticket,
                last_house,
            },
            now,
        );
        let mut metrics = Metrics::new();
        closed.iter().for_each(|fact| metrics.apply(fact));
        let serving = Arc::new(AtomicBool::new(false));
        let listening = match setup.http {
            Some(at) => {
                let state = http::State {
                    door: door.clone(),
                    figures: metrics.figures().clone(),
                    serving: serving.clone(),
                    tokens: known_tokens,
                    ring: feed.ring(),
                    bounds: http::Bounds::default(),
                    data: setup.data.clone(),
                    desk: desk.clone(),
                    errands: store.errands(),
                    flush: tracer.flush(),
                };
                Some(http::serve(at, state, &worker).map_err(outside("http"))?)
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
        let ready = Ready { sip, http: listening, created: ring.created().to_vec(), shell: media.shell() };
        let mut house = House {
            setup,
            board,
            sockets,
            media,
            archive,
            desk,
            sinks,
            look_ups,
            bots,
            resolver,
            worker,
            metrics,
            tracer,
            feed,
            tokens,
            ring,
            gauges: super::gauges::Gauges::default(),
            sounds: in_bank,
            door,
            asks,
            media_woke,
            serving,
            stopping: false,
            drained: false,
            ready,
            store: Some(store),
            started: plan.clone(),
            in_force,
            reloads: reload::Reloads::new(),
            watched,
            plan,
        };
        house.note_start(before.as_ref(), &difference);
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
        Ok(house)
    }

    fn tell(&self, input: Input) {
        // The receiver lives as long as the house.
        let _ = self.door.send(Ask::Input(input));
    }
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
    let source = crate::tickets::event::source("node-1");
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

/// What recordings become after the call.
pub(super) fn format(plan: &Plan) -> Format {
    match plan.recording.format {
        RecordingFormat::Wav => Format::Wav,
        RecordingFormat::Flac => Format::Flac,
    }
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
