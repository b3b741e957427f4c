//! Carriers, neighbouring centers, and groups of them: the ways out, as the plan knows them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::plan::{DialledFrom, ForwardedIn, IpNet, Plan, SecretRef, Transport};
use super::rewrite::Rewriting;
use super::sound::Sound;
use super::trunk_terms::TrunkTerms;
use crate::id::TrunkId;

/// `[[trunk]]`.
#[derive(Debug, Clone)]
pub struct Trunk {
    /// Its name.
    pub id: TrunkId,
    /// Calls from these addresses are the trunk's.
    pub sources: Vec<IpNet>,
    /// Calls over TLS whose client certificate says this DNS name are the trunk's, too.
    pub certificate: Option<String>,
    /// Where calls to the trunk go, the first tried first; empty for inward only.
    pub targets: Vec<TrunkTarget>,
    /// Host of Request-URI, To and From towards it; `None`: that of the target.
    pub domain: Option<String>,
    /// Who we are there.
    pub account: Option<Account>,
    /// How long we register for there; `None`: we do not.
    pub register: Option<Duration>,
    /// OPTIONS by which its health is known; `None`: it counts as up.
    pub probe: Option<Probing>,
    /// Where the dialled line is looked for, in order.
    pub dialled_from: Vec<DialledFrom>,
    /// Whether P-Asserted-Identity from it is believed.
    pub trust_identity: bool,
    /// Where calls that we forward to it say the number that was dialled.
    pub forwarded_in: Vec<ForwardedIn>,
    /// A target that gives no sign of life for so long is given up.
    pub connect_timeout: Duration,
    /// Most calls at once, inward and outward together.
    pub calls_max: u32,
    /// Most new calls outward in a second; 0: no bound of its own.
    pub calls_per_second: u32,
    /// Of a group's members those of the lowest priority are tried first.
    pub priority: u16,
    /// The share of first tries among members of equal priority.
    pub weight: u16,
    /// Whether an emergency center calls by it: its calls are the last to be refused.
    pub emergency_center: bool,
    /// Whether it leads to nobody real yet: who is called by it does not pick up.
    pub drill: bool,
    /// Its codecs, and whether they are encrypted.
    pub sound: Sound,
    /// Packets, keys, provisional answers, timers.
    pub terms: TrunkTerms,
    /// How its numbers differ from ours.
    pub rewrite: Rewriting,
}

impl Trunk {
    /// Whether anybody can come by it.
    pub fn takes_calls(&self) -> bool {
        !self.sources.is_empty() || self.certificate.is_some()
    }
}

/// A place that a trunk's calls go to: a SIP URI without its user, a host, or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkTarget {
    /// `sips:`.
    pub secure: bool,
    /// Name or address; IPv6 without brackets.
    pub host: String,
    /// Where it is written.
    pub port: Option<u16>,
    /// `transport`, where it is written.
    pub transport: Option<Transport>,
}

/// `account` of a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User of the digest, and of the address of record.
    pub user: String,
    /// Where its password is kept: never in the file.
    pub password: SecretRef,
    /// Only this realm is answered; `None`: whichever asks.
    pub realm: Option<String>,
}

/// `probe` of a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probing {
    /// Between two OPTIONS.
    pub every: Duration,
    /// Failures in a row before the trunk counts as down.
    pub down_after: u32,
    /// Answers in a row before it counts as up again.
    pub up_after: u32,
}

impl Default for Probing {
    /// A dead trunk is known within a minute and a half, a recovered one within a minute.
    fn default() -> Self {
        Probing { every: Duration::from_secs(30), down_after: 3, up_after: 2 }
    }
}

/// `[[trunk_group]]`: stands wherever a trunk can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkGroup {
    /// Its name, which no trunk has.
    pub id: TrunkId,
    /// At least one.
    pub members: Vec<Member>,
}

/// A trunk of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub trunk: TrunkId,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Of equal priority, the share that is tried first.
    pub weight: u16,
}

/// One way to a number, with the number and the caller as its trunk wants them.
#[derive(Debug, Clone)]
pub struct Way<'a> {
    /// By this trunk.
    pub trunk: &'a Trunk,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Of equal priority, the share that is tried first.
    pub weight: u16,
    /// The number to call.
    pub called: String,
    /// Who is calling; empty: withheld.
    pub caller: String,
}

impl TrunkTarget {
    /// The address, where it is written as one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Address and port, where no name has to be looked up.
    pub fn address(&self) -> Option<SocketAddr> {
        let port = self.port.unwrap_or(if self.is_tls() { 5061 } else { 5060 });
        Some(SocketAddr::new(self.ip()?, port))
    }
}

impl From<SocketAddr> for TrunkTarget {
    fn from(at: SocketAddr) -> Self {
        TrunkTarget {
            secure: false,
            host: at.ip().to_canonical().to_string(),
            port: Some(at.port()),
            transport: None,
        }
    }
}

impl Plan {
    /// The trunk that a call is taken to come by where somebody asks what would become of it: the one of this
    /// name, or the first of [`bring_calls`](Plan::bring_calls). `None`: by that one no call ever comes.
    pub fn trunk_of_call(&self, name: Option<&str>) -> Option<&Trunk> {
        let mut bring = self.bring_calls.iter();
        let id = bring.find(|id| name.is_none_or(|name| id.as_str() == name))?;
        self.trunks.get(id)
    }

    /// Whether a trunk, or every trunk of a group, leads to nobody real.
    pub fn is_drill(&self, by: &TrunkId) -> bool {
        let drills = |id: &TrunkId| self.trunks.get(id).is_some_and(|trunk| trunk.drill);
        self.groups
            .get(by)
            .map_or_else(|| drills(by), |group| group.members.iter().all(|own| drills(&own.trunk)))
    }

    /// The ways to `number` by a trunk, or by the members of a group in the order of their priority.
    pub fn ways(&self, by: &TrunkId, number: &str, caller: &str) -> Vec<Way<'_>> {
        let way = |trunk: &TrunkId, priority, weight| {
            let trunk = self.trunks.get(trunk)?;
            let called = trunk.rewrite.called.apply(number).into_owned();
            let caller = trunk.rewrite.caller.apply(caller).into_owned();
            Some(Way { trunk, priority, weight, called, caller })
        };
        let mut ways: Vec<Way<'_>> = match self.groups.get(by) {
            Some(group) => {
                group.members.iter().filter_map(|own| way(&own.trunk, own.priority, own.weight)).collect()
            }
            None => {
                self.trunks.get(by).and_then(|own| way(by, own.priority, own.weight)).into_iter().collect()
            }
        };
        ways.sort_by_key(|way| way.priority);
        ways
    }
}
