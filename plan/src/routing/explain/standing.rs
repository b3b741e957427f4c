//! How a caller stands: by which lane, under which policy, with which priority, to clerks of which skills;
//! and whom the clerk could ask into the call at that hour.

use super::super::callers::{CallerAct, CallerPolicy, Lane};
use super::super::diagnostic::Text;
use super::super::hours::Hours;
use super::super::peers::Platform;
use super::super::plan::{Line, Plan};
use super::super::queueing::Known;
use super::super::reach::Reached;
use super::flows::ExplainedFlow;
use super::{Asked, waiting};
use crate::id::QueueId;
use crate::time::Timestamp;

impl Plan {
    /// In words; empty for a line that nobody waits for.
    pub(super) fn standing(&self, asked: &Asked<'_>, flows: &[ExplainedFlow]) -> Vec<Text> {
        let Asked { line, trunk, caller, at } = asked;
        let Some(queue) = line.mode.queue() else { return Vec::new() };
        let mut words = Vec::new();
        let mut own = 0;
        if trunk.emergency_center {
            own = self.callers.center_priority;
            words.push(Text::new(
                "来自指挥中心，通道和来电人规则不适用",
                "an emergency center calls: no lane or policy applies",
            ));
        } else {
            if let Some(platform) = self.handed_over_by(&trunk.id, None) {
                own = platform.priority;
                words.push(platform_words(platform));
            } else if let Some(lane) = self.lane_of(line, &trunk.id, caller.number) {
                own = lane.priority;
                words.push(lane_words(lane));
            }
            if let Some(policy) = self.policy_of(caller.number) {
                words.push(self.policy_words(policy, *at));
                if let Some(act) = (*at < policy.until).then_some(&policy.act) {
                    own = after(own, act);
                }
            }
            if line.is_confidential {
                words.push(Text::new(
                    "这个号码的来电保密：来电号码不向任何人显示",
                    "who calls this number is confidential: the caller's number is shown to nobody",
                ));
            }
        }
        words.push(self.priority_words(queue, own));
        let skills = self.skills_asked(line, &trunk.id, caller.number, *at);
        if !skills.is_empty() {
            words.push(self.skill_words(queue, &skills));
        }
        let waits = waiting::queues(queue, flows).into_iter();
        words.extend(waits.flat_map(|queue| self.waiting_words(queue, trunk.emergency_center)));
        words.extend(self.expert_words(line, *at));
        words.extend(self.third_parties(*at));
        words
    }

    fn policy_words(&self, policy: &CallerPolicy, at: Timestamp) -> Text {
        let until = policy.until.to_zoned_datetime(self.city.time_zone.clone());
        let until = until.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let (reason, approver) = (&policy.reason, &policy.approver);
        if at >= policy.until {
            return Text::new(
                format!("来电人规则已于 {until} 失效"),
                format!("the policy about this caller ended at {until}"),
            );
        }
        let (zh, en) = match &policy.act {
            CallerAct::Behind(points) => {
                (format!("排后 {points} 分"), format!("{points} points behind others"))
            }
            CallerAct::To(skills) => {
                let names = names(skills);
                (format!("由具备 {names} 的座席接听"), format!("to clerks who know {names}"))
            }
            CallerAct::CoolDown(pause) => {
                let seconds = pause.as_secs();
                (
                    format!("挂机后 {seconds} 秒内再来，说明并登记工单，按紧急键的照常排队"),
                    format!(
                        "within {seconds} s of a call a word and a ticket, or on to the queue by the urgent key"
                    ),
                )
            }
            CallerAct::Confidential => ("号码不向任何人显示".into(), "the number is shown to nobody".into()),
        };
        Text::new(
            format!("来电人规则: {zh}（{reason}；{approver}批准，到 {until} 止）"),
            format!("a policy about this caller: {en} ({reason}; approved by {approver}, until {until})"),
        )
    }

    /// Of the caller's own points, to which the queue adds its own.
    fn priority_words(&self, queue: &QueueId, own: i16) -> Text {
        let rules = self.queues.get(queue).map(|queue| &queue.rules);
        let more = rules.map_or(0, |rules| i32::from(rules.priority));
        let (zh, en) = match rules.and_then(|rules| rules.ageing) {
            Some(ageing) => {
                let millis = ageing.as_millis();
                (
                    format!("，每等 {millis} 毫秒加 1 分"),
                    format!(", and one more in each {millis} ms of waiting"),
                )
            }
            None => (String::new(), String::new()),
        };
        let (urgent_zh, urgent_en) = match self.callers.urgent_key {
            Some(key) => {
                // Nobody is set back who says that it is urgent.
                let points = i32::from(own.max(self.callers.urgent_priority)) + more;
                (
                    format!("；按 {key} 表示紧急，{points} 分"),
                    format!("; {points} by the key {key}, which says that it is urgent"),
                )
            }
            None => (String::new(), String::new()),
        };
        let points = i32::from(own) + more;
        Text::new(format!("优先级 {points} 分{zh}{urgent_zh}"), format!("priority {points}{en}{urgent_en}"))
    }

    fn skill_words(&self, queue: &QueueId, skills: &[Known]) -> Text {
        let names = names(skills);
        let widen = self.queues.get(queue).map_or(&[][..], |queue| &queue.rules.widen);
        let (zh, en): (String, String) = widen
            .iter()
            .map(|step| {
                let (seconds, levels) = (step.after.as_secs(), step.levels);
                (
                    format!("；{seconds} 秒后降 {levels} 级"),
                    format!("; {levels} levels less after {seconds} s"),
                )
            })
            .unzip();
        Text::new(format!("要求座席具备 {names}{zh}"), format!("wants a clerk who knows {names}{en}"))
    }

    /// Whether the line's experts are there.
    fn expert_words(&self, line: &Line, at: Timestamp) -> Option<Text> {
        let group = self.experts.get(&line.number)?;
        let seats: Vec<&str> = group.seats.iter().map(|seat| seat.as_str()).collect();
        let seats = seats.join(", ");
        let there = self.presence(&group.hours, at);
        let (zh, en) = match group.hours.decided(at, &self.city.time_zone) {
            Some(why) => (format!("（{}）", why.zh), format!(" ({})", why.en)),
            None => (String::new(), String::new()),
        };
        Some(Text::new(
            format!("{}（{seats}）{}{zh}", group.name, there.zh),
            format!("its experts ({seats}) are {}{en}", there.en),
        ))
    }

    /// Whom single keys ask, and whether they are there.
    fn third_parties(&self, at: Timestamp) -> Option<Text> {
        let always = Hours::default();
        let (zh, en): (Vec<String>, Vec<String>) = self
            .three_way
            .keys
            .iter()
            .map(|(key, target)| {
                let hours = self.hours_of_target(target);
                let hours = hours.as_ref().unwrap_or(&always);
                let there = self.presence(hours, at);
                match hours.are_open(at, &self.city.time_zone) {
                    true => (format!("*{key} {target}"), format!("*{key} {target}")),
                    false => (
                        format!("*{key} {target}（{}）", there.zh),
                        format!("*{key} {target} ({})", there.en),
                    ),
                }
            })
            .unzip();
        (!zh.is_empty()).then(|| {
            Text::new(format!("座席可请: {}", zh.join("，")), format!("the clerk may ask: {}", en.join(", ")))
        })
    }

    /// Whether nobody is there at that hour.
    pub(super) fn is_away(&self, target: &str, at: Timestamp) -> bool {
        self.hours_of_target(target).is_some_and(|hours| !hours.are_open(at, &self.city.time_zone))
    }

    /// When whom a clerk may ask in is there; a seat has none.
    fn hours_of_target(&self, target: &str) -> Option<Hours> {
        match self.reach(target)? {
            Reached::Peer(peer) => Some(peer.hours),
            Reached::Group(group) => Some(group.hours.clone()),
            Reached::Seat(_) => None,
        }
    }

    /// By the hours; whether somebody has signed in is not the plan's to know.
    pub(in super::super) fn presence(&self, hours: &Hours, at: Timestamp) -> Text {
        match (hours.are_always(), hours.are_open(at, &self.city.time_zone)) {
            (true, _) => Text::new("全天有人", "there at all hours"),
            (false, true) => Text::new("此时有人", "there at this hour"),
            (false, false) => Text::new("此时无人", "not there at this hour"),
        }
    }
}

fn after(points: i16, act: &CallerAct) -> i16 {
    match act {
        CallerAct::Behind(less) => points.saturating_sub(*less),
        CallerAct::To(_) | CallerAct::CoolDown(_) | CallerAct::Confidential => points,
    }
}

fn platform_words(platform: &Platform) -> Text {
    let Platform { name, number, org, hops_max, .. } = platform;
    Text::new(
        format!(
            "由平台 {number}（{name}，{org}）转来，不看通道；至多转接 {hops_max} 次，转过本平台的 482 拒绝"
        ),
        format!(
            "handed over by the platform {number} ({name}, {org}): no lane applies; handed on {hops_max} times at most, \
             and refused with 482 if it was here before"
        ),
    )
}

fn lane_words(lane: &Lane) -> Text {
    let (name, points) = (&lane.name, lane.priority);
    let (zh, en) = match lane.straight {
        true => ("，不播问候语", ", without a greeting"),
        false => ("", ""),
    };
    Text::new(
        format!("走通道 {name}: {points:+} 分{zh}"),
        format!("by the lane {name}: {points:+} points{en}"),
    )
}

fn names(skills: &[Known]) -> String {
    let name = |known: &Known| match known.level {
        1 => known.skill.to_string(),
        level => format!("{} ({level})", known.skill),
    };
    skills.iter().map(name).collect::<Vec<_>>().join(", ")
}
