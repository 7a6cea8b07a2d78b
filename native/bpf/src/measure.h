/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of each member: a measure is made by the first connection and deleted with the
 * member, by user space, in this order: member, measure. Whoever makes one therefore looks at the
 * member once more: it is still there, and user space will delete the measure after it; or it is
 * gone, and the measure with it. So nothing that ends late brings a removed backend back.
 */
#ifndef NAVSTAR_MEASURE_H
#define NAVSTAR_MEASURE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "layout.h"
#include "maps.h"

/* The cost of a backend halves in this time as long as nothing confirms it: about a second. */
enum { COST_HALF_LIFE_BITS = 30 };
/*
 * Added to each cost: between backends on one network the time to connect is mostly chance, and the
 * connections that are open tell more.
 */
#define COST_GROUND_NS 1000000ULL
/* What a failure costs, however fast it was: as much as a connection that took a second. */
#define FAILURE_COST_NS 1000000000ULL

static __always_inline void add(__u64 *number, __u64 amount)
{
	__sync_fetch_and_add(number, amount);
}

static __always_inline struct measure *make_measure(const struct member_key *member)
{
	__u32 index = 0;
	struct measure *blank = bpf_map_lookup_elem(&blanks, &index);

	if (!blank)
		return NULL;
	blank->made_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&measures, member, blank, BPF_NOEXIST);
	if (!bpf_map_lookup_elem(&members, member)) {
		bpf_map_delete_elem(&measures, member);
		return NULL;
	}
	return bpf_map_lookup_elem(&measures, member);
}

/* The measure of a member, made where there is none. NULL: it is none, or there is no room. */
static __always_inline struct measure *measure_of(const struct member_key *member)
{
	struct measure *measure = bpf_map_lookup_elem(&measures, member);

	return measure ? measure : make_measure(member);
}

/* A cost that halves with time, in a straight line between two halvings. */
static __always_inline __u64 decayed_cost(const struct measure *measure, __u64 now_ns)
{
	__u64 age_ns = now_ns - measure->cost_at_ns;
	__u64 cost_ns = measure->cost_ns;

	if (now_ns < measure->cost_at_ns)
		return cost_ns; /* another CPU has just written it */
	if (age_ns >> COST_HALF_LIFE_BITS >= 32)
		return 0;
	cost_ns >>= age_ns >> COST_HALF_LIFE_BITS;

	/* In 1/1024 of a half-life, so that the product fits. */
	__u64 part = (age_ns >> (COST_HALF_LIFE_BITS - 10)) & 1023;

	return cost_ns - ((cost_ns * part) >> 11);
}

/*
 * Peak EWMA: what is slower than the cost counts at once, what is faster moves it by a quarter of
 * the difference.
 */
static __always_inline void note_cost(struct measure *measure, __u64 sample_ns, __u64 now_ns)
{
	__u64 cost_ns = decayed_cost(measure, now_ns);

	if (sample_ns < cost_ns)
		sample_ns = cost_ns - ((cost_ns - sample_ns) >> 2);
	measure->cost_ns = sample_ns;
	measure->cost_at_ns = now_ns;
}

/* What the next connection would meet there: the lower the better. */
static __always_inline __u64 score_of(const struct measure *measure, __u64 now_ns)
{
	if (!measure)
		return COST_GROUND_NS; /* never tried */
	return (COST_GROUND_NS + decayed_cost(measure, now_ns)) * (measure->active + 1);
}

/* The index of the histogram: n for what took up to 2^n microseconds. */
static __always_inline __u32 bucket_of(__u64 duration_ns)
{
	__u64 above = (duration_ns + 999) / 1000;
	__u32 bucket = 0;

	if (above == 0)
		return 0;
	above -= 1;
#pragma unroll
	for (int bit = 4; bit >= 0; bit--) {
		__u32 width = 1U << bit;

		if (above >> width) {
			above >>= width;
			bucket += width;
		}
	}
	if (above)
		bucket += 1;
	return bucket < CONNECT_TIMES ? bucket : CONNECT_TIMES - 1;
}

/* One more flow of UDP, which nobody sees end. */
static __always_inline void count_flow(const struct member_key *member)
{
	struct measure *measure = measure_of(member);

	if (measure)
		add(&measure->connections, 1);
}

#endif
