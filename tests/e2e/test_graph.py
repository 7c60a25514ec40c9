# SPDX-License-Identifier: MIT
"""A graph runs: what each key means, the order of things, the records and the summary."""

import base64
import json
import threading
import time

from harness.case import DaemonCase
from harness.origin import Ended, pattern

TIMES = {'start', 'queue', 'dns', 'connect', 'tls', 'first_byte', 'body', 'end'}


class RecordTest(DaemonCase):
    """The shapes of CONTRACT 4."""

    def test_fulfilled_record_has_the_documented_members(self):
        origin = self.origin()
        record = self.fetch(origin.url('/json/{"a":1}'))
        self.assertEqual(record['job'], 'it')
        self.assertEqual(record['index'], 0)
        self.assertEqual(record['status'], 'fulfilled')
        self.assertEqual(record['via'], 'network')
        self.assertEqual(record['attempts'], 1)
        value = record['value']
        self.assertEqual(value['status'], 200)
        self.assertEqual(value['version'], '1.1')
        self.assertEqual(value['url'], origin.url('/json/%7B%22a%22:1%7D'))
        self.assertEqual(value['redirects'], 0)
        self.assertEqual(value['headers'],
                         {'content-length': '7', 'content-type': 'application/json'})
        self.assertEqual(value['bytes'], 7)
        self.assertNotIn('body', value)
        self.assertEqual(record['body'], b'{"a":1}')
        self.assertEqual(set(record['time']), TIMES)
        self.assertEqual(record['conn'],
                         {'reused': False, 'remote': '127.0.0.1:%d' % origin.port})

    def test_rejected_record_has_a_reason_with_the_response(self):
        origin = self.origin()
        record = self.fetch(origin.url('/status/503'))
        self.assert_rejected(record, 'HTTP_STATUS', sent='full', retryable=True)
        self.assertNotIn('via', record)
        self.assertEqual(record['attempts'], 1)
        response = record['reason']['response']
        self.assertEqual(response['status'], 503)
        self.assertEqual(response['headers']['content-length'], '10')
        self.assertIn('503', record['reason']['message'])
        self.assertEqual(record['body'], b'status 503')

    def test_404_is_not_retryable(self):
        record = self.fetch(self.origin().url('/status/404'))
        self.assert_rejected(record, 'HTTP_STATUS', retryable=False)

    def test_times_are_milliseconds_that_fit_together(self):
        origin = self.origin()
        record = self.fetch(origin.url('/delay/50'))
        times = record['time']
        self.assertGreaterEqual(times['first_byte'], 49)
        self.assertGreaterEqual(times['end'], times['start'] + times['first_byte'])
        self.assertLess(times['end'], 5000)
        self.assertEqual(times['tls'], 0)

    def test_repeated_header_is_an_array_and_names_are_lower_case(self):
        origin = self.raw_origin('HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Other: z\r\n'
                                 'SET-COOKIE: b=2\r\nContent-Length: 0\r\n\r\n', end='keep')
        headers = self.fetch(origin.url())['value']['headers']
        self.assertEqual(headers['set-cookie'], ['a=1', 'b=2'])
        self.assertEqual(headers['x-other'], 'z')
        self.assertEqual(list(headers), ['set-cookie', 'x-other', 'content-length'])

    def test_record_of_an_http10_response(self):
        origin = self.raw_origin('HTTP/1.0 200 OK\r\n\r\nold')
        record = self.assert_fulfilled(self.fetch(origin.url()), 'old')
        self.assertEqual(record['value']['version'], '1.0')

    def test_summary_has_the_documented_members(self):
        origin = self.origin()
        result = self.run_graph({'name': 'dashboard', 'jobs': {
            'user': {'url': origin.url('/delay/20')},
            'profile': {'url': origin.url('/delay/20'), 'after': ['user']},
            'side': {'url': origin.url('/text/x')},
            'bad': {'url': origin.url('/status/500'), 'optional': True}}})
        summary = result.summary
        self.assertEqual(summary['graph'], 'dashboard')
        self.assertEqual(summary['status'], 'fulfilled')
        self.assertEqual(
            [summary[name] for name in ('jobs', 'fulfilled', 'rejected', 'skipped')],
            [4, 3, 1, 0])
        self.assertEqual(summary['critical_path'], ['user', 'profile'])
        self.assertGreaterEqual(summary['wall_ms'], 39)
        self.assertGreaterEqual(summary['sum_ms'], 39)
        self.assertAlmostEqual(summary['speedup'], summary['sum_ms'] / summary['wall_ms'],
                               delta=0.2)
        self.assertNotIn('reason', summary)
        self.assertNotIn('return', summary)

    def test_indices_are_places_in_the_document(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'slow': {'url': origin.url('/delay/50')}, 'fast': {'url': origin.url('/text/f')}}})
        self.assertEqual(result.order(), ['fast', 'slow'])
        self.assertEqual([r['index'] for r in result.settled], [1, 0])

    def test_control_characters_from_upstream_are_escaped_in_the_record(self):
        origin = self.raw_origin(b'HTTP/1.1 404 Not\x80 "Found"\r\nx-a: \t"\\\xff\r\n'
                                 b'content-length: 0\r\n\r\n', end='keep')
        record = self.fetch(origin.url())
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertIn('"\\', record['reason']['response']['headers']['x-a'])


class JobsTest(DaemonCase):
    """The keys of CONTRACT 2.1 and 2.2."""

    def test_array_of_jobs_has_positional_ids(self):
        origin = self.origin()
        result = self.run_graph({'jobs': [
            {'url': origin.url('/text/a')}, {'id': 'named', 'url': origin.url('/text/b')},
            {'url': origin.url('/text/{{0}}')}]})
        self.assertEqual(sorted(result.records), ['0', '2', 'named'])
        self.assert_fulfilled(result['2'], 'a')

    def test_empty_graphs_are_fulfilled_at_once(self):
        for jobs in ({}, []):
            for mode in ('settled', 'all'):
                summary = self.run_graph({'mode': mode, 'jobs': jobs}).summary
                self.assertEqual((summary['status'], summary['jobs']), ('fulfilled', 0))

    def test_request_line_and_headers_are_what_the_job_says(self):
        origin = self.origin()
        record = self.fetch(
            origin.url('/echo?x=1'), method='PUT', query={'y': 2, 'z': [True, 'a b']},
            headers={'X-One': 'v', 'x-many': ['1', 2], 'Accept': 'text/plain'}, body='hi')
        echo = self.body(record)
        self.assertEqual((echo['method'], echo['target']), ('PUT', '/echo?x=1&y=2&z=true&z=a%20b'))
        self.assertEqual(echo['headers']['host'], '127.0.0.1:%d' % origin.port)
        self.assertEqual(echo['headers']['x-one'], 'v')
        self.assertEqual([v for n, v in echo['fields'] if n.lower() == 'x-many'], ['1', '2'])
        self.assertEqual(echo['headers']['accept'], 'text/plain')
        self.assertEqual(echo['headers']['content-length'], '2')
        self.assertEqual(echo['body'], 'hi')

    def test_body_keys_set_method_and_media_type(self):
        origin = self.origin()
        blob = bytes(range(256))
        cases = [
            ({'json': {'a': [1, None]}}, '{"a":[1,null]}', 'application/json'),
            ({'form': {'a': 'b c&', 'd': [1, True]}}, 'a=b+c%26&d=1&d=true',
             'application/x-www-form-urlencoded'),
            ({'body': 'grüße'}, 'grüße'.encode().decode('latin-1'),
             'text/plain;charset=utf-8'),
            ({'body_base64': base64.b64encode(blob).decode()}, blob.decode('latin-1'), None),
            ({'body': ''}, '', 'text/plain;charset=utf-8'),
        ]
        for keys, sent, media_type in cases:
            with self.subTest(keys=keys):
                echo = self.body(self.fetch(origin.url(), **keys))
                self.assertEqual((echo['method'], echo['body']), ('POST', sent))
                self.assertEqual(echo['headers']['content-length'], str(len(sent)))
                if media_type:
                    self.assertEqual(echo['headers']['content-type'], media_type)

    def test_headers_may_set_another_media_type(self):
        echo = self.body(self.fetch(self.origin().url(), json={'a': 1},
                                    headers={'Content-Type': 'application/ld+json'}))
        types = [v for n, v in echo['fields'] if n.lower() == 'content-type']
        self.assertEqual(types, ['application/ld+json'])

    def test_numbers_in_json_keep_their_digits(self):
        digits = '{"big":9007199254740993,"exp":1.50e+3,"neg":-0}'
        text = '{"jobs":{"it":{"url":"%s","json":%s}}}' % (self.origin().url(), digits)
        with self.daemon.session() as session:
            session.send_raw('{"id":1,"submit":%s}\n' % text)
            record = session.collect(1)['it']
        self.assertEqual(self.body(record)['body'], digits)

    def test_get_has_no_body_and_no_length(self):
        echo = self.body(self.fetch(self.origin().url()))
        self.assertEqual(echo['method'], 'GET')
        self.assertNotIn('content-length', echo['headers'])
        self.assertNotIn('transfer-encoding', echo['headers'])

    def test_post_without_body_says_length_zero(self):
        echo = self.body(self.fetch(self.origin().url(), method='POST'))
        self.assertEqual(echo['headers']['content-length'], '0')

    def test_ok_decides_which_statuses_fulfil(self):
        origin = self.origin()
        cases = [(None, 200, True), (None, 301, True), (None, 399, True), (None, 400, False),
                 (404, 404, True), (404, 200, False), ('200-299,404', 404, True),
                 ('200-299,404', 300, False), ([200, '500-599'], 503, True),
                 ([200, '500-599'], 201, False)]
        for ok, status, fulfilled in cases:
            with self.subTest(ok=ok, status=status):
                keys = {} if ok is None else {'ok': ok}
                record = self.fetch(origin.url('/status/%d' % status), **keys)
                self.assertEqual(record['status'] == 'fulfilled', fulfilled, record)

    def test_redirect_that_is_not_followed_is_a_response_like_another(self):
        origin = self.raw_origin('HTTP/1.1 302 Found\r\nlocation: /else\r\n'
                                 'content-length: 0\r\n\r\n', end='keep')
        record = self.assert_fulfilled(self.fetch(origin.url(), redirects=0), '')
        self.assertEqual(record['value']['status'], 302)
        self.assertEqual(record['value']['redirects'], 0)
        self.assertNotIn('hops', record['value'])

    def test_record_has_the_redirects_that_were_followed(self):
        origin = self.raw_origin('HTTP/1.1 302 Found\r\nlocation: /else\r\n'
                                 'content-length: 0\r\n\r\n', end='keep')
        record = self.fetch(origin.url('/first'), redirects=2)
        self.assert_rejected(record, 'REDIRECT_LIMIT')
        response = record['reason']['response']
        self.assertEqual(response['hops'], [{'status': 302, 'url': origin.url('/first')},
                                            {'status': 302, 'url': origin.url('/else')}])
        self.assertEqual(response['redirects'], 2)

    def test_record_has_the_redirects_behind_which_it_failed(self):
        gone = 'http://127.0.0.1:1/'
        origin = self.raw_origin('HTTP/1.1 302 Found\r\nlocation: %s\r\n'
                                 'content-length: 0\r\n\r\n' % gone, end='keep')
        record = self.assert_rejected(self.fetch(origin.url()), 'CONNECT_REFUSED')
        self.assertEqual(record['reason']['hops'], [{'status': 302, 'url': origin.url()}])
        self.assertEqual(record['reason']['redirects'], 1)
        self.assertNotIn('response', record['reason'])

    def test_features_can_be_turned_off(self):
        self.assert_fulfilled(self.fetch(
            self.origin().url('/text/a'), redirects=0, decode=False, dedupe=False, http='1.1'),
            'a')
        self.assert_fulfilled(self.fetch(self.origin().url('/text/a'), http='auto'), 'a')

    def test_codings_are_asked_for_unless_the_job_says_otherwise(self):
        origin = self.origin()
        sent = self.body(self.fetch(origin.url()))['headers']
        self.assertEqual(sent['accept-encoding'].split(', ')[:2], ['gzip', 'deflate'])
        for keys in ({'decode': False}, {'headers': {'range': 'bytes=0-'}}):
            sent = self.body(self.fetch(origin.url(), **keys))['headers']
            self.assertNotIn('accept-encoding', sent)
        sent = self.body(self.fetch(origin.url(), headers={'accept-encoding': 'x'}))['headers']
        self.assertEqual(sent['accept-encoding'], 'x')

    def test_output_discard_counts_but_carries_no_body(self):
        record = self.fetch(self.origin().url('/bytes/3000000'), output='discard')
        self.assert_fulfilled(record, b'')
        self.assertEqual(record['value']['bytes'], 3000000)

    def test_omit_hides_the_body_from_the_client_only(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/secret'), 'omit': True},
            'b': {'url': origin.url('/text/{{a}}')}}})
        self.assert_fulfilled(result['a'], b'')
        self.assert_fulfilled(result['b'], b'secret')

    def test_max_body_bounds_the_body(self):
        origin = self.origin()
        self.assert_fulfilled(self.fetch(origin.url('/bytes/1000'), max_body=1000))
        for path in ('/bytes/1001', '/chunked/3/500', '/close/1001'):
            with self.subTest(path=path):
                self.assert_rejected(self.fetch(origin.url(path), max_body=1000),
                                     'BODY_TOO_LARGE', sent='full')
        self.assert_rejected(self.fetch(origin.url('/bytes/2000'), max_body='1k'),
                             'BODY_TOO_LARGE')
        self.assert_rejected(
            self.fetch(origin.url('/bytes/2000'), max_body='1k', output='discard'),
            'BODY_TOO_LARGE')

    def test_inline_bodies_are_bounded_by_16m(self):
        origin = self.origin()
        size = 16 * 1024 * 1024
        record = self.assert_fulfilled(self.fetch(origin.url('/bytes/%d' % size)))
        self.assertEqual(record['body'], pattern(size))
        self.assert_rejected(self.fetch(origin.url('/bytes/%d' % (size + 1))), 'BODY_TOO_LARGE')

    def test_bodies_of_all_framings_and_sizes_arrive_whole(self):
        origin = self.origin()
        for size in (0, 1, 8191, 8192, 8193, 65536, 200000, 5000000):
            for path in ('/bytes/%d', '/close/%d'):
                with self.subTest(path=path % size):
                    record = self.assert_fulfilled(self.fetch(origin.url(path % size)))
                    self.assertEqual(record['body'], pattern(size))
                    self.assertEqual(record['value']['bytes'], size)
        record = self.fetch(origin.url('/chunked/100/7777'))
        self.assertEqual(record['body'], pattern(7777) * 100)

    def test_large_upload_arrives_whole(self):
        body = 'x' * 3000000
        record = self.fetch(self.origin().url('/upload'), body=body)
        self.assertEqual(self.body(record), {'bytes': len(body)})

    def test_head_has_no_body_whatever_the_length_says(self):
        record = self.fetch(self.origin().url('/bytes/500'), method='HEAD')
        self.assert_fulfilled(record, b'')
        self.assertEqual(record['value']['headers']['content-length'], '500')
        self.assertEqual(record['value']['bytes'], 0)

    def test_defaults_reach_jobs_and_headers_merge_by_name(self):
        origin = self.origin()
        result = self.run_graph({
            'defaults': {'headers': {'X-A': 'default', 'x-b': 'default'}, 'method': 'OPTIONS'},
            'jobs': {'a': {'url': origin.url(), 'headers': {'x-a': 'own'}},
                     'b': {'url': origin.url(), 'method': 'DELETE'}}})
        a, b = self.body(result['a']), self.body(result['b'])
        self.assertEqual([v for n, v in a['fields'] if n.lower() == 'x-a'], ['own'])
        self.assertEqual(a['headers']['x-b'], 'default')
        self.assertEqual((a['method'], b['method']), ('OPTIONS', 'DELETE'))
        self.assertEqual(b['headers']['x-a'], 'default')

    def test_resolve_overrides_the_address(self):
        origin = self.origin()
        name = 'service.test:%d' % origin.port
        for addresses in ('127.0.0.1', ['127.0.0.1']):
            record = self.fetch('http://%s/echo' % name, resolve={name: addresses})
            self.assertEqual(self.body(record)['headers']['host'], name)
            self.assertEqual(record['conn']['remote'], '127.0.0.1:%d' % origin.port)

    def test_ipv6_origin(self):
        try:
            origin = self.origin(address='::1')
        except OSError:
            self.skipTest('no IPv6 loopback')
        record = self.fetch(origin.url())
        self.assertEqual(self.body(record)['headers']['host'], '[::1]:%d' % origin.port)
        self.assertEqual(record['conn']['remote'], '[::1]:%d' % origin.port)


class OrderTest(DaemonCase):
    """When jobs start (CONTRACT 3)."""

    def test_dependent_starts_when_its_last_dependency_settles(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/delay/20')}, 'b': {'url': origin.url('/delay/60')},
            'c': {'url': origin.url('/text/c'), 'after': ['a', 'b']}}})
        self.assertEqual(result.order(), ['a', 'b', 'c'])
        start = result['c']['time']['start']
        self.assertGreaterEqual(start, result['b']['time']['end'] - 0.01)
        self.assertLess(start - result['b']['time']['end'], 20)

    def test_no_job_waits_for_a_level(self):
        """b follows a; a slow sibling of a holds nothing up."""
        release = threading.Event()

        def slow(connection, request, match):
            release.wait(10)
            connection.reply(200, 'slow')

        def last(connection, request, match):
            connection.reply(200, 'last')
            release.set()

        origin = self.origin()
        origin.route('/slow', slow)
        origin.route('/last', last)
        result = self.run_graph({'jobs': {
            'slow': {'url': origin.url('/slow')}, 'a': {'url': origin.url('/text/a')},
            'b': {'url': origin.url('/last'), 'after': ['a']}}})
        self.assertEqual(result.order(), ['a', 'b', 'slow'])
        self.assertEqual(result.summary['fulfilled'], 3)

    def test_jobs_without_dependencies_start_at_once(self):
        barrier = threading.Barrier(20)

        def together(connection, request, match):
            barrier.wait(10)
            connection.reply(200, 'all here')

        origin = self.origin()
        origin.route('/together/.*', together)
        result = self.run_graph({'jobs': [
            {'url': origin.url('/together/%d' % i)} for i in range(20)]})
        self.assertEqual(result.summary['fulfilled'], 20)

    def test_forward_references_are_fine(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'b': {'url': origin.url('/text/{{a}}')}, 'a': {'url': origin.url('/text/one')}}})
        self.assertEqual(result.order(), ['a', 'b'])
        self.assert_fulfilled(result['b'], 'one')

    def test_long_chain_runs_in_order(self):
        """L9: deep graphs do not recurse."""
        origin = self.origin()
        n = 2000
        jobs = [{'url': origin.url('/text/x'), 'after': [str(i - 1)] if i else []}
                for i in range(n)]
        result = self.run_graph({'jobs': jobs}, timeout=60)
        self.assertEqual(result.order(), [str(i) for i in range(n)])
        self.assertEqual(len(result.summary['critical_path']), n)

    def test_wide_fan_in_and_fan_out(self):
        """L9"""
        origin = self.origin()
        n = 500
        jobs = {'first': {'url': origin.url('/text/x')}}
        for i in range(n):
            jobs['m%d' % i] = {'url': origin.url('/text/x'), 'after': ['first']}
        jobs['last'] = {'url': origin.url('/text/x'), 'after': ['m%d' % i for i in range(n)]}
        result = self.run_graph({'jobs': jobs}, timeout=60)
        self.assertEqual(result.summary['fulfilled'], n + 2)
        self.assertEqual((result.order()[0], result.order()[-1]), ('first', 'last'))

    def test_needs_settled_runs_whatever_the_dependencies_became(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'bad': {'url': origin.url('/status/500')},
            'audit': {'url': origin.url('/echo'), 'after': ['bad'], 'needs': 'settled',
                      'json': {'was': '{{bad.outcome}}', 'status': '{{bad.status}}',
                               'code': '{{bad.code}}', 'body': '{{bad}}'}}}})
        self.assertEqual(json.loads(self.body(result['audit'])['body']), {
            'was': 'rejected', 'status': 500, 'code': 'HTTP_STATUS', 'body': 'status 500'})

    def test_dependents_of_a_rejected_job_settle_unsent(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/status/500')},
            'b': {'url': origin.url('/text/b'), 'after': ['a']},
            'c': {'url': origin.url('/text/{{b}}')},
            'other': {'url': origin.url('/text/other')}}})
        self.assert_rejected(result['b'], 'DEPENDENCY_REJECTED', sent='none', job='a', root='a')
        self.assert_rejected(result['c'], 'DEPENDENCY_REJECTED', sent='none', job='b', root='a')
        self.assert_fulfilled(result['other'])
        self.assertEqual(result['b']['attempts'], 0)
        self.assertEqual(sorted(origin.paths()), ['/status/500', '/text/other'])
        # At once: before anything else could settle.
        self.assertLess(result['c']['time']['end'] - result['a']['time']['end'], 20)

    def test_dependent_does_not_wait_for_siblings_of_its_rejected_dependency(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'bad': {'url': origin.url('/status/500')}, 'slow': {'url': origin.url('/delay/100')},
            'c': {'url': origin.url('/text/c'), 'after': ['slow', 'bad']}}})
        self.assertEqual(result.order(), ['bad', 'c', 'slow'])

    def test_concurrency_bounds_the_requests_on_the_wire(self):
        lock = threading.Lock()
        seen = {'now': 0, 'most': 0}

        def count(connection, request, match):
            with lock:
                seen['now'] += 1
                seen['most'] = max(seen['most'], seen['now'])
            connection.pause(0.01)
            with lock:
                seen['now'] -= 1
            connection.reply(200, 'x')

        origin = self.origin()
        origin.route('/count', count)
        result = self.run_graph({'concurrency': 3, 'jobs': [
            {'url': origin.url('/count'), 'dedupe': False} for _ in range(30)]})
        self.assertEqual(result.summary['fulfilled'], 30)
        self.assertEqual(seen['most'], 3)

    def test_waiting_jobs_are_served_first_come_first_served(self):
        origin = self.origin()
        self.run_graph({'concurrency': 1, 'jobs': [
            {'url': origin.url('/text/%d' % i)} for i in range(20)]})
        self.assertEqual(origin.paths(), ['/text/%d' % i for i in range(20)])

    def test_queueing_shows_in_the_times_and_is_not_counted_against_the_timeout(self):
        origin = self.origin()
        result = self.run_graph({'concurrency': 1, 'jobs': [
            {'url': origin.url('/delay/100'), 'timeout': '250ms', 'dedupe': False}
            for _ in range(4)]})
        self.assertEqual(result.summary['fulfilled'], 4)
        self.assertGreaterEqual(result['3']['time']['queue'], 290)

    def test_several_graphs_of_one_session_run_side_by_side(self):
        origin = self.origin()
        session = self.session()
        slow = session.submit({'jobs': {'a': {'url': origin.url('/delay/100')}}})
        fast = session.submit({'jobs': {'a': {'url': origin.url('/text/x')}}})
        self.assert_fulfilled(session.collect(fast)['a'], 'x')
        self.assertEqual(session.collect(slow).summary['fulfilled'], 1)

    def test_return_is_filled_when_the_graph_is_done(self):
        origin = self.origin()
        result = self.run_graph({
            'input': {'x': [1, 2.50]},
            'jobs': {'user': {'url': origin.url('/json/{"name":"Ada","n":1e2}')},
                     'bad': {'url': origin.url('/status/404'), 'optional': True},
                     'lost': {'url': origin.url('/text/x'), 'after': ['bad']}},
            'return': {'name': '{{user#/name}}', 'n': '{{user#/n}}', 'all': '{{user}}',
                       'text': 'I am {{user#/name}}', 'missing': '{{user#/nope}}',
                       'lost': '{{lost}}', 'status': '{{bad.status}}', 'in': '{{input#/x}}',
                       'list': ['{{lost.outcome}}', 7]}})
        self.assertEqual(result.summary['return'], {
            'name': 'Ada', 'n': 100.0, 'all': {'name': 'Ada', 'n': 100.0}, 'text': 'I am Ada',
            'missing': None, 'lost': None, 'status': 404, 'in': [1, 2.5],
            'list': ['rejected', 7]})

    def test_critical_path_is_the_chain_that_took_longest(self):
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/x')}, 'b': {'url': origin.url('/delay/80')},
            'c': {'url': origin.url('/delay/20'), 'after': ['a', 'b']},
            'd': {'url': origin.url('/text/x'), 'after': ['a']}}})
        self.assertEqual(result.summary['critical_path'], ['b', 'c'])

    def test_wall_time_is_the_critical_path(self):
        origin = self.origin()
        jobs = {'a%d' % i: {'url': origin.url('/delay/100')} for i in range(20)}
        jobs['end'] = {'url': origin.url('/delay/100'), 'after': list(jobs)}
        began = time.monotonic()
        result = self.run_graph({'jobs': jobs})
        self.assertLess(time.monotonic() - began, 2)
        self.assertGreater(result.summary['speedup'], 4)

    def test_cancelled_connection_scripts_end(self):
        """The harness itself: an origin's script sees the peer go."""
        origin = self.origin()
        session = self.session()
        number = session.submit({'jobs': {'a': {'url': origin.url('/stall')}}})
        origin.wait(lambda: origin.requests)
        session.cancel(number)
        session.collect(number)
        origin.wait(lambda: origin.connections[0].ended)
        with self.assertRaises(Ended):
            origin.connections[0].receive()
