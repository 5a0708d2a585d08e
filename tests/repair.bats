#!/usr/bin/env bats
# inspect --audit --repair: what is safe to put right, after a plan, recorded first.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

# One of each that can be repaired, and some that cannot.
fill_badly() {
	rcli SET call:logs:ever '{}' >/dev/null
	rcli SET call:logs:long '{}' EX 9000 >/dev/null
	rcli SET bici:sess:call:lead:L2 S2 EX 100 >/dev/null
	rcli SADD bici:sess:human:all L1 gone $'b\x01n\xff' >/dev/null
	rcli EXPIRE bici:sess:human:all 1000 >/dev/null
	rcli SET bici:sess:human:L1 '{}' EX 100 >/dev/null
	rcli SET 'cc:m:{gone}4:gone' v:1 EX 100 >/dev/null
	rcli SET call:logs:bad '{' EX 100 >/dev/null
}

@test "repairs what is safe, leaves the rest, and says what is left" {
	fill_badly
	cc_run inspect --audit --repair --yes -o json
	assert_exit 1
	assert_json '[.planned, .repaired, .gone, .failed, .remaining]' '[6,6,0,0,1]'
	assert_json '[.repairs[] | [.code, .planned, .remaining]] | sort' \
		'[["index-dangling",1,0],["member-dangling",2,0],["sidecar-orphan",1,0],["ttl-missing",1,0],["ttl-over",1,0]]'
	local ttl key
	for key in ever long; do
		ttl=$(rcli PTTL call:logs:$key)
		((ttl > 100000 && ttl <= 300000)) || fail "call:logs:$key: $ttl"
	done
	assert_equal "$(rcli SMEMBERS bici:sess:human:all)" L1
	assert_equal "$(rcli EXISTS bici:sess:call:lead:L2 'cc:m:{gone}4:gone')" 0
	assert_equal "$(rcli GET call:logs:bad)" '{'
	# once more: nothing to do
	cc_run inspect --audit --repair --yes -o json
	assert_json '[.planned, .repaired, .backup]' '[0,0,null]'
}

@test "the plan alone; no terminal; too many; a scope" {
	fill_badly
	local before
	before=$(rcli --scan | sort; rcli PTTL call:logs:ever)
	cc_run inspect --audit --repair --dry-run -o json
	assert_exit 1
	assert_json '[.planned, .repaired]' '[6,0]'
	cc_run inspect --audit --repair
	assert_exit 7
	assert_stderr_line 'say --yes'
	cc_run inspect --audit --repair --yes --max-keys 5
	assert_exit 7
	assert_stderr_line '6 repairs are more than --max-keys 5'
	assert_equal "$(rcli --scan | sort; rcli PTTL call:logs:ever)" "$before"
	cc_run inspect call-logs ever --audit --repair --yes -o json
	assert_exit 0
	assert_json '[.planned, .repaired, .remaining]' '[1,1,0]'
	assert_equal "$(rcli EXISTS bici:sess:call:lead:L2)" 1
}

@test "it is recorded first, where only its owner can read" {
	fill_badly
	cc_run inspect --audit --repair --yes --backup "$DIR/undo" -o json
	assert_json .backup "$DIR/undo"
	assert_equal "$(stat -c %a "$DIR/undo")" 600
	[[ $(head -1 "$DIR/undo") == 'callcache undo 1' ]]
	grep -qaF bici:sess:call:lead:L2 "$DIR/undo"
	grep -qaF call:logs:ever "$DIR/undo"
	# a file that is there is not overwritten, and nothing is repaired without one
	rcli SET call:logs:again '{}' >/dev/null
	cc_run inspect --audit --repair --yes --backup "$DIR/undo"
	assert_exit 2
	assert_equal "$(rcli PTTL call:logs:again)" -1
	cc_run inspect --audit --repair --yes --no-backup -o json
	assert_json '[.repaired, .backup]' '[1,null]'
}

badly=(call:logs:ever call:logs:long bici:sess:call:lead:L2 bici:sess:human:all 'cc:m:{gone}4:gone' call:logs:bad)

# values: what every key holds.
values() {
	local key
	# a set's DUMP has its members in any order
	for key in "${badly[@]/bici:sess:human:all/}"; do printf '%s %s\n' "$key" "$(rcli DUMP "$key" | sha1sum)"; done
	rcli SMEMBERS bici:sess:human:all | sort
	rcli DBSIZE
}

@test "what was repaired is undone: everything is as it was" {
	fill_badly
	local key before after
	local -A ends
	for key in bici:sess:call:lead:L2 'cc:m:{gone}4:gone' call:logs:bad bici:sess:human:L1; do rcli EXPIRE "$key" 250 >/dev/null; done
	before=$(values)
	for key in "${badly[@]}"; do ends[$key]=$(rcli PEXPIRETIME "$key"); done
	cc_run inspect --audit --repair --yes --backup "$DIR/undo" -o json
	assert_json '[.planned, .repaired, .failed]' '[7,7,0]'
	[[ $(values) != "$before" ]] || fail 'nothing changed'
	cc_run invalidate --undo "$DIR/undo" --yes -o json
	assert_exit 0
	assert_equal "$(values | sort)" "$(sort <<<"$before")"
	for key in "${badly[@]}"; do
		after=$(rcli PEXPIRETIME "$key")
		# to what passed between the server's clock and its answer
		((after - ends[$key] < 30000 && ends[$key] - after < 30000)) || fail "$key: ended at ${ends[$key]}, now at $after"
	done
	# the same findings as at first
	cc_run inspect --audit --repair --dry-run -o json
	assert_json .planned 7
}

@test "a user without rights: each failure is counted" {
	fill_badly
	rcli ACL SETUSER reader on '>pw' '~*' +@all -eval >/dev/null
	REDIS_URL=unix://reader:pw@$REDIS_SOCKET cc_run inspect --audit --repair --yes -o json
	assert_exit 3
	assert_json '[.planned, .repaired, .failed]' '[6,0,6]'
	assert_stderr_line NOPERM
	assert_equal "$(rcli PTTL call:logs:ever)" -1
}

@test "many findings, a large set" {
	local i members=()
	for ((i = 0; i < 600; i++)); do
		members+=("gone$i")
		echo "SET call:logs:$i {}"
	done | rcli >/dev/null
	for ((i = 0; i < 600; i++)); do members+=("gone$i"); done
	rcli SADD bici:sess:human:all "${members[@]}" >/dev/null
	rcli EXPIRE bici:sess:human:all 1000 >/dev/null
	cc_run inspect --audit --repair --yes -o json
	assert_exit 0
	assert_json '[.planned, .repaired, .remaining]' '[1200,1200,0]'
}

@test "options that do not go together" {
	local bad
	for bad in '--repair' '--repair --ttl' '--audit --yes' '--audit --dry-run' '--audit --max-keys 4' '--audit --backup x' '--no-backup' \
		'--audit --repair --backup x --no-backup' 'call-logs a --repair'; do
		# shellcheck disable=SC2086 # words are meant
		cc_run inspect $bad
		assert_exit 2
	done
	fill_badly
	run --separate-stderr "$CCACHE" repl --read-only -e 'inspect --audit --repair --yes'
	assert_exit 7
	assert_equal "$(rcli PTTL call:logs:ever)" -1
}
