# The part of hadiag collect that runs on a node: POSIX sh and the node's own tools; it leaves nothing behind there.
#
# It writes frames to standard output: lines "#H WORD ..." and, between "#H file" and "#H end", base64 of the compressed
# content. What a step reads is cleaned of secrets (scrub.awk) before it is written. Every step runs in a process group of
# its own with a time limit; whatever hangs costs that step. HADIAG holds this whole text, so that a step is a new shell.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
LC_ALL=C; LANG=C; export PATH LC_ALL LANG
umask 077
unset CDPATH ENV BASH_ENV IFS

say() { printf '\n#H %s\n' "$*"; }

packed() { printf %s "$1" | $B64 | tr -d '\n'; }

now() { date +%s; }

probe_tools() {
    if printf x | base64 -w 8000 >/dev/null 2>&1; then B64='base64 -w 8000'
    elif printf x | base64 >/dev/null 2>&1; then B64=base64
    else B64='openssl base64'; fi
    ZIP=cat; CODING=plain
    if command -v gzip >/dev/null 2>&1; then ZIP='gzip -1 -c'; CODING=gzip; fi
    TIMEOUT=
    if timeout -s KILL 5 true >/dev/null 2>&1; then TIMEOUT=timeout; fi
    export B64 ZIP CODING TIMEOUT
}

# Ends a process and all below it, from the top, so that no parent goes on; used where there is no timeout(1).
end_tree() {
    _kids=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v p="$1" '{ id = $1; sub(/^.*\) /, ""); if ($2 == p) print id }')
    kill -KILL "$1" 2>/dev/null
    for _kid in $_kids; do ( end_tree "$_kid" ); done
}

# limit SECONDS COMMAND...: 124 or 137 where the time was over.
limit() {
    _t=$1; shift
    if [ -n "$TIMEOUT" ]; then
        "$TIMEOUT" -s "${STOP_SIGNAL:-KILL}" "$_t" "$@" </dev/null
        return
    fi
    "$@" </dev/null &
    _p=$!
    ( _n=0
      while [ "$_n" -lt "$_t" ]; do sleep 1; kill -0 "$_p" || exit 0; _n=$((_n + 1)); done
      end_tree "$_p" ) >/dev/null 2>&1 &
    _w=$!
    wait "$_p" 2>/dev/null; _rc=$?
    kill "$_w" 2>/dev/null
    return "$_rc"
}

self() { limit "$1" sh -c 'eval "$HADIAG"' hadiag "$2" "$3" "$4" "$5"; }

encode() { head -c "$1" | $ZIP | $B64; }

# Some awks end a line at a NUL, which is what a power loss leaves at the end of a log: it travels as \001 through awk.
scrub() {
    case $1 in
    xml) { tr -d '\000'; echo; } | awk -v mode=xml "$SCRUB" ;;
    *) tr '\000' '\001' | awk -v mode="$1" "$SCRUB" | tr '\001' '\000' ;;
    esac
}

# Last lines of what a tool said on standard error, and its exit status behind them.
finish() {
    _code=$(printf '%s\n' "$1" | sed -n 's/^exit=\([0-9]*\)$/\1/p' | tail -n 1)
    _said=$(printf '%s\n' "$1" | sed '/^exit=[0-9]*$/d' | tail -n 3 | cut -c1-300 | scrub lines | tr '\n' ' ')
    say "end ${_code:--} $(packed "$_said")"
}

# journalctl before version 236 cannot leave out fields.
journal_fields() { journalctl --help 2>/dev/null | grep -q -e --output-fields && echo "--output-fields=$ALL_FIELDS"; }

# One command, its output as one file.
do_step() {
    case $1 in journal*) FIELDS=$(journal_fields) ;; esac
    exec 4>&1
    say "file $(packed "$STEP_TO") $CODING $(now) - -"
    _note=$( { { produce "$1" 2>&3 3>&- 4>&-; echo "exit=$?" >&3; } |
        { scrub "$STEP_SCRUB" | encode $((STEP_MAX + 1)); } >&4 3>&- 4>&-; } 3>&1 | tail -c 3000)
    exec 4>&-
    finish "$_note"
}

# Files that are never read: they hold nothing but secrets.
forbidden() {
    case $1 in
    *authkey* | *.key | *.pem | *.p12 | *.pfx | *.keytab | */.ssh/* | */pcsd/*.crt | */pcsd/known-hosts | */pcsd/tokens | \
        */pcsd/pcs_users.conf | */pcsd/pcs_settings.conf | */lrm/secrets/* | */shadow* | */gshadow* | */id_rsa* | */id_ed25519* | \
        */id_ecdsa* | */ssh_host_* | */.my.cnf | */.netrc | */.pgpass | */qdevice/net/*/nssdb/* | */qnetd/nssdb/* | /proc/*/environ) return 0 ;;
    esac
    return 1
}

unpacker() {
    case $1 in
    *.gz) echo 'gzip -dc' ;;
    *.bz2) echo 'bzip2 -dc' ;;
    *.xz) echo 'xz -dc' ;;
    *.zst) echo 'zstd -dcq' ;;
    *) echo cat ;;
    esac
}

# Where the window begins in a log that is larger than the limit: the offset of the first line with one of its days.
window_offset() {
    [ -n "$DAYS" ] || return 0
    LC_ALL=C grep -a -b -m 1 -E "^.{0,60}($DAYS)" "$1" 2>/dev/null | head -n 1 | cut -d: -f1
}

read_file() {  # read_file PATH SIZE MAX
    _how=$(unpacker "$1")
    if [ "$_how" != cat ]; then $_how <"$1"
    elif [ "$2" -le "$3" ]; then cat <"$1"
    else
        _at=$(window_offset "$1")
        if [ -n "$_at" ]; then tail -c +$((_at + 1)) <"$1"; else tail -c "$3" <"$1"; fi
    fi
}

days() {
    _d=$SINCE; _n=0
    while [ "$_d" -le $((UNTIL + 86400)) ] && [ "$_n" -lt 40 ]; do
        date -d "@$_d" '+%b %e|%Y-%m-%d|%Y/%m/%d' 2>/dev/null || return 0
        _d=$((_d + 86400)); _n=$((_n + 1))
    done | tr '\n' '|' | sed 's/|$//'
}

# One file of a step: do_file ID PATH [NAME]
do_file() {
    _id=$1; _path=$2; _name=${3:-$2}
    _max=$STEP_MAX; _scrub=$STEP_SCRUB
    _real=$(readlink -f "$_path" 2>/dev/null || echo "$_path")
    if forbidden "$_path" || forbidden "$_real"; then say "left $(packed "$_name") forbidden"; return; fi
    if [ ! -f "$_path" ]; then say "left $(packed "$_name") special"; return; fi
    if [ ! -r "$_path" ]; then say "left $(packed "$_name") denied"; return; fi
    case $_path in */pe-*.bz2) _scrub=pe ;; esac
    case $_path in *.bz2 | *.gz | *.xz | *.zst) _back=${_name%.*} ;; *) _back=$_name ;; esac
    if [ "$_scrub" = pe ]; then _scrub=xml; _back=$_name; fi
    case $_name in *.xml) _scrub=xml ;; esac
    if [ "$_scrub" = lines ] && binary "$_path"; then say "left $(packed "$_name") binary"; return; fi
    _size=$(stat -L -c %s "$_path" 2>/dev/null || ls -lnL "$_path" | awk '{ print $5 }')
    _time=$(stat -L -c %Y "$_path" 2>/dev/null || now)
    DAYS=
    [ "$_size" -le "$_max" ] || DAYS=$(days)
    exec 4>&1
    say "file $(packed "$_back") $CODING $_time $_size $(packed "$_path")"
    _note=$( { { read_file "$_path" "$_size" "$_max" 2>&3 3>&- 4>&-; echo "exit=$?" >&3; } |
        { scrub "$_scrub" | repack "$_back" | encode $((_max + 1)); } >&4 3>&- 4>&-; } 3>&1 | tail -c 3000)
    exec 4>&-
    finish "$_note"
}

repack() { case $1 in *.bz2) bzip2 -c ;; *) cat ;; esac; }

# Text is searched for secrets; what is no text cannot be, and stays where it is.
binary() {
    _odd=$($(unpacker "$1") <"$1" 2>/dev/null | head -c 4096 | tr -d '\000\011-\015\033\040-\176\200-\377' | wc -c)
    _nul=$($(unpacker "$1") <"$1" 2>/dev/null | head -c 64 | tr -d -c '\000' | wc -c)
    [ "$_odd" -gt 100 ] || { [ "$_nul" -gt 4 ] && [ "$_nul" -lt 60 ]; }
}

# All files that a step lists, each with a limit of its own: do_files ID
do_files() {
    _id=$1; _all=$STEP_TIME; _from=$(now); _count=0
    _list=$(produce "$_id" 2>/dev/null)
    _lines=$(printf '%s\n' "$_list" | wc -l)
    set -f
    IFS='
'
    for _each in $_list; do
        unset IFS
        _left=$((_all - $(now) + _from))
        if [ "$_left" -le 0 ]; then say "left - $((_lines - _count))"; return 1; fi
        [ "$_left" -le $((_all / 3 + 1)) ] || _left=$((_all / 3 + 1))
        _before=$(now)
        if [ -n "$VIA_ROOT" ]; then self "$_left" file "$_id" "$_each" "$VIA_NAME${_each#"$VIA_ROOT"}"; else self "$_left" file "$_id" "$_each"; fi
        _rc=$?
        case $_rc in 124 | 137) say "late $(packed "$_each") $(($(now) - _before))" ;; esac
        _count=$((_count + 1))
    done
    unset IFS
    [ "$_count" -gt 0 ] || return 66
}

# Runs a step: the fields of a row of the table.
run_step() {
    _start=$(now)
    STEP_TIME=$3; STEP_MAX=$4; STEP_SCRUB=$5; STEP_TO=$7
    export STEP_TIME STEP_MAX STEP_SCRUB STEP_TO
    say "step $1 $_start"
    for _tool in $6; do
        command -v "$_tool" >/dev/null 2>&1 || { say "done $1 127 0 $_tool"; return; }
    done
    case $2 in
    command) self "$3" step "$1" ;;
    files) self $(($3 + 5)) files "$1" ;;
    via) STOP_SIGNAL=TERM self $(($3 + 5)) via "$1" ;;
    esac
    _rc=$?
    say "done $1 $_rc $(($(now) - _start))"
}

run_all() {
    probe_tools
    renice -n 10 -p $$ >/dev/null 2>&1
    ionice -c 2 -n 7 -p $$ >/dev/null 2>&1
    say "hello 1 $(packed "$(uname -n)") $(now) $(id -u) $SINCE $UNTIL"
    printf 'x' | $B64 >/dev/null 2>&1 || { say "fatal no-base64"; return 1; }
    printf '%s\n' "$STEPS" | while IFS='|' read -r _id _kind _time _max _scrub _tools _to; do
        case " $SKIP " in *" $_id "*) continue ;; esac
        [ "$_kind" != part ] || continue
        run_step "$_id" "$_kind" "$_time" "$_max" "$_scrub" "$_tools" "$_to" 3<&- </dev/null
    done
    say "io $(tr '\n' ' ' 2>/dev/null </proc/$$/io)"
    say times
    times
    say bye
}

# The node's own collector; its report stays unpacked, so that each file of it is cleaned like any other.
do_via() {
    VIA_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/hadiag-via.XXXXXX") || { echo "no space for the report" >&2; return 73; }
    trap 'rm -rf "$VIA_ROOT"' EXIT
    trap 'exit 143' TERM HUP INT
    export VIA_ROOT
    VIA_NAME=/via/${1#via-}
    export VIA_NAME
    say "file $(packed "$VIA_NAME.out") $CODING $(now) - -"
    _note=$({ produce "$1" "$VIA_ROOT" 2>&1; echo "exit=$?"; } | tail -c 20000)
    printf '%s\n' "$_note" | scrub lines | encode 20001
    finish "$(printf '%s\n' "$_note" | grep . | tail -n 3)"
    do_files "$1-files"
}

at() { date -d "@$1" '+%Y-%m-%d %H:%M:%S' 2>/dev/null; }

main() {
    case $1 in
    run) run_all ;;
    step) do_step "$2" ;;
    files) do_files "$2" ;;
    file) do_file "$2" "$3" "$4" ;;
    via) do_via "$2" ;;
    *)
        HADIAG=$(cat "$0") || exit 1
        export HADIAG
        if [ -n "$1" ] && [ "$1" != - ]; then exec >"$1" || exit 1
        elif [ -t 1 ] && [ "$1" != - ]; then
            _out=./hadiag-$(uname -n).stream
            echo "Collecting into $_out; hand that file over." >&2
            exec >"$_out" || exit 1
        fi
        run_all
        ;;
    esac
}
