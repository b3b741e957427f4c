//! Whom a clerk may call, and the house for a clerk. Toll fraud is the first worry here: what nobody wrote
//! into the plan is refused, whoever asks.
//!
//! Emergency numbers, sub-centers and departments go by their own peers; a number outside goes by
//! `[calling]`, if it begins as one of `allowed` does, digit by digit. Our own lines are for citizens.

use std::sync::Arc;

use super::meeting::SEATS;
use super::people::{ExpertGroup, Hours, Role};
use super::plan::{City, LineMode, Peer, Plan};
use super::reach::Reached;
use crate::id::{LineId, SeatId, TrunkId};

/// Digits of a number outside at most: fifteen of E.164 and an access code in front of them.
const DIGITS_MAX: usize = 18;
/// And at least: `114`.
const DIGITS_MIN: usize = 3;

/// Digits of a mobile number in China.
const MOBILE: usize = 11;
/// Codes of long-distance calls by IP begin so, and no mobile number: 17951 and any number in the world behind it.
const BY_IP: &str = "179";

/// Whom a number reaches for a clerk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callable {
    /// 110/119/120/122, by its own peer.
    Emergency(Peer),
    /// A sub-center, a department or another platform, by its own peer.
    Peer(Peer),
    /// Somebody outside, by `[calling]`.
    Outside(Peer),
    /// A clerk's telephone.
    Seat(SeatId),
    /// Whoever of these experts is free.
    Group(Arc<ExpertGroup>),
}

/// Why a number is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// Without `[calling]` nobody outside is.
    #[error("nobody outside is called: there is no [calling]")]
    NoCalling,
    /// A line of ours: callers queue for it.
    #[error("a line of our own")]
    OwnLine,
    /// It begins as none of `allowed` does, or is no number.
    #[error("not among the numbers that may be called")]
    NotAllowed,
}

impl Plan {
    /// Whom a seat's telephone dialled, by its Request-URI: a number outside stands behind
    /// `[calling] prefix`; others may, and need not.
    pub fn dialled_by_seat(&self, uri: &str) -> Result<Callable, Uncallable> {
        if let Some(callable) = self.ours_to_call(uri)? {
            return Ok(callable);
        }
        let dialled = self.city.number_here(uri).ok_or(Uncallable::NotAllowed)?;
        let calling = self.calling.as_ref().ok_or(Uncallable::NoCalling)?;
        let behind = dialled.strip_prefix(calling.prefix.as_str()).ok_or(Uncallable::NotAllowed)?;
        self.callable(behind)
    }

    /// Whom a number reaches, as a program writes it or a telephone dials it behind the prefix.
    pub fn callable(&self, number: &str) -> Result<Callable, Uncallable> {
        match self.ours_to_call(number)? {
            Some(callable) => Ok(callable),
            None => self.outside(number),
        }
    }

    /// The way to somebody outside whom a flow rings for a caller who does not know the number (挪车): one that
    /// `[calling]` allows, of a person's own ([`is_persons`]), and nobody's whom the plan names; never an
    /// emergency number, a service's, or a number behind the code of a long-distance carrier.
    pub fn relayable(&self, number: &str) -> Result<Peer, Uncallable> {
        let Callable::Outside(peer) = self.callable(number)? else { return Err(Uncallable::NotAllowed) };
        let fits = is_persons(&peer.number) && self.peer_of(&peer.number).is_none();
        if fits { Ok(peer) } else { Err(Uncallable::NotAllowed) }
    }

    /// Who of this number is named by the plan: a sub-center, a department, a platform, help in an emergency.
    pub fn peer_of(&self, number: &str) -> Option<&Peer> {
        let sub_centers = self.lines.values().filter_map(|line| line.mode.peer());
        let peers = self.emergency.values().chain(self.consulted().map(|(_, peer)| peer));
        peers.chain(sub_centers).find(|peer| peer.number == number)
    }

    /// The same of several that are called by one number: by whose way this trunk is, and where none is, whoever has
    /// the number.
    pub fn peer_by(&self, trunk: &TrunkId, number: &str) -> Option<&Peer> {
        let sub_centers = self.lines.values().filter_map(|line| line.mode.peer());
        let peers = self.emergency.values().chain(self.consulted().map(|(_, peer)| peer));
        let mut all = peers.chain(sub_centers).filter(|peer| peer.number == number);
        all.find(|peer| self.leads(&peer.trunk, trunk)).or_else(|| self.peer_of(number))
    }

    /// Whose number is shown to who is called, and whose call it is in the records.
    pub fn calling_line(&self) -> LineId {
        let primary = || self.lines.values().find(|line| matches!(line.mode, LineMode::Primary { .. }));
        match &self.calling {
            Some(calling) => calling.line.clone(),
            None => primary().map_or_else(|| LineId::from(SEATS), |line| line.number.clone()),
        }
    }

    /// Whom the plan itself names; `None`: it names nobody so.
    fn ours_to_call(&self, uri: &str) -> Result<Option<Callable>, Uncallable> {
        let own = self.city.normalise(uri);
        Ok(match self.reach(uri) {
            Some(Reached::Peer(peer)) if own.as_ref().is_some_and(|own| self.emergency.contains_key(own)) => {
                Some(Callable::Emergency(peer))
            }
            Some(Reached::Peer(peer)) => Some(Callable::Peer(peer)),
            Some(Reached::Seat(seat)) => Some(Callable::Seat(seat)),
            Some(Reached::Group(group)) => Some(Callable::Group(group)),
            None if own.is_some_and(|own| self.line_of(own.as_str()).is_some()) => {
                return Err(Uncallable::OwnLine);
            }
            None => None,
        })
    }

    fn outside(&self, number: &str) -> Result<Callable, Uncallable> {
        let calling = self.calling.as_ref().ok_or(Uncallable::NoCalling)?;
        let number = self.city.number_here(number).and_then(|number| self.city.as_dialled_here(number));
        let number = number.ok_or(Uncallable::NotAllowed)?;
        let fits = (DIGITS_MIN..=DIGITS_MAX).contains(&number.len());
        // An empty beginning would let everything out.
        let begins = |with: &String| !with.is_empty() && number.starts_with(with.as_str());
        if !fits || !calling.allowed.iter().any(begins) {
            return Err(Uncallable::NotAllowed);
        }
        Ok(Callable::Outside(Peer {
            trunk: calling.trunk.clone(),
            number,
            ring: calling.ring,
            drill: false,
            hours: Hours::default(),
        }))
    }
}

impl Callable {
    /// Whether a seat of this role may call them: observers and learners call nobody outside for the house.
    pub fn is_open_to(&self, role: Role) -> bool {
        match role {
            Role::Clerk | Role::Expert | Role::Leader | Role::Supervisor | Role::Admin => true,
            Role::Observer | Role::Trainee => !matches!(self, Callable::Outside(_)),
        }
    }

    /// The number, as records have it.
    pub fn number(&self) -> String {
        match self {
            Callable::Emergency(peer) | Callable::Peer(peer) | Callable::Outside(peer) => peer.number.clone(),
            Callable::Seat(seat) => seat.to_string(),
            Callable::Group(group) => group.number.to_string(),
        }
    }
}

impl Peer {
    /// A clerk's telephone as one that a call is put through to: it is asked for no caller.
    pub fn colleague(seat: &SeatId, ring: std::time::Duration) -> Peer {
        let (trunk, number) = (TrunkId::from(SEATS), seat.to_string());
        Peer { trunk, number, ring, drill: false, hours: Hours::default() }
    }
}

impl City {
    /// A number as it is dialled in this country: with its area's zero, a mobile one without. `None`: it is
    /// of another country, which is written with 00 where it may be called at all.
    fn as_dialled_here(&self, number: String) -> Option<String> {
        let Some(global) = number.strip_prefix('+') else { return Some(number) };
        let national = global.strip_prefix(self.country_code.as_str())?;
        let mobile = national.len() == 11 && national.starts_with('1');
        Some(if mobile { national.to_owned() } else { format!("0{national}") })
    }
}

/// Whether a number, as it is dialled in China, is one that people have: eleven digits of a mobile, or an area
/// code and a number in it (010 and 02x with eight digits, others of four with seven or eight). 400 and 800,
/// what is short, and what is longer are nobody's own.
fn is_persons(number: &str) -> bool {
    let digit = |at: usize| number.as_bytes().get(at).copied().unwrap_or_default();
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    match digit(0) {
        b'1' => number.len() == MOBILE && (b'3'..=b'9').contains(&digit(1)) && !number.starts_with(BY_IP),
        b'0' => {
            let short_area = digit(1) == b'2' || number.starts_with("010");
            let long_area = (b'3'..=b'9').contains(&digit(1));
            let (area, locals) = if short_area { (3, 8..=8) } else { (4, 7..=8) };
            // A number in an area begins with neither 0, nor 1 or 9, which services begin with.
            let local = (b'2'..=b'8').contains(&digit(area))
                && locals.contains(&(number.len() - area.min(number.len())));
            (short_area || long_area) && local
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "outside_test.rs"]
mod tests;
