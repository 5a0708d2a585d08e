# ccache invalidate --event … and --undo: every action by scripts, by transactions and taken back.
load helpers
load verbs
load link/link

setup() {
	sandbox
	on_redis --enable-debug-command yes
	cat >"$DIR/config.json" <<-'JSON'
		{ "namespaces": {
			"doc": { "key": "doc:{id}", "ttl": "5m" },
			"list": { "key": "list:{id}", "ttl": "5m" },
			"sess": { "key": "sess:{sid}", "ttl": "5m" },
			"lead": { "key": "lead:{id}", "ttl": "5m", "index_of": "sess", "holds": "sid" },
			"conv": { "key": "conv:{id}:{limit}", "ttl": "5m" },
			"human": { "key": "human:{id}", "ttl": "5m" },
			"humans": { "key": "humans:all", "type": "set", "ttl": "5m", "members_of": "human", "member": "id" },
			"h": { "key": "h:{id}", "type": "hash", "ttl": "1h" } },
		"events": {
			"drop": { "do": [{ "invalidate": "doc" }, { "invalidate": "conv", "vars": { "limit": "*" } }] },
			"soon": { "do": [{ "expire": "doc", "in": "100s" }, { "expire": "lead", "in": "100s" },
				{ "expire": "conv", "in": "100s", "vars": { "limit": "*" } }] },
			"keep": { "do": [{ "set": "doc", "value": "/v", "ttl": "keep" }, { "index": "lead" }] },
			"put": { "do": [{ "set": "doc", "value": "/v" }, { "index": "lead" }] },
			"patch": { "do": [{ "patch": "doc", "merge": { "s": "{/v}" } }, { "patch": "list", "ttl": "keep", "merge": { "k": 1 } }] },
			"upsert": { "do": [{ "upsert": "list", "array": "/l", "value": "/e", "match": "/id" }] },
			"remove": { "do": [{ "remove": "list", "array": "/l", "match": "/id", "id": "{/eid}" }] },
			"join": { "do": [{ "upsert": "humans" }] },
			"joinkeep": { "do": [{ "upsert": "humans", "ttl": "keep" }] },
			"leave": { "do": [{ "remove": "humans" }] },
			"count": { "do": [{ "count": "h", "by": { "n": 1, "sum": "{/amount}" }, "once": "{/e}" }] },
			"add": { "do": [{ "count": "h", "by": { "n": 2, "real": 1.5 } }] } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
}

# fill: something of every kind.
fill() {
	rcli FLUSHALL >/dev/null
	rcli MSET doc:2 '{"s":1}' doc:3 plain sess:S1 x lead:2 S1 lead:3 S9 conv:1:5 a conv:1:10 b conv:2:5 c \
		list:1 '{"l":[{"id":1},{"id":2,"big":9007199254740993}]}' >/dev/null
	rcli SET doc:1 '{"s":0,"t":1.50}' PX 250000 >/dev/null
	rcli SADD humans:all 1 2 >/dev/null
	rcli HSET h:1 n 5 other 1 >/dev/null
	rcli PEXPIRE h:1 400000 >/dev/null
	rcli HSET doc:9 f v >/dev/null
}

# Name and payload of events that together do everything.
events() {
	cat <<-'EVENTS'
		patch {"id":"1","v":{"deep":[1,2.0]}}
		soon {"id":"1","sid":"S1"}
		soon {"id":"2","sid":"S1"}
		soon {"id":"3","sid":"S1"}
		keep {"id":"1","sid":"S2","v":{"x":1}}
		keep {"id":"7","sid":"S2","v":"text"}
		put {"id":"2","sid":"S3","v":[1]}
		put {"id":"8","sid":"S3","v":1}
		put {"id":"9","sid":"S3","v":{"over":"a hash"}}
		upsert {"id":"1","e":{"id":2,"n":1}}
		upsert {"id":"1","e":{"id":3}}
		remove {"id":"1","eid":1}
		join {"id":"5"}
		joinkeep {"id":"1"}
		leave {"id":"2"}
		count {"id":"1","amount":-3,"e":"a"}
		count {"id":"1","amount":2.5,"e":"b"}
		count {"id":"1","amount":2.5,"e":"b"}
		count {"id":"2","amount":1,"e":"c"}
		add {"id":"1"}
		add {"id":"3"}
		drop {"id":"3"}
		drop {"id":"1"}
	EVENTS
}

# run_events [options]: all of them, each a run; the undo files in $files.
run_events() {
	local name data
	files=()
	while read -r name data; do
		cc_run invalidate -o json --event "$name" --data "$data" "$@"
		assert_exit 0
		file=$(jq -r '.undo // ""' <<<"$output")
		[[ ! $file ]] || files+=("$file")
	done < <(events)
}

# follow_events [options]: all of them in one run.
follow_events() {
	events | while read -r name data; do
		printf '{"event":"%s",%s\n' "$name" "${data#?}"
	done >"$DIR/lines"
	run --separate-stderr bash -c '"$0" invalidate -o json --follow - "${@:2}" <"$1"' "$CCACHE" "$DIR/lines" "$@"
}

# The data without our counters.
digest() {
	rcli --scan --pattern 'cc:c:*' | xargs -r redis-cli -s "$REDIS_SOCKET" DEL >/dev/null
	rcli DEBUG DIGEST
}

lives() { for key in doc:1 lead:2 h:1; do echo "$key $(rcli PEXPIRETIME $key)"; done; }

@test "by scripts, by transactions that save, where scripts are forbidden: the same; and --undo takes all back" {
	local scripts before
	fill
	follow_events
	assert_json '[.applied, .undo]' '[23,null]'
	scripts=$(digest)
	fill
	rcli ACL SETUSER plain on '>pw' '~*' '&*' +@all -@scripting >/dev/null
	follow_events --user plain -a pw
	assert_json '[.applied, .undo]' '[23,null]'
	assert_equal "$(digest)" "$scripts"
	fill
	before=$(digest)
	lives >"$DIR/lives"
	run_events
	assert_equal "$(digest)" "$scripts"
	assert_equal "$(rcli INFO commandstats | grep -c 'cmdstat_dump:.*failed_calls=[1-9]')" 0
	((${#files[@]} >= 20)) || fail "${#files[@]} undo files"
	for file in $(printf '%s\n' "${files[@]}" | tac); do
		cc_run invalidate --undo "$file" --yes -o json
		assert_exit 0
		assert_adds_up
		assert_json '[.failed, .kept, .expired]' '[0,0,0]'
	done
	rcli --scan --pattern 'cc:o:*' | xargs -r redis-cli -s "$REDIS_SOCKET" DEL >/dev/null
	assert_equal "$(digest)" "$before"
	assert_equal "$(lives)" "$(<"$DIR/lives")"
}

@test "one event's undo file: said, 0600, in the state directory, none for what changes nothing, --backup names it" {
	fill
	cc_run invalidate --event drop --data '{"id":"1"}'
	assert_exit 0
	assert_stderr_line "to take it back: ccache invalidate --undo '$XDG_STATE_HOME/callcache/undo/event-"
	assert_equal "$(stat -c %a "$XDG_STATE_HOME"/callcache/undo/*)" 600
	cc_run invalidate --event drop --data '{"id":"1"}' -o json
	assert_json .undo null
	cc_run invalidate --event drop --data '{"id":"2"}' --backup "$DIR/mine" -o json
	assert_json .undo "$DIR/mine"
	cc_run invalidate --event drop --data '{"id":"3"}' --backup "$DIR/mine"
	assert_exit 2
	assert_stderr_line 'it is there already'
	assert_equal "$(value_of doc:3)" plain
	cc_run invalidate --event drop --data '{"id":"3"}' --backup "$DIR/mine" --no-backup
	assert_exit 2
	cc_run invalidate --event put --data '{"id":"3","sid":"S","v":"a longer text than fits"}' --backup-limit 300
	assert_exit 7
	assert_stderr_line --backup-limit
	assert_equal "$(value_of doc:3)" plain
	cc_run invalidate --resume "$DIR/mine" --yes
	assert_exit 2
	assert_stderr_line 'not of an invalidate run'
}

@test "undo of a count: with its mark whatever was counted since, without one only while nobody did" {
	rcli HSET h:1 n 5 >/dev/null
	rcli PEXPIRE h:1 400000 >/dev/null
	cc_run invalidate --event count --data '{"id":"1","amount":3,"e":"a"}' -o json
	local counted added
	counted=$(jq -r .undo <<<"$output")
	cc_run invalidate --event add --data '{"id":"1"}' -o json
	added=$(jq -r .undo <<<"$output")
	rcli HINCRBY h:1 n 10 >/dev/null
	cc_run invalidate --undo "$added" --yes -o json
	assert_json '[.restored, .kept]' '[0,1]'
	cc_run invalidate --undo "$counted" --yes -o json
	assert_json '[.restored, .kept]' '[1,0]'
	assert_equal "$(rcli HMGET h:1 n sum real | paste -sd' ')" '17  1.5'
	cc_run invalidate --undo "$counted" --yes -o json # its mark is gone: no second time
	assert_json '[.restored, .kept]' '[0,1]'
	# and so it can be counted again
	cc_run invalidate --event count --data '{"id":"1","amount":3,"e":"a"}' -o json
	assert_json '.steps[0].outcome' counted
}

@test "--follow saves with --backup, stops before what it cannot save" {
	fill
	local before
	before=$(digest)
	follow_events --backup mine
	assert_exit 0
	assert_json '[.applied, .undo, (.undo_bytes > 0)]' '[23,"mine",true]'
	cc_run invalidate --undo mine --yes -o json
	assert_json '[.failed, .kept, .expired]' '[0,0,0]'
	rcli --scan --pattern 'cc:o:*' | xargs -r redis-cli -s "$REDIS_SOCKET" DEL >/dev/null
	assert_equal "$(digest)" "$before"
	follow_events --backup small --backup-limit 1KiB
	assert_exit 7
	assert_stderr_line --backup-limit
	cc_run invalidate --undo small --yes --salvage -o json
	assert_json '[.failed, .kept, .expired]' '[0,0,0]'
	rcli --scan --pattern 'cc:o:*' | xargs -r redis-cli -s "$REDIS_SOCKET" DEL >/dev/null
	assert_equal "$(digest)" "$before"
}

@test "a writer racing patches that are saved: nothing is lost, and what was saved is what stood there" {
	rcli SET doc:1 '{"n":0}' >/dev/null
	in_background racer bash -c "while :; do redis-cli -s '$REDIS_SOCKET' EVAL \"local v=redis.call('GET','doc:1') redis.call('INCR','writes') redis.call('SET','doc:1',(string.gsub(v,'\\\"n\\\":(%d+)',function(n) return '\\\"n\\\":'..(n+1) end))) return 1\" 0; done"
	local racer=$STARTED
	wait_for grep -q 1 "$DIR/racer"
	for i in {1..100}; do echo "{\"event\":\"patch\",\"id\":\"1\",\"v\":$i}"; done >"$DIR/lines"
	run --separate-stderr bash -c '"$0" invalidate -o json --follow - --backup mine <"$1"' "$CCACHE" "$DIR/lines"
	stop "$racer"
	assert_exit 0
	assert_json .applied 100
	assert_equal "$(value_of doc:1)" "{\"n\":$(rcli GET writes),\"s\":100}"
}

@test "events are counted: per namespace, errors apart" {
	fill
	cc_run invalidate --event drop --data '{"id":"1"}'
	cc_run invalidate --event patch --data '{"id":"3","v":1}'
	assert_exit 3
	printf '{"event":"put","id":"1","sid":"S","v":1}\n{"event":"drop","id":"2"}\n' >"$DIR/lines"
	run --separate-stderr bash -c '"$0" invalidate -o json --follow - <"$1"' "$CCACHE" "$DIR/lines"
	assert_equal "$(rcli HMGET cc:c:doc invalidate.ok set.ok set.error | paste -sd' ')" '2 1 1'
	assert_equal "$(rcli HMGET cc:c:conv invalidate.ok | paste -sd' ')" 3
	cc_run stats -o json
	assert_exit 0
	[[ $output == *invalidat* ]] || fail "$output"
}

@test "a count without a mark is not done twice when its answer is lost, and is not called done" {
	echo '{"event":"add","id":"1"}' >"$DIR/line"
	local run words
	for run in '--event add --data {"id":"1"}' '--event add --data {"id":"1"} --no-backup' '--follow -' '--follow - --backup mine'; do
		rcli DEL h:1 >/dev/null
		start_link --at EXEC,EVALSHA --do cut
		read -ra words <<<"$run"
		INPUT=$DIR/line start_run invalidate -o json "${words[@]}"
		end_run
		assert_exit 3
		assert_stderr_line 'the connection broke before Redis answered: unknown whether it was'
		assert_json '.failed' 1
		assert_equal "$run: $(rcli HMGET h:1 n real | paste -sd' ')" "$run: 2 1.5"
	done
	# one with a mark can tell
	start_link --at EXEC --do cut
	start_run invalidate -o json --event count --data '{"id":"1","amount":1,"e":"x"}'
	end_run
	assert_exit 0
	assert_equal "$(rcli HMGET h:1 n sum | paste -sd' ')" '3 1'
}
