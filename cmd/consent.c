#include "consent.h"

#include "base/buf.h"
#include "base/err.h"
#include "out/terminal.h"

int consent_ask(struct buf *question, bool given, const char *undone, struct err *err)
{
	int answer = given ? 1 : out_confirm(buf_str(question), "yes");

	buf_release(question);
	if (answer > 0)
		return 0;
	if (answer < 0)
		return err_set(err, ERR_REFUSED,
			       "there is no terminal to confirm on: say --yes, or look first "
			       "with --dry-run");
	return err_set(err, ERR_REFUSED, "not confirmed; %s", undone);
}
