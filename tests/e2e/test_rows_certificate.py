# SPDX-License-Identifier: MIT
"""Row N29: certificates that are refused before a byte of the request is sent, and those that are
not."""

import ssl

from harness.client import Refused
from harness.origin import serve
from harness.row import RowCase, certificates

PAST = ('20200101000000Z', '20200201000000Z')
FUTURE = ('20400101000000Z', '20410101000000Z')
FULFILLED = ''


def raw_name(name):
    """A subject alternative name, byte by byte, as openssl.cnf takes it."""
    entry = b'\x82' + bytes((len(name),)) + name
    return 'DER:' + (b'\x30' + bytes((len(entry),)) + entry).hex(':')


# Host, code, and what the certificate is made of.
NAMES = [
    ('good.test', FULFILLED, {'san': 'DNS:good.test'}),
    ('GOOD.Test', FULFILLED, {'san': 'DNS:good.TEST'}),
    ('good.test.', FULFILLED, {'san': 'DNS:good.test'}),
    ('www.good.test', FULFILLED, {'san': 'DNS:*.good.test'}),
    ('bad.test', 'CERT_NAME', {'san': 'DNS:good.test'}),
    ('www.good.test', 'CERT_NAME', {'san': 'DNS:good.test'}),
    ('good.test', 'CERT_NAME', {'san': 'DNS:*.test'}),
    ('good.test', 'CERT_NAME', {'san': 'DNS:*'}),
    ('good.test', 'CERT_NAME', {'san': 'DNS:*.good.test'}),
    ('x.y.good.test', 'CERT_NAME', {'san': 'DNS:*.good.test'}),
    ('foo.good.test', 'CERT_NAME', {'san': 'DNS:f*.good.test'}),
    ('foo.good.test', 'CERT_NAME', {'san': 'DNS:*o.good.test'}),
    ('www.good.test', 'CERT_NAME', {'san': 'DNS:www.*.test'}),
    ('www.a.good.test', 'CERT_NAME', {'san': 'DNS:*.*.good.test'}),
    ('xn--ab.good.test', 'CERT_NAME', {'san': 'DNS:xn--*.good.test'}),
    ('good.test', 'CERT_NAME', {'san': None}),
    ('good.test', 'CERT_NAME', {'san': 'IP:127.0.0.1'}),
    ('good.test', 'CERT_NAME', {'san': raw_name(b'good.test\0.evil.test')}),
    ('good.test', 'CERT_NAME', {'san': raw_name(b'good.test.evil.test')}),
    ('good.test', 'CERT_NAME', {'san': raw_name(b'.test')}),
    ('127.0.0.1', FULFILLED, {'san': 'IP:127.0.0.1'}),
    ('127.0.0.1', 'CERT_NAME', {'san': 'IP:127.0.0.2'}),
    ('127.0.0.1', 'CERT_NAME', {'san': 'DNS:127.0.0.1'}),
    ('127.0.0.1', 'CERT_NAME', {'san': 'DNS:*.0.0.1'}),
    ('127.0.0.1', 'CERT_NAME', {'san': None}),
]

GOOD = {'san': 'DNS:good.test'}
TRUST = [
    ('good.test', 'CERT_EXPIRED', {**GOOD, 'dates': PAST}),
    ('good.test', 'CERT_NOT_YET_VALID', {**GOOD, 'dates': FUTURE}),
    ('good.test', 'CERT_UNTRUSTED', {**GOOD, 'issuer': 'stranger'}),
    ('good.test', 'CERT_UNTRUSTED', {**GOOD, 'issuer': 'between'}),
    ('good.test', FULFILLED, {**GOOD, 'issuer': 'between', 'chain': ['between']}),
    ('good.test', 'CERT_UNTRUSTED', {**GOOD, 'issuer': 'stranger', 'chain': ['stranger', 'ca']}),
    # A leaf is no authority.
    ('good.test', 'CERT_UNTRUSTED', {**GOOD, 'issuer': 'good', 'chain': ['good']}),
    ('good.test', 'CERT_UNTRUSTED', {**GOOD, 'rsa_bits': 1024}),
    ('good.test', FULFILLED, {**GOOD, 'rsa_bits': 2048}),
    ('good.test', 'CERT_UNTRUSTED', {**GOOD, 'digest': 'sha1'}),
    # ECDSA and MD5 do not go together.
    ('good.test', FULFILLED, {**GOOD, 'issuer': 'rsa', 'chain': ['rsa']}),
    ('good.test', 'CERT_UNTRUSTED', {**GOOD, 'issuer': 'rsa', 'chain': ['rsa'],
                                     'digest': 'md5'}),
]


class CertificateTest(RowCase):
    is_tls = True

    def server(self, leaf):
        """Shows even what is too weak for its own library."""
        return certificates().server(leaf, ciphers='DEFAULT:@SECLEVEL=0')

    def run_certificates(self, kind, rows):
        """All in one graph, beside siblings, and then each origin once more, with a good one."""
        good = self.row_origin_of_routes()
        jobs = {'good%d' % i: self.job(good, path)
                for i, path in enumerate(('/text/good', '/chunked/9/9', '/delay/50'))}
        origins = []
        for i, (host, _, options) in enumerate(rows):
            leaf = '%s%d' % (kind, i)
            certificates().make_leaf(leaf, common_name=host.lower(), **options)
            origin = self.origin(serve, tls=self.server(leaf))
            origins.append(origin)
            jobs['row%d' % i] = self.named_job(origin, host)
            jobs['next%d' % i] = {**self.named_job(origin, host), 'after': ['row%d' % i]}
        result = self.run_graph({'jobs': jobs})
        for i in range(3):
            self.assert_fulfilled(result['good%d' % i])
        for i, ((host, code, options), origin) in enumerate(zip(rows, origins)):
            with self.subTest(host=host, code=code, options=str(options)):
                self.judge_certificate(result['row%d' % i], code, origin)
                self.assert_fulfilled(self.run_graph({'jobs': {'it': self.named_job(
                    origin, host, insecure=True)}})['it'], 'ok')

    def named_job(self, origin, host, **tls):
        name = '%s:%d' % (host.lower(), origin.port)
        return {'url': 'https://%s:%d/text/ok' % (host, origin.port),
                'resolve': {name: '127.0.0.1'}, 'tls': {'ca': self.ca, **tls}}

    def judge_certificate(self, record, code, origin):
        if code == FULFILLED:
            self.assert_fulfilled(record, 'ok')
            return
        self.assert_rejected(record, code, sent='none', retryable=False)
        self.assertEqual(origin.requests, [])

    def test_n29_names(self):
        self.run_certificates('name', NAMES)

    def test_n29_trust_and_strength(self):
        certificates().make_ca('rsa', 'Test RSA Authority', issuer='ca', rsa_bits=2048)
        self.run_certificates('trust', TRUST)

    def test_n29_self_signed(self):
        made = certificates()
        made.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
                     '-nodes', '-keyout', 'self.key', '-out', 'self.chain', '-days', '5',
                     '-subj', '/CN=good.test', '-addext', 'subjectAltName=DNS:good.test')
        origin = self.origin(tls=made.server('self'))
        record = self.run_graph({'jobs': {'it': self.named_job(origin, 'good.test')}})['it']
        self.judge_certificate(record, 'CERT_UNTRUSTED', origin)

    def test_n29_hosts_no_certificate_is_for(self):
        for host in ('good..test', 'good.test..', '.good.test', 'good\0.test'):
            with self.subTest(host=host), self.assertRaises(Refused) as caught:
                self.run_graph({'jobs': {'it': {'url': 'https://%s/' % host}}})
            self.assertEqual(caught.exception.codes, ['URL_INVALID'])
        for name in ('good..test', '.good.test', '', 'good.test\0', '*.good.test'):
            with self.subTest(server_name=name):
                origin = self.origin(tls=certificates().server('good'))
                try:
                    record = self.run_graph({'jobs': {'it': self.named_job(
                        origin, 'good.test', server_name=name)}})['it']
                except Refused as refused:
                    self.assertEqual(refused.codes, ['GRAPH_VALUE'])
                else:
                    self.judge_certificate(record, 'CERT_NAME', origin)

    def test_n29_both_versions_refuse_alike(self):
        certificates().make_leaf('other', 'DNS:bad.test')
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                origin = self.origin(tls=certificates().server('other', version, version))
                record = self.run_graph({'jobs': {'it': self.named_job(
                    origin, 'good.test')}})['it']
                self.judge_certificate(record, 'CERT_NAME', origin)
