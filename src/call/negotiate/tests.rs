//! Offer and answer row by row, after RFC 3264 §5 to §8 and what has been added to it.

use super::*;

mod codecs;
mod keys;
mod trunk_terms;

const LOCAL: Local =
    Local { ip: IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1)), port: 20_000, session: 1, version: 1 };
const PCMU_FIRST: Taste = Taste { codec: Some(Codec::Pcmu), packet_ms: 20, g729: G729::No };

/// What a trunk that says nothing allows, over signalling in the clear.
fn offer(local: Local, taste: Taste, last: Option<&Sdp>) -> Sdp {
    super::offer(local, taste, &Terms::default(), Keys::default(), last)
}

fn answer(offered: &Sdp, local: Local, taste: Taste) -> Result<(Sdp, Agreed), Disagreement> {
    super::answer(offered, local, taste, &Terms::default(), Keys::default())
}

fn accept(offered: &Sdp, answered: &Sdp) -> Result<Agreed, Disagreement> {
    super::accept(offered, answered, &Terms::default())
}

fn read(lines: &[&str]) -> Sdp {
    let head = "v=0\r\no=- 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n";
    Sdp::parse(format!("{head}{}\r\n", lines.join("\r\n")).as_bytes()).unwrap()
}

/// The answer's media section, line by line, as the wire has it.
fn written(sdp: &Sdp) -> Vec<String> {
    let text = String::from_utf8(sdp.write().to_vec()).unwrap();
    text.lines().skip_while(|line| !line.starts_with("m=")).map(str::to_owned).collect()
}

fn taken(lines: &[&str]) -> Agreed {
    answer(&read(lines), LOCAL, Taste::default()).unwrap_or_else(|fault| panic!("{lines:?}: {fault}")).1
}

fn refusal(lines: &[&str]) -> Disagreement {
    answer(&read(lines), LOCAL, Taste::default()).unwrap_err()
}

/// Our plain offer, answered.
fn answered(lines: &[&str]) -> Result<Agreed, Disagreement> {
    accept(&offer(LOCAL, Taste::default(), None), &read(lines))
}

/// §5.1: an offer of ours.
#[test]
fn our_offer_has_one_stream_with_all_that_we_take() {
    let text = String::from_utf8(offer(LOCAL, Taste::default(), None).write().to_vec()).unwrap();
    let lines = [
        "v=0",
        "o=- 1 1 IN IP4 198.51.100.1",
        "s=-",
        "c=IN IP4 198.51.100.1",
        "t=0 0",
        "m=audio 20000 RTP/AVP 8 0 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=maxptime:60",
        "a=sendrecv",
        "a=rtcp-mux",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    let other = offer(LOCAL, Taste { packet_ms: 30, ..PCMU_FIRST }, None);
    assert_eq!(other.media[0].formats, ["0", "8", "101"], "the other leg's codec first");
    assert_eq!(other.media[0].ptime, Some(30), "and its packet time");
}

/// §6: an answer has the offer's streams, in number and order, refused ones with port 0.
#[test]
fn streams_that_we_do_not_take_are_refused_in_their_places() {
    let rows: [(&str, &[&str], &[&str]); 8] = [
        (
            "video beside audio",
            &["m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 31"],
            &["A 8", "m=video 0 RTP/AVP 31"],
        ),
        (
            "video before audio",
            &["m=video 4002 RTP/AVP 31 34", "m=audio 4000 RTP/AVP 8"],
            &["m=video 0 RTP/AVP 31 34", "A 8"],
        ),
        (
            "audio twice: one is enough",
            &["m=audio 4000 RTP/AVP 8", "m=audio 4002 RTP/AVP 0"],
            &["A 8", "m=audio 0 RTP/AVP 0"],
        ),
        (
            "the second audio, for its codec",
            &["m=audio 4000 RTP/AVP 18", "m=audio 4002 RTP/AVP 0"],
            &["m=audio 0 RTP/AVP 18", "A 0"],
        ),
        (
            "the second audio, the first being off",
            &["m=audio 0 RTP/AVP 8", "m=audio 4002 RTP/AVP 8"],
            &["m=audio 0 RTP/AVP 8", "A 8"],
        ),
        (
            "the plain one of two",
            &["m=audio 4000 RTP/SAVP 8", "m=audio 4002 RTP/AVP 8"],
            &["m=audio 0 RTP/SAVP 8", "A 8"],
        ),
        (
            "fax and chat",
            &[
                "m=image 4004 udptl t38",
                "m=audio 4000 RTP/AVP 8",
                "m=application 4006 UDP/DTLS/SCTP webrtc-datachannel",
            ],
            &["m=image 0 udptl t38", "A 8", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"],
        ),
        (
            "many at ports of several",
            &["m=audio 4000/2 RTP/AVP 8", "m=text 9 RTP/AVP 98"],
            &["A 8", "m=text 0 RTP/AVP 98"],
        ),
    ];
    for (what, offered, wanted) in rows {
        let (sdp, _) = answer(&read(offered), LOCAL, Taste::default()).unwrap();
        let lines = written(&sdp);
        let streams: Vec<String> = lines.iter().filter(|line| line.starts_with("m=")).cloned().collect();
        let wanted: Vec<String> =
            wanted.iter().map(|line| line.replace("A ", "m=audio 20000 RTP/AVP ")).collect();
        assert_eq!(streams, wanted, "{what}");
    }
}

/// §6: nothing that we take is 488.
#[test]
fn an_offer_without_anything_for_us_is_refused_and_says_how_far_it_came() {
    use Disagreement::{NoAddress, NoAudio, NoCodec, NoTransport};
    let rows: [(&[&str], Disagreement); 13] = [
        (&[], NoAudio),
        (&["m=video 4000 RTP/AVP 31"], NoAudio),
        (&["m=audio 0 RTP/AVP 8"], NoAudio),
        (&["m=audio 4000 RTP/SAVP 8", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"], NoTransport),
        (&["m=audio 4000 RTP/SAVPF 8"], NoTransport),
        (&["m=audio 4000 UDP/TLS/RTP/SAVPF 8", "a=fingerprint:sha-256 AA:BB"], NoTransport),
        (&["m=audio 4000 RTP/AVP 18"], NoCodec),
        (&["m=audio 4000 RTP/AVP 97", "a=rtpmap:97 PCMA/16000"], NoCodec),
        (&["m=audio 4000 RTP/AVP 8", "a=rtpmap:8 G722/8000"], NoCodec),
        (&["m=audio 4000 RTP/AVP"], NoCodec),
        (&["m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"], NoCodec),
        (&["m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::9"], NoAddress),
        (&["m=audio 4000 RTP/SAVP 8", "m=audio 4002 RTP/AVP 18"], NoCodec),
    ];
    for (offered, wanted) in rows {
        assert_eq!(refusal(offered), wanted, "{offered:?}");
    }
    let nowhere = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n").unwrap();
    assert_eq!(answer(&nowhere, LOCAL, Taste::default()).unwrap_err(), NoAddress);
}

/// RFC 4585: taken as plain RTP, answered under its own name, and only where nothing plainer is there.
#[test]
fn rtp_with_feedback_is_taken_without_its_feedback() {
    let feedback = ["m=audio 4000 RTP/AVPF 8", "a=rtcp-fb:* nack", "a=rtcp-fb:* trr-int 100"];
    let (sdp, agreed) = answer(&read(&feedback), LOCAL, Taste::default()).unwrap();
    assert_eq!(agreed.codec, Codec::Pcma);
    let lines = written(&sdp);
    assert_eq!(lines[0], "m=audio 20000 RTP/AVPF 8");
    assert!(!lines.iter().any(|line| line.contains("rtcp-fb")), "{lines:?}");
    let both = ["m=audio 4000 RTP/AVPF 8", "m=audio 4002 RTP/AVP 8"];
    let (sdp, agreed) = answer(&read(&both), LOCAL, Taste::default()).unwrap();
    assert_eq!((sdp.media[0].port, agreed.remote.port()), (0, 4002));
}

/// §6.1, and RFC 8866 §6.7 for what is not said.
#[test]
fn directions_are_answered_row_by_row() {
    let rows: [(&[&str], &str, Flow); 9] = [
        (&["m=audio 4000 RTP/AVP 8"], "a=sendrecv", Flow::SendRecv),
        (&["m=audio 4000 RTP/AVP 8", "a=sendrecv"], "a=sendrecv", Flow::SendRecv),
        (&["m=audio 4000 RTP/AVP 8", "a=sendonly"], "a=recvonly", Flow::RecvOnly),
        (&["m=audio 4000 RTP/AVP 8", "a=recvonly"], "a=sendonly", Flow::SendOnly),
        (&["m=audio 4000 RTP/AVP 8", "a=inactive"], "a=inactive", Flow::Inactive),
        (&["a=sendonly", "m=audio 4000 RTP/AVP 8"], "a=recvonly", Flow::RecvOnly),
        (&["a=inactive", "m=audio 4000 RTP/AVP 8"], "a=inactive", Flow::Inactive),
        (&["a=sendonly", "m=audio 4000 RTP/AVP 8", "a=sendrecv"], "a=sendrecv", Flow::SendRecv),
        (
            &["a=recvonly", "m=video 4002 RTP/AVP 31", "a=inactive", "m=audio 4000 RTP/AVP 8"],
            "a=sendonly",
            Flow::SendOnly,
        ),
    ];
    for (offered, said, flow) in rows {
        let (sdp, agreed) = answer(&read(offered), LOCAL, Taste::default()).unwrap();
        assert_eq!(agreed.flow, flow, "{offered:?}");
        assert!(written(&sdp).contains(&said.to_owned()), "{offered:?}: {sdp:?}");
    }
}

/// §8.4: hold by direction, by address as RFC 2543 had it, by both; and back.
#[test]
fn hold_in_each_spelling_stops_what_we_send_and_is_answered_in_kind() {
    let rows: [(&[&str], &str, Flow); 9] = [
        (&["a=sendonly"], "a=recvonly", Flow::RecvOnly),
        (&["a=inactive"], "a=inactive", Flow::Inactive),
        (&["c=IN IP4 0.0.0.0"], "a=recvonly", Flow::RecvOnly),
        (&["c=IN IP6 ::"], "a=recvonly", Flow::RecvOnly),
        (&["c=IN IP4 0.0.0.0", "a=sendrecv"], "a=recvonly", Flow::RecvOnly),
        (&["c=IN IP4 0.0.0.0", "a=sendonly"], "a=recvonly", Flow::RecvOnly),
        (&["c=IN IP4 0.0.0.0", "a=recvonly"], "a=inactive", Flow::Inactive),
        (&["c=IN IP4 0.0.0.0", "a=inactive"], "a=inactive", Flow::Inactive),
        (&["c=IN IP4 192.0.2.9"], "a=sendrecv", Flow::SendRecv),
    ];
    for (lines, said, flow) in rows {
        let offered = [&["m=audio 4000 RTP/AVP 8"], lines].concat();
        let (sdp, agreed) = answer(&read(&offered), LOCAL, Taste::default()).unwrap();
        assert_eq!((agreed.flow, agreed.remote.port()), (flow, 4000), "{lines:?}");
        assert!(written(&sdp).contains(&said.to_owned()), "{lines:?}: {sdp:?}");
        assert_eq!(sdp.media[0].port, 20_000, "our port stays");
    }
    let session = Sdp::parse(b"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n").unwrap();
    assert_eq!(answer(&session, LOCAL, Taste::default()).unwrap().1.flow, Flow::RecvOnly);
}

/// §5.1, §6.1: codecs by our taste, numbers by theirs; RFC 4733 §2.1 for keys.
#[test]
fn codecs_and_their_numbers_row_by_row() {
    const EVENT_97: &str = "a=rtpmap:97 telephone-event/8000";
    // What is offered; codec and number; number of telephone-event.
    let rows: [(&[&str], Codec, u8, Option<u8>); 10] = [
        (&["m=audio 4000 RTP/AVP 8 0"], Codec::Pcma, 8, None),
        (&["m=audio 4000 RTP/AVP 0 8"], Codec::Pcma, 8, None),
        (&["m=audio 4000 RTP/AVP 18 0"], Codec::Pcmu, 0, None),
        (&["m=audio 4000 RTP/AVP 0 97", "a=rtpmap:97 pcma/8000/1"], Codec::Pcma, 97, None),
        (&["m=audio 4000 RTP/AVP 0 97", "a=rtpmap:0 PCMU/8000", EVENT_97], Codec::Pcmu, 0, Some(97)),
        (&["m=audio 4000 RTP/AVP 8 101 97", "a=rtpmap:101 opus/48000/2", EVENT_97], Codec::Pcma, 8, Some(97)),
        (
            &["m=audio 4000 RTP/AVP 8 96 97", "a=rtpmap:96 telephone-event/48000", EVENT_97],
            Codec::Pcma,
            8,
            Some(97),
        ),
        (&["m=audio 4000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/16000"], Codec::Pcma, 8, None),
        (&["m=audio 4000 RTP/AVP 8", EVENT_97], Codec::Pcma, 8, None),
        (&["m=audio 4000 RTP/AVP 8 x 300 97", EVENT_97, "a=rtpmap:300 PCMU/8000"], Codec::Pcma, 8, Some(97)),
    ];
    for (offered, codec, number, dtmf) in rows {
        let (sdp, agreed) = answer(&read(offered), LOCAL, Taste::default()).unwrap();
        assert_eq!(
            (agreed.codec, agreed.payload_type, agreed.payload_type_in),
            (codec, number, number),
            "{offered:?}"
        );
        assert_eq!(agreed.dtmf, dtmf.map(|number| (number, number)), "{offered:?}");
        let formats: Vec<String> = [number].into_iter().chain(dtmf).map(|n| n.to_string()).collect();
        assert_eq!(sdp.media[0].formats, formats, "{offered:?}: one codec, and keys");
    }
    let both = read(&["m=audio 4000 RTP/AVP 8 0"]);
    assert_eq!(answer(&both, LOCAL, PCMU_FIRST).unwrap().1.codec, Codec::Pcmu, "the other leg's, if offered");
    let one = read(&["m=audio 4000 RTP/AVP 8"]);
    assert_eq!(answer(&one, LOCAL, PCMU_FIRST).unwrap().1.codec, Codec::Pcma, "else what is offered");
}

/// RFC 8866 §6.4, RFC 3551 §4.5: what the peer wants to receive is what we send.
#[test]
fn packet_times_row_by_row() {
    let rows: [(&[&str], u16); 18] = [
        (&[], 20),
        (&["a=ptime:10"], 10),
        (&["a=ptime:20"], 20),
        (&["a=ptime:30"], 30),
        (&["a=ptime:40"], 40),
        (&["a=ptime:50"], 50),
        (&["a=ptime:60"], 60),
        (&["a=ptime:5"], 10),
        (&["a=ptime:15"], 10),
        (&["a=ptime:16"], 20),
        (&["a=ptime:20.0"], 20),
        (&["a=ptime:0"], 20),
        (&["a=ptime:200"], 60),
        (&["a=ptime:x"], 20),
        (&["a=ptime:60", "a=maxptime:40"], 40),
        (&["a=ptime:40", "a=maxptime:35"], 30),
        (&["a=maxptime:10"], 10),
        (&["a=maxptime:150"], 20),
    ];
    for (lines, packet_ms) in rows {
        let stream = [&["m=audio 4000 RTP/AVP 8"], lines].concat();
        let (sdp, agreed) = answer(&read(&stream), LOCAL, Taste::default()).unwrap();
        assert_eq!(agreed.packet_ms, packet_ms, "{lines:?}");
        assert_eq!(sdp.media[0].ptime, Some(packet_ms), "{lines:?}: the same both ways");
        assert_eq!(answered(&stream).unwrap().packet_ms, packet_ms, "in an answer: {lines:?}");
    }
}

/// RFC 5761 §5.1, RFC 3605, RFC 3550 §11.
#[test]
fn reports_go_where_the_peer_says() {
    let rows: [(&[&str], bool, &str); 6] = [
        (&[], false, "192.0.2.9:4001"),
        (&["a=rtcp:5555"], false, "192.0.2.9:5555"),
        (&["a=rtcp:5555 IN IP4 192.0.2.10"], false, "192.0.2.10:5555"),
        (&["a=rtcp-mux"], true, "192.0.2.9:4000"),
        (&["a=rtcp:5555", "a=rtcp-mux"], true, "192.0.2.9:4000"),
        (&["c=IN IP4 192.0.2.77"], false, "192.0.2.77:4001"),
    ];
    for (lines, mux, reports) in rows {
        let stream = [&["m=audio 4000 RTP/AVP 8"], lines].concat();
        let (sdp, theirs) = answer(&read(&stream), LOCAL, Taste::default()).unwrap();
        assert_eq!((theirs.rtcp_mux, theirs.remote_rtcp), (mux, reports.parse().unwrap()), "{lines:?}");
        assert_eq!(sdp.media[0].rtcp_mux, mux, "{lines:?}: never without being asked");
        let ours = answered(&stream).unwrap();
        assert_eq!(
            (ours.rtcp_mux, ours.remote_rtcp),
            (mux, reports.parse().unwrap()),
            "in an answer: {lines:?}"
        );
    }
    let mut without = offer(LOCAL, Taste::default(), None);
    without.media[0].rtcp_mux = false;
    let agreed = accept(&without, &read(&["m=audio 4000 RTP/AVP 8", "a=rtcp-mux"])).unwrap();
    assert_eq!(
        (agreed.rtcp_mux, agreed.remote_rtcp.port()),
        (false, 4001),
        "what was not offered is not agreed"
    );
}

/// RFC 8866 §5.7: `c=` per media goes before the session's; either family, as long as it is ours.
#[test]
fn addresses_row_by_row() {
    let six = Local { ip: "2001:db8::1".parse().unwrap(), ..LOCAL };
    let rows: [(&[&str], Local, &str); 5] = [
        (&["m=audio 4000 RTP/AVP 8"], LOCAL, "192.0.2.9:4000"),
        (&["m=audio 4000 RTP/AVP 8", "c=IN IP4 203.0.113.5"], LOCAL, "203.0.113.5:4000"),
        (&["m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::9"], six, "[2001:db8::9]:4000"),
        (
            &["m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::9", "m=audio 4002 RTP/AVP 8"],
            LOCAL,
            "192.0.2.9:4002",
        ),
        (
            &["m=audio 4000 RTP/AVP 8", "m=audio 4002 RTP/AVP 8", "c=IN IP6 2001:db8::9"],
            six,
            "[2001:db8::9]:4002",
        ),
    ];
    for (offered, local, remote) in rows {
        let (sdp, agreed) = answer(&read(offered), local, Taste::default()).unwrap();
        assert_eq!(agreed.remote, remote.parse().unwrap(), "{offered:?}");
        assert_eq!(sdp.connection, Some(local.ip));
    }
    let text = String::from_utf8(offer(six, Taste::default(), None).write().to_vec()).unwrap();
    assert!(
        text.contains("o=- 1 1 IN IP6 2001:db8::1\r\n") && text.contains("c=IN IP6 2001:db8::1\r\n"),
        "{text}"
    );
}

/// RFC 8839, 8842, 9143 and old lines of RFC 8866: read past, and never in our answer.
#[test]
fn lines_of_other_trades_are_borne_and_not_answered() {
    let (sdp, agreed) = answer(
        &read(&[
            "b=AS:64",
            "k=clear:x",
            "r=7d 1h 0 25h",
            "z=2882844526 -1h",
            "a=group:BUNDLE 0 1",
            "a=msid-semantic: WMS *",
            "a=ice-lite",
            "m=audio 4000 RTP/AVP 8",
            "i=the caller",
            "b=TIAS:64000",
            "k=prompt",
            "a=mid:0",
            "a=ice-ufrag:x",
            "a=ice-pwd:y",
            "a=candidate:1 1 UDP 1 192.0.2.1 9 typ host",
            "a=fingerprint:sha-256 AA",
            "a=setup:actpass",
            "a=ssrc:1 cname:x",
            "a=silenceSupp:off - - - -",
        ]),
        LOCAL,
        Taste::default(),
    )
    .unwrap();
    assert_eq!(agreed.remote.port(), 4000);
    let lines =
        ["m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=maxptime:60", "a=sendrecv"];
    assert_eq!(written(&sdp), lines);
}

/// §6, §7: an answer that is none ends the leg.
#[test]
fn answers_that_are_wrong_are_found_out() {
    use Disagreement::{NoAddress, NoAudio, NoCodec, NoTransport, Streams};
    let rows: [(&str, &[&str], Disagreement); 11] = [
        ("a codec that we did not offer", &["m=audio 4000 RTP/AVP 18"], NoCodec),
        ("only a key", &["m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"], NoCodec),
        ("no format at all", &["m=audio 4000 RTP/AVP"], NoCodec),
        ("fewer streams", &[], Streams),
        ("more streams", &["m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 31"], Streams),
        ("refused", &["m=audio 0 RTP/AVP 8"], NoAudio),
        ("another medium", &["m=video 4000 RTP/AVP 8"], NoAudio),
        ("encrypted", &["m=audio 4000 RTP/SAVP 8"], NoTransport),
        ("with feedback", &["m=audio 4000 RTP/AVPF 8"], NoTransport),
        ("another family", &["m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::9"], NoAddress),
        ("a codec of ours at another rate", &["m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/16000"], NoCodec),
    ];
    for (what, lines, wanted) in rows {
        assert_eq!(answered(lines), Err(wanted), "{what}");
    }
    let nowhere = Sdp::parse(b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n").unwrap();
    assert_eq!(accept(&offer(LOCAL, Taste::default(), None), &nowhere), Err(NoAddress), "no address");
}

/// §6.1, §7: what a right answer means.
#[test]
fn answers_to_our_offer_row_by_row() {
    let agreed = answered(&["m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"]).unwrap();
    assert_eq!((agreed.codec, agreed.payload_type, agreed.payload_type_in), (Codec::Pcma, 8, 8));
    assert_eq!((agreed.dtmf, agreed.other_in), (Some((101, 101)), None));
    // Numbers of its own: we send with its, it sends with ours.
    let agreed = answered(&[
        "m=audio 4000 RTP/AVP 118 110",
        "a=rtpmap:118 PCMU/8000",
        "a=rtpmap:110 telephone-event/8000",
    ])
    .unwrap();
    assert_eq!((agreed.codec, agreed.payload_type, agreed.payload_type_in), (Codec::Pcmu, 118, 0));
    assert_eq!(agreed.dtmf, Some((110, 101)));
    // Both codecs: the first is spoken, the other may come.
    let agreed = answered(&["m=audio 4000 RTP/AVP 0 8"]).unwrap();
    assert_eq!((agreed.codec, agreed.other_in, agreed.dtmf), (Codec::Pcmu, Some((8, Codec::Pcma)), None));
    // What we did not offer beside what we did.
    assert_eq!(answered(&["m=audio 4000 RTP/AVP 18 0"]).unwrap().codec, Codec::Pcmu);
    for (line, flow) in [
        ("a=sendrecv", Flow::SendRecv),
        ("a=sendonly", Flow::RecvOnly),
        ("a=recvonly", Flow::SendOnly),
        ("a=inactive", Flow::Inactive),
        ("c=IN IP4 0.0.0.0", Flow::RecvOnly),
    ] {
        assert_eq!(answered(&["m=audio 4000 RTP/AVP 8", line]).unwrap().flow, flow, "{line}");
    }
    // An answer that takes more than an offer of one way gives.
    let mut one_way = offer(LOCAL, Taste::default(), None);
    one_way.media[0].direction = Some(Direction::SendOnly);
    let agreed = accept(&one_way, &read(&["m=audio 4000 RTP/AVP 8", "a=sendrecv"])).unwrap();
    assert_eq!(agreed.flow, Flow::SendOnly);
}

/// §8: number and order of the streams, and what the numbers mean, stay for the whole session.
#[test]
fn our_later_offers_keep_the_streams_and_numbers_of_the_session() {
    let offered = read(&[
        "m=video 4002 RTP/AVP 31",
        "m=audio 4000 RTP/AVP 97 101 96",
        "a=rtpmap:97 PCMA/8000",
        "a=rtpmap:101 opus/48000/2",
        "a=rtpmap:96 telephone-event/8000",
        "m=image 4004 udptl t38",
    ]);
    let (described, _) = answer(&offered, LOCAL, Taste::default()).unwrap();
    let again = offer(LOCAL, Taste::default(), Some(&described));
    let lines = written(&again);
    assert_eq!(lines[0], "m=video 0 RTP/AVP 31");
    assert_eq!(lines[1], "m=audio 20000 RTP/AVP 97 0 96");
    assert!(lines.contains(&"a=rtpmap:97 PCMA/8000".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "m=image 0 udptl t38");
    let answered = read(&[
        "m=video 0 RTP/AVP 31",
        "m=audio 4000 RTP/AVP 97 96",
        "a=rtpmap:97 PCMA/8000",
        "m=image 0 udptl t38",
    ]);
    assert_eq!(accept(&again, &answered).unwrap().payload_type_in, 97);
    assert_eq!(accept(&again, &read(&["m=audio 4000 RTP/AVP 97"])), Err(Disagreement::Streams));
    // A number that means something else by now is not used anew: 101 was theirs for a codec of ours.
    let taken = read(&["m=audio 4000 RTP/AVP 101", "a=rtpmap:101 PCMA/8000"]);
    let (described, _) = answer(&taken, LOCAL, Taste::default()).unwrap();
    let again = offer(LOCAL, Taste::default(), Some(&described));
    assert_eq!(again.media[0].formats, ["101", "0", "96"]);
    // And the transport stays.
    let (described, _) = answer(&read(&["m=audio 4000 RTP/AVPF 8"]), LOCAL, Taste::default()).unwrap();
    assert_eq!(offer(LOCAL, Taste::default(), Some(&described)).media[0].protocol, "RTP/AVPF");
}

/// §8.1, §8.2: streams that come and go keep their places.
#[test]
fn a_later_offer_may_add_streams_and_switch_some_off() {
    let rows: [(&[&str], &[u16]); 4] = [
        (&["m=audio 4000 RTP/AVP 8"], &[20_000]),
        (&["m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 31"], &[20_000, 0]),
        (&["m=audio 4000 RTP/AVP 8", "m=video 0 RTP/AVP 31", "m=audio 4006 RTP/AVP 8"], &[20_000, 0, 0]),
        (&["m=audio 0 RTP/AVP 8", "m=video 0 RTP/AVP 31", "m=audio 4006 RTP/AVP 8"], &[0, 0, 20_000]),
    ];
    for (offered, ports) in rows {
        let (sdp, _) = answer(&read(offered), LOCAL, Taste::default()).unwrap();
        assert_eq!(sdp.media.iter().map(|media| media.port).collect::<Vec<_>>(), ports, "{offered:?}");
    }
}

/// §8: equal descriptions mean the same, whatever their version and owner say; others do not.
#[test]
fn what_a_description_says_counts_and_not_its_version() {
    let with = |origin: &str, line: &str| {
        let text = format!("v=0\r\no={origin}\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8\r\n{line}\r\n");
        answer(&Sdp::parse(text.as_bytes()).unwrap(), LOCAL, Taste::default()).unwrap()
    };
    let first = with("- 7 5 IN IP4 192.0.2.9", "a=sendrecv");
    let rows = [
        ("the same version", "- 7 5 IN IP4 192.0.2.9"),
        ("a higher version", "- 7 6 IN IP4 192.0.2.9"),
        ("a lower version", "- 7 4 IN IP4 192.0.2.9"),
        ("another session id", "- 8 1 IN IP4 192.0.2.9"),
        ("another owner", "other 7 5 IN IP4 203.0.113.1"),
        ("no numbers", "- x y IN IP4 host.invalid"),
    ];
    for (what, origin) in rows {
        assert_eq!(with(origin, "a=sendrecv"), first, "{what}: nothing changes");
        let held = with(origin, "a=sendonly");
        assert_eq!(held.1.flow, Flow::RecvOnly, "{what}: a change is a change");
    }
}

/// §8.3.2: a later offer gives the codec another number, or another codec.
#[test]
fn a_later_offer_may_renumber_and_change_the_codec() {
    let first =
        taken(&["m=audio 4000 RTP/AVP 97 96", "a=rtpmap:97 PCMA/8000", "a=rtpmap:96 telephone-event/8000"]);
    let again =
        taken(&["m=audio 4000 RTP/AVP 98 99", "a=rtpmap:98 PCMA/8000", "a=rtpmap:99 telephone-event/8000"]);
    assert_eq!((first.payload_type_in, first.dtmf), (97, Some((96, 96))));
    assert_eq!((again.payload_type_in, again.dtmf), (98, Some((99, 99))));
    assert_eq!(taken(&["m=audio 4000 RTP/AVP 0"]).codec, Codec::Pcmu);
}

#[test]
fn our_own_offer_can_be_answered_by_ourselves() {
    for codec in [Codec::Pcma, Codec::Pcmu] {
        for packet_ms in [10, 20, 30, 40, 50, 60] {
            let taste = Taste { codec: Some(codec), packet_ms, g729: G729::No };
            let ours = offer(LOCAL, taste, None);
            let (answered, theirs) = answer(&ours, LOCAL, Taste { packet_ms: 20, ..taste }).unwrap();
            assert_eq!(accept(&ours, &answered).unwrap(), theirs);
            assert_eq!((theirs.codec, theirs.packet_ms), (codec, packet_ms));
        }
    }
}
