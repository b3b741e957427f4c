//! Other platforms of the hotline: clerks ask a county's in and hand calls over to it, and it hands its own over to
//! us; and cities whose plans lead to one another, which end it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use hotline::id::{Dice, TrunkId};
use hotline::media::order::PortSlot;
use hotline::phone::{Answers, Dial};
use hotline::routing::Plan;
use hotline::routing::peers::{Peers, Platform};
use hotline::routing::people::Hours;
use hotline::routing::plan::{DialledFrom, IpNet, LineMode, Peer};
use hotline::sip::Packet;
use hotline::sip::event::TurnedAway;
use hotline::switchboard::fact::{Object, ObjectKind};
use hotline::switchboard::{Input, Output, Switchboard, What};
use hotline::time::{Instant, Now, Timestamp};

use crate::city::{City, millis, secs};
use crate::clerk::{Who, address};
use crate::house;
use crate::network::{header, name};
use crate::seed::in_a_city_with;

/// A trunk to one platform.
fn trunk(plan: &mut Plan, id: &str, at: SocketAddr) {
    let mut trunk = plan.trunks["sub-12366"].clone();
    trunk.id = TrunkId::from(id);
    trunk.targets = vec![at.into()];
    trunk.sources = vec![IpNet { addr: at.ip(), prefix: 32 }];
    trunk.dialled_from = vec![DialledFrom::RequestUri];
    (trunk.trust_identity, trunk.drill) = (true, false);
    plan.trunks.insert(trunk.id.clone(), trunk);
}

fn platform(number: &str, org: &str, trunk: &str, dial: &str) -> Platform {
    Platform {
        number: number.into(),
        name: format!("{org} 12345"),
        org: org.into(),
        parent: None,
        peer: Peer {
            trunk: trunk.into(),
            number: dial.into(),
            ring: secs(20),
            drill: false,
            hours: Hours::default(),
        },
        hands_over: true,
        priority: 200,
        hops_max: 3,
    }
}

/// The county is at the first telephone of the city, and `*1` asks it.
fn a_county(plan: &mut Plan) {
    trunk(plan, "county", address(0));
    plan.city.org = Some("410900".into());
    plan.peers = Peers::new([platform("7101", "410928", "county", "039312345")]);
    plan.three_way.keys = [('1', "7101".to_owned())].into();
}

fn whats(city: &City, who: Who) -> Vec<What> {
    let call = city.record_of(who).call;
    city.store.facts[&call].iter().map(|fact| fact.what.clone()).collect()
}

/// Steps of transfers to the county.
fn steps(city: &City, caller: Who) -> Vec<&'static str> {
    let county = Some(Object { kind: ObjectKind::Peer, id: "410928".into() });
    let step = |what| match what {
        What::Transfer { step, object, .. } if object == county => Some(step.word()),
        _ => None,
    };
    whats(city, caller).into_iter().filter_map(step).collect()
}

/// Caller and clerk talk.
fn talking(city: &mut City, county: Answers) -> [Who; 3] {
    let far = city.phone("039312345").waits();
    city.telephone(far).phone.set_answers(county);
    let clerk = city.seat("1001").never_answers();
    let caller = city.phone("13800000001").waits();
    city.telephone(clerk).phone.set_answers(Answers::After(secs(1)));
    city.signs_in(clerk);
    city.dials(caller, "12345");
    assert!(city.run_until(secs(40), |city| city.talks_to(caller) == Some(clerk)));
    city.run_for(secs(5));
    [caller, clerk, far]
}

#[test]
fn a_clerk_asks_a_county_in_and_leaves_the_caller_with_it() {
    for keys in ["*1", "**7101#"] {
        in_a_city_with(a_county, |city| {
            let [caller, clerk, county] = talking(city, Answers::After(secs(2)));
            city.presses(clerk, keys);
            assert!(city.run_until(secs(12), |city| city.hears(clerk, county)), "{keys}");
            assert!(!city.hears(caller, county), "the caller waits");
            city.presses(clerk, "*0");
            assert!(city.run_until(secs(5), |city| city.hears(caller, county) && city.hears(clerk, caller)));
            city.hangs_up(clerk);
            city.run_for(secs(3));
            assert!(city.hears(caller, county) && city.hears(county, caller));
            city.hangs_up(caller);
            city.run_for(secs(3));
            assert_eq!(steps(city, caller), ["requested", "ringing", "consulting", "merged", "left"]);
        });
    }
}

#[test]
fn where_a_county_is_busy_or_nobody_answers_the_clerk_has_the_caller_again() {
    for answers in [Answers::Busy, Answers::Never] {
        in_a_city_with(a_county, |city| {
            let [caller, clerk, _] = talking(city, answers);
            city.presses(clerk, "*1");
            city.run_for(secs(2));
            assert!(city.run_until(secs(40), |city| city.hears(caller, clerk) && city.hears(clerk, caller)));
            city.hangs_up(caller);
            city.run_for(secs(3));
            assert_eq!(steps(city, caller).last(), Some(&"failed"));
        });
    }
}

#[test]
fn a_call_that_a_county_hands_over_is_known_as_its_own_and_waits_with_its_priority() {
    in_a_city_with(a_county, |city| {
        // Its switch speaks for the citizen.
        let county = city.phone("13800000030").waits();
        let clerk = city.seat("1001").answers_after(secs(1));
        let talker = city.phone("13800000010").dials("12345");
        assert!(city.run_until(secs(40), |city| city.talks_to(talker) == Some(clerk)));
        let citizen = city.phone("13800000020").dials("12345");
        assert!(city.run_until(secs(15), |city| city.state_of(citizen) == Some("waiting")));
        let organization = ("Organization".to_owned(), "410928 濮阳县 12345".to_owned());
        city.dials_with(county, Dial { headers: vec![organization], ..Dial::to("12345") });
        assert!(city.run_until(secs(15), |city| city.state_of(county) == Some("waiting")));
        city.hangs_up(talker);
        let first = city.run_until(secs(120), |city| city.talks_to(county) == Some(clerk));
        assert!(first, "before a citizen who waits longer: {:?}", city.state_of(county));
        city.hangs_up(county);
        city.hangs_up(citizen);
        city.run_for(secs(5));
        let told = What::FromPeer {
            peer: "7101".into(),
            org: "410928".into(),
            name: "410928 12345".into(),
            organization: Some("410928 濮阳县 12345".into()),
            handed_on: 1,
        };
        assert!(whats(city, county).contains(&told), "{:?}", whats(city, county));
        let prioritised = |what: &What| matches!(what, What::Prioritised { priority: 200, why } if why.to_string() == "peer/410928");
        assert!(whats(city, county).iter().any(prioritised));
        assert!(!whats(city, citizen).iter().any(|what| matches!(what, What::FromPeer { .. })));
        let record = city.record_of(county);
        assert_eq!(record.caller, "13800000030", "the citizen's number, as a trusted trunk says it");
        let event = |kind: &str| {
            let mut taken = city.books.taken.iter();
            let event = taken.find(|event| event.event.call == record.call && event.kind.contains(kind));
            serde_json::from_str::<serde_json::Value>(&event.expect(kind).json).expect("JSON")
        };
        assert_eq!(event("from_peer")["data"]["org"], "410928");
        let screen = event("seat.offered")["data"]["history"][0].clone();
        assert_eq!(screen, "handed over by 410928 410928 12345 (7101)");
    });
}

// ── Cities whose plans lead to one another ───────────────────────────────────────────────────────

/// Where a carrier is, which speaks for a citizen.
const CITIZEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 9, 0, 1)), 5060);

/// Cities in a ring: each puts who dials 12345 through to the next one at once.
struct Ring {
    boards: Vec<(SocketAddr, Switchboard)>,
    letters: VecDeque<(SocketAddr, Packet)>,
    now: Now,
    ports: u32,
    /// INVITEs that each city got, by their Max-Forwards.
    hops: Vec<Vec<u8>>,
    /// Statuses that one city refused another with.
    refused: Vec<u16>,
}

const ORGS: [&str; 3] = ["410900", "410500", "410600"];

fn seat_of(city: usize) -> SocketAddr {
    SocketAddr::from(([127, 8, 0, u8::try_from(city + 1).expect("a few")], 5060))
}

impl Ring {
    /// So many cities with these bounds on hand-overs. `mistaken`: they have wrong codes of one another, so that each
    /// has to find out by itself.
    fn of(hops_max: &[u8], mistaken: bool) -> Ring {
        let now = Now {
            mono: Instant::from_millis(1_000_000),
            wall: "2022-09-01T09:00:00+08:00".parse::<Timestamp>().expect("a time"),
        };
        let count = hops_max.len();
        let open = |city: usize| {
            let plan = house::plan(&|plan| {
                plan.city.org = Some(ORGS[city].into());
                let mut all = Vec::new();
                for other in (0..count).filter(|other| *other != city) {
                    let id = format!("to-{other}");
                    trunk(plan, &id, seat_of(other));
                    let org = if mistaken { format!("99990{other}") } else { ORGS[other].to_owned() };
                    let own = platform(&format!("710{other}"), &org, &id, "12345");
                    all.push(Platform { hops_max: hops_max[city], ..own });
                }
                let next = (city + 1) % count;
                let next = all.iter().find(|own| own.number.as_str() == format!("710{next}"));
                let peer = next.expect("another city").peer.clone();
                plan.peers = Peers::new(all);
                let line = plan.lines.get_mut("12345").expect("the shipped plan has it");
                line.mode = LineMode::SubCenter { peer, queue: "main".into() };
            });
            (seat_of(city), house::open(plan, seat_of(city), Dice::seeded(city as u64 + 1), now))
        };
        let boards = (0..count).map(open).collect();
        let mut ring = Ring {
            boards,
            letters: VecDeque::new(),
            now,
            ports: 0,
            hops: vec![Vec::new(); count],
            refused: Vec::new(),
        };
        ring.settle();
        ring
    }

    /// A citizen calls the first city, and everything comes to rest.
    fn call(&mut self) {
        let sdp = "v=0\r\no=- 1 1 IN IP4 127.9.0.1\r\ns=-\r\nc=IN IP4 127.9.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
        let invite = format!(
            "INVITE sip:12345@127.8.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.9.0.1:5060;branch=z9hG4bKcitizen\r\n\
             Max-Forwards: 70\r\nFrom: <sip:13800000001@127.9.0.1>;tag=a\r\nTo: <sip:12345@127.8.0.1>\r\n\
             Call-ID: citizen\r\nCSeq: 1 INVITE\r\nContact: <sip:127.9.0.1:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        let packet = Packet { listener: 0, peer: CITIZEN, bytes: invite.into_bytes().into() };
        self.letters.push_back((seat_of(0), packet));
        for _ in 0..300 {
            self.settle();
            self.now = Now { mono: self.now.mono + millis(10), wall: self.now.wall + millis(10) };
            for place in 0..self.boards.len() {
                self.boards[place].1.handle_timeout(self.now);
            }
        }
    }

    fn settle(&mut self) {
        loop {
            for place in 0..self.boards.len() {
                while let Some(output) = self.boards[place].1.poll_output() {
                    self.carry(place, output);
                }
            }
            let Some((to, packet)) = self.letters.pop_front() else { return };
            let Some(place) = self.boards.iter().position(|(at, _)| *at == to) else { continue };
            if name(&packet.bytes) == "INVITE" {
                let hops = header(&packet.bytes, "Max-Forwards: ").parse().expect("a number");
                self.hops[place].push(hops);
            }
            self.boards[place].1.handle_input(Input::Packet(packet), self.now);
        }
    }

    fn carry(&mut self, place: usize, output: Output) {
        let (own, board) = &mut self.boards[place];
        match output {
            Output::Packet(packet) => {
                let text = String::from_utf8_lossy(&packet.bytes).into_owned();
                if let Some(status) = text.strip_prefix("SIP/2.0 4").filter(|_| packet.peer != CITIZEN) {
                    assert!(text.contains("Reason: Q.850;cause=25;"), "{text}");
                    self.refused.push(400 + status[..2].parse::<u16>().expect("a status"));
                }
                // A box between them hides who is calling (RFC 7989): nothing but the platforms' own words is left.
                let lines: Vec<&str> =
                    text.split_inclusive("\r\n").filter(|line| !line.starts_with("Session-ID:")).collect();
                let bytes = lines.concat().into_bytes().into();
                self.letters.push_back((packet.peer, Packet { listener: 0, peer: *own, bytes }));
            }
            Output::OpenPorts(count) => {
                let slots = (self.ports..self.ports + count).map(PortSlot).collect();
                self.ports += count;
                board.handle_input(Input::PortsOpened(slots), self.now);
            }
            Output::Store { token, .. } => board.handle_input(Input::Stored { token }, self.now),
            _ => {} // Nobody is there to hear anything.
        }
    }

    /// How often each city refused a call for these reasons, to or from another.
    fn counted(&self, why: TurnedAway) -> Vec<u64> {
        self.boards.iter().map(|(_, board)| board.turned_away().get(&why).copied().unwrap_or(0)).collect()
    }
}

/// RFC 3261 §21.4.20 and §21.4.21; Max-Forwards one less with each city (RFC 7332).
#[test]
fn cities_that_lead_to_one_another_end_it_row_by_row() {
    struct Row {
        what: &'static str,
        hops_max: &'static [u8],
        mistaken: bool,
        invites: &'static [&'static [u8]],
        loops: &'static [u64],
        too_many: &'static [u64],
        refused: &'static [u16],
    }
    let rows = [
        Row {
            what: "two: it is not sent back to where it came from",
            hops_max: &[3, 3],
            mistaken: false,
            invites: &[&[70], &[69]],
            loops: &[0, 1],
            too_many: &[0, 0],
            refused: &[],
        },
        Row {
            what: "three: nor to the first, which handed it on before",
            hops_max: &[3, 3, 3],
            mistaken: false,
            invites: &[&[70], &[69], &[68]],
            loops: &[0, 0, 1],
            too_many: &[0, 0, 0],
            refused: &[],
        },
        Row {
            what: "three that have wrong codes of one another: the first knows its own",
            hops_max: &[3, 3, 3],
            mistaken: true,
            invites: &[&[70, 67], &[69], &[68]],
            loops: &[1, 0, 0],
            too_many: &[0, 0, 0],
            refused: &[482],
        },
        Row {
            what: "three, one of which hands nothing on that was handed to it",
            hops_max: &[3, 1, 3],
            mistaken: false,
            invites: &[&[70], &[69], &[]],
            loops: &[0, 0, 0],
            too_many: &[0, 1, 0],
            refused: &[],
        },
        Row {
            what: "three, the last of which takes nothing that was handed on twice",
            hops_max: &[3, 3, 1],
            mistaken: false,
            invites: &[&[70], &[69], &[68]],
            loops: &[0, 0, 0],
            too_many: &[0, 0, 1],
            refused: &[483],
        },
    ];
    for row in rows {
        let mut ring = Ring::of(row.hops_max, row.mistaken);
        ring.call();
        assert_eq!(ring.hops, row.invites, "{}", row.what);
        assert_eq!(ring.counted(TurnedAway::Loop), row.loops, "{}", row.what);
        assert_eq!(ring.counted(TurnedAway::TooManyHops), row.too_many, "{}", row.what);
        assert_eq!(ring.refused, row.refused, "{}", row.what);
    }
}
