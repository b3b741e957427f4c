//! What calls were about, and how they are marked.
//!
//! A clerk says so in the call or in the wrap-up behind it, and may come back to it for [`LATE_MAX`] after
//! the call's end. The last word counts.

use std::time::Duration;

use super::fact::millis;
use super::request::{Asker, AtOnce, Disposed, Flag, Refusal, Reply};
use super::{Fact, Switchboard, What};
use crate::call::Input;
use crate::id::CallId;
use crate::routing::Plan;
use crate::routing::afterwards::{Code, Immediate};
use crate::routing::people::Role;
use crate::time::Now;

/// For so long after its end there is something to be said of a call. After a restart there is not.
pub const LATE_MAX: Duration = Duration::from_secs(3_600);
/// So often something may be said of one call.
const SAID_MAX: u16 = 64;

/// Whether a call's recording may be exported for this role: where the matter is secret (the notice, 四(二)),
/// for administrators only. `facts` are the call's, in order.
pub fn may_export<'a>(role: Role, facts: impl DoubleEndedIterator<Item = &'a Fact>) -> bool {
    let last = facts.rev().find_map(|fact| match &fact.what {
        What::Disposed(disposed) => Some(disposed.secret),
        _ => None,
    });
    role == Role::Admin || last != Some(true)
}

impl Switchboard {
    pub(super) fn dispose(
        &mut self,
        asker: &Asker,
        call: CallId,
        mut disposed: Disposed,
        now: Now,
    ) -> Result<Reply, Refusal> {
        check(&self.plan, &mut disposed, now)?;
        self.says_of(asker, call, now)?;
        // Said again, it is due when it was.
        if let Some(own) = &mut disposed.immediate
            && let Some(standing) = self.hand_ons.standing(call, &own.code)
        {
            own.clone_from(standing);
        }
        disposed.by.clone_from(&asker.name);
        if self.calls.contains_key(&call) {
            self.tell_call(call, Input::Survey { wanted: !disposed.unsurveyed });
        }
        let at_once = disposed.immediate.clone();
        self.record(call, What::Disposed(disposed), now);
        Ok(at_once.map_or(Reply::Done, Reply::AtOnce))
    }

    pub(super) fn flag(
        &mut self,
        asker: &Asker,
        call: CallId,
        flag: Flag,
        now: Now,
    ) -> Result<Reply, Refusal> {
        self.says_of(asker, call, now)?;
        self.record(call, What::Flagged { flag, by: asker.name.clone() }, now);
        match flag {
            Flag::Urgent => self.made_urgent(call, now),
            Flag::Confidential => {
                if let Some(entry) = self.calls.get_mut(&call) {
                    entry.standing.is_confidential = true;
                }
            }
            Flag::Abusive => {
                let clerks = match self.calls.get(&call) {
                    Some(entry) => &entry.standing.seats,
                    None => self.records.clerks_of(call),
                };
                let own = asker.seat.as_ref().filter(|seat| clerks.contains(seat));
                if let Some(seat) = own.or(clerks.last()).cloned() {
                    self.rest_after_call(seat, now);
                }
            }
        }
        Ok(Reply::Done)
    }

    /// Whether `asker` may say something of the call now: clerks of calls that they had, others of all.
    pub(super) fn says_of(&mut self, asker: &Asker, call: CallId, now: Now) -> Result<(), Refusal> {
        let (clerks, said) = match self.calls.get_mut(&call) {
            Some(entry) if entry.standing.is_code => return Err(Refusal::NoSuchCall),
            Some(entry) => (&entry.standing.seats, &mut entry.standing.said),
            None => self.records.late(call, LATE_MAX, now).ok_or(Refusal::NoSuchCall)?,
        };
        let is_own = asker.seat.as_ref().is_some_and(|seat| clerks.contains(seat));
        if !is_own && !matches!(asker.role, Role::Supervisor | Role::Admin) {
            return Err(Refusal::NotAllowed);
        }
        if *said >= SAID_MAX {
            return Err(Refusal::Full);
        }
        *said += 1;
        Ok(())
    }
}

/// Whether the plan has the codes. Some of them say by themselves that satisfaction is not chased, that the recording is
/// secret, or that the matter is handed on at once; what is not accepted is handed on to nobody.
fn check(plan: &Plan, disposed: &mut Disposed, now: Now) -> Result<(), Refusal> {
    let known = &plan.disposition;
    let said = [
        (&disposed.field, &known.fields),
        (&disposed.kind, &known.types),
        (&disposed.not_accepted, &known.not_accepted),
    ];
    let has = |list: &[Code], code: &str| list.iter().any(|known| known.code == code);
    let mut unsurveyed = disposed.unsurveyed;
    for (code, list) in said {
        let Some(code) = code else { continue };
        if !has(list, code) {
            return Err(Refusal::NotInPlan(code.clone()));
        }
        unsurveyed |= has(&known.unsurveyed, code);
    }
    disposed.unsurveyed = unsurveyed;
    let secret = &plan.recording.secret;
    let is_secret = said.iter().any(|(code, _)| code.as_ref().is_some_and(|code| secret.contains(code)));
    disposed.secret |= is_secret;
    let immediate = match disposed.not_accepted {
        Some(_) => None,
        None => known.immediate(disposed.field.as_deref(), disposed.kind.as_deref()),
    };
    disposed.immediate = immediate.map(|Immediate { code, to, within }| {
        let due_at = now.wall.checked_add(*within).unwrap_or(now.wall); // A day at most: never beyond what there is.
        AtOnce { code: code.clone(), to: to.clone(), within_ms: millis(*within), due_at }
    });
    Ok(())
}
