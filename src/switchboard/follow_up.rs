//! Whether callers were helped (回访): a share of those who talked with a clerk, and gave no grade, is called
//! later and asked.
//!
//! A fold over the stream of facts that says whom to call when. After a restart it is folded anew from the
//! facts that the store has kept, as far back as [`KEEP`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::beginning::Beginning;
use super::calling::{HOUSE, Outward, is_own};
use super::fact::{Fact, OutwardPurpose, Subject, What};
use super::request::Flag;
use super::{Drain, Switchboard};
use crate::call::Callee;
use crate::id::{CallId, LineId, TrunkId};
use crate::routing::afterwards::FollowUp;
use crate::routing::outside::Callable;
use crate::routing::plan::Step;
use crate::time::{Agenda, Instant, Now, Timestamp};

/// People to be called; beyond it nobody is added, and that is counted.
pub const FOLLOW_UPS_MAX: usize = 5_000;
/// Who could not be called for so long is not asked any more.
pub const KEEP: Duration = Duration::from_secs(72 * 3_600);
/// Nobody is asked sooner after a call.
const FIRST_AFTER: Duration = Duration::from_secs(30 * 60);
/// While nobody may be called, for the hour or for those on the line, it is looked again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Said first.
const GREETING: &str = "follow_up_greeting";

/// Whether a call is among so many of a hundred: the same one always is.
pub fn is_chosen(call: CallId, percent: u8) -> bool {
    call.lot() % 100 < u64::from(percent)
}

/// The machine.
#[derive(Debug)]
pub(super) struct FollowUps {
    rules: FollowUp,
    /// Calls under way; never more than there are.
    calls: HashMap<CallId, Heard>,
    list: BTreeMap<CallId, Wanted>,
    numbers: BTreeSet<String>,
    due: Agenda<CallId>,
    /// Due, and not called yet: the longest due first.
    ready: BTreeSet<(Instant, CallId)>,
    /// Calls that ask, and after which call.
    asking: BTreeMap<CallId, CallId>,
    look_at: Option<Instant>,
    dropped: u64,
}

#[derive(Debug)]
struct Heard {
    line: LineId,
    caller: String,
    talked: bool,
    /// There is a grade, or nobody wants one.
    settled: bool,
}

#[derive(Clone, Debug)]
struct Wanted {
    number: String,
    line: LineId,
    tries: u8,
    until: Instant,
}

impl FollowUps {
    pub(super) fn new(rules: &FollowUp) -> Self {
        FollowUps {
            rules: rules.clone(),
            calls: HashMap::new(),
            list: BTreeMap::new(),
            numbers: BTreeSet::new(),
            due: Agenda::default(),
            ready: BTreeSet::new(),
            asking: BTreeMap::new(),
            look_at: None,
            dropped: 0,
        }
    }

    pub(super) fn plan_changed(&mut self, rules: &FollowUp) {
        self.rules = rules.clone();
        if !rules.enabled {
            *self = FollowUps { asking: std::mem::take(&mut self.asking), ..FollowUps::new(rules) };
        }
    }

    /// Folds what happened before a restart: facts in the order that they happened, of whole calls.
    pub(super) fn restore(&mut self, facts: &[Fact], now: Now) {
        for fact in facts {
            self.handle_fact(fact, now);
        }
        self.calls.clear();
        self.asking.clear();
    }

    pub(super) fn handle_fact(&mut self, fact: &Fact, now: Now) {
        let call = fact.call;
        if let Some(of) = self.asking.get(&call).copied() {
            match &fact.what {
                // They were spoken with, whether they gave a grade or not.
                What::Answered { .. } => self.strike(of),
                What::Closed { .. } => self.tried(call, of, fact.at, now),
                _ => {}
            }
            return;
        }
        if !self.rules.enabled {
            self.calls.remove(&call);
            return;
        }
        match &fact.what {
            What::Opened { line, caller, trunk, room, .. } => {
                let asked = room.is_none() && !is_own(trunk) && !caller.is_empty();
                if asked && is_chosen(call, self.rules.percent) {
                    let (line, caller) = (line.clone(), caller.clone());
                    self.calls.insert(call, Heard { line, caller, talked: false, settled: false });
                }
            }
            What::Outward { purpose: OutwardPurpose::FollowUp, of: Some(of), .. } => {
                self.asking.insert(call, *of);
                self.wait_no_more(*of);
            }
            What::Disposed(disposed) if disposed.unsurveyed || disposed.secret => self.settle(call),
            What::Flagged { flag: Flag::Abusive | Flag::Confidential, .. } => self.settle(call),
            What::Surveyed { subject: Subject::Talk, .. } => self.settle(call),
            What::SeatLeft { talked_ms: 1.., .. } => {
                if let Some(heard) = self.calls.get_mut(&call) {
                    heard.talked = true;
                }
            }
            What::Closed { .. } => self.closed(call, fact.at, now),
            _ => {}
        }
    }

    /// Nothing is to be asked about this call; what is known of it may come after its end.
    fn settle(&mut self, call: CallId) {
        match self.calls.get_mut(&call) {
            Some(heard) => heard.settled = true,
            None => self.strike(call),
        }
    }

    fn closed(&mut self, call: CallId, at: Timestamp, now: Now) {
        let Some(heard) = self.calls.remove(&call).filter(|heard| heard.talked && !heard.settled) else {
            return;
        };
        if self.numbers.contains(&heard.caller) {
            return; // One question for one person.
        }
        if self.list.len() >= FOLLOW_UPS_MAX {
            self.dropped += 1;
            return;
        }
        self.numbers.insert(heard.caller.clone());
        let until = later(at, KEEP, now);
        self.list.insert(call, Wanted { number: heard.caller, line: heard.line, tries: 0, until });
        self.due.set(&call, Some(later(at, FIRST_AFTER, now)));
    }

    /// A call that asks is over, and nobody answered it.
    fn tried(&mut self, call: CallId, of: CallId, at: Timestamp, now: Now) {
        self.asking.remove(&call);
        let Some(wanted) = self.list.get_mut(&of) else { return };
        wanted.tries = wanted.tries.saturating_add(1);
        if wanted.tries >= self.rules.tries {
            self.strike(of);
        } else {
            self.due.set(&of, Some(later(at, self.rules.again_after, now)));
        }
    }

    fn strike(&mut self, of: CallId) {
        if let Some(wanted) = self.list.remove(&of) {
            self.wait_no_more(of);
            self.numbers.remove(&wanted.number);
        }
    }

    fn wait_no_more(&mut self, of: CallId) {
        self.due.set(&of, None);
        self.ready.retain(|(_, ready)| *ready != of);
    }

    /// Whom to call now, if anybody: the number, the line, and after which call. [`FollowUps::handle_fact`]
    /// hears that it is done. `open`: whether it is the hour.
    fn next(&mut self, open: bool, now: Now) -> Option<(String, LineId, CallId)> {
        while let Some(of) = self.due.take_due(now.mono) {
            self.ready.insert((now.mono, of));
        }
        self.look_at = None;
        while let Some((since, of)) = self.ready.first().copied() {
            let lapsed = self.list.get(&of).is_none_or(|wanted| wanted.until <= now.mono);
            if lapsed {
                self.ready.remove(&(since, of));
                self.strike(of);
                continue;
            }
            if !open || self.asking.len() >= usize::from(self.rules.at_once) {
                self.look_at = Some(now.mono + LOOK_AGAIN);
                return None;
            }
            self.ready.remove(&(since, of));
            let wanted = self.list.get(&of)?;
            return Some((wanted.number.clone(), wanted.line.clone(), of));
        }
        None
    }

    /// They cannot be called in this moment.
    fn not_now(&mut self, of: CallId, now: Now) {
        self.due.set(&of, Some(now.mono + LOOK_AGAIN));
    }

    /// Whether there is something to look at.
    fn is_due(&mut self, now: Now) -> bool {
        self.poll_timeout().is_some_and(|at| at <= now.mono)
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        [self.due.next(), self.look_at].into_iter().flatten().min()
    }
}

impl Switchboard {
    /// Calls those whose time has come.
    pub(super) fn follow_up_due(&mut self, now: Now) {
        if !self.follow_up.is_due(now) {
            return;
        }
        let hours = &self.plan.follow_up.hours;
        let open = self.drain == Drain::Open && hours.are_open(now.wall, &self.plan.city.time_zone);
        while let Some((number, line, of)) = self.follow_up.next(open && !self.is_full(false), now) {
            let on_the_line = self.calls.values().any(|entry| entry.caller == number);
            match self.plan.callable(&number) {
                Ok(Callable::Outside(_)) if on_the_line => self.follow_up.not_now(of, now),
                Ok(Callable::Outside(peer)) => {
                    let first = Callee::Peer { trunk: peer.trunk, number: peer.number.clone() };
                    let shown = if self.plan.lines.contains(&line) { line } else { self.plan.calling_line() };
                    let beginning = Beginning {
                        steps: vec![Step::Play(GREETING.into()), Step::Survey],
                        line: shown.clone(),
                        clerk: None,
                        caller: number,
                        way: TrunkId::from(HOUSE),
                        dialled: peer.number.clone(),
                        wire_ref: String::new(),
                        outward: Some(Outward {
                            purpose: OutwardPurpose::FollowUp,
                            seat: None,
                            number: peer.number,
                            is_confidential: false, // Such a caller is not asked.
                            shown,
                            of: Some(of),
                            colleague: None,
                            callback: None,
                            is_case: false,
                        }),
                    };
                    self.call_first(beginning, first, peer.ring, now);
                }
                _ => self.follow_up.strike(of),
            }
        }
    }

    /// People who are yet to be asked whether they were helped, and those for whom there was no place.
    pub fn follow_ups(&self) -> (usize, u64) {
        (self.follow_up.list.len(), self.follow_up.dropped)
    }
}

/// When `span` after something that happened at `at` is, or now if that was before.
fn later(at: Timestamp, span: Duration, now: Now) -> Instant {
    let age = Duration::try_from(now.wall.duration_since(at)).unwrap_or(Duration::ZERO);
    now.mono + span.saturating_sub(age)
}
