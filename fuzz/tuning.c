#include "tuning.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(struct tuning *tuning, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct tuning *tuning, const char *format, ...)
{
    size_t length = strlen(tuning->options);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(tuning->options + length, sizeof(tuning->options) - length, format, arguments);
    va_end(arguments);
}

/* Nothing for a choice of 0. */
static void add_choice(struct tuning *tuning, const char *name, unsigned choice)
{
    static const char *const values[4] = {"", "0", "2", "8"};

    if (choice % 4 != 0)
        add(tuning, ":%s=%s", name, values[choice % 4]);
}

static void read_bounds(struct tuning *tuning, uint8_t byte)
{
    static const size_t thread_cache_bytes[4] = {8 << 20, 0, 64 << 10, 1 << 20};
    static const size_t dirty_bytes[4] = {256 << 10, 0, 8 << 20, 1 << 20};
    static const unsigned calls[4] = {64, 16, 1, 64};

    add(tuning, ":thread_cache_bytes=%zu:dirty_bytes=%zu", thread_cache_bytes[byte % 4],
        dirty_bytes[byte / 4 % 4]);
    tuning->is_dense = (byte & 0x10) != 0;
    tuning->calls_per_walk = calls[byte / 32 % 4];
    tuning->settings.looks_everywhere = (byte & 0x80) != 0;
}

static void read_defences(struct tuning *tuning, uint8_t byte)
{
    static const char *const sample_bytes[4] = {"", ":sample_bytes=0", ":sample_bytes=4K",
                                                ":sample_bytes=64K"};

    add(tuning, "%s", sample_bytes[byte % 4]);
    add_choice(tuning, "span_quarantine", byte / 4);
    add_choice(tuning, "quarantine_slots", byte / 16);
    if ((byte & 0x40) != 0)
        add(tuning, ":guard_free=0");
    if ((byte & 0x80) != 0)
        add(tuning, ":encode=0");
}

static void read_place(struct tuning *tuning, uint8_t byte)
{
    tuning->settings.base = byte / 4 % 4;
    tuning->settings.is_upwards = (byte & 0x10) != 0;
    tuning->settings.is_gapped = (byte & 0x20) != 0;
    tuning->settings.without_guard_advice = (byte & 0x40) != 0;
    tuning->settings.is_real = (byte & 0x80) != 0;
}

void tuning_read(struct tuning *ret_tuning, const uint8_t *header, size_t bytes)
{
    static const char *const profiles[4] = {"hardened", "fast", "strict", "hardened"};
    uint8_t known[TUNING_BYTES] = {0};

    memset(ret_tuning, 0, sizeof(*ret_tuning));
    if (bytes > 0) /* of an empty input not even the address need be there */
        memcpy(known, header, bytes < sizeof(known) ? bytes : sizeof(known));
    add(ret_tuning, "profile=%s", profiles[known[0] % 4]);
    read_place(ret_tuning, known[0]);
    read_bounds(ret_tuning, known[1]);
    read_defences(ret_tuning, known[2]);
    ret_tuning->settings.options = ret_tuning->options;
    for (unsigned i = 3; i < TUNING_BYTES; i++)
        ret_tuning->settings.seed = ret_tuning->settings.seed << 8 | known[i];
}
