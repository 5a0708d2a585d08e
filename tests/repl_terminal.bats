#!/usr/bin/env bats
# Sessions on a terminal, as they are seen there.
load helpers

setup() {
	sandbox
	start_redis
	export PAGER='less -PPAGED' LESS=RX
}

# session COLUMNS LINES [OPTIONS]: on redis.sock, which makes a short prompt; it stands when this returns.
session() { hinting_session "$@" --no-hints; }
# The same, with hints behind what is typed.
hinting_session() {
	local columns=$1 lines=$2
	shift 2
	start_terminal "$columns" "$lines" "$CCACHE -s redis.sock repl $*; echo left with \$?"
	TTY=$(tmux -S "$DIR/tmux" display-message -p '#{pane_tty}')
	wait_for at_prompt
}

# readline has the terminal while it asks, a verb finds it as shells leave it
at_prompt() { [[ $(stty -F "$TTY" -a) == *-icanon* ]] && screen_shows '>'; }
runs_verb() { [[ $(stty -F "$TTY" -a) != *-icanon* ]]; }

# says LINE TEXT: typed at the prompt, TEXT is what the screen then shows, with another prompt.
says() {
	type_keys -l "$1"
	type_keys Enter
	wait_for screen_shows "$2" || { screen && return 1; }
	wait_for at_prompt
}

# last_line TEXT: the last line that holds anything ends so.
last_line() { [[ $(screen | sed '/^ *$/d' | tail -1) == *"$1" ]]; }
redis_has() { [[ $(rcli EXISTS "$1") == 1 ]]; }

# tab_until CONDITION…: what stands in Redis is looked for in 100 ms, which a busy machine may need several of.
tab_until() {
	local try
	for try in {1..30}; do
		type_keys Tab
		wait_for --for 1 "$@" 2>/dev/null && return
	done
	screen
	return 1
}

@test "at 80 columns: greeting, prompt, a verb, use, Ctrl-D" {
	session 80 24
	screen_shows "'help' lists the verbs, TAB completes, Ctrl-D leaves."
	screen_shows 'unix:redis.sock/0>'
	says 'redis SET call:logs:a 1' OK
	says 'use call-logs' 'unix:redis.sock/0 call-logs>'
	says 'ttl a' 'for ever'
	says 'redis SELECT 2' 'unix:redis.sock/2 call-logs>'
	type_keys C-d
	wait_for screen_shows 'left with 0'
}

@test "ccache alone on a terminal is a session, -h is not" {
	start_terminal 80 24 "$CCACHE -s redis.sock -q; echo left with \$?"
	wait_for screen_shows 'unix:redis.sock/0>'
	! screen_shows "'help' lists"
	type_keys -l exit
	type_keys Enter
	wait_for screen_shows 'left with 0'
}

@test "TAB: a verb, a namespace, ids, an option's value, a quoted key" {
	rcli MSET call:logs:507f 1 call:logs:507a 2 'call:logs:a b' 3 >/dev/null
	session 80 24
	type_keys -l 'insp'
	type_keys Tab
	wait_for last_line '> inspect'
	type_keys -l 'call-l'
	type_keys Tab
	wait_for last_line 'inspect call-logs'
	type_keys -l '5'
	tab_until last_line 'inspect call-logs 507'
	tab_until screen_shows '507a  507f'
	type_keys -l 'f --raw --out'
	type_keys Tab
	wait_for last_line '507f --raw --output'
	type_keys -l 'js'
	type_keys Tab
	wait_for last_line '--output json'
	type_keys C-u
	type_keys -l 'inspect --raw --key "call:logs:a'
	tab_until last_line '"call:logs:a b"'
	type_keys Enter
	wait_for screen_shows $'\n3\n'
	wait_for at_prompt
	type_keys -l 'redis GET call:logs:a'
	tab_until last_line 'GET "call:logs:a b"'
	type_keys Enter
	wait_for screen_shows '"3"'
}

# hints LINE HINT: LINE, typed, is followed by HINT at the end of its line; Ctrl-U drops it.
hints() {
	type_keys -l "$1"
	wait_for last_line "> $2" || { screen && return 1; }
	type_keys C-u
	wait_for last_line '>'
}

@test "hints: synopses, options, choices, vars, names, without asking the server" {
	hinting_session 80 24
	says 'ping -q' 'Round trip'
	kill -STOP "$REDIS_PID"
	hints 'config' 'config check [FILE] | show | names | schema | discover'
	hints 'confi' 'confi config check [FILE] | show | names | schema | discover'
	hints 'config s' 'config s show schema'
	hints 'get call-logs ' 'get call-logs subaccountId'
	hints 'warm lead-conversations a' 'warm lead-conversations a limit'
	hints 'get lead-conversations limit=3 ' 'get lead-conversations limit=3 leadId'
	hints 'use lead-c' 'use lead-c lead-context lead-conversations'
	hints 'ping --count' 'ping --count N  round trips to measure'
	hints 'inspect --output ' 'inspect --output table|json|ndjson|csv|prom  how answers a…'
	hints 'inspect --output=j' 'inspect --output=j --output=json'
	hints 'help w' 'help w warm watch'
	hints 'use; watch 2 redis ' 'use; watch 2 redis [--yes] COMMAND ARGUMENTS…'
	kill -CONT "$REDIS_PID"
}

@test "hints: behind the line's end alone, dim, gone when a line is run or dropped" {
	hinting_session 80 24
	type_keys -l 'use '
	wait_for screen_shows '> use [NAMESPACE]'
	[[ $(screen -e) == *$'> use \e[2m[NAMESPACE]'* ]]
	type_keys C-a
	wait_for last_line '> use'
	type_keys C-e
	wait_for screen_shows '> use [NAMESPACE]'
	type_keys C-c
	wait_for screen_shows '> use ^C'
	type_keys -l 'use'
	wait_for screen_shows '> use [NAMESPACE]'
	type_keys Enter
	wait_for last_line '>'
	! screen_shows '[NAMESPACE]'
	type_keys C-r
	type_keys -l 'us'
	wait_for screen_shows "(reverse-i-search)\`us': use"
	! screen_shows '[NAMESPACE]'
	type_keys C-c
	wait_for last_line '>'
}

@test "hints: at 40 columns on one line, without colour in parentheses" {
	export NO_COLOR=1
	hinting_session 40 24
	type_keys -l 'inspect '
	wait_for last_line '> inspect ([NAMESPA…)'
	[[ $(screen -e) != *$'\e[2m'* ]]
	type_keys -l 'call-logs '
	wait_for last_line '> inspect call-logs'
	type_keys C-u
	type_keys -l 'use'
	wait_for last_line '> use ([NAMESPACE])'
	[[ $(screen | grep -c '[^ ]') == 3 ]] || { screen && return 1; }
	screen_shows $'lists the\nverbs, TAB'
}

@test "TAB while the server hangs: typing goes on" {
	session 80 24 --timeout 60s
	says 'ping -q' 'Round trip'
	kill -STOP "$REDIS_PID"
	type_keys -l 'get call-logs 5'
	type_keys Tab
	type_keys -l '07f'
	wait_for last_line 'get call-logs 507f'
	kill -CONT "$REDIS_PID"
	type_keys C-u
	says 'redis ECHO still-one' '"still-one"'
}

@test "history: over sessions, searched with Ctrl-R, without secrets" {
	session 80 24
	says 'redis ECHO first' '"first"'
	says 'redis SET requirepass-is-in-it 1' OK
	says ' redis ECHO blank' '"blank"'
	says 'redis AUTH secret' 'use redis-cli'
	type_keys C-d
	wait_for screen_shows 'left with 0'
	run cat "$XDG_STATE_HOME/callcache/history"
	assert_output 'redis ECHO first'
	assert_equal "$(stat -c %a "$XDG_STATE_HOME/callcache/history")" 600
	session 80 24
	type_keys C-r
	type_keys -l 'ECHO f'
	wait_for screen_shows "(reverse-i-search)\`ECHO f': redis ECHO first"
	type_keys Enter
	wait_for screen_shows $'\n"first"'
	wait_for at_prompt
	says 'history 1' $'history 1\nhistory 1'
	type_keys -l 'redis ECHO half'
	type_keys C-c
	wait_for screen_shows 'half^C'
	type_keys C-r
	type_keys -l 'ECH'
	wait_for screen_shows 'reverse-i-search'
	type_keys C-c
	wait_for screen_shows '^C'
	says 'redis ECHO after' '"after"'
}

@test "--no-history: nothing is kept" {
	session 80 24 --no-history
	says 'redis ECHO x' '"x"'
	type_keys C-d
	wait_for screen_shows 'left with 0'
	[[ ! -e $XDG_STATE_HOME/callcache ]]
}

@test "Ctrl-C: a running scan ends, the session does not" {
	rcli EVAL "for i = 1, 5000 do redis.call('SET', 'key:' .. i, i) end" 0 >/dev/null
	session 80 24 --timeout 60s
	says 'ping -q' 'Round trip'
	kill -STOP "$REDIS_PID"
	type_keys -l 'inspect'
	type_keys Enter
	wait_for runs_verb
	type_keys C-c
	wait_for at_prompt
	wait_for screen_shows 'interrupted'
	kill -CONT "$REDIS_PID"
	says 'redis ECHO on' '"on"'
	type_keys -l 'dropped'
	wait_for last_line '> dropped'
	type_keys C-c
	# a Ctrl-D that meets the terminal between two lines would be lost
	wait_for last_line '>'
	wait_for at_prompt
	type_keys C-d
	wait_for screen_shows 'left with 0'
}

# Shells that, unlike bash, leave the modes to their jobs.
as_shells_leave_it() { [[ $(stty -F "$TTY" -a) == *' icanon'*' echo '* ]]; }

@test "Ctrl-Z and SIGQUIT's key: the terminal is the shell's meanwhile, the line is there again" {
	start_terminal 80 24 "set -m; trap : QUIT; ulimit -c 0; $CCACHE -s redis.sock repl --no-hints; echo stopped; read -r _; fg; echo left with \$?"
	TTY=$(tmux -S "$DIR/tmux" display-message -p '#{pane_tty}')
	wait_for at_prompt
	type_keys pin
	wait_for screen_shows '> pin'
	type_keys C-z
	wait_for screen_shows stopped
	as_shells_leave_it
	type_keys Enter
	wait_for at_prompt
	wait_for screen_shows '> pin'
	says g 'Round trip'
	wait_for at_prompt
	type_keys 'C-\'
	wait_for screen_shows 'left with 131'
	as_shells_leave_it
}

@test "Ctrl-C: a warm that waits for its source ends, what was typed before is gone too" {
	start_upstream
	use_upstream
	fault hold path=/api/calls/507f/logs
	session 80 24
	type_keys -l 'warm call-logs 507f --deadline 50s'
	type_keys Enter
	wait_for asked_upstream
	type_keys C-c
	wait_for at_prompt
	no_faults
	set_data /api/calls/61/logs '{"data":[61]}'
	says 'get call-logs 61' '61'
	wait_for redis_has call:logs:61
}
asked_upstream() { (($(upstream_count) >= 1)); }

@test "watch shows why its command fails, and ends when it was typed wrong" {
	session 80 24
	says 'watch 100ms inspct' "did you mean 'inspect'?"
	type_keys -l 'watch 100ms inspect'
	type_keys Enter
	wait_for screen_shows 'every 100ms: inspect'
	stop_redis
	wait_for screen_shows 'error: redis unix:'
	type_keys C-c
	wait_for at_prompt
}

@test "the server restarts between two commands, and during a watch" {
	session 80 24
	says 'redis SET a 1' OK
	stop_redis
	start_redis
	says 'redis ECHO back' '"back"'
	type_keys -l 'watch 100ms redis EXISTS marker'
	type_keys Enter
	wait_for screen_shows 'every 100ms: redis EXISTS marker'
	wait_for screen_shows '(integer) 0'
	stop_redis
	start_redis
	rcli SET marker 1 >/dev/null
	wait_for --for 30 screen_shows '(integer) 1'
	type_keys C-c
	wait_for at_prompt
	says 'redis ECHO done' '"done"'
}

@test "a dangerous command asks on the terminal" {
	rcli SET a 1 >/dev/null
	session 80 24
	type_keys -l 'redis flushall'
	type_keys Enter
	wait_for screen_shows 'flushall is @dangerous: run it on unix:redis.sock/0? [y/N]'
	type_keys -l n
	type_keys Enter
	wait_for screen_shows 'not confirmed; nothing was sent'
	wait_for at_prompt
	redis_has a
	type_keys -l 'redis flushall'
	type_keys Enter
	wait_for last_line '[y/N]'
	type_keys -l y
	type_keys Enter
	wait_for screen_shows OK
	! redis_has a
}

@test "redis: answers as redis-cli gives them on a terminal" {
	rcli RPUSH l a $'b"\x01' >/dev/null
	session 80 24
	local command
	for command in 'LRANGE l 0 -1' 'GET nothing' 'LLEN l' 'TYPE l' 'GET l' 'LRANGE nothing 0 -1' 'EVAL "return {1,{2,{3,4}},5}" 0'; do
		tmux -S "$DIR/tmux" clear-history
		type_keys C-l
		wait_for screen_is_clear
		type_keys -l "redis $command"
		type_keys Enter
		eval "rcli --no-raw $command" >expected
		wait_for screen_shows "$(printf 'redis %s\n%s\nunix:' "$command" "$(sed '/^$/d' expected)")" || { screen; cat expected; return 1; }
		wait_for at_prompt
	done
}
screen_is_clear() { [[ $(screen | sed '/^ *$/d' | wc -l) == 1 ]]; }

@test "what the screen cannot hold is paged, what it can is not" {
	session 80 24
	type_keys -l help
	type_keys Enter
	wait_for screen_shows PAGED
	type_keys q
	wait_for at_prompt
	! screen_shows PAGED
	says 'help exit' 'leave the session'
	rcli EVAL "for i = 1, 200 do redis.call('SET', 'key:' .. i, i) end" 0 >/dev/null
	type_keys -l 'redis --yes KEYS *'
	type_keys Enter
	wait_for screen_shows PAGED
	type_keys G
	wait_for screen_shows '200) '
	type_keys q
	wait_for at_prompt
}

@test "production in red, read-only in words" {
	cat >c.json <<-'END'
		{ "redis": { "production": true }, "namespaces": { "n": { "key": "n:{id}", "ttl": "5m" } } }
	END
	session 80 24 --config c.json --read-only
	screen_shows 'production unix:redis.sock/0 (read-only)>'
	[[ $(screen -e) == *$'\e[31mproduction'* ]]
	says 'redis SET a 1' 'this session is --read-only'
	says 'invalidate n 1 -y' 'this session is --read-only'
}

@test "at 40 columns, and resized while a line is typed" {
	session 40 24
	says 'ping -q' 'Round trip'
	type_keys -l 'inspect call-logs --where subaccountId=507f --limit 0'
	wait_for screen_shows 'inspect call-lo'
	wait_for screen_shows '--limit 0'
	tmux -S "$DIR/tmux" resize-window -x 80 -y 24
	wait_for last_line '> inspect call-logs --where subaccountId=507f --limit 0'
	tmux -S "$DIR/tmux" resize-window -x 40 -y 20
	type_keys C-a
	type_keys -l '#'
	type_keys Enter
	wait_for at_prompt
	says 'redis ECHO narrow' '"narrow"'
	type_keys -l 'help'
	type_keys Enter
	wait_for screen_shows PAGED
	type_keys q
	wait_for at_prompt
	type_keys -l 'watch 1 ping'
	type_keys Enter
	wait_for screen_shows 'every 1s: ping   (Ctrl-C ends it)'
	wait_for screen_shows 'Slowest'
	type_keys C-c
	wait_for at_prompt || { screen && return 1; }
}

@test "a prompt never takes more than half of the width" {
	REDIS_NAME=a-server-with-a-very-long-name-indeed start_redis
	export REDIS_URL=unix://$REDIS_SOCKET
	start_terminal 40 24 "$CCACHE repl"
	TTY=$(tmux -S "$DIR/tmux" display-message -p '#{pane_tty}')
	wait_for at_prompt
	wait_for last_line '-indeed.sock/0>'
	local prompt
	prompt=$(screen | sed '/^ *$/d' | tail -1)
	[[ $prompt == …* && ${#prompt} -le 20 ]]
}

@test "~/.inputrc holds, also what is for ccache alone" {
	printf '$if ccache\n"\\C-t": "redis ECHO bound\\n"\n$endif\n' >"$HOME/.inputrc"
	session 80 24
	type_keys C-t
	wait_for screen_shows '"bound"'
}

@test "SIGTERM leaves the session, with its code" {
	session 80 24
	local pid
	pid=$(tmux -S "$DIR/tmux" display-message -p '#{pane_pid}')
	pid=$(pgrep -P "$pid" ccache)
	kill -TERM "$pid"
	wait_for screen_shows 'left with 143'
}
