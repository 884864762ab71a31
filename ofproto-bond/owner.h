/* SPDX-License-Identifier: Apache-2.0 */

/* The owner of one bond
 * =====================
 *
 * One engine instance and all that connects it with the world: the members'
 * ports, the queue of frames that translation threads fill, the view that they
 * read, and the list of things that only the main thread may do.
 *
 * An owner belongs to a *name*, not to one of Open vSwitch's objects: 'struct
 * bond' exists only while a port has two or more interfaces, 'struct lacp'
 * comes and goes with the configuration, and either may be replaced while
 * packets still refer to the old one.  Both are handles (see handle.h) that
 * are attached to the owner of their name.  What the bond remembers stays
 * here, so that a port that lost one of its two members shows its state again
 * when the second returns.
 *
 * Threads
 * -------
 * Everything is for the main thread, but for ob_owner_pass() and
 * announcements, which the guard (guard.h) sees to when the main loop is late.
 * 'mutex' protects the engine, and is never held while Open vSwitch or a driver
 * is called.
 * 'tx_mutex', taken after it, protects the members' ports while the frames of
 * one pass are being sent, so that a port cannot be freed under a send and no
 * frame overtakes an older one; it is not held across an engine call.  The
 * packet path takes neither.
 *
 * A pass runs on whichever of the two threads comes first; effects that only
 * the main thread may perform wait in the 'todo' flags for ob_owner_run().
 *
 * Source: design of the house, section 6; ofproto/bond.h, lib/lacp.h. */

#ifndef OB_OWNER_H
#define OB_OWNER_H 1

#include "bond/bond.h"
#include "bond/status-text.h"
#include "config/overlay.h"
#include "ofproto-bond/announce.h"
#include "ofproto-bond/host-list.h"
#include "openflow/openflow.h"
#include "openvswitch/hmap.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"

struct bond;
struct lacp;
struct netdev;
struct ob_buckets;
struct ofproto_dpif;

/* A pass this late is counted, and one this late is taken over by the guard,
 * ms. */
#define OB_LATE_MS 200

/* A member's connection with the world. */
struct ob_member {
    bnd_id id;
    char *name;
    const void *aux;            /* OVS's struct ofport_dpif, or null if the
                                 * member is only remembered. */
    ofp_port_t ofp_port;        /* OFPP_NONE unless 'in_bond'... */
    odp_port_t odp_port;        /* ...ODPP_NONE if the datapath's number is
                                 * not known. */
    bool in_bond;               /* Registered with the bond... */
    bool in_lacp;               /* ...and with LACP. */
    bool may_enable;            /* As OVS said last. */
    atomic_bool lacp_ok;        /* As of the last pass: LACP lets it work... */
    atomic_bool lacp_current;   /* ...and has a partner. */

    /* For sense.h. */
    struct netdev *netdev;      /* A reference of ours, or null. */
    bool in_kernel;             /* It is a device of Linux, too. */
    uint64_t change_seq;        /* Of 'netdev' when it was read last. */
    long long int carrier_resets;
    struct bnd_facts facts;
    struct bnd_facts told;      /* As the engine was told (m). */
    bool link_unread;           /* Speed and duplex are to be read anew. */
    bool tells_speed;           /* It has told one. */
    struct eth_addr perm_mac;   /* To be given back when it leaves... */
    bool replaced;              /* ...and new to the engine. */
    int mtu;                    /* At present, 0 if not known. */

    /* For cuts.h. */
    long long int cut_at;       /* (m) Since when the listener hears of no
                                 * carrier, ms; 0: there is one. */
    atomic_int cut;             /* enum ob_cut. */
    /* The same device, for whoever reads its counters.  Written with the
     * owner's mutex and tx_mutex, read with the latter. */
    struct netdev *counted;

    /* For taps.h: a socket, or -1.  With the owner's mutex to read from it or
     * to change it, and with 'tx_mutex' to send by it or to change it. */
    int tap;

    /* For slow.h: likewise, for LACPDUs; since when, ms; and the last ones
     * that translation and the socket saw, as long as both do. */
    int slow;
    long long int slow_since;
    uint32_t slow_last[2];

    /* For device.h. */
    bool mac_changed;           /* By us: it has not 'perm_mac'. */
    struct eth_addr set_mac;    /* What we gave it last, or zero. */
    int own_mtu;                /* To be given back, 0: has it still. */
    bool mtu_set;               /* As the bond wants it, as far as it lets. */

    /* For rp-filter.h. */
    bool rp_asked;              /* It was looked at... */
    bool rp_changed;            /* ...and set by us... */
    int rp_filter;              /* ...in place of this... */
    int rp_error;               /* ...or could not be: a positive errno. */

    struct bnd_member_options options; /* As the engine was told. */
};

/* An Ethernet address to be set. */
struct ob_mac_todo {
    bnd_id id;                  /* Of the member; BND_NO_MEMBER: the host. */
    struct eth_addr mac;
};

struct ob_owner {
    struct hmap_node node;      /* In the table of owners, by name. */
    char *name;
    atomic_count ref_cnt;       /* The table, and the guard for a while. */

    struct ovs_mutex mutex;     /* Protects what is marked (m). */
    struct bnd_bond *engine;    /* (m) */
    struct bnd_effects fx;      /* (m) Not carried out yet. */
    long long int wake;         /* (m) When the engine wants to run, ms. */
    long long int last_now;     /* (m) */
    atomic_llong wake_hint;     /* The same as 'wake', or 0 for "at once", for
                                 * a first look. */
    atomic_llong main_seen;     /* When the main loop came round to us last,
                                 * ms of the machine's clock. */

    struct ovs_mutex tx_mutex;  /* With 'mutex': to write; alone: to read. */
    struct ob_member *members;  /* In the order of joining. */
    size_t n_members;
    bnd_id next_id;

    /* What the main thread has still to do (m). */
    atomic_bool todo;           /* Some flag is set: a first look. */
    bool todo_revalidate;
    bool todo_view;             /* Buckets may have changed. */
    struct ob_announce_todo todo_announce;
    bool todo_connectivity;     /* Others want to hear of it. */
    bool active_changed;        /* For the database. */
    struct ob_mac_todo *todo_macs; /* In this order... */
    size_t n_todo_macs;         /* ...so many. */

    long long int guard_at;     /* (m) When the guard last took over, ms of
                                 * the machine's clock. */
    struct bond *bond;          /* (m) Attached handles, or null. */
    struct lacp *lacp;          /* (m) */
    atomic_int lacp_status;     /* enum bnd_lacp_status of the last pass. */

    struct ob_announcer announcer; /* Under ob_host_mutex (hosts.h). */

    /* Main thread only. */
    bool had_bond;              /* Has a bond ever been attached? */
    long long int finish_by;    /* See ob_owner_finish(), 0: not begun. */
    bool has_absent;            /* Are members only remembered? */
    unsigned int announce_rate; /* Addresses a second. */
    bool announces;             /* The mode calls for announcements. */
    bool sources_stale;         /* See ob_sources_update(). */
    struct ob_host_list host;   /* What the engine is told of the host. */
    bool ears_stale;            /* See ob_listen_update(). */
    struct ob_buckets *buckets; /* Null unless the mode has an id. */
    long long int next_account; /* When to read bucket counters, ms. */

    struct bnd_overlay overlay; /* Settings that lie over OVS's... */
    struct bnd_settings settings; /* ...what is in force of both... */
    char *config_errors;        /* ...what is wrong there, or null... */
    char *config_notes;         /* ...and what is worth telling, or null. */

    bool knows_past;            /* What devices had before the daemon started
                                 * is of no interest any more. */
    int ask_links;              /* Every so many ms, 0: believe carrier. */
    long long int next_ask;     /* When to do so next, ms. */
    bool links_unread;          /* Some member has 'link_unread'. */
    int mtu_wanted;             /* 0: what they have. */
    int mtu;                    /* In force. */
    bool mtu_dirty;             /* Look whether members have it. */
    char *mtu_error;            /* Why they have not, or null. */
    char *told_errors;          /* All that is wrong, as told last. */
    char *told_notes;           /* What is worth telling, likewise. */

    struct bnd_status_extra extra;  /* (m) Counters of passes. */
    uint64_t status_seq;        /* (m) Counts changes of the status. */
    uint32_t n_changes;         /* (m) Of the active member... */
    long long int changed[BND_N_FAILOVERS]; /* (m) ...and when, by the clock of
                                 * the wall, ms: number 'n' at 'n' %
                                 * BND_N_FAILOVERS. */
};

/* Set-up; idempotent. */
void ob_owners_init(void);

/* Where many ports speak LACP the main loop would have no rest: each LACPDU
 * and each timer wakes it, and each time it goes round all ports.  With so many
 * bonds that speak LACP... */
#define OB_MANY_LACP 8
/* ...timers of LACP wait for the next multiple of this, ms, and so do LACPDUs
 * that say nothing new.  All others are handled at once, as ever. */
#define OB_LACP_GRID 50

/* Are there that many? */
bool ob_owners_many_lacp(void);

/* The bridge of the bond, or null if there is no bond or no bridge any more. */
const struct ofproto_dpif *ob_owner_ofproto(const struct ob_owner *);

/* Addresses that the bond announces in a second at most. */
unsigned int ob_owner_announce_rate(const struct ob_owner *);

/* The main loop begins a round. */
void ob_owners_begin(void);

/* Once per main loop, after the bridges' own run and wait: reaps handles that
 * were dropped on other threads, wakes for frames.  ob_owners_run() returns
 * true if an owner may have lost its last handle. */
bool ob_owners_run(void);
void ob_owners_wait(void);

/* Wakes the main loop; from any thread. */
void ob_owners_wake(void);

/* Returns the owner of 'name', creating it if there is none; or null. */
struct ob_owner *ob_owner_get(const char *name);
struct ob_owner *ob_owner_find(const char *name);

/* Calls 'cb' for all owners in the order of their names. */
void ob_owners_for_each(void (*cb)(struct ob_owner *, void *aux), void *aux);

/* Calls 'cb' for all owners, each with its mutex; or has each one that speaks
 * LACP run a pass.  From any thread. */
void ob_owners_for_each_locked(void (*cb)(struct ob_owner *, void *aux),
                               void *aux);
void ob_owners_pass_lacp(void);

/* From now on no pass sends anything. */
void ob_owners_mute(void);

/* Forgets what is remembered of names that no handle is attached to and that
 * 'exists' does not know. */
void ob_owners_purge(bool (*exists)(const char *name, void *aux), void *aux);

/* References, for the guard thread.  ob_owners_late() returns the owners
 * whose pass is overdue by OB_LATE_MS at 'now' and to which the main loop has
 * not come round for as long, or for whom something urgent is overdue (cuts.h,
 * announce.h), '*n' of them, each with a
 * reference, in an array that the caller frees; '*next' becomes the time at
 * which the next one may be. */
struct ob_owner **ob_owners_late(long long int now, size_t *n,
                                 long long int *next);
void ob_owner_unref(struct ob_owner *);

/* Attaching and detaching handles.  A second handle of a kind takes over from
 * the first. */
void ob_owner_attach_bond(struct ob_owner *, struct bond *,
                          struct ofproto_dpif *);
void ob_owner_detach_bond(struct ob_owner *);
void ob_owner_attach_lacp(struct ob_owner *, struct lacp *);
void ob_owner_detach_lacp(struct ob_owner *);

/* The attached bond has lost its last reference: announces what its last
 * failover wants announced, as that of a port that loses one of two members.
 * Returns true once it may be detached. */
bool ob_owner_finish(struct ob_owner *);

/* A member has left its bond.  OVS may not run that any more, for it has but
 * one, yet the path has changed. */
void ob_owners_member_left(void);

/* Puts bond settings in force; returns true if they differ from before. */
bool ob_owner_configure(struct ob_owner *, const struct bnd_settings *);

/* LACP.  A null port configuration takes the member out of LACP. */
void ob_owner_configure_lacp(struct ob_owner *,
                             const struct bnd_lacp_config *);
void ob_owner_configure_lacp_port(struct ob_owner *, struct ob_member *,
                                  const struct bnd_lacp_port_config *);
enum bnd_lacp_status ob_owner_lacp_status(struct ob_owner *);
bool ob_owner_lacp_may_enable(struct ob_owner *, const void *aux);
bool ob_owner_lacp_is_current(struct ob_owner *, const void *aux);
bool ob_owner_lacp_port_status(struct ob_owner *, const void *aux,
                               struct bnd_lacp_port_status *);

/* Members, by OVS's port.  ob_owner_add_member() returns the member with
 * 'aux', new or not; a remembered one of the same name is taken up again. */
struct ob_member *ob_owner_find_member(struct ob_owner *, const void *aux);
struct ob_member *ob_owner_add_member(struct ob_owner *, const void *aux,
                                      const char *name, struct netdev *);
struct ob_member *ob_owner_member_by_name(struct ob_owner *,
                                          const char *name);

/* Takes the member out if it is registered nowhere any more.  Waits for a send
 * in progress. */
void ob_owner_release_member(struct ob_owner *, struct ob_member *);
void ob_owner_set_netdev(struct ob_owner *, struct ob_member *,
                         struct netdev *);

/* Takes note of the port's numbers. */
void ob_owner_set_ports(struct ob_owner *, struct ob_member *, ofp_port_t,
                        odp_port_t);

/* Somebody heard that device 'name' (null: every one) has or has not ('up') a
 * carrier; 'from_kernel': the kernel said so, which knows nothing of devices
 * of DPDK and for tests, whatever their names.  From any
 * thread; wherever packets are sent by it, they go elsewhere (or back) when
 * this returns.  The engine is told by the main loop, as ever. */
void ob_owners_carrier(const char *name, bool up, bool from_kernel);

/* The address that was active when the daemon last stopped; of no interest if
 * there has been a bond of this name since then. */
void ob_owner_set_sticky(struct ob_owner *, struct eth_addr mac);
struct eth_addr ob_owner_active_mac(struct ob_owner *);

/* Does the bond keep buckets now, and are their counters to be read at
 * 'now'? */
bool ob_owner_account_is_due(struct ob_owner *, long long int now);

/* Hands one event to the engine; the next pass decides. */
void ob_owner_event(struct ob_owner *, const struct bnd_event *);

/* Runs a pass if the engine has anything to do, then what is left for the main
 * thread. */
void ob_owner_run(struct ob_owner *);
void ob_owner_wait(struct ob_owner *);

/* One pass, on the main thread or on the guard's. */
void ob_owner_pass(struct ob_owner *, bool by_guard);

/* Does on the guard's what the main thread should have done. */
void ob_owner_guard(struct ob_owner *);

/* Cached flows must be revalidated. */
void ob_owner_want_revalidate(struct ob_owner *);

/* Tell, once each time, whether cached flows must be revalidated, and whether
 * there is another active member. */
bool ob_owner_take_revalidate(struct ob_owner *);
bool ob_owner_take_active_changed(struct ob_owner *);

/* Fills in '*status' (caller uninits) and '*extra'.  The brief one, which is
 * cheaper, has no buckets.  The one with counters has none either, nor
 * what is wrong or worth telling, but tells what was sent. */
void ob_owner_get_status(struct ob_owner *, struct bnd_status *status,
                         struct bnd_status_extra *extra);
void ob_owner_get_brief(struct ob_owner *, struct bnd_status *status,
                        struct bnd_status_extra *extra);
void ob_owner_get_counters(struct ob_owner *, struct bnd_status *status,
                           struct bnd_status_extra *extra);

/* Returns null if member 'm' can be made the active one by command, otherwise
 * why not. */
const char *ob_owner_why_not_active(struct ob_owner *,
                                    const struct ob_member *m);

/* Numbers that change whenever the status of the owner, or of any owner, may
 * have changed in more than counters and deadlines. */
uint64_t ob_owner_status_seq(struct ob_owner *);
unsigned int ob_owners_status_seq(void);

/* Notes such a change. */
void ob_owner_status_changed(struct ob_owner *);

/* Has 'write' called for a bond when OVS has a transaction open in which it
 * writes the bond's row of table Port, for it to write there, too. */
void ob_owners_set_writer(void (*write)(struct ob_owner *));
void ob_owner_write(struct ob_owner *);

#endif /* owner.h */
