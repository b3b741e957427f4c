//! RFC 3263 row by row: a target, what our listeners speak, what DNS says, and what comes of it.

use super::*;
use crate::sip::event::ListenerConfig;

/// Records by name, as a zone file would say them. A name that is not there does not exist.
enum Record {
    /// Order, preference, flags, services, replacement.
    Naptr(u16, u16, &'static str, &'static str, &'static str),
    /// Priority, weight, port, target.
    Srv(u16, u16, u16, &'static str),
    /// Address of either family.
    Addr(&'static str),
    /// The server fails for this kind of question: `NAPTR`, `SRV`, `A`, `AAAA`.
    Fails(&'static str),
}
use Record::{Addr, Fails, Srv as S};
type Zone = &'static [(&'static str, Record)];

const TTL: Duration = Duration::from_secs(600);

fn answer(zone: &[(&'static str, Record)], question: &Question) -> Answer {
    let (name, kind) = match question {
        Question::Naptr(name) => (name, "NAPTR"),
        Question::Srv(name) => (name, "SRV"),
        Question::A(name) => (name, "A"),
        Question::Aaaa(name) => (name, "AAAA"),
    };
    let here = || zone.iter().filter(|(owner, _)| *owner == &**name).map(|(_, record)| record);
    if here().any(|record| matches!(record, Fails(failing) if *failing == kind)) {
        return Answer::Failed;
    }
    let naptr = here().filter_map(|record| match record {
        Record::Naptr(order, preference, flags, services, replacement) => Some(Naptr {
            order: *order,
            preference: *preference,
            flags: (*flags).to_owned(),
            services: (*services).to_owned(),
            regexp: String::new(),
            replacement: (*replacement).into(),
        }),
        _ => None,
    });
    let srv = here().filter_map(|record| match record {
        S(priority, weight, port, target) => {
            Some(Srv { priority: *priority, weight: *weight, port: *port, target: (*target).into() })
        }
        _ => None,
    });
    let addrs = here().filter_map(|record| match record {
        Addr(text) => Some(text.parse::<IpAddr>().unwrap()),
        _ => None,
    });
    let found = match kind {
        "NAPTR" => Answer::Naptr(naptr.collect(), TTL),
        "SRV" => Answer::Srv(srv.collect(), TTL),
        "A" => Answer::Addrs(addrs.filter(IpAddr::is_ipv4).collect(), TTL),
        _ => Answer::Addrs(addrs.filter(IpAddr::is_ipv6).collect(), TTL),
    };
    match &found {
        Answer::Naptr(list, _) if list.is_empty() => Answer::Nothing,
        Answer::Srv(list, _) if list.is_empty() => Answer::Nothing,
        Answer::Addrs(list, _) if list.is_empty() => Answer::Nothing,
        _ => found,
    }
}

/// `udp`, `udp6`, `tcp`, … in the operator's order.
fn reach(listeners: &str) -> Reach {
    let one = |word: &str| {
        let (name, ip) = match word.strip_suffix('6') {
            Some(name) => (name, "2001:db8::1"),
            None => (word, "192.0.2.1"),
        };
        let transport = Transport::of(name.as_bytes()).unwrap();
        let ip: IpAddr = ip.parse().unwrap();
        let bind = SocketAddr::new(ip, transport.default_port());
        ListenerConfig { transport, bind, advertise: ip }
    };
    Reach::of(&listeners.split_whitespace().map(one).collect::<Vec<_>>())
}

/// `sips:host:port;transport=tcp`, without brackets around IPv6.
fn target(text: &str) -> Destination {
    let (text, transport) = text
        .split_once(";transport=")
        .map_or((text, None), |(text, transport)| (text, Some(Transport::of(transport.as_bytes()).unwrap())));
    let (scheme, text) = text.split_once(':').unwrap();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if text.parse::<IpAddr>().is_err() => (host, Some(port.parse().unwrap())),
        _ => (text, None),
    };
    Destination { secure: scheme == "sips", host: host.into(), port, transport }
}

/// The questions in the order asked, and the end: `udp 192.0.2.7:5060, …`, or why not.
fn run(text: &str, listeners: &str, zone: &[(&'static str, Record)]) -> (String, String) {
    let mut locator = Locator::new(target(text), reach(listeners), Dice::seeded(1));
    let mut asked = Vec::new();
    loop {
        match locator.poll_output().expect("a question is open until the end") {
            Output::Ask(question) => {
                let shown = match &question {
                    Question::Naptr(name) => format!("NAPTR {name}"),
                    Question::Srv(name) => format!("SRV {name}"),
                    Question::A(name) => format!("A {name}"),
                    Question::Aaaa(name) => format!("AAAA {name}"),
                };
                asked.push(shown);
                let answer = answer(zone, &question);
                locator.handle_answer(&question, answer);
            }
            Output::Located(located) => {
                let hops =
                    located.hops.iter().map(|hop| format!("{} {}", hop.transport.uri_name(), hop.addr));
                let hops: Vec<String> = hops.collect();
                assert!(locator.poll_output().is_none());
                return (asked.join(", "), hops.join(", "));
            }
            Output::Lost(lost) => return (asked.join(", "), format!("{lost:?}")),
        }
    }
}

#[test]
fn a_target_is_located_as_rfc_3263_asks() {
    const ALL: &str = "udp tcp tls";
    /// The zone of RFC 3263 §4.1.
    const RFC: Zone = &[
        ("c", Record::Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.c")),
        ("c", Record::Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.c")),
        ("c", Record::Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.c")),
        ("_sips._tcp.c", S(0, 1, 5061, "s1.c")),
        ("_sip._tcp.c", S(0, 1, 5060, "s1.c")),
        ("_sip._tcp.c", S(1, 1, 5060, "s2.c")),
        ("_sip._udp.c", S(0, 1, 5070, "s1.c")),
        ("s1.c", Addr("192.0.2.7")),
        ("s2.c", Addr("192.0.2.8")),
        ("c", Addr("192.0.2.99")),
    ];
    let rows: &[(&str, &str, Zone, &str, &str)] = &[
        // §4.1, §4.2: an address asks nothing.
        ("sip:192.0.2.7", ALL, &[], "", "udp 192.0.2.7:5060"),
        ("sip:192.0.2.7:5080", ALL, &[], "", "udp 192.0.2.7:5080"),
        ("sip:192.0.2.7;transport=tcp", ALL, &[], "", "tcp 192.0.2.7:5060"),
        ("sip:192.0.2.7;transport=tls", ALL, &[], "", "tls 192.0.2.7:5061"),
        ("sips:192.0.2.7", ALL, &[], "", "tls 192.0.2.7:5061"),
        ("sips:192.0.2.7;transport=tcp", ALL, &[], "", "tls 192.0.2.7:5061"),
        ("sip:2001:db8::7", "udp udp6", &[], "", "udp [2001:db8::7]:5060"),
        ("sip:2001:db8::7", ALL, &[], "", "Nothing"),
        ("sip:192.0.2.7", "tcp", &[], "", "tcp 192.0.2.7:5060"),
        ("sip:192.0.2.7;transport=udp", "tcp", &[], "", "NoTransport"),
        ("sips:192.0.2.7;transport=udp", ALL, &[], "", "NoTransport"),
        ("sips:192.0.2.7", "udp tcp", &[], "", "NoTransport"),
        ("sip:192.0.2.1", ALL, &[], "", "Nothing"), // Our own door.
        // §4.1, §4.2: a port asks for addresses only, UDP unless said otherwise.
        ("sip:c:5080", ALL, RFC, "A c", "udp 192.0.2.99:5080"),
        ("sips:c:5080", ALL, RFC, "A c", "tls 192.0.2.99:5080"),
        ("sip:c:5080;transport=tcp", ALL, RFC, "A c", "tcp 192.0.2.99:5080"),
        // §4.2: a transport asks for its SRV.
        (
            "sip:c;transport=tcp",
            ALL,
            RFC,
            "SRV _sip._tcp.c, A s1.c, A s2.c",
            "tcp 192.0.2.7:5060, tcp 192.0.2.8:5060",
        ),
        ("sip:c;transport=tls", ALL, RFC, "SRV _sips._tcp.c, A s1.c", "tls 192.0.2.7:5061"),
        ("sips:c;transport=tcp", ALL, RFC, "SRV _sips._tcp.c, A s1.c", "tls 192.0.2.7:5061"),
        // §4.2: no SRV, then the name's own address and the default port.
        ("sip:s1.c;transport=tcp", ALL, RFC, "SRV _sip._tcp.s1.c, A s1.c", "tcp 192.0.2.7:5060"),
        ("sip:s1.c;transport=tls", ALL, RFC, "SRV _sips._tcp.s1.c, A s1.c", "tls 192.0.2.7:5061"),
        // §4.1: NAPTR; services that we do not speak are discarded, then the lowest order counts.
        ("sip:c", ALL, RFC, "NAPTR c, SRV _sips._tcp.c, A s1.c", "tls 192.0.2.7:5061"),
        (
            "sip:c",
            "udp tcp",
            RFC,
            "NAPTR c, SRV _sip._tcp.c, A s1.c, A s2.c",
            "tcp 192.0.2.7:5060, tcp 192.0.2.8:5060",
        ),
        ("sip:c", "udp", RFC, "NAPTR c, SRV _sip._udp.c, A s1.c", "udp 192.0.2.7:5070"),
        ("sips:c", ALL, RFC, "NAPTR c, SRV _sips._tcp.c, A s1.c", "tls 192.0.2.7:5061"),
        ("sips:c", "udp tcp", RFC, "NAPTR c", "NoTransport"),
        // RFC 3403 §4.1: preference within one order; the replacement may lie in another domain.
        (
            "sip:p",
            ALL,
            &[
                ("p", Record::Naptr(10, 20, "s", "SIP+D2U", "_sip._udp.p")),
                ("p", Record::Naptr(10, 10, "S", "sip+d2t", "_sip._tcp.elsewhere")),
                ("_sip._udp.p", S(0, 1, 5060, "a.p")),
                ("_sip._tcp.elsewhere", S(9, 1, 5060, "b.p")),
                ("a.p", Addr("192.0.2.7")),
                ("b.p", Addr("192.0.2.8")),
            ],
            "NAPTR p, SRV _sip._tcp.elsewhere, SRV _sip._udp.p, A b.p, A a.p",
            "tcp 192.0.2.8:5060, udp 192.0.2.7:5060",
        ),
        // A service whose SRV is not there: the next order.
        (
            "sip:q",
            ALL,
            &[
                ("q", Record::Naptr(10, 10, "s", "SIP+D2T", "_sip._tcp.q")),
                ("q", Record::Naptr(20, 10, "s", "SIP+D2U", "_sip._udp.q")),
                ("_sip._udp.q", S(0, 1, 5060, "a.q")),
                ("a.q", Addr("192.0.2.7")),
            ],
            "NAPTR q, SRV _sip._tcp.q, SRV _sip._udp.q, A a.q",
            "udp 192.0.2.7:5060",
        ),
        // NAPTR that has nothing to do with SIP, or that no client of RFC 3263 can use, counts as none.
        (
            "sip:e",
            "udp",
            &[
                ("e", Record::Naptr(10, 10, "u", "E2U+sip", ".")),
                ("_sip._udp.e", S(0, 1, 5060, "a.e")),
                ("a.e", Addr("192.0.2.7")),
            ],
            "NAPTR e, SRV _sip._udp.e, A a.e",
            "udp 192.0.2.7:5060",
        ),
        ("sip:x", "udp", &[("x", Record::Naptr(1, 1, "a", "SIP+D2U", "y"))], "NAPTR x", "NoTransport"),
        ("sip:x", "udp", &[("x", Record::Naptr(1, 1, "s", "SIP+D2S", "y"))], "NAPTR x", "NoTransport"),
        // §4.1: no NAPTR, SRV for each transport that we speak.
        (
            "sip:v",
            ALL,
            &[("_sip._tcp.v", S(0, 1, 5062, "a.v")), ("a.v", Addr("192.0.2.7"))],
            "NAPTR v, SRV _sip._udp.v, SRV _sip._tcp.v, A a.v",
            "tcp 192.0.2.7:5062",
        ),
        ("sips:v", ALL, &[("v", Addr("192.0.2.7"))], "NAPTR v, SRV _sips._tcp.v, A v", "tls 192.0.2.7:5061"),
        // §4.2: neither NAPTR nor SRV: UDP, its default port, the name's own address.
        (
            "sip:s2.c",
            ALL,
            RFC,
            "NAPTR s2.c, SRV _sip._udp.s2.c, SRV _sip._tcp.s2.c, A s2.c",
            "udp 192.0.2.8:5060",
        ),
        ("sip:nowhere", "udp", RFC, "NAPTR nowhere, SRV _sip._udp.nowhere, A nowhere", "Nothing"),
        // RFC 2782: the root as target says that the service is not offered, whatever else there is.
        (
            "sip:d;transport=udp",
            ALL,
            &[("_sip._udp.d", S(0, 0, 0, ".")), ("d", Addr("192.0.2.7"))],
            "SRV _sip._udp.d",
            "Nothing",
        ),
        // Both families where both are spoken, the operator's first in front (RFC 7984 §4).
        (
            "sip:b:5060",
            "udp6 udp",
            &[("b", Addr("192.0.2.7")), ("b", Addr("2001:db8::7"))],
            "AAAA b, A b",
            "udp [2001:db8::7]:5060, udp 192.0.2.7:5060",
        ),
        (
            "sip:b:5060",
            "udp",
            &[("b", Addr("192.0.2.7")), ("b", Addr("192.0.2.8")), ("b", Addr("192.0.2.7"))],
            "A b",
            "udp 192.0.2.7:5060, udp 192.0.2.8:5060",
        ),
        // Two records of one host and port are one hop, and the host is asked for once.
        (
            "sip:t;transport=udp",
            ALL,
            &[
                ("_sip._udp.t", S(1, 1, 5060, "a.t")),
                ("_sip._udp.t", S(2, 1, 5060, "a.t")),
                ("_sip._udp.t", S(3, 1, 5070, "a.t")),
                ("a.t", Addr("192.0.2.7")),
            ],
            "SRV _sip._udp.t, A a.t",
            "udp 192.0.2.7:5060, udp 192.0.2.7:5070",
        ),
        // A server in trouble: what is known is used, what is not known is not made up.
        (
            "sip:f",
            "udp",
            &[("f", Fails("NAPTR")), ("_sip._udp.f", S(0, 1, 5062, "a.f")), ("a.f", Addr("192.0.2.7"))],
            "NAPTR f, SRV _sip._udp.f, A a.f",
            "udp 192.0.2.7:5062",
        ),
        (
            "sip:f;transport=udp",
            ALL,
            &[("_sip._udp.f", Fails("SRV")), ("f", Addr("192.0.2.7"))],
            "SRV _sip._udp.f",
            "Unanswered",
        ),
        (
            "sip:f:5060",
            "udp udp6",
            &[("f", Addr("192.0.2.7")), ("f", Fails("AAAA"))],
            "A f, AAAA f",
            "udp 192.0.2.7:5060",
        ),
        ("sip:f:5060", "udp", &[("f", Fails("A"))], "A f", "Unanswered"),
        (
            "sip:g;transport=udp",
            ALL,
            &[
                ("_sip._udp.g", S(1, 1, 5060, "a.g")),
                ("_sip._udp.g", S(2, 1, 5060, "b.g")),
                ("a.g", Fails("A")),
                ("b.g", Addr("192.0.2.8")),
            ],
            "SRV _sip._udp.g, A a.g, A b.g",
            "udp 192.0.2.8:5060",
        ),
    ];
    for (text, listeners, zone, asked, found) in rows {
        let run = run(text, listeners, zone);
        assert_eq!((run.0.as_str(), run.1.as_str()), (*asked, *found), "{text} by {listeners}");
    }
}

/// Answers everything with `answer`, and gives the end and how much was asked.
fn flooded(text: &str, answer: impl Fn(&Question) -> Answer) -> (Output, usize) {
    let mut locator = Locator::new(target(text), reach("udp tcp tls"), Dice::seeded(2));
    let mut asked = 0;
    loop {
        match locator.poll_output().expect("it comes to an end") {
            Output::Ask(question) => {
                asked += 1;
                locator.handle_answer(&question, answer(&question));
            }
            end => return (end, asked),
        }
    }
}

#[test]
fn a_zone_without_end_costs_a_bounded_number_of_questions_and_hops() {
    let (end, asked) = flooded("sip:big", |question| match question {
        Question::Naptr(_) => {
            let record = |index: u16| Naptr {
                order: 1,
                preference: index,
                flags: "s".into(),
                services: "SIP+D2U".into(),
                regexp: String::new(),
                replacement: format!("_sip._udp.{index}.big").into(),
            };
            Answer::Naptr((0..1_000).map(record).collect(), TTL)
        }
        Question::Srv(name) => {
            let record =
                |index| Srv { priority: 1, weight: 1, port: 5060, target: format!("{index}.{name}").into() };
            Answer::Srv((0..1_000).map(record).collect(), TTL)
        }
        _ => {
            let addr = |index: u16| IpAddr::from([192, 0, (index >> 8) as u8, index as u8]);
            Answer::Addrs((300..1_000).map(addr).collect(), TTL)
        }
    });
    let Output::Located(located) = end else { panic!("{end:?}") };
    assert_eq!(located.hops.len(), ADDRS_MAX, "every name has the same addresses, and they count once");
    assert!(asked <= 1 + NAPTR_MAX + HOPS_MAX, "{asked}");
}

#[test]
fn records_that_point_at_each_other_come_to_an_end() {
    let (end, asked) = flooded("sip:loop", |question| match question {
        Question::Naptr(_) => Answer::Naptr(
            vec![Naptr {
                order: 1,
                preference: 1,
                flags: "s".into(),
                services: "SIP+D2U".into(),
                regexp: String::new(),
                replacement: "loop".into(),
            }],
            TTL,
        ),
        Question::Srv(_) => {
            Answer::Srv(vec![Srv { priority: 1, weight: 1, port: 5060, target: "loop".into() }], TTL)
        }
        _ => Answer::Nothing,
    });
    assert_eq!((end, asked), (Output::Lost(Lost::Nothing), 3));
}

#[test]
fn the_shortest_life_of_the_records_counts_within_floor_and_ceiling() {
    let secs = Duration::from_secs;
    for (srv, addr, expected) in [
        (secs(600), secs(900), secs(600)),
        (secs(900), secs(600), secs(600)),
        (secs(0), secs(600), TTL_MIN),
        (secs(86_400), secs(86_400), TTL_MAX),
    ] {
        let (end, _) = flooded("sip:t;transport=udp", |question| match question {
            Question::Srv(_) => {
                Answer::Srv(vec![Srv { priority: 1, weight: 1, port: 5060, target: "a".into() }], srv)
            }
            _ => Answer::Addrs(vec![IpAddr::from([192, 0, 2, 7])], addr),
        });
        let Output::Located(located) = end else { panic!("{end:?}") };
        assert_eq!(located.ttl, Some(expected));
    }
    let (end, _) = flooded("sip:192.0.2.7", |_| Answer::Failed);
    assert!(matches!(end, Output::Located(Located { ttl: None, .. })), "{end:?}");
}

#[test]
fn a_hop_says_the_name_that_a_certificate_must_say() {
    let (end, _) = flooded("sip:carrier.example;transport=tls", |question| match question {
        Question::Srv(_) => Answer::Srv(
            vec![Srv { priority: 1, weight: 1, port: 5061, target: "sbc.hosting.example".into() }],
            TTL,
        ),
        _ => Answer::Addrs(vec![IpAddr::from([192, 0, 2, 7])], TTL),
    });
    let Output::Located(located) = end else { panic!("{end:?}") };
    // RFC 5922 §4: the domain of the URI, not the host that SRV named, which anybody could forge.
    assert_eq!(located.hops[0].name.as_deref(), Some("carrier.example"));
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let mut locator = Locator::new(target("sip:a:5060"), reach("udp"), Dice::seeded(4));
    assert_eq!(locator.poll_output(), Some(Output::Ask(Question::A("a".into()))));
    let addrs = |ip: &str| Answer::Addrs(vec![ip.parse().unwrap()], TTL);
    locator.handle_answer(&Question::A("b".into()), addrs("192.0.2.66"));
    locator.handle_answer(&Question::Srv("a".into()), addrs("192.0.2.66"));
    assert_eq!(locator.poll_output(), None);
    locator.handle_answer(&Question::A("a".into()), addrs("192.0.2.7"));
    let Some(Output::Located(located)) = locator.poll_output() else { panic!("located") };
    assert_eq!(located.hops[0].addr, "192.0.2.7:5060".parse().unwrap());
    locator.handle_answer(&Question::A("a".into()), addrs("192.0.2.66"));
    assert_eq!(locator.poll_output(), None);
}

#[test]
fn each_hop_says_where_it_stands_so_that_calls_can_draw_anew() {
    let zone: Zone = &[
        ("c", Record::Naptr(1, 1, "s", "SIP+D2U", "_sip._udp.c")),
        ("c", Record::Naptr(1, 2, "s", "SIP+D2T", "_sip._tcp.c")),
        ("_sip._udp.c", S(5, 9, 5060, "a.c")),
        ("_sip._udp.c", S(7, 1, 5060, "b.c")),
        ("_sip._tcp.c", S(7, 4, 5060, "a.c")),
        ("a.c", Addr("192.0.2.7")),
        ("a.c", Addr("192.0.2.8")),
        ("b.c", Addr("192.0.2.9")),
    ];
    let mut locator = Locator::new(target("sip:c"), reach("udp tcp"), Dice::seeded(1));
    let hops = loop {
        match locator.poll_output().expect("a question is open until the end") {
            Output::Ask(question) => locator.handle_answer(&question, answer(zone, &question)),
            Output::Located(located) => break located.hops,
            Output::Lost(lost) => panic!("{lost}"),
        }
    };
    let shown: Vec<String> = hops
        .iter()
        .map(|hop| {
            let Rank { tier, record, weight } = hop.rank;
            format!("{} {} {tier} {record} {weight}", hop.transport.uri_name(), hop.addr.ip())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "udp 192.0.2.7 0 0 9",
            "udp 192.0.2.8 0 0 9",
            "udp 192.0.2.9 1 1 1",
            "tcp 192.0.2.7 2 2 4",
            "tcp 192.0.2.8 2 2 4",
        ]
    );
}
