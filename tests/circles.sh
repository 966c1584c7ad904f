#!/bin/sh
# Finds circles of files: by includes, and by calls as the objects under OUT show them. A table of functions calls what
# stands in it. Who changes one file of a circle has to know all of them.
#   tests/circles.sh OUT
set -u
out=$(cd "${1:?the folder of the objects}" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1

# FROM TO: calls that may lead back, each with its reason.
excepted() {
    # A schema's alternatives are schemas: honest recursion, in two files for their length, as both heads say.
    echo "reconciler/format/schema_alternatives.c reconciler/format/schema_check.c"
}

# Lines "FROM TO WHY", and before them "- FROM TO" for what is excepted. Prints what leads from one file of a circle to
# the next; fails if there is anything to print.
circles() {
    awk -v what="$1" '
        $1 == "-" { except[$2, $3] = 1; next }
        $1 == $2 || ($1, $2) in why || ($1, $2) in except { next }
        { why[$1, $2] = $3; next_of[$1] = next_of[$1] " " $2; all[$1]; all[$2] }
        # Depth first with a stack of its own (Tarjan): `low` is the earliest file on the stack that a file leads back to.
        function visit(root,    depth, f, g, k) {
            depth = 1
            path[1] = root
            enter(root)
            while (depth) {
                f = path[depth]
                if (at[f] < n_next[f]) {
                    g = next_name[f, ++at[f]]
                    if (!(g in number)) { enter(g); path[++depth] = g }
                    else if ((g in on_stack) && number[g] < low[f]) low[f] = number[g]
                    continue
                }
                if (low[f] == number[f]) {
                    circle++
                    do { g = stack[top--]; delete on_stack[g]; of[g] = circle; size[circle]++ } while (g != f)
                }
                if (--depth && low[f] < low[path[depth]]) low[path[depth]] = low[f]
            }
        }
        function enter(f,    part, k) {
            number[f] = low[f] = ++count
            stack[++top] = f
            on_stack[f]
            n_next[f] = split(next_of[f], part, " ")
            for (k = 1; k <= n_next[f]; k++) next_name[f, k] = part[k]
            at[f] = 0
        }
        END {
            for (f in all) if (!(f in number)) visit(f)
            for (edge in why) {
                split(edge, end, SUBSEP)
                if (of[end[1]] == of[end[2]]) {
                    found = 1
                    print what ", circle of " size[of[end[1]]] " files: " end[1] " -> " end[2] " (" why[edge] ")" | "sort"
                }
            }
            exit found
        }'
}

includes() {
    find cmd reconciler providers -name '*.[ch]' -exec awk '
        function flat(p) { while (sub(/[^\/.][^\/]*\/\.\.\//, "", p)); return p }
        /^#include "/ {
            split($0, part, "\"")
            folder = FILENAME
            sub(/[^\/]*$/, "", folder)
            print FILENAME, flat(folder part[2]), "line " FNR
        }' {} +
}

# Objects whose source is there no more are left over from an older build.
objects() {
    find cmd reconciler providers -name '*.c' | while read -r file; do
        [ ! -f "$out/${file%.c}.o" ] || echo "$out/${file%.c}.o"
    done
}

calls() {
    excepted | sed 's/^/- /'
    objects | xargs nm -A -g | sed -e "s|^$out/||" -e 's|\.o:| |' | awk '
        NF == 3 && $2 == "U" { user[++users] = $1; used[users] = $3 }
        NF == 4 && $3 ~ /[TDBRVWC]/ { owner[$4] = $1 }
        END { for (i = 1; i <= users; i++) if (used[i] in owner) print user[i] ".c", owner[used[i]] ".c", used[i] }'
}

sources=$(find cmd reconciler providers -name '*.c' | wc -l) built=$(objects | wc -l) faults=0
if [ "$sources" != "$built" ]; then
    echo "circles: $built objects of $sources files under $out: build first"
    faults=1
fi
includes | circles includes || faults=1
calls | circles calls || faults=1
[ "$faults" = 0 ]
