#include "machine.h"

#include "laboratory.h"
#include "random.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define BASE ((uintptr_t)0x7e8100000000)
#define PAGES (MACHINE_BYTES / MACHINE_OS_PAGE_BYTES)
#define ADVICE_GUARD 102
#define ADVICE_UNGUARD 103
#define SAID_BYTES 4096

static struct {
    uintptr_t next;
    struct random keys;
    bool has_seed;
    uint8_t access[PAGES];  /* enum machine_access, or-ed; untouched pages of it cost nothing */
    uint8_t mapping[PAGES]; /* a number for each, which may come again */
    uint8_t mappings;
    char said[SAID_BYTES];
    size_t said_bytes;
} machine;

bool machine_has(uintptr_t address)
{
    return address >= BASE && address - BASE < MACHINE_BYTES;
}

bool machine_is_open(uintptr_t address)
{
    return machine_has(address) &&
           machine.access[(address - BASE) / MACHINE_OS_PAGE_BYTES] == MACHINE_OPEN;
}

bool machine_is_open_range(uintptr_t address, size_t bytes)
{
    uintptr_t end = address + bytes;

    for (; address < end; address = (address | (MACHINE_OS_PAGE_BYTES - 1)) + 1)
        if (!machine_is_open(address))
            return false;
    return true;
}

bool machine_is_one_mapping(uintptr_t one, uintptr_t other)
{
    return machine_has(one) && machine_has(other) &&
           machine.mapping[(one - BASE) / MACHINE_OS_PAGE_BYTES] ==
               machine.mapping[(other - BASE) / MACHINE_OS_PAGE_BYTES];
}

const char *machine_said(void)
{
    return machine.said;
}

void machine_said_nothing(void)
{
    machine.said_bytes = 0;
    machine.said[0] = '\0';
}

static void mark(uintptr_t from, size_t bytes, uint8_t keep, uint8_t set)
{
    for (uintptr_t page = from; page < from + bytes; page += MACHINE_OS_PAGE_BYTES) {
        uint8_t *access;

        if (!machine_has(page))
            continue;
        access = &machine.access[(page - BASE) / MACHINE_OS_PAGE_BYTES];
        *access = (uint8_t)((*access & keep) | set);
    }
}

static uint8_t access_of(long protection)
{
    return protection == PROT_NONE ? MACHINE_OPEN | MACHINE_FORBIDDEN : MACHINE_OPEN;
}

/* Addresses go up. A hint is for our records: the machine takes it. */
static long map(const long *arguments)
{
    long placed[6] = {(long)machine.next, arguments[1],
                      arguments[2],       arguments[3] | MAP_FIXED_NOREPLACE,
                      arguments[4],       arguments[5]};
    size_t bytes = ((size_t)arguments[1] + MACHINE_OS_PAGE_BYTES - 1) &
                   ~(MACHINE_OS_PAGE_BYTES - 1);

    if (arguments[0] != 0)
        return laboratory_machine_call(SYS_mmap, arguments);
    if (bytes > MACHINE_BYTES || machine.next - BASE > MACHINE_BYTES - bytes)
        return -ENOMEM;
    long result = laboratory_machine_call(SYS_mmap, placed);
    if (result != placed[0])
        return result;
    machine.next += bytes;
    mark((uintptr_t)result, bytes, 0, access_of(arguments[2]));
    memset(machine.mapping + ((size_t)result - BASE) / MACHINE_OS_PAGE_BYTES, ++machine.mappings,
           bytes / MACHINE_OS_PAGE_BYTES);
    return result;
}

/* To a place of this machine's choice, or a given one. What stays behind is open and empty. */
static long remap(const long *arguments)
{
    long placed[6];
    bool is_fixed = (arguments[3] & MREMAP_FIXED) != 0;
    size_t bytes = (size_t)arguments[2];

    memcpy(placed, arguments, sizeof(placed));
    if (!is_fixed) {
        placed[3] |= MREMAP_FIXED;
        placed[4] = (long)machine.next;
    }
    long result = laboratory_machine_call(SYS_mremap, placed);
    if (result != placed[4])
        return result;
    if (!is_fixed)
        machine.next += bytes;
    mark((uintptr_t)result, bytes, 0, MACHINE_OPEN);
    if ((arguments[3] & 4) == 0) /* MREMAP_DONTUNMAP */
        mark((uintptr_t)arguments[0], (size_t)arguments[1], 0, MACHINE_UNMAPPED);
    return result;
}

static long say(const char *text, size_t bytes)
{
    size_t room = SAID_BYTES - 1 - machine.said_bytes;
    size_t kept = bytes < room ? bytes : room;

    memcpy(machine.said + machine.said_bytes, text, kept);
    machine.said_bytes += kept;
    machine.said[machine.said_bytes] = '\0';
    return (long)bytes;
}

static long random_bytes(void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(random_next(&machine.keys) >> 32);
    return (long)count;
}

static void note(long number, const long *arguments)
{
    uintptr_t from = (uintptr_t)arguments[0];
    size_t bytes = (size_t)arguments[1];

    if (number == SYS_munmap && from + bytes == machine.next)
        machine.next = from; /* so that mappings touch, as the machine's do */
    if (number == SYS_munmap)
        mark(from, bytes, 0, MACHINE_UNMAPPED);
    else if (number == SYS_mprotect)
        mark(from, bytes, (uint8_t)~MACHINE_FORBIDDEN, access_of(arguments[2]));
    else if (number == SYS_madvise && arguments[2] == ADVICE_GUARD)
        mark(from, bytes, 0xff, MACHINE_GUARD);
    else if (number == SYS_madvise && arguments[2] == ADVICE_UNGUARD)
        mark(from, bytes, (uint8_t)~MACHINE_GUARD, 0);
}

static long serve(long number, const long *arguments)
{
    if (number == SYS_mmap)
        return map(arguments);
    if (number == SYS_mremap)
        return remap(arguments);
    if (number == SYS_getrandom && machine.has_seed)
        return random_bytes((void *)arguments[0], (size_t)arguments[1]);
    if (number == SYS_write && arguments[0] == MACHINE_REPORT_DESCRIPTOR)
        return say((const char *)arguments[1], (size_t)arguments[2]);

    long result = laboratory_machine_call(number, arguments);
    if (result == 0)
        note(number, arguments);
    return result;
}

void machine_start(uint64_t seed)
{
    machine.next = BASE + MACHINE_OS_PAGE_BYTES * 256;
    machine.has_seed = seed != 0;
    machine.keys = (struct random){.state = {seed, seed * 0x9e3779b97f4a7c15u + 1}};
    laboratory.kernel = serve;
}
