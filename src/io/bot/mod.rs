//! Programs that talk with callers (`[[bot]]`, 智能客服): one connection and one task of the worker for each talk, over
//! WebSocket (RFC 6455). What is written on it is `contract/bot.md`.
//!
//! What is said in a talk is never logged.

mod connect;
mod contract;
mod run;
mod talk;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::call::{BotEnd, BotSaid};
use crate::id::CallId;
use crate::io::secrets::{Keyring, SecretError};
use crate::routing::Plan;
use crate::switchboard::Invited;
use connect::Connector;
use run::{Errand, Word};

pub use talk::{DROPPED_MAX, FRAMES_MAX, HEARD_MAX, SILENT_MAX, SLOW_MAX, SPOKEN_MAX, TEXT_MAX, TEXTS_MAX};

/// Words that wait for a talk; a key beyond them is not told.
const WORDS_MAX: usize = 64;

/// Whether each program's token is there: without it, none would let us in.
pub fn check(plan: &Plan, ring: &mut Keyring) -> Result<(), SecretError> {
    let secrets = plan.bots.values().filter_map(|bot| Some((&bot.id, bot.secret.as_ref()?)));
    secrets.map(|(id, secret)| ring.given(&format!("bot {id}"), secret)).try_for_each(|read| read.map(drop))
}

/// The talks of the house.
pub struct Bots {
    worker: Handle,
    data: PathBuf,
    connector: Arc<Connector>,
    talks: HashMap<CallId, Running>,
}

struct Running {
    number: u32,
    words: mpsc::Sender<Word>,
}

impl Bots {
    /// None yet. `data`: where secrets are.
    pub fn new(worker: Handle, data: PathBuf) -> Self {
        Bots { worker, data, connector: Arc::default(), talks: HashMap::new() }
    }

    /// Begins a talk. `engine`: where the media engine has the leg's port. `tell` takes all that comes of it.
    pub fn begin(
        &mut self,
        (call, number): (CallId, u32),
        invited: Invited,
        engine: SocketAddr,
        tell: impl Fn(BotSaid) + Send + 'static,
    ) {
        let (words, told) = mpsc::channel(WORDS_MAX);
        let ssrc = rand::random();
        let errand = Errand { call, invited, engine, data: self.data.clone(), ssrc, words: told };
        self.talks.insert(call, Running { number, words });
        self.worker.spawn(run::run(errand, self.connector.clone(), tell));
    }

    /// The caller pressed a key.
    pub fn press(&self, call: CallId, number: u32, digit: char) {
        if let Some(talk) = self.talks.get(&call).filter(|talk| talk.number == number) {
            let _ = talk.words.try_send(Word::Key(digit)); // Or nobody listens any more.
        }
    }

    /// The call has left the talk.
    pub fn leave(&mut self, call: CallId, number: u32, end: BotEnd) {
        if self.talks.get(&call).is_some_and(|talk| talk.number == number)
            && let Some(talk) = self.talks.remove(&call)
        {
            // One that has too many words to hear ends without this one: nobody speaks to it any more.
            let _ = talk.words.try_send(Word::Leave(end));
        }
    }

    /// Talks that calls are in.
    pub fn count(&self) -> usize {
        self.talks.len()
    }
}
