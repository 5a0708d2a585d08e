#!/bin/bash
# tools/lint/shell.sh : shellcheck on every script.
. "$(dirname "$0")/common.sh"
need shellcheck

mapfile -t scripts < <(find tools tests .ci -type f \( -name '*.sh' -o -name '*.bash' \) | sort)
mapfile -t programs < <(grep -lE '^#!.*(bash|/sh)' -r tests .ci tools --include='*' --exclude='*.sh' --exclude='*.bash' --exclude='*.c')
shellcheck -x -P SCRIPTDIR -e SC1091 "${scripts[@]}" "${programs[@]}" || ((++failures))
finish "each message names its page: https://www.shellcheck.net/wiki/SCnnnn"
