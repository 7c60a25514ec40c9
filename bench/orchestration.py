# SPDX-License-Identifier: MIT
"""What is measured of graphs as graphs: beside better-all and promises by hand, cancelling, large
fan-outs, endless batches. One function per row, as in rows.py."""

import http.client
import json
import os
import shutil
import subprocess

from report import spread
from rows import ALONE, MIB, random_graph, small_graph, summary_of, told_in_json
from world import BENCH, BUILD, Daemon, median, say

BETTER_ALL = '0.0.7'
RIVALS = os.path.join(BUILD, 'rivals')


# -- Beside better-all


def install_rivals():
    """The npm package at its pinned version, in our build. None, or why there is none."""
    if not shutil.which('node') or not shutil.which('npm'):
        return 'there is no Node here'
    manifest = os.path.join(RIVALS, 'node_modules', 'better-all', 'package.json')
    if os.path.exists(manifest) and told_in_json(manifest)['version'] == BETTER_ALL:
        return None
    say('installing better-all@' + BETTER_ALL)
    os.makedirs(RIVALS, exist_ok=True)
    with open(os.path.join(RIVALS, 'package.json'), 'w', encoding='utf-8') as file:
        json.dump({'private': True, 'dependencies': {'better-all': BETTER_ALL}}, file)
    done = subprocess.run(
        ['npm', 'install', '--prefix', RIVALS, '--no-audit', '--no-fund', '--ignore-scripts'],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else 'npm: ' + done.stderr.strip()[-200:]


class Side:
    """One way to run the graphs: wall over the critical path, and CPU per job, of each run."""

    def __init__(self, name, command, daemon=None):
        self.name = name
        self.command = command
        self.daemon = daemon
        self.wall, self.us = [], []

    def measure(self, world, graph, n, path_ms):
        output = os.path.join(world.directory, 'told')
        before = self.daemon.clock.read() if self.daemon else 0
        run, = world.spawn([*self.command, graph], output=output)
        daemon_s = (self.daemon.clock.read() if self.daemon else 0) - before
        told = told_in_json(output) if 'node' in self.command else summary_of(run)
        if told['jobs'] != n:
            raise RuntimeError('%s ran %d jobs of %d' % (self.name, told['jobs'], n))
        self.wall.append(told['wall_ms'] / path_ms)
        self.us.append((run.cpu + daemon_s) / n * 1e6)


def sides_of(world, daemon):
    node = ['node', os.path.join(BENCH, 'rival.mjs'), RIVALS]
    run = [world.settle, 'run', '--summary', '--progress', 'none']
    return [Side('better-all ' + BETTER_ALL, [*node, 'better-all']),
            Side('Promise.all by levels', [*node, 'levels']),
            Side('settle, private daemon', run),
            Side('settle, warm daemon', [*run, '--socket', daemon.path], daemon)]


def rivals_of(world, report, n, rounds):
    with Daemon(world) as daemon:
        sides = sides_of(world, daemon)
        for seed in range(rounds):
            say('beside better-all: random graph of %d jobs, %d of %d' % (n, seed + 1, rounds))
            # Others than those of the row `graphs`.
            graph, path_ms = random_graph(world, n, 1000 + seed)
            path = world.write_graph('graph.json', graph)
            for side in sides:
                side.measure(world, path, n, path_ms)
    better_all, _, private, _ = sides
    if n == 2000:
        report.figure('random graphs of 2,000 jobs, beside better-all: wall / critical path',
                      private.wall, 1.05)
        report.fact('– below better-all\'s', '< %.3f' % median(better_all.wall),
                    '%.3f' % median(private.wall), median(private.wall) < median(better_all.wall))
        report.figure('– CPU per job / better-all\'s',
                      [a / b for a, b in zip(private.us, better_all.us)], 0.2)
    return [['{:,} jobs, {}'.format(n, side.name), '%.3f' % median(side.wall),
             '%.3f' % max(side.wall), spread(side.us),
             median([a / b for a, b in zip(side.us, better_all.us)])] for side in sides]


def rivals(world, report, quick):
    report.title('The same random graphs, each job 10–50 ms, by Node and by settle')
    why = install_rivals()
    if why:
        report.note('Not measured: ' + why)
        return
    rows = rivals_of(world, report, 200, 2 if quick else 7)
    rows += rivals_of(world, report, 2000, 1 if quick else 5)
    report.table(['what', 'wall / critical path, median', 'worst', 'CPU us/job, all processes',
                  '/ better-all'], rows)
    version = subprocess.run(['node', '--version'], capture_output=True, text=True, check=True)
    report.note('Node %s, its own fetch, as many connections as it likes. The wall is what each '
                'says itself, without its start; the CPU is that of whole processes, start and '
                'daemon included (but for a warm daemon\'s start).' % version.stdout.strip())


# -- Cancelling


def ended(world):
    client = http.client.HTTPConnection('127.0.0.1', world.origin_port, timeout=20)
    client.request('GET', '/ended')
    told = json.loads(client.getresponse().read())
    client.close()
    return told


def cancel(world, report, quick):
    n, rounds = (200, 2) if quick else (1000, 9)
    base = 'http://127.0.0.1:%d' % world.origin_port
    rows = []
    for mode, fate in ('any', 'winner'), ('race', 'winner'):
        graph = world.write_graph('cancel.json', {
            'mode': mode, 'concurrency': 'unbounded', 'defaults': ALONE,
            'jobs': [{'url': '%s/decide/%d' % (base, n)}] +
                    [{'url': '%s/hold/%d' % (base, i)} for i in range(n)]})
        took, walls = [], []
        for i in range(rounds):
            say('cancel of %d requests in flight, mode %s, %d of %d' % (n, mode, i + 1, rounds))
            run, = world.spawn([world.settle, 'run', graph, '--summary', '--progress', 'none'],
                               statuses=(0, 1))
            told = ended(world)
            if told['n'] != n:
                raise RuntimeError('%d of %d were ended' % (told['n'], n))
            took.append(told['us'] / 1000)
            walls.append(run.wall * 1000)
        rows.append(['mode %s (by %s)' % (mode, fate), spread(took), spread(walls)])
        if mode == 'any':
            report.figure('cancel of {:,} requests in flight, to the last close'.format(n), took,
                          20, ' ms')
    report.title('Cancel of {:,} requests in flight, seen from the origin'.format(n))
    report.table(['what', 'deciding byte sent to last close or reset seen, ms',
                  'whole process, ms'], rows)


# -- Large fan-outs


def fan_out(world, n, window):
    """(summary, the daemon's peak and the CLI's, beyond what they had with one item)."""
    graph = world.write_graph('fanout.json', {'jobs': {'e': {
        'each': {'in': list(range(n)), 'concurrency': window, 'max': n}, 'output': 'discard',
        'url': 'http://127.0.0.1:%d/item/{{item}}' % world.port, 'dedupe': False}}})
    run, = world.spawn([world.settle, 'run', graph, '--summary', '--progress', 'none'],
                       watch=0.02)
    return summary_of(run), run.peaks.get('settled', 0), run.peaks.get('settle', 0), run.wall


def fanout(world, report, quick):
    n, rounds = (20000, 1) if quick else (100000, 3)
    # Long enough for its peak to be seen.
    _, base, _, _ = fan_out(world, 2000, 64)
    peaks, client, rate = [], [], []
    for i in range(rounds):
        say('fan-out of %d, %d of %d' % (n, i + 1, rounds))
        summary, daemon_peak, client_peak, wall = fan_out(world, n, 64)
        if summary['fulfilled'] != n:
            raise RuntimeError('not all fulfilled: %s' % summary)
        peaks.append((daemon_peak - base) / MIB)
        client.append(client_peak / MIB)
        rate.append(n / wall)
    report.title('A fan-out over {:,} items, 64 at once, a private daemon'.format(n))
    report.table(['daemon, MiB beyond a fan-out of 2,000', 'of it bytes per item',
                  'CLI, MiB in all', 'requests/s'],
                 [[spread(peaks), median(peaks) * MIB / n, spread(client), spread(rate)]])
    report.figure('fan-out of {:,}: daemon memory, outcomes included'.format(n), peaks, 64,
                  ' MiB')


# -- Endless batches


def batch(world, report, quick):
    n, n_graph, rounds = (50000, 20000, 1) if quick else (1000000, 100000, 3)
    lines = world.write('lines', ''.join(
        'http://127.0.0.1:%d/item/%d\n' % (world.port, i) for i in range(n)))
    # Both as they are where nobody says how many at once.
    graph = small_graph(world, n_graph, concurrency=256)
    command = [world.settle, 'run', graph, '--progress', 'none']
    rates = []
    for i in range(rounds):
        say('graph of %d small GETs, %d of %d' % (n_graph, i + 1, rounds))
        rates.append(n_graph / world.spawn(command)[0].wall)
    say('batch of %d small GETs' % n)
    run, = world.spawn([world.settle, 'batch', '--progress', 'none', lines], watch=0.05)
    peak = sum(run.peaks.values()) / MIB
    rate = n / run.wall
    report.title('settle batch of {:,} small GETs beside a graph of {:,}'.format(n, n_graph))
    report.table(['what', 'requests/s', 'CPU us/request', 'daemon peak MiB', 'CLI peak MiB'], [
        ['a graph', spread(rates), None, None, None],
        ['batch', rate, run.cpu / n * 1e6, run.peaks.get('settled', 0) / MIB,
         run.peaks.get('settle', 0) / MIB]])
    report.figure('batch of {:,}: peak memory of both processes'.format(n), peak, 64, ' MiB')
    report.figure('– requests/s of the graph / of the batch', median(rates) / rate, 1.1)


ROWS = {'rivals': rivals, 'cancel': cancel, 'fanout': fanout, 'batch': batch}
