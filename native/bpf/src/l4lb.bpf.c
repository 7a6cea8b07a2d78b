/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual IPs at the socket: the destination is exchanged when a socket connects or sends, and
 * shown as the VIP again where the socket asks. No packet is ever touched, so there is no SNAT, no
 * conntrack entry and no cost after connect. What becomes of a TCP connection is counted.
 *
 * Only the kernel's uapi headers are used, no kernel BTF and no relocation against it: one object
 * loads from 5.10 to 6.18.
 *
 * Source: include/uapi/linux/bpf.h (struct bpf_sock_addr), net/ipv4/udp.c (udp_sendmsg)
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "choose.h"
#include "connection.h"
#include "layout.h"
#include "maps.h"
#include "measure.h"

/*
 * 1 where the kernel has bpf_set_retval for these programs (6.1). The constant is frozen before
 * the programs are verified, so where it is 0 the verifier drops the call unseen.
 */
const volatile __u32 has_set_retval = 0;

enum { REJECT = 0, PROCEED = 1 };

static __always_inline int is_balanced(const struct bpf_sock_addr *context)
{
	return context->protocol == IPPROTO_TCP || context->protocol == IPPROTO_UDP;
}

static __always_inline struct vip_key vip_of(const struct bpf_sock_addr *context,
					     const struct endpoint *destination)
{
	struct vip_key vip = {
		.address_be = { destination->address_be[0], destination->address_be[1],
				destination->address_be[2], destination->address_be[3] },
		.port_be = destination->port_be,
		.protocol = (__u8)context->protocol,
	};

	return vip;
}

static __always_inline void remember_origin(__u64 cookie, const struct endpoint *backend,
					    const struct endpoint *vip, int is_kept)
{
	struct origin_key key = { .cookie = cookie, .backend = *backend };

	/* The lookup also tells the LRU that the entry is in use. */
	if (is_kept && bpf_map_lookup_elem(&origins, &key))
		return;
	bpf_map_update_elem(&origins, &key, vip, BPF_ANY);
}

/* Exchanges `destination` for a backend. */
static __always_inline enum verdict connect_to_backend(struct bpf_sock_addr *context,
						       struct endpoint *destination)
{
	struct member_key chosen = { .vip = vip_of(context, destination) };
	int is_kept = 0;
	enum verdict verdict = choose(context, NULL, &chosen, &is_kept);

	if (verdict != TRANSLATE)
		return verdict;
	remember_origin(bpf_get_socket_cookie(context), &chosen.backend, destination, is_kept);
	count(TRANSLATED);
	if (chosen.vip.protocol == IPPROTO_UDP)
		count_flow(&chosen);
	*destination = chosen.backend;
	return TRANSLATE;
}

/* The same for one datagram: a socket keeps its backend for a VIP. */
static __always_inline enum verdict send_to_backend(struct bpf_sock_addr *context,
						    struct endpoint *destination)
{
	struct member_key chosen = { .vip = vip_of(context, destination) };
	struct flow_key flow = {
		.cookie = bpf_get_socket_cookie(context),
		.vip = chosen.vip,
	};
	int is_kept = 0;
	enum verdict verdict = choose(context, &flow, &chosen, &is_kept);

	if (verdict != TRANSLATE)
		return verdict;
	if (!is_kept) {
		bpf_map_update_elem(&flows, &flow, &chosen.backend, BPF_ANY);
		count_flow(&chosen);
	}
	remember_origin(flow.cookie, &chosen.backend, destination, is_kept);
	count(TRANSLATED);
	*destination = chosen.backend;
	return TRANSLATE;
}

/* The VIP that this socket means by the address that the kernel is about to show. */
static __always_inline int is_origin_known(struct bpf_sock_addr *context, struct endpoint *shown)
{
	struct origin_key key = { .cookie = bpf_get_socket_cookie(context), .backend = *shown };
	const struct endpoint *vip = bpf_map_lookup_elem(&origins, &key);

	if (!vip)
		return 0;
	*shown = *vip;
	return 1;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *context)
{
	if (!is_balanced(context))
		return PROCEED;

	struct endpoint destination = destination4(context);

	switch (connect_to_backend(context, &destination)) {
	case TRANSLATE:
		set_destination4(context, &destination);
		return PROCEED;
	case REFUSE:
		if (has_set_retval) {
			bpf_set_retval(-ECONNREFUSED);
			return REJECT;
		}
		/* Port 0 is closed everywhere, and loopback answers at once. */
		context->user_ip4 = bpf_htonl(0x7f000001);
		context->user_port = 0;
		return PROCEED;
	default:
		return PROCEED;
	}
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *context)
{
	if (!is_balanced(context))
		return PROCEED;

	struct endpoint destination = destination6(context);

	switch (connect_to_backend(context, &destination)) {
	case TRANSLATE:
		set_destination6(context, &destination);
		return PROCEED;
	case REFUSE:
		if (has_set_retval) {
			bpf_set_retval(-ECONNREFUSED);
			return REJECT;
		}
		/* The loopback of the same family: a v4-mapped socket may know no IPv6. */
		if (is_mapped(destination.address_be)) {
			/* The kernel asks for a port each time such a socket sends (EINVAL). */
			if (context->protocol == IPPROTO_UDP)
				return REJECT;
			destination.address_be[3] = bpf_htonl(0x7f000001);
		} else {
			destination.address_be[0] = 0;
			destination.address_be[1] = 0;
			destination.address_be[2] = 0;
			destination.address_be[3] = bpf_htonl(1);
		}
		destination.port_be = 0;
		set_destination6(context, &destination);
		return PROCEED;
	default:
		return PROCEED;
	}
}

/*
 * A datagram cannot be sent to port 0 (EINVAL), and an unconnected socket is never told that a
 * port is closed. Where the kernel has no bpf_set_retval the sender gets EPERM instead.
 */
SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *context)
{
	if (!is_balanced(context))
		return PROCEED;

	struct endpoint destination = destination4(context);

	switch (send_to_backend(context, &destination)) {
	case TRANSLATE:
		set_destination4(context, &destination);
		return PROCEED;
	case REFUSE:
		if (has_set_retval)
			bpf_set_retval(-ECONNREFUSED);
		return REJECT;
	default:
		return PROCEED;
	}
}

/* Never sees a v4-mapped destination: the kernel calls sendmsg4 for those. */
SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *context)
{
	if (!is_balanced(context))
		return PROCEED;

	struct endpoint destination = destination6(context);

	switch (send_to_backend(context, &destination)) {
	case TRANSLATE:
		set_destination6(context, &destination);
		return PROCEED;
	case REFUSE:
		if (has_set_retval)
			bpf_set_retval(-ECONNREFUSED);
		return REJECT;
	default:
		return PROCEED;
	}
}

static __always_inline int show_origin4(struct bpf_sock_addr *context)
{
	struct endpoint shown = destination4(context);

	if (is_balanced(context) && is_origin_known(context, &shown))
		set_destination4(context, &shown);
	return PROCEED;
}

static __always_inline int show_origin6(struct bpf_sock_addr *context)
{
	struct endpoint shown = destination6(context);

	if (is_balanced(context) && is_origin_known(context, &shown))
		set_destination6(context, &shown);
	return PROCEED;
}

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *context)
{
	return show_origin4(context);
}

SEC("cgroup/recvmsg6")
int recvmsg6(struct bpf_sock_addr *context)
{
	return show_origin6(context);
}

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *context)
{
	return show_origin4(context);
}

SEC("cgroup/getpeername6")
int getpeername6(struct bpf_sock_addr *context)
{
	return show_origin6(context);
}

/* On the same group: counts what becomes of the connections. */
SEC("sockops")
int sock_ops(struct bpf_sock_ops *context)
{
	switch (context->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		begin_connection(context);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		note_state(context);
		break;
	case BPF_SOCK_OPS_RETRANS_CB:
		note_retransmit(context);
		break;
	}
	return 1;
}

/* No helper used here asks for the GPL. */
char terms[] SEC("license") = "Apache-2.0";
