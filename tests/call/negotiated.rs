//! Descriptions in the life of a call: re-offers, wrong answers, early ones of a call that forked.

use std::sync::Arc;

use hotline::call::{Command, Input};
use hotline::media::Order;
use hotline::media::order::{Codec, LegConfig};
use hotline::sip::sdp::Sdp;

use super::caller::{Caller, Dialling, sdp};

/// A description as a telephone at this address writes it, with further lines.
fn described(owner: &str, version: u64, port: u16, formats: &str, lines: &[&str]) -> Arc<Sdp> {
    let head = format!("v=0\r\no=- 9 {version} IN IP4 {owner}\r\ns=-\r\nc=IN IP4 {owner}\r\nt=0 0\r\n");
    let text = format!("{head}m=audio {port} RTP/AVP {formats}\r\n{}\r\n", lines.join("\r\n"));
    Arc::new(Sdp::parse(text.as_bytes()).expect("a description"))
}

fn plain(owner: &str, port: u16) -> Arc<Sdp> {
    described(owner, 1, port, "8", &[])
}

/// What the media engine was last told of a leg.
fn sound_of(caller: &Caller, leg: u16) -> &LegConfig {
    let told = caller.all.iter().rev().find_map(|command| match command {
        Command::Sound(Order::Open { leg: id, config } | Order::Change { leg: id, config }) => {
            (id.index == leg).then_some(config)
        }
        _ => None,
    });
    told.expect("the leg has sound")
}

/// The last description that we sent in answer to a re-INVITE.
fn last_answer(caller: &Caller) -> &Sdp {
    let last = caller.all.iter().rev().find_map(|command| match command {
        Command::AnswerOffer { sdp, .. } => Some(sdp),
        _ => None,
    });
    last.expect("a re-INVITE was answered")
}

#[test]
fn a_codec_that_changes_in_mid_call_changes_the_sound_of_that_leg_only_and_back() {
    let mut caller = Caller::talking("12345");
    for (formats, codec) in [("0", Codec::Pcmu), ("8", Codec::Pcma), ("0", Codec::Pcmu)] {
        let offer = described("192.0.2.9", 2, 5_002, formats, &[]);
        assert_eq!(caller.reinvites(1, Some(offer)), ["200 to re-INVITE of 1", "change 1"]);
        assert_eq!((sound_of(&caller, 1).codec, sound_of(&caller, 0).codec), (codec, Codec::Pcma));
        assert_eq!(last_answer(&caller).media[0].formats, [formats]);
    }
    let both = described("192.0.2.9", 3, 5_002, "8 0", &[]);
    assert_eq!(caller.reinvites(1, Some(both)), ["200 to re-INVITE of 1"], "what is spoken is kept");
}

#[test]
fn numbers_that_change_in_mid_call_are_followed() {
    let mut caller = Caller::talking("12345");
    let maps = ["a=rtpmap:97 PCMA/8000", "a=rtpmap:99 telephone-event/8000"];
    caller.reinvites(0, Some(described("192.0.2.9", 2, 4_000, "97 99", &maps)));
    let sound = sound_of(&caller, 0);
    assert_eq!((sound.payload_type, sound.payload_type_in, sound.dtmf), (97, 97, Some((99, 99))));
}

/// RFC 3264 §8: the version of our description grows by one where it differs, and only there.
#[test]
fn our_own_version_counts_our_changes() {
    let mut caller = Caller::talking("12345");
    let mut version = |offer| {
        caller.reinvites(0, Some(offer));
        last_answer(&caller).origin.1
    };
    let first = version(sdp(4_000, None));
    assert_eq!(version(sdp(4_000, None)), first, "as it was");
    assert_eq!(version(sdp(4_002, None)), first, "their port is not ours");
    assert_eq!(version(described("192.0.2.9", 1, 4_002, "0", &[])), first + 1);
    assert_eq!(version(described("192.0.2.9", 1, 4_002, "0", &["a=sendonly"])), first + 2);
    assert_eq!(version(described("192.0.2.9", 1, 4_002, "0", &["a=sendonly"])), first + 2);
}

/// RFC 3264 §8: a stream that was once there keeps its place in all that follows.
#[test]
fn an_offer_that_is_asked_for_keeps_the_streams_of_the_session() {
    let video = ["a=rtpmap:99 H264/90000", "m=video 4002 RTP/AVP 99"];
    let offer = described("192.0.2.9", 1, 4_000, "97 8", &video);
    let mut caller = Dialling { offer: Some(offer), ..Dialling::to("12345") }.go().waits_its_turn();
    assert_eq!(caller.reinvites(0, None), ["200 to re-INVITE of 0"]);
    let ours = last_answer(&caller);
    let streams: Vec<_> = ours.media.iter().map(|media| (media.kind.as_str(), media.port != 0)).collect();
    assert_eq!(streams, [("audio", true), ("video", false)]);
    let leg = caller.leg(0);
    let fewer = caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_000, None)) });
    assert!(fewer.contains(&"hang up 0".to_owned()), "an answer with fewer streams is none: {fewer:?}");
}

/// What the caller wants is what the clerk is offered: then packets can be relayed.
#[test]
fn the_clerk_is_offered_the_callers_codec_and_packet_time() {
    let offer = described("192.0.2.9", 1, 4_000, "0", &["a=ptime:30"]);
    let mut caller = Dialling { offer: Some(offer), ..Dialling::to("12345") }.go().waits_its_turn();
    caller.rings("1001");
    let invited = caller.all.iter().rev().find_map(|command| match command {
        Command::Invite { offer, .. } => Some(offer),
        _ => None,
    });
    let audio = &invited.expect("the seat is invited").media[0];
    assert_eq!((audio.ptime, audio.formats[0].as_str()), (Some(30), "0"));
    assert_eq!(sound_of(&caller, 0).packet_ms, 30);
}

/// RFC 3264 §6: BYE to whoever gives an answer that is none (RFC 3261 §13.2.2.4), and the next seat.
#[test]
fn a_seat_whose_answer_is_wrong_is_hung_up_on_and_the_caller_waits_on() {
    let wrong = [
        ("a codec that we did not offer", described("192.0.2.9", 1, 5_000, "18", &[])),
        ("one stream more", described("192.0.2.9", 1, 5_000, "8", &["m=video 0 RTP/AVP 31"])),
        ("refused", described("192.0.2.9", 1, 0, "8", &[])),
        ("no stream", Arc::new(Sdp::parse(b"v=0\r\nc=IN IP4 192.0.2.9\r\n").unwrap())),
        ("no address", Arc::new(Sdp::parse(b"v=0\r\nm=audio 5000 RTP/AVP 8\r\n").unwrap())),
    ];
    for (what, answer) in wrong {
        let mut caller = Caller::ringing("12345");
        let leg = caller.leg(1);
        let said = caller.tell(Input::Answered { leg, sdp: Some(answer) });
        assert_eq!(said, ["hang up 1", "free port 11", "seat 1001 did not take it: 488"], "{what}");
        assert_eq!(caller.call.state(), "waiting", "{what}");
    }
    let mut caller = Caller::ringing("12345");
    let leg = caller.leg(1);
    let said = caller.tell(Input::Answered { leg, sdp: None });
    assert_eq!(said.last().map(String::as_str), Some("seat 1001 did not take it: 488"), "no description");
}

/// RFC 3262 §5: the answer was in a reliable provisional response, the 2xx has none.
#[test]
fn an_answer_that_came_with_the_ringing_counts_where_the_final_one_has_none() {
    let mut caller = Caller::ringing("12345");
    let leg = caller.leg(1);
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: Some(plain("192.0.2.9", 5_000)) }), [""; 0]);
    let said = caller.tell(Input::Answered { leg, sdp: None });
    assert_eq!(said[..2], ["open 1", "seat 1001 answered"]);
    assert_eq!(sound_of(&caller, 1).remote, "192.0.2.9:5000".parse().unwrap());
}

fn dialling() -> Caller {
    let mut caller = Dialling::to("12366").go();
    caller.recorded();
    caller
}

fn progresses(caller: &mut Caller, sdp: Arc<Sdp>) -> Vec<String> {
    let leg = caller.leg(1);
    caller.tell(Input::Progressed { leg, sdp: Some(sdp) }).to_vec()
}

fn answers(caller: &mut Caller, sdp: Option<Arc<Sdp>>) -> Vec<String> {
    let leg = caller.leg(1);
    caller.tell(Input::Answered { leg, sdp }).to_vec()
}

/// RFC 3261 §13.2.2.4: each branch of a fork has an early dialog of its own.
#[test]
fn of_a_call_that_forked_the_newest_telephone_is_heard_until_one_answers() {
    let [a, b] = ["192.0.2.31", "192.0.2.32"];
    let mut caller = dialling();
    let opened = ["open 1", "183 with sound", "open 0", "bridge 0 and 1"];
    assert_eq!(progresses(&mut caller, plain(a, 5_000)), opened);
    assert_eq!(progresses(&mut caller, plain(a, 5_000)), [""; 0], "the same again");
    assert_eq!(progresses(&mut caller, plain(b, 5_000)), ["change 1"]);
    assert!(sound_of(&caller, 1).new_peer, "what the first one sends is heard no more");
    assert_eq!(progresses(&mut caller, plain(a, 5_000)), [""; 0], "the older one repeats itself");
    assert_eq!(sound_of(&caller, 1).remote, "192.0.2.32:5000".parse().unwrap());
    let said = answers(&mut caller, Some(plain(a, 5_000)));
    assert_eq!(said[0], "change 1", "the first one wins after all");
    let sound = sound_of(&caller, 1);
    assert_eq!((sound.remote.to_string().as_str(), sound.new_peer), ("192.0.2.31:5000", true));
    // From here on an address that moves is the same telephone's.
    caller.reinvites(1, Some(plain(a, 5_010)));
    assert!(!sound_of(&caller, 1).new_peer);
}

/// RFC 3261 §13.2.1, RFC 6337 §3.1: the description of an unreliable response is a foretaste.
#[test]
fn the_final_answer_counts_whatever_was_said_before() {
    let early = plain("192.0.2.31", 5_000);
    let mut caller = dialling();
    progresses(&mut caller, early.clone());
    answers(&mut caller, Some(early.clone()));
    assert!(!sound_of(&caller, 1).new_peer, "the same");
    assert_eq!(sound_of(&caller, 1).remote, "192.0.2.31:5000".parse().unwrap());

    let mut caller = dialling();
    progresses(&mut caller, early.clone());
    answers(&mut caller, Some(described("192.0.2.31", 2, 6_000, "0", &[])));
    let sound = sound_of(&caller, 1);
    assert_eq!((sound.remote.port(), sound.codec), (6_000, Codec::Pcmu), "another");

    let mut caller = dialling();
    progresses(&mut caller, early.clone());
    assert!(answers(&mut caller, None).contains(&"told answered by 12366".to_owned()), "none");

    let mut caller = dialling();
    progresses(&mut caller, early);
    let said = answers(&mut caller, Some(described("192.0.2.31", 2, 6_000, "18", &[])));
    assert_eq!(said[..3], ["hang up 1", "close 1", "told failed 12366: 488"], "a wrong one");

    let mut caller = dialling();
    assert_eq!(progresses(&mut caller, described("192.0.2.31", 1, 5_000, "18", &[])), [""; 0]);
    assert_eq!(
        answers(&mut caller, Some(plain("192.0.2.31", 5_000)))[0],
        "open 1",
        "early nonsense is no harm"
    );
}

/// A caller who says `a=inactive` from the first is let in, and heard when it says otherwise.
#[test]
fn a_caller_without_sound_either_way_is_let_in_and_may_resume() {
    let offer = described("192.0.2.9", 1, 4_000, "8", &["a=inactive"]);
    let mut caller = Dialling { offer: Some(offer), ..Dialling::to("12345") }.go().waits_its_turn();
    assert!(caller.all.iter().any(|command| matches!(command, Command::Answer { .. })));
    let resumed = ["200 to re-INVITE of 0", "change 0"];
    assert_eq!(caller.reinvites(0, Some(described("192.0.2.9", 2, 4_000, "8", &[]))), resumed);
}
