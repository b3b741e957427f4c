//! Request methods (RFC 3261 §7.1 and the RFCs that added some).

use std::fmt;

use bytes::Bytes;

/// A request's method. Names are compared with case, as RFC 3261 §7.1 wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §17.1.1.3.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §11.
    Options,
    /// RFC 3261 §10.
    Register,
    /// RFC 6086.
    Info,
    /// RFC 3311.
    Update,
    /// RFC 3262.
    Prack,
    /// RFC 3515.
    Refer,
    /// RFC 6665.
    Notify,
    /// RFC 6665.
    Subscribe,
    /// RFC 3428.
    Message,
    /// RFC 3903.
    Publish,
    /// Any other token, verbatim.
    Other(Bytes),
}

impl Method {
    /// The method with this name; a name that is not ours is copied.
    pub fn of(name: &[u8]) -> Method {
        Method::known(name).unwrap_or_else(|| Method::Other(Bytes::copy_from_slice(name)))
    }

    /// The same for a name that is a piece of a received buffer: nothing is copied.
    pub(super) fn of_shared(buffer: &Bytes, name: &[u8]) -> Method {
        Method::known(name).unwrap_or_else(|| Method::Other(buffer.slice_ref(name)))
    }

    fn known(name: &[u8]) -> Option<Method> {
        Some(match name {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            b"CANCEL" => Method::Cancel,
            b"OPTIONS" => Method::Options,
            b"REGISTER" => Method::Register,
            b"INFO" => Method::Info,
            b"UPDATE" => Method::Update,
            b"PRACK" => Method::Prack,
            b"REFER" => Method::Refer,
            b"NOTIFY" => Method::Notify,
            b"SUBSCRIBE" => Method::Subscribe,
            b"MESSAGE" => Method::Message,
            b"PUBLISH" => Method::Publish,
            _ => return None,
        })
    }

    /// The name as it goes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Method::Invite => b"INVITE",
            Method::Ack => b"ACK",
            Method::Bye => b"BYE",
            Method::Cancel => b"CANCEL",
            Method::Options => b"OPTIONS",
            Method::Register => b"REGISTER",
            Method::Info => b"INFO",
            Method::Update => b"UPDATE",
            Method::Prack => b"PRACK",
            Method::Refer => b"REFER",
            Method::Notify => b"NOTIFY",
            Method::Subscribe => b"SUBSCRIBE",
            Method::Message => b"MESSAGE",
            Method::Publish => b"PUBLISH",
            Method::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_named_with_case_and_strange_ones_survive() {
        for name in ["INVITE", "ACK", "PUBLISH", "UPDATE"] {
            assert!(!matches!(Method::of(name.as_bytes()), Method::Other(_)));
            assert_eq!(Method::of(name.as_bytes()).to_string(), name);
        }
        assert_eq!(Method::of(b"invite"), Method::Other(Bytes::from_static(b"invite")));
        assert_eq!(Method::of(b"RE%47").as_bytes(), b"RE%47");
    }
}
