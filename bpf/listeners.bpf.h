/*
 * The owners of listeners, which their children inherit. Socket storage that is cloned with the socket would do for all
 * of them, but costs more at each child's birth and death than everything else that is done for it. A listener that is
 * alone on its address and port need not be found by its child: the child has the same address and port.
 * (docs/decisions/0018-listeners.md)
 */
#ifndef TCPFLIGHT_LISTENERS_BPF_H
#define TCPFLIGHT_LISTENERS_BPF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "maps.bpf.h"

/* Those that find no room here have storage. */
#define MAX_LISTENERS 4096

struct listener_key {
	__u32 address[4];
	__u32 netns;
	__u16 port;
	__u16 family; /* of the socket: an IPv6 one has IPv4 children too */
};

struct listener {
	struct kept_owner owner;
	__u64 cookie;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_LISTENERS);
	__type(key, struct listener_key);
	__type(value, struct listener);
} listeners __weak SEC(".maps");

static __always_inline __u32 netns_of(const struct sock *sk)
{
	return followable(sk)->__sk_common.skc_net.net->ns.inum;
}

static __always_inline void fill_listener_key(struct listener_key *key, const struct sock *sk, __u16 port, __u32 netns)
{
	const struct sock_common *common = &sk->__sk_common;

	key->netns = netns;
	key->port = port;
	key->family = common->skc_family;
	key->address[0] = key->address[1] = key->address[2] = 0;
	if (key->family == AF_INET6) {
#pragma unroll
		for (int i = 0; i < 4; i++)
			key->address[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
	} else {
		key->address[3] = common->skc_rcv_saddr;
	}
}

/* Others may listen where it does: with SO_REUSEPORT, on another device, or anywhere if the port is not chosen yet. */
static __always_inline _Bool may_have_company(const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_reuseport) || sk->__sk_common.skc_bound_dev_if ||
	       !sk->__sk_common.skc_num;
}

/* `listener`: with its owner. NULL: it may not be found by its children in this way, and needs storage. */
static __always_inline struct listener *add_listener(const struct sock *sk, struct listener *listener)
{
	struct listener_key key;

	if (may_have_company(sk))
		return NULL;
	listener->cookie = bpf_get_socket_cookie((void *)sk);
	fill_listener_key(&key, sk, sk->__sk_common.skc_num, netns_of(sk));
	bpf_map_update_elem(&listeners, &key, listener, BPF_NOEXIST);
	/* Another one's: listen(2) is about to fail, or the end of the other one was not seen. */
	struct listener *added = bpf_map_lookup_elem(&listeners, &key);
	return added && added->cookie == listener->cookie ? added : NULL;
}

/* Of a child, or of the listener itself. In a function of its own: it is for connections' beginnings. */
static __noinline struct listener *find_listener(const struct sock *sk, __u16 port, __u32 netns)
{
	struct listener_key key;
	struct listener *listener;

	fill_listener_key(&key, sk, port, netns);
	listener = bpf_map_lookup_elem(&listeners, &key);
	if (listener)
		return listener;
	key.address[0] = key.address[1] = key.address[2] = key.address[3] = 0;
	return bpf_map_lookup_elem(&listeners, &key);
}

static __always_inline void drop_listener(const struct sock *sk, __u64 cookie, __u16 port)
{
	struct listener *listener;
	struct listener_key key;

	fill_listener_key(&key, sk, port, netns_of(sk));
	listener = bpf_map_lookup_elem(&listeners, &key);
	if (listener && listener->cookie == cookie)
		bpf_map_delete_elem(&listeners, &key);
}

#endif
