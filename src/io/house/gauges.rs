//! Once a second the house is measured: what its parts have counted is copied to the shown figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{Ask, House};
use crate::acd::event::{AwayWhy, SeatState};
use crate::io::media::MediaFigures;
use crate::io::process;
use crate::io::recorder::{ArchiveFigures, Keeper, KeeperFigures, RecorderFigures};
use crate::io::store;
use crate::switchboard::Input;
use crate::telemetry::Figures;
use crate::telemetry::measured::{HouseNow, MediaTotals, QueueNow, RecorderTotals};
use crate::time::{Instant, Now};

/// Between two measures.
const EVERY: Duration = Duration::from_secs(1);
/// What is owed on disk is counted every so many measures: it takes a walk through the table.
const DISK_EVERY: u64 = 10;
/// Between two lines of the log that say the same of a lasting want.
const SAID_EVERY: Duration = Duration::from_secs(60);
/// The control loop comes to what is due within this.
pub(super) const LOOP_BOUND: Duration = Duration::from_millis(20);

/// States of a call, as [`crate::switchboard::Entry::state`] names them.
const CALL_STATES: [&str; 15] = [
    "opening",
    "prompt",
    "self_service",
    "ringing",
    "waiting",
    "dialling",
    "transferring",
    "talking",
    "consulting",
    "conference",
    "without_caller",
    "meeting",
    "survey",
    "parting",
    "ended",
];
const SEAT_STATES: [&str; 6] = ["signed_out", "ready", "offered", "talking", "wrap_up", "away"];

/// Why seats are away, those that nobody is away for too.
const AWAY_REASONS: [&str; 6] = ["unanswered", "vanished", "own_call", "said", "rest", "forced"];

/// What is remembered between two measures.
#[derive(Default)]
pub(super) struct Gauges {
    next: Option<Instant>,
    measures: u64,
    store_is_gone: bool,
    /// Legs without ports that the log does not know of, and when it may be told again.
    portless: u64,
    portless_said: Option<Instant>,
    /// A count of what is owed on disk is under way.
    counting: Arc<AtomicBool>,
}

impl House {
    /// Measures, if it is time.
    pub(super) fn measure(&mut self, now: Now) {
        if self.gauges.next.is_some_and(|next| now.mono < next) {
            return;
        }
        self.gauges.next = Some(now.mono + EVERY);
        self.gauges.measures += 1;
        self.metrics.handle_timeout(now.mono);
        let figures = self.metrics.figures();
        figures.house_now(&self.house_now(now));
        if let Some((cpu, resident_bytes)) = process::taken() {
            figures.process(cpu, resident_bytes);
        }
        let moved = self.sockets.take_count();
        figures.datagrams(moved.received, moved.sent, moved.dropped);
        let (open, ended) = self.sockets.connections();
        figures.connections(open, ended.into_iter().map(|(why, count)| (why.word(), count)));
        if let Some(log) = &self.setup.log {
            figures.log_lines_lost(log.dropped_lines() as u64);
        }
        figures.media_totals(&media_totals(self.media.figures()));
        if let Some(recorder) = self.media.recorder_figures() {
            figures.recorder_totals(&recorder_totals(
                recorder,
                self.archive.figures(),
                self.keeper.as_ref().map(Keeper::figures),
            ));
        }
        figures.trace_totals(self.tracer.totals());
        if let Some(store) = &self.store {
            let backlog = store.backlog();
            figures.store_backlog(backlog.pending(), backlog.take_shed());
            let gone = !store.is_alive();
            if gone && !std::mem::replace(&mut self.gauges.store_is_gone, gone) {
                tracing::error!("the store's thread has ended: nothing is written any more");
                figures.thread_failed("store");
            }
        }
        self.measure_outboxes(now);
        self.mind_ports(now);
        self.mind_notices(now);
        self.mind_sounds();
        self.mind_look_ups();
    }

    /// Calls are refused where there are no ports, and nobody but the log says why.
    fn mind_ports(&mut self, now: Now) {
        self.gauges.portless += self.board.take_portless();
        if self.gauges.portless == 0 || self.gauges.portless_said.is_some_and(|next| now.mono < next) {
            return;
        }
        let legs = std::mem::take(&mut self.gauges.portless);
        self.gauges.portless_said = Some(now.mono + SAID_EVERY);
        let (first, last) = self.started.network.rtp_ports;
        let in_use = self.board.ports_in_use();
        tracing::error!(
            legs,
            in_use,
            "没有空闲的 RTP 端口（{first}-{last}），来电以 503 拒绝：放大 network.rtp_ports，或让别的程序让出端口 / \
             no RTP ports are free in {first}-{last}, and calls are refused with 503: widen network.rtp_ports, or have \
             other programs leave it"
        );
    }

    fn house_now(&self, now: Now) -> HouseNow<'_> {
        let mut calls = CALL_STATES.map(|state| (state, 0));
        for (_, entry) in self.board.calls() {
            count(&mut calls, entry.state());
        }
        let mut seats = SEAT_STATES.map(|state| (state, 0));
        let mut away = AWAY_REASONS.map(|why| (why, 0));
        for (_, state) in self.board.acd().seats() {
            count(&mut seats, state_of(state));
            if let SeatState::Away { why, .. } = state {
                count(&mut away, reason_of(why));
            }
        }
        let queues = self.board.acd().queues(now.mono).into_iter().map(|queue| QueueNow {
            queue: queue.queue.to_string(),
            waiting: queue.waiting,
            longest_wait: queue.longest_wait.unwrap_or_default(),
            kept: queue.kept,
            surging: queue.surging,
        });
        let rows = self.board.sip().counts();
        HouseNow {
            calls: calls.to_vec(),
            seats: seats.to_vec(),
            away: away.to_vec(),
            queues: queues.collect(),
            ports_in_use: self.board.ports_in_use(),
            sip_tables: vec![
                ("sessions", rows.sessions),
                ("dialogs", rows.dialogs),
                ("transactions", rows.transactions),
                ("bindings", rows.bindings),
            ],
            admitted_per_mille: self.board.sip().admitted_per_mille(),
            turned_away: Some(self.board.turned_away()),
            trunks: self.board.sip().trunks(now),
            rooms_full: self.board.rooms_full(),
        }
    }

    /// What sinks are owed: from memory, or where more is on disk only, from there. Outboxes that know of nothing look
    /// there, too: another process may have had dead letters sent again.
    fn measure_outboxes(&self, now: Now) {
        let figures = self.metrics.figures();
        let (mut on_disk, mut idle) = (Vec::new(), Vec::new());
        for (place, sink) in self.started.outlets().enumerate() {
            let outbox = self.board.outboxes().get(place).and_then(Option::as_ref);
            if outbox.is_some_and(|outbox| outbox.is_empty()) {
                idle.push((place, sink.name.clone()));
            }
        }
        for (sink, outbox) in self.started.outlets().zip(self.board.outboxes()) {
            let late = sink.pace.warn_after;
            match outbox {
                Some(outbox) if outbox.has_more_on_disk() => on_disk.push((sink.name.clone(), late)),
                Some(outbox) => {
                    let owed = store::Owed { events: outbox.len(), oldest: outbox.oldest_at() };
                    show(figures, &sink.name, owed, late, now);
                }
                None => show(figures, &sink.name, store::Owed { events: 0, oldest: None }, late, now),
            }
        }
        let due = self.gauges.measures % DISK_EVERY == 1 && !(on_disk.is_empty() && idle.is_empty());
        if !due || self.gauges.counting.swap(true, Ordering::AcqRel) {
            return;
        }
        let (figures, desk) = (Arc::clone(figures), self.desk.clone());
        let (counting, door) = (Arc::clone(&self.gauges.counting), self.door.clone());
        self.worker.spawn(async move {
            for (name, late) in on_disk {
                let asked = name.clone();
                if let Ok(owed) = desk.answer(move |reader| reader.owed_figures(&asked)).await {
                    show(&figures, &name, owed, late, now);
                }
            }
            for (sink, name) in idle {
                if let Ok(owed) = desk.answer(move |reader| reader.owed(&name, None, 1)).await
                    && let Some(first) = owed.first().map(|event| event.event)
                {
                    let _ = door.send(Ask::Input(Input::Owed { sink, first }));
                }
            }
            counting.store(false, Ordering::Release);
        });
    }
}

/// `late`: from which age on the sink counts as behind. That it is, and that it is no more, is told once each.
fn show(figures: &Figures, sink: &str, owed: store::Owed, late: Duration, now: Now) {
    let (owed, age) = (owed.events, store::age(owed.oldest, now.wall));
    let age_s = age.as_secs();
    match figures.owed(sink, owed, age, late) {
        Some(true) => tracing::warn!(
            sink,
            owed,
            age_s,
            "{sink} 积压：最早的事件已等了 {age_s} 秒，不会丢失；检查对方系统和网络 / {sink} is behind: its oldest event \
             has waited for {age_s} s; nothing is lost; look at the far side and the way there"
        ),
        Some(false) => tracing::info!(sink, owed, "the sink has caught up"),
        None => {}
    }
}

fn count(states: &mut [(&'static str, usize)], state: &str) {
    if let Some((_, count)) = states.iter_mut().find(|(name, _)| *name == state) {
        *count += 1;
    }
}

fn state_of(state: &SeatState) -> &'static str {
    match state {
        SeatState::SignedOut => "signed_out",
        SeatState::Ready { .. } => "ready",
        SeatState::Offered { .. } => "offered",
        SeatState::Talking { .. } => "talking",
        SeatState::WrapUp { .. } => "wrap_up",
        SeatState::Away { .. } => "away",
    }
}

/// What kind of reason: those that clerks give by name are one.
fn reason_of(why: &AwayWhy) -> &'static str {
    match why {
        AwayWhy::Unanswered => "unanswered",
        AwayWhy::Vanished => "vanished",
        AwayWhy::OwnCall => "own_call",
        AwayWhy::Said(_) => "said",
        AwayWhy::Rest => "rest",
        AwayWhy::Forced => "forced",
    }
}

fn read(figure: &AtomicU64) -> u64 {
    figure.load(Ordering::Relaxed)
}

fn media_totals(figures: &MediaFigures) -> MediaTotals {
    MediaTotals {
        ticks: read(&figures.ticks),
        late_ticks: read(&figures.late_ticks),
        skipped_ticks: read(&figures.skipped_ticks),
        received: read(&figures.received),
        sent: read(&figures.sent),
        oversize: read(&figures.oversize),
        send_failed: read(&figures.send_failed),
        outbox_full: read(&figures.outbox_full),
        orders_held: read(&figures.orders_held),
        orders_refused: read(&figures.orders_refused),
        facts_held: read(&figures.facts_held),
        faults: read(&figures.faults),
    }
}

fn recorder_totals(
    figures: &RecorderFigures,
    archive: &ArchiveFigures,
    keeper: Option<&KeeperFigures>,
) -> RecorderTotals {
    let kept = |figure: fn(&KeeperFigures) -> &AtomicU64| keeper.map_or(0, |keeper| read(figure(keeper)));
    RecorderTotals {
        running: read(&figures.running),
        frames_refused: read(&figures.frames_refused),
        frames_unwritten: read(&figures.frames_unwritten),
        files_lost: read(&figures.files_lost),
        syncs_put_off: read(&figures.syncs_put_off),
        files_filed: read(&archive.filed),
        files_put_off: read(&archive.put_off),
        files_unfiled: read(&archive.failed),
        files_removed: kept(|keeper| &keeper.files),
        bytes_removed: kept(|keeper| &keeper.bytes),
        removals_failed: kept(|keeper| &keeper.failed),
        overdue: kept(|keeper| &keeper.overdue),
        held: kept(|keeper| &keeper.held),
    }
}
