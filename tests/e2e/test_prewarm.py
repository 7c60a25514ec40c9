# SPDX-License-Identifier: MIT
"""Earliest start: while a job waits for its dependencies, the connection it will need is made;
`Prewarm=no` leaves that off."""

from harness.daemon import wait_until
from harness.flow import FlowCase


class WarmCase(FlowCase):
    def chain(self):
        """Two jobs, the second at another origin and held back by the first. The counters, and
        how the second had its connection."""
        first, second = self.origin(), self.origin()
        gate = first.gate('/a')
        running = self.start({'jobs': {
            'a': {'url': first.url('/a')},
            'b': {'url': second.url('/text/b'), 'after': ['a']}}})
        gate.wait(1)
        self.look(second)
        gate.open('x')
        result = running.done()
        self.assert_fulfilled(result['b'])
        self.assertEqual(second.count('/text/b'), 1)
        return self.daemon.status()['connections'], result['b']


class OnTest(WarmCase):
    def look(self, origin):
        wait_until(lambda: self.daemon.status()['connections']['idle'] == 1)

    def test_connection_is_made_while_the_job_waits(self):
        counters, record = self.chain()
        self.assertEqual((counters['warmed'], counters['warm_used']), (1, 1))
        self.assertEqual(record['time']['connect'], 0)


class OffTest(WarmCase):
    config = '[Daemon]\nPrewarm=no\n'

    def look(self, origin):
        self.fence()
        self.assertEqual(self.daemon.status()['connections']['warmed'], 0)

    def test_nothing_is_made_ahead(self):
        counters, record = self.chain()
        self.assertEqual((counters['warmed'], counters['warm_used']), (0, 0))
        self.assertGreater(record['time']['connect'], 0)
