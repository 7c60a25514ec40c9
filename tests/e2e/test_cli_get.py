# SPDX-License-Identifier: MIT
"""settle get: one URL as curl shows it, several as records; curl's options; files."""

import json
import os

from harness.case import DaemonCase
from harness.certificates import Certificates
from harness.client import settle_start
from harness.origin import pattern


class GetCase(DaemonCase):
    def get(self, *arguments, **options):
        return self.settle('get', *arguments, **options)

    def echo(self, *arguments, origin=None, **options):
        origin = origin or self.origin()
        done = self.get(*arguments, origin.url('/echo'), **options)
        self.assertEqual(done.code, 0, done)
        return done.json()


class DescriptorTest(GetCase):
    def test_a_body_never_lands_in_the_daemons_socket(self):
        """With stdin and stdout closed, the socket to the daemon would be descriptor 0 or 1."""
        victim = self.origin()
        body = json.dumps({'id': 1, 'submit': {'jobs': {'evil': {'url': victim.url('/evil')}}}})
        evil = self.origin(lambda c: c.read_request() and c.reply(body=body + '\n'))

        def close_both():
            os.close(0)
            os.close(1)

        process = settle_start('get', evil.url('/'), sock=self.daemon.path, preexec_fn=close_both)
        error = process.communicate(timeout=30)[1].decode()
        self.assertEqual(process.returncode, 6, error)
        self.assertIn('Bad file descriptor', error)
        self.assertEqual(victim.requests, [])


class OneTest(GetCase):
    def test_body_alone_on_stdout(self):
        done = self.get(self.origin().url('/text/hello'))
        self.assertEqual((done.code, done.out, done.err), (0, b'hello', ''))

    def test_large_and_binary_bodies_are_whole(self):
        origin = self.origin()
        origin.route('/bin', lambda c, r, m: c.reply(200, bytes(range(256)) * 100))
        self.assertEqual(self.get(origin.url('/bin')).out, bytes(range(256)) * 100)
        self.assertEqual(self.get(origin.url('/bytes/9000000')).out, pattern(9000000))
        self.assertEqual(self.get(origin.url('/bytes/0')).out, b'')

    def test_rejected_status_is_1_and_shows_the_body(self):
        done = self.get(self.origin().url('/status/404'))
        self.assertEqual(done.code, 1)
        self.assertIn('404', done.err)

    def test_fail_shows_no_body(self):
        done = self.get('-f', self.origin().url('/status/404'))
        self.assertEqual((done.code, done.out), (1, b''))

    def test_rejection_is_explained_on_stderr(self):
        done = self.get('http://127.0.0.1:1/')
        self.assertEqual((done.code, done.out), (1, b''))
        self.assertIn('CONNECT_REFUSED', done.err)
        self.assertEqual(self.get('-s', 'http://127.0.0.1:1/').err, '')
        self.assertIn('CONNECT_REFUSED', self.get('-sS', 'http://127.0.0.1:1/').err)

    def test_include_shows_the_head(self):
        done = self.get('-i', self.origin().url('/text/hello'))
        head, body = done.out.replace(b'\r\n', b'\n').split(b'\n\n', 1)
        self.assertTrue(head.startswith(b'HTTP/1.1 200 OK\n'), head)
        self.assertIn(b'content-type: text/plain', head.lower())
        self.assertEqual(body, b'hello')

    def test_head_shows_the_head_alone(self):
        origin = self.origin()
        done = self.get('-I', origin.url('/bytes/100'))
        self.assertTrue(done.out.startswith(b'HTTP/1.1 200 OK\r\n'), done)
        self.assertIn(b'content-length: 100', done.out.lower())
        self.assertEqual(origin.requests[0].method, 'HEAD')

    def test_missing_and_bad_urls(self):
        self.assertEqual(self.get().code, 2)
        done = self.get('ftp://x/')
        self.assertEqual(done.code, 3, done)
        self.assertIn('URL_INVALID', done.err)


class RequestTest(GetCase):
    """Options keep curl's letters and meaning."""

    def test_method_and_headers(self):
        echo = self.echo('-X', 'DELETE', '-H', 'X-A: b', '-H', 'x-c:d', '-H', 'Accept: text/x')
        self.assertEqual(echo['method'], 'DELETE')
        self.assertEqual((echo['headers']['x-a'], echo['headers']['x-c']), ('b', 'd'))
        self.assertEqual(echo['headers']['accept'], 'text/x')

    def test_data(self):
        echo = self.echo('-d', 'a=1', '-d', 'b=2')
        self.assertEqual((echo['method'], echo['body']), ('POST', 'a=1&b=2'))
        self.assertEqual(echo['headers']['content-type'], 'application/x-www-form-urlencoded')
        path = self.directory() + '/data'
        with open(path, 'w', encoding='utf-8') as file:
            file.write('line1\nline2\r\n')
        self.assertEqual(self.echo('-d', '@' + path)['body'], 'line1line2')
        self.assertEqual(self.echo('--data-binary', '@' + path)['body'], 'line1\nline2\r\n')
        self.assertEqual(self.echo('--data-raw', '@x')['body'], '@x')
        self.assertEqual(self.echo('-d', '@-', stdin='from stdin')['body'], 'from stdin')
        self.assertEqual(self.echo('--data-urlencode', 'q=a b&c')['body'], 'q=a%20b%26c')
        self.assertEqual(self.get('-d', '@/nonexistent', 'http://x/').code, 6)

    def test_json(self):
        echo = self.echo('--json', '{"a":1}')
        self.assertEqual((echo['method'], echo['body']), ('POST', '{"a":1}'))
        self.assertEqual(echo['headers']['content-type'], 'application/json')
        self.assertEqual(echo['headers']['accept'], 'application/json')

    def test_braces_in_arguments_are_no_references(self):
        echo = self.echo('-H', 'x-a: {{nope}}', '-d', '{{0}}')
        self.assertEqual((echo['headers']['x-a'], echo['body']), ('{{nope}}', '{{0}}'))

    def test_max_time(self):
        done = self.get('-m', '0.2', self.origin().url('/stall'))
        self.assertEqual(done.code, 124)
        self.assertRegex(done.err, 'TIMEOUT')

    def test_retry_is_as_many_attempts_more(self):
        origin = self.origin()
        answers = [503, 503, 200]
        origin.route('/flaky', lambda c, r, m: c.reply(answers.pop(0), 'x'))
        done = self.get('--retry', '2', '--format', 'jsonl', origin.url('/flaky'))
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.lines()[0]['attempts'], 3)
        answers[:] = [503, 200]
        done = self.get('--retry', '0', origin.url('/flaky'))
        self.assertEqual(done.code, 1)
        for value in ('x', '-1', '1001'):
            self.assertEqual(self.get('--retry', value, 'http://x/').code, 2)

    def test_retry_gives_each_attempt_its_time(self):
        origin = self.origin()
        served = []

        def answer(connection, request, match):
            served.append(request)
            if len(served) == 1:
                connection.wait_end()
            else:
                connection.reply(200, 'late')

        origin.route('/slow', answer)
        done = self.get('--retry', '1', '-m', '0.5', origin.url('/slow'))
        self.assertEqual((done.code, done.out), (0, b'late'), done)

    def test_max_filesize(self):
        done = self.get('--max-filesize', '1000', self.origin().url('/bytes/1001'))
        self.assertEqual(done.code, 1)
        self.assertIn('BODY_TOO_LARGE', done.err)

    def test_resolve(self):
        origin = self.origin()
        done = self.get('--resolve', 'api.test:%d:127.0.0.1' % origin.port,
                        'http://api.test:%d/echo' % origin.port)
        self.assertEqual(done.json()['headers']['host'], 'api.test:%d' % origin.port)

    def test_accepted_options_change_nothing(self):
        self.echo('--http2', '--http1.1', '--raw', '--compressed', '-L', '--max-redirs', '0')

    def test_tls_options(self):
        directory = self.directory()
        certificates = Certificates(directory)
        certificates.make_leaf('leaf', 'IP:127.0.0.1')
        origin = self.origin(tls=certificates.server('leaf'))
        url = origin.url('/text/ok')
        done = self.get(url)
        self.assertEqual(done.code, 1)
        self.assertIn('CERT_UNTRUSTED', done.err)
        self.assertEqual(self.get('-k', url).out, b'ok')
        self.assertEqual(self.get('--cacert', certificates.path('ca.pem'), url).out, b'ok')
        self.assertEqual(self.get('--cacert', certificates.path('stranger.pem'), url).code, 1)
        self.assertEqual(self.get('--cacert', '/nonexistent', url).code, 6)


class FileTest(GetCase):
    def test_output_file(self):
        path = self.directory() + '/out'
        done = self.get('-o', path, self.origin().url('/bytes/300000'))
        self.assertEqual((done.code, done.out), (0, b''), done)
        with open(path, 'rb') as file:
            self.assertEqual(file.read(), pattern(300000))

    def test_rejected_job_leaves_no_file(self):
        directory = self.directory()
        for url in (self.origin().url('/status/404'), 'http://127.0.0.1:1/', self.raw_origin(
                'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf').url()):
            done = self.get('-o', directory + '/out', url)
            self.assertEqual(done.code, 1, done)
            self.assertEqual(os.listdir(directory), [])

    def test_rejected_job_leaves_an_older_file_alone(self):
        path = self.directory() + '/out'
        with open(path, 'w', encoding='utf-8') as file:
            file.write('older')
        self.assertEqual(self.get('-o', path, 'http://127.0.0.1:1/').code, 1)
        with open(path, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'older')

    def test_remote_name(self):
        directory = self.directory()
        done = self.get('-O', self.origin().url('/text/report.txt?x=1'), cwd=directory)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(os.listdir(directory), ['report.txt'])

    def test_remote_name_never_leaves_the_directory(self):
        """L15"""
        origin = self.origin(lambda c: c.read_request() and c.reply(
            200, 'x', [('connection', 'close')]))
        directory = self.directory()
        os.mkdir(directory + '/in')
        for path in ('/a/..%2F..%2Fevil', '/a/%2e%2e', '/', '/a/'):
            self.get('-O', origin.url(path), cwd=directory + '/in')
            self.assertEqual(os.listdir(directory), ['in'])

    def test_unwritable_file_is_6(self):
        done = self.get('-o', '/nonexistent/dir/out', self.origin().url('/text/x'))
        self.assertEqual(done.code, 6, done)

    def test_output_for_each_url(self):
        origin = self.origin()
        directory = self.directory()
        done = self.get('-o', directory + '/a', origin.url('/text/one'),
                        '-o', directory + '/b', origin.url('/text/two'))
        self.assertEqual(done.code, 0, done)
        for name, text in (('a', 'one'), ('b', 'two')):
            with open(os.path.join(directory, name), encoding='utf-8') as file:
                self.assertEqual(file.read(), text)

    def test_closed_stdout_is_not_silent(self):
        process = settle_start('get', self.origin().url('/bytes/3000000'), sock=self.daemon.path)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        process.stdin.close()
        self.assertNotEqual(process.wait(20), 0, err)


class SeveralTest(GetCase):
    def test_several_urls_give_records(self):
        origin = self.origin()
        done = self.get(origin.url('/delay/60'), origin.url('/text/x'))
        records = done.lines()
        self.assertEqual([r['job'] for r in records], ['1', '0'])
        self.assertEqual(records[0]['value']['body'], 'x')
        self.assertEqual(done.code, 0)

    def test_options_hold_for_all(self):
        origin = self.origin()
        done = self.get('-H', 'x-a: b', '--keep-order', origin.url('/echo/1'),
                        origin.url('/echo/2'))
        self.assertEqual([r['value']['body']['headers']['x-a'] for r in done.lines()],
                         ['b', 'b'])

    def test_one_rejected_is_1(self):
        origin = self.origin()
        done = self.get(origin.url('/text/x'), origin.url('/status/500'))
        self.assertEqual(done.code, 1)
        self.assertEqual(len(done.lines()), 2)

    def test_mode_all(self):
        origin = self.origin()
        done = self.get('--mode', 'all', '--format', 'json', origin.url('/stall'),
                        origin.url('/status/500'))
        self.assertEqual(done.code, 1)
        self.assertEqual(done.json()['jobs']['0']['reason']['code'], 'CANCELLED')

    def test_mode_any_and_race(self):
        origin = self.origin()
        done = self.get('--mode', 'any', '--format', 'json', origin.url('/status/500'),
                        origin.url('/stall'), origin.url('/text/x'))
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.json()['summary']['winner'], '2')
        self.assertEqual(done.json()['jobs']['1']['reason']['by'], 'winner')
        done = self.get('--mode', 'race', origin.url('/status/500'), origin.url('/stall'))
        self.assertEqual(done.code, 1)

    def test_concurrency(self):
        origin = self.origin()
        done = self.get('-P', '1', *[origin.url('/text/%d' % i) for i in range(10)])
        self.assertEqual(done.code, 0)
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual(origin.paths(), ['/text/%d' % i for i in range(10)])

    def test_partition_of_urls(self):
        origin = self.origin()
        done = self.get('--format', 'partition', origin.url('/text/x'), 'http://127.0.0.1:1/')
        value = json.loads(done.out)
        self.assertEqual(value['fulfilled'], {'0': 'x'})
        self.assertEqual(value['rejected']['1']['code'], 'CONNECT_REFUSED')
