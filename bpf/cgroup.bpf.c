/* New cgroups, with their paths: the tracer has looked up those that were there before. */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "maps.bpf.h"

struct cgroup_record {
	struct tf_header header;
	struct tf_cgroup cgroup;
};

/* (cgroup, path). Without room in the ring its path stays unknown; no event of a connection is missing. */
SEC("tp_btf/cgroup_mkdir")
int on_cgroup_made(unsigned long long *ctx)
{
	struct cgroup *cgroup = untrusted((struct cgroup *)ctx[0], TF_UNTRUSTED_CGROUP);
	const char *path = (void *)ctx[1];

	if (!may_probe_read)
		return 0;
	struct cgroup_record *rec = bpf_ringbuf_reserve(&ring, sizeof(*rec), 0);
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->header.time_ns = bpf_ktime_get_boot_ns();
	rec->header.type = TF_RECORD_CGROUP;
	rec->cgroup.id = cgroup->kn->id;
	rec->cgroup.hierarchy = cgroup->root->hierarchy_id;
	bpf_probe_read_kernel_str(rec->cgroup.path, sizeof(rec->cgroup.path), path);
	bpf_ringbuf_submit(rec, 0);
	return 0;
}
