//! Streams cut in every way, and streams that nobody can follow.

use super::*;
use proptest::prelude::*;

const BYE: &str = "BYE sip:a@h SIP/2.0\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n";

fn frames(text: impl AsRef<[u8]>) -> Vec<Frame> {
    let mut framer = Framer::new(Limits::default());
    framer.push(text.as_ref());
    framer.by_ref().collect()
}

fn message(text: impl AsRef<[u8]>) -> Frame {
    Frame::Message(Bytes::copy_from_slice(text.as_ref()))
}

/// Status and reason of the only frame, which breaks the stream.
fn fault(text: impl AsRef<[u8]>) -> Fault {
    match &frames(text)[..] {
        [Frame::Broken(broken)] => broken.fault,
        other => panic!("wanted a broken stream, got {other:?}"),
    }
}

fn cut(text: &[u8], step: usize) -> Vec<Frame> {
    let mut framer = Framer::new(Limits::default());
    let mut out = Vec::new();
    for part in text.chunks(step) {
        framer.push(part);
        out.extend(framer.by_ref());
    }
    out
}

#[test]
fn the_length_is_found_however_it_is_written() {
    for length in [
        "Content-Length: 3",
        "content-LENGTH:3",
        "Content-Length  \t:  3  ",
        "l: 3",
        "L :003",
        "Content-Length:\r\n 3",
        "Content-Length:\r\n \r\n\t3 \r\n ",
        "l: 3\r\nContent-Length: 03",
        "Content-Lengths: 9\r\nX-Content-Length: 9\r\nl: 3",
        "X: a\r\n l: 9\r\nl: 3",
        "call-id: l: 9\r\nl: 3",
    ] {
        let one = format!("MESSAGE sip:a@h SIP/2.0\r\n{length}\r\nTo: x\r\n\r\nabc");
        assert_eq!(frames(format!("{one}{BYE}")), [message(&one), message(BYE)], "{length}");
        let sloppy = one.replace("\r\n", "\n");
        assert_eq!(frames(format!("{sloppy}{BYE}")), [message(&sloppy), message(BYE)], "{length}");
    }
}

#[test]
fn every_cut_gives_the_same_frames() {
    let ok = "SIP/2.0 200 OK\r\nl :\r\n 4\r\n\r\n\r\n\r\n";
    let text = format!("\r\n\r\n\r\n{BYE}{ok}\r\n{BYE}\r\n\r\n\r\n\r\n{ok}");
    let wanted =
        [Frame::Ping, message(BYE), message(ok), message(BYE), Frame::Ping, Frame::Ping, message(ok)];
    for step in 1..=text.len() {
        assert_eq!(cut(text.as_bytes(), step), wanted, "{step} bytes at a time");
    }
}

#[test]
fn a_stream_that_nobody_can_follow_is_broken_for_good() {
    let with = |lines: &str| format!("INVITE sip:a@h SIP/2.0\r\nCall-ID: x\r\n{lines}\r\nabc");
    for (text, status, why) in [
        (with(""), 400, "Missing Content-Length"),
        (with("Content-Length 3\r\n"), 400, "Missing Content-Length"),
        (with("Content\u{b}-Length: 3\r\n"), 400, "Missing Content-Length"),
        (with("l:\r\n"), 400, "Bad Content-Length"),
        (with("l: -3\r\n"), 400, "Bad Content-Length"),
        (with("l: 3, 3\r\n"), 400, "Bad Content-Length"),
        (with("l: 3\r\n 3\r\n"), 400, "Bad Content-Length"),
        (with("l: 0x3\r\n"), 400, "Bad Content-Length"),
        (with("l: 3\r\nContent-Length: 4\r\n"), 400, "Content-Length Contradicts Itself"),
        (with("l: 65536\r\n"), 513, "Message Too Large"),
        (with("l: 18446744073709551615\r\n"), 513, "Message Too Large"),
        (with("l: 99999999999999999999999999\r\n"), 513, "Message Too Large"),
    ] {
        let mut framer = Framer::new(Limits::default());
        framer.push(BYE.as_bytes());
        framer.push(text.as_bytes());
        assert_eq!(framer.next(), Some(message(BYE)));
        let Some(Frame::Broken(broken)) = framer.next() else { panic!("{text}") };
        assert_eq!(broken.fault, Fault { status, why }, "{text}");
        let request = broken.request().expect("an INVITE");
        assert_eq!(request.call_id(), Some(&b"x"[..]), "{text}");
        framer.push(BYE.as_bytes());
        assert_eq!((framer.next(), framer.is_broken(), framer.begun()), (None, true, false));
    }
    let response = with("").replace("INVITE sip:a@h SIP/2.0", "SIP/2.0 200 OK");
    let [Frame::Broken(broken)] = &frames(response)[..] else { panic!("a response without a length") };
    assert!(broken.request().is_none(), "nobody answers a response");
}

#[test]
fn what_is_not_sip_is_known_by_its_first_line() {
    for text in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"GET / HTTP/1.1\r\n",
        b"\0\0",
        b" INVITE sip:a@h SIP/2.0\r\n",
        b"\rINVITE",
        b"SSH-2.0-x\r\n",
    ] {
        assert_eq!(fault(text), NOT_SIP, "{text:?}");
    }
    // Another version is answered with 505, and its end is known.
    let odd = BYE.replace("SIP/2.0", "SIP/7.0");
    assert_eq!(frames(format!("{odd}{BYE}")), [message(&odd), message(BYE)]);
}

#[test]
fn bounds_hold_to_the_byte() {
    let front = "INVITE sip:a@h SIP/2.0\r\nCall-ID: x\r\n";
    let head = |len: usize| {
        let rest = "X: \r\nl: 0\r\n\r\n";
        format!("{front}X: {}\r\nl: 0\r\n\r\n", "a".repeat(len - front.len() - rest.len()))
    };
    assert_eq!(frames(head(HEAD_MAX)), [message(head(HEAD_MAX))]);
    for step in [1, 1000, HEAD_MAX, 2 * HEAD_MAX] {
        let frames = cut(head(HEAD_MAX + 1).as_bytes(), step);
        let [Frame::Broken(broken)] = &frames[..] else { panic!("{frames:?}") };
        assert_eq!((broken.fault, broken.head.len()), (HEAD_TOO_LARGE, HEAD_MAX));
        assert_eq!(broken.request().and_then(|request| request.call_id_bytes()), Some("x".into()));
    }

    let whole = |len: usize| {
        let rest = len - front.len() - "l: 65000\r\n\r\n".len();
        format!("{front}l: {rest}\r\n\r\n{}", "b".repeat(rest))
    };
    assert_eq!(frames(whole(MESSAGE_MAX)), [message(whole(MESSAGE_MAX))]);
    assert_eq!(fault(whole(MESSAGE_MAX + 1)), TOO_LARGE);
}

#[test]
fn an_owner_that_does_not_drain_fills_no_memory() {
    let mut framer = Framer::new(Limits::default());
    let many = BYE.repeat(1000);
    for _ in 0..100 {
        framer.push(many.as_bytes());
    }
    assert!(framer.buffer.len() <= UNREAD_MAX);
    let frames: Vec<Frame> = framer.by_ref().collect();
    let (last, whole) = frames.split_last().unwrap();
    assert!(whole.len() >= 1000 && whole.iter().all(|frame| *frame == message(BYE)));
    assert!(matches!(last, Frame::Broken(broken) if broken.fault == TOO_LARGE));
}

#[test]
fn an_idle_connection_gives_its_memory_back() {
    let mut framer = Framer::new(Limits::default());
    framer.push(BYE.repeat(1000).as_bytes());
    assert_eq!(framer.by_ref().count(), 1000);
    assert!(framer.buffer.capacity() <= KEPT_MAX);
}

#[test]
fn a_message_has_begun_from_its_first_byte_to_its_last() {
    let mut framer = Framer::new(Limits::default());
    let text = BYE.replace(": 0", ": 2") + "ab";
    for (index, byte) in format!("\r\n\r\n{text}").bytes().enumerate() {
        framer.push(&[byte]);
        let last = framer.by_ref().last();
        assert_eq!(framer.begun(), (4..4 + text.len() - 1).contains(&index), "{index}");
        assert_eq!(last.is_some(), index == 3 || index == 3 + text.len());
    }
}

#[test]
fn a_lone_crlf_is_a_pong_where_one_is_due_and_two_are_a_ping() {
    let mut framer = Framer::new(Limits::default());
    framer.push(b"\r\n");
    assert_eq!(framer.next(), None);
    framer.push(BYE.as_bytes());
    assert_eq!(framer.next(), Some(message(BYE)));
    // The blank line before the message was half of no ping.
    framer.push(b"\r\n");
    assert_eq!(framer.next(), None);
    framer.push(b"\r\n");
    assert_eq!(framer.next(), Some(Frame::Ping));

    framer.pinged();
    framer.push(b"\r");
    assert_eq!(framer.next(), None);
    framer.push(b"\n");
    assert_eq!(framer.next(), Some(Frame::Pong));
    // Their ping crosses ours: one of each, in whatever order they are told.
    framer.pinged();
    framer.push(b"\r\n\r\n\r\n");
    assert_eq!(framer.by_ref().collect::<Vec<_>>(), [Frame::Pong, Frame::Ping]);
}

fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "To: <sip:b@h>\r\n",
        "X: folded\r\n more\r\n",
        "c: text/plain\r\n",
        "Contact: <sip:l@h>\r\n",
        "L-Other: 5\r\n",
    ]);
    let length = prop::sample::select(vec!["Content-Length: ", "l:", "CONTENT-LENGTH \t: ", "L :\r\n\t"]);
    let lines = prop::collection::vec(line, 0..4);
    let body = prop::collection::vec(prop::sample::select(b"\r\nl: 9aINVTE".to_vec()), 0..40);
    (any::<bool>(), any::<bool>(), length, lines.clone(), lines, body).prop_map(
        |(request, sloppy, length, before, after, body)| {
            let start = if request { "INVITE sip:a@h SIP/2.0\r\n" } else { "SIP/2.0 180 \r\n" };
            let size = body.len();
            let mut head = format!("{start}{}{length}{size} \r\n{}\r\n", before.concat(), after.concat());
            if sloppy {
                head = head.replace("\r\n", "\n");
            }
            let mut message = head.into_bytes();
            message.extend_from_slice(&body);
            message
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_row_of_messages_comes_out_the_same_however_it_is_cut(
        messages in prop::collection::vec((any_message(), 0usize..4), 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let (mut stream, mut wanted) = (Vec::new(), Vec::new());
        for (text, blanks) in &messages {
            stream.extend_from_slice("\r\n".repeat(*blanks).as_bytes());
            wanted.extend(std::iter::repeat_n(Frame::Ping, blanks / 2));
            stream.extend_from_slice(text);
            wanted.push(message(text));
            prop_assert!(Message::parse(Bytes::from(text.clone())).is_ok());
        }
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        let mut framer = Framer::new(Limits::default());
        let mut found = Vec::new();
        for pair in places.windows(2) {
            framer.push(&stream[pair[0]..pair[1]]);
            found.extend(framer.by_ref());
        }
        prop_assert_eq!(found, wanted);
        prop_assert!(!framer.begun());
    }

    #[test]
    fn any_bytes_come_out_the_same_however_they_are_cut(
        mut stream in prop::collection::vec(any_message(), 1..4).prop_map(|parts| parts.concat()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        step in 1usize..40,
    ) {
        for (place, with) in damage {
            let place = place.index(stream.len());
            stream[place] = with;
        }
        prop_assert_eq!(cut(&stream, step), frames(&stream));
    }
}
