//! The loop of a watch: wait, drain, merge, hand out.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::event::{Event, Kind, Transaction, merge, route_event};
use super::{Delivery, Options};
use crate::netlink::{NetlinkError, NetlinkSocket};
use crate::sys;

/// Datagrams read from one socket before events are handed out.
const DATAGRAMS_PER_TURN: usize = 256;
/// How often a full receiver is tried again.
const RETRY: Duration = Duration::from_millis(20);

pub(super) struct Listener {
    route: Option<NetlinkSocket>,
    netfilter: Option<NetlinkSocket>,
    options: Options,
    transaction: Transaction,
    /// Kinds of which events were lost and the receiver does not know yet.
    lost: Vec<Kind>,
}

impl Listener {
    pub(super) fn new(
        route: Option<NetlinkSocket>,
        netfilter: Option<NetlinkSocket>,
        options: Options,
    ) -> Self {
        Self {
            route,
            netfilter,
            options,
            transaction: Transaction::default(),
            lost: Vec::new(),
        }
    }

    /// Returns when `stop` is signalled, the receiver is gone or waiting fails.
    pub(super) fn listen(&mut self, stop: BorrowedFd<'_>, sink: &mut dyn FnMut(Event) -> Delivery) {
        while self.wait(stop) {
            let mut events = Vec::new();
            self.hear_route(&mut events);
            self.hear_netfilter(&mut events);
            if !self.hand_out(events, sink) {
                return;
            }
        }
    }

    fn wait(&self, stop: BorrowedFd<'_>) -> bool {
        let sockets = [&self.route, &self.netfilter];
        let mut fds = vec![stop];
        fds.extend(sockets.into_iter().flatten().map(AsFd::as_fd));
        let timeout = (!self.lost.is_empty()).then_some(RETRY);
        match sys::poll_readable(&fds, timeout) {
            Ok(readable) => readable.first() == Some(&false),
            Err(_) => false,
        }
    }

    fn hear_route(&mut self, events: &mut Vec<Event>) {
        let Some(socket) = &mut self.route else {
            return;
        };
        for _ in 0..DATAGRAMS_PER_TURN {
            let received = match socket.receive_notifications() {
                Ok(messages) if messages.is_empty() => return,
                outcome => outcome,
            };
            let heard = received.map_err(drop).and_then(|messages| {
                messages
                    .iter()
                    .map(|message| route_event(message).map_err(drop))
                    .collect()
            });
            let heard: Result<Vec<Option<Event>>, ()> = heard;
            match heard {
                Ok(heard) => heard
                    .into_iter()
                    .flatten()
                    .for_each(|event| merge(events, event)),
                // Lost or unreadable: something changed, and only reading again tells what.
                Err(()) => note_lost(&mut self.lost, &route_kinds(&self.options)),
            }
        }
    }

    fn hear_netfilter(&mut self, events: &mut Vec<Event>) {
        let Some(socket) = &mut self.netfilter else {
            return;
        };
        for _ in 0..DATAGRAMS_PER_TURN {
            match socket.receive_notifications() {
                Ok(messages) if messages.is_empty() => return,
                Ok(messages) => {
                    for message in &messages {
                        let ended = self.transaction.take(message, &self.options.nft_tables);
                        for event in ended {
                            merge(events, event);
                        }
                    }
                }
                Err(error) => {
                    debug_assert!(!matches!(error, NetlinkError::TimedOut));
                    self.transaction = Transaction::default();
                    note_lost(&mut self.lost, &[Kind::Nftables]);
                }
            }
        }
    }

    /// False when the receiver is gone.
    fn hand_out(&mut self, events: Vec<Event>, sink: &mut dyn FnMut(Event) -> Delivery) -> bool {
        let mut still_lost = Vec::new();
        for kind in std::mem::take(&mut self.lost) {
            match sink(Event::overflow(kind)) {
                Delivery::Taken => {}
                Delivery::Full => still_lost.push(kind),
                Delivery::Gone => return false,
            }
        }
        self.lost = still_lost;
        for event in events {
            let kind = event.kind;
            if self.lost.contains(&kind) {
                // Covered by the overflow that is still to be told.
                continue;
            }
            match sink(event) {
                Delivery::Taken => {}
                Delivery::Full => self.lost.push(kind),
                Delivery::Gone => return false,
            }
        }
        true
    }
}

fn route_kinds(options: &Options) -> Vec<Kind> {
    let kinds = [
        (options.links, Kind::Link),
        (options.addresses, Kind::Address),
        (options.routes, Kind::Route),
    ];
    kinds
        .into_iter()
        .filter(|(is_watched, _)| *is_watched)
        .map(|(_, kind)| kind)
        .collect()
}

fn note_lost(lost: &mut Vec<Kind>, kinds: &[Kind]) {
    for kind in kinds {
        if !lost.contains(kind) {
            lost.push(*kind);
        }
    }
}
