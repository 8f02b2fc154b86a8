# SplazMatte's recipes. `./start.sh RECIPE` (start.bat on Windows) sets up what they need and runs them.

# Bytecode is kept, whatever the environment says: every job is a process, and each would compile everything anew.
export PYTHONDONTWRITEBYTECODE := ""

set positional-arguments
set windows-shell := ["cmd.exe", "/d", "/c"]

system := if path_exists(".venv/bin/python") == "true" { ".venv/bin/python" } else if os() == "windows" { "python" } else { "python3" }
python := if os() == "windows" { ".venv\\Scripts\\python.exe" } else { ".venv/bin/python" }

# list the recipes
default:
    @just --list --unsorted

# install everything, neural engines included (--cuda, --mps or --cpu chooses torch's build)
setup *flags:
    @{{ system }} scripts/setup.py all --retry {{ flags }}

# install the light base only (built-in engines, command line)
install-deps:
    @{{ system }} scripts/setup.py base

# start the web app
[no-exit-message]
app: install-deps
    @{{ python }} app.py

# start the web app on another port
[no-exit-message]
app-port port: install-deps
    @{{ python }} app.py --port {{ port }}

# download weights of neural engines (--sam2, --sam3, --matanyone, --videomama, --cotracker, --all; or names of sets)
[no-exit-message]
download-models *flags: _everything
    @{{ python }} run.py models download {{ flags }}

# list the sessions
[no-exit-message]
list *flags: install-deps
    @{{ python }} run.py list {{ flags }}

# run or go on with a session
[no-exit-message]
run id *flags: install-deps
    @{{ python }} run.py run {{ id }} {{ flags }}

# run the jobs of the queue
[no-exit-message]
run-queue *flags: install-deps
    @{{ python }} run.py run-queue {{ flags }}

# the queue: list, add, remove, move, cancel, retry, clear, … (`queue --help`)
[unix]
[no-exit-message]
queue *args: install-deps
    @{{ python }} run.py queue "$@"

# the queue: list, add, remove, move, cancel, retry, clear, … (`queue --help`)
[windows]
[no-exit-message]
queue *args: install-deps
    @{{ python }} run.py queue {{ args }}

# show the device, memory, codecs, weights and what is missing
[no-exit-message]
device *flags: install-deps
    @{{ python }} run.py doctor {{ flags }}

# lint, format check and type check
[no-exit-message]
check: _everything
    @{{ python }} -m ruff check .
    @{{ python }} -m ruff format --check .
    @{{ python }} -m mypy

# run the tests (arguments go to pytest)
[unix]
[no-exit-message]
test *args: _everything
    @{{ python }} -m pytest "$@"

# run the tests (arguments go to pytest)
[windows]
[no-exit-message]
test *args: _everything
    @{{ python }} -m pytest {{ args }}

# measure: quality, media, ui, engines or all (--help shows the options)
[no-exit-message]
bench *args: _everything
    @{{ python }} -m benchmarks {{ args }}

# matte the bundled clip, or a video of your own
[unix]
[no-exit-message]
demo *args: install-deps
    @{{ python }} run.py demo "$@"

# matte the bundled clip, or a video of your own
[windows]
[no-exit-message]
demo *args: install-deps
    @{{ python }} run.py demo {{ args }}

# remove sessions and results from workspace/ (asks first)
[no-exit-message]
clean: install-deps
    @{{ python }} run.py clean

# remove logs
[no-exit-message]
clean-logs: install-deps
    @{{ python }} run.py clean --logs

# print the version
[no-exit-message]
version: install-deps
    @{{ python }} run.py --version

# write requirements.lock anew from pyproject.toml
lock:
    @{{ system }} scripts/setup.py lock

_everything:
    @{{ system }} scripts/setup.py all
