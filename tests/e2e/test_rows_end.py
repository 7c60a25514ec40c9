# SPDX-License-Identifier: MIT
"""Rows N1 to N11: connections that end, stall or drip in the middle of an exchange."""

import glob
import os
import re
import select
import unittest

from harness.daemon import is_sanitized
from harness.origin import pattern
from harness.row import CHUNKED, H2_ROWS, OK, ROWS, Fault, RowCase, cpu_seconds, faults

LENGTH = OK + 'content-length: 10\r\n\r\n'
CLOSE = OK + 'connection: close\r\n\r\n'
# A reset before any byte: the kernel may tell of an end instead.
GONE = ('RECV_RESET', 'EMPTY_REPLY')


class EndRows:
    def test_n01_reset(self):
        self.run_row([Fault('', GONE, end='rst')] + faults(
            ['H', 'HTTP/1.1 2', OK, OK + 'x-a', OK + 'x-a: b\r\nx-c: ', LENGTH,
             LENGTH + '01234', CHUNKED + '5\r\n01'], 'RECV_RESET', end='rst'))

    def reset_second(self, method):
        """A connection that served is reset at its second request, before any byte."""
        def script(connection):
            while True:
                request = connection.read_request()
                if request.path == '/row' and connection.number == 0:
                    connection.reset()
                    return
                connection.reply(200, request.path)

        origin = self.row_origin(script)
        with self.daemon.session() as session:
            self.assert_fulfilled(self.ask(origin, '/first', session=session), '/first')
            record = self.ask(origin, '/row', session=session, method=method)
        return origin, record

    def test_n01_reset_of_a_reused_connection(self):
        origin, record = self.reset_second('GET')
        self.assert_fulfilled(record, '/row')
        self.assertEqual((record['attempts'], record['conn']['reused']), (1, False))
        self.assertEqual(origin.paths(), ['/first', '/row', '/row'])
        for method in ('POST', 'PATCH'):
            origin, record = self.reset_second(method)
            self.assert_rejected(record, GONE, sent='full')
            self.assertEqual(origin.paths(), ['/first', '/row'])

    def test_n02_end_in_the_headers(self):
        heads = ['HTTP/1.1', 'HTTP/1.1 200 OK', OK, OK + 'x-a', OK + 'x-a: b',
                 OK + 'content-length: 0\r\n', OK + 'content-length: 0\r\n\r']
        self.run_row([Fault(head, 'BODY_TRUNCATED', end=end)
                      for head in heads for end in ('fin', 'bye')])

    def test_n02_end_before_the_headers(self):
        self.run_row([Fault('', 'EMPTY_REPLY', end=end) for end in ('fin', 'bye')])

    def test_n03_end_in_a_body_of_known_length(self):
        self.run_row([Fault(LENGTH + body, 'BODY_TRUNCATED', end=end)
                      for body in ('', '0', '012345678') for end in ('fin', 'bye')])

    def test_n03_end_in_a_large_body(self):
        head = OK + 'content-length: 3000000\r\n\r\n'
        for output in ('inline', 'discard'):
            with self.subTest(output=output):
                self.run_alone(Fault(head.encode() + pattern(2999999), 'BODY_TRUNCATED',
                                     job={'output': output}))

    def test_n03_no_file_of_a_body_cut_short(self):
        origin = self.row_origin(Fault(LENGTH + '01234').script)
        path = os.path.join(self.directory(), 'out')
        done = self.settle('get', '-o', path, *(['-k'] if self.is_tls else []),
                           origin.url('/row'))
        self.assertEqual(done.code, 1, done)
        self.assertIn('BODY_TRUNCATED', done.err)
        self.assertEqual(os.listdir(os.path.dirname(path)), [])

    def test_n04_end_in_a_chunked_body(self):
        bodies = ['', '5', '5\r\n', '5\r\n01', '5\r\n01234', '5\r\n01234\r\n', '5\r\n01234\r\n0',
                  '5\r\n01234\r\n0\r\n', '5\r\n01234\r\n0\r\nx-t: 1\r\n', '0\r\n\r']
        self.run_row([Fault(CHUNKED + body, 'BODY_TRUNCATED', end=end)
                      for body in bodies for end in ('fin', 'bye')])

    def test_n05_reset_in_a_body_that_ends_with_the_connection(self):
        self.run_row(faults([CLOSE, CLOSE + 'some', CLOSE + 'x' * 100000], 'RECV_RESET',
                            end='rst'))

    def test_n06_end_of_a_body_that_ends_with_the_connection(self):
        self.run_row([
            Fault(CLOSE + 'all of it', body=b'all of it', end='bye'),
            Fault(OK + '\r\nall of it', body=b'all of it', end='bye'),
            # In the clear, any end is the end.
            Fault(CLOSE + 'perhaps all', body=b'perhaps all', tls='BODY_TRUNCATED'),
            Fault(CLOSE, body=b'', tls='BODY_TRUNCATED'),
            # With other framing, no close_notify is needed.
            Fault(LENGTH + '0123456789', body=b'0123456789'),
            Fault(CHUNKED + '2\r\n01\r\n0\r\n\r\n', body=b'01')])

    def test_n10_half_close_by_the_origin(self):
        """And we use none: until the reply is there, the origin sees no end."""
        def script(connection):
            connection.read_request()
            if select.select([connection.sock], [], [], 0.05)[0]:
                connection.origin.errors.append(AssertionError('half-closed by the client'))
            connection.send(LENGTH + '0123456789')
            connection.fin()
            connection.wait_end()

        origin = self.row_origin(script)
        self.assert_fulfilled(self.ask(origin), '0123456789')
        origin.wait(lambda: origin.connections[0].ended)
        self.assertEqual(origin.connections[0].ended, 'fin')

    def test_n11_pieces_of_one_byte(self):
        replies = [LENGTH + '0123456789', CHUNKED + '3;a=b\r\n012\r\n7\r\n3456789\r\n0\r\n\r\n',
                   'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' + LENGTH + '0123456789']
        self.run_row([Fault(lambda connection, reply=reply: connection.drip(reply.encode()),
                            body=b'0123456789', end='keep', keeps=True) for reply in replies])

    def test_n11_every_split_of_a_reply(self):
        """300 replies of 300 bytes, in two segments each, all in one graph."""
        body = pattern(100)
        reply = (CHUNKED.replace('\r\n\r\n', '\r\nx-pad: ' + 'p' * 123 + '\r\n\r\n').encode() +
                 b'3c;e=1\r\n' + body[:60] + b'\r\n28\r\n' + body[60:] + b'\r\n0\r\n\r\n')
        self.assertEqual(len(reply), 300)

        def script(connection):
            while True:
                cut = int(connection.read_request().path[1:])
                connection.send(reply[:cut])
                # So that the two halves are two receives.
                connection.pause(0.003)
                connection.send(reply[cut:])

        origin = self.row_origin(script)
        result = self.run_graph({'concurrency': 16, 'jobs': [
            self.job(origin, '/%d' % cut) for cut in range(1, 301)]})
        for record in result.settled:
            self.assert_fulfilled(record, body)
        self.assertLessEqual(len(origin.connections), 16)


class ClearEndTest(EndRows, RowCase):
    pass


class TlsEndTest(EndRows, RowCase):
    is_tls = True


class StallRows:
    """Time limits; what CPU they cost is seen where no bystander runs."""

    has_bystander = False

    def assert_timed_out(self, record, code, limit_ms):
        """I2; the upper bound is for a machine with other work."""
        self.assert_rejected(record, code, sent='full', retryable=True)
        self.assertGreaterEqual(record['time']['end'], limit_ms - 5)
        self.assertLess(record['time']['end'], limit_ms + 1500)

    def test_n07_silence(self):
        answers = ['', 'HTTP', OK + 'x-a: b\r\n', LENGTH, LENGTH + '01234', CHUNKED + '5\r\n01',
                   CLOSE + 'some']
        origins = [self.row_origin(Fault(answer, end='stall').script) for answer in answers]
        good = self.row_origin_of_routes()
        jobs = [self.job(origin, '/row', attempt_timeout='500ms') for origin in origins]
        with self.daemon.session() as session:
            number = session.submit({'jobs': [*jobs, self.job(good, '/delay/200')]})
            for origin in origins:
                origin.wait(lambda origin=origin: origin.requests)
            before = cpu_seconds(self.daemon.pid)
            result = session.collect(number)
            used = cpu_seconds(self.daemon.pid) - before
            for i, origin in enumerate(origins):
                self.assert_timed_out(result[str(i)], 'ATTEMPT_TIMEOUT', 500)
                origin.wait(lambda origin=origin: origin.connections[0].ended)
                self.assert_fulfilled(self.ask(origin, '/next', session=session), '/next')
                self.assertEqual(len(origin.connections), 2)
        self.assert_fulfilled(result[str(len(origins))])
        if not is_sanitized():
            self.assertLess(used, 0.02)

    def test_n07_silence_by_each_limit(self):
        rows = [('FIRST_BYTE_TIMEOUT', '', {'timeouts': {'first_byte': '300ms'}}),
                ('IDLE_TIMEOUT', LENGTH + '0', {'timeouts': {'idle': '300ms'}}),
                ('JOB_TIMEOUT', LENGTH + '0', {'timeout': '300ms'})]
        jobs = [self.job(self.row_origin(Fault(answer, end='stall').script), '/row', **keys)
                for _, answer, keys in rows]
        result = self.run_graph({'jobs': jobs})
        for i, (code, _, _) in enumerate(rows):
            self.assert_timed_out(result[str(i)], code, 300)

    def test_n08_a_byte_now_and_then(self):
        """Progress does not extend the deadline."""
        def drip(data):
            return lambda connection: connection.drip(data, 1, 0.04)

        rows = faults([drip(b'HTTP/1.1 200 OK\r\nx-a: ' + b'b' * 1000),
                       drip(b'HTTP/1.1 200 ' + b'O' * 1000)], end='stall')
        jobs = [self.job(self.row_origin(fault.script), '/row', attempt_timeout='500ms')
                for fault in rows]
        body = Fault(lambda c: (c.send(OK + 'content-length: 1000\r\n\r\n'),
                                c.drip(b'x' * 1000, 1, 0.04)), end='stall')
        jobs.append(self.job(self.row_origin(body.script), '/row', attempt_timeout='500ms',
                             timeouts={'idle': '300ms'}))
        result = self.run_graph({'jobs': jobs})
        for record in result.settled:
            self.assert_timed_out(record, 'ATTEMPT_TIMEOUT', 500)

    def test_n09_slow_but_alive(self):
        """The idle limit starts anew with each byte."""
        def answer(connection):
            connection.send(LENGTH)
            connection.drip(b'0123456789', 1, 0.06)

        self.run_row([Fault(answer, body=b'0123456789', end='keep', keeps=True,
                            job={'timeouts': {'idle': '500ms'}})])


class ClearStallTest(StallRows, RowCase):
    pass


class TlsStallTest(StallRows, RowCase):
    is_tls = True


class TableTest(unittest.TestCase):
    def numbers(self, letter):
        have = set()
        for path in glob.glob(os.path.join(os.path.dirname(__file__), 'test_rows_*.py')):
            with open(path, encoding='utf-8') as file:
                have.update(int(number) for number in
                            re.findall(r'def test_%s([0-9]{2})_' % letter, file.read()))
        return have

    def test_every_row_has_a_test(self):
        self.assertEqual(self.numbers('n'), set(ROWS))
        self.assertEqual(self.numbers('h'), set(H2_ROWS))
