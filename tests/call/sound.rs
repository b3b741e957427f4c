//! What the two sides of a call speak: the operator's codecs, sound that is passed on, and encryption.

use std::sync::Arc;

use hotline::call::negotiate::{Codecs, KeySeed, Terms};
use hotline::call::{Command, Input, Unwilling, Wish};
use hotline::id::Dice;
use hotline::media::Order;
use hotline::media::order::{Codec, LegConfig, Srtp};
use hotline::routing::Plan;
use hotline::routing::sound::{CodecName, SrtpPolicy};
use hotline::sip::sdes::Crypto;
use hotline::sip::sdp::Sdp;

use super::caller::{Caller, Dialling, sdp};

const KEY: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const OTHER_KEY: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";

fn describes(owner: &str, port: u16, media: &str, lines: &[&str]) -> Arc<Sdp> {
    let head = format!("v=0\r\no=- 9 1 IN IP4 {owner}\r\ns=-\r\nc=IN IP4 {owner}\r\nt=0 0\r\n");
    let text = format!("{head}m=audio {port} {media}\r\n{}\r\n", lines.join("\r\n"));
    Arc::new(Sdp::parse(text.as_bytes()).expect("a description"))
}

fn terms(codecs: &[Codec]) -> Terms {
    Terms { codecs: Codecs::of(codecs.iter().copied()), ..Terms::default() }
}

/// Dials a line, the trunk of its sub-center speaking these.
fn dials(number: &'static str, offer: Arc<Sdp>, codecs: &[Codec], far: &'static [CodecName]) -> Dialling {
    let dialling = Dialling { offer: Some(offer), terms: terms(codecs), ..Dialling::to(number) };
    dialling.with(|plan| {
        plan.trunks.get_mut("sub-12366").expect("shipped").sound.codecs = far.to_vec();
        plan.seats.get_mut("1001").expect("shipped").sound.codecs = far.to_vec();
    })
}

fn config_of(caller: &Caller, leg: u16) -> &LegConfig {
    let told = caller.all.iter().rev().find_map(|command| match command {
        Command::Sound(Order::Open { leg: id, config } | Order::Change { leg: id, config }) => {
            (id.index == leg).then_some(config)
        }
        _ => None,
    });
    told.expect("the leg has sound")
}

fn offered(caller: &Caller) -> &Sdp {
    let last = caller.all.iter().rev().find_map(|command| match command {
        Command::Invite { offer, .. } => Some(offer),
        _ => None,
    });
    last.expect("somebody was invited")
}

fn answered(caller: &Caller) -> &Sdp {
    let last = caller.all.iter().rev().find_map(|command| match command {
        Command::Answer { sdp } | Command::AnswerOffer { sdp, .. } | Command::TakeOver { sdp, .. } => {
            Some(sdp)
        }
        _ => None,
    });
    last.expect("somebody was answered")
}

fn answers(caller: &mut Caller, index: u16, sdp: Arc<Sdp>) -> Vec<String> {
    let leg = caller.leg(index);
    caller.tell(Input::Answered { leg, sdp: Some(sdp) }).to_vec()
}

const FAR: &str = "192.0.2.31";
const HERE: &str = "192.0.2.9";
const WIDE: &[CodecName] = &[CodecName::Pcma, CodecName::G722];

#[test]
fn a_caller_with_g722_speaks_it_only_where_the_operator_lists_it_and_the_clerk_is_offered_the_same() {
    let rows: [(&[Codec], &str, &[&str]); 3] = [
        (&[Codec::Pcma, Codec::Pcmu], "8", &["8", "9", "101"]),
        (&[Codec::G722, Codec::Pcma], "9", &["9", "8", "101"]),
        (&[Codec::Pcma, Codec::G722], "8", &["8", "9", "101"]),
    ];
    for (codecs, spoken, to_the_clerk) in rows {
        let offer = describes(HERE, 4_000, "RTP/AVP 9 8 0", &[]);
        let mut caller = dials("12345", offer, codecs, WIDE).go().waits_its_turn();
        assert_eq!(answered(&caller).media[0].formats, [spoken], "{codecs:?}");
        caller.rings("1001");
        assert_eq!(offered(&caller).media[0].formats, to_the_clerk, "{codecs:?}: what the caller has first");
    }
    let only = describes(HERE, 4_000, "RTP/AVP 9", &[]);
    let refused = dials("12345", only, &[Codec::Pcma], WIDE).try_go();
    assert_eq!(refused.err().as_deref(), Some("no codec in common"));
}

/// Until its answer goes out the caller may be given what the sub-center chose: then nothing is decoded.
#[test]
fn the_caller_is_answered_by_what_the_sub_center_chose() {
    let both = || describes(HERE, 4_000, "RTP/AVP 8 0", &[]);
    let mut caller =
        dials("12366", both(), &[Codec::Pcma, Codec::Pcmu], &[CodecName::Pcma, CodecName::Pcmu]).go();
    caller.recorded();
    answers(&mut caller, 1, describes(FAR, 5_000, "RTP/AVP 0", &[]));
    assert_eq!(answered(&caller).media[0].formats, ["0"]);
    assert_eq!(
        (answered(&caller).origin.1, config_of(&caller, 0).codec),
        (1, Codec::Pcmu),
        "its first version"
    );
    // Said once in a provisional answer, it stays.
    let mut caller =
        dials("12366", both(), &[Codec::Pcma, Codec::Pcmu], &[CodecName::Pcma, CodecName::Pcmu]).go();
    caller.recorded();
    let leg = caller.leg(1);
    caller.tell(Input::Progressed { leg, sdp: Some(describes(FAR, 5_000, "RTP/AVP 8", &[])) });
    answers(&mut caller, 1, describes(FAR, 5_000, "RTP/AVP 0", &[]));
    assert_eq!(answered(&caller).media[0].formats, ["8"]);
    // Where nobody answers there, it is ours as ever.
    let mut caller =
        dials("12366", both(), &[Codec::Pcma, Codec::Pcmu], &[CodecName::Pcma, CodecName::Pcmu]).go();
    caller.recorded();
    caller.refuses(1, 486);
    assert_eq!(answered(&caller).media[0].formats, ["8"]);
}

const G729: &[CodecName] = &[CodecName::Pcma, CodecName::G729];

fn unrecorded(plan: &mut Plan) {
    plan.recording.enabled = false;
}

fn with_g729(formats: &str) -> Dialling {
    let offer = describes(HERE, 4_000, &format!("RTP/AVP {formats}"), &["a=fmtp:18 annexb=no"]);
    dials("12366", offer, &[Codec::G729, Codec::Pcma], G729).with(unrecorded)
}

#[test]
fn g729_goes_through_to_a_sub_center_of_a_city_that_does_not_record() {
    let mut caller = with_g729("18 8").go();
    assert_eq!(offered(&caller).media[0].formats, ["18", "8", "101"], "as the operator has them");
    assert_eq!(offered(&caller).media[0].parameters(18), Some("annexb=no"));
    caller.recorded();
    let leg = caller.leg(1);
    let theirs = || describes(FAR, 5_000, "RTP/AVP 18", &["a=fmtp:18 annexb=no", "a=ptime:40"]);
    // Its early sound would bind the caller to what we cannot speak, should nobody answer.
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: Some(theirs()) }), ["180"]);
    let joined = answers(&mut caller, 1, theirs());
    assert_eq!(
        joined,
        ["open 1", "told answered by 12366", "200", "told answered", "open 0", "bridge 0 and 1"]
    );
    let ours = answered(&caller);
    assert_eq!(
        (ours.media[0].formats.as_slice(), ours.media[0].parameters(18)),
        (&["18".to_owned()][..], Some("annexb=no"))
    );
    for leg in [0, 1] {
        let config = config_of(&caller, leg);
        assert_eq!((config.codec, config.payload_type, config.packet_ms), (Codec::G729, 18, 40), "leg {leg}");
    }
    // From here on neither leaves it, nobody hears music, and nobody else is called.
    let away = caller.reinvites(0, Some(sdp(4_000, None))).to_vec();
    assert_eq!(away, ["488 to re-INVITE of 0: no codec in common"]);
    let held = describes(FAR, 5_000, "RTP/AVP 18", &["a=fmtp:18 annexb=no", "a=sendonly"]);
    let held = caller.reinvites(1, Some(held)).to_vec();
    assert_eq!(held, ["200 to re-INVITE of 1 recvonly", "change 1 receive only", "part 0 and 1"]);
    let wish = Wish::Consult { to: "12313".into() };
    assert_eq!(caller.wishes(wish), Err(Unwilling::PassedOn));
    let resumed = describes(FAR, 5_000, "RTP/AVP 18", &["a=fmtp:18 annexb=no"]);
    assert_eq!(caller.reinvites(1, Some(resumed)).last().unwrap(), "bridge 0 and 1");
    assert_eq!(caller.tell(Input::Watched { watched: true }), [""; 0], "and nobody is mixed in");
    let refer = Input::Referred { leg, refer: 1, target: "sip:1001@hotline.puyang".into(), attended: None };
    assert!(caller.tell(refer).contains(&"603 to REFER of 1".to_owned()), "{:?}", caller.said);
}

#[test]
fn g729_is_not_offered_where_something_has_to_be_decoded() {
    let formats = |caller: &Caller| offered(caller).media[0].formats.clone();
    let recorded = Dialling::with(with_g729("18 8"), |plan| plan.recording.enabled = true).go();
    assert_eq!(formats(&recorded), ["8", "101"], "a recorded call");
    let unoffered = with_g729("8").go();
    assert_eq!(formats(&unoffered), ["8", "101"], "a caller without it");
    let unlisted = with_g729("18 8").with(|plan| {
        plan.trunks.get_mut("sub-12366").expect("shipped").sound.codecs = vec![CodecName::Pcma];
    });
    assert_eq!(formats(&unlisted.go()), ["8", "101"], "a sub-center without it");
    let from_a_trunk_without = Dialling { terms: terms(&[Codec::Pcma]), ..with_g729("18 8") };
    assert_eq!(formats(&from_a_trunk_without.go()), ["8", "101"], "a caller's trunk without it");
    let mut to_a_clerk = Dialling { number: "12345", ..with_g729("18 8") }.go().waits_its_turn();
    to_a_clerk.rings("1001");
    assert_eq!(formats(&to_a_clerk), ["8", "101"], "a clerk: the caller has heard a greeting");
    let nothing_else = with_g729("18").try_go();
    assert_eq!(
        nothing_else.err().as_deref(),
        Some("no codec in common"),
        "somebody may have to speak to them"
    );
    let mut unanswered = with_g729("18 8").go();
    unanswered.recorded();
    assert!(unanswered.refuses(1, 486).contains(&"play 0: sub_center_unanswered".to_owned()));
    assert_eq!(
        (answered(&unanswered).media[0].formats.as_slice(), config_of(&unanswered, 0).codec),
        (&["8".to_owned()][..], Codec::Pcma)
    );
    // Annex B that was declined is not to be had: another codec, or none.
    let mut mismatch = with_g729("18 8").go();
    mismatch.recorded();
    let said = answers(&mut mismatch, 1, describes(FAR, 5_000, "RTP/AVP 18", &[]));
    assert_eq!(said[0], "hang up 1");
}

// ── Encryption ───────────────────────────────────────────────────────────────────────────────────

/// A call over TLS on both sides, under these policies of caller and callee.
fn over_tls(number: &'static str, offer: Option<Arc<Sdp>>, near: SrtpPolicy, far: SrtpPolicy) -> Dialling {
    let dialling = Dialling {
        offer,
        keys: true,
        terms: Terms { srtp: near, ..Terms::default() },
        ..Dialling::to(number)
    };
    dialling.with(|plan| {
        plan.trunks.get_mut("sub-12366").expect("shipped").sound.srtp = far;
        plan.seats.values_mut().for_each(|seat| seat.sound.srtp = far);
    })
}

fn secure(owner: &str, port: u16, lines: &[&str]) -> Arc<Sdp> {
    describes(owner, port, "RTP/SAVP 8", lines)
}

fn srtp_of(caller: &Caller, leg: u16) -> &Srtp {
    config_of(caller, leg).srtp.as_ref().expect("keys")
}

/// The key in our description is the one that we send with.
fn assert_says(said: &Sdp, srtp: &Srtp) {
    let keys: Vec<_> =
        said.media[0].crypto.iter().map(|line| Crypto::read(line).expect("ours").key_and_salt).collect();
    let (key, salt) = srtp.suite.lengths();
    assert!(keys.contains(&srtp.ours.0[..key + salt].to_vec()), "{said:?}");
}

/// An answer to the last INVITE with the line of its suite that we know the key to.
fn secured_answer(caller: &Caller, owner: &str, port: u16, key: &str) -> Arc<Sdp> {
    let ours = &offered(caller).media[0];
    let sha80 = ours.crypto.iter().filter_map(|line| Crypto::read(line).ok());
    let sha80 = sha80.into_iter().find(|read| read.suite == "AES_CM_128_HMAC_SHA1_80").expect("offered");
    let line = key.replacen(":1 ", &format!(":{} ", sha80.tag), 1);
    describes(owner, port, &format!("{} 8", ours.protocol), &[&line])
}

#[test]
fn each_leg_has_keys_of_its_own_both_ways() {
    let offer = secure(HERE, 4_000, &[KEY]);
    let mut caller =
        over_tls("12345", Some(offer), SrtpPolicy::Offered, SrtpPolicy::Required).go().waits_its_turn();
    assert_says(answered(&caller), srtp_of(&caller, 0));
    caller.rings("1001");
    assert_eq!(offered(&caller).media[0].protocol, "RTP/SAVP");
    let answer = secured_answer(&caller, FAR, 5_000, OTHER_KEY);
    answers(&mut caller, 1, answer);
    assert_says(offered(&caller), srtp_of(&caller, 1));
    let keys =
        [0, 1].map(|leg| [srtp_of(&caller, leg).ours.clone(), srtp_of(&caller, leg).theirs.clone()]).concat();
    for (n, key) in keys.iter().enumerate() {
        assert!(!keys[..n].contains(key), "key {n} is used twice");
    }
}

#[test]
fn what_has_to_be_encrypted_is_not_said_in_the_clear() {
    use SrtpPolicy::{Offered, Required};
    let plain = || Some(sdp(4_000, None));
    let refused = |dialling: Dialling| dialling.try_go().err();
    let transport = Some("no audio over a transport that we take".to_owned());
    assert_eq!(refused(over_tls("12345", plain(), Required, Offered)), transport, "a plain offer");
    let clear = |dialling: Dialling| Dialling { keys: false, ..dialling };
    let keyed = || Some(secure(HERE, 4_000, &[KEY]));
    assert_eq!(refused(clear(over_tls("12345", keyed(), Required, Offered))), transport, "keys in the clear");
    assert_eq!(refused(clear(over_tls("12345", keyed(), Offered, Offered))), transport, "keys in the clear");
    assert_eq!(refused(clear(over_tls("12345", None, Required, Offered))), transport, "a late offer");
    // A seat whose telephone signals in the clear is passed over, and nothing of a key is said.
    let mut caller = clear(over_tls("12345", plain(), Offered, Required)).go().waits_its_turn();
    let said = caller.rings("1001").to_vec();
    assert_eq!(said, ["want port 1 for seat 1001", "free port 11", "seat 1001 did not take it: 488"]);
    assert_eq!(caller.call.state(), "waiting");
    // A seat that answers in the clear all the same is hung up on.
    let mut caller = over_tls("12345", plain(), Offered, Required).go().waits_its_turn();
    caller.rings("1001");
    let said = answers(&mut caller, 1, sdp(5_000, None));
    assert_eq!(said, ["hang up 1", "free port 11", "seat 1001 did not take it: 488"]);
    // And one that may, may.
    let mut caller = over_tls("12345", plain(), Offered, Offered).go().waits_its_turn();
    caller.rings("1001");
    assert!(!offered(&caller).media[0].crypto.is_empty());
    answers(&mut caller, 1, sdp(5_000, None));
    assert_eq!(config_of(&caller, 1).srtp, None);
}

/// RFC 4568 §7.1.4.
#[test]
fn hold_resume_and_another_codec_keep_the_keys() {
    let offer = secure(HERE, 4_000, &[KEY]);
    let mut caller =
        over_tls("12345", Some(offer), SrtpPolicy::Required, SrtpPolicy::Offered).go().waits_its_turn();
    let first = srtp_of(&caller, 0).clone();
    for (media, line) in
        [("RTP/SAVP 8", "a=sendonly"), ("RTP/SAVP 8", "a=sendrecv"), ("RTP/SAVP 0", "a=sendrecv")]
    {
        let again = describes(HERE, 4_000, media, &[KEY, line]);
        caller.reinvites(0, Some(again));
        assert_eq!(srtp_of(&caller, 0), &first, "{media} {line}");
        assert_says(answered(&caller), &first);
    }
    assert_eq!(config_of(&caller, 0).codec, Codec::Pcmu);
    let downgrade = caller.reinvites(0, Some(sdp(4_000, None))).to_vec();
    assert_eq!(downgrade, ["488 to re-INVITE of 0: no audio over a transport that we take"]);
    // Their key changes, ours goes on.
    caller.reinvites(0, Some(secure(HERE, 4_000, &[OTHER_KEY])));
    let changed = srtp_of(&caller, 0);
    assert!(changed.ours == first.ours && changed.theirs != first.theirs);
    // Asked for an offer we say the same again.
    caller.reinvites(0, None);
    let ours = answered(&caller);
    assert_eq!((ours.media[0].protocol.as_str(), ours.media[0].crypto.len()), ("RTP/SAVP", 1));
    assert_says(ours, srtp_of(&caller, 0));
}

#[test]
fn of_a_call_that_forked_each_telephone_has_its_own_key() {
    let mut caller =
        over_tls("12366", Some(sdp(4_000, None)), SrtpPolicy::Offered, SrtpPolicy::Required).go();
    caller.recorded();
    let leg = caller.leg(1);
    let a = secured_answer(&caller, "192.0.2.31", 5_000, KEY);
    let b = secured_answer(&caller, "192.0.2.32", 5_000, OTHER_KEY);
    caller.tell(Input::Progressed { leg, sdp: Some(a.clone()) });
    let first = srtp_of(&caller, 1).clone();
    assert_eq!(caller.tell(Input::Progressed { leg, sdp: Some(b) }), ["change 1"]);
    let second = srtp_of(&caller, 1).clone();
    assert!(first.ours == second.ours && first.theirs != second.theirs);
    answers(&mut caller, 1, a);
    assert_eq!(srtp_of(&caller, 1), &first, "the first one wins after all");
}

#[test]
fn a_late_offer_has_keys_and_its_answer_brings_theirs() {
    let mut caller = over_tls("12345", None, SrtpPolicy::Required, SrtpPolicy::Offered).go();
    caller.recorded();
    let ours = answered(&caller).clone();
    assert_eq!(ours.media[0].protocol, "RTP/SAVP");
    let sha80 = ours.media[0].crypto.iter().filter_map(|line| Crypto::read(line).ok());
    let tag = sha80.into_iter().find(|read| read.suite == "AES_CM_128_HMAC_SHA1_80").expect("offered").tag;
    let leg = caller.leg(0);
    let line = KEY.replacen(":1 ", &format!(":{tag} "), 1);
    caller.tell(Input::Confirmed { leg, sdp: Some(secure(HERE, 4_000, &[&line])) });
    assert_says(&ours, srtp_of(&caller, 0));
    let mut caller = over_tls("12345", None, SrtpPolicy::Required, SrtpPolicy::Offered).go();
    caller.recorded();
    let leg = caller.leg(0);
    let plain = caller.tell(Input::Confirmed { leg, sdp: Some(sdp(4_000, None)) }).to_vec();
    assert!(plain.contains(&"hang up 0".to_owned()), "an answer in the clear is none: {plain:?}");
}

#[test]
fn another_telephone_that_takes_over_has_keys_of_its_own() {
    let talking = || {
        let offer = secure(HERE, 4_000, &[KEY]);
        let dialling = over_tls("12345", Some(offer), SrtpPolicy::Offered, SrtpPolicy::Offered);
        dialling.go().waits_its_turn()
    };
    let replaces = |caller: &mut Caller, offer: Option<Arc<Sdp>>, tls: bool| {
        let leg = caller.leg(0);
        let keys = tls.then(|| KeySeed::draw(&mut Dice::seeded(99)));
        let peer = "192.0.2.77".parse().unwrap();
        caller.tell(Input::Replaced { leg, offer, peer, keys }).to_vec()
    };
    let mut caller = talking();
    let first = srtp_of(&caller, 0).clone();
    replaces(&mut caller, Some(secure("192.0.2.77", 4_100, &[OTHER_KEY])), true);
    let second = srtp_of(&caller, 0).clone();
    assert!(second.ours != first.ours && second.theirs != first.theirs);
    assert_says(answered(&caller), &second);
    // Over signalling in the clear its keys are refused, and the first one goes on as it was.
    let mut caller = talking();
    let in_the_clear = replaces(&mut caller, Some(secure("192.0.2.77", 4_100, &[OTHER_KEY])), false);
    assert_eq!(in_the_clear, ["488 in place of 0"]);
    caller.reinvites(0, Some(describes(HERE, 4_000, "RTP/SAVP 8", &[KEY, "a=sendonly"])));
    assert_eq!(srtp_of(&caller, 0), &first);
    // Without an offer it gets ours: fresh keys, or none.
    let mut caller = talking();
    replaces(&mut caller, None, true);
    assert_eq!(answered(&caller).media[0].crypto.len(), 4);
    let mut caller = talking();
    replaces(&mut caller, None, false);
    let ours = answered(&caller);
    assert_eq!((ours.media[0].protocol.as_str(), ours.media[0].crypto.len()), ("RTP/AVP", 0));
}
