//! The end of a city: everybody goes home, and nothing may be left over.

use std::collections::BTreeMap;
use std::time::Duration;

use hotline::acd::event::SeatState;
use hotline::id::CallId;
use hotline::switchboard::fact::TransferStep;
use hotline::switchboard::{Fact, What};

use crate::city::{City, secs};
use crate::clerk::Who;
use crate::desk::{Disk, Office};
use crate::exchange::Temper;
use crate::network::Weather;
use crate::sums;

/// 64·T1 and the life of what lingers after it (RFC 3261 §17).
const LINGER: Duration = Duration::from_secs(75);
/// The outbox tries a sink again at least so often.
const REST_MAX: Duration = Duration::from_secs(70);

impl City {
    /// The last calls end by themselves, clerks sign out, the office is up: the house must be as it
    /// was before the first call, with one record and one row of events for each.
    pub fn closes(&mut self) {
        self.disk_is(Disk::Takes(Duration::from_millis(3)));
        self.office_is(Office::Open(Duration::from_millis(5)));
        (self.net.sip, self.net.sound) = (Weather::FAIR, Weather::FAIR);
        self.ways_rest();
        let people: Vec<Who> = self.people().map(|(who, _)| who).collect();
        for who in people {
            if !self.look_at(who).is_seat {
                self.hangs_up(who);
            } else if self.look_at(who).phone.is_registered() {
                self.signs_out(who);
            }
        }
        let empty = self.run_until(secs(200), |city| city.board.calls().is_empty());
        assert!(empty, "calls that never end: {:?}", self.board.calls().len());
        self.run_for(LINGER + REST_MAX);
        let counts = self.board.sip().counts();
        assert_eq!((counts.sessions, counts.dialogs, counts.transactions), (0, 0, 0), "{counts:?}");
        for trunk in self.board.sip().trunks(self.now()) {
            assert_eq!(trunk.calls, 0, "no call counts any more at {trunk:?}");
        }
        assert_eq!((self.board.ports_in_use(), self.sound.legs()), (0, 0), "pairs lent and legs open");
        assert_eq!(self.sound.recordings(), 0);
        self.board.check_quiet().expect("nothing is kept of calls that are over");
        assert_eq!(self.board.rooms().count(), 0, "nobody is in a room");
        assert!(self.store.waiting.is_empty(), "everything is on disk");
        assert_eq!(self.store.owes(), 0, "events that no office took");
        assert!(
            self.board.outboxes().iter().flatten().all(|outbox| outbox.is_empty()),
            "the outbox is empty"
        );
        assert!(self.store.dead.is_empty(), "{:?}", self.store.dead);
        assert!(self.watch.called_twice.is_empty(), "doubly booked: {}", self.watch.called_twice.join("\n"));
        for facts in self.store.facts.values() {
            one_record(facts);
        }
        self.seats_are_free();
        sums::add_up(self);
        self.office_knows_it_all();
    }

    /// Every switch works again, and nobody asks or registers any more: what is left over then is
    /// nobody's.
    fn ways_rest(&mut self) {
        if self.exchanges.is_empty() {
            return;
        }
        self.exchanges.values_mut().for_each(|exchange| exchange.temper = Temper::Fine);
        self.reloads(|plan| {
            for trunk in plan.trunks.values_mut() {
                (trunk.probe, trunk.register) = (None, None);
            }
        });
    }

    fn seats_are_free(&self) {
        for (seat, state) in self.board.acd().seats() {
            let engaged = matches!(state, SeatState::Offered { .. } | SeatState::Talking { .. });
            assert!(!engaged, "{seat} is {state:?}, and nobody calls");
        }
    }

    fn office_knows_it_all(&self) {
        let mut last: BTreeMap<CallId, u32> = BTreeMap::new();
        for event in &self.books.taken {
            let before = last.insert(event.event.call, event.event.sequence);
            assert!(before < Some(event.event.sequence), "{:?} came after {before:?}", event.event);
        }
        for (call, facts) in &self.store.facts {
            let told = |kind: &str| {
                let mine = self.books.taken.iter().filter(|event| event.event.call == *call);
                mine.filter(|event| event.kind.contains(kind)).count()
            };
            assert_eq!((told("opened"), told("closed")), (1, 1), "one ticket for {call}: {facts:?}");
            let left = facts.iter().filter(|fact| matches!(fact.what, What::TicketLeft { .. })).count();
            assert_eq!(told("ticket.left"), left, "{call}");
        }
    }
}

/// One opening, one closing, and a ticket for everyone whom the queue or a sub-center sent away.
fn one_record(facts: &[Fact]) {
    let count = |wanted: fn(&What) -> bool| facts.iter().filter(|fact| wanted(&fact.what)).count();
    assert!(matches!(facts[0].what, What::Opened { .. }), "{facts:?}");
    assert_eq!(count(|what| matches!(what, What::Opened { .. })), 1, "{facts:?}");
    assert_eq!(count(|what| matches!(what, What::Closed { .. })), 1, "{facts:?}");
    let answered = count(|what| matches!(what, What::Answered { .. }));
    let recorded = count(|what| matches!(what, What::Recorded { .. }));
    assert!(answered <= 1 && recorded <= answered, "{facts:?}");
    let offered = count(|what| matches!(what, What::SeatOffered { .. }));
    let ended = count(|what| matches!(what, What::OfferEnded { .. }));
    let taken = count(|what| matches!(what, What::SeatAnswered { .. }));
    assert_eq!(offered, ended + taken, "each offer has its end: {facts:?}");
    // A clerk who began the call is on its first leg; of one that others were asked into it is told when
    // they left.
    let own = facts.iter().find_map(|fact| match &fact.what {
        What::Outward { seat, .. } => seat.as_ref(),
        _ => None,
    });
    let of_own = |what: &What| match what {
        What::SeatAnswered { seat, .. } | What::SeatLeft { seat, .. } => Some(seat) == own,
        _ => false,
    };
    let others = |wanted: fn(&What) -> bool| {
        facts.iter().filter(|fact| wanted(&fact.what) && !of_own(&fact.what)).count()
    };
    let (came, left) = (
        others(|what| matches!(what, What::SeatAnswered { .. })),
        others(|what| matches!(what, What::SeatLeft { .. })),
    );
    assert_eq!(came, left, "each talk has its end: {facts:?}");
    let own = facts.iter().filter(|fact| of_own(&fact.what) && matches!(fact.what, What::SeatLeft { .. }));
    assert!(own.count() <= 1, "{facts:?}");
    // Whom a clerk or the house called, and did not get, came for nothing; and where a flow called, it goes on.
    let came_to_us = count(|what| matches!(what, What::Outward { .. })) == 0;
    let in_flow = count(|what| matches!(what, What::ScriptBegun { .. })) > 0;
    for pair in facts.windows(2).filter(|_| came_to_us) {
        let sent_on = matches!(pair[0].what, What::Overflowed { .. })
            || matches!(pair[0].what, What::PeerFailed { .. }) && !in_flow;
        let ticket = matches!(pair[1].what, What::TicketLeft { .. });
        let given_back = matches!(&pair[1].what, What::Transfer { step: TransferStep::Failed, .. });
        assert!(!sent_on || ticket || given_back, "a caller who found nobody has a ticket: {facts:?}");
    }
    for pair in facts.windows(2) {
        assert!(pair[0].mono <= pair[1].mono, "{facts:?}");
    }
}
