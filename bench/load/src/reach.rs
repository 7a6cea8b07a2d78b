//! Waiting for a service: asks again and again until it answers.

use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{MESSAGE, invalid};

const PAUSE: Duration = Duration::from_millis(1);
const ATTEMPT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(10);

/// For each target on standard input prints `asking`, and then `answered` or `silent`.
pub fn run() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let target: SocketAddr = line.trim().parse().map_err(|_| invalid(&line))?;
        println!("asking");
        println!("{}", if reach(target) { "answered" } else { "silent" });
    }
    Ok(())
}

fn reach(target: SocketAddr) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if ask(target).is_ok() {
            return true;
        }
        thread::sleep(PAUSE);
    }
    false
}

fn ask(target: SocketAddr) -> io::Result<()> {
    let mut message = [b'c'; MESSAGE];
    let mut stream = TcpStream::connect_timeout(&target, ATTEMPT)?;
    stream.set_read_timeout(Some(ATTEMPT))?;
    stream.write_all(&message)?;
    stream.read_exact(&mut message)
}
