//! What callers offer and how the plan has it answered: codecs by the trunk's list, encryption by its
//! policy, and keys over TLS only.

use hotline::media::Order;
use hotline::media::order::{Codec, LegConfig, SrtpSuite};
use hotline::routing::Plan;
use hotline::routing::sound::{CodecName, SrtpPolicy};
use hotline::sip::sdes::Crypto;
use hotline::sip::sdp::Sdp;
use hotline::sip::{Message, Name, Transport};

use crate::case_moves::{Dialog, House, head};

const KEY: &str = "a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
const ODD_KEY: &str =
    "a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz KDR=1\r\n";

fn house(transport: Transport, codecs: &[CodecName], srtp: SrtpPolicy) -> House {
    House::over(transport, &|plan: &mut Plan| {
        let trunk = plan.trunks.get_mut("carrier").expect("the shipped plan has it");
        (trunk.sound.codecs, trunk.sound.srtp) = (codecs.to_vec(), srtp);
    })
}

fn dialog() -> Dialog {
    Dialog { id: "offers", to: "<sip:12345@127.0.0.1>".into(), port: 4_000, seq: 0 }
}

/// An INVITE with this m-line's end, and lines behind it.
fn invites(house: &mut House, dialog: &mut Dialog, media: &str, lines: &str) {
    let sdp = format!("{}{lines}", dialog.sdp().replace("RTP/AVP 8", media));
    let invite = dialog.says("INVITE", "", "application/sdp", &sdp);
    house.hear(invite);
}

fn answer(house: &mut House, dialog: &mut Dialog) -> Sdp {
    let ok = house.next("200");
    dialog.to = head(&ok, Name::To);
    let ack = dialog.ack();
    house.hear(ack);
    Sdp::parse(ok.body()).expect("a description")
}

fn sound(house: &House) -> &LegConfig {
    let told = house.orders.iter().rev().find_map(|order| match order {
        Order::Open { config, .. } | Order::Change { config, .. } => Some(config),
        _ => None,
    });
    told.expect("the caller has sound")
}

#[test]
fn a_caller_with_g722_in_its_offer_is_answered_as_the_plan_has_it() {
    use CodecName::{G722, Pcma, Pcmu};
    let rows: [(&[CodecName], &str, Codec, &str); 4] = [
        (&[Pcma, Pcmu], "RTP/AVP 9 8 0", Codec::Pcma, "8"),
        (&[G722, Pcma], "RTP/AVP 8 9", Codec::G722, "9"),
        (&[G722, Pcma], "RTP/AVP 8", Codec::Pcma, "8"),
        (&[Pcmu, G722], "RTP/AVP 9 8 0", Codec::Pcmu, "0"),
    ];
    for (codecs, media, codec, format) in rows {
        let mut house = house(Transport::Udp, codecs, SrtpPolicy::Offered);
        let mut dialog = dialog();
        invites(&mut house, &mut dialog, media, "");
        assert_eq!(answer(&mut house, &mut dialog).media[0].formats, [format], "{codecs:?} {media}");
        assert_eq!(sound(&house).codec, codec, "{codecs:?} {media}");
    }
    let mut house = house(Transport::Udp, &[Pcma], SrtpPolicy::Offered);
    invites(&mut house, &mut dialog(), "RTP/AVP 9", "");
    assert!(head(&house.next("488"), Name::Warning).starts_with("305 "));
}

#[test]
fn encrypted_offers_over_tls_are_answered_with_a_key_and_without_tls_refused() {
    let pcma = &[CodecName::Pcma];
    for policy in [SrtpPolicy::Offered, SrtpPolicy::Required] {
        let mut house = house(Transport::Tls, pcma, policy);
        let mut dialog = dialog();
        invites(&mut house, &mut dialog, "RTP/SAVP 8", KEY);
        let answered = answer(&mut house, &mut dialog);
        let line = Crypto::read(&answered.media[0].crypto[0]).expect("ours");
        assert_eq!((line.tag, line.suite, answered.media[0].crypto.len()), (4, "AES_CM_128_HMAC_SHA1_32", 1));
        let srtp = sound(&house).srtp.clone().expect("keys");
        assert_eq!(
            (srtp.suite, &srtp.ours.0[..30]),
            (SrtpSuite::AesCm128HmacSha1_32, &line.key_and_salt[..])
        );
        // Hold: the same keys.
        invites(&mut house, &mut dialog, "RTP/SAVP 8", &format!("{KEY}a=sendonly\r\n"));
        let held = Sdp::parse(house.next("200").body()).expect("a description");
        assert_eq!(held.media[0].crypto, answered.media[0].crypto);
        assert_eq!(sound(&house).srtp.as_ref(), Some(&srtp));
    }
    let rows: [(Transport, SrtpPolicy, &str, &str, &str); 7] = [
        (Transport::Udp, SrtpPolicy::Offered, "RTP/SAVP 8", KEY, "302 "),
        (Transport::Tcp, SrtpPolicy::Offered, "RTP/SAVP 8", KEY, "302 "),
        (Transport::Udp, SrtpPolicy::Required, "RTP/SAVP 8", KEY, "302 "),
        (Transport::Tls, SrtpPolicy::Off, "RTP/SAVP 8", KEY, "302 "),
        (Transport::Tls, SrtpPolicy::Required, "RTP/AVP 8", "", "302 "),
        (Transport::Tls, SrtpPolicy::Offered, "RTP/SAVP 8", ODD_KEY, "306 "),
        (Transport::Tls, SrtpPolicy::Required, "RTP/SAVP 8", ODD_KEY, "306 "),
    ];
    for (transport, policy, media, lines, warning) in rows {
        let mut house = house(transport, pcma, policy);
        invites(&mut house, &mut dialog(), media, lines);
        let refusal: Message = house.next("488");
        let what = format!("{transport:?} {policy:?} {media} {lines}");
        assert!(head(&refusal, Name::Warning).starts_with(warning), "{what}: {refusal:?}");
        assert_eq!((house.board.calls().len(), house.board.ports_in_use()), (0, 0), "{what}");
    }
}
