//! A file of one event a line, for whoever collects files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

use super::{Delivery, TicketSink};
use crate::tickets::event::{Outcome, StoredEvent};

pub(super) struct Jsonl(Arc<Mutex<tokio::fs::File>>);

impl Jsonl {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Jsonl(Arc::new(Mutex::new(tokio::fs::File::from_std(file)))))
    }
}

impl TicketSink for Jsonl {
    fn deliver<'a>(&'a self, event: &'a StoredEvent) -> Delivery<'a> {
        Box::pin(async move {
            let mut file = self.0.lock().await;
            let line = format!("{}\n", event.json);
            let written = async {
                file.write_all(line.as_bytes()).await?;
                // Taken means that a power cut does not take it back.
                file.sync_data().await
            };
            match written.await {
                Ok(()) => Outcome::Taken,
                Err(error) => Outcome::Retry(error.to_string()),
            }
        })
    }
}
