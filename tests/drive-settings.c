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
 *     default NAME TEXT               what sysfs would show if it is not given
 *                                     ("~" for an empty one)
 *     try MODE NAME VALUE OUTCOME TEXT  ok (TEXT is what sysfs would show),
 *                                     refused (the value), mode (does not have
 *                                     the option), later (not supported yet)
 *     try-member MODE NAME VALUE OUTCOME TEXT  the same for a member's option,
 *                                     TEXT also if it is refused
 *     keep                            remembers what is set now
 *     diff none|live|reselect|rebuild cost of the way from there to here
 *
 * One reading of what lies over Open vSwitch's settings (config/overlay.h):
 *
 *     begin
 *     key NAME VALUE                  ("~" for an empty one)
 *     string TEXT
 *     member NAME [OPTION VALUE]      the bond has it; one of its keys
 *     settle [lacp]                   instead of "end": with all checks
 *     settled [TEXT]                  all that is in force then
 *     is MEMBER TEXT                  a member's options, "prio queue admin"
 *     merged [TEXT]                   all that is given
 *     fall NAME [no]                  refuse its value (cannot if "no")
 *     end
 *     errors [TEXT]                   separated by "; ", ditto
 *     notes [TEXT]                    ditto
 *     shows NAME TEXT                 what bond/options would say */

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

    if (bnd_row_is_text(bnd_opt_row(opt))) {
        const char *s = bnd_settings_str(&d->now, opt);
        got = xstrdup(s ? s : "none");
    } else {
        got = xasprintf("%lld", bnd_settings_num(&d->now, opt));
    }
    want(d, got, d->line.n_words > 2 ? d->line.word[2] : "");
    free(got);
}

/* Scripts have no empty words, but may write "~". */
static char *
empty(char *word)
{
    return word + !strcmp(word, "~");
}

static void
command_default(struct drive *d)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct bnd_settings s;
    enum bnd_opt opt;

    if (!bnd_opt_from_name(d->line.word[1], &opt)) {
        bndtest_fatal(&d->line, "no such option");
    }
    bnd_settings_init(&s);
    bnd_settings_show(&s, opt, &ds);
    want(d, ds_cstr(&ds), empty(d->line.word[2]));
    ds_destroy(&ds);
}

/* Returns the outcome of option 'name' = 'value' in 's', which has a mode.
 * An error must name option and value. */
static const char *
outcome(const struct drive *d, struct bnd_settings *s, const char *name,
        const char *value)
{
    char *error = bnd_settings_parse(s, name, value);
    const char *what = "ok";
    enum bnd_opt opt;

    bnd_opt_from_name(name, &opt);
    if (error) {
        what = "refused";
        if (strncmp(error, bnd_opt_name(opt), strlen(bnd_opt_name(opt)))) {
            bndtest_fatal(&d->line, "error without a name: %s", error);
        }
    } else {
        error = bnd_policy_check(s, true, opt);
        if (error) {
            what = (strstr(error, "does not have this option") ? "mode"
                    : strstr(error, "this option is not supported") ? "later"
                    : error);
        }
    }
    if (error && strcmp(what, error)) {
        free(error);
    }
    return what;
}

static void
command_try(struct drive *d)
{
    char **word = d->line.word;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct bnd_settings s;
    enum bnd_opt opt;

    word[3] = empty(word[3]);
    word[5] = empty(word[5]);
    bnd_settings_init(&s);
    char *error = bnd_settings_parse(&s, "mode", word[1]);
    if (error || !bnd_opt_from_name(word[2], &opt)) {
        bndtest_fatal(&d->line, "no such mode or option");
    }
    want(d, outcome(d, &s, word[2], word[3]), word[4]);
    if (strcmp(word[4], "refused")) {
        bnd_settings_show(&s, opt, &ds);
        want(d, ds_cstr(&ds), word[5]);
    }
    ds_destroy(&ds);
    bnd_settings_uninit(&s);
}

/* Returns the outcome of the one option of a member that '*v' is of, given what
 * has been told. */
static const char *
member_outcome(const struct bnd_mvalue *v, const char *errors)
{
    return (!v->bad ? "ok"
            : strstr(errors, "does not have this option") ? "mode"
            : strstr(errors, "this option is not supported") ? "later"
            : "refused");
}

static void
command_try_member(struct drive *d)
{
    char **word = d->line.word;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct bnd_settings base, merged;
    struct bnd_overlay o;
    enum bnd_mopt opt;

    if (!bnd_mopt_from_name(word[2], &opt)) {
        bndtest_fatal(&d->line, "no such option of a member");
    }
    bnd_settings_init(&base);
    bnd_overlay_init(&o);
    bnd_overlay_begin(&o);
    bnd_overlay_key(&o, "mode", word[1]);
    bnd_overlay_member_key(&o, "m", word[2], empty(word[3]));
    bnd_policy_settle(&o, &base, true, &merged);

    const struct bnd_msettings *m = bnd_members_find(&o.members, "m");
    const char *errors = bnd_overlay_errors(&o);
    want(d, member_outcome(&m->values[opt], errors), word[4]);
    if (m->values[opt].bad != !!errors) {
        bndtest_fatal(&d->line, "told: %s", errors ? errors : "nothing");
    }
    bnd_row_show(bnd_mopt_row(opt), bnd_msettings_num(m, opt), NULL, &ds);
    want(d, ds_cstr(&ds), word[5]);
    ds_destroy(&ds);
    bnd_settings_uninit(&merged);
    bnd_overlay_uninit(&o);
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
want_lines(const struct drive *d, const char *lines, const char *wanted)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (const char *p = lines; p && *p; p++) {
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
        bnd_overlay_key(&d->overlay, arg, empty(d->line.word[2]));
    } else if (!strcmp(command, "string")) {
        bnd_overlay_string(&d->overlay, arg);
    } else if (!strcmp(command, "member") && n == 2) {
        bnd_overlay_member(&d->overlay, arg);
    } else if (!strcmp(command, "member") && n == 4) {
        bnd_overlay_member_key(&d->overlay, arg, d->line.word[2],
                               d->line.word[3]);
    } else if (!strcmp(command, "settle")) {
        command_settle(d);
    } else if (!strcmp(command, "settled")) {
        char *got = format(&d->settled);
        want(d, got, arg);
        free(got);
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
        want_lines(d, bnd_overlay_errors(&d->overlay), arg);
    } else if (!strcmp(command, "notes")) {
        want_lines(d, bnd_overlay_notes(&d->overlay), arg);
    } else if (!strcmp(command, "shows") && n == 3) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        bnd_settings_show(&d->settled, arg_opt(d, 1), &ds);
        want(d, ds_cstr(&ds), d->line.word[2]);
        ds_destroy(&ds);
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
    } else if (!strcmp(command, "default") && n == 3) {
        command_default(d);
    } else if (!strcmp(command, "try") && n == 6) {
        command_try(d);
    } else if (!strcmp(command, "try-member") && n == 6) {
        command_try_member(d);
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
check_int(const struct bnd_row *row)
{
    static const char *const bad[] = { "", " ", "x", "1x", "0x10", "+1",
                                       "99999999999999999999", "1.5", "\n1",
                                       "true", "on" };
    const long long int good[] = { row->min, row->min + 1, row->max - 1,
                                   row->max, row->def };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        char *text = xasprintf("%lld", good[i]);
        round_trip(row->name, text);
        free(text);

        /* What follows a newline is ignored. */
        text = xasprintf("%lld\nx", good[i]);
        round_trip(row->name, text);
        free(text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        must_refuse(row->name, bad[i]);
    }

    char *below = xasprintf("%lld", row->min - 1);
    char *above = xasprintf("%lld", row->max + 1);
    must_refuse(row->name, below);
    must_refuse(row->name, above);
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

/* Values that are taken, and such that are not. */
static void
check_texts(const char *name, const char *const good[],
            const char *const bad[])
{
    for (size_t i = 0; good[i]; i++) {
        round_trip(name, good[i]);
    }
    for (size_t i = 0; bad[i]; i++) {
        must_refuse(name, bad[i]);
    }
}

static void
check_row(const struct bnd_row *row)
{
    static const char *const texts[] = { "eth0", "a=b", "", NULL };
    static const char *const macs[] = { "02:00:00:00:00:0a",
                                        "aA:bb:CC:dd:ee:FF", NULL };
    static const char *const bad_macs[] = { "", "1:2:3:4:5:6",
                                            "02 00 00 00 00 0a",
                                            "ff:ff:ff:ff:ff:ff",
                                            "01:00:5e:00:00:01",
                                            "02:00:00:00:00", NULL };
    static const char *const ip4[] = { "10.0.0.1", "1.1.1.1,2.2.2.2",
                                       "127.0.0.1 224.0.0.1,0.1.2.3", NULL };
    static const char *const one_ip4[] = { "10.0.0.1", " 127.0.0.1", NULL };
    static const char *const bad_ip4[] = { "", ",", "10.0.0", "300.1.1.1",
                                           "0.0.0.0", "255.255.255.255",
                                           "::2", "+10.0.0.1", NULL };
    static const char *const ip6[] = { "fe80::1", "2001:db8::1,2001:db8::2",
                                       NULL };
    static const char *const bad_ip6[] = { "", "::", "::1", "ff02::1",
                                           "10.0.0.1", "fe80::g", NULL };
    static const char *const none[] = { NULL };

    switch (row->type) {
    case BND_ROW_INT:
        check_int(row);
        break;
    case BND_ROW_BOOL:
        check_choices(row->name, "false|true|off|on", 2);
        break;
    case BND_ROW_ENUM:
        check_choices(row->name, row->choices, row->n_numbered);
        break;
    case BND_ROW_STR:
        check_texts(row->name, texts, none);
        break;
    case BND_ROW_MAC:
        check_texts(row->name, macs, bad_macs);
        must_refuse(row->name, "00:00:00:00:00:00");
        must_refuse(row->name, "02:00:00:00:00:0a:0b");
        round_trip(row->name, "02-00-00-00-00-0a");
        break;
    case BND_ROW_MAC_OR_0:
        check_texts(row->name, macs, bad_macs);
        round_trip(row->name, "00:00:00:00:00:00");
        round_trip(row->name, "02:00:00:00:00:0a:0b");
        must_refuse(row->name, "02-00-00-00-00-0a");
        break;
    case BND_ROW_IP4:
        check_texts(row->name, row->max == 1 ? one_ip4 : ip4, bad_ip4);
        break;
    case BND_ROW_IP6:
        check_texts(row->name, ip6, bad_ip6);
        break;
    default:
        OVS_NOT_REACHED();
    }
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
        for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
            check_row(bnd_opt_row(opt));
        }
        return 0;
    } else if (!strcmp(argv[1], "--list")) {
        for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
            printf("%s: %s\n", bnd_opt_name(opt), bnd_opt_row(opt)->doc);
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
