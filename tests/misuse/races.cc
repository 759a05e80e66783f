// Two threads free one block in the same moment.
#include "misuse.h"

#include <atomic>
#include <sched.h>

enum { ROUNDS = 200 };

static std::atomic<int> arrived;

// Both leave it at once; a thread that has no processor does not keep the other spinning.
static void meet(int goal)
{
    arrived.fetch_add(1);
    for (int spins = 0; arrived.load() < goal; spins++)
        if (spins % 1000 == 999)
            sched_yield();
}

static void *second_pointer;

static void end_as_second(scene &scene)
{
    meet(2);
    scene.by->end(second_pointer);
}

static void act_race(scene &scene)
{
    for (int round = 0; round < ROUNDS; round++) {
        void *block = opaque(scene.by->make(scene.bytes));
        second_pointer = scene.clean ? opaque(scene.by->make(scene.bytes)) : block;
        arrived.store(0);
        worker_start(0, end_as_second, scene);
        meet(2);
        scene.by->end(block);
        worker_wait(0);
    }
}

const attack race_attacks[] = {
    {"two_threads_free", make_pinned_block, act_race},
    {nullptr, nullptr, nullptr},
};
