//! Three on a call, row by row: who adds the third and how, what the third is, what it speaks, and what
//! happens. In each row it is heard who hears whom, and read what the record says of it.

mod rules;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotline::acd::event::SeatState;
use hotline::call::{Unwilling, Wish};
use hotline::id::{LineId, SeatId, TrunkId};
use hotline::phone::{Answers, Codec, Phone};
use hotline::routing::Plan;
use hotline::routing::callers::Lane;
use hotline::routing::people::{ExpertGroup, Hours, Role};
use hotline::routing::plan::{LineMode, Peer, SeatGreeting};
use hotline::switchboard::What;
use hotline::switchboard::request::{Asker, Refusal, Reply, Request};

use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::seed::in_a_city_with;

/// How the clerk adds somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Adds {
    Keys,
    Asks,
    Refers,
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SubCenter,
    Experts,
    Colleague,
    Department,
    Emergency,
}

/// What happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    ClerkLeavesThree,
    ThirdLeavesThree,
    CallerLeavesThree,
    Returns,
    ThirdVanishesAside,
    CallerLeavesAside,
    ClerkLeavesBefore,
    CallerLeavesBefore,
    Answers,
    Busy,
    NoAnswer,
    Dead,
}

const KINDS: [Kind; 5] = [Kind::SubCenter, Kind::Experts, Kind::Colleague, Kind::Department, Kind::Emergency];
const CONSULTS: [Fate; 11] = [
    Fate::ClerkLeavesThree,
    Fate::ThirdLeavesThree,
    Fate::CallerLeavesThree,
    Fate::Returns,
    Fate::ThirdVanishesAside,
    Fate::CallerLeavesAside,
    Fate::ClerkLeavesBefore,
    Fate::CallerLeavesBefore,
    Fate::Busy,
    Fate::NoAnswer,
    Fate::Dead,
];
const REFERRALS: [Fate; 6] = [
    Fate::Answers,
    Fate::ClerkLeavesBefore,
    Fate::CallerLeavesBefore,
    Fate::Busy,
    Fate::NoAnswer,
    Fate::Dead,
];

impl Kind {
    fn number(self) -> &'static str {
        match self {
            Kind::SubCenter => "12366",
            Kind::Experts => "12348",
            Kind::Colleague => "1003",
            Kind::Department => "4421234",
            Kind::Emergency => "119",
        }
    }

    /// The key for it, behind `*`.
    fn key(self) -> char {
        match self {
            Kind::SubCenter => '1',
            Kind::Experts => '2',
            Kind::Colleague => '3',
            Kind::Department => '4',
            Kind::Emergency => '5',
        }
    }

    /// The seat whose telephone rings, where it is one of ours.
    fn seat(self) -> Option<&'static str> {
        match self {
            Kind::Experts => Some("1002"),
            Kind::Colleague => Some("1003"),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    adds: Adds,
    kind: Kind,
    speaks: Codec,
    fate: Fate,
}

/// What must come of a row.
struct Wanted {
    steps: Vec<&'static str>,
    /// Who hear one another: caller, clerk, third.
    together: [bool; 3],
}

impl Row {
    /// Whether the caller leaves a clerk with help in an emergency: that is not cut off.
    fn leaves_help(self) -> bool {
        let leaves =
            [Fate::CallerLeavesThree, Fate::CallerLeavesAside, Fate::CallerLeavesBefore].contains(&self.fate);
        leaves && self.kind == Kind::Emergency
    }

    fn wanted(self) -> Wanted {
        let consulted = ["requested", "ringing", "consulting"];
        let after = |first: &[&'static str], then: &[&'static str]| [first, then].concat();
        let (steps, together) = match self.fate {
            Fate::CallerLeavesThree if self.leaves_help() => {
                (after(&consulted, &["merged", "returned"]), [false, true, true])
            }
            Fate::CallerLeavesAside | Fate::CallerLeavesBefore if self.leaves_help() => {
                (after(&consulted, &["returned"]), [false, true, true])
            }
            Fate::ClerkLeavesThree => (after(&consulted, &["merged", "left"]), [true, false, true]),
            Fate::ThirdLeavesThree => (after(&consulted, &["merged", "returned"]), [true, true, false]),
            Fate::CallerLeavesThree => (after(&consulted, &["merged", "returned"]), [false; 3]),
            Fate::Returns | Fate::ThirdVanishesAside => {
                (after(&consulted, &["returned"]), [true, true, false])
            }
            Fate::CallerLeavesAside => (after(&consulted, &["returned"]), [false; 3]),
            // The notice, 四(四): until help has accepted, the clerk stays, if it is the clerk's to say.
            Fate::ClerkLeavesBefore if self.kind == Kind::Emergency && self.adds != Adds::Refers => {
                (after(&consulted, &["returned"]), [false, true, true]) // The last step is the caller's end.
            }
            // Nobody is put through to help in an emergency unheard.
            Fate::Answers if self.kind == Kind::Emergency => {
                (after(&consulted, &["returned"]), [false, true, true])
            }
            Fate::ClerkLeavesBefore if self.kind == Kind::Emergency => {
                (vec!["requested", "ringing", "left", "accepted"], [true, false, true])
            }
            // Who refers is through with the call already.
            Fate::ClerkLeavesBefore if self.adds == Adds::Refers => {
                (vec!["requested", "ringing", "accepted"], [true, false, true])
            }
            Fate::ClerkLeavesBefore => {
                (vec!["requested", "ringing", "left", "accepted"], [true, false, true])
            }
            Fate::CallerLeavesBefore => (vec!["requested", "ringing", "failed"], [false; 3]),
            Fate::Answers => (vec!["requested", "ringing", "accepted"], [true, false, true]),
            Fate::NoAnswer => (vec!["requested", "ringing", "failed"], [true, true, false]),
            Fate::Busy | Fate::Dead => (vec!["requested", "failed"], [true, true, false]),
        };
        Wanted { steps, together }
    }

    /// How its telephone takes the call.
    fn answers(self) -> Answers {
        match self.fate {
            Fate::Busy => Answers::Busy,
            Fate::NoAnswer => Answers::Never,
            Fate::ClerkLeavesBefore | Fate::CallerLeavesBefore => Answers::After(millis(1_800)),
            _ => Answers::After(millis(500)),
        }
    }
}

/// Everybody is there, nothing is said that need not be, and what is waited for is short.
fn quick(plan: &mut Plan) {
    let pattern = plan.trunks["sub-12366"].clone();
    for (place, id) in (1..).zip(["sub-12366", "emergency", "bureau"]) {
        let trunk = plan.trunks.entry(TrunkId::from(id)).or_insert_with(|| pattern.clone());
        trunk.id = id.into();
        trunk.targets = vec![SocketAddr::from(([127, 1, 0, place], 5060)).into()];
    }
    let department = Peer {
        trunk: "bureau".into(),
        number: "4421234".into(),
        ring: secs(3),
        drill: false,
        hours: Hours::default(),
    };
    plan.departments.insert("4421234".into(), department);
    plan.emergency.values_mut().for_each(|peer| peer.ring = secs(3));
    if let LineMode::SubCenter { peer, .. } = &mut plan.lines.get_mut("12366").expect("shipped").mode {
        peer.ring = secs(3);
    }
    let group = ExpertGroup {
        number: "12348".into(),
        name: "住房公积金".into(),
        department: "市住房公积金管理中心".into(),
        seats: vec!["1002".into()],
        hours: Hours::default(),
        accept: secs(3),
    };
    plan.experts.insert(LineId::from("12348"), Arc::new(group));
    plan.three_way.keys = KINDS.map(|kind| (kind.key(), kind.number().to_owned())).into();
    for id in ["1002", "1003"] {
        plan.seats.get_mut(id).expect("shipped").queues.clear(); // They take nobody else's callers.
    }
    for queue in plan.queues.values_mut() {
        (queue.ring, queue.wrap_up, queue.away) = (secs(3), secs(1), Some(secs(5)));
    }
    let everybody = Lane {
        name: "everybody".into(),
        lines: Vec::new(),
        trunks: vec!["carrier".into()],
        callers: Default::default(),
        priority: 0,
        skills: Vec::new(),
        straight: true,
    };
    plan.callers.lanes = vec![everybody];
    (plan.survey.enabled, plan.seat_greeting) = (false, SeatGreeting::Silent);
    plan.transition.afterwards = hotline::routing::plan::Afterwards::Connect;
    plan.transition.months = 0;
    plan.network.silence_max = secs(2);
}

/// Caller, clerk, third.
type Three = [Who; 3];

/// The telephones, and caller and clerk in a talk.
fn talking(city: &mut City, row: Row) -> Three {
    let far = ["12366", "119", "4421234"].map(|number| city.phone(number).waits());
    let clerk = city.seat("1001").answers_after(millis(300));
    let third = match (row.kind, row.kind.seat()) {
        (_, Some(seat)) => city.seat(seat).never_answers(),
        (Kind::Emergency, None) => far[1],
        (Kind::Department, None) => far[2],
        (_, None) => far[0],
    };
    let mut config = city.look_at(third).phone.config().clone();
    config.codecs = vec![row.speaks];
    let dice = city.dice.split();
    city.telephone(third).phone = Phone::new(config, dice);
    if row.kind.seat().is_some() {
        city.signs_in(third);
    }
    city.telephone(third).phone.set_answers(row.answers());
    let caller = city.phone("13800000001").dials("12345");
    let met = city.run_until(secs(20), |city| city.hears(caller, clerk) && city.hears(clerk, caller));
    assert!(met, "{row:?}: they talk: {:?}", city.state_of(caller));
    if row.fate == Fate::Dead {
        city.vanishes(third);
        if row.kind.seat().is_none() {
            // And nobody is at its address any more: the trunk's peer says nothing.
            city.run_for(millis(100));
        }
    }
    [caller, clerk, third]
}

fn asks(city: &mut City, caller: Who, wish: Wish) -> Result<Reply, Refusal> {
    let call = city.call_of(caller).expect("it goes on");
    let asker = Asker { name: "desk".into(), role: Role::Clerk, seat: Some(SeatId::from("1001")) };
    let now = city.now();
    let reply = city.board.ask(&asker, Request::Call { call, wish }, now);
    city.dispatch();
    reply
}

/// The clerk wants something, in the row's way.
fn wants(city: &mut City, row: Row, three: Three, keys: &str, wish: Wish) {
    let [caller, clerk, _] = three;
    if row.adds == Adds::Asks {
        let stays = row.fate == Fate::ClerkLeavesBefore && row.kind == Kind::Emergency && wish == Wish::Leave;
        let wanted = if stays { Err(Refusal::Call(Unwilling::NotAccepted)) } else { Ok(Reply::Done) };
        assert_eq!(asks(city, caller, wish.clone()), wanted, "{row:?}: {wish:?}");
    } else {
        city.presses(clerk, keys);
        city.run_for(millis(400 * keys.len() as u64));
    }
}

fn adds(city: &mut City, row: Row, three: Three) {
    let to = row.kind.number();
    match row.adds {
        Adds::Refers => city.order(three[1], |phone, now| phone.refer(to, now)).expect("it talks"),
        _ => wants(city, row, three, &format!("*{}", row.kind.key()), Wish::Consult { to: to.into() }),
    }
}

fn is_idle(city: &City, who: Who) -> bool {
    city.look_at(who).is_idle()
}

/// Half a second of it: these hear one another, and nobody else is heard.
fn hear(city: &mut City, row: Row, three: Three, together: [bool; 3]) {
    let before = three.map(|who| city.look_at(who).phone.heard().len());
    city.run_for(millis(500));
    for (one, who) in three.into_iter().enumerate() {
        // Half a second of sound, but for what is lost to the ends of packets; or nothing comes at all.
        let comes = city.look_at(who).phone.heard().len() > before[one] + 3_000;
        for (other, heard) in three.into_iter().enumerate().filter(|(other, _)| *other != one) {
            let wanted = together[one] && together[other];
            let hears = comes && city.hears(who, heard);
            let names = ["the caller", "the clerk", "the third"];
            assert_eq!(hears, wanted, "{row:?}: whether {} hears {}", names[one], names[other]);
        }
    }
}

/// The third has picked up, and speaks with the clerk alone.
fn aside(city: &mut City, row: Row, three: Three) {
    let [_, clerk, third] = three;
    let met = city.run_until(secs(8), |city| city.hears(clerk, third) && city.hears(third, clerk));
    assert!(met, "{row:?}: a word aside");
    city.run_for(millis(300));
    hear(city, row, three, [false, true, true]);
}

fn all_three(city: &mut City, row: Row, three: Three) {
    aside(city, row, three);
    wants(city, row, three, "*0", Wish::Merge);
    city.run_for(millis(700));
    hear(city, row, three, [true; 3]);
}

fn happens(city: &mut City, row: Row, three: Three) {
    let [caller, clerk, third] = three;
    let rings = |city: &City| !is_idle(city, third);
    let within = |city: &mut City, what: &str, so: &dyn Fn(&City) -> bool| {
        let came = city.run_until(secs(20), so);
        assert!(came, "{row:?}: {what}");
        city.run_for(millis(900));
    };
    match row.fate {
        Fate::ClerkLeavesThree => {
            all_three(city, row, three);
            wants(city, row, three, "##", Wish::Leave);
            within(city, "the clerk has left", &|city| is_idle(city, clerk));
        }
        Fate::ThirdLeavesThree => {
            all_three(city, row, three);
            city.hangs_up(third);
            city.run_for(millis(900));
        }
        Fate::CallerLeavesThree => {
            all_three(city, row, three);
            city.hangs_up(caller);
            city.run_for(millis(900));
        }
        Fate::Returns => {
            aside(city, row, three);
            wants(city, row, three, "*#", Wish::Return);
            within(city, "the third is let go", &|city| is_idle(city, third));
        }
        Fate::ThirdVanishesAside => {
            aside(city, row, three);
            city.vanishes(third);
            within(city, "the caller is back", &|city| city.hears(caller, clerk));
        }
        Fate::CallerLeavesAside => {
            aside(city, row, three);
            city.hangs_up(caller);
            city.run_for(millis(900));
        }
        Fate::ClerkLeavesBefore => {
            within(city, "it rings", &rings);
            match row.adds {
                Adds::Refers => city.hangs_up(clerk),
                _ => wants(city, row, three, "##", Wish::Leave),
            }
            let with = if row.wanted().together[0] { caller } else { clerk };
            within(city, "it picks up", &|city| city.hears(with, third));
        }
        Fate::CallerLeavesBefore => {
            within(city, "it rings", &rings);
            city.hangs_up(caller);
            if row.leaves_help() {
                within(city, "it picks up", &|city| city.hears(clerk, third));
            }
        }
        Fate::Answers => {
            let with = if row.wanted().together[0] { caller } else { clerk };
            within(city, "it picks up", &|city| city.hears(with, third));
        }
        Fate::Busy | Fate::NoAnswer | Fate::Dead => {
            city.run_for(millis(200));
            within(city, "the caller is back", &|city| steps(city, caller).last() == Some(&"failed".into()));
        }
    }
}

fn steps(city: &City, caller: Who) -> Vec<String> {
    let records = city.records_of(caller);
    let Some(facts) = records.last().and_then(|record| city.store.facts.get(&record.call)) else {
        return Vec::new();
    };
    let step = facts.iter().filter_map(|fact| match &fact.what {
        What::Transfer { step, .. } => Some(step.word().to_owned()),
        _ => None,
    });
    step.collect()
}

/// Everything of a row but the sound.
fn is_told(city: &mut City, row: Row, three: Three) {
    let [caller, clerk, third] = three;
    city.hangs_up(caller);
    if row.wanted().together == [false, true, true] {
        city.run_for(millis(300));
        city.hangs_up(clerk); // Who has to tell help where to go is not cut off by the caller.
    }
    let quiet = city.run_until(secs(12), |city| city.board.calls().is_empty());
    assert!(quiet, "{row:?}: nothing goes on");
    city.run_for(secs(2));
    assert_eq!(steps(city, caller), row.wanted().steps, "{row:?}");
    let record = city.record_of(caller);
    let (answered, recorded) = (record.answered_ms.unwrap_or(0), record.recording_ms.unwrap_or(0));
    let whole = recorded > 0 && answered.abs_diff(recorded) < 1_000;
    assert!(whole, "{row:?}: {recorded} of {answered} ms are on the recording");
    let gone = city.look_at(third).gone;
    for who in [clerk, third].into_iter().filter(|who| city.look_at(*who).is_seat) {
        let state = city.seat_state(who);
        let fine = match state {
            SeatState::Ready { .. } => true,
            // Refused or not answered, or lost.
            SeatState::Away { .. } => who == third,
            _ => false,
        };
        assert!(fine, "{row:?}: {} is {state:?}", city.look_at(who).user);
    }
    assert!(is_idle(city, clerk) && (gone || is_idle(city, third)), "{row:?}: everybody has hung up");
}

fn plays(row: Row) {
    in_a_city_with(quick, |city| {
        let three = talking(city, row);
        adds(city, row, three);
        happens(city, row, three);
        if row.wanted().together.contains(&true) {
            hear(city, row, three, row.wanted().together);
        } else {
            city.run_for(Duration::from_millis(900));
            assert!(is_idle(city, three[1]) && is_idle(city, three[2]), "{row:?}: all is over");
        }
        is_told(city, row, three);
    });
}

fn play_all(adds: Adds, fates: &[Fate]) {
    for kind in KINDS {
        for speaks in [Codec::Pcma, Codec::Pcmu] {
            for fate in fates {
                plays(Row { adds, kind, speaks, fate: *fate });
            }
        }
    }
}

#[test]
fn whoever_is_asked_in_by_keys_hears_and_is_heard_by_the_right_ones_whatever_happens() {
    play_all(Adds::Keys, &CONSULTS);
}

#[test]
fn whoever_is_asked_in_by_request_hears_and_is_heard_by_the_right_ones_whatever_happens() {
    play_all(Adds::Asks, &CONSULTS);
}

#[test]
fn whoever_is_referred_to_hears_and_is_heard_by_the_right_ones_whatever_happens() {
    play_all(Adds::Refers, &REFERRALS);
}
