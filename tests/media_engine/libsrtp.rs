//! libsrtp2 as the telephone's side of SRTP: a small program of its own, spoken to by pipes.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use hotline::media::order::{MASTER_MAX, Master, SrtpSuite};

pub const SUITES: [SrtpSuite; 4] = [
    SrtpSuite::AesCm128HmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_32,
    SrtpSuite::AeadAes128Gcm,
    SrtpSuite::AeadAes256Gcm,
];

/// A master key of that length, told from others by `seed`.
pub fn master(suite: SrtpSuite, seed: u8) -> Master {
    let (key, salt) = suite.lengths();
    let mut bytes = [0; MASTER_MAX];
    for (n, byte) in bytes[..key + salt].iter_mut().enumerate() {
        *byte = seed.wrapping_mul(31).wrapping_add((n as u8).wrapping_mul(7));
    }
    Master(bytes)
}

/// One telephone's libsrtp, with as many sessions as it likes.
pub struct LibSrtp {
    child: Child,
    sessions: u8,
}

/// A session of one direction.
#[derive(Clone, Copy)]
pub struct Session(u8);

fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/media_engine/libsrtp.c");
        let built =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("libsrtp-{}", std::process::id()));
        let cc = Command::new("cc").args(["-O1", "-o"]).arg(&built).args([source, "-lsrtp2"]).output();
        let cc = cc.expect("a C compiler: tools/test installs one");
        let said = String::from_utf8_lossy(&cc.stderr);
        assert!(cc.status.success(), "libsrtp2-dev is installed by tools/test: {said}");
        built
    })
}

impl LibSrtp {
    pub fn start() -> LibSrtp {
        let child = Command::new(program()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        LibSrtp { child, sessions: 0 }
    }

    /// A session that seals, or opens, with `master`.
    pub fn session(&mut self, suite: SrtpSuite, master: &Master, sends: bool) -> Session {
        let number = SUITES.iter().position(|known| *known == suite).unwrap() as u8;
        let session = Session(self.sessions);
        self.sessions += 1;
        let (key, salt) = suite.lengths();
        let request = [&[number, u8::from(sends)][..], &master.0[..key + salt]].concat();
        self.ask(b'N', session, &request).expect("a session");
        session
    }

    /// `None`: refused.
    fn ask(&mut self, what: u8, session: Session, bytes: &[u8]) -> Option<Vec<u8>> {
        let pipe = self.child.stdin.as_mut().unwrap();
        let [high, low] = (bytes.len() as u16).to_be_bytes();
        pipe.write_all(&[&[what, session.0, high, low][..], bytes].concat()).unwrap();
        let pipe = self.child.stdout.as_mut().unwrap();
        let mut head = [0; 3];
        pipe.read_exact(&mut head).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        pipe.read_exact(&mut answer).unwrap();
        (head[0] == 0).then_some(answer)
    }

    pub fn protect(&mut self, session: Session, packet: &[u8]) -> Vec<u8> {
        self.ask(b'P', session, packet).expect("sealed")
    }

    pub fn unprotect(&mut self, session: Session, packet: &[u8]) -> Option<Vec<u8>> {
        self.ask(b'U', session, packet)
    }

    pub fn protect_rtcp(&mut self, session: Session, packet: &[u8]) -> Vec<u8> {
        self.ask(b'p', session, packet).expect("sealed")
    }

    pub fn unprotect_rtcp(&mut self, session: Session, packet: &[u8]) -> Option<Vec<u8>> {
        self.ask(b'u', session, packet)
    }
}

impl Drop for LibSrtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
