//! Who is calling, and what they say about it: decided before anything is started for them.
//!
//! Whether a seat's password is right is for `auth`; what is dialled means something only above.

use std::net::{IpAddr, SocketAddr};

use super::event::{Config, DialledHeaders, Origin, TrunkConfig};
use super::message::Message;
use super::name::Name;
use super::name_addr::NameAddr;
use super::uri::Uri;
use crate::id::SeatId;

/// Most entries that are read of History-Info and of Diversion.
pub(super) const FORWARDS_MAX: usize = 16;

/// Longest caller's number that is kept, letters.
const CALLER_MAX: usize = 64;

/// The addresses and names by which callers are known.
#[derive(Debug)]
pub(super) struct Door {
    trunks: Vec<TrunkConfig>,
    domain: String,
    ours: Vec<IpAddr>,
    /// A listener takes packets for any address of the machine, loopback among them.
    any: bool,
}

/// What the door says of an INVITE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    /// Says to be this seat, and must prove it.
    Seat(SeatId),
    /// Comes from the address of the trunk at this place in the plan.
    Trunk(usize),
    /// Neither.
    Stranger,
}

impl Door {
    pub(super) fn new(config: &Config) -> Self {
        let ours = config.listeners.iter().flat_map(|listener| [listener.bind.ip(), listener.advertise]);
        Door {
            trunks: config.trunks.clone(),
            domain: config.domain.clone(),
            ours: ours.filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_canonical()).collect(),
            any: config.listeners.iter().any(|listener| listener.bind.ip().is_unspecified()),
        }
    }

    /// One of the plan's trunks.
    pub(super) fn trunk(&self, place: usize) -> Option<&TrunkConfig> {
        self.trunks.get(place)
    }

    /// Whose INVITE this is. A seat's name counts wherever it comes from, so that no trunk and no
    /// neighbour can speak for a seat; `seat_flow` says where a known seat is registered, if it is.
    /// `names` are those of the TLS client certificate that came with the connection: they say more
    /// than an address.
    pub(super) fn who(
        &self,
        invite: &Message,
        source: SocketAddr,
        names: &[Box<str>],
        seat_flow: impl Fn(&str) -> Option<Option<SocketAddr>>,
    ) -> Visitor {
        let from = invite.from().ok();
        let uri = from.as_ref().and_then(|from| from.parse_uri().ok());
        if let Some(uri) = uri.filter(Uri::is_sip)
            && let Ok(user) = std::str::from_utf8(&uri.user_decoded())
            && let Some(flow) = seat_flow(user)
            && (self.is_ours(uri.host) || flow == Some(source))
        {
            return Visitor::Seat(user.into());
        }
        match self.trunk_of(names, source.ip()) {
            Some(place) => Visitor::Trunk(place),
            None => Visitor::Stranger,
        }
    }

    /// The trunk that speaks from `ip`, with these names in its certificate.
    pub(super) fn trunk_of(&self, names: &[Box<str>], ip: IpAddr) -> Option<usize> {
        self.trunk_named(names).or_else(|| self.trunk_at(ip))
    }

    /// The trunk whose certificate says one of `names`. RFC 5922 §7.2 has them equal, but for case,
    /// and knows no wildcards.
    fn trunk_named(&self, names: &[Box<str>]) -> Option<usize> {
        if names.is_empty() {
            return None;
        }
        self.trunks.iter().position(|trunk| {
            trunk
                .certificate
                .as_ref()
                .is_some_and(|known| names.iter().any(|name| name.eq_ignore_ascii_case(known)))
        })
    }

    /// The trunk whose address set holds `ip`: the narrowest match, of equal ones the first.
    fn trunk_at(&self, ip: IpAddr) -> Option<usize> {
        let mut best: Option<(u8, usize)> = None;
        for (place, trunk) in self.trunks.iter().enumerate() {
            for &(net, prefix) in &trunk.sources {
                if holds(net, prefix, ip) && best.is_none_or(|(widest, _)| prefix > widest) {
                    best = Some((prefix, place));
                }
            }
        }
        best.map(|(_, place)| place)
    }

    /// Whether `host` names us: the domain of the seats, or one of our addresses.
    pub(super) fn is_ours(&self, host: &[u8]) -> bool {
        if !self.domain.is_empty() && host.eq_ignore_ascii_case(self.domain.as_bytes()) {
            return true;
        }
        let ip = std::str::from_utf8(host).ok().and_then(|host| host.parse::<IpAddr>().ok());
        ip.is_some_and(|ip| {
            let ip = ip.to_canonical();
            self.ours.contains(&ip) || (self.any && ip.is_loopback())
        })
    }
}

/// Whether `ip` is in `net`/`prefix`. IPv4 written as IPv6 counts as IPv4.
fn holds(net: IpAddr, prefix: u8, ip: IpAddr) -> bool {
    let same = |bits: u32, net: u128, ip: u128| {
        let shift = bits.saturating_sub(u32::from(prefix));
        net.checked_shr(shift).unwrap_or(0) == ip.checked_shr(shift).unwrap_or(0)
    };
    match (net.to_canonical(), ip.to_canonical()) {
        (IpAddr::V4(net), IpAddr::V4(ip)) => same(32, u128::from(net.to_bits()), u128::from(ip.to_bits())),
        (IpAddr::V6(net), IpAddr::V6(ip)) => same(128, net.to_bits(), ip.to_bits()),
        _ => false,
    }
}

/// The caller's number: P-Asserted-Identity where the trunk is trusted, else From. Empty where it is
/// withheld (RFC 3323, RFC 3325).
pub(super) fn caller(invite: &Message, origin: &Origin, trust_identity: bool) -> String {
    if let Origin::Seat(seat) = origin {
        return seat.as_str().to_owned();
    }
    let withheld = invite
        .headers(Name::Privacy)
        .flat_map(|value| value.split(|byte| matches!(byte, b';' | b',')))
        .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"id"));
    if withheld {
        return String::new();
    }
    let asserted = match trust_identity {
        true => invite.addresses(Name::PAssertedIdentity).unwrap_or_default(),
        false => Vec::new(),
    };
    let number = |address: &NameAddr| {
        let uri = address.parse_uri().ok()?;
        let user = printable(&uri.user_decoded());
        let context = uri.param("phone-context").flatten().map(String::from_utf8_lossy);
        let user = telephone(&user, context.as_deref()).unwrap_or(user);
        let anonymous =
            uri.host.eq_ignore_ascii_case(b"anonymous.invalid") || user.eq_ignore_ascii_case("anonymous");
        (!anonymous && !user.is_empty()).then_some(user)
    };
    asserted
        .iter()
        .find_map(number)
        .or_else(|| invite.from().ok().as_ref().and_then(number))
        .unwrap_or_default()
}

/// A user part that is a telephone number as records and policies know it: without the parameters that a `tel:` URI had
/// (RFC 3261 §19.1.6) and without visual separators (RFC 3966 §5.1.1), a local number behind the digits of its
/// context (§5.1.5). `None`: a name.
fn telephone(user: &str, context: Option<&str>) -> Option<String> {
    let mut parts = user.split(';');
    let number: String = parts.next()?.chars().filter(|letter| !"-.()".contains(*letter)).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let named = |part: &'_ str| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("phone-context").then(|| value.to_owned())
    };
    let context =
        context.map(str::to_owned).or_else(|| parts.find_map(named)).filter(|text| text.starts_with('+'));
    Some(match (number.starts_with('+'), context) {
        (false, Some(context)) => telephone(&(context + &number), None)?,
        _ => number,
    })
}

/// A user part as it may stand in records, on screens and in terminals: without the control
/// characters that an escape can smuggle in, and not longer than any number is.
fn printable(user: &[u8]) -> String {
    String::from_utf8_lossy(user).chars().filter(|letter| !letter.is_control()).take(CALLER_MAX).collect()
}

/// Where the dialled number may stand.
pub(super) fn dialled(invite: &Message) -> DialledHeaders {
    let uri = |address: &NameAddr| String::from_utf8_lossy(address.uri()).into_owned();
    let addresses = |name| {
        let values = invite.values(name).take(FORWARDS_MAX);
        values
            .filter_map(|value| NameAddr::parse(bytes::Bytes::copy_from_slice(value)).ok())
            .collect::<Vec<_>>()
    };
    let mut history = addresses(Name::HistoryInfo);
    // RFC 7044 §5: the index grows by a dotted number with each hop; entries may come in any order.
    history.sort_by_cached_key(index_of);
    let diversion = addresses(Name::Diversion);
    DialledHeaders {
        request_uri: String::from_utf8_lossy(invite.request_uri().unwrap_or_default()).into_owned(),
        history_info: history.iter().map(uri).collect(),
        diversion: diversion.iter().rev().map(uri).collect(),
        p_called_party_id: invite.address(Name::PCalledPartyId).ok().as_ref().map(uri),
        to: invite.to().as_ref().map(uri).unwrap_or_default(),
    }
}

pub(super) fn index_of(entry: &NameAddr) -> Vec<u32> {
    let index = entry.param("index").flatten().unwrap_or_default();
    index
        .split(|byte| *byte == b'.')
        .map(|part| std::str::from_utf8(part).ok().and_then(|part| part.parse().ok()).unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::event::ListenerConfig;

    fn invite(from: &str, more: &str) -> Message {
        let text = format!(
            "INVITE sip:12345@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: {from};tag=1\r\n\
             To: <sip:12345@192.0.2.9>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n{more}\r\n"
        );
        Message::parse(text.into()).unwrap()
    }

    fn trunk(name: &str, sources: &[(&str, u8)]) -> TrunkConfig {
        TrunkConfig {
            sources: sources.iter().map(|(ip, prefix)| (ip.parse().unwrap(), *prefix)).collect(),
            trust_identity: true,
            ..TrunkConfig::named(name.into())
        }
    }

    fn door() -> Door {
        Door::new(&Config {
            listeners: vec![ListenerConfig {
                transport: crate::sip::Transport::Udp,
                bind: "127.0.0.1:5060".parse().unwrap(),
                advertise: "192.0.2.9".parse().unwrap(),
            }],
            domain: "hotline.example".into(),
            trunks: vec![
                trunk("wide", &[("127.0.0.0", 8), ("2001:db8::", 32)]),
                trunk("narrow", &[("127.0.0.2", 32), ("198.51.100.0", 24)]),
                trunk("late", &[("127.0.0.0", 8)]),
            ],
            ..Config::default()
        })
    }

    #[test]
    fn who_is_calling_row_by_row() {
        let seat = || Visitor::Seat("1001".into());
        let rows = [
            ("<sip:1001@hotline.example>", "127.0.0.1:9", seat()),
            ("<sip:1001@HOTLINE.example>", "203.0.113.5:9", seat()),
            ("<sip:%31001@192.0.2.9:5060>", "203.0.113.5:9", seat()),
            ("<sip:1001@127.0.0.1>", "127.0.0.2:9", seat()),
            ("<sip:1001@elsewhere.invalid>", "203.0.113.77:5062", seat()),
            ("<sip:1001@elsewhere.invalid>", "203.0.113.77:5063", Visitor::Stranger),
            ("<sip:1001@elsewhere.invalid>", "127.0.0.1:9", Visitor::Trunk(0)),
            ("<sip:13800000000@127.0.0.1>", "127.0.0.1:9", Visitor::Trunk(0)),
            ("<sip:13800000000@hotline.example>", "127.0.0.2:9", Visitor::Trunk(1)),
            ("<sip:13800000000@h>", "[::ffff:198.51.100.7]:9", Visitor::Trunk(1)),
            ("<sip:13800000000@h>", "[2001:db8::1]:9", Visitor::Trunk(0)),
            ("<sip:13800000000@h>", "203.0.113.77:5062", Visitor::Stranger),
            ("<tel:1001>", "203.0.113.77:9", Visitor::Stranger),
        ];
        let flow = |user: &str| (user == "1001").then(|| Some("203.0.113.77:5062".parse().unwrap()));
        for (from, source, wanted) in rows {
            let found = door().who(&invite(from, ""), source.parse().unwrap(), &[], flow);
            assert_eq!(found, wanted, "{from} from {source}");
        }
    }

    #[test]
    fn a_certificate_says_more_than_an_address_and_no_wildcard_says_anything() {
        let door = Door::new(&Config {
            trunks: vec![
                trunk("address", &[("127.0.0.0", 8)]),
                TrunkConfig {
                    certificate: Some("sbc.carrier.example".into()),
                    ..trunk("certificate", &[("198.51.100.0", 24)])
                },
            ],
            ..Config::default()
        });
        let rows: [(&[&str], &str, Visitor); 7] = [
            (&[], "127.0.0.1:9", Visitor::Trunk(0)),
            (&["sbc.carrier.example"], "127.0.0.1:9", Visitor::Trunk(1)),
            (&["other.example", "SBC.Carrier.Example"], "203.0.113.5:9", Visitor::Trunk(1)),
            (&["*.carrier.example"], "203.0.113.5:9", Visitor::Stranger),
            (&["carrier.example"], "203.0.113.5:9", Visitor::Stranger),
            (&["carrier.example"], "127.0.0.1:9", Visitor::Trunk(0)),
            (&[], "198.51.100.1:9", Visitor::Trunk(1)),
        ];
        for (names, source, wanted) in rows {
            let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
            let invite = invite("<sip:13800000000@h>", "");
            assert_eq!(door.who(&invite, source.parse().unwrap(), &names, |_| None), wanted, "{names:?}");
        }
    }

    #[test]
    fn the_callers_number_row_by_row() {
        let asserted = "P-Asserted-Identity: <tel:+8613900000000>\r\n";
        let private = "P-Asserted-Identity: <tel:+8613900000000>\r\nPrivacy: user; ID\r\n";
        let rows = [
            ("<sip:13800000000@h>", "", true, "13800000000"),
            ("<sip:13800000000@h>", asserted, true, "+8613900000000"),
            ("<sip:13800000000@h>", asserted, false, "13800000000"),
            ("<sip:anonymous@anonymous.invalid>", asserted, true, "+8613900000000"),
            ("<sip:anonymous@anonymous.invalid>", "", true, ""),
            ("<sip:13800000000@h>", private, true, ""),
            ("<sip:h>", "", true, ""),
            ("<tel:+86-139-0000-0000>", "", true, "+8613900000000"),
            ("<tel:4420000;phone-context=+86-393>", "", true, "+863934420000"),
            ("<tel:4420000;phone-context=carrier.example>", "", true, "4420000"),
            ("<sip:+8613900000000;cpc=ordinary@h;user=phone>", "", true, "+8613900000000"),
            ("<sip:4420000;phone-context=+86393@h;user=phone>", "", true, "+863934420000"),
            ("<sip:(0393)442.0000@h>", "", true, "03934420000"),
            ("<sip:front.desk-1@h>", "", true, "front.desk-1"),
            ("<sip:+@h>", "", true, "+"),
        ];
        for (from, more, trust, wanted) in rows {
            let origin = Origin::Trunk("t".into());
            assert_eq!(caller(&invite(from, more), &origin, trust), wanted, "{from} {more}");
        }
    }

    #[test]
    fn forwarded_numbers_come_oldest_first() {
        let more = "History-Info: <sip:12345@h>;index=1.10, <sip:a@h>;index=1\r\nHistory-Info: <sip:b@h>;index=1.2\r\n\
                    Diversion: <sip:new@h>;reason=unconditional\r\nDiversion: <tel:12336>\r\nP-Called-Party-ID: <sip:c@h>\r\n";
        let found = dialled(&invite("<sip:1@h>", more));
        assert_eq!(found.history_info, ["sip:a@h", "sip:b@h", "sip:12345@h"]);
        assert_eq!(found.diversion, ["tel:12336", "sip:new@h"]);
        assert_eq!(found.p_called_party_id.as_deref(), Some("sip:c@h"));
        assert_eq!(
            (found.request_uri.as_str(), found.to.as_str()),
            ("sip:12345@192.0.2.9", "sip:12345@192.0.2.9")
        );
    }
}
