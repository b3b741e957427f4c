"""Codecs of other people's, for tests/codecs.rs: stdin to stdout, samples as 16 bit little-endian.

libspandsp for G.711 and G.722; libopus by its C interface.
"""
import ctypes
import struct
import sys


def library(name, package):
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        sys.exit(f"{error}: apt-get install {package}")


def spandsp():
    return library("libspandsp.so.2", "libspandsp2")


def g722(decode, data):
    lib = spandsp()
    init, run = (lib.g722_decode_init, lib.g722_decode) if decode else (lib.g722_encode_init, lib.g722_encode)
    init.restype = ctypes.c_void_p
    init.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
    state = init(None, 64000, 0)
    count = len(data) if decode else len(data) // 2
    out = ctypes.create_string_buffer(4 * len(data) + 16)
    made = run(state, out, data, count)
    return out.raw[: made * 2 if decode else made]


def g711(law, decode, data):
    # The library's own conversions are inline in its header; its codec object calls them.
    lib = spandsp()
    lib.g711_init.restype = ctypes.c_void_p
    lib.g711_init.argtypes = [ctypes.c_void_p, ctypes.c_int]
    state = lib.g711_init(None, law)
    run = lib.g711_decode if decode else lib.g711_encode
    run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
    count = len(data) if decode else len(data) // 2
    out = ctypes.create_string_buffer(2 * len(data) + 16)
    made = run(state, out, data, count)
    return out.raw[: made * 2 if decode else made]


KINDS = {
    "alaw-decode": lambda data: g711(0, True, data),
    "alaw-encode": lambda data: g711(0, False, data),
    "ulaw-decode": lambda data: g711(1, True, data),
    "ulaw-encode": lambda data: g711(1, False, data),
    "g722-decode": lambda data: g722(True, data),
    "g722-encode": lambda data: g722(False, data),
}

if __name__ == "__main__":
    sys.stdout.buffer.write(KINDS[sys.argv[1]](sys.stdin.buffer.read()))
