#include "wire/resp_scan.h"

#define TEXT_MAX 64
#define NUMBER_DIGITS 18
#define LENGTH_DIGITS 9

static bool ends_line(const char *at)
{
	return at[0] == '\r' && at[1] == '\n';
}

/* The digits at data and the CR LF behind them; returns their length together, 0: no. */
static size_t scan_number(const char *data, size_t len, size_t digits_max, int64_t *ret_number)
{
	int64_t number = 0;
	size_t at = 0;

	for (; at < len && at < digits_max && data[at] >= '0' && data[at] <= '9'; at++)
		number = number * 10 + (data[at] - '0');
	if (at == 0 || (data[0] == '0' && at > 1) || len < at + 2 || !ends_line(data + at))
		return 0;
	*ret_number = number;
	return at + 2;
}

static size_t scan_bulk(const char *data, size_t len, struct reply *ret_reply)
{
	int64_t size = 0;

	if (len >= 5 && data[1] == '-' && data[2] == '1' && ends_line(data + 3)) {
		*ret_reply = (struct reply){.type = REPLY_NIL};
		return 5;
	}
	size_t head = 1 + scan_number(data + 1, len - 1, LENGTH_DIGITS, &size);
	size_t end = head + (size_t)size;
	if (head == 1 || len < end + 2 || !ends_line(data + end))
		return 0;
	*ret_reply = (struct reply){.type = REPLY_STRING, .text = {data + head, (size_t)size}};
	return end + 2;
}

static size_t scan_integer(const char *data, size_t len, struct reply *ret_reply)
{
	size_t sign = len > 1 && data[1] == '-' ? 1 : 0;
	int64_t number = 0;
	size_t read = scan_number(data + 1 + sign, len - 1 - sign, NUMBER_DIGITS, &number);

	if (read == 0 || (sign && number == 0))
		return 0;
	*ret_reply = (struct reply){.type = REPLY_INTEGER, .integer = sign ? -number : number};
	return 1 + sign + read;
}

static size_t scan_status(const char *data, size_t len, struct reply *ret_reply)
{
	size_t end = 1;

	while (end < len && end <= TEXT_MAX && data[end] != '\r' && data[end] != '\n')
		end++;
	if (len < end + 2 || !ends_line(data + end))
		return 0;
	*ret_reply = (struct reply){.type = REPLY_STATUS, .text = {data + 1, end - 1}};
	return end + 2;
}

size_t resp_scan(const char *data, size_t len, struct reply *ret_reply)
{
	if (len == 0)
		return 0;
	switch (data[0]) {
	case '$':
		return scan_bulk(data, len, ret_reply);
	case ':':
		return scan_integer(data, len, ret_reply);
	case '+':
		return scan_status(data, len, ret_reply);
	default:
		return 0;
	}
}
