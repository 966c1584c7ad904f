# To be sourced after checks.sh by tests that carry runbooks out against a simulated Azure of their own.
#   quick FILE [SED-OPTION...]     begin NAME WORLD     run [PAUSE]     restores     says TEXT

# Who waits moves the world's clock on; else it stands. So no token ends because this machine is slow.
pause_made() {
    {
        echo '#!/bin/sh'
        echo "exec curl -gsS --fail --cacert '$dir/cloud.yaml.ca.pem' -o /dev/null 'https://clock.localhost:$(sim_port)'/\"\$1\""
    } >pause
    chmod +x pause
}

# quick FILE [SED-OPTION...]: the world of $story, an example, whose jobs take a minute, otherwise changed as said.
story=01-lost-key
quick() {
    file=$1
    shift
    sed -e 's/exportDuration: [0-9a-z]*/exportDuration: 1m/' -e 's/restoreDuration: [0-9a-z]*/restoreDuration: 1m/' "$@" \
        "$here/../examples/$story/world.yaml" >"$file"
}

# begin NAME WORLD: serves it, and has the runbook for curl written from it.
begin() {
    example=$here/../examples/$1
    sim_start "$2" 0 || return 1
    pause_made
    rm -rf estate
    mkdir estate
    cp "$example/estate.yaml" "$example/activation.yaml" "$example/policy.yaml" estate
    "$binary" runbook --shell curl -f estate --cloud cloud.yaml >run.sh 2>stderr
    code=$?
    expect "$1: the served world has a runbook" [ "$code" = 0 ]
}

# run [PAUSE]: by bash alone. PAUSE is asked to wait in place of the world's clock.
run() {
    REINSTATE_PAUSE=$dir/${1:-pause} timeout 3600 bash run.sh >stdout 2>stderr </dev/null
    code=$?
}

restores() {
    count '"operation": "Restore"' sim-world.yaml
}

says() {
    if grep -qF -- "$1" stderr; then ok "it says: $1"; else no "it does not say: $1" stderr; fi
}
