//! Who may hold a connection: so many a listener, so many an address, and so many that have not said
//! anything yet.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::connection::Why;

/// All connections of one listener.
#[derive(Debug, Default)]
pub(super) struct Guests {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
    /// Those that have not sent a whole message or a ping, oldest first.
    strangers: BTreeMap<u64, mpsc::Sender<Why>>,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    guests: Arc<Guests>,
    id: u64,
    source: IpAddr,
}

impl Guests {
    /// A place for `id` from `source`, or `None` where there is none.
    pub(super) fn admit(
        self: &Arc<Self>,
        id: u64,
        source: IpAddr,
        total_max: usize,
        source_max: usize,
    ) -> Option<Pass> {
        let mut inside = self.inside();
        let held = inside.by_source.get(&source).copied().unwrap_or(0);
        if inside.total >= total_max || held >= source_max {
            return None;
        }
        inside.total += 1;
        inside.by_source.insert(source, held + 1);
        drop(inside);
        Some(Pass { guests: self.clone(), id, source })
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// It has come in and not spoken yet; `stop` ends it. Where there are more than `most` of these,
    /// the one that has been silent longest is ended: whoever means it speaks at once.
    pub(super) fn arrive(&self, stop: mpsc::Sender<Why>, most: usize) {
        let mut inside = self.guests.inside();
        inside.strangers.insert(self.id, stop);
        if inside.strangers.len() > most
            && let Some((_, oldest)) = inside.strangers.pop_first()
        {
            // It is ending anyway where this finds no place.
            let _ = oldest.try_send(Why::NoRoom);
        }
    }

    /// It has spoken.
    pub(super) fn speak(&self) {
        self.guests.inside().strangers.remove(&self.id);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.guests.inside();
        inside.total -= 1;
        inside.strangers.remove(&self.id);
        if let Some(held) = inside.by_source.get_mut(&self.source) {
            *held -= 1;
            if *held == 0 {
                inside.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_been_silent_longest_gives_way() {
        let guests = Arc::new(Guests::default());
        let come = |id| {
            let pass = guests.admit(id, IpAddr::from([192, 0, 2, 1]), 9, 9).unwrap();
            let (stop, stopped) = mpsc::channel(1);
            pass.arrive(stop, 2);
            (pass, stopped)
        };
        let (first, mut first_ends) = come(1);
        let (_second, mut second_ends) = come(2);
        first.speak();
        let (_third, _) = come(3);
        assert!(second_ends.try_recv().is_err(), "who has spoken is none of them");
        let (_fourth, _) = come(4);
        assert_eq!(second_ends.try_recv(), Ok(Why::NoRoom));
        assert!(first_ends.try_recv().is_err());
    }

    #[test]
    fn places_are_counted_by_listener_and_by_source_and_given_back() {
        let guests = Arc::new(Guests::default());
        let [a, b] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        let first = guests.admit(1, a, 3, 2).unwrap();
        let second = guests.admit(2, a, 3, 2).unwrap();
        assert!(guests.admit(3, a, 3, 2).is_none(), "too many from one address");
        let third = guests.admit(4, b, 3, 2).unwrap();
        assert!(guests.admit(5, b, 3, 2).is_none(), "too many in all");
        drop(first);
        let fourth = guests.admit(6, a, 3, 2).unwrap();
        drop((second, third, fourth));
        let inside = guests.inside();
        assert!(inside.total == 0 && inside.by_source.is_empty() && inside.strangers.is_empty());
    }
}
