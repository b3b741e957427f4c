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
    /// The end alone.
    Close,
}

/// The queue between the house and the writer's thread. Its bounds are `PENDING_SOFT` and
/// `PENDING_HARD`, kept by `Store::submit`.
pub(super) struct Inbox {
    state: Mutex<State>,
    woken: Condvar,
}

struct State {
    requests: Vec<Request>,
    /// Since when somebody waits for one of them.
    urgent_since: Option<Instant>,
    /// What the writer sleeps for; `None`: it is awake, and looks here before it sleeps.
    sleeping: Option<Wakes>,
    /// The writer is gone.
    ended: bool,
}

impl Inbox {
    pub(super) fn new() -> Self {
        let state = State { requests: Vec::new(), urgent_since: None, sleeping: None, ended: false };
        Inbox { state: Mutex::new(state), woken: Condvar::new() }
    }

    /// No code runs under this lock that could panic, but for the allocator.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Leaves a request. `false`: the writer is gone.
    pub(super) fn push(&self, request: Request) -> bool {
        let urgent = request.is_urgent();
        let close = matches!(request, Request::Close);
        let mut state = self.state();
        if state.ended {
            return false;
        }
        state.requests.push(request);
        if urgent {
            state.urgent_since.get_or_insert_with(Instant::now);
        }
        let wake = match state.sleeping {
            None => false,
            Some(Wakes::Anything) => true,
            Some(Wakes::Urgent) => urgent || close,
            Some(Wakes::Close) => close,
        };
        if wake {
            // Whoever pushes next need not wake it again.
            state.sleeping = None;
            drop(state);
            self.woken.notify_one();
        }
        true
    }

    /// Takes all that is there, in order; and since when the oldest is waited for that is urgent.
    pub(super) fn take(&self) -> (Vec<Request>, Option<Instant>) {
        let mut state = self.state();
        (std::mem::take(&mut state.requests), state.urgent_since.take())
    }

    /// Sleeps until something comes that may end the sleep, or until `until`.
    pub(super) fn wait(&self, wakes: Wakes, until: Option<Instant>) {
        let mut state = self.state();
        let here = |state: &State| match wakes {
            Wakes::Anything => !state.requests.is_empty(),
            Wakes::Urgent => state.urgent_since.is_some() || state.closing(),
            Wakes::Close => state.closing(),
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
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    fn jobs() -> Request {
        Request::Jobs { token: 1, jobs: Vec::new() }
    }

    #[test]
    fn a_sleeper_is_woken_by_what_it_sleeps_for_and_by_nothing_else() {
        let inbox = Arc::new(Inbox::new());
        let sleeper = Arc::clone(&inbox);
        let thread = std::thread::spawn(move || sleeper.wait(Wakes::Close, None));
        while inbox.state().sleeping != Some(Wakes::Close) {
            std::thread::yield_now();
        }
        assert!(inbox.push(jobs()));
        assert_eq!(inbox.state().sleeping, Some(Wakes::Close), "it sleeps on");
        assert!(inbox.push(Request::Close));
        thread.join().unwrap();
        assert_eq!(inbox.take().0.len(), 2, "in order, and both are there");
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
