//! Flows that lead back to themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ScriptId;
use crate::routing::plan::Plan;
use crate::routing::script::{Act, Script};

impl Act {
    /// The flows that it can lead to, by a key, by what is so, or without asking.
    pub fn leads_to(&self) -> impl Iterator<Item = &ScriptId> {
        let mut found: Vec<&ScriptId> = Vec::new();
        match self {
            Act::Menu(menu) => found.extend(menu.keys.values()),
            Act::LookUp(look_up) => found.extend(look_up.missing.iter().chain(&look_up.failed)),
            Act::Branch(branch) => {
                found.extend(branch.cases.iter().map(|case| &case.to).chain(&branch.otherwise));
            }
            Act::Transfer(transfer) => found.extend(&transfer.failed),
            Act::Go(to) => found.push(to),
            Act::Play(_)
            | Act::Say(_)
            | Act::Collect(_)
            | Act::Message(_)
            | Act::Order(_)
            | Act::Queue(_)
            | Act::Bot(_)
            | Act::Survey
            | Act::HangUp => {}
        }
        found.into_iter()
    }

    /// Whether what stands behind it in the flow is never come to.
    pub fn is_last(&self) -> bool {
        match self {
            Act::Menu(_) | Act::Queue(_) | Act::Bot(_) | Act::Go(_) | Act::HangUp => true,
            Act::Branch(branch) => branch.otherwise.is_some(),
            Act::Transfer(transfer) => transfer.failed.is_some(),
            Act::Play(_)
            | Act::Say(_)
            | Act::Collect(_)
            | Act::Message(_)
            | Act::LookUp(_)
            | Act::Order(_)
            | Act::Survey => false,
        }
    }
}

impl Script {
    /// Its acts up to the last that can be come to.
    pub fn reached(&self) -> &[Act] {
        let last = self.acts.iter().position(Act::is_last);
        last.map_or(&self.acts[..], |last| &self.acts[..=last])
    }
}

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
