# SPDX-License-Identifier: MIT
"""What is measured of HTTP as the web speaks it: TLS, HTTP/2, large bodies, many short-lived
clients, a slow one, and a bomb. One function per row, as in rows.py."""

import gzip
import json
import os
import tempfile
import time

from report import spread
from rows import (ALONE, CONNECTIONS, MIB, Contender, told_by_h2load, told_by_records,
                  told_in_json)
from world import Daemon, median, say

BIG = 100 * MIB
# At once.
PARTS = 4


def ratios(some, other):
    return [a / b for a, b in zip(some, other)]


def certificate(world):
    with open(world.certificate, encoding='ascii') as file:
        return file.read()


# -- Small requests over TLS


def secured(world, daemon, n, version):
    """The contenders: libcurl multi, h2load, settle."""
    base = 'https://127.0.0.1:%d/item/' % world.tls_port
    urls = world.write('tls-urls', ''.join('%s%d\n' % (base, i) for i in range(n)))
    log = os.path.join(world.directory, 'h2load.log')
    wide = ['-c', '1', '-m', CONNECTIONS] if version == '2' else ['--h1', '-c', CONNECTIONS]
    h2load = ['h2load', *wide, '-n', n, '-t', '1', '-i', urls]
    graph = world.write_graph('tls.json', {
        'concurrency': CONNECTIONS,
        'defaults': {**ALONE, 'http': version, 'tls': {'ca': certificate(world)}},
        'jobs': [{'url': base + str(i)} for i in range(n)]})
    run = [world.settle, 'run', graph, '--format', 'jsonl', '--progress', 'none', '--socket',
           daemon.path]
    return [
        Contender('libcurl multi', [world.program('multi'), base, n, CONNECTIONS, version,
                                    world.certificate], told_in_json),
        Contender('h2load', h2load, told_by_h2load(log), apart=[*h2load, '--log-file=' + log]),
        Contender('settle, warm daemon', run, told_by_records, daemon, apart=run),
    ]


def small(world, report, quick, version, most_h2load, most_multi):
    n, rounds = (10000, 2) if quick else (100000, 5)
    with Daemon(world) as daemon:
        found = secured(world, daemon, n, version)
        multi, h2load, settle = found
        world.spawn(settle.command)
        before = daemon.status()['ring']['connects']
        for i in range(rounds):
            say('%d small requests over TLS, HTTP/%s, round %d of %d' % (
                n, version, i + 1, rounds))
            for contender in found:
                contender.measure(world, n)
        connects = daemon.status()['ring']['connects'] - before

    def row(name, us, contender=None):
        rest = [None] * 4 if not contender else [
            *(median(values) if values else None
              for values in (contender.rate, contender.p50, contender.p99)),
            contender.peak / MIB]
        return [name, spread(us), median(ratios(us, multi.us)), median(ratios(us, h2load.us)),
                *rest]

    what = '%d streams of one connection' % CONNECTIONS if version == '2' else \
        '%d kept connections' % CONNECTIONS
    cli_us = [both - alone for both, alone in zip(settle.us, settle.daemon_us)]
    report.title('{:,} distinct small GETs over TLS, HTTP/{}, {}'.format(n, version, what))
    report.table(['what', 'CPU us/request', '/ multi', '/ h2load', 'requests/s', 'p50 us',
                  'p99 us', 'peak MiB, all'],
                 [row(contender.name, contender.us, contender) for contender in found] +
                 [row('– of it the daemon', settle.daemon_us), row('– of it the CLI', cli_us)])
    report.note('New connections of the warm daemon in all rounds: %d.' % connects)
    name = 'TLS, HTTP/%s, small GETs: CLI + daemon' % version
    report.figure(name + ' / h2load', ratios(settle.us, h2load.us), most_h2load)
    report.figure(name + ' / libcurl multi', ratios(settle.us, multi.us), most_multi)


def tls(world, report, quick):
    small(world, report, quick, '1.1', 1.15, 0.75)


def http2(world, report, quick):
    small(world, report, quick, '2', 1.3, 0.7)


# -- Large bodies


def make_big(world, size):
    path = os.path.join(world.directory, 'big')
    with open(path, 'wb') as file:
        piece = os.urandom(MIB)
        for _ in range(size // MIB):
            file.write(piece)


class Transfer:
    """One way to fetch PARTS bodies at once: MB/s, and CPU per GB, of each run."""

    def __init__(self, name, command, daemon=None):
        self.name = name
        self.command = command
        self.daemon = daemon
        self.rate, self.cpu, self.peak = [], [], 0

    def measure(self, world, size):
        before = self.daemon.clock.read() if self.daemon else 0
        run, = world.spawn(self.command)
        spent = (self.daemon.clock.read() if self.daemon else 0) - before
        self.rate.append(PARTS * size / 1e6 / run.wall)
        self.cpu.append((run.cpu + spent) / (PARTS * size / 1e9))
        self.peak = max(self.peak, run.peak + (self.daemon.peak() if self.daemon else 0))


def big_graph(world, name, base, defaults):
    return world.write_graph(name, {'defaults': {**ALONE, 'http': '1.1', **defaults}, 'jobs': [
        {'url': '%s%d' % (base, i)} for i in range(PARTS)]})


def transfers(world, daemon, directory):
    base = 'http://127.0.0.1:%d/big?' % world.port
    tls_base = 'https://127.0.0.1:%d/big?' % world.tls_port
    run = [world.settle, 'run', '--progress', 'none', '--socket', daemon.path]
    multi = [world.program('multi')]
    by_curl, by_settle = [], []
    for i in range(PARTS):
        by_curl += [base + str(i), '-o', '%s/curl-%d' % (directory, i)]
        by_settle += [base + str(i), '-o', '%s/settle-%d' % (directory, i)]
    discard = {'output': 'discard'}
    secure = {**discard, 'tls': {'ca': certificate(world)}}
    return [
        Transfer('discarded: libcurl multi', [*multi, base, PARTS, PARTS]),
        Transfer('discarded: settle', [*run, big_graph(world, 'big.json', base, discard)],
                 daemon),
        Transfer('to files in memory: curl -Z -o', ['curl', '-s', '-Z', *by_curl]),
        Transfer('to files in memory: settle get -o',
                 [world.settle, 'get', '--progress', 'none', '--socket', daemon.path, '--http1.1',
                  *by_settle], daemon),
        Transfer('TLS, discarded: libcurl multi',
                 [*multi, tls_base, PARTS, PARTS, '1.1', world.certificate]),
        Transfer('TLS, discarded: settle',
                 [*run, big_graph(world, 'big-tls.json', tls_base, secure)], daemon),
    ]


def large(world, report, quick):
    size, rounds = (16 * MIB, 2) if quick else (BIG, 7)
    make_big(world, size)
    # Memory where there is some, so that a disk has no part in it.
    place = '/dev/shm' if os.access('/dev/shm', os.W_OK) else world.directory
    with tempfile.TemporaryDirectory(prefix='bench-', dir=place) as directory, \
            Daemon(world) as daemon:
        found = transfers(world, daemon, directory)
        for i in range(rounds):
            say('%d bodies of %d MiB at once, round %d of %d' % (
                PARTS, size // MIB, i + 1, rounds))
            for transfer in found:
                transfer.measure(world, size)
        for name in os.listdir(directory):
            if os.path.getsize(os.path.join(directory, name)) != size:
                raise RuntimeError('%s is not whole' % name)
    multi, discarded, curl, stored, tls_multi, tls_discarded = found
    report.title('%d bodies of %d MiB at once, HTTP/1.1' % (PARTS, size // MIB))
    report.table(['what', 'MB/s', 'CPU s/GB', 'peak MiB, all'],
                 [[each.name, spread(each.rate), median(each.cpu), each.peak / MIB]
                  for each in found])
    for what, mine, other, least in (
            ('4 x 100 MB discarded: throughput / libcurl multi', discarded, multi, 1.0),
            ('4 x 100 MB to files: throughput / curl -o', stored, curl, 0.9),
            ('4 x 100 MB over TLS: throughput / libcurl multi', tls_discarded, tls_multi, 0.95)):
        values = ratios(mine.rate, other.rate)
        report.fact(what, '>= %g' % least, spread(values), median(values) >= least)


# -- Many clients, one daemon


def handshakes(world):
    """(connections, full handshakes) that the server has seen since the last time."""
    path = os.path.join(world.directory, 'handshakes')
    with open(path, 'r+', encoding='ascii') as file:
        first = {}
        for line in file:
            number, reused = line.split()
            first.setdefault(number, reused)
        file.truncate(0)
    return len(first), sum(reused == '.' for reused in first.values())


def calls(world, report, quick):
    n = 100 if quick else 1000
    url = 'https://127.0.0.1:%d/' % world.logged_port
    more = ['--cacert', world.certificate]
    handshakes(world)
    rows = []
    with Daemon(world) as daemon:
        for name, command in (
                ('curl', ['curl', '-s', *more, url]),
                ('settle get, warm daemon',
                 [world.settle, 'get', '--socket', daemon.path, *more, url])):
            say('%d calls: %s' % (n, name))
            runs = world.spawn(command, rounds=n)
            rows.append([name, sum(run.wall for run in runs),
                         sum(run.cpu for run in runs) / n * 1000, *handshakes(world)])
    curl, settle = rows
    report.title('{:,} calls, one after the other, to one https origin'.format(n))
    report.table(['what', 'wall s', 'CPU ms/call, without a warm daemon\'s', 'connections',
                  'full handshakes'], rows)
    report.fact('{:,} calls: full handshakes'.format(n), '1', str(settle[4]), settle[4] == 1)
    report.figure('– wall / that of as many curl', settle[1] / curl[1], 0.25)


# -- A client that reads slowly


def read_slowly(sock, rate, seconds):
    """Bytes read, at `rate` a second."""
    begin, done = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        done += len(sock.recv(min(65536, rate // 16)))
        ahead = done / rate - (time.monotonic() - begin)
        if ahead > 0:
            time.sleep(ahead)
    return done


def slow(world, report, quick):
    seconds, rate, size = 5 if quick else 20, 1000000, 200 * MIB
    make_big(world, size)
    url = 'http://127.0.0.1:%d/' % world.port
    with Daemon(world) as daemon, daemon.connect() as sock:
        world.spawn([world.settle, 'get', '--socket', daemon.path, url])
        base = daemon.peak()
        say('a client that reads 1 MB/s, %d s' % seconds)
        sock.sendall(json.dumps({'id': 1, 'submit': {'jobs': {'big': {
            'url': url + 'big', 'output': 'stream'}}}}).encode() + b'\n')
        done = read_slowly(sock, rate, seconds)
        more = (daemon.peak() - base) / MIB
    report.title('A body of 200 MB, streamed to a client that reads 1 MB/s')
    report.note('%d s of the 200: %.1f MB read, the daemon %.2f MiB above its %.1f MiB (both peaks '
                'of resident memory).' % (seconds, done / 1e6, more, base / MIB))
    report.figure('200 MB to a client that reads 1 MB/s: the daemon\'s memory beyond its base',
                  more, 4, ' MiB')


# -- A bomb


def bomb(world, report, quick):
    with open(os.path.join(world.directory, 'bomb'), 'wb') as file:
        file.write(gzip.compress(bytes(10 * 1000 * 1000), 9))
    url = 'http://127.0.0.1:%d/' % world.port
    graph = world.write_graph('bomb.json', {'defaults': ALONE, 'jobs': [
        {'url': url + 'bomb', 'max_body': '1m'}]})
    output = os.path.join(world.directory, 'bombed')
    rows, codes = [], set()
    with Daemon(world) as daemon:
        world.spawn([world.settle, 'get', '--socket', daemon.path, url])
        base = daemon.peak()
        say('bombs')
        for i in range(3 if quick else 20):
            world.spawn([world.settle, 'run', graph, '--format', 'jsonl', '--progress', 'none',
                         '--socket', daemon.path], output=output, statuses=(1,))
            codes.add(told_in_json(output)['reason']['code'])
            rows.append((daemon.peak() - base) / MIB)
    size = os.path.getsize(os.path.join(world.directory, 'bomb'))
    report.title('%.1f KB that unpack to 10 MB, against max_body 1m' % (size / 1000))
    report.note('%s, %d times; the daemon\'s peak beyond its base of %.1f MiB: the first %.2f MiB, '
                'in the end %.2f MiB.' % (', '.join(sorted(codes)), len(rows), base / MIB, rows[0],
                                          rows[-1]))
    report.fact('a bomb of 10 MB', 'BODY_TOO_LARGE', ', '.join(sorted(codes)),
                codes == {'BODY_TOO_LARGE'})
    report.figure('– the daemon\'s memory beyond its base', rows[-1], 2, ' MiB')


ROWS = {'tls': tls, 'http2': http2, 'large': large, 'calls': calls, 'slow': slow, 'bomb': bomb}
