#include "unwind_table.h"

/* Encodings of addresses: low half the format, upper half what it is relative to. */
enum {
    ENCODED_ABSOLUTE = 0x00,
    ENCODED_ULEB = 0x01,
    ENCODED_UDATA2 = 0x02,
    ENCODED_UDATA4 = 0x03,
    ENCODED_UDATA8 = 0x04,
    ENCODED_SLEB = 0x09,
    ENCODED_SDATA2 = 0x0a,
    ENCODED_SDATA4 = 0x0b,
    ENCODED_SDATA8 = 0x0c,
    ENCODED_PC_RELATIVE = 0x10,
    ENCODED_INDEX_SDATA4 = 0x3b, /* relative to the start of the index */
};

static uint64_t read_format(struct reader *reader, uint8_t encoding)
{
    switch (encoding & 0x0f) {
    case ENCODED_ABSOLUTE:
    case ENCODED_UDATA8:
    case ENCODED_SDATA8:
        return read_fixed(reader, 8);
    case ENCODED_ULEB:
        return read_uleb(reader);
    case ENCODED_SLEB:
        return (uint64_t)read_sleb(reader);
    case ENCODED_UDATA2:
        return read_fixed(reader, 2);
    case ENCODED_SDATA2:
        return (uint64_t)read_signed(reader, 2);
    case ENCODED_UDATA4:
        return read_fixed(reader, 4);
    case ENCODED_SDATA4:
        return (uint64_t)read_signed(reader, 4);
    default:
        reader->failed = true;
        return 0;
    }
}

uintptr_t sg_table_address(struct reader *reader, uint8_t encoding)
{
    uintptr_t place = (uintptr_t)reader->at;
    uint64_t value = read_format(reader, encoding);

    if ((encoding & 0xf0) == ENCODED_PC_RELATIVE)
        return place + value;
    if ((encoding & 0xf0) != ENCODED_ABSOLUTE)
        reader->failed = true;
    return value;
}

static struct reader reader_at(const struct module *module, uintptr_t address)
{
    bool is_inside = address >= module->start && address < module->end;

    return (struct reader){
        .at = (const uint8_t *)(is_inside ? address : module->end),
        .end = (const uint8_t *)module->end,
        .failed = !is_inside,
    };
}

/* The length in front of an entry; afterwards the reader ends where the entry ends. */
static void enter(struct reader *reader)
{
    uint64_t length = read_fixed(reader, 4);

    if (length == UINT32_MAX)
        length = read_fixed(reader, 8);
    if (length == 0 || length > (size_t)(reader->end - reader->at))
        reader->failed = true;
    else
        reader->end = reader->at + length;
}

/* The data that the letters of an augmentation announce, in their order. */
static void read_letters(struct reader data, const char *letters, struct table_entry *entry)
{
    for (; *letters != '\0'; letters++) {
        switch (*letters) {
        case 'R':
            entry->encoding = (uint8_t)read_fixed(&data, 1);
            break;
        case 'P': /* the function that exceptions ask */
            (void)read_format(&data, (uint8_t)read_fixed(&data, 1));
            break;
        case 'L':
            (void)read_fixed(&data, 1);
            break;
        case 'S':
            entry->is_signal = true;
            break;
        default: /* what follows an unknown letter is unknown */
            return;
        }
    }
}

static bool read_common(struct reader reader, struct table_entry *entry)
{
    const char *letters;
    uint8_t version;

    enter(&reader);
    if (read_fixed(&reader, 4) != 0)
        return false; /* no CIE */
    version = (uint8_t)read_fixed(&reader, 1);
    letters = (const char *)reader.at;
    while (read_fixed(&reader, 1) != 0)
        ;
    if (version == 0 || version > 3 || reader.failed)
        return false;
    entry->code_factor = read_uleb(&reader);
    entry->data_factor = read_sleb(&reader);
    entry->return_register = version == 1 ? read_fixed(&reader, 1) : read_uleb(&reader);
    entry->encoding = ENCODED_ABSOLUTE;
    if (*letters == 'z') {
        uint64_t length = read_uleb(&reader);

        read_letters(reader, letters + 1, entry);
        read_skip(&reader, length);
    } else if (*letters != '\0') {
        return false; /* without a length, what is unknown cannot be stepped over */
    }
    entry->common = reader;
    entry->instructions.at = *letters == 'z' ? reader.at : NULL;
    return !reader.failed;
}

static bool read_entry(const struct module *module, uintptr_t address, struct table_entry *entry)
{
    struct reader reader = reader_at(module, address);
    uintptr_t place;

    *entry = (struct table_entry){0};
    enter(&reader);
    place = (uintptr_t)reader.at;
    if (!read_common(reader_at(module, place - read_fixed(&reader, 4)), entry))
        return false;
    entry->begin = sg_table_address(&reader, entry->encoding);
    entry->end = entry->begin + read_format(&reader, entry->encoding);
    if (entry->instructions.at != NULL)
        read_skip(&reader, read_uleb(&reader));
    entry->instructions = reader;
    return !reader.failed;
}

struct row {
    int32_t code; /* both from the start of the index */
    int32_t entry;
};

/* The last row that begins at or below `pc`: the linker sorted them. */
static const struct row *find_row(const struct row *rows, uint64_t count, int64_t pc)
{
    uint64_t low = 0, high = count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (rows[middle].code <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &rows[low - 1];
}

bool sg_table_find(const struct module *module, uintptr_t pc, struct table_entry *ret_entry)
{
    uintptr_t index = (uintptr_t)module->eh_index;
    struct reader reader = reader_at(module, index);
    uint8_t version = (uint8_t)read_fixed(&reader, 1);
    uint8_t frame_encoding = (uint8_t)read_fixed(&reader, 1);
    uint8_t count_encoding = (uint8_t)read_fixed(&reader, 1);
    uint8_t row_encoding = (uint8_t)read_fixed(&reader, 1);
    const struct row *row;
    uint64_t count;

    (void)sg_table_address(&reader, frame_encoding);
    count = sg_table_address(&reader, count_encoding);
    if (reader.failed || version != 1 || row_encoding != ENCODED_INDEX_SDATA4 ||
        (uintptr_t)reader.at % alignof(struct row) != 0 ||
        count > (size_t)(reader.end - reader.at) / sizeof(struct row))
        return false;
    row = find_row((const struct row *)reader.at, count, (int64_t)(pc - index));
    return row != NULL && read_entry(module, index + (uintptr_t)(int64_t)row->entry, ret_entry) &&
           pc >= ret_entry->begin && pc < ret_entry->end;
}
