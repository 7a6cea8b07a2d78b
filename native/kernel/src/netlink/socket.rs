//! A netlink socket that checks what it receives: sender, port, sequence, truncation, interruption.

use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::message::{
    ACK, DUMP, DUMP_INTERRUPTED, KIND_DONE, KIND_ERROR, Message, Request, Verdict, messages,
    verdict,
};
use super::{NetlinkError, Protocol};
use crate::errno::Errno;
use crate::sys;

/// How often an interrupted dump is started again.
const DUMP_ATTEMPTS: u32 = 16;
const FIRST_BUFFER_BYTES: usize = 64 << 10;
const LARGEST_BUFFER_BYTES: usize = 16 << 20;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The kernel's answer to one message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Which message.
    pub sequence: u32,
    /// 0 for an acknowledgement.
    pub errno: Errno,
    /// Extended ack in words.
    pub message: Option<String>,
}

/// A socket in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct NetlinkSocket {
    fd: OwnedFd,
    port: u32,
    next_sequence: u32,
    buffer: Vec<u8>,
    buffer_limit: usize,
}

impl AsFd for NetlinkSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl NetlinkSocket {
    /// Opens and binds a socket; the kernel chooses the port.
    ///
    /// # Errors
    /// [`NetlinkError::NotSupported`] when the family is missing, else [`NetlinkError::System`].
    pub fn open(protocol: Protocol) -> Result<Self, NetlinkError> {
        let fd =
            sys::socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol.number()).map_err(|source| {
                match source {
                    Errno(libc::EPROTONOSUPPORT) => NetlinkError::NotSupported {
                        family: protocol.name(),
                        source,
                    },
                    _ => NetlinkError::System {
                        operation: "socket",
                        source,
                    },
                }
            })?;
        let port = sys::bind_netlink(fd.as_fd()).map_err(NetlinkError::system("bind"))?;
        sys::set_receive_timeout(fd.as_fd(), ANSWER_TIMEOUT)
            .map_err(NetlinkError::system("setsockopt SO_RCVTIMEO"))?;
        // Older kernels lack some of these; without them answers only say less.
        for option in [
            libc::NETLINK_EXT_ACK,
            libc::NETLINK_CAP_ACK,
            libc::NETLINK_GET_STRICT_CHK,
        ] {
            let _ = sys::set_option(fd.as_fd(), libc::SOL_NETLINK, option, 1);
        }
        Ok(Self {
            fd,
            port,
            next_sequence: 1,
            buffer: vec![0; FIRST_BUFFER_BYTES],
            buffer_limit: LARGEST_BUFFER_BYTES,
        })
    }

    /// The port the kernel gave: what notifications of our own changes carry.
    #[must_use]
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Takes `count` sequence numbers that follow each other, for a batch.
    pub fn reserve_sequences(&mut self, count: u32) -> RangeInclusive<u32> {
        // 0 is what notifications carry, so a range never contains it.
        let first = if self.next_sequence.checked_add(count).is_none() {
            1
        } else {
            self.next_sequence
        };
        self.next_sequence = first.saturating_add(count);
        first..=first.saturating_add(count.saturating_sub(1))
    }

    /// Sends one request and waits for its acknowledgement; returns the messages that came before.
    ///
    /// # Errors
    /// [`NetlinkError::Refused`] with errno and the kernel's words; any other variant leaves open
    /// whether the kernel acted.
    pub fn request(&mut self, request: &Request) -> Result<Vec<Message>, NetlinkError> {
        let sequence = self.send(request, ACK)?;
        let mut answers = Vec::new();
        loop {
            for message in self.receive_answers(sequence, 0)? {
                if message.kind == KIND_ERROR {
                    return verdict(&message)?.into_result().map(|()| answers);
                }
                answers.push(message);
            }
        }
    }

    /// Reads a whole table. A dump that changes interrupted is read again.
    ///
    /// # Errors
    /// [`NetlinkError::Interrupted`] when every attempt was interrupted; else as
    /// [`NetlinkSocket::request`].
    pub fn dump(&mut self, request: &Request) -> Result<Vec<Message>, NetlinkError> {
        self.dump_observed(request, &mut || {})
    }

    /// [`NetlinkSocket::dump`] that calls `between` after each datagram, for tests that interrupt.
    pub(crate) fn dump_observed(
        &mut self,
        request: &Request,
        between: &mut dyn FnMut(),
    ) -> Result<Vec<Message>, NetlinkError> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(answers) = self.dump_once(request, between)? {
                return Ok(answers);
            }
        }
        Err(NetlinkError::Interrupted {
            attempts: DUMP_ATTEMPTS,
        })
    }

    /// `None` when the dump was interrupted.
    fn dump_once(
        &mut self,
        request: &Request,
        between: &mut dyn FnMut(),
    ) -> Result<Option<Vec<Message>>, NetlinkError> {
        let sequence = self.send(request, DUMP)?;
        let mut answers = Vec::new();
        let mut is_interrupted = false;
        loop {
            for message in self.receive_answers(sequence, 0)? {
                is_interrupted |= message.flags & DUMP_INTERRUPTED != 0;
                if message.kind == KIND_ERROR || message.kind == KIND_DONE {
                    let Verdict { errno, message } = verdict(&message)?;
                    // nf_tables ends a dump with EINTR when its generation moved on.
                    if is_interrupted || errno.0 == libc::EINTR {
                        return Ok(None);
                    }
                    return Verdict { errno, message }
                        .into_result()
                        .map(|()| Some(answers));
                }
                answers.push(message);
            }
            between();
        }
    }

    /// Sends framed messages in one datagram; see [`Request::write`] and
    /// [`NetlinkSocket::reserve_sequences`].
    ///
    /// # Errors
    /// [`NetlinkError::System`], e.g. `EMSGSIZE` when the send buffer is too small.
    pub fn send_batch(&mut self, batch: &[u8]) -> Result<(), NetlinkError> {
        sys::send_to_kernel(self.fd.as_fd(), batch)
            .map(drop)
            .map_err(NetlinkError::system("sendto"))
    }

    /// The answers to a batch that was sent. The kernel handles a batch within the send, so that
    /// all answers are queued by now: acknowledgements that were asked for, and every error.
    ///
    /// # Errors
    /// [`NetlinkError::Overrun`] when answers were lost: what the kernel did is unknown then.
    pub fn receive_replies(
        &mut self,
        sequences: RangeInclusive<u32>,
    ) -> Result<Vec<Reply>, NetlinkError> {
        let mut replies = Vec::new();
        loop {
            let received = match self.receive_datagram(sys::DONT_WAIT) {
                Err(NetlinkError::TimedOut) => return Ok(replies),
                outcome => outcome?,
            };
            for message in received {
                let is_ours = message.port == self.port && sequences.contains(&message.sequence);
                if !is_ours || message.kind != KIND_ERROR {
                    continue;
                }
                let Verdict {
                    errno,
                    message: text,
                } = verdict(&message)?;
                replies.push(Reply {
                    sequence: message.sequence,
                    errno,
                    message: text,
                });
            }
        }
    }

    /// Asks for larger buffers, beyond the system's limit where we may.
    ///
    /// # Errors
    /// [`NetlinkError::System`].
    pub fn set_buffers(&self, send: Option<i32>, receive: Option<i32>) -> Result<(), NetlinkError> {
        let sizes = [
            (send, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF),
            (receive, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF),
        ];
        for (size, force, plain) in sizes {
            let Some(size) = size else { continue };
            sys::set_option(self.fd.as_fd(), libc::SOL_SOCKET, force, size)
                .or_else(|_| sys::set_option(self.fd.as_fd(), libc::SOL_SOCKET, plain, size))
                .map_err(NetlinkError::system("setsockopt buffer size"))?;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn limit_buffer(&mut self, first: usize, largest: usize) {
        self.buffer = vec![0; first];
        self.buffer_limit = largest;
    }

    fn send(&mut self, request: &Request, flags: u16) -> Result<u32, NetlinkError> {
        let sequence = *self.reserve_sequences(1).start();
        let mut bytes = Vec::with_capacity(request.payload.len() + 32);
        let request = Request {
            flags: request.flags | flags,
            ..request.clone()
        };
        request.write(&mut bytes, sequence, self.port);
        self.send_batch(&bytes)?;
        Ok(sequence)
    }

    /// Answers to `sequence` in the next datagram; what is left of earlier requests is skipped.
    fn receive_answers(&mut self, sequence: u32, flags: i32) -> Result<Vec<Message>, NetlinkError> {
        let port = self.port;
        let mut received = self.receive_datagram(flags)?;
        received.retain(|message| message.port == port && message.sequence == sequence);
        Ok(received)
    }

    /// Reads the next datagram whole: its length is asked for first and the buffer grown to it.
    pub(super) fn receive_datagram(&mut self, flags: i32) -> Result<Vec<Message>, NetlinkError> {
        let peeked = sys::receive(self.fd.as_fd(), &mut [], flags | sys::PEEK).map_err(refusal)?;
        if peeked.length > self.buffer.len() && self.buffer.len() < self.buffer_limit {
            self.buffer.resize(peeked.length.min(self.buffer_limit), 0);
        }
        let datagram = sys::receive(self.fd.as_fd(), &mut self.buffer, flags).map_err(refusal)?;
        if datagram.is_truncated {
            let limit = self.buffer.len();
            return Err(NetlinkError::Truncated {
                length: datagram.length,
                limit,
            });
        }
        if datagram.sender_port != 0 {
            return Ok(Vec::new());
        }
        messages(self.buffer.get(..datagram.length).unwrap_or_default()).collect()
    }
}

fn refusal(source: Errno) -> NetlinkError {
    match source {
        Errno(libc::EAGAIN) => NetlinkError::TimedOut,
        Errno(libc::ENOBUFS) => NetlinkError::Overrun,
        _ => NetlinkError::System {
            operation: "recvmsg",
            source,
        },
    }
}
