#!/bin/bash
# tools/lint/cppcheck.sh : cppcheck's warnings, portability and performance findings.
. "$(dirname "$0")/common.sh"
need cppcheck

roots=(src)
[[ -d cmd ]] && roots+=(cmd)
cppcheck --quiet --std=c11 --language=c -j2 --error-exitcode=1 --inline-suppr --enable=warning,portability,performance \
	--suppress=missingIncludeSystem --suppress=unusedStructMember --suppress=varFuncNullUB --suppress=CastIntegerToAddressAtReturn --suppress=normalCheckLevelMaxBranches \
	-D_GNU_SOURCE -DCCACHE_VERSION='"0"' -Isrc -Icmd -I"${BUILD:-build}" "${roots[@]}" tests/upstream || ((++failures))
finish "fix it, or where cppcheck is wrong: // cppcheck-suppress NAME with the reason"
