#!/bin/sh
# Bootstrap: make .venv, install the locked base, hand the arguments to just. Without arguments: start the app.
set -eu
cd "$(dirname "$0")"

for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3 python; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "error: SplazMatte needs Python 3.11 or newer; install it, or set PYTHON to its path" >&2
    exit 1
fi

"$python" scripts/setup.py base
PATH="$PWD/.venv/bin:$PATH" exec just "${@:-app}"
