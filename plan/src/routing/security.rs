//! `[security]`: how often somebody may be wrong, and how much a stranger may send.
//!
//! Each bound can be moved and none can be taken away: ranges are in `check::security`.

use std::time::Duration;

use super::read::Reader;
use super::source::Said;

/// `[security]` as it is written.
#[derive(Debug)]
pub(super) struct SecurityTable {
    /// `guesses`.
    pub(super) guesses: Option<Said<u32>>,
    /// `guess_span`.
    pub(super) guess_span: Option<Said<Duration>>,
    /// `wrong_tokens`.
    pub(super) wrong_tokens: Option<Said<u32>>,
    /// `wrong_token_every`.
    pub(super) wrong_token_every: Option<Said<Duration>>,
    /// `messages_at_once`.
    pub(super) messages_at_once: Option<Said<u32>>,
    /// `messages_per_second`.
    pub(super) messages_per_second: Option<Said<u32>>,
}

/// `[security]`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    /// Wrong proofs of one name from one address within [`guess_span`](Self::guess_span) before nothing more of them is
    /// looked at.
    pub guesses: u32,
    /// How long wrong proofs count, from the first of them.
    pub guess_span: Duration,
    /// Wrong API tokens of one address at once.
    pub wrong_tokens: u32,
    /// After so many, one more is looked at each time that this is over.
    pub wrong_token_every: Duration,
    /// SIP messages that an address may send at once which is no trunk's.
    pub messages_at_once: u32,
    /// And in a second, once those are used up.
    pub messages_per_second: u32,
}

impl Default for Security {
    /// What holds where the file says nothing.
    fn default() -> Self {
        Security {
            guesses: 10,
            guess_span: Duration::from_secs(60),
            wrong_tokens: 10,
            wrong_token_every: Duration::from_secs(1),
            messages_at_once: 2_000,
            messages_per_second: 100,
        }
    }
}

impl SecurityTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let usual = Security::default();
        SecurityTable {
            guesses: reader.or("guesses", usual.guesses),
            guess_span: reader.or("guess_span", usual.guess_span),
            wrong_tokens: reader.or("wrong_tokens", usual.wrong_tokens),
            wrong_token_every: reader.or("wrong_token_every", usual.wrong_token_every),
            messages_at_once: reader.or("messages_at_once", usual.messages_at_once),
            messages_per_second: reader.or("messages_per_second", usual.messages_per_second),
        }
    }

    /// What the file wants; without the table, the defaults.
    pub(super) fn plan(table: Option<&SecurityTable>) -> Option<Security> {
        let Some(table) = table else { return Some(Security::default()) };
        Some(Security {
            guesses: table.guesses.as_ref()?.value,
            guess_span: table.guess_span.as_ref()?.value,
            wrong_tokens: table.wrong_tokens.as_ref()?.value,
            wrong_token_every: table.wrong_token_every.as_ref()?.value,
            messages_at_once: table.messages_at_once.as_ref()?.value,
            messages_per_second: table.messages_per_second.as_ref()?.value,
        })
    }
}
