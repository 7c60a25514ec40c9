# SPDX-License-Identifier: MIT
"""HTTPS: what is verified, what is refused and with which code, before a byte of the request is
sent (N28, N29); and that connections are shared only where all of it is equal (N27)."""

import shutil
import socket
import ssl
import struct
import tempfile
import threading
import time
import unittest

from harness import resolver
from harness.case import DaemonCase
from harness.certificates import Certificates
from harness.origin import Ended, pattern, serve

# So that a test can have a system store of its own.
PRIVATE = resolver.enter()

PAST = ('20200101000000Z', '20200201000000Z')
FUTURE = ('20400101000000Z', '20410101000000Z')


class TlsCase(DaemonCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate_directory = tempfile.mkdtemp(prefix='settled-tls-')
        cls.certificates = Certificates(cls.certificate_directory)
        cls.certificates.make_leaf('good', 'DNS:good.test,DNS:other.test,IP:127.0.0.1')
        cls.ca = cls.certificates.pem('ca')

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.certificate_directory, ignore_errors=True)
        super().tearDownClass()

    def tls_origin(self, name='good', script=serve, **context):
        return self.origin(script, tls=self.certificates.server(name, **context))

    def get(self, origin, path='/text/ok', host='good.test', tls=None, **job):
        """A record of a request by name, trusting the test's authority alone."""
        name = '%s:%d' % (host, origin.port)
        job['tls'] = {'ca': self.ca, **(tls or {})}
        return self.fetch('https://%s%s' % (name, path), resolve={name: '127.0.0.1'}, **job)

    def reject_unsent(self, origin, code, **options):
        """Rejected, and the origin saw no byte of a request."""
        record = self.get(origin, **options)
        self.assert_rejected(record, code, sent='none')
        self.assertEqual(origin.requests, [])
        return record


class VerifyTest(TlsCase):
    def test_verified_origin_is_fetched(self):
        origin = self.tls_origin()
        record = self.assert_fulfilled(self.get(origin), 'ok')
        self.assertTrue(record['value']['url'].startswith('https://good.test:'))
        self.assertGreater(record['time']['tls'], 0)

    def test_server_name_is_sent_but_not_for_an_address(self):
        seen = []
        context = self.certificates.server('good')
        context.sni_callback = lambda sock, name, context: seen.append(name)
        origin = self.origin(tls=context)
        self.assert_fulfilled(self.get(origin))
        self.assert_fulfilled(self.fetch(origin.url('/text/x'), tls={'ca': self.ca}))
        self.assert_fulfilled(self.get(origin, host='any.test', tls={'server_name': 'other.test'}))
        self.assertEqual(seen, ['good.test', None, 'other.test'])

    def test_address_by_ip_san(self):
        origin = self.tls_origin()
        self.assert_fulfilled(self.fetch(origin.url('/text/ok'), tls={'ca': self.ca}), 'ok')

    def test_unknown_authority(self):
        self.certificates.make_leaf('foreign', 'DNS:good.test', issuer='stranger')
        self.reject_unsent(self.tls_origin('foreign'), 'CERT_UNTRUSTED')

    def test_system_store_does_not_know_the_tests_authority(self):
        origin = self.tls_origin()
        name = 'good.test:%d' % origin.port
        record = self.fetch('https://%s/' % name, resolve={name: '127.0.0.1'})
        self.assert_rejected(record, 'CERT_UNTRUSTED', sent='none')

    def test_self_signed(self):
        self.certificates.openssl(
            'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
            '-keyout', 'self.key', '-out', 'self.chain', '-days', '5', '-subj', '/CN=good.test',
            '-addext', 'subjectAltName=DNS:good.test')
        self.reject_unsent(self.tls_origin('self'), 'CERT_UNTRUSTED')

    def test_missing_intermediate(self):
        self.certificates.make_leaf('deep', 'DNS:good.test', issuer='between')
        self.reject_unsent(self.tls_origin('deep'), 'CERT_UNTRUSTED')
        self.certificates.make_leaf('chained', 'DNS:good.test', issuer='between',
                                    chain=['between'])
        self.assert_fulfilled(self.get(self.tls_origin('chained')))

    def test_expired_and_not_yet_valid(self):
        self.certificates.make_leaf('old', 'DNS:good.test', dates=PAST)
        self.reject_unsent(self.tls_origin('old'), 'CERT_EXPIRED')
        self.certificates.make_leaf('new', 'DNS:good.test', dates=FUTURE)
        self.reject_unsent(self.tls_origin('new'), 'CERT_NOT_YET_VALID')

    def test_names(self):
        """N29: subject alternative names only, wildcards as one whole left-most label."""
        rows = [
            ('DNS:good.test', 'good.test', True), ('DNS:good.test', 'GOOD.test', True),
            ('DNS:good.test', 'good.test.', True), ('DNS:good.test', 'bad.test', False),
            ('DNS:good.test', 'www.good.test', False), ('DNS:*.good.test', 'www.good.test', True),
            ('DNS:*.good.test', 'good.test', False),
            ('DNS:*.good.test', 'a.b.good.test', False),
            ('DNS:f*.good.test', 'foo.good.test', False),
            ('DNS:*.good.test', 'xn--a.good.test', True),
            ('DNS:www.*.test', 'www.good.test', False),
            ('IP:127.0.0.2', 'good.test', False), (None, 'good.test', False)]
        for i, (san, host, matches) in enumerate(rows):
            with self.subTest(san=san, host=host):
                leaf = 'name%d' % i
                self.certificates.make_leaf(leaf, san, common_name=host.lower())
                origin = self.tls_origin(leaf)
                if matches:
                    self.assert_fulfilled(self.get(origin, host=host))
                else:
                    self.reject_unsent(origin, 'CERT_NAME', host=host)

    def test_address_only_by_ip_san(self):
        for i, san in enumerate(('IP:127.0.0.2', 'DNS:127.0.0.1', None)):
            with self.subTest(san=san):
                self.certificates.make_leaf('ip%d' % i, san, common_name='127.0.0.1')
                origin = self.tls_origin('ip%d' % i)
                record = self.fetch(origin.url('/'), tls={'ca': self.ca})
                self.assert_rejected(record, 'CERT_NAME', sent='none')
                self.assertEqual(origin.requests, [])

    def test_insecure_verifies_nothing(self):
        self.certificates.make_leaf('worst', 'DNS:bad.test', issuer='stranger', dates=PAST)
        origin = self.tls_origin('worst')
        self.assert_fulfilled(self.fetch(origin.url('/text/ok'), tls={'insecure': True}), 'ok')

    def test_ca_that_is_none(self):
        for ca in ('', 'not PEM', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'):
            with self.subTest(ca=ca):
                origin = self.tls_origin()
                name = 'good.test:%d' % origin.port
                try:
                    record = self.fetch('https://%s/' % name, resolve={name: '127.0.0.1'},
                                        tls={'ca': ca})
                except Exception as error:
                    self.assertEqual(getattr(error, 'codes', None), ['GRAPH_VALUE'])
                else:
                    self.assert_rejected(record, 'CERT_UNTRUSTED', sent='none')

    def test_old_protocol_versions_are_refused(self):
        """N30"""
        context = self.certificates.server('good')
        context.set_ciphers('ALL:@SECLEVEL=0')
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        origin = self.origin(tls=context)
        self.reject_unsent(origin, 'TLS_HANDSHAKE')

    def test_both_protocol_versions_work(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                origin = self.tls_origin(minimum=version, maximum=version)
                record = self.get(origin, '/bytes/300000')
                self.assert_fulfilled(record, pattern(300000))

    def test_client_certificate_wanted(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                origin = self.tls_origin(client_ca='ca', minimum=version, maximum=version)
                self.assert_rejected(self.get(origin), 'CLIENT_CERT')
                self.assertEqual(origin.requests, [])


class HandshakeTest(TlsCase):
    """N28"""

    def test_plain_http_on_the_tls_port(self):
        origin = self.raw_origin('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
        plain = self.origin(lambda c: (c.receive(), c.send('HTTP/1.1 400 Bad Request\r\n\r\n'),
                                       c.wait_end()))
        began = time.monotonic()
        for port in (plain.port,):
            record = self.fetch('https://127.0.0.1:%d/' % port, tls={'insecure': True})
            self.assert_rejected(record, 'TLS_NOT_TLS', sent='none', retryable=False)
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(origin.requests, [])

    def test_tls_on_the_plain_port(self):
        origin = self.tls_origin()
        record = self.fetch('http://127.0.0.1:%d/' % origin.port)
        self.assert_rejected(record, ('HTTP_PARSE', 'EMPTY_REPLY', 'RECV_RESET'))

    def test_end_and_reset_in_the_handshake(self):
        hello = b'\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03' + b'r' * 20
        for answer in (b'', hello[:3], hello):
            for reset in (False, True):
                with self.subTest(answer=answer, reset=reset):
                    def script(connection, answer=answer, reset=reset):
                        connection.receive()
                        connection.send(answer)
                        if reset:
                            connection.reset()
                        else:
                            connection.fin()
                            connection.wait_end()

                    origin = self.origin(script)
                    self.reject_unsent(origin, ('TLS_HANDSHAKE', 'RECV_RESET') if reset
                                       else 'TLS_HANDSHAKE')

    def test_alert_and_garbage_in_the_handshake(self):
        alert = b'\x15\x03\x03\x00\x02\x02\x28'
        for answer in (alert, b'\x16\x03\x03\x00\x04\x02\x00\x00\x00',
                       b'\x17\x03\x03\x00\x10' + b'x' * 16):
            with self.subTest(answer=answer):
                def script(connection, answer=answer):
                    connection.receive()
                    connection.send(answer)
                    connection.wait_end()

                self.reject_unsent(self.origin(script), ('TLS_HANDSHAKE', 'TLS_NOT_TLS'))

    def test_handshake_in_one_byte_pieces(self):
        """By a relay that passes everything on slowly."""
        origin = self.tls_origin()

        def relay(connection):
            with socket.create_connection(('127.0.0.1', origin.port)) as upstream:
                def back():
                    try:
                        while data := upstream.recv(65536):
                            connection.drip(data, 1)
                    except (OSError, Ended):
                        pass

                thread = threading.Thread(target=back, daemon=True)
                thread.start()
                try:
                    while True:
                        data = connection.receive()
                        for i in range(0, len(data), 7):
                            upstream.sendall(data[i:i + 7])
                except Ended:
                    upstream.shutdown(socket.SHUT_RDWR)
                thread.join(10)

        self.assert_fulfilled(self.get(self.origin(relay)), 'ok')

    def test_handshake_faults_harm_nobody_else(self):
        origin = self.origin(lambda connection: connection.reset())
        with self.bystander():
            result = self.run_graph({'jobs': [
                {'url': 'https://127.0.0.1:%d/' % origin.port} for _ in range(40)]})
            self.assertEqual(result.summary['rejected'], 40)


class TransferTest(TlsCase):
    def test_close_without_close_notify_truncates_a_body_until_close(self):
        """N6"""
        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nperhaps all')
            connection.fin()
            connection.wait_end()

        record = self.get(self.tls_origin(script=script))
        self.assert_rejected(record, 'BODY_TRUNCATED', sent='full')

    def test_close_notify_ends_a_body_until_close(self):
        """N6"""
        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it')
            connection.close_notify()

        self.assert_fulfilled(self.get(self.tls_origin(script=script)), 'all of it')

    def test_complete_framing_needs_no_close_notify(self):
        """N6"""
        for reply in ('content-length: 2\r\n\r\nok',
                      'transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'):
            def script(connection, reply=reply):
                connection.read_request()
                connection.send('HTTP/1.1 200 OK\r\n' + reply)
                connection.fin()
                connection.wait_end()

            self.assert_fulfilled(self.get(self.tls_origin(script=script)), 'ok')

    def test_cut_body(self):
        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
            connection.fin()
            connection.wait_end()

        self.assert_rejected(self.get(self.tls_origin(script=script)), 'BODY_TRUNCATED')

    def test_garbage_among_the_records(self):
        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
            connection.sock = socket.socket(fileno=connection.sock.detach())
            connection.send(b'\x17\x03\x03' + struct.pack('!H', 64) + b'g' * 64)
            connection.wait_end()

        self.assert_rejected(self.get(self.tls_origin(script=script)), 'TLS_BROKEN', sent='full')

    def test_large_bodies_both_ways(self):
        origin = self.tls_origin()
        self.assert_fulfilled(self.get(origin, '/bytes/5000000'), pattern(5000000))
        self.assert_fulfilled(self.get(origin, '/chunked/50/40000'), pattern(40000) * 50)
        record = self.get(origin, '/upload', body='x' * 3000000)
        self.assertEqual(self.body(record), {'bytes': 3000000})
        self.assertEqual(len(origin.connections), 1)

    def test_many_at_once(self):
        origin = self.tls_origin()
        name = 'good.test:%d' % origin.port
        result = self.run_graph({
            'defaults': {'tls': {'ca': self.ca}, 'resolve': {name: '127.0.0.1'}},
            'concurrency': 20,
            'jobs': [{'url': 'https://%s/text/%d' % (name, i)} for i in range(200)]})
        self.assertEqual(result.summary['fulfilled'], 200)
        self.assertEqual(result['77']['body'], b'77')
        self.assertLessEqual(len(origin.connections), 20)


class SharingTest(TlsCase):
    def test_connection_is_reused_where_all_is_equal(self):
        origin = self.tls_origin()
        self.get(origin)
        record = self.get(origin)
        self.assertTrue(record['conn']['reused'])
        self.assertEqual(record['time']['tls'], 0)

    def test_no_connection_is_shared_between_policies(self):
        """N27"""
        origin = self.tls_origin()
        rows = [{}, {'insecure': True}, {'server_name': 'other.test'},
                {'ca': self.ca + self.certificates.pem('stranger')},
                {'insecure': True, 'server_name': 'other.test'}]
        for tls in rows + rows:
            self.assert_fulfilled(self.get(origin, tls=tls))
        self.assertEqual(len(origin.connections), len(rows))

    def test_insecure_connection_never_serves_a_verified_request(self):
        """N27"""
        self.certificates.make_leaf('trap', 'DNS:good.test', issuer='stranger')
        origin = self.tls_origin('trap')
        self.assert_fulfilled(self.get(origin, tls={'insecure': True}))
        self.assert_rejected(self.get(origin), 'CERT_UNTRUSTED', sent='none')

    def test_tls_and_plain_do_not_share(self):
        origin = self.tls_origin()
        self.assert_fulfilled(self.get(origin))
        record = self.fetch('http://good.test:%d/' % origin.port,
                            resolve={'good.test:%d' % origin.port: '127.0.0.1'})
        self.assertEqual(record['status'], 'rejected')


class PolicyTest(TlsCase):
    config = '[TLS]\nAllowInsecure=no\n'

    def test_insecure_can_be_forbidden(self):
        origin = self.tls_origin()
        self.reject_unsent(origin, 'POLICY_TLS', tls={'insecure': True})
        self.assertEqual(origin.connections, [])
        self.assert_fulfilled(self.get(origin))


class EnvironmentTest(TlsCase):
    """The process environment changes nothing."""

    @classmethod
    def setUpClass(cls):
        cls.env = {'SSL_CERT_FILE': '/tmp/settled-none', 'SSL_CERT_DIR': '/tmp/settled-none',
                   'OPENSSL_CONF': '/tmp/settled-none.cnf', 'http_proxy': 'http://127.0.0.1:1/',
                   'https_proxy': 'http://127.0.0.1:1/', 'ALL_PROXY': 'http://127.0.0.1:1/',
                   'SSLKEYLOGFILE': tempfile.gettempdir() + '/settled-key-log'}
        super().setUpClass()

    def test_environment_changes_nothing(self):
        origin = self.tls_origin()
        self.assert_fulfilled(self.get(origin), 'ok')
        self.assert_fulfilled(self.fetch(self.origin().url('/text/ok')), 'ok')
        with self.assertRaises(FileNotFoundError), open(self.env['SSLKEYLOGFILE'], 'rb'):
            pass


@unittest.skipUnless(PRIVATE, 'no namespaces here')
class SystemStoreTest(TlsCase):
    """The system's store, in a mount namespace where the test's authority is the only one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        resolver.bind_over('/etc/ssl/certs/ca-certificates.crt', cls.ca)

    def test_system_store_is_the_default(self):
        self.certificates.make_leaf('foreign2', 'DNS:good.test', issuer='stranger')
        for leaf, trusted in (('good', True), ('foreign2', False)):
            origin = self.tls_origin(leaf)
            name = 'good.test:%d' % origin.port
            record = self.fetch('https://%s/text/ok' % name, resolve={name: '127.0.0.1'})
            if trusted:
                self.assert_fulfilled(record, 'ok')
            else:
                self.assert_rejected(record, 'CERT_UNTRUSTED', sent='none')

    def test_own_ca_replaces_the_system_store(self):
        origin = self.tls_origin()
        name = 'good.test:%d' % origin.port
        record = self.fetch('https://%s/' % name, resolve={name: '127.0.0.1'},
                            tls={'ca': self.certificates.pem('stranger')})
        self.assert_rejected(record, 'CERT_UNTRUSTED', sent='none')
