// The functions under test, each with the interface that its blocks come from.
#include "misuse.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <malloc.h>
#include <new>
#include <unistd.h>

enum { NO_SUCH_FUNCTION = 12 };

// C23's functions and cfree: not every libc has them to link with.
static void *find_function(const char *name)
{
    void *function = dlsym(RTLD_DEFAULT, name);

    if (function == nullptr)
        _exit(NO_SUCH_FUNCTION);
    return function;
}

static void *make_cleared(size_t bytes)
{
    return calloc(1, bytes);
}

static void *make_grown(size_t bytes)
{
    return realloc(malloc(1), bytes);
}

static void *make_posix_aligned(size_t bytes)
{
    void *block = nullptr;

    return posix_memalign(&block, ALIGNMENT, bytes) == 0 ? block : nullptr;
}

static void *make_aligned(size_t bytes)
{
    return aligned_alloc(ALIGNMENT, bytes);
}

static void *make_new(size_t bytes)
{
    return operator new(bytes);
}

static void *make_new_array(size_t bytes)
{
    return operator new[](bytes);
}

static void *make_new_aligned(size_t bytes)
{
    return operator new(bytes, std::align_val_t(ALIGNMENT));
}

static void *make_new_array_aligned(size_t bytes)
{
    return operator new[](bytes, std::align_val_t(ALIGNMENT));
}

static void end_new(void *block)
{
    operator delete(block);
}

static void end_new_array(void *block)
{
    operator delete[](block);
}

static void end_new_aligned(void *block)
{
    operator delete(block, std::align_val_t(ALIGNMENT));
}

static void end_new_array_aligned(void *block)
{
    operator delete[](block, std::align_val_t(ALIGNMENT));
}

static std::align_val_t stated_alignment(const scene &scene)
{
    return std::align_val_t(scene.stated_alignment);
}

static void *hit_free(scene &scene)
{
    free(scene.pointer);
    return nullptr;
}

static void *hit_realloc_grow(scene &scene)
{
    return realloc(scene.pointer, scene.bytes * 2 + 100);
}

static void *hit_realloc_shrink(scene &scene)
{
    return realloc(scene.pointer, scene.bytes / 2);
}

static void *hit_realloc_same(scene &scene)
{
    return realloc(scene.pointer, scene.bytes);
}

static void *hit_reallocarray(scene &scene)
{
    return reallocarray(scene.pointer, 3, scene.bytes);
}

static void *hit_usable_size(scene &scene)
{
    opaque(malloc_usable_size(scene.pointer));
    return scene.pointer;
}

static void *hit_free_sized(scene &scene)
{
    auto function = reinterpret_cast<void (*)(void *, size_t)>(find_function("free_sized"));

    function(scene.pointer, scene.stated_bytes);
    return nullptr;
}

static void *hit_free_aligned_sized(scene &scene)
{
    void *found = find_function("free_aligned_sized");
    auto function = reinterpret_cast<void (*)(void *, size_t, size_t)>(found);

    function(scene.pointer, scene.stated_alignment, scene.stated_bytes);
    return nullptr;
}

static void *hit_cfree(scene &scene)
{
    reinterpret_cast<void (*)(void *)>(find_function("cfree"))(scene.pointer);
    return nullptr;
}

static void *hit_delete(scene &scene)
{
    operator delete(scene.pointer);
    return nullptr;
}

static void *hit_delete_array(scene &scene)
{
    operator delete[](scene.pointer);
    return nullptr;
}

static void *hit_delete_nothrow(scene &scene)
{
    operator delete(scene.pointer, std::nothrow);
    return nullptr;
}

static void *hit_delete_sized(scene &scene)
{
    operator delete(scene.pointer, scene.stated_bytes);
    return nullptr;
}

static void *hit_delete_array_sized(scene &scene)
{
    operator delete[](scene.pointer, scene.stated_bytes);
    return nullptr;
}

static void *hit_delete_aligned(scene &scene)
{
    operator delete(scene.pointer, stated_alignment(scene));
    return nullptr;
}

static void *hit_delete_array_aligned(scene &scene)
{
    operator delete[](scene.pointer, stated_alignment(scene));
    return nullptr;
}

static void *hit_delete_aligned_sized(scene &scene)
{
    operator delete(scene.pointer, scene.stated_bytes, stated_alignment(scene));
    return nullptr;
}

static void *hit_delete_array_aligned_sized(scene &scene)
{
    operator delete[](scene.pointer, scene.stated_bytes, stated_alignment(scene));
    return nullptr;
}

const call calls[] = {
    {"free", malloc, free, hit_free},
    {"free_of_calloc", make_cleared, free, hit_free},
    {"free_of_realloc", make_grown, free, hit_free},
    {"free_of_posix_memalign", make_posix_aligned, free, hit_free},
    {"realloc_grow", malloc, free, hit_realloc_grow},
    {"realloc_shrink", malloc, free, hit_realloc_shrink},
    {"realloc_same", malloc, free, hit_realloc_same},
    {"reallocarray", malloc, free, hit_reallocarray},
    {"malloc_usable_size", malloc, free, hit_usable_size},
    {"cfree", malloc, free, hit_cfree},
    {"free_sized", malloc, free, hit_free_sized},
    {"free_aligned_sized", make_aligned, free, hit_free_aligned_sized},
    {"delete", make_new, end_new, hit_delete},
    {"delete_array", make_new_array, end_new_array, hit_delete_array},
    {"delete_nothrow", make_new, end_new, hit_delete_nothrow},
    {"delete_sized", make_new, end_new, hit_delete_sized},
    {"delete_array_sized", make_new_array, end_new_array, hit_delete_array_sized},
    {"delete_aligned", make_new_aligned, end_new_aligned, hit_delete_aligned},
    {"delete_array_aligned", make_new_array_aligned, end_new_array_aligned,
     hit_delete_array_aligned},
    {"delete_aligned_sized", make_new_aligned, end_new_aligned, hit_delete_aligned_sized},
    {"delete_array_aligned_sized", make_new_array_aligned, end_new_array_aligned,
     hit_delete_array_aligned_sized},
};
const size_t call_count = sizeof calls / sizeof *calls;

const call *find_call(const char *name)
{
    for (const call &one : calls)
        if (strcmp(one.name, name) == 0)
            return &one;
    return nullptr;
}
