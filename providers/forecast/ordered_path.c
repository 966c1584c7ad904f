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

static const bool *needed_for(const struct view *v, const struct document *restored_vm)
{
    bool *needed = arena_array(v->arena, bool, v->steps->count + 1);

    for (size_t i = 0; i < v->steps->count; i++)
        if (v->steps->items[i]->document == restored_vm) {
            needed[i] = true;
            mark(v->steps, v->steps->items[i], needed);
        }
    return needed;
}

const struct step *withheld_step(const struct view *v, const struct document *restored_vm)
{
    const bool *needed = v->steps ? needed_for(v, restored_vm) : NULL;

    for (size_t i = 0; needed && i < v->steps->count; i++)
        if (needed[i] && action_writes(v->steps->items[i]->action) && step_withheld(v->steps->items[i]))
            return v->steps->items[i];
    return NULL;
}

const char *ordered_letters(const struct view *ordered, const struct document *restored_vm)
{
    const struct steps *steps = ordered->steps;
    const bool *needed = needed_for(ordered, restored_vm);
    char letters[16] = {0};
    size_t n = 0;

    for (size_t i = 0; i < steps->count; i++) {
        char letter = needed[i] ? letter_of(steps->items[i]) : 0;

        /* A pass that exports a key brings that key back with it. */
        if (letter && !strchr(letters, letter) && !(letter == 'G' && strchr(letters, 'T')) && n + 1 < sizeof(letters))
            letters[n++] = letter;
    }
    return arena_strdup(ordered->arena, letters);
}
