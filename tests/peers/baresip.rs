//! baresip as a telephone: a process of its own that plays a tone and keeps what it hears.
//!
//! Debian 12 has version 1.0.0. It needs no sound card: its microphone is a file, its loudspeaker
//! nothing, and its `sndfile` filter writes both directions to WAV files.

use std::fmt::{self, Write as _};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::engine::Engine;

/// Long enough for any test: the file is played once.
const TONE_S: u32 = 90;
/// Header of the WAV files that baresip writes, bytes.
const WAV_HEADER: usize = 44;
/// Where in it the sampling rate stands, four bytes.
const RATE_AT: usize = 24;

/// How a telephone reaches the engine.
pub enum Over {
    Udp,
    Tcp,
    /// It shows this certificate: a PEM file with the key in it. It does not look at the engine's own,
    /// with or without `sip_cafile`: 1.0.0 cannot.
    Tls {
        certificate: PathBuf,
    },
}

impl Over {
    fn server(&self, engine: &Engine) -> String {
        format!("sip:{};transport={self}", engine.at(&self.to_string()))
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Over::Udp => "udp",
            Over::Tcp => "tcp",
            Over::Tls { .. } => "tls",
        })
    }
}

/// What a telephone speaks.
pub struct Speech {
    /// `audio_codecs` of its account.
    pub codecs: &'static str,
    /// `mediaenc` of its account: `srtp` if the other side will, `srtp-mand` or no call.
    pub encryption: Option<&'static str>,
}

impl Speech {
    /// G.711 in the clear.
    pub const PLAIN: Speech = Speech { codecs: "PCMA,PCMU", encryption: None };

    fn account(&self) -> String {
        let encryption = self.encryption.map(|by| format!(";mediaenc={by}")).unwrap_or_default();
        format!("{encryption};audio_codecs={}", self.codecs)
    }
}

/// One telephone, ended when the test is.
pub struct Baresip {
    process: Child,
    dir: PathBuf,
    control: SocketAddr,
    output: Receiver<Vec<u8>>,
    said: String,
}

impl Baresip {
    /// A seat's telephone that has signed in, and answers by itself.
    ///
    /// libre 1.1 gives up before a challenge that names SHA-256; it is started anew, as a clerk
    /// would, and is asked by MD5 alone then.
    pub fn seat(engine: &Engine, over: &Over, seat: &str, hertz: f32) -> Baresip {
        Baresip::seat_with(&Speech::PLAIN, engine, over, seat, hertz)
    }

    /// The same, speaking otherwise.
    pub fn seat_with(speech: &Speech, engine: &Engine, over: &Over, seat: &str, hertz: f32) -> Baresip {
        let account = format!(
            "<sip:{seat}@hotline.puyang;transport={over}>;auth_user={seat};auth_pass={};regint=120;\
             answermode=auto;outbound=\"{}\"{}",
            engine.password(seat),
            over.server(engine),
            speech.account()
        );
        let dir = engine.data.join(format!("baresip-{seat}"));
        let mut first = Baresip::start(&dir, over, &account, hertz, None);
        first.until_it_says("Function not implemented", Duration::from_secs(10));
        drop(first);
        let mut phone = Baresip::start(&dir, over, &account, hertz, None);
        phone.until_it_says("[1 binding]", Duration::from_secs(10));
        phone
    }

    /// A citizen's telephone that dials at once.
    pub fn caller(engine: &Engine, over: &Over, number: &str, dialled: &str, hertz: f32) -> Baresip {
        Baresip::caller_with(&Speech::PLAIN, engine, over, (number, dialled), hertz)
    }

    /// The same, speaking otherwise.
    pub fn caller_with(
        speech: &Speech,
        engine: &Engine,
        over: &Over,
        (number, dialled): (&str, &str),
        hertz: f32,
    ) -> Baresip {
        let (server, speech) = (over.server(engine), speech.account());
        let account =
            format!("<sip:{number}@127.0.0.1;transport={over}>;regint=0;outbound=\"{server}\"{speech}");
        let dial = format!("/dial sip:{dialled}@{}", engine.at(&over.to_string()));
        Baresip::start(&engine.data.join(format!("baresip-{number}")), over, &account, hertz, Some(&dial))
    }

    fn start(dir: &Path, over: &Over, account: &str, hertz: f32, command: Option<&str>) -> Baresip {
        std::fs::create_dir_all(dir).unwrap();
        let control = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        std::fs::write(dir.join("config"), config(dir, over, control)).unwrap();
        std::fs::write(dir.join("accounts"), format!("{account}\n")).unwrap();
        write_tone(&dir.join("tone.wav"), hertz);
        let mut baresip = Command::new("baresip");
        baresip.arg("-4").arg("-f").arg(dir);
        if let Some(command) = command {
            baresip.args(["-e", command]);
        }
        let mut process = baresip
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("baresip does not start ({error}): tools/test installs it"));
        let mut stdout = process.stdout.take().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut room = [0; 4_096];
            while let Ok(length @ 1..) = stdout.read(&mut room) {
                if sender.send(room[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Baresip { process, dir: dir.to_owned(), control, output, said: String::new() }
    }

    /// Waits until its screen shows `words`, from where the last wait ended.
    pub fn until_it_says(&mut self, words: &str, bound: Duration) {
        let ends = Instant::now() + bound;
        loop {
            if let Some(at) = self.said.find(words) {
                self.said.drain(..at + words.len());
                return;
            }
            let left = ends.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(more) => write!(self.said, "{}", String::from_utf8_lossy(&more)).unwrap(),
                Err(_) => panic!("baresip never said {words:?} within {bound:?}, but: {}", self.said),
            }
        }
    }

    /// Waits until what it heard so far is as wanted.
    pub fn until_it_hears(&self, what: &str, bound: Duration, wanted: impl Fn(&[i16]) -> bool) {
        let ends = Instant::now() + bound;
        while !wanted(&self.heard()) {
            assert!(Instant::now() < ends, "{what}: not within {bound:?}, {} samples", self.heard().len());
            // Its screen is the nap between two looks.
            let _ = self.output.recv_timeout(Duration::from_millis(200));
        }
    }

    /// A command of its menu, like `hangup`, `hold`, `resume`; as netstring over its control port.
    pub fn command(&self, command: &str) {
        let mut control = TcpStream::connect(self.control).unwrap();
        let order = format!("{{\"command\":\"{command}\"}}");
        write!(control, "{}:{order},", order.len()).unwrap();
        control.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut told = String::new();
        let mut room = [0; 1_024];
        // Events come by the same way, before or behind the response.
        while !told.contains("\"response\":true") {
            let length = control.read(&mut room).unwrap_or_else(|error| panic!("{command}: {error}; {told}"));
            assert!(length > 0, "{command}: {told}");
            told.push_str(&String::from_utf8_lossy(&room[..length]));
        }
        assert!(told.contains("\"ok\":true"), "{command}: {told}");
    }

    /// All that came out of its loudspeaker, sample by sample, so far.
    pub fn heard(&self) -> Vec<i16> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        let mut samples = Vec::new();
        for file in files {
            // Not through `hound`: while a call goes on the header does not know the length.
            let bytes = std::fs::read(file).unwrap();
            let sound = bytes.get(WAV_HEADER..).unwrap_or_default();
            let sound = sound.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
            // It writes what its codec gives: 16 kHz of G.722 count as 8, as everything here does.
            match bytes.get(RATE_AT..RATE_AT + 4) {
                Some([0x80, 0x3e, 0, 0]) => {
                    let wide: Vec<i16> = sound.collect();
                    samples
                        .extend(wide.chunks_exact(2).map(|pair| (pair[0] / 2).saturating_add(pair[1] / 2)));
                }
                _ => samples.extend(sound),
            }
        }
        samples
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config(dir: &Path, over: &Over, control: SocketAddr) -> String {
    let dir = dir.display();
    let shown = match over {
        Over::Tls { certificate } => format!("sip_certificate {}\n", certificate.display()),
        Over::Udp | Over::Tcp => String::new(),
    };
    format!(
        "poll_method epoll\n{shown}sip_listen 127.0.0.1:0\nrtp_ports 16384-19999\n\
         audio_source aufile,{dir}/tone.wav\naudio_player aubridge,nil\naudio_alert aubridge,nil\n\
         audio_channels 1\nausrc_srate 8000\nauplay_srate 8000\nsnd_path {dir}\n\
         ctrl_tcp_listen {control}\nmodule_path /usr/lib/baresip/modules\n\
         module g711.so\nmodule g722.so\nmodule srtp.so\nmodule aufile.so\nmodule aubridge.so\nmodule sndfile.so\n\
         module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
    )
}

fn write_tone(path: &Path, hertz: f32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..TONE_S * 8_000 {
        // By the place in its second, as an f32 knows no larger number so well.
        let turn = (n % 8_000) as f32 / 8_000.0 * hertz * std::f32::consts::TAU;
        file.write_sample((8_000.0 * turn.sin()) as i16).unwrap();
    }
    file.finalize().unwrap();
}
