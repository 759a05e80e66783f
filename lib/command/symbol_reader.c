/* The other end of the pipe from spanguard-symbolize; symbolize.h says what goes through it. */
#include "library.h"
#include "modules.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HELPER "spanguard-symbolize"
#define PATIENCE_MS 20000
#define REPLY_BYTES_MOST (4u << 20)

static bool find_helper(char path[PATH_MAX])
{
    static const char *const places[] = {"", "/../" SG_LIBEXECDIR, "/../libexec"};
    char folder[PATH_MAX];

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!sg_own_folder(folder) ||
            snprintf(path, PATH_MAX, "%s%s/" HELPER, folder, places[i]) >= PATH_MAX)
            return false;
        if (access(path, X_OK) == 0)
            return true;
    }
    (void)snprintf(path, PATH_MAX, "%s", SG_PREFIX "/" SG_LIBEXECDIR "/" HELPER);
    return access(path, X_OK) == 0;
}

static void put_path(FILE *file, const char *path)
{
    for (; *path != '\0'; path++)
        if ((unsigned char)*path < ' ' || *path == '%' || *path == 0x7f)
            fprintf(file, "%%%02X", (unsigned char)*path);
        else
            fputc(*path, file);
}

/* A module for each question: the program opens a file only once it is asked for. */
static int write_request(const struct symbol_query *queries, size_t count)
{
    int descriptor = memfd_create("request", MFD_CLOEXEC);
    int copy = descriptor < 0 ? -1 : dup(descriptor);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "w");

    if (file == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "module %s ", *queries[i].build_id == '\0' ? "-" : queries[i].build_id);
        put_path(file, queries[i].path);
        fputc('\n', file);
    }
    for (size_t i = 0; i < count; i++)
        fprintf(file, "code %zu %llx\n", i, (unsigned long long)queries[i].offset);
    fputs("end\n", file);
    fclose(file);
    (void)lseek(descriptor, 0, SEEK_SET);
    return descriptor;
}

/* Without preload: the helper must not fail by what it is asked about. */
static _Noreturn void execute(const char *path, int request, int reply)
{
    static char name[] = HELPER, plain[] = "PATH=/usr/bin:/bin";
    char *arguments[] = {name, NULL};
    char *environment[] = {plain, NULL};

    dup2(request, STDIN_FILENO);
    dup2(reply, STDOUT_FILENO);
    execve(path, arguments, environment);
    _exit(STATUS_NOT_FOUND);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All that comes, terminated; NULL if it takes too long. */
static char *read_reply(int descriptor)
{
    char *reply = sg_allocate(REPLY_BYTES_MOST);
    size_t length = 0;
    int64_t end = now_ms() + PATIENCE_MS;

    for (;;) {
        struct pollfd ready = {descriptor, POLLIN, 0};
        int64_t left = end - now_ms();
        ssize_t got = -1;

        if (left > 0 && length + 1 < REPLY_BYTES_MOST && poll(&ready, 1, (int)left) > 0)
            got = read(descriptor, reply + length, REPLY_BYTES_MOST - 1 - length);
        if (got == 0)
            break;
        if (got < 0) {
            free(reply);
            return NULL;
        }
        length += (size_t)got;
    }
    reply[length] = '\0';
    return reply;
}

static char *ask(const char *path, int request)
{
    int ends[2];
    char *reply = NULL;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    signal(SIGCHLD, SIG_DFL); /* nothing is executed in our place any more */
    pid_t child = fork();
    if (child == 0)
        execute(path, request, ends[1]);
    close(ends[1]);
    if (child > 0) {
        reply = read_reply(ends[0]);
        if (reply == NULL)
            (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    }
    close(ends[0]);
    return reply;
}

static int hex_digit(char letter)
{
    const char *digits = "0123456789abcdef";
    const char *found = letter == '\0' ? NULL : strchr(digits, letter | 0x20);

    return found == NULL ? -1 : (int)(found - digits);
}

/* A field, as it is to be printed: what was escaped stays so unless it is a per cent sign. */
static void take_field(char **rest, char *to, size_t capacity)
{
    char *field = *rest == NULL ? NULL : strsep(rest, "\t");
    size_t length = 0;

    for (; field != NULL && *field != '\0' && length + 1 < capacity; field++) {
        bool is_percent = field[0] == '%' && hex_digit(field[1]) == 2 && hex_digit(field[2]) == 5;

        to[length++] = *field;
        if (is_percent)
            field += 2;
    }
    to[length] = '\0';
}

static void take_frame(struct symbol_query *query, char *fields)
{
    struct symbol *symbol = &query->symbols[query->count];
    char number[16];

    take_field(&fields, number, sizeof(number));
    symbol->line = (unsigned)strtoul(number, NULL, 10);
    take_field(&fields, number, sizeof(number));
    symbol->column = (unsigned)strtoul(number, NULL, 10);
    take_field(&fields, symbol->function, sizeof(symbol->function));
    take_field(&fields, symbol->file, sizeof(symbol->file));
    take_field(&fields, symbol->source, sizeof(symbol->source));
    query->count++;
}

static bool take_reply(char *reply, struct symbol_query *queries, size_t count)
{
    size_t query = 0;

    for (char *line = strsep(&reply, "\n"); line != NULL; line = strsep(&reply, "\n")) {
        if (strcmp(line, "end") == 0)
            return query == count;
        if (strcmp(line, ".") == 0)
            query++;
        else if (strncmp(line, "frame", 5) == 0 && line[5] != '\0' && query < count &&
                 queries[query].count < SYMBOLS_MOST)
            take_frame(&queries[query], line + 6);
    }
    return false;
}

bool sg_symbols_ask(struct symbol_query *queries, size_t count)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < count; i++)
        queries[i].count = 0;
    if (count == 0 || !find_helper(path))
        return false;

    int request = write_request(queries, count);
    if (request < 0)
        return false;
    char *reply = ask(path, request);
    close(request);
    bool is_answered = reply != NULL && take_reply(reply, queries, count);
    free(reply);
    return is_answered;
}
