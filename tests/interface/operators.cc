// C++: 8 ways to make, 12 to end, alignment, failure and the new-handler.
#include "check.h"

#include <csetjmp>
#include <cstdint>
#include <dlfcn.h>
#include <new>
#include <sys/resource.h>

static const char *const makers[] = {
    "_Znwm",
    "_Znam",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
};

static const char *const enders[] = {
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t",
    "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

static bool from_preload(const char *name)
{
    Dl_info info;
    void *function = dlsym(RTLD_DEFAULT, name);

    if (function == nullptr || dladdr(function, &info) == 0)
        return false;
    char *found = realpath(info.dli_fname, nullptr);
    char *preload = realpath(getenv("CHECK_PRELOAD"), nullptr);
    bool same = found != nullptr && preload != nullptr && strcmp(found, preload) == 0;
    free(found);
    free(preload);
    return same;
}

TEST(all_8_news_and_12_deletes_resolve_to_the_library)
{
    NOT_OVER_GLIBC();
    for (const char *name : makers)
        if (!EXPECT(from_preload(name)))
            check_say("#   for %s\n", name);
    for (const char *name : enders)
        if (!EXPECT(from_preload(name)))
            check_say("#   for %s\n", name);
}

static const size_t sizes[] = {0, 1, 16, 17, 100, 1024, 5000, 65536, 262145, 3 << 20};

static void *filled(void *block, size_t bytes)
{
    EXPECT(block != nullptr);
    EXPECT_EQUAL((uintptr_t)block % 16, 0);
    memset(block, 0x33, bytes);
    return block;
}

TEST(every_plain_new_goes_with_every_plain_delete)
{
    for (size_t bytes : sizes) {
        for (int how = 0; how < 2; how++) {
            auto make = [&] {
                return filled(how ? operator new(bytes) : operator new(bytes, std::nothrow), bytes);
            };
            auto make_array = [&] {
                return filled(how ? operator new[](bytes) : operator new[](bytes, std::nothrow),
                              bytes);
            };
            operator delete(make());
            operator delete(make(), bytes);
            operator delete(make(), std::nothrow);
            operator delete[](make_array());
            operator delete[](make_array(), bytes);
            operator delete[](make_array(), std::nothrow);
        }
    }
}

static void *aligned_filled(void *block, size_t bytes, std::align_val_t alignment)
{
    EXPECT_EQUAL((uintptr_t)block % (size_t)alignment, 0);
    return filled(block, bytes);
}

static void round_of_aligned(size_t bytes, std::align_val_t to, bool nothrow)
{
    auto make = [&] {
        return aligned_filled(
            nothrow ? operator new(bytes, to, std::nothrow) : operator new(bytes, to), bytes, to);
    };
    auto make_array = [&] {
        return aligned_filled(
            nothrow ? operator new[](bytes, to, std::nothrow) : operator new[](bytes, to), bytes,
            to);
    };
    operator delete(make(), to);
    operator delete(make(), bytes, to);
    operator delete(make(), to, std::nothrow);
    operator delete[](make_array(), to);
    operator delete[](make_array(), bytes, to);
    operator delete[](make_array(), to, std::nothrow);
}

TEST(every_aligned_new_is_aligned_and_goes_with_every_aligned_delete)
{
    for (size_t bytes : sizes)
        for (size_t alignment = 16; alignment <= 1 << 20; alignment *= 4)
            for (int nothrow = 0; nothrow < 2; nothrow++)
                round_of_aligned(bytes, std::align_val_t(alignment), nothrow);
}

TEST(new_of_zero_bytes_gives_distinct_blocks)
{
    void *first = operator new(opaque(0)), *second = operator new(opaque(0));

    EXPECT(first != nullptr && second != nullptr && first != second);
    operator delete(first);
    operator delete(second);
}

TEST(delete_of_NULL_does_nothing)
{
    void *volatile nothing = nullptr;

    operator delete(nothing);
    operator delete[](nothing);
    operator delete(nothing, opaque(77));
    operator delete[](nothing, opaque(77), std::align_val_t(64));
}

static const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 64, PTRDIFF_MAX, (size_t)1 << 62};

template <typename call> static bool throws_bad_alloc(call make)
{
    try {
        make();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

// libstdc++ rounds the size of an aligned new up without looking: these become 0 there.
static bool libstdcxx_wraps(size_t bytes)
{
    return !under_preload() && bytes >= SIZE_MAX - 64;
}

TEST(new_that_fails_throws_bad_alloc)
{
    for (size_t bytes : impossible) {
        bytes = opaque(bytes);
        EXPECT(throws_bad_alloc([&] { return operator new(bytes); }));
        EXPECT(throws_bad_alloc([&] { return operator new[](bytes); }));
        if (libstdcxx_wraps(bytes))
            continue;
        EXPECT(throws_bad_alloc([&] { return operator new(bytes, std::align_val_t(64)); }));
        EXPECT(throws_bad_alloc([&] { return operator new[](bytes, std::align_val_t(64)); }));
    }
}

TEST(nothrow_new_that_fails_returns_NULL)
{
    std::align_val_t to{64};

    for (size_t bytes : impossible) {
        bytes = opaque(bytes);
        EXPECT(operator new(bytes, std::nothrow) == nullptr);
        EXPECT(operator new[](bytes, std::nothrow) == nullptr);
        if (libstdcxx_wraps(bytes))
            continue;
        EXPECT(operator new(bytes, to, std::nothrow) == nullptr);
        EXPECT(operator new[](bytes, to, std::nothrow) == nullptr);
    }
}

static int handler_calls;

static void give_up_at_the_third_call()
{
    if (++handler_calls == 3)
        std::set_new_handler(nullptr);
}

TEST(the_new_handler_is_called_until_there_is_none)
{
    size_t bytes = opaque(PTRDIFF_MAX);

    for (int how = 0; how < 4; how++) {
        handler_calls = 0;
        std::set_new_handler(give_up_at_the_third_call);
        if (how == 0)
            EXPECT(throws_bad_alloc([&] { return operator new(bytes); }));
        else if (how == 1)
            EXPECT(throws_bad_alloc([&] { return operator new[](bytes, std::align_val_t(32)); }));
        else if (how == 2)
            EXPECT(operator new(bytes, std::nothrow) == nullptr);
        else
            EXPECT(operator new[](bytes, std::align_val_t(32), std::nothrow) == nullptr);
        EXPECT_EQUAL(handler_calls, 3);
    }
    std::set_new_handler(nullptr);
}

struct own_failure : std::bad_alloc {
};

static void throw_own_failure()
{
    handler_calls++;
    throw own_failure();
}

TEST(what_the_new_handler_throws_reaches_the_caller_and_nothrow_catches_it)
{
    size_t bytes = opaque(PTRDIFF_MAX);
    bool caught = false;

    handler_calls = 0;
    std::set_new_handler(throw_own_failure);
    try {
        EXPECT(operator new(bytes) == nullptr);
    } catch (const own_failure &) {
        caught = true;
    }
    EXPECT(caught);
    EXPECT(operator new(bytes, std::nothrow) == nullptr);
    EXPECT_EQUAL(handler_calls, 2);
    std::set_new_handler(nullptr);
}

enum : size_t { RESERVE_BYTES = 512 << 20, WANTED_BYTES = 300 << 20, SPARE_BYTES = 100 << 20 };
static void *reserve;

static void free_the_reserve()
{
    handler_calls++;
    free(reserve);
    if (reserve == nullptr)
        std::set_new_handler(nullptr);
    reserve = nullptr;
}

static size_t mapped_bytes()
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == nullptr || fscanf(file, "%ld", &pages) != 1)
        return 0;
    fclose(file);
    return (size_t)pages * 4096;
}

TEST(the_new_handler_can_free_memory_and_new_then_succeeds)
{
    struct rlimit old, tight;
    void *block = nullptr;

    reserve = malloc(RESERVE_BYTES);
    getrlimit(RLIMIT_AS, &old);
    tight = old;
    tight.rlim_cur = mapped_bytes() + SPARE_BYTES;
    handler_calls = 0;
    std::set_new_handler(free_the_reserve);
    setrlimit(RLIMIT_AS, &tight);
    try {
        block = operator new(WANTED_BYTES);
    } catch (const std::bad_alloc &) {
    }
    setrlimit(RLIMIT_AS, &old);
    std::set_new_handler(nullptr);
    EXPECT(block != nullptr);
    EXPECT_EQUAL(handler_calls, 1);
    operator delete(block);
}

static jmp_buf way_out;

static void jump_out()
{
    longjmp(way_out, 1);
}

TEST(a_longjmp_out_of_the_new_handler_leaves_the_heap_usable)
{
    volatile int jumps = 0;

    std::set_new_handler(jump_out);
    while (jumps < 100) {
        if (setjmp(way_out) == 0)
            EXPECT(operator new(opaque(PTRDIFF_MAX)) == nullptr);
        jumps++;
        for (size_t bytes : sizes)
            free(malloc(bytes));
    }
    std::set_new_handler(nullptr);
    EXPECT(throws_bad_alloc([] { return operator new(opaque(PTRDIFF_MAX)); }));
}

struct alignas(256) wide {
    char bytes[300];
};

TEST(new_expressions_of_overaligned_types_are_aligned)
{
    for (size_t count = 1; count < 50; count++) {
        wide *one = new wide, *many = new wide[count];

        EXPECT_EQUAL((uintptr_t)one % 256, 0);
        EXPECT_EQUAL((uintptr_t)many % 256, 0);
        delete one;
        delete[] many;
    }
}
