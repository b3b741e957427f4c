//! Which numbers go out by which trunks, and behind which of them the public is: a call by such a trunk to a number
//! of ours comes in again, while a center answers its own number.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::build;
use super::super::plan::City;
use super::super::rewrite::Rules;
use super::super::source::Said;
use super::super::tables::{EmergencyTable, NumberTable, RoutingTable, TrunkTable};
use super::{EMERGENCY, references, rewriting};
use crate::id::LineId;

/// Trunks and groups by their names, with the rules by which numbers go out.
pub struct Ways<'t> {
    /// The file.
    pub table: &'t RoutingTable,
    /// The forms of numbers.
    pub city: City,
    /// Numbers that citizens dial, aliases among them.
    pub lines: BTreeMap<&'t str, &'t NumberTable>,
    trunks: BTreeMap<&'t str, (&'t TrunkTable, Rules)>,
    groups: BTreeMap<&'t str, Vec<&'t str>>,
    public: OnceCell<BTreeSet<&'t str>>,
}

impl<'t> Ways<'t> {
    /// `None` where nobody can say what a number is: the city has an error of its own. Trunks whose rules are not whole
    /// are left out, as are those without a name.
    pub fn of(table: &'t RoutingTable) -> Option<Self> {
        let city = rewriting::city(table)?;
        let lines = table.numbers.iter().filter(|line| {
            line.mode.as_ref().is_some_and(|mode| references::waits(mode.value)) // Not those of load tools.
        });
        let lines = lines.flat_map(|line| line.numbers().map(move |said| (said.value.as_str(), line)));
        // What is not the shortest form, or an emergency number, has an error of its own.
        let is_one = |number: &str| city.normalise(number).is_some_and(|id| id.as_str() == number);
        let urgent = |number: &str| {
            let mut peers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
            EMERGENCY.contains(&number) || peers.any(|peer| peer.value == number)
        };
        let lines = lines.filter(|(number, _)| is_one(number) && !urgent(number)).collect();
        let trunks = table.trunks.iter().filter_map(|trunk| {
            let called = trunk.rewrite.as_ref().map_or(&[][..], |rewrite| &rewrite.called);
            Some((trunk.name.as_ref()?.value.as_str(), (trunk, build::rules(called)?)))
        });
        let groups = table.groups.iter().filter_map(|group| {
            Some((group.name.as_ref()?.value.as_str(), references::members_of(group).collect()))
        });
        Some(Ways {
            table,
            lines,
            city,
            trunks: trunks.collect(),
            groups: groups.collect(),
            public: OnceCell::new(),
        })
    }

    /// The trunks that a trunk's or a group's name stands for, each with its rules.
    pub fn by(&self, way: &str) -> impl Iterator<Item = (&'t TrunkTable, &Rules)> {
        let members = self.groups.get(way).cloned().unwrap_or_else(|| self.one(way));
        members.into_iter().filter_map(|name| self.trunks.get(name)).map(|(trunk, rules)| (*trunk, rules))
    }

    fn one(&self, way: &str) -> Vec<&'t str> {
        self.trunks.get_key_value(way).map(|(name, _)| *name).into_iter().collect()
    }

    /// The line that a number is, in whichever form.
    pub fn line(&self, number: &str) -> Option<(LineId, &'t NumberTable)> {
        let id = self.city.normalise(number)?;
        self.lines.get(id.as_str()).map(|line| (id, *line))
    }

    /// Trunks by which citizens' calls come in.
    ///
    /// Calls of an emergency center do not count, nor those by a trunk on which a center answers for a number of ours or
    /// an emergency number, unless no other trunk brings calls, or the trunk is one by which clerks call citizens or for
    /// which a carrier gave an account.
    pub fn public(&self) -> &BTreeSet<&'t str> {
        self.public.get_or_init(|| {
            let brings = self.trunks.iter().filter(|(_, (trunk, _))| brings(trunk) && !is_center(trunk));
            let bringing: BTreeSet<&str> = brings.map(|(name, _)| *name).collect();
            let centers = self.centers();
            let calling = self.table.calling.iter().filter_map(|own| own.trunk.as_ref());
            let carriers: BTreeSet<&str> =
                calling.flat_map(|said| self.by(&said.value)).filter_map(name).collect();
            let is_carrier = |name: &&str| {
                let account = self.trunks.get(*name).is_some_and(|(trunk, _)| trunk.account.is_some());
                account || carriers.contains(*name) || !centers.contains(*name)
            };
            let public: BTreeSet<&str> = bringing.iter().copied().filter(is_carrier).collect();
            if public.is_empty() { bringing } else { public }
        })
    }

    /// Trunks on which somebody else answers a number of ours, or an emergency number, or by which another platform
    /// hands calls over.
    fn centers(&self) -> BTreeSet<&'t str> {
        let mut centers: BTreeSet<&str> = BTreeSet::new();
        for line in self.lines.values().filter(|line| line.is_elsewhere()) {
            let (Some(way), Some(number)) = (&line.trunk, line.dial.as_ref().or(line.number.as_ref())) else {
                continue;
            };
            let ours =
                self.by(&way.value).filter(|(_, rules)| self.line(&rules.apply(&number.value)).is_some());
            centers.extend(ours.filter_map(name));
        }
        let peers = self.table.emergencies.iter().filter_map(|peer: &EmergencyTable| peer.trunk.as_ref());
        centers.extend(peers.flat_map(|said| self.by(&said.value)).filter_map(name));
        let platforms =
            self.table.peers.iter().filter(|own| own.hands_over.as_ref().is_none_or(|said| said.value));
        let platforms = platforms.filter_map(|own| own.way.trunk.as_ref());
        centers.extend(platforms.flat_map(|said| self.by(&said.value)).filter_map(name));
        centers
    }
}

fn name<'t>((trunk, _): (&'t TrunkTable, &Rules)) -> Option<&'t str> {
    trunk.name.as_ref().map(|said| said.value.as_str())
}

/// Whether calls come in by a trunk. (Sources that are said wrongly are some.)
pub fn brings(trunk: &TrunkTable) -> bool {
    trunk.sources.as_ref().is_none_or(|said| !said.value.is_empty()) || trunk.certificate.is_some()
}

/// Whether an emergency center says to be behind it.
pub fn is_center(trunk: &TrunkTable) -> bool {
    trunk.emergency_center.as_ref().is_some_and(|said: &Said<bool>| said.value)
}
