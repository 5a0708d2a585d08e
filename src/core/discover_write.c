#include "core/discover_private.h"

#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "core/namespace.h"
#include "core/template.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define FEW 5 /* keys: too few to be sure of anything */
/* How far apart the ends of keys of different days may be to be of one rule. */
#define DAY_SLACK_MS (5 * MINUTE_MS)

/* A line of comment below the name of a namespace. */
static void add_comment(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_comment(struct buf *buf, const char *format, ...)
{
	va_list args;

	buf_add_str(buf, "      // ");
	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
	buf_add_char(buf, '\n');
}

/* The TTL that people would have written: keys live no longer than it, and the oldest seen
 * nearly as long. */
static int64_t round_ttl_ms(int64_t seen_ms)
{
	static const int64_t nice[] = {
	    SECOND_MS,      2 * SECOND_MS,  3 * SECOND_MS,  5 * SECOND_MS,  10 * SECOND_MS,
	    15 * SECOND_MS, 20 * SECOND_MS, 30 * SECOND_MS, 45 * SECOND_MS, MINUTE_MS,
	    90 * SECOND_MS, 2 * MINUTE_MS,  3 * MINUTE_MS,  5 * MINUTE_MS,  10 * MINUTE_MS,
	    15 * MINUTE_MS, 20 * MINUTE_MS, 30 * MINUTE_MS, 45 * MINUTE_MS, HOUR_MS,
	    90 * MINUTE_MS, 2 * HOUR_MS,    3 * HOUR_MS,    4 * HOUR_MS,    6 * HOUR_MS,
	    8 * HOUR_MS,    12 * HOUR_MS,   DAY_MS,         2 * DAY_MS,     3 * DAY_MS,
	    7 * DAY_MS,     14 * DAY_MS,    30 * DAY_MS,    60 * DAY_MS,    90 * DAY_MS,
	    180 * DAY_MS,   365 * DAY_MS};

	for (size_t i = 0; i < sizeof nice / sizeof *nice; i++)
		if (seen_ms <= nice[i])
			return nice[i];
	return (seen_ms + DAY_MS - 1) / DAY_MS * DAY_MS;
}

static void add_duration(struct buf *buf, int64_t ms)
{
	static const struct {
		int64_t ms;
		char unit;
	} units[] = {{DAY_MS, 'd'}, {HOUR_MS, 'h'}, {MINUTE_MS, 'm'}, {SECOND_MS, 's'}};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (ms % units[i].ms)
			continue;
		buf_printf(buf, "%" PRId64 "%c", ms / units[i].ms, units[i].unit);
		return;
	}
	buf_printf(buf, "%" PRId64 "ms", ms);
}

/* --- one namespace --- */

static void comment_keys(struct buf *buf, const struct discover_family *family)
{
	struct buf text = {0};

	num_format_count(&text, (int64_t)family->keys);
	buf_add_str(&text, family->keys == 1 ? " key" : " keys");
	if (template_var_count(family->key)) {
		buf_add_str(&text, ", such as ");
		text_escape(&text, buf_bytes(&family->example));
	}
	add_comment(buf, "%s", buf_str(&text));
	buf_release(&text);
	if (bytes_equal_str(buf_bytes(&family->pattern), "{id}"))
		add_comment(buf, "unsure: this takes every key without a ':'");
	if (family->shapes > 1)
		add_comment(buf,
			    "unsure: %zu shapes that differ in digits, in a long word or "
			    "below a '/' were taken for one",
			    family->shapes);
}

static bool by_day(const struct discover_family *family)
{
	return family->days_differ && family->plus_min_ms >= 0 &&
	       family->plus_max_ms - family->plus_min_ms <= DAY_SLACK_MS;
}

/* The longest that a key is known to live from its writing on. */
static int64_t life_of(const struct discover_family *family)
{
	return family->life_ms > family->ttl_max_ms ? family->life_ms : family->ttl_max_ms;
}

/*
 * What may be said against the TTL. Where keys are written all the time, what they
 * have left is spread evenly up to the TTL: of n of them the longest has more than
 * 0.05^(1/n) of it, in 19 cases of 20. Where all end at about the same time they
 * were written together, and nothing tells how long ago.
 */
static void doubt_ttl(struct buf *buf, const struct discover_family *family, int64_t ttl_ms)
{
	int64_t life_ms = life_of(family);
	uint64_t count = family->expiring ? family->expiring : 1;
	double most_ms = (double)life_ms / pow(0.05, 1 / (double)count);
	struct buf seen = {0};
	struct buf most = {0};

	num_format_duration_ms(&seen, life_ms);
	if (family->ttl_min_ms * 2 > family->ttl_max_ms && family->keys >= FEW)
		add_comment(buf,
			    "unsure: the longest TTL seen is %s, of keys that were written at "
			    "about the same time: it may be more",
			    buf_str(&seen));
	else if (most_ms > (double)ttl_ms || family->keys < FEW) {
		num_format_duration_ms(&most, (int64_t)most_ms);
		add_comment(buf,
			    "unsure: the longest TTL seen is %s; by the number of keys it may "
			    "be up to %s",
			    buf_str(&seen), buf_str(&most));
	} else if (life_ms * 5 < ttl_ms * 4)
		add_comment(buf, "unsure: the longest TTL seen is %s", buf_str(&seen));
	buf_release(&seen);
	buf_release(&most);
}

static void add_ttl(struct buf *buf, const struct discover_family *family)
{
	int64_t ttl_ms = round_ttl_ms(life_of(family));

	if (by_day(family)) {
		buf_add_str(buf, "      \"ttl\": { \"day\": \"date\", \"plus\": \"");
		/* a little over is what passed between the clock's reading and the command */
		add_duration(buf, round_ttl_ms(family->plus_min_ms > DAY_SLACK_MS
						   ? family->plus_min_ms - DAY_SLACK_MS
						   : family->plus_min_ms));
		buf_add_str(buf, "\" }");
	} else if (family->ttl_max_ms < 0 || family->no_ttl * 2 > family->keys) {
		add_comment(buf, "unsure: %s",
			    family->ttl_max_ms < 0
				? "no key has a TTL; are they meant to live for ever?"
				: "most keys have no TTL, though some have");
		buf_add_str(buf, "      \"ttl\": \"none\"");
	} else {
		if (family->no_ttl)
			add_comment(buf,
				    "unsure: %" PRIu64 " of them have no TTL; forgotten, or "
				    "meant?",
				    family->no_ttl);
		doubt_ttl(buf, family, ttl_ms);
		buf_add_str(buf, "      \"ttl\": \"");
		add_duration(buf, ttl_ms);
		buf_add_char(buf, '"');
	}
}

static const char *type_of(const struct discover_family *family)
{
	for (unsigned type = 0; type < NS_ANY; type++)
		if (family->types == 1u << type)
			return ns_type_names[type];
	return NULL;
}

static void add_type(struct buf *buf, const struct discover_family *family)
{
	const char *type = type_of(family);
	struct buf names = {0};

	if (type) {
		buf_printf(buf, "      \"type\": \"%s\",\n", type);
		return;
	}
	for (unsigned i = 0; i < NS_ANY; i++)
		if (family->types & 1u << i)
			buf_printf(&names, "%s%s", names.len ? ", " : "", ns_type_names[i]);
	add_comment(buf, "unsure: %s%s",
		    names.len ? "keys of several types: " : "type not known", buf_str(&names));
	buf_release(&names);
}

static void add_relation(struct buf *buf, const struct discover_family *family)
{
	const struct discover_family *to = family->leads_to;

	if (!to)
		return;
	bool set = family->types == 1u << NS_SET;
	buf_add_str(buf, ",\n");
	add_comment(buf, "unsure: the %s that were read are ids of '%s'",
		    set ? "members" : "values", to->name);
	buf_printf(buf, "      \"%s\": \"%s\", \"%s\": \"%s\"", set ? "members_of" : "index_of",
		   to->name, set ? "member" : "holds", template_var_name(to->key, 0));
}

static void add_json(struct buf *buf, const struct discover_family *family)
{
	if (family->types != 1u << NS_STRING)
		return;
	bool plain = family->values && family->json * 2 < family->values;
	if (family->values == 0 || (family->json > 0 && family->json < family->values))
		add_comment(buf, "unsure: %zu of %zu values that were read are JSON",
			    family->json, family->values);
	if (plain || (family->leads_to && family->json < family->values))
		buf_add_str(buf, "      \"json\": false,\n");
}

/* A pattern as a string of the configuration, where ${ begins a reference. */
static void add_pattern(struct buf *buf, struct bytes pattern)
{
	struct buf text = {0};

	for (size_t i = 0; i < pattern.len; i++) {
		if (bytes_starts_with(bytes_sub(pattern, i, 2), BYTES("${")))
			buf_add_char(&text, '$');
		buf_add_char(&text, pattern.ptr[i]);
	}
	json_quote(buf, buf_bytes(&text));
	buf_release(&text);
}

static void add_family(struct buf *buf, const struct discover_family *family)
{
	buf_printf(buf, "    \"%s\": {\n", family->name);
	comment_keys(buf, family);
	buf_add_str(buf, "      \"key\": ");
	add_pattern(buf, buf_bytes(&family->pattern));
	buf_add_str(buf, ",\n");
	add_type(buf, family);
	add_json(buf, family);
	add_ttl(buf, family);
	add_relation(buf, family);
	buf_add_str(buf, "\n    }");
}

static bool is_usable(const struct discover_family *family)
{
	return family->key && !family->problem;
}

/* What was seen and is in no namespace. */
static void add_left_out(struct buf *buf, const struct discover *discover)
{
	for (size_t i = 0; i < discover->count; i++) {
		const struct discover_family *family = &discover->families[i];
		struct buf text = {0};

		if (is_usable(family))
			continue;
		text_escape(&text, buf_bytes(&family->pattern));
		buf_printf(buf, "    // left out, %" PRIu64 " key%s '%s': %s\n", family->keys,
			   family->keys == 1 ? "" : "s", buf_str(&text), family->problem);
		buf_release(&text);
	}
	if (discover->rest)
		buf_printf(buf,
			   "    // left out, %" PRIu64 " keys: of too many different shapes\n",
			   discover->rest);
}

static void add_heading(struct buf *buf, const struct discover *discover)
{
	struct buf target = {0};

	text_escape(&target, bytes_of(discover->target));
	buf_printf(buf, "// Inferred from the keys of %s: ", buf_str(&target));
	num_format_count(buf, (int64_t)discover->keys);
	buf_add_str(buf, " looked at");
	if (!discover->complete && discover->total > discover->keys) {
		buf_add_str(buf, " of ");
		num_format_count(buf, (int64_t)discover->total);
	}
	buf_add_str(
	    buf, ".\n// Lines that begin with 'unsure' are guesses: read them, then give the "
		 "namespaces\n// their real names. Nothing in Redis says where values come "
		 "from: 'warm' and 'get'\n// need \"sources\", and a \"source\" in each "
		 "namespace (callcache.json(5)).\n");
	buf_release(&target);
}

void discover_write(const struct discover *discover, struct buf *buf)
{
	bool first = true;

	add_heading(buf, discover);
	buf_add_str(buf, "{\n  \"namespaces\": {\n");
	for (size_t i = 0; i < discover->count; i++) {
		if (!is_usable(&discover->families[i]))
			continue;
		if (!first)
			buf_add_str(buf, ",\n");
		first = false;
		add_family(buf, &discover->families[i]);
	}
	if (!first)
		buf_add_char(buf, '\n');
	add_left_out(buf, discover);
	buf_add_str(buf, "  }\n}\n");
}
