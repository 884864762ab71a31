/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bond-walk.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "bond/bond-private.h"
#include "wire/lacpdu.h"
#include "xmit/resolve.h"

/* Longer than any delay that a walk sets, ms, and than LACP believes in a
 * partner that is silent. */
#define MAX_DELAY 500
#define LACP_SILENCE 100000

void
bond_walk_init(struct bond_walk *w, uint64_t seed, const uint8_t *data,
               size_t size)
{
    memset(w, 0, sizeof *w);
    w->random = seed * 0x9e3779b97f4a7c15 + 1;
    w->data = data;
    w->size = size;
    w->next_id = 1;
    svec_init(&w->log);
    ds_init(&w->effects);
    bond_rig_init(&w->jump, 1, false);
    bond_rig_init(&w->step, 1, true);
}

void
bond_walk_uninit(struct bond_walk *w)
{
    svec_destroy(&w->log);
    ds_destroy(&w->effects);
    bond_rig_uninit(&w->jump);
    bond_rig_uninit(&w->step);
    free(w->error);
}

static const char *const modes[] = {
    "balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad",
    "balance-slb", "balance-tcp", "balance-tlb", "balance-alb"
};
/* What fuzzing came upon stays as it is. */
#define N_FUZZ_MODES 7

static const char *const admins[] = { "up", "up", "drain", "down" };

static const char *const policies[] = {
    "layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"
};

/* Dice. */

static bool
is_over(const struct bond_walk *w)
{
    return w->error || (w->data && w->pos >= w->size);
}

/* Returns a number below 'n', which is at most 65536. */
static unsigned int
roll(struct bond_walk *w, unsigned int n)
{
    unsigned int x = 0;

    if (!w->data) {
        return bond_rig_random(&w->random) % n;
    }
    for (unsigned int left = n - 1; left; left >>= 8) {
        x = x << 8 | (w->pos < w->size ? w->data[w->pos++] : 0);
    }
    return x % n;
}

static const char *
either(struct bond_walk *w, const char *a, const char *b)
{
    return roll(w, 2) ? a : b;
}

static unsigned int
some_delay(struct bond_walk *w)
{
    return roll(w, 2) ? roll(w, MAX_DELAY) : 0;
}

/* In Mb/s; 0 if it is not known. */
static unsigned int
some_speed(struct bond_walk *w)
{
    static const unsigned int speeds[] = { 0, 100, 1000, 2500, 10000, 40000 };

    return speeds[roll(w, ARRAY_SIZE(speeds))];
}

static const char *
some_mode(struct bond_walk *w)
{
    return modes[roll(w, w->data ? N_FUZZ_MODES : ARRAY_SIZE(modes))];
}

/* Mostly a member; sometimes an id that nobody has. */
static bnd_id
any_member(struct bond_walk *w)
{
    bnd_id id = w->ids[roll(w, BOND_WALK_MEMBERS)];

    for (int i = 0; !id && i < BOND_WALK_MEMBERS; i++) {
        id = w->ids[i];
    }
    return roll(w, 32) ? id : roll(w, w->next_id + 2);
}

/* What may happen, each as a line of a script. */

static void
gen_link(struct bond_walk *w, struct ds *line)
{
    bnd_id id = any_member(w);

    switch (roll(w, 11)) {
    case 9:
        ds_put_format(line, "carrier %u up speed-lost", id);
        break;
    case 10:
        w->history = true;
        ds_put_format(line, "set %u prio=%d", id, (int) roll(w, 3) - 1);
        break;
    case 8:
        ds_put_format(line, "carrier %u up speed=%u", id, some_speed(w));
        break;
    case 0:
        ds_put_format(line, "carrier %u up reset", id);
        break;
    case 1:
        ds_put_format(line, "carrier %u down reset", id);
        break;
    case 2:
        ds_put_format(line, "carrier %u %s", id, either(w, "up", "down"));
        ds_put_format(line, " mac=02:00:00:%02x:00:%02x", roll(w, 256),
                      id & 0xff);
        break;
    case 3:
        ds_put_format(line, "may-enable %u %s", id, either(w, "on", "off"));
        break;
    default:
        ds_put_format(line, "carrier %u %s", id, either(w, "up", "down"));
        break;
    }
}

static void
gen_order(struct bond_walk *w, struct ds *line)
{
    bnd_id id = any_member(w);

    switch (roll(w, 4)) {
    case 3:
        switch (roll(w, 3)) {
        case 0:
            ds_put_format(line, "set %u queue-id=%u", id, roll(w, 4));
            break;
        case 1:
            ds_put_format(line, "set %u admin=%s", id,
                          admins[roll(w, ARRAY_SIZE(admins))]);
            break;
        default:
            ds_put_cstr(line, "set-active none");
            break;
        }
        break;
    case 0:
        ds_put_format(line, "force %u %s", id, either(w, "up", "down"));
        break;
    case 1:
        ds_put_format(line, "set-active %u", id);
        break;
    default:
        ds_put_format(line, "migrate %u %u", roll(w, BND_N_SLOTS + 1), id);
        break;
    }
}

static void
gen_bytes(struct bond_walk *w, struct ds *line)
{
    switch (roll(w, 3)) {
    case 0:
        ds_put_cstr(line, "bytes");
        break;
    case 1:
        ds_put_format(line, "bytes %u=", roll(w, BND_N_SLOTS));
        ds_put_format(line, "%u", roll(w, 65536) * 32);
        break;
    default:
        ds_put_format(line, "bytes random=%u", 1 + roll(w, 1000));
        break;
    }
}

/* A member joins, leaves, comes back. */
static void
gen_member(struct bond_walk *w, struct ds *line)
{
    int i = roll(w, BOND_WALK_MEMBERS);

    if (!w->ids[i]) {
        w->ids[i] = w->next_id++;
        w->away[i] = true;
    }
    if (w->away[i]) {
        /* Names out of order, so that the order of joining shows. */
        ds_put_format(line, "member %u %c%u %s", w->ids[i],
                      'a' + (int) (w->ids[i] * 7 % 26), w->ids[i],
                      either(w, "up", "down"));
        if (roll(w, 2)) {
            ds_put_format(line, " speed=%u", some_speed(w));
        }
        w->away[i] = false;
    } else if (roll(w, 2)) {
        ds_put_format(line, "del %u remember", w->ids[i]);
        w->away[i] = true;
    } else {
        ds_put_format(line, "del %u", w->ids[i]);
        w->ids[i] = BND_NO_MEMBER;
    }
}

/* Options on addresses, and devices that have a will of their own. */
static void
gen_address(struct bond_walk *w, struct ds *line)
{
    static const char *const whose[] = { "", "none", "active", "follow" };

    switch (roll(w, 4)) {
    case 0:
        ds_put_format(line, "refuse %u %s", any_member(w),
                      either(w, "on", "off"));
        break;
    case 1:
        ds_put_format(line, "carrier %u up", any_member(w));
        ds_put_format(line, " mac=02:00:00:00:00:%02x", roll(w, 8));
        break;
    case 2:
        ds_put_format(line, "bond address=%s",
                      either(w, "", "02:00:00:00:01:01"));
        break;
    default:
        ds_put_format(line, "bond fail-over-mac=%s", whose[roll(w, 4)]);
        break;
    }
}

/* Options of the monitors that send probes. */
static void
gen_probe_options(struct bond_walk *w, struct ds *line)
{
    static const char *const targets[] = { "10.0.0.254", "10.0.5.254",
                                           "10.0.0.254,10.0.0.253", "" };
    static const char *const combine[] = { "", "", "any", "all" };
    static const char *const vlans[] = { "", "", "0", "5" };

    ds_put_cstr(line, "bond");
    switch (roll(w, 4)) {
    case 0:
        ds_put_format(line, " arp-validate=%u", roll(w, 7));
        ds_put_format(line, " arp-all-targets=%u", roll(w, 2));
        ds_put_format(line, " arp-missed-max=%u", 1 + roll(w, 4));
        ds_put_format(line, " arp-pin-mac=%u", roll(w, 2));
        break;
    case 1:
        ds_put_format(line, " monitor-combine=%s", combine[roll(w, 4)]);
        ds_put_format(line, " arp-vlan=%s", vlans[roll(w, 4)]);
        ds_put_format(line, " arp-source=%s", either(w, "", "10.0.0.77"));
        break;
    default:
        ds_put_format(line, " arp-interval=%u", roll(w, 4) * 40);
        ds_put_format(line, " arp-ip-target=%s", targets[roll(w, 4)]);
        ds_put_format(line, " ns-ip6-target=%s",
                      either(w, "", "2001:db8::9"));
        break;
    }
}

/* What targets, other hosts and the members themselves say. */
static void
gen_neighbour(struct bond_walk *w, struct ds *line)
{
    static const char *const ips[] = { "10.0.0.1", "10.0.0.254", "10.0.0.253",
                                       "10.0.0.9", "0.0.0.0" };
    static const char *const ip6s[] = { "2001:db8::1", "2001:db8::9",
                                        "ff02::1", "ff02::1:ff00:9", "::" };
    bnd_id id = any_member(w);
    bool arp = roll(w, 2);

    if (arp) {
        ds_put_format(line, "arp %u %s", id, either(w, "reply", "request"));
        ds_put_format(line, " %s", ips[roll(w, 5)]);
        ds_put_format(line, " %s", ips[roll(w, 5)]);
    } else {
        ds_put_format(line, "nd %u %s", id, either(w, "advert", "solicit"));
        ds_put_format(line, " %s", ip6s[roll(w, 5)]);
        ds_put_format(line, " %s", ip6s[roll(w, 5)]);
    }
    if (roll(w, 4) == 0) {
        ds_put_format(line, " %s=0200000000%02x", arp ? "sha" : "src",
                      any_member(w) & 0xff);
    }
    if (roll(w, 4) == 0) {
        ds_put_format(line, " %s=02cc0000000%u", arp ? "sha" : "src",
                      roll(w, 3));
    }
    ds_put_cstr(line, roll(w, 8) ? "" : " vlan=5");
    if (roll(w, 4) == 0) {
        ds_put_format(line, " ago=%u", roll(w, 200));
    }
}

/* The host, the network around the bond, and a daemon that is held up. */
static void
gen_network(struct bond_walk *w, struct ds *line)
{
    static const char *const hosts[] = {
        "none", "10.0.0.1/24", "10.0.5.1/24 vlan=5", "10.0.0.0/25 elsewhere",
        "2001:db8::1/64", "10.0.0.0/24 route"
    };
    static const char *const targets[] = {
        "none", "10.0.0.254", "10.0.0.253", "10.0.5.254 vlan=5", "2001:db8::9"
    };
    unsigned int late;

    switch (roll(w, 8)) {
    case 0:
        ds_put_format(line, "host %s", hosts[roll(w, ARRAY_SIZE(hosts))]);
        break;
    case 1:
        ds_put_format(line, "target %s",
                      targets[roll(w, ARRAY_SIZE(targets))]);
        break;
    case 2:
        ds_put_format(line, "flood %s", either(w, "on", "off"));
        break;
    case 3:
        ds_put_format(line, "busy %u %s", any_member(w),
                      either(w, "on", "off"));
        break;
    case 4:
        ds_put_format(line, "counters %s", roll(w, 4) ? "on" : "off");
        break;
    case 5:
        late = roll(w, MAX_DELAY);
        ds_put_format(line, "sleep %u", late);
        w->now += late;
        break;
    default:
        ds_put_format(line, "path %u %s", any_member(w),
                      either(w, "on", "off"));
        break;
    }
}

static void
gen_probe(struct bond_walk *w, struct ds *line)
{
    w->probes = w->history = true;
    switch (roll(w, 4)) {
    case 0:
        gen_probe_options(w, line);
        break;
    case 1:
        gen_neighbour(w, line);
        break;
    default:
        gen_network(w, line);
        break;
    }
}

/* Options of balance-tlb and balance-alb. */
static void
gen_lb_options(struct bond_walk *w, struct ds *line)
{
    ds_put_cstr(line, "bond");
    switch (roll(w, 5)) {
    case 0:
        ds_put_format(line, " lp-interval=%u", 1 + roll(w, 3));
        break;
    case 1:
        ds_put_format(line, " tlb-dynamic-lb=%s", either(w, "true", "false"));
        break;
    case 2:
        ds_put_format(line, " rlb-ipv6=%s", either(w, "true", "false"));
        break;
    default:
        ds_put_format(line, " mode=%s", either(w, "balance-tlb",
                                               "balance-alb"));
        break;
    }
}

/* What the host says, and what is said to it. */
static void
gen_lb_message(struct bond_walk *w, struct ds *line)
{
    unsigned int client = roll(w, 12);
    bool known = roll(w, 8);

    switch (roll(w, 6)) {
    case 0:
        ds_put_format(line, "host-arp request 10.0.0.%u 10.0.0.%u",
                      1 + roll(w, 2), 100 + client);
        if (roll(w, 3) == 0) {
            ds_put_format(line, " dst=02cc000000%02x", client);
        }
        break;
    case 1:
        ds_put_format(line, "host-arp reply 10.0.0.1 10.0.0.%u",
                      100 + client);
        ds_put_cstr(line, known ? "" : " sha=02dd00000001");
        break;
    case 2:
        ds_put_format(line, "host-nd %s 2001:db8::1 2001:db8::%x",
                      either(w, "advert", "solicit"), 0x100 + client);
        break;
    case 3:
        ds_put_format(line, "arp %u reply", any_member(w));
        ds_put_format(line, " 10.0.0.%u", known ? 100 + client : 1);
        ds_put_format(line, " 10.0.0.1 sha=02cc000001%02x", roll(w, 3));
        break;
    case 4:
        ds_put_format(line, "nd %u advert", any_member(w));
        ds_put_format(line, " 2001:db8::%x", known ? 0x100 + client : 1);
        ds_put_format(line, " 2001:db8::1 src=02cc000001%02x", roll(w, 3));
        break;
    default:
        ds_put_format(line, "host-arp reply 10.0.5.1 10.0.5.%u",
                      100 + client);
        break;
    }
    if (roll(w, 6) == 0) {
        ds_put_cstr(line, " vlan=5");
    }
}

/* A message of ARP or neighbour discovery that is cut off or garbled, of the
 * host or to it. */
static void
gen_lb_noise(struct bond_walk *w, struct ds *line)
{
    static const char *const messages[] = {
        "ffffffffffff0200000000010806000108000604000102000000000"
        "10a0000010000000000000a000065",
        "02cc00000065020000000001810000050806000108000604000202000000000"
        "10a00000102cc000000650a000065",
        "02cc0000006502000000000186dd6000000000203afffe80000000000000000"
        "000000000000120010db80000000000000000000001018800000060000000fe80"
        "00000000000000000000000000010201020000000001"
    };
    const char *text = messages[roll(w, ARRAY_SIZE(messages))];
    size_t len = strlen(text) / 2 * 2;
    size_t cut = roll(w, 2) ? len : roll(w, len / 2) * 2;

    if (roll(w, 2)) {
        ds_put_cstr(line, "host-frame \"");
    } else {
        ds_put_format(line, "frame %u \"", any_member(w));
    }
    for (size_t i = 0; i < cut; i++) {
        ds_put_char(line, roll(w, 64) ? text[i] : "0123456789abcdef"[roll(w,
                                                                         16)]);
    }
    ds_put_char(line, '"');
}

static void
gen_lb(struct bond_walk *w, struct ds *line)
{
    static const char *const hosts[] = { "none", "10.0.0.1/24",
                                         "10.0.5.1/24 vlan=5" };

    w->history = true;
    switch (roll(w, 8)) {
    case 0:
        gen_lb_options(w, line);
        break;
    case 1:
        /* Often that of a member. */
        ds_put_format(line, "host-mac 02:00:00:00:00:%02x",
                      roll(w, 4) ? any_member(w) & 0xff : roll(w, 3) * 100);
        break;
    case 2:
        ds_put_format(line, "host %s", hosts[roll(w, 3)]);
        break;
    case 4:
        gen_lb_noise(w, line);
        break;
    case 3:
        ds_put_format(line, "bytes hrandom=%u unbalanced=%u",
                      1 + roll(w, 1000), roll(w, 65536));
        break;
    default:
        gen_lb_message(w, line);
        break;
    }
}

static void
gen_bond(struct bond_walk *w, struct ds *line)
{
    bnd_id id = any_member(w);

    unsigned int what;

    if (roll(w, 8) == 0) {
        gen_address(w, line);
        return;
    }
    what = roll(w, 20);
    if (what == 11) {
        gen_probe(w, line);
        return;
    }
    ds_put_cstr(line, "bond");
    switch (what) {
    case 15: case 16:
        w->history = true;
        ds_put_format(line, " miimon=%u", roll(w, 4) * 40);
        break;
    case 19:
        ds_put_format(line, " drain-time=%u", some_delay(w));
        break;
    case 17:
        w->history = true;
        ds_put_format(line, " primary-reselect=%u", roll(w, 3));
        break;
    case 18:
        w->history = true;
        ds_put_format(line, " active-slave=%c%u", 'a' + (int) (id * 7 % 26),
                      id);
        break;
    case 12:
        ds_put_format(line, " weighted=%s", either(w, "true", "false"));
        break;
    case 13:
        ds_put_format(line, " xmit-hash-policy=%s",
                      policies[roll(w, ARRAY_SIZE(policies))]);
        ds_put_format(line, " hash-compat=%s", either(w, "current", "2.6"));
        break;
    case 14:
        ds_put_format(line, " packets-per-slave=%u", roll(w, 4));
        break;
    case 0:
        ds_put_cstr(line, " none");
        break;
    case 1: case 2: case 3:
        ds_put_format(line, " mode=%s", some_mode(w));
        break;
    case 4:
        ds_put_format(line, " updelay=%u", some_delay(w));
        break;
    case 5:
        ds_put_format(line, " downdelay=%u", some_delay(w));
        break;
    case 6:
        ds_put_format(line, " primary=%c%u", 'a' + (int) (id * 7 % 26), id);
        break;
    case 7:
        ds_put_cstr(line, " primary=");
        break;
    case 8:
        ds_put_format(line, " rebalance-interval=%u", roll(w, 3) * 400);
        break;
    case 9:
        ds_put_format(line, " all-members-active=%s",
                      either(w, "true", "false"));
        ds_put_format(line, " multicast=%u", roll(w, 3));
        ds_put_format(line, " lb-output=%s", either(w, "true", "false"));
        break;
    case 10:
        ds_put_format(line, " lacp-fallback-ab=%s",
                      either(w, "true", "false"));
        ds_put_format(line, " hash-basis=%u", roll(w, 3));
        break;
    default:
        break;
    }
}

static void
gen_lacp(struct bond_walk *w, struct ds *line)
{
    if (!w->lacp && roll(w, 4)) {
        gen_link(w, line);
    } else if (w->lacp && roll(w, 4) == 0) {
        ds_put_cstr(line, "lacp off");
        w->lacp = false;
    } else if (!w->lacp || roll(w, 4) == 0) {
        ds_put_format(line, "lacp %s", either(w, "active", "passive"));
        ds_put_cstr(line, either(w, " fast", " slow"));
        ds_put_cstr(line, either(w, " fallback", ""));
        ds_put_cstr(line, roll(w, 4) ? "" : " standard");
        w->lacp = true;
    } else {
        /* Without a key it is that of the first port there ever was, which
         * is history. */
        ds_put_format(line, "port %u", any_member(w));
        ds_put_cstr(line, roll(w, 8) ? "" : " off");
        ds_put_format(line, " key=%u", roll(w, 8) ? 1 : 2);
        if (roll(w, 8) == 0) {
            ds_put_format(line, " priority=%u", roll(w, 3));
        }
    }
}

/* A partner speaks: sense, nonsense or noise. */
static void
gen_frame(struct bond_walk *w, struct ds *line)
{
    struct bnd_lacpdu pdu;
    bnd_id id = any_member(w);

    switch (roll(w, 8)) {
    case 0: {
        memset(&pdu, 0, sizeof pdu);
        uint8_t *data = bnd_lacpdu_encode(&pdu, pdu.actor.system);
        size_t len = roll(w, 2) ? BND_SLOW_FRAME_LEN
                     : roll(w, BND_SLOW_FRAME_LEN);

        for (int n = roll(w, 5); n > 0; n--) {
            size_t where = roll(w, BND_SLOW_FRAME_LEN);
            data[where] = roll(w, 256);
        }
        ds_put_format(line, "frame %u \"", id);
        for (size_t i = 0; i < len; i++) {
            ds_put_format(line, "%02x", data[i]);
        }
        ds_put_char(line, '"');
        free(data);
        break;
    }
    case 1:
        ds_put_format(line, "pdu %u state=%u stranger", id, roll(w, 256));
        ds_put_format(line, " key=%u", roll(w, 3));
        break;
    case 2:
        /* Perhaps ourselves. */
        ds_put_format(line, "pdu %u state=%u", id, roll(w, 256));
        ds_put_format(line, " system=02:00:00:00:00:%s",
                      either(w, "ff", "fe"));
        break;
    default:
        ds_put_format(line, "pdu %u state=%u", id, roll(w, 4) ? 0x3f
                      : roll(w, 256));
        break;
    }
}

static void
gen_event(struct bond_walk *w, struct ds *line)
{
    /* Some walks are about probes; what fuzzing came upon stays as it is. */
    if (!w->data && w->about_probes && roll(w, 3) == 0) {
        gen_probe(w, line);
        return;
    }
    if (!w->data && w->about_lb && roll(w, 2)) {
        gen_lb(w, line);
        return;
    }
    switch (roll(w, 16)) {
    case 0: case 1: case 2: case 3:
        gen_link(w, line);
        break;
    case 4: case 5:
        gen_order(w, line);
        break;
    case 6:
        gen_bytes(w, line);
        break;
    case 7: case 8:
        gen_member(w, line);
        break;
    case 9: case 10:
        gen_bond(w, line);
        break;
    case 11: case 12:
        gen_lacp(w, line);
        break;
    default:
        gen_frame(w, line);
        break;
    }
}

/* How long until the next event?  Negative: it comes in the same pass. */
static int
gen_pause(struct bond_walk *w)
{
    switch (roll(w, 16)) {
    case 0: case 1: case 2: case 3:
        return -1;
    case 4: case 5: case 6: case 7:
        return roll(w, 4);
    case 8:
        return roll(w, 4000);
    default:
        return roll(w, MAX_DELAY);
    }
}

/* Taking steps. */

static void
take_error(struct bond_walk *w, struct bond_rig *rig)
{
    if (rig->error && !w->error) {
        w->error = xasprintf("%s%s", rig->step ? "(--step) " : "", rig->error);
    }
}

static void
run_line(struct bond_rig *rig, const char *text)
{
    struct bndtest_line line;

    memset(&line, 0, sizeof line);
    line.file = "walk";
    bndtest_split(&line, text);
    if (!strcmp(line.word[0], "at")) {
        bond_rig_advance(rig, strtoll(line.word[1], NULL, 10));
        bndtest_shift(&line, 2);
    }
    if (!strcmp(line.word[0], "expect")) {
        bond_rig_settle(rig);
    } else if (!rig->error && !bond_rig_command(rig, &line)) {
        bndtest_fatal(&line, "a walk took a step that is none");
    }
}

/* Says that, instead of 'a', 'b' came out. */
static char *
difference(const char *what, const struct ds *a, const struct ds *b)
{
    return xasprintf("%s:\n--- first ---\n%s--- then ---\n%s", what,
                     ds_cstr_ro(a), ds_cstr_ro(b));
}

static bool
same_text(const struct ds *a, const struct ds *b)
{
    return !strcmp(ds_cstr_ro(a), ds_cstr_ro(b));
}

static void
take_line(struct bond_walk *w, const char *text)
{
    svec_add(&w->log, text);
    run_line(&w->jump, text);
    run_line(&w->step, text);
    take_error(w, &w->jump);
    take_error(w, &w->step);
    if (!w->error && !same_text(&w->jump.text, &w->step.text)) {
        w->error = difference("wake times are not honest", &w->jump.text,
                              &w->step.text);
    }
    ds_put_cstr(&w->effects, ds_cstr(&w->jump.text));
    bond_rig_clear(&w->jump);
    bond_rig_clear(&w->step);
}

/* What the packet path does with 'view' after 'lost' has lost its carrier, or
 * with BND_NO_MEMBER as it is, by ids; 'ds' gets a line for each fact. */
static void
put_resolved(const struct bnd_view *view, bnd_id lost, struct ds *ds)
{
    uint8_t cut[BND_VIEW_MAX] = { 0 };
    struct bnd_resolved r;

    if (lost) {
        cut[bnd_view_index(view, lost)] = true;
    }
    bnd_view_resolve(view, cut, &r);
    ds_put_format(ds, "active %u\n", r.active);
    if (view->xmit == BND_XMIT_SRC_MAC || view->xmit == BND_XMIT_L4
        || view->xmit == BND_XMIT_POLICY) {
        for (size_t i = 0; i < BND_N_SLOTS; i++) {
            ds_put_format(ds, "%"PRIuSIZE":%u ", i, r.slots[i]);
        }
    }
    for (size_t i = 0; i < view->n_host_slots; i++) {
        ds_put_format(ds, "host %"PRIuSIZE":%u ", i, r.host_slots[i]);
    }
    for (size_t i = 0; i < view->n_members; i++) {
        ds_put_format(ds, "turn %u ", r.turns[i]);
    }
    for (size_t i = 0; i < r.n_senders; i++) {
        ds_put_format(ds, "sender %u ", r.senders[i]);
    }
    for (size_t i = 0; i < r.n_pins; i++) {
        ds_put_format(ds, "pinned %u ", r.pins[i]);
    }
    ds_put_char(ds, '\n');
}

/* Did nothing but the loss of 'lost' happen between 'a' and 'b'?  With LACP, a
 * loss may bring others in or shut the bond. */
static bool
is_plain_loss(const struct bnd_view *a, const struct bnd_view *b, bnd_id lost)
{
    if (a->n_members != b->n_members || a->blocked != b->blocked
        || a->xmit != b->xmit) {
        return false;
    }
    for (size_t i = 0; i < a->n_members; i++) {
        bool enabled = a->members[i].enabled && a->members[i].id != lost;

        if (b->members[i].enabled != enabled) {
            return false;
        }
    }
    return true;
}

/* Takes a member's carrier away to see whether the plan for that was right. */
static void
take_loss(struct bond_walk *w)
{
    bnd_id id = any_member(w);
    char *when = xasprintf("at %lld: expect", w->now);
    char *loss = xasprintf("carrier %u down", id);
    struct bnd_view *before, *after;

    take_line(w, when);
    before = bnd_make_view(w->jump.bond);
    if (before && bnd_view_index(before, id) != BND_VIEW_NONE
        && before->members[bnd_view_index(before, id)].cuttable) {
        take_line(w, loss);
        take_line(w, when);
        after = bnd_make_view(w->jump.bond);
        if (is_plain_loss(before, after, id)) {
            struct ds planned = DS_EMPTY_INITIALIZER;
            struct ds done = DS_EMPTY_INITIALIZER;

            put_resolved(before, id, &planned);
            put_resolved(after, BND_NO_MEMBER, &done);
            w->n_losses++;
            if (!w->error && !same_text(&planned, &done)) {
                w->error = difference("a loss was planned otherwise",
                                      &planned, &done);
            }
            ds_destroy(&planned);
            ds_destroy(&done);
        }
        free(after);
    }
    free(before);
    free(when);
    free(loss);
}

static void
take_step(struct bond_walk *w)
{
    struct ds line = DS_EMPTY_INITIALIZER;
    int pause = gen_pause(w);

    if (roll(w, 16) == 0) {
        take_loss(w);
        return;
    }

    if (pause >= 0) {
        w->now += pause;
        ds_put_format(&line, "at %lld: ", w->now);
    }
    gen_event(w, &line);
    take_line(w, ds_cstr(&line));
    ds_destroy(&line);
}

/* Makes a bond, so that there is something for events to happen to. */
static void
take_first_steps(struct bond_walk *w)
{
    int n = 1 + roll(w, BOND_WALK_MEMBERS - 1);
    struct ds line = DS_EMPTY_INITIALIZER;

    w->about_lb = !w->data && roll(w, 3) == 0;
    ds_put_format(&line, "bond mode=%s rebalance-interval=500",
                  w->about_lb ? either(w, "balance-tlb", "balance-alb")
                  : some_mode(w));
    ds_put_format(&line, " updelay=%u", some_delay(w));
    ds_put_format(&line, " downdelay=%u", some_delay(w));
    take_line(w, ds_cstr(&line));
    ds_destroy(&line);

    w->lacp = roll(w, 4) == 0;
    if (w->lacp) {
        take_line(w, "lacp active fast");
    }
    w->about_probes = !w->data && roll(w, 2);
    if (w->about_probes) {
        w->probes = w->history = true;
        take_line(w, "host 10.0.0.1/24");
        take_line(w, "target 10.0.0.254");
        take_line(w, "bond arp-interval=40 arp-ip-target=10.0.0.254");
    }
    for (int i = 0; i < n; i++) {
        bnd_id id = w->next_id++;
        char *member = xasprintf("member %u %c%u up", id,
                                 'a' + (int) (id * 7 % 26), id);
        char *port = xasprintf("port %u key=1", id);

        w->ids[i] = id;
        take_line(w, member);
        if (w->lacp) {
            take_line(w, port);
        }
        free(member);
        free(port);
    }
}

/* Looking back. */

static void
check_replay(struct bond_walk *w)
{
    struct ds effects = DS_EMPTY_INITIALIZER;
    struct bond_rig rig;
    const char *line;
    size_t i;

    bond_rig_init(&rig, 1, false);
    SVEC_FOR_EACH (i, line, &w->log) {
        run_line(&rig, line);
        ds_put_cstr(&effects, ds_cstr(&rig.text));
        bond_rig_clear(&rig);
    }
    if (!same_text(&w->effects, &effects)) {
        w->error = difference("a replay has other effects", &w->effects,
                              &effects);
    }
    bond_rig_uninit(&rig);
    ds_destroy(&effects);
}

/* Returns the view with the owners of buckets left out. */
static struct bnd_view *
lasting_view(const struct bond_rig *rig)
{
    struct bnd_view *view = bnd_make_view(rig->bond);

    if (view) {
        view->n_slots = 0;
        memset(view->slots, 0, sizeof view->slots);
        memset(view->backup, 0, sizeof view->backup);
    }
    return view;
}

static void
put_view(const struct bnd_view *view, struct ds *ds)
{
    if (!view) {
        ds_put_cstr(ds, "no view\n");
        return;
    }
    ds_put_format(ds, "xmit %u active %u next %u blocked %u policy %u "
                  "lb %u per %u basis %u\n", view->xmit, view->active,
                  view->next_active, view->blocked, view->policy, view->lb,
                  view->packets_per, view->basis);
    ds_put_format(ds, "host "BND_MAC_FMT" rule %u by-ip %u arp %u nd %u\n",
                  BND_MAC_ARGS(view->host_mac), view->lb_rule, view->lb_by_ip,
                  view->take_arp, view->take_nd);
    for (size_t i = 0; i < view->n_members; i++) {
        const struct bnd_view_member *m = &view->members[i];

        ds_put_format(ds, "  %u: enabled %u unicast %u multicast %u "
                      "broadcast %u host %u queue %u\n", m->id, m->enabled,
                      m->admit_unicast, m->admit_multicast,
                      m->admit_broadcast, m->admit_host, m->queue_id);
    }
}

static void
check_views(struct bond_walk *w, struct bond_rig *fresh, const char *what)
{
    struct bnd_view *a = lasting_view(&w->jump);
    struct bnd_view *b = lasting_view(fresh);
    struct ds x = DS_EMPTY_INITIALIZER;
    struct ds y = DS_EMPTY_INITIALIZER;

    take_error(w, &w->jump);
    take_error(w, fresh);
    put_view(a, &x);
    put_view(b, &y);
    if (!w->error && !same_text(&x, &y)) {
        w->error = difference(what, &x, &y);
    }
    ds_destroy(&x);
    ds_destroy(&y);
    free(a);
    free(b);
}

/* The partner of all members speaks, to the walk's bond and to 'fresh'. */
static void
speak(struct bond_walk *w, struct bond_rig *fresh, const char *words)
{
    for (int i = 0; i < BOND_WALK_MEMBERS; i++) {
        char *text = xasprintf("pdu %u %s", w->ids[i], words);

        if (w->ids[i]) {
            svec_add(&w->log, text);
            run_line(&w->jump, text);
            run_line(fresh, text);
        }
        free(text);
    }
    bond_rig_advance(&w->jump, w->jump.now + 1000);
    bond_rig_advance(fresh, w->jump.now);
    svec_add_nocopy(&w->log, xasprintf("at %lld: expect", w->jump.now));
}

/* Which aggregator is in use, and who is in it, is history. */
static bool
has_aggregators(const struct bond_rig *rig)
{
    return (rig->bond->lacp
            && rig->bond->lacp_config.flavour == BND_LACP_FLAVOUR_STANDARD);
}

static void
check_again(struct bond_walk *w)
{
    long long int quiet = w->lacp ? LACP_SILENCE : 2 * MAX_DELAY;
    struct bond_rig fresh;

    if (has_aggregators(&w->jump)) {
        return;
    }
    if (w->probes) {
        /* What they found out is history, too, and so is what links were while
         * there was no bond yet whose monitors could be combined. */
        svec_add(&w->log, "bond arp-interval=0 monitor-combine=");
        run_line(&w->jump, "bond arp-interval=0 monitor-combine=");
    }
    bond_rig_advance(&w->jump, w->now + quiet);
    svec_add_nocopy(&w->log, xasprintf("at %lld: expect", w->jump.now));
    if (w->history) {
        svec_add(&w->log, "bond active-slave=");
        run_line(&w->jump, "bond active-slave=");
        svec_add(&w->log, "set-active none");
        run_line(&w->jump, "set-active none");
        bond_rig_settle(&w->jump);
    }
    bond_rig_again(&w->jump, &fresh);
    bond_rig_advance(&w->jump, w->jump.now + quiet);
    bond_rig_advance(&fresh, w->jump.now);
    svec_add_nocopy(&w->log, xasprintf("at %lld: expect", w->jump.now));
    check_views(w, &fresh, "a bond made anew has another view");

    if (w->lacp && !w->error) {
        speak(w, &fresh, "stranger");
        speak(w, &fresh, "");
        speak(w, &fresh, "");
        if (w->history) {
            /* Who was active when the partner came may depend on who was
             * before. */
            svec_add(&w->log, "set-active none");
            run_line(&w->jump, "set-active none");
            run_line(&fresh, "set-active none");
            bond_rig_settle(&w->jump);
            bond_rig_settle(&fresh);
        }
        check_views(w, &fresh, "a bond made anew, with a partner, has another "
                    "view");
    }
    bond_rig_uninit(&fresh);
}

void
bond_walk_go(struct bond_walk *w, int n)
{
    take_first_steps(w);
    for (int i = 0; i < n && !is_over(w); i++) {
        take_step(w);
    }
    if (!w->error) {
        check_replay(w);
    }
    if (!w->error) {
        check_again(w);
    }
}
