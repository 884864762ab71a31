/* SPDX-License-Identifier: Apache-2.0 */

/* Ports that outlive a restart
 * ============================
 *
 * A port that gets on with its partner can be saved as a line of text, and a
 * port of a new system can go on from there as if nothing had happened: same
 * partner, same aggregator, same states of the machines.  The LACPDU that it
 * sends at once says what the last one said, so the partner sees nothing.
 *
 * That is right only as long as the partner cannot have given us up: its
 * timeout counts from the last LACPDU that was sent.  Our own patience with the
 * partner is what it was when it was saved, for what the partner has said since
 * then nobody has heard.  And it is right only for a port that is the same to
 * the partner: system, number, priority and key.  Otherwise the port begins
 * anew.
 *
 * Only ports that at least collect are saved; others have nothing to lose.
 *
 * Thread-safety
 * -------------
 * As lacp.h says. */

#ifndef BND_LACP_SAVE_H
#define BND_LACP_SAVE_H 1

#include "lacp/lacp.h"

struct bnd_lacp_port;
struct ds;

/* A port as it was. */
struct bnd_lacp_saved {
    unsigned int order;         /* Its place among all ports. */
    int flavour;                /* enum bnd_lacp_flavour. */
    int mux;                    /* enum bnd_mux_state. */
    uint8_t actor_state;        /* Without what follows from the
                                 * configuration. */
    struct bnd_lacp_info actor; /* As sent last. */
    struct bnd_lacp_info partner;
    uint32_t own_agg;           /* Id of the aggregator that belongs to it... */
    uint32_t agg;               /* ...of the one that it is in... */
    bool active;                /* ...and is that in use? */
    bool role;                  /* Standard: it carried traffic. */
    uint64_t joined;            /* When it joined, among others. */
    int actor_churn, partner_churn; /* enum bnd_churn. */
    long long int last_tx;      /* Its last LACPDU left, ms. */
    long long int current_while; /* End of our patience, ms. */
};

/* Appends the line about port 'id' to 'ds', times as they are.  Returns false
 * if the port is not worth it. */
bool bnd_lacp_port_save(const struct bnd_lacp *, bnd_id id, struct ds *ds);

/* Parses such a line.  Returns null, or a message for the caller to free. */
char *bnd_lacp_saved_parse(const char *line, struct bnd_lacp_saved *);

/* Translates times: 'saved_at' and 'then' are by the clock of the system that
 * was saved, of that time and of now, 'now' by ours. */
void bnd_lacp_saved_translate(struct bnd_lacp_saved *, long long int saved_at,
                              long long int then, long long int now);

/* Lets port 'id', which is new, go on from 'saved' when its link is up. */
void bnd_lacp_port_remember(struct bnd_lacp *, bnd_id id,
                            const struct bnd_lacp_saved *saved,
                            long long int now);

/* Part of a run: ports that can go on do so. */
void bnd_lacp_restore(struct bnd_lacp *, long long int now,
                      struct bnd_effects *);

/* Has each port that hears its partner send a LACPDU with the next run. */
void bnd_lacp_refresh(struct bnd_lacp *, long long int now);

#endif /* lacp-save.h */
