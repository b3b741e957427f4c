//! Whether a message that could be read is one that may be acted upon (RFC 3261 §8.2, RFC 4475 §3).
//!
//! What depends on who we are (methods, extensions, media types, credentials) is for the endpoint.

use super::fault::{Fault, HeaderError};
use super::message::Message;
use super::name::Name;
use super::uri::Uri;
use super::via;

/// Headers that say one thing, and so stand once (RFC 3261 §7.3.1).
const SINGLE: [Name; 5] = [Name::From, Name::To, Name::CallId, Name::CSeq, Name::MaxForwards];

impl Message {
    /// Judges the headers that every transaction needs. A request with a fault is answered with
    /// the fault's status; a response with one is dropped.
    pub fn check(&self) -> Result<(), Fault> {
        for name in SINGLE {
            if self.headers(name).nth(1).is_some() {
                return Err(Fault::bad_request("Repeated Header"));
            }
        }
        let top = self.via()?;
        if top.branch().is_some_and(via::has_cookie) && top.cookie_branch().is_none() {
            return Err(Fault::bad_request("Empty Branch"));
        }
        self.from()?;
        self.to()?;
        self.check_call_id()?;
        let cseq = self.cseq()?;
        match self.method() {
            Some(method) if *method != cseq.method => Err(Fault::bad_request("CSeq Names Another Method")),
            Some(_) => self.check_request(),
            // RFC 3261 §8.1.3.3: we send with one Via, so that more is a stray.
            None if self.values(Name::Via).nth(1).is_some() => Err(Fault::bad_request("More Than One Via")),
            None => Ok(()),
        }
    }

    fn check_call_id(&self) -> Result<(), Fault> {
        let name = Name::CallId;
        let value = self.call_id().ok_or(HeaderError::Missing { name })?;
        if value.is_empty() || value.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            return Err(Fault::bad_request("Bad Call-ID"));
        }
        Ok(())
    }

    fn check_request(&self) -> Result<(), Fault> {
        self.max_forwards()?;
        self.contacts()?;
        let uri = Uri::parse(self.request_uri().unwrap_or_default())
            .map_err(|_| Fault::bad_request("Bad Request-URI"))?;
        if !uri.is_sip() && !uri.is_tel() {
            return Err(Fault { status: 416, why: "Unsupported URI Scheme" });
        }
        // RFC 3261 §19.1.1: headers have no place in a Request-URI.
        if uri.headers.is_some() {
            return Err(Fault::bad_request("Headers In Request-URI"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const GOOD: &str = "INVITE sip:12345@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n\
        From: <sip:a@h>;tag=1\r\nTo: <sip:12345@h>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
        Max-Forwards: 70\r\nContact: <sip:a@h>\r\n\r\n";

    fn status(text: String) -> Option<u16> {
        let message =
            Message::parse(Bytes::from(text.clone())).unwrap_or_else(|error| panic!("{text}: {error}"));
        message.check().err().map(|fault| fault.status)
    }

    #[test]
    fn each_fault_has_its_status() {
        assert_eq!(status(GOOD.to_owned()), None);
        for (from, to, wanted) in [
            ("Via: ", "X: ", Some(400)),
            ("From: ", "X: ", Some(400)),
            ("To: ", "X: ", Some(400)),
            ("Call-ID: ", "X: ", Some(400)),
            ("CSeq: ", "X: ", Some(400)),
            ("Max-Forwards: ", "X: ", None), // RFC 2543 knew none.
            ("Contact: ", "X: ", None),      // Which methods need one is for the endpoint.
            ("Call-ID: x", "Call-ID: x y", Some(400)),
            ("Call-ID: x", "Call-ID:", Some(400)),
            ("Call-ID: x", "Call-ID: x\0y", Some(400)), // It would leave us as a blank.
            ("Call-ID: x", "Call-ID: x\r\ni: x", Some(400)),
            ("CSeq: 1 INVITE", "CSeq: 1 BYE", Some(400)),
            ("CSeq: 1 INVITE", "CSeq: 1 invite", Some(400)),
            ("CSeq: 1 INVITE", "CSeq: INVITE", Some(400)),
            ("CSeq: 1", "CSeq: 2147483647", None),
            ("CSeq: 1", "CSeq: 2147483648", Some(400)),
            ("wards: 70", "wards: 256", Some(400)),
            ("wards: 70", "wards: many", Some(400)),
            ("z9hG4bKx", "z9hG4bK", Some(400)),
            ("z9hG4bKx", "old", None),
            ("<sip:a@h>\r\n\r\n", "*\r\n\r\n", None), // Only REGISTER may, and its reader looks.
            ("<sip:a@h>\r\n\r\n", "*, <sip:a@h>\r\n\r\n", Some(400)),
            ("INVITE sip:12345@h", "INVITE tel:12345", None),
            ("INVITE sip:12345@h", "INVITE sips:12345@[::1]:5061", None),
            ("INVITE sip:12345@h", "INVITE urn:service:sos", Some(416)),
            ("INVITE sip:12345@h", "INVITE 12345", Some(400)),
            ("INVITE sip:12345@h", "INVITE sip:12345@h?Replaces=x", Some(400)),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(status(GOOD.replacen(from, to, 1)), wanted, "{from} → {to}");
        }
    }

    #[test]
    fn a_response_with_two_vias_is_not_for_us() {
        let text = GOOD.replace("INVITE sip:12345@h SIP/2.0", "SIP/2.0 200 OK");
        assert_eq!(status(text.clone()), None);
        assert!(status(text.replace("bKx", "bKx, SIP/2.0/UDP other")).is_some());
    }
}
