/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the parser of settings with lines "NAME=VALUE": what is taken must
 * come out and be taken again as the same, what is refused must change
 * nothing.  The whole input is also read as an option string, by which a bad
 * second reading must leave what the first one said.
 *
 * With a fuzzing engine (-DBND_FUZZER -fsanitize=fuzzer) this is a program of
 * its own.  Otherwise it is a sub-command of bndtest that replays files,
 *
 *     bndtest fuzz-config FILE... */

#include <config.h>
#include "tests/bndtest.h"

#include <stdlib.h>
#include <string.h>
#include "config/overlay.h"
#include "config/settings.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
fuzz_line(struct bnd_settings *s, char *line)
{
    char *value = strchr(line, '=');
    struct bnd_settings before;
    char *error;

    if (!value) {
        return;
    }
    *value++ = '\0';
    bnd_settings_clone(&before, s);
    error = bnd_settings_parse(s, line, value);
    if (error) {
        ovs_assert(strstr(error, ": "));
        ovs_assert(!memcmp(before.given, s->given, sizeof s->given));
        ovs_assert(bnd_settings_diff(&before, s) == BND_APPLY_NONE);
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;
        struct bnd_settings again;

        /* One option by itself, as values may hold blanks. */
        bnd_settings_init(&again);
        ovs_assert(!bnd_settings_parse(&again, line, value));
        bnd_settings_format(&again, &ds);
        char *text = strchr(ds_cstr(&ds), '=');
        ovs_assert(text);
        *text++ = '\0';
        ovs_assert(!bnd_settings_parse(s, ds_cstr(&ds), text));
        bnd_settings_uninit(&again);
        ds_destroy(&ds);
    }
    free(error);
    bnd_settings_uninit(&before);
}

/* Reads 'text' as an option string, twice, and refuses all that came of it. */
static void
fuzz_string(const char *text)
{
    struct bnd_settings first, second;
    struct bnd_overlay o;

    bnd_overlay_init(&o);
    bnd_settings_init(&first);
    bnd_settings_init(&second);
    bnd_overlay_begin(&o);
    bnd_overlay_string(&o, text);
    bnd_overlay_merge(&o, &first);
    bnd_overlay_end(&o);

    bnd_overlay_begin(&o);
    bnd_overlay_string(&o, text);
    bnd_overlay_merge(&o, &second);
    ovs_assert(bnd_settings_diff(&first, &second) == BND_APPLY_NONE
               || bnd_overlay_errors(&o));
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        while (bnd_overlay_refuse(&o, opt, "why")) {
            ovs_assert(bnd_overlay_errors(&o));
        }
    }
    bnd_settings_uninit(&second);
    bnd_overlay_merge(&o, &second);
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        ovs_assert(!second.given[opt]);
    }
    bnd_overlay_end(&o);
    bnd_settings_uninit(&first);
    bnd_settings_uninit(&second);
    bnd_overlay_uninit(&o);
}

static void
fuzz_one(const uint8_t *data, size_t size)
{
    char *text = xmemdup0((const char *) data, size);
    char *save = NULL;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct bnd_settings s;

    fuzz_string(text);
    bnd_settings_init(&s);
    for (char *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        fuzz_line(&s, line);
    }
    bnd_settings_format(&s, &ds);
    ds_destroy(&ds);
    bnd_settings_uninit(&s);
    free(text);
}

#ifdef BND_FUZZER
BNDTEST_FUZZER(fuzz_one)
#else
static int
fuzz_config(int argc, char *argv[])
{
    return bndtest_replay(argc, argv, fuzz_one);
}
BNDTEST_REGISTER("fuzz-config", "FILE...", fuzz_config)
#endif
