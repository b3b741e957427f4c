//! `hotline openapi`: the routes of the HTTP API, for programs.

use std::process::ExitCode;

use super::out;
use crate::io::http;

/// Exit codes: 0 printed, 1 cannot be printed.
pub fn run() -> ExitCode {
    let text = format!("{:#}\n", http::openapi());
    out::print(&text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
