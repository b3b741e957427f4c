//! What becomes of a trunk's names, as `io::resolver` tells it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use hotline::id::Dice;
use hotline::io::plan_files;
use hotline::io::resolver::{News, Pace, Resolver};
use hotline::routing::plan::{self, TrunkTarget};
use hotline::routing::{Overrides, Plan};
use hotline::sip::Transport;
use hotline::sip::event::ListenerConfig;
use hotline::sip::locate::Reach;
use tokio::runtime::Runtime;

use crate::server::{LONG, Mood, Server, address, alias, naptr, srv};

const TRUNK: &str = "sub-12366";

struct Bench {
    server: Server,
    plan: Plan,
    resolver: Resolver,
    news: Receiver<News>,
    _runtime: Runtime,
}

impl Bench {
    /// With listeners of these transports, IPv4.
    fn new(transports: &[Transport], pace: Pace) -> Bench {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let mut plan = plan_files::load(&path, &Overrides::default()).plan.expect("the shipped plan");
        let server = Server::start();
        plan.network.dns = vec![server.at];
        let listener = |transport: &Transport| ListenerConfig {
            transport: *transport,
            bind: "192.0.2.1:5060".parse().unwrap(),
            advertise: "192.0.2.1".parse().unwrap(),
        };
        let reach = Reach::of(&transports.iter().map(listener).collect::<Vec<_>>());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (tell, news) = mpsc::channel();
        let tell = Arc::new(move |one| drop(tell.send(one)));
        let resolver = Resolver::new(runtime.handle().clone(), reach, pace, Dice::seeded(3263), tell);
        Bench { server, plan, resolver, news, _runtime: runtime }
    }

    fn target(&mut self, targets: &[TrunkTarget]) {
        self.plan.trunks.get_mut(TRUNK).expect("a trunk").targets = targets.to_vec();
        self.resolver.follow(&self.plan);
    }

    fn next(&self) -> News {
        self.news.recv_timeout(LONG).expect("news of the trunk")
    }
}

fn host(name: &str) -> TrunkTarget {
    TrunkTarget { secure: false, host: name.into(), port: None, transport: None }
}

fn hops(news: &News) -> Vec<String> {
    let hop = |hop: &hotline::sip::Hop| {
        format!("{} {} {}", hop.transport.uri_name(), hop.addr, hop.name.as_deref().unwrap_or("-"))
    };
    news.hops.iter().map(hop).collect()
}

/// Asks again as soon as it may.
fn hasty() -> Pace {
    let soon = Duration::from_millis(5);
    Pace { question: Duration::from_secs(5), age_max: soon, retry_first: soon, retry_max: soon }
}

#[test]
fn a_name_leads_by_naptr_and_srv_to_addresses_in_their_order() {
    let mut bench = Bench::new(&[Transport::Udp, Transport::Tcp], Pace::default());
    bench.server.know(&[
        ("carrier.example", naptr(10, "SIPS+D2T", "_sips._tcp.carrier.example")),
        ("carrier.example", naptr(20, "SIP+D2T", "_sip._tcp.carrier.example")),
        ("_sip._tcp.carrier.example", srv(20, 0, 5060, "second.carrier.example")),
        ("_sip._tcp.carrier.example", srv(10, 0, 5070, "first.carrier.example")),
        ("first.carrier.example", address("198.51.100.1")),
        ("first.carrier.example", address("2001:db8::1")),
        ("second.carrier.example", alias("sbc.hosting.example")),
        ("sbc.hosting.example", address("198.51.100.2")),
        ("other.example", address("198.51.100.9")),
    ]);
    let other =
        TrunkTarget { port: Some(5080), transport: Some(plan::Transport::Udp), ..host("other.example") };
    let numbered = TrunkTarget::from("198.51.100.7:5090".parse::<std::net::SocketAddr>().unwrap());
    bench.target(&[host("carrier.example"), numbered, other]);
    let news = bench.next();
    assert_eq!(news.trunk.as_str(), TRUNK);
    assert_eq!(
        hops(&news),
        [
            "tcp 198.51.100.1:5070 carrier.example",
            "tcp 198.51.100.2:5060 carrier.example",
            "udp 198.51.100.7:5090 -",
            "udp 198.51.100.9:5080 other.example",
        ]
    );
    assert_eq!(bench.server.asked(), "NAPTR carrier.example.");
    assert_eq!(bench.server.asked(), "SRV _sip._tcp.carrier.example.");
}

#[test]
fn records_of_equal_priority_take_turns_from_one_lookup_to_the_next() {
    let mut bench = Bench::new(&[Transport::Udp], hasty());
    bench.server.know(&[
        ("_sip._udp.carrier.example", srv(1, 50, 5060, "a.carrier.example")),
        ("_sip._udp.carrier.example", srv(1, 50, 5060, "b.carrier.example")),
        ("a.carrier.example", address("198.51.100.1")),
        ("b.carrier.example", address("198.51.100.2")),
    ]);
    bench.target(&[TrunkTarget { transport: Some(plan::Transport::Udp), ..host("carrier.example") }]);
    let (first, second) = (hops(&bench.next()), hops(&bench.next()));
    assert_ne!(first, second);
    let sorted = |mut hops: Vec<String>| {
        hops.sort();
        hops
    };
    assert_eq!(sorted(first), sorted(second), "the same two places");
}

#[test]
fn while_the_server_fails_or_forgets_the_last_good_answer_stays() {
    let mut bench = Bench::new(&[Transport::Udp], hasty());
    bench.server.know(&[("carrier.example", address("198.51.100.1"))]);
    bench.target(&[TrunkTarget { port: Some(5060), ..host("carrier.example") }]);
    assert_eq!(hops(&bench.next()), ["udp 198.51.100.1:5060 carrier.example"]);
    for (mood, ip) in [(Mood::Fails, "198.51.100.2"), (Mood::Forgets, "198.51.100.3")] {
        bench.server.be(mood.clone());
        bench.server.forget_asked();
        for _ in 0..4 {
            bench.server.asked(); // Asked again and again: it has not given up.
        }
        assert!(bench.news.try_recv().is_err(), "{mood:?}: nothing new is known");
        bench.server.know(&[("carrier.example", address(ip))]);
        bench.server.be(Mood::Well);
        assert_eq!(hops(&bench.next()), [format!("udp {ip}:5060 carrier.example")]);
    }
}

#[test]
fn one_of_two_targets_that_is_lost_keeps_its_old_place_beside_the_new_of_the_other() {
    let mut bench = Bench::new(&[Transport::Udp], hasty());
    bench.server.know(&[("a.example", address("198.51.100.1")), ("b.example", address("198.51.100.2"))]);
    let at = |name| TrunkTarget { port: Some(5060), ..host(name) };
    bench.target(&[at("a.example"), at("b.example")]);
    assert_eq!(hops(&bench.next()), ["udp 198.51.100.1:5060 a.example", "udp 198.51.100.2:5060 b.example"]);
    bench.server.know(&[("b.example", address("198.51.100.3"))]);
    assert_eq!(hops(&bench.next()), ["udp 198.51.100.1:5060 a.example", "udp 198.51.100.3:5060 b.example"]);
}

#[test]
fn a_server_that_is_silent_is_asked_until_it_speaks() {
    let pace = Pace { question: Duration::from_millis(20), ..hasty() };
    let mut bench = Bench::new(&[Transport::Udp], pace);
    bench.server.know(&[("carrier.example", address("198.51.100.1"))]);
    bench.server.be(Mood::Holds);
    bench.target(&[TrunkTarget { port: Some(5060), ..host("carrier.example") }]);
    for _ in 0..3 {
        assert_eq!(bench.server.asked(), "A carrier.example.");
    }
    bench.server.be(Mood::Well);
    assert_eq!(hops(&bench.next()), ["udp 198.51.100.1:5060 carrier.example"]);
}

#[test]
fn a_new_plan_leaves_names_that_stay_and_ends_the_watch_over_those_that_go() {
    let mut bench = Bench::new(&[Transport::Udp], Pace::default());
    bench.server.know(&[("a.example", address("198.51.100.1")), ("b.example", address("198.51.100.2"))]);
    let at = |name| TrunkTarget { port: Some(5060), ..host(name) };
    bench.target(&[at("a.example")]);
    let first = bench.next();
    bench.target(&[at("a.example")]);
    assert!(bench.resolver.stands(&first), "the same names: the same watch");

    bench.target(&[at("b.example")]);
    let second = bench.next();
    assert_eq!(hops(&second), ["udp 198.51.100.2:5060 b.example"]);
    assert!(!bench.resolver.stands(&first) && bench.resolver.stands(&second));

    bench.target(&["198.51.100.9:5060".parse::<std::net::SocketAddr>().unwrap().into()]);
    assert!(!bench.resolver.stands(&second), "an address needs no watch");
}
