//! The listener: a bounded number of connections, of which one source has but a part, and none may keep the house
//! waiting.
//!
//! Headers must come in time, and what is sent must be taken: a client that takes nothing of it for a while is
//! let go, whatever it is sent (fault F18).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;

use super::Bounds;
use crate::sip::neighbourhood;
use crate::telemetry::Figures;

/// What is read of a request at once, and what is kept of an answer that is not taken, bytes.
const BUFFER: usize = 64 * 1024;
/// What the kernel keeps of it, bytes; it doubles that for its own books.
const SEND_BUFFER: usize = 128 * 1024;
/// Lines of a request's head.
const HEADERS_MAX: usize = 64;
/// After a connection could not be taken: the process is out of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Takes connections for as long as the runtime lives.
pub(super) async fn serve(listener: TcpListener, routes: Router, bounds: Bounds, figures: Arc<Figures>) {
    let places = Arc::new(Semaphore::new(bounds.connections_max));
    let sources = Sources::default();
    let routes = TowerToHyperService::new(routes);
    loop {
        // The semaphore is never closed. Whoever finds no place waits in the kernel's own queue.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(come) => come,
            Err(error) => {
                tracing::warn!(%error, "a connection for HTTP could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(of_source) = sources.enter(peer.ip(), bounds.connections_of_one_max) else {
            tracing::debug!(%peer, "too many connections of HTTP from there");
            continue;
        };
        let (routes, figures) = (routes.clone(), figures.clone());
        tokio::spawn(async move {
            if let Err(error) = connection(stream, peer, routes, bounds, figures).await {
                tracing::debug!(%peer, %error, "a connection of HTTP is over");
            }
            drop((place, of_source));
        });
    }
}

/// Connections by source, of which none may have all.
#[derive(Clone, Default)]
struct Sources(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of a source: counted until it is dropped.
struct OfSource {
    sources: Sources,
    source: IpAddr,
}

impl Sources {
    /// `None`: the source has `most` already.
    fn enter(&self, address: IpAddr, most: usize) -> Option<OfSource> {
        let source = neighbourhood(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(source).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(OfSource { sources: self.clone(), source })
    }
}

impl Drop for OfSource {
    fn drop(&mut self) {
        let mut counts = self.sources.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    routes: TowerToHyperService<Router>,
    bounds: Bounds,
    figures: Arc<Figures>,
) -> hyper::Result<()> {
    // Neither can fail for an open socket in a way that matters: it would be slower, or hold more.
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        routes.call(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header_wait)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER)
        .serve_connection(
            TokioIo::new(Impatient { stream, wait: bounds.stall, stalled: None, figures }),
            service,
        )
        .await
}

/// A connection that fails when what is sent is not taken for too long.
struct Impatient {
    stream: TcpStream,
    wait: Duration,
    /// Since the far end takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    figures: Arc<Figures>,
}

impl Impatient {
    /// Passes on how a write went, unless it has waited for too long.
    fn judge<T>(&mut self, wrote: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.stalled = None;
            return wrote;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.wait)));
        ready!(stalled.as_mut().poll(context));
        self.figures.http_stalled();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(wrote, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.judge(wrote, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
