/* SPDX-License-Identifier: Apache-2.0 */

/* Makes documentation of the options' rows, when the house is built.
 *
 *     gen-options man | man-members    part of ofproto-bond(7)
 *     gen-options xml                  as in Open vSwitch's vswitch.xml, for
 *                                      tables Port and Interface
 *     gen-options markdown             docs/options.md */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config/manual.h"
#include "config/members.h"
#include "config/settings.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* A row, and where it is set. */
typedef void print_func(const struct bnd_row *, const char *table,
                        struct ds *);

static void
for_bond(print_func *print, struct ds *ds)
{
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        print(bnd_opt_row(opt), "Port", ds);
    }
}

static void
for_members(print_func *print, struct ds *ds)
{
    for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
        print(bnd_mopt_row(opt), "Interface", ds);
    }
}

/* Appends the key of 'row' in other_config. */
static void
put_key(const struct bnd_row *row, struct ds *ds)
{
    if (row->ovs_key) {
        ds_put_cstr(ds, row->ovs_key);
    } else {
        ds_put_format(ds, "bond-%s", row->name);
    }
}

/* Manual page. */

/* Appends 'text' so that troff takes it as it is, a sentence a line. */
static void
put_man(const char *text, struct ds *ds)
{
    bool start = true;

    for (const char *p = text; *p; p++) {
        if (start && (*p == '.' || *p == '\'')) {
            ds_put_cstr(ds, "\\&");
        }
        start = false;
        if (*p == '-') {
            ds_put_cstr(ds, "\\-");
        } else if (*p == '\\') {
            ds_put_cstr(ds, "\\e");
        } else if (*p == '.' && p[1] == ' ' && p[2] == ' ') {
            ds_put_cstr(ds, ".\n");
            p += 2;
            start = true;
        } else {
            ds_put_char(ds, *p);
        }
    }
}

static void
print_man(const struct bnd_row *row, const char *table OVS_UNUSED,
          struct ds *ds)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    ds_put_cstr(ds, ".TP\n\\fB");
    put_key(row, &text);
    put_man(ds_cstr(&text), ds);
    ds_put_cstr(ds, "\\fR\n");
    put_man(row->doc, ds);
    ds_put_cstr(ds, "\n.IP\n");

    ds_clear(&text);
    ds_put_cstr(&text, "Takes ");
    bnd_manual_values(row, &text);
    ds_put_cstr(&text, ".  Default: ");
    bnd_manual_default(row, &text);
    ds_put_cstr(&text, ".  ");
    bnd_manual_rest(row, &text);
    put_man(ds_cstr(&text), ds);
    ds_put_char(ds, '\n');
    ds_destroy(&text);
}

/* XML. */

static void
put_xml(const char *text, struct ds *ds)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '&': ds_put_cstr(ds, "&amp;"); break;
        case '<': ds_put_cstr(ds, "&lt;"); break;
        case '>': ds_put_cstr(ds, "&gt;"); break;
        case '"': ds_put_cstr(ds, "&quot;"); break;
        default: ds_put_char(ds, *p); break;
        }
    }
}

/* Appends the type of 'row' in the words of OVSDB. */
static void
put_type(const struct bnd_row *row, struct ds *ds)
{
    const char *p = row->choices;

    if (row->type == BND_ROW_INT) {
        ds_put_format(ds, "{\"type\": \"integer\", \"minInteger\": %lld, "
                      "\"maxInteger\": %lld}", row->min, row->max);
    } else if (row->type == BND_ROW_BOOL) {
        ds_put_cstr(ds, "{\"type\": \"boolean\"}");
    } else if (row->type != BND_ROW_ENUM) {
        ds_put_cstr(ds, "{\"type\": \"string\"}");
    } else {
        ds_put_cstr(ds, "{\"type\": \"string\", \"enum\": [\"set\", [");
        for (;;) {
            size_t n = strcspn(p, "|");

            ds_put_format(ds, "\"%.*s\"", (int) n, p);
            if (!p[n]) {
                break;
            }
            ds_put_cstr(ds, ", ");
            p += n + 1;
        }
        ds_put_cstr(ds, "]]}");
    }
}

static void
print_xml(const struct bnd_row *row, const char *table OVS_UNUSED,
          struct ds *ds)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    ds_put_cstr(ds, "    <column name=\"other_config\" key=\"");
    put_key(row, ds);
    ds_put_cstr(ds, "\"\n            type='");
    put_type(row, ds);
    ds_put_cstr(ds, "'>\n      <p>");
    put_xml(row->doc, ds);
    ds_put_cstr(ds, "</p>\n      <p>Takes ");
    bnd_manual_values(row, &text);
    ds_put_cstr(&text, ".  Default: ");
    bnd_manual_default(row, &text);
    ds_put_cstr(&text, ".  ");
    bnd_manual_rest(row, &text);
    put_xml(ds_cstr(&text), ds);
    ds_put_cstr(ds, "</p>\n    </column>\n");
    ds_destroy(&text);
}

static void
make_xml(struct ds *ds)
{
    ds_put_cstr(ds, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                "<database name=\"Open_vSwitch\">\n"
                "  <table name=\"Port\">\n");
    for_bond(print_xml, ds);
    ds_put_cstr(ds, "  </table>\n  <table name=\"Interface\">\n");
    for_members(print_xml, ds);
    ds_put_cstr(ds, "  </table>\n</database>\n");
}

/* Markdown. */

/* Appends 'text' as part of a row of a table. */
static void
put_cell(const char *text, struct ds *ds)
{
    for (const char *p = text; *p; p++) {
        if (*p == '|') {
            ds_put_char(ds, '\\');
        }
        ds_put_char(ds, *p);
    }
}

static void
print_markdown(const struct bnd_row *row, const char *table OVS_UNUSED,
               struct ds *ds)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    ds_put_cstr(ds, "| `");
    put_key(row, ds);
    ds_put_cstr(ds, "` | ");
    bnd_manual_values(row, &text);
    put_cell(ds_cstr(&text), ds);
    ds_put_cstr(ds, " | ");
    bnd_manual_default(row, ds);
    ds_put_cstr(ds, " | ");

    ds_clear(&text);
    ds_put_cstr(&text, row->doc);
    ds_put_cstr(&text, "  ");
    bnd_manual_rest(row, &text);
    while (ds_chomp(&text, ' ')) {
        continue;
    }
    put_cell(ds_cstr(&text), ds);
    ds_put_cstr(ds, " |\n");
    ds_destroy(&text);
}

static void
make_markdown(struct ds *ds)
{
    static const char head[] = "| key | values | default | meaning |\n"
                               "|---|---|---|---|\n";

    ds_put_cstr(ds, "# Options of bonds and their members\n\n"
                "Made from `lib/config/options.def` and "
                "`lib/config/member-options.def` by\n"
                "`make update-docs`; the manual page ofproto-bond(7) says "
                "the same and how values\nare written.\n\n"
                "## Bonds: `Port.other_config`\n\n");
    ds_put_cstr(ds, head);
    for_bond(print_markdown, ds);
    ds_put_cstr(ds, "\n## Members: `Interface.other_config`\n\n");
    ds_put_cstr(ds, head);
    for_members(print_markdown, ds);
}

int
main(int argc, char *argv[])
{
    const char *what = argc > 1 ? argv[1] : "";
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (!strcmp(what, "man")) {
        for_bond(print_man, &ds);
    } else if (!strcmp(what, "man-members")) {
        for_members(print_man, &ds);
    } else if (!strcmp(what, "xml")) {
        make_xml(&ds);
    } else if (!strcmp(what, "markdown")) {
        make_markdown(&ds);
    } else {
        fputs("usage: gen-options man|man-members|xml|markdown\n", stderr);
        return EXIT_FAILURE;
    }
    fputs(ds_cstr(&ds), stdout);
    ds_destroy(&ds);
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
