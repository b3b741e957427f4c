//! The binary: opens the front door.

use std::process::ExitCode;

fn main() -> ExitCode {
    hotline::cli::main()
}
