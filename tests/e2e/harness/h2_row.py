# SPDX-License-Identifier: MIT
"""Rows of the fault matrix over HTTP/2: harness/row, with an origin that speaks frames."""

from harness.daemon import is_sanitized
from harness.h2_origin import H2Origin, serve
from harness.row import Fault, RowCase, certificates, cpu_seconds

CONNECTION = 'HTTP2_CONNECTION'
STREAM = 'HTTP2_STREAM'
# More frames than anybody takes.
FLOOD = 100000


def flood(piece, n=FLOOD):
    """Sends a frame, or a function of the stream that makes one, so often; nothing is read."""
    def act(stream):
        data = (piece(stream) if callable(piece) else piece) * 500
        for _ in range(n // 500):
            stream.peer.send(data)
    return act


class H2Fault(Fault):
    """`answer`: frames as bytes, or a function of the stream that makes or sends them.
    `keeps`: it harms that stream alone."""

    def act(self, stream):
        peer = stream.peer
        answer = self.answer(stream) if callable(self.answer) else self.answer
        if answer:
            peer.send(answer)
        if self.end == 'keep':
            return True
        if self.end == 'rst':
            peer.connection.reset()
            return False
        if self.end == 'bye':
            peer.connection.close_notify()
        if self.end in ('fin', 'bye'):
            peer.connection.fin()
        peer.wait_end()
        return False

    def script(self, peer):
        peer.start()
        while True:
            stream = peer.read_request()
            if stream.request.path != '/row':
                stream.reply(200, stream.request.path)
            elif not self.act(stream):
                return

    def script_beside(self, peer):
        """The first connection has two streams at once, of which one is /row. The other is
        answered first, or last where it is to survive what becomes of /row."""
        if peer.number:
            self.script(peer)
        peer.start()
        near, row = sorted((peer.read_request(), peer.read_request()),
                           key=lambda stream: stream.request.path)
        if not self.keeps:
            near.reply(200, near.request.path)
        if self.act(row):
            near.reply(200, near.request.path)
            peer.wait_end()


def h2_faults(answers, code='', **options):
    return [H2Fault(answer, code, **options) for answer in answers]


def of_stream(answers, code, **options):
    """Faults of one stream, which the connection survives."""
    return h2_faults(answers, code, end='keep', keeps=True, **options)


def of_connection(answers, code=CONNECTION, **options):
    """Faults after which the client ends the connection."""
    return h2_faults(answers, code, **{'end': 'stall', **options})


class H2RowCase(RowCase):
    is_tls = True

    @classmethod
    def warm_up(cls):
        super().warm_up()
        origin = H2Origin(certificates().server('good'))
        job = {'url': origin.url('/delay/20'), 'dedupe': False, 'tls': {'ca': cls.ca}}
        cls.daemon.run({'jobs': [job] * 30})
        origin.close()
        cls.daemon.wait_idle()

    def row_origin(self, script=serve, **options):
        origin = H2Origin(certificates().server('good'), script, **options)
        self.addCleanup(origin.close)
        return origin

    def row_origin_of_routes(self):
        return self.row_origin()

    def beside(self, i, fault):
        """The jobs of one fault among siblings. The near one is on the same connection."""
        origin = self.row_origin(fault.script_beside)
        return {'near%d' % i: self.job(origin, '/near'),
                'bad%d' % i: self.job(origin, '/row', **fault.job)}

    def assert_cheap(self, rows):
        """Each costs the daemon less than a second; and then all of them among siblings."""
        for fault in rows:
            with self.subTest(fault=str(fault.answer)):
                before = cpu_seconds(self.daemon.pid)
                self.run_alone(fault)
                if not is_sanitized():
                    self.assertLess(cpu_seconds(self.daemon.pid) - before, 1)
        with self.subTest('beside siblings'):
            self.run_beside(rows)

    def last_codes(self, origin, kind):
        return [code for peer in origin.peers for code in peer.codes(kind)]

    def fetch_from(self, origin, path='/row', **keys):
        """The record, which shows that HTTP/2 was spoken."""
        record = self.ask(origin, path, **keys)
        if record['status'] == 'fulfilled':
            self.assertEqual(record['value']['version'], '2')
        return record
