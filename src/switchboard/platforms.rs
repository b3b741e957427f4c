//! Calls between platforms of the hotline: whom one came from, whether it may come at all, and to whom it is not handed
//! on.
//!
//! What platforms say of a call is [`sip::platforms`](crate::sip::platforms)'s, and what follows from it
//! [`routing::peers`](crate::routing::peers)'s. Here the one is taken to the other.

use std::sync::Arc;

use super::fact::PriorityWhy;
use super::{Entry, Switchboard, What};
use crate::call::Callee;
use crate::id::CallId;
use crate::routing::Plan;
use crate::routing::peers::{Platform, Refused, Trail};
use crate::routing::plan::LineMode;
use crate::sip::Signature;
use crate::sip::event::{Invited, Origin, TurnedAway};

/// What a call's entry keeps of the platforms that it came by.
#[derive(Clone, Debug, Default)]
pub(super) struct HandedOver {
    /// Who handed it to us.
    from: Option<Arc<Platform>>,
    /// What that one says of itself.
    organization: Option<String>,
    /// Codes of those who handed it on, oldest first; empty for one that writes none. At most as many as History-Info
    /// is read for.
    by: Vec<String>,
}

impl HandedOver {
    /// By the plan, for a new call.
    pub(super) fn of(plan: &Plan, invited: &Invited) -> Self {
        let Origin::Trunk(trunk) = &invited.from else { return HandedOver::default() };
        let said = &invited.platforms;
        let from = plan.handed_over_by(trunk, said.org.as_deref()).cloned();
        let mut by: Vec<String> = said.handed_on.iter().filter_map(|own| own.by.clone()).collect();
        if by.is_empty() && from.is_some() {
            // Platforms that write no code: each number of a hotline that the call was mapped to is one of them.
            let numbers = said.handed_on.iter().filter(|own| is_hotlines(plan, &own.to));
            by = numbers.map(|_| String::new()).collect();
        }
        HandedOver { from, organization: said.organization.clone(), by }
    }

    fn trail(&self) -> Trail<'_> {
        Trail { from: self.from.as_ref().map(|own| own.org.as_str()), handed_on_by: &self.by }
    }

    /// Whether it is not to come at all.
    pub(super) fn refused(&self, plan: &Plan) -> Option<Refused> {
        let from = self.from.as_ref()?;
        plan.peers.refuses_from(from, plan.city.org.as_deref(), self.trail())
    }

    /// What its record says; `None`: a citizen's.
    pub(super) fn facts(&self) -> Option<(What, i16, PriorityWhy)> {
        let own = self.from.as_ref()?;
        let told = What::FromPeer {
            peer: own.number.clone(),
            org: own.org.clone(),
            name: own.name.clone(),
            organization: self.organization.clone(),
            handed_on: u8::try_from(self.trail().often()).unwrap_or(u8::MAX),
        };
        Some((told, own.priority, PriorityWhy::Peer(own.org.clone())))
    }

    /// For the clerk's screen.
    pub(super) fn screen(&self) -> Option<String> {
        let own = self.from.as_ref()?;
        Some(format!("handed over by {} {} ({})", own.org, own.name, own.number))
    }
}

/// Whether a number is 12345, in whichever city, or another platform's as the plan knows it.
fn is_hotlines(plan: &Plan, number: &str) -> bool {
    let mut primary = plan.lines.values().filter(|line| matches!(line.mode, LineMode::Primary { .. }));
    primary.any(|line| number.ends_with(line.number.as_str()))
        || plan.peers.iter().any(|own| own.peer.number == number || own.number.as_str() == number)
}

impl Switchboard {
    /// A platform hands over a call that is not taken: it is counted, and refused with this status.
    pub(super) fn not_taken(&mut self, why: Refused) -> u16 {
        tracing::info!(%why, "a call from another platform is not taken");
        self.count_refused(why);
        why.status()
    }

    /// The status by which a callee is not called for this call, where that is a platform that it may not be handed
    /// to.
    pub(super) fn not_handed_on(&mut self, call: CallId, callee: &Callee) -> Option<u16> {
        let entry = self.calls.get(&call)?;
        let plan = entry.call.plan();
        let why = plan.peers.refuses_to(platform(plan, callee)?, entry.standing.handed_over.trail())?;
        tracing::info!(%call, %why, "not handed on to another platform");
        self.count_refused(why);
        Some(why.status())
    }

    fn count_refused(&mut self, why: Refused) {
        let word = match why {
            Refused::Loop => TurnedAway::Loop,
            Refused::TooManyHops(_) => TurnedAway::TooManyHops,
        };
        *self.turned_away.entry(word).or_default() += 1;
    }
}

impl Entry {
    /// How we sign the call for this callee; `None`: no platform, or we have no code.
    pub(super) fn signature(&self, callee: &Callee) -> Option<Signature> {
        let plan = self.call.plan();
        platform(plan, callee)?;
        Some(Signature { org: plan.city.org.clone()?, name: plan.city.name.clone() })
    }
}

fn platform<'p>(plan: &'p Plan, callee: &Callee) -> Option<&'p Platform> {
    let Callee::Peer { trunk, number } = callee else { return None };
    plan.platform_at(trunk, number).map(Arc::as_ref)
}
