//! Articles of the knowledge base in calls: which wording was told, whether it settled the matter at once (直办), and
//! which a clerk found wrong (查漏纠错, the notice, 二(二)).
//!
//! The articles themselves are asked for beside the calls, and nothing here waits for them.

use super::request::{Asker, Refusal, Reply};
use super::{Switchboard, What};
use crate::id::CallId;
use crate::time::Now;

/// An article that was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ArticleUse {
    /// Its id.
    pub article: String,
    /// Which wording of it was told.
    pub version: String,
    /// 责任单位; empty where the base could not be asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// It settled the matter at once: nothing is left for an office.
    pub settled: bool,
    /// By whom.
    pub by: String,
}

/// What is wrong with an article.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ArticleFault {
    /// Its id.
    pub article: String,
    /// Which wording of it.
    pub version: String,
    /// What, in words of who found it.
    pub text: String,
    /// By whom.
    pub by: String,
}

impl Switchboard {
    pub(super) fn use_article(
        &mut self,
        asker: &Asker,
        call: CallId,
        mut used: ArticleUse,
        now: Now,
    ) -> Result<Reply, Refusal> {
        self.says_of(asker, call, now)?;
        used.by.clone_from(&asker.name);
        self.record(call, What::ArticleUsed(used), now);
        Ok(Reply::Done)
    }

    pub(super) fn report_article(
        &mut self,
        asker: &Asker,
        call: CallId,
        mut fault: ArticleFault,
        now: Now,
    ) -> Result<Reply, Refusal> {
        self.says_of(asker, call, now)?;
        fault.by.clone_from(&asker.name);
        self.record(call, What::ArticleFaulty(fault), now);
        Ok(Reply::Done)
    }
}
