# SPDX-License-Identifier: MIT
"""Bodies from descriptors that the client passes, as settled-graph(5) has them: files, memfds and
pipes, streamed; and what is no such thing."""

import fcntl
import os
import socket
import tempfile
import threading

from harness.daemon import is_sanitized
from harness.feature import FeatureCase
from harness.origin import pattern, serve


class UploadRows:
    def own(self, fd):
        self.addCleanup(self.close, fd)
        return fd

    @staticmethod
    def close(fd):
        try:
            os.close(fd)
        except OSError:
            pass

    def file(self, data=b'', at=0):
        """A file of that content, standing at a place in it; its descriptor."""
        file = tempfile.TemporaryFile()
        self.addCleanup(file.close)
        file.write(data)
        file.seek(at)
        file.flush()
        return file.fileno()

    def memfd(self, data, seals=0):
        fd = self.own(os.memfd_create('body', os.MFD_ALLOW_SEALING))
        os.write(fd, data)
        os.lseek(fd, 0, os.SEEK_SET)
        if seals:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
        return fd

    def pipe(self, data=None):
        """A pipe that holds that, and ends; or (reader, writer)."""
        reader, writer = os.pipe()
        self.own(reader)
        if data is None:
            return reader, self.own(writer)

        def write():
            with os.fdopen(writer, 'wb') as file:
                try:
                    file.write(data)
                except BrokenPipeError:
                    pass
        threading.Thread(target=write, daemon=True).start()
        return reader

    def upload(self, *descriptors, path='/upload', origin=None, **keys):
        keys = {'method': 'POST', 'body_fd': 0, **keys}
        return self.ask(origin or self.server(), path, descriptors=descriptors, **keys)

    def body_of(self, record):
        self.assert_fulfilled(record)
        return self.body(record)['body'].encode()

    # -- What is sent

    def test_files_memfds_and_pipes(self):
        data = pattern(3000)
        for fd in (self.file(data), self.memfd(data), self.memfd(data, fcntl.F_SEAL_SHRINK |
                                                                fcntl.F_SEAL_WRITE),
                   self.pipe(data)):
            self.assertEqual(self.body_of(self.upload(fd, path='/echo')), data)

    def test_length_or_chunks(self):
        """A file's length is told; a pipe's is not known."""
        origin = self.server()
        data = pattern(1000)
        for fd, known in ((self.file(data), True), (self.pipe(data), False)):
            record = self.upload(fd, path='/echo', origin=origin)
            self.assertEqual(self.body_of(record), data)
            headers = self.body(record)['headers']
            self.assertEqual(headers.get('content-length'), '1000' if known else None)
            if self.channel != 'h2':
                self.assertEqual(headers.get('transfer-encoding'), None if known else 'chunked')
            self.assertNotIn('expect', headers)

    def test_from_where_it_stands(self):
        data = pattern(5000)
        self.assertEqual(self.body_of(self.upload(self.file(data, at=1234), path='/echo')),
                         data[1234:])
        # And the client's own descriptor has not moved.
        fd = self.file(data, at=10)
        self.upload(fd)
        self.assertEqual(os.lseek(fd, 0, os.SEEK_CUR), 10)

    def test_empty_ones(self):
        for fd in (self.file(), self.file(b'x', at=1), self.memfd(b''), self.pipe(b'')):
            self.assertEqual(self.body_of(self.upload(fd, path='/echo')), b'')

    def test_methods_and_types(self):
        fd = self.file(b'x')
        origin = self.server()
        record = self.ask(origin, '/echo', descriptors=[fd], body_fd=0)
        self.assertEqual(self.body(record)['method'], 'POST')
        self.assertNotIn('content-type', self.body(record)['headers'])
        record = self.ask(origin, '/echo', descriptors=[fd], body_fd=0, method='PUT',
                          headers={'content-type': 'text/x'})
        echo = self.body(record)
        self.assertEqual((echo['method'], echo['headers']['content-type']), ('PUT', 'text/x'))

    def test_large_ones_cost_no_memory(self):
        size = 20 << 20
        with tempfile.TemporaryFile() as file:
            for at in range(0, size, 1 << 20):
                file.write(pattern(1 << 20, at))
            file.seek(0)
            origin = self.server()
            got = self.count_body(origin)
            self.upload(self.file(pattern(1000000)), origin=origin)
            before = self.daemon.memory()
            self.assert_fulfilled(self.upload(file.fileno(), path='/count', origin=origin))
            self.assertEqual(got, [size, True])
            self.assert_grown_less(before, 4 << 20)

    def count_body(self, origin):
        """/count looks at the bodies of requests instead of echoing them."""
        got = []
        origin.route('/count', lambda c, r, m: (
            got.extend((len(r.body), bytes(r.body) == pattern(len(r.body)))), c.reply(200)))
        return got

    def test_many_descriptors_in_one_graph(self):
        origin = self.server()
        fds = [self.file(b'file %d' % i) for i in range(100)]
        result = self.run_graph({'jobs': [
            self.job(origin, '/echo', body_fd=i, dedupe=False) for i in range(100)]},
            descriptors=fds)
        for i in range(100):
            self.assertEqual(self.body_of(result[str(i)]), b'file %d' % i)

    def test_one_file_for_many_jobs(self):
        """A regular file can be read by several, each from where it stands."""
        origin = self.server()
        result = self.run_graph({'jobs': [self.job(origin, '/echo/%d' % i, body_fd=0)
                                          for i in range(10)]},
                                descriptors=[self.file(pattern(100000), at=9)])
        for record in result.settled:
            self.assertEqual(self.body_of(record), pattern(100000)[9:])

    def test_a_pipe_that_fills_slowly(self):
        """What is written goes out at once, and nothing is waited for that is not needed."""
        reader, writer = self.pipe()
        origin = self.server()
        with self.daemon.session() as session:
            graph = session.submit({'jobs': {'it': self.job(
                origin, '/echo', body_fd=0, method='PUT')}}, [reader])
            origin.wait(lambda: origin.connections)
            for i in range(5):
                os.write(writer, b'%d' % i)
                origin.stopping.wait(0.02)
            os.close(writer)
            record = session.collect(graph)['it']
        self.assertEqual(self.body_of(record), b'01234')

    def test_a_pipe_nobody_writes_to_is_ended_by_the_limits(self):
        reader, _ = self.pipe()
        for code, keys in (('JOB_TIMEOUT', {'timeout': '300ms'}),
                           ('ATTEMPT_TIMEOUT', {'attempt_timeout': '300ms'}),
                           ('IDLE_TIMEOUT', {'timeouts': {'idle': '300ms'}})):
            with self.subTest(code=code):
                self.assert_rejected(self.upload(reader, **keys), code)

    def test_cancelled_in_the_middle(self):
        reader, writer = self.pipe()
        os.write(writer, b'some')
        origin = self.server()
        with self.daemon.session() as session:
            graph = session.submit({'jobs': {'it': self.job(
                origin, '/echo', body_fd=0, method='PUT')}}, [reader])
            origin.wait(lambda: origin.connections and origin.connections[0].received)
            session.cancel(graph)
            self.assert_rejected(session.collect(graph)['it'], 'CANCELLED')

    def test_a_client_that_goes_away(self):
        reader, writer = self.pipe()
        origin = self.server()
        session = self.session()
        session.submit({'jobs': {'it': self.job(origin, '/echo', body_fd=0)}}, [reader])
        origin.wait(lambda: origin.connections)
        session.close()
        os.close(reader)
        self.daemon.wait_idle()
        # The daemon's end of it is closed, too.
        with self.assertRaises(BrokenPipeError):
            os.write(writer, b'x')

    # -- Again

    def test_a_file_is_sent_again_by_a_retry(self):
        origin = self.server()
        origin.script_of('/flaky', 503, 503, 200)
        record = self.upload(self.file(pattern(70000)), path='/flaky', origin=origin,
                             method='PUT', retry={'attempts': 3, 'delay': '1ms'})
        self.assert_fulfilled(record)
        self.assertEqual([request.body for request in origin.requests], [pattern(70000)] * 3)

    def test_a_pipe_is_not(self):
        origin = self.server()
        origin.script_of('/flaky', 503, 200)
        record = self.upload(self.pipe(b'once'), path='/flaky', origin=origin,
                             method='PUT', retry={'attempts': 3, 'delay': '1ms'})
        self.assertEqual(record['status'], 'rejected')
        self.assertEqual(len(origin.requests), 1)

    # -- What is refused

    def test_indexes_of_nothing(self):
        for fds, index in (([], 0), ([0], 1), ([0], 253), ([0], 1 << 40)):
            with self.subTest(index=index):
                with self.daemon.session() as session:
                    graph = session.submit({'jobs': {'it': {
                        'url': 'http://127.0.0.1:1/', 'body_fd': index}}},
                        [self.file(b'x') for _ in fds])
                    message = session.next_of(graph)[0]
                self.assert_refused(message['refused']['errors'],
                                    ('GRAPH_VALUE', '/jobs/it/body_fd'))
        for value, code in ((-1, 'GRAPH_VALUE'), ('0', 'GRAPH_TYPE'), (None, 'GRAPH_TYPE'),
                            (1.5, 'GRAPH_TYPE')):
            errors = self.refuse({'jobs': {'it': {'url': 'http://x/', 'body_fd': value}}})
            self.assertIn(errors[0]['code'], ('GRAPH_VALUE', 'GRAPH_TYPE', code))
        self.refuse({'jobs': {'it': {'url': 'http://x/', 'body_fd': 0, 'body': 'x'}}},
                    ('GRAPH_KEY', '/jobs/it/body'))

    def test_what_is_no_source(self):
        """Found out when the job needs it."""
        origin = self.server()
        here, there = socket.socketpair()
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        write_only = self.own(os.open(self.directory() + '/x', os.O_WRONLY | os.O_CREAT))
        odd = [self.own(os.open('/', os.O_RDONLY)), self.own(os.open('/', os.O_PATH)),
               self.own(os.open('/dev/zero', os.O_RDONLY)), here.fileno(), write_only,
               self.own(os.eventfd(0)), self.pipe()[1]]
        for fd in odd:
            with self.subTest(fd=os.readlink('/proc/self/fd/%d' % fd)):
                record = self.upload(fd, origin=origin)
                self.assert_rejected(record, 'BODY_SOURCE', sent='none')
        self.assertEqual(origin.requests, [])

    def test_a_file_that_shrinks(self):
        """Its length was told already: the request cannot be completed."""
        size = 30 << 20
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            origin = self.server()
            origin.route('/count', lambda c, r, m: c.reply(200))

            def shrink():
                origin.wait(lambda: origin.connections and origin.connections[0].received)
                file.truncate(10)
            thread = threading.Thread(target=shrink)
            thread.start()
            record = self.upload(file.fileno(), path='/count', origin=origin)
            thread.join()
            # A quick daemon was there before.
            if record['status'] == 'rejected':
                self.assert_rejected(record, 'BODY_SOURCE')

    def test_descriptors_that_no_job_wants_are_closed(self):
        """At the graph's end at the latest; wait_idle() looks at them."""
        reader, writer = self.pipe()
        result = self.run_graph({'jobs': {'a': self.job(self.server(), '/text/x')}},
                                descriptors=[reader, self.file(b'x')])
        self.assert_fulfilled(result['a'])
        os.close(reader)
        with self.assertRaises(BrokenPipeError):
            os.write(writer, b'x')

    def test_a_flood_of_descriptors(self):
        """More than a graph may have, and messages that are no graph's."""
        fds = [self.file(b'x')] * 250
        for _ in range(5):
            session = self.session()
            try:
                for _ in range(20):
                    session.send_with_descriptors(b' ', fds)
            except OSError:
                pass
            session.close()
        self.daemon.wait_idle()
        self.assert_fulfilled(self.upload(self.file(b'x'), path='/echo'))


class ClearUploadTest(UploadRows, FeatureCase):
    def test_an_early_reply_stops_the_upload(self):
        size = 50 << 20
        settled = threading.Event()

        def script(connection):
            connection.read_request(body=False)
            connection.receive(1000)
            connection.reply(413, 'enough', [('connection', 'close')])
            settled.wait(20)
            connection.wait_end()

        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            origin = self.server(script)
            record = self.upload(file.fileno(), origin=origin)
        settled.set()
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 413)
        origin.wait(lambda: origin.connections[0].ended)
        self.assertLess(origin.connections[0].received, size)

    def redirected(self, when):
        """Sends a pipe that a 307 answers at once; what is in it when `when` is to be seen at the
        origin. Its record, and the requests."""
        def script(connection):
            if connection.number == 0:
                connection.read_request(body=False)
                if when == 'before':
                    connection.read_until(b'once')
                connection.reply(307, headers=[('location', '/echo')])
            else:
                serve(connection)

        reader, writer = self.pipe()
        origin = self.server(script)

        def write():
            if when == 'behind':
                origin.wait(lambda: len(origin.requests) == 2 or len(origin.connections) == 2)
            os.write(writer, b'once')
            os.close(writer)
        thread = threading.Thread(target=write)
        thread.start()
        record = self.upload(reader, origin=origin)
        thread.join()
        return record, origin

    def test_a_pipe_that_gave_nothing_goes_along_with_a_redirect(self):
        record, origin = self.redirected('behind')
        self.assertEqual(self.body_of(record), b'once')
        self.assertEqual([request.body for request in origin.requests], [b'', b'once'])

    def test_what_a_pipe_gave_does_not(self):
        record, origin = self.redirected('before')
        self.assert_rejected(record, 'BODY_SOURCE')
        self.assertIn('was read from already', record['reason']['message'])
        self.assertEqual(len(origin.requests), 1)

    def test_the_origin_is_not_read_ahead_of(self):
        """An origin that does not read stops the pipe's writer."""
        def script(connection):
            connection.read_request(body=False)
            connection.origin.stopping.wait(20)

        reader, writer = self.pipe()
        os.set_blocking(writer, False)
        origin = self.server(script)
        session = self.session()
        session.submit({'jobs': {'it': self.job(origin, '/x', body_fd=0)}}, [reader])
        origin.wait(lambda: origin.requests)
        written, idle = 0, 0
        while idle < 20 and written < 200 << 20:
            try:
                written += os.write(writer, bytes(65536))
                idle = 0
            except BlockingIOError:
                idle += 1
                origin.stopping.wait(0.01)
        # The socket's buffers, the pipe, and a little of the daemon's.
        self.assertLess(written, 16 << 20)
        if not is_sanitized():
            self.assertEqual(self.daemon.status()['in_flight'], 1)


class TlsUploadTest(UploadRows, FeatureCase):
    channel = 'tls'


class H2UploadTest(UploadRows, FeatureCase):
    channel = 'h2'
