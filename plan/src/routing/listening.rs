//! Listeners as they are written: `"tls:192.0.2.10:5061"`, or a table with all that one can have.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::diagnostic::Text;
use super::plan::{Listener, Transport};
use super::read::{Node, Value, read_table};
use super::shape::Form;
use super::source::Problems;
use super::values::{malformed, text};
use super::written::Written;

/// A listener's text is no address with port, with `udp:`, `tcp:` or `tls:` in front or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "应写成 地址:端口、tcp:地址:端口 或 tls:地址:端口 / write ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT"
)]
pub struct NoListener;

impl Listener {
    /// One that speaks UDP.
    pub fn udp(bind: SocketAddr) -> Self {
        Listener { transport: Transport::Udp, bind, advertise: None, client_certificate: None }
    }
}

impl FromStr for Listener {
    type Err = NoListener;

    fn from_str(text: &str) -> Result<Self, NoListener> {
        let transports = [("udp:", Transport::Udp), ("tcp:", Transport::Tcp), ("tls:", Transport::Tls)];
        let said = transports.into_iter().find_map(|(name, transport)| {
            let rest = text.strip_prefix(name)?;
            Some((transport, rest))
        });
        let (transport, at) = said.unwrap_or((Transport::Udp, text));
        let bind = at.parse().map_err(|_| NoListener)?;
        Ok(Listener { transport, ..Listener::udp(bind) })
    }
}

impl Value for Listener {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let (zh, en) = (
            "监听地址（如 \"192.0.2.10:5060\"、\"tcp:192.0.2.10:5060\"）",
            "an address like \"192.0.2.10:5060\" or \"tcp:192.0.2.10:5060\"",
        );
        let Some(table) = node.value.as_table() else {
            let found = text(node, zh, en, problems)?.parse().ok();
            if found.is_none() {
                malformed("E0108", node, zh, en, problems);
            }
            return found;
        };
        read_table(table, node.spot.clone(), problems, |reader| {
            let effect =
                Text::new("引擎不知道在哪里收呼叫", "the engine would not know where to receive calls");
            let transport = reader.or::<Transport>("transport", Transport::Udp);
            let bind = reader.required::<SocketAddr>("bind", effect);
            let advertise = reader.optional::<IpAddr>("advertise");
            let client_certificate = reader.optional::<bool>("client_certificate");
            Some(Listener {
                transport: transport?.value,
                bind: bind?.value,
                advertise: advertise.map(|said| said.value),
                client_certificate: client_certificate.map(|said| said.value),
            })
        })
    }

    fn form() -> Form {
        Form::pattern(r"^((udp|tcp|tls):)?([0-9.]+|\[[0-9A-Fa-f:.%]+\]):[0-9]+$")
    }

    fn written(&self) -> Option<Written> {
        let transport = self.transport.written()?;
        let bind = Written::Text(self.bind.to_string());
        if let (None, None, Written::Text(word)) = (self.advertise, self.client_certificate, &transport) {
            return Some(Written::Text(format!("{word}:{}", self.bind)));
        }
        let mut entries = vec![("transport".to_owned(), transport), ("bind".to_owned(), bind)];
        let advertise = self.advertise.map(|at| Written::Text(at.to_string()));
        entries.extend(advertise.map(|at| ("advertise".to_owned(), at)));
        let certificate = self.client_certificate.map(Written::Truth);
        entries.extend(certificate.map(|asked| ("client_certificate".to_owned(), asked)));
        Some(Written::Table(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_says_what_it_speaks_in_front() {
        for (text, wanted) in [
            ("192.0.2.10:5060", Some((Transport::Udp, "192.0.2.10:5060"))),
            ("udp:[::1]:5060", Some((Transport::Udp, "[::1]:5060"))),
            ("tcp:192.0.2.10:5060", Some((Transport::Tcp, "192.0.2.10:5060"))),
            ("tls:[2001:db8::1]:5061", Some((Transport::Tls, "[2001:db8::1]:5061"))),
            ("sctp:192.0.2.10:5060", None),
            ("TLS:192.0.2.10:5060", None),
            ("tcp:192.0.2.10", None),
            ("tcp:host.example:5060", None),
        ] {
            let wanted = wanted.map(|(transport, bind)| (transport, bind.parse().unwrap()));
            let found: Result<Listener, _> = text.parse();
            assert_eq!(found.ok().map(|found| (found.transport, found.bind)), wanted, "{text}");
        }
    }
}
