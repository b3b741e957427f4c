//! What is known of each trunk while the house runs: its hops' health, its room and its pace.
//!
//! Which way a call takes is for `hunt`; who asks a hop for signs of life is `proving`. Every table
//! here is as long as the plan: trunks, and their hops.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::event::{Config, Probe, TrunkConfig, TrunkNow, WayFailed};
use super::registering::Registrant;
use super::vouching::Vouched;
use crate::id::{Dice, TrunkId};
use crate::time::Instant;

/// Longest that Retry-After makes a hop rest: a peer's slip of the pen must not cost a trunk its day.
const REST_MAX: Duration = Duration::from_secs(300);
/// A hop that was silent or unreachable is passed over for so long, so that not every call pays for it.
pub(super) const REST_AFTER_SILENCE: Duration = Duration::from_secs(10);
/// Most new calls in a second that are kept apart, whatever the plan says.
const PACE_MAX: usize = 10_000;
/// Shortest time between two OPTIONS to one hop.
const PROBE_EVERY_MIN: Duration = Duration::from_secs(1);

/// All of them, by name.
#[derive(Default)]
pub(super) struct Trunks(BTreeMap<TrunkId, TrunkState>);

/// One of them.
#[derive(Default)]
pub(super) struct TrunkState {
    calls: u32,
    /// When the calls outward of the last second began.
    begun: VecDeque<Instant>,
    attempts: u64,
    failed: [u64; WayFailed::ALL.len()],
    keys_refused: u64,
    pub(super) hops: Vec<HopState>,
    /// What was told last.
    up_told: Option<bool>,
    pub(super) registrant: Option<Registrant>,
    pub(super) vouched: Vouched,
}

/// One hop of a trunk.
pub(super) struct HopState {
    pub(super) addr: SocketAddr,
    rests_until: Option<Instant>,
    health: Health,
    /// When its next OPTIONS is due.
    pub(super) probe_at: Option<Instant>,
    /// The OPTIONS whose answer is waited for, by its number.
    pub(super) asked: Option<u64>,
}

/// Up or down, with hysteresis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Health {
    up: bool,
    /// Results in a row that speak for the other.
    run: u32,
}

impl Health {
    const UP: Health = Health { up: true, run: 0 };

    /// Takes one result.
    fn note(&mut self, alive: bool, probe: &Probe) {
        if alive == self.up {
            self.run = 0;
            return;
        }
        self.run += 1;
        let enough = if self.up { probe.down_after } else { probe.up_after };
        if self.run >= enough.max(1) {
            *self = Health { up: alive, run: 0 };
        }
    }
}

/// Whether a trunk takes one more call of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    Full,
    /// Too many began within the last second.
    Pace,
}

impl Trunks {
    /// Takes over a plan: what is known of a trunk or a hop that stays is kept. `dice` spread the
    /// hops' first OPTIONS, so that a restart does not ask all of them at once.
    pub(super) fn configure(&mut self, config: &Config, dice: &mut Dice, now: Instant) {
        self.0.retain(|name, _| config.trunks.iter().any(|trunk| trunk.trunk == *name));
        for trunk in &config.trunks {
            let state = self.0.entry(trunk.trunk.clone()).or_default();
            if state.vouched.configure(trunk.account.as_ref())
                && let Some(registrant) = &mut state.registrant
            {
                registrant.try_again(now);
            }
            let mut hops = Vec::with_capacity(trunk.hops.len());
            for hop in &trunk.hops {
                let known = state.hops.iter().position(|known| known.addr == hop.addr);
                let mut kept = known.map_or_else(|| HopState::new(hop.addr), |at| state.hops.swap_remove(at));
                match &trunk.probe {
                    Some(probe) if kept.probe_at.is_none() => {
                        let span = probe.every.max(PROBE_EVERY_MIN).as_millis();
                        let phase = dice.below(u64::try_from(span).unwrap_or(u64::MAX));
                        kept.probe_at = Some(now + Duration::from_millis(phase));
                    }
                    Some(_) => {}
                    // Nobody asks any more: it counts as up.
                    None => (kept.probe_at, kept.asked, kept.health) = (None, None, Health::UP),
                }
                hops.push(kept);
            }
            state.hops = hops;
        }
    }

    pub(super) fn get(&self, trunk: &TrunkId) -> Option<&TrunkState> {
        self.0.get(trunk)
    }

    pub(super) fn get_mut(&mut self, trunk: &TrunkId) -> Option<&mut TrunkState> {
        self.0.get_mut(trunk)
    }

    /// Counts sessions anew, one for each name: a trunk that a plan left out and another one has again
    /// still bears those that began before.
    pub(super) fn recount<'a>(&mut self, sessions: impl Iterator<Item = &'a TrunkId>) {
        self.0.values_mut().for_each(|state| state.calls = 0);
        sessions.for_each(|trunk| self.enter(trunk));
    }

    /// One more session with a trunk.
    pub(super) fn enter(&mut self, trunk: &TrunkId) {
        if let Some(state) = self.0.get_mut(trunk) {
            state.calls += 1;
        }
    }

    /// A call by it in which keys were not taken by INFO. Whether it is the first.
    pub(super) fn note_keys_refused(&mut self, trunk: &TrunkId) -> bool {
        let Some(state) = self.0.get_mut(trunk) else { return false };
        state.keys_refused += 1;
        state.keys_refused == 1
    }

    /// One less.
    pub(super) fn leave(&mut self, trunk: &TrunkId) {
        if let Some(state) = self.0.get_mut(trunk) {
            state.calls = state.calls.saturating_sub(1);
        }
    }

    /// Whether a trunk takes no more sessions, in either direction.
    pub(super) fn is_full(&self, trunk: &TrunkConfig) -> bool {
        let calls = self.0.get(&trunk.trunk).map_or(0, |state| state.calls);
        trunk.calls_max > 0 && calls >= trunk.calls_max
    }

    /// Whether a call of ours may begin. [`Trunks::begin`] takes the place.
    pub(super) fn room(&mut self, trunk: &TrunkConfig, now: Instant) -> Room {
        if self.is_full(trunk) {
            return Room::Full;
        }
        let Some(state) = self.0.get_mut(&trunk.trunk) else { return Room::Free };
        // Counted in a sliding second, as carriers do: a bucket would let twice as many through at
        // its edge.
        while state.begun.front().is_some_and(|begun| now.since(*begun) >= Duration::from_secs(1)) {
            state.begun.pop_front();
        }
        let most = usize::try_from(trunk.calls_per_second).unwrap_or(PACE_MAX).min(PACE_MAX);
        match most > 0 && state.begun.len() >= most {
            true => Room::Pace,
            false => Room::Free,
        }
    }

    /// An attempt goes out by a trunk.
    pub(super) fn begin(&mut self, trunk: &TrunkConfig, now: Instant) {
        if let Some(state) = self.0.get_mut(&trunk.trunk) {
            state.attempts += 1;
            // An emergency may come on top of a full second; then the oldest makes room.
            if trunk.calls_per_second > 0 {
                if state.begun.len() >= PACE_MAX {
                    state.begun.pop_front();
                }
                state.begun.push_back(now);
            }
        }
    }

    /// A way that was not taken, or led nowhere.
    pub(super) fn count(&mut self, trunk: &TrunkId, why: WayFailed) {
        if let Some(state) = self.0.get_mut(trunk) {
            state.failed[why as usize] += 1;
        }
    }

    /// Lets a hop rest, at most for [`REST_MAX`].
    pub(super) fn rest(&mut self, trunk: &TrunkId, addr: SocketAddr, span: Duration, now: Instant) {
        if let Some(hop) = self.hop(trunk, addr) {
            let until = now + span.min(REST_MAX);
            hop.rests_until = Some(hop.rests_until.map_or(until, |before| before.max(until)));
        }
    }

    /// Takes a sign of life or its absence. Says the trunk's health where that has changed.
    pub(super) fn note(&mut self, trunk: &TrunkConfig, addr: SocketAddr, alive: bool) -> Option<bool> {
        let probe = trunk.probe.as_ref()?;
        self.hop(&trunk.trunk, addr)?.health.note(alive, probe);
        self.told(&trunk.trunk)
    }

    /// A hop took a call: whatever was held against it is over. As [`Trunks::note`].
    pub(super) fn proved(&mut self, trunk: &TrunkId, addr: SocketAddr) -> Option<bool> {
        let hop = self.hop(trunk, addr)?;
        (hop.health, hop.rests_until) = (Health::UP, None);
        self.told(trunk)
    }

    fn told(&mut self, trunk: &TrunkId) -> Option<bool> {
        let state = self.0.get_mut(trunk)?;
        let up = state.is_up();
        let before = state.up_told.replace(up).unwrap_or(true);
        (up != before).then_some(up)
    }

    fn hop(&mut self, trunk: &TrunkId, addr: SocketAddr) -> Option<&mut HopState> {
        self.0.get_mut(trunk)?.hops.iter_mut().find(|hop| hop.addr == addr)
    }

    /// Whether a hop is as good as it gets: up, not resting, and we are registered where we have to be.
    pub(super) fn is_ready(&self, trunk: &TrunkId, addr: SocketAddr, now: Instant) -> bool {
        let Some(state) = self.0.get(trunk) else { return false };
        let registered = state.registrant.as_ref().is_none_or(|registrant| registrant.stands(now));
        let hop = state.hops.iter().find(|hop| hop.addr == addr);
        registered && hop.is_none_or(|hop| hop.health.up && hop.rests_until.is_none_or(|until| until <= now))
    }

    /// All of them as they are, by name.
    pub(super) fn now(&self, config: &Config, now: Instant) -> Vec<TrunkNow> {
        let mut shown = Vec::with_capacity(self.0.len());
        for (name, state) in &self.0 {
            let full = config.trunks.iter().any(|trunk| trunk.trunk == *name && self.is_full(trunk));
            shown.push(TrunkNow {
                trunk: name.clone(),
                up: state.is_up(),
                registered: state.registrant.as_ref().map(|registrant| registrant.stands(now)),
                calls: state.calls,
                full,
                attempts: state.attempts,
                failed: state.failed,
                keys_refused: state.keys_refused,
            });
        }
        shown
    }
}

impl TrunkState {
    /// Whether any hop is up; a trunk whose hops are not known yet is not known to be down.
    fn is_up(&self) -> bool {
        self.hops.is_empty() || self.hops.iter().any(|hop| hop.health.up)
    }

    /// When something about it is due: an OPTIONS, or its registration.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let probe = self.hops.iter().filter_map(|hop| hop.probe_at).min();
        let register = self.registrant.as_ref().and_then(Registrant::poll_timeout);
        probe.into_iter().chain(register).min()
    }
}

impl HopState {
    fn new(addr: SocketAddr) -> Self {
        HopState { addr, rests_until: None, health: Health::UP, probe_at: None, asked: None }
    }

    /// Takes the OPTIONS that is due and sets the next one. `Some(true)`: the last one was not
    /// answered until now.
    pub(super) fn take_probe(&mut self, probe: &Probe, number: u64, now: Instant) -> Option<bool> {
        self.probe_at.filter(|at| *at <= now)?;
        self.probe_at = Some(now + probe.every.max(PROBE_EVERY_MIN));
        Some(self.asked.replace(number).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn addr(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 5060))
    }

    fn trunk(calls_max: u32, calls_per_second: u32) -> TrunkConfig {
        let hop = |last| crate::sip::Hop {
            transport: crate::sip::Transport::Udp,
            addr: addr(last),
            name: None,
            rank: Default::default(),
        };
        TrunkConfig {
            hops: vec![hop(1), hop(2)],
            calls_max,
            calls_per_second,
            probe: Some(Probe { every: Duration::from_secs(10), down_after: 3, up_after: 2 }),
            ..TrunkConfig::named("t".into())
        }
    }

    fn with(trunk: &TrunkConfig) -> Trunks {
        let mut trunks = Trunks::default();
        let config = Config { trunks: vec![trunk.clone()], ..Config::default() };
        trunks.configure(&config, &mut Dice::seeded(1), at(0));
        trunks
    }

    #[test]
    fn health_turns_after_enough_results_in_a_row() {
        let probe = Probe { every: Duration::from_secs(10), down_after: 3, up_after: 2 };
        // Results as they come, `+` alive and `-` not, and what is thought of the hop after each.
        for (results, wanted) in [
            ("---", "uud"),
            ("--+--", "uuuuu"),
            ("---++", "uuddu"),
            ("---+-+", "uudddd"),
            ("---++---", "uudduuud"),
        ] {
            let mut health = Health::UP;
            let mut seen = String::new();
            for result in results.chars() {
                health.note(result == '+', &probe);
                seen.push(if health.up { 'u' } else { 'd' });
            }
            assert_eq!(seen, wanted, "{results}");
        }
    }

    #[test]
    fn a_trunk_is_down_when_its_last_hop_is_and_says_so_once() {
        let trunk = trunk(0, 0);
        let mut trunks = with(&trunk);
        let mut told = Vec::new();
        for last in [1, 1, 1, 2, 2, 2, 2] {
            told.extend(trunks.note(&trunk, addr(last), false));
        }
        assert_eq!(told, [false]);
        assert!(!trunks.is_ready(&trunk.trunk, addr(1), at(0)));
        assert_eq!(trunks.proved(&trunk.trunk, addr(2)), Some(true), "one call that is taken is enough");
        assert!(trunks.is_ready(&trunk.trunk, addr(2), at(0)));
    }

    #[test]
    fn calls_are_bounded_at_once_and_in_any_second() {
        let trunk = trunk(4, 2);
        let mut trunks = with(&trunk);
        // Instant, and whether a call may begin; each that may does.
        for (ms, wanted) in [
            (0, Room::Free),
            (600, Room::Free),
            (999, Room::Pace),
            (1_000, Room::Free),
            (1_599, Room::Pace),
            (1_600, Room::Free),
            (2_700, Room::Full),
        ] {
            assert_eq!(trunks.room(&trunk, at(ms)), wanted, "{ms}");
            if wanted == Room::Free {
                trunks.begin(&trunk, at(ms));
                trunks.enter(&trunk.trunk);
            }
        }
        trunks.leave(&trunk.trunk);
        assert_eq!(trunks.room(&trunk, at(2_700)), Room::Free);
    }

    #[test]
    fn a_hop_rests_for_a_bounded_time_and_never_shorter_than_it_was_told() {
        let trunk = trunk(0, 0);
        let mut trunks = with(&trunk);
        trunks.rest(&trunk.trunk, addr(1), Duration::from_secs(86_400), at(0));
        trunks.rest(&trunk.trunk, addr(1), Duration::from_secs(1), at(0));
        let end = u64::try_from(REST_MAX.as_millis()).unwrap();
        assert!(!trunks.is_ready(&trunk.trunk, addr(1), at(end - 1)));
        assert!(trunks.is_ready(&trunk.trunk, addr(1), at(end)));
        assert!(trunks.is_ready(&trunk.trunk, addr(2), at(0)), "the other one does not");
    }

    #[test]
    fn a_new_plan_keeps_what_is_known_of_hops_that_stay() {
        let mut trunk = trunk(0, 0);
        let mut trunks = with(&trunk);
        for _ in 0..3 {
            trunks.note(&trunk, addr(2), false);
        }
        trunk.hops.remove(0);
        let config = |trunk: &TrunkConfig| Config { trunks: vec![trunk.clone()], ..Config::default() };
        trunks.configure(&config(&trunk), &mut Dice::seeded(1), at(5));
        assert!(!trunks.is_ready(&trunk.trunk, addr(2), at(5)));
        trunk.probe = None;
        trunks.configure(&config(&trunk), &mut Dice::seeded(1), at(5));
        assert!(trunks.is_ready(&trunk.trunk, addr(2), at(5)), "nobody asks it any more");
        trunks.configure(&Config::default(), &mut Dice::seeded(1), at(5));
        assert!(trunks.get(&trunk.trunk).is_none());
    }

    #[test]
    fn the_first_options_of_many_hops_do_not_fall_together() {
        let mut plan = trunk(0, 0);
        let hop = plan.hops[0].clone();
        plan.hops = (1..=40).map(|last| crate::sip::Hop { addr: addr(last), ..hop.clone() }).collect();
        let trunks = with(&plan);
        let mut phases: Vec<_> =
            trunks.get(&plan.trunk).unwrap().hops.iter().map(|hop| hop.probe_at.unwrap()).collect();
        phases.sort();
        assert!(phases[0] < at(2_000) && phases[39] > at(8_000) && phases[39] < at(10_000), "{phases:?}");
    }
}
