/* Knows the request of a restore. Pure. Must not know whether it is sent. */
#include "requests.h"

#include "../backup/points.h"

struct restore_request restored_vm_request(const struct view *v, const struct situation *s)
{
    return (struct restore_request){
        .type = situation_type(s->doc),
        .point = s->order.point,
        .source_vm_id = value_str_at(view_facts(v, s->pvm), "source.id"),
        .region = protected_vm_region(v, s->pvm),
        .storage_account_id = reference_id(v->arena, s->doc, "spec.target.stagingAccount", NULL),
        .target_group_id = arm_id_parent(v->arena, restored_vm_id(v->arena, s->doc), 4),
        .target_vm_id = restored_vm_id(v->arena, s->doc),
        .subnet_id = reference_id(v->arena, s->doc, "spec.target.subnet", NULL),
        .des_id = s->given == DX_GIVEN_NOTHING ? NULL : s->des_id,
        .zone = value_str_at(s->doc->spec, "zone"),
        .disk_luns = value_get(s->doc->spec, "restoreDiskLuns"),
    };
}
