//! A program that talks with callers as a test wants it: a WebSocket server on a thread of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// Little is kept for a program that does not read: it is to be noticed soon.
const RECEIVE_BUFFER: u32 = 4 * 1024;

/// What a program heard and was told.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub authorization: Option<String>,
    /// Text frames, in order.
    pub told: Vec<Value>,
    /// The caller's sound.
    pub heard: Vec<i16>,
    /// The connection was closed as it should be.
    pub closed: bool,
}

impl Seen {
    pub fn of_type(&self, kind: &str) -> Vec<&Value> {
        self.told.iter().filter(|frame| frame["type"] == kind).collect()
    }
}

/// How it behaves.
#[derive(Clone, Debug)]
pub enum Manner {
    /// Plays this for ever, 20 ms at a time; what follows is said once so many samples were heard.
    Talks { sound: Arc<[i16]>, after: usize, then: Vec<Value> },
    /// Sends these frames at once, and then only reads.
    Sends(Vec<Message>),
    /// Sends this frame again and again, as fast as it can.
    Floods(Message),
    /// Takes the handshake and nothing more, but goes on speaking.
    NeverReads,
    /// Closes as soon as it is told of the call; with or without a closing handshake.
    Closes { politely: bool },
    /// Answers the handshake so.
    Answers(&'static str),
}

pub struct Program {
    pub at: SocketAddr,
    seen: Known,
    _runtime: Runtime,
}

impl Program {
    pub fn start(manner: Manner) -> Program {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let seen = Known::default();
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.listen(16).unwrap()
        });
        let at = listener.local_addr().unwrap();
        let known = seen.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manner.clone(), known.clone()));
            }
        });
        Program { at, seen, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/calls", self.at)
    }

    pub fn seen(&self) -> Seen {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same once it is so; fails where that takes longer than `patience`.
    pub fn seen_once(&self, patience: Duration, so: impl Fn(&Seen) -> bool) -> Seen {
        let (seen, changed) = &*self.seen;
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(seen, patience, |seen| !so(seen));
        let (seen, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "not within {patience:?}: {:?}", seen.told);
        seen.clone()
    }
}

/// What is known, and that it has changed.
type Known = Arc<(Mutex<Seen>, Condvar)>;

fn note(known: &Known, change: impl FnOnce(&mut Seen)) {
    change(&mut known.0.lock().unwrap_or_else(PoisonError::into_inner));
    known.1.notify_all();
}

async fn serve(mut stream: TcpStream, manner: Manner, known: Known) {
    if let Manner::Answers(answer) = manner {
        let mut request = [0; 4_096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        return;
    }
    let header = known.clone();
    #[allow(clippy::result_large_err, reason = "as the library has it")]
    let look = move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let said = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        note(&header, |seen| seen.authorization = said.map(str::to_owned));
        Ok(response)
    };
    let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, look).await else { return };
    match manner {
        Manner::Talks { sound, after, then } => talk(socket, &known, &sound, after, then).await,
        Manner::Sends(frames) => {
            let mut socket = socket;
            for frame in frames {
                let _ = socket.send(frame).await;
            }
            read_on(socket, &known).await;
        }
        Manner::Floods(frame) => {
            let (mut sink, stream) = socket.split();
            let reading = async {
                let mut stream = stream;
                while stream.next().await.is_some_and(|came| came.is_ok()) {}
            };
            let flooding = async { while sink.send(frame.clone()).await.is_ok() {} };
            tokio::join!(reading, flooding);
        }
        Manner::NeverReads => {
            let mut socket = socket;
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            let frame = Message::binary(vec![0; 640]);
            while socket.send(frame.clone()).await.is_ok() {
                ticks.tick().await;
            }
        }
        Manner::Closes { politely } => {
            let mut socket = socket;
            let _ = socket.next().await;
            if politely {
                let _ = socket.close(None).await;
            }
        }
        Manner::Answers(_) => unreachable!("answered above"),
    }
}

async fn read_on(mut socket: WebSocketStream<TcpStream>, known: &Known) {
    while let Some(Ok(frame)) = socket.next().await {
        take(&frame, known);
    }
    note(known, |seen| seen.closed = true);
}

fn take(frame: &Message, known: &Known) {
    note(known, |seen| match frame {
        Message::Text(text) => seen.told.push(serde_json::from_str(text).expect("JSON")),
        Message::Binary(bytes) => {
            let (pairs, _) = bytes.as_chunks::<2>();
            seen.heard.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        }
        _ => {}
    });
}

async fn talk(
    socket: WebSocketStream<TcpStream>,
    known: &Known,
    sound: &[i16],
    after: usize,
    mut then: Vec<Value>,
) {
    let (mut sink, mut stream) = socket.split();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let (mut at, mut heard) = (0, 0);
    loop {
        tokio::select! {
            came = stream.next() => match came {
                Some(Ok(frame)) => {
                    heard += frame.len() / 2;
                    take(&frame, known);
                }
                _ => break,
            },
            _ = ticks.tick() => {
                let frame: Vec<u8> =
                    (0..160).flat_map(|n| sound[(at + n) % sound.len()].to_le_bytes()).collect();
                at += 160;
                let _ = sink.send(Message::binary(frame)).await;
                if heard >= after {
                    for said in then.drain(..) {
                        let _ = sink.send(Message::text(said.to_string())).await;
                    }
                }
            }
        }
    }
    note(known, |seen| seen.closed = true);
}

/// A line of a transcript.
pub fn said(who: &str, text: &str) -> Value {
    json!({ "type": "transcript", "who": who, "text": text })
}
