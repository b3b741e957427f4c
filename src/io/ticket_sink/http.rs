//! A signed webhook: CloudEvents in structured mode, signed after Standard Webhooks.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use super::{Delivery, TicketSink};
use crate::io::webhook::{self, Webhook, words_of};
use crate::tickets::event::{Outcome, StoredEvent};
use crate::time::Timestamp;

const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

pub(super) struct Office(Webhook);

impl Office {
    pub(super) fn new(url: &str, secret: &str) -> Result<Self, String> {
        Webhook::new(webhook::client()?, url, secret).map(Office)
    }

    async fn post(&self, event: &StoredEvent) -> Outcome {
        let name = format!("{}/{}", event.event.call, event.event.sequence);
        let request = self.0.post(&name, CONTENT_TYPE, event.json.as_bytes().to_vec());
        match request.header("idempotency-key", &name).send().await {
            Ok(response) => {
                let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok());
                judge(response.status(), wait, Timestamp::now())
            }
            Err(error) => Outcome::Retry(words_of(&error.without_url())),
        }
    }
}

/// As `contract/README.md` promises. `wait` is the answer's Retry-After.
fn judge(status: StatusCode, wait: Option<&str>, now: Timestamp) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Taken,
        // A secret, an address or a proxy that is not right yet: whoever mends it has the events then.
        401 | 403 | 404 | 407 | 408 | 425 | 429 | 500..=599 => match wait.and_then(|wait| span(wait, now)) {
            Some(wait) => Outcome::RetryAfter(status.to_string(), wait),
            None => Outcome::Retry(status.to_string()),
        },
        _ => Outcome::Refused(status.to_string()),
    }
}

/// Retry-After: seconds, or a date (RFC 9110 §10.2.3); zero for one that is past.
fn span(wait: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = wait.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(wait.trim()).ok()?;
    Some(Duration::try_from(date.timestamp().duration_since(now)).unwrap_or_default())
}

impl TicketSink for Office {
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
            (401, "later"),
            (403, "later"),
            (404, "later"),
            (407, "later"),
            (410, "no"),
            (408, "later"),
            (429, "later"),
            (503, "later"),
        ];
        for (status, wanted) in rows {
            let outcome = match judge(StatusCode::from_u16(status).unwrap(), Some("3"), Timestamp::UNIX_EPOCH)
            {
                Outcome::Taken => "taken",
                Outcome::RetryAfter(_, wait) if wait == Duration::from_secs(3) => "later",
                Outcome::RetryAfter(..) | Outcome::Retry(_) => "some time",
                Outcome::Refused(_) => "no",
            };
            assert_eq!(outcome, wanted, "{status}");
        }
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date() {
        let now = "2021-09-01T01:00:00Z".parse().unwrap();
        let seconds = |wait| span(wait, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Wed, 01 Sep 2021 01:00:30 GMT"), Some(30));
        assert_eq!(seconds("Wed, 01 Sep 2021 00:59:30 GMT"), Some(0));
        assert_eq!((seconds("soon"), seconds("-1"), seconds("")), (None, None, None));
    }
}
