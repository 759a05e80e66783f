/* Which files count: regular, short, and nobody but their owner (root) can have written them. */
#include "options_state.h"
#include "os_file.h"
#include "os_memory.h"

#define MAIN_FILE "/spanguard.conf"
#define FOLDER "/spanguard.conf.d"
#define ENDING ".conf"
#define FOLDER_BYTES_MOST 256
#define FILE_BYTES_MOST (64u << 10)

struct folder_path {
    char bytes[FOLDER_BYTES_MOST];
};

static const char *path_in(const struct options_state *state, const char *name,
                           struct folder_path *path)
{
    struct text text = sg_text_begin(path->bytes, sizeof(path->bytes));

    sg_text_string(&text, state->sources->folder);
    sg_text_string(&text, name);
    return path->bytes;
}

static int open_folder(const struct options_state *state)
{
    struct folder_path path;

    return sg_os_open(OS_NO_FOLDER, path_in(state, FOLDER, &path));
}

void sg_options_say_file(struct text *text, const struct options_state *state, uint32_t file)
{
    struct os_name name = {""};

    sg_text_string(text, state->sources->folder);
    sg_text_string(text, file == 0 ? MAIN_FILE : FOLDER);
    if (file == 0 || file == FILE_IS_FOLDER)
        return;

    int folder = open_folder(state);
    for (uint32_t i = 0; i < file && folder >= 0; i++)
        if (!sg_os_next_name(folder, ENDING, &name))
            break;
    if (folder >= 0)
        sg_os_close(folder);
    sg_text_string(text, "/");
    sg_text_string(text, name.bytes);
}

static void refuse(struct options_state *state, const char *reason)
{
    char buffer[128];
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    sg_text_string(&text, "ignored, it ");
    sg_text_string(&text, reason);
    sg_options_complain(state, &text);
}

/* Why the file must be ignored, or NULL. */
static const char *objection(const struct options_state *state, int descriptor, bool is_folder)
{
    struct os_file_facts facts;

    if (!sg_os_file_facts(descriptor, &facts))
        return "cannot be read";
    if (is_folder ? !facts.is_folder : !facts.is_regular)
        return is_folder ? "is no folder" : "is no regular file";
    if (facts.owner != state->sources->owner)
        return "is not owned by root";
    if (facts.is_writable_by_others)
        return "is writable by others than its owner";
    if (!is_folder && facts.bytes > FILE_BYTES_MOST)
        return "has more than 64 KiB";
    return NULL;
}

/* Mapped while a file is read. The file may grow meanwhile: one byte beyond the limit tells. */
struct reading {
    struct os_path program;
    char text[FILE_BYTES_MOST + 1];
};

static const char *read_into(struct options_state *state, int descriptor, struct reading *reading)
{
    size_t bytes;

    if (!sg_os_read(descriptor, reading->text, sizeof(reading->text), &bytes))
        return "cannot be read";
    if (bytes > FILE_BYTES_MOST)
        return "has more than 64 KiB";
    sg_options_set_lines(state, (struct word){reading->text, bytes}, &reading->program);
    return NULL;
}

static const char *read_lines(struct options_state *state, int descriptor)
{
    const char *problem = objection(state, descriptor, false);

    if (problem != NULL)
        return problem;

    struct reading *reading = sg_os_map(NULL, sizeof(*reading));
    if (reading == NULL)
        return "cannot be read: no memory";
    problem = read_into(state, descriptor, reading);
    sg_os_unmap(reading, sizeof(*reading));
    return problem;
}

/* Mistakes are counted for each file. */
static void begin_file(struct options_state *state, uint32_t file)
{
    state->here = (struct origin){.kind = ORIGIN_FILE, .file = file};
    state->mistake_count = 0;
}

static void read_file(struct options_state *state, uint32_t file, int descriptor)
{
    begin_file(state, file);
    if (descriptor == OS_ABSENT)
        return;

    const char *problem = "cannot be read";
    if (descriptor >= 0) {
        problem = read_lines(state, descriptor);
        sg_os_close(descriptor);
    }
    if (problem != NULL) {
        state->here.line = 0;
        refuse(state, problem);
    }
}

static void read_folder(struct options_state *state, int folder)
{
    struct os_name name = {""};
    uint32_t file = 0;
    const char *problem = folder < 0 ? "cannot be read" : objection(state, folder, true);

    if (problem != NULL) {
        begin_file(state, FILE_IS_FOLDER);
        refuse(state, problem);
        return;
    }
    while (sg_os_next_name(folder, ENDING, &name))
        read_file(state, ++file, sg_os_open(folder, name.bytes));
}

void sg_options_read_files(struct options_state *state)
{
    struct folder_path path;

    read_file(state, 0, sg_os_open(OS_NO_FOLDER, path_in(state, MAIN_FILE, &path)));

    int folder = open_folder(state);
    if (folder != OS_ABSENT)
        read_folder(state, folder);
    if (folder >= 0)
        sg_os_close(folder);
}
