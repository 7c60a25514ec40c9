# SPDX-License-Identifier: MIT
"""Against a real nginx: HTTP and TLS, keep-alive limits, large files, chunks, aborts."""

import shutil
import tempfile
import unittest

from harness import nginx
from harness.case import DaemonCase
from harness.certificates import Certificates
from harness.origin import pattern


@unittest.skipUnless(nginx.available(), 'no nginx')
class NginxTest(DaemonCase):
    tls = False
    keepalive_requests = 50

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = tempfile.mkdtemp(prefix='settled-nginx-tls-')
        certificate = None
        cls.job = {}
        if cls.tls:
            certificates = Certificates(cls.files)
            certificates.make_leaf('nginx', 'IP:127.0.0.1')
            certificate = certificates.path('nginx')
            cls.job = {'tls': {'ca': certificates.pem('ca')}}
        cls.nginx = nginx.Nginx(certificate, keepalive_requests=cls.keepalive_requests)
        cls.nginx.file('small.json', '{"a":[1,2]}')
        cls.nginx.file('page.txt', 'included: <!--# echo var="request_method" -->!')
        cls.nginx.big_file('big', 30 << 20)
        cls.nginx.big_file('middle', 1000000)

    @classmethod
    def tearDownClass(cls):
        cls.nginx.close()
        shutil.rmtree(cls.files, ignore_errors=True)
        super().tearDownClass()

    def setUp(self):
        # nginx keeps idle connections, so descriptors are compared at the daemon's end only.
        pass

    def get(self, path, **job):
        return self.fetch(self.nginx.url(path), **{**self.job, **job})

    def test_small_file(self):
        record = self.assert_fulfilled(self.get('/small.json'), '{"a":[1,2]}')
        self.assertEqual(record['value']['headers']['content-type'], 'application/json')

    def test_large_file_is_whole(self):
        record = self.get('/big', max_body='64m')
        self.assert_fulfilled(record)
        self.assertEqual(len(record['body']), 30 << 20)
        self.assertTrue(record['body'] == pattern(30 << 20))

    def test_large_file_discarded(self):
        record = self.assert_fulfilled(self.get('/big', output='discard'), '')
        self.assertEqual(record['value']['bytes'], 30 << 20)

    def test_chunked_answer(self):
        record = self.assert_fulfilled(self.get('/chunked/page.txt'), 'included: GET!')
        self.assertEqual(record['value']['headers'].get('transfer-encoding'), 'chunked')

    def test_thousand_requests_over_connections_that_end(self):
        """nginx closes each connection after 50 requests."""
        result = self.run_graph({'concurrency': 8, 'defaults': self.job, 'jobs': [
            {'url': self.nginx.url('/number'), 'dedupe': False} for _ in range(1000)]}, timeout=60)
        self.assertEqual(result.summary['fulfilled'], 1000, set(result.codes().values()))
        numbers = [self.body(record) for record in result.settled]
        self.assertEqual(len({(n['connection'], n['request']) for n in numbers}), 1000)
        self.assertLessEqual(max(n['request'] for n in numbers), self.keepalive_requests)
        self.assertLess(len({n['connection'] for n in numbers}), 60)

    def test_statuses(self):
        self.assert_rejected(self.get('/missing'), 'HTTP_STATUS')
        self.assertEqual(self.get('/gone', redirects=0)['value']['status'], 301)
        self.assert_rejected(self.get('/abort'), 'EMPTY_REPLY')

    def test_methods_and_bodies(self):
        echo = self.body(self.get('/echo?x=1', method='DELETE'))
        self.assertEqual((echo['method'], echo['uri']), ('DELETE', '/echo?x=1'))
        echo = self.body(self.get('/echo', body='x' * 500000))
        self.assertEqual((echo['method'], echo['size']), ('POST', 500000))
        self.assert_fulfilled(self.get('/small.json', method='HEAD'), '')

    def test_range_request(self):
        record = self.get('/middle', headers={'range': 'bytes=16-31'})
        self.assert_fulfilled(record, pattern(16, 16))
        self.assertEqual(record['value']['status'], 206)

    def test_conditional_request(self):
        etag = self.get('/small.json')['value']['headers']['etag']
        record = self.get('/small.json', headers={'if-none-match': etag}, ok='200-399')
        self.assertEqual(record['value']['status'], 304)
        self.assert_fulfilled(record, '')

    def test_slow_body_is_cancelled(self):
        record = self.get('/slow/middle', attempt_timeout='300ms')
        self.assert_rejected(record, 'ATTEMPT_TIMEOUT')

    def test_data_passes_through_a_graph(self):
        result = self.run_graph({'defaults': self.job, 'jobs': {
            'a': {'url': self.nginx.url('/small.json')},
            'b': {'url': self.nginx.url('/echo?v={{a#/a/1}}')}}})
        self.assertEqual(self.body(result['b'])['uri'], '/echo?v=2')


class NginxTlsTest(NginxTest):
    tls = True
