//! Header names: full, compact, and all the others.

/// A header that the engine reads or writes by name. Names are compared without case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Name {
    /// `Via`, `v`: RFC 3261 §20.42.
    Via,
    /// `From`, `f`: RFC 3261 §20.20.
    From,
    /// `To`, `t`: RFC 3261 §20.39.
    To,
    /// `Call-ID`, `i`: RFC 3261 §20.8.
    CallId,
    /// `CSeq`: RFC 3261 §20.16.
    CSeq,
    /// `Contact`, `m`: RFC 3261 §20.10.
    Contact,
    /// `Max-Forwards`: RFC 3261 §20.22.
    MaxForwards,
    /// `Route`: RFC 3261 §20.34.
    Route,
    /// `Record-Route`: RFC 3261 §20.30.
    RecordRoute,
    /// `Content-Type`, `c`: RFC 3261 §20.15.
    ContentType,
    /// `Content-Length`, `l`: RFC 3261 §20.14.
    ContentLength,
    /// `Content-Encoding`, `e`: RFC 3261 §20.12.
    ContentEncoding,
    /// `Content-Disposition`: RFC 3261 §20.11.
    ContentDisposition,
    /// `Expires`: RFC 3261 §20.19.
    Expires,
    /// `Min-Expires`: RFC 3261 §20.23.
    MinExpires,
    /// `Require`: RFC 3261 §20.32.
    Require,
    /// `Proxy-Require`: RFC 3261 §20.29.
    ProxyRequire,
    /// `Supported`, `k`: RFC 3261 §20.37.
    Supported,
    /// `Unsupported`: RFC 3261 §20.40.
    Unsupported,
    /// `Allow`: RFC 3261 §20.5.
    Allow,
    /// `Accept`: RFC 3261 §20.1.
    Accept,
    /// `Authorization`: RFC 3261 §20.7.
    Authorization,
    /// `WWW-Authenticate`: RFC 3261 §20.44.
    WwwAuthenticate,
    /// `Proxy-Authorization`: RFC 3261 §20.28.
    ProxyAuthorization,
    /// `Proxy-Authenticate`: RFC 3261 §20.27.
    ProxyAuthenticate,
    /// `History-Info`: RFC 7044.
    HistoryInfo,
    /// `Diversion`: RFC 5806.
    Diversion,
    /// `P-Asserted-Identity`: RFC 3325.
    PAssertedIdentity,
    /// `P-Preferred-Identity`: RFC 3325.
    PPreferredIdentity,
    /// `P-Called-Party-ID`: RFC 7315.
    PCalledPartyId,
    /// `Privacy`: RFC 3323.
    Privacy,
    /// `Reason`: RFC 3326.
    Reason,
    /// `Retry-After`: RFC 3261 §20.33.
    RetryAfter,
    /// `User-Agent`: RFC 3261 §20.41.
    UserAgent,
    /// `Server`: RFC 3261 §20.35.
    Server,
    /// `Date`: RFC 3261 §20.17.
    Date,
    /// `Subject`, `s`: RFC 3261 §20.36.
    Subject,
    /// `Event`, `o`: RFC 6665.
    Event,
    /// `Timestamp`: RFC 3261 §20.38.
    Timestamp,
    /// `Warning`: RFC 3261 §20.43.
    Warning,
    /// `Replaces`: RFC 3891.
    Replaces,
    /// `Refer-To`, `r`: RFC 3515.
    ReferTo,
    /// `Referred-By`, `b`: RFC 3892.
    ReferredBy,
    /// `Session-Expires`, `x`: RFC 4028.
    SessionExpires,
    /// `Min-SE`: RFC 4028.
    MinSe,
    /// `RAck`: RFC 3262.
    Rack,
    /// `RSeq`: RFC 3262.
    Rseq,
    /// Any other name: kept verbatim, found by [`super::Message::header_named`].
    Other,
}

impl Name {
    /// The header called `name`, in its full or compact form.
    pub fn of(name: &[u8]) -> Name {
        match name.len() {
            1 => match name[0].to_ascii_lowercase() {
                b'v' => Name::Via,
                b'f' => Name::From,
                b't' => Name::To,
                b'i' => Name::CallId,
                b'm' => Name::Contact,
                b'c' => Name::ContentType,
                b'l' => Name::ContentLength,
                b'e' => Name::ContentEncoding,
                b'k' => Name::Supported,
                b's' => Name::Subject,
                b'o' => Name::Event,
                b'r' => Name::ReferTo,
                b'b' => Name::ReferredBy,
                b'x' => Name::SessionExpires,
                _ => Name::Other,
            },
            2 => pick(name, &[Name::To]),
            3 => pick(name, &[Name::Via]),
            4 => pick(name, &[Name::From, Name::CSeq, Name::Date, Name::Rack, Name::Rseq]),
            5 => pick(name, &[Name::Route, Name::Allow, Name::Event]),
            6 => pick(name, &[Name::Accept, Name::Reason, Name::Server, Name::MinSe]),
            7 => pick(
                name,
                &[
                    Name::CallId,
                    Name::Contact,
                    Name::Expires,
                    Name::Require,
                    Name::Privacy,
                    Name::Subject,
                    Name::Warning,
                ],
            ),
            8 => pick(name, &[Name::Replaces, Name::ReferTo]),
            9 => pick(name, &[Name::Supported, Name::Diversion, Name::Timestamp]),
            10 => pick(name, &[Name::UserAgent]),
            11 => pick(name, &[Name::MinExpires, Name::Unsupported, Name::RetryAfter, Name::ReferredBy]),
            12 => pick(name, &[Name::MaxForwards, Name::RecordRoute, Name::ContentType, Name::HistoryInfo]),
            13 => pick(name, &[Name::ProxyRequire, Name::Authorization]),
            14 => pick(name, &[Name::ContentLength]),
            15 => pick(name, &[Name::SessionExpires]),
            16 => pick(name, &[Name::ContentEncoding, Name::WwwAuthenticate]),
            17 => pick(name, &[Name::PCalledPartyId]),
            18 => pick(name, &[Name::ProxyAuthenticate]),
            19 => pick(name, &[Name::ContentDisposition, Name::ProxyAuthorization, Name::PAssertedIdentity]),
            20 => pick(name, &[Name::PPreferredIdentity]),
            _ => Name::Other,
        }
    }

    /// The full name as it goes on the wire; empty for [`Name::Other`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Name::Via => "Via",
            Name::From => "From",
            Name::To => "To",
            Name::CallId => "Call-ID",
            Name::CSeq => "CSeq",
            Name::Contact => "Contact",
            Name::MaxForwards => "Max-Forwards",
            Name::Route => "Route",
            Name::RecordRoute => "Record-Route",
            Name::ContentType => "Content-Type",
            Name::ContentLength => "Content-Length",
            Name::ContentEncoding => "Content-Encoding",
            Name::ContentDisposition => "Content-Disposition",
            Name::Expires => "Expires",
            Name::MinExpires => "Min-Expires",
            Name::Require => "Require",
            Name::ProxyRequire => "Proxy-Require",
            Name::Supported => "Supported",
            Name::Unsupported => "Unsupported",
            Name::Allow => "Allow",
            Name::Accept => "Accept",
            Name::Authorization => "Authorization",
            Name::WwwAuthenticate => "WWW-Authenticate",
            Name::ProxyAuthorization => "Proxy-Authorization",
            Name::ProxyAuthenticate => "Proxy-Authenticate",
            Name::HistoryInfo => "History-Info",
            Name::Diversion => "Diversion",
            Name::PAssertedIdentity => "P-Asserted-Identity",
            Name::PPreferredIdentity => "P-Preferred-Identity",
            Name::PCalledPartyId => "P-Called-Party-ID",
            Name::Privacy => "Privacy",
            Name::Reason => "Reason",
            Name::RetryAfter => "Retry-After",
            Name::UserAgent => "User-Agent",
            Name::Server => "Server",
            Name::Date => "Date",
            Name::Subject => "Subject",
            Name::Event => "Event",
            Name::Timestamp => "Timestamp",
            Name::Warning => "Warning",
            Name::Replaces => "Replaces",
            Name::ReferTo => "Refer-To",
            Name::ReferredBy => "Referred-By",
            Name::SessionExpires => "Session-Expires",
            Name::MinSe => "Min-SE",
            Name::Rack => "RAck",
            Name::Rseq => "RSeq",
            Name::Other => "",
        }
    }
}

fn pick(name: &[u8], candidates: &[Name]) -> Name {
    // Names of one length mostly differ in their first letter, case or not.
    let same = |known: &[u8]| (known[0] ^ name[0]) & !0x20 == 0 && known.eq_ignore_ascii_case(name);
    candidates.iter().copied().find(|candidate| same(candidate.as_str().as_bytes())).unwrap_or(Name::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_and_compact_ones_are_found_without_case() {
        let table = [
            ("Via", Some("v"), Name::Via),
            ("From", Some("f"), Name::From),
            ("To", Some("t"), Name::To),
            ("Call-ID", Some("i"), Name::CallId),
            ("CSeq", None, Name::CSeq),
            ("Contact", Some("m"), Name::Contact),
            ("Max-Forwards", None, Name::MaxForwards),
            ("Route", None, Name::Route),
            ("Record-Route", None, Name::RecordRoute),
            ("Content-Type", Some("c"), Name::ContentType),
            ("Content-Length", Some("l"), Name::ContentLength),
            ("Content-Encoding", Some("e"), Name::ContentEncoding),
            ("Content-Disposition", None, Name::ContentDisposition),
            ("Expires", None, Name::Expires),
            ("Min-Expires", None, Name::MinExpires),
            ("Require", None, Name::Require),
            ("Proxy-Require", None, Name::ProxyRequire),
            ("Supported", Some("k"), Name::Supported),
            ("Unsupported", None, Name::Unsupported),
            ("Allow", None, Name::Allow),
            ("Accept", None, Name::Accept),
            ("Authorization", None, Name::Authorization),
            ("WWW-Authenticate", None, Name::WwwAuthenticate),
            ("Proxy-Authorization", None, Name::ProxyAuthorization),
            ("Proxy-Authenticate", None, Name::ProxyAuthenticate),
            ("History-Info", None, Name::HistoryInfo),
            ("Diversion", None, Name::Diversion),
            ("P-Asserted-Identity", None, Name::PAssertedIdentity),
            ("P-Preferred-Identity", None, Name::PPreferredIdentity),
            ("P-Called-Party-ID", None, Name::PCalledPartyId),
            ("Privacy", None, Name::Privacy),
            ("Reason", None, Name::Reason),
            ("Retry-After", None, Name::RetryAfter),
            ("User-Agent", None, Name::UserAgent),
            ("Server", None, Name::Server),
            ("Date", None, Name::Date),
            ("Subject", Some("s"), Name::Subject),
            ("Event", Some("o"), Name::Event),
            ("Timestamp", None, Name::Timestamp),
            ("Warning", None, Name::Warning),
            ("Replaces", None, Name::Replaces),
            ("Refer-To", Some("r"), Name::ReferTo),
            ("Referred-By", Some("b"), Name::ReferredBy),
            ("Session-Expires", Some("x"), Name::SessionExpires),
            ("Min-SE", None, Name::MinSe),
            ("RAck", None, Name::Rack),
            ("RSeq", None, Name::Rseq),
        ];
        for (full, compact, name) in table {
            assert_eq!(Name::of(full.as_bytes()), name, "{full}");
            assert_eq!(Name::of(full.to_ascii_uppercase().as_bytes()), name);
            assert_eq!(name.as_str(), full);
            if let Some(compact) = compact {
                assert_eq!(Name::of(compact.as_bytes()), name, "{compact}");
                assert_eq!(Name::of(compact.to_ascii_uppercase().as_bytes()), name);
            }
        }
        for other in ["", "C%6Fntact", "X-Via", "z", "Fram"] {
            assert_eq!(Name::of(other.as_bytes()), Name::Other, "{other}");
        }
    }
}
