/* The journal, played by a socket in a folder of our own. */
#include "report_sink.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = P_tmpdir "/report_sink_test.XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static const struct report_settings to_journal = {.profile = "strict", .target = REPORT_JOURNAL};

static int open_journal(void)
{
    int journal = socket(AF_UNIX, SOCK_DGRAM, 0);

    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    EXPECT(bind(journal, (struct sockaddr *)&address, sizeof(address)) == 0);
    return journal;
}

static void close_journal(int journal)
{
    close(journal);
    unlink(address.sun_path);
    rmdir(folder);
}

static struct text line_of(char *buffer)
{
    struct text line = sg_text_begin(buffer, 64);

    sg_text_string(&line, "spanguard[1]: P203 double free\n");
    return line;
}

TEST(the_journal_gets_one_datagram_of_fields)
{
    char buffer[64], datagram[512] = "";
    struct text line = line_of(buffer);
    int journal = open_journal();

    errno = 77;
    sg_report_send(&to_journal, address.sun_path, &line, "P203");
    EXPECT_EQUAL(errno, 77);
    EXPECT(recv(journal, datagram, sizeof(datagram) - 1, MSG_DONTWAIT) > 0);
    EXPECT(strcmp(datagram, "PRIORITY=2\nSYSLOG_IDENTIFIER=spanguard\n"
                            "MESSAGE=spanguard[1]: P203 double free\nSPANGUARD_CODE=P203\n") == 0);
    EXPECT(recv(journal, datagram, sizeof(datagram) - 1, MSG_DONTWAIT) < 0);
    close_journal(journal);
}

TEST(a_notice_in_the_journal_is_a_warning_without_a_code)
{
    char buffer[64], datagram[512] = "";
    struct text line = line_of(buffer);
    int journal = open_journal();

    sg_report_send(&to_journal, address.sun_path, &line, NULL);
    EXPECT(recv(journal, datagram, sizeof(datagram) - 1, MSG_DONTWAIT) > 0);
    EXPECT(strcmp(datagram, "PRIORITY=4\nSYSLOG_IDENTIFIER=spanguard\n"
                            "MESSAGE=spanguard[1]: P203 double free\n") == 0);
    close_journal(journal);
}

static void send_to(const char *path)
{
    char buffer[64];
    struct text line = line_of(buffer);

    sg_report_send(&to_journal, path, &line, "P203");
    abort();
}

static void send_to_nobody(void)
{
    send_to("/nonexistent/socket");
}

static void send_to_a_long_path(void)
{
    char path[300];

    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    send_to(path);
}

TEST(without_a_journal_the_line_goes_to_stderr)
{
    EXPECT(test_dies_saying(send_to_nobody, "spanguard[1]: P203 double free\n"));
    EXPECT(test_dies_saying(send_to_a_long_path, "spanguard[1]: P203 double free\n"));
}

static int full_journal;

static void fill_and_send(void)
{
    int sender = socket(AF_UNIX, SOCK_DGRAM, 0);

    while (sendto(sender, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address)) == 1)
        ;
    send_to(address.sun_path);
}

TEST(a_journal_that_does_not_read_is_not_waited_for)
{
    full_journal = open_journal();
    EXPECT(test_dies_saying(fill_and_send, "spanguard[1]: P203 double free\n"));
    close_journal(full_journal);
}
