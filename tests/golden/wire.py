"""A response as it is on the wire: how its body is delimited, how it ended, and its JSON objects as they come. Standard library only."""
import json
import socket
import time
import zlib


class Answer:
    """Reads one response from a socket. `framing` is length, chunked, until-close or none; `ended` says how the body stopped:
    eof-clean, eof-cut, broken-chunk, reset, or None while it goes on."""

    def __init__(self, sock, method='GET'):
        self.socket, self.method, self.raw = sock, method, b''
        self.status, self.reason, self.headers, self.framing, self.ended, self.body = None, '', {}, None, None, b''
        self.left, self.unpack = 0, None

    def fill(self, deadline):
        """Receives once; False at the end of the connection. TimeoutError when the time is over."""
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            self.ended = 'reset'
            return False
        self.raw += data
        return bool(data)

    def read_head(self, deadline):
        while b'\r\n\r\n' not in self.raw:
            if not self.fill(deadline):
                return False
        head, self.raw = self.raw.split(b'\r\n\r\n', 1)
        first, *lines = head.decode('latin-1').split('\r\n')
        self.line = first
        self.status = int(first.split()[1])
        for line in lines:
            name, value = line.split(':', 1)
            self.headers[name.lower()] = value.strip()
        if self.status == 100:
            self.headers = {}
            return self.read_head(deadline)
        if 'transfer-encoding' in self.headers:
            self.framing = 'chunked'
        elif 'content-length' in self.headers:
            self.framing, self.left = 'length', int(self.headers['content-length'])
        else:
            self.framing = 'until-close' if self.headers.get('connection') == 'close' or first.startswith('HTTP/1.0') else 'none'
        if self.method == 'HEAD' or self.status == 204 or self.framing == 'none' or (self.framing == 'length' and not self.left):
            self.ended = 'eof-clean'
            if self.method == 'HEAD' and self.framing == 'chunked':
                self.framing = 'none'
        encoding = self.headers.get('content-encoding')
        self.unpack = zlib.decompressobj(31) if encoding == 'gzip' else zlib.decompressobj(-15) if encoding == 'deflate' else None
        return True

    def take(self, data):
        return self.unpack.decompress(data) if self.unpack else data

    def read_some(self, deadline):
        """The next part of the body; b'' when it has ended (see `ended`)."""
        while self.ended is None:
            if self.framing == 'chunked':
                line, found, rest = self.raw.partition(b'\r\n')
                if found:
                    try:
                        size = int(line, 16)
                    except ValueError:
                        self.ended = 'broken-chunk'
                        break
                    if len(rest) >= size + 2:
                        data, self.raw = rest[:size], rest[size + 2:]
                        if size:
                            return self.take(data)
                        self.ended = 'eof-clean'
                        break
            elif self.raw:
                data, self.raw = (self.raw[:self.left], self.raw[self.left:]) if self.framing == 'length' else (self.raw, b'')
                self.left -= len(data)
                if self.framing == 'length' and not self.left:
                    self.ended = 'eof-clean'
                return self.take(data)
            if not self.fill(deadline) and self.ended is None:
                self.ended = 'eof-clean' if self.framing == 'until-close' else 'eof-cut'
        return b''

    def read_all(self, deadline):
        while True:
            data = self.read_some(deadline)
            self.body += data
            if not data and self.ended:
                return self.body


def open_request(address, method, path, headers=None, body=None, version='HTTP/1.1'):
    """Connects and sends one request; answers the unread Answer."""
    sock = socket.create_connection(address, timeout=10)
    lines = [f'{method} {path} {version}', 'Host: x']
    lines += [f'{name}: {value}' for name, value in (headers or {}).items()]
    if body is not None or method in ('PUT', 'POST'):
        lines.append(f'Content-Length: {len(body or b"")}')
    sock.sendall('\r\n'.join(lines).encode() + b'\r\n\r\n' + (body or b''))
    return Answer(sock, method)


def split_objects(text):
    """The whole JSON objects at the start of a text, and the rest of it."""
    decoder, objects = json.JSONDecoder(), []
    while text:
        text = text.lstrip()
        try:
            value, end = decoder.raw_decode(text)
        except ValueError:
            break
        objects.append(value)
        text = text[end:]
    return objects, text
