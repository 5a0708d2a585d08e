#include "warm_when.h"

#include "app.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"

#include <time.h>

static int parse(const char *text, struct tm *day, struct err *err)
{
	struct bytes rest = bytes_of(text);
	size_t colon = bytes_index(rest, ':');
	uint64_t hour = 0, minute = 0;

	if (colon > 2 || rest.len - colon != 3 ||
	    num_parse_u64(bytes_sub(rest, 0, colon), 0, 23, &hour) != 0 ||
	    num_parse_u64(bytes_sub(rest, colon + 1, 2), 0, 59, &minute) != 0)
		return err_set(err, ERR_USAGE,
			       "--until '%s': not a time of day; write HH:MM, such as 06:00",
			       text);
	day->tm_hour = (int)hour;
	day->tm_min = (int)minute;
	day->tm_sec = 0;
	day->tm_isdst = -1;
	return 0;
}

int warm_when_until(struct app *app, const char *text, uint64_t *ret_deadline_ms,
		    struct err *err)
{
	time_t now = time(NULL);
	struct tm day;

	localtime_r(&now, &day);
	if (parse(text, &day, err) != 0)
		return -1;
	struct tm tomorrow = day;
	time_t then = mktime(&day);
	if (then <= now) {
		tomorrow.tm_mday++;
		then = mktime(&tomorrow);
		app_info(app, "--until %s is past for today: it means tomorrow", text);
	}
	*ret_deadline_ms = clock_mono_ms() + (uint64_t)(then - now) * 1000;
	return 0;
}
