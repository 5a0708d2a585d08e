# What readers will copy, out of the manual, the help and the README, works.
load helpers

setup() {
	sandbox
	put_on_path
}

# blocks FILE: each example of a page as one line of JSON (a string).
blocks() {
	awk '/^\.Sh /{ on = $2 == "EXAMPLES" }
		!on { next }
		/^\.Bd/ { text = ""; inside = 1; next }
		/^\.Ed/ { printf "%s%c", text, 0; inside = 0; next }
		inside { text = text $0 "\n" }
		/^\.Dl / { printf "%s%c", substr($0, 5), 0 }' "$1" | sed 's/\\e/\\/g' | jq -Rs 'split("\u0000")[] | select(. != "")'
}

# shortly: stdin, but whoever measures for many seconds does so for one.
shortly() { sed -E 's/(--(duration|sample)) [0-9]+s/\1 1s/g'; }

@test "every example of the manual works" {
	start_system
	echo '{"event":"call.updated","subaccountId":"507f1f77bcf86cd799439011"}' >events.ndjson
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

@test "every example of the help is accepted" {
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

@test "the commands of the README's tour work" {
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

@test "the README's lines for cron, systemd and CI are what the program takes" {
	local line count=0
	while read -r line; do
		line=${line%% >*} line=${line%% &&*}
		run bash -c "$line --help"
		[[ $status == 0 ]] || fail "$line: exit $status: $output"
		((++count))
	done < <(sed -n '/^## From cron/,/^## Configuration/{s/^[-0-9*\/ ]*\(ccache .*\)/\1/p;s/^ExecStart=.*\(ccache .*\)/\1/p}' "$ROOT/README.md")
	((count >= 9)) || fail "only $count lines were found"
}

@test "the README's session is what tools/capture.sh types, and what comes of it" {
	# figures differ from run to run, what was typed and what is told does not
	plain() { grep -E '^unix:|^ccache: |@dangerous|^[A-Z][a-z ]+  ' | sed -E 's/[0-9.]+ ?(ms|s|m|B|KiB)\b/N/g; s/N+/N/g' | uniq; }
	sed -n '/^<!-- BEGIN CAPTURE/,/^<!-- END CAPTURE/p' "$ROOT/README.md" | plain >want
	API_DELAY_MS=0 "$ROOT/tools/capture.sh" >raw
	plain <raw >got
	diff want got
	(($(wc -l <want) >= 15))
}

@test "the README's table of before and after is what tools/before-after.sh measures" {
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
