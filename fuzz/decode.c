/* Prints an input as a C program that makes the same calls of the public interface.
 *
 *   fuzz_decode FILE >program.c
 *   cc -fno-builtin program.c libspanguard-debug.so && SPANGUARD_OPTIONS=... ./a.out
 *
 * The options are in its first line; what the harness alone can check is a comment. */
#include "ops.h"
#include "slot.h"

#include <stdio.h>
#include <string.h>

static const char preamble[] =
    "#include <assert.h>\n"
    "#include <malloc.h>\n"
    "#include <stdint.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "\n"
    "void *_Znwm(size_t), *_Znam(size_t); /* operator new, new[] */\n"
    "void _ZdlPv(void *), _ZdaPv(void *), _ZdlPvm(void *, size_t), _ZdaPvm(void *, size_t);\n"
    "void free_sized(void *, size_t), free_aligned_sized(void *, size_t, size_t);\n"
    "\n"
    "static void *volatile b[64], *volatile burst[1024];\n"
    "\n"
    "int main(void)\n"
    "{\n"
    "    void *old;\n"
    "\n"
    "    (void)old;\n";

/* Impossible sizes cannot be asked for by new: it would throw. */
static const char *maker_function(const struct call *call)
{
    if (call->kind == CALL_CALLOC)
        return "calloc(1, ";
    if (call->maker == SLOT_LIVE_NEW && !call->must_fail)
        return "_Znwm(";
    if (call->maker == SLOT_LIVE_NEW_ARRAY && !call->must_fail)
        return "_Znam(";
    return "malloc(";
}

static void print_aligned(const struct call *call)
{
    if (call->variant == 1 && call->alignment >= sizeof(void *))
        printf("    old = NULL, (void)posix_memalign(&old, %#zx, %zu), b[%u] = old;\n",
               call->alignment, call->bytes, call->slot);
    else if (call->variant == 2 && call->alignment == 4096)
        printf("    b[%u] = valloc(%zu);\n", call->slot, call->bytes);
    else
        printf("    b[%u] = %s(%#zx, %zu);\n", call->slot,
               call->variant == 2 ? "memalign" : "aligned_alloc", call->alignment, call->bytes);
}

static void print_make(const struct call *call)
{
    if (call->variant == 3 && (call->kind == CALL_ALIGNED || call->kind == CALL_CALLOC))
        printf("    /* the harness also tries %s that must be refused */\n",
               call->kind == CALL_CALLOC ? "a product" : "alignments");
    if (call->kind == CALL_ALIGNED)
        print_aligned(call);
    else if (call->kind == CALL_CALLOC && call->variant == 1)
        printf("    b[%u] = calloc(%zu, 1);\n", call->slot, call->bytes);
    else
        printf("    b[%u] = %s%zu);\n", call->slot, maker_function(call), call->bytes);
    if (call->must_fail)
        printf("    assert(b[%u] == NULL);\n", call->slot);
    else if (call->bytes > 0)
        printf("    memset(b[%u], %u, %zu);\n", call->slot, call->slot + 1, call->bytes);
}

static void print_realloc(const struct call *call)
{
    if (call->must_fail) {
        printf("    old = realloc(b[%u], %zu);\n    assert(old == NULL);\n", call->slot,
               call->bytes);
        return;
    }
    printf("    b[%u] = %s(b[%u], %zu%s);\n", call->slot,
           call->variant == 1 ? "reallocarray" : "realloc", call->slot, call->bytes,
           call->variant == 1 ? ", 1" : "");
    printf("    memset(b[%u], %u, %zu);\n", call->slot, call->slot + 1, call->bytes);
}

static void print_free(const struct call *call)
{
    bool is_new = call->maker == SLOT_LIVE_NEW;
    bool is_new_array = call->maker == SLOT_LIVE_NEW_ARRAY;

    printf("    old = b[%u], b[%u] = NULL;\n", call->slot, call->slot);
    if (call->kind == CALL_FREE && call->maker == SLOT_LIVE_MALLOC && call->variant == 2)
        printf("    old = realloc(old, 0);\n");
    else if (call->kind == CALL_FREE)
        printf("    %s(old);\n", is_new ? "_ZdlPv" : is_new_array ? "_ZdaPv" : "free");
    else if (call->alignment != 0)
        printf("    free_aligned_sized(old, %#zx, %zu);\n", call->alignment, call->bytes);
    else
        printf("    %s(old, %zu);\n",
               is_new         ? "_ZdlPvm"
               : is_new_array ? "_ZdaPvm"
                              : "free_sized",
               call->bytes);
}

static void print_burst(const struct call *call)
{
    printf("    for (int i = 0; i < %u; i++)\n        burst[i] = malloc(%zu);\n", call->count,
           call->bytes);
    if (call->order == BURST_DOWNWARDS)
        printf("    for (int i = %u; i-- > 0;)\n        free(burst[i]);\n", call->count);
    else if (call->order == BURST_UPWARDS)
        printf("    for (int i = 0; i < %u; i++)\n        free(burst[i]);\n", call->count);
    else
        for (int from = 0; from < 2; from++)
            printf("    for (int i = %d; i < %u; i += 2)\n        free(burst[i]);\n", from,
                   call->count);
}

static void print_call(const struct call *call)
{
    switch (call->kind) {
    case CALL_MALLOC:
    case CALL_CALLOC:
    case CALL_ALIGNED:
        print_make(call);
        return;
    case CALL_REALLOC:
        print_realloc(call);
        return;
    case CALL_FREE:
    case CALL_FREE_STATED:
        print_free(call);
        return;
    case CALL_USABLE:
        printf("    memset(b[%u], %u, malloc_usable_size(b[%u]));\n", call->slot, call->slot + 1,
               call->slot);
        return;
    case CALL_TRIM:
        printf("    malloc_trim(%zu);\n", call->bytes);
        return;
    case CALL_VERIFY:
    case CALL_STATISTICS:
        printf("    /* the harness compares %s with its model */\n",
               call->kind == CALL_VERIFY ? "contents" : "statistics");
        return;
    case CALL_BURST:
        print_burst(call);
        return;
    }
}

int main(int count, char **arguments)
{
    static uint8_t bytes[OPS_INPUT_BYTES_MAX];
    static struct plan plan;
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    struct tuning tuning;
    struct call call;

    if (file == NULL) {
        fprintf(stderr, "usage: decode FILE\n");
        return 2;
    }
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    if (ferror(file) != 0) {
        fprintf(stderr, "decode: %s cannot be read\n", arguments[1]);
        return 1;
    }
    fclose(file);
    plan_start(&plan, bytes, size);
    tuning_read(&tuning, bytes, size);
    printf("/* SPANGUARD_OPTIONS=%s */\n%s", tuning.options, preamble);
    while (plan_next(&plan, &call))
        print_call(&call);
    printf("    return 0;\n}\n");
    return 0;
}
