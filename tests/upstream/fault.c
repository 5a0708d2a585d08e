#include "fault.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct rule {
	struct rule *next;
	char *prefix;
	struct fault fault;
	uint64_t left;
	bool forever;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule *rules;

enum fault_kind fault_kind_of(const char *name)
{
	static const char *const names[FAULT_KINDS] = {
	    [FAULT_DELAY] = "delay",       [FAULT_HOLD] = "hold",
	    [FAULT_STATUS] = "status",     [FAULT_TRUNCATE] = "truncate",
	    [FAULT_TRICKLE] = "trickle",   [FAULT_HUGE] = "huge",
	    [FAULT_GARBAGE] = "garbage",   [FAULT_RESET] = "reset",
	    [FAULT_REDIRECT] = "redirect",
	};

	for (int kind = FAULT_NONE + 1; kind < FAULT_KINDS; kind++)
		if (strcmp(names[kind], name) == 0)
			return (enum fault_kind)kind;
	return FAULT_NONE;
}

void fault_add(const char *prefix, const struct fault *fault, uint64_t count)
{
	struct rule *rule = mem_zalloc(1, sizeof(*rule));
	struct rule **end = &rules;

	rule->prefix = mem_strdup(prefix);
	rule->fault = *fault;
	rule->left = count;
	rule->forever = count == 0;
	pthread_mutex_lock(&lock);
	while (*end)
		end = &(*end)->next;
	*end = rule;
	pthread_mutex_unlock(&lock);
}

void fault_clear(void)
{
	pthread_mutex_lock(&lock);
	while (rules) {
		struct rule *next = rules->next;

		free(rules->prefix);
		free(rules);
		rules = next;
	}
	pthread_mutex_unlock(&lock);
}

bool fault_any(void)
{
	pthread_mutex_lock(&lock);
	bool any = rules != NULL;
	pthread_mutex_unlock(&lock);
	return any;
}

bool fault_take(const char *target, struct fault *ret_fault)
{
	struct rule *rule;

	pthread_mutex_lock(&lock);
	for (rule = rules; rule; rule = rule->next)
		if ((rule->forever || rule->left) &&
		    strncmp(target, rule->prefix, strlen(rule->prefix)) == 0)
			break;
	if (rule) {
		rule->left -= rule->forever ? 0 : 1;
		*ret_fault = rule->fault;
	}
	pthread_mutex_unlock(&lock);
	return rule != NULL;
}
