# To be sourced: Microsoft's validator judges recorded exchanges.
#   judge VERDICT OPTION... SPECS RECORD...   leaves its words in the file VERDICT and sets judged and violations: that count
#   is the verdict, and every caller adds it to its own. JUDGE is the program (judge.mjs beside this file).
#   violations_of VERDICT   prints them.
judged=0 violations=0

judge() {
    verdict=$1 judge_code=0
    shift
    node "$JUDGE" "$@" >"$verdict" || judge_code=$?
    judged=$(sed -nE '$s/.* ([0-9]+) judged .*/\1/p' "$verdict")
    violations=$(sed -nE '$s/.* ([0-9]+) violations$/\1/p' "$verdict")
    # A verdict without its last line, or one that ends badly and names no violation, is one: nobody knows what it has not judged.
    if [ -z "$judged" ] || [ -z "$violations" ] || { [ "$judge_code" != 0 ] && [ "$violations" = 0 ]; }; then
        echo "the validator ended with $judge_code and without a count"
        violations=$((${violations:-0} + 1))
    fi
    judged=${judged:-0}
}

violations_of() {
    sed -n '/^VIOLATION/{p;n;p;}' "$1"
}
