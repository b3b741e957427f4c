//! `hotline demo`: the engine in a process of its own, telephones over real UDP on loopback, the
//! clock inside the transition months. Every number is called, and every promise is looked for in
//! what was heard and in what was kept. Then third parties are asked into calls, and callers help themselves.

mod act_three;
mod act_two;
mod books;
mod cast;
mod closing;
mod dictation;
mod hear;
mod judge;
mod services;
mod show;
mod table;
mod wanted;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::handset::say;
use super::signals;
use crate::id::mask;
use crate::io::engine_process::EngineProcess;
use crate::io::packets::Mover;
use crate::io::plan_files;
use crate::io::store::{CallQuery, FILE, Reader};
use crate::routing::plan::LineMode;
use crate::routing::{Overrides, Plan};
use crate::time::Timestamp;
use cast::Desk;
use services::Plans;
use show::{Broken, Show};

/// Into the transition months, where they are long enough: the morning of their second month.
const INTO_THE_MONTHS: Duration = Duration::from_secs((31 * 24 + 9) * 3_600);
/// The drained engine is gone by then.
const END_MAX: Duration = Duration::from_secs(20);
/// Rows listed at the end.
const LISTED_MAX: usize = 1_000;

/// 演示：拨打全部号码并逐一核对 / Call every number and check each promise
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 数据留在这个目录（须为新目录）/ Keep the data in this directory, which must be new
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// 路由文件 / The routing file
    #[arg(long, value_name = "FILE", default_value = "routing.toml")]
    pub config: PathBuf,
    /// 引擎的时钟（默认在过渡期内）/ The engine's clock (default: inside the transition months)
    #[arg(long, value_name = "TIME", value_parser = crate::cli::run::instant)]
    pub clock: Option<Timestamp>,
}

/// Exit codes: 0 everything was found, 1 something is missing, 2 not begun.
pub fn run(args: Args) -> ExitCode {
    if !args.config.exists() {
        eprint!("演示没有开始 / the demo was not begun: {}", crate::cli::run::no_file(&args.config));
        return ExitCode::from(2);
    }
    let outcome = plan_files::load(&args.config, &Overrides::default());
    let Some(plan) = &outcome.plan else {
        eprint!("{}", outcome.report.render(std::io::stderr().is_terminal()));
        return ExitCode::from(2);
    };
    let data = args
        .keep
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("hotline-demo-{}", std::process::id())));
    if let Err(error) = new_directory(&data) {
        eprintln!("演示没有开始 / the demo was not begun: {error}");
        return ExitCode::from(2);
    }
    let played = play(&args, plan, &data);
    if args.keep.is_none() {
        let _ = std::fs::remove_dir_all(&data);
    }
    match played {
        Ok(0) => {
            say("全部找到 / everything was found");
            ExitCode::SUCCESS
        }
        Ok(faults) => {
            say(&format!("有 {faults} 处缺失，见上面的 ✗ / {faults} faults: see ✗ above"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("演示中断 / the demo was broken off: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the directory for its owner alone. One that is there must be empty.
fn new_directory(data: &Path) -> Result<(), String> {
    let name = data.display();
    let unfit = |error: std::io::Error| {
        format!(
            "目录 {name} 用不了: {error}；请换一个目录 / the directory {name} is of no use: {error}; name another one"
        )
    };
    match std::fs::read_dir(data).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!(
            "目录 {name} 不是空的，请换一个新目录 / the directory {name} is not empty: name a new one"
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(unfit)
        }
        Err(error) => Err(unfit(error)),
    }
}

/// The whole play; gives the number of faults.
fn play(args: &Args, plan: &Plan, data: &Path) -> Result<usize, Broken> {
    let mut mover = Mover::new()?;
    signals::ring_on_stop(mover.bell()?)?;
    let mut clerks = cast::sub_centers(plan, &mut mover)?;
    let clock = args.clock.unwrap_or_else(|| inside_the_months(plan));
    let plans = Plans::write(&args.config, data)?;
    let mut arguments: Vec<OsString> =
        ["run", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--clock"].map(OsString::from).to_vec();
    arguments.push(clock.to_string().into());
    arguments.extend(["--config".into(), plans.file.clone().into_os_string()]);
    arguments.extend(["--data".into(), data.as_os_str().to_owned()]);
    for clerk in &clerks {
        if let Desk::SubCenter(trunk) = &clerk.desk {
            let at = mover.party(clerk.phone).config().sip;
            arguments.extend(["--trunk".into(), format!("{trunk}={at}").into()]);
        }
    }
    let mut engine = EngineProcess::start(&std::env::current_exe()?, arguments, &data.join("engine.log"))?;
    let http = engine.http().map_or_else(String::new, |http| format!(" http={http}"));
    let local = plan.city.time_zone.to_datetime(clock);
    say(&format!(
        "引擎 / engine sip={}{http} 时钟 / clock {local} 数据 / data {}",
        engine.sip(),
        data.display()
    ));
    clerks.extend(cast::seats(plan, &mut mover, engine.sip(), data, clerks.len())?);
    let reader = Reader::open(&data.join(FILE))?;
    let mut show = Show::new(plan, data, mover, &mut engine, reader, clerks)?;
    show.register()?;
    let began = show.mover.now().mono;
    let (mut calls, clerks) = (show.callers.len(), show.clerks.len());
    say(&format!(
        "{calls} 个号码各拨一次，{clerks} 部话机接听，之后是三方通话和自助，近两分钟 / \
         {calls} numbers, each called once; {clerks} telephones answer; then calls of three, and self-service; \
         just under two minutes\n"
    ));
    table::heading();
    let mut faults = show.run()?;
    let at = clock + show.mover.now().mono.since(began);
    let act_two = act_two::play(&mut show, at)?;
    calls += act_two.calls;
    faults += act_two.faulty;
    let at = clock + show.mover.now().mono.since(began);
    let act_three = act_three::play(&mut show, &plans, at)?;
    calls += act_three.calls;
    faults += act_three.faulty;
    let recordings = if plan.recording.enabled { calls } else { 0 };
    faults += sum_up(&mut show, (calls, recordings), data, args.keep.is_some())?;
    faults += end(&mut show)?;
    Ok(faults)
}

/// Now, where no line is merged: months of transition that the plan has no use for may be those of 1970.
fn inside_the_months(plan: &Plan) -> Timestamp {
    let merged = plan.lines.values().find(|line| matches!(line.mode, LineMode::Merged { .. }));
    let months = merged.map(|line| line.transition.as_ref().unwrap_or(&plan.transition));
    let Some(window) = months.and_then(|months| months.window(&plan.city.time_zone)) else {
        return Timestamp::now();
    };
    let length = window.end.duration_since(window.start).unsigned_abs();
    window.start + INTO_THE_MONTHS.min(length / 2)
}

/// Records equal tickets equal recordings equal calls; then they are listed.
fn sum_up(
    show: &mut Show<'_>,
    (calls, recorded): (usize, usize),
    data: &Path,
    kept: bool,
) -> Result<usize, Broken> {
    let mut listed = None;
    show.until(Duration::ZERO, |reader, _| {
        let query = CallQuery { most: LISTED_MAX, ..CallQuery::default() };
        listed = Some(reader.calls(&query).and_then(|records| Ok((records, reader.tickets(LISTED_MAX)?))));
        true
    })?;
    let (records, tickets) = listed.transpose()?.unwrap_or_default();
    say("\n工单 / tickets");
    for ticket in tickets.iter().rev() {
        let field = |name: &str| match &ticket.data[name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => "–".to_owned(),
            other => other.to_string(),
        };
        let reason = ticket.data["reason"].as_str().map_or_else(String::new, |why| format!(" reason={why}"));
        say(&format!(
            "  {} {} line={} caller={} seat={} grade={}{reason}",
            ticket.number,
            ticket.state,
            field("line"),
            mask(&field("caller")),
            field("seat"),
            field("grade")
        ));
    }
    say("\n录音 / recordings");
    let mut recordings = 0;
    for record in records.iter().rev() {
        if let Some(file) = &record.recording {
            let kept = crate::io::recorder::kept(data, file);
            recordings += usize::from(kept.is_some());
            let file = data.join(kept.map_or_else(|| file.clone(), |(file, _)| file));
            let seconds = record.recording_ms.unwrap_or_default() as f64 / 1_000.0;
            say(&format!("  {seconds:>6.1}s {} line={}", file.display(), record.line));
        }
    }
    if kept {
        let data = data.display();
        say(&format!(
            "\n留在 / kept in {data}: hotline records --data {data}; hotline tickets --data {data}"
        ));
    } else {
        say(
            "\n临时目录，结束时删除；用 --keep DIR 保留 / a temporary directory, removed now; --keep DIR keeps it",
        );
    }
    let counts = format!(
        "呼叫 {calls} = 记录 {} = 工单 {} = 录音 {recordings} / calls = records = tickets = recordings",
        records.len(),
        tickets.len()
    );
    let equal = records.len() == calls && tickets.len() == calls && recordings == recorded;
    say(&format!("{} {counts}", if equal { "✓" } else { "✗" }));
    Ok(usize::from(!equal))
}

/// The engine drains and ends in order.
fn end(show: &mut Show<'_>) -> Result<usize, Broken> {
    let mut asked = false;
    let mut status = None;
    show.until(END_MAX, |_, engine| {
        if !std::mem::replace(&mut asked, true) && engine.terminate().is_err() {
            return true;
        }
        status = engine.ended().ok().flatten();
        status.is_some()
    })?;
    match status {
        Some(status) if status.success() => Ok(0),
        Some(status) => {
            say(&format!("✗ 引擎没有正常结束 / the engine did not end in order: {status}"));
            Ok(1)
        }
        None => {
            say(&format!("✗ 引擎 {0} 秒内没有结束 / the engine did not end within {0} s", END_MAX.as_secs()));
            Ok(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_clock_stands_inside_the_transition_months_of_the_shipped_file() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let plan = plan_files::load(&file, &Overrides::default()).plan.unwrap();
        let at = inside_the_months(&plan);
        let bare = Plan { lines: Default::default(), ..plan.clone() };
        assert!(inside_the_months(&bare) >= Timestamp::now() - Duration::from_secs(60), "no line is merged");
        assert_eq!(at, "2021-09-01T09:00:00+08:00".parse().unwrap());
        assert_eq!(cast::callers(&plan).len(), 29, "28 numbers and 12345");
    }
}
