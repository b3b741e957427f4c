//! What was kept of each call, gathered for the judge: record, ticket, recording, and what they must say.

use super::cast::{Clerk, Desk};
use super::judge::{Books, Case};
use super::show::{Broken, Show};
use super::wanted;
use crate::io::store::CallQuery;
use crate::switchboard::fact::Cause;

impl Show<'_> {
    /// Calls whose record, ticket and recording are there go to the judge; late ones go without.
    pub(super) fn close_books(&mut self) -> Result<(), Broken> {
        let now = self.mover.now().mono;
        let closing = std::mem::take(&mut self.closing);
        for (place, bound) in closing {
            let caller = &self.callers[place];
            let query = CallQuery { caller: Some(caller.number.clone()), most: 2, ..CallQuery::default() };
            let mut records = self.reader.calls(&query)?;
            let record = if records.len() == 1 { records.pop() } else { None };
            let ticket = match &record {
                Some(record) => self.reader.ticket(&record.ticket)?,
                None => None,
            };
            let recorded = !self.plan.recording.enabled
                || record.as_ref().is_some_and(|record| record.recording.is_some());
            let whole = recorded
                && record.as_ref().is_some_and(|record| record.is_closed())
                && ticket.as_ref().is_some_and(|ticket| ticket.state == "closed");
            // A clerk's telephone may hear of the end a moment after the caller's.
            let clerk_done = caller.clerk.is_none_or(|clerk| self.clerks[clerk].serves != Some(place));
            if !(whole && clerk_done) && now < bound {
                self.closing.push((place, bound));
                continue;
            }
            let case = self.case(place, record, ticket.map(|ticket| ticket.state));
            // The judge lives as long as we hold its verdicts.
            let _ = self.cases.send(case);
        }
        Ok(())
    }

    fn case(
        &mut self,
        place: usize,
        record: Option<crate::telemetry::CallRecord>,
        ticket: Option<String>,
    ) -> Case {
        let voices: Vec<u32> = self
            .callers
            .iter()
            .map(|caller| caller.voice)
            .chain(self.clerks.iter().map(|clerk| clerk.voice))
            .collect();
        let caller = &mut self.callers[place];
        let clerk = caller.clerk.map(|clerk| &self.clerks[clerk]);
        let mut faults = std::mem::take(&mut caller.faults);
        let seat = match clerk.map(|clerk| &clerk.desk) {
            Some(Desk::Seat(seat)) => Some(seat),
            Some(Desk::SubCenter(_)) => None,
            None => {
                faults.push("没有人接听 / nobody answered".to_owned());
                None
            }
        };
        if let (Some(call), Some(record)) = (caller.call, &record)
            && call != record.call
        {
            faults.push(
                "座席话机上的通话号不是记录的 / the clerk's telephone was told another call's id".to_owned(),
            );
        }
        let peer = match clerk.map(|clerk| &clerk.desk) {
            Some(Desk::SubCenter(trunk)) => Some(format!("{trunk}/{}", caller.line)),
            _ => None,
        };
        let graded = seat.is_some() && self.plan.survey.enabled;
        let books = Books {
            line: caller.line.to_string(),
            caller: caller.number.clone(),
            seat: seat.map(|seat| seat.to_string()),
            grade: graded.then_some(caller.grade),
            cause: match (&peer, graded) {
                (Some(_), _) => Cause::CallerHungUp,
                (None, true) => Cause::Completed,
                (None, false) => Cause::OtherHungUp,
            },
            peer,
            ticket,
            record: None,
        };
        let recording = record.as_ref().and_then(|record| record.recording.as_ref());
        let recording = recording.map(|file| self.data.join(file));
        if recording.is_none() && self.plan.recording.enabled {
            faults.push("没有录音 / no recording".to_owned());
        }
        Case {
            place,
            prompts: wanted::caller(self.plan, &caller.line, seat, peer_answers(clerk)),
            forbidden: wanted::forbidden(self.plan, &caller.line),
            clerk_prompts: wanted::clerk(self.plan, seat),
            caller_voice: caller.voice,
            clerk_voice: clerk.map_or(0, |clerk| clerk.voice),
            voices,
            heard: std::mem::take(&mut caller.heard),
            clerk_heard: std::mem::take(&mut caller.clerk_heard),
            recording,
            books: Books { record: record.map(Box::new), ..books },
            faults,
        }
    }
}

/// Whether a sub-center answered.
fn peer_answers(clerk: Option<&Clerk>) -> bool {
    clerk.is_some_and(|clerk| matches!(clerk.desk, Desk::SubCenter(_)))
}
