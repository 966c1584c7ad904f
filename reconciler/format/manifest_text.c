/* Knows what a file is that people take for a manifest: UTF-8, no half-done merge, no template. Must not know YAML. */
#include "manifest_internal.h"

#include <string.h>

#include "../base/text.h"

bool manifest_is_text(struct diags *diags, const char *file, const char *text, size_t len)
{
    struct origin at = {.file = file, .line = 1, .column = 1};

    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        diags_add(diags, SEVERITY_ERROR, &at, "write it as UTF-8; in PowerShell: ... | Out-File -Encoding utf8 FILE",
                  "a file in UTF-16, as PowerShell's > writes it");
        return false;
    }
    for (size_t i = 0; i < len;) {
        size_t n = text[i] ? utf8_length(text + i, len - i) : 0;

        if (n == 0) {
            diags_add(diags, SEVERITY_ERROR, &at, "a manifest is UTF-8 text",
                      text[i] ? "bytes that are not UTF-8" : "a NUL byte: this is no text file");
            return false;
        }
        at.column++;
        if (text[i] == '\n') {
            at.line++;
            at.column = 1;
        }
        i += n;
    }
    return true;
}

/* The place of the first line that begins with one of these words, or (`inside`) holds one. */
static bool line_with(const char *text, size_t len, const char *const *words, bool inside, struct origin *ret)
{
    const char *end = text + len;
    int line = 1;

    for (const char *at = text; at < end; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at)), *stop = next ? next : end;

        for (size_t i = 0; words[i]; i++) {
            const char *found = memmem(at, (size_t)(stop - at), words[i], strlen(words[i]));

            if (!found || (!inside && found != at))
                continue;
            ret->line = line;
            ret->column = (int)(found - at) + 1;
            return true;
        }
        at = next ? next + 1 : end;
    }
    return false;
}

bool manifest_is_merged(struct diags *diags, const char *file, const char *text, size_t len)
{
    static const char *const marks[] = {"<<<<<<< ", ">>>>>>> ", NULL};
    struct origin at = {.file = file};

    if (!line_with(text, len, marks, false, &at))
        return true;
    diags_add(diags, SEVERITY_ERROR, &at, "settle the conflict (git status names its files), then run again",
              "a mark of a git conflict");
    return false;
}

void manifest_tell_template(struct diags *diags, const char *file, const char *text, size_t len)
{
    static const char *const marks[] = {"{{", "{%", "<%", "${", NULL};
    struct origin at = {.file = file};

    if (line_with(text, len, marks, true, &at))
        diags_add(diags, SEVERITY_ERROR, &at, "have the tool whose template it is fill it in, and give its output",
                  "a template was left in this file");
}
