//! Clerks ask a third party in, on real telephones' terms: by key codes, with whatever codecs, and with
//! everything that can go wrong over there. Who hears whom is heard, by everybody's own tone.

use std::net::SocketAddr;
use std::time::Duration;

use hotline::acd::event::SeatState;
use hotline::call::Wish;
use hotline::phone::{Answers, Codec, Phone, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::people::Role;
use hotline::routing::plan::Peer;
use hotline::switchboard::What;
use hotline::switchboard::request::{Asker, Refusal, Reply, Request};

use crate::city::{City, secs};
use crate::clerk::Who;
use crate::desk::has;
use crate::seed::in_a_city_with;

/// The tax office is at the first telephone of the city, the fire brigade at the second; and `*1`, `*2`
/// ask them.
pub fn they_are_there(plan: &mut Plan) {
    for (trunk, place) in [("sub-12366", 1), ("emergency", 2)] {
        let trunk = plan.trunks.get_mut(trunk).expect("the shipped plan has it");
        trunk.targets = vec![SocketAddr::from(([127, 1, 0, place], 5060)).into()];
    }
    let keys = [('1', "119"), ('2', "12366")].map(|(key, to)| (key, to.to_owned()));
    plan.three_way.keys = keys.into_iter().collect();
}

/// Everybody of one call.
#[derive(Clone, Copy)]
struct Three {
    caller: Who,
    clerk: Who,
    taxes: Who,
    fire: Who,
}

fn speaks(city: &mut City, who: Who, codecs: &[Codec]) {
    let mut config = city.look_at(who).phone.config().clone();
    config.codecs = codecs.to_vec();
    let dice = city.dice.split();
    city.telephone(who).phone = Phone::new(config, dice);
}

/// Caller and clerk talk; the two centers pick up after so long.
fn talking_in(city: &mut City, codecs: [&[Codec]; 3], picks_up: Answers) -> Three {
    let taxes = city.phone("12366").waits();
    let fire = city.phone("119").waits();
    let clerk = city.seat("1001").never_answers();
    let caller = city.phone("13800000001").waits();
    for (who, codecs) in [(caller, codecs[0]), (clerk, codecs[1]), (taxes, codecs[2]), (fire, codecs[2])] {
        speaks(city, who, codecs);
    }
    for center in [taxes, fire] {
        city.telephone(center).phone.set_answers(picks_up);
    }
    city.telephone(clerk).phone.set_answers(Answers::After(secs(1)));
    city.signs_in(clerk);
    city.dials(caller, "12345");
    assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
    city.run_for(secs(5));
    let three = Three { caller, clerk, taxes, fire };
    hear(city, "at first", &[caller, clerk], &three);
    three
}

fn talking(city: &mut City) -> Three {
    talking_in(city, [&[Codec::Pcma]; 3], Answers::After(secs(2)))
}

/// These hear one another, and nobody else hears any of them or is heard.
fn hear(city: &mut City, what: &str, together: &[Who], three: &Three) {
    let all = [three.caller, three.clerk, three.taxes, three.fire];
    let before = all.map(|who| city.look_at(who).phone.heard().len());
    city.run_for(Duration::from_millis(500));
    let name = |who: Who| &city.look_at(who).user;
    for (one, before) in all.into_iter().zip(before) {
        // Half a second of sound, but for what is lost to the ends of packets; or nothing comes at all.
        let comes = city.look_at(one).phone.heard().len() > before + 3_000;
        for other in all.into_iter().filter(|other| *other != one && !city.look_at(one).is_idle()) {
            let wanted = together.contains(&one) && together.contains(&other);
            let hears = comes && city.hears(one, other);
            assert_eq!(hears, wanted, "{what}: whether {} hears {}", name(one), name(other));
        }
    }
}

/// Presses a code, and gives it the time that it takes.
fn presses(city: &mut City, who: Who, keys: &'static str) {
    city.presses(who, keys);
    city.run_for(Duration::from_millis(400) * u32::try_from(keys.len()).expect("a few"));
}

fn steps(city: &City, caller: Who) -> Vec<String> {
    let facts = &city.store.facts[&city.record_of(caller).call];
    let step = facts.iter().filter_map(|fact| match &fact.what {
        What::Transfer { step, .. } => Some(step.word().to_owned()),
        _ => None,
    });
    step.collect()
}

/// One recording from answer to end, and the clerk's seat free or at its case.
fn is_whole(city: &mut City, three: &Three) {
    city.run_for(secs(5));
    let record = city.record_of(three.caller);
    let facts = &city.store.facts[&record.call];
    let recordings = facts.iter().filter(|fact| matches!(fact.what, What::Recorded { .. })).count();
    let (answered, recorded) = (record.answered_ms.unwrap(), record.recording_ms.unwrap());
    assert_eq!(recordings, 1);
    assert!(answered.abs_diff(recorded) < 1_000, "{recorded} of {answered} ms are on it");
    let state = city.seat_state(three.clerk);
    assert!(matches!(state, SeatState::Ready { .. } | SeatState::WrapUp { .. }), "{state:?}");
    assert!(city.call_of(three.caller).is_none(), "nothing goes on");
}

#[test]
fn a_sub_center_is_asked_joined_and_left_with_the_caller_whatever_they_speak() {
    let (a, mu): (&[Codec], &[Codec]) = (&[Codec::Pcma], &[Codec::Pcmu]);
    for codecs in [[a, a, a], [a, a, mu], [a, mu, a], [mu, a, a], [mu, mu, a], [mu, mu, mu]] {
        in_a_city_with(they_are_there, |city| {
            let three = talking_in(city, codecs, Answers::After(secs(2)));
            let Three { caller, clerk, taxes, .. } = three;
            let waits_from = Duration::from_millis(city.look_at(caller).phone.heard().len() as u64 / 8);
            presses(city, clerk, "*2");
            hear(city, "it rings", &[], &three);
            assert!(city.run_until(secs(5), |city| city.hears(clerk, taxes)), "{codecs:?}");
            city.run_for(secs(3));
            hear(city, "a word aside", &[clerk, taxes], &three);
            if codecs[0] == a {
                assert!(
                    city.heard_after(caller, "hold_music", waits_from).is_some(),
                    "the caller waits with it"
                );
            }
            presses(city, clerk, "*0");
            city.run_for(secs(2));
            hear(city, "all three", &[caller, clerk, taxes], &three);
            presses(city, clerk, "##");
            city.run_for(secs(2));
            assert!(city.look_at(clerk).is_idle());
            hear(city, "the two who stay", &[caller, taxes], &three);
            city.hangs_up(taxes);
            city.run_for(secs(8));
            city.hangs_up(caller);
            is_whole(city, &three);
            assert_eq!(steps(city, caller), ["requested", "ringing", "consulting", "merged", "left"]);
            let facts = &city.store.facts[&city.record_of(caller).call];
            assert!(has(
                facts,
                |what| matches!(what, What::PeerLeft { talked_ms, .. } if *talked_ms > 8_000)
            ));
        });
    }
}

#[test]
fn whoever_leaves_three_first_the_two_others_talk_on() {
    for leaves in 0..5 {
        in_a_city_with(they_are_there, |city| {
            let three = talking(city);
            let Three { caller, clerk, taxes, .. } = three;
            presses(city, clerk, "**12366#");
            assert!(city.run_until(secs(8), |city| city.hears(clerk, taxes)));
            presses(city, clerk, "*0");
            city.run_for(secs(2));
            hear(city, "all three", &[caller, clerk, taxes], &three);
            match leaves {
                0 => city.hangs_up(clerk),
                1 => city.hangs_up(taxes),
                2 => presses(city, clerk, "*#"),
                3 => city.hangs_up(caller),
                _ => city.vanishes(taxes),
            }
            city.run_for(secs(if leaves == 4 { 25 } else { 3 }));
            match leaves {
                0 => hear(city, "the clerk left", &[caller, taxes], &three),
                3 => assert!(city.look_at(clerk).is_idle() && city.look_at(taxes).is_idle()),
                _ => {
                    assert!(city.hears(caller, clerk) && city.hears(clerk, caller), "way {leaves}");
                    assert!(!city.hears(caller, taxes) && !city.hears(clerk, taxes), "way {leaves}");
                }
            }
            city.hangs_up(caller);
            is_whole(city, &three);
        });
    }
}

#[test]
fn what_fails_over_there_gives_the_caller_back_or_puts_them_first_in_line() {
    for (answers, status) in [(Answers::Busy, 486), (Answers::Never, 408), (Answers::After(secs(90)), 408)] {
        in_a_city_with(they_are_there, |city| {
            let three = talking_in(city, [&[Codec::Pcma]; 3], answers);
            presses(city, three.clerk, "*2");
            let (caller, clerk) = (three.caller, three.clerk);
            assert!(city.run_until(secs(40), |city| city.hears(caller, clerk)), "{status}");
            city.run_for(secs(2));
            hear(city, "back", &[caller, clerk], &three);
            // Once more, and the clerk does not wait for it.
            city.telephone(three.taxes).phone.set_answers(Answers::Never);
            presses(city, clerk, "*2");
            city.hangs_up(clerk);
            let next = city.seat("1002").answers_after(secs(1));
            assert!(city.run_until(secs(60), |city| city.talks_to(caller) == Some(next)), "first in line");
            city.run_for(secs(5));
            assert!(city.hears(caller, next) && city.hears(next, caller));
            city.hangs_up(caller);
            is_whole(city, &three);
            let told = steps(city, caller);
            assert_eq!(told.iter().filter(|step| *step == "failed").count(), 2, "{told:?}");
        });
    }
    // A trunk that leads nowhere.
    let nowhere = |plan: &mut Plan| {
        they_are_there(plan);
        let trunk = plan.trunks.get_mut("sub-12366").expect("the shipped plan has it");
        trunk.targets = vec![SocketAddr::from(([127, 1, 3, 200], 5060)).into()];
    };
    in_a_city_with(nowhere, |city| {
        let three = talking(city);
        presses(city, three.clerk, "*2");
        assert!(city.run_until(secs(10), |city| city.hears(three.caller, three.clerk)));
        city.hangs_up(three.caller);
        is_whole(city, &three);
        assert_eq!(steps(city, three.caller), ["requested", "failed"]);
    });
}

/// The notice, 四(四).
#[test]
fn a_clerk_stays_with_a_caller_until_help_has_accepted() {
    in_a_city_with(they_are_there, |city| {
        let three = talking_in(city, [&[Codec::Pcma]; 3], Answers::After(secs(6)));
        let Three { caller, clerk, fire, .. } = three;
        presses(city, clerk, "*1");
        presses(city, clerk, "##");
        city.run_for(secs(1));
        assert!(!city.look_at(clerk).is_idle(), "not yet");
        assert!(city.run_until(secs(10), |city| city.hears(clerk, fire)));
        presses(city, clerk, "##");
        city.run_for(secs(2));
        assert!(city.look_at(clerk).is_idle());
        hear(city, "with the fire brigade", &[caller, fire], &three);
        city.hangs_up(caller);
        is_whole(city, &three);
    });
}

#[test]
fn keys_reach_the_menu_of_the_third_party_and_codes_do_not_once_three_talk() {
    in_a_city_with(they_are_there, |city| {
        let three = talking(city);
        let Three { caller, clerk, taxes, .. } = three;
        let heard = |city: &City| -> String {
            let events = city.look_at(taxes).events.iter();
            events
                .filter_map(|(_, event)| match event {
                    PhoneEvent::DigitHeard(digit) => Some(*digit),
                    _ => None,
                })
                .collect()
        };
        presses(city, clerk, "*2");
        assert!(city.run_until(secs(8), |city| city.hears(clerk, taxes)));
        presses(city, clerk, "12");
        city.run_for(secs(1));
        assert_eq!(heard(city), "12", "by the bridge");
        presses(city, clerk, "*0");
        city.run_for(secs(1));
        let before = heard(city).len();
        presses(city, clerk, "34");
        presses(city, caller, "5");
        city.run_for(secs(2));
        assert_eq!(&heard(city)[before..], "345", "each once");
        presses(city, clerk, "*#");
        city.run_for(secs(1));
        assert_eq!(&heard(city)[before..], "345");
        city.hangs_up(caller);
        is_whole(city, &three);
    });
}

#[test]
fn wishes_by_the_api_are_for_the_own_call_and_supervisors() {
    in_a_city_with(they_are_there, |city| {
        let three = talking(city);
        let Three { caller, clerk, taxes, .. } = three;
        let call = city.call_of(caller).expect("it goes on");
        let asker = |role, seat: Option<&str>| Asker { name: "who".into(), role, seat: seat.map(Into::into) };
        let asks = |city: &mut City, asker: &Asker, wish: Wish| {
            let now = city.now();
            let reply = city.board.ask(asker, Request::Call { call, wish }, now);
            city.dispatch();
            reply
        };
        let own = asker(Role::Clerk, Some("1001"));
        let to_taxes = || Wish::Consult { to: "12366".into() };
        for stranger in [
            asker(Role::Clerk, Some("1002")),
            asker(Role::Clerk, None),
            asker(Role::Expert, Some("1003")),
            asker(Role::Observer, Some("1001")),
        ] {
            assert_eq!(asks(city, &stranger, to_taxes()), Err(Refusal::NotAllowed), "{stranger:?}");
        }
        let nowhere = Wish::Requeue { queue: Some("nowhere".into()) };
        assert_eq!(asks(city, &own, nowhere), Err(Refusal::NoSuchQueue));
        let no_third = Err(Refusal::Call(hotline::call::Unwilling::NoThird));
        assert_eq!(asks(city, &own, Wish::Merge), no_third);
        assert_eq!(asks(city, &own, Wish::Hold), Ok(Reply::Done));
        city.run_for(secs(3));
        hear(city, "on hold", &[], &three);
        assert_eq!(asks(city, &own, to_taxes()), Ok(Reply::Done));
        assert!(city.run_until(secs(8), |city| city.hears(clerk, taxes)));
        let supervisor = asker(Role::Supervisor, None);
        assert_eq!(asks(city, &supervisor, Wish::Merge), Ok(Reply::Done));
        city.run_for(secs(2));
        hear(city, "all three", &[caller, clerk, taxes], &three);
        let unknown = Wish::TakeOver { seat: "9999".into() };
        assert_eq!(asks(city, &supervisor, unknown), Err(Refusal::NoSuchSeat));
        assert_eq!(asks(city, &supervisor, Wish::End), Ok(Reply::Done));
        city.run_for(secs(2));
        assert!([caller, clerk, taxes].iter().all(|who| city.look_at(*who).is_idle()));
        assert_eq!(asks(city, &supervisor, Wish::End), Err(Refusal::NoSuchCall));
        is_whole(city, &three);
    });
}

#[test]
fn a_caller_who_is_forgotten_on_hold_is_first_in_line_for_another_clerk() {
    let short = |plan: &mut Plan| {
        they_are_there(plan);
        plan.three_way.hold_max = secs(20);
    };
    in_a_city_with(short, |city| {
        let three = talking(city);
        city.order(three.clerk, |phone, now| phone.hold(now));
        city.run_for(secs(10));
        hear(city, "on hold", &[], &three);
        let next = city.seat("1002").answers_after(secs(1));
        assert!(city.run_until(secs(15), |city| city.talks_to(three.caller) == Some(next)));
        assert!(city.look_at(three.clerk).is_idle(), "let go");
        city.run_for(secs(5));
        assert!(city.hears(three.caller, next) && city.hears(next, three.caller));
        city.hangs_up(three.caller);
        city.run_for(secs(3));
    });
}

/// 12345 is another's in each county: who was asked in is known by the way there, and not by the number that is called.
#[test]
fn whoever_is_asked_in_is_named_though_another_is_called_by_the_same_number() {
    let two = |plan: &mut Plan| {
        they_are_there(plan);
        for (number, trunk) in [("7001", "sub-12366"), ("7002", "emergency")] {
            let peer = Peer {
                trunk: trunk.into(),
                number: "8000".into(),
                ring: secs(20),
                drill: false,
                hours: Default::default(),
            };
            plan.departments.insert(number.into(), peer);
        }
    };
    for (number, there) in [("7001", 0), ("7002", 1)] {
        in_a_city_with(two, |city| {
            let three = talking(city);
            presses(city, three.clerk, if there == 0 { "**7001#" } else { "**7002#" });
            let far = [three.taxes, three.fire][there];
            assert!(city.run_until(secs(8), |city| city.hears(three.clerk, far)));
            city.reloads(|plan| plan.departments.values_mut().for_each(|peer| peer.ring = secs(9)));
            presses(city, three.clerk, "*0");
            city.hangs_up(three.caller);
            is_whole(city, &three);
            let facts = &city.store.facts[&city.record_of(three.caller).call];
            let named = facts.iter().filter_map(|fact| match &fact.what {
                What::Transfer { object, .. } => object.as_ref().map(|object| object.id.clone()),
                _ => None,
            });
            let named: Vec<String> = named.collect();
            assert_eq!(named, vec![number; steps(city, three.caller).len()], "in each step");
        });
    }
}
