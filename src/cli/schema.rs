//! `hotline schema`: what the operator's files can hold, for editors that complete and check.

use std::process::ExitCode;

use super::out;
use crate::routing::schema::{Whose, schema};

/// 输出 JSON Schema（2020-12），供编辑器补全和检查 / Print a JSON Schema for editors that complete and check
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 提示音清单 prompts.toml / Of prompts.toml
    #[arg(long)]
    pub prompts: bool,
    /// 被 include 引入的文件 / Of a file that is included
    #[arg(long, conflicts_with = "prompts")]
    pub included: bool,
}

/// Exit codes: 0 printed, 1 nobody reads it.
pub fn run(args: &Args) -> ExitCode {
    let whose = match (args.prompts, args.included) {
        (true, _) => Whose::Prompts,
        (_, true) => Whose::Included,
        _ => Whose::Routing,
    };
    let text = format!("{:#}\n", schema(whose));
    out::print(&text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
