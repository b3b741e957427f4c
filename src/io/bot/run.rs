//! One talk as a task of the worker: it waits for the program, the caller's sound, the clock and the call at once.
//!
//! To the media engine it is one more RTP peer on this machine: a socket, L16 at 8 kHz, a packet each 20 ms.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream as _};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::connect::{Connection, Connector, NotThere, words_of};
use super::contract::{Format, SCHEMA_VERSION, ToBot};
use super::talk::{Came, Sent, Talk};
use crate::call::{BOT_PAYLOAD_TYPE, BotEnd, BotSaid};
use crate::id::CallId;
use crate::media::Frame;
use crate::media::order::FRAME_SAMPLES;
use crate::media::rtp::{self, HEADER_BYTES, Header, PACKET_MAX};
use crate::switchboard::Invited;

/// One frame's time.
const FRAME: Duration = Duration::from_millis(20);
/// How long a program may take to hear that the talk is over.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// A packet of ours.
const PACKET_BYTES: usize = HEADER_BYTES + 2 * FRAME_SAMPLES;

/// What the call wants of its talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The caller pressed this.
    Key(char),
    /// It is over.
    Leave(BotEnd),
}

/// What a talk is had with.
pub(super) struct Errand {
    pub(super) call: CallId,
    pub(super) invited: Invited,
    /// Where the media engine has the pair of the leg.
    pub(super) engine: SocketAddr,
    pub(super) data: PathBuf,
    pub(super) ssrc: u32,
    pub(super) words: mpsc::Receiver<Word>,
}

/// Has the talk, to its end; `tell` takes what the call is to know.
pub(super) async fn run(mut errand: Errand, connector: Arc<Connector>, tell: impl Fn(BotSaid)) {
    let call = errand.call;
    let bot = errand.invited.bot.id.clone();
    let connecting = connector.connect(&errand.invited.bot, &errand.data);
    let connected = tokio::select! {
        biased;
        () = left(&mut errand.words) => return,
        connected = connecting => connected,
    };
    let connection = match connected {
        Ok(connection) => connection,
        Err(NotThere { end, why }) => {
            tracing::warn!(%call, %bot, end = end.word(), why, "a bot is not to be had");
            return tell(BotSaid::Ended(end));
        }
    };
    let sound = match socket(errand.engine).await {
        Ok(sound) => sound,
        Err(error) => {
            tracing::error!(%call, %bot, %error, "no socket for a bot's sound");
            return tell(BotSaid::Ended(BotEnd::NoSound));
        }
    };
    if let Ok(at) = sound.local_addr() {
        tell(BotSaid::There { at });
    }
    tracing::debug!(%call, %bot, "a bot is there");
    converse(errand, connection, &sound, tell).await;
}

/// Until the call does not want the talk any more; keys pressed meanwhile are nobody's.
async fn left(words: &mut mpsc::Receiver<Word>) {
    while let Some(Word::Key(_)) = words.recv().await {}
}

async fn socket(engine: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::new(engine.ip(), 0)).await?;
    socket.connect(engine).await?;
    Ok(socket)
}

async fn converse(mut errand: Errand, mut connection: Connection, sound: &UdpSocket, tell: impl Fn(BotSaid)) {
    let Errand { call, invited, ssrc, words, .. } = &mut errand;
    let format = Format::at(invited.bot.rate);
    let mut talk = Talk::new(format, &start(&call.to_string(), invited, format));
    let began = Instant::now();
    let mut ticks = interval(FRAME);
    let mut packets = Packets { ssrc: *ssrc, sent: 0 };
    let mut packet = [0; PACKET_MAX];
    let mut is_open = true;
    loop {
        while let Some(said) = talk.poll_output() {
            if let BotSaid::Ended(end) = &said {
                tracing::warn!(%call, bot = %invited.bot.id, end = end.word(), "a bot is given up");
            }
            tell(said);
        }
        tokio::select! {
            biased;
            word = words.recv() => match word {
                Some(Word::Key(digit)) => talk.handle_key(digit, began.elapsed()),
                Some(Word::Leave(end)) => {
                    talk.handle_stop(end, began.elapsed());
                    break;
                }
                None => return, // The house is gone.
            },
            _ = ticks.tick() => {
                let frame = talk.handle_tick(began.elapsed());
                // What finds no room is a lost packet.
                let _ = sound.try_send(&packets.next(&frame));
            }
            got = sound.recv(&mut packet) => {
                if let Some(frame) = got.ok().and_then(|length| frame_of(&packet[..length])) {
                    talk.handle_sound(frame);
                }
            }
            came = next(&mut connection, &mut talk), if is_open => {
                is_open = take(came, &mut talk, began.elapsed());
            }
        }
    }
    // Whoever does not listen any more is not waited for.
    let _ = timeout(GOODBYE_MAX, goodbye(&mut connection, &mut talk, is_open)).await;
}

fn start<'a>(call: &'a str, invited: &'a Invited, sound: Format) -> ToBot<'a> {
    ToBot::Start {
        schema_version: SCHEMA_VERSION,
        call,
        ticket: &invited.ticket,
        line: invited.line.as_str(),
        line_name: &invited.line_name,
        language: invited.language.as_ref().map(|language| language.as_str()),
        caller: &invited.caller,
        sound,
    }
}

/// Sends what the program can take, and waits for what it says.
async fn next(connection: &mut Connection, talk: &mut Talk) -> Option<Result<Message, Error>> {
    poll_fn(|context| {
        if let Poll::Ready(Err(error)) = send(connection, talk, context) {
            return Poll::Ready(Some(Err(error)));
        }
        Pin::new(&mut *connection).poll_next(context)
    })
    .await
}

/// Ready when everything is sent.
fn send(connection: &mut Connection, talk: &mut Talk, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
    loop {
        match Pin::new(&mut *connection).poll_ready(context) {
            Poll::Ready(Ok(())) => {}
            other => return other,
        }
        let Some(sent) = talk.poll_frame() else { return Pin::new(connection).poll_flush(context) };
        let message = match sent {
            Sent::Text(text) => Message::text(text),
            Sent::Sound(bytes) => Message::binary(bytes),
        };
        if let Err(error) = Pin::new(&mut *connection).start_send(message) {
            return Poll::Ready(Err(error));
        }
    }
}

/// Gives the talk what came; whether more can.
fn take(came: Option<Result<Message, Error>>, talk: &mut Talk, at: Duration) -> bool {
    let lost = match &came {
        Some(Ok(Message::Text(text))) => {
            talk.handle_frame(&Came::Text(text.as_str()), at);
            return true;
        }
        Some(Ok(Message::Binary(bytes))) => {
            talk.handle_frame(&Came::Sound(bytes), at);
            return true;
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
            talk.handle_frame(&Came::Control, at);
            return true;
        }
        Some(Ok(Message::Close(_))) | None => BotEnd::Closed,
        Some(Err(error)) => {
            tracing::debug!(why = words_of(error), "a bot's connection is lost");
            end_by(error)
        }
    };
    talk.handle_frame(&Came::Lost(lost), at);
    false
}

fn end_by(error: &Error) -> BotEnd {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => BotEnd::Oversized,
        Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => BotEnd::Closed,
        Error::Protocol(_) | Error::Utf8(_) | Error::Capacity(_) | Error::AttackAttempt => BotEnd::Malformed,
        Error::WriteBufferFull(_) => BotEnd::Slow,
        _ => BotEnd::Closed,
    }
}

/// `stop`, unless the program was the first to go, and our part of the closing handshake (RFC 6455 §7.1.2).
async fn goodbye(connection: &mut Connection, talk: &mut Talk, is_open: bool) -> Result<(), Error> {
    if is_open {
        poll_fn(|context| send(connection, talk, context)).await?;
    }
    connection.close(None).await
}

/// The program's packets, in order.
struct Packets {
    ssrc: u32,
    sent: u32,
}

impl Packets {
    fn next(&mut self, frame: &Frame) -> [u8; PACKET_BYTES] {
        let mut payload = [0; 2 * FRAME_SAMPLES];
        let (pairs, _) = payload.as_chunks_mut::<2>();
        pairs.iter_mut().zip(frame).for_each(|(to, sample)| *to = sample.to_be_bytes());
        let header = Header {
            marker: self.sent == 0,
            payload_type: BOT_PAYLOAD_TYPE,
            sequence: self.sent as u16,
            timestamp: self.sent.wrapping_mul(FRAME_SAMPLES as u32),
            ssrc: self.ssrc,
        };
        self.sent = self.sent.wrapping_add(1);
        let mut packet = [0; PACKET_BYTES];
        rtp::write(header, &payload, &mut packet);
        packet
    }
}

/// The caller's sound in a packet of the engine's; `None`: it is a report, or no sound of 20 ms.
fn frame_of(packet: &[u8]) -> Option<Frame> {
    if rtp::is_rtcp(packet) {
        return None;
    }
    let (header, payload) = rtp::parse(packet)?;
    if header.payload_type != BOT_PAYLOAD_TYPE || payload.len() != 2 * FRAME_SAMPLES {
        return None;
    }
    let mut frame = [0; FRAME_SAMPLES];
    let (pairs, _) = payload.as_chunks::<2>();
    frame.iter_mut().zip(pairs).for_each(|(to, pair)| *to = i16::from_be_bytes(*pair));
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_comes_out_of_a_packet_as_it_went_in_and_reports_are_none() {
        let mut packets = Packets { ssrc: 7, sent: 0 };
        let frame: Frame = std::array::from_fn(|n| (n as i16 - 80) * 301);
        let first = packets.next(&frame);
        assert_eq!(frame_of(&first), Some(frame));
        let second = packets.next(&frame);
        let headers = [first, second].map(|packet| rtp::parse(&packet).expect("whole").0);
        assert_eq!((headers[0].marker, headers[1].marker), (true, false));
        assert_eq!((headers[1].sequence, headers[1].timestamp, headers[1].ssrc), (1, 160, 7));
        let mut report = first;
        report[1] = 200;
        assert_eq!(frame_of(&report), None);
        assert_eq!(frame_of(&first[..PACKET_BYTES - 2]), None, "not 20 ms");
        assert_eq!(frame_of(&[]), None);
    }
}
