//! The plans' sounds in the bank: each is there once, and leaves it when no call has a plan with it any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::House;
use crate::id::PromptId;
use crate::media::SoundBank;
use crate::media::order::SoundId;
use crate::routing::Plan;

/// What is in the bank, and for whom.
#[derive(Debug, Clone, Default)]
pub(super) struct Sounds {
    /// Those of plans and of hot notices.
    pub(super) bank: SoundBank,
    /// Those of plans by their content.
    loaded: Vec<(Arc<[i16]>, SoundId)>,
    /// By the digest of a plan that was in force: the last is the one that is.
    plans: Vec<(String, Vec<SoundId>)>,
}

impl Sounds {
    /// Takes in a plan that is to be in force; what is there already is used again.
    pub(super) fn take(&mut self, plan: &Plan) -> Vec<(PromptId, SoundId)> {
        let mut fresh = Vec::new();
        let mut ids = Vec::new();
        for prompt in plan.prompts.values() {
            let known = self.loaded.iter().find(|(samples, _)| *samples == prompt.samples).map(|(_, id)| *id);
            let id = known.unwrap_or_else(|| {
                let id = SoundId(u32::try_from(self.bank.len() + fresh.len()).unwrap_or(u32::MAX));
                self.loaded.push((prompt.samples.clone(), id));
                fresh.push(prompt.samples.clone());
                id
            });
            ids.push((prompt.id.clone(), id));
        }
        self.bank = self.bank.with(fresh);
        self.plans.push((plan.digest.clone(), ids.iter().map(|(_, id)| *id).collect()));
        ids
    }

    /// Whether there are plans of which there may be no call any more.
    fn has_earlier(&self) -> bool {
        self.plans.len() > 1
    }

    /// Lets go of what only plans have that are neither in force nor among these; whether there was anything.
    fn release(&mut self, with_calls: &BTreeSet<&str>) -> bool {
        let in_force = self.plans.len().saturating_sub(1);
        let mut at = 0..;
        self.plans.retain(|(digest, _)| at.next() == Some(in_force) || with_calls.contains(digest.as_str()));
        let heard: BTreeSet<SoundId> = self.plans.iter().flat_map(|(_, ids)| ids).copied().collect();
        let mut gone = Vec::new();
        self.loaded.retain(|(_, id)| {
            let is_heard = heard.contains(id);
            gone.extend((!is_heard).then_some(*id));
            is_heard
        });
        if !gone.is_empty() {
            self.bank = self.bank.without(&gone);
        }
        !gone.is_empty()
    }
}

impl House {
    /// Lets go of sounds of earlier plans; not while a reload builds on them.
    pub(super) fn mind_sounds(&mut self) {
        if self.reloads.is_running() || !self.sounds.has_earlier() {
            return;
        }
        let with_calls = self.board.plans_of_calls().map(|plan| plan.digest.as_str()).collect();
        if self.sounds.release(&with_calls) {
            self.media.set_bank(&self.sounds.bank);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::plan::Prompt;

    fn plan(shipped: &Plan, digest: &str, sounds: &[(&str, i16)]) -> Plan {
        let prompt = |(id, sample): &(&str, i16)| {
            let id = PromptId::from(*id);
            let like = shipped.prompts.values().next().expect("a prompt").clone();
            (id.clone(), Prompt { id, samples: Arc::new([*sample; 4]), ..like })
        };
        Plan { digest: digest.to_owned(), prompts: sounds.iter().map(prompt).collect(), ..shipped.clone() }
    }

    #[test]
    fn a_sound_stays_as_long_as_a_plan_in_force_or_of_a_call_has_it() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let shipped = crate::io::plan_files::load(&file, &Default::default()).plan.expect("the shipped plan");
        let [a, b] = [plan(&shipped, "a", &[("x", 1), ("y", 2)]), plan(&shipped, "b", &[("y", 2), ("z", 3)])];
        let mut sounds = Sounds::default();
        let first = sounds.take(&a);
        assert!(!sounds.has_earlier() && !sounds.release(&BTreeSet::new()));
        let second = sounds.take(&b);
        assert_eq!(
            (sounds.bank.len(), first[1].1, second[0].1),
            (3, SoundId(1), SoundId(1)),
            "y is there once"
        );

        let at = |sounds: &Sounds, id: u32| sounds.bank.linear(SoundId(id)).first().copied();
        assert!(sounds.has_earlier() && !sounds.release(&BTreeSet::from(["a"])), "a call has it");
        assert_eq!([0, 1, 2].map(|id| at(&sounds, id)), [Some(1), Some(2), Some(3)]);
        assert!(sounds.release(&BTreeSet::from(["b"])));
        assert_eq!([0, 1, 2].map(|id| at(&sounds, id)), [None, Some(2), Some(3)]);
        assert!(!sounds.has_earlier() && !sounds.release(&BTreeSet::new()), "once");

        let again = sounds.take(&a);
        assert_eq!((again[0].1, again[1].1, at(&sounds, 3)), (SoundId(3), SoundId(1), Some(1)));
    }

    #[test]
    fn a_plan_that_comes_back_while_calls_of_it_go_on_keeps_its_sounds() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let shipped = crate::io::plan_files::load(&file, &Default::default()).plan.expect("the shipped plan");
        let [a, b] = [plan(&shipped, "a", &[("x", 1)]), plan(&shipped, "b", &[("z", 3)])];
        let mut sounds = Sounds::default();
        let ids: Vec<SoundId> = [&a, &b, &a].map(|plan| sounds.take(plan)[0].1).to_vec();
        assert_eq!(ids, [SoundId(0), SoundId(1), SoundId(0)]);
        assert!(sounds.release(&BTreeSet::new()), "b's");
        assert_eq!((sounds.bank.linear(SoundId(0)).len(), sounds.bank.linear(SoundId(1)).len()), (4, 0));
    }
}
