//! Which lines of the file a part of the plan comes from.

use std::collections::BTreeMap;

use super::diagnostic::Spot;
use super::source::{Lines, Place, Source};
use super::tables::RoutingTable;
use super::tables::trunk::RuleTable;
use crate::id::{LineId, QueueId, ScriptId, TrunkId};

/// Places of the parts that decide about a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// `number`, `mode`, `trunk` and `language` of each line.
    pub lines: BTreeMap<LineId, Vec<Place>>,
    /// `start`, `months` and `afterwards` of `[transition]`.
    pub transition: Vec<Place>,
    /// The same of a line's own transition.
    pub own_transitions: BTreeMap<LineId, Vec<Place>>,
    /// `name`, `dialled_from`, `codecs` and `srtp` of each trunk.
    pub trunks: BTreeMap<TrunkId, Vec<Place>>,
    /// `name` and `trunks` of each group.
    pub groups: BTreeMap<TrunkId, Vec<Place>>,
    /// `when` of each rule for called and callers' numbers that go out, in the trunk's order.
    pub rules: BTreeMap<TrunkId, [Vec<Place>; 2]>,
    /// `prefix` and `from` of each meeting, by its pattern.
    pub meetings: BTreeMap<LineId, Vec<Place>>,
    /// `number` and `trunk` of each emergency peer.
    pub emergency: BTreeMap<LineId, Vec<Place>>,
    /// `name` of each queue.
    pub queues: BTreeMap<QueueId, Vec<Place>>,
    /// `name` of each flow, and the first line of what each of its steps does.
    pub scripts: BTreeMap<ScriptId, (Place, Vec<Place>)>,
}

impl Origins {
    pub(super) fn of(table: &RoutingTable, sources: &[Source]) -> Self {
        let files: Vec<Lines<'_>> = sources.iter().map(Lines::of).collect();
        let place = |spot: &Spot| Some(files.get(spot.file?)?.place(&spot.span));
        let places = |spots: Vec<Option<&Spot>>| -> Vec<Place> {
            let mut places: Vec<Place> = spots.into_iter().flatten().filter_map(place).collect();
            places.sort_by_key(|place| place.line);
            places.dedup_by_key(|place| place.line);
            places
        };
        let mut origins = Origins::default();
        for line in &table.numbers {
            let Some(number) = &line.number else { continue };
            let id = LineId::from(number.value.as_str());
            let said = vec![
                Some(&number.spot),
                line.mode.as_ref().map(|said| &said.spot),
                line.trunk.as_ref().map(|said| &said.spot),
                line.flow.as_ref().map(|said| &said.spot),
                line.language.as_ref().map(|said| &said.spot),
            ];
            origins.lines.insert(id.clone(), places(said));
            if let Some(own) = &line.transition {
                origins.own_transitions.insert(id, places(vec![Some(&own.spot)]));
            }
        }
        if let Some(transition) = &table.transition {
            origins.transition = places(vec![
                transition.start.as_ref().map(|said| &said.spot),
                transition.months.as_ref().map(|said| &said.spot),
                transition.afterwards.as_ref().map(|said| &said.spot),
            ]);
        }
        for trunk in &table.trunks {
            let Some(name) = &trunk.name else { continue };
            let said = vec![
                Some(&name.spot),
                trunk.dialled_from.as_ref().map(|said| &said.spot),
                trunk.sound.codecs.as_ref().map(|said| &said.spot),
                trunk.sound.srtp.as_ref().map(|said| &said.spot),
            ];
            let id = TrunkId::from(name.value.as_str());
            origins.trunks.insert(id.clone(), places(said));
            let Some(rewrite) = &trunk.rewrite else { continue };
            let whens = |rules: &[RuleTable]| {
                rules.iter().filter_map(|rule| place(&rule.when.as_ref()?.spot)).collect()
            };
            origins.rules.insert(id, [whens(&rewrite.called), whens(&rewrite.caller)]);
        }
        for group in &table.groups {
            let Some(name) = &group.name else { continue };
            let said = vec![Some(&name.spot), group.trunks.as_ref().map(|said| &said.spot)];
            origins.groups.insert(TrunkId::from(name.value.as_str()), places(said));
        }
        for meeting in &table.meetings {
            let (Some(prefix), Some(digits)) = (&meeting.prefix, &meeting.digits) else { continue };
            let said = vec![
                Some(&prefix.spot),
                Some(&digits.spot),
                // Unsaid it stands nowhere: `spot_of` then gives the table's own place.
                meeting.from.as_ref().map(|said| &said.spot).filter(|spot| spot.span != meeting.spot.span),
            ];
            let pattern = super::meeting::pattern(&prefix.value, digits.value);
            origins.meetings.insert(pattern, places(said));
        }
        for peer in &table.emergencies {
            let Some(number) = &peer.number else { continue };
            let said = vec![Some(&number.spot), peer.trunk.as_ref().map(|said| &said.spot)];
            origins.emergency.insert(LineId::from(number.value.as_str()), places(said));
        }
        for name in table.queues.iter().filter_map(|queue| queue.name.as_ref()) {
            let id = QueueId::from(name.value.as_str());
            origins.queues.insert(id, places(vec![Some(&name.spot)]));
        }
        for flow in &table.flows {
            let Some((name, at)) = flow.name.as_ref().and_then(|name| Some((name, place(&name.spot)?)))
            else {
                continue;
            };
            let steps = flow.steps.iter().filter_map(|step| place(&step.at)).collect();
            origins.scripts.insert(ScriptId::from(name.value.as_str()), (at, steps));
        }
        origins
    }
}
