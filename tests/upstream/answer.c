#include "answer.h"

#include "base/mem.h"
#include "fault.h"
#include "later.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Body that is produced as it is sent; freed by stream_free. */
struct stream {
	struct MHD_Connection *connection;
	struct buf body;
	uint64_t size;
	uint64_t pause_ms; /* between bytes */
	bool paused;
};

static void etag_of(struct bytes body, char etag[32])
{
	snprintf(etag, 32, "\"%016llx\"", bytes_hash(body));
}

static bool is_known_to_client(struct MHD_Connection *connection, const char *etag)
{
	const char *known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_IF_NONE_MATCH);

	return known && (strcmp(known, "*") == 0 || strstr(known, etag));
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value && *value)
		MHD_add_response_header(response, name, value);
}

static enum MHD_Result queue(struct MHD_Connection *connection, unsigned status,
			     struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(connection, status, response);

	MHD_destroy_response(response);
	return result;
}

enum MHD_Result answer_send(struct MHD_Connection *connection, struct answer *answer)
{
	char etag[32];
	struct MHD_Response *response;
	unsigned status = answer->status;

	etag_of(buf_bytes(&answer->body), etag);
	if (status == MHD_HTTP_OK && is_known_to_client(connection, etag)) {
		status = MHD_HTTP_NOT_MODIFIED;
		buf_clear(&answer->body);
	}
	size_t len = answer->body.len;
	response = MHD_create_response_from_buffer(len, buf_steal(&answer->body),
						   MHD_RESPMEM_MUST_FREE);
	add_header(response, MHD_HTTP_HEADER_ETAG, answer->status == MHD_HTTP_OK ? etag : NULL);
	add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, answer->cache_control);
	if (status != MHD_HTTP_NOT_MODIFIED) {
		add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
		add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING,
			   answer->content_encoding);
	}
	return queue(connection, status, response);
}

static void stream_free(void *cls)
{
	struct stream *stream = cls;

	buf_release(&stream->body);
	free(stream);
}

static ssize_t half_of(void *cls, uint64_t at, char *to, size_t max)
{
	struct stream *stream = cls;
	size_t half = stream->body.len / 2;

	if (at >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	size_t len = half - at < max ? half - at : max;
	memcpy(to, stream->body.ptr + at, len);
	return (ssize_t)len;
}

static ssize_t byte_by_byte(void *cls, uint64_t at, char *to, size_t max)
{
	struct stream *stream = cls;

	(void)max;
	stream->paused = !stream->paused;
	if (stream->paused) {
		later_resume(stream->connection, stream->pause_ms);
		return 0;
	}
	*to = stream->body.ptr[at];
	return 1;
}

/* "xxxx…" of the wanted size: a JSON string, so that only its size is wrong. */
static ssize_t very_much(void *cls, uint64_t at, char *to, size_t max)
{
	const struct stream *stream = cls;

	if (at >= stream->size)
		return MHD_CONTENT_READER_END_OF_STREAM;
	uint64_t left = stream->size - at;
	size_t len = left < max ? (size_t)left : max;
	memset(to, 'x', len);
	if (at == 0)
		to[0] = '"';
	if (len == left)
		to[len - 1] = '"';
	return (ssize_t)len;
}

static enum MHD_Result send_stream(struct MHD_Connection *connection, struct answer *answer,
				   uint64_t promised, MHD_ContentReaderCallback read,
				   const struct fault *fault)
{
	struct stream *stream = mem_zalloc(1, sizeof(*stream));
	struct MHD_Response *response;

	*stream = (struct stream){.connection = connection,
				  .body = answer->body,
				  .size = fault->value,
				  .pause_ms = fault->value};
	answer->body = (struct buf){0};
	response =
	    MHD_create_response_from_callback(promised, 64 * 1024, read, stream, stream_free);
	add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	return queue(connection, answer->status, response);
}

static int descriptor_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
	    ->connect_fd;
}

/* Behind the library's back: the bytes leave before it closes the connection. */
static enum MHD_Result send_garbage(struct MHD_Connection *connection)
{
	static const char garbage[] = "\x00\xff+PONG\r\nthis is not HTTP\r\n\r\n";
	int fd = descriptor_of(connection);

	if (send(fd, garbage, sizeof(garbage) - 1, MSG_NOSIGNAL) < 0)
		return MHD_NO;
	shutdown(fd, SHUT_WR);
	return MHD_NO;
}

static enum MHD_Result reset(struct MHD_Connection *connection)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	/* Dissolving the association sends RST at once; a close would come after the library's
	 * FIN. */
	(void)connect(descriptor_of(connection), &nowhere, sizeof(nowhere));
	return MHD_NO;
}

static enum MHD_Result send_status(struct MHD_Connection *connection, const struct fault *fault)
{
	struct buf body = {0};
	char seconds[24] = "";

	buf_printf(&body, "{\"error\":\"fault\",\"status\":%llu}",
		   (unsigned long long)fault->value);
	size_t len = body.len;
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(len, buf_steal(&body), MHD_RESPMEM_MUST_FREE);
	if (fault->retry_after >= 0)
		snprintf(seconds, sizeof(seconds), "%lld", (long long)fault->retry_after);
	add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	add_header(response, MHD_HTTP_HEADER_LOCATION,
		   fault->kind == FAULT_REDIRECT ? fault->url : NULL);
	add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	return queue(connection, (unsigned)fault->value, response);
}

enum MHD_Result answer_spoil(struct MHD_Connection *connection, struct answer *answer,
			     const struct fault *fault)
{
	uint64_t len = answer->body.len;

	switch (fault->kind) {
	case FAULT_TRUNCATE:
		return send_stream(connection, answer, len, half_of, fault);
	case FAULT_TRICKLE:
		return send_stream(connection, answer, len, byte_by_byte, fault);
	case FAULT_HUGE:
		return send_stream(connection, answer, MHD_SIZE_UNKNOWN, very_much, fault);
	case FAULT_STATUS:
	case FAULT_REDIRECT:
		buf_release(&answer->body);
		return send_status(connection, fault);
	case FAULT_GARBAGE:
		buf_release(&answer->body);
		return send_garbage(connection);
	case FAULT_RESET:
		buf_release(&answer->body);
		return reset(connection);
	default:
		return answer_send(connection, answer);
	}
}
