//! One connection of SIP over a stream: bytes in become messages for the control loop, and what the
//! loop wants sent is written in order (RFC 3261 §18, RFC 5626 §4.4.1).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::guests::Pass;
use super::stream::{Event, Limits, Shared, Way};
use crate::sip::Draft;
use crate::sip::framing::{self, Broken, Frame, Framer};

/// Bytes read at once: a dozen of usual messages.
const READ: usize = 16 * 1024;
/// The answer to a ping.
const PONG: Bytes = Bytes::from_static(b"\r\n");

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The far end closed it, or the network lost it.
    Gone,
    /// It could not be made, or its handshake failed.
    Refused,
    /// There was no place for it.
    NoRoom,
    /// Nothing came in the time that there is for it.
    Idle,
    /// A message was begun and not finished in time.
    Slow,
    /// What came is not SIP, or nobody can say where it ends.
    Broken,
    /// The far end does not read what we send.
    Deaf,
}

impl Why {
    /// Each.
    pub const ALL: [Why; 7] =
        [Why::Gone, Why::Refused, Why::NoRoom, Why::Idle, Why::Slow, Why::Broken, Why::Deaf];

    /// In one word, for figures.
    pub fn word(self) -> &'static str {
        match self {
            Why::Gone => "gone",
            Why::Refused => "refused",
            Why::NoRoom => "no_room",
            Why::Idle => "idle",
            Why::Slow => "slow",
            Why::Broken => "broken",
            Why::Deaf => "deaf",
        }
    }
}

/// What a connection's task knows of it.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) listener: usize,
    pub(super) peer: SocketAddr,
    pub(super) id: u64,
    /// Names in the far end's certificate.
    pub(super) names: Vec<String>,
    /// How it is spoken to, by itself for pongs and by the loop.
    way: Way,
    pass: Pass,
    /// We made it.
    ours: bool,
    /// The loop knows of it.
    pub(super) told: Arc<AtomicBool>,
}

impl Line {
    pub(super) fn new(
        shared: Arc<Shared>,
        (listener, peer): (usize, SocketAddr),
        id: u64,
        way: Way,
        pass: Pass,
        ours: bool,
    ) -> Self {
        let told = Arc::new(AtomicBool::new(ours));
        Line { shared, listener, peer, id, names: Vec::new(), way, pass, ours, told }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve<S>(self, stream: S, outgoing: mpsc::Receiver<Bytes>) -> Why
    where
        S: AsyncRead + AsyncWrite + Send,
    {
        let (mut read, mut write) = tokio::io::split(stream);
        let wrote = Arc::new(AtomicBool::new(false));
        let limits = self.shared.limits;
        let framer = Framer::new(framing::Limits::default());
        let mut reader = Reader { line: self, framer, spoke: false };
        let (why, last) = {
            let writing = write_all(&mut write, outgoing, limits, &wrote);
            tokio::select! {
                ended = reader.run(&mut read, &wrote) => ended,
                why = writing => (why, None),
            }
        };
        if let Some(last) = last {
            part(&mut read, &mut write, &last, limits).await;
        }
        why
    }
}

/// Writes a last answer and lets it arrive: a close with bytes unread would take it back.
async fn part<S>(read: &mut ReadHalf<S>, write: &mut (impl AsyncWrite + Unpin), last: &[u8], limits: Limits)
where
    S: AsyncRead,
{
    let parting = async {
        write.write_all(last).await?;
        write.shutdown().await?;
        let mut rest = [0; 1_024];
        while read.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    // It is being closed anyway.
    let _ = timeout(limits.part_max, parting).await;
}

async fn write_all(
    write: &mut (impl AsyncWrite + Unpin),
    mut outgoing: mpsc::Receiver<Bytes>,
    limits: Limits,
    wrote: &AtomicBool,
) -> Why {
    while let Some(bytes) = outgoing.recv().await {
        let written = async {
            write.write_all(&bytes).await?;
            write.flush().await
        };
        match timeout(limits.write_max, written).await {
            Ok(Ok(())) => wrote.store(true, Ordering::Relaxed),
            Ok(Err(_)) => return Why::Gone,
            Err(_) => return Why::Deaf,
        }
    }
    Why::Gone
}

struct Reader {
    line: Line,
    framer: Framer,
    /// A whole message or a ping has come, or we made the connection.
    spoke: bool,
}

impl Reader {
    /// Reads to the end; with what is to be answered last.
    async fn run<S: AsyncRead>(
        &mut self,
        read: &mut ReadHalf<S>,
        wrote: &AtomicBool,
    ) -> (Why, Option<Bytes>) {
        let limits = self.line.shared.limits;
        if self.line.ours && !self.speak().await {
            return (Why::Gone, None);
        }
        let mut room = vec![0; READ];
        let mut begun: Option<Instant> = None;
        loop {
            let (ends, why) = match begun {
                Some(at) => (at + limits.message_max, Why::Slow),
                None if self.spoke => (Instant::now() + limits.idle_max, Why::Idle),
                None => (Instant::now() + limits.first_max, Why::Idle),
            };
            let count = match timeout_at(ends, read.read(&mut room)).await {
                Ok(Ok(0) | Err(_)) => return (Why::Gone, None),
                Ok(Ok(count)) => count,
                // What we send keeps a connection as well as what comes.
                Err(_) if why == Why::Idle && self.spoke && wrote.swap(false, Ordering::Relaxed) => continue,
                Err(_) => return (why, None),
            };
            self.framer.push(&room[..count]);
            while let Some(frame) = self.framer.next() {
                begun = None;
                match self.take(frame).await {
                    Ok(()) => {}
                    Err(last) => return last,
                }
            }
            begun = if self.framer.begun() { begun.or_else(|| Some(Instant::now())) } else { None };
        }
    }

    async fn take(&mut self, frame: Frame) -> Result<(), (Why, Option<Bytes>)> {
        match frame {
            Frame::Message(bytes) => {
                let (listener, peer) = (self.line.listener, self.line.peer);
                let message = Event::Message { listener, peer, bytes };
                // Where the loop is behind, this waits, and the far end with it.
                if !self.speak().await || self.line.shared.tell.send(message).await.is_err() {
                    return Err((Why::Gone, None));
                }
                Ok(())
            }
            Frame::Ping => {
                // A far end that pings and does not read has what it deserves.
                let _ = self.line.way.outbox.try_send(PONG);
                if self.speak().await { Ok(()) } else { Err((Why::Gone, None)) }
            }
            Frame::Pong => Ok(()),
            Frame::Broken(broken) => Err((Why::Broken, refusal(&broken, self.line.peer))),
        }
    }

    /// Lets the loop know of the connection, once there is something to know.
    async fn speak(&mut self) -> bool {
        if std::mem::replace(&mut self.spoke, true) {
            return true;
        }
        let line = &mut self.line;
        line.pass.speak();
        line.told.store(true, Ordering::Relaxed);
        let opened = Event::Opened {
            id: line.id,
            listener: line.listener,
            peer: line.peer,
            names: std::mem::take(&mut line.names),
            way: line.way.clone(),
        };
        line.shared.tell.send(opened).await.is_ok()
    }
}

/// The answer to a request that cannot be read to its end (RFC 3261 §18.3).
fn refusal(broken: &Broken, peer: SocketAddr) -> Option<Bytes> {
    let request = broken.request()?;
    let fault = broken.fault;
    Some(Draft::response_saying(&request, peer, fault.status, fault.why, Some("x")).finish())
}
