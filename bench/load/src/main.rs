//! Load for the benchmarks: small requests on new connections, on open ones, and bulk.
//!
//! ```text
//! navstar-load serve PORT…                              until standard input ends
//! navstar-load serve-slowly MICROSECONDS PORT           the same, one connection after the other
//! navstar-load crr|rr|bulk ADDRESS:PORT CLIENTS SECONDS prints one line of JSON
//! ```
//!
//! Blocking threads and nothing else: what is measured is the path, and this must cost little and
//! always the same.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "measuring time is what this program is for"
)]

mod client;
mod server;

use std::io;
use std::process::ExitCode;

/// Bytes of a request and of its answer; the first byte of the first one says what follows.
const MESSAGE: usize = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("navstar-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> io::Result<()> {
    match words {
        ["serve", ports @ ..] => server::serve(ports),
        ["serve-slowly", microseconds, port] => server::serve_slowly(microseconds, port),
        [mode, target, clients, seconds] => {
            client::run(&client::Load::parse(mode, target, clients, seconds)?)
        }
        _ => Err(invalid("serve PORT… | crr|rr|bulk TARGET CLIENTS SECONDS")),
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text.to_owned())
}
