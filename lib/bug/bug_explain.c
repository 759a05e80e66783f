/* What `spanguard explain CODE` says. The manual page spanguard-reports(7) has the same codes. */
#include "bug.h"

static const struct {
    const char code[5];
    const char *words;
} pages[] = {
    {"P101", "P101  heap overflow, found late\n"
             "Bytes behind the end of a block were overwritten. It was seen afterwards, when the\n"
             "block was freed or looked at; who wrote them is not on the stack any more.\n"
             "Why:   a text without room for its NUL, <= instead of <, a size in elements where\n"
             "       bytes are needed, strcpy or sprintf of what is longer than expected.\n"
             "Do:    look at who allocated the block and how it computed the size; the bytes\n"
             "       that were written often tell what they are. `spanguard run --profile guard`\n"
             "       stops at the write itself. The profiles hardened and strict do not report a\n"
             "       single zero byte behind the end, which does no harm there: debug does.\n"},
    {"P102", "P102  heap overflow, caught in the act\n"
             "The program read or wrote behind the end of a block, where a page without access\n"
             "lies. The innermost frame did it.\n"
             "Why:   as P101; for reads also a loop or memcmp with the length of something else,\n"
             "       or a text without NUL.\n"
             "Do:    compare the index or length at that line with the size of the block.\n"},
    {"P103", "P103  heap underflow, found late\n"
             "Bytes in front of a block were overwritten. It was seen afterwards.\n"
             "Why:   a loop that runs down through index 0, an index that became -1, a pointer\n"
             "       that was moved back too far, a header in front of data that is not there.\n"
             "Do:    as for P101; `spanguard run --profile guard -o guard_side=below` stops at\n"
             "       the write itself.\n"},
    {"P104", "P104  heap underflow, caught in the act\n"
             "The program read or wrote in front of a block, where a page without access lies.\n"
             "Why:   as P103.\n"
             "Do:    look at the index or pointer at the innermost frame.\n"},
    {"P105", "P105  copy overflow\n"
             "memcpy, strcpy or one of their kin was about to write more than the block that it\n"
             "was given has behind that address. Nothing was copied.\n"
             "Why:   the length is that of the source and not that of the destination.\n"
             "Do:    bound the length by the size of the destination where it is called.\n"},
    {"P106", "P106  copy over-read\n"
             "memcpy or one of its kin was about to read more than the block that it was given\n"
             "has behind that address. Nothing was copied.\n"
             "Why:   a length out of a message was believed, or is that of the destination.\n"
             "Do:    check the length against the data that is really there.\n"},
    {"P201", "P201  use after free, caught in the act\n"
             "The program read or wrote a block that had been freed before.\n"
             "Why:   a pointer was kept when its block was freed: in another structure, in an\n"
             "       iterator, in a callback, in another thread; or the order of the end of two\n"
             "       objects is wrong.\n"
             "Do:    the report has both stacks. Either the free comes too early, or who uses it\n"
             "       must be told; set the pointer to NULL where the block is freed.\n"},
    {"P202", "P202  use after free, found late\n"
             "A freed block was written to. It was seen when its memory was looked at again; who\n"
             "wrote is not on the stack any more, who freed it is recorded in profile debug.\n"
             "Why:   as P201.\n"
             "Do:    `spanguard run --profile guard` stops at the write itself. Only writes are\n"
             "       found this way; reads are not.\n"},
    {"P203", "P203  double free\n"
             "A block was freed that was free already.\n"
             "Why:   two owners of one pointer, a path for errors that frees what the caller\n"
             "       frees too, a copy of a structure that owns memory, realloc(p, 0).\n"
             "Do:    decide who owns the block; set the pointer to NULL where it is freed.\n"},
    {"P204", "P204  stale pointer\n"
             "A pointer was freed whose block is long gone: its memory was given back or is\n"
             "another block's by now. Freeing it would have ended somebody else's block.\n"
             "Why:   a double free, with allocations in between.\n"
             "Do:    as P203.\n"},
    {"P205",
     "P205  a pointer read from freed memory\n"
     "The program followed a pointer whose bytes are those that profile debug fills freed\n"
     "blocks with. It read them out of a block that had been freed before.\n"
     "Why:   as P201: a node of a list or tree, or an object with virtual functions, was\n"
     "       freed, and something still goes through it.\n"
     "Do:    `spanguard run --profile guard` stops at the read itself, and names the block,\n"
     "       who allocated it and who freed it.\n"},
    {"P301", "P301  interior pointer\n"
             "The address lies inside a block and is not its start.\n"
             "Why:   the pointer that malloc returned was moved on and then freed; a member of a\n"
             "       structure is freed, not the structure; delete of an array, or through a\n"
             "       second base class without a virtual destructor.\n"
             "Do:    keep the pointer that was returned, and free that.\n"},
    {"P302", "P302  foreign pointer\n"
             "The address never came from this allocator.\n"
             "Why:   a local or global variable, a literal, memory of mmap or of an allocator of\n"
             "       the program's own, a pointer that was never set or was overwritten.\n"
             "Do:    free only what malloc and its kin returned; set pointers to NULL first.\n"},
    {"P303", "P303  unaligned pointer\n"
             "The address lies inside a block, and not even at a multiple of 16, where all\n"
             "blocks begin.\n"
             "Why:   as P301; often a text whose beginning was skipped.\n"
             "Do:    as P301.\n"},
    {"P401", "P401  interface mismatch\n"
             "The block was made by one interface and released by another: new[] and delete,\n"
             "malloc and delete, new and free, aligned new and plain delete.\n"
             "Why:   a pointer crossed a border between C and C++, or a smart pointer has the\n"
             "       wrong deleter, such as unique_ptr<T> where unique_ptr<T[]> is meant.\n"
             "Do:    release it as it was made; destructors and other allocators depend on it.\n"},
    {"P402", "P402  size mismatch\n"
             "A sized delete or free_sized states another size than the block has.\n"
             "Why:   delete through a base class without a virtual destructor, or where the type\n"
             "       is another than at new (two definitions, a cast); a size computed again from\n"
             "       what has changed.\n"
             "Do:    make the destructor virtual, or delete through the type that was made.\n"},
    {"P403", "P403  alignment mismatch\n"
             "A delete or free_aligned_sized states an alignment that the block does not have.\n"
             "Why:   as P402; the two sides were compiled with another alignas.\n"
             "Do:    as P402.\n"},
    {"P501", "P501  memory leaked\n"
             "No pointer to these blocks is left anywhere: nobody can ever free them.\n"
             "Why:   a return in the middle, a pointer that was overwritten, the head of a list\n"
             "       that was lost. \"Held by another\": only leaked blocks point to it.\n"
             "Do:    begin with the largest that is not held by another. What is meant to stay\n"
             "       is silenced by a line leak:NAME in the file SPANGUARD_SUPPRESSIONS.\n"},
    {"P701", "P701  use after realloc, caught in the act\n"
             "The program read or wrote a block that realloc had moved elsewhere.\n"
             "Why:   another pointer into the block was kept over the realloc: an element, an\n"
             "       iterator, the old value of the variable.\n"
             "Do:    keep indexes and not pointers into what can grow, or set them anew.\n"},
    {"P702", "P702  use after realloc, found late\n"
             "The old memory of a block that realloc had moved was written to afterwards.\n"
             "Why:   as P701.\n"
             "Do:    as P701; `spanguard run --profile guard` stops at the write itself.\n"},
    {"P801", "P801  free slot changed hands\n"
             "A block that waits in a cache for its next use is not free.\n"
             "Why:   two threads freed one block at the same moment, or a signal handler freed\n"
             "       it while free was at work on it.\n"
             "Do:    as P203, with a lock or an owner for what several threads see.\n"},
    {"P802", "P802  allocator re-entered\n"
             "A signal handler called the allocator while it interrupted it in a place where\n"
             "that cannot work.\n"
             "Why:   malloc, free, printf and the like in a signal handler.\n"
             "Do:    only set a flag or write to a pipe there: signal-safety(7).\n"},
    {"P803", "P803  damaged cache entry\n"
             "Something wrote into the allocator's own memory.\n"
             "Why:   a wild pointer or an index far out of bounds, or an attack.\n"
             "Do:    look for other reports first; `spanguard run --profile guard`.\n"},
    {"P901", "P901  out of mappings, not out of memory\n"
             "The kernel refused memory since the process has as many mappings as it may.\n"
             "There is memory left; malloc returned NULL.\n"
             "Why:   each page without access splits a mapping; many threads or files mapped.\n"
             "Do:    raise vm.max_map_count, or use fewer guard pages: guard_pages=0.\n"},
};

const char *sg_bug_explain(const char *code)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (__builtin_strcmp(pages[i].code, code) == 0)
            return pages[i].words;
    return NULL;
}
