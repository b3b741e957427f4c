//! Tables of who hears whom, by the tone of each.

use hotline::id::Dice;
use hotline::media::order::{Audience, Flow, LegConfig, Order, Rights};
use hotline::phone::Codec as Law;

use super::{FULL, hall, heard, join, talk};
use crate::stage::{Peer, Stage};

const LAWS: [Law; 32] = {
    let mut laws = [Law::Pcma; 32];
    laws[1] = Law::Pcmu;
    laws[17] = Law::Pcmu;
    laws
};

/// Everything that one of so many parties may be granted.
fn all_rights(stage: &Stage, parties: u16, own: u16) -> Vec<Rights> {
    let others = (0..parties).filter(|other| *other != own).map(|other| Audience::Only(stage.leg(other)));
    let audiences = [Audience::Everyone, Audience::Nobody].into_iter().chain(others);
    audiences.flat_map(|heard_by| [true, false].map(|hears| Rights { hears, heard_by })).collect()
}

/// Who hears whom, said as plainly as the rules are: bit i of the j-th for "j hears i".
fn wanted(stage: &Stage, rights: &[Rights]) -> Vec<u32> {
    let hears = |j: usize, i: usize| {
        let reaches = match rights[i].heard_by {
            Audience::Everyone => true,
            Audience::Nobody => false,
            Audience::Only(leg) => leg == stage.leg(j as u16),
        };
        i != j && rights[j].hears && reaches
    };
    let each = 0..rights.len();
    each.clone().map(|j| each.clone().map(|i| u32::from(hears(j, i)) << i).sum()).collect()
}

/// Changes all rights in mid-conference, and holds what each hears against the rules.
fn assert_rights(stage: &mut Stage, peers: &mut [Peer], rights: &[Rights]) {
    for (leg, rights) in (0..).zip(rights) {
        join(stage, leg, *rights);
    }
    talk(stage, peers, 1); // What ends has faded in the first quarter of a frame.
    let wanted = wanted(stage, rights);
    assert_eq!(heard(stage, peers), wanted, "{rights:?}");
}

#[test]
fn three_hear_one_another_as_all_512_ways_of_their_rights_say() {
    let (mut stage, mut peers) = hall(&LAWS[..3]);
    (0..3).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    let ways: Vec<Vec<Rights>> = (0..3).map(|own| all_rights(&stage, 3, own)).collect();
    let mut dice = Dice::seeded(5);
    let mut order: Vec<usize> = (0..512).collect();
    for n in (1..512).rev() {
        order.swap(n, dice.below(n as u64 + 1) as usize);
    }
    for n in order {
        let rights = [ways[0][n % 8], ways[1][n / 8 % 8], ways[2][n / 64]];
        assert_rights(&mut stage, &mut peers, &rights);
    }
}

fn assert_at_random(parties: u16, changes: usize) {
    let (mut stage, mut peers) = hall(&LAWS[..usize::from(parties)]);
    (0..parties).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    let ways: Vec<Vec<Rights>> = (0..parties).map(|own| all_rights(&stage, parties, own)).collect();
    let mut dice = Dice::seeded(u64::from(parties));
    for n in 0..changes {
        // Each other time most may do everything, as is usual.
        let usual = n % 2 == 0;
        let rights: Vec<Rights> = ways
            .iter()
            .map(|ways| match usual && dice.below(4) > 0 {
                true => FULL,
                false => ways[dice.below(ways.len() as u64) as usize],
            })
            .collect();
        assert_rights(&mut stage, &mut peers, &rights);
    }
}

#[test]
fn four_hear_one_another_as_their_rights_say() {
    assert_at_random(4, 150);
}

#[test]
fn thirty_two_hear_one_another_as_their_rights_say() {
    assert_at_random(32, 12);
}

#[test]
fn a_supervisor_listens_whispers_and_joins_in_and_a_held_caller_is_out_of_all_of_it() {
    let (mut stage, mut peers) = hall(&[Law::Pcma; 3]);
    (0..2).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    let clerk = stage.leg(1);
    let held = Rights { hears: false, heard_by: Audience::Nobody };
    let listens = Rights { hears: true, heard_by: Audience::Nobody };
    let whispers = Rights { hears: true, heard_by: Audience::Only(clerk) };
    let rows: [(&str, Rights, Rights, [u32; 3]); 5] = [
        ("listening in", FULL, listens, [0b010, 0b001, 0b011]),
        ("whispering", FULL, whispers, [0b010, 0b101, 0b011]),
        ("joining in", FULL, FULL, [0b110, 0b101, 0b011]),
        ("the caller is held", held, FULL, [0, 0b100, 0b010]),
        ("the caller is back", FULL, FULL, [0b110, 0b101, 0b011]),
    ];
    for (what, caller, supervisor, wanted) in rows {
        join(&mut stage, 0, caller);
        join(&mut stage, 2, supervisor);
        talk(&mut stage, &mut peers, 20);
        assert_eq!(heard(&mut stage, &mut peers), wanted, "{what}");
    }
    // Whom it whispers to is gone: nobody hears it, least of all the caller.
    join(&mut stage, 2, whispers);
    super::leave(&mut stage, 1);
    talk(&mut stage, &mut peers, 5);
    assert_eq!(heard(&mut stage, &mut peers), [0, 0, 0b001]);
}

#[test]
fn a_telephone_that_holds_by_its_own_sdp_leaks_in_no_direction() {
    let (mut stage, mut peers) = hall(&LAWS[..3]);
    (0..3).for_each(|leg| join(&mut stage, leg, FULL));
    talk(&mut stage, &mut peers, 20);
    // From our side (RFC 3264 §5.1): whether we send to it, and whether we hear it.
    let flows = [
        (Flow::SendRecv, true, true),
        (Flow::SendOnly, true, false),
        (Flow::RecvOnly, false, true),
        (Flow::Inactive, false, false),
    ];
    for n in 0..64 {
        let held = [flows[n % 4], flows[n / 4 % 4], flows[n / 16]];
        for (leg, (flow, ..)) in (0..).zip(held) {
            let config = Box::new(LegConfig { flow, ..peers[usize::from(leg)].config() });
            stage.order(Order::Change { leg: stage.leg(leg), config });
        }
        talk(&mut stage, &mut peers, 15); // Who comes back fills its jitter buffer first.
        let heard = heard(&mut stage, &mut peers);
        for (j, (_, hears, _)) in held.iter().enumerate() {
            let others = (0..3).filter(|i| *i != j && *hears && held[*i].2);
            let wanted: u32 = others.map(|i| 1 << i).sum();
            assert_eq!(heard[j], wanted, "{j} of {:?}", held.map(|(flow, ..)| flow));
        }
    }
}
