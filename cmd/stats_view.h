#ifndef CMD_STATS_VIEW_H
#define CMD_STATS_VIEW_H

#include "core/findings.h"
#include "core/stats.h"

#include <stdbool.h>
#include <stddef.h>

struct app;
struct sink;

struct stats_show {
	const char *target;
	unsigned top;   /* so many commands, clients and keys of each namespace */
	bool app_names; /* metrics as the systems' own pages call them */
};

/* The document for programs: everything, in every format but table. */
void stats_view_document(struct sink *sink, const struct stats *stats,
			 const struct findings *findings, const struct stats_show *show);
/* Its tables of details (stats_tables.c). */
void stats_view_operations(struct sink *sink, const struct stats *stats,
			   const struct stats_show *show);
void stats_view_tops(struct sink *sink, const struct stats *stats,
		     const struct stats_show *show);
void stats_view_origins(struct sink *sink, const struct stats *stats);
/* Of a bit of enum stats_denied: the command, and what is missing without it. */
const char *stats_view_denied_command(unsigned bit);
const char *stats_view_denied_effect(unsigned bit);
/* The name of namespace i of stats; the last is "(unclassified)". */
const char *stats_view_name(const struct stats *stats, size_t i);

/* What a past interval showed, for sparklines. */
#define STATS_HISTORY 120
struct stats_history {
	size_t count; /* of the intervals so far */
	double commands[STATS_HISTORY];
	double ratio[STATS_HISTORY]; /* of the server; < 0: no lookups */
	double memory[STATS_HISTORY];
	double (*reads)[STATS_HISTORY]; /* of each namespace; < 0: not known */
};

struct stats_page {
	const struct stats *stats;
	const struct findings *findings;
	const struct stats_show *show;
	const struct stats_history *history; /* of a watch, or NULL */
	unsigned width;                      /* columns; 0: as wide as it takes */
	unsigned height; /* lines that may be used; 0: as many as it takes */
};
/* The page for people. */
void stats_page_print(struct sink *sink, const struct stats_page *page);

#endif
