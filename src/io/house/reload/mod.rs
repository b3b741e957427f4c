//! A new plan, whole or not at all: read, checked and tested on the worker, then swapped in by one value.
//!
//! One at a time, in the order in which they were wanted. The control loop reads no file for it and decodes
//! no sound: [`prepare`] does all of that beside it, and only when nothing is left that could go wrong does
//! the swap come back as [`Ask::Prepared`](super::Ask::Prepared). Calls under way keep the plan that they
//! began with.

pub(super) mod daily;
mod noting;
mod prepare;
pub(super) mod watch;

use std::collections::{BTreeSet, VecDeque};

use serde::Serialize;
use tokio::sync::oneshot;

use super::keys::Keys;
use super::{Ask, House, start};
use crate::io::kept_plans::{Kept, KeptPlans};
use crate::io::plan_files::Held;
use crate::io::recorder::keeper::due::Terms;
use crate::io::sip_socket::tls::Files;
use crate::ledger::Trigger;
use crate::media::SoundBank;
use crate::routing::Plan;
use crate::routing::difference::{self as differences, Difference};
use crate::switchboard::Input;
use crate::switchboard::notices::HotNotice;
use crate::time::Timestamp;

pub(super) use noting::Before;
pub use prepare::Prepared;

/// Reloads that wait for the one under way; a further one is refused, for whoever wants it may ask again.
const WAITING_MAX: usize = 16;
/// Who changes files and sends signals.
const OPERATOR: &str = "operator";

/// Somebody wants a plan in force.
pub struct Wanted {
    /// Which.
    pub which: Which,
    /// What brings it about.
    pub trigger: Trigger,
    /// Who.
    pub by: String,
    /// Why, in their words; empty: not said.
    pub reason: String,
    /// Nothing is to change: only what would.
    pub dry_run: bool,
    /// Who waits for what came of it.
    pub reply: Option<oneshot::Sender<Result<Reloaded, NotReloaded>>>,
}

/// Which plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// What the operator's files say now.
    Files,
    /// One that was in force, by its number.
    Number(u64),
}

impl Wanted {
    /// What the files say, because of SIGHUP.
    pub fn by_signal() -> Self {
        Wanted::files(Trigger::Signal)
    }

    /// What the files say.
    fn files(trigger: Trigger) -> Self {
        Wanted {
            which: Which::Files,
            trigger,
            by: OPERATOR.to_owned(),
            reason: String::new(),
            dry_run: false,
            reply: None,
        }
    }
}

/// The plan in force, and how the operator's files stand to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Which it is; its files are kept under this number.
    pub number: u64,
    /// Of its files.
    pub digest: String,
    /// Since when, by the engine's clock.
    pub since: Timestamp,
    /// What brought it about.
    pub trigger: Trigger,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The earlier plan that it is again.
    pub rolled_back_to: Option<u64>,
    /// The routing file's name.
    pub file: String,
    /// Of the files as they were last read; `None`: they are of no use.
    pub file_digest: Option<String>,
    /// Whether files that change are read by themselves.
    pub watch: bool,
}

/// How the files on disk stand to the plan in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// They are it.
    InForce,
    /// They are another plan, which a restart or a reload would bring into force.
    Differs,
    /// They are faulty: a restart would fail.
    Faulty,
}

impl InForce {
    /// Of a plan that is kept, with the files on disk as they were last read.
    fn of(kept: Kept, file: String, file_digest: Option<String>, watch: bool) -> Self {
        InForce {
            number: kept.number,
            digest: kept.digest,
            since: kept.since,
            trigger: kept.trigger,
            by: kept.by,
            reason: kept.reason,
            rolled_back_to: kept.rolled_back_to,
            file,
            file_digest,
            watch,
        }
    }

    /// See [`FileState`].
    pub fn file_state(&self) -> FileState {
        match &self.file_digest {
            Some(digest) if *digest == self.digest => FileState::InForce,
            Some(_) => FileState::Differs,
            None => FileState::Faulty,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Reloaded {
    /// How.
    pub outcome: Outcome,
    /// The plan in force now.
    pub plan: InForce,
    /// What was changed, or would be.
    pub difference: Difference,
    /// Warnings about the plan that was read, as `hotline check --json` gives them.
    pub diagnostics: serde_json::Value,
    /// How many tests it has, all of which pass.
    pub tests: usize,
}

/// How it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is in force.
    Taken,
    /// It was in force already.
    Unchanged,
    /// It would be in force, had this not been a trial.
    WouldBeTaken,
}

/// Why the plan in force stays.
#[derive(Clone, Debug, PartialEq)]
pub enum NotReloaded {
    /// The files are faulty, or want what only a restart gives: as `hotline check --json` says it.
    Faulty(serde_json::Value),
    /// No plan of this number is kept.
    NoSuchPlan,
    /// A secret or the shelf of plans is not to be had.
    Outside(String),
    /// As many wait as may.
    Busy,
}

/// Reloads under way.
pub(super) struct Reloads {
    running: bool,
    waiting: VecDeque<Wanted>,
    /// The plan of the files as they were when the last rollback passed them over.
    passed_over: Option<String>,
    /// Hot notices that came meanwhile: their sounds go into the bank that the reload brings.
    pub(super) notices: Vec<(HotNotice, SoundBank, oneshot::Sender<()>)>,
}

impl Reloads {
    /// Whether the bank of sounds is about to be another one.
    pub(super) fn is_running(&self) -> bool {
        self.running
    }

    pub(super) fn new() -> Self {
        Reloads { running: false, waiting: VecDeque::new(), passed_over: None, notices: Vec::new() }
    }
}

impl House {
    /// Somebody wants a plan in force.
    pub(super) fn want_plan(&mut self, wanted: Wanted) {
        if self.reloads.waiting.len() >= WAITING_MAX {
            return self.not_reloaded(wanted, NotReloaded::Busy);
        }
        self.reloads.waiting.push_back(wanted);
        self.prepare_next();
    }

    fn prepare_next(&mut self) {
        if self.reloads.running {
            return;
        }
        let Some(wanted) = self.reloads.waiting.pop_front() else { return };
        self.reloads.running = true;
        if !wanted.dry_run {
            // Certificates are files of their own: they are read again whatever becomes of the plan.
            self.sockets.renew_certificates(None);
        }
        let job = prepare::Job {
            wanted,
            config: self.setup.config.clone(),
            overrides: self.setup.overrides.clone(),
            data: self.setup.data.clone(),
            clock: self.setup.clock,
            running: self.plan.clone(),
            started: self.started.clone(),
            in_force: self.in_force.clone(),
            passed_over: self.reloads.passed_over.clone(),
            in_bank: self.sounds.clone(),
            desk: self.desk.clone(),
            feed_desk: self.feed_desk.clone(),
            look_ups: self.look_ups.in_force().clone(),
            ring: self.ring.clone(),
        };
        let door = self.door.clone();
        self.worker.spawn_blocking(move || drop(door.send(Ask::Prepared(Box::new(job.run())))));
    }

    /// What the worker made of it.
    pub(super) fn prepared(&mut self, prepared: Prepared) {
        let Prepared { wanted, files, secrets, result } = prepared;
        if let Some(files) = files {
            self.in_force.file_digest = files.digest;
            if !wanted.dry_run {
                // What a trial has read is still to be taken.
                self.watched.send_modify(|watched| watched.read = files.marks);
            }
        }
        if !wanted.dry_run {
            self.watched.send_modify(|watched| watched.secrets = secrets);
        }
        match result {
            Err(why) => self.not_reloaded(wanted, why),
            Ok(prepare::Ready::Unchanged { keys, difference, diagnostics, tests }) => {
                if let Some(keys) = keys {
                    self.secrets_changed(*keys, &wanted, &difference);
                }
                let (trigger, changed) = (wanted.trigger.word(), difference.words());
                tracing::info!(trigger, "the plan has not changed\n{changed}");
                self.reloaded(wanted, Outcome::Unchanged, difference, diagnostics, tests);
            }
            Ok(prepare::Ready::Trial { difference, diagnostics, tests }) => {
                self.reloaded(wanted, Outcome::WouldBeTaken, difference, diagnostics, tests);
            }
            Ok(prepare::Ready::New(new)) => {
                let (difference, diagnostics, tests) =
                    (new.difference.clone(), new.diagnostics.clone(), new.tests);
                self.swap(*new);
                self.reloaded(wanted, Outcome::Taken, difference, diagnostics, tests);
            }
        }
        let (number, file) = (self.in_force.number, &self.in_force.file);
        match self.in_force.file_state() {
            FileState::InForce => {}
            FileState::Differs => {
                tracing::warn!(number, file, "the file is not the plan in force: a restart uses the file");
            }
            FileState::Faulty => {
                tracing::warn!(
                    number,
                    file,
                    "the file, or a secret of it, is of no use: a restart would fail"
                );
            }
        }
        self.reloads.running = false;
        for (notice, sound, reply) in std::mem::take(&mut self.reloads.notices) {
            self.notice_wanted(notice, sound, reply);
        }
        self.prepare_next();
    }

    fn swap(&mut self, new: prepare::New) {
        let prepare::New { plan, keys, in_bank, sounds, kept, .. } = new;
        let (accounts, trunk_passwords) = self.take_keys(&plan.digest, keys);
        self.sockets.renew_certificates(Some(Files::of(&plan.network.tls, &self.setup.data)));
        self.sounds = in_bank;
        self.media.set_bank(&self.sounds.bank);
        self.tracer.configure(plan.trace);
        self.archive.set_format(start::format(&plan));
        if let Some(keeper) = &self.keeper {
            keeper.set_terms(Terms::of(&plan));
        }
        self.watched.send_modify(|watched| watched.on = plan.watch);
        let previous = std::mem::replace(&mut self.plan, plan.clone());
        let (file, file_digest) = (self.in_force.file.clone(), self.in_force.file_digest.take());
        self.reloads.passed_over = kept.rolled_back_to.and(file_digest.clone());
        self.in_force = InForce::of(kept, file, file_digest, plan.watch);
        let (number, trigger) = (self.in_force.number, self.in_force.trigger.word());
        self.metrics.figures().plan_number(number);
        self.metrics.judge_by(&plan.kpi);
        let changed = new.difference.words();
        tracing::info!(
            number,
            trigger,
            digest = plan.digest,
            "a new plan is in force for the calls to come:\n{changed}"
        );
        self.note_taken(&previous, &new.difference);
        let changed = Input::PlanChanged { plan, accounts, trunk_passwords, sounds };
        self.board.handle_input(changed, self.setup.clock.now());
        self.resolver.follow(&self.plan);
    }

    /// The plan is the same, and what is behind its secrets is not.
    fn secrets_changed(&mut self, keys: Keys, wanted: &Wanted, difference: &Difference) {
        let digest = self.plan.digest.clone();
        let (accounts, trunk_passwords) = self.take_keys(&digest, keys);
        self.note_secrets(wanted, difference);
        let changed = Input::SecretsChanged { accounts, trunk_passwords };
        self.board.handle_input(changed, self.setup.clock.now());
    }

    fn reloaded(
        &self,
        wanted: Wanted,
        outcome: Outcome,
        difference: Difference,
        diagnostics: serde_json::Value,
        tests: usize,
    ) {
        let word = match outcome {
            Outcome::Taken => "taken",
            Outcome::Unchanged => "unchanged",
            Outcome::WouldBeTaken => "trial",
        };
        self.metrics.figures().reloaded(word, wanted.trigger.word());
        if let Some(reply) = wanted.reply {
            let plan = self.in_force.clone();
            // Whoever asked may be gone.
            let _ = reply.send(Ok(Reloaded { outcome, plan, difference, diagnostics, tests }));
        }
    }

    fn not_reloaded(&self, wanted: Wanted, why: NotReloaded) {
        if let NotReloaded::Outside(error) = &why {
            tracing::error!(error, "the plan stays as it is");
        }
        self.metrics.figures().reloaded("refused", wanted.trigger.word());
        if let Some(reply) = wanted.reply {
            let _ = reply.send(Err(why));
        }
    }
}

/// The plan of a house that opens: the last one's number where the files are the same, and else a new one. With
/// it what was in force before, if anything was, and what is other now. A shelf that cannot be read or written
/// costs ways back, and no start.
pub(super) fn at_start(
    plan: &Plan,
    held: &[Held],
    setup: &super::Setup,
) -> (InForce, Option<Before>, Difference) {
    let shelf = KeptPlans::of(&setup.data);
    let mut history = shelf.history().unwrap_or_else(|error| {
        tracing::error!(%error, "the kept plans cannot be read");
        Vec::new()
    });
    let last = history.pop();
    let file = setup.config.to_string_lossy().into_owned();
    let digest = Some(plan.digest.clone());
    let now = setup.clock.now().wall;
    let mut gone = cancelled(&shelf, plan, now);
    let (kept, before, difference) = match last {
        Some(last) if last.digest == plan.digest => (last, Some(Before::of(plan)), Difference::default()),
        last => {
            let (mut before, mut difference) = (None, Difference::default());
            if let Some(last) = &last {
                let number = last.number;
                tracing::warn!(number, file, "the file is not the plan that was in force: the file is used");
                let read = shelf.read(last, &setup.overrides, setup.clock.now().wall);
                if let Some(previous) = &read.outcome.plan {
                    difference = Difference::under(previous, plan, plan); // It starts with this one.
                    gone = differences::cancelled(&gone, previous, now);
                }
                before = Some(Before::kept(last, read.outcome.plan.as_ref()));
            }
            let kept = Kept {
                number: last.map_or(1, |last| last.number + 1),
                digest: plan.digest.clone(),
                since: setup.clock.now().wall,
                trigger: Trigger::Start,
                by: OPERATOR.to_owned(),
                reason: String::new(),
                rolled_back_to: None,
                files: Vec::new(),
            };
            (keep(&shelf, kept, held), before, difference)
        }
    };
    // A house that opens answers its callers: that nobody said who brings a number back is told, and holds up reloads.
    for number in differences::returned(&gone, plan, now) {
        tracing::warn!(
            number,
            code = "E1809",
            "a cancelled number is in use again, and nobody answers for it"
        );
    }
    note_cancelled(&shelf, &differences::cancelled(&gone, plan, now));
    if let Err(error) = shelf.note_start(kept.number, &setup.overrides) {
        tracing::error!(%error, "what the engine was started with is not noted: `check` goes by the last plan");
    }
    (InForce::of(kept, file, digest, plan.watch), before, difference)
}

/// Numbers that were cancelled by the plan in force and by those before it. A shelf that cannot be read costs the memory
/// of earlier plans, and no reload.
fn cancelled(shelf: &KeptPlans, running: &Plan, now: Timestamp) -> BTreeSet<String> {
    let known = shelf.cancelled().unwrap_or_else(|error| {
        tracing::error!(%error, "which numbers earlier plans cancelled cannot be read");
        BTreeSet::new()
    });
    differences::cancelled(&known, running, now)
}

/// Remembers what is cancelled from now on.
fn note_cancelled(shelf: &KeptPlans, numbers: &BTreeSet<String>) {
    if let Err(error) = shelf.note_cancelled(numbers) {
        tracing::error!(%error, "which numbers are cancelled is not kept: the next plan is held against this one only");
    }
}

/// A plan is in force even where no disk holds it: then nobody can roll back to it.
fn keep(shelf: &KeptPlans, plan: Kept, held: &[Held]) -> Kept {
    match shelf.keep(plan.clone(), held) {
        Ok(kept) => kept,
        Err(error) => {
            let number = plan.number;
            tracing::error!(%error, number, "the plan's files are not kept: there is no way back to it");
            plan
        }
    }
}
