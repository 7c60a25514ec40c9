# SPDX-License-Identifier: MIT
"""Rows of the fault matrix: what a network may do to a request, and what must hold after each.

A row has a number, N1 to N38, and H1 to H15 for those of HTTP/2 alone; the tests of test_rows_*.py
carry it in their names. A Fault is one thing an origin does, with what the daemon makes of it.
Each is run over cleartext, over TLS and, where it applies, over HTTP/2 (harness/h2_row), alone and
beside siblings of the same graph, and is followed by a request to the same origin.

The invariants, after each test:
    I1   every job settles exactly once (client.Result)
    I2   a time limit fires not before its time, and soon after
    I3   what is fulfilled has the body that the framing proves
    I4   another client, of a healthy origin, notices nothing (case.Bystander)
    I5   memory comes back
    I6   descriptors come back (Daemon.wait_idle)
    I7   the ring is idle and lost nothing
    I8   no CPU is used when all is over
    I9   no sanitizer and no assertion has spoken (Daemon.judge)
    I10  the log is short and has none of the request's secrets
    I11  the watchdog was fed
    I12  the process lives
"""

import atexit
import functools
import os
import shutil
import tempfile
import time
import typing

from harness.case import Bystander, DaemonCase
from harness.certificates import Certificates
from harness.daemon import is_sanitized, wait_until
from harness.origin import Origin

ROWS = {
    1: 'RST before any byte, in the status line, in the headers',
    2: 'FIN in the headers',
    3: 'FIN in a body of known length',
    4: 'FIN in a chunk, before the last chunk, before the last CRLF',
    5: 'RST in a body that ends with the connection',
    6: 'TLS closed without close_notify',
    7: 'silence after the accept, after the headers, in the body',
    8: 'a byte now and then, for ever',
    9: 'slow but alive',
    10: 'half-close by the origin',
    11: 'segments of one byte, and every split of a reply',
    12: 'endless header lines, fields and values',
    13: 'large but legal headers',
    14: 'endless bodies',
    15: 'wrong Content-Length',
    16: 'more than one Content-Length',
    17: 'doubtful Transfer-Encoding',
    18: 'bad chunk sizes',
    19: 'chunk extensions',
    20: 'trailers',
    21: '1xx responses',
    22: 'early replies while an upload goes on',
    23: 'an idle connection closed as the request goes out',
    24: 'unsolicited bytes on an idle connection',
    25: 'bytes beyond a complete reply',
    26: 'Connection: close and HTTP/1.0',
    27: 'what connections may be shared by',
    28: 'TLS handshakes that fail',
    29: 'certificates',
    30: 'old TLS, and floods within TLS',
    31: 'TLS session resumption',
    32: 'ALPN mismatches',
    33: 'DNS faults',
    34: 'connect faults',
    35: 'redirects',
    36: 'content codings',
    37: 'injection into the request',
    38: 'URLs',
}

H2_ROWS = {
    1: 'CONTINUATION floods',
    2: 'bombs of header compression',
    3: 'floods, flips and limits of SETTINGS',
    4: 'PING floods',
    5: 'floods of frames that bring nothing, windows that overflow',
    6: 'windows that never open for our upload',
    7: 'our windows, where a client reads slowly',
    8: 'GOAWAY',
    9: 'PUSH_PROMISE',
    10: 'malformed responses',
    11: 'malformed and misplaced frames',
    12: '1xx responses on a stream',
    13: 'more requests than a connection has streams for',
    14: 'a connection for another host that the certificate covers',
    15: 'REFUSED_STREAM and HTTP_1_1_REQUIRED',
}

OK = 'HTTP/1.1 200 OK\r\n'
CHUNKED = OK + 'transfer-encoding: chunked\r\n\r\n'
# Among the codes of a fault: it may also be fulfilled.
FULFILLED = ''
CANARY = 'canary-of-the-request'
WATCHDOG_SECONDS = 4


class Fault(typing.NamedTuple):
    """`answer`: what is sent once the request was read, or a function of the connection.
    `code`: a reason code, or several, or FULFILLED; `tls`: the same over TLS where it differs.
    `end`, after the answer: fin · rst · stall (until the peer ends it) · bye (over TLS, with
    close_notify before the FIN) · keep (goes on serving)."""
    answer: typing.Any
    code: typing.Any = FULFILLED
    body: bytes = b''
    end: str = 'fin'
    tls: typing.Any = None
    # True exactly when the connection must serve the next request; else it must not.
    keeps: bool = False
    job: dict = {}

    def act(self, connection):
        """False where the connection is over."""
        if callable(self.answer):
            self.answer(connection)
        else:
            connection.send(self.answer)
        if self.end == 'keep':
            return True
        if self.end == 'rst':
            connection.reset()
            return False
        if self.end == 'bye' and connection.origin.tls:
            connection.close_notify()
        elif self.end in ('fin', 'bye'):
            connection.fin()
        connection.wait_end()
        return False

    def script(self, connection):
        """Does it to who asks for /row; answers all else with its path."""
        while True:
            request = connection.read_request()
            if request.path != '/row':
                connection.reply(200, request.path)
            elif not self.act(connection):
                return


def faults(answers, code=FULFILLED, **options):
    return [Fault(answer, code, **options) for answer in answers]


@functools.lru_cache(maxsize=1)
def certificates():
    """One authority a process, and a leaf for 127.0.0.1 and a few names."""
    directory = tempfile.mkdtemp(prefix='settled-rows-')
    atexit.register(shutil.rmtree, directory, True)
    made = Certificates(directory)
    made.make_leaf('good', 'IP:127.0.0.1,DNS:good.test,DNS:other.test')
    return made


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond."""
    total = 0
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/schedstat' % (pid, task), encoding='ascii') as file:
            total += int(file.read().split()[0])
    return total / 1e9


class RowCase(DaemonCase):
    """A daemon of the class, whose invariants are looked at after each test."""

    is_tls = False
    has_bystander = True
    env = {'WATCHDOG_USEC': str(WATCHDOG_SECONDS * 1000000)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ready_at = time.monotonic()
        if cls.is_tls:
            cls.ca = certificates().pem('ca')
        # What the first requests make for good is no leak of the first test.
        cls.warm_up()

    @classmethod
    def warm_up(cls):
        origin = Origin(tls=certificates().server('good') if cls.is_tls else None)
        job = {'url': origin.url('/delay/20'), 'dedupe': False}
        if cls.is_tls:
            job['tls'] = {'ca': cls.ca}
        cls.daemon.run({'jobs': [job] * 30})
        # And the kernel has given it all the buffers that it receives into.
        large = {**job, 'url': origin.url('/bytes/2000000')}
        cls.daemon.run({'jobs': [{**large, 'output': output}
                                 for output in ('inline', 'discard') for _ in range(3)]})
        origin.close()
        cls.daemon.wait_idle()

    def setUp(self):
        self.note_before()
        # Runs last of all.
        self.addCleanup(self.check_invariants)
        super().setUp()
        if self.has_bystander:
            bystander = Bystander(self.daemon, pause=0.01)
            self.addCleanup(bystander.close)

    def note_before(self):
        """What the invariants compare with: the state before the test, or behind its own warming
        up."""
        self.before = (time.monotonic(), self.daemon.memory(), len(self.daemon.log()),
                       self.daemon.status()['ring']['overflows'])

    # -- Invariants

    def check_invariants(self):
        began, memory, log_size, overflows = self.before
        self.assertIsNone(self.daemon.process.poll(), 'I12')
        status = self.daemon.status()
        self.assertEqual(status['ring']['overflows'], overflows, 'I7')
        self.assertEqual(status['resolving'], 0, 'I7')
        self.assertEqual(status['connections']['open'], status['connections']['idle'], 'I7')
        if not is_sanitized():
            most = max(memory + (4 << 20), memory * 1.1)
            wait_until(lambda: self.daemon.memory() <= most, 5, 'I5: memory given back')
        wait_until(lambda: self.is_quiet(), 5, 'I8: a daemon at rest')
        self.check_log(self.daemon.log()[log_size:], time.monotonic() - began)
        self.check_watchdog()

    def is_quiet(self, window=0.04):
        before = cpu_seconds(self.daemon.pid)
        time.sleep(window)
        return cpu_seconds(self.daemon.pid) - before <= window * 0.01

    def check_log(self, log, seconds):
        self.assertNotIn(CANARY, log, 'I10')
        self.assertLessEqual(log.count('\n'), 20 + 10 * seconds, 'I10')

    def check_watchdog(self):
        self.daemon.notify.drain()
        pings = self.daemon.notify.seen.count('WATCHDOG=1')
        needed = int((time.monotonic() - self.ready_at) / WATCHDOG_SECONDS)
        self.assertGreaterEqual(pings, needed, 'I11')

    # -- Origins and jobs of the class's channel

    def row_origin(self, script, **options):
        return self.origin(script, tls=certificates().server('good') if self.is_tls else None,
                           **options)

    def job(self, origin, path, **keys):
        headers = {'x-canary': CANARY, **keys.pop('headers', {})}
        if self.is_tls:
            keys.setdefault('tls', {'ca': self.ca})
        return {'url': origin.url(path), 'headers': headers, **keys}

    def ask(self, origin, path='/row', session=None, **keys):
        graph = {'jobs': {'it': self.job(origin, path, **keys)}}
        return (session.run(graph) if session else self.run_graph(graph))['it']

    # -- Judging

    def judge(self, record, fault):
        codes = fault.tls if self.is_tls and fault.tls is not None else fault.code
        codes = (codes,) if isinstance(codes, str) else codes
        if FULFILLED in codes and (len(codes) == 1 or record['status'] == 'fulfilled'):
            self.assert_fulfilled(record, fault.body)
        else:
            self.assert_rejected(record, codes, sent='full')
            self.assertEqual(record['attempts'], 1)

    def run_alone(self, fault):
        """And then a request to the same origin, which must be right."""
        origin = self.row_origin(fault.script)
        with self.daemon.session() as session:
            self.judge(self.ask(origin, session=session, **fault.job), fault)
            if not fault.keeps:
                # Aborted on the wire, or at least not kept.
                origin.wait(lambda: origin.connections[0].ended or origin.connections[0].closed)
            record = self.ask(origin, '/next', session=session)
        self.assert_fulfilled(record, '/next')
        self.assertEqual(origin.paths(), ['/row', '/next'])
        self.assertEqual(record['conn']['reused'], fault.keeps)
        self.assertEqual(len(origin.connections), 1 if fault.keeps else 2)

    def beside(self, i, fault):
        """The jobs of one fault among siblings."""
        origin = self.row_origin(fault.script)
        return {'bad%d' % i: self.job(origin, '/row', **fault.job),
                'near%d' % i: self.job(origin, '/near')}

    def run_beside(self, rows):
        """All in one graph, each with a dependent, beside siblings who must not notice."""
        good = self.row_origin_of_routes()
        jobs = {'text': self.job(good, '/text/good'),
                'chunked': self.job(good, '/chunked/20/100'),
                'late': self.job(good, '/delay/30')}
        for i, fault in enumerate(rows):
            jobs.update(self.beside(i, fault))
            jobs['next%d' % i] = {**self.job(good, '/text/next'), 'after': ['bad%d' % i]}
        result = self.run_graph({'jobs': jobs})
        self.assert_fulfilled(result['text'], 'good')
        self.assertEqual(self.assert_fulfilled(result['chunked'])['value']['bytes'], 2000)
        self.assert_fulfilled(result['late'])
        for i, fault in enumerate(rows):
            self.judge(result['bad%d' % i], fault)
            self.assert_fulfilled(result['near%d' % i], '/near')
            if result['bad%d' % i]['status'] == 'fulfilled':
                self.assert_fulfilled(result['next%d' % i], 'next')
            else:
                self.assert_rejected(result['next%d' % i], 'DEPENDENCY_REJECTED', sent='none',
                                     root='bad%d' % i)

    def row_origin_of_routes(self):
        return self.origin(tls=certificates().server('good') if self.is_tls else None)

    def run_row(self, rows):
        for fault in rows:
            with self.subTest(answer=str(fault.answer)[-90:], end=fault.end):
                self.run_alone(fault)
        with self.subTest('beside siblings'):
            self.run_beside(rows)
