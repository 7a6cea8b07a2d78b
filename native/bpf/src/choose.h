/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which backend serves a destination.
 *
 * User space replaces a set of slots so: write the new backends to `members`, the slots under a new
 * set number, swap the entry in `vips`, then delete the old slots and the removed backends. Whoever
 * is between two of those steps finds no slot, or one that is no member any more, and starts again
 * with the current entry.
 */
#ifndef NAVSTAR_CHOOSE_H
#define NAVSTAR_CHOOSE_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "client.h"
#include "layout.h"
#include "maps.h"
#include "pick.h"

enum verdict {
	UNTOUCHED,
	TRANSLATE,
	REFUSE,
};

enum { ATTEMPTS = 3 };

#define NS_PER_SECOND 1000000000ULL

static __always_inline int is_in_range(const struct vip_key *vip)
{
	for (__u32 index = 0; index < RANGE_COUNT; index++) {
		__u32 key = index;
		const struct range *range = bpf_map_lookup_elem(&ranges, &key);

		if (range && range->in_use &&
		    (vip->address_be[0] & range->mask_be[0]) == range->base_be[0] &&
		    (vip->address_be[1] & range->mask_be[1]) == range->base_be[1] &&
		    (vip->address_be[2] & range->mask_be[2]) == range->base_be[2] &&
		    (vip->address_be[3] & range->mask_be[3]) == range->base_be[3])
			return 1;
	}
	return 0;
}

static __always_inline enum verdict refuse_unknown(const struct vip_key *vip)
{
	if (!is_in_range(vip))
		return UNTOUCHED;
	count(REJECTED_NOT_A_VIP);
	return REFUSE;
}

/* The backend that the socket's datagrams went to before, while it is still one. */
static __always_inline int keeps_flow(const struct flow_key *flow, struct member_key *chosen)
{
	const struct endpoint *kept = bpf_map_lookup_elem(&flows, flow);

	if (!kept)
		return 0;
	chosen->backend = *kept;
	return bpf_map_lookup_elem(&members, chosen) != NULL;
}

/* The backend that the client had last, unless that was long ago, or it drains or is full. */
static __always_inline int keeps_affinity(const struct affinity_key *key, const struct vip *vip,
					  struct member_key *chosen)
{
	struct affinity *kept = bpf_map_lookup_elem(&affinities, key);
	__u64 now_ns = bpf_ktime_get_ns();

	if (!kept || now_ns - kept->seen_ns > vip->affinity_seconds * NS_PER_SECOND)
		return 0;
	chosen->backend = kept->backend;

	const struct member *member = bpf_map_lookup_elem(&members, chosen);

	if (!member || member->weight == 0)
		return 0;
	if (vip->connection_limit && is_full(chosen, vip->connection_limit))
		return 0;
	kept->seen_ns = now_ns;
	return 1;
}

static __always_inline void remember_affinity(const struct affinity_key *key,
					      const struct member_key *chosen)
{
	struct affinity affinity = { .backend = chosen->backend, .seen_ns = bpf_ktime_get_ns() };

	bpf_map_update_elem(&affinities, key, &affinity, BPF_ANY);
}

/* What a choice starts from, and with. */
struct choice {
	/* A copy: the entry may be replaced, and even be another's, while it is read. */
	struct vip vip;
	struct affinity_key affinity;
	/* The VIP's key, and the backend once it is chosen. */
	struct member_key *chosen;
};

static __always_inline int has_affinity(const struct vip *vip)
{
	return vip->affinity_seconds != 0 && client_by != BY_NOTHING;
}

/* By affinity, or by the VIP's algorithm. `flow` is NULL where a socket has one destination only. */
static __always_inline enum pick pick(struct bpf_sock_addr *context, struct choice *choice,
				      int *is_settled)
{
	if (has_affinity(&choice->vip)) {
		choice->affinity.client = client_of(context);
		choice->affinity.vip = choice->chosen->vip;
		if (keeps_affinity(&choice->affinity, &choice->vip, choice->chosen)) {
			*is_settled = 1;
			return PICKED;
		}
	}
	return pick_backend(context, &choice->vip, choice->chosen);
}

/*
 * `chosen` holds the VIP's key; its backend is filled in. `flow` is NULL where a socket has one
 * destination only.
 */
static __always_inline enum verdict choose(struct bpf_sock_addr *context,
					   const struct flow_key *flow, struct member_key *chosen,
					   int *is_kept)
{
	struct choice choice = { .chosen = chosen };
	enum pick outcome = OUTDATED;
	int is_settled = 0;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		const struct vip *entry = bpf_map_lookup_elem(&vips, &chosen->vip);

		if (!entry)
			return refuse_unknown(&chosen->vip);
		if (attempt == 0 && flow && keeps_flow(flow, chosen)) {
			*is_kept = 1;
			return TRANSLATE;
		}
		choice.vip = *entry;
		if (choice.vip.slots == 0 || choice.vip.heads == 0)
			break;
		outcome = pick(context, &choice, &is_settled);
		if (outcome != OUTDATED)
			break;
		count(RETRIES);
	}
	if (outcome == FULL && picks_with_room(&choice.vip, chosen))
		outcome = PICKED;
	if (outcome != PICKED) {
		count(outcome == FULL ? REJECTED_FULL : REJECTED_NO_BACKEND);
		return REFUSE;
	}
	if (has_affinity(&choice.vip) && !is_settled)
		remember_affinity(&choice.affinity, chosen);
	return TRANSLATE;
}

#endif
