//! The binary: picks the command.

use std::process::ExitCode;

use clap::Parser;
use hotline::cli::{check, explain};

#[derive(Debug, Parser)]
#[command(name = "hotline", version)]
enum Command {
    Check(check::Args),
    Explain(explain::Args),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
    }
}
