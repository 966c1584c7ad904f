/* Knows how the help is laid out. Must not know any option. */
#include "options.h"

#include <string.h>

/* The first is what a newcomer wants; each is a whole command. */
static const char *const examples[COMMAND_COUNT][4] = {
    [COMMAND_INIT] = {"reinstate init estate --vault-name rsv-payroll", "reinstate init --pipeline azure"},
    [COMMAND_FMT] = {"reinstate fmt -f estate", "reinstate fmt -f estate --check"},
    [COMMAND_EXPORT] =
        {"reinstate export --vault-name rsv-payroll > estate.yaml",
         "reinstate export --vault-name rsv-payroll --out estate --restore-to rg-dr,vnet-dr/default,stdr"},
    [COMMAND_VALIDATE] = {"reinstate validate -f estate", "reinstate validate -f estate -R -o github"},
    [COMMAND_FORECAST] = {"reinstate forecast -f estate", "reinstate forecast --discover rsv-payroll",
                          "reinstate forecast -f estate --within 60d -o junit"},
    [COMMAND_PLAN] = {"reinstate plan -f estate", "reinstate plan -f estate -l app=payroll --out payroll.plan",
                      "reinstate plan -f estate --target Key/payroll-os --detailed-exitcode"},
    [COMMAND_ACTIVATE] = {"reinstate activate -f estate --list",
                          "reinstate activate -f estate payroll-01-dr --out order.yaml"},
    [COMMAND_APPLY] = {"reinstate apply -f estate -f order.yaml",
                       "reinstate apply -f estate --plan payroll.plan --approve 'built-in/restore-key=A. Person'",
                       "reinstate apply -f estate -f order.yaml --auto-approve -o json"},
    [COMMAND_RUNBOOK] = {"reinstate runbook -f estate -f order.yaml --shell cli > recovery.sh"},
    [COMMAND_DRIFT] = {"reinstate drift -f estate", "reinstate drift -f estate -l 'env notin (test)' -o sarif"},
    [COMMAND_WATCH] = {"reinstate watch -f estate --interval 15m", "reinstate watch -f estate --passes 1 -o json"},
    [COMMAND_IMPACT] = {"reinstate impact -f estate --disable payroll-os",
                        "reinstate impact --discover rsv-payroll --delete DiskEncryptionSet/des-payroll"},
    [COMMAND_GRAPH] = {"reinstate graph -f estate --lineage | dot -Tsvg > lineage.svg",
                       "reinstate graph -f estate --steps --format mermaid"},
    [COMMAND_EXPLAIN] = {"reinstate explain Key", "reinstate explain RestoredVirtualMachine.target",
                         "reinstate explain N-17", "reinstate explain Policy --recursive"},
    [COMMAND_SIM] = {"reinstate sim --world world.yaml --write-cloud cloud.yaml --speed 60"},
    [COMMAND_JOURNAL] = {"reinstate journal verify reinstate.journal"},
    [COMMAND_DOCTOR] = {"reinstate doctor -f estate", "reinstate doctor -f estate --command apply --assign"},
    [COMMAND_VERSION] = {"reinstate version"},
    [COMMAND_COMPLETION] = {"reinstate completion bash > ~/.local/share/bash-completion/completions/reinstate"},
    [COMMAND_MAN] = {"reinstate man | man -l -"},
};

const char *option_example(const struct command *command, size_t i)
{
    return i < COUNT(examples[0]) ? examples[command_at(command)][i] : NULL;
}

static void usage_examples(struct text *out, const struct command *command)
{
    text_add(out, "\nExamples:\n");
    for (size_t i = 0; option_example(command, i); i++)
        text_printf(out, "  %s\n", option_example(command, i));
}

enum { HELP_COLUMN = 35, WIDTH = 110 };

/* Between words, and each further line below the first: a terminal would break it in the middle of one. */
static void wrapped(struct text *out, size_t column, const char *words)
{
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, " ");

        if (at != words && column + 1 + n > WIDTH) {
            text_printf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (at != words) {
            text_add_char(out, ' ');
            column++;
        }
        text_add_n(out, at, n);
        column += n;
        at += n + (at[n] == ' ');
    }
    text_add_char(out, '\n');
}

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
        if (head.len > HELP_COLUMN - 3)
            text_printf(out, "  %s\n%*s", text_str(&head), HELP_COLUMN, "");
        else
            text_printf(out, "  %-32s ", text_str(&head));
        wrapped(out, HELP_COLUMN, o.help);
    }
}

void options_usage(struct text *out, const struct command *command)
{
    const struct command *row;
    size_t at = 0;

    if (command) {
        text_printf(out, "reinstate %s%s%s%s: %s\n", command->name, command->operands[0] ? " " : "", command->operands,
                    options_take(command->name, "file") ? " -f PATH..." : "", command->summary);
        usage_examples(out, command);
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
