/* Suppressions, against one stack: which lines name it. */
#include "bug_fixture.h"
#include "leak_state.h"

static bool is_suppressed(const char *suppressions)
{
    new_bug(BUG_LEAK);
    bug.leak_count = 1;
    add(&bug.leaks[0].stack, "grow_table", "src/table.c", 12);
    add_bare(&bug.leaks[0].stack, 1, 0x1234);
    add_bare(&bug.leaks[0].stack, BUG_NO_MODULE, 0x99);
    add(&bug.leaks[0].stack, "", "", 0);
    return sg_leak_is_suppressed(&bug, &bug.leaks[0].stack, suppressions);
}

TEST(a_pattern_names_functions_files_and_modules)
{
    static const char *const lines[] = {
        "leak:grow_table\n",    "leak:w_t",         "leak:^grow",          "leak:table$",
        "leak:^grow_table$",    "leak:gr*le",       "leak:g*w*e$",         "leak:table.c",
        "leak:^src/*.c$",       "leak:libthing.so", "leak:^/usr/*thing*2", " \tleak:grow \t\r\n",
        "leak:x\nleak:grow",    "leak:*",           "leak:grow*",          "leak:^*e$",
        "leak:a*b\n\nleak:ow_",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!is_suppressed(lines[i]))
            printf("# %s\n", lines[i]);
        EXPECT(is_suppressed(lines[i]));
    }
}

TEST(a_pattern_that_names_something_else_does_not_suppress)
{
    static const char *const lines[] = {
        "",
        "\n\n",
        "leak:",
        "leak:\nleak: \t\n",
        "# leak:grow",
        "race:grow",
        "grow",
        "leak",
        "leak:^table",
        "leak:grow$",
        "leak:^row",
        "leak:gr*w_tablet",
        "leak:g*x",
        "leak:^g*w$",
        "leak:libother",
        "leak:$",
        "leak:GROW",
        "leak:grow table",
        "xleak:grow",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (is_suppressed(lines[i]))
            printf("# %s\n", lines[i]);
        EXPECT(!is_suppressed(lines[i]));
    }
}

TEST(names_are_needed_unless_all_patterns_name_libraries)
{
    EXPECT(!sg_leak_needs_names(""));
    EXPECT(!sg_leak_needs_names("# words\nleak:libthing.so\nleak:^/usr/lib/*.so.2$"));
    EXPECT(sg_leak_needs_names("leak:libthing.so\nleak:grow"));
    EXPECT(sg_leak_needs_names("leak:s"));
}
