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
        if value.is_empty() || value.iter().any(u8::is_ascii_whitespace) {
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
