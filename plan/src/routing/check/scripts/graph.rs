//! All flows of a file as one net of acts, to be walked along.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::build;
use super::super::super::script::{Act, Leads, Script, When};
use super::super::super::tables::script::ActTable;
use super::super::super::tables::{NumberTable, RoutingTable};

/// A flow by its place in the file, and an act by its place in the flow.
pub type Place = (usize, usize);

/// Flows that are whole, and lead to flows that exist.
pub struct Graph<'t> {
    /// The file.
    pub table: &'t RoutingTable,
    scripts: Vec<Script>,
    by_name: BTreeMap<String, usize>,
}

impl<'t> Graph<'t> {
    /// `None` where one flow is not whole, or leads to one that is not there.
    pub fn of(table: &'t RoutingTable) -> Option<Self> {
        let scripts: Vec<Script> =
            table.flows.iter().map(|flow| build::script::script(flow, table)).collect::<Option<_>>()?;
        let by_name: BTreeMap<String, usize> =
            scripts.iter().enumerate().map(|(place, script)| (script.id.to_string(), place)).collect();
        let graph = Graph { table, scripts, by_name };
        let is_there = |to: Leads<'_>| match to {
            Leads::Script(id) => graph.by_name.contains_key(id.as_str()),
            Leads::On | Leads::Person | Leads::Queue(_) | Leads::Talk | Leads::End => true,
        };
        let is_there = graph.scripts.iter().all(|script| script.ways().all(|(_, way)| is_there(way.to)));
        is_there.then_some(graph)
    }

    /// Every act.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        let scripts = self.scripts.iter().enumerate();
        scripts.flat_map(|(flow, script)| (0..script.acts.len()).map(move |act| (flow, act)))
    }

    /// The act.
    pub fn act(&self, (flow, act): Place) -> Option<&Act> {
        self.scripts.get(flow)?.acts.get(act)
    }

    /// The act as it is written.
    pub fn written(&self, (flow, act): Place) -> Option<&'t ActTable> {
        self.table.flows.get(flow)?.steps.get(act)?.act.as_ref()
    }

    /// The acts that may come next.
    pub fn after(&self, place: Place) -> Vec<(When, Place)> {
        let ways = self.act(place).map(Act::ways).unwrap_or_default();
        let next = |to: Leads<'_>| match to {
            Leads::On => Some((place.0, place.1 + 1)),
            Leads::Script(id) => Some((*self.by_name.get(id.as_str())?, 0)),
            Leads::Person | Leads::Queue(_) | Leads::Talk | Leads::End => None,
        };
        let next = ways.into_iter().filter_map(|way| Some((way.when, next(way.to)?)));
        next.filter(|(_, place)| self.act(*place).is_some()).collect()
    }

    /// All acts that calls come to from these, which are among them.
    pub fn reached(&self, from: impl IntoIterator<Item = Place>) -> BTreeSet<Place> {
        let mut ahead: Vec<Place> = from.into_iter().filter(|place| self.act(*place).is_some()).collect();
        let mut reached = BTreeSet::new();
        while let Some(place) = ahead.pop() {
            if reached.insert(place) {
                ahead.extend(self.after(place).into_iter().map(|(_, next)| next));
            }
        }
        reached
    }

    /// Numbers with the first acts of their flows.
    pub fn entries(&self) -> impl Iterator<Item = (&'t NumberTable, Place)> {
        self.table.numbers.iter().filter_map(|line| {
            let flow = self.by_name.get(line.flow.as_ref()?.value.as_str())?;
            Some((line, (*flow, 0)))
        })
    }
}
