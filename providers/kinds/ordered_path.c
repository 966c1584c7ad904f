/* Knows which remedy each step of a plan is. Must not know how steps are made. */
#include "ordered_path.h"

#include <string.h>

/* 0: it is part of another one's, or none that the table knows. */
static char letter_of(const struct step *step)
{
    const char *kind = step->document->kind;

    switch (step->action) {
    case ACTION_EXPORT_KEY:
        return 'T';
    case ACTION_RESTORE_KEY:
        return 'G';
    case ACTION_ENABLE:
        return 'E';
    case ACTION_RECOVER:
        return str_eq(kind, "Key") ? 'C' : 'D';
    case ACTION_CREATE:
    case ACTION_UPDATE:
        return str_eq(kind, "DiskEncryptionSet") ? 'F' : 0;
    case ACTION_GRANT:
        return 'P';
    default:
        return 0;
    }
}

static void mark(const struct steps *steps, const struct step *step, bool *needed)
{
    for (size_t i = 0; i < step->n_needs; i++)
        for (size_t k = 0; k < steps->count; k++)
            if (!needed[k] && str_eq(steps->items[k]->id, step->needs[i])) {
                needed[k] = true;
                mark(steps, steps->items[k], needed);
            }
}

const char *ordered_letters(const struct view *ordered, const struct document *restored_vm)
{
    const struct steps *steps = ordered->steps;
    bool *needed = arena_array(ordered->arena, bool, steps->count + 1);
    char letters[16] = {0};
    size_t n = 0;

    for (size_t i = 0; i < steps->count; i++)
        if (steps->items[i]->document == restored_vm)
            mark(steps, steps->items[i], needed);
    for (size_t i = 0; i < steps->count; i++) {
        char letter = needed[i] ? letter_of(steps->items[i]) : 0;

        /* A pass that exports a key brings that key back with it. */
        if (letter && !strchr(letters, letter) && !(letter == 'G' && strchr(letters, 'T')) && n + 1 < sizeof(letters))
            letters[n++] = letter;
    }
    return arena_strdup(ordered->arena, letters);
}
