#include "ledger.h"

#include "base/buf.h"
#include "base/mem.h"

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct replacement {
	struct replacement *next;
	char *target;
	struct ledger_answer answer;
};

struct tally {
	char *path;
	uint64_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct replacement *replacements;
static struct tally *tallies; /* open addressing; tally_size is a power of two */
static size_t tally_size;
static size_t tally_used;
static uint64_t total;
static cJSON *last;

static struct tally *tally_slot(struct tally *table, size_t size, const char *path)
{
	size_t at = (size_t)bytes_hash(bytes_of(path)) & (size - 1);

	while (table[at].path && strcmp(table[at].path, path) != 0)
		at = (at + 1) & (size - 1);
	return &table[at];
}

static void tally_grow(void)
{
	size_t size = tally_size ? tally_size * 2 : 256;
	struct tally *table = mem_zalloc(size, sizeof(*table));

	for (size_t i = 0; i < tally_size; i++)
		if (tallies[i].path)
			*tally_slot(table, size, tallies[i].path) = tallies[i];
	free(tallies);
	tallies = table;
	tally_size = size;
}

static void tally_add(const char *target)
{
	char *path = mem_bytesdup((struct bytes){target, strcspn(target, "?")});

	if (tally_used * 2 >= tally_size)
		tally_grow();
	struct tally *tally = tally_slot(tallies, tally_size, path);
	tally->count++;
	total++;
	if (tally->path) {
		free(path);
		return;
	}
	tally->path = path;
	tally_used++;
}

static enum MHD_Result add_header(void *headers, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	(void)kind;
	cJSON_AddStringToObject(headers, name, value ? value : "");
	return MHD_YES;
}

void ledger_note(struct MHD_Connection *connection, const char *method, const char *target)
{
	cJSON *now = cJSON_CreateObject();

	cJSON_AddStringToObject(now, "method", method);
	cJSON_AddStringToObject(now, "target", target);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header,
				  cJSON_AddObjectToObject(now, "headers"));
	pthread_mutex_lock(&lock);
	tally_add(target);
	cJSON *before = last;
	last = now;
	pthread_mutex_unlock(&lock);
	cJSON_Delete(before);
}

static void print(struct buf *out, const cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);

	buf_add_str(out, text);
	cJSON_free(text);
}

void ledger_counts(struct buf *out)
{
	cJSON *counts = cJSON_CreateObject();
	cJSON *paths = NULL;

	pthread_mutex_lock(&lock);
	cJSON_AddNumberToObject(counts, "total", (double)total);
	paths = cJSON_AddObjectToObject(counts, "paths");
	for (size_t i = 0; i < tally_size; i++)
		if (tallies[i].path)
			cJSON_AddNumberToObject(paths, tallies[i].path,
						(double)tallies[i].count);
	pthread_mutex_unlock(&lock);
	print(out, counts);
	cJSON_Delete(counts);
}

void ledger_forget(void)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < tally_size; i++)
		free(tallies[i].path);
	free(tallies);
	tallies = NULL;
	tally_size = tally_used = 0;
	total = 0;
	cJSON_Delete(last);
	last = NULL;
	pthread_mutex_unlock(&lock);
}

void ledger_last(struct buf *out)
{
	pthread_mutex_lock(&lock);
	if (last)
		print(out, last);
	else
		buf_add_str(out, "null");
	pthread_mutex_unlock(&lock);
}

/* With the lock held. */
static struct replacement **find(const char *target, size_t len)
{
	struct replacement **at = &replacements;

	while (*at && (strlen((*at)->target) != len || memcmp((*at)->target, target, len) != 0))
		at = &(*at)->next;
	return at;
}

static void unlink_at(struct replacement **at)
{
	struct replacement *gone = *at;

	*at = gone->next;
	free(gone->target);
	free((char *)gone->answer.body.ptr);
	free(gone);
}

void ledger_replace(const char *target, const struct ledger_answer *answer)
{
	struct replacement *replacement = mem_zalloc(1, sizeof(*replacement));

	replacement->target = mem_strdup(target);
	replacement->answer = *answer;
	replacement->answer.body.ptr = mem_bytesdup(answer->body);
	pthread_mutex_lock(&lock);
	struct replacement **at = find(target, strlen(target));
	if (*at)
		unlink_at(at);
	replacement->next = replacements;
	replacements = replacement;
	pthread_mutex_unlock(&lock);
}

bool ledger_restore(const char *target)
{
	pthread_mutex_lock(&lock);
	struct replacement **at = find(target, strlen(target));
	bool found = *at != NULL;
	if (found)
		unlink_at(at);
	pthread_mutex_unlock(&lock);
	return found;
}

bool ledger_replaced(const char *target, struct ledger_answer *ret_answer, struct buf *body)
{
	pthread_mutex_lock(&lock);
	struct replacement *found = *find(target, strlen(target));
	if (!found)
		found = *find(target, strcspn(target, "?"));
	if (found) {
		buf_add(body, found->answer.body);
		*ret_answer = found->answer;
		ret_answer->body = buf_bytes(body);
	}
	pthread_mutex_unlock(&lock);
	return found != NULL;
}
