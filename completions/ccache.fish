# Completion of ccache (Call Cache) for fish. The tables come from the program's
# option rows: `make docs` renews them.

# the words that are no options nor their arguments, one a line, the program left out
function __ccache_words
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word $__ccache_with_argument
            set skip yes
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# succeeds once there is a verb
function __ccache_verb
    test (count (__ccache_words)) -gt 0
end

# __ccache_verb_is VERB…
function __ccache_verb_is
    contains -- (__ccache_words)[1] $argv
end

# __ccache_word VERB N [FIRST]: N words stand behind the verb already, and the first of them is FIRST
function __ccache_word
    set -l words (__ccache_words)
    test (count $words) -eq (math $argv[2] + 1); and test $words[1] = $argv[1]
    and begin
        test (count $argv) -lt 3; or test $words[2] = $argv[3]
    end
end

# __ccache_past VERB: at least one word stands behind the verb already
function __ccache_past
    set -l words (__ccache_words)
    test (count $words) -ge 2; and test $words[1] = $argv[1]
end

# the options that choose the server and the configuration, as they stand on the line
function __ccache_chosen
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        if contains -- $words[$i] $__ccache_settled; and test $i -lt (count $words)
            printf '%s\n' $words[$i] $words[(math $i + 1)]
        else if contains -- $words[$i] $__ccache_settled_flags
            echo $words[$i]
        end
    end
end

# those of the configuration in force
function __ccache_namespaces
    set -l words (commandline -opc)
    $words[1] (__ccache_chosen) config names 2>/dev/null
end

# what the program itself offers, ids and keys in Redis among it
function __ccache_dynamic
    set -l words (commandline -opc)
    set -l verb (__ccache_words)[1]
    set -l at (contains -i -- $verb $words)
    $words[1] (__ccache_chosen) repl --complete -- $words[$at..-1] (commandline -ct) 2>/dev/null
end

# BEGIN TABLES (generated)
set -g __ccache_verbs get warm inspect invalidate stats bench config ping repl help
# which choose the server and the configuration
set -g __ccache_settled --host -h --port -p --socket -s --uri -u --db -n --pass -a --user --sentinel-user --sentinel-pass --cacert --cert --key --sni --proxy --timeout --config --profile
set -g __ccache_settled_flags --tls --insecure
set -g __ccache_with_argument --host -h --port -p --socket -s --uri -u --db -n --pass -a --user --sentinel-user --sentinel-pass --cacert --cert --key --sni --proxy --timeout --config --profile --output -o --progress --log-level --log-format --set --ids --from --if --expiring --ttl --deadline --until --failures --if-locked --key --match --where --limit --sample --top --by --max-value --max-keys --backup --drift --examples --where --key --keys --match --tag --older-than --ttl-below --ttl-above --max-keys --in --throttle --backup --backup-limit --undo --resume --event --data --follow --event-field --bad-events --group --consumer --claim-after --max-tries --dead-letter --report-every --sample --max-lines --max-bytes --max-latency --top --watch --fail-if --textfile --metric-names --clients --pipeline --threads --rate --ramp-to --duration --requests --warm-up --mix --miss --keys --size --ttl --pick --exponent --seed --command --prepare --ids --sample --assert --hdr --rounds --baseline --max-regress --stampede --source-latency --preset --job --save-job --max-keys --count --execute -e

complete -c ccache -f
complete -c ccache -l host -s h -x -d 'Redis server\'s name or address'
complete -c ccache -l port -s p -x -d 'Redis server\'s port'
complete -c ccache -l socket -s s -r -F -d 'unix socket of the Redis server'
complete -c ccache -l uri -s u -x -d 'server as redis://, rediss://, unix:// or redis-sentinel:// URI'
complete -c ccache -l db -s n -x -d 'database number'
complete -c ccache -l pass -s a -x -d 'password (better: REDISCLI_AUTH or --askpass)'
complete -c ccache -l user -x -d 'ACL user'
complete -c ccache -l askpass -d 'ask for the password on the terminal'
complete -c ccache -l sentinel-user -x -d 'ACL user at the sentinels, where they have one'
complete -c ccache -l sentinel-pass -x -d 'password at the sentinels (better: REDIS_SENTINEL_PASSWORD)'
complete -c ccache -l tls -d 'speak TLS to Redis'
complete -c ccache -l cacert -r -F -d 'CA certificates (PEM) to trust'
complete -c ccache -l cert -r -F -d 'client certificate (PEM)'
complete -c ccache -n 'not __ccache_verb_is inspect invalidate' -l key -r -F -d 'client certificate\'s private key (PEM); before the verb where the verb has a --key'
complete -c ccache -l sni -x -d 'server name to send and to verify'
complete -c ccache -l insecure -d 'do not verify the server\'s certificate'
complete -c ccache -l proxy -x -d 'reach Redis through socks5h://, socks5:// or http:// proxy'
complete -c ccache -l timeout -x -d 'give up when Redis makes no progress for so long (default 5s)'
complete -c ccache -l config -r -F -d 'configuration file'
complete -c ccache -l profile -x -a 'call-logs realtime sessions messages leads all' -d 'built-in configuration: call-logs, realtime, sessions, messages, leads, all'
complete -c ccache -l output -s o -x -a 'table json ndjson csv prom' -d 'how answers are printed'
complete -c ccache -l quiet -s q -d 'only errors on standard error'
complete -c ccache -l progress -x -a 'auto bar lines off' -d 'progress on standard error; auto: a bar on a terminal'
complete -c ccache -l log-level -x -a 'debug info warning error silent' -d 'least level that is told on standard error'
complete -c ccache -l log-format -x -a 'text json' -d 'lines on standard error as text or as JSON'
complete -c ccache -l help -d 'explain the verb and stop'
complete -c ccache -l version -d 'print versions and stop'

complete -c ccache -n 'not __ccache_verb' -a get -d 'read through the cache: Redis, else the source, stored on the way'
complete -c ccache -n '__ccache_past get' -a '(__ccache_dynamic)'
complete -c ccache -n '__ccache_word get 0' -a '(__ccache_namespaces)'
complete -c ccache -n '__ccache_verb_is get' -l meta -d 'print an envelope: data, cacheHit, duration, ttl, degraded, stale'
complete -c ccache -n '__ccache_verb_is get' -l no-fetch -d 'only what is cached; exit 1 when it is not'
complete -c ccache -n '__ccache_verb_is get' -l no-store -d 'do not store what the source answers'
complete -c ccache -n '__ccache_verb_is get' -l refresh -d 'ask the source even when it is cached'

complete -c ccache -n 'not __ccache_verb' -a warm -d 'fetch values from their source and store them'
complete -c ccache -n '__ccache_past warm' -a '(__ccache_dynamic)'
complete -c ccache -n '__ccache_word warm 0' -a '(__ccache_namespaces)'
complete -c ccache -n '__ccache_verb_is warm' -l all -d 'every namespace that has a source and a list of its ids'
complete -c ccache -n '__ccache_verb_is warm' -l set -x -a '(__ccache_dynamic)' -d 'the namespaces of a configured set: dashboard, campaign/42'
complete -c ccache -n '__ccache_verb_is warm' -l ids -r -F -d 'ids from a file, or - for standard input: one line each, vars separated by tabs, or a JSON object'
complete -c ccache -n '__ccache_verb_is warm' -l from -r -F -d 'values from a file, or - for standard input, in place of a source: one JSON object each line, {"ns": …, "vars": {…}, "value": …} or {"key": …, "value": …}'
complete -c ccache -n '__ccache_verb_is warm' -l existing -d 'the keys that are cached now'
complete -c ccache -n '__ccache_verb_is warm' -l if -x -a 'changed always missing expiring' -d 'which keys that are there are fetched again; changed (the default): all, but unchanged bytes only get their TTL renewed'
complete -c ccache -n '__ccache_verb_is warm' -l expiring -x -d 'those that live for no more than this (as --if expiring; default a fifth of the TTL)'
complete -c ccache -n '__ccache_verb_is warm' -l ttl -x -d 'store with this TTL in place of the namespace\'s'
complete -c ccache -n '__ccache_verb_is warm' -l deadline -x -d 'begin nothing more after so long'
complete -c ccache -n '__ccache_verb_is warm' -l until -x -d 'begin nothing more from this local time on; already past means tomorrow'
complete -c ccache -n '__ccache_verb_is warm' -l failures -r -F -d 'write the ids that failed to a file that --ids reads (of --from the rows, which it reads)'
complete -c ccache -n '__ccache_verb_is warm' -l prune -d 'drop a cached value whose source has nothing there any more'
complete -c ccache -n '__ccache_verb_is warm' -l evict -d 'go on even when the server evicts keys because of it, or has no room for the rest'
complete -c ccache -n '__ccache_verb_is warm' -l ephemeral -d 'keep no sidecars: no fencing, no conditional requests, no lease'
complete -c ccache -n '__ccache_verb_is warm' -l if-locked -x -a 'fail ok' -d 'when another run holds the lease: exit 6, or 0'
complete -c ccache -n '__ccache_verb_is warm' -l dry-run -d 'show what would be fetched, fetch and store nothing'

complete -c ccache -n 'not __ccache_verb' -a inspect -d 'what is in the cache, how long it lives'
complete -c ccache -n '__ccache_past inspect' -a '(__ccache_dynamic)'
complete -c ccache -n '__ccache_word inspect 0' -a '(__ccache_namespaces)'
complete -c ccache -n '__ccache_verb_is inspect' -l key -x -a '(__ccache_dynamic)' -d 'everything about this key, whatever its namespace'
complete -c ccache -n '__ccache_verb_is inspect' -l match -x -a '(__ccache_dynamic)' -d 'list the keys that match'
complete -c ccache -n '__ccache_verb_is inspect' -l where -x -a '(__ccache_dynamic)' -d 'list the namespace\'s keys whose var has this value'
complete -c ccache -n '__ccache_verb_is inspect' -l limit -x -d 'list at most N keys, or elements of one key; 0: all (default 100)'
complete -c ccache -n '__ccache_verb_is inspect' -l summary -d 'of the chosen keys the figures in place of the list'
complete -c ccache -n '__ccache_verb_is inspect' -l sample -x -d 'estimate the figures from about N random keys, with 95 % bounds'
complete -c ccache -n '__ccache_verb_is inspect' -l top -x -d 'the N first keys of all or of the chosen ones, as --by ranks them'
complete -c ccache -n '__ccache_verb_is inspect' -l by -x -a 'bytes idle freq ttl expiry' -d '--top: the largest (the default), longest idle, most used (LFU), longest or shortest to live'
complete -c ccache -n '__ccache_verb_is inspect' -l raw -d 'one key: its exact stored bytes and nothing else'
complete -c ccache -n '__ccache_verb_is inspect' -l max-value -x -d 'one key: read at most so much of a value (default 64KiB; over 64MiB with --raw); --audit: check no longer ones (default 1MiB)'
complete -c ccache -n '__ccache_verb_is inspect' -l ttl -d 'check TTLs against their namespaces; exit 1 on a violation'
complete -c ccache -n '__ccache_verb_is inspect' -l audit -d 'check every rule: TTL, type, JSON, indexes, sets, sidecars; exit 1 on a finding'
complete -c ccache -n '__ccache_verb_is inspect' -l repair -d '--audit: set TTLs by policy, drop dangling index entries, set members and sidecars; asks first'
complete -c ccache -n '__ccache_verb_is inspect' -l dry-run -d '--repair: show the plan, change nothing'
complete -c ccache -n '__ccache_verb_is inspect' -l yes -s y -d '--repair: do not ask'
complete -c ccache -n '__ccache_verb_is inspect' -l max-keys -x -d '--repair: refuse more repairs (default 10000)'
complete -c ccache -n '__ccache_verb_is inspect' -l backup -r -F -d '--repair: the undo file to write (default: one in the state directory)'
complete -c ccache -n '__ccache_verb_is inspect' -l no-backup -d '--repair: record nothing: what is dropped is gone'
complete -c ccache -n '__ccache_verb_is inspect' -l drift -x -d 'compare N random cached values with their source; exit 1 on a difference'
complete -c ccache -n '__ccache_verb_is inspect' -l examples -x -d '--audit: show N keys of each finding (default 3)'
complete -c ccache -n '__ccache_verb_is inspect' -l replica-reads -d 'read replicas, one for each primary that has a usable one'

complete -c ccache -n 'not __ccache_verb' -a invalidate -d 'drop keys: plan, confirm, do, tell; and take it back'
complete -c ccache -n '__ccache_past invalidate' -a '(__ccache_dynamic)'
complete -c ccache -n '__ccache_word invalidate 0' -a '(__ccache_namespaces)'
complete -c ccache -n '__ccache_verb_is invalidate' -l where -x -a '(__ccache_dynamic)' -d 'drop the namespace\'s keys whose var has this value; \'*\' is any'
complete -c ccache -n '__ccache_verb_is invalidate' -l all -d 'drop every key of the namespace'
complete -c ccache -n '__ccache_verb_is invalidate' -l key -x -a '(__ccache_dynamic)' -d 'drop this key; may be given again'
complete -c ccache -n '__ccache_verb_is invalidate' -l keys -r -F -d 'drop the keys that a file, or - for standard input, names, one a line'
complete -c ccache -n '__ccache_verb_is invalidate' -l null -s 0 -d 'the names of --keys end with a NUL byte: any key can be named'
complete -c ccache -n '__ccache_verb_is invalidate' -l match -x -a '(__ccache_dynamic)' -d 'drop the keys that match; with a namespace those of its keys'
complete -c ccache -n '__ccache_verb_is invalidate' -l tag -x -d 'drop the keys whose hash tag this is: {TAG}'
complete -c ccache -n '__ccache_verb_is invalidate' -l older-than -x -d 'of these, only keys that were stored longer ago, as their namespace\'s TTL tells'
complete -c ccache -n '__ccache_verb_is invalidate' -l ttl-below -x -d 'of these, only keys that live for less'
complete -c ccache -n '__ccache_verb_is invalidate' -l ttl-above -x -d 'of these, only keys that live for more, or for ever'
complete -c ccache -n '__ccache_verb_is invalidate' -l everything -d 'every key of the namespace, or without one of the database; the name must be typed on a terminal'
complete -c ccache -n '__ccache_verb_is invalidate' -l no-relations -d 'leave index keys and set members that refer to a dropped key'
complete -c ccache -n '__ccache_verb_is invalidate' -l dry-run -d 'show the plan, drop nothing'
complete -c ccache -n '__ccache_verb_is invalidate' -l yes -s y -d 'do not ask'
complete -c ccache -n '__ccache_verb_is invalidate' -l max-keys -x -d 'refuse to drop more keys (default 10000; with --everything any number)'
complete -c ccache -n '__ccache_verb_is invalidate' -l soft -d 'shorten the keys\' life to --in (default: to their namespace\'s grace, so that they are stale) instead of ending it now'
complete -c ccache -n '__ccache_verb_is invalidate' -l in -x -d 'how long they may still live (as --soft); never lengthens a life'
complete -c ccache -n '__ccache_verb_is invalidate' -l throttle -x -d 'so many keys a second (200/s), or auto: slower while the server answers slowly'
complete -c ccache -n '__ccache_verb_is invalidate' -l rewarm -d 'fetch what was dropped again from its source'
complete -c ccache -n '__ccache_verb_is invalidate' -l verify -d 'look again afterwards, and tell which keys came back, and who wrote them'
complete -c ccache -n '__ccache_verb_is invalidate' -l backup -r -F -d 'the undo file to write (default: one in the state directory, kept for 7 days; of --follow none)'
complete -c ccache -n '__ccache_verb_is invalidate' -l no-backup -d 'save nothing: what is dropped or changed is gone'
complete -c ccache -n '__ccache_verb_is invalidate' -l backup-limit -x -d 'refuse to drop more than an undo file of this size can hold'
complete -c ccache -n '__ccache_verb_is invalidate' -l undo -r -F -d 'bring back what a run dropped or changed, where nothing new is'
complete -c ccache -n '__ccache_verb_is invalidate' -l salvage -d 'undo what is whole of a cut or damaged file'
complete -c ccache -n '__ccache_verb_is invalidate' -l elsewhere -d 'undo into another server or database than the file is of'
complete -c ccache -n '__ccache_verb_is invalidate' -l resume -r -F -d 'go on with the run that wrote this undo file and did not come to its end'
complete -c ccache -n '__ccache_verb_is invalidate' -l event -x -a '(__ccache_dynamic)' -d 'do what the configuration declares for this event'
complete -c ccache -n '__ccache_verb_is invalidate' -l data -r -F -d 'the event\'s payload: JSON, @FILE or - (standard input)'
complete -c ccache -n '__ccache_verb_is invalidate' -l explain -d 'show which rule of the event leads to which key and why, do nothing'
complete -c ccache -n '__ccache_verb_is invalidate' -l follow -x -d 'apply events as they come: - (NDJSON on standard input), stream:KEY, channel:NAME'
complete -c ccache -n '__ccache_verb_is invalidate' -l event-field -x -d 'field (or JSON pointer) that holds a followed event\'s name'
complete -c ccache -n '__ccache_verb_is invalidate' -l bad-events -x -a 'skip stop' -d 'followed events that cannot be used: skip and name them, or stop'
complete -c ccache -n '__ccache_verb_is invalidate' -l group -x -d 'consumer group of a followed stream'
complete -c ccache -n '__ccache_verb_is invalidate' -l consumer -x -d 'consumer\'s name in the group (default HOST-PID)'
complete -c ccache -n '__ccache_verb_is invalidate' -l claim-after -x -d 'take over stream entries that were delivered so long ago and never acknowledged'
complete -c ccache -n '__ccache_verb_is invalidate' -l max-tries -x -d 'set a stream entry aside that failed so often'
complete -c ccache -n '__ccache_verb_is invalidate' -l dead-letter -x -d 'stream for entries that are set aside (default KEY:dead)'
complete -c ccache -n '__ccache_verb_is invalidate' -l report-every -x -d 'say on standard error how following goes (0: only at the end)'

complete -c ccache -n 'not __ccache_verb' -a stats -d 'is the cache doing its job: figures, hit ratios, findings'
complete -c ccache -n '__ccache_verb_is stats' -l sample -x -d 'watch the traffic for so long (MONITOR): hit ratio of each namespace'
complete -c ccache -n '__ccache_verb_is stats' -l scan -d 'count keys, bytes and TTLs of each namespace now'
complete -c ccache -n '__ccache_verb_is stats' -l max-lines -x -d 'end the sample after so many commands'
complete -c ccache -n '__ccache_verb_is stats' -l max-bytes -x -d 'end the sample after so many bytes from MONITOR'
complete -c ccache -n '__ccache_verb_is stats' -l max-latency -x -d 'end the sample when the server answers slower three times running; 0: never'
complete -c ccache -n '__ccache_verb_is stats' -l top -x -d 'the N busiest commands, clients and keys of each namespace in the sample (10 for programs, none in a table)'
complete -c ccache -n '__ccache_verb_is stats' -l watch -x -d 'redraw every so often, also after an outage; once when there is no terminal'
complete -c ccache -n '__ccache_verb_is stats' -l check -d 'exit 1 when a sampled hit ratio is below its namespace\'s target'
complete -c ccache -n '__ccache_verb_is stats' -l fail-if -x -d 'exit 1 when this holds, such as \'ns.lead.hit_ratio<0.7\'; may be given again'
complete -c ccache -n '__ccache_verb_is stats' -l replica-reads -d 'ask replicas, one for each primary that has a usable one: their figures, not the primaries\''
complete -c ccache -n '__ccache_verb_is stats' -l textfile -r -F -d 'write metrics there, in one step, in place of an answer'
complete -c ccache -n '__ccache_verb_is stats' -l metric-names -x -a 'callcache app' -d 'app: own counters as cache_operations_total'
complete -c ccache -n '__ccache_verb_is stats' -l reset -d 'set the program\'s own counters to 0'
complete -c ccache -n '__ccache_verb_is stats' -l yes -s y -d 'do not ask'

complete -c ccache -n 'not __ccache_verb' -a bench -d 'how fast this server is for your namespaces'
complete -c ccache -n '__ccache_past bench' -a '(__ccache_namespaces)'
complete -c ccache -n '__ccache_word bench 0' -a '(__ccache_namespaces)'
complete -c ccache -n '__ccache_verb_is bench' -l max -d 'as fast as it goes (closed loop) instead of at a rate'
complete -c ccache -n '__ccache_verb_is bench' -l clients -x -d 'connections (default 50)'
complete -c ccache -n '__ccache_verb_is bench' -l pipeline -x -d 'with --max: commands that each connection sends at once (default 1)'
complete -c ccache -n '__ccache_verb_is bench' -l threads -x -d 'threads that the connections are shared among (default 1)'
complete -c ccache -n '__ccache_verb_is bench' -l rate -x -d 'operations per second that are sent, come what may (default 1000)'
complete -c ccache -n '__ccache_verb_is bench' -l ramp-to -x -d 'let the rate grow or fall to this until the end'
complete -c ccache -n '__ccache_verb_is bench' -l poisson -d 'random distances between operations, as of independent users'
complete -c ccache -n '__ccache_verb_is bench' -l duration -x -d 'how long to measure (default 10s, or until --requests are made)'
complete -c ccache -n '__ccache_verb_is bench' -l requests -x -d 'stop after so many operations'
complete -c ccache -n '__ccache_verb_is bench' -l warm-up -x -d 'run so long before measuring (default 0)'
complete -c ccache -n '__ccache_verb_is bench' -l mix -x -d 'shares of the operations (default get=1)'
complete -c ccache -n '__ccache_verb_is bench' -l miss -x -d 'share of the reads that ask for keys which are not there (default 0)'
complete -c ccache -n '__ccache_verb_is bench' -l keys -x -d 'keys of each namespace (default 10000)'
complete -c ccache -n '__ccache_verb_is bench' -l size -x -d 'bytes of a value, or a range as 100-4KiB (default 1KiB)'
complete -c ccache -n '__ccache_verb_is bench' -l ttl -x -d 'life of the keys written, should they not be removed (default 1h)'
complete -c ccache -n '__ccache_verb_is bench' -l pick -x -a 'uniform zipfian sequential' -d 'which keys are asked for (default uniform)'
complete -c ccache -n '__ccache_verb_is bench' -l exponent -x -d 'of --pick zipfian: how much the first keys are preferred (default 0.99)'
complete -c ccache -n '__ccache_verb_is bench' -l seed -x -d 'of the random choices: the same seed, the same load (default 1)'
complete -c ccache -n '__ccache_verb_is bench' -l command -x -d 'another operation, as \'HGET {key} field\'; {value} is one of --size'
complete -c ccache -n '__ccache_verb_is bench' -l prepare -x -d 'what writes a key beforehand instead of SET, as \'HSET {key} field {value}\''
complete -c ccache -n '__ccache_verb_is bench' -l ids -r -F -d 'the namespace\'s keys are made of these ids, a line each'
complete -c ccache -n '__ccache_verb_is bench' -l read-live -d 'read the real keys that are in Redis (--keys of them at most), write nothing'
complete -c ccache -n '__ccache_verb_is bench' -l sample -x -d 'sizes of values as those of so many real keys of the namespace'
complete -c ccache -n '__ccache_verb_is bench' -l sample-ttl -d 'with --sample: the TTLs too, as what was left of the real keys\' lives'
complete -c ccache -n '__ccache_verb_is bench' -l verify -d 'check every value read: the right key\'s, whole, not older than the last write'
complete -c ccache -n '__ccache_verb_is bench' -l assert -x -d 'exit 1 unless it holds, as \'get.p99<5ms\' or \'errors==0\'; may be given again'
complete -c ccache -n '__ccache_verb_is bench' -l hdr -r -F -d 'write the times as a log for HdrHistogram\'s tools'
complete -c ccache -n '__ccache_verb_is bench' -l rounds -x -d 'measure so many times, for the spread (default 1, with --baseline 5)'
complete -c ccache -n '__ccache_verb_is bench' -l baseline -r -F -d 'compare with a former run\'s -o json; exit 1 when it got worse'
complete -c ccache -n '__ccache_verb_is bench' -l max-regress -x -d 'with --baseline: so much worse is still well (default 10%)'
complete -c ccache -n '__ccache_verb_is bench' -l source -d 'what a hit saves: read --requests ids (default 100) through the cache, first as misses, from the namespace\'s own source'
complete -c ccache -n '__ccache_verb_is bench' -l stampede -x -d 'N readers meet expired keys before a simulated source: unguarded, with a lock, jitter, early refresh'
complete -c ccache -n '__ccache_verb_is bench' -l source-latency -x -d 'with --stampede: how long the simulated source takes (default 100ms)'
complete -c ccache -n '__ccache_verb_is bench' -l preset -x -a 'call-logs conversations dashboard sessions messages' -d 'the load of one of the systems; options beside it win'
complete -c ccache -n '__ccache_verb_is bench' -l job -r -F -d 'the load that --save-job wrote; options beside it win'
complete -c ccache -n '__ccache_verb_is bench' -l save-job -r -F -d 'write the load as a JSON file that can be edited'
complete -c ccache -n '__ccache_verb_is bench' -l yes -s y -d 'more than the default load on a server that is not on this machine'
complete -c ccache -n '__ccache_verb_is bench' -l dry-run -d 'say what would be done, do nothing'

complete -c ccache -n 'not __ccache_verb' -a config -d 'check, show, describe or discover the configuration'
complete -c ccache -n '__ccache_word config 0' -a 'check show names schema discover'
complete -c ccache -n '__ccache_word config 1 check' -F
complete -c ccache -n '__ccache_verb_is config' -l max-keys -x -d 'discover: look at so many keys at most; 0: all (default 1000000)'

complete -c ccache -n 'not __ccache_verb' -a ping -d 'is the server reachable, who is it, how fast'
complete -c ccache -n '__ccache_verb_is ping' -l count -x -d 'round trips to measure'

complete -c ccache -n 'not __ccache_verb' -a repl -d 'a prompt, or a script: many commands over one connection'
complete -c ccache -n '__ccache_verb_is repl' -l execute -s e -x -d 'run these, separated by \';\', in place of a script; may be given again'
complete -c ccache -n '__ccache_verb_is repl' -l keep-going -d 'a script goes on after a command that failed'
complete -c ccache -n '__ccache_verb_is repl' -l verbose -d 'a script shows each command before it runs'
complete -c ccache -n '__ccache_verb_is repl' -l read-only -d 'refuse whatever would write to Redis'
complete -c ccache -n '__ccache_verb_is repl' -l no-history -d 'neither read nor write the history of lines'
complete -c ccache -n '__ccache_verb_is repl' -l no-hints -d 'show nothing behind the line that is typed'
complete -c ccache -n '__ccache_verb_is repl' -l complete -d 'print what may stand in place of the last of the WORDS, and stop (for shells)'

complete -c ccache -n 'not __ccache_verb' -a help -d 'explain a verb'
complete -c ccache -n '__ccache_word help 0' -a '$__ccache_verbs'
# END TABLES
