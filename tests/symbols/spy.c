/* Stands for spanguard-symbolize and writes down in what state it was started; then answers nothing.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

static void write_descriptors(FILE *to)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(folder) &&
            atoi(entry->d_name) != fileno(to))
            fprintf(to, "descriptor %s\n", entry->d_name);
    closedir(folder);
}

static void write_signals(FILE *to)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];

    while (fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, "Sig", 3) == 0 && strncmp(line, "SigQ", 4) != 0)
            fputs(line, to);
    fclose(status);
}

int main(int count, char **words)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 8);
    struct rlimit core;
    FILE *to;

    (void)words;
    strcpy(path + length, ".seen");
    to = fopen(path, "w");
    for (char **entry = environ; *entry != NULL; entry++)
        fprintf(to, "environment %s\n", *entry);
    getrlimit(RLIMIT_CORE, &core);
    fprintf(to, "words %d\ncore %llu\n", count, (unsigned long long)core.rlim_cur);
    fprintf(to, "stderr %d\n", (int)write(2, "x", 1));
    write_descriptors(to);
    write_signals(to);
    return fclose(to) != 0;
}
