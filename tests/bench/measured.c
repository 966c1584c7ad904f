/* measured FILE COMMAND...: runs it with its output thrown away into FILE and FILE.err, and prints
 * "WALL-S PROCESSOR-S PEAK-MB EXIT". */
#include "figure.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void output_to(int stream, const char *file, const char *ending)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s%s", file, ending);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || dup2(fd, stream) < 0)
        _exit(126);
}

int main(int argc, char **argv)
{
    double begun = wall_s();
    struct rusage used;
    int status;
    pid_t pid;

    if (argc < 3)
        return 2;
    pid = fork();
    if (pid == 0) {
        output_to(STDOUT_FILENO, argv[1], "");
        output_to(STDERR_FILENO, argv[1], ".err");
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
        return 2;
    printf("%.4f %.4f %.1f %d\n", wall_s() - begun,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
           (double)used.ru_maxrss / 1024, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
