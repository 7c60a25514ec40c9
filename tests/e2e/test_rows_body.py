# SPDX-License-Identifier: MIT
"""Rows N14, N18 to N20, N22: bodies that are endless or badly chunked, and early replies."""

import json
import socket
import tempfile
import threading

from harness.origin import Ended
from harness.row import CHUNKED, OK, Fault, RowCase, faults

# More than the socket buffers of both ends take.
UPLOAD = 20000000
# The kernel tells of a reset once: where it tells the send, the receive sees an end.
RESET = ('RECV_RESET', 'SEND_FAILED', 'EMPTY_REPLY', 'BODY_TRUNCATED')
BAD = ('HTTP_FRAMING', 'HTTP_PARSE')


class BodyRows:
    def test_n14_endless_bodies(self):
        """Cut at max_body, in memory bounded by it."""
        chunk = b'10000\r\n' + b'x' * 65536 + b'\r\n'
        before = self.daemon.memory()
        self.run_row([
            Fault(lambda c, head=head, piece=piece: (c.send(head), c.send_endless(piece)),
                  'BODY_TOO_LARGE', end='stall', job={'max_body': '2m', 'output': output})
            for head, piece in ((OK + 'connection: close\r\n\r\n', b'x' * 65536), (CHUNKED, chunk),
                                (OK + 'content-length: %d\r\n\r\n' % 2 ** 50, b'x' * 65536))
            for output in ('inline', 'discard')])
        # Three of 2 MiB at once, beside what they grew from.
        self.assert_grown_less(before, 24 << 20)

    def test_n18_bad_chunk_sizes(self):
        sizes = ['xyz', '0x5', '-5', '+5', '0_5', ' 5', '5 ', '\t5', '5\t', '5 x', '', 'g',
                 '1' + '0' * 16, 'f' * 16, 'f' * 17, '5,5', '5.', '5\x00']
        self.run_row(faults([CHUNKED + size + '\r\nhello\r\n0\r\n\r\n' for size in sizes],
                            'HTTP_FRAMING', end='stall'))

    def test_n18_bad_chunk_data(self):
        bodies = ['5\r\nhello0\r\n\r\n', '5\r\nhello!\r\n0\r\n\r\n', '5\r\nhello\n0\r\n\r\n',
                  '5\r\nhello\r0\r\n\r\n', '5\nhello\n0\n\n', '5\r\nhello\r\r\n0\r\n\r\n',
                  '5\r\nhello\n\r\n0\r\n\r\n', '5\rhello\r\n0\r\n\r\n']
        self.run_row(faults([CHUNKED + body for body in bodies], 'HTTP_FRAMING', end='stall'))

    def test_n19_legal_chunk_extensions(self):
        bodies = ['5;a\r\nhello\r\n0;end\r\n\r\n', '5;a=b;c="d;e"\r\nhello\r\n0\r\n\r\n',
                  '5;a="\\" ;"\r\nhello\r\n0\r\n\r\n', '05\r\nhello\r\n000\r\n\r\n',
                  '5;' + 'a' * 8000 + '\r\nhello\r\n0\r\n\r\n']
        self.run_row(faults([CHUNKED + body for body in bodies], body=b'hello', end='keep',
                            keeps=True))

    def test_n19_bad_chunk_extensions(self):
        lines = ['5;a\nb', '5;a\rb', '5;a="\n"', '5;a="b\r\n"', '5;\x00', '5;' + 'a' * 17000]
        self.run_row(faults([CHUNKED + line + '\r\nhello\r\n0\r\n\r\n' for line in lines], BAD,
                            end='stall'))

    def test_n19_endless_chunk_extension(self):
        before = self.daemon.memory()

        def answer(connection):
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
            connection.send(CHUNKED + '5;')
            connection.send_endless(b'a' * 8192)

        self.run_row(faults([answer], BAD + ('HEADERS_TOO_LARGE',), end='stall'))
        self.assert_grown_less(before, 4 << 20)

    def test_n20_trailers(self):
        """Apart from the headers, and those that speak of framing without effect."""
        origin = self.row_origin(Fault(
            CHUNKED + '5\r\nhello\r\n0\r\nx-t: 1\r\ncontent-length: 9\r\nconnection: close\r\n'
            'transfer-encoding: gzip\r\nhost: evil\r\n\r\n', end='keep').script)
        for record in [self.ask(origin) for _ in range(3)]:
            self.assert_fulfilled(record, 'hello')
            self.assertEqual(record['value']['headers'], {'transfer-encoding': 'chunked'})
        self.assertEqual(len(origin.connections), 1)

    def test_n20_bad_and_endless_trailers(self):
        last = CHUNKED + '5\r\nhello\r\n0\r\n'

        def endless(connection):
            connection.send(last)
            connection.send_endless(b'x-t: 1\r\n' * 1000)

        self.run_row(
            faults([last + 'no colon\r\n\r\n', last + 'a b: c\r\n\r\n', last + 'a : c\r\n\r\n',
                    last + ' a: c\r\n\r\n', last + 'a: b\r\n c\r\n\r\n',
                    last + 'a: b\nc: d\r\n\r\n', last + ': b\r\n\r\n',
                    last + 'a: b\x00\r\n\r\n'], BAD, end='stall') +
            faults([endless, last + 'a: b\r\n' * 1001 + '\r\n', last + 'a: ' + 'v' * 270000],
                   'HEADERS_TOO_LARGE', end='stall'))


class UploadRows:
    """N22: a final reply while the request is still being sent."""

    def upload(self, act, **keys):
        """act(connection, event) misbehaves once the head is there and the body is coming; the
        event is set when the job has settled. Then a request to the same origin."""
        settled = threading.Event()

        def script(connection):
            while True:
                request = connection.read_request(body=False)
                if request.path != '/row':
                    connection.reply(200, request.path)
                    continue
                connection.receive(1000)
                act(connection, settled)
                return

        origin = self.row_origin(script)
        good = self.row_origin_of_routes()
        result = self.run_graph({'jobs': {
            'it': self.job(origin, '/row', body='x' * UPLOAD, attempt_timeout='20s', **keys),
            'a': self.job(good, '/text/a'), 'b': self.job(good, '/upload', body='y' * 100000),
            'c': self.job(good, '/delay/50')}})
        settled.set()
        for name in 'abc':
            self.assert_fulfilled(result[name])
        # It stops, and is not sent a second time.
        origin.wait(lambda: origin.connections[0].ended or origin.connections[0].closed)
        self.assertLess(origin.connections[0].received, UPLOAD)
        self.assertEqual(origin.count('/row'), 1)
        self.assert_fulfilled(self.ask(origin, '/next'), '/next')
        self.assertEqual(len(origin.connections), 2)
        return result['it']

    def test_n22_413_and_close(self):
        def act(connection, settled):
            connection.reply(413, 'too large', [('connection', 'close')])
            # Nothing is read until the result is known.
            settled.wait(20)
            connection.wait_end()

        record = self.upload(act)
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 413)

    def test_n22_200_and_keep_alive(self):
        def act(connection, settled):
            connection.reply(200, 'enough')
            settled.wait(20)
            connection.wait_end()

        self.assert_fulfilled(self.upload(act), 'enough')

    def test_n22_401_and_reset(self):
        """The reply is the result where its bytes have arrived."""
        def act(connection, settled):
            connection.reply(401, 'who?')
            settled.wait(0.3)
            connection.reset()

        record = self.upload(act)
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 401)

    def test_n22_401_and_reset_at_once(self):
        def act(connection, settled):
            connection.reply(401, 'who?')
            connection.reset()

        self.assert_rejected(self.upload(act), RESET + ('HTTP_STATUS',))

    def test_n22_reset_alone(self):
        self.assert_rejected(self.upload(lambda connection, settled: connection.reset()), RESET)

    def test_n22_end_alone(self):
        """Nothing of a reply, and the origin goes on reading: or closes with bytes unread."""
        def act(connection, settled):
            connection.fin()
            try:
                connection.wait_end()
            except Ended:
                pass

        self.assert_rejected(self.upload(act), RESET)
        self.assert_rejected(self.upload(lambda connection, settled: connection.close()), RESET)

    def test_n22_upload_from_a_descriptor(self):
        """The early reply is the result, and the file is not read to its end."""

        def script(connection):
            connection.read_request(body=False)
            connection.reply(413, 'too large', [('connection', 'close')])
            settled.wait(20)
            connection.wait_end()

        settled = threading.Event()
        origin = self.row_origin(script)
        session = self.session()
        with tempfile.TemporaryFile() as file:
            file.truncate(UPLOAD)
            line = json.dumps({'id': 1, 'submit': {'jobs': {'it': self.job(
                origin, '/row', method='POST', body_fd=0)}}}) + '\n'
            session.send_with_descriptors(line.encode(), [file.fileno()])
            record = session.collect(1)['it']
        settled.set()
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 413)
        origin.wait(lambda: origin.connections[0].ended)
        self.assertLess(origin.connections[0].received, UPLOAD)

    def test_n22_retry_does_not_repeat_a_post(self):
        record = self.upload(lambda connection, settled: connection.reset(), retry=3)
        self.assert_rejected(record, RESET, stopped='not_idempotent')
        self.assertEqual(record['attempts'], 1)


class ClearBodyTest(BodyRows, UploadRows, RowCase):
    pass


class TlsBodyTest(BodyRows, UploadRows, RowCase):
    is_tls = True
