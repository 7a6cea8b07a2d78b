//! Reads and deletes.

use std::collections::HashSet;

use super::codec;
use super::entry::{Entry, Flow};
use super::error::ConntrackError;
use crate::errno::Errno;
use crate::netlink::message::ACK;
use crate::netlink::{NetlinkError, NetlinkSocket};

/// Its answers fit the smallest default receive buffer even if all are errors.
const DELETIONS_PER_SEND: usize = 128;

/// The entries of these flows. The kernel filters: one flow by itself, many by their protocol.
///
/// The kernel goes on by position while others come and go, so an entry may be told twice, and one
/// that is made meanwhile may be missed.
///
/// # Errors
/// [`ConntrackError`]
pub fn entries(socket: &mut NetlinkSocket, flows: &[Flow]) -> Result<Vec<Entry>, ConntrackError> {
    read(socket, flows).map_err(failed("read entries of", flows))
}

/// Deletes the entries of these flows, and no others; tells how many. One that ended by itself
/// meanwhile is not counted.
///
/// # Errors
/// [`ConntrackError`]: some may have been deleted.
pub fn delete(socket: &mut NetlinkSocket, flows: &[Flow]) -> Result<usize, ConntrackError> {
    let deleting = |socket: &mut NetlinkSocket| {
        let mut deleted = 0;
        for chunk in read(socket, flows)?.chunks(DELETIONS_PER_SEND) {
            deleted += delete_chunk(socket, chunk)?;
        }
        Ok(deleted)
    };
    deleting(socket).map_err(failed("delete entries of", flows))
}

fn failed(operation: &'static str, flows: &[Flow]) -> impl FnOnce(NetlinkError) -> ConntrackError {
    move |source| ConntrackError {
        operation,
        object: flows.first().map(ToString::to_string).unwrap_or_default(),
        source,
    }
}

fn read(socket: &mut NetlinkSocket, flows: &[Flow]) -> Result<Vec<Entry>, NetlinkError> {
    let requests = match flows {
        [] => Vec::new(),
        [flow] => vec![codec::entries_request(flow)?],
        many => {
            let kinds: HashSet<(u8, bool)> = many.iter().map(kind_of).collect();
            let firsts = kinds.iter().filter_map(|kind| {
                let first = many.iter().find(|flow| kind_of(flow) == *kind)?;
                let address = first.original_destination.address;
                Some(codec::protocol_request(first.protocol, address))
            });
            firsts.collect::<Result<_, _>>()?
        }
    };
    // Older kernels do not filter, and a request by protocol tells more than is asked for.
    let wanted: HashSet<&Flow> = flows.iter().collect();
    let mut found = Vec::new();
    for request in requests {
        for message in socket.dump(&request)? {
            let Some(entry) = codec::entry(&message.payload)? else {
                continue;
            };
            let flow = Flow::of(&entry);
            if wanted.contains(&flow) || wanted.contains(&flow.to_anywhere()) {
                found.push(entry);
            }
        }
    }
    Ok(found)
}

fn kind_of(flow: &Flow) -> (u8, bool) {
    (flow.protocol, flow.original_destination.address.is_ipv4())
}

fn delete_chunk(socket: &mut NetlinkSocket, chunk: &[Entry]) -> Result<usize, NetlinkError> {
    let sequences = socket.reserve_sequences(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
    let last = *sequences.end();
    let mut batch = Vec::new();
    for (sequence, entry) in sequences.clone().zip(chunk) {
        let mut request = codec::delete_request(entry)?;
        // Errors come anyway.
        if sequence == last {
            request.flags |= ACK;
        }
        request.write(&mut batch, sequence, socket.port());
    }
    socket.send_batch(&batch)?;
    let replies = socket.receive_replies(sequences)?;
    if replies.last().map(|reply| reply.sequence) != Some(last) {
        return Err(NetlinkError::TimedOut);
    }
    let mut gone = 0;
    for reply in replies {
        match reply.errno {
            Errno(0) => {}
            Errno(libc::ENOENT) => gone += 1,
            errno => {
                return Err(NetlinkError::Refused {
                    errno,
                    message: reply.message,
                });
            }
        }
    }
    Ok(chunk.len().saturating_sub(gone))
}
