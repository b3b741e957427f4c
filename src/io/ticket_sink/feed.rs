//! A department's feed: what of an event may leave is decided at the door, for each try anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Delivery, TicketSink};
use crate::io::store::Desk;
use crate::routing::feed::Feed;
use crate::tickets::event::{Outcome, StoredEvent};

pub(super) struct Department {
    desk: Desk,
    name: Arc<str>,
    fields: Arc<BTreeSet<String>>,
    way: Arc<dyn TicketSink>,
}

impl Department {
    pub(super) fn new(feed: &Feed, way: Arc<dyn TicketSink>, desk: Desk) -> Self {
        let (name, fields) = (Arc::from(feed.sink.name.as_str()), Arc::new(feed.fields.clone()));
        Department { desk, name, fields, way }
    }

    async fn tell(&self, event: &StoredEvent) -> Outcome {
        let (name, fields, wanted) = (self.name.clone(), self.fields.clone(), event.event);
        match self.desk.answer(move |reader| reader.feed_event(&name, wanted, &fields)).await {
            Ok(Some(told)) => self.way.deliver(&told).await,
            Ok(None) => Outcome::Refused("it has no place in this feed".to_owned()),
            Err(error) => Outcome::Retry(error.to_string()),
        }
    }
}

impl TicketSink for Department {
    fn deliver<'a>(&'a self, event: &'a StoredEvent) -> Delivery<'a> {
        Box::pin(self.tell(event))
    }
}
