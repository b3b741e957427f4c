//! What a run is to do, read off the command line and checked as a whole.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Args;
use super::mix::{self, Kind, Mix};
use super::schedule::Stretch;
use super::server::Watched;
use super::threshold::Threshold;
use crate::cli::sounds;
use crate::phone::Codec;

/// Prompts are judged by so much of them: longer ones keep a leg's memory busy, samples.
const PROMPT_MAX: usize = 30 * 8_000;
/// Digits of a room's number after the prefix.
const ROOM_DIGITS: usize = 6;

/// The calls of a day, where `--mix` does not say.
const MIX: &str = "queue=60,threeway=10,abandon=15,prompt=15";
/// What asks a third party in, where the command line does not say.
const SPEED_KEY: &str = "*1";
/// Keys of a code at most.
const KEYS_MAX: usize = 24;
/// Beside its talks, a three-way call is over within this.
const THREE_WAY_MAX: Duration = Duration::from_secs(30);

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// 只有信令：接通、保持、挂机 / Signalling only: answered, held, ended
    Signalling,
    /// 放音：主叫听，也发 / A prompt: the caller hears, and sends too
    Prompt,
    /// 接续：主叫与座席或对端互通 / A bridge: caller and seat, or far side, hear each other
    Bridge,
    /// 接续并录音（由服务器录）/ The same, for a server that records
    Recorded,
    /// 会议室：每室几人 / Meeting rooms of several
    Meeting,
    /// 排队：主叫等候，座席接听并挂机 / A queue: callers wait, seats answer and hang up
    Queue,
    /// 三方通话：座席请第三方加入 / Three-way: clerks ask a third party in
    #[value(name = "threeway")]
    ThreeWay,
    /// 一天：各类来电按 --mix，随时刻起伏，压缩进 --duration / A day of mixed calls in --duration
    MixedDay,
}

/// Who answers for us.
#[derive(Clone, Debug)]
pub enum FarSide {
    /// Nobody: the server's own, or an echo.
    None,
    /// A trunk's far side, at this address.
    Trunk(SocketAddr),
    /// Registered seats, with their passwords.
    Seats(Vec<(String, String)>),
}

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub scenario: Scenario,
    pub target: SocketAddr,
    pub to: String,
    pub from: u64,
    /// Digits of `from`, leading zeros included.
    pub from_digits: usize,
    pub headers: Vec<(String, String)>,
    pub user: Option<(String, String)>,
    pub domain: Option<String>,
    pub stretches: Vec<Stretch>,
    pub warm_up: Duration,
    pub hold: Duration,
    pub patience: Duration,
    pub calls_max: usize,
    pub calls: Option<u64>,
    pub far: FarSide,
    /// Where the third party of three-way calls is ours.
    pub third: Option<SocketAddr>,
    pub mix: Mix,
    /// What a clerk presses to ask the third party in.
    pub consult: String,
    /// How long clerks talk.
    pub talk: Duration,
    /// How long callers wait for a seat.
    pub wait: Duration,
    /// Those who are to give up in line do so after this at the latest.
    pub abandon_after: Duration,
    /// What a caller hears before the line is joined takes no longer.
    pub greeting: Duration,
    /// A seat is free so long after its call; `None`: nobody knows.
    pub wrap_up: Option<Duration>,
    /// What calls dial that only hear what is played.
    pub prompt_to: Option<String>,
    pub answer_after: Duration,
    pub room_prefix: String,
    pub per_room: u64,
    pub prompt: Option<Arc<[i16]>>,
    pub sample: f64,
    pub codec: Codec,
    pub rtp_ports: (u16, u16),
    pub watched: Option<Watched>,
    pub late_max: Duration,
    pub thresholds: Vec<Threshold>,
    pub seed: u64,
    pub parameters: BTreeMap<String, String>,
}

impl Plan {
    /// The error is for the user, in both languages.
    pub fn of(args: &Args) -> Result<Plan, String> {
        let far = far_side(args)?;
        let mix = mix_of(args)?;
        if mix.waits() && !matches!(far, FarSide::Seats(_)) {
            return Err("排队须有座席接听：--seats / callers who wait need seats that answer: --seats".into());
        }
        let third = matches!(far, FarSide::Seats(_)).then_some(args.answer_on).flatten();
        if mix.has(Kind::ThreeWay) && third.is_none() {
            return Err(
                "三方通话须有第三方：--answer-on / three-way calls need a third party: --answer-on".into()
            );
        }
        if third.is_some() && !mix.has(Kind::ThreeWay) {
            return Err(
                "--answer-on 与 --seats 只在三方通话时同用 / --answer-on goes with --seats for three-way calls only".into()
            );
        }
        let consult = consult(args)?;
        let target = match (args.target, args.self_test) {
            (Some(target), false) => target,
            (None, true) => match &far {
                FarSide::Trunk(at) => *at,
                _ => return Err("--loop 不能与座席同用 / --loop goes with no seats".into()),
            },
            _ => {
                return Err("--target 与 --loop 须写其一 / one of --target and --loop is needed".into());
            }
        };
        let from: u64 = args.from.parse().map_err(|_| {
            format!(
                "--from {:?}: 须为数字，各路通话依次加一 / digits are needed: calls count up from it",
                args.from
            )
        })?;
        let to = match (&args.to, args.scenario, args.self_test) {
            (Some(to), ..) => to.clone(),
            (None, Scenario::Meeting, _) => String::new(),
            (None, _, true) => "9003".to_owned(),
            _ => return Err("--to 号码 / --to NUMBER?".into()),
        };
        let stretches = stretches(args)?;
        let warm_up = args.warm_up.unwrap_or(if args.steps.is_empty() { args.ramp } else { Duration::ZERO });
        let prompt = args.prompt.as_deref().map(sounds::read).transpose()?.map(|sound| {
            match sound.get(..PROMPT_MAX) {
                Some(beginning) => Arc::from(beginning),
                None => sound,
            }
        });
        let user = match (&args.user, &args.password_file) {
            (Some(user), Some(file)) => Some((user.clone(), password(file)?)),
            _ => None,
        };
        let watched = match (args.server_pid, &args.server_metrics) {
            (Some(process), _) => Some(Watched::Process(process)),
            (None, Some(url)) => Some(Watched::Metrics(url.clone())),
            (None, None) => None,
        };
        let calls_max = match &far {
            FarSide::Seats(seats) if !mix.waits() => args.calls_max.unwrap_or(seats.len()),
            _ => args.calls_max.unwrap_or(10_000),
        };
        Ok(Plan {
            scenario: args.scenario,
            target,
            to,
            from,
            from_digits: args.from.len(),
            headers: args.header.clone(),
            user,
            domain: args.domain.clone(),
            stretches,
            warm_up,
            hold: args.hold,
            patience: args.patience,
            calls_max,
            calls: args.calls,
            far,
            third,
            mix,
            consult,
            talk: args.talk,
            wait: args.wait,
            abandon_after: args.abandon_after,
            greeting: args.greeting,
            wrap_up: args.wrap_up,
            prompt_to: args.prompt_to.clone(),
            answer_after: args.answer_after,
            room_prefix: args.room_prefix.clone(),
            per_room: args.per_room,
            prompt,
            sample: args.sample,
            codec: args.codec.into(),
            rtp_ports: args.rtp_ports,
            watched,
            late_max: args.late_max,
            thresholds: args.fail_over.clone().unwrap_or_default().0,
            seed: args.seed.unwrap_or(0),
            parameters: args.parameters(),
        })
    }

    /// How long a call of this kind lives after its answer at most, if all goes well.
    pub fn life(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Plain | Kind::Prompt => self.hold,
            Kind::Queue | Kind::Abandon => self.wait + self.talk,
            Kind::ThreeWay => self.wait + 2 * self.talk + THREE_WAY_MAX,
        }
    }

    /// The longest life of any of its calls.
    pub fn longest_life(&self) -> Duration {
        let kinds = [Kind::Plain, Kind::Prompt, Kind::Queue, Kind::ThreeWay, Kind::Abandon];
        let lives = kinds.into_iter().filter(|kind| self.mix.has(*kind)).map(|kind| self.life(kind));
        lives.max().unwrap_or_default()
    }

    /// What call `index` dials.
    pub fn number(&self, index: u64, kind: Kind) -> String {
        match self.scenario {
            Scenario::MixedDay if kind == Kind::Prompt => self.prompt_to.as_ref().unwrap_or(&self.to).clone(),
            Scenario::Meeting => {
                let room = (1 + index / self.per_room) % 10_u64.pow(ROOM_DIGITS as u32);
                format!("{}{room:0ROOM_DIGITS$}", self.room_prefix)
            }
            _ => self.to.clone(),
        }
    }

    /// Whom call `index` is from: numbers count up, and begin again before they grow longer.
    pub fn caller(&self, index: u64) -> String {
        let most = 10_u64.saturating_pow(u32::try_from(self.from_digits).unwrap_or(u32::MAX));
        format!("{:0width$}", (self.from + index) % most, width = self.from_digits)
    }

    pub fn with_sound(&self) -> bool {
        self.scenario != Scenario::Signalling
    }
}

fn far_side(args: &Args) -> Result<FarSide, String> {
    if let Some(list) = &args.seats {
        let password_of = |seat: &str| match (&args.seat_password_file, &args.data) {
            (Some(file), _) => password(file),
            (None, Some(data)) => password(&data.join("secrets").join(format!("seat-{seat}"))),
            (None, None) => Err("--seats 需要 --data 或 --seat-password-file / needs one of them".to_owned()),
        };
        let seats: Result<Vec<_>, String> =
            list.0.iter().map(|seat| Ok((seat.clone(), password_of(seat)?))).collect();
        return Ok(FarSide::Seats(seats?));
    }
    Ok(match args.answer_on {
        Some(at) => FarSide::Trunk(at),
        None if args.self_test => FarSide::Trunk(SocketAddr::from(([127, 0, 0, 1], 0))),
        None => FarSide::None,
    })
}

fn mix_of(args: &Args) -> Result<Mix, String> {
    match (&args.mix, args.scenario) {
        (Some(_), scenario) if scenario != Scenario::MixedDay => {
            Err("--mix 只用于 mixed-day / --mix is for mixed-day only".to_owned())
        }
        (Some(mix), _) => Ok(mix.clone()),
        (None, Scenario::MixedDay) => Mix::parse(MIX),
        (None, Scenario::Queue) => Ok(Mix::only(Kind::Queue)),
        (None, Scenario::ThreeWay) => Ok(Mix::only(Kind::ThreeWay)),
        (None, Scenario::Prompt) => Ok(Mix::only(Kind::Prompt)),
        (None, _) => Ok(Mix::only(Kind::Plain)),
    }
}

/// The keys that ask the third party in.
fn consult(args: &Args) -> Result<String, String> {
    let keys = match (&args.consult, &args.third) {
        (Some(keys), _) => keys.clone(),
        (None, Some(number)) => format!("**{number}#"),
        (None, None) => SPEED_KEY.to_owned(),
    };
    let fits = (1..=KEYS_MAX).contains(&keys.len())
        && keys.chars().all(|key| key.is_ascii_digit() || ['*', '#'].contains(&key));
    if fits { Ok(keys) } else { Err(format!("--consult {keys:?}: *1，**12366#")) }
}

fn password(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("读不到口令 / cannot read the password {}: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}

fn stretches(args: &Args) -> Result<Vec<Stretch>, String> {
    let steady = |rate: f64, lasts: Duration| Stretch { from: rate, to: rate, lasts };
    let stretches: Vec<Stretch> = if args.scenario == Scenario::MixedDay {
        if !args.steps.is_empty() || !args.ramp.is_zero() {
            return Err(
                "mixed-day 自有起伏，不用 --steps 和 --ramp / mixed-day has a course of its own: no --steps, no --ramp".into()
            );
        }
        mix::day(args.rate, args.duration)
    } else if args.steps.is_empty() {
        let ramp = Stretch { from: 0.0, to: args.rate, lasts: args.ramp };
        [ramp, steady(args.rate, args.duration)].into_iter().filter(|it| !it.lasts.is_zero()).collect()
    } else {
        args.steps.iter().map(|(rate, lasts)| steady(*rate, *lasts)).collect()
    };
    let whole: Duration = stretches.iter().map(|stretch| stretch.lasts).sum();
    if whole.is_zero() {
        return Err("--duration 0 没有通话 / no calls in no time".into());
    }
    if args.warm_up.is_some_and(|warm_up| warm_up >= whole) {
        return Err(
            "--warm-up 比全程还长，没有可量的 / longer than the whole run: nothing is measured".into()
        );
    }
    Ok(stretches)
}

/// Where reports go.
pub struct Files {
    pub json: Option<PathBuf>,
    pub csv: Option<PathBuf>,
    pub html: Option<PathBuf>,
}
