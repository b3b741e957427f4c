//! What a ticket keeps of its call in lists: who talked, whom the caller was put through to, and how the
//! call is marked. A fold over events, for every office that keeps tickets.

use serde::{Deserialize, Serialize};

use super::event::EventBody;
use super::words::{Flag, ObjectKind, SaidLine, TransferKind, TransferStep};
use crate::id::{BotId, SeatId, TrunkId};
use crate::time::Timestamp;

/// Entries of each list; later ones are in the events.
const LIST_MAX: usize = 32;
/// Talks with programs that are kept; later ones are in the events.
const TALKS_MAX: usize = 4;

/// Begins the reason of a ticket whose caller somebody should have taken and did not.
pub const TRANSFER_FAILED: &str = "transfer_failed";

/// Somebody who talked on the call, beside the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyOn {
    /// Who.
    #[serde(flatten)]
    pub who: Who,
    /// Index of the leg, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<u16>,
    /// When it picked up.
    pub joined_at: Timestamp,
    /// When it left; `None`: is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talked_ms: Option<u64>,
}

/// Who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "party", rename_all = "snake_case")]
pub enum Who {
    /// A clerk.
    Seat {
        /// Which.
        seat: SeatId,
    },
    /// Somebody behind a trunk.
    Peer {
        /// The way there.
        trunk: TrunkId,
        /// The number.
        number: String,
    },
}

/// A transfer as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferOf {
    /// Number or seat.
    pub to: String,
    /// How.
    pub kind: TransferKind,
    /// What the target is in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_kind: Option<ObjectKind>,
    /// Which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Index of the target's leg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<u16>,
    /// How far it came.
    pub step: TransferStep,
    /// SIP status of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When the last step was taken.
    pub at: Timestamp,
}

/// What a program (智能客服) and the caller said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkWith {
    /// Which, by its name in the plan.
    pub bot: BotId,
    /// How the talk ended.
    pub outcome: String,
    /// When.
    pub ended_at: Timestamp,
    /// Milliseconds from when it was asked for.
    pub took_ms: u64,
    /// In order; a bounded number of lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<SaidLine>,
    /// Lines that were not kept whole, or not at all.
    #[serde(default)]
    pub cut: u32,
}

/// An article of the knowledge base that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleOn {
    /// Its id.
    pub article: String,
    /// Which wording of it was told.
    pub version: String,
    /// It settled the matter at once.
    pub settled: bool,
}

/// The lists, and why an office is to take up what a transfer left undone.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Story {
    /// Who talked, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<PartyOn>,
    /// Transfers, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<TransferOf>,
    /// Talks with programs, in order, at most 4.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bots: Vec<TalkWith>,
    /// Marks, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Articles of the knowledge base that were used, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub articles: Vec<ArticleOn>,
    /// `transfer_failed`, with the target and the status behind `/`: `transfer_failed/sub_center/12366/486`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_reason: Option<String>,
}

impl Story {
    /// Takes in an event. False: it is about nothing that is kept here.
    pub fn apply(&mut self, at: Timestamp, body: &EventBody) -> bool {
        match body {
            EventBody::SeatAnswered { seat, leg, .. } => {
                self.joined(Who::Seat { seat: seat.clone() }, *leg, at);
            }
            EventBody::PeerAnswered { trunk, number, leg } => {
                self.joined(Who::Peer { trunk: trunk.clone(), number: number.clone() }, *leg, at);
            }
            EventBody::SeatLeft { seat, talked_ms, .. } => {
                self.left(
                    |who| matches!(who, Who::Seat { seat: there } if there == seat),
                    Some(*talked_ms),
                    at,
                );
            }
            EventBody::PeerLeft { number, talked_ms, .. } => {
                self.left(|who| is_number(who, number), Some(*talked_ms), at);
            }
            EventBody::PeerFailed { number, .. } => self.left(|who| is_number(who, number), None, at),
            EventBody::Closed { .. } => {
                for party in self.parties.iter_mut().filter(|party| party.left_at.is_none()) {
                    party.left_at = Some(at);
                }
            }
            EventBody::Flagged { flag, .. } => {
                if !self.flags.contains(flag) && self.flags.len() < LIST_MAX {
                    self.flags.push(*flag);
                }
            }
            EventBody::ArticleUsed { article, version, settled, .. } => {
                self.articles.retain(|known| known.article != *article); // The last word counts.
                if self.articles.len() < LIST_MAX {
                    let (article, version) = (article.clone(), version.clone());
                    self.articles.push(ArticleOn { article, version, settled: *settled });
                }
            }
            EventBody::Transfer { .. } => self.transfer(at, body),
            EventBody::BotTalked { bot, outcome, took_ms, transcript, cut } => {
                if self.bots.len() < TALKS_MAX {
                    self.bots.push(TalkWith {
                        bot: bot.clone(),
                        outcome: outcome.clone(),
                        ended_at: at,
                        took_ms: *took_ms,
                        transcript: transcript.clone(),
                        cut: *cut,
                    });
                }
            }
            _ => return false,
        }
        true
    }

    fn joined(&mut self, who: Who, leg: Option<u16>, at: Timestamp) {
        if self.parties.len() < LIST_MAX {
            self.parties.push(PartyOn { who, leg, joined_at: at, left_at: None, talked_ms: None });
        }
    }

    fn left(&mut self, is_it: impl Fn(&Who) -> bool, talked_ms: Option<u64>, at: Timestamp) {
        let there = |party: &&mut PartyOn| party.left_at.is_none() && is_it(&party.who);
        if let Some(party) = self.parties.iter_mut().rev().find(there) {
            (party.left_at, party.talked_ms) = (Some(at), talked_ms);
        }
    }

    fn transfer(&mut self, at: Timestamp, body: &EventBody) {
        let EventBody::Transfer { kind, to, step, status, leg, object_kind, object, .. } = body else {
            return;
        };
        let first = matches!(step, TransferStep::Requested | TransferStep::Declined);
        let known = self.transfers.iter().rposition(|transfer| transfer.to == *to).filter(|_| !first);
        if known.is_none() && self.transfers.len() < LIST_MAX {
            self.transfers.push(TransferOf {
                to: to.clone(),
                kind: *kind,
                object_kind: *object_kind,
                object: object.clone(),
                leg: None,
                step: *step,
                status: None,
                asked_at: at,
                at,
            });
        }
        if let Some(transfer) =
            known.or(self.transfers.len().checked_sub(1)).and_then(|n| self.transfers.get_mut(n))
            && transfer.to == *to
        {
            transfer.leg = leg.or(transfer.leg);
            (transfer.step, transfer.status, transfer.at) = (*step, *status, at);
        }
        match step {
            TransferStep::Declined | TransferStep::Failed => {
                let kind = object_kind.and_then(|kind| serde_json::to_value(kind).ok());
                let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("unknown");
                // What is none of the plan's may be anything: it is in the events, and not in a reason.
                let object = object.as_deref().unwrap_or("-");
                let status = status.unwrap_or(0);
                self.transfer_reason = Some(format!("{TRANSFER_FAILED}/{kind}/{object}/{status}"));
            }
            TransferStep::Accepted | TransferStep::Merged | TransferStep::Consulting => {
                self.transfer_reason = None;
            }
            _ => {}
        }
    }
}

fn is_number(who: &Who, number: &str) -> bool {
    matches!(who, Who::Peer { number: there, .. } if there == number)
}
