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
#include "layout.h"
#include "maps.h"

enum verdict {
	UNTOUCHED,
	TRANSLATE,
	REFUSE,
};

enum { ATTEMPTS = 3 };

static __always_inline int is_member(const struct vip_key *vip, const struct endpoint *backend)
{
	struct member_key key = { .vip = *vip, .backend = *backend };

	return bpf_map_lookup_elem(&members, &key) != NULL;
}

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

/* The backend that the socket's datagrams went to before, while it is still one. */
static __always_inline int keeps_flow(const struct flow_key *flow, struct endpoint *backend)
{
	const struct endpoint *kept = bpf_map_lookup_elem(&flows, flow);

	if (!kept)
		return 0;
	*backend = *kept;
	return is_member(&flow->vip, backend);
}

/* A random slot's backend of the same family as the VIP. */
static __always_inline int picks_slot(const struct vip_key *vip, const struct slot_key *key,
				      struct endpoint *backend)
{
	const struct endpoint *slot = bpf_map_lookup_elem(&slots, key);

	if (!slot)
		return 0;
	*backend = *slot;
	return is_mapped(vip->address_be) == is_mapped(backend->address_be) &&
	       is_member(vip, backend);
}

static __always_inline enum verdict refuse_unknown(const struct vip_key *vip)
{
	if (!is_in_range(vip))
		return UNTOUCHED;
	count(REJECTED_NOT_A_VIP);
	return REFUSE;
}

/* `flow` is NULL where a socket has one destination only. */
static __always_inline enum verdict choose(const struct vip_key *vip, const struct flow_key *flow,
					   struct endpoint *backend, int *is_kept)
{
#pragma unroll
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		const struct vip *entry = bpf_map_lookup_elem(&vips, vip);

		if (!entry)
			return refuse_unknown(vip);
		if (attempt == 0 && flow && keeps_flow(flow, backend)) {
			*is_kept = 1;
			return TRANSLATE;
		}

		struct slot_key key = { .set = entry->set };
		__u32 slot_count = entry->slots;

		if (slot_count == 0)
			break;
		key.slot = bpf_get_prandom_u32() % slot_count;
		if (picks_slot(vip, &key, backend))
			return TRANSLATE;
		count(RETRIES);
	}
	count(REJECTED_NO_BACKEND);
	return REFUSE;
}

#endif
