#ifndef CMD_STATS_VIEW_H
#define CMD_STATS_VIEW_H

#include "core/findings.h"
#include "core/stats.h"
#include "out/sink.h"

#include <stdbool.h>
#include <stddef.h>

struct stats_show {
	const char *target;
	const struct sentinel *sentinel; /* that told where it is, or NULL */
	unsigned top;   /* so many commands, clients and keys of each namespace */
	bool app_names; /* metrics as the systems' own pages call them */
};

/* A column, or a figure, that may be a metric. */
#define FIELD(name_, unit_, metric_, help_)                                                    \
	{                                                                                      \
		.name = (name_), .title = (name_), .unit = (unit_), .metric = (metric_),       \
		.help = (help_)                                                                \
	}
/* Numbers that are not known when they are negative. */
struct out_value stats_view_known(int64_t value);
struct out_value stats_view_share(uint64_t part, uint64_t whole);
struct out_value stats_view_ratio(int64_t hits, int64_t misses);

/* The document for programs: everything, in every format but table. */
void stats_view_document(struct sink *sink, const struct stats *stats,
			 const struct findings *findings, const struct stats_show *show);
/* Its tables of servers and of namespaces (stats_view_rows.c). */
void stats_view_nodes(struct sink *sink, const struct stats *stats);
void stats_view_namespaces(struct sink *sink, const struct stats *stats);
/* Its tables of details (stats_tables.c). */
void stats_view_operations(struct sink *sink, const struct stats *stats,
			   const struct stats_show *show);
void stats_view_tops(struct sink *sink, const struct stats *stats,
		     const struct stats_show *show);
void stats_view_origins(struct sink *sink, const struct stats *stats);
/* Of a bit of enum stats_denied: the command, and what is missing without it. */
const char *stats_view_denied_command(unsigned bit);
const char *stats_view_denied_effect(unsigned bit);
/* How a sample ended: "whole", "lines", … */
const char *stats_view_end_code(enum traffic_end end);
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
/*
 * Its tables (stats_page_tables.c). most: rows that fit, 0: all. What was
 * counted by the program itself comes in a table of its own where the width
 * does not hold it beside the rest.
 */
void stats_page_namespaces(struct sink *sink, const struct stats_page *page, size_t most);
void stats_page_nodes(struct sink *sink, const struct stats_page *page, size_t most);
/* Text in as many lines as it takes. */
void stats_page_text(struct sink *sink, const struct stats_page *page, const char *text);
/* What the program counted of a namespace, all together. */
uint64_t stats_page_own(const struct tally_figures *own);
void stats_page_spark(struct buf *line, const char *name, const double *values, size_t count);

#endif
