//! The rules of the plan for three who talk, row by row: who leaves, by which rule, with which tones. What each
//! party hears is heard: voices, music and tones.

use hotline::routing::three_way::{CallerLeaves, ClerkLeaves, JOIN_TONE, LEAVE_TONE, ThirdLeaves, Tones};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    Clerk,
    Third,
    Caller,
}

/// What is heard then: who goes on with whom, and whether it was a matter of the rule.
fn together(leaves: Leaves, other_rules: bool) -> [bool; 3] {
    match (leaves, other_rules) {
        (Leaves::Clerk, false) => [true, false, true],
        (Leaves::Third, false) => [true, true, false],
        (Leaves::Caller, true) => [false, true, true],
        (Leaves::Clerk | Leaves::Third, true) | (Leaves::Caller, false) => [false; 3],
    }
}

/// Where an ear is now.
fn ear(city: &City, who: Who) -> Duration {
    millis(city.look_at(who).phone.heard().len() as u64 / 8)
}

fn plays(adds_by: Adds, leaves: Leaves, tones: Tones, other_rules: bool) {
    let what = format!("{adds_by:?}, {leaves:?}, {tones:?}, other rules: {other_rules}");
    let rules = |plan: &mut Plan| {
        quick(plan);
        plan.three_way.tones = tones;
        if other_rules {
            plan.three_way.clerk_leaves = ClerkLeaves::End;
            plan.three_way.third_leaves = ThirdLeaves::Hold;
            plan.three_way.caller_leaves = CallerLeaves::Keep;
        }
    };
    let row = Row { adds: adds_by, kind: Kind::SubCenter, speaks: Codec::Pcma, fate: Fate::ThirdLeavesThree };
    in_a_city_with(rules, |city| {
        let three = talking(city, row);
        adds(city, row, three);
        aside(city, row, three);
        let before = three.map(|who| ear(city, who));
        wants(city, row, three, "*0", Wish::Merge);
        city.run_for(millis(1_000));
        hear(city, row, three, [true; 3]);
        for (who, from) in three.into_iter().zip(before) {
            let heard = city.heard_after(who, JOIN_TONE, from).is_some();
            assert_eq!(heard, tones != Tones::None, "{what}: {} and the tone", city.look_at(who).user);
        }
        let [caller, clerk, third] = three;
        let before = three.map(|who| ear(city, who));
        city.hangs_up(match leaves {
            Leaves::Clerk => clerk,
            Leaves::Third => third,
            Leaves::Caller => caller,
        });
        city.run_for(millis(1_200));
        let goes_on = together(leaves, other_rules);
        // Who is left hears the tone; nobody is left where all is over.
        let waits = leaves == Leaves::Third && other_rules;
        let left = if waits { [true, true, false] } else { goes_on };
        for (n, (who, from)) in three.into_iter().zip(before).enumerate() {
            let heard = city.heard_after(who, LEAVE_TONE, from).is_some();
            let wanted = left[n] && tones == Tones::JoinLeave;
            assert_eq!(heard, wanted, "{what}: {} and the tone of leaving", city.look_at(who).user);
        }
        if waits {
            hear(city, row, three, [false; 3]); // Music, and nothing.
            city.presses(clerk, "*#");
            let back = city.run_until(secs(5), |city| city.hears(caller, clerk) && city.hears(clerk, caller));
            assert!(back, "{what}: taken back");
        } else if goes_on.contains(&true) {
            hear(city, row, three, goes_on);
        } else {
            assert!(is_idle(city, third) && is_idle(city, clerk), "{what}: all is over");
        }
        // One of those who are left; there may be none.
        city.hangs_up(if leaves == Leaves::Caller { clerk } else { caller });
        let quiet = city.run_until(secs(12), |city| city.board.calls().is_empty());
        assert!(quiet, "{what}: nothing goes on");
        city.run_for(secs(2));
        let last = if leaves == Leaves::Clerk && !other_rules { "left" } else { "returned" };
        assert_eq!(steps(city, caller).last().map(String::as_str), Some(last), "{what}");
    });
}

#[test]
fn whoever_leaves_three_leaves_the_others_as_the_plan_says_with_the_tones_that_it_says() {
    for leaves in [Leaves::Clerk, Leaves::Third, Leaves::Caller] {
        for tones in [Tones::None, Tones::Join, Tones::JoinLeave] {
            for other_rules in [false, true] {
                plays(Adds::Keys, leaves, tones, other_rules);
            }
        }
        plays(Adds::Asks, leaves, Tones::JoinLeave, false);
    }
}
