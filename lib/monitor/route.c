/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "monitor/route.h"

#include <string.h>
#include "util.h"

/* Bytes of an IPv4 address, as an IPv6 one has them. */
static struct bnd_ip6
to_bytes(const struct bnd_ip *ip)
{
    return (ip->is_ip6 ? ip->ip6
            : (struct bnd_ip6) { { ip->ip4 >> 24, ip->ip4 >> 16,
                                   ip->ip4 >> 8, ip->ip4 } });
}

bool
bnd_ip_equal(const struct bnd_ip *a, const struct bnd_ip *b)
{
    return (a->is_ip6 == b->is_ip6
            && (a->is_ip6 ? !memcmp(&a->ip6, &b->ip6, sizeof a->ip6)
                : a->ip4 == b->ip4));
}

/* Are the first 'plen' bits of 'a' and 'b' the same? */
static bool
is_in_prefix(const struct bnd_ip *a, const struct bnd_ip *b, int plen)
{
    struct bnd_ip6 x = to_bytes(a), y = to_bytes(b);
    int n = MIN(plen, a->is_ip6 ? 128 : 32);

    if (a->is_ip6 != b->is_ip6 || memcmp(&x, &y, n / 8)) {
        return false;
    }
    return !(n % 8) || !((x.b[n / 8] ^ y.b[n / 8]) >> (8 - n % 8));
}

bool
bnd_tags_equal(const struct bnd_tags *a, const struct bnd_tags *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (int i = 0; i < a->n; i++) {
        if (a->tag[i].vid != b->tag[i].vid) {
            return false;
        }
    }
    return true;
}

/* Is 'h' an address of the host, on the bond or elsewhere? */
static bool
is_own(const struct bnd_host *h)
{
    return (h->kind == BND_HOST_ADDR
            || (h->kind == BND_HOST_ELSEWHERE && h->is_addr));
}

static bool
is_link_local(const struct bnd_ip *ip)
{
    return ip->is_ip6 && ip->ip6.b[0] == 0xfe && (ip->ip6.b[1] & 0xc0) == 0x80;
}

/* Returns the entry that covers 'target', or null. */
static const struct bnd_host *
find_cover(const struct bnd_host *hosts, size_t n, const struct bnd_ip *target)
{
    const struct bnd_host *best = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct bnd_host *h = &hosts[i];

        if (!h->plen || !is_in_prefix(&h->ip, target, h->plen)) {
            continue;
        }
        if (!best || h->plen > best->plen
            || (h->plen == best->plen
                && best->kind == BND_HOST_ELSEWHERE
                && h->kind != BND_HOST_ELSEWHERE)) {
            best = h;
        }
    }
    return best;
}

/* Returns the host's address that speaks to 'target' with 'tags', or null if there
 * is none.  In IPv4 it is one whose prefix covers the target; in IPv6 any one
 * does, one of the same scope first. */
static const struct bnd_host *
find_source(const struct bnd_host *hosts, size_t n,
            const struct bnd_ip *target, const struct bnd_tags *tags)
{
    const struct bnd_host *best = NULL;
    int best_rank = 0;

    for (size_t i = 0; i < n; i++) {
        const struct bnd_host *h = &hosts[i];
        int rank;

        if (h->kind != BND_HOST_ADDR || h->ip.is_ip6 != target->is_ip6
            || !bnd_tags_equal(&h->tags, tags)) {
            continue;
        }
        rank = (h->plen && is_in_prefix(&h->ip, target, h->plen)
                ? 3 + h->plen
                : !target->is_ip6 ? 0
                : is_link_local(&h->ip) == is_link_local(target) ? 2 : 1);
        if (rank > best_rank) {
            best_rank = rank;
            best = h;
        }
    }
    return best;
}

struct bnd_route
bnd_route_lookup(const struct bnd_host *hosts, size_t n,
                 const struct bnd_ip *target, int vlan, uint32_t source)
{
    struct bnd_route r = { .covered = vlan >= 0 };

    r.src.is_ip6 = target->is_ip6;
    for (size_t i = 0; i < n; i++) {
        if (is_own(&hosts[i]) && bnd_ip_equal(&hosts[i].ip, target)) {
            return (struct bnd_route) { .elsewhere = true, .src = r.src };
        }
    }
    if (vlan > 0) {
        r.tags = (struct bnd_tags) { .n = 1,
                                     .tag = { { BND_ETH_TYPE_VLAN, vlan } } };
    } else if (vlan < 0) {
        const struct bnd_host *h = find_cover(hosts, n, target);

        if (h && h->kind == BND_HOST_ELSEWHERE) {
            r.elsewhere = true;
            return r;
        }
        r.covered = h != NULL;
        if (h) {
            r.tags = h->tags;
        }
    }
    if (r.covered) {
        const struct bnd_host *h = find_source(hosts, n, target, &r.tags);

        if (h) {
            r.src = h->ip;
            r.mac = h->mac;
        }
    }
    if (!target->is_ip6 && !r.src.ip4) {
        r.src.ip4 = source;
    }
    return r;
}
