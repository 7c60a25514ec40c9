# SPDX-License-Identifier: MIT
"""Graphs watched while they run: the tests of orders, in which the origin's gates make the time.

What shall not be sent cannot be waited for. fence() makes it visible all the same: a graph of its
own runs through the daemon and back twice, and what was to be sent before is sent by then.
"""

import json

from harness.case import DaemonCase
from harness.client import Result


class Running:
    """A submitted graph whose records are taken one by one."""

    def __init__(self, session, graph):
        self.session = session
        self.number = session.submit(graph)
        self.result = Result()

    def __getitem__(self, job):
        """The record of a job; waits for it."""
        while job not in self.result.records:
            if self.step():
                break
        return self.result.records[job]

    def step(self):
        return self.result.take(*self.session.next_of(self.number))

    def decided(self):
        """What the graph was decided as, before it is done."""
        while not self.result.decided:
            if self.step():
                break
        return self.result.decided

    def settled(self):
        """The jobs that have settled so far, as far as their records were taken."""
        return self.result.order()

    def cancel(self, job=None):
        self.session.cancel(self.number, job)

    def done(self):
        """All of it, to its end."""
        return self.result if self.result.summary else self.session.collect(
            self.number, self.result)


class FlowCase(DaemonCase):
    def start(self, graph, session=None):
        return Running(session or self.session(), graph)

    def fence(self):
        """All that the daemon had to send by now has been sent, and has come."""
        for _ in range(2):
            origin = self.origin()
            self.assert_fulfilled(self.fetch(origin.url('/text/fence')), 'fence')

    def summary_is(self, result, status, code=None, **members):
        summary = result.summary
        self.assertEqual(summary['status'], status, summary)
        if code:
            self.assertEqual(summary['reason']['code'], code, summary)
        elif status == 'fulfilled':
            self.assertNotIn('reason', summary)
        for name, value in members.items():
            have = summary['reason'].get('job') if name == 'job' else summary.get(name)
            self.assertEqual(have, value, summary)
        return summary

    def counts(self, result):
        """(jobs, fulfilled, rejected, skipped) of the summary."""
        return tuple(result.summary[name] for name in ('jobs', 'fulfilled', 'rejected', 'skipped'))

    def statuses(self, result):
        return {job: record['status'] for job, record in result.records.items()}

    def assert_skipped(self, record, body=None):
        self.assert_fulfilled(record)
        self.assertEqual(record['via'], 'skipped', record)
        self.assertEqual(self.body(record), body, record)
        return record

    def assert_cancelled(self, record, by, sent=None):
        return self.assert_rejected(record, 'CANCELLED', sent=sent, by=by)

    def assert_group(self, record, winner=None, **counts):
        """A group's record that was simply decided as fulfilled."""
        self.assert_fulfilled(record)
        self.assertIs(record.get('group'), True, record)
        self.assertNotIn('via', record)
        self.assertEqual(record['value'].get('winner'), winner, record)
        for name, value in counts.items():
            self.assertEqual(record['value'][name], value, record)
        return record

    def seen(self, graph, template, **more):
        """Run the graph, and what `template` (any JSON with references) has become of it once
        all has settled."""
        result = self.run_graph({**graph, 'return': template, **more})
        return result.summary['return']

    def sent_body(self, origin, path):
        """The JSON body of the one request of that path."""
        request, = [request for request in origin.requests if request.path == path]
        return json.loads(request.body)
