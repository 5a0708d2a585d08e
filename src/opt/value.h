#ifndef OPT_VALUE_H
#define OPT_VALUE_H

#include <stdbool.h>

struct err;
struct opt_row;

/*
 * Converts text and stores it in the row's place inside values. spelled is how
 * the user wrote the option ("--port", "-p"). -1 with ERR_USAGE when text is
 * not accepted; the value is then as before.
 */
int opt_value_set(const struct opt_row *row, void *values, const char *spelled,
		  const char *text, struct err *err);
/* Stores "not given" (see OPT_UNSET). */
void opt_value_unset(const struct opt_row *row, void *values);
/* False while it is "not given". */
bool opt_value_given(const struct opt_row *row, const void *values);
/* Frees what the row's value owns. */
void opt_value_release(const struct opt_row *row, void *values);

#endif
