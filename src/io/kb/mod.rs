//! The knowledge base of the plan in force, asked for clerks: never by a call, and never in its way.
//!
//! Whatever goes wrong is said at once or at the time-out: a clerk has a caller waiting. What is asked is in a clerk's
//! words about a caller, and is logged by nobody.

mod http;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::Semaphore;

use super::secrets::Keyring;
use super::webhook;
use crate::id::LineId;
use crate::routing::Plan;
use crate::routing::kb::{Article, Articles, Asked, FOUND_MAX, KbKind};
use crate::time::Timestamp;

/// Longer than any call.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Why a base cannot work.
#[derive(Debug, thiserror::Error)]
#[error("kb: {0}")]
pub struct KbError(String);

/// Why there is no answer. In words that hold nothing of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// As many questions are under way as may be.
    Busy,
    /// None came in time.
    Late,
    /// It is out of reach, or says nothing that an answer could be.
    Failed(String),
}

impl Failure {
    /// For figures.
    pub fn word(&self) -> &'static str {
        match self {
            Failure::Busy => "busy",
            Failure::Late => "timeout",
            Failure::Failed(_) => "failed",
        }
    }
}

/// A clerk's question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// In their words.
    pub query: String,
    /// The line that was dialled.
    pub line: Option<LineId>,
}

/// The base.
#[derive(Clone)]
pub struct Kb {
    source: Source,
    timeout: Duration,
    places: Arc<Semaphore>,
    per_minute: u32,
    zone: TimeZone,
    /// 责任单位 of each number.
    owners: BTreeMap<LineId, String>,
}

#[derive(Clone)]
enum Source {
    File(Arc<Articles>),
    Program(Arc<http::Http>),
}

impl Kb {
    /// That of the plan, if it has one.
    pub fn open(plan: &Plan, ring: &mut Keyring) -> Result<Option<Self>, KbError> {
        let Some(own) = &plan.kb else { return Ok(None) };
        let source = match &own.kind {
            KbKind::Jsonl { articles, .. } => {
                articles.index(); // Here, and not at the first question.
                Source::File(articles.clone())
            }
            KbKind::Http { url, secret } => {
                let secret = ring.shared("kb", secret).map_err(|error| KbError(error.to_string()))?;
                if webhook::is_far(url) {
                    let told =
                        "不加密的公网地址：改用 https:// / a public address in the clear: use https://";
                    return Err(KbError(told.into()));
                }
                let client = match url.starts_with("https://") {
                    true => webhook::client(),
                    false => webhook::near_client(),
                };
                let program = http::Http::new(client.map_err(KbError)?, url, &secret).map_err(KbError)?;
                Source::Program(Arc::new(program))
            }
        };
        let places = usize::try_from(own.at_once).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Some(Kb {
            source,
            timeout: own.timeout,
            places: Arc::new(Semaphore::new(places)),
            per_minute: own.per_minute,
            zone: plan.city.time_zone.clone(),
            owners: plan.lines.values().map(|line| (line.number.clone(), line.owner.clone())).collect(),
        }))
    }

    /// Questions that one token may ask in a minute.
    pub fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Whether the plan has this number.
    pub fn knows(&self, line: &LineId) -> bool {
        self.owners.contains_key(line)
    }

    /// What fits a question at `now`, articles of the line's owner first, at most [`FOUND_MAX`].
    pub async fn find(&self, question: &Question, now: Timestamp) -> Result<Vec<Article>, Failure> {
        let _place = self.places.try_acquire().map_err(|_| Failure::Busy)?;
        let day = self.day(now);
        let line = question.line.as_ref().map(LineId::as_str);
        let owner = question.line.as_ref().and_then(|line| self.owners.get(line)).map(String::as_str);
        let asked = Asked { query: &question.query, line, owner, day };
        match &self.source {
            Source::File(articles) => Ok(articles.find(&asked).into_iter().cloned().collect()),
            Source::Program(program) => {
                let mut found = self.in_time(program.find(&asked)).await?;
                found.retain(|article| article.holds_on(day));
                found.sort_by_key(|article| !article.is_of(line, owner)); // Its own order stays beside that.
                found.truncate(FOUND_MAX);
                Ok(found)
            }
        }
    }

    /// An article by its id, if it may be told at `now`.
    pub async fn get(&self, id: &str, now: Timestamp) -> Result<Option<Article>, Failure> {
        let _place = self.places.try_acquire().map_err(|_| Failure::Busy)?;
        let day = self.day(now);
        match &self.source {
            Source::File(articles) => Ok(articles.get(id, day).cloned()),
            Source::Program(program) => {
                let found = self.in_time(program.get(id, day)).await?;
                Ok(found.filter(|article| article.holds_on(day)))
            }
        }
    }

    /// The same of what may have been told in a call that began before midnight.
    pub async fn get_lately(&self, id: &str, now: Timestamp) -> Result<Option<Article>, Failure> {
        match self.get(id, now).await? {
            None => self.get(id, now.checked_sub(DAY).unwrap_or(now)).await,
            found => Ok(found),
        }
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, String>>) -> Result<T, Failure> {
        let answer = match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.map_err(Failure::Failed),
            Err(_) => Err(Failure::Late),
        };
        if let Err(why) = &answer {
            let why = match why {
                Failure::Failed(why) => why,
                Failure::Late | Failure::Busy => "no answer in time",
            };
            tracing::warn!(why, "the knowledge base does not answer");
        }
        answer
    }

    /// Today, by the city's clock.
    fn day(&self, now: Timestamp) -> Date {
        self.zone.to_datetime(now).date()
    }
}
