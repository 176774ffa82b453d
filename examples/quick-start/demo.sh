#!/bin/sh
# Seeds the embedded platform, then validates, plans and applies the quick-start policies and shows how things stand.
# Everything it writes is in build/demo, made anew each time; look around there afterwards.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
play=$(cd "$here/../.." && pwd)/build/demo
rm -rf "$play"
mkdir -p "$play"
cp -R "$here/seed.yaml" "$here/policies" "$play"
cd "$play"

run() {
    printf '\n\033[1m$ %s\033[0m\n' "$*" | { if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }
    "$@"
}

run modelpolicy platform seed seed.yaml
run modelpolicy validate policies
run modelpolicy plan policies --out reviewed.json
run modelpolicy apply --plan reviewed.json --yes
run modelpolicy apply policies --yes
run modelpolicy platform use search-prod --tokens 1800 --requests 3
run modelpolicy status policies
cat <<'TEXT'

Your turn: the files are in build/demo. Change policies/search.yaml, then
    cd build/demo && ../../.venv/bin/modelpolicy plan policies
TEXT
