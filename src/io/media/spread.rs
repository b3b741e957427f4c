//! Which media thread serves which call: the one of its group, from its first leg to its last.
//!
//! An ordinary call is a group of its own, and its thread can be told from its id. A call that meets
//! others is where their group is, which only its legs' opening says: it is kept as long as one of
//! them is open.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::id::{CallId, LegId};
use crate::media::order::{Fact, Group, LegConfig, Order};

/// Most calls in groups of others; the next one's leg is refused. More than a house has ports for.
const GUESTS_MAX: usize = 65_536;

/// See the module's own words.
pub(super) struct Spread {
    shards: usize,
    guests: HashMap<CallId, Guest>,
}

/// A call in a group that is not its own.
struct Guest {
    shard: usize,
    /// Legs that are open, or being opened.
    legs: u32,
    /// Its recording runs, and goes on without legs until it is stopped.
    recorded: bool,
}

impl Guest {
    fn is_gone(&self) -> bool {
        self.legs == 0 && !self.recorded
    }
}

impl Spread {
    pub(super) fn new(shards: usize) -> Self {
        Spread { shards, guests: HashMap::new() }
    }

    /// The thread that a leg is opened on. `None`: there is no room to remember it.
    pub(super) fn place(&self, leg: LegId, config: &LegConfig) -> Option<usize> {
        if config.group == Group::of_call(leg.call) {
            return Some(self.of_group(config.group));
        }
        match self.guests.get(&leg.call) {
            Some(guest) => Some(guest.shard), // A call is in one group.
            None => (self.guests.len() < GUESTS_MAX).then(|| self.of_group(config.group)),
        }
    }

    /// A leg is given to the thread of its [`Spread::place`].
    pub(super) fn opened(&mut self, leg: LegId, config: &LegConfig, shard: usize) {
        if config.group != Group::of_call(leg.call) {
            self.guests.entry(leg.call).or_insert(Guest { shard, legs: 0, recorded: false }).legs += 1;
        }
    }

    /// Where the call's only leg is, and where it goes with its new group. `None`: there is no room to
    /// remember it.
    pub(super) fn way(&self, call: CallId, group: Group) -> Option<(usize, usize)> {
        let from = self.guests.get(&call).map_or_else(|| self.of_group(Group::of_call(call)), |it| it.shard);
        let is_known = group == Group::of_call(call) || self.guests.contains_key(&call);
        (is_known || self.guests.len() < GUESTS_MAX).then(|| (from, self.of_group(group)))
    }

    /// The leg is there.
    pub(super) fn moved(&mut self, call: CallId, group: Group) {
        if group == Group::of_call(call) {
            self.guests.remove(&call);
        } else {
            let guest = Guest { shard: self.of_group(group), legs: 1, recorded: false };
            self.guests.insert(call, guest);
        }
    }

    /// The thread that has all legs of the call that an order is about.
    pub(super) fn of_order(&mut self, order: &Order) -> usize {
        let call = call_of(order);
        let Some(guest) = self.guests.get_mut(&call) else {
            return self.of_group(Group::of_call(call));
        };
        let shard = guest.shard;
        match order {
            Order::Record { .. } => guest.recorded = true,
            Order::StopRecord { .. } => guest.recorded = false,
            _ => {}
        }
        if guest.is_gone() {
            self.guests.remove(&call);
        }
        shard
    }

    /// What a thread told: with its last leg, and the end of its recording, a call is forgotten.
    pub(super) fn told(&mut self, fact: &Fact) {
        let Fact::Closed { leg, .. } = fact else { return };
        if let Some(guest) = self.guests.get_mut(&leg.call) {
            guest.legs = guest.legs.saturating_sub(1);
            if guest.is_gone() {
                self.guests.remove(&leg.call);
            }
        }
    }

    fn of_group(&self, group: Group) -> usize {
        let mut hasher = DefaultHasher::new(); // Ids are our own: no key is needed against attackers.
        group.hash(&mut hasher);
        (hasher.finish() % self.shards as u64) as usize
    }
}

/// Whose an order is.
pub(super) fn call_of(order: &Order) -> CallId {
    match order {
        Order::Open { leg, .. }
        | Order::Change { leg, .. }
        | Order::Close { leg }
        | Order::Play { leg, .. }
        | Order::Quiet { leg }
        | Order::Bridge { a: leg, .. }
        | Order::Part { a: leg, .. }
        | Order::Join { leg, .. }
        | Order::Leave { leg }
        | Order::Move { leg, .. }
        | Order::SendDigits { leg, .. } => leg.call,
        Order::Record { call, .. }
        | Order::TurnRecord { call, .. }
        | Order::StopRecord { call }
        | Order::PauseRecord { call }
        | Order::ResumeRecord { call } => *call,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::media::order::{Codec, ConferenceId, Flow, LegFigures, PortSlot, Rights, Watches};
    use crate::time::Timestamp;
    use std::time::Duration;

    fn config(group: Group) -> LegConfig {
        LegConfig {
            slot: PortSlot(0),
            group,
            codec: Codec::Pcma,
            payload_type: 8,
            payload_type_in: 8,
            other_in: None,
            dtmf: None,
            remote: ([127, 0, 0, 1], 9).into(),
            remote_rtcp: ([127, 0, 0, 1], 9).into(),
            rtcp_mux: false,
            packet_ms: 20,
            new_peer: false,
            signalling_peer: [127, 0, 0, 1].into(),
            flow: Flow::SendRecv,
            srtp: None,
            silence_max: Duration::ZERO,
            watches: Watches::default(),
            keys_told: false,
        }
    }

    /// One of each order about the call's second leg, or the call.
    fn orders(leg: LegId, config: &LegConfig) -> Vec<Order> {
        let (call, a, b) = (leg.call, leg, LegId { call: leg.call, index: 0 });
        let config = Box::new(config.clone());
        vec![
            Order::Change { leg, config },
            Order::Close { leg },
            Order::Play { leg, sounds: [].into(), repeat: false, mark: 1 },
            Order::Quiet { leg },
            Order::Bridge { a, b },
            Order::Part { a, b },
            Order::Join { leg, conference: ConferenceId(94_000_001), rights: Rights::FULL },
            Order::Leave { leg },
            Order::SendDigits { leg, digits: "1".into() },
            Order::Record { call, caller: b, begun: Timestamp::UNIX_EPOCH, tracks: false },
            Order::PauseRecord { call },
            Order::ResumeRecord { call },
            Order::StopRecord { call },
        ]
    }

    fn closed(leg: LegId) -> Fact {
        Fact::Closed { leg, slot: PortSlot(0), figures: Box::new(LegFigures::default()) }
    }

    #[test]
    fn all_orders_of_a_call_go_to_one_thread_and_calls_are_spread() {
        let mut dice = Dice::seeded(3);
        let mut spread = Spread::new(4);
        let mut seen = [0; 4];
        for birth in 0..400 {
            let call = CallId::draw(birth, &mut dice);
            let leg = LegId { call, index: 3 };
            let own = config(Group::of_call(call));
            let shard = spread.place(leg, &own).unwrap();
            spread.opened(leg, &own, shard);
            seen[shard] += 1;
            assert!(orders(leg, &own).iter().all(|order| spread.of_order(order) == shard));
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
        assert!(spread.guests.is_empty(), "an ordinary call needs no memory");
    }

    #[test]
    fn all_who_are_in_one_room_are_on_one_thread_and_rooms_are_spread() {
        let mut dice = Dice::seeded(5);
        let mut spread = Spread::new(4);
        let mut seen = [0; 4];
        let mut members = Vec::new();
        for room in 94_000_000..94_000_200 {
            let shared = config(Group::of_conference(ConferenceId(room)));
            let mut shards = Vec::new();
            for _ in 0..3 {
                let leg = LegId::caller(CallId::draw(room, &mut dice));
                let shard = spread.place(leg, &shared).unwrap();
                spread.opened(leg, &shared, shard);
                assert!(orders(leg, &shared).iter().all(|order| spread.of_order(order) == shard));
                shards.push(shard);
                members.push(leg);
            }
            assert!(shards.iter().all(|shard| *shard == shards[0]), "room {room}: {shards:?}");
            seen[shards[0]] += 1;
        }
        assert!(seen.iter().all(|count| *count > 25), "{seen:?}");
        assert_eq!(spread.guests.len(), members.len());
        for leg in members {
            spread.told(&closed(leg));
        }
        assert!(spread.guests.is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn a_guest_is_remembered_until_its_last_leg_closes() {
        let mut spread = Spread::new(64);
        let call = CallId::draw(1, &mut Dice::seeded(1));
        let shared = config(Group::of_conference(ConferenceId(94_000_001)));
        let [a, b] = [0, 1].map(|index| LegId { call, index });
        let shard = spread.place(a, &shared).unwrap();
        assert_ne!(shard, spread.of_order(&Order::Quiet { leg: a }), "this call's own thread is another");
        for leg in [a, b] {
            assert_eq!(spread.place(leg, &shared), Some(shard));
            spread.opened(leg, &shared, shard);
        }
        spread.told(&closed(a));
        assert_eq!(spread.of_order(&Order::Close { leg: b }), shard);
        spread.told(&Fact::Failed { leg: b });
        assert_eq!(spread.of_order(&Order::StopRecord { call }), shard, "its closing follows");
        spread.told(&closed(b));
        assert!(spread.guests.is_empty());
    }

    #[test]
    fn a_guest_whose_legs_failed_is_remembered_until_its_recording_ends() {
        let mut spread = Spread::new(64);
        let call = CallId::draw(1, &mut Dice::seeded(1));
        let shared = config(Group::of_conference(ConferenceId(94_000_001)));
        let leg = LegId::caller(call);
        let shard = spread.place(leg, &shared).unwrap();
        spread.opened(leg, &shared, shard);
        let record = Order::Record { call, caller: leg, begun: Timestamp::UNIX_EPOCH, tracks: false };
        assert_eq!(spread.of_order(&record), shard);
        // Both are told before the call's own end can be heard.
        spread.told(&Fact::Failed { leg });
        spread.told(&closed(leg));
        assert_eq!(spread.of_order(&Order::StopRecord { call }), shard, "where it runs");
        assert!(spread.guests.is_empty());
        // One that is stopped first is forgotten with its leg.
        spread.opened(leg, &shared, shard);
        spread.of_order(&record);
        spread.of_order(&Order::StopRecord { call });
        assert_eq!(spread.of_order(&Order::Close { leg }), shard);
        spread.told(&closed(leg));
        assert!(spread.guests.is_empty());
    }

    #[test]
    fn a_leg_that_goes_over_is_found_where_it_is_and_forgotten_where_it_was() {
        let mut spread = Spread::new(64);
        let call = CallId::draw(1, &mut Dice::seeded(1));
        let leg = LegId::caller(call);
        let (own, room) = (Group::of_call(call), Group::of_conference(ConferenceId(94_000_001)));
        let (from, to) = spread.way(call, room).unwrap();
        assert_ne!(from, to);
        spread.moved(call, room);
        assert!(orders(leg, &config(room)).iter().all(|order| spread.of_order(order) == to));
        assert_eq!(spread.way(call, own), Some((to, from)));
        spread.moved(call, own);
        assert_eq!(spread.of_order(&Order::Quiet { leg }), from);
        assert!(spread.guests.is_empty(), "an ordinary call again");
        spread.moved(call, room);
        spread.told(&closed(leg));
        assert!(spread.guests.is_empty(), "gone where it went");
    }

    #[test]
    fn beyond_the_bound_a_guest_is_refused_and_nobody_else() {
        let mut dice = Dice::seeded(9);
        let mut spread = Spread::new(2);
        let shared = config(Group::of_conference(ConferenceId(94_000_001)));
        let enter = |spread: &mut Spread, dice: &mut Dice| {
            let leg = LegId::caller(CallId::draw(1, dice));
            let shard = spread.place(leg, &shared)?;
            spread.opened(leg, &shared, shard);
            Some(leg)
        };
        let first = enter(&mut spread, &mut dice).unwrap();
        while spread.guests.len() < GUESTS_MAX {
            enter(&mut spread, &mut dice).unwrap();
        }
        assert_eq!(enter(&mut spread, &mut dice), None);
        assert!(
            spread.place(LegId { index: 1, ..first }, &shared).is_some(),
            "its second leg is no new guest"
        );
        let own = CallId::draw(2, &mut dice);
        assert!(spread.place(LegId::caller(own), &config(Group::of_call(own))).is_some());
        spread.told(&closed(first));
        assert!(enter(&mut spread, &mut dice).is_some());
    }
}
