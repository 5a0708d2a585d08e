#ifndef CMD_INVALIDATE_EVENT_FETCH_H
#define CMD_INVALIDATE_EVENT_FETCH_H

struct err;
struct fetcher;

/* The app's fetcher, opened when an event is the first to warm. ctx: struct app. */
struct fetcher *event_fetcher(void *ctx, struct err *err);

#endif
