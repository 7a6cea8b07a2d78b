/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a TCP connection through a VIP, as the kernel tells it to the program on the group:
 * SYN, established or not, retransmitted, closed.
 *
 * It is counted from the SYN on, not from connect(): what fails in between, for want of a route or
 * a port, is never heard of again.
 *
 * Source: include/uapi/linux/bpf.h (struct bpf_sock_ops), net/ipv4/tcp.c (tcp_set_state)
 */
#ifndef NAVSTAR_CONNECTION_H
#define NAVSTAR_CONNECTION_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "layout.h"
#include "maps.h"
#include "measure.h"

enum { ADDRESS_FAMILY_IPV4 = 2, ADDRESS_FAMILY_IPV6 = 10 };

enum { WATCHED = BPF_SOCK_OPS_STATE_CB_FLAG | BPF_SOCK_OPS_RETRANS_CB_FLAG };

static __always_inline struct endpoint remote_of(const struct bpf_sock_ops *context)
{
	/* Read before the branch: the verifier allows no pointer into the context that two share. */
	__u32 address4_be = context->remote_ip4;
	struct endpoint remote = {
		.address_be = { context->remote_ip6[0], context->remote_ip6[1],
				context->remote_ip6[2], context->remote_ip6[3] },
		/* The upper half holds it on a little-endian machine, the lower one on others. */
		.port_be = bpf_htons((__u16)bpf_ntohl(context->remote_port)),
	};

	if (context->family == ADDRESS_FAMILY_IPV4) {
		remote.address_be[0] = 0;
		remote.address_be[1] = 0;
		remote.address_be[2] = MAPPED_BE;
		remote.address_be[3] = address4_be;
	}
	return remote;
}

/* A SYN is about to leave. */
static __always_inline void begin_connection(struct bpf_sock_ops *context)
{
	__u64 cookie = bpf_get_socket_cookie(context);
	struct origin_key key = { .cookie = cookie, .backend = remote_of(context) };
	const struct endpoint *origin = bpf_map_lookup_elem(&origins, &key);

	if (!origin)
		return; /* not through a VIP */

	struct connection connection = {
		.member = {
			.vip = {
				.address_be = { origin->address_be[0], origin->address_be[1],
						origin->address_be[2], origin->address_be[3] },
				.port_be = origin->port_be,
				.protocol = IPPROTO_TCP,
			},
			.backend = key.backend,
		},
		.began_ns = bpf_ktime_get_ns(),
	};
	struct measure *measure = measure_of(&connection.member);

	if (!measure)
		return;
	add(&measure->connections, 1);
	connection.made_ns = measure->made_ns;
	if (bpf_map_update_elem(&connections, &cookie, &connection, BPF_NOEXIST))
		return; /* there is no room to watch it */
	if (bpf_sock_ops_cb_flags_set(context, context->bpf_sock_ops_cb_flags | WATCHED)) {
		bpf_map_delete_elem(&connections, &cookie);
		return;
	}
	add(&measure->active, 1);
	add(&measure->pending, 1);
}

/* Its measure, if that is still the one that counted it. */
static __always_inline struct measure *counted_by(const struct connection *connection)
{
	struct measure *measure = bpf_map_lookup_elem(&measures, &connection->member);

	return measure && measure->made_ns == connection->made_ns ? measure : NULL;
}

static __always_inline void note_established(const struct connection *connection)
{
	struct measure *measure = counted_by(connection);
	__u64 now_ns = bpf_ktime_get_ns();
	__u64 duration_ns = now_ns - connection->began_ns;
	__u32 bucket = bucket_of(duration_ns);

	if (!measure)
		return;
	add(&measure->pending, -1);
	note_cost(measure, duration_ns, now_ns);
	if (bucket < CONNECT_TIMES)
		add(&measure->connect_times[bucket], 1);
}

/*
 * The kernel's counts of bytes are those of sequence numbers: SYN and FIN have one each. Whether
 * the other side's FIN came is not told in every state, so what came may be one too many.
 */
static __always_inline void note_bytes(struct measure *measure, struct bpf_sock_ops *context)
{
	__u32 old = context->args[0];
	__u64 sent = context->bytes_acked;
	__u64 received = context->bytes_received;
	__u64 ends = 1;

	if (old == BPF_TCP_FIN_WAIT2 || old == BPF_TCP_LAST_ACK || old == BPF_TCP_CLOSING)
		ends = 2;
	if (sent > ends)
		add(&measure->bytes_to_backend, sent - ends);
	ends = old == BPF_TCP_CLOSE_WAIT || old == BPF_TCP_LAST_ACK || old == BPF_TCP_CLOSING;
	if (received > ends)
		add(&measure->bytes_from_backend, received - ends);
}

static __always_inline void note_failure(struct measure *measure, __u64 began_ns)
{
	__u64 now_ns = bpf_ktime_get_ns();
	__u64 duration_ns = now_ns - began_ns;

	add(&measure->pending, -1);
	add(&measure->failures, 1);
	note_cost(measure, duration_ns > FAILURE_COST_NS ? duration_ns : FAILURE_COST_NS, now_ns);
}

static __always_inline void end_connection(struct bpf_sock_ops *context, __u64 cookie,
					   const struct connection *connection)
{
	struct measure *measure = counted_by(connection);
	struct origin_key origin = { .cookie = cookie, .backend = connection->member.backend };

	if (measure) {
		add(&measure->active, -1);
		if (context->args[0] == BPF_TCP_SYN_SENT)
			note_failure(measure, connection->began_ns);
		else
			note_bytes(measure, context);
	}
	bpf_map_delete_elem(&origins, &origin);
	bpf_map_delete_elem(&connections, &cookie);
}

static __always_inline void note_state(struct bpf_sock_ops *context)
{
	__u32 state = context->args[1];

	if (state != BPF_TCP_ESTABLISHED && state != BPF_TCP_CLOSE)
		return;

	__u64 cookie = bpf_get_socket_cookie(context);
	const struct connection *connection = bpf_map_lookup_elem(&connections, &cookie);

	if (!connection)
		return;
	if (state == BPF_TCP_CLOSE)
		end_connection(context, cookie, connection);
	else
		note_established(connection);
}

static __always_inline void note_retransmit(struct bpf_sock_ops *context)
{
	__u64 cookie = bpf_get_socket_cookie(context);
	const struct connection *connection = bpf_map_lookup_elem(&connections, &cookie);
	struct measure *measure = connection ? counted_by(connection) : NULL;

	if (measure)
		add(&measure->retransmits, context->args[1]);
}

#endif
