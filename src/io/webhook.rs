//! Signed posts to programs of others, after Standard Webhooks: ticket events and look-ups go so.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use tokio::net::lookup_host;

use crate::routing::script::is_near;
use crate::tickets::signature::Secret;

/// A client for posts; a clone of it has the same pool of connections.
pub(super) fn client() -> Result<Client, String> {
    // A redirect, or a proxy out of the environment, would carry signed personal data to a place
    // that the plan does not name.
    let client = Client::builder().redirect(Policy::none()).no_proxy().build();
    client.map_err(|error| error.to_string())
}

/// The same for places that are spoken to in the clear: it finds no address of a name that is not near.
pub(super) fn near_client() -> Result<Client, String> {
    let client = Client::builder().redirect(Policy::none()).no_proxy().dns_resolver(Arc::new(Near)).build();
    client.map_err(|error| error.to_string())
}

/// A name's addresses on this machine and in nets of the operator's own.
struct Near;

impl Resolve for Near {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let near: Vec<SocketAddr> = found.filter(|at| is_near(at.ip())).collect();
            match near.is_empty() {
                true => Err("no address, or in the clear to a public one".into()),
                false => Ok(Box::new(near.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether a URL is in the clear and names an address that is not near, in whatever way it is written: no name is
/// looked up for it.
pub(super) fn is_far(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    url.scheme() == "http" && host.parse().is_ok_and(|ip| !is_near(ip))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_far_however_it_is_written() {
        for (url, far) in [
            ("http://203.0.113.9/ask", true),
            ("http://3405803785/ask", true),
            ("http://0xcb.0x0.0x71.0x9/ask", true),
            ("http://[2001:db8::1]:8080/", true),
            ("HTTP://203.0.113.9/", true),
            ("http://10.1.2.3/", false),
            ("http://[::1]/", false),
            ("https://203.0.113.9/", false),
            ("http://cars.example/", false),
        ] {
            assert_eq!(is_far(url), far, "{url}");
        }
    }

    #[tokio::test]
    async fn a_near_name_is_found() {
        let found = Near.resolve("localhost".parse().expect("a name")).await.expect("this machine");
        assert!(found.map(|at| at.ip()).all(is_near));
    }
}
