/* Knows the commands of what a key lies in and is used by: stores and disk encryption sets. */
#include "../keys/key_facts.h"
#include "../keys/original.h"
#include "../keys/store.h"
#include "../kinds/requests.h"
#include "commands.h"

static void arm_write(struct making *m, struct value *with, const char *id, enum azure_api api)
{
    bool update = m->step->action == ACTION_UPDATE;

    making_set(m, with, "action", action_name(m->step->action));
    making_set(m, with, "id", id);
    making_set(m, with, "name", arm_id_name(id));
    making_set(m, with, "group", arm_id_part(m->a, id, "resourceGroups"));
    making_set(m, with, "location", store_step_location(m->step));
    making_set(m, with, "api", making_api(m, api));
    making_set(m, with, "method", update ? "PATCH" : "PUT");
}

void making_store(struct making *m)
{
    struct value *with;

    if (m->step->action != ACTION_CREATE && m->step->action != ACTION_UPDATE && m->step->action != ACTION_RECOVER)
        return;
    with = making_add(m, RUNBOOK_STORE);
    arm_write(m, with, m->step->scope, API_KEYVAULT);
    value_set_bool(m->a, with, "hsm", key_store_is_hsm(m->doc));
    value_set(m->a, with, "body",
              key_store_is_hsm(m->doc) ? managed_hsm_body(m->a, m->step) : key_vault_body(m->a, m->step));
    if (m->step->action == ACTION_UPDATE)
        making_was(m, with);
}

void making_encryption_set(struct making *m)
{
    const struct value *url = key_wanted_url(m->v, m->doc, "spec.key");
    const struct document *target = document_target(m->doc, "spec.key");
    const struct value *facts = target ? view_facts(m->v, target) : NULL;
    struct value *with;

    if (m->step->action == ACTION_CREATE || m->step->action == ACTION_UPDATE) {
        with = making_add(m, RUNBOOK_SET);
        arm_write(m, with, m->step->scope, API_DISK);
        if (value_is(url, VALUE_UNKNOWN)) {
            const char *name =
                arena_printf(m->a, "%s/keys/%s", value_str_at(facts, "base"), value_str_at(facts, "name"));

            making_set(m, with, "versionOf", name);
            value_set_bool(m->a, with, "hsm", key_store_is_hsm(target));
            url = value_format(m->a, "%s/" RUNBOOK_VARIABLE("version"), name);
        }
        value_set(m->a, with, "body",
                  m->step->action == ACTION_CREATE
                      ? disk_encryption_set_body(m->a, m->doc, url)
                      : disk_encryption_set_patch(m->a, m->step, value_get(view_facts(m->v, m->doc), "live"), url));
        if (m->step->action == ACTION_UPDATE)
            making_was(m, with);
    } else if (m->step->action != ACTION_WAIT) {
        return;
    }
    with = making_add(m, RUNBOOK_SEE_SET);
    making_set(m, with, "id", m->step->scope);
    making_set(m, with, "api", making_api(m, API_DISK));
}
