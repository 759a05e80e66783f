# Completion of spanguard(1) for bash. Names of options and profiles come from the command itself.
# shellcheck shell=bash

_spanguard_words() # WORDS: those that begin with what is typed
{
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_spanguard_files() # KIND: f or d
{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "-$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_spanguard_option_names()
{
    "${COMP_WORDS[0]}" options 2>/dev/null | sed -n 's/^\([a-z_]*\)=.*/\1/p'
}

_spanguard_pids()
{
    local folder
    for folder in /proc/[0-9]*; do
        printf '%s ' "${folder#/proc/}"
    done
}

# The place of the program in the line of run or doctor; the current word if it is not there yet.
_spanguard_program_index()
{
    local index=2
    while [ "$index" -lt "$COMP_CWORD" ]; do
        case ${COMP_WORDS[index]} in
        --)
            echo $((index + 1))
            return
            ;;
        -o | -p | --option | --profile | --timeout | =) index=$((index + 2)) ;;
        -*) index=$((index + 1)) ;;
        *) break ;;
        esac
    done
    echo "$index"
}

# The program's own arguments are files here.
_spanguard_program()
{
    local index
    index=$(_spanguard_program_index)
    if [ "$COMP_CWORD" -gt "$index" ]; then
        _spanguard_files f
    elif [[ ${COMP_WORDS[COMP_CWORD]} == */* ]]; then
        _spanguard_files f
    else
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}

# bash splits at "=": --ci=reports is three words, and "=" may be the one that is typed.
_spanguard_run()
{
    local word=${COMP_WORDS[COMP_CWORD]} index=$((COMP_CWORD - 1)) before
    if [ "$word" = "=" ]; then
        word=
        COMP_WORDS[COMP_CWORD]=
    elif [ "${COMP_WORDS[index]}" = "=" ]; then
        index=$((index - 1))
    fi
    before=${COMP_WORDS[index]}
    if [ "$index" -lt "$((COMP_CWORD - 1))" ] || [ "${COMP_LINE: -1}" = "=" ]; then
        case ${COMP_WORDS[index - 1]} in
        -o | --option) return ;; # a setting's value
        esac
    fi
    case $before in
    -p | --profile)
        _spanguard_words "hardened fast strict debug guard"
        ;;
    -o | --option)
        compopt -o nospace 2>/dev/null
        _spanguard_words "$(_spanguard_option_names | sed 's/$/=/')"
        ;;
    --ci) _spanguard_files d ;;
    --timeout) COMPREPLY=() ;;
    *)
        if [[ $word == -* ]] && [ "$COMP_CWORD" -le "$(_spanguard_program_index)" ]; then
            _spanguard_words "--profile --option --ci --timeout --help"
        else
            _spanguard_program
        fi
        ;;
    esac
}

_spanguard_doctor()
{
    if [ "${COMP_WORDS[2]}" = -- ] && [ "$COMP_CWORD" -gt 2 ]; then
        _spanguard_program
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _spanguard_words "-- --help"
    else
        _spanguard_words "$(_spanguard_pids)"
    fi
}

_spanguard_explain()
{
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _spanguard_words "--module --program --help"
    else
        _spanguard_files f
    fi
}

_spanguard_config()
{
    if [ "$COMP_CWORD" -eq 2 ]; then
        _spanguard_words "check --help"
    else
        _spanguard_files f
    fi
}

_spanguard()
{
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        _spanguard_words "run explain doctor options config --help --version"
        return
    fi
    case ${COMP_WORDS[1]} in
    run) _spanguard_run ;;
    explain) _spanguard_explain ;;
    doctor) _spanguard_doctor ;;
    options) _spanguard_words "--json --help $(_spanguard_option_names)" ;;
    config) _spanguard_config ;;
    esac
}

complete -F _spanguard spanguard
