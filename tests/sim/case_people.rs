//! People: what clerks say of their seats, who of the callers is known and how, and what calls were about.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotline::acd::event::{AwayWhy, Change, SeatState, Unchanged};
use hotline::id::{CallId, PromptId, SeatId, TrunkId};
use hotline::phone::{Answers, Dial, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::afterwards::Code;
use hotline::routing::callers::{ByCaller, CallerAct, CallerPolicy, Lane};
use hotline::routing::people::{AwayReason, Role};
use hotline::routing::plan::IpNet;
use hotline::routing::queueing::Known;
use hotline::routing::rewrite::{Act, Pattern, Rule, Rules};
use hotline::routing::script::{Act as FlowAct, Script};
use hotline::switchboard::fact::{PriorityWhy, SeatIs};
use hotline::switchboard::request::{Asker, Disposed, Flag, Refusal, Reply, Request};
use hotline::switchboard::{Input, LATE_MAX, What, may_export};
use hotline::telemetry::shifts::{Shift, Shifts};
use hotline::time::Timestamp;

use crate::city::{City, millis, secs};
use crate::clerk::{Who, address};
use crate::desk::{Disk, has};
use crate::exchange::{Exchange, Temper};
use crate::house;
use crate::seed::{in_a_city, in_a_city_with};

const CALLER: &str = "13800000001";

fn reasons(plan: &mut Plan) {
    let reason = |digit, name: &str| AwayReason { digit, name: name.into(), most: None };
    plan.work.away = vec![reason('1', "lunch"), reason('2', "training")];
}

fn asker(name: &str, role: Role) -> Asker {
    let seat = name.bytes().all(|byte| byte.is_ascii_digit()).then(|| SeatId::from(name));
    Asker { name: name.into(), role, seat }
}

/// What a clerk of this seat asks, or a supervisor called so.
fn asks(city: &mut City, who: &str, request: Request) -> Result<Reply, Refusal> {
    let role = if who == "supervisor" { Role::Supervisor } else { Role::Clerk };
    let now = city.now();
    let reply = city.board.ask(&asker(who, role), request, now);
    city.dispatch();
    reply
}

/// Each word that seats hear by a code sounds like a word that the shipped house has.
fn words_sound(city: &mut City) {
    let known: BTreeMap<PromptId, _> = house::sounds().into_iter().collect();
    let like = [("ready", "survey_thanks"), ("away", "goodbye"), ("wrong_key", "survey_wrong")];
    let more = like.iter().map(|(word, like)| (PromptId::from(*word), known[&PromptId::from(*like)]));
    let plan = Arc::new(city.plan.clone());
    city.tell(Input::PlanChanged {
        accounts: house::accounts(&plan),
        trunk_passwords: house::words(&plan),
        sounds: house::sounds().into_iter().chain(more).collect(),
        plan,
    });
}

/// Dials a code and hears the word out.
fn says(city: &mut City, clerk: Who, code: &str) {
    city.dials(clerk, code);
    assert!(city.run_until(secs(20), |city| city.look_at(clerk).is_idle()), "{code}: it is hung up");
    city.run_for(millis(500));
}

fn is_away(city: &City, clerk: Who, reason: &str) -> bool {
    let said = AwayWhy::Said(reason.into());
    matches!(city.seat_state(clerk), SeatState::Away { why, .. } if why == said)
}

fn is_ready(city: &City, clerk: Who) -> bool {
    matches!(city.seat_state(clerk), SeatState::Ready { .. })
}

fn whats(city: &City, who: Who) -> Vec<What> {
    let call = city.record_of(who).call;
    city.store.facts[&call].iter().map(|fact| fact.what.clone()).collect()
}

fn prioritised(city: &City, who: Who) -> Vec<(i16, String)> {
    let points = |what: What| match what {
        What::Prioritised { priority, why } => Some((priority, String::from(why))),
        _ => None,
    };
    whats(city, who).into_iter().filter_map(points).collect()
}

fn talks(city: &mut City, caller: Who, clerk: Who) {
    let there = city.run_until(secs(60), |city| city.talks_to(caller) == Some(clerk));
    assert!(there, "{:?}", city.state_of(caller));
}

// ── Seats by telephone ───────────────────────────────────────────────────────────────────────────

#[test]
fn a_seat_says_by_telephone_what_it_is_and_that_is_nobodys_case() {
    in_a_city_with(reasons, |city| {
        words_sound(city);
        let clerk = city.seat("1001").answers_after(secs(1));
        for (code, reason, word) in [("*31", "lunch", "goodbye"), ("%2A32", "training", "goodbye")] {
            says(city, clerk, code);
            assert!(is_away(city, clerk, reason), "{code}: {:?}", city.seat_state(clerk));
            assert!(city.heard(clerk, word), "{code}");
            let waits = city.phone("13900000001").dials("12345");
            city.run_for(secs(15));
            assert_eq!(city.state_of(waits), Some("waiting"), "nobody is offered to who is away");
            city.hangs_up(waits);
            city.run_for(secs(2));
            says(city, clerk, "%2a30");
            assert!(is_ready(city, clerk) && city.heard(clerk, "survey_thanks"));
        }
        says(city, clerk, "*300");
        assert!(city.heard(clerk, "survey_wrong"), "there is nothing to wrap up");
        assert!(is_ready(city, clerk));
        for wrong in ["*33", "*3", "*3001", "*39%23"] {
            says(city, clerk, wrong);
            let refused = |event: &PhoneEvent| matches!(event, PhoneEvent::Refused { status: 404, .. });
            assert!(city.saw(clerk, refused), "{wrong}");
            city.telephone(clerk).events.clear();
            assert!(is_ready(city, clerk));
        }
        assert!(city.store.records().iter().all(|record| record.caller != "1001"), "it is no call's record");
        assert!(city.books.taken.iter().all(|event| !event.json.contains("*3")), "and no ticket's event");
        let said = |fact: &&hotline::switchboard::fact::SeatFact| fact.why.starts_with("said/");
        let by: Vec<_> = city.store.seats.iter().filter(said).map(|fact| fact.by.as_deref()).collect();
        assert_eq!(by, [Some("1001"); 2]);
    });
}

#[test]
fn a_clerk_who_comes_back_by_telephone_is_rung_only_when_the_telephone_is_free() {
    in_a_city_with(reasons, |city| {
        words_sound(city);
        let clerk = city.seat("1001").answers_after(secs(1));
        says(city, clerk, "*31");
        let caller = city.phone(CALLER).dials("12345");
        assert!(city.run_until(secs(10), |city| city.state_of(caller) == Some("waiting")));
        // The BYE that ends the code's call is lost: its telephone is busy until it comes again.
        let desk = city.address;
        city.net.loses("BYE", desk, 1);
        city.dials(clerk, "*30");
        talks(city, caller, clerk);
        city.hangs_up(caller);
        city.run_for(secs(3));
        assert_eq!(city.record_of(caller).offers, 1);
        // A case that needs longer.
        assert!(matches!(city.seat_state(clerk), SeatState::WrapUp { .. }));
        says(city, clerk, "*300");
        city.run_for(secs(60));
        assert!(matches!(city.seat_state(clerk), SeatState::WrapUp { .. }), "30 s and five minutes");
        city.run_for(secs(5 * 60));
        assert!(is_ready(city, clerk));
    });
}

#[test]
fn what_the_plan_or_the_seat_does_not_allow_is_refused_by_name() {
    let without_surges = |plan: &mut Plan| {
        reasons(plan);
        plan.queues.get_mut("main").expect("the shipped queue").rules.surge = None;
    };
    in_a_city_with(without_surges, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let change = |seat: &str, change| Request::Seat { seat: seat.into(), change };
        let away = |reason: &str| Change::Away { reason: reason.into() };
        for (who, request, wanted) in [
            ("1001", change("1002", Change::Ready), Refusal::NotAllowed),
            ("1001", change("1001", Change::ForceAway), Refusal::NotAllowed),
            ("1001", change("1001", away("fishing")), Refusal::NotInPlan("fishing".into())),
            ("supervisor", change("9999", Change::Ready), Refusal::NoSuchSeat),
            ("supervisor", change("1002", Change::Ready), Refusal::Seat(Unchanged::SignedOut)),
            ("1001", change("1001", Change::MoreWrapUp(secs(60))), Refusal::Seat(Unchanged::NoWrapUp)),
            ("supervisor", Request::Surge { queue: "none".into(), on: None }, Refusal::NoSuchQueue),
            (
                "supervisor",
                Request::Surge { queue: "main".into(), on: Some(true) },
                Refusal::NotInPlan("queue.main.surge".into()),
            ),
        ] {
            assert_eq!(asks(city, who, request.clone()), Err(wanted), "{request:?}");
        }
        assert_eq!(asks(city, "supervisor", change("1001", Change::ForceAway)), Ok(Reply::Done));
        let forced = SeatState::Away { since: city.mono, until: None, why: AwayWhy::Forced };
        assert_eq!(city.seat_state(clerk), forced);
        assert_eq!(asks(city, "1001", change("1001", Change::Ready)), Ok(Reply::Done));
        assert!(is_ready(city, clerk));
        city.run_for(secs(1));
        let last: Vec<_> = city.store.seats.iter().rev().take(2).collect();
        assert_eq!((last[0].state, last[0].by.as_deref()), (SeatIs::Ready, Some("1001")));
        let told = (last[1].state, last[1].why.as_str(), last[1].by.as_deref());
        assert_eq!(told, (SeatIs::Away, "forced", Some("supervisor")));
    });
}

#[test]
fn whoever_calls_in_a_surge_is_greeted_so_and_a_line_with_a_flow_greets_by_itself() {
    let in_flow = |plan: &mut Plan| {
        let acts = vec![FlowAct::Play("greeting".into())];
        plan.scripts.insert("main".into(), Arc::new(Script { id: "main".into(), acts }));
        plan.lines.get_mut("12336").expect("shipped").script = Some("main".into());
    };
    in_a_city_with(in_flow, |city| {
        city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").waits();
        for (surge, line, wanted) in [
            (false, "12345", "greeting"),
            (true, "12345", "surge_greeting"),
            (true, "12336", "greeting"),
            (false, "12345", "greeting"),
        ] {
            let request = Request::Surge { queue: "main".into(), on: Some(surge) };
            assert_eq!(asks(city, "supervisor", request), Ok(Reply::Done));
            city.dials(caller, line);
            city.run_for(secs(20));
            let call = city.call_of(caller).expect("it goes on");
            let facts = city.store.facts.get(&call).into_iter().flatten();
            let greeted = facts.filter_map(|fact| match &fact.what {
                What::Announced { prompt } if prompt.ends_with("greeting") => Some(prompt.as_str()),
                _ => None,
            });
            assert_eq!(greeted.collect::<Vec<_>>(), [wanted], "{surge} {line}");
            city.hangs_up(caller);
            city.run_for(secs(60));
        }
    });
}

fn shifts(city: &City, from: &str, to: &str) -> BTreeMap<SeatId, Shift> {
    let time = |text: &str| text.parse::<Timestamp>().expect("a time");
    let mut shifts = Shifts::new(time(from), time(to));
    city.store.seats.iter().for_each(|fact| shifts.apply(fact));
    shifts.finish(city.now().wall)
}

#[test]
fn what_a_seat_was_on_a_day_adds_up_to_how_long_it_was_there() {
    in_a_city_with(reasons, |city| {
        let clerk = city.seat("1001").answers_after(secs(2));
        city.seat("1002").never_answers();
        says(city, clerk, "*31");
        city.clock_jumps(3_600);
        city.run_for(secs(60));
        says(city, clerk, "*30");
        for n in 0..3 {
            let caller = city.phone(&format!("1380000010{n}")).dials("12345");
            city.run_for(secs(40 + n));
            city.hangs_up(caller);
            city.run_for(secs(7));
        }
        city.signs_out(clerk);
        city.run_for(secs(5));
        let day = shifts(city, "2021-08-31T16:00:00Z", "2021-09-01T16:00:00Z");
        for (seat, shift) in &day {
            let parts = [shift.ready_ms, shift.offered_ms, shift.talking_ms, shift.wrap_up_ms];
            let sum = parts.iter().sum::<u64>() + shift.away_all_ms();
            assert_eq!(sum, shift.signed_in_ms, "{seat}: {shift:?}");
        }
        let shift = &day["1001"];
        assert!((60_000..70_000).contains(&shift.away_ms["said/lunch"]), "{shift:?}");
        assert!(shift.signed_in_ms < 600_000, "the clock's jump is nobody's work: {shift:?}");
        let talked: u64 = city.store.records().iter().map(|record| record.talked_ms).sum();
        assert!(shift.talks > 0 && shift.talking_ms >= talked, "{shift:?}");
        assert!(day["1002"].talks == 0 && day["1002"].away_ms.contains_key("unanswered"), "{day:?}");
        // At the end of the house whoever is there is signed out.
        city.drains(secs(5));
        assert!(city.run_until(secs(30), |city| city.drained_at.is_some()));
        let last = city.store.seats.last().expect("a change");
        assert_eq!((last.seat.as_str(), last.state, &*last.why), ("1002", SeatIs::SignedOut, "stop"));
    });
}

// ── Callers ──────────────────────────────────────────────────────────────────────────────────────

fn lane(name: &str) -> Lane {
    Lane {
        name: name.into(),
        lines: Vec::new(),
        trunks: Vec::new(),
        callers: Default::default(),
        priority: 10,
        skills: Vec::new(),
        straight: false,
    }
}

#[test]
fn the_first_lane_that_fits_says_who_answers_and_whether_there_is_a_greeting() {
    let decided = |plan: &mut Plan| {
        plan.callers.lanes = vec![
            Lane {
                callers: ByCaller::among(&plan.city, ["13800000001"]),
                skills: vec![Known::some("dialect")],
                straight: true,
                ..lane("elderly")
            },
            Lane { lines: vec!["12333".into()], priority: 5, ..lane("enterprise") },
            Lane { trunks: vec!["carrier".into()], priority: -3, ..lane("anybody") },
        ];
        let seat = plan.seats.get_mut("1002").expect("a seat");
        seat.skills.push(Known::some("dialect"));
    };
    in_a_city_with(decided, |city| {
        let clerks = ["1001", "1002"].map(|seat| city.seat(seat).answers_after(secs(1)));
        let old = city.phone("+8613800000001").dials("12345");
        talks(city, old, clerks[1]);
        city.run_for(secs(1));
        assert!(!city.heard(old, "greeting"), "straight to a person");
        city.hangs_up(old);
        city.run_for(secs(3));
        assert_eq!(prioritised(city, old), [(10, "lane/elderly".into())]);
        for (line, wanted) in [("12333", (5, "lane/enterprise")), ("12345", (-3, "lane/anybody"))] {
            let caller = city.phone("13800000002").dials(line);
            city.run_for(secs(8));
            city.hangs_up(caller);
            city.run_for(secs(3));
            assert_eq!(prioritised(city, caller), [(wanted.0, wanted.1.to_owned())], "{line}");
            assert!(city.heard(caller, "greeting"));
        }
    });
}

#[test]
fn a_carriers_own_form_of_a_callers_number_is_put_into_ours_before_it_is_looked_for() {
    let decided = |plan: &mut Plan| {
        let when = Pattern::parse("9*").expect("a pattern");
        let rule = Rule { when, length: None, act: Act::Shape { strip: 1, add: String::new() } };
        let carrier = plan.trunks.get_mut("carrier").expect("a trunk");
        carrier.rewrite.caller_inward = Rules::new(vec![rule]);
        let callers = ByCaller::among(&plan.city, ["13800000001"]);
        plan.callers.lanes = vec![Lane { callers, ..lane("elderly") }];
    };
    in_a_city_with(decided, |city| {
        let caller = city.phone("913800000001").dials("12345");
        city.run_for(secs(8));
        city.hangs_up(caller);
        city.run_for(secs(3));
        let [record] = &city.store.records()[..] else { panic!("one call: {}", city.story()) };
        assert_eq!(record.caller, "13800000001");
        let lane = PriorityWhy::Lane("elderly".into());
        let found = |what: &What| *what == What::Prioritised { priority: 10, why: lane.clone() };
        assert!(has(&city.store.facts[&record.call], found), "{}", city.story());
    });
}

fn policy(plan: &mut Plan, act: CallerAct) {
    let policy = CallerPolicy {
        caller: CALLER.into(),
        act,
        reason: "每日重复".into(),
        approver: "科长".into(),
        until: "2021-09-01T02:00:00Z".parse().expect("a time"),
    };
    plan.callers.policies.insert(&plan.city, CALLER, policy);
}

#[test]
fn a_policy_is_in_force_to_the_last_moment_and_not_longer() {
    in_a_city_with(
        |plan| policy(plan, CallerAct::Behind(50)),
        |city| {
            let caller = city.phone(CALLER).waits();
            for (clock, wanted) in [
                ("2021-09-01T01:59:59.9Z", vec![(-50, "policy".to_owned())]),
                ("2021-09-01T02:00:00Z", vec![]),
            ] {
                city.clock_says(clock);
                city.dials(caller, "12345");
                city.run_for(secs(4));
                city.hangs_up(caller);
                city.run_for(secs(3));
                assert_eq!(prioritised(city, caller), wanted, "{clock}");
            }
        },
    );
}

#[test]
fn a_policy_may_send_a_caller_to_certain_clerks() {
    let decided = |plan: &mut Plan| {
        policy(plan, CallerAct::To(vec![Known { skill: "patience".into(), level: 5 }]));
        let patience = Known { skill: "patience".into(), level: 7 };
        plan.seats.get_mut("1003").expect("a seat").skills.push(patience);
    };
    in_a_city_with(decided, |city| {
        let clerks = ["1001", "1002", "1003"].map(|seat| city.seat(seat).answers_after(secs(1)));
        let caller = city.phone(CALLER).dials("12345");
        talks(city, caller, clerks[2]);
        city.hangs_up(caller);
    });
}

#[test]
fn a_confidential_callers_number_is_on_no_screen_and_in_no_event_and_in_the_record() {
    nobody_sees_who_calls("policy", |plan| policy(plan, CallerAct::Confidential));
}

#[test]
fn nobody_sees_who_calls_a_confidential_line() {
    nobody_sees_who_calls("line", |plan| {
        plan.lines.get_mut("12345").expect("a line").is_confidential = true;
    });
}

fn nobody_sees_who_calls(by: &str, decided: impl Fn(&mut Plan)) {
    in_a_city_with(decided, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone(CALLER).dials("12345");
        talks(city, caller, clerk);
        let shown = hotline::console::snapshot(&city.board, city.now()).to_string();
        assert!(!shown.contains("138"), "{shown}");
        let rung = |event: &PhoneEvent| match event {
            PhoneEvent::IncomingCall { from, headers, .. } => {
                from.contains(CALLER) || headers.iter().any(|(_, value)| value.contains(CALLER))
            }
            _ => false,
        };
        assert!(!city.saw(clerk, rung), "{:?}", city.look_at(clerk).events);
        city.hangs_up(caller);
        city.run_for(secs(3));
        assert!(city.books.taken.iter().all(|event| !event.json.contains(CALLER)));
        assert_eq!(city.record_of(caller).caller, CALLER);
        let flagged = What::Flagged { flag: Flag::Confidential, by: by.into() };
        assert!(whats(city, caller).contains(&flagged));
    });
}

#[test]
fn who_calls_again_too_soon_gets_a_word_and_a_ticket_and_a_person_by_the_urgent_key() {
    let decided = |plan: &mut Plan| {
        policy(plan, CallerAct::CoolDown(secs(600)));
        plan.callers.urgent_key = Some('9');
        plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(1));
    };
    in_a_city_with(decided, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone(CALLER).dials("12345");
        talks(city, caller, clerk);
        city.hangs_up(caller);
        city.run_for(secs(60));
        city.dials(caller, "12345");
        city.run_for(secs(1));
        assert!(city.run_until(secs(60), |city| city.call_of(caller).is_none()), "not put through");
        city.run_for(secs(1));
        let record = city.record_of(caller);
        assert_eq!((record.ticket_left.as_deref(), record.offers), (Some("cool_down"), 0));
        assert!(city.heard(caller, "ticket_number"));
        // The word was no conversation: the time runs from the last one with a clerk.
        city.run_for(secs(10));
        city.dials(caller, "12345");
        assert!(city.run_until(secs(30), |city| city.heard(caller, "ticket_number")));
        city.presses(caller, "9");
        talks(city, caller, clerk);
        city.hangs_up(caller);
        city.run_for(secs(3));
        assert_eq!(prioritised(city, caller), [(1_000, "urgent".into())]);
        // And when it is over.
        city.run_for(secs(600));
        city.dials(caller, "12345");
        talks(city, caller, clerk);
        city.hangs_up(caller);
    });
}

#[test]
fn who_says_that_it_is_urgent_is_served_before_others_though_the_queue_is_full() {
    let decided = |plan: &mut Plan| {
        plan.callers.urgent_key = Some('*');
        plan.queues.values_mut().for_each(|queue| (queue.length_max, queue.wrap_up) = (2, secs(2)));
    };
    in_a_city_with(decided, |city| {
        let clerk = city.seat("1001").talks_for(secs(30)).answers_after(secs(1));
        let talker = city.phone("13800000010").dials("12345");
        talks(city, talker, clerk);
        let waits = city.phone("13800000011").dials("12345");
        city.run_for(secs(1));
        let second = city.phone("13800000012").dials("12345");
        assert!(city.run_until(secs(10), |city| city.state_of(second) == Some("waiting")));
        let late = city.phone("13800000013").dials("12345");
        city.run_for(secs(2));
        city.presses(late, "*");
        city.run_for(millis(500));
        assert_eq!(city.state_of(late), Some("waiting"), "neither the greeting nor the bound");
        city.run_for(secs(1));
        city.presses(second, "*");
        // Of two to whom it is urgent the one who has waited longer is first.
        talks(city, second, clerk);
        talks(city, late, clerk);
        assert_eq!(city.state_of(waits), Some("waiting"));
        for caller in [talker, waits, second, late] {
            city.hangs_up(caller);
        }
        city.run_for(secs(5));
        for caller in [late, second] {
            assert_eq!(prioritised(city, caller), [(1_000, "urgent".into())]);
        }
    });
}

/// The first telephone of the city is an emergency center's.
fn center(plan: &mut Plan) {
    let trunk = plan.trunks.get_mut("emergency").expect("the shipped plan has it");
    trunk.sources = vec![IpNet { addr: address(0).ip(), prefix: 32 }];
    trunk.emergency_center = true;
    trunk.dialled_from = plan_default();
}

fn plan_default() -> Vec<hotline::routing::plan::DialledFrom> {
    vec![hotline::routing::plan::DialledFrom::RequestUri]
}

#[test]
fn an_emergency_center_is_first_in_line_whatever_is_full_and_its_incident_is_on_the_screen() {
    let decided = |plan: &mut Plan| {
        center(plan);
        plan.limits.calls_max = 4;
        plan.queues.values_mut().for_each(|queue| (queue.length_max, queue.wrap_up) = (3, secs(2)));
    };
    in_a_city_with(decided, |city| {
        let desk = city.phone("110").waits();
        let clerk = city.seat("1001").answers_after(secs(1));
        let talker = city.phone("13800000010").dials("12345");
        talks(city, talker, clerk);
        let crowd: Vec<Who> = (1..4).map(|n| city.phone(&format!("1380000002{n}")).dials("12345")).collect();
        assert!(city.run_until(secs(15), |city| city.state_of(crowd[2]) == Some("waiting")));
        let one_more = city.phone("13800000030").dials("12345");
        city.run_for(secs(1));
        let refused = |event: &PhoneEvent| matches!(event, PhoneEvent::Refused { status: 503, .. });
        assert!(city.saw(one_more, refused), "the house has its most calls");
        let hex: String = "110-20210901-07".bytes().map(|byte| format!("{byte:02x}")).collect();
        let uui = ("User-to-User".to_owned(), format!("{hex};encoding=hex;purpose=incident"));
        city.dials_with(desk, Dial { headers: vec![uui], ..Dial::to("12345") });
        city.run_for(secs(2));
        assert_eq!(city.state_of(desk), Some("waiting"), "at once, and not turned away");
        city.hangs_up(talker);
        talks(city, desk, clerk);
        assert!(!city.heard(desk, "greeting"));
        city.hangs_up(desk);
        for caller in crowd {
            city.hangs_up(caller);
        }
        city.run_for(secs(5));
        let incident = Some("110-20210901-07".to_owned());
        let told = What::FromCenter { center: "emergency".into(), incident, caller: "110".into() };
        assert!(whats(city, desk).contains(&told), "{:?}", whats(city, desk));
        assert_eq!(prioritised(city, desk), [(2_000, "emergency_center".into())]);
        let event = |kind: &str| {
            let call = city.record_of(desk).call;
            let mut taken = city.books.taken.iter();
            let event = taken.find(|event| event.event.call == call && event.kind.contains(kind));
            serde_json::from_str::<serde_json::Value>(&event.expect(kind).json).expect("JSON")
        };
        assert_eq!(event("from_center")["data"]["incident"], "110-20210901-07");
        let screen = &event("seat.offered")["data"]["history"][0];
        assert_eq!(screen, "emergency center emergency incident 110-20210901-07 caller 110");
    });
}

#[test]
fn whoever_called_before_is_known_before_the_ring_and_a_slow_disk_delays_nobody() {
    let decided = |plan: &mut Plan| {
        plan.callers.repeat_within = secs(3 * 86_400);
        plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(1));
    };
    in_a_city_with(decided, |city| {
        // Nobody is there: a ticket is left.
        let caller = city.phone(CALLER).dials("12345");
        city.run_for(secs(1));
        assert!(city.run_until(secs(80), |city| city.call_of(caller).is_none()));
        city.run_for(secs(1));
        let left = city.record_of(caller).ticket;
        let clerk = city.seat("1001").answers_after(secs(1));
        city.dials(caller, "12345");
        talks(city, caller, clerk);
        city.hangs_up(caller);
        city.run_for(secs(5));
        let tickets = vec![left.clone()];
        let known = |calls, seat: Option<&str>| What::Recognised {
            calls,
            seat: seat.map(SeatId::from),
            tickets: tickets.clone(),
        };
        assert!(whats(city, caller).contains(&known(1, None)), "{:?}", whats(city, caller));
        let line = format!("open ticket {left}");
        let screen =
            |what: &What| matches!(what, What::SeatOffered { history, .. } if history.contains(&line));
        assert!(whats(city, caller).iter().any(screen));
        city.dials(caller, "12345");
        talks(city, caller, clerk);
        city.hangs_up(caller);
        city.run_for(secs(5));
        assert!(whats(city, caller).contains(&known(2, Some("1001"))), "who talked with the caller last");
        // A reader that takes its time.
        city.store.look_up = secs(20);
        city.disk_is(Disk::Takes(millis(3)));
        city.dials(caller, "12345");
        assert!(city.run_until(secs(10), |city| city.talks_to(caller) == Some(clerk)), "nobody waits for it");
        city.hangs_up(caller);
        city.run_for(secs(25));
        assert!(!whats(city, caller).iter().any(|what| matches!(what, What::Recognised { .. })));
        // Beyond the time nobody is known.
        city.store.look_up = millis(2);
        city.clock_jumps(4 * 86_400);
        city.dials(caller, "12345");
        talks(city, caller, clerk);
        city.hangs_up(caller);
        city.run_for(secs(5));
        assert!(!whats(city, caller).iter().any(|what| matches!(what, What::Recognised { .. })));
    });
}

#[test]
fn a_lane_goes_before_who_came_sooner_and_a_policy_behind_who_came_later() {
    let decided = |plan: &mut Plan| {
        policy(plan, CallerAct::Behind(5));
        plan.callers.lanes = vec![Lane { lines: vec!["12333".into()], ..lane("enterprise") }];
        plan.queues.values_mut().for_each(|queue| queue.wrap_up = secs(1));
    };
    in_a_city_with(decided, |city| {
        let clerk = city.seat("1001").talks_for(secs(15)).answers_after(secs(1));
        let talker = city.phone("13800000010").dials("12345");
        talks(city, talker, clerk);
        let dialled = [(CALLER, "12345"), ("13800000012", "12345"), ("13800000013", "12333")];
        let callers = dialled.map(|(number, line)| {
            let caller = city.phone(number).dials(line);
            city.run_for(millis(500));
            caller
        });
        for caller in [callers[2], callers[1], callers[0]] {
            talks(city, caller, clerk);
        }
        city.hangs_up(callers[0]);
        for caller in [talker, callers[1], callers[2]] {
            city.hangs_up(caller);
        }
    });
}

#[test]
fn who_calls_again_gets_the_clerk_who_knows_the_matter() {
    let decided = |plan: &mut Plan| {
        plan.callers.repeat_within = secs(86_400);
        plan.queues.values_mut().for_each(|queue| {
            queue.wrap_up = secs(1);
            queue.rules.sticky_wait = Some(secs(60));
        });
    };
    in_a_city_with(decided, |city| {
        let clerks = ["1001", "1002", "1003"].map(|seat| city.seat(seat).answers_after(secs(1)));
        let caller = city.phone(CALLER).dials("12345");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller).is_some()));
        let known = city.talks_to(caller).expect("a clerk");
        city.hangs_up(caller);
        for n in 0..3 {
            // The others have been idle longer by then, whatever the strategy.
            let other = city.phone(&format!("1390000000{n}")).dials("12345");
            assert!(city.run_until(secs(30), |city| city.talks_to(other).is_some()));
            city.hangs_up(other);
            city.run_for(secs(3));
            city.dials(caller, "12345");
            talks(city, caller, known);
            city.hangs_up(caller);
            city.run_for(secs(3));
        }
        assert!(clerks.contains(&known));
    });
}

// ── Cases ────────────────────────────────────────────────────────────────────────────────────────

fn codes(plan: &mut Plan) {
    let code = |code: &str| Code { code: code.into(), name: code.into() };
    plan.disposition.fields = vec![code("public_services")];
    plan.disposition.types = vec![code("consultation"), code("complaint")];
    plan.disposition.not_accepted = vec![code("litigation")];
    plan.disposition.unsurveyed = vec![code("complaint")];
}

fn about(kind: &str) -> Disposed {
    Disposed { field: Some("public_services".into()), kind: Some(kind.into()), ..Disposed::default() }
}

fn disposes(call: CallId, disposed: Disposed) -> Request {
    Request::Dispose { call, disposed }
}

#[test]
fn what_a_call_was_about_is_kept_by_its_clerk_in_the_call_and_behind_it() {
    in_a_city_with(codes, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        city.seat("1002").never_answers();
        let caller = city.phone(CALLER).dials("12345");
        city.run_for(secs(2));
        let call = city.call_of(caller).expect("a call");
        let asked = asks(city, "1001", disposes(call, about("consultation")));
        assert_eq!(asked, Err(Refusal::NotAllowed), "nobody's yet");
        talks(city, caller, clerk);
        for (who, disposed, wanted) in [
            ("1001", about("consultation"), Ok(Reply::Done)),
            ("1002", about("consultation"), Err(Refusal::NotAllowed)),
            ("1001", about("gossip"), Err(Refusal::NotInPlan("gossip".into()))),
            ("supervisor", Disposed { secret: true, ..about("consultation") }, Ok(Reply::Done)),
        ] {
            assert_eq!(asks(city, who, disposes(call, disposed.clone())), wanted, "{disposed:?}");
        }
        city.run_for(secs(1));
        let facts = city.store.facts[&call].clone();
        assert!(may_export(Role::Admin, facts.iter()) && !may_export(Role::Supervisor, facts.iter()));
        city.run_for(secs(6));
        city.hangs_up(clerk);
        city.run_for(secs(1));
        assert_eq!(city.state_of(caller), Some("survey"));
        city.hangs_up(caller);
        city.run_for(secs(5));
        let late = Disposed { not_accepted: Some("litigation".into()), ..Disposed::default() };
        assert_eq!(asks(city, "1001", disposes(call, late.clone())), Ok(Reply::Done), "in the wrap-up");
        city.run_for(LATE_MAX - secs(10));
        assert_eq!(asks(city, "1001", disposes(call, late.clone())), Ok(Reply::Done));
        city.run_for(secs(10));
        assert_eq!(asks(city, "1001", disposes(call, late)), Err(Refusal::NoSuchCall), "too late");
        let facts = &city.store.facts[&call];
        let said: Vec<_> = facts
            .iter()
            .filter_map(|fact| match &fact.what {
                What::Disposed(disposed) => Some((disposed.by.as_str(), disposed.not_accepted.is_some())),
                _ => None,
            })
            .collect();
        assert_eq!(said, [("1001", false), ("supervisor", false), ("1001", true), ("1001", true)]);
        assert!(may_export(Role::Supervisor, facts.iter()), "the last word counts");
        assert!(has(facts, |what| matches!(what, What::Recorded { .. })));
    });
}

#[test]
fn a_matter_in_which_satisfaction_is_not_chased_is_not_surveyed() {
    in_a_city_with(codes, |city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone(CALLER).dials("12345");
        talks(city, caller, clerk);
        let call = city.call_of(caller).expect("a call");
        assert_eq!(asks(city, "1001", disposes(call, about("complaint"))), Ok(Reply::Done));
        city.run_for(secs(6));
        city.hangs_up(clerk);
        city.run_for(secs(3));
        assert_eq!(city.call_of(caller), None, "goodbye, and no question");
        assert!(!city.heard(caller, "survey"));
        let by = What::Disposed(Disposed { unsurveyed: true, by: "1001".into(), ..about("complaint") });
        assert!(whats(city, caller).contains(&by));
    });
}

#[test]
fn a_clerk_who_was_abused_rests_after_the_call() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone(CALLER).dials("12345");
        talks(city, caller, clerk);
        let call = city.call_of(caller).expect("a call");
        let flag = |flag| Request::Flag { call, flag };
        assert_eq!(asks(city, "1001", flag(Flag::Abusive)), Ok(Reply::Done));
        assert!(matches!(city.seat_state(clerk), SeatState::Talking { .. }), "the call goes on");
        city.hangs_up(caller);
        city.run_for(secs(2));
        let rests = |city: &City| {
            matches!(city.seat_state(clerk), SeatState::Away { why: AwayWhy::Rest, until: Some(_), .. })
        };
        assert!(rests(city), "{:?}", city.seat_state(clerk));
        let next = city.phone("13800000002").dials("12345");
        city.run_for(secs(15));
        assert_eq!(city.state_of(next), Some("waiting"));
        city.hangs_up(next);
        city.run_for(secs(5 * 60));
        assert!(is_ready(city, clerk), "five minutes later");
        // Said of a call that is over, and of one that nobody knows.
        assert_eq!(asks(city, "1001", flag(Flag::Abusive)), Ok(Reply::Done));
        assert!(rests(city));
        let nobody = CallId::draw(1, &mut city.dice.split());
        let unknown = Request::Flag { call: nobody, flag: Flag::Urgent };
        assert_eq!(asks(city, "supervisor", unknown), Err(Refusal::NoSuchCall));
        city.run_for(secs(1));
        let flagged = What::Flagged { flag: Flag::Abusive, by: "1001".into() };
        assert_eq!(whats(city, caller).iter().filter(|what| **what == flagged).count(), 2);
    });
}

#[test]
fn a_caller_who_is_flagged_as_urgent_is_served_before_others() {
    in_a_city(|city| {
        let clerk = city.seat("1001").talks_for(secs(20)).answers_after(secs(1));
        let callers = ["13800000001", "13800000002", "13800000003"].map(|number| {
            let caller = city.phone(number).dials("12345");
            city.run_for(secs(1));
            caller
        });
        talks(city, callers[0], clerk);
        assert!(city.run_until(secs(10), |city| city.state_of(callers[2]) == Some("waiting")));
        let call = city.call_of(callers[2]).expect("a call");
        for _ in 0..2 {
            let urgent = Request::Flag { call, flag: Flag::Urgent };
            assert_eq!(asks(city, "supervisor", urgent), Ok(Reply::Done));
        }
        talks(city, callers[2], clerk);
        for caller in callers {
            city.hangs_up(caller);
        }
        city.run_for(secs(3));
        assert_eq!(prioritised(city, callers[2]), [(1_000, "urgent".into())], "once");
    });
}

// ── Drills ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_drill_rings_no_real_line_though_whoever_answers_it_sends_the_call_on_to_one() {
    for drill in [true, false] {
        let decided = |plan: &mut Plan| {
            let target = |plan: &mut Plan, trunk: &str, place| {
                let trunk = plan.trunks.get_mut(trunk).expect("the shipped plan has it");
                trunk.targets = vec![address(place).into()];
            };
            target(plan, "emergency", 0);
            target(plan, "carrier", 1);
            plan.trunks.get_mut(&TrunkId::from("carrier")).expect("a trunk").probe = None;
            plan.emergency.values_mut().for_each(|peer| peer.drill = drill);
        };
        in_a_city_with(decided, |city| {
            let exercise = city.phone("110").waits();
            city.exchanges.insert(exercise.0, Exchange::default());
            city.way_is(exercise, Temper::SendsTo(address(1)));
            let police = city.phone("110").waits();
            city.telephone(police).phone.set_answers(Answers::After(secs(1)));
            let clerk = city.seat("1001").answers_after(secs(1));
            let caller = city.phone(CALLER).dials("12345");
            talks(city, caller, clerk);
            city.run_for(secs(5));
            city.order(clerk, |phone, now| phone.refer("110", now)).expect("it talks");
            city.run_for(secs(8));
            let rang = city.saw(police, |event| matches!(event, PhoneEvent::IncomingCall { .. }));
            assert_eq!(rang, !drill);
            if drill {
                assert_eq!(city.talks_to(caller), Some(clerk), "they are given back to one another");
            }
            city.hangs_up(caller);
            city.run_for(secs(3));
        });
    }
}
