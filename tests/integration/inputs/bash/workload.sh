# Bash allocates for every word it expands; each part here expands many.
set -u

build_arrays() {
    local -a numbers=()
    local -A squares=()
    local i
    for ((i = 0; i < 6000; i++)); do
        numbers+=("$((i * 7 % 1009))")
        squares["key$((i % 500))"]="$((i * i))"
    done
    echo "arrays ${#numbers[@]} ${#squares[@]} ${numbers[*]:100:10} ${squares[key499]}"
    unset 'numbers[3]' 'squares[key1]'
    numbers=("${numbers[@]/1/one}")
    echo "replaced ${numbers[*]:0:12} ${#squares[@]}"
}

build_strings() {
    local text='' part i
    for ((i = 0; i < 3000; i++)); do
        printf -v part '%04d-%s' "$i" "${text:0:5}"
        text+="$part,"
    done
    echo "strings ${#text} ${text//0/zero}" | cksum
    echo "upper ${text^^}" | cksum
}

nest_subshells() {
    local total=0 i
    for ((i = 0; i < 150; i++)); do
        total=$((total + $( (echo "$i"; echo 1) | while read -r n; do echo "$n"; done | wc -l)))
    done
    echo "subshells $total"
}

read_here_documents() {
    local line count=0
    while IFS=, read -r line _; do
        [[ $line =~ ^row([0-9]+)$ ]] && count=$((count + BASH_REMATCH[1]))
    done < <(for ((i = 0; i < 2000; i++)); do echo "row$i,$RANDOM"; done)
    cat <<END
here $count
END
}

recurse() {
    local depth=$1 payload=$2
    ((depth == 0)) && { echo "depth ${#payload}"; return; }
    recurse $((depth - 1)) "$payload$depth"
}

trap 'echo "leaving"' EXIT
build_arrays
build_strings
nest_subshells
read_here_documents
recurse 300 ''
mapfile -t lines < <(seq 5000)
echo "mapfile ${#lines[@]} ${lines[4999]}"
echo "end of workload"
