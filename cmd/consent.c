#include "consent.h"

#include "app.h"

#include "base/buf.h"
#include "base/err.h"
#include "out/terminal.h"

int consent_ask(const struct app *app, struct buf *question, bool given, const char *undone,
		struct err *err)
{
	int answer = given ? 1 : out_confirm(buf_str(question), "yes", app->cancel);

	buf_release(question);
	if (answer > 0)
		return 0;
	if (answer < 0)
		return err_set(err, ERR_REFUSED,
			       "there is no terminal to confirm on: say --yes, or look first "
			       "with --dry-run");
	return err_set(err, ERR_REFUSED, "not confirmed; %s", undone);
}
