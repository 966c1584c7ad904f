#!/bin/sh
# usage: bench.sh BINARY
# Figures of the program at BINARY beside bounds, limits and peers, all in one run: a table, and build/bench.json. A bound that is not met
# is said so and fails nothing. What takes minutes runs with LARGE=1 only. How to read it: README.md of this folder.
set -u
binary=$(realpath "${1:?bench.sh BINARY}")
here=$(cd "$(dirname "$0")" && pwd)
programs=$(dirname "$binary")/tests/bench
large=${LARGE:-}
. "$here/checks.sh"
checks_begin bench
figures=$dir/figures
json=${BENCH_JSON:-$(dirname "$here")/build/bench.json}
load_before=$(cut -d ' ' -f 1-3 /proc/loadavg)
: >"$figures"

# figure WHAT VALUE UNIT HOLDS BOUND BESIDE: HOLDS is "<=", ">=", or "shown" with an empty BOUND.
figure() {
    jq -cn --arg w "$1" --argjson v "$2" --arg u "$3" --arg h "$4" --arg b "$5" --arg x "$6" '
        {figure: $w, value: $v, unit: $u, bound: (if $h == "shown" then $h else "\($h) \($b)" end),
         met: (if $h == "<=" then $v <= ($b | tonumber) elif $h == ">=" then $v >= ($b | tonumber) else null end), beside: $x}' >>"$figures"
}
# not_measured WHAT WHY
not_measured() {
    figure "$1" null "" shown "" "not measured: $2"
}

# run NAME COMMAND...: sets wall, cpu, mb, code; its output is in $dir/NAME.
run() {
    name=$1
    shift
    got=$("$programs/measured" "$dir/$name" "$@") || got="0 0 0 126"
    read -r wall cpu mb code <<END
$got
END
}
ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4g\n", (b > 0 ? a / b : 0) }'
}

# --- in this process -----------------------------------------------------------------------------------------------------

for program in limits page waiting http; do
    "$programs/$program" >>"$figures" || not_measured "$program" "the program failed"
done

# --- starting ------------------------------------------------------------------------------------------------------------

# start_of NAME COMMAND...: the processor time of a hundred starts, in ms each.
start_of() {
    run "$@"
    ratio "$(awk -v s="$cpu" 'BEGIN { print s * 1000 }')" 100
}
hundred='i=0; while [ $i -lt 100 ]; do "$@"; i=$((i + 1)); done'
empty=$(start_of empty sh -c "$hundred" sh "$programs/empty")
version=$(start_of version sh -c "$hundred" sh "$binary" version)
figure "reinstate version" "$(ratio "$version" "$empty")" "of an empty program" "<=" 1.2 "$version ms and $empty ms of processor, a hundred of each"

# --- documents -----------------------------------------------------------------------------------------------------------

# estate N DIR [...]: generate.sh, and its documents in files of a size that is read, in DIR/estate.
estate() {
    sh "$here/growth/generate.sh" "$@"
    mkdir "$2/estate"
    awk -v to="$2/estate" '/^---/ && ++n % 4000 == 0 { close(file); at++ } { file = to "/" at + 0 ".yaml"; print > file }' "$2/estate.yaml"
}
documents() {
    grep -c '^apiVersion' "$1/estate.yaml"
}
estate 2170 "$dir/5000"
run validate "$binary" validate -f "$dir/5000/estate"
n=$(documents "$dir/5000") small=$cpu
figure "load, check, resolve $n documents: processor" "$cpu" s "<=" 0.1 "of the bound for that and conclude, policy and plan together"
figure "load, check, resolve $n documents: memory" "$mb" MB "<=" 20 "peak, resident"
times=10
[ -z "$large" ] || times=20
estate $((2170 * times)) "$dir/many"
run validate "$binary" validate -f "$dir/many/estate"
if [ "$code" = 0 ]; then
    figure "load, check, resolve $times times as many" "$(ratio "$cpu" "$small")" "times as long" "<=" "$(awk -v t=$times 'BEGIN { print 1.1 * t }')" "$(documents "$dir/many") documents, $cpu s, $mb MB"
else
    not_measured "load, check, resolve $times times as many" "exit $code: $(head -n 1 "$dir/validate.err" | head -c 150 | tr '"' ' ')"
fi
rm -rf "$dir/5000" "$dir/many"
not_measured "conclude, judge and plan from facts in memory" "no program holds the facts of an estate without looking"

# --- an estate against the served simulator ------------------------------------------------------------------------------

AZURE_TENANT_ID=a0000000-0000-4000-8000-0000000000bb
AZURE_CLIENT_ID=a0000000-0000-4000-8001-000000000002
AZURE_CLIENT_SECRET=sim-client-secret
export AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET

# looked COMMAND MACHINES SECONDS MB REQUESTS-A-MACHINE: the client alone. Sets cpu and mb.
looked() {
    run "$1" "$binary" "$1" -f "$dir/world/estate" --cloud "$dir/cloud.yaml" --record "$dir/record" -o json
    if [ "$code" -gt 3 ] || [ "$code" = 1 ]; then
        not_measured "$1 of $2 machines" "exit $code: $(head -c 200 "$dir/$1.err" | tr '\n"' '  ')"
        return
    fi
    requests=$(wc -l <"$dir/record") refused=$(grep -c '"status": *429' "$dir/record")
    figure "$1 of $2 machines: processor" "$cpu" s "<=" "$3" "the client alone, $wall s by the clock"
    figure "$1 of $2 machines: memory" "$mb" MB "<=" "$4" "peak, resident"
    figure "$1 of $2 machines: requests" "$(ratio "$requests" "$2")" "a machine" "<=" "$5" "$requests requests"
    figure "$1 of $2 machines: 429s" "$(ratio "$((100 * refused))" "$requests")" "% of requests" "<=" 1 "$refused"
    rm -f "$dir/record"
}
sizes=1000
[ -z "$large" ] || sizes="1000 10000"
for n in $sizes; do
    rm -rf "$dir/world"
    estate "$n" "$dir/world"
    if sim_start "$dir/world/world.yaml" 1; then
        factor=$(awk -v n="$n" 'BEGIN { print n == 1000 ? 1 : 1.1 * n / 1000 }')
        looked drift "$n" "$factor" "$(awk -v f="$factor" 'BEGIN { print 64 * f }')" 0.2
        looked forecast "$n" "$(awk -v f="$factor" 'BEGIN { print 2 * f }')" "$(awk -v f="$factor" 'BEGIN { print 96 * f }')" 1.2
        sim_stop
    else
        not_measured "drift and forecast of $n machines" "the simulated Azure does not start: $(head -n 1 "$dir/sim-stderr" | head -c 150 | tr '"' ' ')"
    fi
done
[ -n "$large" ] || not_measured "drift and forecast of 10,000 machines" "LARGE=1 measures them"

# --- restores of a whole estate, on a virtual clock ----------------------------------------------------------------------

restores=500 keys=30
rm -rf "$dir/lost"
sh "$here/growth/generate.sh" $restores "$dir/lost" 17 lost
seconds_of() {
    sed -n 's/.*"date":"\([^"]*\)".*/\1/p' "$1" | sed -n '1p;$p' | while read -r date; do date -d "$date" +%s; done | tr '\n' ' '
}
# A bound of its own: what needs more memory than this would take the machine with it.
run apply sh -c 'ulimit -v 8000000; exec "$@"' sh "$binary" apply --auto-approve -f "$dir/lost/estate.yaml" -f "$dir/lost/order.yaml" \
    --world "$dir/lost/world.yaml" --journal none --record "$dir/record"
what="apply of $restores restores on $keys keys"
done_of=$(sed -n 's/^\([0-9]* done, .*\)/\1/p' "$dir/apply")
if [ "$code" = 0 ]; then
    triggers=$(grep -c '"method":"POST","uri":"[^"]*/recoveryPoints/[^"/]*/restore?' "$dir/record")
    figure "$what: triggers" "$triggers" "passes and restores" "<=" $((restores + keys)) "$done_of"
    figure "$what: processor" "$cpu" s "<=" 5 "with the simulated Azure in the same process"
    figure "$what: memory" "$mb" MB shown "" "peak, resident"
    figure "$what: 429s" "$(grep -c '"status":429' "$dir/record")" "of $(wc -l <"$dir/record") requests" "<=" 0 "none was not foreseeable"
    read -r begun over <<END
$(seconds_of "$dir/record")
END
    planned=$(sed -n 's/^About \(.*\) along the longest chain.*/\1/p' "$dir/apply" | head -1)
    minutes=$(echo "$planned" | awk '{ for (i = 1; i < NF; i += 2) m += $i * ($(i + 1) ~ /^d/ ? 1440 : $(i + 1) ~ /^h/ ? 60 : $(i + 1) ~ /^min/ ? 1 : 1 / 60); print m }')
    # Azure allows 250 reads of jobs at once and 250 more in each hour; what is not read waits for them.
    reads=$(grep -c '/backupJobs' "$dir/record")
    allowed=$(awk -v n="$reads" -v m="$minutes" 'BEGIN { t = (n - 250) * 60 / 250; print t > m ? t : m }')
    took=$(awk -v s=$((over - begun)) 'BEGIN { print s / 60 }')
    figure "$what: time" "$(ratio "$took" "$allowed")" "of what limits allow" "<=" 1.2 "$(((over - begun) / 60)) min for $reads reads of jobs; the longest chain takes $planned"
else
    not_measured "$what" "exit $code within 8 GB of memory ($cpu s of processor, $mb MB): $(tail -n 1 "$dir/apply.err" | head -c 150 | tr '"' ' ')"
fi

# --- others on the same simulator ----------------------------------------------------------------------------------------

rm -rf "$dir/world"
estate 20 "$dir/world" 1
az_setup() {
    cell() { sed -n "s/^ *\"$1\": \"\(.*\)\".*/\1/p" "$dir/cloud.yaml"; }
    AZURE_CONFIG_DIR=$dir/azure AZURE_CORE_COLLECT_TELEMETRY=0 REQUESTS_CA_BUNDLE=$(cell caFile) PYTHONPATH=$here/conformance/azcli PYTHONDONTWRITEBYTECODE=1
    export AZURE_CONFIG_DIR AZURE_CORE_COLLECT_TELEMETRY REQUESTS_CA_BUNDLE PYTHONPATH PYTHONDONTWRITEBYTECODE
    arm=$(cell arm)
    # MSAL asks Microsoft about every authority but one that ends in /adfs.
    az cloud register -n Sim --endpoint-resource-manager "$arm/" --endpoint-management "$arm/" --endpoint-active-directory "$(cell authority)/adfs" \
        --endpoint-active-directory-resource-id "$(cell armAudience)" --endpoint-active-directory-graph-resource-id "$(cell graph)/" \
        --suffix-keyvault-dns "$(cell vaultSuffix)" --suffix-storage-endpoint "localhost:${arm##*:}" --only-show-errors &&
        az cloud set -n Sim --only-show-errors &&
        az login --service-principal -u "$AZURE_CLIENT_ID" -p sim-client-secret --tenant "$AZURE_TENANT_ID" --allow-no-subscriptions -o none --only-show-errors
}
if sim_start "$dir/world/world.yaml" 1; then
    run drift "$binary" drift -f "$dir/world/estate" --cloud "$dir/cloud.yaml"
    figure "20 sets, and all they rest on: reinstate drift" "$wall" s shown "" "$cpu s of processor, $mb MB"
    if ! command -v az >/dev/null; then
        not_measured "20 sets: azure-cli, disk-encryption-set show" "azure-cli is not installed"
    elif az_setup >"$dir/az" 2>&1; then
        run az sh -c 'i=0; while [ $i -lt 20 ]; do az disk-encryption-set show -g rg-work -n des-$i -o none --only-show-errors || exit 1; i=$((i + 1)); done'
        if [ "$code" = 0 ]; then
            figure "20 sets: azure-cli, disk-encryption-set show" "$wall" s shown "" "$cpu s of processor, $mb MB; the sets alone, one command each"
        else
            not_measured "20 sets: azure-cli, disk-encryption-set show" "$(tail -n 1 "$dir/az.err" | head -c 150 | tr '"' ' ')"
        fi
    else
        not_measured "20 sets: azure-cli, disk-encryption-set show" "it does not sign in: $(tail -n 1 "$dir/az" | head -c 150 | tr '"' ' ')"
    fi
    sim_stop
fi
not_measured "20 sets: Ansible's azure collection" "Debian has it (ansible, python3-azure); no set-up of it for a private cloud is written yet"

# --- the table -----------------------------------------------------------------------------------------------------------

mkdir -p "$(dirname "$json")"
jq -s --arg before "$load_before" --arg after "$(cut -d ' ' -f 1-3 /proc/loadavg)" --arg cores "$(nproc)" --arg version "$("$binary" version | head -1)" \
    '{version: $version, cores: ($cores | tonumber), loadBefore: $before, loadAfter: $after, figures: .}' "$figures" >"$json"
jq -r '"\(.version), \(.cores) cores, load \(.loadBefore) before and \(.loadAfter) after", "",
    (.figures[] | [.figure, (if .value == null then "-" else "\(.value * 1000 | round / 1000) \(.unit)" end), .bound,
                   (if .met == null then "" elif .met then "met" else "NOT MET" end), .beside] | @tsv)' "$json" |
    awk -F '\t' 'NF < 3 { print; next } { printf "%-56s %-28s %-9s %-8s %s\n", $1, $2, $3, $4, $5 }'
echo "$(jq '[.figures[] | select(.met == true)] | length' "$json") bounds met, $(jq '[.figures[] | select(.met == false)] | length' "$json") not met; $json"
