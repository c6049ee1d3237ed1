# Removes secrets from text on the node, before it leaves the node. POSIX awk; LC_ALL=C, so that a character is a byte.
# mode: lines (logs, output of commands), journal (JSON lines of journalctl), xml (CIB, pe-inputs; a record ends at ">").
# No single quote may stand in this file: it travels as one word of a shell script.
BEGIN {
    MASK = "*****"
    if (mode == "xml") RS = ">"
    SUSPECT = "[Pp][Aa][Ss][Ss]|[Pp][Ww][Dd]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn]|[Cc][Rr][Ee][Dd][Ee][Nn]|[Kk][Ee][Yy]" \
        "|[Cc][Oo][Mm][Mm][Uu][Nn][Ii][Tt]|[Cc][Oo][Oo][Kk][Ii][Ee]|[Bb][Ee][Aa][Rr][Ee][Rr]|[Aa][Uu][Tt][Hh]|://|A[KS]IA|eyJ|gh[opsu]_|xox[abp]-" \
        "|[^A-Za-z0-9]-[pPwkyacAXuU]|sig=|psk|PSK"
    WORD = "(passw|passphr|passcode|passkey|pwd|secret|token|credential|community|cookie|psk|auth_pass" \
        "|(api|access|priv|private|shared|auth|session|encryption|account|storage|license|client|ssh|rsa|master)[_ -]?key|totem\\.key|apikey)"
    NAME = "[a-z0-9_.-]*" WORD "[a-z0-9_.-]*"
    SEP = "(\\\\?[\"\047])?[ \t]*(\\((str|u8|u16|u32|u64|i8|i16|i32|i64|flt|dbl|bin)\\))?[ \t]*(=>|=|:)[ \t]*"
    PAIR = NAME SEP "|(^|[^a-z0-9_.-])(sig|pass|pin)=|[?&]key="
    OPTION = "(^|[ \t\"\047=,])--?[a-z0-9-]*(passw|passphr|secret|token|credential|api-key|access-key|private-key)[a-z0-9-]*[ \t]+"
    QUOTED = "(shared-secret|auth_pass|passphrase|password|passwd|secret)[ \t]+\\\\?[\"\047]"
    BARE = "(shared-secret|auth_pass)[ \t]+"
    VALUE = "(\\\\\"[^\"]*\"|\"[^\"]*\"|\047[^\047]*\047|[^ \t\"]+)"
    sixteen = ""
    for (i = 0; i < 16; i++) sixteen = sixteen "[A-Z0-9]"
    AWS = "A[KS]IA" sixteen
}

function sensitive(name) {
    name = tolower(name)
    if (name ~ /(script|file|path|timeout|interval|retransmit|coefficient|retries|expire)$/) return 0
    return name ~ WORD || name ~ /(^|[^a-z])(key|pass|pin|sig)$/
}

# Length of the value that a text begins with; open is the quote that stands before the name, if any.
function extent(s, open,   c, n, i) {
    c = substr(s, 1, 1)
    if (c == "\\" && substr(s, 2, 1) == "\"") {
        for (i = 3; i <= length(s); i++) {
            if (substr(s, i, 4) == "\\\\\\\"") { i += 3; continue }
            if (substr(s, i, 2) == "\\\\") { i++; continue }
            if (substr(s, i, 2) == "\\\"") return i + 1
        }
        return length(s)
    }
    if (c == "\"" || c == "\047") {
        for (i = 2; i <= length(s); i++) {
            if (c == "\"" && substr(s, i, 1) == "\\") { i++; continue }
            if (substr(s, i, 1) == c) return i
        }
        return length(s)
    }
    if (open != "") {
        n = index(s, open)
        return n ? n - 1 : length(s)
    }
    return match(s, /[ \t"<>\r]/) ? RSTART - 1 : length(s)
}

function exempt(name, value) {
    gsub(/[\\"\047,;)]/, "", value)
    if (value == "" || value ~ /^\*+$/ || value ~ /^\[?(set|REMOVED|not set)\]?$/) return 1
    if (name ~ /(script|file|path|timeout|interval|retransmit|coefficient|retries|expire)[^a-z]*$/) return 1
    if (name ~ /token/ && name !~ /passw|secret/ && value ~ /^[0-9.]+(ms|s)?$/ && length(value) < 10) return 1
    return 0
}

function masked(value,   c) {
    c = substr(value, 1, 1)
    if (c == "\\" && substr(value, 2, 1) == "\"") return "\\\"" MASK "\\\""
    if (c == "\"" || c == "\047") return c MASK c
    return MASK
}

# Masks what follows each match of a pattern (on the text in lower case); quoted: the match ends with the first quote of it.
function after(s, pattern, quoted,   low, out, name, n, value, before) {
    out = ""
    low = tolower(s)
    while (match(low, pattern)) {
        if (quoted) RLENGTH -= substr(low, RSTART + RLENGTH - 2, 1) == "\\" ? 2 : 1
        name = substr(low, RSTART, RLENGTH)
        before = RSTART > 1 ? substr(s, RSTART - 1, 1) : substr(out, length(out), 1)
        out = out substr(s, 1, RSTART + RLENGTH - 1)
        s = substr(s, RSTART + RLENGTH)
        low = substr(low, RSTART + RLENGTH)
        if (name ~ /[\\"\047][ \t]*(=>|=|:)/ || (before != "\"" && before != "\047")) before = ""
        n = extent(s, before)
        value = substr(s, 1, n)
        out = out (exempt(name, value) ? value : masked(value))
        s = substr(s, n + 1)
        low = substr(low, n + 1)
    }
    return out s
}

# Masks a value that the match itself ends with; keep is the part of the match that stays.
function inside(s, pattern, keep,   out, hit) {
    out = ""
    while (match(s, pattern)) {
        hit = substr(s, RSTART, RLENGTH)
        out = out substr(s, 1, RSTART - 1)
        s = substr(s, RSTART + RLENGTH)
        if (match(hit, keep)) hit = substr(hit, 1, RSTART + RLENGTH - 1)
        else hit = ""
        out = out hit MASK
    }
    return out s
}

# <nvpair id="..." name="passwd" value="..."/> in any order, also with the quotes of JSON; several tags in one line.
function tags(s,   parts, n, i, name, out) {
    # A record of XML holds no ">", and some awks take a newline for a separator as well.
    if (mode == "xml") { n = 1; parts[1] = s }
    else n = split(s, parts, ">")
    out = ""
    for (i = 1; i <= n; i++) {
        if (match(parts[i], /[ \t]name=\\?["\047][^"\047\\]*/)) {
            name = substr(parts[i], RSTART, RLENGTH)
            sub(/.*name=\\?["\047]/, "", name)
            if (sensitive(name)) {
                gsub(/[ \t]value="[^"]*"/, " value=\"" MASK "\"", parts[i])
                gsub(/[ \t]value=\047[^\047]*\047/, " value=\047" MASK "\047", parts[i])
                gsub(/[ \t]value=\\"([^"\\]|\\\\)*\\"/, " value=\\\"" MASK "\\\"", parts[i])
            }
        }
        out = out (i > 1 ? ">" : "") parts[i]
    }
    return out
}

# journalctl prints what is no clean text as a list of bytes; as text it can be searched.
function spelled(s,   out, list, n, i, bytes) {
    out = ""
    while (match(s, /:[ \t]*\[[0-9][0-9, \t]*\]/)) {
        out = out substr(s, 1, RSTART - 1) ":\""
        list = substr(s, RSTART, RLENGTH)
        s = substr(s, RSTART + RLENGTH)
        gsub(/[^0-9,]/, "", list)
        n = split(list, bytes, ",")
        for (i = 1; i <= n; i++) {
            if (bytes[i] > 31 && bytes[i] < 127 && bytes[i] != 34 && bytes[i] != 92) out = out sprintf("%c", bytes[i] + 0)
            else if (bytes[i] == 10) out = out "\\n"
            else if (bytes[i] != 0) out = out sprintf("\\u%04x", bytes[i])
        }
        out = out "\""
    }
    return out s
}

# Private keys in PEM form: the lines between the marks are left out, at most 200.
function pem(s,   a, z) {
    if (inpem) {
        if (s ~ /-----END/ || ++inpem > 200) inpem = 0
        if (substr(s, 1, 1) != "{") return s ~ /-----END/ ? MASK : ""
        sub(/"MESSAGE"[ ]?:[ ]?"([^"\\]|\\.)*"/, "\"MESSAGE\":\"" MASK "\"", s)
        return s
    }
    if (match(s, /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/)) {
        a = substr(s, 1, RSTART - 1)
        z = substr(s, RSTART + 10)
        if (match(z, /-----END [A-Z0-9 ]*KEY[A-Z ]*-----/)) return a MASK pem(substr(z, RSTART + RLENGTH))
        inpem = 1
        if (substr(s, 1, 1) != "{") return a MASK
        sub(/"MESSAGE"[ ]?:[ ]?"([^"\\]|\\.)*"/, "\"MESSAGE\":\"" MASK "\"", s)
    }
    return s
}

# Options of tools that take a password by one letter.
function options(s,   low) {
    low = tolower(s)
    if (low ~ /fence_|ipmi|stonith|racadm|hponcfg/) s = inside(s, "[ \t]-[pPky][ \t=]*" VALUE, "[ \t]-[pPky][ \t=]*")
    if (low ~ /(^|[^a-z_-])(pcs|crm|mysql[a-z]*|mariadb[a-z-]*|sshpass|ldap[a-z]*|mongo[a-z]*)[ \t]/)
        s = inside(s, "[ \t]-[pPw][ \t=]*" VALUE, "[ \t]-[pPw][ \t=]*")
    if (low ~ /snmp(get|set|walk|bulk|trap|inform)/) s = inside(s, "[ \t]-[cAX][ \t=]*" VALUE, "[ \t]-[cAX][ \t=]*")
    if (low ~ /(redis-cli|valkey-cli)[ \t]/) s = inside(s, "[ \t]-a[ \t=]*" VALUE, "[ \t]-a[ \t=]*")
    if (low ~ /(^|[^a-z_-])(curl|wget)[ \t]/)
        s = inside(s, "[ \t](-u|-U|--user|--proxy-user)[ \t=]*" VALUE, "[ \t](-u|-U|--user|--proxy-user)[ \t=]*")
    if (low ~ /pass:/) s = inside(s, "pass:[^ \t\"]+", "pass:")
    if (low ~ /chpasswd|passwd[ \t]+--stdin/) s = inside(s, "(echo|printf|<<<)[ \t].*", "(echo|printf|<<<)[ \t]")
    return s
}

# What pacemaker-attrd logs of node attributes: "Setting db_password[n1]: (unset) -> x | from n2", "Wrote db_password[n1]=x".
function attribute(s,   low, head, rest, n) {
    low = tolower(s)
    if (!match(low, NAME "\\[[^]]*\\]( in [a-z_-]+)?(:|=)")) return s
    head = substr(s, 1, RSTART + RLENGTH - 1)
    rest = substr(s, RSTART + RLENGTH)
    n = length(rest)
    if (mode == "journal" && match(rest, /^([^"\\]|\\.)*/)) n = RLENGTH
    if (match(substr(rest, 1, n), / \| /)) n = RSTART - 1
    return head (substr(rest, 1, n) ~ / -> / ? " " MASK " -> " MASK : MASK) attribute(substr(rest, n + 1))
}

function clean(s) {
    s = pem(s)
    if (s !~ SUSPECT) return s
    if (s ~ /name=/) s = tags(s)
    if (s ~ /nvpair\[@id=.*@value=/ && sensitive_path(s)) sub(/@value=.*/, "@value=" MASK, s)
    if (s ~ /^[ \t]*key[ \t]*[:=]/) sub(/[:=].*/, ": " MASK, s)
    if (s ~ /[a-zA-Z]\[/) s = attribute(s)
    s = after(s, PAIR)
    s = after(s, OPTION)
    if (s !~ /</) s = after(s, QUOTED, 1)  # in a tag the quote behind the word may end an attribute
    s = after(s, BARE)
    s = options(s)
    if (s ~ /:\/\/[^\/ \t@"]*:/) s = inside(s, "://[^/ \t@:\"]+:[^ \t\"]*@", "://")
    if (tolower(s) ~ /authorization|bearer/) s = authorization(s)
    gsub(/eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/, MASK, s)
    gsub(AWS, MASK, s)
    gsub(/(gh[opsu]_|xox[abp]-|glpat-|hvs\.)[A-Za-z0-9_-]+/, MASK, s)
    return s
}

function sensitive_path(s,   name) {
    match(s, /nvpair\[@id=[^]]*/)
    name = substr(s, RSTART, RLENGTH)
    gsub(/[^A-Za-z0-9_.-]+$/, "", name)
    sub(/.*[^A-Za-z0-9_]/, "", name)
    return sensitive(name)
}

function authorization(s,   low, out, n) {
    out = ""
    low = tolower(s)
    while (match(low, /authorization\\?["\047]?[ \t]*[:=][ \t]*\\?["\047]?((basic|bearer|digest|negotiate|token)[ \t]+)?|bearer[ \t]+/)) {
        out = out substr(s, 1, RSTART + RLENGTH - 1) MASK
        s = substr(s, RSTART + RLENGTH)
        n = match(s, /[ \t"\\\047<]/) ? RSTART - 1 : length(s)
        s = substr(s, n + 1)
        low = tolower(s)
    }
    return out s
}

{
    line = $0
    if (mode == "journal") line = spelled(line)
    line = clean(line)
    if (mode == "xml") printf "%s%s", (NR > 1 ? ">" : ""), line
    else print line
}
