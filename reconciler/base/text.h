/* A growable string that always has a ceiling. Once the ceiling is hit the text is `overflowed` and takes no more. */
#ifndef REINSTATE_TEXT_H
#define REINSTATE_TEXT_H

#include "arena.h"

struct text {
    char *s;           /* always NUL-terminated once anything was added; NULL when empty and new */
    size_t len, cap, ceiling;
    bool overflowed;
    /* NULL, or who takes what has been written so far whenever it is much, so that a long text is never whole. */
    void (*spill)(void *ctx, const char *s, size_t n);
    void *spill_ctx;
};

enum { TEXT_CEILING = 64 * 1024 * 1024 };

void text_init(struct text *t, size_t ceiling);
void text_release(struct text *t);             /* for cleanup(); frees and zeroes */
void text_clear(struct text *t);               /* keeps the memory */
void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_add_char(struct text *t, char c);
void text_printf(struct text *t, const char *fmt, ...) printf_like(2, 3);
const char *text_str(const struct text *t);    /* never NULL */

/* Percent-encodes everything but unreserved characters. */
void text_add_percent(struct text *t, const char *s);

/* Length of the UTF-8 sequence at s within `room` bytes (at least one); 0 when it is none: overlong forms and
 * surrogates are none. */
size_t utf8_length(const char *s, size_t room);

bool str_eq(const char *a, const char *b);           /* NULL equals NULL only */
bool str_eq_nocase(const char *a,
                   const char *b); /* the same but for capitals, in Latin, Greek and Cyrillic: how Azure compares ids */
bool str_eq_nocase_n(const char *a, const char *b, size_t n); /* the same of the first n bytes, which both have */
/* The same but for capitals (ASCII) and blanks: "East US 2" is eastus2, the portal's name of a region and the API's. */
bool str_eq_spaceless(const char *a, const char *b);
/* What Azure says may lack any text: of all below, NULL begins, ends, holds and matches nothing. */
bool str_starts(const char *s, const char *prefix);
bool str_starts_nocase(const char *s, const char *prefix);
bool str_ends_nocase(const char *s, const char *suffix);
/* Whether whoever fills templates in has missed this text: "{{ .Values.rg }}", "${RG}", "$(rg)", "{% if %}", "<% rg
 * %>",
 * "__RG__", "<no value>". `broad`: a text that is no right value anyway, in which "$RG", "%RG%" and "<RG>" mean the
 * same. */
bool str_is_template(const char *s, bool broad);
/* The whole of s fits the pattern, in which '*' stands for any text, slashes included (role definitions, paths). */
bool str_matches_nocase(const char *pattern, const char *s);
const char *str_find_nocase(const char *haystack, const char *needle);
char *str_lower(struct arena *a, const char *s);
void str_lower_here(char *s);                        /* in place; NULL is fine */

/* --- what people read (shown.c)
 * ------------------------------------------------------------------------------------------------ Manifests and Azure
 * may say anything. What could move a cursor, hide text, turn its direction, begin a line, or give an order to a build
 * server ("::error", "##vso[") is written out as \x1b and the like, here and nowhere else. */

/* Bytes of such a character at s; 0: it is harmless. */
size_t str_treacherous(const char *s);
/* One line. */
char *str_shown(struct arena *a, const char *text);
/* What was put together of lines: their ends stay, and with `coloured` the colours that we use ourselves. */
char *str_shown_lines(struct arena *a, const char *text, bool coloured);
/* JSON that says the same, with such characters as escapes. */
char *json_shown(struct arena *a, const char *json);
/* Like text_printf, with every text among the arguments as by str_shown: the lines are the format's alone. */
void text_say(struct text *t, const char *format, ...) printf_like(2, 3);

#endif
