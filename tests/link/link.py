#!/usr/bin/env python3
"""A link between a program and a Redis that is slow, or breaks at a chosen command.

link.py [options] LISTEN SERVER: both are paths of unix sockets, or LISTEN is ADDRESS:PORT. LISTEN.connections tells
how many came.

  --delay MS      every byte takes so long, each way; with --lockstep, every round
  --lockstep      answers reach the client when it sleeps and all that it sent is answered; LISTEN.rounds tells how
                  often, and which commands there were: "ROUNDS NAME COUNT…" (unix sockets only)
  --at NAME,…[:N] the Nth command of such a name (default 1) over all connections meets the fault; NAME may hold a
                  second word, as CLIENT_SETNAME, and * is any
  --do FAULT      hold      it waits until LISTEN.held, which appears then, is removed
                  freeze    nothing comes any more, on any connection
                  cut       its answer ends in the middle, and the connection is reset
                  reset     the connection is reset, and the command lost
                  swallow   it is done, and LISTEN.held appears; when that is removed, the connection is reset
                  say:TEXT  that (python's escapes) is its answer, and the connection stays; say-bulk:N: a string of N
                            bytes; say-endless: an array without end
  --always        each further one meets it too

A connection that finds LISTEN.orders changed follows the options in there from then on, with its counts begun anew.
LISTEN.struck is there once the fault was met.
LISTEN.errors holds the codes of the errors that the server has answered, one a line, as soon
as it has answered all that it was asked.
"""

import argparse
import asyncio
import codecs
import collections
import fcntl
import os
import shlex
import socket
import struct
import termios

CHUNK = 65536


class Parser:
    """Cuts a stream of RESP2 into commands or replies: their bytes, and of commands the words."""

    def __init__(self):
        self.data = bytearray()

    def feed(self, data):
        self.data += data
        while True:
            end = self.item(0)
            if end is None:
                return
            raw = bytes(self.data[:end])
            del self.data[:end]
            yield raw

    def item(self, at):
        """Where the item that begins at `at` ends; None: not all of it is there."""
        open_items = 1
        while open_items > 0:
            end = self.data.find(b"\r\n", at)
            if end < 0:
                return None
            kind, number = self.data[at : at + 1], self.data[at + 1 : end]
            at = end + 2
            open_items -= 1
            if kind == b"$" and int(number) >= 0:
                at += int(number) + 2
                if len(self.data) < at:
                    return None
            elif kind == b"*":
                open_items += max(0, int(number))
        return at


def name_of(command):
    """The first word of a command, and its second: SCAN, ("CLIENT", "CLIENT_SETNAME")."""
    lines = command.split(b"\r\n", 5)
    first = lines[2].decode("latin1").upper()
    second = lines[4].decode("latin1").upper() if len(lines) > 5 else ""
    return first, f"{first}_{second}"


async def join(pumps, *writers):
    """Runs both directions of a connection; what is read while nobody is there to answer must not pile up: they end
    together, and the writers are closed."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for writer in writers:
        writer.close()


class Link:
    def __init__(self, options):
        self.orders = None
        self.follow(options)

    def follow(self, options):
        self.options = options
        name, _, count = (options.at or "").partition(":")
        self.at = name.split(",") if name else []
        self.left = int(count or 1)
        self.frozen = asyncio.Event()
        self.rounds = 0
        self.seen = collections.Counter()
        self.connections = 0
        self.errors = []

    def read_orders(self):
        try:
            with open(self.options.listen + ".orders") as file:
                status = os.fstat(file.fileno())
                words = shlex.split(file.read())
        except FileNotFoundError:
            return
        if (status.st_ino, status.st_mtime_ns) != self.orders:
            self.orders = (status.st_ino, status.st_mtime_ns)
            self.follow(options_of([*words, self.options.listen, self.options.server]))

    def is_struck(self, command):
        if "*" not in self.at and not set(self.at) & set(name_of(command)):
            return False
        if self.left > 1:
            self.left -= 1
            return False
        if self.left == 0:
            return self.options.always
        self.left = 0
        return True

    async def serve(self, reader, writer):
        self.read_orders()
        self.connections += 1
        self.write("connections", f"{self.connections}")
        try:
            to, back = await asyncio.open_unix_connection(self.options.server, limit=CHUNK)
        except OSError:
            reset(writer)
            return
        pumps = [self.upward, self.downward] if not self.options.lockstep else [self.in_step]
        ends = Ends(reader, writer, to, back)
        await join([pump(ends) for pump in pumps], writer, back)

    async def upward(self, ends):
        """From the client to the server."""
        parser = Parser()
        outbox = Outbox(ends.back, self.options.delay)
        while data := await ends.reader.read(CHUNK):
            if not self.at:
                outbox.put(data)
                continue
            for command in parser.feed(data):
                if self.frozen.is_set():
                    await asyncio.Event().wait()
                if self.is_struck(command):
                    await self.strike(ends, command)
                else:
                    ends.asked += 1
                    ends.back.write(command)
            await ends.back.drain()

    async def downward(self, ends):
        """From the server to the client."""
        parser = Parser()
        outbox = Outbox(ends.writer, self.options.delay)
        while data := await ends.to.read(CHUNK):
            if not self.at:
                outbox.put(data)
                continue
            for reply in parser.feed(data):
                if self.frozen.is_set():
                    continue
                ends.answered += 1
                if reply.startswith(b"-"):
                    self.errors.append(reply[1:].split(maxsplit=1)[0].decode("latin1"))
                if self.errors and ends.answered == ends.asked:
                    self.write("errors", "\n".join(self.errors))
                if ends.swallow_at == ends.answered:
                    await self.hold()
                    reset(ends.writer)
                    return
                if ends.cut_at == ends.answered:
                    ends.writer.write(reply[: max(1, len(reply) // 2)])
                    await ends.writer.drain()
                    reset(ends.writer)
                    return
                ends.writer.write(reply)
            await ends.writer.drain()
        await outbox.empty()

    async def strike(self, ends, command):
        self.write("struck", self.options.do)
        what, _, argument = self.options.do.partition(":")
        if what == "hold":
            await self.hold()
            ends.asked += 1
            ends.back.write(command)
        elif what == "freeze":
            self.frozen.set()
            await asyncio.Event().wait()
        elif what == "cut":
            ends.asked += 1
            ends.cut_at = ends.asked
            ends.back.write(command)
        elif what == "swallow":
            ends.asked += 1
            ends.swallow_at = ends.asked
            ends.back.write(command)
        elif what == "reset":
            reset(ends.writer)
            raise ConnectionResetError
        else:
            while ends.answered < ends.asked:  # what was asked before is answered before
                await asyncio.sleep(0.001)
            await say(ends.writer, what, argument)

    async def hold(self):
        held = self.options.listen + ".held"
        open(held, "w").close()
        while os.path.exists(held):
            await asyncio.sleep(0.005)

    async def in_step(self, ends):
        pid = peer_of(ends.writer)
        client = ends.writer.get_extra_info("socket")
        commands, replies = Parser(), Parser()
        while True:
            asked = 0
            while True:
                try:
                    data = await asyncio.wait_for(ends.reader.read(CHUNK), 0.002)
                except asyncio.TimeoutError:
                    if asked > 0 and has_read_all(ends.writer) and is_asleep(pid) and not has_input(client):
                        break
                    continue
                if not data:
                    return
                for command in commands.feed(data):
                    asked += 1
                    self.seen[name_of(command)[0]] += 1
                    ends.back.write(command)
            answer = b""
            while asked > 0:
                data = await ends.to.read(CHUNK)
                if not data:
                    return
                answer += data
                asked -= sum(1 for _ in replies.feed(data))
            self.rounds += 1
            self.tell()
            await asyncio.sleep(self.options.delay / 1000)
            ends.writer.write(answer)
            await ends.writer.drain()

    def tell(self):
        words = [str(self.rounds)] + [f"{name} {count}" for name, count in sorted(self.seen.items())]
        self.write("rounds", " ".join(words))

    def write(self, name, text):
        """LISTEN.name holds the text from now on, never a part of it."""
        path = f"{self.options.listen}.{name}"
        with open(path + ".new", "w") as file:
            file.write(text + "\n")
        os.rename(path + ".new", path)


class Ends:
    """Client and server of one connection, and how many commands went by."""

    def __init__(self, reader, writer, to, back):
        self.reader, self.writer, self.to, self.back = reader, writer, to, back
        self.asked = self.answered = 0
        self.cut_at = self.swallow_at = None


class Outbox:
    """Writes what is put into it, `delay` milliseconds later."""

    def __init__(self, writer, delay):
        self.writer, self.delay = writer, delay / 1000
        self.waiting = 0

    def put(self, data):
        if self.delay == 0:
            self.writer.write(data)
            return
        self.waiting += 1
        asyncio.get_running_loop().call_later(self.delay, self.let_go, data)

    def let_go(self, data):
        self.waiting -= 1
        if not self.writer.is_closing():
            self.writer.write(data)

    async def empty(self):
        while self.waiting > 0:
            await asyncio.sleep(0.005)


async def say(writer, what, argument):
    if what == "say":
        writer.write(codecs.escape_decode(argument.encode())[0])
    elif what == "say-bulk":
        left = int(argument)
        writer.write(b"$%d\r\n" % left)
        while left > 0:
            writer.write(b"x" * min(left, CHUNK))
            left -= CHUNK
            await writer.drain()
        writer.write(b"\r\n")
    else:
        writer.write(b"*2147483647\r\n")
        while True:
            writer.write(b"$1\r\nx\r\n" * 4096)
            await writer.drain()
    await writer.drain()


def reset(writer):
    """Closes so that the other side sees a reset, where the socket's kind knows that."""
    sock = writer.get_extra_info("socket")
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def peer_of(writer):
    sock = writer.get_extra_info("socket")
    return struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def is_asleep(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "SZ"
    except OSError:
        return True


def has_read_all(writer):
    """The client has read what was sent to it."""
    unread = fcntl.ioctl(writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"\0" * 4)
    return writer.transport.get_write_buffer_size() == 0 and struct.unpack("i", unread)[0] == 0


def has_input(sock):
    copy = sock.dup()
    try:
        return bool(copy.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False
    finally:
        copy.close()


def options_of(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("listen")
    parser.add_argument("server")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--lockstep", action="store_true")
    parser.add_argument("--at")
    parser.add_argument("--do", default="hold")
    parser.add_argument("--always", action="store_true")
    return parser.parse_args(words)


async def main():
    options = options_of(None)
    link = Link(options)
    address, colon, port = options.listen.rpartition(":")
    if colon:
        server = await asyncio.start_server(link.serve, address, int(port), limit=CHUNK)
    else:
        server = await asyncio.start_unix_server(link.serve, options.listen, limit=CHUNK)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
