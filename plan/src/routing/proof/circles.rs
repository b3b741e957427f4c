//! Flows that lead back to themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ScriptId;
use crate::routing::plan::Plan;
use crate::routing::script::Act;

impl Plan {
    /// Circles among the flows, each by its members in order, the one that sorts first in front; no two have a
    /// flow in common.
    pub fn circles(&self) -> Vec<Vec<ScriptId>> {
        let mut next: BTreeMap<&ScriptId, BTreeSet<&ScriptId>> = BTreeMap::new();
        for (id, script) in &self.scripts {
            let to = script.reached().iter().flat_map(Act::leads_to);
            next.insert(id, to.filter(|to| self.scripts.contains_key(*to)).collect());
        }
        let mut circles = Vec::new();
        loop {
            unwind(&mut next);
            let Some(mut at) = next.keys().next().copied() else { return circles };
            // Every flow that is left leads to another that is left: sooner or later one comes again.
            let mut way: Vec<&ScriptId> = Vec::new();
            let mut seen: BTreeSet<&ScriptId> = BTreeSet::new();
            while seen.insert(at) {
                way.push(at);
                let Some(to) = next.get(at).and_then(|to| to.first()).copied() else { break };
                at = to;
            }
            let begins = way.iter().position(|id| *id == at).unwrap_or(0);
            let mut circle = way.split_off(begins);
            let first = (0..circle.len()).min_by_key(|place| circle[*place]).unwrap_or(0);
            circle.rotate_left(first);
            for id in &circle {
                next.remove(*id);
            }
            circles.push(circle.into_iter().cloned().collect());
        }
    }
}

/// Takes away whatever leads nowhere, until the rest leads to the rest.
fn unwind(next: &mut BTreeMap<&ScriptId, BTreeSet<&ScriptId>>) {
    let mut before: BTreeMap<&ScriptId, Vec<&ScriptId>> = BTreeMap::new();
    let known: BTreeSet<&ScriptId> = next.keys().copied().collect();
    for (id, to) in next.iter_mut() {
        to.retain(|to| known.contains(to));
        for other in to.iter() {
            before.entry(*other).or_default().push(id);
        }
    }
    let mut ends: Vec<&ScriptId> = next.iter().filter(|(_, to)| to.is_empty()).map(|(id, _)| *id).collect();
    while let Some(end) = ends.pop() {
        next.remove(end);
        for id in before.get(end).into_iter().flatten() {
            let Some(to) = next.get_mut(*id) else { continue };
            to.remove(end);
            if to.is_empty() {
                ends.push(*id);
            }
        }
    }
}
