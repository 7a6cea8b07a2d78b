//! Two network namespaces joined by a veth pair: the calling thread's and a client's.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::run;
use crate::namespace::Namespace;
use crate::sys;

const PATIENCE: Duration = Duration::from_secs(3);

/// Prepares the calling thread's namespace (10.200.0.1) and a client (10.200.0.2) that routes
/// everything through it.
pub fn join_client() -> Namespace {
    let (ready, tid) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        sys::unshare_network().expect("unshare");
        ready.send(sys::thread_id()).expect("send");
        let _ = released.recv();
    });
    let path = format!("/proc/self/task/{}/ns/net", tid.recv().expect("thread"));
    let client = Namespace::open(Some(&PathBuf::from(&path))).expect("client");
    let path = path.replace("self", &std::process::id().to_string());
    for command in [
        "ip link set lo up".to_owned(),
        format!("ip link add nsv-h type veth peer name nsv-c netns {path}"),
        "ip addr add 10.200.0.1/24 dev nsv-h".to_owned(),
        "ip link set nsv-h up".to_owned(),
        "ip route add 11.0.0.0/8 dev lo src 127.0.0.1".to_owned(),
        "ip -6 route add fd01:c::/32 dev lo src ::1".to_owned(),
    ] {
        run(&command);
    }
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("ip_forward");
    client
        .run_now(|_| {
            run("ip link set lo up");
            run("ip addr add 10.200.0.2/24 dev nsv-c");
            run("ip link set nsv-c up");
            run("ip route add default via 10.200.0.1");
        })
        .expect("client");
    drop(release);
    holder.join().expect("holder");
    client
}

/// A TCP server that sends its name to whoever connects.
pub struct Server {
    address: SocketAddr,
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(address: &str, name: char) -> Self {
        let listener = TcpListener::bind(address).expect("bind");
        let address = listener.local_addr().expect("address");
        let is_ending = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&is_ending);
        let thread = std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let _ = stream.write_all(name.to_string().as_bytes());
            }
        });
        Self {
            address,
            is_ending,
            thread: Some(thread),
        }
    }

    /// Must be called in the namespace that it was started in.
    pub fn stop(mut self) {
        self.is_ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("server");
        }
    }
}

/// Connects and returns the server's name.
pub fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address.parse().expect("address"), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Sends one datagram from a new socket and returns the answer's sender.
pub fn ask_datagram(from: &str, to: &str) -> std::io::Result<SocketAddr> {
    let socket = UdpSocket::bind(from)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(to)?;
    socket.send(b"?")?;
    let mut buffer = [0; 8];
    socket.recv_from(&mut buffer).map(|(_, sender)| sender)
}

/// Answers one datagram on a thread of its own.
pub fn answer_one(address: &str) -> JoinHandle<()> {
    let socket = UdpSocket::bind(address).expect("bind");
    socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
    std::thread::spawn(move || {
        let mut buffer = [0; 8];
        let (length, sender) = socket.recv_from(&mut buffer).expect("a datagram");
        socket.send_to(&buffer[..length], sender).expect("answer");
    })
}
