"""delaying-link.py <device> <device> <milliseconds>: joins two new TUN devices by a link that takes so long each way.

For kernels without netem. Says `open` once both are there; they go with the process, into whichever network namespace they have
been moved.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

# <linux/if_tun.h>
TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000

LONGEST_PACKET = 65536


def open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def read_all(fd, packets, due):
    while True:
        try:
            packets.append((due, os.read(fd, LONGEST_PACKET)))
        except BlockingIOError:
            return


def write_due(fd, packets, now):
    while packets and packets[0][0] <= now:
        packet = packets.popleft()[1]
        try:
            os.write(fd, packet)
        except OSError:
            # A device that is down, or has no room: a network may lose packets.
            pass


def main(one, other, milliseconds):
    delay = float(milliseconds) / 1000
    fds = [open_tun(one), open_tun(other)]
    on_their_way = [collections.deque(), collections.deque()]
    print("open", flush=True)
    while True:
        dues = [packets[0][0] for packets in on_their_way if packets]
        wait = max(0, min(dues) - time.monotonic()) if dues else None
        readable, _, _ = select.select(fds, [], [], wait)
        now = time.monotonic()
        for source, packets in zip(fds, on_their_way):
            if source in readable:
                read_all(source, packets, now + delay)
        for target, packets in zip(reversed(fds), on_their_way):
            write_due(target, packets, now)


main(*sys.argv[1:])
