/* Knows what was seen of the claims: whether one stands against a restore, and whether one could be taken. Pure. */
#include "claims.h"

#include "../backup/order.h"
#include "election.h"
#include "obstacles.h"

enum claims_sight claims_sight(const struct value *place)
{
    const struct value *claims = value_get(place, "claims");
    const char *code = value_str_at(claims, "code");

    if (str_eq(value_str_at(claims, "state"), "present"))
        return CLAIMS_SEEN;
    /* Network rules turn away the account's key as well as a token (Microsoft Learn, Blob service error codes). */
    if (str_eq_nocase(code, "AuthorizationFailure"))
        return CLAIMS_SHUT_OUT;
    return str_eq_nocase(code, "AuthorizationPermissionMismatch") && str_eq(value_str_at(claims, "readable"), "no")
               ? CLAIMS_NO_RIGHT
               : CLAIMS_UNKNOWN;
}

bool claims_unwritable(const struct value *place)
{
    return str_eq(value_str_at(place, "claims.writable"), "no") || claims_sight(place) == CLAIMS_SHUT_OUT;
}

bool claim_stands(const struct view *v, const struct situation *s, bool pass, struct obstacle *ret)
{
    const struct value *seen = value_at(view_facts(v, s->doc), pass ? "place.claims.pass" : "place.claims.restore");
    struct claim claim = {.name = value_str_at(seen, "name"), .made_ms = time_parse(value_str_at(seen, "made"))};
    struct claim_look look = {.job = CLAIM_JOB_GONE,
                              .end_ms = TIME_NONE,
                              .now_ms = v->now_ms,
                              .since_ms = s->match.since_ms,
                              .wait_ms = v->settings->settle_ms + CLAIM_LAG_MS};
    const struct claim_subject ours = {.point = s->order.point};
    const char *words, *vault = value_str_at(view_facts(v, s->pvm), "vaultId");
    enum claim_verdict verdict;

    /* The claim with which this run is just about to trigger stands against others alone. */
    if (!claim.name || value_get(v->settings->take_over, claim.name) || value_bool_at(seen, "ours", false))
        return false;
    claim_from_value(seen, &claim);
    verdict = claim_judge(&claim, &ours, &look);
    words = claim_words(v->arena, &claim);
    *ret = (struct obstacle){.id = "claim", .stops = verdict == CLAIM_PERSON};
    if (verdict == CLAIM_WAIT)
        ret->reason = arena_printf(
            v->arena, "%s names no job yet: somebody may be about to trigger this, so apply waits until %s", words,
            time_format(v->arena, claim.made_ms + look.wait_ms));
    if (verdict != CLAIM_PERSON)
        return verdict == CLAIM_WAIT;
    ret->reason = claim_unsettled_words(v->arena, &claim, look.wait_ms);
    ret->next = claim_unsettled_advice(v->arena, &claim, vault);
    return true;
}
