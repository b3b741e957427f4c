//! The values that a trunk's table can hold: targets, probes, and the parts of rewriting rules.

use toml::de::DeValue;

use super::diagnostic::Text;
use super::plan::{Transport, TrunkTarget};
use super::read::{Node, Value, read_table, wrong_type};
use super::rewrite::{Length, Pattern, is_number};
use super::shape::Form;
use super::source::{Problems, Said};
use super::tables::trunk::{MemberTable, ProbeSaid, ProbeTable};
use super::values::{malformed, text};
use super::written::Written;

/// One target, or several.
#[derive(Debug, Clone)]
pub struct Targets(pub Vec<Said<TrunkTarget>>);

impl Value for Targets {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        if node.value.is_array() {
            return Vec::read(node, problems).map(Targets);
        }
        let value = TrunkTarget::read(node, problems)?;
        Some(Targets(vec![Said { value, spot: node.spot.clone() }]))
    }

    fn form() -> Form {
        TrunkTarget::form()
    }

    fn written(&self) -> Option<Written> {
        match self.0.as_slice() {
            [one] => one.value.written(),
            several => {
                several.iter().map(|target| target.value.written()).collect::<Option<_>>().map(Written::List)
            }
        }
    }
}

impl Value for TrunkTarget {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "地址、主机名或 SIP URI（如 \"192.0.2.10:5060\"、\"carrier.example\"、\"sip:carrier.example;transport=tcp\"）",
            "an address, host or SIP URI, like \"192.0.2.10:5060\", \"carrier.example\" or \"sip:carrier.example;transport=tcp\"",
        );
        let found = target(text(node, zh, en, problems)?);
        if found.is_none() {
            malformed("E0108", node, zh, en, problems)
                .effect("转往那里的来电全部失败", "every call that is put through to it would fail");
        }
        found
    }

    fn form() -> Form {
        Form::pattern(r"^[A-Za-z0-9._:;=\[\]-]+$")
    }

    fn written(&self) -> Option<Written> {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let transport = self.transport.and_then(|transport| transport.written());
        let text = match (self.secure, transport) {
            (false, None) => format!("{host}{port}"),
            (secure, transport) => {
                let scheme = if secure { "sips" } else { "sip" };
                let Some(Written::Text(word)) = transport else {
                    return Some(Written::Text(format!("{scheme}:{host}{port}")));
                };
                format!("{scheme}:{host}{port};transport={word}")
            }
        };
        Some(Written::Text(text))
    }
}

/// `None` for what is no target; a user part and parameters other than `transport` are none of it.
fn target(text: &str) -> Option<TrunkTarget> {
    let scheme = |name: &str| {
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| &text[name.len()..])
    };
    let (secure, rest) = match (scheme("sips:"), scheme("sip:")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ if scheme("tel:").is_some() => return None, // A number, and no host with a port.
        _ => (false, text),
    };
    let mut parts = rest.split(';');
    let (host, port) = host_port(parts.next()?)?;
    let mut transport = None;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if !name.eq_ignore_ascii_case("transport") || transport.is_some() {
            return None;
        }
        let known = [("udp", Transport::Udp), ("tcp", Transport::Tcp), ("tls", Transport::Tls)];
        let found = known.into_iter().find(|(name, _)| value.eq_ignore_ascii_case(name))?;
        transport = Some(found.1);
    }
    // RFC 3261 §26.2.2: sips is TLS over a stream.
    (!secure || transport != Some(Transport::Udp)).then_some(TrunkTarget { secure, host, port, transport })
}

fn host_port(text: &str) -> Option<(String, Option<u16>)> {
    let number = |port: &str| port.parse().ok().filter(|port: &u16| *port != 0);
    if let Ok(ip) = text.parse::<std::net::Ipv6Addr>() {
        return Some((ip.to_string(), None));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (ip, rest) = inner.split_once(']')?;
        let ip: std::net::Ipv6Addr = ip.parse().ok()?;
        let port = match rest {
            "" => None,
            rest => Some(number(rest.strip_prefix(':')?)?),
        };
        return Some((ip.to_string(), port));
    }
    match text.split_once(':') {
        Some((host, port)) => Some((host_name(host)?, Some(number(port)?))),
        None => Some((host_name(text)?, None)),
    }
}

/// A name of RFC 1123, or an IPv4 address; in small letters and without the dot at its end.
pub fn host_name(text: &str) -> Option<String> {
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some(text.to_owned());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next()?;
    let good =
        name.len() <= 253 && name.split('.').all(label) && last.bytes().any(|byte| !byte.is_ascii_digit());
    good.then(|| name.to_ascii_lowercase())
}

/// `domain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(pub String);

impl Value for Host {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = ("主机名（如 \"carrier.example\"）", "a host name like \"carrier.example\"");
        let found = host_name(text(node, zh, en, problems)?).map(Host);
        if found.is_none() {
            malformed("E0108", node, zh, en, problems);
        }
        found
    }

    fn form() -> Form {
        Form::pattern("^[A-Za-z0-9._-]+$")
    }
}

impl Value for ProbeSaid {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            " true、false 或 { every = \"30s\", down_after = 3, up_after = 2 }",
            "true, false or { every = \"30s\", down_after = 3, up_after = 2 }",
        );
        match node.value {
            DeValue::Boolean(on) => Some(ProbeSaid::Switch(*on)),
            DeValue::Table(table) => {
                Some(ProbeSaid::Table(read_table(table, node.spot.clone(), problems, ProbeTable::read)))
            }
            _ => {
                wrong_type(node, zh, en, problems);
                None
            }
        }
    }
}

impl Value for MemberTable {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match node.value {
            DeValue::String(_) => {
                let value = String::read(node, problems)?;
                let trunk = Some(Said { value, spot: node.spot.clone() });
                Some(MemberTable { trunk, priority: None, weight: None })
            }
            DeValue::Table(table) => Some(read_table(table, node.spot.clone(), problems, |reader| {
                let effect =
                    Text::new("引擎不知道用哪条中继", "the engine would not know which trunk is meant");
                MemberTable {
                    trunk: reader.required("trunk", effect),
                    priority: reader.optional("priority"),
                    weight: reader.optional("weight"),
                }
            })),
            _ => {
                let (zh, en) = (
                    "中继名或 { trunk = \"…\", priority = 1, weight = 1 }",
                    "a trunk's name or { trunk = \"…\", priority = 1, weight = 1 }",
                );
                wrong_type(node, zh, en, problems);
                None
            }
        }
    }

    fn form() -> Form {
        String::form()
    }
}

impl Value for Pattern {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "号码（如 \"12366\"）或号码的开头加 *（如 \"0393*\"；\"*\" 指任何号码）",
            "a number like \"12366\", or a beginning and * like \"0393*\" (\"*\" is any number)",
        );
        let found = Pattern::parse(text(node, zh, en, problems)?);
        if found.is_none() {
            malformed("E0615", node, zh, en, problems)
                .effect("这条规则永远不会用上", "the rule would never apply");
        }
        found
    }

    fn form() -> Form {
        Form::pattern(r"^[+0-9]*\*?$")
    }
}

/// A number that can be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(pub String);

impl Value for Number {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "能拨的号码（数字、*、#，最前可有 +，如 \"0393\"）",
            "a number that can be dialled: digits, *, #, + in front, like \"0393\"",
        );
        let said = text(node, zh, en, problems)?;
        // Beginnings like "+" alone are for `add`.
        let good = is_number(said) || said == "+";
        if !good {
            malformed("E0627", node, zh, en, problems).effect(
                "对端不认识这样的号码，呼叫会失败",
                "the far side knows no such number, and calls would fail",
            );
        }
        good.then(|| Number(said.to_owned()))
    }

    fn form() -> Form {
        Form::pattern(r"^\+?[0-9*#]*$")
    }
}

impl Value for Length {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = ("位数（如 11 或 \"7-8\"）", "a count of digits like 11 or \"7-8\"");
        let found = match node.value {
            DeValue::Integer(integer) => Length::parse(integer.as_str()),
            _ => Length::parse(text(node, zh, en, problems)?),
        };
        if found.is_none() {
            malformed("E0628", node, zh, en, problems);
        }
        found
    }

    fn form() -> Form {
        Form { pattern: Some(r"^\s*\+?[0-9]+\s*(-\s*\+?[0-9]+\s*)?$"), ..Form::bounds(1, 32) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_come_as_addresses_hosts_and_uris() {
        let show = |text: &str| {
            target(text).map(|found| {
                format!("{} {} {:?} {:?}", found.secure, found.host, found.port, found.transport)
            })
        };
        for (text, expected) in [
            ("192.0.2.7:5060", Some("false 192.0.2.7 Some(5060) None")),
            ("192.0.2.7", Some("false 192.0.2.7 None None")),
            ("[2001:db8::7]:5060", Some("false 2001:db8::7 Some(5060) None")),
            ("2001:db8::7", Some("false 2001:db8::7 None None")),
            ("sip:[2001:db8::7]", Some("false 2001:db8::7 None None")),
            ("Carrier.Example.", Some("false carrier.example None None")),
            ("carrier.example:5080", Some("false carrier.example Some(5080) None")),
            ("sip:carrier.example;transport=TCP", Some("false carrier.example None Some(Tcp)")),
            ("SIPS:carrier.example", Some("true carrier.example None None")),
            ("sips:carrier.example;transport=tls", Some("true carrier.example None Some(Tls)")),
            ("sips:carrier.example;transport=udp", None),
            ("sip:user@carrier.example", None),
            ("sip:carrier.example;lr", None),
            ("sip:carrier.example;maddr=192.0.2.1", None),
            ("sip:carrier.example;transport=sctp", None),
            ("sip:carrier.example;transport=udp;transport=tcp", None),
            ("carrier.example:0", None),
            ("carrier.example:65536", None),
            ("203.0.113", None),
            ("203.0.113.256", None),
            ("-carrier.example", None),
            ("carrier..example", None),
            ("[192.0.2.7]:5060", None),
            ("tel:12345", None),
            ("", None),
            ("运营商", None),
        ] {
            assert_eq!(show(text).as_deref(), expected, "{text}");
        }
    }
}
