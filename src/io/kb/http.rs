//! A signed question by HTTP (contract/kb.md), signed as those of look-ups are.
//!
//! An article that comes without its version, owner or approver is given out by nobody: what clerks say has to be
//! somebody's word.

use jiff::civil::Date;
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::look_up::whole;
use crate::id::LineId;
use crate::io::webhook::{Webhook, words_of};
use crate::routing::kb::{
    Article, Asked, FOUND_MAX, LINES_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX, VERSION_CHARS_MAX,
    is_article_id,
};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// Longest answer, bytes: as many articles as are given out, with texts of their full length.
const ANSWER_MAX: usize = 1024 * 1024;
/// Articles of an answer that are looked at.
const ARTICLES_MAX: usize = 10 * FOUND_MAX;

pub(super) struct Http {
    place: Webhook,
}

#[derive(Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
enum Ask<'a> {
    Find { query: &'a str, line: Option<&'a str>, owner: Option<&'a str>, day: Date, most: usize },
    Get { id: &'a str, day: Date },
}

#[derive(Deserialize)]
struct Found {
    articles: Vec<Value>,
}

#[derive(Deserialize)]
struct Got {
    article: Option<Value>,
}

/// An article as it comes; what else it says is passed over.
#[derive(Deserialize)]
struct Said {
    id: String,
    version: Version,
    title: String,
    text: String,
    owner: String,
    #[serde(default)]
    lines: Vec<String>,
    #[serde(default)]
    valid_from: Option<Date>,
    #[serde(default)]
    valid_until: Option<Date>,
    approver: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Text(String),
    Whole(u64),
}

impl Http {
    pub(super) fn new(client: Client, url: &str, secret: &str) -> Result<Self, String> {
        Ok(Http { place: Webhook::new(client, url, secret)? })
    }

    pub(super) async fn find(&self, asked: &Asked<'_>) -> Result<Vec<Article>, String> {
        let Asked { query, line, owner, day } = *asked;
        let body = self.post(&Ask::Find { query, line, owner, day, most: FOUND_MAX }).await?;
        let found: Found = match &body {
            Some(body) => read(body)?,
            None => Found { articles: Vec::new() },
        };
        let came = found.articles.len();
        let articles: Vec<Article> =
            found.articles.into_iter().take(ARTICLES_MAX).filter_map(article).collect();
        if articles.is_empty() && came > 0 {
            return Err("no article of the answer is as agreed".to_owned());
        }
        if articles.len() < came {
            tracing::warn!(
                left_out = came - articles.len(),
                "articles of the knowledge base are not as agreed"
            );
        }
        Ok(articles)
    }

    pub(super) async fn get(&self, id: &str, day: Date) -> Result<Option<Article>, String> {
        let Some(body) = self.post(&Ask::Get { id, day }).await? else { return Ok(None) };
        let Some(said) = read::<Got>(&body)?.article else { return Ok(None) };
        let found = article(said).filter(|article| article.id == id);
        found.map(Some).ok_or_else(|| "the article is not as agreed, or another one".to_owned())
    }

    /// The answer; `None`: 404.
    async fn post(&self, ask: &Ask<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = serde_json::to_vec(ask).map_err(|error| error.to_string())?;
        let name = format!("kb/{:032x}", rand::random::<u128>());
        let answer = self.place.post(&name, CONTENT_TYPE, body).send().await;
        let answer = answer.map_err(|error| words_of(&error.without_url()))?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => whole(answer, ANSWER_MAX).await.map(Some),
            other => Err(other.to_string()),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // What serde says of it would repeat what is in it.
    serde_json::from_slice(body).map_err(|_| "the answer is not as agreed".to_owned())
}

/// The article, if it is whole and no longer than one in a file may be.
fn article(said: Value) -> Option<Article> {
    let Said { id, version, title, text, owner, lines, valid_from, valid_until, approver } =
        serde_json::from_value(said).ok()?;
    let version = match version {
        Version::Text(version) => version,
        Version::Whole(version) => version.to_string(),
    };
    let fits = [
        (&version, VERSION_CHARS_MAX),
        (&title, TITLE_CHARS_MAX),
        (&text, TEXT_CHARS_MAX),
        (&owner, NAME_CHARS_MAX),
        (&approver, NAME_CHARS_MAX),
    ];
    let fits = fits.into_iter().all(|(said, most)| !said.trim().is_empty() && said.chars().count() <= most);
    let lines: Vec<LineId> = lines.iter().map(|line| LineId::from(line.as_str())).collect();
    let whole = fits && is_article_id(&id) && lines.len() <= LINES_MAX;
    whole.then_some(Article { id, version, title, text, owner, lines, valid_from, valid_until, approver })
}
