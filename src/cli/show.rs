//! `hotline show`: the plan as one file, whatever files it was said in, each value with its origin.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::run::{port_range, trunk_target};
use crate::io::plan_files;
use crate::routing::Overrides;
use crate::routing::plan::Listener;

/// 列出各项设置及其出处 / Show every setting and where it comes from
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 只看这一项，如 number.12345、queue.main.ring / Only this key, like number.12345 or queue.main.ring
    #[arg(value_name = "KEY")]
    pub key: Option<String>,
    /// 连同没有写而取默认值的 / With what holds where nothing is said
    #[arg(long)]
    pub effective: bool,
    /// 路由文件 / The routing file
    #[arg(long, value_name = "FILE", default_value = "routing.toml")]
    pub config: PathBuf,
    /// 同 run 的 --listen / As of `run`
    #[arg(long, value_name = "[udp:|tcp:|tls:]ADDRESS:PORT")]
    pub listen: Vec<Listener>,
    /// 同 run 的 --trunk / As of `run`
    #[arg(long, value_name = "NAME=ADDRESS:PORT", value_parser = trunk_target)]
    pub trunk: Vec<(String, SocketAddr)>,
    /// 同 run 的 --rtp-ports / As of `run`
    #[arg(long, value_name = "FIRST-LAST", value_parser = port_range)]
    pub rtp_ports: Option<(u16, u16)>,
    /// 输出 JSON / Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Exit codes: 0 shown, 1 not in force (faulty files) or no such key, 2 unreadable.
pub fn run(args: &Args) -> ExitCode {
    let overrides = Overrides {
        listen: args.listen.clone(),
        trunk_targets: args.trunk.iter().cloned().collect(),
        rtp_ports: args.rtp_ports,
        http: None,
    };
    let outcome = plan_files::load_noting(&args.config, &overrides);
    let Some(effective) = outcome.effective else {
        let colours = std::io::stderr().is_terminal();
        eprint!("{}", outcome.report.render(colours));
        return ExitCode::from(outcome.report.exit_code().max(1));
    };
    let shown = if args.effective { effective } else { effective.said() };
    let shown = match &args.key {
        None => shown,
        Some(key) => {
            let tops = shown.tops().join(", ");
            match shown.select(key) {
                Ok(chosen) => chosen,
                Err(nearest) => {
                    let near = nearest.map(|near| format!("最相近 nearest: {near}\n")).unwrap_or_default();
                    eprint!(
                        "没有 {key}；顶层有: {tops}\nthere is no {key}; at the top there are: {tops}\n{near}"
                    );
                    return ExitCode::from(1);
                }
            }
        }
    };
    let text = if args.json { format!("{:#}\n", shown.json()) } else { shown.toml() };
    // A reader that has gone (`| head`) does not matter.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
