//! Whom a flow turns to: an adapter that is asked, and somebody who is rung for the caller.

use std::collections::BTreeMap;
use std::time::Duration;

use super::script::Acting;
use super::{Call, Command, Doing, LookedUp, NotRelayed, Timer, Told};
use crate::routing::script::{LookUp, Relay, Target, Transfer};
use crate::time::Now;

/// An answer is told within the source's time-out, and its way here takes no longer than this: what has not
/// come by then does not come.
const ANSWER_LATE: Duration = Duration::from_secs(1);

impl Call {
    /// Asks an adapter. What is not known cannot be asked by: nothing is found.
    pub(super) fn look_up(&mut self, look_up: LookUp, now: Now) {
        let Some(timeout) = self.plan.look_ups.get(&look_up.source).map(|source| source.timeout) else {
            return self.go_to_person(now);
        };
        let value =
            |(theirs, ours): (&String, &String)| Some((theirs.clone(), self.service.value(ours)?.to_owned()));
        let by: Option<BTreeMap<String, String>> = look_up.with.iter().map(value).collect();
        let Some(by) = by else { return self.nothing_found(&look_up, now) };
        if let Some(music) = &look_up.music {
            self.play_for_ever(music);
        }
        self.service.asked += 1;
        let (asked, source) = (self.service.asked, look_up.source.clone());
        self.timers.set(Timer::Act, now.mono + timeout + ANSWER_LATE);
        self.doing = Doing::Serving(Acting::LookingUp { look_up, since: now.mono });
        self.push(Command::LookUp { asked, source, by });
    }

    /// What an adapter says. Of a question that is waited for no more it is passed over.
    pub(super) fn looked_up(&mut self, asked: u32, said: LookedUp, now: Now) {
        let Doing::Serving(Acting::LookingUp { look_up, since }) = &self.doing else { return };
        if self.service.asked != asked {
            return;
        }
        let (look_up, took) = (look_up.clone(), now.mono.since(*since));
        self.timers.cancel(Timer::Act);
        self.tell(Told::LookedUp { source: look_up.source.clone(), answer: said.answer(), took });
        match said {
            LookedUp::Found(values) => {
                let source = self.plan.look_ups.get(&look_up.source);
                let says = |name: &str| source.is_some_and(|source| source.says.contains(name));
                for (name, text) in values.iter().filter(|(name, _)| says(name)) {
                    self.service.keep(name, text, true);
                }
                self.next_act(now);
            }
            LookedUp::Missing => self.nothing_found(&look_up, now),
            LookedUp::Locked | LookedUp::Failed => match &look_up.failed {
                Some(script) => self.go_on_in(script, now),
                None => self.go_to_person(now),
            },
        }
    }

    fn nothing_found(&mut self, look_up: &LookUp, now: Now) {
        match &look_up.missing {
            Some(script) => self.go_on_in(script, now),
            None => self.next_act(now),
        }
    }

    /// Rings somebody. Whom nobody may ring, or who is not there at this hour, does not answer.
    pub(super) fn ring_for_caller(&mut self, transfer: Transfer, now: Now) {
        self.service.on_failure = transfer.failed;
        match transfer.to {
            Target::Peer(peer) if peer.hours.are_open(now.wall, &self.plan.city.time_zone) => {
                self.dial(peer, false, None, now);
            }
            Target::Peer(_) => self.not_reached(now),
            Target::Value(relay) => self.relay(&relay, now),
        }
    }

    /// Asks whether the number that an adapter gave may be rung once more.
    fn relay(&mut self, relay: &Relay, now: Now) {
        let number = self.service.looked_up(&relay.name).unwrap_or_default().to_owned();
        let Ok(peer) = self.plan.relayable(&number) else {
            let why = if number.is_empty() { NotRelayed::Unknown } else { NotRelayed::NotAllowed };
            self.tell(Told::NotRelayed { name: relay.name.clone(), why, number });
            return self.not_reached(now);
        };
        let (number, most, within) = (peer.number.clone(), relay.most, relay.within);
        self.timers.set(Timer::Act, now.mono + ANSWER_LATE);
        self.doing = Doing::Serving(Acting::Relaying { peer });
        self.push(Command::Relay { number, most, within });
    }

    /// It may, or was rung too often.
    pub(super) fn relay_judged(&mut self, may: bool, now: Now) {
        let Doing::Serving(Acting::Relaying { peer }) = &self.doing else { return };
        let peer = peer.clone();
        self.timers.cancel(Timer::Act);
        if !may {
            self.tell(Told::RelayDeclined { number: peer.number });
            return self.not_reached(now);
        }
        self.dial(peer, false, None, now);
        if let Some(other) = &mut self.other {
            other.relayed = true;
        }
    }

    /// Nobody answers whom the flow rang: it goes on.
    pub(super) fn not_reached(&mut self, now: Now) {
        match self.service.on_failure.take() {
            Some(script) => self.go_on_in(&script, now),
            None => self.next_act(now),
        }
    }
}
