//! SRTP's keys in offers and answers (RFC 4568): which line is taken, and what we say.
//!
//! Encryption that is offered and may be declined goes out as RFC 8643 has it: `RTP/AVP` with
//! `a=crypto` lines. Telephones that know nothing of them answer in the clear; two m-lines, one of
//! each kind, many take for two streams, and `RTP/SAVP` alone others refuse. What has to be encrypted
//! is offered as `RTP/SAVP`.

use std::time::Duration;

use super::Disagreement;
use super::terms::{Keys, Terms};
use crate::id::Dice;
use crate::media::order::{MASTER_MAX, Master, Srtp, SrtpSuite};
use crate::routing::sound::SrtpPolicy;
use crate::sip::sdes::Crypto;
use crate::sip::sdp::{CryptoLine, Media};

/// The suites of our offers, the most wanted first (RFC 7714 §14.2, RFC 4568 §6.2).
const SUITES: [(SrtpSuite, &str); 4] = [
    (SrtpSuite::AeadAes256Gcm, "AEAD_AES_256_GCM"),
    (SrtpSuite::AeadAes128Gcm, "AEAD_AES_128_GCM"),
    (SrtpSuite::AesCm128HmacSha1_80, "AES_CM_128_HMAC_SHA1_80"),
    (SrtpSuite::AesCm128HmacSha1_32, "AES_CM_128_HMAC_SHA1_32"),
];
/// Milliseconds between packets, for how many a key has to last.
const PACKET_MS: u128 = 20;

/// A line whose key we can use.
#[derive(Clone, PartialEq, Eq)]
struct Usable {
    tag: u32,
    suite: SrtpSuite,
    master: Master,
}

impl Usable {
    /// `None`: another suite, a key of another length, one for fewer packets than the longest call has.
    fn read(line: &CryptoLine, longest: Duration) -> Option<Usable> {
        let crypto = Crypto::read(line).ok()?;
        let (suite, _) = SUITES.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(crypto.suite))?;
        let (key, salt) = suite.lengths();
        if crypto.key_and_salt.len() != key + salt
            || u128::from(crypto.lifetime) < longest.as_millis() / PACKET_MS
        {
            return None;
        }
        let mut master = Master([0; MASTER_MAX]);
        master.0[..key + salt].copy_from_slice(&crypto.key_and_salt);
        Some(Usable { tag: crypto.tag, suite, master })
    }

    fn line(&self) -> CryptoLine {
        let (key, salt) = self.suite.lengths();
        let name = SUITES.into_iter().find(|(suite, _)| *suite == self.suite).map_or("", |(_, name)| name);
        CryptoLine::of(self.tag, name, &self.master.0[..key + salt])
    }
}

fn draw(suite: SrtpSuite, dice: &mut Dice) -> Master {
    let (key, salt) = suite.lengths();
    let mut master = Master([0; MASTER_MAX]);
    dice.fill(&mut master.0[..key + salt]);
    master
}

/// How a stream's packets travel, by its m-line's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// RTP/AVP, and RTP/AVPF: without an `a=rtcp-fb` line in our answer no feedback is agreed on, our
    /// reports keep to RTP/AVP's pace, which AVPF allows (RFC 4585 §5), and feedback that comes all the
    /// same is passed over.
    Plain,
    /// RTP/SAVP and RTP/SAVPF (RFC 3711 §12, RFC 5124).
    Secure,
}

impl Profile {
    /// `None`: another one, like SRTP keyed by DTLS.
    pub(super) fn of(media: &Media) -> Option<Profile> {
        let is = |name: &&str| media.protocol.eq_ignore_ascii_case(name);
        match (["RTP/AVP", "RTP/AVPF"].iter().any(is), ["RTP/SAVP", "RTP/SAVPF"].iter().any(is)) {
            (true, _) => Some(Profile::Plain),
            (_, true) => Some(Profile::Secure),
            _ => None,
        }
    }
}

/// An offer's m-line under our terms.
pub(super) enum Verdict<'a> {
    /// In the clear.
    Plain,
    /// With this line's key.
    Encrypted(Chosen<'a>),
}

/// The line of an offer that we take.
pub(super) struct Chosen<'a> {
    theirs: Usable,
    current: Option<&'a Srtp>,
}

/// Whether and how the m-line of an offer can be taken (RFC 4568 §5.1.2): the first line whose key we
/// can use, for its order is the offerer's preference.
pub(super) fn judge<'a>(theirs: &Media, terms: &Terms, keys: &Keys<'a>) -> Result<Verdict<'a>, Disagreement> {
    let profile = Profile::of(theirs).ok_or(Disagreement::NoTransport)?;
    let may = terms.srtp != SrtpPolicy::Off && keys.dice.is_some();
    let must = profile == Profile::Secure || terms.srtp == SrtpPolicy::Required;
    if !may {
        return if must { Err(Disagreement::NoTransport) } else { Ok(Verdict::Plain) };
    }
    let reflected = |usable: &Usable| keys.current.is_some_and(|current| current.ours == usable.master);
    let chosen = theirs
        .crypto
        .iter()
        .filter_map(|line| Usable::read(line, terms.longest))
        // Our own key come back: both sides would cipher with one key (§6.1).
        .find(|usable| !reflected(usable));
    match chosen {
        Some(theirs) => Ok(Verdict::Encrypted(Chosen { theirs, current: keys.current })),
        None if !must => Ok(Verdict::Plain),
        None if theirs.crypto.is_empty() => Err(Disagreement::NoTransport),
        None => Err(Disagreement::NoKey),
    }
}

impl Chosen<'_> {
    /// Our line of the answer, with the same tag and suite (§5.1.2), and what both mean. Our key stays
    /// while its suite does: a context goes on where nothing has changed (§7.1.4).
    pub(super) fn answer(self, dice: &mut Dice) -> (CryptoLine, Srtp) {
        let Usable { tag, suite, master: theirs } = self.theirs;
        let ours = match self.current {
            Some(current) if current.suite == suite => current.ours.clone(),
            _ => draw(suite, dice),
        };
        let line = Usable { tag, suite, master: ours.clone() }.line();
        (line, Srtp { suite, ours, theirs })
    }
}

/// The protocol and the lines of an offer. `before` is the stream's m-line in our last description.
pub(super) fn offered(terms: &Terms, keys: Keys<'_>, before: Option<&Media>) -> (String, Vec<CryptoLine>) {
    let before = before.filter(|_| !keys.anew);
    let profile = before.and_then(Profile::of);
    let (Some(dice), SrtpPolicy::Offered | SrtpPolicy::Required) = (keys.dice, terms.srtp) else {
        let kept = before.filter(|_| profile == Some(Profile::Plain));
        return (kept.map_or_else(|| "RTP/AVP".into(), |media| media.protocol.clone()), Vec::new());
    };
    let in_use = |before: &Media| {
        let current = keys.current?;
        let ours = |line: &&CryptoLine| {
            let usable = Usable::read(line, Duration::ZERO);
            usable.is_some_and(|own| (own.suite, &own.master) == (current.suite, &current.ours))
        };
        before.crypto.iter().find(ours).cloned()
    };
    match before {
        // What is agreed on, and nothing new: the key stays, and so does its context (RFC 4568 §7.1.4).
        Some(before) if keys.current.is_some() => {
            let lines = in_use(before).into_iter().collect::<Vec<_>>();
            if !lines.is_empty() {
                return (before.protocol.clone(), lines);
            }
        }
        // In the clear by agreement.
        Some(before) if profile == Some(Profile::Plain) && before.crypto.is_empty() => {
            return (before.protocol.clone(), Vec::new());
        }
        _ => {}
    }
    let protocol = if terms.srtp == SrtpPolicy::Required { "RTP/SAVP" } else { "RTP/AVP" };
    let fresh = |((suite, _), tag)| Usable { tag, suite, master: draw(suite, dice) }.line();
    (protocol.into(), SUITES.into_iter().zip(1..).map(fresh).collect())
}

/// What the answer to our offer says of keys (RFC 4568 §5.1.3, RFC 8643 §4). `None`: in the clear.
pub(super) fn accepted(ours: &Media, theirs: &Media, terms: &Terms) -> Result<Option<Srtp>, Disagreement> {
    // A stream that began encrypted under RTP/AVP is offered as that again.
    let must = Profile::of(ours) == Some(Profile::Secure) || terms.srtp == SrtpPolicy::Required;
    if ours.crypto.is_empty() || (theirs.crypto.is_empty() && !must) {
        return if must { Err(Disagreement::NoKey) } else { Ok(None) };
    }
    let [line] = &theirs.crypto[..] else { return Err(Disagreement::NoKey) };
    let theirs = Usable::read(line, terms.longest).ok_or(Disagreement::NoKey)?;
    let ours = ours.crypto.iter().filter_map(|line| Usable::read(line, Duration::ZERO));
    let ours = ours.into_iter().find(|own| (own.tag, own.suite) == (theirs.tag, theirs.suite));
    match ours {
        Some(ours) if ours.master != theirs.master => {
            Ok(Some(Srtp { suite: ours.suite, ours: ours.master, theirs: theirs.master }))
        }
        _ => Err(Disagreement::NoKey),
    }
}
