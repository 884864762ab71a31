/* SPDX-License-Identifier: Apache-2.0 */

/* Receive load balancing
 * ======================
 *
 * A peer sends to the host by whatever Ethernet address ARP has told it.  So
 * each peer ("client") is told, for each of the host's IP addresses that it
 * speaks to ("server"), the logical address of one member, and what it sends
 * comes in there:
 *
 *   - The host's ARP goes through here.  Replies, and requests to one station,
 *     are rewritten and leave by the client's member.
 *   - A request to all cannot be rewritten, as everybody notes the sender.  It
 *     leaves with the host's address in it, and those who should have another
 *     one are told again a while later.
 *   - When a member cannot be used any more, its clients get another member
 *     and are told at once, and a few times more; when one can be used, it
 *     gets its share of clients.  The same when the logical address of a
 *     member changes.
 *   - Whoever claims a server's address takes it away; a client that answers
 *     from another Ethernet address is told there.
 *
 * A client is told by two unicast ARP replies.  Where that cannot wait, also
 * by a unicast request in the form of a gratuitous one, as Linux does not
 * believe a reply that comes within a second of the last change.
 *
 * Clients, as far as they have spoken lately, are shared out evenly over the
 * fastest members, as many as possible staying where they are.
 *
 * With neighbour discovery (IPv6) it is all the same, but that a question is
 * heard only by the one that it is about, so that it can be rewritten, too;
 * and clients are told by unicast solicitations, which say nothing about
 * whether the host is a router.
 *
 * We differ from Linux:
 *   - A client is known by its IP address, the server's, and VLAN, instead of
 *     the XOR of four octets.  When there are too many, whoever spoke least
 *     lately gives way (and is told the host's own address).
 *   - News are told at once where a member failed, not after two seconds; and
 *     many requests in a row do not put them off; and where such follow each
 *     other for long, news do not wait at all.
 *   - Requests to one station are rewritten, so that it does not move back and
 *     forth.
 *   - The host's gratuitous ARP and probes leave by the active member.
 *   - A returning member gets no more than its share, and only those who move
 *     are told.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-alb; what Linux
 * 6.1 was seen to do; RFC 826, RFC 4861. */

#ifndef BND_RLB_H
#define BND_RLB_H 1

#include <stddef.h>
#include "balance/macs.h"
#include "wire/ip.h"

struct bnd_effects;

#define BND_RLB_MAX 1024        /* Clients. */
#define BND_RLB_QUEUE 256       /* Messages that wait for a pass. */

#define BND_RLB_HOPE 3000       /* ms until who does not answer is nobody... */
#define BND_RLB_IDLE 300000     /* ...and who is silent does not count when
                                 * clients are shared out. */

#define BND_RLB_DELAY 2100      /* ms until news that can wait are told... */
#define BND_RLB_PATIENCE 2      /* ...or, if requests to all have turned the
                                 * client away more often in a row... */
#define BND_RLB_OFTEN 5000      /* ...with no more than so many ms between, */
#define BND_RLB_SOON 100        /* so soon... */
#define BND_RLB_PAUSE 1000      /* ...but not more often than that... */
#define BND_RLB_REPEAT 1100     /* ...between two times if they cannot... */
#define BND_RLB_TIMES 4         /* ...so many of them... */
#define BND_RLB_SHARE_TIMES 2   /* ...or so many, if it is for the sake of even
                                 * shares. */

/* One of the host's addresses. */
struct bnd_rlb_server {
    struct bnd_ip ip;
    struct bnd_tags tags;
};

struct bnd_rlb_entry {
    struct bnd_rlb_server server;
    struct bnd_ip client;
    bool listed;                /* The server has been among the host's
                                 * addresses. */
    struct eth_addr client_mac; /* Zero if it is not known yet. */
    struct eth_addr told;       /* The server's, to the client's knowledge. */
    bnd_id member;              /* Whose clients it is, or BND_NO_MEMBER... */
    long long int since;        /* ...since then, ms. */
    long long int used;         /* Seen last, ms. */
    long long int turned;       /* When a request to all last told it the
                                 * host's own address, ms... */
    int n_turns;                /* ...and how often in a row. */

    /* News for the client: when, or BND_NEVER; how often; how far apart; and
     * whether it is urgent. */
    long long int due;
    int n_left;
    long long int repeat;
    bool urgent;
};

struct bnd_rlb_message {
    bool is_host;               /* The host's own, to be sent. */
    uint8_t *data;              /* Frame; owned... */
    size_t len;                 /* ...and its length. */
};

struct bnd_rlb {
    struct bnd_rlb_entry *entries; /* In order of joining; owned... */
    size_t n;                   /* ...so many of them. */
    bnd_id last;                /* Who got the last new client. */
    struct bnd_rlb_message *queue; /* Owned... */
    size_t n_queue;             /* ...so many of them. */
    bnd_id *known;              /* Members of the last assignment; owned... */
    size_t n_known;             /* ...so many of them. */
    struct bnd_rlb_server *servers; /* As told last; owned... */
    size_t n_servers;           /* ...so many of them. */
    long long int wake;         /* As of the last pass, ms. */
};

/* What it works on: the 'n' members that can be used, in order. */
struct bnd_rlb_input {
    const struct bnd_member *const *members;
    size_t n;
    bnd_id active;
    const struct bnd_macs *macs;
    long long int now;
};

/* Zeroed: there are no clients. */
void bnd_rlb_uninit(struct bnd_rlb *);

/* Takes in a copy of a frame, which may be anything: one of the host's, to be
 * sent, or one that has come in.  The next bnd_rlb_send() looks at it. */
void bnd_rlb_take(struct bnd_rlb *, bool is_host, const uint8_t *data,
                  size_t len);

/* Tells the host's addresses.  What it has no more, nobody is a client of. */
void bnd_rlb_set_servers(struct bnd_rlb *, const struct bnd_rlb_server *,
                         size_t n);

/* Makes sure that every client has a member that can be used, if one can. */
void bnd_rlb_assign(struct bnd_rlb *, const struct bnd_rlb_input *);

/* Looks at what was taken in and tells what there is to tell. */
void bnd_rlb_send(struct bnd_rlb *, const struct bnd_rlb_input *,
                  struct bnd_effects *);

/* When bnd_rlb_send() has something to do. */
long long int bnd_rlb_wake_time(const struct bnd_rlb *);

/* The one of 'server' and 'client', or null. */
struct bnd_rlb_entry *bnd_rlb_find(const struct bnd_rlb *,
                                   const struct bnd_rlb_server *server,
                                   const struct bnd_ip *client);

/* Are the addresses (and VLANs) the same? */
bool bnd_rlb_same_ip(const struct bnd_ip *, const struct bnd_ip *);
bool bnd_rlb_same_server(const struct bnd_rlb_server *,
                         const struct bnd_rlb_server *);

/* For rlb-frames.c.
 *
 * bnd_rlb_choose() finds the client, or lets it in, with 'mac' unless that is
 * that of no station; '*fresh' says which.  It returns null if there is no
 * member.
 *
 * bnd_rlb_mark() has the client told 'n' times, the first time after 'delay'.
 * It does nothing as long as it is not known where the client is. */
struct bnd_rlb_entry *
bnd_rlb_choose(struct bnd_rlb *, const struct bnd_rlb_input *,
               const struct bnd_rlb_server *server,
               const struct bnd_ip *client, struct eth_addr mac, bool *fresh,
               struct bnd_effects *);
void bnd_rlb_mark(struct bnd_rlb_entry *, long long int delay, int n,
                  bool urgent, long long int now);
void bnd_rlb_remove(struct bnd_rlb *, size_t i);

/* Looks at a message (rlb-frames.c); 'm->data' may be given away, when it is
 * null then. */
void bnd_rlb_read(struct bnd_rlb *, const struct bnd_rlb_input *,
                  struct bnd_rlb_message *m, struct bnd_effects *);

/* Tells the client that the server has 'mac', by 'member' (rlb-frames.c). */
void bnd_rlb_tell(struct bnd_rlb_entry *, bnd_id member, struct eth_addr mac,
                  struct bnd_effects *);

#endif /* rlb.h */
