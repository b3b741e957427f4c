//! Every figure that is shown: handles cheap to set from any thread, and the page of all of them.
//!
//! What the facts of calls say is set by [`super::Metrics`], what `io` measures of itself by the
//! setters here. Every label has a bounded set of values.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::hand_on::HandOnFigures;
use super::http::HttpFigures;
use super::kb::KbFigures;
use super::kpi::rolling::Standing;
use super::measured::Measured;
use super::notices::NoticeFigures;
use super::process::Process;
use super::served::ServedFigures;
use super::sound::SoundFigures;
use super::third::ThirdFigures;
use crate::id::LineId;
use crate::media::order::LegFigures;
use crate::routing::kpi::{Formula, Kpi};

pub(super) type Labels = Vec<(&'static str, String)>;

/// Every figure that is shown. Cheap to set from any thread.
#[derive(Debug)]
pub struct Figures {
    registry: Registry,
    process: Process,
    pub(super) opened: Family<Labels, Counter>,
    pub(super) answered: Family<Labels, Counter>,
    pub(super) closed: Family<Labels, Counter>,
    pub(super) undurable: Counter,
    pub(super) active: Gauge,
    pub(super) waiting: Gauge,
    pub(super) talking: Gauge,
    rooms: Gauge,
    room_members: Gauge,
    pub(super) wait: Histogram,
    pub(super) talk: Histogram,
    pub(super) within_level: Counter,
    answer_within: Family<Labels, Gauge<f64, AtomicU64>>,
    answer_rate: Family<Labels, Gauge<f64, AtomicU64>>,
    day_rate: Family<Labels, Gauge<f64, AtomicU64>>,
    day_below: Family<Labels, Gauge>,
    pub(super) beyond_level: Counter,
    pub(super) offers: Counter,
    pub(super) offers_ended: Family<Labels, Counter>,
    pub(super) overflows: Family<Labels, Counter>,
    pub(super) peers_failed: Counter,
    pub(super) grades: Family<Labels, Counter>,
    pub(super) tickets_left: Counter,
    pub(super) measured: Measured,
    pub(super) sound: SoundFigures,
    pub(super) third: ThirdFigures,
    pub(super) served: ServedFigures,
    offer_delay: Histogram,
    pub(super) owed: Family<Labels, Gauge>,
    pub(super) owed_age: Family<Labels, Gauge>,
    behind: Family<Labels, Gauge>,
    pub(super) delivered: Family<Labels, Counter>,
    pub(super) dead_letters: Family<Labels, Counter>,
    pub(super) store_commit: Histogram,
    pub(super) store_failures: Counter,
    pub(super) store_failing: Gauge,
    pub(super) store_pending: Gauge,
    pub(super) store_shed: Counter,
    pub(super) recording_lost: Counter,
    pub(super) rtp_received: Counter,
    pub(super) rtp_sent: Counter,
    pub(super) rtp_lost: Counter,
    pub(super) rtp_late: Counter,
    pub(super) rtp_refused: Counter,
    pub(super) rtp_duplicate: Counter,
    pub(super) reports_nonsense: Counter,
    pub(super) strangers: Counter,
    pub(super) sip_in: Counter,
    pub(super) sip_out: Counter,
    pub(super) sip_dropped: Counter,
    sip_lost: Counter,
    sip_wait: Histogram,
    pub(super) sip_connections: Gauge,
    pub(super) sip_connections_ended: Family<Labels, Counter>,
    log_lost: Counter,
    pub(super) loop_delay: Histogram,
    pub(super) loop_late: Counter,
    pub(super) threads_failed: Family<Labels, Counter>,
    pub(super) reloads: Family<Labels, Counter>,
    pub(super) plan_number: Gauge,
    pub(super) alarms: Family<Labels, Counter>,
    pub(super) draining: Gauge,
    pub(super) http: HttpFigures,
    pub(super) kb: KbFigures,
    pub(super) notices: NoticeFigures,
    pub(super) hand_on: HandOnFigures,
}

/// Seconds: from a tenth of a millisecond to four seconds, in doublings.
pub(super) fn short_spans() -> Histogram {
    Histogram::new((0..16).map(|power| 0.0001 * f64::from(1_u32 << power)))
}

/// Seconds: what people wait and talk.
fn long_spans() -> Histogram {
    Histogram::new([1.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0])
}

impl Figures {
    pub(super) fn new() -> Self {
        let mut figures = Figures {
            registry: Registry::with_prefix("hotline"),
            process: Process::new(),
            opened: Family::default(),
            answered: Family::default(),
            closed: Family::default(),
            undurable: Counter::default(),
            active: Gauge::default(),
            waiting: Gauge::default(),
            talking: Gauge::default(),
            rooms: Gauge::default(),
            room_members: Gauge::default(),
            wait: long_spans(),
            talk: long_spans(),
            within_level: Counter::default(),
            answer_within: Family::default(),
            answer_rate: Family::default(),
            day_rate: Family::default(),
            day_below: Family::default(),
            beyond_level: Counter::default(),
            offers: Counter::default(),
            offers_ended: Family::default(),
            overflows: Family::default(),
            peers_failed: Counter::default(),
            grades: Family::default(),
            tickets_left: Counter::default(),
            measured: Measured::default(),
            sound: SoundFigures::new(),
            third: ThirdFigures::default(),
            served: ServedFigures::default(),
            offer_delay: short_spans(),
            owed: Family::default(),
            owed_age: Family::default(),
            behind: Family::default(),
            delivered: Family::default(),
            dead_letters: Family::default(),
            store_commit: short_spans(),
            store_failures: Counter::default(),
            store_failing: Gauge::default(),
            store_pending: Gauge::default(),
            store_shed: Counter::default(),
            recording_lost: Counter::default(),
            rtp_received: Counter::default(),
            rtp_sent: Counter::default(),
            rtp_lost: Counter::default(),
            rtp_late: Counter::default(),
            rtp_refused: Counter::default(),
            rtp_duplicate: Counter::default(),
            reports_nonsense: Counter::default(),
            strangers: Counter::default(),
            sip_in: Counter::default(),
            sip_out: Counter::default(),
            sip_dropped: Counter::default(),
            sip_lost: Counter::default(),
            sip_wait: short_spans(),
            sip_connections: Gauge::default(),
            sip_connections_ended: Family::default(),
            log_lost: Counter::default(),
            loop_delay: short_spans(),
            loop_late: Counter::default(),
            threads_failed: Family::default(),
            reloads: Family::default(),
            plan_number: Gauge::default(),
            alarms: Family::default(),
            draining: Gauge::default(),
            http: HttpFigures::default(),
            kb: KbFigures::default(),
            notices: NoticeFigures::default(),
            hand_on: HandOnFigures::default(),
        };
        figures.register_calls();
        figures.register_house();
        figures.measured.register(&mut figures.registry);
        figures.sound.register(&mut figures.registry);
        figures.third.register(&mut figures.registry);
        figures.served.register(&mut figures.registry);
        figures.http.register(&mut figures.registry);
        figures.kb.register(&mut figures.registry);
        figures.notices.register(&mut figures.registry);
        figures.hand_on.register(&mut figures.registry);
        figures
    }

    /// How the last 24 hours stand; that they have fallen below what is wanted is an alarm.
    pub(super) fn stands(&self, standing: &Standing) {
        let Standing { line, rate, is_below, has_fallen } = standing;
        let line = line.as_ref().map_or("*", LineId::as_str);
        let labels = vec![("line", line.to_owned())];
        match rate {
            Some(rate) => {
                self.day_rate.get_or_create(&labels).set(*rate);
            }
            None => {
                self.day_rate.remove(&labels);
            }
        }
        self.day_below.get_or_create(&labels).set(i64::from(*is_below));
        if *has_fallen {
            tracing::warn!(
                line,
                rate,
                "the answer rate of the last 24 hours has fallen below what [kpi] wants"
            );
            self.alarm("answer_rate");
        }
    }

    /// By what calls are judged from now on: those of the plan before are gone.
    pub(super) fn rules(&self, rules: &Kpi) {
        self.answer_within.clear();
        self.answer_rate.clear();
        let lines = rules.lines.iter().map(|(line, own)| (line.as_str(), own));
        for (line, formula) in lines.chain([("*", &rules.usual)]) {
            let Formula { version, answer_within, clock, .. } = formula;
            let labels = vec![
                ("line", line.to_owned()),
                ("formula", version.clone()),
                ("clock", clock.word().to_owned()),
            ];
            self.answer_within.get_or_create(&labels).set(answer_within.as_secs_f64());
            self.answer_rate.get_or_create(&labels).set(formula.rate());
        }
    }

    fn register_calls(&mut self) {
        let r = &mut self.registry;
        r.register("calls_opened", "Calls let in, by line", self.opened.clone());
        r.register("calls_answered", "Calls answered", self.answered.clone());
        r.register("calls_closed", "Calls ended, by cause", self.closed.clone());
        r.register(
            "calls_undurable",
            "Calls answered before their record was on disk",
            self.undurable.clone(),
        );
        r.register("calls_active", "Calls under way", self.active.clone());
        r.register("queue_waiting", "Callers waiting", self.waiting.clone());
        r.register("seats_talking", "Seats with a caller", self.talking.clone());
        r.register("meeting_rooms", "Meeting rooms with somebody in them", self.rooms.clone());
        r.register("meeting_members", "Members of all meeting rooms", self.room_members.clone());
        r.register("queue_wait_seconds", "Wait until a seat answered", self.wait.clone());
        r.register("seat_talk_seconds", "Talk with one seat", self.talk.clone());
        r.register(
            "service_level_met",
            "Callers whom a seat answered within the time of their line's formula",
            self.within_level.clone(),
        );
        r.register(
            "service_level_missed",
            "Callers whom a seat answered later, or never",
            self.beyond_level.clone(),
        );
        r.register(
            "kpi_answer_within_seconds",
            "Within what time a caller is to be answered, by line (*: all others), formula and clock",
            self.answer_within.clone(),
        );
        r.register(
            "kpi_answer_rate_wanted",
            "What part of the calls is to be answered, by line (*: all others), formula and clock",
            self.answer_rate.clone(),
        );
        r.register(
            "kpi_answer_rate_24h",
            "The answer rate of the last 24 hours by the formula, by line (*: all)",
            self.day_rate.clone(),
        );
        r.register(
            "kpi_answer_rate_24h_below",
            "1 while that is below what is wanted, of twenty calls or more",
            self.day_below.clone(),
        );
        r.register("seat_offers", "Times a seat was rung", self.offers.clone());
        r.register("seat_offers_ended", "Offers without a talk, by reason", self.offers_ended.clone());
        r.register(
            "offer_delay_seconds",
            "From when a free seat and a caller for it were both there to the seat's INVITE",
            self.offer_delay.clone(),
        );
        r.register("queue_overflows", "Callers sent on by the queue's rule", self.overflows.clone());
        r.register("peers_failed", "Calls to peers that were not answered", self.peers_failed.clone());
        r.register("survey_grades", "Grades given", self.grades.clone());
        r.register("tickets_left", "Tickets left without a clerk", self.tickets_left.clone());
    }

    fn register_house(&mut self) {
        let r = &mut self.registry;
        r.register("tickets_owed", "Events owed to a sink", self.owed.clone());
        r.register(
            "tickets_owed_age_seconds",
            "Age of the oldest event that is owed to a sink",
            self.owed_age.clone(),
        );
        r.register(
            "tickets_behind",
            "1 while a sink's oldest event is older than its warn_after",
            self.behind.clone(),
        );
        r.register("tickets_tries", "Tries to deliver an event, by outcome", self.delivered.clone());
        r.register("tickets_dead_letters", "Events that a sink refused for good", self.dead_letters.clone());
        r.register("store_commit_seconds", "One commit with its sync", self.store_commit.clone());
        r.register("store_failures", "Commits that failed and are tried again", self.store_failures.clone());
        r.register("store_failing", "1 while the last commit failed", self.store_failing.clone());
        r.register("store_pending_jobs", "Writes kept in memory", self.store_pending.clone());
        r.register(
            "store_shed_jobs",
            "Writes given up because memory for them was full",
            self.store_shed.clone(),
        );
        r.register("recording_lost_frames", "Frames missing in recordings", self.recording_lost.clone());
        r.register("rtp_received", "RTP packets in", self.rtp_received.clone());
        r.register("rtp_sent", "RTP packets out", self.rtp_sent.clone());
        r.register("rtp_lost", "RTP that never came", self.rtp_lost.clone());
        r.register("rtp_late", "RTP too late to be heard", self.rtp_late.clone());
        r.register("rtp_refused", "RTP from strangers or malformed", self.rtp_refused.clone());
        r.register("rtp_duplicates", "RTP that came twice", self.rtp_duplicate.clone());
        r.register(
            "rtcp_nonsense",
            "RTCP report blocks on our streams that cannot be true",
            self.reports_nonsense.clone(),
        );
        r.register("rtp_strangers", "Legs that a stranger sent to", self.strangers.clone());
        r.register(
            "sip_lost",
            "SIP datagrams that found no room before they were read",
            self.sip_lost.clone(),
        );
        r.register(
            "sip_wait_seconds",
            "How long the oldest SIP datagram of a turn had waited to be read",
            self.sip_wait.clone(),
        );
        r.register("sip_received", "SIP messages in", self.sip_in.clone());
        r.register("sip_sent", "SIP messages out", self.sip_out.clone());
        r.register(
            "sip_dropped",
            "SIP messages that were not sent: the kernel or the far end did not take them",
            self.sip_dropped.clone(),
        );
        r.register("sip_connections", "SIP connections (TCP, TLS)", self.sip_connections.clone());
        r.register(
            "sip_connections_ended",
            "SIP connections that are over, by reason",
            self.sip_connections_ended.clone(),
        );
        r.register("log_lines_lost", "Log lines that found the writer too slow", self.log_lost.clone());
        r.register(
            "loop_delay_seconds",
            "How late the control loop came to a batch",
            self.loop_delay.clone(),
        );
        r.register("loop_late", "Batches later than the bound", self.loop_late.clone());
        r.register(
            "threads_failed",
            "Threads of the house that ended by a fault",
            self.threads_failed.clone(),
        );
        r.register("plan_reloads", "Reloads by outcome and trigger", self.reloads.clone());
        r.register("plan_number", "Number of the plan in force", self.plan_number.clone());
        r.register("alarms", "Alarms raised, by kind", self.alarms.clone());
        r.register("draining", "1 while draining", self.draining.clone());
    }

    /// All figures as OpenMetrics text.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Writing to a String cannot fail; were it to, an empty page says more than a panic.
        let written = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &self.process.registry))
            .and_then(|()| encode_eof(&mut text));
        if written.is_err() {
            text.clear();
        }
        text
    }

    /// What the process has taken: user and system time since the start, and resident memory now.
    pub fn process(&self, cpu: Duration, resident_bytes: u64) {
        self.process.set(cpu, resident_bytes);
    }

    /// What a sink is owed and for how long. `late` or older is an alarm, once. Whether the sink is behind, where that is
    /// new.
    pub fn owed(&self, sink: &str, events: usize, oldest: Duration, late: Duration) -> Option<bool> {
        let labels = || vec![("sink", sink.to_owned())];
        self.owed.get_or_create(&labels()).set(i64::try_from(events).unwrap_or(i64::MAX));
        let age = i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX);
        self.owed_age.get_or_create(&labels()).set(age);
        let is_behind = events > 0 && oldest >= late;
        let was_behind = self.behind.get_or_create(&labels()).set(i64::from(is_behind)) > 0;
        if is_behind && !was_behind {
            self.alarm("tickets_late");
        }
        (is_behind != was_behind).then_some(is_behind)
    }

    /// Somebody is in a room, where now so many are.
    pub(super) fn room_joined(&self, members: u32) {
        self.room_members.inc();
        if members == 1 {
            self.rooms.inc();
        }
    }

    /// Somebody has left a room, where so many stay.
    pub(super) fn room_left(&self, members: u32) {
        self.room_members.dec();
        if members == 0 {
            self.rooms.dec();
        }
    }

    /// Tries at a sink; `outcome` is `taken`, `retry` or `refused`.
    pub fn tried(&self, sink: &str, outcome: &'static str, tries: u64) {
        let labels = vec![("sink", sink.to_owned()), ("outcome", outcome.to_owned())];
        if tries > 0 {
            self.delivered.get_or_create(&labels).inc_by(tries);
        }
    }

    /// An event was set aside.
    pub fn dead_letter(&self, sink: &str) {
        count(&self.dead_letters, vec![("sink", sink.to_owned())]);
        self.alarm("dead_letter");
    }

    /// A commit of the store went through.
    pub fn store_committed(&self, took: Duration) {
        self.store_commit.observe(took.as_secs_f64());
        self.store_failing.set(0);
    }

    /// A commit of the store failed.
    pub fn store_failed(&self) {
        self.store_failures.inc();
        if self.store_failing.set(1) == 0 {
            self.alarm("store_failing");
        }
    }

    /// Writes in memory, and writes given up since the last call.
    pub fn store_backlog(&self, pending: usize, shed: u64) {
        self.store_pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        if shed > 0 {
            self.store_shed.inc_by(shed);
            self.alarm("store_shed");
        }
    }

    /// A leg's sound ended with these figures.
    pub fn leg_closed(&self, figures: &LegFigures) {
        self.rtp_received.inc_by(figures.received);
        self.rtp_sent.inc_by(figures.sent);
        self.rtp_lost.inc_by(figures.lost);
        self.rtp_late.inc_by(figures.late);
        self.rtp_refused.inc_by(figures.refused);
        self.rtp_duplicate.inc_by(figures.duplicate);
        self.reports_nonsense.inc_by(figures.outbound.nonsense.into());
    }

    /// A stranger sent RTP to a leg.
    pub fn stranger(&self) {
        self.strangers.inc();
    }

    /// SIP datagrams moved since the last call, and such that the kernel did not take.
    pub fn datagrams(&self, received: u64, sent: u64, dropped: u64) {
        self.sip_in.inc_by(received);
        self.sip_out.inc_by(sent);
        self.sip_dropped.inc_by(dropped);
    }

    /// SIP connections that there are, and how many ended for a reason since the start.
    pub fn connections(&self, open: usize, ended: impl IntoIterator<Item = (&'static str, u64)>) {
        self.sip_connections.set(i64::try_from(open).unwrap_or(i64::MAX));
        for (why, total) in ended {
            let counter = self.sip_connections_ended.get_or_create(&vec![("why", why.to_owned())]);
            counter.inc_by(total.saturating_sub(counter.get()));
        }
    }

    /// Log lines lost so far.
    pub fn log_lines_lost(&self, total: u64) {
        self.log_lost.inc_by(total.saturating_sub(self.log_lost.get()));
    }

    /// How SIP datagrams fared before they were read.
    pub fn sip_waited(&self, longest: Duration, lost: u64) {
        self.sip_wait.observe(longest.as_secs_f64());
        self.sip_lost.inc_by(lost);
    }

    /// A seat was called so long after it was free and a caller for it waited.
    pub fn offer_delay(&self, delay: Duration) {
        self.offer_delay.observe(delay.as_secs_f64());
    }

    /// How late the control loop was; `bound` is what it should keep.
    pub fn loop_delay(&self, delay: Duration, bound: Duration) {
        self.loop_delay.observe(delay.as_secs_f64());
        if delay > bound {
            self.loop_late.inc();
        }
    }

    /// A thread of the house ended by a fault.
    pub fn thread_failed(&self, thread: &str) {
        count(&self.threads_failed, vec![("thread", thread.to_owned())]);
        self.alarm("thread_failed");
    }

    /// A reload of the plan by what brought it about: `taken`, `unchanged`, `trial` or `refused`.
    pub fn reloaded(&self, outcome: &'static str, trigger: &'static str) {
        count(&self.reloads, vec![("outcome", outcome.to_owned()), ("trigger", trigger.to_owned())]);
    }

    /// The plan in force.
    pub fn plan_number(&self, number: u64) {
        self.plan_number.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// Something that a person should look at.
    pub fn alarm(&self, kind: &'static str) {
        count(&self.alarms, vec![("kind", kind.to_owned())]);
    }

    /// The drain has begun.
    pub fn draining(&self) {
        self.draining.set(1);
    }
}

/// One more.
pub(super) fn count(family: &Family<Labels, Counter>, labels: Labels) {
    family.get_or_create(&labels).inc();
}

/// `UnknownSource` as `unknown_source`.
pub(super) fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
