//! Hands a batch to the kernel and tells for each operation what became of it.

use super::batch::{Batch, batch};
use super::error::NftablesError;
use super::operation::Operation;
use crate::errno::Errno;
use crate::netlink::{NetlinkError, NetlinkSocket, Reply};

/// `ERESTART`, which never reaches user space but through netlink.
pub const ERESTART: Errno = Errno(85);
/// What a socket can send without asking for more.
const PLAIN_SEND_BYTES: usize = 128 << 10;
/// Messages whose errors fit the receive buffer without asking for more.
const PLAIN_ERRORS: usize = 64;
/// What one queued error takes in the kernel, generously.
const ERROR_BYTES: usize = 2 << 10;
const LARGEST_BUFFER: usize = 1 << 29;

/// What became of one operation. Either all operations of a transaction are applied or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationResult {
    /// 0, or why the kernel refused this operation.
    pub errno: Errno,
    /// The whole transaction was applied.
    pub is_applied: bool,
    /// The kernel's words, when it has some.
    pub message: Option<String>,
}

/// Applies all operations or none.
///
/// A refused operation carries its errno. A refusal of the whole (the generation moved on) is on
/// every operation.
///
/// # Errors
/// [`NftablesError::Invalid`] before anything is sent; [`NftablesError::Netlink`] when the socket
/// failed: after `Overrun` and `TimedOut` the caller must read what the kernel has.
pub fn commit(
    socket: &mut NetlinkSocket,
    operations: &[Operation],
    generation: Option<u32>,
) -> Result<Vec<OperationResult>, NftablesError> {
    if operations.is_empty() {
        return Ok(Vec::new());
    }
    let batch = batch(operations, generation)?;
    if batch.messages.len() == 2 {
        // Only element operations without elements.
        return Ok(results(operations.len(), &batch, 0, &[]));
    }
    let failed = |source| NftablesError::Netlink {
        operation: "transaction on",
        object: operations
            .first()
            .map(Operation::object)
            .unwrap_or_default(),
        source,
    };
    exchange(socket, &batch)
        .map(|(first, replies)| results(operations.len(), &batch, first, &replies))
        .map_err(failed)
}

fn exchange(socket: &mut NetlinkSocket, batch: &Batch) -> Result<(u32, Vec<Reply>), NetlinkError> {
    let count = u32::try_from(batch.messages.len()).unwrap_or(u32::MAX);
    let sequences = socket.reserve_sequences(count);
    let first = *sequences.start();
    let bytes = batch.bytes(first, socket.port());
    let size = |bytes: usize| i32::try_from(bytes.min(LARGEST_BUFFER)).ok();
    let send = (bytes.len() > PLAIN_SEND_BYTES)
        .then_some(bytes.len())
        .and_then(size);
    let errors = batch.messages.len();
    let receive = (errors > PLAIN_ERRORS)
        .then_some(errors * ERROR_BYTES)
        .and_then(size);
    socket.set_buffers(send, receive)?;
    socket.send_batch(&bytes)?;
    let replies = socket.receive_replies(sequences)?;
    if replies.is_empty() {
        Err(NetlinkError::TimedOut)
    } else {
        Ok((first, replies))
    }
}

/// Lays replies on the operations whose messages they answer.
fn results(count: usize, batch: &Batch, first: u32, replies: &[Reply]) -> Vec<OperationResult> {
    let is_applied = replies.iter().all(|reply| reply.errno.0 == 0);
    let mut results = vec![
        OperationResult {
            errno: Errno(0),
            is_applied,
            message: None
        };
        count
    ];
    for reply in replies.iter().filter(|reply| reply.errno.0 != 0) {
        let position = reply.sequence.wrapping_sub(first) as usize;
        let owner = batch.owners.get(position).copied().flatten();
        let refused: Vec<&mut OperationResult> = match owner {
            Some(index) => results.get_mut(index).into_iter().collect(),
            None => results.iter_mut().collect(),
        };
        for result in refused.into_iter().filter(|result| result.errno.0 == 0) {
            result.errno = reply.errno;
            result.message.clone_from(&reply.message);
        }
    }
    results
}
