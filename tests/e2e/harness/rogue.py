# SPDX-License-Identifier: MIT
"""TLS servers that do what Python's ssl module does not: by way of libssl itself, by way of memory
BIOs, and as a relay that looks at the records of a good server."""

import contextlib
import ctypes
import ctypes.util
import socket
import ssl
import threading

from harness.origin import Ended

FILETYPE_PEM = 1
CTRL_SET_MIN_PROTO_VERSION, CTRL_SET_MAX_PROTO_VERSION = 123, 124
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
KEY_UPDATE_REQUESTED = 1
TLSEXT_ERR_OK = 0
ALERT, HANDSHAKE = 21, 22

AlpnCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p),
                                ctypes.POINTER(ctypes.c_ubyte), ctypes.c_void_p, ctypes.c_uint,
                                ctypes.c_void_p)


def load():
    """None where there is no such library."""
    name = ctypes.util.find_library('ssl')
    try:
        lib = ctypes.CDLL(name) if name else None
    except OSError:
        return None
    if lib:
        pointer = ctypes.c_void_p
        for function in ('TLS_server_method', 'SSL_CTX_new', 'SSL_new'):
            getattr(lib, function).restype = pointer
        for function, types in (
                ('SSL_CTX_new', [pointer]), ('SSL_new', [pointer]), ('SSL_free', [pointer]),
                ('SSL_CTX_free', [pointer]), ('SSL_set_fd', [pointer, ctypes.c_int]),
                ('SSL_CTX_ctrl', [pointer, ctypes.c_int, ctypes.c_long, pointer]),
                ('SSL_CTX_use_certificate_chain_file', [pointer, ctypes.c_char_p]),
                ('SSL_CTX_use_PrivateKey_file', [pointer, ctypes.c_char_p, ctypes.c_int]),
                ('SSL_CTX_set_alpn_select_cb', [pointer, AlpnCallback, pointer]),
                ('SSL_accept', [pointer]), ('SSL_do_handshake', [pointer]),
                ('SSL_read', [pointer, ctypes.c_char_p, ctypes.c_int]),
                ('SSL_write', [pointer, ctypes.c_char_p, ctypes.c_int]),
                ('SSL_key_update', [pointer, ctypes.c_int]), ('SSL_renegotiate', [pointer]),
                ('SSL_session_reused', [pointer])):
            getattr(lib, function).argtypes = types
    return lib


lib = load()


class Rogue:
    """An OpenSSL server over a connection's socket. `protocol`: what it says by ALPN, whatever was
    offered."""

    def __init__(self, connection, certificates, version=TLS_1_3, protocol=None):
        self.connection = connection
        self.context = lib.SSL_CTX_new(lib.TLS_server_method())
        for control in (CTRL_SET_MIN_PROTO_VERSION, CTRL_SET_MAX_PROTO_VERSION):
            lib.SSL_CTX_ctrl(self.context, control, version, None)
        lib.SSL_CTX_use_certificate_chain_file(
            self.context, certificates.path('good.chain').encode())
        lib.SSL_CTX_use_PrivateKey_file(
            self.context, certificates.path('good.key').encode(), FILETYPE_PEM)
        if protocol:
            # Both live as long as the context does.
            self.protocol = ctypes.create_string_buffer(protocol, len(protocol))
            self.select = AlpnCallback(self.on_alpn)
            lib.SSL_CTX_set_alpn_select_cb(self.context, self.select, None)
        self.ssl = lib.SSL_new(self.context)
        lib.SSL_set_fd(self.ssl, connection.sock.fileno())

    def on_alpn(self, _ssl, out, size, _offered, _offered_size, _argument):
        out[0] = ctypes.addressof(self.protocol)
        size[0] = len(self.protocol)
        return TLSEXT_ERR_OK

    def __enter__(self):
        if lib.SSL_accept(self.ssl) != 1:
            self.free()
            raise Ended()
        return self

    def __exit__(self, *exception):
        self.free()

    def free(self):
        lib.SSL_free(self.ssl)
        lib.SSL_CTX_free(self.context)

    def read_head(self):
        head = b''
        data = ctypes.create_string_buffer(4096)
        while b'\r\n\r\n' not in head:
            size = lib.SSL_read(self.ssl, data, 4096)
            if size <= 0:
                raise Ended()
            head += data.raw[:size]
        return head

    def write(self, data):
        if lib.SSL_write(self.ssl, data, len(data)) != len(data):
            raise Ended()

    def key_update(self):
        """One, and the peer is asked for one, too. False: the peer is gone."""
        return lib.SSL_key_update(self.ssl, KEY_UPDATE_REQUESTED) == 1 and \
            lib.SSL_do_handshake(self.ssl) == 1

    def renegotiate(self):
        """Ask for it; False where the peer does not want to."""
        return lib.SSL_renegotiate(self.ssl) == 1 and lib.SSL_do_handshake(self.ssl) == 1


class Paper:
    """A server of Python's own, whose bytes a script carries: it can be made to send an alert in
    the middle of all."""

    def __init__(self, connection, context):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.step(self.tls.do_handshake)

    def flush(self):
        if self.outgoing.pending:
            self.connection.send(self.outgoing.read())

    def step(self, action, *arguments):
        while True:
            try:
                value = action(*arguments)
                self.flush()
                return value
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(self.connection.receive())

    def read_head(self):
        head = b''
        while b'\r\n\r\n' not in head:
            head += self.step(self.tls.read, 4096)
        return head

    def write(self, data):
        self.step(self.tls.write, data)

    def send_alert(self):
        """bad_record_mac: as if the peer had sent garbage."""
        self.incoming.write(b'\x17\x03\x03\x00\x20' + b'g' * 32)
        with contextlib.suppress(ssl.SSLError):
            self.tls.read(1)
        self.flush()


def relay(origin, on_record):
    """A script that carries bytes to and from a good TLS origin; on_record(connection, number,
    record) passes on what comes back, or something else; False: no more of it."""
    def script(connection):
        with socket.create_connection(('127.0.0.1', origin.port)) as upstream:
            thread = threading.Thread(target=carry_back, daemon=True,
                                      args=(connection, upstream, on_record))
            thread.start()
            try:
                while True:
                    upstream.sendall(connection.receive())
            except (Ended, OSError):
                pass
            with contextlib.suppress(OSError):
                upstream.shutdown(socket.SHUT_RDWR)
            thread.join(10)
    return script


def carry_back(connection, upstream, on_record):
    number = 0
    with contextlib.suppress(Ended, OSError), upstream.makefile('rb') as file:
        while head := file.read(5):
            record = head + file.read(int.from_bytes(head[3:5], 'big'))
            if on_record(connection, number, record) is False:
                # What else comes is dropped.
                while file.read(4096):
                    pass
                return
            number += 1
