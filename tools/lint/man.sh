#!/bin/bash
# tools/lint/man.sh : the manual pages parse without a warning.
. "$(dirname "$0")/common.sh"
need mandoc

shopt -s nullglob
for page in man/*.[1-8]; do
	mandoc -Tlint -Wwarning "$page" || ((++failures))
done
finish "mdoc(7) and mandoc(1), DIAGNOSTICS"
