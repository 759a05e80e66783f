// Fills a std::map, clears it, and prints the resident set before, between and after.
//
//     map_clear all|byte_on_top|one_in_thousand|other_thread|twice ascending|shuffled NODES
//
// `twice` fills and clears once more beforehand, at once: an allocator may take it for a pattern.
//
// One line per figure, "name value", sizes in bytes. The node is 40 bytes: the tree's own 32 and
// a pair of ints. Nothing calls the allocator between the end of clear and the last reading.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include <algorithm>
#include <pthread.h>
#include <sys/mman.h>

#include "resident.h"
#include "which_malloc.h"

namespace
{

using node_map = std::map<int, int>;

constexpr int keep_one_in = 1000;
constexpr size_t node_bytes = 40;
constexpr size_t node_header_bytes = 32;
constexpr long settle_ms = 1000;

struct readings {
    size_t before, filled, cleared, settled;
    long clear_ms, settled_after_ms;
};

struct experiment {
    node_map *nodes;
    size_t count;
    bool shuffled;
    bool keep_some;
    readings read;
};

// A bijection on 32 bits: every key once, in an order that has nothing to do with addresses,
// and no array of keys that would need memory of its own.
uint32_t scatter(uint32_t value)
{
    value ^= value >> 16;
    value *= 0x85ebca6bu;
    value ^= value >> 13;
    value *= 0xc2b2ae35u;
    return value ^ value >> 16;
}

void fill(experiment &run)
{
    for (size_t i = 0; i < run.count; i++) {
        uint32_t key = static_cast<uint32_t>(i);

        (*run.nodes)[static_cast<int>(run.shuffled ? scatter(key) : key)] = 1;
    }
}

void erase_most(node_map &nodes)
{
    int turn = 0;

    for (auto node = nodes.begin(); node != nodes.end();)
        if (turn++ % keep_one_in == 0)
            ++node;
        else
            node = nodes.erase(node);
}

// What the process may still hold when nothing was kept.
size_t allowed_after_clear(size_t before)
{
    return before + before / 10 + 2 * MIB;
}

// Waits, without a word to the allocator, until enough has gone back or the time is up.
void settle(readings &read)
{
    long start = now_ms();

    do {
        sleep_ms(20);
        read.settled = resident_bytes();
        read.settled_after_ms = now_ms() - start;
    } while (read.settled > allowed_after_clear(read.before) && read.settled_after_ms < settle_ms);
}

void clear_and_settle(experiment &run)
{
    long start = now_ms();

    if (run.keep_some)
        erase_most(*run.nodes);
    else
        run.nodes->clear();
    run.read.clear_ms = now_ms() - start;
    run.read.cleared = resident_bytes();
    settle(run.read);
}

// The clearing thread lives on until everything is read: what its cache holds counts.
struct second_thread {
    experiment *run;
    pthread_barrier_t filled, done;
};

void *clear_in_thread(void *argument)
{
    second_thread *thread = static_cast<second_thread *>(argument);

    pthread_barrier_wait(&thread->filled);
    clear_and_settle(*thread->run);
    pthread_barrier_wait(&thread->done);
    return nullptr;
}

void clear_elsewhere(experiment &run)
{
    static second_thread thread;
    pthread_t id;

    thread.run = &run;
    pthread_barrier_init(&thread.filled, nullptr, 2);
    pthread_barrier_init(&thread.done, nullptr, 2);
    if (pthread_create(&id, nullptr, clear_in_thread, &thread) != 0)
        abort();
    run.read.before = resident_bytes();
    fill(run);
    run.read.filled = resident_bytes();
    pthread_barrier_wait(&thread.filled);
    pthread_barrier_wait(&thread.done);
    pthread_join(id, nullptr);
}

// The pages of `page_bytes` that the surviving nodes touch, from their addresses.
size_t survivor_pages(const node_map &nodes, size_t page_bytes)
{
    size_t count = 0, bytes = (2 * nodes.size() + 1) * sizeof(uintptr_t);
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t *pages = static_cast<uintptr_t *>(memory);

    if (memory == MAP_FAILED)
        abort();
    for (const auto &entry : nodes) {
        uintptr_t node = reinterpret_cast<uintptr_t>(&entry) - node_header_bytes;

        pages[count++] = node / page_bytes;
        pages[count++] = (node + node_bytes - 1) / page_bytes;
    }
    std::sort(pages, pages + count);
    count = static_cast<size_t>(std::unique(pages, pages + count) - pages);
    munmap(memory, bytes);
    return count;
}

void print(const experiment &run)
{
    size_t os_page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));

    std::printf("before %zu\nfilled %zu\ncleared %zu\nsettled %zu\n", run.read.before,
                run.read.filled, run.read.cleared, run.read.settled);
    std::printf("clear_ms %ld\nsettled_after_ms %ld\nsurvivors %zu\n", run.read.clear_ms,
                run.read.settled_after_ms, run.nodes->size());
    std::printf("survivor_os_page_bytes %zu\nsurvivor_8k_page_bytes %zu\n",
                survivor_pages(*run.nodes, os_page_bytes) * os_page_bytes,
                survivor_pages(*run.nodes, 8192) * 8192);
}

void *volatile byte_on_top;

void run_here(experiment &run, bool with_byte, bool twice)
{
    run.read.before = resident_bytes();
    if (twice) {
        fill(run);
        run.nodes->clear();
    }
    fill(run);
    run.read.filled = resident_bytes();
    if (with_byte)
        byte_on_top = std::malloc(1);
    clear_and_settle(run);
}

} // namespace

int main(int argc, char **argv)
{
    node_map nodes;
    experiment run = {};

    if (argc != 4)
        return 2;
    run.nodes = &nodes;
    run.keep_some = std::strcmp(argv[1], "one_in_thousand") == 0;
    run.shuffled = std::strcmp(argv[2], "shuffled") == 0;
    run.count = std::strtoull(argv[3], nullptr, 10);
    if (run.count > UINT32_MAX)
        return 2;

    // Whatever the C library and the first reading touch is touched before "before".
    std::printf("malloc from %s\n", which_malloc());
    std::fflush(stdout);
    resident_bytes();
    if (std::strcmp(argv[1], "other_thread") == 0)
        clear_elsewhere(run);
    else
        run_here(run, std::strcmp(argv[1], "byte_on_top") == 0, std::strcmp(argv[1], "twice") == 0);
    print(run);
    std::fflush(stdout);
    _exit(0);
}
