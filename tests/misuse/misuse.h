// One program, one misuse a start. A call is the function that is misused; a case brings about a
// pointer that it should refuse.
#ifndef SG_MISUSE_MISUSE_H
#define SG_MISUSE_MISUSE_H

#include <cstddef>
#include <cstdint>

enum : size_t { ALIGNMENT = 64 }; // of every block that is made by an aligned interface

struct scene;

struct call {
    const char *name;
    void *(*make)(size_t bytes); // the interface that goes with it
    void (*end)(void *block);    // ends what make made, or what hit returned
    void *(*hit)(scene &);       // returns what the program owns afterwards, if anything
};

struct scene {
    const call *by = nullptr;
    size_t bytes = 0; // asked for
    bool clean = false;

    unsigned char *block = nullptr; // the nearest block of the heap, if there is one
    size_t usable = 0;              // its bytes
    bool is_owned = false;          // the program still counts on block
    void *pointer = nullptr;        // what is passed to the call
    size_t stated_bytes = 0;        // by those calls that state them
    size_t stated_alignment = ALIGNMENT;
    int hit_by = -1; // the worker that makes the call; -1: main
};

// A value of unknown origin: the compiler sees neither the misuse nor the mismatch.
template <typename type> static inline type opaque(type value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

extern const call calls[];
extern const size_t call_count;
const call *find_call(const char *name);

// Brings the named case about; false if there is none of that name.
bool set_scene(const char *name, scene &);

// Makes a block with the call's own interface and notes it in the scene.
void make_block(scene &);

// Ends what the case made beside its block.
void end_pins(const scene &);

// Two threads that exist before the first block does: what starting one allocates would land where
// the block was, and its owner would then be a new one.
enum { WORKERS = 2 };
void workers_start();
void worker_run(int worker, void (*body)(scene &), scene &); // and wait for it
void worker_end(int worker);

#endif
