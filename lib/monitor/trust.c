/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "monitor/trust.h"

#include <string.h>
#include "util.h"
#include "wire/nd.h"

/* Has some member that is there the address 'mac', now or by itself? */
static bool
is_members_mac(const struct bnd_probe_input *in, struct eth_addr mac)
{
    for (size_t i = 0; i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];

        if (m->present && (bnd_eth_addr_equal(m->mac, mac)
                           || bnd_eth_addr_equal(m->perm_mac, mac))) {
            return true;
        }
    }
    return false;
}

/* Is the frame addressed to the bond, the host, or a group? */
static bool
is_for_us(const struct bnd_probe_input *in, struct eth_addr dst)
{
    if (bnd_eth_addr_is_multicast(dst) || is_members_mac(in, dst)) {
        return true;
    }
    for (size_t i = 0; i < in->n_hosts; i++) {
        if (in->hosts[i].kind == BND_HOST_ADDR
            && bnd_eth_addr_equal(in->hosts[i].mac, dst)) {
            return true;
        }
    }
    return false;
}

/* Returns the host's address 'ip' in the VLANs of 'tags', or null. */
static const struct bnd_host *
find_own(const struct bnd_probe_input *in, const struct bnd_ip *ip,
         const struct bnd_tags *tags)
{
    for (size_t i = 0; i < in->n_hosts; i++) {
        const struct bnd_host *h = &in->hosts[i];

        if (h->kind == BND_HOST_ADDR && bnd_ip_equal(&h->ip, ip)
            && bnd_tags_equal(&h->tags, tags)) {
            return h;
        }
    }
    return NULL;
}

/* Do probes of 't' come from 'ip' in the VLANs of 'tags', be it no address? */
static bool
is_probes_source(const struct bnd_target *t, const struct bnd_ip *ip,
                 const struct bnd_tags *tags)
{
    return (!t->route.elsewhere && bnd_ip_equal(&t->route.src, ip)
            && bnd_tags_equal(&t->route.tags, tags));
}

static bool
is_all_nodes(const struct bnd_ip *ip)
{
    struct bnd_ip6 all = bnd_ip6_link_multicast(1);

    return ip->is_ip6 && !memcmp(&ip->ip6, &all, sizeof all);
}

struct bnd_ip
bnd_probe_self(bool is_ip6, struct eth_addr mac)
{
    struct bnd_ip ip = { .is_ip6 = is_ip6 };

    if (is_ip6) {
        ip.ip6 = bnd_ip6_link_local(mac);
    }
    return ip;
}

static bool
is_self(const struct bnd_ip *ip, struct eth_addr mac)
{
    struct bnd_ip self = bnd_probe_self(ip->is_ip6, mac);

    return bnd_ip_equal(ip, &self);
}

/* Is what 'claim' says said to us by target 't'? */
static bool
is_to_us(const struct bnd_probe *p, const struct bnd_probe_input *in,
         const struct bnd_member *m, const struct bnd_claim *claim,
         const struct bnd_target *t)
{
    if (t->route.elsewhere || !bnd_tags_equal(&t->route.tags, &claim->tags)) {
        return false;
    }
    return (find_own(in, &claim->to, &claim->tags)
            || is_all_nodes(&claim->to)
            || (is_members_mac(in, claim->to_mac)
                && (bnd_ip_equal(&t->route.src, &claim->to)
                    || (bnd_probe_is_apart(p, in, m)
                        && is_self(&claim->to, claim->to_mac)))));
}

/* Is 'claim' from us, where it is a question for target 't'? */
static bool
is_from_us(const struct bnd_probe_input *in, const struct bnd_claim *claim,
           const struct bnd_target *t)
{
    const struct bnd_host *own = find_own(in, &claim->from, &claim->tags);

    return (is_members_mac(in, claim->from_mac)
            ? own || is_probes_source(t, &claim->from, &claim->tags)
            : own && bnd_eth_addr_equal(own->mac, claim->from_mac));
}

/* Is 'ip' target 't', or the group that those who look for it speak to? */
static bool
is_about(const struct bnd_target *t, const struct bnd_ip *ip)
{
    if (bnd_ip_equal(&t->ip, ip)) {
        return true;
    }
    if (!t->ip.is_ip6 || !ip->is_ip6) {
        return false;
    }

    struct bnd_ip6 group = bnd_nd_solicited_node(&t->ip.ip6);
    return !memcmp(&group, &ip->ip6, sizeof group);
}

static const struct bnd_member *
find_member(const struct bnd_probe_input *in, bnd_id id)
{
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->id == id && in->members[i]->present) {
            return in->members[i];
        }
    }
    return NULL;
}

/* Which of the essay's three rules is for 'm'? */
enum rule {
    RULE_TO_US,
    RULE_FROM_US,
    RULE_ANSWER_TO_US,
    RULE_NONE
};

static enum rule
choose_rule(const struct bnd_probe *p, const struct bnd_probe_input *in,
            const struct bnd_member *m, long long int arrival)
{
    const struct bnd_member *active = find_member(in, in->active);
    const struct bnd_member *tried = find_member(in, p->candidate);

    if (!in->search || bnd_probe_is_active(p, in, m)) {
        return RULE_TO_US;
    } else if (active && (bnd_probe_last_heard(p, in, active)
                          > active->probed[p->index].last_up)) {
        return RULE_FROM_US;
    } else if (tried && bnd_probe_is_fresh(p, tried->probed[p->index].last_tx,
                                           1, arrival)) {
        return RULE_ANSWER_TO_US;
    }
    return RULE_NONE;
}

int
bnd_trust(const struct bnd_probe *p, const struct bnd_probe_input *in,
          const struct bnd_member *m, const struct bnd_claim *claim,
          long long int arrival)
{
    enum rule rule = choose_rule(p, in, m, arrival);

    if (rule == RULE_NONE || !is_for_us(in, claim->dst)
        || (rule == RULE_ANSWER_TO_US && !claim->is_answer)) {
        return -1;
    }
    for (size_t i = 0; i < p->n_targets; i++) {
        const struct bnd_target *t = &p->targets[i];

        if (rule == RULE_FROM_US
            ? is_about(t, &claim->to) && is_from_us(in, claim, t)
            : (bnd_ip_equal(&t->ip, &claim->from)
               && is_to_us(p, in, m, claim, t))) {
            return i;
        }
    }
    return -1;
}
