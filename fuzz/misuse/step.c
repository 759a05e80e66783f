#include "step.h"

#include "child.h"
#include "size_class.h"
#include "victim.h"

#include <string.h>

/* A header: profile, flags, 4 bytes of seed, 2 unused.
 * A record: kind, choice, slot, size kind | thread << 7, size index, delta, value, distance. */
enum { FLAG_CHANCE = 1, FLAG_SAMPLED = 2, FLAG_THREADED = 4 };
enum { KINDS = 32, KIND_FREE = 6, KIND_ACT = 16 };
enum { AT_KIND, AT_CHOICE, AT_SLOT, AT_SIZE, AT_INDEX, AT_DELTA, AT_VALUE, AT_DISTANCE };

static const size_t bands[BANDS] = {16, 64, 1024, 65536, 1 << 20};

const char *const act_titles[ACT_COUNT] = {
#define ACT(name, title) [ACT_##name] = title,
    ACTS(ACT)
#undef ACT
};

struct setting setting_of(const uint8_t *data, size_t bytes)
{
    uint8_t header[STEP_HEADER_BYTES] = {0};
    uint32_t seed;

    memcpy(header, data, bytes < sizeof(header) ? bytes : sizeof(header));
    memcpy(&seed, header + 2, sizeof(seed));
    return (struct setting){
        .profile = header[0] % PROFILES,
        .has_chance = (header[1] & FLAG_CHANCE) != 0,
        .is_sampled = (header[1] & FLAG_SAMPLED) != 0,
        .is_threaded = (header[1] & FLAG_THREADED) != 0,
        .seed = (uint64_t)seed + 1,
    };
}

static enum step_kind kind_of(uint8_t byte)
{
    static const enum step_kind kinds[KIND_ACT] = {
        STEP_MALLOC, STEP_MALLOC, STEP_MALLOC, STEP_CALLOC, STEP_CALLOC,  STEP_ALIGNED,
        STEP_FREE,   STEP_FREE,   STEP_FREE,   STEP_FREE,   STEP_REALLOC, STEP_REALLOC,
        STEP_USABLE, STEP_TRIM,   STEP_CHURN,  STEP_VERIFY};

    return byte % KINDS < KIND_ACT ? kinds[byte % KINDS] : STEP_ACT;
}

static size_t bytes_of(uint8_t kind, uint8_t index, uint8_t delta)
{
    size_t around = delta % 24;
    size_t bytes;

    if (kind % 8 < BANDS)
        bytes = bands[kind % 8] + around;
    else if (kind % 8 == 5)
        bytes = sg_size_classes[CLASS_FIRST + index % CLASS_LAST].slot_bytes + around;
    else if (kind % 8 == 6)
        bytes = 240 + index % 64u;
    else
        bytes = SMALL_MAX_BYTES + around;
    return bytes > 12 ? bytes - 12 : 1;
}

struct step step_of(const uint8_t *data)
{
    return (struct step){
        .kind = kind_of(data[AT_KIND]),
        .act = data[AT_KIND] % KINDS < KIND_ACT ? 0 : (data[AT_KIND] - KIND_ACT) % ACT_COUNT,
        .by_second = data[AT_SIZE] >= 128,
        .choice = data[AT_CHOICE],
        .slot = data[AT_SLOT] % VICTIM_SLOTS,
        .value = data[AT_VALUE],
        .bytes = bytes_of(data[AT_SIZE] % 128, data[AT_INDEX], data[AT_DELTA]),
        .distance = (int16_t)(data[AT_DISTANCE] | (data[AT_INDEX] & 0x0f) << 8),
    };
}

static uint8_t draw(struct random *random, uint32_t limit)
{
    return (uint8_t)random_below(random, limit);
}

static void draw_header(struct random *random, uint8_t *bytes)
{
    for (unsigned i = 0; i < STEP_HEADER_BYTES; i++)
        bytes[i] = draw(random, 256);
    bytes[1] = (uint8_t)((draw(random, 8) == 0 ? FLAG_CHANCE : 0) |
                         (draw(random, 8) == 0 ? FLAG_SAMPLED : 0) |
                         (draw(random, 3) == 0 ? FLAG_THREADED : 0));
}

/* Few slots and sizes; calls that make blocks come first and more often than acts. */
size_t step_generate(struct random *random, uint8_t *bytes, size_t most)
{
    static const uint8_t slot_counts[4] = {2, 4, 12, VICTIM_SLOTS};
    uint8_t slots = slot_counts[draw(random, 4)];
    uint8_t sizes[3] = {draw(random, 8), draw(random, 8), draw(random, 8)};
    uint8_t index = draw(random, 256);
    size_t records = 4 + random_below(random, 60);

    if (most < STEP_HEADER_BYTES + records * STEP_RECORD_BYTES)
        return 0;
    draw_header(random, bytes);
    for (size_t i = 0; i < records; i++) {
        uint8_t *record = bytes + STEP_HEADER_BYTES + i * STEP_RECORD_BYTES;

        for (unsigned j = 0; j < STEP_RECORD_BYTES; j++)
            record[j] = draw(random, 256);
        record[AT_KIND] = draw(random, draw(random, 8) == 0 ? KINDS : KIND_ACT);
        if (i < records / 4)
            record[AT_KIND] = draw(random, 5);
        if (record[AT_KIND] >= KIND_ACT)
            record[AT_KIND] = (uint8_t)(KIND_ACT + draw(random, ACT_COUNT));
        record[AT_SLOT] = draw(random, slots);
        record[AT_SIZE] = (uint8_t)(sizes[draw(random, 3)] | (draw(random, 4) == 0 ? 0x80 : 0));
        if (draw(random, 4) != 0)
            record[AT_INDEX] = index;
    }
    return STEP_HEADER_BYTES + records * STEP_RECORD_BYTES;
}

void step_change(struct random *random, uint8_t *record, const uint8_t *other)
{
    switch (draw(random, 6)) {
    case 0:
        record[AT_SLOT] = other[AT_SLOT];
        break;
    case 1:
        record[AT_SIZE] = other[AT_SIZE];
        record[AT_INDEX] = other[AT_INDEX];
        break;
    case 2:
        record[AT_DISTANCE] = (uint8_t)(record[AT_DISTANCE] + draw(random, 5) - 2);
        break;
    case 3:
        record[AT_KIND] = draw(random, KINDS);
        break;
    default:
        record[draw(random, STEP_RECORD_BYTES)] = draw(random, 256);
        break;
    }
}

static bool needs_freed(enum act_kind act)
{
    return act == ACT_FREED_WRITE || act == ACT_DOUBLE_FREE || act == ACT_REALLOC_FREED ||
           act == ACT_USABLE_FREED;
}

enum { FIRST_STEPS = 6, VICTIM_OF_ONE = 5 };

/* Six blocks, some calls on others; the last is freed in between where the act is on a freed one. */
size_t step_generate_one(struct random *random, uint8_t *bytes, enum profile profile,
                         enum act_kind act, unsigned band)
{
    size_t before = FIRST_STEPS + 1 + random_below(random, 24);
    size_t freed_at = FIRST_STEPS + random_below(random, (uint32_t)(before - FIRST_STEPS));
    uint8_t *record = bytes + STEP_HEADER_BYTES;

    draw_header(random, bytes);
    bytes[0] = (uint8_t)profile;
    bytes[1] &= (uint8_t)~FLAG_SAMPLED;
    for (size_t i = 0; i <= before; i++, record += STEP_RECORD_BYTES) {
        for (unsigned j = 0; j < STEP_RECORD_BYTES; j++)
            record[j] = draw(random, 256);
        record[AT_KIND] = draw(random, i < FIRST_STEPS ? 5 : KIND_ACT);
        record[AT_SLOT] = (uint8_t)(i < FIRST_STEPS ? i : draw(random, VICTIM_OF_ONE));
        record[AT_SIZE] = (uint8_t)(band | (draw(random, 4) == 0 ? 0x80 : 0));
        if (i == before || (i == freed_at && needs_freed(act))) {
            record[AT_KIND] = (uint8_t)(i == before ? KIND_ACT + act : KIND_FREE);
            record[AT_SLOT] = VICTIM_OF_ONE;
        }
    }
    return (size_t)(record - bytes);
}
