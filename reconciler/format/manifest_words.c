/* Knows what to say of a manifest that cannot be read: what a parser's complaint means for whoever wrote it, and that a
 * file is too large. Must not know the parser. */
#include "../base/text.h"
#include "manifest_internal.h"

static const struct plain_fault {
    const char *problem;      /* how libyaml's words begin */
    const char *what, *instead;
} plain_faults[] = {
    {"found character that cannot start any token", "a value cannot begin with this character",
     "indent with spaces, never with tabs; put text that begins with @, ` or % in quotes"},
    {"found a tab character", "a tab is used for indentation", "indent with spaces"},
    {"mapping values are not allowed", "a colon stands where no key can be",
     "check the indentation of this line and the one before; put text that holds \": \" in quotes"},
    {"did not find expected key", "this line fits neither the map nor the list around it", "check the indentation"},
    {"did not find expected '-' indicator", "this line does not belong to the list around it", "check the indentation"},
    {"could not find expected ':'", "a key without a colon", "write key: value, with a space behind the colon"},
    {"found unexpected end of stream", "the file ends inside a quoted string", "close the quotes"},
    {"found unexpected document indicator", "a document ends inside a quoted string", "close the quotes"},
    {"did not find expected ',' or ']'", "a list in brackets is not closed",
     "put a comma between its items and ] at its end"},
    {"did not find expected ',' or '}'", "a map in braces is not closed",
     "put a comma between its members and } at its end"},
    {"found unknown escape character", "an escape that YAML does not have",
     "use single quotes when backslashes are meant as they are"},
    {"found undefined tag handle", "a tag that is not understood", "leave the tag out"},
    {"did not find expected <document start>", "something follows a document that is complete",
     "separate documents with ---"},
    {"did not find expected node content", "a value is missing here", NULL},
    {"block sequence entries are not allowed", "a list item stands where none can be",
     "begin the list on a line of its own"},
    {"found incompatible YAML document", "a %YAML directive for another version", "leave the directive out"},
    {"control characters are not allowed", "a control character",
     "remove it; in double quotes it can be written as an escape"},
};

bool manifest_plain_fault(const char *problem, const char **ret_what, const char **ret_instead)
{
    for (size_t i = 0; i < COUNT(plain_faults); i++)
        if (str_starts(problem, plain_faults[i].problem)) {
            *ret_what = plain_faults[i].what;
            *ret_instead = plain_faults[i].instead;
            return true;
        }
    return false;
}

void manifest_too_large(struct diags *diags, const char *file, size_t limit)
{
    struct origin at = {.file = file};

    diags_add(diags, SEVERITY_ERROR, &at, "split it", "larger than %zu bytes", limit);
}
