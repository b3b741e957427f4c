//! Which lines of the file decide a call: those that its explanation rests on, and no others.

use std::collections::BTreeSet;

use super::super::callers::{CallerAct, CallerPolicy, Lane};
use super::super::in_use::Standing;
use super::super::meeting::Meeting;
use super::super::number;
use super::super::origins::{Origins, RuleList};
use super::super::outside::Callable;
use super::super::plan::{BenchLine, Flow, Line, LineMode, Peer, Plan, Step, Trunk};
use super::super::script::{Act, Target};
use super::super::source::Place;
use super::super::transition::Phase;
use super::flows::ExplainedFlow;
use super::{Asked, Caller, is_refused};
use crate::id::{QueueId, SeatId};
use crate::time::Timestamp;

/// Rules of a queue about how long callers wait in it.
const WAITING: [&str; 7] =
    ["wait_max", "no_seat_wait", "length_max", "shed", "expected_wait_max", "surge", "callback"];

/// The places, gathered.
pub(super) struct Deciding<'a> {
    plan: &'a Plan,
    origins: &'a Origins,
    places: Vec<Place>,
}

impl<'a> Deciding<'a> {
    pub(super) fn of(plan: &'a Plan, origins: &'a Origins) -> Self {
        Deciding { plan, origins, places: Vec::new() }
    }

    /// Each line once.
    pub(super) fn places(self) -> Vec<Place> {
        let mut seen = BTreeSet::new();
        let mut places = self.places;
        places.retain(|place| seen.insert((place.file.clone(), place.line)));
        places
    }

    /// These keys of a table, where the file says them.
    pub(super) fn said(&mut self, table: &'static str, name: &str, keys: &[&str]) {
        self.places.extend(self.origins.said(table, name, keys));
    }

    /// The rule that is for a number, if one is.
    pub(super) fn rule(&mut self, trunk: &Trunk, list: RuleList, number: &str) {
        let rules = match list {
            RuleList::Called => &trunk.rewrite.called,
            RuleList::Caller => &trunk.rewrite.caller,
            RuleList::CalledInward => &trunk.rewrite.called_inward,
            RuleList::CallerInward => &trunk.rewrite.caller_inward,
        };
        let place = rules.choose(number).and_then(|index| self.origins.rule(&trunk.id, list, index));
        self.places.extend(place);
    }

    /// The trunk that a call comes by, and its rule for what was dialled.
    pub(super) fn trunk(&mut self, trunk: &Trunk, dialled: &str) {
        self.said("trunk", trunk.id.as_str(), &["name", "dialled_from", "codecs", "srtp"]);
        if let Some(number) = number::number_of(dialled) {
            self.rule(trunk, RuleList::CalledInward, &number);
        }
    }

    /// What the call does: its number, and what its steps come from.
    pub(super) fn line(&mut self, asked: &Asked<'_>, flow: &Flow) {
        let line = asked.line;
        let number = line.number.as_str();
        let plays = |step: &Step| matches!(step, Step::Script(_));
        let standing = line.in_use.standing(asked.at);
        if standing == Standing::Over {
            self.said("number", number, &["number", "mode", "until"]);
            return;
        }
        let mut keys = vec!["number", "mode", "seats", "language", "confidential"];
        if flow.steps.iter().any(plays) {
            keys.push("flow");
        }
        if flow.may_queue() {
            keys.push("queue");
        }
        if let LineMode::Bench(bench) = &line.mode {
            keys.push("does");
            keys.extend(match bench {
                BenchLine::Silent => None,
                BenchLine::PlayOnce(_) | BenchLine::PlayForever(_) => Some("prompt"),
                BenchLine::Dial { .. } => Some("record"),
            });
        }
        let dials = flow.steps.iter().find_map(|step| match step {
            Step::Dial { peer, .. } => Some(peer),
            _ => None,
        });
        if dials.is_some() {
            keys.extend(["trunk", "dial"]);
        }
        self.said("number", number, &keys);
        if !line.in_use.is_always() {
            self.said("number", number, &["from", "until"]);
        }
        if let Some(peer) = dials {
            self.way(peer, asked.caller);
        }
        match &line.mode {
            LineMode::Merged { .. } => self.transition(line, asked.at, flow),
            LineMode::Meeting(meeting) => self.meeting(meeting),
            _ => {}
        }
        if let Some(queue) = line.mode.queue().filter(|_| flow.may_queue()) {
            self.queue(line, queue, flow);
        }
        if !is_refused(flow) && line.mode.queue().is_some() {
            self.said("recording", "", &["enabled"]);
        }
    }

    /// What holds in this phase: the number's own word, else that of `[transition]`.
    fn transition(&mut self, line: &Line, at: Timestamp, flow: &Flow) {
        let transition = self.plan.transition_of(line);
        let keys: &[&str] = match transition.phase(at, &self.plan.city.time_zone) {
            Phase::Before => &["start"],
            Phase::Inside => &["start", "months", "prompt", "early_media"],
            Phase::After if is_refused(flow) => &["start", "months", "afterwards", "cause"],
            Phase::After => &["start", "months", "afterwards"],
        };
        for key in keys {
            let own = self.origins.said("number.transition", line.number.as_str(), &[key]);
            if own.is_empty() {
                self.said("transition", "", &[key]);
            }
            self.places.extend(own);
        }
    }

    pub(super) fn meeting(&mut self, meeting: &Meeting) {
        self.door(meeting);
        self.said("meeting", meeting.pattern().as_str(), &["members_max", "prompt", "record"]);
    }

    /// Whose rooms they are, and for whom.
    pub(super) fn door(&mut self, meeting: &Meeting) {
        self.said("meeting", meeting.pattern().as_str(), &["prefix", "digits", "from"]);
    }

    /// The queue and what its callers hear, by the steps of the flow.
    fn queue(&mut self, line: &Line, queue: &QueueId, flow: &Flow) {
        let Some(planned) = self.plan.queues.get(queue) else { return };
        let mut keys = vec!["name", "strategy"];
        let own = line.greeting.as_ref().filter(|own| flow.steps.contains(&Step::Play((*own).clone())));
        if own.is_some() {
            self.said("number", line.number.as_str(), &["greeting"]);
        } else if flow.steps.contains(&Step::Play(planned.greeting.clone())) {
            keys.push("greeting");
        }
        if flow.steps.iter().any(|step| matches!(step, Step::Ticket { .. })) {
            keys.push("overflow_prompt");
        }
        self.said("queue", queue.as_str(), &keys);
        if flow.steps.contains(&Step::Survey) {
            self.said("survey", "", &["enabled"]);
        }
    }

    /// The way to somebody: group, drill, and the rules that rewrite the numbers.
    pub(super) fn way(&mut self, peer: &Peer, caller: Caller<'_>) {
        let plan = self.plan;
        self.said("trunk_group", peer.trunk.as_str(), &["name", "trunks"]);
        let told = plan.told_to(peer, caller);
        for way in plan.ways(&peer.trunk, &peer.number, told) {
            self.rule(way.trunk, RuleList::Called, &peer.number);
            self.rule(way.trunk, RuleList::Caller, told);
            if peer.drill {
                self.said("trunk", way.trunk.id.as_str(), &["drill"]);
            }
        }
    }

    /// Who is called by a number of the plan's own, with the way there.
    pub(super) fn peer(&mut self, peer: &Peer, caller: Caller<'_>) {
        let plan = self.plan;
        let is_it = |own: &&Peer| *own == peer;
        let keys = ["number", "mode", "trunk", "dial"];
        if let Some((number, _)) = plan.emergency.iter().find(|(_, own)| is_it(own)) {
            self.said("emergency", number.as_str(), &["number", "trunk", "dial", "scope", "area"]);
            if plan.centers.get(number).is_some_and(|center| !center.stay) {
                self.said("emergency", number.as_str(), &["stay"]);
            }
        } else if let Some((number, _)) = plan.departments.iter().find(|(_, own)| is_it(own)) {
            self.said("department", number.as_str(), &keys);
        } else if let Some(own) = plan.peers.of_way(peer) {
            self.said("peer", own.number.as_str(), &["number", "org", "parent", "trunk", "dial", "hops_max"]);
        } else if let Some(line) = plan.lines.values().find(|line| line.mode.peer() == Some(peer)) {
            self.said("number", line.number.as_str(), &keys);
        }
        self.way(peer, caller);
    }

    /// How the caller stands and waits in these queues: what the words about it rest on.
    pub(super) fn standing(&mut self, asked: &Asked<'_>, queues: &[String]) {
        let Some(queue) = asked.line.mode.queue() else { return };
        let (plan, trunk, number) = (self.plan, asked.trunk, asked.caller.number);
        self.said("queue", queue.as_str(), &["priority", "ageing"]);
        if trunk.emergency_center {
            self.said("trunk", trunk.id.as_str(), &["emergency_center"]);
            self.said("callers", "", &["center_priority"]);
        } else {
            if let Some(own) = plan.handed_over_by(&trunk.id, None) {
                let keys = ["number", "org", "trunk", "hands_over", "priority", "hops_max"];
                self.said("peer", own.number.as_str(), &keys);
            } else if let Some(lane) = plan.lane_of(asked.line, &trunk.id, number) {
                self.lane(lane, asked);
            }
            if let Some(policy) = plan.policy_of(number) {
                self.policy(policy, asked.at);
            }
        }
        if plan.callers.urgent_key.is_some() {
            self.said("callers", "", &["urgent_key", "urgent_priority"]);
        }
        if !plan.skills_asked(asked.line, &trunk.id, number, asked.at).is_empty() {
            self.said("number", asked.line.number.as_str(), &["skills"]);
            self.said("queue", queue.as_str(), &["widen"]);
        }
        for queue in queues {
            self.said("queue", queue, &["name"]);
            self.said("queue", queue, &WAITING);
        }
        if plan.experts.contains_key(&asked.line.number) {
            self.said("expert_group", asked.line.number.as_str(), &["number", "seats"]);
        }
        self.said("three_way", "", &["keys"]);
        for target in plan.three_way.keys.values() {
            let Some(number) = plan.city.normalise(target) else { continue };
            if plan.is_away(target, asked.at) {
                self.places.extend(self.origins.hours.get(&number).cloned().unwrap_or_default());
            }
        }
    }

    fn lane(&mut self, lane: &Lane, asked: &Asked<'_>) {
        let caller = self.plan.city.caller_form(asked.caller.number);
        let fits = [
            ("lines", lane.lines.contains(&asked.line.number)),
            ("trunks", lane.trunks.contains(&asked.trunk.id)),
            ("callers", lane.callers.get(&caller).is_some()),
        ];
        let fits = fits.into_iter().filter(|(_, fits)| *fits).map(|(key, _)| key);
        let keys: Vec<&str> = fits.chain(["name", "priority", "skills", "straight"]).collect();
        self.said("lane", &lane.name, &keys);
    }

    fn policy(&mut self, policy: &CallerPolicy, at: Timestamp) {
        let keys: &[&str] = match &policy.act {
            _ if at >= policy.until => &["caller", "until"],
            CallerAct::Behind(_) => &["caller", "act", "by", "reason", "approver", "until"],
            CallerAct::To(_) => &["caller", "act", "skills", "reason", "approver", "until"],
            CallerAct::CoolDown(_) => &["caller", "act", "pause", "reason", "approver", "until"],
            CallerAct::Confidential => &["caller", "act", "reason", "approver", "until"],
        };
        self.said("caller_policy", &policy.caller, keys);
    }

    /// Where flows and what the call may come to of them are written, and whom they ring.
    pub(super) fn flows(&mut self, asked: &Asked<'_>, flows: &[ExplainedFlow]) {
        let plan = self.plan;
        for flow in flows {
            let Some((name, _)) = self.origins.scripts.get(flow.name.as_str()) else { continue };
            self.places.push(name.clone());
            self.places.extend(flow.acts.iter().filter_map(|act| act.place.clone()));
            let script = plan.scripts.get(flow.name.as_str());
            let acts = flow.acts.iter().filter_map(|act| script?.acts.get(act.step - 1));
            for act in acts {
                match act {
                    Act::Transfer(transfer) => match &transfer.to {
                        Target::Peer(peer) => self.peer(peer, asked.caller),
                        Target::Value(_) => self.said("calling", "", &["allowed", "trunk", "line"]),
                    },
                    Act::Survey => self.said("survey", "", &["enabled"]),
                    _ => {}
                }
            }
        }
    }

    /// `hours` of the line and of its experts, and the days or bands of the calendars that these and its flows
    /// go by.
    pub(super) fn hours(&mut self, line: &Line, at: Timestamp) {
        let own = self.origins.hours.get(&line.number).cloned();
        self.places.extend(own.unwrap_or_default());
        let day = self.plan.city.time_zone.to_datetime(at).date();
        let experts = self.plan.experts.get(&line.number).map(|group| &group.hours);
        for hours in self.plan.hours_of(line).into_iter().chain(experts) {
            let calendar = hours.calendar.as_ref().and_then(|own| self.origins.calendars.get(&own.name));
            self.places.extend(calendar.into_iter().flat_map(|own| own.deciding(hours, day)));
        }
    }

    /// Whom a seat calls.
    pub(super) fn callable(&mut self, callable: &Callable, caller: Caller<'_>, at: Timestamp) {
        match callable {
            Callable::Emergency(peer) | Callable::Peer(peer) => self.peer(peer, caller),
            Callable::Outside(peer) => {
                self.said("calling", "", &["prefix", "allowed", "trunk"]);
                self.way(peer, caller);
            }
            Callable::Seat(seat) => self.seat(seat, &["id"]),
            Callable::Group(group) => {
                self.said("expert_group", group.number.as_str(), &["number", "seats"]);
                let hours = self.origins.hours.get(&group.number).cloned();
                self.places.extend(hours.filter(|_| !group.hours.are_always()).unwrap_or_default());
                let day = self.plan.city.time_zone.to_datetime(at).date();
                let calendar = group.hours.calendar.as_ref();
                let calendar = calendar.and_then(|own| self.origins.calendars.get(&own.name));
                self.places.extend(calendar.into_iter().flat_map(|own| own.deciding(&group.hours, day)));
            }
        }
    }

    pub(super) fn seat(&mut self, seat: &SeatId, keys: &[&str]) {
        self.said("seat", seat.as_str(), keys);
    }
}
