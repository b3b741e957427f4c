//! How HTTP is used: wrong tokens, and who listens to the facts of the house.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::figures::{Figures, Labels, count};

/// Figures of HTTP.
#[derive(Debug, Default)]
pub(super) struct HttpFigures {
    tokens_refused: Family<Labels, Counter>,
    listeners: Gauge,
    listeners_refused: Counter,
    stalled: Counter,
}

impl HttpFigures {
    pub(super) fn register(&self, r: &mut Registry) {
        let refused = "Requests whose token was not looked at or is nobody's";
        r.register("http_tokens_refused", refused, self.tokens_refused.clone());
        r.register("http_listeners", "Clients that listen to the stream of facts", self.listeners.clone());
        let refused = "Clients that were not let in: as many listened as may";
        r.register("http_listeners_refused", refused, self.listeners_refused.clone());
        let stalled = "Connections closed because the client took nothing of what it was sent";
        r.register("http_stalled", stalled, self.stalled.clone());
    }
}

impl Figures {
    /// A token was refused: `wrong`, or `braked` after many wrong ones of its source.
    pub fn token_refused(&self, why: &'static str) {
        count(&self.http.tokens_refused, vec![("why", why.to_owned())]);
    }

    /// Somebody listens to the facts.
    pub fn listener_came(&self) {
        self.http.listeners.inc();
    }

    /// And does not any more.
    pub fn listener_went(&self) {
        self.http.listeners.dec();
    }

    /// There are as many as may be: a further one was not let in.
    pub fn listener_refused(&self) {
        self.http.listeners_refused.inc();
    }

    /// A client took nothing of what it was sent, and its connection is closed.
    pub fn http_stalled(&self) {
        self.http.stalled.inc();
    }
}
