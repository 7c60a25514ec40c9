# SPDX-License-Identifier: MIT
"""What makes the time in tests of orders: an origin's answers that wait for the test."""

import os


class Gate:
    """Requests that are held until the test says what their answer is.

        gate = origin.gate('/a|/b')
        gate.wait(2)                        two have come
        gate.answer('/b', '{"x":1}')        the oldest held one of that path
        gate.open()                         the rest, and all that are still to come

    An answer may be given before its request has come. A request that the peer has ended is no
    longer held.
    """

    def __init__(self, origin):
        self.origin = origin
        # Of every request that has come, in order.
        self.asked = []
        # [path, eventfd, answer or None] of each request held, in order.
        self.held = []
        # (path or None, answer) given in advance.
        self.given = []
        self.standing = None

    def wait(self, n):
        """Until n have come, in all; their paths."""
        self.origin.wait(lambda: len(self.asked) >= n)
        return list(self.asked)

    def paths(self):
        """Those held now."""
        with self.origin.changed:
            return [path for path, _, _ in self.held]

    def wait_held(self, *paths):
        """Until exactly these are held, in whatever order."""
        self.origin.wait(lambda: sorted(path for path, _, _ in self.held) == sorted(paths))

    def answer(self, path=None, body='{}', status=200, headers=()):
        with self.origin.changed:
            for entry in self.held:
                if entry[2] is None and path in (None, entry[0]):
                    self.give(entry, (status, body, headers))
                    return
            self.given.append((path, (status, body, headers)))

    def open(self, body='{}', status=200, headers=()):
        with self.origin.changed:
            self.standing = (status, body, headers)
            for entry in self.held:
                if entry[2] is None:
                    self.give(entry, self.standing)

    @staticmethod
    def give(entry, answer):
        entry[2] = answer
        os.eventfd_write(entry[1], 1)

    def take(self, path, bell):
        """A request has come: its entry, answered already where an answer waits for it."""
        entry = [path, bell, None]
        with self.origin.changed:
            self.asked.append(path)
            self.held.append(entry)
            for i, (wanted, answer) in enumerate(self.given):
                if wanted in (None, path):
                    del self.given[i]
                    self.give(entry, answer)
                    break
            else:
                if self.standing:
                    self.give(entry, self.standing)
            self.origin.changed.notify_all()
        return entry

    def handle(self, connection, request, match):
        """The handler of its route."""
        bell = os.eventfd(0)
        entry = self.take(request.target, bell)
        try:
            connection.wait_bell(bell)
        finally:
            with self.origin.changed:
                self.held.remove(entry)
                os.close(bell)
                self.origin.changed.notify_all()
        status, body, headers = entry[2]
        kind = [('content-type', 'application/json')]
        connection.reply(status, '' if request.method == 'HEAD' else body, [*kind, *headers])
