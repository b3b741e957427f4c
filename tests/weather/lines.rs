//! Telephones behind relays, and what they told so far.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use hotline::io::packets::{Channel, Mover, PartyKey, Sockets};
use hotline::phone::{Phone, PhoneConfig, PhoneEvent};
use hotline::time::Now;

use crate::relay::{Relay, Shared, Someone};

/// Between two looks at what a test waits for.
const LOOK: Duration = Duration::from_millis(20);

/// All telephones of a test, with their relays, on one mover.
pub struct Lines {
    mover: Mover<Someone>,
    told: Vec<(PartyKey, PhoneEvent)>,
}

impl Lines {
    pub fn new() -> Lines {
        Lines { mover: Mover::new().unwrap(), told: Vec::new() }
    }

    /// A telephone, and the sky over it.
    pub fn plug_in(
        &mut self,
        user: &str,
        server: SocketAddr,
        seed: u64,
        set: impl FnOnce(&mut PhoneConfig),
    ) -> (PartyKey, Rc<Shared>) {
        let own = Sockets::open_toward(server).unwrap();
        let sky = Sockets::open_toward(server).unwrap();
        let both = |sockets: &Sockets| [Channel::Rtp, Channel::Rtcp].map(|at| sockets.address(at).unwrap());
        let (near, relay) = (both(&own), both(&sky));
        let mut config = PhoneConfig::new(user, own.address(Channel::Sip).unwrap(), relay[0], server);
        set(&mut config);
        let shared = Rc::new(Shared::default());
        self.mover.add(Someone::Relay(Box::new(Relay::new(shared.clone(), near, seed))), sky).unwrap();
        let phone = Box::new(Phone::new(config, self.mover.dice()));
        let phone = Someone::Phone { phone, shared: shared.clone(), relay };
        (self.mover.add(phone, own).unwrap(), shared)
    }

    pub fn phone(&self, line: PartyKey) -> &Phone {
        match self.mover.party(line) {
            Someone::Phone { phone, .. } => phone,
            Someone::Relay(_) => panic!("a relay"),
        }
    }

    pub fn order<R>(&mut self, line: PartyKey, act: impl FnOnce(&mut Phone, Now) -> R) -> R {
        self.mover.order(line, |someone, now| match someone {
            Someone::Phone { phone, .. } => act(phone, now),
            Someone::Relay(_) => panic!("a relay"),
        })
    }

    /// Whether the telephone told something like it, at any time so far.
    pub fn saw(&self, line: PartyKey, what: impl Fn(&PhoneEvent) -> bool) -> bool {
        self.told.iter().any(|(who, event)| *who == line && what(event))
    }

    /// Runs everybody until `done`, or fails with what was told.
    pub fn until(&mut self, what: &str, bound: Duration, done: impl Fn(&Lines) -> bool) {
        let end = self.mover.now().mono + bound;
        while !done(self) {
            let now = self.mover.now().mono;
            assert!(now < end, "{what}: not within {bound:?}; {:?}", self.told);
            self.turn(end.min(now + LOOK));
        }
    }

    /// Runs everybody for so long.
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
