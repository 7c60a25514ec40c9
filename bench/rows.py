# SPDX-License-Identifier: MIT
"""What is measured: one function per row of the bench, each writing its part of the report."""

import contextlib
import json
import mmap
import os
import random
import re
import shutil
import signal
import subprocess
import time

from report import spread
from world import BUILD, ROOT, Daemon, median, percentile, process_status, say, wait_for

CONNECTIONS = 64
# Completions a turn of the unusually patient floor waits for.
BATCH = 16
MIB = 1024 * 1024
# Every job makes its own request: jobs with the same URL would share one, and prove nothing.
ALONE = {'dedupe': False}


def summary_of(run):
    """The summary settle wrote on stderr; every job of the bench must have been fulfilled."""
    summary = json.loads(next(line for line in run.stderr.splitlines() if line.startswith('{')))
    if summary['status'] != 'fulfilled' or summary['rejected'] != 0:
        raise RuntimeError('not fulfilled: %s' % summary)
    return summary


# -- Small requests


class Contender:
    """One way to make many small requests. `told(output)` reads from its output what the program
    says itself: p50 and p99 in us, and where it can its requests and its turns."""

    def __init__(self, name, command, told=None, daemon=None, apart=None):
        self.name = name
        self.command = command
        self.told = told
        self.daemon = daemon
        # The command of a run for that alone, where saying it costs CPU.
        self.apart = apart
        self.us, self.daemon_us, self.rate, self.p50, self.p99, self.batch = ([] for _ in range(6))
        self.peak = 0

    def measure(self, world, n):
        output = os.path.join(world.directory, 'output')
        before = self.daemon_cost()
        # Only a private daemon has to be looked for.
        run, = world.spawn(self.command, output='/dev/null' if self.apart else output,
                           watch=0.05 if 'private' in self.name else None)
        spent, turns = (b - a for a, b in zip(before, self.daemon_cost()))
        if self.apart:
            world.spawn(self.apart, output=output)
        told = self.told(output) if self.told else {}
        n = told.get('requests', n)
        turns = told.get('turns', turns)
        self.us.append((run.cpu + spent) / n * 1e6)
        self.daemon_us.append(spent / n * 1e6)
        self.rate.append(n / run.wall)
        self.batch += [n / turns] if turns else []
        self.p50 += [told['p50']] if told else []
        self.p99 += [told['p99']] if told else []
        self.peak = max(self.peak, sum(run.peaks.values()) or
                        run.peak + (self.daemon.peak() if self.daemon else 0))

    def daemon_cost(self):
        if not self.daemon:
            return 0, 0
        return self.daemon.clock.read(), self.daemon.status()['ring']['enters']


def percentiles(values):
    return {'p50': percentile(values, 0.5), 'p99': percentile(values, 0.99)}


def told_in_json(output):
    with open(output, encoding='utf-8') as file:
        return json.load(file)


def told_by_wrk(output):
    with open(output, encoding='utf-8') as file:
        text = file.read()
    units = {'us': 1, 'ms': 1e3, 's': 1e6}
    p50, p99 = (float(value) * units[unit] for value, unit in re.findall(
        r'^\s+(?:50|99)%\s+([\d.]+)(us|ms|s)$', text, re.M))
    return {'requests': int(re.search(r'(\d+) requests in', text)[1]), 'p50': p50, 'p99': p99}


def told_by_h2load(log):
    def told(_):
        with open(log, encoding='ascii') as file:
            values = [int(line.split()[2]) for line in file]
        os.unlink(log)
        return percentiles(values)
    return told


def told_by_records(output):
    """From the request's first byte to the response's last."""
    values = []
    with open(output, encoding='utf-8') as file:
        for line in file:
            span = json.loads(line)['time']
            values.append((span['first_byte'] + span['body']) * 1000)
    return percentiles(values)


def small_graph(world, n, concurrency=CONNECTIONS):
    return world.write_graph('small.json', {'concurrency': concurrency, 'defaults': ALONE, 'jobs': [
        {'url': 'http://127.0.0.1:%d/item/%d' % (world.port, i)} for i in range(n)]})


def contenders(world, daemon, n):
    base = 'http://127.0.0.1:%d/item/' % world.port
    urls = world.write('urls', ''.join('%s%d\n' % (base, i) for i in range(n)))
    config = world.write('curlrc', ''.join(
        'url = "%s%d"\noutput = "/dev/null"\n' % (base, i) for i in range(n)))
    log = os.path.join(world.directory, 'h2load.log')
    run = [world.settle, 'run', small_graph(world, n), '--format', 'jsonl', '--progress', 'none']
    warm = [*run, '--socket', daemon.path]
    h2load = ['h2load', '--h1', '-n', n, '-c', CONNECTIONS, '-t', '1', '-i', urls]
    own = [world.port, n, CONNECTIONS]
    return [
        Contender('bare io_uring loop (the floor)', [world.program('floor'), *own, 1],
                  told_in_json),
        Contender('– woken by %d completions' % BATCH, [world.program('floor'), *own, BATCH],
                  told_in_json),
        Contender('libcurl multi', [world.program('multi'), base, n, CONNECTIONS], told_in_json),
        Contender('wrk (one URL)', ['wrk', '-t1', '-c%d' % CONNECTIONS, '-d2s', '--latency',
                                    base + '0'], told_by_wrk),
        Contender('h2load --h1', h2load, told_by_h2load(log),
                  apart=[*h2load, '--log-file=' + log]),
        Contender('curl -Z', ['curl', '-s', '-Z', '--parallel-max', CONNECTIONS, '-K', config]),
        Contender('settle, private daemon', run, told_by_records, apart=run),
        Contender('settle, warm daemon', warm, told_by_records, daemon, apart=warm),
    ]


def requests(world, report, quick):
    n, rounds = (20000, 2) if quick else (100000, 7)
    with Daemon(world) as daemon:
        found = contenders(world, daemon, n)
        floor, batched, multi, *_, warm = found
        # Its first graph makes what the daemon keeps.
        world.spawn(warm.command)
        for i in range(rounds):
            say('%d small requests, round %d of %d' % (n, i + 1, rounds))
            for contender in found:
                contender.measure(world, n)

    def ratios(some, other):
        return [a / b for a, b in zip(some, other.us)]

    def row(name, us, contender=None):
        rest = [None] * 5 if not contender else [
            *(median(values) if values else None for values in (
                contender.batch, contender.rate, contender.p50, contender.p99)),
            contender.peak / MIB]
        return [name, spread(us), median(ratios(us, floor)), median(ratios(us, multi)), *rest]

    cli_us = [both - daemon for both, daemon in zip(warm.us, warm.daemon_us)]
    report.title('{:,} distinct small GETs over {} kept connections'.format(n, CONNECTIONS))
    report.table(['what', 'CPU us/request', '/ floor', '/ multi', 'requests/turn', 'requests/s',
                  'p50 us', 'p99 us', 'peak MiB, all'],
                 [row(contender.name, contender.us, contender) for contender in found] +
                 [row('– of it the daemon', warm.daemon_us), row('– of it the CLI', cli_us)])
    report.note('Beside the floor woken by {} completions: CLI + daemon {}, the daemon {}.'.format(
        BATCH, spread(ratios(warm.us, batched)), spread(ratios(warm.daemon_us, batched))))
    report.figure('CLI + daemon / floor', ratios(warm.us, floor), 1.6)
    report.figure('CLI + daemon / libcurl multi', ratios(warm.us, multi), 0.85)
    report.figure('daemon alone / floor', ratios(warm.daemon_us, floor), 1.3)


# -- The steady state, counted


@contextlib.contextmanager
def counted_daemon(world):
    """A daemon, and what tells how often it has allocated."""
    path = os.path.join(world.directory, 'malloc')
    with open(path, 'wb') as file:
        file.write(bytes(mmap.PAGESIZE))
    with open(path, 'r+b') as file, mmap.mmap(file.fileno(), mmap.PAGESIZE) as memory, \
            Daemon(world, LD_PRELOAD=os.path.join(BUILD, 'malloc_count.so'),
                   MALLOC_COUNT=path) as daemon:
        yield daemon, lambda: int.from_bytes(memory[:8], 'little')


def count_timers(world, graph, n):
    """The daemon's system calls on time, and all of them, while strace looks on."""
    if not shutil.which('strace'):
        return None
    log = os.path.join(world.directory, 'strace')
    with Daemon(world) as daemon:
        pid = daemon.process.pid
        tracer = subprocess.Popen(['strace', '-f', '-c', '-o', log, '-p', str(pid)],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: tracer.poll() is not None or 'TracerPid:\t0' not in open(
                '/proc/%d/status' % pid).read(), 'strace')
            world.spawn([world.settle, 'run', graph, '--socket', daemon.path])
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
    calls = {fields[-1]: int(fields[3]) for fields in map(str.split, open(log))
             if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != 'total'}
    timers = sum(count for name, count in calls.items() if re.search(
        r'timer|alarm|nanosleep|clock|gettimeofday|^time$', name))
    return timers, sum(calls.values()), n


def steady(world, report, quick):
    n = 20000 if quick else 100000
    say('the steady state, counted')
    command = [world.settle, 'run', small_graph(world, n), '--progress', 'none']
    with counted_daemon(world) as (daemon, allocations):
        command += ['--socket', daemon.path]
        world.spawn(command)
        before, n_before = daemon.status()['ring'], allocations()
        world.spawn(command)
        n_after, after = allocations(), daemon.status()['ring']
    each = {name: (after[name] - before[name]) / n for name in (
        'sends', 'receives', 'completions', 'enters', 'cancels', 'connects')}
    each['malloc'] = (n_after - n_before) / n
    timers = count_timers(world, small_graph(world, n // 10), n // 10)
    report.title('The steady state: a second graph of {:,} small GETs, per request'.format(n))
    report.table(['what', *each, 'timer system calls'], [[
        'the daemon', *('%.3f' % value for value in each.values()),
        '%d of %d in %d requests' % timers if timers else 'not counted (no strace)']])
    report.note('Sends, receives and completions are those of the session with the CLI, too: a '
                'record is not sent by itself but with all others of its turn.')
    holds = (each['sends'] < 1.1 and each['completions'] < 2.2 and each['cancels'] == 0 and
             each['malloc'] < 0.01 and not (timers and timers[0]))
    report.fact('per request: sends, completions, cancels, timer calls, malloc', '1, 2, 0, 0, 0',
                '%.2f, %.2f, %.2f, %s, %.4f' % (
                    each['sends'], each['completions'], each['cancels'],
                    timers[0] if timers else '–', each['malloc']), holds)


# -- Graphs against their critical path


def random_graph(world, n, seed):
    """Each job 10 to 50 ms, after up to three earlier ones; and its critical path in ms."""
    choose = random.Random(seed)
    jobs, ends = [], []
    for i in range(n):
        us = choose.randint(10000, 50000)
        parents = choose.sample(range(i), min(i, choose.randint(0, 3)))
        ends.append(us / 1000 + max((ends[parent] for parent in parents), default=0))
        jobs.append({'url': 'http://127.0.0.1:%d/d/%d' % (world.origin_port, us),
                     **({'after': [str(parent) for parent in parents]} if parents else {})})
    return {'concurrency': 'unbounded', 'defaults': ALONE, 'jobs': jobs}, max(ends)


def graphs_of(world, report, n, count, most):
    found = {'warm': ([], []), 'private': ([], [])}
    paths = []
    with Daemon(world) as daemon:
        for seed in range(count):
            say('random graph of %d jobs, %d of %d' % (n, seed + 1, count))
            graph, path_ms = random_graph(world, n, seed)
            paths.append(path_ms)
            run = [world.settle, 'run', world.write_graph('graph.json', graph), '--summary',
                   '--progress', 'none']
            for name, command in ('warm', [*run, '--socket', daemon.path]), ('private', run):
                done, = world.spawn(command)
                found[name][0].append(summary_of(done)['wall_ms'] / path_ms)
                found[name][1].append(done.wall * 1000 / path_ms)
    for name, (wall, process) in found.items():
        report.figure('random graphs of {:,} jobs: wall / critical path, {} daemon'.format(
            n, name), wall, most)
    return [['{:,} jobs, {} daemon'.format(n, name), spread(paths), '%.4f' % median(wall),
             '%.4f' % max(wall), '%.4f' % median(process)]
            for name, (wall, process) in found.items()]


def graphs(world, report, quick):
    rows = graphs_of(world, report, 200, 3 if quick else 20, 1.03)
    rows += graphs_of(world, report, 2000, 1 if quick else 7, 1.05)
    report.title('Random graphs, each job 10–50 ms, unbounded: wall over critical path')
    report.table(['what', 'critical path ms', 'median', 'worst', 'whole process, median'], rows)


# -- Admission and memory


def admit(world, n):
    """A graph whose jobs all wait for one: (ms until accepted, bytes per job, bytes at peak)."""
    jobs = [{'url': 'http://127.0.0.1:%d/d/60000000' % world.origin_port}]
    jobs += [{'url': 'http://127.0.0.1:%d/item/%d' % (world.origin_port, i), 'after': ['0']}
             for i in range(1, n)]
    message = json.dumps({'id': 1, 'submit': {'defaults': ALONE, 'jobs': jobs}},
                         separators=(',', ':')) + '\n'
    data = message.encode()
    with Daemon(world) as daemon, daemon.connect() as sock, sock.makefile() as answers:
        sock.sendall(b'{"hello":{"version":1}}\n')
        answers.readline()
        before = daemon.resident()
        begin = time.monotonic()
        sock.sendall(data)
        answer = answers.readline()
        took = time.monotonic() - begin
        if '"accepted"' not in answer:
            raise RuntimeError('not accepted: ' + answer[:400])
        return took * 1000, (daemon.resident() - before) / n, (daemon.peak() - before) / n, \
            len(data)


def admission(world, report, quick):
    n, rounds = (20000, 2) if quick else (100000, 9)
    say('admission of %d jobs' % n)
    took, each, peak, size = zip(*(admit(world, n) for _ in range(rounds)))
    report.title('Admission of a graph of {:,} jobs ({:.1f} MB), all behind one slow job'.format(
        n, size[0] / 1e6))
    report.table(['submit to accepted, ms', 'memory per waiting job, bytes',
                  'at the peak of admission, bytes'], [[spread(took), spread(each), spread(peak)]])
    report.figure('admission of {:,} jobs'.format(n), list(took), 100, ' ms')
    report.figure('memory per waiting job', list(each), 1024, ' B')


# -- Many at once


def many_run(world, n, us):
    graph = {'concurrency': 'unbounded', 'defaults': ALONE, 'jobs': [
        {'url': 'http://127.0.0.1:%d/d/%d' % (world.origin_port, us)} for _ in range(n)]}
    run, = world.spawn([world.settle, 'run', world.write_graph('many.json', graph), '--summary',
                        '--progress', 'none'], watch=0.02, statuses=(0, 1))
    summary = json.loads(next(line for line in run.stderr.splitlines() if line.startswith('{')))
    return summary, run.wall, run.peaks['settled']


def many(world, report, quick):
    n, rounds = (1000, 1) if quick else (10000, 5)
    baseline = many_run(world, 1, 300000)[2]
    walls, processes, memory, lost = [], [], [], 0
    for i in range(rounds):
        say('%d requests at once, %d of %d' % (n, i + 1, rounds))
        summary, wall, peak = many_run(world, n, 1000000)
        lost += n - summary['fulfilled']
        walls.append(summary['wall_ms'] / 1000)
        processes.append(wall)
        memory.append((peak - baseline) / n / 1024)
    report.title('{:,} requests of 1 s at once, one origin, a private daemon'.format(n))
    report.table(['not fulfilled', 'wall s', 'whole process s', 'daemon KiB per request'],
                 [['%d of %d' % (lost, n * rounds), spread(walls), spread(processes),
                   spread(memory)]])
    report.fact('{:,} requests of 1 s at once'.format(n), 'all fulfilled',
                'all' if not lost else '%d not' % lost, lost == 0)
    report.figure('– wall', walls, 2.5, ' s')
    report.figure('– daemon memory each', memory, 16, ' KiB')


# -- A whole process


def processes(world, report, quick):
    rounds = 10 if quick else 50
    rows = []
    with Daemon(world) as daemon:
        for name, url, more in (
                ('http', 'http://127.0.0.1:%d/item/1' % world.port, []),
                ('https', 'https://127.0.0.1:%d/item/1' % world.tls_port,
                 ['--cacert', world.certificate])):
            say('whole processes, ' + name)
            commands = [['curl', '-s', *more, url],
                        [world.settle, 'get', '--socket', daemon.path, *more, url],
                        [world.settle, 'get', *more, url]]
            world.spawn(*commands)
            runs = world.spawn(*commands, rounds=rounds)
            times = [[run.wall * 1000 for run in runs if run.number == i] for i in range(3)]
            cpu = [median([run.cpu * 1000 for run in runs if run.number == i]) for i in range(3)]
            curl = median(times[0])
            for what, some, spent in zip(('curl', 'settle get, warm daemon',
                                          'settle get, private daemon'), times, cpu):
                rows.append(['%s, %s' % (what, name), median(some), percentile(some, 0.9), spent,
                             median(some) / curl])
            report.figure('settle get / curl, warm daemon, ' + name, median(times[1]) / curl, 0.5)
            report.figure('settle get / curl, private daemon, ' + name, median(times[2]) / curl, 3)
    report.title('One URL as a whole process, %d times each, in turn' % rounds)
    report.table(['what', 'ms, median', 'ms, p90', 'CPU ms, without a warm daemon\'s', '/ curl'],
                 rows)


ROWS = {'requests': requests, 'steady': steady, 'graphs': graphs, 'admission': admission,
        'many': many, 'processes': processes}
