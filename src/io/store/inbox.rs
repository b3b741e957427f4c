//! What waits for the writer, and who may wake it: a thread that is woken costs more than a row.
//!
//! Senders push and go on. The writer is woken only by what it sleeps for, so that the facts of a
//! call, of which nobody waits for any but the first, do not wake it one by one.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::writer::Request;

/// What may end the writer's sleep before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wakes {
    /// Whatever comes.
    Anything,
    /// Something that somebody waits for, or the end.
    Urgent,
    /// Something that waits no longer than until then, or the end.
    Hasty(Instant),
}

/// Requests that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Urgent {
    /// When the oldest came.
    pub(super) since: Instant,
    /// When the hastiest is to be committed.
    pub(super) due: Instant,
}

impl Urgent {
    pub(super) fn both(one: Option<Urgent>, other: Option<Urgent>) -> Option<Urgent> {
        let (Some(a), Some(b)) = (one, other) else { return one.or(other) };
        Some(Urgent { since: a.since.min(b.since), due: a.due.min(b.due) })
    }
}

/// The queue between the house and the writer's thread. Its bounds are `PENDING_SOFT` and
/// `PENDING_HARD`, kept by `Store::submit`.
pub(super) struct Inbox {
    state: Mutex<State>,
    woken: Condvar,
}

struct State {
    requests: Vec<Request>,
    /// Since when somebody waits for one of them, and until when they may.
    urgent: Option<Urgent>,
    /// What the writer sleeps for; `None`: it is awake, and looks here before it sleeps.
    sleeping: Option<Wakes>,
    /// The writer is gone.
    ended: bool,
}

impl Inbox {
    pub(super) fn new() -> Self {
        let state = State { requests: Vec::new(), urgent: None, sleeping: None, ended: false };
        Inbox { state: Mutex::new(state), woken: Condvar::new() }
    }

    /// No code runs under this lock that could panic, but for the allocator.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Leaves a request. `false`: the writer is gone.
    pub(super) fn push(&self, request: Request) -> bool {
        let urgent = request.patience().map(|patience| {
            let since = Instant::now();
            Urgent { since, due: since + patience }
        });
        let close = matches!(request, Request::Close);
        let mut state = self.state();
        if state.ended {
            return false;
        }
        state.requests.push(request);
        state.urgent = Urgent::both(state.urgent, urgent);
        let wake = match state.sleeping {
            None => false,
            Some(Wakes::Anything) => true,
            Some(Wakes::Urgent) => urgent.is_some() || close,
            Some(Wakes::Hasty(due)) => urgent.is_some_and(|urgent| urgent.due < due) || close,
        };
        if wake {
            // Whoever pushes next need not wake it again.
            state.sleeping = None;
            drop(state);
            self.woken.notify_one();
        }
        true
    }

    /// Takes all that is there, in order; and what of it is urgent.
    pub(super) fn take(&self) -> (Vec<Request>, Option<Urgent>) {
        let mut state = self.state();
        (std::mem::take(&mut state.requests), state.urgent.take())
    }

    /// Sleeps until something comes that may end the sleep, or until `until`.
    pub(super) fn wait(&self, wakes: Wakes, until: Option<Instant>) {
        let mut state = self.state();
        let here = |state: &State| match wakes {
            Wakes::Anything => !state.requests.is_empty(),
            Wakes::Urgent => state.urgent.is_some() || state.closing(),
            Wakes::Hasty(due) => state.urgent.is_some_and(|urgent| urgent.due < due) || state.closing(),
        };
        while !here(&state) {
            state.sleeping = Some(wakes);
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(left) if left.is_zero() => break,
                Some(left) => {
                    self.woken.wait_timeout(state, left).unwrap_or_else(std::sync::PoisonError::into_inner).0
                }
                None => self.woken.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner),
            };
        }
        state.sleeping = None;
    }

    /// The writer goes: what is left is dropped, and whoever waits for an answer learns that.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.requests.clear();
    }
}

impl State {
    fn closing(&self) -> bool {
        self.requests.iter().any(|request| matches!(request, Request::Close))
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::LedgerRow;
    use super::super::writer::Errand;
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    fn jobs() -> Request {
        Request::Jobs { token: 1, jobs: Vec::new() }
    }

    /// For the ledger.
    fn entry() -> Request {
        let (reply, _) = tokio::sync::oneshot::channel();
        let make = Box::new(|_: Option<&LedgerRow>| -> LedgerRow { unreachable!("nothing is written here") });
        Request::Errand(Errand::Append { make, reply })
    }

    #[test]
    fn a_sleeper_is_woken_by_what_it_sleeps_for_and_by_nothing_else() {
        let inbox = Arc::new(Inbox::new());
        let sleeper = Arc::clone(&inbox);
        let due = Instant::now(); // Nothing that comes later is in more of a hurry.
        let thread = std::thread::spawn(move || sleeper.wait(Wakes::Hasty(due), None));
        while inbox.state().sleeping != Some(Wakes::Hasty(due)) {
            std::thread::yield_now();
        }
        assert!(inbox.push(jobs()) && inbox.push(entry()));
        assert_eq!(inbox.state().sleeping, Some(Wakes::Hasty(due)), "it sleeps on");
        assert!(inbox.push(Request::Close));
        thread.join().unwrap();
        assert_eq!(inbox.take().0.len(), 3, "in order, and all are there");
    }

    #[test]
    fn a_sleeper_is_woken_by_what_is_in_more_of_a_hurry() {
        let inbox = Arc::new(Inbox::new());
        let sleeper = Arc::clone(&inbox);
        let due = Instant::now() + Duration::from_secs(3_600);
        let thread = std::thread::spawn(move || sleeper.wait(Wakes::Hasty(due), None));
        assert!(inbox.push(entry()), "a reader of a recording waits for it");
        thread.join().unwrap();
        let (requests, urgent) = inbox.take();
        assert!(requests.len() == 1 && urgent.is_some_and(|urgent| urgent.since < urgent.due));
    }

    #[test]
    fn what_is_there_already_is_not_slept_over_and_a_sleep_has_its_end() {
        let inbox = Inbox::new();
        inbox.push(jobs());
        inbox.wait(Wakes::Anything, None);
        inbox.wait(Wakes::Urgent, Some(Instant::now() + Duration::from_millis(1)));
        assert_eq!(inbox.take().0.len(), 1);
        inbox.end();
        assert!(!inbox.push(jobs()), "nobody would read it");
    }
}
