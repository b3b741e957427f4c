//! Every codec of the house row by row: RFC 3264 §5 to §8, RFC 3551, 4733, 4856, 7261, 7587.

use std::time::Duration;

use super::*;

const EVENTS: &str = "a=rtpmap:101 telephone-event/8000";
const EVENTS_48: &str = "a=rtpmap:102 telephone-event/48000";
const OPUS: &str = "a=rtpmap:111 opus/48000/2";

fn terms(codecs: &[Codec]) -> Terms {
    Terms { codecs: Codecs::of(codecs.iter().copied()), ..Terms::default() }
}

fn all() -> Terms {
    terms(&[Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu, Codec::L16, Codec::G729])
}

fn answer_with(lines: &[&str], taste: Taste, terms: &Terms) -> Result<(Sdp, Agreed), Disagreement> {
    super::super::answer(&read(lines), LOCAL, taste, terms, Keys::default())
}

fn offer_with(taste: Taste, terms: &Terms, last: Option<&Sdp>) -> Sdp {
    super::super::offer(LOCAL, taste, terms, Keys::default(), last)
}

fn liking(codec: Codec) -> Taste {
    Taste { codec: Some(codec), ..Taste::default() }
}

#[test]
fn the_operators_order_decides_among_what_is_offered_row_by_row() {
    use Codec::{G722, L16, Opus, Pcma, Pcmu};
    let wide = ["m=audio 4000 RTP/AVP 111 9 0 8 107", OPUS, "a=rtpmap:107 L16/8000"];
    let rows: [(&[Codec], Taste, Codec, u8); 8] = [
        (&[Pcma, Pcmu], Taste::default(), Pcma, 8),
        (&[Pcmu, Pcma], Taste::default(), Pcmu, 0),
        (&[G722, Pcma], Taste::default(), G722, 9),
        (&[Opus, G722, Pcma], Taste::default(), Opus, 111),
        (&[L16, Pcma], Taste::default(), L16, 107),
        (&[Opus, G722, Pcma], liking(G722), G722, 9),
        (&[Pcma, Pcmu], liking(G722), Pcma, 8), // What the other leg has is no reason against the operator.
        (&[G722, Pcma], liking(Pcma), Pcma, 8),
    ];
    for (codecs, taste, codec, number) in rows {
        let (sdp, agreed) = answer_with(&wide, taste, &terms(codecs)).unwrap();
        assert_eq!((agreed.codec, agreed.payload_type), (codec, number), "{codecs:?} {taste:?}");
        assert_eq!(sdp.media[0].formats, [number.to_string()], "{codecs:?}: one codec");
    }
    for unlisted in [Codec::G722, Codec::L16, Codec::Opus] {
        let only: &[&str] = match unlisted {
            Codec::G722 => &["m=audio 4000 RTP/AVP 9"],
            Codec::L16 => &["m=audio 4000 RTP/AVP 107", "a=rtpmap:107 L16/8000"],
            _ => &["m=audio 4000 RTP/AVP 111", OPUS],
        };
        let plain = answer_with(only, Taste::default(), &Terms::default());
        assert_eq!(plain.unwrap_err(), Disagreement::NoCodec, "{unlisted:?} is for the operator to list");
        assert_eq!(answer_with(only, Taste::default(), &all()).unwrap().1.codec, unlisted);
    }
}

/// RFC 7587 §4.1, §7; RFC 3551 §4.5.2, §4.5.11.
#[test]
fn clocks_channels_and_parameters_of_each_codec_row_by_row() {
    let rows: [(&[&str], Result<Codec, Disagreement>); 12] = [
        (&["m=audio 4000 RTP/AVP 9"], Ok(Codec::G722)),
        (&["m=audio 4000 RTP/AVP 9", "a=rtpmap:9 G722/8000"], Ok(Codec::G722)),
        (&["m=audio 4000 RTP/AVP 9", "a=rtpmap:9 G722/16000"], Err(Disagreement::NoCodec)),
        (&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 g722/8000/1"], Ok(Codec::G722)),
        (&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 OPUS/48000/2"], Ok(Codec::Opus)),
        (&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000"], Err(Disagreement::NoCodec)),
        (&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/16000/2"], Err(Disagreement::NoCodec)),
        (&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 L16/8000"], Ok(Codec::L16)),
        (&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 L16/8000/2"], Err(Disagreement::NoCodec)),
        (&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 L16/16000"], Err(Disagreement::NoCodec)),
        (&["m=audio 4000 RTP/AVP 11"], Err(Disagreement::NoCodec)),
        (&["m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000/2"], Err(Disagreement::NoCodec)),
    ];
    for (lines, wanted) in rows {
        let got = answer_with(lines, Taste::default(), &all()).map(|(_, agreed)| agreed.codec);
        assert_eq!(got, wanted, "{lines:?}");
    }
    let (sdp, _) =
        answer_with(&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2"], Taste::default(), &all())
            .unwrap();
    let lines = written(&sdp);
    assert_eq!(lines[1], "a=rtpmap:96 opus/48000/2");
    assert_eq!(lines[2], "a=fmtp:96 useinbandfec=1;stereo=0;sprop-stereo=0");
    // One frame of Opus is a packet (RFC 6716 §2.1.4).
    for (asked, got) in [(10, 10), (20, 20), (30, 20), (40, 40), (50, 40), (60, 60)] {
        let ptime = format!("a=ptime:{asked}");
        let (_, agreed) =
            answer_with(&["m=audio 4000 RTP/AVP 111", OPUS, &ptime], Taste::default(), &all()).unwrap();
        assert_eq!(agreed.packet_ms, got, "{asked} ms");
    }
}

#[test]
fn our_offer_has_the_other_legs_codec_first_and_every_number_once() {
    let wide = terms(&[Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus, Codec::L16]);
    let lines = written(&offer_with(liking(Codec::G722), &wide, None));
    let wanted = [
        "m=audio 20000 RTP/AVP 9 8 0 111 107 101 102",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:107 L16/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:102 telephone-event/48000",
        "a=fmtp:111 useinbandfec=1;stereo=0;sprop-stereo=0",
        "a=fmtp:101 0-15",
        "a=fmtp:102 0-15",
    ];
    assert_eq!(lines[..wanted.len()], wanted);
    let narrow = offer_with(liking(Codec::G722), &Terms::default(), None);
    assert_eq!(narrow.media[0].formats, ["8", "0", "101"], "the operator did not list it");
    let only = offer_with(Taste::default(), &terms(&[Codec::Opus]), None);
    assert_eq!(only.media[0].formats, ["111", "102"], "keys by the clock of what is spoken");
}

/// RFC 3264 §8.3.2: a number keeps its meaning, and a codec its number.
#[test]
fn numbers_that_the_peer_gave_are_kept_and_none_is_used_twice() {
    let wide = terms(&[Codec::Opus, Codec::L16, Codec::Pcma]);
    // Ours for Opus, L16 and keys all mean something else over there.
    let theirs = [
        "m=audio 4000 RTP/AVP 101 111 107 8",
        "a=rtpmap:101 opus/48000/2",
        "a=rtpmap:111 telephone-event/48000",
        "a=rtpmap:107 telephone-event/8000",
    ];
    let (described, agreed) = answer_with(&theirs, Taste::default(), &wide).unwrap();
    assert_eq!((agreed.codec, agreed.payload_type_in, agreed.dtmf), (Codec::Opus, 101, Some((111, 111))));
    let again = offer_with(liking(Codec::Opus), &wide, Some(&described));
    let lines = written(&again);
    assert!(lines.contains(&"a=rtpmap:101 opus/48000/2".to_owned()), "{lines:?}");
    assert!(lines.contains(&"a=rtpmap:111 telephone-event/48000".to_owned()), "{lines:?}");
    let mut numbers = again.media[0].formats.clone();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), again.media[0].formats.len(), "{:?}", again.media[0].formats);
    // Renumbered by them: theirs is taken, as it is where they answer.
    let renumbered = ["m=audio 4000 RTP/AVP 97", "a=rtpmap:97 opus/48000/2"];
    let (_, agreed) = answer_with(&renumbered, liking(Codec::Opus), &wide).unwrap();
    assert_eq!((agreed.payload_type, agreed.payload_type_in), (97, 97));
    let ours = offer_with(Taste::default(), &wide, None);
    let agreed = super::super::accept(&ours, &read(&renumbered), &wide).unwrap();
    assert_eq!((agreed.payload_type, agreed.payload_type_in), (97, 111), "we send by theirs, they by ours");
}

/// RFC 4733 §2.1, RFC 7587 §4.1.
#[test]
fn keys_of_the_pad_have_the_clock_of_what_is_spoken_where_it_is_there() {
    let opus = "m=audio 4000 RTP/AVP 111 101 102 8";
    let rows: [(&[&str], Codec, Option<u8>); 6] = [
        (&[opus, OPUS, EVENTS, EVENTS_48], Codec::Opus, Some(102)),
        (&[opus, OPUS, EVENTS, EVENTS_48], Codec::Pcma, Some(101)),
        (&["m=audio 4000 RTP/AVP 111 101", OPUS, EVENTS], Codec::Opus, Some(101)),
        (&["m=audio 4000 RTP/AVP 8 102", EVENTS_48], Codec::Pcma, None),
        (&["m=audio 4000 RTP/AVP 9 101", EVENTS], Codec::G722, Some(101)),
        (&["m=audio 4000 RTP/AVP 111", OPUS], Codec::Opus, None),
    ];
    for (lines, codec, event) in rows {
        let (_, agreed) = answer_with(lines, liking(codec), &all()).unwrap();
        assert_eq!((agreed.codec, agreed.dtmf), (codec, event.map(|number| (number, number))), "{lines:?}");
        let ours = offer_with(liking(codec), &all(), None);
        let theirs = read(lines);
        let agreed = super::super::accept(&ours, &theirs, &all()).unwrap();
        if agreed.codec == codec {
            // Ours are 101 and 102 by chance of the clock, as theirs are.
            assert_eq!(
                agreed.dtmf,
                event.map(|number| (number, number)),
                "{lines:?}: by one clock both ways"
            );
        }
    }
}

/// RFC 3264 §6.1: what an answer lists may come without a word, but only what we can follow.
#[test]
fn an_answer_of_many_codecs_names_the_next_one_of_the_same_clock() {
    let ours = offer_with(Taste::default(), &all(), None);
    type Other = Option<(u8, Codec)>;
    let rows: [(&[&str], Codec, Other); 4] = [
        (&["m=audio 4000 RTP/AVP 9 8"], Codec::G722, Some((8, Codec::Pcma))),
        (&["m=audio 4000 RTP/AVP 8 111 0", OPUS], Codec::Pcma, Some((0, Codec::Pcmu))),
        (&["m=audio 4000 RTP/AVP 111 8", OPUS], Codec::Opus, None),
        (&["m=audio 4000 RTP/AVP 8 18"], Codec::Pcma, None),
    ];
    for (lines, codec, other) in rows {
        let agreed = super::super::accept(&ours, &read(lines), &all()).unwrap();
        assert_eq!((agreed.codec, agreed.other_in), (codec, other), "{lines:?}");
    }
}

#[test]
fn g729_goes_from_leg_to_leg_where_nothing_has_to_be_decoded() {
    let rows = [
        (Some(false), false, false, G729::May { annexb: false }),
        (Some(true), false, false, G729::May { annexb: true }),
        (None, false, false, G729::No),
        (Some(false), true, false, G729::No),
        (Some(false), false, true, G729::No),
        (Some(true), true, true, G729::No),
    ];
    for (first, recorded, spoken_to, wanted) in rows {
        let what = format!("offered {first:?}, recorded {recorded}, spoken to {spoken_to}");
        assert_eq!(G729::between(first, recorded, spoken_to), wanted, "{what}");
    }
    let both = ["m=audio 4000 RTP/AVP 18 8", "a=fmtp:18 annexb=no"];
    let taste = |g729| Taste { g729, ..Taste::default() };
    let chosen = |g729| answer_with(&both, taste(g729), &all()).map(|(_, agreed)| agreed.codec);
    assert_eq!(chosen(G729::No), Ok(Codec::Pcma), "by itself it is never taken");
    assert_eq!(chosen(G729::Must { annexb: false }), Ok(Codec::G729));
    let listed = Terms::default();
    let unlisted = answer_with(&both, taste(G729::Must { annexb: false }), &listed);
    assert_eq!(unlisted.unwrap_err(), Disagreement::NoCodec, "and never where the operator does not list it");
    // Spoken already, an offer without it is refused: the other leg speaks nothing else.
    let plain = answer_with(&["m=audio 4000 RTP/AVP 8"], taste(G729::Must { annexb: false }), &all());
    assert_eq!(plain.unwrap_err(), Disagreement::NoCodec);
    let only = offer_with(taste(G729::Must { annexb: false }), &all(), None);
    assert_eq!(only.media[0].formats, ["18", "101"]);
    // In packets as the other leg sends them.
    let taste = Taste { packet_ms: 40, ..taste(G729::Must { annexb: false }) };
    assert_eq!(answer_with(&both, taste, &all()).unwrap().1.packet_ms, 40);
}

/// RFC 4856 §2.1.9, RFC 7261 §3.
#[test]
fn annex_b_is_passed_on_and_a_mismatch_is_no_g729() {
    let rows = [
        (&[][..], true),
        (&["a=fmtp:18 annexb=yes"], true),
        (&["a=fmtp:18 annexb=no"], false),
        (&["a=fmtp:18 AnnexB = NO"], false),
        (&["a=fmtp:18 other=1; annexb=no"], false),
    ];
    for (lines, annexb) in rows {
        let offered = read(&[&["m=audio 4000 RTP/AVP 18 8"], lines].concat());
        assert_eq!(offers_g729(&offered), Some(annexb), "{lines:?}");
    }
    assert_eq!(offers_g729(&read(&["m=audio 4000 RTP/AVP 8"])), None);
    assert_eq!(offers_g729(&read(&["m=audio 0 RTP/AVP 18"])), None);
    // Offered, answered; what the caller can be told then.
    let rows = [
        (true, true, Some(true)),
        (true, false, Some(false)),
        (false, false, Some(false)),
        (false, true, None),
    ];
    for (offered, answered, agreed_on) in rows {
        let taste = Taste { codec: Some(Codec::G729), g729: G729::May { annexb: offered }, packet_ms: 20 };
        let ours = offer_with(taste, &all(), None);
        let said = |annexb| format!("a=fmtp:18 annexb={}", if annexb { "yes" } else { "no" });
        assert!(written(&ours).contains(&said(offered)), "{:?}", written(&ours));
        let theirs = read(&["m=audio 4000 RTP/AVP 18 8", &said(answered)]);
        let agreed = super::super::accept(&ours, &theirs, &all()).unwrap();
        let got = (agreed.codec == Codec::G729).then_some(agreed.annexb);
        assert_eq!(got, agreed_on, "offered {offered}, answered {answered}");
        let Some(annexb) = got else { continue };
        let caller = ["m=audio 4000 RTP/AVP 8 18", &said(offered)];
        let taste = Taste { codec: Some(Codec::G729), g729: G729::Must { annexb }, packet_ms: 20 };
        let (sdp, agreed) = answer_with(&caller, taste, &all()).unwrap();
        assert_eq!((agreed.codec, agreed.annexb), (Codec::G729, annexb));
        assert!(written(&sdp).contains(&said(annexb)), "{:?}", written(&sdp));
    }
    let without = ["m=audio 4000 RTP/AVP 18", "a=fmtp:18 annexb=no"];
    let with = Taste { g729: G729::Must { annexb: true }, ..Taste::default() };
    assert_eq!(answer_with(&without, with, &all()).unwrap_err(), Disagreement::NoCodec);
}

#[test]
fn every_codec_of_our_offer_can_be_answered_by_ourselves() {
    for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::L16, Codec::Opus] {
        for packet_ms in [10, 20, 40, 60] {
            let taste = Taste { codec: Some(codec), packet_ms, g729: G729::No };
            let ours = offer_with(taste, &all(), None);
            let (answered, theirs) =
                super::super::answer(&ours, LOCAL, taste, &all(), Keys::default()).unwrap();
            assert_eq!(super::super::accept(&ours, &answered, &all()).unwrap(), theirs);
            assert_eq!((theirs.codec, theirs.packet_ms), (codec, packet_ms));
            assert!(theirs.dtmf.is_some());
        }
    }
    assert_eq!(all().longest, Duration::from_secs(14_400));
}
