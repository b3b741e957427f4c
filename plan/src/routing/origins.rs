//! Which lines of the file a part of the plan comes from.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::diagnostic::Spot;
use super::holidays::Holiday;
use super::hours::Hours;
use super::source::{Place, Source};
use super::tables::calendar::CalendarTable;
use super::tables::queueing::{CallbackTable, RulesTable, SurgeTable};
use super::tables::trunk::{RewriteTable, RuleTable};
use super::tables::{Field, NumberTable, QueueTable, RoutingTable, TransitionTable, TrunkTable};
use crate::id::{LineId, ScriptId, TrunkId};

/// Places of the parts that decide about a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// The files, whose lines are looked up when somebody asks.
    files: Vec<Source>,
    /// Where the file says the keys of a table, by what the table is and by its name: `("queue", "main")`,
    /// `("survey", "")`. A list of tables has a place for each of them.
    keys: BTreeMap<(&'static str, String), Vec<(&'static str, At)>>,
    /// `when` of each rule of a trunk, in the trunk's order.
    rules: BTreeMap<TrunkId, RulePlaces>,
    /// `name` of each flow, and the first line of what each of its steps does.
    pub scripts: BTreeMap<ScriptId, (Place, Vec<Place>)>,
    /// `hours` of each line, of its expert group and of departments.
    pub hours: BTreeMap<LineId, Vec<Place>>,
    /// What each calendar is made of.
    pub calendars: BTreeMap<String, CalendarPlaces>,
}

/// Where something begins: a file, and a byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    file: usize,
    start: usize,
}

/// Rules for numbers that go out and come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct RulePlaces {
    called: Vec<Option<At>>,
    caller: Vec<Option<At>>,
    called_inward: Vec<Option<At>>,
    caller_inward: Vec<Option<At>>,
}

/// Which of a trunk's lists of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleList {
    /// Called numbers that go out.
    Called,
    /// Callers' numbers that go out.
    Caller,
    /// Dialled numbers that come in.
    CalledInward,
    /// Callers' numbers that come in.
    CallerInward,
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

/// A key of a table and its place, where the file says it.
type KeySpot<'t> = (&'static str, Option<&'t Spot>);

impl Origins {
    pub(super) fn of(table: &RoutingTable, sources: &[Source]) -> Self {
        let mut origins = Origins { files: sources.to_vec(), ..Origins::default() };
        origins.add_numbers(table);
        origins.add_trunks(table);
        origins.add_queues(table);
        origins.add_people(table);
        origins.add_callers(table);
        origins.add_times(table, sources);
        origins
    }

    /// Where the file says these keys of a table, each line once.
    pub(super) fn said(&self, table: &'static str, name: &str, keys: &[&str]) -> Vec<Place> {
        let known = self.keys.get(&(table, name.to_owned()));
        let mut places: Vec<At> = known
            .into_iter()
            .flatten()
            .filter(|(key, _)| keys.contains(key))
            .map(|(_, place)| *place)
            .collect();
        places.sort();
        self.places(places)
    }

    /// Where the rule at this place of a trunk's list is.
    pub(super) fn rule(&self, trunk: &TrunkId, list: RuleList, index: usize) -> Option<Place> {
        let rules = self.rules.get(trunk)?;
        let list = match list {
            RuleList::Called => &rules.called,
            RuleList::Caller => &rules.caller,
            RuleList::CalledInward => &rules.called_inward,
            RuleList::CallerInward => &rules.caller_inward,
        };
        self.places([(*list.get(index)?)?]).pop()
    }

    fn places(&self, at: impl IntoIterator<Item = At>) -> Vec<Place> {
        let place = |at: At| Some(self.files.get(at.file)?.place(&(at.start..at.start)));
        let mut places: Vec<Place> = at.into_iter().filter_map(place).collect();
        places.dedup_by(|one, other| (one.line, &one.file) == (other.line, &other.file));
        places
    }

    /// Adds keys of a table. Those that the file leaves out have the place of the table `whole`, and none here.
    fn add(&mut self, table: &'static str, name: Option<&str>, whole: Option<&Spot>, keys: Vec<KeySpot<'_>>) {
        let Some(name) = name else { return };
        let said = |spot: &&Spot| whole.is_none_or(|whole| whole.span != spot.span);
        let places = keys.into_iter().filter_map(|(key, spot)| Some((key, at(spot.filter(said)?)?)));
        self.keys.entry((table, name.to_owned())).or_default().extend(places);
    }

    fn add_numbers(&mut self, table: &RoutingTable) {
        for line in &table.numbers {
            let number = text(&line.number);
            self.add("number", number, Some(&line.spot), number_keys(line));
            if let Some(own) = &line.transition {
                self.add("number.transition", number, Some(&own.spot), transition_keys(own));
            }
        }
        if let Some(transition) = &table.transition {
            self.add("transition", Some(""), Some(&transition.spot), transition_keys(transition));
        }
        for meeting in &table.meetings {
            let (Some(prefix), Some(digits)) = (&meeting.prefix, &meeting.digits) else { continue };
            let pattern = super::meeting::pattern(&prefix.value, digits.value);
            let keys = vec![
                ("prefix", Some(&prefix.spot)),
                ("digits", Some(&digits.spot)),
                ("members_max", spot(&meeting.members_max)),
                ("prompt", spot(&meeting.prompt)),
                ("record", spot(&meeting.record)),
                ("from", spot(&meeting.from)),
            ];
            self.add("meeting", Some(pattern.as_str()), Some(&meeting.spot), keys);
        }
        self.add("recording", Some(""), None, vec![("enabled", spot(&table.recording))]);
        if let Some(survey) = &table.survey {
            self.add("survey", Some(""), Some(&survey.spot), vec![("enabled", spot(&survey.enabled))]);
        }
    }

    fn add_queues(&mut self, table: &RoutingTable) {
        for queue in &table.queues {
            let (name, rules) = (text(&queue.name), &queue.rules);
            self.add("queue", name, Some(&queue.spot), queue_keys(queue));
            let lists = rules.widen.iter().map(|step| ("widen", Some(&step.spot)));
            let lists = lists.chain(rules.shed.iter().map(|step| ("shed", Some(&step.spot))));
            self.add("queue", name, None, lists.collect());
            if let Some(surge) = &rules.surge {
                self.add("queue", name, Some(&surge.spot), surge_keys(surge));
            }
            if let Some(callback) = &rules.callback {
                self.add("queue", name, Some(&callback.spot), callback_keys(callback));
            }
        }
    }

    fn add_trunks(&mut self, table: &RoutingTable) {
        for trunk in &table.trunks {
            self.add("trunk", text(&trunk.name), Some(&trunk.spot), trunk_keys(trunk));
            let (Some(name), Some(rewrite)) = (text(&trunk.name), &trunk.rewrite) else { continue };
            self.rules.insert(TrunkId::from(name), rule_places(rewrite));
        }
        for group in &table.groups {
            let keys = vec![("name", spot(&group.name)), ("trunks", spot(&group.trunks))];
            self.add("trunk_group", text(&group.name), None, keys);
        }
        for peer in &table.emergencies {
            let keys = vec![
                ("number", spot(&peer.number)),
                ("trunk", spot(&peer.trunk)),
                ("dial", spot(&peer.dial)),
                ("scope", spot(&peer.scope)),
                ("area", spot(&peer.area)),
                ("stay", spot(&peer.stay)),
            ];
            self.add("emergency", text(&peer.number), None, keys);
        }
        if let Some(calling) = &table.calling {
            let keys = vec![
                ("prefix", spot(&calling.prefix)),
                ("allowed", spot(&calling.allowed)),
                ("trunk", spot(&calling.trunk)),
                ("line", spot(&calling.line)),
            ];
            self.add("calling", Some(""), None, keys);
        }
    }

    fn add_people(&mut self, table: &RoutingTable) {
        for seat in &table.seats {
            let keys = vec![("id", spot(&seat.id)), ("role", spot(&seat.role))];
            self.add("seat", text(&seat.id), Some(&seat.spot), keys);
        }
        for group in &table.experts {
            let keys = vec![("number", spot(&group.number)), ("seats", spot(&group.seats))];
            self.add("expert_group", text(&group.number), None, keys);
        }
        for own in &table.departments {
            let keys =
                vec![("number", spot(&own.number)), ("trunk", spot(&own.trunk)), ("dial", spot(&own.dial))];
            self.add("department", text(&own.number), None, keys);
        }
        for own in &table.peers {
            let way = &own.way;
            let keys = vec![
                ("number", spot(&way.number)),
                ("trunk", spot(&way.trunk)),
                ("dial", spot(&way.dial)),
                ("org", spot(&own.org)),
                ("parent", spot(&own.parent)),
                ("hands_over", spot(&own.hands_over)),
                ("priority", spot(&own.priority)),
                ("hops_max", spot(&own.hops_max)),
            ];
            self.add("peer", text(&way.number), None, keys);
        }
        if let Some(own) = &table.three_way {
            self.add("three_way", Some(""), Some(&own.spot), vec![("keys", spot(&own.keys))]);
        }
        if let Some(work) = &table.work {
            let keys = vec![
                ("wrap_up_max", spot(&work.wrap_up_max)),
                ("prefix", spot(&work.prefix)),
                ("watch_prefix", spot(&work.watch_prefix)),
            ];
            self.add("work", Some(""), Some(&work.spot), keys);
            for own in &work.away {
                self.add("work.away", text(&own.name), None, vec![("digit", spot(&own.digit))]);
            }
        }
    }

    fn add_callers(&mut self, table: &RoutingTable) {
        if let Some(callers) = &table.callers {
            let keys = vec![
                ("urgent_key", spot(&callers.urgent_key)),
                ("urgent_priority", spot(&callers.urgent_priority)),
                ("center_priority", spot(&callers.center_priority)),
            ];
            self.add("callers", Some(""), Some(&callers.spot), keys);
        }
        for lane in &table.lanes {
            let keys = vec![
                ("name", spot(&lane.name)),
                ("lines", spot(&lane.lines)),
                ("trunks", spot(&lane.trunks)),
                ("callers", spot(&lane.callers)),
                ("priority", spot(&lane.priority)),
                ("skills", spot(&lane.skills)),
                ("straight", spot(&lane.straight)),
            ];
            self.add("lane", text(&lane.name), Some(&lane.spot), keys);
        }
        for policy in &table.policies {
            let keys = vec![
                ("caller", spot(&policy.caller)),
                ("act", spot(&policy.act)),
                ("by", spot(&policy.by)),
                ("skills", spot(&policy.skills)),
                ("pause", spot(&policy.pause)),
                ("reason", spot(&policy.reason)),
                ("approver", spot(&policy.approver)),
                ("until", spot(&policy.until)),
            ];
            self.add("caller_policy", text(&policy.caller), Some(&policy.spot), keys);
        }
    }

    /// Flows, hours and calendars.
    fn add_times(&mut self, table: &RoutingTable, sources: &[Source]) {
        let place = |spot: &Spot| Some(sources.get(spot.file?)?.place(&spot.span));
        for flow in &table.flows {
            let Some((name, at)) = flow.name.as_ref().and_then(|name| Some((name, place(&name.spot)?)))
            else {
                continue;
            };
            let steps = flow.steps.iter().filter_map(|step| place(&step.at)).collect();
            self.scripts.insert(ScriptId::from(name.value.as_str()), (at, steps));
        }
        let lines = table.numbers.iter().map(|line| (&line.number, &line.hours));
        let groups = table.experts.iter().map(|group| (&group.number, &group.hours));
        let departments = table.asked().map(|own| (&own.number, &own.hours));
        for (number, hours) in lines.chain(groups).chain(departments) {
            let (Some(number), Some(at)) = (number, hours.spot.as_ref().and_then(place)) else { continue };
            self.hours.entry(LineId::from(number.value.as_str())).or_default().push(at);
        }
        for own in &table.calendars {
            let Some(name) = &own.name else { continue };
            let weekly = own.weekly.iter().flat_map(|said| &said.value);
            let places = CalendarPlaces {
                name: place(&name.spot).into_iter().collect(),
                weekly: weekly.filter_map(|band| place(&band.spot)).collect(),
                days: days_of(own, table).filter_map(|(day, spot)| Some((day, place(spot)?))).collect(),
            };
            self.calendars.insert(name.value.clone(), places);
        }
    }
}

fn at(spot: &Spot) -> Option<At> {
    Some(At { file: spot.file?, start: spot.span.start })
}

fn text(field: &Field<String>) -> Option<&str> {
    field.as_ref().map(|said| said.value.as_str())
}

fn spot<T>(field: &Field<T>) -> Option<&Spot> {
    field.as_ref().map(|said| &said.spot)
}

fn number_keys(line: &NumberTable) -> Vec<KeySpot<'_>> {
    vec![
        ("number", spot(&line.number)),
        ("aliases", spot(&line.aliases)),
        ("from", spot(&line.from)),
        ("until", spot(&line.until)),
        ("greeting", spot(&line.greeting)),
        ("mode", spot(&line.mode)),
        ("seats", spot(&line.seats)),
        ("queue", spot(&line.queue)),
        ("flow", spot(&line.flow)),
        ("language", spot(&line.language)),
        ("confidential", spot(&line.confidential)),
        ("skills", spot(&line.skills)),
        ("trunk", spot(&line.trunk)),
        ("dial", spot(&line.dial)),
        ("does", spot(&line.does)),
        ("prompt", spot(&line.prompt)),
        ("record", spot(&line.record)),
    ]
}

fn transition_keys(own: &TransitionTable) -> Vec<KeySpot<'_>> {
    vec![
        ("start", spot(&own.start)),
        ("months", spot(&own.months)),
        ("prompt", spot(&own.prompt)),
        ("early_media", spot(&own.early_media)),
        ("afterwards", spot(&own.afterwards)),
        ("cause", spot(&own.cause)),
    ]
}

fn trunk_keys(trunk: &TrunkTable) -> Vec<KeySpot<'_>> {
    vec![
        ("name", spot(&trunk.name)),
        ("dialled_from", spot(&trunk.dialled_from)),
        ("codecs", spot(&trunk.sound.codecs)),
        ("srtp", spot(&trunk.sound.srtp)),
        ("drill", spot(&trunk.drill)),
        ("emergency_center", spot(&trunk.emergency_center)),
    ]
}

fn rule_places(rewrite: &RewriteTable) -> RulePlaces {
    let whens = |rules: &[RuleTable]| rules.iter().map(|rule| at(&rule.when.as_ref()?.spot)).collect();
    RulePlaces {
        called: whens(&rewrite.called),
        caller: whens(&rewrite.caller),
        called_inward: whens(&rewrite.called_inward),
        caller_inward: whens(&rewrite.caller_inward),
    }
}

fn queue_keys(queue: &QueueTable) -> Vec<KeySpot<'_>> {
    let RulesTable { strategy, priority, ageing, expected_wait_max, .. } = &queue.rules;
    vec![
        ("name", spot(&queue.name)),
        ("greeting", spot(&queue.greeting)),
        ("wait_max", spot(&queue.wait_max)),
        ("no_seat_wait", spot(&queue.no_seat_wait)),
        ("length_max", spot(&queue.length_max)),
        ("overflow_prompt", spot(&queue.overflow_prompt)),
        ("strategy", spot(strategy)),
        ("priority", spot(priority)),
        ("ageing", spot(ageing)),
        ("expected_wait_max", spot(expected_wait_max)),
    ]
}

/// Each line of a table that may be written on one line or on several.
fn surge_keys(surge: &SurgeTable) -> Vec<KeySpot<'_>> {
    let SurgeTable { from, until, greeting, roles, callback, .. } = surge;
    let spots = [spot(from), spot(until), spot(greeting), spot(roles), spot(callback)];
    spots.into_iter().map(|spot| ("surge", spot)).collect()
}

/// The same of an offer to call back.
fn callback_keys(callback: &CallbackTable) -> Vec<KeySpot<'_>> {
    let CallbackTable { after, key, tries, again_after, keep, .. } = callback;
    let spots = [spot(after), spot(key), spot(tries), spot(again_after), spot(keep)];
    spots.into_iter().map(|spot| ("callback", spot)).collect()
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
