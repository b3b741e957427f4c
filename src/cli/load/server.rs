//! The server's CPU and memory, once a second: by its process, or by its `/metrics`.
//!
//! On a thread of its own: a server that answers slowly delays no call.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::offers::Offers;
use crate::io::affinity;

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(1);
/// A `/metrics` that takes longer is passed over.
const PATIENCE: Duration = Duration::from_millis(800);

/// What to watch.
#[derive(Clone, Debug)]
pub enum Watched {
    Process(u32),
    Metrics(String),
}

/// One look: CPU since the server began, and resident memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    pub cpu_s: f64,
    pub memory_bytes: f64,
    /// How long free seats waited for their INVITE; empty for a process, and for another server.
    pub offers: Offers,
}

/// What one second took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Percent of one core.
    pub cpu_percent: f64,
    pub memory_mib: f64,
    /// Since the watch began.
    pub offers: Offers,
}

/// The watching thread; it ends when this is dropped.
pub struct Watch {
    taken: Receiver<Taken>,
    _stop: Sender<()>,
}

impl Watch {
    /// Fails where the first look does.
    pub fn open(watched: Watched) -> io::Result<Self> {
        let mut eye = Eye::new(watched)?;
        let mut before = (eye.look()?, Instant::now());
        let first = before.0.offers.clone();
        let (tell, taken) = channel();
        let (stop, stopped) = channel();
        std::thread::Builder::new().name("watch".into()).spawn(move || {
            let mut due = before.1 + EVERY;
            while stopped.recv_timeout(due.saturating_duration_since(Instant::now()))
                == Err(RecvTimeoutError::Timeout)
            {
                due += EVERY;
                let Ok(look) = eye.look() else { continue }; // The row stays empty.
                let now = Instant::now();
                let span = (now - before.1).as_secs_f64();
                let taken = Taken {
                    cpu_percent: (look.cpu_s - before.0.cpu_s).max(0.0) / span * 100.0,
                    memory_mib: look.memory_bytes / 1_048_576.0,
                    offers: look.offers.since(&first),
                };
                before = (look, now);
                if tell.send(taken).is_err() {
                    return;
                }
            }
        })?;
        Ok(Watch { taken, _stop: stop })
    }

    /// The latest second that was not asked for yet.
    pub fn latest(&self) -> Option<Taken> {
        self.taken.try_iter().last()
    }
}

enum Eye {
    Process(u32),
    Metrics { url: String, client: reqwest::Client, runtime: tokio::runtime::Runtime },
}

impl Eye {
    fn new(watched: Watched) -> io::Result<Self> {
        Ok(match watched {
            Watched::Process(number) => Eye::Process(number),
            Watched::Metrics(url) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let client =
                    reqwest::Client::builder().timeout(PATIENCE).build().map_err(io::Error::other)?;
                Eye::Metrics { url, client, runtime }
            }
        })
    }

    fn look(&mut self) -> io::Result<Look> {
        match self {
            Eye::Process(number) => {
                let stat = std::fs::read_to_string(format!("/proc/{number}/stat"))?;
                let status = std::fs::read_to_string(format!("/proc/{number}/status"))?;
                of_process(&stat, &status, affinity::ticks_per_second())
                    .ok_or_else(|| io::ErrorKind::InvalidData.into())
            }
            Eye::Metrics { url, client, runtime } => {
                let text = runtime.block_on(async {
                    client.get(url.as_str()).send().await?.error_for_status()?.text().await
                });
                of_metrics(&text.map_err(io::Error::other)?)
            }
        }
    }
}

/// User and system time of all threads, those that ended included.
fn of_process(stat: &str, status: &str, ticks_per_second: u64) -> Option<Look> {
    // The name, in parentheses, may hold anything; after it fields 3 and on.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let memory: f64 = memory.trim().trim_end_matches("kB").trim().parse().ok()?;
    let cpu_s = (field(14)? + field(15)?) as f64 / ticks_per_second as f64;
    Some(Look { cpu_s, memory_bytes: memory * 1_024.0, offers: Offers::default() })
}

/// The two series that Prometheus clients of all languages export.
fn of_metrics(text: &str) -> io::Result<Look> {
    let series = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
        lines.find_map(|rest| {
            let rest = if rest.starts_with('{') { rest.split_once('}')?.1 } else { rest };
            rest.strip_prefix(' ')?.split_whitespace().next()?.parse::<f64>().ok()
        })
    };
    let missing = |name: &str| {
        let why = format!("没有 {name} / the metrics have no {name}");
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    };
    let (cpu, memory) = ("process_cpu_seconds_total", "process_resident_memory_bytes");
    match (series(cpu), series(memory)) {
        (Some(cpu_s), Some(memory_bytes)) => Ok(Look { cpu_s, memory_bytes, offers: Offers::read(text) }),
        (None, _) => missing(cpu),
        (_, None) => missing(memory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 9 0";
        let look = of_process(stat, "Name:\tx\nVmRSS:\t  2048 kB\n", 100).unwrap();
        assert_eq!((look.cpu_s, look.memory_bytes), (3.0, 2_097_152.0));
        assert!(of_process("7 (a S", "", 100).is_none());
        let mut own = Eye::new(Watched::Process(std::process::id())).unwrap();
        assert!(own.look().unwrap().memory_bytes > 1e6);
    }

    #[test]
    fn metrics_are_read_with_and_without_labels_and_what_is_missing_is_named() {
        let text = "# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total 12.5\n\
            process_resident_memory_bytes_max 9\nprocess_resident_memory_bytes{host=\"a b\"} 4.0e6 1700\n";
        let look = of_metrics(text).unwrap();
        assert_eq!((look.cpu_s, look.memory_bytes, look.offers.count()), (12.5, 4e6, 0));
        let error = of_metrics("process_cpu_seconds_total 1\n").unwrap_err();
        assert!(error.to_string().contains("process_resident_memory_bytes"));
    }
}
