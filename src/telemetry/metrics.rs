//! The house in figures, for Prometheus (OpenMetrics text): a fold over all calls' facts.
//!
//! [`Metrics`] is owned by the control loop; [`Figures`] is shared with whoever shows them. Lines
//! are labels by the plan, at most [`LINES_MAX`], and so are trunks; all other labels are enums.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;

use crate::acd::event::Purpose;
use crate::id::{CallId, LineId, TrunkId};
use crate::routing::kpi::{Clock, Formula, Kpi as Rules};
use crate::switchboard::fact::{Cause, Fact, Party, Subject, What};
use crate::telemetry::figures::{Figures, count, snake};
use crate::telemetry::kpi::rolling::{Ended, Rolling};
use crate::telemetry::served::Names;
use crate::telemetry::sound::TrunkLabels;
use crate::telemetry::third::Watchers;
use crate::time::{Instant, Now};

/// Lines with figures of their own; later ones share the label `other`.
pub const LINES_MAX: usize = 256;
/// Calls whose facts are being folded; beyond it a call is counted without its line.
const OPEN_MAX: usize = 65_536;

/// A cause as a label: the status of a refusal is left out, so that labels stay few.
fn cause_label(cause: Cause) -> &'static str {
    match cause {
        Cause::CallerHungUp => "caller_hung_up",
        Cause::CallerCancelled => "caller_cancelled",
        Cause::Completed => "completed",
        Cause::OtherHungUp => "other_hung_up",
        Cause::CallerVanished => "caller_vanished",
        Cause::Refused(_) => "refused",
        Cause::Drained => "drained",
        Cause::TooLong => "too_long",
        Cause::Failed => "failed",
        Cause::Crash => "crash",
    }
}

/// What is remembered of one call between its facts.
#[derive(Debug)]
struct Open {
    line: String,
    trunk: String,
    waiting: bool,
    talking: bool,
    watchers: Watchers,
    judged: Judged,
}

/// By what a call's wait is judged: the formula of its line when it opened.
#[derive(Debug)]
struct Judged {
    within: Duration,
    clock: Clock,
    opened: Instant,
    rung: Option<Instant>,
}

/// The fold over all calls' facts.
#[derive(Debug)]
pub struct Metrics {
    figures: Arc<Figures>,
    open: HashMap<CallId, Open>,
    lines: HashMap<LineId, String>,
    trunks: TrunkLabels,
    names: Names,
    rules: Rules,
    rolling: Rolling,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// Figures at zero.
    pub fn new() -> Self {
        Metrics {
            figures: Arc::new(Figures::new()),
            open: HashMap::new(),
            lines: HashMap::new(),
            trunks: TrunkLabels::default(),
            names: Names::default(),
            rules: Rules::default(),
            rolling: Rolling::default(),
        }
    }

    /// Calls that open from now on are judged by these rules, the plan's `[kpi]`; and the last 24 hours by the rates that
    /// they want.
    pub fn judge_by(&mut self, rules: &Rules) {
        self.figures.rules(rules);
        self.rules = rules.clone();
        self.rolling.stand(rules).iter().for_each(|standing| self.figures.stands(standing));
    }

    /// Rates of a span of time move with it, though nobody calls.
    pub fn handle_timeout(&mut self, now: Instant) {
        let stand = self.rolling.handle_timeout(now, &self.rules);
        stand.iter().for_each(|standing| self.figures.stands(standing));
    }

    /// Calls of the last 24 hours that an earlier life of the house had: a rate that was too low then is too low still.
    pub fn restore_day(&mut self, ended: &[Ended], now: Now) {
        let stand = self.rolling.restore(ended, now, &self.rules);
        stand.iter().for_each(|standing| self.figures.stands(standing));
    }

    /// The figures, to be shown and to be set by whoever measures.
    pub fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// Takes one fact in. Facts of a call must come in order, each once.
    pub fn apply(&mut self, fact: &Fact) {
        let figures = Arc::clone(&self.figures);
        let watchers = self.open.get_mut(&fact.call).map(|open| &mut open.watchers);
        figures.third.apply(&fact.what, watchers);
        figures.served.apply(&fact.what, &mut self.names);
        for standing in self.rolling.apply(fact, &self.rules) {
            figures.stands(&standing);
        }
        match &fact.what {
            // Rooms are counted by their kind of line: each room would be a label of its own.
            What::Opened { room: Some(room), trunk, .. } => self.opened(fact, &room.meeting, trunk),
            What::Opened { line, trunk, .. } => self.opened(fact, line, trunk),
            What::Answered { durable } => {
                if let Some(open) = self.open.get(&fact.call) {
                    count(&figures.answered, vec![("line", open.line.clone())]);
                }
                if !durable {
                    figures.undurable.inc();
                    figures.alarm("undurable");
                }
            }
            What::Announced { prompt } => figures.notices.announced(prompt),
            What::DigitPressed { .. } => {}
            What::PeerDialled { .. } => self.rung(fact),
            What::Queued { .. } => self.wait(fact.call, true),
            What::SeatOffered { purpose, .. } => {
                figures.offers.inc();
                if *purpose == Purpose::Caller {
                    self.rung(fact);
                }
            }
            What::OfferEnded { why, .. } => {
                let reason = snake(&format!("{why:?}"));
                count(&figures.offers_ended, vec![("reason", reason)]);
            }
            What::SeatAnswered { waited_ms, .. } => self.seat_answered(fact, *waited_ms),
            What::SeatLeft { talked_ms, .. } => {
                figures.talk.observe(seconds(*talked_ms));
                self.talk(fact.call, false);
            }
            What::Overflowed { why, .. } => {
                self.wait(fact.call, false);
                figures.beyond_level.inc();
                let reason = snake(&format!("{why:?}"));
                count(&figures.overflows, vec![("reason", reason)]);
            }
            What::PeerAnswered { .. } => self.answered(fact.call),
            What::Transfer { .. }
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
            | What::ArticleUsed(_)
            | What::ArticleFaulty(_)
            | What::Flagged { .. }
            | What::SurveyReason { .. }
            | What::CallerLeft { .. }
            | What::LegReplaced { .. }
            | What::ScriptBegun { .. }
            | What::ValueUnread { .. }
            | What::LookedUp { .. }
            | What::NotRelayed { .. }
            | What::RelayDeclined { .. }
            | What::BotTalked { .. }
            | What::MessageLeft { .. }
            | What::Ordered { .. } => {}
            What::HandOn(told) => figures.hand_on.told(told),
            What::RoomJoined { members } => figures.room_joined(*members),
            What::RoomLeft { members, .. } => figures.room_left(*members),
            What::PeerFailed { .. } => {
                figures.peers_failed.inc();
            }
            What::TicketLeft { .. } => {
                figures.tickets_left.inc();
            }
            What::Surveyed { subject: Subject::Flow, .. } => {}
            What::Surveyed { grade, subject: Subject::Talk } => {
                count(&figures.grades, vec![("grade", grade.min(&9).to_string())]);
            }
            What::RecordingPaused { .. } | What::RecordingResumed { .. } => {}
            What::Recorded { lost_frames, .. } => {
                figures.recording_lost.inc_by(*lost_frames);
                if *lost_frames > 0 {
                    figures.alarm("recording_lost");
                }
            }
            What::SoundMissing { party, missing, .. } => figures.sound.missing(party, *missing),
            What::LegClosed { party: Party::Peer { trunk, .. }, sound, .. } => {
                figures.sound.leg(Some(&self.trunks.label(trunk)), sound);
            }
            What::LegClosed { sound, .. } => figures.sound.leg(None, sound),
            What::Closed { cause, sound, .. } => {
                if let (Some(sound), Some(open)) = (sound, self.open.get(&fact.call)) {
                    figures.sound.leg(Some(&open.trunk), sound);
                }
                self.closed(fact.call, *cause);
            }
        }
    }

    fn opened(&mut self, fact: &Fact, line: &LineId, trunk: &TrunkId) {
        let Formula { answer_within, clock, .. } = self.rules.of(line);
        let judged = Judged { within: *answer_within, clock: *clock, opened: fact.mono, rung: None };
        let line = self.line_label(line);
        let trunk = self.trunks.label(trunk);
        count(&self.figures.opened, vec![("line", line.clone())]);
        self.figures.active.inc();
        if self.open.len() < OPEN_MAX {
            let open = Open { line, trunk, waiting: false, talking: false, watchers: Vec::new(), judged };
            self.open.insert(fact.call, open);
        }
    }

    /// One who was put through to the seat, or whom it was asked about, did not wait for it in a queue.
    fn seat_answered(&mut self, fact: &Fact, waited_ms: u64) {
        let call = fact.call;
        let waited = self.open.get(&call).is_none_or(|open| open.waiting);
        self.wait(call, false);
        self.talk(call, true);
        if !waited {
            return;
        }
        self.figures.wait.observe(seconds(waited_ms));
        let waited = Duration::from_millis(waited_ms);
        let is_in_time = match self.open.get(&call).map(|open| &open.judged) {
            Some(judged) => judged.wait(waited, fact.mono) <= judged.within,
            None => waited <= self.rules.usual.answer_within,
        };
        if is_in_time {
            self.figures.within_level.inc();
        } else {
            self.figures.beyond_level.inc();
        }
        self.answered(call);
    }

    /// Somebody has talked with the caller: whoever comes to a queue after that waits from then on.
    fn answered(&mut self, call: CallId) {
        if let Some(open) = self.open.get_mut(&call) {
            open.judged.clock = Clock::Queue;
        }
    }

    /// Somebody's telephone rings for the caller.
    fn rung(&mut self, fact: &Fact) {
        if let Some(open) = self.open.get_mut(&fact.call) {
            open.judged.rung.get_or_insert(fact.mono);
        }
    }

    fn closed(&mut self, call: CallId, cause: Cause) {
        let was_waiting = self.open.get(&call).is_some_and(|open| open.waiting);
        if was_waiting {
            self.figures.beyond_level.inc();
        }
        self.wait(call, false);
        self.talk(call, false);
        let known = self.open.remove(&call);
        let line = known.map_or_else(|| "other".to_owned(), |open| open.line);
        let labels = vec![("line", line), ("cause", cause_label(cause).to_owned())];
        count(&self.figures.closed, labels);
        // A call closed after a crash was never opened in this process.
        if cause != Cause::Crash {
            self.figures.active.dec();
        }
    }

    fn wait(&mut self, call: CallId, waits: bool) {
        if let Some(open) = self.open.get_mut(&call) {
            turn(&mut open.waiting, waits, &self.figures.waiting);
        }
    }

    fn talk(&mut self, call: CallId, talks: bool) {
        if let Some(open) = self.open.get_mut(&call) {
            turn(&mut open.talking, talks, &self.figures.talking);
        }
    }

    fn line_label(&mut self, line: &LineId) -> String {
        if let Some(label) = self.lines.get(line) {
            return label.clone();
        }
        if self.lines.len() >= LINES_MAX {
            return "other".to_owned();
        }
        let label = line.as_str().to_owned();
        self.lines.insert(line.clone(), label.clone());
        label
    }
}

impl Judged {
    /// How long a caller waited who is answered now, after so long in the queue.
    fn wait(&self, queued: Duration, now: Instant) -> Duration {
        match self.clock {
            Clock::Arrival => now.since(self.opened),
            Clock::Queue => queued,
            Clock::Ring => self.rung.map_or(queued, |rung| now.since(rung)),
        }
    }
}

/// Moves a call's flag and the gauge together, so that the gauge never counts a call twice.
fn turn(flag: &mut bool, to: bool, gauge: &Gauge) {
    match (*flag, to) {
        (false, true) => {
            gauge.inc();
        }
        (true, false) => {
            gauge.dec();
        }
        _ => {}
    }
    *flag = to;
}

fn seconds(millis: u64) -> f64 {
    Duration::from_millis(millis).as_secs_f64()
}

#[cfg(test)]
#[path = "metrics_test.rs"]
mod tests;
