#!/bin/sh
# tools/install.sh BINARY PREFIX PROGRAM DESTDIR : puts the program, its manual,
# completions, the example profiles, README and licence under PREFIX (which
# includes DESTDIR), named and worded for PROGRAM. A file of such a name that is
# not ours (the C compiler cache is called ccache too) stays, unless FORCE=1.
set -eu
binary=$1 prefix=$2 program=$3 destdir=$4
target=$prefix/bin/$program

is_ours() { "$1" --version 2>/dev/null </dev/null | grep -q 'Call Cache'; }

if [ -e "$target" ] && [ "${FORCE:-}" != 1 ] && ! is_ours "$target"; then
	echo "install: $target is another program (perhaps the C compiler cache); nothing was changed." >&2
	echo "install: use 'make install PROGRAM=callcache', another PREFIX, or FORCE=1 to overwrite it." >&2
	exit 1
fi

install -d "$prefix/bin"
install -m 755 "$binary" "$target"

# named FILE TARGET: a text that names the program, under its installed name. "ccache.VERB" is a schema's name.
named() {
	if [ -e "$2" ] && [ "${FORCE:-}" != 1 ] && ! grep -q 'Call Cache' "$2"; then
		echo "install: warning: $2 is not ours and stays" >&2
		return
	fi
	install -d "$(dirname "$2")"
	if [ "$program" = ccache ]; then
		install -m 644 "$1" "$2"
		return
	fi
	sed -e 's/\<ccache\.\([a-z]\)/@schema@\1/g' -e "s/\\<\(_*\)ccache\>/\1$program/g" -e "s/\\<\(_*\)ccache_/\1${program}_/g" \
		-e "s/\\<CCACHE/$(printf %s "$program" | tr '[:lower:]' '[:upper:]')/" -e 's/@schema@/ccache./g' "$1" >"$2"
	chmod 644 "$2"
}

for page in man/*.1 man/*.5 man/*.7; do
	[ -f "$page" ] || continue
	named "$page" "$prefix/share/man/man${page##*.}/$(basename "$page" | sed "s/^ccache/$program/")"
done
named completions/ccache.bash "$prefix/share/bash-completion/completions/$program"
named completions/_ccache "$prefix/share/zsh/site-functions/_$program"
named completions/ccache.fish "$prefix/share/fish/vendor_completions.d/$program.fish"
install -d "$prefix/share/doc/callcache"
install -m 644 README.md LICENSE "$prefix/share/doc/callcache"
for profile in src/profiles/*.json; do
	[ -f "$profile" ] || continue
	install -d "$prefix/share/callcache/profiles"
	install -m 644 "$profile" "$prefix/share/callcache/profiles/"
done
echo "install: $target"

[ -z "$destdir" ] || exit 0
found=$(command -v "$program" || true)
if [ -n "$found" ] && [ "$(realpath "$found")" != "$(realpath "$target")" ]; then
	echo "install: warning: on your PATH '$program' is $found, which comes before $target" >&2
fi
