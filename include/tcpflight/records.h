/*
 * The records that the BPF programs put into the ring buffer, and that a recording stores.
 *
 * Read by C (BPF, little or big endian as the host) and by C++. Integers are fixed-width and in host byte order;
 * addresses and nothing else are in network byte order. The layout is an interface: enum values are appended and never
 * re-used, blocks are appended and never reordered, and the assertions at the end hold sizes and offsets.
 *
 * A record is a header followed by blocks, in this order:
 *
 *     tf_header                                   always
 *     tf_retransmission | tf_loss | tf_accept | tf_reset | tf_socket | tf_congestion |
 *         tf_handshake | tf_queue | tf_gone | tf_cgroup | tf_probe | tf_settings | tf_usage, by header.type
 *     tf_syn_queue                                if header.flags & TF_FLAG_SYN_QUEUE
 *     tf_metrics                                  if header.flags & TF_FLAG_METRICS
 *     tf_identity                                 if header.flags & TF_FLAG_IDENTITY
 *     tf_owner_place                              if header.flags & TF_FLAG_OWNER_PLACE
 *     tf_bytes                                    if header.flags & TF_FLAG_BYTES
 *     tf_traffic                                  if header.flags & TF_FLAG_TRAFFIC
 *
 * What does not change is said once: the identity (tuple, owner, namespace) goes out with a socket's first record,
 * again when it changes, and again after it could have been lost. All other records carry the socket's cookie and the
 * news.
 */
#ifndef TCPFLIGHT_RECORDS_H
#define TCPFLIGHT_RECORDS_H

#include <linux/types.h>

#ifdef __cplusplus
#include <cstddef>
#define TF_STATIC_ASSERT static_assert
#else
#include <stddef.h>
#define TF_STATIC_ASSERT _Static_assert
#endif

/* What happened. */
enum tf_record_type {
	TF_RECORD_STATE = 1,      /* inet_sock_set_state: old_state > new_state */
	TF_RECORD_RETRANSMIT = 2, /* tcp_retransmit_skb; a tf_retransmission follows */
	TF_RECORD_LOST = 3,       /* records are missing from here on; a tf_loss follows. Made by user space */
	TF_RECORD_ACCEPT = 4,     /* accept(2) gave the socket to a process; a tf_accept follows */
	TF_RECORD_RESET = 5,      /* a RST was sent or received; a tf_reset follows */
	TF_RECORD_FOUND = 6,      /* nothing happened: a socket was there when it was looked for; a tf_socket follows */
	TF_RECORD_HANDSHAKE = 7,  /* a handshake of which no socket came yet; a tf_handshake follows */
	TF_RECORD_CONGESTION = 8, /* tcp_cong_state_set; a tf_congestion follows */
	TF_RECORD_QUEUE = 9,      /* a listener had no room; a tf_queue follows */
	TF_RECORD_GONE = 10,      /* a socket, or what took its place, is no more; a tf_gone follows */
	TF_RECORD_CGROUP = 11,    /* nothing happened: where a cgroup is that later records name; a tf_cgroup follows */
	TF_RECORD_PROBE = 12,     /* the other end is asked for a sign of life; a tf_probe follows */
	TF_RECORD_SETTINGS = 13,  /* nothing happened: how a network namespace is set; a tf_settings follows. Made by
				     user space */
	TF_RECORD_USAGE = 14,     /* nothing happened: so much is taken of what there is only so much of; a tf_usage
				     follows. Made by user space */
	TF_RECORD_REFUSED = 15,   /* as TF_RECORD_STATE, and the last that is told of the connection: its port is known
				     now, and the filter does not want it */
};

enum tf_record_flag {
	TF_FLAG_IDENTITY = 1 << 0, /* a tf_identity follows */
	TF_FLAG_METRICS = 1 << 1,  /* a tf_metrics precedes the identity */
	/*
	 * A task held the socket's lock: the event came from a system call on it. Without an identity it was the owner
	 * known already, and TF_OWNER_INHERITED becomes TF_OWNER_SYSCALL.
	 */
	TF_FLAG_OWNED = 1 << 2,
	TF_FLAG_TIME_WAIT_SOCKET = 1 << 3, /* the socket lives on as an inet_timewait_sock, in new_state */
	/*
	 * A tf_owner_place follows the identity, or the tf_accept. Where a record tells of an owner without one, that
	 * process is in the initial pid namespace and in the socket's cgroup.
	 */
	TF_FLAG_OWNER_PLACE = 1 << 4,
	TF_FLAG_SYN_QUEUE = 1 << 5, /* a tf_syn_queue precedes the metrics and the identity */
	TF_FLAG_BYTES = 1 << 6,     /* a tf_bytes follows all of these */
	TF_FLAG_TRAFFIC = 1 << 7,   /* a tf_traffic ends the record; the last flag that there is room for */
};

/* How the owner in a tf_identity was learned. Another process in a system call on the socket always takes over. */
enum tf_owner_source {
	TF_OWNER_UNKNOWN = 0,   /* pid, tid and comm are zero */
	TF_OWNER_INHERITED = 1, /* the listener's owner, until the child's own is known */
	TF_OWNER_LISTEN = 2,    /* the task that called listen(2) */
	TF_OWNER_CONNECT = 3,   /* the task that called connect(2) */
	TF_OWNER_SYSCALL = 4,   /* a task in another system call on this very socket (close, shutdown, recv...) */
	TF_OWNER_ACCEPT = 5,    /* the task that called accept(2) */
	TF_OWNER_SNAPSHOT = 6,  /* when it was looked for: of those that had it open, the process that began first */
	TF_OWNER_SOURCES
};

struct tf_header {
	__u64 time_ns;    /* CLOCK_BOOTTIME, nanoseconds; read in the event */
	__u64 cookie;     /* SO_COOKIE of the socket; 0 in a TF_RECORD_LOST, and where there is no socket */
	__u8 type;        /* enum tf_record_type */
	__u8 flags;       /* enum tf_record_flag */
	__u16 local_port; /* 0: none chosen yet, or said before */
	__u8 old_state;   /* TCP_* of linux/tcp_states.h; equal to new_state unless type is TF_RECORD_STATE */
	__u8 new_state;
	/*
	 * sk_err: errno, 0 for none. At the end of a socket that has one, the upper four bits are an enum tf_undone and
	 * TF_ERROR_USER_TIMEOUT.
	 */
	__u16 error;
};

#define TF_ERROR_ERRNO        0x0fff /* no errno is above MAX_ERRNO, 4095 (include/linux/err.h) */
#define TF_ERROR_UNDONE_SHIFT 12
#define TF_ERROR_UNDONE       (7 << TF_ERROR_UNDONE_SHIFT)
#define TF_ERROR_USER_TIMEOUT 0x8000 /* TCP_USER_TIMEOUT was set */

/*
 * What a socket had still to do when an error ended it. With ETIMEDOUT it tells which timer gave up: nothing else
 * survives tcp_write_err() in net/ipv4/tcp_timer.c but the sequence numbers.
 */
enum tf_undone {
	TF_UNDONE_UNKNOWN = 0, /* not told: there was no error, or the record was made before there was this */
	TF_UNDONE_NOTHING = 1, /* all that was written was acknowledged */
	TF_UNDONE_UNSENT = 2,  /* all that was sent was acknowledged, but not all that was written was sent */
	TF_UNDONE_UNACKED = 3, /* something was sent and not acknowledged */
	TF_UNDONE_LAST = 4,    /* likewise, and it was the last sequence number alone: the FIN, where one was sent */
	TF_UNDONES
};

/* The state of the sender when a segment was retransmitted. All times are in microseconds. */
struct tf_metrics {
	__u32 rtt_us;     /* smoothed round-trip time; 0: not measured yet */
	__u32 rttvar_us;  /* its mean deviation */
	__u32 rto_us;     /* retransmission time-out now in force, back-off included; 0: the clock rate is not known */
	__u32 cwnd;       /* congestion window, segments */
	__u32 ssthresh;   /* slow start threshold, segments; 0x7fffffff: not reached yet */
	__u32 send_queue; /* bytes written and not acknowledged */
	__u32 recv_queue; /* bytes received and not read; of a listener, connections not accepted */
	__u32 in_flight;  /* segments sent and neither acknowledged nor lost */
};

struct tf_retransmission {
	__u64 bytes_acked; /* bytes acknowledged in the connection's life: turns seq into an offset from the start */
	__u32 seq;         /* first sequence number of the segment */
	__u32 end_seq;     /* one past the last, SYN and FIN count as one each */
	__u32 snd_una;     /* oldest unacknowledged sequence number */
	__u16 tcp_flags;   /* flags of the segment, as in the TCP header */
	__s16 send_error;  /* 0, or the negated errno with which sending failed (Linux 6.17 and later) */
	__u8 ca_state;     /* TCP_CA_* of linux/tcp.h */
	__u8 rto_count;    /* icsk_retransmits: consecutive time-outs */
	__u8 backoff;      /* icsk_backoff: doublings of the time-out */
	__u8 timer;        /* icsk_pending: which timer was armed */
	__u32 total;       /* segments retransmitted in the connection's life */
	__u32 silent_us;   /* since anything was delivered, or since there was anything to deliver; or TF_SILENT_UNKNOWN
			    */
	__u32 retrying_ms; /* since the first retransmission, or, while connecting, since connect(2); 0: this is the
			      first */
	__u32 user_timeout_ms; /* TCP_USER_TIMEOUT; 0: none */
	__u32 rto_max_ms;      /* the longest time-out */
	__u8 max_retries; /* net.ipv4.tcp_retries2; connecting, TCP_SYNCNT or tcp_syn_retries; or tcp_orphan_retries */
	__u8 syn_linear;  /* net.ipv4.tcp_syn_linear_timeouts, while connecting */
	__u8 orphan;      /* 1: closed by its process */
	__u8 sent_known;  /* 0: made before there was `sent`, which then is anything */
	__u32 sent;       /* segments sent in the connection's life, this one and pure ACKs included (tcpi_segs_out) */
};

#define TF_SILENT_UNKNOWN 0xffffffffU

/* A change of the sender's congestion state. */
struct tf_congestion {
	__u8 old_state; /* TCP_CA_* of linux/tcp.h */
	__u8 new_state;
	__u8 reserved[6];
};

enum tf_probe_kind {
	TF_PROBE_KEEPALIVE = 0, /* nothing is on its way in either direction (RFC 9293 section 3.8.4) */
	TF_PROBE_WINDOW = 1,    /* data waits, and the other end has no room for it (RFC 9293 section 3.8.6.1) */
	TF_PROBE_KINDS
};

/* A probe is about to be sent. */
struct tf_probe {
	__u32 silent_ms;       /* since anything came from the other end */
	__u32 interval_ms;     /* between keepalive probes; of a window, the first time-out, to be doubled */
	__u32 interval_max_ms; /* of a window: the longest time-out */
	__u32 user_timeout_ms; /* TCP_USER_TIMEOUT; 0: none */
	__u32 closed_ms;     /* of a window: since its first probe; 0: this is the first, or the kernel does not tell */
	__u32 waiting;       /* of a window: bytes that wait for it */
	__u8 kind;           /* enum tf_probe_kind */
	__u8 unanswered;     /* probes that went without an answer before this one */
	__u8 max_unanswered; /* after so many the connection ends; 0 with `orphan`: the kernel's own 8 */
	__u8 backoff;        /* of a window: doublings of the time-out before this one */
	__u8 orphan;         /* 1: closed by its process */
	__u8 reserved[3];
};

/* Why records are missing. */
enum tf_loss_reason {
	TF_LOSS_RING_FULL = 0, /* no room in the ring buffer */
	TF_LOSS_NESTED = 1,    /* the kernel did not run the program, because it interrupted itself on this CPU */
	TF_LOSS_DISK_FULL = 2, /* the recording had no room; cpu is 0xffffffff. Made by the writer of the recording */
	TF_LOSS_DAMAGED = 3,   /* the recording cannot be read here; cpu is 0xffffffff. Made by its reader */
	TF_LOSS_REASONS
};

struct tf_loss {
	__u64 total; /* records lost on this CPU for this reason since the start: later totals include earlier ones */
	__u64 until_ns; /* when the last of them was lost; header.time_ns is the first */
	__u32 cpu;      /* where; 0xffffffff: counted for all CPUs together */
	__u32 reason;   /* enum tf_loss_reason */
};

/* Who accepted: the owner from now on. */
struct tf_accept {
	__u32 pid;
	__u32 tid;
	char comm[16]; /* as in tf_identity */
};

enum tf_reset_direction { TF_RESET_SENT = 0, TF_RESET_RECEIVED = 1, TF_RESET_DIRECTIONS };

/*
 * Why a RST was sent: enum sk_rst_reason of the kernel (include/net/rstreason.h, Linux 6.10), numbered anew, because
 * its numbers change between versions; and TCP_STATE, which is several things to a user, told apart.
 */
enum tf_reset_reason {
	TF_RESET_UNKNOWN = 0, /* not told: received, or sent by a kernel that does not tell */
	TF_RESET_OTHER = 1,   /* newer than this version: see kernel_reason */
	TF_RESET_NO_SOCKET = 2,
	TF_RESET_UNREAD_DATA = 3,      /* close(2) before all that came was read (RFC 2525 section 2.17) */
	TF_RESET_LINGER_0 = 4,         /* close(2) with SO_LINGER on and 0 seconds */
	TF_RESET_LINGER2 = 5,          /* close(2), and TCP_LINGER2 forbids to wait in FIN_WAIT2 */
	TF_RESET_DATA_AFTER_CLOSE = 6, /* data came for a socket that nobody can read any more */
	TF_RESET_UNSENT_DATA = 7,      /* disconnected in CLOSING or LAST_ACK with data to send */
	TF_RESET_DISCONNECTED = 8,     /* connect(2) to AF_UNSPEC */
	TF_RESET_ABORTED = 9,          /* by another process (SOCK_DESTROY: ss -K), or FIN_WAIT2 ran out of time */
	TF_RESET_KEEPALIVE = 10,       /* keepalive probes were not answered */
	TF_RESET_NO_MEMORY = 11,       /* too many orphans, or TCP out of memory */
	TF_RESET_TIME_WAIT = 12,       /* a segment for a connection in TIME_WAIT, or in FIN_WAIT2 without a process */
	TF_RESET_INVALID_ACK = 13,
	TF_RESET_TOO_OLD_ACK = 14,
	TF_RESET_OLD_ACK = 15,
	TF_RESET_ACK_OF_UNSENT = 16,
	TF_RESET_INVALID_SYN = 17,
	TF_RESET_FLAGS = 18,
	TF_RESET_PAWS = 19,         /* RFC 7323 section 5 */
	TF_RESET_MPTCP = 20,        /* RFC 8684 section 3.6 */
	TF_RESET_NOT_ACCEPTED = 21, /* the listener was closed before */
	TF_RESET_REASONS
};

/*
 * An active RST is recorded after > CLOSE, in state CLOSE; one that answers a segment, in the socket's state. Where
 * there is no connection the header's cookie is 0 and an identity follows, whose ends are the segment's: in state CLOSE
 * nobody listens on that port, in LISTEN a listener refused the segment. In TIME_WAIT and FIN_WAIT2 the cookie may be
 * one that ended long ago.
 */
struct tf_reset {
	__u32 kernel_reason; /* enum sk_rst_reason as that kernel numbers it; 0: not told */
	__u8 direction;      /* enum tf_reset_direction */
	__u8 reason;         /* enum tf_reset_reason */
	__u16 reserved;
};

/* Which timer is running (include/uapi/linux/inet_diag.h, idiag_timer). */
enum tf_timer {
	TF_TIMER_NONE = 0,
	TF_TIMER_RETRANSMIT = 1,
	TF_TIMER_KEEPALIVE = 2,
	TF_TIMER_TIME_WAIT = 3,
	TF_TIMER_PROBE = 4, /* of a window that is closed */
	TF_TIMERS
};

enum tf_socket_bit {
	TF_SOCKET_IPV6_ONLY = 1 << 0, /* IPV6_V6ONLY: does not take IPv4 */
	TF_SOCKET_SHUT_READ = 1 << 1,
	TF_SOCKET_SHUT_WRITE = 1 << 2,
	TF_SOCKET_SEEN = 1 << 3,  /* there was an event of it before, perhaps its last */
	TF_SOCKET_WAITS = 1 << 4, /* made by user space: it is known, and a later look found it waiting for its process,
				     or for the other end. All of one look have the same header.time_ns */
};

/* A socket as it stood at header.time_ns. Times "since" are CLOCK_BOOTTIME, to a jiffy or a millisecond. */
struct tf_socket {
	__u64 inode;          /* of its file; 0: it has none (not accepted yet, orphaned, TIME_WAIT, SYN received) */
	__u64 since_ns;       /* when it entered its state; 0: the kernel does not know */
	__u64 established_ns; /* when the handshake was over; 0: not known */
	__u32 recv_queue;     /* bytes received and not read; of a listener, connections not accepted */
	__u32 send_queue;     /* bytes written and not acknowledged; of a listener, how many may wait to be accepted */
	__u32 timer_left_us;  /* until the timer fires; 0: overdue, or none */
	__u32 drops;          /* of a listener: SYNs and connections it had no room for; otherwise packets */
	__u32 mark;           /* SO_MARK */
	__u8 timer;           /* enum tf_timer */
	__u8 retries;         /* how often it has fired in vain */
	__u16 bits;           /* enum tf_socket_bit */
};

/* Why what the kernel keeps in the place of a socket (struct inet_timewait_sock) ended. */
enum tf_gone_reason {
	TF_GONE_UNKNOWN = 0, /* it was found missing */
	TF_GONE_TIMER = 1,   /* its time was over */
	TF_GONE_SYN = 2,     /* a SYN began a new connection between the same ends (RFC 9293 section 3.10.7.4) */
	TF_GONE_CONNECT = 3, /* connect(2) took its port (net.ipv4.tcp_tw_reuse) */
	TF_GONE_RESET = 4,   /* a RST came (RFC 1337), or it answered a segment with one */
	TF_GONE_KILLED = 5,  /* by a process (SOCK_DESTROY: ss -K) */
	TF_GONE_NETNS = 6,   /* with its network namespace */
	TF_GONE_REASONS
};

/*
 * With TF_FLAG_TIME_WAIT_SOCKET: what took a socket's place has ended, in header.old_state. Without: a socket, in that
 * state when there was a sign of it last, is not in the kernel's lists any more, and no event told of its end.
 * header.new_state is TCP_CLOSE. If nothing saw it go it was found missing, and when it went is known within limits.
 */
struct tf_gone {
	__u64 after_ns; /* it was there then; CLOCK_BOOTTIME; 0: seen as it went, at header.time_ns */
	__u64 by_ns;    /* it had gone by then, header.time_ns or before; 0 as above */
	__u8 reason;    /* enum tf_gone_reason */
	__u8 reserved[7];
};

enum tf_handshake_step {
	TF_HANDSHAKE_SYN = 0,     /* a SYN came, and is about to be answered */
	TF_HANDSHAKE_SYN_ACK = 1, /* the SYN-ACK was sent again */
	TF_HANDSHAKE_ENDED = 2,   /* the kernel dropped it */
	TF_HANDSHAKE_STEPS
};

enum tf_handshake_bit {
	TF_HANDSHAKE_ACKED =
		1 << 0, /* the ACK came, but the accept queue was full, or TCP_DEFER_ACCEPT waits for data */
	TF_HANDSHAKE_TIMER = 1 << 1, /* its timer expired; otherwise it was a segment: of SYN_ACK, the SYN again */
	TF_HANDSHAKE_NO_LISTENER = 1 << 2, /* the listener was closed */
};

/*
 * A handshake that a listener holds (struct request_sock), in state NEW_SYN_RECV; to CLOSE when it is dropped. The
 * cookie is that of the socket that comes of it.
 */
struct tf_handshake {
	__u64 syn_ack_ns; /* when the first SYN-ACK was sent, CLOCK_BOOTTIME; 0: it was not yet */
	__u32 timeout_us; /* the first time-out; each one is twice as long as the one before. 0: not known */
	__u32 rto_max_ms; /* the longest */
	__u8 step;        /* enum tf_handshake_step */
	__u8 bits;        /* enum tf_handshake_bit */
	__u8 timeouts;    /* how many had expired before */
	__u8 max_retries; /* net.ipv4.tcp_synack_retries, TCP_SYNCNT or TCP_DEFER_ACCEPT: after so many it is dropped */
	__u8 retransmits; /* how often the SYN-ACK had been sent again before */
	__u8 reserved[3];
};

/* At SYN_RECV > ESTABLISHED of a socket whose handshake was not recorded, and whose SYN-ACK went once. */
struct tf_syn_queue {
	__u32 waited_us; /* from the SYN-ACK until the ACK */
	__u32 reserved;
};

enum tf_queue_bit {
	TF_QUEUE_COOKIES = 1 << 0, /* SYNs are answered with SYN cookies (RFC 4987 section 3.6) */
};

/* The queues of a listener. Both are as long as the same limit allows: listen(2)'s, up to net.core.somaxconn. */
struct tf_queue {
	__u32 accept_queue; /* connections that waited to be accepted; full if there are more than `limit` */
	__u32 syn_queue;    /* handshakes under way; full from `limit` on, on newer kernels from one more */
	__u32 limit;
	__u32 drops; /* segments dropped in the listener's life: SYNs and ACKs that it had no room for, and invalid ones
		      */
	__u8 bits;   /* enum tf_queue_bit */
	__u8 reserved[3];
	/*
	 * Of these drops, those not known to be an overflow: SYNs that came again and were answered, and what a look
	 * found that saw room in both queues. Can be ahead by what is being counted. 0 in recordings made before this.
	 */
	__u32 with_room;
};

/* IPv4 addresses are stored v4-mapped (::ffff:a.b.c.d), so that both ends of a connection compare alike. */
struct tf_identity {
	__u8 local_addr[16];
	__u8 remote_addr[16];
	__u64 cgroup;      /* id of the socket's cgroup (v2); 0: not known */
	__u32 netns;       /* inode number of the network namespace */
	__u32 uid;         /* owner of the socket's file, in the initial user namespace; 0xffffffff: not known */
	__u32 pid;         /* thread group (process) of the owner, in the initial pid namespace; 0: not known */
	__u32 tid;         /* the thread */
	__u16 local_port;  /* 0: not chosen yet */
	__u16 remote_port; /* 0: a listener, or not known yet */
	__u16 family;      /* AF_INET or AF_INET6: the socket's, also where the addresses are v4-mapped */
	__u8 owner_source; /* enum tf_owner_source */
	__u8 reserved;
	char comm[16]; /* the owner's name; NUL-terminated; any byte can occur in it */
};

/* Where the owner is that the same record tells of (in its tf_identity or tf_accept). */
struct tf_owner_place {
	__u64 cgroup;    /* id of its cgroup; 0: the socket's, tf_identity.cgroup */
	__u32 hierarchy; /* in which that is: 0 is version 2's, others are numbered as in /proc/PID/cgroup */
	__u32 pid;       /* its process as its own pid namespace numbers it; 0: that is the initial one */
};

/*
 * What a socket carried in its life, as the kernel counts (tcpi_bytes_acked and tcpi_bytes_received of struct
 * tcp_info): SYN and FIN can be among it, as one byte each. Of a change of state, where it is the socket's last;
 * otherwise it says how much it was by then.
 */
struct tf_bytes {
	__u64 acked;    /* sent, and acknowledged by the other end */
	__u64 received; /* in order */
};

/*
 * How it went there, likewise: tcpi_segs_out, tcpi_segs_in, tcpi_data_segs_out, tcpi_data_segs_in, tcpi_total_retrans,
 * tcpi_bytes_retrans, tcpi_rtt, tcpi_min_rtt and tcpi_snd_cwnd.
 */
struct tf_traffic {
	__u64 bytes_retransmitted; /* payload */
	__u32 segments_sent;       /* SYNs, pure ACKs and those sent again included; a RST at the end is not */
	__u32 segments_received;   /* a RST is not */
	__u32 data_segments_sent;  /* with payload, those sent again included */
	__u32 data_segments_received;
	__u32 retransmitted; /* segments, SYN and FIN too */
	__u32 rtt_us;        /* smoothed; 0: not measured */
	__u32 min_rtt_us; /* of the last net.ipv4.tcp_min_rtt_wlen seconds; 0: not measured, or below a microsecond */
	__u32 cwnd;       /* segments */
};

/*
 * Where a cgroup is. Comes before the first record that names it, and again where that could have been missed. The
 * header's cookie is 0.
 */
struct tf_cgroup {
	__u64 id;
	__u32 hierarchy;
	__u32 reserved;
	char path[496]; /* from the root of its hierarchy: "/system.slice/ssh.service"; NUL-terminated, cut off if
			   longer */
};

/*
 * What verdicts ask of the settings of a network namespace (/proc/sys/net). 0: not known. Comes before the first record
 * that is judged by it, when it has changed, and once a minute for those who begin to read in the middle. The header's
 * cookie is 0.
 */
struct tf_settings {
	__u32 netns;             /* inode number */
	__u32 ports;             /* in ipv4.ip_local_port_range, and not in ipv4.ip_local_reserved_ports */
	__u32 time_waits;        /* ipv4.tcp_max_tw_buckets */
	__u32 fin_timeout_s;     /* ipv4.tcp_fin_timeout */
	__u32 keepalive_time_s;  /* ipv4.tcp_keepalive_time */
	__u32 keepalive_intvl_s; /* ipv4.tcp_keepalive_intvl */
	__u32 somaxconn;         /* core.somaxconn */
	__u32 syn_backlog;       /* ipv4.tcp_max_syn_backlog */
	__u8 retries1;           /* ipv4.tcp_retries1 */
	__u8 keepalive_probes;   /* ipv4.tcp_keepalive_probes */
	__u8 reserved[6];
};

enum tf_usage_kind {
	TF_USAGE_PORTS = 0,      /* for connections from one address to one address and port */
	TF_USAGE_TIME_WAITS = 1, /* of a network namespace */
	TF_USAGE_KINDS
};

/*
 * As a look at the sockets found it: only what is taken by half and more, and once more when it is not any longer. An
 * identity follows, and the header's cookie is that of one of those that take it.
 */
struct tf_usage {
	__u32 taken;
	__u32 at_most;
	__u8 kind; /* enum tf_usage_kind */
	__u8 reserved[7];
};

/* The largest record of a connection: every block at once. */
#define TF_RECORD_MAX_SIZE                                                                                             \
	(sizeof(struct tf_header) + sizeof(struct tf_retransmission) + sizeof(struct tf_metrics) +                     \
	 sizeof(struct tf_identity) + sizeof(struct tf_owner_place) + sizeof(struct tf_bytes) +                        \
	 sizeof(struct tf_traffic))

TF_STATIC_ASSERT(sizeof(struct tf_header) == 24, "tf_header is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_header, type) == 16, "tf_header is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_header, local_port) == 18, "tf_header is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_header, old_state) == 20, "tf_header is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_header, error) == 22, "tf_header is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_metrics) == 32, "tf_metrics is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_retransmission) == 56, "tf_retransmission is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_retransmission, tcp_flags) == 20, "tf_retransmission is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_retransmission, ca_state) == 24, "tf_retransmission is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_retransmission, total) == 28, "tf_retransmission is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_loss) == 24, "tf_loss is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_retransmission, max_retries) == 48, "tf_retransmission is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_retransmission, sent) == 52, "tf_retransmission is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_congestion) == 8, "tf_congestion is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_probe) == 32, "tf_probe is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_accept) == 24, "tf_accept is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_reset) == 8, "tf_reset is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_reset, reason) == 5, "tf_reset is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_socket) == 48, "tf_socket is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_socket, recv_queue) == 24, "tf_socket is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_socket, timer) == 44, "tf_socket is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_gone) == 24, "tf_gone is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_gone, reason) == 16, "tf_gone is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_handshake) == 24, "tf_handshake is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_handshake, step) == 16, "tf_handshake is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_syn_queue) == 8, "tf_syn_queue is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_queue) == 24, "tf_queue is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_queue, bits) == 16, "tf_queue is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_queue, with_room) == 20, "tf_queue is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_identity) == 80, "tf_identity is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_identity, cgroup) == 32, "tf_identity is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_identity, pid) == 48, "tf_identity is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_identity, local_port) == 56, "tf_identity is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_identity, owner_source) == 62, "tf_identity is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_identity, comm) == 64, "tf_identity is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_owner_place) == 16, "tf_owner_place is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_owner_place, pid) == 12, "tf_owner_place is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_bytes) == 16, "tf_bytes is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_bytes, received) == 8, "tf_bytes is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_traffic) == 40, "tf_traffic is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_traffic, retransmitted) == 24, "tf_traffic is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_cgroup) == 512, "tf_cgroup is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_cgroup, path) == 16, "tf_cgroup is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_settings) == 40, "tf_settings is an interface");
TF_STATIC_ASSERT(offsetof(struct tf_settings, retries1) == 32, "tf_settings is an interface");
TF_STATIC_ASSERT(sizeof(struct tf_usage) == 16, "tf_usage is an interface");
TF_STATIC_ASSERT(TF_RECORD_MAX_SIZE == 264, "every record fits");

#endif
