"""Runs one of CPython's own test modules and writes a line for each test method: adder_unittest.py test.test_NAME"""

import os
import sys
import time

ORDER = ["passed", "skipped", "failed", "error"]


def main(module_name):
    # Not at the top: a test's child processes import this file again, without its folder on their path.
    from adder_results import Results, plain, reason_of

    # Tests import by name; ours is not among the names.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    results = Results()
    started = time.perf_counter()
    try:
        import importlib
        import unittest

        from test import support

        # The resources that CPython's own runner leaves out as well: no network, nothing large.
        support.use_resources = {}
        module = importlib.import_module(module_name)
        suite = unittest.TestLoader().loadTestsFromModule(module)
    except BaseException as err:
        if type(err).__name__ in ("SkipTest", "ResourceDenied"):
            results.emit("module-skipped", reason=reason_of(err))
            results.emit("done")
        else:
            import traceback

            traceback.print_exc()
            results.emit("import-error", reason="%s: %s" % (type(err).__name__, reason_of(err)))
        return

    def flatten(tests):
        for test in tests:
            if isinstance(test, unittest.TestSuite):
                yield from flatten(test)
            else:
                yield test

    def short(test):
        return plain(test.id()).removeprefix("test.")

    class Reporter(unittest.TestResult):
        """Keeps the worst that happens between the start and the end of a test: a subtest may fail, or its cleanup."""

        def __init__(self):
            super().__init__()
            self.begin(None)

        def begin(self, test):
            self.outcome, self.reason = ("passed", "")
            self.began = time.perf_counter()
            self.current = test

        def note(self, test, outcome, reason):
            if self.current is None:
                # A class's or module's fixture failed or skips: its tests do not start at all.
                results.emit("fixture", id=short(test), outcome=outcome, reason=reason)
            elif ORDER.index(outcome) > ORDER.index(self.outcome):
                self.outcome, self.reason = (outcome, reason)

        def startTest(self, test):
            super().startTest(test)
            self.begin(test)
            results.emit("start", id=short(test))

        def stopTest(self, test):
            super().stopTest(test)
            seconds = round(time.perf_counter() - self.began, 4)
            results.emit("end", id=short(test), outcome=self.outcome, reason=self.reason, seconds=seconds)
            self.begin(None)

        def _text(self, test, err):
            try:
                text = self._exc_info_to_string(err, test)
            except Exception as failure:
                text = "%s (its traceback cannot be printed: %r)" % (err[0].__name__, failure)
            print("=" * 20, short(test), text, sep="\n", flush=True)
            name = err[0].__name__
            last = reason_of(text)
            return last if name in last else name + ": " + reason_of(err[1])

        def addError(self, test, err):
            self.note(test, "error", self._text(test, err))

        def addFailure(self, test, err):
            self.note(test, "failed", self._text(test, err))

        def addSubTest(self, test, subtest, err):
            if err is not None:
                failed = issubclass(err[0], test.failureException)
                self.note(test, "failed" if failed else "error", self._text(test, err))

        def addSkip(self, test, reason):
            self.note(test, "skipped", reason_of(reason))

        def addExpectedFailure(self, test, err):
            pass

        def addUnexpectedSuccess(self, test):
            self.note(test, "failed", "unexpected success")

    tests = list(flatten(suite))
    results.emit("collected", total=len(tests))
    rest = [test for test in tests if short(test) not in results.done]
    unittest.TestSuite(rest).run(Reporter())
    results.emit("done", seconds=round(time.perf_counter() - started, 3))


if __name__ == "__main__":
    main(sys.argv.pop(1))
