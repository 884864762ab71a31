/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes a bond with streams of events: bytes are the dice of bond-walk.h.
 *
 * With a fuzzing engine (-DBND_FUZZER -fsanitize=fuzzer) this is a program of
 * its own, to be linked with bond-walk.c, bond-rig.c and bndtest.c, the last
 * one compiled with -Dmain=bndtest_main.  Otherwise it is a sub-command of
 * bndtest that replays files,
 *
 *     bndtest fuzz-events FILE... */

#include <config.h>
#include "tests/bond-walk.h"

#include <stdlib.h>
#include "util.h"

/* More steps take too long for one input. */
#define MAX_STEPS 200

static void
fuzz_one(const uint8_t *data, size_t size)
{
    struct bond_walk w;
    const char *line;
    size_t i;

    bond_walk_init(&w, 1, data, size);
    bond_walk_go(&w, MAX_STEPS);
    if (w.error) {
        SVEC_FOR_EACH (i, line, &w.log) {
            puts(line);
        }
        fflush(stdout);
        ovs_abort(0, "%s", w.error);
    }
    bond_walk_uninit(&w);
}

#ifdef BND_FUZZER
BNDTEST_FUZZER(fuzz_one)
#else
static int
fuzz_events(int argc, char *argv[])
{
    return bndtest_replay(argc, argv, fuzz_one);
}
BNDTEST_REGISTER("fuzz-events", "FILE...", fuzz_events)
#endif
