#!/usr/bin/env bash
# Runs a program under spanguard: installs the build tools if any is missing, builds the library
# if it is out of date, and becomes the program. Refuses a program that the preload cannot reach.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
library=$build/libspanguard.so

usage()
{
    cat <<END
usage: ci/run.sh PROGRAM [ARGUMENT…]

Runs PROGRAM with spanguard as its malloc. On Debian 12 this is all it takes: what the build
needs is installed first (as root, or through sudo), and the library is built in build/.

PROGRAM keeps its arguments, standard input and output, and working directory. Everything this
script has to say goes to standard error. An LD_PRELOAD that is already set stays in front.

Status: that of PROGRAM, or
  1    the build tools could not be installed, or the build failed
  2    usage
  125  the library cannot take effect in PROGRAM: static, set-uid, for another C library
  126  PROGRAM is not executable
  127  PROGRAM was not found
END
}

# Prints where the program lies, as exec would find it.
find_program()
{
    local path
    if path=$(type -P -- "$1"); then
        printf '%s\n' "$path"
    elif [[ $1 == */* && -e $1 ]]; then
        fail 126 "$1: not an executable file"
    else
        fail 127 "$1: program not found"
    fi
}

# The kernel clears the way for a preload only if the program gains no rights by being run.
refuse_if_privileged() # PATH
{
    local reason=
    if [ -u "$1" ] && [ "$(stat -Lc %u -- "$1")" != "$(id -u)" ]; then
        reason="is set-uid"
    elif [ -g "$1" ] && [ "$(stat -Lc %g -- "$1")" != "$(id -g)" ]; then
        reason="is set-gid"
    elif [ "$(id -u)" != 0 ] && [ -n "$(PATH=$PATH:/usr/sbin:/sbin getcap "$1" 2>/dev/null)" ]; then
        reason="has file capabilities"
    fi
    [ -z "$reason" ] || fail 125 "$1 $reason: the kernel and ld.so ignore LD_PRELOAD for it"
}

# Prints the loader that a dynamic program asks for; nothing for a static one.
loader_of() # PATH
{
    LC_ALL=C readelf -lW -- "$1" 2>/dev/null |
        sed -n 's/.*Requesting program interpreter: \(.*\)]$/\1/p'
}

refuse_if_not_ours_to_load() # PATH
{
    local theirs ours
    theirs=$(loader_of "$1")
    ours=$(realpath -- "$(loader_of "$BASH")")
    if [ -n "$theirs" ]; then
        [ "$(realpath -- "$theirs")" = "$ours" ] ||
            fail 125 "$1 is for another C library or machine (its loader is $theirs)"
    elif [ "$(realpath -- "$1")" != "$ours" ]; then
        fail 125 "$1 is statically linked: no loader runs that could preload a library"
    fi
}

first_line() # PATH
{
    local start
    start=$(head -c 256 -- "$1" | tr -d '\0')
    printf '%s\n' "${start%%$'\n'*}"
}

# Prints "elf", or the interpreter of a script: /bin/sh if it names none.
kind_of() # PATH
{
    local line
    line=$(first_line "$1")
    if [[ $line == $'\x7fELF'* ]]; then
        echo elf
    elif [[ $line =~ ^'#!'[[:blank:]]*([^[:blank:]]+) ]]; then
        printf '%s\n' "${BASH_REMATCH[1]}"
    else
        echo /bin/sh
    fi
}

names_no_interpreter() # PATH
{
    local line
    line=$(first_line "$1")
    [[ $line != $'\x7fELF'* && $line != '#!'* ]]
}

# Follows a script to what really runs.
refuse_if_out_of_reach() # PATH
{
    local path=$1 kind depth
    for depth in 1 2 3 4; do
        [ -r "$path" ] || fail 125 "$path cannot be read, so nothing is known about it"
        refuse_if_privileged "$path"
        kind=$(kind_of "$path")
        if [ "$kind" = elf ]; then
            refuse_if_not_ours_to_load "$path"
            return
        fi
        [ -x "$kind" ] || fail 127 "$path: its interpreter $kind was not found"
        path=$kind
    done
    fail 125 "$1: a script run by scripts, more than $depth deep"
}

build_library()
{
    if is_configured && [ ! -w "$build/build.ninja" ] && [ -e "$library" ]; then
        say "build/ belongs to another user: using its library as it is"
        return
    fi
    is_configured || logged "meson setup" meson setup "$build" "$root"
    logged "the build" ninja -C "$build" libspanguard.so
}

prepare() # PATH
{
    local missing
    [[ $root != *[[:space:]:]* ]] ||
        fail 125 "LD_PRELOAD cannot name a path with a space or a colon: $root"
    open_log
    lock_tree
    mapfile -t missing < <(missing_build_tools)
    install_packages "${missing[@]}"
    refuse_if_out_of_reach "$1"
    build_library
    unlock_tree
    close_log
}

main()
{
    local path preload=${LD_PRELOAD-}
    case ${1-} in
    "")
        usage >&2
        exit 2
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    esac
    path=$(find_program "$1")
    unset LD_PRELOAD # not for the compiler
    prepare "$path"
    export LD_PRELOAD="${preload:+$preload:}$library"
    # bash would run a script that names no interpreter by itself, without the library.
    names_no_interpreter "$path" && set -- /bin/sh "$path" "${@:2}"
    exec -- "$@"
}

main "$@"
