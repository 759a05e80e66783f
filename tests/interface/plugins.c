/* dlopen under the library: whoever interposes it must keep the caller's RUNPATH, $ORIGIN and
 * dlerror, and a plugin that is opened with RTLD_DEEPBIND must still share the heap.
 * The runner lays out:  plugins (RUNPATH $ORIGIN/near)   near/libnear.so
 *                       libopener.so (RUNPATH $ORIGIN/far)   far/libfar.so */
#include "check.h"

#include <dlfcn.h>

void *opener_open(const char *name, int flags);

struct plugin {
    void *handle;
    char *(*make)(size_t), *(*print)(int), *(*resize)(char *, size_t);
    void (*take)(void *);
};

static bool plugin_load(struct plugin *plugin, void *handle)
{
    plugin->handle = handle;
    if (handle == NULL) {
        check_say("# dlopen: %s\n", dlerror());
        return false;
    }
    *(void **)&plugin->make = dlsym(handle, "plugin_make");
    *(void **)&plugin->print = dlsym(handle, "plugin_print");
    *(void **)&plugin->resize = dlsym(handle, "plugin_resize");
    *(void **)&plugin->take = dlsym(handle, "plugin_take");
    return plugin->make && plugin->print && plugin->resize && plugin->take;
}

/* Blocks cross between program, plugin and libc in every direction. */
static void expect_one_heap(void *handle)
{
    struct plugin plugin;

    if (!EXPECT(plugin_load(&plugin, handle)))
        return;
    for (size_t bytes = 1; bytes < 600000; bytes = bytes * 2 + 7) {
        char *block = plugin.make(bytes);

        EXPECT(block[0] == 'p' && block[bytes - 1] == 'p');
        free(block);
        plugin.take(malloc(bytes));
        free(plugin.resize(malloc(bytes), bytes * 3));
        plugin.take(realloc(plugin.make(bytes), bytes * 3));
        plugin.take(strdup("made inside libc"));
        free(plugin.print((int)bytes));
    }
    EXPECT_EQUAL(dlclose(plugin.handle), 0);
}

TEST(a_plugin_opened_lazily_shares_the_heap)
{
    expect_one_heap(dlopen("./near/libnear.so", RTLD_LAZY));
}

TEST(a_plugin_opened_now_shares_the_heap)
{
    expect_one_heap(dlopen("./near/libnear.so", RTLD_NOW | RTLD_LOCAL));
}

TEST(a_plugin_opened_with_RTLD_DEEPBIND_shares_the_heap)
{
    expect_one_heap(dlopen("./near/libdeep.so", RTLD_NOW | RTLD_DEEPBIND));
    expect_one_heap(dlopen("./near/libdeep.so", RTLD_LAZY | RTLD_DEEPBIND | RTLD_GLOBAL));
}

TEST(a_plugin_is_found_through_the_programs_RUNPATH)
{
    expect_one_heap(dlopen("libnear.so", RTLD_NOW));
}

TEST(a_plugin_is_found_through_the_RUNPATH_of_the_library_that_opens_it)
{
    expect_one_heap(opener_open("libfar.so", RTLD_NOW));
}

TEST(a_deepbound_plugin_is_found_through_the_callers_RUNPATH)
{
    expect_one_heap(dlopen("libdeep.so", RTLD_NOW | RTLD_DEEPBIND));
    expect_one_heap(opener_open("libfardeep.so", RTLD_NOW | RTLD_DEEPBIND));
}

TEST(one_caller_does_not_search_the_RUNPATH_of_another)
{
    EXPECT(opener_open("libnear.so", RTLD_NOW) == NULL);
}

TEST(ORIGIN_in_a_name_is_the_callers_folder)
{
    expect_one_heap(dlopen("$ORIGIN/near/libnear.so", RTLD_NOW));
}

TEST(dlerror_tells_why_dlopen_failed)
{
    const char *why;

    dlerror();
    EXPECT(dlopen("libthere-is-none.so", RTLD_NOW) == NULL);
    why = dlerror();
    EXPECT(why != NULL && strstr(why, "libthere-is-none.so") != NULL);
    EXPECT(dlerror() == NULL);
}

TEST(the_other_forms_of_dlopen_work)
{
    void *program = dlopen(NULL, RTLD_NOW);
    void *apart = dlmopen(LM_ID_BASE, "./near/libnear.so", RTLD_NOW);

    EXPECT(program != NULL && dlsym(program, "malloc") != NULL);
    EXPECT(apart != NULL);
    EXPECT(dlopen("libnot-loaded.so", RTLD_NOW | RTLD_NOLOAD) == NULL);
    if (apart != NULL)
        dlclose(apart);
    dlclose(program);
}

TEST(plugins_come_and_go)
{
    for (int i = 0; i < 100; i++) {
        void *handle = dlopen(i % 2 ? "libnear.so" : "./near/libdeep.so",
                              i % 2 ? RTLD_LAZY : RTLD_NOW | RTLD_DEEPBIND);

        if (!EXPECT(handle != NULL))
            return;
        EXPECT_EQUAL(dlclose(handle), 0);
    }
}
