//! The engine as a child process: started from a binary, known by its ready line, ended by signals.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A running `hotline run`. Dropped, it is killed: whoever wants its orderly end asks for that first.
pub struct EngineProcess {
    child: Child,
    /// Held open: what the engine says later must not meet a closed pipe.
    _words: BufReader<ChildStdout>,
    sip: SocketAddr,
    /// What is spoken where, as its ready line says: `tcp:127.0.0.1:5060`.
    listen: String,
    http: Option<SocketAddr>,
}

impl EngineProcess {
    /// Starts `binary` with `arguments`; its log goes to the file `log`. Waits for its ready line.
    pub fn start(
        binary: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        log: &Path,
    ) -> io::Result<Self> {
        let mut child = Command::new(binary)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()?;
        let Some(out) = child.stdout.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let mut words = BufReader::new(out);
        let mut line = String::new();
        words.read_line(&mut line)?;
        let address = |name: &str| {
            line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
        };
        let Some(sip) = address("sip") else {
            let _ = child.kill();
            let _ = child.wait();
            let said = std::fs::read_to_string(log).unwrap_or_default();
            return Err(io::Error::other(format!("{line}{said}")));
        };
        let http = address("http");
        let listen = line.split_whitespace().find_map(|word| word.strip_prefix("listen="));
        let listen = listen.unwrap_or_default().to_owned();
        Ok(EngineProcess { child, _words: words, sip, listen, http })
    }

    /// Where it takes calls.
    pub fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// Where it takes calls over a transport, by its name in a URI.
    pub fn listens(&self, transport: &str) -> Vec<SocketAddr> {
        let at = |word: &str| word.strip_prefix(transport)?.strip_prefix(':')?.parse().ok();
        self.listen.split(',').filter_map(at).collect()
    }

    /// Where it answers HTTP.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// SIGKILL: gone from one instruction to the next.
    pub fn kill(&mut self) {
        // Fails only where it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// SIGTERM: it drains.
    pub fn terminate(&self) -> io::Result<()> {
        self.signal(libc::SIGTERM)
    }

    /// SIGHUP: it reads its plan again.
    pub fn reload(&self) -> io::Result<()> {
        self.signal(libc::SIGHUP)
    }

    fn signal(&self, signal: i32) -> io::Result<()> {
        // A child that was not waited for keeps its number, even when it is gone.
        let number = i32::try_from(self.child.id()).map_err(io::Error::other)?;
        // SAFETY: takes plain numbers; `number` is our own child's.
        if unsafe { libc::kill(number, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
