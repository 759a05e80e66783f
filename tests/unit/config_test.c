/* The files: which count, what they may say, which beats which. */
#include "options_fixture.h"

TEST(a_file_has_names_values_comments_and_blank_lines)
{
    EXPECT_SILENCE(config_text_said("# comment\n\n  \t\n  dirty_bytes = 3M  # why\ncanary=off\n"
                                    "\tprofile =strict\r\nreport = fd:9\r\n#last\nzero_check = 0"));
    EXPECT_EQUAL(sg_options.dirty_bytes, 3 << 20);
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_EQUAL(sg_options.profile, PROFILE_STRICT);
    EXPECT_EQUAL(sg_options.report, REPORT_TO_FD + 9);
    EXPECT_EQUAL(sg_options.zero_check, 0);
    EXPECT_EQUAL(sg_options.quarantine_slots, 128);
}

TEST(a_mistake_is_told_with_file_and_line_and_the_others_count)
{
    const char *said = config_text_said("canary = 0\n\ncanary = 7\nbogus = 1\ndirty_bytes 5\n"
                                        "= 4\ncanry = 1\nhelp = 1\nlock = perhaps\nzero_bytes=8\n");

    EXPECT_EQUAL(lines_in(said), 7);
    EXPECT_SAID(said, "/spanguard.conf:3: option 'canary': '7' is not one of 0|1\n");
    EXPECT_SAID(said, "/spanguard.conf:4: unknown option 'bogus'\n");
    EXPECT_SAID(said, "/spanguard.conf:5: not 'name = value': 'dirty_bytes 5'\n");
    EXPECT_SAID(said, "/spanguard.conf:6: unknown option ''\n");
    EXPECT_SAID(said, "/spanguard.conf:7: unknown option 'canry', did you mean 'canary'?\n");
    EXPECT_SAID(said, "/spanguard.conf:8: option 'help' does not count in files\n");
    EXPECT_SAID(said, "/spanguard.conf:9: option 'lock': 'perhaps' is not one of 0|1\n");
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_EQUAL(sg_options.zero_bytes, 8);
}

TEST(nul_bytes_and_endless_lines_do_no_harm)
{
    static char text[60000];
    static const char nul[] = "canary\0 = 0\ncanary = 0\0\n\0\nzero_check = 0\n";
    struct config config;

    config_begin(&config);
    config_write_bytes(&config, "spanguard.conf", (struct word){nul, sizeof(nul) - 1});
    const char *said = config_said(&config, NULL);
    EXPECT_EQUAL(lines_in(said), 3);
    EXPECT_SAID(said, ":1: unknown option 'canary?'");
    EXPECT_SAID(said, ":2: option 'canary': '0?' is not one of");
    EXPECT_SAID(said, ":3: not 'name = value': '?'");
    EXPECT_EQUAL(sg_options.canary, 1);
    EXPECT_EQUAL(sg_options.zero_check, 0);

    memset(text, 'y', sizeof(text));
    memcpy(text + sizeof(text) - 12, "\ncanary = 0\n", 12);
    config_write_bytes(&config, "spanguard.conf", (struct word){text, sizeof(text)});
    said = config_said(&config, NULL);
    EXPECT_EQUAL(lines_in(said), 1);
    EXPECT(strlen(said) < 300);
    EXPECT_EQUAL(sg_options.canary, 0);
    config_end(&config);
}

TEST(a_later_file_beats_an_earlier_one_in_byte_order)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "dirty_bytes=1\nzero_bytes=1\nspan_quarantine=1\n");
    config_write(&config, "spanguard.conf.d/a.conf", "dirty_bytes = 5\n");
    config_write(&config, "spanguard.conf.d/20-x.conf", "dirty_bytes = 3\nzero_bytes=3\n");
    config_write(&config, "spanguard.conf.d/Z.conf", "dirty_bytes = 4");
    config_write(&config, "spanguard.conf.d/100.conf", "dirty_bytes = 2\nzero_bytes = 2");
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.dirty_bytes, 5);
    EXPECT_EQUAL(sg_options.zero_bytes, 3);
    EXPECT_EQUAL(sg_options.span_quarantine, 1);
    config_end(&config);
}

TEST(only_names_that_end_in_conf_and_begin_with_no_dot_count)
{
    static const char *const names[] = {".conf", ".hidden.conf", "a.conf~", "a.conf.bak",
                                        "conf",  "aconf",        "README"};
    struct config config;
    char path[64];

    config_begin(&config);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "spanguard.conf.d/%s", names[i]);
        config_write(&config, path, "canary = 0\n");
    }
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.canary, 1);
    config_end(&config);
}

TEST(all_of_two_hundred_files_count)
{
    struct config config;
    char path[64], text[64];

    config_begin(&config);
    for (int i = 199; i >= 0; i--) {
        snprintf(path, sizeof(path), "spanguard.conf.d/%03d-with-a-rather-long-name.conf", i);
        snprintf(text, sizeof(text), "dirty_bytes = %d\n%s", i, i == 0 ? "canary = 0\n" : "");
        config_write(&config, path, text);
    }
    EXPECT_SAID(config_said(&config, "help=1"),
                "spanguard.conf.d/199-with-a-rather-long-name.conf:1)");
    EXPECT_EQUAL(sg_options.dirty_bytes, 199);
    EXPECT_EQUAL(sg_options.canary, 0);
    config_end(&config);
}

TEST(program_and_environment_beat_every_file)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "dirty_bytes=1\nzero_bytes=1\ncanary=0\n");
    config_write(&config, "spanguard.conf.d/a.conf", "zero_check=0\nspan_quarantine=1\n");

    struct options_sources sources = config_sources(&config);
    sources.program = "dirty_bytes=2:zero_bytes=2:span_quarantine=2";
    sources.environment = "dirty_bytes=3";
    EXPECT_SILENCE(said_by(&sources));
    EXPECT_EQUAL(sg_options.dirty_bytes, 3);
    EXPECT_EQUAL(sg_options.zero_bytes, 2);
    EXPECT_EQUAL(sg_options.span_quarantine, 2);
    EXPECT_EQUAL(sg_options.canary, 0);
    EXPECT_EQUAL(sg_options.zero_check, 0);

    sources.is_secure = true;
    EXPECT_SILENCE(said_by(&sources));
    EXPECT_EQUAL(sg_options.dirty_bytes, 1);
    EXPECT_EQUAL(sg_options.zero_bytes, 1);
    EXPECT_EQUAL(sg_options.span_quarantine, 1);
    config_end(&config);
}

TEST(an_explicit_value_beats_the_profile_of_a_later_source)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "profile = fast\nzero_bytes = 5\n");
    EXPECT_SILENCE(config_said(&config, "profile=strict"));
    EXPECT_EQUAL(sg_options.zero_bytes, 5);
    EXPECT_EQUAL(sg_options.quarantine_slots, 128);
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.quarantine_slots, 0);
    config_end(&config);
}

TEST(help_tells_the_line_of_the_file)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", "\nprofile = fast\ndirty_bytes = 1\n");
    config_write(&config, "spanguard.conf.d/10.conf", "# nothing\n");
    config_write(&config, "spanguard.conf.d/20.conf", "\n\n\n\ncanary = 1\n");
    const char *said = config_said(&config, "help=1:zero_check=1");
    EXPECT_SAID(said, config_path(&config, "spanguard.conf:2)"));
    EXPECT_SAID(said, "dirty_bytes=1  (from /tmp/spanguard_config.");
    EXPECT_SAID(said, config_path(&config, "spanguard.conf.d/20.conf:5)"));
    EXPECT_SAID(said, "zero_check=1  (from SPANGUARD_OPTIONS)");
    EXPECT_SAID(said, "zero_bytes=0  (profile fast)");
    config_end(&config);
}

TEST(a_section_counts_for_its_program_only)
{
    char exe[4096], text[16384], section[256];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    EXPECT(length > 0);
    exe[length < 0 ? 0 : length] = '\0';
    snprintf(text, sizeof(text),
             "[exe:%s]\ndirty_bytes = 2\n[exe:/bin/other]\nzero_bytes=2\nbogus=1\n", exe);
    EXPECT_SILENCE(config_text_said(text));
    EXPECT_EQUAL(sg_options.dirty_bytes, 2);
    EXPECT_EQUAL(sg_options.zero_bytes, 256);

    snprintf(section, sizeof(section), "[exe:%.200s] # ours\n", strrchr(exe, '/') + 1);
    snprintf(text, sizeof(text), "dirty_bytes=1\nzero_bytes=1\n %sdirty_bytes=3\n", section);
    EXPECT_SILENCE(config_text_said(text));
    EXPECT_EQUAL(sg_options.dirty_bytes, 3);
    EXPECT_EQUAL(sg_options.zero_bytes, 1);
}

TEST(a_section_of_nobody_counts_for_nobody)
{
    char exe[4096], text[16384];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    exe[length < 0 ? 0 : length] = '\0';
    EXPECT_SILENCE(config_text_said("[exe:]\ncanary=0\n[exe:/]\ncanary=0\n[exe:conf]\ncanary=0"));
    EXPECT_EQUAL(sg_options.canary, 1);
    snprintf(text, sizeof(text), "[exe:%sx]\ncanary=0\n[exe:%s]\ncanary=0\n", exe, exe + 1);
    EXPECT_SILENCE(config_text_said(text));
    EXPECT_EQUAL(sg_options.canary, 1);

    snprintf(text, sizeof(text), "[exe:%s\ncanary=0\n[%s]\ncanary=0\n[exe:%s] x\ncanary=0", exe,
             exe, exe);
    const char *said = config_text_said(text);
    EXPECT_EQUAL(lines_in(said), 3);
    EXPECT_SAID(said, ":1: not a section [exe:PROGRAM]: '[exe:");
    EXPECT_SAID(said, ":5: not a section [exe:PROGRAM]: '[exe:");
    EXPECT_EQUAL(sg_options.canary, 1);
}

TEST(a_section_beats_the_rest_of_its_file_and_a_later_file_beats_both)
{
    struct config config;
    const char *name = program_invocation_short_name;
    char text[512];

    config_begin(&config);
    snprintf(text, sizeof(text),
             "dirty_bytes=1\nzero_bytes=1\n[exe:%s]\ndirty_bytes=2\n"
             "zero_bytes=2\nspan_quarantine=2\n",
             name);
    config_write(&config, "spanguard.conf", text);
    config_write(&config, "spanguard.conf.d/x.conf", "zero_bytes = 3\n");
    EXPECT_SILENCE(config_said(&config, NULL));
    EXPECT_EQUAL(sg_options.dirty_bytes, 2);
    EXPECT_EQUAL(sg_options.zero_bytes, 3);
    EXPECT_EQUAL(sg_options.span_quarantine, 2);
    config_end(&config);
}

TEST(a_folder_that_cannot_be_opened_is_told)
{
    struct config config;
    char path[512];

    config_begin(&config);
    snprintf(path, sizeof(path), "%s", config_path(&config, "spanguard.conf.d"));
    rmdir(path);
    EXPECT_EQUAL(symlink("spanguard.conf.d", path), 0); /* to itself */
    config_write(&config, "spanguard.conf", "canary = 0\n");
    const char *said = config_said(&config, NULL);
    EXPECT_EQUAL(lines_in(said), 1);
    EXPECT_SAID(said, "/spanguard.conf.d: ignored, it cannot be read\n");
    EXPECT_EQUAL(sg_options.canary, 0);
    config_end(&config);
}
