// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checmate policies - net-limit: so many sockets, per destination and in all
 *
 * A destination is an address, a port and a protocol. A socket that connects
 * to one, or sends there by name, needs a place there. It has at most one: from
 * then on until it is closed, goes elsewhere, or is disconnected by
 * connect(AF_UNSPEC). So many places there are at each destination, and so many
 * in all; who asks for one more is denied.
 *
 *   socket_connect   takes a place, moves it, or gives it back
 *   socket_sendmsg   the same when the message names a destination; otherwise
 *                    as socket_recvmsg
 *   socket_recvmsg   a connected socket must have its place at the peer that it
 *                    really has
 *
 * Why the check at use: a hook runs before the call that it judges. A connect()
 * may fail after its hook has run and leave a UDP socket with the peer it had,
 * and of two threads that connect one socket the later in the hook may be the
 * earlier in the protocol. Either leaves the place at one destination and the
 * peer at another. Such a socket gets its place put right when it is used, or
 * is denied when the peer's places are taken.
 *
 * Nothing tells of sockets that are closed; those whose places are needed are
 * looked for when a limit is reached.
 *
 * Every failure to keep the account denies: a place that cannot be written down
 * is not handed out.
 */
#include "checmate-net.bpf.h"

struct checmate_params {
	CHECMATE_PARAM_NUMBER(per_destination, "per-destination", "10", 0, 16384,
			      "Sockets that may have one destination at a time");
	CHECMATE_PARAM_NUMBER(total, "total", "1024", 0, 16384,
			      "Sockets that may have any destination");
	CHECMATE_PARAM_ENDPOINTS(destinations, "destinations", "0.0.0.0/0:0-65535,[::]/0:0-65535",
				 "Destinations at which places are counted");
	CHECMATE_PARAM_ERRNO(deny_errno, "deny-errno", "EUSERS",
			     "Error of a call for which there is no place");
};

CHECMATE_POLICY_UNSHARED("net-limit", "1",
			 "So many sockets per destination and in all, and no more");

/* The most sockets that can have a place. The parameters have it in digits. */
#define SOCKETS_MAX 16384

/**
 * struct claim - which place a socket has
 * @lock: protects @held and @to
 * @held: false while the socket has none; @to is then meaningless
 * @to: the destination
 * @sk: the socket; only what is_closed() does may be done with it
 */
struct claim {
	struct bpf_spin_lock lock;
	__u32 held;
	struct checmate_event_endpoint to;
	__u64 sk;
};

/*
 * By the socket's cookie, which no other socket ever has. What is not in use
 * takes no memory.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SOCKETS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct claim);
} claims SEC(".maps");

#define BUCKETS 4096
#define BUCKET_PLACES 8

/**
 * struct bucket - counts of the destinations with one hash
 * @lock: protects all members
 * @place: destinations; those where nobody has a place are free for another
 */
struct bucket {
	struct bpf_spin_lock lock;
	struct place {
		struct checmate_event_endpoint at;
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

/**
 * struct account - the sum of it all
 * @lock: protects @holders
 * @holders: sockets that have a place
 * @seed: of the hash, so that nobody can fill a bucket at will; 0 at first
 */
struct account {
	struct bpf_spin_lock lock;
	__u32 holders;
	__u32 seed;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct account);
} accounts SEC(".maps");

static __always_inline struct account *find_account(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&accounts, &zero);
}

/* --- places ---------------------------------------------------------------- */

/*
 * What is not static here is so for the verifier, which goes through such a function once,
 * and not once for each way that leads to each call of it. It cannot know that what they
 * are handed is there.
 */

static __always_inline bool same(const struct checmate_event_endpoint *a,
				 const struct checmate_event_endpoint *b)
{
	return a->addr[0] == b->addr[0] && a->addr[1] == b->addr[1] && a->addr[2] == b->addr[2] &&
	       a->addr[3] == b->addr[3] && a->family == b->family && a->port == b->port &&
	       a->protocol == b->protocol;
}

/* The family and the port. */
static __always_inline __u32 kind(const struct checmate_event_endpoint *endpoint)
{
	return *(const __u32 *)&endpoint->family;
}

/* The same with few branches: the verifier goes through this for every place. */
static __always_inline bool is_at(const struct place *place,
				  const struct checmate_event_endpoint *to)
{
	const struct checmate_event_endpoint *at = &place->at;

	if (!place->holders || at->addr[0] != to->addr[0])
		return false;
	return !((at->addr[1] ^ to->addr[1]) | (at->addr[2] ^ to->addr[2]) |
		 (at->addr[3] ^ to->addr[3]) | (kind(at) ^ kind(to)) |
		 (at->protocol ^ to->protocol));
}

static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash ^= word;
	hash *= 0x9e3779b1;
	return hash ^ (hash >> 15);
}

static __always_inline struct bucket *find_bucket(const struct checmate_event_endpoint *to)
{
	struct account *account = find_account();
	__u32 hash;

	if (!account)
		return NULL;
	/* Whoever is first decides for all. */
	if (!account->seed)
		__sync_val_compare_and_swap(&account->seed, 0, bpf_get_prandom_u32() | 1);

	hash = account->seed;
	for (int i = 0; i < 4; i++)
		hash = mix(hash, to->addr[i]);
	hash = mix(hash, (__u32)to->port << 16 | to->protocol);
	hash %= BUCKETS;
	return bpf_map_lookup_elem(&buckets, &hash);
}

/* Give one of @limit places in all to one more socket, if there is one. */
static __always_inline bool take_any(__u64 limit)
{
	struct account *account = find_account();
	bool taken = false;

	/* No place: nobody could count it. */
	if (!account)
		return false;

	bpf_spin_lock(&account->lock);
	if (account->holders < limit) {
		account->holders++;
		taken = true;
	}
	bpf_spin_unlock(&account->lock);
	return taken;
}

static __always_inline void release_any(void)
{
	struct account *account = find_account();

	if (!account)
		return;

	bpf_spin_lock(&account->lock);
	account->holders--;
	bpf_spin_unlock(&account->lock);
}

/* Give one of @limit places at @to to one more socket, if there is one. */
__noinline int take_there(const struct checmate_event_endpoint *to, __u64 limit)
{
	struct bucket *bucket;
	bool taken = false;

	if (!to)
		return 0;
	bucket = find_bucket(to);
	/* No place: nobody could count it. */
	if (!bucket)
		return 0;

	bpf_spin_lock(&bucket->lock);
	for (int i = 0; i < BUCKET_PLACES; i++) {
		struct place *place = &bucket->place[i];

		if (!is_at(place, to))
			continue;
		if (place->holders < limit) {
			place->holders++;
			taken = true;
		}
		goto out;
	}
	if (!limit)
		goto out;
	/* No socket has a place there yet. When the bucket is full, none gets one. */
	for (int i = 0; i < BUCKET_PLACES; i++) {
		struct place *place = &bucket->place[i];

		if (place->holders)
			continue;
		place->at = *to;
		place->holders = 1;
		taken = true;
		break;
	}
out:
	bpf_spin_unlock(&bucket->lock);
	return taken;
}

__noinline int release_there(const struct checmate_event_endpoint *to)
{
	struct bucket *bucket;

	if (!to)
		return 0;
	bucket = find_bucket(to);
	if (!bucket)
		return 0;

	bpf_spin_lock(&bucket->lock);
	for (int i = 0; i < BUCKET_PLACES; i++) {
		struct place *place = &bucket->place[i];

		if (!is_at(place, to))
			continue;
		place->holders--;
		break;
	}
	bpf_spin_unlock(&bucket->lock);
	return 0;
}

/* --- claims ---------------------------------------------------------------- */

/* Have the claim of a socket, if there is one, say nothing, and give back what it said. */
__noinline int drop_claim(__u64 cookie)
{
	struct claim *claim = bpf_map_lookup_elem(&claims, &cookie);
	struct checmate_event_endpoint old;
	__u32 held;

	if (!claim)
		return 0;

	bpf_spin_lock(&claim->lock);
	held = claim->held;
	old = claim->to;
	claim->held = 0;
	bpf_spin_unlock(&claim->lock);

	if (held) {
		release_there(&old);
		release_any();
	}
	return 0;
}

/*
 * Whether the socket of a claim is closed. A socket that is not has this cookie
 * and a reference. Memory that was freed, or is another socket's by now, has
 * not both: no cookie is given out twice.
 */
static __always_inline bool is_closed(__u64 sk, __u64 cookie)
{
	const struct sock *sock = (const struct sock *)sk;
	__s64 now;
	int refs;

	if (bpf_core_read(&now, sizeof(now), &sock->__sk_common.skc_cookie.counter) ||
	    bpf_core_read(&refs, sizeof(refs), &sock->__sk_common.skc_refcnt.refs.counter))
		return true;
	return (__u64)now != cookie || !refs;
}

static long forget_closed(void *map, const __u64 *key, struct claim *claim, void *unused)
{
	__u64 cookie = *key;

	if (!is_closed(claim->sk, cookie))
		return 0;

	/* Linux 6.1 lets nobody lock what it hands to a callback. */
	drop_claim(cookie);
	bpf_map_delete_elem(&claims, &cookie);
	return 0;
}

/* Give back the places of sockets that are closed. */
__noinline int sweep(void)
{
	bpf_for_each_map_elem(&claims, forget_closed, NULL, 0);
	return 0;
}

/**
 * struct request - What a socket asks for.
 * @call: the call; its object is the destination.
 * @cookie: the socket's.
 * @sk: its address.
 * @total: how many sockets may have a place.
 * @per_destination: how many may have one at one destination.
 */
struct request {
	struct checmate_net_call call;
	__u64 cookie;
	__u64 sk;
	__u64 total;
	__u64 per_destination;
};

/* The claim of a socket, made if need be; NULL when there is no room. */
static __always_inline struct claim *need_claim(const struct request *request)
{
	__u64 cookie = request->cookie;
	struct claim *claim = bpf_map_lookup_elem(&claims, &cookie);
	struct claim none = { .sk = request->sk };

	if (claim)
		return claim;
	/* Another thread may be first with the same socket, which is as well. */
	if (bpf_map_update_elem(&claims, &cookie, &none, BPF_NOEXIST) == -E2BIG) {
		sweep();
		bpf_map_update_elem(&claims, &cookie, &none, BPF_NOEXIST);
	}
	return bpf_map_lookup_elem(&claims, &cookie);
}

/* Whether @claim has a place; with @to, whether it has one there. */
static __always_inline bool has_place(struct claim *claim, const struct checmate_event_endpoint *to)
{
	bool has;

	bpf_spin_lock(&claim->lock);
	has = claim->held && (!to || same(&claim->to, to));
	bpf_spin_unlock(&claim->lock);
	return has;
}

/*
 * Have the socket have a place at its destination; 0, with all as it was, if there is none.
 *
 * Every place taken goes into the claim and every place that comes out of it is
 * given back, so that threads here with one socket cannot make the sums differ.
 * While they are, a place may be taken twice for a moment.
 */
__noinline int take_place(const struct request *request)
{
	const struct checmate_event_endpoint *to;
	struct checmate_event_endpoint old;
	bool counted = false;
	struct claim *claim;
	__u32 held;

	if (!request)
		return 0;
	to = &request->call.object;
	claim = need_claim(request);
	/* No place: it could not be counted. */
	if (!claim)
		return 0;
	if (has_place(claim, to))
		return 1;

	if (!has_place(claim, NULL)) {
		if (!take_any(request->total)) {
			sweep();
			if (!take_any(request->total))
				return 0;
		}
		counted = true;
	}
	if (!take_there(to, request->per_destination)) {
		sweep();
		if (!take_there(to, request->per_destination)) {
			if (counted)
				release_any();
			return 0;
		}
	}

	bpf_spin_lock(&claim->lock);
	held = claim->held;
	old = claim->to;
	/* Somebody gave back what was to be moved, and it may be gone by now. */
	if (held || counted) {
		claim->held = 1;
		claim->to = *to;
	}
	bpf_spin_unlock(&claim->lock);

	if (held) {
		release_there(&old);
		if (counted)
			release_any();
		return 1;
	}
	if (counted)
		return 1;
	release_there(to);
	return 0;
}

/* --- judging --------------------------------------------------------------- */

/* The wildcard address as a destination means this host. */
static __always_inline void set_host(struct checmate_event_endpoint *to)
{
	if (to->addr[0] || to->addr[1] || to->addr[2] || to->addr[3])
		return;
	if (to->family == AF_INET)
		to->addr[0] = bpf_htonl(0x7f000001);
	else
		to->addr[3] = bpf_htonl(1);
}

static __always_inline bool is_connected(struct sock *sk)
{
	unsigned char state = sk->__sk_common.skc_state;

	return state != TCP_CLOSE && state != TCP_LISTEN;
}

/* False when @sk has no peer. */
static __always_inline bool get_peer(struct sock *sk, struct checmate_event_endpoint *peer)
{
	__u16 family = sk->__sk_common.skc_family;

	if (!is_connected(sk))
		return false;

	if (family == AF_INET) {
		peer->family = AF_INET;
		peer->addr[0] = sk->__sk_common.skc_daddr;
	} else if (family == AF_INET6) {
		checmate_net_set_in6(peer, sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[0],
				     sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[1],
				     sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[2],
				     sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[3]);
	} else {
		return false;
	}
	/* Protocols that keep their peers elsewhere leave this empty. */
	if (!(peer->addr[0] | peer->addr[1] | peer->addr[2] | peer->addr[3]))
		return false;

	peer->port = bpf_ntohs(sk->__sk_common.skc_dport);
	peer->protocol = checmate_net_protocol(family, sk->sk_protocol);
	return true;
}

enum limit {
	LIMIT_NONE, /* places are not counted there */
	LIMIT_COUNTED, /* they are */
	LIMIT_DENY, /* nobody knows whether they are */
};

/* What is to be done about a destination. */
static __always_inline int limit_find(const struct checmate_self *self,
				      const struct checmate_event_endpoint *to)
{
	switch (checmate_net_find(self, &self->param->destinations, to)) {
	case 1:
		return LIMIT_COUNTED;
	case 0:
		return LIMIT_NONE;
	default:
		return LIMIT_DENY;
	}
}

/* The same for that of a call, which is filled in. */
static __always_inline int limit_read(const struct checmate_self *self,
				      struct checmate_net_call *call)
{
	/* Deny: not understood. */
	if (!checmate_net_read(call))
		return LIMIT_DENY;
	set_host(&call->object);
	return limit_find(self, &call->object);
}

/* Whether @sk, which is no connected stream, may have the destination of @request. */
static __always_inline bool may_have(const struct checmate_self *self, struct sock *sk,
				     struct request *request, int limit)
{
	/* Deny: who has no sock cannot be accounted for. */
	if (!sk)
		return false;
	switch (limit) {
	case LIMIT_COUNTED:
		request->cookie = bpf_get_socket_cookie(sk);
		request->sk = (__u64)sk;
		request->total = self->param->total;
		request->per_destination = self->param->per_destination;
		/* Deny: it could not be counted, or there is no place. */
		return take_place(request);
	case LIMIT_NONE:
		drop_claim(bpf_get_socket_cookie(sk));
		return true;
	default:
		/* Deny: see above. */
		return false;
	}
}

/* Whether a socket may have the destination of a call; @request has the call. */
static __always_inline bool may_call(const struct checmate_self *self, struct sock *sk,
				     struct request *request)
{
	return !checmate_net_concerns(&request->call) ||
	       may_have(self, sk, request, limit_read(self, &request->call));
}

/* Whether a socket may be used as it is connected; if not, @request has its peer. */
static __always_inline bool may_use(const struct checmate_self *self, struct sock *sk,
				    struct request *request)
{
	struct checmate_event_endpoint peer = {};
	struct claim *claim;
	__u64 cookie;

	/* Deny: who has no sock cannot be accounted for. */
	if (!sk) {
		request->call = (struct checmate_net_call){};
		return false;
	}
	cookie = bpf_get_socket_cookie(sk);
	claim = bpf_map_lookup_elem(&claims, &cookie);
	/* It never asked for a place. */
	if (!claim || !get_peer(sk, &peer))
		return true;
	set_host(&peer);
	if (has_place(claim, &peer))
		return true;
	request->call = (struct checmate_net_call){ .object = peer };
	return may_have(self, sk, request, limit_find(self, &peer));
}

/*
 * A stream that has a peer cannot be connected elsewhere, and sends to nobody
 * else: the kernel refuses that, or looks at no name, and the place must not
 * move.
 */
static __always_inline bool is_settled(struct socket *sock, struct sock *sk)
{
	return sk && sock->type == SOCK_STREAM && is_connected(sk);
}

CHECMATE_PROGRAM(socket_connect, limit_connect, struct socket *sock, struct sockaddr *address,
		 int addrlen)
{
	struct sock *sk = checmate_net_sk(sock);
	struct request request;

	checmate_net_begin(sk, address, addrlen, &request.call);
	if (sk && checmate_net_unspec(&request.call)) {
		drop_claim(bpf_get_socket_cookie(sk));
		return checmate_allow();
	}
	if (is_settled(sock, sk) || may_call(self, sk, &request))
		return checmate_allow();
	return checmate_deny_endpoint(self, "socket_connect", self->param->deny_errno,
				      &request.call.object);
}

CHECMATE_PROGRAM(socket_sendmsg, limit_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct sock *sk = checmate_net_sk(sock);
	const void *name = msg->msg_name;
	struct request request;
	bool may;

	if (name && !is_settled(sock, sk)) {
		checmate_net_begin(sk, name, msg->msg_namelen, &request.call);
		may = may_call(self, sk, &request);
	} else {
		may = may_use(self, sk, &request);
	}
	if (may)
		return checmate_allow();
	return checmate_deny_endpoint(self, "socket_sendmsg", self->param->deny_errno,
				      &request.call.object);
}

CHECMATE_PROGRAM(socket_recvmsg, limit_recvmsg, struct socket *sock, struct msghdr *msg, int size,
		 int flags)
{
	struct sock *sk = checmate_net_sk(sock);
	struct request request;

	if (may_use(self, sk, &request))
		return checmate_allow();
	return checmate_deny_endpoint(self, "socket_recvmsg", self->param->deny_errno,
				      &request.call.object);
}
