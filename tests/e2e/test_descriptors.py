# SPDX-License-Identifier: MIT
"""Descriptors that a client passes (PROTOCOL.md): whose they are, and that none is left open."""

import array
import json
import os
import socket

from harness.case import DaemonCase
from harness.daemon import wait_until


def submit(number, url, name=''):
    """The line of a graph whose one job waits for its answer."""
    graph = {'name': name, 'jobs': {'a': {'url': url}}}
    return json.dumps({'id': number, 'submit': graph}).encode() + b'\n'


class DescriptorTest(DaemonCase):
    def setUp(self):
        super().setUp()
        self.daemon.wait_idle()
        self.pipes = os.pipe()
        self.addCleanup(os.close, self.pipes[0])
        self.addCleanup(os.close, self.pipes[1])
        self.stall = self.origin().url('/stall')
        self.before = self.daemon.descriptors('pipe:')
        if self.daemon.descriptors() == 0:
            self.skipTest('nobody may look at its descriptors')

    def wait_open(self, n):
        """So many of ours. Pipes: the daemon has few of its own, and those stay."""
        wait_until(lambda: self.daemon.descriptors('pipe:') - self.before == n,
                   what='%d descriptors' % n)

    def test_a_graph_has_them_until_it_is_done(self):
        with self.daemon.session() as session:
            session.send_with_descriptors(submit(1, self.stall), [self.pipes[0]] * 5)
            session.wait_accepted(1)
            self.wait_open(5)
            session.cancel(1)
            session.collect(1)
            self.wait_open(0)

    def test_they_are_the_graph_s_that_they_came_with(self):
        with self.daemon.session() as session:
            session.send_raw(submit(1, self.stall))
            session.send_with_descriptors(submit(2, self.stall), [self.pipes[0]] * 5)
            session.send_with_descriptors(submit(3, self.stall), [self.pipes[0]] * 7)
            session.send_raw(submit(4, self.stall))
            for number in range(1, 5):
                session.wait_accepted(number)
            for number, left in ((1, 12), (4, 12), (2, 7), (3, 0)):
                session.cancel(number)
                session.collect(number)
                self.wait_open(left)

    def test_a_long_line_may_take_many_sends(self):
        line = submit(1, self.stall, 'x' * 1000000)
        with self.daemon.session() as session:
            sent = session.sock.sendmsg([line[:100000]], [self.rights(3)])
            sent += session.sock.sendmsg([line[sent:sent + 10]], [self.rights(4)])
            session.send_raw(line[sent:])
            session.wait_accepted(1)
            self.wait_open(7)
            session.cancel(1)
            session.collect(1)
            self.wait_open(0)

    def rights(self, n):
        return (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [self.pipes[0]] * n))

    def test_a_session_that_goes_has_them_closed(self):
        with self.daemon.session() as session:
            session.send_with_descriptors(submit(1, self.stall), [self.pipes[0]] * 5)
            session.wait_accepted(1)
            session.send_with_descriptors(b'{"id":2,', [self.pipes[0]] * 5)
            self.wait_open(10)
        self.wait_open(0)

    def test_other_messages_have_them_closed(self):
        with self.daemon.session() as session:
            for line in (b'{"status":{}}\n', b'{"hello":{}}\n',
                         b'{"id":1,"submit":{"jobs":{"a":{}}}}\n'):
                session.send_with_descriptors(line, [self.pipes[0]] * 5)
                session.read_message()
            self.wait_open(0)

    def test_more_than_there_can_be_are_a_mistake(self):
        with self.daemon.session() as session:
            session.send_with_descriptors(b'{"id":1,', [self.pipes[0]] * 253)
            session.send_with_descriptors(b'"submit":', [self.pipes[0]])
            self.assertEqual(session.read_message()[0]['error']['code'], 'PROTOCOL')
            session.read_end()
        self.wait_open(0)
