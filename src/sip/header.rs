//! Readers of the single headers that transactions, dialogs and the endpoint live on.

use bytes::Bytes;

use super::fault::HeaderError;
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::name_addr::{Contacts, NameAddr};
use super::scan;
use super::via::Via;

/// First value that CSeq must stay below (RFC 3261 §8.1.1.5).
const CSEQ_END: u64 = 1 << 31;

/// What CSeq says (RFC 3261 §20.16).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// Below 2^31.
    pub number: u32,
    /// Method of the request, also in its answers.
    pub method: Method,
}

/// The headers that are asked for again and again while a message is served: read once.
#[derive(Debug)]
pub(super) struct Front {
    via: Result<Via, HeaderError>,
    from: Result<NameAddr, HeaderError>,
    to: Result<NameAddr, HeaderError>,
}

impl Front {
    pub(super) fn read(message: &Message) -> Front {
        Front { via: message.read_via(), from: message.address(Name::From), to: message.address(Name::To) }
    }
}

impl Message {
    /// Topmost Via.
    pub fn via(&self) -> Result<Via, HeaderError> {
        match self.front() {
            Some(front) => front.via.clone(),
            None => self.read_via(),
        }
    }

    fn read_via(&self) -> Result<Via, HeaderError> {
        self.vias().next().unwrap_or(Err(HeaderError::Missing { name: Name::Via }))
    }

    /// All Via values, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, HeaderError>> {
        self.values(Name::Via).map(|value| Via::parse(self.share(value)).map_err(bad(Name::Via)))
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        match self.front() {
            Some(front) => front.from.clone(),
            None => self.address(Name::From),
        }
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        match self.front() {
            Some(front) => front.to.clone(),
            None => self.address(Name::To),
        }
    }

    /// The one address in the first line of `name`: From, To, Refer-To and the like, which are no
    /// lists.
    pub fn address(&self, name: Name) -> Result<NameAddr, HeaderError> {
        let value = self.header(name).ok_or(HeaderError::Missing { name })?;
        NameAddr::parse(self.share(value)).map_err(bad(name))
    }

    /// All addresses of a list: Route, Record-Route, P-Asserted-Identity, History-Info, Diversion.
    pub fn addresses(&self, name: Name) -> Result<Vec<NameAddr>, HeaderError> {
        self.values(name).map(|value| NameAddr::parse(self.share(value)).map_err(bad(name))).collect()
    }

    /// Call-ID, verbatim.
    pub fn call_id(&self) -> Option<&[u8]> {
        self.header(Name::CallId)
    }

    /// CSeq; a number of 2^31 or more is refused.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        let name = Name::CSeq;
        let value = self.header(name).ok_or(HeaderError::Missing { name })?;
        let end = value
            .iter()
            .position(|&byte| scan::is_blank(byte))
            .ok_or(HeaderError::Bad { name, why: "no method" })?;
        let number = scan::number(&value[..end])
            .filter(|&number| number < CSEQ_END)
            .ok_or(HeaderError::Bad { name, why: "number is out of range" })? as u32;
        let method = scan::trim_start(&value[end..]);
        if !scan::is_token(method) {
            return Err(HeaderError::Bad { name, why: "method is not a token" });
        }
        let method = Method::of_shared(self.text(), method);
        Ok(CSeq { number, method })
    }

    /// The first Contact, or nothing where there is none. `*` is an error here.
    pub fn contact(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.values(Name::Contact)
            .next()
            .map(|value| NameAddr::parse(self.share(value)).map_err(bad(Name::Contact)))
            .transpose()
    }

    /// All Contact values. `*` stands alone or is an error.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        let mut values = self.values(Name::Contact);
        if values.next() == Some(b"*") && values.next().is_none() {
            return Ok(Contacts::Star);
        }
        self.addresses(Name::Contact).map(Contacts::List)
    }

    /// Content-Length, if there is one.
    pub fn content_length(&self) -> Result<Option<u32>, HeaderError> {
        self.number(Name::ContentLength)
    }

    /// Max-Forwards, 0–255, if there is one.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let name = Name::MaxForwards;
        match self.number(name)? {
            None => Ok(None),
            Some(value) => {
                u8::try_from(value).map(Some).map_err(|_| HeaderError::Bad { name, why: "above 255" })
            }
        }
    }

    /// Expires in seconds, if there is one; one too large for 32 bits counts as the largest.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.number(Name::Expires)
    }

    /// A header that is one decimal number, capped at `u32::MAX`.
    pub fn number(&self, name: Name) -> Result<Option<u32>, HeaderError> {
        let Some(value) = self.header(name) else {
            return Ok(None);
        };
        match scan::number(value) {
            Some(value) => Ok(Some(u32::try_from(value).unwrap_or(u32::MAX))),
            None => Err(HeaderError::Bad { name, why: "not a number" }),
        }
    }

    /// The media type of the body, `type/subtype` without parameters; `None` where it is not told.
    pub fn content_type(&self) -> Option<&[u8]> {
        let value = self.header(Name::ContentType)?;
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        Some(scan::trim_end(&value[..end]))
    }

    /// Whether the list `name` (Supported, Require, Allow, …) holds `token`, case not counting.
    pub fn lists(&self, name: Name, token: &str) -> bool {
        self.values(name).any(|value| value.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Call-ID as bytes that share the buffer.
    pub fn call_id_bytes(&self) -> Option<Bytes> {
        self.header_bytes(Name::CallId)
    }
}

fn bad(name: Name) -> impl Fn(&'static str) -> HeaderError {
    move |why| HeaderError::Bad { name, why }
}
