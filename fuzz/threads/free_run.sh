#!/usr/bin/env bash
# Threads that run freely, plain and under ThreadSanitizer, for a while, each round of another seed.
# Builds into build/free beside the tree (or $FUZZ_BUILD). Status 0: nothing was found.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=${FUZZ_BUILD:-$root/build/free}

main()
{
    local seconds=${1-} seed=${2-$RANDOM}
    [[ $seconds =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] ||
        { echo "usage: fuzz/threads/free_run.sh SECONDS [SEED]" >&2 && exit 2; }
    if [ ! -e "$build/build.ninja" ]; then
        mkdir -p "$build"
        meson setup -Dtests=true "$build" "$root" >"$build/setup.log" ||
            { tail -n 20 "$build/setup.log" >&2 && exit 1; }
    fi
    ninja -C "$build" fuzz/threads/fuzz_threads_free fuzz/threads/fuzz_threads_free_tsan \
        >"$build/build.log" || { tail -n 40 "$build/build.log" >&2 && exit 1; }
    "$build/fuzz/threads/fuzz_threads_free" "$(((seconds + 1) / 2))" "$seed"
    TSAN_OPTIONS=halt_on_error=1:${TSAN_OPTIONS-} \
        "$build/fuzz/threads/fuzz_threads_free_tsan" "$(((seconds + 1) / 2))" "$seed"
}

main "$@"
