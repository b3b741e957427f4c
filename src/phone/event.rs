//! What a phone hands out: datagrams to send, and what its user would notice.

use std::net::SocketAddr;

use super::g711::Codec;

/// One thing to do for the owner of a phone.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A SIP datagram, from the SIP address.
    Sip {
        /// Destination.
        to: SocketAddr,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// An RTP packet, from the RTP address.
    Rtp {
        /// Destination.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// An RTCP packet, from the port above the RTP address.
    Rtcp {
        /// Destination.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Something for the user.
    Event(PhoneEvent),
}

/// Who brought something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This phone, by order or by its manners.
    Us,
    /// The other side.
    Them,
    /// Nobody: an answer did not come in time.
    Timeout,
}

/// What both sides agreed on for the sound of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Where the other side wants RTP.
    pub rtp: SocketAddr,
    /// What is to be sent: payload type and codec.
    pub codec: (u8, Codec),
    /// The payload type of telephone events (RFC 4733), where both sides know them.
    pub event: Option<u8>,
    /// Neither side keeps us from sending.
    pub open: bool,
}

/// What the user of a phone notices.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneEvent {
    /// The registrar took us in.
    Registered {
        /// Granted life, seconds.
        expires_s: u32,
    },
    /// The registrar let us go, as we asked.
    Unregistered,
    /// The registrar refused us.
    RegisterFailed {
        /// Its status; `None` where it did not answer.
        status: Option<u16>,
    },
    /// A provisional answer to our call, 100 included.
    Ringing {
        /// 100 to 199.
        status: u16,
        /// The answer described early media.
        early_media: bool,
    },
    /// The call stands, whoever called.
    Answered,
    /// The sound was agreed, or agreed anew: told where the phone's owner moves it
    /// ([`PhoneConfig::sound_elsewhere`](super::PhoneConfig::sound_elsewhere)).
    SoundAgreed(Agreed),
    /// Our call was refused by the other side.
    Refused {
        /// 300 to 699.
        status: u16,
        /// `Retry-After`, seconds.
        retry_after_s: Option<u32>,
    },
    /// Someone calls us.
    IncomingCall {
        /// The From header.
        from: String,
        /// The To header.
        to: String,
        /// All headers that SIP itself does not need, in order, and the Request-URI as `:uri`.
        headers: Vec<(String, String)>,
    },
    /// A call is over: one that stood, one that rang here, or one we took back.
    Ended {
        /// Who ended it.
        by: Side,
        /// The SIP status that fits, from a `Reason` header or a final answer.
        status: Option<u16>,
    },
    /// The other side answered our BYE; `None` where it did not.
    HangUpAnswered {
        /// Its status.
        status: Option<u16>,
    },
    /// Our own re-INVITE was answered.
    Renegotiated {
        /// Its status; `None` where it was not answered.
        status: Option<u16>,
    },
    /// The other side changed the direction of the sound.
    HeldByThem {
        /// They no longer want to hear us.
        on: bool,
    },
    /// Our REFER was answered, or reported on by NOTIFY.
    Transfer {
        /// Status of the answer or of the call reported on; `None` where nothing came.
        status: Option<u16>,
    },
    /// The other side pressed a key (RFC 4733), once per press.
    DigitHeard(char),
    /// A sound that is not repeated was sent to its end.
    SoundPlayed,
}
