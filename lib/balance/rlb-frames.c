/* SPDX-License-Identifier: Apache-2.0 */

/* Messages of receive load balancing: what ARP and neighbour discovery say, of
 * the host and to it, and how clients are told. */

#include <config.h>
#include "balance/rlb.h"

#include <stdlib.h>
#include <string.h>
#include "core/effects.h"
#include "util.h"
#include "wire/arp.h"
#include "wire/nd.h"

static struct bnd_ip
ip4(uint32_t ip)
{
    struct bnd_ip x;

    memset(&x, 0, sizeof x);
    x.ip4 = ip;
    return x;
}

static struct bnd_ip
ip6(const struct bnd_ip6 *ip)
{
    struct bnd_ip x;

    memset(&x, 0, sizeof x);
    x.is_ip6 = true;
    x.ip6 = *ip;
    return x;
}

static bool
is_anonymous(const struct bnd_ip *ip)
{
    static const struct bnd_ip6 none;

    return ip->is_ip6 ? !memcmp(&ip->ip6, &none, sizeof none) : !ip->ip4;
}

/* What a message is about. */
struct news {
    bool is_nd;
    bool is_answer;             /* Else it is a question. */
    struct eth_addr dst;        /* Of the frame. */
    struct bnd_rlb_server from; /* Who speaks, and the VLAN... */
    struct bnd_ip to;           /* ...and to whom, or of whom. */
    struct eth_addr sha;        /* The Ethernet address of who speaks. */
    struct eth_addr tha;        /* And of the other one, if it is told. */
};

/* Reads the 'len' bytes at 'data'.  Returns false if they are no message that
 * we understand. */
static bool
read_news(const uint8_t *data, size_t len, struct news *news)
{
    struct bnd_cursor c = bnd_cursor(data, len);
    struct bnd_eth eth = bnd_eth_decode(&c);
    struct bnd_arp arp;
    struct bnd_nd nd;

    memset(news, 0, sizeof *news);
    news->dst = eth.dst;
    news->from.tags = bnd_eth_tags(&eth);
    if (eth.type == BND_ETH_TYPE_ARP && !bnd_arp_decode(c, &arp)) {
        news->is_answer = arp.op == BND_ARP_REPLY;
        news->from.ip = ip4(arp.spa);
        news->to = ip4(arp.tpa);
        news->sha = arp.sha;
        news->tha = arp.tha;
    } else if (eth.type == BND_ETH_TYPE_IPV6 && !bnd_nd_decode(c, &nd)) {
        news->is_nd = true;
        news->is_answer = nd.is_advert;
        news->from.ip = ip6(nd.is_advert ? &nd.target : &nd.src);
        news->to = ip6(nd.is_advert ? &nd.dst : &nd.target);
        news->sha = eth.src;
    } else {
        return false;
    }
    if (bnd_eth_addr_is_zero(news->tha)
        && !bnd_eth_addr_is_multicast(eth.dst)) {
        news->tha = eth.dst;
    }
    return true;
}

/* The host's own. */

/* A request to all has told the client the host's own address.  Returns false
 * if it can be told otherwise as ever; or true, and '*delay', if such requests
 * keep coming, so that it would be right for a moment only. */
static bool
is_turned_often(struct bnd_rlb_entry *e, long long int now,
                long long int *delay)
{
    long long int before = e->turned;

    e->n_turns = now - before < BND_RLB_OFTEN ? e->n_turns + 1 : 1;
    e->turned = now;
    *delay = MAX(BND_RLB_SOON, before + BND_RLB_PAUSE - now);
    return e->n_turns > BND_RLB_PATIENCE;
}

/* Everybody has heard that the host's own address is the one of 'server'.
 * Whom that is news for believes nothing else for a while, unless it is
 * urgent, so what was to be told soon is told later. */
static void
note_broadcast(struct bnd_rlb *r, const struct bnd_rlb_input *in,
               const struct bnd_rlb_server *server)
{
    for (size_t i = 0; i < r->n; i++) {
        struct bnd_rlb_entry *e = &r->entries[i];
        long long int delay;

        if (!bnd_rlb_same_server(&e->server, server)
            || bnd_eth_addr_equal(e->told, in->macs->host)) {
            continue;
        }
        e->told = in->macs->host;
        if (!e->urgent) {
            e->due = BND_NEVER;
        }
        if (bnd_eth_addr_equal(bnd_macs_get(in->macs, e->member), e->told)) {
            continue;
        }
        if (is_turned_often(e, in->now, &delay)) {
            bnd_rlb_mark(e, delay, 1, true, in->now);
        } else {
            bnd_rlb_mark(e, BND_RLB_DELAY, e->urgent ? 2 : 1, false, in->now);
        }
    }
}

/* Gives the frame of 'm' to 'member', if that is anybody, with 'src' as its
 * source. */
static void
send_by(struct bnd_rlb_message *m, bnd_id member, struct eth_addr src,
        struct bnd_effects *fx)
{
    if (member) {
        bnd_eth_set_src(m->data, m->len, src);
        bnd_fx_frame(fx, member, m->data, m->len);
        m->data = NULL;
    }
}

static void
read_host(struct bnd_rlb *r, const struct bnd_rlb_input *in,
          struct bnd_rlb_message *m, struct bnd_effects *fx)
{
    struct eth_addr host = bnd_macs_get(in->macs, in->active);
    struct bnd_rlb_entry *e;
    struct news news;
    struct eth_addr mac;
    bool to_all, fresh;

    /* What is not for one client leaves as it is. */
    if (!read_news(m->data, m->len, &news) || is_anonymous(&news.from.ip)
        || !bnd_macs_is_ours(in->macs, news.sha)) {
        send_by(m, in->active, host, fx);
        return;
    }
    to_all = (bnd_eth_addr_is_multicast(news.dst)
              && !(news.is_nd && !news.is_answer));
    if (bnd_rlb_same_ip(&news.from.ip, &news.to)
        || (to_all && news.is_answer)) {
        send_by(m, in->active, host, fx);
        if (to_all) {
            note_broadcast(r, in, &news.from);
        }
        return;
    }

    e = bnd_rlb_choose(r, in, &news.from, &news.to, news.tha, &fresh, fx);
    if (!e) {
        return;
    }
    mac = bnd_macs_get(in->macs, e->member);
    if (to_all) {
        send_by(m, e->member, mac, fx);
        note_broadcast(r, in, &news.from);
        return;
    }
    if (!news.is_nd) {
        bnd_arp_set_sha(m->data, m->len, mac);
        e->told = mac;
    } else if (bnd_nd_set_link(m->data, m->len, mac)) {
        e->told = mac;
    }
    send_by(m, e->member, mac, fx);
    if (fresh) {
        /* It may not believe what it has just asked for, if it knew
         * otherwise. */
        bnd_rlb_mark(e, BND_RLB_DELAY, 1, false, in->now);
    }
}

/* Others'. */

static void
read_other(struct bnd_rlb *r, const struct bnd_rlb_input *in,
           const struct bnd_rlb_message *m)
{
    struct bnd_rlb_server server;
    struct bnd_rlb_entry *e;
    struct news news;

    if (!read_news(m->data, m->len, &news) || is_anonymous(&news.from.ip)
        || bnd_eth_addr_is_zero(news.sha)
        || bnd_eth_addr_is_multicast(news.sha)
        || bnd_macs_is_ours(in->macs, news.sha)) {
        return;
    }
    /* Somebody else has a server's address now. */
    for (size_t i = 0; i < r->n; ) {
        e = &r->entries[i];
        if (bnd_rlb_same_server(&e->server, &news.from)) {
            bnd_rlb_remove(r, i);
        } else {
            i++;
        }
    }

    server = news.from;
    server.ip = news.to;
    e = bnd_rlb_find(r, &server, &news.from.ip);
    if (e) {
        e->used = in->now;
        if (!bnd_eth_addr_equal(e->client_mac, news.sha)) {
            e->client_mac = news.sha;
            bnd_rlb_mark(e, BND_RLB_DELAY, 1, false, in->now);
        }
    }
}

void
bnd_rlb_read(struct bnd_rlb *r, const struct bnd_rlb_input *in,
             struct bnd_rlb_message *m, struct bnd_effects *fx)
{
    if (m->is_host) {
        read_host(r, in, m, fx);
    } else {
        read_other(r, in, m);
    }
}

/* Telling. */

static void
tell_arp(const struct bnd_rlb_entry *e, bnd_id member, struct eth_addr mac,
         bool reply, struct bnd_effects *fx)
{
    static const struct eth_addr zero;
    uint8_t *frame = xmalloc(BND_ARP_FRAME_MAX);
    struct bnd_writer w = bnd_writer(frame, BND_ARP_FRAME_MAX);
    struct bnd_arp arp = {
        .op = reply ? BND_ARP_REPLY : BND_ARP_REQUEST,
        .sha = mac,
        .spa = e->server.ip.ip4,
        .tha = reply ? e->client_mac : zero,
        .tpa = (reply ? &e->client : &e->server.ip)->ip4,
    };

    bnd_arp_encode(&w, e->client_mac, mac, &e->server.tags, &arp);
    bnd_fx_frame(fx, member, frame, w.pos);
}

static void
tell_nd(const struct bnd_rlb_entry *e, bnd_id member, struct eth_addr mac,
        struct bnd_effects *fx)
{
    uint8_t *frame = xmalloc(BND_ND_FRAME_MAX);
    struct bnd_writer w = bnd_writer(frame, BND_ND_FRAME_MAX);

    bnd_nd_solicit_one(&w, mac, e->client_mac, &e->server.tags,
                       &e->server.ip.ip6, &e->client.ip6);
    bnd_fx_frame(fx, member, frame, w.pos);
}

void
bnd_rlb_tell(struct bnd_rlb_entry *e, bnd_id member, struct eth_addr mac,
             struct bnd_effects *fx)
{
    for (int i = 0; i < 2; i++) {
        if (e->client.is_ip6) {
            tell_nd(e, member, mac, fx);
        } else {
            tell_arp(e, member, mac, true, fx);
        }
    }
    if (e->urgent && !e->client.is_ip6) {
        tell_arp(e, member, mac, false, fx);
    }
    e->told = mac;
}
