//! A telephone of its own, on rsip, to call the house and test it from outside.
//!
//! One account, one call at a time. Datagrams and time go in, datagrams and events come out; real
//! sockets are moved by `io`, simulated ones by the tests. Nothing here is shared with the engine's
//! own SIP and sound, so that neither can hide the other's faults.

pub mod config;
pub mod digest;
pub mod event;
pub mod g711;
pub mod listen;
pub mod recorder;
pub mod sdp;
pub mod stream;

mod client;
mod dialog;
mod dtmf;
mod incoming;
mod message;
mod order;
mod outgoing;
mod party;
mod register;
mod rtcp;
mod server;
mod sound;
mod talking;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

pub use config::{Answers, Dial, PhoneConfig};
pub use digest::Algorithm;
pub use event::{Agreed, Output, PhoneEvent, Side};
pub use g711::Codec;
pub use recorder::SoundCount;

use crate::id::Dice;
use crate::time::{Instant, Now, Timers};
use incoming::Ringing;
use outgoing::Calling;
use register::Registration;
use server::Server;
use sound::{Sound, SoundConfig};
use talking::Talking;
use wire::{Acknowledged, Pending};

/// Samples a second.
const RATE: usize = 8000;

/// Why an order cannot be carried out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PhoneError {
    /// The order does not fit what the phone is doing.
    #[error("the phone is {state:?}")]
    WrongState {
        /// What it is doing.
        state: PhoneState,
    },
    /// rsip can make nothing of it.
    #[error("no SIP URI: {uri:?}")]
    BadUri {
        /// What was to be called.
        uri: String,
    },
    /// A header that would break the message.
    #[error("no header: {name:?}")]
    BadHeader {
        /// Its name.
        name: String,
    },
}

/// What a phone is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneState {
    /// Nothing.
    Idle,
    /// Calling someone who has not answered.
    Calling,
    /// Someone calls.
    Ringing,
    /// In a call.
    Talking,
}

enum Line {
    Idle,
    Calling(Box<Calling>),
    Ringing(Box<Ringing>),
    Talking(Box<Talking>),
}

/// Timers of the phone itself; those of transactions and sound are theirs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wake {
    /// Answer the call that rings.
    Answer,
    /// The talk has lasted long enough.
    HangUp,
    /// Register again.
    Register,
    /// The INVITE that we cancelled was never answered.
    CancelPatience,
    /// Try our re-INVITE again after a 491.
    Renegotiate,
}

/// A SIP user agent with sound, without sockets or clock.
pub struct Phone {
    config: PhoneConfig,
    dice: Dice,
    line: Line,
    pending: Vec<Pending>,
    servers: VecDeque<Server>,
    acknowledged: VecDeque<Acknowledged>,
    registration: Registration,
    keys: Option<wire::HeldKeys>,
    sound: Option<Sound>,
    wakes: Timers<Wake>,
    busy_until: Option<Instant>,
    vanished: bool,
    outputs: VecDeque<Output>,
}

impl Phone {
    /// A phone on the table: idle and not registered. `dice` name its calls, branches and sources.
    pub fn new(config: PhoneConfig, mut dice: Dice) -> Self {
        let registration = Registration::new(config.expires_s, &mut dice);
        Phone {
            config,
            dice,
            line: Line::Idle,
            pending: Vec::new(),
            servers: VecDeque::new(),
            acknowledged: VecDeque::new(),
            registration,
            keys: None,
            sound: None,
            wakes: Timers::default(),
            busy_until: None,
            vanished: false,
            outputs: VecDeque::new(),
        }
    }

    /// The settings.
    pub fn config(&self) -> &PhoneConfig {
        &self.config
    }

    /// Changes what happens to the calls that come from now on.
    pub fn set_answers(&mut self, answers: Answers) {
        self.config.answers = answers;
    }

    /// What the phone is doing.
    pub fn state(&self) -> PhoneState {
        match self.line {
            Line::Idle => PhoneState::Idle,
            Line::Calling(_) => PhoneState::Calling,
            Line::Ringing(_) => PhoneState::Ringing,
            Line::Talking(_) => PhoneState::Talking,
        }
    }

    /// The registrar has us.
    pub fn is_registered(&self) -> bool {
        self.registration.stands()
    }

    /// A SIP datagram arrived from `from`.
    pub fn handle_sip(&mut self, from: SocketAddr, bytes: &[u8], now: Now) {
        if self.vanished {
            return;
        }
        match message::read(bytes) {
            Some(message::Message::Request(request)) => self.handle_request(from, request, now.mono),
            Some(message::Message::Unknown(request)) => self.handle_unknown(from, request, now.mono),
            Some(message::Message::Response(response)) => self.handle_response(response, now.mono),
            None => {}
        }
        self.settle(now.mono);
    }

    /// An RTP or RTCP datagram arrived; which of the two, its second byte tells (RFC 5761 §4).
    pub fn handle_rtp(&mut self, from: SocketAddr, bytes: &[u8], now: Now) {
        if self.vanished {
            return;
        }
        // Without a call the datagram is a straggler of the last one, and counted there.
        if let Some(sound) = &mut self.sound {
            sound.handle_packet(from, bytes, now.mono);
        }
        self.drain_sound();
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.vanished {
            return;
        }
        while let Some(wake) = self.wakes.take_due(now.mono) {
            self.handle_wake(wake, now.mono);
        }
        for pending in &mut self.pending {
            pending.client.handle_timeout(now.mono);
        }
        for server in &mut self.servers {
            server.handle_timeout(now.mono);
        }
        if let Some(sound) = &mut self.sound {
            sound.handle_timeout(now);
        }
        self.settle(now.mono);
    }

    fn handle_wake(&mut self, wake: Wake, now: Instant) {
        match wake {
            Wake::Answer => self.answer_now(now),
            Wake::HangUp => self.hang_up_now(now),
            Wake::Register => self.register_now(now),
            Wake::CancelPatience => self.give_up_cancel(now),
            Wake::Renegotiate => self.renegotiate(now),
        }
    }

    /// When to call [`Phone::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.vanished {
            return None;
        }
        let clients = self.pending.iter().filter_map(|pending| pending.client.poll_timeout());
        let servers = self.servers.iter().filter_map(Server::poll_timeout);
        let sound = self.sound.as_ref().and_then(Sound::poll_timeout);
        clients.chain(servers).chain(sound).chain(self.wakes.next()).min()
    }

    /// What to do next; to be drained after each input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Registers, and keeps registered.
    pub fn register(&mut self, now: Now) {
        self.register_now(now.mono);
        self.settle(now.mono);
    }

    /// Takes the registration back.
    pub fn unregister(&mut self, now: Now) {
        self.unregister_now(now.mono);
        self.settle(now.mono);
    }

    /// Calls someone.
    pub fn dial(&mut self, dial: Dial, now: Now) -> Result<(), PhoneError> {
        self.dial_now(dial, now.mono)?;
        self.settle(now.mono);
        Ok(())
    }

    /// Ends what the phone is doing: CANCEL, refusal (480) or BYE, as the state asks.
    pub fn hang_up(&mut self, now: Now) {
        self.hang_up_now(now.mono);
        self.settle(now.mono);
    }

    /// Answers the call that rings.
    pub fn answer(&mut self, now: Now) {
        self.answer_now(now.mono);
        self.settle(now.mono);
    }

    /// Refuses the call that rings, with a status of 300 to 699.
    pub fn reject(&mut self, status: u16, now: Now) {
        self.reject_now(status, now.mono);
        self.settle(now.mono);
    }

    /// Puts the other side on hold: a re-INVITE with `sendonly`.
    pub fn hold(&mut self, now: Now) {
        self.set_wish(sdp::Direction::SendOnly, now.mono);
        self.settle(now.mono);
    }

    /// Takes the other side back from hold: a re-INVITE with `sendrecv`.
    pub fn resume(&mut self, now: Now) {
        self.set_wish(sdp::Direction::SendRecv, now.mono);
        self.settle(now.mono);
    }

    /// Offers and takes these codecs from now on; a call under way is asked for them with a re-INVITE.
    pub fn change_codecs(&mut self, codecs: &[Codec], now: Now) {
        self.config.codecs = codecs.to_vec();
        self.ask_for_codecs(now.mono);
        self.settle(now.mono);
    }

    /// Asks the other side to call `to` (RFC 3515), a user or a whole URI.
    pub fn refer(&mut self, to: &str, now: Now) -> Result<(), PhoneError> {
        self.refer_now(to, now.mono)?;
        self.settle(now.mono);
        Ok(())
    }

    /// Names the call under way for another telephone's REFER: `Replaces` as it stands in a URI (RFC 3891
    /// §6.1, RFC 3261 §19.1.1). `None`: none stands.
    pub fn replaces(&self) -> Option<String> {
        let Line::Talking(talking) = &self.line else { return None };
        let dialog::Dialog { call_id, local_tag, remote_tag, .. } = &talking.dialog;
        let escaped = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            let one = |byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
            text.bytes().map(one).collect::<String>()
        };
        Some(escaped(&format!("{call_id};to-tag={remote_tag};from-tag={local_tag}")))
    }

    /// Presses keys, 100 ms each and 100 ms apart; what is no key is passed over.
    pub fn press(&mut self, digits: &str, now: Now) {
        if let Some(sound) = &mut self.sound {
            sound.press(digits, now.mono);
        }
    }

    /// Plays 8 kHz samples into the call, once or over and over, in place of what was played.
    pub fn play(&mut self, samples: Arc<[i16]>, repeat: bool, now: Now) {
        if let Some(sound) = &mut self.sound {
            sound.play(samples, repeat, now.mono);
        }
    }

    /// The phone is dead from now on: it says nothing, and answers nothing.
    pub fn vanish(&mut self) {
        self.vanished = true;
        self.outputs.clear();
    }

    /// What was heard in this call or, when idle, in the last: 8 kHz, from the first packet on.
    pub fn heard(&self) -> &[i16] {
        self.sound.as_ref().map_or(&[], Sound::heard)
    }

    /// When the first packet of that call came: where [`Phone::heard`] begins.
    pub fn heard_began(&self) -> Option<Instant> {
        self.sound.as_ref().and_then(Sound::heard_began)
    }

    /// The counters of this call or, when idle, of the last.
    pub fn count(&self) -> SoundCount {
        self.sound.as_ref().map(Sound::count).unwrap_or_default()
    }

    fn report(&mut self, event: PhoneEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    /// A fresh line for a new call.
    fn new_sound(&mut self) {
        if self.config.sound_elsewhere {
            return;
        }
        let config = SoundConfig {
            hear_max: RATE * self.config.hear_max_s as usize,
            send_silence: self.config.send_silence,
            rtcp: self.config.rtcp,
            codecs: self.config.codecs.clone(),
            packet_ms: self.config.packet_ms,
            event: self.config.telephone_event,
            cname: format!("{}@{}", self.config.user, self.config.sip.ip()),
        };
        self.sound = Some(Sound::new(config, &mut self.dice));
    }

    fn new_describer(&mut self) -> sdp::Describer {
        let session = self.dice.below(1 << 32);
        sdp::Describer::new(self.config.rtp, &self.config.codecs, self.config.telephone_event, session)
            .with_packet_ms(self.config.packet_ms)
    }

    fn drain_sound(&mut self) {
        if let Some(sound) = &mut self.sound {
            while let Some(output) = sound.poll_output() {
                self.outputs.push_back(output);
            }
        }
    }

    /// The line is free again.
    fn end_call(&mut self, now: Instant) {
        self.line = Line::Idle;
        if let Some(sound) = &mut self.sound {
            sound.end();
        }
        for wake in [Wake::Answer, Wake::HangUp, Wake::CancelPatience, Wake::Renegotiate] {
            self.wakes.cancel(wake);
        }
        self.busy_until = Some(now + self.config.rest);
    }
}
