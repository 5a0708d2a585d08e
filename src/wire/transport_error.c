#include "wire/transport_error.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "wire/target.h"

#include <errno.h>
#include <string.h>

/* X509_V_ERR_… of OpenSSL's x509_vfy.h, as CURLINFO_SSL_VERIFYRESULT gives them. */
enum {
	CERT_UNABLE_TO_GET_ISSUER = 2,
	CERT_NOT_YET_VALID = 9,
	CERT_HAS_EXPIRED = 10,
	CERT_SELF_SIGNED = 18,
	CERT_SELF_SIGNED_IN_CHAIN = 19,
	CERT_UNABLE_TO_GET_ISSUER_LOCALLY = 20,
	CERT_UNABLE_TO_VERIFY_LEAF = 21,
};

static int say_certificate(const struct target *target, CURL *easy, const char *detail,
			   struct err *err)
{
	long result = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) {
	case CERT_HAS_EXPIRED:
		return err_set(err, ERR_REDIS,
			       "the server's certificate has expired: renew it there");
	case CERT_NOT_YET_VALID:
		return err_set(err, ERR_REDIS,
			       "the server's certificate is not valid yet: check both clocks");
	case CERT_UNABLE_TO_GET_ISSUER:
	case CERT_SELF_SIGNED:
	case CERT_SELF_SIGNED_IN_CHAIN:
	case CERT_UNABLE_TO_GET_ISSUER_LOCALLY:
	case CERT_UNABLE_TO_VERIFY_LEAF:
		return err_set(
		    err, ERR_REDIS,
		    "the server's certificate was issued by an authority that is not "
		    "trusted%s: give the right one with --cacert FILE",
		    target->cacert ? " by the --cacert file" : " here");
	default:
		if (strstr(detail, "does not match") ||
		    strstr(detail, "no alternative certificate"))
			return err_set(
			    err, ERR_REDIS,
			    "the server's certificate is not for the name '%s': connect "
			    "by its name, or say it with --sni NAME",
			    target->sni ? target->sni : target->host);
		return err_set(err, ERR_REDIS, "the server's certificate is refused: %s",
			       detail);
	}
}

static int say_unreachable(const struct target *target, CURL *easy, const char *detail,
			   struct err *err)
{
	long number = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
	if (number == ECONNREFUSED && target->proxy)
		return err_set(err, ERR_REDIS,
			       "connection refused: is the proxy listening there?");
	if (number == ECONNREFUSED)
		return err_set(err, ERR_REDIS,
			       "connection refused: is a server listening there?");
	if (number == ENOENT)
		return err_set(err, ERR_REDIS,
			       "no such socket: is the server running, and is this its "
			       "'unixsocket' path?");
	if (number == EACCES)
		return err_set(err, ERR_REDIS,
			       "permission denied: this user may not open the socket (the "
			       "server's 'unixsocketperm', or its group)");
	if (number != 0)
		return err_set(err, ERR_REDIS, "cannot connect: %s", strerror((int)number));
	return err_set(err, ERR_REDIS, "cannot connect: %s", detail);
}

static int say_timeout(const struct target *target, bool reached, struct err *err)
{
	struct buf after = {0};

	num_format_duration_ms(&after, (int64_t)target->timeout_ms);
	if (target->tls && reached)
		err_set(
		    err, ERR_REDIS,
		    "no TLS answer within %s: if the server does not speak TLS, drop --tls or "
		    "use redis://",
		    buf_str(&after));
	else
		err_set(err, ERR_REDIS,
			"no connection within %s: check host, port and firewall, or raise "
			"--timeout",
			buf_str(&after));
	buf_release(&after);
	return -1;
}

static int say_handshake(const char *detail, struct err *err)
{
	if (strstr(detail, "wrong version number") ||
	    strstr(detail, "packet length too long") || strstr(detail, "unexpected message"))
		return err_set(err, ERR_REDIS,
			       "the server does not speak TLS: drop --tls or use redis://");
	if (strstr(detail, "certificate required"))
		return err_set(err, ERR_REDIS,
			       "the server wants a client certificate: --cert FILE --key FILE");
	if (strstr(detail, "bad certificate") || strstr(detail, "unknown ca") ||
	    strstr(detail, "handshake failure"))
		return err_set(
		    err, ERR_REDIS,
		    "the server refused our TLS certificate or the lack of one: --cert "
		    "FILE --key FILE (%s)",
		    detail);
	return err_set(err, ERR_REDIS, "the TLS handshake failed: %s", detail);
}

int transport_error_open(const struct target *target, CURL *easy, CURLcode code, bool reached,
			 const char *detail, struct err *err)
{
	const char *said = *detail ? detail : curl_easy_strerror(code);

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(err, ERR_REDIS,
			       "the host name is not known: check its spelling");
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(err, ERR_REDIS, "the proxy's host name is not known");
	case CURLE_COULDNT_CONNECT:
		return say_unreachable(target, easy, said, err);
	case CURLE_OPERATION_TIMEDOUT:
		return say_timeout(target, reached, err);
	case CURLE_PEER_FAILED_VERIFICATION:
		return say_certificate(target, easy, said, err);
	case CURLE_SSL_CONNECT_ERROR:
		return say_handshake(said, err);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_REDIS, "--cacert '%s' cannot be read as a PEM file",
			       target->cacert ? target->cacert : "");
	case CURLE_SSL_CERTPROBLEM:
		if (!target->key)
			return err_set(err, ERR_REDIS,
				       "--cert '%s' holds no private key: give it with --key "
				       "FILE",
				       target->cert ? target->cert : "");
		return err_set(
		    err, ERR_REDIS,
		    "--cert '%s' or --key '%s' cannot be read as PEM files, or they do "
		    "not belong together",
		    target->cert ? target->cert : "", target->key ? target->key : "");
	case CURLE_PROXY:
		return err_set(err, ERR_REDIS, "the proxy refused the connection: %s", said);
	default:
		return err_set(err, ERR_REDIS, "cannot connect: %s", said);
	}
}

int transport_error_broken(const char *detail, struct err *err)
{
	if (strstr(detail, "alert"))
		return say_handshake(detail, err);
	return err_set(err, ERR_REDIS, "the connection broke%s%s", *detail ? ": " : "", detail);
}

const char *transport_error_remedy(struct bytes line)
{
	return bytes_starts_with(line, BYTES("ERR max number of clients"))
		   ? ": raise the server's maxclients, or close idle clients"
		   : "";
}

int transport_error_told(struct bytes line, struct err *err)
{
	struct bytes said = bytes_sub(line, 0, bytes_index(line, '\r'));

	return err_set(err, ERR_REDIS, "%.*s%s", BYTES_ARG(said), transport_error_remedy(said));
}
