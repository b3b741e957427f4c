//! A floor with queues, seats and callers, for tests: turns its own clock and keeps what was decided.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hotline::acd::Acd;
use hotline::acd::event::{Change, Decision, Joining, Purpose, SeatState};
use hotline::id::{CallId, Dice, PromptId, QueueId};
use hotline::routing::Plan;
use hotline::routing::people::{Role, ThreeWay, Work};
use hotline::routing::plan;
use hotline::routing::queueing::{Known, Queueing};
use hotline::time::Instant;

pub fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// `(id, skills, queues)`, words separated by blanks.
pub type Desk = (&'static str, &'static str, &'static str);

/// A queue that rings 20 s, wraps up 10 s, rests 60 s, lets wait 300 s (30 s without clerks), takes 5
/// callers and announces every 25 s.
pub fn queue(id: &str) -> plan::Queue {
    plan::Queue {
        id: id.into(),
        greeting: PromptId::from("greeting"),
        music: PromptId::from("music"),
        ring: secs(20),
        wrap_up: secs(10),
        away: Some(secs(60)),
        wait_max: secs(300),
        no_seat_wait: secs(30),
        length_max: 5,
        announce_every: secs(25),
        overflow_prompt: PromptId::from("overflow"),
        rules: Queueing::default(),
    }
}

pub fn plan_of(queues: &[plan::Queue], desks: &[Desk]) -> Plan {
    let words = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    Plan {
        digest: "test".into(),
        purpose: plan::Purpose::Live,
        city: plan::City {
            name: "濮阳市".into(),
            area_code: "0393".into(),
            country_code: "86".into(),
            org: None,
            time_zone: jiff::tz::TimeZone::UTC,
        },
        network: plan::Network {
            listen: Vec::new(),
            tls: plan::Tls::default(),
            rtp_ports: (40_000, 40_999),
            domain: "hotline".into(),
            silence_max: secs(15),
            mute_max: secs(0),
            one_way_max: secs(0),
            session_expires: secs(1_800),
            dns: Vec::new(),
        },
        lines: Default::default(),
        aliases: Default::default(),
        meetings: Vec::new(),
        transition: plan::Transition {
            start: jiff::civil::date(2021, 8, 1),
            months: 3,
            prompt: PromptId::from("transition"),
            early_media: false,
            afterwards: plan::Afterwards::Connect,
        },
        trunks: BTreeMap::new(),
        bring_calls: Vec::new(),
        groups: BTreeMap::new(),
        seats: desks
            .iter()
            .map(|(id, skills, queues)| {
                let seat = plan::Seat {
                    sound: hotline::routing::sound::Sound::default(),
                    id: (*id).into(),
                    name: (*id).into(),
                    skills: knows(skills),
                    queues: words(queues).iter().map(|word| word.as_str().into()).collect(),
                    role: Role::Clerk,
                    order: 0,
                    wrap_up: None,
                    secret: plan::SecretRef::Env("SECRET".into()),
                    hours: Default::default(),
                };
                (seat.id.clone(), seat)
            })
            .collect(),
        queues: queues.iter().map(|queue| (queue.id.clone(), queue.clone())).collect(),
        emergency: BTreeMap::new(),
        centers: BTreeMap::new(),
        departments: BTreeMap::new(),
        peers: hotline::routing::peers::Peers::default(),
        department_names: BTreeMap::new(),
        experts: BTreeMap::new(),
        three_way: ThreeWay::default(),
        work: Work::default(),
        tokens: Vec::new(),
        callers: Default::default(),
        disposition: Default::default(),
        missed: Default::default(),
        follow_up: Default::default(),
        calling: None,
        scripts: BTreeMap::new(),
        look_ups: BTreeMap::new(),
        bots: BTreeMap::new(),
        kb: None,
        kpi: Default::default(),
        prompts: BTreeMap::new(),
        recording: plan::Recording {
            enabled: true,
            tracks: false,
            format: plan::RecordingFormat::Wav,
            key: None,
            old_keys: Vec::new(),
            retention: Default::default(),
            secret: Vec::new(),
            notice: None,
        },
        survey: plan::Survey { enabled: true, wait: secs(10), tries: 1, reason: false },
        seat_greeting: plan::SeatGreeting::Both,
        sinks: Vec::new(),
        feeds: Vec::new(),
        trace: hotline::routing::trace::Trace::default(),
        admin: Default::default(),
        security: Default::default(),
        human_first: hotline::routing::proof::HumanFirst::default(),
        merge_list: None,
        retired: Vec::new(),
        watch: true,
        calendars: BTreeMap::new(),
        limits: plan::Limits {
            calls_max: 100,
            durable_wait: Duration::from_millis(250),
            drain_grace: secs(60),
            call_max: secs(3600),
        },
    }
}

pub struct Floor {
    pub acd: Acd,
    pub now: Instant,
    decided: Vec<Decision>,
}

impl Floor {
    pub fn new(queues: &[plan::Queue], desks: &[Desk]) -> Self {
        Floor::of(&plan_of(queues, desks), 1)
    }

    pub fn of(plan: &Plan, seed: u64) -> Self {
        Floor {
            acd: Acd::new(plan, Dice::seeded(seed)),
            now: Instant::from_millis(1_000),
            decided: Vec::new(),
        }
    }

    /// One queue, `main`, and seats that are signed in one second after the other.
    pub fn with_desks(desks: &[&'static str]) -> Self {
        let desks: Vec<Desk> = desks.iter().map(|id| (*id, "", "main")).collect();
        let mut floor = Floor::new(&[queue("main")], &desks);
        for (id, _, _) in desks {
            floor.registers(id);
            floor.pass(secs(1));
        }
        floor.decisions();
        floor
    }

    /// Queues `main` and `night` by a plan that is shaped by the test, and seats signed in one second after
    /// the other.
    pub fn shaped(desks: &[Desk], shape: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = plan_of(&[queue("main"), queue("night")], desks);
        shape(&mut plan);
        let mut floor = Floor::of(&plan, 1);
        for (id, _, _) in desks {
            floor.registers(id);
            floor.pass(secs(1));
        }
        floor.decisions();
        floor
    }

    /// [`Floor::shaped`] by rules of `main`.
    pub fn ruled(desks: &[Desk], rules: Queueing) -> Self {
        Floor::shaped(desks, |plan| main_rules(plan, rules))
    }

    /// A new plan, while no call is under way that began by another.
    pub fn follows(&mut self, plan: &Plan) {
        self.acd.plan_changed(plan, &nobodys(), self.now);
    }

    pub fn registers(&mut self, seat: &str) {
        self.acd.seat_registered(&seat.into(), self.now);
    }

    pub fn joins(&mut self, call: CallId, queue: &str, skills: &[&str], first: bool) {
        let skills = skills.iter().map(|skill| Known::some(*skill)).collect();
        self.enters(Joining { skills, first, ..joining(call, queue) });
    }

    pub fn enters(&mut self, joining: Joining) {
        self.acd.join(joining, self.now);
    }

    /// Caller `n` joins `main`.
    pub fn calls(&mut self, n: u64) -> CallId {
        let call = call(n);
        self.joins(call, "main", &[], false);
        call
    }

    /// The clock goes on, from timer to timer.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.acd.poll_timeout()
            && at <= end
        {
            self.now = self.now.max(at);
            self.acd.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// What was decided is kept; and nothing is out of joint.
    fn drain(&mut self) {
        self.acd.check().expect("everything is as it must be");
        while let Some(decision) = self.acd.poll_output() {
            self.decided.push(decision);
        }
    }

    /// What was decided since the last time, seats' changes left out.
    pub fn decisions(&mut self) -> Vec<Decision> {
        self.drain();
        self.decided.drain(..).filter(|decision| !matches!(decision, Decision::SeatChanged { .. })).collect()
    }

    pub fn state(&self, seat: &str) -> SeatState {
        self.acd.seat(&seat.into()).expect("seat is known").clone()
    }

    /// The seat that rings for a call.
    pub fn rung_for(&self, call: CallId) -> Option<String> {
        self.acd.seats().find_map(|(id, state)| match state {
            SeatState::Offered { call: offered, .. } if *offered == call => Some(id.to_string()),
            _ => None,
        })
    }

    /// The seats that ring for a call.
    pub fn all_rung_for(&self, call: CallId) -> Vec<String> {
        let rings =
            |state: &SeatState| matches!(state, SeatState::Offered { call: offered, .. } if *offered == call);
        self.acd.seats().filter(|(_, state)| rings(state)).map(|(id, _)| id.to_string()).collect()
    }

    /// The seat has served a caller, and is free again at once.
    pub fn serves(&mut self, call: CallId, seat: &str) {
        assert!(self.answers(call, seat), "{seat} does not ring");
        self.acd.seat_left(&seat.into(), call, self.now);
        self.acd.change(&seat.into(), Change::Ready, self.now).expect("its wrap-up is over");
    }

    pub fn answers(&mut self, call: CallId, seat: &str) -> bool {
        self.acd.offer_answered(call, &seat.into(), self.now)
    }
}

/// Queues of no call's plan.
pub fn nobodys() -> BTreeSet<QueueId> {
    BTreeSet::new()
}

/// The plan's `main` goes by these rules.
pub fn main_rules(plan: &mut Plan, rules: Queueing) {
    plan.queues.get_mut("main").expect("a queue").rules = rules;
}

/// A caller whom anybody may help.
pub fn joining(call: CallId, queue: &str) -> Joining {
    Joining {
        call,
        queue: queue.into(),
        line: "12345".into(),
        skills: Vec::new(),
        first: false,
        priority: 0,
        sticky: None,
    }
}

/// `tax:5 law` as what is known, at level 1 where none is said.
pub fn knows(words: &str) -> Vec<Known> {
    let known = |word: &str| {
        let (skill, level) = word.split_once(':').unwrap_or((word, "1"));
        Known { skill: skill.into(), level: level.parse().expect("a level") }
    };
    words.split_whitespace().map(known).collect()
}

/// The call of caller `n`.
pub fn call(n: u64) -> CallId {
    CallId::draw(n, &mut Dice::seeded(n))
}

pub fn offer(call: CallId, seat: &str, waited: Duration) -> Decision {
    Decision::Offer { call, seat: seat.into(), waited, purpose: Purpose::Caller }
}

pub fn withdraw(call: CallId, seat: &str) -> Decision {
    Decision::Withdraw { call, seat: seat.into() }
}

pub fn announce(call: CallId, ahead: u32, expected_wait: Option<Duration>) -> Decision {
    Decision::Announce { call, ahead, expected_wait }
}
