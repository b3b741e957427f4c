//! Session timers (RFC 4028): a call whose far end has silently gone is over after a while, whoever
//! notices it first.
//!
//! The timer runs where the far end takes part, or where something on the way asked for it; then it
//! is refreshed by whom both agreed on: by us with UPDATE where the far end takes it, else by a
//! re-INVITE that describes what was described last. A far end that knows no timer and did not ask
//! gets none: RTP and OPTIONS say there whether it is alive.

use std::time::Duration;

use bytes::Bytes;

use super::again::Changed;
use super::build::Draft;
use super::endpoint::{Endpoint, User};
use super::event::{EndCause, Event, Origin, SessionId};
use super::extensions::{TIMER, supports};
use super::message::Message;
use super::method::Method;
use super::name::Name;
use super::scan::{self, Params};
use super::session::{Farewell, Offer, Phase, Session};
use super::transaction::T2;
use super::uac::Cancel;
use crate::time::{Instant, Now};

/// What we ask for, and give where it is left to us, where no plan says it, seconds (RFC 4028 §4
/// recommends it).
const INTERVAL_S: u32 = 1_800;
/// Shortest interval that we take, seconds: what RFC 4028 §5 sets as the least.
pub(super) const MIN_SE_S: u32 = 90;
/// Longest that we take; a longer one is cut (RFC 4028 §9 lets the callee lower it).
const INTERVAL_MAX_S: u32 = 24 * 3_600;
/// An answer that says less than this is held to mean it: refreshing is cheap, but not for nothing.
const SHORTEST_S: u32 = 30;

/// A running session timer.
#[derive(Debug)]
pub(super) struct Refresh {
    interval_s: u32,
    /// What a 422 in the dialog asked for, seconds.
    min_se_s: u32,
    /// Whether we are the one to refresh.
    ours: bool,
    /// Whether the peer takes UPDATE.
    updates: bool,
    /// What we described last; a re-INVITE says it again.
    described: Bytes,
    /// Without a refresh until then the call is over.
    lapses: Instant,
    /// When we refresh; `None`: not ours, or one is out.
    next: Option<Instant>,
}

/// What both agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    interval_s: u32,
    /// Whether the answering side refreshes.
    by_callee: bool,
    /// Whether the asking side takes part.
    supported: bool,
}

impl Refresh {
    fn new(interval_s: u32, ours: bool, updates: bool, described: Bytes, now: Instant) -> Box<Self> {
        let mut refresh =
            Refresh { interval_s, min_se_s: 0, ours, updates, described, lapses: now, next: None };
        refresh.start(interval_s, ours, now);
        Box::new(refresh)
    }

    /// Begins a new interval: refreshed at its half, over a third or 32 s before its end
    /// (RFC 4028 §10).
    fn start(&mut self, interval_s: u32, ours: bool, now: Instant) {
        self.interval_s = interval_s;
        self.ours = ours;
        self.lapses = now + Duration::from_secs(u64::from(interval_s - (interval_s / 3).min(32)));
        self.next = ours.then(|| now + Duration::from_secs(u64::from(interval_s)) / 2);
    }

    /// Tries again when half of what is left has passed.
    fn try_again(&mut self, now: Instant) {
        let left = self.lapses.since(now) / 2;
        self.next = Some(now + left.max(T2));
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.next.map_or(self.lapses, |next| next.min(self.lapses))
    }

    /// What our own request in the dialog says of the timer.
    pub(super) fn ask(&self, draft: Draft) -> Draft {
        let refresher = if self.ours { "uac" } else { "uas" };
        let draft = draft.header("Session-Expires", format!("{};refresher={refresher}", self.interval_s));
        match self.min_se_s {
            0 => draft,
            min => draft.header_number(Name::MinSe, u64::from(min)),
        }
    }
}

impl Terms {
    /// What a 2xx says of the timer (RFC 4028 §9).
    pub(super) fn write(self, draft: Draft) -> Draft {
        let refresher = if self.by_callee { "uas" } else { "uac" };
        let draft = draft.header("Session-Expires", format!("{};refresher={refresher}", self.interval_s));
        if self.supported { draft.header("Require", TIMER) } else { draft }
    }
}

/// Seconds, and who refreshes: whether it is the answering side, where it is said.
fn session_expires(message: &Message) -> Option<(u32, Option<bool>)> {
    let value = message.header(Name::SessionExpires)?;
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let seconds = scan::number(scan::trim(&value[..end]))?;
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    let refresher = Params::of(&value[end..]).find("refresher").flatten();
    let by_callee = match refresher {
        Some(who) if who.eq_ignore_ascii_case(b"uac") => Some(false),
        Some(who) if who.eq_ignore_ascii_case(b"uas") => Some(true),
        _ => None,
    };
    Some((seconds, by_callee))
}

fn min_se(message: &Message) -> Option<u32> {
    let value = message.header(Name::MinSe)?;
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    scan::number(scan::trim(&value[..end])).map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// Whether a request wants a shorter interval than we take: 422 (RFC 4028 §9). Who knows no timer
/// could make nothing of it.
pub(super) fn is_too_brief(request: &Message) -> bool {
    session_expires(request).is_some_and(|(seconds, _)| seconds < MIN_SE_S) && supports(request, TIMER)
}

/// What we ask for, and give where it is left to us, seconds.
pub(super) fn interval_s(said_s: u32) -> u32 {
    match said_s {
        0 => INTERVAL_S,
        said => said.clamp(MIN_SE_S, INTERVAL_MAX_S),
    }
}

/// What we make of the timer in a request that we are about to accept (RFC 4028 §9, table 2).
/// `running`: the interval, and whether refreshing is ours. `ours`: as [`interval_s`].
pub(super) fn terms(request: &Message, running: Option<(u32, bool)>, ours: u32) -> Option<Terms> {
    let supported = supports(request, TIMER);
    let asked = session_expires(request);
    let (interval_s, by_callee) = match (supported, asked, running) {
        (false, None, None) => return None,
        // It has forgotten the timer or never knew it: we go on alone.
        (false, None, Some((interval, _))) => (interval, true),
        // Somebody on the way asked. Too brief, and nobody could be told so: no timer of ours.
        (false, Some((seconds, _)), _) if seconds < MIN_SE_S => return None,
        (false, Some((seconds, _)), _) => (seconds, true),
        (true, None, Some((interval, by_us))) => (interval, by_us),
        (true, None, None) => (ours, false),
        (true, Some((seconds, by_callee)), running) => {
            (seconds, by_callee.unwrap_or_else(|| running.is_some_and(|(_, by_us)| by_us)))
        }
    };
    // Not below what somebody on the way can do with (RFC 4028 §5), not above what we keep.
    let floor = min_se(request).unwrap_or(0).max(MIN_SE_S);
    let interval_s = interval_s.min(INTERVAL_MAX_S).max(floor.min(INTERVAL_MAX_S));
    Some(Terms { interval_s, by_callee, supported })
}

impl Session {
    /// What runs: the interval in seconds, and whether refreshing is ours.
    pub(super) fn timer(&self) -> Option<(u32, bool)> {
        self.refresh.as_ref().map(|refresh| (refresh.interval_s, refresh.ours))
    }

    /// We have accepted their request on these terms. `described`: what we said with it, if we did.
    pub(super) fn keep_terms(
        &mut self,
        terms: Option<Terms>,
        request: &Message,
        described: Option<Bytes>,
        now: Instant,
    ) {
        let Some(Terms { interval_s, by_callee, .. }) = terms else {
            self.refresh = None;
            return;
        };
        let updates = request.lists(Name::Allow, "UPDATE") || request.method() == Some(&Method::Update);
        match &mut self.refresh {
            Some(refresh) => {
                refresh.updates |= updates;
                refresh.described = described.unwrap_or_else(|| std::mem::take(&mut refresh.described));
                refresh.start(interval_s, by_callee, now);
            }
            None => {
                let described = described.unwrap_or_default();
                self.refresh = Some(Refresh::new(interval_s, by_callee, updates, described, now));
            }
        }
    }

    /// They have accepted a request of ours (RFC 4028 §7.2): without a word on the timer there is
    /// none, nor where the operator wants none. `described`: what we said with it, if we did.
    pub(super) fn take_terms(&mut self, answer: &Message, described: Option<&[u8]>, now: Instant) {
        let said = session_expires(answer).filter(|_| self.terms.timer);
        let Some((seconds, by_callee)) = said else {
            self.refresh = None;
            return;
        };
        let interval_s = seconds.clamp(SHORTEST_S, INTERVAL_MAX_S);
        // Who does not say who refreshes does not do it.
        let ours = by_callee != Some(true);
        match &mut self.refresh {
            Some(refresh) => {
                if let Some(described) = described {
                    refresh.described = Bytes::copy_from_slice(described);
                }
                refresh.start(interval_s, ours, now);
            }
            None => {
                let updates = answer.lists(Name::Allow, "UPDATE");
                let described = Bytes::copy_from_slice(described.unwrap_or_default());
                self.refresh = Some(Refresh::new(interval_s, ours, updates, described, now));
            }
        }
    }
}

impl Endpoint {
    /// Refreshes when it is time, and ends what was not refreshed (RFC 4028 §10).
    pub(super) fn handle_refresh_timeout(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let (Phase::Confirmed, Some(refresh)) = (&session.phase, &mut session.refresh) else {
            return;
        };
        if refresh.lapses <= now.mono {
            self.tell(Event::Ended { session: id, cause: EndCause::Expired });
            let farewell = Farewell { reason: Some("SIP;cause=408;text=\"Session Expired\"") };
            return self.bye(id, None, &farewell, now);
        }
        if refresh.next.is_none_or(|next| next > now.mono) {
            return;
        }
        refresh.next = None;
        if refresh.updates {
            self.send_update(id, None, 0, now);
        } else if matches!(session.offer, Offer::Idle) && !refresh.described.is_empty() {
            let described = refresh.described.clone();
            self.send_reinvite(id, described, 0, true, now);
        } else {
            // Whatever is under way refreshes as well, if it is ours.
            refresh.try_again(now.mono);
        }
    }

    /// Our refresh was refused. 408 and 481 mean that the dialog is gone and do not come here.
    pub(super) fn handle_refresh_refused(
        &mut self,
        id: SessionId,
        status: u16,
        answer: Option<&Message>,
        now: Now,
    ) {
        let wait = self.glare_wait(id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(refresh) = &mut session.refresh else {
            return;
        };
        // It said that it takes UPDATE, or never said what it takes.
        let mistaken = matches!(status, 405 | 501) && std::mem::take(&mut refresh.updates);
        if !refresh.ours || refresh.next.is_some() {
            return; // Something else has refreshed meanwhile.
        }
        match status {
            _ if mistaken => refresh.next = Some(now.mono),
            422 => match answer
                .and_then(min_se)
                .filter(|min| (refresh.interval_s + 1..=INTERVAL_MAX_S).contains(min))
            {
                Some(min) => {
                    refresh.interval_s = min;
                    refresh.min_se_s = min;
                    refresh.next = Some(now.mono);
                }
                None => refresh.try_again(now.mono),
            },
            491 => refresh.next = Some(now.mono + T2 + wait),
            _ => refresh.try_again(now.mono),
        }
        self.wake(id);
    }

    /// Answers a 422 to our first INVITE with a longer interval, once (RFC 4028 §7.3). `invite` is
    /// what was refused.
    pub(super) fn ask_longer(&mut self, tx: usize, invite: &Message, refusal: &Message, now: Now) -> bool {
        let party = match self.table.get_mut(tx).map(|entry| &entry.user) {
            Some(User::Inviting(inviting)) => inviting.trunk.clone().map(Origin::Trunk),
            _ => None,
        };
        let asked = self.terms_with(party.as_ref()).interval_s(&self.config);
        let Some(min) = min_se(refusal).filter(|min| (asked + 1..=INTERVAL_MAX_S).contains(min)) else {
            return false;
        };
        let Some(entry) = self.table.get_mut(tx) else {
            return false;
        };
        let User::Inviting(inviting) = &entry.user else {
            return false;
        };
        let taken_back = inviting.given_up || !matches!(inviting.cancel, Cancel::No);
        if inviting.again || taken_back || invite.header(Name::MinSe).is_some() {
            return false;
        }
        let (trunk, proofs) = (inviting.trunk.clone(), entry.proofs);
        self.send_again(tx, invite, trunk.as_ref(), &Changed { proofs, min_se: Some(min) }, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lines: &str) -> Message {
        let lines = lines.replace('|', "\r\n");
        let text = format!("INVITE sip:12345@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n\r\n");
        Message::parse(text.into()).unwrap()
    }

    #[test]
    fn who_refreshes_how_often_row_by_row() {
        let rows = [
            // RFC 4028 §9, table 2; then what runs already, limits, and odd spellings.
            ("Subject: a", None, None),
            ("Supported: timer", None, Some((1_800, false, true))),
            ("Supported: timer|Session-Expires: 600", None, Some((600, false, true))),
            ("Supported: timer|Session-Expires: 600;refresher=uac", None, Some((600, false, true))),
            ("Supported: timer|Session-Expires: 600;refresher=uas", None, Some((600, true, true))),
            ("Session-Expires: 600", None, Some((600, true, false))),
            ("Session-Expires: 600;refresher=uac", None, Some((600, true, false))),
            ("Session-Expires: 60", None, None),
            ("Subject: a", Some((900, false)), Some((900, true, false))),
            ("k: timer", Some((900, true)), Some((900, true, true))),
            ("k: timer", Some((900, false)), Some((900, false, true))),
            ("k: timer|x: 300", Some((900, true)), Some((300, true, true))),
            ("k: timer|Min-SE: 2000", None, Some((2_000, false, true))),
            ("k: timer|x: 4000000000", None, Some((86_400, false, true))),
            ("k: timer|x: 99999999999999|Min-SE: 99999999999", None, Some((86_400, false, true))),
            ("Require: TIMER|x: 120 ; Refresher=UAS;a=b", None, Some((120, true, true))),
            ("k: timer|x: soon", None, Some((1_800, false, true))),
        ];
        for (lines, running, wanted) in rows {
            let found = terms(&request(lines), running, 1_800)
                .map(|terms| (terms.interval_s, terms.by_callee, terms.supported));
            assert_eq!(found, wanted, "{lines} {running:?}");
        }
    }

    #[test]
    fn too_brief_is_below_90_s_from_whom_can_be_told_so() {
        for (lines, wanted) in [
            ("k: timer|x: 89", true),
            ("k: timer|x: 90", false),
            ("x: 89", false),
            ("k: timer", false),
            ("k: timer|x: 0", true),
        ] {
            assert_eq!(is_too_brief(&request(lines)), wanted, "{lines}");
        }
    }

    #[test]
    fn an_interval_is_refreshed_at_its_half_and_over_32_s_or_a_third_before_its_end() {
        for (interval, next, lapses) in [(1_800, 900, 1_768), (90, 45, 60), (96, 48, 64), (97, 48, 65)] {
            let refresh = Refresh::new(interval, true, false, Bytes::new(), Instant::ZERO);
            assert_eq!(refresh.next.unwrap().as_nanos() / 1_000_000_000, next);
            assert_eq!(refresh.lapses.as_nanos() / 1_000_000_000, lapses);
            let theirs = Refresh::new(interval, false, false, Bytes::new(), Instant::ZERO);
            assert_eq!((theirs.next, theirs.poll_timeout()), (None, theirs.lapses));
        }
    }
}
