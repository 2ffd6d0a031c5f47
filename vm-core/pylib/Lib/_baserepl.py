"""The prompt: at a terminal with the editor of `_pyrepl`, elsewhere a line at a time with the prompts on standard error."""

import code
import linecache
import os
import sys


class _Console(code.InteractiveConsole):
    """Reads plain lines, as from a pipe, and keeps the source for tracebacks."""

    _source = ""

    def raw_input(self, prompt=""):
        sys.stdout.flush()
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            if self.buffer and self.buffer[-1]:
                # The end of the input ends a block that was begun, as an empty line does.
                return ""
            raise EOFError
        return line.removesuffix("\n")

    def runsource(self, source, filename="<stdin>", symbol="single"):
        self._source = source
        return super().runsource(source, filename, symbol)

    def runcode(self, code):
        linecache._register_code(code, self._source, self.filename)
        super().runcode(code)


def basic():
    """Runs statements from standard input in `__main__` up to its end."""
    import __main__

    _Console(__main__.__dict__, filename="<stdin>").interact(banner="", exitmsg="")


def _run_startup(namespace):
    path = os.environ.get("PYTHONSTARTUP")
    if not path or sys.flags.ignore_environment:
        return
    sys.audit("cpython.run_startup", path)
    import tokenize
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except OSError as error:
        print(f"Could not open PYTHONSTARTUP\n{type(error).__name__}: {error}", file=sys.stderr)
        return
    try:
        exec(compile(text, path, "exec"), namespace)
    except Exception:
        sys.excepthook(*sys.exc_info())


def interact(banner):
    """The prompt of the command line, after a program (`-i`) or instead of one."""
    import __main__

    if banner:
        print(banner, file=sys.stderr)
    _run_startup(__main__.__dict__)
    hook = getattr(sys, "__interactivehook__", None)
    if hook is not None and not sys.flags.isolated:
        sys.audit("cpython.run_interactivehook", hook)
        try:
            hook()
        except Exception:
            print("Failed calling sys.__interactivehook__", file=sys.stderr)
            sys.excepthook(*sys.exc_info())
    for name, prompt in ("ps1", ">>> "), ("ps2", "... "):
        if not hasattr(sys, name):
            setattr(sys, name, prompt)
    if sys.stdin is not None and sys.stdin.isatty() and not os.environ.get("PYTHON_BASIC_REPL"):
        from _pyrepl.main import interactive_console
        interactive_console(mainmodule=__main__, quiet=True, pythonstartup=False)
    else:
        basic()
