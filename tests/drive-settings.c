/* SPDX-License-Identifier: Apache-2.0 */

/* Drives the settings of a bond.
 *
 *     bndtest settings SCRIPT
 *     bndtest settings --check        rules that hold for every option
 *     bndtest settings --list         name and documentation of every option
 *
 *     set NAME [VALUE]                must be taken
 *     refuse NAME VALUE MESSAGE       must be refused, changing nothing
 *                                     (a script's MESSAGE has ' for ")
 *     unset NAME
 *     expect [TEXT]                   all that is given, as it is formatted
 *     value NAME TEXT|none            what a reader gets
 *     given NAME yes|no
 *     keep                            remembers what is set now
 *     diff none|live|reselect|rebuild cost of the way from there to here
 *
 * One reading of what lies over Open vSwitch's settings (config/overlay.h):
 *
 *     begin
 *     key NAME VALUE
 *     string TEXT
 *     member NAME [OPTION VALUE]      the bond has it; one of its keys
 *     settle [lacp]                   instead of "end": with all checks
 *     is MEMBER TEXT                  a member's options, "prio queue admin"
 *     merged [TEXT]                   all that is given
 *     fall NAME [no]                  refuse its value (cannot if "no")
 *     end
 *     errors [TEXT]                   separated by "; ", ditto */

#include <config.h>
#include "bndtest.h"

#include <stdlib.h>
#include <string.h>
#include "config/overlay.h"
#include "config/settings.h"
#include "openvswitch/dynamic-string.h"
#include "policy/check.h"
#include "util.h"

struct drive {
    struct bndtest_line line;
    struct bnd_settings now;
    struct bnd_settings kept;
    struct bnd_overlay overlay;
    struct bnd_settings settled; /* What the last "settle" left in force. */
};

/* Returns what 's' is in text, for the caller to free. */
static char *
format(const struct bnd_settings *s)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    bnd_settings_format(s, &ds);
    return ds_steal_cstr(&ds);
}

static enum bnd_opt
arg_opt(const struct drive *d, int index)
{
    const char *name = index < d->line.n_words ? d->line.word[index] : "";

    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        if (!strcmp(bnd_opt_name(opt), name)) {
            return opt;
        }
    }
    bndtest_fatal(&d->line, "no option '%s'", name);
}

static void
want(const struct drive *d, const char *got, const char *wanted)
{
    if (strcmp(got, wanted)) {
        bndtest_fatal(&d->line, "got '%s', expected '%s'", got, wanted);
    }
}

/* Makes all quotation marks in 's' such as a script can have. */
static void
requote(char *s)
{
    for (; s && *s; s++) {
        if (*s == '"') {
            *s = '\'';
        }
    }
}

static void
command_refuse(struct drive *d)
{
    char *before = format(&d->now);
    char *error = bnd_settings_parse(&d->now, d->line.word[1],
                                     d->line.word[2]);
    char *after = format(&d->now);

    if (!error) {
        bndtest_fatal(&d->line, "it is taken");
    }
    requote(error);
    want(d, error, d->line.word[3]);
    want(d, after, before);
    free(before);
    free(error);
    free(after);
}

static void
command_value(struct drive *d)
{
    enum bnd_opt opt = arg_opt(d, 1);
    char *got;

    if (opt == BND_OPT_PRIMARY) {
        const char *s = bnd_settings_str(&d->now, opt);
        got = xstrdup(s ? s : "none");
    } else {
        got = xasprintf("%lld", bnd_settings_num(&d->now, opt));
    }
    want(d, got, d->line.n_words > 2 ? d->line.word[2] : "");
    free(got);
}

static void
want_merged(const struct drive *d, const char *wanted)
{
    struct bnd_settings merged;

    bnd_settings_init(&merged);
    bnd_overlay_merge(&d->overlay, &merged);
    char *got = format(&merged);
    want(d, got, wanted);
    free(got);
    bnd_settings_uninit(&merged);
}

static void
want_errors(const struct drive *d, const char *wanted)
{
    const char *errors = bnd_overlay_errors(&d->overlay);
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (const char *p = errors; p && *p; p++) {
        if (*p != '\n') {
            ds_put_char(&ds, *p);
        } else if (p[1]) {
            ds_put_cstr(&ds, "; ");
        }
    }
    requote(ds_cstr(&ds));
    want(d, ds_cstr(&ds), wanted);
    ds_destroy(&ds);
}

static void
command_settle(struct drive *d)
{
    struct bnd_settings merged;

    bnd_policy_settle(&d->overlay, &d->now,
                      d->line.n_words > 1 && !strcmp(d->line.word[1], "lacp"),
                      &merged);
    bnd_settings_uninit(&d->settled);
    d->settled = merged;
}

static void
command_is(struct drive *d)
{
    const struct bnd_msettings *m
        = bnd_members_find(&d->overlay.members, d->line.word[1]);

    if (!m) {
        bndtest_fatal(&d->line, "no member '%s'", d->line.word[1]);
    }

    struct bnd_member_options options = bnd_msettings_get(m);
    char *got = xasprintf("%d %d %s", options.prio, options.queue_id,
                          bnd_admin_name(options.admin));
    want(d, got, d->line.word[2]);
    free(got);
}

/* Commands about overlays.  Returns false if this is none. */
static bool
run_overlay(struct drive *d)
{
    const char *command = d->line.word[0];
    int n = d->line.n_words;
    const char *arg = n > 1 ? d->line.word[1] : "";

    if (!strcmp(command, "begin")) {
        bnd_overlay_begin(&d->overlay);
    } else if (!strcmp(command, "key") && n == 3) {
        bnd_overlay_key(&d->overlay, arg, d->line.word[2]);
    } else if (!strcmp(command, "string")) {
        bnd_overlay_string(&d->overlay, arg);
    } else if (!strcmp(command, "member") && n == 2) {
        bnd_overlay_member(&d->overlay, arg);
    } else if (!strcmp(command, "member") && n == 4) {
        bnd_overlay_member_key(&d->overlay, arg, d->line.word[2],
                               d->line.word[3]);
    } else if (!strcmp(command, "settle")) {
        command_settle(d);
    } else if (!strcmp(command, "is") && n == 3) {
        command_is(d);
    } else if (!strcmp(command, "merged")) {
        want_merged(d, arg);
    } else if (!strcmp(command, "fall")) {
        bool fell = bnd_overlay_refuse(&d->overlay, arg_opt(d, 1), "refused");
        want(d, fell ? "" : "no", n > 2 ? d->line.word[2] : "");
    } else if (!strcmp(command, "end")) {
        bnd_overlay_end(&d->overlay);
    } else if (!strcmp(command, "errors")) {
        want_errors(d, arg);
    } else {
        return false;
    }
    return true;
}

static void
run_line(struct drive *d)
{
    static const char *const costs[] = { "none", "live", "reselect",
                                         "rebuild" };
    const char *command = d->line.word[0];
    int n = d->line.n_words;

    if (!strcmp(command, "set") && n >= 2) {
        char *error = bnd_settings_parse(&d->now, d->line.word[1],
                                         n > 2 ? d->line.word[2] : "");
        if (error) {
            bndtest_fatal(&d->line, "%s", error);
        }
    } else if (!strcmp(command, "refuse") && n == 4) {
        command_refuse(d);
    } else if (!strcmp(command, "unset")) {
        bnd_settings_unset(&d->now, arg_opt(d, 1));
    } else if (!strcmp(command, "expect")) {
        char *got = format(&d->now);
        want(d, got, n > 1 ? d->line.word[1] : "");
        free(got);
    } else if (!strcmp(command, "value")) {
        command_value(d);
    } else if (!strcmp(command, "given") && n == 3) {
        want(d, d->now.given[arg_opt(d, 1)] ? "yes" : "no", d->line.word[2]);
    } else if (!strcmp(command, "keep")) {
        bnd_settings_uninit(&d->kept);
        bnd_settings_clone(&d->kept, &d->now);
    } else if (!strcmp(command, "diff") && n == 2) {
        want(d, costs[bnd_settings_diff(&d->kept, &d->now)],
             d->line.word[1]);
    } else if (!run_overlay(d)) {
        bndtest_fatal(&d->line, "unknown command, or too few words");
    }
}

/* Rules that hold for every option. */

/* What text makes an option of this row what it is by default, and what text
 * makes it another? */
static void
round_trip(const char *name, const char *text)
{
    struct bnd_settings a, b;
    char *error, *once, *twice;

    bnd_settings_init(&a);
    bnd_settings_init(&b);
    error = bnd_settings_parse(&a, name, text);
    if (error) {
        printf("%s is refused: %s\n", text, error);
        free(error);
    }
    once = format(&a);
    if (strncmp(once, name, strlen(name)) || !strchr(once, '=')) {
        printf("%s=%s is formatted as '%s'\n", name, text, once);
    } else {
        error = bnd_settings_parse(&b, name, strchr(once, '=') + 1);
        twice = format(&b);
        if (error || strcmp(once, twice) || bnd_settings_diff(&a, &b)) {
            printf("'%s' became '%s'\n", once, error ? error : twice);
        }
        free(error);
        free(twice);
    }
    free(once);
    bnd_settings_uninit(&a);
    bnd_settings_uninit(&b);
}

static void
must_refuse(const char *name, const char *text)
{
    struct bnd_settings s;
    char *error;

    bnd_settings_init(&s);
    error = bnd_settings_parse(&s, name, text);
    if (!error) {
        printf("%s: '%s' is taken\n", name, text);
    } else if (!strstr(error, name) || (*text && !strstr(error, text))) {
        printf("%s: '%s' is refused without saying so: %s\n", name, text,
               error);
    }
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        if (s.given[opt]) {
            printf("%s: '%s' is refused but kept\n", name, text);
        }
    }
    free(error);
    bnd_settings_uninit(&s);
}

static void
check_int(const char *name, long long int min, long long int max)
{
    static const char *const bad[] = { "", "x", "1x", " 1", "1 ", "0x10",
                                       "99999999999999999999", "1.5" };
    const long long int good[] = { min, min + 1, max - 1, max };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        char *text = xasprintf("%lld", good[i]);
        round_trip(name, text);
        free(text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        must_refuse(name, bad[i]);
    }

    char *below = xasprintf("%lld", min - 1);
    char *above = xasprintf("%lld", max + 1);
    must_refuse(name, below);
    must_refuse(name, above);
    free(below);
    free(above);
}

static void
check_choices(const char *name, const char *choices, int n_numbered)
{
    char *beyond = xasprintf("%d", n_numbered);
    char *copy = xstrdup(choices);
    char *save = NULL;

    for (char *c = strtok_r(copy, "|", &save); c;
         c = strtok_r(NULL, "|", &save)) {
        char *longer = xasprintf("%sx", c);

        round_trip(name, c);
        must_refuse(name, longer);
        c[strlen(c) - 1] = '\0';
        must_refuse(name, c);
        free(longer);
    }
    must_refuse(name, "");
    must_refuse(name, beyond);
    must_refuse(name, "-1");
    must_refuse(name, "|");
    must_refuse(name, choices);
    free(beyond);
    free(copy);
}

static void
check_str(const char *name)
{
    round_trip(name, "eth0");
    round_trip(name, "a=b");
    must_refuse(name, "");
}

static void
check_all(void)
{
#define BND_OPT_INT(ENUM, NAME, MIN, MAX, DEF, APPLY, DOC) \
    check_int(NAME, MIN, MAX);
#define BND_OPT_BOOL(ENUM, NAME, DEF, APPLY, DOC) \
    check_choices(NAME, "false|true|off|on", 2);
#define BND_OPT_ENUM(ENUM, NAME, CHOICES, N, DEF, APPLY, DOC) \
    check_choices(NAME, CHOICES, N);
#define BND_OPT_STR(ENUM, NAME, APPLY, DOC) \
    check_str(NAME);
#include "config/options.def"
#undef BND_OPT_INT
#undef BND_OPT_BOOL
#undef BND_OPT_ENUM
#undef BND_OPT_STR
}

static int
drive_settings(int argc, char *argv[])
{
    struct drive d;
    FILE *stream;

    if (argc != 2) {
        fputs("bndtest settings: which script?\n", stderr);
        return 2;
    } else if (!strcmp(argv[1], "--check")) {
        check_all();
        return 0;
    } else if (!strcmp(argv[1], "--list")) {
        for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
            printf("%s: %s\n", bnd_opt_name(opt), bnd_opt_doc(opt));
        }
        return 0;
    }

    memset(&d, 0, sizeof d);
    bnd_settings_init(&d.now);
    bnd_settings_init(&d.kept);
    bnd_overlay_init(&d.overlay);
    stream = bndtest_open(argv[1], &d.line);
    while (bndtest_next(stream, &d.line)) {
        run_line(&d);
    }
    if (stream != stdin) {
        fclose(stream);
    }
    bnd_settings_uninit(&d.now);
    bnd_settings_uninit(&d.kept);
    bnd_settings_uninit(&d.settled);
    bnd_overlay_uninit(&d.overlay);
    return 0;
}
BNDTEST_REGISTER("settings", "SCRIPT | --check | --list", drive_settings)
