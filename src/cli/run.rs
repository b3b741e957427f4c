//! `hotline run`: the engine on embedded defaults.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::io::clock::Clock;
use crate::io::house::reload::Wanted;
use crate::io::house::{Ask, Door, House, Setup, StartError};
use crate::io::media::ShellChoice;
use crate::io::process;
use crate::routing::Overrides;
use crate::routing::admin::HttpAt;
use crate::routing::plan::{Listener, SecretRef, Trunk};
use crate::time::Timestamp;

/// 运行热线引擎 / Run the engine
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 路由文件 / The routing file
    #[arg(long, value_name = "FILE", default_value = "routing.toml")]
    pub config: PathBuf,
    /// 代替文件中的 SIP 监听地址 / Listen for SIP here instead
    #[arg(long, value_name = "[udp:|tcp:|tls:]ADDRESS:PORT")]
    pub listen: Vec<Listener>,
    /// 代替文件中的 HTTP 地址；off 为不监听 / Where HTTP listens instead; off: nowhere
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub http: Option<String>,
    /// 数据目录 / Database, recordings, secrets
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// 从这一时刻起走的时钟（试用）/ A wall clock that starts here and runs on, for trying out
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub clock: Option<Timestamp>,
    /// 中继目标 / A trunk's target, in place of the file's
    #[arg(long, value_name = "NAME=ADDRESS:PORT", value_parser = trunk_target)]
    pub trunk: Vec<(String, SocketAddr)>,
    /// RTP 端口范围 / RTP ports, in place of the file's
    #[arg(long, value_name = "FIRST-LAST", value_parser = port_range)]
    pub rtp_ports: Option<(u16, u16)>,
    /// 媒体收发方式 / How media packets are moved
    #[arg(long, value_name = "auto|uring|epoll", default_value = "auto", value_parser = shell)]
    pub io: ShellChoice,
}

/// An instant of the command line.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        let like = "2021-09-01T09:00:00+08:00";
        format!("写成带时区的时刻，如 {like} / write a time with its zone, such as {like}")
    })
}

pub(super) fn trunk_target(text: &str) -> Result<(String, SocketAddr), String> {
    let (name, at) = text.split_once('=').ok_or("NAME=ADDRESS:PORT")?;
    Ok((name.to_owned(), at.parse().map_err(|error| format!("{at}: {error}"))?))
}

pub(super) fn port_range(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').ok_or("FIRST-LAST")?;
    let port = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    Ok((port(first)?, port(last)?))
}

fn shell(text: &str) -> Result<ShellChoice, String> {
    match text {
        "auto" => Ok(ShellChoice::Auto),
        "uring" => Ok(ShellChoice::Uring),
        "epoll" => Ok(ShellChoice::Epoll),
        _ => Err("auto, uring, epoll".into()),
    }
}

/// Exit codes: 0 ended in order, 1 not started.
pub fn run(args: Args) -> ExitCode {
    process::keep_to_owner();
    if !args.config.exists() {
        eprint!("没有启动 / not started: {}", no_file(&args.config));
        return ExitCode::FAILURE;
    }
    let begun = start_logging();
    match begun.and_then(|(lost, _writes_until_the_end)| serve(args, lost)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("没有启动 / not started: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The routing file is not there: where it is to be found.
pub(super) fn no_file(config: &Path) -> String {
    let (name, here) = (config.display(), std::env::current_dir().unwrap_or_default());
    let here = here.display();
    format!(
        "没有路由文件 {name}（当前目录 {here}）\n\
         随程序发布的 routing.toml 和 prompts/ 在源代码目录里：请在那里运行，或用 --config 指明它的位置\n\
         there is no routing file {name} (current directory {here})\n\
         the shipped routing.toml and its prompts/ are in the source tree: run there, or name the file with --config\n"
    )
}

/// Lines that wait for a slow terminal or pipe; what finds no place is lost, never a call's time.
const LOG_LINES_MAX: usize = 16_384;

/// Pretty on a terminal, JSON elsewhere; levels by `RUST_LOG`, `info,hotline::io=debug`. A thread of its own writes,
/// until the guard is dropped.
fn start_logging() -> Result<(ErrorCounter, WorkerGuard), StartError> {
    let levels = match std::env::var("RUST_LOG") {
        Ok(said) if !said.is_empty() => said
            .parse::<Targets>()
            .map_err(|error| StartError::Outside { what: "RUST_LOG", why: format!("{said}: {error}") })?,
        _ => Targets::new().with_default(LevelFilter::INFO),
    };
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LOG_LINES_MAX)
        .lossy(true)
        .thread_name("log")
        .finish(std::io::stderr());
    let lost = writer.error_counter();
    let log = tracing_subscriber::registry().with(levels);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    if std::io::stderr().is_terminal() {
        log.with(lines.compact()).init();
    } else {
        log.with(lines.json()).init();
    }
    Ok((lost, guard))
}

fn setup(args: Args, log: ErrorCounter) -> Result<Setup, StartError> {
    let http = match args.http.as_deref() {
        None => None,
        Some("off") => Some(HttpAt::Nowhere),
        Some(at) => Some(HttpAt::At(at.parse().map_err(|error| StartError::Outside {
            what: "--http",
            why: format!(
                "{at}: {error}\n写成 地址:端口（如 127.0.0.1:8345）或 off\n\
                     write ADDRESS:PORT (such as 127.0.0.1:8345), or off"
            ),
        })?)),
    };
    let trunk_targets: BTreeMap<String, SocketAddr> = args.trunk.into_iter().collect();
    Ok(Setup {
        config: args.config,
        overrides: Overrides { listen: args.listen, trunk_targets, rtp_ports: args.rtp_ports, http },
        data: args.data,
        clock: args.clock.map_or_else(Clock::system, Clock::shifted),
        shell: args.io,
        log: Some(log),
    })
}

fn serve(args: Args, log: ErrorCounter) -> Result<(), StartError> {
    let outside = |error: std::io::Error| StartError::Outside { what: "runtime", why: error.to_string() };
    let setup = setup(args, log)?;
    let data = setup.data.clone();
    let worker = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("worker")
        .enable_all()
        .build()
        .map_err(outside)?;
    let control = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(outside)?;
    control.block_on(async {
        let house = House::open(setup, worker.handle().clone())?;
        heed_signals(house.door()).map_err(outside)?;
        // Whoever started us may not be reading: calls are answered all the same.
        let _ = greet(&house, &data);
        house.run().await;
        Ok(())
    })
}

/// SIGTERM and SIGINT drain, and end at once when sent again; SIGHUP reads the plan again.
fn heed_signals(door: Door) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let ask = tokio::select! {
                _ = terminate.recv() => Ask::Stop,
                _ = interrupt.recv() => Ask::Stop,
                _ = hang_up.recv() => Ask::Reload(Wanted::by_signal()),
            };
            if door.send(ask).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// The ready line, what to dial, and how to connect a softphone.
fn greet(house: &House, data: &Path) -> std::io::Result<()> {
    let (ready, plan) = (house.ready(), house.plan());
    let mut out = std::io::stdout().lock();
    let sip = ready.sip.first().map_or_else(String::new, |(_, at)| at.to_string());
    let http = ready.http.map_or("off".into(), |at| at.to_string());
    let spoken = ready.sip.iter().map(|(transport, at)| format!("{}:{at}", transport.uri_name()));
    let listen = spoken.collect::<Vec<_>>().join(",");
    writeln!(out, "ready sip={sip} http={http} media={} listen={listen}", ready.shell)?;
    let lines = plan.lines.len();
    writeln!(out, "拨打 / dial: sip:12345@{sip}（或 {lines} 个号码中任一个 / or any of {lines} numbers）")?;
    writeln!(out, "      hotline call 12345 --server {sip}")?;
    let data = data.display();
    if let Some(seat) = plan.seats.values().next() {
        let (domain, seat_id) = (&plan.network.domain, &seat.id);
        let password = match &seat.secret {
            SecretRef::File(file) => format!("{data}/{file}"),
            SecretRef::Env(name) => format!("${name}"),
        };
        writeln!(
            out,
            "座席软电话 / seat softphone: user {seat_id} domain {domain} proxy {sip} password: {password}"
        )?;
        writeln!(out, "      hotline phone --seat {seat_id} --server {sip} --data {data}")?;
    }
    if let Some(at) = ready.http {
        let token = crate::io::http::TOKEN_FILE;
        writeln!(
            out,
            "网页接口 / HTTP: http://{at}/healthz /readyz /metrics /v1/snapshot token: {data}/{token}"
        )?;
    }
    if !ready.created.is_empty() {
        let made = ready.created.len();
        writeln!(out, "新建 {made} 个密钥（0600）/ {made} secrets created (0600):")?;
        let mut places: BTreeMap<&Path, Vec<String>> = BTreeMap::new();
        for path in &ready.created {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            places.entry(path.parent().unwrap_or(Path::new(""))).or_default().push(name);
        }
        for (place, names) in places {
            writeln!(out, "      {}/: {}", place.display(), names.join(" "))?;
        }
    }
    let trusts_loopback = |trunk: &Trunk| trunk.sources.iter().any(|net| net.addr.is_loopback());
    if plan.trunks.values().any(trusts_loopback) {
        writeln!(
            out,
            "试用: 本机来电即视为运营商来电，见 hotline check / for trying out: calls from this machine count as \
             the carrier's, see hotline check"
        )?;
    }
    out.flush()
}
