/* SPDX-License-Identifier: Apache-2.0 */

/* Who sends by a bond without being learned
 * =========================================
 *
 * Guests are announced from the addresses that Open vSwitch has learned, but it
 * learns only where flows say NORMAL.  Flows may send to a member as to any
 * port ("output:eth0"); then nobody knows who is behind the switch.  So when a
 * flow is translated that does, its source is noted here, with the tags that
 * its frames have at the member; and each time that OVS counts what the cached
 * flow has carried, the note is good for another OB_SOURCE_AGE.  This costs
 * something per translation and per cached flow and round of revalidation,
 * never per packet, and nothing where no bond announces.
 *
 * One cached flow may carry many sources, if flows do not care who sends: then
 * only the first one is seen.  With 'announce-sources' each gets a cached flow
 * of its own, as it has with NORMAL, and all are.
 *
 * A source that is heard from behind the bond has moved there, and is
 * forgotten.
 *
 * We simplify: outputs within "clone" and the like are not seen.
 *
 * Threads: ob_sources_look() and ob_sources_heard() from any thread, on behalf
 * of a bond that they hold; all else main.
 *
 * Source: Open vSwitch, ofproto/ofproto-dpif-xlate.h,
 * ofproto/ofproto-dpif-xlate-cache.h. */

#ifndef OB_SOURCES_H
#define OB_SOURCES_H 1

#include <stdbool.h>
#include <stddef.h>
#include "ofproto-bond/bundles.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/thread.h"
#include "openvswitch/types.h"

struct bond;
struct dpif_backer;
struct flow;
struct nlattr;
struct ob_owner;

/* For how long a source counts that is not heard of, ms, and how many there
 * are of a bond at most. */
#define OB_SOURCE_AGE 300000
#define OB_SOURCES_MAX 8192

/* A source, and the tags of its frames at a member. */
struct ob_source {
    struct hmap_node node;
    struct eth_addr mac;
    struct ob_tags tags;
    long long int heard;        /* ms. */
};

/* The sources of one bond. */
struct ob_sources {
    struct ovs_mutex mutex;
    struct hmap all;            /* Of struct ob_source. */
    long long int next_sweep;   /* When to look for old ones again, ms. */
    uint32_t secret;            /* Guests choose addresses: hashes differ. */
    atomic_count n;
    atomic_bool exact;          /* 'announce-sources'. */
    struct ovs_list watches;    /* Members that are looked for.  Main thread. */
};

/* What a frame is before a flow is translated. */
struct ob_source_before {
    struct eth_addr mac;
    struct ob_tags tags;
    ofp_port_t in_port;
    bool is_guest;              /* Nothing that speaks for itself alone. */
};

/* What was found out about it. */
struct ob_source_found {
    struct bond *bond;          /* It leaves by a member of this, good until
                                 * the thread quiesces; or null. */
    struct eth_addr mac;        /* It leaves with this address. */
    bool exact;                 /* Cached flows are to tell sources apart. */
};

/* A VLAN that does not exist: in bond_account() it says that a source was
 * heard, and no more. */
#define OB_SOURCE_VLAN 0xf000

void ob_sources_init(struct ob_sources *);
void ob_sources_uninit(struct ob_sources *);

/* Is there any bond to look for? */
bool ob_sources_wanted(void);

/* Members of 'o' may have come, gone or changed their numbers, or it may have
 * begun or ceased to announce.  Must be called again while it leaves
 * 'o->sources_stale' set: the bridge is not ready. */
void ob_sources_update(struct ob_owner *);

/* 'bond' is going: it must not be found any more. */
void ob_sources_remove(struct bond *bond);

/* Looks at a flow of 'bridge' that was translated to 'len' bytes of 'actions'
 * of datapath 'backer'.  'normal': a bond has chosen a member for it, as NORMAL
 * has it do. */
void ob_sources_look(const struct ofproto_dpif *bridge,
                     const struct dpif_backer *backer,
                     const struct ob_source_before *, bool normal,
                     const struct nlattr *actions, size_t len,
                     struct ob_source_found *);

/* A cached flow from 'mac' was used. */
void ob_sources_heard(struct ob_sources *, struct eth_addr mac);

/* Goes on through the sources from '*pos' on.  Stores in 'out' up to 'n' that
 * were heard of lately, and returns their number; '*done' says whether the end
 * was reached. */
size_t ob_sources_next(struct ob_sources *, struct hmap_position *pos,
                       struct ob_source out[], size_t n, bool *done);

#endif /* sources.h */
