#include "source/verdict.h"

#include "base/err.h"
#include "base/json.h"
#include "source/http.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next byte that is no blank between tokens; -1 at the end. */
static int next_byte(struct bytes *rest, bool *in_string)
{
	while (rest->len && !*in_string && is_blank(rest->ptr[0]))
		*rest = bytes_sub(*rest, 1, rest->len);
	if (rest->len == 0)
		return -1;
	int c = (unsigned char)rest->ptr[0];
	*in_string = *in_string != (c == '"');
	*rest = bytes_sub(*rest, 1, rest->len);
	return c;
}

/* "[]" and "[ ]" say the same. Ends at the first difference, however long they are. */
static bool same_but_blanks(struct bytes a, struct bytes b)
{
	bool in_a = false;
	bool in_b = false;
	int c;

	do {
		c = next_byte(&a, &in_a);
		if (c != next_byte(&b, &in_b))
			return false;
	} while (c >= 0);
	return true;
}

bool verdict_is_empty_text(const struct source_request *request, struct bytes text)
{
	for (size_t i = 0; i < request->empty_count; i++)
		if (request->empty[i].status == 0 &&
		    same_but_blanks(request->empty[i].text, text))
			return true;
	return false;
}

static bool is_empty_status(const struct source_request *request, unsigned status)
{
	for (size_t i = 0; i < request->empty_count; i++)
		if (request->empty[i].status && request->empty[i].status == status)
			return true;
	return status == 404;
}

static bool is_retry_status(const struct source_def *def, unsigned status)
{
	for (size_t i = 0; i < def->retry.status_count; i++)
		if (def->retry.statuses[i] == status)
			return true;
	return false;
}

/* The header that most likely holds the credentials. */
static const char *credentials_header(const struct source_def *def)
{
	for (size_t i = 0; i < def->header_count; i++)
		if (strcasecmp(def->headers[i].name, "Authorization") == 0)
			return def->headers[i].name;
	return def->header_count ? def->headers[0].name : NULL;
}

/* 401 and 403: where to look, never what it holds. */
static void explain_denied(const struct source_def *def, unsigned status, struct err *err)
{
	const char *header = credentials_header(def);

	if (header)
		err_set(err, ERR_SOURCE,
			"answered %u; check header '%s' of source '%s' and the variable it "
			"comes from",
			status, header, def->name);
	else
		err_set(err, ERR_SOURCE,
			"answered %u; source '%s' sends no headers: add credentials", status,
			def->name);
}

static void explain_status(const struct source_def *def, unsigned status, struct err *err)
{
	if (status == 429)
		err_set(err, ERR_SOURCE,
			"answered 429 (too many requests); lower sources.%s.rate", def->name);
	else
		err_set(err, status >= 500 ? ERR_SOURCE : ERR_ITEM, "answered %u", status);
}

static enum verdict judge_304(const struct http_result *result, enum source_cause *ret_cause,
			      struct err *err)
{
	if (result->conditional)
		return VERDICT_SAME;
	*ret_cause = SOURCE_CAUSE_BODY;
	err_set(err, ERR_ITEM, "answered 304 (not modified) to a request without a condition");
	return VERDICT_FAIL;
}

static enum verdict judge_status(const struct http_result *result,
				 const struct source_request *request,
				 enum source_cause *ret_cause, struct err *err)
{
	const struct source_def *def = request->source;
	unsigned status = result->status;

	if (is_empty_status(request, status))
		return VERDICT_EMPTY;
	if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
		return VERDICT_REDIRECT;
	if (status == 304)
		return judge_304(result, ret_cause, err);
	*ret_cause = SOURCE_CAUSE_STATUS;
	if (status == 401 || status == 403) {
		explain_denied(def, status, err);
		return VERDICT_FAIL;
	}
	explain_status(def, status, err);
	return is_retry_status(def, status) ? VERDICT_RETRY : VERDICT_FAIL;
}

static enum verdict over_limit(const struct source_def *def, enum source_cause *ret_cause,
			       struct err *err)
{
	*ret_cause = SOURCE_CAUSE_BODY;
	err_set(err, ERR_ITEM,
		"the body is larger than %" PRIu64 " bytes; raise sources.%s.max_body",
		def->max_body, def->name);
	return VERDICT_FAIL;
}

static enum verdict timed_out(const struct http_result *result, const struct source_def *def,
			      enum source_cause *ret_cause, struct err *err)
{
	*ret_cause = SOURCE_CAUSE_TIMEOUT;
	if (result->connected)
		err_set(err, ERR_SOURCE,
			"no complete answer within %" PRIu64
			" ms; raise sources.%s.timeout if it is slow",
			def->timeout_ms, def->name);
	else
		err_set(err, ERR_SOURCE, "no connection in time (%s)", result->message);
	return VERDICT_RETRY;
}

static const char *unreachable_remedy(CURLcode code)
{
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return "check the host in";
	if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY)
		return "check http_proxy, https_proxy and no_proxy, which apply to";
	return "is it running? see";
}

/* The connection failed: within the body, before it, or it never was. */
static enum verdict broken(const struct http_result *result, const struct source_def *def,
			   enum source_cause *ret_cause, struct err *err)
{
	*ret_cause = result->status ? SOURCE_CAUSE_BODY : SOURCE_CAUSE_CONNECT;
	if (result->status)
		err_set(err, ERR_SOURCE, "the body is truncated (%s)", result->message);
	else if (result->connected)
		err_set(err, ERR_SOURCE, "the connection broke (%s)", result->message);
	else
		err_set(err, ERR_SOURCE, "%s; %s sources.%s.base_url", result->message,
			unreachable_remedy(result->code), def->name);
	return VERDICT_RETRY;
}

/* Failures by what they are; the remedy is looked up beside it. */
static enum verdict judge_transport(const struct http_result *result,
				    const struct source_request *request,
				    enum source_cause *ret_cause, struct err *err)
{
	const struct source_def *def = request->source;

	switch (result->code) {
	case CURLE_OPERATION_TIMEDOUT:
		return timed_out(result, def, ret_cause, err);
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		*ret_cause = SOURCE_CAUSE_BODY;
		err_set(err, ERR_ITEM, "not a valid HTTP answer (%s)", result->message);
		return VERDICT_FAIL;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		*ret_cause = SOURCE_CAUSE_TLS;
		err_set(err, ERR_SOURCE,
			"TLS failed (%s); check base_url and cacert of sources.%s",
			result->message, def->name);
		return VERDICT_FAIL;
	default:
		return broken(result, def, ret_cause, err);
	}
}

enum verdict verdict_of_body(struct bytes body, const struct source_request *request, bool json,
			     enum source_cause *ret_cause, struct err *err)
{
	struct json_error bad = {0};
	size_t line = 0;
	size_t column = 0;

	if (verdict_is_empty_text(request, body))
		return VERDICT_EMPTY;
	if (!json || json_check(body, JSON_STRICT, JSON_DEPTH_DATA, &bad) == 0)
		return VERDICT_BODY;
	json_locate(body, bad.offset, &line, &column);
	*ret_cause = SOURCE_CAUSE_BODY;
	err_set(err, ERR_ITEM, "the body is not JSON: %zu:%zu: %s", line, column, bad.what);
	return VERDICT_FAIL;
}

static enum verdict judge_body(const struct http_result *result,
			       const struct source_request *request, bool json,
			       enum source_cause *ret_cause, struct err *err)
{
	if (!result->coding || strcasecmp(result->coding, "identity") == 0)
		return verdict_of_body(result->body, request, json, ret_cause, err);
	*ret_cause = SOURCE_CAUSE_BODY;
	err_set(err, ERR_ITEM, "sent Content-Encoding %s, which was not asked for",
		result->coding);
	return VERDICT_FAIL;
}

/* 206 answers a Range that we never send. */
static bool has_whole_body(unsigned status)
{
	return status >= 200 && status <= 299 && status != 206;
}

enum verdict verdict_of(const struct http_result *result, const struct source_request *request,
			bool json, enum source_cause *ret_cause, struct err *err)
{
	/* A status that decides does so whatever became of its body. */
	if (result->status >= 200 &&
	    (!has_whole_body(result->status) || is_empty_status(request, result->status)))
		return judge_status(result, request, ret_cause, err);
	if (result->over_limit)
		return over_limit(request->source, ret_cause, err);
	if (result->code != CURLE_OK)
		return judge_transport(result, request, ret_cause, err);
	return judge_body(result, request, json, ret_cause, err);
}

enum verdict_health verdict_health(CURLcode code, unsigned status)
{
	if (code == CURLE_OPERATION_TIMEDOUT)
		return VERDICT_TIMED_OUT;
	if (status == 429)
		return VERDICT_TOO_MANY;
	if (status == 503)
		return VERDICT_OVERLOADED;
	return status == 0 || status >= 500 ? VERDICT_DOWN : VERDICT_SERVED;
}

bool verdict_is_down(enum source_cause cause, unsigned status)
{
	return cause == SOURCE_CAUSE_CONNECT || cause == SOURCE_CAUSE_TIMEOUT ||
	       cause == SOURCE_CAUSE_TLS || (cause == SOURCE_CAUSE_STATUS && status >= 500);
}
