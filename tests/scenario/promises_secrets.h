/* No secret is in any output of any run. */
#ifndef REINSTATE_PROMISES_SECRETS_H
#define REINSTATE_PROMISES_SECRETS_H

/* --- secrets ------------------------------------------------------------------------------------------------------ */

/* The longest stretch of base64 letters: in a blob that holds an exported key, the key. From its
 * middle, whole groups of four. */
static inline char *longest_run(struct arena *a, const char *bytes, size_t n)
{
    size_t best = 0, best_at = 0, run = 0;

    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];

        run = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("+/_-", c ? c : ' ')
                  ? run + 1
                  : 0;
        if (run > best)
            best = run, best_at = i + 1 - run;
    }
    return best < SECRET_RUN_MIN ? NULL : arena_strndup(a, bytes + best_at + best / 8 * 4, SECRET_PIECE);
}

static inline const char *told_bytes(const struct seen *s, const void *bytes, size_t len, const char *what,
                                     const char *as)
{
    for (size_t i = 0; len >= 12 && s->texts[i]; i++)
        if (memmem(s->texts[i], s->lens[i], bytes, len))
            return arena_printf(s->arena, "%s stands %s in what the run has written (output %zu)", what, as, i);
    return NULL;
}

static inline const char *told_in(const struct seen *s, const char *secret, const char *what)
{
    return secret ? told_bytes(s, secret, strlen(secret), what, "in clear") : NULL;
}

/* Every character that `from` names becomes the text beside it. */
static inline char *spelt(struct arena *a, const char *text, const char *from, const char *const *to)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    for (; *text; text++) {
        const char *at = strchr(from, *text);

        if (at)
            text_add(&t, to[at - from]);
        else
            text_add_char(&t, *text);
    }
    return arena_strdup(a, text_str(&t));
}

static inline const char *told_hex(const struct seen *s, const struct secret *bytes, const char *what, bool capitals)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    for (size_t i = 0; i < bytes->len; i++)
        text_printf(&t, capitals ? "%02X" : "%02x", (unsigned char)bytes->bytes[i]);
    return told_bytes(s, text_str(&t), t.len, what, "as hexadecimal digits");
}

/* A piece of base64 as whoever writes it might spell it: either alphabet, percent-encoded, escaped, as hexadecimal
 * digits, or raw. */
static inline const char *told_anyhow(const struct seen *s, const char *piece, const char *what)
{
    static const char *const url[] = {"-", "_"}, *const standard[] = {"+", "/"};
    static const char *const capitals[] = {"%2B", "%2F"}, *const small[] = {"%2b", "%2f"},
                             *const escaped[] = {"+", "\\/"};
    struct secret raw cleanup(secret_release) = {0};
    const char *plain, *told;
    struct err ignored;

    /* The zeros that fill a page blob are none: they stand in the first line of every journal. */
    if (!piece || strspn(piece, (const char[]){piece[0], '\0'}) == strlen(piece))
        return NULL;
    plain = spelt(s->arena, piece, "-_", standard);
    if ((told = told_in(s, plain, what)) || (told = told_in(s, spelt(s->arena, plain, "+/", url), what)) ||
        (told = told_in(s, spelt(s->arena, plain, "+/", capitals), what)) ||
        (told = told_in(s, spelt(s->arena, plain, "+/", small), what)) ||
        (told = told_in(s, spelt(s->arena, plain, "+/", escaped), what)))
        return told;
    if (crypt_base64_decode(plain, strlen(plain), BASE64_STANDARD, &raw, &ignored) < 0)
        return arena_printf(s->arena, "a piece of %s cannot be decoded: it would not be found", what);
    if ((told = told_bytes(s, raw.bytes, raw.len, what, "raw")) || (told = told_hex(s, &raw, what, false)))
        return told;
    return told_hex(s, &raw, what, true);
}

/* An exported key, or a copy of one in escrow; a history, a claim or a note holds none, and is read in the open. */
static inline bool holds_key(const char *bytes, size_t len)
{
    static const char *const marks[] = {"\"KeyBackupData", "AzureKeyVaultKeyBackup", "eyJ"};

    for (size_t i = 0; bytes && i < COUNT(marks); i++)
        if (memmem(bytes, len, marks[i], strlen(marks[i])))
            return true;
    return false;
}

/* Pieces from the middle: a part of a secret is one, too. */
static inline const char *promise_no_secret(const struct seen *s)
{
    const struct value *blobs = value_at(s->after, "spec.blobs"), *principals = value_at(s->after, "spec.principals");
    const char *told = NULL;

    for (size_t i = 0; !told && i < value_count(principals); i++)
        told = told_in(s, value_str_at(value_item(principals, i), "secret"), "a principal's secret");
    for (size_t i = 0; !told && i < value_count(blobs); i++) {
        const struct value *blob = value_item(blobs, i);
        const char *content = value_str_at(blob, "content");
        struct secret bytes cleanup(secret_release) = {0};
        struct err ignored;

        if (!content || crypt_base64_decode(content, strlen(content), BASE64_STANDARD, &bytes, &ignored) < 0)
            secret_set(&bytes, content ? content : "", content ? strlen(content) : 0);
        if (!holds_key(bytes.bytes, bytes.len))
            continue;
        told = told_anyhow(s, longest_run(s->arena, content, strlen(content)), "a blob's content");
        if (!told)
            told = told_anyhow(s, longest_run(s->arena, (const char *)bytes.bytes, bytes.len), "the key in a blob");
    }
    return told;
}

#endif
