# SPDX-License-Identifier: MIT
"""What a connection may be shared by: requests that differ in any one field of the pool key
(settled-graph(5), "Sharing") have a connection each, equal ones share it."""

import base64
import hashlib
import itertools
import os
import socket
import subprocess
import unittest

from harness import origin as http1
from harness.feature import FeatureCase
from harness.h2_origin import H2Origin
from harness.origin import Ended
from harness.proxy import Proxy
from harness.row import certificates


class AnyOrigin(H2Origin):
    """HTTP and HTTPS, HTTP/1 and HTTP/2, with and without client certificates, on one port."""

    def run(self, connection):
        if connection.sock.recv(1, socket.MSG_PEEK) == b'\x16':
            super().run(connection)
            return
        try:
            http1.serve(connection)
        except Ended:
            pass
        finally:
            connection.close()


class PoolKeyTest(FeatureCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = certificates()
        for name in ('client', 'client2'):
            if not os.path.exists(made.path(name + '.pem')):
                made.make_leaf(name, 'DNS:' + name)

    def any_origin(self):
        context = certificates().server('good', client_ca='ca')
        context.verify_mode = 1
        origin = AnyOrigin(context, protocols=['h2', 'http/1.1'])
        self.addCleanup(origin.close)
        return origin

    def request(self, origin, scheme='https', host='good.test', resolve=('127.0.0.1',), tls=(),
                **keys):
        """Of a job; what is not said is the same in all."""
        return {'url': '%s://%s:%d/text/x' % (scheme, host, origin.port),
                'resolve': {'%s:%d' % (name, origin.port): list(resolve)
                            for name in ('good.test', 'other.test')},
                'tls': {'ca': certificates().pem('ca'), **dict(tls)}, **keys}

    def reused(self, request, uid=None):
        """Whether its connection was."""
        if uid is not None:
            os.seteuid(uid)
        try:
            session = self.daemon.session()
        finally:
            if uid is not None:
                os.seteuid(0)
        with session:
            record = session.run({'jobs': {'it': request}})['it']
        self.assert_fulfilled(record, 'x')
        return record['conn']['reused']

    def compare(self, *ways):
        """Each pair of requests made by these arguments of request() has two connections, and each
        of the two is used again by its like. An idle one of the other is always there."""
        for one, two in itertools.combinations(ways, 2):
            with self.subTest(one=str(one)[:60], two=str(two)[:60]):
                origin = self.any_origin()
                seen = [self.reused(self.request(origin, **way)) for way in (one, two, one, two)]
                self.assertEqual(seen, [False, False, True, True])

    def test_the_same_is_shared(self):
        origin = self.any_origin()
        seen = [self.reused(self.request(origin)) for _ in range(4)]
        self.assertEqual(seen, [False, True, True, True])
        self.assertEqual(len(origin.connections), 1)

    def test_scheme(self):
        self.compare({'scheme': 'http'}, {'scheme': 'https'})

    def test_host(self):
        self.compare({'host': 'good.test'}, {'host': 'other.test'})

    def test_port(self):
        one, two = self.any_origin(), self.any_origin()
        self.assertEqual([self.reused(self.request(origin)) for origin in (one, two) * 2],
                         [False, False, True, True])

    def test_resolve(self):
        self.compare({'resolve': ['127.0.0.1']}, {'resolve': ['127.0.0.1', '127.0.0.2']},
                     {'resolve': ['127.0.0.1', '127.0.0.3']})

    def test_proxy(self):
        proxies = [Proxy(), Proxy()]
        for proxy in proxies:
            self.addCleanup(proxy.close)
        self.compare({}, {'proxy': proxies[0].url()}, {'proxy': proxies[1].url()},
                     {'proxy': proxies[0].url(credentials='a:b')},
                     {'proxy': proxies[0].url(credentials='a:c')})

    def test_insecure(self):
        self.compare({'tls': {'insecure': False}}, {'tls': {'insecure': True}})

    def test_ca(self):
        ca, stranger = certificates().pem('ca'), certificates().pem('stranger')
        self.compare({'tls': {'ca': ca}}, {'tls': {'ca': ca + stranger}},
                     {'tls': {'ca': stranger + ca}})

    def test_server_name(self):
        self.compare({'tls': {}}, {'tls': {'server_name': 'other.test'}},
                     {'tls': {'server_name': '127.0.0.1'}})

    def test_client_certificate(self):
        def identity(name):
            with open(certificates().path(name + '.key'), encoding='ascii') as file:
                return {'tls': {'cert': certificates().pem(name), 'key': file.read()}}
        self.compare({}, identity('client'), identity('client2'))

    def test_pin(self):
        made = certificates()
        der = subprocess.run(['openssl', 'pkey', '-pubout', '-outform', 'DER', '-in',
                              made.path('good.key')], check=True, capture_output=True).stdout
        pin = 'sha256//' + base64.b64encode(hashlib.sha256(der).digest()).decode()
        other = 'sha256//' + base64.b64encode(bytes(32)).decode()
        self.compare({}, {'tls': {'pin': pin}}, {'tls': {'pin': [pin, other]}})

    def test_http(self):
        self.compare({'http': 'auto'}, {'http': '1.1'}, {'http': '2'})

    @unittest.skipUnless(os.geteuid() == 0, 'needs root, to be somebody else')
    def test_user(self):
        os.chmod(os.path.dirname(self.daemon.path), 0o755)
        os.chmod(self.daemon.path, 0o666)
        for one, two in itertools.combinations((0, 65534, 65533), 2):
            origin = self.any_origin()
            seen = [self.reused(self.request(origin), uid) for uid in (one, two, one, two)]
            self.assertEqual(seen, [False, False, True, True])

    def test_what_is_no_part_of_it(self):
        """Method, headers, credentials, limits: all of them by one connection."""
        origin = self.any_origin()
        ways = [{}, {'method': 'POST', 'body': 'x'}, {'headers': {'authorization': 'x'}},
                {'timeout': '5s'}, {'attempt_timeout': '3s'}, {'max_body': '1m'},
                {'priority': 9}, {'query': {'a': 'b'}}]
        self.assertEqual([self.reused(self.request(origin, **way)) for way in ways],
                         [False] + [True] * (len(ways) - 1))
