/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/cursor.h"

#include <string.h>
#include "util.h"

/* Copies the next 'n' bytes to 'out', or as many zeros if there are not that
 * many; then the rest of the frame counts as read. */
static void
take(struct bnd_cursor *c, void *out, size_t n)
{
    if (n > bnd_cursor_left(c)) {
        c->bad = true;
        c->pos = c->len;
        memset(out, 0, n);
        return;
    }
    memcpy(out, c->data + c->pos, n);
    c->pos += n;
}

uint8_t
bnd_cursor_u8(struct bnd_cursor *c)
{
    uint8_t b;

    take(c, &b, sizeof b);
    return b;
}

uint16_t
bnd_cursor_u16(struct bnd_cursor *c)
{
    uint8_t b[2];

    take(c, b, sizeof b);
    return b[0] << 8 | b[1];
}

uint32_t
bnd_cursor_u32(struct bnd_cursor *c)
{
    uint8_t b[4];

    take(c, b, sizeof b);
    return (uint32_t) b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

struct eth_addr
bnd_cursor_mac(struct bnd_cursor *c)
{
    struct eth_addr mac;

    take(c, &mac, sizeof mac);
    return mac;
}

void
bnd_cursor_bytes(struct bnd_cursor *c, void *bytes, size_t n)
{
    take(c, bytes, n);
}

void
bnd_cursor_skip(struct bnd_cursor *c, size_t n)
{
    if (n > bnd_cursor_left(c)) {
        c->bad = true;
        n = bnd_cursor_left(c);
    }
    c->pos += n;
}

/* Appends the 'n' bytes at 'in', or nothing if they do not fit. */
static void
put(struct bnd_writer *w, const void *in, size_t n)
{
    if (n > w->size - w->pos) {
        w->bad = true;
        w->pos = w->size;
        return;
    }
    memcpy(w->data + w->pos, in, n);
    w->pos += n;
}

void
bnd_writer_u8(struct bnd_writer *w, uint8_t value)
{
    put(w, &value, sizeof value);
}

void
bnd_writer_u16(struct bnd_writer *w, uint16_t value)
{
    uint8_t b[] = { value >> 8, value };

    put(w, b, sizeof b);
}

void
bnd_writer_u32(struct bnd_writer *w, uint32_t value)
{
    uint8_t b[] = { value >> 24, value >> 16, value >> 8, value };

    put(w, b, sizeof b);
}

void
bnd_writer_mac(struct bnd_writer *w, struct eth_addr mac)
{
    put(w, &mac, sizeof mac);
}

void
bnd_writer_bytes(struct bnd_writer *w, const void *bytes, size_t n)
{
    put(w, bytes, n);
}

void
bnd_writer_set_u16(struct bnd_writer *w, size_t pos, uint16_t value)
{
    struct bnd_writer at = bnd_writer(w->data, w->pos);

    at.pos = MIN(pos, w->pos);
    bnd_writer_u16(&at, value);
    w->bad |= at.bad;
}

void
bnd_writer_zeros(struct bnd_writer *w, size_t n)
{
    if (n > w->size - w->pos) {
        w->bad = true;
        n = w->size - w->pos;
    }
    memset(w->data + w->pos, 0, n);
    w->pos += n;
}
