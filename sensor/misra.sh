#!/usr/bin/env bash
# Holds sensor/src to the rules of MISRA C:2012 that cppcheck's addon can check, but for those that
# docs/guide-sensor.md gives a reason for. Called by ./dev sensor; run in the repository root.
set -euo pipefail
log=build/sensor/misra.log
mkdir -p "${log%/*}"

fail() {
  printf 'misra: %s\n' "$*" >&2
  exit 1
}

cppcheck --quiet --addon=misra --std=c11 --platform=arm32-wchar_t4 -j "$(nproc)" \
  --enable=warning,style,performance,portability --suppress=missingIncludeSystem \
  -Isensor/include -Isensor/src --template='{id} {file}:{line}: {message}' \
  sensor/src/gw[sp]_*.c 2>"$log" || fail "cppcheck failed: $log"
allowed=$(sed -n 's/^| \([0-9]*\.[0-9]*\) |.*/misra-c2012-\1/p' docs/guide-sensor.md | sort)
found=$(cut -d' ' -f1 "$log" | sort -u)
bad=$(comm -13 <(echo "$allowed") <(echo "$found"))
[[ -z $bad ]] || {
  grep -wF -- "$bad" "$log" >&2
  fail "rules broken that docs/guide-sensor.md does not name"
}
stale=$(comm -23 <(echo "$allowed") <(echo "$found"))
[[ -z $stale ]] || fail "named in docs/guide-sensor.md and not needed: $stale"
printf 'MISRA C:2012 as cppcheck sees it: %d places, all under the %d deviations of docs/guide-sensor.md.\n' \
  "$(wc -l <"$log")" "$(wc -l <<<"$allowed")"
