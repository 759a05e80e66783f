/* The os layer where the kernel refuses: what each function then says, and what it leaves behind.
 * In the laboratory build every system call can be answered here. */
#include "laboratory.h"
#include "os_file.h"
#include "os_guard.h"
#include "os_memory.h"
#include "os_process.h"
#include "os_random.h"
#include "os_sink.h"
#include "os_thread.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

/* The calls `number` from the `first`th on, `count` of them, have `result`. `text` is what a read
 * that succeeds so finds. */
static struct {
    long number;
    unsigned first;
    unsigned count;
    long result;
    const char *text;
    unsigned seen;
    unsigned answered;
    unsigned unmapped;
    unsigned dropped;
} refusal;

static bool answer(long number, const long *arguments, long *ret_result)
{
    refusal.unmapped += number == SYS_munmap;
    refusal.dropped += number == SYS_madvise && arguments[2] == MADV_DONTNEED;
    if (number != refusal.number)
        return false;
    refusal.seen++;
    if (refusal.seen < refusal.first || refusal.seen - refusal.first >= refusal.count)
        return false;
    refusal.answered++;
    if (refusal.text != NULL)
        memcpy((void *)arguments[1], refusal.text, (size_t)refusal.result);
    *ret_result = refusal.result;
    return true;
}

static void refuse_from(long number, unsigned first, unsigned count, long result)
{
    memset(&refusal, 0, sizeof(refusal));
    refusal.number = number;
    refusal.first = first;
    refusal.count = count;
    refusal.result = result;
    laboratory.fault = answer;
}

static void refuse(long number, long result)
{
    refuse_from(number, 1, ~0u, result);
}

/* How often it was answered here; from now on the machine answers. */
static unsigned accept_again(void)
{
    laboratory.fault = NULL;
    return refusal.answered;
}

TEST(random_bytes_differ_without_getrandom)
{
    static const long results[] = {-ENOSYS, -EAGAIN, 7};

    for (size_t i = 0; i < 3; i++) {
        unsigned char first[24] = {0}, second[24] = {0};
        unsigned zeroes = 0;

        refuse(SYS_getrandom, results[i]);
        EXPECT(!sg_os_random(first, sizeof(first)));
        EXPECT(!sg_os_random(second, sizeof(second)));
        EXPECT_EQUAL(accept_again(), 2);
        EXPECT(memcmp(first, second, sizeof(first)) != 0);
        for (size_t j = 0; j < sizeof(first); j++)
            zeroes += first[j] == 0;
        EXPECT(zeroes < 8);
        EXPECT(sg_os_random(first, sizeof(first)));
    }
}

static size_t piped(void (*writes)(int descriptor), char text[64])
{
    int ends[2];
    ssize_t length;

    if (pipe(ends) != 0)
        return 0;
    writes(ends[1]);
    close(ends[1]);
    length = read(ends[0], text, 63);
    close(ends[0]);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

static void write_text(int descriptor)
{
    sg_os_write(descriptor, "twelve bytes", 12);
}

static void write_line(int descriptor)
{
    (void)sg_os_write_line(descriptor, "twelve bytes", 12);
}

TEST(a_write_goes_on_after_a_signal_and_ends_at_an_error)
{
    char text[64];

    refuse_from(SYS_write, 1, 2, -EINTR);
    EXPECT_EQUAL(piped(write_text, text), 12);
    EXPECT_EQUAL(accept_again(), 2);
    refuse_from(SYS_write, 1, 1, 7); /* it says that it took a part */
    EXPECT_EQUAL(piped(write_text, text), 5);
    EXPECT(strcmp(text, "bytes") == 0);
    refuse(SYS_write, -EPIPE);
    EXPECT_EQUAL(piped(write_text, text), 0);
    EXPECT_EQUAL(accept_again(), 1);
}

TEST(a_line_goes_on_after_a_signal_and_ends_at_an_error)
{
    char text[64];

    refuse_from(SYS_write, 1, 2, -EINTR);
    EXPECT_EQUAL(piped(write_line, text), 12);
    refuse_from(SYS_write, 1, 1, 7);
    EXPECT_EQUAL(piped(write_line, text), 5);
    refuse_from(SYS_write, 1, 1, 7);
    EXPECT(sg_os_write_line(-1, "twelve bytes", 12)); /* a part went out */
    refuse(SYS_write, 0);
    EXPECT(!sg_os_write_line(STDOUT_FILENO, "twelve bytes", 12));
    EXPECT_EQUAL(accept_again(), 1);
}

TEST(a_datagram_goes_out_or_not)
{
    const struct os_piece pieces[OS_PIECES_MAX + 1] = {{"a", 1}, {"b", 1}};
    char path[200];

    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    EXPECT(!sg_os_send("/", pieces, OS_PIECES_MAX + 1));
    EXPECT(!sg_os_send(path, pieces, 2));
    refuse(SYS_socket, -EAFNOSUPPORT);
    EXPECT(!sg_os_send("/", pieces, 2));
    EXPECT_EQUAL(accept_again(), 1);
    refuse_from(SYS_sendmsg, 1, 3, -EINTR);
    EXPECT(!sg_os_send("/", pieces, 2)); /* in the end the machine answers, and it is no socket */
    EXPECT_EQUAL(accept_again(), 3);
    refuse_from(SYS_sendmsg, 1, 1, 2);
    EXPECT(sg_os_send("/", pieces, 2));
    (void)accept_again();
}

TEST(an_open_tells_absent_from_refused)
{
    static const struct {
        long error;
        int result;
    } rows[] = {{-ENOENT, OS_ABSENT}, {-ENOTDIR, OS_ABSENT}, {-EACCES, OS_REFUSED}};
    int file;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refuse(SYS_openat, rows[i].error);
        EXPECT(sg_os_open(OS_NO_FOLDER, "/") == rows[i].result);
        (void)accept_again();
    }
    refuse_from(SYS_openat, 1, 2, -EINTR);
    file = sg_os_open(OS_NO_FOLDER, "/dev/null");
    EXPECT_EQUAL(accept_again(), 2);
    EXPECT(file >= 0);
    sg_os_close(file);
}

TEST(a_read_goes_on_after_a_signal_and_fails_at_an_error)
{
    char buffer[16];
    size_t bytes = 77;
    int file = sg_os_open(OS_NO_FOLDER, "/dev/zero");
    struct os_file_facts facts;

    refuse_from(SYS_read, 1, 2, -EINTR);
    EXPECT(sg_os_read(file, buffer, sizeof(buffer), &bytes));
    EXPECT_EQUAL(bytes, sizeof(buffer));
    EXPECT_EQUAL(accept_again(), 2);
    refuse(SYS_read, -EIO);
    bytes = 77;
    EXPECT(!sg_os_read(file, buffer, sizeof(buffer), &bytes));
    EXPECT_EQUAL(bytes, 77);
    refuse(SYS_read, 0);
    EXPECT(sg_os_read(file, buffer, sizeof(buffer), &bytes));
    EXPECT_EQUAL(bytes, 0);
    refuse(SYS_fstat, -EOVERFLOW);
    EXPECT(!sg_os_file_facts(file, &facts));
    EXPECT_EQUAL(accept_again(), 1);
    sg_os_close(file);
}

TEST(the_program_has_a_name_without_proc)
{
    struct os_path path;
    char name[OS_PROGRAM_PATH_BYTES] = "", other[OS_PROGRAM_PATH_BYTES] = "";

    EXPECT(sg_os_executable_path(name));
    refuse(SYS_readlinkat, -ENOENT);
    EXPECT(!sg_os_program_path(&path));
    EXPECT(sg_os_executable_path(other)); /* as the program was called */
    EXPECT_EQUAL(accept_again(), 3);      /* the second asks for two links */
    EXPECT(strrchr(other, '/') != NULL);
    EXPECT(strcmp(strrchr(other, '/'), strrchr(name, '/')) == 0);
    refuse(SYS_readlinkat, OS_PROGRAM_PATH_BYTES - 1); /* the link may be longer */
    EXPECT(sg_os_executable_path(other));
    EXPECT(strcmp(strrchr(other, '/'), strrchr(name, '/')) == 0);
    refuse(SYS_readlinkat, 0);
    EXPECT(!sg_os_program_path(&path));
    (void)accept_again();
}

TEST(memory_that_cannot_be_unmapped_goes_all_the_same)
{
    char *memory = sg_os_map(NULL, PAGE);

    memory[5] = 1;
    refuse(SYS_munmap, -ENOMEM);
    sg_os_unmap(memory, PAGE);
    EXPECT_EQUAL(accept_again(), 1);
    EXPECT_EQUAL(refusal.dropped, 1);
    EXPECT_EQUAL(memory[5], 0);
    sg_os_unmap(memory, PAGE);
}

TEST(a_refused_mapping_is_none)
{
    refuse(SYS_mmap, -ENOMEM);
    EXPECT(sg_os_map(NULL, PAGE) == NULL);
    EXPECT(sg_os_reserve(NULL, PAGE) == NULL);
    EXPECT(sg_os_map_wiped_on_fork() == NULL);
    EXPECT_EQUAL(accept_again(), 3);
    refuse(SYS_madvise, -EINVAL); /* no MADV_WIPEONFORK */
    EXPECT(sg_os_map_wiped_on_fork() == NULL);
    EXPECT_EQUAL(refusal.unmapped, 1);
    (void)accept_again();
}

TEST(what_cannot_be_sealed_stays_writable)
{
    char *memory = sg_os_map(NULL, PAGE);

    refuse(SYS_mprotect, -ENOMEM);
    EXPECT(!sg_os_make_read_only(memory, PAGE));
    EXPECT(!sg_os_commit(memory, PAGE));
    EXPECT_EQUAL(accept_again(), 2);
    memory[0] = 1;
    sg_os_unmap(memory, PAGE);
}

TEST(what_is_not_purged_is_not_said_to_be_zero)
{
    char *memory = sg_os_map(NULL, 2 * PAGE);

    memory[0] = 1;
    refuse(SYS_madvise, -EAGAIN);
    EXPECT(!sg_os_purge(memory, PAGE));
    EXPECT_EQUAL(accept_again(), 1);
    EXPECT_EQUAL(memory[0], 1);
    EXPECT(!sg_os_purge(memory, PAGE - 1)); /* no whole OS page */
    EXPECT_EQUAL(memory[0], 1);
    EXPECT(!sg_os_purge(memory, PAGE + 1)); /* a part of the second is left */
    EXPECT_EQUAL(memory[0], 0);
    EXPECT(sg_os_purge(memory, 2 * PAGE));
    sg_os_unmap(memory, 2 * PAGE);
}

/* Step two of a move fails: the contents are where they were. */
TEST(a_move_that_loses_its_target_keeps_the_contents)
{
    char *from = sg_os_map(NULL, PAGE);
    char *to = sg_os_map(NULL, PAGE);

    memset(from, 3, PAGE);
    refuse(SYS_mremap, -ENOMEM);
    EXPECT_EQUAL(sg_os_move(to, from, PAGE), OS_NOT_MOVED);
    EXPECT_EQUAL(accept_again(), 1);
    refuse_from(SYS_mremap, 2, 1, -ENOMEM);
    EXPECT_EQUAL(sg_os_move(to, from, PAGE), OS_TARGET_LOST);
    EXPECT_EQUAL(accept_again(), 1);
    EXPECT_EQUAL(refusal.unmapped, 1);
    EXPECT(from[0] == 3 && from[PAGE - 1] == 3);
    EXPECT_EQUAL(sg_os_move(to, from, PAGE), OS_MOVED);
    EXPECT(to[0] == 3 && to[PAGE - 1] == 3 && from[0] == 0);
    sg_os_unmap(from, PAGE);
    sg_os_unmap(to, PAGE);
}

/* In a child: what was marked here would be marked for the other tests. */
static int child_status(int (*body)(void))
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(body());
    waitpid(child, &status, 0);
    return status;
}

static int claims_without_a_page(void)
{
    refuse(SYS_mmap, -ENOMEM);
    sg_os_process_mark();
    return sg_os_process_claim_child() || accept_again() != 1;
}

static int claims_in_a_child(void)
{
    sg_os_process_mark();
    sg_os_process_mark(); /* the page is there */
    if (sg_os_process_claim_child())
        return 1;

    pid_t child = fork();
    int status = -1;
    if (child == 0)
        _exit(sg_os_process_claim_child() && !sg_os_process_claim_child() ? 0 : 1);
    waitpid(child, &status, 0);
    return status != 0;
}

TEST(a_child_is_known_where_the_kernel_can_wipe)
{
    EXPECT_EQUAL(child_status(claims_without_a_page), 0);
    EXPECT_EQUAL(child_status(claims_in_a_child), 0);
}

static void ignore(void *value)
{
    (void)value;
}

static int arms_without_a_key(void)
{
    pthread_key_t key;

    if (sg_os_thread_exit_arm(&key) || sg_os_thread_exit_value() != NULL)
        return 1;
    while (pthread_key_create(&key, NULL) == 0)
        ;
    return sg_os_thread_exit_start(ignore) || sg_os_thread_exit_arm(&key);
}

TEST(a_thread_is_not_armed_without_a_key)
{
    EXPECT_EQUAL(child_status(arms_without_a_key), 0);
}
