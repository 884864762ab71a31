/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "rig-net.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "bond-rig.h"
#include "bond/bond-private.h"
#include "util.h"
#include "wire/arp.h"
#include "wire/learn.h"
#include "wire/nd.h"

#define ND_ADVERT 136

/* Words. */

static struct bnd_ip
parse_ip(const struct bndtest_line *line, const char *word)
{
    struct bnd_ip ip;
    uint8_t a[4] = { 0, 0, 0, 0 };

    memset(&ip, 0, sizeof ip);
    ip.is_ip6 = strchr(word, ':') != NULL;
    if (ip.is_ip6 ? inet_pton(AF_INET6, word, &ip.ip6) != 1
        : inet_pton(AF_INET, word, a) != 1) {
        bndtest_fatal(line, "'%s' is not an IP address", word);
    }
    ip.ip4 = (uint32_t) a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
    return ip;
}

static const char *
arg(const struct bndtest_line *line, int index)
{
    return index < line->n_words ? line->word[index] : "";
}

static struct eth_addr
key_mac(const struct bndtest_line *line, const char *key,
        struct eth_addr absent)
{
    const char *word = bndtest_value(line, key);

    return word ? bond_rig_mac(line, word) : absent;
}

/* vlan=OUTER[.INNER], the outer one of two being an S-VLAN. */
static struct bnd_tags
key_tags(const struct bndtest_line *line)
{
    const char *word = bndtest_value(line, "vlan");
    struct bnd_tags tags;
    char *end;

    memset(&tags, 0, sizeof tags);
    for (; word && tags.n < BND_ETH_MAX_TAGS; word = *end ? end + 1 : NULL) {
        struct bnd_tag *t = &tags.tag[tags.n++];

        t->vid = strtoul(word, &end, 10);
        t->tpid = *end == '.' ? BND_ETH_TYPE_SVLAN : BND_ETH_TYPE_VLAN;
    }
    return tags;
}

static bnd_id
arg_id(const struct bndtest_line *line)
{
    return bndtest_number(line, 1) % BOND_RIG_MAX_PORTS;
}

static bool
arg_on(const struct bndtest_line *line, int index)
{
    return !strcmp(arg(line, index), "on");
}

/* What comes in. */

static struct eth_addr
member_mac(const struct bond_rig *rig, bnd_id id)
{
    const struct bnd_member *m = bnd_find_member(rig->bond, id);
    static const struct eth_addr zero;

    return m ? m->mac : zero;
}

static void
receive(struct bond_rig *rig, bnd_id id, const uint8_t *data, size_t len,
        long long int arrival)
{
    struct bnd_event e = { .type = BND_EV_FRAME_RX, .id = id };
    uint8_t *copy = xmemdup(data, len);

    rig->net.n_rx[id % BOND_RIG_MAX_PORTS]++;
    e.frame.data = copy;
    e.frame.len = len;
    e.frame.arrival = arrival;
    bnd_event(rig->bond, &e, rig->now, &rig->fx);
    free(copy);
}

/* Writes what station 'mac', which has 'from', tells station 'dst', which has
 * 'to', of 'about'. */
static void
write_nd(struct bnd_writer *w, int type, struct eth_addr mac,
         struct eth_addr dst, const struct bnd_tags *tags,
         const struct bnd_ip6 *from, const struct bnd_ip6 *to,
         const struct bnd_ip6 *about)
{
    uint8_t body[24];
    struct bnd_writer b = bnd_writer(body, sizeof body);

    bnd_writer_u8(&b, type);
    bnd_writer_u8(&b, 0);
    bnd_writer_u16(&b, 0);
    bnd_writer_u32(&b, type == ND_ADVERT ? 0x60000000 : 0);
    bnd_writer_bytes(&b, about, sizeof *about);
    bnd_eth_encode_tagged(w, dst, mac, tags, BND_ETH_TYPE_IPV6);
    bnd_ip6_icmp(w, from, to, 255, false, body, b.pos);
}

/* The network. */

static bool
is_reached(const struct bond_rig *rig, bnd_id id)
{
    const struct bnd_member *m = bnd_find_member(rig->bond, id);

    return (id < BOND_RIG_MAX_PORTS && !rig->net.cut[id] && m && m->present
            && m->carrier);
}

/* 't' hears the 'len' bytes at 'data', which 'id' has sent. */
static void
answer(struct bond_rig *rig, const struct rig_target *t, bnd_id id,
       const uint8_t *data, size_t len)
{
    struct bnd_cursor c = bnd_cursor(data, len);
    struct bnd_eth eth = bnd_eth_decode(&c);
    struct bnd_tags tags = bnd_eth_tags(&eth);
    uint8_t frame[BND_ND_FRAME_MAX];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);
    struct bnd_arp arp;
    struct bnd_nd nd;

    if (!bnd_tags_equal(&tags, &t->tags) || (t->via && t->via != id)) {
        return;
    }
    if (eth.type == BND_ETH_TYPE_ARP && !bnd_arp_decode(c, &arp)
        && arp.op == BND_ARP_REQUEST && !t->ip.is_ip6
        && arp.tpa == t->ip.ip4) {
        struct bnd_arp reply = {
            .op = BND_ARP_REPLY, .sha = t->mac, .spa = t->ip.ip4,
            .tha = arp.sha, .tpa = arp.spa
        };

        bnd_arp_encode(&w, arp.sha, t->mac, &tags, &reply);
    } else if (eth.type == BND_ETH_TYPE_IPV6 && !bnd_nd_decode(c, &nd)
               && !nd.is_advert && t->ip.is_ip6
               && !memcmp(&nd.target, &t->ip.ip6, sizeof nd.target)) {
        static const struct bnd_ip6 none;
        bool anonymous = !memcmp(&nd.src, &none, sizeof none);
        struct bnd_ip6 to = anonymous ? bnd_ip6_link_multicast(1) : nd.src;

        write_nd(&w, ND_ADVERT, t->mac,
                 anonymous ? bnd_ip6_multicast_mac(&to) : eth.src, &tags,
                 &t->ip.ip6, &to, &t->ip.ip6);
    }
    if (w.pos) {
        receive(rig, id, frame, w.pos, rig->now);
    }
}

void
rig_net_sent(struct bond_rig *rig, bnd_id id, const uint8_t *data, size_t len)
{
    struct bnd_cursor c = bnd_cursor(data, len);
    struct rig_net *net = &rig->net;

    /* Switches do not forward slow protocols. */
    if (!is_reached(rig, id)
        || bnd_eth_decode(&c).type == BND_ETH_TYPE_SLOW) {
        return;
    }
    for (bnd_id other = 1; net->flood && other < BOND_RIG_MAX_PORTS;
         other++) {
        if (other != id && data[0] & 1 && is_reached(rig, other)) {
            receive(rig, other, data, len, rig->now);
        }
    }
    for (size_t i = 0; i < net->n_targets; i++) {
        answer(rig, &net->targets[i], id, data, len);
    }
}

void
rig_net_count(struct bond_rig *rig)
{
    struct rig_net *net = &rig->net;

    if (net->no_counters || !bnd_wants_counters(rig->bond, rig->now)) {
        return;
    }
    for (bnd_id id = 1; id < BOND_RIG_MAX_PORTS; id++) {
        struct bnd_event e = { .type = BND_EV_COUNTERS, .id = id };

        net->n_rx[id] += net->busy[id] && is_reached(rig, id);
        e.counters.known = true;
        e.counters.rx_packets = net->n_rx[id];
        if (bnd_find_member(rig->bond, id)) {
            bnd_event(rig->bond, &e, rig->now, &rig->fx);
        }
    }
}

/* Describing frames. */

void
rig_net_put_mac(const struct bond_rig *rig, struct eth_addr mac, struct ds *ds)
{
    static const struct eth_addr client = {{{ 2, 0xcc, 0, 0, 0, 0 }}};

    if (bnd_eth_addr_is_zero(mac)) {
        ds_put_char(ds, '0');
    } else if (bnd_eth_addr_equal(mac, rig->net.host_mac)) {
        ds_put_char(ds, 'B');
    } else if (bnd_eth_addr_equal(mac, bnd_eth_broadcast())) {
        ds_put_cstr(ds, "all");
    } else if (!memcmp(&mac, &client, 5)) {
        ds_put_format(ds, "c%u", mac.ea[5]);
    } else {
        for (size_t i = 0; i < rig->bond->n_members; i++) {
            const struct bnd_member *m = rig->bond->members[i];

            if (bnd_eth_addr_equal(mac, m->perm_mac)) {
                ds_put_format(ds, "p%u", m->id);
                return;
            }
        }
        ds_put_format(ds, BND_MAC_FMT, BND_MAC_ARGS(mac));
    }
}

static void
put_ip(const struct bnd_ip *ip, struct ds *ds)
{
    ds_put_and_free_cstr(ds, bnd_ip_to_string(ip));
}

/* Appends "OP/FROM/TO/SRC/DST": what is said, by whom, to or about whom, and
 * the Ethernet addresses of the frame; and, if it is another one than SRC,
 * that of the sender in the message. */
static void
put_message(const struct bond_rig *rig, const struct bnd_eth *eth,
            const char *op, const struct bnd_ip *from, const struct bnd_ip *to,
            struct eth_addr link, struct ds *ds)
{
    ds_put_format(ds, "%s/", op);
    put_ip(from, ds);
    ds_put_char(ds, '/');
    put_ip(to, ds);
    ds_put_char(ds, '/');
    rig_net_put_mac(rig, eth->src, ds);
    ds_put_char(ds, '/');
    rig_net_put_mac(rig, eth->dst, ds);
    if (!bnd_eth_addr_equal(link, eth->src) && link.ea[0]) {
        ds_put_char(ds, '/');
        rig_net_put_mac(rig, link, ds);
    }
}

/* Returns the link-layer address at the end of the frame, where the only
 * option of our messages is. */
static struct eth_addr
last_mac(const uint8_t *data, size_t len)
{
    struct bnd_cursor c = bnd_cursor(data, len);

    bnd_cursor_skip(&c, len - sizeof(struct eth_addr));
    return bnd_cursor_mac(&c);
}

void
rig_net_describe(struct bond_rig *rig, bnd_id id, const uint8_t *data,
                 size_t len)
{
    struct bnd_cursor c = bnd_cursor(data, len);
    struct bnd_eth eth = bnd_eth_decode(&c);
    struct bnd_tags tags = bnd_eth_tags(&eth);
    struct ds *ds = NULL;
    struct bnd_arp arp;
    struct bnd_nd nd;

    if (eth.type == BND_ETH_TYPE_LEARN) {
        ds = &rig->learned;
        ds_put_format(ds, "%s%u:", ds->length ? "," : "", id);
        rig_net_put_mac(rig, eth.src, ds);
    } else if (eth.type == BND_ETH_TYPE_ARP && !bnd_arp_decode(c, &arp)) {
        struct bnd_ip from = { .ip4 = arp.spa }, to = { .ip4 = arp.tpa };

        ds = &rig->arps;
        ds_put_format(ds, "%s%u:", ds->length ? "," : "", id);
        put_message(rig, &eth, arp.op == BND_ARP_REPLY ? "reply" : "request",
                    &from, &to, arp.sha, ds);
    } else if (eth.type == BND_ETH_TYPE_IPV6 && !bnd_nd_decode(c, &nd)) {
        struct bnd_ip from = { .is_ip6 = true }, to = { .is_ip6 = true };

        from.ip6 = nd.is_advert ? nd.target : nd.src;
        to.ip6 = nd.is_advert ? nd.dst : nd.target;
        ds = &rig->arps;
        ds_put_format(ds, "%s%u:", ds->length ? "," : "", id);
        put_message(rig, &eth, nd.is_advert ? "advert" : "solicit", &from,
                    &to, last_mac(data, len), ds);
    }
    for (int i = 0; ds && i < tags.n; i++) {
        ds_put_format(ds, "@%u", tags.tag[i].vid);
    }
}

/* Commands. */

static void
command_host(struct bond_rig *rig, const struct bndtest_line *line)
{
    struct rig_net *net = &rig->net;
    struct bnd_host *h = &net->hosts[net->n_hosts];
    static const struct eth_addr zero;
    char *text = xstrdup(arg(line, 1));
    char *slash = strchr(text, '/');

    if (!strcmp(text, "none")) {
        net->n_hosts = 0;
    } else if (!slash || net->n_hosts >= RIG_NET_MAX) {
        bndtest_fatal(line, "host ADDRESS/LENGTH expected");
    } else {
        *slash = '\0';
        *h = (struct bnd_host) {
            .kind = (bndtest_has(line, "elsewhere")
                     || bndtest_has(line, "elsewhere-route")
                     ? BND_HOST_ELSEWHERE
                     : bndtest_has(line, "route") ? BND_HOST_ROUTE
                     : BND_HOST_ADDR),
            .ip = parse_ip(line, text),
            .plen = atoi(slash + 1),
            .is_addr = bndtest_has(line, "elsewhere"),
            .tags = key_tags(line),
            .mac = key_mac(line, "mac", zero),
        };
        net->n_hosts++;
    }
    free(text);
    bnd_set_host(rig->bond, net->hosts, net->n_hosts, rig->now);
}

static void
command_target(struct bond_rig *rig, const struct bndtest_line *line)
{
    struct rig_net *net = &rig->net;
    struct eth_addr mac = {{{ 2, 0xcc, 0, 0, 0, net->n_targets + 1 }}};

    if (!strcmp(arg(line, 1), "none")) {
        net->n_targets = 0;
    } else if (net->n_targets < RIG_NET_MAX) {
        net->targets[net->n_targets++] = (struct rig_target) {
            .ip = parse_ip(line, arg(line, 1)),
            .mac = key_mac(line, "mac", mac),
            .tags = key_tags(line),
            .via = bndtest_key_number(line, "via", 0),
        };
    }
}

/* The Ethernet address of the target that has 'ip', or a foreign one. */
static struct eth_addr
mac_of_ip(const struct bond_rig *rig, const struct bnd_ip *ip)
{
    static const struct eth_addr foreign = {{{ 2, 0xdd, 0, 0, 0, 1 }}};

    for (size_t i = 0; i < rig->net.n_targets; i++) {
        if (bnd_ip_equal(&rig->net.targets[i].ip, ip)) {
            return rig->net.targets[i].mac;
        }
    }
    return foreign;
}

/* The Ethernet address of the client that has 'ip', by custom. */
static struct eth_addr
client_mac(const struct bnd_ip *ip)
{
    uint8_t last = ip->is_ip6 ? ip->ip6.b[15] : ip->ip4;

    return (struct eth_addr) {{{ 2, 0xcc, 0, 0, 0, last }}};
}

static void
command_arp(struct bond_rig *rig, const struct bndtest_line *line)
{
    static const struct eth_addr zero;
    bool reply = bndtest_has(line, "reply");
    struct bnd_ip from = parse_ip(line, arg(line, 3));
    struct bnd_arp arp = {
        .op = reply ? BND_ARP_REPLY : BND_ARP_REQUEST,
        .sha = key_mac(line, "sha", mac_of_ip(rig, &from)),
        .spa = from.ip4,
        .tha = key_mac(line, "tha",
                       reply ? member_mac(rig, arg_id(line)) : zero),
        .tpa = parse_ip(line, arg(line, 4)).ip4,
    };
    struct bnd_tags tags = key_tags(line);
    uint8_t frame[BND_ARP_FRAME_MAX];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);

    bnd_arp_encode(&w, key_mac(line, "dst", reply ? arp.tha
                               : bnd_eth_broadcast()), arp.sha, &tags, &arp);
    receive(rig, arg_id(line), frame, w.pos,
            rig->now - bndtest_key_number(line, "ago", 0));
}

/* The host would send 'len' bytes at 'data' by the bond. */
static void
host_sends(struct bond_rig *rig, const uint8_t *data, size_t len)
{
    struct bnd_event e = { .type = BND_EV_HOST_ARP };
    uint8_t *copy = xmemdup(data, len);

    e.frame.data = copy;
    e.frame.len = len;
    e.frame.arrival = rig->now;
    bnd_event(rig->bond, &e, rig->now, &rig->fx);
    free(copy);
}

static void
command_host_arp(struct bond_rig *rig, const struct bndtest_line *line)
{
    static const struct eth_addr zero;
    bool reply = bndtest_has(line, "reply");
    struct bnd_ip from = parse_ip(line, arg(line, 2));
    struct bnd_ip to = parse_ip(line, arg(line, 3));
    struct bnd_arp arp = {
        .op = reply ? BND_ARP_REPLY : BND_ARP_REQUEST,
        .sha = key_mac(line, "sha", rig->net.host_mac),
        .spa = from.ip4,
        .tha = key_mac(line, "tha", reply ? client_mac(&to) : zero),
        .tpa = to.ip4,
    };
    struct bnd_tags tags = key_tags(line);
    uint8_t frame[BND_ARP_FRAME_MAX];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);

    bnd_arp_encode(&w, key_mac(line, "dst", reply ? arp.tha
                               : bnd_eth_broadcast()), arp.sha, &tags, &arp);
    host_sends(rig, frame, w.pos);
}

static void
command_host_nd(struct bond_rig *rig, const struct bndtest_line *line)
{
    bool advert = bndtest_has(line, "advert");
    struct eth_addr mac = key_mac(line, "mac", rig->net.host_mac);
    struct bnd_ip from = parse_ip(line, arg(line, 2));
    struct bnd_ip to = parse_ip(line, arg(line, 3));
    struct bnd_tags tags = key_tags(line);
    uint8_t frame[BND_ND_FRAME_MAX];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);

    if (!advert) {
        bnd_nd_solicit(&w, mac, &tags, &from.ip6, &to.ip6);
    } else {
        /* With the option that tells the Ethernet address. */
        uint8_t body[32];
        struct bnd_writer b = bnd_writer(body, sizeof body);

        bnd_writer_u32(&b, (uint32_t) ND_ADVERT << 24);
        bnd_writer_u32(&b, 0x60000000);
        bnd_writer_bytes(&b, &from.ip6, sizeof from.ip6);
        bnd_writer_u16(&b, 2 << 8 | 1);
        bnd_writer_mac(&b, mac);
        bnd_eth_encode_tagged(&w, key_mac(line, "dst", client_mac(&to)), mac,
                              &tags, BND_ETH_TYPE_IPV6);
        bnd_ip6_icmp(&w, &from.ip6, &to.ip6, 255, false, body, b.pos);
    }
    host_sends(rig, frame, w.pos);
}

static void
command_nd(struct bond_rig *rig, const struct bndtest_line *line)
{
    bool advert = bndtest_has(line, "advert");
    struct bnd_ip from = parse_ip(line, arg(line, 3));
    struct bnd_ip to = parse_ip(line, arg(line, 4));
    struct bnd_tags tags = key_tags(line);
    const char *about = bndtest_value(line, "about");
    struct bnd_ip target = about ? parse_ip(line, about) : from;
    uint8_t frame[BND_ND_FRAME_MAX];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);
    struct eth_addr dst = (to.ip6.b[0] == 0xff ? bnd_ip6_multicast_mac(&to.ip6)
                           : member_mac(rig, arg_id(line)));

    write_nd(&w, advert ? ND_ADVERT : ND_ADVERT - 1,
             key_mac(line, "src", mac_of_ip(rig, &from)),
             key_mac(line, "dst", dst), &tags,
             &from.ip6, &to.ip6, &target.ip6);
    receive(rig, arg_id(line), frame, w.pos,
            rig->now - bndtest_key_number(line, "ago", 0));
}

bool
rig_net_command(struct bond_rig *rig, const struct bndtest_line *line)
{
    const char *command = line->word[0];
    struct rig_net *net = &rig->net;

    if (!strcmp(command, "host")) {
        command_host(rig, line);
    } else if (!strcmp(command, "host-mac")) {
        net->host_mac = bond_rig_mac(line, arg(line, 1));
        bnd_set_host_mac(rig->bond, net->host_mac, rig->now);
    } else if (!strcmp(command, "target")) {
        command_target(rig, line);
    } else if (!strcmp(command, "path")) {
        net->cut[arg_id(line)] = !arg_on(line, 2);
    } else if (!strcmp(command, "flood")) {
        net->flood = arg_on(line, 1);
    } else if (!strcmp(command, "rx")) {
        net->n_rx[arg_id(line)] += bndtest_number(line, 2);
    } else if (!strcmp(command, "busy")) {
        net->busy[arg_id(line)] = arg_on(line, 2);
    } else if (!strcmp(command, "counters")) {
        net->no_counters = !arg_on(line, 1);
    } else if (!strcmp(command, "arp")) {
        command_arp(rig, line);
    } else if (!strcmp(command, "host-arp")) {
        command_host_arp(rig, line);
    } else if (!strcmp(command, "host-frame")) {
        uint8_t bytes[512];
        int n = bndtest_hex(arg(line, 1), bytes, sizeof bytes);

        if (n < 0) {
            bndtest_fatal(line, "bad hexadecimal digits");
        }
        host_sends(rig, bytes, n);
    } else if (!strcmp(command, "host-nd")) {
        command_host_nd(rig, line);
    } else if (!strcmp(command, "nd")) {
        command_nd(rig, line);
    } else {
        return false;
    }
    return true;
}
