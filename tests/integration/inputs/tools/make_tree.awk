# Writes 900 small files in 30 folders and one file of 150,000 lines, always the same.
function next_number(limit) {
    state = (state * 69069 + 1) % 4294967296
    return int(state / 65536) % limit
}

function write_file(path, lines,    i) {
    for (i = 0; i < lines; i++)
        printf "%d word%d line%d\n", next_number(100000), next_number(500), i > path
    close(path)
}

BEGIN {
    state = 7
    for (folder = 0; folder < 30; folder++) {
        system("mkdir -p tree/folder" folder)
        for (file = 0; file < 30; file++)
            write_file("tree/folder" folder "/file" file, 1 + next_number(60))
    }
    write_file("large", 150000)
}
