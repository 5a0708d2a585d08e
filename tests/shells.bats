#!/usr/bin/env bats
# The completions, tried in the shells they are for: verbs, options, values, namespaces, ids.
load helpers

setup() {
	sandbox
	put_on_path
	REDIS_NAME=other start_redis
	rcli SET call:logs:99 1 >/dev/null
	on_redis
	rcli MSET call:logs:507f 1 call:logs:507a 2 1778:b0 3 >/dev/null
	echo '{ "namespaces": { "mine": { "key": "mine:{id}", "ttl": 5 } } }' >mine.json
}

# completed LINE: the last line of the screen once it ends so.
completed() { [[ $(screen | sed '/^ *$/d' | tail -1) == *"$1" ]]; }

# tab LINE RESULT: LINE and TAB make RESULT of it; the line is dropped again. What stands in Redis is looked for
# in 100 ms, which a busy machine may need several of: more TABs.
tab() {
	local try
	type_keys -l "$1"
	for try in {1..30}; do
		type_keys Tab
		wait_for --for 1 completed "$2" 2>/dev/null && break
	done
	completed "$2" || { screen && return 1; }
	drop_line
}

# offers LINE TEXT…: two or more TABs show each TEXT; the line is dropped again.
offers() {
	local try
	type_keys -l "$1"
	shift
	for try in {1..30}; do
		type_keys Tab Tab
		wait_for --for 1 shows_all "$@" 2>/dev/null && break
	done
	shows_all "$@" || { screen && return 1; }
	drop_line
}

shows_all() {
	local text
	for text in "$@"; do
		screen_shows "$text" || return 1
	done
}

drop_line() {
	type_keys C-u
	wait_for completed '$'
}

in_shell() {
	tab 'ccache insp' 'ccache inspect'
	tab 'ccache inspect --aud' 'ccache inspect --audit'
	tab 'ccache --output nd' 'ccache --output ndjson'
	tab 'ccache get call-l' 'ccache get call-logs'
	tab 'ccache --config mine.json get m' 'ccache --config mine.json get mine'
	tab 'ccache get call-logs 5' 'ccache get call-logs 507'
	tab 'ccache get call-logs 507a' 'ccache get call-logs 507a'
	tab 'ccache get call-logs subaccountId=507f' 'subaccountId=507f'
	tab 'ccache get lead 1778 organizationId=b' 'organizationId=b0'
	tab 'ccache inspect --key call:logs:507a' 'call:logs:507a'
	tab 'ccache -s other.sock get call-logs 9' 'get call-logs 99'
	tab 'ccache invalidate --event call.st' 'call.status'
	tab 'ccache help invali' 'ccache help invalidate'
	offers 'ccache get call-logs 507' 507a 507f
	offers 'ccache inspect --' --match --where --output
}

@test "bash with bash-completion" {
	[[ -r /usr/share/bash-completion/bash_completion ]] || skip 'no bash-completion here'
	cat >bashrc <<-END
		PS1='\$'
		. /usr/share/bash-completion/bash_completion
		. "$ROOT/completions/ccache.bash"
		bind 'set bell-style none'
	END
	start_terminal 80 100 "bash --rcfile bashrc -i"
	wait_for completed '$'
	in_shell
}

@test "bash without bash-completion" {
	printf '%s\n' "PS1='\$'" ". '$ROOT/completions/ccache.bash'" "bind 'set bell-style none'" >bashrc
	start_terminal 80 100 "bash --rcfile bashrc -i"
	wait_for completed '$'
	in_shell
}

@test "zsh" {
	command -v zsh >/dev/null || skip 'no zsh here'
	cat >.zshrc <<-END
		PS1='\$'
		unsetopt beep
		fpath=("$ROOT/completions" \$fpath)
		autoload -U compinit && compinit -u -D
		bindkey -e
		bindkey '^U' kill-whole-line
	END
	start_terminal 80 100 "ZDOTDIR=$DIR zsh -d -i"
	wait_for completed '$'
	in_shell
}

# fish_offers LINE CANDIDATES…: what fish itself says it would offer.
fish_offers() {
	local line=$1
	shift
	wait_for fish_offers_now "$line" "$(printf '%s\n' "$@" | sort)" && return
	fish --no-config -c "source '$ROOT/completions/ccache.fish'; complete -C '$line'"
	return 1
}
fish_offers_now() { [[ $(fish --no-config -c "source '$ROOT/completions/ccache.fish'; complete -C '$1'" | cut -f1 | sort) == "$2" ]]; }

@test "fish" {
	command -v fish >/dev/null || skip 'no fish here'
	fish_offers 'ccache insp' inspect
	fish_offers 'ccache inspect --exa' --examples
	fish_offers 'ccache --output nd' ndjson
	fish_offers 'ccache get call-l' call-logs
	fish_offers 'ccache --config mine.json get m' mine
	fish_offers 'ccache get call-logs 5' 507a 507f
	fish_offers 'ccache get call-logs subaccountId=507f' subaccountId=507f
	fish_offers 'ccache get lead 1778 organizationId=b' organizationId=b0
	fish_offers 'ccache inspect --key call:logs:5' call:logs:507a call:logs:507f
	fish_offers 'ccache help invali' invalidate
	fish_offers 'ccache bench call-logs call-d' call-duration-stats
	unset REDIS_URL
	fish_offers 'ccache -s other.sock get call-logs 9' 99
}
