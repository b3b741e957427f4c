//! Trunks between the plan and signalling: what a plan says of them, the hops that their names were
//! found to have, and the routes of a call.

use std::collections::BTreeMap;

use crate::id::TrunkId;
use crate::routing::Plan;
use crate::routing::plan::{self, ForwardedIn, Trunk, TrunkTarget};
use crate::routing::trunk_terms::{Reliability, SessionTimer};
use crate::sip::event::{Forwarding, ListenerConfig, Probe, Route, TrunkAccount, TrunkConfig};
use crate::sip::locate::{self, Destination, Reach};
use crate::sip::trunk_terms::{Provisional, TrunkTerms};
use crate::sip::{Hop, Transport};

/// Passwords of trunks' accounts; never shown.
pub type TrunkPasswords = BTreeMap<TrunkId, secrecy::SecretString>;

/// What was found behind the names of trunks. Holds at most one entry for each trunk of the plan.
#[derive(Debug, Default)]
pub(super) struct KnownHops(BTreeMap<TrunkId, (Vec<TrunkTarget>, Vec<Hop>)>);

impl KnownHops {
    /// Keeps what was found; `false`: there is no such trunk.
    pub(super) fn learn(&mut self, plan: &Plan, trunk: &TrunkId, hops: Vec<Hop>) -> bool {
        let Some(own) = plan.trunks.get(trunk) else { return false };
        self.0.insert(trunk.clone(), (own.targets.clone(), hops));
        true
    }

    /// Forgets what is no longer asked for.
    pub(super) fn plan_changed(&mut self, plan: &Plan) {
        self.0
            .retain(|trunk, (targets, _)| plan.trunks.get(trunk).is_some_and(|own| own.targets == *targets));
    }

    /// The hops of a trunk: those found, or those that need no looking up.
    fn of(&self, trunk: &Trunk, reach: &Reach) -> Vec<Hop> {
        match self.0.get(&trunk.id) {
            Some((_, hops)) => hops.clone(),
            None => destinations(trunk).iter().filter_map(|target| written(trunk, target, reach)).collect(),
        }
    }
}

/// The hop of a target that is written as an address.
fn written(trunk: &Trunk, target: &Destination, reach: &Reach) -> Option<Hop> {
    match locate::without_dns(target, reach)? {
        Ok(hop) => Some(hop),
        Err(why) => {
            tracing::warn!(trunk = %trunk.id, target = %target.host, %why, "no call can go there");
            None
        }
    }
}

/// A trunk's targets, in its order, as RFC 3263 takes them.
pub fn destinations(trunk: &Trunk) -> Vec<Destination> {
    let one = |target: &TrunkTarget| Destination {
        secure: target.secure,
        host: target.host.as_str().into(),
        port: target.port,
        transport: target.transport.map(|transport| match transport {
            plan::Transport::Udp => Transport::Udp,
            plan::Transport::Tcp => Transport::Tcp,
            plan::Transport::Tls => Transport::Tls,
        }),
    };
    trunk.targets.iter().map(one).collect()
}

/// What signalling needs to know of the plan's trunks.
pub(super) fn configs(
    plan: &Plan,
    listeners: &[ListenerConfig],
    passwords: &TrunkPasswords,
    known: &KnownHops,
) -> Vec<TrunkConfig> {
    let reach = Reach::of(listeners);
    let one = |trunk: &Trunk| TrunkConfig {
        drill: is_drill(plan, &trunk.id),
        helpers: helpers(plan, &trunk.id),
        platform: plan.peers.iter().any(|own| plan.leads(&own.peer.trunk, &trunk.id)),
        ..config(trunk, known.of(trunk, &reach), passwords)
    };
    plan.trunks.values().map(one).collect()
}

/// Whether somebody behind the trunk is there in drills only.
fn is_drill(plan: &Plan, trunk: &TrunkId) -> bool {
    let centers = plan.lines.values().filter_map(|line| line.mode.peer());
    let mut peers = plan.emergency.values().chain(plan.consulted().map(|(_, peer)| peer)).chain(centers);
    peers.any(|peer| peer.drill && plan.leads(&peer.trunk, trunk))
}

/// Numbers behind the trunk of those who help in an emergency.
fn helpers(plan: &Plan, trunk: &TrunkId) -> Vec<String> {
    let behind = plan.emergency.values().filter(|peer| plan.leads(&peer.trunk, trunk));
    behind.map(|peer| peer.number.clone()).collect()
}

fn config(trunk: &Trunk, hops: Vec<Hop>, passwords: &TrunkPasswords) -> TrunkConfig {
    let account = trunk.account.as_ref().zip(passwords.get(&trunk.id));
    TrunkConfig {
        trunk: trunk.id.clone(),
        sources: trunk.sources.iter().map(|net| (net.addr, net.prefix)).collect(),
        hops,
        certificate: trunk.certificate.clone(),
        trust_identity: trunk.trust_identity,
        forwarding: Forwarding {
            history_info: trunk.forwarded_in.contains(&ForwardedIn::HistoryInfo),
            diversion: trunk.forwarded_in.contains(&ForwardedIn::Diversion),
        },
        domain: domain(trunk),
        account: account.map(|(account, password)| TrunkAccount {
            user: account.user.clone(),
            realm: account.realm.clone(),
            password: password.clone(),
        }),
        register: trunk.register,
        probe: trunk.probe.map(|probe| Probe {
            every: probe.every,
            down_after: probe.down_after,
            up_after: probe.up_after,
        }),
        connect_timeout: trunk.connect_timeout,
        calls_max: trunk.calls_max,
        calls_per_second: trunk.calls_per_second,
        emergency: trunk.emergency_center,
        helpers: Vec::new(),
        drill: false,
        platform: false,
        terms: TrunkTerms {
            provisional: match trunk.terms.reliable {
                Reliability::Supported => Provisional::Supported,
                Reliability::Required => Provisional::Required,
                Reliability::Off => Provisional::Unreliable,
            },
            timer: trunk.terms.session_timer == SessionTimer::Supported,
            session_expires_s: trunk
                .terms
                .session_expires
                .map_or(0, |own| own.as_secs().try_into().unwrap_or(u32::MAX)),
        },
    }
}

/// What the file says, or the first target's name: a URI names its domain, not a machine of it
/// (RFC 3261 §19.1.1). Empty where only addresses are written.
fn domain(trunk: &Trunk) -> String {
    let named =
        || trunk.targets.iter().find(|target| target.ip().is_none()).map(|target| target.host.clone());
    trunk.domain.clone().or_else(named).unwrap_or_default()
}

/// The ways to a number by a trunk or a group, each with the numbers as its trunk wants them.
pub(super) fn routes(plan: &Plan, by: &TrunkId, number: &str, caller: &str) -> Vec<Route> {
    let ways = plan.ways(by, number, caller);
    let route = |way: crate::routing::plan::Way<'_>| Route {
        trunk: way.trunk.id.clone(),
        user: way.called,
        from_user: way.caller,
        priority: way.priority,
        weight: way.weight,
    };
    ways.into_iter().map(route).collect()
}

#[cfg(test)]
#[path = "trunks_test.rs"]
mod tests;
