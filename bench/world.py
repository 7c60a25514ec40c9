# SPDX-License-Identifier: MIT
"""The world a measurement happens in: programs built, servers started, processes watched.

Core 0 carries what is measured (clients and daemons), core 1 the servers and this script. All is
in one temporary directory; every process is ended by its pid, and by the kernel should we die.
"""

import contextlib
import ctypes
import json
import os
import resource
import shlex
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, 'bench')
BUILD = os.path.join(ROOT, 'build', 'bench')
MEASURED, SERVING = 0, 1
PR_SET_PDEATHSIG = 1
WAIT = 20

# What is compiled here, and what it is linked with.
PROGRAMS = {'floor': ['-luring'], 'multi': ['-lcurl'], 'spawn': [], 'origin': []}

NGINX = '''
daemon off; master_process off; pid %(directory)s/nginx.pid; error_log stderr warn;
events { worker_connections 16384; multi_accept on; }
http {
	access_log off; default_type application/json;
	keepalive_requests 1000000000; keepalive_timeout 600s;
	ssl_certificate %(directory)s/cert.pem; ssl_certificate_key %(directory)s/key.pem;
	log_format handshakes '$connection $ssl_session_reused';
	server {
		listen 127.0.0.1:%(port)d;
		listen 127.0.0.1:%(tls_port)d ssl http2;
		location / { return 200 '{"id":1,"name":"small","ok":true}'; }
		location /big { alias %(directory)s/big; sendfile on; }
		location /bomb { alias %(directory)s/bomb; add_header content-encoding gzip; }
	}
	server {
		listen 127.0.0.1:%(logged_port)d ssl;
		access_log %(directory)s/handshakes handshakes;
		location / { return 200 '{"id":1,"name":"small","ok":true}'; }
	}
}
'''

# No bound but the graph's own, and connections enough for the widest graph.
DAEMON = '[Limits]\nMaxRequestsPerOrigin=infinity\nMaxIdleConnections=16384\n'

libc = ctypes.CDLL(None, use_errno=True)


def say(message):
    print('bench: ' + message, file=sys.stderr, flush=True)


def environment(**more):
    """Ours, without what would reach settle; where nothing else is said, no daemon answers."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(('SETTLE', 'XDG_', 'NOTIFY_'))}
    return {**env, 'LC_ALL': 'C', 'SETTLE_SOCKET': '/nonexistent/settled.sock', **more}


def pinned(core):
    """What a child does before it runs: it stays on its core, and does not outlive us."""
    def prepare():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {core})
    return prepare


def end(process):
    """Ask, wait, insist."""
    process.terminate()
    try:
        process.wait(WAIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError('%s: not in time' % what)
        time.sleep(0.005)


def process_status(pid, field):
    """A size of /proc/PID/status in bytes; 0 where the process is gone."""
    with contextlib.suppress(OSError):
        with open('/proc/%d/status' % pid, encoding='utf-8') as file:
            for line in file:
                if line.startswith(field + ':'):
                    return int(line.split()[1]) * 1024
    return 0


def descendants(pid):
    with contextlib.suppress(OSError):
        with open('/proc/%d/task/%d/children' % (pid, pid), encoding='ascii') as file:
            for child in map(int, file.read().split()):
                yield child
                yield from descendants(child)


class Peaks(threading.Thread):
    """The peak memory of every process under a pid, by name, as long as it runs."""

    def __init__(self, pid, interval):
        super().__init__(daemon=True)
        self.pid = pid
        self.interval = interval
        self.bytes = {}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(self.interval):
            for pid in descendants(self.pid):
                with contextlib.suppress(OSError):
                    with open('/proc/%d/comm' % pid, encoding='utf-8') as file:
                        name = file.read().strip()
                    peak = process_status(pid, 'VmHWM')
                    self.bytes[name] = max(self.bytes.get(name, 0), peak)

    def stop(self):
        self.ended.set()
        self.join()
        return self.bytes


class Clock:
    """Seconds of CPU of a running process: perf's clock, or else the scheduler's, which cannot
    tell two processes on one core apart (spawn.c has the story)."""

    SYSTEM_CALL = {'x86_64': 298, 'aarch64': 241}
    SOFTWARE, TASK_CLOCK, INHERIT, EXCLUDE_KERNEL, SIZE = 1, 1, 1 << 1, 1 << 5, 64

    def __init__(self, pid):
        self.pid = pid
        attributes = struct.pack('=IIQQQQQ16x', self.SOFTWARE, self.SIZE, self.TASK_CLOCK, 0, 0, 0,
                                 self.INHERIT | self.EXCLUDE_KERNEL)
        number = self.SYSTEM_CALL.get(os.uname().machine)
        self.fd = libc.syscall(number, attributes, pid, -1, -1, 0) if number else -1
        if self.fd < 0:
            say("perf's clock is refused: the CPU of CLI and daemon is not told apart well")

    def read(self):
        if self.fd < 0:
            return time.clock_gettime(~self.pid << 3 | 2)  # clock_getcpuclockid(3)
        return int.from_bytes(os.read(self.fd, 8), sys.byteorder) / 1e9

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)


class Run:
    """What one run of a command cost: seconds, bytes, and what it wrote on stderr."""

    def __init__(self, line):
        number, wall, cpu, peak, status = map(int, line.split())
        self.number = number
        self.wall = wall / 1e9
        self.cpu = cpu / 1e9
        self.peak = peak * 1024
        self.status = status
        self.stderr = ''
        # By process name, where asked for.
        self.peaks = {}


class Daemon:
    """A settled on the measured core."""

    def __init__(self, world, **env):
        self.path = os.path.join(world.directory, 'api.sock')
        config = world.write('settled.conf', DAEMON)
        self.log = open(os.path.join(world.directory, 'settled.log'), 'wb')
        self.process = subprocess.Popen(
            [world.settled, '--config', config, '--listen', self.path], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, env=environment(**env),
            preexec_fn=pinned(MEASURED))
        wait_for(self.is_listening, 'settled')
        self.clock = Clock(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.clock.close()
        self.log.close()

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path)
        return sock

    def is_listening(self):
        if self.process.poll() is not None:
            raise RuntimeError('settled did not start')
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def status(self):
        with self.connect() as sock:
            sock.sendall(b'{"status":{}}\n')
            return json.loads(sock.makefile().readline())['status']

    def peak(self):
        return process_status(self.process.pid, 'VmHWM')

    def resident(self):
        with open('/proc/%d/smaps_rollup' % self.process.pid, encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('Rss:')) * 1024


class World:
    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.settled = os.path.join(BUILD, 'daemon', 'settled')
        self.settle = os.path.join(BUILD, 'client', 'cli', 'settle')

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.directory = stack.enter_context(tempfile.TemporaryDirectory(prefix='bench-'))
            os.sched_setaffinity(0, {SERVING})
            # Ours for all we start; the servers need one per connection.
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            self.start_nginx(stack)
            self.start_origin(stack)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    # -- Servers

    def serve(self, stack, command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment(),
                                   preexec_fn=pinned(SERVING), **options)
        stack.callback(end, process)
        return process

    def start_nginx(self, stack):
        self.certificate = os.path.join(self.directory, 'cert.pem')
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-days', '2', '-subj', '/CN=bench', '-addext',
             'subjectAltName=IP:127.0.0.1', '-keyout', os.path.join(self.directory, 'key.pem'),
             '-out', self.certificate], check=True, stderr=subprocess.DEVNULL)
        self.port, self.tls_port, self.logged_port = free_port(), free_port(), free_port()
        config = self.write('nginx.conf', NGINX % vars(self))
        process = self.serve(stack, ['nginx', '-p', self.directory, '-c', config])

        def is_listening():
            if process.poll() is not None:
                raise RuntimeError('nginx did not start')
            with socket.socket() as sock:
                return sock.connect_ex(('127.0.0.1', self.port)) == 0

        wait_for(is_listening, 'nginx')

    def start_origin(self, stack):
        process = self.serve(stack, [self.program('origin')], stdout=subprocess.PIPE)
        self.origin_port = int(process.stdout.readline())

    # -- Commands

    def program(self, name):
        return os.path.join(BUILD, 'bench-' + name)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def write_graph(self, name, graph):
        return self.write(name, json.dumps(graph))

    def spawn(self, *commands, rounds=1, output='/dev/null', watch=None, statuses=(0,)):
        """Runs each command once a round on the measured core. `watch`: every so many seconds
        their processes' peak memory is taken."""
        arguments = [self.program('spawn'), str(MEASURED), str(rounds), output]
        for i, command in enumerate(commands):
            arguments += [':::'] * (i > 0) + [str(word) for word in command]
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, env=environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        peaks = Peaks(process.pid, watch) if watch else None
        if peaks:
            peaks.start()
        out, err = process.communicate()
        runs = [Run(line) for line in out.splitlines()]
        if process.returncode != 0 or len(runs) != rounds * len(commands) or \
                any(run.status not in statuses for run in runs):
            raise RuntimeError('%s failed: %s %s' % (shlex.join(arguments)[:400], out, err[-2000:]))
        for run in runs:
            run.stderr = err
            run.peaks = peaks.stop() if peaks else {}
        return runs


def build():
    """Everything, from what the tree says now."""
    subprocess.run([os.path.join(ROOT, 'scripts', 'setup'), 'bench'], check=True,
                   stdout=sys.stderr)
    if not os.path.exists(os.path.join(BUILD, 'build.ninja')):
        subprocess.run(['meson', 'setup', '--buildtype=release', BUILD, ROOT], check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(['ninja', '--quiet', '-C', BUILD, 'daemon/settled', 'client/cli/settle'],
                   check=True, stdout=sys.stderr)
    flags = ['cc', '-std=gnu11', '-D_GNU_SOURCE', '-O3', '-Wall', '-Wextra',
             '-Wno-unused-parameter']
    for name, libraries in PROGRAMS.items():
        subprocess.run([*flags, '-o', os.path.join(BUILD, 'bench-' + name),
                        os.path.join(BENCH, name + '.c'), *libraries], check=True)
    subprocess.run([*flags, '-shared', '-fPIC', '-o', os.path.join(BUILD, 'malloc_count.so'),
                    os.path.join(BENCH, 'malloc_count.c')], check=True)


def median(values):
    return statistics.median(values)


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]
