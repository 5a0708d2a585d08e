# The manual and the completions say what the program does.
load helpers

setup() {
	sandbox
	put_on_path
}

# --- what is generated ---

@test "docs: what is generated is up to date (make docs)" {
	mkdir "$DIR/made"
	cp -r "$ROOT/man" "$ROOT/completions" "$DIR/made"
	run "$BUILD_DIR/docgen" "$DIR/made"
	assert_exit 0
	for place in man completions; do
		diff -r "$ROOT/$place" "$DIR/made/$place"
	done
}

@test "docs: a page without its generated part, or that is missing, is an error" {
	mkdir "$DIR/made"
	cp -r "$ROOT/man" "$ROOT/completions" "$DIR/made"
	sed -i '/BEGIN OPTIONS/d' "$DIR/made/man/ccache-get.1"
	rm "$DIR/made/man/ccache-ping.1"
	run "$BUILD_DIR/docgen" "$DIR/made"
	assert_exit 1
	assert_output --partial "ccache-get.1: has no part from 'BEGIN OPTIONS (generated)'"
	assert_output --partial 'ccache-ping.1: No such file'
}

@test "docs: an option that the page has not yet comes in" {
	mkdir "$DIR/made"
	cp -r "$ROOT/man" "$ROOT/completions" "$DIR/made"
	sed -i '/^\.It Fl -no-fetch/,+1d' "$DIR/made/man/ccache-get.1"
	run "$BUILD_DIR/docgen" "$DIR/made"
	assert_exit 0
	diff "$ROOT/man/ccache-get.1" "$DIR/made/man/ccache-get.1"
}

# --- every verb and option, everywhere ---

# option_sample VERB OPTION: a value that the parser takes.
option_sample() {
	local kind
	kind=$(_ccache_argument "$1:$2") || return 1
	[[ $kind == words* ]] && set -- x x $kind && echo "$4" && return
	echo 1
}

# exits STATUS ARGS…: what the parser is to say, 0 or 2; --help keeps the verb from running. A session is asked, all at
# once; it does not take the options that begin it, which the program itself is asked about.
exits() {
	local status=0 want=$1
	shift
	if [[ $1 != config ]]; then
		echo "$*" >>"$DIR/script"
		((want == 0)) || echo "$*" >>"$DIR/refused"
		return
	fi
	ccache "$@" >"$DIR/out" 2>&1 </dev/null || status=$?
	((status == want)) || fail "ccache $*: exit $status instead of $want: $(<"$DIR/out")"
}

# The session's verdict on all that exits noted.
settle_exits() {
	ccache repl --keep-going <"$DIR/script" >/dev/null 2>"$DIR/err" || true
	sed -n 's/^ccache: standard input:\([0-9]*\): exit code 2$/\1p/p' "$DIR/err" >"$DIR/lines"
	diff "$DIR/refused" <(sed -nf "$DIR/lines" "$DIR/script") || fail "$(<"$DIR/err")"
	assert_equal "$(grep -c 'exit code' "$DIR/err")" "$(wc -l <"$DIR/refused")"
}

# has LINES LINE. (A thousand times: no process for each.)
has() { [[ $'\n'$1$'\n' == *$'\n'"$2"$'\n'* ]]; }

# page_lists PAGE: its options, a line "Fl NAME" each.
page_lists() { grep '^\.It ' "$ROOT/man/$1" | grep -oE 'Fl [^ ]+'; }
# check_option VERB OPTION PAGE: the last is what its page lists, as $ZSH and $FISH are what the completions do.
check_option() {
	local verb=$1 option=$2 sample
	has "$3" "Fl ${option#-}" || fail "$verb $option: not in its page"
	has "$ZSH" "$option" || fail "$option: not in _ccache"
	if [[ $option == --* ]]; then
		has "$FISH" " -l ${option#--}" || fail "$option: not in ccache.fish"
	else
		has "$FISH" " -s ${option#-}" || fail "$option: not in ccache.fish"
	fi
	if sample=$(option_sample "$verb" "$option"); then
		exits 0 "$verb" "$option" "$sample" --help
		# the last word -h asks for help
		exits "$([[ $option == -h ]] && echo 0 || echo 2)" "$verb" "$option"
	else
		exits 0 "$verb" "$option" --help
		[[ $option == --* ]] || return 0
		exits 2 "$verb" "$option=1"
	fi
}

@test "docs: every verb and option is in manual and completions, and accepted" {
	source "$ROOT/completions/ccache.bash"
	local verb option globals own page
	globals=$(_ccache_options -)
	ZSH=$(grep -oE "[)'*]-[a-zA-Z0-9][+[]|--[a-z-]+[=[]" "$ROOT/completions/_ccache" | sed "s/^[)'*]//; s/[+=[]\$//")
	FISH=$(grep -oE ' -[sl] [^ ]+' "$ROOT/completions/ccache.fish")
	for verb in $_ccache_verbs; do
		grep -qx ".It Cm $verb" "$ROOT/man/ccache.1" || fail "$verb: not in ccache.1"
		grep -qF "'$verb:" "$ROOT/completions/_ccache" || fail "$verb: not in _ccache"
		grep -qF -- "-a $verb -d" "$ROOT/completions/ccache.fish" || fail "$verb: not in ccache.fish"
		own=$(_ccache_options "$verb")
		own=${own#"$globals"}
		[[ ! $own ]] || page=$(page_lists "ccache-$verb.1")
		for option in $own; do
			check_option "$verb" "$option" "$page"
		done
	done
	page=$(page_lists ccache.1)
	for option in $globals; do
		check_option config "$option" "$page"
	done
	settle_exits
}

@test "docs: help lists each verb and option that the completions have, and no other" {
	source "$ROOT/completions/ccache.bash"
	local verb
	verbs=$(ccache help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
	assert_equal "$(echo $verbs)" "$_ccache_verbs"
	for verb in $_ccache_verbs; do
		options=$({ ccache help; ccache help "$verb"; } | sed -n '/ptions.*:$/,/^$/p' | grep -oE '^ +(-[a-zA-Z0-9], )?--[a-z-]+' |
			grep -oE -- '-[a-zA-Z0-9]\b|--[a-z-]+' | sort -u)
		assert_equal "$options" "$(printf '%s\n' $(_ccache_options "$verb") | sort -u)"
	done
}

@test "docs: callcache.json(5) has every field of the schema" {
	local page=$ROOT/man/callcache.json.5
	ccache config schema | jq -r '.. | .properties? // empty | keys[]' | sort -u >fields
	sed -nE 's/^\.(It )?Cm //p' "$page" | tr ' ' '\n' | sort -u >told
	assert_equal "$(comm -23 fields told)" ''
	(($(wc -l <fields) > 50))
	sed -n '/^\.Bd -literal$/,/^\.Ed/{/^\.[BE]d/d;p}' "$page" >"$DIR/callcache.json"
	cc_run config check "$DIR/callcache.json" -o json
	assert_exit 0
	assert_json '[.errors, .warnings, .namespaces]' '[0,0,2]'
}

@test "docs: the manual parses without a warning" {
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	cd "$ROOT" || return 1
	run tools/lint/man.sh
	assert_exit 0
	assert_output ''
}
