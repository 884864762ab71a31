/* SPDX-License-Identifier: Apache-2.0 */

/* Members of JSON objects, in the forms that docs/status-json.md promises.
 * Each function adds 'key' to object 'o'. */

#ifndef BND_JSON_PUT_H
#define BND_JSON_PUT_H 1

#include "core/bnd-types.h"
#include "openvswitch/json.h"
#include "util.h"

static inline void
bnd_put_num(struct json *o, const char *key, uint64_t value)
{
    json_object_put(o, key, json_integer_create(MIN(value, INT64_MAX)));
}

static inline void
bnd_put_bool(struct json *o, const char *key, bool value)
{
    json_object_put(o, key, json_boolean_create(value));
}

/* Null for no text. */
static inline void
bnd_put_str(struct json *o, const char *key, const char *value)
{
    json_object_put(o, key, value ? json_string_create(value)
                            : json_null_create());
}

static inline void
bnd_put_mac(struct json *o, const char *key, struct eth_addr mac)
{
    json_object_put_format(o, key, BND_MAC_FMT, BND_MAC_ARGS(mac));
}

#endif /* json-put.h */
