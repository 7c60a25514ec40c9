#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run one file of end-to-end tests and speak TAP: run.py tests/e2e/test_graph.py [PATTERN ...]

SETTLED and SETTLE name the binaries (else those of ./build/release). A PATTERN runs the tests
whose name contains it.
"""

import faulthandler
import importlib.util
import os
import sys
import time
import unittest

TEST_SECONDS_MAX = 90
HERE = os.path.dirname(os.path.abspath(__file__))


class Tap(unittest.TestResult):
    """A line per test."""

    def __init__(self, total):
        super().__init__()
        self.number = 0
        self.started = 0
        self.bad = 0
        self.problems = []
        print('1..%d' % total, flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()
        self.problems = []
        self.skip = None
        # A test that hangs shall say where, and not hold up the others of this machine.
        faulthandler.dump_traceback_later(TEST_SECONDS_MAX, exit=True)

    def line(self, name, ok, remark=''):
        self.number += 1
        self.bad += not ok
        print('%s %d - %s%s' % ('ok' if ok else 'not ok', self.number, name, remark))
        for problem in self.problems:
            for text in problem.rstrip().splitlines():
                print('#   ' + text)
        sys.stdout.flush()

    def stopTest(self, test):
        faulthandler.cancel_dump_traceback_later()
        remark = ' # SKIP ' + self.skip if self.skip else ''
        seconds = time.monotonic() - self.started
        self.line(test.id().split('.', 1)[-1], not self.problems, remark)
        if seconds > 2:
            print('# took %.1f s' % seconds, flush=True)
        super().stopTest(test)

    def problem(self, test, error):
        text = self._exc_info_to_string(error, test)
        if self.number_is_of(test):
            self.problems.append(text)
        else:
            # setUpClass or tearDownClass.
            self.problems = [text]
            self.line(str(test), False)

    @staticmethod
    def number_is_of(test):
        return isinstance(test, unittest.TestCase)

    def addError(self, test, err):
        self.problem(test, err)

    def addFailure(self, test, err):
        self.problem(test, err)

    def addSubTest(self, test, subtest, err):
        if err:
            self.problems.append('%s\n%s' % (
                subtest._subDescription(), self._exc_info_to_string(err, test)))

    def addSkip(self, test, reason):
        self.skip = reason.replace('\n', ' ')
        if not self.number_is_of(test):
            self.line(str(test), True, ' # SKIP ' + self.skip)


def find_binaries():
    root = os.path.dirname(os.path.dirname(HERE))
    for name, path in (('SETTLED', 'daemon/settled'), ('SETTLE', 'client/cli/settle')):
        os.environ.setdefault(name, os.path.join(root, 'build/release', path))
        if not os.access(os.environ[name], os.X_OK):
            sys.exit('%s=%s is not there: build it, or set %s' % (name, os.environ[name], name))


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def main():
    path = os.path.abspath(sys.argv[1])
    patterns = sys.argv[2:]
    sys.path.insert(0, HERE)
    find_binaries()
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    suite = unittest.TestSuite(
        test for test in tests_of(unittest.defaultTestLoader.loadTestsFromModule(module))
        if not patterns or any(pattern in test.id() for pattern in patterns))
    result = Tap(suite.countTestCases())
    suite.run(result)
    sys.exit(1 if result.bad else 0)


if __name__ == '__main__':
    main()
