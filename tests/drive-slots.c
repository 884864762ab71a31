/* SPDX-License-Identifier: Apache-2.0 */

/* Drives buckets, the choice of the active member and hashes by themselves.
 *
 *     bndtest slots SCRIPT
 *
 *     init INTERVAL [static] [weighted]
 *     members ID[*][@MBPS]...     those that there are; '*' means disabled
 *     at T                        sets the time, nothing more
 *     bytes SLOT=N... [all=N]
 *     migrate SLOT ID
 *     rebalance
 *     mark                        remembers the owners
 *     linux                       each bucket is with the member of its number
 *                                 modulo members, all of which work
 *     plan                        plans backups, and sees that each is who
 *                                 gets the bucket if its member is lost
 *     expect [slots=ID:N,...] [slot=N:ID] [moved=N] [from=ID,...] [to=ID,...]
 *            [load=N:L] [n-slots=N]
 *         from, to: owners, before and now, of the buckets that moved since
 *         "mark"
 *     shifts N                    moves that the last "rebalance" traced
 *
 *     bndtest select SCRIPT       each line a question
 *
 *     active=ID primary=NAME sticky=MAC MEMBER... -> ID
 *         MEMBER is ID:STATE[:DEADLINE], STATE being on, off or coming; its
 *         name is m and its address 02:00:00:00:00: and its id
 *     permute ...                 the same in any order of members; equals
 *                                 are put in the order of ids first
 *
 *     bndtest hash VECTORS        each line "MAC VLAN BASIS BUCKET" */

#include <config.h>
#include "bndtest.h"

#include <stdlib.h>
#include <string.h>
#include "balance/slots.h"
#include "core/effects.h"
#include "select/select.h"
#include "util.h"
#include "xmit/choose.h"

#define MAX_MEMBERS 300

struct drive {
    struct bndtest_line line;
    struct bnd_slots slots;
    long long int now;
    struct bnd_member members[MAX_MEMBERS];
    const struct bnd_member *pointers[MAX_MEMBERS];
    size_t n;
    bnd_id marked[BND_N_SLOTS];
    int n_shifts;
};

static int
count_slots(const struct drive *d, bnd_id id)
{
    int n = 0;

    for (size_t i = 0; i < d->slots.n_slots; i++) {
        n += d->slots.owner[i] == id;
    }
    return n;
}

static void
command_members(struct drive *d)
{
    d->n = d->line.n_words - 1;
    for (size_t i = 0; i < d->n; i++) {
        struct bnd_member *m = &d->members[i];
        char *end;

        m->id = strtoul(d->line.word[i + 1], &end, 10);
        m->name = CONST_CAST(char *, "m");
        m->enabled = *end != '*';
        end += *end == '*';
        m->speed_mbps = *end == '@' ? strtoul(end + 1, NULL, 10) : 0;
        d->pointers[i] = m;
    }
    bnd_slots_assign(&d->slots, d->pointers, d->n);
}

static void
command_bytes(struct drive *d)
{
    uint64_t bytes[BND_N_SLOTS];

    for (int i = 0; i < BND_N_SLOTS; i++) {
        char key[8];

        snprintf(key, sizeof key, "%d", i);
        bytes[i] = bndtest_key_number(&d->line, key,
                                      bndtest_key_number(&d->line, "all", 0));
    }
    bnd_slots_account(&d->slots, bytes);
}

static void
command_rebalance(struct drive *d)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    bnd_slots_rebalance(&d->slots, d->pointers, d->n, d->now, &fx);
    d->n_shifts = fx.n;
    bnd_effects_uninit(&fx);
}

static void
expect_number(const struct drive *d, const char *what, long long int got,
              long long int want)
{
    if (got != want) {
        bndtest_fatal(&d->line, "%s is %lld, expected %lld", what, got, want);
    }
}

static bool
is_listed(const char *list, bnd_id id)
{
    while (*list) {
        if (strtoul(list, NULL, 10) == id) {
            return true;
        }
        list += strcspn(list, ",");
        list += *list == ',';
    }
    return false;
}

/* Looks at "A:B,..." where B is what is expected of A. */
static void
expect_list(const struct drive *d, const char *key)
{
    const char *p = bndtest_value(&d->line, key);

    while (p && *p) {
        char *end;
        unsigned long int a = strtoul(p, &end, 10);
        long long int b = *end == ':' ? strtoll(end + 1, &end, 10) : -1;
        unsigned int slot = a % BND_N_SLOTS;

        expect_number(d, key, !strcmp(key, "slots") ? count_slots(d, a)
                      : !strcmp(key, "slot") ? d->slots.owner[slot]
                      : d->slots.load[slot], b);
        p = end + (*end == ',');
    }
}

static void
command_expect(const struct drive *d)
{
    const char *from = bndtest_value(&d->line, "from");
    const char *to = bndtest_value(&d->line, "to");
    int moved = 0;

    for (size_t i = 0; i < d->slots.n_slots; i++) {
        if (d->slots.owner[i] != d->marked[i]) {
            moved++;
            if ((from && !is_listed(from, d->marked[i]))
                || (to && !is_listed(to, d->slots.owner[i]))) {
                bndtest_fatal(&d->line, "bucket %"PRIuSIZE" of member %u "
                              "moved to %u", i, d->marked[i], d->slots.owner[i]);
            }
        }
    }
    expect_number(d, "moved", moved,
                  bndtest_key_number(&d->line, "moved", moved));
    expect_number(d, "n-slots", d->slots.n_slots,
                  bndtest_key_number(&d->line, "n-slots",
                                     d->slots.n_slots));
    expect_list(d, "slots");
    expect_list(d, "slot");
    expect_list(d, "load");
}

static void
check_linux(const struct drive *d)
{
    expect_number(d, "number of buckets", d->slots.n_slots,
                  BND_N_SLOTS / d->n * d->n);
    for (size_t i = 0; i < d->slots.n_slots; i++) {
        if (d->slots.owner[i] != d->members[i % d->n].id) {
            bndtest_fatal(&d->line, "bucket %"PRIuSIZE" is with member %u", i,
                          d->slots.owner[i]);
        }
    }
}

/* Loses member 'm' in a copy and compares with what was planned for it. */
static void
check_loss(const struct drive *d, struct bnd_member *m)
{
    struct bnd_slots after = d->slots;

    after.known = xmemdup(d->slots.known,
                          (d->slots.n_known + 1) * sizeof *after.known);
    after.known_weight = xmemdup(d->slots.known_weight,
                                 ((d->slots.n_known + 1)
                                  * sizeof *after.known_weight));
    after.homes.owners = xmemdup(d->slots.homes.owners,
                                 (d->slots.homes.n_owners
                                  * sizeof *after.homes.owners));
    after.seen = xmemdup(d->slots.seen,
                         (d->slots.n_seen + 1) * sizeof *after.seen);
    m->enabled = false;
    bnd_slots_assign(&after, d->pointers, d->n);
    m->enabled = true;
    for (size_t i = 0; i < after.n_slots; i++) {
        bnd_id want = (d->slots.owner[i] == m->id
                       ? d->slots.backup[i] : d->slots.owner[i]);

        if (after.owner[i] != want) {
            bndtest_fatal(&d->line, "without %u bucket %"PRIuSIZE" goes to %u,"
                          " not %u", m->id, i, after.owner[i], want);
        }
    }
    bnd_slots_uninit(&after);
}

static void
check_plan(struct drive *d)
{
    bnd_slots_plan(&d->slots, d->pointers, d->n);
    for (size_t i = 0; i < d->n; i++) {
        if (d->members[i].enabled) {
            check_loss(d, &d->members[i]);
        }
    }
}

static void
run_line(struct drive *d)
{
    const char *command = d->line.word[0];

    if (!strcmp(command, "init")) {
        bnd_slots_uninit(&d->slots);
        bnd_slots_init(&d->slots, bndtest_has(&d->line, "static"),
                       bndtest_number(&d->line, 1), d->now);
        bnd_slots_set_weighted(&d->slots, bndtest_has(&d->line, "weighted"));
    } else if (!strcmp(command, "members")) {
        command_members(d);
    } else if (!strcmp(command, "at")) {
        d->now = bndtest_number(&d->line, 1);
    } else if (!strcmp(command, "bytes")) {
        command_bytes(d);
    } else if (!strcmp(command, "migrate")) {
        bnd_slots_migrate(&d->slots, bndtest_number(&d->line, 1),
                          bndtest_number(&d->line, 2));
    } else if (!strcmp(command, "rebalance")) {
        command_rebalance(d);
    } else if (!strcmp(command, "shifts")) {
        expect_number(d, "shifts", d->n_shifts, bndtest_number(&d->line, 1));
    } else if (!strcmp(command, "linux")) {
        check_linux(d);
    } else if (!strcmp(command, "plan")) {
        check_plan(d);
    } else if (!strcmp(command, "mark")) {
        memcpy(d->marked, d->slots.owner, sizeof d->marked);
    } else if (!strcmp(command, "expect")) {
        command_expect(d);
    } else {
        bndtest_fatal(&d->line, "unknown command");
    }
}

static int
drive_slots(int argc, char *argv[])
{
    struct drive *d = xzalloc(sizeof *d);
    FILE *stream = bndtest_open(argc > 1 ? argv[1] : "-", &d->line);

    bnd_slots_init(&d->slots, false, 0, 0);
    while (bndtest_next(stream, &d->line)) {
        run_line(d);
    }
    if (stream != stdin) {
        fclose(stream);
    }
    bnd_slots_uninit(&d->slots);
    free(d);
    return 0;
}
BNDTEST_REGISTER("slots", "SCRIPT", drive_slots)

/* Choice of the active member. */

static void
make_member(const struct bndtest_line *line, const char *word,
            struct bnd_member *m)
{
    char *end;

    memset(m, 0, sizeof *m);
    m->id = strtoul(word, &end, 10);
    m->name = xasprintf("m%u", m->id);
    m->mac = m->perm_mac
        = (struct eth_addr) { .ea = { 2, 0, 0, 0, 0, m->id } };
    m->link.deadline = BND_NEVER;
    if (!strcmp(end, ":on")) {
        m->enabled = true;
        m->link.state = BND_LINK_UP;
    } else if (!strcmp(end, ":off")) {
        m->link.state = BND_LINK_DOWN;
    } else if (!strncmp(end, ":coming:", 8)) {
        m->good = m->fits = true;
        m->link.state = BND_LINK_COMING_BACK;
        m->link.deadline = strtoll(end + 8, NULL, 10);
    } else {
        bndtest_fatal(line, "member '%s'", word);
    }
}

static void
check_select(const struct bndtest_line *line, struct bnd_select_input *in,
             bnd_id want)
{
    bnd_id got = bnd_select_active(in);

    if (got != want) {
        bndtest_fatal(line, "the choice is %u", got);
    }
}

/* Asks for every order of 'pointers' from 'i' on. */
static void
permute(const struct bndtest_line *line, struct bnd_select_input *in,
        const struct bnd_member **pointers, size_t i, bnd_id want)
{
    if (i + 1 >= in->n_members) {
        check_select(line, in, want);
    }
    for (size_t j = i; j < in->n_members; j++) {
        const struct bnd_member *tmp = pointers[i];

        pointers[i] = pointers[j];
        pointers[j] = tmp;
        permute(line, in, pointers, i + 1, want);
        pointers[j] = pointers[i];
        pointers[i] = tmp;
    }
}

static void
run_question(struct bndtest_line *line)
{
    struct bnd_member members[BNDTEST_MAX_WORDS];
    const struct bnd_member *pointers[BNDTEST_MAX_WORDS];
    const char *sticky = bndtest_value(line, "sticky");
    struct bnd_select_input in = {
        .members = pointers,
        .active = bndtest_key_number(line, "active", BND_NO_MEMBER),
        .primary = bndtest_value(line, "primary"),
        .coming_until = BND_NEVER,
    };
    bool all = bndtest_has(line, "permute");
    bnd_id want;

    if (sticky) {
        bndtest_hex(sticky, in.sticky.ea, sizeof in.sticky.ea);
    }
    if (line->n_words < 2 || strcmp(line->word[line->n_words - 2], "->")) {
        bndtest_fatal(line, "'-> ID' is missing");
    }
    want = bndtest_number(line, line->n_words - 1);
    for (int i = 0; i < line->n_words - 2; i++) {
        if (strchr(line->word[i], ':') && !strchr(line->word[i], '=')) {
            make_member(line, line->word[i], &members[in.n_members]);
            pointers[in.n_members] = &members[in.n_members];
            in.n_members++;
        }
    }

    check_select(line, &in, want);
    if (all) {
        permute(line, &in, pointers, 0, want);
    }
    for (size_t i = 0; i < in.n_members; i++) {
        free(members[i].name);
    }
}

static int
drive_select(int argc, char *argv[])
{
    struct bndtest_line line;
    FILE *stream = bndtest_open(argc > 1 ? argv[1] : "-", &line);

    while (bndtest_next(stream, &line)) {
        run_question(&line);
    }
    if (stream != stdin) {
        fclose(stream);
    }
    return 0;
}
BNDTEST_REGISTER("select", "SCRIPT", drive_select)

/* Hashes. */

static int
drive_hash(int argc, char *argv[])
{
    struct bndtest_line line;
    FILE *stream = bndtest_open(argc > 1 ? argv[1] : "-", &line);

    while (bndtest_next(stream, &line)) {
        struct eth_addr mac;

        if (bndtest_hex(line.word[0], mac.ea, sizeof mac.ea)
            != (int) sizeof mac.ea) {
            bndtest_fatal(&line, "not an address");
        }

        uint32_t hash = bnd_hash_src(mac, bndtest_number(&line, 1),
                                     bndtest_number(&line, 2));
        if (hash % BND_N_SLOTS != bndtest_number(&line, 3)) {
            bndtest_fatal(&line, "the bucket is %u", hash % BND_N_SLOTS);
        }
    }
    if (stream != stdin) {
        fclose(stream);
    }
    return 0;
}
BNDTEST_REGISTER("hash", "VECTORS", drive_hash)
