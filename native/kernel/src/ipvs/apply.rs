//! Operations to the kernel, many in one send.
//!
//! Each is applied or refused by itself. The kernel handles all messages of a send before the send
//! returns. Only the last message of a send asks for an acknowledgement, as errors come anyway: so
//! the receive buffer holds at most one answer for each message of a send, and their number is such
//! that all answers fit the smallest default buffer.

use super::client::Client;
use super::encode;
use super::error::IpvsError;
use super::operation::Operation;
use super::refusal::Refusal;
use crate::errno::Errno;
use crate::netlink::NetlinkError;
use crate::netlink::message::ACK;

/// An error takes at most 1.3 KiB of the receive buffer, which has 208 KiB by default.
const OPERATIONS_PER_SEND: usize = 128;

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationResult {
    /// 0, or why the kernel refused it.
    pub errno: Errno,
    /// The same in words; `None` when it was applied.
    pub refusal: Option<Refusal>,
}

impl Client {
    /// Applies operations in order; a result for each. Later ones are applied after a refusal too.
    ///
    /// # Errors
    /// [`IpvsError::Netlink`]: what became of the operations from the failed send on is unknown;
    /// the caller must read what the kernel has.
    pub fn apply(&mut self, operations: &[Operation]) -> Result<Vec<OperationResult>, IpvsError> {
        let mut results = Vec::with_capacity(operations.len());
        for chunk in operations.chunks(OPERATIONS_PER_SEND) {
            let first = chunk.first().map(Operation::service);
            let object = first.map(ToString::to_string).unwrap_or_default();
            let sent = self
                .send(chunk)
                .map_err(IpvsError::of("change services from", object))?;
            results.extend(sent);
        }
        Ok(results)
    }

    fn send(&mut self, chunk: &[Operation]) -> Result<Vec<OperationResult>, NetlinkError> {
        let count = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let sequences = self.socket.reserve_sequences(count);
        let (first, last) = (*sequences.start(), *sequences.end());
        self.batch.clear();
        for (sequence, operation) in sequences.clone().zip(chunk) {
            let mut request = encode::operation(self.family, operation)?;
            if sequence == last {
                request.flags |= ACK;
            }
            request.write(&mut self.batch, sequence, self.socket.port());
        }
        self.socket.send_batch(&self.batch)?;
        let replies = self.socket.receive_replies(sequences)?;
        if replies.last().map(|reply| reply.sequence) != Some(last) {
            return Err(NetlinkError::TimedOut);
        }
        let applied = OperationResult {
            errno: Errno(0),
            refusal: None,
        };
        let mut results = vec![applied; chunk.len()];
        for reply in replies.iter().filter(|reply| reply.errno.0 != 0) {
            let index = reply.sequence.wrapping_sub(first) as usize;
            if let (Some(result), Some(operation)) = (results.get_mut(index), chunk.get(index)) {
                result.errno = reply.errno;
                result.refusal = Some(Refusal::of(operation, reply.errno));
            }
        }
        Ok(results)
    }
}
