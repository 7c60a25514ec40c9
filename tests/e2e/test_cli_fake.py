# SPDX-License-Identifier: MIT
"""settle with a daemon that a test scripts: pieces of bodies, and files that go with a graph."""

import os
import signal
import threading

from harness.case import Case
from harness.client import settle, settle_start
from harness.fake import FakeDaemon


class FakeCase(Case):
    def daemon(self, script):
        """The path of one that does this with each session."""
        path = self.directory() + '/sock'
        daemon = FakeDaemon(path, script)
        self.addCleanup(daemon.close)
        return path

    def settle(self, script, *arguments, **options):
        return settle(*arguments, sock=self.daemon(script), **options)

    def read(self, path):
        with open(path, 'rb') as file:
            return file.read()


class StreamTest(FakeCase):
    def test_a_body_leaves_as_it_comes(self):
        seen = threading.Event()

        def script(session):
            job = session.read_submit()['jobs'][0]
            self.assertEqual(job['output'], 'stream')
            session.chunk('0', 0, b'one\n')
            self.assertTrue(seen.wait(20))
            session.chunk('0', 4, b'two\n')
            session.fulfil('0', size=8)
            session.done()

        process = settle_start('get', 'http://x/', sock=self.daemon(script))
        self.assertEqual(process.stdout.readline(), b'one\n')
        seen.set()
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out, err), (0, b'two\n', b''))

    def test_large_and_binary_bodies_are_whole(self):
        piece = bytes(range(256)) * 256

        def script(session):
            session.read_submit()
            for i in range(100):
                session.chunk('0', i * len(piece), piece)
            session.fulfil('0', size=100 * len(piece))
            session.done()

        done = self.settle(script, 'get', 'http://x/')
        self.assertEqual((done.code, done.out), (0, piece * 100))

    def test_a_rejection_behind_a_piece_is_told(self):
        def script(session):
            session.read_submit()
            session.chunk('0', 0, b'half')
            session.reject('0', 'BODY_TRUNCATED')
            session.done()

        done = self.settle(script, 'get', 'http://x/')
        self.assertEqual((done.code, done.out), (1, b'half'))
        self.assertIn('BODY_TRUNCATED', done.err)

    def test_a_body_that_begins_anew_is_6(self):
        def script(session):
            session.read_submit()
            session.chunk('0', 0, b'half')
            session.chunk('0', 0, b'whole')
            session.fulfil('0', size=5)
            session.done()

        done = self.settle(script, 'get', 'http://x/')
        self.assertEqual((done.code, done.out), (6, b'half'))
        self.assertIn('begun anew', done.err)

    def test_who_closes_the_pipe_ends_it(self):
        def script(session):
            session.read_submit()
            try:
                for i in range(1000):
                    session.chunk('0', i * 65536, b'x' * 65536)
            except OSError:
                return
            self.fail('it went on reading')

        process = settle_start('get', 'http://x/', sock=self.daemon(script))
        process.stdout.read(10)
        process.stdout.close()
        process.stdin.close()
        with process.stderr:
            process.stderr.read()
        self.assertEqual(process.wait(20), 6)

    def test_a_head_in_front_needs_the_whole_body(self):
        def script(session):
            job = session.read_submit()['jobs'][0]
            self.assertNotIn('output', job)
            session.fulfil('0', size=2, payload=b'hi', headers={'a': 'b'})
            session.done()

        done = self.settle(script, 'get', '-i', 'http://x/')
        self.assertEqual((done.code, done.out), (0, b'HTTP/1.1 200 OK\r\na: b\r\n\r\nhi'))

    def test_run_puts_bodies_together(self):
        graph = {'jobs': {'a': {'url': 'http://x/', 'output': 'stream'},
                          'b': {'url': 'http://x/', 'output': 'stream'}}}

        def script(session):
            session.read_submit()
            session.chunk('a', 0, b'{"n":')
            session.chunk('b', 0, b'\xff')
            session.chunk('a', 5, b'1}')
            session.fulfil('b', 1, size=1)
            session.fulfil('a', 0, size=7, headers={'content-type': 'application/json'})
            session.done()

        done = self.settle(script, 'run', stdin=graph)
        self.assertEqual(done.code, 0, done)
        b, a = done.lines()
        self.assertEqual(a['value']['body'], {'n': 1})
        self.assertEqual(b['value']['body_base64'], '/w==')
        done = self.settle(script, 'run', '--body', 'none', stdin=graph)
        self.assertNotIn('body', done.lines()[1]['value'])
        directory = self.directory() + '/'
        done = self.settle(script, 'run', '--body', directory, stdin=graph)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.read(directory + 'a'), b'{"n":1}')
        self.assertEqual(self.read(directory + 'b'), b'\xff')
        self.assertEqual(sorted(os.listdir(directory)), ['a', 'b'])


class FileTest(FakeCase):
    def write(self, session, data):
        """As the daemon does; the job of the file."""
        job = session.read_submit()['jobs'][0]
        self.assertEqual((job['output'], job['fd']), ('file', 0))
        os.write(session.descriptors[0], data)
        return job

    def test_a_file_has_its_name_when_it_is_whole(self):
        directory = self.directory()

        def script(session):
            self.write(session, b'whole')
            self.assertEqual(os.listdir(directory), [])
            session.fulfil('0', size=5)
            session.done()

        done = self.settle(script, 'get', '-o', directory + '/out', 'http://x/')
        self.assertEqual((done.code, done.out, done.err), (0, b'', ''))
        self.assertEqual(os.listdir(directory), ['out'])
        self.assertEqual(self.read(directory + '/out'), b'whole')

    def test_nothing_is_left_of_what_was_rejected(self):
        path = self.directory() + '/out'
        with open(path, 'wb') as file:
            file.write(b'older')

        for code, status in (('BODY_TRUNCATED', 1), ('HTTP_STATUS', 1), ('SINK_FULL', 6),
                             ('SINK_WRITE', 6)):
            def script(session, code=code):
                self.write(session, b'half')
                session.reject('0', code)
                session.done('rejected')

            done = self.settle(script, 'get', '-o', path, 'http://x/')
            self.assertEqual((done.code, done.out), (status, b''), done)
            self.assertEqual(self.read(path), b'older')
            self.assertEqual(os.listdir(os.path.dirname(path)), ['out'])

    def test_nothing_is_left_by_a_signal(self):
        directory = self.directory()
        for number in (signal.SIGINT, signal.SIGKILL):
            written = threading.Event()

            def script(session, written=written):
                self.write(session, b'half')
                written.set()
                if session.read_message() is None:
                    return
                session.reject('0', 'CANCELLED', by='client')
                session.done('rejected')

            process = settle_start('get', '-o', directory + '/out', 'http://x/',
                                   sock=self.daemon(script))
            self.assertTrue(written.wait(20))
            process.send_signal(number)
            process.communicate(timeout=20)
            self.assertNotEqual(process.returncode, 0)
            self.assertEqual(os.listdir(directory), [])

    def test_nothing_is_left_when_the_daemon_goes(self):
        directory = self.directory()
        done = self.settle(lambda session: self.write(session, b'half'),
                           'get', '-o', directory + '/out', 'http://x/')
        self.assertEqual(done.code, 5, done)
        self.assertEqual(os.listdir(directory), [])

    def test_what_is_no_file_is_written_to_piece_by_piece(self):
        def script(session):
            self.assertEqual(session.read_submit()['jobs'][0]['output'], 'stream')
            session.chunk('0', 0, b'one')
            session.chunk('0', 3, b'two')
            session.fulfil('0', size=6)
            session.done()

        done = self.settle(script, 'get', '-o', '/dev/stdout', 'http://x/')
        self.assertEqual((done.code, done.out), (0, b'onetwo'), done)

    def test_dev_null_is_not_written_to(self):
        def script(session):
            self.assertEqual(session.read_submit()['jobs'][0]['output'], 'discard')
            session.fulfil('0', size=6)
            session.done()

        done = self.settle(script, 'get', '-s', '-o', '/dev/null', '-w',
                           '%{http_code} %{size_download}\\n', 'http://x/')
        self.assertEqual((done.code, done.out, done.err), (0, b'200 6\n', ''))

    def test_more_files_than_can_be_passed(self):
        directory = self.directory()
        arguments = []
        for i in range(260):
            arguments += ['-o', '%s/%d' % (directory, i), 'http://x/']

        def script(session):
            jobs = session.read_submit()['jobs']
            self.assertEqual([job.get('fd') for job in jobs], list(range(253)) + [None] * 7)
            for i in range(253):
                os.write(session.descriptors[i], b'%d' % i)
            for i in range(260):
                session.fulfil(str(i), i, size=3, payload=None if i < 253 else b'%d' % i)
            session.done()

        done = self.settle(script, 'get', *arguments)
        self.assertEqual(done.code, 0, done)
        for i in (0, 252, 253, 259):
            self.assertEqual(self.read('%s/%d' % (directory, i)), b'%d' % i)

    def test_run_passes_files(self):
        directory = self.directory()
        with open(directory + '/in', 'wb') as file:
            file.write(b'to be read')
        graph = {'jobs': {'a': {'url': 'http://x/', 'method': 'PUT', 'body_fd': 1},
                          'b': {'url': 'http://x/', 'output': 'file', 'fd': 0},
                          'c': {'url': 'http://x/', 'output': 'file', 'fd': 2}}}

        def script(session):
            session.read_submit()
            out, source, other = session.descriptors
            self.assertEqual(os.read(source, 100), b'to be read')
            os.write(out, b'written')
            os.write(other, b'half')
            session.fulfil('a', 0, payload=b'')
            session.reject('c', 'BODY_TRUNCATED', 2)
            session.fulfil('b', 1, size=7)
            session.done()

        done = self.settle(script, 'run', '--output-fd', directory + '/out', '--body-fd',
                           directory + '/in', '--output-fd', directory + '/other', stdin=graph)
        self.assertEqual(done.code, 1, done)
        self.assertEqual(sorted(os.listdir(directory)), ['in', 'out'])
        self.assertEqual(self.read(directory + '/out'), b'written')


class UploadTest(FakeCase):
    def upload(self, *arguments, **options):
        """What came with the first job: the job, and what the descriptor has."""
        seen = []

        def script(session):
            document = session.read_submit()
            job = {**document['defaults'], **document['jobs'][0]}
            content = b''
            while True:
                piece = os.read(session.descriptors[job['body_fd']], 65536)
                if not piece:
                    break
                content += piece
            seen.append((job, content))
            session.fulfil('0', payload=b'')
            session.done()

        done = self.settle(script, 'get', *arguments, **options)
        self.assertEqual(done.code, 0, done)
        return seen[0]

    def test_a_file_is_put(self):
        path = self.directory() + '/some file'
        with open(path, 'wb') as file:
            file.write(bytes(range(256)) * 1000)
        job, content = self.upload('-T', path, 'http://x/dir/')
        self.assertEqual((job['method'], job['url']), ('PUT', 'http://x/dir/some%20file'))
        self.assertEqual(content, bytes(range(256)) * 1000)
        self.assertNotIn('headers', job)

    def test_stdin_is_put_as_it_comes(self):
        for name in ('-', '.'):
            job, content = self.upload('-T', name, 'http://x/dir/', stdin='piped')
            self.assertEqual((job['method'], job['url']), ('PUT', 'http://x/dir/'))
            self.assertEqual(content, b'piped')

    def test_a_file_is_posted(self):
        path = self.directory() + '/data'
        with open(path, 'wb') as file:
            file.write(b'a\r\nb\0')
        job, content = self.upload('--data-binary', '@' + path, 'http://x/')
        self.assertNotIn('method', job)
        self.assertEqual(content, b'a\r\nb\0')
        self.assertEqual(job['headers']['content-type'], 'application/x-www-form-urlencoded')


class VerboseTest(FakeCase):
    def test_the_exchange_is_on_stderr_without_secrets(self):
        def script(session):
            session.read_submit()
            session.chunk('0', 0, b'body')
            session.fulfil('0', size=4, headers={'set-cookie': 'token=1', 'x': 'y'})
            session.done()

        done = self.settle(script, 'get', '-v', '-u', 'me:secret', '-b', 'c=secret',
                           'http://fake/path?q')
        self.assertEqual((done.code, done.out), (0, b'body'))
        for line in ('> GET /path?q HTTP/1.1\n', '> host: fake\n', '> authorization: [masked]\n',
                     '> cookie: [masked]\n', '< HTTP/1.1 200 OK\n', '< set-cookie: [masked]\n',
                     '< x: y\n'):
            self.assertIn(line, done.err)
        self.assertNotIn('secret', done.err)
        self.assertNotIn('token', done.err)

    def test_write_out_of_a_file(self):
        path = self.directory() + '/format'
        with open(path, 'w', encoding='utf-8') as file:
            file.write('%{http_code}\\n\n%header{x}\n')

        def script(session):
            session.read_submit()
            session.fulfil('0', headers={'x': 'y'})
            session.done()

        done = self.settle(script, 'get', '-w', '@' + path, 'http://fake/')
        self.assertEqual(done.out, b'200\ny')
        done = settle('get', '-w', '@/nonexistent', 'http://fake/')
        self.assertEqual(done.code, 6)
        done = settle('get', '-w', 'x', 'http://fake/', 'http://fake/')
        self.assertEqual(done.code, 2)
