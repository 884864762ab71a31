/* SPDX-License-Identifier: Apache-2.0 */

/* Drives one bond through simulated time.
 *
 *     bndtest bond [--step] [--trace] [--pcap=FILE] SCRIPT
 *
 * A line is a command of bond-rig.h or one of those below.  It may begin with
 * "at T:", which first lets time pass until T ms; commands of one time are
 * taken in before the bond decides, unless something asks for the outcome.
 * Time goes from one wake time to the next or, with --step, millisecond by
 * millisecond; both must satisfy the same script.
 *
 *     expect KEY=VALUE...     what is true now; the keys are at the end
 *     expect-later KEY=VALUE  the same before the bond decides
 *     admit ID MAC|host VERDICT   accept, drop or drop-if-moved; "host":
 *                             what is for the host's or a member's address
 *     lb HEX N|active|guest   bucket of the host's frame that begins so; the
 *                             active member's; not the host's
 *     lb-random SEED          many frames, by both ways to find the bucket
 *     choose HASH ID|none     member that a packet with that hash leaves by
 *     choose MAC VLAN ID|none the same in balance-slb
 *     mark                    remembers who owns which bucket, and the view
 *     resolve [cut=ID,...] KEY=VALUE...
 *                             whom the packet path uses if those have lost
 *                             their carrier: active=ID|none turns=ID,...
 *                             senders=ID,... slot=N:ID|none,...
 *                             queues=N:ID,... (N leaves by ID)|none
 *     show; list; proc; rlb; json [wall=N]
 *                             as bond/show, /list, /proc and /status would, if
 *                             it had been N ms since 1970 when time began
 *     lacp-show; lacp-stats
 *     restart                 goes on with a new bond that is told the same
 *     save                    takes what bnd_save() says...
 *     saved                   ...and prints it
 *     restart saved [clock=N] the same as restart, with that; from now on the
 *                             clock is N ms ahead
 *     restart text LINE       and LINE, blanks being '+' and line ends '|', instead
 *
 * What came out (effects, traced, silent, frames) is counted from the last
 * "at", and anew from the first command after an expectation.
 *
 *     active=ID|none                 wake=T|now|never
 *     enabled=ID,...|none            link=ID:STATE,... (blanks as '-')
 *     lacp=STATUS                    lacp-ok=ID,...|none
 *     effects=NAME,...|none          whole set, without frames and traces
 *     traced=TEXT; silent=TEXT       some trace holds TEXT; none does
 *     frames=ID:N,...                fallback=true|false
 *     sent=ID:STATE                  state in its last LACPDU, hexadecimal
 *     said=ID:PRIO.SYSTEM.KEY.PRIO.PORT  the rest of what it said of itself
 *     failovers=N                    rebalance=T|never
 *     failures=ID:N,...              times that links went down
 *     sticky=MAC                     balanced=true|false
 *     macs=ID:MAC,...                present addresses; the permanent one of
 *                                    member N, if it is that, is pN
 *     bond-mac=MAC|none              likewise
 *     mac-policy=none|active|follow|free
 *     carrier=true|false             of the bond
 *     cause=TEXT                     of the last change (blanks as '-')
 *     refused=true|false             was "active-slave"?
 *     bonded=true|false              members=ID,...|none (in order)
 *     slots=ID:N,...                 slot=N:ID|none,...
 *     moved=N                        buckets that moved since "mark"
 *     loads=N                        buckets with a load
 *     hash=none|src|l4|policy|rr|broadcast|lb, blocked=, lb=, policy=, basis=,
 *     packets-per=, n-slots=         view
 *     same-flows=true|false          flows of the view at "mark" stay
 *     watch=none|arp,nd
 *     heard=ID,...|none              had a sign of life that counts just now
 *     wants-counters=true|false      before a pass
 *     unanswered=ID:N,...            probes of the first target since it was heard
 *     why=ID:REASON                  of the monitor (blanks as '-')
 *     frame=ID:HEX                   what it sent last
 *     learned=ID:MAC[@VLAN],...|none learning packets, of what address by
 *                                    whom; MAC: B (the host's), pN (permanent
 *                                    one of member N), cN (02:cc::N), all
 *     arps=ID:OP/FROM/TO/SRC/DST[/SENDER][@VLAN],...|none
 *                                    ARP and neighbour discovery: request,
 *                                    reply, solicit, advert; IP and Ethernet
 *                                    addresses; that of the sender if it is
 *                                    not SRC
 *     logical=ID:MAC,...             logical addresses
 *     rlb=CLIENT:ID[?],...|none      whose clients; ? if they will be told
 *     host-slots=ID:N,...            buckets of the host's frames
 *     host-slot=N:ID,...             and whose they are
 *     host-loads=ID:N,...            bytes a second in them
 *     takes=none|arp,nd              what the host does not send itself */

#include <config.h>
#include "bond-rig.h"
#include "bond/bond-private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "bond/status-text.h"
#include "openvswitch/json.h"
#include "openvswitch/util.h"
#include "util.h"
#include "wire/lacpdu.h"
#include "xmit/choose.h"
#include "xmit/lb.h"
#include "xmit/resolve.h"

struct drive {
    struct bond_rig rig;
    struct bndtest_line line;
    bool trace;                 /* Print effects. */
    bool asked;                 /* Expectations looked at what came out. */
    bnd_id marked[BND_N_SLOTS]; /* Owners at the last "mark". */
    struct bnd_view *marked_view; /* The view then, or null; owned. */
    char *saved;                /* By "save", or null; owned... */
    long long int saved_at;     /* ...at that time, ms. */
};

/* Appends 'text' to a comma-separated list. */
OVS_PRINTF_FORMAT(2, 3) static void
add_item(struct ds *ds, const char *format, ...)
{
    va_list args;

    if (ds->length) {
        ds_put_char(ds, ',');
    }
    va_start(args, format);
    ds_put_format_valist(ds, format, args);
    va_end(args);
}

static void
put_time(struct ds *ds, long long int t, long long int now)
{
    if (t == BND_NEVER) {
        ds_put_cstr(ds, "never");
    } else if (t <= now) {
        ds_put_cstr(ds, "now");
    } else {
        ds_put_format(ds, "%lld", t);
    }
}

static void
put_id(struct ds *ds, bnd_id id)
{
    if (id == BND_NO_MEMBER) {
        ds_put_cstr(ds, "none");
    } else {
        ds_put_format(ds, "%u", id);
    }
}

static void
put_bool(struct ds *ds, bool b)
{
    ds_put_cstr(ds, b ? "true" : "false");
}

static void
put_mac(struct ds *ds, struct eth_addr mac)
{
    for (size_t i = 0; i < sizeof mac.ea; i++) {
        ds_put_format(ds, "%s%02x", i ? ":" : "", mac.ea[i]);
    }
}

static void
put_dashes(struct ds *ds)
{
    for (char *c = ds_cstr(ds); *c; c++) {
        *c = *c == ' ' ? '-' : *c;
    }
}

/* Appends the state of 'm''s link if 'want' asks for that member. */
static void
add_link(const struct bnd_status_member *m, const char *want, struct ds *ds)
{
    char *item = xasprintf("%u:%s", m->id, bnd_link_state_name(m->link));
    size_t prefix = strcspn(item, ":") + 1;

    for (char *c = item; *c; c++) {
        *c = *c == ' ' ? '-' : *c;
    }
    for (const char *p = want; *p; p += strcspn(p, ",")) {
        p += *p == ',';
        if (!strncmp(p, item, prefix)) {
            add_item(ds, "%s", item);
        }
    }
    free(item);
}

static bool
is_active(const struct bnd_status_member *m)
{
    return m->active;
}

static bool
is_enabled(const struct bnd_status_member *m)
{
    return m->enabled;
}

static bool
is_member(const struct bnd_status_member *m OVS_UNUSED)
{
    return true;
}

static bool
is_lacp_ok(const struct bnd_status_member *m)
{
    return m->has_lacp && m->lacp.may_enable;
}

/* Appends what is true of members. */
static bool
actual_members(const struct bnd_status *s, const char *key, const char *want,
               struct ds *ds)
{
    static const struct {
        const char *key;
        bool (*test)(const struct bnd_status_member *); /* Null for links. */
    } keys[] = {
        { "active", is_active },
        { "enabled", is_enabled },
        { "members", is_member },
        { "lacp-ok", is_lacp_ok },
        { "link", NULL },
    };

    for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
        if (strcmp(key, keys[k].key)) {
            continue;
        }
        for (size_t i = 0; i < s->n_members; i++) {
            if (!keys[k].test) {
                add_link(&s->members[i], want, ds);
            } else if (keys[k].test(&s->members[i])) {
                add_item(ds, "%u", s->members[i].id);
            }
        }
        if (!ds->length) {
            ds_put_cstr(ds, "none");
        }
        return true;
    }
    return false;
}

static void
put_failures(const struct bnd_status *s, struct ds *ds)
{
    for (size_t i = 0; i < s->n_members; i++) {
        if (s->members[i].n_failures) {
            add_item(ds, "%u:%"PRIu32, s->members[i].id,
                     s->members[i].n_failures);
        }
    }
    if (!ds->length) {
        ds_put_cstr(ds, "none");
    }
}

/* Appends what the first monitor that sends probes knows of members. */
static bool
actual_probes(const struct drive *d, const char *key, const char *want,
              struct ds *ds)
{
    const struct bond_rig *rig = &d->rig;
    int id = atoi(want);

    if (!strcmp(key, "wants-counters")) {
        put_bool(ds, bnd_wants_counters(rig->bond, rig->now));
        return true;
    } else if (!strcmp(key, "frame")) {
        ds_put_format(ds, "%d:", id);
        for (size_t i = 0; rig->last_frame[id] && i < rig->last_len[id];
             i++) {
            ds_put_format(ds, "%02x", rig->last_frame[id][i]);
        }
        return true;
    } else if (strcmp(key, "heard") && strcmp(key, "unanswered")
               && strcmp(key, "why")) {
        return false;
    }
    for (size_t i = 0; i < rig->bond->n_members; i++) {
        const struct bnd_member *m = rig->bond->members[i];
        const struct bnd_probed *s = &m->probed[0];

        if (*key == 'h' && s->last_rx == rig->now) {
            add_item(ds, "%u", m->id);
        } else if (*key == 'u' && s->targets[0].n_unanswered) {
            add_item(ds, "%u:%"PRIu32, m->id, s->targets[0].n_unanswered);
        } else if (*key == 'w' && m->id == id) {
            ds_put_format(ds, "%d:%s", id, bnd_probe_reason_name(s->reason));
            put_dashes(ds);
        }
    }
    if (!ds->length) {
        ds_put_cstr(ds, "none");
    }
    return true;
}

static bool
actual_bond(const struct drive *d, const struct bnd_status *s,
            const char *key, struct ds *ds)
{
    const struct bond_rig *rig = &d->rig;

    if (!strcmp(key, "wake")) {
        put_time(ds, bnd_wake_time(rig->bond), rig->now);
    } else if (!strcmp(key, "lacp")) {
        ds_put_cstr(ds, bnd_lacp_status_name(bnd_lacp_state(rig->bond)));
    } else if (!strcmp(key, "fallback")) {
        put_bool(ds, s->fallback);
    } else if (!strcmp(key, "bonded")) {
        put_bool(ds, s->bonded);
    } else if (!strcmp(key, "failovers")) {
        ds_put_format(ds, "%"PRIu32, s->n_failovers);
    } else if (!strcmp(key, "failures")) {
        put_failures(s, ds);
    } else if (!strcmp(key, "rebalance")) {
        put_time(ds, bnd_next_rebalance(rig->bond), rig->now);
    } else if (!strcmp(key, "balanced")) {
        put_bool(ds, bnd_is_balanced(rig->bond));
    } else if (!strcmp(key, "cause")) {
        const struct bnd_bond *b = rig->bond;

        ds_put_cstr(ds, b->n_changes
                    ? bnd_cause_name(b->failovers[(b->n_changes - 1)
                                                  % BND_N_FAILOVERS].cause)
                    : "none");
        put_dashes(ds);
    } else if (!strcmp(key, "refused")) {
        put_bool(ds, bnd_active_refusal(rig->bond) != NULL);
    } else if (!strcmp(key, "carrier")) {
        put_bool(ds, bnd_has_carrier(rig->bond));
    } else if (!strcmp(key, "sticky")) {
        put_mac(ds, bnd_active_mac(rig->bond));
    } else {
        return false;
    }
    return true;
}

/* Appends 'mac', by the member's name whose permanent one it is. */
static void
put_named_mac(const struct bnd_status *s, struct eth_addr mac, struct ds *ds)
{
    for (size_t i = 0; i < s->n_members; i++) {
        if (!memcmp(&s->members[i].perm_mac, &mac, sizeof mac)) {
            ds_put_format(ds, "p%u", s->members[i].id);
            return;
        }
    }
    put_mac(ds, mac);
}

static bool
actual_address(const struct drive *d, const struct bnd_status *s,
               const char *key, struct ds *ds)
{
    static const struct eth_addr zero;

    if (!strcmp(key, "macs")) {
        for (size_t i = 0; i < s->n_members; i++) {
            add_item(ds, "%u:", s->members[i].id);
            put_named_mac(s, s->members[i].mac, ds);
        }
    } else if (!strcmp(key, "bond-mac")) {
        if (memcmp(&d->rig.bond_mac, &zero, sizeof zero)) {
            put_named_mac(s, d->rig.bond_mac, ds);
        } else {
            ds_put_cstr(ds, "none");
        }
    } else if (!strcmp(key, "mac-policy")) {
        ds_put_cstr(ds, s->mac_policy ? s->mac_policy : "free");
    } else {
        return false;
    }
    return true;
}

static bnd_id
slot_owner(const struct bnd_status *s, int slot)
{
    return s->slots ? s->slots[slot].owner : BND_NO_MEMBER;
}

static bool
actual_slots(const struct drive *d, const struct bnd_status *s,
             const char *key, const char *want, struct ds *ds)
{
    int n = 0;

    if (!strcmp(key, "slots")) {
        for (size_t i = 0; i < s->n_members; i++) {
            n = 0;
            for (int slot = 0; slot < BND_N_SLOTS; slot++) {
                n += slot_owner(s, slot) == s->members[i].id;
            }
            if (n) {
                add_item(ds, "%u:%d", s->members[i].id, n);
            }
        }
        if (!ds->length) {
            ds_put_cstr(ds, "none");
        }
    } else if (!strcmp(key, "slot")) {
        while (*want) {
            int slot = strtol(want, NULL, 10) & (BND_N_SLOTS - 1);

            add_item(ds, "%d:", slot);
            put_id(ds, slot_owner(s, slot));
            want += strcspn(want, ",");
            want += *want == ',';
        }
    } else if (!strcmp(key, "moved") || !strcmp(key, "loads")) {
        for (int slot = 0; slot < BND_N_SLOTS; slot++) {
            n += (*key == 'm' ? slot_owner(s, slot) != d->marked[slot]
                  : s->slots && s->slots[slot].load);
        }
        ds_put_format(ds, "%d", n);
    } else {
        return false;
    }
    return true;
}

static void
put_actor(const struct bnd_lacp_info *actor, int id, struct ds *ds)
{
    ds_put_format(ds, "%d:%u.", id, actor->system_priority);
    for (int i = 0; i < 6; i++) {
        ds_put_format(ds, "%02x", actor->system.ea[i]);
    }
    ds_put_format(ds, ".%u.%u.%u", actor->key, actor->port_priority,
                  actor->port_id);
}

/* Returns the state octet of the last LACPDU that member 'id' sent. */
static uint8_t
sent_state(const struct bond_rig *rig, int id)
{
    struct bnd_lacpdu pdu;
    uint8_t subtype;
    struct bnd_cursor body;

    return (!bnd_slow_open(rig->last_frame[id], rig->last_len[id], &body,
                           &subtype)
            && !bnd_lacpdu_decode(body, &pdu) ? pdu.actor.state : 0);
}

static bool
actual_output(const struct drive *d, const char *key, const char *want,
              struct ds *ds)
{
    const struct bond_rig *rig = &d->rig;

    if (!strcmp(key, "effects")) {
        for (enum bnd_effect_type t = 0; t < BND_N_FX; t++) {
            if (t != BND_FX_TRACE && t != BND_FX_FRAME_TX
                && rig->seen & 1u << t) {
                add_item(ds, "%s", bnd_effect_name(t));
            }
        }
        if (!ds->length) {
            ds_put_cstr(ds, "none");
        }
    } else if (!strcmp(key, "traced") || !strcmp(key, "silent")) {
        const char *traces = ds_cstr_ro(&rig->traces);
        bool found = strstr(traces, want) != NULL;

        ds_put_cstr(ds, found == (*key == 't') ? want : traces);
    } else if (!strcmp(key, "sent")) {
        int id = atoi(want);

        if (id > 0 && id < BOND_RIG_MAX_PORTS && rig->last_frame[id]) {
            ds_put_format(ds, "%d:%02x", id, sent_state(rig, id));
        }
    } else if (!strcmp(key, "said")) {
        int id = atoi(want);

        if (id > 0 && id < BOND_RIG_MAX_PORTS) {
            put_actor(&rig->last_actor[id], id, ds);
        }
    } else if (!strcmp(key, "frames")) {
        for (int i = 0; i < BOND_RIG_MAX_PORTS; i++) {
            if (rig->n_frames[i]) {
                add_item(ds, "%d:%u", i, rig->n_frames[i]);
            }
        }
        if (!ds->length) {
            ds_put_cstr(ds, "none");
        }
    } else {
        return false;
    }
    return true;
}

/* Counts the buckets of the host's frames, or their load, for each member. */
static void
put_host_slots(const struct bnd_status *s, bool load, struct ds *ds)
{
    for (size_t i = 0; i < s->n_members; i++) {
        uint64_t n = 0;

        for (size_t j = 0; j < s->n_tlb; j++) {
            if (s->tlb[j].member == s->members[i].id) {
                n += load ? s->tlb[j].load : 1;
            }
        }
        if (n) {
            add_item(ds, "%u:%"PRIu64, s->members[i].id, n);
        }
    }
}

/* Appends what balance-tlb and balance-alb do with the host's frames. */
static bool
actual_lb(const struct drive *d, const struct bnd_status *s, const char *key,
          const char *want, struct ds *ds)
{
    if (!strcmp(key, "learned")) {
        ds_put_cstr(ds, ds_cstr_ro(&d->rig.learned));
    } else if (!strcmp(key, "arps")) {
        ds_put_cstr(ds, ds_cstr_ro(&d->rig.arps));
    } else if (!strcmp(key, "logical")) {
        for (size_t i = 0; i < s->n_members; i++) {
            add_item(ds, "%u:", s->members[i].id);
            rig_net_put_mac(&d->rig, s->members[i].logical_mac, ds);
        }
    } else if (!strcmp(key, "rlb")) {
        for (size_t i = 0; i < s->n_rlb; i++) {
            add_item(ds, "%s:%u%s", s->rlb[i].client, s->rlb[i].member,
                     s->rlb[i].pending ? "?" : "");
        }
    } else if (!strcmp(key, "host-slots") || !strcmp(key, "host-loads")) {
        put_host_slots(s, !strcmp(key, "host-loads"), ds);
    } else if (!strcmp(key, "host-slot")) {
        for (; *want; want += strcspn(want, ","), want += *want == ',') {
            size_t slot = strtol(want, NULL, 10) & (BND_N_SLOTS - 1);

            add_item(ds, "%"PRIuSIZE":", slot);
            put_id(ds, slot < s->n_tlb ? s->tlb[slot].member : BND_NO_MEMBER);
        }
    } else {
        return false;
    }
    if (!ds->length) {
        ds_put_cstr(ds, "none");
    }
    return true;
}

static bool
actual_view(const struct drive *d, const char *key, struct ds *ds)
{
    static const char *const xmits[] = { "none", "src", "l4", "policy", "rr",
                                         "broadcast", "lb" };
    static const char *const wishes[] = { "auto", "yes", "no" };
    struct bnd_view *view = bnd_make_view(d->rig.bond);
    bool known = true;

    if (!view) {
        known = false;
    } else if (!strcmp(key, "hash")) {
        ds_put_cstr(ds, xmits[view->xmit]);
    } else if (!strcmp(key, "blocked")) {
        put_bool(ds, view->blocked);
    } else if (!strcmp(key, "lb")) {
        ds_put_cstr(ds, wishes[view->lb]);
    } else if (!strcmp(key, "policy")) {
        ds_put_cstr(ds, bnd_policy_name(view->policy));
    } else if (!strcmp(key, "packets-per")) {
        ds_put_format(ds, "%u", view->packets_per);
    } else if (!strcmp(key, "n-slots")) {
        ds_put_format(ds, "%u", view->n_slots);
    } else if (!strcmp(key, "same-flows") && d->marked_view) {
        put_bool(ds, bnd_view_same_flows(d->marked_view, view));
    } else if (!strcmp(key, "watch")) {
        ds_put_cstr(ds, (view->watch == (BND_WATCH_ARP | BND_WATCH_ND)
                         ? "arp,nd" : view->watch == BND_WATCH_ARP ? "arp"
                         : view->watch == BND_WATCH_ND ? "nd" : "none"));
    } else if (!strcmp(key, "takes")) {
        ds_put_cstr(ds, (view->take_nd ? "arp,nd" : view->take_arp ? "arp"
                         : "none"));
    } else if (!strcmp(key, "basis")) {
        ds_put_format(ds, "%"PRIu32, view->basis);
    } else {
        known = false;
    }
    free(view);
    return known;
}

/* Are 'a' and 'b' the same names between commas, in any order? */
static bool
same_set(const char *a, const char *b)
{
    if (strlen(a) != strlen(b)) {
        return false;
    }
    while (*a) {
        size_t n = strcspn(a, ",");
        bool found = false;

        for (const char *p = b; *p; ) {
            size_t m = strcspn(p, ",");

            found |= n == m && !memcmp(a, p, n);
            p += m + (p[m] == ',');
        }
        if (!found) {
            return false;
        }
        a += n + (a[n] == ',');
    }
    return true;
}

static void
command_expect(struct drive *d)
{
    struct bnd_status s;

    bnd_get_status(d->rig.bond, d->rig.now, &s);
    for (int i = 1; i < d->line.n_words; i++) {
        char *key = d->line.word[i];
        char *want = strchr(key, '=');
        struct ds got = DS_EMPTY_INITIALIZER;

        if (!want) {
            bndtest_fatal(&d->line, "'%s' is not KEY=VALUE", key);
        }
        *want++ = '\0';
        if (!actual_members(&s, key, want, &got)
            && !actual_bond(d, &s, key, &got)
            && !actual_address(d, &s, key, &got)
            && !actual_slots(d, &s, key, want, &got)
            && !actual_output(d, key, want, &got)
            && !actual_probes(d, key, want, &got)
            && !actual_lb(d, &s, key, want, &got)
            && !actual_view(d, key, &got)) {
            bndtest_fatal(&d->line, "unknown key '%s', or no view", key);
        }
        if (strcmp(want, ds_cstr(&got))
            && (!strcmp(key, "members") || !same_set(want, ds_cstr(&got)))) {
            bndtest_fatal(&d->line, "%s is %s, expected %s", key,
                          ds_cstr(&got), want);
        }
        ds_destroy(&got);
    }
    bnd_status_uninit(&s);
}

/* Questions to the packet path. */

static struct bnd_view *
need_view(struct drive *d)
{
    struct bnd_view *view = bnd_make_view(d->rig.bond);

    if (!view) {
        bndtest_fatal(&d->line, "there is no view");
    }
    return view;
}

static void
command_admit(struct drive *d)
{
    static const char *const names[] = { "accept", "drop", "drop-if-moved" };
    bnd_id id = bndtest_number(&d->line, 1);

    if (d->line.n_words != 4) {
        bndtest_fatal(&d->line, "admit ID MAC VERDICT");
    }

    struct bnd_view *view = need_view(d);
    uint8_t i = bnd_view_index(view, id);
    bool host = !strcmp(d->line.word[2], "host");
    const char *got;

    if (host && i != BND_VIEW_NONE) {
        got = names[view->members[i].admit_host];
    } else {
        got = names[bnd_admit(view, i, bond_rig_mac(&d->line,
                                                    d->line.word[2]))];
    }

    if (strcmp(got, d->line.word[3])) {
        bndtest_fatal(&d->line, "the verdict is %s", got);
    }
    free(view);
}

static void
command_choose(struct drive *d)
{
    bool by_mac = d->line.n_words == 4;
    const char *want = d->line.word[d->line.n_words - 1];
    struct bnd_view *view = need_view(d);
    struct ds got = DS_EMPTY_INITIALIZER;
    uint32_t hash;

    if (d->line.n_words < 3) {
        bndtest_fatal(&d->line, "choose HASH ID|none, or choose MAC VLAN ...");
    }
    hash = (by_mac
            ? bnd_hash_src(bond_rig_mac(&d->line, d->line.word[1]),
                           bndtest_number(&d->line, 2), view->basis)
            : bndtest_number(&d->line, 1));

    uint8_t i = bnd_choose(view, hash);
    put_id(&got, i == BND_VIEW_NONE ? BND_NO_MEMBER : view->members[i].id);
    if (strcmp(ds_cstr(&got), want)) {
        bndtest_fatal(&d->line, "the choice is %s", ds_cstr(&got));
    }
    ds_destroy(&got);
    free(view);
}

/* The bucket of the 'len' bytes at 'data', which are copied so that reading
 * past their end is found. */
static int
lb_slot(const struct drive *d, const struct bnd_view *view,
        const uint8_t *data, size_t len)
{
    uint8_t *copy = xmemdup(data, len);
    int slot = bnd_lb_slot(view, copy, len);

    if (slot != bnd_lb_slot__(view, copy, len)) {
        bndtest_fatal(&d->line, "the bucket of a frame of %"PRIuSIZE" bytes "
                      "is %d or %d", len, slot, bnd_lb_slot__(view, copy, len));
    }
    free(copy);
    return slot;
}

static void
command_lb(struct drive *d)
{
    struct bnd_view *view = need_view(d);
    struct ds got = DS_EMPTY_INITIALIZER;
    uint8_t bytes[256];
    int n = bndtest_hex(d->line.n_words == 3 ? d->line.word[1] : "", bytes,
                        sizeof bytes);

    if (n < BND_ETH_HEADER_LEN) {
        bndtest_fatal(&d->line, "lb HEX BUCKET|active|guest");
    }

    int slot = lb_slot(d, view, bytes, n);
    if (!bnd_lb_is_host(view, bytes)) {
        ds_put_cstr(&got, "guest");
    } else if (slot < 0) {
        ds_put_cstr(&got, "active");
    } else {
        ds_put_format(&got, "%d", slot);
    }
    if (strcmp(ds_cstr(&got), d->line.word[2])) {
        bndtest_fatal(&d->line, "it is %s", ds_cstr(&got));
    }
    ds_destroy(&got);
    free(view);
}

/* Frames are mostly what is of interest in each of their parts. */
static void
command_lb_random(struct drive *d)
{
    static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806,
                                      0x88b5 };
    static const uint8_t protos[] = { 1, 2, 6, 17, 47, 58 };
    static const uint8_t icmps[] = { 133, 134, 135, 136, 137 };
    uint64_t dice = bndtest_number(&d->line, 1) + 1;
    struct bnd_view *view = need_view(d);

    for (int i = 0; i < 20000; i++) {
        uint64_t r = bond_rig_random(&dice);
        struct bnd_writer w;
        uint8_t bytes[80];
        uint16_t type;
        bool is_tag;

        for (size_t j = 0; j < sizeof bytes; j++) {
            bytes[j] = r % 3 ? bond_rig_random(&dice) : 0;
        }
        bytes[0] = r >> 8 & 1 ? 0x33 : 2;
        if (r >> 9 & 1) {
            memcpy(bytes, (uint8_t []) { 0x33, 0x33, 0, 0, 0, 1 }, 6);
        } else if (r >> 10 & 1) {
            memset(bytes, 0xff, 6);
        }
        w = bnd_writer(bytes, sizeof bytes);
        w.pos = 12;
        do {
            type = types[bond_rig_random(&dice) % ARRAY_SIZE(types)];
            bnd_writer_u16(&w, type);
            is_tag = type == 0x8100 || type == 0x88a8;
            w.pos += is_tag ? 2 : 0;
        } while (is_tag && w.pos < 22);
        if (type == 0x0800) {
            bytes[w.pos] = r >> 12 & 7 ? 0x45 : 0x46;
            bytes[w.pos + 9] = protos[(r >> 16) % ARRAY_SIZE(protos)];
            if (r >> 24 & 1) {
                memset(&bytes[w.pos + 16], 0xff, 4);
            }
        } else if (type == 0x86dd) {
            bytes[w.pos] = 0x60;
            bytes[w.pos + 6] = protos[(r >> 16) % ARRAY_SIZE(protos)];
            bytes[w.pos + 40] = icmps[(r >> 24) % ARRAY_SIZE(icmps)];
            if (r >> 32 & 1) {
                memset(&bytes[w.pos + 8], 0, 16);
            }
        }
        lb_slot(d, view, bytes, 14 + bond_rig_random(&dice) % 67);
    }
    free(view);
}

static void
put_index(struct ds *ds, const struct bnd_view *view, uint8_t i)
{
    if (ds->length) {
        ds_put_char(ds, ',');
    }
    put_id(ds, i == BND_VIEW_NONE ? BND_NO_MEMBER : view->members[i].id);
}

/* Appends what 'r' says of 'key', where 'want' is expected. */
static void
actual_resolved(const struct drive *d, const struct bnd_view *view,
                const struct bnd_resolved *r, const char *key,
                const char *want, struct ds *ds)
{
    if (!strcmp(key, "active")) {
        put_index(ds, view, r->active);
    } else if (!strcmp(key, "turns")) {
        for (size_t i = 0; i < view->n_members; i++) {
            put_index(ds, view, r->turns[i]);
        }
    } else if (!strcmp(key, "senders")) {
        for (size_t i = 0; i < r->n_senders; i++) {
            put_index(ds, view, r->senders[i]);
        }
        if (!r->n_senders) {
            ds_put_cstr(ds, "none");
        }
    } else if (!strcmp(key, "queues")) {
        for (size_t i = 0; i < r->n_pins; i++) {
            const struct bnd_view_member *m = &view->members[r->pins[i]];

            add_item(ds, "%u:%u", m->queue_id, m->id);
        }
        if (!r->n_pins) {
            ds_put_cstr(ds, "none");
        }
    } else if (!strcmp(key, "slot") || !strcmp(key, "host-slot")) {
        for (; *want; want += strcspn(want, ","), want += *want == ',') {
            int slot = strtol(want, NULL, 10) & (BND_N_SLOTS - 1);
            uint8_t i = *key == 'h' ? r->host_slots[slot] : r->slots[slot];

            add_item(ds, "%d:", slot);
            put_id(ds, (i == BND_VIEW_NONE
                        ? BND_NO_MEMBER : view->members[i].id));
        }
    } else {
        bndtest_fatal(&d->line, "unknown key '%s'", key);
    }
}

/* Nobody sends who must not. */
static void
check_senders(const struct drive *d, const struct bnd_view *view,
              const uint8_t *cut, const struct bnd_resolved *r)
{
    for (size_t m = 0; m < view->n_members; m++) {
        bool may = (view->members[m].enabled && !view->blocked
                    && !(cut[m] && view->members[m].cuttable));
        bool sends = r->active == m || memchr(r->senders, m, r->n_senders);

        sends |= memchr(r->slots, m, sizeof r->slots) != NULL;
        sends |= memchr(r->host_slots, m, sizeof r->host_slots) != NULL;
        sends |= memchr(r->turns, m, view->n_members) != NULL;
        sends |= memchr(r->pins, m, r->n_pins) != NULL;
        if (sends && !may) {
            bndtest_fatal(&d->line, "member %u must not send",
                          view->members[m].id);
        }
    }
}

static void
command_resolve(struct drive *d)
{
    struct bnd_view *view = need_view(d);
    const char *lost = bndtest_value(&d->line, "cut");
    uint8_t cut[BND_VIEW_MAX] = { 0 };
    struct bnd_resolved r;

    for (const char *p = lost ? lost : ""; *p; p += *p == ',') {
        uint8_t i = bnd_view_index(view, strtoul(p, NULL, 10));

        if (i == BND_VIEW_NONE) {
            bndtest_fatal(&d->line, "the view lacks a member to cut");
        }
        cut[i] = true;
        p += strcspn(p, ",");
    }
    bnd_view_resolve(view, cut, &r);
    check_senders(d, view, cut, &r);

    for (int i = 1; i < d->line.n_words; i++) {
        char *key = d->line.word[i];
        char *want = strchr(key, '=');
        struct ds got = DS_EMPTY_INITIALIZER;

        if (!want) {
            bndtest_fatal(&d->line, "'%s' is not KEY=VALUE", key);
        }
        *want++ = '\0';
        if (strcmp(key, "cut")) {
            actual_resolved(d, view, &r, key, want, &got);
            if (strcmp(want, ds_cstr(&got))) {
                bndtest_fatal(&d->line, "%s is %s, expected %s", key,
                              ds_cstr(&got), want);
            }
        }
        ds_destroy(&got);
    }
    free(view);
}

static void
command_show(struct drive *d)
{
    const char *what = d->line.word[0];
    struct bnd_status_extra extra;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct bnd_status s;

    memset(&extra, 0, sizeof extra);
    extra.datapath_id = 1;
    bnd_get_status(d->rig.bond, d->rig.now, &s);
    extra.lb_output = s.lb_output;
    extra.wall = bndtest_key_number(&d->line, "wall", 0);
    for (size_t i = 0; i < s.n_kept; i++) {
        s.failovers[i].wall = s.failovers[i].when + extra.wall;
    }
    if (!strcmp(what, "show")) {
        bnd_format_bond("bond", &s, &extra, d->rig.now, &ds);
    } else if (!strcmp(what, "list")) {
        bnd_format_bond_row("bond", &s, &extra, &ds);
    } else if (!strcmp(what, "rlb")) {
        bnd_format_rlb("bond", &s, d->rig.now, &ds);
    } else if (!strcmp(what, "proc")) {
        bnd_format_proc("bond", &s, &extra, &ds);
    } else if (!strcmp(what, "json")) {
        struct json *json = bnd_status_to_json("bond", &s, &extra,
                                               d->rig.now, NULL, NULL);
        json_to_ds(json, JSSF_PRETTY | JSSF_SORT, &ds);
        ds_put_char(&ds, '\n');
        json_destroy(json);
    } else if (!strcmp(what, "lacp-show")) {
        bnd_format_lacp("bond", &s, &ds);
    } else {
        bnd_format_lacp_stats("bond", &s, &ds);
    }
    fputs(ds_cstr(&ds), stdout);
    ds_destroy(&ds);
    bnd_status_uninit(&s);
}

static void
command_mark(struct drive *d)
{
    struct bnd_status s;

    free(d->marked_view);
    d->marked_view = bnd_make_view(d->rig.bond);
    bnd_get_status(d->rig.bond, d->rig.now, &s);
    for (int slot = 0; slot < BND_N_SLOTS; slot++) {
        d->marked[slot] = slot_owner(&s, slot);
    }
    bnd_status_uninit(&s);
}

static void
command_save(struct drive *d)
{
    free(d->saved);
    d->saved = bnd_save(d->rig.bond);
    d->saved_at = d->rig.now;
}

/* Gives the bond what was saved, or LINE. */
static void
give_back(struct drive *d, long long int clock)
{
    const char *line = bndtest_has(&d->line, "text") ? d->line.word[2] : NULL;
    char *text = line ? xstrdup(line) : nullable_xstrdup(d->saved);
    char *error = NULL;

    for (char *p = line ? text : NULL; p && *p; p++) {
        *p = *p == '+' ? ' ' : *p == '|' ? '\n' : *p;
    }
    if (text) {
        error = bnd_restore(d->rig.bond, text, d->saved_at,
                            d->rig.now - clock, d->rig.now);
    }
    if (error) {
        printf("refused: %s\n", error);
    }
    free(error);
    free(text);
}

static void
command_restart(struct drive *d)
{
    long long int clock = bndtest_key_number(&d->line, "clock", 0);
    struct bond_rig fresh;

    bond_rig_again(&d->rig, &fresh);
    bond_rig_uninit(&d->rig);
    d->rig = fresh;
    d->rig.now += clock;
    if (bndtest_has(&d->line, "saved") || bndtest_has(&d->line, "text")) {
        give_back(d, clock);
    }
}

static void
check(struct drive *d)
{
    if (d->rig.error) {
        bndtest_fatal(&d->line, "%s", d->rig.error);
    }
}

static void
flush(struct drive *d)
{
    if (d->trace) {
        fputs(ds_cstr(&d->rig.text), stdout);
    }
    bond_rig_clear(&d->rig);
    d->asked = false;
}

/* Works off "at T:". */
static void
command_at(struct drive *d)
{
    long long int when;
    char *colon = d->line.n_words > 1 ? strchr(d->line.word[1], ':') : NULL;

    if (!colon || colon[1]) {
        bndtest_fatal(&d->line, "at T: COMMAND");
    }
    *colon = '\0';
    when = bndtest_number(&d->line, 1);
    if (when < d->rig.now) {
        bndtest_fatal(&d->line, "time went by already");
    }
    bond_rig_settle(&d->rig);
    check(d);
    flush(d);
    bond_rig_advance(&d->rig, when);
    check(d);
    bndtest_shift(&d->line, 2);
}

static bool
is_question(const struct drive *d)
{
    const char *command = d->line.word[0];

    return (!strcmp(command, "expect") || !strcmp(command, "admit")
            || !strcmp(command, "choose") || !strcmp(command, "resolve"));
}

/* Carries out a command that wants to know what the bond has decided. */
static bool
ask(struct drive *d)
{
    const char *command = d->line.word[0];

    if (!strcmp(command, "expect")) {
        command_expect(d);
        d->asked = true;
    } else if (!strcmp(command, "admit")) {
        command_admit(d);
    } else if (!strcmp(command, "choose")) {
        command_choose(d);
    } else if (!strcmp(command, "lb")) {
        command_lb(d);
    } else if (!strcmp(command, "lb-random")) {
        command_lb_random(d);
    } else if (!strcmp(command, "resolve")) {
        command_resolve(d);
    } else if (!strcmp(command, "mark")) {
        command_mark(d);
    } else if (!strcmp(command, "show") || !strcmp(command, "list")
               || !strcmp(command, "proc") || !strcmp(command, "rlb")
               || !strcmp(command, "json")
               || !strcmp(command, "lacp-show")
               || !strcmp(command, "lacp-stats")) {
        command_show(d);
    } else if (!strcmp(command, "restart")) {
        command_restart(d);
    } else if (!strcmp(command, "save")) {
        command_save(d);
    } else if (!strcmp(command, "saved")) {
        fputs(d->saved ? d->saved : "nothing\n", stdout);
    } else {
        return false;
    }
    return true;
}

static void
run_line(struct drive *d)
{
    if (!strcmp(d->line.word[0], "at")) {
        command_at(d);
    }
    if (!d->line.n_words) {
        return;
    }
    if (!strcmp(d->line.word[0], "expect-later")) {
        command_expect(d);
        return;
    }
    if (d->asked && !is_question(d)) {
        flush(d);
    }
    if (!bond_rig_command(&d->rig, &d->line)) {
        bond_rig_settle(&d->rig);
        check(d);
        if (!ask(d)) {
            bndtest_fatal(&d->line, "unknown command");
        }
    }
}

static int
drive_bond(int argc, char *argv[])
{
    struct drive d;
    FILE *stream;

    memset(&d, 0, sizeof d);
    bond_rig_init(&d.rig, 1, false);
    for (; argc > 2; argc--, argv++) {
        if (!strcmp(argv[1], "--step")) {
            d.rig.step = true;
        } else if (!strcmp(argv[1], "--trace")) {
            d.trace = true;
        } else if (!strncmp(argv[1], "--pcap=", 7)) {
            bond_rig_open_pcap(&d.rig, argv[1] + 7);
        } else {
            break;
        }
    }
    if (argc != 2) {
        fputs("bndtest bond: which script?\n", stderr);
        return 2;
    }

    stream = bndtest_open(argv[1], &d.line);
    while (bndtest_next(stream, &d.line)) {
        run_line(&d);
    }
    if (stream != stdin) {
        fclose(stream);
    }
    bond_rig_settle(&d.rig);
    check(&d);
    flush(&d);
    free(d.marked_view);
    free(d.saved);
    bond_rig_uninit(&d.rig);
    return 0;
}
BNDTEST_REGISTER("bond", "[--step] [--trace] [--pcap=FILE] SCRIPT", drive_bond)
