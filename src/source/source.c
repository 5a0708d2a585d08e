#include "source/source.h"

#include "base/err.h"
#include "source/dialog.h"

const char *const source_cause_names[] = {
    "none", "connect",  "timeout", "tls",       "status",
    "body", "redirect", "breaker", "cancelled", NULL,
};

static bool is_argument(const struct source_def *def, const char *name)
{
	for (size_t i = 0; def->argv[i]; i++)
		if (bytes_equal_str(dialog_var(def->argv[i]), name))
			return true;
	return false;
}

int source_check_args(const struct source_def *def, const struct source_arg *args, size_t count,
		      struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!bytes_is_utf8(args[i].value))
			return err_set(err, ERR_USAGE,
				       "%s is not UTF-8, which a command is asked in",
				       args[i].name);
		if (args[i].value.len && args[i].value.ptr[0] == '-' &&
		    is_argument(def, args[i].name))
			return err_set(err, ERR_USAGE,
				       "%s begins with '-': the command would take it for an "
				       "option",
				       args[i].name);
	}
	return 0;
}
