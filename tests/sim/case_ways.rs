//! Random stories over groups of ways that come and go, on a bad network: every caller ends served
//! or told, and no way keeps anything of them.

use std::time::Duration;

use hotline::phone::{Dial, PhoneEvent};
use hotline::routing::Plan;
use hotline::routing::plan::Probing;
use hotline::switchboard::fact::Cause;

use crate::city::{City, millis, secs};
use crate::clerk::{Deed, Who};
use crate::exchange::{NUMBER, Temper, by_ways, registers, trunk_mut};
use crate::network::Weather;
use crate::seed::{play, seeds};

/// What a switch may be like, good days counting for more.
const TEMPERS: [Temper; 12] = [
    Temper::Fine,
    Temper::Fine,
    Temper::Fine,
    Temper::Fine,
    Temper::Silent,
    Temper::Closed,
    Temper::Refuses(503),
    Temper::Refuses(500),
    Temper::Refuses(486),
    Temper::Refuses(302),
    Temper::Tries,
    Temper::Progresses,
];
const WAYS: usize = 4;
const CALLERS: u64 = 16;
const SPAN: Duration = Duration::from_secs(90);

fn groups(plan: &mut Plan) {
    by_ways(plan, &[(1, 3), (1, 1), (2, 1), (3, 1)]);
    for number in 1..=WAYS {
        trunk_mut(plan, number).calls_max = 2;
    }
    trunk_mut(plan, 1).probe = Some(Probing { every: secs(7), down_after: 2, up_after: 2 });
    trunk_mut(plan, 2).calls_per_second = 1;
    registers(plan, 3);
    trunk_mut(plan, 3).probe = Some(Probing { every: secs(5), down_after: 1, up_after: 3 });
    for queue in plan.queues.values_mut() {
        queue.wrap_up = secs(2);
        queue.wait_max = secs(60);
    }
}

/// A caller, and whether they stay until they are served.
fn story(city: &mut City) -> Vec<(Who, bool)> {
    city.hear_max_s = 5;
    let phones = city.exchanges(WAYS);
    for phone in &phones {
        city.telephone(*phone).manners.talks_for = Some(millis(2_000 + city_draw(city, 6_000)));
    }
    for seat in ["1001", "1002", "1003"] {
        let talks = millis(1_000 + city_draw(city, 5_000));
        city.seat(seat).talks_for(talks).answers_after(secs(1));
    }
    (city.net.sip, city.net.sound) = (Weather::FOUL, Weather::FOUL);
    let mut callers = Vec::new();
    for n in 0..CALLERS {
        let caller = city.phone(&format!("138{n:08}")).waits();
        let patience = millis(city_draw(city, 20_000));
        let then = match city_draw(city, 8) {
            0 => vec![(patience / 20, Deed::HangUp)],
            1 | 2 => vec![(patience, Deed::HangUp)],
            3 => vec![(patience, Deed::Vanish)],
            _ => Vec::new(),
        };
        callers.push((caller, then.is_empty()));
        let at = millis(city_draw(city, SPAN.as_millis() as u64));
        city.later(at, caller, Deed::Call(Box::new(Dial::to(NUMBER)), then));
    }
    for _ in 0..SPAN.as_secs() / 6 {
        let phone = phones[city_draw(city, WAYS as u64) as usize];
        let temper = TEMPERS[city_draw(city, TEMPERS.len() as u64) as usize];
        city.way_is(phone, temper);
        city.run_for(secs(6));
    }
    callers
}

fn city_draw(city: &mut City, below: u64) -> u64 {
    city.dice.below(below)
}

fn ends_well(city: &mut City, callers: &[(Who, bool)]) {
    let over = city.run_until(secs(420), |city| city.board.calls().is_empty());
    let left: Vec<_> = city.board.calls().iter().map(|it| it.1.state()).collect();
    assert!(over, "no stuck call: {left:?}");
    city.run_for(secs(2));
    for (caller, stays) in callers {
        let records = city.records_of(*caller);
        assert_eq!(records.len(), usize::from(city.rang(*caller)), "{}", city.look_at(*caller).user);
        assert!(
            !city.saw(*caller, |event| matches!(event, PhoneEvent::Refused { .. })),
            "refused: {records:?}"
        );
        let Some(record) = records.first() else { continue };
        assert!(record.is_closed());
        let served = record.seat.is_some() || record.peer.is_some() || record.ticket_left.is_some();
        let gave_up = !stays
            && matches!(
                record.cause,
                Some(Cause::CallerHungUp | Cause::CallerCancelled | Cause::CallerVanished)
            );
        assert!(served || gave_up, "neither served nor told: {record:?}");
    }
}

#[test]
fn in_twenty_cities_whose_ways_come_and_go_every_caller_is_served_or_told() {
    for seed in seeds() {
        let (mut by_peer, mut here) = (0, 0);
        let count = std::cell::RefCell::new((&mut by_peer, &mut here));
        for more in 0..20 {
            play(seed.wrapping_mul(1_000) + more, &groups, &|city: &mut City| {
                let callers = story(city);
                ends_well(city, &callers);
                let mut count = count.borrow_mut();
                for record in city.store.records() {
                    *count.0 += u32::from(record.peer.is_some());
                    *count.1 += u32::from(record.ticket_left.is_some());
                }
            });
        }
        assert!(by_peer > 40 && here > 40, "both ends came about: {by_peer} there, {here} with a ticket");
    }
}
