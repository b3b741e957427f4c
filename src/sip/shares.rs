//! Drawing an order by priorities and weights (RFC 2782), for SRV records and for routes alike.

use std::borrow::Cow;

use super::transport::Hop;
use crate::id::Dice;

/// What has a share of first tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// Lower first.
    pub(super) priority: u16,
    /// Among those of one priority.
    pub(super) weight: u16,
}

/// The places of `shares` in the order of trying: lower priorities first; among equals each is drawn
/// with its share of the weights, and those of weight 0 hardly ever before others (RFC 2782,
/// "Weight"): a number from 0 to the sum of weights, and the first whose running sum reaches it.
pub(super) fn draw(shares: &[Share], dice: &mut Dice) -> Vec<usize> {
    let mut left: Vec<usize> = (0..shares.len()).collect();
    left.sort_by_key(|place| (shares[*place].priority, shares[*place].weight != 0));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let priority = shares[*first].priority;
        let equals = left.iter().take_while(|place| shares[**place].priority == priority).count();
        let weight = |place: &usize| u64::from(shares[*place].weight);
        let sum: u64 = left[..equals].iter().map(weight).sum();
        let drawn = if equals > 1 { dice.below(sum + 1) } else { 0 };
        let mut running = 0;
        let chosen = left[..equals].iter().position(|place| {
            running += weight(place);
            running >= drawn
        });
        ordered.push(left.remove(chosen.unwrap_or(0)));
    }
    ordered
}

/// A trunk's hops in the order in which one call tries them: SRV records drawn anew, so that calls
/// share them between two look-ups as well; the addresses of one record together, as they stand.
pub(super) fn for_a_call<'a>(hops: &'a [Hop], dice: &mut Dice) -> Cow<'a, [Hop]> {
    let same =
        |one: &Hop, other: &Hop| (one.rank.tier, one.rank.record) == (other.rank.tier, other.rank.record);
    if hops.chunk_by(same).nth(1).is_none() {
        return Cow::Borrowed(hops); // As nearly always, and without a throw of the dice.
    }
    let records: Vec<&[Hop]> = hops.chunk_by(same).collect();
    let share = |record: &&[Hop]| Share { priority: record[0].rank.tier, weight: record[0].rank.weight };
    let shares: Vec<Share> = records.iter().map(share).collect();
    draw(&shares, dice).into_iter().flat_map(|place| records[place].iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::transport::{Rank, Transport};

    fn hop(last: u8, tier: u16, record: u16, weight: u16) -> Hop {
        let addr = ([192, 0, 2, last], 5060).into();
        Hop { transport: Transport::Udp, addr, name: None, rank: Rank { tier, record, weight } }
    }

    fn order(hops: &[Hop], dice: &mut Dice) -> Vec<u8> {
        let last = |hop: &Hop| match hop.addr.ip() {
            std::net::IpAddr::V4(ip) => ip.octets()[3],
            std::net::IpAddr::V6(_) => 0,
        };
        for_a_call(hops, dice).iter().map(last).collect()
    }

    #[test]
    fn calls_share_the_records_by_their_weights_and_the_addresses_of_one_stay_together() {
        let hops = [
            hop(1, 0, 0, 60),
            hop(2, 0, 0, 60), // A second address of the first record.
            hop(3, 0, 1, 30),
            hop(4, 0, 2, 10),
            hop(5, 1, 3, 99),
        ];
        let mut dice = Dice::seeded(2782);
        let mut firsts = [0_usize; 6];
        for _ in 0..10_000 {
            let order = order(&hops, &mut dice);
            firsts[usize::from(order[0])] += 1;
            let at = |last| order.iter().position(|own| *own == last).unwrap();
            assert_eq!(at(2), at(1) + 1, "{order:?}");
            assert_eq!((at(5), order.len()), (4, 5), "the higher priority comes last, and none is lost");
        }
        assert_eq!((firsts[2], firsts[5]), (0, 0));
        for (last, share) in [(1, 6_000_usize), (3, 3_000), (4, 1_000)] {
            assert!(firsts[last].abs_diff(share) < 300, "{last}: {firsts:?}");
        }
    }

    #[test]
    fn hops_without_a_rank_stay_in_the_operators_order() {
        let hops: Vec<Hop> = (1..=5).map(|last| hop(last, 0, 0, 0)).collect();
        let mut dice = Dice::seeded(1);
        assert!((0..100).all(|_| order(&hops, &mut dice) == [1, 2, 3, 4, 5]));
        assert!(order(&[], &mut dice).is_empty());
    }

    #[test]
    fn records_of_weight_nothing_have_a_small_chance_and_an_end() {
        let hops = [hop(1, 0, 0, 0), hop(2, 0, 1, 99), hop(3, 0, 2, 0)];
        let mut dice = Dice::seeded(9);
        let firsts = (0..10_000).map(|_| order(&hops, &mut dice)[0]).filter(|first| *first != 2).count();
        assert!((20..=300).contains(&firsts), "{firsts}");
    }
}
