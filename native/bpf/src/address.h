/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses between the context of a program and the maps. */
#ifndef NAVSTAR_ADDRESS_H
#define NAVSTAR_ADDRESS_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "layout.h"

/* The third word of ::ffff:a.b.c.d. */
#define MAPPED_BE bpf_htonl(0x0000ffff)

static __always_inline int is_mapped(const __u32 *address_be)
{
	return address_be[0] == 0 && address_be[1] == 0 && address_be[2] == MAPPED_BE;
}

/*
 * Whether both are IPv4, or both IPv6. In one comparison: branches for each word would multiply what
 * the verifier has to follow.
 */
static __always_inline int is_same_family(const __u32 *one_be, const __u32 *other_be)
{
	__u32 one = one_be[0] | one_be[1] | (one_be[2] ^ MAPPED_BE);
	__u32 other = other_be[0] | other_be[1] | (other_be[2] ^ MAPPED_BE);

	/* The highest bit of n | -n is set unless n is 0. */
	return (((one | -one) ^ (other | -other)) >> 31) == 0;
}

static __always_inline struct endpoint destination4(const struct bpf_sock_addr *context)
{
	struct endpoint endpoint = {
		.address_be = { 0, 0, MAPPED_BE, context->user_ip4 },
		.port_be = (__u16)context->user_port,
	};

	return endpoint;
}

static __always_inline struct endpoint destination6(const struct bpf_sock_addr *context)
{
	struct endpoint endpoint = {
		.address_be = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2],
				context->user_ip6[3] },
		.port_be = (__u16)context->user_port,
	};

	return endpoint;
}

static __always_inline void set_destination4(struct bpf_sock_addr *context,
					     const struct endpoint *endpoint)
{
	context->user_ip4 = endpoint->address_be[3];
	context->user_port = endpoint->port_be;
}

static __always_inline void set_destination6(struct bpf_sock_addr *context,
					     const struct endpoint *endpoint)
{
	context->user_ip6[0] = endpoint->address_be[0];
	context->user_ip6[1] = endpoint->address_be[1];
	context->user_ip6[2] = endpoint->address_be[2];
	context->user_ip6[3] = endpoint->address_be[3];
	context->user_port = endpoint->port_be;
}

#endif
