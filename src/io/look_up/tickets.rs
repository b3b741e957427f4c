//! Tickets of the house's own store, by `ticket` and `code`: says `state`, and `opened` as a date by the
//! city's clock.

use jiff::tz::TimeZone;

use super::{Answer, LookUp, Place, Question};
use crate::call::LookedUp;
use crate::io::store::{Case, Desk};
use crate::time::Timestamp;

pub(super) struct Tickets {
    desk: Desk,
    zone: TimeZone,
}

impl Tickets {
    pub(super) fn new(desk: Desk, zone: TimeZone) -> Self {
        Tickets { desk, zone }
    }

    fn said(&self, case: &Case) -> LookedUp {
        let date = |at: Timestamp| self.zone.to_datetime(at).date().to_string();
        let values = [("state", case.state.word().to_owned()), ("opened", date(case.opened_at))];
        LookedUp::Found(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl LookUp for Tickets {
    fn ask<'a>(&'a self, question: &'a Question, _place: Place) -> Answer<'a> {
        Box::pin(async move {
            let (Some(ticket), Some(code)) = (question.by.get("ticket"), question.by.get("code")) else {
                return Err("a ticket is asked for by ticket and code".to_owned());
            };
            let (ticket, code) = (ticket.clone(), code.clone());
            let found = self.desk.answer(move |reader| reader.case_by_code(&ticket, &code)).await;
            match found {
                Ok(Some(case)) => Ok(self.said(&case)),
                Ok(None) => Ok(LookedUp::Missing),
                Err(error) => Err(error.to_string()),
            }
        })
    }
}
