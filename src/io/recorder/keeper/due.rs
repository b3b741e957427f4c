//! Which recordings are due: decided from what is known of a call, the plan's terms and the day.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::id::LineId;
use crate::io::recorder::name::DIRECTORY;
use crate::io::store::{ManifestRow, Removal};
use crate::routing::Plan;
use crate::routing::retention::{Days, Retention};
use crate::telemetry::CallRecord;
use crate::time::Timestamp;

/// The terms that the plan in force gives recordings, and whose days they are counted in.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How long.
    pub retention: Retention,
    /// The city's.
    pub zone: TimeZone,
}

impl Terms {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        Terms { retention: plan.recording.retention.clone(), zone: plan.city.time_zone.clone() }
    }

    /// The city's day at `now`.
    pub fn today(&self, now: Timestamp) -> Date {
        self.zone.to_datetime(now).date()
    }

    /// Files whose names are not before this are too young for any term; `None`: nothing is ever due. A file's
    /// day is that on which its recording began, which no call ended before.
    pub fn oldest_young(&self, today: Date) -> Option<String> {
        let Days(shortest) = self.retention.shortest()?;
        let day = today.checked_sub(jiff::Span::new().try_days(shortest).ok()?).ok()?;
        Some(format!("{DIRECTORY}/{day}/"))
    }

    /// Whether the recording of a call to `line` that ended at `ended` is too young for any term that it may have, whatever
    /// the call was about.
    pub fn is_young(&self, line: &LineId, ended: Timestamp, today: Date) -> bool {
        let due = self.retention.shortest_of(line).and_then(|shortest| shortest.due(ended, &self.zone));
        due.is_none_or(|due| today < due)
    }

    /// The removal of a call's recording, if it is due on the day of `now`. `record` is what is known of the call;
    /// `row`, one of its files.
    pub fn due(&self, record: Option<&CallRecord>, row: &ManifestRow, today: Date) -> Option<Removal> {
        let (keep, class, ended) = match record {
            Some(record) => {
                let ended = ended(record)?;
                let about = record.marks.disposed.as_ref();
                let codes = about.map(|about| [&about.field, &about.kind, &about.not_accepted]);
                let codes: Vec<&str> = codes.iter().flatten().filter_map(|code| code.as_deref()).collect();
                let term = self.retention.term(&record.line, &codes)?;
                (term.keep, term.class.map(str::to_owned), ended)
            }
            // A file without a call: by the longest term that there is, from its filing on.
            None => (self.longest()?, None, row.at),
        };
        if today < keep.due(ended, &self.zone)? {
            return None;
        }
        let day = self.today(ended);
        let reason = format!("{day} 起保存 {keep} 已满 / kept {keep} from {day}");
        Some(Removal { call: row.call, class, reason })
    }

    fn longest(&self) -> Option<Days> {
        let own = self.retention.keep?;
        Some(self.retention.classes.iter().map(|class| class.keep).fold(own, Days::max))
    }
}

/// When a call ended; `None`: it goes on.
fn ended(record: &CallRecord) -> Option<Timestamp> {
    let lasted = record.lasted_ms.filter(|_| record.is_closed())?;
    Some(record.opened_at.checked_add(Duration::from_millis(lasted)).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, Dice};
    use crate::routing::retention::RecordingClass;
    use crate::switchboard::fact::{Cause, Fact, What};
    use crate::switchboard::request::Disposed;
    use crate::time::Instant;

    fn terms() -> Terms {
        let class = |name: &str, keep, lines: &[&str], codes: &[&str]| RecordingClass {
            name: name.into(),
            keep: Days(keep),
            lines: lines.iter().map(|line| (*line).into()).collect(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        };
        let classes = vec![class("咨询", 90, &[], &["consultation"]), class("税务", 3_650, &["12366"], &[])];
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        Terms { retention: Retention { keep: Some(Days(1_095)), classes }, zone }
    }

    fn call() -> CallId {
        CallId::draw(1, &mut Dice::seeded(1))
    }

    /// A call of ten minutes to `line`; `open`: it goes on.
    fn record(line: &str, opened: &str, kinds: &[&str], open: bool) -> CallRecord {
        let opened: Timestamp = opened.parse().unwrap();
        let mut story = vec![What::Opened {
            line: line.into(),
            dialled: line.into(),
            caller: "13800000001".into(),
            trunk: "carrier".into(),
            ticket: "1".into(),
            plan: "p".into(),
            shifted_clock: false,
            wire_ref: "w".into(),
            room: None,
        }];
        let about = |kind: &&str| Disposed {
            kind: Some((*kind).to_owned()),
            by: "1001".into(),
            ..Disposed::default()
        };
        story.extend(kinds.iter().map(about).map(What::Disposed));
        let (cause, sound) = (Cause::Completed, None);
        let closed = What::Closed { cause, lasted_ms: 600_000, answered_ms: None, sound, reason: None };
        story.extend((!open).then_some(closed));
        let facts: Vec<Fact> = (1..)
            .zip(story)
            .map(|(sequence, what)| Fact { call: call(), sequence, at: opened, mono: Instant::ZERO, what })
            .collect();
        CallRecord::fold(&facts).unwrap()
    }

    fn row() -> ManifestRow {
        ManifestRow {
            call: call(),
            track: None,
            file: "recordings/2023-11-27/x.wav".into(),
            format: "wav".into(),
            sha256: "00".repeat(32),
            bytes: 44,
            samples: 0,
            lost_frames: 0,
            gaps: Vec::new(),
            pauses: Vec::new(),
            at: "2023-11-27T01:00:00Z".parse().unwrap(),
            removed: None,
        }
    }

    #[test]
    fn over_three_years_of_days_a_recording_goes_on_the_first_day_of_its_due_and_on_none_before() {
        let terms = terms();
        for (line, kinds, days, class) in [
            ("12345", &[][..], 1_095, None),
            ("12345", &["report"][..], 1_095, None),
            ("12345", &["report", "consultation"][..], 90, Some("咨询")),
            ("12345", &["consultation", "report"][..], 1_095, None),
            ("12366", &["consultation"][..], 3_650, Some("税务")),
        ] {
            // Ten minutes over midnight: the day on which it ended counts.
            let record = record(line, "2023-11-26T23:55:00+08:00", kinds, false);
            let ended: Date = "2023-11-27".parse().unwrap();
            let mut day = ended;
            let mut kept = 0;
            let removal = loop {
                match terms.due(Some(&record), &row(), day) {
                    None => kept += 1,
                    Some(removal) => {
                        let ended = super::ended(&record).unwrap();
                        assert!(!terms.is_young(&record.line, ended, day), "it would not be looked at");
                        break removal;
                    }
                }
                day = day.tomorrow().unwrap();
            };
            assert_eq!(kept, days + 1, "{line} {kinds:?}: the day itself, and so many whole days");
            assert_eq!(removal.class.as_deref(), class);
            assert!(removal.reason.contains(&format!("{days}d")), "{}", removal.reason);
        }
    }

    #[test]
    fn what_goes_on_is_never_due_and_what_nobody_knows_is_kept_for_the_longest() {
        let terms = terms();
        let far: Date = "2099-01-01".parse().unwrap();
        assert_eq!(terms.due(Some(&record("12345", "2023-11-26T00:00:00Z", &[], true)), &row(), far), None);
        let due = |day: &str| terms.due(None, &row(), day.parse().unwrap()).is_some();
        // 2023-11-27 and 3,650 days.
        assert!(!due("2033-11-24") && due("2033-11-25"));
        let never = Terms { retention: Retention::default(), ..terms };
        assert_eq!(never.due(None, &row(), far), None);
        assert_eq!(never.oldest_young(far), None);
    }

    #[test]
    fn only_days_that_the_shortest_term_has_passed_are_looked_at() {
        let terms = terms();
        let today: Date = "2024-03-31".parse().unwrap();
        assert_eq!(terms.oldest_young(today).as_deref(), Some("recordings/2024-01-01/"));
        // What began on the day before is due today at the earliest.
        let record = record("12345", "2023-12-31T23:00:00+08:00", &["consultation"], false);
        assert!(terms.due(Some(&record), &row(), today).is_some());
    }
}
