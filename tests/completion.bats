# What the completions offer: bash asked directly (shells.bats tries them at a prompt), and what they ask the program.
load helpers

setup() {
	sandbox
	put_on_path
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

@test "bash completion: sets of the configuration in force" {
	complete_words ccache warm --set ''
	assert_output $'live\ndashboard\ncampaign/'
	complete_words ccache --profile leads warm --set ''
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
