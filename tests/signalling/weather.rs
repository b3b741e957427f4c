//! A whole call over a network that loses, doubles and delays: message by message, and by the dice.

use std::time::Duration;

use hotline::id::Dice;

use crate::pair::{Deed, Fate, Pair, Side, WAY};

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A whole call with everything in it: reliable early media, UPDATE before the answer, the answer,
/// re-INVITEs from both sides, refreshes, and the end.
fn whole_call(fate: Fate) -> Pair {
    let mut pair = Pair::new(7, fate);
    for (side, at, deed) in [
        (Side::Callee, 300, Deed::EarlyMedia),
        (Side::Caller, 1_000, Deed::Offer),
        (Side::Callee, 2_000, Deed::Answer),
        (Side::Caller, 6_000, Deed::Offer),
        (Side::Callee, 12_000, Deed::Offer),
        (Side::Caller, 2_000_000, Deed::HangUp),
    ] {
        pair.plan(side, millis(at), deed);
    }
    pair.call();
    pair.run_for(secs(2_200));
    pair
}

#[test]
fn a_whole_call_without_loss() {
    let mut pair = whole_call(Box::new(|_| vec![WAY]));
    pair.assert_settled("no loss");
    assert_eq!(
        pair.told[Side::Caller as usize],
        ["Progressed", "OfferTaken", "Answered", "OfferTaken", "Reoffered", "Ended HungUp"]
    );
    assert_eq!(
        pair.told[Side::Callee as usize],
        ["Invited", "Reoffered", "Confirmed", "Reoffered", "OfferTaken", "Ended Bye"]
    );
    // INVITE 100 183 PRACK 200 UPDATE 200 200 ACK, twice INVITE 100 200 ACK, two refreshes, BYE 200.
    assert_eq!(pair.sent, 9 + 8 + 4 + 2);
}

#[test]
fn whichever_message_is_lost_doubled_or_late_the_call_is_the_same() {
    let total = whole_call(Box::new(|_| vec![WAY])).sent;
    type Arrivals = fn() -> Vec<Duration>;
    let faults: [(&str, Arrivals); 5] = [
        ("lost", Vec::new),
        ("doubled", || vec![WAY, WAY]),
        ("doubled much later", || vec![WAY, secs(3)]),
        ("late", || vec![millis(700)]),
        ("very late", || vec![secs(4)]),
    ];
    for (fault, arrivals) in faults {
        for at in 0..total {
            let fate = move |n| if n == at { arrivals() } else { vec![WAY] };
            let mut pair = whole_call(Box::new(fate));
            let what = format!("message {at} {fault}");
            pair.assert_settled(&what);
            let told = |side: Side| pair.told[side as usize].iter().map(String::as_str).collect::<Vec<_>>();
            let (caller, callee) = (told(Side::Caller), told(Side::Callee));
            assert_eq!(caller.last(), Some(&"Ended HungUp"), "{what}: {caller:?}");
            assert_eq!(callee.last(), Some(&"Ended Bye"), "{what}: {callee:?}");
            for wanted in ["Answered", "OfferTaken", "Reoffered"] {
                assert!(caller.contains(&wanted), "{what}: {caller:?}");
            }
            assert_eq!(callee.iter().filter(|told| **told == "Confirmed").count(), 1, "{what}: {callee:?}");
        }
    }
}

#[test]
fn whichever_message_is_the_last_to_get_through_both_sides_come_to_an_end() {
    let total = whole_call(Box::new(|_| vec![WAY])).sent;
    for cut in 0..total {
        let mut pair = whole_call(Box::new(move |n| if n < cut { vec![WAY] } else { Vec::new() }));
        pair.run_for(secs(2_000));
        // What still stands has nobody to hear of its end but the session timer.
        let now = pair.now;
        for side in [Side::Caller, Side::Callee] {
            if let Some(session) = pair.sessions[side as usize].filter(|_| pair.ends(side) == 0) {
                let phase = pair.endpoint(side).counts();
                assert_eq!((phase.sessions, phase.dialogs), (1, 0), "cut at {cut}: {side:?} {:?}", pair.told);
                pair.endpoint(side).hang_up(session, None, now);
            }
        }
        pair.run_for(secs(70));
        pair.assert_settled(&format!("cut at {cut}"));
    }
}

#[test]
fn two_offers_at_once_are_both_taken_in_the_end() {
    for seed in 0..20 {
        let mut pair = Pair::new(seed, Box::new(|_| vec![WAY]));
        pair.plan(Side::Callee, millis(500), Deed::Answer);
        for side in [Side::Caller, Side::Callee] {
            pair.plan(side, millis(3_000), Deed::Offer);
        }
        pair.call();
        pair.run_for(secs(20));
        for side in [Side::Caller, Side::Callee] {
            let told = &pair.told[side as usize];
            assert_eq!(told.iter().filter(|told| *told == "OfferTaken").count(), 1, "{seed} {told:?}");
            assert_eq!(told.iter().filter(|told| *told == "Reoffered").count(), 1, "{seed} {told:?}");
        }
        pair.plan(Side::Callee, millis(1), Deed::HangUp);
        pair.run_for(secs(60));
        pair.assert_settled("glare");
    }
}

/// One call under a seed: what is done, when, and what the network makes of it.
fn rough_call(seed: u64) {
    let mut dice = Dice::seeded(seed);
    let (loss, twice, spread) = (dice.below(35), dice.below(25), 1 + dice.below(1_500));
    let mut weather = dice.split();
    let fate = move |_| {
        let copies = if weather.below(100) < twice { 2 } else { 1 };
        let arrivals = (0..copies).filter_map(|_| {
            let after = millis(5 + weather.below(spread));
            (weather.below(100) >= loss).then_some(after)
        });
        arrivals.collect()
    };
    let mut pair = Pair::new(seed, Box::new(fate));
    pair.takes_offers = dice.below(5) > 0;
    let answers = 500 + dice.below(20_000);
    if dice.below(3) > 0 {
        pair.plan(Side::Callee, millis(dice.below(answers)), Deed::EarlyMedia);
    }
    if dice.below(3) == 0 {
        pair.plan(Side::Callee, millis(dice.below(answers)), Deed::Ring);
    }
    let last = if dice.below(8) == 0 { Deed::Refuse } else { Deed::Answer };
    pair.plan(Side::Callee, millis(answers), last);
    let longest = if dice.below(4) == 0 { 4_000_000 } else { 60_000 };
    let lasts = answers + dice.below(longest);
    for _ in 0..dice.below(7) {
        let side = if dice.below(2) == 0 { Side::Caller } else { Side::Callee };
        pair.plan(side, millis(dice.below(lasts.min(80_000))), Deed::Offer);
    }
    let side = if dice.below(2) == 0 { Side::Caller } else { Side::Callee };
    pair.plan(side, millis(lasts), Deed::HangUp);
    pair.call();
    pair.run_for(millis(lasts) + secs(150));
    // The other side may have waited in vain: it hangs up as well.
    for side in [Side::Caller, Side::Callee] {
        pair.plan(side, millis(1), Deed::HangUp);
    }
    pair.run_for(secs(150));
    pair.assert_settled(&format!("seed {seed}"));
}

#[test]
fn no_weather_leaves_a_session_hanging_or_a_request_answered_twice() {
    let base = std::env::var("SIGNALLING_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_101);
    println!("seeds from {base}");
    for seed in base..base + 600 {
        println!("seed {seed}");
        rough_call(seed);
    }
}
