//! `hotline openapi`: the routes of the HTTP API, for programs.

use std::io::Write;
use std::process::ExitCode;

use crate::io::http;

/// Exit codes: 0 printed, 1 nobody reads it.
pub fn run() -> ExitCode {
    let text = format!("{:#}\n", http::openapi());
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
