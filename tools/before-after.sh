#!/bin/bash
# tools/before-after.sh [--readme] : what the documents of the systems promise
# of their caches, beside what `ccache bench --source` measures against
# throwaway servers whose API takes as long as the document says; as a table on
# standard output, or put into README.md between its BEFORE-AFTER marks.
set -u
tool=before-after
# shellcheck source=tools/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

READS=10 # of each id, within its TTL

api() { curl -fsS -X "$1" "$CALLS_API_URL$2"; }
# ms MICROSECONDS: as milliseconds, three digits of it.
ms() { awk -v us="$1" 'BEGIN { printf("%.*f ms", (us >= 9995 ? 0 : us >= 999.5 ? 1 : 3), us / 1000) }'; }

# calls_saved NAMESPACE: READS reads of each of its first five ids; how many of them the API did not see, in per cent.
calls_saved() {
	local ids=('') reads=0 i id
	[[ $PREFIX != *[:_] ]] || mapfile -t ids < <(ccache inspect "$1" -o ndjson --limit 5 -q | jq -r 'select(.key) | .key')
	ccache invalidate "$1" --all --yes --no-backup -q >/dev/null || exit 1
	api DELETE /_count >/dev/null
	for ((i = 0; i < READS; i++)); do
		for id in "${ids[@]}"; do
			echo "get $1 ${id#"$PREFIX"}"
			((++reads))
		done
	done >"$dir/reads"
	ccache repl -q <"$dir/reads" >/dev/null || exit 1
	api GET /_count | jq -r --argjson reads "$reads" --arg api "$API_PATH" \
		'(([.paths | to_entries[] | select(.key | startswith($api)) | .value] | add) / $reads) | (1 - .) * 100 | round'
}

# row NAMESPACE MILLISECONDS 'WHAT ITS DOCUMENT SAYS': PREFIX is what its keys have before their ids, API_PATH what its
# source's requests begin with.
row() {
	local json saved
	api DELETE /_fault >/dev/null
	ccache warm "$1" -q >/dev/null || exit 1
	saved=$(calls_saved "$1") || exit 1
	api POST "/_fault?kind=delay&path=$API_PATH&value=$2" >/dev/null
	json=$(ccache bench "$1" --source --requests "${REQUESTS:-20}" -o json -q) || exit 1
	# shellcheck disable=SC2016 # Markdown
	printf '| `%s` | %s | %s → %s | %s %% |\n' "$1" "$3" \
		"$(ms "$(jq '.paths[] | select(.path == "source") | .p50_us' <<<"$json")")" \
		"$(ms "$(jq '.paths[] | select(.path == "hit") | .p50_us' <<<"$json")")" "$saved"
}

table() {
	echo '| namespace | its document | measured | calls saved |'
	echo '|---|---|---|---|'
	PREFIX=call:logs: API_PATH=/api/calls row call-logs 350 '200–500 → 5–20 ms, 80–90 %'
	PREFIX=dashboard_summary API_PATH=/api/dashboard row dashboard-summary 100 'no figure'
	PREFIX=call: API_PATH=/api/calls row call 100 'no figure'
	PREFIX=campaign_ API_PATH=/api/campaigns row campaign 100 'no figure'
	PREFIX=bici:sess:call: API_PATH=/api/call-sessions row call-session 100 '90 % faster'
	PREFIX=bici:dashboard:stats: API_PATH=/api/organizations row dashboard-stats 100 '50–80 % faster'
	PREFIX=message: API_PATH=/api/messages row message 100 '10–100 times faster'
	PREFIX=bici:ctx: API_PATH=/rpc/lead_context row lead-context 75 '50–100 → 2–5 ms'
	PREFIX=bici:org: API_PATH=/organizations row org-by-phone 45 '30–60 → 1–3 ms'
}

API_DELAY_MS=0 start_servers
if [[ ${1:-} != --readme ]]; then
	table
	exit
fi
table >"$dir/table.txt"
awk -v file="$dir/table.txt" '
	/^<!-- END BEFORE-AFTER -->$/ { inside = 0 }
	!inside { print }
	/^<!-- BEGIN BEFORE-AFTER/ {
		inside = 1
		while ((getline line < file) > 0) print line
	}' "$root/README.md" >"$dir/README.md" && cp "$dir/README.md" "$root/README.md"
