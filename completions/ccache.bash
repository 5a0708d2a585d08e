# shellcheck shell=bash
# Completion of ccache (Call Cache) for bash 4 and newer. The tables come from
# the program's option rows: `make docs` renews them.

# BEGIN TABLES (generated)
_ccache_verbs='get warm inspect invalidate stats bench config ping repl help'
# which choose the server and the configuration
_ccache_settled=' --host -h --port -p --socket -s --uri -u --db -n --pass -a --user --sentinel-user --sentinel-pass --cacert --cert --key --sni --proxy --timeout --config --profile'
_ccache_settled_flags=' --tls --insecure'

# the options of VERB
_ccache_options() {
	echo ' --host -h --port -p --socket -s --uri -u --db -n --pass -a --user --askpass --sentinel-user --sentinel-pass --tls --cacert --cert --key --sni --insecure --proxy --timeout --config --profile --output -o --quiet -q --progress --log-level --log-format --help --version'
	case $1 in
	get) echo ' --meta --no-fetch --no-store --refresh' ;;
	warm) echo ' --all --set --ids --from --existing --if --expiring --ttl --deadline --until --failures --prune --evict --ephemeral --if-locked --dry-run' ;;
	inspect) echo ' --key --match --where --limit --summary --sample --top --by --raw --max-value --ttl --audit --repair --dry-run --yes -y --max-keys --backup --no-backup --drift --examples --replica-reads' ;;
	invalidate) echo ' --where --all --key --keys --null -0 --match --tag --older-than --ttl-below --ttl-above --everything --no-relations --dry-run --yes -y --max-keys --soft --in --throttle --rewarm --verify --backup --no-backup --backup-limit --undo --salvage --elsewhere --resume --event --data --explain --follow --event-field --bad-events --group --consumer --claim-after --max-tries --dead-letter --report-every' ;;
	stats) echo ' --sample --scan --max-lines --max-bytes --max-latency --top --watch --check --fail-if --replica-reads --textfile --metric-names --reset --yes -y' ;;
	bench) echo ' --max --clients --pipeline --threads --rate --ramp-to --poisson --duration --requests --warm-up --mix --miss --keys --size --ttl --pick --exponent --seed --command --prepare --ids --read-live --sample --sample-ttl --verify --assert --hdr --rounds --baseline --max-regress --source --stampede --source-latency --preset --job --save-job --yes -y --dry-run' ;;
	config) echo ' --max-keys' ;;
	ping) echo ' --count' ;;
	repl) echo ' --execute -e --keep-going --verbose --read-only --no-history --no-hints --complete' ;;
	esac
}

# VERB:OPTION → what its argument may be; fails when it takes none
_ccache_argument() {
	case $1 in
	get:--meta) return 1 ;;
	get:--no-fetch) return 1 ;;
	get:--no-store) return 1 ;;
	get:--refresh) return 1 ;;
	warm:--all) return 1 ;;
	warm:--set) echo 'dynamic' ;;
	warm:--ids) echo 'file' ;;
	warm:--from) echo 'file' ;;
	warm:--existing) return 1 ;;
	warm:--if) echo 'words changed always missing expiring' ;;
	warm:--expiring) echo 'any' ;;
	warm:--ttl) echo 'any' ;;
	warm:--deadline) echo 'any' ;;
	warm:--until) echo 'any' ;;
	warm:--failures) echo 'file' ;;
	warm:--prune) return 1 ;;
	warm:--evict) return 1 ;;
	warm:--ephemeral) return 1 ;;
	warm:--if-locked) echo 'words fail ok' ;;
	warm:--dry-run) return 1 ;;
	inspect:--key) echo 'dynamic' ;;
	inspect:--match) echo 'dynamic' ;;
	inspect:--where) echo 'dynamic' ;;
	inspect:--limit) echo 'any' ;;
	inspect:--summary) return 1 ;;
	inspect:--sample) echo 'any' ;;
	inspect:--top) echo 'any' ;;
	inspect:--by) echo 'words bytes idle freq ttl expiry' ;;
	inspect:--raw) return 1 ;;
	inspect:--max-value) echo 'any' ;;
	inspect:--ttl) return 1 ;;
	inspect:--audit) return 1 ;;
	inspect:--repair) return 1 ;;
	inspect:--dry-run) return 1 ;;
	inspect:--yes) return 1 ;;
	inspect:--max-keys) echo 'any' ;;
	inspect:--backup) echo 'file' ;;
	inspect:--no-backup) return 1 ;;
	inspect:--drift) echo 'any' ;;
	inspect:--examples) echo 'any' ;;
	inspect:--replica-reads) return 1 ;;
	invalidate:--where) echo 'dynamic' ;;
	invalidate:--all) return 1 ;;
	invalidate:--key) echo 'dynamic' ;;
	invalidate:--keys) echo 'file' ;;
	invalidate:--null) return 1 ;;
	invalidate:--match) echo 'dynamic' ;;
	invalidate:--tag) echo 'any' ;;
	invalidate:--older-than) echo 'any' ;;
	invalidate:--ttl-below) echo 'any' ;;
	invalidate:--ttl-above) echo 'any' ;;
	invalidate:--everything) return 1 ;;
	invalidate:--no-relations) return 1 ;;
	invalidate:--dry-run) return 1 ;;
	invalidate:--yes) return 1 ;;
	invalidate:--max-keys) echo 'any' ;;
	invalidate:--soft) return 1 ;;
	invalidate:--in) echo 'any' ;;
	invalidate:--throttle) echo 'any' ;;
	invalidate:--rewarm) return 1 ;;
	invalidate:--verify) return 1 ;;
	invalidate:--backup) echo 'file' ;;
	invalidate:--no-backup) return 1 ;;
	invalidate:--backup-limit) echo 'any' ;;
	invalidate:--undo) echo 'file' ;;
	invalidate:--salvage) return 1 ;;
	invalidate:--elsewhere) return 1 ;;
	invalidate:--resume) echo 'file' ;;
	invalidate:--event) echo 'dynamic' ;;
	invalidate:--data) echo 'file' ;;
	invalidate:--explain) return 1 ;;
	invalidate:--follow) echo 'any' ;;
	invalidate:--event-field) echo 'any' ;;
	invalidate:--bad-events) echo 'words skip stop' ;;
	invalidate:--group) echo 'any' ;;
	invalidate:--consumer) echo 'any' ;;
	invalidate:--claim-after) echo 'any' ;;
	invalidate:--max-tries) echo 'any' ;;
	invalidate:--dead-letter) echo 'any' ;;
	invalidate:--report-every) echo 'any' ;;
	stats:--sample) echo 'any' ;;
	stats:--scan) return 1 ;;
	stats:--max-lines) echo 'any' ;;
	stats:--max-bytes) echo 'any' ;;
	stats:--max-latency) echo 'any' ;;
	stats:--top) echo 'any' ;;
	stats:--watch) echo 'any' ;;
	stats:--check) return 1 ;;
	stats:--fail-if) echo 'any' ;;
	stats:--replica-reads) return 1 ;;
	stats:--textfile) echo 'file' ;;
	stats:--metric-names) echo 'words callcache app' ;;
	stats:--reset) return 1 ;;
	stats:--yes) return 1 ;;
	bench:--max) return 1 ;;
	bench:--clients) echo 'any' ;;
	bench:--pipeline) echo 'any' ;;
	bench:--threads) echo 'any' ;;
	bench:--rate) echo 'any' ;;
	bench:--ramp-to) echo 'any' ;;
	bench:--poisson) return 1 ;;
	bench:--duration) echo 'any' ;;
	bench:--requests) echo 'any' ;;
	bench:--warm-up) echo 'any' ;;
	bench:--mix) echo 'any' ;;
	bench:--miss) echo 'any' ;;
	bench:--keys) echo 'any' ;;
	bench:--size) echo 'any' ;;
	bench:--ttl) echo 'any' ;;
	bench:--pick) echo 'words uniform zipfian sequential' ;;
	bench:--exponent) echo 'any' ;;
	bench:--seed) echo 'any' ;;
	bench:--command) echo 'any' ;;
	bench:--prepare) echo 'any' ;;
	bench:--ids) echo 'file' ;;
	bench:--read-live) return 1 ;;
	bench:--sample) echo 'any' ;;
	bench:--sample-ttl) return 1 ;;
	bench:--verify) return 1 ;;
	bench:--assert) echo 'any' ;;
	bench:--hdr) echo 'file' ;;
	bench:--rounds) echo 'any' ;;
	bench:--baseline) echo 'file' ;;
	bench:--max-regress) echo 'any' ;;
	bench:--source) return 1 ;;
	bench:--stampede) echo 'any' ;;
	bench:--source-latency) echo 'any' ;;
	bench:--preset) echo 'words call-logs conversations dashboard sessions messages' ;;
	bench:--job) echo 'file' ;;
	bench:--save-job) echo 'file' ;;
	bench:--yes) return 1 ;;
	bench:--dry-run) return 1 ;;
	config:--max-keys) echo 'any' ;;
	ping:--count) echo 'any' ;;
	repl:--execute | repl:-e) echo 'any' ;;
	repl:--keep-going) return 1 ;;
	repl:--verbose) return 1 ;;
	repl:--read-only) return 1 ;;
	repl:--no-history) return 1 ;;
	repl:--no-hints) return 1 ;;
	repl:--complete) return 1 ;;
	*:--host | *:-h) echo 'any' ;;
	*:--port | *:-p) echo 'any' ;;
	*:--socket | *:-s) echo 'file' ;;
	*:--uri | *:-u) echo 'any' ;;
	*:--db | *:-n) echo 'any' ;;
	*:--pass | *:-a) echo 'any' ;;
	*:--user) echo 'any' ;;
	*:--sentinel-user) echo 'any' ;;
	*:--sentinel-pass) echo 'any' ;;
	*:--cacert) echo 'file' ;;
	*:--cert) echo 'file' ;;
	*:--key) echo 'file' ;;
	*:--sni) echo 'any' ;;
	*:--proxy) echo 'any' ;;
	*:--timeout) echo 'any' ;;
	*:--config) echo 'file' ;;
	*:--profile) echo 'words call-logs realtime sessions messages leads all' ;;
	*:--output | *:-o) echo 'words table json ndjson csv prom' ;;
	*:--progress) echo 'words auto bar lines off' ;;
	*:--log-level) echo 'words debug info warning error silent' ;;
	*:--log-format) echo 'words text json' ;;
	*) return 1 ;;
	esac
}

# VERB:N:FIRST → what its word number N may be
_ccache_word() {
	case $1 in
	get:0:*) echo namespace ;;
	get:[1-9]*) echo dynamic ;;
	warm:0:*) echo namespace ;;
	warm:[1-9]*) echo dynamic ;;
	inspect:0:*) echo namespace ;;
	inspect:[1-9]*) echo dynamic ;;
	invalidate:0:*) echo namespace ;;
	invalidate:[1-9]*) echo dynamic ;;
	bench:*) echo namespace ;;
	config:0:*) echo 'words check show names schema discover' ;;
	config:1:check) echo file ;;
	help:0:*) echo "words $_ccache_verbs" ;;
	esac
}
# END TABLES

# _ccache_namespaces PROGRAM OPTIONS…: those of the configuration in force
_ccache_namespaces() { "$@" config names </dev/null 2>/dev/null; }

# _ccache_dynamic CUR: what the program itself offers, ids and keys in Redis among it. The line is split at
# COMP_WORDBREAKS, in which ':' and '=' are; whole is the word up to the cursor, of which CUR may be the end.
_ccache_dynamic() {
	local before=("${COMP_WORDS[@]:verb_at:COMP_CWORD - verb_at}") whole=$1 cut candidate
	if [[ ${COMP_LINE:-} ]]; then
		local line=${COMP_LINE:0:COMP_POINT}
		whole=''
		[[ $line == *[[:space:]] ]] || whole=${line##*[[:space:]]}
		read -ra before <<<"${line%"$whole"}"
		while ((${#before[@]})) && [[ ${before[0]} != "$verb" ]]; do
			before=("${before[@]:1}")
		done
	fi
	cut=${whole%"$1"}
	while IFS= read -r candidate; do
		[[ $candidate == *= ]] && compopt -o nospace 2>/dev/null # fails when called by hand
		COMPREPLY+=("${candidate#"$cut"}")
	done < <("${program[@]}" repl --complete -- "${before[@]}" "$whole" </dev/null 2>/dev/null)
}

# _ccache_offer CUR KIND WORDS…: fills COMPREPLY
_ccache_offer() {
	local cur=$1 kind=$2
	shift 2
	case $kind in
	words) mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur") ;;
	namespace) mapfile -t COMPREPLY < <(compgen -W "$(_ccache_namespaces "${program[@]}")" -- "$cur") ;;
	dynamic) _ccache_dynamic "$cur" ;;
	file)
		compopt -o filenames 2>/dev/null # fails when called by hand
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}

_ccache() {
	local cur=${COMP_WORDS[COMP_CWORD]} verb='' verb_at=1 option='' first='' word kind i count=0
	local program=("${COMP_WORDS[0]}")

	COMPREPLY=()
	# '=' and ':' are words of their own here: --output = json, --uri redis : //host
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $option && $word == = ]]; then
			continue
		elif [[ $option ]]; then
			while [[ ${COMP_WORDS[i + 1]} == :* && $i -lt $((COMP_CWORD - 1)) ]]; do
				word+=${COMP_WORDS[i + 1]}
				((++i))
				[[ $word == *: && ${COMP_WORDS[i + 1]} == //* ]] && word+=${COMP_WORDS[++i]}
			done
			[[ "$_ccache_settled " == *" $option "* ]] && program+=("$option" "${word/#\~\//$HOME/}")
			option=''
		elif [[ $word == -* ]]; then
			[[ "$_ccache_settled_flags " == *" $word "* ]] && program+=("$word")
			_ccache_argument "$verb:$word" >/dev/null && option=$word
		elif [[ $verb ]]; then
			((++count == 1)) && first=$word
		else
			verb=$word
			verb_at=$i
		fi
	done
	if [[ $option ]]; then
		kind=$(_ccache_argument "$verb:$option")
		[[ $cur == = ]] && cur=''
	elif [[ $cur == -* ]]; then
		kind="words $(_ccache_options "$verb")"
	elif [[ ! $verb ]]; then
		kind="words $_ccache_verbs"
	else
		kind=$(_ccache_word "$verb:$count:$first")
	fi
	[[ $kind == dynamic && ($cur == = || $cur == :) ]] && cur=''
	# shellcheck disable=SC2086 # a list of words
	_ccache_offer "$cur" ${kind:-any}
}

complete -F _ccache ccache
