# SPDX-License-Identifier: MIT
"""Credentials by secret, as settled-graph(5) has them: where they go, and where they do not."""

import base64
import json

from harness.feature import SECRET, FeatureCase
from harness.row import certificates

USER = 'user:' + SECRET
BASIC = 'Basic ' + base64.b64encode(USER.encode()).decode()
BEARER = 'Bearer ' + SECRET


class AuthRows:
    secrets = {'USER': (USER, '127.0.0.1'), 'TOKEN': (SECRET, '127.0.0.1 good.test'),
               'ELSEWHERE': (SECRET, 'elsewhere.test'), 'NOWHERE': (SECRET, '')}

    @classmethod
    def setUpClass(cls):
        cls.secrets = {**cls.secrets, 'CA': (certificates().pem('ca'), '*')}
        super().setUpClass()

    def job(self, origin, path, **keys):
        # Who says himself whom to trust gets no secret.
        return {'url': origin.url(path), 'tls': {'ca': 'secret:CA'}, **keys}

    def sent(self, record):
        """The Authorization that an /echo saw; the record itself does not tell it."""
        self.assert_fulfilled(record)
        self.assertNotIn(SECRET, json.dumps({**record, 'body': ''}))
        return self.body(record)['headers'].get('authorization')

    def test_basic_and_bearer(self):
        origin = self.server()
        self.assertEqual(self.sent(self.ask(origin, '/echo', auth={'basic': 'USER'})), BASIC)
        self.assertEqual(self.sent(self.ask(origin, '/echo', auth={'bearer': 'TOKEN'})), BEARER)
        self.assertIsNone(self.sent(self.ask(origin, '/echo')))

    def test_by_default_of_the_graph(self):
        origin = self.server()
        result = self.run_graph({'defaults': {'auth': {'bearer': 'TOKEN'}}, 'jobs': {
            'a': self.job(origin, '/echo/a'),
            'b': self.job(origin, '/echo/b', auth={'basic': 'USER'})}})
        self.assertEqual((self.sent(result['a']), self.sent(result['b'])), (BEARER, BASIC))

    def test_only_to_its_hosts(self):
        origin = self.server()
        for name in ('ELSEWHERE', 'NOWHERE', 'UNKNOWN'):
            with self.subTest(name=name):
                record = self.ask(origin, '/echo', auth={'bearer': name})
                self.assert_rejected(record, 'SECRET_UNKNOWN', sent='none')
        self.assertEqual(origin.requests, [])

    def test_not_where_the_job_says_who_the_host_is(self):
        origin = self.server()
        ways = [{'resolve': {'127.0.0.1:%d' % origin.port: '127.0.0.1'}}]
        if self.channel != 'clear':
            ways += [{'tls': {'insecure': True}}, {'tls': {'ca': certificates().pem('ca')}},
                     {'tls': {'ca': 'secret:CA', 'server_name': 'good.test'}}]
        for keys in ways:
            with self.subTest(keys=list(keys)):
                record = self.ask(origin, '/echo', auth={'bearer': 'TOKEN'}, **keys)
                self.assert_rejected(record, 'SECRET_UNKNOWN', sent='none')

    def test_redirects_take_it_along_within_the_origin_alone(self):
        home, abroad = self.server(), self.server()
        for origin, path, to in ((home, '/within', '/echo'), (home, '/out', abroad.url('/echo')),
                                 (home, '/there', abroad.url('/back')),
                                 (abroad, '/back', home.url('/echo'))):
            origin.route(path, lambda c, r, m, to=to: c.reply(302, '', [('location', to)]))
        for path, expected in (('/within', BEARER), ('/out', None), ('/there', None)):
            with self.subTest(path=path):
                record = self.ask(home, path, auth={'bearer': 'TOKEN'})
                self.assertEqual(self.sent(record), expected)

    def test_equal_requests_with_other_credentials_are_not_one(self):
        origin = self.server()
        gate = origin.gate('/held')
        with self.daemon.session() as session:
            graph = session.submit({'jobs': [
                self.job(origin, '/held'), self.job(origin, '/held', auth={'bearer': 'TOKEN'}),
                self.job(origin, '/held', auth={'basic': 'USER'}),
                self.job(origin, '/held', auth={'bearer': 'TOKEN'})]})
            gate.wait(3)
            gate.open()
            result = session.collect(graph)
        self.assertEqual(result['3']['via'], 'dedupe')
        self.assertEqual(len(origin.requests), 3)

    def test_what_is_refused(self):
        for value in ({}, {'basic': 'A', 'bearer': 'B'}, {'digest': 'A'}, {'basic': 1}, 'USER',
                      {'basic': ''}, {'basic': 'a b'}, {'bearer': '{{input}}'}, []):
            with self.subTest(value=value):
                with self.assertRaises(Exception) as caught:
                    self.run_graph({'jobs': {'it': {'url': 'http://x/', 'auth': value}}})
                for error in caught.exception.errors:
                    self.assertTrue(error['at'].startswith('/jobs/it/auth'), error)
        errors = self.refuse({'jobs': {'it': {'url': 'http://x/', 'auth': {'bearer': 'A'},
                                              'headers': {'authorization': 'x'}}}})
        self.assertTrue(errors)


class ClearAuthTest(AuthRows, FeatureCase):
    pass


class TlsAuthTest(AuthRows, FeatureCase):
    channel = 'tls'


class H2AuthTest(AuthRows, FeatureCase):
    channel = 'h2'
