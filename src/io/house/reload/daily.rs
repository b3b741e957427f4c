//! What is wrong with the plan in force by the day: public holidays that are not known for the year to come, prompts
//! whose time runs out.
//!
//! `check`, a start and a reload tell of it, but an engine runs for months without either: so the plan is judged
//! again after each of the city's midnights. Nothing changes by it.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::super::{Ask, Door, House, start};
use crate::io::clock::Clock;
use crate::io::kept_plans::KeptPlans;

/// Longest sleep: a wall clock that is set is noticed after so long.
const LOOK: Duration = Duration::from_secs(60);
/// Shortest, so that a midnight that is almost there is not looked for without a pause.
const PAUSE: Duration = Duration::from_millis(50);
/// What the alarm is called in the figures.
const ALARM: &str = "plan_dated";

/// Tells the house of each new day until it is gone.
pub(in super::super) async fn daily(door: Door, clock: Clock, zone: TimeZone) {
    let mut known = zone.to_datetime(clock.now().wall).date();
    while !door.is_closed() {
        tokio::time::sleep(until_midnight(clock, &zone)).await;
        let today = zone.to_datetime(clock.now().wall).date();
        // Whichever way the clock went.
        if today != known {
            known = today;
            let _ = door.send(Ask::NewDay);
        }
    }
}

/// At most [`LOOK`].
fn until_midnight(clock: Clock, zone: &TimeZone) -> Duration {
    let now = clock.now().wall;
    let tomorrow =
        zone.to_datetime(now).date().tomorrow().and_then(|day| zone.to_timestamp(day.at(0, 0, 0, 0)));
    let left = tomorrow
        .map_or(LOOK, |midnight| Duration::try_from(now.duration_until(midnight)).unwrap_or_default());
    left.clamp(PAUSE, LOOK)
}

impl House {
    /// Has the plan in force judged by today's date, beside the control loop.
    pub(in super::super) fn new_day(&self) {
        let (number, clock) = (self.in_force.number, self.setup.clock);
        let (data, overrides) = (self.setup.data.clone(), self.setup.overrides.clone());
        let figures = self.metrics.figures().clone();
        self.worker.spawn_blocking(move || {
            let shelf = KeptPlans::of(&data);
            let kept = shelf.history().map(|history| history.into_iter().rfind(|kept| kept.number == number));
            let report = match kept {
                Ok(Some(kept)) => shelf.read(&kept, &overrides, clock.now().wall).outcome.report,
                Ok(None) => {
                    return tracing::warn!(number, "the plan is not kept, and not judged by the new day");
                }
                Err(error) => {
                    return tracing::warn!(%error, number, "the kept plan cannot be judged by the new day");
                }
            };
            if report.for_the_log().next().is_some() {
                figures.alarm(ALARM);
            }
            start::log(&report);
        });
    }
}
