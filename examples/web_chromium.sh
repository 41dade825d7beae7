#!/bin/sh
# Opens web.html in a Chromium that nobody sees, waits for its calls, and prints what it shows then.
set -eu

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$profile" \
  --virtual-time-budget=20000 --dump-dom "file://$(cd "$(dirname "$0")" && pwd)/web.html" \
  2>"$profile/errors" || { cat "$profile/errors"; exit 1; }
