/* What protects the settings: who may have written the files, and what a lock refuses. */
#include "options_fixture.h"

TEST(no_file_is_no_mistake)
{
    struct config config;

    EXPECT_SILENCE(said_to(NULL));
    config_begin(&config);
    EXPECT_SILENCE(config_said(&config, NULL));
    config_end(&config);
}

static void expect_ignored(const struct config *config, const char *reason)
{
    const char *said = config_said(config, NULL);

    EXPECT_EQUAL(lines_in(said), 1);
    if (strstr(said, reason) == NULL)
        printf("# %s: said %s\n", reason, said);
    EXPECT(strstr(said, reason) != NULL);
    EXPECT_EQUAL(sg_options.canary, 1);
}

TEST(a_file_of_another_user_is_ignored)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "canary = 0\n");
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.canary, 0);

    struct options_sources sources = config_sources(&config);
    sources.owner = geteuid() + 1;
    const char *said = said_by(&sources); /* the folder is another's as well */
    EXPECT_EQUAL(lines_in(said), 2);
    EXPECT_SAID(said, "spanguard.conf: ignored, it is not owned by root\n");
    EXPECT_SAID(said, "spanguard.conf.d: ignored, it is not owned by root\n");
    EXPECT_EQUAL(sg_options.canary, 1);
    config_end(&config);
}

TEST(a_file_that_others_may_write_is_ignored)
{
    static const mode_t modes[] = {0664, 0646, 0666, 0622, 01777};
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf.d/a.conf", "canary = 0\n");
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        EXPECT(chmod(config_path(&config, "spanguard.conf.d/a.conf"), modes[i]) == 0);
        expect_ignored(&config, "a.conf: ignored, it is writable by others than its owner\n");
    }
    EXPECT(chmod(config_path(&config, "spanguard.conf.d/a.conf"), 0600) == 0);
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.canary, 0);
    config_end(&config);
}

TEST(a_folder_that_others_may_write_is_ignored)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf.d/a.conf", "canary = 0\n");
    EXPECT(chmod(config_path(&config, "spanguard.conf.d"), 0777) == 0);
    expect_ignored(&config, "conf.d: ignored, it is writable by others than its owner\n");
    config_end(&config);
}

TEST(a_file_may_have_64_KiB_and_no_byte_more)
{
    static char text[(64 << 10) + 1];
    struct config config;

    config_begin(&config);
    memset(text, '\n', sizeof(text));
    memcpy(text + sizeof(text) - 12, "canary = 0\n\n", 12);
    config_write_bytes(&config, "spanguard.conf", (struct word){text, sizeof(text) - 1});
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.canary, 0);
    config_write_bytes(&config, "spanguard.conf", (struct word){text, sizeof(text)});
    expect_ignored(&config, "spanguard.conf: ignored, it has more than 64 KiB\n");
    config_end(&config);
}

/* As one that grows while it is read: the kernel calls its size 0. */
TEST(a_file_longer_than_its_size_says_is_ignored)
{
    enum { PAGES = 3000, PAGE = 64 << 10 };
    struct config config;
    char *pages = mmap(NULL, (size_t)PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(pages != MAP_FAILED);
    for (size_t i = 0; i < PAGES && pages != MAP_FAILED; i += 2)
        EXPECT(mprotect(pages + i * PAGE, PAGE, PROT_READ) == 0);
    config_begin(&config);
    EXPECT(symlink("/proc/self/maps", config_path(&config, "spanguard.conf")) == 0);
    expect_ignored(&config, "spanguard.conf: ignored, it has more than 64 KiB\n");
    config_end(&config);
    munmap(pages, (size_t)PAGES * PAGE);
}

TEST(links_to_devices_and_other_things_are_ignored)
{
    static const char reason[] = "spanguard.conf: ignored, it is no regular file\n";
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/tty", "/"};
    struct config config;

    config_begin(&config);
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        EXPECT(symlink(devices[i], config_path(&config, "spanguard.conf")) == 0);
        /* A process without a terminal cannot open /dev/tty at all. */
        expect_ignored(&config, i == 2 ? "spanguard.conf: ignored, it " : reason);
        EXPECT(unlink(config_path(&config, "spanguard.conf")) == 0);
    }
    EXPECT(mkfifo(config_path(&config, "spanguard.conf"), 0644) == 0);
    expect_ignored(&config, reason);
    EXPECT(unlink(config_path(&config, "spanguard.conf")) == 0);
    EXPECT(mkdir(config_path(&config, "spanguard.conf.d/a.conf"), 0755) == 0);
    expect_ignored(&config, "a.conf: ignored, it is no regular file\n");
    config_end(&config);
}

TEST(a_link_to_a_good_file_counts)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "real", "canary = 0\n");
    EXPECT(symlink("real", config_path(&config, "spanguard.conf")) == 0);
    EXPECT(symlink("gone", config_path(&config, "spanguard.conf.d/gone.conf")) == 0);
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.canary, 0);
    config_end(&config);
}

TEST(a_file_in_place_of_the_folder_is_told)
{
    struct config config;

    config_begin(&config);
    EXPECT(rmdir(config_path(&config, "spanguard.conf.d")) == 0);
    config_write(&config, "spanguard.conf.d", "canary = 0\n");
    expect_ignored(&config, "spanguard.conf.d: ignored, it is no folder\n");
    config_end(&config);
}

/* The file says `locked`, the environment `entry`. */
static const char *said_under(const char *locked, const char *entry)
{
    struct config config;
    char text[256];

    snprintf(text, sizeof(text), "lock = yes\n%s\n", locked);
    config_begin(&config);
    config_write(&config, "spanguard.conf", text);
    const char *said = config_said(&config, entry);
    config_end(&config);
    return said;
}

TEST(a_lock_refuses_what_weakens)
{
    static const char *const entries[] = {
        "profile=fast",       "pool=system",        "report=journal",   "report=fd:1",
        "canary=0",           "zero_bytes=255",     "zero_check=off",   "quarantine_slots=63",
        "quarantine_bytes=0", "span_quarantine=31", "guard_interval=1", "guard_large=0",
        "guard_free=0",       "guard_budget=1",     "sample_bytes=0",   "sample_bytes=2097153",
        "sample_slots=63",    "encode=0",           "seal=0",           "fault_reports=0",
    };
    struct options hardened;

    EXPECT_SILENCE(said_to(NULL));
    hardened = sg_options;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        const char *said = said_under("", entries[i]);

        if (lines_in(said) != 1)
            printf("# %s: said %s\n", entries[i], said);
        EXPECT_EQUAL(lines_in(said), 1);
        EXPECT_SAID(said, "SPANGUARD_OPTIONS: ");
        EXPECT_SAID(said, " is refused, it is ");
        EXPECT_SAID(said, "/spanguard.conf:1\n");
        EXPECT(memcmp(&sg_options, &hardened, sizeof(hardened)) == 0);
    }
    EXPECT_SAID(said_under("", "canary=0"),
                ": canary=0 is refused, it is weaker than 1, locked by ");
    EXPECT_SAID(said_under("", "report=fd:4"), "=fd:4 is refused, it is not stderr, locked by ");
}

TEST(a_lock_lets_through_what_strengthens_or_defends_nothing)
{
    EXPECT_SILENCE(said_under("", "profile=strict:pool=guarded:zero_bytes=257:sample_bytes=1"));
    EXPECT_EQUAL(sg_options.profile, PROFILE_STRICT);
    EXPECT_EQUAL(sg_options.pool, POOL_GUARDED);
    EXPECT_EQUAL(sg_options.zero_bytes, 257);
    EXPECT_EQUAL(sg_options.sample_bytes, 1);
    EXPECT_EQUAL(sg_options.quarantine_slots, 128);
    EXPECT_SILENCE(said_under("", "dirty_bytes=0:thread_cache_bytes=0:report=stderr:canary=1"));
    EXPECT_EQUAL(sg_options.dirty_bytes, 0);
}

/* What was strengthened may be taken back as far as the file. */
TEST(a_lock_measures_by_the_files_and_not_by_what_came_since)
{
    EXPECT_SILENCE(said_under("", "profile=strict:profile=hardened:zero_bytes=9K:zero_bytes=300"));
    EXPECT_EQUAL(sg_options.profile, PROFILE_HARDENED);
    EXPECT_EQUAL(sg_options.zero_bytes, 300);
    EXPECT_SILENCE(said_under("profile = fast\nsample_bytes = 0", "canary=0:sample_bytes=7"));
    EXPECT_EQUAL(sg_options.profile, PROFILE_FAST);
    EXPECT_SAID(said_under("profile = fast\ncanary = 1", "canary=0"), "weaker than 1");
    EXPECT_EQUAL(lines_in(said_under("pool = guarded", "pool=three-tier")), 1);
}

TEST(a_lock_binds_the_program_and_not_later_files)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "lock = yes\n");
    config_write(&config, "spanguard.conf.d/a.conf", "canary = 0\n");
    struct options_sources sources = config_sources(&config);
    sources.program = "canary=0:zero_check=0";
    const char *said = said_by(&sources);
    EXPECT_EQUAL(lines_in(said), 1);
    EXPECT_SAID(said, "spanguard_options of the program: zero_check=0 is refused, ");
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_EQUAL(sg_options.zero_check, 1);

    config_write(&config, "spanguard.conf.d/b.conf", "lock = no\n");
    EXPECT_SILENCE(said_by(&sources));
    EXPECT_EQUAL(sg_options.zero_check, 0);
    config_end(&config);
}

TEST(a_lock_in_the_section_of_another_program_does_not_bind)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "[exe:/bin/other]\nlock = yes\n");
    EXPECT_SILENCE(config_said(&config, "canary=0"));
    EXPECT_EQUAL(sg_options.canary, 0);
    config_end(&config);
}

/* SPANGUARD_OPTIONS=profile=debug must not be a way around the lock. */
TEST(a_profile_of_the_debug_library_does_not_lower_a_lock)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "profile = strict\nlock = 1\n");
    EXPECT_SAID(config_said(&config, "profile=debug"), "SPANGUARD_OPTIONS: ");
    EXPECT_EQUAL(sg_options.profile, PROFILE_STRICT);
    EXPECT_EQUAL(sg_options.zero_bytes, 1 << 30);
    config_write(&config, "spanguard.conf", "profile = guard\nlock = 1\n");
    EXPECT_SAID(config_said(&config, NULL), "this profile needs libspanguard-debug.so");
    EXPECT_EQUAL(sg_options.profile, PROFILE_HARDENED);
    config_end(&config);
}
