// Memory before main and after it: IFUNC resolver, constructors of libraries and of the program,
// atexit, static destructors, the thread that is left when main has gone. Prints a line a stage;
// the runner knows their order.
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" {
extern char *early_block;
static char *block_of_resolver, *block_for_exit;

static int answer()
{
    return 42;
}

// Runs while the program is being relocated, before any constructor.
__attribute__((used)) static int (*resolve_answer())()
{
    block_of_resolver = static_cast<char *>(malloc(2000));
    memset(block_of_resolver, 'r', 2000);
    free(malloc(100));
    return answer;
}

int resolved_answer() __attribute__((ifunc("resolve_answer")));
}

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(9);
}

struct at_both_ends {
    std::vector<std::string> texts;
    at_both_ends() : texts(1000, std::string(100, 's'))
    {
    }
    ~at_both_ends()
    {
        texts.clear();
        texts.shrink_to_fit();
        delete[] new char[70000];
        say("static destructor\n");
    }
};
static at_both_ends object;
static thread_local std::string of_thread = std::string(500, 't');

static void at_exit()
{
    free(block_for_exit);
    free(block_of_resolver);
    free(malloc(5000));
    say("atexit\n");
}

static void *outlive_main(void *main_thread)
{
    pthread_join(*static_cast<pthread_t *>(main_thread), nullptr);
    for (int i = 0; i < 1000; i++)
        free(malloc(static_cast<size_t>(i) * 100));
    say("thread after main\n");
    return nullptr;
}

int main(int argc, char **argv)
{
    static pthread_t self = pthread_self();
    pthread_t thread;

    block_for_exit = static_cast<char *>(malloc(300000));
    if (resolved_answer() != 42 || block_of_resolver[1999] != 'r' || early_block[999] != 'e' ||
        object.texts[999].size() != 100 || of_thread.size() != 500)
        return 1;
    atexit(at_exit);
    say("main\n");
    if (argc < 2 || strcmp(argv[1], "pthread_exit") != 0)
        return 0;
    if (pthread_create(&thread, nullptr, outlive_main, &self) != 0)
        return 2;
    pthread_exit(nullptr);
}
