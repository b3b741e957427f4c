//! What people of a busy city do at random, each in a moment of the dice's choice.

use std::time::Duration;

use hotline::acd::event::{Change, SeatState};
use hotline::call::Wish;
use hotline::id::{CallId, SeatId};
use hotline::phone::{Dial, PhoneState};
use hotline::routing::people::Role;
use hotline::routing::three_way::CallerLeaves;
use hotline::switchboard::Input;
use hotline::switchboard::request::{Asker, Disposed, Flag, Refusal, Reply, Request, Watching};

use crate::busy::{Crew, STRATEGIES, has_all_words, takes_calls};
use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};

/// Whom clerks ask in: their numbers and codes.
const CODES: [&str; 14] = [
    "*1",
    "*2",
    "*3",
    "*4",
    "*5",
    "**12366#",
    "**1003#",
    "**12348#",
    "**4421234#",
    "**1009#",
    "**999#",
    "12",
    "*",
    "#",
];
const ASKED: [&str; 6] = ["119", "12366", "12348", "4421234", "1003", "1009"];
/// What a clerk does with whom was asked in.
const THEN: [&str; 5] = ["*0", "*0", "##", "*#", "##"];
const OWN_CALLS: [&str; 8] =
    ["913900000000", "913900000000", "1003", "1007", "12366", "12348", "119", "915900000000"];
const SEAT_CODES: [&str; 6] = ["*30", "*31", "*32", "*300", "*30", "*39"];
const WATCHED: [&str; 5] = ["*91001", "*91002", "*91003", "*91006", "*91007"];

fn one<T: Clone>(city: &mut City, of: &[T]) -> Option<T> {
    let most = of.len() as u64;
    (most > 0).then(|| of[city.dice.below(most) as usize].clone())
}

fn is_there(city: &City, who: Who) -> bool {
    !city.look_at(who).gone
}

fn talks(city: &City, who: Who) -> bool {
    is_there(city, who) && city.look_at(who).phone.state() == PhoneState::Talking
}

fn can_dial(city: &City, who: Who) -> bool {
    let telephone = city.look_at(who);
    is_there(city, who) && telephone.is_idle() && (!telephone.is_seat || telephone.phone.is_registered())
}

fn somebody(city: &mut City, among: &[Who], fits: impl Fn(&City, Who) -> bool) -> Option<Who> {
    let fitting: Vec<Who> = among.iter().copied().filter(|who| fits(city, *who)).collect();
    one(city, &fitting)
}

/// Asks something, as a supervisor or as the clerk of this seat.
fn asks(city: &mut City, seat: Option<SeatId>, request: Request) -> Result<Reply, Refusal> {
    let role = if seat.is_some() { Role::Clerk } else { Role::Supervisor };
    let asker = Asker { name: "who".into(), role, seat };
    let now = city.now();
    let reply = city.board.ask(&asker, request, now);
    city.dispatch();
    reply
}

/// A call under way.
fn some_call(city: &mut City) -> Option<CallId> {
    let calls: Vec<CallId> = city.board.calls().iter().map(|(call, _)| *call).collect();
    one(city, &calls)
}

/// A call that a clerk serves, and whose.
fn served(city: &mut City) -> Option<(SeatId, CallId)> {
    let with = |(seat, state): (&SeatId, &SeatState)| match state {
        SeatState::Talking { call, .. } => Some((seat.clone(), *call)),
        _ => None,
    };
    let talks: Vec<_> = city.board.acd().seats().filter_map(with).collect();
    one(city, &talks)
}

/// Something, by somebody.
pub fn happens(city: &mut City, crew: &Crew) {
    match city.dice.below(100) {
        0..=27 => asks_in(city, crew),
        28..=41 => wishes(city),
        42..=47 => holds(city, crew),
        48..=53 => puts_through(city, crew),
        54..=62 => listens(city, crew),
        63..=70 => calls_out(city, crew),
        71..=76 => seat_is(city, crew),
        77..=82 => is_noted(city),
        83..=89 => comes_and_goes(city, crew),
        90..=95 => far_end_changes(city, crew),
        _ => is_decided(city),
    }
}

/// A clerk asks somebody in by a code, or says by one what is to come of it, or by another telephone.
fn asks_in(city: &mut City, crew: &Crew) {
    let Some(clerk) = somebody(city, &crew.clerks, talks) else { return };
    let code = one(city, &CODES).unwrap_or("*2");
    city.presses(clerk, code);
    let with = city.people().map(|(who, _)| who).find(|who| city.talks_to(*who) == Some(clerk));
    if let Some(caller) = with.filter(|_| city.dice.below(3) == 0) {
        // Nobody undoes it first: the caller leaves whoever was asked in by then.
        let leaves = if city.dice.below(3) == 0 { Deed::Vanish } else { Deed::HangUp };
        let at = millis(1_000 + city.dice.below(12_000));
        return city.later_in_this_call(at, caller, leaves);
    }
    for step in 1..=2 {
        let then = one(city, &THEN).unwrap_or("##");
        let at = millis(step * (500 + city.dice.below(5_000)));
        city.later_in_this_call(at, clerk, Deed::Press(then));
    }
}

fn wishes(city: &mut City) {
    let Some((seat, call)) = served(city) else { return };
    let to = one(city, &ASKED).unwrap_or("119").to_owned();
    let wish = match city.dice.below(16) {
        0..=5 => Wish::Consult { to },
        6..=7 => Wish::Merge,
        8..=9 => Wish::Leave,
        10 => Wish::Return,
        11 => Wish::Hold,
        12 => Wish::Resume,
        13 => Wish::Requeue { queue: None },
        14 => Wish::TakeOver { seat: to.as_str().into() },
        _ => Wish::End,
    };
    // Mostly of the call that a clerk serves, at times of any.
    let any = city.dice.below(5) == 0;
    let call = if any { some_call(city).unwrap_or(call) } else { call };
    let asker = (city.dice.below(2) == 0).then_some(seat);
    let _ = asks(city, asker, Request::Call { call, wish });
}

fn holds(city: &mut City, crew: &Crew) {
    let all: Vec<Who> = crew.clerks.iter().chain(&crew.far).copied().collect();
    let Some(who) = somebody(city, &all, talks) else { return };
    if city.dice.below(2) == 0 {
        city.order(who, |phone, now| phone.hold(now));
    } else {
        city.order(who, |phone, now| phone.resume(now));
    }
}

fn puts_through(city: &mut City, crew: &Crew) {
    let Some(clerk) = somebody(city, &crew.clerks, talks) else { return };
    let to = one(city, &ASKED).unwrap_or("119");
    let _ = city.order(clerk, |phone, now| phone.refer(to, now));
}

fn listens(city: &mut City, crew: &Crew) {
    let keys = one(city, &["1", "2", "3", "3", "4"]).unwrap_or("1");
    if let Some(who) = somebody(city, &crew.beside, talks) {
        return match city.dice.below(4) {
            0 => city.hangs_up(who),
            1 => {
                let Some((_, call)) = served(city) else { return };
                let seat = SeatId::from(city.look_at(who).user.as_str());
                let how = one(city, &[Watching::Listen, Watching::Whisper, Watching::Barge]);
                let how = how.unwrap_or(Watching::Listen);
                let _ = asks(city, None, Request::Watch { call, seat, how });
            }
            _ => city.presses(who, keys),
        };
    }
    let Some(who) = somebody(city, &crew.beside, can_dial) else { return };
    let of = one(city, &WATCHED).unwrap_or("*91001");
    city.dials(who, of);
    let presses = millis(500 + city.dice.below(9_000));
    city.later_in_this_call(presses, who, Deed::Press(keys));
    let leaves = secs(5 + city.dice.below(30));
    city.later_in_this_call(leaves, who, Deed::HangUp);
}

/// Clerks' own calls, by telephone and by click, and calls back to who gave up.
fn calls_out(city: &mut City, crew: &Crew) {
    let clerk = somebody(city, &crew.clerks, can_dial);
    let number = one(city, &OWN_CALLS).unwrap_or("1003");
    let Some(clerk) = clerk else { return };
    let seat = SeatId::from(city.look_at(clerk).user.as_str());
    match city.dice.below(3) {
        0 => {
            city.dials(clerk, number);
            let leaves = millis(500 + city.dice.below(15_000));
            city.later_in_this_call(leaves, clerk, Deed::HangUp);
        }
        1 => {
            let number = number.strip_prefix('9').unwrap_or(number).to_owned();
            let of = some_call(city);
            let _ = asks(city, Some(seat.clone()), Request::Dial { seat, number, line: None, of });
        }
        _ => {
            let missed: Vec<CallId> = city.board.missed().iter().map(|view| view.call).collect();
            let Some(missed) = one(city, &missed) else { return };
            let _ = asks(city, Some(seat.clone()), Request::CallBack { missed, seat });
        }
    }
}

fn seat_is(city: &mut City, crew: &Crew) {
    if city.dice.below(2) == 0 {
        let Some(clerk) = somebody(city, &crew.clerks, can_dial) else { return };
        let code = one(city, &SEAT_CODES).unwrap_or("*30");
        return city.dials(clerk, code);
    }
    let seats: Vec<SeatId> = city.plan.seats.keys().cloned().collect();
    let Some(seat) = one(city, &seats) else { return };
    let change = match city.dice.below(8) {
        0..=2 => Change::Ready,
        3 => Change::Away { reason: "reason 1".into() },
        4 => Change::Away { reason: "reason 2".into() },
        5 => Change::MoreWrapUp(secs(10)),
        6 => Change::Rest(secs(10)),
        _ => Change::ForceAway,
    };
    let _ = asks(city, None, Request::Seat { seat, change });
}

/// What a call was about, and as what it is marked, while it lasts and afterwards.
fn is_noted(city: &mut City) {
    let known: Vec<CallId> = city.store.facts.keys().rev().take(10).copied().collect();
    let Some(call) = one(city, &known) else { return };
    match city.dice.below(4) {
        0 => {
            let flag = one(city, &[Flag::Abusive, Flag::Confidential, Flag::Urgent]).unwrap_or(Flag::Urgent);
            let _ = asks(city, None, Request::Flag { call, flag });
        }
        1 => {
            let pause = city.dice.below(2) == 0;
            city.tell(Input::PauseRecording { call, pause, by: "who".into() });
        }
        _ => {
            let disposed = Disposed { field: Some("water".into()), by: "who".into(), ..Disposed::default() };
            let _ = asks(city, None, Request::Dispose { call, disposed });
        }
    }
}

/// Clerks' telephones lose their registration, die, and are there again.
fn comes_and_goes(city: &mut City, crew: &Crew) {
    let all: Vec<Who> = crew.clerks.iter().chain(&crew.beside).copied().collect();
    let Some(who) = one(city, &all) else { return };
    if city.look_at(who).gone {
        city.gets_a_new_phone(who);
        city.order(who, |phone, now| phone.register(now));
        let answers = millis(500 + city.dice.below(3_000));
        return city.telephone(who).phone.set_answers(hotline::phone::Answers::After(answers));
    }
    match city.dice.below(3) {
        0 => city.vanishes(who),
        1 => city.signs_out(who),
        _ => city.order(who, |phone, now| phone.register(now)),
    }
}

fn far_end_changes(city: &mut City, crew: &Crew) {
    let Some(who) = one(city, &crew.far) else { return };
    match (city.look_at(who).gone, city.dice.below(3)) {
        (true, _) => {
            city.gets_a_new_phone(who);
            takes_calls(city, who);
        }
        (false, 0) => city.hangs_up(who),
        (false, 1) => city.vanishes(who),
        (false, _) => takes_calls(city, who),
    }
}

/// The plan is read again, or a surge said.
fn is_decided(city: &mut City) {
    if city.dice.below(3) == 0 {
        let on = one(city, &[None, Some(true), Some(false)]).flatten();
        let _ = asks(city, None, Request::Surge { queue: "main".into(), on });
        return;
    }
    let strategy = one(city, &STRATEGIES).unwrap_or_default();
    let (ageing, sticky) = (city.dice.below(2) == 0, city.dice.below(2) == 0);
    let dropped = one(city, &["1003", "1008", "1009"]).unwrap_or("1003");
    let drops = city.dice.below(2) == 0;
    let leaves = one(city, &[CallerLeaves::Keep, CallerLeaves::Keep, CallerLeaves::End]).unwrap_or_default();
    let usual = city.plan.seats["1001"].clone();
    city.reloads(|plan| {
        plan.three_way.caller_leaves = leaves;
        for queue in plan.queues.values_mut() {
            queue.rules.strategy = strategy;
            queue.rules.ageing = ageing.then_some(Duration::from_secs(5));
            queue.rules.sticky_wait = sticky.then_some(Duration::from_secs(5));
        }
        if plan.seats.remove(dropped).is_none() || !drops {
            let mut seat = usual.clone();
            seat.id = dropped.into();
            if dropped == "1009" {
                (seat.role, seat.queues) = (Role::Supervisor, Vec::new());
            }
            plan.seats.insert(seat.id.clone(), seat);
        }
    });
    has_all_words(city);
}

/// What a caller does after dialling.
pub fn habits(city: &mut City) -> Vec<(Duration, Deed)> {
    let patience = millis(city.dice.below(30_000));
    let key = one(city, &["1", "9", "1", "2"]).unwrap_or("1");
    let mut then = vec![(millis(3_000 + city.dice.below(15_000)), Deed::Press(key))];
    then.extend(match city.dice.below(10) {
        0 => vec![(millis(city.dice.below(300)), Deed::HangUp)],
        1..=4 => vec![(patience, Deed::HangUp)],
        5 => vec![(patience, Deed::Vanish)],
        // Stays to the end of the survey.
        _ => vec![(patience + secs(15), Deed::Press("1")), (secs(90), Deed::HangUp)],
    });
    then
}

/// A new caller, or one who has called before.
pub fn calls(city: &mut City, callers: &mut Vec<Who>) {
    let again = (city.dice.below(4) == 0).then(|| somebody(city, callers, can_dial)).flatten();
    let caller = again.unwrap_or_else(|| {
        let n = callers.len();
        let who = city.phone(&format!("138{n:08}")).waits();
        if n % 4 == 3 {
            city.falls_silent(who);
        }
        callers.push(who);
        who
    });
    let numbers: Vec<String> = city.plan.lines.values().map(|line| line.number.to_string()).collect();
    // Most dial the hotline itself.
    let other = one(city, &numbers).unwrap_or_default();
    let number = if city.dice.below(3) == 0 { other } else { "12345".to_owned() };
    let then = habits(city);
    city.act(caller, Deed::Call(Box::new(Dial::to(&number)), then));
}
