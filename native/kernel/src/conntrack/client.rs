//! Reads and deletes.

use std::collections::{HashMap, HashSet};

use super::codec;
use super::entry::{Entry, Flow, Tuple};
use super::error::ConntrackError;
use crate::errno::Errno;
use crate::netlink::message::ACK;
use crate::netlink::{NetlinkError, NetlinkSocket, Request};

/// Its answers fit the smallest default receive buffer even if all are errors.
const DELETIONS_PER_SEND: usize = 128;
/// So many flows are asked for one by one: the kernel walks its table each time, but tells little.
const ASKED_ALONE: usize = 4;

/// The entries of these flows, each once. The kernel filters: few flows one by one, many by what
/// they share, e.g. all VIPs of a backend by the backend. An entry that is made meanwhile may be
/// missed.
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

/// Makes entries of connections of TCP that are established and not translated; tells how many.
/// One that is tracked, or whose answers another one takes, is left as it is.
///
/// # Errors
/// [`ConntrackError`]: some may have been made.
pub fn track(
    socket: &mut NetlinkSocket,
    connections: &[Tuple],
    timeout_seconds: u32,
) -> Result<usize, ConntrackError> {
    let tracking = |socket: &mut NetlinkSocket| {
        let mut tracked = 0;
        for chunk in connections.chunks(DELETIONS_PER_SEND) {
            let requests = chunk
                .iter()
                .map(|tuple| codec::track_request(tuple, timeout_seconds));
            tracked += carry_out(socket, requests.collect::<Result<_, _>>()?, libc::EEXIST)?;
        }
        Ok(tracked)
    };
    tracking(socket).map_err(|source| ConntrackError {
        operation: "make entries of",
        object: format!("{} connections", connections.len()),
        source,
    })
}

fn failed(operation: &'static str, flows: &[Flow]) -> impl FnOnce(NetlinkError) -> ConntrackError {
    move |source| ConntrackError {
        operation,
        object: flows.first().map(ToString::to_string).unwrap_or_default(),
        source,
    }
}

fn read(socket: &mut NetlinkSocket, flows: &[Flow]) -> Result<Vec<Entry>, NetlinkError> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for group in groups(flows) {
        let Some(request) = codec::entries_request(&group)? else {
            continue;
        };
        let wanted: HashSet<&Flow> = group.into_iter().collect();
        for message in socket.dump(&request)? {
            let Some(entry) = codec::entry(&message.payload)? else {
                continue;
            };
            let flow = Flow::of(&entry);
            let is_wanted = wanted.contains(&flow) || wanted.contains(&flow.to_anywhere());
            // The kernel may tell an entry twice, and it may be of several flows.
            if is_wanted && seen.insert((entry.original, entry.zone)) {
                found.push(entry);
            }
        }
    }
    Ok(found)
}

/// Flows that are asked for together, all of one protocol and family.
fn groups(flows: &[Flow]) -> Vec<Vec<&Flow>> {
    if flows.len() <= ASKED_ALONE {
        return flows.iter().map(|flow| vec![flow]).collect();
    }
    let mut groups: HashMap<(u8, bool), Vec<&Flow>> = HashMap::new();
    for flow in flows {
        groups.entry(kind_of(flow)).or_default().push(flow);
    }
    groups.into_values().collect()
}

fn kind_of(flow: &Flow) -> (u8, bool) {
    (flow.protocol, flow.original_destination.address.is_ipv4())
}

fn delete_chunk(socket: &mut NetlinkSocket, chunk: &[Entry]) -> Result<usize, NetlinkError> {
    let requests = chunk.iter().map(codec::delete_request);
    carry_out(socket, requests.collect::<Result<_, _>>()?, libc::ENOENT)
}

/// Tells how many were done; the others failed with `harmless`.
fn carry_out(
    socket: &mut NetlinkSocket,
    requests: Vec<Request>,
    harmless: i32,
) -> Result<usize, NetlinkError> {
    let count = requests.len();
    let sequences = socket.reserve_sequences(u32::try_from(count).unwrap_or(u32::MAX));
    let last = *sequences.end();
    let mut batch = Vec::new();
    for (sequence, mut request) in sequences.clone().zip(requests) {
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
    let mut undone = 0;
    for reply in replies {
        match reply.errno {
            Errno(0) => {}
            Errno(number) if number == harmless => undone += 1,
            errno => {
                return Err(NetlinkError::Refused {
                    errno,
                    message: reply.message,
                });
            }
        }
    }
    Ok(count.saturating_sub(undone))
}
