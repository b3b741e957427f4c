//! Which lines of the file a part of the plan comes from.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::diagnostic::Spot;
use super::holidays::Holiday;
use super::hours::Hours;
use super::source::{Place, Source};
use super::tables::RoutingTable;
use super::tables::calendar::CalendarTable;
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
    /// `hours` of each line and of its expert group.
    pub hours: BTreeMap<LineId, Vec<Place>>,
    /// What each calendar is made of.
    pub calendars: BTreeMap<String, CalendarPlaces>,
}

/// Where the days of a calendar are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalendarPlaces {
    /// `name`.
    pub name: Vec<Place>,
    /// Each band of `weekly`, as it stands in the calendar.
    pub weekly: Vec<Place>,
    /// `day` of each special day, and `from` or the workday of each holiday in the file. Those that are shipped
    /// stand nowhere.
    pub days: BTreeMap<Date, Place>,
}

impl Origins {
    pub(super) fn of(table: &RoutingTable, sources: &[Source]) -> Self {
        let place = |spot: &Spot| Some(sources.get(spot.file?)?.place(&spot.span));
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
        let lines = table.numbers.iter().map(|line| (&line.number, &line.hours));
        let groups = table.experts.iter().map(|group| (&group.number, &group.hours));
        for (number, hours) in lines.chain(groups) {
            let (Some(number), Some(at)) = (number, hours.spot.as_ref().and_then(place)) else { continue };
            origins.hours.entry(LineId::from(number.value.as_str())).or_default().push(at);
        }
        for own in &table.calendars {
            let Some(name) = &own.name else { continue };
            let weekly = own.weekly.iter().flat_map(|said| &said.value);
            let places = CalendarPlaces {
                name: place(&name.spot).into_iter().collect(),
                weekly: weekly.filter_map(|band| place(&band.spot)).collect(),
                days: days_of(own, table).filter_map(|(day, spot)| Some((day, place(spot)?))).collect(),
            };
            origins.calendars.insert(name.value.clone(), places);
        }
        origins
    }
}

/// The days of a calendar that the file says, and where; what is said more closely comes last, and holds.
fn days_of<'a>(own: &'a CalendarTable, table: &'a RoutingTable) -> impl Iterator<Item = (Date, &'a Spot)> {
    let holidays = table.holidays.iter().filter(move |_| own.has_holidays());
    let free = holidays.clone().filter_map(|holiday| {
        let spot = &holiday.from.as_ref()?.spot;
        let days: Vec<Date> = Holiday::of(holiday, None)?.days().collect();
        Some(days.into_iter().map(move |day| (day, spot)))
    });
    let worked = holidays.flat_map(|holiday| &holiday.worked).flat_map(|said| &said.value);
    let special = own.special.iter().filter_map(|special| special.day.as_ref());
    free.flatten().chain(worked.chain(special).map(|said| (said.value, &said.spot)))
}

impl CalendarPlaces {
    /// What decides about a day: the day itself, or the bands of its weekday; the calendar where it has neither.
    pub(super) fn deciding(&self, hours: &Hours, day: Date) -> Vec<Place> {
        if let Some(place) = self.days.get(&day) {
            return vec![place.clone()];
        }
        if hours.special_days().any(|special| special == day) {
            return self.name.clone(); // One of those that are shipped.
        }
        let bands = hours.each_week().iter().zip(&self.weekly);
        let today = bands.filter(|(band, _)| band.days.contains(&day.weekday()));
        let places: Vec<Place> = today.map(|(_, place)| place.clone()).collect();
        if places.is_empty() { self.name.clone() } else { places }
    }
}
