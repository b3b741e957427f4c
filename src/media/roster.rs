//! Who is served when: short lists by tick, kept up to date as legs come, go and change their path.
//!
//! What serving means is for the engine to say.

use super::order::{Group, PortSlot};

/// Phase groups: a tick every 5 ms serves one of them, so each is served every 20 ms.
pub const PHASES: usize = 4;

/// The phase in which a group is served: all its legs in one tick.
pub fn phase_of(group: Group) -> usize {
    (group.0 % PHASES as u64) as usize
}

const NOWHERE: u32 = u32::MAX;

/// Slots by phase, each at most once per phase. Adding and removing take constant time.
#[derive(Debug, Default)]
pub struct Roster {
    lists: [Vec<PortSlot>; PHASES],
    places: Vec<[u32; PHASES]>,
}

impl Roster {
    /// The slots of `phase`, in no order that means anything.
    pub fn list(&self, phase: usize) -> &[PortSlot] {
        &self.lists[phase % PHASES]
    }

    /// Puts `slot` on the list of `phase`.
    pub fn add(&mut self, slot: PortSlot, phase: usize) {
        let (index, phase) = (slot.0 as usize, phase % PHASES);
        if self.places.len() <= index {
            self.places.resize(index + 1, [NOWHERE; PHASES]);
        }
        if self.places[index][phase] == NOWHERE {
            self.places[index][phase] = self.lists[phase].len() as u32;
            self.lists[phase].push(slot);
        }
    }

    /// Takes `slot` off the list of `phase`.
    pub fn remove(&mut self, slot: PortSlot, phase: usize) {
        let (index, phase) = (slot.0 as usize, phase % PHASES);
        let Some(places) = self.places.get_mut(index) else {
            return;
        };
        let place = std::mem::replace(&mut places[phase], NOWHERE);
        if place == NOWHERE {
            return;
        }
        self.lists[phase].swap_remove(place as usize);
        if let Some(moved) = self.lists[phase].get(place as usize) {
            self.places[moved.0 as usize][phase] = place;
        }
    }

    /// Takes `slot` off all lists.
    pub fn remove_everywhere(&mut self, slot: PortSlot) {
        (0..PHASES).for_each(|phase| self.remove(slot, phase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_leave_without_disturbing_the_others() {
        let mut roster = Roster::default();
        for slot in 0..10 {
            roster.add(PortSlot(slot), 1);
            roster.add(PortSlot(slot), 1);
        }
        roster.add(PortSlot(4), 3);
        for slot in [0, 9, 4, 4] {
            roster.remove(PortSlot(slot), 1);
        }
        let mut left: Vec<u32> = roster.list(1).iter().map(|slot| slot.0).collect();
        left.sort_unstable();
        assert_eq!(left, [1, 2, 3, 5, 6, 7, 8]);
        assert_eq!(roster.list(3), [PortSlot(4)]);
        roster.remove_everywhere(PortSlot(4));
        assert!(roster.list(3).is_empty());
    }
}
