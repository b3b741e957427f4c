//! A signed webhook: CloudEvents in structured mode, signed after Standard Webhooks.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use super::{Delivery, TicketSink};
use crate::tickets::event::{Outcome, StoredEvent};
use crate::tickets::signature::Secret;

const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

pub(super) struct Webhook {
    client: Client,
    url: String,
    secret: Secret,
}

impl Webhook {
    pub(super) fn new(url: &str, secret: &str) -> Result<Self, String> {
        let secret = Secret::parse(secret).map_err(|error| error.to_string())?;
        // A redirect would carry signed personal data to a place that the plan does not name.
        let client = Client::builder().redirect(Policy::none()).build().map_err(|error| error.to_string())?;
        Ok(Webhook { client, url: url.to_owned(), secret })
    }

    async fn post(&self, event: &StoredEvent) -> Outcome {
        let name = format!("{}/{}", event.event.call, event.event.sequence);
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let body = event.json.as_bytes().to_vec();
        let mut request = self.client.post(&self.url).header("content-type", CONTENT_TYPE);
        for (header, value) in self.secret.headers(&name, unix_s, &body) {
            request = request.header(header, value);
        }
        match request.header("idempotency-key", &name).body(body).send().await {
            Ok(response) => judge(response.status()),
            Err(error) => Outcome::Retry(error.without_url().to_string()),
        }
    }
}

/// As `contract/README.md` promises.
fn judge(status: StatusCode) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Taken,
        408 | 425 | 429 | 500..=599 => Outcome::Retry(status.to_string()),
        _ => Outcome::Refused(status.to_string()),
    }
}

impl TicketSink for Webhook {
    fn deliver<'a>(&'a self, event: &'a StoredEvent) -> Delivery<'a> {
        Box::pin(self.post(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let rows = [
            (200, "taken"),
            (204, "taken"),
            (302, "no"),
            (400, "no"),
            (408, "later"),
            (429, "later"),
            (503, "later"),
        ];
        for (status, wanted) in rows {
            let outcome = match judge(StatusCode::from_u16(status).unwrap()) {
                Outcome::Taken => "taken",
                Outcome::Retry(_) => "later",
                Outcome::Refused(_) => "no",
            };
            assert_eq!(outcome, wanted, "{status}");
        }
    }
}
