# A link that breaks, falls silent or is slow under every verb: as faults.bats.
load helpers
load verbs
load link/link
load link/table
load link/clock
load link/network

setup() { table_system; }

@test "an answer that ends in the middle: what may be repeated is, the others say so" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=4 [inspect-key]=0 [invalidate]=0 [unlink]=3 [follow]=0 [stats]=0 [bench]=4 [repl]=0
		[discover]=4)
	SAYS=connection met_by cut
}

@test "a reset (RST) in the middle of an answer: as when it ends there, and it is called a reset" {
	VERBS+=("${MORE_VERBS[@]}")
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=4 [inspect-key]=0 [invalidate]=0 [unlink]=3 [follow]=0 [stats]=0 [bench]=4 [repl]=0
		[discover]=4 [audit]=4 [drift]=1 [undo]=3 [soft]=0)
	OVER_TCP=1 SAYS='reset|in the middle of the walk' met_by cut
}

@test "answers that end in the middle again and again: every verb ends within --timeout" {
	declare -A EXITS=([get]=0 [warm]='@(3|4)' [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=3 [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	own_clocks
	BLIND=1 FLIES=1 TIMEOUT=10s SAYS="connection|no answer" met_by cut --always
}

@test "a connection that is half open: every verb ends within --timeout, names the server, and claims nothing" {
	start_network
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=4 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	own_clocks
	BLIND=1 FLIES=1 TIMEOUT=10s HEAL=back SAYS="redis 10.99.0.2:7379/0: .*(no answer|no connection|unknown whether)|trying again" struck_by vanished
}

# The link answers when the client sleeps and all that it sent is answered: how often that happens is what a slow link
# costs, whatever the machine does meanwhile.
trips() { cut -d ' ' -f 1 "$LINK.rounds"; }
count_of() { grep -oP "$1 \K[0-9]+" "$LINK.rounds"; }
# in_step WORDS…: the run in such steps.
in_step() {
	order --lockstep --delay "${DELAY:-0}"
	start_run "$@"
	end_run
	((status == ${EXIT:-0})) || { dump; return 1; }
}
# at_most TRIPS WHAT
at_most() { (($(trips) <= $1)) || fail "$2: expected at most $1 round trips; got $(<"$LINK.rounds")"; }
many() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'SET thing:%d %d EX 300\n' "$i" "$i"
	done | rcli >/dev/null
}

# In few steps whatever it is; a walk is allowed two for each page, a benchmark one for each reading.
few_trips() {
	order --lockstep
	eval "start_run $words"
	end_run
	local pages
	pages=$(count_of SCAN || echo 0)
	[[ $verb != bench ]] || pages=10
	at_most "$((${MOST[$verb]} + 2 * pages))" "$verb"
}

@test "a slow link: every verb asks in few round trips" {
	VERBS+=("${MORE_VERBS[@]}")
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=0 [inspect-key]=0 [invalidate]=0 [unlink]=0 [follow]=0 [stats]=0 [bench]=0 [repl]=0
		[discover]=0 [audit]=0 [drift]=1 [undo]=0 [soft]=0)
	declare -A MOST=([get]=4 [warm]=13 [inspect]=12 [inspect-key]=7 [invalidate]=20 [unlink]=12 [follow]=4 [stats]=6 [bench]=20
		[repl]=3 [discover]=16 [audit]=10 [drift]=10 [undo]=15 [soft]=18)
	each_verb few_trips
}

# How long a trip is shows only after some pages: those of before then are what may come on top.
@test "a slow link: a walk pays one round trip a page, and pages are long" {
	DELAY=6
	many 6000
	in_step inspect -o json
	at_most "$(($(count_of SCAN) + 12))" inspect
	(($(count_of SCAN) <= 10)) || fail "expected at most 10 pages; got $(<"$LINK.rounds")"
	assert_json .keys 6000
	in_step invalidate thing --where 'id=1*' --yes --no-backup --max-keys 20000 -o json
	at_most "$(($(count_of SCAN) + 12))" invalidate
}

@test "a slow link: keys are saved while others are dropped, and come back in windows" {
	DELAY=20
	many 10000
	in_step invalidate thing --all --yes --max-keys 10000 --backup "$DIR/undo" -o json
	assert_json .removed 10000
	at_most 32 'invalidate of 10,000 keys with an undo file'
	in_step invalidate --undo "$DIR/undo" --yes -o json
	assert_json .restored 10000
	at_most 12 'the undo of 10,000 keys'
	in_step invalidate thing --all --soft --in 1h --yes --max-keys 10000 -o json
	assert_json '.kept' 10000
	at_most 40 'to shorten the life of 10,000 keys'
}

# Items that are JSON, each with an index and a set that lead to it.
related() {
	local i
	api_config '"item": { "key": "i:{id}", "ttl": "5m", "type": "string", "json": true,
			"source": { "use": "api", "get": "/things/{id}" } },
		"index": { "key": "x:{name}", "ttl": "5m", "type": "string", "index_of": "item", "holds": "id" },
		"all": { "key": "s:{name}", "ttl": "5m", "type": "set", "members_of": "item", "member": "id" }'
	for ((i = 1; i <= $1; i++)); do
		printf 'SET i:%d "{\\"name\\":\\"n%d\\"}" EX 200\nSET x:n%d %d EX 200\nSADD s:n%d %d\nEXPIRE s:n%d 200\n' \
			"$i" "$i" "$i" "$i" "$i" "$i" "$i"
	done | rcli >/dev/null
}

@test "a slow link: what is read behind a walk goes in batches that grow with it" {
	DELAY=6
	related 2000
	in_step inspect --audit -o json
	assert_json '.keys, (.findings | length)' $'6000\n0'
	at_most 80 'an audit of 4,000 values and 2,000 sets'
	EXIT=1 in_step inspect item --drift 300 -o json
	assert_json .sampled 300
	at_most 50 'the drift of 300 values'
	in_step config discover
	at_most 40 'what is there'
	seq -f 'i:%.0f' 2000 >"$DIR/keys"
	in_step invalidate --keys "$DIR/keys" --dry-run -o json
	assert_json .related 2000
	at_most 60 'the plan of 2,000 keys, and what leads to them'
}

@test "a slow link: warms go in windows, not key by key" {
	local i
	many 2000
	seq 2000 >"$DIR/ids"
	for ((i = 1; i <= 2000; i++)); do
		echo "{\"vars\":{\"id\":\"$i\"},\"value\":{\"v\":$i}}"
	done >"$DIR/lines"
	in_step warm thing --ids "$DIR/ids" --if missing -o json
	assert_json '.requested, .skipped' $'2000\n2000'
	at_most 25 'warm of 2,000 ids that are there'
	in_step warm thing --from "$DIR/lines" -o json
	assert_json '.stored' 2000
	at_most 15 'warm --from of 2,000 rows'
}
