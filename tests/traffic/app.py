#!/usr/bin/env python3
"""Applications whose hit ratio is known, on one connection.

app.py SOCKET [TAG]: until it is ended, reads keys of four namespaces (with the hash tag TAG in their ids, and at a
moderate pace: one of several); of every
hundred reads exactly so many find their key:
  call:logs:N    5 %  GET, and SET with a life when it missed (read-through)
  message:N     50 %  GET of keys that stay away or are there for ever
  thread:N      95 %  HGETALL; what is missing is filled by HSET
  conv:N        80 %  MGET of five keys, four of which are there
"""
import itertools
import random
import socket
import sys
import time

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
answers = connection.makefile("rb")


def read():
    line = answers.readline()
    kind, rest = line[:1], line[1:-2]
    if kind == b"$":
        return None if rest == b"-1" else answers.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [read() for _ in range(int(rest))]
    if kind == b"-":
        sys.exit(rest.decode())
    return rest


def call(*words):
    words = [str(word).encode() for word in words]
    connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
    return read()


class Schedule:
    """Says of each read whether it shall be a hit, evenly spread."""

    def __init__(self, share):
        self.share, self.due = share, 0.0

    def hit(self):
        self.due += self.share
        if self.due < 1:
            return False
        self.due -= 1
        return True


tag = f"{{{sys.argv[2]}}}" if len(sys.argv) > 2 else ""
fresh = itertools.count()
logs, messages, threads = Schedule(0.05), Schedule(0.5), Schedule(0.95)
known_logs, known_threads = [], []
for number in range(100):
    call("SET", f"message:{tag}there{number}", "x" * 100)
    call("SET", f"conv:{tag}there{number}", "y" * 50)
while True:
    if logs.hit() and known_logs:
        assert call("GET", random.choice(known_logs)) is not None
    else:
        key = f"call:logs:{tag}{next(fresh)}"
        assert call("GET", key) is None
        call("SET", key, "z" * 200, "EX", 600)
        known_logs = (known_logs + [key])[-500:]
    if messages.hit():
        call("GET", f"message:{tag}there{random.randrange(100)}")
    else:
        call("GET", f"message:{tag}away{random.randrange(1000)}")
    if threads.hit() and known_threads:
        assert call("HGETALL", random.choice(known_threads))
    else:
        key = f"thread:{tag}{next(fresh)}"
        assert not call("HGETALL", key)
        call("HSET", key, "subject", "s")
        known_threads = (known_threads + [key])[-500:]
    there = [f"conv:{tag}there0"] + [f"conv:{tag}there{random.randrange(100)}" for _ in range(3)]
    call("MGET", *there, f"conv:{tag}away{random.randrange(100)}")
    if tag:
        time.sleep(0.005)
