// What changed in the process's anonymous memory, outside this program's own data and the stack.
#ifndef SG_MISUSE_PROCESS_MEMORY_H
#define SG_MISUSE_PROCESS_MEMORY_H

#include <cstddef>
#include <cstdint>

struct change {
    uintptr_t address; // of a word, ascending
    uintptr_t now;
};

struct changes {
    change found[256];
    size_t count;
};

// Neither allocates.
void memory_remember();
void memory_compare(changes *); // with what was remembered; ends the program if there are too many

#endif
