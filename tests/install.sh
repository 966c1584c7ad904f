#!/bin/sh
# Installs the Debian packages given, if any is missing: as root, or through sudo when that needs no questions answered or
# somebody is there to answer them. Otherwise prints the one line to run, and fails.
set -eu

missing=
for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=unknown
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends$missing"
echo "missing:$missing" >&2
if [ "$(id -u)" = 0 ]; then
    prefix=
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    prefix=sudo
else
    echo "run this as root, then try again:" >&2
    echo "    $line" >&2
    exit 1
fi
# The word splitting is wanted: names of packages hold no blanks.
$prefix env DEBIAN_FRONTEND=noninteractive $line || {
    $prefix apt-get update
    $prefix env DEBIAN_FRONTEND=noninteractive $line
}
