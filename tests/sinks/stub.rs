//! A ticket office behind HTTP that answers as it is told: well, badly, late, or not at all.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as SystemInstant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response};
use tokio::sync::{Notify, oneshot};

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// With a Retry-After of so many seconds.
    Wait(u16, u32),
    /// 200 with these words.
    Says(&'static str),
    /// 200 with so many bytes that say nothing.
    Drones(usize),
    /// To somewhere else.
    Redirect,
    /// Never.
    Hang,
    /// The event is taken, the connection breaks before the answer.
    Lost,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: SystemInstant,
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub answer: Answer,
}

impl Seen {
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    /// Whether the office has the event, whatever the sender knows of it.
    pub fn is_taken(&self) -> bool {
        matches!(self.answer, Answer::Status(200..=299) | Answer::Lost)
    }
}

type Judge = Box<dyn Fn(&Bytes) -> Option<Answer> + Send + Sync>;

#[derive(Default)]
struct Desk {
    seen: Mutex<Vec<Seen>>,
    /// Answers to come; then 200.
    script: Mutex<VecDeque<Answer>>,
    judge: Mutex<Option<Judge>>,
    news: Notify,
}

/// The office. Its doors close when it is dropped.
pub struct Stub {
    pub address: SocketAddr,
    desk: Arc<Desk>,
    runtime: Option<tokio::runtime::Runtime>,
    close: Option<oneshot::Sender<()>>,
}

/// A port at which nobody listens now.
pub fn closed_door() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Stub {
    pub fn open() -> Stub {
        Stub::open_at("127.0.0.1:0".parse().unwrap())
    }

    pub fn open_at(address: SocketAddr) -> Stub {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk::default());
        let routes = Router::new().fallback(take).with_state(Arc::clone(&desk));
        let (close, closed) = oneshot::channel::<()>();
        runtime.spawn(async move {
            let serve = axum::serve(listener, routes).into_future();
            tokio::select! {
                _ = serve => {}
                _ = closed => {}
            }
        });
        Stub { address, desk, runtime: Some(runtime), close: Some(close) }
    }

    pub fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// The next requests are answered so, whichever they are; further ones with 200.
    pub fn answer(&self, script: impl IntoIterator<Item = Answer>) {
        self.desk.script.lock().unwrap().extend(script);
    }

    /// Events for which `judge` has an answer get it always.
    pub fn judge(&self, judge: impl Fn(&Bytes) -> Option<Answer> + Send + Sync + 'static) {
        *self.desk.judge.lock().unwrap() = Some(Box::new(judge));
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.desk.seen.lock().unwrap().clone()
    }

    /// Waits until `done` holds of all requests so far.
    pub fn until(&self, what: &str, patience: Duration, done: impl Fn(&[Seen]) -> bool) {
        let waited = async {
            loop {
                let news = self.desk.news.notified();
                if done(&self.desk.seen.lock().unwrap()) {
                    return;
                }
                news.await;
            }
        };
        let runtime = self.runtime.as_ref().expect("open until dropped");
        let in_time = runtime.block_on(async { tokio::time::timeout(patience, waited).await });
        assert!(in_time.is_ok(), "{what}: not within {patience:?}; seen: {:?}", self.bodies());
    }

    fn bodies(&self) -> Vec<String> {
        self.seen().iter().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.close.take();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn take(
    State(desk): State<Arc<Desk>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let judged = desk.judge.lock().unwrap().as_ref().and_then(|judge| judge(&body));
    let answer = judged.or_else(|| desk.script.lock().unwrap().pop_front()).unwrap_or(Answer::Status(200));
    let seen = Seen { at: SystemInstant::now(), method, headers, body, answer };
    desk.seen.lock().unwrap().push(seen);
    desk.news.notify_one();
    let body = match answer {
        Answer::Says(words) => Body::from(words),
        Answer::Drones(bytes) => Body::from(vec![b' '; bytes]),
        _ => Body::empty(),
    };
    let (status, header) = match answer {
        Answer::Status(status) => (status, None),
        Answer::Says(_) | Answer::Drones(_) => (200, None),
        Answer::Wait(status, seconds) => (status, Some(("retry-after", seconds.to_string()))),
        Answer::Redirect => (307, Some(("location", "/elsewhere".to_owned()))),
        Answer::Hang => std::future::pending().await,
        // Unwinds the connection's task, past the hook that would print it.
        Answer::Lost => std::panic::resume_unwind(Box::new("the answer is lost")),
    };
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}
