# SPDX-License-Identifier: MIT
"""Content codings made without their libraries: what Python has, and brotli and zstd streams that
compress nothing, or only runs."""

import gzip
import zlib

BLOCK = 65536


def deflate(data):
    return zlib.compress(data)


def raw_deflate(data):
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


def brotli(data):
    """RFC 7932 9.2: meta-blocks that are not compressed."""
    out = b''
    for at in range(0, len(data), BLOCK):
        piece = data[at:at + BLOCK]
        # WBITS stands before the first: one bit, a window of 64 KiB.
        shift = 0 if at else 1
        bits = (len(piece) - 1) << 3 | 1 << 19
        out += (bits << shift).to_bytes(3, 'little') + piece
    return out + (b'\x03' if data else b'\x06')


def zstd_block(kind, size, data, last):
    return (last | kind << 1 | size << 3).to_bytes(3, 'little') + data


def zstd(data):
    """RFC 8878 3.1.1: raw blocks, a window of 1 MiB, no checksum."""
    pieces = [data[at:at + BLOCK] for at in range(0, len(data), BLOCK)] or [b'']
    return b'\x28\xb5\x2f\xfd\x00\x50' + b''.join(
        zstd_block(0, len(piece), piece, i == len(pieces) - 1)
        for i, piece in enumerate(pieces))


def zstd_zeros(size):
    """Runs: 4 bytes for each 128 KiB."""
    n = size // (2 * BLOCK)
    return b'\x28\xb5\x2f\xfd\x00\x50' + b''.join(
        zstd_block(1, 2 * BLOCK, b'\0', i == n - 1) for i in range(n))


ENCODE = {'gzip': gzip.compress, 'deflate': deflate, 'br': brotli, 'zstd': zstd}


def encode(data, codings):
    """With these, in the order of Content-Encoding."""
    for coding in codings.replace(' ', '').split(','):
        data = ENCODE[coding](data) if coding else data
    return data
