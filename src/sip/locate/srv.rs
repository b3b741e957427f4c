//! The order among SRV records: by priority, and by drawn weight within one (RFC 2782).

use std::sync::Arc;

use super::super::shares::{self, Share};
use super::SRV_MAX;
use crate::id::Dice;

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower first.
    pub priority: u16,
    /// Share among those of one priority.
    pub weight: u16,
    /// Where the host listens.
    pub port: u16,
    /// The host; `.`: the service is decidedly not offered.
    pub target: Arc<str>,
}

/// At most [`SRV_MAX`] records in the order in which they are tried.
pub(super) fn in_order(mut records: Vec<Srv>, dice: &mut Dice) -> Vec<Srv> {
    records.sort_by_key(|record| record.priority);
    records.truncate(SRV_MAX);
    let share = |record: &Srv| Share { priority: record.priority, weight: record.weight };
    let shares: Vec<Share> = records.iter().map(share).collect();
    shares::draw(&shares, dice).into_iter().map(|place| records[place].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5060, target: target.into() }
    }

    fn firsts(records: &[Srv], draws: u64) -> impl Fn(&str) -> usize + use<> {
        let mut dice = Dice::seeded(2782);
        let first: Vec<Arc<str>> =
            (0..draws).map(|_| in_order(records.to_vec(), &mut dice)[0].target.clone()).collect();
        move |name| first.iter().filter(|one| &***one == name).count()
    }

    #[test]
    fn the_share_of_firsts_follows_the_weights() {
        let count = firsts(&[srv(1, 60, "a"), srv(1, 30, "b"), srv(1, 10, "c"), srv(2, 99, "z")], 10_000);
        for (name, share) in [("a", 6_000), ("b", 3_000), ("c", 1_000), ("z", 0)] {
            let seen = count(name);
            assert!(seen.abs_diff(share) < 300, "{name}: {seen}, not about {share}");
        }
    }

    #[test]
    fn weight_nothing_has_a_small_chance_and_equals_of_it_an_end() {
        let count = firsts(&[srv(1, 0, "idle"), srv(1, 99, "busy")], 10_000);
        assert!((20..=300).contains(&count("idle")), "{}", count("idle"));
        let mut dice = Dice::seeded(1);
        let ordered = in_order(vec![srv(1, 0, "a"), srv(1, 0, "b")], &mut dice);
        assert_eq!(ordered.len(), 2);
    }

    #[test]
    fn a_lower_priority_comes_first_whatever_the_weights_and_the_list_is_bounded() {
        let mut dice = Dice::seeded(3);
        let many = (0..100).map(|n| srv(100 - n, 1, &format!("h{n}"))).collect();
        let ordered = in_order(many, &mut dice);
        assert_eq!(ordered.len(), SRV_MAX);
        assert!(ordered.is_sorted_by_key(|record| record.priority));
        assert_eq!(&*ordered[0].target, "h99");
    }
}
