#!/bin/sh
# Judges a published archive with other people's tools alone: unzip, openssl, od and awk. Shares no code with what
# writes it. Usage: verify-export.sh [--bare] FILE.zip PUBLIC.pem
#   --bare   configuration and other archives: no header, no keys
# Prints what it found; exit status 0 when the form is right and a signature verifies under the key, else 1.
set -eu

fail() {
  echo "$1"
  exit 1
}

bare=no
if [ "${1:-}" = --bare ]; then
  bare=yes
  shift
fi
[ $# -eq 2 ] || fail 'usage: verify-export.sh [--bare] FILE.zip PUBLIC.pem'
zip=$1
key=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

[ "$(unzip -Z1 "$zip" | sort | tr '\n' ' ')" = 'export.bin export.sig ' ] || fail 'entries: not exactly export.bin and export.sig'
unzip -tqq "$zip" >"$folder/unzip" 2>&1 || fail 'archive: damaged'
unzip -p "$zip" export.bin >"$folder/export.bin"
unzip -p "$zip" export.sig >"$folder/export.sig"

# Bytes as numbers, one a line, for the parsers below.
numbers() {
  od -An -v -tu1 "$1" | tr -s ' ' '\n' | grep -v '^$' || true
}

# The wire format of protobuf, written anew: a tag is field * 8 + type.
cat >"$folder/wire.awk" <<'AWK'
# An unset variable would be the empty text as an index, not 0.
BEGIN { at = 0; n = 0; keys = 0 }
{ b[n++] = $1 }
function varint(   v, m) {
  v = 0; m = 1
  while (1) {
    if (at >= n) broken("ends inside a number")
    v += (b[at] % 128) * m
    if (b[at++] < 128) return v
    m *= 128
  }
}
function fixed64(   v, m, i) {
  v = 0; m = 1
  for (i = 0; i < 8; i++) { v += b[at++] * m; m *= 256 }
  return v
}
function text(len,   s, i) {
  s = ""
  for (i = 0; i < len; i++) s = s sprintf("%c", b[at++])
  return s
}
function hex(len,   s, i) {
  s = ""
  for (i = 0; i < len; i++) s = s sprintf("%02x", b[at++])
  return s
}
function skip(type) {
  if (type == 0) varint()
  else if (type == 1) at += 8
  else if (type == 5) at += 4
  else if (type == 2) { type = varint(); at += type }
  else broken("has a field of unknown type")
}
function broken(why) { print "broken: " why; failed = 1; exit }
function info(stop,   tag, f, version, id, algorithm, len) {
  while (at < stop) {
    tag = varint(); f = int(tag / 8)
    if (tag % 8 != 2) { skip(tag % 8); continue }
    len = varint()
    if (f == 3) version = text(len)
    else if (f == 4) id = text(len)
    else if (f == 5) algorithm = text(len)
    else at += len
  }
  return id "-" version " " algorithm
}
AWK

cat >"$folder/sig.awk" <<'AWK'
END {
  if (failed) exit
  while (at < n) {
    tag = varint()
    if (tag != 10) { skip(tag % 8); continue }
    stop = varint(); stop += at; name = "? ?"; signature = "-"
    while (at < stop) {
      inner = varint()
      if (inner == 10) { len = varint(); name = info(at + len) }
      else if (inner == 34) { len = varint(); signature = hex(len) }
      else skip(inner % 8)
    }
    print name, signature
  }
}
AWK

cat >"$folder/bin.awk" <<'AWK'
END {
  if (failed) exit
  at = 16
  while (at < n) {
    tag = varint()
    if (tag == 9) start = fixed64()
    else if (tag == 17) stop = fixed64()
    else if (tag == 26) { len = varint(); region = text(len) }
    else if (tag == 32) num = varint()
    else if (tag == 40) size = varint()
    else if (tag == 50) { len = varint(); print "info", info(at + len) }
    else if (tag == 58) {
      len = varint(); last = at + len; data = ""; level = ""; from = ""; period = 144
      while (at < last) {
        inner = varint()
        if (inner == 10) { len = varint(); if (len != 16) broken("a key has " len " bytes"); data = hex(len) }
        else if (inner == 16) level = varint()
        else if (inner == 24) from = varint()
        else if (inner == 32) period = varint()
        else skip(inner % 8)
      }
      if (data == "" || level < 1 || level > 8 || from == "" || period < 1 || period > 144) broken("key " keys " is incomplete")
      if (data <= before) broken("keys are not ascending")
      before = data; keys++
    }
    else skip(tag % 8)
  }
  if (at != n) broken("ends inside a field")
  printf "window %d %d\nregion %s\nbatch %d of %d\nkeys %d\n", start, stop, region, num, size, keys
}
AWK

numbers "$folder/export.sig" | awk -f "$folder/wire.awk" -f "$folder/sig.awk" >"$folder/signatures"
grep -q '^broken' "$folder/signatures" && fail "export.sig: $(grep '^broken' "$folder/signatures")"

if [ $bare = no ]; then
  [ "$(head -c 16 "$folder/export.bin")" = 'EK Export v1    ' ] || fail 'export.bin: header'
  numbers "$folder/export.bin" | awk -f "$folder/wire.awk" -f "$folder/bin.awk" >"$folder/content"
  grep -q '^broken' "$folder/content" && fail "export.bin: $(grep '^broken' "$folder/content")"
  grep -v '^info' "$folder/content"
  # The same signature infos in both files, in the same order.
  [ "$(sed -n 's/^info //p' "$folder/content")" = "$(cut -d' ' -f1,2 "$folder/signatures")" ] || fail 'signature infos: differ between export.bin and export.sig'
fi

valid=0
while read -r name algorithm signature; do
  printf '%b' "$(printf '%s' "$signature" | awk '{
    digits = "0123456789abcdef"
    for (i = 1; i < length($0); i += 2)
      printf "\\0%03o", (index(digits, substr($0, i, 1)) - 1) * 16 + index(digits, substr($0, i + 1, 1)) - 1
  }')" >"$folder/signature.der"
  verdict=no
  if [ "$algorithm" = 1.2.840.10045.4.3.2 ] &&
    openssl dgst -sha256 -verify "$key" -signature "$folder/signature.der" "$folder/export.bin" >"$folder/openssl" 2>&1; then
    verdict=yes
    valid=$((valid + 1))
  fi
  echo "signature $name $verdict"
done <"$folder/signatures"
[ $valid -gt 0 ] || fail 'no signature verifies under this key'
