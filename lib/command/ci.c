/* What `run --ci` makes before the program runs and after. */
#include "ci.h"

#include "bug.h"
#include "escape.h"
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS "report.jsonl"
#define SARIF "report.sarif"
#define JUNIT "junit.xml"

static bool make_folder(const char *wanted)
{
    char *path = sg_printed("%s", wanted);
    bool is_made = true;

    for (char *slash = strchr(path + 1, '/'); slash != NULL && is_made;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        is_made = mkdir(path, 0777) == 0 || errno == EEXIST;
        *slash = '/';
    }
    is_made = is_made && (mkdir(path, 0777) == 0 || errno == EEXIST);
    free(path);
    return is_made;
}

static bool remove_old(const char *folder)
{
    static const char *const names[] = {RECORDS, SARIF, JUNIT};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = sg_printed("%s/%s", folder, names[i]);
        bool is_gone = unlink(path) == 0 || errno == ENOENT;

        free(path);
        if (!is_gone)
            return false;
    }
    return true;
}

/* Of an open file another descriptor, which all processes inherit, at a number that programs do not
 * reach. Closes the one there is; -1: failed. */
static int share(int file)
{
    struct rlimit limit = {.rlim_cur = 1024};

    if (file < 0)
        return -1;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    int wanted = limit.rlim_cur > 1024 ? 1016 : (int)limit.rlim_cur - 8;
    int high = fcntl(file, F_DUPFD, wanted > 3 ? wanted : 3);
    close(file);
    return high;
}

/* A file for lines of all processes: one that closed it and opened its own under that number would
 * get the lines. */
static int open_lines(void)
{
    int file = memfd_create("spanguard-reports", MFD_CLOEXEC);

    return file < 0 || fcntl(file, F_SETFL, O_APPEND) != 0 ? -1 : share(file);
}

/* For processes that drop the rights to open it: they inherit it open, and which file it is. */
static bool open_records(const char *path)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;
    int file = share(open(path, flags, 0666));
    struct stat status;
    char value[80];

    if (file < 0 || fstat(file, &status) != 0)
        return false;
    (void)snprintf(value, sizeof(value), "%d:%ju:%ju", file, (uintmax_t)status.st_dev,
                   (uintmax_t)status.st_ino);
    return setenv("SPANGUARD_REPORT_FILE", path, 1) == 0 &&
           setenv("SPANGUARD_REPORT_DESCRIPTOR", value, 1) == 0;
}

static bool refuse_folder(const struct ci *ci, struct verdict *verdict)
{
    return sg_refuse(verdict, STATUS_REFUSED,
                     "the folder '%s' for reports cannot be used: %s; --ci=FOLDER names another",
                     ci->wanted, strerror(errno));
}

bool sg_ci_begin(struct ci *ci, const struct library *library, struct verdict *ret_verdict)
{
    char *records;

    if (!make_folder(ci->wanted) || realpath(ci->wanted, ci->folder) == NULL ||
        !remove_old(ci->folder))
        return refuse_folder(ci, ret_verdict);
    records = sg_printed("%s/" RECORDS, ci->folder);
    (void)snprintf(ci->records, sizeof(ci->records), "%s", records);
    free(records);

    if (!open_records(ci->records))
        return refuse_folder(ci, ret_verdict);
    if (library->is_debug)
        return true;
    ci->lines = open_lines();
    if (ci->lines < 0)
        return sg_refuse(ret_verdict, STATUS_REFUSED, "no file for reports: %s", strerror(errno));
    return true;
}

static void put_field(FILE *file, const char *name, const char *value)
{
    fprintf(file, ",\"%s\":", name);
    sg_put_json(file, value);
}

/* A line of the release library as a record of its own kind; explain reads its "line". */
static void record_line(FILE *records, const struct line_report *report, const char *line,
                        const struct finding *finding)
{
    fprintf(records, "{\"spanguard_line\":1,\"process\":%d", report->process);
    put_field(records, "code", report->code);
    put_field(records, "title", report->title);
    put_field(records, "function", report->function);
    put_field(records, "observation", report->observation);
    put_field(records, "profile", report->profile);
    put_field(records, "id", report->id);
    put_field(records, "at", finding->place);
    put_field(records, "file", finding->file);
    fprintf(records, ",\"row\":%u", finding->line);
    put_field(records, "line", line);
    fputs("}\n", records);
}

/* One of the library's other lines goes where it would have gone. */
static void take_line(struct findings *findings, FILE *records, const char *line)
{
    struct line_report report;

    fprintf(stderr, "%s\n", line);
    if (!sg_line_read(line, &report))
        return;

    struct finding finding = sg_finding_of_line(&report, line);
    sg_finding_locate(&finding, &report.at, findings->program);
    record_line(records, &report, line, &finding);
    sg_findings_add(findings, finding);
}

static bool take_lines(const struct ci *ci, struct findings *findings)
{
    int copy = fcntl(ci->lines, F_DUPFD_CLOEXEC, 0);
    FILE *lines = copy < 0 || lseek(copy, 0, SEEK_SET) != 0 ? NULL : fdopen(copy, "r");
    FILE *records = fopen(ci->records, "ae");
    char *line = NULL;
    size_t capacity = 0;

    while (lines != NULL && records != NULL && getline(&line, &capacity, lines) > 0) {
        line[strcspn(line, "\n")] = '\0';
        take_line(findings, records, line);
    }
    free(line);
    if (lines != NULL)
        fclose(lines);
    return (records == NULL || fclose(records) == 0) && lines != NULL && records != NULL;
}

static bool take_records(const struct ci *ci, struct findings *findings)
{
    FILE *records = fopen(ci->records, "re");
    struct bug *bug = sg_allocate(sizeof(*bug));
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;

    while (records != NULL && (length = getline(&line, &capacity, records)) > 0)
        if (sg_bug_read_json(bug, line, (size_t)length))
            sg_findings_add(findings, sg_finding_of_bug(bug));
        else
            sg_complain("%s: a record that cannot be read: %.60s", ci->records, line);
    free(line);
    free(bug);
    return records != NULL && fclose(records) == 0;
}

static bool write_results(const struct ci *ci, const struct findings *findings)
{
    char *sarif = sg_printed("%s/" SARIF, ci->folder);
    char *junit = sg_printed("%s/" JUNIT, ci->folder);
    const char *github = getenv("GITHUB_ACTIONS");
    bool is_written = sg_write_sarif(sarif, findings) && sg_write_junit(junit, findings);

    if (github != NULL && strcmp(github, "true") == 0)
        sg_write_annotations(findings);
    free(sarif);
    free(junit);
    return is_written;
}

int sg_ci_finish(const struct ci *ci, const char *program, int status)
{
    struct findings findings = {.program = program, .status = status};
    bool is_read = take_records(ci, &findings);

    if (ci->lines >= 0)
        is_read = take_lines(ci, &findings) && is_read;
    if (!is_read || !write_results(ci, &findings)) {
        sg_complain("the results cannot be written to '%s': %s", ci->folder, strerror(errno));
        status = STATUS_REFUSED;
    } else if (findings.total > 0) {
        sg_complain("%u report%s of %zu mistake%s, in %s", findings.total,
                    findings.total == 1 ? "" : "s", findings.count, findings.count == 1 ? "" : "s",
                    ci->wanted);
        status = STATUS_REPORTS;
    }
    for (size_t i = 0; i < findings.count; i++)
        sg_finding_free(&findings.items[i]);
    free(findings.items);
    return status;
}
