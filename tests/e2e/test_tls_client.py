# SPDX-License-Identifier: MIT
"""HTTPS: our own certificate, pins, sessions that are resumed (N31) and the system's store that
changes; and that nothing of it is shared where one member of it differs (N27)."""

import base64
import hashlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest

from harness import resolver
from harness.case import DaemonCase
from harness.certificates import Certificates
from harness.daemon import wait_until
from harness.origin import serve

# So that a test can have a system store of its own.
PRIVATE = resolver.enter()

SYSTEM_STORE = '/etc/ssl/certs/ca-certificates.crt'
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
NO_PIN = 'sha256//' + base64.b64encode(b'0' * 32).decode()


def serve_and_close(connection):
    """One request a connection, and a proper end."""
    connection.read_request()
    connection.resumed = connection.sock.session_reused
    connection.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok')
    connection.close_notify()


class TlsCase(DaemonCase):
    @classmethod
    def setUpClass(cls):
        cls.certificate_directory = tempfile.mkdtemp(prefix='settled-tls-')
        cls.certificates = Certificates(cls.certificate_directory)
        for leaf in ('good', 'renewed'):
            cls.certificates.make_leaf(leaf, 'DNS:good.test,DNS:other.test,IP:127.0.0.1')
        cls.certificates.make_leaf('client', 'DNS:client', common_name='the client')
        cls.certificates.make_leaf('client2', 'DNS:client2', common_name='client two')
        cls.certificates.make_leaf('foreign', 'DNS:foreign', issuer='stranger',
                                   common_name='the foreigner')
        cls.ca = cls.certificates.pem('ca')
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.certificate_directory, ignore_errors=True)
        super().tearDownClass()

    def key(self, name):
        with open(self.certificates.path(name + '.key'), encoding='ascii') as file:
            return file.read()

    def identity(self, name):
        return {'cert': self.certificates.pem(name), 'key': self.key(name)}

    def pin(self, name):
        """As anybody would make it."""
        der = subprocess.run(
            'openssl x509 -in %s -pubkey -noout | openssl pkey -pubin -outform der'
            % self.certificates.path(name + '.pem'), shell=True, check=True,
            capture_output=True).stdout
        return 'sha256//' + base64.b64encode(hashlib.sha256(der).digest()).decode()

    def tls_origin(self, name='good', script=serve, **context):
        return self.origin(script, tls=self.certificates.server(name, **context))

    def get(self, origin, path='/text/ok', tls=None, **job):
        return self.fetch(origin.url(path), tls={'ca': self.ca, **(tls or {})}, **job)

    def connections(self):
        return self.daemon.status()['connections']


class ClientCertificateTest(TlsCase):
    def test_certificate_is_shown_to_who_asks(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                origin = self.tls_origin(client_ca='ca', minimum=version, maximum=version)
                seen = []

                def whoami(connection, request, match, seen=seen):
                    seen.append(connection.sock.getpeercert()['subject'])
                    connection.reply(200, 'ok')

                origin.route('/whoami', whoami)
                self.assert_fulfilled(self.get(origin, '/whoami', self.identity('client')), 'ok')
                self.assertEqual(seen, [((('commonName', 'the client'),),)])

    def test_certificate_nobody_asks_for_does_no_harm(self):
        origin = self.tls_origin()
        self.assert_fulfilled(self.get(origin, tls=self.identity('client')), 'ok')

    def test_refused_certificate_says_what_was_wanted_and_what_came(self):
        for version in VERSIONS:
            for identity, parts in ((None, ('wants a certificate', 'got none')),
                                    ('foreign', ('wants a certificate', 'the foreigner',
                                                 'Unknown Authority', 'unknown_ca'))):
                with self.subTest(version=version, identity=identity):
                    origin = self.tls_origin(client_ca='ca', minimum=version, maximum=version)
                    record = self.get(origin, tls=self.identity(identity) if identity else {})
                    self.assert_rejected(record, 'CLIENT_CERT', retryable=False)
                    for part in parts:
                        self.assertIn(part, record['reason']['message'])
                    self.assertEqual(origin.requests, [])

    def test_certificate_that_cannot_be_used_sends_nothing(self):
        client, key = self.certificates.pem('client'), self.key('client')
        locked = subprocess.run(
            ['openssl', 'ec', '-in', self.certificates.path('client.key'), '-aes128', '-passout',
             'pass:hush'], check=True, capture_output=True, text=True).stdout
        broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
        rows = [(client, self.key('client2'), 'key of another'), (client, locked, 'passphrase'),
                (broken, key, 'cert is not'), (client + broken, key, 'chain'),
                (client, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
                 'key is not')]
        for cert, private_key, part in rows:
            for insecure in (False, True):
                with self.subTest(part=part, insecure=insecure):
                    origin = self.tls_origin(script=lambda connection: connection.wait_end())
                    record = self.get(origin, tls={'cert': cert, 'key': private_key,
                                                   'insecure': insecure})
                    self.assert_rejected(record, 'CLIENT_CERT', sent='none')
                    self.assertIn(part, record['reason']['message'])
                    self.assertEqual([c.received for c in origin.connections
                                      if c.received], [])

    def test_documents_that_are_refused(self):
        key = self.key('client')
        rows = [({'cert': self.ca}, 'GRAPH_KEY', ''), ({'key': key}, 'GRAPH_KEY', ''),
                ({'cert': 'x', 'key': key}, 'GRAPH_VALUE', '/cert'),
                ({'cert': self.ca, 'key': 'x'}, 'GRAPH_VALUE', '/key'),
                ({'pin': 'x'}, 'GRAPH_VALUE', '/pin'), ({'pin': []}, 'GRAPH_VALUE', '/pin'),
                ({'pin': [NO_PIN, NO_PIN[:-1]]}, 'GRAPH_VALUE', '/pin/1'),
                ({'ca': 'secret:a b'}, 'GRAPH_VALUE', '/ca')]
        for tls, code, at in rows:
            with self.subTest(tls=tls):
                self.refuse({'jobs': {'a': {'url': 'https://h/', 'tls': tls}}},
                            (code, '/jobs/a/tls' + at))


class PinTest(TlsCase):
    def test_pin_holds_besides_the_chain_and_without_it(self):
        right, wrong = self.pin('good'), self.pin('renewed')
        rows = [(right, True), ([wrong, right], True), (wrong, False), ([wrong, NO_PIN], False),
                (self.pin('ca'), False)]
        for version in VERSIONS:
            for pin, holds in rows:
                for insecure in (False, True):
                    with self.subTest(version=version, pin=pin, insecure=insecure):
                        origin = self.tls_origin(minimum=version, maximum=version)
                        record = self.get(origin, tls={'pin': pin, 'insecure': insecure})
                        if holds:
                            self.assert_fulfilled(record, 'ok')
                            continue
                        self.assert_rejected(record, 'CERT_PIN', sent='none', retryable=False)
                        self.assertIn('got ' + right, record['reason']['message'])
                        self.assertEqual(origin.requests, [])

    def test_wrong_pin_shows_no_certificate_of_ours(self):
        seen = []

        def script(connection):
            seen.append(connection.sock.getpeercert())

        origin = self.tls_origin(script=script, client_ca='ca')
        record = self.get(origin, tls={'pin': NO_PIN, **self.identity('client')})
        self.assert_rejected(record, 'CERT_PIN')
        self.assertEqual(seen, [])

    def test_right_pin_makes_up_for_no_wrong_chain(self):
        origin = self.tls_origin()
        record = self.get(origin, tls={'pin': self.pin('good'),
                                       'ca': self.certificates.pem('stranger')})
        self.assert_rejected(record, 'CERT_UNTRUSTED')


class ResumptionTest(TlsCase):
    """N31"""

    def resumed(self, origin):
        return [connection.resumed for connection in origin.connections
                if hasattr(connection, 'resumed')]

    def test_session_is_resumed(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                before = self.connections()
                origin = self.tls_origin(script=serve_and_close, minimum=version,
                                         maximum=version)
                for _ in range(5):
                    self.assert_fulfilled(self.get(origin), 'ok')
                self.assertEqual(self.resumed(origin), [False] + [True] * 4)
                after = self.connections()
                self.assertEqual(after['tls_full'] - before['tls_full'], 1)
                self.assertEqual(after['tls_resumed'] - before['tls_resumed'], 4)
                self.assertGreater(after['tls_sessions'], 0)

    def test_tickets_of_many_connections_at_once_are_bounded(self):
        """Fifty at once: all are served, and no more is kept of them than a few."""
        origin = self.tls_origin(script=serve_and_close, minimum=VERSIONS[1])
        before = self.connections()['tls_sessions']
        for _ in range(2):
            result = self.run_graph({
                'defaults': {'tls': {'ca': self.ca}}, 'concurrency': 50,
                'jobs': [{'url': origin.url('/%d' % i)} for i in range(50)]})
            self.assertEqual(result.summary['fulfilled'], 50)
        self.assertEqual(len(origin.connections), 100)
        self.assertIn(True, self.resumed(origin))
        self.assertLessEqual(self.connections()['tls_sessions'] - before, 4)

    def test_nothing_is_resumed_for_another_configuration(self):
        """N27: each row differs from the first in one member."""
        origin = self.tls_origin(script=serve_and_close)
        address = '127.0.0.1:%d' % origin.port
        named = 'https://good.test:%d/text/ok' % origin.port
        override = {'good.test:%d' % origin.port: '127.0.0.1'}
        rows = [
            ('https://%s/text/ok' % address, {}, {}),
            ('https://%s/text/ok' % address, {'insecure': True}, {}),
            ('https://%s/text/ok' % address, {'ca': self.ca + self.certificates.pem('stranger')},
             {}),
            ('https://%s/text/ok' % address, {'server_name': 'good.test'}, {}),
            ('https://%s/text/ok' % address, {'pin': self.pin('good')}, {}),
            ('https://%s/text/ok' % address, {'pin': [self.pin('good'), NO_PIN]}, {}),
            ('https://%s/text/ok' % address, self.identity('client'), {}),
            ('https://%s/text/ok' % address, self.identity('client2'), {}),
            ('https://%s/text/ok' % address, {}, {'http': '1.1'}),
            (named, {}, {'resolve': override}),
            (named, {}, {'resolve': {'good.test:%d' % origin.port: ['127.0.0.1', '127.0.0.9']}}),
        ]
        for i in range(2):
            for url, tls, job in rows:
                record = self.fetch(url, tls={'ca': self.ca, **tls}, **job)
                self.assert_fulfilled(record, 'ok')
            self.assertEqual(self.resumed(origin), [False] * len(rows) + [True] * len(rows) * i)

    def test_no_connection_is_shared_between_configurations(self):
        """N27: the same, over connections that are kept."""
        origin = self.tls_origin()
        rows = [({}, {}), (self.identity('client'), {}), (self.identity('client2'), {}),
                ({**self.identity('client'), 'pin': self.pin('good')}, {}),
                ({'pin': self.pin('good')}, {}), ({'pin': [NO_PIN, self.pin('good')]}, {}),
                ({}, {'http': '1.1'})]
        for tls, job in rows + rows[::-1]:
            self.assert_fulfilled(self.get(origin, tls=tls, **job))
        self.assertEqual(len(origin.connections), len(rows))
        # In another order the same pins are the same.
        record = self.get(origin, tls={'pin': [self.pin('good'), NO_PIN]})
        self.assertTrue(record['conn']['reused'])

    def test_session_of_a_client_certificate_is_its_own(self):
        """CVE-2016-5419: who shows none resumes nothing of who did."""
        for version in VERSIONS:
            with self.subTest(version=version):
                origin = self.tls_origin(script=serve_and_close, client_ca='ca', minimum=version,
                                         maximum=version)
                for _ in range(2):
                    self.assert_fulfilled(self.get(origin, tls=self.identity('client')), 'ok')
                self.assert_rejected(self.get(origin), 'CLIENT_CERT')
                self.assert_rejected(self.get(origin, tls=self.identity('foreign')),
                                     'CLIENT_CERT')

    def test_insecure_session_serves_no_verified_request(self):
        origin = self.tls_origin('foreign', script=serve_and_close)
        for _ in range(2):
            self.assert_fulfilled(self.get(origin, tls={'insecure': True}), 'ok')
        self.assert_rejected(self.get(origin), 'CERT_UNTRUSTED', sent='none')

    def test_server_that_forgets_its_tickets_is_verified_again(self):
        context = self.certificates.server('good')
        origin = self.origin(serve_and_close, tls=context)
        for _ in range(2):
            self.assert_fulfilled(self.get(origin), 'ok')
        # The same address, with other ticket keys and another key.
        origin.tls = self.certificates.server('renewed')
        self.assert_fulfilled(self.get(origin), 'ok')
        origin.tls = self.certificates.server('foreign')
        self.assert_rejected(self.get(origin), 'CERT_UNTRUSTED', sent='none')
        self.assertEqual(self.resumed(origin), [False, True, False])

    def test_end_in_a_resumed_handshake_forgets_the_tickets(self):
        origin = self.tls_origin(script=serve_and_close)
        url = origin.url('/')
        self.assert_fulfilled(self.fetch(url, tls={'ca': self.ca}), 'ok')
        context, origin.tls = origin.tls, None
        origin.script = lambda connection: connection.receive()
        self.assert_rejected(self.fetch(url, tls={'ca': self.ca}), 'TLS_HANDSHAKE', sent='none')
        origin.script, origin.tls = serve_and_close, context
        self.assert_fulfilled(self.fetch(url, tls={'ca': self.ca}), 'ok')
        self.assertEqual(self.resumed(origin), [False, False])


class SecretTest(TlsCase):
    @classmethod
    def setUpClass(cls):
        cls.secrets = tempfile.mkdtemp(prefix='settled-secrets-')
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.secrets, ignore_errors=True)

    def put(self, name, text):
        path = os.path.join(self.secrets, name)
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        os.chmod(path, 0o600)

    def configure(self, identity='client', hosts='127.0.0.1', users=None):
        """The secrets CA, CERT and KEY, by a reload."""
        self.put('ca', self.ca)
        self.put('cert', self.certificates.pem(identity))
        self.put('key', self.key(identity))
        lines = ['[Secrets]']
        for name in ('CA', 'CERT', 'KEY'):
            lines.append('%s=file:%s/%s' % (name, self.secrets, name.lower()))
            lines.append('%s.Hosts=%s' % (name, hosts))
            if users is not None:
                lines.append('%s.Users=%s' % (name, users))
        self.daemon.write_config('\n'.join(lines) + '\n')
        # The daemon would wait for who does not read what it is told.
        self.daemon.notify.drain()
        before = self.daemon.log().count('reload: done')
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.log().count('reload: done') > before, what='a reload')

    def whoami(self):
        """An origin that wants a certificate and says whose it was; and its answers."""
        def script(connection):
            connection.read_request()
            subject = connection.sock.getpeercert()['subject']
            connection.resumed = connection.sock.session_reused
            connection.reply(200, dict(pair[0] for pair in subject)['commonName'],
                             [('connection', 'close')])
            connection.close_notify()

        return self.tls_origin(script=script, client_ca='ca')

    secret = {'ca': 'secret:CA', 'cert': 'secret:CERT', 'key': 'secret:KEY'}

    def test_secrets_stand_for_pem_and_are_shown_to_nobody(self):
        self.configure()
        origin = self.whoami()
        record = self.fetch(origin.url('/'), tls=self.secret)
        self.assert_fulfilled(record, 'the client')
        self.assertNotIn('PRIVATE', json.dumps(record, default=repr) + self.daemon.log())

    def test_reload_takes_the_new_certificate_at_once(self):
        self.configure()
        origin = self.whoami()
        for _ in range(2):
            self.assert_fulfilled(self.fetch(origin.url('/'), tls=self.secret), 'the client')
        self.configure('client2')
        self.assertEqual(self.connections()['tls_sessions'], 0)
        self.assert_fulfilled(self.fetch(origin.url('/'), tls=self.secret), 'client two')
        self.assertEqual([c.resumed for c in origin.connections], [False, True, False])

    def test_reload_that_takes_the_grant_away(self):
        self.configure()
        origin = self.whoami()
        self.assert_fulfilled(self.fetch(origin.url('/'), tls=self.secret))
        self.configure(users=os.getuid() + 1)
        self.assert_rejected(self.fetch(origin.url('/'), tls=self.secret), 'SECRET_UNKNOWN',
                             sent='none')
        self.configure(hosts='good.test')
        self.assert_rejected(self.fetch(origin.url('/'), tls=self.secret), 'SECRET_UNKNOWN',
                             sent='none')
        self.assertEqual(len(origin.connections), 1)

    def test_key_is_not_for_a_job_that_vouches_for_itself(self):
        self.configure(hosts='*')
        origin = self.whoami()
        identity = {'cert': 'secret:CERT', 'key': 'secret:KEY'}
        name = 'good.test:%d' % origin.port
        rows = [(origin.url('/'), {**identity, 'insecure': True}, {}),
                (origin.url('/'), {**identity, 'ca': self.ca}, {}),
                (origin.url('/'), {**self.secret, 'server_name': 'good.test'}, {}),
                ('https://%s/' % name, self.secret, {'resolve': {name: '127.0.0.1'}})]
        for url, tls, job in rows:
            with self.subTest(tls=tls, job=job):
                self.assert_rejected(self.fetch(url, tls=tls, **job), 'SECRET_UNKNOWN',
                                     sent='none')
        self.assertEqual(origin.connections, [])
        self.assert_fulfilled(self.fetch(origin.url('/'), tls={
            **self.identity('client'), 'ca': 'secret:CA'}))

    def test_secret_there_is_none_of(self):
        for member in ('ca', 'cert', 'key'):
            tls = {**self.secret, member: 'secret:NONE'}
            record = self.fetch('https://127.0.0.1:1/', tls=tls)
            self.assert_rejected(record, 'SECRET_UNKNOWN', sent='none')


@unittest.skipUnless(PRIVATE, 'no namespaces here')
class SystemStoreTest(TlsCase):
    """The system's store, in a mount namespace of the test's own."""

    @classmethod
    def setUpClass(cls):
        before = os.stat(SYSTEM_STORE)
        resolver.bind_over(SYSTEM_STORE, '')
        # Never the machine's own.
        assert os.stat(SYSTEM_STORE).st_ino != before.st_ino or \
            os.stat(SYSTEM_STORE).st_dev != before.st_dev
        super().setUpClass()

    def store(self, text):
        with open(SYSTEM_STORE, 'w', encoding='ascii') as file:
            file.write(text)

    def wait_for(self, origin, status):
        """The store is looked at once a second at most."""
        record = None

        def is_so():
            nonlocal record
            record = self.fetch(origin.url('/text/ok'))
            return record['status'] == status

        wait_until(is_so, what='a look at the system store')
        return record

    def test_store_that_changes_is_read_again(self):
        origin = self.tls_origin(script=serve_and_close)
        record = self.wait_for(origin, 'rejected')
        self.assertIn('ca-certificates', record['reason']['message'])
        self.store(self.ca)
        self.wait_for(origin, 'fulfilled')
        self.store(self.certificates.pem('stranger'))
        record = self.wait_for(origin, 'rejected')
        self.assert_rejected(record, 'CERT_UNTRUSTED', sent='none')
        self.assertIn('Test Authority', record['reason']['message'])
        self.assertEqual(self.connections()['tls_sessions'], 0)
        self.store(self.certificates.pem('stranger') + self.ca)
        self.wait_for(origin, 'fulfilled')
