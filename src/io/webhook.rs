//! Signed posts to programs of others, after Standard Webhooks: ticket events and look-ups go so.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use crate::tickets::signature::Secret;

/// A client for posts; a clone of it has the same pool of connections.
pub(super) fn client() -> Result<Client, String> {
    // A redirect, or a proxy out of the environment, would carry signed personal data to a place
    // that the plan does not name.
    let client = Client::builder().redirect(Policy::none()).no_proxy().build();
    client.map_err(|error| error.to_string())
}

/// One place, and the secret that it knows us by.
pub(super) struct Webhook {
    client: Client,
    url: String,
    secret: Secret,
}

impl Webhook {
    pub(super) fn new(client: Client, url: &str, secret: &str) -> Result<Self, String> {
        let secret = Secret::parse(secret).map_err(|error| error.to_string())?;
        Ok(Webhook { client, url: url.to_owned(), secret })
    }

    /// A post with the three headers of its signature; `name` is its id.
    pub(super) fn post(&self, name: &str, content_type: &'static str, body: Vec<u8>) -> RequestBuilder {
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let mut request = self.client.post(&self.url).header("content-type", content_type);
        for (header, value) in self.secret.headers(name, unix_s, &body) {
            request = request.header(header, value);
        }
        request.body(body)
    }
}

/// An error with its causes: the outer one says only that the request failed.
pub(super) fn words_of(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words
}
