//! `hotline phone`: a seat's telephone that registers, answers and talks.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::handset::{meaning, packets, say, server, span, step};
use super::{signals, sounds};
use crate::io::packets::{Mover, PartyKey};
use crate::phone::{Answers, Phone, PhoneEvent, PhoneState};
use crate::time::Instant;

/// What callers hear where no file is given, hertz.
const TONE: u32 = 440;
/// The loop looks around at least so often.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long the registrar may take to let us go.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// 当一个座席话机 / Be a seat's telephone
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("password").required(true)))]
pub struct Args {
    /// 工号 / The seat's number
    #[arg(long, value_name = "NUMBER")]
    pub seat: String,
    /// 引擎的 SIP 地址 / The engine's SIP address
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = server, default_value = "127.0.0.1:5060")]
    pub server: SocketAddr,
    /// 引擎的数据目录，口令在其中的 secrets/ / The engine's data directory, whose secrets/ holds the password
    #[arg(long, value_name = "DIR", group = "password")]
    pub data: Option<PathBuf>,
    /// 口令文件 / The file that holds the password
    #[arg(long, value_name = "FILE", group = "password")]
    pub password_file: Option<PathBuf>,
    /// 域名，如路由文件 network.domain（默认为引擎地址）/ The seats' domain (default: the engine's address)
    #[arg(long, value_name = "NAME")]
    pub domain: Option<String>,
    /// 振铃多久接听 / Ring so long, then answer
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "2s")]
    pub answer_after: Duration,
    /// 接听多久挂机（默认等来电人挂）/ Hang up so long after the answer (default: when the caller does)
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub talk: Option<Duration>,
    /// 反复播放的 WAV（8 kHz 单声道 16 位；默认轻音）/ Played over and over (8 kHz, mono, 16 bit; default: a soft tone)
    #[arg(long, value_name = "WAV")]
    pub play: Option<PathBuf>,
    /// 录下听到的声音；第二路起文件名加 -2、-3 / What was heard goes here; from the second call on with -2, -3
    #[arg(long, value_name = "WAV")]
    pub record: Option<PathBuf>,
    /// 接听几路后退出 / Leave after so many calls
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
}

/// Exit codes: 0 left in order, 1 not registered or failed, 2 wrong use.
pub fn run(args: Args) -> ExitCode {
    let prepared = prepare(&args);
    let (password, sound) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match Desk::open(&args, password, sound).and_then(Desk::run) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("话机故障 / the telephone failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The password and the sound.
fn prepare(args: &Args) -> Result<(String, Arc<[i16]>), String> {
    let file = match (&args.password_file, &args.data) {
        (Some(file), _) => file.clone(),
        (None, Some(data)) => data.join("secrets").join(format!("seat-{}", args.seat)),
        (None, None) => return Err("--data, --password-file?".to_owned()), // clap has asked already.
    };
    let password = std::fs::read_to_string(&file).map_err(|error| {
        let (name, seat) = (file.display(), &args.seat);
        format!(
            "读不到座席 {seat} 的口令 {name}: {error}\n口令在 hotline run 首次运行时生成\n\
             the password of seat {seat} cannot be read from {name}: {error}\n\
             passwords are made by the first run of hotline run"
        )
    })?;
    let sound = match &args.play {
        Some(path) => sounds::read(path)?,
        None => sounds::tone(TONE),
    };
    Ok((password.trim().to_owned(), sound))
}

/// How far the leaving has come.
#[derive(Clone, Copy, PartialEq)]
enum Leaving {
    No,
    /// The call is being ended first.
    HangingUp(Instant),
    /// The registrar is being told.
    Unregistering(Instant),
}

struct Desk<'a> {
    args: &'a Args,
    mover: Mover<Phone>,
    line: PartyKey,
    sound: Arc<[i16]>,
    leaving: Leaving,
    registered: bool,
    /// When the call under way came in.
    begun: Instant,
    answered: bool,
    calls: u32,
    failed: bool,
}

impl<'a> Desk<'a> {
    fn open(args: &'a Args, password: String, sound: Arc<[i16]>) -> std::io::Result<Self> {
        let mut mover = Mover::new()?;
        signals::ring_on_stop(mover.bell()?)?;
        let line = mover.plug_in(&args.seat, args.server, |config| {
            if let Some(domain) = &args.domain {
                config.domain.clone_from(domain);
            }
            config.password = Some(password);
            config.answers = Answers::After(args.answer_after);
            config.hang_up_after = args.talk;
        })?;
        mover.order(line, Phone::register);
        let begun = mover.now().mono;
        Ok(Desk {
            args,
            mover,
            line,
            sound,
            leaving: Leaving::No,
            registered: false,
            begun,
            answered: false,
            calls: 0,
            failed: false,
        })
    }

    fn run(mut self) -> std::io::Result<ExitCode> {
        loop {
            let now = self.mover.now().mono;
            let until = match self.leaving {
                Leaving::No => now + IDLE_MAX,
                Leaving::HangingUp(bound) | Leaving::Unregistering(bound) => bound,
            };
            self.mover.turn(until)?;
            if self.mover.take_ring() && !self.leave() {
                return Ok(ExitCode::FAILURE);
            }
            while let Some((_, event)) = self.mover.poll_event() {
                if self.heed(event) {
                    return Ok(if self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
                }
            }
            let now = self.mover.now().mono;
            match self.leaving {
                Leaving::HangingUp(bound) if self.is_idle() || now >= bound => self.unregister(),
                Leaving::Unregistering(bound) if now >= bound => {
                    say("退出登录没有得到确认 / the registrar did not confirm that we left");
                    return Ok(ExitCode::FAILURE);
                }
                _ => {}
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.mover.party(self.line).state() == PhoneState::Idle
    }

    /// Begins to leave; `false` when asked for the second time, or where there is nothing to take back.
    fn leave(&mut self) -> bool {
        if self.leaving != Leaving::No || !self.registered {
            return false;
        }
        self.leaving = Leaving::HangingUp(self.mover.now().mono + LEAVE_MAX);
        if !self.is_idle() {
            self.mover.order(self.line, Phone::hang_up);
        }
        true
    }

    fn unregister(&mut self) {
        self.leaving = Leaving::Unregistering(self.mover.now().mono + LEAVE_MAX);
        self.mover.order(self.line, Phone::unregister);
    }

    /// `true`: the telephone is put away.
    fn heed(&mut self, event: PhoneEvent) -> bool {
        match event {
            PhoneEvent::Registered { expires_s } => self.registered(expires_s),
            PhoneEvent::RegisterFailed { status } => return self.register_failed(status),
            PhoneEvent::Unregistered => {
                say("已退出登录 / unregistered");
                return true;
            }
            PhoneEvent::IncomingCall { from, headers, .. } => {
                self.begun = self.mover.now().mono;
                self.answered = false;
                let line = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("X-Hotline-Line"));
                let line = line.map_or("", |(_, line)| line.as_str());
                self.tell(&format!("来电 / call from {} 所拨 / dialled: {line}", address(&from)));
            }
            PhoneEvent::Answered => {
                self.answered = true;
                self.tell("接听 / answered");
                let sound = self.sound.clone();
                self.mover.order(self.line, |phone, now| phone.play(sound, true, now));
            }
            PhoneEvent::DigitHeard(key) => self.tell(&format!("听到按键 / heard key {key}")),
            PhoneEvent::HeldByThem { on: true } => self.tell("被保持 / on hold"),
            PhoneEvent::HeldByThem { on: false } => self.tell("恢复通话 / taken back from hold"),
            PhoneEvent::Ended { by, .. } => {
                self.tell(&format!("结束 / ended ({by:?})"));
                if self.answered {
                    self.answered_call_ended();
                }
            }
            _ => {}
        }
        false
    }

    fn registered(&mut self, expires_s: u32) {
        if !std::mem::replace(&mut self.registered, true) {
            let seat = &self.args.seat;
            say(&format!(
                "座席 {seat} 已登录，等待来电（{expires_s} 秒内自动续期）\n\
                 seat {seat} is registered and waits for calls (renewed within {expires_s} s)"
            ));
        }
    }

    fn register_failed(&mut self, status: Option<u16>) -> bool {
        let why = status.map_or_else(
            || "无应答 / no answer".to_owned(),
            |status| format!("{status} {}", meaning(status)),
        );
        say(&format!("登录失败 / registration failed: {why}"));
        match status {
            Some(401 | 407) => say(&format!(
                "口令应与引擎数据目录里 secrets/seat-{0} 的一致（用 --data 或 --password-file 指明），域名应是 network.domain\n\
                 the password must be that of secrets/seat-{0} in the engine's data directory (see --data, \
                 --password-file), and the domain network.domain",
                self.args.seat
            )),
            Some(503) if !self.registered => say("口令错得太多，或引擎正在退出：一分钟后再试\n\
                 too many wrong passwords, or the engine is ending: try again in a minute"),
            _ => {}
        }
        // Once it was let in, the telephone tries again where nobody answers or the fault is over
        // there: the engine may be restarting.
        let passing = status.is_none_or(|status| status >= 500);
        let again = self.registered && passing && self.leaving == Leaving::No;
        self.failed = !again;
        !again
    }

    fn answered_call_ended(&mut self) {
        self.calls += 1;
        let phone = self.mover.party(self.line);
        say(&packets(&phone.count()));
        if let Some(path) = &self.args.record {
            let path = numbered(path, self.calls);
            match sounds::write(&path, phone.heard()) {
                Ok(()) => say(&format!("录音 / recorded {}", path.display())),
                Err(error) => {
                    eprintln!("录音写不下来 / cannot write {}: {error}", path.display());
                    self.failed = true;
                }
            }
        }
        if self.args.count.is_some_and(|count| self.calls >= count) {
            self.leave();
        }
    }

    fn tell(&self, text: &str) {
        step(self.mover.now().mono.since(self.begun), text);
    }
}

/// The user part of a From header.
fn address(from: &str) -> &str {
    let rest = from.split_once("sip:").map_or(from, |(_, rest)| rest);
    rest.split(['@', '>', ';']).next().unwrap_or(rest)
}

/// `out.wav`, `out-2.wav`, `out-3.wav`.
fn numbered(path: &Path, call: u32) -> PathBuf {
    if call == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = format!("{stem}-{call}");
    if let Some(extension) = path.extension() {
        name = format!("{name}.{}", extension.to_string_lossy());
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_calls_are_recorded_beside_the_first() {
        let names = [1, 2, 3].map(|call| numbered(Path::new("/tmp/heard.wav"), call));
        assert_eq!(
            names.map(|name| name.display().to_string()),
            ["/tmp/heard.wav", "/tmp/heard-2.wav", "/tmp/heard-3.wav"]
        );
        assert_eq!(numbered(Path::new("heard"), 2), Path::new("heard-2"));
    }

    #[test]
    fn the_caller_is_read_from_the_from_header() {
        assert_eq!(address("\"热线\" <sip:13800000042@127.0.0.1>;tag=1"), "13800000042");
        assert_eq!(address("anonymous"), "anonymous");
    }
}
