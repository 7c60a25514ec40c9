# SPDX-License-Identifier: MIT
"""References (CONTRACT 2.4): what they mean, how they are encoded where they stand, and that no
upstream response can change the meaning of a request."""

import json

from harness.case import DaemonCase


class ReferenceCase(DaemonCase):
    def json_source(self, text):
        """An origin whose /source answers with this JSON text."""
        origin = self.origin()
        origin.route('/source', lambda connection, request, match: connection.reply(
            200, text if isinstance(text, bytes) else text.encode(),
            [('content-type', 'application/json'), ('x-tag', 'v1'), ('etag', '"abc"')]))
        return origin

    def fill(self, source, **job):
        """The record of a job that refers to `a`, a source of this JSON text."""
        origin = self.json_source(source)
        job.setdefault('url', origin.url('/echo'))
        job['url'] = job['url'].replace('ORIGIN', '127.0.0.1:%d' % origin.port)
        result = self.run_graph({'jobs': {'a': {'url': origin.url('/source')}, 'b': job}})
        return result['b']

    def echo(self, source, **job):
        record = self.fill(source, **job)
        self.assert_fulfilled(record)
        return self.body(record)


class MeaningTest(ReferenceCase):
    def test_every_kind_of_reference(self):
        origin = self.json_source('{"id":7,"a/b":"slash","m~n":"tilde","l":[10,20]}')
        body = {'body': '{{a}}', 'id': '{{a#/id}}', 'slash': '{{a#/a~1b}}',
                'tilde': '{{a#/m~0n}}', 'item': '{{a#/l/1}}', 'status': '{{a.status}}',
                'outcome': '{{a.outcome}}', 'code': '{{a.code}}', 'url': '{{a.url}}',
                'etag': '{{a.headers.etag}}', 'upper': '{{a.headers.ETag}}',
                'input': '{{input#/u}}', 'whole': '{{input}}', 'root': '{{a#}}'}
        result = self.run_graph({'input': {'u': [1]}, 'jobs': {
            'a': {'url': origin.url('/source')}, 'b': {'url': origin.url(), 'json': body}}})
        source = {'id': 7, 'a/b': 'slash', 'm~n': 'tilde', 'l': [10, 20]}
        expected = {'body': source, 'id': 7, 'slash': 'slash', 'tilde': 'tilde', 'item': 20,
                    'status': 200, 'outcome': 'fulfilled', 'code': '',
                    'url': origin.url('/source'), 'etag': '"abc"', 'upper': '"abc"',
                    'input': [1], 'whole': {'u': [1]}, 'root': source}
        self.assertEqual(json.loads(self.body(result['b'])['body']), expected)

    def test_body_that_is_not_json_is_text(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/hello')},
            'b': {'url': origin.url(), 'json': {'v': '{{a}}', 'w': '<{{a}}>'}}}})
        self.assertEqual(json.loads(self.body(result['b'])['body']),
                         {'v': 'hello', 'w': '<hello>'})

    def test_json_is_recognised_whatever_the_media_type(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/{"x":[3]}')},
            'b': {'url': origin.url('/text/{{a#/x/0}}')}}})
        self.assert_fulfilled(result['b'], '3')

    def test_input_reference_makes_no_dependency(self):
        origin = self.origin()
        result = self.run_graph({'input': {'p': 'path'}, 'jobs': {
            'b': {'url': origin.url('/text/{{input#/p}}')}}})
        self.assert_fulfilled(result['b'], 'path')

    def test_final_url_of_a_job(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/x#fragment')},
            'b': {'url': origin.url(), 'body': '{{a.url}}'}}})
        self.assertEqual(self.body(result['b'])['body'], origin.url('/text/x'))

    def test_escaped_braces_are_literal(self):
        self.assertEqual(self.echo('1', body='\\{{a}} {{a}} \\{{')['body'], '{{a}} 1 {{')

    def test_white_space_inside_braces_is_free(self):
        self.assertEqual(self.echo('{"x":5}', body='{{ a#/x }}')['body'], '5')

    def test_pointer_may_be_percent_encoded(self):
        self.assertEqual(self.echo('{"a b":{"}}":9}}', body='{{a#/a%20b/%7D%7D}}')['body'], '9')

    def test_duplicate_references_are_filled_each(self):
        self.assertEqual(self.echo('{"x":5}', body='{{a#/x}}{{a#/x}}')['body'], '55')


class DefaultTest(ReferenceCase):
    def test_default_stands_in_for_what_is_missing(self):
        cases = [('{{a#/none ?? x y}}', 'x y'), ('{{a#/none ?? }}', ''),
                 ('{{a#/n ?? 5}}', 'null'), ('{{a#/s ?? 5}}', 'there'),
                 ('{{a.headers.nope ?? h}}', 'h'), ('{{input#/none ?? i}}', 'i')]
        for text, expected in cases:
            with self.subTest(text=text):
                self.assertEqual(self.echo('{"n":null,"s":"there"}', body=text)['body'], expected)

    def test_default_alone_in_json_is_typed(self):
        body = {'a': '{{a#/x ?? 5}}', 'b': '{{a#/x ?? [1]}}', 'c': '{{a#/x ?? word}}',
                'd': 'n={{a#/x ?? 5}}', 'e': '{{a#/x ?? "q"}}', 'f': '{{a#/n ?? 5}}',
                'g': '{{a#/x ?? null}}'}
        echo = self.echo('{"n":null}', json=body)
        self.assertEqual(json.loads(echo['body']), {
            'a': 5, 'b': [1], 'c': 'word', 'd': 'n=5', 'e': 'q', 'f': None, 'g': None})

    def test_default_covers_a_job_without_a_response(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'bad': {'url': 'http://127.0.0.1:1/', 'optional': True},
            'b': {'url': origin.url(), 'after': ['bad'], 'needs': 'settled',
                  'json': {'s': '{{bad.status ?? 0}}', 'c': '{{bad.code}}',
                           'o': '{{bad.outcome}}', 'b': '{{bad ?? none}}'}}}})
        self.assertEqual(json.loads(self.body(result['b'])['body']), {
            's': 0, 'c': 'CONNECT_REFUSED', 'o': 'rejected', 'b': 'none'})


class MissingTest(ReferenceCase):
    def test_missing_values_reject_before_anything_is_sent(self):
        for text in ('{{a#/none}}', '{{a#/l/5}}', '{{a#/l/-}}', '{{a#/l/01}}', '{{a#/s/x}}',
                     '{{a.headers.nope}}', '{{input#/none}}'):
            with self.subTest(text=text):
                record = self.fill('{"l":[1],"s":"x"}', body=text)
                self.assert_rejected(record, 'REF_MISSING', sent='none')

    def test_pointer_into_what_is_not_json(self):
        for source in ('not json', '{"a":1} x', ''):
            with self.subTest(source=source):
                self.assert_rejected(self.fill(source, body='{{a#/x}}'), 'REF_NOT_JSON',
                                     sent='none')

    def test_present_null_is_a_value(self):
        self.assertEqual(self.echo('{"n":null}', body='{{a#/n}}')['body'], 'null')

    def test_rejected_by_status_has_a_body_and_headers_to_refer_to(self):
        origin = self.origin()
        origin.route('/bad', lambda connection, request, match: connection.reply(
            422, '{"why":"no"}', [('x-id', '9')]))
        result = self.run_graph({'jobs': {
            'bad': {'url': origin.url('/bad')},
            'b': {'url': origin.url(), 'needs': 'settled',
                  'body': '{{bad#/why}} {{bad.headers.x-id}} {{bad.status}}'}}})
        self.assertEqual(self.body(result['b'])['body'], 'no 9 422')

    def test_rejected_otherwise_has_nothing_to_refer_to(self):
        origin = self.origin()
        for text in ('{{bad}}', '{{bad.status}}', '{{bad.headers.a}}', '{{bad.url}}'):
            with self.subTest(text=text):
                result = self.run_graph({'jobs': {
                    'bad': {'url': 'http://127.0.0.1:1/'},
                    'b': {'url': origin.url(), 'needs': 'settled', 'body': text}}})
                self.assert_rejected(result['b'], 'REF_MISSING', sent='none')


class UrlTest(ReferenceCase):
    """N37, N38: nothing that is filled in changes the shape of the URL."""

    def target(self, source, url):
        return self.echo(source, url=url)['target']

    def test_values_are_percent_encoded_in_path_and_query(self):
        value = 'a b/c?d&e=f#g%h+ü'
        encoded = 'a%20b%2Fc%3Fd%26e%3Df%23g%25h%2B%C3%BC'
        source = json.dumps({'v': value})
        self.assertEqual(self.target(source, 'http://ORIGIN/echo/{{a#/v}}/end'),
                         '/echo/%s/end' % encoded)
        self.assertEqual(self.target(source, 'http://ORIGIN/echo?q={{a#/v}}&r=1'),
                         '/echo?q=%s&r=1' % encoded)
        self.assertEqual(self.echo(source, query={'q': '{{a#/v}}'})['target'],
                         '/echo?q=' + encoded)

    def test_raw_leaves_out_the_encoding(self):
        source = json.dumps({'v': 'x/y?z=1'})
        self.assertEqual(self.target(source, 'http://ORIGIN/echo/{{a#/v | raw}}'),
                         '/echo/x/y?z=1')

    def test_dot_segments_are_unsafe(self):
        for value, url in (('..', '/echo/{{a#/v}}/x'), ('.', '/echo/{{a#/v}}'),
                           ('.', '/echo/.{{a#/v}}'), ('..', '/echo/{{a#/v}}?q=1'),
                           ('%2e.', '/echo/{{a#/v | raw}}'), ('x/../y', '/echo/{{a#/v | raw}}'),
                           ('..', '/echo/{{a#/v | raw}}')):
            with self.subTest(value=value, url=url):
                record = self.fill(json.dumps({'v': value}), url='http://ORIGIN' + url)
                self.assert_rejected(record, 'TEMPLATE_UNSAFE', sent='none')
        self.assertEqual(self.target('{"v":"..."}', 'http://ORIGIN/echo/{{a#/v}}'), '/echo/...')
        self.assertEqual(self.target('{"v":".."}', 'http://ORIGIN/echo?q={{a#/v}}'),
                         '/echo?q=..')

    def test_control_characters_and_space_are_unsafe_in_a_url(self):
        """CR, LF, NUL and space anywhere in a URL, however written."""
        for value in ('a\rb', 'a\nb', 'a\0b', 'a\r\nHost: evil'):
            for where in ('/echo/{{a#/v | raw}}', '/echo?q={{a#/v | raw}}'):
                with self.subTest(value=value, where=where):
                    record = self.fill(json.dumps({'v': value}), url='http://ORIGIN' + where)
                    self.assert_rejected(record, 'TEMPLATE_UNSAFE', sent='none')
        record = self.fill('{"v":"a b"}', url='http://ORIGIN/echo/{{a#/v | raw}}')
        self.assert_rejected(record, 'TEMPLATE_UNSAFE', sent='none')

    def test_url_that_is_one_reference_is_used_as_it_stands(self):
        source = json.dumps({'u': self.origin().url('/echo/a?b=c')})
        self.assertEqual(self.target(source, '{{a#/u}}'), '/echo/a?b=c')

    def test_url_from_a_response_is_checked_as_any_other(self):
        for url in ('ftp://x/', 'not a url', 'http://u:p@127.0.0.1/', 'http://0x7f.1/',
                    'http://127.0.0.1:0/', '/echo', '', 'file:///etc/passwd'):
            with self.subTest(url=url):
                record = self.fill(json.dumps({'u': url}), url='{{a#/u}}')
                self.assert_rejected(record, ('URL_INVALID', 'TEMPLATE_UNSAFE'), sent='none')

    def test_references_in_scheme_host_or_port_are_refused(self):
        jobs = {'a': {'url': self.origin().url()}}
        for url in ('http://{{a}}/', 'http://x.test:{{a}}/', '{{a}}://x/', 'http://x{{a}}/',
                    '{{a}}/path', 'http{{a}}'):
            with self.subTest(url=url):
                errors = self.refuse({'jobs': {**jobs, 'b': {'url': url}}})
                self.assertEqual(errors[0]['at'], '/jobs/b/url')
                self.assertIn(errors[0]['code'], ('URL_INVALID', 'GRAPH_VALUE'))


class HeaderTest(ReferenceCase):
    def test_value_in_a_header_is_text(self):
        echo = self.echo('{"v":"token-1","n":12}', headers={'x-a': 'Bearer {{a#/v}}',
                                                            'x-n': '{{a#/n}}'})
        self.assertEqual(echo['headers']['x-a'], 'Bearer token-1')
        self.assertEqual(echo['headers']['x-n'], '12')

    def test_no_value_can_inject_a_header(self):
        """N37"""
        for value in ('a\r\nx-evil: 1', 'a\nb', 'a\rb', 'a\0b'):
            with self.subTest(value=value):
                record = self.fill(json.dumps({'v': value}), headers={'x-a': '{{a#/v}}'})
                self.assert_rejected(record, 'TEMPLATE_UNSAFE', sent='none')

    def test_raw_in_a_header_is_refused(self):
        errors = self.refuse({'jobs': {'a': {'url': self.origin().url()}, 'b': {
            'url': self.origin().url(), 'headers': {'x-a': '{{a | raw}}'}}}})
        self.assertEqual(errors[0]['at'], '/jobs/b/headers/x-a')


class BodyTest(ReferenceCase):
    def test_whole_reference_in_json_keeps_the_value(self):
        big = '9007199254740993'
        echo = self.echo('{"big":%s,"o":{"k":[true,null]},"s":"5"}' % big, json={
            'big': '{{a#/big}}', 'o': '{{a#/o}}', 's': '{{a#/s}}', 'in': 'x{{a#/big}}x',
            'otext': '<{{a#/o}}>'})
        self.assertIn('"big":%s' % big, echo['body'])
        self.assertEqual(json.loads(echo['body']), {
            'big': int(big), 'o': {'k': [True, None]}, 's': '5', 'in': 'x%sx' % big,
            'otext': '<{"k":[true,null]}>'})

    def test_no_value_can_inject_a_json_key(self):
        """N37"""
        value = '","admin":true,"x":"'
        echo = self.echo(json.dumps({'v': value}), json={'u': '{{a#/v}}', 'w': 'a{{a#/v}}b'})
        self.assertEqual(json.loads(echo['body']), {'u': value, 'w': 'a%sb' % value})

    def test_form_values_are_urlencoded(self):
        echo = self.echo('{"v":"a&b=c d"}', form={'f': '{{a#/v}}', 'g': ['{{a#/v}}', 1]})
        self.assertEqual(echo['body'], 'f=a%26b%3Dc+d&g=a%26b%3Dc+d&g=1')

    def test_body_takes_text_as_it_is(self):
        value = 'line\r\n"quoted" & ü\0'
        echo = self.echo(json.dumps({'v': value}), body='<{{a#/v}}>')
        self.assertEqual(echo['body'].encode('latin-1').decode(), '<%s>' % value)

    def test_references_never_stand_in_keys(self):
        origin = self.origin()
        for key in ('json', 'form', 'headers', 'query'):
            with self.subTest(key=key):
                errors = self.refuse({'jobs': {'a': {'url': origin.url()}, 'b': {
                    'url': origin.url(), key: {'{{a}}': 'x'}}}})
                self.assertEqual(errors[0]['at'], '/jobs/b/%s/{{a}}' % key)

    def test_text_of_values(self):
        cases = [('true', 'true'), ('null', 'null'), ('1.50', '1.50'), ('[1, 2]', '[1,2]'),
                 ('{ "a" : 1 }', '{"a":1}'), ('"text"', 'text')]
        for source, text in cases:
            with self.subTest(source=source):
                self.assertEqual(self.echo('{"v":%s}' % source, body='{{a#/v}}')['body'], text)

    def test_references_do_not_expand_in_what_was_filled_in(self):
        self.assertEqual(self.echo('{"v":"{{a}}"}', body='{{a#/v}}')['body'], '{{a}}')

    def test_omitted_and_discarded_bodies(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/kept'), 'output': 'discard'},
            'b': {'url': origin.url(), 'body': '{{a.status}}'}}})
        self.assertEqual(self.body(result['b'])['body'], '200')
