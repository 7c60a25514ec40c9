# SPDX-License-Identifier: MIT
"""Each time limit fires at its step, with its code, and closes the connection (N7, N8, N9)."""

import time

from harness.case import DaemonCase
from harness.origin import Blackhole

# Long enough for a loaded machine to reach the step that stalls.
SHORT = '200ms'


def silent(connection):
    connection.wait_end()


def after_request(*pieces):
    """Answers with these bytes, then stalls."""
    def script(connection):
        connection.read_request()
        for piece in pieces:
            connection.send(piece)
        connection.wait_end()
    return script


class TimeoutTest(DaemonCase):
    def time_out(self, code, origin, sent='full', path='/', least=0.19, **job):
        """The job is rejected so, not before its time and not long after, and the connection is
        closed."""
        began = time.monotonic()
        record = self.fetch(origin.url(path), **job)
        took = time.monotonic() - began
        self.assert_rejected(record, code, sent=sent, retryable=True)
        self.assertGreaterEqual(took, least)
        self.assertLess(took, 5)
        origin.wait(lambda: all(c.ended for c in origin.connections))
        return record

    def test_attempt_timeout(self):
        """N7"""
        origin = self.origin(silent)
        self.time_out('ATTEMPT_TIMEOUT', origin, attempt_timeout=SHORT)

    def test_job_timeout(self):
        self.time_out('JOB_TIMEOUT', self.origin(silent), timeout=SHORT)

    def test_first_byte_timeout(self):
        self.time_out('FIRST_BYTE_TIMEOUT', self.origin(silent), timeouts={'first_byte': SHORT})

    def test_first_byte_timeout_ends_with_the_first_byte(self):
        origin = self.origin(after_request('H'))
        self.time_out('ATTEMPT_TIMEOUT', origin, least=0.39, attempt_timeout='400ms',
                      timeouts={'first_byte': SHORT})

    def test_idle_timeout_in_the_body(self):
        """N7"""
        for head in ('content-length: 100\r\n\r\nsome', 'transfer-encoding: chunked\r\n\r\n5\r\nab',
                     'connection: close\r\n\r\nsome'):
            with self.subTest(head=head):
                origin = self.origin(after_request('HTTP/1.1 200 OK\r\n' + head))
                self.time_out('IDLE_TIMEOUT', origin, timeouts={'idle': SHORT})

    def test_idle_timeout_of_an_upload_nobody_reads(self):
        def script(connection):
            connection.read_request(body=False)
            connection.origin.stopping.wait(10)

        origin = self.origin(script)
        began = time.monotonic()
        record = self.fetch(origin.url(), body='x' * 20000000, timeouts={'idle': SHORT})
        self.assert_rejected(record, 'IDLE_TIMEOUT', sent='partial')
        self.assertLess(time.monotonic() - began, 5)

    def test_stall_in_the_head(self):
        """N7"""
        for head in ('HTTP/1.1', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nx-a: b'):
            with self.subTest(head=head):
                self.time_out('ATTEMPT_TIMEOUT', self.origin(after_request(head)),
                              attempt_timeout=SHORT)

    def test_earliest_limit_names_the_code(self):
        rows = [('JOB_TIMEOUT', {'timeout': '200ms', 'attempt_timeout': '900ms'}),
                ('ATTEMPT_TIMEOUT', {'timeout': '900ms', 'attempt_timeout': '200ms'}),
                ('FIRST_BYTE_TIMEOUT', {'timeout': '900ms', 'attempt_timeout': '900ms',
                                        'timeouts': {'first_byte': '200ms'}})]
        for code, keys in rows:
            with self.subTest(code=code):
                self.time_out(code, self.origin(silent), **keys)

    def test_connect_timeout(self):
        """N34: a host that answers no SYN."""
        hole = Blackhole()
        self.addCleanup(hole.close)
        began = time.monotonic()
        record = self.fetch('http://127.0.0.1:%d/' % hole.port, timeouts={'connect': SHORT})
        self.assert_rejected(record, 'CONNECT_TIMEOUT', sent='none', retryable=True)
        took = time.monotonic() - began
        self.assertGreaterEqual(took, 0.19)
        self.assertLess(took, 5)

    def test_attempt_timeout_covers_the_connect(self):
        hole = Blackhole()
        self.addCleanup(hole.close)
        record = self.fetch('http://127.0.0.1:%d/' % hole.port, attempt_timeout=SHORT)
        self.assert_rejected(record, 'ATTEMPT_TIMEOUT', sent='none')

    def test_tls_timeout(self):
        """N28: a handshake that stalls."""
        origin = self.origin(silent)
        record = self.fetch('https://127.0.0.1:%d/' % origin.port, timeouts={'tls': SHORT})
        self.assert_rejected(record, 'TLS_TIMEOUT', sent='none', retryable=True)
        origin.wait(lambda: origin.connections[0].ended)

    def test_queue_timeout(self):
        origin = self.origin()
        result = self.run_graph({'concurrency': 1, 'jobs': {
            'first': {'url': origin.url('/delay/500')},
            'waits': {'url': origin.url('/text/x'), 'queue_timeout': SHORT},
            'patient': {'url': origin.url('/text/y'), 'queue_timeout': '20s'}}})
        self.assert_rejected(result['waits'], 'QUEUE_TIMEOUT', sent='none', retryable=True)
        self.assert_fulfilled(result['first'])
        self.assert_fulfilled(result['patient'])
        self.assertEqual(result.order()[0], 'waits')

    def test_timeout_frees_its_slot(self):
        origin = self.origin()
        result = self.run_graph({'concurrency': 1, 'jobs': {
            'stall': {'url': origin.url('/stall'), 'timeout': SHORT},
            'next': {'url': origin.url('/text/x')}}})
        self.assert_rejected(result['stall'], 'JOB_TIMEOUT')
        self.assert_fulfilled(result['next'])

    def test_progress_does_not_extend_the_attempt(self):
        """N8: a byte at a time, forever."""
        def script(connection):
            connection.read_request()
            connection.drip(b'HTTP/1.1 200 OK\r\nx: ' + b'a' * 100000, 1, 0.02)

        self.time_out('ATTEMPT_TIMEOUT', self.origin(script), attempt_timeout='300ms',
                      least=0.29)

    def test_slow_but_alive_is_fulfilled(self):
        """N9: the idle limit starts anew with each byte."""
        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n')
            connection.drip(b'slow but sure'[:12], 1, 0.05)

        record = self.fetch(self.origin(script).url(), timeouts={'idle': '400ms'})
        self.assert_fulfilled(record, 'slow but sur')

    def test_a_stall_costs_no_cpu(self):
        """I8"""
        origin = self.origin(silent)
        session = self.session()
        number = session.submit({'jobs': [
            {'url': origin.url(), 'attempt_timeout': '1s', 'dedupe': False} for _ in range(50)]})
        origin.wait(lambda: len(origin.connections) == 50)
        before = self.daemon.cpu()
        result = session.collect(number)
        self.assertEqual(result.summary['rejected'], 50)
        self.assertLess(self.daemon.cpu() - before, 0.5)

    def test_timeouts_harm_nobody_else(self):
        with self.bystander() as bystander:
            origin = self.origin(silent)
            self.run_graph({'jobs': [
                {'url': origin.url(), 'attempt_timeout': SHORT, 'dedupe': False}
                for _ in range(60)]})
            bystander.wait_round()

    def test_timed_out_response_that_comes_late_reaches_nobody(self):
        """The connection is closed, so the late reply is no other job's."""
        def late(connection, request, match):
            connection.pause(0.4)
            connection.reply(200, 'late')

        origin = self.origin()
        origin.route('/late', late)
        records = []
        with self.daemon.session() as session:
            records.append(session.run({'jobs': {'it': {
                'url': origin.url('/late'), 'attempt_timeout': SHORT}}})['it'])
            for _ in range(10):
                records.append(session.run({'jobs': {'it': {
                    'url': origin.url('/text/mine')}}})['it'])
        self.assert_rejected(records[0], 'ATTEMPT_TIMEOUT')
        for record in records[1:]:
            self.assert_fulfilled(record, 'mine')
