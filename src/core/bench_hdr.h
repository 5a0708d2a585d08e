#ifndef CORE_BENCH_HDR_H
#define CORE_BENCH_HDR_H

#include "core/bench.h"

/*
 * The run's times as a log that HdrHistogram's tools read (HistogramLogWriter,
 * format 1.3; V2 compressed histograms, values in ns): a line for each kind of
 * operation, tagged with its name, and one without a tag for all. Appends to buf.
 */
void bench_hdr_log(const struct bench_result *result, uint64_t wall_ms, struct buf *buf);

#endif
