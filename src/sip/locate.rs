//! Where a target's requests go: RFC 3263 as a machine that asks DNS and makes hops of the answers.
//!
//! NAPTR tells the transport, SRV the hosts and ports, A and AAAA the addresses, with the short cuts
//! of §4.1 and §4.2 where the target says more. Names are looked up three deep and no deeper; who
//! asks, how long an answer may take and what an old answer is worth is for `io` to say.

mod reach;
mod srv;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::transport::{Hop, Rank, Transport};
use crate::id::Dice;

pub use reach::{Family, Reach};
pub use srv::Srv;

/// NAPTR records of one answer that are looked at.
pub const NAPTR_MAX: usize = 16;
/// SRV records of one answer that are looked at, those of the best priority first.
pub const SRV_MAX: usize = 32;
/// Addresses of one name and family that are taken.
pub const ADDRS_MAX: usize = 8;
/// Hops that one target comes to.
pub const HOPS_MAX: usize = 32;
/// An answer is believed so long at least: zero would mean a lookup for each call.
pub const TTL_MIN: Duration = Duration::from_secs(30);
/// An answer is believed so long at most: a carrier that moves is found within the hour.
pub const TTL_MAX: Duration = Duration::from_secs(3_600);

/// What is to be reached: a SIP URI without its user, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `sips`: TLS and nothing else.
    pub secure: bool,
    /// Name or address; IPv6 without brackets.
    pub host: Arc<str>,
    /// Where it is written.
    pub port: Option<u16>,
    /// Where it is written.
    pub transport: Option<Transport>,
}

/// A question for DNS; names are fully qualified, without the dot at their end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// RFC 3403.
    Naptr(Arc<str>),
    /// RFC 2782.
    Srv(Arc<str>),
    /// IPv4.
    A(Arc<str>),
    /// IPv6.
    Aaaa(Arc<str>),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Naptr`].
    Naptr(Vec<Naptr>, Duration),
    /// To [`Question::Srv`].
    Srv(Vec<Srv>, Duration),
    /// To [`Question::A`] and [`Question::Aaaa`].
    Addrs(Vec<IpAddr>, Duration),
    /// The server is sure that there is nothing: NXDOMAIN, or a name without such records.
    Nothing,
    /// No word, or a server in trouble: nobody knows.
    Failed,
}

/// One NAPTR record (RFC 3403 §4.1), as far as SIP uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower first; higher ones only where nothing can be done with it.
    pub order: u16,
    /// Lower first, within one order.
    pub preference: u16,
    /// `s`: an SRV name follows.
    pub flags: String,
    /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`.
    pub services: String,
    /// Empty in SIP's use.
    pub regexp: String,
    /// The name to look up next.
    pub replacement: Arc<str>,
}

/// What the machine wants, or has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Look it up; any number of questions may be open at once.
    Ask(Question),
    /// The end.
    Located(Located),
    /// The end, without a way.
    Lost(Lost),
}

/// The ways to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The first tried first, as drawn now; each call draws anew by their ranks. Never empty.
    pub hops: Vec<Hop>,
    /// How long they are good, within [`TTL_MIN`] and [`TTL_MAX`]; `None`: for ever, nothing was asked.
    pub ttl: Option<Duration>,
}

/// Why there is no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// What it wants to be spoken to by, none of our listeners speaks.
    #[error("no listener of ours speaks the transport that it wants")]
    NoTransport,
    /// DNS is sure that there is no such place.
    #[error("DNS knows no address of it that a listener of ours reaches")]
    Nothing,
    /// DNS did not say: an earlier answer stays the best there is.
    #[error("DNS does not answer")]
    Unanswered,
}

/// A host and port that addresses are wanted of.
#[derive(Clone, Debug)]
struct Place {
    transport: Transport,
    host: Arc<str>,
    port: u16,
    rank: Rank,
}

/// A transport and the SRV name that goes with it.
type Service = (Transport, Arc<str>);

#[derive(Debug)]
enum State {
    Naptr,
    /// The services of one order, and those of the orders behind it.
    Services {
        now: Vec<Service>,
        later: VecDeque<Vec<Service>>,
        first: Transport,
    },
    Addresses {
        places: Vec<Place>,
    },
    Over,
}

/// The lookup of one target. Ask what [`Locator::poll_output`] says, hand in each answer.
pub struct Locator {
    target: Destination,
    reach: Reach,
    dice: Dice,
    state: State,
    open: BTreeSet<Question>,
    services: BTreeMap<Arc<str>, Vec<Srv>>,
    addrs: BTreeMap<Question, Vec<IpAddr>>,
    ttl: Duration,
    /// An SRV record said that the service is decidedly not there (RFC 2782, target ".").
    denied: bool,
    /// Some question stayed without an answer.
    doubtful: bool,
    outputs: VecDeque<Output>,
}

impl Locator {
    /// Begins. `dice` draw among SRV records of equal priority.
    pub fn new(target: Destination, reach: Reach, dice: Dice) -> Self {
        let mut locator = Locator {
            target,
            reach,
            dice,
            state: State::Over,
            open: BTreeSet::new(),
            services: BTreeMap::new(),
            addrs: BTreeMap::new(),
            ttl: TTL_MAX,
            denied: false,
            doubtful: false,
            outputs: VecDeque::new(),
        };
        locator.begin();
        locator
    }

    /// RFC 3263 §4.1: the transport, and which record is asked for first.
    fn begin(&mut self) {
        if let Some(found) = without_dns(&self.target, &self.reach) {
            let found = found.map(|hop| Located { hops: vec![hop], ttl: None });
            return self.end(found);
        }
        let host = self.target.host.clone();
        match transport(&self.target, &self.reach) {
            Err(lost) => self.end(Err(lost)),
            Ok(Some(transport)) => match self.target.port {
                Some(port) => {
                    self.ask_addresses(vec![Place { transport, host, port, rank: Rank::default() }])
                }
                None => {
                    let service = (transport, srv_name(transport, &host));
                    self.ask_services(vec![vec![service]].into(), transport);
                }
            },
            Ok(None) => {
                self.state = State::Naptr;
                self.ask(Question::Naptr(host));
            }
        }
    }

    /// Takes what came back. An answer that nobody waits for, or to another question, is passed over.
    pub fn handle_answer(&mut self, question: &Question, answer: Answer) {
        if !self.open.remove(question) {
            return;
        }
        match (question, answer) {
            (Question::Naptr(_), Answer::Naptr(records, ttl)) => return self.naptr(records, ttl),
            (Question::Srv(name), Answer::Srv(records, ttl)) => {
                self.believe(ttl);
                let records = srv::in_order(records, &mut self.dice);
                self.services.insert(name.clone(), records);
            }
            (Question::A(_) | Question::Aaaa(_), Answer::Addrs(mut addrs, ttl)) => {
                self.believe(ttl);
                addrs.truncate(ADDRS_MAX);
                self.addrs.insert(question.clone(), addrs);
            }
            (_, Answer::Nothing) => {}
            _ => self.doubtful = true,
        }
        if matches!(self.state, State::Naptr) {
            self.ask_all_services();
        } else if self.open.is_empty() {
            self.go_on();
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// RFC 3263 §4.1: services that we do not speak are discarded; the lowest order that is left
    /// counts (RFC 3403 §4.1), and in it the preference.
    fn naptr(&mut self, mut records: Vec<Naptr>, ttl: Duration) {
        self.believe(ttl);
        records.truncate(NAPTR_MAX);
        records.sort_by_key(|record| (record.order, record.preference));
        let mut is_sip = false;
        let mut orders: BTreeMap<u16, Vec<Service>> = BTreeMap::new();
        for record in &records {
            is_sip |= speaks_sip(&record.services);
            let Some(transport) = service(&record.services) else { continue };
            let usable = record.flags.eq_ignore_ascii_case("s")
                && record.regexp.is_empty()
                && is_name(&record.replacement)
                && (transport == Transport::Tls || !self.target.secure)
                && self.reach.speaks(transport);
            if usable {
                orders.entry(record.order).or_default().push((transport, record.replacement.clone()));
            }
        }
        match orders.values().next().and_then(|services| services.first()) {
            Some(&(first, _)) => self.ask_services(orders.into_values().collect(), first),
            // It does speak SIP, but nothing that we do: its address would not help.
            None if is_sip => self.end(Err(Lost::NoTransport)),
            None => self.ask_all_services(),
        }
    }

    /// RFC 3263 §4.1: without NAPTR, SRV is asked for each transport that we speak.
    fn ask_all_services(&mut self) {
        let transports = match self.target.secure {
            true => vec![Transport::Tls],
            false => vec![Transport::Udp, Transport::Tcp],
        };
        let spoken: Vec<Transport> = transports.into_iter().filter(|one| self.reach.speaks(*one)).collect();
        let Some(&first) = spoken.first() else { return self.end(Err(Lost::NoTransport)) };
        let host = self.target.host.clone();
        let services = spoken.into_iter().map(|transport| (transport, srv_name(transport, &host)));
        self.ask_services(vec![services.collect()].into(), first);
    }

    fn ask_services(&mut self, mut orders: VecDeque<Vec<Service>>, first: Transport) {
        let now = orders.pop_front().unwrap_or_default();
        for (_, name) in &now {
            self.ask(Question::Srv(name.clone()));
        }
        self.state = State::Services { now, later: orders, first };
        if self.open.is_empty() {
            self.go_on(); // Names that were asked for already.
        }
    }

    fn ask_addresses(&mut self, places: Vec<Place>) {
        for place in &places {
            for family in self.reach.families(place.transport) {
                self.ask(family.question(&place.host));
            }
        }
        self.state = State::Addresses { places };
        if self.open.is_empty() {
            self.go_on();
        }
    }

    /// Every open question has its answer.
    fn go_on(&mut self) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Services { now, later, first } => self.served(&now, later, first),
            State::Addresses { places } => self.addressed(&places),
            State::Naptr | State::Over => {}
        }
    }

    /// RFC 3263 §4.2: the SRV records of all services are one list, in the services' order.
    fn served(&mut self, now: &[Service], later: VecDeque<Vec<Service>>, first: Transport) {
        let mut places: Vec<Place> = Vec::new();
        let (mut tier, mut last) = (0, None);
        for (service, (transport, name)) in now.iter().enumerate() {
            for record in self.services.get(name).into_iter().flatten() {
                if is_name(&record.target) {
                    let own = Some((service, record.priority));
                    tier += u16::from(last.is_some() && last != own);
                    last = own;
                    let number = u16::try_from(places.len()).unwrap_or(u16::MAX);
                    places.push(Place {
                        transport: *transport,
                        host: record.target.clone(),
                        port: record.port,
                        rank: Rank { tier, record: number, weight: record.weight },
                    });
                } else {
                    self.denied = true;
                }
            }
        }
        places.truncate(HOPS_MAX);
        if !places.is_empty() {
            self.ask_addresses(places);
        } else if !later.is_empty() {
            self.ask_services(later, first);
        } else if self.doubtful {
            // There may be SRV records that nobody showed us: the bare name's address could be anybody's.
            self.end(Err(Lost::Unanswered));
        } else if self.denied {
            self.end(Err(Lost::Nothing));
        } else {
            let (host, port) = (self.target.host.clone(), first.default_port());
            let place = Place { transport: first, host, port, rank: Rank::default() };
            self.ask_addresses(vec![place]);
        }
    }

    fn addressed(&mut self, places: &[Place]) {
        let mut hops: Vec<Hop> = Vec::new();
        for place in places {
            for family in self.reach.families(place.transport) {
                let addrs = self.addrs.get(&family.question(&place.host));
                for ip in addrs.into_iter().flatten().filter(|ip| family.holds(**ip)) {
                    let hop = Hop {
                        transport: place.transport,
                        addr: SocketAddr::new(*ip, place.port),
                        // RFC 5922 §4: the certificate is for the name that was asked for.
                        name: Some(self.target.host.clone()),
                        rank: place.rank,
                    };
                    if self.reach.reaches(&hop)
                        && !hops.iter().any(|known| known.is_same_door(&hop))
                        && hops.len() < HOPS_MAX
                    {
                        hops.push(hop);
                    }
                }
            }
        }
        let ttl = if self.doubtful { TTL_MIN } else { self.ttl.clamp(TTL_MIN, TTL_MAX) };
        self.end(match hops.is_empty() {
            false => Ok(Located { hops, ttl: Some(ttl) }),
            true if self.doubtful => Err(Lost::Unanswered),
            true => Err(Lost::Nothing),
        });
    }

    fn believe(&mut self, ttl: Duration) {
        self.ttl = self.ttl.min(ttl);
    }

    /// Asks once; what is known or under way already is not asked again.
    fn ask(&mut self, question: Question) {
        let known = match &question {
            Question::Srv(name) => self.services.contains_key(name),
            _ => self.addrs.contains_key(&question),
        };
        if !known && self.open.insert(question.clone()) {
            self.outputs.push_back(Output::Ask(question));
        }
    }

    fn end(&mut self, found: Result<Located, Lost>) {
        self.state = State::Over;
        self.outputs.push_back(match found {
            Ok(located) => Output::Located(located),
            Err(lost) => Output::Lost(lost),
        });
    }
}

/// The hop of a target that is written as an address; `None`: DNS must be asked.
pub fn without_dns(target: &Destination, reach: &Reach) -> Option<Result<Hop, Lost>> {
    let ip: IpAddr = target.host.parse().ok()?;
    Some(transport(target, reach).and_then(|transport| {
        let transport = transport.ok_or(Lost::NoTransport)?;
        let port = target.port.unwrap_or(transport.default_port());
        let hop = Hop { transport, addr: SocketAddr::new(ip, port), name: None, rank: Rank::default() };
        if reach.reaches(&hop) { Ok(hop) } else { Err(Lost::Nothing) }
    }))
}

/// The transport, as far as the target itself settles it (RFC 3263 §4.1): its parameter; for an
/// address or an explicit port UDP, for sips TLS. `None`: NAPTR and SRV tell.
fn transport(target: &Destination, reach: &Reach) -> Result<Option<Transport>, Lost> {
    let settled = target.port.is_some() || target.host.parse::<IpAddr>().is_ok();
    let transport = match (target.transport, target.secure) {
        (Some(Transport::Udp), true) => return Err(Lost::NoTransport), // RFC 3261 §26.2.2.
        (Some(_), true) => Transport::Tls,
        (Some(transport), false) => transport,
        (None, true) if settled => Transport::Tls,
        // UDP "SHOULD" be used; a house that listens on TCP only has no other choice.
        (None, false) if settled && reach.speaks(Transport::Udp) => Transport::Udp,
        (None, false) if settled => Transport::Tcp,
        (None, _) => return Ok(None),
    };
    if reach.speaks(transport) { Ok(Some(transport)) } else { Err(Lost::NoTransport) }
}

/// RFC 3263 §4.1 and its IANA registry.
fn service(services: &str) -> Option<Transport> {
    [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp), ("SIPS+D2T", Transport::Tls)]
        .into_iter()
        .find_map(|(name, transport)| services.eq_ignore_ascii_case(name).then_some(transport))
}

/// Whether a service is one of SIP at all, by whatever transport (RFC 4168 has SCTP, RFC 7118 WebSocket).
fn speaks_sip(services: &str) -> bool {
    let services = services.to_ascii_uppercase();
    services.starts_with("SIP+D2") || services.starts_with("SIPS+D2")
}

/// RFC 3263 §4.1: `_sip` and `_sips`, by transport protocol.
fn srv_name(transport: Transport, host: &str) -> Arc<str> {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    format!("{prefix}.{host}").into()
}

/// Whether there is a name at all: the root says that there is none (RFC 2782).
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "."
}

#[cfg(test)]
#[path = "locate_test.rs"]
mod tests;
