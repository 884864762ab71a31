/* SPDX-License-Identifier: Apache-2.0 */

/* Cursors over a frame
 * ====================
 *
 * The only code that indexes bytes of a frame.  A reader that runs past the
 * end yields zeros and remembers that it did; a decoder therefore reads all
 * fields in a row and asks once, last, whether the frame was long enough.
 * There is no length arithmetic to get wrong in a decoder, and forgetting the
 * check gives a wrong field, never a read outside of the frame.
 *
 * A writer is the mirror image: what does not fit is not written, and 'bad'
 * says so.
 *
 * All numbers are in network byte order on the wire and in host byte order in
 * the program.
 *
 * Thread-safety
 * -------------
 * Cursors live on the stack of their user; the bytes are borrowed. */

#ifndef BND_WIRE_CURSOR_H
#define BND_WIRE_CURSOR_H 1

#include <stddef.h>
#include "core/bnd-types.h"

/* Reads 'len' bytes at 'data' from 'pos' on. */
struct bnd_cursor {
    const uint8_t *data;        /* Borrowed. */
    size_t len;
    size_t pos;                 /* Next byte, never more than 'len'. */
    bool bad;                   /* A read went past the end. */
};

static inline struct bnd_cursor
bnd_cursor(const void *data, size_t len)
{
    return (struct bnd_cursor) { .data = data, .len = len };
}

/* Number of bytes that are left. */
static inline size_t
bnd_cursor_left(const struct bnd_cursor *c)
{
    return c->len - c->pos;
}

uint8_t bnd_cursor_u8(struct bnd_cursor *);
uint16_t bnd_cursor_u16(struct bnd_cursor *);
uint32_t bnd_cursor_u32(struct bnd_cursor *);
struct eth_addr bnd_cursor_mac(struct bnd_cursor *);
void bnd_cursor_bytes(struct bnd_cursor *, void *bytes, size_t n);
void bnd_cursor_skip(struct bnd_cursor *, size_t n);

/* Writes into 'size' bytes at 'data' from 'pos' on. */
struct bnd_writer {
    uint8_t *data;              /* Borrowed. */
    size_t size;
    size_t pos;                 /* Next byte, never more than 'size'. */
    bool bad;                   /* A write did not fit. */
};

static inline struct bnd_writer
bnd_writer(void *data, size_t size)
{
    return (struct bnd_writer) { .data = data, .size = size };
}

void bnd_writer_u8(struct bnd_writer *, uint8_t);
void bnd_writer_u16(struct bnd_writer *, uint16_t);
void bnd_writer_u32(struct bnd_writer *, uint32_t);
void bnd_writer_mac(struct bnd_writer *, struct eth_addr);

/* Writes the 'n' bytes at 'bytes', or 'n' zeros. */
void bnd_writer_bytes(struct bnd_writer *, const void *bytes, size_t n);
void bnd_writer_zeros(struct bnd_writer *, size_t n);

/* Writes 'value' over what was written at 'pos': a checksum, once what it
 * covers is there. */
void bnd_writer_set_u16(struct bnd_writer *, size_t pos, uint16_t value);

#endif /* wire/cursor.h */
