//! SIGINT and SIGTERM, told to a loop that sleeps in the packet mover.

use std::io;
use std::sync::mpsc;

use tokio::signal::unix::{SignalKind, signal};

use crate::io::packets::Bell;

/// Rings at each SIGINT and SIGTERM from now on, until the process ends.
pub fn ring_on_stop(bell: Bell) -> io::Result<()> {
    let (tell, heeded) = mpsc::channel();
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(error))),
        };
        runtime.block_on(async {
            let signals = signal(SignalKind::terminate())
                .and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
            let (mut terminate, mut interrupt) = match signals {
                Ok(signals) => signals,
                Err(error) => return drop(tell.send(Err(error))),
            };
            let _ = tell.send(Ok(()));
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                bell.ring();
            }
        });
    })?;
    // The thread says one word, or its end closes the channel.
    heeded.recv().unwrap_or(Err(io::ErrorKind::Other.into()))
}
