//! The clients: each a thread that works until the time is over.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{MESSAGE, invalid};

const BULK_CHUNK: usize = 128 * 1024;

/// What a client does over and over.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// Connect, request, response, close.
    Crr,
    /// Requests on one connection.
    Rr,
    /// As many bytes as go.
    Bulk,
}

/// A load.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    mode: Mode,
    target: SocketAddr,
    clients: usize,
    duration: Duration,
}

impl Load {
    /// Parses the words of the command line.
    pub fn parse(mode: &str, target: &str, clients: &str, seconds: &str) -> io::Result<Self> {
        let seconds: f64 = seconds
            .parse()
            .map_err(|_| invalid("SECONDS is no number"))?;
        Ok(Self {
            mode: match mode {
                "crr" => Mode::Crr,
                "rr" => Mode::Rr,
                "bulk" => Mode::Bulk,
                _ => return Err(invalid("the mode is crr, rr or bulk")),
            },
            target: target
                .parse()
                .map_err(|_| invalid("TARGET is no ADDRESS:PORT"))?,
            clients: clients
                .parse()
                .map_err(|_| invalid("CLIENTS is no number"))?,
            duration: Duration::try_from_secs_f64(seconds).map_err(|_| invalid("SECONDS"))?,
        })
    }
}

/// What one client or all did.
#[derive(Debug, Default)]
struct Tally {
    /// Time of each round trip in nanoseconds.
    times: Vec<u32>,
    bytes: u64,
    errors: u64,
}

/// Runs the load and prints what came of it.
pub fn run(load: &Load) -> io::Result<()> {
    let start = Instant::now();
    let end = start + load.duration;
    let clients: Vec<_> = (0..load.clients)
        .map(|_| {
            let load = *load;
            thread::spawn(move || work(&load, end))
        })
        .collect();
    let mut total = Tally::default();
    for client in clients {
        let tally = client
            .join()
            .map_err(|_| io::Error::other("a client panicked"))?;
        total.times.extend(tally.times);
        total.bytes += tally.bytes;
        total.errors += tally.errors;
    }
    print(&mut total, start.elapsed());
    Ok(())
}

fn work(load: &Load, end: Instant) -> Tally {
    let mut tally = Tally::default();
    tally.times.reserve(1 << 18);
    while Instant::now() < end {
        let outcome = match load.mode {
            Mode::Crr => connect_request_response(load.target, &mut tally),
            Mode::Rr => requests(load.target, end, &mut tally),
            Mode::Bulk => bulk(load.target, end, &mut tally),
        };
        if outcome.is_err() {
            tally.errors += 1;
        }
    }
    tally
}

fn connect_request_response(target: SocketAddr, tally: &mut Tally) -> io::Result<()> {
    let start = Instant::now();
    let mut message = [b'c'; MESSAGE];
    let mut stream = TcpStream::connect(target)?;
    stream.write_all(&message)?;
    stream.read_exact(&mut message)?;
    while stream.read(&mut message)? > 0 {}
    tally.times.push(nanoseconds(start));
    Ok(())
}

fn requests(target: SocketAddr, end: Instant, tally: &mut Tally) -> io::Result<()> {
    let mut message = [b'r'; MESSAGE];
    let mut stream = TcpStream::connect(target)?;
    stream.set_nodelay(true)?;
    loop {
        let start = Instant::now();
        if start >= end {
            return Ok(());
        }
        stream.write_all(&message)?;
        stream.read_exact(&mut message)?;
        tally.times.push(nanoseconds(start));
    }
}

fn bulk(target: SocketAddr, end: Instant, tally: &mut Tally) -> io::Result<()> {
    let chunk = vec![b'b'; BULK_CHUNK];
    let mut stream = TcpStream::connect(target)?;
    while Instant::now() < end {
        let written = stream.write(&chunk)?;
        tally.bytes += written as u64;
    }
    Ok(())
}

fn nanoseconds(start: Instant) -> u32 {
    u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX)
}

fn print(total: &mut Tally, elapsed: Duration) {
    total.times.sort_unstable();
    let count = total.times.len();
    let at = |percent: usize| total.times.get(count * percent / 100).copied().unwrap_or(0);
    println!(
        "{{\"count\":{count},\"bytes\":{},\"errors\":{},\"seconds\":{},\"p50Us\":{},\"p99Us\":{}}}",
        total.bytes,
        total.errors,
        elapsed.as_secs_f64(),
        f64::from(at(50)) / 1000.0,
        f64::from(at(99)) / 1000.0,
    );
}
