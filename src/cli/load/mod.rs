//! `hotline load`: many callers, and those who answer them, against any SIP server.
//!
//! Calls start by an absolute schedule and are counted from when they were due; packets are timed by
//! the kernel; the sound of a sample of legs is judged.

mod calls;
mod csv;
mod figures;
mod floor;
mod judge;
mod line;
mod lobby;
mod mix;
mod offers;
mod page;
mod plan;
pub mod plot;
mod report;
mod schedule;
mod seconds;
mod server;
mod show;
mod streams;
mod summary;
mod threshold;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::handset::{server as address, span};
use crate::io::affinity;
use crate::io::media::sockets::go_real_time;
use crate::phone::Codec;
use plan::{Files, Plan, Scenario};
use schedule::Arrivals;
use threshold::Threshold;

/// 压测：大量主叫和应答方，适用于任何 SIP 服务器 / Load any SIP server with callers and those who answer
///
/// 通话按绝对时间表发起，时延从应发时刻算起；RTP 到达时刻取自内核；抽样判断听到的是否正确。
/// Calls start by an absolute schedule and latencies count from when they were due; RTP is timed by the
/// kernel; a sample of legs is judged by its sound.
///
/// 退出码：0 正常；1 越过 --fail-over 的界限，或无一接通；2 用法有误。
/// Exit codes: 0 in order; 1 beyond a bound of --fail-over, or no call answered; 2 wrong use.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 被测服务器的 SIP 地址 / The server's SIP address
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = address)]
    pub target: Option<SocketAddr>,
    /// 自测：不经服务器，主叫直呼本工具的对端 / Self-test: callers call our own far side, without a server
    #[arg(long = "loop", conflicts_with_all = ["target", "seats"])]
    pub self_test: bool,
    /// 场景 / What is tried
    #[arg(long, value_enum, default_value = "signalling")]
    pub scenario: Scenario,
    /// 被叫号码 / The number that is called
    #[arg(long, value_name = "NUMBER")]
    pub to: Option<String>,
    /// 第一个主叫号码，其后依次加一 / The first caller's number; the others count up from it
    #[arg(long, value_name = "NUMBER", default_value = "13800000000")]
    pub from: String,
    /// 附加的 SIP 头，可重复 / A further SIP header; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = super::call::header)]
    pub header: Vec<(String, String)>,
    /// 主叫验证用的账号 / The callers' account, where the server asks for one
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub user: Option<String>,
    /// 该账号的口令文件 / The file with its password
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,
    /// 域名（默认为服务器地址）/ The domain (default: the server's address)
    #[arg(long, value_name = "NAME")]
    pub domain: Option<String>,

    /// 每秒发起的通话 / Calls begun in a second
    #[arg(long, value_name = "N", default_value = "10", value_parser = rate)]
    pub rate: f64,
    /// 用多久从 0 升到该速率 / Time from 0 up to that rate
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "0s")]
    pub ramp: Duration,
    /// 以该速率发起多久 / How long calls are begun at that rate
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "30s")]
    pub duration: Duration,
    /// 逐级加压，如 50x20s,100x20s，代替以上三项 / Steps like 50x20s,100x20s, in place of the three above
    #[arg(long, value_name = "RATExTIME,…", value_parser = step, value_delimiter = ',', conflicts_with_all = ["rate", "ramp", "duration"])]
    pub steps: Vec<(f64, Duration)>,
    /// 开头多久不计入结果（默认等于 --ramp）/ Left out of the figures at the beginning (default: --ramp)
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub warm_up: Option<Duration>,
    /// 一秒之内如何分布 / How calls come within a second
    #[arg(long, value_enum, default_value = "steady")]
    pub arrivals: Arrivals,
    /// 接通后多久挂机 / Hang up so long after the answer
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10s")]
    pub hold: Duration,
    /// 多久无人接就放弃 / Give up ringing after
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "32s")]
    pub patience: Duration,
    /// 同时通话上限；满时应发的不发，另行计数 / Calls at once; what is due beyond is not begun, and counted
    #[arg(long, value_name = "N", value_parser = some)]
    pub calls_max: Option<usize>,
    /// 总共发起多少 / Calls in all
    #[arg(long, value_name = "N")]
    pub calls: Option<u64>,

    /// 在此地址充当中继对端，接听一切来电；三方通话时是第三方 / Be the trunk's far side at this address, and answer
    /// all calls; in three-way calls it is the third party
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub answer_on: Option<SocketAddr>,
    /// 登录这些座席并接听，如 1001-1008,1020 / Register these seats and answer, like 1001-1008,1020
    #[arg(long, value_name = "LIST", value_parser = seats)]
    pub seats: Option<Seats>,
    /// 引擎的数据目录，口令在其中的 secrets/ / hotline's data directory, whose secrets/ holds the passwords
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// 各座席共用的口令文件 / A file with one password for all seats
    #[arg(long, value_name = "FILE")]
    pub seat_password_file: Option<PathBuf>,
    /// 对端或座席振铃多久接听 / The far side or the seats ring so long, then answer
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "0s")]
    pub answer_after: Duration,

    /// 座席（三方时每一段）通话多久；2s 以上声音才能判断 / Clerks talk so long (in three-way calls, with each); from 2s on
    /// sound is judged
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "5s")]
    pub talk: Duration,
    /// 来电人最多等座席多久 / Callers give up waiting for a seat after
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10min")]
    pub wait: Duration,
    /// 排队前的问候不长于此（从外面看座席空出到振铃的时间时，只算确实已在排队的人）
    /// / The greeting before the queue is no longer (offers count from outside only for who is surely in line)
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10s")]
    pub greeting: Duration,
    /// 方案里座席的整理时间；写了才能从外面量出座席空出到振铃的时间
    /// / The seats' wrap-up in the plan; with it, the time from a seat's being free to its INVITE is measured
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub wrap_up: Option<Duration>,
    /// 三方：座席按什么键请第三方（默认 **NUMBER# 或 *1）/ Three-way: the keys that ask the third party in (default:
    /// **NUMBER# or *1)
    #[arg(long, value_name = "KEYS", conflicts_with = "third")]
    pub consult: Option<String>,
    /// 三方：第三方的号码 / Three-way: the third party's number
    #[arg(long, value_name = "NUMBER")]
    pub third: Option<String>,
    /// 一天：各类来电的比例 / A day: shares of the kinds of calls
    #[arg(long, value_name = "KIND=SHARE,…", value_parser = mix::Mix::parse)]
    pub mix: Option<mix::Mix>,
    /// 一天：放弃的人最晚何时挂机（随机）/ A day: who gives up does so within this, at random
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "20s")]
    pub abandon_after: Duration,
    /// 一天：只听提示音的人拨打的号码（默认同 --to）/ A day: what those dial who only hear a prompt (default: --to)
    #[arg(long, value_name = "NUMBER")]
    pub prompt_to: Option<String>,

    /// 会议室号码的前缀，后接六位室号 / The rooms' prefix; six digits follow it
    #[arg(long, value_name = "DIGITS", default_value = "94")]
    pub room_prefix: String,
    /// 每室人数 / Members of a room
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u64).range(2..=32))]
    pub per_room: u64,
    /// 应听到的提示音（8 kHz 单声道 16 位）/ The prompt that should be heard (8 kHz, mono, 16 bit)
    #[arg(long, value_name = "WAV")]
    pub prompt: Option<PathBuf>,
    /// 抽样判断声音的比例 / The share of calls whose sound is judged
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    pub sample: f64,
    /// 编码 / The codec
    #[arg(long, value_enum, default_value = "pcma")]
    pub codec: Law,
    /// 本工具的 RTP 端口范围 / The tool's own RTP ports
    #[arg(long, value_name = "FIRST-LAST", default_value = "50000-64999", value_parser = super::run::port_range)]
    pub rtp_ports: (u16, u16),

    /// 被测进程，读它的 CPU 和内存 / The server's process, whose CPU and memory are read
    #[arg(long, value_name = "PID", conflicts_with = "server_metrics")]
    pub server_pid: Option<u32>,
    /// 或从它的 /metrics 读 / Or the /metrics to read them from
    #[arg(long, value_name = "URL")]
    pub server_metrics: Option<String>,
    /// 本工具只在这些核上运行，如 1 或 1,3 / The tool runs on these cores only, like 1 or 1,3
    #[arg(long, value_name = "CORES", value_delimiter = ',')]
    pub pin: Vec<usize>,
    /// 被测进程只在这些核上运行 / The server runs on these cores only
    #[arg(long, value_name = "CORES", value_delimiter = ',', requires = "server_pid")]
    pub pin_server: Vec<usize>,
    /// 本工具以实时优先级运行（需权限；机器忙时用，最好配 --pin）
    /// / Run the tool at real-time priority (needs the right to; for a busy machine, best with --pin)
    #[arg(long)]
    pub real_time: bool,
    /// 工具自身迟于此即警告 / Warn when the tool itself is later than this (p99)
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "10ms")]
    pub late_max: Duration,

    /// 界限，如 setup_p99=30ms,loss=0.1%,failed=0；不合则退出码为 1（名称写错会列出全部）
    /// / Bounds; beyond one the exit code is 1 (a wrong name lists them all)
    #[arg(long, value_name = "NAME=VALUE,…", value_parser = bounds)]
    pub fail_over: Option<Bounds>,
    /// JSON 报告 / Report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// 每秒一行 / A row per second
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// 带曲线的网页报告，单个文件 / Report with plots, one self-contained page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// 随机种子：抽样和随机到达可重现 / Seed, for the sample and for calls at random
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// 不显示进度 / No progress
    #[arg(long)]
    pub quiet: bool,
}

/// G.711.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Law {
    /// A 律 / A-law
    Pcma,
    /// µ 律 / µ-law
    Pcmu,
}

impl From<Law> for Codec {
    fn from(law: Law) -> Codec {
        match law {
            Law::Pcma => Codec::Pcma,
            Law::Pcmu => Codec::Pcmu,
        }
    }
}

/// Seats' numbers.
#[derive(Clone, Debug)]
pub struct Seats(pub Vec<String>);

/// What `--fail-over` says.
#[derive(Clone, Debug, Default)]
pub struct Bounds(pub Vec<Threshold>);

fn bounds(text: &str) -> Result<Bounds, String> {
    threshold::parse(text).map(Bounds)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && (0.001..=100_000.0).contains(rate));
    rate.ok_or_else(|| "0.001–100000".to_owned())
}

fn some(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|it| (1..=100_000).contains(it)).ok_or_else(|| "1–100000".to_owned())
}

fn step(text: &str) -> Result<(f64, Duration), String> {
    let (calls, lasts) = text.split_once('x').ok_or("RATExTIME, 50x20s")?;
    Ok((rate(calls)?, span(lasts).ok().filter(|it| !it.is_zero()).ok_or("RATExTIME, 50x20s")?))
}

fn percent(text: &str) -> Result<f64, String> {
    let share = text.trim_end_matches('%').parse().ok().filter(|share| (0.0..=100.0).contains(share));
    share.map(|share: f64| share / 100.0).ok_or_else(|| "0%–100%".to_owned())
}

/// `1001-1008,1020`.
fn seats(text: &str) -> Result<Seats, String> {
    let mut seats = Vec::new();
    for part in text.split(',').map(str::trim) {
        match part.split_once('-') {
            Some((first, last)) if first.len() == last.len() => {
                let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
                let (from, to, width) = (number(first)?, number(last)?, first.len());
                if !(from..=from + 10_000).contains(&to) {
                    return Err(format!("{part}: 1001-1008"));
                }
                seats.extend((from..=to).map(|seat| format!("{seat:0width$}")));
            }
            None if !part.is_empty() => seats.push(part.to_owned()),
            _ => return Err(format!("{part:?}: 1001-1008")),
        }
    }
    Ok(Seats(seats))
}

impl Args {
    /// What the report says of the command line; no passwords are among it.
    fn parameters(&self) -> BTreeMap<String, String> {
        let seconds = |span: Duration| format!("{}s", span.as_secs_f64());
        let name = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
        let mut all = BTreeMap::from([
            ("scenario", name(&self.scenario)),
            ("from", self.from.clone()),
            ("arrivals", name(&self.arrivals)),
            ("hold", seconds(self.hold)),
            ("patience", seconds(self.patience)),
            ("answer-after", seconds(self.answer_after)),
            ("sample", format!("{}%", self.sample * 100.0)),
            ("codec", name(&self.codec)),
            ("seed", self.seed.unwrap_or(0).to_string()),
        ]);
        let steps: Vec<String> =
            self.steps.iter().map(|(rate, lasts)| format!("{rate}x{}s", lasts.as_secs_f64())).collect();
        if steps.is_empty() {
            all.insert("rate", self.rate.to_string());
            all.insert("ramp", seconds(self.ramp));
            all.insert("duration", seconds(self.duration));
        } else {
            all.insert("steps", steps.join(","));
        }
        let waits = [Scenario::Queue, Scenario::ThreeWay, Scenario::MixedDay].contains(&self.scenario);
        if waits {
            all.insert("talk", seconds(self.talk));
            all.insert("wait", seconds(self.wait));
            all.insert("greeting", seconds(self.greeting));
        }
        if self.scenario == Scenario::Meeting {
            all.insert("per-room", self.per_room.to_string());
            all.insert("room-prefix", self.room_prefix.clone());
        }
        let list = |cores: &[usize]| cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let further = [
            ("target", self.target.map(|it| it.to_string())),
            ("loop", self.self_test.then(|| "true".to_owned())),
            ("to", self.to.clone()),
            ("domain", self.domain.clone()),
            ("warm-up", self.warm_up.map(seconds)),
            ("calls-max", self.calls_max.map(|it| it.to_string())),
            ("calls", self.calls.map(|it| it.to_string())),
            ("answer-on", self.answer_on.map(|it| it.to_string())),
            ("seats", self.seats.as_ref().map(|seats| seats.0.len().to_string())),
            ("wrap-up", self.wrap_up.map(seconds)),
            ("consult", self.consult.clone()),
            ("third", self.third.clone()),
            ("mix", self.mix.as_ref().map(ToString::to_string)),
            ("prompt-to", self.prompt_to.clone()),
            ("prompt", self.prompt.as_ref().map(|file| file.display().to_string())),
            ("server-pid", self.server_pid.map(|it| it.to_string())),
            ("server-metrics", self.server_metrics.clone()),
            ("real-time", self.real_time.then(|| "true".to_owned())),
            ("pin", (!self.pin.is_empty()).then(|| list(&self.pin))),
            ("pin-server", (!self.pin_server.is_empty()).then(|| list(&self.pin_server))),
        ];
        all.extend(further.into_iter().filter_map(|(name, value)| Some((name, value?))));
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Exit codes: 0 in order, 1 beyond a bound or without an answered call, 2 wrong use.
pub fn run(args: Args) -> ExitCode {
    let plan = match Plan::of(&args) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let pinned = [(Some(std::process::id()), &args.pin), (args.server_pid, &args.pin_server)];
    for (process, cores) in pinned {
        if let (Some(process), false) = (process, cores.is_empty())
            && let Err(error) = affinity::pin(process, cores)
        {
            eprintln!("不能限定在核 {cores:?} 上 / cannot pin to cores {cores:?}: {error}");
            return ExitCode::from(2);
        }
    }
    if args.real_time
        && let Err(error) = go_real_time()
    {
        eprintln!("没有实时优先级 / no real-time priority: {error}");
        return ExitCode::from(2);
    }
    let files = Files { json: args.json, csv: args.csv, html: args.html };
    match floor::Floor::open(plan, args.arrivals, args.quiet).and_then(floor::Floor::run) {
        Ok(report) => {
            show::tell(&report);
            if let Err(error) = show::write(&report, &files) {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
            if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("没有跑完 / the run failed: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_steps_and_shares_are_read() {
        assert_eq!(seats("1001-1003,0020").unwrap().0, ["1001", "1002", "1003", "0020"]);
        for wrong in ["", "1003-1001", "1-20", "a-b", "1001,"] {
            assert!(seats(wrong).is_err(), "{wrong}");
        }
        assert_eq!(step("50x20s"), Ok((50.0, Duration::from_secs(20))));
        assert!(step("50").is_err() && step("0x1s").is_err() && step("5x0s").is_err());
        assert_eq!((percent("5%"), percent("100")), (Ok(0.05), Ok(1.0)));
        assert!(percent("101%").is_err());
    }
}
