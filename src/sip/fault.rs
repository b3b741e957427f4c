//! What is wrong with a message, and what it earns.

use super::message::Message;
use super::name::Name;

/// Why a request is refused, and with which status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Status of the answer, 400–699.
    pub status: u16,
    /// What is wrong, in a few words; fit for a reason phrase.
    pub why: &'static str,
}

impl Fault {
    /// 400 for this reason (RFC 3261 §21.4.1).
    pub const fn bad_request(why: &'static str) -> Fault {
        Fault { status: 400, why }
    }
}

/// Why bytes did not become a message.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ParseError {
    /// Not SIP, a keep-alive, or a response that nobody can use: it earns silence.
    #[error("ignored: {why}")]
    Ignored {
        /// What is wrong.
        why: &'static str,
    },
    /// A request that earns a refusal: version (505), framing or start line (400), size (513).
    #[error("{} {}", fault.status, fault.why)]
    Refused {
        /// As much as could be read; enough to build the answer from, if its Via is there.
        message: Message,
        /// What to answer.
        fault: Fault,
    },
}

/// Why a header could not be read. For a request this is a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not there.
    #[error("no {} header", name.as_str())]
    Missing {
        /// Which one.
        name: Name,
    },
    /// It is there but does not follow its grammar.
    #[error("{}: {why}", name.as_str())]
    Bad {
        /// Which one.
        name: Name,
        /// What is wrong.
        why: &'static str,
    },
}

impl From<HeaderError> for Fault {
    fn from(error: HeaderError) -> Fault {
        Fault::bad_request(match error {
            HeaderError::Missing { name } => match name {
                Name::Via => "Missing Via",
                Name::From => "Missing From",
                Name::To => "Missing To",
                Name::CallId => "Missing Call-ID",
                Name::CSeq => "Missing CSeq",
                _ => "Missing Header",
            },
            HeaderError::Bad { name, .. } => match name {
                Name::Via => "Bad Via",
                Name::From => "Bad From",
                Name::To => "Bad To",
                Name::CallId => "Bad Call-ID",
                Name::CSeq => "Bad CSeq",
                Name::Contact => "Bad Contact",
                Name::MaxForwards => "Bad Max-Forwards",
                Name::ContentLength => "Bad Content-Length",
                Name::Route | Name::RecordRoute => "Bad Route",
                _ => "Bad Header",
            },
        })
    }
}
