# SPDX-License-Identifier: MIT
"""Where bodies go, as settled-graph(5) has it: as chunks to the client, whose pace is the
origin's; into a file that the client has opened; nowhere."""

import contextlib
import gzip
import os
import resource
import subprocess
import tempfile
import time

from harness.case import Case
from harness.daemon import Daemon, wait_until
from harness.feature import FeatureCase
from harness.origin import pattern



class StreamRows:
    def stream(self, origin, path, **keys):
        """(record, the bytes that came as chunks)"""
        result = self.run_graph({'jobs': {'it': self.job(origin, path, output='stream', **keys)}})
        return result['it'], bytes(result.streamed.get('it', b''))

    def test_chunks_and_a_record(self):
        origin = self.server()
        for path, body in (('/text/hello', b'hello'), ('/bytes/3000000', pattern(3000000)),
                           ('/chunked/30/9999', pattern(9999) * 30), ('/bytes/0', b''),
                           ('/status/204', b'')):
            with self.subTest(path=path):
                record, streamed = self.stream(origin, path)
                self.assert_fulfilled(record, b'')
                self.assertTrue(streamed == body, len(streamed))
                self.assertEqual(record['value']['bytes'], len(body))
                self.assertNotIn('body', record['value'])

    def test_no_limit_but_ones_own(self):
        origin = self.server()
        record, streamed = self.stream(origin, '/bytes/20000000')
        self.assert_fulfilled(record)
        self.assertEqual(len(streamed), 20000000)
        record, streamed = self.stream(origin, '/bytes/300000', max_body='100k')
        self.assert_rejected(record, 'BODY_TOO_LARGE')
        self.assertLessEqual(len(streamed), 102400)

    def test_bodies_are_decoded(self):
        origin = self.server()
        origin.route('/row', lambda c, r, m: c.reply(200, gzip.compress(pattern(500000)), [
            ('content-encoding', 'gzip')]))
        record, streamed = self.stream(origin, '/row')
        self.assert_fulfilled(record)
        self.assertTrue(streamed == pattern(500000))

    def test_only_the_body_of_what_fulfils(self):
        record, streamed = self.stream(self.server(), '/status/404')
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual((record['body'], streamed), (b'status 404', b''))

    def test_only_the_body_at_the_end_of_redirects(self):
        origin = self.server()
        origin.route('/row', lambda c, r, m: c.reply(302, 'hop', [('location', '/text/end')]))
        record, streamed = self.stream(origin, '/row')
        self.assert_fulfilled(record)
        self.assertEqual(streamed, b'end')

    def test_many_streams_of_one_graph(self):
        origin = self.server()
        result = self.run_graph({'jobs': [
            self.job(origin, '/bytes/%d' % (100000 + i), output='stream') for i in range(40)]})
        for i in range(40):
            self.assert_fulfilled(result[str(i)])
            self.assertTrue(bytes(result.streamed[str(i)]) == pattern(100000 + i))

    def test_equal_streams_are_two_requests(self):
        origin = self.server()
        result = self.run_graph({'jobs': [
            self.job(origin, '/delay/50', output='stream') for _ in range(3)]})
        self.assertEqual([record['via'] for record in result.settled], ['network'] * 3)
        self.assertEqual(len(origin.requests), 3)

    def test_nothing_refers_to_such_a_body(self):
        for output in ('stream', 'discard'):
            self.refuse({'jobs': {'a': {'url': 'http://x/', 'output': output},
                                  'b': {'url': 'http://x/{{a#/x}}'}}},
                        ('GRAPH_VALUE', '/jobs/b/url'))
        # To its status it may.
        origin = self.server()
        result = self.run_graph({'jobs': {
            'a': self.job(origin, '/text/x', output='stream'),
            'b': self.job(origin, '/text/{{a.status}}')}})
        self.assert_fulfilled(result['b'], '200')

    def test_cancelled_and_timed_out(self):
        origin = self.server()
        with self.daemon.session() as session:
            graph = session.submit({'jobs': {'it': self.job(
                origin, '/bytes/%d' % (1 << 30), output='stream')}})
            message = {}
            while 'chunk' not in message:
                message = session.next_of(graph)[0]
            session.cancel(graph)
            while 'settled' not in message:
                message = session.next_of(graph)[0]
        self.assert_rejected({**message['settled']}, 'CANCELLED', by='client')

    def test_slow_reader_stops_the_origin(self):
        """20 MB through a client that does not read: neither does the daemon."""
        origin = self.server()
        size = 20 << 20
        before = self.daemon.memory()
        session = self.session()
        graph = session.submit({'jobs': {'it': self.job(
            origin, '/bytes/%d' % size, output='stream')}})
        origin.wait(lambda: origin.connections and origin.connections[0].sent > 100000)
        last = -1
        while last != origin.connections[0].sent:
            last = origin.connections[0].sent
            origin.stopping.wait(0.2)
        # What the kernel's buffers hold, and the daemon's share.
        self.assertLess(last, size)
        self.assert_grown_less(before, 4 << 20)
        # Others of the same daemon do not wait, and neither do those of the same origin.
        self.assert_fulfilled(self.ask(origin, '/text/x'), 'x')
        result = session.collect(graph)
        self.assertTrue(bytes(result.streamed['it']) == pattern(size))
        self.assert_grown_less(before, 4 << 20)

    def test_slow_reader_is_no_idle_origin(self):
        """The time that the client takes is not the origin's."""
        origin = self.server()
        session = self.session()
        graph = session.submit({'jobs': {'it': self.job(
            origin, '/bytes/20000000', output='stream', timeouts={'idle': '300ms'})}})
        time.sleep(0.8)
        self.assertEqual(session.collect(graph)['it']['status'], 'fulfilled')

    def test_a_client_that_goes_away(self):
        origin = self.server()
        session = self.session()
        session.submit({'jobs': {'it': self.job(origin, '/bytes/%d' % (1 << 30),
                                                output='stream')}})
        origin.wait(lambda: origin.connections and origin.connections[0].sent > 100000)
        session.close()
        # One that is shared outlives the stream that is reset.
        wait_until(self.daemon.is_idle)
        origin.close()
        self.daemon.wait_idle()


class ClearStreamTest(StreamRows, FeatureCase):
    def test_no_retry_once_a_piece_was_given(self):
        head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'
        origin = self.raw_origin(head + 'half')
        record, streamed = self.stream(origin, '/x', retry={'attempts': 3, 'delay': '1ms'})
        self.assert_rejected(record, 'BODY_TRUNCATED', stopped='policy')
        self.assertEqual((record['attempts'], streamed), (1, b'half'))
        # Before, there may be one.
        origin = self.server()
        origin.script_of('/flaky', 503, 200)
        record, streamed = self.stream(origin, '/flaky', retry={'attempts': 3, 'delay': '1ms'})
        self.assertEqual((record['attempts'], streamed), (2, b'{}'))


class TlsStreamTest(StreamRows, FeatureCase):
    channel = 'tls'


class H2StreamTest(StreamRows, FeatureCase):
    channel = 'h2'


class FileRows:
    def into(self, origin, path, flags=os.O_RDWR, content=b'', **keys):
        """(record, what the file holds)"""
        name = os.path.join(self.directory(), 'out')
        with open(name, 'wb') as file:
            file.write(content)
        fd = os.open(name, flags)
        try:
            record = self.ask(origin, path, descriptors=[fd], output='file', fd=0, **keys)
        finally:
            os.close(fd)
        with open(name, 'rb') as file:
            return record, file.read()

    def test_the_body_is_written(self):
        origin = self.server()
        for path, body in (('/text/hello', b'hello'), ('/bytes/5000000', pattern(5000000)),
                           ('/chunked/30/9999', pattern(9999) * 30), ('/bytes/0', b'')):
            for flags in (os.O_RDWR, os.O_WRONLY):
                record, have = self.into(origin, path, flags)
                self.assert_fulfilled(record, b'')
                self.assertTrue(have == body, (path, len(have)))
                self.assertEqual(record['value']['bytes'], len(body))

    def test_what_was_there_is_gone(self):
        record, have = self.into(self.server(), '/text/new', content=b'old' * 100000)
        self.assert_fulfilled(record)
        self.assertEqual(have, b'new')

    def test_bodies_are_decoded(self):
        origin = self.server()
        origin.route('/row', lambda c, r, m: c.reply(200, gzip.compress(pattern(500000)), [
            ('content-encoding', 'gzip')]))
        self.assertTrue(self.into(origin, '/row')[1] == pattern(500000))

    def test_only_the_body_of_what_fulfils(self):
        record, have = self.into(self.server(), '/status/404')
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual((record['body'], have), (b'status 404', b''))

    def test_retries_begin_anew(self):
        origin = self.server()
        origin.script_of('/flaky', 503, (200, 'whole', ()))
        record, have = self.into(origin, '/flaky', retry={'attempts': 3, 'delay': '1ms'})
        self.assert_fulfilled(record)
        self.assertEqual(have, b'whole')

    def test_a_large_one_costs_no_memory(self):
        origin = self.server()
        self.into(origin, '/bytes/1000000')
        before = self.daemon.memory()
        record, have = self.into(origin, '/bytes/%d' % (30 << 20))
        self.assert_fulfilled(record)
        self.assertTrue(have == pattern(30 << 20))
        self.assert_grown_less(before, 4 << 20)

    def test_many_files_of_one_graph(self):
        origin = self.server()
        files = [tempfile.TemporaryFile() for _ in range(30)]
        result = self.run_graph({'jobs': [
            self.job(origin, '/bytes/%d' % (i * 1000), output='file', fd=i)
            for i in range(30)]}, descriptors=[file.fileno() for file in files])
        for i, file in enumerate(files):
            self.assert_fulfilled(result[str(i)])
            file.seek(0)
            self.assertEqual(file.read(), pattern(i * 1000))
            file.close()

    def test_no_room(self):
        """A file system of 1 MiB, if this user may have one, and 4 MiB for it."""
        with self.tiny_file() as fd:
            before = len(self.server().connections)
            record = self.ask(self.server(), '/bytes/4000000', descriptors=[fd], output='file',
                              fd=0)
            self.assert_rejected(record, 'SINK_FULL', sent='full')
            self.assertEqual(before, 0)
            # It is the file that is bad, not the daemon: a small one fits.
            os.ftruncate(fd, 0)
            record = self.ask(self.server(), '/text/fits', descriptors=[fd], output='file', fd=0)
            self.assert_fulfilled(record)
            self.assertEqual(os.pread(fd, 10, 0), b'fits')

    @contextlib.contextmanager
    def tiny_file(self):
        """A file of a tmpfs of 1 MiB that nobody else sees."""
        helper = subprocess.Popen(
            ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o size=1m none /mnt && '
             'touch /mnt/f && echo there && read gone'], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            if helper.stdout.readline() != b'there\n':
                self.skipTest('no tmpfs of its own: ' + helper.stderr.read().decode())
            fd = os.open('/proc/%d/root/mnt/f' % helper.pid, os.O_RDWR)
            try:
                yield fd
            finally:
                os.close(fd)
        finally:
            helper.communicate(b'\n')

    def test_what_is_no_file_to_write_to(self):
        origin = self.server()
        reader, writer = os.pipe()
        odd = [os.open('/', os.O_RDONLY), os.open('/dev/full', os.O_WRONLY),
               os.open(self.directory() + '/a', os.O_WRONLY | os.O_CREAT | os.O_APPEND),
               os.open(__file__, os.O_RDONLY), reader, writer,
               os.open(self.directory(), os.O_PATH)]
        for fd in odd:
            with self.subTest(fd=os.readlink('/proc/self/fd/%d' % fd)):
                record = self.ask(origin, '/text/x', descriptors=[fd], output='file', fd=0)
                self.assert_rejected(record, 'SINK_WRITE')
        for fd in odd:
            os.close(fd)

    def test_cancelled_and_timed_out(self):
        origin = self.server()
        record, have = self.into(origin, '/stall', attempt_timeout='200ms')
        self.assert_rejected(record, 'ATTEMPT_TIMEOUT')
        self.assertEqual(have, b'')

    def test_equal_files_are_two_requests(self):
        origin = self.server()
        with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as two:
            result = self.run_graph({'jobs': [
                self.job(origin, '/delay/50', output='file', fd=i) for i in range(2)]},
                descriptors=[one.fileno(), two.fileno()])
            for file in (one, two):
                file.seek(0)
                self.assertEqual(file.read(), b'{"delay":50}')
        self.assertEqual(len(result.settled), 2)
        self.assertEqual(len(origin.requests), 2)

    def test_what_is_refused(self):
        job = {'url': 'http://x/'}
        for keys, code, at in (
                ({'output': 'file'}, 'GRAPH_KEY', '/jobs/it'),
                ({'fd': 0}, 'GRAPH_KEY', '/jobs/it/fd'),
                ({'output': 'stream', 'fd': 0}, 'GRAPH_KEY', '/jobs/it/fd'),
                ({'output': 'file', 'fd': 0}, 'GRAPH_VALUE', '/jobs/it/fd'),
                ({'output': 'file', 'fd': -1}, 'GRAPH_VALUE', '/jobs/it/fd'),
                ({'output': 'file', 'fd': '0'}, 'GRAPH_TYPE', '/jobs/it/fd')):
            with self.subTest(keys=keys):
                self.refuse({'jobs': {'it': {**job, **keys}}}, (code, at))
        with tempfile.TemporaryFile() as file, self.daemon.session() as session:
            for graph, at in (
                    ({'a': {**job, 'output': 'file', 'fd': 0},
                      'b': {**job, 'output': 'file', 'fd': 0}}, '/jobs/b/fd'),
                    ({'a': {**job, 'output': 'file', 'fd': 0, 'each': [1, 2]}}, '/jobs/a/fd')):
                number = session.submit({'jobs': graph}, [file.fileno()])
                self.assert_refused(session.next_of(number)[0]['refused']['errors'],
                                    ('GRAPH_VALUE', at))


class ResumeTest(FeatureCase):
    """A file goes on where its response broke off, if it is still the same by its entity tag."""

    channel = 'clear'

    def broken_off(self, tag, then, attempts=2):
        """The first response breaks off in the middle; what each request asked for."""
        whole, asked = pattern(1000000), []

        def script(connection):
            headers = connection.read_request().headers
            asked.append((headers.get('range'), headers.get('if-range')))
            if len(asked) == 1:
                connection.send('HTTP/1.1 200 OK\r\ncontent-length: %d\r\netag: %s\r\n\r\n'
                                % (len(whole), tag))
                connection.send(whole[:600000])
                connection.pause(0.1)
                connection.fin()
                return
            then(connection, whole, headers)

        with tempfile.TemporaryFile() as file:
            record = self.ask(self.origin(script), '/', descriptors=[file.fileno()],
                              output='file', fd=0,
                              retry={'attempts': attempts, 'delay': '1ms'})
            file.seek(0)
            return record, file.read(), asked, whole

    def test_it_goes_on_where_it_ends(self):
        def rest(connection, whole, headers):
            begin = int(headers['range'][len('bytes='):-1])
            connection.reply(206, whole[begin:], [
                ('etag', '"one"'),
                ('content-range', 'bytes %d-%d/%d' % (begin, len(whole) - 1, len(whole)))])

        record, have, asked, whole = self.broken_off('"one"', rest)
        self.assert_fulfilled(record)
        self.assertTrue(have == whole)
        self.assertEqual(asked[0], (None, None))
        self.assertRegex(asked[1][0], r'^bytes=[1-9]\d*-$')
        self.assertEqual(asked[1][1], '"one"')
        self.assertEqual((record['attempts'], record['value']['status'],
                          record['value']['bytes']), (2, 206, len(whole)))

    def test_another_one_begins_anew(self):
        record, have, asked, _ = self.broken_off(
            '"one"', lambda connection, whole, headers: connection.reply(
                200, b'other', [('etag', '"two"')]))
        self.assert_fulfilled(record)
        self.assertEqual(have, b'other')
        self.assertEqual(asked[1][1], '"one"')

    def test_a_part_that_is_refused_is_asked_for_whole(self):
        for status, headers in ((416, [('content-range', 'bytes */1000000')]), (400, []),
                                (206, [('content-range', 'bytes 0-2/1000000')])):
            def refuse(connection, whole, asked):
                if asked.get('range'):
                    connection.reply(status, b'not', headers)
                else:
                    connection.reply(200, whole[::-1])

            with self.subTest(status=status):
                record, have, asked, whole = self.broken_off('"one"', refuse, attempts=3)
                self.assert_fulfilled(record)
                self.assertTrue(have == whole[::-1])
                self.assertEqual((len(asked), asked[2]), (3, (None, None)))
                self.assertEqual((record['attempts'], record['value']['status']), (3, 200))

    def test_no_attempt_is_left_for_the_whole(self):
        record, have, asked, whole = self.broken_off(
            '"one"', lambda connection, whole, headers: connection.reply(416))
        self.assert_rejected(record, 'HTTP_STATUS', stopped='attempts')
        self.assertEqual(record['reason']['response']['status'], 416)
        # What there was is still there.
        self.assertTrue(whole.startswith(have) and have)

    def test_a_weak_tag_is_none(self):
        record, have, asked, whole = self.broken_off(
            'W/"one"', lambda connection, whole, headers: connection.reply(200, whole))
        self.assert_fulfilled(record)
        self.assertTrue(have == whole)
        self.assertEqual(asked[1], (None, None))


class ClearFileTest(FileRows, FeatureCase):
    def test_a_body_cut_short_leaves_nothing_of_it_as_whole(self):
        """The record says so; what was written is the client's to remove."""
        head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'
        record, have = self.into(self.raw_origin(head + 'half'), '/x')
        self.assert_rejected(record, 'BODY_TRUNCATED')
        self.assertLessEqual(len(have), 4)


class TlsFileTest(FileRows, FeatureCase):
    channel = 'tls'


class H2FileTest(FileRows, FeatureCase):
    channel = 'h2'


class LimitTest(Case):
    """A daemon that may not write large files (RLIMIT_FSIZE) is told so by a signal, and lives."""

    def test_file_size_limit(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        daemon = Daemon(preexec=limit).start()
        try:
            self.check(daemon)
        finally:
            daemon.stop()

    def check(self, daemon):
        origin = self.origin()
        with tempfile.TemporaryFile() as file:
            graph = {'jobs': {'it': {'url': origin.url('/bytes/3000000'), 'output': 'file',
                                     'fd': 0}}}
            with daemon.session() as session:
                record = session.run(graph, descriptors=[file.fileno()])['it']
        self.assert_rejected(record, 'SINK_FULL')
        wait_until(daemon.is_idle)
