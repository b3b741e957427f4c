//! What reading a message costs in memory: an allocator that counts.

#[path = "counting/mod.rs"]
mod counting;

use bytes::Bytes;
use hotline::sip::framing::{Frame, Framer, Limits};
use hotline::sip::{Message, Name};

use counting::counted;

/// An INVITE with a description, of about 900 bytes, with `more` lines in its head.
fn invite(more: &str) -> Vec<u8> {
    let sdp = "v=0\r\no=- 20518 20518 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
        m=audio 40376 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    let length = sdp.len();
    format!(
        "INVITE sip:12345@198.51.100.20:5060 SIP/2.0\r\n\
         Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK-524287-1---3f0c1a9b2d5e7a44;rport\r\n\
         Max-Forwards: 70\r\nContact: <sip:03935550101@192.0.2.10:5060;transport=tcp>\r\n\
         To: <sip:12345@198.51.100.20>\r\n\
         From: \"0393-5550101\" <sip:03935550101@192.0.2.10>;tag=a6c85cf8\r\n\
         Call-ID: 84b2f0c1-90cf-4d3b-a2f8-1b8e0d7c5a31@192.0.2.10\r\nCSeq: 102 INVITE\r\n\
         Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO, UPDATE\r\n\
         Supported: replaces, timer, 100rel\r\nUser-Agent: carrier-gateway/7.2\r\n\
         P-Asserted-Identity: <sip:03935550101@192.0.2.10;user=phone>\r\n{more}\
         Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}"
    )
    .into_bytes()
}

/// Looks at what every transaction and dialog looks at.
fn look(message: &Message) {
    assert_eq!(message.check(), Ok(()));
    assert!(message.via().is_ok() && message.from().is_ok() && message.to().is_ok());
    assert!(message.cseq().is_ok() && message.contact().is_ok() && message.call_id().is_some());
    assert!(message.lists(Name::Supported, "100rel"));
    assert!(message.body().starts_with(b"v=0"));
}

/// A piece of a buffer that is shared already: sharing it once more allocates nothing.
fn shared(bytes: Vec<u8>) -> Bytes {
    let bytes = Bytes::from(bytes);
    let _ = bytes.clone();
    bytes
}

#[test]
fn an_invite_is_read_in_one_allocation() {
    let bytes = shared(invite(""));
    assert!((850..950).contains(&bytes.len()), "{}", bytes.len());
    let (message, cost) = counted(|| Message::parse(bytes.clone()).unwrap());
    assert_eq!(cost, 1, "the index");
    // The list of contacts is a list.
    assert_eq!(counted(|| look(&message)).1, 1);
}

#[test]
fn many_lines_and_a_fold_cost_one_allocation_each() {
    let lines = shared(invite(&"X-More: and more\r\n".repeat(30)));
    assert_eq!(counted(|| Message::parse(lines.clone()).unwrap()).1, 2);
    let folded = shared(invite("Subject: in\r\n two\r\n"));
    let (message, cost) = counted(|| Message::parse(folded.clone()).unwrap());
    // The copy, and the sharing of it.
    assert_eq!(cost, 3);
    look(&message);
}

#[test]
fn a_message_out_of_a_stream_is_copied_once_and_the_stream_keeps_its_buffer() {
    let bytes = invite("");
    let mut framer = Framer::new(Limits::default());
    for round in 0..4 {
        let ((), pushed) = counted(|| bytes.chunks(200).for_each(|part| framer.push(part)));
        let (frame, framed) = counted(|| framer.next());
        assert!(matches!(frame, Some(Frame::Message(message)) if message == bytes));
        assert_eq!(framed, 1);
        assert!(round == 0 || pushed == 0, "round {round} allocated {pushed} times");
        assert_eq!(counted(|| framer.next()), (None, 0));
    }
}
