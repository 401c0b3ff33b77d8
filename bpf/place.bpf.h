/* Where an owner is: its cgroup, and its number in its own pid namespace (docs/decisions/0015-containers.md). */
#ifndef TCPFLIGHT_PLACE_BPF_H
#define TCPFLIGHT_PLACE_BPF_H

#include <bpf/bpf_core_read.h>

#include "maps.bpf.h"
#include "tcpflight/records.h"

/* The process as it numbers itself; 0: its namespace is the initial one, or the kernel does not let us look. */
static __always_inline __u32 inner_pid(const struct signal_struct *process)
{
	const struct pid *pid = process->pids[PIDTYPE_TGID];
	__u32 level = pid->level;
	__u64 address = 0;
	__u32 number = 0;

	if (!level || !may_probe_read)
		return 0;
	/* A number and no pointer: up to 6.1 the verifier adds nothing to a pointer but constants. */
	bpf_probe_read_kernel(&address, sizeof(address), &process->pids[PIDTYPE_TGID]);
	address += __builtin_preserve_field_info(pid->numbers, BPF_FIELD_BYTE_OFFSET);
	bpf_probe_read_kernel(&number, sizeof(number),
			      (const void *)(address + level * bpf_core_type_size(struct upid)));
	return number;
}

/*
 * Of version 1, where version 2 is mounted and not used (hybrid hosts). Every container engine puts its containers
 * under the controller that limits their processes. NULL: there is none.
 */
static __always_inline struct cgroup *old_cgroup(const struct css_set *set)
{
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return NULL;
	__u64 index = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	struct cgroup_subsys_state **subsys = (void *)&set->subsys;
	return subsys[index]->cgroup;
}

/*
 * `socket_cgroup`: the socket's, by number; 0: not known. All 0: in the initial pid namespace, and there.
 *
 * What belongs to a process is reached by way of what its threads have in common. `curr_target` is one of them; in a
 * threaded cgroup, `dom_cset` is the process's, where they may differ.
 */
static __always_inline void place_of_task(struct tf_owner_place *place, struct task_struct *task, __u64 socket_cgroup)
{
	const struct signal_struct *process = untrusted(task, TF_UNTRUSTED_TASK)->signal;
	const struct css_set *set = process->curr_target->cgroups->dom_cset;
	const struct cgroup *cgroup = set->dfl_cgrp;
	__u32 hierarchy;

	place->cgroup = 0;
	place->hierarchy = 0;
	place->pid = inner_pid(process);
	if (!cgroup->level)
		cgroup = old_cgroup(set);
	if (!cgroup || !cgroup->level)
		return;
	hierarchy = cgroup->root->hierarchy_id;
	if (hierarchy || cgroup->kn->id != socket_cgroup) { /* a socket's is always of version 2 */
		place->cgroup = cgroup->kn->id;
		place->hierarchy = hierarchy;
	}
}

/* Of the current task. A function of its own to the verifier too: it then goes through it once. */
__weak __noinline int find_place(struct tf_owner_place *place, __u64 socket_cgroup)
{
	if (place)
		place_of_task(place, (void *)bpf_get_current_task_btf(), socket_cgroup);
	return 0;
}

static __always_inline __u64 cgroup_of(const struct sock *sk)
{
	if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return 0;
	return followable(sk)->sk_cgrp_data.cgroup->kn->id;
}

#endif
