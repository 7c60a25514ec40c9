# SPDX-License-Identifier: MIT
"""Redirects, as settled-graph(5) has them: which are followed, by which method, with what, and
what the record tells of it."""

import os
import tempfile
import time

from harness.client import Result
from harness.feature import FeatureCase
from harness.origin import free_port, pattern

STATUSES = (301, 302, 303, 307, 308)
METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')


class RedirectRows:
    def leading(self, *locations, status=302, body='hop', origin=None, fields=()):
        """An origin whose /row leads to the first, /1 to the second, ..."""
        origin = origin or self.server()
        for i, location in enumerate(locations):
            origin.route('/%s' % (i or 'row'), lambda connection, request, match, to=location:
                         connection.reply(status, '' if request.method == 'HEAD' else body,
                                          [('location', to), *fields]))
        return origin

    # -- What the record tells

    def test_the_record_tells_each_hop_and_the_last_url(self):
        origin = self.leading('/1', 'text/end?x#f')
        value = self.assert_fulfilled(self.ask(origin), 'end')['value']
        self.assertEqual((value['status'], value['redirects']), (200, 2))
        self.assertEqual(value['url'], origin.url('/text/end?x'))
        self.assertEqual(value['hops'], [{'status': 302, 'url': origin.url('/row')},
                                         {'status': 302, 'url': origin.url('/1')}])

    def test_without_hops_there_are_none(self):
        value = self.ask(self.server(), '/text/x')['value']
        self.assertEqual(value['redirects'], 0)
        self.assertNotIn('hops', value)

    def test_dependents_see_the_end(self):
        origin = self.leading('/json/7')
        got = self.run_graph({'jobs': {'a': self.job(origin, '/row')},
                              'return': ['{{a#}}', '{{a.url}}', '{{a.status}}']})
        self.assertEqual(got.summary['return'], [7, origin.url('/json/7'), 200])

    def test_the_body_of_a_hop_is_dropped_and_its_connection_used_again(self):
        origin = self.leading('/text/end', body='x' * 1000)
        self.assert_fulfilled(self.ask(origin, max_body='10'), 'end')
        self.assertEqual(len(origin.connections), 1)
        # A large one may be left where it is.
        origin = self.leading('/text/end', body='x' * 3000000)
        self.assert_fulfilled(self.ask(origin, max_body='10'), 'end')

    def test_rejections_at_the_end(self):
        self.assert_rejected(self.ask(self.leading('/status/404')), 'HTTP_STATUS')
        record = self.ask(self.leading('%s://127.0.0.1:%d/' % (
            'http' if self.channel == 'clear' else 'https', free_port())))
        self.assert_rejected(record, 'CONNECT_REFUSED', sent='full')

    # -- Which are followed

    def test_a_3xx_that_is_none_is_the_response(self):
        for status in (300, 304, 305, 306, 399):
            with self.subTest(status=status):
                record = self.ask(self.leading('/text/x', status=status,
                                               body='' if status == 304 else 'here'))
                self.assertEqual(record['value']['status'], status)

    def test_without_a_location_it_is_the_response(self):
        for status in STATUSES:
            with self.subTest(status=status):
                origin = self.server()
                origin.route('/row', lambda c, r, m, status=status: c.reply(status, 'here'))
                self.assert_fulfilled(self.ask(origin), 'here')

    def test_none_where_none_is_wanted(self):
        origin = self.leading('/text/x')
        record = self.assert_fulfilled(self.ask(origin, redirects=0), 'hop')
        self.assertEqual(record['value']['headers']['location'], '/text/x')
        self.assertEqual(origin.paths(), ['/row'])

    def test_limits(self):
        origin = self.server()
        origin.route(r'/hop/(\d+)', lambda c, r, m: c.reply(
            302 if m[1] != '0' else 200, 'end', [('location', str(int(m[1]) - 1))]))
        for hops, limit in ((1, 1), (10, None), (3, 5), (20, 20)):
            keys = {} if limit is None else {'redirects': limit}
            record = self.assert_fulfilled(self.ask(origin, '/hop/%d' % hops, **keys), 'end')
            self.assertEqual(record['value']['redirects'], hops)
        for hops, limit in ((2, 1), (11, None), (6, 5)):
            before = len(origin.requests)
            keys = {} if limit is None else {'redirects': limit}
            record = self.ask(origin, '/hop/%d' % hops, **keys)
            self.assert_rejected(record, 'REDIRECT_LIMIT')
            self.assertEqual(len(origin.requests) - before, (limit or 10) + 1)

    def test_loops_end(self):
        self.assert_rejected(self.ask(self.leading('/row')), 'REDIRECT_LIMIT')
        self.assert_rejected(self.ask(self.leading('/1', '/row')), 'REDIRECT_LIMIT')

    def test_relative_forms(self):
        base = '/a/b/c?q'
        for location, path in (
                ('g', '/a/b/g'), ('./g', '/a/b/g'), ('g/', '/a/b/g/'), ('/g', '/g'),
                ('?y', '/a/b/c?y'), ('g?y', '/a/b/g?y'), ('#s', '/a/b/c?q'), ('g#s', '/a/b/g'),
                ('../g', '/a/g'), ('../../g', '/g'), ('../../../g', '/g'), ('.', '/a/b/'),
                ('..', '/a/'), ('/./g', '/g'), ('/../g', '/g'), ('g.', '/a/b/g.'),
                ('g/../h', '/a/b/h'), ('g?y/../x', '/a/b/g?y/../x'), ('g;x=1/./y', '/a/b/g;x=1/y'),
                ('%2e%2e/g', '/a/b/%2e%2e/g'), ('a b', '/a/b/a%20b'), ('ä', None)):
            with self.subTest(location=location):
                origin = self.server()
                seen = []
                origin.route('/.*', lambda c, r, m, to=location, seen=seen: (
                    seen.append(r.target),
                    c.reply(302 if len(seen) == 1 else 200, '', [('location', to)])))
                self.assert_fulfilled(self.ask(origin, base))
                if path:
                    self.assertEqual(seen[1], path)
                # A port, and so another scheme, is kept by what begins with two slashes.
        origin = self.leading('//127.0.0.1:%d/text/x' % self.server().port)
        self.assert_fulfilled(self.ask(origin), 'x')

    def test_never_to_another_scheme(self):
        for location in ('file:///etc/passwd', 'ftp://127.0.0.1/', 'unix:/run/x', 'about:blank'):
            with self.subTest(location=location):
                record = self.ask(self.leading(location))
                self.assert_rejected(record, 'REDIRECT_BLOCKED')

    def test_never_from_https_to_http(self):
        other = self.server(channel='clear')
        record = self.ask(self.leading(other.url('/text/x')))
        if self.channel == 'clear':
            self.assert_fulfilled(record, 'x')
        else:
            self.assert_rejected(record, 'REDIRECT_BLOCKED')
            self.assertEqual(other.connections, [])

    def test_from_http_to_https_and_not_back(self):
        if self.channel == 'clear':
            return
        secure = self.server()
        first = self.leading(secure.url('/text/x'), origin=self.server(channel='clear'))
        self.assert_fulfilled(self.ask(first), 'x')
        self.leading(first.url('/text/x'), origin=secure)
        first = self.leading(secure.url('/row'), origin=self.server(channel='clear'))
        self.assert_rejected(self.ask(first), 'REDIRECT_BLOCKED')

    # -- By which method, with what

    def test_methods_and_bodies(self):
        """The table of the Fetch standard; what is kept is sent as it was."""
        jobs, expected = {}, {}
        origins = {status: self.leading('/echo', status=status) for status in STATUSES}
        for status, origin in origins.items():
            for method in METHODS:
                has_body = method in ('POST', 'PUT', 'PATCH')
                keys = {'json': {'n': 1}} if has_body else {}
                name = '%s-%d' % (method, status)
                jobs[name] = self.job(origin, '/row?' + name, method=method, dedupe=False, **keys)
                gets = method != 'HEAD' if status == 303 else \
                    method == 'POST' and status in (301, 302)
                expected[name] = ('GET' if gets else method, '' if gets or not has_body
                                  else '{"n":1}')
        result = self.run_graph({'jobs': jobs})
        for name, (method, body) in expected.items():
            with self.subTest(name):
                self.assert_fulfilled(result[name])
                if method == 'HEAD':
                    continue
                echo = self.body(result[name])
                self.assertEqual((echo['method'], echo['body']), (method, body))
                self.assertEqual(echo['headers'].get('content-type'),
                                 'application/json' if body else None)
                if not body and method == 'GET':
                    self.assertNotIn('content-length', echo['headers'])

    def test_large_bodies_are_sent_again(self):
        body = pattern(600000).decode()
        origin = self.leading('/1', '/upload', status=307)
        self.assertEqual(self.body(self.ask(origin, body=body)), {'bytes': len(body)})
        self.assertEqual([len(request.body) for request in origin.requests], [len(body)] * 3)

    def test_files_are_sent_again_and_pipes_are_not(self):
        with tempfile.TemporaryFile() as file:
            file.write(pattern(200000))
            file.seek(100)
            record = self.ask(self.leading('/echo', status=308), descriptors=[file.fileno()],
                              method='PUT', body_fd=0)
            self.assertEqual(self.body(record)['body'].encode(), pattern(200000)[100:])

        reader, writer = os.pipe()
        os.write(writer, b'once')
        os.close(writer)
        origin = self.leading('/echo', status=308)
        record = self.ask(origin, descriptors=[reader], method='PUT', body_fd=0)
        self.assert_rejected(record, 'BODY_SOURCE')
        os.close(reader)
        self.assertEqual(len(origin.requests), 1)

    def test_headers_within_an_origin_all_go_along(self):
        sent = {'authorization': 'Bearer x', 'cookie': 'a=b', 'x-own': '1', 'accept': 'text/x'}
        headers = self.body(self.ask(self.leading('/1', '/echo'), headers=sent))['headers']
        for name, value in sent.items():
            self.assertEqual(headers.get(name), value)

    def test_headers_to_another_origin_are_few(self):
        """Another port is another origin, and so is another name of the same host."""
        mine = {'authorization': 'Bearer x', 'cookie': 'a=b', 'x-own': '1', 'referer': 'x',
                'proxy-authorization': 'Basic x', 'if-none-match': '"x"', 'origin': 'x'}
        anybodys = {'accept': 'text/x', 'accept-language': 'en', 'user-agent': 'me',
                    'range': 'bytes=0-'}
        other = self.server()
        same_port_other_name = self.server()
        for target in (other.url('/echo'), same_port_other_name.url('/echo', host='good.test')):
            port = same_port_other_name.port
            resolve = {'good.test:%d' % port: '127.0.0.1'}
            origin = self.leading(target, origin=same_port_other_name
                                  if 'good.test' in target else None)
            with self.subTest(target=target):
                record = self.ask(origin, headers={**mine, **anybodys}, resolve=resolve)
                headers = self.body(self.assert_fulfilled(record))['headers']
                for name, value in anybodys.items():
                    self.assertEqual(headers.get(name), value)
                for name in mine:
                    self.assertNotIn(name, headers)

    def test_what_was_left_behind_does_not_come_back(self):
        """Over another origin and home again: no header of the user's own."""
        home = self.server()
        abroad = self.leading(home.url('/echo'))
        self.leading(abroad.url('/row'), origin=home)
        headers = self.body(self.ask(home, headers={'x-own': '1', 'accept': 'x'}))['headers']
        self.assertNotIn('x-own', headers)
        self.assertEqual(headers['accept'], 'x')

    def test_content_headers_travel_with_a_kept_body_alone(self):
        sent = {'content-type': 'text/x', 'content-language': 'en'}
        other = self.server()
        for status, kept in ((307, True), (303, False)):
            origin = self.leading(other.url('/echo'), status=status)
            headers = self.body(self.ask(origin, headers=sent, body='x'))['headers']
            for name, value in sent.items():
                self.assertEqual(headers.get(name), value if kept else None)

    def test_no_cookies_are_kept_and_no_referer_is_made(self):
        origin = self.leading('/echo', fields=[('set-cookie', 'a=b')])
        headers = self.body(self.ask(origin))['headers']
        self.assertNotIn('cookie', headers)
        self.assertNotIn('referer', headers)

    # -- Beside the rest

    def test_all_hops_have_one_attempts_time(self):
        origin = self.server()
        origin.route(r'/hop/(\d+)', lambda c, r, m: (
            c.pause(0.1), c.reply(302, '', [('location', str(int(m[1]) + 1))])))
        record = self.ask(origin, '/hop/0', attempt_timeout='350ms')
        self.assert_rejected(record, 'ATTEMPT_TIMEOUT')
        self.assertEqual(record['attempts'], 1)
        self.assertIn(len(origin.requests), (2, 3, 4))

    def test_another_attempt_begins_at_the_beginning(self):
        origin = self.leading('/flaky')
        origin.script_of('/flaky', 503, 200)
        record = self.ask(origin, retry={'attempts': 2, 'delay': '1ms'})
        self.assert_fulfilled(record)
        self.assertEqual((record['attempts'], record['value']['redirects']), (2, 1))
        self.assertEqual(origin.paths(), ['/row', '/flaky'] * 2)

    def test_a_hop_needs_no_second_place(self):
        origin = self.leading('/1', '/text/end')
        result = self.run_graph({'concurrency': 1, 'jobs': [
            self.job(origin, '/row', dedupe=False) for _ in range(5)]})
        self.assertEqual(result.summary['fulfilled'], 5)

    def wait_for_a_place(self, **keys):
        """The origin, and the session and the number of a graph whose job `a` has been redirected,
        and waits for a place that `b` and `c` have."""
        origin = self.server()
        gate = origin.gate('/row|/s|/b|/c')
        session = self.session()
        number = session.submit({'concurrency': 2, 'jobs': {
            'a': self.job(origin, '/row', **keys), 's': self.job(origin, '/s'),
            'b': self.job(origin, '/b', after=['s'], priority=9),
            'c': self.job(origin, '/c', after=['s'], priority=8)}})
        gate.wait_held('/row', '/s')
        gate.answer('/s')
        gate.wait_held('/row', '/b')
        gate.answer('/row', '', 302, [('location', '/text/end')])
        gate.wait_held('/b', '/c')
        return origin, gate, session, number

    def test_an_attempt_s_time_passes_while_its_hop_waits(self):
        origin, gate, session, number = self.wait_for_a_place(attempt_timeout='400ms')
        result = Result()
        while 'a' not in result.records:
            result.take(*session.next_of(number))
        self.assert_rejected(result['a'], 'ATTEMPT_TIMEOUT', sent='full', redirects=1,
                             hops=[{'status': 302, 'url': origin.url('/row')}])
        self.assertGreaterEqual(result['a']['time']['end'], 400)
        gate.open()
        result = session.collect(number, result)
        self.assertEqual(result.summary['fulfilled'], 3)
        self.assertEqual(origin.count('/text/end'), 0)

    def test_an_attempt_that_ended_in_its_hop_s_wait_is_tried_again(self):
        origin, gate, session, number = self.wait_for_a_place(
            attempt_timeout='400ms', retry={'attempts': 2, 'delay': '1ms'})
        # Nothing tells of it; but another job, begun later, has had more time than it.
        session.run({'jobs': {'b': self.job(self.server(), '/stall', timeout='600ms')}})
        gate.open()
        result = session.collect(number)
        self.assert_fulfilled(result['a'])
        self.assertEqual(result['a']['attempts'], 2)
        self.assertEqual(result['a']['tries'][0]['code'], 'ATTEMPT_TIMEOUT')
        self.assertEqual(origin.count('/row'), 2)

    def test_shared_flights_follow_too(self):
        origin = self.leading('/delay/50')
        result = self.run_graph({'jobs': [self.job(origin, '/row') for _ in range(4)]})
        for record in result.settled:
            self.assert_fulfilled(record, '{"delay":50}')
            self.assertEqual(record['value']['redirects'], 1)

    def test_cancelled_between_hops(self):
        origin = self.leading('/stall')
        with self.daemon.session() as session:
            graph = session.submit({'jobs': {'it': self.job(origin, '/row')}})
            origin.wait(lambda: origin.count('/stall'))
            began = time.monotonic()
            session.cancel(graph)
            record = session.collect(graph)['it']
        self.assert_rejected(record, 'CANCELLED', by='client')
        self.assertLess(time.monotonic() - began, 5)

    def test_thousands_of_hops_at_once(self):
        origin = self.leading('/1', '/2', '/text/end')
        result = self.run_graph({'concurrency': 64, 'jobs': [
            self.job(origin, '/row', dedupe=False) for _ in range(400)]})
        self.assertEqual(result.summary['fulfilled'], 400)


class ClearRedirectTest(RedirectRows, FeatureCase):
    pass


class TlsRedirectTest(RedirectRows, FeatureCase):
    channel = 'tls'


class H2RedirectTest(RedirectRows, FeatureCase):
    channel = 'h2'
