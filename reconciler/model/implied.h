/* What a reference means that was left out. */
#ifndef REINSTATE_IMPLIED_H
#define REINSTATE_IMPLIED_H

#include "drafts.h"

/* Sets `connection` of each document whose schema implies one (x-implied): the document that it names, else the only
 * one of that kind. Several, or none, is a fault, told once where it is one fault. Call after references are resolved.
 */
void implied_assign(struct resolver *r);

#endif
