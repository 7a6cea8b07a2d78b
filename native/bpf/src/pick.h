/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slot of a set: the algorithms of a VIP.
 *
 * Slots hold each backend as often as its weight says. The heads are slots that hold each backend
 * once; user space puts them first, or, for maglev, after the table.
 */
#ifndef NAVSTAR_PICK_H
#define NAVSTAR_PICK_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "address.h"
#include "client.h"
#include "layout.h"
#include "maps.h"
#include "measure.h"

enum pick {
	PICKED,
	/* A slot is gone or no member: the set has been replaced. */
	OUTDATED,
	/* The backend has as many connections as it may. */
	FULL,
};

/* Backends of which least-conn looks at each, and draws where there are more. */
enum { LEAST_OF = 8 };
/* Backends among which one that is not full is looked for. */
enum { SCANNED_HEADS = 64 };

/* Fills in the backend of a slot, which must be a member, of the same family as the VIP. */
static __always_inline const struct member *read_slot(const struct slot_key *key,
						      struct member_key *candidate)
{
	const struct endpoint *slot = bpf_map_lookup_elem(&slots, key);

	if (!slot)
		return NULL;
	candidate->backend = *slot;
	if (!is_same_family(candidate->vip.address_be, candidate->backend.address_be))
		return NULL;
	return bpf_map_lookup_elem(&members, candidate);
}

/*
 * The next turn. Kernels before 5.12 cannot add and read in one, so two connections at the same
 * moment may get the same turn.
 */
static __always_inline __u32 next_turn(const struct vip_key *vip)
{
	__u64 *cursor = bpf_map_lookup_elem(&cursors, vip);

	if (!cursor) {
		__u64 first = 0;

		bpf_map_update_elem(&cursors, vip, &first, BPF_NOEXIST);
		/* As with measures: user space deletes the VIP before its cursor. */
		if (!bpf_map_lookup_elem(&vips, vip)) {
			bpf_map_delete_elem(&cursors, vip);
			return 0;
		}
		cursor = bpf_map_lookup_elem(&cursors, vip);
		if (!cursor)
			return 0;
	}

	__u32 turn = (__u32) * (volatile __u64 *)cursor;

	add(cursor, 1);
	return turn;
}

static __always_inline enum pick pick_one(const struct slot_key *key, struct member_key *candidate)
{
	return read_slot(key, candidate) ? PICKED : OUTDATED;
}

/* The backend with the fewest open connections for its weight. */
static __always_inline enum pick pick_least(const struct vip *vip, struct member_key *candidate)
{
	struct slot_key key = { .set = vip->set };
	__u32 start = bpf_get_prandom_u32();
	int sees_all = vip->heads <= LEAST_OF;
	__u32 looked_at = sees_all ? vip->heads : LEAST_OF;
	__u32 begin = sees_all ? vip->first_head : 0;
	__u32 span = sees_all ? vip->heads : vip->slots;
	__u64 least = 0;
	__u32 least_weight = 0;
	struct endpoint best = {};

	for (__u32 index = 0; index < LEAST_OF; index++) {
		if (index >= looked_at)
			break;
		__u32 drawn = bpf_get_prandom_u32();

		/*
		 * The division once, behind the choice: with a division in each branch clang lays one of
		 * them before the loop's head, and the verifier of 6.1 takes the fall into the head for
		 * an endless loop ("back-edge").
		 */
		key.slot = begin + (sees_all ? start + index : drawn) % span;

		const struct member *member = read_slot(&key, candidate);

		if (!member)
			return OUTDATED;

		/* A drawn slot stands for its weight already. */
		__u32 weight = sees_all && member->weight ? member->weight : 1;
		const struct measure *measure = bpf_map_lookup_elem(&measures, candidate);
		__u64 connections = (measure ? measure->active : 0) + 1;

		if (!least_weight || connections * least_weight < least * weight) {
			least = connections;
			least_weight = weight;
			best = candidate->backend;
		}
	}
	if (!least_weight)
		return OUTDATED;
	candidate->backend = best;
	return PICKED;
}

/* Two slots by chance, never one twice, and the backend where less is to be waited for. */
static __always_inline enum pick pick_faster(const struct vip *vip, struct member_key *candidate)
{
	struct slot_key key = { .set = vip->set, .slot = bpf_get_prandom_u32() % vip->slots };
	__u64 now_ns = bpf_ktime_get_ns();

	if (!read_slot(&key, candidate))
		return OUTDATED;
	if (vip->slots == 1)
		return PICKED;

	struct endpoint first = candidate->backend;
	__u64 first_score = score_of(bpf_map_lookup_elem(&measures, candidate), now_ns);

	key.slot = (key.slot + 1 + bpf_get_prandom_u32() % (vip->slots - 1)) % vip->slots;
	if (!read_slot(&key, candidate))
		return OUTDATED;
	if (score_of(bpf_map_lookup_elem(&measures, candidate), now_ns) > first_score)
		candidate->backend = first;
	return PICKED;
}

static __always_inline enum pick pick_by_algorithm(struct bpf_sock_addr *context,
						   const struct vip *vip,
						   struct member_key *candidate)
{
	struct slot_key key = { .set = vip->set };

	switch (vip->algorithm) {
	case LEAST_CONNECTIONS:
		return pick_least(vip, candidate);
	case P2C_EWMA:
		return pick_faster(vip, candidate);
	case ROUND_ROBIN:
		key.slot = next_turn(&candidate->vip) % vip->slots;
		break;
	case MAGLEV:
		key.slot = hash_of_source(context) % vip->slots;
		break;
	default:
		key.slot = bpf_get_prandom_u32() % vip->slots;
	}
	return pick_one(&key, candidate);
}

static __always_inline int is_full(const struct member_key *member, __u32 limit)
{
	const struct measure *measure = bpf_map_lookup_elem(&measures, member);

	return measure && measure->active >= limit;
}

/* Whether any backend has room; fills it in. */
static __always_inline int picks_with_room(const struct vip *vip, struct member_key *candidate)
{
	struct slot_key key = { .set = vip->set };
	__u32 start = bpf_get_prandom_u32();

	for (__u32 index = 0; index < SCANNED_HEADS; index++) {
		if (index >= vip->heads)
			break;
		key.slot = vip->first_head + (start + index) % vip->heads;
		if (read_slot(&key, candidate) && !is_full(candidate, vip->connection_limit))
			return 1;
	}
	return 0;
}

/* `candidate` holds the VIP's key; its backend is filled in. */
static __always_inline enum pick pick_backend(struct bpf_sock_addr *context, const struct vip *vip,
					      struct member_key *candidate)
{
	enum pick outcome = pick_by_algorithm(context, vip, candidate);

	if (outcome == PICKED && vip->connection_limit &&
	    is_full(candidate, vip->connection_limit))
		return FULL;
	return outcome;
}

#endif
