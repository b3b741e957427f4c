//! A busy city: everything that a plan can decide is decided, and everybody whom it can name is there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hotline::id::{LineId, SeatId, TrunkId};
use hotline::phone::Answers;
use hotline::routing::Plan;
use hotline::routing::afterwards::{Calling, Code, FollowUp};
use hotline::routing::callers::{CallerAct, CallerPolicy, Lane};
use hotline::routing::people::{AwayReason, ExpertGroup, Hours, Role};
use hotline::routing::plan::{LineMode, Peer};
use hotline::routing::queueing::{CallbackOffer, Known, Strategy, Surge, Widening};
use hotline::routing::script::{Act, Menu, Message, Order, Script, Target, Transfer};
use hotline::routing::three_way::CallerLeaves;
use hotline::switchboard::Input;

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::house;

/// Far ends of trunks, in the order of their telephones' places: number and trunk.
const FAR: [(&str, &str); 4] =
    [("12366", "sub-12366"), ("119", "emergency"), ("13900000000", "outward"), ("4421234", "bureau")];
/// Who asks nobody's callers: roles beside the shipped clerks.
const BESIDE: [(&str, Role); 3] =
    [("1009", Role::Supervisor), ("1010", Role::Observer), ("1011", Role::Trainee)];
/// A place is kept for so long.
pub const KEPT: std::time::Duration = std::time::Duration::from_secs(60);

/// Everybody of the city who is not a caller.
pub struct Crew {
    pub clerks: Vec<Who>,
    /// They listen.
    pub beside: Vec<Who>,
    pub far: Vec<Who>,
}

/// What the busy city has decided.
pub fn busy(plan: &mut Plan) {
    trunks(plan);
    people(plan);
    queues(plan);
    callers(plan);
    flows(plan);
    plan.network.rtp_ports = (20_000, 20_499);
    plan.missed.enabled = true;
    (plan.missed.after, plan.missed.again_after) = (secs(5), secs(30));
    plan.follow_up = FollowUp {
        enabled: true,
        percent: 30,
        hours: Hours::default(),
        tries: 2,
        again_after: secs(60),
        at_once: 2,
    };
    let code = |code: &str| Code { code: code.into(), name: code.into() };
    plan.disposition.fields = vec![code("water"), code("heat")];
    plan.disposition.types = vec![code("question"), code("complaint")];
    plan.survey.reason = true;
    plan.survey.wait = secs(3);
    plan.limits.call_max = secs(300);
    plan.three_way.caller_leaves = CallerLeaves::Keep;
}

fn trunks(plan: &mut Plan) {
    let pattern = plan.trunks["sub-12366"].clone();
    for (place, (_, id)) in (1..).zip(FAR) {
        let id = TrunkId::from(id);
        let trunk = plan.trunks.entry(id.clone()).or_insert_with(|| pattern.clone());
        trunk.id = id;
        trunk.targets = vec![SocketAddr::from(([127, 1, 0, place], 5060)).into()];
        trunk.connect_timeout = secs(1);
    }
    let LineMode::SubCenter { peer, .. } = &mut plan.lines.get_mut("12366").expect("shipped").mode else {
        panic!("12366 has a center of its own")
    };
    (peer.drill, peer.ring) = (false, secs(8));
    let bureau = Peer {
        trunk: "bureau".into(),
        number: "4421234".into(),
        ring: secs(8),
        drill: false,
        hours: Hours::default(),
    };
    plan.departments.insert("4421234".into(), bureau);
    plan.calling = Some(Calling {
        prefix: "9".into(),
        allowed: vec!["13".into()],
        trunk: "outward".into(),
        line: "12345".into(),
        ring: secs(10),
    });
}

fn people(plan: &mut Plan) {
    let usual = plan.seats["1003"].clone();
    for (id, role) in BESIDE {
        let mut seat = usual.clone();
        (seat.id, seat.role) = (id.into(), role);
        seat.queues.clear();
        plan.seats.insert(seat.id.clone(), seat);
    }
    plan.seats.get_mut("1005").expect("shipped").role = Role::Leader;
    let group = ExpertGroup {
        number: "12348".into(),
        name: "住房公积金".into(),
        department: "市住房公积金管理中心".into(),
        seats: ["1007", "1008"].map(SeatId::from).to_vec(),
        hours: Hours::default(),
        accept: secs(5),
    };
    plan.experts.insert(LineId::from("12348"), Arc::new(group));
    let keys = [('1', "119"), ('2', "12366"), ('3', "12348"), ('4', "4421234"), ('5', "1002")];
    plan.three_way.keys = keys.map(|(key, to)| (key, to.to_owned())).into();
    plan.three_way.hold_max = secs(15);
    let reason = |digit, most| AwayReason { digit, name: format!("reason {digit}"), most };
    plan.work.away = vec![reason('1', Some(secs(10))), reason('2', None)];
    plan.work.rest = secs(20);
    plan.work.wrap_up_max = secs(60);
    plan.work.observer_prompt = Some("transfer_wait".into());
}

fn queues(plan: &mut Plan) {
    for queue in plan.queues.values_mut() {
        queue.wrap_up = secs(3);
        queue.away = Some(secs(20));
        queue.wait_max = secs(60);
        queue.ring = secs(10);
        queue.rules.callback =
            Some(CallbackOffer { after: secs(5), key: '1', tries: 2, again_after: secs(10), keep: KEPT });
        queue.rules.ageing = Some(secs(5));
        queue.rules.sticky_wait = Some(secs(5));
        queue.rules.widen = vec![Widening { after: secs(10), levels: 1 }];
        queue.rules.shed = vec![(40, 0)];
        queue.rules.surge =
            Some(Surge { from: 6, until: 2, greeting: None, roles: vec![Role::Supervisor], callback: true });
    }
}

fn callers(plan: &mut Plan) {
    let lane = |name: &str, lines: &[&str], priority, straight| Lane {
        name: name.into(),
        lines: lines.iter().map(|line| LineId::from(*line)).collect(),
        trunks: Vec::new(),
        callers: Default::default(),
        priority,
        skills: Vec::new(),
        straight,
    };
    let known = |caller: &str, act| CallerPolicy {
        caller: caller.into(),
        act,
        reason: "每日重复".into(),
        approver: "科长".into(),
        until: "2031-09-01T02:00:00Z".parse().expect("a time"),
    };
    let (city, callers) = (&plan.city, &mut plan.callers);
    callers.repeat_within = secs(600);
    callers.urgent_key = Some('9');
    callers.lanes = vec![lane("elderly", &["12349"], 10, true), lane("firms", &["12333"], 5, false)];
    let policies = [
        known("13800000001", CallerAct::Behind(-5)),
        known("13800000002", CallerAct::To(vec![Known::some("law")])),
        known("13800000003", CallerAct::CoolDown(secs(60))),
        known("13800000004", CallerAct::Confidential),
    ];
    for policy in policies {
        callers.policies.insert(city, &policy.caller.clone(), policy);
    }
}

/// Every other line but 12345 has a flow in front of its queue.
fn flows(plan: &mut Plan) {
    let keys = [('1', "order".into()), ('2', "ring".into())];
    let main = Act::Menu(Menu { prompt: "transfer_wait".into(), keys: keys.into(), wait: secs(2), tries: 1 });
    let order = vec![
        Act::Message(Message {
            into: "what".into(),
            prompt: "transfer_wait".into(),
            most: secs(8),
            least: secs(1),
            tries: 1,
        }),
        Act::Order(Order {
            category: "noise".into(),
            values: vec!["what".into()],
            prompt: "ticket_number".into(),
            code_prompt: None,
        }),
    ];
    let bureau = plan.departments["4421234"].clone();
    let ring = Act::Transfer(Transfer { to: Target::Peer(bureau), failed: Some("order".into()) });
    for (id, acts) in [("main", vec![main]), ("order", order), ("ring", vec![ring])] {
        plan.scripts.insert(id.into(), Arc::new(Script { id: id.into(), acts }));
    }
    let others = plan.lines.values_mut().filter(|line| line.number.as_str() != "12345");
    for line in others.step_by(2) {
        line.script = Some("main".into());
    }
}

pub const STRATEGIES: [Strategy; 6] = [
    Strategy::LongestIdle,
    Strategy::RoundRobin,
    Strategy::FewestCalls,
    Strategy::TopDown,
    Strategy::Random,
    Strategy::RingAll,
];

/// One more word sounds like a word that the shipped house has, for each that it lacks.
pub fn has_all_words(city: &mut City) {
    let known: BTreeMap<_, _> = house::sounds().into_iter().collect();
    let like = *known.get("queue_hold_on").expect("shipped");
    let lacking = ["callback_offer", "callback_kept", "ready", "away", "wrong_key", "urgent_offer"];
    let more =
        lacking.map(|word| (word.into(), like)).into_iter().filter(|(word, _)| !known.contains_key(word));
    let plan = Arc::new(city.plan.clone());
    let (accounts, trunk_passwords) = (house::accounts(&plan), house::words(&plan));
    let sounds = house::sounds().into_iter().chain(more).collect();
    city.tell(Input::PlanChanged { plan, accounts, trunk_passwords, sounds });
}

/// Everybody takes their places, with manners of their own.
pub fn opens(city: &mut City) -> Crew {
    let far = FAR.map(|(number, _)| {
        let who = city.phone(number).waits();
        takes_calls(city, who);
        who
    });
    let clerks = (1001..=1008).map(|id| {
        let talks = millis(2_000 + city.dice.below(15_000));
        let answers = millis(500 + city.dice.below(3_000));
        city.seat(&id.to_string()).talks_for(talks).answers_after(answers)
    });
    let clerks = clerks.collect();
    let beside = BESIDE.map(|(id, _)| city.seat(id).answers_after(secs(1))).to_vec();
    has_all_words(city);
    Crew { clerks, beside, far: far.to_vec() }
}

/// How somebody at the far end of a trunk takes the next calls: at once, late, not, or not to the end.
pub fn takes_calls(city: &mut City, who: Who) {
    let soon = millis(300 + city.dice.below(4_000));
    let talks = millis(1_000 + city.dice.below(20_000));
    let (answers, vanishes) = match city.dice.below(10) {
        0 => (Answers::Busy, false),
        1 => (Answers::Never, false),
        2 => (Answers::After(soon), true),
        _ => (Answers::After(soon), false),
    };
    let telephone = city.telephone(who);
    telephone.phone.set_answers(answers);
    telephone.manners.talks_for = Some(talks);
    telephone.manners.vanishes_talking = vanishes.then_some(talks);
}

/// Nobody waits long, and a key makes it urgent: much happens in a minute.
pub fn hurries(plan: &mut Plan) {
    plan.callers.urgent_key = Some('9');
    for queue in plan.queues.values_mut() {
        (queue.wrap_up, queue.wait_max, queue.away) = (secs(3), secs(40), Some(secs(20)));
    }
    plan.network.rtp_ports = (20_000, 20_199);
}
