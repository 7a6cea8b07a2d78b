//! The server: a fixed set of threads per port, each serving one connection at a time.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::{MESSAGE, invalid};

/// Connections that one port serves at a time.
const THREADS_PER_PORT: usize = 24;
const BULK_BUFFER: usize = 256 * 1024;

/// Serves the ports until standard input ends.
pub fn serve(ports: &[&str]) -> io::Result<()> {
    for port in ports {
        let port: u16 = port.parse().map_err(|_| invalid("PORT is no number"))?;
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
        for _ in 0..THREADS_PER_PORT {
            let listener = listener.try_clone()?;
            thread::spawn(move || accept(&listener));
        }
    }
    println!("ready");
    io::copy(&mut io::stdin(), &mut io::sink()).map(|_| ())
}

/// Serves one connection after the other on a port, each answered after this long: a backend with a
/// queue. Until standard input ends.
pub fn serve_slowly(microseconds: &str, port: &str) -> io::Result<()> {
    let microseconds = microseconds
        .parse()
        .map_err(|_| invalid("MICROSECONDS is no number"))?;
    let port: u16 = port.parse().map_err(|_| invalid("PORT is no number"))?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::sleep(Duration::from_micros(microseconds));
            let _ = answer(stream);
        }
    });
    println!("ready");
    io::copy(&mut io::stdin(), &mut io::sink()).map(|_| ())
}

fn accept(listener: &TcpListener) {
    for stream in listener.incoming().flatten() {
        // The client counts what went wrong.
        let _ = answer(stream);
    }
}

/// Closes before the client does, so that it is the server who keeps the closed connection.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut message = [0; MESSAGE];
    stream.read_exact(&mut message)?;
    match message {
        [b'b', ..] => {
            let mut buffer = vec![0; BULK_BUFFER];
            while stream.read(&mut buffer)? > 0 {}
            Ok(())
        }
        [b'r', ..] => loop {
            stream.write_all(&message)?;
            stream.read_exact(&mut message)?;
        },
        _ => stream.write_all(&message),
    }
}
