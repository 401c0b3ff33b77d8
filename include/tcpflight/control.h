/*
 * What user space tells the BPF programs, what they count, and where they put records before the ring buffer gets them.
 * Never stored: this may change with every release.
 */
#ifndef TCPFLIGHT_CONTROL_H
#define TCPFLIGHT_CONTROL_H

#include "records.h"

/*
 * Records are collected in a stage, one a CPU, and go into the ring buffer many at a time: reserving and submitting
 * costs as much as all the rest of an event. User space maps the stages and reads what has not gone out yet, so nothing
 * waits for a stage to be full (docs/decisions/0006-stages.md).
 *
 * `flushed + offset in data` is a record's position in its CPU's stream. It tells what was read already, whether it
 * comes from the stage or from the ring.
 */
#define TF_STAGE_SIZE   1024
#define TF_STAGE_HEADER 64
#define TF_STAGE_DATA   (TF_STAGE_SIZE - TF_STAGE_HEADER - 8)

/* How deep events interrupt each other on a CPU: a softirq comes in a system call, and in a softirq nothing does. */
#define TF_NOTES 2

struct tf_stage {
	__u64 flushed; /* bytes of this stream that went into the ring; stored after `used` is set to 0 */
	__u32 used;    /* bytes of `data` that are complete */
	__u16 busy;    /* on_transition is writing into this stage */
	__u16 noted;   /* notes put down and not taken back, modulo 65536 */
	__u8 type;     /* TF_ITEM_BATCH; where a record in the ring has its header.type */
	__u8 unused;
	__u16 cpu;
	__u32 rescued; /* a counter: events that on_transition was not run for, and on_nested_transition took */
	/* The sockets of the events that on_transition has seen and on_nested_transition not yet. */
	__u64 notes[TF_NOTES];
	__u64 lost_since; /* when the first record since user space last took this away (set it to 0) was lost */
	/* Counters. Each only grows, and user space may read them at any time. */
	__u64 ring_full;    /* records that found no room */
	__u64 filtered_out; /* events of connections that the filter refused */
	__u8 data[TF_STAGE_DATA];
	__u64 lost_until; /* when the last record was lost */
};
TF_STATIC_ASSERT(sizeof(struct tf_stage) == TF_STAGE_SIZE, "whole stages to a page");
TF_STATIC_ASSERT(offsetof(struct tf_stage, data) == TF_STAGE_HEADER, "one cache line");
TF_STATIC_ASSERT(offsetof(struct tf_stage, type) == offsetof(struct tf_header, type), "tells batches from records");

/* What the ring holds: single records, and batches. Anything shorter than a header only wakes the reader. */
enum tf_item_type {
	TF_ITEM_BATCH = 255, /* a tf_stage, cut off after `used` bytes of data */
};

/* Which of the two ends a port list speaks of. */
enum tf_port_end { TF_PORT_EITHER = 0, TF_PORT_LOCAL = 1, TF_PORT_REMOTE = 2, TF_PORT_ENDS };

#define TF_PORT_WORDS (65536 / 64)
#define TF_MAX_PIDS   256

/* The kernel has 26 reasons to send a RST today (6.18). */
#define TF_RESET_KERNEL_REASONS 64

enum tf_family_bit {
	TF_FAMILY_IPV4 = 1 << 0, /* v4-mapped included: they are IPv4 on the wire */
	TF_FAMILY_IPV6 = 1 << 1,
};

/* A process that has a TCP socket open, as the iterator over open files tells it. */
struct tf_holder {
	__u64 cookie; /* of the socket */
	__u64 since;  /* CLOCK_BOOTTIME, nanoseconds: when the process began */
	__u32 pid;    /* thread group, in the initial pid namespace */
	__u32 tid;    /* the thread whose table of files it is: nearly always the first */
	__u32 fd;
	__u32 netns;
	char comm[16];
};

/* A thread and its network namespace. */
struct tf_inhabitant {
	__u32 tid; /* in the initial pid namespace */
	__u32 netns;
};

#endif
