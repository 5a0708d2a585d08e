# tools/install.sh and tools/uninstall.sh: what they put where, and what they leave alone.
load helpers

@test "install: manual, completions, profiles, README and licence, under another name too" {
	cd "$ROOT" || return 1
	local to=$DIR/root/usr
	run tools/install.sh "$CCACHE" "$to" callcache "$DIR/root"
	assert_exit 0
	for file in bin/callcache share/man/man1/callcache.1 share/man/man1/callcache-warm.1 share/man/man5/callcache.json.5 \
		share/man/man7/callcache-systems.7 share/bash-completion/completions/callcache \
		share/zsh/site-functions/_callcache share/fish/vendor_completions.d/callcache.fish \
		share/callcache/profiles/leads.json share/doc/callcache/README.md share/doc/callcache/LICENSE; do
		[[ -f $to/$file ]] || fail "$file is not there"
	done
	# shellcheck disable=SC2016
	run bash --norc -c 'source "$1/share/bash-completion/completions/callcache"; complete -p callcache
		COMP_WORDS=("$1/bin/callcache" get mess); COMP_CWORD=2; _callcache; echo "$COMPREPLY"' bash "$to"
	assert_output $'complete -F _callcache callcache\nmessage'
	run grep -rnwE 'ccache' "$to/share/man" "$to/share/bash-completion" "$to/share/zsh" "$to/share/fish"
	refute_output --regexp '[^.]ccache [a-z]|_ccache|Nm ccache'
	mandoc -Tlint -W warning "$to"/share/man/man?/*
	run tools/uninstall.sh "$to" callcache
	assert_exit 0
	assert_equal "$(find "$DIR/root" -type f)" ''
}

@test "install: another program's completion and page stay, and uninstall leaves them" {
	cd "$ROOT" || return 1
	mkdir -p "$DIR/root/share/bash-completion/completions" "$DIR/root/share/man/man1"
	echo 'complete -F _c ccache' >"$DIR/root/share/bash-completion/completions/ccache"
	echo '.TH ccache 1' >"$DIR/root/share/man/man1/ccache.1"
	run --separate-stderr tools/install.sh "$CCACHE" "$DIR/root" ccache "$DIR"
	assert_exit 0
	assert_stderr_line 'completions/ccache is not ours and stays'
	run tools/uninstall.sh "$DIR/root" ccache
	assert_exit 0
	assert_equal "$(cd "$DIR/root" && find . -type f | sort)" $'./share/bash-completion/completions/ccache\n./share/man/man1/ccache.1'
	grep -qx '.TH ccache 1' "$DIR/root/share/man/man1/ccache.1"
}

@test "install: under its own name the files are the repository's" {
	cd "$ROOT" || return 1
	run tools/install.sh "$CCACHE" "$DIR/root" ccache "$DIR"
	assert_exit 0
	cmp man/ccache.1 "$DIR/root/share/man/man1/ccache.1"
	cmp completions/_ccache "$DIR/root/share/zsh/site-functions/_ccache"
	cmp completions/ccache.bash "$DIR/root/share/bash-completion/completions/ccache"
}
