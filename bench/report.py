# SPDX-License-Identifier: MIT
"""What is printed: Markdown tables, and the figures that were promised beside those reached."""

import os
import platform
import subprocess
import time

from world import ROOT, median


def number(value):
    """Three digits that mean something."""
    if value is None:
        return '–'
    if isinstance(value, str):
        return value
    if value >= 1000:
        return '{:,.0f}'.format(value)
    return '%.*f' % (0 if value >= 100 else 1 if value >= 10 else 2, value)


def spread(values):
    """Median, least and most."""
    if len(values) < 2:
        return number(median(values))
    return '%s (%s–%s)' % (number(median(values)), number(min(values)), number(max(values)))


class Report:
    def __init__(self):
        self.lines = []
        # (what, the figure as text, measured as text, whether it holds)
        self.figures = []

    def title(self, text):
        self.lines += ['', '### ' + text, '']

    def note(self, text):
        self.lines += ['', text]

    def table(self, head, rows):
        self.lines.append('| ' + ' | '.join(head) + ' |')
        self.lines.append('|---' + '|---:' * (len(head) - 1) + '|')
        self.lines += ['| ' + ' | '.join(number(cell) for cell in row) + ' |' for row in rows]

    def figure(self, what, measured, most, unit=''):
        """A promise kept where the median is at most `most`."""
        values = measured if isinstance(measured, list) else [measured]
        self.figures.append((what, '<= %g%s' % (most, unit), spread(values) + unit,
                             median(values) <= most))

    def fact(self, what, wanted, found, holds):
        self.figures.append((what, wanted, found, holds))

    def text(self):
        lines = ['## settled measured', '', machine()] + self.lines
        if self.figures:
            lines += ['', '### Against the figures to reach', '',
                      '| what | figure | measured | |', '|---|---:|---:|---|']
            lines += ['| %s | %s | %s | %s |' % (what, wanted, found, 'yes' if holds else '**no**')
                      for what, wanted, found, holds in self.figures]
        return '\n'.join(lines) + '\n'


def machine():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        names = [line.split(':')[1].strip() for line in file if line.startswith('model name')]
    commit = subprocess.run(['git', '-C', ROOT, 'describe', '--always', '--dirty'],
                            capture_output=True, text=True, check=False).stdout.strip()
    return ('%s, %d cores, Linux %s, settled %s, load %.1f, %s. Everything measured on one core, '
            'the servers on another; median (least–most).' % (
                names[0] if names else platform.machine(), len(names), platform.release(),
                commit or 'unknown', os.getloadavg()[0], time.strftime('%Y-%m-%d')))
