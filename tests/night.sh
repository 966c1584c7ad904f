#!/bin/sh
# The whole first night as somebody sees it, on terminals of 60, 80 and 200 columns, scrollback included: night.sh BINARY
# [--update]. Each capture is a file in tests/golden/night for a reviewer to read. The world's own clock dates every
# line, and what a person does (Ctrl-C, a closed lid) is in the world's script, so that a capture is the same each time.
# Without tmux it is skipped; with CI set it fails instead.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?night.sh BINARY}") || exit 1
update=${2:-}
goldens=$here/golden/night
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin night
if ! command -v tmux >/dev/null; then
    if [ -n "${CI:-}" ]; then no "tmux is there (apt-get install tmux)"; else echo "skipped: no tmux"; fi
    checks_end
    exit
fi
cd "$dir" || exit 1
mkdir bin
ln -s "$binary" bin/reinstate

pane() {
    tmux -S "$dir/tmux" "$@"
}

# What the pane shows and has shown, without the blank rest of the last screen; with -J in one piece what the terminal
# has broken.
captured() {
    pane capture-pane -p ${1:-} -S - -E - -t night | sed -e 's/ *$//' | awk '{ lines = lines $0 "\n" } END { sub(/\n+$/, "\n", lines); printf "%s", lines }'
}

# scripted FAULTS: the example's world, with these faults in it.
scripted() {
    sed "s|^  faults: .*|  faults: [$1]|" "$example/world.yaml" >world.yaml
    grep -q '^  faults:' world.yaml || printf '  faults: [%s]\n' "$1" >>world.yaml
}

# told COMMANDS...: what the pane runs: each is shown as it was typed, and then run.
told() {
    {
        # shellcheck disable=SC2016
        echo 'run() { printf "$ %s\n" "$*"; "$@"; printf "[exit %s]\n\n" "$?"; }'
        for command in "$@"; do echo "run $command"; done
        echo 'echo "the night is over"'
        echo 'sleep 600'
    } >night.sh
}

over() {
    captured | grep -q '^the night is over'
}

asked() {
    captured | grep -q '^Type yes'
}

# begin WIDTH: a terminal of 24 lines runs what was told.
begin() {
    tmux -S "$dir/tmux" -f /dev/null new-session -d -s night -x "$1" -y 24 "env -u NO_COLOR TERM=screen LC_ALL=C.UTF-8 PATH='$dir/bin:$PATH' sh night.sh"
    started="$started $(pane display-message -p -t night '#{pid}')"
}

finish() {
    pane kill-server
}

# same NAME: the capture against its golden.
same() {
    if [ "$update" = --update ]; then
        mkdir -p "$goldens"
        cp capture "$goldens/$1.txt"
    fi
    if diff -u "$goldens/$1.txt" capture >difference; then ok "$1 is as it was"; else no "$1 is not as it was" difference; fi
}

# readable WIDTH: what the terminal itself has broken is nothing but commands and long names, which have no blank to be
# broken at.
readable() {
    awk -v width="$1" 'length($0) > width && $0 !~ /^ *([$] )?(reinstate|az|bash) / {
        longest = 0
        for (i = 1; i <= NF; i++)
            if (length($i) > longest)
                longest = length($i)
        if (longest < width - 24)
            print
    }' joined >difference
    expect "words are not broken by a terminal of $1 columns" [ ! -s difference ]
    [ ! -s difference ] || cat difference
}

# In one line, as words.
words() {
    tr -s '\n ' ' ' <capture | grep -q -- "$1"
}

# The pid of a client that was stopped.
stands_still() {
    still=$(pgrep -P "$(pane display-message -p -t night '#{pane_pid}')") && grep -q '^State:.*stopped' "/proc/$still/status"
}

fresh() {
    rm -rf world.yaml out.yaml order.yaml estate
    mkdir estate
    cp "$example/estate.yaml" "$example/policy.yaml" estate
}

for width in 60 80 200; do
    # The whole first night: what is lost, an order, the plan, yes, done.
    fresh
    scripted ''
    told 'reinstate forecast -f estate --world world.yaml' \
        'reinstate activate -f estate --world world.yaml payroll-01-dr --out estate/order.yaml' \
        'reinstate apply -f estate --world world.yaml --world-out out.yaml --journal none' \
        'reinstate drift -f estate --world out.yaml'
    begin "$width"
    within asked || no "it asks at $width columns"
    pane capture-pane -p -t night >asked.txt
    lines=$(sed -n '/./p' asked.txt | wc -l)
    expect "what cannot be undone is on the screen with the question at $width columns: $lines lines" \
        grep -q '^Cannot be undone' asked.txt
    pane send-keys -t night yes Enter
    within over || no "it ends at $width columns"
    captured >capture
    captured -J >joined
    finish
    same "first-$width"
    readable "$width"

    # Interrupted while the failing pass runs; what is under way is finished, and the last lines say how to go on.
    fresh
    scripted '{on: {method: POST, path: "/recoveryPoints/805440465632125/restore"}, do: interrupt-after}'
    cp "$example/activation.yaml" estate
    told 'reinstate apply -f estate --world world.yaml --world-out out.yaml --journal none --auto-approve'
    begin "$width"
    within over || no "the interrupted one ends at $width columns"
    captured >capture
    captured -J >joined
    finish
    same "interrupted-$width"
    readable "$width"
    expect "the interrupt is answered at $width columns" words 'Interrupted: nothing further is started'

    # The machine dies while the job runs; the next run takes the job up, and what the first has spent counts.
    fresh
    scripted '{on: {method: GET, path: "/backupJobs/"}, nth: 12, do: kill-after}'
    cp "$example/activation.yaml" estate
    told 'reinstate apply -f estate --world world.yaml --world-out out.yaml --journal none --auto-approve' \
        'reinstate apply -f estate --world out.yaml --world-out out.yaml --journal none --auto-approve'
    begin "$width"
    within over || no "the resumed one ends at $width columns"
    captured >capture
    captured -J >joined
    finish
    same "resumed-$width"
    readable "$width"
    expect "the job is adopted at $width columns" words 'adopted, nothing is triggered'

    # The lines below, while a job runs: the client stands still at a moment of the world's, and is looked at.
    fresh
    scripted '{on: {method: GET, path: "/backupJobs/"}, nth: 12, do: stop-after}'
    cp "$example/activation.yaml" estate
    told 'reinstate apply -f estate --world world.yaml --world-out out.yaml --journal none --auto-approve'
    begin "$width"
    within stands_still || no "it stands still at $width columns"
    pane capture-pane -p -t night | sed -e 's/ *$//' >capture
    kill -CONT "$still"
    within over || no "and goes on at $width columns"
    finish
    same "live-$width"
    expect "the step's place is shown at $width columns" words 'step 1 of 8'
done
checks_end
