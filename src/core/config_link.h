#ifndef CORE_CONFIG_LINK_H
#define CORE_CONFIG_LINK_H

#include "core/config_private.h"

/* Fills ns->steps and ns->list from what the file says of them. */
void config_link_source(struct config_reader *reader, const struct conf_ns *conf,
			struct ns *ns);
void config_link_list(struct config_reader *reader, const struct conf_ns *conf, struct ns *ns);

#endif
