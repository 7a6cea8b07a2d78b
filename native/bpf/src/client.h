/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who connects. A socket has no source address yet when it connects, so its network namespace
 * stands for the client: a container, or all that runs on the host itself.
 */
#ifndef NAVSTAR_CLIENT_H
#define NAVSTAR_CLIENT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "address.h"

enum client_by {
	BY_NOTHING = 0,
	BY_NAMESPACE = 1,
	BY_CGROUP = 2,
};

/*
 * What this kernel can tell. Frozen before the programs are verified, so that a call that it does
 * not know is dropped unseen.
 */
const volatile __u32 client_by = BY_NOTHING;

static __always_inline __u64 client_of(struct bpf_sock_addr *context)
{
	if (client_by == BY_NAMESPACE)
		return bpf_get_netns_cookie(context);
	if (client_by == BY_CGROUP)
		return bpf_get_current_cgroup_id();
	return 0;
}

/* Spreads all bits over all bits (the finalizer of MurmurHash3). */
static __always_inline __u32 mixed(__u64 number)
{
	number ^= number >> 33;
	number *= 0xff51afd7ed558ccdULL;
	number ^= number >> 33;
	number *= 0xc4ceb9fe1a85ec53ULL;
	number ^= number >> 33;
	return (__u32)number;
}

/* Of the address that the socket is bound to, or of its client where it is bound to none. */
static __always_inline __u32 hash_of_source(struct bpf_sock_addr *context)
{
	/* Volatile: the verifier allows no pointer into it that two branches share. */
	const volatile struct bpf_sock *socket = context->sk;
	__u64 source = 0;

	if (socket && context->family == 2)
		source = socket->src_ip4;
	else if (socket)
		source = ((__u64)(socket->src_ip6[0] ^ socket->src_ip6[2]) << 32) |
			 (socket->src_ip6[1] ^ socket->src_ip6[3]);
	return mixed(source ? source : client_of(context));
}

#endif
