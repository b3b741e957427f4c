//! The engine's own binary on the bench plan, and the CPU and memory that it takes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ended when it is dropped.
pub struct Engine {
    process: Child,
    pub data: PathBuf,
    pub sip: SocketAddr,
}

impl Engine {
    /// `target`: where lines 9003 and 9004 go.
    pub fn start(name: &str, target: Option<SocketAddr>) -> Engine {
        let data = std::env::temp_dir().join(format!("hotline-bench-{name}-{}", std::process::id()));
        let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/bench.toml");
        let build = std::env::var_os("HOTLINE_BIN");
        let mut command = Command::new(build.unwrap_or_else(|| env!("CARGO_BIN_EXE_hotline").into()));
        command.args(["run", "--listen", "127.0.0.1:0", "--http", "off", "--config"]).arg(plan);
        command.arg("--data").arg(&data).env("RUST_LOG", "warn");
        if let Some(target) = target {
            command.arg("--trunk").arg(format!("target={target}"));
        }
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("the engine starts");
        let mut ready = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut ready).expect("a line");
        let sip = ready.split_whitespace().find_map(|word| word.strip_prefix("sip="));
        let sip = sip.expect("a ready line").parse().expect("an address");
        Engine { process, data, sip }
    }

    /// User and system time of all its threads, to the nanosecond; none of them ends while it runs.
    pub fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("it runs");
        let nanos = |task: std::io::Result<std::fs::DirEntry>| -> u64 {
            let stat = std::fs::read_to_string(task.expect("a task").path().join("schedstat"));
            let stat = stat.expect("schedstat");
            stat.split_whitespace().next().and_then(|field| field.parse().ok()).expect("nanoseconds")
        };
        Duration::from_nanos(tasks.map(nanos).sum())
    }

    /// Resident memory, KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
