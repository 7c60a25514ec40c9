# SPDX-License-Identifier: MIT
"""settled under test: started with a configuration of its own, watched, and judged at its end."""

import contextlib
import ctypes
import functools
import mmap
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness.client import Session, environment

SETTLED = os.environ.get('SETTLED', 'settled')
WAIT = 20
PR_SET_PDEATHSIG = 1
# What no daemon may ever say.
REPORTS = re.compile(r'Sanitizer|runtime error:|^<0>|panic:|LeakSanitizer', re.M)

libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@functools.lru_cache
def is_sanitized():
    with open(SETTLED, 'rb') as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as text:
        return text.find(b'__asan_') >= 0


def wait_until(condition, timeout=WAIT, what='a condition'):
    """For what nobody tells: looked at again and again until it holds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError('%s: not in time' % what)
        time.sleep(0.005)


class Notify:
    """The other end of sd_notify."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        # Every assignment received, in order: 'READY=1', 'STATUS=…'.
        self.seen = []

    def read(self, timeout):
        if not select.select([self.sock], [], [], timeout)[0]:
            return False
        self.seen += self.sock.recv(65536).decode().splitlines()
        return True

    def wait(self, start, timeout=WAIT, alive=lambda: True):
        """Wait for an assignment that begins so; False where the process is gone."""
        deadline = time.monotonic() + timeout
        while not any(line.startswith(start) for line in self.seen):
            if not self.read(0.02) and not alive():
                return False
            if time.monotonic() > deadline:
                raise AssertionError('no %s from the daemon, only %r' % (start, self.seen))
        return True

    def drain(self):
        while self.read(0):
            pass

    def close(self):
        self.sock.close()


class Daemon:
    """A running settled. start() waits until it is ready; stop() asserts a clean end."""

    def __init__(self, config='', env=None, arguments=None, preexec=None, wrapper=(),
                 pass_fds=()):
        self.directory = tempfile.mkdtemp(prefix='settled-e2e-')
        self.path = os.path.join(self.directory, 'api.sock')
        self.config_path = os.path.join(self.directory, 'settled.conf')
        self.log_path = os.path.join(self.directory, 'log')
        self.arguments = arguments
        self.wrapper = list(wrapper)
        self.pass_fds = pass_fds
        self.preexec = preexec
        self.env = env or {}
        self.process = None
        self.notify = None
        self.baseline = None
        self.write_config(config)

    def write_config(self, config):
        with open(self.config_path, 'w', encoding='utf-8') as file:
            file.write(config)

    def spawn(self):
        self.notify = Notify(os.path.join(self.directory, 'notify'))
        arguments = self.arguments
        if arguments is None:
            arguments = ['--config', self.config_path, '--listen', self.path]

        def prepare():
            die_with_parent()
            if self.preexec:
                self.preexec()

        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(
                [*self.wrapper, SETTLED, *arguments], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=prepare, pass_fds=self.pass_fds,
                env=environment(NOTIFY_SOCKET=self.notify.path, **self.env))
        return self

    def start(self):
        self.spawn()
        try:
            if not self.notify.wait('READY=1', alive=self.is_alive):
                raise AssertionError('settled did not start (exit %s):\n%s' % (
                    self.process.returncode, self.log()))
        except AssertionError:
            self.kill()
            raise
        # What the first session makes for good is part of the baseline.
        with self.session() as session:
            session.hello()
        wait_until(lambda: self.status()['sessions'] == 1, what='the first session gone')
        self.baseline = self.descriptors()
        return self

    @property
    def pid(self):
        return self.process.pid

    def is_alive(self):
        return self.process.poll() is None

    def session(self):
        return Session(self.path)

    def run(self, graph, **options):
        with self.session() as session:
            return session.run(graph, **options)

    # -- Looking at it

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as file:
            return file.read()

    def wait_log(self, text, timeout=WAIT):
        wait_until(lambda: text in self.log(), timeout, 'the log line %r' % text)

    def status(self):
        with self.session() as session:
            return session.status()

    def descriptors(self, kind=''):
        """Its open descriptors (of a kind: 'pipe:'); 0 where nobody may look (not root, and not a
        debug build)."""
        count = 0
        with contextlib.suppress(PermissionError):
            for name in os.listdir('/proc/%d/fd' % self.pid):
                with contextlib.suppress(FileNotFoundError):
                    link = os.readlink('/proc/%d/fd/%s' % (self.pid, name)) if kind else ''
                    count += link.startswith(kind)
        return count

    def memory(self):
        """Resident bytes."""
        with open('/proc/%d/statm' % self.pid, encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def cpu(self):
        """Seconds of CPU so far."""
        with open('/proc/%d/stat' % self.pid, encoding='ascii') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def is_idle(self):
        status = self.status()
        return all(status[name] == 0
                   for name in ('graphs', 'in_flight', 'body_bytes', 'passed')) \
            and status['sessions'] == 1

    def wait_idle(self, timeout=WAIT):
        """Nothing in flight, and every descriptor back."""
        assert self.is_alive(), 'settled died (%s):\n%s' % (
            self.process.returncode, self.log())
        wait_until(self.is_idle, timeout, 'settled idle')
        with contextlib.suppress(AssertionError):
            wait_until(lambda: self.descriptors() <= self.baseline, timeout)
            return
        names = [os.readlink('/proc/%d/fd/%s' % (self.pid, fd))
                 for fd in os.listdir('/proc/%d/fd' % self.pid)]
        raise AssertionError('descriptors: %d before, now %r' % (self.baseline, names))

    # -- Ending it

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=WAIT):
        """Its exit status."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            log = self.log()
            self.kill()
            raise AssertionError('settled did not end:\n' + log) from None

    def judge(self):
        """Nothing a sanitizer or a panic would say was said."""
        log = self.log()
        assert not REPORTS.search(log), 'settled reported:\n' + log

    def stop(self, code=0):
        """SIGTERM, and a clean end."""
        try:
            assert self.is_alive(), 'settled died (%s):\n%s' % (
                self.process.returncode, self.log())
            self.signal(signal.SIGTERM)
            ended = self.wait()
            assert ended == code, 'exit %s, not %s:\n%s' % (ended, code, self.log())
            self.judge()
        finally:
            self.clean()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.clean()

    def clean(self):
        if self.notify:
            self.notify.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def run_settled(*arguments, env=None, preexec=None, timeout=WAIT):
    """settled with arguments that make it end by itself: (exit status, stdout, stderr)."""
    def prepare():
        die_with_parent()
        if preexec:
            preexec()

    done = subprocess.run([SETTLED, *arguments], stdin=subprocess.DEVNULL, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          env=environment(**(env or {})), preexec_fn=prepare)
    return done.returncode, done.stdout.decode(), done.stderr.decode()
