/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bond-rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "util.h"
#include "wire/lacpdu.h"

/* Passes after which a bond has to be quiet. */
#define MAX_PASSES 3

void
bond_rig_init(struct bond_rig *rig, uint64_t seed, bool step)
{
    memset(rig, 0, sizeof *rig);
    rig->bond = bnd_create(seed, 0);
    rig->seed = seed;
    rig->step = step;
    bnd_settings_init(&rig->settings);
    bnd_effects_init(&rig->fx);
    ds_init(&rig->text);
    ds_init(&rig->traces);
    ds_init(&rig->learned);
    ds_init(&rig->arps);
}

void
bond_rig_uninit(struct bond_rig *rig)
{
    bnd_destroy(rig->bond);
    bnd_settings_uninit(&rig->settings);
    bnd_effects_uninit(&rig->fx);
    ds_destroy(&rig->text);
    ds_destroy(&rig->traces);
    ds_destroy(&rig->learned);
    ds_destroy(&rig->arps);
    for (int i = 0; i < BOND_RIG_MAX_PORTS; i++) {
        free(rig->last_frame[i]);
    }
    if (rig->pcap) {
        fclose(rig->pcap);
    }
    free(rig->error);
}

void
bond_rig_clear(struct bond_rig *rig)
{
    ds_clear(&rig->text);
    ds_clear(&rig->traces);
    ds_clear(&rig->learned);
    ds_clear(&rig->arps);
    rig->seen = 0;
    memset(rig->n_frames, 0, sizeof rig->n_frames);
}

/* Results. */

void
bond_rig_open_pcap(struct bond_rig *rig, const char *name)
{
    const uint32_t header[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };

    rig->pcap = fopen(name, "wb");
    if (!rig->pcap || fwrite(header, sizeof header, 1, rig->pcap) != 1) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        exit(1);
    }
}

static void
write_pcap(const struct bond_rig *rig, const uint8_t *data, size_t len)
{
    const uint32_t header[] = {
        rig->now / 1000, rig->now % 1000 * 1000, len, len
    };

    fwrite(header, sizeof header, 1, rig->pcap);
    fwrite(data, len, 1, rig->pcap);
}

/* Reads a LACPDU; false if 'data' is none. */
static bool
read_lacpdu(const uint8_t *data, size_t len, struct bnd_lacpdu *pdu)
{
    struct bnd_cursor body;
    uint8_t subtype;

    return (!bnd_slow_open(data, len, &body, &subtype)
            && !bnd_lacpdu_decode(body, pdu));
}

static void
keep_frame(struct bond_rig *rig, const struct bnd_effect *e)
{
    bnd_id id = e->frame.id;
    struct bnd_lacpdu pdu;

    if (rig->pcap) {
        write_pcap(rig, e->frame.data, e->frame.len);
    }
    rig_net_describe(rig, id, e->frame.data, e->frame.len);
    if (id < BOND_RIG_MAX_PORTS) {
        rig->n_frames[id]++;
        free(rig->last_frame[id]);
        rig->last_frame[id] = xmemdup(e->frame.data, e->frame.len);
        rig->last_len[id] = e->frame.len;
        if (read_lacpdu(e->frame.data, e->frame.len, &pdu)) {
            rig->last_actor[id] = pdu.actor;
        }
    }
}

static void
fail(struct bond_rig *rig, char *message)
{
    if (!rig->error) {
        rig->error = xasprintf("at %lld: %s", rig->now, message);
    }
    free(message);
}

/* Is it the LACPDU by which a port takes its leave? */
static bool
is_farewell(const struct bnd_effect *e)
{
    struct bnd_lacpdu pdu;

    return (read_lacpdu(e->frame.data, e->frame.len, &pdu)
            && !(pdu.actor.state & BND_LACP_AGGREGATION));
}

/* No frame may be sent on a member that is not there, but for the last one of
 * one that goes. */
static void
check_frame(struct bond_rig *rig, const struct bnd_effect *e)
{
    bnd_id id = e->frame.id;
    struct bnd_status s;
    bool found = is_farewell(e);

    bnd_get_status(rig->bond, rig->now, &s);
    for (size_t i = 0; i < s.n_members; i++) {
        found |= s.members[i].id == id;
    }
    bnd_status_uninit(&s);
    if (!found) {
        fail(rig, xasprintf("frame for member %u, which is absent", id));
    }
}

/* Does what the owner of 'id' would do with 'mac': the device has it, or
 * refuses. */
static void
set_mac(struct bond_rig *rig, bnd_id id, struct eth_addr mac)
{
    const struct bnd_member *m = bnd_find_member(rig->bond, id);
    bool refuse = id < BOND_RIG_MAX_PORTS && rig->refuses[id];
    struct bnd_event e = { .type = refuse ? BND_EV_MAC_REFUSED : BND_EV_LINK,
                           .id = id };

    if (!m || !m->present) {
        fail(rig, xasprintf("address for member %u, which is absent", id));
        return;
    }
    if (!refuse) {
        e.link.facts = (struct bnd_facts) {
            .carrier = m->carrier, .mac = mac, .speed_mbps = m->speed_mbps,
            .speed_lost = m->speed_lost, .duplex = m->duplex,
        };
    }
    bnd_event(rig->bond, &e, rig->now, &rig->fx);
    rig->dirty = true;
}

/* Carries out what 'fx' says of addresses, and what it sends. */
static void
do_effects(struct bond_rig *rig, const struct bnd_effects *fx)
{
    for (size_t i = 0; i < fx->n; i++) {
        const struct bnd_effect *e = &fx->fx[i];

        if (e->type == BND_FX_SET_MAC) {
            set_mac(rig, e->mac.id, e->mac.mac);
        } else if (e->type == BND_FX_BOND_MAC) {
            rig->bond_mac = e->mac.mac;
        } else if (e->type == BND_FX_FRAME_TX) {
            rig_net_sent(rig, e->frame.id, e->frame.data, e->frame.len);
        }
    }
}

/* Moves the effects of a call to where tests look for them. */
static void
take_effects(struct bond_rig *rig)
{
    for (size_t i = 0; i < rig->fx.n; i++) {
        const struct bnd_effect *e = &rig->fx.fx[i];

        rig->seen |= 1u << e->type;
        if (e->type == BND_FX_FRAME_TX) {
            check_frame(rig, e);
            keep_frame(rig, e);
        } else if (e->type == BND_FX_TRACE) {
            bnd_trace_format(&e->trace, "bond", &rig->traces);
            ds_put_char(&rig->traces, '\n');
        }
    }
    if (rig->fx.n) {
        ds_put_format(&rig->text, "at %lld\n", rig->now);
        bnd_effects_format(&rig->fx, "bond", &rig->text);
    }

    struct bnd_effects done = rig->fx;
    bnd_effects_init(&rig->fx);
    do_effects(rig, &done);
    bnd_effects_uninit(&done);
    if (rig->fx.n) {
        take_effects(rig);      /* What the devices' answers led to. */
    }
}

/* Passes and time. */

static void
run_pass(struct bond_rig *rig)
{
    char *broken;

    rig_net_count(rig);
    bnd_run(rig->bond, rig->now, &rig->fx);
    take_effects(rig);
    broken = bnd_check_invariants(rig->bond, rig->now);
    if (broken) {
        fail(rig, broken);
    }
}

void
bond_rig_settle(struct bond_rig *rig)
{
    for (int i = 0; rig->dirty || bnd_wake_time(rig->bond) <= rig->now; i++) {
        if (i >= MAX_PASSES) {
            fail(rig, xasprintf("not quiet after %d passes", i));
            break;
        }
        rig->dirty = false;
        run_pass(rig);
    }
}

void
bond_rig_advance(struct bond_rig *rig, long long int when)
{
    bond_rig_settle(rig);
    while (rig->now < when && !rig->error) {
        long long int wake = bnd_wake_time(rig->bond);

        rig->now = rig->step ? rig->now + 1 : MIN(wake, when);
        rig->dirty = rig->step;
        bond_rig_settle(rig);
    }
    rig->now = when;
}

/* Words. */

struct eth_addr
bond_rig_mac(const struct bndtest_line *line, const char *word)
{
    struct eth_addr mac;

    if (bndtest_hex(word, mac.ea, sizeof mac.ea) != (int) sizeof mac.ea) {
        bndtest_fatal(line, "'%s' is not an Ethernet address", word);
    }
    return mac;
}

uint64_t
bond_rig_random(uint64_t *state)
{
    /* Marsaglia, "Xorshift RNGs", 2003. */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct eth_addr
mac_of(const struct bndtest_line *line, bnd_id id)
{
    const char *word = bndtest_value(line, "mac");
    struct eth_addr mac = { .ea = { 2, 0, id >> 24, id >> 16, id >> 8, id } };

    return word ? bond_rig_mac(line, word) : mac;
}

/* Which of 'yes' and 'no' stands at 'index'?  'absent' if nothing does. */
static bool
either(const struct bndtest_line *line, int index, const char *yes,
       const char *no, int absent)
{
    const char *word = index < line->n_words ? line->word[index] : "";

    if (!strcmp(word, yes)) {
        return true;
    } else if (!strcmp(word, no)) {
        return false;
    } else if (absent < 0) {
        bndtest_fatal(line, "'%s' or '%s' is missing", yes, no);
    }
    return absent;
}

static enum bnd_duplex
duplex_of(const struct bndtest_line *line)
{
    const char *word = bndtest_value(line, "duplex");

    for (enum bnd_duplex d = 0; word && d < BND_N_DUPLEXES; d++) {
        if (!strcmp(word, bnd_duplex_name(d))) {
            return d;
        }
    }
    if (word) {
        bndtest_fatal(line, "duplex=%s is none", word);
    }
    return BND_DUPLEX_UNKNOWN;
}

/* What a line says that a device says; 'mac' is its address. */
static struct bnd_facts
facts_of(const struct bndtest_line *line, bool carrier, struct eth_addr mac)
{
    return (struct bnd_facts) {
        .carrier = carrier,
        .mac = mac,
        .speed_mbps = bndtest_key_number(line, "speed", 0),
        .speed_lost = bndtest_has(line, "speed-lost"),
        .duplex = duplex_of(line),
    };
}

/* Commands. */

static void
command_bond(struct bond_rig *rig, const struct bndtest_line *line)
{
    rig->bonded = !bndtest_has(line, "none");
    for (int i = 1; i < line->n_words && rig->bonded; i++) {
        char *value = strchr(line->word[i], '=');
        char *name, *error;

        if (!value) {
            bndtest_fatal(line, "'%s' is not OPTION=VALUE", line->word[i]);
        }
        name = xmemdup0(line->word[i], value - line->word[i]);
        if (value[1]) {
            error = bnd_settings_parse(&rig->settings, name, value + 1);
            if (error) {
                bndtest_fatal(line, "%s", error);
            }
        } else {
            for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
                if (!strcmp(bnd_opt_name(opt), name)) {
                    bnd_settings_unset(&rig->settings, opt);
                }
            }
        }
        free(name);
    }
    bnd_reconfigure(rig->bond, rig->bonded ? &rig->settings : NULL,
                    rig->now, &rig->fx);
}

static void
command_lacp(struct bond_rig *rig, const struct bndtest_line *line)
{
    static const struct eth_addr system = { .ea = { 2, 0, 0, 0, 0, 0xff } };
    const char *mac = bndtest_value(line, "system");

    rig->has_lacp = !bndtest_has(line, "off");
    rig->lacp = (struct bnd_lacp_config) {
        .system = mac ? bond_rig_mac(line, mac) : system,
        .system_priority = bndtest_key_number(line, "priority", 65535),
        .active = !bndtest_has(line, "passive"),
        .fast = bndtest_has(line, "fast"),
        .fallback = bndtest_has(line, "fallback"),
        .flavour = (bndtest_has(line, "standard")
                    ? BND_LACP_FLAVOUR_STANDARD : BND_LACP_FLAVOUR_OVS),
    };
    bnd_set_lacp(rig->bond, rig->has_lacp ? &rig->lacp : NULL, rig->now);
    if (!rig->has_lacp) {
        memset(rig->has_port, 0, sizeof rig->has_port);
    }
}

static void
command_port(struct bond_rig *rig, const struct bndtest_line *line)
{
    bnd_id id = bndtest_number(line, 1);
    struct bnd_lacp_port_config config = {
        .port_id = bndtest_key_number(line, "port", id),
        .priority = bndtest_key_number(line, "priority", 65535),
        .key = bndtest_key_number(line, "key", 0),
    };
    bool on = !bndtest_has(line, "off");
    struct bnd_lacp_port_status ps;

    bnd_set_lacp_port(rig->bond, id, on ? &config : NULL, rig->now, &rig->fx);
    if (id < BOND_RIG_MAX_PORTS) {
        rig->has_port[id] = bnd_member_lacp_status(rig->bond, id, &ps);
        rig->port[id] = config;
    }
}

static void
send_event(struct bond_rig *rig, const struct bnd_event *e)
{
    bnd_event(rig->bond, e, rig->now, &rig->fx);
}

static void
command_member(struct bond_rig *rig, const struct bndtest_line *line)
{
    char *end;
    bnd_id first = strtoul(line->n_words > 2 ? line->word[1] : "", &end, 10);
    bnd_id last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

    if (!first || *end) {
        bndtest_fatal(line, "member ID NAME [up|down] [mac=MAC]");
    }
    for (bnd_id id = first; id <= last; id++) {
        char *name = (first == last ? xstrdup(line->word[2])
                      : xasprintf("%s%04u", line->word[2], id));
        struct bnd_event e = { .type = BND_EV_MEMBER_ADD, .id = id };

        e.add.name = name;
        e.add.perm_mac = mac_of(line, id);
        e.add.facts = facts_of(line, either(line, 3, "up", "down", true),
                               e.add.perm_mac);
        if (bndtest_value(line, "perm")) {
            e.add.perm_mac = bond_rig_mac(line, bndtest_value(line, "perm"));
        }
        send_event(rig, &e);
        free(name);
    }
}

static void
command_del(struct bond_rig *rig, const struct bndtest_line *line)
{
    struct bnd_event e = {
        .type = BND_EV_MEMBER_DEL,
        .id = bndtest_number(line, 1),
        .del = { .remember = bndtest_has(line, "remember") },
    };

    send_event(rig, &e);
    if (e.id < BOND_RIG_MAX_PORTS) {
        rig->has_port[e.id] = false;
    }
}

/* The address that 'id' has now; one of our own making if it is unknown. */
static struct eth_addr
present_mac(const struct bond_rig *rig, const struct bndtest_line *line,
            bnd_id id)
{
    struct eth_addr mac = mac_of(line, id);
    struct bnd_status s;

    if (bndtest_value(line, "mac")) {
        return mac;
    }
    bnd_get_status(rig->bond, rig->now, &s);
    for (size_t i = 0; i < s.n_members; i++) {
        if (s.members[i].id == id) {
            mac = s.members[i].mac;
        }
    }
    bnd_status_uninit(&s);
    return mac;
}

static void
command_carrier(struct bond_rig *rig, const struct bndtest_line *line)
{
    struct bnd_event e = {
        .type = BND_EV_LINK,
        .id = bndtest_number(line, 1),
    };

    e.link.reset = bndtest_has(line, "reset");
    e.link.facts = facts_of(line, either(line, 2, "up", "down", -1),
                            present_mac(rig, line, e.id));
    send_event(rig, &e);
}

static void
command_set(struct bond_rig *rig, const struct bndtest_line *line)
{
    struct bnd_event e = { .type = BND_EV_MEMBER_SET,
                           .id = bndtest_number(line, 1) };
    const struct bnd_member *m = bnd_find_member(rig->bond, e.id);
    const char *prio = bndtest_value(line, "prio");
    const char *admin = bndtest_value(line, "admin");

    if (m) {
        e.set = m->options;
    }
    if (prio) {
        e.set.prio = atoi(prio);
    }
    e.set.queue_id = bndtest_key_number(line, "queue-id", e.set.queue_id);
    e.set.actor_port_prio = bndtest_key_number(line, "actor-port-prio",
                                               e.set.actor_port_prio);
    if (admin) {
        for (e.set.admin = 0; strcmp(admin, bnd_admin_name(e.set.admin)); ) {
            if (++e.set.admin == BND_N_ADMINS) {
                bndtest_fatal(line, "admin=up|drain|down");
            }
        }
    }
    send_event(rig, &e);
}

static void
command_set_active(struct bond_rig *rig, const struct bndtest_line *line)
{
    struct bnd_event e = { .type = BND_EV_SET_ACTIVE };

    e.id = bndtest_has(line, "none") ? BND_NO_MEMBER : bndtest_number(line, 1);
    send_event(rig, &e);
}

static void
receive(struct bond_rig *rig, bnd_id id, const uint8_t *data, size_t len)
{
    struct bnd_event e = { .type = BND_EV_FRAME_RX, .id = id };

    e.frame.data = data;
    e.frame.len = len;
    e.frame.arrival = rig->now;
    send_event(rig, &e);
}

static void
command_pdu(struct bond_rig *rig, const struct bndtest_line *line)
{
    bnd_id id = bndtest_number(line, 1);
    const char *system = bndtest_value(line, "system");
    struct eth_addr partner = { .ea = { 2, 1, 0, 0, 0, 1 } };
    struct bnd_lacpdu pdu;

    memset(&pdu, 0, sizeof pdu);
    pdu.actor = (struct bnd_lacp_info) {
        .system_priority = 100,
        .system = system ? bond_rig_mac(line, system) : partner,
        .key = bndtest_key_number(line, "key", 1),
        .port_priority = bndtest_key_number(line, "priority", 100),
        .port_id = bndtest_key_number(line, "port", id),
        .state = bndtest_key_number(line, "state", 0x3f),
    };
    if (!bndtest_has(line, "stranger") && id < BOND_RIG_MAX_PORTS) {
        pdu.partner = rig->last_actor[id];
    }

    uint8_t *data = bnd_lacpdu_encode(&pdu, pdu.actor.system);
    receive(rig, id, data, BND_SLOW_FRAME_LEN);
    free(data);
}

static void
command_frame(struct bond_rig *rig, const struct bndtest_line *line)
{
    uint8_t bytes[512];
    int n = bndtest_hex(line->n_words > 2 ? line->word[2] : "", bytes,
                        sizeof bytes);

    if (n < 0) {
        bndtest_fatal(line, "bad hexadecimal digits");
    }
    /* Of exactly that size, so that reading past the end is found. */
    uint8_t *data = xmemdup(bytes, n);
    receive(rig, bndtest_number(line, 1), data, n);
    free(data);
}

/* Counters of buckets, as the words that begin with 'prefix' say. */
static void
read_bytes(const struct bndtest_line *line, const char *prefix,
           uint64_t bytes[BND_N_SLOTS])
{
    char key[16];
    uint64_t random, all;

    snprintf(key, sizeof key, "%srandom", prefix);
    random = bndtest_key_number(line, key, 0);
    snprintf(key, sizeof key, "%sall", prefix);
    all = bndtest_key_number(line, key, 0);
    for (int i = 0; i < BND_N_SLOTS; i++) {
        snprintf(key, sizeof key, "%s%d", prefix, i);
        bytes[i] = bndtest_key_number(line, key, all);
        if (random && bond_rig_random(&random) % 8 == 0) {
            bytes[i] += bond_rig_random(&random) % 1000000;
        }
    }
}

static void
command_bytes(struct bond_rig *rig, const struct bndtest_line *line)
{
    uint64_t bytes[BND_N_SLOTS], host_bytes[BND_N_SLOTS];
    struct bnd_event e = { .type = BND_EV_TX_BYTES };

    read_bytes(line, "", bytes);
    read_bytes(line, "h", host_bytes);
    if (line->n_words > 1) {
        e.bytes = bytes;
        e.host_bytes = host_bytes;
        e.unbalanced = bndtest_key_number(line, "unbalanced", 0);
    }
    send_event(rig, &e);
}

static void
command_switch(struct bond_rig *rig, const struct bndtest_line *line,
               enum bnd_event_type type, const char *on, const char *off)
{
    struct bnd_event e = { .type = type, .id = bndtest_number(line, 1) };

    e.on = either(line, 2, on, off, -1);
    send_event(rig, &e);
}

static void
command_migrate(struct bond_rig *rig, const struct bndtest_line *line)
{
    struct bnd_event e = {
        .type = BND_EV_MIGRATE,
        .id = bndtest_number(line, 2),
        .slot = bndtest_number(line, 1),
    };

    send_event(rig, &e);
}

static bool
dispatch(struct bond_rig *rig, const struct bndtest_line *line)
{
    const char *command = line->word[0];

    if (!strcmp(command, "bond")) {
        command_bond(rig, line);
    } else if (!strcmp(command, "sticky")) {
        bnd_set_sticky(rig->bond, bond_rig_mac(line, line->n_words > 1
                                               ? line->word[1] : ""));
    } else if (!strcmp(command, "lacp")) {
        command_lacp(rig, line);
    } else if (!strcmp(command, "member")) {
        command_member(rig, line);
    } else if (!strcmp(command, "del")) {
        command_del(rig, line);
    } else if (!strcmp(command, "carrier")) {
        command_carrier(rig, line);
    } else if (!strcmp(command, "set")) {
        command_set(rig, line);
    } else if (!strcmp(command, "may-enable")) {
        command_switch(rig, line, BND_EV_MAY_ENABLE, "on", "off");
    } else if (!strcmp(command, "port")) {
        command_port(rig, line);
    } else if (!strcmp(command, "pdu")) {
        command_pdu(rig, line);
    } else if (!strcmp(command, "frame")) {
        command_frame(rig, line);
    } else if (!strcmp(command, "force")) {
        command_switch(rig, line, BND_EV_FORCE, "up", "down");
    } else if (!strcmp(command, "set-active")) {
        command_set_active(rig, line);
    } else if (!strcmp(command, "refuse")) {
        rig->refuses[bndtest_number(line, 1) % BOND_RIG_MAX_PORTS]
            = either(line, 2, "on", "off", -1);
    } else if (!strcmp(command, "hint")) {
        bnd_set_address_hint(rig->bond, bond_rig_mac(line, line->n_words > 1
                                                     ? line->word[1] : ""));
    } else if (!strcmp(command, "sleep")) {
        bond_rig_settle(rig);
        rig->now += bndtest_number(line, 1);
    } else if (!strcmp(command, "migrate")) {
        command_migrate(rig, line);
    } else if (!strcmp(command, "bytes")) {
        command_bytes(rig, line);
    } else {
        return rig_net_command(rig, line);
    }
    return true;
}

bool
bond_rig_command(struct bond_rig *rig, const struct bndtest_line *line)
{
    if (!strcmp(line->word[0], "seed")) {
        bnd_destroy(rig->bond);
        rig->seed = bndtest_number(line, 1);
        rig->bond = bnd_create(rig->seed, rig->now);
    } else if (!dispatch(rig, line)) {
        return false;
    }
    rig->dirty = true;
    take_effects(rig);
    return true;
}

/* The same bond, without its history. */

static void
add_again(const struct bond_rig *rig, struct bond_rig *fresh,
          const struct bnd_status_member *m)
{
    const struct bnd_member *known = bnd_find_member(rig->bond, m->id);
    struct bnd_event e = { .type = BND_EV_MEMBER_ADD, .id = m->id };

    e.add.name = m->name;
    e.add.perm_mac = m->perm_mac;
    e.add.facts = (struct bnd_facts) {
        .carrier = m->carrier,
        .mac = m->mac,
        .speed_mbps = known->speed_mbps,
        .speed_lost = known->speed_lost,
        .duplex = known->duplex,
    };
    send_event(fresh, &e);

    struct bnd_event may = {
        .type = BND_EV_MAY_ENABLE, .id = m->id, .on = m->may_enable
    };
    send_event(fresh, &may);

    struct bnd_event set = {
        .type = BND_EV_MEMBER_SET, .id = m->id,
        .set = known->options
    };
    send_event(fresh, &set);
}

void
bond_rig_again(const struct bond_rig *rig, struct bond_rig *fresh)
{
    struct bnd_status s;

    bond_rig_init(fresh, rig->seed, rig->step);
    fresh->now = rig->now;
    bnd_settings_clone(&fresh->settings, &rig->settings);
    fresh->bonded = rig->bonded;
    fresh->has_lacp = rig->has_lacp;
    fresh->lacp = rig->lacp;
    memcpy(fresh->has_port, rig->has_port, sizeof fresh->has_port);
    memcpy(fresh->port, rig->port, sizeof fresh->port);

    /* One after the other, before anything is to be decided, so that their
     * order is kept. */
    bnd_get_status(rig->bond, rig->now, &s);
    for (size_t i = 0; i < s.n_members; i++) {
        add_again(rig, fresh, &s.members[i]);
        bnd_run(fresh->bond, fresh->now, &fresh->fx);
    }
    if (!bnd_chooses_as_linux(rig->bond) || rig->bond->active) {
        /* As in Linux it is forgotten when all have failed. */
        bnd_set_sticky(fresh->bond, rig->bond->sticky);
    }
    if (rig->has_lacp) {
        bnd_set_lacp(fresh->bond, &rig->lacp, rig->now);
    }
    for (size_t i = 0; i < s.n_members; i++) {
        bnd_id id = s.members[i].id;

        if (id < BOND_RIG_MAX_PORTS && rig->has_port[id]) {
            bnd_set_lacp_port(fresh->bond, id, &rig->port[id], rig->now,
                              &fresh->fx);
        }
    }
    fresh->net = rig->net;
    bnd_set_host(fresh->bond, rig->net.hosts, rig->net.n_hosts, rig->now);
    bnd_set_host_mac(fresh->bond, rig->net.host_mac, rig->now);
    if (rig->bonded) {
        bnd_reconfigure(fresh->bond, &rig->settings, rig->now, &fresh->fx);
    }
    fresh->dirty = true;
    take_effects(fresh);
    bnd_status_uninit(&s);
}
