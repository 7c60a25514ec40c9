# SPDX-License-Identifier: MIT
"""What all test classes have in common: a daemon of the class, origins of the test, a bystander."""

import contextlib
import json
import shutil
import tempfile
import threading
import time
import unittest

from harness.client import Refused, Session, settle
from harness.daemon import Daemon, is_sanitized
from harness.origin import Origin, serve


class Bystander:
    """Another client, of a healthy origin: runs small graphs all the time (or with a pause, of
    so many seconds) and expects nothing but fulfilment."""

    def __init__(self, daemon, pause=0):
        self.daemon = daemon
        self.pause = pause
        self.origin = Origin()
        self.stopping = False
        self.rounds = 0
        self.error = None
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        url = self.origin.url('/text/bystander')
        graph = {'jobs': {'a': {'url': url}, 'b': {'url': url, 'after': ['a']}}}
        try:
            with Session(self.daemon.path) as session:
                while not self.stopping:
                    result = session.run(graph)
                    if result.summary['fulfilled'] != 2 or result['b']['body'] != b'bystander':
                        raise AssertionError(result.records)
                    with self.changed:
                        self.rounds += 1
                        self.changed.notify_all()
                    if self.pause:
                        time.sleep(self.pause)
        except BaseException as error:
            with self.changed:
                self.error = error
                self.changed.notify_all()

    def wait_round(self):
        """Two more rounds: the second began after now."""
        with self.changed:
            goal = self.rounds + 2
            self.changed.wait_for(lambda: self.error or self.rounds >= goal, 20)
            if self.error:
                raise AssertionError('the bystander was harmed: %r' % self.error)
            if self.rounds < goal:
                raise AssertionError('the bystander was starved')

    def close(self):
        self.wait_round()
        self.stopping = True
        self.thread.join(20)
        self.origin.close()
        if self.error:
            raise AssertionError('the bystander was harmed: %r' % self.error)


class Case(unittest.TestCase):
    maxDiff = None

    def directory(self):
        path = tempfile.mkdtemp(prefix='settled-test-')
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def origin(self, script=serve, **options):
        origin = Origin(script, **options)
        self.addCleanup(origin.close)
        return origin

    def raw_origin(self, *pieces, end='fin', **options):
        """An origin that answers each request with these bytes, and then ends so: 'fin', 'rst',
        'stall', or 'keep' (the next request gets the same)."""
        def script(connection):
            while True:
                connection.read_request()
                for piece in pieces:
                    connection.send(piece)
                if end == 'fin':
                    connection.fin()
                if end in ('fin', 'stall'):
                    connection.wait_end()
                    return
                if end == 'rst':
                    connection.reset()
                    return
        return self.origin(script, **options)

    # -- Judging records

    def body(self, record):
        return json.loads(record['body'])

    def assert_fulfilled(self, record, body=None):
        self.assertEqual(record['status'], 'fulfilled', record)
        self.assertNotIn('reason', record)
        if body is not None:
            self.assertEqual(record['body'], body if isinstance(body, bytes) else body.encode())
        return record

    def assert_rejected(self, record, code, sent=None, **reason):
        self.assertEqual(record['status'], 'rejected', record)
        self.assertNotIn('value', record)
        codes = (code,) if isinstance(code, str) else code
        self.assertIn(record['reason']['code'], codes, record)
        self.assertTrue(record['reason']['message'], record)
        if sent:
            self.assertEqual(record['reason']['sent'], sent, record)
        for name, value in reason.items():
            self.assertEqual(record['reason'].get(name), value, record)
        return record

    def assert_refused(self, errors, *expected):
        """Each expected (code, pointer) is among the errors."""
        have = [(error['code'], error['at']) for error in errors]
        for pair in expected:
            self.assertIn(pair, have, errors)
        for error in errors:
            self.assertTrue(error['message'], error)


class DaemonCase(Case):
    """With one daemon for all tests of the class; after each test it is idle again."""

    config = ''
    env = {}
    daemon = None

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(cls.config, cls.env).start()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def setUp(self):
        # Cleanups run last in, first out: origins are closed before this.
        self.addCleanup(self.daemon.wait_idle)

    def session(self):
        session = self.daemon.session()
        self.addCleanup(session.close)
        return session

    def run_graph(self, graph, **options):
        return self.daemon.run(graph, **options)

    def fetch(self, url, **job):
        """The record of a graph of one job."""
        return self.run_graph({'jobs': {'it': {'url': url, **job}}})['it']

    def fetch_all(self, *urls, **defaults):
        """One after the other."""
        with self.daemon.session() as session:
            return [session.run({'jobs': {'it': {'url': url, **defaults}}})['it']
                    for url in urls]

    def refuse(self, graph, *expected):
        """The graph is refused with these, and nothing is sent. Returns the errors."""
        with self.assertRaises(Refused) as caught:
            self.run_graph(graph)
        self.assert_refused(caught.exception.errors, *expected)
        return caught.exception.errors

    def settle(self, *arguments, **options):
        options.setdefault('sock', self.daemon.path)
        return settle(*arguments, **options)

    def assert_grown_less(self, before, most):
        """Resident memory; a sanitizer's own is not counted, so nothing is then."""
        if not is_sanitized():
            self.assertLess(self.daemon.memory() - before, most)

    @contextlib.contextmanager
    def bystander(self):
        bystander = Bystander(self.daemon)
        try:
            yield bystander
        finally:
            bystander.close()
