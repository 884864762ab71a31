/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "core/effects.h"
#include "wire/marker.h"

/* Marker responder.  [802.1AX-2008 5.5]
 *
 * Answers Marker information at once.  We never ask, so responses are only
 * counted.  (Stock Open vSwitch counts Markers and leaves them unanswered,
 * which makes its partner wait for a timeout before it moves traffic.) */

enum bnd_drop_reason
bnd_marker_receive(struct bnd_lacp_port *port, struct bnd_cursor body,
                   struct bnd_effects *fx)
{
    struct bnd_marker marker;
    enum bnd_drop_reason reason = bnd_marker_decode(body, &marker);

    port->stats.n_marker_rx++;
    port->stats.n_marker_unknown_rx += reason != BND_DROP_NONE;
    port->stats.n_marker_resp_rx += (reason == BND_DROP_NONE
                                     && marker.type == BND_MARKER_RESPONSE);
    if (reason == BND_DROP_NONE && marker.type == BND_MARKER_INFORMATION) {
        port->stats.n_marker_info_rx++;
        port->stats.n_marker_resp_tx++;
        marker.type = BND_MARKER_RESPONSE;
        bnd_fx_frame(fx, port->id, bnd_marker_encode(&marker, port->mac),
                     BND_SLOW_FRAME_LEN);
    }
    return reason;
}
