#!/bin/sh
# tools/uninstall.sh PREFIX PROGRAM : removes what tools/install.sh put there,
# and only if the program is ours.
set -eu
prefix=$1 program=$2
target=$prefix/bin/$program

if [ -e "$target" ] && ! "$target" --version 2>/dev/null </dev/null | grep -q 'Call Cache'; then
	echo "uninstall: $target is another program; nothing was changed." >&2
	exit 1
fi
rm -f "$target"

# Texts of such a name may be another program's.
remove() {
	if [ -f "$1" ] && grep -q 'Call Cache' "$1"; then rm -f "$1"; fi
}

for page in man/*.1 man/*.5 man/*.7; do
	[ -f "$page" ] || continue
	remove "$prefix/share/man/man${page##*.}/$(basename "$page" | sed "s/^ccache/$program/")"
done
remove "$prefix/share/bash-completion/completions/$program"
remove "$prefix/share/zsh/site-functions/_$program"
remove "$prefix/share/fish/vendor_completions.d/$program.fish"
rm -rf "$prefix/share/callcache" "$prefix/share/doc/callcache"
echo "uninstall: removed $target"
