//! Flows that lead back to themselves, and whatever else may.

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
        among(next).into_iter().map(|circle| circle.into_iter().cloned().collect()).collect()
    }
}

/// The circles among things that lead to others, each by its members in order, the one that sorts first in front; no two
/// have a member in common.
pub fn among<K: Ord + Copy>(mut next: BTreeMap<K, BTreeSet<K>>) -> Vec<Vec<K>> {
    let mut circles = Vec::new();
    loop {
        unwind(&mut next);
        let Some(mut at) = next.keys().next().copied() else { return circles };
        // Each one that is left leads to another that is left: sooner or later one comes again.
        let mut way: Vec<K> = Vec::new();
        let mut seen: BTreeSet<K> = BTreeSet::new();
        while seen.insert(at) {
            way.push(at);
            let Some(to) = next.get(&at).and_then(|to| to.first()).copied() else { break };
            at = to;
        }
        let begins = way.iter().position(|one| *one == at).unwrap_or(0);
        let mut circle = way.split_off(begins);
        let first = (0..circle.len()).min_by_key(|place| circle[*place]).unwrap_or(0);
        circle.rotate_left(first);
        for one in &circle {
            next.remove(one);
        }
        circles.push(circle);
    }
}

/// Takes away whatever leads nowhere, until the rest leads to the rest.
fn unwind<K: Ord + Copy>(next: &mut BTreeMap<K, BTreeSet<K>>) {
    let mut before: BTreeMap<K, Vec<K>> = BTreeMap::new();
    let known: BTreeSet<K> = next.keys().copied().collect();
    for (one, to) in next.iter_mut() {
        to.retain(|to| known.contains(to));
        for other in to.iter() {
            before.entry(*other).or_default().push(*one);
        }
    }
    let mut ends: Vec<K> = next.iter().filter(|(_, to)| to.is_empty()).map(|(one, _)| *one).collect();
    while let Some(end) = ends.pop() {
        next.remove(&end);
        for one in before.get(&end).into_iter().flatten() {
            let Some(to) = next.get_mut(one) else { continue };
            to.remove(&end);
            if to.is_empty() {
                ends.push(*one);
            }
        }
    }
}
