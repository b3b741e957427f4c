//! One trunk's names, from one lookup to the next.

use std::time::Duration;

use tokio::task::JoinSet;

use super::Pace;
use super::dns::Dns;
use crate::id::{Dice, TrunkId};
use crate::sip::locate::{Destination, Located, Locator, Lost, Output, Reach};
use crate::sip::{Hop, Rank};

pub(super) struct Watch {
    pub(super) trunk: TrunkId,
    pub(super) targets: Vec<Destination>,
    pub(super) reach: Reach,
    pub(super) pace: Pace,
    pub(super) dns: Dns,
    pub(super) dice: Dice,
    pub(super) tell: Box<dyn Fn(Vec<Hop>) + Send + Sync>,
}

/// One target: its last good hops, and how often in a row none came since.
#[derive(Clone, Default)]
struct Known {
    hops: Vec<Hop>,
    failures: u32,
}

impl Watch {
    /// Until it is aborted.
    pub(super) async fn run(mut self) {
        let mut known = vec![Known::default(); self.targets.len()];
        let mut told: Vec<Hop> = Vec::new();
        loop {
            let mut pause = self.pace.age_max;
            for (target, known) in self.targets.iter().zip(&mut known) {
                let locator = Locator::new(target.clone(), self.reach.clone(), self.dice.split());
                pause = pause.min(self.learn(target, known, look_up(locator, &self.dns, self.pace).await));
            }
            let hops = one_after_another(known.iter().map(|known| &known.hops[..]));
            if hops != told && !hops.is_empty() {
                tracing::info!(trunk = %self.trunk, hops = hops.len(), first = %hops[0].addr, "trunk located");
                (self.tell)(hops.clone());
                told = hops;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Takes the outcome of one lookup, and says when the next one is wanted.
    fn learn(&self, target: &Destination, known: &mut Known, found: Result<Located, Lost>) -> Duration {
        match found {
            Ok(Located { hops, ttl }) => {
                if known.failures > 0 {
                    tracing::info!(trunk = %self.trunk, target = %target.host, "found again");
                }
                *known = Known { hops, failures: 0 };
                ttl.unwrap_or(self.pace.age_max)
            }
            Err(why) => {
                if known.failures == 0 {
                    let kept = known.hops.len();
                    tracing::warn!(trunk = %self.trunk, target = %target.host, %why, kept, "not found: what was known stays");
                }
                known.failures = known.failures.saturating_add(1);
                back_off(self.pace, known.failures)
            }
        }
    }
}

/// The hops of several targets: those of an earlier one are tried before those of a later one.
fn one_after_another<'a>(targets: impl Iterator<Item = &'a [Hop]>) -> Vec<Hop> {
    let mut all: Vec<Hop> = Vec::new();
    for hops in targets {
        let first_tier = all.iter().map(|hop| hop.rank.tier + 1).max().unwrap_or(0);
        for hop in hops {
            if !all.iter().any(|known| known.is_same_door(hop)) {
                let rank = Rank { tier: first_tier.saturating_add(hop.rank.tier), ..hop.rank };
                all.push(Hop { rank, ..hop.clone() });
            }
        }
    }
    all
}

/// The pause after so many failures in a row.
fn back_off(pace: Pace, failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    pace.retry_first.saturating_mul(doubled).min(pace.retry_max)
}

/// Runs the machine: its open questions side by side, each for a bounded time.
async fn look_up(mut locator: Locator, dns: &Dns, pace: Pace) -> Result<Located, Lost> {
    let mut open = JoinSet::new();
    loop {
        while let Some(output) = locator.poll_output() {
            match output {
                Output::Ask(question) => {
                    let dns = dns.clone();
                    open.spawn(async move {
                        let answer = dns.ask(&question, pace.question).await;
                        (question, answer)
                    });
                }
                Output::Located(located) => return Ok(located),
                Output::Lost(lost) => return Err(lost),
            }
        }
        match open.join_next().await {
            Some(Ok((question, answer))) => locator.handle_answer(&question, answer),
            // A fault while asking, or a machine that waits for nothing: tried again later.
            Some(Err(_)) | None => return Err(Lost::Unanswered),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    #[test]
    fn the_hops_of_an_earlier_target_come_first_and_none_comes_twice() {
        let hop = |port: u16, tier, record| Hop {
            transport: Transport::Udp,
            addr: ([192, 0, 2, 1], port).into(),
            name: None,
            rank: Rank { tier, record, weight: 7 },
        };
        let first = [hop(1, 0, 0), hop(2, 0, 1), hop(3, 1, 2)];
        let second = [hop(2, 0, 0), hop(4, 0, 1)];
        let all = one_after_another([&first[..], &[], &second[..]].into_iter());
        let seen: Vec<_> = all.iter().map(|hop| (hop.addr.port(), hop.rank.tier, hop.rank.record)).collect();
        assert_eq!(seen, [(1, 0, 0), (2, 0, 1), (3, 1, 2), (4, 2, 1)]);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pace = Pace::default();
        let pauses: Vec<u64> = [1, 2, 3, 8, 9, 40, u32::MAX].map(|n| back_off(pace, n).as_secs()).into();
        assert_eq!(pauses, [2, 4, 8, 256, 300, 300, 300]);
    }
}
