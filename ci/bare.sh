#!/usr/bin/env bash
# The proof on a bare system: a fresh minimal Debian 12, a clone of what is committed, the README's
# first command, and the tests. Works in a folder of its own, which it removes, and in a mount and
# process namespace of its own, so that no mount and no process outlives it.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
release=bookworm

usage()
{
    cat <<END
usage: ci/bare.sh [--run-only] [--keep] [FOLDER]

Makes a minimal Debian 12 in a new folder inside FOLDER (default: \$TMPDIR or /tmp), from the
mirror that this machine's apt uses, clones this repository into it as it is committed, and runs
there: the ci/run.sh line of README.md, and ci/test.sh. Needs root, debootstrap and git.

  --run-only    leaves out ci/test.sh
  --keep        leaves the folder behind
END
}

# "URI RELEASE COMPONENT" of each of Debian's own sources in this machine's apt.
debian_sources()
{
    # shellcheck disable=SC2016 # the variables are apt's
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
        'Identifier: Packages' | sed -n "s/ Debian\$//p" | sort -u
}

mirror()
{
    debian_sources | awk -v release="$release" '$2 == release && !found++ { print $1 }'
}

# What apt needs to know to reach the mirror from inside: its sources, proxies and names.
hand_over_apt() # SYSTEM
{
    debian_sources | sed 's/^/deb /' >"$1/etc/apt/sources.list"
    apt-config dump | grep -iE '^Acquire::(https?|ftp|Retries|ForceIPv|Check)' \
        >"$1/etc/apt/apt.conf.d/90outside" || true
    cp --dereference /etc/resolv.conf /etc/hosts "$1/etc/"
}

make_system() # SYSTEM
{
    local from http_proxy=
    from=$(mirror)
    [ -n "$from" ] || fail 1 "apt knows no Debian source for $release (try apt-get update)"
    eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
    open_log
    logged debootstrap env ${http_proxy:+http_proxy="$http_proxy"} debootstrap \
        --variant=minbase --force-check-gpg "$release" "$1" "$from"
    close_log
    hand_over_apt "$1"
    git clone --quiet --no-hardlinks "file://$root" "$1/root/spanguard"
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount --rbind -o ro /sys "$1/sys"
}

# Runs a shell line in the clone, with nothing of this machine's environment.
inside() # SYSTEM LINE
{
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LANG=C.UTF-8 chroot "$1" bash -c "cd /root/spanguard && $2" </dev/null
}

readme_example() # SYSTEM
{
    local line='^[[:space:]]*(\$ )?(\./)?(ci/run\.sh .*)'
    sed -nE "0,\\|$line|s||\\3|p" "$1/root/spanguard/README.md"
}

step() # WHAT COMMAND…
{
    local start=$SECONDS
    under_way=$1
    "${@:2}"
    printf '== %-58s %4d s\n' "$under_way" "$((SECONDS - start))"
    under_way=
}

is_bare() # SYSTEM
{
    # shellcheck disable=SC2016 # for the shell inside
    inside "$1" 'for tool in cc gcc clang meson ninja python3; do
        if command -v "$tool"; then exit 1; fi; done'
}

# The first run installs and builds, and must show in nothing but its time: what the program
# prints with the library is what it prints without.
run_example() # SYSTEM
{
    local example with without
    example=$(readme_example "$1")
    [ -n "$example" ] || fail 1 "README.md shows no line that starts with ci/run.sh"
    printf '%s\n' "+ $example"
    with=$(inside "$1" "$example")
    without=$(inside "$1" "${example#ci/run.sh }")
    printf '%s\n' "$with"
    [ "$with" = "$without" ] || fail 1 "it prints something else than without the library"
}

is_loaded() # SYSTEM
{
    inside "$1" "ci/run.sh grep -m 1 'build/libspanguard.so' /proc/self/maps"
}

prove() # FOLDER RUN_ONLY
{
    local system=$1/system
    under_way=
    trap '[ -z "$under_way" ] || say "failed: $under_way"' EXIT
    step "a minimal Debian 12, and the clone" make_system "$system"
    step "it has no compiler, no meson, no python" is_bare "$system"
    step "the README's example, on a fresh system" run_example "$system"
    step "the library is in the program's memory" is_loaded "$system"
    [ "$2" = yes ] || step "ci/test.sh" inside "$system" ci/test.sh
}

# The namespace took its mounts with it. Should one be left, nothing is removed through it.
remove_folder() # FOLDER
{
    if grep -qF " $1/" /proc/self/mountinfo; then
        say "something is still mounted below $1: not removed"
        return
    fi
    rm -rf --one-file-system "$1"
}

main()
{
    local run_only=no keep=no parent=${TMPDIR:-/tmp} folder tool argument
    for argument in "$@"; do
        case $argument in
        -h | --help)
            usage
            exit 0
            ;;
        --run-only) run_only=yes ;;
        --keep) keep=yes ;;
        -*)
            usage >&2
            exit 2
            ;;
        *) parent=$argument ;;
        esac
    done
    [ "$(id -u)" -eq 0 ] || fail 1 "debootstrap and chroot need root"
    for tool in debootstrap git unshare; do
        command -v "$tool" >/dev/null || fail 1 "needs $tool, which is not installed"
    done
    folder=$(realpath "$(mktemp -d "$parent/spanguard-bare.XXXXXX")")
    # shellcheck disable=SC2064 # the folder of now
    [ "$keep" = yes ] || trap "remove_folder '$folder'" EXIT
    unshare --pid --fork --kill-child --mount-proc -- "$BASH" "${BASH_SOURCE[0]}" \
        --within "$folder" "$run_only"
}

if [ "${1-}" = --within ]; then
    prove "$2" "$3"
else
    main "$@"
fi
