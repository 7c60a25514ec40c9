# SPDX-License-Identifier: MIT
"""A scripted HTTP proxy on loopback: CONNECT tunnels to whatever port is asked for (every name is
127.0.0.1 to it), and requests in absolute form, which it answers itself with what it saw."""

import base64
import contextlib
import socket
import threading

from harness.origin import Ended, Origin


class Proxy(Origin):
    """`credentials`: 'user:password' that it wants; `answer`: the bytes it answers a CONNECT
    with instead, or a function of the connection. Every request is in .requests."""

    def __init__(self, credentials=None, answer=None, **options):
        self.credentials = credentials
        self.answer = answer
        # Bytes that came before a tunnel was there.
        self.too_early = []
        super().__init__(self.serve, **options)

    def serve(self, connection):
        while True:
            request = connection.read_request()
            if not self.is_welcome(request):
                connection.reply(407, 'who?', [('proxy-authenticate', 'Basic realm="x"')])
            elif request.method != 'CONNECT':
                connection.reply_json(request.json())
            elif callable(self.answer):
                self.answer(connection)
                return
            elif self.answer is not None:
                connection.send(self.answer)
                with contextlib.suppress(OSError):
                    connection.fin()
                connection.wait_end()
                return
            else:
                self.tunnel(connection, request)
                return

    def is_welcome(self, request):
        given = request.headers.get('proxy-authorization')
        return not self.credentials or given == basic(self.credentials)

    def tunnel(self, connection, request):
        self.too_early.append(connection.buffer)
        port = int(request.target.rsplit(':', 1)[1])
        with socket.create_connection(('127.0.0.1', port)) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.send('HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n')
            back = threading.Thread(target=carry, args=(upstream, connection), daemon=True)
            back.start()
            with contextlib.suppress(Ended, OSError):
                while True:
                    upstream.sendall(connection.receive())
            with contextlib.suppress(OSError):
                upstream.shutdown(socket.SHUT_RDWR)
            back.join(10)

    def targets(self):
        return [request.target for request in self.requests]

    def url(self, path='', host=None, credentials=''):
        return 'http://%s%s:%d%s' % (credentials and credentials + '@', host or '127.0.0.1',
                                     self.port, path)


def basic(credentials):
    return 'Basic ' + base64.b64encode(credentials.encode()).decode()


def carry(upstream, connection):
    with contextlib.suppress(Ended, OSError):
        while data := upstream.recv(65536):
            connection.send(data)
        connection.fin()
