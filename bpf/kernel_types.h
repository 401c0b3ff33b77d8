/*
 * The few kernel structs the programs read, with the few fields they read. Offsets here mean nothing: every access is
 * relocated against the running kernel's BTF (preserve_access_index), so one binary fits all kernels and the build host
 * needs no BTF of its own. Add a field only where a program reads it.
 */
#ifndef TCPFLIGHT_KERNEL_TYPES_H
#define TCPFLIGHT_KERNEL_TYPES_H

#include <linux/bpf.h>
#include <linux/types.h>

/* enum values of include/net/tcp_states.h; also part of the user-space interface (struct tcp_info) */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

#define AF_INET     2
#define AF_INET6    10
#define IPPROTO_TCP 6

#define ECONNABORTED 103 /* include/uapi/asm-generic/errno.h */

#define UID_UNKNOWN 0xffffffff /* (uid_t)-1 is nobody's */
#define SOCK_DONE   1          /* a FIN came */
#define SOCK_LINGER 4          /* enum sock_flags of include/net/sock.h, the same since 2.6.12 */
#define SOCK_DEAD   0          /* no process has it any more */
#define PF_KTHREAD  0x00200000 /* include/linux/sched.h, the same since 2.6.27 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct hlist_nulls_node {
	struct hlist_nulls_node *next;   /* with bit 0 set: the end of the chain */
	struct hlist_nulls_node **pprev; /* NULL: in no chain */
};

struct inet_ehash_bucket {
	struct hlist_nulls_node *chain;
};

struct inet_hashinfo {
	struct inet_ehash_bucket *ehash;
	unsigned int ehash_mask;
};

struct inet_timewait_death_row {
	struct inet_hashinfo *hashinfo;
};

struct local_ports {
	__u32 range; /* the first one, and the last one in the upper half; up to 6.1 as below */
};

struct local_ports___two {
	int range[2];
};

struct netns_ipv4 {
	struct local_ports ip_local_ports;
	struct inet_timewait_death_row tcp_death_row; /* a pointer in 5.18 to 6.0 */
	/* Wider on some kernels: libbpf adjusts the load. */
	__u8 sysctl_tcp_syn_retries;
	__u8 sysctl_tcp_syn_linear_timeouts; /* since 6.5 */
	__u8 sysctl_tcp_retries2;
	__u8 sysctl_tcp_orphan_retries;
	__u8 sysctl_tcp_synack_retries;
	int sysctl_tcp_keepalive_intvl; /* jiffies */
	__u8 sysctl_tcp_keepalive_probes;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
};

struct netns_ipv4___two {
	struct local_ports___two ip_local_ports;
};

struct net___two {
	struct netns_ipv4___two ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct hlist_node {
	struct hlist_node **pprev; /* NULL: of a timer, not armed */
};

struct timer_list {
	struct hlist_node entry;
	unsigned long expires; /* jiffies */
};

struct sock_common {
	unsigned int skc_hash;
	struct hlist_nulls_node skc_nulls_node;
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* host order; 0 once the port was given back (at > CLOSE) */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	atomic64_t skc_cookie;
	unsigned long skc_flags; /* bits: enum sock_flags */
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup_root {
	int hierarchy_id; /* 0: version 2's */
};

struct cgroup {
	struct kernfs_node *kn;
	int level; /* 0: the root */
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* by enum cgroup_subsys_id */
	struct cgroup *dfl_cgrp;               /* of version 2 */
	struct css_set *dom_cset;              /* of the process; itself, but for threaded cgroups */
};

/* The numbers depend on the kernel's configuration. */
enum cgroup_subsys_id {
	pids_cgrp_id,
};

struct sock_cgroup_data {
	struct cgroup *cgroup; /* since 5.15; a tagged word before */
};

typedef struct {
	int owned;
} socket_lock_t;

typedef struct {
	unsigned int val;
} kuid_t;

struct inode {
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
	void *private_data; /* of a socket's file: the struct socket */
};

struct socket {
	struct sock *sk;
	struct file *file;
};

typedef struct {
	int counter;
} atomic_t;

struct sock {
	struct sock_common __sk_common;
	atomic_t sk_drops;
	struct socket *sk_socket; /* NULL: no file, because nobody accepted it yet or everybody closed it */
	socket_lock_t sk_lock;
	struct timer_list sk_timer; /* keepalive; from 6.19 in inet_connection_sock___keepalive */
	__u16 sk_protocol;
	int sk_err;
	__u32 sk_ack_backlog;
	unsigned long sk_lingertime; /* jiffies; meaningful with SOCK_LINGER */
	__u32 sk_max_ack_backlog;
	__u32 sk_mark;
	__u8 sk_shutdown;
	kuid_t sk_uid;
	struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
	__be16 inet_sport;
};

struct request_sock_queue {
	__u8 rskq_defer_accept;
	atomic_t qlen; /* handshakes under way */
};

struct sock___retransmit {
	struct timer_list tcp_retransmit_timer;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct timer_list icsk_retransmit_timer; /* from 6.19 in sock___retransmit */
	__u32 icsk_rto;                          /* jiffies, back-off included */
	__u32 icsk_rto_max;                      /* jiffies; since 6.15 */
	__u32 icsk_user_timeout;                 /* milliseconds */
	__u8 icsk_syn_retries;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u8 icsk_pending;
	__u8 icsk_backoff;
	__u8 icsk_probes_out;
	__u32 icsk_probes_tstamp; /* jiffies: of the first window probe; 0: none went; since 5.11 */
	struct request_sock_queue icsk_accept_queue;
	struct {
		__u32 lrcvtime; /* jiffies: when data came last; at first, when the handshake was over */
	} icsk_ack;
};

struct inet_connection_sock___keepalive {
	struct timer_list icsk_keepalive_timer;
};

struct inet_connection_sock___timeout {
	unsigned long icsk_timeout; /* jiffies; gone by 6.18, where the timer itself is asked */
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	__u32 tw_mark;
	volatile unsigned char tw_substate; /* TCP_TIME_WAIT, or TCP_FIN_WAIT2 of an orphan */
	struct timer_list tw_timer;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
};

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
	__u8 num_timeout : 7;
	struct timer_list rsk_timer;
	__u32 timeout; /* jiffies; wider on some kernels; since 5.15 */
};

struct inet_request_sock {
	struct request_sock req;
	__u16 acked : 1;
};

struct tcp_request_sock {
	struct inet_request_sock req;
	__u64 snt_synack; /* monotonic microseconds: when the first SYN-ACK was sent */
};

struct tcp_options_received {
	int ts_recent_stamp; /* of a listener: when it sent a SYN cookie last, jiffies (tcp_synq_overflow()) */
};

struct minmax_sample {
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3]; /* the best, and those that will follow it */
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	struct tcp_options_received rx_opt;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u64 bytes_retrans; /* payload sent again */
	__u32 segs_in;
	__u32 segs_out;
	struct minmax rtt_min;  /* microseconds; ~0: none was measured */
	__u32 rcv_tstamp;       /* jiffies: when an ACK came last */
	__u32 keepalive_intvl;  /* jiffies; 0: the setting of the namespace */
	__u8 keepalive_probes;  /* likewise */
	__u64 tcp_mstamp;       /* now, or a little before: microseconds of CLOCK_MONOTONIC */
	__u64 delivered_mstamp; /* when something was delivered last, or sending began: likewise */
	__u32 srtt_us;          /* eight times the smoothed round-trip time */
	__u32 rttvar_us;
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
	__u32 packets_out;
	__u32 sacked_out;
	__u32 lost_out;
	__u32 retrans_out;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 total_retrans;
	__u32 data_segs_in;
	__u32 data_segs_out;
	__u32 lsndtime;      /* jiffies: when data was sent last; at first, when the handshake was over */
	__u32 retrans_stamp; /* of the first retransmission, or of connect(2): TCP's clock, see tcp_usec_ts */
};

struct tcp_sock___usec {
	__u8 tcp_usec_ts : 1; /* TCP's clock runs in microseconds, not milliseconds (6.7) */
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	char cb[48];
	__u16 transport_header; /* from `head` */
	__u16 network_header;
	unsigned char *head;
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	__u16 tcp_flags; /* u8 up to 6.12, u16 from 6.18: libbpf adjusts the load */
};

struct tcphdr {
	__u16 syn : 1;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct nsproxy {
	struct net *net_ns;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;     /* of its namespace; 0: the initial one */
	struct upid numbers[1]; /* one for each level, the outermost first */
};

/* enum pid_type, since 4.19 */
#define PIDTYPE_TGID 1

struct task_struct;

/* What the threads of a process have in common. */
struct signal_struct {
	struct pid *pids[2];             /* by enum pid_type */
	struct task_struct *curr_target; /* one of them */
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	char comm[16];
	struct signal_struct *signal;
	struct css_set *cgroups;
	__u64 start_boottime; /* CLOCK_BOOTTIME, nanoseconds */
	struct files_struct *files;
	struct nsproxy *nsproxy;
};

/* Of the system call that a task is in. */
struct pt_regs___kernel {
	unsigned long di;      /* x86: the first argument */
	unsigned long orig_x0; /* arm64 */
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common; /* NULL after the last */
	unsigned int uid;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task; /* NULL after the last */
	__u32 fd;
	struct file *file;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task; /* NULL after the last */
};

#pragma clang attribute pop

#endif
