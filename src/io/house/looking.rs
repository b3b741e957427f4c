//! Questions of flows, taken to the sources of the call's plan and back.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ask, House};
use crate::call::LookedUp;
use crate::id::{CallId, LookUpId};
use crate::io::look_up::{Question, Sources};
use crate::switchboard::Input;

/// How a source that the call's plan does not have is named in figures.
const GONE: &str = "-";

/// The sources of plans, by their digests: of the one in force, which is the last, and of earlier ones that calls
/// still have. A call asks those that its flows were written for, as long as it lasts.
pub struct LookUps {
    plans: Vec<(String, Sources)>,
}

impl LookUps {
    /// Of the first plan.
    pub(super) fn of(digest: &str, sources: Sources) -> Self {
        LookUps { plans: vec![(digest.to_owned(), sources)] }
    }

    /// Those of a plan that is in force from now on. One that comes back takes the place of what it was.
    pub(super) fn take(&mut self, digest: &str, sources: Sources) {
        self.plans.retain(|(known, _)| known != digest);
        self.plans.push((digest.to_owned(), sources));
    }

    /// Those of the plan in force.
    pub(super) fn in_force(&self) -> &Sources {
        &self.plans.last().expect("one is in force from the start").1
    }

    fn of_plan(&self, digest: &str) -> &Sources {
        let found = self.plans.iter().find(|(known, _)| known == digest);
        found.map_or_else(|| self.in_force(), |(_, sources)| sources)
    }

    /// Lets go of those that no plan in force or among these has.
    fn release(&mut self, with_calls: &BTreeSet<&str>) {
        let in_force = self.plans.len().saturating_sub(1);
        let mut at = 0..;
        self.plans.retain(|(digest, _)| at.next() == Some(in_force) || with_calls.contains(digest.as_str()));
    }
}

impl House {
    /// Asks on the worker; an answer always comes.
    pub(super) fn look_up(
        &mut self,
        call: CallId,
        asked: u32,
        source: &LookUpId,
        by: BTreeMap<String, String>,
    ) {
        let line = self.board.line_of(call).cloned();
        let plan = self.board.plan_of(call).unwrap_or(&self.plan);
        let sources = self.look_ups.of_plan(&plan.digest);
        let Some(asking) = sources.ask(source, Question { call, asked, line, by }) else {
            tracing::warn!(%call, %source, "the call's plan has no such look-up");
            self.metrics.figures().look_up_failed(GONE, "failed");
            let said = LookedUp::Failed;
            return self.board.handle_input(Input::LookedUp { call, asked, said }, self.setup.clock.now());
        };
        let (door, figures, source) = (self.door.clone(), self.metrics.figures().clone(), source.clone());
        self.worker.spawn(async move {
            let (said, failure) = asking.await;
            if let Some(why) = failure {
                figures.look_up_failed(source.as_str(), why);
            }
            let _ = door.send(Ask::Input(Input::LookedUp { call, asked, said }));
        });
    }

    /// Lets go of sources of earlier plans.
    pub(super) fn mind_look_ups(&mut self) {
        if self.look_ups.plans.len() > 1 {
            let with_calls = self.board.plans_of_calls().map(|plan| plan.digest.as_str()).collect();
            self.look_ups.release(&with_calls);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::io::plan_files;
    use crate::io::secrets::Keyring;
    use crate::io::store::Desk;
    use crate::routing::script::{LookUpKind, LookUpSource};

    /// Sources with one of this name.
    fn sources(name: &str, desk: &Desk) -> Sources {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let mut plan = plan_files::load(&file, &Default::default()).plan.expect("the shipped plan");
        let source = LookUpSource {
            id: name.into(),
            kind: LookUpKind::Jsonl { path: "none".into() },
            says: BTreeSet::new(),
            timeout: std::time::Duration::from_secs(1),
            misses_max: 3,
            lock: std::time::Duration::from_secs(60),
        };
        plan.look_ups = [(source.id.clone(), source)].into();
        let mut ring = Keyring::new(std::path::Path::new("."));
        Sources::open(&plan, &mut ring, desk, &Sources::default()).expect("a file need not be there")
    }

    #[test]
    fn a_call_asks_the_sources_of_its_own_plan_as_long_as_it_lasts() {
        let data = std::env::temp_dir().join(format!("hotline-looking-{}", std::process::id()));
        std::fs::create_dir_all(&data).unwrap();
        let desk = Desk::start(data.join("hotline.db")).unwrap();
        let has = |look_ups: &LookUps, digest: &str, name: &str| {
            let call = CallId::draw(1, &mut Dice::seeded(1));
            let question = Question { call, asked: 1, line: None, by: BTreeMap::new() };
            look_ups.of_plan(digest).ask(&name.into(), question).is_some()
        };
        let mut look_ups = LookUps::of("a", sources("owners", &desk));
        look_ups.take("b", sources("cases", &desk));
        let of_each = |look_ups: &LookUps| {
            [("a", "owners"), ("a", "cases"), ("b", "owners"), ("b", "cases")]
                .map(|(digest, name)| has(look_ups, digest, name))
        };
        assert_eq!(of_each(&look_ups), [true, false, false, true]);
        look_ups.release(&BTreeSet::from(["a"]));
        assert_eq!(of_each(&look_ups), [true, false, false, true], "a call has it");
        look_ups.take("a", sources("owners", &desk));
        look_ups.release(&BTreeSet::from(["b"]));
        assert_eq!(of_each(&look_ups), [true, false, false, true], "it came back");
        look_ups.release(&BTreeSet::new());
        assert_eq!(look_ups.plans.len(), 1, "nobody has the other one any more");
        let _ = std::fs::remove_dir_all(&data);
    }
}
