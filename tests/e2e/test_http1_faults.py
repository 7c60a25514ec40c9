# SPDX-License-Identifier: MIT
"""Origins that misbehave over HTTP/1.1 in the clear: each has its code, and harms nobody else."""

import threading
import time

from harness.case import DaemonCase
from harness.origin import Ended, free_port, pattern

OK = 'HTTP/1.1 200 OK\r\n'
# More than the socket buffers of both ends take.
UPLOAD = 24000000
# The kernel tells of a reset once: where it tells the send, the receive sees an end.
RESET = ('RECV_RESET', 'SEND_FAILED', 'EMPTY_REPLY')
CHUNKED = OK + 'transfer-encoding: chunked\r\n\r\n'


class FaultCase(DaemonCase):
    def answer(self, *pieces, end='fin', **job):
        """The record of a job answered with these bytes."""
        origin = self.raw_origin(*pieces, end=end)
        return self.fetch(origin.url('/'), **job)

    def reject_each(self, code, answers, end='fin', **job):
        for answer in answers:
            with self.subTest(answer=answer[-100:]):
                self.assert_rejected(self.answer(answer, end=end, **job), code, sent='full')

    def fulfil_each(self, answers, body, end='fin'):
        for answer in answers:
            with self.subTest(answer=answer[-100:]):
                self.assert_fulfilled(self.answer(answer, end=end), body)


class ConnectionTest(FaultCase):
    def test_refused(self):
        """N34"""
        began = time.monotonic()
        record = self.fetch('http://127.0.0.1:%d/' % free_port())
        self.assert_rejected(record, 'CONNECT_REFUSED', sent='none', retryable=True)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual(record['attempts'], 1)

    def test_reset_at_each_step(self):
        """N1, N5: RST."""
        rows = [('', ('RECV_RESET', 'EMPTY_REPLY')), ('HTT', 'RECV_RESET'), (OK, 'RECV_RESET'),
                (OK + 'content-le', 'RECV_RESET'), (OK + 'content-length: 5\r\n\r\n', 'RECV_RESET'),
                (OK + 'content-length: 5\r\n\r\nab', 'RECV_RESET'),
                (CHUNKED + '5\r\nab', 'RECV_RESET'), (OK + '\r\nuntil the end', 'RECV_RESET')]
        for answer, code in rows:
            with self.subTest(answer=answer):
                record = self.answer(answer, end='rst')
                self.assert_rejected(record, code, sent='full', retryable=True)

    def test_reset_right_after_accept(self):
        """N1"""
        origin = self.origin(lambda connection: connection.reset())
        record = self.fetch(origin.url('/'))
        self.assert_rejected(record, ('RECV_RESET', 'EMPTY_REPLY', 'SEND_FAILED', 'CONNECT_RESET'),
                             retryable=True)

    def test_reset_in_the_middle_of_the_request(self):
        def script(connection):
            connection.read_until(b'\r\n')
            connection.reset()

        origin = self.origin(script)
        record = self.fetch(origin.url('/'), body='x' * UPLOAD)
        self.assert_rejected(record, RESET, sent='partial')

    def test_close_at_each_step(self):
        """N2, N3, N4: FIN."""
        rows = [('', 'EMPTY_REPLY'), ('HTT', 'BODY_TRUNCATED'), (OK, 'BODY_TRUNCATED'),
                (OK + 'content-le', 'BODY_TRUNCATED'),
                (OK + 'content-length: 5\r\n\r\n', 'BODY_TRUNCATED'),
                (OK + 'content-length: 5\r\n\r\nabcd', 'BODY_TRUNCATED'),
                (CHUNKED, 'BODY_TRUNCATED'), (CHUNKED + '5\r\nab', 'BODY_TRUNCATED'),
                (CHUNKED + '2\r\nab\r\n', 'BODY_TRUNCATED'),
                (CHUNKED + '2\r\nab\r\n0\r\n', 'BODY_TRUNCATED'),
                ('HTTP/1.1 100 Continue\r\n\r\n', 'BODY_TRUNCATED')]
        for answer, code in rows:
            with self.subTest(answer=answer):
                self.assert_rejected(self.answer(answer), code, sent='full', retryable=True)

    def test_close_right_after_accept(self):
        origin = self.origin(lambda connection: connection.fin() or connection.wait_end())
        self.assert_rejected(self.fetch(origin.url('/')), 'EMPTY_REPLY', retryable=True)

    def test_half_close_after_the_reply_is_fine(self):
        """N10: and the origin sees no RST."""
        origin = self.raw_origin(OK + 'content-length: 2\r\n\r\nok')
        self.assert_fulfilled(self.fetch(origin.url('/')), 'ok')
        origin.wait(lambda: origin.connections[0].ended)
        self.assertEqual(origin.connections[0].ended, 'fin')

    def test_body_until_the_end_is_fine(self):
        self.assert_fulfilled(self.answer(OK + '\r\nall of it'), 'all of it')

    def test_large_body_cut_short(self):
        """By the road of large buffers too."""
        def script(connection):
            connection.read_request()
            connection.send(OK + 'content-length: 4000000\r\n\r\n')
            connection.send(pattern(3000000))
            connection.fin()
            connection.wait_end()

        for output in ('inline', 'discard'):
            record = self.fetch(self.origin(script).url('/'), output=output)
            self.assert_rejected(record, 'BODY_TRUNCATED', sent='full')

    def test_faults_settle_dependents_and_touch_no_siblings(self):
        bad = self.raw_origin('garbage\r\n\r\n')
        good = self.origin()
        with self.bystander():
            result = self.run_graph({'jobs': {
                'bad': {'url': bad.url()}, 'good': {'url': good.url('/delay/30')},
                'after': {'url': good.url('/text/x'), 'after': ['bad']}}})
        self.assert_rejected(result['bad'], 'HTTP_PARSE')
        self.assert_rejected(result['after'], 'DEPENDENCY_REJECTED', root='bad')
        self.assert_fulfilled(result['good'])


class DripTest(FaultCase):
    def test_one_byte_at_a_time(self):
        """N11"""
        replies = [OK + 'content-length: 10\r\nx-a: b\r\n\r\n0123456789',
                   CHUNKED + '3;ext=1\r\n012\r\n7\r\n3456789\r\n0\r\nx-t: 1\r\n\r\n',
                   'HTTP/1.1 100 Continue\r\n\r\n' + OK + 'content-length: 10\r\n\r\n0123456789']
        for reply in replies:
            with self.subTest(reply=reply):
                origin = self.raw_origin(*reply, end='keep')
                for record in self.fetch_all(*[origin.url('/')] * 3):
                    self.assert_fulfilled(record, '0123456789')
                self.assertEqual(len(origin.connections), 1)

    def test_split_at_every_offset(self):
        """N11"""
        reply = (CHUNKED.replace('\r\n\r\n', '\r\nx-long: ' + 'v' * 60 + '\r\n\r\n') +
                 '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n').encode()
        cuts = iter(range(1, len(reply)))

        def script(connection):
            while True:
                connection.read_request()
                cut = next(cuts)
                connection.send(reply[:cut])
                # So that the two halves are two receives.
                connection.pause(0.002)
                connection.send(reply[cut:])

        origin = self.origin(script)
        for record in self.fetch_all(*[origin.url('/')] * (len(reply) - 1)):
            self.assert_fulfilled(record, 'hello world')


class HeadTest(FaultCase):
    def test_what_is_no_http_is_refused(self):
        self.reject_each('HTTP_PARSE', [
            'garbage\r\n\r\n', 'SSH-2.0-OpenSSH_9.2\r\n', '\x16\x03\x01\x00\x05hello',
            'HTTP/1.1 20 OK\r\n\r\n',
            'HTTP/1.1 2000 OK\r\n\r\n', 'HTTP/9.9 200 OK\r\n\r\n', 'HTTP/1.1 abc OK\r\n\r\n',
            OK + 'no colon\r\n\r\n', OK + ': empty\r\n\r\n', OK + 'a b: c\r\n\r\n',
            OK + 'a : c\r\n\r\n', OK + 'a: b\r\n folded\r\n\r\n', OK + 'a: b\0c\r\n\r\n',
            OK + 'a: b\rc: d\r\n\r\n', OK + 'a: b\nc: d\r\n\r\n', 'HTTP/1.1 000 Zero\r\n\r\n',
            'HTTP/1.1 200 OK\ncontent-length: 0\n\n', 'http/1.1 200 OK\r\n\r\n'])

    def test_switching_protocols_unasked(self):
        """N21"""
        self.reject_each('HTTP_PARSE', ['HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'])

    def test_informational_responses_are_skipped(self):
        """N21"""
        final = OK + 'content-length: 2\r\n\r\nok'
        self.fulfil_each([
            'HTTP/1.1 100 Continue\r\n\r\n' + final,
            'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' * 3 + final,
            'HTTP/1.1 102 Processing\r\n\r\n' * 50 + final], 'ok', end='keep')

    def test_informational_flood(self):
        """N21"""
        record = self.answer('HTTP/1.1 102 Processing\r\n\r\n' * 2000 + OK +
                             'content-length: 0\r\n\r\n', end='stall')
        self.assert_rejected(record, ('HEADERS_TOO_LARGE', 'HTTP_PARSE'), sent='full')

    def test_headers_of_64k_and_100_fields_are_accepted(self):
        """N13"""
        many = ''.join('x-%d: %s\r\n' % (i, 'v' * 600) for i in range(99))
        self.fulfil_each([OK + many + 'content-length: 2\r\n\r\nok',
                          OK + 'x: ' + 'v' * 65000 + '\r\ncontent-length: 2\r\n\r\nok'], 'ok')

    def test_headers_beyond_the_limits(self):
        """N12, by size and by number."""
        self.reject_each('HEADERS_TOO_LARGE', [
            OK + 'x: ' + 'v' * 263000 + '\r\n\r\n',
            OK + 'a: b\r\n' * 1001 + '\r\n',
            OK + ''.join('x-%d: %s\r\n' % (i, 'v' * 1000) for i in range(300)) + '\r\n'],
            end='stall')

    def test_endless_heads(self):
        """N12: refused before much was read, in bounded memory, and nobody else is harmed."""
        rows = [(b'HTTP/1.1 200 ', b'O' * 65536), (OK.encode() + b'x: ', b'v' * 65536),
                (OK.encode() + b'x', b'n' * 65536), (OK.encode(), b'a: b\r\n' * 10000)]
        before = self.daemon.memory()
        with self.bystander():
            for head, piece in rows:
                with self.subTest(head=head):
                    def script(connection, head=head, piece=piece):
                        connection.read_request()
                        connection.send(head)
                        connection.send_endless(piece)

                    origin = self.origin(script)
                    record = self.fetch(origin.url('/'))
                    self.assert_rejected(record, 'HEADERS_TOO_LARGE', sent='full')
                    origin.wait(lambda origin=origin: origin.connections[0].ended)
        self.assert_grown_less(before, 16 << 20)

    def test_control_characters_reach_the_record_escaped(self):
        record = self.answer(OK + 'x: \x80\x1b[31m\r\ncontent-length: 0\r\n\r\n')
        self.assertIn(record['status'], ('fulfilled', 'rejected'))


class LengthTest(FaultCase):
    def test_malformed_lengths(self):
        """N15"""
        for length in ('-5', '+5', '0x5', '5abc', '', '5 5', '5.0', '5,6', ',', '5;',
                       str(2 ** 64 + 5), '9' * 40, '1e3', '٥'):
            with self.subTest(length=length):
                record = self.answer((OK + 'content-length: %s\r\n\r\nhello' % length).encode())
                self.assert_rejected(record, ('HTTP_FRAMING', 'HTTP_PARSE'), sent='full')

    def test_malformed_lengths_are_framing_faults(self):
        self.reject_each('HTTP_FRAMING', [
            OK + 'content-length: -5\r\n\r\n', OK + 'content-length: 5abc\r\n\r\nhello',
            OK + 'content-length: %d\r\n\r\nhello' % (2 ** 64 + 5)])

    def test_length_longer_than_what_comes(self):
        """N15: nothing is allocated for what a length promises."""
        before = self.daemon.memory()
        for length in (10, 2 ** 40, 2 ** 63 - 1):
            with self.subTest(length=length):
                record = self.answer(OK + 'content-length: %d\r\n\r\nhello' % length,
                                     output='discard')
                self.assert_rejected(record, 'BODY_TRUNCATED')
        self.assert_grown_less(before, 8 << 20)

    def test_length_beyond_max_body_is_refused_by_the_head(self):
        origin = self.raw_origin(OK + 'content-length: %d\r\n\r\n' % 2 ** 40, end='stall')
        self.assert_rejected(self.fetch(origin.url('/')), 'BODY_TOO_LARGE', sent='full')
        origin.wait(lambda: origin.connections[0].ended)

    def test_conflicting_lengths(self):
        """N16"""
        self.reject_each('HTTP_FRAMING', [
            OK + 'content-length: 5\r\ncontent-length: 6\r\n\r\nhello!',
            OK + 'content-length: 5, 6\r\n\r\nhello!'])

    def test_equal_lengths_are_read_one_way_or_refused(self):
        """N16"""
        for answer in (OK + 'content-length: 5\r\ncontent-length: 5\r\n\r\nhello',
                       OK + 'content-length: 5, 5\r\n\r\nhello'):
            record = self.answer(answer, end='stall')
            if record['status'] == 'fulfilled':
                self.assertEqual(record['body'], b'hello')
            else:
                self.assert_rejected(record, 'HTTP_FRAMING')

    def test_doubtful_transfer_encodings(self):
        """N17"""
        body = '5\r\nhello\r\n0\r\n\r\n'
        self.reject_each('HTTP_FRAMING', [
            OK + 'transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n' + body,
            OK + 'content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n' + body,
            OK + 'transfer-encoding: chunked, chunked\r\n\r\n' + body,
            OK + 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n' + body,
            OK + 'transfer-encoding: chunked, identity\r\n\r\n' + body,
            OK + 'transfer-encoding: gzip, chunked\r\n\r\n' + body,
            OK + 'transfer-encoding: xchunked\r\n\r\n' + body,
            'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' + body])

    def test_transfer_encodings_no_parser_may_fold(self):
        """N17"""
        body = '5\r\nhello\r\n0\r\n\r\n'
        for field in ('transfer-encoding:\r\n chunked', 'transfer-encoding: \x0bchunked',
                      'transfer-encoding : chunked'):
            with self.subTest(field=field):
                record = self.answer(OK + field + '\r\n\r\n' + body)
                self.assert_rejected(record, ('HTTP_FRAMING', 'HTTP_PARSE'))

    def test_bodyless_responses_with_misleading_lengths(self):
        rows = [('HEAD', 200), ('GET', 204), ('GET', 304), ('HEAD', 404)]
        for method, status in rows:
            with self.subTest(method=method, status=status):
                head = 'HTTP/1.1 %d Reason\r\ncontent-length: 50\r\n\r\n' % status
                origin = self.raw_origin(head, end='keep')
                for record in self.fetch_all(*[origin.url('/')] * 2, method=method,
                                             ok='200-499'):
                    self.assert_fulfilled(record, '')
                    self.assertEqual(record['value']['status'], status)
                self.assertEqual(len(origin.connections), 1)


class ChunkTest(FaultCase):
    def test_bad_chunk_sizes(self):
        """N18"""
        self.reject_each('HTTP_FRAMING', [
            CHUNKED + size + '\r\nhello\r\n0\r\n\r\n' for size in (
                'xyz', '0x5', '-5', '+5', '0_5', '', '5 x', '1' + '0' * 16, 'f' * 17)])

    def test_bad_chunk_data(self):
        """N18"""
        self.reject_each('HTTP_FRAMING', [
            CHUNKED + '5\r\nhello0\r\n\r\n', CHUNKED + '5\r\nhello!\r\n0\r\n\r\n',
            CHUNKED + '5\nhello\n0\n\n'])

    def test_legal_chunk_extensions(self):
        """N19"""
        self.fulfil_each([CHUNKED + '5;a\r\nhello\r\n0;end\r\n\r\n',
                          CHUNKED + '5;a=b;c="d;e"\r\nhello\r\n0\r\n\r\n',
                          CHUNKED + '05\r\nhello\r\n000\r\n\r\n'], 'hello')

    def test_bad_chunk_extensions(self):
        """N19"""
        for size in ('5;a\nb', '5;a\rb', '5;' + 'a' * 20000):
            with self.subTest(size=size[:20]):
                record = self.answer(CHUNKED + size + '\r\nhello\r\n0\r\n\r\n')
                self.assert_rejected(record, ('HTTP_FRAMING', 'HTTP_PARSE'))

    def test_endless_chunk_extension(self):
        """N19"""
        def script(connection):
            connection.read_request()
            connection.send(CHUNKED + '5;')
            connection.send_endless(b'a' * 65536)

        record = self.fetch(self.origin(script).url('/'))
        self.assert_rejected(record, ('HTTP_FRAMING', 'HTTP_PARSE', 'HEADERS_TOO_LARGE'))

    def test_trailers_stay_apart_from_headers(self):
        """N20"""
        origin = self.raw_origin(CHUNKED + '5\r\nhello\r\n0\r\nx-t: 1\r\ncontent-length: 9\r\n'
                                 'transfer-encoding: gzip\r\n\r\n', end='keep')
        for record in self.fetch_all(*[origin.url('/')] * 2):
            self.assert_fulfilled(record, 'hello')
            self.assertEqual(record['value']['headers'], {'transfer-encoding': 'chunked'})

    def test_bad_trailers(self):
        """N20"""
        record = self.answer(CHUNKED + '0\r\nno colon\r\n\r\n')
        self.assert_rejected(record, ('HTTP_PARSE', 'HTTP_FRAMING'))
        record = self.answer(CHUNKED + '0\r\n' + 'a: b\r\n' * 100000, end='stall')
        self.assert_rejected(record, 'HEADERS_TOO_LARGE')

    def test_many_tiny_chunks(self):
        record = self.answer(CHUNKED + '1\r\nx\r\n' * 20000 + '0\r\n\r\n')
        self.assert_fulfilled(record, 'x' * 20000)


class EndlessTest(FaultCase):
    def test_endless_bodies_are_cut_at_the_limit_in_bounded_memory(self):
        """N14"""
        chunk = b'10000\r\n' + b'x' * 65536 + b'\r\n'
        before = self.daemon.memory()
        with self.bystander():
            for head, piece in ((OK + '\r\n', b'x' * 65536), (CHUNKED, chunk)):
                for output in ('inline', 'discard'):
                    with self.subTest(head=head, output=output):
                        def script(connection, head=head, piece=piece):
                            connection.read_request()
                            connection.send(head)
                            connection.send_endless(piece)

                        origin = self.origin(script)
                        record = self.fetch(origin.url('/'), max_body='4m', output=output)
                        self.assert_rejected(record, 'BODY_TOO_LARGE', sent='full')
                        origin.wait(lambda origin=origin: origin.connections[0].ended)
        self.assert_grown_less(before, 32 << 20)


class EarlyReplyTest(FaultCase):
    """N22: a final reply while the request is still being sent."""

    def upload(self, script):
        origin = self.origin(script)
        record = self.fetch(origin.url('/'), body='x' * UPLOAD, attempt_timeout='10s')
        return origin, record

    def test_early_reply_and_close_is_the_result(self):
        def script(connection):
            connection.read_request(body=False)
            connection.reply(413, 'too large', [('connection', 'close')])
            # Nothing more is read until the result is known.
            settled.wait(10)
            connection.wait_end()

        settled = threading.Event()
        origin, record = self.upload(script)
        settled.set()
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 413)
        self.assertEqual(len(origin.connections), 1)
        # The upload stops; it is not sent to its end.
        origin.wait(lambda: origin.connections[0].ended)
        self.assertLess(origin.connections[0].received, UPLOAD)

    def test_early_fulfilling_reply(self):
        def script(connection):
            connection.read_request(body=False)
            connection.reply(200, 'enough')
            try:
                connection.wait_end()
            except Ended:
                pass

        origin, record = self.upload(script)
        self.assert_fulfilled(record, 'enough')
        self.assertEqual(len(origin.requests), 1)

    def test_reset_alone_during_the_upload(self):
        def script(connection):
            connection.read_request(body=False)
            connection.reset()

        origin, record = self.upload(script)
        self.assert_rejected(record, RESET, sent='partial')
        self.assertEqual(len(origin.connections), 1)

    def test_close_alone_during_the_upload(self):
        def script(connection):
            connection.read_request(body=False)
            connection.close()

        origin, record = self.upload(script)
        self.assert_rejected(record, ('EMPTY_REPLY', 'RECV_RESET', 'SEND_FAILED'))
        self.assertEqual(len(origin.connections), 1)
