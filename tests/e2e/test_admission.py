# SPDX-License-Identifier: MIT
"""Admission (CONTRACT 2.8): a document is checked whole; one error refuses all of it, each error
stands at its JSON pointer, and nothing is sent."""

import json

from harness.case import DaemonCase
from harness.client import Refused
from harness.origin import Origin

OK = {'url': 'http://127.0.0.1:1/'}


class AdmissionCase(DaemonCase):
    def refuse_text(self, text, *expected):
        """As refuse(), for a document that json.dumps() would not write."""
        with self.daemon.session() as session:
            session.send_raw('{"id":1,"submit":%s}\n' % text)
            with self.assertRaises(Refused) as caught:
                session.collect(1)
        self.assert_refused(caught.exception.errors, *expected)
        return caught.exception.errors

    def refuse_each(self, cases):
        """Rows: (graph, code, pointer)."""
        for graph, code, at in cases:
            with self.subTest(graph=json.dumps(graph)[:200]):
                self.refuse(graph, (code, at))


class KeyTest(AdmissionCase):
    def test_unknown_keys_are_refused_with_the_nearest_known_one(self):
        errors = self.refuse({'jobs': {'a': {**OK, 'metod': 'GET'}}},
                             ('GRAPH_KEY', '/jobs/a/metod'))
        self.assertIn('method', errors[0]['message'])
        errors = self.refuse({'job': {}, 'jobs': {}}, ('GRAPH_KEY', '/job'))
        self.assertIn('jobs', errors[0]['message'])
        errors = self.refuse({'jobs': {'a': {**OK, 'timeouts': {'conect': 1}}}},
                             ('GRAPH_KEY', '/jobs/a/timeouts/conect'))
        self.assertIn('connect', errors[0]['message'])
        self.refuse({'jobs': {'a': {**OK, 'tls': {'verify': True}}}},
                    ('GRAPH_KEY', '/jobs/a/tls/verify'))
        self.refuse({'defaults': {'hedders': {}}, 'jobs': {}}, ('GRAPH_KEY', '/defaults/hedders'))

    def test_proxies_of_later_versions_are_refused_in_those_words(self):
        for proxy in ('https://127.0.0.1:1', 'socks5://127.0.0.1:1', 'socks4a://127.0.0.1'):
            with self.subTest(proxy=proxy):
                errors = self.refuse({'jobs': {'a': {**OK, 'proxy': proxy}}},
                                     ('GRAPH_VALUE', '/jobs/a/proxy'))
                self.assertIn('not supported by this version', errors[0]['message'])

    def test_values_of_the_request_are_checked_at_their_place(self):
        rows = [({'http': '2'}, 'GRAPH_VALUE', '/http'),
                ({'redirects': 101}, 'GRAPH_VALUE', '/redirects'),
                ({'decode': 1}, 'GRAPH_TYPE', '/decode'),
                ({'output': 'file'}, 'GRAPH_KEY', ''),
                ({'output': 'file', 'fd': 0}, 'GRAPH_VALUE', '/fd'),
                ({'body_fd': 0}, 'GRAPH_VALUE', '/body_fd'),
                ({'auth': {}}, 'GRAPH_KEY', '/auth'),
                ({'auth': {'basic': 'u:p'}}, 'GRAPH_VALUE', '/auth/basic'),
                ({'auth': {'basic': 'u'}, 'headers': {'authorization': 'x'}}, 'GRAPH_KEY',
                 '/auth'),
                ({'proxy': '127.0.0.1:1'}, 'GRAPH_VALUE', '/proxy')]
        self.refuse_each([({'jobs': {'a': {**OK, **keys}}}, code, '/jobs/a' + at)
                          for keys, code, at in rows])

    def test_body_that_is_not_kept_may_not_be_referred_to(self):
        for output in ('discard', 'stream'):
            self.refuse({'jobs': {'a': {**OK, 'output': output}, 'b': {**OK, 'body': '{{a}}'}}},
                        ('GRAPH_VALUE', '/jobs/b/body'))

    def test_tls_values_are_checked(self):
        for name in ('cert', 'key', 'pin'):
            errors = self.refuse({'jobs': {'a': {**OK, 'tls': {name: 'x'}}}})
            self.assertEqual(errors[0]['at'], '/jobs/a/tls/' + name)

    def test_missing_and_doubled_keys(self):
        self.refuse_each([
            ({}, 'GRAPH_KEY', ''),
            ({'jobs': {'a': {}}}, 'GRAPH_KEY', '/jobs/a'),
            ({'jobs': {'a': {'method': 'GET'}}}, 'GRAPH_KEY', '/jobs/a'),
            ({'jobs': {'a': {**OK, 'body': '', 'json': 1}}}, 'GRAPH_KEY', '/jobs/a/json'),
            ({'defaults': {'url': 'http://x/'}, 'jobs': {}}, 'GRAPH_KEY', '/defaults/url'),
            ({'defaults': {'after': []}, 'jobs': {}}, 'GRAPH_KEY', '/defaults/after'),
            ({'jobs': {'a': {**OK, 'id': 'b'}}}, 'GRAPH_KEY', '/jobs/a/id'),
        ])

    def test_duplicate_keys_are_refused(self):
        """L8"""
        for text in ('{"jobs":{},"jobs":{}}',
                     '{"jobs":{"a":{"url":"http://x/","url":"http://y/"}}}'):
            with self.subTest(text=text):
                errors = self.refuse_text(text)
                self.assertIn(errors[0]['code'], ('GRAPH_KEY', 'GRAPH_DUPLICATE_ID'))

    def test_version_is_one(self):
        self.assertEqual(self.run_graph({'version': 1, 'jobs': {}}).summary['jobs'], 0)
        self.refuse({'version': 2, 'jobs': {}}, ('GRAPH_VALUE', '/version'))
        self.refuse({'version': '1', 'jobs': {}}, ('GRAPH_TYPE', '/version'))


class TypeTest(AdmissionCase):
    def test_types_are_checked_at_their_place(self):
        graph_rows = [('name', 1), ('mode', 1), ('concurrency', {}), ('timeout', []),
                      ('defaults', []), ('jobs', 'x')]
        for key, value in graph_rows:
            with self.subTest(key=key):
                self.refuse({'jobs': {}, key: value}, ('GRAPH_TYPE', '/' + key))
        job_rows = [('url', 1), ('method', 1), ('headers', []), ('query', 'a'), ('form', 1),
                    ('body', {}), ('body_base64', 1), ('after', 'x'), ('needs', 1),
                    ('ok', {}), ('optional', 'yes'), ('timeout', True), ('attempt_timeout', []),
                    ('queue_timeout', {}), ('timeouts', 5), ('max_body', []), ('output', 1),
                    ('omit', 0), ('http', 1.1), ('tls', True), ('resolve', []),
                    ('headers/x', {}), ('query/x', None), ('after/0', 1),
                    ('timeouts/connect', []), ('tls/insecure', 'no'), ('tls/ca', 1)]
        for place, value in job_rows:
            key, _, inner = place.partition('/')
            if inner:
                value = [value] if inner == '0' else {inner: value}
            with self.subTest(place=place):
                self.refuse({'jobs': {'a': {**OK, key: value}}}, ('GRAPH_TYPE', '/jobs/a/' + place))
        self.refuse({'jobs': {'a': 'http://x/'}}, ('GRAPH_TYPE', '/jobs/a'))
        self.refuse({'jobs': [OK, 5]}, ('GRAPH_TYPE', '/jobs/1'))

    def test_document_that_is_no_object(self):
        for graph in ([], 'x', 1, None):
            with self.subTest(graph=graph):
                self.refuse(graph, ('GRAPH_TYPE', ''))

    def test_values_are_checked_at_their_place(self):
        self.refuse_each([
            ({'mode': 'most', 'jobs': {}}, 'GRAPH_VALUE', '/mode'),
            ({'concurrency': 0, 'jobs': {}}, 'GRAPH_VALUE', '/concurrency'),
            ({'concurrency': -1, 'jobs': {}}, 'GRAPH_VALUE', '/concurrency'),
            ({'concurrency': 1.5, 'jobs': {}}, 'GRAPH_VALUE', '/concurrency'),
            ({'concurrency': 'lots', 'jobs': {}}, 'GRAPH_VALUE', '/concurrency'),
        ] + [({'jobs': {'a': {**OK, key: value}}}, 'GRAPH_VALUE', '/jobs/a/' + key)
             for key, value in (
                 ('timeout', '5'), ('timeout', '5 s'), ('timeout', '5d'), ('timeout', -1),
                 ('timeout', '-1s'), ('timeout', ''), ('max_body', '5x'), ('max_body', -5),
                 ('max_body', '1t'), ('needs', 'all'), ('output', 'null'), ('http', '3'),
                 ('ok', 'abc'), ('ok', '300-200'), ('ok', 99), ('ok', '200-'), ('ok', ''),
                 ('ok', 1000), ('method', 'GE T'), ('method', ''), ('method', 'CONNECT'),
                 ('body_base64', '!!'), ('body_base64', 'YQ'))])

    def test_durations_and_sizes_in_all_their_forms(self):
        for value in (2, 0.25, '250ms', '2s', '1m', '1h', '0.5s'):
            with self.subTest(value=value):
                self.run_graph({'timeout': value, 'jobs': {}})
        for value in (5, '64k', '16m', '1g'):
            self.fetch('http://127.0.0.1:1/', max_body=value)
        self.run_graph({'concurrency': 'unbounded', 'jobs': {}})


class IdTest(AdmissionCase):
    def test_ids_are_of_the_alphabet_and_not_reserved(self):
        for name in ('', 'a b', 'a.b', 'ä', 'a' * 65, 'a[0]', 'a#', '{{a}}',
                     'input', 'item', 'index', 'secret'):
            with self.subTest(name=name):
                pointer = '/jobs/' + name.replace('~', '~0').replace('/', '~1')
                self.refuse({'jobs': {name: OK}}, ('GRAPH_VALUE', pointer))
        self.refuse({'jobs': [{**OK, 'id': 'a b'}]}, ('GRAPH_VALUE', '/jobs/0/id'))
        self.assertEqual(self.run_graph({'jobs': {'a' * 64: OK, 'A-_9': OK}}).jobs, 2)

    def test_duplicate_ids(self):
        self.refuse({'jobs': [{**OK, 'id': 'a'}, {**OK, 'id': 'a'}]},
                    ('GRAPH_DUPLICATE_ID', '/jobs/1/id'))
        # An id may take another's position.
        self.refuse({'jobs': [OK, {**OK, 'id': '0'}]}, ('GRAPH_DUPLICATE_ID', '/jobs/1/id'))
        self.refuse_text('{"jobs":{"a":{"url":"http://x/"},"a":{"url":"http://x/"}}}',
                         ('GRAPH_DUPLICATE_ID', '/jobs/a'))

    def test_unknown_jobs(self):
        self.refuse_each([
            ({'jobs': {'a': {**OK, 'after': ['b']}}}, 'GRAPH_UNKNOWN_JOB', '/jobs/a/after/0'),
            ({'jobs': {'a': {'url': 'http://x/{{b}}'}}}, 'GRAPH_UNKNOWN_JOB', '/jobs/a/url'),
            ({'jobs': {'a': {**OK, 'json': {'x': ['{{b.status}}']}}}}, 'GRAPH_UNKNOWN_JOB',
             '/jobs/a/json/x/0'),
            ({'jobs': {'a': OK}, 'return': {'x': '{{b}}'}}, 'GRAPH_UNKNOWN_JOB', '/return/x'),
            ({'jobs': [{**OK, 'after': ['5']}]}, 'GRAPH_UNKNOWN_JOB', '/jobs/0/after/0'),
        ])

    def test_cycles_show_their_path(self):
        """L9"""
        errors = self.refuse({'jobs': {
            'a': {**OK, 'after': ['b']}, 'b': {'url': 'http://x/{{a}}'}}})
        self.assertEqual(errors[0]['code'], 'GRAPH_CYCLE')
        self.assertRegex(errors[0]['message'], 'a -> b -> a|b -> a -> b')
        errors = self.refuse({'jobs': {'me': {**OK, 'after': ['me']}}})
        self.assertEqual((errors[0]['code'], errors[0]['at']), ('GRAPH_CYCLE', '/jobs/me'))
        self.assertIn('me -> me', errors[0]['message'])
        n = 300
        errors = self.refuse({'jobs': [{**OK, 'after': [str((i + 1) % n)]} for i in range(n)]})
        self.assertEqual(errors[0]['code'], 'GRAPH_CYCLE')


class ReferenceTest(AdmissionCase):
    def test_malformed_references(self):
        for text in ('{{', '{{}}', '{{a', '{{ }}', '{{a.}}', '{{a.nope}}', '{{a#x}}',
                     '{{a#/~2}}', '{{a#/%zz}}', '{{a.headers.}}', '{{a | upper}}', '{{a b}}',
                     '{{input.status}}', '{{secret}}'):
            with self.subTest(text=text):
                errors = self.refuse({'jobs': {'a': OK, 'b': {**OK, 'body': text}}})
                self.assertEqual(errors[0]['at'], '/jobs/b/body')
                self.assertEqual(errors[0]['code'], 'GRAPH_VALUE')

    def test_fan_out_references_outside_a_fan_out(self):
        for text in ('{{item}}', '{{item#/x}}', '{{index}}'):
            with self.subTest(text=text):
                errors = self.refuse({'jobs': {'b': {**OK, 'body': text}}})
                self.assertEqual(errors[0]['at'], '/jobs/b/body')

    def test_secrets_stand_in_header_values_only(self):
        errors = self.refuse({'jobs': {'b': {**OK, 'body': '{{secret.x}}'}}})
        self.assertEqual(errors[0]['at'], '/jobs/b/body')
        record = self.fetch(OK['url'], headers={'x-a': '{{secret.x}}'})
        self.assert_rejected(record, 'SECRET_UNKNOWN', sent='none')

    def test_references_in_other_places_are_refused_or_text(self):
        for key, value in (('method', '{{a}}'), ('needs', '{{a}}'), ('timeout', '{{a}}')):
            with self.subTest(key=key):
                self.refuse({'jobs': {'a': OK, 'b': {**OK, key: value}}},
                            ('GRAPH_VALUE', '/jobs/b/' + key))

    def test_pointers_of_errors_escape_their_steps(self):
        self.refuse({'jobs': {'a': {**OK, 'json': {'x/y~z': '{{nope}}'}}}},
                    ('GRAPH_UNKNOWN_JOB', '/jobs/a/json/x~1y~0z'))


class UrlTest(AdmissionCase):
    def test_invalid_urls(self):
        """N38"""
        bad = ['', 'x', '/path', '//host/', 'ftp://x/', 'file:///etc/passwd', 'http:/x', 'http://',
               'http:///x', 'http://:80/', 'http://x:0/', 'http://x:65536/', 'http://x:8a/',
               'http://u@x/', 'http://u:p@x/', 'http://good@evil/', 'http://x\\y/',
               'http://evil\\@good/', 'http://x/a b', 'http://x/\t', 'http://x/\n', ' http://x/',
               'http://x/\x7f', 'http://a%2Fb/', 'http://%31.1.1.1/', 'http://127.1/',
               'http://0x7f.0.0.1/', 'http://0177.0.0.1/', 'http://2130706433/',
               'http://1.2.3.4.5/', 'http://256.1.1.1/', 'http://[::1%25lo]/', 'http://[::1/',
               'http://[1.2.3.4]/', 'http://[g::]/', 'http://bücher.example/', 'http://a..b/',
               'http://' + 'a' * 64 + '/', 'http://' + 'a.' * 130 + 'b/']
        for url in bad:
            with self.subTest(url=url):
                self.refuse({'jobs': {'a': {'url': url}}}, ('URL_INVALID', '/jobs/a/url'))

    def test_valid_urls_are_sent_as_they_stand(self):
        with_path = [('/a%2Fb/../c', '/a%2Fb/../c'), ('', '/'), ('?q', '/?q'),
                     ('/ü?ü', '/%C3%BC?%C3%BC'), ('/x#frag', '/x'), ('/%zz', '/%zz'),
                     ("/a;b=c!$&'()*+,@:", "/a;b=c!$&'()*+,@:")]
        origin = Origin(lambda c: c.reply_json(c.read_request().json(),
                                               headers=[('connection', 'close')]))
        self.addCleanup(origin.close)
        for path, target in with_path:
            with self.subTest(path=path):
                record = self.fetch('HTTP://127.0.0.1:%d%s' % (origin.port, path))
                self.assertEqual(self.body(record)['target'], target)

    def test_invalid_headers(self):
        """N37"""
        for name in ('', 'a b', 'a:', 'ä', 'a\r\n', '(x)', 'host', 'Host', 'content-length',
                     'Transfer-Encoding', 'connection', 'upgrade', 'te', 'expect'):
            with self.subTest(name=name):
                errors = self.refuse({'jobs': {'a': {**OK, 'headers': {name: 'x'}}}})
                self.assertEqual(errors[0]['code'], 'HEADER_INVALID')
        for value in ('a\r\nb: c', 'a\nb', 'a\0b', 'a\x01b'):
            with self.subTest(value=value):
                self.refuse({'jobs': {'a': {**OK, 'headers': {'x': value}}}},
                            ('HEADER_INVALID', '/jobs/a/headers/x'))
        self.refuse({'jobs': {'a': {**OK, 'headers': {'x': ['ok', 'a\nb']}}}},
                    ('HEADER_INVALID', '/jobs/a/headers/x/1'))
        self.refuse({'defaults': {'headers': {'host': 'x'}}, 'jobs': {'a': OK}},
                    ('HEADER_INVALID', '/defaults/headers/host'))


class WholeTest(AdmissionCase):
    def test_every_error_is_reported_and_nothing_is_sent(self):
        origin = self.origin()
        self.refuse({'mode': 'x', 'jobs': {
            'good': {'url': origin.url('/text/x')},
            'a': {'url': 'nope'}, 'b': {**OK, 'metod': 1}, 'c': {**OK, 'after': ['zz']},
            'd': {**OK, 'timeout': 'x'}}},
            ('GRAPH_VALUE', '/mode'), ('URL_INVALID', '/jobs/a/url'),
            ('GRAPH_KEY', '/jobs/b/metod'), ('GRAPH_UNKNOWN_JOB', '/jobs/c/after/0'),
            ('GRAPH_VALUE', '/jobs/d/timeout'))
        self.assertEqual(origin.connections, [])

    def test_at_most_twenty_errors(self):
        errors = self.refuse({'jobs': [{'url': 'nope'} for _ in range(100)]})
        self.assertEqual(len(errors), 20)
        self.assertEqual(errors[0]['at'], '/jobs/0/url')

    def test_session_goes_on_after_a_refusal(self):
        origin = self.origin()
        with self.daemon.session() as session:
            with self.assertRaises(Refused):
                session.run({'jobs': {'a': {}}})
            self.assert_fulfilled(session.run({'jobs': {'a': {
                'url': origin.url('/text/x')}}})['a'], 'x')

    def test_messages_are_one_clean_line_each(self):
        errors = self.refuse({'jobs': {'a': {**OK, 'x\n\x1b[31m\u0000y': 1}}})
        for error in errors:
            self.assertNotRegex(error['message'], '[\x00-\x1f\x7f]')

    def test_document_nested_too_deeply(self):
        """L8"""
        for depth in (130, 100000):
            deep = '[' * depth + ']' * depth
            errors = self.refuse_text_or_close(
                '{"jobs":{"a":{"url":"http://x/","json":%s}}}' % deep)
            self.assertIn(errors[0]['code'], ('GRAPH_TOO_LARGE', 'GRAPH_SYNTAX', 'PROTOCOL'))

    def refuse_text_or_close(self, text):
        with self.daemon.session() as session:
            session.send_raw('{"id":1,"submit":%s}\n' % text)
            message = session.read_message()[0]
        return message['refused']['errors'] if 'refused' in message else [message['error']]
