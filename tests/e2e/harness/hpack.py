# SPDX-License-Identifier: MIT
"""Header compression for HTTP/2 (RFC 7541): all of it to read a client's requests, and to write
responses literally, or byte by byte as an attack wants them."""

STATIC = [
    (':authority', ''), (':method', 'GET'), (':method', 'POST'), (':path', '/'),
    (':path', '/index.html'), (':scheme', 'http'), (':scheme', 'https'), (':status', '200'),
    (':status', '204'), (':status', '206'), (':status', '304'), (':status', '400'),
    (':status', '404'), (':status', '500'), ('accept-charset', ''),
    ('accept-encoding', 'gzip, deflate')] + [(name, '') for name in (
        'accept-language accept-ranges accept access-control-allow-origin age allow '
        'authorization cache-control content-disposition content-encoding content-language '
        'content-length content-location content-range content-type cookie date etag expect '
        'expires from host if-match if-modified-since if-none-match if-range '
        'if-unmodified-since last-modified link location max-forwards proxy-authenticate '
        'proxy-authorization range referer refresh retry-after server set-cookie '
        'strict-transport-security transfer-encoding user-agent vary via '
        'www-authenticate').split()]

# The length of each symbol's code (Appendix B), 'A' being 5 bits; the code is canonical.
LENGTHS = ('ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCC'
           'CCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJIXPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSST'
           'RQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVS'
           'VWVVWWWWWXWWWWWVZ')
TABLE_SIZE = 4096


def huffman_codes():
    """(code, length) of each symbol."""
    codes = {}
    code = length = 0
    for size, symbol in sorted((ord(letter) - ord('A') + 5, symbol)
                               for symbol, letter in enumerate(LENGTHS)):
        code <<= size - length
        length = size
        codes[symbol] = (code, length)
        code += 1
    return codes


CODES = huffman_codes()
SYMBOLS = {(length, code): symbol for symbol, (code, length) in CODES.items()}


def huffman_decode(data):
    out = bytearray()
    code = length = 0
    for byte in data:
        for bit in range(7, -1, -1):
            code, length = code << 1 | byte >> bit & 1, length + 1
            symbol = SYMBOLS.get((length, code))
            if symbol is not None:
                out.append(symbol)
                code = length = 0
    return bytes(out)


def huffman_encode(data):
    code = length = 0
    for byte in data:
        code = code << CODES[byte][1] | CODES[byte][0]
        length += CODES[byte][1]
    pad = -length % 8
    return (code << pad | (1 << pad) - 1).to_bytes((length + pad) // 8, 'big')


# -- Writing

def integer(value, bits, first=0):
    """RFC 7541 5.1: the bits above the prefix are `first`."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out = bytearray([first | most])
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(text, huffman=False):
    data = text.encode('latin-1') if isinstance(text, str) else text
    if huffman:
        data = huffman_encode(data)
    return integer(len(data), 7, 0x80 if huffman else 0) + data


def literal(name, value, huffman=False, index=False):
    """A field with a literal name; `index`: and put into the peer's table."""
    return bytes([0x40 if index else 0]) + string(name, huffman) + string(value, huffman)


def indexed(number):
    """A field of the table; 62 is the one put there last."""
    return integer(number, 7, 0x80)


def block(fields):
    return b''.join(literal(name, str(value)) for name, value in fields)


# -- Reading

class Decoder:
    def __init__(self):
        self.table = []
        self.table_size = TABLE_SIZE
        self.data = b''
        self.at = 0

    def decode(self, data):
        """The fields of a whole header block."""
        self.data, self.at = data, 0
        fields = []
        while self.at < len(data):
            first = data[self.at]
            if first & 0x80:
                fields.append(self.field(self.integer(7)))
            elif first & 0x40:
                self.table.insert(0, self.literal(6))
                self.shrink()
                fields.append(self.table[0])
            elif first & 0x20:
                self.table_size = self.integer(5)
                self.shrink()
            else:
                fields.append(self.literal(4))
        return fields

    def field(self, number):
        if number <= len(STATIC):
            return STATIC[number - 1]
        return self.table[number - 1 - len(STATIC)]

    def shrink(self):
        size = 0
        for i, (name, value) in enumerate(self.table):
            size += len(name) + len(value) + 32
            if size > self.table_size:
                del self.table[i:]
                return

    def literal(self, bits):
        number = self.integer(bits)
        name = self.field(number)[0] if number else self.string()
        return name, self.string()

    def integer(self, bits):
        most = (1 << bits) - 1
        value = self.data[self.at] & most
        self.at += 1
        if value < most:
            return value
        shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value += (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def string(self):
        is_huffman = self.data[self.at] & 0x80
        size = self.integer(7)
        data = self.data[self.at:self.at + size]
        self.at += size
        return (huffman_decode(data) if is_huffman else data).decode('latin-1')
