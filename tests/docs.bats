# The manual, the completions and the README say what the program does.
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

# has TEXT REGEX: in some line, whose ends are line ends. (A thousand times: no process for each.)
has() { [[ $'\n'$1$'\n' =~ $2 ]]; }

# check_option VERB OPTION HELP PAGE: the texts; $ZSH and $FISH are the completions'.
check_option() {
	local verb=$1 option=$2 help=$3 page=$4 name=${2##*-} sample nl=$'\n'
	[[ $option == --* ]] && name=${option#--}
	has "$help" "[ $nl]$option[, $nl]" || fail "$verb $option: not in --help"
	has "$page" "$nl\.It ([^$nl]* )?Fl ${option#-}[ $nl]" || fail "$verb $option: not in its page"
	if [[ $option == --* ]]; then
		has "$ZSH" "${option}[=[]" || fail "$option: not in _ccache"
		has "$FISH" " -l ${name}[ $nl]" || fail "$option: not in ccache.fish"
	else
		has "$ZSH" "[)'*]${option}[+[]" || fail "$option: not in _ccache"
		has "$FISH" " -s ${name}[ $nl]" || fail "$option: not in ccache.fish"
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

@test "docs: every verb and option is in help, manual, completions, and accepted" {
	source "$ROOT/completions/ccache.bash"
	local overview verb help option globals own page
	overview=$(ccache help)
	globals=$(_ccache_options -)
	ZSH=$(<"$ROOT/completions/_ccache") FISH=$(<"$ROOT/completions/ccache.fish")
	for verb in $_ccache_verbs; do
		grep -qE "^  $verb +[a-z]" <<<"$overview" || fail "$verb: not in ccache help"
		grep -qx ".It Cm $verb" "$ROOT/man/ccache.1" || fail "$verb: not in ccache.1"
		[[ $ZSH == *"'$verb:"* ]] || fail "$verb: not in _ccache"
		[[ $FISH == *"-a $verb -d"* ]] || fail "$verb: not in ccache.fish"
		help=$(ccache help "$verb") page=$(cat "$ROOT/man/ccache-$verb.1" 2>/dev/null || true)
		own=$(_ccache_options "$verb")
		for option in ${own#"$globals"}; do
			check_option "$verb" "$option" "$help" "$page"
		done
	done
	page=$(<"$ROOT/man/ccache.1")
	for option in $globals; do
		check_option config "$option" "$overview" "$page"
	done
	settle_exits
}

@test "docs: help lists no verb and no option that the completions do not have" {
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
	local field page=$ROOT/man/callcache.json.5
	for field in $(ccache config schema | jq -r '.. | .properties? // empty | keys[]' | sort -u); do
		grep -qF -- "$field" <(grep -E '^\.(It )?Cm ' "$page" | tr ' ' '\n' | grep -Fx -- "$field") ||
			fail "$field: not in callcache.json.5"
	done
	sed -n '/^\.Bd -literal$/,/^\.Ed/{/^\.[BE]d/d;p}' "$page" >"$DIR/callcache.json"
	cc_run config check "$DIR/callcache.json" -o json
	assert_exit 0
	assert_json '[.errors, .warnings, .namespaces]' '[0,0,2]'
}

# --- what readers will copy ---

# blocks FILE: each example of a page as one line of JSON (a string).
blocks() {
	awk '/^\.Sh /{ on = $2 == "EXAMPLES" }
		!on { next }
		/^\.Bd/ { text = ""; inside = 1; next }
		/^\.Ed/ { printf "%s%c", text, 0; inside = 0; next }
		inside { text = text $0 "\n" }
		/^\.Dl / { printf "%s%c", substr($0, 5), 0 }' "$1" | sed 's/\\e/\\/g' | jq -Rs 'split("\u0000")[:-1][]'
}

# shortly: stdin, but whoever measures for many seconds does so for one.
shortly() { sed -E 's/(--(duration|sample)) [0-9]+s/\1 1s/g'; }

@test "docs: every example of the manual works" {
	start_system
	local page block count=0
	for page in "$ROOT"/man/*.[17]; do
		ccache warm --all -q >/dev/null
		while read -r block; do
			jq -r . <<<"$block" | shortly >"$DIR/example"
			run bash -euo pipefail "$DIR/example"
			[[ $status == 0 ]] || fail "$(basename "$page"): $(cat "$DIR/example"): exit $status: $output"
			((++count))
		done < <(blocks "$page")
	done
	((count >= 25)) || fail "only $count examples were found"
}

@test "docs: every example of the help is accepted" {
	start_system
	ccache warm --all -q >/dev/null
	echo 507f1f77bcf86cd799439011 >ids.txt
	echo '{"key":"message:1","value":1}' >rows.ndjson
	ccache config show >callcache.json
	ccache invalidate message --all --yes -q --backup dropped.undo >/dev/null
	source "$ROOT/completions/ccache.bash"
	local verb line short count=0
	for verb in $_ccache_verbs; do
		while read -r line; do
			((++count))
			[[ $line == *cache.example* ]] && continue # names a server that is nowhere
			short=$(shortly <<<"$line")
			[[ $short == "$line" ]] || bash -c "$line --help" >/dev/null || fail "$line: not accepted"
			run bash -c "$short" </dev/null
			# absent, failed items and an unanswered question are answers too
			[[ $status == [0137] ]] || fail "$line: exit $status: $output"
		done < <(ccache help "$verb" | sed -n 's/^  \(ccache .*\)/\1/p')
	done
	((count >= 15)) || fail "only $count examples were found"
}

@test "docs: the commands of the README's tour work" {
	start_system
	ccache warm --all -q >/dev/null
	local line count=0
	while read -r line; do
		run bash -c "$line"
		[[ $status == 0 ]] || fail "$line: exit $status: $output"
		((++count))
	done < <(sed -n 's/^\$ \(ccache .*\)/\1/p' "$ROOT/README.md")
	((count >= 6)) || fail "only $count commands were found"
	run grep -nE '^.{81,}' "$ROOT/README.md"
	assert_output ''
	sed -n '/^```jsonc/,/^```$/{/^```/d;p}' "$ROOT/README.md" >"$DIR/callcache.json"
	cc_run config check "$DIR/callcache.json" -o json
	assert_exit 0
	assert_json '[.errors, .warnings, .namespaces]' '[0,0,1]'
}

@test "docs: the manual parses without a warning" {
	command -v mandoc >/dev/null || skip 'mandoc is not installed'
	cd "$ROOT" || return 1
	run tools/lint/man.sh
	assert_exit 0
	assert_output ''
}

@test "docs: the README's lines for cron, systemd and CI are what the program takes" {
	local line count=0
	while read -r line; do
		line=${line%% >*} line=${line%% &&*}
		run bash -c "$line --help"
		[[ $status == 0 ]] || fail "$line: exit $status: $output"
		((++count))
	done < <(sed -n '/^## From cron/,/^## Configuration/{s/^[-0-9*\/ ]*\(ccache .*\)/\1/p;s/^ExecStart=.*\(ccache .*\)/\1/p}' "$ROOT/README.md")
	((count >= 9)) || fail "only $count lines were found"
}

@test "docs: the README's session is what tools/capture.sh types, and what comes of it" {
	# figures differ from run to run, what was typed and what is told does not
	plain() { grep -E '^unix:|^ccache: |@dangerous|^[A-Z][a-z ]+  ' | sed -E 's/[0-9.]+ ?(ms|s|m|B|KiB)\b/N/g; s/N+/N/g' | uniq; }
	sed -n '/^<!-- BEGIN CAPTURE/,/^<!-- END CAPTURE/p' "$ROOT/README.md" | plain >want
	API_DELAY_MS=0 "$ROOT/tools/capture.sh" >raw
	plain <raw >got
	diff want got
	(($(wc -l <want) >= 15))
}

@test "docs: the README's table of before and after is what tools/before-after.sh measures" {
	rows() { sed -E 's/[0-9.]+ ms → [0-9.]+ ms/N/'; }
	sed -n '/^<!-- BEGIN BEFORE-AFTER/,/^<!-- END BEFORE-AFTER/p' "$ROOT/README.md" | sed '1d;$d' | rows >want
	REQUESTS=1 "$ROOT/tools/before-after.sh" >raw
	rows <raw >got
	diff want got
	(($(wc -l <want) >= 6))
	# each source took as long as its API was told to
	local namespace told took
	while read -r namespace told; do
		took=$(sed -n "s/^| .$namespace. .*| \([0-9]*\) ms → .*/\1/p" raw)
		((took >= told)) || fail "$namespace took $took ms, not $told: $(cat raw)"
	done < <(sed -n 's/.* row \([a-z-]*\) \([0-9]*\) .*/\1 \2/p' "$ROOT/tools/before-after.sh")
}
