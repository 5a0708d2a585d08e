#ifndef WIRE_TRANSPORT_ERROR_H
#define WIRE_TRANSPORT_ERROR_H

#include "base/bytes.h"

#include <curl/curl.h>
#include <stdbool.h>

struct err;
struct target;

/*
 * Says why libcurl did not open a connection to target, with the remedy.
 * reached: TCP stood, so what failed came after. detail is its
 * CURLOPT_ERRORBUFFER. Returns -1 with ERR_REDIS.
 */
int transport_error_open(const struct target *target, CURL *easy, CURLcode code, bool reached,
			 const char *detail, struct err *err);
/* The same for an open connection that broke. */
int transport_error_broken(const char *detail, struct err *err);
/* A server that hung up at once: its error line. Returns -1. */
int transport_error_told(struct bytes line, struct err *err);
/* What to do about a server that refuses a connection so: to be put behind it; may be "". */
const char *transport_error_remedy(struct bytes line);

#endif
