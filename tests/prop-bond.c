/* SPDX-License-Identifier: Apache-2.0 */

/* Random walks of a bond; see bond-walk.h for what they look at.
 *
 *     bndtest prop-bond [--seed=N] [--steps=N] [--length=N] [--pcap=FILE]
 *
 * takes '--steps' steps in walks of '--length' each, the first one from
 * '--seed', the next one from the number after it, and so on.  If a walk
 * fails, prints what broke to stderr and the walk as a script for "bndtest
 * bond" to stdout, and leaves the frames that it sent in FILE. */

#include <config.h>
#include "bond-walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"

struct options {
    long long int seed;
    long long int steps;
    long long int length;
    const char *pcap;           /* Null if not asked for. */
};

static bool
parse_option(const char *arg, struct options *o)
{
    struct {
        const char *name;
        long long int *value;
    } numbers[] = {
        { "--seed=", &o->seed },
        { "--steps=", &o->steps },
        { "--length=", &o->length },
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        size_t len = strlen(numbers[i].name);

        if (!strncmp(arg, numbers[i].name, len)) {
            return str_to_llong(arg + len, 10, numbers[i].value);
        }
    }
    if (!strncmp(arg, "--pcap=", 7)) {
        o->pcap = arg + 7;
        return true;
    }
    return false;
}

static void
report(const struct bond_walk *w, const struct options *o)
{
    const char *line;
    size_t i;

    fprintf(stderr, "bndtest prop-bond --seed=%lld --steps=%lld: %s\n",
            o->seed, o->length, w->error);
    printf("# bndtest prop-bond --seed=%lld --steps=%lld --length=%lld\n",
           o->seed, o->length, o->length);
    SVEC_FOR_EACH (i, line, &w->log) {
        puts(line);
    }
}

static int
prop_bond(int argc, char *argv[])
{
    struct options o = { .seed = 1, .steps = 3000, .length = 60 };
    bool ok = true;

    for (int i = 1; i < argc; i++) {
        if (!parse_option(argv[i], &o) || o.length < 1) {
            fprintf(stderr, "bndtest prop-bond: bad option '%s'\n", argv[i]);
            return 2;
        }
    }
    for (; ok && o.steps > 0; o.steps -= o.length, o.seed++) {
        struct bond_walk w;

        o.length = MIN(o.length, o.steps);
        bond_walk_init(&w, o.seed, NULL, 0);
        if (o.pcap) {
            bond_rig_open_pcap(&w.jump, o.pcap);
        }
        bond_walk_go(&w, o.length);
        if (w.error) {
            report(&w, &o);
            ok = false;
        }
        bond_walk_uninit(&w);
    }
    return !ok;
}
BNDTEST_REGISTER("prop-bond",
                 "[--seed=N] [--steps=N] [--length=N] [--pcap=FILE]",
                 prop_bond)
