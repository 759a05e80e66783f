// One program, one misuse a start. A call is the function that is misused; a case brings about a
// pointer that it should refuse, or an act that does damage before it is called.
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

    ptrdiff_t from = 0; // of an act: the first byte that it touches, counted from block
    size_t count = 0;   // and how many
    int before = -1;    // what that byte was; -1: it cannot be read
    bool has_neighbour = false;
    bool is_damage = false;     // the act wrote: who owns what says nothing any more
    bool is_over = false;       // there is no call to make
    const char *word = nullptr; // of a property that holds
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

struct attack {
    const char *name;
    void (*set)(scene &);
    void (*act)(scene &); // after the scene was told; nullptr: the call alone is the misuse
};

// Ends with a row without a name. One table for each file of attacks.
extern const attack pointer_attacks[], overflow_attacks[], free_attacks[], limit_attacks[],
    race_attacks[], internal_attacks[];

// Makes a block with the call's own interface and notes it in the scene.
void make_block(scene &);

// The same, with live neighbours around it: its span cannot be recycled while they stay.
void make_pinned_block(scene &);

// Ends the block as a program should; the misuse comes after it. A clean scene keeps it.
void end_block(scene &);

// A live block that the case made beside its own, to be ended with the scene.
void add_pin(void *block);

// Ends what the case made beside its block.
void end_pins(const scene &);

// Reads a byte without faulting; -1 if it cannot be read.
int peek(const void *address);

// Two threads that exist before the first block does: what starting one allocates would land where
// the block was, and its owner would then be a new one.
enum { WORKERS = 2 };
void workers_start();
void workers_end();
void worker_start(int worker, void (*body)(scene &), scene &);
void worker_wait(int worker);
void worker_run(int worker, void (*body)(scene &), scene &); // start and wait
void worker_end(int worker);                                 // a second time does nothing

#endif
