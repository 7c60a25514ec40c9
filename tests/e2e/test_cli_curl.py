# SPDX-License-Identifier: MIT
"""settle get as people use curl: redirects, codings, uploads, files, -w and -v, proxies, TLS."""

import base64
import gzip
import hashlib
import json
import os
import signal
import socket
import subprocess
import threading

from harness.case import DaemonCase
from harness.certificates import Certificates
from harness.client import settle_start
from harness.daemon import wait_until
from harness.origin import pattern
from harness.proxy import Proxy


class CurlCase(DaemonCase):
    def get(self, *arguments, **options):
        return self.settle('get', *arguments, **options)

    def echo(self, *arguments, origin=None, **options):
        origin = origin or self.origin()
        done = self.get(*arguments, origin.url('/echo'), **options)
        self.assertEqual(done.code, 0, done)
        return done.json()

    def read(self, path):
        with open(path, 'rb') as file:
            return file.read()

    def file(self, content):
        path = self.directory() + '/some file'
        with open(path, 'wb') as file:
            file.write(content)
        return path


class RedirectTest(CurlCase):
    def leading(self, status=302):
        origin = self.origin()
        for at, to in (('/a', '/b'), ('/b', '/echo')):
            origin.route(at, lambda c, r, m, to=to: c.reply(status, 'hop', [('location', to)]))
        return origin

    def test_redirects_are_followed(self):
        done = self.get(self.leading().url('/a'))
        self.assertEqual((done.code, done.json()['target']), (0, '/echo'), done)
        self.assertEqual(self.get('-L', self.leading().url('/a')).json()['target'], '/echo')

    def test_as_many_as_are_wanted(self):
        origin = self.leading()
        self.assertEqual(self.get('--max-redirs', '2', origin.url('/a')).code, 0)
        done = self.get('--max-redirs', '1', origin.url('/a'))
        self.assertEqual(done.code, 1)
        self.assertIn('REDIRECT_LIMIT', done.err)
        self.assertEqual(self.get('--max-redirs', '-1', origin.url('/a')).code, 0)

    def test_none_are_followed(self):
        origin = self.leading()
        done = self.get('--max-redirs', '0', '-w', '%{http_code} %{redirect_url}',
                        origin.url('/a'))
        self.assertEqual((done.code, done.text()), (0, 'hop302 ' + origin.url('/b')), done)
        self.assertEqual(done.err, '')

    def test_write_out_tells_of_them(self):
        origin = self.leading(303)
        done = self.get('-d', 'x', '-o', '/dev/null', '-w',
                        '%{num_redirects} %{url_effective} %{method}', origin.url('/a'))
        self.assertEqual(done.text(), '2 %s GET' % origin.url('/echo'), done)

    def test_verbose_tells_of_them(self):
        done = self.get('-v', self.leading().url('/a'))
        for line in ('> GET /a HTTP/1.1\n', '< HTTP/1.1 302 Found\n', '> GET /echo HTTP/1.1\n',
                     '< HTTP/1.1 200 OK\n'):
            self.assertIn(line, done.err)


    def test_include_shows_them(self):
        origin = self.leading()
        head = ''.join('HTTP/1.1 302 Found\r\nlocation: %s\r\n\r\n' % origin.url(path)
                       for path in ('/b', '/echo')) + 'HTTP/1.1 200 OK\r\n'
        for option in '-i', '-I':
            self.assertEqual(self.get(option, origin.url('/a')).text()[:len(head)], head)

    def test_the_phrase_is_what_the_server_said_where_that_is_known(self):
        origin = self.raw_origin('HTTP/1.1 404 Gone Fishing\r\ncontent-length: 0\r\n\r\n')
        self.assertTrue(self.get('-i', origin.url()).out.startswith(
            b'HTTP/1.1 404 Gone Fishing\r\n'))
        self.assertIn('\n< HTTP/1.1 404 Gone Fishing\n', self.get('-v', origin.url()).err)


class CodingTest(CurlCase):
    def coded(self):
        origin = self.origin()
        origin.route('/z', lambda c, r, m: c.reply(
            200, gzip.compress(b'plain') if 'gzip' in r.headers.get('accept-encoding', '')
            else b'as it is', [('content-encoding', 'gzip')]
            if 'gzip' in r.headers.get('accept-encoding', '') else []))
        return origin

    def test_bodies_are_decoded(self):
        origin = self.coded()
        self.assertEqual(self.get(origin.url('/z')).out, b'plain')
        self.assertEqual(self.get('--compressed', origin.url('/z')).out, b'plain')
        path = self.directory() + '/out'
        self.assertEqual(self.get('-o', path, origin.url('/z')).code, 0)
        self.assertEqual(self.read(path), b'plain')

    def test_raw_asks_for_no_coding(self):
        self.assertEqual(self.get('--raw', self.coded().url('/z')).out, b'as it is')


class RequestTest(CurlCase):
    def test_options_that_are_headers(self):
        headers = self.echo('-u', 'me:p w', '-A', 'agent', '-e', 'http://from/', '-b', 'a=1',
                            '-b', 'b=2')['headers']
        self.assertEqual(base64.b64decode(headers['authorization'].split(' ')[1]), b'me:p w')
        self.assertEqual((headers['user-agent'], headers['referer'], headers['cookie']),
                         ('agent', 'http://from/', 'a=1; b=2'))

    def test_a_password_is_not_asked_for(self):
        done = self.get('-u', 'me', 'http://127.0.0.1:1/')
        self.assertEqual(done.code, 2)
        self.assertIn('USER:PASSWORD', done.err)

    def test_data_behind_the_url(self):
        echo = json.loads(self.get('-G', '-d', 'a=1', '--data-urlencode', 'b=c d',
                                   self.origin().url('/echo?x')).out)
        self.assertEqual((echo['method'], echo['target']), ('GET', '/echo?x&a=1&b=c%20d'))
        self.assertEqual(echo['body'], '')


class HabitTest(CurlCase):
    """Options that people type without thinking."""

    def ranged(self):
        """A server that knows one range, and codes its bodies wherever it may."""
        origin = self.origin()

        def answer(connection, request, match):
            asked = request.headers.get('range')
            if not asked:
                connection.reply(200, b'0123456789')
                return
            first, last = asked[len('bytes='):].split('-')
            part = b'0123456789'[int(first):int(last) + 1 if last else None]
            connection.reply(206 if part else 416, part)

        origin.route('/r', answer)
        return origin

    def test_a_range(self):
        origin = self.ranged()
        for arguments, body, seen in (
                (('-r', '2-4'), b'234', 'bytes=2-4'), (('-r7',), b'789', 'bytes=7-'),
                (('--range', '7-', '--compressed'), b'789', 'bytes=7-')):
            with self.subTest(arguments=arguments):
                done = self.get(*arguments, origin.url('/r'))
                self.assertEqual((done.code, done.out), (0, body), done)
                self.assertEqual(origin.requests[-1].headers['range'], seen)
                self.assertNotIn('accept-encoding', origin.requests[-1].headers)
        path = self.directory() + '/out'
        self.assertEqual(self.get('-r', '1-2', '-o', path, origin.url('/r')).code, 0)
        self.assertEqual(self.read(path), b'12')
        done = self.get('-r', '10-', origin.url('/r'))
        self.assertEqual(done.code, 1, done)
        self.assertIn('416', done.err)

    def test_a_part_of_a_coded_body_is_not_decoded(self):
        origin = self.origin()
        coded = gzip.compress(b'plain')
        origin.route('/z', lambda c, r, m: c.reply(206, coded[4:9],
                                                   [('content-encoding', 'gzip')]))
        self.assertEqual(self.get('-r', '4-8', origin.url('/z')).out, coded[4:9])

    def test_what_is_always_so(self):
        url = self.origin().url('/text/ok')
        for arguments in (('-fsSL',), ('-gNZ',), ('--tlsv1.2', '--parallel', '--no-buffer'),
                          ('-#',), ('--progress-bar', '-s'), ('--create-dirs',)):
            with self.subTest(arguments=arguments):
                done = self.get(*arguments, url)
                self.assertEqual((done.code, done.out, done.err), (0, b'ok', ''), done)

    def test_silent_and_failing(self):
        url = self.origin().url('/status/404')
        self.assertNotEqual(self.get('-s', url).out, b'')
        for arguments, is_told in ((('-fs',), False), (('-fsS',), True), (('-f',), True)):
            done = self.get(*arguments, url)
            self.assertEqual((done.code, done.out, '404' in done.err), (1, b'', is_told), done)

    def test_what_is_refused_says_what_to_do(self):
        for arguments, help_ in (
                (('-4',), '--resolve'), (('-OJ',), '-o FILE'), (('-C', '-'), '-r N-'),
                (('--tlsv1.3',), '1.2 is the least'), (('-b', 'jar.txt'), 'NAME=VALUE'),
                (('-c', 'jar.txt'), 'number'), (('--cookie-jar', 'x'), '-b NAME=VALUE'),
                (('-F', 'a=@b'), '--data-binary'), (('-D', '-'), '-i'), (('-n',), '-u'),
                (('-:',), 'settle run'), (('-0',), 'leave it out'), (('-K', 'x'), 'graph'),
                (('--limit-rate', '1k'), '-c'), (('-r', 'x'), '0-499')):
            with self.subTest(arguments=arguments):
                done = self.get(*arguments, 'http://127.0.0.1:1/')
                self.assertEqual((done.code, done.out), (2, b''), done)
                self.assertIn(help_, done.err)
                self.assertNotIn('unknown', done.err)


class UploadTest(CurlCase):
    def test_a_file_is_put(self):
        content = bytes(range(256)) * 4000
        origin = self.origin()
        done = self.get('-T', self.file(content), origin.url('/echo/dir/'))
        self.assertEqual(done.code, 0, done)
        request = origin.requests[0]
        self.assertEqual((request.method, request.target), ('PUT', '/echo/dir/some%20file'))
        self.assertEqual(request.headers['content-length'], str(len(content)))
        self.assertNotIn('expect', request.headers)
        self.assertEqual(request.body, content)

    def test_stdin_is_put_chunked(self):
        origin = self.origin()
        done = self.get('-T', '-', origin.url('/echo'), stdin='piped' * 50000)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(origin.requests[0].headers['transfer-encoding'], 'chunked')
        self.assertEqual(origin.requests[0].body, b'piped' * 50000)

    def test_stdin_that_is_no_pipe_is_put_too(self):
        ours, its = socket.socketpair()
        with ours, its, open(os.devnull, 'rb') as null:
            ours.sendall(b'through a socket')
            ours.shutdown(socket.SHUT_WR)
            for stdin, body in ((null, b''), (its, b'through a socket')):
                origin = self.origin()
                process = settle_start('get', '-T', '-', origin.url('/echo'),
                                       sock=self.daemon.path, stdin=stdin)
                _, err = process.communicate()
                self.assertEqual(process.returncode, 0, err)
                self.assertEqual(origin.requests[0].body, body)

    def test_a_file_is_posted(self):
        content = os.urandom(700000)
        origin = self.origin()
        done = self.get('--data-binary', '@' + self.file(content), origin.url('/upload'),
                        origin.url('/upload'))
        self.assertEqual(done.code, 0, done)
        self.assertEqual([r.body for r in origin.requests], [content, content])

    def test_an_empty_file(self):
        origin = self.origin()
        self.assertEqual(self.get('-T', self.file(b''), origin.url('/echo')).code, 0)
        self.assertEqual(origin.requests[0].headers['content-length'], '0')

    def test_what_cannot_be_sent(self):
        self.assertEqual(self.get('-T', '/nonexistent', 'http://127.0.0.1:1/').code, 6)
        done = self.get('-T', '/', 'http://127.0.0.1:1/')
        self.assertEqual((done.code, done.err), (6, 'settle: cannot read /: Is a directory\n'))

    def test_an_upload_and_a_download(self):
        path = self.directory() + '/out'
        done = self.get('-T', self.file(b'both ways'), '-o', path, self.origin().url('/echo'))
        self.assertEqual(done.code, 0, done)
        self.assertEqual(json.loads(self.read(path))['body'], 'both ways')


class OutputTest(CurlCase):
    def test_a_body_leaves_as_it_comes(self):
        more = threading.Event()
        self.addCleanup(more.set)

        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\none\n')
            more.wait(20)
            connection.send('two\n')
            connection.wait_end()

        process = settle_start('get', self.origin(script).url('/'), sock=self.daemon.path)
        self.assertEqual(process.stdout.readline(), b'one\n')
        more.set()
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out, err), (0, b'two\n', b''))

    def test_a_large_file(self):
        path = self.directory() + '/out'
        done = self.get('-o', path, self.origin().url('/bytes/30000000'))
        self.assertEqual((done.code, done.out), (0, b''), done)
        self.assertEqual(self.read(path), pattern(30000000))

    def test_a_file_of_a_chunked_body_and_of_none(self):
        path = self.directory() + '/out'
        self.assertEqual(self.get('-o', path, self.origin().url('/chunked/10/1000')).code, 0)
        self.assertEqual(os.path.getsize(path), 10000)
        self.assertEqual(self.get('-o', path, self.origin().url('/bytes/0')).code, 0)
        self.assertEqual(os.path.getsize(path), 0)

    def test_head_and_body_in_a_file(self):
        path = self.directory() + '/out'
        self.assertEqual(self.get('-i', '-o', path, self.origin().url('/text/x')).code, 0)
        self.assertTrue(self.read(path).startswith(b'HTTP/1.1 200 OK\r\n'))
        self.assertTrue(self.read(path).endswith(b'\r\n\r\nx'))

    def test_directories_are_made(self):
        directory = self.directory()
        origin = self.origin()
        path = directory + '/a/b/out'
        for arguments in ((), ('-i',)):
            done = self.get(*arguments, '-o', path, origin.url('/text/x'))
            self.assertEqual((done.code, os.listdir(directory)), (6, []), done)
            self.assertIn('--create-dirs', done.err)
        self.assertEqual(origin.requests, [])
        self.assertEqual(self.get('--create-dirs', '-o', path, origin.url('/text/x')).code, 0)
        self.assertEqual(self.read(path), b'x')

    def test_a_link_to_nothing_is_followed(self):
        for arguments in ((), ('-i',)):
            directory = self.directory()
            os.symlink('target', directory + '/link')
            self.assertEqual(self.get(*arguments, '-o', directory + '/link',
                                      self.origin().url('/status/404')).code, 1)
            self.assertEqual(os.listdir(directory), ['link'])
            done = self.get(*arguments, '-o', directory + '/link', self.origin().url('/text/x'))
            self.assertEqual(done.code, 0, done)
            self.assertEqual(self.read(directory + '/target')[-1:], b'x')
            self.assertTrue(os.path.islink(directory + '/link'))
            self.assertEqual(len(os.listdir(directory)), 2)

    def test_where_no_file_can_be(self):
        directory = self.directory()
        origin = self.origin()
        os.symlink('loop', directory + '/loop')
        os.symlink('nowhere/x', directory + '/gone')
        with open(directory + '/file', 'w', encoding='utf-8') as file:
            file.write('old')
        before = sorted(os.listdir(directory))
        for path, message in (('', 'Is a directory'), ('/new/', 'Is a directory'),
                              ('/file/x', 'Not a directory'), ('/loop', 'Too many levels'),
                              ('/gone', 'No such file'), ('/' + 'n' * 256, 'too long')):
            for arguments in ((), ('-i',)):
                with self.subTest(path=path, arguments=arguments):
                    done = self.get(*arguments, '-o', directory + path, origin.url('/text/x'))
                    self.assertEqual(done.code, 6, done)
                    self.assertIn(message, done.err)
        self.assertEqual(origin.requests, [])
        self.assertEqual(sorted(os.listdir(directory)), before)
        self.assertEqual(self.read(directory + '/file'), b'old')

    def test_what_is_read_only_stays_as_it_is(self):
        directory = self.directory()
        path = directory + '/file'
        os.chmod(directory, 0o777)
        with open(path, 'w', encoding='utf-8') as file:
            file.write('old')
        os.chmod(path, 0o444)
        origin = self.origin()
        options = {'user': 65534} if os.geteuid() == 0 else {}
        for arguments in ((), ('-i',)):
            done = self.get(*arguments, '-o', path, origin.url('/text/x'), **options)
            self.assertEqual(done.code, 6, done)
            self.assertIn('cannot write %s: Permission denied' % path, done.err)
        self.assertEqual(origin.requests, [])
        self.assertEqual(self.read(path), b'old')

    def test_what_is_no_file_is_written_to(self):
        origin = self.origin()
        directory = self.directory()
        os.symlink('/dev/stdout', directory + '/link')
        for path, out in (('-', b'x'), ('/dev/stdout', b'x'), (directory + '/link', b'x'),
                          ('/dev/null', b''), ('/dev/fd/1', b'x')):
            with self.subTest(path=path):
                done = self.get('-o', path, origin.url('/text/x'))
                self.assertEqual((done.code, done.out, done.err), (0, out, ''))
        done = self.get('-o', '/dev/fd/3', origin.url('/text/x'))
        self.assertEqual(done.code, 6, done)
        self.assertIn('Bad file descriptor', done.err)

    def test_a_pipe_with_a_name(self):
        path = self.directory() + '/pipe'
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        for arguments in ((), ('-i',)):
            done = self.get(*arguments, '-o', path, self.origin().url('/text/piped'))
            self.assertEqual(done.code, 0, done)
            self.assertTrue(os.read(reader, 65536).endswith(b'piped'))
        os.close(reader)

    def test_a_pipe_that_nobody_reads_can_be_left(self):
        path = self.directory() + '/pipe'
        os.mkfifo(path)
        process = settle_start('get', '-o', path, self.origin().url('/text/x'),
                               sock=self.daemon.path)
        wait_until(lambda: self.is_asleep(process.pid), what='it waits for a reader')
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out, err), (130, b'', b''))

    @staticmethod
    def is_asleep(pid):
        """And SIGINT would be caught."""
        with open('/proc/%d/status' % pid, encoding='utf-8') as file:
            status = dict(line.split(':\t', 1) for line in file.read().splitlines())
        return status['State'].startswith('S') and int(status['SigCgt'], 16) & 2

    def test_a_signal_leaves_no_file(self):
        directory = self.directory()

        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n' + 'x' * 300000)
            connection.wait_end()

        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
            origin = self.origin(script)
            process = settle_start('get', '-o', directory + '/out', origin.url('/'),
                                   sock=self.daemon.path)
            origin.wait(lambda origin=origin: origin.connections and
                        origin.connections[0].sent > 300000)
            process.send_signal(number)
            process.communicate(timeout=20)
            self.assertEqual(process.returncode, status)
            self.assertEqual(os.listdir(directory), [])
            origin.wait(lambda origin=origin: origin.connections[0].ended)

    def test_a_full_device_is_6(self):
        done = self.get('-o', '/dev/full', self.origin().url('/bytes/300000'))
        self.assertEqual(done.code, 6, done)
        self.assertIn('No space left', done.err)

    def test_a_slow_reader_slows_the_origin(self):
        origin = self.origin(lambda c: (c.read_request(), c.send(
            'HTTP/1.1 200 OK\r\ncontent-length: 500000000\r\n\r\n'), c.send_endless(b'x' * 65536)))
        process = settle_start('get', origin.url('/'), sock=self.daemon.path)
        process.stdout.read(100000)
        wait_until(lambda: origin.connections[0].sent > 1000000)
        self.assertLess(origin.connections[0].sent, 100000000)
        process.kill()
        process.communicate()
        origin.wait(lambda: origin.connections[0].ended)

    def test_a_file_that_is_standard_output_is_not_replaced(self):
        path = self.file(b'before ')
        for option in ('-s', '-i'):
            with open(path, 'ab') as file:
                process = settle_start('get', option, '-o', '/dev/stdout',
                                       self.origin().url('/echo'), sock=self.daemon.path,
                                       stdout=file)
                process.communicate()
                self.assertEqual(process.returncode, 0)
        self.assertEqual(self.read(path).count(b'"target"'), 2)
        self.assertTrue(self.read(path).startswith(b'before '))


class RefusalTest(CurlCase):
    """Nobody wrote the document, so that what is wrong with it is an option or a URL."""

    def test_the_url_is_named(self):
        done = self.get('http://127.0.0.1:1/', 'http://a b/')
        self.assertEqual(done.code, 3)
        self.assertRegex(done.err, '^settle: http://a b/: URL_INVALID: a space')

    def test_the_option_is_named(self):
        cases = (('--proxy', '-x', 'socks5://h:1'), ('--cacert', '--cacert', '/etc/hostname'),
                 ('--resolve', '--resolve', 'h:1:x'), ('--request', '-X', 'A B'),
                 ('--pinnedpubkey', '--pinnedpubkey', 'sha256//AAAA'))
        for name, option, value in cases:
            with self.subTest(option):
                done = self.get(option, value, 'https://h:1/')
                self.assertEqual(done.code, 3)
                self.assertRegex(done.err, '^settle: option %s: GRAPH_VALUE: ' % name)

    def test_a_certificate_without_a_key_is_told_of_as_such(self):
        path = self.file(b'-----BEGIN CERTIFICATE-----\n')
        done = self.get('-E', path, 'https://h:1/')
        self.assertEqual(done.code, 2)
        self.assertIn('option --cert: %s has no private key' % path, done.err)

    def test_help_is_offered_for_the_command(self):
        self.assertIn('try settle get --help', self.get('--nope', 'http://h/').err)
        for arguments in ((), ('nope',), ('--nope',)):
            self.assertTrue(self.settle(*arguments).err.endswith('settle: try settle --help\n'))
        for arguments in (('help',), ('help', 'get'), ('get', '-h')):
            self.assertTrue(self.settle(*arguments).out.startswith(b'Usage: settle '))


class WriteOutTest(CurlCase):
    def test_as_curl_has_it(self):
        origin = self.origin()
        done = self.get('-s', '-o', '/dev/null', '-w', '%{http_code} %{http_version} '
                        '%{size_download} %{remote_ip}:%{remote_port} %{scheme} '
                        '%header{content-type} %{exitcode}%%\\n', origin.url('/text/hello'))
        self.assertEqual(done.text(), '200 1.1 5 127.0.0.1:%d http text/plain 0%%\n' % origin.port)

    def test_times_grow(self):
        done = self.get('-o', '/dev/null', '-w', '%{json}', self.origin().url('/delay/50'))
        values = done.json()
        times = [values['time_' + name] for name in (
            'queue', 'namelookup', 'connect', 'pretransfer', 'starttransfer', 'total')]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(values['time_starttransfer'], 0.05)

    def test_of_a_rejection(self):
        done = self.get('-s', '-w', '%{http_code} %{exitcode} %{errormsg}',
                        'http://127.0.0.1:1/')
        self.assertEqual(done.code, 1)
        self.assertTrue(done.text().startswith('000 1 CONNECT_REFUSED: '), done)


class ProxyTest(CurlCase):
    def proxy(self, **options):
        proxy = Proxy(**options)
        self.addCleanup(proxy.close)
        return proxy

    def test_by_way_of_a_proxy(self):
        proxy = self.proxy(credentials='me:p@w')
        address = '127.0.0.1:%d' % proxy.port
        for arguments in (('-x', 'http://me:p%40w@' + address), ('-x', address, '-U', 'me:p@w')):
            done = self.get(*arguments, 'http://api.test/x')
            self.assertEqual(done.code, 0, done)
            self.assertEqual(done.json()['target'], 'http://api.test/x')
        self.assertEqual(self.get('-x', address, 'http://api.test/x').code, 1)
        done = self.get('-v', '-x', 'http://me:p%40w@' + address, 'http://api.test/x')
        self.assertIn('by way of the proxy http://%s\n' % address, done.err)
        self.assertNotIn('p@w', done.err)

    def test_not_for_some(self):
        proxy = self.proxy()
        done = self.get('-x', '127.0.0.1:%d' % proxy.port, '--noproxy', '127.0.0.0/8',
                        self.origin().url('/text/direct'))
        self.assertEqual(done.out, b'direct', done)
        self.assertEqual(proxy.requests, [])

    def test_the_environment_is_asked_when_told_to(self):
        proxy = self.proxy()
        env = {'http_proxy': 'http://127.0.0.1:%d' % proxy.port}
        done = self.get(self.origin().url('/text/direct'), env=env)
        self.assertEqual((done.out, proxy.requests), (b'direct', []))
        done = self.get('--proxy-from-env', 'http://api.test/x', env=env)
        self.assertEqual(done.json()['target'], 'http://api.test/x')


class TlsTest(CurlCase):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.directory())
        self.certificates.make_leaf('leaf', 'IP:127.0.0.1')

    def test_a_certificate_of_our_own(self):
        certificates = self.certificates
        certificates.make_leaf('me', 'DNS:me')
        origin = self.origin(tls=certificates.server('leaf', client_ca='ca'))
        ca = ('--cacert', certificates.path('ca.pem'))
        url = origin.url('/text/ok')
        self.assertEqual(self.get(*ca, url).code, 1)
        done = self.get(*ca, '-E', certificates.path('me.pem'), '--key',
                        certificates.path('me.key'), url)
        self.assertEqual(done.out, b'ok', done)
        both = self.file(self.read(certificates.path('me.pem')) +
                         self.read(certificates.path('me.key')))
        done = self.get(*ca, '-E', both, url)
        self.assertEqual(done.out, b'ok', done)

    def test_a_pinned_key(self):
        certificates = self.certificates
        origin = self.origin(tls=certificates.server('leaf'))
        key = subprocess.run(['openssl', 'pkey', '-in', certificates.path('leaf.key'), '-pubout',
                              '-outform', 'DER'], capture_output=True, check=True).stdout
        pin = 'sha256//' + base64.b64encode(hashlib.sha256(key).digest()).decode()
        other = 'sha256//' + base64.b64encode(b'0' * 32).decode()
        for pins, code in ((pin, 0), (other, 1), (other + ';' + pin, 0)):
            done = self.get('-k', '--pinnedpubkey', pins, origin.url('/text/ok'))
            self.assertEqual(done.code, code, done)

    def test_verbose_tells_of_tls(self):
        origin = self.origin(tls=self.certificates.server('leaf'))
        done = self.get('-v', '-k', '--http1.1', origin.url('/text/ok'))
        self.assertRegex(done.err, r'a new connection: .*, TLS [0-9.]+ ms')
