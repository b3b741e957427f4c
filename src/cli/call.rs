//! `hotline call`: one scripted caller, who plays, records and presses keys.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::handset::{meaning, packets, say, server, span, step};
use super::{signals, sounds};
use crate::io::packets::{Mover, PartyKey};
use crate::phone::{Dial, Phone, PhoneEvent, PhoneState, Side};
use crate::time::{Instant, Now, Timers};

/// From one key press to the next, as the telephone presses them.
const PRESS: Duration = Duration::from_millis(200);
/// What `,` and `w` wait.
const PAUSE: Duration = Duration::from_secs(1);
/// Without a word from the engine for so long, the user is told.
const WONDER: Duration = Duration::from_secs(3);
/// The loop looks around at least so often.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// 拨打一个号码 / Call a number
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 号码，或完整的 sip: 地址 / The number, or a whole sip: address
    pub number: String,
    /// 引擎的 SIP 地址 / The engine's SIP address
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = server, default_value = "127.0.0.1:5060")]
    pub server: SocketAddr,
    /// 主叫号码 / Who calls
    #[arg(long, value_name = "NUMBER", default_value = "13800000000")]
    pub from: String,
    /// 接通后播放一遍的 WAV（8 kHz 单声道 16 位）/ Played once after the answer (8 kHz, mono, 16 bit)
    #[arg(long, value_name = "WAV")]
    pub play: Option<PathBuf>,
    /// 录下听到的声音 / What was heard goes here
    #[arg(long, value_name = "WAV")]
    pub record: Option<PathBuf>,
    /// 接通后的按键；“,”或“w”停一秒 / Keys pressed after the answer; "," or "w" waits a second
    #[arg(long, value_name = "KEYS", value_parser = keys)]
    pub digits: Option<String>,
    /// 接通后多久挂机（默认等对方挂）/ Hang up so long after the answer (default: when they do)
    #[arg(long = "for", value_name = "SECONDS", value_parser = span)]
    pub talk: Option<Duration>,
    /// 振铃多久放弃 / Give up ringing after
    #[arg(long, value_name = "SECONDS", value_parser = span, default_value = "120")]
    pub ring: Duration,
    /// 附加的 SIP 头，可重复 / A further SIP header; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
}

fn keys(text: &str) -> Result<String, String> {
    let sound = |key: char| key.is_ascii_digit() || "*#ABCDabcd,wW".contains(key);
    match text.chars().find(|key| !sound(*key)) {
        Some(wrong) => Err(format!("{wrong:?}: 0-9 * # A-D , w")),
        None => Ok(text.to_owned()),
    }
}

pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Exit codes: 0 answered and ended in order, 1 refused or failed, 2 wrong use.
pub fn run(args: Args) -> ExitCode {
    let sound = match args.play.as_deref().map(sounds::read).transpose() {
        Ok(sound) => sound,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match Caller::dial(&args, sound) {
        Ok(caller) => caller.run(),
        Err(Fault::Usage(error)) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
        Err(Fault::Outside(error)) => {
            eprintln!("没有呼出 / not called: {error}");
            ExitCode::FAILURE
        }
    }
}

enum Fault {
    Usage(String),
    Outside(std::io::Error),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Fault::Outside(error)
    }
}

/// What is to be done at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    /// The next run of keys.
    Press(usize),
    HangUp,
    /// Nothing has come back yet: the user is told that it is being tried.
    Wonder,
}

/// How the call ended.
enum Outcome {
    InOrder,
    Failed,
}

struct Caller<'a> {
    args: &'a Args,
    mover: Mover<Phone>,
    line: PartyKey,
    sound: Option<Arc<[i16]>>,
    keys: Vec<(Duration, String)>,
    deeds: Timers<Deed>,
    begun: Instant,
    answered: bool,
    stopped: bool,
}

impl<'a> Caller<'a> {
    fn dial(args: &'a Args, sound: Option<Arc<[i16]>>) -> Result<Self, Fault> {
        let mut mover = Mover::new()?;
        signals::ring_on_stop(mover.bell()?)?;
        let line = mover.plug_in(&args.from, args.server, |_| {})?;
        let dial = Dial { headers: args.header.clone(), ..Dial::to(&args.number) };
        let begun = mover.now();
        mover
            .order(line, |phone, now| phone.dial(dial, now))
            .map_err(|error| Fault::Usage(format!("不能呼叫 / cannot call {}: {error}", args.number)))?;
        say(&format!("{} 呼叫 / calling {} → {} ({})", begun.wall, args.number, args.server, args.from));
        let mut deeds = Timers::default();
        deeds.set(Deed::HangUp, begun.mono + args.ring);
        deeds.set(Deed::Wonder, begun.mono + WONDER);
        let keys = args.digits.as_deref().map(runs).unwrap_or_default();
        let begun = begun.mono;
        Ok(Caller { args, mover, line, sound, keys, deeds, begun, answered: false, stopped: false })
    }

    fn run(mut self) -> ExitCode {
        let outcome = loop {
            match self.turn() {
                Ok(Some(outcome)) => break outcome,
                Ok(None) => {}
                Err(error) => {
                    self.tell(&format!("网络故障 / network fault: {error}"));
                    break Outcome::Failed;
                }
            }
        };
        let phone = self.mover.party(self.line);
        say(&packets(&phone.count()));
        if let Some(path) = &self.args.record {
            let heard = phone.heard();
            if let Err(error) = sounds::write(path, heard) {
                eprintln!("录音写不下来 / cannot write {}: {error}", path.display());
                return ExitCode::FAILURE;
            }
            say(&format!(
                "录音 / recorded {} ({:.1}s)",
                path.display(),
                heard.len() as f64 / f64::from(sounds::RATE)
            ));
        }
        match outcome {
            Outcome::InOrder => ExitCode::SUCCESS,
            Outcome::Failed => ExitCode::FAILURE,
        }
    }

    fn turn(&mut self) -> std::io::Result<Option<Outcome>> {
        let now = self.mover.now().mono;
        self.mover.turn(self.deeds.next().unwrap_or(now + IDLE_MAX))?;
        while let Some(deed) = self.deeds.take_due(self.mover.now().mono) {
            self.perform(deed);
        }
        if self.mover.take_ring() {
            if std::mem::replace(&mut self.stopped, true) {
                return Ok(Some(Outcome::Failed)); // Asked twice: the other side may wait.
            }
            self.perform(Deed::HangUp);
        }
        while let Some((_, event)) = self.mover.poll_event() {
            if let Some(outcome) = self.heed(event) {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Press(place) => {
                let keys = self.keys[place].1.clone();
                self.tell(&format!("按键 / keys: {keys}"));
                self.mover.order(self.line, |phone, now| phone.press(&keys, now));
            }
            Deed::Wonder => {
                self.tell(&format!(
                    "{0} 还没有回应，继续尝试 / no answer from {0} yet, trying on",
                    self.args.server
                ));
            }
            Deed::HangUp => {
                if self.mover.party(self.line).state() != PhoneState::Idle {
                    self.tell("挂机 / hanging up");
                    self.mover.order(self.line, Phone::hang_up);
                }
            }
        }
    }

    fn heed(&mut self, event: PhoneEvent) -> Option<Outcome> {
        self.deeds.cancel(Deed::Wonder);
        match event {
            PhoneEvent::Ringing { status: 100, .. } => {}
            PhoneEvent::Ringing { status, early_media } => {
                let sound = if early_media { "，有早期媒体 / with early media" } else { "" };
                self.tell(&format!("振铃 / ringing: {status}{sound}"));
            }
            PhoneEvent::Answered => self.answered(),
            PhoneEvent::SoundPlayed => self.tell("播放完毕 / played to the end"),
            PhoneEvent::DigitHeard(key) => self.tell(&format!("听到按键 / heard key {key}")),
            PhoneEvent::HeldByThem { on: true } => self.tell("被保持 / on hold"),
            PhoneEvent::HeldByThem { on: false } => self.tell("恢复通话 / taken back from hold"),
            PhoneEvent::Refused { status, retry_after_s } => {
                let retry = retry_after_s
                    .map_or_else(String::new, |wait| format!("，{wait} 秒后再试 / try again in {wait} s"));
                self.tell(&format!("被拒 / refused: {status} {}{retry}", meaning(status)));
                return Some(Outcome::Failed);
            }
            PhoneEvent::Ended { by, status } => return self.ended(by, status),
            PhoneEvent::HangUpAnswered { status: Some(200..=299) } => return Some(Outcome::InOrder),
            PhoneEvent::HangUpAnswered { status } => {
                let status = status.map_or_else(|| "–".to_owned(), |status| status.to_string());
                self.tell(&format!("挂机未得到确认 / the hang-up was not confirmed: {status}"));
                return Some(Outcome::Failed);
            }
            _ => {}
        }
        None
    }

    fn answered(&mut self) {
        self.tell("接通 / answered");
        self.answered = true;
        self.deeds.cancel(Deed::HangUp); // It was for the ringing.
        let at = self.mover.now().mono;
        if let Some(talk) = self.args.talk {
            self.deeds.set(Deed::HangUp, at + talk);
        }
        for (place, (after, _)) in self.keys.iter().enumerate() {
            self.deeds.set(Deed::Press(place), at + *after);
        }
        if let Some(sound) = self.sound.clone() {
            self.mover.order(self.line, |phone: &mut Phone, now: Now| phone.play(sound, false, now));
        }
    }

    fn ended(&mut self, by: Side, status: Option<u16>) -> Option<Outcome> {
        self.deeds.clear();
        let who = match by {
            Side::Us => "本方 / by us",
            Side::Them => "对方 / by them",
            Side::Timeout => "无应答 / nobody answered",
        };
        let status = status.map_or_else(String::new, |status| format!(" ({status} {})", meaning(status)));
        self.tell(&format!("结束 / ended: {who}{status}"));
        match (by, self.answered) {
            (Side::Us, true) => None, // Until the BYE is answered.
            (Side::Them, true) => Some(Outcome::InOrder),
            (Side::Timeout, _) | (_, false) => Some(Outcome::Failed),
        }
    }

    fn tell(&self, text: &str) {
        step(self.mover.now().mono.since(self.begun), text);
    }
}

/// Keys in runs, each with its time after the answer.
fn runs(digits: &str) -> Vec<(Duration, String)> {
    let mut runs: Vec<(Duration, String)> = Vec::new();
    let mut at = Duration::ZERO;
    let mut gap = true;
    for key in digits.chars() {
        if matches!(key, ',' | 'w' | 'W') {
            at += PAUSE;
            gap = true;
            continue;
        }
        match runs.last_mut() {
            Some((_, run)) if !gap => run.push(key),
            _ => runs.push((at, key.to_string())),
        }
        at += PRESS;
        gap = false;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_pressed_in_runs_with_a_second_for_each_pause() {
        let ms = Duration::from_millis;
        assert_eq!(runs("12"), [(ms(0), "12".to_owned())]);
        assert_eq!(runs(",1w,2#"), [(ms(1_000), "1".to_owned()), (ms(3_200), "2#".to_owned())]);
        assert_eq!(runs(",,"), []);
        assert!(keys("12,w*#").is_ok() && keys("1-2").is_err());
    }

    #[test]
    fn a_header_is_a_name_and_a_value() {
        let read = header("Diversion: <sip:12336@x>;reason=unconditional").unwrap();
        assert_eq!(read, ("Diversion".to_owned(), "<sip:12336@x>;reason=unconditional".to_owned()));
        assert!(header("Diversion").is_err());
    }
}
