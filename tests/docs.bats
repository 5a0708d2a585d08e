# The manual, the completions and the README say what the program does.
load helpers

setup() {
	sandbox
	mkdir "$DIR/bin"
	ln -s "$CCACHE" "$DIR/bin/ccache"
	PATH=$DIR/bin:$PATH
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

# accepted STATUS ARGS…: the parser's verdict; --help keeps the verb from running.
accepted() {
	local status=0 want=$1
	shift
	ccache "$@" --help >"$DIR/out" 2>&1 </dev/null || status=$?
	((status == want)) && return
	echo "ccache $* --help: exit $status instead of $want:"
	cat "$DIR/out"
	return 1
}

# check_option VERB OPTION HELP PAGE
check_option() {
	local verb=$1 option=$2 help=$3 page=$4 name=${2##*-} sample
	[[ $option == --* ]] && name=${option#--}
	grep -qE -- "(^| |, )$option(,| |\$)" <<<"$help" || fail "$verb $option: not in --help"
	grep -qE -- "^\.It .*Fl ${option#-}( |\$)" "$page" || fail "$verb $option: not in $page"
	if [[ $option == --* ]]; then
		grep -qE -- "$option[=[]" "$ROOT/completions/_ccache" || fail "$option: not in _ccache"
		grep -qE -- " -l $name( |\$)" "$ROOT/completions/ccache.fish" || fail "$option: not in ccache.fish"
	else
		grep -qE -- "[)'*]$option[+[]" "$ROOT/completions/_ccache" || fail "$option: not in _ccache"
		grep -qE -- " -s $name( |\$)" "$ROOT/completions/ccache.fish" || fail "$option: not in ccache.fish"
	fi
	if sample=$(option_sample "$verb" "$option"); then
		accepted 0 "$verb" "$option" "$sample"
		run ccache "$verb" "$option"
		# the last word -h asks for help
		[[ $option == -h ]] && assert_exit 0 && return
		assert_exit 2
	else
		accepted 0 "$verb" "$option"
		[[ $option == --* ]] || return 0
		run ccache "$verb" "$option=1"
		assert_exit 2
	fi
}

@test "docs: every verb and option is in help, manual, completions, and accepted" {
	source "$ROOT/completions/ccache.bash"
	local overview verb help option globals own
	overview=$(ccache help)
	globals=$(_ccache_options -)
	for verb in $_ccache_verbs; do
		grep -qE "^  $verb +[a-z]" <<<"$overview" || fail "$verb: not in ccache help"
		grep -qx ".It Cm $verb" "$ROOT/man/ccache.1" || fail "$verb: not in ccache.1"
		grep -q "'$verb:" "$ROOT/completions/_ccache" || fail "$verb: not in _ccache"
		grep -q -- "-a $verb -d" "$ROOT/completions/ccache.fish" || fail "$verb: not in ccache.fish"
		help=$(ccache help "$verb")
		own=$(_ccache_options "$verb")
		for option in ${own#"$globals"}; do
			check_option "$verb" "$option" "$help" "$ROOT/man/ccache-$verb.1"
		done
	done
	for option in $globals; do
		check_option config "$option" "$overview" "$ROOT/man/ccache.1"
	done
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

@test "docs: every example of the manual works" {
	start_system
	local page block count=0
	for page in "$ROOT"/man/*.[17]; do
		ccache warm --all -q >/dev/null
		while read -r block; do
			jq -r . <<<"$block" >"$DIR/example"
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
	local verb line count=0
	for verb in $_ccache_verbs; do
		while read -r line; do
			((++count))
			[[ $line == *cache.example* ]] && continue # names a server that is nowhere
			run bash -c "$line" </dev/null
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
	"$ROOT/tools/capture.sh" >raw
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

# --- completion in a real bash ---

# complete_words WORD…: the last one is being completed; the replies, a line each.
complete_words() {
	# shellcheck disable=SC2016 # for the inner shell
	run bash --norc -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ccache "$1" "${!#}" "${@: -2:1}"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$ROOT/completions/ccache.bash" "$@"
	assert_exit 0
}

@test "bash completion: registers, verbs, verbs of help" {
	run bash --norc -c "source '$ROOT/completions/ccache.bash'; complete -p ccache"
	assert_output 'complete -F _ccache ccache'
	complete_words ccache in
	assert_output $'inspect\ninvalidate'
	complete_words ccache --output json in
	assert_output $'inspect\ninvalidate'
	complete_words ccache help w
	assert_output warm
}

@test "bash completion: options, of the verb and of all" {
	complete_words ccache --ou
	assert_output --output
	complete_words ccache warm --d
	assert_output $'--db\n--deadline\n--dry-run'
	complete_words ccache get --dry
	assert_output ''
}

@test "bash completion: choices, also behind =" {
	complete_words ccache --output ''
	assert_output $'table\njson\nndjson\ncsv\nprom'
	complete_words ccache inspect -o n
	assert_output ndjson
	complete_words ccache --output = ''
	assert_output $'table\njson\nndjson\ncsv\nprom'
	complete_words ccache --output = c
	assert_output csv
	complete_words ccache --profile le
	assert_output leads
}

@test "bash completion: files, and nothing where anything may stand" {
	touch "$DIR/one.json"
	complete_words ccache --config "$DIR/on"
	assert_output "$DIR/one.json"
	complete_words ccache config check "$DIR/on"
	assert_output "$DIR/one.json"
	complete_words ccache --port ''
	assert_output ''
	complete_words ccache get call-logs ''
	assert_output subaccountId=
}

@test "bash completion: the verb's --key is a key, the global one a file" {
	touch "$DIR/one.pem"
	complete_words ccache --key "$DIR/on"
	assert_output "$DIR/one.pem"
	complete_words ccache inspect --key "$DIR/on"
	assert_output ''
}

@test "bash completion: namespaces of the configuration in force" {
	complete_words ccache inspect lead-
	assert_output $'lead-context\nlead-conversations\nlead-session\nlead-greeting'
	complete_words ccache --profile messages warm ''
	assert_output $'message\nconversation'
	echo '{"namespaces":{"mine":{"key":"mine:{id}","ttl":5}}}' >"$DIR/mine.json"
	complete_words ccache get --config "$DIR/mine.json" ''
	assert_output mine
	CALLCACHE_CONFIG=$DIR/mine.json complete_words ccache get ''
	assert_output mine
	echo '{' >"$DIR/mine.json"
	CALLCACHE_CONFIG=$DIR/mine.json complete_words ccache get ''
	assert_output ''
}

@test "bash completion: config's actions" {
	complete_words ccache config s
	assert_output $'show\nschema'
	touch "$DIR/one.json"
	complete_words ccache config check "$DIR/on"
	assert_output "$DIR/one.json"
	complete_words ccache config show "$DIR/on"
	assert_output ''
}

@test "zsh and fish completions parse" {
	local checked=''
	if command -v zsh >/dev/null; then
		zsh -n "$ROOT/completions/_ccache"
		checked+=zsh
	fi
	if command -v fish >/dev/null; then
		fish --no-execute "$ROOT/completions/ccache.fish"
		checked+=fish
	fi
	[[ $checked ]] || skip 'neither zsh nor fish is installed'
}

# --- config names, which the completions ask ---

@test "config names: one namespace a line, in the order of the configuration" {
	cc_run config names --profile leads
	assert_exit 0
	assert_no_stderr
	assert_output $'lead\norg-by-phone\nlead-context\nlead-conversations\nlead-session\nlead-greeting'
	cc_run config names
	assert_equal "${#lines[@]}" "$(ccache config check -o json | jq .namespaces)"
	cc_run config names extra
	assert_exit 2
	cc_run config names --config "$DIR/none.json"
	assert_exit 2
	[[ ! $output ]]
}

# --- installation ---

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
