//! Proof of who we are towards trunks that ask: 401 and 407 answered, and what later requests say
//! at once (RFC 3261 §22.2–22.3, RFC 7616, RFC 8760).
//!
//! The sums are in `digest`; what our own peers must prove is in `auth`. A password is looked at
//! only to make HA1 of it, and neither is ever written out.

use secrecy::ExposeSecret;

use super::again::Changed;
use super::build::Draft;
use super::challenges::Challenges;
use super::digest::{self, Algorithm, Challenge, Credentials, Qop};
use super::endpoint::{Endpoint, User};
use super::event::{TrunkAccount, WayFailed};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::uac::Cancel;
use crate::id::TrunkId;
use crate::time::Now;

/// Most realms of one trunk that are remembered; the one known longest makes room.
const REALMS_MAX: usize = 4;
/// Most challenges that are answered for one request, whoever they are from.
const CHALLENGES_MAX: u8 = 4;
/// Most challenges of one response that are looked at, however many of them share a line.
const HEADERS_MAX: usize = 8;
/// Uses of one nonce before its count is used up.
const NC_MAX: u32 = u32::MAX;

/// How a request has fared with those who asked for proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Challenges answered so far.
    pub answered: u8,
    /// One of them said that our nonce was stale.
    pub stale: bool,
}

/// What a trunk's realms asked for last. Holds HA1: shown nowhere.
#[derive(Default)]
pub(super) struct Vouched {
    account: Option<TrunkAccount>,
    known: Vec<Known>,
}

struct Known {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    qop: bool,
    /// A proxy asked, by 407.
    proxy: bool,
    nc: u32,
    ha1: String,
}

impl Vouched {
    /// Takes the account of a plan; another one than before forgets what was asked. Whether it is another one.
    pub(super) fn configure(&mut self, account: Option<&TrunkAccount>) -> bool {
        let same = match (&self.account, account) {
            (Some(old), Some(new)) => {
                old.user == new.user
                    && old.realm == new.realm
                    && old.password.expose_secret() == new.password.expose_secret()
            }
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.known.clear();
            self.account = account.cloned();
        }
        !same
    }

    /// Takes a challenge over.
    fn learn(&mut self, challenge: &Challenge<'_>, proxy: bool) {
        let Some(account) = &self.account else { return };
        let password = account.password.expose_secret().as_bytes();
        let ha1 = digest::ha1(challenge.algorithm, account.user.as_bytes(), &challenge.realm, password);
        let known = Known {
            realm: challenge.realm.to_vec(),
            nonce: challenge.nonce.to_vec(),
            opaque: challenge.opaque.as_ref().map(|opaque| opaque.to_vec()),
            algorithm: challenge.algorithm,
            qop: challenge.qop_auth,
            proxy,
            nc: 0,
            ha1,
        };
        self.forget(&challenge.realm, proxy);
        if self.known.len() == REALMS_MAX {
            self.known.remove(0);
        }
        self.known.push(known);
    }

    fn forget(&mut self, realm: &[u8], proxy: bool) {
        self.known.retain(|known| known.realm != realm || known.proxy != proxy);
    }

    /// The header lines that prove a request: one for each realm that has asked.
    fn prove(&mut self, method: &Method, uri: &[u8], cnonce: &str) -> Vec<(&'static str, Vec<u8>)> {
        let Some(account) = &self.account else { return Vec::new() };
        self.known.retain(|known| known.nc < NC_MAX);
        let prove = |known: &mut Known| {
            known.nc += 1;
            let qop = known.qop.then(|| Qop { nc: known.nc, cnonce: cnonce.as_bytes().into() });
            let (algorithm, nonce) = (known.algorithm, &known.nonce[..]);
            let proof = digest::response(algorithm, &known.ha1, method, uri, nonce, qop.as_ref());
            let credentials = Credentials {
                username: account.user.as_bytes().into(),
                realm: known.realm[..].into(),
                nonce: nonce.into(),
                uri: uri.into(),
                response: proof.as_bytes().into(),
                algorithm,
                qop,
                opaque: known.opaque.as_deref().map(Into::into),
            };
            (if known.proxy { "Proxy-Authorization" } else { "Authorization" }, credentials.to_value())
        };
        self.known.iter_mut().map(prove).collect()
    }
}

impl Endpoint {
    /// Adds to a request what proves us at `trunk`, where it has asked before (RFC 3261 §22.3).
    pub(super) fn vouch(&mut self, mut draft: Draft, trunk: Option<&TrunkId>, method: &Method) -> Draft {
        let Some(state) = trunk.and_then(|trunk| self.trunks.get_mut(trunk)) else { return draft };
        if state.vouched.known.is_empty() {
            return draft;
        }
        let cnonce = self.dice.hex(16);
        let uri = draft.uri().to_vec();
        for (name, value) in state.vouched.prove(method, &uri, &cnonce) {
            draft = draft.header(name, value);
        }
        draft
    }

    /// 401 or 407: sends the request again with proof, under a new branch and the next CSeq
    /// (RFC 3261 §8.1.3.5). `false` where that cannot be, or has been already: then it is a refusal
    /// like any other.
    pub(super) fn answer_challenge(
        &mut self,
        tx: usize,
        request: &Message,
        response: &Message,
        now: Now,
    ) -> bool {
        let Some((trunk, proofs)) = self.may_answer(tx, request) else { return false };
        let Some(proofs) = self.learn_challenges(&trunk, proofs, request, response) else {
            self.trunks.count(&trunk, WayFailed::Credentials);
            return false;
        };
        self.send_again(tx, request, Some(&trunk), &Changed { proofs, min_se: None }, now)
    }

    /// Whose request it is, if it may be sent again: not one that is being taken back, nor a CANCEL
    /// (RFC 3261 §22.1).
    fn may_answer(&mut self, tx: usize, request: &Message) -> Option<(TrunkId, Proofs)> {
        let entry = self.table.get_mut(tx)?;
        let (proofs, peer) = (entry.proofs, entry.peer);
        let mut trunk = match &entry.user {
            User::Inviting(inviting) if inviting.given_up || !matches!(inviting.cancel, Cancel::No) => {
                return None;
            }
            User::Inviting(inviting) => inviting.trunk.clone(),
            User::Registering(trunk) => Some(trunk.as_ref().clone()),
            User::Proving(proving) => Some(proving.trunk.clone()),
            _ => None,
        };
        if matches!(request.method(), None | Some(Method::Ack | Method::Cancel)) {
            return None;
        }
        if trunk.is_none() {
            let session = self.session_that_said(request);
            trunk = session.and_then(|id| self.dialog_mut(id)?.trunk.clone());
        }
        // A BYE for a fork that nobody wants has no session: who asks is known by where it went.
        let trunk = trunk.or_else(|| {
            let has = |hops: &[super::transport::Hop]| hops.iter().any(|hop| hop.addr == peer);
            self.config.trunks.iter().find(|trunk| has(&trunk.hops)).map(|trunk| trunk.trunk.clone())
        })?;
        Some((trunk, proofs))
    }

    /// Takes over each realm's challenge. `None`: none that we can answer, or one that refuses what
    /// was made for it.
    fn learn_challenges(
        &mut self,
        trunk: &TrunkId,
        mut proofs: Proofs,
        request: &Message,
        response: &Message,
    ) -> Option<Proofs> {
        let state = self.trunks.get_mut(trunk)?;
        let proxy = response.status() == Some(407);
        let (asks, says) = match proxy {
            true => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
            false => (Name::WwwAuthenticate, Name::Authorization),
        };
        let only = state.vouched.account.as_ref()?.realm.clone();
        let mut chosen: Vec<Challenge<'_>> = Vec::new();
        for value in response.headers(asks).flat_map(Challenges::of).take(HEADERS_MAX) {
            let Ok(challenge) = Challenge::parse(value) else { continue };
            if only.as_ref().is_some_and(|only| only.as_bytes() != &*challenge.realm) {
                continue;
            }
            match chosen.iter_mut().find(|other| other.realm == challenge.realm) {
                None => chosen.push(challenge),
                // RFC 8760 §2.4 takes the topmost one that is known, unless policy says otherwise;
                // ours is to take the stronger, so that a line put in front weakens nothing.
                Some(other) if challenge.algorithm > other.algorithm => *other = challenge,
                Some(_) => {}
            }
        }
        let mut answered = false;
        for challenge in &chosen {
            let said = request
                .headers(says)
                .filter_map(|value| Credentials::parse(value).ok())
                .find(|said| said.realm == challenge.realm);
            // What was said unasked may be out of date. What was made for a nonce just given is
            // wrong, unless the nonce is said to have grown stale, once.
            let same = said.as_ref().is_some_and(|said| said.nonce == challenge.nonce);
            let fresh = match said.as_ref().map(|said| &said.qop) {
                Some(Some(qop)) => qop.nc == 1,
                Some(None) => proofs.answered > 0,
                None => false,
            };
            let refused = match fresh {
                true => same || !challenge.stale || proofs.stale,
                false => same && !challenge.stale,
            };
            if refused {
                state.vouched.forget(&challenge.realm, proxy);
                return None;
            }
            proofs.stale |= fresh;
            state.vouched.learn(challenge, proxy);
            answered = true;
        }
        proofs.answered += 1;
        (answered && proofs.answered <= CHALLENGES_MAX).then_some(proofs)
    }
}
