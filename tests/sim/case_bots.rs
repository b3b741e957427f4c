//! Callers who talk with a program first: whatever it does, and whatever they do, there is a person at the end, what
//! was said is in their ticket, and nothing of it is left over.

use std::sync::Arc;

use hotline::call::{BotEnd, BotSaid};
use hotline::phone::Dial;
use hotline::routing::Plan;
use hotline::routing::script::{Act, Bot, Script};
use hotline::switchboard::BOT_TALKS_MAX;
use hotline::switchboard::fact::{Cause, What};
use hotline::tickets::event::{EventBody, read};

use crate::adapter::talks;
use crate::busy::hurries;
use crate::city::{City, millis, secs};
use crate::clerk::Deed;
use crate::desk::has;
use crate::network::Weather;
use crate::seed::{in_a_city_with, play, seeds};

fn with_a_bot(plan: &mut Plan) {
    let bot = Bot {
        id: "assistant".into(),
        url: "ws://127.0.0.1:1/".into(),
        secret: None,
        connect: secs(3),
        most: secs(20),
        music: Some("hold_music".into()),
        says: ["matter".to_owned()].into(),
        rate: 8_000,
        show_caller: false,
    };
    plan.bots.insert(bot.id.clone(), bot);
    let main = Script { id: "main".into(), acts: vec![Act::Bot("assistant".into())] };
    plan.scripts.insert("main".into(), Arc::new(main));
    plan.lines.get_mut("12345").expect("shipped").script = Some("main".into());
}

fn done() -> BotSaid {
    BotSaid::Done { outcome: Some("order".into()), values: Default::default() }
}

#[test]
fn whatever_becomes_of_the_talk_a_clerk_takes_the_caller_and_has_read_what_was_said() {
    for (last, end) in [
        (done(), BotEnd::Done),
        (BotSaid::Person, BotEnd::Person),
        (BotSaid::Ended(BotEnd::Closed), BotEnd::Closed),
        (BotSaid::Ended(BotEnd::Flooded), BotEnd::Flooded),
    ] {
        in_a_city_with(with_a_bot, |city| {
            let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
            city.adapters.bot.stories = vec![talks(millis(80), secs(4), last.clone())];
            let caller = city.phone("13800000001").waits();
            city.dials(caller, "12345");
            let met = city.run_until(secs(20), |city| city.talks_to(caller) == Some(clerk));
            assert!(met, "{}", city.story());
            assert_eq!(city.adapters.bot.left, [end]);
            city.run_for(secs(30));
            let call = city.record_of(caller).call;
            let facts = &city.store.facts[&call];
            assert!(has(facts, |what| matches!(
                what,
                What::BotTalked { end: told, lines, .. } if *told == end && lines.len() == 1
            )));
            let events: Vec<EventBody> =
                city.books.taken.iter().filter_map(|event| Some(read(&event.json).ok()?.body)).collect();
            let place = |is_it: fn(&EventBody) -> bool| events.iter().position(is_it).expect("it was told");
            let talked = place(|body| matches!(body, EventBody::BotTalked { .. }));
            assert!(
                talked < place(|body| matches!(body, EventBody::SeatOffered { .. })),
                "before the seat rang"
            );
        });
    }
}

#[test]
fn a_program_that_never_comes_or_never_ends_is_waited_for_as_long_as_the_plan_has_it() {
    for (story, end, most) in [
        (Vec::new(), BotEnd::NoAnswer, secs(10)),
        (talks(millis(80), secs(600), done()), BotEnd::TimedOut, secs(30)),
    ] {
        in_a_city_with(with_a_bot, |city| {
            let clerk = city.seat("1001").talks_for(secs(5)).answers_after(secs(1));
            city.adapters.bot.stories = vec![story.clone()];
            let caller = city.phone("13800000001").waits();
            city.dials(caller, "12345");
            let met = city.run_until(most, |city| city.talks_to(caller) == Some(clerk));
            assert!(met, "{}", city.story());
            assert_eq!(city.adapters.bot.left, [end]);
            city.run_for(secs(700));
        });
    }
}

#[test]
fn no_more_programs_talk_at_once_than_may_and_a_drain_ends_them() {
    let many = |plan: &mut Plan| {
        with_a_bot(plan);
        plan.network.rtp_ports = (20_000, 20_999);
        plan.bots.get_mut("assistant").expect("put there").most = secs(600);
    };
    in_a_city_with(many, |city| {
        city.hear_max_s = 1;
        city.adapters.bot.stories = vec![talks(millis(80), secs(3_000), done())];
        let callers: Vec<_> = (0..BOT_TALKS_MAX + 4)
            .map(|n| {
                let caller = city.phone(&format!("138{n:08}")).waits();
                city.later(
                    millis(40 * n as u64),
                    caller,
                    Deed::Call(Box::new(Dial::to("12345")), Vec::new()),
                );
                caller
            })
            .collect();
        city.run_for(secs(20));
        assert_eq!(city.board.bot_talks(), BOT_TALKS_MAX);
        assert!(city.adapters.bot.left.is_empty(), "whoever is refused was never invited");
        for caller in &callers[BOT_TALKS_MAX..] {
            assert_eq!(city.state_of(*caller), Some("waiting"));
        }
        city.drains(secs(2));
        city.run_for(secs(10));
        assert_eq!(city.adapters.bot.left, [BotEnd::CallEnded; BOT_TALKS_MAX]);
        assert_eq!(city.record_of(callers[0]).cause, Some(Cause::Drained));
    });
}

#[test]
fn whatever_callers_and_programs_do_there_is_a_person_or_the_callers_own_leaving() {
    const KEYS: [&str; 5] = ["0", "1", "#", "5", "9"];
    let busy = |plan: &mut Plan| {
        with_a_bot(plan);
        hurries(plan);
    };
    for seed in seeds() {
        for more in 0..4 {
            play(seed.wrapping_mul(100) + more, &busy, &|city: &mut City| {
                city.hear_max_s = 5;
                let late = millis(city.dice.below(4_000));
                city.adapters.bot.stories = vec![
                    Vec::new(),
                    vec![(late, BotSaid::Ended(BotEnd::Refused))],
                    talks(late, millis(1), BotSaid::Person),
                    talks(late, secs(3), done()),
                    talks(late, secs(9), BotSaid::Ended(BotEnd::Slow)),
                    talks(millis(50), secs(60), done()),
                ];
                for id in ["1001", "1002"] {
                    city.seat(id).talks_for(secs(4)).answers_after(secs(1));
                }
                (city.net.sip, city.net.sound) = (Weather::FOUL, Weather::FOUL);
                let mut callers = Vec::new();
                for n in 1..=10 {
                    let caller = city.phone(&format!("138{n:08}")).waits();
                    let mut at = 1_000;
                    let mut then = Vec::new();
                    for _ in 0..city.dice.below(5) {
                        at += 300 + city.dice.below(5_000);
                        then.push((
                            millis(at),
                            Deed::Press(KEYS[city.dice.below(KEYS.len() as u64) as usize]),
                        ));
                    }
                    match city.dice.below(4) {
                        0 => then.push((millis(city.dice.below(at)), Deed::HangUp)),
                        1 => then.push((millis(city.dice.below(at)), Deed::Vanish)),
                        _ => {}
                    }
                    let at = millis(city.dice.below(20_000));
                    city.later(at, caller, Deed::Call(Box::new(Dial::to("12345")), then));
                    callers.push(caller);
                }
                city.run_for(secs(90));
                let over = city.run_until(secs(420), |city| city.board.calls().is_empty());
                assert!(over, "somebody is stuck: {}", city.story());
                city.run_for(secs(2));
                for caller in callers.iter().filter(|caller| city.rang(**caller)) {
                    let record = city.record_of(*caller);
                    let left = matches!(
                        record.cause,
                        Some(Cause::CallerHungUp | Cause::CallerVanished | Cause::CallerCancelled)
                    );
                    let served = record.seat.is_some() || record.ticket_left.is_some();
                    assert!(left || served, "{record:?}\n{:?}", city.store.facts[&record.call]);
                }
            });
        }
    }
}
