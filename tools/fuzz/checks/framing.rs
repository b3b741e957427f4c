//! One stream: it comes apart the same wherever it is cut, nothing in it is lost or made up, and
//! what comes out can be read. The first byte of the input says how it is cut.

use bytes::Bytes;
use hotline::sip::framing::{Frame, Framer, HEAD_MAX, Limits};
use hotline::sip::message::MESSAGE_MAX;
use hotline::sip::{Message, ParseError};

pub fn check(data: &[u8]) {
    let Some((&how, stream)) = data.split_first() else { return };
    let whole = frames(stream, stream.len().max(1), how);
    assert_eq!(frames(stream, usize::from(how % 64) + 1, how), whole);
    account_for(stream, &whole);
    for (place, frame) in whole.iter().enumerate() {
        match frame {
            Frame::Message(bytes) => sound(bytes),
            Frame::Broken(broken) => {
                assert_eq!(place + 1, whole.len(), "nothing follows");
                assert!(broken.head.len() <= HEAD_MAX);
                assert!(matches!(broken.fault.status, 400 | 513));
                assert!(broken.request().is_none_or(|request| request.is_request()));
            }
            Frame::Ping | Frame::Pong => {}
        }
    }
}

fn frames(stream: &[u8], step: usize, how: u8) -> Vec<Frame> {
    let mut framer = Framer::new(Limits::default());
    if how >= 128 {
        framer.pinged();
    }
    let mut out = Vec::new();
    for part in stream.chunks(step) {
        framer.push(part);
        out.extend(framer.by_ref());
        assert!(!(framer.is_broken() && framer.begun()));
    }
    out
}

/// Messages and what is between them are the stream, from its first byte on.
fn account_for(stream: &[u8], frames: &[Frame]) {
    let mut rest = stream;
    for frame in frames {
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        match frame {
            Frame::Message(bytes) => {
                rest = rest[ends..].strip_prefix(&bytes[..]).expect("messages come whole and in order");
            }
            Frame::Ping | Frame::Pong => assert!(ends > 0, "somebody pinged"),
            Frame::Broken(broken) => assert!(rest[ends..].starts_with(&broken.head)),
        }
    }
}

/// What was framed by its length has the body that the length tells.
fn sound(bytes: &Bytes) {
    assert!(bytes.len() <= MESSAGE_MAX);
    match Message::parse(bytes.clone()) {
        Ok(message) => {
            assert_eq!(message.raw(), bytes);
            let told = message.content_length().expect("it was framed").expect("it was framed");
            assert_eq!(message.body().len(), told as usize);
        }
        Err(ParseError::Refused { fault, .. }) => {
            assert!(!fault.why.contains("Content-Length") && !fault.why.contains("No End"), "{}", fault.why);
        }
        Err(ParseError::Ignored { .. }) => {}
    }
}
