/* Programs that handle SIGSEGV themselves: theirs is called as without the library, which says
 * nothing unless they ask it to. */
#include "again.h"

#include <pthread.h>
#include <setjmp.h>

enum { LARGE = 1 << 20, DIED = 128 + SIGSEGV, OWN_STATUS = 42, JUMPS = 1000 };

static char *volatile expected; /* where the fault is to be */
static struct sigaction before;

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(97);
}

static char *guard_of_a_block(void)
{
    char *block = malloc(opaque(LARGE));

    REQUIRE(block != NULL);
    return expected = block + LARGE;
}

static void touch_a_guard(void)
{
    *(volatile char *)guard_of_a_block() = 1;
}

static void leave(int number, siginfo_t *information, void *context)
{
    (void)context;
    say(number == SIGSEGV && information->si_addr == expected ? "own\n" : "wrong\n");
    _exit(OWN_STATUS);
}

static void say_and_return(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information, (void)context;
    say("own\n");
}

static void chain(int number, siginfo_t *information, void *context)
{
    say("own\n");
    if ((before.sa_flags & SA_SIGINFO) != 0)
        before.sa_sigaction(number, information, context);
    else
        signal(SIGSEGV, SIG_DFL);
}

static void install(void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    sigemptyset(&action.sa_mask);
    REQUIRE(sigaction(SIGSEGV, &action, &before) == 0);
}

static bool is_installed(void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction now;

    return sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_sigaction == handler;
}

/* Before any constructor, so before the library's. */
static void install_early(int argc, char **argv, char **environment)
{
    (void)argc, (void)argv;
    for (; *environment != NULL; environment++)
        if (strcmp(*environment, "AGAIN_BODY=has_a_handler_from_the_start") == 0)
            install(leave, 0);
}
__attribute__((section(".preinit_array"), used)) static void (*early)(int, char **,
                                                                      char **) = install_early;

BODY(has_a_handler_from_the_start)
{
    REQUIRE(is_installed(leave));
    touch_a_guard();
}

BODY(installs_a_handler_before_its_first_malloc)
{
    install(leave, 0);
    touch_a_guard();
}

BODY(installs_a_handler_after_its_first_malloc)
{
    free(malloc(opaque(100)));
    install(leave, 0);
    free(malloc(opaque(100)));
    REQUIRE(is_installed(leave));
    touch_a_guard();
}

BODY(installs_a_handler_on_another_stack)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};

    REQUIRE(sigaltstack(&stack, NULL) == 0);
    install(leave, SA_ONSTACK);
    touch_a_guard();
}

TEST(a_program_with_a_handler_gets_it_called_and_no_line)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("has_a_handler_from_the_start", "", OWN_STATUS, "own\n"));
    EXPECT(again_is("installs_a_handler_before_its_first_malloc", "", OWN_STATUS, "own\n"));
    EXPECT(again_is("installs_a_handler_after_its_first_malloc", "", OWN_STATUS, "own\n"));
    EXPECT(again_is("installs_a_handler_on_another_stack", "", OWN_STATUS, "own\n"));
}

BODY(handles_one_fault_only)
{
    install(say_and_return, SA_RESETHAND);
    touch_a_guard();
}

BODY(handles_what_it_is_sent)
{
    install(say_and_return, 0);
    kill(getpid(), SIGSEGV);
    REQUIRE(is_installed(say_and_return));
}

TEST(handlers_for_one_fault_and_for_sent_signals_are_the_programs)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("handles_one_fault_only", "", DIED, "own\n"));
    EXPECT(again_is("handles_what_it_is_sent", "", 0, "own\n"));
}

BODY(chains_to_what_was_there)
{
    install(chain, 0);
    touch_a_guard();
}

BODY(puts_back_what_was_there)
{
    install(leave, 0);
    REQUIRE(sigaction(SIGSEGV, &before, NULL) == 0);
    touch_a_guard();
}

BODY(asks_for_the_default)
{
    signal(SIGSEGV, SIG_DFL);
    touch_a_guard();
}

static const char sentence[] = " P102 heap overflow: fault: WRITE at +1048576, 0 bytes past ";

TEST(a_handler_that_chains_gets_the_line_and_the_end)
{
    NOT_OVER_GLIBC();
    struct again result = again("chains_to_what_was_there", "");

    if (!EXPECT(result.ending == DIED && is_report(result.text, "own\n", sentence)))
        again_tell("chains_to_what_was_there", "", &result);
    EXPECT(again_reports("puts_back_what_was_there", "", DIED, sentence));
    EXPECT(again_is("asks_for_the_default", "", DIED, ""));
}

static sigjmp_buf back;

static void jump(int number, siginfo_t *information, void *context)
{
    (void)number, (void)context;
    siglongjmp(back, information->si_addr == expected ? 1 : 2);
}

BODY(jumps_out_of_its_handler)
{
    volatile int jumps = 0;

    install(jump, 0);
    while (jumps < JUMPS) {
        int came = sigsetjmp(back, 1);

        if (came == 0)
            touch_a_guard();
        REQUIRE(came == 1);
        jumps = jumps + 1;
        free(expected - LARGE);
        free(malloc(opaque((size_t)jumps * 7)));
    }
    REQUIRE(is_installed(jump));
}

TEST(a_program_can_jump_out_of_its_handler_again_and_again)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("jumps_out_of_its_handler", "", 0, ""));
}

BODY(finds_faults_ignored)
{
    struct sigaction now;

    free(malloc(opaque(LARGE)));
    REQUIRE(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
    REQUIRE(kill(getpid(), SIGSEGV) == 0);
    say("alive\n");
    touch_a_guard(); /* the kernel ends it: a fault cannot be ignored */
}

TEST(SIGSEGV_ignored_over_exec_stays_ignored)
{
    NOT_OVER_GLIBC();
    again_ignores_faults = true;
    EXPECT(again_is("finds_faults_ignored", "", DIED, "alive\n"));
    again_ignores_faults = false;
}

BODY(faults_while_SIGSEGV_is_blocked)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    touch_a_guard();
}

TEST(a_fault_while_SIGSEGV_is_blocked_kills)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("faults_while_SIGSEGV_is_blocked", "", DIED, ""));
}
