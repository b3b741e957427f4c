//! Matters that an earlier life of the house was to hand on at once: after a restart their clocks go on, by what was
//! told of them. Nobody can be asked into a call that is over; a ticket office may take the event still.

use std::collections::{BTreeMap, BTreeSet};

use super::Switchboard;
use super::fact::{Fact, What};
use super::request::AtOnce;
use crate::id::CallId;
use crate::tickets::event::EventRef;
use crate::time::{Now, Timestamp};

/// A matter that was not handed on when the house went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhanded {
    /// The fact by which it was said, and its event.
    pub event: EventRef,
    /// When.
    pub said_at: Timestamp,
    /// What is to be done.
    pub at_once: AtOnce,
    /// Whether it was told that it is late.
    pub is_told: bool,
    /// Of the call's last fact.
    pub sequence: u32,
    /// Places of the sinks that have not taken the event; `None`: one that the plan has no more.
    pub untaken: BTreeSet<Option<usize>>,
}

/// Goes through what was said of calls, and of their being handed on, each call's in order.
#[derive(Default)]
pub struct Fold {
    calls: BTreeMap<CallId, State>,
}

enum State {
    Owed(Unhanded),
    /// By this code.
    Handed(String),
}

impl State {
    fn code(&self) -> &str {
        match self {
            State::Owed(own) => &own.at_once.code,
            State::Handed(code) => code,
        }
    }
}

impl Fold {
    /// Takes a fact in; others than those two say nothing here.
    pub fn apply(&mut self, fact: &Fact) {
        match &fact.what {
            What::Disposed(disposed) => {
                let said = disposed.immediate.as_ref();
                let known = self.calls.get(&fact.call).map(State::code);
                if known.is_some() && known == said.map(|own| own.code.as_str()) {
                    return; // Said again: the clock goes on, or has come to its end.
                }
                self.calls.remove(&fact.call); // It is another matter now.
                let Some(at_once) = said else { return };
                let unhanded = Unhanded {
                    event: EventRef { call: fact.call, sequence: fact.sequence },
                    said_at: fact.at,
                    at_once: at_once.clone(),
                    is_told: false,
                    sequence: fact.sequence,
                    untaken: BTreeSet::new(),
                };
                self.calls.insert(fact.call, State::Owed(unhanded));
            }
            What::HandOn(told) => {
                let Some(state) = self.calls.get_mut(&fact.call) else { return };
                match state {
                    State::Owed(own) if own.at_once.code == told.code && told.handed => {
                        *state = State::Handed(told.code.clone());
                    }
                    State::Owed(own) if own.at_once.code == told.code => own.is_told = true,
                    State::Owed(_) | State::Handed(_) => {}
                }
            }
            _ => {}
        }
    }

    /// What is owed still, by its calls. Their last facts, and who has not taken their events, are for the caller to say.
    pub fn owed(self) -> Vec<Unhanded> {
        let owed = self.calls.into_values().filter_map(|state| match state {
            State::Owed(own) => Some(own),
            State::Handed(_) => None,
        });
        owed.collect()
    }
}

impl Switchboard {
    /// Takes up matters that were to be handed on before a restart: what ran out meanwhile is told as soon as time is
    /// looked at, what was told before is not told again.
    pub(super) fn restore_hand_ons(&mut self, owed: Vec<Unhanded>, now: Now) {
        for unhanded in owed {
            let EventRef { call, .. } = unhanded.event;
            self.records.resume(call, unhanded.sequence, now);
            let handed_on = self.hand_ons.restore(unhanded, now);
            self.handed_on(call, handed_on, now);
        }
    }
}
