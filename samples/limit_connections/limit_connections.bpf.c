// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * limit_connections - so many connections to one destination, and no more
 *
 * A destination is an address, a port and a protocol. While "limit" sockets
 * of the cgroup hold a place at a destination, connect() to it fails with
 * EUSERS. A socket holds at most one place, from its connect() until it is
 * freed, connects elsewhere, or is disconnected by connect(AF_UNSPEC).
 *
 *   socket_connect     takes a place, moves it, or gives it back
 *   socket_sendmsg     the same for TCP Fast Open, which connects by sending;
 *                      otherwise as socket_recvmsg
 *   socket_recvmsg     a connected socket must hold the place of the peer that
 *                      it really has
 *   sk_free_security   gives the place back
 *
 * Why the check at use: a hook runs before the call that it judges. A connect()
 * may fail after its hook has run and leave a UDP socket with the peer it had,
 * and of two threads that connect one socket the later in the hook may be the
 * earlier in the protocol. Either leaves the place at one destination and the
 * peer at another. Such a socket gets its place put right when it is used, or
 * EUSERS when the peer's places are taken, so it can carry nothing that was not
 * counted.
 *
 * Not counted: sockets that were accepted, those connected before the policy
 * was attached, sends of unconnected sockets, and families other than AF_INET
 * and AF_INET6. A connect() that is refused by the peer keeps its place until
 * the socket is closed. An SCTP socket counts once, whatever its associations.
 *
 * Every failure to keep the account denies: a place that cannot be written down
 * is not handed out.
 */
#include "../sample.bpf.h"
#include "limit_connections.bpf.h"

#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define IPPROTO_SMC 256
#define IPPROTO_MPTCP 262
#define MSG_FASTOPEN 0x20000000
#define TCP_CLOSE 7
#define TCP_LISTEN 10

/*
 * More members of kernel types than the shared header has. Loading looks for
 * the name without what follows the three underscores.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr___limit {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common___limit {
	__be32 skc_daddr;
	__be16 skc_dport;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr___limit skc_v6_daddr;
};

struct sock___limit {
	struct sock_common___limit __sk_common;
	__u16 sk_protocol;
};

struct socket___limit {
	short type;
	struct sock___limit *sk;
};

struct msghdr___limit {
	void *msg_name;
	int msg_namelen;
	unsigned int msg_flags;
};

#pragma clang attribute pop

/* What every path in the kernel insists on of a struct sockaddr_in6. */
#define IN6_LEN __builtin_offsetof(struct sockaddr_in6, sin6_scope_id)

/**
 * struct destination - what connections are counted by
 * @addr: IPv6 address, or IPv4 address in its mapped form. Of a link-local
 *	address the link is not part: one count for the same address on all.
 * @port: port, in network byte order
 * @protocol: IPPROTO_*, with IPPROTO_TCP also for what speaks TCP beneath
 */
struct destination {
	__be32 addr[4];
	__be16 port;
	__u16 protocol;
};

/**
 * struct claim - which place a socket holds
 * @lock: protects all members
 * @held: false while the socket holds none; @to is then meaningless
 * @to: the destination
 */
struct claim {
	struct bpf_spin_lock lock;
	__u32 held;
	struct destination to;
};

/*
 * By the address of the sock, which is all that sk_free_security can tell: the
 * sock's own storage is gone by then. A claim lives until that hook has run, so
 * an address is not used again before its old claim is gone.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct claim);
} claims SEC(".maps");

#define BUCKETS 4096
#define BUCKET_PLACES 8

/**
 * struct bucket - counts of the destinations with one hash
 * @lock: protects all members
 * @place: destinations; those that nobody holds are free for another
 */
struct bucket {
	struct bpf_spin_lock lock;
	struct place {
		struct destination at;
		__u32 holders;
	} place[BUCKET_PLACES];
};

/*
 * Not a hash map by destination: an element would have to be deleted when its
 * count falls to zero, and there is no way to do that without losing a holder
 * who found it just before. Here zero is simply a free place.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

const volatile struct limit_config config = { .limit = 10 };

static __always_inline bool same(const struct destination *a, const struct destination *b)
{
	return a->addr[0] == b->addr[0] && a->addr[1] == b->addr[1] && a->addr[2] == b->addr[2] &&
	       a->addr[3] == b->addr[3] && a->port == b->port && a->protocol == b->protocol;
}

static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash ^= word;
	hash *= 0x9e3779b1;
	return hash ^ (hash >> 15);
}

static __always_inline struct bucket *find_bucket(const struct destination *to)
{
	__u32 hash = config.seed;

	for (int i = 0; i < 4; i++)
		hash = mix(hash, to->addr[i]);
	hash = mix(hash, to->port << 16 | to->protocol);
	hash %= BUCKETS;
	return bpf_map_lookup_elem(&buckets, &hash);
}

/* Give a place at @to to one more socket: 0, or a negative errno. */
static __always_inline int take(const struct destination *to)
{
	struct bucket *bucket = find_bucket(to);
	int err = -EUSERS;

	if (!bucket)
		return -ENOBUFS;

	bpf_spin_lock(&bucket->lock);
	for (int i = 0; i < BUCKET_PLACES; i++) {
		struct place *place = &bucket->place[i];

		if (!place->holders || !same(&place->at, to))
			continue;
		if (place->holders < config.limit) {
			place->holders++;
			err = 0;
		}
		goto out;
	}
	if (!config.limit)
		goto out;
	/* No one holds a place there yet. */
	err = -ENOBUFS;
	for (int i = 0; i < BUCKET_PLACES; i++) {
		struct place *place = &bucket->place[i];

		if (place->holders)
			continue;
		place->at = *to;
		place->holders = 1;
		err = 0;
		break;
	}
out:
	bpf_spin_unlock(&bucket->lock);
	return err;
}

static __always_inline void release(const struct destination *to)
{
	struct bucket *bucket = find_bucket(to);

	if (!bucket)
		return;

	bpf_spin_lock(&bucket->lock);
	for (int i = 0; i < BUCKET_PLACES; i++) {
		struct place *place = &bucket->place[i];

		if (!place->holders || !same(&place->at, to))
			continue;
		place->holders--;
		break;
	}
	bpf_spin_unlock(&bucket->lock);
}

/* Have @claim say @to, or nothing for NULL, and give back what it said. */
static __always_inline void put_claim(struct claim *claim, const struct destination *to)
{
	struct destination old;
	__u32 held;

	bpf_spin_lock(&claim->lock);
	held = claim->held;
	old = claim->to;
	claim->held = !!to;
	if (to)
		claim->to = *to;
	bpf_spin_unlock(&claim->lock);

	if (held)
		release(&old);
}

/*
 * Have @claim hold a place at @to: 0, or a negative errno with all as it was.
 *
 * Every place taken goes into the claim and every place that comes out of it is
 * released, so that two threads here with one socket cannot make the sums
 * differ. While they are, a place may be taken twice for a moment.
 */
static __always_inline int move_claim(struct claim *claim, const struct destination *to)
{
	bool there;
	int err;

	bpf_spin_lock(&claim->lock);
	there = claim->held && same(&claim->to, to);
	bpf_spin_unlock(&claim->lock);
	if (there)
		return 0;

	err = take(to);
	if (err)
		return err;
	put_claim(claim, to);
	return 0;
}

/* The wildcard address as a destination means this host. */
static __always_inline void set_address(struct destination *to, __be32 a0, __be32 a1, __be32 a2,
					__be32 a3)
{
	if (!a0 && !a1 && !a3) {
		if (!a2)
			a3 = bpf_htonl(1);
		else if (a2 == bpf_htonl(0xffff))
			a3 = bpf_htonl(0x7f000001);
	}
	to->addr[0] = a0;
	to->addr[1] = a1;
	to->addr[2] = a2;
	to->addr[3] = a3;
}

/* What reaches a TCP server as a connection is one, by whatever name. */
static __always_inline __u16 get_protocol(const struct sock___limit *sk)
{
	__u16 protocol = sk->sk_protocol;

	if (protocol == IPPROTO_MPTCP || protocol == IPPROTO_SMC ||
	    sk->__sk_common.skc_family == AF_SMC)
		return IPPROTO_TCP;
	return protocol;
}

static __always_inline bool is_connected(const struct sock___limit *sk)
{
	unsigned char state = sk->__sk_common.skc_state;

	return state != TCP_CLOSE && state != TCP_LISTEN;
}

/* False when @sk has no peer. */
static __always_inline bool get_peer(const struct sock___limit *sk, struct destination *peer)
{
	__be32 a0 = 0, a1 = 0, a2 = bpf_htonl(0xffff), a3;
	__u16 family = sk->__sk_common.skc_family;

	if (!is_connected(sk))
		return false;

	if (family == AF_INET) {
		a3 = sk->__sk_common.skc_daddr;
	} else if (family == AF_INET6) {
		a0 = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[0];
		a1 = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[1];
		a2 = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[2];
		a3 = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[3];
	} else {
		return false;
	}
	/* Protocols that keep their peers elsewhere leave this empty. */
	if (!a0 && !a1 && !a3)
		return false;

	set_address(peer, a0, a1, a2, a3);
	peer->port = sk->__sk_common.skc_dport;
	peer->protocol = get_protocol(sk);
	return true;
}

/*
 * Judge a connect of @sock to @address: 0, or a negative errno. Addresses that
 * are too short for their family are left to the kernel, which refuses them.
 */
static __always_inline int judge_connect(const struct socket___limit *sock, const void *address,
					 int len)
{
	const struct sock___limit *sk = sock->sk;
	__u64 key = (__u64)sk;
	struct destination to = {};
	union {
		__u16 family;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} from = {};
	struct claim *claim;

	/* Who has no sock cannot be accounted for. */
	if (!sk)
		return -EPERM;
	if (len < (int)sizeof(from.family))
		return 0;
	if (bpf_probe_read_kernel(&from.family, sizeof(from.family), address))
		return -EFAULT;

	switch (from.family) {
	case AF_UNSPEC:
		claim = bpf_map_lookup_elem(&claims, &key);
		if (claim)
			put_claim(claim, NULL);
		return 0;
	case AF_INET:
		if (len < (int)sizeof(from.in))
			return 0;
		if (bpf_probe_read_kernel(&from.in, sizeof(from.in), address))
			return -EFAULT;
		set_address(&to, 0, 0, bpf_htonl(0xffff), from.in.sin_addr);
		to.port = from.in.sin_port;
		break;
	case AF_INET6:
		if (len < (int)IN6_LEN)
			return 0;
		if (bpf_probe_read_kernel(&from.in6, IN6_LEN, address))
			return -EFAULT;
		set_address(&to, from.in6.sin6_addr[0], from.in6.sin6_addr[1],
			    from.in6.sin6_addr[2], from.in6.sin6_addr[3]);
		to.port = from.in6.sin6_port;
		break;
	default:
		return 0;
	}
	to.protocol = get_protocol(sk);

	claim = bpf_map_lookup_elem(&claims, &key);
	if (!claim) {
		struct claim none = {};

		/*
		 * Another thread may be first with the same socket. When there
		 * is no claim even so, the map is full: deny, for this socket
		 * would never be counted.
		 */
		bpf_map_update_elem(&claims, &key, &none, BPF_NOEXIST);
		claim = bpf_map_lookup_elem(&claims, &key);
		if (!claim)
			return -ENOBUFS;
	}

	/*
	 * A stream that has a peer cannot be connected elsewhere; the kernel
	 * refuses that, and the place must not move.
	 */
	if (sock->type == SOCK_STREAM && is_connected(sk))
		return 0;
	return move_claim(claim, &to);
}

/* Judge the use of @sock: 0, or a negative errno. */
static __always_inline int judge_use(const struct socket___limit *sock)
{
	const struct sock___limit *sk = sock->sk;
	__u64 key = (__u64)sk;
	struct destination peer = {};
	struct claim *claim;

	if (!sk)
		return -EPERM;
	claim = bpf_map_lookup_elem(&claims, &key);
	/* It never asked to be connected. */
	if (!claim)
		return 0;
	if (!get_peer(sk, &peer))
		return 0;
	return move_claim(claim, &peer);
}

static __always_inline int verdict(int err)
{
	return err ? sample_deny(-err) : sample_allow();
}

SEC("lsm_cgroup/socket_connect")
int BPF_PROG(limit_connect, struct socket___limit *sock, struct sockaddr *address, int addrlen)
{
	return verdict(judge_connect(sock, address, addrlen));
}

SEC("lsm_cgroup/socket_sendmsg")
int BPF_PROG(limit_sendmsg, struct socket___limit *sock, struct msghdr___limit *msg)
{
	const void *name = msg->msg_name;

	if (msg->msg_flags & MSG_FASTOPEN && name && sock->type == SOCK_STREAM)
		return verdict(judge_connect(sock, name, msg->msg_namelen));
	return verdict(judge_use(sock));
}

SEC("lsm_cgroup/socket_recvmsg")
int BPF_PROG(limit_recvmsg, struct socket___limit *sock)
{
	return verdict(judge_use(sock));
}

SEC("lsm_cgroup/sk_free_security")
int BPF_PROG(limit_free, struct sock___limit *sk)
{
	__u64 key = (__u64)sk;
	struct claim *claim = bpf_map_lookup_elem(&claims, &key);

	if (claim) {
		put_claim(claim, NULL);
		bpf_map_delete_elem(&claims, &key);
	}
	return sample_allow();
}
