#ifndef SOURCE_FILE_H
#define SOURCE_FILE_H

struct local;
struct source_def;

/*
 * The files below def->root, never one outside it: symbolic links are followed
 * only as far as they stay below. Only regular files; an absent one is empty.
 */
struct local *file_new(const struct source_def *def);

#endif
