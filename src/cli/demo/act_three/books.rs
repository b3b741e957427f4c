//! What was kept of a caller's call, gathered for its proof: record, ticket, recording, and what they must say.

use super::super::hear::Wanted;
use super::super::show::Broken;
use super::Act;
use super::proof::{Books, Case};
use super::scenes::Errand;
use super::{sound, visit};
use crate::id::PromptId;
use crate::io::recorder;
use crate::io::store::CallQuery;
use crate::routing::script::Reading;
use crate::routing::speech;
use crate::switchboard::fact::Cause;

impl Act<'_, '_> {
    pub(super) fn case(&self, place: usize) -> Result<Case, Broken> {
        let (show, visit) = (&*self.show, &self.visits[place]);
        let query = CallQuery { caller: Some(visit.number.clone()), most: 2, ..CallQuery::default() };
        let mut records = show.reader.calls(&query)?;
        let record = if records.len() == 1 { records.pop() } else { None };
        let mut faults = visit.faults.clone();
        if let (Some(call), Some(record)) = (visit.call, &record)
            && call != record.call
        {
            faults.push(
                "座席话机上的通话号不是记录的 / the clerk's telephone was told another call's id".to_owned(),
            );
        }
        let ticket = match &record {
            Some(record) => show.reader.ticket(&record.ticket)?,
            None => None,
        };
        let by_code = match &visit.noted {
            Some(noted) => show.reader.case_by_code(&noted.ticket, &noted.code)?.map(|case| case.call),
            None => None,
        };
        let kept = record.as_ref().and_then(|record| recorder::kept(show.data, record.recording.as_ref()?));
        let heard = visit.phone.map_or(&[][..], |phone| show.mover.party(phone).heard());
        Ok(Case {
            errand: visit.errand,
            dialled: visit.phone.is_some(),
            books: Books {
                line: self.line.clone(),
                seat: self.seat_of(visit),
                cause: match visit.errand {
                    Errand::Order | Errand::Progress => Cause::Completed,
                    Errand::WrongCode => Cause::CallerHungUp,
                },
            },
            noted: visit.noted.clone(),
            by_code,
            voice: visit.voice,
            heard: heard.to_vec(),
            progress: self.progress(),
            refused: Wanted {
                name: "没有查到 nothing found",
                sound: sound(self.plan, &"progress_missing".into()),
                at_once: false,
            },
            read_out: visit::read_out(self.plan),
            dictation: self.dictation.clone(),
            recording: kept.map(|(file, _)| show.data.join(file)),
            record: record.map(Box::new),
            ticket,
            faults,
        })
    }

    /// What precedes the answer to how far a ticket is, and the answer's words, for one that came today and that
    /// no office has taken up yet.
    fn progress(&self) -> (Wanted, Vec<PromptId>) {
        let opened = Wanted {
            name: "进度 progress",
            sound: sound(self.plan, &"progress_opened".into()),
            at_once: false,
        };
        let zone = &self.plan.city.time_zone;
        let today = zone.to_datetime(self.at).date().to_string();
        let mut words = speech::reading(Reading::Date, &today, zone).unwrap_or_default();
        words.extend(["state_open", "goodbye"].map(PromptId::from));
        (opened, words)
    }
}
