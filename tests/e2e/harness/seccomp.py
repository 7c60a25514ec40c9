# SPDX-License-Identifier: MIT
"""A seccomp filter that refuses one system call with an errno: what containers do to io_uring."""

import ctypes
import struct

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7fff0000, 0x00050000
# The same number on every architecture.
IO_URING_SETUP = 425

libc = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    _fields_ = [('size', ctypes.c_ushort), ('filter', ctypes.c_void_p)]


def refuse(error, number=IO_URING_SETUP):
    """For the preexec of a process: the call answers with that errno from now on."""
    code = b''.join(struct.pack('HBBI', *instruction) for instruction in (
        (LOAD_WORD, 0, 0, 0),
        (JUMP_EQUAL, 0, 1, number),
        (RETURN, 0, 0, ERRNO | error),
        (RETURN, 0, 0, ALLOW)))
    memory = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8, ctypes.cast(memory, ctypes.c_void_p))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
            PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), 'seccomp')
