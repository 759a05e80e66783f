/* Says bugs in every form, for a reader that is not ours: usage: bug_say json|text|asan|core */
#include "bug_fixture.h"

void test_failed(const char *file, int line, const char *expectation)
{
    printf("# %s:%d: %s\n", file, line, expectation);
}

static const char *say(const char *form)
{
    if (strcmp(form, "json") == 0)
        return say_json();
    if (strcmp(form, "asan") == 0)
        return say_asan();
    return strcmp(form, "core") == 0 ? say_core() : say_text();
}

static void say_all(const char *form, void (*make)(void))
{
    static char bytes[256];

    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    make();
    fputs(say(form), stdout);
    bug.program = bug.at.frames[0].function = bytes;
    strcpy(bug.modules[0].path, bytes);
    fputs(say(form), stdout);
}

int main(int count, char **arguments)
{
    const char *form = count > 1 ? arguments[1] : "text";

    say_all(form, dup_name_bug);
    say_all(form, session_bug);
    say_all(form, connection_bug);
    return 0;
}
