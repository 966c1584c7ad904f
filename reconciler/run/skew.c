/* Knows which of several clocks is believed. Must not know where readings come from, nor what time is used for. */
#include "skew.h"

#include <stdlib.h>

#define AGREES_MS ((int64_t)2 * MINUTE_MS)

void skew_init(struct skew *k, int64_t own_ms)
{
    *k = (struct skew){.own_ms = own_ms, .offset_ms = own_ms};
}

/* FNV-1a; names of hosts do not differ by case. */
static uint64_t host_hash(const char *host)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (; *host; host++)
        h = (h ^ (unsigned char)(*host >= 'A' && *host <= 'Z' ? *host + ('a' - 'A') : *host)) * 0x100000001b3u;
    return h;
}

/* A place of its own, or that of the host that has been silent longest. */
static struct skew_voice *voice_of(struct skew *k, const char *host)
{
    uint64_t hash = host_hash(host);
    struct skew_voice *oldest = &k->voices[0];

    for (size_t i = 0; i < k->n_voices; i++) {
        if (k->voices[i].host == hash)
            return &k->voices[i];
        if (k->voices[i].at_ms < oldest->at_ms)
            oldest = &k->voices[i];
    }
    if (k->n_voices < SKEW_HOSTS)
        oldest = &k->voices[k->n_voices++];
    *oldest = (struct skew_voice){.host = hash};
    return oldest;
}

static int64_t nearest(const struct skew_voice *v, int64_t offset_ms)
{
    return offset_ms < v->low_ms ? v->low_ms : offset_ms > v->high_ms ? v->high_ms : offset_ms;
}

static bool fits(const struct skew_voice *v, int64_t offset_ms)
{
    return llabs(nearest(v, offset_ms) - offset_ms) <= AGREES_MS;
}

static int64_t middle(const struct skew_voice *v)
{
    return v->low_ms + (v->high_ms - v->low_ms) / 2;
}

static bool nearer_to_own(const struct skew *k, const struct skew_voice *v)
{
    return llabs(nearest(v, k->own_ms) - k->own_ms) < llabs(k->offset_ms - k->own_ms);
}

static bool believed(const struct skew *k, const struct skew_voice *v, bool again)
{
    size_t backers = 0, holders = 0;

    for (size_t i = 0; i < k->n_voices; i++) {
        const struct skew_voice *other = &k->voices[i];

        if (fits(other, middle(v)))
            backers++;
        else if (fits(other, k->offset_ms) && other->at_ms >= v->since_ms)
            holders++;
    }
    if (v->sound && again && !holders)
        return true;
    if (backers > 1 && backers > holders)
        return true;
    return !k->settled && nearer_to_own(k, v);
}

static void agree(struct skew *k, struct skew_voice *v)
{
    bool others = false;

    v->sound = true;
    v->doubts = false;
    k->offset_ms = nearest(v, k->offset_ms);
    for (size_t i = 0; i < k->n_voices; i++)
        others = others || (&k->voices[i] != v && k->voices[i].sound);
    k->settled = k->settled || others;
}

/* Whoever said otherwise has to agree again before its word counts. */
static void turn_to(struct skew *k, struct skew_voice *v)
{
    k->offset_ms = middle(v);
    for (size_t i = 0; i < k->n_voices; i++) {
        struct skew_voice *other = &k->voices[i];

        if (fits(other, k->offset_ms))
            other->doubts = false;
        else
            other->sound = false;
    }
    agree(k, v);
}

void skew_hear(struct skew *k, const char *host, int64_t date_ms, int64_t sent_ms, int64_t received_ms)
{
    struct skew_voice *v;
    bool again;

    if (date_ms == TIME_NONE || received_ms < sent_ms)
        return;
    v = voice_of(k, host);
    again = v->doubts;
    v->low_ms = date_ms - received_ms;
    v->high_ms = date_ms + SECOND_MS - 1 - sent_ms;
    v->at_ms = received_ms;
    if (fits(v, k->offset_ms)) {
        agree(k, v);
    } else if (!k->heard) {
        turn_to(k, v);
    } else {
        v->since_ms = again ? v->since_ms : received_ms;
        v->doubts = true;
        if (believed(k, v, again))
            turn_to(k, v);
    }
    k->heard = true;
}

int64_t skew_latest_ms(const struct skew *k)
{
    int64_t latest_ms = k->offset_ms;

    for (size_t i = 0; i < k->n_voices; i++)
        latest_ms = k->voices[i].low_ms > latest_ms ? k->voices[i].low_ms : latest_ms;
    return latest_ms;
}

const char *skew_words(struct arena *a, int64_t skew_ms)
{
    return arena_printf(a, "%s %s Azure's", duration_format(a, skew_ms < 0 ? -skew_ms : skew_ms),
                        skew_ms < 0 ? "behind" : "ahead of");
}

int skew_check(int64_t skew_ms, struct err *err)
{
    struct arena *a cleanup(arena_freep) = NULL;

    if (llabs(skew_ms) <= SKEW_STOP_MS)
        return 0;
    a = arena_new();
    return err_set(err, ERR_BLOCKED, "nothing is written while this machine's clock is %s", skew_words(a, skew_ms));
}
