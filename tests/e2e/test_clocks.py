# SPDX-License-Identifier: MIT
"""Nine clocks (CONTRACT 2.1, 2.2, 2.3): connect, tls, first byte, idle, attempt, queue, job,
group, graph. Each has a code of its own, and counts what it says and nothing else."""

import socket

from harness.flow import FlowCase
from harness.origin import Blackhole

SHORT = '200ms'


def silent(connection):
    connection.wait_end()


def half(connection):
    connection.read_request()
    connection.send('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')
    connection.wait_end()


def is_ended(connection):
    """Whether the peer has ended it by now, whatever its own thread has seen of it."""
    try:
        return connection.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b''
    except BlockingIOError:
        return False
    except OSError:
        return True


class CodeTest(FlowCase):
    def test_every_clock_names_itself(self):
        """Each its own clock and code, the record says which one fired."""
        hole = Blackhole()
        self.addCleanup(hole.close)
        still, idle, origin = self.origin(silent), self.origin(half), self.origin()
        result = self.run_graph({'defaults': {'dedupe': False}, 'jobs': {
            'connect': {'url': 'http://127.0.0.1:%d/' % hole.port,
                        'timeouts': {'connect': SHORT}},
            'tls': {'url': 'https://127.0.0.1:%d/' % still.port, 'timeouts': {'tls': SHORT}},
            'first_byte': {'url': still.url(), 'timeouts': {'first_byte': SHORT}},
            'idle': {'url': idle.url(), 'timeouts': {'idle': SHORT}},
            'attempt': {'url': still.url(), 'attempt_timeout': SHORT},
            'job': {'url': still.url(), 'timeout': SHORT},
            'group': {'timeout': SHORT, 'jobs': {'in_group': {'url': still.url()}}},
            'bound': {'concurrency': 1, 'jobs': {
                'holds': {'url': origin.url('/delay/600')},
                'queue': {'url': origin.url('/never'), 'queue_timeout': SHORT}}}}})
        for job, code, sent in (
                ('connect', 'CONNECT_TIMEOUT', 'none'), ('tls', 'TLS_TIMEOUT', 'none'),
                ('first_byte', 'FIRST_BYTE_TIMEOUT', 'full'), ('idle', 'IDLE_TIMEOUT', 'full'),
                ('attempt', 'ATTEMPT_TIMEOUT', 'full'), ('job', 'JOB_TIMEOUT', 'full'),
                ('queue', 'QUEUE_TIMEOUT', 'none')):
            with self.subTest(clock=job):
                record = self.assert_rejected(result[job], code, sent=sent, retryable=True)
                self.assertGreaterEqual(record['time']['end'] - record['time']['start'], 190)
        self.assert_rejected(result['group'], 'GROUP_TIMEOUT')
        self.assert_cancelled(result['in_group'], 'timeout')
        self.assert_fulfilled(result['holds'])
        self.assertEqual(origin.paths(), ['/delay/600'])

    def test_graph_timeout_in_every_mode(self):
        """The deadline of the whole graph: `GRAPH_TIMEOUT`; what had settled stays."""
        for mode in ('settled', 'all', 'any', 'race'):
            with self.subTest(mode=mode):
                origin = self.origin()
                result = self.run_graph({'mode': mode, 'timeout': SHORT, 'jobs': {
                    'quick': {'url': origin.url('/status/404'), 'optional': True},
                    'stall': {'url': origin.url('/stall'), 'fallback': 1},
                    'g': {'jobs': {'inner': {'url': origin.url('/stall/2')}}},
                    'next': {'url': origin.url('/never'), 'after': ['stall']}}})
                self.summary_is(result, 'rejected', 'GRAPH_TIMEOUT')
                self.assert_rejected(result['quick'], 'HTTP_STATUS')
                for name in ('stall', 'inner', 'g', 'next'):
                    self.assert_cancelled(result[name], 'timeout')
                origin.wait(lambda o=origin: sum(bool(c.ended) for c in o.connections) >= 2)

    def test_exit_status_of_a_graph_timeout(self):
        """`124` graph timeout."""
        done = self.settle('run', '-', stdin={'timeout': SHORT, 'jobs': {
            'a': {'url': self.origin().url('/stall')}}})
        self.assertEqual(done.code, 124)


class SpanTest(FlowCase):
    def test_jobs_clock_does_not_count_the_wait_for_its_slot(self):
        """`timeout`: from the first time the job holds a slot; *not* the first wait for one."""
        origin = self.origin()
        gate = origin.gate('/holds')
        running = self.start({'jobs': {
            'g': {'concurrency': 1, 'jobs': {
                'holds': {'url': origin.url('/holds')},
                'waits': {'url': origin.url('/text/x'), 'timeout': '1s'}}},
            'second': {'url': origin.url('/stall'), 'timeout': '1s'}}})
        # As long as its own limit: it would have fired by now.
        self.assert_rejected(running['second'], 'JOB_TIMEOUT')
        gate.open()
        self.assert_fulfilled(running.done()['waits'])

    def test_jobs_clock_does_not_count_its_dependencies(self):
        """`queue_timeout` and `timeout` begin when the job is ready."""
        origin = self.origin()
        gate = origin.gate('/first')
        running = self.start({'jobs': {
            'first': {'url': origin.url('/first')},
            'then': {'url': origin.url('/text/x'), 'after': ['first'], 'timeout': '1s',
                     'queue_timeout': '1s'},
            'second': {'url': origin.url('/stall'), 'timeout': '1s'}}})
        self.assert_rejected(running['second'], 'JOB_TIMEOUT')
        gate.open()
        self.assert_fulfilled(running.done()['then'])

    def test_connect_is_not_counted_as_first_byte(self):
        """`first_byte`: from the end of the request to the first response byte."""
        hole = Blackhole()
        self.addCleanup(hole.close)
        record = self.fetch('http://127.0.0.1:%d/' % hole.port,
                            timeouts={'first_byte': '50ms', 'connect': '300ms'})
        self.assert_rejected(record, 'CONNECT_TIMEOUT')

    def test_each_attempt_has_its_clock_anew(self):
        """`attempt_timeout`: one attempt."""
        origin = self.origin()
        gate = origin.gate('/slow')
        running = self.start({'jobs': {'a': {
            'url': origin.url('/slow'), 'attempt_timeout': '250ms',
            'retry': {'attempts': 4, 'delay': '1ms'}}}})
        gate.wait(2)
        gate.open('"done"')
        record = self.assert_fulfilled(running.done()['a'], '"done"')
        self.assertGreaterEqual(record['time']['end'] - record['time']['start'], 240)

    def test_clock_of_each_child(self):
        """All other keys of the job hold for each child of a fan-out, once it has its place."""
        origin = self.origin()
        result = self.run_graph({'jobs': {'e': {
            'each': [1, 2, 3], 'concurrency': 1, 'timeout': '150ms',
            'url': origin.url('/stall/{{item}}')}}})
        for i in range(3):
            self.assert_rejected(result['e[%d]' % i], 'JOB_TIMEOUT', sent='full')
        self.assertEqual(origin.paths(), ['/stall/1', '/stall/2', '/stall/3'])

    def test_slot_is_free_only_when_the_connection_is_closed(self):
        """A timed-out request frees its slot only when its socket is really closed."""
        origin = self.origin()
        ended = []
        origin.route('/text/next', lambda connection, request, match: (
            ended.append(is_ended(origin.requests[0].connection)),
            connection.reply(200, 'next')))
        result = self.run_graph({'concurrency': 1, 'jobs': {
            'stall': {'url': origin.url('/stall'), 'timeout': SHORT},
            'next': {'url': origin.url('/text/next')}}})
        self.assert_rejected(result['stall'], 'JOB_TIMEOUT')
        self.assert_fulfilled(result['next'])
        self.assertEqual(ended, [True])
