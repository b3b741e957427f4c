//! Feeds of departments: what falls to each, and when the totals of its days are told.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Ask, Door};
use crate::io::clock::Clock;
use crate::io::store::Errands;
use crate::routing::Plan;
use crate::routing::feed::Feed;
use crate::switchboard::Input;
use crate::tickets::event::source;
use crate::tickets::sharing::Scope;

/// The wall clock is looked at so often: it may be set.
const LOOK: Duration = Duration::from_secs(20);

/// What falls to a feed.
pub(super) fn scope(feed: &Feed) -> Scope {
    Scope { lines: feed.lines.clone(), departments: feed.departments.clone(), experts: feed.experts.clone() }
}

/// Has each feed's day closed at its hour, from now on. What was due while no engine ran is told at once, as one. By a clock
/// that was set by hand no day is closed: it is not the city's, and its day would not be closed again when that comes.
pub(super) fn tell_totals(
    plan: &Arc<Plan>,
    errands: &Errands,
    door: &Door,
    clock: Clock,
    worker: &tokio::runtime::Handle,
) {
    if clock.is_shifted() {
        return;
    }
    for (sink, feed) in (plan.sinks.len()..).zip(&plan.feeds) {
        let Some(daily) = feed.daily else { continue };
        let (name, zone) = (feed.sink.name.clone(), plan.city.time_zone.clone());
        let (errands, door) = (errands.clone(), door.clone());
        worker.spawn(async move {
            let mut closed = None;
            while !door.is_closed() {
                let now = clock.now().wall;
                let day = last_day(now, daily, &zone);
                if closed.as_ref() != Some(&day) {
                    match errands.close_day(name.clone(), day.clone(), source("node-1"), now).await {
                        Ok(owed) => {
                            if let Some(first) = owed {
                                tracing::info!(feed = name, day, "the day's totals are told");
                                let _ = door.send(Ask::Input(Input::Owed { sink, first }));
                            }
                            closed = Some(day);
                        }
                        Err(error) => tracing::warn!(feed = name, %error, "totals cannot be written yet"),
                    }
                }
                tokio::time::sleep(LOOK).await;
            }
        });
    }
}

/// The last day whose totals are due: they are at this hour of the day after it.
fn last_day(now: Timestamp, daily: Time, zone: &TimeZone) -> String {
    let here = zone.to_datetime(now);
    let back = if here.time() >= daily { 1 } else { 2 };
    here.date().saturating_sub(back.days()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_due_at_its_hour_of_the_next() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at_one = jiff::civil::time(1, 0, 0, 0);
        for (now, day) in [
            ("2026-11-26T16:59:59Z", "2026-11-25"),
            ("2026-11-26T17:00:00Z", "2026-11-26"),
            ("2026-11-27T16:30:00Z", "2026-11-26"),
        ] {
            assert_eq!(last_day(now.parse().unwrap(), at_one, &zone), day, "{now}");
        }
    }
}
