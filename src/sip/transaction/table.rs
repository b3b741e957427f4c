//! All transactions of one endpoint: which message belongs to which machine (RFC 3261 §17.1.3, §17.2.3).
//!
//! Keys are fingerprints under a secret of our own: a stranger who chooses branches cannot make two
//! of them meet, and no text is kept per transaction. The number of entries is bounded by the owner.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hasher;
use std::net::SocketAddr;

use bytes::Bytes;
use slab::Slab;

use super::super::vouching::Proofs;
use super::{Act, InviteClient, InviteServer, NonInviteClient, NonInviteServer};
use crate::id::Dice;
use crate::time::Instant;

/// What messages of one transaction have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(u64, u64);

/// Makes keys.
pub struct Fingerprint([u64; 4]);

impl Fingerprint {
    /// With a secret from `dice`.
    pub fn new(dice: &mut Dice) -> Self {
        Fingerprint(std::array::from_fn(|_| dice.next_u64()))
    }

    /// The key of `parts` in this order. `role` keeps clients, servers and others apart.
    pub fn of(&self, role: u8, parts: &[&[u8]]) -> Key {
        let half = |secret: &[u64]| {
            // SipHash behind a secret prefix: its state is unknown to whoever sends the parts.
            let mut hasher = std::hash::DefaultHasher::new();
            hasher.write_u64(secret[0]);
            hasher.write_u64(secret[1]);
            hasher.write_u8(role);
            for part in parts {
                hasher.write_usize(part.len());
                hasher.write(part);
            }
            hasher.finish()
        };
        Key(half(&self.0[..2]), half(&self.0[2..]))
    }

    /// 64 bits of [`Fingerprint::of`]: tags of stateless answers.
    pub fn short(&self, role: u8, parts: &[&[u8]]) -> u64 {
        self.of(role, parts).0
    }
}

/// One of the four.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Machine {
    InviteClient(InviteClient),
    InviteServer(InviteServer),
    NonInviteClient(NonInviteClient),
    NonInviteServer(NonInviteServer),
}

impl Machine {
    fn poll_output(&mut self) -> Option<Act> {
        match self {
            Machine::InviteClient(machine) => machine.poll_output(),
            Machine::InviteServer(machine) => machine.poll_output(),
            Machine::NonInviteClient(machine) => machine.poll_output(),
            Machine::NonInviteServer(machine) => machine.poll_output(),
        }
    }

    /// What it sends again.
    pub fn stored(&self) -> &Bytes {
        match self {
            Machine::InviteClient(machine) => machine.stored(),
            Machine::InviteServer(machine) => machine.stored(),
            Machine::NonInviteClient(machine) => machine.stored(),
            Machine::NonInviteServer(machine) => machine.stored(),
        }
    }

    /// Runs the timers that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self {
            Machine::InviteClient(machine) => machine.handle_timeout(now),
            Machine::InviteServer(machine) => machine.handle_timeout(now),
            Machine::NonInviteClient(machine) => machine.handle_timeout(now),
            Machine::NonInviteServer(machine) => machine.handle_timeout(now),
        }
    }

    /// When `handle_timeout` is wanted.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Machine::InviteClient(machine) => machine.poll_timeout(),
            Machine::InviteServer(machine) => machine.poll_timeout(),
            Machine::NonInviteClient(machine) => machine.poll_timeout(),
            Machine::NonInviteServer(machine) => machine.poll_timeout(),
        }
    }

    /// Its messages go over a reliable transport. To be said before any is handed in.
    pub fn rely(&mut self) {
        match self {
            Machine::InviteClient(machine) => machine.rely(),
            Machine::InviteServer(machine) => machine.rely(),
            Machine::NonInviteClient(machine) => machine.rely(),
            Machine::NonInviteServer(machine) => machine.rely(),
        }
    }

    /// Whether a request of ours has no response yet.
    pub fn is_calling(&self) -> bool {
        match self {
            Machine::InviteClient(machine) => machine.is_calling(),
            Machine::NonInviteClient(machine) => machine.is_calling(),
            Machine::InviteServer(_) | Machine::NonInviteServer(_) => false,
        }
    }

    fn is_client(&self) -> bool {
        matches!(self, Machine::InviteClient(_) | Machine::NonInviteClient(_))
    }

    /// The same request came again: answers it from what is stored.
    pub fn handle_repeat(&mut self) {
        match self {
            Machine::InviteServer(machine) => machine.handle_repeat(),
            Machine::NonInviteServer(machine) => machine.handle_repeat(),
            Machine::InviteClient(_) | Machine::NonInviteClient(_) => {}
        }
    }

    /// A response of our own to the request.
    pub fn respond(&mut self, status: u16, response: Bytes, now: Instant) {
        match self {
            Machine::InviteServer(machine) => machine.respond(status, response, now),
            Machine::NonInviteServer(machine) => machine.respond(status, response, now),
            Machine::InviteClient(_) | Machine::NonInviteClient(_) => {}
        }
    }
}

/// A machine with its surroundings.
#[derive(Debug)]
pub struct Entry<U> {
    /// The machine.
    pub machine: Machine,
    /// Whose it is.
    pub user: U,
    /// Listener that its messages pass.
    pub listener: usize,
    /// Where its messages go.
    pub peer: SocketAddr,
    /// The datagram listener that a request was meant for before its length sent it over a stream
    /// (RFC 3261 §18.1.1).
    pub lifted: Option<usize>,
    /// How a request of ours has fared with those who asked for proof.
    pub proofs: Proofs,
    key: Key,
    /// Of an INVITE outside a dialog: Call-ID, From tag and CSeq (RFC 3261 §8.2.2.2).
    merge: Option<Key>,
}

/// What came of running a machine's outputs.
#[derive(Debug)]
pub struct Ran<U> {
    /// Bytes to send, with their way.
    pub send: Option<(usize, SocketAddr, Bytes)>,
    /// The message just handed in is for the user.
    pub tell: bool,
    /// The peer stayed silent.
    pub timed_out: bool,
    /// The machine is gone; this was its user.
    pub done: Option<U>,
}

/// All of them.
pub struct Table<U> {
    entries: Slab<Entry<U>>,
    keys: HashMap<Key, usize>,
    merges: HashMap<Key, usize>,
    /// Client INVITEs by peer, for ICMP errors.
    invites: BTreeSet<(SocketAddr, usize)>,
    /// Clients of either kind over streams, by connection.
    streamed: BTreeSet<(usize, SocketAddr, usize)>,
    /// Which listeners are reliable.
    reliable: Vec<bool>,
}

impl<U> Default for Table<U> {
    fn default() -> Self {
        Table {
            entries: Slab::new(),
            keys: HashMap::new(),
            merges: HashMap::new(),
            invites: BTreeSet::new(),
            streamed: BTreeSet::new(),
            reliable: Vec::new(),
        }
    }
}

impl<U> Table<U> {
    /// Takes a machine in; it is found by `key` from now on.
    pub fn insert(&mut self, key: Key, merge: Option<Key>, entry: (Machine, U, usize, SocketAddr)) -> usize {
        let (mut machine, user, listener, peer) = entry;
        let reliable = self.is_reliable(listener);
        if reliable {
            machine.rely();
        }
        let is_client = machine.is_client();
        let is_invite_client = matches!(machine, Machine::InviteClient(_));
        let index = self.entries.insert(Entry {
            machine,
            user,
            listener,
            peer,
            lifted: None,
            proofs: Proofs::default(),
            key,
            merge,
        });
        self.keys.insert(key, index);
        if let Some(merge) = merge {
            self.merges.insert(merge, index);
        }
        if is_invite_client {
            self.invites.insert((peer, index));
        }
        if is_client && reliable {
            self.streamed.insert((listener, peer, index));
        }
        index
    }

    /// Says which listeners are reliable; for transactions to come.
    pub fn set_reliable(&mut self, reliable: Vec<bool>) {
        self.reliable = reliable;
    }

    fn is_reliable(&self, listener: usize) -> bool {
        self.reliable.get(listener).copied().unwrap_or(false)
    }

    /// Our requests on one connection, in the order of their places.
    pub fn clients_on(&self, listener: usize, peer: SocketAddr) -> Vec<usize> {
        let range = (listener, peer, 0)..=(listener, peer, usize::MAX);
        self.streamed.range(range).map(|(_, _, index)| *index).collect()
    }

    /// Begins a request of ours anew, by a datagram listener.
    pub fn restart(&mut self, index: usize, listener: usize, machine: Machine) {
        if let Some(entry) = self.entries.get_mut(index) {
            self.streamed.remove(&(entry.listener, entry.peer, index));
            (entry.listener, entry.lifted, entry.machine) = (listener, None, machine);
        }
    }

    /// The transaction with this key.
    pub fn find(&self, key: Key) -> Option<usize> {
        self.keys.get(&key).copied()
    }

    /// Whether a request with this merge key is being served under another branch.
    pub fn is_merged(&self, merge: Key) -> bool {
        self.merges.contains_key(&merge)
    }

    /// One entry.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Entry<U>> {
        self.entries.get_mut(index)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Our INVITEs to `peer`, in the order of their places.
    pub fn invites_to(&self, peer: SocketAddr) -> Vec<usize> {
        self.invites.range((peer, 0)..=(peer, usize::MAX)).map(|(_, index)| *index).collect()
    }

    /// Drains one machine's outputs; a machine that is done leaves the table.
    pub fn run(&mut self, index: usize) -> Ran<U> {
        let mut ran = Ran { send: None, tell: false, timed_out: false, done: None };
        let Some(entry) = self.entries.get_mut(index) else {
            return ran;
        };
        let mut done = false;
        while let Some(act) = entry.machine.poll_output() {
            match act {
                Act::Send => {
                    ran.send = Some((entry.listener, entry.peer, entry.machine.stored().clone()));
                    if let Machine::InviteServer(machine) = &mut entry.machine {
                        machine.forget_accepted();
                    }
                }
                Act::Tell => ran.tell = true,
                Act::TimeOut => ran.timed_out = true,
                Act::Done => done = true,
            }
        }
        if done {
            ran.done = self.remove(index);
        }
        ran
    }

    /// Takes a transaction out whatever its state.
    pub fn remove(&mut self, index: usize) -> Option<U> {
        let entry = self.entries.try_remove(index)?;
        if self.keys.get(&entry.key) == Some(&index) {
            self.keys.remove(&entry.key);
        }
        if let Some(merge) = entry.merge
            && self.merges.get(&merge) == Some(&index)
        {
            self.merges.remove(&merge);
        }
        if entry.machine.is_client() {
            self.invites.remove(&(entry.peer, index));
            if self.is_reliable(entry.listener) {
                self.streamed.remove(&(entry.listener, entry.peer, index));
            }
        }
        Some(entry.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddr {
        "192.0.2.1:5060".parse().unwrap()
    }

    #[test]
    fn a_transaction_is_found_until_it_is_done() {
        let keys = Fingerprint::new(&mut Dice::seeded(1));
        let key = keys.of(0, &[b"z9hG4bK1", b"host", b"INVITE"]);
        let mut table = Table::default();
        let machine = Machine::InviteServer(InviteServer::new(Bytes::from_static(b"100")));
        let index = table.insert(key, Some(keys.of(2, &[b"x"])), (machine, 'u', 0, peer()));
        assert_eq!(table.find(key), Some(index));
        assert!(table.is_merged(keys.of(2, &[b"x"])));
        assert_eq!(table.run(index).send.unwrap().2, "100");
        let entry = table.get_mut(index).unwrap();
        entry.machine.respond(200, Bytes::from_static(b"200"), Instant::ZERO);
        assert_eq!(table.run(index).send.unwrap().2, "200");
        let entry = table.get_mut(index).unwrap();
        assert!(entry.machine.stored().is_empty(), "the 2xx is the dialog's to keep");
        entry.machine.handle_timeout(Instant::from_millis(32_000));
        assert_eq!(table.run(index).done, Some('u'));
        assert!(table.is_empty() && table.keys.is_empty() && table.merges.is_empty());
    }

    #[test]
    fn parts_do_not_run_into_one_another() {
        let keys = Fingerprint::new(&mut Dice::seeded(1));
        assert_ne!(keys.of(0, &[b"ab", b"c"]), keys.of(0, &[b"a", b"bc"]));
        assert_ne!(keys.of(0, &[b"ab"]), keys.of(1, &[b"ab"]));
        let others = Fingerprint::new(&mut Dice::seeded(2));
        assert_ne!(keys.of(0, &[b"ab"]), others.of(0, &[b"ab"]));
    }

    #[test]
    fn invites_are_found_by_where_they_went() {
        let keys = Fingerprint::new(&mut Dice::seeded(1));
        let mut table = Table::default();
        for branch in [b"1", b"2"] {
            let machine = InviteClient::new(Bytes::from_static(b"INVITE"), Instant::ZERO);
            table.insert(keys.of(0, &[branch]), None, (Machine::InviteClient(machine), (), 0, peer()));
        }
        assert_eq!(table.invites_to(peer()), [0, 1]);
        table.remove(0);
        assert_eq!(table.invites_to(peer()), [1]);
        assert_eq!(table.invites_to("192.0.2.1:5061".parse().unwrap()), [0; 0]);
    }
}
