@echo off
rem Bootstrap: make .venv, install the locked base, hand the arguments to just. Without arguments: start the app.
setlocal
cd /d "%~dp0"
set "PY="
for %%P in ("py -3.11" "py -3" "python") do (
    if not defined PY %%~P -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul && set "PY=%%~P"
)
if not defined PY (
    echo error: SplazMatte needs Python 3.11 or newer; install it from python.org 1>&2
    exit /b 1
)
%PY% scripts\setup.py base || exit /b 1
set "PATH=%CD%\.venv\Scripts;%PATH%"
if "%~1"=="" (just app) else (just %*)
exit /b %ERRORLEVEL%
