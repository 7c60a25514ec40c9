# SPDX-License-Identifier: MIT
"""Rows N28, N30 to N32: handshakes that fail, floods within TLS, resumption, ALPN."""

import contextlib
import ssl
import threading
import time
import unittest

from harness import rogue
from harness.daemon import is_sanitized
from harness.origin import Ended, serve
from harness.row import CHUNKED, OK, RowCase, certificates, cpu_seconds

NOT_FOUND = 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'
# Of a reset in the handshake.
GONE = ('TLS_HANDSHAKE', 'RECV_RESET', 'CONNECT_RESET', 'SEND_FAILED')
# More than anybody takes.
FLOOD = 200000
ALERTS = {10: 'unexpected_message', 40: 'handshake_failure', 47: 'illegal_parameter',
          50: 'decode_error', 70: 'protocol_version', 71: 'insufficient_security',
          80: 'internal_error', 112: 'unrecognized_name', 120: 'no_application_protocol'}
ABOUT_US = {42: 'bad_certificate', 48: 'unknown_ca', 116: 'certificate_required'}


def alert(number, level=2):
    return b'\x15\x03\x03\x00\x02' + bytes((level, number))


def said(data, end='wait'):
    """Answers the ClientHello with these bytes."""
    def act(connection):
        connection.receive()
        connection.send(data)
        if end == 'rst':
            connection.reset()
            raise Ended()
        if end == 'fin':
            connection.fin()
        connection.wait_end()
    return act


class HandshakeCase(RowCase):
    is_tls = True

    def bad_then_good(self, act):
        """Connection 0 does as it is told, without TLS of its own; those after it are served."""
        context = certificates().server('good')

        def script(connection):
            if connection.number == 0:
                act(connection)
            else:
                connection.start_tls(context)
                serve(connection)
        return self.origin(script)

    def tls_job(self, origin, path='/text/row', **keys):
        return {'url': 'https://127.0.0.1:%d%s' % (origin.port, path), 'tls': {'ca': self.ca},
                **keys}

    def run_handshakes(self, rows):
        """(act, codes, job's keys, a part of the message): all in one graph beside siblings; and
        each origin serves the next request."""
        good = self.row_origin_of_routes()
        origins = [self.bad_then_good(act) for act, *_ in rows]
        jobs = {'good%d' % i: self.job(good, path)
                for i, path in enumerate(('/text/good', '/chunked/9/9', '/delay/50'))}
        for i, (origin, row) in enumerate(zip(origins, rows)):
            jobs['bad%d' % i] = self.tls_job(origin, **row[2])
            jobs['next%d' % i] = {**self.tls_job(origin), 'after': ['bad%d' % i]}
        result = self.run_graph({'jobs': jobs})
        for i in range(3):
            self.assert_fulfilled(result['good%d' % i])
        for i, (origin, (_, codes, keys, message)) in enumerate(zip(origins, rows)):
            with self.subTest(row=i, codes=codes, keys=keys, message=message):
                record = self.assert_rejected(result['bad%d' % i], codes, sent='none')
                self.assertIn(message, record['reason']['message'])
                self.assert_rejected(result['next%d' % i], 'DEPENDENCY_REJECTED', sent='none')
                self.assertEqual(origin.requests, [])
                self.assert_fulfilled(self.run_graph({'jobs': {
                    'it': self.tls_job(origin)}})['it'], 'row')
                origin.wait(lambda origin=origin: origin.connections[0].closed)
                self.assertEqual(len(origin.connections), 2)


class HandshakeTest(HandshakeCase):
    def test_n28_alerts(self):
        rows = [(said(alert(number)), 'TLS_HANDSHAKE', {}, name)
                for number, name in ALERTS.items()]
        rows += [(said(alert(number)), 'CLIENT_CERT', {}, name)
                 for number, name in ABOUT_US.items()]
        rows += [(said(alert(200)), 'TLS_HANDSHAKE', {}, '200'),
                 # A warning goes on, to an end; close_notify is an end of its own.
                 (said(alert(112, level=1), 'fin'), 'TLS_HANDSHAKE', {}, ''),
                 (said(alert(0, level=1), 'fin'), 'TLS_HANDSHAKE', {}, ''),
                 (said(alert(112, level=1) * 100), 'TLS_HANDSHAKE', {}, '')]
        self.run_handshakes(rows)

    def test_n28_ends_and_garbage(self):
        hello = b'\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03' + b'r' * 20
        rows = [(said(data, end), GONE if end == 'rst' else 'TLS_HANDSHAKE', {}, '')
                for data in (b'', hello[:1], hello[:3], hello) for end in ('fin', 'rst')]
        rows += [(said(data), ('TLS_HANDSHAKE', 'TLS_NOT_TLS'), {}, '') for data in (
            b'\x16\x03\x03\x00\x04\x02\x00\x00\x00', b'\x17\x03\x03\x00\x10' + b'x' * 16,
            b'\x16\x03\x03\xff\xff' + b'x' * 65535, b'\x14\x03\x03\x00\x01\x01' * 100,
            b'\x16\x03\x03\x00\x00' * 100, b'\x00' * 100, b'\xff' * 100)]
        self.run_handshakes(rows)

    def test_n28_stalls(self):
        rows = [(said(data), 'TLS_TIMEOUT', {'timeouts': {'tls': '300ms'}}, '')
                for data in (b'', b'\x16', b'\x16\x03\x03\x00\x7a\x02')]
        rows += [(lambda connection: connection.wait_end(), code, keys, '')
                 for code, keys in (('ATTEMPT_TIMEOUT', {'attempt_timeout': '300ms'}),
                                    ('JOB_TIMEOUT', {'timeout': '300ms'}))]
        self.run_handshakes(rows)

    def test_n28_plain_http_on_the_tls_port(self):
        began = time.monotonic()
        self.run_handshakes([(said(data, end), 'TLS_NOT_TLS', {}, '') for data, end in (
            (NOT_FOUND, 'fin'), (NOT_FOUND, 'wait'), ('SSH-2.0-OpenSSH_9.2\r\n', 'wait'),
            ('H', 'wait'), (NOT_FOUND, 'wait'))])
        self.assertLess(time.monotonic() - began, 5)

    def test_n28_tls_on_the_plain_port(self):
        """A server that has read a request in the clear says so by an alert, or just ends."""
        origin = self.row_origin_of_routes()
        record = self.run_graph({'jobs': {'it': {
            'url': 'http://127.0.0.1:%d/' % origin.port}}})['it']
        self.assert_rejected(record, ('HTTP_PARSE', 'EMPTY_REPLY', 'RECV_RESET'), sent='full')
        raw = self.origin(lambda connection: (connection.read_request(),
                                              connection.send(alert(70)), connection.wait_end()))
        record = self.run_graph({'jobs': {'it': {'url': raw.url('/')}}})['it']
        self.assert_rejected(record, 'HTTP_PARSE', sent='full')

    def test_n28_each_step_of_a_good_handshake(self):
        """A good server's records, up to one of them; then an alert, an end, or nothing."""
        rows = []
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            good = self.origin(tls=certificates().server('good', version, version))
            for step in range(6):
                for what in ('alert', 'fin', 'stall'):
                    rows.append(self.cut_row(good, step, what))
        self.run_handshakes(rows)

    def cut_row(self, good, step, what):
        def on_record(connection, number, record):
            if number < step:
                connection.send(record)
                return True
            if what == 'alert':
                connection.send(alert(40))
            elif what == 'fin':
                connection.fin()
            return False

        # TLS 1.2's sixth record may be the first that is encrypted.
        codes = {'alert': 'TLS_HANDSHAKE', 'fin': 'TLS_HANDSHAKE', 'stall': 'TLS_TIMEOUT'}[what]
        return rogue.relay(good, on_record), codes, {'timeouts': {'tls': '500ms'}}, ''

    def test_n28_records_of_one_byte(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                good = self.origin(tls=certificates().server('good', version, version))
                encrypted = threading.Event()

                def on_record(connection, number, record, encrypted=encrypted):
                    if record[0] != rogue.HANDSHAKE or encrypted.is_set():
                        encrypted.set()
                        connection.send(record)
                        return
                    pieces = [record[:3] + b'\0\1' + record[i:i + 1]
                              for i in range(5, len(record))]
                    connection.send(b''.join(pieces))

                origin = self.origin(rogue.relay(good, on_record))
                record = self.run_graph({'jobs': {'it': self.tls_job(origin)}})['it']
                self.assert_fulfilled(record, 'row')

    def test_n28_alert_in_the_body(self):
        context = certificates().server('good')
        for head in (OK + 'content-length: 100\r\n\r\nhalf', CHUNKED + '5\r\nhalf', 'HTTP/1'):
            with self.subTest(head=head):
                def script(connection, head=head):
                    paper = rogue.Paper(connection, context)
                    paper.read_head()
                    paper.write(head.encode())
                    paper.send_alert()
                    connection.wait_end()

                origin = self.origin(script)
                record = self.run_graph({'jobs': {'it': self.tls_job(origin)}})['it']
                self.assert_rejected(record, 'TLS_BROKEN', sent='full')
                self.assertRegex(record['reason']['message'], 'alert [a-z_]+')


class OldTlsTest(HandshakeCase):
    def assert_refused_by_tls(self, context, codes='TLS_HANDSHAKE'):
        origin = self.origin(tls=context)
        record = self.run_graph({'jobs': {'it': self.tls_job(origin)}})['it']
        self.assert_rejected(record, codes, sent='none')
        self.assertEqual(origin.requests, [])

    def test_n30_old_versions_and_bad_ciphers(self):
        old = certificates().server('good', ciphers='ALL:@SECLEVEL=0')
        with contextlib.suppress(ValueError):
            old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        self.assert_refused_by_tls(old)
        for ciphers in ('eNULL', 'aNULL', 'RC4', 'EXPORT', 'DES', '3DES'):
            with self.subTest(ciphers=ciphers):
                try:
                    context = certificates().server('good', ciphers=ciphers + ':@SECLEVEL=0')
                except ssl.SSLError:
                    continue
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                self.assert_refused_by_tls(context)

    def rogue_origin(self, act, **options):
        def script(connection):
            with rogue.Rogue(connection, certificates(), **options) as server:
                head = server.read_head()
                connection.origin.requests.append(head)
                act(connection, server)
        return self.origin(script)

    @unittest.skipUnless(rogue.lib, 'no libssl')
    def test_n30_key_updates(self):
        """A few are followed; a flood is ended, and costs less than a second."""
        def few(connection, server):
            for _ in range(5):
                server.key_update()
            server.write(OK.encode() + b'content-length: 4\r\n\r\n')
            for piece in (b'f', b'i', b'n', b'e'):
                server.key_update()
                server.write(piece)
            connection.wait_end()

        def flood(connection, server):
            server.write(OK.encode() + b'content-length: 4\r\n\r\n')
            for _ in range(FLOOD):
                if not server.key_update():
                    break

        record = self.run_graph({'jobs': {'it': self.tls_job(self.rogue_origin(few))}})['it']
        self.assert_fulfilled(record, 'fine')
        origin = self.rogue_origin(flood)
        before = cpu_seconds(self.daemon.pid)
        record = self.run_graph({'jobs': {'it': self.tls_job(origin)}})['it']
        self.assert_rejected(record, 'TLS_BROKEN', sent='full')
        if not is_sanitized():
            self.assertLess(cpu_seconds(self.daemon.pid) - before, 1)

    @unittest.skipUnless(rogue.lib, 'no libssl')
    def test_n30_renegotiation(self):
        """Asked for once or many times, it is refused."""
        for n in (1, FLOOD):
            def act(connection, server, n=n):
                server.write(OK.encode() + b'content-length: 4\r\n\r\nha')
                for _ in range(n):
                    if not server.renegotiate():
                        return
                with contextlib.suppress(Ended):
                    server.read_head()

            with self.subTest(n=n):
                origin = self.rogue_origin(act, version=rogue.TLS_1_2)
                before = cpu_seconds(self.daemon.pid)
                record = self.run_graph({'jobs': {'it': self.tls_job(origin)}})['it']
                self.assert_rejected(record, 'TLS_BROKEN' if n > 1 else
                                     ('TLS_BROKEN', 'BODY_TRUNCATED'), sent='full')
                if not is_sanitized():
                    self.assertLess(cpu_seconds(self.daemon.pid) - before, 1)

    def test_n30_certificate_asked_for_behind_the_handshake(self):
        """We never say that it may be."""
        asked = []

        def script(connection):
            connection.read_request()
            try:
                connection.sock.verify_client_post_handshake()
            except ssl.SSLError as error:
                asked.append(error)
            connection.reply(200, 'ok')
            connection.wait_end()

        context = certificates().server('good', client_ca='ca')
        context.verify_mode = ssl.CERT_OPTIONAL
        context.post_handshake_auth = True
        origin = self.origin(script, tls=context)
        self.assert_fulfilled(self.run_graph({'jobs': {'it': self.tls_job(origin)}})['it'], 'ok')
        self.assertEqual(len(asked), 1)

    def test_n30_chain_of_a_megabyte_and_thousands_of_names(self):
        made = certificates()
        with open(made.path('long.chain'), 'w', encoding='ascii') as file:
            file.write(made.pem('good') + made.pem('between') * 2000)
        with open(made.path('good.key'), encoding='ascii') as key, \
                open(made.path('long.key'), 'w', encoding='ascii') as file:
            file.write(key.read())
        names = '\n'.join('DNS.%d = host-%d.example.test' % (i, i) for i in range(10000))
        made.make_leaf('names', '@names\n[names]\n' + names)
        before = cpu_seconds(self.daemon.pid)
        self.assert_refused_by_tls(made.server('long'), ('TLS_HANDSHAKE', 'CERT_UNTRUSTED'))
        self.assert_refused_by_tls(made.server('names'), ('TLS_HANDSHAKE', 'CERT_NAME'))
        if not is_sanitized():
            self.assertLess(cpu_seconds(self.daemon.pid) - before, 1)


class ResumptionTest(HandshakeCase):
    def resumptions(self, jobs):
        """Whether each of these, one after the other, was a resumed session for the origin."""
        reused = []

        def script(connection):
            connection.read_request()
            reused.append(connection.sock.session_reused)
            connection.reply(200, 'ok', [('connection', 'close')])
            connection.close_notify()

        origin = self.row_origin(script)
        name = 'good.test:%d' % origin.port
        with self.daemon.session() as session:
            for tls in jobs:
                record = session.run({'jobs': {'it': {
                    'url': 'https://%s/' % name, 'resolve': {name: '127.0.0.1'},
                    'tls': {'ca': self.ca, **tls}}}})['it']
                self.assert_fulfilled(record, 'ok')
        self.assertEqual(len(origin.connections), len(jobs))
        return reused

    def test_n31_no_session_is_resumed_by_another_policy(self):
        ways = [{}, {'insecure': True}, {'server_name': 'other.test'},
                {'ca': self.ca + certificates().pem('stranger')},
                {'insecure': True, 'server_name': 'other.test'}]
        self.assertEqual(self.resumptions(ways), [False] * len(ways))
        # And the way back: those of the unverified are nothing to the verified.
        self.assertEqual(self.resumptions(ways[::-1]), [False] * len(ways))

    def test_n31_equal_policies_may_resume(self):
        self.assertFalse(self.resumptions([{}, {}, {}])[0])


@unittest.skipUnless(rogue.lib, 'no libssl')
class AlpnTest(HandshakeCase):
    def origin_choosing(self, protocol, reply=OK.encode() + b'content-length: 2\r\n\r\nok'):
        def script(connection):
            with rogue.Rogue(connection, certificates(), protocol=protocol) as server:
                connection.origin.requests.append(server.read_head())
                server.write(reply)
                connection.wait_end()
        return self.origin(script)

    def test_n32_nothing_or_http_1(self):
        for protocol in (None, b'http/1.1'):
            with self.subTest(protocol=protocol):
                origin = self.origin_choosing(protocol)
                self.assert_fulfilled(self.run_graph({'jobs': {
                    'it': self.tls_job(origin)}})['it'], 'ok')

    def test_n32_something_that_was_not_offered(self):
        for protocol in (b'spdy/3', b'http/1.0', b'h3', b'x' * 200):
            with self.subTest(protocol=protocol):
                origin = self.origin_choosing(protocol)
                record = self.run_graph({'jobs': {
                    'it': self.tls_job(origin, http='1.1')}})['it']
                self.assert_rejected(record, 'TLS_HANDSHAKE', sent='none')
                # By us, or by an OpenSSL that looks itself.
                self.assertRegex(record['reason']['message'], 'not offered|bad extension')
                self.assertEqual(origin.requests, [])

    def test_n32_http_2_where_it_was_not_offered(self):
        record = self.run_graph({'jobs': {'it': self.tls_job(
            self.origin_choosing(b'h2'), http='1.1')}})['it']
        self.assert_rejected(record, 'TLS_HANDSHAKE', sent='none')

    def test_n32_http_1_chosen_and_http_2_spoken(self):
        settings = b'\0\0\0\x04\0\0\0\0\0'
        for protocol in (None, b'http/1.1'):
            with self.subTest(protocol=protocol):
                origin = self.origin_choosing(protocol, settings)
                began = time.monotonic()
                record = self.run_graph({'jobs': {'it': self.tls_job(origin)}})['it']
                self.assert_rejected(record, 'HTTP_PARSE', sent='full')
                self.assertLess(time.monotonic() - began, 5)

    def test_n32_http_2_chosen_and_http_1_spoken(self):

        def script(connection):
            with rogue.Rogue(connection, certificates(), protocol=b'h2') as server:
                server.read_head()
                server.write(OK.encode() + b'content-length: 2\r\n\r\nok')
                connection.wait_end()

        record = self.run_graph({'jobs': {'it': self.tls_job(self.origin(script))}})['it']
        self.assert_rejected(record, ('HTTP2_CONNECTION', 'HTTP_PARSE'))

    def test_n32_http_2_wanted_and_not_chosen(self):
        for protocol in (None, b'http/1.1'):
            with self.subTest(protocol=protocol):
                origin = self.origin_choosing(protocol)
                record = self.run_graph({'jobs': {'it': self.tls_job(origin, http='2')}})['it']
                self.assert_rejected(record, 'TLS_HANDSHAKE', sent='none')
                self.assertEqual(origin.requests, [])
