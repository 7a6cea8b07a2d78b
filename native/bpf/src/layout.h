/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that user space and these programs agree on.
 *
 * Every address is 16 bytes in network order, IPv4 as ::ffff:a.b.c.d, so that one map serves both
 * families and a v4-mapped socket needs no case of its own. Every port is big-endian. All padding
 * is named and must be zero: a hash key is compared with it.
 */
#ifndef NAVSTAR_LAYOUT_H
#define NAVSTAR_LAYOUT_H

#include <linux/types.h>

struct vip_key {
	__u32 address_be[4]; /*  0 */
	__u16 port_be;	     /* 16 */
	__u8 protocol;	     /* 18: IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad;	     /* 19 */
};
_Static_assert(sizeof(struct vip_key) == 20, "vips: key");

/* How the backend of a new connection is chosen. */
enum algorithm {
	RANDOM = 0,
	ROUND_ROBIN = 1,
	LEAST_CONNECTIONS = 2,
	P2C_EWMA = 3,
	MAGLEV = 4, /* `slots` is a power of two, and the order of the slots the table */
};

/* Which set of slots serves the VIP, and how. No slots: it refuses at once. */
struct vip {
	__u32 set;		/*  0: a number that was not used before, so that a swap is atomic */
	__u32 slots;		/*  4: to choose from */
	__u32 algorithm;	/*  8: enum algorithm */
	__u32 first_head;	/* 12: from this slot on each backend once, */
	__u32 heads;		/* 16: so many of them */
	__u32 affinity_seconds; /* 20: a client keeps its backend so long; 0: it does not */
	__u32 connection_limit; /* 24: open connections of one backend; 0: no limit */
	__u32 drain;		/* 28: user space's own */
#ifdef OTHER_LAYOUT
	__u64 other; /* what tests take for another version */
};
#else
};
_Static_assert(sizeof(struct vip) == 32, "vips: value");
#endif

struct slot_key {
	__u32 set;  /*  0 */
	__u32 slot; /*  4 */
};
_Static_assert(sizeof(struct slot_key) == 8, "slots: key");

struct endpoint {
	__u32 address_be[4]; /*  0 */
	__u16 port_be;	     /* 16 */
	__u16 pad;	     /* 18 */
};
_Static_assert(sizeof(struct endpoint) == 20, "slots, flows and origins: value");

struct member_key {
	struct vip_key vip;	 /*  0 */
	struct endpoint backend; /* 20 */
};
_Static_assert(sizeof(struct member_key) == 40, "members: key");

struct member {
	__u32 weight; /*  0: none while the backend drains */
};
_Static_assert(sizeof(struct member) == 4, "members: value");

struct flow_key {
	__u64 cookie;	    /*  0: of the socket */
	struct vip_key vip; /*  8 */
	__u32 pad;	    /* 28 */
};
_Static_assert(sizeof(struct flow_key) == 32, "flows: key");

struct origin_key {
	__u64 cookie;		 /*  0: of the socket */
	struct endpoint backend; /*  8 */
	__u32 pad;		 /* 28 */
};
_Static_assert(sizeof(struct origin_key) == 32, "origins: key");

struct affinity_key {
	__u64 client;	    /*  0: cookie of its network namespace, or number of its cgroup */
	struct vip_key vip; /*  8 */
	__u32 pad;	    /* 28 */
};
_Static_assert(sizeof(struct affinity_key) == 32, "affinities: key");

struct affinity {
	struct endpoint backend; /*  0 */
	__u32 pad;		 /* 20 */
	__u64 seen_ns;		 /* 24: when the client was heard of last */
};
_Static_assert(sizeof(struct affinity) == 32, "affinities: value");

/* Connections that took more than 2^(n-1) and up to 2^n microseconds; the last one holds the rest. */
enum { CONNECT_TIMES = 28 };

/* What was counted of a member. Made by the first connection, deleted with the member. */
struct measure {
	__u64 made_ns;			   /*  0: tells it from one before of the same member */
	__u64 connections;		   /*  8: connections, or flows of UDP */
	__u64 active;			   /* 16: open connections, pending ones included */
	__u64 failures;			   /* 24: never established */
	__u64 retransmits;		   /* 32: segments */
	__u64 bytes_to_backend;		   /* 40: of connections that ended */
	__u64 bytes_from_backend;	   /* 48 */
	__u64 cost_ns;			   /* 56: peak EWMA of the connect time, as it was ... */
	__u64 cost_at_ns;		   /* 64: ... at this time */
	__u64 pending;			   /* 72: connections that wait to be established */
	__u64 connect_times[CONNECT_TIMES]; /* 80 */
};
_Static_assert(sizeof(struct measure) == 304, "measures: value");

/* An open TCP connection through a VIP; the key is the socket's cookie. */
struct connection {
	struct member_key member; /*  0 */
	__u64 began_ns;		  /* 40: the SYN */
	__u64 made_ns;		  /* 48: of the measure that counts it as active */
};
_Static_assert(sizeof(struct connection) == 56, "connections: value");

/* Addresses that can only be VIPs: any other destination in there is refused. */
struct range {
	__u32 base_be[4]; /*  0 */
	__u32 mask_be[4]; /* 16 */
	__u32 in_use;	  /* 32 */
	__u32 pad;	  /* 36 */
};
_Static_assert(sizeof(struct range) == 40, "ranges: value");

enum { RANGE_COUNT = 8 };

/* Index into stats; the value is one __u64 for each possible CPU. */
enum counter {
	TRANSLATED = 0,
	REJECTED_NO_BACKEND = 1,
	REJECTED_NOT_A_VIP = 2,
	RETRIES = 3,
	REJECTED_FULL = 4, /* every backend has as many connections as it may */
	COUNTER_COUNT = 5,
};

#endif
