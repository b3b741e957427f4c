//! Adapters that flows ask (`[[look_up]]`). Adding one is one file here and one line in [`Sources::open`].
//!
//! What is asked and answered are plates, codes and numbers of people: none of it is ever logged.

mod http;
mod jsonl;
mod tickets;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::secrets::Keyring;
use super::store::Desk;
use super::webhook;
use crate::call::LookedUp;
use crate::id::{CallId, LineId, LookUpId};
use crate::routing::Plan;
use crate::routing::script::{LookUpKind, LookUpSource, VALUE_CHARS_MAX};

pub(super) use http::whole;

/// Questions that one source is asked at once; a further one fails.
const ASKED_MAX: usize = 128;

/// What a flow asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose call.
    pub call: CallId,
    /// Of that call, its number.
    pub asked: u32,
    /// The line that was dialled.
    pub line: Option<LineId>,
    /// By the source's names.
    pub by: BTreeMap<String, String>,
}

/// What an adapter hands back: it runs on the worker, never on the control thread.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<LookedUp, String>> + Send + 'a>>;

/// One of a source's [`ASKED_MAX`] places: free again when the last that holds it lets go.
pub type Place = Arc<OwnedSemaphorePermit>;

/// Somebody who knows. An error is said in words that hold no value.
pub trait LookUp: Send + Sync {
    /// One question. Whoever gives up waiting drops the answer; an adapter whose work goes on all the same has it
    /// keep the place.
    fn ask<'a>(&'a self, question: &'a Question, place: Place) -> Answer<'a>;
}

/// Why an adapter cannot work.
#[derive(Debug, thiserror::Error)]
#[error("look_up {source_name}: {why}")]
pub struct SourceError {
    source_name: LookUpId,
    why: String,
}

/// One of the plan's sources.
#[derive(Clone)]
struct Source {
    adapter: Arc<dyn LookUp>,
    timeout: Duration,
    says: Arc<BTreeSet<String>>,
    places: Arc<Semaphore>,
}

/// All of a plan's sources.
#[derive(Clone, Default)]
pub struct Sources {
    sources: BTreeMap<LookUpId, Source>,
    /// Outlives the plan: connections do.
    client: Option<reqwest::Client>,
    /// The same for those in the clear.
    near: Option<reqwest::Client>,
}

impl Sources {
    /// The adapters of `plan`, which stand beside those of the plan `before`.
    pub fn open(plan: &Plan, ring: &mut Keyring, desk: &Desk, before: &Sources) -> Result<Self, SourceError> {
        let (mut client, mut near) = (before.client.clone(), before.near.clone());
        let mut sources = BTreeMap::new();
        for source in plan.look_ups.values() {
            let failed = |why: String| SourceError { source_name: source.id.clone(), why };
            let adapter: Arc<dyn LookUp> = match &source.kind {
                LookUpKind::Tickets => {
                    Arc::new(tickets::Tickets::new(desk.clone(), plan.city.time_zone.clone()))
                }
                LookUpKind::Jsonl { path } => Arc::new(jsonl::Jsonl::new(ring.data().join(path))),
                LookUpKind::Http { url, secret } => {
                    let owner = format!("look_up {}", source.id);
                    let secret = ring.shared(&owner, secret).map_err(|error| failed(error.to_string()))?;
                    if webhook::is_far(url) {
                        return Err(failed(
                            "不加密的公网地址：改用 https:// / a public address in the clear: use https://"
                                .into(),
                        ));
                    }
                    let (known, make): (_, fn() -> _) = match url.starts_with("https://") {
                        true => (&mut client, webhook::client),
                        false => (&mut near, webhook::near_client),
                    };
                    let pool = match known {
                        Some(pool) => pool.clone(),
                        None => known.insert(make().map_err(failed)?).clone(),
                    };
                    Arc::new(http::Http::new(pool, &source.id, url, &secret).map_err(failed)?)
                }
            };
            sources.insert(source.id.clone(), Source::new(adapter, source));
        }
        Ok(Sources { sources, client, near })
    }

    /// Asks a source within its time-out. What comes says what it said and, for figures, in one word why
    /// it did not answer; whatever goes wrong is [`LookedUp::Failed`].
    pub fn ask(
        &self,
        source: &LookUpId,
        question: Question,
    ) -> Option<impl Future<Output = (LookedUp, Option<&'static str>)> + Send + use<>> {
        let found = self.sources.get(source)?;
        let (adapter, timeout) = (found.adapter.clone(), found.timeout);
        let (places, says, source) = (found.places.clone(), found.says.clone(), source.clone());
        Some(async move {
            let Ok(place) = places.try_acquire_owned() else {
                tracing::warn!(%source, "too many questions at once");
                return (LookedUp::Failed, Some("busy"));
            };
            let call = question.call;
            // A task of its own: a fault of the adapter is an answer that did not come.
            let place = Arc::new(place);
            let mut asking = tokio::spawn(async move { adapter.ask(&question, place).await });
            let (why, word) = match tokio::time::timeout(timeout, &mut asking).await {
                Ok(Ok(Ok(LookedUp::Found(mut values)))) => {
                    // Whoever answers may know more than flows ask for: none of that takes a value's place.
                    values.retain(|name, _| says.contains(name));
                    return (LookedUp::Found(values), None);
                }
                Ok(Ok(Ok(LookedUp::Missing))) => return (LookedUp::Missing, None),
                Ok(Ok(Ok(LookedUp::Locked))) => return (LookedUp::Locked, None),
                Ok(Ok(Ok(LookedUp::Failed))) => ("it says so".to_owned(), "failed"),
                Ok(Ok(Err(why))) => (why, "failed"),
                Ok(Err(_)) => ("a fault in the adapter".to_owned(), "failed"),
                Err(_) => {
                    asking.abort();
                    ("no answer in time".to_owned(), "timeout")
                }
            };
            tracing::warn!(%call, %source, why, "a look-up failed");
            (LookedUp::Failed, Some(word))
        })
    }
}

impl Source {
    fn new(adapter: Arc<dyn LookUp>, source: &LookUpSource) -> Self {
        Source {
            adapter,
            timeout: source.timeout,
            says: Arc::new(source.says.clone()),
            places: Arc::new(Semaphore::new(ASKED_MAX)),
        }
    }
}

/// What an object of JSON says, as texts: strings, numbers, `true` and `false`. Whatever else is in it, and what is
/// longer than a call keeps, is left out: a number that was cut short would be another number. There are as many as
/// an answer, a line or a frame has room for; which of them a call keeps, `says` of the source or bot has it.
pub(super) fn values(object: serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    let texts = object.into_iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(is_so) => is_so.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        (text.chars().count() <= VALUE_CHARS_MAX && name.chars().count() <= VALUE_CHARS_MAX)
            .then_some((name, text))
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;

    /// Says what it is made to say.
    struct Says(Way);
    type Way = fn() -> Answer<'static>;

    impl LookUp for Says {
        fn ask<'a>(&'a self, _: &'a Question, place: Place) -> Answer<'a> {
            let answer = (self.0)();
            Box::pin(async move {
                let _place = place;
                answer.await
            })
        }
    }

    fn sources(says: Way) -> Sources {
        let source = LookUpSource {
            id: "one".into(),
            kind: LookUpKind::Tickets,
            says: ["state".to_owned()].into(),
            timeout: Duration::from_millis(300),
            misses_max: 3,
            lock: Duration::from_secs(60),
        };
        let sources = BTreeMap::from([("one".into(), Source::new(Arc::new(Says(says)), &source))]);
        Sources { sources, client: None, near: None }
    }

    fn question() -> Question {
        let call = CallId::draw(1, &mut Dice::seeded(1));
        Question { call, asked: 1, line: None, by: BTreeMap::new() }
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_an_answer_in_time() {
        let rows: [(Way, LookedUp, Option<&str>); 6] = [
            (|| Box::pin(async { Ok(LookedUp::Missing) }), LookedUp::Missing, None),
            (
                || Box::pin(async { Ok(LookedUp::Found(BTreeMap::new())) }),
                LookedUp::Found(BTreeMap::new()),
                None,
            ),
            (|| Box::pin(async { Err("down".into()) }), LookedUp::Failed, Some("failed")),
            (|| Box::pin(async { panic!("inside") }), LookedUp::Failed, Some("failed")),
            (|| panic!("before"), LookedUp::Failed, Some("failed")),
            (|| Box::pin(std::future::pending()), LookedUp::Failed, Some("timeout")),
        ];
        for (says, said, word) in rows {
            let sources = sources(says);
            let answer = sources.ask(&"one".into(), question()).expect("a source of the plan");
            assert_eq!(answer.await, (said, word));
        }
        assert!(sources(|| panic!("nobody")).ask(&"another".into(), question()).is_none());
    }

    #[tokio::test]
    async fn an_answer_says_what_it_is_to_say_however_much_it_knows() {
        let sources = sources(|| {
            let wide = (0..100).map(|n| (format!("a{n}"), "x".to_owned()));
            let wide = wide.chain([("state".to_owned(), "open".to_owned())]).collect();
            Box::pin(async { Ok(LookedUp::Found(wide)) })
        });
        let (said, _) = sources.ask(&"one".into(), question()).expect("a source of the plan").await;
        assert_eq!(said, LookedUp::Found([("state".to_owned(), "open".to_owned())].into()));
    }

    #[tokio::test]
    async fn a_source_that_hangs_holds_a_bounded_number_of_questions() {
        let hangs: Way = || Box::pin(std::future::pending());
        let sources = sources(hangs);
        let ask = || sources.ask(&"one".into(), question()).unwrap();
        let first: Vec<_> = (0..ASKED_MAX).map(|_| tokio::spawn(ask())).collect();
        while sources.sources["one"].places.available_permits() > 0 {
            tokio::task::yield_now().await; // They begin one after another, on this one thread.
        }
        assert_eq!(ask().await, (LookedUp::Failed, Some("busy")));
        for answer in first {
            assert_eq!(answer.await.unwrap(), (LookedUp::Failed, Some("timeout")));
        }
        assert_eq!(ask().await, (LookedUp::Failed, Some("timeout")), "there is room again");
    }

    #[test]
    fn values_are_texts_few_and_short() {
        let object = serde_json::json!({
            "a": "1", "b": 2, "c": true, "d": null, "e": [1], "f": {"g": 1}, "h": "长".repeat(VALUE_CHARS_MAX),
            "i": "长".repeat(VALUE_CHARS_MAX + 1),
        });
        let Value::Object(object) = object else { unreachable!("written above") };
        let kept = values(object);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["a", "b", "c", "h"]);
        assert_eq!((kept["a"].as_str(), kept["b"].as_str(), kept["c"].as_str()), ("1", "2", "true"));
        let many = (0..100).map(|n| (n.to_string(), Value::from(n))).collect();
        assert_eq!(values(many).len(), 100, "which of them are kept, others say");
    }
}
