# SPDX-License-Identifier: MIT
"""Rows N12, N13, N15 to N17, N21: heads that are endless, large, or say the length in bad ways."""

import socket

from harness.row import OK, Fault, RowCase, faults

# What a head may be wrong by: HTTP_PARSE where no parser could read it.
BAD = ('HTTP_FRAMING', 'HTTP_PARSE')
BODY = '5\r\nhello\r\n0\r\n\r\n'
FINAL = OK + 'content-length: 2\r\n\r\nok'


def endless(start, piece):
    """Sends the start, and the piece for ever, through a small buffer."""
    def answer(connection):
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        connection.send(start)
        connection.send_endless(piece)
    return answer


class HeadRows:
    def test_n12_endless_heads(self):
        """Refused before much was read, in memory bounded by the limit of heads."""
        rows = [(b'HTTP/1.1 200 ', b'O' * 8192), (OK.encode() + b'x-a: ', b'v' * 8192),
                (OK.encode() + b'x', b'n' * 8192), (OK.encode(), b'a: b\r\n' * 1000),
                (OK.encode(), b'x-a: ' + b'v' * 8000 + b'\r\n')]
        row = [Fault(endless(*answer), 'HEADERS_TOO_LARGE', end='stall') for answer in rows]
        for fault in row:
            with self.subTest(fault=fault):
                origin = self.row_origin(fault.script)
                before = self.daemon.memory()
                self.judge(self.ask(origin), fault)
                # The limit's 256 KiB, and once more while it is parsed.
                self.assert_grown_less(before, 1 << 20)
                origin.wait(lambda origin=origin: origin.connections[0].ended)
                self.assertLess(origin.connections[0].sent, 4 << 20)
        self.run_row(row)

    def test_n12_just_beyond_the_limits(self):
        many = ''.join('x-%d: %s\r\n' % (i, 'v' * 1000) for i in range(300))
        self.run_row(faults([OK + 'x: ' + 'v' * 263000 + '\r\n\r\n',
                             OK + 'a: b\r\n' * 1001 + '\r\n', OK + many + '\r\n'],
                            'HEADERS_TOO_LARGE', end='stall'))

    def test_n13_large_but_legal_headers(self):
        def head(n, size):
            fields = ''.join('x-%d: %s\r\n' % (i, 'v' * size) for i in range(n))
            return OK + fields + 'content-length: 2\r\n\r\nok'

        self.run_row(faults([head(1, 48 << 10), head(1, 60 << 10), head(1, 65400), head(99, 640),
                             head(99, 3)], body=b'ok', end='keep', keeps=True))

    def test_n15_malformed_lengths(self):
        lengths = ['-5', '+5', '0x5', '5abc', '', '5 5', '5.0', '5,6', '5;', ',', '1e3',
                   str(2 ** 64 + 5), '9' * 40]
        self.run_row(faults([OK + 'content-length: %s\r\n\r\nhello' % length
                             for length in lengths], BAD, end='stall'))

    def test_n15_length_longer_than_the_body(self):
        """Nothing is allocated for what a length promises."""
        rows = []
        for length in (6, 2 ** 40, 2 ** 63 - 1, 2 ** 64 - 1):
            head = OK + 'content-length: %d\r\n\r\n' % length
            rows.append(Fault(head + 'hello', ('BODY_TRUNCATED', 'HTTP_FRAMING'),
                              job={'output': 'discard'}))
            if length > 100:
                rows.append(Fault(head + 'hello', ('BODY_TOO_LARGE', 'HTTP_FRAMING'),
                                  end='stall'))
        before = self.daemon.memory()
        self.run_row(rows)
        self.assert_grown_less(before, 4 << 20)

    def test_n15_length_shorter_than_the_body(self):
        self.run_row(faults([OK + 'content-length: 3\r\n\r\nhello',
                             OK + 'content-length: 0\r\n\r\nhello'][:1], body=b'hel',
                            end='stall'))

    def test_n16_conflicting_lengths(self):
        self.run_row(faults([OK + 'content-length: 5\r\ncontent-length: 6\r\n\r\nhello!',
                             OK + 'content-length: 5, 6\r\n\r\nhello!',
                             OK + 'content-length: 5\r\nx: y\r\ncontent-length: 05\r\n\r\nhello'],
                            'HTTP_FRAMING', end='stall'))

    def test_n16_equal_lengths(self):
        """Read in the one way there is, or refused; here they are refused."""
        self.run_row(faults([OK + 'content-length: 5\r\ncontent-length: 5\r\n\r\nhello',
                             OK + 'content-length: 5, 5\r\n\r\nhello'],
                            'HTTP_FRAMING', end='stall'))

    def test_n17_doubtful_transfer_encodings(self):
        heads = [OK + 'transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n',
                 OK + 'content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
                 OK + 'transfer-encoding: chunked, chunked\r\n\r\n',
                 OK + 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n',
                 OK + 'transfer-encoding: chunked, identity\r\n\r\n',
                 OK + 'transfer-encoding: gzip, chunked\r\n\r\n',
                 OK + 'transfer-encoding: xchunked\r\n\r\n',
                 OK + 'transfer-encoding: chunkedx\r\n\r\n',
                 OK + 'transfer-encoding: "chunked"\r\n\r\n',
                 OK + 'transfer-encoding: chunked;q=1\r\n\r\n',
                 OK + 'transfer-encoding: identity\r\n\r\n',
                 OK + 'transfer-encoding: \r\n\r\n',
                 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n']
        self.run_row(faults([head + BODY for head in heads], 'HTTP_FRAMING', end='stall'))

    def test_n17_transfer_encodings_no_parser_may_fold(self):
        fields = ['transfer-encoding:\r\n chunked', 'transfer-encoding: \x0bchunked',
                  'transfer-encoding : chunked', 'transfer-encoding\t: chunked',
                  ' transfer-encoding: chunked', 'transfer-encoding: chunked\x0b',
                  'x: y\ntransfer-encoding: chunked', 'x: y\rtransfer-encoding: chunked',
                  'transfer-encoding: ch\x00unked', 'transfer-encoding: chunked,\r\n identity']
        self.run_row(faults([OK + field + '\r\n\r\n' + BODY for field in fields], BAD,
                            end='stall'))

    def test_n21_informational_responses(self):
        link = 'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n'
        self.run_row(faults(['HTTP/1.1 100 Continue\r\n\r\n' + FINAL, link * 3 + FINAL,
                             'HTTP/1.1 102 Processing\r\n\r\n' * 50 + FINAL,
                             # Its framing is nobody's.
                             'HTTP/1.1 100 C\r\ncontent-length: 5\r\n\r\n' + FINAL],
                            body=b'ok', end='keep', keeps=True))

    def test_n21_informational_floods_and_ends(self):
        one = 'HTTP/1.1 102 Processing\r\n\r\n'
        self.run_row([
            Fault(one * 51 + FINAL, 'HEADERS_TOO_LARGE', end='stall'),
            Fault(endless(b'', one.encode() * 100), 'HEADERS_TOO_LARGE', end='stall'),
            Fault(one.replace('\r\n\r\n', '\r\nx: ' + 'v' * 20000 + '\r\n\r\n') * 20 + FINAL,
                  'HEADERS_TOO_LARGE', end='stall'),
            Fault(one, 'BODY_TRUNCATED'), Fault(one * 3, 'BODY_TRUNCATED', end='bye'),
            Fault(one, 'RECV_RESET', end='rst'),
            Fault(one, 'ATTEMPT_TIMEOUT', end='stall', job={'attempt_timeout': '300ms'}),
            Fault('HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n' + FINAL, 'HTTP_PARSE',
                  end='stall')])


class ClearHeadTest(HeadRows, RowCase):
    pass


class TlsHeadTest(HeadRows, RowCase):
    is_tls = True
