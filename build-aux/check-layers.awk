# SPDX-License-Identifier: Apache-2.0
#
# usage: awk -f check-layers.awk layers.txt ovs-leaf.txt FILES...
#
# Fails if one of FILES (named from the top directory) includes a header of our
# own that is not in the same directory or in one of lower rank, or, within the
# engine, a header of others that is not listed in ovs-leaf.txt.

FILENAME == ARGV[1] { if ($0 !~ /^#/) { rank[$1] = $2 } next }
FILENAME == ARGV[2] { leaf[$1] = 1; next }
FNR == 1 {
    dir = FILENAME
    sub("/[^/]*$", "", dir)
    if (!(dir in rank)) {
        bad("directory has no rank in build-aux/layers.txt")
        rank[dir] = 0
    }
    engine = rank[dir] < 5
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    split($0, q, "[<\">]")
    h = q[2]
    hd = h
    if (!sub("/[^/]*$", "", hd)) {
        hd = ""
    }
    own = ("lib/" hd) in rank ? "lib/" hd : hd
    if (own in rank) {
        if (own != dir && rank[own] >= rank[dir]) {
            bad("upward or sideways include")
        }
    } else if (engine && !(h in leaf)) {
        bad("the engine may not use this header")
    }
}
function bad(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0; rc = 1 }
END { exit rc }
