#!/bin/bash
# tools/lint/banned.sh : calls that read numbers without a range, write without
# a limit or run a shell stay out of everything but src/base.
. "$(dirname "$0")/common.sh"

calls='atoi|atol|atoll|atof|strtol|strtoul|strtoll|strtoull|strtod|strtof|sprintf|vsprintf|strcpy|strcat|gets|system|popen|strtok'
while read -r hit; do
	complain "$hit"
done < <(grep -rnE "(^|[^a-zA-Z0-9_>.])($calls)\(" src cmd tests/upstream tools --include='*.[ch]' 2>/dev/null | grep -v '^src/base/')
finish "numbers: base/num.h; text: base/buf.h; processes: an argument vector, never a shell"
