//! One leg: our side of one dialog, with its descriptions and what the media engine knows of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::digits::Digits;
use super::early::Early;
use super::negotiate::{self, Agreed, Disagreement, G729, KeySeed, Keys, Local, Taste, Terms};
use super::{Call, Command};
use crate::id::{Dice, LegId};
use crate::media::Order;
use crate::media::order::{Codec, Flow, Group, PortSlot, Watches};
use crate::routing::Plan;
use crate::routing::trunk_terms::Dtmf;
use crate::sip::sdp::Sdp;

/// One leg.
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) slot: PortSlot,
    /// Where its signalling comes from.
    pub(super) peer: IpAddr,
    /// Our address in its descriptions.
    pub(super) ip: IpAddr,
    /// What the operator allows for it.
    pub(super) terms: Terms,
    /// Its keys are drawn here; `None`: its signalling is in the clear, and cannot tell any.
    keys: Option<Box<Dice>>,
    session: u64,
    version: u64,
    /// Our last description.
    pub(super) described: Option<Sdp>,
    pub(super) agreed: Option<Agreed>,
    /// The offer whose answer, though made, has not been sent yet: it may still become another.
    pub(super) unsent: Option<Arc<Sdp>>,
    /// What came with provisional responses, before the answer.
    early: Early,
    /// The sound to come is another telephone's than the one before.
    new_peer: bool,
    open: bool,
    /// A 200 of ours carried an offer: the ACK brings the answer.
    pub(super) offering: bool,
    /// Its keys, as they were told.
    pub(super) presses: Digits,
    /// It took no keys by INFO: they go as tones until the call is over.
    pub(super) refused_info: bool,
}

impl Leg {
    pub(super) fn new(
        id: LegId,
        slot: PortSlot,
        (peer, ip): (IpAddr, IpAddr),
        session: u64,
        terms: Terms,
    ) -> Self {
        Leg {
            id,
            slot,
            peer,
            ip,
            terms,
            keys: None,
            session,
            version: 1,
            described: None,
            agreed: None,
            unsent: None,
            early: Early::default(),
            new_peer: false,
            open: false,
            offering: false,
            presses: Digits::default(),
            refused_info: false,
        }
    }

    /// What our descriptions of this leg say.
    pub(super) fn local(&self, plan: &Plan) -> Local {
        let port = u32::from(plan.network.rtp_ports.0) + 2 * self.slot.0;
        Local {
            ip: self.ip,
            port: u16::try_from(port).unwrap_or(u16::MAX),
            session: self.session,
            version: self.version,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the peer holds: it asked not to hear us.
    pub(super) fn is_holding(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| matches!(agreed.flow, Flow::RecvOnly | Flow::Inactive))
    }

    /// What this leg has, for the other to have the same.
    pub(super) fn taste(&self) -> Taste {
        self.agreed.as_ref().map_or_else(Taste::default, |agreed| Taste {
            codec: Some(agreed.codec),
            packet_ms: agreed.packet_ms,
            g729: match agreed.codec {
                Codec::G729 => G729::Must { annexb: agreed.annexb },
                _ => G729::No,
            },
        })
    }

    pub(super) fn codec(&self) -> Option<Codec> {
        self.agreed.as_ref().map(|agreed| agreed.codec)
    }

    /// Its signalling is over TLS from here on, and can tell keys, or is not. Whether that is enough for
    /// what the operator wants.
    pub(super) fn signals_by(&mut self, keys: Option<&KeySeed>) -> bool {
        self.keys = keys.map(|seed| Box::new(seed.dice()));
        !self.terms.are_void(keys.is_some())
    }

    pub(super) fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    /// Whether keys come in the stream of sound (RFC 4733).
    pub(super) fn has_telephone_event(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.dtmf.is_some())
    }

    /// Whether keys are pressed on it by signalling (INFO).
    pub(super) fn takes_info(&self) -> bool {
        self.terms.dtmf == Dtmf::Info && !self.refused_info
    }

    pub(super) fn described(&self) -> Option<&Sdp> {
        self.described.as_ref()
    }

    /// Answers an offer; the answer is then [`Leg::described`]. Whether the sound changes by it: an
    /// offer that says what the last one said changes nothing (RFC 3264 §8).
    pub(super) fn take_offer(
        &mut self,
        offer: &Sdp,
        local: Local,
        taste: Taste,
    ) -> Result<bool, Disagreement> {
        let current = self.agreed.as_ref().and_then(|agreed| agreed.srtp.as_deref());
        let keys = Keys { dice: self.keys.as_deref_mut(), current, anew: false };
        let (sdp, agreed) = negotiate::answer(offer, local, taste, &self.terms, keys)?;
        self.describe(sdp);
        Ok(self.agree(agreed))
    }

    /// Makes an offer; [`Leg::take_answer`] follows.
    pub(super) fn make_offer(&mut self, local: Local, taste: Taste) -> Sdp {
        self.offer(local, taste, false)
    }

    fn offer(&mut self, local: Local, taste: Taste, anew: bool) -> Sdp {
        let current = self.agreed.as_ref().and_then(|agreed| agreed.srtp.as_deref());
        let keys = Keys { dice: self.keys.as_deref_mut(), current, anew };
        let sdp = negotiate::offer(local, taste, &self.terms, keys, self.described.as_ref());
        self.describe(sdp)
    }

    /// Goes on with a dialog that was described so last: `o=` counts on from there, and its streams keep
    /// their places (RFC 3264 §8).
    pub(super) fn take_up(&mut self, described: Sdp) {
        (self.session, self.version) = described.origin;
        self.described = Some(described);
    }

    /// The answer to our offer. Whether the sound changes by it.
    pub(super) fn take_answer(&mut self, answer: &Sdp) -> Result<bool, Disagreement> {
        let offered = self.described.as_ref().ok_or(Disagreement::Streams)?;
        let agreed = negotiate::accept(offered, answer, &self.terms)?;
        Ok(self.agree(agreed))
    }

    /// A description in a provisional response. Whether the sound changes by it; see [`Early`].
    pub(super) fn take_early(&mut self, answer: &Sdp) -> Result<bool, Disagreement> {
        if !self.early.is_newest(answer) {
            return Ok(false);
        }
        self.take_of_fork(answer)
    }

    /// The description of the 2xx, which counts whatever came before it; without one the newest of
    /// the provisional responses is the answer, as it is where that response was reliable (RFC 3262
    /// §5). RFC 3261 §13.2.1 would have all but the first of one dialog ignored; but gateways are
    /// many that play from one place and talk from another.
    pub(super) fn take_final(&mut self, answer: Option<&Sdp>) -> Result<bool, Disagreement> {
        match answer {
            Some(answer) => self.take_of_fork(answer),
            None if self.early.is_empty() || self.agreed.is_none() => Err(Disagreement::NoAudio),
            None => Ok(false),
        }
    }

    /// Before the answer another address is another telephone's.
    fn take_of_fork(&mut self, answer: &Sdp) -> Result<bool, Disagreement> {
        let before = self.agreed.as_ref().map(|agreed| agreed.remote);
        let changes = self.take_answer(answer)?;
        let after = self.agreed.as_ref().map(|agreed| agreed.remote);
        self.new_peer |= before.is_some() && before != after;
        Ok(changes)
    }

    /// Another telephone, whose signalling comes from `peer`, takes over: what the last one still sends
    /// is not heard, and what we send it cannot decipher. Our description for it; without an offer of
    /// its own, [`Leg::take_answer`] follows.
    pub(super) fn take_over(
        &mut self,
        offer: Option<&Sdp>,
        local: Local,
        peer: IpAddr,
        keys: Option<&KeySeed>,
    ) -> Result<Sdp, Disagreement> {
        let taste = self.taste();
        let before = (self.keys.take(), self.agreed.as_mut().and_then(|agreed| agreed.srtp.take()));
        let described = match (self.signals_by(keys), offer) {
            (false, _) => Err(Disagreement::NoTransport),
            (true, None) => Ok(self.offer(local, taste, true)),
            (true, Some(offer)) => self.take_offer(offer, local, taste).and_then(|_| {
                self.described.clone().ok_or(Disagreement::Streams) // Just made.
            }),
        };
        match &described {
            Ok(_) => (self.peer, self.new_peer) = (peer, true),
            Err(_) => {
                self.keys = before.0;
                if let Some(agreed) = &mut self.agreed {
                    agreed.srtp = before.1;
                }
            }
        }
        described
    }

    fn agree(&mut self, agreed: Agreed) -> bool {
        let changes = self.agreed.as_ref() != Some(&agreed);
        self.agreed = Some(agreed);
        changes
    }

    /// The version of `o=` grows with each description that differs from the last (RFC 3264 §8).
    fn describe(&mut self, mut sdp: Sdp) -> Sdp {
        if self.described.as_ref().is_some_and(|last| *last != sdp) {
            self.version += 1;
            sdp.origin.1 = self.version;
        }
        self.described.insert(sdp).clone()
    }

    /// The order that makes the media engine know what was agreed.
    pub(super) fn sound_order(
        &mut self,
        group: Group,
        silence_max: Duration,
        watches: Watches,
    ) -> Option<Order> {
        let agreed = self.agreed.as_ref()?;
        // Whoever holds us may send nothing, and is only asked whether it is there: without that, a
        // phone that goes dead while it holds would leave the other with music for ever.
        let mut config = Box::new(agreed.config(self.slot, group, self.peer, silence_max));
        config.watches = watches;
        config.keys_told = self.takes_info();
        config.new_peer = std::mem::take(&mut self.new_peer) && self.open;
        let order = if self.open {
            Order::Change { leg: self.id, config }
        } else {
            Order::Open { leg: self.id, config }
        };
        self.open = true;
        Some(order)
    }
}

impl Call {
    /// Opens a leg's sound, or changes it to what was agreed last.
    pub(super) fn tune(&mut self, leg: LegId) {
        let (group, network) = (self.group, &self.plan.network);
        let silence_max = network.silence_max;
        let watches = Watches { mute: network.mute_max, one_way: network.one_way_max };
        let order = self.leg_mut(leg).and_then(|leg| leg.sound_order(group, silence_max, watches));
        if let Some(order) = order {
            self.push(Command::Sound(order));
        }
    }
}
