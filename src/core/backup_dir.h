#ifndef CORE_BACKUP_DIR_H
#define CORE_BACKUP_DIR_H

struct err;

/*
 * A path for a new undo file, malloc'd: callcache/undo below $XDG_STATE_HOME or
 * ~/.local/state (made, 0700), WHAT-TIME-PID.undo. Files of ours there that
 * are older than BACKUP_KEEP_MS are removed. ERR_USAGE without HOME,
 * ERR_OUTPUT when the directory cannot be made.
 */
int backup_dir_new_path(const char *what, char **ret_path, struct err *err);

#endif
