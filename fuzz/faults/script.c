#include "script.h"

#include <string.h>

/* As ops.h numbers them. */
enum { DO_MALLOC, DO_CALLOC, DO_ALIGNED, DO_REALLOC, DO_NEAR, DO_FREE, DO_FREE_STATED };
enum { DO_VERIFY = 8, DO_TRIM, DO_STATISTICS, DO_BURST };

enum { ON_1 = 0, ON_2 = 4, ON_8 = 8 }; /* slots, one after the other */
enum { BY_CLASS, BY_HALF_PAGES, BY_32_KIB, SPECIAL };

struct line {
    uint8_t op;
    uint8_t variant;
    uint8_t slot;
    uint8_t kind;
    uint8_t index;
    uint8_t delta;
};

static const struct line lines[] = {
    {DO_MALLOC, ON_8, 0, BY_CLASS, 5, 12},       /* 96 bytes */
    {DO_CALLOC, ON_8, 8, BY_CLASS, 60, 12},      /* 1 KiB */
    {DO_MALLOC, ON_8 | 1, 16, BY_CLASS, 150, 9}, /* tens of KiB, by new */
    {DO_MALLOC, ON_1, 24, SPECIAL, 0, 0},        /* no bytes */
    {DO_MALLOC, ON_1, 25, SPECIAL, 2, 0},        /* impossible */
    {DO_MALLOC, ON_2, 26, BY_32_KIB, 11, 200},   /* 384 KiB */
    {DO_CALLOC, ON_2, 28, BY_32_KIB, 40, 130},   /* 1.3 MiB */
    {DO_ALIGNED, ON_1, 30, BY_HALF_PAGES, 1, 7 << 4},
    {DO_ALIGNED, ON_1, 31, BY_HALF_PAGES, 2, 12 << 4}, /* 256 KiB */
    {DO_BURST, 0, 0, BY_CLASS, 9, 60},
    {DO_BURST, 1, 0, BY_CLASS, 90, 20},
    {DO_BURST, 2, 0, BY_HALF_PAGES, 6, 12},
    {DO_STATISTICS, 0, 0, 0, 0, 0},
    {DO_NEAR, ON_8, 0, 2, 0, 3},              /* twice as long */
    {DO_NEAR, ON_2, 26, 2, 0, 0},             /* in place, if there is room */
    {DO_REALLOC, ON_2, 28, BY_32_KIB, 90, 1}, /* by moving pages */
    {DO_NEAR, ON_2, 26, 1, 0, 0},
    {DO_NEAR, ON_1, 28, 1, 0, 0},
    {DO_VERIFY, 0, 0, 0, 0, 0},
    {DO_FREE, ON_2, 26, 0, 0, 0},
    {DO_FREE_STATED, ON_8, 16, 0, 0, 0},
    {DO_CALLOC, ON_8, 32, BY_CLASS, 150, 9},
    {DO_CALLOC, ON_2, 26, BY_32_KIB, 11, 200},
    {DO_TRIM, 0, 0, 0, 0, 0},
    {DO_FREE, ON_8, 32, 0, 0, 0},
    {DO_FREE, ON_1, 28, 0, 0, 0},
    {DO_CALLOC, ON_1, 28, BY_32_KIB, 40, 130},
    {DO_BURST, 0, 0, BY_HALF_PAGES, 31, 3},
    {DO_MALLOC, ON_8, 32, BY_HALF_PAGES, 20, 12},
    {DO_FREE, ON_8, 0, 0, 0, 0},
    {DO_TRIM, 1, 0, 0, 8, 0},
    {DO_MALLOC, ON_8, 0, BY_HALF_PAGES, 20, 12},
    {DO_STATISTICS, 0, 0, 0, 0, 0},
};

size_t script_write(uint8_t bytes[OPS_INPUT_BYTES_MAX])
{
    size_t count = sizeof(lines) / sizeof(lines[0]);

    memset(bytes, 0, OPS_HEADER_BYTES);
    for (size_t i = 0; i < count; i++) {
        uint8_t *record = bytes + OPS_HEADER_BYTES + i * OPS_RECORD_BYTES;

        record[0] = (uint8_t)(lines[i].op | lines[i].variant << 4);
        record[1] = (uint8_t)(lines[i].slot | lines[i].kind << 6);
        record[2] = lines[i].index;
        record[3] = lines[i].delta;
    }
    return OPS_HEADER_BYTES + count * OPS_RECORD_BYTES;
}
