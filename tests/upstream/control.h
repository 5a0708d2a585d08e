#ifndef UPSTREAM_CONTROL_H
#define UPSTREAM_CONTROL_H

#include "base/bytes.h"

#include <microhttpd.h>

struct answer;

/*
 * What tests ask of the server itself:
 *   PUT    /_data/PATH[?QUERY]  the body becomes PATH's answer; Content-Type
 *                               and Content-Encoding as sent, status by X-Status
 *   DELETE /_data/PATH[?QUERY]  the generated answer again
 *   POST   /_fault?kind=KIND[&path=PREFIX][&value=N][&count=N][&retry_after=S][&url=URL]
 *                               kinds and values: fault.h; count 0: for ever
 *   DELETE /_fault              nothing goes wrong any more; what was held is answered
 *   GET    /_count, /_last      see ledger.h
 *   DELETE /_count              counts from nought
 */
bool control_is(const char *target);
void control_answer(struct MHD_Connection *connection, const char *method, const char *target,
		    struct bytes body, struct answer *ret_answer);

#endif
