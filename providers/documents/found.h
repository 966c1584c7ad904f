/* Documents found by what they stand for in Azure: the same at any number of documents. */
#ifndef REINSTATE_DOCUMENTS_FOUND_H
#define REINSTATE_DOCUMENTS_FOUND_H

#include "common.h"

/* The DiskEncryptionSet that stands for the set of this id; NULL: none is declared. */
const struct document *set_document_at(const struct view *v, const char *id);
/* The RestoredVirtualMachines that come back as this id, or through this staging account, one after the other: *at
 * starts as NULL; NULL at the end. */
const struct document *restored_at_next(const struct view *v, const char *id, const struct index_entry **at);
const struct document *restored_through_next(const struct view *v, const char *account, const struct index_entry **at);

#endif
