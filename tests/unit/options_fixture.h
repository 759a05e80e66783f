/* What the tests of options and of their files share: a folder in place of /etc, and what is said
 * on stderr while the options are loaded. */
#ifndef SG_UNIT_OPTIONS_FIXTURE_H
#define SG_UNIT_OPTIONS_FIXTURE_H

#include "option_table.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOWHERE "/nonexistent/etc"

static inline const char *said_by(const struct options_sources *sources)
{
    static char said[1 << 17];
    int memory = memfd_create("said", MFD_CLOEXEC);
    int kept = dup(STDERR_FILENO);

    dup2(memory, STDERR_FILENO);
    sg_options_load_from(sources);
    dup2(kept, STDERR_FILENO);
    close(kept);

    ssize_t length = pread(memory, said, sizeof(said) - 1, 0);
    close(memory);
    said[length < 0 ? 0 : length] = '\0';
    return said;
}

static inline void expect_said(const char *said, const char *part, int line)
{
    if (strstr(said, part) != NULL)
        return;
    printf("# said: %.2000s\n", said);
    test_failed("the options", line, part);
}

#define EXPECT_SAID(said, part) expect_said((said), (part), __LINE__)

#define EXPECT_SILENCE(said)                                                                       \
    do {                                                                                           \
        const char *said_ = (said);                                                                \
        if (said_[0] != '\0') {                                                                    \
            printf("# said: %.2000s\n", said_);                                                    \
            test_failed(__FILE__, __LINE__, "silence");                                            \
        }                                                                                          \
    } while (0)

static inline unsigned lines_in(const char *text)
{
    unsigned count = 0;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* With no file, and this in the environment. */
static inline const char *said_to(const char *environment)
{
    return said_by(&(struct options_sources){.folder = NOWHERE, .environment = environment});
}

/* A folder in place of /etc, with both kinds of files; gone with config_end(). */
struct config {
    char folder[64];
};

static inline const char *config_path(const struct config *config, const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", config->folder, name);
    return path;
}

static inline void config_begin(struct config *config)
{
    strcpy(config->folder, "/tmp/spanguard_config.XXXXXX");
    EXPECT(mkdtemp(config->folder) != NULL);
    EXPECT(mkdir(config_path(config, "spanguard.conf.d"), 0755) == 0);
    EXPECT(chmod(config_path(config, "spanguard.conf.d"), 0755) == 0);
}

static inline void config_write_bytes(const struct config *config, const char *name,
                                      struct word text)
{
    int file = open(config_path(config, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    EXPECT(file >= 0 && fchmod(file, 0644) == 0);
    EXPECT(write(file, text.bytes, text.length) == (ssize_t)text.length);
    close(file);
}

static inline void config_write(const struct config *config, const char *name, const char *text)
{
    config_write_bytes(config, name, word_of(text));
}

static inline int config_remove(const char *path, const struct stat *status, int kind,
                                struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void config_end(const struct config *config)
{
    EXPECT(nftw(config->folder, config_remove, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0);
}

static inline struct options_sources config_sources(const struct config *config)
{
    return (struct options_sources){.folder = config->folder, .owner = geteuid()};
}

static inline const char *config_said(const struct config *config, const char *environment)
{
    struct options_sources sources = config_sources(config);

    sources.environment = environment;
    return said_by(&sources);
}

/* What is said with `text` as the only file. */
static inline const char *config_text_said(const char *text)
{
    struct config config;

    config_begin(&config);
    config_write(&config, "spanguard.conf", text);
    const char *said = config_said(&config, NULL);
    config_end(&config);
    return said;
}

#endif
