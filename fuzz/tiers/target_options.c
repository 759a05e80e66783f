/* The settings: what the environment, the program and the files say, against a second reading of
 * it (options_model.c). The files lie in no file system: the kernel of this file has them.
 *
 *   header[0] 255     what follows is text: environment, program, spanguard.conf and the files of
 *                     its folder, with a 0 byte between them; else records, each one entry
 *   header[1..3]      who owns the files, who may write, what is missing
 *   header[4]         the kernel distrusts who started us; the program's path is unknown
 */
#include "laboratory.h"
#include "options.h"
#include "options_model.h"
#include "tier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

TIER_TARGET("options");

#define PARTS 7u
#define PART_ENVIRONMENT 0u
#define PART_PROGRAM 1u
#define PART_MAIN 2u
#define PART_FOLDER 3u
#define PART_BYTES_MAX 7000u
#define PROGRAM "/usr/bin/fuzzed"
#define OWNER 0u
#define TEXT_FOLLOWS 255u

/* In byte order, as they are to be read; the last two do not count. */
static const char *const names[PARTS] = {
    [3] = "10-first.conf", [4] = "9-second.conf", [5] = "~.txt", [6] = ".hidden.conf"};
#define PARTS_READ 5u

static struct {
    char text[PARTS][PART_BYTES_MAX + 1];
    size_t length[PARTS];
    uint8_t header[TIER_HEADER_BYTES];
    size_t offset[PARTS + 1]; /* of open files; the last is that of the folder */
    unsigned open;
    unsigned lines;
    size_t column;
} world;

/* Descriptors: that of a part, and that of the folder. */
#define FIRST_DESCRIPTOR 1000
#define FOLDER_DESCRIPTOR (FIRST_DESCRIPTOR + (int)PARTS)

/* Bits of header[1 + ...] by part: the whole file is ignored, for one of several reasons. */
static uint8_t fault_of(unsigned part)
{
    uint8_t choice = world.header[1 + (part - PART_MAIN) % 3];

    return choice < 192 ? 0 : choice % 8; /* 1 owner, 2 writable, 3 no file, 4 absent, 5 refused */
}

static bool is_folder_ignored(void)
{
    return world.header[5] >= 240;
}

static long open_file(const char *path)
{
    unsigned part = PART_MAIN;

    if (strcmp(path, "/virtual/spanguard.conf.d") == 0)
        part = PARTS;
    for (unsigned i = PART_FOLDER; i < PARTS; i++)
        if (strcmp(path, names[i]) == 0)
            part = i;
    tier_expect(part != PART_MAIN || strcmp(path, "/virtual/spanguard.conf") == 0,
                "another file is opened");
    if (part < PARTS && fault_of(part) == 4)
        return -ENOENT;
    if (part < PARTS && fault_of(part) == 5)
        return -EACCES;
    world.offset[part] = 0;
    world.open++;
    return FIRST_DESCRIPTOR + (long)part;
}

static long tell_facts(unsigned part, struct stat *ret_status)
{
    uint8_t fault = part == PARTS ? 0 : fault_of(part);
    bool is_loose = part == PARTS ? is_folder_ignored() : fault == 2;

    *ret_status = (struct stat){
        .st_mode = part == PARTS || fault == 3 ? S_IFDIR | 0755 : S_IFREG | 0644,
        .st_uid = OWNER + (fault == 1),
        .st_size = part == PARTS ? 4096 : (off_t)world.length[part],
    };
    if (is_loose)
        ret_status->st_mode |= S_IWOTH;
    return 0;
}

static long read_file(unsigned part, char *buffer, size_t bytes)
{
    size_t left = world.length[part] - world.offset[part];

    if (bytes > left)
        bytes = left;
    if (bytes > 1 && world.header[6] % 4 == 1)
        bytes /= 2; /* as from a slow disk */
    memcpy(buffer, world.text[part] + world.offset[part], bytes);
    world.offset[part] += bytes;
    return (long)bytes;
}

struct linux_dirent {
    uint64_t inode;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[21];
};

/* In some other order than that of their names, one or all at a time. */
static long list_folder(struct linux_dirent *entry)
{
    size_t from = world.offset[PARTS];
    size_t most = world.header[6] / 4 % 2 == 0 ? 1 : PARTS;
    long bytes = 0;

    while (world.offset[PARTS] < PARTS - PART_FOLDER && world.offset[PARTS] < from + most) {
        size_t turned = (world.offset[PARTS]++ + world.header[7]) % (PARTS - PART_FOLDER);

        *entry = (struct linux_dirent){.inode = 1, .bytes = sizeof(*entry)};
        strcpy(entry->name, names[PARTS - 1 - turned]);
        entry++;
        bytes += (long)sizeof(*entry);
    }
    return bytes;
}

/* A line is whole, short and plain: it goes to a terminal or a log. */
static long hear(int descriptor, const char *text, size_t length)
{
    tier_expect(descriptor == 2, "something is written elsewhere");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        world.column = byte == '\n' ? 0 : world.column + 1;
        world.lines += byte == '\n';
        tier_expect(byte == '\n' || (byte >= ' ' && byte <= '~'), "a line has other bytes");
        tier_expect(world.column < 1024, "a line is too long");
    }
    return (long)length;
}

static long kernel(long number, const long *arguments)
{
    unsigned part = (unsigned)(arguments[0] - FIRST_DESCRIPTOR);

    switch (number) {
    case SYS_openat:
        return open_file((const char *)arguments[1]);
    case SYS_close:
        world.open--;
        return 0;
    case SYS_fstat:
        return tell_facts(part, (struct stat *)arguments[1]);
    case SYS_read:
        return read_file(part, (char *)arguments[1], (size_t)arguments[2]);
    case SYS_lseek:
        world.offset[part] = 0;
        return 0;
    case SYS_getdents64:
        return list_folder((struct linux_dirent *)arguments[1]);
    case SYS_readlinkat:
        if (world.header[4] % 4 == 3)
            return -ENOENT;
        memcpy((char *)arguments[2], PROGRAM, sizeof(PROGRAM) - 1);
        return sizeof(PROGRAM) - 1;
    case SYS_write:
        return hear((int)arguments[0], (const char *)arguments[1], (size_t)arguments[2]);
    case SYS_mmap: /* so that ASan knows where it ends */
        return (long)malloc((size_t)arguments[1]);
    case SYS_munmap:
        free((void *)arguments[0]);
        return 0;
    default:
        return laboratory_machine_call(number, arguments);
    }
}

static void append(unsigned part, const char *bytes, size_t length)
{
    if (length > PART_BYTES_MAX - world.length[part])
        return;
    memcpy(world.text[part] + world.length[part], bytes, length);
    world.length[part] += length;
}

static void append_word(unsigned part, const char *word)
{
    append(part, word, strlen(word));
}

static void append_name(unsigned part, uint8_t choice)
{
    static const char *const others[] = {"lock", "help", "canery", "", "dirty", "#", "x=y", "[a]"};
    unsigned index = choice % (OPTION_COUNT + 8);

    append_word(part,
                index < OPTION_COUNT ? sg_option_table[index].name : others[index - OPTION_COUNT]);
}

/* One of the option's own choices, or a word that is one elsewhere. */
static void append_choice(unsigned part, const struct option *option, uint8_t which)
{
    static const char *const words[] = {"0", "1", "on", "off", "yes", "no", "strict", "fd"};
    char all[256];
    char *word;

    snprintf(all, sizeof(all), "%s", option->choices);
    word = strtok(all, "|");
    for (unsigned i = 0; i < which % 4u && word != NULL; i++)
        word = strtok(NULL, "|");
    append_word(part, word != NULL ? word : words[which / 4 % 8]);
}

static void append_value(unsigned part, const struct tier_record *record)
{
    const struct option *option = &sg_option_table[record->a % (OPTION_COUNT + 8) % OPTION_COUNT];
    char text[300];
    unsigned number = record->c;

    switch (record->b % 16) {
    case 0:
        snprintf(text, sizeof(text), "%u", number);
        break;
    case 1:
        snprintf(text, sizeof(text), "%llu", (unsigned long long)(option->max + number % 2));
        break;
    case 2:
        snprintf(text, sizeof(text), "%u%c", number, "KMGTk"[number % 5]);
        break;
    case 3:
        snprintf(text, sizeof(text), "%llu%c", (unsigned long long)1 << number % 64,
                 "KMG"[number % 3]);
        break;
    case 4:
        snprintf(text, sizeof(text), "fd:%u", number * 300);
        break;
    case 5:
        snprintf(text, sizeof(text), "1844674407370955161%u", number % 10);
        break;
    case 6:
        memset(text, (int)(number | 1), number);
        text[number] = '\0';
        break;
    case 7:
        snprintf(text, sizeof(text), "%u", number % 2);
        break;
    default:
        append_choice(part, option, record->c);
        return;
    }
    append_word(part, text);
}

static void append_entry(const struct tier_record *record)
{
    static const char *const equals[8] = {"=", "=", "=", "=", " = ", "\t=", "", "=="};
    static const char *const sections[4] = {"[exe:fuzzed]\n", "[exe:" PROGRAM "] # x\n",
                                            "[exe:other]\n", "[exe:fuzzed\n"};
    unsigned part = record->op % 5;
    bool is_file = part >= PART_MAIN;

    if (is_file && record->op / 5 % 8 == 7) {
        append_word(part, sections[record->c % 4]);
        return;
    }
    append_name(part, record->a);
    append_word(part, equals[record->op / 40]);
    append_value(part, record);
    append_word(part, is_file ? "\n" : ":");
}

/* Text as it is: parts with a 0 byte between them. */
static void split_text(const uint8_t *data, size_t bytes)
{
    unsigned part = 0;

    for (size_t i = 0; i < bytes && part < PARTS; i++) {
        if (data[i] == '\0')
            part++;
        else
            append(part, (const char *)&data[i], 1);
    }
}

static void build_world(const uint8_t *data, size_t bytes)
{
    struct tier_input input;
    struct tier_record record;

    memset(world.length, 0, sizeof(world.length));
    world.open = 0;
    world.lines = 0;
    world.column = 0;
    tier_begin(&input, data, bytes);
    memcpy(world.header, input.header, sizeof(world.header));
    if (input.header[0] == TEXT_FOLLOWS && bytes > TIER_HEADER_BYTES)
        split_text(data + TIER_HEADER_BYTES, bytes - TIER_HEADER_BYTES);
    else
        while (tier_next(&input, &record))
            append_entry(&record);
    for (unsigned part = 0; part < PARTS; part++)
        world.text[part][world.length[part]] = '\0';
}

static bool is_secure(void)
{
    return world.header[4] / 4 % 8 == 7;
}

static void run_model(struct options_model *model)
{
    model_begin(model, world.header[4] % 4 == 3 ? NULL : PROGRAM);
    for (unsigned part = PART_MAIN; part < PARTS_READ; part++) {
        uint8_t fault = fault_of(part);

        if (part == PART_FOLDER && is_folder_ignored()) {
            model_file(model, "", true);
            break;
        }
        if (fault != 4)
            model_file(model, world.text[part], fault != 0 && fault < 6);
    }
    model_end_of_files(model);
    if (!is_secure()) {
        model_text(model, world.text[PART_PROGRAM]);
        model_text(model, world.text[PART_ENVIRONMENT]);
    }
    model_end(model);
}

static void check_values(const struct options_model *model)
{
    union option_values values = {.named = sg_options};

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &sg_option_table[i];

        tier_expect(values.each[i] >= option->min && values.each[i] <= option->max,
                    "a value is out of its range");
        if (values.each[i] != model->values[i])
            fprintf(stderr, "fuzz: %s is %llu, not %llu\n", option->name,
                    (unsigned long long)values.each[i], (unsigned long long)model->values[i]);
        tier_expect(values.each[i] == model->values[i], "an option has another value");
        tier_expect(!model->is_locked ||
                        model_is_as_strong(option, values.each[i], model->floor[i]),
                    "a lock did not hold");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct options_model model;
    struct options_sources sources = {.folder = "/virtual",
                                      .owner = OWNER,
                                      .program = world.text[PART_PROGRAM],
                                      .environment = world.text[PART_ENVIRONMENT]};

    build_world(data, bytes);
    sources.is_secure = is_secure();
    laboratory.kernel = kernel;
    run_model(&model);
    sg_options_load_from(&sources);
    laboratory.kernel = NULL;
    check_values(&model);
    tier_expect(world.column == 0, "a line does not end");
    tier_expect(world.open == 0, "a file stays open");
    tier_expect(world.lines == model.lines + (model.wants_help ? OPTION_COUNT : 0),
                "mistakes are not told, or what is none");
    return 0;
}
