/* SPDX-License-Identifier: Apache-2.0 */

/* The MII monitor and the choice of the active member, against a model that
 * does naively what the specification of the Linux driver says.
 *
 *     bndtest prop-mii [--seed=N] [--walks=N] [--length=N]
 *
 * The model looks at all links at every tick, counts delays down, and chooses
 * when the specification says so.  Where the engine departs from Linux on
 * purpose, so does the model; those places say "Ours:".  After each event and
 * at every tick, link states, failures and the active member must be the same.
 * The first walk is that of '--seed', the next one that of the number after
 * it.  If a walk fails, prints it as a script for "bndtest bond". */

#include <config.h>
#include "bond-rig.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "svec.h"
#include "util.h"

#define MAX_SLAVES 6

struct slave {
    bnd_id id;
    int name;                   /* Its name is "s" and that number. */
    bool carrier;
    bool may;                   /* BFD and CFM are content. */
    enum bnd_link_state link;
    int delay;                  /* Ticks. */
    uint32_t failures;
    int prio;
    unsigned int speed;
    enum bnd_duplex duplex;
};

struct model {
    bool one_active;            /* active-backup, else any other mode. */
    int updelay, downdelay;     /* Ticks. */
    int primary;                /* Name, or -1. */
    int policy;                 /* primary_reselect. */
    bool force;
    bnd_id active;              /* Or BND_NO_MEMBER. */
    bool interim;               /* Another waited for the tick when it was
                                 * chosen. */
    struct slave slaves[MAX_SLAVES]; /* In order of joining. */
    int n;
};

struct walk {
    struct model model;
    struct bond_rig rig;
    struct svec log;
    uint64_t random;
    long long int now, tick;    /* The next one. */
    int miimon;
    bnd_id next_id;
    char *error;                /* Owned. */
};

/* The model. */

static struct slave *
slave_by_id(struct model *m, bnd_id id)
{
    for (int i = 0; i < m->n; i++) {
        if (m->slaves[i].id == id) {
            return &m->slaves[i];
        }
    }
    return NULL;
}

static struct slave *
slave_by_name(struct model *m, int name)
{
    for (int i = 0; i < m->n; i++) {
        if (m->slaves[i].name == name) {
            return &m->slaves[i];
        }
    }
    return NULL;
}

static bool
has_link(const struct slave *s)
{
    return s->carrier && s->may;
}

static struct slave *
step3(struct model *m, struct slave *candidate, struct slave *c)
{
    if (!c || c->link != BND_LINK_UP || m->policy == 0) {
        return candidate;
    } else if (m->policy == 2) {
        return c;
    }
    return (candidate->speed > c->speed
            || (candidate->speed == c->speed
                && candidate->duplex > c->duplex) ? candidate : c);
}

static struct slave *
step4(struct model *m)
{
    struct slave *best = NULL;
    int least = m->updelay;

    for (int i = 0; i < m->n; i++) {
        struct slave *s = &m->slaves[i];

        if (s->link == BND_LINK_COMING_BACK && has_link(s)
            && s->delay < least) {
            least = s->delay;
            best = s;
        }
    }
    return best;
}

static struct slave *
find_best(struct model *m)
{
    struct slave *p = slave_by_name(m, m->primary);
    struct slave *c = slave_by_id(m, m->active);
    struct slave *h = NULL;

    if (p && p->link == BND_LINK_UP) {
        if (m->force) {
            m->force = false;
            return p;
        }
        return step3(m, p, c);
    }
    for (int i = 0; i < m->n; i++) {
        struct slave *s = &m->slaves[i];

        if (s->link == BND_LINK_UP && (!h || s->prio > h->prio)) {
            h = s;
        }
    }
    /* Ours: equal priority is no reason. */
    if (h && c && c->link == BND_LINK_UP && h->prio <= c->prio) {
        return c;
    }
    return h && h != c ? step3(m, h, c) : h ? h : step4(m);
}

static void
select_active(struct model *m)
{
    struct slave *s = find_best(m);

    m->interim = false;
    if (s && s->link == BND_LINK_COMING_BACK) {
        s->link = BND_LINK_UP;
        s->delay = 0;
    }
    m->active = s ? s->id : BND_NO_MEMBER;
}

/* Returns true if what became of 's' calls for a selection. */
static bool
commit(struct model *m, struct slave *s)
{
    struct slave *c = slave_by_id(m, m->active);

    if (s->link == BND_LINK_DOWN) {
        s->failures++;
        return s == c;
    }
    return (s->link == BND_LINK_UP
            && (!c || s->name == m->primary || s->prio > c->prio));
}

/* Is nobody left who could send? */
static bool
none_left(struct model *m)
{
    for (int i = 0; i < m->n; i++) {
        struct slave *s = &m->slaves[i];

        if (m->one_active ? s->id == m->active
            : s->link == BND_LINK_UP && has_link(s)) {
            return false;
        }
    }
    return true;
}

/* Ours: modes that send by links with carrier alone do not wait for a tick
 * when there is none left. */
static void
rescue(struct model *m)
{
    struct slave *s = step4(m);

    if (!m->one_active && s && none_left(m)) {
        s->link = BND_LINK_UP;
    }
}

/* Whose updelay is ignored in this tick?  Ours: not the first one's, but that
 * of the one with least to wait. */
static struct slave *
skips(struct model *m)
{
    struct slave *best = NULL;
    int least = 0;

    for (int i = 0; i < m->n && none_left(m); i++) {
        struct slave *s = &m->slaves[i];
        int delay = s->link == BND_LINK_DOWN ? m->updelay : s->delay;

        if (has_link(s) && (s->link == BND_LINK_DOWN
                            || s->link == BND_LINK_COMING_BACK)
            && (!best || delay < least)) {
            least = delay;
            best = s;
        }
    }
    return best;
}

/* Returns true if there is something to commit. */
static bool
inspect(struct model *m, struct slave *s, bool skip)
{
    enum bnd_link_state old = s->link;

    if (s->link == BND_LINK_UP && !has_link(s)) {
        s->link = BND_LINK_GOING_DOWN;
        s->delay = m->downdelay;
    } else if (s->link == BND_LINK_GOING_DOWN && has_link(s)) {
        s->link = BND_LINK_UP;
        return true;
    } else if (s->link == BND_LINK_DOWN && has_link(s)) {
        s->link = BND_LINK_COMING_BACK;
        s->delay = m->updelay;
    } else if (s->link == BND_LINK_COMING_BACK && !has_link(s)) {
        s->link = BND_LINK_DOWN;
        return true;
    }

    if (s->link == BND_LINK_COMING_BACK && skip) {
        s->delay = 0;
    }
    if (s->link == BND_LINK_GOING_DOWN || s->link == BND_LINK_COMING_BACK) {
        if (s->delay <= 0) {
            s->link = (s->link == BND_LINK_GOING_DOWN
                       ? BND_LINK_DOWN : BND_LINK_UP);
        } else {
            s->delay--;
        }
    }
    return s->link != old;
}

static void
tick(struct model *m)
{
    struct slave *skip = skips(m);
    bool dirty[MAX_SLAVES], select = false, up = false;

    for (int i = 0; i < m->n; i++) {
        dirty[i] = inspect(m, &m->slaves[i], &m->slaves[i] == skip);
    }
    for (int i = 0; i < m->n; i++) {
        select |= dirty[i] && commit(m, &m->slaves[i]);
        up |= dirty[i] && m->slaves[i].link == BND_LINK_UP;
    }
    /* Ours: there is more to choose from than when the loss was seen. */
    if (m->interim && up) {
        m->active = BND_NO_MEMBER;
        select = true;
    }
    m->interim = false;
    if (select) {
        select_active(m);
    }
}

/* Ours: without downdelay a loss is seen at once. */
static void
look_early(struct model *m)
{
    bool select = false;

    for (int i = 0; i < m->n && !m->downdelay; i++) {
        struct slave *s = &m->slaves[i];

        if (s->link == BND_LINK_UP && !has_link(s)) {
            s->link = BND_LINK_DOWN;
            select |= commit(m, s);
        }
    }
    if (select) {
        select_active(m);
        for (int i = 0; i < m->n; i++) {
            m->interim |= (m->slaves[i].link == BND_LINK_DOWN
                           && has_link(&m->slaves[i]));
        }
    }
}

static void
leave(struct model *m, struct slave *s)
{
    bool active = s->id == m->active;
    int i = s - m->slaves;

    memmove(s, s + 1, (m->n - i - 1) * sizeof *s);
    m->n--;
    if (active) {
        m->active = BND_NO_MEMBER;
        select_active(m);
    }
}

/* Comparison. */

static void
format_model(struct model *m, struct ds *ds)
{
    bool carrier = false;

    for (int i = 0; i < m->n; i++) {
        const struct slave *s = &m->slaves[i];

        ds_put_format(ds, "%u: %s, failures %"PRIu32"\n", s->id,
                      bnd_link_state_name(s->link), s->failures);
        carrier |= s->link == BND_LINK_UP;
    }
    if (m->one_active) {
        ds_put_format(ds, "active %u\n", m->active);
    }
    ds_put_format(ds, "carrier %d\n", carrier);
}

static void
format_engine(const struct walk *w, struct ds *ds)
{
    bnd_id active = BND_NO_MEMBER;
    struct bnd_status s;

    bnd_get_status(w->rig.bond, w->rig.now, &s);
    for (size_t i = 0; i < s.n_members; i++) {
        const struct bnd_status_member *m = &s.members[i];

        ds_put_format(ds, "%u: %s, failures %"PRIu32"\n", m->id,
                      bnd_link_state_name(m->link), m->n_failures);
        active = m->active ? m->id : active;
    }
    if (w->model.one_active) {
        ds_put_format(ds, "active %u\n", active);
    }
    ds_put_format(ds, "carrier %d\n", bnd_has_carrier(w->rig.bond));
    bnd_status_uninit(&s);
}

static void
compare(struct walk *w)
{
    struct ds want = DS_EMPTY_INITIALIZER;
    struct ds got = DS_EMPTY_INITIALIZER;

    bond_rig_settle(&w->rig);
    format_model(&w->model, &want);
    format_engine(w, &got);
    if (!w->error && w->rig.error) {
        w->error = xstrdup(w->rig.error);
    } else if (!w->error && strcmp(ds_cstr(&want), ds_cstr(&got))) {
        w->error = xasprintf("at %lld\n--- the model says ---\n%s"
                             "--- the engine ---\n%s", w->now,
                             ds_cstr(&want), ds_cstr(&got));
    }
    ds_destroy(&want);
    ds_destroy(&got);
}

/* Walks. */

static unsigned int
roll(struct walk *w, unsigned int n)
{
    return bond_rig_random(&w->random) % n;
}

/* Has the engine do 'text', which is freed. */
static void
take(struct walk *w, char *text)
{
    struct bndtest_line line;

    memset(&line, 0, sizeof line);
    line.file = "walk";
    bndtest_split(&line, text);
    svec_add_nocopy(&w->log, xasprintf("at %lld: %s", w->now, text));
    svec_add(&w->log, "expect");
    bond_rig_command(&w->rig, &line);
    free(text);
}

/* Ticks up to 'when', that included, come before what happens then. */
static void
advance(struct walk *w, long long int when)
{
    while (w->tick <= when && !w->error) {
        bond_rig_advance(&w->rig, w->tick);
        w->now = w->tick;
        tick(&w->model);
        rescue(&w->model);
        compare(w);
        w->tick += w->miimon;
    }
    bond_rig_advance(&w->rig, when);
    w->now = when;
}

static const char *const duplexes[] = { "unknown", "half", "full" };

static void
walk_join(struct walk *w)
{
    static const unsigned int speeds[] = { 100, 1000, 10000 };
    struct model *m = &w->model;
    int name = roll(w, MAX_SLAVES);
    struct slave *s = slave_by_name(m, name);

    if (s) {
        take(w, xasprintf("del %u", s->id));
        leave(m, s);
        return;
    }

    s = &m->slaves[m->n++];
    *s = (struct slave) {
        .id = w->next_id++,
        .name = name,
        .carrier = roll(w, 3),
        .may = true,
        .speed = speeds[roll(w, ARRAY_SIZE(speeds))],
        .duplex = 1 + roll(w, 2),
    };
    s->link = (!s->carrier ? BND_LINK_DOWN
               : m->updelay ? BND_LINK_COMING_BACK : BND_LINK_UP);
    s->delay = m->updelay;
    take(w, xasprintf("member %u s%d %s speed=%u duplex=%s", s->id, name,
                      s->carrier ? "up" : "down", s->speed,
                      duplexes[s->duplex]));
    m->force |= name == m->primary;
    select_active(m);
}

static void
walk_link(struct walk *w, struct slave *s)
{
    if (roll(w, 8)) {
        s->carrier = !s->carrier;
        take(w, xasprintf("carrier %u %s", s->id,
                          s->carrier ? "up" : "down"));
    } else {
        s->may = !s->may;
        take(w, xasprintf("may-enable %u %s", s->id, s->may ? "on" : "off"));
    }
}

static void
walk_order(struct walk *w, struct slave *s)
{
    struct model *m = &w->model;

    if (roll(w, 4) == 0) {
        m->active = BND_NO_MEMBER;
        select_active(m);
        take(w, xstrdup("set-active none"));
    } else {
        if (m->active && s->link == BND_LINK_UP && s->carrier) {
            m->active = s->id;
            m->interim = false;
        }
        take(w, xasprintf("set-active %u", s->id));
    }
}

static void
walk_primary(struct walk *w)
{
    struct model *m = &w->model;
    int primary = (int) roll(w, MAX_SLAVES + 2) - 2;

    if (primary < 0) {
        primary = -1;
        take(w, xstrdup("bond primary="));
    } else {
        take(w, xasprintf("bond primary=s%d", primary));
    }
    if (primary != m->primary) {
        m->primary = primary;
        m->force = true;
        select_active(m);
    }
}

static void
walk_settings(struct walk *w, struct slave *s)
{
    struct model *m = &w->model;
    int policy = roll(w, 3);

    switch (roll(w, 5)) {
    case 0:
        walk_primary(w);
        break;
    case 1:
        take(w, xasprintf("bond primary-reselect=%d", policy));
        if (policy != m->policy) {
            m->policy = policy;
            select_active(m);
        }
        break;
    case 2:
        m->updelay = roll(w, 2) ? roll(w, 8) : 0;
        take(w, xasprintf("bond updelay=%d", (m->updelay * w->miimon
                                              + roll(w, w->miimon))));
        break;
    case 3:
        m->downdelay = roll(w, 2) ? roll(w, 8) : 0;
        take(w, xasprintf("bond downdelay=%d", (m->downdelay * w->miimon
                                                + roll(w, w->miimon))));
        break;
    default:
        if (s) {
            int prio = (int) roll(w, 5) - 2;

            take(w, xasprintf("set %u prio=%d", s->id, prio));
            if (prio != s->prio) {
                s->prio = prio;
                if (!slave_by_name(m, m->primary)) {
                    select_active(m);
                }
            }
        }
        break;
    }
}

static void
walk_step(struct walk *w)
{
    struct model *m = &w->model;
    struct slave *s = m->n ? &m->slaves[roll(w, m->n)] : NULL;
    unsigned int pause = roll(w, 4) ? roll(w, 3 * w->miimon)
                         : roll(w, 10 * w->miimon);

    advance(w, w->now + pause);
    if (!s) {
        walk_join(w);
    } else {
        switch (roll(w, 16)) {
        case 0: case 1:
            walk_join(w);
            break;
        case 2: case 3:
            walk_order(w, s);
            break;
        case 4: case 5: case 6:
            walk_settings(w, s);
            break;
        default:
            walk_link(w, s);
            break;
        }
    }
    look_early(m);
    rescue(m);
    compare(w);
}

/* Takes a walk of 'length' steps.  Returns true if all is well. */
static bool
walk(uint64_t seed, int length)
{
    static const char *const modes[] = {
        "active-backup", "active-backup", "active-backup", "balance-slb",
        "balance-rr", "balance-xor", "broadcast"
    };
    struct walk w;

    memset(&w, 0, sizeof w);
    w.random = seed * 0x9e3779b97f4a7c15 + 1;
    w.next_id = 1;
    w.miimon = 1 + roll(&w, 150);
    w.model.primary = -1;
    svec_init(&w.log);
    bond_rig_init(&w.rig, 1, false);

    const char *mode = modes[roll(&w, ARRAY_SIZE(modes))];
    w.model.one_active = (!strcmp(mode, "active-backup")
                          || !strcmp(mode, "balance-slb"));
    take(&w, xasprintf("bond mode=%s miimon=%d", mode, w.miimon));
    compare(&w);
    w.tick = w.miimon;
    for (int i = 0; i < length && !w.error; i++) {
        walk_step(&w);
    }

    bool ok = !w.error;
    if (!ok) {
        const char *line;
        size_t i;

        fprintf(stderr, "bndtest prop-mii --seed=%"PRIu64" --length=%d: %s\n",
                seed, length, w.error);
        SVEC_FOR_EACH (i, line, &w.log) {
            puts(line);
        }
    }
    svec_destroy(&w.log);
    bond_rig_uninit(&w.rig);
    free(w.error);
    return ok;
}

static int
prop_mii(int argc, char *argv[])
{
    long long int seed = 1, walks = 1000, length = 60;

    for (int i = 1; i < argc; i++) {
        if (!(!strncmp(argv[i], "--seed=", 7)
              ? str_to_llong(argv[i] + 7, 10, &seed)
              : !strncmp(argv[i], "--walks=", 8)
              ? str_to_llong(argv[i] + 8, 10, &walks)
              : !strncmp(argv[i], "--length=", 9)
              && str_to_llong(argv[i] + 9, 10, &length))) {
            fprintf(stderr, "bndtest prop-mii: bad option '%s'\n", argv[i]);
            return 2;
        }
    }
    for (long long int i = 0; i < walks; i++) {
        if (!walk(seed + i, length)) {
            return 1;
        }
    }
    return 0;
}
BNDTEST_REGISTER("prop-mii", "[--seed=N] [--walks=N] [--length=N]", prop_mii)
