#include "core/config.h"
#include "core/config_private.h"

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "core/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)4 << 20)
#define ALL "all"

static void about_file(struct config_report *report, const char *path, const char *what)
{
	struct config_doc doc = {.file = path};

	config_report_add(report, CONFIG_ERROR, &doc, SIZE_MAX, "", "%s", what);
}

static void too_large(struct config_report *report, const char *path, uint64_t size)
{
	struct buf text = {0};

	num_format_size(&text, size);
	buf_printf(&text, " (%llu bytes): a configuration is at most 4 MiB",
		   (unsigned long long)size);
	about_file(report, path, buf_str(&text));
	buf_release(&text);
}

/* The file's text; findings say why not. */
static void read_text(const char *path, int fd, struct config_report *report, struct buf *text)
{
	struct stat st;
	int status;

	if (fstat(fd, &st)) {
		about_file(report, path, strerror(errno));
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		about_file(report, path, "is a directory");
		return;
	}
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > FILE_LIMIT) {
		too_large(report, path, (uint64_t)st.st_size);
		return;
	}
	while ((status = buf_read_fd(text, fd, FILE_LIMIT)) != 0 && errno == EINTR)
		;
	if (status != 0 && errno == EFBIG)
		too_large(report, path, text->len);
	else if (status != 0)
		about_file(report, path, strerror(errno));
}

static bool readable_by_others(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH);
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return mem_bytesdup((struct bytes){path, slash == path ? 1 : (size_t)(slash - path)});
}

struct config_report *config_read(const char *file, struct bytes text,
				  struct config **ret_config)
{
	struct config *config = config_make(file);

	config_add_doc(config, file, NULL, text, false);
	return config_finish(config, config_report_new(), ret_config);
}

struct config_report *config_read_file(const char *path, struct config **ret_config)
{
	struct config_report *report = config_report_new();
	struct config *config = config_make(path);
	struct buf text = {0};
	char *dir = directory_of(path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		about_file(report, path, strerror(errno));
	} else {
		read_text(path, fd, report, &text);
		if (report->errors == 0)
			config_add_doc(config, path, dir, buf_bytes(&text),
				       readable_by_others(fd));
		close(fd);
	}
	free(dir);
	buf_release(&text);
	return config_finish(config, report, ret_config);
}

size_t config_profile_count(void)
{
	return profile_count + 1;
}

const char *config_profile_name(size_t index)
{
	return index < profile_count ? profile_list[index].name : ALL;
}

static const struct profile *find_profile(const char *name)
{
	for (size_t i = 0; i < profile_count; i++)
		if (strcmp(profile_list[i].name, name) == 0)
			return &profile_list[i];
	return NULL;
}

const char *config_profile_text(const char *name)
{
	const struct profile *profile = find_profile(name);

	return profile ? profile->text.ptr : NULL;
}

static void add_profile(struct config *config, const struct profile *profile)
{
	char *file = mem_printf("profile %s", profile->name);

	config_add_doc(config, file, NULL, profile->text, false);
	free(file);
}

struct config_report *config_read_profile(const char *name, struct config **ret_config)
{
	const struct profile *profile = find_profile(name);

	if (!profile && strcmp(name, ALL) != 0)
		return NULL;
	char *origin = mem_printf("profile %s", name);
	struct config *config = config_make(origin);
	free(origin);
	if (profile)
		add_profile(config, profile);
	for (size_t i = 0; !profile && i < profile_count; i++)
		add_profile(config, &profile_list[i]);
	return config_finish(config, config_report_new(), ret_config);
}

static int unknown_profile(const char *name, struct err *err)
{
	const char *names[CONFIG_DOCS_MAX + 1];
	struct buf known = {0};
	size_t count = config_profile_count();

	for (size_t i = 0; i < count; i++) {
		names[i] = config_profile_name(i);
		buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = text_nearest(bytes_of(name), names, count);
	if (near)
		err_set(err, ERR_USAGE, "unknown profile '%.64s'; did you mean '%s'?", name,
			near);
	else
		err_set(err, ERR_USAGE, "unknown profile '%.64s' (there are %s)", name,
			buf_str(&known));
	buf_release(&known);
	return -1;
}

/* The first error as one line. */
static int fail(const struct config_report *report, struct err *err)
{
	const struct config_findings *findings = config_report_findings(report);
	const struct config_finding *first = findings->items;

	while (first->severity != CONFIG_ERROR)
		first++;
	err_set(err, ERR_CONFIG, "%s: %s", first->where, first->text);
	if (findings->errors > 1) {
		struct err whole = *err;

		err_set(err, ERR_CONFIG, "%s (and %zu more: ccache config check)", whole.text,
			findings->errors - 1);
	}
	return -1;
}

static int finish_load(struct config_report *report, struct config *config,
		       struct config **ret_config, struct err *err)
{
	if (!config) {
		fail(report, err);
		config_report_free(report);
		return -1;
	}
	config->report = report;
	*ret_config = config;
	return 0;
}

/* $XDG_CONFIG_HOME/callcache/config.json, ~/.config/…, /etc/…: the first that is there; or
 * NULL. */
static char *default_file(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *paths[2] = {NULL, mem_strdup("/etc/callcache/config.json")};
	char *found = NULL;

	if (xdg && *xdg == '/')
		paths[0] = mem_printf("%s/callcache/config.json", xdg);
	else if (home && *home == '/')
		paths[0] = mem_printf("%s/.config/callcache/config.json", home);
	for (size_t i = 0; i < 2; i++) {
		bool there =
		    paths[i] && !found &&
		    (access(paths[i], F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR));

		if (there)
			found = paths[i];
		else
			free(paths[i]);
	}
	return found;
}

int config_open(const char *path, const char *profile, struct config **ret_config,
		struct config_report **ret_report, struct err *err)
{
	if (path && profile)
		return err_set(
		    err, ERR_USAGE,
		    "a configuration file (%s) and a profile (%s) exclude each other", path,
		    profile);
	char *found = path ? mem_strdup(path) : profile ? NULL : default_file();
	*ret_report = found ? config_read_file(found, ret_config)
			    : config_read_profile(profile ? profile : ALL, ret_config);
	free(found);
	return *ret_report ? 0 : unknown_profile(profile, err);
}

int config_load(const char *path, const char *profile, struct config **ret_config,
		struct err *err)
{
	struct config_report *report = NULL;
	struct config *config = NULL;

	if (config_open(path, profile, &config, &report, err) != 0)
		return -1;
	return finish_load(report, config, ret_config, err);
}
