//! The control loop: takes what happened outside, lets the switchboard decide, carries it out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::gauges::LOOP_BOUND;
use super::{Ask, House};
use crate::io::sip_socket::Arrival;
use crate::io::store::{Folded, Report};
use crate::media;
use crate::switchboard::{Input, Output, StoreJob};
use crate::tickets::event::{Outcome, StoredEvent};
use crate::time::Now;

/// Asks taken before the sockets have their turn again.
const ASKS_PER_TURN: usize = 256;
/// Earlier calls that a screen shows.
const HISTORY_MAX: usize = 5;
/// Between two tries to read what a sink is owed.
const LOAD_PAUSE: Duration = Duration::from_secs(1);
/// The loop wakes at least so often, to see that its threads are alive.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// Between two lines of the log about one ticket office that takes nothing.
const COMPLAINED_EVERY: Duration = Duration::from_secs(60);
/// Asked twice to end, it waits so long for trunks to let it go and for the store; then it ends all the same.
const ABANDON: Duration = Duration::from_secs(5);

impl House {
    /// Runs until it is drained.
    pub async fn run(mut self) {
        self.serving.store(true, Ordering::Release);
        self.dispatch();
        while !self.drained {
            let wake =
                self.board.poll_timeout().map_or(IDLE_MAX, |at| self.setup.clock.until(at).min(IDLE_MAX));
            tokio::select! {
                biased;
                () = self.sockets.readable() => {}
                Some(ask) = self.asks.recv() => self.take(ask),
                () = self.media_woke.notified() => {}
                () = tokio::time::sleep(wake) => {}
            }
            self.turn();
            let now = self.setup.clock.now().mono;
            if !self.drained && self.abandoned_at.is_some_and(|at| now >= at) {
                tracing::error!("asked twice to end, it waits no longer for trunks and the store");
                break;
            }
        }
        self.close();
    }

    /// One turn: everything that is there now, then what is due.
    fn turn(&mut self) {
        let now = self.setup.clock.now();
        let (board, sockets, tracer) = (&mut self.board, &mut self.sockets, &mut self.tracer);
        sockets.receive(|arrival| match arrival {
            Arrival::Packet(packet) => {
                tracer.received(&packet);
                board.handle_input(Input::Packet(packet), now);
            }
            Arrival::Unreachable(peer) => board.handle_input(Input::Unreachable(peer), now),
            Arrival::Opened { listener, peer, names } => {
                board.handle_input(Input::FlowOpened { listener, peer, names }, now);
            }
            Arrival::Closed { listener, peer } => {
                board.handle_input(Input::FlowClosed { listener, peer }, now);
            }
        });
        if let Some(waited) = sockets.take_waited() {
            board.handle_wait(waited.longest, waited.lost > 0, now);
            self.metrics.figures().sip_waited(waited.longest, waited.lost);
        }
        self.dispatch();
        for _ in 0..ASKS_PER_TURN {
            match self.asks.try_recv() {
                Ok(ask) => self.take(ask),
                Err(_) => break,
            }
        }
        while let Some(fact) = self.media.poll() {
            self.heard(fact);
        }
        let now = self.setup.clock.now();
        if let Some(at) = self.board.poll_timeout().filter(|at| *at <= now.mono) {
            self.metrics.figures().loop_delay(now.mono.since(at), LOOP_BOUND);
            self.board.handle_timeout(now);
        }
        self.dispatch();
        self.measure(now);
    }

    fn heard(&mut self, fact: media::Fact) {
        match &fact {
            media::Fact::Closed { figures, .. } => self.metrics.figures().leg_closed(figures),
            media::Fact::StrangerRefused { .. } => self.metrics.figures().stranger(),
            _ => {}
        }
        if let media::Fact::Filed(filed) = fact {
            return self.archive.file(filed);
        }
        self.board.handle_input(Input::Sound(fact), self.setup.clock.now());
    }

    fn take(&mut self, ask: Ask) {
        let now = self.setup.clock.now();
        match ask {
            Ask::Input(input) => {
                if let Input::Delivered {
                    sink,
                    outcome: Outcome::Retry(why) | Outcome::RetryAfter(why, _),
                    ..
                } = &input
                {
                    self.complain_of(*sink, why, now);
                }
                self.board.handle_input(input, now);
            }
            Ask::PauseRecording { call, pause, by, reply } => {
                let before = self.board.recording(call);
                self.board.handle_input(Input::PauseRecording { call, pause, by }, now);
                let _ = reply.send([before, self.board.recording(call)]);
            }
            Ask::Look(look) => {
                // A fault in it costs its asker the answer, and nobody a call.
                if catch_unwind(AssertUnwindSafe(|| look(&self.board, now))).is_err() {
                    tracing::error!("a look at the house met a fault");
                }
            }
            Ask::Request { asker, request, reply } => {
                // Whoever asked may be gone.
                let _ = reply.send(self.board.ask(&asker, request, now));
            }
            Ask::Notice { notice, sound, reply } => self.notice_wanted(*notice, sound, reply),
            Ask::NoticeEnded { id, reply } => self.notice_ended(id, reply),
            Ask::Reload(wanted) => self.want_plan(wanted),
            Ask::Prepared(prepared) => self.prepared(*prepared),
            Ask::InForce(reply) => drop(reply.send(self.in_force.clone())),
            Ask::NewDay => self.new_day(),
            Ask::Day(ended) => self.metrics.restore_day(&ended, now),
            Ask::Stop => {
                let grace = if self.stopping { Duration::ZERO } else { self.plan.limits.drain_grace };
                if self.stopping {
                    self.abandoned_at.get_or_insert(now.mono + ABANDON);
                }
                self.stopping = true;
                self.say_if_serving();
                self.metrics.figures().draining();
                tracing::info!(grace_s = grace.as_secs(), "draining: no new calls");
                self.board.handle_input(Input::Drain { grace }, now);
            }
            Ask::Store(report) => self.store_said(report),
            Ask::Located(news) if self.resolver.stands(&news) => {
                self.board.handle_input(Input::TrunkHops { trunk: news.trunk, hops: news.hops }, now);
            }
            Ask::Located(_) => {} // Of a plan that is no longer in force.
        }
        self.dispatch();
    }

    fn store_said(&mut self, report: Report) {
        let now = self.setup.clock.now();
        match report {
            Report::Committed { token, folded, fed, took, .. } => {
                self.metrics.figures().store_committed(took);
                if std::mem::take(&mut self.store_fails) {
                    tracing::info!("the store writes again");
                    self.say_if_serving();
                }
                self.note_folded(folded);
                if let Some(token) = token {
                    self.feed.committed(token);
                    self.board.handle_input(Input::Stored { token }, now);
                }
                for (sink, first) in fed {
                    self.board.handle_input(Input::Owed { sink, first }, now);
                }
            }
            Report::Failed { token, error } => {
                self.metrics.figures().store_failed();
                self.store_fails = true;
                self.say_if_serving();
                tracing::error!(error, "the store fails: calls are answered, records wait in memory");
                if let Some(token) = token {
                    self.board.handle_input(Input::StoreFailed { token }, now);
                }
            }
            Report::Panicked => {
                self.metrics.figures().thread_failed("store");
                tracing::error!("the store's thread met a fault and began anew");
            }
        }
    }

    /// What `/readyz` tells: new calls are taken, and what becomes of them is kept.
    fn say_if_serving(&self) {
        self.serving.store(!self.stopping && !self.store_fails, Ordering::Release);
    }

    /// Carries out what the switchboard wants, until it wants nothing more.
    pub(super) fn dispatch(&mut self) {
        while let Some(output) = self.board.poll_output() {
            match output {
                Output::Packet(packet) => {
                    self.tracer.sent(&packet);
                    let board = &self.board;
                    self.sockets.send(packet, |peer| board.sip().names_at(peer));
                }
                Output::OnWire { call, party, wire_ref } => self.tracer.tie(call, party, wire_ref),
                Output::Sound(order) => self.media.send(order),
                Output::OpenPorts(count) => {
                    let slots = self.media.open_ports(count);
                    self.board.handle_input(Input::PortsOpened(slots), self.setup.clock.now());
                }
                Output::Store { token, jobs } => {
                    for job in &jobs {
                        match job {
                            StoreJob::Fact { fact, .. } => self.metrics.apply(fact),
                            StoreJob::DeadLetter { sink, .. } => {
                                self.metrics.figures().dead_letter(&self.sink_name(*sink));
                            }
                            StoreJob::Settled { .. }
                            | StoreJob::Access { .. }
                            | StoreJob::Binding { .. }
                            | StoreJob::Seat { .. } => {}
                        }
                    }
                    if let Some(store) = &self.store {
                        let facts = self.feed.pick(&jobs);
                        let whole = store.submit(token, jobs);
                        self.feed.submitted(token, facts, whole);
                    }
                }
                Output::Deliver { sink, event, timeout } => self.deliver(sink, event, timeout),
                Output::LoadOutbox { sink, after, most } => self.load_outbox(sink, after, most),
                Output::LookUpHistory { call, caller, since } => {
                    let door = self.door.clone();
                    self.desk.ask(
                        move |reader| {
                            let entries = reader.history(&caller, call, HISTORY_MAX)?;
                            Ok((entries, reader.earlier(&caller, call, since)?))
                        },
                        move |known| {
                            let (entries, earlier) = known.unwrap_or_default();
                            let _ = door.send(Ask::Input(Input::History { call, entries, earlier }));
                        },
                    );
                }
                Output::LookUp { call, asked, source, by } => self.look_up(call, asked, &source, by),
                Output::TalkWithBot { call, talk, invited } => self.talk_with_bot(call, talk, *invited),
                Output::TellBot { call, talk, digit } => self.bots.press(call, talk, digit),
                Output::LeaveBot { call, talk, end } => self.leave_bot(call, talk, end),
                Output::Drained => self.drained = true,
            }
        }
        self.sockets.flush();
        self.tracer.hand_over();
        for delay in self.board.take_offer_delays() {
            self.metrics.figures().offer_delay(delay);
        }
    }

    fn deliver(&self, sink: usize, event: StoredEvent, timeout: Duration) {
        let Some(adapter) = self.sinks.get(sink).cloned().flatten() else { return };
        let (door, figures) = (self.door.clone(), self.metrics.figures().clone());
        let name = self.sink_name(sink);
        self.worker.spawn(async move {
            let tried = tokio::time::timeout(timeout, adapter.deliver(&event)).await;
            let outcome = tried.unwrap_or_else(|_| Outcome::Retry("timed out".into()));
            let word = match &outcome {
                Outcome::Taken => "taken",
                Outcome::Retry(_) | Outcome::RetryAfter(..) => "retry",
                Outcome::Refused(_) => "refused",
            };
            figures.tried(&name, word, 1);
            let _ = door.send(Ask::Input(Input::Delivered { sink, event: event.event, outcome }));
        });
    }

    /// A ticket office takes nothing for now: told at first, and at times while that lasts.
    fn complain_of(&mut self, sink: usize, why: &str, now: Now) {
        if self.complained.get(&sink).is_some_and(|next| now.mono < *next) {
            return;
        }
        self.complained.insert(sink, now.mono + COMPLAINED_EVERY);
        let name = self.sink_name(sink);
        tracing::warn!(
            sink = name,
            why,
            "工单系统 {name} 没有收下事件，稍后重发，不会丢失：401、403 检查 secret，404 检查 url / the ticket office {name} \
             does not take events; they are kept and sent again: for 401 and 403 look at its secret, for 404 at its url"
        );
    }

    fn note_folded(&self, folded: Folded) {
        let embedded = self.started.sinks.iter().find(|sink| sink.is_embedded());
        let Some(name) = embedded.map(|sink| &sink.name) else { return };
        let figures = self.metrics.figures();
        figures.tried(name, "taken", folded.taken);
        figures.tried(name, "refused", folded.refused);
        (0..folded.refused).for_each(|_| figures.dead_letter(name));
    }

    fn sink_name(&self, sink: usize) -> String {
        self.plan.outlets().nth(sink).map_or_else(String::new, |sink| sink.name.clone())
    }

    /// Asks until there is an answer: an empty one says that nothing is owed.
    fn load_outbox(&self, sink: usize, after: Option<crate::tickets::event::EventRef>, most: usize) {
        let name = self.sink_name(sink);
        let (door, desk) = (self.door.clone(), self.desk.clone());
        self.worker.spawn(async move {
            loop {
                let name = name.clone();
                match desk.answer(move |reader| reader.owed(&name, after, most)).await {
                    Ok(events) => {
                        let _ = door.send(Ask::Input(Input::RestoreOutbox { sink, events }));
                        return;
                    }
                    Err(error) => tracing::warn!(%error, "what is owed cannot be read yet"),
                }
                tokio::time::sleep(LOAD_PAUSE).await;
            }
        });
    }

    /// The last recordings are closed, the last facts written.
    fn close(mut self) {
        for fact in self.media.stop() {
            match fact {
                media::Fact::Filed(filed) => self.archive.file(filed),
                fact => self.board.handle_input(Input::Sound(fact), self.setup.clock.now()),
            }
        }
        let Some(store) = self.store.take() else { return };
        while let Some(output) = self.board.poll_output() {
            if let Output::Store { token, jobs } = output {
                store.submit(token, jobs);
            }
        }
        self.archive.close();
        if let Some(keeper) = self.keeper.take() {
            keeper.close();
        }
        let lost = store.close();
        if lost > 0 {
            tracing::error!(
                lost,
                "{lost} 条事实没有写下来，已经丢失：检查数据目录 / {lost} facts could not be written and are lost: look \
                 at the data directory"
            );
        }
        tracing::info!("closed");
    }
}
