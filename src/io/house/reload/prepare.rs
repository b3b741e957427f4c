//! All of a reload that takes time: reading, checking, testing, decoding, keeping. Runs on the worker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::keys::{self, Keys};
use super::super::sounds::Sounds;
use super::super::start;
use super::{InForce, NotReloaded, Wanted, Which};
use crate::id::PromptId;
use crate::io::clock::Clock;
use crate::io::kept_plans::{Kept, KeptPlans};
use crate::io::look_up::Sources;
use crate::io::plan_files::{self, Held, Marked, Reading, mark};
use crate::io::secrets::Keyring;
use crate::io::store::Desk;
use crate::ledger::Trigger;
use crate::media::order::SoundId;
use crate::routing::difference::{self as differences, Difference, wants_restart};
use crate::routing::{Overrides, Plan};

/// What is to be done, with all that it needs of the house.
pub(super) struct Job {
    pub(super) wanted: Wanted,
    pub(super) config: PathBuf,
    pub(super) overrides: Overrides,
    pub(super) data: PathBuf,
    pub(super) clock: Clock,
    pub(super) running: Arc<Plan>,
    /// What sockets, ports and threads were laid out for.
    pub(super) started: Arc<Plan>,
    pub(super) in_force: InForce,
    /// The plan of the files that the last rollback passed over.
    pub(super) passed_over: Option<String>,
    pub(super) in_bank: Sounds,
    pub(super) desk: Desk,
    /// Of the feeds.
    pub(super) feed_desk: Desk,
    pub(super) look_ups: Sources,
    /// Secrets of the plan in force.
    pub(super) ring: Keyring,
}

/// What came of it, for the control loop.
pub struct Prepared {
    pub(super) wanted: Wanted,
    /// The operator's files, if it was they that were read.
    pub(super) files: Option<Files>,
    /// Files of secrets, and what each was known by.
    pub(super) secrets: Vec<Marked>,
    pub(super) result: Result<Ready, NotReloaded>,
}

/// The operator's files as they were read.
pub(super) struct Files {
    pub(super) marks: Vec<Marked>,
    /// `None`: of no use.
    pub(super) digest: Option<String>,
}

/// A plan that can be taken over.
pub(super) enum Ready {
    /// It is in force already. What its secrets open, where they have changed and this was no trial.
    Unchanged {
        keys: Option<Box<Keys>>,
        difference: Difference,
        diagnostics: serde_json::Value,
        tests: usize,
    },
    /// Nothing is to change.
    Trial { difference: Difference, diagnostics: serde_json::Value, tests: usize },
    /// It is new.
    New(Box<New>),
}

/// A plan with everything that the house takes over with it.
pub(super) struct New {
    pub(super) plan: Arc<Plan>,
    pub(super) keys: Keys,
    pub(super) in_bank: Sounds,
    pub(super) sounds: Vec<(PromptId, SoundId)>,
    pub(super) kept: Kept,
    pub(super) difference: Difference,
    pub(super) diagnostics: serde_json::Value,
    pub(super) tests: usize,
}

impl Job {
    /// Does it. A fault in it costs the reload, and nothing else.
    pub(super) fn run(mut self) -> Prepared {
        let mut files = None;
        let looked = |(name, _): &Marked| (name.clone(), mark(Path::new(name)));
        // Before any is read: one that changes meanwhile is seen later.
        let mut secrets: Vec<Marked> = self.ring.marks().iter().map(looked).collect();
        let result = catch_unwind(AssertUnwindSafe(|| self.prepare(&mut files, &mut secrets)))
            .unwrap_or_else(|_| {
                Err(NotReloaded::Outside(
                    "重载时发生内部错误 / the reload met a fault of the engine's".to_owned(),
                ))
            });
        Prepared { wanted: self.wanted, files, secrets, result }
    }

    fn prepare(
        &mut self,
        files: &mut Option<Files>,
        secrets: &mut Vec<Marked>,
    ) -> Result<Ready, NotReloaded> {
        let shelf = KeptPlans::of(&self.data);
        let now = self.clock.now().wall;
        let outside = |error: &dyn std::fmt::Display| NotReloaded::Outside(error.to_string());
        let (reading, again) = match self.wanted.which {
            Which::Files => (plan_files::read(&self.config, &self.overrides, now), None),
            Which::Number(number) => {
                let history = shelf.history().map_err(|error| outside(&error))?;
                let kept = history.into_iter().find(|kept| kept.number == number);
                let kept = kept.ok_or(NotReloaded::NoSuchPlan)?;
                (shelf.read(&kept, &self.overrides, now), Some(number))
            }
        };
        if again.is_none() {
            let digest = reading.outcome.plan.as_ref().map(|plan| plan.digest.clone());
            *files = Some(Files { marks: reading.marks(), digest });
        }
        let Reading { outcome, files: held, .. } = reading;
        let mut report = outcome.report;
        if let Some(plan) = &outcome.plan {
            report.refuse_fixed(&wants_restart(&self.started, plan), &outcome.fixtures);
            if again.is_none() {
                // Who goes back to a plan by its number is in the ledger with the reason; a file is held to what was cancelled.
                let gone = super::cancelled(&shelf, &self.running, now);
                report.refuse_returned(&differences::returned(&gone, plan, now), &outcome.numbers);
            }
        }
        let diagnostics = report.to_json();
        let Some(plan) = outcome.plan.filter(|_| report.exit_code() == 0).map(Arc::new) else {
            tracing::error!("the plan stays as it is:\n{}", report.render(false));
            return Err(NotReloaded::Faulty(diagnostics));
        };
        let (tests, dry_run) = (outcome.cases, self.wanted.dry_run);
        if !dry_run {
            start::log(&report);
        }
        let is_new = plan.digest != self.running.digest && !self.was_seen(&plan);
        let of = if is_new { &plan } else { &self.running };
        let mut ring = self.ring.next(dry_run);
        let keys = Keys::read(of, &mut ring, [&self.desk, &self.feed_desk], &self.look_ups);
        *secrets = ring.marks().to_vec();
        let keys = keys.map_err(|error| {
            if let Some(files) = files
                && !ring.has_lost()
            {
                files.digest = None; // A restart would fail by this, too.
            }
            outside(&error)
        })?;
        let mut difference = match is_new {
            true => Difference::under(&self.running, &plan, &self.started),
            false => Difference::default(),
        };
        let news = keys::news(&ring, dry_run);
        let keys_changed = !news.is_empty();
        news.into_iter().rev().for_each(|told| difference.note(told));
        if !is_new {
            let keys = (keys_changed && !dry_run).then(|| Box::new(keys));
            return Ok(Ready::Unchanged { keys, difference, diagnostics, tests });
        }
        if dry_run {
            return Ok(Ready::Trial { difference, diagnostics, tests });
        }
        let mut in_bank = std::mem::take(&mut self.in_bank);
        let sounds = in_bank.take(&plan);
        let kept = self.keep(&shelf, &plan, &held, again);
        let gone = super::cancelled(&shelf, &self.running, now);
        let mut gone = differences::cancelled(&gone, &plan, now);
        for number in differences::returned(&gone, &plan, now) {
            gone.remove(&number); // By a rollback.
        }
        super::note_cancelled(&shelf, &gone);
        let new = New { plan, keys, in_bank, sounds, kept, difference, diagnostics, tests };
        Ok(Ready::New(Box::new(new)))
    }

    /// A file that was touched and holds what it held when a rollback passed it over does not undo that.
    fn was_seen(&self, plan: &Plan) -> bool {
        self.wanted.trigger == Trigger::Watch && self.passed_over.as_ref() == Some(&plan.digest)
    }

    fn keep(&self, shelf: &KeptPlans, plan: &Plan, held: &[Held], again: Option<u64>) -> Kept {
        let plan = Kept {
            number: self.in_force.number + 1,
            digest: plan.digest.clone(),
            since: self.clock.now().wall,
            trigger: self.wanted.trigger,
            by: self.wanted.by.clone(),
            reason: self.wanted.reason.clone(),
            rolled_back_to: again,
            files: Vec::new(),
        };
        super::keep(shelf, plan, held)
    }
}
