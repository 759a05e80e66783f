#include "options_fixture.h"
#include "os_file.h"

#include <ucontext.h>

TEST(a_size_may_have_a_unit)
{
    sg_options_apply("dirty_bytes=3M:thread_cache_bytes=4096");
    EXPECT_EQUAL(sg_options.dirty_bytes, 3 << 20);
    EXPECT_EQUAL(sg_options.thread_cache_bytes, 4096);
    sg_options_apply("dirty_bytes=2K:thread_cache_bytes=1G");
    EXPECT_EQUAL(sg_options.dirty_bytes, 2 << 10);
    EXPECT_EQUAL(sg_options.thread_cache_bytes, 1 << 30);
}

static void expect_refused(const char *entry)
{
    char text[128];

    snprintf(text, sizeof(text), "dirty_bytes=77:canary=0:profile=fast:report=fd:5:%s:zero_check=1",
             entry);
    const char *said = said_to(text);
    if (lines_in(said) != 1 || strstr(said, "SPANGUARD_OPTIONS: option '") == NULL)
        printf("# %s: said %s\n", entry, said);
    EXPECT_EQUAL(lines_in(said), 1);
    EXPECT_SAID(said, "SPANGUARD_OPTIONS: option '");
    EXPECT_EQUAL(sg_options.dirty_bytes, 77);
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_EQUAL(sg_options.profile, PROFILE_FAST);
    EXPECT_EQUAL(sg_options.report, REPORT_TO_FD + 5);
    EXPECT_EQUAL(sg_options.zero_check, 1);
}

TEST(a_wrong_number_is_told_and_changes_nothing)
{
    static const char *const values[] = {
        "dirty_bytes=",     "dirty_bytes",      "dirty_bytes=-1",
        "dirty_bytes=12X",  "dirty_bytes=12KK", "dirty_bytes=99999999999999999999",
        "dirty_bytes=1T",   "dirty_bytes=K",    "dirty_bytes=18014398509481984K",
        "dirty_bytes= 5",   "dirty_bytes=1e3",  "dirty_bytes=2000000000000",
        "dirty_bytes=0x10", "dirty_bytes=1.5M", "dirty_bytes=1025G",
        "dirty_bytes=+5",   "dirty_bytes=5 ",   "dirty_bytes=12k",
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        expect_refused(values[i]);
}

TEST(a_wrong_word_is_told_and_changes_nothing)
{
    static const char *const values[] = {
        "canary=2",        "canary=",
        "canary",          "canary=yess",
        "canary=ON",       "profile=",
        "profile=hard",    "profile=hardened|strict",
        "profile=1",       "profile=Strict",
        "report=fd",       "report=fd:",
        "report=fd:x",     "report=fd:-1",
        "report=fd:65536", "report=stdout",
        "report=fd:4K",    "report=fd:18446744073709551615",
        "report=",
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        expect_refused(values[i]);
}

TEST(a_switch_has_three_words_for_each_state)
{
    static const char *const on[] = {"canary=1", "canary=on", "canary=yes"};
    static const char *const off[] = {"canary=0", "canary=off", "canary=no"};

    for (int i = 0; i < 3; i++) {
        EXPECT_SILENCE(said_to(off[i]));
        EXPECT_EQUAL(sg_options.canary, 0);
        EXPECT_SILENCE(said_to(on[i]));
        EXPECT_EQUAL(sg_options.canary, 1);
    }
}

TEST(a_choice_is_one_of_its_names)
{
    EXPECT_SILENCE(said_to("pool=system"));
    EXPECT_EQUAL(sg_options.pool, POOL_SYSTEM);
    EXPECT_SILENCE(said_to("pool=three-tier"));
    EXPECT_EQUAL(sg_options.pool, POOL_THREE_TIER);
    EXPECT_SILENCE(said_to("pool=guarded"));
    EXPECT_EQUAL(sg_options.pool, POOL_GUARDED);
}

TEST(a_report_goes_to_stderr_the_journal_or_a_descriptor)
{
    EXPECT_SILENCE(said_to("report=journal"));
    EXPECT_EQUAL(sg_options.report, REPORT_TO_JOURNAL);
    EXPECT_SILENCE(said_to("report=fd:7:canary=0"));
    EXPECT_EQUAL(sg_options.report, REPORT_TO_FD + 7);
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_SILENCE(said_to("canary=0:report=fd:65535"));
    EXPECT_EQUAL(sg_options.report, REPORT_TO_FD + 65535);
    EXPECT_SILENCE(said_to("report=stderr"));
    EXPECT_EQUAL(sg_options.report, REPORT_TO_STDERR);
}

TEST(every_option_takes_the_ends_of_its_range_and_says_them_as_it_reads_them)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &sg_option_table[i];

        for (uint64_t n = 0; n < 2; n++) {
            char buffer[64];
            struct text text = sg_text_begin(buffer, sizeof(buffer));
            uint64_t end = n == 0 ? option->min : option->max, value = ~end;

            sg_option_say_value(&text, option, end);
            EXPECT(sg_option_parse(option, word_of(buffer), &value));
            EXPECT_EQUAL(value, end);
        }
    }
}

TEST(every_number_refuses_what_lies_beyond_its_range)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &sg_option_table[i];
        char text[32];
        uint64_t value;

        if (option->kind != KIND_NUMBER)
            continue;
        snprintf(text, sizeof(text), "%llu", (unsigned long long)option->max + 1);
        EXPECT(!sg_option_parse(option, word_of(text), &value));
        snprintf(text, sizeof(text), "%llu", (unsigned long long)option->min - 1);
        EXPECT(!sg_option_parse(option, word_of(text), &value));
    }
    EXPECT_SILENCE(said_to("guard_pages=1"));
    EXPECT_SAID(said_to("guard_pages=65"), "is not a number from 0 to 64");
}

TEST(entries_after_a_wrong_one_count)
{
    EXPECT_EQUAL(lines_in(said_to("nonsense=1::=:dirty_bytes=5")), 2);
    EXPECT_EQUAL(sg_options.dirty_bytes, 5);
}

TEST(the_last_of_two_entries_counts)
{
    EXPECT_SILENCE(said_to("dirty_bytes=5:dirty_bytes=6"));
    EXPECT_EQUAL(sg_options.dirty_bytes, 6);
}

static void expect_profile(enum profile profile, size_t except)
{
    union option_values values = {.named = sg_options};

    for (size_t i = 1; i < OPTION_COUNT; i++)
        if (i != except && values.each[i] != sg_option_table[i].profiles[profile]) {
            printf("# profile %d: %s\n", profile, sg_option_table[i].name);
            EXPECT_EQUAL(values.each[i], sg_option_table[i].profiles[profile]);
        }
    EXPECT_EQUAL(sg_options.profile, profile);
}

TEST(without_any_source_the_values_are_those_of_hardened)
{
    static const struct options built_in = {
#define OPTION(name_, kind, stronger, fast, hardened, strict, min, max, choices, help)             \
    .name_ = (hardened),
#include "options.def"
#undef OPTION
    };

    EXPECT_SILENCE(said_to("profile=fast:dirty_bytes=1"));
    EXPECT_SILENCE(said_to(NULL));
    EXPECT(memcmp(&sg_options, &built_in, sizeof(built_in)) == 0);
    expect_profile(PROFILE_HARDENED, 0);
    EXPECT_EQUAL(sg_options.zero_bytes, 256);
}

TEST(a_profile_sets_what_nobody_set_wherever_it_stands)
{
    EXPECT_SILENCE(said_to("profile=fast"));
    expect_profile(PROFILE_FAST, 0);
    EXPECT_SILENCE(said_to("profile=strict"));
    expect_profile(PROFILE_STRICT, 0);
    EXPECT_SILENCE(said_to("zero_bytes=3:profile=strict"));
    expect_profile(PROFILE_STRICT, OPTION_INDEX(zero_bytes));
    EXPECT_EQUAL(sg_options.zero_bytes, 3);
    EXPECT_SILENCE(said_to("profile=fast:zero_bytes=3"));
    expect_profile(PROFILE_FAST, OPTION_INDEX(zero_bytes));
    EXPECT_EQUAL(sg_options.zero_bytes, 3);
}

/* Else a lock on `hardened` would refuse `strict`, or let it weaken something. */
TEST(each_profile_is_at_least_as_strong_as_the_one_before)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &sg_option_table[i];

        EXPECT(sg_option_is_as_strong(option, option->profiles[1], option->profiles[0]));
        EXPECT(sg_option_is_as_strong(option, option->profiles[2], option->profiles[1]));
    }
}

TEST(a_misspelling_is_answered_with_the_name)
{
    EXPECT_SAID(said_to("canry=1"), "unknown option 'canry', did you mean 'canary'?");
    EXPECT_SAID(said_to("quarantine_byte=1"), "did you mean 'quarantine_bytes'?");
    EXPECT_SAID(said_to("Profile=fast"), "did you mean 'profile'?");
    EXPECT(strstr(said_to("zzzzzzzz=1"), "did you mean") == NULL);
    EXPECT_SAID(said_to("zzzzzzzz=1"), "SPANGUARD_OPTIONS: unknown option 'zzzzzzzz'\n");
}

TEST(what_is_quoted_is_one_short_printable_line)
{
    static char text[100002];

    EXPECT_SAID(said_to("a\nb\x1b[31m\xff=1"), "'a?b?[31m?'");
    memset(text, 'x', sizeof(text) - 3);
    memcpy(text + sizeof(text) - 3, "=1", 3);
    const char *said = said_to(text);
    EXPECT_SAID(said, "xxx...'");
    EXPECT(strlen(said) < 200);
}

TEST(of_many_mistakes_only_the_first_are_told)
{
    char text[2048] = "";

    for (int i = 0; i < 100; i++)
        strcat(text, "bogus=1:");
    strcat(text, "dirty_bytes=9");
    const char *said = said_to(text);
    EXPECT_EQUAL(lines_in(said), 21);
    EXPECT_SAID(said, "further mistakes are not told");
    EXPECT_EQUAL(sg_options.dirty_bytes, 9);
}

TEST(the_environment_beats_the_program)
{
    const struct options_sources sources = {.folder = NOWHERE,
                                            .program = "dirty_bytes=1:canary=0",
                                            .environment = "dirty_bytes=2:zero_check=0"};

    EXPECT_SILENCE(said_by(&sources));
    EXPECT_EQUAL(sg_options.dirty_bytes, 2);
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_EQUAL(sg_options.zero_check, 0);
}

TEST(neither_counts_where_the_kernel_distrusts_the_caller)
{
    EXPECT_SILENCE(said_by(&(struct options_sources){.folder = NOWHERE,
                                                     .is_secure = true,
                                                     .program = "canary=0:bogus=1",
                                                     .environment = "help=1:zero_check=0"}));
    expect_profile(PROFILE_HARDENED, 0);
}

TEST(help_names_each_option_with_value_origin_and_range)
{
    const char *said = said_by(&(struct options_sources){
        .folder = NOWHERE, .program = "zero_bytes=9", .environment = "help=1:report=fd:3"});

    EXPECT_EQUAL(lines_in(said), OPTION_COUNT);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        EXPECT(strstr(said, sg_option_table[i].name) != NULL);
        EXPECT(strstr(said, sg_option_table[i].help) != NULL);
    }
    EXPECT_SAID(said, "\nzero_bytes=9  (from spanguard_options of the program)  "
                      "[0 to 1099511627776]  free blocks up to this size");
    EXPECT_SAID(said, "\nreport=fd:3  (from SPANGUARD_OPTIONS)  [stderr|journal|fd:N]  ");
    EXPECT_SAID(said, "profile=hardened  (built-in)  [fast|hardened|strict|debug|guard]  ");
    EXPECT_SAID(said, "\ncanary=1  (profile hardened)  [0|1]  ");
    EXPECT_SAID(said, "\ndirty_bytes=131072  (built-in)  ");
    EXPECT_SAID(said_to("help=yes:profile=strict"), "\nzero_bytes=1073741824  (profile strict)  ");
    EXPECT_SILENCE(said_to("help=0"));
    EXPECT_SAID(said_to("help=maybe"), "option 'help': 'maybe' is not one of 0|1");
    EXPECT_SAID(said_to("lock=1"), "option 'lock' counts in files only");
}

TEST(profiles_of_the_debug_library_are_refused_here)
{
    EXPECT_SAID(said_to("profile=debug"),
                "SPANGUARD_OPTIONS: this profile needs libspanguard-debug.so");
    EXPECT_EQUAL(sg_options.profile, PROFILE_HARDENED);
    EXPECT_EQUAL(sg_options.canary, 1);
    EXPECT_SAID(said_to("profile=guard:canary=0"), "this profile needs libspanguard-debug.so");
    EXPECT_EQUAL(sg_options.profile, PROFILE_HARDENED);
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_SAID(said_to("1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:profile=guard"),
                "SPANGUARD_OPTIONS: this profile needs libspanguard-debug.so");
}

/* The first malloc may come before libc has set environ, and after a program has emptied it. */
TEST(the_environment_is_read_where_the_kernel_put_it)
{
    char **kept = environ;

    setenv("SG_TEST_LATER", "1", 1);
    EXPECT(sg_os_environment("SG_TEST_LATER") == NULL);
    const char *path = getenv("PATH");
    environ = NULL;
    const char *found = sg_os_environment("PATH");
    environ = kept;
    EXPECT(path != NULL && found != NULL && strcmp(path, found) == 0);
    EXPECT(sg_os_environment("PAT") == NULL);
}

static ucontext_t back;
static struct config config;

static void load_everything(void)
{
    struct options_sources sources = config_sources(&config);

    sources.environment = "help=1:bogus=1:canary=x:canary=0";
    sg_options_load_from(&sources);
}

TEST(a_load_needs_less_than_8_KiB_of_stack)
{
    static alignas(64) unsigned char stack[64 << 10];
    int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    ucontext_t there;
    size_t untouched = 0;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "lock=1\nbogus=1\n[exe:x]\n[bad\n");
    config_write(&config, "spanguard.conf.d/a.conf", "[exe:x]\n[bad\n[exe:options_test]\ncanry=1");
    memset(stack, 0xa5, sizeof(stack));
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof(stack);
    there.uc_link = &back;
    makecontext(&there, load_everything, 0);
    dup2(null, STDERR_FILENO);
    swapcontext(&back, &there);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(null);
    config_end(&config);
    while (untouched < sizeof(stack) && stack[untouched] == 0xa5)
        untouched++;
    printf("# %zu bytes of stack\n", sizeof(stack) - untouched);
    EXPECT(untouched < sizeof(stack) && sizeof(stack) - untouched < 8192);
}
