/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "config/row.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* White space that stands between words; a newline ends the value. */
#define BLANKS " \t\r\v\f"

#define MAC_LEN 17

/* Names. */

bool
bnd_opt_name_equal(const char *a, const char *b)
{
    for (; *a || *b; a++, b++) {
        char x = *a == '_' ? '-' : *a;
        char y = *b == '_' ? '-' : *b;
        if (x != y) {
            return false;
        }
    }
    return true;
}

/* Returns the number of 'text' of 'len' bytes among 'choices', or -1. */
static int
choice_index(const char *choices, const char *text, size_t len)
{
    for (int i = 0; ; i++) {
        size_t n = strcspn(choices, "|");
        if (n == len && !memcmp(choices, text, n)) {
            return i;
        }
        if (!choices[n]) {
            return -1;
        }
        choices += n + 1;
    }
}

bool
bnd_row_is_called(const struct bnd_row *row, const char *name)
{
    if (bnd_opt_name_equal(row->name, name)) {
        return true;
    }
    if (!row->aliases) {
        return false;
    }

    char *spelt = xstrdup(name);
    for (char *p = spelt; *p; p++) {
        *p = *p == '_' ? '-' : *p;
    }
    bool found = choice_index(row->aliases, spelt, strlen(spelt)) >= 0;
    free(spelt);
    return found;
}

bool
bnd_row_is_text(const struct bnd_row *row)
{
    switch (row->type) {
    case BND_ROW_INT:
    case BND_ROW_BOOL:
    case BND_ROW_ENUM:
        return false;
    case BND_ROW_STR:
    case BND_ROW_MAC:
    case BND_ROW_MAC_OR_0:
    case BND_ROW_IP4:
    case BND_ROW_IP6:
        return true;
    default:
        OVS_NOT_REACHED();
    }
}

/* What is allowed. */

/* Appends the words of 'row' that are not names of choices. */
static void
put_words(const struct bnd_row *row, struct ds *ds)
{
    static const char *const names[] = { "off", "minval", "maxval",
                                         "default" };
    unsigned int left = row->words;

    if (row->type == BND_ROW_BOOL || row->type == BND_ROW_ENUM) {
        left &= BND_W_DEF;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names) && left; i++) {
        if (left & (1u << i)) {
            left &= ~(1u << i);
            ds_put_format(ds, "%s%s", left ? ", " : " or ", names[i]);
        }
    }
}

void
bnd_row_allowed(const struct bnd_row *row, struct ds *ds)
{
    switch (row->type) {
    case BND_ROW_INT:
        ds_put_format(ds, "a whole number from %lld to %lld", row->min,
                      row->max);
        put_words(row, ds);
        break;
    case BND_ROW_BOOL:
        ds_put_cstr(ds, "true (on, 1) or false (off, 0)");
        put_words(row, ds);
        break;
    case BND_ROW_ENUM:
        ds_put_format(ds, "one of %s", row->choices);
        put_words(row, ds);
        break;
    case BND_ROW_STR:
        ds_put_cstr(ds, "text, or nothing for none");
        break;
    case BND_ROW_MAC:
        ds_put_cstr(ds, "the Ethernet address of one station, as "
                    "xx:xx:xx:xx:xx:xx");
        break;
    case BND_ROW_MAC_OR_0:
        ds_put_cstr(ds, "the Ethernet address of one station, as "
                    "xx:xx:xx:xx:xx:xx, or all zeros");
        break;
    case BND_ROW_IP4:
    case BND_ROW_IP6:
        if (row->max == 1) {
            ds_put_cstr(ds, "an IPv4 address");
        } else {
            ds_put_format(ds, "up to %lld different %s addresses with commas "
                          "between them", row->max,
                          row->type == BND_ROW_IP4 ? "IPv4" : "IPv6");
        }
        break;
    default:
        OVS_NOT_REACHED();
    }
}

/* Returns the message that 'text' is nothing that 'row' allows. */
static char *
refuse(const struct bnd_row *row, const char *text)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_format(&ds, "%s: \"%s\" is not ", row->name, text);
    bnd_row_allowed(row, &ds);
    return ds_steal_cstr(&ds);
}

/* Numbers and words. */

/* Reads 'len' bytes at 'word' as a decimal number, negative only if
 * 'negative'. */
static bool
read_number(const char *word, size_t len, bool negative,
            long long int *number)
{
    char copy[32];
    char *end;

    if (!len || len >= sizeof copy) {
        return false;
    }
    memcpy(copy, word, len);
    copy[len] = '\0';
    if (!isdigit((unsigned char) copy[0])
        && !(negative && copy[0] == '-'
             && isdigit((unsigned char) copy[1]))) {
        return false;
    }
    errno = 0;
    *number = strtoll(copy, &end, 10);
    return !*end && !errno;
}

static bool
word_is(const char *word, size_t len, const char *name)
{
    return len == strlen(name) && !memcmp(word, name, len);
}

/* Reads a word that stands for a number in 'row'. */
static bool
read_word(const struct bnd_row *row, const char *word, size_t len,
          long long int *number)
{
    const struct {
        unsigned int bit;
        const char *name;
        long long int value;
    } words[] = {
        { BND_W_OFF, "off", 0 },
        { BND_W_MIN, "minval", row->min },
        { BND_W_MAX, "maxval", row->max },
        { BND_W_DEF, "default", row->def },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if ((row->words & words[i].bit) && word_is(word, len, words[i].name)) {
            *number = words[i].value;
            return true;
        }
    }
    return false;
}

/* Reads 'text' as a number of 'row', be it by a name. */
static bool
read_scalar(const struct bnd_row *row, const char *text,
            long long int *number)
{
    size_t line = strcspn(text, "\n");
    const char *word = text + strspn(text, BLANKS);
    size_t len = strcspn(word, BLANKS "\n");
    bool all_digits = strspn(text, "0123456789" BLANKS) >= line;
    const char *choices = row->type == BND_ROW_BOOL ? "false|true|off|on"
                                                    : row->choices;
    long long int min = row->min;
    long long int max = row->max;

    if (word >= text + line) {
        return false;
    }
    if (row->type != BND_ROW_INT) {
        min = 0;
        max = row->type == BND_ROW_BOOL ? 1 : row->n_numbered - 1;
    }
    if (all_digits || (row->type == BND_ROW_INT && row->min < 0)) {
        if (read_number(word, len, row->min < 0, number)) {
            return *number >= min && *number <= max;
        }
        if (all_digits) {
            return false;
        }
    }

    int i = choices ? choice_index(choices, word, len) : -1;
    if (i >= 0) {
        *number = row->type == BND_ROW_BOOL ? i % 2 : i;
        return true;
    }
    return read_word(row, word, len, number);
}

/* Addresses. */

bool
bnd_parse_mac(const char *text, struct eth_addr *mac)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < sizeof mac->ea; i++) {
        bool ok = len >= 3 * i + 2;

        mac->ea[i] = ok ? hexits_value(text + 3 * i, 2, &ok) : 0;
        if (!ok || (i + 1 < sizeof mac->ea
                    && text[3 * i + 2] != ':' && text[3 * i + 2] != '-')) {
            return false;
        }
    }
    return true;
}

/* Reads an address as 'row' has it: the driver's own option knows no hyphens
 * and ignores what follows. */
static bool
read_mac(const struct bnd_row *row, const char *text, struct eth_addr *mac)
{
    static const struct eth_addr zero;
    bool as_driver = row->type == BND_ROW_MAC_OR_0;

    if (!bnd_parse_mac(text, mac)
        || (as_driver ? strcspn(text, "-") < MAC_LEN
            : strlen(text) != MAC_LEN)) {
        return false;
    }
    return (memcmp(mac, &zero, sizeof zero)
            ? !(mac->ea[0] & 1)
            : as_driver);
}

/* Is the IPv4 address 'a' one that can be asked after? */
static bool
is_target4(const uint8_t *a)
{
    static const uint8_t none[4] = { 0, 0, 0, 0 };
    static const uint8_t all[4] = { 255, 255, 255, 255 };

    return memcmp(a, none, sizeof none) && memcmp(a, all, sizeof all);
}

/* Is the IPv6 address 'a'? */
static bool
is_target6(const uint8_t *a)
{
    static const uint8_t none[16];

    return a[0] != 0xff && (memcmp(a, none, 15) || a[15] > 1);
}

/* Reads one address of a list and appends it to 'ds' in its usual form. */
static bool
read_target(const struct bnd_row *row, const char *text, struct ds *ds)
{
    bool is_ip4 = row->type == BND_ROW_IP4;
    int family = is_ip4 ? AF_INET : AF_INET6;
    char usual[INET6_ADDRSTRLEN];
    uint8_t a[16];

    if (inet_pton(family, text, a) != 1
        || !(is_ip4 ? is_target4(a) : is_target6(a))
        || !inet_ntop(family, a, usual, sizeof usual)) {
        return false;
    }
    ds_put_cstr(ds, usual);
    return true;
}

/* Reads a list of addresses.  Returns null and stores the list in its usual
 * form, or returns what is wrong. */
static char *
read_targets(const struct bnd_row *row, const char *text, char **str)
{
    static const char separators[] = "," BLANKS "\n";
    struct ds list = DS_EMPTY_INITIALIZER;
    char *copy = xstrdup(text);
    char *save = NULL;
    char *error = NULL;
    int n = 0;

    for (char *word = strtok_r(copy, separators, &save); word && !error;
         word = strtok_r(NULL, separators, &save)) {
        struct ds one = DS_EMPTY_INITIALIZER;

        if (!read_target(row, word, &one)) {
            error = xasprintf("%s: \"%s\" is not an %s address that can be "
                              "%s", row->name, word,
                              row->type == BND_ROW_IP4 ? "IPv4" : "IPv6",
                              row->max == 1 ? "used" : "probed");
        } else if (n && choice_index(ds_cstr(&list), ds_cstr(&one),
                                     one.length) >= 0) {
            error = xasprintf("%s: \"%s\" is there twice", row->name, word);
        } else if (n++ == row->max) {
            error = xasprintf("%s: \"%s\" is one too many, as %lld %s allowed",
                              row->name, word, row->max,
                              row->max == 1 ? "is" : "are");
        } else {
            ds_put_format(&list, "%s%s", n > 1 ? "|" : "", ds_cstr(&one));
        }
        ds_destroy(&one);
    }
    free(copy);
    if (!error && !n) {
        error = refuse(row, text);
    }
    if (error) {
        ds_destroy(&list);
        return error;
    }
    *str = ds_steal_cstr(&list);
    for (char *p = *str; *p; p++) {
        *p = *p == '|' ? ',' : *p;
    }
    return NULL;
}

/* Values. */

char *
bnd_row_parse(const struct bnd_row *row, const char *text,
              struct bnd_value *value)
{
    struct eth_addr mac;

    *value = (struct bnd_value) { .str = NULL };
    switch (row->type) {
    case BND_ROW_INT:
    case BND_ROW_BOOL:
    case BND_ROW_ENUM:
        return (read_scalar(row, text, &value->num)
                ? NULL : refuse(row, text));

    case BND_ROW_STR:
        value->str = xstrdup(text);
        return NULL;

    case BND_ROW_MAC:
    case BND_ROW_MAC_OR_0:
        if (!read_mac(row, text, &mac)) {
            return refuse(row, text);
        }
        value->str = xmemdup0(text, MAC_LEN);
        for (char *p = value->str; *p; p++) {
            *p = *p == '-' ? ':' : tolower((unsigned char) *p);
        }
        return NULL;

    case BND_ROW_IP4:
    case BND_ROW_IP6:
        return read_targets(row, text, &value->str);

    default:
        OVS_NOT_REACHED();
    }
}

/* Appends the 'i'th of 'choices' to 'ds'. */
static void
put_choice(const char *choices, long long int i, struct ds *ds)
{
    while (i-- > 0) {
        choices += strcspn(choices, "|") + 1;
    }
    ds_put_buffer(ds, choices, strcspn(choices, "|"));
}

void
bnd_row_format(const struct bnd_row *row, long long int num, const char *str,
               struct ds *ds)
{
    if (bnd_row_is_text(row)) {
        ds_put_cstr(ds, str);
    } else if (row->type == BND_ROW_INT) {
        ds_put_format(ds, "%lld", num);
    } else {
        put_choice(row->type == BND_ROW_BOOL ? "false|true" : row->choices,
                   num, ds);
    }
}

void
bnd_row_show(const struct bnd_row *row, long long int num, const char *str,
             struct ds *ds)
{
    if (row->type == BND_ROW_BOOL) {
        if (row->named) {
            ds_put_cstr(ds, num ? "on " : "off ");
        }
        ds_put_format(ds, "%lld", num);
        return;
    }
    if (!bnd_row_is_text(row) || str) {
        bnd_row_format(row, num, str, ds);
    }
    if (row->type == BND_ROW_ENUM && num < row->n_numbered) {
        ds_put_format(ds, " %lld", num);
    }
}

/* Modes. */

void
bnd_modes_format(unsigned int set, struct ds *ds)
{
    bool first = true;

    for (int i = 0; i < BND_N_MODES; i++) {
        if (set & (1u << i)) {
            ds_put_format(ds, "%s%s", first ? "" : ", ", bnd_mode_name(i));
            first = false;
        }
    }
}

unsigned int
bnd_row_modes(const struct bnd_row *row)
{
    return row->modes ? row->modes : BND_IN_ALL;
}

unsigned int
bnd_row_effect(const struct bnd_row *row)
{
    return row->effect ? row->effect : bnd_row_modes(row);
}
