#!/usr/bin/env bash
# usage: ci/check_format.sh [ROOT]
# Every C and C++ file stands as clang-format 14 would set it; one TAP line for each folder.
set -euo pipefail

root=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)}
formatter=$(command -v clang-format-14 || command -v clang-format || true)
count=0
failed=0

check_folder() # NAME
{
    local files problems verdict="ok"
    mapfile -d '' -t files < <(find "$root/$1" -type f \
        \( -name '*.[ch]' -o -name '*.cc' -o -name '*.hh' \) -print0 | sort -z)
    [ "${#files[@]}" -gt 0 ] || return 0
    count=$((count + 1))
    if ! problems=$("$formatter" --style=file --dry-run -Werror "${files[@]}" 2>&1); then
        verdict="not ok"
        failed=$((failed + 1))
    fi
    echo "$verdict $count - the files in $1 are set as .clang-format says"
    echo "#   ${#files[@]} files"
    grep -E ': (error|warning):' <<<"$problems" | sed "s|^$root/|#   |" | cut -d: -f1,2 | sort -u |
        head -n 40 || true
}

main()
{
    local folder version
    version=$("${formatter:-false}" --version || true)
    if [[ $version != *"version 14."* ]]; then
        echo "1..0 # SKIP needs clang-format 14, found: ${version:-none}"
        exit 0
    fi
    for folder in lib hardening fuzz tests tools ci; do
        if [ -d "$root/$folder" ]; then
            check_folder "$folder"
        fi
    done
    if [ "$count" -eq 0 ]; then
        echo "not ok 1 - there are C files to check"
        count=1
        failed=1
    fi
    echo "1..$count"
    [ "$failed" -eq 0 ]
}

main
