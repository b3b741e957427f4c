//! Telephones on real sockets, and what they told so far.

use std::net::SocketAddr;
use std::time::Duration;

use hotline::io::packets::{Mover, PartyKey};
use hotline::phone::{Phone, PhoneConfig, PhoneEvent};
use hotline::time::Now;

/// Between two looks at what a test waits for.
const LOOK: Duration = Duration::from_millis(20);

/// All telephones of a test, on one mover.
pub struct Lines {
    mover: Mover<Phone>,
    told: Vec<(PartyKey, PhoneEvent)>,
}

impl Lines {
    pub fn new() -> Lines {
        Lines { mover: Mover::new().unwrap(), told: Vec::new() }
    }

    pub fn plug_in(
        &mut self,
        user: &str,
        server: SocketAddr,
        set: impl FnOnce(&mut PhoneConfig),
    ) -> PartyKey {
        self.mover.plug_in(user, server, set).unwrap()
    }

    pub fn phone(&self, line: PartyKey) -> &Phone {
        self.mover.party(line)
    }

    pub fn order<R>(&mut self, line: PartyKey, act: impl FnOnce(&mut Phone, Now) -> R) -> R {
        self.mover.order(line, act)
    }

    /// Whether the telephone told something like it, at any time so far.
    pub fn saw(&self, line: PartyKey, what: impl Fn(&PhoneEvent) -> bool) -> bool {
        self.told(line).into_iter().any(what)
    }

    /// What the telephone told so far.
    pub fn told(&self, line: PartyKey) -> Vec<&PhoneEvent> {
        self.told.iter().filter(|(who, _)| *who == line).map(|(_, event)| event).collect()
    }

    /// Runs the telephones until `done`, or fails with what they told. What no telephone notices,
    /// such as a row of the store, is asked for every `LOOK`.
    pub fn until(&mut self, what: &str, bound: Duration, done: impl Fn(&Lines) -> bool) {
        let end = self.mover.now().mono + bound;
        while !done(self) {
            let now = self.mover.now().mono;
            assert!(now < end, "{what}: not within {bound:?}; {:?}", self.told);
            self.turn(end.min(now + LOOK));
        }
    }

    /// Runs the telephones for so long.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.mover.now().mono + span;
        while self.mover.now().mono < end {
            self.turn(end);
        }
    }

    fn turn(&mut self, end: hotline::time::Instant) {
        self.mover.turn(end).unwrap();
        while let Some(told) = self.mover.poll_event() {
            self.told.push(told);
        }
    }
}
