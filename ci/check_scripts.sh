#!/usr/bin/env bash
# usage: ci/check_scripts.sh [ROOT]
# Every shell script of ours passes shellcheck; one TAP line for each.
set -euo pipefail

root=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)}
count=0
failed=0

report() # NAME COMMAND…
{
    local name=$1 output verdict="ok"
    shift
    count=$((count + 1))
    if ! output=$("$@" 2>&1); then
        verdict="not ok"
        failed=$((failed + 1))
    fi
    echo "$verdict $count - $name"
    [ "$verdict" = ok ] || echo "#   ${output//$'\n'/$'\n'#   }"
}

# Whatever says in its first line that a shell runs it.
shell_scripts()
{
    local folder found=()
    for folder in ci .ci tests tools fuzz; do
        [ ! -d "$root/$folder" ] || found+=("$root/$folder")
    done
    find "${found[@]}" -type f -exec awk \
        'FNR == 1 && /^#!.*sh$/ { print FILENAME } { nextfile }' {} + | sort
}

main()
{
    local script
    if ! command -v shellcheck >/dev/null; then
        echo "1..0 # SKIP shellcheck is not installed"
        exit 0
    fi
    while read -r script; do
        report "${script#"$root"/} passes shellcheck" shellcheck -x "$script"
    done < <(shell_scripts)
    [ "$count" -gt 0 ] || report "there are scripts to check" false
    echo "1..$count"
    [ "$failed" -eq 0 ]
}

main
