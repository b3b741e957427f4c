//! A signed question by HTTP: `{"source", "call", "line", "by": {…}}`, answered by `{"found": true, "values": {…}}`,
//! or by `{"found": false}` or 404 where there is nothing by that.

use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Answer, LookUp, Place, Question, values};
use crate::call::LookedUp;
use crate::id::LookUpId;
use crate::io::webhook::{Webhook, words_of};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// Longest answer, bytes.
const ANSWER_MAX: usize = 64 * 1024;

pub(super) struct Http {
    place: Webhook,
    source: LookUpId,
}

#[derive(Serialize)]
struct Asked<'a> {
    source: &'a str,
    call: String,
    line: Option<&'a str>,
    by: &'a std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Said {
    found: bool,
    #[serde(default)]
    values: Map<String, Value>,
}

impl Http {
    pub(super) fn new(client: Client, source: &LookUpId, url: &str, secret: &str) -> Result<Self, String> {
        Ok(Http { place: Webhook::new(client, url, secret)?, source: source.clone() })
    }

    async fn post(&self, question: &Question) -> Result<LookedUp, String> {
        let asked = Asked {
            source: self.source.as_str(),
            call: question.call.to_string(),
            line: question.line.as_ref().map(|line| line.as_str()),
            by: &question.by,
        };
        let body = serde_json::to_vec(&asked).map_err(|error| error.to_string())?;
        let name = format!("{}/look_up/{}", question.call, question.asked);
        let answer = self.place.post(&name, CONTENT_TYPE, body).send().await;
        let answer = answer.map_err(|error| words_of(&error.without_url()))?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(LookedUp::Missing),
            StatusCode::OK => judge(&whole(answer, ANSWER_MAX).await?),
            other => Err(other.to_string()),
        }
    }
}

/// The body to its end, of so many bytes at most.
pub(in crate::io) async fn whole(mut answer: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| words_of(&error.without_url()))? {
        if body.len() + part.len() > most {
            return Err(format!("the answer is longer than {most} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn judge(body: &[u8]) -> Result<LookedUp, String> {
    // What serde says of it would repeat what is in it.
    let said: Said = serde_json::from_slice(body).map_err(|_| "the answer is not as agreed".to_owned())?;
    Ok(if said.found { LookedUp::Found(values(said.values)) } else { LookedUp::Missing })
}

impl LookUp for Http {
    fn ask<'a>(&'a self, question: &'a Question, _place: Place) -> Answer<'a> {
        Box::pin(self.post(question))
    }
}
