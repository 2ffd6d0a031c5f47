"""A pytest plugin that writes a line for each test, in the form of adder_results."""

import time

import pytest
from adder_results import Results, plain, reason_of


class Writer:
    def __init__(self):
        self.results = Results()
        self.worst = None
        self.began = 0.0

    def pytest_collection_modifyitems(self, items):
        self.results.emit("collected", total=len(items))
        items[:] = [item for item in items if plain(item.nodeid) not in self.results.done]

    def pytest_collectreport(self, report):
        if report.failed:
            reason = reason_of(report.longreprtext)
            self.results.emit("collect-error", id=plain(report.nodeid), reason=reason)
        elif report.skipped:
            self.results.emit("module-skipped", reason=skip_reason(report))

    def pytest_runtest_logstart(self, nodeid):
        self.worst = ("passed", "")
        self.began = time.perf_counter()
        self.results.emit("start", id=plain(nodeid))

    def pytest_runtest_logreport(self, report):
        if report.failed and self.worst[0] not in ("failed", "error"):
            crash = getattr(report.longrepr, "reprcrash", None)
            reason = crash.message.split("\n")[0] if crash is not None else reason_of(report.longreprtext)
            self.worst = ("failed" if report.when == "call" else "error", reason[:300])
        elif report.skipped and self.worst[0] == "passed":
            # An expected failure is reported as skipped, but it is what the test is about.
            if not hasattr(report, "wasxfail"):
                self.worst = ("skipped", skip_reason(report))

    def pytest_runtest_logfinish(self, nodeid):
        outcome, reason = self.worst
        seconds = round(time.perf_counter() - self.began, 4)
        self.results.emit("end", id=plain(nodeid), outcome=outcome, reason=reason, seconds=seconds)

    def pytest_sessionfinish(self, exitstatus):
        # 0 and 1: all was run; 5: nothing was left to run. The rest stopped early.
        if int(exitstatus) in (0, 1, 5):
            self.results.emit("done")


def skip_reason(report):
    longrepr = report.longrepr
    if isinstance(longrepr, tuple):
        longrepr = longrepr[2]
    return reason_of(longrepr).removeprefix("Skipped: ")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.pluginmanager.register(Writer(), "adder-writer")
