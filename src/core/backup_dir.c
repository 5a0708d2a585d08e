#include "core/backup_dir.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX ".undo"

/* mkdir -p, new ones for the owner alone. */
static int make_dirs(char *path, struct err *err)
{
	for (char *at = path + 1;; at++) {
		char end = *at;

		if (end != '/' && end != '\0')
			continue;
		*at = '\0';
		int status = mkdir(path, 0700);
		int why = errno;

		if (status != 0 && why != EEXIST)
			return err_set(err, ERR_OUTPUT,
				       "undo directory '%s': %s; --backup FILE writes "
				       "elsewhere, --no-backup saves nothing",
				       path, strerror(why));
		*at = end;
		if (end == '\0')
			return 0;
	}
}

static bool is_ours(const char *name)
{
	size_t len = strlen(name);

	return len > strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

/* Whatever cannot be removed stays; that is no reason not to work. */
static void prune(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat at;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (!is_ours(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &at, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(at.st_mode))
			continue;
		if ((uint64_t)at.st_mtime * 1000 + BACKUP_KEEP_MS < clock_wall_ms())
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

static char *state_dir(struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state && state[0] == '/')
		return mem_printf("%s/callcache/undo", state);
	if (home && home[0] == '/')
		return mem_printf("%s/.local/state/callcache/undo", home);
	err_set(err, ERR_USAGE,
		"no place for the undo file: neither XDG_STATE_HOME nor HOME is set; name one "
		"with --backup FILE, or do without with --no-backup");
	return NULL;
}

int backup_dir_new_path(const char *what, char **ret_path, struct err *err)
{
	char stamp[32];
	char *dir = state_dir(err);
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm utc;

	if (!dir)
		return -1;
	if (make_dirs(dir, err) != 0) {
		free(dir);
		return -1;
	}
	prune(dir);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	for (unsigned try = 0;; try++) { /* one process may make several within a second */
		char *path = mem_printf("%s/%s-%s-%ld%s%.0u" SUFFIX, dir, what, stamp,
					(long)getpid(), try ? "-" : "", try);

		if (access(path, F_OK) != 0) {
			*ret_path = path;
			break;
		}
		free(path);
	}
	free(dir);
	return 0;
}
