//! Where a 3xx may lead (RFC 3261 §8.1.3.4): a bounded list, the most wanted first, no place twice.
//!
//! Only to places that a trunk of ours owns. A 3xx is somebody else's word on where we call: taken
//! at its word it would let whoever answers for one number have us call any other host at our cost,
//! which is toll fraud. So a contact is another number at the same trunk, or a host of another one
//! of ours; everything else is a refusal, and counted. Where whoever is called is a stranger, who may
//! be called is the operator's to say and not theirs: such a call goes on with the same number only
//! ([`Redirects::SameNumber`]). And none but a call for help leads to those who help in an emergency. So it is
//! with other platforms of the hotline: whether a call may be handed there, and how it is signed, is decided where it
//! is put through, and not by whoever turns it away.

use std::net::SocketAddr;

use super::endpoint::Endpoint;
use super::event::{Redirects, SessionId, TrunkConfig, WayFailed};
use super::hunt::{Lost, Step};
use super::message::Message;
use super::name_addr::{Contacts, NameAddr};
use super::session::Phase;
use super::transport::{Hop, Transport};
use super::uri::Uri;
use crate::id::TrunkId;
use crate::time::Now;

/// Most contacts of one 3xx that are tried.
const CONTACTS_MAX: usize = 5;
/// Most 3xx that are followed for one call.
const REDIRECTS_MAX: usize = 3;

impl Endpoint {
    /// Goes where a 3xx says, or takes it for a refusal.
    pub(super) fn follow(&mut self, id: SessionId, status: u16, response: &Message, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let (Phase::Calling { hung_up: false, .. }, Some(mut hunt)) = (&session.phase, session.hunt.take())
        else {
            return self.end_invite(id, status, Some(response), now);
        };
        let Some((here, _)) = hunt.here.clone() else {
            return self.end_invite(id, status, Some(response), now);
        };
        let drill = self.config.trunks.iter().any(|trunk| trunk.trunk == here && trunk.drill);
        let contacts = match response.contacts() {
            // Where it leads might be real.
            _ if drill => Vec::new(),
            // 380 describes another service, not another place (§21.3.5).
            Ok(Contacts::List(list)) if status != 380 && hunt.redirects < REDIRECTS_MAX => list,
            _ => Vec::new(),
        };
        let mut ahead: Vec<Step> = Vec::new();
        for contact in in_order(contacts) {
            let found = place(&self.config.trunks, &here, contact.uri(), &hunt.bounds());
            let Some((trunk, hop, uri)) = found else { continue };
            let asked = hunt.asked.contains(&uri);
            let planned = |step: &Step| step.redirected.as_deref() == Some(&*uri);
            if !asked && !ahead.iter().any(planned) {
                ahead.push(Step { trunk, hop, route: hunt.route, redirected: Some(uri.into()) });
            }
        }
        if ahead.is_empty() {
            self.trunks.count(&here, WayFailed::Redirected);
            return self.end_invite(id, status, Some(response), now);
        }
        // What it says is about the callee: other trunks would lead to the same answer.
        hunt.redirect_to(ahead);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.hunt = Some(hunt);
        }
        self.lose_way(id, Lost::Redirected(status), Some(response), now);
    }
}

/// The contacts by their q, the most wanted first, equals as they stand; without q it is 1 (§20.10).
fn in_order(mut contacts: Vec<NameAddr>) -> Vec<NameAddr> {
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q().unwrap_or(1_000)));
    contacts.truncate(CONTACTS_MAX);
    contacts
}

/// What one call lets a 3xx do.
pub(super) struct Bounds<'a> {
    /// How far.
    pub(super) redirects: Redirects,
    /// The number that it asked for, as its trunk wants it.
    pub(super) number: &'a str,
    /// It is for help in an emergency.
    pub(super) emergency: bool,
}

impl Bounds<'_> {
    /// Whether this may be asked for, at the same trunk or another one.
    fn allow_user(&self, trunks: &[TrunkConfig], user: Option<&[u8]>) -> bool {
        let same = user == Some(self.number.as_bytes());
        let user = user.map(|user| user.split(|byte| *byte == b';').next().unwrap_or_default());
        let mut helpers = trunks.iter().flat_map(|trunk| &trunk.helpers);
        let help = helpers.any(|number| user == Some(number.as_bytes()));
        match self.redirects {
            _ if self.emergency => true,
            Redirects::Any => !help,
            Redirects::SameNumber => same && !help,
        }
    }

    /// Whether a call by `here` may go on to this hop: not where somebody helps in an emergency, but for
    /// an address that is `here`'s own, too.
    fn allow_hop(&self, trunks: &[TrunkConfig], here: Option<&TrunkConfig>, hop: &Hop) -> bool {
        let has = |trunk: &TrunkConfig| trunk.hops.iter().any(|known| known.addr == hop.addr);
        self.emergency
            || here.is_some_and(has)
            || !trunks.iter().any(|trunk| !trunk.helpers.is_empty() && has(trunk))
    }

    /// Whether a call by `here` may go on by this trunk: not by one that leads to another platform, where loops,
    /// hand-overs and our signature were not looked at. Help is not kept waiting for that.
    fn allow_trunk(&self, here: &TrunkId, trunk: &TrunkConfig) -> bool {
        self.emergency || trunk.trunk == *here || !trunk.platform
    }
}

/// Where a contact leads, if it is ours to go there: trunk, hop and Request-URI.
fn place(
    trunks: &[TrunkConfig],
    here: &TrunkId,
    uri: &[u8],
    bounds: &Bounds<'_>,
) -> Option<(TrunkId, Hop, Vec<u8>)> {
    let uri = Uri::parse(uri).ok()?;
    if !bounds.allow_user(trunks, uri.user) {
        return None;
    }
    let own = trunks.iter().find(|trunk| trunk.trunk == *here);
    if uri.is_tel() {
        // A number and no place: the same trunk's to know.
        let trunk = own?;
        let hop = trunk.hops.first()?.clone();
        let host = if trunk.domain.is_empty() { hop.addr.to_string() } else { trunk.domain.clone() };
        let number = [b"sip:", uri.user?, b"@", host.as_bytes()].concat();
        return Some((trunk.trunk.clone(), hop, number));
    }
    // `maddr` would send it past the host (§19.1.1).
    if !uri.is_sip() || uri.param("maddr").is_some() {
        return None;
    }
    let secure = uri.scheme.eq_ignore_ascii_case(b"sips");
    let wanted = match uri.param("transport") {
        Some(name) => Some(Transport::of(name.unwrap_or_default())?),
        None => None,
    };
    let others = trunks.iter().filter(|trunk| trunk.trunk != *here);
    own.into_iter().chain(others).find_map(|trunk| {
        let hop = owned(trunk, &uri)?;
        let may = (!secure || hop.transport == Transport::Tls)
            && wanted.is_none_or(|transport| transport == hop.transport);
        let may = may && bounds.allow_hop(trunks, own, &hop) && bounds.allow_trunk(here, trunk);
        may.then(|| (trunk.trunk.clone(), hop, plain(&uri)))
    })
}

/// The hop of a trunk that a URI names: by its domain, by the name that was looked up, or by address.
fn owned(trunk: &TrunkConfig, uri: &Uri<'_>) -> Option<Hop> {
    if let Some(ip) = uri.host_ip() {
        let hop = trunk.hops.iter().find(|hop| hop.addr.ip() == ip.to_canonical())?;
        let port = uri.port.unwrap_or(hop.transport.default_port());
        return Some(Hop { addr: SocketAddr::new(hop.addr.ip(), port), ..hop.clone() });
    }
    let names = |name: &str| !name.is_empty() && uri.host.eq_ignore_ascii_case(name.as_bytes());
    if names(&trunk.domain) {
        return trunk.hops.first().cloned();
    }
    trunk.hops.iter().find(|hop| hop.name.as_deref().is_some_and(names)).cloned()
}

/// The URI as a Request-URI: without headers and `method`, which are not for one (§19.1.1).
fn plain(uri: &Uri<'_>) -> Vec<u8> {
    let mut text = [uri.scheme, b":"].concat();
    if let Some(user) = uri.user {
        text.extend_from_slice(user);
        text.push(b'@');
    }
    match uri.host_ip() {
        Some(std::net::IpAddr::V6(ip)) => text.extend_from_slice(format!("[{ip}]").as_bytes()),
        _ => text.extend_from_slice(uri.host),
    }
    if let Some(port) = uri.port {
        text.extend_from_slice(format!(":{port}").as_bytes());
    }
    for (name, value) in uri.params() {
        if name.eq_ignore_ascii_case(b"method") {
            continue;
        }
        text.push(b';');
        text.extend_from_slice(name);
        if let Some(value) = value {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunks() -> Vec<TrunkConfig> {
        let hop = |addr: &str, transport, name: Option<&str>| Hop {
            transport,
            addr: addr.parse().unwrap(),
            name: name.map(Into::into),
            rank: Default::default(),
        };
        vec![
            TrunkConfig {
                hops: vec![hop("192.0.2.10:5060", Transport::Udp, None)],
                domain: "carrier.example".into(),
                ..TrunkConfig::named("carrier".into())
            },
            TrunkConfig {
                hops: vec![hop("198.51.100.5:5061", Transport::Tls, Some("sbc.other.example"))],
                ..TrunkConfig::named("other".into())
            },
        ]
    }

    #[test]
    fn contacts_lead_only_to_our_own_trunks_row_by_row() {
        for (contact, wanted) in [
            ("sip:1@carrier.example", Some(("carrier", "192.0.2.10:5060", "sip:1@carrier.example"))),
            (
                "sip:1@CARRIER.example;user=phone",
                Some(("carrier", "192.0.2.10:5060", "sip:1@CARRIER.example;user=phone")),
            ),
            ("sip:1@192.0.2.10:5070", Some(("carrier", "192.0.2.10:5070", "sip:1@192.0.2.10:5070"))),
            ("sip:1@192.0.2.10?Subject=x", Some(("carrier", "192.0.2.10:5060", "sip:1@192.0.2.10"))),
            ("sip:1@192.0.2.10;method=BYE;lr", Some(("carrier", "192.0.2.10:5060", "sip:1@192.0.2.10;lr"))),
            ("tel:+8639312345", Some(("carrier", "192.0.2.10:5060", "sip:+8639312345@carrier.example"))),
            ("sips:1@sbc.other.example", Some(("other", "198.51.100.5:5061", "sips:1@sbc.other.example"))),
            ("sip:1@198.51.100.5", Some(("other", "198.51.100.5:5061", "sip:1@198.51.100.5"))),
            ("sip:1@198.51.100.5;transport=udp", None),
            ("sips:1@carrier.example", None),
            ("sip:1@carrier.example.evil.example", None),
            ("sip:1@203.0.113.66", None),
            ("sip:1@carrier.example;maddr=203.0.113.66", None),
            ("http://carrier.example/", None),
            ("mailto:a@carrier.example", None),
        ] {
            let any = Bounds { redirects: Redirects::Any, number: "2", emergency: false };
            let found = place(&trunks(), &"carrier".into(), contact.as_bytes(), &any);
            let found = found.map(|(trunk, hop, uri)| {
                (trunk.to_string(), hop.addr.to_string(), String::from_utf8(uri).unwrap())
            });
            let wanted = wanted.map(|(trunk, addr, uri)| (trunk.into(), addr.into(), uri.into()));
            assert_eq!(found, wanted, "{contact}");
        }
    }

    #[test]
    fn who_is_a_stranger_leads_to_no_other_number_and_nobody_but_a_call_for_help_to_110() {
        let mut trunks = trunks();
        trunks[0].helpers = vec!["119".into()];
        let at = |addr: &str| Hop {
            transport: Transport::Udp,
            addr: addr.parse().unwrap(),
            name: None,
            rank: Default::default(),
        };
        trunks.push(TrunkConfig {
            hops: vec![at("192.0.2.10:5070"), at("192.0.2.110:5060")],
            helpers: vec!["110".into()],
            ..TrunkConfig::named("police".into())
        });
        let (any, same) = (Redirects::Any, Redirects::SameNumber);
        for (contact, redirects, emergency, wanted) in [
            ("sip:13900000001@carrier.example", same, false, true),
            ("sip:13900000001@198.51.100.5", same, false, true),
            ("sip:0019005551212@carrier.example", same, false, false),
            ("sip:0019005551212@carrier.example", any, false, true),
            ("tel:+8613900000002", same, false, false),
            ("sip:13900000001;phone-context=+1@carrier.example", same, false, false),
            ("sip:carrier.example", same, false, false),
            ("sip:119@carrier.example", any, false, false),
            ("sip:119;x=1@carrier.example", any, false, false),
            ("sip:119@carrier.example", any, true, true),
            ("sip:110@192.0.2.10:5070", any, false, false),
            ("sip:13900000001@192.0.2.10:5070", same, false, false),
            ("sip:13900000001@192.0.2.110", same, false, false),
            ("sip:200@192.0.2.110", any, false, false),
            ("sip:200@192.0.2.110", any, true, true),
            ("sip:200@192.0.2.10:5060", any, false, true),
        ] {
            let bounds = Bounds { redirects, number: "13900000001", emergency };
            let found = place(&trunks, &"carrier".into(), contact.as_bytes(), &bounds);
            assert_eq!(found.is_some(), wanted, "{contact} {redirects:?} {emergency}");
        }
    }

    #[test]
    fn nobody_but_a_platform_itself_leads_to_its_trunk_row_by_row() {
        let mut trunks = trunks();
        for (name, addr) in [("county", "192.0.5.10:5060"), ("city", "192.0.6.10:5060")] {
            let (transport, rank) = (Transport::Udp, Default::default());
            let hop = Hop { transport, addr: addr.parse().unwrap(), name: None, rank };
            let named = TrunkConfig::named(name.into());
            let domain = format!("{name}.example");
            trunks.push(TrunkConfig { hops: vec![hop], domain, platform: true, ..named });
        }
        for (here, contact, emergency, wanted) in [
            ("carrier", "sip:12345@county.example", false, None),
            ("carrier", "sip:12345@192.0.6.10", false, None),
            ("carrier", "sip:12345@192.0.6.10", true, Some("city")),
            ("county", "sip:12345@city.example", false, None),
            ("county", "sip:12345@192.0.5.10:5070", false, Some("county")),
            ("county", "tel:12345", false, Some("county")),
            ("county", "sip:12345@carrier.example", false, Some("carrier")),
        ] {
            let bounds = Bounds { redirects: Redirects::Any, number: "1", emergency };
            let found = place(&trunks, &here.into(), contact.as_bytes(), &bounds);
            let found = found.as_ref().map(|(trunk, ..)| trunk.as_str());
            assert_eq!(found, wanted, "{here} {contact} {emergency}");
        }
    }

    #[test]
    fn the_most_wanted_contact_comes_first() {
        let text = "SIP/2.0 302 X\r\nContact: <sip:a@h>;q=0.2, <sip:b@h>, <sip:c@h>;q=0.9\r\n\
                    Contact: <sip:d@h>;q=0.2, <sip:e@h>;q=0, <sip:f@h>;q=0.1\r\n\r\n";
        let response = Message::parse(text.as_bytes().to_vec().into()).unwrap();
        let Ok(Contacts::List(list)) = response.contacts() else { panic!("they are a list") };
        let users: Vec<String> = in_order(list)
            .iter()
            .map(|contact| String::from_utf8(contact.parse_uri().unwrap().user.unwrap().to_vec()).unwrap())
            .collect();
        assert_eq!(users, ["b", "c", "a", "d", "f"]);
    }
}
