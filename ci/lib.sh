# shellcheck shell=bash
# Shared by run.sh and test.sh, which source it: packages, the build and the log of both.
# Refuses to write to standard output: that belongs to the program or to the tests.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$root/build
log=

say()
{
    printf '%s: %s\n' "${0##*/}" "$1" >&2
}

open_log()
{
    log=$(mktemp "${TMPDIR:-/tmp}/spanguard-log.XXXXXX")
}

close_log()
{
    [ -z "$log" ] || rm -f "$log"
}

fail() # STATUS MESSAGE
{
    say "$2"
    close_log
    exit "$1"
}

# Runs a command away from our standard input and output. The lock's descriptor is closed, so
# that nothing it leaves behind can hold the lock.
logged() # WHAT COMMAND…
{
    local what=$1 status=0
    shift
    printf '+ %s\n' "$*" >>"$log"
    "$@" </dev/null >>"$log" 2>&1 9<&- || status=$?
    [ "$status" -eq 0 ] && return
    say "$what failed (status $status). The end of $log:"
    tail -n 30 "$log" | sed 's/^/    /' >&2
    exit 1
}

# One builder at a time in this tree. The lock is on the folder itself: no file to leave behind.
lock_tree()
{
    exec 9<"$root"
    flock 9
}

unlock_tree()
{
    exec 9<&-
}

as_root() # WHAT COMMAND…
{
    if [ "$(id -u)" -eq 0 ]; then
        logged "$@"
    elif command -v sudo >/dev/null; then
        logged "$1" sudo "${@:2}"
    else
        fail 1 "$1 needs root, and there is no sudo: ${*:2}"
    fi
}

# Prints those of the packages that are not installed.
missing_packages() # PACKAGE…
{
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$package"
    done
}

install_packages() # PACKAGE…
{
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    [ $# -gt 0 ] || return 0
    say "installing: $*"
    as_root "apt-get update" "${apt[@]}" update
    as_root "apt-get install" "${apt[@]}" install -y --no-install-recommends "$@"
}

# Prints the packages of the build tools that this machine lacks. Asks for the tools and not for
# their packages: a compiler from elsewhere is as good.
missing_build_tools()
{
    command -v gcc >/dev/null || echo gcc
    command -v meson >/dev/null || echo meson
    command -v ninja >/dev/null || echo ninja-build
    if ! echo '#include <stdlib.h>' | gcc -E -o /dev/null - 2>/dev/null; then
        echo libc6-dev
    fi
}

is_configured()
{
    [ -f "$build/build.ninja" ]
}
