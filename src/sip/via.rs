//! One Via value: where a request came through and where its answer goes (RFC 3261 §20.42, RFC 3581).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::scan::{self, Params, Span};
use super::transport::Transport;
use super::uri;

/// Beginning of a branch that names its transaction alone (RFC 3261 §8.1.1.7).
pub const BRANCH_COOKIE: &[u8] = b"z9hG4bK";

/// Default port of UDP and TCP.
pub const PORT: u16 = 5060;

/// One Via value with its text kept verbatim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    text: Bytes,
    transport: Span,
    host: Span,
    port: Option<u16>,
    params: Span,
    branch: Option<Span>,
}

impl Via {
    /// Reads one value, `SIP/2.0/UDP host:port;branch=…`, with blanks wherever the RFC lets them be.
    pub fn parse(text: Bytes) -> Result<Via, &'static str> {
        let rest = literal(&text, b"SIP").ok_or("no SIP protocol")?;
        let rest = literal(rest, b"/").ok_or("no SIP protocol")?;
        let rest = literal(rest, b"2.0").ok_or("not version 2.0")?;
        let rest = scan::trim_start(literal(rest, b"/").ok_or("no transport")?);
        let end = rest.iter().position(|&byte| scan::is_blank(byte)).ok_or("no sent-by")?;
        let (transport, rest) = (&rest[..end], scan::trim_start(&rest[end..]));
        if !scan::is_token(transport) {
            return Err("transport is not a token");
        }
        let semicolon = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let sent_by = scan::trim_end(&rest[..semicolon]);
        let (host, port) = uri::host_port(sent_by).ok_or("no good host")?;
        if host.iter().any(|byte| *byte <= b' ' || b",@?=<>\"\x7f".contains(byte)) {
            return Err("no good host");
        }
        let port = match port {
            Some(port) => Some(scan::port(port).ok_or("bad port")?),
            None => None,
        };
        let params = &rest[semicolon..];
        if !Params::of(params).are_sound() {
            return Err("bad parameters");
        }
        let branch = Params::of(params).find("branch").flatten().map(|branch| Span::of(&text, branch));
        let (transport, host) = (Span::of(&text, transport), Span::of(&text, host));
        let params = Span::of(&text, params);
        Ok(Via { transport, host, port, params, branch, text })
    }

    /// The whole value, verbatim but for folds.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// `UDP`, `TCP`, …, as written.
    pub fn transport(&self) -> &[u8] {
        self.transport.get(&self.text)
    }

    /// Host of sent-by; IPv6 without its brackets.
    pub fn host(&self) -> &[u8] {
        self.host.get(&self.text)
    }

    /// Host of sent-by as an address, where it is one.
    pub fn host_ip(&self) -> Option<IpAddr> {
        uri::ip(self.host())
    }

    /// Port of sent-by, if given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The branch, if there is one.
    pub fn branch(&self) -> Option<&[u8]> {
        self.branch.map(|branch| branch.get(&self.text))
    }

    /// The branch if it begins with the cookie of RFC 3261 and goes on.
    pub fn cookie_branch(&self) -> Option<&[u8]> {
        self.branch().filter(|branch| branch.len() > BRANCH_COOKIE.len() && has_cookie(branch))
    }

    /// `rport`: `Some(None)` asks for symmetric answers (RFC 3581 §3).
    pub fn rport(&self) -> Option<Option<u16>> {
        self.param("rport").map(|value| value.and_then(scan::port))
    }

    /// `received`, as an address; brackets around IPv6 are let pass.
    pub fn received(&self) -> Option<IpAddr> {
        let value = self.param("received").flatten()?;
        let bare = value.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(value);
        uri::ip(bare)
    }

    /// `maddr`, verbatim.
    pub fn maddr(&self) -> Option<&[u8]> {
        self.param("maddr").flatten()
    }

    /// One parameter by name. `Some(None)`: there, without a value.
    pub fn param(&self, name: &str) -> Option<Option<&[u8]>> {
        self.params().find(name)
    }

    /// All parameters, in order.
    pub fn params(&self) -> Params<'_> {
        Params::of(self.params.get(&self.text))
    }

    /// What stands before the parameters: protocol, transport, sent-by.
    pub(super) fn front(&self) -> &[u8] {
        scan::trim_end(&self.text[..self.params.at as usize])
    }

    /// Where the answer to a request that came from `source` goes (RFC 3261 §18.2.2, RFC 3581 §4):
    /// back to `source` over a stream and if rport was asked for, else to its address and the port
    /// of sent-by.
    pub fn reply_address(&self, source: SocketAddr) -> SocketAddr {
        match self.rport() {
            Some(_) => source,
            None if Transport::of(self.transport()).is_some_and(Transport::is_reliable) => source,
            None => SocketAddr::new(source.ip(), self.port.unwrap_or(PORT)),
        }
    }
}

/// Whether `branch` begins with the cookie; its case does not count.
pub(super) fn has_cookie(branch: &[u8]) -> bool {
    branch.get(..BRANCH_COOKIE.len()).is_some_and(|cookie| cookie.eq_ignore_ascii_case(BRANCH_COOKIE))
}

fn literal<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let text = scan::trim_start(text);
    let (front, rest) = text.split_at_checked(wanted.len())?;
    front.eq_ignore_ascii_case(wanted).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &'static str) -> Via {
        Via::parse(Bytes::from_static(text.as_bytes())).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn blanks_may_stand_anywhere() {
        let parsed = via("SIP  /   2.0 /UDP  192.0.2.2 : 5070 ; branch = z9hG4bKx ;rport");
        assert_eq!(parsed.transport(), b"UDP");
        assert_eq!(parsed.host(), b"192.0.2.2");
        assert_eq!(parsed.port(), Some(5070));
        assert_eq!(parsed.branch(), Some(&b"z9hG4bKx"[..]));
        assert_eq!(parsed.cookie_branch(), parsed.branch());
        assert_eq!(parsed.rport(), Some(None));
    }

    #[test]
    fn ipv6_stands_in_brackets_and_in_received_with_or_without() {
        let parsed = via("SIP/2.0/UDP [2001:db8::9:1]:5070;received=[2001:db8::9];x=\"a;b,c\"");
        assert_eq!(parsed.host_ip(), Some("2001:db8::9:1".parse().unwrap()));
        assert_eq!(parsed.received(), Some("2001:db8::9".parse().unwrap()));
        assert_eq!(parsed.param("x"), Some(Some(&b"\"a;b,c\""[..])));
        assert_eq!(via("SIP/2.0/UDP h;received=::1").received(), Some("::1".parse().unwrap()));
    }

    #[test]
    fn an_answer_goes_to_the_source_when_rport_asks_and_else_to_the_port_of_sent_by() {
        let source: SocketAddr = "198.51.100.7:40000".parse().unwrap();
        for (text, wanted) in [
            ("SIP/2.0/UDP 10.0.0.1:5070;rport", "198.51.100.7:40000"),
            ("SIP/2.0/UDP 10.0.0.1:5070", "198.51.100.7:5070"),
            ("SIP/2.0/UDP host.example", "198.51.100.7:5060"),
            ("SIP/2.0/TCP 10.0.0.1:5070", "198.51.100.7:40000"),
            ("SIP/2.0/tls 10.0.0.1:5070", "198.51.100.7:40000"),
        ] {
            assert_eq!(via(text).reply_address(source), wanted.parse().unwrap());
        }
    }

    #[test]
    fn a_bare_cookie_names_no_transaction() {
        assert_eq!(via("SIP/2.0/UDP h;branch=z9hG4bK").cookie_branch(), None);
        assert_eq!(via("SIP/2.0/UDP h;branch=390skdjuw").cookie_branch(), None);
    }

    #[test]
    fn broken_values_are_refused() {
        for text in [
            "",
            "SIP/2.0",
            "SIP/7.0/UDP h",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ;branch=x",
            "SIP/2.0/UDP h:port",
            "SIP/2.0/UDP h;;",
            "SIP/2.0/UDP h\0i",
            "SIP/2.0/UDP user@h",
            "SIP/2.0/UDP a b;branch=x",
            "HTTP/2.0/UDP h",
        ] {
            assert!(Via::parse(Bytes::from_static(text.as_bytes())).is_err(), "{text}");
        }
    }
}
