//! Changes of plan in the ledger, and which cancelled numbers they bring back.

use super::{InForce, OPERATOR, Wanted};
use crate::io::house::House;
use crate::io::kept_plans::Kept;
use crate::io::store::{self, LedgerRow};
use crate::ledger::{Action, CHANGES_MAX, Trigger};
use crate::routing::Plan;
use crate::routing::difference::Difference;

/// A cancelled number in use again: which, who decided so, and why and when.
type Restored = (String, String, String);

/// The plan that was in force before.
pub(in super::super) struct Before {
    digest: String,
    restored: Vec<Restored>,
}

/// Who brought a plan about, and why; empty: not said.
struct Who<'a> {
    trigger: Trigger,
    by: &'a str,
    reason: &'a str,
    rolled_back_to: Option<u64>,
}

impl Before {
    pub(super) fn of(plan: &Plan) -> Self {
        Before { digest: plan.digest.clone(), restored: restored(plan) }
    }

    /// Of one on the shelf; `None`: this engine makes no plan of it, and does not know its numbers.
    pub(super) fn kept(kept: &Kept, plan: Option<&Plan>) -> Self {
        Before { digest: kept.digest.clone(), restored: plan.map(restored).unwrap_or_default() }
    }
}

impl House {
    /// The engine has started, whoever brought the plan into force before.
    pub(in super::super) fn note_start(&self, before: Option<&Before>, difference: &Difference) {
        let who = Who { trigger: Trigger::Start, by: OPERATOR, reason: "", rolled_back_to: None };
        self.note(&who, before, difference);
    }

    /// The plan in force has taken over from `previous`.
    pub(super) fn note_taken(&self, previous: &Plan, difference: &Difference) {
        let InForce { trigger, by, reason, rolled_back_to, .. } = &self.in_force;
        let who = Who { trigger: *trigger, by, reason, rolled_back_to: *rolled_back_to };
        self.note(&who, Some(&Before::of(previous)), difference);
    }

    /// It is the same, and secrets of it are others.
    pub(super) fn note_secrets(&self, wanted: &Wanted, difference: &Difference) {
        let Wanted { trigger, by, reason, .. } = wanted;
        let who = Who { trigger: *trigger, by, reason, rolled_back_to: None };
        self.note(&who, Some(&Before::of(&self.plan)), difference);
    }

    fn note(&self, who: &Who<'_>, before: Option<&Before>, difference: &Difference) {
        let Some(errands) = self.store.as_ref().map(store::Store::errands) else { return };
        let InForce { number, digest, .. } = self.in_force.clone();
        let Who { trigger, by, reason, rolled_back_to } = *who;
        let reason = if reason.is_empty() { trigger.word() } else { reason }.to_owned();
        let by = by.to_owned();
        let action = Action::PlanChanged {
            changes: lines(difference),
            digest: digest.clone(),
            number: Some(number),
            previous_digest: before.map(|before| before.digest.clone()),
            rolled_back_to,
            trigger: Some(trigger),
        };
        let mut fresh = restored(&self.plan);
        fresh.retain(|own| before.is_none_or(|before| !before.restored.contains(own)));
        let at = self.setup.clock.now().wall;
        self.worker.spawn(async move {
            let written =
                errands.append(move |last| LedgerRow::after(last, at, &by, action, &digest, &reason)).await;
            if let Err(error) = written {
                tracing::error!(%error, "the change of plan is not in the ledger");
            }
            for (number, approver, reason) in fresh {
                let action = Action::NumberRestored { number: number.clone() };
                let written = errands
                    .append(move |last| LedgerRow::after(last, at, &approver, action, &number, &reason))
                    .await;
                if let Err(error) = written {
                    tracing::error!(%error, "that a number is restored is not in the ledger");
                }
            }
        });
    }
}

/// A line a change; where there are more than the ledger holds, the last line says how many.
fn lines(difference: &Difference) -> Vec<String> {
    let all = difference.changes.len() + difference.more;
    let told = if all > CHANGES_MAX { CHANGES_MAX - 1 } else { all };
    let changes = difference.changes.iter().take(told);
    let mut lines: Vec<String> = changes.map(|change| change.text.zh.clone()).collect();
    if all > lines.len() {
        lines.push(format!("另有 {} 处改动", all - lines.len()));
    }
    lines
}

/// Cancelled numbers that the plan has in use again.
fn restored(plan: &Plan) -> Vec<Restored> {
    let said = plan.lines.values().filter_map(|line| Some((line, line.restored.as_ref()?)));
    said.map(|(line, own)| {
        (
            line.number.to_string(),
            format!("operator:{}", own.approver),
            format!("{} ({})", own.reason, own.date),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::diagnostic::Text;
    use crate::routing::difference::Change;

    #[test]
    fn the_ledger_says_how_many_changes_it_does_not_hold() {
        let change = |n: usize| Change {
            text: Text::new(format!("改动 {n}"), format!("change {n}")),
            wants_restart: false,
        };
        for (told, more, lines_of, last) in [
            (40, 0, 40, "改动 39"),
            (41, 0, 40, "另有 2 处改动"),
            (60, 0, 40, "另有 21 处改动"),
            (200, 7, 40, "另有 168 处改动"),
            (1, 0, 1, "改动 0"),
        ] {
            let difference = Difference { changes: (0..told).map(change).collect(), more };
            let lines = lines(&difference);
            assert_eq!((lines.len(), lines.last().map(String::as_str)), (lines_of, Some(last)));
        }
        assert!(lines(&Difference::default()).is_empty());
    }
}
