/* SPDX-License-Identifier: Apache-2.0 */

/* Trace records
 * =============
 *
 * The engine does not log.  What an operator should hear of it says as a typed
 * record, which a test can compare and the adapter turns into a log line, with
 * its own idea of rate limits.  The only text form is bnd_trace_format().
 *
 * Thread-safety
 * -------------
 * A record is plain data, owned by the effect queue that it stands in. */

#ifndef BND_TRACE_H
#define BND_TRACE_H 1

#include "core/bnd-types.h"

struct ds;

/* How loud a record is by nature. */
enum bnd_trace_level {
    BND_TRACE_INFO,             /* A change of state. */
    BND_TRACE_WARN,             /* Something that an operator should mend. */
    BND_TRACE_DBG               /* Only for those who look for it. */
};

/* Kinds of records: name, level. */
#define BND_TRACES                              \
    BND_TRACE(LINK, INFO)         /* Verdict changed: 'on'. */ \
    BND_TRACE(LINK_DELAY, INFO)   /* 'on' in 'ms' if it lasts. */ \
    BND_TRACE(LINK_RELAPSE, INFO) /* The change to 'on' was taken back. */ \
    BND_TRACE(NO_SPEED, WARN)     /* Up, but its speed is not known. */ \
    BND_TRACE(ADMIN, INFO)        /* Of use: 'on'; out of it in 'ms'. */ \
    BND_TRACE(REFUSED, WARN)      /* active-slave was, as it is 'to'. */ \
    BND_TRACE(ENABLED, INFO)      /* Member may be used: 'on'. */ \
    BND_TRACE(ACTIVE, INFO)       /* Active member, skipping 'ms'. */ \
    BND_TRACE(NO_ACTIVE, INFO)    /* No member is left. */ \
    BND_TRACE(BOND_MAC, INFO)     /* The bond's address is 'mac' now. */ \
    BND_TRACE(MAC_REFUSED, WARN)  /* Member cannot be given 'mac'. */ \
    BND_TRACE(MAC_FOREIGN, WARN)  /* Somebody gave the member 'mac'. */ \
    BND_TRACE(MAC_FORCED, WARN)   /* fail_over_mac is "active" therefore. */ \
    BND_TRACE(MAC_KEPT, WARN)     /* 'mac' of a member that left is used. */ \
    BND_TRACE(SHIFT, DBG)         /* Slot 'slot', 'bytes', to 'peer'. */ \
    BND_TRACE(FSM, DBG)           /* 'machine' went 'from' -> 'to'. */ \
    BND_TRACE(LACP_STATUS, INFO)  /* LACP of the bond went 'from' -> 'to'. */ \
    BND_TRACE(AGGREGATOR, INFO)   /* Number 'slot' is in use, with a partner or
                                   * not: 'on'. */ \
    BND_TRACE(FALLBACK, INFO)     /* LACP falls back to 'to', or no more. */ \
    BND_TRACE(LOOPBACK, WARN)     /* Partner is this very system. */ \
    BND_TRACE(SILENT, INFO)       /* No LACPDU from the partner for 'ms'. */ \
    BND_TRACE(OVERDUE, WARN)      /* None to the partner for 'ms'. */ \
    BND_TRACE(IN_TIME, INFO)      /* Neither is the case any more. */ \
    BND_TRACE(RESTORED, INFO)     /* Goes on: 'on', or not, as it is 'to'. */ \
    BND_TRACE(BAD_FRAME, WARN)    /* Received frame dropped for 'reason'. */

enum bnd_trace_type {
#define BND_TRACE(ENUM, LEVEL) BND_TRACE_##ENUM,
    BND_TRACES
#undef BND_TRACE
    BND_N_TRACES
};

/* A fact as a record.  Fields that the type does not name are zero. */
struct bnd_trace {
    enum bnd_trace_type type;
    long long int when;         /* ms. */
    bnd_id id;                  /* Member, or BND_NO_MEMBER. */
    char *member;               /* Its name; owned; null if none. */
    char *peer;                 /* Other member's name; owned; may be null. */
    bool on;
    long long int ms;
    int slot;
    uint64_t bytes;
    struct eth_addr mac;
    const char *machine;        /* These three are constants. */
    const char *from;
    const char *to;
    enum bnd_drop_reason reason;
};

enum bnd_trace_level bnd_trace_level(enum bnd_trace_type);
const char *bnd_trace_type_name(enum bnd_trace_type);

/* Appends one line about 'trace' to 'ds', without a newline, as it should
 * stand in the log of the bond called 'bond'. */
void bnd_trace_format(const struct bnd_trace *trace, const char *bond,
                      struct ds *ds);

#endif /* trace.h */
