//! SDES row by row: RFC 4568 §5 to §7, RFC 7714 §14.2, RFC 8643, and the operator's policy.

use std::time::Duration;

use super::*;
use crate::id::Dice;
use crate::media::order::{Srtp, SrtpSuite};
use crate::routing::sound::SrtpPolicy;
use crate::sip::sdes::Crypto;
use crate::sip::sdp::CryptoLine;

/// 30 and 28 and 44 bytes.
const KEY_30: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const KEY_28: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubA==";
const KEY_44: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVzWVNfX19zZW1jdGwgKCk=";

fn terms(srtp: SrtpPolicy) -> Terms {
    Terms { srtp, ..Terms::default() }
}

/// `SHA80 KEY` and their kin spelt out.
fn spelt(lines: &[&str]) -> Sdp {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| {
            line.replace("SHA80", "AES_CM_128_HMAC_SHA1_80")
                .replace("SHA32", "AES_CM_128_HMAC_SHA1_32")
                .replace("GCM128", "AEAD_AES_128_GCM")
                .replace("GCM256", "AEAD_AES_256_GCM")
                .replace("KEY30", KEY_30)
                .replace("KEY28", KEY_28)
                .replace("KEY44", KEY_44)
        })
        .collect();
    read(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// One side of a leg over TLS.
struct Side {
    terms: Terms,
    dice: Dice,
    srtp: Option<Box<Srtp>>,
    last: Option<Sdp>,
}

impl Side {
    fn new(srtp: SrtpPolicy, seed: u64) -> Side {
        Side { terms: terms(srtp), dice: Dice::seeded(seed), srtp: None, last: None }
    }

    fn offers(&mut self) -> Sdp {
        let keys = Keys { dice: Some(&mut self.dice), current: self.srtp.as_deref(), anew: false };
        let sdp = super::super::offer(LOCAL, Taste::default(), &self.terms, keys, self.last.as_ref());
        self.last.insert(sdp).clone()
    }

    fn answers(&mut self, offered: &Sdp) -> Result<(Sdp, Agreed), Disagreement> {
        let keys = Keys { dice: Some(&mut self.dice), current: self.srtp.as_deref(), anew: false };
        let (sdp, agreed) = super::super::answer(offered, LOCAL, Taste::default(), &self.terms, keys)?;
        (self.last, self.srtp) = (Some(sdp.clone()), agreed.srtp.clone());
        Ok((sdp, agreed))
    }

    fn accepts(&mut self, answered: &Sdp) -> Result<Agreed, Disagreement> {
        let agreed = super::super::accept(self.last.as_ref().unwrap(), answered, &self.terms)?;
        self.srtp = agreed.srtp.clone();
        Ok(agreed)
    }
}

fn crypto(sdp: &Sdp) -> Vec<(u32, String)> {
    let live = sdp.media.iter().find(|media| media.port != 0).unwrap();
    let read = |line| Crypto::read(line).map(|read| (read.tag, read.suite.to_owned())).unwrap();
    live.crypto.iter().map(read).collect()
}

/// §5.1.2: the first line that can be used, with its own tag and suite, and a key of ours.
#[test]
fn of_several_suites_the_first_that_we_know_is_answered_row_by_row() {
    use SrtpSuite::*;
    let rows: [(&[&str], u32, SrtpSuite); 10] = [
        (&["a=crypto:1 SHA80 inline:KEY30"], 1, AesCm128HmacSha1_80),
        (&["a=crypto:7 SHA32 inline:KEY30"], 7, AesCm128HmacSha1_32),
        (&["a=crypto:2 SHA32 inline:KEY30", "a=crypto:1 SHA80 inline:KEY30"], 2, AesCm128HmacSha1_32),
        (&["a=crypto:1 GCM128 inline:KEY28"], 1, AeadAes128Gcm),
        (&["a=crypto:1 GCM256 inline:KEY44"], 1, AeadAes256Gcm),
        (
            &["a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:x", "a=crypto:2 SHA80 inline:KEY30"],
            2,
            AesCm128HmacSha1_80,
        ),
        (
            &["a=crypto:1 F8_128_HMAC_SHA1_80 inline:KEY30", "a=crypto:2 GCM128 inline:KEY28"],
            2,
            AeadAes128Gcm,
        ),
        (&["a=crypto:1 SHA80 inline:KEY28", "a=crypto:2 SHA32 inline:KEY30"], 2, AesCm128HmacSha1_32),
        (
            &["a=crypto:1 SHA80 inline:KEY30|2^20|1:4", "a=crypto:2 SHA80 inline:KEY30|2^20"],
            2,
            AesCm128HmacSha1_80,
        ),
        (
            &["a=crypto:1 SHA80 inline:KEY30 KDR=1", "a=crypto:2 SHA80 inline:KEY30 WSH=128"],
            2,
            AesCm128HmacSha1_80,
        ),
    ];
    for (lines, tag, suite) in rows {
        for profile in ["RTP/SAVP", "RTP/SAVPF"] {
            let m = format!("m=audio 4000 {profile} 8");
            let offered = spelt(&[&[m.as_str()], lines].concat());
            let mut we = Side::new(SrtpPolicy::Offered, 1);
            let (sdp, agreed) = we.answers(&offered).unwrap_or_else(|fault| panic!("{lines:?}: {fault}"));
            let srtp = agreed.srtp.expect("keys");
            assert_eq!(srtp.suite, suite, "{lines:?}");
            assert_eq!(
                (sdp.media[0].protocol.as_str(), sdp.media[0].crypto.len()),
                (profile, 1),
                "{lines:?}"
            );
            let line = Crypto::read(&sdp.media[0].crypto[0]).unwrap();
            assert_eq!(line.tag, tag, "{lines:?}");
            let (key, salt) = suite.lengths();
            assert_eq!(line.key_and_salt, srtp.ours.0[..key + salt], "what we say is what we send with");
            assert_eq!(srtp.theirs.0[..4], *b"YS__", "what they say is what they send with");
            assert!(srtp.ours != srtp.theirs && srtp.ours.0[key + salt..].iter().all(|byte| *byte == 0));
        }
    }
}

/// Policy, and what the m-line says: taken with keys, in the clear, or refused.
#[test]
fn each_policy_takes_and_refuses_offers_row_by_row() {
    use Disagreement::{NoKey, NoTransport};
    use SrtpPolicy::{Off, Offered, Required};
    const LINE: &str = "a=crypto:1 SHA80 inline:KEY30";
    const ODD: &str = "a=crypto:1 SHA80 inline:KEY30 UNENCRYPTED_SRTP";
    let plain: &[&str] = &["m=audio 4000 RTP/AVP 8"];
    let secure: &[&str] = &["m=audio 4000 RTP/SAVP 8", LINE];
    let either: &[&str] = &["m=audio 4000 RTP/AVP 8", LINE];
    let odd: &[&str] = &["m=audio 4000 RTP/SAVP 8", ODD];
    let odd_either: &[&str] = &["m=audio 4000 RTP/AVP 8", ODD];
    let bare: &[&str] = &["m=audio 4000 RTP/SAVP 8"];
    let dtls: &[&str] = &["m=audio 4000 UDP/TLS/RTP/SAVPF 8", "a=fingerprint:sha-256 AA:BB"];
    let both: &[&str] = &["m=audio 4000 RTP/AVP 8", "m=audio 4002 RTP/SAVP 8", LINE];
    type Taken = Result<bool, Disagreement>;
    let rows: [(SrtpPolicy, bool, &[&str], Taken); 24] = [
        (Off, true, plain, Ok(false)),
        (Off, true, secure, Err(NoTransport)),
        (Off, true, either, Ok(false)),
        (Off, true, both, Ok(false)),
        (Offered, true, plain, Ok(false)),
        (Offered, true, secure, Ok(true)),
        (Offered, true, either, Ok(true)), // RFC 8643 §3
        (Offered, true, both, Ok(true)),
        (Offered, true, odd, Err(NoKey)),
        (Offered, true, odd_either, Ok(false)),
        (Offered, true, bare, Err(NoTransport)),
        (Offered, true, dtls, Err(NoTransport)),
        (Required, true, plain, Err(NoTransport)),
        (Required, true, secure, Ok(true)),
        (Required, true, either, Ok(true)),
        (Required, true, both, Ok(true)),
        (Required, true, odd, Err(NoKey)),
        (Required, true, odd_either, Err(NoKey)),
        (Required, true, dtls, Err(NoTransport)),
        // Signalling in the clear: no key is told, whatever the policy.
        (Offered, false, plain, Ok(false)),
        (Offered, false, secure, Err(NoTransport)),
        (Offered, false, either, Ok(false)),
        (Required, false, plain, Err(NoTransport)),
        (Required, false, secure, Err(NoTransport)),
    ];
    for (policy, tls, lines, wanted) in rows {
        let mut dice = Dice::seeded(1);
        let keys = Keys { dice: tls.then_some(&mut dice), ..Keys::default() };
        let got = super::super::answer(&spelt(lines), LOCAL, Taste::default(), &terms(policy), keys);
        let what = format!("{policy:?}, TLS {tls}: {lines:?}");
        assert_eq!(
            got.as_ref().map(|(_, agreed)| agreed.srtp.is_some()).map_err(|why| *why),
            wanted,
            "{what}"
        );
        if let Ok((sdp, agreed)) = got {
            let live = sdp.media.iter().find(|media| media.port != 0).unwrap();
            assert_eq!(live.crypto.len(), usize::from(agreed.srtp.is_some()), "{what}");
            let refused = sdp.media.iter().filter(|media| media.port == 0);
            assert!(refused.into_iter().all(|media| media.crypto.is_empty()), "{what}");
        }
    }
    assert_eq!((NoTransport.warning(), NoKey.warning()), (Warning::Transport, Warning::Attribute));
}

#[test]
fn our_offers_are_secure_or_may_be_or_are_plain_as_the_policy_says() {
    let suites =
        ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"];
    let tagged: Vec<(u32, String)> = (1..).zip(suites).map(|(tag, suite)| (tag, suite.to_owned())).collect();
    for (policy, protocol) in [(SrtpPolicy::Required, "RTP/SAVP"), (SrtpPolicy::Offered, "RTP/AVP")] {
        let offered = Side::new(policy, 1).offers();
        assert_eq!(offered.media.len(), 1, "one m-line: many take two for two streams");
        assert_eq!(offered.media[0].protocol, protocol);
        assert_eq!(crypto(&offered), tagged, "{policy:?}");
    }
    let off = Side::new(SrtpPolicy::Off, 1).offers();
    assert_eq!((off.media[0].protocol.as_str(), off.media[0].crypto.len()), ("RTP/AVP", 0));
    let clear = offer(LOCAL, Taste::default(), None);
    assert_eq!(clear.media[0].crypto, [], "no key is told in the clear");
    // Each key of its own, in each offer, and from its own dice only.
    let mut seen = std::collections::BTreeSet::new();
    for seed in [1, 2] {
        let mut side = Side::new(SrtpPolicy::Required, seed);
        for _ in 0..2 {
            side.last = None;
            let offered = side.offers();
            let keys =
                offered.media[0].crypto.iter().map(|CryptoLine(line)| line.split(':').next_back().unwrap());
            assert!(keys.into_iter().all(|key| seen.insert(key.to_owned())), "a key was drawn twice");
        }
    }
    assert_eq!(Side::new(SrtpPolicy::Required, 1).offers(), Side::new(SrtpPolicy::Required, 1).offers());
}

/// §5.1.3, and RFC 8643 §4 for answers in the clear.
#[test]
fn answers_to_our_offer_are_judged_row_by_row() {
    use Disagreement::{NoKey, NoTransport};
    use SrtpPolicy::{Offered, Required};
    type Agreement = Result<Option<SrtpSuite>, Disagreement>;
    let rows: [(SrtpPolicy, &[&str], Agreement); 14] = [
        (
            Required,
            &["m=audio 4000 RTP/SAVP 8", "a=crypto:3 SHA80 inline:KEY30"],
            Ok(Some(SrtpSuite::AesCm128HmacSha1_80)),
        ),
        (
            Required,
            &["m=audio 4000 RTP/SAVP 8", "a=crypto:4 SHA32 inline:KEY30"],
            Ok(Some(SrtpSuite::AesCm128HmacSha1_32)),
        ),
        (
            Required,
            &["m=audio 4000 RTP/SAVP 8", "a=crypto:1 GCM256 inline:KEY44"],
            Ok(Some(SrtpSuite::AeadAes256Gcm)),
        ),
        (
            Required,
            &["m=audio 4000 RTP/SAVP 8", "a=crypto:2 GCM128 inline:KEY28"],
            Ok(Some(SrtpSuite::AeadAes128Gcm)),
        ),
        (Required, &["m=audio 4000 RTP/SAVP 8", "a=crypto:4 SHA80 inline:KEY30"], Err(NoKey)),
        (Required, &["m=audio 4000 RTP/SAVP 8", "a=crypto:9 SHA80 inline:KEY30"], Err(NoKey)),
        (Required, &["m=audio 4000 RTP/SAVP 8", "a=crypto:3 SHA80 inline:KEY28"], Err(NoKey)),
        (
            Required,
            &["m=audio 4000 RTP/SAVP 8", "a=crypto:3 SHA80 inline:KEY30", "a=crypto:4 SHA32 inline:KEY30"],
            Err(NoKey),
        ),
        (Required, &["m=audio 4000 RTP/SAVP 8"], Err(NoKey)),
        (Required, &["m=audio 4000 RTP/AVP 8"], Err(NoTransport)),
        (Offered, &["m=audio 4000 RTP/AVP 8"], Ok(None)),
        (
            Offered,
            &["m=audio 4000 RTP/AVP 8", "a=crypto:3 SHA80 inline:KEY30"],
            Ok(Some(SrtpSuite::AesCm128HmacSha1_80)),
        ),
        (Offered, &["m=audio 4000 RTP/AVP 8", "a=crypto:9 SHA80 inline:KEY30"], Err(NoKey)),
        (Offered, &["m=audio 4000 RTP/SAVP 8", "a=crypto:3 SHA80 inline:KEY30"], Err(NoTransport)),
    ];
    for (policy, lines, wanted) in rows {
        let mut we = Side::new(policy, 1);
        let offered = we.offers();
        let got = we.accepts(&spelt(lines));
        assert_eq!(
            got.as_ref().map(|agreed| agreed.srtp.as_ref().map(|srtp| srtp.suite)).map_err(|why| *why),
            wanted,
            "{policy:?}: {lines:?}"
        );
        if let Ok(Some(srtp)) = got.map(|agreed| agreed.srtp) {
            let said = offered.media[0].crypto.iter().map(|line| Crypto::read(line).unwrap().key_and_salt);
            let (key, salt) = srtp.suite.lengths();
            assert!(said.into_iter().any(|said| said == srtp.ours.0[..key + salt]));
        }
    }
    // Our own key come back: one key both ways is a two-time pad.
    let mut we = Side::new(SrtpPolicy::Required, 1);
    let mut reflected = we.offers();
    reflected.media[0].crypto.truncate(1);
    assert_eq!(we.accepts(&reflected), Err(NoKey));
    let mut we = Side::new(SrtpPolicy::Required, 1);
    let (said, _) =
        we.answers(&spelt(&["m=audio 4000 RTP/SAVP 8", "a=crypto:1 SHA80 inline:KEY30"])).unwrap();
    assert_eq!(we.answers(&said).unwrap_err(), NoKey);
}

/// §6.1: a key lasts for the packets of the longest call.
#[test]
fn a_key_for_fewer_packets_than_the_longest_call_has_is_not_taken() {
    let rows = [
        ("2^20", 4, true),
        ("2^19", 4, false),
        ("720000", 4, true),
        ("719999", 4, false),
        ("2^31", 24, true),
        ("2^22", 24, false),
    ];
    for (lifetime, hours, taken) in rows {
        let line = format!("a=crypto:1 SHA80 inline:KEY30|{lifetime}");
        let mut we = Side::new(SrtpPolicy::Offered, 1);
        we.terms.longest = Duration::from_secs(hours * 3_600);
        let got = we.answers(&spelt(&["m=audio 4000 RTP/SAVP 8", &line]));
        assert_eq!(got.is_ok(), taken, "{lifetime} for {hours} h");
    }
}

/// §7.1.4: hold, resume and another codec leave keys as they are; a new key of theirs leaves ours.
#[test]
fn keys_stay_in_later_offers_and_answers_unless_they_change_them() {
    let mut we = Side::new(SrtpPolicy::Offered, 1);
    let mut they = Side::new(SrtpPolicy::Required, 2);
    let first = they.offers();
    let (answered, agreed) = we.answers(&first).unwrap();
    let theirs = they.accepts(&answered).unwrap().srtp.unwrap();
    let ours = agreed.srtp.unwrap();
    assert_eq!((&ours.ours, &ours.theirs), (&theirs.theirs, &theirs.ours), "both understand the same");

    let mut held = they.offers();
    held.media[0].direction = Some(Direction::SendOnly);
    they.last = Some(held.clone());
    assert_eq!(crypto(&held), crypto(&answered), "the one line that is in use, under its tag");
    let (again, agreed) = we.answers(&held).unwrap();
    assert_eq!((agreed.flow, agreed.srtp.as_ref()), (Flow::RecvOnly, Some(&ours)));
    assert_eq!(they.accepts(&again).unwrap().srtp.as_ref(), Some(&theirs));

    // We are asked for an offer: nothing new in it.
    let offered = we.offers();
    assert_eq!((offered.media[0].protocol.as_str(), offered.media[0].crypto.len()), ("RTP/SAVP", 1));
    assert_eq!(offered.media[0].crypto, again.media[0].crypto);
    let (late, agreed) = they.answers(&offered).unwrap();
    assert_eq!(agreed.srtp.as_ref(), Some(&theirs));
    assert_eq!(we.accepts(&late).unwrap().srtp.as_ref(), Some(&ours));

    // A new key of theirs, and the same suite: ours goes on. Another suite: both are new.
    they.srtp = None;
    they.last = None;
    let (_, agreed) = we.answers(&they.offers()).unwrap();
    let renewed = agreed.srtp.unwrap();
    assert!(renewed.ours == ours.ours && renewed.theirs != ours.theirs);
    let other = spelt(&["m=audio 4000 RTP/SAVP 8", "a=crypto:1 SHA80 inline:KEY30"]);
    let changed = we.answers(&other).unwrap().1.srtp.unwrap();
    assert!(changed.suite != ours.suite && changed.ours != ours.ours);
}

/// What has to be encrypted stays so, though it began under a profile that does not insist (RFC 8643).
#[test]
fn an_answer_in_the_clear_is_refused_where_encryption_is_required_whatever_the_profile() {
    let mut we = Side::new(SrtpPolicy::Required, 1);
    let opened = spelt(&["m=audio 4000 RTP/AVP 8", "a=crypto:1 SHA80 inline:KEY30"]);
    assert!(we.answers(&opened).unwrap().1.srtp.is_some());
    // A re-INVITE without an offer: ours says what is agreed on, and the answer comes with the ACK.
    let offered = we.offers();
    assert_eq!((offered.media[0].protocol.as_str(), offered.media[0].crypto.len()), ("RTP/AVP", 1));
    assert_eq!(we.accepts(&spelt(&["m=audio 4000 RTP/AVP 8"])), Err(Disagreement::NoKey));
    assert!(we.accepts(&opened).unwrap().srtp.is_some());
    let offered = we.offers();
    we.last = Some(Sdp { media: vec![Media { crypto: vec![], ..offered.media[0].clone() }], ..offered });
    assert_eq!(we.accepts(&spelt(&["m=audio 4000 RTP/AVP 8"])), Err(Disagreement::NoKey), "not even offered");
}

/// RFC 8643: neither side insists, and both can.
#[test]
fn encryption_that_may_be_declined_is_taken_where_both_can_and_stays() {
    let (mut we, mut they) = (Side::new(SrtpPolicy::Offered, 1), Side::new(SrtpPolicy::Offered, 2));
    let (answered, theirs) = they.answers(&we.offers()).unwrap();
    let ours = we.accepts(&answered).unwrap();
    assert!(ours.srtp.is_some() && theirs.srtp.is_some());
    let again = we.offers();
    assert_eq!((again.media[0].protocol.as_str(), again.media[0].crypto.len()), ("RTP/AVP", 1));
    let (mut we, mut they) = (Side::new(SrtpPolicy::Offered, 1), Side::new(SrtpPolicy::Off, 2));
    let (answered, _) = they.answers(&we.offers()).unwrap();
    assert_eq!(we.accepts(&answered).unwrap().srtp, None, "declined");
}

/// Somebody else takes over: what the last one knows is of no use to him.
#[test]
fn who_takes_over_gets_keys_of_his_own() {
    let mut we = Side::new(SrtpPolicy::Offered, 1);
    let (_, agreed) =
        we.answers(&spelt(&["m=audio 4000 RTP/SAVP 8", "a=crypto:1 SHA80 inline:KEY30"])).unwrap();
    let before = agreed.srtp.unwrap();
    let keys = Keys { dice: Some(&mut we.dice), current: None, anew: true };
    let offered = super::super::offer(LOCAL, Taste::default(), &we.terms, keys, we.last.as_ref());
    assert_eq!(offered.media[0].protocol, "RTP/AVP", "as to anybody new");
    let said: Vec<_> =
        offered.media[0].crypto.iter().map(|line| Crypto::read(line).unwrap().key_and_salt).collect();
    assert_eq!(said.len(), 4);
    assert!(said.iter().all(|said| *said != before.ours.0[..30]));
    // By signalling in the clear: no keys, and no profile that wants them.
    let clear = super::super::offer(
        LOCAL,
        Taste::default(),
        &we.terms,
        Keys { anew: true, ..Keys::default() },
        we.last.as_ref(),
    );
    assert_eq!((clear.media[0].protocol.as_str(), clear.media[0].crypto.len()), ("RTP/AVP", 0));
}

#[test]
fn a_key_is_shown_nowhere() {
    let mut we = Side::new(SrtpPolicy::Offered, 1);
    let (sdp, agreed) =
        we.answers(&spelt(&["m=audio 4000 RTP/SAVP 8", "a=crypto:1 SHA80 inline:KEY30"])).unwrap();
    let shown = format!("{sdp:?} {agreed:?} {:?}", KeySeed::draw(&mut Dice::seeded(1)));
    assert!(!shown.contains("inline") && !shown.contains("WVNf") && shown.contains("KeySeed(…)"), "{shown}");
}
