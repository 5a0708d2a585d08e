#include "core/request.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/namespace.h"

#define HOLD_MIN_MS 10000
#define HOLD_MAX_MS 600000

static int fill_text(struct request *request, const struct template *tmpl,
		     const struct var *vars, size_t count, struct bytes *ret_text,
		     struct err *err)
{
	struct buf text = {0};
	int status = template_expand(tmpl, vars, count, &text, err);

	if (status == 0)
		*ret_text = mem_arena_bytes(&request->arena, buf_bytes(&text));
	buf_release(&text);
	return status;
}

static int fill_path(struct request *request, const struct ns_step *step,
		     const struct var *vars, size_t count, struct source_request *ret_step,
		     struct err *err)
{
	struct bytes path;

	if (fill_text(request, step->get, vars, count, &path, err) != 0)
		return -1;
	ret_step->path = path.ptr;
	return 0;
}

static int fill_args(struct request *request, const struct ns_step *step,
		     const struct var *vars, size_t count, struct source_request *ret_step,
		     struct err *err)
{
	size_t arg_count = step->args ? step->arg_count : count;
	struct source_arg *args = mem_arena_alloc(&request->arena, arg_count * sizeof *args);

	for (size_t i = 0; i < arg_count; i++) {
		if (!step->args) {
			args[i].name = mem_arena_bytes(&request->arena, vars[i].name).ptr;
			args[i].value = mem_arena_bytes(&request->arena, vars[i].value);
			continue;
		}
		args[i].name = step->args[i].name;
		if (fill_text(request, step->args[i].value, vars, count, &args[i].value, err) !=
		    0)
			return -1;
	}
	ret_step->args = args;
	ret_step->arg_count = arg_count;
	return source_check_args(step->source, args, arg_count, err);
}

static int expand(struct request *request, const struct ns_step *step, const struct var *vars,
		  size_t count, struct source_request *ret_step, struct err *err)
{
	*ret_step = (struct source_request){.source = step->source,
					    .select = step->body,
					    .json = step->json,
					    .empty = step->empty,
					    .empty_count = step->empty_count,
					    .keep_item = step->keep_item};
	int status = step->get ? fill_path(request, step, vars, count, ret_step, err)
			       : fill_args(request, step, vars, count, ret_step, err);
	if (status != 0 || !step->keep_in)
		return status;

	struct source_request *ids = mem_arena_alloc(&request->arena, sizeof *ids);
	ret_step->keep_only = ids;
	return expand(request, step->keep_in, vars, count, ids, err);
}

int request_prepare_step(struct request *request, const struct ns_step *step,
			 const struct var *vars, size_t count, struct err *err)
{
	mem_arena_clear(&request->arena);
	request->steps = mem_arena_alloc(&request->arena, sizeof *request->steps);
	request->count = 1;
	return expand(request, step, vars, count, request->steps, err);
}

int request_check(const struct ns *ns, struct err *err)
{
	if (ns->step_count > 0)
		return 0;
	if (ns->members_of)
		return err_set(err, ERR_USAGE,
			       "namespace '%s' lists the keys of %s: it is filled when those "
			       "are ('ccache warm %s')",
			       ns->name, ns->members_of->name, ns->members_of->name);
	return err_set(err, ERR_USAGE,
		       "namespace '%s' has no source to fetch from; declare one in its "
		       "configuration",
		       ns->name);
}

int request_prepare(struct request *request, const struct ns *ns, const struct var *vars,
		    size_t count, struct err *err)
{
	if (request_check(ns, err) != 0)
		return -1;
	mem_arena_clear(&request->arena);
	request->steps =
	    mem_arena_alloc(&request->arena, ns->step_count * sizeof *request->steps);
	request->count = ns->step_count;
	for (size_t i = 0; i < ns->step_count; i++)
		if (expand(request, &ns->steps[i], vars, count, &request->steps[i], err) != 0)
			return -1;
	return 0;
}

uint64_t request_hold_ms(const struct ns *ns)
{
	uint64_t hold_ms = 0;

	for (size_t i = 0; i < ns->step_count; i++) {
		const struct source_def *source = ns->steps[i].source;

		hold_ms +=
		    (source->timeout_ms + source->retry.cap_ms) * (source->retry.max + 1);
	}
	if (hold_ms < HOLD_MIN_MS)
		return HOLD_MIN_MS;
	return hold_ms > HOLD_MAX_MS ? HOLD_MAX_MS : hold_ms;
}

void request_release(struct request *request)
{
	mem_arena_release(&request->arena);
	*request = (struct request){0};
}
