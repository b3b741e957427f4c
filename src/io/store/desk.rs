//! A thread of its own for look-ups, so that no reader waits in the call path.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use super::read::Reader;
use super::schema::StoreError;

/// Look-ups that wait at once; a further one is refused.
const WAITING_MAX: usize = 256;

/// `false`: the answer was an error.
type Job = Box<dyn FnOnce(&Reader) -> bool + Send>;

/// The way to the reading thread.
#[derive(Clone)]
pub struct Desk {
    jobs: mpsc::SyncSender<Job>,
}

impl Desk {
    /// Starts the thread. It opens the database at the first question and anew after an error.
    pub fn start(path: PathBuf) -> std::io::Result<Self> {
        let (jobs, inbox) = mpsc::sync_channel::<Job>(WAITING_MAX);
        thread::Builder::new().name("store-desk".to_owned()).spawn(move || {
            let mut reader: Option<Reader> = None;
            for job in inbox {
                if reader.is_none() {
                    reader =
                        Reader::open(&path).inspect_err(|error| tracing::error!(%error, "no look-ups")).ok();
                }
                // Without a reader the job is dropped, and its asker learns that.
                if let Some(open) = &reader {
                    let run = std::panic::AssertUnwindSafe(|| job(open));
                    if !matches!(std::panic::catch_unwind(run), Ok(true)) {
                        reader = None;
                    }
                }
            }
        })?;
        Ok(Desk { jobs })
    }

    /// Runs `ask` on the thread and hands its answer to `tell` there. `false`: too many wait. Where
    /// the database cannot be opened, `tell` never hears.
    pub fn ask<T: 'static>(
        &self,
        ask: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
        tell: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> bool {
        let job = move |reader: &Reader| {
            let answer = ask(reader);
            let fine = answer.is_ok();
            tell(answer);
            fine
        };
        self.jobs.try_send(Box::new(job)).is_ok()
    }

    /// Runs `ask` on the thread.
    pub async fn answer<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let asked = self.ask(ask, move |result| {
            let _ = reply.send(result);
        });
        if !asked {
            return Err(StoreError::Gone);
        }
        answer.await.map_err(|_| StoreError::Gone)?
    }
}
