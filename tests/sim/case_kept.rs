//! Callers who would rather be called back than wait: the place goes on without them.

use std::sync::Arc;

use hotline::acd::event::SeatState;
use hotline::id::{CallId, LegId};
use hotline::media;
use hotline::phone::{Answers, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::callers::{ByCaller, CallerAct, CallerPolicy, Lane};
use hotline::routing::queueing::{CallbackOffer, Surge};
use hotline::switchboard::fact::{CallbackOutcome, Cause, Fact, OutwardPurpose};
use hotline::switchboard::{Input, Output, StoreJob, Switchboard, What};

use crate::case_outward::{calls_out, far_end};
use crate::city::{City, millis, secs};
use crate::clerk::Who;
use crate::desk::{Disk, has};
use crate::house;
use crate::seed::in_a_city_with;

pub fn keeps_places(plan: &mut Plan) {
    calls_out(plan);
    plan.missed.enabled = true;
    let queue = plan.queues.get_mut("main").expect("the shipped queue");
    queue.no_seat_wait = secs(280);
    queue.rules.callback =
        Some(CallbackOffer { after: secs(5), key: '1', tries: 2, again_after: secs(60), keep: secs(1_800) });
}

/// The words of the offer, until they are recorded: any others will do here.
fn has_words(city: &mut City) {
    let mut sounds = house::sounds();
    let words = sounds.iter().find(|(id, _)| id.as_str() == "queue_hold_on").expect("shipped").1;
    sounds.extend(["callback_offer", "callback_kept"].map(|id| (id.into(), words)));
    let plan = Arc::new(city.plan.clone());
    let (accounts, trunk_passwords) = (house::accounts(&plan), house::words(&plan));
    city.tell(Input::PlanChanged { plan, accounts, trunk_passwords, sounds });
}

/// Waits, hears the offer, takes it, and is let go.
pub fn keeps(city: &mut City, citizen: Who) {
    has_words(city);
    city.dials(citizen, "12345");
    assert!(city.run_until(secs(30), |city| city.state_of(citizen) == Some("waiting")));
    city.run_for(secs(7));
    city.presses(citizen, "1");
    assert!(city.run_until(secs(10), |city| city.look_at(citizen).is_idle()));
    city.run_for(secs(1));
    assert_eq!((city.board.places_kept(), city.board.calls().len()), (1, 0));
    let record = city.record_of(citizen);
    assert_eq!((record.cause, record.ticket_left), (Some(Cause::Completed), None));
    let kept = |what: &What| matches!(what, What::CallbackKept { ahead: 0, .. });
    assert!(has(&city.store.facts[&record.call], kept));
    assert!(city.board.missed().is_empty());
}

/// Facts of the calls back, oldest first.
fn callbacks(city: &City) -> Vec<&Vec<Fact>> {
    let back = |facts: &&Vec<Fact>| {
        has(facts, |what| matches!(what, What::Outward { purpose: OutwardPurpose::Callback, .. }))
    };
    city.store.facts.values().filter(back).collect()
}

#[test]
fn who_comes_in_a_surge_is_asked_at_once() {
    let decided = |plan: &mut Plan| {
        keeps_places(plan);
        let rules = &mut plan.queues.get_mut("main").expect("the shipped queue").rules;
        rules.callback.as_mut().expect("places are kept").after = secs(200);
        rules.surge = Some(Surge { from: 1, until: 0, greeting: None, roles: Vec::new(), callback: true });
    };
    in_a_city_with(decided, |city| {
        let citizen = far_end(city, Answers::After(secs(2)));
        keeps(city, citizen);
    });
}

#[test]
fn a_place_is_kept_and_when_it_is_due_the_seat_rings_first_and_then_the_citizen() {
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(2)));
        keeps(city, citizen);
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(10), |city| city.hears(clerk, citizen) && city.hears(citizen, clerk)));
        assert!(matches!(city.seat_state(clerk), SeatState::Talking { .. }));
        let screen = city.books.taken.iter().rev().find(|event| event.kind.contains("offered"));
        let screen = screen.expect("the seat's screen");
        assert!(screen.json.contains(r#""caller":"13800000000""#), "{}", screen.json);
        assert_eq!(city.board.places_kept(), 0);
        city.hangs_up(clerk);
        city.run_for(secs(2));
        assert!(matches!(city.seat_state(clerk), SeatState::WrapUp { .. }), "a caller like others");
        let back = callbacks(city)[0];
        for wanted in [
            |what: &What| matches!(what, What::SeatAnswered { .. }),
            |what: &What| matches!(what, What::SeatLeft { talked_ms: 1.., .. }),
            |what: &What| matches!(what, What::CallbackSettled { outcome: CallbackOutcome::Answered }),
        ] {
            assert!(has(back, wanted), "{back:?}");
        }
    });
}

#[test]
fn a_seat_that_does_not_pick_up_leaves_the_place_to_the_next() {
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        keeps(city, citizen);
        let one = city.seat("1001").rejects();
        city.run_for(secs(2));
        assert!(matches!(city.seat_state(one), SeatState::Away { .. }));
        assert_eq!(city.board.places_kept(), 1);
        let silent = city.seat("1002").never_answers();
        city.run_for(secs(24));
        assert!(city.look_at(silent).is_idle() && city.board.places_kept() == 1);
        let other = city.seat("1003").answers_after(secs(1));
        assert!(city.run_until(secs(10), |city| city.hears(other, citizen)));
        city.hangs_up(citizen);
        city.run_for(secs(3));
        assert_eq!(callbacks(city).len(), 3);
        let rang = city.look_at(citizen).events.iter();
        let rang = rang.filter(|(_, event)| matches!(event, PhoneEvent::IncomingCall { .. })).count();
        assert_eq!(rang, 1, "the citizen was rung once");
    });
}

#[test]
fn a_citizen_who_does_not_answer_is_tried_again_and_then_given_up() {
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::Busy);
        keeps(city, citizen);
        let clerk = city.seat("1001").answers_after(secs(1));
        city.run_for(secs(12));
        assert_eq!((callbacks(city).len(), city.board.places_kept()), (1, 1));
        assert!(city.look_at(clerk).is_idle());
        city.run_for(secs(80));
        assert_eq!((callbacks(city).len(), city.board.places_kept()), (2, 0));
        let given_up =
            |what: &What| matches!(what, What::CallbackSettled { outcome: CallbackOutcome::Unanswered });
        assert!(has(callbacks(city)[1], given_up) && !has(callbacks(city)[0], given_up));
    });
}

#[test]
fn who_calls_again_and_is_answered_needs_no_call_back() {
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        keeps(city, citizen);
        city.dials(citizen, "12345");
        city.run_for(secs(1));
        // The place is due while the citizen is on the line: busy, and tried again later.
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(60), |city| city.talks_to(citizen) == Some(clerk)));
        city.run_for(secs(2));
        assert_eq!(city.board.places_kept(), 0);
        city.hangs_up(citizen);
        city.run_for(secs(150));
        let rang = city.saw(citizen, |event| matches!(event, PhoneEvent::IncomingCall { .. }));
        assert!(!rang, "not by us");
    });
}

#[test]
fn a_place_that_the_queue_sends_on_is_owed_a_call_by_the_clerks() {
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        keeps(city, citizen);
        city.run_for(secs(1_790));
        assert_eq!(city.board.places_kept(), 1, "as long as the queue keeps it");
        city.run_for(secs(60));
        assert_eq!(city.board.places_kept(), 0);
        let listed = city.board.missed();
        assert_eq!((listed.len(), listed[0].number.as_str()), (1, "13800000000"));
        assert_eq!(listed[0].call, city.record_of(citizen).call);
    });
}

#[test]
fn a_key_pressed_just_as_a_seat_is_about_to_ring_keeps_the_place_and_the_seat_calls_back() {
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        has_words(city);
        // Its screen is not on disk yet: the telephone does not ring.
        city.disk_is(Disk::Takes(millis(60)));
        city.dials(citizen, "12345");
        assert!(city.run_until(secs(30), |city| city.state_of(citizen) == Some("waiting")));
        city.run_for(secs(7));
        let waited = city.call_of(citizen).expect("it waits");
        let clerk = city.seat("1001").answers_after(secs(1));
        let offered = |state| matches!(state, SeatState::Offered { call, .. } if call == waited);
        assert!(city.run_until(secs(2), |city| offered(city.seat_state(clerk))));
        city.tell(Input::Sound(media::Fact::Digit { leg: LegId::caller(waited), digit: '1' }));
        assert_eq!(city.board.places_kept(), 1);
        // The clerk is through sooner than the caller's words: busy, and called again.
        assert!(city.run_until(secs(120), |city| city.hears(clerk, citizen)));
        assert_eq!(city.board.places_kept(), 0);
        city.hangs_up(clerk);
        city.run_for(secs(3));
        let told = &city.store.facts[&waited];
        let offers = told.iter().filter(|fact| matches!(fact.what, What::SeatOffered { .. })).count();
        let ended = told.iter().filter(|fact| matches!(fact.what, What::OfferEnded { .. })).count();
        assert_eq!((offers, ended), (1, 1), "one end for each offer: {told:?}");
    });
}

#[test]
fn who_wants_to_be_known_to_nobody_is_called_back_without_a_number_on_any_screen() {
    let decided = |plan: &mut Plan| {
        keeps_places(plan);
        let confidential = CallerPolicy {
            caller: "13800000000".into(),
            act: CallerAct::Confidential,
            reason: "本人要求".into(),
            approver: "科长".into(),
            until: "2099-01-01T00:00:00Z".parse().expect("a time"),
        };
        plan.callers.policies.insert(&plan.city, "13800000000", confidential);
    };
    in_a_city_with(decided, |city| {
        let citizen = far_end(city, Answers::After(secs(2)));
        keeps(city, citizen);
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(10), |city| city.hears(clerk, citizen)));
        let shown = |event: &PhoneEvent| match event {
            PhoneEvent::IncomingCall { from, .. } => from.contains("13800000000"),
            _ => false,
        };
        assert!(!city.saw(clerk, shown), "{:?}", city.look_at(clerk).events);
        let board = hotline::console::snapshot(&city.board, city.now()).to_string();
        assert!(!board.contains("138"), "{board}");
        city.hangs_up(clerk);
        city.run_for(secs(3));
        let told = city.books.taken.iter().find(|event| event.json.contains("13800000000"));
        assert!(told.is_none(), "{told:?}");
        assert!(has(
            callbacks(city)[0],
            |what| matches!(what, What::Outward { number, .. } if number == "13800000000")
        ));
    });
}

#[test]
fn a_place_in_a_queue_that_a_reload_removes_is_kept_by_another_or_by_its_seats_or_owed() {
    let other = |plan: &mut Plan| {
        let mut queue = plan.queues.remove("main").expect("the shipped queue");
        queue.id = "other".into();
        plan.queues.insert("other".into(), queue);
        plan.seats.values_mut().for_each(|seat| seat.queues = vec!["other".into()]);
    };
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        keeps(city, citizen);
        city.reloads(other);
        assert_eq!(city.board.places_kept(), 1);
        let queues = city.board.acd().queues(city.now().mono);
        let kept: Vec<_> = queues.iter().map(|view| (view.queue.as_str(), view.kept)).collect();
        assert_eq!(kept, [("other", 1)]);
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(10), |city| city.hears(clerk, citizen)));
        city.hangs_up(clerk);
        city.run_for(secs(2));
    });
    // No queue keeps places any more: who served it keeps the promise.
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        keeps(city, citizen);
        city.reloads(|plan| {
            other(plan);
            plan.queues.values_mut().for_each(|queue| queue.rules.callback = None);
        });
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(10), |city| city.hears(clerk, citizen)));
        city.hangs_up(clerk);
        city.run_for(secs(2));
        assert!(city.board.missed().is_empty());
    });
    // And nobody does: owed a call by the clerks, at once.
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        keeps(city, citizen);
        city.reloads(|plan| {
            other(plan);
            plan.queues.values_mut().for_each(|queue| queue.rules.callback = None);
            plan.seats.clear();
        });
        assert_eq!((city.board.places_kept(), city.board.missed().len()), (0, 1));
    });
}

/// Another house that was told what its predecessor wrote.
fn opened_again(city: &mut City, decided: impl Fn(&mut Plan)) -> Switchboard {
    let mut facts: Vec<Fact> = city.store.facts.values().flatten().cloned().collect();
    facts.sort_by_key(|fact| (fact.at, fact.call, fact.sequence));
    let (dice, now) = (city.dice.split(), city.now());
    let mut plan = city.plan.clone();
    decided(&mut plan);
    let mut board = house::open(plan, city.address, dice, now);
    board.handle_input(Input::RestoreKept { facts: facts.clone() }, now);
    board.handle_input(Input::RestoreMissed { facts }, now);
    board.check().expect("everything is as it must be");
    board
}

/// Whether the house has written that a place is kept no more.
fn gives_up(board: &mut Switchboard, call: CallId) -> bool {
    let expired = What::CallbackSettled { outcome: CallbackOutcome::Expired };
    let is_told = |job: &StoreJob| match job {
        StoreJob::Fact { fact, .. } => fact.call == call && fact.what == expired,
        _ => false,
    };
    let mut outputs = std::iter::from_fn(|| board.poll_output());
    outputs.any(|output| matches!(output, Output::Store { jobs, .. } if jobs.iter().any(is_told)))
}

#[test]
fn a_place_outlives_a_restart_and_is_on_no_list_meanwhile() {
    for listed in [false, true] {
        let decided = move |plan: &mut Plan| {
            keeps_places(plan);
            plan.missed.enabled = listed;
        };
        in_a_city_with(decided, |city| {
            let citizen = far_end(city, Answers::After(secs(1)));
            keeps(city, citizen);
            let call = city.record_of(citizen).call;
            let mut again = opened_again(city, |_| {});
            assert_eq!((again.places_kept(), again.missed().len()), (1, 0));
            assert!(again.acd().is_kept(call) && again.acd().position(call) == Some(1));
            // As long as it was kept before: half an hour from the key on.
            let mut now = city.now();
            now.mono += secs(1_780);
            again.handle_timeout(now);
            assert_eq!(again.places_kept(), 1);
            now.mono += secs(30);
            now.wall += jiff::SignedDuration::from_secs(1_810);
            again.handle_timeout(now);
            assert_eq!((again.places_kept(), again.missed().len()), (0, usize::from(listed)));
            assert!(gives_up(&mut again, call), "and that is told");
        });
    }
}

#[test]
fn after_a_restart_a_place_is_where_there_are_places_and_who_was_reached_has_none() {
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::Busy);
        keeps(city, citizen);
        let call = city.record_of(citizen).call;
        // The queue keeps none any more, and another does: there the caller is first.
        let moved = |plan: &mut Plan| {
            let main = plan.queues.get_mut("main").expect("the shipped queue");
            let rules = main.rules.callback.take();
            let mut other = main.clone();
            (other.id, other.rules.callback) = ("other".into(), rules);
            plan.queues.insert("other".into(), other);
        };
        let board = opened_again(city, moved);
        let queues = board.acd().queues(city.now().mono);
        let kept = |id: &str| queues.iter().find(|view| view.queue.as_str() == id).map(|view| view.kept);
        assert_eq!((kept("main"), kept("other")), (Some(0), Some(1)));
        // None does: its caller is owed a call by the clerks.
        let nowhere = |plan: &mut Plan| {
            plan.queues.values_mut().for_each(|queue| queue.rules.callback = None);
        };
        let mut board = opened_again(city, nowhere);
        assert_eq!((board.places_kept(), board.missed().len()), (0, 1));
        assert_eq!(board.missed()[0].call, call);
        assert!(gives_up(&mut board, call), "and the record of the call says so");
        // A try in vain counts; after the second the place is given up for good.
        let clerk = city.seat("1001").answers_after(secs(1));
        city.run_for(secs(12));
        assert_eq!((callbacks(city).len(), city.board.places_kept()), (1, 1));
        assert_eq!(opened_again(city, |_| {}).places_kept(), 1);
        city.run_for(secs(80));
        assert_eq!(opened_again(city, |_| {}).places_kept(), 0);
        city.signs_out(clerk);
    });
    in_a_city_with(keeps_places, |city| {
        let citizen = far_end(city, Answers::After(secs(1)));
        keeps(city, citizen);
        let clerk = city.seat("1001").answers_after(secs(1));
        assert!(city.run_until(secs(10), |city| city.hears(clerk, citizen)));
        city.run_for(secs(1));
        assert_eq!(opened_again(city, |_| {}).places_kept(), 0, "reached");
        city.hangs_up(citizen);
        city.run_for(secs(2));
    });
}

#[test]
fn after_a_restart_each_of_several_places_is_where_it_was() {
    let with_a_lane = |plan: &mut Plan| {
        keeps_places(plan);
        plan.callers.lanes.push(Lane {
            name: "老年人".into(),
            lines: Vec::new(),
            trunks: Vec::new(),
            callers: ByCaller::among(&plan.city, ["13800000002"]),
            priority: 50,
            skills: Vec::new(),
            straight: false,
        });
    };
    in_a_city_with(with_a_lane, |city| {
        has_words(city);
        let callers = ["13800000001", "13800000002", "13800000003"].map(|number| city.phone(number).waits());
        for caller in callers {
            city.dials(caller, "12345");
            assert!(city.run_until(secs(30), |city| city.state_of(caller) == Some("waiting")));
            city.run_for(secs(7));
            city.presses(caller, "1");
            assert!(city.run_until(secs(10), |city| city.look_at(caller).is_idle()));
            city.run_for(secs(1));
        }
        let calls = callers.map(|caller| city.record_of(caller).call);
        let places = |board: &hotline::switchboard::Switchboard| calls.map(|call| board.acd().position(call));
        // The lane's caller came second, and is first.
        assert_eq!(places(&city.board), [Some(2), Some(1), Some(3)]);
        assert_eq!(places(&opened_again(city, |_| {})), [Some(2), Some(1), Some(3)]);
    });
}
