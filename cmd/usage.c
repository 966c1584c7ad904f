/* Knows how the help is laid out. Must not know any option. */
#include "options.h"

static void usage_options(struct text *out, const struct command *command)
{
    struct option_told o;
    size_t at = 0;

    text_add(out, "\nOptions:\n");
    while (option_next(command, &at, &o)) {
        struct text head cleanup(text_release) = {0};

        text_init(&head, TEXT_CEILING);
        if (o.letter)
            text_printf(&head, "-%c, ", o.letter);
        else
            text_add(&head, "    ");
        text_printf(&head, "--%s%s%s", o.name, o.value ? " " : "", o.value ? o.value : "");
        text_printf(out, "  %-32s %s\n", text_str(&head), o.help);
    }
}

void options_usage(struct text *out, const struct command *command)
{
    const struct command *row;
    size_t at = 0;

    if (command) {
        text_printf(out, "reinstate %s%s%s%s: %s\n", command->name, command->operands[0] ? " " : "", command->operands,
                    options_take(command->name, "file") ? " -f PATH..." : "", command->summary);
        usage_options(out, command);
        return;
    }
    text_add(out, "reinstate: declarative disaster recovery for Azure confidential VMs\n\n"
                  "Usage: reinstate COMMAND [OPTIONS]\n\nCommands:\n");
    while ((row = command_next(&at)))
        text_printf(out, "  %-10s %s\n", row->name, row->summary);
    text_add(out, "\nExit codes:\n");
    for (const char *const *line = option_exit_codes; *line; line += 2)
        text_printf(out, "  %-10s %s\n", line[0], line[1]);
    text_add(out, "reinstate COMMAND --help lists the options of a command.\n");
}
