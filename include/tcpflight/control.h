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
#define TF_STAGE_DATA   (TF_STAGE_SIZE - TF_STAGE_HEADER - 16)

/* How deep events interrupt each other on a CPU: a softirq comes in a system call, and in a softirq nothing does. */
#define TF_NOTES 2

struct tf_stage {
	__u64 flushed; /* bytes of this stream that went into the ring; stored after `used` is set to 0 */
	__u32 used;    /* bytes of `data` that are complete */
	__u16 busy;    /* on_transition is writing into this stage */
	__u16 noted;   /* notes put down and not taken back, modulo 65536 */
	__u8 type;     /* TF_ITEM_BATCH; where a record in the ring has its header.type */
	__u8 paired;   /* on_nested_transition has run on this CPU: notes are taken back */
	__u16 cpu;
	__u32 rescued; /* a counter: events that on_transition was not run for, and on_nested_transition took */
	/* The sockets of the events that on_transition has seen and on_nested_transition not yet. */
	__u64 notes[TF_NOTES];
	/* Counters. Each only grows, and user space may read them at any time. */
	__u64 ring_full;    /* records that found no room */
	__u64 filtered_out; /* events of connections that the filter refused; but those in `refused` */
	__u64 refused;      /* the same, counted by on_transition: by nobody else, and so without a lock */
	__u8 data[TF_STAGE_DATA];
	__u64 lost_since; /* when the first record since user space last took this away (set it to 0) was lost */
	__u64 lost_until; /* when the last record was lost */
};
TF_STATIC_ASSERT(sizeof(struct tf_stage) == TF_STAGE_SIZE, "whole stages to a page");
TF_STATIC_ASSERT(offsetof(struct tf_stage, data) == TF_STAGE_HEADER, "one cache line");
TF_STATIC_ASSERT(offsetof(struct tf_stage, type) == offsetof(struct tf_header, type), "tells batches from records");

/* What the ring holds: single records, and batches. Anything shorter than a header only wakes the reader. */
enum tf_item_type {
	TF_ITEM_BATCH = 255, /* a tf_stage, cut off after `used` bytes of data */
};

#define TF_MAX_PIDS 256

/* The kernel has 26 reasons to send a RST today (6.18). */
#define TF_RESET_KERNEL_REASONS 64

/*
 * The kernel's part of the filter: criteria in the order in which they are asked, each joined with the result so far
 * (bpf/filter_decide.bpf.h). Room for a list of TF_MAX_PIDS and more.
 */
#define TF_FILTER_OPS 320
/* Results that wait for others; expressions are less deep (max_expression_depth). */
#define TF_FILTER_DEPTH 64

enum tf_filter_code {
	TF_ASK_NET = 0,
	TF_ASK_PORT = 1,
	TF_ASK_FAMILY = 2,
	TF_ASK_PID = 3,
	TF_ASK_UID = 4,
	TF_ASK_NETNS = 5,
	TF_ASK_DIRECTION = 6,
	TF_ASK_RESULT = 7, /* nothing is asked: the last result is joined with the one before it */
};

enum tf_filter_join {
	TF_JOIN_PUSH = 0, /* begins a result of its own */
	TF_JOIN_AND = 1,
	TF_JOIN_OR = 2,
};

enum tf_filter_end { TF_END_EITHER = 0, TF_END_LOCAL = 1, TF_END_REMOTE = 2, TF_END_BOTH = 3 };

enum tf_filter_direction {
	TF_DIRECTION_UNKNOWN = 0,
	TF_DIRECTION_OUTGOING = 1,
	TF_DIRECTION_INCOMING = 2,
	TF_DIRECTION_NEITHER = 3, /* a listener */
};

struct tf_filter_op {
	__u8 code; /* enum tf_filter_code */
	__u8 join; /* enum tf_filter_join */
	__u8 negated;
	__u8 end;  /* enum tf_filter_end, of nets and ports */
	__u8 ipv4; /* of nets and families */
	__u8 reserved;
	__u16 first; /* of ports, host order */
	__u16 last;
	__u16 reserved2;
	__u32 value;      /* pid, uid, netns, enum tf_filter_direction */
	__u32 address[4]; /* of nets: what is left of an address under the mask; IPv4 v4-mapped */
	__u32 mask[4];
};

struct tf_filter_program {
	struct tf_filter_op ops[TF_FILTER_OPS];
};

/* What the kernel knows of a connection. */
struct tf_filter_facts {
	__u32 local[4]; /* addresses in network order; IPv4 v4-mapped */
	__u32 remote[4];
	__u16 local_port;  /* host order; 0: not known yet */
	__u16 remote_port; /* 0: not known yet; of a listener, there is none */
	__u32 pid;         /* 0: not known */
	__u32 uid;         /* 0xffffffff: not known */
	__u32 netns;
	/* The local port, while it is not known, is one of these, if it is chosen by the kernel; 0: nothing is known of
	 * it. */
	__u16 first_port;
	__u16 last_port;
	__u8 direction; /* enum tf_filter_direction */
	__u8 listener;
	__u8 reserved[2];
};

enum tf_filter_verdict {
	TF_VERDICT_OPEN = 0, /* not decided, or not decidable yet */
	TF_VERDICT_WANTED = 1,
	TF_VERDICT_REFUSED = 2,
};

/* A mark in the place of a call: no helper of the kernel has this number. See untrusted() in bpf/maps.bpf.h. */
#define TF_UNTRUSTED_CALL 0x7f75

/* What is not to be trusted. */
enum tf_untrusted {
	TF_UNTRUSTED_TASK,
	TF_UNTRUSTED_CGROUP,
	TF_UNTRUSTED_SOCK,
	TF_UNTRUSTED_SKB,
	TF_UNTRUSTED_TYPES,
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
	struct tf_owner_place place;
};

/* A thread and its network namespace. */
struct tf_inhabitant {
	__u32 tid; /* in the initial pid namespace */
	__u32 netns;
};

#endif
