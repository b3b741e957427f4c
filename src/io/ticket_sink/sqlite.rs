//! The embedded office: tickets in the house's own database.

use super::{Delivery, TicketSink};
use crate::io::store::Errands;
use crate::tickets::event::{Outcome, StoredEvent};

pub(super) struct Sqlite(Errands);

impl Sqlite {
    pub(super) fn new(errands: Errands) -> Self {
        Sqlite(errands)
    }
}

impl TicketSink for Sqlite {
    fn deliver<'a>(&'a self, event: &'a StoredEvent, awaited: bool) -> Delivery<'a> {
        Box::pin(async move {
            match self.0.fold(event.clone(), awaited).await {
                Ok(Ok(())) => Outcome::Taken,
                Ok(Err(why)) => Outcome::Refused(why),
                Err(error) => Outcome::Retry(error.to_string()),
            }
        })
    }
}
