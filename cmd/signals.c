/* Knows what a signal has noted down. Must not know what is done about it. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

static volatile sig_atomic_t interrupts, second_is_final, dumps;
static char last_words[2048];

/* A reader that has stopped reading holds nobody up who wants to end. */
static void last_words_say(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    /* Nobody is left who could be told that they were not heard. */
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) && write(STDERR_FILENO, last_words, strlen(last_words)) < 0)
        return;
}

static void on_interrupt(int signal_number)
{
    if (interrupts++ && second_is_final) {
        last_words_say();
        _exit(128 + signal_number);
    }
}

static void on_dump(int signal_number)
{
    (void)signal_number;
    dumps = 1;
}

int interrupts_seen(void)
{
    return interrupts;
}

bool dump_wanted(void)
{
    bool wanted = dumps;

    dumps = 0;
    return wanted;
}

/* Who began us with a signal ignored (nohup, trap '' INT) wants the run to outlive it. */
static void catch_unless_ignored(int signal_number, const struct sigaction *action)
{
    struct sigaction before;

    if (sigaction(signal_number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(signal_number, action, NULL);
}

/* Without SA_RESTART: a wait ends early, so that a drain begins at once. */
void interrupts_catch(bool second_ends, const char *words)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    size_t n = words ? strlen(words) : 0;

    sigemptyset(&action.sa_mask);
    if (n < sizeof(last_words))
        memcpy(last_words, words ? words : "", n + 1);
    second_is_final = second_ends;
    catch_unless_ignored(SIGINT, &action);
    catch_unless_ignored(SIGTERM, &action);
    catch_unless_ignored(SIGHUP, &action);
}

void signals_begin(void)
{
    struct sigaction action = {.sa_handler = on_dump};

    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    /* A file that may not grow is an error that is told, not the end of the process. */
    sigaction(SIGXFSZ, &action, NULL);
}
