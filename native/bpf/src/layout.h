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

/* Which set of slots serves the VIP. No slots: it refuses at once. */
struct vip {
	__u32 set;   /*  0: a number that was not used before, so that a swap is atomic */
	__u32 slots; /*  4 */
	__u32 flags; /*  8: none yet */
	__u32 pad;   /* 12 */
};
_Static_assert(sizeof(struct vip) == 16, "vips: value");

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
	COUNTER_COUNT = 4,
};

#endif
