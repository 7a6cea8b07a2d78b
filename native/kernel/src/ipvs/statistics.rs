//! Counters, rates, and the numbers that are not a service's.

/// Counters since the object was made, and rates. The kernel brings them up to date every two
/// seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets to the destination.
    pub incoming_packets: u64,
    /// Packets from the destination; only seen when masquerading.
    pub outgoing_packets: u64,
    /// Bytes to the destination.
    pub incoming_bytes: u64,
    /// Bytes from the destination.
    pub outgoing_bytes: u64,
    /// Connections a second.
    pub connection_rate: u64,
    /// Packets a second.
    pub incoming_packet_rate: u64,
    /// Packets a second.
    pub outgoing_packet_rate: u64,
    /// Bytes a second.
    pub incoming_byte_rate: u64,
    /// Bytes a second.
    pub outgoing_byte_rate: u64,
}

impl Statistics {
    /// How many numbers these are.
    pub const COUNT: usize = 10;

    /// In the order of `IPVS_STATS_ATTR_…`.
    #[must_use]
    pub const fn numbers(&self) -> [u64; Self::COUNT] {
        [
            self.connections,
            self.incoming_packets,
            self.outgoing_packets,
            self.incoming_bytes,
            self.outgoing_bytes,
            self.connection_rate,
            self.incoming_packet_rate,
            self.outgoing_packet_rate,
            self.incoming_byte_rate,
            self.outgoing_byte_rate,
        ]
    }

    /// The reverse of [`Statistics::numbers`].
    #[must_use]
    pub const fn from_numbers(numbers: [u64; Self::COUNT]) -> Self {
        let [
            connections,
            incoming_packets,
            outgoing_packets,
            incoming_bytes,
            outgoing_bytes,
            connection_rate,
            incoming_packet_rate,
            outgoing_packet_rate,
            incoming_byte_rate,
            outgoing_byte_rate,
        ] = numbers;
        Self {
            connections,
            incoming_packets,
            outgoing_packets,
            incoming_bytes,
            outgoing_bytes,
            connection_rate,
            incoming_packet_rate,
            outgoing_packet_rate,
            incoming_byte_rate,
            outgoing_byte_rate,
        }
    }
}

/// How long idle connections are kept, of all services of the namespace. In a change, 0 keeps what
/// there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// Established TCP connections.
    pub tcp_seconds: u32,
    /// TCP connections after a FIN.
    pub tcp_fin_seconds: u32,
    /// UDP.
    pub udp_seconds: u32,
}

/// What the kernel says of its IPVS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Information {
    /// `(major, minor, patch)`, e.g. `(1, 2, 1)`.
    pub version: (u8, u8, u8),
    /// Buckets of the connection table.
    pub connection_table_size: u32,
}
