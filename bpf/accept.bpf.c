/*
 * Who accepted a connection, from the best place that the kernel offers: security_sock_graft, where a new socket gets
 * its file (under its lock, in the accepting task, for io_uring too), and where no program can hang on functions, the
 * exit of the system calls. (docs/decisions/0010-accept.md)
 */
#include "kernel_types.h"

#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"
#include "queue.bpf.h"

/* Every family's accept comes by. Kernel threads that accept (NFS, iSCSI) own nothing. */
static __always_inline _Bool is_accepted(const struct event *e)
{
	__u16 family = SK_FIELD(e, __sk_common.skc_family);

	return e->stage && (family == AF_INET || family == AF_INET6) && SK_FIELD(e, sk_protocol) == IPPROTO_TCP &&
	       !(e->task->flags & PF_KTHREAD);
}

/*
 * The new owner is said in the record's own block. If the record is lost, what is remembered stays: the next system
 * call of this process on the socket is then still news.
 */
static __always_inline void record_accept(struct event *e)
{
	struct tf_accept block = {
		.pid = e->task->tgid,
		.tid = e->task->pid,
	};
	struct remembered before;

	((__u64 *)block.comm)[0] = *(__u64 *)&e->task->comm[0];
	((__u64 *)block.comm)[1] = *(__u64 *)&e->task->comm[8];
	recall(&e->mem, e->cookie);
	before = e->mem;
	if (e->mem.verdict == TF_VERDICT_REFUSED && filter_asks_owner() &&
	    (e->mem.pid != block.pid || filter_asks & 1 << TF_ASK_UID))
		e->mem.verdict = TF_VERDICT_OPEN;
	e->mem.pid = block.pid;
	if (wanted(e) && !send_event(e, (struct body){&block, sizeof(block)}, NULL, SEND_ALONE))
		e->mem = before;
	remember(&e->mem, e->cookie);
}

SEC("fentry/security_sock_graft")
int BPF_PROG(on_graft, const struct sock *sk, const struct socket *parent)
{
	__u8 state = sk->__sk_common.skc_state;
	struct event e = {
		.sk = sk,
		.task = (void *)bpf_get_current_task_btf(),
		.stage = this_cpu_stage(),
		.type = TF_RECORD_ACCEPT,
		.old_state = state,
		.new_state = state,
	};

	if (!is_accepted(&e))
		return 0;
	e.cookie = bpf_get_socket_cookie((void *)sk);
	e.port = local_port(sk);
	record_accept(&e);
	return 0;
}

/* A cookie of 0 was never asked for: the socket is older than the tracer, and not found by it either. */
SEC("kprobe/security_sock_graft")
int BPF_KPROBE(on_graft_kprobe, const struct sock *sk)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct event e = {
		.sk = sk,
		.task = (void *)bpf_get_current_task_btf(),
		.stage = this_cpu_stage(),
		.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter),
		.type = TF_RECORD_ACCEPT,
		.old_state = state,
		.new_state = state,
		.untyped = 1,
	};

	if (!e.cookie || !is_accepted(&e))
		return 0;
	e.port = event_port(&e);
	record_accept(&e);
	return 0;
}

/* events/syscalls/sys_exit_NAME/format: eight bytes that are not for programs, the number, the result. */
struct syscall_exit {
	__u64 hidden;
	__u64 number;
	__s64 result;
};

static __always_inline struct file *own_file(const struct fdtable *table, __u32 descriptor)
{
	struct file *file = NULL;

	if (descriptor < table->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), table->fd + descriptor);
	return file;
}

/* What the socket of a descriptor says of itself. Each read is a call: these two stand side by side. */
struct ends_of_socket {
	struct file *file;
	struct sock *sk;
};

static __always_inline struct socket *own_socket(const struct fdtable *table, __u32 descriptor,
						 struct ends_of_socket *ends)
{
	const struct file *file = own_file(table, descriptor);
	struct socket *socket = file ? BPF_CORE_READ(file, private_data) : NULL;

	if (!socket)
		return NULL;
	if (bpf_core_field_offset(socket->sk) == bpf_core_field_offset(socket->file) + sizeof(ends->file)) {
		bpf_core_read(ends, sizeof(*ends), &socket->file);
	} else {
		ends->file = BPF_CORE_READ(socket, file);
		ends->sk = BPF_CORE_READ(socket, sk);
	}
	return ends->file == file && ends->sk ? socket : NULL;
}

/* What has a pointer to the file is most often a socket; its sock has one back. */
static __always_inline _Bool is_of(const struct sock *sk, const struct socket *socket)
{
	return BPF_CORE_READ(sk, sk_socket) == socket;
}

/*
 * The first argument of the system call that ends. While nobody accepted, its queue may have been full; that nothing
 * told of it but its count.
 */
static __always_inline void look_at_listener(const struct fdtable *table)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) /* Linux 5.15 */
		return;
	const struct pt_regs___kernel *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct ends_of_socket ends = {};
	struct socket *socket;
	__u32 descriptor;
	struct sock *sk;

	if (bpf_core_field_exists(regs->di))
		descriptor = regs->di;
	else if (bpf_core_field_exists(regs->orig_x0))
		descriptor = regs->orig_x0;
	else
		return;
	socket = own_socket(table, descriptor, &ends);
	sk = ends.sk;
	/* Nearly always there is nothing: what else it ought to be is asked afterwards. */
	if (!socket || !BPF_CORE_READ(sk, sk_drops.counter))
		return;
	if (is_of(sk, socket) && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP &&
	    BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		look_at_untyped_queue(sk, BPF_CORE_READ(sk, sk_ack_backlog) + 1);
}

/* Where it begins (skc_dport), a port, the family and the state stand together. */
struct sock_head {
	__u16 port;
	__u8 state;
};

static __always_inline void read_head(struct sock_head *head, const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;
	__u64 begin = bpf_core_field_offset(common->skc_dport);
	__u64 port = bpf_core_field_offset(common->skc_num) - begin;
	__u64 state = bpf_core_field_offset(common->skc_state) - begin;
	__u8 bytes[8] = {};

	if (port <= sizeof(bytes) - sizeof(head->port) && state < sizeof(bytes)) {
		bpf_core_read(bytes, sizeof(bytes), &common->skc_dport);
		head->port = *(__u16 *)(bytes + port);
		head->state = bytes[state];
	} else {
		head->port = BPF_CORE_READ(sk, __sk_common.skc_num);
		head->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	}
}

/*
 * Another thread may have closed the descriptor, and opened something else: that is no socket, or not a TCP socket, or
 * it was in a system call of its own. What has a cookie of which there was an event is one.
 */
SEC("tp/syscalls/sys_exit_accept+sys_exit_accept4")
int on_accept_exit(struct syscall_exit *exit)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct ends_of_socket ends = {};
	const struct fdtable *table;
	struct sock_head head = {};
	struct socket *socket;
	struct tf_stage *own;
	struct sock *sk;
	__u64 cookie;

	if (exit->result < 0)
		return 0;
	table = untrusted(task, TF_UNTRUSTED_TASK)->files->fdt;
	socket = own_socket(table, exit->result, &ends);
	if (!socket)
		return 0;
	sk = ends.sk; /* a copy: what is read by way of `ends` is relocated as if that was the kernel's */
	cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (!was_seen(cookie) && !is_of(sk, socket))
		return 0;
	look_at_listener(table);
	own = this_cpu_stage();
	if (!cookie || !own)
		return 0;
	read_head(&head, sk);

	struct event e = {
		.sk = sk,
		.task = task,
		.stage = own,
		.cookie = cookie,
		.port = head.port,
		.type = TF_RECORD_ACCEPT,
		.old_state = head.state,
		.new_state = head.state,
		.untyped = 1,
	};

	if (!was_seen(cookie) && !is_accepted(&e))
		return 0;
	if (!e.port)
		e.port = event_port(&e);
	record_accept(&e);
	return 0;
}
